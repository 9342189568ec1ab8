//! A dump: text, one JSON object a line, each with one member that says what it is.
//!
//! ```text
//!   {"header":{"format":1,"folio":"0.1.0","server":"7.0.15","at":"2026-01-31T12:00:00Z","collections":["users"]}}
//!   {"functions":[{"name":"slug","source":"return ..","steps":100000,"memory":4194304}]}
//!   {"collection":{"name":"users","declared":true,"definition":{"collection":"users",..}}}
//!   {"document":{"key":"users:1","version":7,"seq":3,"created":1700000000000,"updated":1700000000000,"json":{..}}}
//!   ..
//!   {"footer":{"documents":1,"checksum":"xxh3:9a1c5c0f3b7e2d44"}}
//! ```
//! A document belongs to the collection above it. The checksum is over all bytes before the footer's line, so a file that was
//! cut or changed is told from a whole one. It finds accidents, not forgeries.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use xxhash_rust::xxh3::Xxh3;

/// The form of the lines. Another one is not read.
pub const FORMAT: u32 = 1;

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    Header(Header),
    /// What `DOC.FUNCTION DUMP` gives.
    Functions(Box<RawValue>),
    Collection(Collection),
    Document(Document),
    Footer(Footer),
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Header {
    pub format: u32,
    /// The version of this tool.
    pub folio: String,
    /// That of the server.
    pub server: String,
    /// When it was begun.
    pub at: String,
    pub collections: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Collection {
    pub name: String,
    pub declared: bool,
    /// What `DOC.SCHEMA` prints.
    pub definition: Box<RawValue>,
}

/// A document with what `DOC.META` tells. Times are milliseconds since 1970.
#[derive(Debug, Serialize, Deserialize)]
pub struct Document {
    pub key: Key,
    pub version: u64,
    pub seq: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub schema: u16,
    pub created: i64,
    pub updated: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<i64>,
    /// When it was marked as deleted, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<i64>,
    /// The paths that have a TTL of their own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub path_expires: BTreeMap<String, i64>,
    pub json: Box<RawValue>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Footer {
    pub documents: u64,
    pub checksum: String,
}

/// A key: its text, or its bytes where they are none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Key {
    Text(String),
    Bytes { base64: String },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_zero(number: &u16) -> bool {
    *number == 0
}

impl Key {
    pub fn of(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => Self::Text(text),
            Err(error) => Self::Bytes { base64: STANDARD.encode(error.as_bytes()) },
        }
    }

    /// None where the base64 is none.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::Text(text) => Some(text.clone().into_bytes()),
            Self::Bytes { base64 } => STANDARD.decode(base64).ok(),
        }
    }

    /// The key as it is shown.
    pub fn shown(&self) -> String {
        match self.bytes() {
            Some(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            None => "?".into(),
        }
    }
}

/// The checksum of what was hashed, as the footer has it.
pub fn checksum(hash: &Xxh3) -> String {
    format!("xxh3:{:016x}", hash.digest())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_back_with_its_digits() {
        let line = r#"{"document":{"key":"a:1","version":7,"seq":3,"created":1,"updated":2,"path_expires":{"otp":9},"json":{"n":12345678901234567890123,"m":1.10,"s":"\ud800"}}}"#;
        let read: Line = serde_json::from_str(line).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), line);
    }

    #[test]
    fn keys_of_any_bytes_come_back() {
        for bytes in [&b"a:1"[..], b"a:\xff\x00"] {
            let key = Key::of(bytes.to_vec());
            let text = serde_json::to_string(&key).unwrap();
            let read: Key = serde_json::from_str(&text).unwrap();
            assert_eq!(read.bytes().as_deref(), Some(bytes));
        }
    }
}
