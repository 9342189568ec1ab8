use folio::{Document, Id};
use serde::{Deserialize, Serialize};

#[derive(Document, Serialize, Deserialize)]
#[folio(collection = "users")]
struct User {
    #[folio(id)]
    id: Id<User>,
    #[serde(rename(serialize = "a", deserialize = "b"))]
    name: String,
}

fn main() {}
