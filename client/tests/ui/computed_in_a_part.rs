use folio::{Computed, Document, Embed, Id};
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
struct Place {
    #[folio(computed = "place.name")]
    name: Computed<String>,
}

fn main() {}
