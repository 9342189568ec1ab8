//! Tests of updates: each operation.

use super::*;
use crate::doc::parse_value;
use crate::doc::testing::parsed;

/// A second after midnight, 1 January 2026, and a millisecond.
pub(super) const NOW_MS: i64 = 1_767_225_601_001;

pub(super) const DEFINITION: &str = r#"{"collection":"t","fields":[
    {"path":"d","type":"decimal"},{"path":"i","type":"int"},{"path":"f","type":"float"},
    {"path":"t","type":"datetime"},{"path":"s","type":"string"},
    {"path":"ds","type":"array<decimal>"},{"path":"ts","type":"array<datetime>"},
    {"path":"items[*].price","type":"decimal"}]}"#;

fn path(text: &str) -> Path {
    Path::parse(text, 64).expect(text)
}

fn value(text: &str) -> Json {
    parse_value(text.as_bytes(), &Limits::default()).expect(text)
}

/// An operation as it is written: a verb, then what it takes, parted by blanks.
pub(super) fn op(text: &str) -> Op {
    if let Some(patch) = text.strip_prefix("MERGE ") {
        return Op::Merge(value(patch));
    }
    if let Some(patch) = text.strip_prefix("PATCH ") {
        return Op::Patch(value(patch));
    }
    let mut words = text.splitn(3, ' ');
    let mut word = || words.next().expect(text);
    let (verb, first) = (word(), word());
    let at = || path(first);
    match verb {
        "SET" => Op::Set(at(), value(word())),
        "UNSET" => Op::Unset(at()),
        "INCR" => Op::Incr(at(), value(word())),
        "MUL" => Op::Mul(at(), value(word())),
        "MIN" => Op::Min(at(), value(word())),
        "MAX" => Op::Max(at(), value(word())),
        "PUSH" => Op::Push(at(), value(word())),
        "POP" => Op::Pop(at(), words.next().map(|index| index.parse().expect(text))),
        "ADD" => Op::Add(at(), value(word())),
        "PULL" => Op::Pull(at(), value(word())),
        "RENAME" => Op::Rename(at(), path(word())),
        "TOGGLE" => Op::Toggle(at()),
        "TTL" => Op::Ttl(at(), word().parse().ok()),
        "NOW" => Op::Now(at(), words.next().map_or(0, |after| duration_ns(after).expect(text))),
        other => panic!("{other}"),
    }
}

pub(super) fn applied(doc: &str, ops: &[Op], limits: &Limits) -> Result<Vec<u8>> {
    let definition = Definition::from_json(DEFINITION.as_bytes(), limits).unwrap();
    let scope =
        Scope { definition: &definition, now_ms: NOW_MS, limits, functions: None, pace: None };
    let made = apply(parsed(doc).view(), ops, &scope)?.text;
    // Whatever was done, the text is valid and as short as it can be.
    assert_eq!(&*parse_value(&made, &Limits::none()).unwrap(), made.as_slice());
    Ok(made)
}

/// The text after the operations, or the error.
pub(super) fn made(doc: &str, ops: &[&str]) -> String {
    let ops: Vec<Op> = ops.iter().map(|text| op(text)).collect();
    match applied(doc, &ops, &Limits::default()) {
        Ok(text) => String::from_utf8(text).unwrap(),
        Err(error) => error.to_string(),
    }
}

#[track_caller]
fn expect(doc: &str, op: &str, result: &str) {
    assert_eq!(made(doc, &[op]), result, "{op} on {doc}");
}

/// The error of a first operation.
#[track_caller]
fn refuse(doc: &str, op: &str, code: &str, message: &str) {
    expect(doc, op, &format!("{code} operation 1: {message}"));
}

#[test]
fn set_replaces_and_makes() {
    expect(r#"{"a":1}"#, "SET a [2]", r#"{"a":[2]}"#);
    expect("{}", "SET a 1", r#"{"a":1}"#);
    expect(r#"{"a":1}"#, "SET b 2", r#"{"a":1,"b":2}"#);
    expect(r#"{"a":1}"#, "SET b.c.d 2", r#"{"a":1,"b":{"c":{"d":2}}}"#);
    expect(r#"{"a":{}}"#, "SET a.b 2", r#"{"a":{"b":2}}"#);
    expect(r#"{"a":[1,2]}"#, "SET a[1] \"x\"", r#"{"a":[1,"x"]}"#);
    expect(r#"{"a":[1,2]}"#, "SET a[2] 3", r#"{"a":[1,2,3]}"#);
    expect(r#"{"a":[]}"#, "SET a[0].b 3", r#"{"a":[{"b":3}]}"#);
    expect("{}", "SET a[0].b 3", r#"{"a":[{"b":3}]}"#);
    expect("{}", "SET `say`.`\"hi\"\n` 3", r#"{"say":{"\"hi\"\n":3}}"#);
    expect(r#"{"\u0061":1}"#, "SET a 3", r#"{"\u0061":3}"#);
    expect("{}", "SET größe.`日本😀` -0.0", r#"{"größe":{"日本😀":-0.0}}"#);
    expect(r#"{"a":[[1],[[2]]]}"#, "SET a[1][0][1] 1.50e+2", r#"{"a":[[1],[[2,1.50e+2]]]}"#);
}

#[test]
fn set_refuses_what_does_not_fit() {
    let beyond = "step 2 is beyond the end of an array of length 1 at path a[2]";
    refuse(r#"{"a":[1]}"#, "SET a[2] 3", "PATH", beyond);
    let none = "step 2 is beyond the end of an array that is not there at path a[1]";
    refuse("{}", "SET a[1] 3", "PATH", none);
    refuse(r#"{"a":1}"#, "SET a.b 3", "PATH", "step 2 cannot go into a number at path a.b");
    refuse(r#"{"a":null}"#, "SET a.b 3", "PATH", "step 2 cannot go into null at path a.b");
    refuse(r#"{"a":[]}"#, "SET a.b 3", "PATH", "step 2 cannot go into an array at path a.b");
    refuse(r#"{"a":{}}"#, "SET a[0] 3", "PATH", "step 2 cannot go into an object at path a[0]");
}

#[test]
fn no_operation_takes_every_element() {
    for op in [
        "SET a[*] 1",
        "UNSET a[*]",
        "INCR a[*] 1",
        "MUL a[*] 1",
        "MIN a[*] 1",
        "MAX a[*] 1",
        "PUSH a[*] 1",
        "POP a[*]",
        "ADD a[*] 1",
        "PULL a[*] 1",
        "RENAME a[*] b",
        "RENAME b a[*]",
        "TOGGLE a[*]",
        "NOW a[*]",
    ] {
        refuse("{}", op, "PATH", "a change needs a path without [*] at path a[*]");
    }
}

#[test]
fn unset_takes_one_comma_along() {
    expect(r#"{"a":1}"#, "UNSET a", "{}");
    expect(r#"{"a":1,"b":2,"c":3}"#, "UNSET a", r#"{"b":2,"c":3}"#);
    expect(r#"{"a":1,"b":2,"c":3}"#, "UNSET b", r#"{"a":1,"c":3}"#);
    expect(r#"{"a":1,"b":2,"c":3}"#, "UNSET c", r#"{"a":1,"b":2}"#);
    expect(r#"{"a":[1,2,3]}"#, "UNSET a[2]", r#"{"a":[1,2]}"#);
    expect(r#"{"a":[[1]]}"#, "UNSET a[0]", r#"{"a":[]}"#);
    for absent in ["b", "a.b", "a[1]", "a[0].x", "b.c"] {
        expect(r#"{"a":[1]}"#, &format!("UNSET {absent}"), r#"{"a":[1]}"#);
    }
}

#[test]
fn incr_is_exact() {
    for (stored, by, sum) in [
        ("1", "2", "3"),
        ("1.0", "-2", "-1"),
        ("1.5", "1", "2.5"),
        ("1e2", "1", "101"),
        ("-0.0", "0", "0"),
        ("9007199254740993", "1", "9007199254740994"),
        ("9223372036854775807", "1", "9223372036854775808"),
        ("18446744073709551615", "-9223372036854775808", "9223372036854775807"),
        ("0.1", "0.2", "0.30000000000000004"),
    ] {
        expect(
            &format!(r#"{{"a":{stored}}}"#),
            &format!("INCR a {by}"),
            &format!(r#"{{"a":{sum}}}"#),
        );
    }
    expect("{}", "INCR a.b 5", r#"{"a":{"b":5}}"#);
    expect("{}", "INCR a -0.0", r#"{"a":-0.0}"#);
    let overflow = "the sum is beyond the range of its type at path a";
    for (stored, by) in [
        ("18446744073709551615", "1"),
        ("-9223372036854775808", "-1"),
        ("1.7e308", "1.7e308"),
        ("1", "1e999"),
    ] {
        refuse(&format!(r#"{{"a":{stored}}}"#), &format!("INCR a {by}"), "OVERFLOW", overflow);
    }
    refuse(r#"{"a":"1"}"#, "INCR a 1", "PATH", "INCR needs a number, found a string at path a");
    let takes = "INCR takes a path and a number, found";
    refuse(r#"{"a":1}"#, "INCR a \"1\"", "ERR", &format!("{takes} a string at path a"));
    refuse("{}", "INCR a null", "ERR", &format!("{takes} null at path a"));
}

#[test]
fn mul_is_exact() {
    for (stored, by, product) in [
        ("3", "4", "12"),
        ("-3", "0.5", "-1.5"),
        ("4", "0.5", "2.0"),
        ("4294967296", "4294967295", "18446744069414584320"),
        ("-4294967296", "2147483648", "-9223372036854775808"),
        ("18446744073709551615", "1.0", "18446744073709551615"),
        ("-1.5", "0", "0.0"),
        ("1e-200", "1e-200", "0.0"),
        ("0.1", "3", "0.30000000000000004"),
    ] {
        let result = format!(r#"{{"a":{product}}}"#);
        expect(&format!(r#"{{"a":{stored}}}"#), &format!("MUL a {by}"), &result);
    }
    expect("{}", "MUL a.b 5", r#"{"a":{"b":0}}"#);
    let overflow = "the product is beyond the range of its type at path a";
    for (stored, by) in [
        ("4294967296", "4294967296"),
        ("18446744073709551615", "18446744073709551615"),
        ("-9223372036854775808", "18446744073709551615"),
        ("-4294967296", "2147483649"),
        ("1e200", "1e200"),
    ] {
        refuse(&format!(r#"{{"a":{stored}}}"#), &format!("MUL a {by}"), "OVERFLOW", overflow);
    }
    refuse(r#"{"a":[]}"#, "MUL a 1", "PATH", "MUL needs a number, found an array at path a");
    let takes = "MUL takes a path and a number, found a boolean at path a";
    refuse("{}", "MUL a true", "ERR", takes);
}

#[test]
fn decimals_are_computed_digit_for_digit_and_keep_their_kind() {
    expect(r#"{"d":"12.50"}"#, "INCR d 0.5", r#"{"d":"13.00"}"#);
    expect(r#"{"d":12.50}"#, "INCR d \"0.5\"", r#"{"d":13.00}"#);
    expect("{}", "INCR d \"0.50\"", r#"{"d":"0.50"}"#);
    expect(r#"{"d":"12.50"}"#, "MUL d 0.5", r#"{"d":"6.250"}"#);
    expect(r#"{"d":1e20}"#, "MUL d \"1e20\"", &format!(r#"{{"d":1{}}}"#, "0".repeat(40)));
    expect("{}", "MUL d \"1.50\"", r#"{"d":"0.00"}"#);
    expect(
        r#"{"items":[{"price":"0.1"}]}"#,
        "INCR items[0].price 0.2",
        r#"{"items":[{"price":"0.3"}]}"#,
    );
    refuse(
        r#"{"d":"x"}"#,
        "INCR d 1",
        "PATH",
        "INCR needs a decimal, found a string that is none at path d",
    );
    refuse(
        r#"{"d":"1"}"#,
        "MUL d \"x\"",
        "ERR",
        "MUL takes a path and a number, found a string at path d",
    );
    let sum = "the sum is beyond the range of its type at path d";
    refuse(r#"{"d":"1e9999"}"#, "INCR d 0.01", "OVERFLOW", sum);
    let product = "the product is beyond the range of its type at path d";
    refuse(r#"{"d":"1e9000"}"#, "MUL d \"1e9000\"", "OVERFLOW", product);
    refuse(r#"{"d":"1e-9000"}"#, "MUL d \"1e-9000\"", "OVERFLOW", product);
}

#[test]
fn min_and_max_follow_the_order_of_values() {
    let order = ["null", "false", "true", "-1e300", "1", "1.5", "\"\"", "\"é\"", "[]", "[1]", "{}"];
    for (at, low) in order.iter().enumerate() {
        for high in &order[at + 1..] {
            let (lower, higher) = (format!(r#"{{"a":{low}}}"#), format!(r#"{{"a":{high}}}"#));
            expect(&lower, &format!("MIN a {high}"), &lower);
            expect(&higher, &format!("MIN a {low}"), &lower);
            expect(&lower, &format!("MAX a {high}"), &higher);
            expect(&higher, &format!("MAX a {low}"), &higher);
        }
    }
    expect("{}", "MIN a.b 1", r#"{"a":{"b":1}}"#);
    expect("{}", "MAX a null", r#"{"a":null}"#);
    // Equal values stay as they are written.
    expect(r#"{"a":1.0}"#, "MIN a 1", r#"{"a":1.0}"#);
    expect(r#"{"a":1.0}"#, "MAX a 1e0", r#"{"a":1.0}"#);
    expect(r#"{"a":9007199254740993}"#, "MIN a 9007199254740992", r#"{"a":9007199254740992}"#);
}

#[test]
fn min_and_max_compare_under_the_declared_type() {
    expect(r#"{"d":"10"}"#, "MIN d \"9.5\"", r#"{"d":"9.5"}"#);
    expect(r#"{"d":"10"}"#, "MAX d 9.5", r#"{"d":"10"}"#);
    expect(r#"{"s":"10"}"#, "MIN s \"9.5\"", r#"{"s":"10"}"#);
    let (one, two) = ("2026-01-01T01:00:00+01:00", "2026-01-01T00:30:00Z");
    let doc = format!(r#"{{"t":"{one}"}}"#);
    expect(&doc, &format!("MIN t \"{two}\""), &doc);
    expect(&doc, &format!("MAX t \"{two}\""), &format!(r#"{{"t":"{two}"}}"#));
    refuse(r#"{"i":1}"#, "MIN i \"x\"", "SCHEMA", "MIN takes a value of the type int at path i");
    refuse("{}", "MAX t \"today\"", "SCHEMA", "MAX takes a value of the type datetime at path t");
}

#[test]
fn push_adds_at_the_end() {
    expect("{}", "PUSH a 1", r#"{"a":[1]}"#);
    expect("{}", "PUSH a.b[0] {}", r#"{"a":{"b":[[{}]]}}"#);
    expect(r#"{"a":[]}"#, "PUSH a null", r#"{"a":[null]}"#);
    expect(r#"{"a":[1],"b":2}"#, "PUSH a [2]", r#"{"a":[1,[2]],"b":2}"#);
    expect(r#"{"a":[[1],[]]}"#, "PUSH a[1] 2", r#"{"a":[[1],[2]]}"#);
    refuse(r#"{"a":{}}"#, "PUSH a 1", "PATH", "PUSH needs an array, found an object at path a");
    refuse(r#"{"a":1}"#, "PUSH a.b 1", "PATH", "step 2 cannot go into a number at path a.b");
}

#[test]
fn pop_takes_from_either_end() {
    let doc = r#"{"a":["x",[2],{"y":3}]}"#;
    expect(doc, "POP a", r#"{"a":["x",[2]]}"#);
    expect(doc, "POP a 0", r#"{"a":[[2],{"y":3}]}"#);
    expect(doc, "POP a 1", r#"{"a":["x",{"y":3}]}"#);
    expect(doc, "POP a -1", r#"{"a":["x",[2]]}"#);
    expect(doc, "POP a -3", r#"{"a":[[2],{"y":3}]}"#);
    for beyond in ["3", "-4", "9223372036854775807", "-9223372036854775808"] {
        expect(doc, &format!("POP a {beyond}"), doc);
    }
    for nothing in ["b", "a[0].b", "a.b", "a[7]"] {
        expect(doc, &format!("POP {nothing}"), doc);
    }
    expect(r#"{"a":[]}"#, "POP a", r#"{"a":[]}"#);
    refuse(doc, "POP a[0]", "PATH", "POP needs an array, found a string at path a[0]");
}

#[test]
fn add_and_pull_know_equal_elements() {
    for (stored, same) in [
        ("1", "1.0"),
        ("-0.0", "0"),
        ("1e2", "100"),
        ("18446744073709551615", "18446744073709551615.0"),
        ("\"é\"", "\"\\u00e9\""),
        ("{\"x\":1,\"y\":[2.0]}", "{\"y\":[2],\"x\":1e0}"),
        ("[1,[null]]", "[1.0,[null]]"),
        ("null", "null"),
    ] {
        let doc = format!(r#"{{"a":[7,{stored},"z",{stored}]}}"#);
        expect(&doc, &format!("ADD a {same}"), &doc);
        expect(&doc, &format!("PULL a {same}"), r#"{"a":[7,"z"]}"#);
    }
    for (stored, other) in
        [("1", "\"1\""), ("1", "true"), ("[1]", "1"), ("null", "0"), ("{}", "[]")]
    {
        let doc = format!(r#"{{"a":[{stored}]}}"#);
        expect(&doc, &format!("ADD a {other}"), &format!(r#"{{"a":[{stored},{other}]}}"#));
        expect(&doc, &format!("PULL a {other}"), &doc);
    }
    expect("{}", "ADD a.b 1", r#"{"a":{"b":[1]}}"#);
    expect("{}", "PULL a.b 1", "{}");
    expect(r#"{"a":[1,1]}"#, "PULL a 1", r#"{"a":[]}"#);
    refuse(r#"{"a":1}"#, "ADD a 1", "PATH", "ADD needs an array, found a number at path a");
    refuse(r#"{"a":"1"}"#, "PULL a 1", "PATH", "PULL needs an array, found a string at path a");
}

#[test]
fn elements_are_equal_under_their_declared_type() {
    expect(r#"{"ds":["1.50"]}"#, "ADD ds 1.5", r#"{"ds":["1.50"]}"#);
    expect(r#"{"ds":["1.50",2]}"#, "PULL ds \"1.5e0\"", r#"{"ds":[2]}"#);
    let doc = r#"{"ts":["2026-01-01T00:00:00Z"]}"#;
    expect(doc, "ADD ts 1767225600000", doc);
    expect(doc, "PULL ts \"2026-01-01T01:00:00+01:00\"", r#"{"ts":[]}"#);
}

#[test]
fn rename_moves_a_value() {
    expect(r#"{"a":1,"b":2}"#, "RENAME a c", r#"{"b":2,"c":1}"#);
    expect(r#"{"a":1,"b":2}"#, "RENAME a b", r#"{"b":1}"#);
    expect(r#"{"a":{"b":{"c":[1.50]}}}"#, "RENAME a.b.c x.y", r#"{"a":{"b":{}},"x":{"y":[1.50]}}"#);
    // Onto what it stands in.
    expect(r#"{"a":{"b":1}}"#, "RENAME a.b a", r#"{"a":1}"#);
    // Where an element has gone, those behind it move up.
    expect(r#"{"a":[1,2,3]}"#, "RENAME a[0] a[2]", r#"{"a":[2,3,1]}"#);
    expect(r#"{"a":[1,2,3]}"#, "RENAME a[0] a[1]", r#"{"a":[2,1]}"#);
    for (from, to) in [("a", "a"), ("b", "c"), ("a.b", "c"), ("a[0]", "c")] {
        expect(r#"{"a":1}"#, &format!("RENAME {from} {to}"), r#"{"a":1}"#);
    }
    refuse(r#"{"a":{}}"#, "RENAME a a.b", "PATH", "a cannot move into itself at path a.b");
    refuse(
        r#"{"a":1,"b":2}"#,
        "RENAME a b.c",
        "PATH",
        "step 2 cannot go into a number at path b.c",
    );
}

#[test]
fn toggle_turns_booleans() {
    expect(r#"{"a":true}"#, "TOGGLE a", r#"{"a":false}"#);
    expect(r#"{"a":[false]}"#, "TOGGLE a[0]", r#"{"a":[true]}"#);
    expect("{}", "TOGGLE a.b", r#"{"a":{"b":true}}"#);
    refuse(r#"{"a":null}"#, "TOGGLE a", "PATH", "TOGGLE needs a boolean, found null at path a");
    refuse(r#"{"a":1}"#, "TOGGLE a", "PATH", "TOGGLE needs a boolean, found a number at path a");
}

#[test]
fn now_is_the_time_of_the_update() {
    expect("{}", "NOW a.b", r#"{"a":{"b":"2026-01-01T00:00:01.001Z"}}"#);
    expect(r#"{"t":0}"#, "NOW t", r#"{"t":"2026-01-01T00:00:01.001Z"}"#);
    expect(r#"{"t":0}"#, "NOW t 1m", r#"{"t":"2026-01-01T00:01:01.001Z"}"#);
    expect("{}", "NOW t -1d 1ms", r#"{"t":"2025-12-31T00:00:01Z"}"#);
    expect("{}", "NOW a 1ns", r#"{"a":"2026-01-01T00:00:01.001000001Z"}"#);
    expect("{}", "NOW i 30s", r#"{"i":1767225631001}"#);
    expect("{}", "NOW i -1ns", r#"{"i":1767225601000}"#);
    expect("{}", "NOW f", r#"{"f":1767225601001}"#);
    expect("{}", "NOW d", r#"{"d":1767225601001}"#);
    let beyond = "NOW is beyond the years 0000 to 9999 at path";
    refuse("{}", "NOW a 10000000d", "OVERFLOW", &format!("{beyond} a"));
    refuse("{}", "NOW i -10000000d", "OVERFLOW", &format!("{beyond} i"));
    assert_eq!(duration_ns(&format!("{}w", "9".repeat(40))), None);
    for none in ["", "x", "30", "1d 3", "UNSET", "POP", "PUSH", "P", "PATCH", "PX", "1mo"] {
        assert_eq!(duration_ns(none), None, "{none}");
    }
}

#[test]
fn operations_apply_in_order_to_what_the_one_before_made() {
    let ops = ["SET a.b 1", "INCR a.b 1", "RENAME a c", "PUSH c.d 1", "UNSET c.b", "MUL c.d[0] 8"];
    assert_eq!(made("{}", &ops), r#"{"c":{"d":[8]}}"#);
    let error = "PATH operation 2: step 2 cannot go into a number at path a.b";
    assert_eq!(made("{}", &["SET a 1", "SET a.b 1"]), error);
}

#[test]
fn results_keep_the_limits_after_each_operation() {
    let limits = Limits { depth_max: 3, document_bytes_max: 20, ..Limits::default() };
    let try_on = |doc: &str, ops: &[&str]| {
        let ops: Vec<Op> = ops.iter().map(|text| op(text)).collect();
        let definition = Definition::new("t");
        let scope = Scope {
            definition: &definition,
            now_ms: NOW_MS,
            limits: &limits,
            functions: None,
            pace: None,
        };
        match apply(parsed(doc).view(), &ops, &scope) {
            Ok(made) => String::from_utf8(made.text).unwrap(),
            Err(error) => error.to_string(),
        }
    };
    assert_eq!(try_on("{}", &["SET a.b [1]"]), r#"{"a":{"b":[1]}}"#);
    let deep = |number: usize, depth: usize, place: &str| {
        format!(
            "TOOBIG operation {number}: depth {depth} exceeds the limit of 3 (folio.depth-max) at {place}"
        )
    };
    assert_eq!(try_on("{}", &["SET a.b [[]]"]), deep(1, 4, "path a.b"));
    assert_eq!(try_on("{}", &["PUSH a.b.c 1"]), deep(1, 4, "path a.b.c"));
    assert_eq!(try_on(r#"{"a":{"b":[]}}"#, &["PUSH a.b {}"]), deep(1, 4, "path a.b[*]"));
    assert_eq!(try_on(r#"{"a":{"b":[]}}"#, &["ADD a.b {}"]), deep(1, 4, "path a.b[*]"));
    assert_eq!(try_on(r#"{"a":[[]]}"#, &["UNSET b", "RENAME a c.d"]), deep(2, 4, "path c.d"));
    let patch = r#"PATCH [{"op":"copy","from":"/a","path":"/a/b/c"}]"#;
    let copied = try_on(r#"{"a":{"b":{}}}"#, &[patch]);
    assert!(
        copied.starts_with("TOOBIG operation 1: change 1 of PATCH: depth 5 exceeds"),
        "{copied}"
    );
    let long = |length: usize| {
        format!(
            "TOOBIG operation 1: a document of {length} bytes exceeds the limit of 20 bytes (folio.document-bytes-max)"
        )
    };
    assert_eq!(try_on("{}", &["SET a \"123456789012345678\"", "UNSET a"]), long(26));
    assert_eq!(try_on(r#"{"a":"123"}"#, &[r#"MERGE {"b":"345"}"#]), long(21));
}

#[test]
fn bytes_gone_through_have_a_limit() {
    let limits = Limits { update_bytes_max: 1000, ..Limits::default() };
    let doc = format!(r#"{{"a":[{}1]}}"#, "1,".repeat(40));
    let count = |text: &str, times: usize| applied(&doc, &vec![op(text); times], &limits);
    let told = "the command goes through more than 1000 bytes of documents (folio.update-bytes-max): split it";
    for (text, fits) in [("TOGGLE b", 10), ("PUSH b 1", 9), ("ADD a 1", 1), ("PULL a 2", 1)] {
        assert!(count(text, fits).is_ok(), "{text}");
        let error = count(text, fits + 2).unwrap_err().to_string();
        assert!(
            error.starts_with("LIMITED operation ") && error.ends_with(told),
            "{text}: {error}"
        );
    }
    let there_and_back = [op("RENAME a b"), op("RENAME b a")];
    assert!(applied(&doc, &there_and_back, &limits).is_ok());
    let error = applied(&doc, &[there_and_back.clone(), there_and_back].concat(), &limits)
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("LIMITED operation 4: "), "{error}");
    let test = r#"{"op":"test","path":"/b","value":[]},"#;
    let patch = format!("PATCH [{}{}]", test.repeat(20), r#"{"op":"remove","path":"/b"}"#);
    let error = applied(&doc.replace('}', r#","b":[]}"#), &[op(&patch)], &limits).unwrap_err();
    assert!(error.to_string().contains(told), "{error}");
}
