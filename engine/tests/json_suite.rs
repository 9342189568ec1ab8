//! JSONTestSuite: what is JSON (`y_`), what is not (`n_`), and what a parser may decide (`i_`).
//!
//! A document is an object, so a file with another root is read as the value of a member. A text
//! that begins with `{` is read as it stands, so that nothing wrapped around it can mend it.

use std::fs;
use std::path::Path;

use folio_engine::Limits;
use folio_engine::doc::{Parsed, parse_value};
use serde_json::Value;

/// The files whose name begins with `prefix`: name and content.
fn files(folder: &str, prefix: &str) -> Vec<(String, Vec<u8>)> {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/json-test-suite").join(folder);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .expect("the suite is part of the repository")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| {
            let name = path.file_name().expect("a file").to_string_lossy().into_owned();
            (name, fs::read(&path).expect("a readable file"))
        })
        .filter(|(name, _)| name.starts_with(prefix))
        .collect();
    files.sort();
    files
}

fn as_document(json: &[u8]) -> Vec<u8> {
    if json.trim_ascii_start().starts_with(b"{") {
        return json.to_vec();
    }
    [b"{\"v\":", json, b"}"].concat()
}

/// `json` without white space outside of strings.
fn without_space(json: &[u8]) -> Vec<u8> {
    let (mut is_string, mut is_escape) = (false, false);
    let mut out = Vec::new();
    for &byte in json {
        if is_string || !b" \n\r\t".contains(&byte) {
            out.push(byte);
        }
        if byte == b'"' && !is_escape {
            is_string = !is_string;
        }
        is_escape = is_string && byte == b'\\' && !is_escape;
    }
    out
}

fn check_accepted(name: &str, json: &[u8], parsed: &Parsed) {
    if let Ok(value) = serde_json::from_slice::<Value>(json) {
        let read: Value = serde_json::from_slice(parsed.text()).expect(name);
        assert_eq!(read, value, "{name}");
    }
    if !name.contains("duplicate") {
        assert_eq!(parsed.text(), without_space(json), "{name}");
    }
}

#[test]
fn what_is_json_is_accepted() {
    let files = files("test_parsing", "y_");
    assert_eq!(files.len(), 95);
    let mut parsed = Parsed::default();
    for (name, json) in files {
        let json = as_document(&json);
        if let Err(error) = parsed.parse(&json, &Limits::default()) {
            panic!("{name}: {error}");
        }
        check_accepted(&name, &json, &parsed);
    }
}

#[test]
fn what_is_not_json_is_refused() {
    let files = files("test_parsing", "n_");
    assert_eq!(files.len(), 188);
    let mut parsed = Parsed::default();
    for (name, json) in files {
        let result = parsed.parse(&as_document(&json), &Limits::default());
        assert!(result.is_err(), "{name}");
        assert!(parse_value(&json, &Limits::default()).is_err(), "{name}");
    }
}

#[test]
fn what_may_be_decided_is_decided() {
    let mut parsed = Parsed::default();
    let files = [files("test_parsing", "i_"), files("test_transform", "")].concat();
    assert_eq!(files.len(), 35 + 22);
    for (name, json) in files {
        let json = as_document(&json);
        match parsed.parse(&json, &Limits::default()) {
            Ok(()) if name.contains("duplicate") || name.starts_with("object_") => {
                let value: Value = serde_json::from_slice(&json).expect(&name);
                let read: Value = serde_json::from_slice(parsed.text()).expect(&name);
                assert_eq!(read, value, "{name}");
            }
            Ok(()) => check_accepted(&name, &json, &parsed),
            Err(error) => assert!(!error.message.is_empty(), "{name}"),
        }
    }
}
