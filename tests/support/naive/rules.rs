//! Every rule and example of docs/query-language.md, held by the naive model.

use super::{
    Change, Comparison::*, Filter, Json, Kind, Literal, NaiveCollection, NaiveField, NaiveSchema,
    OrderBy, Path, Refusal, model::is_same,
};
use crate::generate::{self, Random};

pub(super) fn json(text: &str) -> Json {
    Json::parse(text).unwrap()
}

/// A literal as JSON writes it.
pub(super) fn literal(text: &str) -> Literal {
    match json(text) {
        Json::Bool(truth) => Literal::Bool(truth),
        Json::Number(text) => Literal::Number(text),
        Json::String(text) => Literal::String(text),
        _ => panic!("no literal"),
    }
}

fn compare(path: &str, comparison: super::Comparison, value: &str) -> Filter {
    Filter::Compare(Path::plain(path), comparison, literal(value))
}

pub(super) fn not(filter: Filter) -> Filter {
    Filter::Not(Box::new(filter))
}

pub(super) fn holds(filter: &Filter, document: &str) -> bool {
    filter.holds(&json(document), &NaiveSchema::default(), true)
}

pub(super) fn declared(kind: Kind) -> NaiveSchema {
    NaiveSchema { fields: vec![NaiveField::new("a", kind)], strict: false, indexes: Vec::new() }
}

pub(super) fn holds_declared(kind: Kind, filter: &Filter, value: &str) -> bool {
    filter.holds(&json(&format!("{{\"a\":{value}}}")), &declared(kind), true)
}

#[test]
fn the_first_example_reads_as_written() {
    let filter = Filter::And(vec![
        compare("population", GreaterOrEqual, "1000000"),
        Filter::Or(vec![
            compare("countrycode", Equal, "\"JP\""),
            Filter::Has(Path::plain("alternatenames"), literal("\"Tokio\"")),
        ]),
        not(Filter::IsBool(Path::plain("closed"), true)),
    ]);
    assert_eq!(
        filter.to_text(),
        "population >= 1000000 AND (countrycode = 'JP' OR alternatenames HAS 'Tokio') \
         AND closed IS NOT TRUE"
    );
    assert!(holds(&filter, r#"{"population":2e6,"countrycode":"JP"}"#));
    assert!(holds(&filter, r#"{"population":2e6,"alternatenames":["Tokio"],"closed":false}"#));
    assert!(!holds(&filter, r#"{"population":2e6,"countrycode":"JP","closed":true}"#));
    assert!(!holds(&filter, r#"{"population":2,"countrycode":"JP"}"#));
}

#[test]
fn texts_quote_what_needs_quotes() {
    let quoted = compare("s", Equal, "\"it's\"");
    assert_eq!(quoted.to_text(), "s = 'it''s'");
    let odd = Filter::Bare(Path::plain("first name.x"));
    assert_eq!(odd.to_text(), "`first name`.x");
    let list = Filter::In(Path::plain("a"), vec![literal("1"), literal("\"x\""), literal("true")]);
    assert_eq!(not(list).to_text(), "a NOT IN (1, 'x', TRUE)");
    assert_eq!(Filter::In(Path::plain("a"), vec![]).to_text(), "a IN ()");
    let range = Filter::Between(Path::plain("a"), literal("-1.5"), literal("1e3"));
    assert_eq!(range.to_text(), "a BETWEEN -1.5 AND 1e3");
    let both = Filter::And(vec![range.clone(), Filter::Or(vec![range.clone(), range])]);
    let between = "a BETWEEN -1.5 AND 1e3";
    assert_eq!(both.to_text(), format!("{between} AND ({between} OR {between})"));
    assert_eq!(not(both).to_text(), format!("NOT ({between} AND ({between} OR {between}))"));
    assert_eq!(not(not(Filter::IsNull(Path::plain("a")))).to_text(), "NOT a IS NOT NULL");
}

#[test]
fn varied_texts_name_each_parameter_that_they_use() {
    let mut random = Random::new(5);
    for _ in 0..500 {
        let schema = generate::schema(&mut random, 3);
        let filter = generate::filter(&mut random, &schema, 3);
        let written = filter.to_text_with_params(&mut random);
        for (name, value) in &written.params {
            assert!(written.text.contains(&format!("${name}")), "{written:?}");
            Json::parse(value).unwrap();
        }
        let open = filter.to_varied_text(&mut random);
        // A regular expression may end in a `$` of its own; parameters are named p0, p1, ..
        assert!(!open.is_empty() && !open.contains("$p"));
    }
}

#[test]
fn comparisons_across_kinds_are_false_and_not_is_the_complement() {
    for comparison in [Equal, Less, LessOrEqual, Greater, GreaterOrEqual] {
        for value in ["{}", r#"{"a":null}"#, r#"{"a":"1"}"#, r#"{"a":true}"#, r#"{"a":[1]}"#] {
            let filter = compare("a", comparison, "1");
            assert!(!holds(&filter, value), "{filter:?} {value}");
            assert!(holds(&not(filter), value));
        }
    }
    assert!(holds(&compare("a", NotEqual, "1"), "{}"));
    assert!(holds(&compare("a", NotEqual, "1"), r#"{"a":null}"#));
    assert!(holds(&compare("a", NotEqual, "1"), r#"{"a":"1"}"#));
    assert!(!holds(&compare("a", NotEqual, "1"), r#"{"a":1.0}"#));
    let list = Filter::In(Path::plain("a"), vec![literal("1")]);
    let range = Filter::Between(Path::plain("a"), literal("0"), literal("2"));
    let has = Filter::Has(Path::plain("a"), literal("1"));
    for filter in [list, range, has] {
        assert!(!holds(&filter, "{}") && holds(&not(filter), "{}"));
    }
}

#[test]
fn values_compare_within_their_kind() {
    assert!(holds(&compare("a", Equal, "1"), r#"{"a":1.0}"#));
    assert!(!holds(&compare("a", Equal, "9007199254740993"), r#"{"a":9007199254740992.0}"#));
    assert!(holds(&compare("a", Less, "18446744073709551616"), r#"{"a":18446744073709551615}"#));
    assert!(holds(&compare("a", Less, "\"b\""), r#"{"a":"a"}"#));
    assert!(holds(&compare("a", Greater, "\"\u{ffff}\""), r#"{"a":"𝄞"}"#));
    assert!(holds(&compare("a", Less, "true"), r#"{"a":false}"#));
    assert!(holds(&compare("a", Less, "\"a\""), r#"{"a":""}"#));
    assert!(holds(&Filter::Bare(Path::plain("a")), r#"{"a":true}"#));
    assert!(!holds(&Filter::Bare(Path::plain("a")), r#"{"a":1}"#));
}

#[test]
fn between_and_in_are_what_they_stand_for() {
    let range =
        |least, greatest| Filter::Between(Path::plain("a"), literal(least), literal(greatest));
    for (value, expected) in [("1", true), ("2", true), ("3", true), ("0", false), ("4", false)] {
        assert_eq!(holds(&range("1", "3"), &format!("{{\"a\":{value}}}")), expected);
    }
    assert!(!holds(&range("3", "1"), r#"{"a":2}"#));
    assert!(!holds(&range("1", "\"z\""), r#"{"a":2}"#));
    let list = Filter::In(Path::plain("a"), vec![literal("1"), literal("\"x\"")]);
    assert!(holds(&list, r#"{"a":1e0}"#) && holds(&list, r#"{"a":"x"}"#));
    assert!(!holds(&list, r#"{"a":true}"#));
    assert!(!holds(&Filter::In(Path::plain("a"), vec![]), r#"{"a":1}"#));
}

#[test]
fn null_and_missing_are_told_apart() {
    let (null, missing) = (Filter::IsNull(Path::plain("a")), Filter::IsMissing(Path::plain("a")));
    assert!(holds(&null, r#"{"a":null}"#) && !holds(&missing, r#"{"a":null}"#));
    assert!(!holds(&null, "{}") && holds(&missing, "{}"));
    assert!(holds(&Filter::IsMissing(Path::plain("a.b")), r#"{"a":5}"#));
    assert!(holds(&Filter::IsBool(Path::plain("a"), false), r#"{"a":false}"#));
    assert!(!holds(&Filter::IsBool(Path::plain("a"), false), "{}"));
    assert!(!holds(&Filter::IsBool(Path::plain("a"), true), r#"{"a":1}"#));
}

#[test]
fn arrays_hold_if_any_element_does() {
    let one = compare("a[*]", Equal, "1");
    assert!(holds(&one, r#"{"a":[0,1]}"#));
    for value in [r#"{"a":[]}"#, r#"{"a":[2]}"#, r#"{"a":1}"#, "{}"] {
        assert!(!holds(&one, value) && holds(&not(one.clone()), value));
    }
    // BETWEEN on one element, two comparisons on any two.
    let range = Filter::Between(Path::plain("a[*]"), literal("2"), literal("3"));
    let pair =
        Filter::And(vec![compare("a[*]", GreaterOrEqual, "2"), compare("a[*]", LessOrEqual, "3")]);
    assert!(!holds(&range, r#"{"a":[1,4]}"#) && holds(&pair, r#"{"a":[1,4]}"#));
    let missing = Filter::IsMissing(Path::plain("a[*]"));
    assert!(holds(&missing, r#"{"a":[]}"#) && holds(&missing, r#"{"a":1}"#));
    assert!(!holds(&missing, r#"{"a":[null]}"#));
    assert!(holds(&Filter::IsNull(Path::plain("a[*]")), r#"{"a":[1,null]}"#));
    assert!(holds(&compare("a[*].b", Equal, "1"), r#"{"a":[1,{"c":1},{"b":1}]}"#));
    assert!(holds(&compare("a[2]", Equal, "1"), r#"{"a":[0,0,1]}"#));
    assert!(!holds(&compare("a", Equal, "\"x\""), r#"{"a":["x"]}"#));
    let has = Filter::Has(Path::plain("a"), literal("1"));
    assert!(holds(&has, r#"{"a":[2,1.0]}"#));
    assert!(!holds(&has, r#"{"a":1}"#) && !holds(&has, r#"{"a":["1"]}"#) && !holds(&has, "{}"));
}

#[test]
fn declared_types_govern_filters() {
    let day = compare("a", Equal, "\"2026-01-01T00:00:00Z\"");
    for same in ["\"2026-01-01T01:00:00+01:00\"", "1767225600000", "\"2026-01-01T00:00:00.0Z\""] {
        assert!(holds_declared(Kind::Datetime, &day, same), "{same}");
        assert!(!holds_declared(Kind::String, &day, same), "{same}");
    }
    assert!(holds_declared(Kind::Datetime, &compare("a", Less, "1"), "0"));
    for same in ["12.5", "\"12.50\"", "1250e-2"] {
        assert!(holds_declared(Kind::Decimal, &compare("a", Equal, "\"12.500\""), same));
        assert!(holds_declared(Kind::Decimal, &compare("a", Equal, "12.5"), same));
    }
    let tiny = compare("a", Greater, "0.1");
    assert!(holds_declared(Kind::Decimal, &tiny, "0.10000000000000000001"));
    assert!(!holds_declared(Kind::Float, &tiny, "0.10000000000000000001"));
    assert!(holds_declared(Kind::Int, &compare("a", Less, "1.5"), "1.0"));
    assert!(!holds_declared(Kind::Int, &compare("a", Equal, "1.5"), "1"));
    assert!(holds_declared(Kind::Json, &compare("a", Equal, "\"12.5\""), "\"12.5\""));
    let days = Kind::Array(Box::new(Kind::Datetime));
    let has = Filter::Has(Path::plain("a"), literal("0"));
    assert!(holds_declared(days.clone(), &has, "[\"1970-01-01T00:00:00Z\"]"));
    assert!(holds_declared(days, &compare("a[*]", Equal, "0"), "[\"1970-01-01T00:00:00Z\"]"));
}

#[test]
fn literals_that_do_not_convert_are_refused() {
    let array = Kind::Array(Box::new(Kind::String));
    let refused = [
        (Kind::Int, compare("a", Equal, "\"1\"")),
        (Kind::String, compare("a", Equal, "1")),
        (Kind::Bool, compare("a", Less, "1")),
        (Kind::Datetime, compare("a", Equal, "\"yesterday\"")),
        (Kind::Datetime, compare("a", Equal, "1.5")),
        (Kind::Decimal, compare("a", Equal, "\"x\"")),
        (Kind::Int, Filter::Bare(Path::plain("a"))),
        (Kind::Int, Filter::In(Path::plain("a"), vec![literal("1"), literal("true")])),
        (Kind::Int, Filter::Between(Path::plain("a"), literal("1"), literal("\"2\""))),
        (array.clone(), compare("a", Equal, "\"x\"")),
        (array.clone(), Filter::Has(Path::plain("a"), literal("1"))),
    ];
    for (kind, filter) in refused {
        assert_eq!(filter.check(&declared(kind)), Err(filter_path(&filter)), "{filter:?}");
        assert_eq!(not(filter).check(&NaiveSchema::default()), Ok(()));
    }
    let fine = [
        (Kind::Int, compare("a", Less, "1.5")),
        (Kind::Decimal, compare("a", Less, "\"1.5\"")),
        (array.clone(), Filter::Has(Path::plain("a"), literal("\"x\""))),
        (array, Filter::IsNull(Path::plain("a"))),
        (Kind::Json, compare("a", Less, "\"x\"")),
    ];
    for (kind, filter) in fine {
        assert_eq!(filter.check(&declared(kind)), Ok(()));
    }
}

fn filter_path(filter: &Filter) -> String {
    if matches!(filter, Filter::Has(..)) { "a[*]".to_owned() } else { "a".to_owned() }
}

#[test]
fn values_not_of_their_type_satisfy_nothing() {
    for filter in [
        compare("a", Equal, "1"),
        compare("a", GreaterOrEqual, "0"),
        Filter::IsNull(Path::plain("a")),
        Filter::IsMissing(Path::plain("a")),
    ] {
        assert!(!holds_declared(Kind::Int, &filter, "\"1\""), "{filter:?}");
    }
    assert!(holds_declared(Kind::Int, &compare("a", NotEqual, "1"), "\"1\""));
}

/// The values, each under the key of its number, in the order of `path`.
fn sorted(kind: Option<Kind>, values: &[&str], path: &str, descending: bool) -> Vec<String> {
    let mut collection = NaiveCollection::new(NaiveSchema::default());
    for (at, value) in values.iter().enumerate() {
        let member = if *value == "missing" { String::new() } else { format!("\"a\":{value}") };
        collection.set(&at.to_string(), json(&format!("{{{member}}}")), None, 0).unwrap();
    }
    collection.schema = kind.map(declared).unwrap_or_default();
    let order = [OrderBy { path: Path::plain(path), descending }];
    let keys = collection.find(None, &order, None, 0);
    keys.into_iter().map(|key| values[key.parse::<usize>().unwrap()].to_owned()).collect()
}

#[test]
fn kinds_follow_each_other() {
    let mut ascending = vec![
        "missing",
        "null",
        "false",
        "true",
        "-1.5",
        "9007199254740992.0",
        "9007199254740993",
        "\"\"",
        "\"a\"",
        "\"b\"",
        "\"\u{fffd}\"",
        "\"𝄞\"",
        "[]",
        "[1]",
        "[1,0]",
        "[2]",
        "{}",
        "{\"a\":2}",
        "{\"b\":1,\"a\":2}",
        "{\"a\":3}",
        "{\"b\":0}",
    ];
    let shuffled: Vec<_> = ascending.iter().rev().copied().collect();
    assert_eq!(sorted(None, &shuffled, "a", false), ascending);
    ascending.reverse();
    assert_eq!(sorted(None, &shuffled, "a", true), ascending);
}

#[test]
fn ties_follow_birth_in_the_direction_of_the_last_path() {
    assert_eq!(sorted(None, &["1", "1.0", "1e0"], "a", false), ["1", "1.0", "1e0"]);
    assert_eq!(sorted(None, &["1", "1.0", "1e0"], "a", true), ["1e0", "1.0", "1"]);
    let mut collection = NaiveCollection::new(NaiveSchema::default());
    for (key, text) in [("x", r#"{"a":1,"b":1}"#), ("y", r#"{"a":1,"b":1}"#), ("z", r#"{"a":0}"#)] {
        collection.set(key, json(text), None, 0).unwrap();
    }
    let by = |path, descending| OrderBy { path: Path::plain(path), descending };
    let find = |order: &[OrderBy]| collection.find(None, order, None, 0);
    assert_eq!(find(&[by("a", true), by("b", false)]), ["x", "y", "z"]);
    assert_eq!(find(&[by("a", false), by("b", true)]), ["z", "y", "x"]);
    assert_eq!(find(&[]), ["x", "y", "z"]);
    assert_eq!(collection.find(None, &[], Some((1, 1)), 0), ["y"]);
}

#[test]
fn every_element_stands_for_its_least_or_greatest() {
    let values = ["[3,1]", "[2]", "[]", "[null,9]", "5", "missing"];
    let ascending = ["[]", "5", "missing", "[null,9]", "[3,1]", "[2]"];
    assert_eq!(sorted(None, &values, "a[*]", false), ascending);
    let descending = ["[null,9]", "[3,1]", "[2]", "missing", "5", "[]"];
    assert_eq!(sorted(None, &values, "a[*]", true), descending);
}

#[test]
fn declared_types_govern_order() {
    let datetimes = ["\"1970-01-01T01:00:00+02:00\"", "0", "\"x\"", "null", "-3600001", "missing"];
    assert_eq!(
        sorted(Some(Kind::Datetime), &datetimes, "a", false),
        ["missing", "null", "-3600001", "\"1970-01-01T01:00:00+02:00\"", "0", "\"x\""]
    );
    let decimals = ["\"10\"", "9", "\"9.00\"", "true", "\"-1\""];
    assert_eq!(
        sorted(Some(Kind::Decimal), &decimals, "a", false),
        ["\"-1\"", "9", "\"9.00\"", "\"10\"", "true"]
    );
    assert_eq!(sorted(Some(Kind::Decimal), &decimals, "a", true)[0], "true");
}

#[test]
fn unique_binds_across_documents_and_not_within_one() {
    let mut single = NaiveField::new("a", Kind::Decimal);
    (single.unique, single.nullable) = (true, true);
    let mut many = NaiveField::new("b[*].c", Kind::String);
    (many.unique, many.nullable) = (true, true);
    let schema = NaiveSchema { fields: vec![single, many], strict: false, indexes: Vec::new() };
    let mut collection = NaiveCollection::new(schema);
    let mut set = |key: &str, text: &str, expires_ms, now_ms| {
        collection.set(key, json(text), expires_ms, now_ms).map(|_| ())
    };
    let held = |key: &str| Err(Refusal::Unique(key.to_owned()));
    assert_eq!(set("x", r#"{"a":1,"b":[{"c":"v"},{"c":"v"}]}"#, Some(100), 0), Ok(()));
    assert_eq!(set("y", r#"{"a":"1.00"}"#, None, 0), held("x"));
    assert_eq!(set("y", r#"{"b":[{"c":"u"},{"c":"v"}]}"#, None, 0), held("x"));
    for absent in ["{}", r#"{"a":null}"#, r#"{"b":[]}"#, r#"{"b":[{"c":null}]}"#] {
        assert_eq!(set("p", absent, None, 0), Ok(()));
        assert_eq!(set("q", absent, None, 0), Ok(()));
    }
    assert_eq!(set("x", r#"{"a":"1.0","b":[{"c":"v"}]}"#, Some(100), 0), Ok(()));
    assert_eq!(set("y", r#"{"a":1}"#, None, 100), held("x"));
    assert_eq!(set("y", r#"{"a":1}"#, None, 101), Ok(()));
}

#[test]
fn writes_change_all_or_nothing() {
    let schema = declared(Kind::Int);
    let mut collection = NaiveCollection::new(schema);
    let first = collection.set("k", json(r#"{"a":1}"#), Some(50), 0).unwrap();
    assert_eq!(collection.set("k", json(r#"{"a":1}"#), Some(50), 0), Ok(first));
    let path = Path::plain;
    let incr = |text: &str, by: &str| Change::Incr(path(text), json(by));
    let changes = [
        incr("a", "2"),
        incr("n.m", "1.5"),
        Change::Set(path("o.p"), json("[1,2]")),
        Change::Set(path("o.p[1]"), json("null")),
    ];
    let second = collection.update("k", &changes, 50).unwrap();
    assert!(second > first);
    let expected = json(r#"{"a":3,"n":{"m":1.5},"o":{"p":[1,null]}}"#);
    assert!(is_same(&collection.get("k", 50).unwrap().json, &expected));
    let refused = [
        (incr("a", "18446744073709551615"), Refusal::Overflow("a".to_owned())),
        (incr("o", "1"), Refusal::NotANumber("o".to_owned())),
        (Change::Set(path("a"), json("\"x\"")), Refusal::Schema("a".to_owned())),
        (Change::Set(path("a.b"), json("1")), Refusal::Path("a.b".to_owned())),
        (Change::Unset(path("o.p[*]")), Refusal::Path("o.p[*]".to_owned())),
    ];
    for (change, refusal) in refused {
        let changes = [Change::Unset(path("n")), change];
        assert_eq!(collection.update("k", &changes, 50), Err(refusal));
        assert!(is_same(&collection.get("k", 50).unwrap().json, &expected));
    }
    collection.update("k", &[Change::Unset(path("n")), Change::Unset(path("zz"))], 50).unwrap();
    assert_eq!(collection.count(Some(&Filter::IsMissing(path("n"))), 50), 1);
    assert_eq!(collection.update("k", &[], 51), Err(Refusal::Missing));
    assert_eq!(collection.count(None, 51), 0);
}

#[test]
fn a_lapsed_document_is_born_again() {
    let mut collection = NaiveCollection::new(NaiveSchema::default());
    for key in ["x", "y"] {
        collection.set(key, json("{}"), Some(10), 0).unwrap();
    }
    let before = collection.get("x", 10).unwrap().version;
    assert!(collection.expire("y", None, 10));
    assert!(collection.set("x", json("{}"), None, 11).unwrap() > before);
    assert_eq!(collection.find(None, &[], None, 11), ["y", "x"]);
    assert!(collection.expire("y", Some(5), 11) && !collection.expire("y", None, 11));
    assert!(collection.delete("x", 11) && !collection.delete("x", 11));
    assert!(collection.documents.is_empty());
}
