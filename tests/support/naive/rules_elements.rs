//! The rules of `ANY .. WHERE` and `ALL .. WHERE`, held by the naive model.

use super::rules::{json, literal, not};
use super::rules_read::predicate;
use super::{
    Comparison, Facts, Filter, Kind, Literal, NaiveField, NaiveSchema, Path, Scope, TextTest,
};

fn any(path: &str, part: Filter) -> Filter {
    Filter::AnyWhere(Path::plain(path), Box::new(part))
}

fn all(path: &str, part: Filter) -> Filter {
    Filter::AllWhere(Path::plain(path), Box::new(part))
}

fn and(parts: &[&str]) -> Filter {
    Filter::And(parts.iter().map(|part| predicate(part)).collect())
}

#[track_caller]
fn is(expected: bool, filter: &Filter, document: &str) {
    let schema = NaiveSchema::default();
    assert_eq!(filter.check(&schema), Ok(()));
    assert_eq!(filter.holds(&json(document), &schema, true), expected, "{document}");
}

#[test]
fn conditions_are_tied_to_one_element() {
    let filter = any("items", and(&["sku = 'X1'", "qty > 2"]));
    assert_eq!(filter.to_text(), "ANY items WHERE (sku = 'X1' AND qty > 2)");
    is(true, &filter, r#"{"items":[{"sku":"X2"},{"sku":"X1","qty":3}]}"#);
    is(false, &filter, r#"{"items":[{"sku":"X1","qty":1},{"sku":"X2","qty":3}]}"#);
    let apart = and(&["items[*].sku = 'X1'", "items[*].qty > 2"]);
    is(true, &apart, r#"{"items":[{"sku":"X1","qty":1},{"sku":"X2","qty":3}]}"#);
    for nothing in ["{}", r#"{"items":[]}"#, r#"{"items":{"sku":"X1","qty":3}}"#] {
        is(false, &filter, nothing);
        is(true, &not(filter.clone()), nothing);
    }
}

#[test]
fn all_is_true_of_the_empty_array_and_false_of_none() {
    let filter = all("items", predicate("qty > 0"));
    assert_eq!(not(filter.clone()).to_text(), "NOT ALL items WHERE (qty > 0)");
    is(true, &filter, r#"{"items":[{"qty":1},{"qty":2.5}]}"#);
    is(true, &filter, r#"{"items":[]}"#);
    is(false, &filter, r#"{"items":[{"qty":1},{"qty":0}]}"#);
    is(false, &filter, r#"{"items":[{"qty":1},{}]}"#);
    for no_array in ["{}", r#"{"items":null}"#, r#"{"items":{"qty":1}}"#, r#"{"items":"x"}"#] {
        is(false, &filter, no_array);
        is(true, &not(filter.clone()), no_array);
    }
}

#[test]
fn an_at_sign_is_the_element() {
    let scores = any("scores", and(&["@ > 5", "@ < 9"]));
    assert_eq!(scores.to_text(), "ANY scores WHERE (@ > 5 AND @ < 9)");
    is(true, &scores, r#"{"scores":[1,7]}"#);
    is(false, &scores, r#"{"scores":[5,9,"7"]}"#);
    is(true, &any("a", predicate("@[0] = @[1]")), r#"{"a":[[1,2],[3,3]]}"#);
    is(true, &any("a", predicate("@.sku = sku")), r#"{"a":[{"sku":1}]}"#);
    is(true, &any("a", predicate("@[*] + 1 = 3")), r#"{"a":[[1],[1,2]]}"#);
    // A path begins at the element and not at the document.
    is(false, &any("a", predicate("b = 1")), r#"{"a":[{}],"b":1}"#);
    is(true, &any("a", Filter::IsNull(Path::of_element("@"))), r#"{"a":[1,null]}"#);
    let text = Literal::String("x".to_owned());
    let starts = Filter::Text(Path::of_element("@"), TextTest::StartsWith, text);
    is(true, &all("a", starts), r#"{"a":["x","xy"]}"#);
    is(true, &any("a", Filter::Bare(Path::of_element("@"))), r#"{"a":[false,true]}"#);
    assert!(predicate("@ > 1").check(&NaiveSchema::default()).is_err());
}

#[test]
fn they_nest_and_the_innermost_counts() {
    let filter = any("rows", all("cells", predicate("@ > 0")));
    assert_eq!(filter.to_text(), "ANY rows WHERE (ALL cells WHERE (@ > 0))");
    is(true, &filter, r#"{"rows":[{"cells":[0]},{"cells":[1,2]}]}"#);
    is(false, &filter, r#"{"rows":[{"cells":[0,1]},{"cells":5}]}"#);
    let inner = Filter::AnyWhere(Path::of_element("@"), Box::new(predicate("@ = 2")));
    is(true, &any("rows", inner.clone()), r#"{"rows":[[1],[2]]}"#);
    is(false, &all("rows", inner), r#"{"rows":[[1],[2]]}"#);
}

#[test]
fn with_every_element_any_of_the_arrays_suffices() {
    let document = r#"{"rows":[{"cells":[0]},{"cells":[1,2]},{"cells":5}]}"#;
    is(true, &all("rows[*].cells", predicate("@ > 0")), document);
    is(false, &all("rows[*].cells", predicate("@ > 1")), document);
    is(true, &any("rows[*].cells", predicate("@ = 0")), document);
    is(false, &any("rows[*].cells", predicate("@ = 5")), document);
}

#[test]
fn declared_types_govern_within() {
    let field = |path: &str, kind| NaiveField::new(path, kind);
    let dates = Kind::Array(Box::new(Kind::Datetime));
    let fields = vec![field("days", dates), field("items[*].price", Kind::Decimal)];
    let schema = NaiveSchema { fields, strict: false, indexes: Vec::new() };
    let document = json(r#"{"days":["1970-01-01T00:00:01Z"],"items":[{"price":"0.1"}]}"#);
    for filter in [
        any("days", predicate("@ = 1000")),
        any("days", predicate("@ > '1970-01-01T00:00:00Z'")),
        any("items", predicate("price + 0.2 = 0.3")),
        any("items", Filter::Compare(Path::plain("price"), Comparison::Equal, literal("0.10"))),
    ] {
        assert_eq!(filter.check(&schema), Ok(()));
        assert!(filter.holds(&document, &schema, true), "{}", filter.to_text());
    }
    for refused in [any("days", predicate("@ = 'x'")), any("items", predicate("price = 'x'"))] {
        assert!(refused.check(&schema).is_err());
        assert!(not(refused).check(&schema).is_err());
    }
}

#[test]
fn metadata_are_the_documents() {
    let (schema, document) = (NaiveSchema::default(), json(r#"{"a":[1,2]}"#));
    let facts = Facts { sequence: 2, ..Facts::default() };
    let scope = Scope::document(&document, &schema, &facts, 0);
    assert!(any("a", predicate("@ = _seq")).holds_in(&scope));
    assert!(!all("a", predicate("@ = _seq")).holds_in(&scope));
}
