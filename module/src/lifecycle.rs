//! The life of documents, as the server reports it.
//!
//! ```text
//! by Folio's own commands     document and index in one step, `commands::write`
//! in  `appeared`              RENAME, COPY, MOVE, RESTORE: the key is new, its TTL not yet set
//!     `loaded`                an RDB file: `rdb_load` left the value in `State::pending`
//! out `left`                  DEL, expiry, eviction, overwrite, the source of a RENAME or MOVE
//!     `flushed`               FLUSHDB, FLUSHALL, the start of a full sync
//! both `staging_completed`    a full sync that was loaded beside the data that were served
//! TTL `happened`              EXPIRE, PERSIST, and the end of each way in
//! ```
//!
//! What comes in is judged by nobody; doors in and out are idempotent. While a file is loaded only tables are
//! filled, in the order of birth when it ends; the first step that is not a birth (a change or removal in the append-only
//! file) ends that.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread;

use folio_engine::doc::Document;
use folio_engine::planted::{self, Fault};

use crate::ffi::{self, Access, Argument, Ctx, OwnedString, Value};
use crate::staging::Staging;
use crate::state::{self, Pending};
use crate::{changes, info, replicate};

/// Folio itself is setting a value: its command does what `appeared` would.
static IS_OWN_WRITE: AtomicBool = AtomicBool::new(false);

/// Runs `body`, which sets a value that the store knows already.
pub(crate) fn own_write(body: impl FnOnce()) {
    struct End;
    impl Drop for End {
        fn drop(&mut self) {
            IS_OWN_WRITE.store(false, Ordering::Relaxed);
        }
    }
    let _end = End;
    IS_OWN_WRITE.store(true, Ordering::Relaxed);
    body();
}

/// The database that the MOVE or COPY under way comes from; -1 between them.
///
/// Valkey 8.1 calls a notification with the client whose command runs, selects the notification's database for it and
/// leaves it there, so that the client's next command, the replicas and the append-only file would go astray. Other
/// servers lend a client of their own, for which it is all the same.
static SOURCE_DB: AtomicI64 = AtomicI64::new(-1);

/// A document is copied, as the server says from this database. A copy over a lapsed key has told of that first, and by
/// then the client is not in its own database: where the document stands is known better here.
pub(crate) fn copied_from(document: &Document, told: i32) {
    let known = state::with(|state| state.db_of(document));
    let db = known.ok().flatten().map_or(told.into(), i64::from);
    SOURCE_DB.store(db, Ordering::Relaxed);
}

/// Brings the client back to the database that its command is run in, if that is known: of a COPY of another type it
/// is not.
fn back_to_source(ctx: &Ctx<'_>) {
    if let Ok(db) = u32::try_from(SOURCE_DB.swap(-1, Ordering::Relaxed)) {
        ctx.select(db);
    }
}

/// Whether a document under `key` could belong to a collection.
fn can_belong(key: &[u8]) -> bool {
    state::with(|state| state.can_own(key)).unwrap_or(true)
}

/// A key is new. Most are of other types: the test of the name spares opening the key.
pub(crate) fn appeared(ctx: &Ctx<'_>, name: Argument<'_>) {
    if IS_OWN_WRITE.load(Ordering::Relaxed) || !can_belong(name.bytes()) {
        return;
    }
    let key = ctx.open(name, Access::Peek);
    if let Value::Document(document) = key.value() {
        if planted::is(Fault::Rename) && document.home() != 0 {
            return;
        }
        let (db, expires_ms) = (key.db(), key.expires_ms());
        state::with_logged(|state| {
            state.end_bulk();
            state.adopt(db, name.bytes(), &document, expires_ms);
        });
    }
}

/// A key was read from an RDB file. The name that the server gives lives on its stack: it must not be opened.
pub(crate) fn loaded(ctx: &Ctx<'_>, name: &[u8]) {
    let mut loaded = None;
    state::with_logged(|state| {
        // A value that had lapsed was read and dropped without a word: what follows may have its name elsewhere.
        let is_it = |pending: &Pending| pending.key == name && pending.db == ctx.db();
        let pending = state.pending.take().filter(is_it);
        match &mut state.staging {
            // The server's databases hold what is served: the TTL is read when they have been exchanged.
            Some(staging) => staging.documents.extend(pending),
            None => loaded = pending,
        }
    });
    let Some(Pending { db, document, key }) = loaded else { return };
    let copied = OwnedString::new(name);
    let expires_ms = ctx.open(copied.argument(), Access::Peek).expires_ms();
    let expires_ms = expires_ms.filter(|_| !planted::is(Fault::Load));
    state::with_logged(|state| {
        state.adopt(db, name, &document, expires_ms);
        state.spare_key = key;
    });
}

/// A document leaves its key; the value is still whole.
pub(crate) fn left(db: u32, name: &[u8], document: &Document) {
    state::with_logged(|state| {
        state.forget(db, name, document);
    });
}

/// A generic event, or that a key has expired or was evicted.
pub(crate) fn happened(ctx: &Ctx<'_>, event: &[u8], name: Argument<'_>) {
    match event {
        b"move_from" => SOURCE_DB.store(ctx.db().into(), Ordering::Relaxed),
        b"move_to" | b"copy_to" => {
            retimed(ctx, event, name);
            back_to_source(ctx);
        }
        _ => retimed(ctx, event, name),
    }
    changes::explained(event, name.bytes());
}

/// The events after which a TTL may be another one.
fn retimed(ctx: &Ctx<'_>, event: &[u8], name: Argument<'_>) {
    let is_arrival = matches!(event, b"rename_to" | b"move_to" | b"copy_to" | b"restore");
    let is_retimed = matches!(event, b"expire" | b"persist") && can_belong(name.bytes());
    if !is_arrival && !is_retimed {
        return;
    }
    if planted::is(if is_retimed { Fault::Ttl } else { Fault::Rename }) {
        return;
    }
    let key = ctx.open(name, Access::Peek);
    if let Value::Document(document) = key.value() {
        let (db, expires_ms) = (key.db(), key.expires_ms());
        state::with_logged(|state| {
            if is_arrival {
                // Also of documents under keys that `appeared` did not open: strays.
                state.end_bulk();
                state.adopt(db, name.bytes(), &document, expires_ms);
            }
            state.set_expiry(&document, expires_ms);
        });
    }
}

/// Has the server remove the lapsed among the strays of the selected database, before a declaration comes or goes: none of them
/// is to be given a number that a file, which tells of the removal first, would not give.
pub(crate) fn remove_lapsed_strays(ctx: &Ctx<'_>) -> folio_engine::Result<()> {
    for key in state::with(|state| state.strays(ctx.db()))? {
        touch(ctx, &key);
    }
    Ok(())
}

/// Reads the TTLs of documents that a declaration has brought to a collection.
pub(crate) fn tell_ttls(ctx: &Ctx<'_>, keys: &[Box<[u8]>]) {
    for name in keys {
        let copied = OwnedString::new(name);
        let key = ctx.open(copied.argument(), Access::Peek);
        if let Value::Document(document) = key.value() {
            let expires_ms = key.expires_ms();
            state::with_logged(|state| state.set_expiry(&document, expires_ms));
        }
    }
}

/// Drops what a flush or a build left, away from the server's thread.
pub(crate) fn drop_in_background<T: Send + 'static>(flushed: T) {
    // Where no thread can be had, the closure is dropped here, and the value with it.
    let _ = thread::Builder::new().name("folio-drop".into()).spawn(move || drop(flushed));
}

/// One database, or all of them, lose their keys. No document is reported on its own.
pub(crate) fn flushed(db: Option<u32>) {
    if planted::is(Fault::Flush) && db.is_some() {
        return;
    }
    state::with_logged(|state| {
        drop_in_background(state.flush(db));
        state.outbox.flush(db);
        state.store.note_flush(db);
    });
}

/// Two databases change places.
pub(crate) fn swapped(a: u32, b: u32) {
    if planted::is(Fault::Swap) {
        return;
    }
    state::with_logged(|state| state.swap(a, b));
}

/// A load begins: what was known, definitions included, gives way to what the file says, unless it is to be
/// served meanwhile.
pub(crate) fn load_began() {
    state::with_logged(|state| {
        state.pending = None;
        state.is_loading = true;
        // What was not written is of data that go.
        state.outbox.clear();
        if state.staging.is_some() {
            return;
        }
        drop_in_background((state.flush(None), state.store.clear()));
        state.begin_bulk();
    });
}

/// A load has ended, or was given up.
pub(crate) fn load_ended(ctx: &Ctx<'_>) {
    state::with_logged(|state| {
        state.pending = None;
        state.is_loading = false;
        state.end_bulk();
    });
    if state::is_suspect() {
        recover_silently(ctx);
    }
}

/// A full sync will be loaded beside the data that are served; `load_began` follows.
pub(crate) fn staging_began() {
    state::with_logged(|state| {
        state.staging = Some(Staging::new(state.store.functions().runtime()));
    });
}

/// It was given up, after `load_ended`. What is served stays.
pub(crate) fn staging_aborted() {
    state::with_logged(|state| drop_in_background(state.staging.take()));
}

/// The server has exchanged its databases for those that were loaded: `load_ended` follows. The old values are freed without
/// a word. O(what was loaded).
pub(crate) fn staging_completed(ctx: &Ctx<'_>) {
    let mut staging = None;
    state::with_logged(|state| staging = state.staging.take());
    let Some(Staging { states, documents, .. }) = staging else { return };
    let found = find_staged(ctx, &documents);
    state::with_logged(|state| {
        drop_in_background((state.flush(None), state.store.clear()));
        for (db, json) in states.into_iter().filter(|_| !planted::is(Fault::Staging)) {
            if let Err(error) = state.load_state(db, &json) {
                ffi::log(true, &format!("definitions of database {db} cannot be read: {error}"));
            }
        }
        state.begin_bulk();
        for (staged, place) in documents.iter().zip(found) {
            if let Some((db, expires_ms)) = place {
                state.adopt(db, &staged.key, &staged.document, expires_ms);
            }
        }
        state.end_bulk();
    });
}

/// In which database each document stands, and when it lapses. While it loads, 7.0 calls every database of a second set 0;
/// but a file has one database after the other, so the search begins where the last document was.
fn find_staged(ctx: &Ctx<'_>, documents: &[Pending]) -> Vec<Option<(u32, Option<i64>)>> {
    let mut database_count = 0;
    while ctx.select(database_count) {
        database_count += 1;
    }
    let mut last = 0;
    let find = |staged: &Pending| {
        let name = OwnedString::new(&staged.key);
        for db in (last..database_count).chain(0..last) {
            ctx.select(db);
            // No key lapses while the server loads, so opening them calls nothing.
            let key = ctx.open(name.argument(), Access::Peek);
            if matches!(key.value(), Value::Document(held) if held.ptr_eq(&staged.document)) {
                last = db;
                return Some((db, key.expires_ms()));
            }
        }
        None
    };
    documents.iter().map(find).collect()
}

/// After a panic, makes the store anew from what the keyspace holds. Called before and after each command; costs nothing
/// where there was none, else O(keys of all databases). Numbers that were given and not told are told now, so that
/// births by Redis's own commands go on with the same ones everywhere.
pub(crate) fn recover(ctx: &Ctx<'_>) {
    if !state::is_suspect() {
        return;
    }
    recover_silently(ctx);
    if ffi::is_quiet() {
        return;
    }
    let own = ctx.db();
    let mut databases = Vec::new();
    state::with_logged(|state| databases = state.store.save_state());
    for (db, json) in databases {
        ctx.select(db);
        replicate::state_set(ctx, json.as_bytes());
    }
    ctx.select(own);
}

/// The same at the end of a load, which nobody is told of.
fn recover_silently(ctx: &Ctx<'_>) {
    // Should this panic too, the next command tries again.
    state::trust();
    ffi::log(true, "indexes are rebuilt after a defect");
    let own = ctx.db();
    let mut documents = Vec::new();
    let mut db = 0;
    while ctx.select(db) {
        ffi::for_each_document(ctx, |key, document, expires_ms| {
            documents.push((db, key.to_vec(), document.clone(), expires_ms));
        });
        db += 1;
    }
    ctx.select(own);
    // A scan may show a key twice.
    documents.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    documents.dedup_by(|a, b| (a.0, &a.1) == (b.0, &b.1));
    state::with_logged(|state| state.rebuild(documents));
    info::count_rebuild();
}

/// How often a paused server is asked whether it goes on.
const PAUSE_MS: i64 = 10;

/// A child was forked, perhaps to rewrite the append-only file: by then the server has opened the file that
/// continues it. Definitions and counters are to stand there, because the child writes none where there is no document.
/// Not now: it would make the command that asked for the rewrite one that is replicated. A timer is served before
/// the server looks whether the child is done, so no file without them ever counts.
pub(crate) fn child_born(ctx: &Ctx<'_>) {
    if ctx.server_number(c"persistence", c"aof_rewrite_in_progress") == 1 {
        ffi::wait(ctx, 0);
    }
}

/// Appends definitions and counters, now or when a pause is over: before, the server would abort. Replicas know
/// them, and do the same for files of their own.
pub(crate) fn append_state(ctx: &Ctx<'_>) {
    if ffi::is_quiet() {
        ffi::wait(ctx, PAUSE_MS);
        return;
    }
    let mut databases = Vec::new();
    state::with_logged(|state| databases = state.store.save_state());
    for (db, json) in databases {
        ctx.select(db);
        replicate::state_kept(ctx, json.as_bytes());
    }
}

/// Opens a key for writing, which makes the server remove it if it has lapsed.
pub(crate) fn touch(ctx: &Ctx<'_>, name: &[u8]) {
    let copied = OwnedString::new(name);
    drop(ctx.open(copied.argument(), Access::Write));
}
