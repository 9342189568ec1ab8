//! The rules of constraints, of what the server puts in, and of parts that lapse by themselves, held by the naive model.

use super::constraint::{Auto, Constraints};
use super::rules::json;
use super::timed::{Timed, apply_all};
use super::{Change, Ground, Json, Kind, NaiveCollection, NaiveField, NaiveSchema, Refusal};

fn field(path: &str, kind: Kind, rules: Constraints) -> NaiveField {
    NaiveField { rules, ..NaiveField::new(path, kind) }
}

fn of(fields: Vec<NaiveField>) -> NaiveSchema {
    NaiveSchema { fields, ..NaiveSchema::default() }
}

/// The collection `orders` of docs/schema.md.
fn orders() -> NaiveSchema {
    let none = Constraints::default;
    let total = Constraints { min: Some(json("\"0\"")), max: Some(json("\"99999.99\"")), ..none() };
    let status = Constraints { one_of: vec![json("\"open\""), json("\"closed\"")], ..none() };
    let pattern = Some("^[A-Z]{2}[0-9]+$".to_owned());
    let sku = Constraints { pattern, max_length: Some(8), ..none() };
    let scores =
        Constraints { min: Some(json("1")), max: Some(json("5")), min_length: Some(1), ..none() };
    of(vec![
        field("total", Kind::Decimal, total),
        field("status", Kind::String, status),
        field("sku", Kind::String, sku),
        field("scores", Kind::Array(Box::new(Kind::Int)), scores),
    ])
}

#[test]
fn the_examples_of_the_page_come_out() {
    let schema = orders();
    for (document, broken) in [
        (r#"{"total":"100000.00"}"#, Some("total")),
        (r#"{"status":"Open"}"#, Some("status")),
        (r#"{"sku":"x1"}"#, Some("sku")),
        (r#"{"sku":"AB1234567"}"#, Some("sku")),
        (r#"{"scores":[5,6]}"#, Some("scores")),
        (r#"{"scores":[]}"#, Some("scores")),
        (r#"{"total":"99999.99","status":"open","sku":"AB1","scores":[1,5]}"#, None),
    ] {
        assert_eq!(schema.breach(&json(document)).as_deref(), broken, "{document}");
    }
    assert_eq!(
        schema.create_arguments("orders").join(" "),
        "orders FIELD total decimal MIN 0 MAX 99999.99 FIELD status string ENUM 2 open closed \
         FIELD sku string MAXLEN 8 PATTERN ^[A-Z]{2}[0-9]+$ \
         FIELD scores array<int> MIN 1 MAX 5 MINLEN 1"
    );
}

#[test]
fn the_server_puts_in_what_is_declared_and_keeps_what_stays() {
    let none = Constraints::default;
    let auto = |auto| Constraints { auto: Some(auto), ..none() };
    let default = Constraints { default: Some(json("\"new\"")), ..none() };
    let mut collection = NaiveCollection::new(of(vec![
        field("state", Kind::String, default),
        field("owner", Kind::String, Constraints { immutable: true, ..none() }),
        field("times.born", Kind::Datetime, auto(Auto::Now)),
        field("times.changed", Kind::Datetime, auto(Auto::Updated)),
    ]));
    let sent = json(r#"{"owner":"ada","times":{"born":"yesterday"}}"#);
    collection.set("1", sent.clone(), None, 0).unwrap();
    let first = r#"{"owner":"ada","times":{"born":"1970-01-01T00:00:00Z","changed":"1970-01-01T00:00:00Z"},"state":"new"}"#;
    assert_eq!(collection.get("1", 5).unwrap().json.print(), first);
    assert_eq!(collection.set("1", sent, None, 5), Ok(1), "nothing else has changed");
    let owner = Change::of_parts("SET", "owner", "\"bob\"").unwrap();
    let refused = collection.update("1", &[owner], 5);
    assert_eq!(refused, Err(Refusal::Schema("owner".to_owned())));
    let state = Change::of_parts("UNSET", "state", "").unwrap();
    assert_eq!(collection.update("1", &[state], 1_000), Ok(2));
    let second = r#"{"owner":"ada","times":{"born":"1970-01-01T00:00:00Z","changed":"1970-01-01T00:00:01Z"}}"#;
    assert_eq!(collection.get("1", 1_000).unwrap().json.print(), second);
}

/// What operations make of the parts of a document that lapse: `a` at 10, `o.x` at 20.
#[track_caller]
fn check(changes: &[[&str; 3]], expected: &[(&str, i64)]) {
    let mut held = json(r#"{"a":1,"b":[1],"o":{"x":1,"y":2}}"#);
    let mut timed = Timed([("a".to_owned(), 10), ("o.x".to_owned(), 20)].into());
    let changes: Vec<Change> = changes
        .iter()
        .map(|[verb, path, operand]| Change::of_parts(verb, path, operand).unwrap())
        .collect();
    let schema = NaiveSchema::default();
    apply_all(&mut held, &mut timed, &changes, Ground { schema: &schema, now_ms: 0 }).unwrap();
    let parts = timed.0.iter().map(|(part, at_ms)| (part.as_str(), *at_ms));
    assert_eq!(parts.collect::<Vec<_>>(), expected);
}

#[test]
fn operations_take_keep_and_move_times_to_live() {
    let both = &[("a", 10), ("o.x", 20)];
    check(&[["INCR", "a", "1"], ["MAX", "o.x", "9"], ["PUSH", "b", "2"]], both);
    check(&[["SET", "a", "1"]], &[("o.x", 20)]);
    check(&[["SET", "o", "{\"x\":1}"]], &[("a", 10)]);
    check(&[["SET", "o.y", "1"], ["NOW", "b", ""], ["UNSET", "none", ""]], both);
    check(&[["UNSET", "o", ""]], &[("a", 10)]);
    check(&[["RENAME", "o", "p"]], &[("a", 10), ("p.x", 20)]);
    check(&[["RENAME", "o.y", "a"]], &[("o.x", 20)]);
    check(&[["MERGE", "", "{\"a\":1,\"o\":{\"x\":2}}"]], &[("a", 10)]);
    check(&[["PATCH", "", "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":2}]"]], &[("o.x", 20)]);
    check(
        &[["PTTL", "a", "30"], ["TTL", "o.x", "NONE"], ["TTL", "b", "1"]],
        &[("a", 30), ("b", 1000)],
    );
}

#[test]
fn what_is_due_is_gone() {
    let mut held = json(r#"{"a":1,"o":{"x":1}}"#);
    let mut timed = Timed([("a".to_owned(), 10), ("o.x".to_owned(), 20)].into());
    assert!(!timed.lapse(&mut held, 10));
    assert!(timed.lapse(&mut held, 11));
    assert_eq!(held.print(), r#"{"o":{"x":1}}"#);
    assert!(timed.lapse(&mut held, 21) && timed.is_empty());
    assert_eq!(held, Json::parse(r#"{"o":{}}"#).unwrap());
}

#[test]
fn what_has_to_be_there_may_not_lapse() {
    let mut schema = orders();
    (schema.fields[0].required, schema.fields[1].rules.immutable) = (true, true);
    let breach = |part: &str| Timed([(part.to_owned(), 1)].into()).breach(&schema);
    for refused in ["total", "status", "status.x"] {
        assert_eq!(breach(refused).as_deref(), Some(refused));
    }
    assert!(breach("total.x").or(breach("sku")).is_none());
    // A part of a value changes it, which a unique value may not, nor one of a list.
    (schema.fields[0].required, schema.fields[0].unique) = (false, true);
    let breach = |part: &str| Timed([(part.to_owned(), 1)].into()).breach(&schema);
    assert_eq!(breach("total.x").as_deref(), Some("total.x"));
    assert!(breach("total").is_none());
}
