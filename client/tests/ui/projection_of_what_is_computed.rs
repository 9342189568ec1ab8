use folio::{Computed, Document, Id, Projection};
use serde::{Deserialize, Serialize};

#[derive(Document, Serialize, Deserialize)]
#[folio(collection = "articles")]
struct Article {
    #[folio(id)]
    id: Id<Article>,
    title: String,
    #[folio(computed = "text.slug")]
    slug: Computed<String>,
}

#[derive(Projection, Serialize, Deserialize)]
#[folio(from = Article)]
struct Line {
    slug: Computed<String>,
}

fn main() {}
