//! Fingerprints of what a collection holds, to compare servers that ought to hold the same.
//!
//! Each item, a document or a pair of an index's key and a document's Redis key, is hashed alone (XXH3, 128 bits, without a
//! seed), and the hashes are added up. So neither the order of items nor the ids of documents count, and a process's own random
//! seeds do not. A digest tells accidents apart; whoever may choose documents can make two that collide.

use xxhash_rust::xxh3::xxh3_128;

use super::Collection;
use crate::index::Index;

/// The sum of the hashes of a set's items; 0 of none.
pub type Sum = u128;

/// What a collection holds, due documents apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// Of each document's key, version, birth number, text and parts with a TTL, whether it is deleted, and its schema version.
    pub documents: Sum,
    /// Of each document's key and times: created, updated, expires.
    pub times: Sum,
    /// Of each index, in the order of the collection's.
    pub indexes: Vec<IndexDigest>,
}

/// What an index holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexDigest {
    /// What it is called, if it was declared by itself.
    pub name: Option<Box<str>>,
    /// The paths whose values it holds, as text.
    pub paths: String,
    /// `set`, `sorted` or `substring`.
    pub kind: &'static str,
    /// Of each pair of a value's key and a document's key.
    pub entries: Sum,
}

/// An item under way to its hash: each part behind its length, so that no two items have the same bytes.
#[derive(Default)]
struct Item(Vec<u8>);

impl Item {
    fn begin(&mut self, part: &[u8]) {
        self.0.clear();
        self.add(part);
    }

    fn add(&mut self, part: &[u8]) {
        self.0.extend_from_slice(&(part.len() as u64).to_le_bytes());
        self.0.extend_from_slice(part);
    }

    fn hash(&self) -> Sum {
        xxh3_128(&self.0)
    }
}

impl Collection {
    /// The digest as of the last [`Collection::lapse`]. O(bytes of documents + entries of all indexes).
    pub fn digest(&self) -> Digest {
        let (mut documents, mut times): (Sum, Sum) = (0, 0);
        let (mut item, mut key) = (Item::default(), Vec::new());
        for id in &self.live - self.due() {
            let Some(document) = self.documents.get(id) else { continue };
            self.key(id, &mut key);
            item.begin(&key);
            for number in [document.version(), document.seq()] {
                item.add(&number.to_le_bytes());
            }
            item.add(document.text());
            if !document.timed().is_empty() {
                item.add(document.timed());
            }
            if document.is_deleted() {
                item.add(b"deleted");
            }
            if document.schema() != 0 {
                item.add(&document.schema().to_le_bytes());
            }
            documents = documents.wrapping_add(item.hash());
            item.begin(&key);
            for time in [document.created_ms(), document.updated_ms()] {
                item.add(&time.to_le_bytes());
            }
            if let Some(at) = self.expires_ms(id) {
                item.add(&at.to_le_bytes());
            }
            times = times.wrapping_add(item.hash());
        }
        let indexes = self.indexes.iter().map(|index| IndexDigest {
            name: index.name().map(Into::into),
            paths: index.paths(),
            kind: index.kind_name(),
            entries: self.digest_of(index),
        });
        Digest { documents, times, indexes: indexes.collect() }
    }

    /// Of the entries that are there, not of those that ought to be.
    fn digest_of(&self, index: &Index) -> Sum {
        let mut sum: Sum = 0;
        let (mut item, mut key) = (Item::default(), Vec::new());
        for (value, posting) in index.each() {
            let value = value.as_ref();
            for id in posting.ids().filter(|id| !self.due().contains(*id)) {
                self.key(id, &mut key);
                item.begin(&key);
                item.add(&value.head.to_be_bytes());
                if let Some(tail) = value.tail {
                    item.add(tail);
                }
                sum = sum.wrapping_add(item.hash());
            }
        }
        sum
    }
}
