//! Cursors: where a page ended, as a token that the next page is asked with. Nothing is kept on the server.
//!
//! ```text
//!   token   base64url of
//!           version u8 = 1 | query u64 | birth number u64 | keys u8 | each key: head u64, tail length u32, tail
//!           all little endian; a tail length of all ones says that there is none
//! ```
//! `query` is a hash of all that decides which rows there are and in which order, the same in every process: a token for
//! another query is refused.

use std::cmp::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use xxhash_rust::xxh3::Xxh3Default;

use super::Direction;
use crate::error::{Code, Error, Result};
use crate::limits::ORDER_PATHS_MAX;
use crate::query::{Ast, Params, Subject};
use crate::value::Key;

const VERSION: u8 = 1;
const NO_TAIL: u32 = u32::MAX;

/// Where a page ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// A hash of the query.
    pub query: u64,
    /// The order values of the last row, one for each path of ORDER.
    pub keys: Vec<Key>,
    /// Its birth number.
    pub seq: u64,
}

/// A hash of a query: of all that decides which rows there are and in which order.
pub fn fingerprint(
    collection: &str,
    filter: Option<&Ast>,
    params: &Params,
    order: &[(Subject, Direction)],
    with_deleted: bool,
) -> u64 {
    let mut hash = Xxh3Default::new();
    let mut add = |part: &[u8]| {
        hash.update(&(part.len() as u64).to_le_bytes());
        hash.update(part);
    };
    add(collection.as_bytes());
    add(filter.map_or_else(String::new, Ast::to_string).as_bytes());
    for (name, json) in params.iter() {
        add(name.as_bytes());
        add(json);
    }
    for (subject, direction) in order {
        add(subject.to_string().as_bytes());
        add(&[u8::from(*direction == Direction::Descending)]);
    }
    if with_deleted {
        // Parts of an order come in pairs.
        add(b"WITHDELETED");
    }
    hash.digest()
}

impl Cursor {
    /// The token. O(bytes of the order values).
    pub fn token(&self) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend(self.query.to_le_bytes());
        bytes.extend(self.seq.to_le_bytes());
        bytes.push(self.keys.len() as u8);
        for key in &self.keys {
            let key = key.as_ref();
            bytes.extend(key.head.to_le_bytes());
            let length = key.tail.map_or(NO_TAIL, |tail| tail.len() as u32);
            bytes.extend(length.to_le_bytes());
            bytes.extend(key.tail.unwrap_or_default());
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The cursor of a token that was given for `query` with so many order paths. Error: `CURSOR`.
    pub fn read(token: &str, query: u64, paths: usize) -> Result<Cursor> {
        let refuse = |what: &str| Err(Error::new(Code::Cursor, what));
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(token) else {
            return refuse("the cursor is none that a query gave");
        };
        let Some(cursor) = parse(&bytes) else {
            return refuse("the cursor is none that a query gave");
        };
        if cursor.query != query || cursor.keys.len() != paths {
            return refuse(
                "the cursor is of another query: collection, filter, parameters and ORDER have to be the same",
            );
        }
        Ok(cursor)
    }

    /// Whether a row stands behind the cursor. `turned` gives each order value's direction to a comparison.
    pub fn is_before(
        &self,
        keys: &[Key],
        seq: u64,
        turned: impl Fn(usize, Ordering) -> Ordering,
    ) -> bool {
        for (at, (own, key)) in self.keys.iter().zip(keys).enumerate() {
            let order = turned(at, own.cmp(key));
            if order != Ordering::Equal {
                return order == Ordering::Less;
            }
        }
        // Ties follow birth, in the direction of the last path.
        turned(self.keys.len().saturating_sub(1), self.seq.cmp(&seq)) == Ordering::Less
    }
}

fn parse(bytes: &[u8]) -> Option<Cursor> {
    let mut rest = bytes;
    let mut take = |count: usize| {
        let (taken, after) = rest.split_at_checked(count)?;
        rest = after;
        Some(taken)
    };
    if take(1)? != [VERSION] {
        return None;
    }
    let query = u64::from_le_bytes(take(8)?.try_into().ok()?);
    let seq = u64::from_le_bytes(take(8)?.try_into().ok()?);
    let count = usize::from(take(1)?[0]);
    if count > ORDER_PATHS_MAX {
        return None;
    }
    let mut keys = Vec::with_capacity(count);
    for _ in 0..count {
        let head = u64::from_le_bytes(take(8)?.try_into().ok()?);
        let length = u32::from_le_bytes(take(4)?.try_into().ok()?);
        let tail = if length == NO_TAIL { None } else { Some(take(length as usize)?.into()) };
        keys.push(Key::new(head, tail));
    }
    rest.is_empty().then_some(Cursor { query, keys, seq })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_cursor() -> impl Strategy<Value = Cursor> {
        let key = (any::<u64>(), any::<Option<Vec<u8>>>())
            .prop_map(|(head, tail)| Key::new(head, tail.map(Into::into)));
        (any::<u64>(), prop::collection::vec(key, 0..4), any::<u64>())
            .prop_map(|(query, keys, seq)| Cursor { query, keys, seq })
    }

    proptest! {
        #[test]
        fn a_token_reads_back(cursor in any_cursor()) {
            let read = Cursor::read(&cursor.token(), cursor.query, cursor.keys.len());
            prop_assert_eq!(read, Ok(cursor));
        }

        #[test]
        fn no_text_panics(text in any::<String>(), cursor in any_cursor(), cut in any::<usize>()) {
            prop_assert!(Cursor::read(&text, 1, 0).is_err());
            let token = cursor.token();
            let cut = cut % token.len();
            prop_assert!(Cursor::read(&token[..cut], cursor.query, cursor.keys.len()).is_err());
        }
    }

    #[test]
    fn another_query_is_refused() {
        let cursor = Cursor { query: 7, keys: vec![Key::NULL], seq: 3 };
        let error = Cursor::read(&cursor.token(), 8, 1).unwrap_err().to_string();
        assert!(error.starts_with("CURSOR the cursor is of another query"), "{error}");
        assert_eq!(Cursor::read(&cursor.token(), 7, 2).unwrap_err().to_string(), error);
        let error = Cursor::read("x!", 7, 1).unwrap_err().to_string();
        assert_eq!(error, "CURSOR the cursor is none that a query gave");
    }
}
