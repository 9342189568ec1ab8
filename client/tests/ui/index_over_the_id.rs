use folio::{Document, Id};
use serde::{Deserialize, Serialize};

#[derive(Document, Serialize, Deserialize)]
#[folio(collection = "users", index(id))]
struct User {
    #[folio(id)]
    id: Id<User>,
}

fn main() {}
