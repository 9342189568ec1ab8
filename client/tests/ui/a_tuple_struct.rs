use folio::Document;

#[derive(Document)]
#[folio(collection = "users")]
struct User(String);

fn main() {}
