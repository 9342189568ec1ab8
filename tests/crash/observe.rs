//! Everything that a server holds, and whether its answers agree with it.

use std::collections::BTreeMap;

use folio_tests::everything::member;
use folio_tests::generate::{self, Random};
use folio_tests::naive::{Json, Kind, NaiveField, NaiveSchema, Path, order};
use folio_tests::pipeline::{Words, words};
use folio_tests::{Pipeline, Server};
use redis::Value;
use serde_json::Value as Parsed;

use crate::op::DATABASES;
use crate::world::{Place, Seen, Window, collection};
use crate::writer::now_ms;

/// Filters asked of each collection.
const FILTERS: usize = 6;

/// What a server holds.
pub struct Observed {
    pub docs: BTreeMap<Place, Seen>,
    /// How many fields each declared collection declares.
    pub declared: BTreeMap<Place, usize>,
    /// Between these instants it was read.
    pub now: Window,
}

fn text(reply: &Value) -> Option<String> {
    match reply {
        Value::BulkString(bytes) => String::from_utf8(bytes.clone()).ok(),
        Value::SimpleString(text) => Some(text.clone()),
        _ => None,
    }
}

fn texts(reply: &Value) -> Vec<String> {
    match reply {
        Value::Array(items) => items.iter().filter_map(text).collect(),
        other => panic!("{other:?} is no list"),
    }
}

fn number(reply: &Value, name: &str) -> Option<i64> {
    match member(reply, name) {
        Some(Value::Int(number)) => Some(*number),
        _ => None,
    }
}

/// Reads everything, verifies every collection, and asks each what is recomputed here.
pub fn observe(server: &Server, random: &mut Random) -> Observed {
    let mut pipeline = Pipeline::connect(server.url()).expect("the server listens");
    let began = now_ms();
    let (mut docs, mut declared) = (BTreeMap::new(), BTreeMap::new());
    for db in 0..DATABASES {
        pipeline.call(&["SELECT", &db.to_string()]);
        read_documents(&mut pipeline, db, &mut docs);
        for name in texts(&pipeline.call(&["DOC.LIST"])) {
            let of_name = [
                words(&["DOC.VERIFY", &name]),
                words(&["DOC.INFO", &name]),
                words(&["DOC.SCHEMA", &name]),
            ];
            let replies = pipeline.ask(&of_name);
            if matches!(&replies[0], Value::ServerError(_)) && name == "brief" {
                // Its last document has lapsed since.
                continue;
            }
            assert_eq!(replies[0], Value::Array(vec![]), "DOC.VERIFY {name}");
            if number(&replies[1], "declared") == Some(1) {
                let schema = text(&replies[2]).expect("a schema is text");
                let schema: Parsed = serde_json::from_str(&schema).expect("a schema is JSON");
                let fields = schema["fields"].as_array().map_or(0, Vec::len);
                declared.insert((db, name.clone()), fields);
            }
            check_numbers(&docs, db, &name, &replies[1]);
        }
    }
    let now = (began, now_ms());
    for db in 0..DATABASES {
        check_queries(&mut pipeline, &docs, &declared, db, random);
    }
    check_mails(&docs);
    Observed { docs, declared, now }
}

fn read_documents(pipeline: &mut Pipeline, db: usize, docs: &mut BTreeMap<Place, Seen>) {
    let keys = texts(&pipeline.call(&["KEYS", "*"]));
    let ask = |key: &String| [words(&["DOC.META", key]), words(&["DOC.GET", key])];
    let commands: Vec<Words> = keys.iter().flat_map(ask).collect();
    for (key, replies) in keys.into_iter().zip(pipeline.ask(&commands).chunks_exact(2)) {
        let version = number(&replies[0], "version").and_then(|n| u64::try_from(n).ok());
        let seq = number(&replies[0], "seq").and_then(|n| u64::try_from(n).ok());
        // A document may lapse between two commands.
        let (Some(version), Some(seq), Some(text)) = (version, seq, text(&replies[1])) else {
            assert!(key.starts_with("brief:"), "{key} is listed and not there: {replies:?}");
            continue;
        };
        let expires_ms = number(&replies[0], "expires");
        docs.insert((db, key), Seen { text, version, seq, expires_ms });
    }
}

/// The documents of a collection, in the order of their birth.
fn of<'d>(docs: &'d BTreeMap<Place, Seen>, db: usize, name: &str) -> Vec<(&'d str, &'d Seen)> {
    let mut found: Vec<(&str, &Seen)> = docs
        .iter()
        .filter(|((of, key), _)| *of == db && collection(key) == name)
        .map(|((_, key), seen)| (key.as_str(), seen))
        .collect();
    found.sort_by_key(|(_, seen)| seen.seq);
    found
}

/// Numbers are given once, and none above the collection's counters.
fn check_numbers(docs: &BTreeMap<Place, Seen>, db: usize, name: &str, info: &Value) {
    let found = of(docs, db, name);
    let counter = |counter| number(info, counter).and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
    for pair in found.windows(2) {
        assert!(pair[0].1.seq < pair[1].1.seq, "one birth number twice in {name}: {pair:?}");
    }
    for (key, seen) in &found {
        let is_counted = seen.seq <= counter("seq") && seen.version <= counter("version");
        assert!(is_counted, "{key}: {seen:?} is above the counters of {name}: {info:?}");
    }
    if name != "brief" {
        assert_eq!(number(info, "documents"), Some(found.len() as i64), "{name}: {info:?}");
    }
}

/// The value that writers contend for stands in one document.
fn check_mails(docs: &BTreeMap<Place, Seen>) {
    let mut held = BTreeMap::new();
    for (key, seen) in of(docs, 0, "people") {
        let parsed: Parsed = serde_json::from_str(&seen.text).expect("a document is JSON");
        if let Some(mail) = parsed["mail"].as_str() {
            let other = held.insert(mail.to_owned(), key);
            assert_eq!(other, None, "{mail} stands twice");
        }
    }
}

/// The types of a collection's fields, of which it declares so many.
fn schema(fields: usize) -> NaiveSchema {
    let all = [("n", Kind::Int), ("s", Kind::String), ("mail", Kind::String)];
    let fields = all.into_iter().take(fields);
    let fields = fields.map(|(path, kind)| NaiveField::new(path, kind)).collect();
    NaiveSchema { fields, strict: false, indexes: Vec::new() }
}

/// Asks every collection that lasts, and recomputes the answers.
fn check_queries(
    pipeline: &mut Pipeline,
    docs: &BTreeMap<Place, Seen>,
    declared: &BTreeMap<Place, usize>,
    db: usize,
    random: &mut Random,
) {
    pipeline.call(&["SELECT", &db.to_string()]);
    let mut names: Vec<String> =
        docs.keys().filter(|(of, _)| *of == db).map(|(_, key)| collection(key)).collect();
    names.sort_unstable();
    names.dedup();
    names.retain(|name| name != "brief");
    for name in &names {
        let found = of(docs, db, name);
        let parse = |seen: &Seen| Json::parse(&seen.text).expect("a document is JSON");
        let found: Vec<(&str, Json)> =
            found.into_iter().map(|(key, seen)| (key, parse(seen))).collect();
        let fields = declared.get(&(db, name.clone())).copied().unwrap_or(0);
        for _ in 0..FILTERS {
            check_query(pipeline, name, &found, &schema(fields), random);
        }
    }
}

/// Asks for those of the documents, which come in the order of their birth, that a filter holds for.
fn check_query(
    pipeline: &mut Pipeline,
    name: &str,
    found: &[(&str, Json)],
    schema: &NaiveSchema,
    random: &mut Random,
) {
    let filter = generate::filter(random, schema, 3);
    // Nothing that is written here breaks its collection's declaration.
    let mut wanted: Vec<&(&str, Json)> =
        found.iter().filter(|(_, json)| filter.holds(json, schema, true)).collect();
    let filter = filter.to_text();
    let count = pipeline.call(&["DOC.COUNT", name, "WHERE", &filter, "SCAN"]);
    assert_eq!(count, Value::Int(wanted.len() as i64), "DOC.COUNT {name} WHERE {filter}");
    let mut command = vec!["DOC.FIND", name, "WHERE", &filter, "SCAN"];
    if random.chance(60) {
        let path = random.pick(&["n", "s"]);
        let kind = schema.kind_of(&Path::plain(path));
        wanted.sort_by(|a, b| order::compare(a.1.member(path), b.1.member(path), kind));
        command.extend(["ORDER", "1", path]);
        if random.chance(50) {
            wanted.reverse();
            command.push("DESC");
        }
    }
    let reply = pipeline.call(&command);
    let rows = member(&reply, "results").unwrap_or_else(|| panic!("{command:?}: {reply:?}"));
    let Value::Array(rows) = rows else { panic!("{rows:?} are no rows") };
    let keys: Vec<String> = rows.iter().map(|row| texts(row).swap_remove(0)).collect();
    let wanted: Vec<&str> = wanted.iter().map(|(key, _)| *key).collect();
    assert_eq!(keys, wanted, "{command:?}");
}
