//! An index made whole: every document is shown once, and the entries are laid down at the end.
//!
//! Documents are shown under numbers that ascend. Where their ids are not known yet, because documents come in another
//! order than that of their birth, the numbers are exchanged for ids at the end.
//!
//! A set index takes each entry at once, since a hash table knows no order: an entry of a known value costs a look-up,
//! and some four bytes until bitmaps are made at the end. A sorted index gathers the heads of its keys and sorts them, which
//! is all where heads decide; only for those that leave the order open are whole keys made, once more, from their documents.
//! Meanwhile an entry of a sorted index costs 16 bytes; the index itself is laid down block by block, at its final size.

use super::{About, Body, Buffers, DocId, Index, Posting, Unique};
use crate::doc::DocRef;
use crate::schema::{Field, check};
use crate::value::{Key, KeyBuf, KeyRef};

/// The ids of documents, by the numbers under which they were shown; none where the numbers are ids.
pub type Ids<'a> = Option<&'a [DocId]>;

/// The id of the document that was shown under a number.
pub fn id_of(ids: Ids<'_>, number: u32) -> DocId {
    ids.map_or(number, |ids| ids[number as usize])
}

/// An entry of a sorted index, ordered as far as its head goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    head: u64,
    id: DocId,
    has_tail: bool,
}

/// An index being built.
#[derive(Debug)]
pub struct Builder {
    index: Index,
    /// The entries of a sorted index. Their ids are numbers until the end.
    gathered: Vec<Entry>,
    buffers: Buffers,
}

impl Builder {
    /// Begins an index like `index`. `documents` are to come, or more: room is made for what they will surely need.
    pub fn new(index: &Index, documents: usize) -> Self {
        let mut index = index.emptied();
        let mut gathered = Vec::new();
        match &mut index.body {
            // Each document of a unique index has a value of its own, and rarely none.
            Body::Set(set) if index.about.unique != Unique::No => set.reserve(documents),
            Body::Set(_) => {}
            // How many a filter leaves is not known.
            Body::Sorted(_) if index.about.filter.is_some() => {}
            Body::Sorted(_) => gathered.reserve_exact(documents),
        }
        Builder { index, gathered, buffers: Buffers::default() }
    }

    /// Whether the index takes documents that are, or are not, marked as deleted.
    pub fn takes(&self, is_deleted: bool) -> bool {
        self.index.takes(is_deleted)
    }

    /// Takes a document's entries in. Numbers ascend.
    pub fn add(&mut self, number: u32, doc: DocRef<'_>) {
        let Builder { index, gathered, buffers } = self;
        let Index { about, body, conflicts, entries, .. } = index;
        let mut target = Target { about, body, conflicts, entries, gathered };
        about.source.each_key(doc, buffers, |key| target.take(number, key));
    }

    /// The same of a document that nobody has judged: whether it keeps to `field`, whose values the index holds.
    pub fn add_judged(
        &mut self,
        number: u32,
        doc: DocRef<'_>,
        field: &Field,
        buf: &mut KeyBuf,
    ) -> bool {
        let Builder { index, gathered, .. } = self;
        let Index { about, body, conflicts, entries, .. } = index;
        let mut target = Target { about, body, conflicts, entries, gathered };
        let mut is_missing = true;
        let mut see = |key: KeyRef<'_>| {
            is_missing = false;
            target.take(number, key);
        };
        let is_kept = check::check_field(field, doc, buf, Some(&mut see)).is_ok();
        if !is_kept {
            // Judging ends at the first value that is wrong; what was taken before is taken once.
            self.add(number, doc);
        } else if is_missing {
            target.take(number, Key::MISSING.as_ref());
        }
        is_kept
    }

    /// Lays down what was gathered. `document` finds those that were shown, by their ids. O(entries · log entries).
    pub fn finish<'d>(
        mut self,
        ids: Ids<'_>,
        document: impl Fn(DocId) -> Option<DocRef<'d>>,
    ) -> Index {
        let mut gathered = std::mem::take(&mut self.gathered);
        for entry in &mut gathered {
            entry.id = id_of(ids, entry.id);
        }
        if let Some(column) = &mut self.index.column {
            // Each document has one key, or none, so an array by id puts them in order.
            let mut keys = vec![None; ids.map_or(0, <[DocId]>::len)];
            for entry in &gathered {
                match keys.get_mut(entry.id as usize) {
                    Some(key) => *key = Some((entry.head, !entry.has_tail)),
                    None => column.insert(entry.id, entry.head, !entry.has_tail),
                }
            }
            for (id, key) in keys.into_iter().enumerate() {
                if let Some((head, is_exact)) = key {
                    column.insert(id as DocId, head, is_exact);
                }
            }
        }
        gathered.sort_unstable();
        gathered.dedup();
        let mut same = Vec::new();
        for group in gathered.chunk_by(|a, b| a.head == b.head) {
            if group.iter().any(|entry| entry.has_tail) {
                self.push_tailed(group, &document);
            } else {
                same.clear();
                same.extend(group.iter().map(|entry| entry.id));
                self.push(KeyRef { head: group[0].head, tail: None }, &same);
            }
        }
        match &mut self.index.body {
            Body::Set(set) => set.finish(ids),
            Body::Sorted(sorted) => sorted.tighten(),
        }
        self.index
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
            self.index.about.source.each_key(doc, &mut self.buffers, |key| {
                if key.head == head {
                    pairs.push((key.to_key(), id));
                }
            });
        }
        pairs.sort_unstable();
        pairs.dedup();
        for same in pairs.chunk_by(|(a, _), (b, _)| a == b) {
            let ids: Vec<DocId> = same.iter().map(|(_, id)| *id).collect();
            self.push(same[0].0.as_ref(), &ids);
        }
    }

    /// The next key of a sorted index, with all its documents.
    fn push(&mut self, key: KeyRef<'_>, ids: &[DocId]) {
        let Index { about, body, conflicts, entries, .. } = &mut self.index;
        let Body::Sorted(sorted) = body else { return };
        *entries += ids.len() as u64;
        *conflicts += u64::from(ids.len() > 1 && about.claims(key));
        sorted.push(key, Posting::of_sorted(ids));
    }
}

/// What entries go to.
struct Target<'i> {
    about: &'i About,
    body: &'i mut Body,
    conflicts: &'i mut u64,
    entries: &'i mut u64,
    gathered: &'i mut Vec<Entry>,
}

impl Target<'_> {
    /// An entry, perhaps not for the first time.
    fn take(&mut self, number: u32, key: KeyRef<'_>) {
        match self.body {
            Body::Set(set) => {
                if let Some(count) = set.push(key, number) {
                    *self.entries += 1;
                    *self.conflicts += u64::from(count == 2 && self.about.claims(key));
                }
            }
            Body::Sorted(_) => {
                let has_tail = key.tail.is_some();
                self.gathered.push(Entry { head: key.head, id: number, has_tail });
            }
        }
    }
}
