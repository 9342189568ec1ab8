//! `CHANGES`: a collection that tells of each committed change, and how much of it.

use serde::{Deserialize, Serialize};

use crate::error::{Code, Error, Result};

/// What the key of a collection's stream begins with; the collection's name follows.
const KEY_PREFIX: &str = "changes:";

/// What an entry holds of the document besides its key and numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Told {
    /// Neither text.
    #[default]
    Keys,
    /// The text that stands there afterwards.
    After,
    /// That text, and the one that stood there before.
    Both,
}

/// The stream of changes that a collection is declared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeStream {
    /// What its entries hold.
    #[serde(default)]
    pub what: Told,
    /// About how many entries the server keeps; none: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maxlen: Option<u64>,
}

impl ChangeStream {
    /// Whether it can be kept. Error: `SCHEMA`.
    pub(super) fn validate(self) -> Result<()> {
        // The server reads it as a signed number.
        const MOST: u64 = i64::MAX as u64;
        match self.maxlen {
            Some(maxlen) if !(1..=MOST).contains(&maxlen) => {
                let what = format!("CHANGES MAXLEN {maxlen} is not from 1 to {MOST}");
                Err(Error::new(Code::Schema, what))
            }
            _ => Ok(()),
        }
    }

    /// The key of the stream of a collection's changes.
    pub fn key(collection: &str) -> String {
        format!("{KEY_PREFIX}{collection}")
    }

    /// The collection whose stream a key is, if it is one's.
    pub fn collection(key: &[u8]) -> Option<&str> {
        std::str::from_utf8(key.strip_prefix(KEY_PREFIX.as_bytes())?).ok()
    }
}

#[cfg(test)]
mod tests {
    use crate::Limits;
    use crate::schema::Definition;

    #[test]
    fn a_definition_says_what_is_told() {
        let read = |json: &str| Definition::from_json(json.as_bytes(), &Limits::default());
        for changes in ["{}", r#"{"what":"keys"}"#] {
            let definition = read(&format!(r#"{{"collection":"t","changes":{changes}}}"#)).unwrap();
            assert!(definition.to_json().ends_with(r#""fields":[],"changes":{"what":"keys"}}"#));
        }
        let both = r#"{"collection":"t","prefix":"t:","mode":"open","fields":[],"changes":{"what":"both","maxlen":9}}"#;
        assert_eq!(read(both).unwrap().to_json(), both);
        assert!(read(r#"{"collection":"t"}"#).unwrap().options.changes.is_none());
        for (changes, told) in [
            (r#"{"maxlen":0}"#, "SCHEMA CHANGES MAXLEN 0 is not from 1 to 9223372036854775807"),
            (r#"{"what":"all"}"#, "SCHEMA definition: changes.what: unknown variant `all`"),
            (r#"{"keep":1}"#, "SCHEMA definition: changes.keep: unknown field `keep`"),
        ] {
            let error = read(&format!(r#"{{"collection":"t","changes":{changes}}}"#)).unwrap_err();
            assert!(error.to_string().starts_with(told), "{error}");
        }
    }

    #[test]
    fn a_stream_is_named_after_its_collection() {
        assert_eq!(super::ChangeStream::key("a.b"), "changes:a.b");
        assert_eq!(super::ChangeStream::collection(b"changes:a.b"), Some("a.b"));
        assert_eq!(super::ChangeStream::collection(b"changed:a.b"), None);
    }
}
