//! The set index: a hash table from key to posting. Equality and membership in O(1).

use std::hash::{BuildHasher, Hash, Hasher};

use hashbrown::HashTable;

use super::DocId;
use super::build::Ids;
use super::posting::Posting;
use super::size::Sample;
use crate::memory::Blocks;
use crate::value::{Key, KeyRange, KeyRef};

/// Hashed entries. The seed comes from outside, so that nobody can craft values that collide.
#[derive(Debug)]
pub struct SetIndex {
    table: HashTable<(Key, Posting)>,
    hasher: ahash::RandomState,
}

fn hash_of(hasher: &ahash::RandomState, key: KeyRef<'_>) -> u64 {
    let mut state = hasher.build_hasher();
    state.write_u64(key.head);
    key.tail.hash(&mut state);
    state.finish()
}

impl SetIndex {
    /// An empty index whose hashes begin from `seed`.
    pub fn new(seed: u64) -> Self {
        let hasher =
            ahash::RandomState::with_seeds(seed, !seed, seed.rotate_left(17), 0x0066_6f6c_696f);
        SetIndex { table: HashTable::new(), hasher }
    }

    /// Distinct keys.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// The documents under `key`. O(1).
    pub fn get(&self, key: KeyRef<'_>) -> Option<&Posting> {
        let hash = hash_of(&self.hasher, key);
        self.table.find(hash, |(held, _)| held.as_ref() == key).map(|(_, posting)| posting)
    }

    /// Adds a pair; the size of its posting then, or `None` if the pair was there. O(1) expected.
    pub fn insert(&mut self, key: KeyRef<'_>, id: DocId) -> Option<u64> {
        self.add(key, id, Posting::insert)
    }

    /// The same while the index is made: ids never descend, and [`SetIndex::finish`] follows. O(1) expected.
    pub fn push(&mut self, key: KeyRef<'_>, id: DocId) -> Option<u64> {
        self.add(key, id, Posting::push)
    }

    fn add(
        &mut self,
        key: KeyRef<'_>,
        id: DocId,
        add: impl FnOnce(&mut Posting, DocId) -> bool,
    ) -> Option<u64> {
        let hash = hash_of(&self.hasher, key);
        if let Some((_, posting)) = self.table.find_mut(hash, |(held, _)| held.as_ref() == key) {
            return add(posting, id).then(|| posting.len());
        }
        let hasher = &self.hasher;
        self.table.insert_unique(hash, (key.to_key(), Posting::One(id)), |(held, _)| {
            hash_of(hasher, held.as_ref())
        });
        Some(1)
    }

    /// Removes a pair; the size of its posting then, or `None` if the pair was not there. O(1) expected.
    pub fn remove(&mut self, key: KeyRef<'_>, id: DocId) -> Option<u64> {
        let hash = hash_of(&self.hasher, key);
        let mut entry = self.table.find_entry(hash, |(held, _)| held.as_ref() == key).ok()?;
        let posting = &mut entry.get_mut().1;
        if posting.is_last(id) {
            entry.remove();
            self.shrink();
            return Some(0);
        }
        posting.remove(id).then(|| posting.len())
    }

    /// Gives memory back when the table is nearly empty.
    fn shrink(&mut self) {
        if self.table.capacity() > 64 && self.table.len() < self.table.capacity() / 4 {
            let hasher = &self.hasher;
            self.table.shrink_to(self.table.len() * 2, |(held, _)| hash_of(hasher, held.as_ref()));
        }
    }

    /// Makes room for so many keys in an empty index.
    pub fn reserve(&mut self, keys: usize) {
        self.table = HashTable::with_capacity(keys);
    }

    /// Ends the making: postings take the forms and sizes that they should have, and ids for numbers. O(entries).
    pub fn finish(&mut self, ids: Ids<'_>) {
        self.table.iter_mut().for_each(|(_, posting)| posting.finish(ids));
    }

    /// An empty index with the same hashes.
    #[must_use]
    pub fn emptied(&self) -> Self {
        SetIndex { table: HashTable::new(), hasher: self.hasher.clone() }
    }

    /// The postings of all keys within `range`, in no order. O(keys).
    pub fn scan(&self, range: &KeyRange) -> impl Iterator<Item = &Posting> {
        let within = |(key, _): &&(Key, Posting)| range.contains(key.as_ref());
        self.table.iter().filter(within).map(|(_, posting)| posting)
    }

    /// Every key with its posting, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Posting)> {
        self.table.iter().map(|(key, posting)| (key, posting))
    }

    /// Bytes of memory, about. O(keys).
    pub fn heap_bytes(&self, blocks: Blocks) -> usize {
        let entries = self
            .table
            .iter()
            .map(|(key, posting)| blocks.bytes(key.heap_bytes()) + posting.heap_bytes(blocks));
        blocks.bytes(self.table.allocation_size()) + entries.sum::<usize>()
    }

    /// The same from a look at `sample` keys: hashes make the first ones as good as any. `entries`: pairs of key and document.
    pub fn bytes_about(&self, entries: u64, sample: usize, blocks: Blocks) -> usize {
        if self.len() <= sample {
            return self.heap_bytes(blocks);
        }
        let mut seen = Sample::default();
        for (key, posting) in self.table.iter().take(sample) {
            seen.add(blocks.bytes(key.heap_bytes()), posting, blocks);
        }
        blocks.bytes(self.table.allocation_size()) + seen.extrapolated(self.len(), entries)
    }

    /// Each broken invariant, in words: every key is found where its hash says.
    pub fn faults(&self) -> Vec<String> {
        let lost = |(key, _): &&(Key, Posting)| self.get(key.as_ref()).is_none();
        let lost = self.table.iter().filter(lost);
        lost.map(|(key, _)| format!("set index: {key:?} is not found by its hash")).collect()
    }
}
