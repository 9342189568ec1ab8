//! Replies taken apart, in both protocols.

use std::collections::BTreeMap;

use redis::{ProtocolVersion, Value};
use serde_json::Value as Json;

/// The entries of a map, which RESP2 sends as flat pairs; the shape is asserted too.
pub fn map(protocol: ProtocolVersion, reply: Value) -> BTreeMap<String, Value> {
    let pairs: Vec<(Value, Value)> = match (protocol.supports_resp3(), reply) {
        (true, Value::Map(pairs)) => pairs,
        (false, Value::Array(flat)) => {
            assert!(flat.len() % 2 == 0, "a map in RESP2 is a list of pairs: {flat:?}");
            let mut flat = flat.into_iter();
            std::iter::from_fn(|| Some((flat.next()?, flat.next()?))).collect()
        }
        (_, other) => panic!("{other:?} is no map in {protocol:?}"),
    };
    pairs.into_iter().map(|(name, value)| (text(&name), value)).collect()
}

/// The items of a list.
pub fn list(reply: Value) -> Vec<Value> {
    match reply {
        Value::Array(items) => items,
        other => panic!("{other:?} is no list"),
    }
}

/// The text of a string.
pub fn text(reply: &Value) -> String {
    match reply {
        Value::BulkString(bytes) => String::from_utf8(bytes.clone()).expect("names are UTF-8"),
        Value::SimpleString(text) => text.clone(),
        Value::Okay => "OK".into(),
        other => panic!("{other:?} is no text"),
    }
}

/// The texts of a list of strings.
pub fn texts(reply: Value) -> Vec<String> {
    list(reply).iter().map(text).collect()
}

/// A whole number.
pub fn int(reply: &Value) -> i64 {
    match reply {
        Value::Int(n) => *n,
        other => panic!("{other:?} is no integer"),
    }
}

/// The value that a reply of JSON text holds.
pub fn json(reply: &Value) -> Json {
    let text = text(reply);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
}
