use folio::{Document, Id};
use serde::{Deserialize, Serialize};

#[derive(Document, Serialize, Deserialize)]
#[folio(collection = "users")]
struct User {
    #[folio(id)]
    id: Id<User>,
    name: String,
    age: u32,
    active: bool,
    tags: Vec<String>,
    nickname: Option<String>,
    seen: Option<folio::Timestamp>,
}

fn main() {
    let _ = User::tags().eq(vec![String::new()]);
}
