//! Sorting candidates, and keeping the first so many.
//!
//! A buffer of twice what is kept fills up, is cut to the best half by selection, and fills up again: O(candidates) in all and
//! memory for what is kept, as with a heap, but in straight passes over an array.

use std::cmp::Ordering;

use roaring::RoaringBitmap;
use smallvec::SmallVec;

use super::budget::Budget;
use super::cursor::Cursor;
use super::{Direction, Find};
use crate::collection::Collection;
use crate::error::Result;
use crate::index::{Column, DocId};
use crate::plan::SortPath;
use crate::query::{Meta, Subject};
use crate::value::{Key, KeyBuf};

/// The order values of a row.
pub type Keys = SmallVec<[Key; 1]>;

type Row = (Keys, DocId);

/// Reads the order values of documents.
pub struct OrderKeys<'c, 'q> {
    collection: &'c Collection,
    paths: &'q [SortPath],
    columns: SmallVec<[Option<&'c Column>; 2]>,
    /// The documents that `_valid` is false of, where it is asked for.
    invalid: RoaringBitmap,
    buf: KeyBuf,
    /// Elements that were walked over for values.
    walked: usize,
}

impl<'c, 'q> OrderKeys<'c, 'q> {
    /// For the order of `paths`.
    pub fn new(collection: &'c Collection, paths: &'q [SortPath]) -> Self {
        let column = |path: &SortPath| collection.indexes()[path.column?].column();
        let asks_valid = |path: &SortPath| path.subject == Subject::Meta(Meta::Valid);
        let invalid =
            if paths.iter().any(asks_valid) { collection.invalid() } else { RoaringBitmap::new() };
        let columns = paths.iter().map(column).collect();
        OrderKeys { collection, paths, columns, invalid, buf: KeyBuf::default(), walked: 0 }
    }

    /// The order values of a document.
    pub fn of(&mut self, id: DocId) -> Keys {
        (0..self.paths.len()).map(|at| self.key(at, id)).collect()
    }

    fn key(&mut self, at: usize, id: DocId) -> Key {
        if let Some(key) = self.columns[at].and_then(|column| column.exact(id)) {
            return key.to_key();
        }
        let order = &self.paths[at];
        let Some(document) = self.collection.document(id) else { return Key::MISSING };
        let doc = self.collection.view(document);
        let buf = &mut self.buf;
        let path = match &order.subject {
            Subject::Path(path) => path,
            Subject::Meta(Meta::Valid) => return Key::of_bool(!self.invalid.contains(id)),
            Subject::Meta(meta) => {
                self.collection.fact(id, document, *meta).key(buf);
                return buf.as_ref().to_key();
            }
        };
        let walked = &mut self.walked;
        let mut key_of = |raw| {
            *walked += 1;
            order.scalar.key(raw, buf);
            buf.as_ref().to_key()
        };
        if !path.is_multi() {
            return path.first(doc).map_or(Key::MISSING, key_of);
        }
        let keys = path.values(doc).map(&mut key_of);
        let best = match order.direction {
            Direction::Ascending => keys.min(),
            Direction::Descending => keys.max(),
        };
        best.unwrap_or(Key::MISSING)
    }
}

/// Rows that are being sorted.
pub struct Sorter<'c, 'q> {
    keys: OrderKeys<'c, 'q>,
    paths: &'q [SortPath],
    after: Option<&'q Cursor>,
    keep: Option<usize>,
    rows: Vec<Row>,
}

/// Rows that fit before the buffer is cut the first time.
const BUFFER_MIN: usize = 1024;

impl<'c, 'q> Sorter<'c, 'q> {
    /// Sorts by `paths`, and keeps the first `keep` rows behind the query's cursor.
    pub fn new(
        collection: &'c Collection,
        paths: &'q [SortPath],
        keep: Option<usize>,
        find: &'q Find,
    ) -> Self {
        let (keys, after) = (OrderKeys::new(collection, paths), find.after.as_ref());
        Sorter { keys, paths, after, keep, rows: Vec::new() }
    }

    /// Has the processor fetch the order values of `ids`, before they are added.
    pub fn fetch(&self, ids: &[DocId]) {
        self.keys.columns.iter().flatten().for_each(|column| column.fetch(ids.iter().copied()));
    }

    /// Adds a row; false where it stands before the cursor. Errors: `LIMITED`, `TIMEOUT`.
    pub fn add(
        &mut self,
        id: DocId,
        seq: impl FnOnce() -> u64,
        budget: &mut Budget<'_>,
    ) -> Result<bool> {
        let keys = self.keys.of(id);
        budget.meter().step(std::mem::take(&mut self.keys.walked))?;
        if let Some(after) = self.after
            && !after.is_before(&keys, seq(), |at, order| turned(self.paths, at, order))
        {
            return Ok(false);
        }
        budget.hold(bytes_of(&keys))?;
        self.rows.push((keys, id));
        if let Some(keep) = self.keep
            && self.rows.len() >= keep.saturating_mul(2).max(BUFFER_MIN)
        {
            self.cut(keep, budget);
        }
        Ok(true)
    }

    /// The ids in order.
    pub fn finish(mut self, budget: &mut Budget<'_>) -> Vec<DocId> {
        if let Some(keep) = self.keep {
            self.cut(keep, budget);
        }
        let paths = self.paths;
        self.rows.sort_unstable_by(|a, b| compare(paths, a, b));
        self.rows.into_iter().map(|(_, id)| id).collect()
    }

    fn cut(&mut self, keep: usize, budget: &mut Budget<'_>) {
        if keep < self.rows.len() {
            let paths = self.paths;
            if keep > 0 {
                self.rows.select_nth_unstable_by(keep - 1, |a, b| compare(paths, a, b));
            }
            budget.release(self.rows.drain(keep..).map(|(keys, _)| bytes_of(&keys)).sum());
        }
    }
}

/// Bytes that a row holds.
fn bytes_of(keys: &Keys) -> usize {
    size_of::<Row>() + keys.iter().map(|key| size_of::<Key>() + key.heap_bytes()).sum::<usize>()
}

/// An order of values as the path at a place of ORDER has it; without ORDER, as births ascend.
pub fn turned(paths: &[SortPath], at: usize, order: Ordering) -> Ordering {
    match paths.get(at).map_or(Direction::Ascending, |path| path.direction) {
        Direction::Ascending => order,
        Direction::Descending => order.reverse(),
    }
}

/// By the keys, each its way; ties by birth, the last path's way.
fn compare(paths: &[SortPath], a: &Row, b: &Row) -> Ordering {
    for at in 0..paths.len() {
        let order = turned(paths, at, a.0[at].cmp(&b.0[at]));
        if order != Ordering::Equal {
            return order;
        }
    }
    turned(paths, paths.len().saturating_sub(1), a.1.cmp(&b.1))
}
