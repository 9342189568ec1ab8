use folio::{Document, Id};
use serde::{Deserialize, Serialize};

#[derive(Document, Serialize, Deserialize)]
#[folio(collection = "users")]
struct User {
    #[folio(id)]
    id: Id<User>,
    #[serde(flatten)]
    rest: serde_json::Map<String, serde_json::Value>,
}

fn main() {}
