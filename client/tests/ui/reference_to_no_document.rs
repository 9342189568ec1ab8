use folio::{Document, Embed, Id, Ref};
use serde::{Deserialize, Serialize};

#[derive(Document, Serialize, Deserialize)]
#[folio(collection = "users")]
struct User {
    #[folio(id)]
    id: Id<User>,
    address: Ref<Address>,
}

#[derive(Embed, Serialize, Deserialize)]
struct Address {
    city: String,
}

fn main() {}
