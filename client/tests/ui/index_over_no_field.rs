use folio::{Document, Id};
use serde::{Deserialize, Serialize};

#[derive(Document, Serialize, Deserialize)]
#[folio(collection = "users", index(nmae))]
struct User {
    #[folio(id)]
    id: Id<User>,
    name: String,
}

fn main() {}
