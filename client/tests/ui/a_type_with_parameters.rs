use folio::{Document, Id};
use serde::{Deserialize, Serialize};

#[derive(Document, Serialize, Deserialize)]
#[folio(collection = "users")]
struct User<T> {
    #[folio(id)]
    id: Id<User<T>>,
    value: T,
}

fn main() {}
