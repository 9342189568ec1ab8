//! The rules of aggregates, held by the naive model.

use super::aggregate::{Precision, rows_agree};
use super::reduce::Overflow;
use super::rules::{json, literal};
use super::rules_read::{predicate, value};
use super::{
    Aggregate, Comparison, Filter, GroupKey, Json, Kind, Meta, NaiveCollection, NaiveField,
    NaiveSchema, Path, Reducer, Reduction, RowOrder, Width,
};

fn collection(fields: &[(&str, Kind)], documents: &[&str]) -> NaiveCollection {
    let mut collection = NaiveCollection::new(NaiveSchema::default());
    for (at, text) in documents.iter().enumerate() {
        collection.set(&format!("k{at}"), json(text), None, 0).unwrap();
    }
    let fields = fields.iter().map(|(path, kind)| NaiveField::new(path, kind.clone())).collect();
    collection.schema = NaiveSchema { fields, strict: false, indexes: Vec::new() };
    collection
}

fn key(path: &str) -> GroupKey {
    GroupKey { path: Path::plain(path), bucket: None, name: None }
}

fn bucket(path: &str, width: Width) -> GroupKey {
    GroupKey { path: Path::plain(path), bucket: Some(width), name: Some("b".to_owned()) }
}

fn every(text: &str) -> Width {
    Width::Duration(text.to_owned())
}

fn named(reducer: Reducer, name: &str) -> Reduction {
    Reduction { reducer, name: Some(name.to_owned()) }
}

fn counted(keys: Vec<GroupKey>) -> Aggregate {
    Aggregate { keys, reductions: vec![named(Reducer::Count, "c")], ..Aggregate::default() }
}

fn print(rows: &[Json]) -> String {
    rows.iter().map(Json::print).collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn rows(collection: &NaiveCollection, aggregate: &Aggregate, expected: &str) {
    assert_eq!(print(&collection.aggregate(aggregate, 0).unwrap()), expected);
}

/// The result of one reducer over values of `x`.
fn reduced(kind: Option<Kind>, reducer: Reducer, values: &[&str]) -> Result<String, Overflow> {
    let documents: Vec<_> = values.iter().map(|value| format!("{{\"x\":{value}}}")).collect();
    let documents: Vec<_> = documents.iter().map(String::as_str).collect();
    let fields: Vec<_> = kind.into_iter().map(|kind| ("x", kind)).collect();
    let mut aggregate = counted(Vec::new());
    aggregate.reductions = vec![named(reducer, "r")];
    let found = collection(&fields, &documents).aggregate(&aggregate, 0)?;
    Ok(found[0].member("r").unwrap().print())
}

#[track_caller]
fn reduces(reducer: fn(super::Value) -> Reducer, cases: &[(&str, &[&str], &str)]) {
    for (text, values, expected) in cases {
        assert_eq!(
            reduced(None, reducer(value(text)), values).as_deref(),
            Ok(*expected),
            "{values:?}"
        );
    }
}

#[test]
fn aggregates_have_their_words() {
    let aggregate = Aggregate {
        filter: Some(predicate("a > 1")),
        keys: vec![
            key("city"),
            bucket("when", every("1h")),
            bucket("age", Width::Number("10".into())),
        ],
        reductions: vec![
            Reduction { reducer: Reducer::Sum(value("price * qty")), name: None },
            named(Reducer::Quantile(value("age"), "0.5".to_owned()), "median"),
        ],
        having: Some(predicate("median > 1")),
        order: vec![RowOrder { name: "city".to_owned(), descending: true }],
        limit: Some((0, 5)),
    };
    assert_eq!(
        aggregate.arguments().join("|"),
        "WHERE|a > 1|GROUP|3|city|bucket(when, '1h')|AS|b|bucket(age, 10)|AS|b|REDUCE|2|\
         sum(price * qty)|quantile(age, 0.5)|AS|median|HAVING|median > 1|ORDER|1|city|DESC|LIMIT|0|5"
    );
}

#[test]
fn without_groups_there_is_one_row() {
    let aggregate = counted(Vec::new());
    rows(&collection(&[], &["{}", "{}"]), &aggregate, r#"{"c":2}"#);
    rows(&collection(&[], &[]), &aggregate, r#"{"c":0}"#);
    let none = Aggregate { filter: Some(predicate("a = 1")), ..counted(Vec::new()) };
    rows(&collection(&[], &["{}"]), &none, r#"{"c":0}"#);
    rows(&collection(&[], &[]), &counted(vec![key("a")]), "");
    let mut unnamed = counted(Vec::new());
    unnamed.reductions[0].name = None;
    rows(&collection(&[], &["{}"]), &unnamed, r#"{"count()":1}"#);
}

#[test]
fn groups_are_as_values_are_equal() {
    let numbers =
        collection(&[], &[r#"{"a":1.0}"#, r#"{"a":1}"#, r#"{"a":"1"}"#, r#"{"a":null}"#, "{}"]);
    let expected = r#"{"c":1} {"a":null,"c":1} {"a":1.0,"c":2} {"a":"1","c":1}"#;
    rows(&numbers, &counted(vec![key("a")]), expected);
    let days = [r#"{"a":"1970-01-01T01:00:00+01:00"}"#, r#"{"a":0}"#, r#"{"a":-1}"#];
    let expected = r#"{"a":-1,"c":1} {"a":"1970-01-01T01:00:00+01:00","c":2}"#;
    rows(&collection(&[("a", Kind::Datetime)], &days), &counted(vec![key("a")]), expected);
    // Decimals are strings in rows.
    let prices = [r#"{"a":12.5}"#, r#"{"a":"12.50"}"#, r#"{"a":"9"}"#];
    let expected = r#"{"a":"9","c":1} {"a":"12.5","c":2}"#;
    rows(&collection(&[("a", Kind::Decimal)], &prices), &counted(vec![key("a")]), expected);
    // Metadata too.
    let of_version = GroupKey { path: Path::of_meta(Meta::Valid), bucket: None, name: None };
    rows(&collection(&[], &["{}", "{}"]), &counted(vec![of_version]), r#"{"_valid":true,"c":2}"#);
}

#[test]
fn a_document_is_in_the_group_of_each_distinct_element_once() {
    let tags = collection(&[], &[r#"{"t":["x","y","x"]}"#, r#"{"t":["x"]}"#, r#"{"t":[]}"#, "{}"]);
    let expected = r#"{"c":2} {"t[*]":"x","c":2} {"t[*]":"y","c":1}"#;
    rows(&tags, &counted(vec![key("t[*]")]), expected);
    let pairs = collection(&[], &[r#"{"t":[1,2],"a":"p"}"#, r#"{"t":[2],"a":"q"}"#]);
    let expected = r#"{"a":"p","t[*]":1,"c":1} {"a":"p","t[*]":2,"c":1} {"a":"q","t[*]":2,"c":1}"#;
    rows(&pairs, &counted(vec![key("a"), key("t[*]")]), expected);
}

#[test]
fn buckets_begin_at_multiples_of_their_width() {
    let at = |width: Width, instant: &str| {
        let collection = collection(&[], &[&format!("{{\"a\":{instant}}}")]);
        let found = collection.aggregate(&counted(vec![bucket("a", width)]), 0).unwrap();
        found[0].member("b").map_or("none".to_owned(), Json::print)
    };
    // 2026-02-18 is a Wednesday.
    let noon = "\"2026-02-18T14:25:36.5+01:00\"";
    for (width, expected) in [
        (every("1h"), "2026-02-18T13:00:00Z"),
        (every("15m"), "2026-02-18T13:15:00Z"),
        (every("1d"), "2026-02-18T00:00:00Z"),
        (every("1w"), "2026-02-16T00:00:00Z"),
        (every("1s"), "2026-02-18T13:25:36Z"),
        (Width::Month, "2026-02-01T00:00:00Z"),
        (Width::Year, "2026-01-01T00:00:00Z"),
    ] {
        assert_eq!(at(width, noon), format!("\"{expected}\""));
    }
    assert_eq!(at(every("1h"), "\"1969-12-31T23:59:59Z\""), "\"1969-12-31T23:00:00Z\"");
    assert_eq!(at(Width::Month, "\"1969-12-31T23:59:59Z\""), "\"1969-12-01T00:00:00Z\"");
    assert_eq!(at(every("1w"), "\"1970-01-04T00:00:00Z\""), "\"1969-12-29T00:00:00Z\"");
    let ten = || Width::Number("10".to_owned());
    for (number, expected) in
        [("25", "20"), ("20", "20"), ("-1", "-10"), ("9.75", "0"), ("\"x\"", "none")]
    {
        assert_eq!(at(ten(), number), expected, "{number}");
    }
    for none in ["\"x\"", "true", "null", "[]"] {
        assert_eq!(at(every("1h"), none), "none");
    }
    let ages = collection(&[], &[r#"{"a":11}"#, r#"{"a":19}"#, r#"{"a":"x"}"#, "{}", r#"{"a":5}"#]);
    let expected = r#"{"c":2} {"b":0,"c":1} {"b":10,"c":2}"#;
    rows(&ages, &counted(vec![bucket("a", ten())]), expected);
    let prices = collection(&[("a", Kind::Decimal)], &[r#"{"a":"12.5"}"#]);
    rows(&prices, &counted(vec![bucket("a", ten())]), r#"{"b":"10","c":1}"#);
}

#[test]
fn counts_and_sums() {
    reduces(
        Reducer::CountOf,
        &[
            ("x", &["1", "null", "\"s\"", "[]"], "3"),
            ("x[*]", &["[1,null,2]", "[3]"], "3"),
            ("x + 1", &["1", "null", "\"s\""], "1"),
            ("x", &[], "0"),
        ],
    );
    reduces(
        Reducer::Sum,
        &[
            ("x", &["1", "2", "\"3\"", "null", "true"], "3"),
            ("x", &["9007199254740993", "1"], "9007199254740994"),
            ("x", &["18446744073709551615", "1", "-1"], "18446744073709551615"),
            ("x", &["1.5", "1.5"], "3e0"),
            ("x", &["0.5", "9007199254740993"], "9.007199254740994e15"),
            ("x[*]", &["[1,2]", "[3]"], "6"),
            ("x * 2", &["1", "2"], "6"),
            ("x", &[], "0"),
            ("x", &["null"], "0"),
            // Exact up to rounding: nothing is lost between large terms.
            ("x", &["1e100", "1.5", "-1e100"], "1.5e0"),
        ],
    );
    let large = ["18446744073709551615", "1"];
    assert_eq!(reduced(None, Reducer::Sum(value("x")), &large), Err(Overflow));
    let decimal = |reducer, values: &[&str]| reduced(Some(Kind::Decimal), reducer, values).unwrap();
    assert_eq!(decimal(Reducer::Sum(value("x")), &["\"0.1\"", "0.2", "null"]), "\"0.3\"");
    assert_eq!(decimal(Reducer::Sum(value("x * 3")), &["\"0.1\""]), "\"0.3\"");
    let third = "\"0.6666666666666666666666666666666667\"";
    assert_eq!(decimal(Reducer::Average(value("x")), &["\"1\"", "\"1\"", "\"0\""]), third);
    reduces(
        Reducer::Average,
        &[
            ("x", &["1", "2"], "1.5e0"),
            ("x", &["1", "3", "\"x\"", "null"], "2e0"),
            ("x", &[], "null"),
            ("x", &["\"x\""], "null"),
        ],
    );
}

#[test]
fn extremes_and_ends() {
    reduces(
        Reducer::Least,
        &[
            ("x", &["2", "1.0", "1", "null"], "1.0"),
            ("x", &["\"a\"", "true", "5"], "true"),
            ("x", &["null"], "null"),
            ("x[*]", &["[3,2]", "[5]"], "2"),
        ],
    );
    reduces(
        Reducer::Greatest,
        &[
            ("x", &["2", "2.0", "1"], "2"),
            ("x", &["\"a\"", "true", "5"], "\"a\""),
            ("x", &[], "null"),
            ("-x", &["1", "2"], "-1"),
        ],
    );
    reduces(Reducer::First, &[("x", &["null", "2", "1"], "2"), ("x", &[], "null")]);
    reduces(Reducer::Last, &[("x", &["2", "1", "null"], "1")]);
    reduces(
        Reducer::Collect,
        &[
            ("x", &["2", "null", "1", "2.0"], "[2,1,2.0]"),
            ("x[*]", &["[1,2]", "[1]"], "[1,2,1]"),
            ("x", &[], "[]"),
        ],
    );
    reduces(Reducer::Distinct, &[("x", &["2", "null", "1", "2.0", "\"a\""], "[1,2,\"a\"]")]);
    reduces(Reducer::CountDistinct, &[("x", &["2", "null", "1", "2.0"], "2"), ("x", &[], "0")]);
    // Instants stand as their documents write them.
    let days = ["\"1970-01-01T01:00:00+01:00\"", "5", "-1"];
    let day = |reducer| reduced(Some(Kind::Datetime), reducer, &days).unwrap();
    assert_eq!(day(Reducer::Least(value("x"))), "-1");
    assert_eq!(day(Reducer::First(value("x"))), days[0]);
    assert_eq!(day(Reducer::Greatest(value("x"))), "5");
    let decimal = reduced(Some(Kind::Decimal), Reducer::Greatest(value("x")), &["9", "\"10.0\""]);
    assert_eq!(decimal.unwrap(), "\"10.0\"");
}

#[test]
fn deviations_and_quantiles() {
    reduces(
        Reducer::Deviation,
        &[
            ("x", &["2", "4", "4", "4", "5", "5", "7", "9", "\"x\""], "2.138089935299395e0"),
            ("x", &["1", "3"], "1.4142135623730951e0"),
            ("x", &["5", "5"], "0e0"),
            ("x", &["5"], "null"),
            ("x", &[], "null"),
        ],
    );
    let quantile = |at: &str, values: &[&str]| {
        reduced(None, Reducer::Quantile(value("x"), at.to_owned()), values).unwrap()
    };
    assert_eq!(quantile("0.5", &["3", "1", "2"]), "2");
    assert_eq!(quantile("0.5", &["4", "1", "2", "3", "null"]), "2.5e0");
    assert_eq!(quantile("0", &["3", "1"]), "1");
    assert_eq!(quantile("1", &["3", "1"]), "3");
    assert_eq!(quantile("0.25", &["0", "10"]), "2.5e0");
    assert_eq!(quantile("0.9", &["7"]), "7");
    assert_eq!(quantile("0.5", &["\"x\""]), "null");
}

#[test]
fn having_order_and_limit_are_about_rows() {
    let cities = collection(
        &[],
        &[
            r#"{"a":"p","n":1}"#,
            r#"{"a":"q","n":5}"#,
            r#"{"a":"q","n":5}"#,
            r#"{"a":"r","n":1}"#,
            r#"{"n":2}"#,
        ],
    );
    let mut aggregate = counted(vec![key("a")]);
    aggregate.reductions.push(named(Reducer::Sum(value("n")), "s"));
    let having = Filter::Compare(Path::plain("s"), Comparison::LessOrEqual, literal("2"));
    let with_having = Aggregate { having: Some(having), ..aggregate.clone() };
    let kept = r#"{"c":1,"s":2} {"a":"p","c":1,"s":1} {"a":"r","c":1,"s":1}"#;
    rows(&cities, &with_having, kept);
    let missing =
        Aggregate { having: Some(Filter::IsMissing(Path::plain("a"))), ..aggregate.clone() };
    rows(&cities, &missing, r#"{"c":1,"s":2}"#);
    let by = |name: &str, descending| RowOrder { name: name.to_owned(), descending };
    let ordered = Aggregate { order: vec![by("s", true)], ..with_having.clone() };
    // Ties stand in the order of the keys, descending or not.
    rows(&cities, &ordered, kept);
    let limited = Aggregate { limit: Some((1, 1)), ..ordered };
    rows(&cities, &limited, r#"{"a":"p","c":1,"s":1}"#);
    let two = Aggregate { order: vec![by("c", true), by("a", true)], ..aggregate };
    let expected =
        r#"{"a":"q","c":2,"s":10} {"a":"r","c":1,"s":1} {"a":"p","c":1,"s":1} {"c":1,"s":2}"#;
    rows(&cities, &two, expected);
}

#[test]
fn buckets_of_numbers_are_taken_digit_for_digit() {
    for (number, width, expected) in [
        ("0.3", "0.1", "0.3"),
        ("0.30000000000000000001", "0.1", "0.3"),
        ("0.2999999999999999999999", "0.1", "0.2"),
        ("-0.3", "0.1", "-0.3"),
        ("-0.31", "0.1", "-0.4"),
        ("1e300", "3", &"9".repeat(300)),
        ("9007199254740993", "2", "9007199254740992"),
    ] {
        let documents = [format!("{{\"a\":{number}}}")];
        let numbers = collection(&[], &[documents[0].as_str()]);
        let width = Width::Number(width.to_owned());
        let found = numbers.aggregate(&counted(vec![bucket("a", width)]), 0).unwrap();
        let expected: bigdecimal::BigDecimal = expected.parse().unwrap();
        let Some(Json::Number(found)) = found[0].member("b") else { panic!("{found:?}") };
        assert_eq!(found.parse(), Ok(expected), "{number}");
    }
}

#[test]
fn rows_agree_as_far_as_the_language_fixes_them() {
    let near = [
        ("s", Precision::Near),
        ("b", Precision::Value),
        ("l", Precision::Value),
        ("t", Precision::Text),
    ];
    let near = near.map(|(name, precision)| (name.to_owned(), precision));
    let agree = |left: &str, right: &str| rows_agree(&[json(left)], &[json(right)], &near);
    for (left, right) in [
        (r#"{"b":1,"s":3e-1}"#, r#"{"b":1.0,"s":0.30000000000000004}"#),
        (r#"{"b":"1.50","l":[1]}"#, r#"{"b":"1.5","l":[1.0]}"#),
        (r#"{"t":[1.0],"s":"0.10"}"#, r#"{"t":[1.0],"s":"0.1"}"#),
    ] {
        assert!(agree(left, right), "{left} {right}");
    }
    for (left, right) in [
        (r#"{"s":9007199254740993}"#, r#"{"s":9007199254740992}"#),
        (r#"{"b":3e-1}"#, r#"{"b":0.30000000000000004}"#),
        (r#"{"s":3e-1}"#, r#"{"s":0.3001}"#),
        (r#"{"t":1}"#, r#"{"t":1.0}"#),
        (r#"{"t":"1.0"}"#, r#"{"t":"1"}"#),
        (r#"{"t":"x"}"#, r#"{"t":"X"}"#),
        (r#"{"t":1}"#, r#"{"b":1}"#),
        (r#"{"b":1,"s":1}"#, r#"{"s":1,"b":1}"#),
        (r#"{"t":null}"#, "{}"),
        (r#"{"b":1}"#, r#"{"b":"1"}"#),
        (r#"{"l":[1]}"#, r#"{"l":[1,1]}"#),
    ] {
        assert!(!agree(left, right), "{left} {right}");
    }
    assert!(!rows_agree(&[], &[json("{}")], &near));
}
