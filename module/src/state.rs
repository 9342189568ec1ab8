//! The one state of the module: the store of all databases.
//!
//! The server calls modules in one thread at a time, so the lock is never waited for. It is there for the case
//! that must not happen: a call into the server, made while the state is borrowed, that comes back into the
//! module. Such a second borrow is refused with `INTERNAL`, instead of two owners of one store.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, TryLockError};

use folio_engine::collection::Collection;
use folio_engine::doc::Document;
use folio_engine::function::lua::LuaRuntime;
use folio_engine::schema::Definition;
use folio_engine::store::{Created, Flushed, Store};
use folio_engine::{Code, Error, Limits, Result};

use crate::changes::Outbox;
use crate::refusals::Refusals;
use crate::staging::Staging;
use crate::strays::Strays;
use crate::{changes, datatype, ffi, lapsing, migrations};

/// A value that `rdb_load` made and that `loaded` will report, if it enters the keyspace at all.
pub(crate) struct Pending {
    /// The database that it is for.
    pub(crate) db: u32,
    /// The key that it is for.
    pub(crate) key: Vec<u8>,
    /// The value, which the keyspace shares.
    pub(crate) document: Document,
}

/// What Folio knows.
pub(crate) struct State {
    /// Every collection of every database.
    pub(crate) store: Store,
    /// The last value read from an RDB file, until its fate is known.
    pub(crate) pending: Option<Pending>,
    /// Room for the next one's key.
    pub(crate) spare_key: Vec<u8>,
    /// A load is under way.
    pub(crate) is_loading: bool,
    /// What it has brought, when it goes on beside the data that are served.
    pub(crate) staging: Option<Staging>,
    /// Changes that are to be told.
    pub(crate) outbox: Outbox,
    /// Writes that were refused.
    pub(crate) refusals: Refusals,
    /// Documents are kept aside; tables and indexes are made when this ends.
    is_bulk: bool,
    /// TTLs that were set meanwhile, by an append-only file without a snapshot in front.
    late_expiries: Vec<(Document, Option<i64>)>,
    strays: Strays,
    /// The limits in force, while `with_limits` has others in their place.
    own_limits: Option<Limits>,
    /// A collection is declared whose prefix holds no colon.
    has_plain_prefix: bool,
}

impl State {
    fn new(seed: u64) -> Self {
        State {
            store: store(seed),
            pending: None,
            spare_key: Vec::new(),
            is_loading: false,
            staging: None,
            outbox: Outbox::default(),
            refusals: Refusals::default(),
            is_bulk: false,
            late_expiries: Vec::new(),
            strays: Strays::default(),
            own_limits: None,
            has_plain_prefix: false,
        }
    }

    /// Whether a document under `key` could belong to a collection. Most keys of other types have no colon: this
    /// spares opening them.
    pub(crate) fn can_own(&self, key: &[u8]) -> bool {
        self.has_plain_prefix || key.contains(&b':')
    }

    /// Looks at the prefixes and streams anew, after definitions have come.
    pub(crate) fn note_prefixes(&mut self) {
        let is_plain = |collection: &Collection| !collection.definition().prefix.contains(':');
        self.has_plain_prefix |= self.store.collections().any(is_plain);
        changes::note_streams(self.store.collections());
    }

    /// Marks what is due in every collection of a database.
    pub(crate) fn lapse_all(&mut self, db: u32, now_ms: i64) {
        for name in self.store.names(db) {
            self.store.lapse(db, &name, now_ms);
        }
    }

    /// The keys of the lapsed documents of a database's open collections.
    pub(crate) fn due_in_open(&mut self, db: u32, now_ms: i64) -> Vec<Vec<u8>> {
        self.lapse_all(db, now_ms);
        let mut keys = Vec::new();
        for open in self.store.collections().filter(|c| c.db() == db && !c.is_declared()) {
            for id in open.due() {
                let mut key = Vec::new();
                open.key(id, &mut key);
                keys.push(key);
            }
        }
        keys
    }

    /// Runs `body` under other limits: what was accepted once is not refused by a setting.
    pub(crate) fn with_limits<R>(
        &mut self,
        limits: Limits,
        body: impl FnOnce(&mut State) -> R,
    ) -> R {
        self.own_limits = Some(std::mem::replace(&mut self.store.limits, limits));
        let result = body(self);
        if let Some(own) = self.own_limits.take() {
            self.store.limits = own;
        }
        result
    }

    /// Takes in definitions and counters of a database from a file, where they stand before all documents. Error: `SCHEMA`.
    pub(crate) fn load_state(&mut self, db: u32, json: &[u8]) -> Result<()> {
        if let Some(staging) = &mut self.staging {
            return staging.add_state(db, json);
        }
        let stored = datatype::stored_limits();
        let outcome = self.with_limits(stored, |state| state.store.load_state(db, json));
        self.note_prefixes();
        outcome
    }

    /// The same from a command: documents may be there already. Gives what [`State::create`] gives.
    pub(crate) fn set_state(&mut self, db: u32, json: &[u8]) -> Result<Vec<Box<[u8]>>> {
        if self.store.has_kept_aside() || !self.strays.is_empty() {
            // The file that continues a snapshot begins.
            self.end_bulk();
        }
        let stored = datatype::stored_limits();
        self.with_limits(stored, |state| state.store.load_state(db, json))?;
        self.note_prefixes();
        Ok(self.bring_home(db))
    }

    /// After a panic that left who knows what half done: nothing but definitions and counters is believed. What the
    /// keyspace holds comes back with [`State::rebuild`], before the next command.
    fn distrust(&mut self) {
        if let Some(own) = self.own_limits.take() {
            self.store.limits = own;
        }
        drop(self.store.abandon_builds());
        drop(self.flush(None));
    }

    /// Makes every table and index anew from all documents of the keyspace: database, key, document, when it lapses.
    pub(crate) fn rebuild(&mut self, documents: Vec<(u32, Vec<u8>, Document, Option<i64>)>) {
        drop(self.store.abandon_builds());
        drop(self.flush(None));
        self.begin_bulk();
        for (db, key, document, expires_ms) in documents {
            self.adopt(db, &key, &document, expires_ms);
        }
        self.end_bulk();
    }

    /// Begins to keep documents aside.
    pub(crate) fn begin_bulk(&mut self) {
        self.store.begin_load();
        self.is_bulk = true;
    }

    /// Makes tables and indexes of what was kept aside; anything but a `loaded` notification needs them.
    pub(crate) fn end_bulk(&mut self) {
        if !self.is_bulk {
            return;
        }
        self.is_bulk = false;
        self.store.end_load();
        for (document, expires_ms) in std::mem::take(&mut self.late_expiries) {
            self.store.set_expiry(&document, expires_ms);
        }
    }

    /// Whether documents are kept aside now, to enter their tables in the order of their birth.
    pub(crate) fn is_bulk(&self) -> bool {
        self.is_bulk
    }

    /// Sets when a document lapses, now or when it is in its table.
    pub(crate) fn set_expiry(&mut self, document: &Document, expires_ms: Option<i64>) {
        if self.is_bulk {
            self.late_expiries.push((document.clone(), expires_ms));
        } else {
            self.store.set_expiry(document, expires_ms);
        }
    }

    /// A document has come under `key`, whoever brought it.
    pub(crate) fn adopt(
        &mut self,
        db: u32,
        key: &[u8],
        document: &Document,
        expires_ms: Option<i64>,
    ) {
        if !self.store.adopt(db, key, document, expires_ms) {
            self.strays.add(db, key, document);
        }
    }

    /// The database in which a document stands, if that is known.
    pub(crate) fn db_of(&self, document: &Document) -> Option<u32> {
        let home = self.store.home_of(document).map(Collection::db);
        home.or_else(|| self.strays.db_of(document))
    }

    /// The keys of a database's strays.
    pub(crate) fn strays(&self, db: u32) -> Vec<Box<[u8]>> {
        self.strays.keys(db)
    }

    /// A document leaves `key`.
    pub(crate) fn forget(&mut self, db: u32, key: &[u8], document: &Document) {
        self.end_bulk();
        self.store.forget(db, key, document);
        self.strays.remove(db, key);
    }

    /// Declares a collection; a replay does it without judging the documents that are there. Gives the keys that have
    /// come to a collection by that besides those that the store moved, whose TTL is to be told.
    pub(crate) fn create(
        &mut self,
        db: u32,
        definition: Definition,
        is_replay: bool,
    ) -> Result<(Created, Vec<Box<[u8]>>)> {
        self.end_bulk();
        let created = if is_replay {
            self.store.create_applied(db, definition)?
        } else {
            self.store.create(db, definition)?
        };
        self.note_prefixes();
        Ok((created, self.bring_home(db)))
    }

    /// Takes a declaration away, and gives the same.
    pub(crate) fn drop_collection(&mut self, db: u32, name: &str) -> Result<Vec<Box<[u8]>>> {
        self.end_bulk();
        let mut documents = Vec::new();
        if let Some(collection) = self.store.collection(db, name) {
            documents.extend(documents_of(collection));
        }
        self.store.drop_collection(db, name)?;
        for (key, document, _) in documents {
            if self.store.place(db, &key).is_err() {
                self.strays.add(db, &key, &document);
            }
        }
        Ok(self.bring_home(db))
    }

    /// Takes the strays in whose keys name a collection now.
    fn bring_home(&mut self, db: u32) -> Vec<Box<[u8]>> {
        let mut keys = Vec::new();
        for (key, document) in self.strays.take(db) {
            if !self.store.untold(|store| store.adopt(db, &key, &document, None)) {
                self.strays.add(db, &key, &document);
            }
            keys.push(key);
        }
        keys
    }

    /// Two databases change places.
    pub(crate) fn swap(&mut self, a: u32, b: u32) {
        self.end_bulk();
        self.store.swap(a, b);
        self.strays.swap(a, b);
        self.outbox.swap(a, b);
    }

    /// Empties one database, or all.
    pub(crate) fn flush(&mut self, db: Option<u32>) -> Flushed {
        self.pending = None;
        if db.is_some() {
            // What is kept aside is of all databases.
            self.end_bulk();
        }
        self.late_expiries.clear();
        self.strays.flush(db);
        self.store.flush(db)
    }
}

/// A store that runs functions; without Luau, should that fail, it does all else.
fn store(seed: u64) -> Store {
    let mut store = Store::new(seed).counting(ffi::blocks());
    match LuaRuntime::new() {
        Ok(runtime) => store.run_by(Arc::new(runtime)),
        Err(error) => ffi::log(true, &error.to_string()),
    }
    store
}

/// Every document of a collection: its key, itself, when it lapses.
fn documents_of(collection: &Collection) -> impl Iterator<Item = (Vec<u8>, Document, Option<i64>)> {
    collection.live().iter().filter_map(|id| {
        let mut key = Vec::new();
        collection.key(id, &mut key);
        Some((key, collection.held(id)?.clone(), collection.expires_ms(id)))
    })
}

static STATE: Mutex<Option<State>> = Mutex::new(None);

/// A panic was caught: the store and the keyspace may differ.
static IS_SUSPECT: AtomicBool = AtomicBool::new(false);

/// Notes that a panic was caught.
pub(crate) fn suspect() {
    IS_SUSPECT.store(true, Ordering::Relaxed);
}

/// Notes that the store is about to be made anew from the keyspace.
pub(crate) fn trust() {
    // The lock may not have been asked since.
    let _ = with(|_| ());
    IS_SUSPECT.store(false, Ordering::Relaxed);
}

/// Whether the store is to be made anew before anything is asked of it.
pub(crate) fn is_suspect() -> bool {
    IS_SUSPECT.load(Ordering::Relaxed)
}

/// Makes the state, once, when the module is loaded.
pub(crate) fn init(seed: u64) {
    let mut state = STATE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    *state = Some(State::new(seed));
}

/// Runs `body` on the state. `body` makes no call into the server that could come back.
///
/// # Errors
/// `INTERNAL` when the state is borrowed already.
pub(crate) fn with<R>(body: impl FnOnce(&mut State) -> R) -> Result<R> {
    let mut guard = match STATE.try_lock() {
        Ok(state) => state,
        Err(TryLockError::Poisoned(poisoned)) => {
            // A panic passed through an earlier borrow.
            suspect();
            STATE.clear_poison();
            let mut guard = poisoned.into_inner();
            if let Some(state) = guard.as_mut() {
                state.distrust();
            }
            guard
        }
        Err(TryLockError::WouldBlock) => {
            return Err(Error::new(Code::Internal, "the state is borrowed already"));
        }
    };
    let state = guard.as_mut().expect("made when the module is loaded");
    let result = body(state);
    let are_pending = changes::collect(state);
    let next_lapse = lapsing::collect(state);
    let migrates = state.store.take_migrates();
    drop(guard);
    if let Some(at_ms) = next_lapse {
        lapsing::arm(at_ms);
    }
    if migrates {
        migrations::arm();
    }
    if are_pending {
        changes::soon();
    }
    Ok(result)
}

/// The same for callbacks that have nobody to tell: a refused borrow is logged.
pub(crate) fn with_logged(body: impl FnOnce(&mut State)) {
    if let Err(error) = with(body) {
        ffi::log(true, &error.to_string());
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{self, AssertUnwindSafe};

    use super::*;
    use folio_engine::doc::{Parsed, Stamp};

    const DEFINITION: &[u8] =
        br#"{"collection":"c","fields":[{"path":"a","type":"int","index":"sorted"}]}"#;

    #[test]
    fn a_panic_in_a_borrow_makes_the_store_suspect_and_a_second_borrow_is_refused() {
        init(1);
        let mut parsed = Parsed::default();
        parsed.parse(br#"{"a":1}"#, &Limits::default()).unwrap();
        let document = Document::new(&parsed, Stamp { seq: 1, version: 1, ..Stamp::default() });
        with(|state| {
            let definition = Definition::from_json(DEFINITION, &Limits::default()).unwrap();
            state.store.create(0, definition).unwrap();
            state.store.adopt(0, b"c:1", &document, Some(5));
            assert_eq!(with(|_| ()).unwrap_err().code, Code::Internal);
        })
        .unwrap();
        let panicked = panic::catch_unwind(AssertUnwindSafe(|| {
            with(|state| {
                state.with_limits(Limits { depth_max: 3, ..Limits::default() }, |_| panic!())
            })
        }));
        assert!(panicked.is_err());
        with(|state| {
            assert!(is_suspect());
            assert_eq!(state.store.limits, Limits::default());
            assert_eq!(state.store.collection(0, "c").unwrap().len(), 0);
            state.rebuild(vec![(0, b"c:1".to_vec(), document.clone(), Some(5))]);
            let collection = state.store.collection(0, "c").unwrap();
            assert_eq!(collection.len(), 1);
            assert_eq!(collection.verify(), Vec::<String>::new());
            assert_eq!(collection.expires_ms(document.id()), Some(5));
        })
        .unwrap();
    }
}
