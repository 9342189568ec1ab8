use folio::Embed;
use serde::{Deserialize, Serialize};

#[derive(Embed, Serialize, Deserialize)]
#[serde(transparent)]
struct Name {
    text: String,
}

fn main() {}
