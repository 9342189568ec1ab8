use folio::Document;

#[derive(Document)]
enum User {
    Ada,
}

fn main() {}
