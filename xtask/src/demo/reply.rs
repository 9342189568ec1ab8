//! Answers of the server as values to show and to compare.

use folio::redis::Value;
use serde_json::Value as Json;

/// A row of an answer: key and document.
pub type Row = (String, Json);

/// The reply as JSON: maps as objects, text that is JSON still as text.
pub fn json(reply: &Value) -> Json {
    match reply {
        Value::Nil => Json::Null,
        Value::Int(n) => (*n).into(),
        Value::Double(x) => (*x).into(),
        Value::Boolean(b) => (*b).into(),
        Value::Okay => "OK".into(),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => text.as_str().into(),
        Value::BulkString(text) => String::from_utf8_lossy(text).into(),
        Value::Array(items) | Value::Set(items) => items.iter().map(json).collect(),
        Value::Map(entries) => {
            entries.iter().map(|(name, value)| (text(&json(name)), json(value))).collect()
        }
        other => format!("{other:?}").into(),
    }
}

/// The rows of an answer to `DOC.FIND`.
pub fn rows(reply: &Value) -> Vec<Row> {
    let reply = json(reply);
    let rows = reply["results"].as_array().map_or(&[][..], Vec::as_slice);
    let document = |row: &Json| serde_json::from_str(row[1].as_str().unwrap_or_default());
    rows.iter().map(|row| (text(&row[0]), document(row).unwrap_or(Json::Null))).collect()
}

/// The total of an answer to `DOC.FIND .. WITHTOTAL`.
pub fn total(reply: &Value) -> Option<u64> {
    json(reply)["total"].as_u64()
}

/// A value as a person reads it: text without quotes.
pub fn text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Every line of an answer that is text: one a list's item, one a map's entry.
pub fn lines(value: &Json, indent: usize, into: &mut Vec<String>) {
    let margin = " ".repeat(indent);
    match value {
        Json::Array(items) => items.iter().for_each(|item| lines(item, indent, into)),
        Json::Object(entries) => {
            for (name, value) in entries {
                if value.is_array() || value.is_object() {
                    into.push(format!("{margin}{name}:"));
                    lines(value, indent + 2, into);
                } else {
                    into.push(format!("{margin}{name}: {}", text(value)));
                }
            }
        }
        other => into.extend(text(other).lines().map(|line| format!("{margin}{line}"))),
    }
}
