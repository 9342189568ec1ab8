use folio::{Document, Id};
use serde::{Deserialize, Serialize};

#[derive(Document, Serialize, Deserialize)]
#[folio(collection = "users", index(age descending))]
struct User {
    #[folio(id)]
    id: Id<User>,
    age: u32,
}

fn main() {}
