use folio::{Document, Id};
use serde::{Deserialize, Serialize};

#[derive(Document, Serialize, Deserialize)]
#[folio(strict)]
struct User {
    #[folio(id)]
    id: Id<User>,
}

fn main() {}
