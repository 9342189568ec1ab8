use folio::{Document, Id};
use serde::{Deserialize, Serialize};

#[derive(Document, Serialize, Deserialize)]
#[folio(collection = "articles")]
struct Article {
    #[folio(id)]
    id: Id<Article>,
    title: String,
}

fn main() {
    let _ = Article::get(Id::from("a")).call("publish", 5);
}
