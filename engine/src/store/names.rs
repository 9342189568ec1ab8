//! The names of one logical database: which collection does a key belong to.
//!
//! Declared prefixes do not nest, so at most one is a beginning of a key, and it is the greatest one that is not above the key in
//! the order of bytes. A key with none belongs to the open collection named by what stands before its first `:`.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use crate::collection::Counters;
use crate::error::{Code, Error, Result};
use crate::schema::Definition;
use crate::schema::definition::NAME_BYTES_MAX;

/// Keys longer than this are in no collection: a table keeps them.
pub const KEY_BYTES_MAX: usize = 64 << 10;

/// Where a key belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placement {
    /// To the collection of this number.
    Known(u32),
    /// To an open collection of this name that is not there yet.
    Founded(Box<str>),
}

/// Names and prefixes of a database's collections.
#[derive(Debug, Default)]
pub struct Names {
    /// Declared collections by prefix.
    prefixes: BTreeMap<Box<[u8]>, u32>,
    /// All collections by name, and whether each is declared.
    by_name: HashMap<Box<str>, (u32, bool), ahash::RandomState>,
    /// No collection that is founded in this database begins its numbers below.
    pub floor: Counters,
}

impl Names {
    /// The number of the collection of `name`.
    pub fn uid(&self, name: &str) -> Option<u32> {
        self.by_name.get(name).map(|(uid, _)| *uid)
    }

    /// All names, in order.
    pub fn all(&self) -> Vec<String> {
        let mut all: Vec<String> = self.by_name.keys().map(ToString::to_string).collect();
        all.sort_unstable();
        all
    }

    /// The collections that are not declared.
    pub fn open(&self) -> Vec<u32> {
        let mut open: Vec<(&str, u32)> = Vec::new();
        open.extend(
            self.by_name
                .iter()
                .filter(|(_, (_, declared))| !declared)
                .map(|(name, (uid, _))| (&**name, *uid)),
        );
        open.sort_unstable();
        open.into_iter().map(|(_, uid)| uid).collect()
    }

    /// A declared collection whose prefix is a beginning of `prefix`, or the other way round.
    pub fn nested_with(&self, prefix: &[u8]) -> Option<u32> {
        let nests = |held: &[u8]| held.starts_with(prefix) || prefix.starts_with(held);
        self.prefixes.iter().find(|(held, _)| nests(held)).map(|(_, uid)| *uid)
    }

    /// Enters a collection.
    pub fn add(&mut self, definition: &Definition, declared: bool, uid: u32) {
        self.by_name.insert(definition.name.clone(), (uid, declared));
        if declared {
            self.prefixes.insert(definition.prefix.as_bytes().into(), uid);
        }
    }

    /// Takes a collection out.
    pub fn remove(&mut self, definition: &Definition) {
        if let Some((_, true)) = self.by_name.remove(&definition.name) {
            self.prefixes.remove(definition.prefix.as_bytes());
        }
    }

    /// The collection that `key` belongs to. O(log declared). Errors: `KEY`, `TOOBIG`.
    pub fn place(&self, key: &[u8]) -> Result<Placement> {
        if key.len() > KEY_BYTES_MAX {
            let what = format!("key of {} bytes exceeds the limit of {KEY_BYTES_MAX}", key.len());
            return Err(Error::new(Code::TooBig, what));
        }
        let not_above = (Bound::Unbounded, Bound::Included(key));
        if let Some((prefix, uid)) = self.prefixes.range::<[u8], _>(not_above).next_back()
            && key.starts_with(prefix)
        {
            if prefix.len() == key.len() {
                return refuse(key, "has an empty id after its collection's prefix");
            }
            return Ok(Placement::Known(*uid));
        }
        let Some(colon) = key.iter().position(|byte| *byte == b':') else {
            return refuse(key, "has no ':' between collection and id");
        };
        if colon == 0 {
            return refuse(key, "has no collection before its ':'");
        }
        if colon + 1 == key.len() {
            return refuse(key, "has an empty id after its ':'");
        }
        // The prefix of an open collection is its name and the colon.
        if colon >= NAME_BYTES_MAX {
            return refuse(key, "has a collection name beyond the limit of 511 bytes");
        }
        let Ok(name) = std::str::from_utf8(&key[..colon]) else {
            return refuse(key, "has a collection name that is not UTF-8");
        };
        match self.by_name.get(name) {
            None => Ok(Placement::Founded(name.into())),
            Some((uid, false)) => Ok(Placement::Known(*uid)),
            Some((_, true)) => refuse(
                key,
                &format!(
                    "does not begin with the prefix that collection '{name}' is declared with"
                ),
            ),
        }
    }
}

fn refuse(key: &[u8], what: &str) -> Result<Placement> {
    const SHOWN: usize = 80;
    let shown = String::from_utf8_lossy(&key[..key.len().min(SHOWN)]);
    Err(Error::new(Code::Key, format!("'{shown}' {what}")))
}
