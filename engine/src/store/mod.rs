//! Everything that is stored: the collections of all logical databases, and the doors through which documents come and go.
//!
//! A collection has a number, its **uid**, which is not reused; a document in a table keeps it as its home. So the way from
//! a document to its entries needs no key, and SWAPDB only exchanges names.

mod apply;
mod batch;
mod declare;
mod doors;
mod functions;
mod journal;
mod load;
mod mark;
mod migrating;
mod names;
mod online;
mod state;
mod timed;

pub use batch::{BatchChange, BatchError, BatchWrite, PreparedAll};
pub use functions::FunctionJson;
pub use journal::{Cause, Change, ChangeOp};
pub use names::Placement;

use std::collections::{BTreeMap, HashMap};

use crate::collection::{
    Changes, Collection, Counters, Delta, Entered, Home, Keeps, Origin, Refusal, Signal, Values,
};
use crate::doc::{Document, Parsed, Stamp, Touched};
use crate::error::{Code, Error, Result};
use crate::function::Functions;
use crate::limits::Limits;
use crate::memory::Blocks;
use crate::schema::fill::Fill;
use crate::schema::{Definition, check};
use journal::Journal;
use load::Filling;
use names::Names;
use online::Builds;

/// A version or birth number beyond this that a user brings, by RESTORE or as an administrator, is not taken over.
pub const NUMBER_MAX: u64 = 1 << 53;
/// Nothing beyond this is taken from a primary or a file. No server counts so far from [`NUMBER_MAX`], so what one gave is never
/// refused by another, and counters cannot wrap.
pub const NUMBER_END: u64 = 1 << 62;

/// Of a document that keeps to every declaration.
const KEEPS: Keeps = Keeps { declared: true, coming: true };

/// All documents' indexes and all definitions, as one value.
#[derive(Debug)]
pub struct Store {
    /// The limits in force.
    pub limits: Limits,
    seed: u64,
    blocks: Blocks,
    next_uid: u32,
    collections: HashMap<u32, Collection, ahash::RandomState>,
    databases: BTreeMap<u32, Names>,
    filling: Filling,
    builds: Builds,
    journal: Journal,
    functions: Functions,
    /// See [`Store::take_soonest_lapse_ms`].
    soonest_lapse_ms: Option<i64>,
    /// See [`Store::take_migrates`].
    migrates: Signal,
}

/// What `prepare` found.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "it lives for one call; a box would cost each write an allocation"
)]
pub enum Prepared {
    /// The document is the same already; nothing is to be done.
    Unchanged {
        /// The version that it has.
        version: u64,
    },
    /// In order: hand it to [`Store::commit`].
    Ready(Delta),
    /// Lapsed documents still hold unique values. The server is to remove them, then prepare again.
    Held {
        /// Their keys.
        keys: Vec<Vec<u8>>,
    },
}

/// The circumstances of a write that are not its document.
#[derive(Clone, Copy)]
struct Write {
    now_ms: i64,
    expires_ms: Option<i64>,
    whole: bool,
    unique: Judged,
}

/// When unique values are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judged {
    /// With the write.
    Alone,
    /// With others that are made together with it.
    Together,
}

/// What `create` found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// The collection is declared now.
    New,
    /// It was, in the same way.
    Same,
}

/// What a flush took out. Dropping it frees the memory; any thread may.
#[derive(Debug)]
pub struct Flushed {
    collections: Vec<Collection>,
}

impl Flushed {
    /// How many collections were emptied.
    pub fn len(&self) -> usize {
        self.collections.len()
    }

    /// Whether there is nothing to free.
    pub fn is_empty(&self) -> bool {
        self.collections.is_empty()
    }
}

impl Store {
    /// An empty store. `seed` makes hashes unforeseeable to whoever sends values.
    pub fn new(seed: u64) -> Self {
        let hasher = ahash::RandomState::with_seeds(seed, 1, 2, 3);
        Store {
            limits: Limits::default(),
            seed,
            blocks: Blocks::default(),
            next_uid: 1,
            collections: HashMap::with_hasher(hasher),
            databases: BTreeMap::new(),
            filling: Filling::default(),
            builds: Builds::default(),
            journal: Journal::default(),
            functions: Functions::default(),
            soonest_lapse_ms: None,
            migrates: Signal::default(),
        }
    }

    /// The same, which counts memory as `blocks` says.
    #[must_use]
    pub fn counting(self, blocks: Blocks) -> Self {
        Store { blocks, ..self }
    }

    /// The collection of `name` in database `db`.
    pub fn collection(&self, db: u32, name: &str) -> Option<&Collection> {
        self.collections.get(&self.databases.get(&db)?.uid(name)?)
    }

    /// The collection in which `doc` stands, if any.
    pub fn home_of(&self, doc: &Document) -> Option<&Collection> {
        self.collections.get(&doc.home())
    }

    /// Every collection, in no order.
    pub fn collections(&self) -> impl Iterator<Item = &Collection> {
        self.collections.values()
    }

    /// The names of a database's collections, in order. An undeclared one without documents is not there.
    pub fn names(&self, db: u32) -> Vec<String> {
        self.databases.get(&db).map_or_else(Vec::new, Names::all)
    }

    /// Marks what is due at `now_ms` in the collection of `name`. Called before an answer about it.
    pub fn lapse(&mut self, db: u32, name: &str, now_ms: i64) {
        self.settle();
        let uid = self.databases.get(&db).and_then(|names| names.uid(name));
        if let Some(collection) = uid.and_then(|uid| self.collections.get_mut(&uid)) {
            collection.lapse(now_ms);
        }
    }

    /// Marks what is due at `now_ms` in the collection that `key` belongs to. Called before [`Store::prepare`].
    pub fn lapse_key(&mut self, db: u32, key: &[u8], now_ms: i64) {
        self.settle();
        if let Ok(Placement::Known(uid)) = self.place(db, key)
            && let Some(collection) = self.collections.get_mut(&uid)
        {
            collection.lapse(now_ms);
        }
    }

    /// The collection that `key` belongs to. Errors: `KEY`, `TOOBIG`.
    pub fn place(&self, db: u32, key: &[u8]) -> Result<Placement> {
        match self.databases.get(&db) {
            Some(names) => names.place(key),
            None => Names::default().place(key),
        }
    }

    /// The collection that `key` belongs to; none where a document under it would found one. Errors: `KEY`, `TOOBIG`.
    pub fn collection_of(&self, db: u32, key: &[u8]) -> Result<Option<&Collection>> {
        self.known(&self.place(db, key)?)
    }

    /// Finds out whether `parsed` may be written under `key` in place of `old`. Changes nothing.
    ///
    /// `old` is what the keyspace holds under the key; over a deleted document the write is a birth. Times are milliseconds since 1970. The document is judged whole.
    /// Errors: `KEY`, `SCHEMA`, `JSON`, `UNIQUE`, `LIMITED`.
    pub fn prepare(
        &mut self,
        db: u32,
        key: &[u8],
        old: Option<&Document>,
        parsed: &Parsed,
        now_ms: i64,
        expires_ms: Option<i64>,
    ) -> Result<Prepared> {
        self.prepare_judged(
            db,
            key,
            old,
            parsed,
            Write { now_ms, expires_ms, whole: true, unique: Judged::Alone },
        )
    }

    /// The same for an update of `old`, which is judged only by what it changes. `parsed` is of the schema version in force:
    /// see [`Collection::way`].
    pub fn prepare_update(
        &mut self,
        db: u32,
        key: &[u8],
        old: &Document,
        parsed: &Parsed,
        now_ms: i64,
        expires_ms: Option<i64>,
    ) -> Result<Prepared> {
        self.prepare_judged(
            db,
            key,
            Some(old),
            parsed,
            Write { now_ms, expires_ms, whole: false, unique: Judged::Alone },
        )
    }

    fn prepare_judged(
        &mut self,
        db: u32,
        key: &[u8],
        old: Option<&Document>,
        parsed: &Parsed,
        write: Write,
    ) -> Result<Prepared> {
        self.settle();
        let placement = self.place(db, key)?;
        self.reserve_ids(&placement);
        self.prepare_placed(db, key, placement, old, parsed, write)
    }

    /// The same where the key has its place and ids are reserved.
    fn prepare_placed(
        &self,
        db: u32,
        key: &[u8],
        placement: Placement,
        old: Option<&Document>,
        parsed: &Parsed,
        write: Write,
    ) -> Result<Prepared> {
        let removes = Self::replaced(old.filter(|old| old.is_deleted()), &placement)?;
        let old = old.filter(|old| !old.is_deleted());
        let fill = Fill { old, whole: write.whole, now_ms: write.now_ms };
        let collection = self.known(&placement)?;
        let filled = collection.map(|it| it.filled(fill, parsed, &self.limits)).transpose()?;
        let filled = filled.flatten();
        let parsed = filled.as_ref().unwrap_or(parsed);
        let schema = collection.map_or(0, |it| {
            let migrations = &it.definition().migrations;
            let held = old.filter(|_| !write.whole);
            held.map_or(migrations.version, |held| migrations.of_updated(held.schema()))
        });
        if let Some(old) = old
            && old.view().is_same(parsed.view())
            && old.schema() == schema
        {
            return Ok(Prepared::Unchanged { version: old.version() });
        }
        let replaces = Self::replaced(old, &placement)?;
        let (changes, computed, keeps) = match self.known(&placement)? {
            None => {
                let open = Definition::new("open");
                check::check(&open, None, parsed.view(), parsed.huge_numbers())?;
                (Changes::new(), None, KEEPS)
            }
            Some(collection) => match self.judged(collection, old, parsed, write) {
                Ok((changes, computed)) => {
                    let updated = replaces.filter(|_| !write.whole);
                    let doc = collection.view_with(parsed.view(), &computed);
                    let keeps = updated.map(|id| collection.keeps_updated(id, doc, parsed));
                    (changes, computed, keeps.unwrap_or(KEEPS))
                }
                Err(Refusal::Error(error)) => return Err(error),
                Err(Refusal::Held(ids)) => {
                    let key_of = |id| {
                        let mut key = Vec::new();
                        collection.key(id, &mut key);
                        key
                    };
                    return Ok(Prepared::Held { keys: ids.into_iter().map(key_of).collect() });
                }
            },
        };
        let created_ms = old.map_or(write.now_ms, Document::created_ms);
        let stamp = Stamp { created_ms, updated_ms: write.now_ms, schema, ..Stamp::default() };
        Ok(Prepared::Ready(Delta {
            db,
            home: home(placement),
            key: key.into(),
            replaces,
            removes,
            document: Document::new(parsed, stamp),
            changes,
            computed,
            keeps,
            numbers: None,
            expires_ms: write.expires_ms,
        }))
    }

    /// What a write changes in the indexes of its collection, if it may, and what functions give of it.
    fn judged(
        &self,
        collection: &Collection,
        old: Option<&Document>,
        parsed: &Parsed,
        write: Write,
    ) -> Result<(Changes, Values), Refusal> {
        let computed = collection.compute(parsed.view(), true);
        let new = collection.view_with(parsed.view(), &computed);
        let before = old.map(|old| collection.entered(old).doc);
        let touched = before.map(|before| Touched::between(before, new));
        let touched = touched.as_ref();
        let huge_numbers = parsed.huge_numbers();
        collection.judge_declared(touched.filter(|_| !write.whole), new, huge_numbers)?;
        collection.judge_timed(before, new)?;
        if !write.whole && touched.is_some_and(|touched| collection.is_untouched(touched)) {
            return Ok((Changes::new(), computed));
        }
        collection.judge_immutable(before, new)?;
        collection.judge_size(touched, new, &self.limits)?;
        let own = old.map(Document::id);
        let is_alone = write.unique == Judged::Alone;
        if is_alone && write.whole {
            collection.judge_whole(new, own)?;
        }
        let alive = Entered::alive(new);
        let changes = collection.changes_of(before.map(Entered::alive), alive, touched);
        if is_alone {
            collection.judge(&changes, own)?;
        }
        Ok((changes, computed))
    }

    fn reserve_ids(&mut self, placement: &Placement) {
        if let Placement::Known(uid) = placement
            && let Some(collection) = self.collections.get_mut(uid)
        {
            collection.reserve_ids();
        }
    }

    fn known(&self, placement: &Placement) -> Result<Option<&Collection>> {
        match placement {
            Placement::Founded(_) => Ok(None),
            Placement::Known(uid) => match self.collections.get(uid) {
                Some(collection) => Ok(Some(collection)),
                None => Err(Error::new(
                    Code::Internal,
                    format!("collection {uid} has a name and is not there"),
                )),
            },
        }
    }

    /// The id of the document that a write replaces.
    fn replaced(old: Option<&Document>, placement: &Placement) -> Result<Option<u32>> {
        let Some(old) = old else { return Ok(None) };
        if *placement == Placement::Known(old.home()) {
            return Ok(Some(old.id()));
        }
        Err(Error::new(
            Code::Internal,
            "the document under the key is in another collection's table",
        ))
    }

    /// Carries a delta out and gives the document for the keyspace. Cannot fail.
    pub fn commit(&mut self, mut delta: Delta) -> Document {
        self.note_timed(&delta.document);
        let uid = match std::mem::replace(&mut delta.home, Home::Known(0)) {
            Home::Known(uid) => uid,
            // Another write of the same batch may have founded it.
            Home::Founded(name) => {
                let there = self.databases.get(&delta.db).and_then(|names| names.uid(&name));
                there.unwrap_or_else(|| self.found(delta.db, &name))
            }
        };
        let Some(collection) = self.collections.get_mut(&uid) else { return delta.document };
        if collection.definition().options.changes.is_none() {
            return collection.commit(delta);
        }
        let before = delta.replaces.and_then(|id| collection.held(id)).cloned();
        let key = delta.key.clone();
        let after = collection.commit(delta);
        self.journal.note_written(collection, &key, before.as_ref(), &after);
        after
    }

    /// Sets or takes away when `doc` lapses, in milliseconds since 1970. Idempotent.
    pub fn set_expiry(&mut self, doc: &Document, expires_ms: Option<i64>) {
        self.settle();
        if let Some(collection) = self.collections.get_mut(&doc.home()) {
            collection.set_expiry(doc.id(), expires_ms);
        }
    }

    /// Founds an open collection.
    fn found(&mut self, db: u32, name: &str) -> u32 {
        let floor = self.databases.entry(db).or_default().floor;
        self.add_collection(db, Definition::new(name), false, floor)
    }

    fn add_collection(
        &mut self,
        db: u32,
        definition: Definition,
        declared: bool,
        counters: Counters,
    ) -> u32 {
        let uid = self.next_uid;
        self.next_uid += 1;
        self.databases.entry(db).or_default().add(&definition, declared, uid);
        let (seed, blocks, signal) = (self.seed, self.blocks, self.migrates.clone());
        let origin = Origin { uid, db, seed, blocks, signal };
        let collection = Collection::new(origin, definition, declared, counters);
        self.collections.insert(uid, collection);
        uid
    }

    /// Puts an empty collection in the place of one that was taken out.
    fn add_successor(&mut self, taken: &Collection) {
        let (db, declared) = (taken.db(), taken.is_declared());
        let floor = self.databases.entry(db).or_default().floor;
        let counters = if declared { taken.counters() } else { floor };
        let uid = self.add_collection(db, taken.definition().clone(), declared, counters);
        if let Some(collection) = self.collections.get_mut(&uid) {
            collection.succeed_build(taken);
            collection.raise_change_number(taken.change_number());
            if declared {
                collection.raise_greatest(taken.greatest());
            }
            self.builds.note(collection);
        }
    }

    /// Takes a collection out of the store and of its database's names, whose floor keeps its numbers from being repeated.
    fn take_collection(&mut self, uid: u32) -> Option<Collection> {
        let collection = self.collections.remove(&uid)?;
        self.builds.forget(&collection);
        let names = self.databases.entry(collection.db()).or_default();
        names.remove(collection.definition());
        names.floor = names.floor.max(collection.counters());
        Some(collection)
    }

    /// An open collection is there only while it holds documents.
    fn drop_if_vacant(&mut self, uid: u32) {
        let vacant = |it: &&mut Collection| it.is_vacant() && !it.is_declared();
        let Some(collection) = self.collections.get_mut(&uid).filter(vacant) else { return };
        if collection.build_number().is_none() {
            self.take_collection(uid);
            return;
        }
        // It stays for what is being built; its numbers go on as those of one that is founded anew, as on a replica.
        let names = self.databases.entry(collection.db()).or_default();
        names.floor = names.floor.max(collection.counters());
        collection.raise_counters(names.floor);
        collection.forget_greatest();
    }

    /// Empties one database, or all. Definitions and counters stay.
    pub fn flush(&mut self, db: Option<u32>) -> Flushed {
        for (uid, counters) in self.filling.discard() {
            if let Some(collection) = self.collections.get_mut(&uid) {
                collection.raise_counters(counters);
            }
        }
        let of_db = |collection: &&Collection| db.is_none_or(|db| collection.db() == db);
        let mut uids: Vec<u32> =
            self.collections.values().filter(of_db).map(Collection::uid).collect();
        uids.sort_unstable();
        let mut collections = Vec::new();
        for uid in uids {
            let Some(taken) = self.take_collection(uid) else { continue };
            if taken.is_declared() || taken.build_number().is_some() {
                self.add_successor(&taken);
            }
            collections.push(taken);
        }
        Flushed { collections }
    }

    /// Forgets everything, definitions, counters and functions too: what a load begins with.
    pub fn clear(&mut self) -> Flushed {
        let _ = self.filling.discard();
        self.builds.clear();
        self.databases.clear();
        self.functions.clear();
        Flushed {
            collections: self.collections.drain().map(|(_, collection)| collection).collect(),
        }
    }

    /// Exchanges two databases, definitions and all.
    pub fn swap(&mut self, a: u32, b: u32) {
        self.settle();
        let (of_a, of_b) = (self.databases.remove(&a), self.databases.remove(&b));
        self.databases.extend(of_a.map(|names| (b, names)));
        self.databases.extend(of_b.map(|names| (a, names)));
        for collection in self.collections.values_mut() {
            if collection.db() == a {
                collection.set_db(b);
            } else if collection.db() == b {
                collection.set_db(a);
            }
        }
    }
}

fn home(placement: Placement) -> Home {
    match placement {
        Placement::Known(uid) => Home::Known(uid),
        Placement::Founded(name) => Home::Founded(name),
    }
}
