//! The rules of fields that are declared NOCASE, held by the naive model.

use super::rules::json;
use super::rules_read::predicate;
use super::{
    Aggregate, Comparison, Filter, GroupKey, Json, Kind, Literal, NaiveCollection, NaiveField,
    NaiveSchema, OrderBy, Path, Reducer, Reduction, Refusal, TextTest, Value,
};

const DOCUMENTS: [&str; 4] = [
    r#"{"s":"Straße","t":"STRASSE","tags":["A","b"]}"#,
    r#"{"s":"abc","t":"ABC","tags":["a"]}"#,
    r#"{"s":"ABC","t":"abd","tags":[]}"#,
    r#"{"s":"STRASSE","t":"x"}"#,
];

fn collection() -> NaiveCollection {
    let mut collection = NaiveCollection::new(NaiveSchema {
        fields: vec![
            NaiveField::new("s", Kind::Nocase),
            NaiveField::new("tags", Kind::Array(Box::new(Kind::Nocase))),
        ],
        ..NaiveSchema::default()
    });
    for (at, text) in DOCUMENTS.iter().enumerate() {
        collection.set(&format!("{at}"), json(text), None, 0).unwrap();
    }
    collection
}

#[test]
fn filters_fold_both_sides() {
    let collection = collection();
    for (filter, found) in [
        ("s = 'aBc'", &["1", "2"][..]),
        ("s < 'B'", &["1", "2"]),
        ("s BETWEEN 'ABC' AND 'abc'", &["1", "2"]),
        ("s IN ('STRASSE', 'x')", &["3"]),
        ("tags[0] = 'a'", &["0", "1"]),
        // A path beside it is folded too, by itself it is not.
        ("s = t", &["1"]),
        ("t < s", &["0"]),
        ("t = 'abc'", &[]),
    ] {
        assert_eq!(collection.find(Some(&predicate(filter)), &[], None, 0), found, "{filter}");
    }
}

#[test]
fn constants_are_folded_as_elements_are() {
    let collection = collection();
    let text = |text: &str| Literal::String(text.to_owned());
    let (s, tags) = (Path::plain("s"), Path::plain("tags"));
    let is_b = Filter::Compare(Path::of_element("@"), Comparison::Equal, text("B"));
    for (filter, found) in [
        (Filter::Compare(s.clone(), Comparison::Equal, text("aBc")), &["1", "2"][..]),
        (Filter::Compare(s.clone(), Comparison::NotEqual, text("strasse")), &["0", "1", "2"]),
        (Filter::Compare(s.clone(), Comparison::GreaterOrEqual, text("STRASSE")), &["0", "3"]),
        (Filter::Between(s.clone(), text("ABC"), text("abc")), &["1", "2"]),
        (Filter::In(s, vec![text("STRASSE"), text("x")]), &["3"]),
        (Filter::Has(tags.clone(), text("a")), &["0", "1"]),
        (Filter::HasAny(tags.clone(), vec![text("B"), text("c")]), &["0"]),
        (Filter::HasAll(tags.clone(), vec![text("a"), text("B")]), &["0"]),
        (Filter::AnyWhere(tags, Box::new(is_b)), &["0"]),
    ] {
        assert_eq!(collection.find(Some(&filter), &[], None, 0), found, "{filter:?}");
    }
}

#[test]
fn what_is_asked_of_strings_ignores_case() {
    let collection = collection();
    for (test, operand, found) in [
        (TextTest::StartsWith, "sTRA", &["0", "3"][..]),
        (TextTest::Contains, "ẞ", &["0"]),
        (TextTest::EndsWith, "bC", &["1", "2"]),
        (TextTest::Like, "STRA_e", &["0"]),
        (TextTest::Ilike, "A%", &["1", "2"]),
        (TextTest::Matches, "^a.c$", &["1", "2"]),
    ] {
        let operand = Literal::String(operand.to_owned());
        let filter = Filter::Text(Path::plain("s"), test, operand);
        assert_eq!(collection.find(Some(&filter), &[], None, 0), found, "{test:?}");
    }
}

#[test]
fn equals_are_one_and_the_first_stands_for_them() {
    let collection = collection();
    let path = Path::plain("s");
    let distinct: Vec<String> =
        collection.distinct(&path, None, 0).iter().map(Json::print).collect();
    assert_eq!(distinct, [r#""abc""#, r#""STRASSE""#, r#""Straße""#]);
    let order = [OrderBy { path: path.clone(), descending: false }];
    assert_eq!(collection.find(None, &order, None, 0), ["1", "2", "3", "0"]);
    let reduced = |reducer| Reduction { reducer, name: Some("r".to_owned()) };
    let mut aggregate = Aggregate {
        keys: vec![GroupKey { path: path.clone(), bucket: None, name: None }],
        reductions: vec![reduced(Reducer::Count)],
        ..Aggregate::default()
    };
    let print = |aggregate: &Aggregate| {
        let rows = collection.aggregate(aggregate, 0).unwrap();
        rows.iter().map(Json::print).collect::<Vec<_>>().join(" ")
    };
    let expected = r#"{"s":"abc","r":2} {"s":"STRASSE","r":1} {"s":"Straße","r":1}"#;
    assert_eq!(print(&aggregate), expected);
    aggregate.keys.clear();
    aggregate.reductions = vec![reduced(Reducer::CountDistinct(Value::Path(path.clone())))];
    assert_eq!(print(&aggregate), r#"{"r":3}"#);
    aggregate.reductions = vec![reduced(Reducer::Least(Value::Path(path)))];
    assert_eq!(print(&aggregate), r#"{"r":"abc"}"#);
}

#[test]
fn unique_values_differ_by_more_than_case() {
    let mut field = NaiveField::new("s", Kind::Nocase);
    field.unique = true;
    let schema = NaiveSchema { fields: vec![field], ..NaiveSchema::default() };
    let mut collection = NaiveCollection::new(schema);
    collection.set("a", json(r#"{"s":"Kg"}"#), None, 0).unwrap();
    let held = collection.set("b", json("{\"s\":\"\u{212a}G\"}"), None, 0);
    assert_eq!(held, Err(Refusal::Unique("a".to_owned())));
    assert!(collection.set("a", json(r#"{"s":"KG"}"#), None, 0).is_ok());
    assert_eq!(collection.get("a", 0).unwrap().json, json(r#"{"s":"KG"}"#));
}
