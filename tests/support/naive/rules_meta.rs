//! The rules of metadata in filters, orders and distinct values, held by the naive model.

use super::rules::{json, literal, not};
use super::rules_read::predicate;
use super::{
    Comparison, Filter, JsonKind, Kind, Literal, Meta, NaiveCollection, NaiveSchema, OrderBy, Path,
    TextTest,
};

/// Three documents: born at 1000, 2000 and 3000, the first changed at 4000, the second with a TTL.
fn collection() -> NaiveCollection {
    let mut collection = NaiveCollection::new(NaiveSchema::default());
    "users:".clone_into(&mut collection.prefix);
    for (key, text, expires_ms, now_ms) in [
        ("users:b", r#"{"n":1,"s":"x"}"#, None, 1000),
        ("users:a", r#"{"n":2,"s":"x"}"#, Some(9000), 2000),
        ("users:c", r#"{"n":1.0,"s":null}"#, None, 3000),
        ("users:b", r#"{"n":1,"s":"y"}"#, None, 4000),
    ] {
        collection.set(key, json(text), expires_ms, now_ms).unwrap();
    }
    collection
}

#[track_caller]
fn finds(expected: &[&str], filter: &Filter) {
    let found = collection().find(Some(filter), &[], None, 5000).join(" ");
    let expected: Vec<String> = expected.iter().map(|id| format!("users:{id}")).collect();
    assert_eq!(found, expected.join(" "), "{}", filter.to_text());
}

fn compare(meta: Meta, comparison: Comparison, value: &str) -> Filter {
    Filter::Compare(Path::of_meta(meta), comparison, literal(value))
}

#[test]
fn metadata_stand_where_paths_do() {
    finds(&["a"], &compare(Meta::Key, Comparison::Equal, "\"users:a\""));
    finds(&["b", "c"], &compare(Meta::Id, Comparison::GreaterOrEqual, "\"b\""));
    finds(&["a", "c"], &compare(Meta::Sequence, Comparison::GreaterOrEqual, "2"));
    finds(&["b"], &predicate("_seq % 2 = _seq"));
    finds(&["b"], &compare(Meta::Version, Comparison::Equal, "4"));
    finds(&["b", "a"], &compare(Meta::Created, Comparison::Less, "3000"));
    finds(&["b", "a"], &predicate("_created < time('1970-01-01T00:00:03Z')"));
    finds(&["b"], &predicate("_updated > _created"));
    finds(&["b"], &predicate("_updated - _created = duration('3s')"));
    finds(&["a"], &predicate("_expires > now()"));
    finds(&["a"], &predicate("_expires - now() <= duration('4s')"));
    finds(&["b", "c"], &Filter::IsMissing(Path::of_meta(Meta::Expires)));
    finds(&[], &Filter::IsNull(Path::of_meta(Meta::Expires)));
    let other = predicate("_expires != time('1970-01-01T00:00:09Z')");
    finds(&["b", "c"], &other);
    finds(&["b", "a", "c"], &Filter::IsBool(Path::of_meta(Meta::Valid), true));
    let ends = |meta, text: &str| {
        let text = Literal::String(text.to_owned());
        Filter::Text(Path::of_meta(meta), TextTest::EndsWith, text)
    };
    finds(&["c"], &ends(Meta::Key, ":c"));
    finds(&[], &ends(Meta::Id, ":c"));
    finds(&["b", "c"], &not(ends(Meta::Id, "a")));
    assert_eq!(ends(Meta::Id, "c").to_text(), "_id ENDS WITH 'c'");
}

#[test]
fn metadata_have_types_and_some_questions_are_not_asked() {
    let refused = [
        compare(Meta::Key, Comparison::Equal, "1"),
        compare(Meta::Sequence, Comparison::Equal, "\"1\""),
        compare(Meta::Created, Comparison::Equal, "\"yesterday\""),
        compare(Meta::Valid, Comparison::Equal, "1"),
        predicate("_key + 1 > 2"),
        predicate("_valid * 2 > 2"),
        Filter::Has(Path::of_meta(Meta::Key), literal("\"x\"")),
        Filter::HasAny(Path::of_meta(Meta::Key), vec![]),
        Filter::HasAll(Path::of_meta(Meta::Key), vec![]),
        Filter::AnyWhere(Path::of_meta(Meta::Key), Box::new(predicate("@ = 1"))),
        Filter::AllWhere(Path::of_meta(Meta::Key), Box::new(predicate("@ = 1"))),
        Filter::IsKind(Path::of_meta(Meta::Key), JsonKind::String),
        Filter::Text(Path::of_meta(Meta::Sequence), TextTest::Like, literal("\"x\"")),
    ];
    for filter in refused {
        assert!(filter.check(&NaiveSchema::default()).is_err(), "{}", filter.to_text());
    }
    // In back-quotes it is a member of the document.
    let member = Filter::Compare(Path::plain("_key"), Comparison::Equal, literal("1"));
    assert_eq!(member.to_text(), "`_key` = 1");
    assert!(member.holds(&json(r#"{"_key":1}"#), &NaiveSchema::default(), true));
}

#[test]
fn orders_take_several_paths_and_metadata() {
    let meta = |meta, descending| OrderBy { path: Path::of_meta(meta), descending };
    let path = |text, descending| OrderBy { path: Path::plain(text), descending };
    for (order, expected) in [
        (vec![meta(Meta::Id, false)], "a b c"),
        (vec![meta(Meta::Key, true)], "c b a"),
        (vec![meta(Meta::Sequence, true)], "c a b"),
        (vec![meta(Meta::Updated, false)], "a c b"),
        (vec![meta(Meta::Expires, false)], "b c a"),
        (vec![meta(Meta::Expires, true)], "a c b"),
        (vec![path("n", false), meta(Meta::Id, true)], "c b a"),
        (vec![path("n", false), path("s", false)], "c b a"),
        (vec![path("n", true), path("s", true)], "a b c"),
        (vec![path("n", false), meta(Meta::Valid, true)], "c b a"),
        (vec![meta(Meta::Valid, false)], "b a c"),
    ] {
        let collection = collection();
        let found = collection.find(None, &order, None, 5000);
        let ids: Vec<_> = found.iter().map(|key| &key["users:".len()..]).collect();
        assert_eq!(ids.join(" "), expected, "{order:?}");
    }
}

fn distinct(kind: Option<Kind>, values: &[&str], path: &str) -> String {
    let schema = kind.map(super::rules::declared).unwrap_or_default();
    let mut collection = NaiveCollection::new(NaiveSchema::default());
    for (at, value) in values.iter().enumerate() {
        collection.set(&at.to_string(), json(&format!("{{\"a\":{value}}}")), None, 0).unwrap();
    }
    collection.set("missing", json("{}"), None, 0).unwrap();
    collection.schema = schema;
    let found = collection.distinct(&Path::plain(path), None, 0);
    found.iter().map(super::Json::print).collect::<Vec<_>>().join(" ")
}

#[test]
fn distinct_values_ascend_in_the_text_of_the_earliest() {
    assert_eq!(
        distinct(None, &["1.0", "1", "\"x\"", "null", "0", "null"], "a"),
        "null 0 1.0 \"x\""
    );
    assert_eq!(distinct(None, &["[1,2]", "[2,3]", "[]", "5"], "a[*]"), "1 2 3");
    assert_eq!(distinct(None, &["[1,2]", "[1.0,2]"], "a"), "[1,2]");
    let prices = ["\"12.50\"", "12.5", "\"9\""];
    assert_eq!(distinct(Some(Kind::Decimal), &prices, "a"), "\"9\" \"12.50\"");
    assert_eq!(distinct(None, &prices, "a"), "12.5 \"12.50\" \"9\"");
    let days = ["\"1970-01-01T00:00:00Z\"", "0", "\"1970-01-01T01:00:00+01:00\""];
    assert_eq!(distinct(Some(Kind::Datetime), &days, "a"), "\"1970-01-01T00:00:00Z\"");
    let arrays = Kind::Array(Box::new(Kind::Datetime));
    let lists = ["[0]", "[\"1970-01-01T00:00:00Z\"]"];
    // As a whole, arrays are as on undeclared paths.
    assert_eq!(distinct(Some(arrays.clone()), &lists, "a"), "[0] [\"1970-01-01T00:00:00Z\"]");
    assert_eq!(distinct(Some(arrays), &lists, "a[*]"), "0");
    let ids = collection().distinct(&Path::of_meta(Meta::Id), None, 5000);
    assert_eq!(ids, [json("\"a\""), json("\"b\""), json("\"c\"")]);
    let filter = Filter::IsMissing(Path::of_meta(Meta::Expires));
    let some = collection().distinct(&Path::of_meta(Meta::Id), Some(&filter), 5000);
    assert_eq!(some, [json("\"b\""), json("\"c\"")]);
}
