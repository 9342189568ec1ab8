use folio::{Document, Id};
use serde::{Deserialize, Serialize};

#[derive(Document, Serialize, Deserialize)]
#[folio(collection = "users")]
struct User {
    #[folio(id)]
    id: Id<User>,
    #[serde(with = "there")]
    name: String,
}

mod there {
    pub fn serialize<S: serde::Serializer>(_: &String, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str("x")
    }
    pub fn deserialize<'de, D: serde::Deserializer<'de>>(d: D) -> Result<String, D::Error> {
        serde::Deserialize::deserialize(d)
    }
}

fn main() {}
