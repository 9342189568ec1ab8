//! Tests of what is computed, and of elements.

use bigdecimal::BigDecimal;

use super::*;

#[test]
fn values_are_computed() {
    assert_matches(
        r#"{"a":7,"b":2,"f":0.5,"big":9223372036854775807,"s":"x","z":null,"l":[1,5],"age":3,
            "score":2.5,"price":"0.10","active":true,"name":"n","u":18446744073709551615}"#,
        &[
            ("a + b = 9", true),
            ("a - b * 2 = 3", true),
            ("(a - b) * 2 = 10", true),
            ("a / b = 3.5", true),
            ("6 / b = 3", true),
            ("a % b = 1", true),
            ("-a % b = -1", true),
            ("-a < b", true),
            ("a > b", true),
            ("a = age + 4", true),
            ("big + 1 = 9223372036854775808", true),
            ("big * 4 = 36893488147419103228", true),
            ("u * u > 3e38", true),
            ("u + f > 18446744073709551615", true),
            ("f + f = 1", true),
            ("a / 0 = 0", false),
            ("NOT a / 0 = 0", true),
            ("a % 0 >= 0", false),
            ("a + z > 0", false),
            ("a + gone != 5", true),
            ("a + s > 0", false),
            ("s = s", true),
            ("z = z", false),
            ("l = l", false),
            ("active = active", true),
            ("s > name", true),
            ("a > s", false),
            ("l[*] * 2 = 10", true),
            ("a > l[*]", true),
            ("b > l[*] + 3", false),
            ("a BETWEEN l[*] AND 9", true),
            ("a + 1 BETWEEN b AND a + 1", true),
            ("a + b IN (1, 9)", true),
            ("a + b IN ('x', 9.0)", true),
            ("a > 3 + 4", false),
            ("a >= 3 + 4", true),
            ("7 = 3 + 4", true),
            ("'a' < 'b' AND NOT 'a' < 1", true),
            ("a = 1 / 0", false),
            ("price * 3 = 0.3", true),
            ("price * 3 = '0.30'", true),
            ("price + f = 0.6", true),
            ("price / 3 > 0.0333333333333333333333333333333333", true),
            ("price / 3 < 0.0333333333333333333333333333333334", true),
            ("price > 0.05 + 0.05", false),
            ("price >= 0.05 + 0.05", true),
            ("score > age - 1", true),
        ],
    );
}

#[test]
fn instants_are_milliseconds() {
    assert_matches(
        r#"{"created":"2026-01-31T11:59:59.5Z","due":1769860800000,"ms":1769860800000,
            "text":"2026-01-31T13:00:00+01:00","half":0.5,"age":5,"price":"1769860800000.0"}"#,
        &[
            ("created < now()", true),
            ("due = now()", true),
            ("ms = now()", true),
            ("text = now()", true),
            ("half < now()", false),
            ("price = now()", true),
            ("age < now()", true),
            ("created > now() - duration('1s')", true),
            ("created > now() - duration('0.5s')", false),
            ("created = now() - duration('500ms')", true),
            ("created = now() - 500", true),
            ("due - created = 500", true),
            ("due - created = duration('PT0.5S')", true),
            ("created + duration('500ms') = due", true),
            ("created < due", true),
            ("created < text", true),
            ("ms - created = 500", true),
            ("created >= '2026-01-31T11:59:59.5Z'", true),
            ("created >= time('2026-01-31')", true),
            ("created < time('2026-02-01')", true),
            ("created < time(1769860800000)", true),
            ("ms < time('2026-02-01') - duration('-1d 2h')", true),
            ("now() - time('2026-01-31') = duration('12h')", true),
            ("created IN (now(), time('2026-01-31T11:59:59.5Z'))", true),
            ("created BETWEEN time('2026-01-31') AND now()", true),
            ("created + 0.000001 > '2026-01-31T11:59:59.5Z'", true),
            ("half < 1 AND half + due > due", true),
        ],
    );
    // Milliseconds beyond what a datetime may be are none, as under an index.
    assert_matches(
        r#"{"created":9007199254740993,"due":9007199254740992}"#,
        &[
            ("created > 0", false),
            ("created - 1 > 0", false),
            ("created = created", false),
            ("due - 1 > 0", true),
        ],
    );
    let keyed = only("created > now() - duration('1d')");
    assert_eq!(keyed.keys, only("created > '2026-01-30T12:00:00Z'").keys);
    assert_eq!(only("other > now()").scalar, Scalar::DateTime);
}

#[test]
fn elements_are_instants_beside_one() {
    assert_matches(
        r#"{"a":["2026-01-01T01:00:00+01:00",1,"x"],"i":[{"t":["2026-01-01T00:00:00Z",1]},{"t":[2]}]}"#,
        &[
            ("a HAS time('2026-01-01')", true),
            ("a HAS time('2026-01-02')", false),
            ("a HAS ANY (time('2026-01-01'), 7)", true),
            ("a HAS ANY (time('2026-01-02'), 1)", true),
            ("a HAS ALL (time('2026-01-01'), 1)", true),
            ("a HAS ALL (time('2026-01-01'), 2)", false),
            ("i[*].t HAS ALL (time('2026-01-01'), 1)", true),
            ("i[*].t HAS ALL (time('2026-01-01'), 2)", false),
        ],
    );
}

#[test]
fn durations_have_units() {
    let cases = [
        ("1d 3h", Some("97200000")),
        ("1d3h", Some("97200000")),
        ("1.5h", Some("5400000")),
        ("-30m", Some("-1800000")),
        ("1w", Some("604800000")),
        ("1 s 5 ms", Some("1005")),
        ("2us", Some("0.002")),
        ("1ns", Some("0.000001")),
        ("PT1H30M", Some("5400000")),
        ("P1DT12H", Some("129600000")),
        ("P1W", Some("604800000")),
        ("-PT1S", Some("-1000")),
        ("", None),
        ("5", None),
        ("h", None),
        ("1y", None),
        ("1hx", None),
        ("1..5h", None),
        ("P1M", None),
        ("P1Y", None),
        ("--1h", None),
    ];
    for (text, expected) in cases {
        let found = crate::query::constant::duration(text);
        let expected = expected.map(|text| text.parse::<BigDecimal>().unwrap());
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn kinds_are_those_of_json() {
    assert_matches(
        r#"{"s":"x","n":1,"t":true,"a":[1,"x"],"o":{},"z":null,"price":"1.5","age":"x"}"#,
        &[
            ("s IS STRING", true),
            ("n IS NUMBER", true),
            ("t IS BOOLEAN", true),
            ("a IS ARRAY", true),
            ("o IS OBJECT", true),
            ("n IS STRING", false),
            ("n IS NOT STRING", true),
            ("z IS OBJECT", false),
            ("gone IS NOT OBJECT", true),
            ("price IS STRING", true),
            ("price IS NUMBER", false),
            ("age IS STRING", true),
            ("a[*] IS STRING", true),
            ("a[*] IS OBJECT", false),
        ],
    );
}

#[test]
fn elements_are_asked_together() {
    assert_matches(
        r#"{"i":[{"k":"x","q":1,"t":[1,2]},{"k":"y","q":5,"t":[3]},7],"e":[],"n":5,"s":[1,5,9],
            "m":[[1,2],[3]],"tags":["p","q"],"d":[{"i":[{"v":1}]},{"i":[{"v":2},{"v":3}]}]}"#,
        &[
            ("ANY i WHERE (k = 'x' AND q = 1)", true),
            ("ANY i WHERE (k = 'x' AND q = 5)", false),
            ("i[*].k = 'x' AND i[*].q = 5", true),
            ("ANY i WHERE (k = 'y' AND q > 2 AND t HAS 3)", true),
            ("ANY i WHERE (k IS MISSING)", true),
            ("ANY i WHERE (@ = 7)", true),
            ("ANY i WHERE (@ = 8)", false),
            ("ANY i WHERE (@ IS NUMBER AND k IS MISSING)", true),
            ("ALL i WHERE (q > 0)", false),
            ("ALL i WHERE (q > 0 OR @ = 7)", true),
            ("ALL e WHERE (q > 0)", true),
            ("ANY e WHERE (q > 0 OR NOT q > 0)", false),
            ("ALL gone WHERE (TRUE = TRUE)", false),
            ("ALL n WHERE (@ = 5)", false),
            ("ANY n WHERE (@ = 5)", false),
            ("NOT ANY n WHERE (@ = 5)", true),
            ("ANY s WHERE (@ > 1 AND @ < 9)", true),
            ("ANY s WHERE (@ > 5 AND @ < 9)", false),
            ("ALL s WHERE (@ BETWEEN 1 AND 9)", true),
            ("ANY m WHERE (ANY @ WHERE (@ = 3))", true),
            ("ANY m WHERE (ALL @ WHERE (@ > 0 AND @ < 3))", true),
            ("ALL m WHERE (ANY @ WHERE (@ = 3))", false),
            ("ANY m[*] WHERE (@ = 3)", true),
            ("ALL m[*] WHERE (@ = 3)", true),
            ("ALL m[*] WHERE (@ > 3)", false),
            ("ANY m WHERE (@[0] + 1 = @[1])", true),
            ("ANY tags WHERE (@ LIKE 'p%' AND @ != 'q')", true),
            ("ANY d WHERE (ANY i WHERE (v = 2) AND ANY i WHERE (v = 3))", true),
            ("ANY d WHERE (ANY i WHERE (v = 1) AND ANY i WHERE (v = 2))", false),
            ("ANY d[*].i WHERE (v = 3 AND v > 2)", true),
            ("ANY i WHERE (q * 2 = 10)", true),
            ("ANY i WHERE (NOT (k = 'x' OR k = 'y') AND NOT (@ = 8))", true),
        ],
    );
    // One condition on an element is a question of any value, which an index can answer.
    let only = only("ANY i WHERE (k = 'x')");
    assert_eq!(
        (only.path().unwrap().to_string().as_str(), only.text.to_string().as_str()),
        ("i[*].k", "ANY i WHERE (k = 'x')")
    );
    let narrowed = bound("ANY i WHERE (k = 'x' AND q > 2)", &[]).unwrap();
    let Some(FilterNode::And(parts)) = narrowed.nodes.last() else { panic!("{narrowed:?}") };
    assert_eq!(parts.len(), 3);
}

#[test]
fn a_bound_without_a_value_leaves_the_other_parameter_used() {
    let pairs = [("low", "1"), ("high", "9")];
    let filter = bound("a BETWEEN $low / 0 AND $high", &pairs).unwrap();
    assert_eq!(filter.nodes, [FilterNode::Nothing]);
    let found = bound("a BETWEEN $low / 0 AND 'x' + $high", &pairs).unwrap_err();
    assert!(found.to_string().contains("arithmetic takes numbers"), "{found}");
}

#[test]
fn what_cannot_be_computed_is_an_error() {
    let cases: [(&str, Pairs, &str); 17] = [
        ("a + 'x' > 1", &[], "arithmetic takes numbers, found 'x' at position 4"),
        ("a + TRUE > 1", &[], "arithmetic takes numbers, found TRUE at position 4"),
        ("a + $x > 1", &[("x", "\"y\"")], "arithmetic takes numbers, found 'y' at position 4"),
        ("1 + 'x' > 1", &[], "arithmetic takes numbers, found 'x' at position 4"),
        (
            "name + 1 > 1",
            &[],
            "arithmetic takes numbers, and name is declared string at position 0",
        ),
        (
            "first-nick = 'x'",
            &[],
            "first - nick is a number, and compared with 'x' (a name with '-' takes back-quotes) at position 13",
        ),
        ("a + 1 = TRUE", &[], "a + 1 is a number, and compared with TRUE at position 8"),
        (
            "a[*] > b[*]",
            &[],
            "b[*] is a second path with [*] in one comparison: ANY array WHERE (..) compares within one element at position 7",
        ),
        (
            "a > time('x')",
            &[],
            "'x' is no time: RFC 3339 text, such as '2026-01-31T12:00:00Z', or a date at position 9",
        ),
        ("a > time(1.5)", &[], "1.5 is no time: integer milliseconds since 1970 at position 9"),
        (
            "a > duration('1y')",
            &[],
            "'1y' is no duration, such as '1d 3h', '1.5h' or 'PT90M' at position 13",
        ),
        ("a > duration(5)", &[], "5 is no duration at position 13"),
        (
            "name > now()",
            &[],
            "1769860800000 is an instant, and field name is declared string at position 7",
        ),
        ("created - 5 > 'abc'", &[], "'abc' is no time (RFC 3339) at position 14"),
        ("_key IS STRING", &[], "_key is no part of the text; it has one type at position 0"),
        (
            "_key HAS 1",
            &[],
            "HAS asks for an element, and field _key is declared string, no array at position 0",
        ),
        (
            "ANY name WHERE (@ = 1)",
            &[],
            "ANY asks for elements, and field name is declared string, no array at position 4",
        ),
    ];
    for (text, pairs, expected) in cases {
        assert_eq!(error(text, pairs), format!("FILTER {expected}"), "{text}");
    }
}

#[test]
fn two_values_are_folded_where_one_of_them_is_nocase() {
    let cases = [
        ("mail = other", true),
        ("other = mail", true),
        ("name < mail", false),
        // Each pair by itself: a BETWEEN x AND y is a >= x AND a <= y.
        ("other BETWEEN mail AND name", false),
        ("other BETWEEN mail AND mail", true),
        ("mail BETWEEN other AND name", true),
        ("'ab' = mail", true),
        ("'ab' = other", false),
        ("mail IN ('x', 'aB')", true),
    ];
    for (text, expected) in cases {
        let filter = bound(text, &[]).unwrap();
        let json = r#"{"mail":"AB","name":"AB","other":"Ab"}"#;
        let found = with_doc(json, |doc| filter.matches(doc));
        assert_eq!(found, expected, "{text}");
    }
    let refused = "FILTER arithmetic takes numbers, and mail is declared string at position 0";
    assert_eq!(error("mail + 1 = 2", &[]), refused);
    let refused = "FILTER 5 is no string, as field mail is declared at position 7";
    assert_eq!(error("mail = 5", &[]), refused);
}
