//! Tests of what the server puts into documents, and of what stays.

use crate::Limits;
use crate::doc::{Document, Parsed};
use crate::schema::Definition;
use crate::store::{Prepared, Store};

/// A store with a collection `t` of these fields, and the document `t:1` through its life.
struct Life {
    store: Store,
    document: Option<Document>,
}

impl Life {
    fn new(fields: &str) -> Life {
        let json = format!(r#"{{"collection":"t","fields":[{fields}]}}"#);
        let definition = Definition::from_json(json.as_bytes(), &Limits::default()).unwrap();
        let again = Definition::from_json(definition.to_json().as_bytes(), &Limits::default());
        assert_eq!(again.as_ref(), Ok(&definition));
        let mut store = Store::new(1);
        store.create(0, definition).unwrap();
        Life { store, document: None }
    }

    /// Writes at a second since 1970: the text afterwards, or why not.
    fn write(&mut self, whole: bool, json: &str, second: i64) -> String {
        let mut parsed = Parsed::default();
        parsed.parse(json.as_bytes(), &Limits::default()).unwrap();
        let (key, now_ms) = (b"t:1", second * 1_000);
        let prepared = match &self.document {
            Some(old) if !whole => self.store.prepare_update(0, key, old, &parsed, now_ms, None),
            old => self.store.prepare(0, key, old.as_ref(), &parsed, now_ms, None),
        };
        match prepared {
            Ok(Prepared::Ready(delta)) => {
                let document = self.store.commit(delta);
                let text = String::from_utf8_lossy(document.text()).into_owned();
                self.document = Some(document);
                text
            }
            Ok(Prepared::Unchanged { .. }) => "unchanged".into(),
            Ok(held @ Prepared::Held { .. }) => panic!("{held:?}"),
            Err(error) => error.to_string(),
        }
    }

    fn set(&mut self, json: &str, second: i64) -> String {
        self.write(true, json, second)
    }
}

#[test]
fn defaults_stand_where_whole_documents_lack_a_value() {
    let mut life = Life::new(
        r#"{"path":"status","type":"string","required":true,"default":"new"},
           {"path":"a.b","type":"int","nullable":true,"default":null},
           {"path":"tags","type":"array<string>","default":[]}"#,
    );
    let filled = r#"{"x":1,"status":"new","a":{"b":null},"tags":[]}"#;
    assert_eq!(life.set(r#"{"x":1}"#, 1), filled);
    assert_eq!(life.set(r#"{"x":1}"#, 2), "unchanged");
    let given = r#"{"tags":["a"],"status":"old","a":{"b":2}}"#;
    assert_eq!(life.set(given, 3), given);
    // An update takes away what it takes away.
    assert_eq!(life.write(false, r#"{"status":"old"}"#, 4), r#"{"status":"old"}"#);
    let error = life.write(false, "{}", 4);
    assert_eq!(error, "SCHEMA field status is required, and missing");
    // What stands where a parent would have to be stays.
    assert_eq!(life.set(r#"{"a":5}"#, 5), r#"{"a":5,"status":"new","tags":[]}"#);
}

#[test]
fn instants_of_birth_and_change_are_the_servers() {
    let mut life = Life::new(
        r#"{"path":"born","type":"datetime","auto":"now"},{"path":"m.changed","type":"datetime","auto":"updated"}"#,
    );
    let first = r#"{"x":1,"born":"1970-01-01T00:00:01Z","m":{"changed":"1970-01-01T00:00:01Z"}}"#;
    assert_eq!(life.set(r#"{"x":1,"born":5}"#, 1), first);
    assert_eq!(life.set(r#"{"x":1}"#, 2), "unchanged");
    assert_eq!(life.set(r#"{"x":1,"born":"no time","m":{"changed":0}}"#, 2), "unchanged");
    let changed = r#"{"x":2,"born":"1970-01-01T00:00:01Z","m":{"changed":"1970-01-01T00:00:03Z"}}"#;
    assert_eq!(life.set(r#"{"x":2}"#, 3), changed);
    let removed = r#"{"x":2,"born":"1970-01-01T00:00:01Z"}"#;
    assert_eq!(life.write(false, removed, 4), "unchanged");
    let updated = changed.replace("2,", "3,").replace(":03Z", ":05Z");
    assert_eq!(life.write(false, &changed.replace("2,", "3,"), 5), updated);
    // A document from before the declaration has the instant of its own birth.
    let life_before = Document::new(
        &{
            let mut parsed = Parsed::default();
            parsed.parse(br#"{"x":4}"#, &Limits::default()).unwrap();
            parsed
        },
        crate::doc::Stamp { created_ms: 7_500, ..Default::default() },
    );
    let definition = life.store.collection(0, "t").unwrap().definition();
    let mut parsed = Parsed::default();
    parsed.parse(br#"{"x":5}"#, &Limits::default()).unwrap();
    let fill = super::Fill { old: Some(&life_before), whole: true, now_ms: 9_000 };
    let filled = fill.fill(definition, &parsed, &Limits::default()).unwrap().unwrap();
    let expected =
        r#"{"x":5,"born":"1970-01-01T00:00:07.5Z","m":{"changed":"1970-01-01T00:00:09Z"}}"#;
    assert_eq!(String::from_utf8_lossy(filled.text()), expected);
}

#[test]
fn what_is_immutable_is_given_once() {
    let mut life = Life::new(
        r#"{"path":"owner","type":"string","nullable":true,"immutable":true},
           {"path":"items[*].sku","type":"string","immutable":true}"#,
    );
    assert_eq!(life.set(r#"{"x":1}"#, 1), r#"{"x":1}"#);
    assert_eq!(life.set(r#"{"owner":"ada"}"#, 2), r#"{"owner":"ada"}"#);
    assert_eq!(life.set(r#"{"owner":"ada","x":2}"#, 3), r#"{"owner":"ada","x":2}"#);
    let refused = r#"SCHEMA field owner is IMMUTABLE, and stays "ada""#;
    for json in [r#"{"owner":"bob"}"#, r#"{"owner":null}"#, "{}"] {
        assert_eq!(life.set(json, 4), refused);
        assert_eq!(life.write(false, json, 4), refused);
    }
    let items = r#"{"owner":"ada","items":[{"sku":"a"},{"sku":"b"}]}"#;
    assert_eq!(life.set(items, 5), items);
    let refused = r#"SCHEMA field items[*].sku is IMMUTABLE, and stays "a""#;
    assert_eq!(life.set(r#"{"owner":"ada","items":[{"sku":"a"}]}"#, 6), refused);
}
