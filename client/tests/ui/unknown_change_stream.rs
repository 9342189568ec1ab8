use folio::{Document, Id};
use serde::{Deserialize, Serialize};

#[derive(Document, Serialize, Deserialize)]
#[folio(collection = "users", changes(before))]
struct User {
    #[folio(id)]
    id: Id<User>,
}

fn main() {}
