//! What every command that writes a document does from the open key on.
//!
//! ```text
//! open the key for writing     the server may expire what is there
//! prepare                      may refuse; nothing has changed
//! ---- point of no return ----
//! commit                       counters, table, indexes
//! keyspace                     a new value, or the old one replaced; the TTL
//! replicate, signal, notify
//! ```
//!
//! The store is never borrowed while the server is called: opening a key and setting a value can come back.

use folio_engine::doc::{Document, Parsed};
use folio_engine::store::Prepared;
use folio_engine::{Code, Error};

use super::Refusal;
use crate::ffi::{Access, Argument, Ctx, Key, Value};
use crate::{clock, info, lifecycle, replicate, state};

/// Rounds in which lapsed holders of unique values are removed: one finds them all, unless the server keeps some.
const HELD_ROUNDS: usize = 3;

/// What becomes of the key's TTL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ttl {
    /// It has none afterwards.
    Drop,
    /// It stays as it is.
    Keep,
    /// It lapses then, in milliseconds since 1970.
    At(i64),
}

/// What a write is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A whole document, judged whole.
    Set,
    /// A change of the document that is there, judged by what it changes.
    Update,
}

impl Purpose {
    /// The keyspace event.
    fn event(self) -> &'static std::ffi::CStr {
        match self {
            Purpose::Set => c"doc.set",
            Purpose::Update => c"doc.update",
        }
    }
}

/// A key, opened for writing.
pub(super) struct Target<'c> {
    ctx: &'c Ctx<'c>,
    name: Argument<'c>,
    key: Key<'c>,
    db: u32,
    /// The command's one reading of the clock.
    pub(super) now_ms: i64,
    /// The document that stands there.
    pub(super) old: Option<Document>,
}

/// What a write gave.
pub(super) enum Written {
    /// Nothing had to be changed.
    Unchanged(u64),
    /// The document that stands there now, and its version: a document that lapses at once has none any more.
    Changed(Document, u64),
}

impl Written {
    /// The version that the document has now.
    pub(super) fn version(&self) -> u64 {
        match self {
            Written::Unchanged(version) | Written::Changed(_, version) => *version,
        }
    }
}

impl<'c> Target<'c> {
    /// Opens the key that is the argument at `index`. A value of another type is refused.
    pub(super) fn open(ctx: &'c Ctx<'c>, index: usize) -> Result<Self, Refusal> {
        Target::open_named(ctx, ctx.argument(index))
    }

    /// Opens the key `name`.
    pub(super) fn open_named(ctx: &'c Ctx<'c>, name: Argument<'c>) -> Result<Self, Refusal> {
        let now_ms = clock::now_ms();
        let key = ctx.open(name, Access::Write);
        let old = match key.value() {
            Value::Empty => None,
            Value::Document(loan) => Some(loan.clone()),
            Value::Other => return Err(Refusal::WrongType),
        };
        Ok(Target { ctx, name, key, db: ctx.db(), now_ms, old })
    }

    /// Refuses the write unless the document has the version `wanted`; 0 stands for an absent one.
    pub(super) fn expect_version(&self, wanted: Option<u64>) -> Result<(), Refusal> {
        let found = self.old.as_ref().map_or(0, Document::version);
        match wanted {
            // A copy under a key that names no collection has no version, and is there.
            Some(wanted) if wanted != found || (wanted == 0 && self.old.is_some()) => {
                let key = super::args::shown(self.name.bytes());
                let what = format!("expected version {wanted} of {key}, found {found}");
                Err(Error::new(Code::Version, what).into())
            }
            _ => Ok(()),
        }
    }

    /// Writes `parsed`, and announces it.
    pub(super) fn write(
        &self,
        parsed: &Parsed,
        ttl: Ttl,
        purpose: Purpose,
    ) -> Result<Written, Refusal> {
        let old_expires_ms = self.old.as_ref().and_then(|_| self.key.expires_ms());
        let expires_ms = match ttl {
            Ttl::Drop => None,
            Ttl::Keep => old_expires_ms,
            Ttl::At(at) => Some(at),
        };
        let committed = self
            .commit(parsed, expires_ms, purpose)
            .inspect_err(|_| info::count_refused_write())?;
        if let Written::Changed(document, _) = &committed {
            self.put(document, expires_ms, old_expires_ms);
            replicate::written(self.ctx, self.name, document, expires_ms);
            self.ctx.signal_modified(self.name);
            self.ctx.notify(purpose.event(), self.name);
        } else if expires_ms != old_expires_ms {
            self.retime(expires_ms);
        }
        // A TTL that is only kept is the server's to judge: it showed the key as alive.
        if matches!(ttl, Ttl::At(at) if at <= self.now_ms) {
            self.remove();
        }
        Ok(committed)
    }

    /// Prepares and commits in one borrow; has the server remove lapsed holders of unique values first.
    fn commit(
        &self,
        parsed: &Parsed,
        expires_ms: Option<i64>,
        purpose: Purpose,
    ) -> Result<Written, Refusal> {
        let (name, now_ms) = (self.name.bytes(), self.now_ms);
        let mut last_held = Vec::new();
        for _ in 0..HELD_ROUNDS {
            let held = state::with(|state| {
                let store = &mut state.store;
                store.lapse_key(self.db, name, now_ms);
                let prepared = match &self.old {
                    Some(old) if purpose == Purpose::Update => {
                        store.prepare_update(self.db, name, old, parsed, now_ms, expires_ms)
                    }
                    old => store.prepare(self.db, name, old.as_ref(), parsed, now_ms, expires_ms),
                };
                Ok::<_, Error>(match prepared? {
                    Prepared::Unchanged { version } => Ok(Written::Unchanged(version)),
                    Prepared::Ready(delta) => {
                        let document = store.commit(delta);
                        let version = document.version();
                        Ok(Written::Changed(document, version))
                    }
                    Prepared::Held { keys } => Err(keys),
                })
            })??;
            match held {
                Ok(written) => return Ok(written),
                // The server does not remove them: it is a replica, or paused.
                Err(keys) if keys == last_held => break,
                Err(keys) => {
                    for key in &keys {
                        lifecycle::touch(self.ctx, key);
                    }
                    last_held = keys;
                }
            }
        }
        let key = last_held.into_iter().next().unwrap_or_default();
        Err(Error::held("the value is still held, though it has lapsed, by", &key).into())
    }

    /// Hands the committed document to the keyspace.
    fn put(&self, document: &Document, expires_ms: Option<i64>, old_expires_ms: Option<i64>) {
        if self.old.is_some() {
            self.key.replace(document.clone());
        } else {
            lifecycle::own_write(|| self.key.set(document.clone()));
        }
        if expires_ms != old_expires_ms {
            self.key.set_expires_ms(expires_ms);
        }
    }

    /// Changes nothing but the TTL.
    fn retime(&self, expires_ms: Option<i64>) {
        self.key.set_expires_ms(expires_ms);
        if let Some(old) = &self.old {
            state::with_logged(|state| state.set_expiry(old, expires_ms));
        }
        replicate::retimed(self.ctx, self.name, expires_ms);
        self.ctx.signal_modified(self.name);
        let event = if expires_ms.is_some() { c"expire" } else { c"persist" };
        self.ctx.notify_generic(event, self.name);
    }

    /// Removes the key.
    pub(super) fn remove(&self) {
        self.key.delete();
        replicate::removed(self.ctx, self.name);
        self.ctx.signal_modified(self.name);
        self.ctx.notify_generic(c"del", self.name);
    }

    /// Puts what a primary decided; nothing is judged, and nothing refused but what no store could hold.
    pub(super) fn apply(
        &self,
        parsed: &Parsed,
        stamp: folio_engine::doc::Stamp,
        expires_ms: Option<i64>,
    ) -> Result<(), Refusal> {
        let old_expires_ms = self.old.as_ref().and_then(|_| self.key.expires_ms());
        let document = state::with(|state| {
            // A rewritten append-only file has documents in no order: they enter in that of their birth.
            let is_birth_in_bulk = state.is_bulk() && self.old.is_none();
            if !is_birth_in_bulk {
                state.end_bulk();
            }
            let (key, old) = (self.name.bytes(), self.old.as_ref());
            if is_birth_in_bulk {
                let document = Document::new(parsed, stamp);
                state.adopt(self.db, key, &document, expires_ms);
                return Ok(document);
            }
            let store = &mut state.store;
            match store.prepare_apply(self.db, key, old, parsed, stamp, expires_ms) {
                Ok(delta) => Ok(store.commit(delta)),
                // A RENAME can bring a document under a key that names no collection.
                Err(error) if error.code == Code::Key => {
                    let document = Document::new(parsed, stamp);
                    state.adopt(self.db, key, &document, expires_ms);
                    Ok(document)
                }
                Err(error) => Err(error),
            }
        })??;
        self.put(&document, expires_ms, old_expires_ms);
        replicate::written(self.ctx, self.name, &document, expires_ms);
        self.ctx.signal_modified(self.name);
        self.ctx.notify(c"doc.set", self.name);
        Ok(())
    }
}
