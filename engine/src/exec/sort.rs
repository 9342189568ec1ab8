//! Sorting candidates, and keeping the first so many.
//!
//! A buffer of twice what is kept fills up, is cut to the best half by selection, and fills up again: O(candidates) in all and
//! memory for what is kept, as with a heap, but in straight passes over an array.

use std::cmp::Ordering;

use smallvec::SmallVec;

use super::Direction;
use crate::collection::Collection;
use crate::index::{Column, DocId};
use crate::plan::SortPath;
use crate::value::{Key, KeyBuf};

type Row = (SmallVec<[Key; 1]>, DocId);

/// Rows that are being sorted.
pub struct Sorter<'c, 'q> {
    collection: &'c Collection,
    paths: &'q [SortPath],
    columns: SmallVec<[Option<&'c Column>; 2]>,
    keep: Option<usize>,
    rows: Vec<Row>,
    buf: KeyBuf,
}

/// Rows that fit before the buffer is cut the first time.
const BUFFER_MIN: usize = 1024;

impl<'c, 'q> Sorter<'c, 'q> {
    /// Sorts by `paths`, and keeps the first `keep` rows.
    pub fn new(collection: &'c Collection, paths: &'q [SortPath], keep: Option<usize>) -> Self {
        let column = |path: &SortPath| collection.indexes()[path.column?].column();
        let columns = paths.iter().map(column).collect();
        Sorter { collection, paths, columns, keep, rows: Vec::new(), buf: KeyBuf::default() }
    }

    /// Adds a row.
    pub fn add(&mut self, id: DocId) {
        let keys = (0..self.paths.len()).map(|at| self.key(at, id)).collect();
        self.rows.push((keys, id));
        if let Some(keep) = self.keep
            && self.rows.len() >= keep.saturating_mul(2).max(BUFFER_MIN)
        {
            self.cut(keep);
        }
    }

    /// The ids in order.
    pub fn finish(mut self) -> Vec<DocId> {
        if let Some(keep) = self.keep {
            self.cut(keep);
        }
        let paths = self.paths;
        self.rows.sort_unstable_by(|a, b| compare(paths, a, b));
        self.rows.into_iter().map(|(_, id)| id).collect()
    }

    fn cut(&mut self, keep: usize) {
        if keep < self.rows.len() {
            let paths = self.paths;
            if keep > 0 {
                self.rows.select_nth_unstable_by(keep - 1, |a, b| compare(paths, a, b));
            }
            self.rows.truncate(keep);
        }
    }

    fn key(&mut self, at: usize, id: DocId) -> Key {
        if let Some(key) = self.columns[at].and_then(|column| column.exact(id)) {
            return key.to_key();
        }
        let path = &self.paths[at];
        let Some(document) = self.collection.document(id) else { return Key::MISSING };
        let buf = &mut self.buf;
        let mut key_of = |raw| {
            path.scalar.key(raw, buf);
            buf.as_ref().to_key()
        };
        if !path.path.is_multi() {
            return path.path.first(document.view()).map_or(Key::MISSING, key_of);
        }
        let keys = path.path.values(document.view()).map(&mut key_of);
        let best = match path.direction {
            Direction::Ascending => keys.min(),
            Direction::Descending => keys.max(),
        };
        best.unwrap_or(Key::MISSING)
    }
}

/// By the keys, each its way; ties by birth, the last path's way.
fn compare(paths: &[SortPath], a: &Row, b: &Row) -> Ordering {
    let turned = |order: Ordering, direction: Direction| match direction {
        Direction::Ascending => order,
        Direction::Descending => order.reverse(),
    };
    for (at, path) in paths.iter().enumerate() {
        let order = turned(a.0[at].cmp(&b.0[at]), path.direction);
        if order != Ordering::Equal {
            return order;
        }
    }
    turned(a.1.cmp(&b.1), paths.last().map_or(Direction::Ascending, |path| path.direction))
}
