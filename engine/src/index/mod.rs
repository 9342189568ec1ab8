//! Secondary indexes: from the key of a value to the documents that hold it.
//!
//! Every document of a collection stands in every index of it under at least one key; one whose path leads to
//! nothing stands under [`Key::MISSING`]. An index over a path without `[*]` holds each document exactly once, so
//! its counts are counts of documents.

mod build;
pub mod column;
pub mod expiry;
pub mod idmap;
pub mod posting;
pub mod set;
pub mod sorted;

use smallvec::SmallVec;

pub use build::{Builder, Ids, id_of};
pub use column::Column;
pub use expiry::Expiry;
pub use posting::Posting;
pub use set::SetIndex;
pub use sorted::SortedIndex;

use crate::doc::DocRef;
use crate::memory::Blocks;
use crate::path::{Path, Step};
use crate::schema::{Field, IndexKind, Scalar};
use crate::value::{Key, KeyBuf, KeyRange, KeyRef, KeySet};

/// A document's number within its collection: given at birth, ascending, not reused.
pub type DocId = u32;

/// The keys of one document in one index, ascending, without repeats.
pub type KeyList = SmallVec<[Key; 1]>;

/// The structure that holds an index's entries.
#[derive(Debug)]
pub enum Body {
    /// Hashed.
    Set(SetIndex),
    /// Ordered.
    Sorted(SortedIndex),
}

/// One index of a collection.
#[derive(Debug)]
pub struct Index {
    path: Path,
    /// The steps of the path before its first `[*]`: what stands there decides all keys.
    stem: Path,
    scalar: Scalar,
    unique: bool,
    body: Body,
    /// The key's head by document, for a sorted index over one value a document.
    column: Option<Column>,
    /// Values that more than one document holds although the index is unique.
    conflicts: u64,
    /// Pairs of key and document.
    entries: u64,
}

impl Index {
    /// An empty index for a field that asks for one: by its kind, or hashed for a unique one without a kind.
    pub fn for_field(field: &Field, seed: u64) -> Option<Self> {
        let kind = field.indexed_as()?;
        let path = field.index_path();
        let before_each = path.steps().iter().take_while(|step| **step != Step::Each);
        let stem = Path::new(before_each.cloned().collect());
        let (body, column) = match kind {
            IndexKind::Set => (Body::Set(SetIndex::new(seed)), None),
            IndexKind::Sorted => {
                (Body::Sorted(SortedIndex::default()), (!path.is_multi()).then(Column::default))
            }
        };
        let scalar = field.ty.scalar;
        Some(Index {
            path,
            stem,
            scalar,
            unique: field.unique,
            body,
            column,
            conflicts: 0,
            entries: 0,
        })
    }

    /// An index of the same kind over the same values, without entries.
    #[must_use]
    pub fn emptied(&self) -> Self {
        let body = match &self.body {
            Body::Set(set) => Body::Set(set.emptied()),
            Body::Sorted(_) => Body::Sorted(SortedIndex::default()),
        };
        Index {
            path: self.path.clone(),
            stem: self.stem.clone(),
            body,
            column: self.column.as_ref().map(|_| Column::default()),
            conflicts: 0,
            entries: 0,
            ..*self
        }
    }

    /// The path whose values the index holds.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The type under which values become keys.
    pub fn scalar(&self) -> Scalar {
        self.scalar
    }

    /// Whether one value may be held by one document only.
    pub fn is_unique(&self) -> bool {
        self.unique
    }

    /// Whether a document can stand under several keys.
    pub fn is_multi(&self) -> bool {
        self.path.is_multi()
    }

    /// The ordered entries, if the index is sorted.
    pub fn as_sorted(&self) -> Option<&SortedIndex> {
        match &self.body {
            Body::Sorted(sorted) => Some(sorted),
            Body::Set(_) => None,
        }
    }

    /// The key heads by document, where the index keeps them.
    pub fn column(&self) -> Option<&Column> {
        self.column.as_ref()
    }

    /// Values that more than one document holds although the index is unique.
    pub fn conflicts(&self) -> u64 {
        self.conflicts
    }

    /// Pairs of key and document.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Distinct keys.
    pub fn values(&self) -> usize {
        match &self.body {
            Body::Set(set) => set.len(),
            Body::Sorted(sorted) => sorted.len(),
        }
    }

    /// Bytes of memory, about. O(values).
    pub fn heap_bytes(&self, blocks: Blocks) -> usize {
        let body = match &self.body {
            Body::Set(set) => set.heap_bytes(blocks),
            Body::Sorted(sorted) => sorted.heap_bytes(blocks),
        };
        body + self.column.as_ref().map_or(0, |column| column.heap_bytes(blocks))
    }

    /// `set` or `sorted`.
    pub fn kind_name(&self) -> &'static str {
        match &self.body {
            Body::Set(_) => "set",
            Body::Sorted(_) => "sorted",
        }
    }

    /// How many values of `doc` the index would look at, counted up to one more than `most`.
    pub fn values_of(&self, doc: DocRef<'_>, most: usize) -> usize {
        if self.is_multi() { self.path.values(doc).take(most + 1).count() } else { 1 }
    }

    /// The keys under which `doc` stands, ascending.
    pub fn keys(&self, doc: DocRef<'_>) -> KeyList {
        let mut keys = KeyList::new();
        let mut buf = KeyBuf::default();
        each_key(&self.path, self.scalar, doc, &mut buf, |key| keys.push(key.to_key()));
        keys.sort();
        keys.dedup();
        keys
    }

    /// Whether `old` and `new` surely have the same keys: the text that decides them is the same.
    pub fn same_text(&self, old: DocRef<'_>, new: DocRef<'_>) -> bool {
        match (self.stem.first(old), self.stem.first(new)) {
            (None, None) => true,
            (Some(old), Some(new)) => old.bytes() == new.bytes(),
            _ => false,
        }
    }

    /// The documents that hold `key`.
    pub fn get(&self, key: &Key) -> Option<&Posting> {
        match &self.body {
            Body::Set(set) => set.get(key.as_ref()),
            Body::Sorted(sorted) => sorted.get(key.as_ref()),
        }
    }

    /// Adds `id` under `key`. Idempotent.
    pub fn insert(&mut self, key: &Key, id: DocId) {
        let count = match &mut self.body {
            Body::Set(set) => set.insert(key.as_ref(), id),
            Body::Sorted(sorted) => sorted.insert(key, id),
        };
        if let Some(column) = &mut self.column {
            let key = key.as_ref();
            column.insert(id, key.head, key.tail.is_none());
        }
        // `None`: the pair was there already.
        if let Some(count) = count {
            self.entries += 1;
            self.conflicts += u64::from(self.unique && count == 2 && !key.is_absent());
        }
    }

    /// Removes `id` from under `key`. Idempotent.
    pub fn remove(&mut self, key: &Key, id: DocId) {
        let count = match &mut self.body {
            Body::Set(set) => set.remove(key.as_ref(), id),
            Body::Sorted(sorted) => sorted.remove(key.as_ref(), id),
        };
        if let Some(column) = &mut self.column {
            column.remove(id);
        }
        if let Some(count) = count {
            self.entries -= 1;
            self.conflicts -= u64::from(self.unique && count == 1 && !key.is_absent());
        }
    }

    /// Whether the index can answer which documents have a key in `keys`.
    pub fn answers(&self, keys: &KeySet) -> bool {
        match &self.body {
            Body::Set(_) => keys.is_points(),
            Body::Sorted(_) => true,
        }
    }

    /// How many pairs have a key in `keys`: documents, unless the index is over `[*]`.
    pub fn count(&self, keys: &KeySet) -> u64 {
        match &self.body {
            Body::Set(_) => self.postings(keys).iter().map(|posting| posting.len()).sum(),
            Body::Sorted(sorted) => keys.ranges().iter().map(|range| sorted.count(range)).sum(),
        }
    }

    /// The postings of all keys within `keys`, ascending by key. O(keys found).
    pub fn postings(&self, keys: &KeySet) -> Vec<&Posting> {
        let mut found = Vec::new();
        for range in keys.ranges() {
            match (&self.body, range.as_point()) {
                (Body::Set(set), Some(key)) => found.extend(set.get(key.as_ref())),
                (Body::Set(set), None) => found.extend(set.scan(range)),
                (Body::Sorted(sorted), _) => {
                    found.extend(sorted.walk(range).map(|(_, posting)| posting));
                }
            }
        }
        found
    }

    /// Every key with its posting; in order when sorted.
    pub fn each(&self) -> Vec<(Key, &Posting)> {
        match &self.body {
            Body::Set(set) => set.iter().map(|(key, posting)| (key.clone(), posting)).collect(),
            Body::Sorted(sorted) => {
                let all = KeyRange::all();
                sorted.walk(&all).map(|(key, posting)| (key.to_key(), posting)).collect()
            }
        }
    }

    /// Each broken invariant of the structure itself, in words; none, always. O(entries).
    pub fn faults(&self) -> Vec<String> {
        let mut faults = match &self.body {
            Body::Set(set) => set.faults(),
            Body::Sorted(sorted) => sorted.faults(),
        };
        let each = self.each();
        let entries: u64 = each.iter().map(|(_, posting)| posting.len()).sum();
        if entries != self.entries {
            faults.push(format!("counts {} entries and holds {entries}", self.entries));
        }
        let doubles = each.iter().filter(|(key, posting)| posting.len() > 1 && !key.is_absent());
        let conflicts = if self.unique { doubles.count() as u64 } else { 0 };
        if conflicts != self.conflicts {
            faults.push(format!("counts {} conflicts and holds {conflicts}", self.conflicts));
        }
        faults
    }
}

/// Shows `body` each key under which `doc` stands, in the order of the document and perhaps more than once.
fn each_key(
    path: &Path,
    scalar: Scalar,
    doc: DocRef<'_>,
    buf: &mut KeyBuf,
    mut body: impl FnMut(KeyRef<'_>),
) {
    let mut show = |raw| {
        scalar.key(raw, buf);
        body(buf.as_ref());
    };
    let mut is_missing = true;
    if path.is_multi() {
        for raw in path.values(doc) {
            is_missing = false;
            show(raw);
        }
    } else if let Some(raw) = path.first(doc) {
        is_missing = false;
        show(raw);
    }
    if is_missing {
        body(Key::MISSING.as_ref());
    }
}
