//! What several collections come to together.

use std::iter::Sum;

use super::Collection;

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

impl Collection {
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
