//! The life of documents, as the server reports it.
//!
//! ```text
//! by Folio's own commands     document and index in one step, `commands::write`
//! in  `appeared`              RENAME, COPY, MOVE, RESTORE: the key is new, its TTL not yet set
//!     `loaded`                an RDB file: `rdb_load` left the value in `State::pending`
//! out `left`                  DEL, expiry, eviction, overwrite, the source of a RENAME or MOVE
//!     `flushed`               FLUSHDB, FLUSHALL, the start of a full sync
//! TTL `happened`              EXPIRE, PERSIST, and the end of each way in
//! ```
//!
//! What comes in is judged by nobody; doors in and out are idempotent. While a file is loaded only tables are
//! filled, in the order of birth when it ends; the first step that is not a birth (a change or removal in the append-only
//! file) ends that.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use folio_engine::doc::Document;

use crate::ffi::{Access, Argument, Ctx, OwnedString, Value};
use crate::state;

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
        #[cfg(feature = "planted-faults")]
        if crate::planted::is("rename") && document.home() != 0 {
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
    let mut pending = None;
    state::with_logged(|state| pending = state.pending.take());
    let Some(pending) = pending.filter(|pending| pending.key == name && pending.db == ctx.db())
    else {
        return;
    };
    let copied = OwnedString::new(name);
    let expires_ms = ctx.open(copied.argument(), Access::Peek).expires_ms();
    #[cfg(feature = "planted-faults")]
    let expires_ms = expires_ms.filter(|_| !crate::planted::is("load"));
    state::with_logged(|state| {
        state.adopt(pending.db, name, &pending.document, expires_ms);
    });
}

/// A document leaves its key; the value is still whole.
pub(crate) fn left(db: u32, name: &[u8], document: &Document) {
    state::with_logged(|state| {
        state.forget(db, name, document);
    });
}

/// A generic event: those after which a TTL may be another one.
pub(crate) fn happened(ctx: &Ctx<'_>, event: &[u8], name: Argument<'_>) {
    let is_arrival = matches!(event, b"rename_to" | b"move_to" | b"copy_to" | b"restore");
    let is_retimed = matches!(event, b"expire" | b"persist") && can_belong(name.bytes());
    if !is_arrival && !is_retimed {
        return;
    }
    #[cfg(feature = "planted-faults")]
    if crate::planted::is(if is_retimed { "ttl" } else { "rename" }) {
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

/// Drops what a flush left, away from the server's thread.
fn drop_in_background<T: Send + 'static>(flushed: T) {
    // Where no thread can be had, the closure is dropped here, and the value with it.
    let _ = thread::Builder::new().name("folio-drop".into()).spawn(move || drop(flushed));
}

/// One database, or all of them, lose their keys. No document is reported on its own.
pub(crate) fn flushed(db: Option<u32>) {
    state::with_logged(|state| {
        drop_in_background(state.flush(db));
    });
}

/// Two databases change places.
pub(crate) fn swapped(a: u32, b: u32) {
    state::with_logged(|state| state.swap(a, b));
}

/// A load begins: what was known, definitions included, gives way to what the file says.
pub(crate) fn load_began() {
    state::with_logged(|state| {
        state.pending = None;
        state.is_loading = true;
        drop_in_background((state.flush(None), state.store.clear()));
        state.begin_bulk();
    });
}

/// A load has ended, or was given up.
pub(crate) fn load_ended() {
    state::with_logged(|state| {
        state.pending = None;
        state.is_loading = false;
        state.end_bulk();
    });
}

/// Opens a key for writing, which makes the server remove it if it has lapsed.
pub(crate) fn touch(ctx: &Ctx<'_>, name: &[u8]) {
    let copied = OwnedString::new(name);
    drop(ctx.open(copied.argument(), Access::Write));
}
