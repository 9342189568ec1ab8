//! What operations make of the parts with a TTL.

use super::tests::op;
use super::*;
use crate::doc::testing::parsed;
use crate::doc::timed::{TimedPath, each_timed, write_timed};

const NOW_MS: i64 = 1_000;

/// The document after the operations, and the parts with a TTL that it has then; or the error.
fn made(doc: &str, timed: &[(&str, i64)], ops: &[&str]) -> String {
    let part = |(path, at_ms): &(&str, i64)| TimedPath {
        path: Path::parse(path, 9).unwrap(),
        at_ms: *at_ms,
    };
    let timed = write_timed(&timed.iter().map(part).collect::<Vec<_>>()).unwrap();
    let mut doc = parsed(doc);
    doc.set_timed(&timed);
    let ops: Vec<Op> = ops.iter().map(|text| op(text)).collect();
    let (definition, limits) = (Definition::new("t"), Limits::default());
    let scope = Scope {
        definition: &definition,
        now_ms: NOW_MS,
        limits: &limits,
        functions: None,
        pace: None,
    };
    match apply(doc.view(), &ops, &scope) {
        Ok(Edited { text, timed, .. }) => {
            let timed = each_timed(&timed).map(|(at_ms, path)| format!(" {path}@{at_ms}"));
            String::from_utf8(text).unwrap() + &timed.collect::<String>()
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_ttl_is_given_and_taken() {
    let given = made(r#"{"a":1,"b":{"c":2}}"#, &[], &["TTL a 5", "TTL b.c 7", "TTL a 6"]);
    assert_eq!(given, r#"{"a":1,"b":{"c":2}} a@1006 b.c@1007"#);
    assert_eq!(made("{}", &[], &["SET a 1", "TTL a 5"]), r#"{"a":1} a@1005"#);
    assert_eq!(made(r#"{"a":1}"#, &[("a", 5)], &["TTL a NONE", "TTL b NONE"]), r#"{"a":1}"#);
    let nothing = "PATH operation 1: nothing that a TTL could be of at path b";
    assert_eq!(made(r#"{"a":1}"#, &[], &["TTL b 5"]), nothing);
    let index = "PATH operation 1: a TTL is of a path of names, without an index at path a[0]";
    assert_eq!(made(r#"{"a":[1]}"#, &[], &["TTL a[0] 5"]), index);
    let far = "OVERFLOW operation 1: the TTL is out of range at path a";
    assert_eq!(made(r#"{"a":1}"#, &[], &["TTL a 9223372036854775807"]), far);
}

#[test]
fn another_value_has_no_ttl_and_one_that_is_counted_on_keeps_it() {
    let doc = r#"{"n":1,"l":[1],"o":{"x":1,"y":2},"t":true}"#;
    let timed = [("n", 1), ("l", 2), ("o.x", 3), ("t", 4)];
    let all = " l@2 n@1 o.x@3 t@4";
    let timed_after = |ops: &[&str]| {
        let made = made(doc, &timed, ops);
        made.split_once(' ').map_or(String::new(), |(_, timed)| format!(" {timed}"))
    };
    for op in [
        "INCR n 2",
        "MUL n 2",
        "MIN n 0",
        "MAX n 5",
        "PUSH l 2",
        "ADD l 3",
        "PULL l 1",
        "POP l",
        "TOGGLE t",
        "SET o.y 3",
        "UNSET o.y",
        "SET z 1",
        "RENAME z n",
    ] {
        assert_eq!(timed_after(&[op]), all, "{op}");
    }
    for op in ["SET n 1", "NOW n", "UNSET n", "RENAME l n", "RENAME n z.n"] {
        let left = match op {
            "RENAME l n" => " n@2 o.x@3 t@4",
            "RENAME n z.n" => " l@2 o.x@3 t@4 z.n@1",
            _ => " l@2 o.x@3 t@4",
        };
        assert_eq!(timed_after(&[op]), left, "{op}");
    }
    assert_eq!(timed_after(&["RENAME o p"]), " l@2 n@1 p.x@3 t@4");
    assert_eq!(timed_after(&["SET o {\"x\":1}"]), " l@2 n@1 t@4");
    assert_eq!(timed_after(&["MAX o 5"]), all, "an object is above");
    assert_eq!(timed_after(&["MIN o 5"]), " l@2 n@1 t@4", "what was within is gone");
    let outwards = made(r#"{"a":{"b":"x","c":1}}"#, &[("a.b", 1), ("a.c", 2)], &["RENAME a.b a"]);
    assert_eq!(outwards, r#"{"a":"x"} a@1"#);
    let refused = made(doc, &timed, &["RENAME n l[0]"]);
    assert!(refused.starts_with("PATH operation 1: a TTL is of a path of names"), "{refused}");
}

#[test]
fn merge_and_patch_take_it_from_what_they_change() {
    let (doc, timed) = (r#"{"a":1,"b":{"c":2,"d":3}}"#, [("a", 1), ("b.c", 2)]);
    let merged = |patch: &str| made(doc, &timed, &[&format!("MERGE {patch}")]);
    assert_eq!(merged(r#"{"a":1,"b":{"d":4}}"#), r#"{"a":1,"b":{"c":2,"d":4}} a@1 b.c@2"#);
    assert_eq!(merged(r#"{"a":5}"#), r#"{"a":5,"b":{"c":2,"d":3}} b.c@2"#);
    assert_eq!(merged(r#"{"b":null}"#), r#"{"a":1} a@1"#);
    let patch = r#"PATCH [{"op":"remove","path":"/a"},{"op":"replace","path":"/b/d","value":1}]"#;
    assert_eq!(made(doc, &timed, &[patch]), r#"{"b":{"c":2,"d":1}} b.c@2"#);
}
