//! The server's answers, which carry the same in RESP2 (flat pairs) and RESP3 (maps).

use redis::{FromRedisValue, Value};
use serde::de::DeserializeOwned;

use crate::{Error, Page, Result};

/// The document in a reply of JSON text.
pub(crate) fn document<T: DeserializeOwned>(key: &str, reply: &Value) -> Result<T> {
    let parsed = match reply {
        Value::BulkString(text) => serde_json::from_slice(text),
        Value::SimpleString(text) => serde_json::from_str(text),
        other => return Err(unexpected("JSON text", other)),
    };
    parsed.map_err(|source| Error::Decode { key: key.into(), source })
}

/// The answer to `DOC.FIND`. Entries that this version does not know are left alone.
pub(crate) fn page<T: DeserializeOwned>(reply: Value) -> Result<Page<T>> {
    let mut page = Page { items: Vec::new(), total: None, cursor: None };
    for (name, value) in pairs(reply)? {
        match text(name)?.as_str() {
            "results" => page.items = items(list(value)?)?,
            "total" => page.total = Some(convert(value)?),
            "cursor" => page.cursor = convert(value)?,
            _ => {}
        }
    }
    Ok(page)
}

fn items<T: DeserializeOwned>(rows: Vec<Value>) -> Result<Vec<(String, T)>> {
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        let mut cells = list(row)?.into_iter();
        let (Some(key), Some(json)) = (cells.next(), cells.next()) else {
            return Err(Error::Reply("a row without a key and a document".into()));
        };
        let key = text(key)?;
        let item = document(&key, &json)?;
        items.push((key, item));
    }
    Ok(items)
}

/// The entries of a map, or of a list that alternates names and values.
fn pairs(reply: Value) -> Result<Vec<(Value, Value)>> {
    match reply {
        Value::Map(pairs) => Ok(pairs),
        Value::Array(flat) if flat.len() % 2 == 0 => {
            let mut pairs = Vec::with_capacity(flat.len() / 2);
            let mut flat = flat.into_iter();
            while let (Some(name), Some(value)) = (flat.next(), flat.next()) {
                pairs.push((name, value));
            }
            Ok(pairs)
        }
        other => Err(unexpected("a map", &other)),
    }
}

fn list(reply: Value) -> Result<Vec<Value>> {
    match reply {
        Value::Array(items) => Ok(items),
        other => Err(unexpected("a list", &other)),
    }
}

fn text(reply: Value) -> Result<String> {
    convert(reply)
}

fn convert<T: FromRedisValue>(reply: Value) -> Result<T> {
    T::from_redis_value(reply).map_err(|error| Error::Reply(error.to_string().into()))
}

fn unexpected(wanted: &str, found: &Value) -> Error {
    let kind = match found {
        Value::Nil => "null",
        Value::Int(_) => "an integer",
        Value::BulkString(_) | Value::SimpleString(_) | Value::Okay => "a string",
        Value::Array(_) => "a list",
        Value::Map(_) => "a map",
        _ => "another type",
    };
    Error::Reply(format!("{wanted} was expected, {kind} came").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.into())
    }

    fn rows() -> Value {
        Value::Array(vec![Value::Array(vec![bulk("a:1"), bulk(r#"{"n":1}"#)])])
    }

    #[test]
    fn both_protocols_give_the_same_page() {
        let flat = Value::Array(vec![bulk("results"), rows(), bulk("total"), Value::Int(7)]);
        let map = Value::Map(vec![(bulk("results"), rows()), (bulk("total"), Value::Int(7))]);
        let page: Page<serde_json::Value> = page(flat).unwrap();
        assert_eq!(page.items, vec![("a:1".into(), serde_json::json!({"n": 1}))]);
        assert_eq!(page.total, Some(7));
        assert_eq!(page, super::page(map).unwrap());
    }

    #[test]
    fn a_document_of_another_shape_names_its_key() {
        let error = document::<Vec<u8>>("a:1", &bulk("{}")).unwrap_err();
        assert!(error.to_string().starts_with("a:1 does not fit its type"), "{error}");
    }

    #[test]
    fn a_page_has_its_cursor_and_nothing_of_unknown_entries() {
        let entries = [("results", rows()), ("later", Value::Nil), ("cursor", bulk("c7"))];
        let map = Value::Map(entries.map(|(name, value)| (bulk(name), value)).into());
        let page: Page<serde_json::Value> = page(map).unwrap();
        assert_eq!((page.items.len(), page.total), (1, None));
        assert_eq!(page.cursor.as_deref(), Some("c7"));
    }

    #[test]
    fn a_reply_of_an_unknown_shape_is_an_error_that_tells_it() {
        let told = |reply| page::<serde_json::Value>(reply).unwrap_err().to_string();
        let of_rows = |rows| told(Value::Map(vec![(bulk("results"), rows)]));
        let row = |cells| of_rows(Value::Array(vec![Value::Array(cells)]));
        let expected = |what: &str| format!("unexpected reply: {what}");
        assert_eq!(told(Value::Nil), expected("a map was expected, null came"));
        assert_eq!(told(Value::Okay), expected("a map was expected, a string came"));
        let odd = Value::Array(vec![bulk("results")]);
        assert_eq!(told(odd), expected("a map was expected, a list came"));
        assert_eq!(of_rows(Value::Int(1)), expected("a list was expected, an integer came"));
        let map = Value::Map(Vec::new());
        assert_eq!(of_rows(map), expected("a list was expected, a map came"));
        assert_eq!(row(vec![bulk("a:1")]), expected("a row without a key and a document"));
        let truth = Value::Boolean(true);
        let cells = vec![bulk("a:1"), truth];
        assert_eq!(row(cells), expected("JSON text was expected, another type came"));
    }

    #[test]
    fn a_document_is_read_from_either_kind_of_string() {
        let simple = Value::SimpleString("[1]".into());
        assert_eq!(document::<Vec<u8>>("a:1", &simple).unwrap(), [1]);
        assert_eq!(document::<Vec<u8>>("a:1", &bulk("[1]")).unwrap(), [1]);
    }
}
