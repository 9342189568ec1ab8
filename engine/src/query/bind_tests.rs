//! Tests of binding.

use super::*;
use crate::doc::DocRef;
use crate::query::{Scratch, parse};

/// What the collection of these tests declares.
fn typing(path: &Path) -> Typing {
    match path.to_string().as_str() {
        "age" => Typing::Scalar(Scalar::Int),
        "score" => Typing::Scalar(Scalar::Float),
        "active" => Typing::Scalar(Scalar::Bool),
        "price" => Typing::Scalar(Scalar::Decimal),
        "created" => Typing::Scalar(Scalar::DateTime),
        "extra" => Typing::Scalar(Scalar::Json),
        "tags" => Typing::Array(Scalar::String),
        "name" | "tags[*]" => Typing::Scalar(Scalar::String),
        _ => Typing::Undeclared,
    }
}

fn bound(text: &str, pairs: &[(&str, &str)]) -> Result<Filter> {
    let limits = Limits::default();
    let params = Params::new(pairs.iter().map(|(name, json)| (*name, json.as_bytes())), &limits)?;
    bind_typed(&parse(text, &limits)?, &typing, &params, &limits)
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
    let bound = |text: &str, definition: &Definition| {
        bind(&parse(text, &limits).unwrap(), definition, &Params::default(), &limits)
    };
    for path in ["a", "a.b", "tags[*]", "tags[2]", "free.x[1]", "items", "items[3].sku"] {
        assert!(bound(&format!("{path} IS MISSING"), &definition).is_ok(), "{path}");
    }
    assert!(bound("tags HAS 'x'", &definition).is_ok());
    for path in ["b", "a.c", "a.b.c", "tags.x", "tags[1].x", "a.b[1]", "items.sku"] {
        let found = bound(&format!("a.b = 1 AND {path}"), &definition).unwrap_err();
        let expected =
            format!("FILTER collection 'c' is STRICT and declares no {path} at position 12");
        assert_eq!(found.to_string(), expected);
    }
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
    let mut scratch = Scratch::default();
    with_doc(json, |doc| filter.matches(doc, true, &mut scratch))
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
    let mut scratch = Scratch::default();
    assert!(with_doc("{}", |doc| Filter::all().matches(doc, true, &mut scratch)));
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
    assert_eq!(only("other HAS 'x'").path.to_string(), "other[*]");
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
    let texts: Vec<&str> = filter
        .nodes
        .iter()
        .filter_map(|node| match node {
            FilterNode::Test(test) => Some(&*test.text),
            _ => None,
        })
        .collect();
    assert_eq!(texts, ["n >= 5", "s IN ('a', 'b')", "t = 'it''s'"]);
    let literals = bound("n >= 5 AND s IN ('a', 'b') AND t = 'it''s'", &[]).unwrap();
    assert_eq!(filter, literals);
    let many = bound("n IN $l", &[("l", "[1,2,3,4,5,6,7,8,9,10]")]).unwrap();
    let Some(FilterNode::Test(test)) = many.nodes.last() else { panic!("{many:?}") };
    assert_eq!(&*test.text, "n IN (1, 2, 3, 4, 5, 6, 7, 8, .. 2 more)");
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
        with_doc(r#"{"a":[1,2]}"#, |doc| filter.matches(doc, true, &mut Scratch::default()))
    };
    assert!(with("[2,1]") && with("[]") && !with("[3]"));
}

#[test]
fn a_beginning_is_a_range_of_keys() {
    assert_eq!(only("name STARTS WITH 'ab'").keys, keys_from("ab"));
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
        (&keys_from("ab"), &[0, 1][..], &[2, 3][..])
    );
    assert_eq!(bound("name ILIKE 'ab%'", &[]).unwrap().nodes.len(), 1);
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
