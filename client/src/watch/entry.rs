//! Entries of a change stream, read.

use std::collections::HashMap;
use std::time::{Duration, UNIX_EPOCH};

use redis::Value;

use super::{Change, Event, Found, Reading, Token};
use crate::{Error, Reply, Result};

/// An entry: its id, and its fields by name.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) token: Token,
    fields: HashMap<String, Vec<u8>>,
}

/// What an entry is told by from another one of the same number: its key and its time.
pub(super) type Mark = [Option<Vec<u8>>; 2];

/// The entries in an answer of XREAD that asked for one stream.
pub(super) fn entries(answer: Value) -> Result<Vec<Entry>> {
    let of_stream = match answer {
        Value::Nil => return Ok(Vec::new()),
        Value::Map(streams) => streams.into_iter().next().map(|(_, entries)| entries),
        Value::Array(streams) => match streams.into_iter().next() {
            Some(Value::Array(mut pair)) => pair.pop(),
            _ => None,
        },
        _ => None,
    };
    let of_stream = of_stream.ok_or_else(|| unreadable("no stream"))?;
    listed(of_stream)
}

/// The entries in an answer of XRANGE.
pub(super) fn listed(answer: Value) -> Result<Vec<Entry>> {
    Reply::new(answer).list()?.into_iter().map(entry).collect()
}

fn unreadable(what: &str) -> Error {
    Error::Reply(format!("a change stream with {what}").into())
}

fn entry(entry: Reply) -> Result<Entry> {
    let mut cells = entry.list()?.into_iter();
    let (Some(id), Some(fields)) = (cells.next(), cells.next()) else {
        return Err(unreadable("half an entry"));
    };
    let id: String = id.to()?;
    let token = id.parse().map_err(|_| unreadable("an entry of no id"))?;
    let mut by_name = HashMap::new();
    for (name, value) in fields.entries()? {
        by_name.insert(name, value.bytes()?.unwrap_or_default());
    }
    Ok(Entry { token, fields: by_name })
}

impl Entry {
    /// What it tells; `None` if it is not the server's, who puts an `op` into each of his.
    pub(super) fn change<T>(&self, reading: &Reading<T>) -> Option<Result<Change<T>>> {
        self.fields.contains_key("op").then(|| self.read(reading))
    }

    fn read<T>(&self, reading: &Reading<T>) -> Result<Change<T>> {
        let event = Event {
            key: self.text("key").unwrap_or_default(),
            version: self.number("version").unwrap_or_default(),
            cause: self.text("cause"),
            time: UNIX_EPOCH + Duration::from_millis(self.number("time").unwrap_or_default()),
            token: self.token,
        };
        let document = |name: &str| {
            let text = self.fields.get(name);
            let Event { key, version, .. } = &event;
            let id = key.strip_prefix(&reading.prefix).unwrap_or(key);
            let found = |text| Found { key, id, text, version: *version };
            text.map(|text| (reading.decode)(&found(text))).transpose()
        };
        let op = self.text("op").unwrap_or_default();
        Ok(match op.as_str() {
            "insert" => Change::Insert { after: document("after")?, event },
            "update" => {
                let paths = self.fields.get("paths").map_or(&b"[]"[..], Vec::as_slice);
                let paths = serde_json::from_slice(paths).map_err(|_| unreadable("no paths"))?;
                let (before, after) = (document("before")?, document("after")?);
                Change::Update { event, paths, before, after }
            }
            "delete" => Change::Delete { before: document("before")?, event },
            "expire" => Change::Expire { before: document("before")?, event },
            "evict" => Change::Evict { before: document("before")?, event },
            "flush" => Change::Flush { event },
            other => return Err(unreadable(&format!("the operation '{other}'"))),
        })
    }

    /// What has happened; `None` if the entry is not the server's.
    pub(super) fn op(&self) -> Option<&[u8]> {
        self.fields.get("op").map(Vec::as_slice)
    }

    /// The key of the document; empty where all are gone.
    pub(super) fn key(&self) -> &str {
        let key = self.fields.get("key").and_then(|key| std::str::from_utf8(key).ok());
        key.unwrap_or_default()
    }

    pub(super) fn mark(&self) -> Mark {
        ["key", "time"].map(|name| self.fields.get(name).cloned())
    }

    fn text(&self, name: &str) -> Option<String> {
        self.fields.get(name).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::super::Decode;
    use super::*;

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.into())
    }

    fn told(id: &str, fields: &[(&str, &str)]) -> Value {
        let fields = fields.iter().flat_map(|(name, value)| [bulk(name), bulk(value)]).collect();
        Value::Array(vec![bulk(id), Value::Array(fields)])
    }

    fn read(entry: Value) -> Option<Result<Change<Json>>> {
        let stream = Value::Array(vec![entry]);
        let map = Value::Map(vec![(bulk("changes:users"), stream)]);
        let entries = entries(map).unwrap();
        let decode: Decode<Json> = |found| Ok(serde_json::from_slice(found.text).unwrap());
        entries[0].change(&Reading { decode, prefix: "users:".into() })
    }

    #[test]
    fn both_protocols_give_the_same_entries() {
        let stream = Value::Array(vec![told("1-0", &[("op", "flush")])]);
        let pair = Value::Array(vec![bulk("changes:users"), stream]);
        let entries = entries(Value::Array(vec![pair])).unwrap();
        assert_eq!(entries[0].token.to_string(), "1-0");
        assert!(read(told("1-0", &[("op", "flush")])).unwrap().is_ok());
        assert!(super::entries(Value::Nil).unwrap().is_empty());
    }

    #[test]
    fn an_update_has_its_places_and_texts() {
        let fields = [
            ("op", "update"),
            ("key", "users:1"),
            ("version", "7"),
            ("paths", r#"["age"]"#),
            ("before", r#"{"age":1}"#),
            ("after", r#"{"age":2}"#),
            ("later", "?"),
            ("time", "1000"),
        ];
        let change = read(told("3-0", &fields)).unwrap().unwrap();
        assert_eq!(change.token(), "3-0".parse().unwrap());
        let event = change.event().cloned().unwrap();
        assert_eq!((event.key.as_str(), event.version, event.cause.clone()), ("users:1", 7, None));
        assert_eq!(event.time, UNIX_EPOCH + Duration::from_secs(1));
        let (before, after) = (Some(json!({"age": 1})), Some(json!({"age": 2})));
        assert_eq!(change, Change::Update { event, paths: vec!["age".into()], before, after });
    }

    #[test]
    fn what_others_have_added_is_no_change() {
        assert!(read(told("3-1", &[("mine", "1")])).is_none());
        let error = read(told("3-1", &[("op", "turn")])).unwrap().unwrap_err();
        assert_eq!(
            error.to_string(),
            "unexpected reply: a change stream with the operation 'turn'"
        );
    }
}
