//! Tests of building: what is built whole is what single births make.

use super::super::{Counters, Origin};
use super::*;
use crate::Limits;
use crate::doc::{Parsed, Stamp};
use crate::memory::Blocks;
use crate::schema::Definition;

/// Enough for several threads.
const DOCUMENTS: u64 = DOCUMENTS_FOR_THREADS as u64 + 2_000;
const FIELDS: &str = r#"{"collection":"t","mode":"strict","fields":[
    {"path":"id","type":"int","required":true},
    {"path":"n","type":"int","nullable":true,"index":"sorted"},
    {"path":"s","type":"string","index":"set"},
    {"path":"mail","type":"string","unique":true},
    {"path":"tags","type":"array<string>","index":"set"},
    {"path":"d","type":"decimal","index":"sorted"},
    {"path":"w","type":"string","index":"substring"},
    {"path":"a.b","type":"float"}],"indexes":[
    {"name":"n_s","on":[{"path":"n"},{"path":"s","order":"desc"}]},
    {"name":"tags_d","on":[{"path":"d","order":"desc"},{"path":"tags"},{"path":"n"}]},
    {"name":"few","on":[{"path":"n"}],"where":"s LIKE 'some%' OR NOT (n >= 0)"},
    {"name":"pairs","on":[{"path":"s"},{"path":"n"}],"unique":true,"where":"tags HAS 'a'"},
    {"name":"nothings","on":[{"path":"n"},{"path":"d"}],"unique":true,"nulls":"not distinct"},
    {"name":"once","on":[{"path":"a.b"}],"using":"set","unique":true,"nulls":"not distinct"},
    {"name":"texts","on":[{"path":"s"}],"using":"substring"},
    {"name":"tag_texts","on":[{"path":"tags"}],"using":"substring","where":"mail IS MISSING"}]}"#;
/// The rest of a document after its id; the last break the declaration.
const FORMS: [&str; 12] = [
    "",
    r#","n":MOD,"s":"some text MOD","mail":"ID@x","tags":["a","b","a"],"d":"1.5","w":"Text of ID"}"#,
    r#","n":null,"s":"","tags":[],"a":{"b":0.5}}"#,
    r#","n":9007199254740993,"d":1e400,"s":"sé\u00e9\"x","mail":"MOD@x"}"#,
    r#","tags":["tag MOD","x"],"d":-0.10}"#,
    r#","mail":"much longer than any head: ID@example.com"}"#,
    r#","n":1.5,"s":"a"}"#,
    r#","s":["a","b"],"tags":["a",null,"b"],"n":3}"#,
    r#","tags":"a","mail":null}"#,
    r#","d":"x","n":-MOD}"#,
    r#","undeclared":1,"s":"b"}"#,
    r#","a":{"b":1e400},"tags":[1,"a"]}"#,
];

fn document(at: u64) -> Document {
    let form = FORMS[(at % 13 % 12) as usize];
    let json = if form.is_empty() {
        "{}".to_owned()
    } else {
        let rest = form.replace("ID", &at.to_string()).replace("MOD", &(at % 97).to_string());
        format!(r#"{{"id":{at}{rest}"#)
    };
    let mut parsed = Parsed::default();
    parsed.parse(json.as_bytes(), &Limits::default()).unwrap();
    Document::new(&parsed, Stamp { seq: at + 1, version: at + 1, ..Stamp::default() })
}

fn empty() -> Collection {
    let origin = Origin {
        uid: 7,
        db: 0,
        seed: 1,
        blocks: Blocks::default(),
        signal: crate::collection::Signal::default(),
    };
    let definition = Definition::from_json(FIELDS.as_bytes(), &Limits::default()).unwrap();
    Collection::new(origin, definition, true, Counters::default())
}

/// Keys, documents, and when they lapse.
type Row = (Vec<u8>, Document, Option<i64>);

fn rows(range: std::ops::Range<u64>) -> Vec<Row> {
    let row = |at| {
        let expires_ms = (at % 5 == 0).then_some(at as i64);
        (format!("t:{at}").into_bytes(), document(at), expires_ms)
    };
    range.map(row).collect()
}

fn arrival((key, document, expires_ms): &Row, number: u32) -> Arrival<'_> {
    Arrival { key, document: document.clone(), expires_ms: *expires_ms, number }
}

fn one_by_one() -> Collection {
    let mut one_by_one = empty();
    for (key, document, expires_ms) in rows(0..DOCUMENTS) {
        one_by_one.admit(&key, &document, expires_ms);
    }
    let breaking = one_by_one.breaking.len();
    assert!(breaking > DOCUMENTS / 3 && breaking < DOCUMENTS, "{breaking}");
    one_by_one
}

fn assert_same(whole: &Collection, one_by_one: &Collection) {
    assert_eq!(whole.verify(), Vec::<String>::new());
    assert_eq!(whole.digest(), one_by_one.digest());
    assert_eq!(whole.breaking, one_by_one.breaking);
    for (a, b) in whole.indexes.iter().zip(&one_by_one.indexes) {
        assert_eq!(a.conflicts(), b.conflicts(), "{}", a.title());
        assert_eq!(a.entries(), b.entries(), "{}", a.title());
        assert!(!a.is_unique() || a.name().is_none() || a.conflicts() > 0, "{}", a.title());
        assert!(a.entries() > 0, "{}", a.title());
    }
}

#[test]
fn what_is_built_whole_is_what_single_births_make() {
    let one_by_one = one_by_one();
    // The second filling finds documents that have been judged.
    for first in [0, 5, DOCUMENTS - 5, DOCUMENTS] {
        let mut whole = empty();
        for range in [0..first, first..DOCUMENTS] {
            whole.fill(rows(range).iter().map(|row| arrival(row, 0)), None);
        }
        assert_same(&whole, &one_by_one);
    }
}

#[test]
fn what_a_crew_was_shown_in_any_order_is_what_single_births_make() {
    let one_by_one = one_by_one();
    let rows = rows(0..DOCUMENTS);
    // They share no factor with the number of documents, so each is shown once.
    for stride in [1, 7, DOCUMENTS - 1] {
        let mut whole = empty();
        let mut crew = Crew::new(&whole, 3).unwrap();
        let mut numbers = vec![0; rows.len()];
        for number in 0..DOCUMENTS {
            let at = (number * stride % DOCUMENTS) as usize;
            numbers[at] = number as u32;
            crew.show(&rows[at].1);
        }
        let arrivals = rows.iter().zip(numbers).map(|(row, number)| arrival(row, number));
        whole.fill(arrivals, Some(crew));
        assert_same(&whole, &one_by_one);
    }
}
