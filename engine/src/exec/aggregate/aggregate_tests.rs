//! Aggregates over small collections: every reducer, every rule, and a naive computation beside random ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use bigdecimal::BigDecimal;
use proptest::prelude::*;

use super::*;
use crate::doc::Parsed;
use crate::exec::Direction;
use crate::query::{self, Params, Scope};
use crate::schema::Definition;
use crate::store::{Prepared, Store};
use crate::{Code, Error};

fn store(fields: &str, documents: &[String]) -> Store {
    let mut store = Store::new(1);
    let json = format!(r#"{{"collection":"t","fields":[{fields}]}}"#);
    let definition = Definition::from_json(json.as_bytes(), &store.limits).unwrap();
    store.create(0, definition).unwrap();
    let mut parsed = Parsed::default();
    for (at, json) in documents.iter().enumerate() {
        parsed.parse(json.as_bytes(), &store.limits).unwrap();
        let key = format!("t:{at}");
        let now_ms = 1_000 * at as i64;
        match store.prepare(0, key.as_bytes(), None, &parsed, now_ms, None).unwrap() {
            Prepared::Ready(delta) => store.commit(delta),
            other => panic!("{other:?}"),
        };
    }
    store
}

fn of(fields: &str, documents: &[&str]) -> Store {
    store(fields, &documents.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>())
}

/// What is asked, parts separated by `;`, `AS` as in the command.
#[derive(Clone, Copy, Default)]
struct Ask<'a> {
    filter: Option<&'a str>,
    group: &'a str,
    reduce: &'a str,
    having: Option<&'a str>,
    order: &'a str,
    limit: Option<(u64, u64)>,
    scan: bool,
    params: &'a [(&'a str, &'a str)],
}

fn named(text: &str) -> Vec<Named<'_>> {
    let parts = text.split(';').map(str::trim).filter(|part| !part.is_empty());
    let named =
        |part: &'_ str| part.split_once(" AS ").map(|(text, name)| (text.len(), name.len()));
    parts
        .map(|part| match named(part) {
            Some((text, name)) => {
                Named { text: &part[..text], name: Some(&part[part.len() - name..]) }
            }
            None => Named { text: part, name: None },
        })
        .collect()
}

fn ask(store: &Store, ask: Ask<'_>) -> Result<Vec<String>> {
    let collection = store.collection(0, "t").unwrap();
    let order = ask.order.split(';').filter(|part| !part.is_empty());
    let order = order.map(|name| match name.strip_prefix('-') {
        Some(name) => (name, Direction::Descending),
        None => (name, Direction::Ascending),
    });
    let read = |text| query::parse(text, &store.limits).map(Arc::new);
    let request = Request {
        filter: ask.filter.map(read).transpose()?,
        keys: named(ask.group),
        reducers: named(ask.reduce),
        having: ask.having,
        order: order.collect(),
        limit: ask.limit,
        scan: ask.scan,
        with_deleted: false,
    };
    let params = ask.params.iter().map(|(name, json)| (*name, json.as_bytes()));
    let params = Params::new(params, &store.limits).unwrap();
    let definition = collection.definition();
    let scope = Scope {
        definition,
        params: &params,
        now_ms: 5_000,
        limits: &store.limits,
        functions: None,
    };
    let bound = Aggregate::bind(&request, &scope)?;
    let rows = aggregate(collection, &bound, &store.limits)?;
    Ok(rows.into_iter().map(|row| String::from_utf8(row.into()).unwrap()).collect())
}

#[track_caller]
fn rows(store: &Store, group: &str, reduce: &str, expected: &[&str]) {
    assert_eq!(ask(store, Ask { group, reduce, ..Ask::default() }).unwrap(), expected);
}

#[track_caller]
fn error(store: &Store, asked: Ask<'_>) -> String {
    ask(store, asked).unwrap_err().to_string()
}

/// The result of one reducer over values of `x`.
fn reduced(fields: &str, reduce: &str, values: &[&str]) -> String {
    let documents: Vec<String> = values.iter().map(|it| format!(r#"{{"x":{it}}}"#)).collect();
    let found = ask(&store(fields, &documents), Ask { reduce, ..Ask::default() });
    match found {
        Ok(rows) => {
            let row = rows[0].strip_prefix(&format!(r#"{{"{reduce}":"#)).unwrap();
            row.strip_suffix('}').unwrap().to_owned()
        }
        Err(Error { code, .. }) => code.to_string(),
    }
}

#[track_caller]
fn reduces(reduce: &str, cases: &[(&[&str], &str)]) {
    for (values, expected) in cases {
        assert_eq!(reduced("", reduce, values), *expected, "{reduce} of {values:?}");
    }
}

const MAX: &str = "18446744073709551615";
const DECIMAL: &str = r#"{"path":"x","type":"decimal","nullable":true}"#;
const DATETIME: &str = r#"{"path":"x","type":"datetime"}"#;

#[test]
fn counts() {
    reduces("count()", &[(&[], "0"), (&["1", "null"], "2")]);
    reduces("count(x)", &[(&["1", "null", r#""s""#, "[]"], "3"), (&[], "0")]);
    reduces("count(x[*])", &[(&["[1,null,2]", "[3]", "4"], "3")]);
    reduces("count(x + 1)", &[(&["1", "null", r#""s""#], "1")]);
    reduces("COUNTDISTINCT(x)", &[(&["2", "null", "1", "2.0"], "2"), (&[], "0")]);
}

#[test]
fn sums_of_integers_are_exact_or_overflow() {
    reduces(
        "sum(x)",
        &[
            (&["1", "2", r#""3""#, "null", "true"], "3"),
            (&["9007199254740993", "1"], "9007199254740994"),
            // What is beyond on the way comes back.
            (&[MAX, MAX, "-9223372036854775808", "-9223372036854775808"], "18446744073709551614"),
            (&["18446744073709551615", "1", "-1"], "18446744073709551615"),
            (&["18446744073709551615", "1"], "OVERFLOW"),
            (&["-9223372036854775808", "-1"], "OVERFLOW"),
            (&["-9223372036854775808", "-1", "1"], "-9223372036854775808"),
            (&[], "0"),
            (&["null"], "0"),
        ],
    );
    reduces(
        "avg(x)",
        &[(&["18446744073709551615", "18446744073709551615"], "18446744073709551615")],
    );
}

#[test]
fn sums_of_doubles_are_compensated() {
    reduces(
        "sum(x)",
        &[
            (&["1.5", "1.5"], "3"),
            (&["0.5", "9007199254740993"], "9007199254740994"),
            (&["1e100", "1.5", "-1e100"], "1.5"),
            (&["1e308", "1e308"], "OVERFLOW"),
            // Whatever the order: only the result has to have a place.
            (&["1e308", "1e308", "-1e308"], "1e308"),
            (&["-1e308", "1e308", "1e308"], "1e308"),
            (&["1e308", "1e308", "1.5", "-1e308", "-1e308", "7"], "8.5"),
            (&["0.1", "0.1", "0.1"], "0.30000000000000004"),
        ],
    );
    let mut values = Vec::new();
    for _ in 0..1_000 {
        values.extend(["1e16", "0.25", "-1e16", "2e20", "1", "-2e20"]);
    }
    assert_eq!(reduced("", "sum(x)", &values), "1250");
    assert_eq!(reduced("", "avg(x)", &values), (1250.0 / 6000.0).to_string());
    assert_eq!(reduced("", "avg(x)", &["1e308", "1e308"]), "1e308");
}

#[test]
fn decimals_are_exact_and_strings() {
    for (reduce, values, expected) in [
        ("sum(x)", &[r#""12.50""#, "0.5", "null"][..], r#""13.00""#),
        ("sum(x)", &[r#""0.1""#, "0.2"], r#""0.3""#),
        ("sum(x)", &["1e400", "1"], &format!("\"1{}1\"", "0".repeat(399))),
        ("sum(x * 3)", &[r#""0.1""#], r#""0.3""#),
        ("sum(x)", &[], "0"),
        ("avg(x)", &["1", "1", "0"], r#""0.6666666666666666666666666666666667""#),
        ("avg(x)", &[r#""1.0""#, "3"], r#""2""#),
        ("min(x)", &["9", r#""10.0""#], r#""9""#),
        ("max(x)", &["9", r#""10.0""#, "10"], r#""10.0""#),
        ("collect(x)", &["9.50", r#""1""#], r#"["9.50","1"]"#),
        ("distinct(x)", &["9.50", r#""9.5""#, "1"], r#"["1","9.50"]"#),
        ("quantile(x, 0.5)", &["1", r#""2.5""#], r#""1.75""#),
        ("stddev(x)", &["1", "3"], "1.4142135623730951"),
    ] {
        assert_eq!(reduced(DECIMAL, reduce, values), expected, "{reduce} of {values:?}");
    }
}

#[test]
fn means() {
    reduces(
        "avg(x)",
        &[
            (&["1", "2"], "1.5"),
            (&["1", "3", r#""x""#, "null"], "2"),
            (&["0.5", "1"], "0.75"),
            (&[], "null"),
            (&[r#""x""#], "null"),
        ],
    );
    reduces(
        "stddev(x)",
        &[
            (&["2", "4", "4", "4", "5", "5", "7", "9", r#""x""#], "2.138089935299395"),
            (&["5", "5"], "0"),
            (&["5"], "null"),
            (&[], "null"),
        ],
    );
}

#[test]
fn extremes_are_in_the_order_of_values() {
    reduces(
        "min(x)",
        &[
            (&["2", "1.0", "1", "null"], "1.0"),
            (&[r#""a""#, "true", "5"], "true"),
            (&["null"], "null"),
            (&[], "null"),
        ],
    );
    reduces(
        "max(x)",
        &[(&["2", "2.0", "1"], "2"), (&[r#""a""#, "true", "5"], r#""a""#), (&["5", "[1]"], "[1]")],
    );
    reduces("max(-x)", &[(&["1", "2"], "-1")]);
    reduces("min(x[*])", &[(&["[3,2]", "[5]"], "2")]);
}

#[test]
fn ends_and_lists() {
    reduces("first(x)", &[(&["null", "2", "1"], "2"), (&[], "null")]);
    reduces("last(x)", &[(&["2", "1", "null"], "1")]);
    reduces("first(x[*])", &[(&["[3,2]", "[5]"], "3")]);
    reduces("last(x[*])", &[(&["[3,2]", "[5,6]"], "6")]);
    reduces(
        "collect(x)",
        &[
            (&["2", "null", "1", "2.0"], "[2,1,2.0]"),
            (&[], "[]"),
            (&[r#"{"a":[1]}"#], r#"[{"a":[1]}]"#),
        ],
    );
    reduces("distinct(x)", &[(&["2", "null", "1", "2.0", r#""a""#], r#"[1,2,"a"]"#)]);
    let days = ["\"1970-01-01T01:00:00+01:00\"", "5", "-1"];
    assert_eq!(reduced(DATETIME, "min(x)", &days), "-1");
    assert_eq!(reduced(DATETIME, "first(x)", &days), days[0]);
    assert_eq!(reduced(DATETIME, "max(x)", &days), "5");
    assert_eq!(reduced(DATETIME, "sum(x)", &days), "\"4\"");
}

#[test]
fn quantiles_lie_between_the_nearest() {
    for (place, values, expected) in [
        ("0.5", &["3", "1", "2"][..], "2"),
        ("0.5", &["4", "1", "2", "3", "null"], "2.5"),
        ("0", &["3", "1"], "1"),
        ("1", &["3", "1"], "3"),
        ("0.25", &["0", "10"], "2.5"),
        ("0.1", &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"], "1"),
        ("0.9", &["7"], "7"),
        ("0.5", &["9007199254740993", "9007199254740995"], "9007199254740994"),
        ("0.5", &[r#""x""#], "null"),
    ] {
        assert_eq!(
            reduced("", &format!("quantile(x, {place})"), values),
            expected,
            "{place} {values:?}"
        );
    }
}

#[test]
fn groups_are_as_values_are_equal() {
    let numbers = of("", &[r#"{"a":1.0}"#, r#"{"a":1}"#, r#"{"a":"1"}"#, r#"{"a":null}"#, "{}"]);
    let expected =
        [r#"{"c":1}"#, r#"{"a":null,"c":1}"#, r#"{"a":1.0,"c":2}"#, r#"{"a":"1","c":1}"#];
    rows(&numbers, "a", "count() AS c", &expected);
    let days = [r#"{"x":"1970-01-01T01:00:00+01:00"}"#, r#"{"x":0}"#, r#"{"x":-1}"#];
    let expected = [r#"{"x":-1,"c":1}"#, r#"{"x":"1970-01-01T01:00:00+01:00","c":2}"#];
    rows(&of(DATETIME, &days), "x", "count() AS c", &expected);
    let prices = [r#"{"x":12.5}"#, r#"{"x":"12.50"}"#, r#"{"x":"9"}"#];
    rows(
        &of(DECIMAL, &prices),
        "x",
        "count() AS c",
        &[r#"{"x":"9","c":1}"#, r#"{"x":"12.5","c":2}"#],
    );
    let two = of("", &[r#"{"a":{"b":1},"c":2}"#, r#"{"a":{"b":1},"c":3}"#]);
    rows(
        &two,
        "a.b; c",
        "count()",
        &[r#"{"a.b":1,"c":2,"count()":1}"#, r#"{"a.b":1,"c":3,"count()":1}"#],
    );
    rows(&two, "_valid", "max(_seq) AS m", &[r#"{"_valid":true,"m":2}"#]);
    rows(
        &two,
        "_key",
        "first(_created)",
        &[
            r#"{"_key":"t:0","first(_created)":"1970-01-01T00:00:00Z"}"#,
            r#"{"_key":"t:1","first(_created)":"1970-01-01T00:00:01Z"}"#,
        ],
    );
    rows(&of("", &[]), "a", "count()", &[]);
    rows(
        &of("", &[]),
        "",
        "count(); avg(a); collect(a)",
        &[r#"{"count()":0,"avg(a)":null,"collect(a)":[]}"#],
    );
}

#[test]
fn a_document_is_in_the_group_of_each_distinct_element_once() {
    let tags = [
        r#"{"t":["x","y","x"],"n":1}"#,
        r#"{"t":["x"],"n":2}"#,
        r#"{"t":[]}"#,
        "{}",
        r#"{"t":[null]}"#,
    ];
    let expected = [
        r#"{"c":2,"s":0}"#,
        r#"{"t[*]":null,"c":1,"s":0}"#,
        r#"{"t[*]":"x","c":2,"s":3}"#,
        r#"{"t[*]":"y","c":1,"s":1}"#,
    ];
    for fields in ["", r#"{"path":"t","type":"json","index":"set"}"#] {
        rows(&of(fields, &tags), "t[*]", "count() AS c; sum(n) AS s", &expected);
    }
    let pairs = of("", &[r#"{"t":[1,2],"a":"p"}"#, r#"{"t":[2],"a":"q"}"#]);
    let expected = [
        r#"{"a":"p","t[*]":1,"c":1}"#,
        r#"{"a":"p","t[*]":2,"c":1}"#,
        r#"{"a":"q","t[*]":2,"c":1}"#,
    ];
    rows(&pairs, "a; t[*]", "count() AS c", &expected);
    let twice = error(&pairs, Ask { group: "t[*]; a[*]", reduce: "count()", ..Ask::default() });
    assert_eq!(twice, "FILTER a[*] is a second key with [*]: one key may have it");
}

/// The bucket that `value` is in.
fn bucket(fields: &str, width: &str, value: &str) -> String {
    let store = store(fields, &[format!(r#"{{"x":{value}}}"#)]);
    let group = format!("bucket(x, {width}) AS b");
    let found = ask(&store, Ask { group: &group, reduce: "count() AS c", ..Ask::default() });
    let row = found.unwrap().remove(0);
    let row = row.strip_suffix(r#""c":1}"#).unwrap();
    row.strip_prefix(r#"{"b":"#).map_or("none", |it| it.strip_suffix(',').unwrap()).to_owned()
}

#[test]
fn buckets_of_instants() {
    // 2026-02-18 is a Wednesday.
    let noon = r#""2026-02-18T14:25:36.5+01:00""#;
    for (width, expected) in [
        ("'1h'", "2026-02-18T13:00:00Z"),
        ("'15m'", "2026-02-18T13:15:00Z"),
        ("'1d'", "2026-02-18T00:00:00Z"),
        ("'PT12H'", "2026-02-18T12:00:00Z"),
        ("'1w'", "2026-02-16T00:00:00Z"),
        ("'7d'", "2026-02-16T00:00:00Z"),
        ("'1s'", "2026-02-18T13:25:36Z"),
        ("'250ms'", "2026-02-18T13:25:36.5Z"),
        ("'month'", "2026-02-01T00:00:00Z"),
        ("'year'", "2026-01-01T00:00:00Z"),
    ] {
        for fields in ["", DATETIME] {
            assert_eq!(bucket(fields, width, noon), format!("\"{expected}\""), "{width}");
        }
    }
    for (width, instant, expected) in [
        ("'1h'", r#""1969-12-31T23:59:59Z""#, "1969-12-31T23:00:00Z"),
        ("'1h'", "-1", "1969-12-31T23:00:00Z"),
        ("'month'", r#""1969-12-31T23:59:59Z""#, "1969-12-01T00:00:00Z"),
        ("'year'", "-1", "1969-01-01T00:00:00Z"),
        ("'1w'", r#""1970-01-04T23:59:59.999999999Z""#, "1969-12-29T00:00:00Z"),
        ("'1w'", r#""1970-01-05T00:00:00Z""#, "1970-01-05T00:00:00Z"),
        ("'2w'", r#""1970-01-14T00:00:00Z""#, "1970-01-01T00:00:00Z"),
        ("'1d'", r#""9999-12-31T23:59:59Z""#, "9999-12-31T00:00:00Z"),
        ("'month'", r#""9999-12-31T23:59:59Z""#, "9999-12-01T00:00:00Z"),
        ("'year'", r#""0000-02-29T00:00:00Z""#, "0000-01-01T00:00:00Z"),
        ("'1ns'", r#""1969-12-31T23:59:59.000000001Z""#, "1969-12-31T23:59:59.000000001Z"),
    ] {
        assert_eq!(bucket("", width, instant), format!("\"{expected}\""), "{width} {instant}");
    }
    // Neither is what would begin, or lies, where no RFC 3339 text reaches.
    for none in [r#""x""#, "true", "null", "[]", "1.5", "253402300800000", "9007199254740993"] {
        assert_eq!(bucket("", "'1h'", none), "none", "{none}");
    }
    assert_eq!(bucket("", "'1w'", r#""0000-01-01T00:00:00Z""#), "none");
}

#[test]
fn buckets_of_numbers() {
    for (width, number, expected) in [
        ("10", "25", "20"),
        ("10", "20", "20"),
        ("10", "20.0", "20"),
        ("10", "-1", "-10"),
        ("10", "-10", "-10"),
        ("10", "9.75", "0"),
        ("10", "-9.75", "-10"),
        ("10", "1e3", "1000"),
        ("0.1", "0.3", "0.3"),
        ("0.1", "-0.25", "-0.3"),
        ("2.5", "7", "5"),
        ("3", "18446744073709551615", "18446744073709551615"),
        ("10", "-9223372036854775808", "-9223372036854775808"),
        ("7", "1e20", "1e20"),
        ("10", r#""25""#, "none"),
        ("10", "null", "none"),
        ("10", "true", "none"),
    ] {
        assert_eq!(bucket("", width, number), expected, "{number} by {width}");
    }
    assert_eq!(bucket(DECIMAL, "10", r#""12.5""#), r#""10""#);
    assert_eq!(bucket(DECIMAL, "0.25", "-0.1"), r#""-0.25""#);
    assert_eq!(bucket(r#"{"path":"x","type":"int"}"#, "0.5", "3"), "3");
    let ages = of(
        "",
        &[r#"{"a":11}"#, r#"{"a":19}"#, r#"{"a":"x"}"#, "{}", r#"{"a":5}"#, r#"{"a":null}"#],
    );
    let expected = [r#"{"c":3}"#, r#"{"bucket(a, 10)":0,"c":1}"#, r#"{"bucket(a, 10)":10,"c":2}"#];
    rows(&ages, "bucket(a, 10)", "count() AS c", &expected);
    rows(&ages, "bucket(_seq, 4) AS b", "count() AS c", &[r#"{"b":0,"c":3}"#, r#"{"b":4,"c":3}"#]);
    let lists = of("", &[r#"{"a":[1,12,13,"x"]}"#]);
    let expected = [r#"{"c":1}"#, r#"{"b":0,"c":1}"#, r#"{"b":10,"c":1}"#];
    rows(&lists, "bucket(a[*], 10) AS b", "count() AS c", &expected);
}

fn cities() -> Store {
    of(
        "",
        &[
            r#"{"a":"p","n":1}"#,
            r#"{"a":"q","n":5}"#,
            r#"{"a":"q","n":5}"#,
            r#"{"a":"r","n":1}"#,
            r#"{"n":2}"#,
        ],
    )
}

#[test]
fn having_order_and_limit_are_about_rows() {
    let cities = cities();
    let asked = Ask { group: "a", reduce: "count() AS c; sum(n)", ..Ask::default() };
    let kept =
        [r#"{"c":1,"sum(n)":2}"#, r#"{"a":"p","c":1,"sum(n)":1}"#, r#"{"a":"r","c":1,"sum(n)":1}"#];
    let having = Ask { having: Some("`sum(n)` <= $most"), params: &[("most", "2")], ..asked };
    assert_eq!(ask(&cities, having).unwrap(), kept);
    assert_eq!(ask(&cities, Ask { having: Some("a IS MISSING"), ..asked }).unwrap(), kept[..1]);
    // Ties stand in the order of the keys, descending or not.
    for order in ["-sum(n)", "-`sum(n)`"] {
        assert_eq!(ask(&cities, Ask { order, ..having }).unwrap(), kept);
    }
    let limited = Ask { order: "-c;-a", limit: Some((1, 2)), ..asked };
    assert_eq!(ask(&cities, limited).unwrap(), [kept[2], kept[1]]);
    let unordered = Ask { limit: Some((1, 1)), ..asked };
    assert_eq!(ask(&cities, unordered).unwrap(), [kept[1]]);
    assert_eq!(ask(&cities, Ask { limit: Some((9, 1)), ..asked }).unwrap(), [""; 0]);

    // Decimals and instants are compared as such.
    let prices = of(DECIMAL, &[r#"{"x":9,"a":1}"#, r#"{"x":"10","a":2}"#, r#"{"x":"8.5","a":3}"#]);
    let asked = Ask { group: "a", reduce: "sum(x) AS s", ..Ask::default() };
    let found = ask(&prices, Ask { having: Some("s >= 9"), order: "-s", ..asked }).unwrap();
    assert_eq!(found, [r#"{"a":2,"s":"10"}"#, r#"{"a":1,"s":"9"}"#]);
    let days = of("", &[r#"{"d":"2026-02-18T01:00:00Z"}"#, r#"{"d":"2026-03-18T01:00:00Z"}"#]);
    let asked = Ask { group: "bucket(d, 'month') AS m", reduce: "count() AS c", ..Ask::default() };
    let having = Some("m > time('2026-02-15')");
    let found = ask(&days, Ask { having, ..asked }).unwrap();
    assert_eq!(found, [r#"{"m":"2026-03-01T00:00:00Z","c":1}"#]);
    let lists = Ask {
        reduce: "collect(a) AS l",
        having: Some("l HAS 'q' AND ANY l WHERE (@ = 'p')"),
        ..Ask::default()
    };
    assert_eq!(ask(&cities, lists).unwrap(), [r#"{"l":["p","q","q","r"]}"#]);
}

#[test]
fn errors_say_what_and_where() {
    let cities = of(
        r#"{"path":"d","type":"datetime"},{"path":"s","type":"string"},{"path":"i","type":"int"}"#,
        &[],
    );
    let reduce = |reduce| error(&cities, Ask { reduce, ..Ask::default() });
    assert_eq!(reduce("summ(a)"), "ERR unknown reducer 'summ', did you mean sum?");
    assert!(reduce("frobnicate(a)").starts_with(
        "ERR unknown reducer 'frobnicate', expected a function that is loaded, or one of count sum"
    ));
    assert_eq!(reduce("price"), "ERR 'price' is no reducer, such as count() or sum(price)");
    assert_eq!(reduce("sum()"), "ERR sum takes one value, and 'sum()' has 0");
    assert_eq!(reduce("count(a, b)"), "ERR count takes one value or none, and 'count(a, b)' has 2");
    assert_eq!(
        reduce("quantile(a)"),
        "ERR quantile takes a value and a place from 0 to 1, as quantile(price, 0.5), and 'quantile(a)' has 1"
    );
    assert_eq!(
        reduce("quantile(a, 1.5)"),
        "FILTER quantile(a, 1.5): '1.5' is no number from 0 to 1 at position 12"
    );
    let found = reduce("sum(a *)");
    let expected = "FILTER sum(a *): expected a path or a literal, found the end at position 7";
    assert!(found.starts_with(expected), "{found}");
    assert!(reduce("sum(s * 2)").contains("s is declared string at position 4"));
    assert!(reduce("sum(a[*] * b[*])").contains("second path with [*]"));
    assert!(reduce("sum(_kee)").contains("_kee is none of the metadata"));
    assert_eq!(
        reduce("sum(a) AS x; avg(a) AS x"),
        "ERR two results are called 'x': AS renames one"
    );
    assert_eq!(reduce(""), "ERR REDUCE is 0");
}

#[test]
fn errors_of_keys_say_what_and_where() {
    let cities = of(
        r#"{"path":"d","type":"datetime"},{"path":"s","type":"string"},{"path":"i","type":"int"}"#,
        &[],
    );
    let group = |group| error(&cities, Ask { group, reduce: "count()", ..Ask::default() });
    assert_eq!(
        group("bukcet(a, 1)"),
        "ERR GROUP takes paths and bucket(path, width), not bukcet(..), did you mean bucket?"
    );
    assert_eq!(
        group("bucket(a)"),
        "ERR bucket takes a path and a width, as bucket(when, '1h'), and has 1"
    );
    assert!(group("bucket(a, 'hour')").contains("a bucket is a duration above 0"));
    assert!(group("bucket(a, '-1h')").contains("at position 10"));
    assert!(group("bucket(a, 0)").contains("wider than 0 at position 10"));
    assert!(
        group("bucket(d, 10)")
            .contains("takes numbers, and this is declared datetime at position 7")
    );
    assert!(group("bucket(i, '1h')").contains("takes instants, and this is declared int"));
    assert!(group("bucket(_key, '1h')").contains("takes instants or numbers"));
    assert!(group("a..b").starts_with("PATH "));
    assert!(group("_kee").starts_with("FILTER _kee is none of the metadata"));
}

#[test]
fn errors_of_having_and_order_say_what_and_where() {
    let cities = of("", &[]);
    let rows = Ask { group: "a.b", reduce: "sum(n) AS total", ..Ask::default() };
    let having = |text| error(&cities, Ask { having: Some(text), ..rows });
    assert_eq!(
        having("totl > 1"),
        "FILTER HAVING: no result is called totl (did you mean total?) at position 0"
    );
    assert_eq!(
        having("total > 1 AND a.b = 1"),
        "FILTER HAVING: no result is called a.b (it takes back-quotes: `a.b`) at position 14"
    );
    assert!(having("_key = 'x'").contains("no result is called _key"));
    assert!(having("ANY nowhere WHERE (@ = 1)").contains("no result is called nowhere"));
    let order = |order| error(&cities, Ask { order, ..rows });
    assert_eq!(order("totl"), "FILTER ORDER: no result is called totl (did you mean total?)");
    assert!(order(&["total"; 17].join(";")).starts_with("LIMITED ORDER by 17 names"));
    let unused = error(&cities, Ask { params: &[("p", "1")], ..rows });
    assert!(unused.contains("parameter $p is not used"), "{unused}");
    let used = Ask { reduce: "sum(n * $p)", params: &[("p", "1")], ..Ask::default() };
    assert_eq!(ask(&cities, used).unwrap(), [r#"{"sum(n * $p)":0}"#]);
}

#[path = "whole_tests.rs"]
mod whole;
