//! What several collections come to together.

use std::iter::Sum;

use super::Collection;
use crate::index::Index;

/// Counts and bytes of a collection, or of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// How many collections.
    pub collections: u64,
    /// Documents that are not due.
    pub documents: u64,
    /// Documents that are.
    pub due: u64,
    /// Documents that lapse some day.
    pub with_ttl: u64,
    /// Bytes of the documents.
    pub document_bytes: u64,
    /// Bytes of the tables.
    pub table_bytes: u64,
    /// Bytes of the indexes.
    pub index_bytes: u64,
}

impl Sum for Totals {
    fn sum<I: Iterator<Item = Totals>>(all: I) -> Totals {
        all.fold(Totals::default(), |sum, one| Totals {
            collections: sum.collections + one.collections,
            documents: sum.documents + one.documents,
            due: sum.due + one.due,
            with_ttl: sum.with_ttl + one.with_ttl,
            document_bytes: sum.document_bytes + one.document_bytes,
            table_bytes: sum.table_bytes + one.table_bytes,
            index_bytes: sum.index_bytes + one.index_bytes,
        })
    }
}

/// What can be told of a collection at any moment, whatever its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Gauges {
    /// Documents that are neither due nor deleted.
    pub documents: u64,
    /// Documents that are marked as deleted and not due.
    pub deleted: u64,
    /// Bytes of the documents.
    pub document_bytes: u64,
    /// How many indexes.
    pub indexes: u64,
    /// Bytes of the indexes, about.
    pub index_bytes: u64,
}

impl Collection {
    /// Its counts and bytes, with a look at about `sample` values of each index. O(indexes · sample), and a 65,536th of the
    /// documents.
    pub fn gauges(&self, sample: usize) -> Gauges {
        let of_index = |index: &Index| index.bytes_about(sample, self.blocks) as u64;
        Gauges {
            documents: self.len(),
            deleted: self.deleted.difference_len(self.due()),
            document_bytes: self.documents.document_bytes(),
            indexes: self.indexes.len() as u64,
            index_bytes: self.indexes.iter().map(of_index).sum(),
        }
    }

    /// Its counts and bytes, as `DOC.INFO` tells them. O(entries of all indexes).
    pub fn totals(&self) -> Totals {
        let index_bytes = self.indexes.iter().map(|index| index.heap_bytes(self.blocks) as u64);
        Totals {
            collections: 1,
            documents: self.len(),
            due: self.due().len(),
            with_ttl: self.expiry.len() as u64,
            document_bytes: self.documents.document_bytes(),
            table_bytes: self.table_bytes() as u64,
            index_bytes: index_bytes.sum(),
        }
    }
}
