//! Tests of updates: sequences of any operations, against what has to hold of each.

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::tests::{DEFINITION, NOW_MS, applied};
use super::*;
use crate::doc::parse_value;
use crate::doc::testing::{document, json, parsed};
use crate::path::Step;

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

/// Any operation, on paths that often meet.
fn any_op() -> impl Strategy<Value = Op> {
    let json = || json().prop_map(|value| value.to_string().into_bytes().into_boxed_slice());
    let number = || {
        prop_oneof![
            "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,3})?",
            "\"-?[0-9]{1,3}\"",
        ]
        .prop_map(|text| text.into_bytes().into_boxed_slice())
    };
    prop_oneof![
        4 => (any_path(), json()).prop_map(|(path, value)| Op::Set(path, value)),
        1 => any_path().prop_map(Op::Unset),
        1 => (any_path(), number()).prop_map(|(path, by)| Op::Incr(path, by)),
        1 => (any_path(), number()).prop_map(|(path, by)| Op::Mul(path, by)),
        1 => (any_path(), json()).prop_map(|(path, value)| Op::Min(path, value)),
        1 => (any_path(), json()).prop_map(|(path, value)| Op::Max(path, value)),
        2 => (any_path(), json()).prop_map(|(path, value)| Op::Push(path, value)),
        1 => (any_path(), prop::option::of(-4i64..4)).prop_map(|(path, at)| Op::Pop(path, at)),
        1 => (any_path(), json()).prop_map(|(path, value)| Op::Add(path, value)),
        1 => (any_path(), json()).prop_map(|(path, value)| Op::Pull(path, value)),
        2 => (any_path(), any_path()).prop_map(|(from, to)| Op::Rename(from, to)),
        1 => any_path().prop_map(Op::Toggle),
        1 => (any_path(), any::<i64>()).prop_map(|(path, ns)| Op::Now(path, ns.into())),
        2 => document().prop_map(|patch| Op::Merge(patch.to_string().into_bytes().into())),
        2 => any_patch().prop_map(|patch| Op::Patch(patch.to_string().into_bytes().into())),
    ]
}

fn any_patch() -> impl Strategy<Value = Value> {
    let token = prop_oneof![3 => "[a-c]", 2 => "[0-3]", 1 => "-", 1 => "[a-z/~\"é]{0,3}"];
    let escaped = token.prop_map(|token| token.replace('~', "~0").replace('/', "~1"));
    let pointer = prop::collection::vec(escaped, 0..4)
        .prop_map(|tokens| tokens.iter().flat_map(|token| ["/", token]).collect::<String>());
    let verb = prop::sample::select(vec!["add", "remove", "replace", "move", "copy", "test"]);
    let change = (verb, pointer.clone(), pointer, json()).prop_map(|(op, path, from, value)| {
        serde_json::json!({"op": op, "path": path, "from": from, "value": value})
    });
    prop::collection::vec(change, 1..3).prop_map(Value::from)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn set_and_unset_are_those_of_a_tree(
        start in document(),
        edits in prop::collection::vec((any_path(), prop::option::of(json())), 1..8),
    ) {
        let ops: Vec<Op> = edits.iter().map(|(path, new)| match new {
            Some(new) => Op::Set(path.clone(), new.to_string().into_bytes().into()),
            None => Op::Unset(path.clone()),
        }).collect();
        let mut tree = start.clone();
        let is_fine =
            edits.iter().all(|(path, new)| naive(&mut tree, path.steps(), new.as_ref()));
        let result = applied(&start.to_string(), &ops, &Limits::default());
        if is_fine {
            prop_assert_eq!(String::from_utf8(result.unwrap()).unwrap(), tree.to_string());
        } else {
            prop_assert_eq!(result.unwrap_err().code, Code::Path);
        }
    }

    #[test]
    fn operations_leave_a_document_within_its_limits(
        start in document(),
        ops in prop::collection::vec(any_op(), 1..24),
    ) {
        let limits = Limits { depth_max: 7, document_bytes_max: 2_000, ..Limits::default() };
        let definition = Definition::from_json(DEFINITION.as_bytes(), &limits).unwrap();
        let scope = Scope { definition: &definition, now_ms: NOW_MS, limits: &limits, functions: None, pace: None };
        let mut text = start.to_string();
        prop_assume!(parse_value(text.as_bytes(), &limits).is_ok());
        let mut done = Vec::new();
        // One by one, those that fail left out: the others come to the same at once.
        let before = text.clone();
        for op in ops {
            let operands_fit = match &op {
                Op::Merge(patch) => parse_value(patch, &limits).is_ok(),
                _ => true,
            };
            if !operands_fit {
                continue;
            }
            if let Ok(made) = apply(parsed(&text).view(), std::slice::from_ref(&op), &scope) {
                let made = made.text;
                let minified = parse_value(&made, &limits).unwrap();
                prop_assert_eq!(&*minified, made.as_slice(), "{:?}", op);
                prop_assert_eq!(made[0], b'{');
                text = String::from_utf8(made).unwrap();
                done.push(op);
            }
        }
        let at_once = apply(parsed(&before).view(), &done, &scope).unwrap();
        prop_assert_eq!(String::from_utf8(at_once.text).unwrap(), text);
    }

    #[test]
    fn pushed_and_popped_arrays_are_as_before(start in document(), at in any_path(), new in json()) {
        let set = Op::Set(at.clone(), Box::from(&b"[1]"[..]));
        let Ok(with_array) = applied(&start.to_string(), &[set], &Limits::default()) else {
            return Ok(());
        };
        let with_array = String::from_utf8(with_array).unwrap();
        let push = Op::Push(at.clone(), new.to_string().into_bytes().into());
        let back = [push, Op::Pop(at.clone(), None)];
        let made = applied(&with_array, &back, &Limits::default()).unwrap();
        prop_assert_eq!(String::from_utf8(made).unwrap(), with_array);
    }
}
