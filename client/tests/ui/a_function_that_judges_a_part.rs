use folio::Embed;
use serde::{Deserialize, Serialize};

#[derive(Embed, Serialize, Deserialize)]
#[folio(validate = "place.is_whole")]
struct Place {
    name: String,
}

fn main() {}
