//! What an answer leaves out: the documents that are due, and those marked as deleted unless they are asked for.
//!
//! Both are sets to subtract, so that neither lapsing nor a soft delete touches an index; but for the unique ones, which hold
//! no deleted document: its values are free. They are no help to an answer that is about deleted documents too.

use roaring::RoaringBitmap;

use super::Collection;
use crate::index::{DocId, Index};

/// The documents that an answer leaves out.
#[derive(Debug, Clone, Copy)]
pub struct Hidden<'c> {
    due: &'c RoaringBitmap,
    deleted: &'c RoaringBitmap,
    shows_deleted: bool,
}

impl Collection {
    /// What an answer leaves out, as of the last [`Collection::lapse`]. Deleted documents are in it `with_deleted`.
    pub fn hidden(&self, with_deleted: bool) -> Hidden<'_> {
        let (due, deleted) = (self.due(), self.deleted());
        Hidden { due, deleted, shows_deleted: with_deleted }
    }
}

impl<'c> Hidden<'c> {
    /// The sets, those without a document left out.
    pub fn sets(self) -> impl Iterator<Item = &'c RoaringBitmap> {
        let deleted = (!self.shows_deleted).then_some(self.deleted);
        [Some(self.due), deleted].into_iter().flatten().filter(|set| !set.is_empty())
    }

    /// Whether `id` is left out.
    pub fn contains(self, id: DocId) -> bool {
        self.due.contains(id) || (!self.shows_deleted && self.deleted.contains(id))
    }

    /// Whether nothing is left out.
    pub fn is_empty(self) -> bool {
        self.sets().next().is_none()
    }

    /// How many are left out.
    pub fn len(self) -> u64 {
        if self.shows_deleted { self.due.len() } else { self.due.union_len(self.deleted) }
    }

    /// Those that are left out, each once.
    pub fn ids(self) -> impl Iterator<Item = DocId> {
        let deleted = if self.shows_deleted { None } else { Some(self.deleted) };
        let others = deleted.into_iter().flatten().filter(move |id| !self.due.contains(*id));
        self.due.iter().chain(others)
    }

    /// Whether `index` has all that it covers of what is not left out.
    pub fn leaves_whole(self, index: &Index) -> bool {
        !(self.shows_deleted && index.is_unique() && !self.deleted.is_empty())
    }
}
