//! Tests of MERGE: the examples of RFC 7396, and a merge of trees.

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::merge::merged;
use super::tests::made;
use crate::doc::parse_value;
use crate::doc::testing::{document, json};
use crate::value::Raw;
use crate::{Limits, Result};

/// RFC 7396, appendix A: original, patch, result.
const EXAMPLES: [(&str, &str, &str); 15] = [
    (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
    (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
    (r#"{"a":"b"}"#, r#"{"a":null}"#, "{}"),
    (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
    (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
    (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
    (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
    (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
    (r#"["a","b"]"#, r#"["c","d"]"#, r#"["c","d"]"#),
    (r#"{"a":"b"}"#, r#"["c"]"#, r#"["c"]"#),
    (r#"{"a":"foo"}"#, "null", "null"),
    (r#"{"a":"foo"}"#, "\"bar\"", "\"bar\""),
    (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
    ("[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
    ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
];

#[test]
fn the_examples_of_rfc_7396() {
    for (original, patch, result) in EXAMPLES {
        if patch.starts_with('{') {
            let text = merged(Raw::new(original.as_bytes()), Raw::new(patch.as_bytes()));
            assert_eq!(String::from_utf8(text).unwrap(), result, "{original} with {patch}");
        }
        // Documents are objects before and after.
        if original.starts_with('{') {
            let outcome = made(original, &[&format!("MERGE {patch}")]);
            if patch.starts_with('{') {
                assert_eq!(outcome, result);
            } else {
                let refusal = "ERR operation 1: MERGE takes an object (RFC 7396), found ";
                assert!(outcome.starts_with(refusal), "{outcome}");
            }
        }
    }
}

#[test]
fn members_keep_their_places_and_digits() {
    let doc = r#"{"z":1.50,"é":{"b":[null,1e2],"c":-0.0},"\u0061":"x"}"#;
    let patch = r#"MERGE {"a":"y","é":{"d":{"e":null,"f":[null]},"c":null},"new":1.0}"#;
    let result = r#"{"z":1.50,"é":{"b":[null,1e2],"d":{"f":[null]}},"\u0061":"y","new":1.0}"#;
    assert_eq!(made(doc, &[patch]), result);
    assert_eq!(made(doc, &["MERGE {}"]), doc);
}

#[test]
fn many_members_are_merged_in_one_pass() {
    let object = |from: usize, value: &str| {
        let members: Vec<String> =
            (from..from + 100_000).map(|at| format!("\"n{at}\":{value}")).collect();
        format!("{{{}}}", members.join(","))
    };
    let (target, patch) = (object(0, "1"), object(50_000, "null"));
    let text = merged(Raw::new(target.as_bytes()), Raw::new(patch.as_bytes()));
    assert_eq!(Raw::new(&text).members().count(), 50_000);
}

/// The algorithm as RFC 7396 writes it, section 2.
fn merge_patch(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let target = target.as_object_mut().expect("made one just now");
    for (name, value) in patch {
        if value.is_null() {
            target.shift_remove(name);
        } else {
            merge_patch(target.entry(name).or_insert(Value::Null), value);
        }
    }
}

fn as_text(result: Result<Box<[u8]>>) -> String {
    String::from_utf8(result.unwrap().into()).unwrap()
}

proptest! {
    #[test]
    fn a_merge_is_that_of_the_rfc(target in json(), patch in document()) {
        let (before, by) = (target.to_string(), patch.to_string());
        let text = merged(Raw::new(before.as_bytes()), Raw::new(by.as_bytes()));
        let mut tree = target;
        merge_patch(&mut tree, &patch);
        prop_assert_eq!(as_text(parse_value(&text, &Limits::default())), tree.to_string());
    }
}
