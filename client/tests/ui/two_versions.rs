use folio::{Document, Id};
use serde::{Deserialize, Serialize};

#[derive(Document, Serialize, Deserialize)]
#[folio(collection = "users")]
struct User {
    #[folio(id)]
    id: Id<User>,
    #[folio(version)]
    a: u64,
    #[folio(version)]
    b: u64,
}

fn main() {}
