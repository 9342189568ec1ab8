//! The JSONPath Compliance Test Suite: what each query of it selects, and which texts are none.

use std::fs;
use std::path::Path;

use folio_engine::Limits;
use folio_engine::doc::parse_value;
use folio_engine::jsonpath::{Evaluation, JsonPath};
use folio_engine::value::Raw;
use serde_json::Value;

fn cases() -> Vec<Value> {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/jsonpath-compliance-suite/cts.json");
    let text = fs::read(file).expect("the suite is part of the repository");
    let mut suite: Value = serde_json::from_slice(&text).expect("the suite is JSON");
    match suite["tests"].take() {
        Value::Array(cases) => cases,
        other => panic!("the cases are no list: {other}"),
    }
}

fn selected(path: &JsonPath, document: &Value) -> Value {
    let text = parse_value(document.to_string().as_bytes(), &Limits::default())
        .expect("a document of the suite is JSON");
    let mut evaluation = Evaluation::new(&Limits::default());
    let mut out = Vec::new();
    path.print(Raw::new(&text), &mut evaluation, &mut out).expect("no document is large");
    serde_json::from_slice(&out).expect("an array of values is JSON")
}

/// Whether `found` is what a case says, or one of the orders that it lets an implementation choose.
fn is_right(case: &Value, found: &Value) -> bool {
    match (case.get("result"), case.get("results")) {
        (Some(result), None) => result == found,
        (None, Some(Value::Array(results))) => results.contains(found),
        _ => panic!("{} has no result", case["name"]),
    }
}

#[test]
fn every_case_of_the_compliance_suite_passes() {
    let (mut right, mut refused) = (0, 0);
    let mut wrong = Vec::new();
    for case in cases() {
        let selector = case["selector"].as_str().expect("a selector is a text");
        let is_invalid = case.get("invalid_selector") == Some(&Value::Bool(true));
        match JsonPath::parse(selector, &Limits::default()) {
            Err(error) if is_invalid => {
                assert!(error.to_string().starts_with("PATH "), "{selector}: {error}");
                refused += 1;
            }
            Ok(path) if !is_invalid => {
                let again = JsonPath::parse(&path.to_string(), &Limits::default());
                assert_eq!(again.as_ref(), Ok(&path), "{selector}");
                let found = selected(&path, &case["document"]);
                if is_right(&case, &found) {
                    right += 1;
                } else {
                    wrong.push(format!("{selector} of {}: {found}", case["document"]));
                }
            }
            parsed => wrong.push(format!("{selector}: {parsed:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!((right, refused), (456, 247), "of 703 cases");
}
