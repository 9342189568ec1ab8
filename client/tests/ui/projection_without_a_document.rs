use folio::Projection;
use serde::Deserialize;

#[derive(Projection, Deserialize)]
struct Card {
    name: String,
}

fn main() {}
