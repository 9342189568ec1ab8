//! The rules of instants and durations, held by the naive model.

use super::rules::{declared, json};
use super::rules_read::predicate;
use super::{Facts, Filter, Kind, Literal, NaiveSchema, Path, Scope, time};

/// 2026-01-01T00:00:00Z
const NOW_MS: i64 = 1_767_225_600_000;

fn holds(schema: &NaiveSchema, text: &str, document: &str) -> bool {
    let (filter, document, facts) = (predicate(text), json(document), Facts::default());
    assert_eq!(filter.check(schema), Ok(()), "{text}");
    filter.holds_in(&Scope::document(&document, schema, &facts, NOW_MS))
}

#[track_caller]
fn are(schema: &NaiveSchema, expected: bool, document: &str, texts: &[&str]) {
    for text in texts {
        assert_eq!(holds(schema, text, document), expected, "{text} of {document}");
    }
}

#[test]
fn durations_are_milliseconds() {
    let duration = |text: &str| time::duration(text).map(|sum| sum.normalized().to_plain_string());
    for (text, milliseconds) in [
        ("1d 3h", "97200000"),
        ("1.5h", "5400000"),
        ("-30m", "-1800000"),
        ("1w", "604800000"),
        ("2s", "2000"),
        ("7ms", "7"),
        ("1us", "0.001"),
        ("1ns", "0.000001"),
        ("-1h 30m", "-5400000"),
        ("PT1H30M", "5400000"),
        ("P1DT12H", "129600000"),
        ("P1D", "86400000"),
    ] {
        assert_eq!(duration(text).as_deref(), Some(milliseconds), "{text}");
    }
    for bad in ["", "1", "h", "1y", "P1Y", "P1M", "1 month", "x", "P", "PT", "1..5h"] {
        assert_eq!(duration(bad), None, "{bad}");
    }
}

#[test]
fn times_are_texts_dates_and_milliseconds() {
    let open = NaiveSchema::default();
    are(
        &open,
        true,
        "{}",
        &[
            "time('2026-01-31T12:00:00Z') = time('2026-01-31T13:00:00+01:00')",
            "time('2026-01-31') = time('2026-01-31T00:00:00Z')",
            "time(1767225600000) = time('2026-01-01')",
            "now() = time('2026-01-01')",
            "time('2026-01-02') - time('2026-01-01') = duration('1d')",
            "time('1970-01-01T00:00:00.000000001Z') > 0",
            "time('1970-01-01T00:00:00.000000001Z') * 1000000 = 1",
        ],
    );
    for refused in [
        "a > time('x')",
        "a > time('2026-01-01T00:00:00')",
        "a > time('2026-13-01')",
        "a > duration('1y')",
        "a > now() + 'x'",
        "a - now() > 'yesterday'",
        "now() > TRUE + 1",
    ] {
        assert!(predicate(refused).check(&open).is_err(), "{refused}");
    }
}

#[test]
fn an_undeclared_path_alone_is_a_datetime_beside_an_instant() {
    let open = NaiveSchema::default();
    for same in ["\"2026-01-01T00:00:00Z\"", "\"2026-01-01T02:00:00+02:00\"", "1767225600000"] {
        for schema in [open.clone(), declared(Kind::Json), declared(Kind::Datetime)] {
            let document = format!("{{\"a\":{same}}}");
            are(&schema, true, &document, &["a = now()", "a <= now()", "now() >= a"]);
            are(&schema, true, &document, &["a IN (now())", "a > now() - duration('1ms')"]);
            are(&schema, true, &document, &["a BETWEEN '2026-01-01T00:00:00Z' AND now()"]);
            are(&schema, false, &document, &["a < now()", "a != now()", "a > time('2026-01-01')"]);
        }
    }
    for none in ["\"x\"", "true", "null", "[0]", "1.5", "9007199254740993", "\"2025-01-01\""] {
        are(&open, false, &format!("{{\"a\":{none}}}"), &["a < now()", "a >= now()"]);
    }
}

#[test]
fn on_numbers_an_instant_is_its_milliseconds_and_on_others_a_fault() {
    for kind in [Kind::Int, Kind::Float, Kind::Decimal] {
        let schema = declared(kind);
        are(&schema, true, r#"{"a":1767225600000}"#, &["a = now()", "a < now() + 1"]);
        are(&schema, false, r#"{"a":1767225600001}"#, &["a = now()", "a < now()"]);
    }
    are(&declared(Kind::Decimal), true, r#"{"a":"0.5"}"#, &["a > time('1970-01-01')"]);
    are(&declared(Kind::Float), true, r#"{"a":0.5}"#, &["a > time('1970-01-01')"]);
    for kind in [Kind::String, Kind::Bool, Kind::Array(Box::new(Kind::Datetime))] {
        assert!(predicate("a < now()").check(&declared(kind)).is_err());
    }
}

#[test]
fn predicates_with_instants_are_exact() {
    let open = NaiveSchema::default();
    let document =
        r#"{"from":"2026-01-01T00:00:00Z","to":"2026-01-01T00:00:00.000000001Z","ms":250}"#;
    // Two undeclared paths compare as strings, until an instant takes part.
    are(&open, false, document, &["from < to - 0"]);
    let dates = declared(Kind::Datetime);
    are(
        &dates,
        true,
        r#"{"a":"2026-01-01T00:00:00.000000001Z"}"#,
        &[
            "a - time('2026-01-01') = 0.000001",
            "a - '2026-01-01T00:00:00Z' = 0.000001",
            "a > now()",
            "a - duration('1ns') = now()",
            "a + 0.1 - a = 0.1",
            "a + 0.1 + 0.2 - a = 0.3",
            "a BETWEEN now() AND now() + 1",
        ],
    );
    are(
        &open,
        true,
        document,
        &[
            "to - from < now()",
            "now() + to - from = now() + 0.000001",
            "from + ms > now()",
            "now() - ms < from",
            "to BETWEEN from AND now() + 1",
            "now() - from + ms = duration('250ms')",
        ],
    );
    assert!(predicate("a + 1 > 'x'").check(&dates).is_err());
    assert!(predicate("a > 'x'").check(&dates).is_err());
    assert!(predicate("a + 1 > TRUE").check(&dates).is_err());
}

#[test]
fn a_duration_alone_is_a_number() {
    let open = NaiveSchema::default();
    are(&open, true, r#"{"a":5400000}"#, &["a = duration('1.5h')", "a / 2 < duration('1h')"]);
    are(&open, true, r#"{"a":0.001}"#, &["a = duration('1us')"]);
    are(&open, false, r#"{"a":"2026-01-01T00:00:00Z"}"#, &["a > duration('1h')"]);
}

#[test]
fn lists_of_elements_take_instants_too() {
    let open = NaiveSchema::default();
    let (facts, path) = (Facts::default(), Path::plain("a"));
    let document = json(r#"{"a":["2026-01-01T00:00:00Z",0]}"#);
    let scope = Scope::document(&document, &open, &facts, NOW_MS);
    let epoch = Literal::Time(Box::new(Literal::String("1970-01-01".to_owned())));
    let later = Literal::Time(Box::new(Literal::Number("1".to_owned())));
    for (filter, expected) in [
        (Filter::Has(path.clone(), Literal::Now), true),
        (Filter::Has(path.clone(), later.clone()), false),
        (Filter::HasAny(path.clone(), vec![later.clone(), epoch.clone()]), true),
        (Filter::HasAll(path.clone(), vec![Literal::Now, epoch.clone()]), true),
        (Filter::HasAll(path.clone(), vec![Literal::Now, later]), false),
        (Filter::In(path.every(), vec![epoch]), true),
    ] {
        assert_eq!(filter.holds_in(&scope), expected, "{}", filter.to_text());
    }
    assert_eq!(Filter::Has(path, Literal::Now).to_text(), "a HAS now()");
}
