//! Secondary indexes: from the key of a value to the documents that hold it.
//!
//! Every document that an index covers - all of its collection, unless it has a filter - stands in it under at least one
//! key; one whose path leads to nothing stands under [`Key::MISSING`]. An index over paths without `[*]` holds each
//! document exactly once, so its counts are counts of documents. Which keys a document has says [`Source`]. A unique index
//! covers only documents that are not marked as deleted.

mod build;
pub mod column;
pub mod expiry;
pub mod grams;
pub mod idmap;
pub mod need;
pub mod posting;
pub mod set;
mod size;
pub mod sorted;
mod source;

use std::sync::Arc;

use smallvec::SmallVec;

pub use build::{Builder, Ids, id_of};
pub use column::Column;
pub use expiry::Expiry;
pub use idmap::IdMap;
pub use posting::Posting;
pub use set::SetIndex;
pub use sorted::SortedIndex;
pub use source::{Buffers, Part, Source};

use crate::doc::DocRef;
use crate::memory::Blocks;
use crate::path::Path;
use crate::schema::{Definition, IndexKind, Nulls, Scalar};
use crate::value::{Key, KeyRange, KeyRef, KeySet, tuple};

/// A document's number within its collection: given at birth, ascending, not reused.
pub type DocId = u32;

/// Values under which a document is looked for, where there is no column.
const PROBES_MAX: usize = 16;

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

/// Which keys of an index one document alone may stand under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unique {
    /// None.
    No,
    /// Those none of whose values is missing or null.
    Present,
    /// All.
    All,
}

/// What does not change of an index; shared with those who build it anew.
#[derive(Debug, PartialEq)]
struct About {
    /// None of a field's own index.
    name: Option<Box<str>>,
    source: Source,
    /// The text of the source's filter.
    filter: Option<Box<str>>,
    unique: Unique,
}

impl About {
    /// Whether one document alone may stand under `key`. The one place that decides it.
    fn claims(&self, key: KeyRef<'_>) -> bool {
        match self.unique {
            Unique::No => false,
            Unique::Present => !self.source.has_absent(key),
            Unique::All => true,
        }
    }
}

/// One index of a collection.
#[derive(Debug)]
pub struct Index {
    about: Arc<About>,
    body: Body,
    /// The key's head by document, for a sorted index over one value of every document.
    column: Option<Column>,
    /// Keys that more than one document stands under although one alone may.
    conflicts: u64,
    /// Pairs of key and document.
    entries: u64,
}

impl Index {
    /// An empty index for each that `definition` asks for: those of its fields, then those by themselves.
    pub fn all_of(definition: &Definition, seed: u64) -> Vec<Self> {
        let of_fields = definition.fields.iter().filter_map(|field| {
            let kind = field.indexed_as()?;
            let source = Source::of_field(field, kind, definition);
            let unique = if field.unique { Unique::Present } else { Unique::No };
            Some(Index::new(About { name: None, source, filter: None, unique }, kind, seed))
        });
        let named = definition.indexes.iter().map(|index| {
            let unique = match (index.unique, index.nulls) {
                (false, _) => Unique::No,
                (true, Nulls::Distinct) => Unique::Present,
                (true, Nulls::NotDistinct) => Unique::All,
            };
            let about = About {
                name: Some(index.name.clone()),
                source: Source::of_named(index, definition),
                filter: index.filter.clone(),
                unique,
            };
            Index::new(about, index.kind, seed)
        });
        of_fields.chain(named).collect()
    }

    fn new(about: About, kind: IndexKind, seed: u64) -> Self {
        let body = match kind {
            IndexKind::Set | IndexKind::Substring => Body::Set(SetIndex::new(seed)),
            IndexKind::Sorted => Body::Sorted(SortedIndex::default()),
        };
        let is_single = about.source.values_path().is_some_and(|path| !path.is_multi());
        let has_column = kind == IndexKind::Sorted && is_single && about.source.filter().is_none();
        let column = has_column.then(Column::default);
        Index { about: Arc::new(about), body, column, conflicts: 0, entries: 0 }
    }

    /// An index of the same kind over the same values, without entries.
    #[must_use]
    pub fn emptied(&self) -> Self {
        let body = match &self.body {
            Body::Set(set) => Body::Set(set.emptied()),
            Body::Sorted(_) => Body::Sorted(SortedIndex::default()),
        };
        let column = self.column.as_ref().map(|_| Column::default());
        Index { about: self.about.clone(), body, column, conflicts: 0, entries: 0 }
    }

    /// Whether the two are of one kind over the same values: what one holds of a document, the other does.
    pub fn is_like(&self, other: &Self) -> bool {
        self.kind_name() == other.kind_name() && self.about == other.about
    }

    /// What it is called, if it was declared by itself.
    pub fn name(&self) -> Option<&str> {
        self.about.name.as_deref()
    }

    /// Which keys a document has in it.
    pub fn source(&self) -> &Source {
        &self.about.source
    }

    /// The text of the filter that its documents satisfy; all are in it without one.
    pub fn filter_text(&self) -> Option<&str> {
        self.about.filter.as_deref()
    }

    /// Its paths as text, each with DESC where the greatest come first.
    pub fn paths(&self) -> String {
        let paths = self.source().parts().iter().map(|part| {
            let order = if part.is_descending { " DESC" } else { "" };
            format!("{}{order}", part.path)
        });
        paths.collect::<Vec<String>>().join(", ")
    }

    /// What it is called in a plan: its paths, behind its name if it has one.
    pub fn title(&self) -> String {
        let paths = self.paths();
        self.name().map_or_else(|| paths.clone(), |name| format!("{name} ({paths})"))
    }

    /// The key of a document whose values are `keys`, behind those of the parts that `prefix` has.
    pub fn key_behind(&self, prefix: &[u8], keys: &[Key]) -> Key {
        let source = self.source();
        if !source.is_tuples() {
            return keys.first().cloned().unwrap_or(Key::MISSING);
        }
        let mut bytes = prefix.to_vec();
        let first = source.parts().len().saturating_sub(keys.len());
        for (part, key) in source.parts()[first..].iter().zip(keys) {
            tuple::push(&mut bytes, key.as_ref(), part.is_descending);
        }
        tuple::key(&bytes).to_key()
    }

    /// Whether it holds every document by the values at `path` alone, as values of the type `scalar`.
    pub fn is_over(&self, path: &Path, scalar: Scalar) -> bool {
        let source = self.source();
        source.values_path() == Some(path)
            && source.parts()[0].scalar == scalar
            && source.filter().is_none()
    }

    /// Whether some keys may have one document only.
    pub fn is_unique(&self) -> bool {
        self.about.unique != Unique::No
    }

    /// Whether a document may come to stand under a key that one alone may, by what it lacks.
    pub fn claims_absent(&self) -> bool {
        let is_partial = self.is_unique() && self.source().filter().is_some();
        self.about.unique == Unique::All || is_partial
    }

    /// Whether one document alone may stand under `key`.
    pub fn claims(&self, key: KeyRef<'_>) -> bool {
        self.about.claims(key)
    }

    /// Whether it takes documents that are, or are not, marked as deleted: a unique one leaves the values of deleted documents
    /// to others. The one place that decides it.
    pub fn takes(&self, is_deleted: bool) -> bool {
        !(is_deleted && self.is_unique())
    }

    /// The keys under which it has a document that is there, and marked as deleted or not; ascending, without repeats.
    pub fn keys_of(&self, doc: DocRef<'_>, is_deleted: bool) -> KeyList {
        if self.takes(is_deleted) { self.source().keys(doc) } else { KeyList::new() }
    }

    /// What UNIQUE forbids two documents to share, in words: it ends in the paths.
    pub fn shared(&self) -> String {
        let values = if self.source().is_tuples() { "values" } else { "value" };
        let paths: Vec<String> =
            self.source().parts().iter().map(|part| part.path.to_string()).collect();
        format!("{values} at {}", paths.join(", "))
    }

    /// Whether a document can stand under several keys.
    pub fn is_multi(&self) -> bool {
        self.source().is_multi()
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

    /// Bytes of memory, about, from a look at no more than about `sample` values and as many documents. O(sample + blocks / 64).
    pub fn bytes_about(&self, sample: usize, blocks: Blocks) -> usize {
        let body = match &self.body {
            Body::Set(set) => set.bytes_about(self.entries, sample, blocks),
            Body::Sorted(sorted) => sorted.bytes_about(self.entries, sample, blocks),
        };
        body + self.column.as_ref().map_or(0, |column| column.bytes_about(sample, blocks))
    }

    /// `set`, `sorted` or `substring`.
    pub fn kind_name(&self) -> &'static str {
        match &self.body {
            Body::Set(_) if self.is_of_parts() => "substring",
            Body::Set(_) => "set",
            Body::Sorted(_) => "sorted",
        }
    }

    /// Whether its keys are of parts of strings.
    pub fn is_of_parts(&self) -> bool {
        self.source().is_of_parts()
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
            self.conflicts += u64::from(count == 2 && self.claims(key.as_ref()));
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
            self.conflicts -= u64::from(count == 1 && self.claims(key.as_ref()));
        }
    }

    /// Whether the index can answer which documents have a key in `keys`.
    pub fn answers(&self, keys: &KeySet) -> bool {
        match &self.body {
            Body::Set(_) => keys.is_points(),
            Body::Sorted(_) => true,
        }
    }

    /// Whether it decides quickly of one document after the other whether its key is in `keys`: by the column, or by looking
    /// for it under a few values.
    pub fn decides(&self, keys: &KeySet) -> bool {
        self.column.is_some() || (keys.is_points() && keys.ranges().len() <= PROBES_MAX)
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
        let doubles =
            each.iter().filter(|(key, posting)| posting.len() > 1 && self.claims(key.as_ref()));
        let conflicts = doubles.count() as u64;
        if conflicts != self.conflicts {
            faults.push(format!("counts {} conflicts and holds {conflicts}", self.conflicts));
        }
        faults
    }
}
