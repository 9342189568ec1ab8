//! Tests of editing.

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::*;
use crate::doc::parse_value;
use crate::doc::testing::{document, json, parsed};

/// A path of names, and of indexes where a step is a number.
fn path(text: &str) -> Path {
    let step = |text: &str| match text {
        "*" => Step::Each,
        name => name.parse().map_or_else(|_| Step::Name(name.into()), Step::Index),
    };
    Path::new(text.split('.').map(step).collect())
}

fn done(result: Result<Vec<u8>>) -> String {
    match result {
        Ok(text) => String::from_utf8(text).unwrap(),
        Err(error) => error.to_string(),
    }
}

fn set(doc: &str, at: &str, value: &str) -> String {
    let value = Raw::new(value.as_bytes());
    done(apply(parsed(doc).view(), &[Op::Set { path: &path(at), value }], &Limits::default()))
}

fn unset(doc: &str, at: &str) -> String {
    done(apply(parsed(doc).view(), &[Op::Unset { path: &path(at) }], &Limits::default()))
}

fn incr(doc: &str, at: &str, by: &str, as_decimal: bool) -> String {
    let op = Op::Incr { path: &path(at), by: Raw::new(by.as_bytes()), as_decimal };
    done(apply(parsed(doc).view(), &[op], &Limits::default()))
}

#[test]
fn set_replaces_and_makes() {
    assert_eq!(set(r#"{"a":1}"#, "a", "[2]"), r#"{"a":[2]}"#);
    assert_eq!(set("{}", "a", "1"), r#"{"a":1}"#);
    assert_eq!(set(r#"{"a":1}"#, "b", "2"), r#"{"a":1,"b":2}"#);
    assert_eq!(set(r#"{"a":1}"#, "b.c.d", "2"), r#"{"a":1,"b":{"c":{"d":2}}}"#);
    assert_eq!(set(r#"{"a":{}}"#, "a.b", "2"), r#"{"a":{"b":2}}"#);
    assert_eq!(set(r#"{"a":[1,2]}"#, "a.1", "\"x\""), r#"{"a":[1,"x"]}"#);
    assert_eq!(set(r#"{"a":[1,2]}"#, "a.2", "3"), r#"{"a":[1,2,3]}"#);
    assert_eq!(set(r#"{"a":[]}"#, "a.0.b", "3"), r#"{"a":[{"b":3}]}"#);
    assert_eq!(set("{}", "a.0.b", "3"), r#"{"a":[{"b":3}]}"#);
    assert_eq!(set("{}", "say \"hi\"", "3"), r#"{"say \"hi\"":3}"#);
    assert_eq!(set(r#"{"\u0061":1}"#, "a", "3"), r#"{"\u0061":3}"#);
}

#[test]
fn set_refuses_what_does_not_fit() {
    let beyond = "PATH step 2 is beyond the end of an array of length 1 at path a[2]";
    assert_eq!(set(r#"{"a":[1]}"#, "a.2", "3"), beyond);
    let none = "PATH step 2 is beyond the end of an array that is not there at path a[1]";
    assert_eq!(set("{}", "a.1", "3"), none);
    assert_eq!(set(r#"{"a":1}"#, "a.b", "3"), "PATH step 2 cannot go into a number at path a.b");
    assert_eq!(set(r#"{"a":null}"#, "a.b", "3"), "PATH step 2 cannot go into null at path a.b");
    assert_eq!(set(r#"{"a":[]}"#, "a.b", "3"), "PATH step 2 cannot go into an array at path a.b");
    assert_eq!(set(r#"{"a":{}}"#, "a.0", "3"), "PATH step 2 cannot go into an object at path a[0]");
    assert_eq!(set("{}", "a.*", "3"), "PATH a change needs a path without [*] at path a[*]");
    assert_eq!(unset("{}", "a.*"), "PATH a change needs a path without [*] at path a[*]");
}

#[test]
fn unset_takes_one_comma_along() {
    assert_eq!(unset(r#"{"a":1}"#, "a"), "{}");
    assert_eq!(unset(r#"{"a":1,"b":2,"c":3}"#, "a"), r#"{"b":2,"c":3}"#);
    assert_eq!(unset(r#"{"a":1,"b":2,"c":3}"#, "b"), r#"{"a":1,"c":3}"#);
    assert_eq!(unset(r#"{"a":1,"b":2,"c":3}"#, "c"), r#"{"a":1,"b":2}"#);
    assert_eq!(unset(r#"{"a":[1,2,3]}"#, "a.2"), r#"{"a":[1,2]}"#);
    assert_eq!(unset(r#"{"a":[[1]]}"#, "a.0"), r#"{"a":[]}"#);
    for absent in ["b", "a.b", "a.1", "a.0.x", "b.c"] {
        assert_eq!(unset(r#"{"a":[1]}"#, absent), r#"{"a":[1]}"#);
    }
}

#[test]
fn incr_is_exact() {
    assert_eq!(incr(r#"{"a":1}"#, "a", "2", false), r#"{"a":3}"#);
    assert_eq!(incr(r#"{"a":1.0}"#, "a", "-2", false), r#"{"a":-1}"#);
    assert_eq!(incr(r#"{"a":1.5}"#, "a", "1", false), r#"{"a":2.5}"#);
    assert_eq!(incr("{}", "a.b", "5", false), r#"{"a":{"b":5}}"#);
    assert_eq!(incr(r#"{"a":9007199254740993}"#, "a", "1", false), r#"{"a":9007199254740994}"#);
    let overflow = "OVERFLOW the sum is beyond the range of its type at path a";
    assert_eq!(incr(r#"{"a":18446744073709551615}"#, "a", "1", false), overflow);
    assert_eq!(incr(r#"{"a":1.7e308}"#, "a", "1.7e308", false), overflow);
    assert_eq!(incr(r#"{"a":1e999}"#, "a", "1", false), overflow);
    let not = "PATH INCR needs a number, found a string at path a";
    assert_eq!(incr(r#"{"a":"1"}"#, "a", "1", false), not);
    let amount = "ERR INCR needs a number to add at path a";
    assert_eq!(incr(r#"{"a":1}"#, "a", "\"1\"", false), amount);
    assert_eq!(incr("{}", "a", "null", false), amount);
}

#[test]
fn incr_of_decimals_keeps_the_kind() {
    assert_eq!(incr(r#"{"a":"12.50"}"#, "a", "0.5", true), r#"{"a":"13.00"}"#);
    assert_eq!(incr(r#"{"a":12.50}"#, "a", "\"0.5\"", true), r#"{"a":13.00}"#);
    assert_eq!(incr("{}", "a", "\"0.50\"", true), r#"{"a":"0.50"}"#);
    let not = "PATH INCR needs a decimal, found a string that is none at path a";
    assert_eq!(incr(r#"{"a":"x"}"#, "a", "1", true), not);
    let overflow = "OVERFLOW the sum is beyond the range of its type at path a";
    assert_eq!(incr(r#"{"a":"1e9999"}"#, "a", "0.01", true), overflow);
}

#[test]
fn all_or_nothing_in_order() {
    let (a, b) = (path("a"), path("a.b"));
    let one = Raw::new(b"1");
    let ops = [
        Op::Set { path: &b, value: one },
        Op::Incr { path: &b, by: one, as_decimal: false },
        Op::Set { path: &path("c"), value: one },
        Op::Unset { path: &path("c") },
    ];
    let limits = Limits::default();
    assert_eq!(done(apply(parsed("{}").view(), &ops, &limits)), r#"{"a":{"b":2}}"#);
    let ops = [Op::Set { path: &a, value: one }, Op::Set { path: &b, value: one }];
    assert_eq!(apply(parsed("{}").view(), &ops, &limits).unwrap_err().code, Code::Path);
}

#[test]
fn results_keep_the_limits() {
    let limits = Limits { depth_max: 3, document_bytes_max: 20, ..Limits::default() };
    let try_set = |at: &str, value: &str| {
        let op = Op::Set { path: &path(at), value: Raw::new(value.as_bytes()) };
        done(apply(parsed("{}").view(), &[op], &limits))
    };
    assert_eq!(try_set("a.b", "[1]"), r#"{"a":{"b":[1]}}"#);
    assert_eq!(
        try_set("a.b", "[[]]"),
        "TOOBIG depth 4 exceeds the limit of 3 (folio.depth-max) at path a.b"
    );
    let long = "TOOBIG a document of 26 bytes exceeds the limit of 20 bytes (folio.document-bytes-max) after the change of a";
    assert_eq!(try_set("a", "\"123456789012345678\""), long);
}

/// What an operation does to a tree; false where it is an error.
fn naive(value: &mut Value, steps: &[Step], new: Option<&Value>) -> bool {
    let Some((step, rest)) = steps.split_first() else {
        *value = new.expect("UNSET ends one step before").clone();
        return true;
    };
    if new.is_none() && rest.is_empty() {
        match (step, value) {
            (Step::Name(name), Value::Object(object)) => drop(object.shift_remove(&**name)),
            (Step::Index(index), Value::Array(array)) if (*index as usize) < array.len() => {
                array.remove(*index as usize);
            }
            _ => {}
        }
        return true;
    }
    let missing = || match rest.first() {
        Some(Step::Index(_)) => Value::Array(Vec::new()),
        _ => Value::Object(Map::new()),
    };
    match (step, value) {
        (Step::Name(name), Value::Object(object)) => {
            if new.is_none() && !object.contains_key(&**name) {
                return true;
            }
            naive(object.entry(&**name).or_insert_with(missing), rest, new)
        }
        (Step::Index(index), Value::Array(array)) => {
            let index = *index as usize;
            if new.is_some() && index == array.len() {
                array.push(missing());
            }
            match array.get_mut(index) {
                Some(element) => naive(element, rest, new),
                None => new.is_none(),
            }
        }
        _ => new.is_none(),
    }
}

fn any_path() -> impl Strategy<Value = Path> {
    let step = prop_oneof![
        crate::doc::testing::name().prop_map(|name| Step::Name(name.into())),
        (0u32..4).prop_map(Step::Index),
    ];
    let steps = prop::collection::vec(step, 0..4);
    (crate::doc::testing::name(), steps).prop_map(|(name, mut steps)| {
        steps.insert(0, Step::Name(name.into()));
        Path::new(steps)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn edits_are_those_of_a_tree(
        start in document(),
        edits in prop::collection::vec((any_path(), prop::option::of(json())), 1..8),
    ) {
        let texts: Vec<Option<String>> =
            edits.iter().map(|(_, new)| new.as_ref().map(Value::to_string)).collect();
        let ops: Vec<Op<'_>> = edits.iter().zip(&texts).map(|((path, _), text)| match text {
            Some(text) => Op::Set { path, value: Raw::new(text.as_bytes()) },
            None => Op::Unset { path },
        }).collect();
        let mut tree = start.clone();
        let is_fine =
            edits.iter().all(|(path, new)| naive(&mut tree, path.steps(), new.as_ref()));
        let result = apply(parsed(&start.to_string()).view(), &ops, &Limits::default());
        if is_fine {
            let text = result.unwrap();
            prop_assert_eq!(std::str::from_utf8(&text).unwrap(), tree.to_string());
            prop_assert_eq!(&*parse_value(&text, &Limits::default()).unwrap(), text.as_slice());
        } else {
            prop_assert_eq!(result.unwrap_err().code, Code::Path);
        }
    }
}
