//! Migrations: the documents that are to be brought to the schema version in force, and the functions that do it.
//!
//! Bringing one there is an update like any: the functions of each step are called with it, and what they give is merged. The
//! primary makes it, in slices, for every document that has another version; an update makes it first, of its own one.

use super::journal::Cause;
use super::{Delta, Store};
use crate::doc::Document;
use crate::error::Error;

impl Store {
    /// Whether, since this was asked last, something came that has documents migrated by themselves.
    pub fn take_migrates(&mut self) -> bool {
        std::mem::take(&mut self.migrates)
    }

    /// The keys of at most `most` documents that are to be migrated, with their databases. O(collections + most).
    pub fn unmigrated(&mut self, most: usize) -> Vec<(u32, Vec<u8>)> {
        self.settle();
        let mut keys = Vec::new();
        for collection in self.collections.values() {
            for id in collection.next_unmigrated().take(most - keys.len()) {
                let mut key = Vec::new();
                collection.key(id, &mut key);
                keys.push((collection.db(), key));
            }
        }
        keys
    }

    /// How many documents are to be migrated, by themselves or by a write.
    pub fn unmigrated_len(&self) -> u64 {
        self.collections.values().map(|collection| collection.unmigrated()).sum()
    }

    /// Carries out a delta that migrates a document by itself, as [`Store::commit`] does: the change is told with its cause.
    pub fn commit_migrated(&mut self, delta: Delta) -> Document {
        let told = self.journal.len();
        let document = self.commit(delta);
        self.journal.explain(told, Cause::Migrate);
        if let Some(collection) = self.collections.get_mut(&document.home()) {
            collection.count_migrated();
        }
        document
    }

    /// The migration of a collection stops at the document `held`.
    pub fn stop_migration(&mut self, held: &Document, error: &Error) {
        if let Some(collection) = self.collections.get_mut(&held.home()) {
            collection.stop_migration(held.id(), error.clone());
        }
    }

    /// Goes on with the migration of a collection where it was stopped.
    pub fn resume_migration(&mut self, db: u32, name: &str) {
        if let Some(collection) = self.named_mut(db, name) {
            collection.resume_migration();
            self.migrates = true;
        }
    }
}
