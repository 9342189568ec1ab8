//! Tests of binding.

use std::sync::LazyLock;

use super::*;
use crate::doc::DocRef;
use crate::query::parse;

/// What the collection of these tests declares.
static DECLARED: LazyLock<Definition> = LazyLock::new(|| {
    let json = br#"{"collection":"c","fields":[
        {"path":"age","type":"int"},{"path":"score","type":"float"},{"path":"active","type":"bool"},
        {"path":"price","type":"decimal"},{"path":"created","type":"datetime"},
        {"path":"due","type":"datetime"},{"path":"extra","type":"json"},
        {"path":"tags","type":"array<string>"},{"path":"name","type":"string"},
        {"path":"mail","type":"string","nocase":true}]}"#;
    Definition::from_json(json, &Limits::default()).unwrap()
});

/// 2026-01-31T12:00:00Z, when the filters of these tests are asked.
const NOW_MS: i64 = 1_769_860_800_000;

fn bound_to(text: &str, definition: &Definition, pairs: &[(&str, &str)]) -> Result<Filter> {
    let limits = &Limits::default();
    let params = Params::new(pairs.iter().map(|(name, json)| (*name, json.as_bytes())), limits)?;
    let scope = Scope { definition, params: &params, now_ms: NOW_MS, limits, functions: None };
    bind(&parse(text, limits)?, &scope)
}

fn bound(text: &str, pairs: &[(&str, &str)]) -> Result<Filter> {
    bound_to(text, &DECLARED, pairs)
}

fn error(text: &str, pairs: &[(&str, &str)]) -> String {
    bound(text, pairs).expect_err(text).to_string()
}

#[test]
fn says_how_parameters_are_given() {
    let found = error("a = $x", &[("$x", "1")]);
    let expected = "FILTER parameter $x has no value among PARAMS at position 4; \
                    names after PARAMS come without $";
    assert_eq!(found, expected);
    let found = error("a = $x", &[("x", "ada")]);
    assert!(found.ends_with("; a value is JSON, a string in double quotes"), "{found}");
}

#[test]
fn a_strict_collection_is_asked_what_it_declares() {
    let json = br#"{"collection":"c","mode":"strict","fields":[
        {"path":"a.b","type":"int"},{"path":"tags","type":"array<string>"},
        {"path":"free","type":"json"},{"path":"items[*].sku","type":"string"}]}"#;
    let limits = Limits::default();
    let mut definition = Definition::from_json(json, &limits).unwrap();
    let bound = |text: &str, definition: &Definition| bound_to(text, definition, &[]);
    for path in ["a", "a.b", "tags[*]", "tags[2]", "free.x[1]", "items", "items[3].sku"] {
        assert!(bound(&format!("{path} IS MISSING"), &definition).is_ok(), "{path}");
    }
    assert!(bound("tags HAS 'x'", &definition).is_ok());
    for path in ["b", "a.c", "a.b.c", "tags.x", "tags[1].x", "a.b[1]", "items.sku"] {
        let found = bound(&format!("a.b = 1 AND {path}"), &definition).unwrap_err();
        let expected = format!("FILTER collection 'c' is STRICT and declares no {path}");
        let found = found.to_string();
        assert!(found.starts_with(&expected) && found.ends_with(" at position 12"), "{found}");
    }
    let found = bound("ANY items WHERE (skku = 'x')", &definition).unwrap_err();
    let expected = "FILTER collection 'c' is STRICT and declares no items[*].skku \
                    (did you mean items[*].sku?) at position 17";
    assert_eq!(found.to_string(), expected);
    definition.mode = Mode::Open;
    assert!(bound("b", &definition).is_ok());
}

/// Parameters by name, as JSON.
type Pairs = &'static [(&'static str, &'static str)];

/// The one predicate of a filter.
fn only(text: &str) -> Test {
    match bound(text, &[]).unwrap().nodes.pop() {
        Some(FilterNode::Test(only)) => only,
        node => panic!("{text}: {node:?}"),
    }
}

fn matches(text: &str, json: &str) -> bool {
    let filter = bound(text, &[]).unwrap_or_else(|error| panic!("{text}: {error}"));
    with_doc(json, |doc| filter.matches(doc))
}

fn with_doc<T>(json: &str, look: impl FnOnce(DocRef<'_>) -> T) -> T {
    look(crate::doc::testing::parsed(json).view())
}

fn assert_matches(json: &str, cases: &[(&str, bool)]) {
    for (text, expected) in cases {
        assert_eq!(matches(text, json), *expected, "{text} on {json}");
    }
}

#[test]
fn compares_within_a_kind_only() {
    assert_matches(
        r#"{"n":5,"s":"m","t":true,"z":null,"a":[1],"o":{"n":1}}"#,
        &[
            ("n = 5", true),
            ("n = 5.0", true),
            ("n != 5", false),
            ("n < 5", false),
            ("n <= 5", true),
            ("n > 4.5", true),
            ("4 < n", true),
            ("n >= 6", false),
            ("n < 'x'", false),
            ("n >= FALSE", false),
            ("s > 'a'", true),
            ("s < 'z'", true),
            ("s > 0", false),
            ("s BETWEEN 'm' AND 'm'", true),
            ("t", true),
            ("n", false),
            ("NOT n", true),
            ("t > FALSE", true),
            ("t < 5", false),
            ("z < 5", false),
            ("z >= FALSE", false),
            ("gone >= FALSE", false),
            ("gone != 5", true),
            ("a = 1", false),
            ("o.n = 1", true),
            ("n.o = 1", false),
            ("n BETWEEN 1 AND 'z'", false),
            ("n BETWEEN 6 AND 1", false),
            ("n NOT BETWEEN 6 AND 9", true),
            ("n IN ()", false),
            ("n NOT IN ()", true),
            ("n IN ('5', 5)", true),
        ],
    );
}

#[test]
fn the_greatest_double_is_a_number() {
    let json = format!(r#"{{"n":{},"m":{}}}"#, "1.7976931348623157e308", "-1.7976931348623157e308");
    assert_matches(&json, &[("n > 0", true), ("m < 0", true), ("n < 'x'", false)]);
}

#[test]
fn is_tells_null_missing_and_booleans_apart() {
    assert_matches(
        r#"{"z":null,"t":true,"e":[],"a":[null,1]}"#,
        &[
            ("z IS NULL", true),
            ("gone IS NULL", false),
            ("z IS MISSING", false),
            ("gone IS MISSING", true),
            ("t IS TRUE", true),
            ("t IS NOT FALSE", true),
            ("z IS FALSE", false),
            ("e IS MISSING", false),
            ("e[*] IS MISSING", true),
            ("gone[*] IS MISSING", true),
            ("a[*] IS MISSING", false),
            ("a[*] IS NULL", true),
            ("a[1] IS NULL", false),
            ("a[2] IS MISSING", true),
        ],
    );
    assert_eq!(only("a IS MISSING").keys, KeySet::points([Key::MISSING]));
    assert_eq!(only("a[*] IS MISSING").keys, KeySet::points([Key::MISSING]));
}

#[test]
fn any_element_satisfies() {
    assert_matches(
        r#"{"a":[1,9],"i":[{"k":"x","b":[2]},{"b":[3,4]},7]}"#,
        &[
            ("a[*] = 9", true),
            ("NOT a[*] = 9", false),
            ("NOT a[*] = 5", true),
            ("a[*] BETWEEN 2 AND 8", false),
            ("a[*] IN (5, 9)", true),
            ("a HAS 1", true),
            ("a NOT HAS 1", false),
            ("i[*].k = 'x'", true),
            ("i[*].b[*] = 4", true),
            ("i[*].b HAS 3", true),
            ("i[*].b[0] = 4", false),
            ("i[*].gone IS MISSING", true),
            ("i HAS 7", true),
            ("a.b IS MISSING", true),
            ("gone HAS 1", false),
        ],
    );
}

#[test]
fn joins_decide_as_their_parts() {
    let values = [false, true];
    for (a, b, c) in values.into_iter().flat_map(|a| {
        values.into_iter().flat_map(move |b| values.into_iter().map(move |c| (a, b, c)))
    }) {
        let json = format!(r#"{{"a":{a},"b":{b},"c":{c}}}"#);
        assert_matches(
            &json,
            &[
                ("a AND b AND c", a && b && c),
                ("a OR b OR c", a || b || c),
                ("a AND b OR c", a && b || c),
                ("a AND (b OR c)", a && (b || c)),
                ("NOT (a AND NOT b) AND c", (!a || b) && c),
                ("NOT (NOT (a OR b)) OR NOT c", a || b || !c),
                ("a IN () OR b AND NOT c", b && !c),
            ],
        );
    }
    assert!(with_doc("{}", |doc| Filter::all().matches(doc)));
}

#[test]
fn declared_types_govern() {
    assert_matches(
        r#"{"age":5,"price":"12.50","created":"2024-01-01T01:00:00+01:00","tags":["x"]}"#,
        &[
            ("age > 4.5", true),
            ("age = 4.5", false),
            ("age < 1e30", true),
            ("price = 12.5", true),
            ("price = '12.500'", true),
            ("price > 12.5", false),
            ("created = '2024-01-01T00:00:00Z'", true),
            ("created = 1704067200000", true),
            ("tags HAS 'x'", true),
            ("tags[*] = 'x'", true),
            ("tags IS NULL", false),
            ("tags IS MISSING", false),
            ("tags IS TRUE", false),
        ],
    );
    // What is not of its field's type satisfies nothing.
    assert_matches(
        r#"{"age":"5","name":7,"active":"yes","tags":true}"#,
        &[
            ("age >= 0", false),
            ("age != 0", true),
            ("age IS NULL", false),
            ("age IS MISSING", false),
            ("name >= ''", false),
            ("active", false),
            ("age IS TRUE", false),
            ("tags IS TRUE", false),
        ],
    );
    assert_eq!(only("tags HAS 'x'").scalar, Scalar::String);
    assert_eq!(only("extra HAS 'x'").scalar, Scalar::Json);
    assert_eq!(only("other HAS 'x'").path().unwrap().to_string(), "other[*]");
}

#[test]
fn a_literal_that_is_not_of_the_type_is_an_error() {
    let declared = |what: &str, name: &str, field: &str, at: usize| {
        format!("FILTER {what} is no {name}, as field {field} is declared at position {at}")
    };
    let cases = [
        ("created > 'abc'", declared("'abc'", "datetime", "created", 10)),
        ("created > 1.5", declared("1.5", "datetime", "created", 10)),
        ("age = 'x'", declared("'x'", "int", "age", 6)),
        ("age", declared("TRUE", "int", "age", 0)),
        ("score IN (1, TRUE)", declared("TRUE", "float", "score", 13)),
        ("name = 1", declared("1", "string", "name", 7)),
        ("active = 1", declared("1", "bool", "active", 9)),
        ("price BETWEEN 1 AND 'x'", declared("'x'", "decimal", "price", 20)),
        ("tags HAS 1", declared("1", "string", "tags[*]", 9)),
        ("a = 1e999", "FILTER 1e999 is beyond the range of numbers at position 4".into()),
        (
            "b AND tags = 'x'",
            "FILTER field tags is declared array<string>, whose elements are compared with \
             tags HAS or tags[*] at position 6"
                .into(),
        ),
        (
            "age HAS 1",
            "FILTER HAS asks for an element, and field age is declared int, no array \
             at position 0"
                .into(),
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(error(text, &[]), expected);
    }
}

#[test]
fn parameters_stand_for_literals() {
    let pairs = [("min", " 5 "), ("list", r#"["a", "b"]"#), ("x", r#""it's""#)];
    let filter = bound("n >= $min AND s IN $list AND t = $x", &pairs).unwrap();
    let texts: Vec<String> = filter
        .nodes
        .iter()
        .filter_map(|node| match node {
            FilterNode::Test(test) => Some(test.text.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(texts, ["n >= 5", "s IN ('a', 'b')", "t = 'it''s'"]);
    let literals = bound("n >= 5 AND s IN ('a', 'b') AND t = 'it''s'", &[]).unwrap();
    assert_eq!(filter, literals);
    let many = bound("n IN $l", &[("l", "[1,2,3,4,5,6,7,8,9,10]")]).unwrap();
    let Some(FilterNode::Test(test)) = many.nodes.last() else { panic!("{many:?}") };
    assert_eq!(test.text.to_string(), "n IN (1, 2, 3, 4, 5, 6, 7, 8, .. 2 more)");
    let empty = bound("n IN $l", &[("l", "[]")]).unwrap();
    assert_eq!(empty.nodes, [FilterNode::Nothing]);
}

#[test]
fn parameters_that_do_not_fit_are_errors() {
    let cases: [(&str, Pairs, &str); 9] = [
        ("a = $x", &[], "parameter $x has no value among PARAMS at position 4"),
        ("a = 1", &[("x", "1")], "parameter $x is not used by the filter"),
        ("a = $x", &[("x", "1"), ("x", "2")], "parameter $x is given twice"),
        (
            "a = $x",
            &[("x", "null")],
            "parameter $x is null, use IS NULL instead of a comparison at position 4",
        ),
        (
            "a IN $x",
            &[("x", "[1,null]")],
            "element 1 of parameter $x is null, use IS NULL instead of a comparison \
             at position 5",
        ),
        (
            "a IN $x",
            &[("x", "[[1]]")],
            "element 0 of parameter $x is an array, expected a string, number or boolean \
             at position 5",
        ),
        (
            "a HAS $x",
            &[("x", "{}")],
            "parameter $x is an object, expected a string, number or boolean at position 6",
        ),
        (
            "a IN (1, $x)",
            &[("x", "[1]")],
            "parameter $x is an array, expected a string, number or boolean at position 9",
        ),
        (
            "a IN $x",
            &[("x", "1")],
            "parameter $x after IN is a number, expected an array at position 5",
        ),
    ];
    for (text, pairs, expected) in cases {
        assert_eq!(error(text, pairs), format!("FILTER {expected}"));
    }
    let broken = bound("a = $x", &[("x", "{")]).unwrap_err();
    assert_eq!(broken.code, Code::Json);
    assert!(broken.message.starts_with("parameter $x: "), "{broken}");
}

#[test]
fn strings_are_asked_for_their_parts() {
    assert_matches(
        r#"{"s":"Andréw","e":"","n":5,"z":null,"a":["x","yz"],"o":{"s":"Andréw"}}"#,
        &[
            ("s STARTS WITH 'And'", true),
            ("s STARTS WITH ''", true),
            ("s STARTS WITH 'and'", false),
            ("s ENDS WITH 'éw'", true),
            ("s CONTAINS 'dr'", true),
            ("s CONTAINS 'rd'", false),
            ("s LIKE 'A%r_w'", true),
            ("s LIKE 'A%r'", false),
            ("s NOT LIKE 'A%r'", true),
            ("s ILIKE 'aNDRÉ_'", true),
            ("s MATCHES '^A.*w$'", true),
            ("NOT s MATCHES 'x'", true),
            ("e STARTS WITH ''", true),
            ("e LIKE ''", true),
            ("n STARTS WITH ''", false),
            ("n NOT STARTS WITH ''", true),
            ("n LIKE '%'", false),
            ("z CONTAINS ''", false),
            ("none MATCHES ''", false),
            ("none NOT MATCHES ''", true),
            ("o STARTS WITH ''", false),
            ("o.s LIKE 'A%'", true),
            ("a LIKE '%'", false),
            ("a[*] LIKE 'y%z'", true),
            ("a[*] STARTS WITH 'y'", true),
            ("NOT a[*] STARTS WITH 'y'", false),
            ("a[0] ENDS WITH 'x'", true),
        ],
    );
}

#[test]
fn arrays_are_asked_for_any_and_all() {
    assert_matches(
        r#"{"a":[1,2,"x"],"e":[],"n":1,"tags":["p","q"],"i":[{"t":[1,2]},{"t":[3]},{"t":5}]}"#,
        &[
            ("a HAS ANY (7, 2)", true),
            ("a HAS ANY (7, 8)", false),
            ("a HAS ANY ()", false),
            ("a HAS ALL (1, 'x', 1)", true),
            ("a HAS ALL (1, 7)", false),
            ("a NOT HAS ALL (1, 7)", true),
            ("a HAS ALL ()", true),
            ("e HAS ALL ()", true),
            ("e HAS ALL (1)", false),
            ("n HAS ALL ()", false),
            ("n HAS ALL (1)", false),
            ("none HAS ALL ()", false),
            ("tags HAS ALL ('p', 'q')", true),
            ("i[*].t HAS ALL (1, 2)", true),
            ("i[*].t HAS ALL (1, 3)", false),
            ("i[*].t HAS ALL ()", true),
            ("i[2].t HAS ALL ()", false),
            ("i[*].t HAS ANY (3, 9)", true),
        ],
    );
    let with = |list: &str| {
        let filter = bound("a HAS ALL $l", &[("l", list)]).unwrap();
        with_doc(r#"{"a":[1,2]}"#, |doc| filter.matches(doc))
    };
    assert!(with("[2,1]") && with("[]") && !with("[3]"));
}

#[test]
fn a_beginning_is_a_range_of_keys() {
    assert_eq!(only("name STARTS WITH 'ab'").keys, keys_from("ab", Scalar::String));
    let like = bound("name LIKE 'ab%c' OR age = 1", &[]).unwrap();
    let [
        FilterNode::Test(prefix),
        FilterNode::Text(_),
        FilterNode::And(both),
        _,
        FilterNode::Or(either),
    ] = &like.nodes[..]
    else {
        panic!("{like:?}")
    };
    assert_eq!(
        (&prefix.keys, &both[..], &either[..]),
        (&keys_from("ab", Scalar::String), &[0, 1][..], &[2, 3][..])
    );
    assert_eq!(only("name LIKE 'ab%'").keys, keys_from("ab", Scalar::String));
    assert_eq!(bound("name ILIKE 'ab%'", &[]).unwrap().nodes.len(), 3);
    assert_eq!(bound("name ILIKE '%b'", &[]).unwrap().nodes.len(), 1);
}

/// What the collection of tests of formed strings declares.
static FORMED: LazyLock<Definition> = LazyLock::new(|| {
    let names = ["date", "time", "duration", "uuid", "email", "url", "ip"];
    let fields = names.iter().flat_map(|ty| {
        let field = |name: &str| format!(r#"{{"path":"{name}","type":"{ty}"}}"#);
        [field(ty), field(&format!("{ty}2"))]
    });
    let fields = fields.collect::<Vec<_>>().join(",");
    let json = format!(r#"{{"collection":"c","fields":[{fields}]}}"#);
    Definition::from_json(json.as_bytes(), &Limits::default()).unwrap()
});

fn formed(text: &str, json: &str) -> Result<bool> {
    let filter = bound_to(text, &FORMED, &[("p", "\"p\"")][..usize::from(text.contains('$'))])?;
    Ok(with_doc(json, |doc| filter.matches(doc)))
}

#[test]
fn strings_of_a_form_compare_as_what_they_say() {
    let json = r#"{"date":"2026-01-31","date2":"2026-02-01","time":"12:30:00","time2":"12:30:00.0",
        "duration":"90m","duration2":5400000,"uuid":"67E55044-10b1-426f-9247-bb680e5fe0c8",
        "uuid2":"67e55044-10b1-426f-9247-bb680e5fe0c8","email":"Ada@x.org","email2":"ada@x.org",
        "url":"https://x.org","url2":"https://x.org/","ip":"10.0.0.1","ip2":"::1",
        "text":"12:30:00","when":"2026-01-31T00:00:00Z"}"#;
    let cases = [
        ("date < '2026-02-01' AND date >= '2026-01-31'", true),
        ("date < date2", true),
        ("date < now() AND now() - date2 < duration('0s')", true),
        ("date = time('2026-01-31')", true),
        ("date2 - date = duration('1d')", true),
        ("date BETWEEN date AND '2026-01-31'", true),
        ("date = when", true),
        ("time = '12:30:00.000'", true),
        ("time = time2", true),
        ("time BETWEEN time2 AND '13:00:00'", true),
        ("time = text", false),
        ("duration = '1h 30m' AND duration = duration('PT90M') AND duration = 5400000", true),
        ("duration = duration2", true),
        ("duration > '89m 59.999999999s' AND duration < '90m 1ns'", true),
        ("duration * 2 = duration('3h')", true),
        ("duration > duration('1ns') / 3", true),
        ("time('2026-01-31T00:00:00Z') + duration > date", true),
        ("uuid = '67e55044-10B1-426f-9247-bb680e5fe0c8'", true),
        ("uuid = uuid2", true),
        ("uuid > '67e55044-10b1-426f-9247-bb680e5fe0c7'", true),
        ("email = 'Ada@x.org' AND email != email2 AND email ILIKE 'ada%'", true),
        ("url STARTS WITH 'https:' AND url != url2 AND url < url2", true),
        ("ip < '10.0.0.2' AND ip > '9.255.255.255' AND ip < ip2 AND ip < '::'", true),
        ("ip2 = '0:0::0:1' AND ip2 IN ('::1')", true),
    ];
    for (text, expected) in cases {
        assert_eq!(formed(text, json), Ok(expected), "{text}");
    }
    let other = r#"{"date":"2026-1-31","time":5,"duration":1.5,"uuid":"x","ip":"300.0.0.1","email":"x","url":"x"}"#;
    for name in ["date", "time", "duration", "uuid", "ip", "email", "url"] {
        for question in ["IS NULL", "IS MISSING", "= $"] {
            let text = format!("{name} {}", question.replace("= $", &format!("= {name}")));
            assert_eq!(formed(&text, other), Ok(false), "{text}");
        }
    }
}

#[test]
fn text_that_is_compared_keeps_to_the_form() {
    let error = |text: &str| formed(text, "{}").expect_err(text).to_string();
    let cases = [
        ("date = '2026-02-30'", "'2026-02-30' is no date, as field date is declared at position 7"),
        ("date = 5", "5 is no date, as field date is declared at position 7"),
        ("date BETWEEN date2 AND 'x'", "'x' is no date, as field date is declared at position 23"),
        ("time > '24:00:00'", "'24:00:00' is no time, as field time is declared at position 7"),
        ("duration = 1.5", "1.5 is no duration, as field duration is declared at position 11"),
        (
            "duration = '1 year'",
            "'1 year' is no duration, as field duration is declared at position 11",
        ),
        ("uuid IN ('x')", "'x' is no uuid, as field uuid is declared at position 9"),
        ("email = 'x'", "'x' is no email, as field email is declared at position 8"),
        ("url = 'x.org'", "'x.org' is no url, as field url is declared at position 6"),
        ("ip = '10.0.0'", "'10.0.0' is no ip, as field ip is declared at position 5"),
        ("ip < now()", "1769860800000 is an instant, and field ip is declared ip at position 5"),
        ("time + 1 = 2", "arithmetic takes numbers, and time is declared time at position 0"),
        (
            "ip STARTS WITH '10.'",
            "STARTS WITH asks for a string, and ip is declared ip at position 0",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(error(text), format!("FILTER {expected}"), "{text}");
    }
}

#[test]
fn parts_of_what_is_no_string_are_errors() {
    let cases: [(&str, Pairs, &str); 9] = [
        ("name LIKE 5", &[], "LIKE takes a string, found 5 at position 10"),
        ("name LIKE $p", &[("p", "5")], "LIKE takes a string, found 5 at position 10"),
        (
            "name STARTS WITH $p",
            &[("p", "[]")],
            "parameter $p is an array, expected a string, number or boolean at position 17",
        ),
        (
            "age CONTAINS '1'",
            &[],
            "CONTAINS asks for a string, and age is declared int at position 0",
        ),
        (
            "tags LIKE 'x'",
            &[],
            "LIKE asks for a string, and tags is declared array<string>; its elements are asked as tags[*] at position 0",
        ),
        (
            "_valid LIKE 'x'",
            &[],
            "LIKE asks for a string, and _valid is declared bool at position 0",
        ),
        (
            "name LIKE 'x\\'",
            &[],
            "a LIKE pattern ends in a single backslash; write two for one that is meant at position 10",
        ),
        ("name MATCHES '('", &[], "no regular expression: unclosed group at position 13"),
        (
            "tags HAS ANY $p",
            &[("p", "1")],
            "parameter $p after ANY is a number, expected an array at position 13",
        ),
    ];
    for (text, pairs, expected) in cases {
        assert_eq!(error(text, pairs), format!("FILTER {expected}"), "{text}");
    }
}

#[path = "compare_tests.rs"]
mod compare;
