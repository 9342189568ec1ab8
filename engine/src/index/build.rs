//! An index made whole: every document is shown once, in the order of ids, and the entries are laid down at the end.
//!
//! A set index takes each entry at once, since a hash table knows no order: an entry of a known value costs a look-up,
//! and some four bytes until bitmaps are made at the end. A sorted index gathers the heads of its keys and sorts them, which
//! is all where heads decide; only for those that leave the order open are whole keys made, once more, from their documents.
//! Meanwhile an entry of a sorted index costs 16 bytes; the index itself is laid down block by block, at its final size.

use super::{Body, Column, DocId, Index, Posting, SortedIndex};
use crate::doc::DocRef;
use crate::path::Path;
use crate::schema::{Field, Scalar, check};
use crate::value::{Key, KeyBuf, KeyRef};

/// An entry of a sorted index, ordered as far as its head goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    head: u64,
    id: DocId,
    has_tail: bool,
}

/// An index being built.
#[derive(Debug)]
pub struct Builder<'i> {
    path: &'i Path,
    scalar: Scalar,
    target: Target<'i>,
    buf: KeyBuf,
}

/// What entries go to.
#[derive(Debug)]
struct Target<'i> {
    body: &'i mut Body,
    column: Option<&'i mut Column>,
    unique: bool,
    conflicts: &'i mut u64,
    entries: &'i mut u64,
    gathered: Vec<Entry>,
}

impl<'i> Builder<'i> {
    /// Empties `index`. `documents` are to come: room is made for what they will surely need.
    pub fn new(index: &'i mut Index, documents: usize) -> Self {
        let Index { path, scalar, unique, body, column, conflicts, entries, .. } = index;
        let mut gathered = Vec::new();
        match body {
            // Each document of a unique index has a value of its own, and rarely none.
            Body::Set(set) => set.begin(if *unique { documents } else { 0 }),
            Body::Sorted(sorted) => {
                *sorted = SortedIndex::default();
                gathered.reserve_exact(documents);
            }
        }
        let mut column = column.as_mut();
        if let Some(column) = &mut column {
            **column = Column::default();
        }
        (*entries, *conflicts) = (0, 0);
        let target = Target { body, column, unique: *unique, conflicts, entries, gathered };
        Builder { path, scalar: *scalar, target, buf: KeyBuf::default() }
    }

    /// Takes a document's entries in. Ids ascend.
    pub fn add(&mut self, id: DocId, doc: DocRef<'_>) {
        let Builder { path, scalar, target, buf } = self;
        super::each_key(path, *scalar, doc, buf, |key| target.take(id, key));
    }

    /// The same of a document that nobody has judged: whether it keeps to `field`, which the index is over.
    pub fn add_judged(&mut self, id: DocId, doc: DocRef<'_>, field: &Field) -> bool {
        let Builder { target, buf, .. } = self;
        let mut is_missing = true;
        let verdict = check::check_field(
            field,
            doc,
            buf,
            Some(&mut |key| {
                is_missing = false;
                target.take(id, key);
            }),
        );
        if verdict.is_err() {
            // Judging ends at the first value that is wrong; what was taken before is taken once.
            self.add(id, doc);
        } else if is_missing {
            target.take(id, Key::MISSING.as_ref());
        }
        verdict.is_ok()
    }

    /// Lays down what was gathered. `document` finds those that were shown. O(entries · log entries).
    pub fn finish<'d>(mut self, document: impl Fn(DocId) -> Option<DocRef<'d>>) {
        let mut gathered = std::mem::take(&mut self.target.gathered);
        gathered.sort_unstable();
        gathered.dedup();
        let mut ids = Vec::new();
        for group in gathered.chunk_by(|a, b| a.head == b.head) {
            if group.iter().any(|entry| entry.has_tail) {
                self.push_tailed(group, &document);
            } else {
                ids.clear();
                ids.extend(group.iter().map(|entry| entry.id));
                self.target.push(KeyRef { head: group[0].head, tail: None }, &ids);
            }
        }
        match self.target.body {
            Body::Set(set) => set.finish(),
            Body::Sorted(sorted) => sorted.tighten(),
        }
    }

    /// Entries of one head, whose tails decide.
    fn push_tailed<'d>(
        &mut self,
        group: &[Entry],
        document: &impl Fn(DocId) -> Option<DocRef<'d>>,
    ) {
        let head = group[0].head;
        let mut pairs: Vec<(Key, DocId)> = Vec::with_capacity(group.len());
        for same in group.chunk_by(|a, b| a.id == b.id) {
            let id = same[0].id;
            let Some(doc) = document(id) else { continue };
            super::each_key(self.path, self.scalar, doc, &mut self.buf, |key| {
                if key.head == head {
                    pairs.push((key.to_key(), id));
                }
            });
        }
        pairs.sort_unstable();
        pairs.dedup();
        for same in pairs.chunk_by(|(a, _), (b, _)| a == b) {
            let ids: Vec<DocId> = same.iter().map(|(_, id)| *id).collect();
            self.target.push(same[0].0.as_ref(), &ids);
        }
    }
}

impl Target<'_> {
    /// An entry, perhaps not for the first time.
    fn take(&mut self, id: DocId, key: KeyRef<'_>) {
        if let Some(column) = &mut self.column {
            column.insert(id, key);
        }
        match &mut self.body {
            Body::Set(set) => {
                if let Some(count) = set.push(key, id) {
                    *self.entries += 1;
                    *self.conflicts += u64::from(self.unique && count == 2 && !key.is_absent());
                }
            }
            Body::Sorted(_) => {
                self.gathered.push(Entry { head: key.head, id, has_tail: key.tail.is_some() });
            }
        }
    }

    /// The next key of a sorted index, with all its documents.
    fn push(&mut self, key: KeyRef<'_>, ids: &[DocId]) {
        let Body::Sorted(sorted) = &mut *self.body else { return };
        *self.entries += ids.len() as u64;
        *self.conflicts += u64::from(self.unique && ids.len() > 1 && !key.is_absent());
        sorted.push(key, Posting::of_sorted(ids));
    }
}
