//! Migrations: the documents that are to be brought to the schema version in force.
//!
//! Bringing one there is an update like any: the functions of each step are called with it, and what they give is merged. The
//! primary makes it, in slices, for every document that has another version; an update makes it first, of its own one.

use super::journal::Cause;
use super::{Delta, Store};
use crate::collection::Collection;
use crate::doc::Document;
use crate::error::{Error, Result};
use crate::schema::Definition;

impl Store {
    /// Whether, since this was asked last, something came that has documents migrated by themselves.
    pub fn take_migrates(&mut self) -> bool {
        self.migrates.take()
    }

    /// The keys of at most `most` documents that are to be migrated, with their databases: as many of each collection, one at
    /// least. O(collections + most).
    pub fn unmigrated(&mut self, most: usize) -> Vec<(u32, Vec<u8>)> {
        self.settle();
        let migrating: Vec<&Collection> =
            self.collections.values().filter(|collection| collection.is_migrating()).collect();
        let each = (most / migrating.len().max(1)).max(1);
        let of = |collection: &&Collection| {
            let keys = collection.next_unmigrated().take(each).map(|id| {
                let mut key = Vec::new();
                collection.key(id, &mut key);
                (collection.db(), key)
            });
            keys.collect::<Vec<_>>()
        };
        migrating.iter().flat_map(of).collect()
    }

    /// How many documents are to be migrated, by themselves or by a write.
    pub fn unmigrated_len(&self) -> u64 {
        self.collections.values().map(Collection::unmigrated).sum()
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

    /// Whether documents of every version still have a way to the one in force under `definition`, those that had one: what a
    /// user's declaration is judged by, and no replica's. Error: `SCHEMA`.
    pub fn judge_migrations(&self, db: u32, definition: &Definition) -> Result<()> {
        match self.collection(db, &definition.name) {
            Some(there) if there.definition().migrations != definition.migrations => {
                there.judge_ways(&definition.migrations)
            }
            _ => Ok(()),
        }
    }

    /// The migration of a collection stops at the document under `key`, if that is ahead.
    pub fn stop_migration(&mut self, db: u32, key: &[u8], error: Error) {
        let uid = self.collection_of(db, key).ok().flatten().map(Collection::uid);
        if let Some(collection) = uid.and_then(|uid| self.collections.get_mut(&uid)) {
            collection.stop_migration(key, error);
        }
    }

    /// Goes on with the migration of a collection where it was stopped.
    pub fn resume_migration(&mut self, db: u32, name: &str) {
        if let Some(collection) = self.named_mut(db, name) {
            collection.resume_migration();
        }
    }
}
