//! A line that is a JSONPath, and a document below it: whatever they are, the answer is values that stand in the document,
//! or an error.

use folio_engine::doc::Parsed;
use folio_engine::jsonpath::{Evaluation, JsonPath};
use folio_engine::{Code, Limits};
use serde_json::value::RawValue;

/// Reads the path, writes it and reads it again; then follows it.
pub fn jsonpath(bytes: &[u8]) {
    let limits = Limits { jsonpath_nodes_max: 20_000, ..Limits::default() };
    let at = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (line, json) = (&bytes[..at], bytes.get(at + 1..).unwrap_or_default());
    let Ok(line) = std::str::from_utf8(line) else { return };
    let path = match JsonPath::parse(line, &limits) {
        Ok(path) => path,
        Err(error) => {
            assert!(matches!(error.code, Code::Path | Code::TooBig), "{line}: {error}");
            return;
        }
    };
    let written = path.to_string();
    // What is written can be longer than what was read, and so too long.
    let roomy = Limits { filter_bytes_max: 16 * limits.filter_bytes_max, ..limits.clone() };
    assert_eq!(JsonPath::parse(&written, &roomy).as_ref(), Ok(&path), "{written}");
    let mut parsed = Parsed::default();
    if parsed.parse(json, &limits).is_ok() {
        follow(&path, &parsed, &limits);
    }
}

fn follow(path: &JsonPath, parsed: &Parsed, limits: &Limits) {
    let (root, text) = (parsed.view().root(), parsed.text().as_ptr_range());
    match path.select(root, &mut Evaluation::new(limits)) {
        Ok(values) => {
            for value in values {
                let place = value.bytes().as_ptr_range();
                assert!(text.start <= place.start && place.end <= text.end, "{path}");
                serde_json::from_slice::<&RawValue>(value.bytes()).expect("a value is JSON");
            }
        }
        Err(error) => {
            assert!(matches!(error.code, Code::Limited | Code::TooBig), "{path}: {error}");
        }
    }
}
