//! The server's answers, which carry the same in RESP2 (flat pairs) and RESP3 (maps).

use redis::{FromRedisValue, Value};
use serde::de::DeserializeOwned;

use crate::error::DecodeCause;
use crate::{Error, Result};

/// An answer of the server, not yet read.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply(Value);

/// A row of an answer: a key, the text of its document and, where it was asked for, the version.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) key: String,
    pub(crate) text: Vec<u8>,
    pub(crate) version: Option<u64>,
}

/// The answer to `DOC.FIND` and `DOC.CLAIM`.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Found {
    pub(crate) rows: Vec<Row>,
    pub(crate) total: Option<u64>,
    pub(crate) cursor: Option<String>,
}

impl Reply {
    pub(crate) fn new(value: Value) -> Self {
        Self(value)
    }

    /// What the transport gave.
    pub(crate) fn into_value(self) -> Value {
        self.0
    }

    /// Whether it is null.
    pub(crate) fn is_nil(&self) -> bool {
        self.0 == Value::Nil
    }

    /// The answer as a number, a string, or a list of such.
    pub(crate) fn to<T: FromRedisValue>(self) -> Result<T> {
        convert(self.0)
    }

    /// The bytes of a text; `None` if the answer is null.
    pub(crate) fn bytes(self) -> Result<Option<Vec<u8>>> {
        match self.0 {
            Value::Nil => Ok(None),
            value => bytes(value).map(Some),
        }
    }

    /// A text and its version; `None` if the answer is null.
    pub(crate) fn versioned(self) -> Result<Option<(Vec<u8>, u64)>> {
        if self.is_nil() {
            return Ok(None);
        }
        match <[Value; 2]>::try_from(list(self.0)?) {
            Ok([text, version]) => Ok(Some((bytes(text)?, convert(version)?))),
            Err(_) => Err(Error::Reply("a text and its version were expected".into())),
        }
    }

    /// The elements of a list.
    pub(crate) fn list(self) -> Result<Vec<Reply>> {
        Ok(list(self.0)?.into_iter().map(Reply).collect())
    }

    /// The entries of a map, in order.
    pub(crate) fn entries(self) -> Result<Vec<(String, Reply)>> {
        let pairs = pairs(self.0)?.into_iter();
        pairs.map(|(name, value)| Ok((text(name)?, Reply(value)))).collect()
    }

    /// The answer to a search. Entries that this version does not know are left alone.
    pub(crate) fn rows(self) -> Result<Found> {
        let mut found = Found::default();
        for (name, Reply(value)) in self.entries()? {
            match name.as_str() {
                "results" => {
                    found.rows = list(value)?.into_iter().map(row).collect::<Result<_>>()?;
                }
                "total" => found.total = Some(convert(value)?),
                "cursor" => found.cursor = convert(value)?,
                _ => {}
            }
        }
        Ok(found)
    }

    /// The texts of the answer to `DOC.AGGREGATE`.
    pub(crate) fn texts(self) -> Result<Vec<Vec<u8>>> {
        for (name, Reply(value)) in self.entries()? {
            if name == "results" {
                return list(value)?.into_iter().map(bytes).collect();
            }
        }
        Err(Error::Reply("an answer without results".into()))
    }
}

fn row(row: Value) -> Result<Row> {
    let mut cells = list(row)?.into_iter();
    let (Some(key), Some(json)) = (cells.next(), cells.next()) else {
        return Err(Error::Reply("a row without a key and a document".into()));
    };
    let version = cells.next().map(convert).transpose()?;
    Ok(Row { key: text(key)?, text: bytes(json)?, version })
}

/// What JSON text says; an error names the key, and the path within it.
pub(crate) fn document<T: DeserializeOwned>(key: &str, text: &[u8]) -> Result<T> {
    serde_json::from_slice(text).map_err(|first| {
        let mut reader = serde_json::Deserializer::from_slice(text);
        let told: Result<T, _> = serde_path_to_error::deserialize(&mut reader);
        let path = told.err().map(|error| error.path().to_string()).unwrap_or_default();
        Error::Decode { key: key.into(), cause: Box::new(DecodeCause { path, source: first }) }
    })
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

fn bytes(reply: Value) -> Result<Vec<u8>> {
    match reply {
        Value::BulkString(text) => Ok(text),
        Value::SimpleString(text) => Ok(text.into_bytes()),
        other => Err(unexpected("JSON text", &other)),
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
    fn both_protocols_give_the_same_rows() {
        let flat = Value::Array(vec![bulk("results"), rows(), bulk("total"), Value::Int(7)]);
        let map = Value::Map(vec![(bulk("results"), rows()), (bulk("total"), Value::Int(7))]);
        let found = Reply(flat).rows().unwrap();
        let row = Row { key: "a:1".into(), text: br#"{"n":1}"#.into(), version: None };
        assert_eq!((&found.rows, found.total), (&vec![row], Some(7)));
        assert_eq!(found, Reply(map).rows().unwrap());
    }

    #[test]
    fn a_document_of_another_shape_names_its_key_and_place() {
        let error = document::<Vec<u8>>("a:1", b"[1,300]").unwrap_err();
        let told = error.to_string();
        assert!(told.starts_with("a:1 does not fit its type at [1]: invalid value"), "{told}");
    }

    #[test]
    fn an_answer_has_its_cursor_its_versions_and_nothing_of_unknown_entries() {
        let row = Value::Array(vec![Value::Array(vec![bulk("a:1"), bulk("{}"), Value::Int(4)])]);
        let entries = [("results", row), ("later", Value::Nil), ("cursor", bulk("c7"))];
        let map = Value::Map(entries.map(|(name, value)| (bulk(name), value)).into());
        let found = Reply(map).rows().unwrap();
        assert_eq!((found.rows[0].version, found.total), (Some(4), None));
        assert_eq!(found.cursor.as_deref(), Some("c7"));
    }

    #[test]
    fn a_reply_of_an_unknown_shape_is_an_error_that_tells_it() {
        let told = |reply| Reply(reply).rows().unwrap_err().to_string();
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
    fn a_text_is_read_from_either_kind_of_string() {
        let simple = Reply(Value::SimpleString("[1]".into()));
        assert_eq!(simple.bytes().unwrap().as_deref(), Some(&b"[1]"[..]));
        assert_eq!(Reply(bulk("[1]")).bytes().unwrap().as_deref(), Some(&b"[1]"[..]));
        assert_eq!(Reply(Value::Nil).bytes().unwrap(), None);
    }
}
