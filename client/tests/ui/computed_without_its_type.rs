use folio::{Document, Id};
use serde::{Deserialize, Serialize};

#[derive(Document, Serialize, Deserialize)]
#[folio(collection = "articles")]
struct Article {
    #[folio(id)]
    id: Id<Article>,
    title: String,
    #[folio(computed = "text.slug")]
    slug: String,
}

fn main() {}
