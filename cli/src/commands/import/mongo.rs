//! Extended JSON, version 2, as `mongoexport` writes it, as plain JSON.
//!
//! | written | becomes |
//! |---|---|
//! | `{"$oid":"5f.."}`, `{"$uuid":".."}`, `{"$symbol":".."}` | the string |
//! | `{"$numberInt":"1"}`, `{"$numberLong":"1"}` | the number, digit for digit |
//! | `{"$numberDouble":"1.5"}` | the number; `"NaN"`, `"Infinity"` and `"-Infinity"` stay strings |
//! | `{"$numberDecimal":"1.50"}` | the string, which the type `decimal` reads digit for digit |
//! | `{"$date":..}` | the instant in UTC, `"2026-01-31T00:00:00Z"` |
//! | `{"$undefined":true}` | null |
//!
//! Other types, such as `$binary` and `$timestamp`, stay as they are: JSON has no word for them.

use jiff::Timestamp;
use serde_json::value::RawValue;

use crate::commands::members::{entries, string};

/// Deeper documents are refused, as the server refuses them.
const DEPTH_MAX: usize = 128;

/// The plain form of a document.
pub fn plain(text: &str) -> Result<String, String> {
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| format!("JSON {error}"))?;
    let mut out = String::with_capacity(text.len());
    write(raw.get(), 0, &mut out)?;
    Ok(out)
}

fn write(text: &str, depth: usize, out: &mut String) -> Result<(), String> {
    if depth > DEPTH_MAX {
        return Err(format!("TOOBIG depth {depth} exceeds the limit of {DEPTH_MAX}"));
    }
    let broken = |error: serde_json::Error| format!("JSON {error}");
    match text.as_bytes().first() {
        Some(b'[') => {
            let elements: Vec<&RawValue> = serde_json::from_str(text).map_err(broken)?;
            out.push('[');
            for (number, element) in elements.into_iter().enumerate() {
                if number > 0 {
                    out.push(',');
                }
                write(element.get(), depth + 1, out)?;
            }
            out.push(']');
        }
        Some(b'{') => {
            let entries = entries(text).map_err(broken)?;
            if let [(name, value)] = &entries[..]
                && let Some(scalar) = scalar(name, value.get())?
            {
                out.push_str(&scalar);
                return Ok(());
            }
            out.push('{');
            for (number, (name, value)) in entries.iter().enumerate() {
                if number > 0 {
                    out.push(',');
                }
                out.push_str(&quoted(name));
                out.push(':');
                write(value.get(), depth + 1, out)?;
            }
            out.push('}');
        }
        _ => out.push_str(text),
    }
    Ok(())
}

/// What an object of this one member stands for; nothing if it is an object like others.
fn scalar(name: &str, value: &str) -> Result<Option<String>, String> {
    let wrong = || format!("JSON {name} cannot be {value}");
    Ok(Some(match name {
        "$oid" | "$uuid" | "$symbol" | "$numberDecimal" => {
            quoted(&string(value).ok_or_else(wrong)?)
        }
        "$numberInt" | "$numberLong" => {
            let digits = string(value).ok_or_else(wrong)?;
            digits.parse::<i64>().map_err(|_| wrong())?;
            as_number(&digits).ok_or_else(wrong)?
        }
        "$numberDouble" => {
            let digits = string(value).ok_or_else(wrong)?;
            match digits.as_str() {
                "NaN" | "Infinity" | "-Infinity" => quoted(&digits),
                _ => as_number(&digits).ok_or_else(wrong)?,
            }
        }
        "$date" => quoted(&instant(value).ok_or_else(wrong)?),
        "$undefined" => "null".into(),
        _ => return Ok(None),
    }))
}

/// The text itself, if it is a number of JSON.
fn as_number(digits: &str) -> Option<String> {
    let is_number = digits.starts_with(|first: char| first == '-' || first.is_ascii_digit())
        && serde_json::from_str::<&RawValue>(digits).is_ok();
    is_number.then(|| digits.to_owned())
}

/// The instant of `$date`: text, or milliseconds since 1970 as a number or as `$numberLong`.
fn instant(value: &str) -> Option<String> {
    if let Some(text) = string(value) {
        return Some(text.parse::<Timestamp>().ok()?.to_string());
    }
    let milliseconds = match value.as_bytes().first() {
        Some(b'{') => match &entries(value).ok()?[..] {
            [(name, value)] if name == "$numberLong" => string(value.get())?,
            _ => return None,
        },
        _ => value.to_owned(),
    };
    Some(Timestamp::from_millisecond(milliseconds.parse().ok()?).ok()?.to_string())
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_become_plain() {
        for (written, read) in [
            (r#"{"$oid":"5f1e"}"#, r#""5f1e""#),
            (r#"{"$numberLong":"9007199254740993"}"#, "9007199254740993"),
            (r#"{"$numberInt":"-7"}"#, "-7"),
            (r#"{"$numberDouble":"1.10"}"#, "1.10"),
            (r#"{"$numberDouble":"-Infinity"}"#, r#""-Infinity""#),
            (r#"{"$numberDecimal":"0.10000000000000000001"}"#, r#""0.10000000000000000001""#),
            (r#"{"$date":{"$numberLong":"1769817600000"}}"#, r#""2026-01-31T00:00:00Z""#),
            (r#"{"$date":1769817600123}"#, r#""2026-01-31T00:00:00.123Z""#),
            (r#"{"$date":"2026-01-31T01:00:00.5+01:00"}"#, r#""2026-01-31T00:00:00.5Z""#),
            (r#"{"$date":{"$numberLong":"-62135596800000"}}"#, r#""0001-01-01T00:00:00Z""#),
            (r#"{"$undefined":true}"#, "null"),
            (r#"{"$minKey":1}"#, r#"{"$minKey":1}"#),
            (r#"{ "$set" : [ 1.10 , {"$oid":"a"} ] }"#, r#"{"$set":[1.10,"a"]}"#),
            (r#"{"$oid":"a","b":1}"#, r#"{"$oid":"a","b":1}"#),
        ] {
            assert_eq!(
                plain(&format!("{{\"x\":{written}}}")).unwrap(),
                format!("{{\"x\":{read}}}")
            );
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for written in [
            r#"{"$numberLong":"1.5"}"#,
            r#"{"$numberInt":7}"#,
            r#"{"$numberDouble":"one"}"#,
            r#"{"$date":"yesterday"}"#,
            r#"{"$oid":{}}"#,
        ] {
            let error = plain(&format!("{{\"x\":{written}}}")).unwrap_err();
            assert!(error.contains("cannot be"), "{error}");
        }
        let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        assert!(plain(&deep).unwrap_err().starts_with("TOOBIG"));
    }
}
