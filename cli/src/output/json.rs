//! Answers of the server as JSON.

use folio::redis::Value;
use serde_json::{Map, Number, Value as Json};

/// An answer as JSON: maps as objects, text as strings. Bytes that are no text lose what is none.
pub fn json(value: &Value) -> Json {
    match value {
        Value::Nil => Json::Null,
        Value::Int(number) => Json::from(*number),
        Value::Double(number) => Number::from_f64(*number).map_or(Json::Null, Json::Number),
        Value::Boolean(is) => Json::Bool(*is),
        Value::BulkString(bytes) => Json::String(String::from_utf8_lossy(bytes).into_owned()),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Json::from(text.as_str()),
        Value::Okay => Json::from("OK"),
        Value::Array(items) | Value::Set(items) => items.iter().map(json).collect(),
        Value::Map(entries) => {
            let entry = |(name, value): &(Value, Value)| (text(name), json(value));
            Json::Object(entries.iter().map(entry).collect::<Map<String, Json>>())
        }
        other => Json::from(format!("{other:?}")),
    }
}

/// A value as text.
pub fn text(value: &Value) -> String {
    match json(value) {
        Json::String(text) => text,
        other => other.to_string(),
    }
}
