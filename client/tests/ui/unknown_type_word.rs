use folio::{Document, Id};
use serde::{Deserialize, Serialize};

#[derive(Document, Serialize, Deserialize)]
#[folio(colection = "users")]
struct User {
    #[folio(id)]
    id: Id<User>,
}

fn main() {}
