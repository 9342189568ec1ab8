//! Bytes as JSON: what the engine takes, `serde_json` takes, and both read the same.

use folio_engine::doc::{Parsed, parse_value};
use folio_engine::{Code, Limits};
use serde_json::Value;

/// Reads the bytes as a document and as a value.
pub fn json(bytes: &[u8]) {
    let limits = Limits::default();
    let mut parsed = Parsed::default();
    let document = parsed.parse(bytes, &limits).map(|()| parsed.text().to_vec());
    let value = parse_value(bytes, &limits).map(Vec::from);
    let theirs = serde_json::from_slice::<Value>(bytes);
    compare(bytes, value.as_deref().map_err(|error| error.code), theirs.as_ref());
    match (document, value) {
        (Ok(document), Ok(value)) => assert_eq!(document, value, "one text, two readings"),
        (Ok(_), Err(error)) => panic!("a document that is no value: {error}"),
        // A document is an object.
        (Err(error), Ok(value)) => {
            assert_ne!(value[0], b'{', "a value that is no document: {error}");
        }
        (Err(_), Err(_)) => {}
    }
}

fn compare(bytes: &[u8], ours: Result<&[u8], Code>, theirs: Result<&Value, &serde_json::Error>) {
    match (ours, theirs) {
        (Ok(text), Ok(value)) => {
            let read: Value = serde_json::from_slice(text).expect("minified text is JSON");
            assert_eq!(read, *value);
            let again = parse_value(text, &Limits::default()).expect("minified text is a value");
            assert_eq!(&*again, text, "minified text is minified again");
        }
        (Ok(_), Err(error)) => {
            // A double cannot hold every number; text can.
            let reason = error.to_string();
            assert!(
                reason.starts_with("number out of range"),
                "{reason}: {}",
                bytes.escape_ascii()
            );
        }
        (Err(code), Ok(_)) => assert_eq!(code, Code::TooBig, "{}", bytes.escape_ascii()),
        (Err(_), Err(_)) => {}
    }
}
