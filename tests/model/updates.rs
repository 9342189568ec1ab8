//! The rules of docs/updates.md, held by the naive model.

use folio_tests::naive::{Change, Ground, Json, Kind, NaiveField, NaiveSchema, Refusal, update};

fn schema() -> NaiveSchema {
    let array = |kind| Kind::Array(Box::new(kind));
    let fields = vec![
        NaiveField::new("total", Kind::Decimal),
        NaiveField::new("until", Kind::Int),
        NaiveField::new("seen", Kind::Datetime),
        NaiveField::new("codes", array(Kind::Decimal)),
        NaiveField::new("names", array(Kind::Nocase)),
    ];
    NaiveSchema { fields, ..NaiveSchema::default() }
}

/// What operations, each as verb, path and operand, make of a document.
fn made(document: &str, changes: &[[&str; 3]]) -> Result<String, Refusal> {
    let mut held = Json::parse(document).expect("the tests' documents are JSON");
    let schema = schema();
    let ground = Ground { schema: &schema, now_ms: 1_767_225_600_123 };
    for [verb, path, operand] in changes {
        let change =
            Change::of_parts(verb, path, operand).expect("the tests' operations are right");
        assert_eq!(change.parts(), [*verb, *path, *operand]);
        update::apply(&mut held, &change, ground)?;
    }
    Ok(held.print())
}

#[track_caller]
fn check(document: &str, changes: &[[&str; 3]], expected: &str) {
    assert_eq!(made(document, changes).as_deref(), Ok(expected));
}

#[test]
fn the_examples_of_the_page_come_out() {
    let paid = r#"{"state":"paid","total":22.5,"tags":["a","b"]}"#;
    check(
        r#"{"state":"new","total":20,"tags":["a"]}"#,
        &[["SET", "state", "\"paid\""], ["INCR", "total", "2.5"], ["PUSH", "tags", "\"b\""]],
        paid,
    );
    let shipped =
        r#"{"state":"paid","total":22.5,"tags":["a","b"],"ship":{"to":[{"city":"Paris"}]}}"#;
    check(paid, &[["SET", "ship.to[0].city", "\"Paris\""], ["UNSET", "tags[7]", ""]], shipped);
    check(
        shipped,
        &[["RENAME", "ship.to[0].city", "city"], ["UNSET", "ship", ""]],
        r#"{"state":"paid","total":22.5,"tags":["a","b"],"city":"Paris"}"#,
    );
    check(
        "{}",
        &[
            ["INCR", "total", "\"12.50\""],
            ["MUL", "total", "0.5"],
            ["INCR", "n", "18446744073709551615"],
        ],
        r#"{"total":"6.250","n":18446744073709551615}"#,
    );
    check(
        r#"{"total":"6.250"}"#,
        &[
            ["MIN", "total", "6.3"],
            ["MAX", "total", "\"6.3\""],
            ["ADD", "codes", "\"1.50\""],
            ["ADD", "codes", "1.5"],
        ],
        r#"{"total":"6.3","codes":["1.50"]}"#,
    );
    check(r#"{"codes":["1.50"]}"#, &[["PULL", "codes", "1.500"]], r#"{"codes":[]}"#);
    let merged = r#"{"state":"paid","tags":["a","b"],"city":"Paris","ship":{"to":"Rome"}}"#;
    check(
        r#"{"state":"paid","total":22.5,"tags":["a","b"],"city":"Paris"}"#,
        &[["MERGE", "", r#"{"total":null,"ship":{"to":"Rome","by":null}}"#]],
        merged,
    );
    check(
        merged,
        &[[
            "PATCH",
            "",
            r#"[{"op":"test","path":"/state","value":"paid"},{"op":"move","from":"/ship/to","path":"/tags/0"}]"#,
        ]],
        r#"{"state":"paid","tags":["Rome","a","b"],"city":"Paris","ship":{}}"#,
    );
}

#[test]
fn what_does_not_fit_is_refused() {
    let document = r#"{"a":true,"n":18446744073709551615,"t":[1],"total":"1"}"#;
    let path = |path: &str| Err(Refusal::Path(path.to_owned()));
    for (change, refusal) in [
        (["TOGGLE", "n", ""], path("n")),
        (["SET", "t[7]", "1"], path("t[7]")),
        (["PUSH", "a", "1"], path("a")),
        (["POP", "n", ""], path("n")),
        (["INCR", "a", "1"], Err(Refusal::NotANumber("a".to_owned()))),
        (["INCR", "n", "1"], Err(Refusal::Overflow("n".to_owned()))),
        (["MUL", "n", "2"], Err(Refusal::Overflow("n".to_owned()))),
        (["RENAME", "t", "t[0].a"], path("t[0].a")),
        (["MIN", "total", "true"], Err(Refusal::Schema("total".to_owned()))),
        (["PATCH", "", r#"[{"op":"remove","path":"/x"}]"#], path("/x")),
        (["PATCH", "", r#"[{"op":"replace","path":"","value":1}]"#], path("")),
        (["PATCH", "", r#"[{"op":"add","path":"/t/2","value":1}]"#], path("/t/2")),
        (["PATCH", "", r#"[{"op":"move","from":"/t","path":"/t/0"}]"#], path("/t")),
        (
            ["PATCH", "", r#"[{"op":"test","path":"/t","value":[2]}]"#],
            Err(Refusal::Test("/t".to_owned())),
        ),
    ] {
        assert_eq!(made(document, &[change]), refusal, "{change:?}");
    }
}

#[test]
fn arrays_lose_and_get_elements() {
    let changes: &[([&str; 3], &str)] = &[
        (["POP", "t", ""], "[1,2,3]"),
        (["POP", "t", "-4"], "[2,3,1.0]"),
        (["POP", "t", "4"], "[1,2,3,1.0]"),
        (["PULL", "t", "1"], "[2,3]"),
        (["ADD", "t", "3e0"], "[1,2,3,1.0]"),
        (["ADD", "t", "4"], "[1,2,3,1.0,4]"),
    ];
    for (change, expected) in changes {
        check(r#"{"t":[1,2,3,1.0]}"#, &[*change], &format!(r#"{{"t":{expected}}}"#));
    }
    check(r#"{"names":["A"]}"#, &[["ADD", "names", "\"a\""]], r#"{"names":["A"]}"#);
    check(r#"{"t":[{"a":1,"b":2}]}"#, &[["PULL", "t", r#"{"b":2,"a":1}"#]], r#"{"t":[]}"#);
}

#[test]
fn extremes_are_told_across_kinds() {
    check(r#"{"x":null}"#, &[["MAX", "x", "1"]], r#"{"x":1}"#);
    check(r#"{"x":"a"}"#, &[["MIN", "x", "1"]], r#"{"x":1}"#);
    check(r#"{"x":1.0}"#, &[["MIN", "x", "1"], ["MAX", "x", "1"]], r#"{"x":1.0}"#);
    check("{}", &[["MIN", "x.y", "1"]], r#"{"x":{"y":1}}"#);
}

#[test]
fn now_is_text_or_milliseconds() {
    check("{}", &[["NOW", "seen", "1s"]], r#"{"seen":"2026-01-01T00:00:01.123Z"}"#);
    check("{}", &[["NOW", "until", "-1s"]], r#"{"until":1767225599123}"#);
    check("{}", &[["NOW", "x", "-123ms"]], r#"{"x":"2026-01-01T00:00:00Z"}"#);
}

#[test]
fn what_is_missing_counts_as_nothing() {
    check("{}", &[["MUL", "n", "2"], ["TOGGLE", "b", ""]], r#"{"n":0,"b":true}"#);
    check("{}", &[["MUL", "total", "\"0.10\""]], r#"{"total":"0.00"}"#);
    check("{}", &[["POP", "t", ""], ["PULL", "t", "1"], ["UNSET", "a.b", ""]], "{}");
    check(r#"{"a":1,"b":2}"#, &[["RENAME", "a", "a"], ["RENAME", "c", "b"]], r#"{"a":1,"b":2}"#);
}
