use folio::{Computed, Embed};
use serde::{Deserialize, Serialize};

#[derive(Embed, Serialize, Deserialize)]
struct Place {
    #[folio(computed = "place.name")]
    name: Computed<String>,
}

fn main() {}
