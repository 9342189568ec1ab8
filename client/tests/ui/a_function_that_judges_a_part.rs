use folio::{Document, Embed, Id};
use serde::{Deserialize, Serialize};

#[derive(Document, Serialize, Deserialize)]
#[folio(collection = "articles")]
struct Article {
    #[folio(id)]
    id: Id<Article>,
    title: String,
    place: Place,
}

#[derive(Embed, Serialize, Deserialize)]
#[folio(validate = "place.is_whole")]
struct Place {
    name: String,
}

fn main() {}
