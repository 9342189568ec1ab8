//! Which documents have which schema version, and which are to be brought to the one in force.
//!
//! Known at every moment, so that a migration needs no position: what is ahead of it is what has another version, after a
//! restart too. Nothing is kept of documents of version 0 as long as no migration is declared.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use roaring::RoaringBitmap;

use super::{Collection, Info};
use crate::doc::Document;
use crate::error::{Error, Result};
use crate::index::DocId;
use crate::memory::Blocks;
use crate::schema::{Migrations, Options};
use crate::update::Op;

/// A flag that every collection of a store shares: some document has come that is to be migrated by itself, or the way is
/// free again. Raised where the bitmaps change, so that no door can forget it.
#[derive(Debug, Clone, Default)]
pub struct Signal(Arc<AtomicBool>);

impl Signal {
    /// Whether it was raised since this was asked last.
    pub fn take(&self) -> bool {
        // Most often it was not, and a look is cheaper than an exchange.
        self.0.load(Relaxed) && self.0.swap(false, Relaxed)
    }

    fn raise(&self) {
        self.0.store(true, Relaxed);
    }
}

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
    signal: Signal,
}

impl Versions {
    /// Of a collection without documents.
    pub fn new(signal: Signal) -> Self {
        Versions { signal, ..Versions::default() }
    }

    /// The same without documents. A document that has stopped the migration does so under its new id: see [`Versions::moved`].
    pub fn emptied(&self) -> Self {
        let Versions { signal, migrated, .. } = self;
        Versions { signal: signal.clone(), migrated: *migrated, ..Versions::default() }
    }

    /// The document of `id`, which `before` knew as `old`, is entered.
    pub fn moved(&mut self, before: &mut Versions, old: DocId, id: DocId) {
        if let Some((_, error)) = before.stopped.take_if(|(at, _)| *at == old) {
            self.stopped = Some((id, error));
        }
    }

    /// A document is in the table.
    pub fn enter(&mut self, id: DocId, document: &Document, migrations: &Migrations) {
        let schema = document.schema();
        if schema != 0 {
            self.of.entry(schema).or_default().insert(id);
        }
        if migrations.awaits(schema) && !document.is_deleted() {
            self.ahead.insert(id);
            if !migrations.is_lazy {
                self.signal.raise();
            }
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
        if self.stopped.take_if(|(at, _)| *at == id).is_some() {
            self.signal.raise();
        }
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
        if !now.is_lazy && !self.ahead.is_empty() {
            self.signal.raise();
        }
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

    /// Stops the migration at the document under `key`, until that is changed or removed, or is to be tried anew. Nothing is done
    /// where it is not ahead. O(documents ahead with lower ids).
    pub(crate) fn stop_migration(&mut self, key: &[u8], error: Error) {
        let rest = self.rest(key);
        let is_it = |id: &DocId| self.documents.rest(*id) == Some(rest);
        let found = self.versions.ahead.iter().find(is_it);
        if let Some(id) = found {
            self.versions.stopped = Some((id, error));
        }
    }

    /// Tries anew where the migration was stopped.
    pub(crate) fn resume_migration(&mut self) {
        self.versions.stopped = None;
        self.versions.signal.raise();
    }

    /// Whether every document, deleted ones too, that has a way to the version in force has one to that of `coming`. Error:
    /// `SCHEMA`.
    pub(crate) fn judge_ways(&self, coming: &Migrations) -> Result<()> {
        let held = &self.definition.migrations;
        for (version, count) in self.counted_versions() {
            if held.way_to(version, held.version).is_err() {
                continue;
            }
            if let Err(error) = coming.way_to(version, coming.version) {
                let what = format!("{count} documents of schema version {version} need it");
                return Err(Error::new(error.code, format!("{}; {what}", error.message)));
            }
        }
        Ok(())
    }

    /// Whether every document has a way to the version of a first declaration with migrations. Error: `SCHEMA`.
    pub(crate) fn judge_first_ways(&self, coming: &Migrations) -> Result<()> {
        self.counted_versions().try_for_each(|(version, _)| coming.way(version).map(drop))
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
            ("versions".to_owned(), Info::List(self.version_lines())),
        ];
        if let Some((key, error)) = self.migration_stopped() {
            let key = String::from_utf8_lossy(&key).into_owned();
            lines.push(("stopped_at".to_owned(), Info::Text(key)));
            lines.push(("error".to_owned(), Info::Text(error.to_string())));
        }
        vec![lines]
    }

    /// How many documents have each version, due and deleted ones included.
    fn counted_versions(&self) -> impl Iterator<Item = (u16, u64)> {
        let of = &self.versions.of;
        let others: u64 = of.values().map(RoaringBitmap::len).sum();
        let first = [(0, self.live.len() - others)].into_iter().filter(|(_, count)| *count > 0);
        first.chain(of.iter().map(|(version, ids)| (*version, ids.len())))
    }

    fn version_lines(&self) -> Vec<Vec<(String, Info)>> {
        let line = |(version, count): (u16, u64)| {
            let version = ("version".to_owned(), Info::Int(version.into()));
            vec![version, ("documents".to_owned(), Info::Int(count))]
        };
        self.counted_versions().map(line).collect()
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
