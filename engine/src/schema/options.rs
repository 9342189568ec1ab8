//! What a collection declares besides fields and indexes, and what no document is judged by: a change of it builds nothing.

use serde::{Deserialize, Serialize};

use super::Definition;
use super::changes::ChangeStream;
use crate::error::{Code, Error, Result};

/// Seconds of the longest TTL that a collection may declare: some 30,000 years.
pub const TTL_SECONDS_MAX: u64 = 1_000_000_000_000;

/// How the server makes ids, where it is asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ids {
    /// UUIDs of version 7 (RFC 9562): they begin with the time.
    #[default]
    Uuid7,
    /// ULIDs: the same in 26 characters.
    Ulid,
    /// Decimal numbers from 1 on, each above every decimal id that the collection has had.
    Sequence,
}

impl Ids {
    /// The strategy that `word` names, in any case.
    pub fn of(word: &str) -> Option<Self> {
        let all = [("uuid7", Ids::Uuid7), ("ulid", Ids::Ulid), ("sequence", Ids::Sequence)];
        let named = all.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
        named.map(|(_, ids)| ids)
    }
}

/// A collection's options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Seconds until a document lapses that is written whole without a TTL of its own; 0: it never does.
    pub ttl_seconds: u64,
    /// How ids are made.
    pub ids: Ids,
    /// The stream that tells of its changes, if there is to be one.
    pub changes: Option<ChangeStream>,
}

impl Options {
    /// Error: `SCHEMA`.
    pub(super) fn validate(self) -> Result<()> {
        if self.ttl_seconds > TTL_SECONDS_MAX {
            let seconds = self.ttl_seconds;
            let what = format!("a TTL of {seconds} seconds exceeds the limit of {TTL_SECONDS_MAX}");
            return Err(Error::new(Code::Schema, what));
        }
        self.changes.map_or(Ok(()), ChangeStream::validate)
    }

    /// When a document lapses that is written at `now_ms`, in milliseconds since 1970; none where it never does.
    pub fn expires_ms(self, now_ms: i64) -> Option<i64> {
        let ttl_ms = i64::try_from(self.ttl_seconds.saturating_mul(1000)).unwrap_or(i64::MAX);
        (ttl_ms > 0).then(|| now_ms.saturating_add(ttl_ms))
    }
}

impl Definition {
    /// Whether `other` differs from it in nothing but options and migrations, for which nothing is built.
    pub(crate) fn differs_in_options(&self, other: &Definition) -> bool {
        let migrations = other.migrations.clone();
        *self != *other
            && Definition { options: other.options, migrations, ..self.clone() } == *other
    }
}

/// The number that `id` is in decimal digits, without leading zeros and above 0; none beyond `most`.
pub(crate) fn decimal(id: &[u8], most: u64) -> Option<u64> {
    const DIGITS_MAX: usize = 19;
    if !matches!(id, [b'1'..=b'9', ..]) || id.len() > DIGITS_MAX {
        return None;
    }
    let add = |number: u64, byte: &u8| {
        byte.is_ascii_digit().then(|| number * 10 + u64::from(byte - b'0'))
    };
    id.iter().try_fold(0, add).filter(|number| *number <= most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    fn read(json: &str) -> Result<Definition> {
        Definition::from_json(json.as_bytes(), &Limits::default())
    }

    #[test]
    fn options_are_printed_where_they_are_not_the_default() {
        let json = r#"{"collection":"u","prefix":"u:","mode":"open","ttl":60,"ids":"sequence","fields":[]}"#;
        let definition = read(json).unwrap();
        assert_eq!(
            definition.options,
            Options { ttl_seconds: 60, ids: Ids::Sequence, changes: None }
        );
        assert_eq!(definition.to_json(), json);
        let plain = read(r#"{"collection":"u","ttl":0,"ids":"uuid7"}"#).unwrap();
        assert_eq!(plain, Definition::new("u"));
        assert_eq!(
            plain.to_json(),
            r#"{"collection":"u","prefix":"u:","mode":"open","fields":[]}"#
        );
        assert!(plain.differs_in_options(&definition));
        assert!(!plain.differs_in_options(&plain));
        let other = Definition { mode: super::super::Mode::Strict, ..definition };
        assert!(!plain.differs_in_options(&other));
    }

    #[test]
    fn a_ttl_and_a_strategy_are_judged() {
        let error = |json: &str| read(json).unwrap_err();
        let longer = error(r#"{"collection":"u","ttl":1000000000001}"#);
        let told = "SCHEMA a TTL of 1000000000001 seconds exceeds the limit of 1000000000000";
        assert_eq!(longer.to_string(), told);
        for wrong in [r#""ttl":-1"#, r#""ttl":"60""#, r#""ids":"serial""#] {
            let json = format!(r#"{{"collection":"u",{wrong}}}"#);
            assert_eq!(error(&json).code, Code::Schema, "{wrong}");
        }
    }

    #[test]
    fn a_ttl_counts_from_the_write() {
        let of = |ttl_seconds| Options { ttl_seconds, ..Options::default() }.expires_ms(1_000);
        assert_eq!(of(0), None);
        assert_eq!(of(2), Some(3_000));
        assert_eq!(of(u64::MAX), Some(i64::MAX));
    }

    #[test]
    fn decimal_ids_have_one_spelling() {
        let of = |id: &str| decimal(id.as_bytes(), 1_000_000);
        assert_eq!(of("1"), Some(1));
        assert_eq!(of("1000000"), Some(1_000_000));
        for none in ["", "0", "01", "+1", "-1", "1a", "1000001", "99999999999999999999", "1:2"] {
            assert_eq!(of(none), None, "{none}");
        }
        assert_eq!(decimal(b"9999999999999999999", u64::MAX), Some(9_999_999_999_999_999_999));
    }
}
