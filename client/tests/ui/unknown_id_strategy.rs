use folio::{Document, Id};
use serde::{Deserialize, Serialize};

#[derive(Document, Serialize, Deserialize)]
#[folio(collection = "users")]
struct User {
    #[folio(id = "uuid4")]
    id: Id<User>,
}

fn main() {}
