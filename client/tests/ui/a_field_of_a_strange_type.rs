use folio::{Document, Id};
use serde::{Deserialize, Serialize};

#[derive(Document, Serialize, Deserialize)]
#[folio(collection = "users")]
struct User {
    #[folio(id)]
    id: Id<User>,
    color: Color,
}

#[derive(Serialize, Deserialize)]
struct Color(u8, u8, u8);

fn main() {}
