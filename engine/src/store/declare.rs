//! Declaring and dropping collections, over documents that are there already.

use std::collections::BTreeSet;

use super::{Created, Store};
use crate::collection::{Arrival, Collection, judge_timed, named};
use crate::doc::computed::{Computed, compute};
use crate::doc::{DocRef, Document};
use crate::error::{Code, Error, Result};
use crate::index::Index;
use crate::schema::{Definition, Migrations, check};
use crate::value::Key;

/// A document on its way from one collection to another.
struct Mover {
    key: Vec<u8>,
    document: Document,
    /// Without the parts that have lapsed.
    seen: Document,
    expires_ms: Option<i64>,
    /// Due or deleted: no declaration is refused for it.
    is_hidden: bool,
}

impl Mover {
    fn arrival(&self) -> Arrival<'_> {
        let Mover { key, document, expires_ms, .. } = self;
        Arrival { key, document: document.clone(), expires_ms: *expires_ms, number: 0 }
    }
}

impl Store {
    /// Declares a collection; documents under its prefix move in. The same definition again changes nothing.
    ///
    /// Errors: `SCHEMA` and `UNIQUE` (naming the first documents that break it), `COLLECTIONEXISTS`, `LIMITED`, `BUILDING`. O(documents under the prefix, and
    /// of open collections whose names could lie under it).
    pub fn create(&mut self, db: u32, definition: Definition) -> Result<Created> {
        self.judge_builds(db, &definition)?;
        self.declare(db, definition, judge_documents)
    }

    /// The same where a primary, or this server before a restart, has judged the documents already. By the clock of this
    /// moment others of them may have lapsed, so they are not judged again. Errors: `SCHEMA`, `COLLECTIONEXISTS`, `LIMITED`.
    pub fn create_applied(&mut self, db: u32, definition: Definition) -> Result<Created> {
        self.yield_builds(db, &definition);
        self.declare(db, definition, |_, _| Ok(()))
    }

    fn declare(
        &mut self,
        db: u32,
        mut definition: Definition,
        judge: impl FnOnce(&Definition, &[Mover]) -> Result<()>,
    ) -> Result<Created> {
        self.settle();
        definition.validate(&self.limits)?;
        definition.bind(&self.functions)?;
        if let Some(there) = self.collection(db, &definition.name) {
            if there.is_declared() && is_declared_so(there.definition(), &definition) {
                return Ok(Created::Same);
            }
            let what = if there.is_declared() {
                format!("collection '{}' is declared already, and not like this", definition.name)
            } else if there.definition().prefix != definition.prefix {
                format!(
                    "collection '{}' holds documents under '{}'",
                    definition.name,
                    there.definition().prefix
                )
            } else {
                String::new()
            };
            if !what.is_empty() {
                return Err(Error::new(Code::CollectionExists, what));
            }
        }
        self.judge_prefix(db, &definition)?;
        let movers = self.movers(db, definition.prefix.as_bytes());
        judge(&definition, &movers)?;
        self.move_in(db, definition, &movers);
        Ok(Created::New)
    }

    pub(super) fn judge_prefix(&self, db: u32, definition: &Definition) -> Result<()> {
        let names = self.databases.get(&db);
        let other = names.and_then(|names| names.nested_with(definition.prefix.as_bytes()));
        let Some(other) = other.and_then(|uid| self.collections.get(&uid)) else { return Ok(()) };
        let (prefix, held) = (&definition.prefix, &other.definition().prefix);
        let what =
            format!("prefix '{prefix}' nests with '{held}' of collection '{}'", other.name());
        Err(Error::new(Code::Schema, what))
    }

    /// The documents of open collections whose keys begin with `prefix`, in the order of their birth.
    fn movers(&self, db: u32, prefix: &[u8]) -> Vec<Mover> {
        let Some(names) = self.databases.get(&db) else { return Vec::new() };
        let mut movers = Vec::new();
        for collection in names.open().into_iter().filter_map(|uid| self.collections.get(&uid)) {
            let held = collection.definition().prefix.as_bytes();
            if !held.starts_with(prefix) && !prefix.starts_with(held) {
                continue;
            }
            movers.extend(
                movers_of(collection).filter(|mover| {
                    mover.key.starts_with(prefix) && mover.key.len() > prefix.len()
                }),
            );
        }
        movers.sort_by(|a, b| (a.document.seq(), &a.key).cmp(&(b.document.seq(), &b.key)));
        movers
    }

    /// Makes the declared collection and moves the documents in, out of all others.
    fn move_in(&mut self, db: u32, definition: Definition, movers: &[Mover]) {
        let mut counters = self.databases.entry(db).or_default().floor;
        let mut sources: Vec<u32> = movers.iter().map(|mover| mover.document.home()).collect();
        sources.sort_unstable();
        sources.dedup();
        for source in &sources {
            if let Some(collection) = self.collections.get(source) {
                counters = counters.max(collection.counters());
            }
        }
        for mover in movers {
            if let Some(collection) = self.collections.get_mut(&mover.document.home()) {
                collection.remove(mover.document.id());
            }
        }
        for source in &sources {
            self.drop_if_vacant(*source);
        }
        let uid = self.add_collection(db, definition, true, counters);
        let Some(collection) = self.collections.get_mut(&uid) else { return };
        if sources.len() > 1 {
            for (at, mover) in movers.iter().enumerate() {
                // Birth numbers of several collections meet: they are counted anew.
                mover.document.place(0, 0, at as u64 + 1, mover.document.version());
            }
        }
        collection.fill(movers.iter().map(Mover::arrival), None);
    }

    /// Takes a declaration away. Its documents stay, in open collections. Error: `NOCOLLECTION`. O(documents).
    pub fn drop_collection(&mut self, db: u32, name: &str) -> Result<()> {
        self.settle();
        let uid = self.declared(db, name)?.uid();
        let Some(dropped) = self.take_collection(uid) else { return Ok(()) };
        for mover in movers_of(&dropped) {
            mover.document.displace();
            let Ok(placement) = self.place(db, &mover.key) else { continue };
            let target = match placement {
                super::Placement::Known(uid) => uid,
                super::Placement::Founded(name) => self.found(db, &name),
            };
            let Some(target) = self.collections.get_mut(&target) else { continue };
            // A founded collection takes the documents with their numbers, in order; another gives new ones.
            if target.last_seq() < mover.document.seq() {
                target.enter(mover.arrival());
            } else {
                target.admit(&mover.key, &mover.document, mover.expires_ms);
            }
        }
        Ok(())
    }
}

/// Whether a collection is declared as `said`. Where no schema version is said, it may have come to any: a program that declares
/// what it needs whenever it begins would else end with the first migration.
fn is_declared_so(held: &Definition, said: &Definition) -> bool {
    if said.migrations.version != 0 {
        return held == said;
    }
    let (version, is_lazy) = (held.migrations.version, held.migrations.is_lazy);
    let migrations = Migrations { version, is_lazy, ..said.migrations.clone() };
    Definition { migrations, ..said.clone() } == *held
}

fn movers_of(collection: &Collection) -> impl Iterator<Item = Mover> {
    let hidden = collection.hidden(false);
    collection.live().iter().filter_map(move |id| {
        let mut key = Vec::new();
        collection.key(id, &mut key);
        let document = collection.held(id)?.clone();
        let seen = collection.document(id)?.clone();
        let (expires_ms, is_hidden) = (collection.expires_ms(id), hidden.contains(id));
        Some(Mover { key, document, seen, expires_ms, is_hidden })
    })
}

/// Whether the documents keep to `definition`; the error names the first that do not.
fn judge_documents(definition: &Definition, movers: &[Mover]) -> Result<()> {
    let indexes = Index::all_of(definition, 0);
    let slots = definition.slots();
    let computed: Vec<Box<[u8]>> =
        movers.iter().map(|mover| compute(&slots, mover.seen.view(), true)).collect();
    let views: Vec<DocRef<'_>> = movers
        .iter()
        .zip(&computed)
        .map(|(mover, values)| mover.seen.view().with_computed(Some(Computed::new(&slots, values))))
        .collect();
    let mut offenders = Vec::new();
    let mut first = None;
    for (mover, doc) in movers.iter().zip(&views).filter(|(mover, _)| !mover.is_hidden) {
        let judged = check::check_stored(definition, &mover.seen, *doc)
            .and_then(|()| definition.migrations.way(mover.document.schema()).map(drop))
            .and_then(|()| judge_timed(definition, &indexes, *doc));
        if let Err(error) = judged {
            first.get_or_insert(error);
            offenders.push(mover);
        }
    }
    if let Some(error) = first {
        let what = format!("{} ({})", error.message, named_movers(&offenders));
        return Err(Error::new(error.code, what));
    }
    let unique = Index::all_of(definition, 0).into_iter().filter(Index::is_unique);
    unique.into_iter().try_for_each(|index| judge_unique(&index, movers, &views))
}

fn judge_unique(index: &Index, movers: &[Mover], views: &[DocRef<'_>]) -> Result<()> {
    let mut pairs: Vec<(Key, usize)> = Vec::new();
    for (at, _) in movers.iter().enumerate().filter(|(_, mover)| !mover.is_hidden) {
        pairs.extend(index.source().keys(views[at]).into_iter().map(|key| (key, at)));
    }
    pairs.sort();
    let same = |a: &(Key, usize), b: &(Key, usize)| a.0 == b.0;
    let groups = pairs.chunk_by(same);
    let shared = groups.filter(|group| group.len() > 1 && index.claims(group[0].0.as_ref()));
    let sharing: BTreeSet<usize> = shared.flatten().map(|(_, at)| *at).collect();
    if sharing.is_empty() {
        return Ok(());
    }
    let offenders: Vec<&Mover> = sharing.into_iter().map(|at| &movers[at]).collect();
    let what = format!("documents hold the same {} ({})", index.shared(), named_movers(&offenders));
    Err(Error::new(Code::Unique, what))
}

fn named_movers(offenders: &[&Mover]) -> String {
    named(offenders.iter().map(|mover| mover.key.clone()), offenders.len())
}
