//! The head of each document's key in an index, by document id.
//!
//! Ordering, range checks and grouping read eight bytes here in place of a document. Where a key has a tail the
//! head alone does not decide; the ids of those documents are kept aside.

use roaring::RoaringBitmap;

use super::DocId;
use super::idmap::IdMap;
use crate::memory::Blocks;
use crate::value::KeyRef;

/// Key heads by document.
#[derive(Debug, Default)]
pub struct Column {
    heads: IdMap<u64>,
    inexact: RoaringBitmap,
}

impl Column {
    /// The whole key of `id`, if its head is all of it.
    pub fn exact(&self, id: DocId) -> Option<KeyRef<'static>> {
        if !self.inexact.is_empty() && self.inexact.contains(id) {
            return None;
        }
        self.heads.get(id).map(|head| KeyRef { head: *head, tail: None })
    }

    /// The head of `id`'s key.
    pub fn head(&self, id: DocId) -> Option<u64> {
        self.heads.get(id).copied()
    }

    /// Has the processor fetch the heads of `ids`. The waits for memory overlap where some are fetched before the first is
    /// looked at.
    pub fn fetch(&self, ids: impl Iterator<Item = DocId>) {
        let heads = ids.filter_map(|id| self.heads.get(id));
        std::hint::black_box(heads.fold(0, |all, head| all ^ head));
    }

    /// Whether the head of `id` is its whole key.
    pub fn is_exact(&self, id: DocId) -> bool {
        self.inexact.is_empty() || !self.inexact.contains(id)
    }

    /// Whether the head of each document is its whole key.
    pub fn is_all_exact(&self) -> bool {
        self.inexact.is_empty()
    }

    /// Shows `body` the heads of up to 64 documents at a time: the first of their 64 ids, which of these are there, and
    /// their heads.
    pub fn each_chunk(&self, body: impl FnMut(DocId, u64, &[u64])) {
        self.heads.each_chunk(body);
    }

    /// Shows `body` every document's head, by id, until there is an error.
    pub fn try_each<E>(&self, mut body: impl FnMut(DocId, u64) -> Result<(), E>) -> Result<(), E> {
        self.heads.try_each(|id, head| body(id, *head))
    }

    /// Sets the head of `id`'s key, and whether it is the whole key.
    pub fn insert(&mut self, id: DocId, head: u64, is_exact: bool) {
        self.heads.insert(id, head);
        if !is_exact {
            self.inexact.insert(id);
        } else if !self.inexact.is_empty() {
            self.inexact.remove(id);
        }
    }

    /// Forgets `id`.
    pub fn remove(&mut self, id: DocId) {
        self.heads.remove(id);
        if !self.inexact.is_empty() {
            self.inexact.remove(id);
        }
    }

    /// How many documents.
    pub fn len(&self) -> usize {
        self.heads.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of memory, about.
    pub fn heap_bytes(&self, blocks: Blocks) -> usize {
        self.heads.heap_bytes(blocks) + blocks.bitmap(&self.inexact)
    }

    /// The same from a look at the heads of about `sample` documents.
    pub fn bytes_about(&self, sample: usize, blocks: Blocks) -> usize {
        self.heads.bytes_about(sample, blocks) + blocks.bitmap(&self.inexact)
    }
}
