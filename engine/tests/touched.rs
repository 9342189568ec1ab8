//! A write touches the indexes whose keys it changes, and no other.

#![expect(clippy::unwrap_used, reason = "a test stops where its premise does not hold")]

use folio_engine::Limits;
use folio_engine::doc::{Document, Parsed};
use folio_engine::schema::Definition;
use folio_engine::store::{Prepared, Store};

fn parsed(json: &str) -> Parsed {
    let mut parsed = Parsed::default();
    parsed.parse(json.as_bytes(), &Limits::default()).unwrap();
    parsed
}

/// A collection with ten indexes, of every structure, and the document `old` in it.
fn ten_indexes(old: &str) -> (Store, Document) {
    let json = r#"{"collection":"c","fields":[
        {"path":"a","type":"int","index":"set"},{"path":"b","type":"int","index":"sorted"},
        {"path":"c","type":"string","unique":true},{"path":"d","type":"string","index":"substring"},
        {"path":"tags","type":"array<string>","index":"set"},{"path":"deep.x","type":"int","index":"sorted"},
        {"path":"free","type":"int"},{"path":"deep.free","type":"int"}],
        "indexes":[{"name":"ab","on":[{"path":"a"},{"path":"b","order":"desc"}]},
        {"name":"ca","on":[{"path":"c"},{"path":"a"}],"unique":true},
        {"name":"adult","on":[{"path":"b"}],"where":"b >= 18"},
        {"name":"all","on":[{"path":"a"},{"path":"b"},{"path":"c"}]}]}"#;
    let definition = Definition::from_json(json.as_bytes(), &Limits::default()).unwrap();
    let mut store = Store::new(1);
    store.create(0, definition).unwrap();
    assert_eq!(store.collection(0, "c").unwrap().indexes().len(), 10);
    let Prepared::Ready(delta) = store.prepare(0, b"c:1", None, &parsed(old), 1, None).unwrap()
    else {
        panic!("nothing is there")
    };
    let document = store.commit(delta);
    (store, document)
}

/// How many indexes are touched when `old` becomes `new`, by a whole document and by an update.
fn touched(old: &str, new: &str) -> [usize; 2] {
    let (mut store, document) = ten_indexes(old);
    let new = parsed(new);
    let whole = store.prepare(0, b"c:1", Some(&document), &new, 2, None).unwrap();
    let update = store.prepare_update(0, b"c:1", &document, &new, 2, None).unwrap();
    [whole, update].map(|prepared| match prepared {
        Prepared::Ready(delta) => delta.touched(),
        other => panic!("{other:?}"),
    })
}

#[test]
fn only_indexes_whose_keys_change_are_touched() {
    let old =
        r#"{"a":1,"b":20,"c":"x","d":"text","tags":["p","q"],"deep":{"x":1,"free":1},"free":1}"#;
    let with = |from: &str, to: &str| {
        let new = old.replace(from, to);
        assert_ne!(new, old, "{from}");
        touched(old, &new)
    };
    assert_eq!(with(r#","free":1}"#, r#","free":2}"#), [0, 0]);
    assert_eq!(with(r#""x":1,"free":1"#, r#""x":1,"free":2"#), [0, 0]);
    assert_eq!(with(r#","free":1}"#, r#","new":[1,2]}"#), [0, 0]);
    // Another spelling, another order: the keys are the same.
    assert_eq!(with(r#""a":1"#, r#""a":1.0"#), [0, 0]);
    assert_eq!(with(r#"["p","q"]"#, r#"["q","p"]"#), [0, 0]);
    assert_eq!(with(r#""d":"text""#, r#""d":"other""#), [1, 1]);
    assert_eq!(with(r#""x":1"#, r#""x":2"#), [1, 1]);
    assert_eq!(with(r#"["p","q"]"#, r#"["p"]"#), [1, 1]);
    // Of `a` itself, and of each that `a` is a part of.
    assert_eq!(with(r#""a":1"#, r#""a":2"#), [4, 4]);
}
