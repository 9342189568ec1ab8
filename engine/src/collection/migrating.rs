//! Which documents have which schema version, and which are to be brought to the one in force.
//!
//! Known at every moment, so that a migration needs no position: what is ahead of it is what has another version, after a
//! restart too. Nothing is kept of documents of version 0 as long as no migration is declared.

use std::collections::BTreeMap;

use roaring::RoaringBitmap;

use super::{Collection, Info};
use crate::doc::Document;
use crate::error::{Error, Result};
use crate::index::DocId;
use crate::memory::Blocks;
use crate::schema::{Migrations, Options};
use crate::update::Op;

/// The schema versions of a collection's documents.
#[derive(Debug, Default)]
pub(super) struct Versions {
    /// The documents of each version but 0.
    of: BTreeMap<u16, RoaringBitmap>,
    /// Those that are to be migrated: of another version than the one in force, and not marked as deleted.
    ahead: RoaringBitmap,
    /// The document that has stopped the migration, and why.
    stopped: Option<(DocId, Error)>,
    /// Documents that were migrated by themselves, not by a write, since the version in force was set last.
    migrated: u64,
}

impl Versions {
    /// A document is in the table.
    pub fn enter(&mut self, id: DocId, document: &Document, migrations: &Migrations) {
        let schema = document.schema();
        if schema != 0 {
            self.of.entry(schema).or_default().insert(id);
        }
        if migrations.is_ahead(schema) && !document.is_deleted() {
            self.ahead.insert(id);
        }
    }

    /// A document of this version leaves the table, or another one takes its place.
    pub fn leave(&mut self, id: DocId, schema: u16) {
        if schema != 0
            && let Some(ids) = self.of.get_mut(&schema)
        {
            ids.remove(id);
            if ids.is_empty() {
                self.of.remove(&schema);
            }
        }
        if !self.ahead.is_empty() {
            self.ahead.remove(id);
        }
        // Whatever stood in the way is gone.
        self.stopped.take_if(|(at, _)| *at == id);
    }

    /// Other migrations are declared.
    fn look_anew(&mut self, live: &RoaringBitmap, deleted: &RoaringBitmap, now: &Migrations) {
        self.ahead = if now.steps.is_empty() {
            RoaringBitmap::new()
        } else if now.version == 0 {
            self.of.values().fold(RoaringBitmap::new(), |all, ids| all | ids) - deleted
        } else {
            let nothing = RoaringBitmap::new();
            live - self.of.get(&now.version).unwrap_or(&nothing) - deleted
        };
        (self.stopped, self.migrated) = (None, 0);
    }

    pub fn heap_bytes(&self, blocks: Blocks) -> usize {
        self.of.values().chain([&self.ahead]).map(|ids| blocks.bitmap(ids)).sum()
    }
}

impl Collection {
    /// Declares other options, and other migrations, bound ones.
    pub(crate) fn set_options(&mut self, options: Options, migrations: Migrations) {
        self.definition.options = options;
        if self.definition.migrations != migrations {
            self.definition.migrations = migrations;
            self.look_for_versions();
        }
    }

    /// After another declaration: which documents are to be migrated now. O(documents / 64 · versions).
    pub(super) fn look_for_versions(&mut self) {
        let Collection { versions, live, deleted, definition, .. } = self;
        versions.look_anew(live, deleted, &definition.migrations);
    }

    /// The operations that bring a document of schema version `from` to the one in force; most often there are none. Error:
    /// `SCHEMA`.
    pub fn way(&self, from: u16) -> Result<Vec<Op>> {
        let way = self.definition.migrations.way(from)?;
        Ok(way.iter().map(|callee| Op::Call(callee.name().into(), b"[]"[..].into())).collect())
    }

    /// How many documents are to be brought to the schema version in force.
    pub fn unmigrated(&self) -> u64 {
        self.versions.ahead.len()
    }

    /// Documents that were migrated by themselves since the version in force was set last.
    pub fn migrated(&self) -> u64 {
        self.versions.migrated
    }

    /// Counts a document that was migrated by itself.
    pub(crate) fn count_migrated(&mut self) {
        self.versions.migrated += 1;
    }

    /// The next documents that are to be migrated by themselves; none where that waits for writes, or was stopped.
    pub(crate) fn next_unmigrated(&self) -> impl Iterator<Item = DocId> {
        let goes_on = !self.definition.migrations.is_lazy && self.versions.stopped.is_none();
        goes_on.then(|| self.versions.ahead.iter()).into_iter().flatten()
    }

    /// Whether a document that comes is such a one, or the way is free for others again by it.
    pub(crate) fn migrates(&self, document: &Document) -> bool {
        let migrations = &self.definition.migrations;
        let waits = migrations.is_lazy || migrations.steps.is_empty();
        !waits && (migrations.is_ahead(document.schema()) || self.versions.stopped.is_some())
    }

    /// Whether there are such documents.
    pub fn is_migrating(&self) -> bool {
        self.next_unmigrated().next().is_some()
    }

    /// Why the migration was stopped: the key of the document, and the error.
    pub fn migration_stopped(&self) -> Option<(Vec<u8>, &Error)> {
        let (id, error) = self.versions.stopped.as_ref()?;
        let mut key = Vec::new();
        self.key(*id, &mut key);
        Some((key, error))
    }

    /// Stops the migration at a document, until that is changed or removed, or is to be tried anew.
    pub(crate) fn stop_migration(&mut self, id: DocId, error: Error) {
        self.versions.stopped = Some((id, error));
    }

    /// Tries anew where the migration was stopped.
    pub(crate) fn resume_migration(&mut self) {
        self.versions.stopped = None;
    }

    /// The lines of `DOC.INFO`; none where neither a version nor a migration is declared, and no document has one.
    pub(super) fn migration_info(&self) -> Vec<Vec<(String, Info)>> {
        let migrations = &self.definition.migrations;
        if *migrations == Migrations::default() && self.versions.of.is_empty() {
            return Vec::new();
        }
        let state = match (&self.versions.stopped, self.unmigrated()) {
            (_, 0) => "done",
            (Some(_), _) => "stopped",
            _ if migrations.is_lazy => "lazy",
            _ => "running",
        };
        let mut lines = vec![
            ("version".to_owned(), Info::Int(migrations.version.into())),
            ("state".to_owned(), Info::Text(state.to_owned())),
            ("ahead".to_owned(), Info::Int(self.unmigrated())),
            ("migrated".to_owned(), Info::Int(self.migrated())),
            ("versions".to_owned(), Info::List(self.version_counts())),
        ];
        if let Some((key, error)) = self.migration_stopped() {
            let key = String::from_utf8_lossy(&key).into_owned();
            lines.push(("stopped_at".to_owned(), Info::Text(key)));
            lines.push(("error".to_owned(), Info::Text(error.to_string())));
        }
        vec![lines]
    }

    /// How many documents have each version, due and deleted ones included.
    fn version_counts(&self) -> Vec<Vec<(String, Info)>> {
        let of = &self.versions.of;
        let others: u64 = of.values().map(RoaringBitmap::len).sum();
        let first = [(0, self.live.len() - others)].into_iter().filter(|(_, count)| *count > 0);
        let counts = first.chain(of.iter().map(|(version, ids)| (*version, ids.len())));
        let line = |(version, count): (u16, u64)| {
            let version = ("version".to_owned(), Info::Int(version.into()));
            vec![version, ("documents".to_owned(), Info::Int(count))]
        };
        counts.map(line).collect()
    }

    /// Each document is known under its version, and is to be migrated or not as that says.
    pub(super) fn verify_versions(&self) -> Vec<String> {
        let mut expected = Versions::default();
        for id in &self.live {
            if let Some(document) = self.held(id) {
                expected.enter(id, document, &self.definition.migrations);
            }
        }
        let mut faults = Vec::new();
        if expected.of != self.versions.of {
            faults
                .push("documents are known under other schema versions than they have".to_owned());
        }
        if expected.ahead != self.versions.ahead {
            faults.push("does not know which documents are to be migrated".to_owned());
        }
        faults
    }
}
