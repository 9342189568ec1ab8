use folio::{Document, Id, Ref};
use serde::{Deserialize, Serialize};

#[derive(Document, Serialize, Deserialize)]
#[folio(collection = "users")]
struct User {
    #[folio(id)]
    id: Id<User>,
    name: String,
    manager: Option<Ref<User>>,
}

fn main() {
    let _ = User::find(()).include(User::manager().name());
}
