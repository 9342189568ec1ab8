use folio::Document;
use serde::{Deserialize, Serialize};

#[derive(Document, Serialize, Deserialize)]
#[folio(collection = "users")]
struct User {
    name: String,
}

fn main() {}
