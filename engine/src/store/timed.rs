//! Parts of documents that lapse by themselves: who has some, and their removal, which is an ordinary change.

use super::journal::Cause;
use super::{Delta, Home, Store};
use crate::collection::{Collection, Entered};
use crate::doc::Document;

impl Store {
    /// The keys of at most `most` documents of which parts have lapsed at `now_ms` and are still to be removed, with their
    /// databases. O(collections + most).
    pub fn lapsing(&mut self, now_ms: i64, most: usize) -> Vec<(u32, Vec<u8>)> {
        self.settle();
        let mut keys = Vec::new();
        for collection in self.collections.values() {
            for id in collection.lapsing(now_ms).take(most - keys.len()) {
                let mut key = Vec::new();
                collection.key(id, &mut key);
                keys.push((collection.db(), key));
            }
        }
        keys
    }

    /// How many documents have parts that have lapsed at `now_ms` and are still to be removed; those that are being loaded do not
    /// count. O(collections + those documents).
    pub fn lapsing_len(&self, now_ms: i64) -> u64 {
        self.collections.values().map(|collection| collection.lapsing(now_ms).count() as u64).sum()
    }

    /// When the next part of any document lapses; at the latest that is now where some is still to be removed.
    pub fn next_path_lapse_ms(&self) -> Option<i64> {
        self.collections.values().filter_map(Collection::next_path_lapse_ms).min()
    }

    /// The least instant at which a part lapses of the documents that have come since this was asked last.
    pub fn take_soonest_lapse_ms(&mut self) -> Option<i64> {
        self.soonest_lapse_ms.take()
    }

    /// A document has come, perhaps with parts that lapse.
    pub(super) fn note_timed(&mut self, document: &Document) {
        if !document.timed().is_empty() {
            let next = document.next_lapse_ms(i64::MIN);
            self.soonest_lapse_ms = self.soonest_lapse_ms.into_iter().chain(next).min();
        }
    }

    /// Removes the parts of `held`, which stands under `key`, that are due at `now_ms`: a change like an update's, which nothing
    /// refuses. Gives the document for the keyspace; none where none is due, or the document is in no collection.
    pub fn lapse_paths(
        &mut self,
        db: u32,
        key: &[u8],
        held: &Document,
        now_ms: i64,
    ) -> Option<Document> {
        self.settle();
        let left = held.without_due_paths(now_ms)?;
        let collection = self.collections.get(&held.home())?;
        // One that is marked as deleted keeps the instant at which that was done.
        let updated_ms = if held.is_deleted() { held.updated_ms() } else { now_ms };
        let document = left.updated(updated_ms);
        let computed = collection.compute(document.view(), false);
        let (doc, is_deleted) =
            (collection.view_with(document.view(), &computed), document.is_deleted());
        let delta = Delta {
            db,
            home: Home::Known(collection.uid()),
            key: key.into(),
            replaces: Some(held.id()),
            removes: None,
            changes: collection
                .changes(Some(collection.entered(held)), Entered { doc, is_deleted }),
            keeps: collection.keeps_document(&document, doc),
            computed,
            document,
            numbers: None,
            expires_ms: collection.expires_ms(held.id()),
        };
        let told = self.journal.len();
        let document = self.commit(delta);
        self.journal.explain(told, Cause::Ttl);
        Some(document)
    }
}
