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

mod batch;

use folio_engine::doc::{Document, Parsed};
use folio_engine::store::Prepared;
use folio_engine::{Code, Error};

use super::Refusal;
use super::args::{shown, syntax};
use crate::ffi::{Access, Argument, Ctx, Key, Value};
use crate::info::Coded;
use crate::{changes, clock, lapsing, lifecycle, refusals, replicate, state};

pub(super) use batch::{Change, Outcome, Planned, Refused, write_all};

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

/// A TTL as it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AskedTtl {
    /// EX, PX, EXAT or PXAT.
    pub(super) name: &'static str,
    /// Seconds or milliseconds, from now or since 1970.
    pub(super) number: i64,
}

impl AskedTtl {
    /// The TTL as an instant; times are to lie after 1970 and within 64 bits of milliseconds.
    pub(super) fn at(self, now_ms: i64) -> Result<Ttl, Error> {
        let AskedTtl { name, number } = self;
        let at_ms = match name {
            "EX" => number.checked_mul(1000).and_then(|ms| ms.checked_add(now_ms)),
            "PX" => number.checked_add(now_ms),
            "EXAT" => number.checked_mul(1000),
            _ => Some(number),
        };
        at_ms
            .filter(|_| number > 0)
            .map(Ttl::At)
            .ok_or_else(|| syntax(format!("{name} {number} is no time to expire at")))
    }
}

/// What a write is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A whole document, judged whole.
    Set,
    /// A change of the document that is there, judged by what it changes.
    Update,
    /// The document that is there is brought to the schema version in force.
    Migrate,
    /// A document is marked as deleted.
    Delete,
    /// One that was comes back.
    Undelete,
}

impl Purpose {
    /// The keyspace event.
    fn event(self) -> &'static std::ffi::CStr {
        match self {
            Purpose::Set | Purpose::Undelete => c"doc.set",
            Purpose::Update | Purpose::Migrate => c"doc.update",
            Purpose::Delete => c"doc.del",
        }
    }
}

/// A key, opened for writing.
pub(super) struct Target<'c> {
    ctx: &'c Ctx<'c>,
    /// Its name.
    pub(super) name: Argument<'c>,
    key: Key<'c>,
    /// Its database.
    pub(super) db: u32,
    /// The command's one reading of the clock.
    pub(super) now_ms: i64,
    /// The document that stands there.
    pub(super) old: Option<Document>,
    /// The one that stands there marked as deleted: absent to most commands.
    pub(super) deleted: Option<Document>,
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
        Target::open_at(ctx, name, clock::now_ms())
    }

    /// The same by an earlier reading of the clock: keys that a command writes together are seen at one instant.
    pub(super) fn open_at(
        ctx: &'c Ctx<'c>,
        name: Argument<'c>,
        now_ms: i64,
    ) -> Result<Self, Refusal> {
        let key = ctx.open(name, Access::Write);
        changes::judge(ctx, ctx.db(), name.bytes())?;
        let mut held = match key.value() {
            Value::Empty => None,
            Value::Document(loan) => Some(loan.clone()),
            Value::Other => return Err(Refusal::WrongType),
        };
        if let Some(document) = held.as_ref().filter(|it| it.has_due_paths(now_ms))
            && !ctx.is_replay()
            && let Some(left) = lapsing::remove(ctx, name, &key, document, now_ms)?
        {
            held = Some(left);
        }
        let (deleted, old) = match held {
            Some(document) if document.is_deleted() => (Some(document), None),
            old => (None, old),
        };
        Ok(Target { ctx, name, key, db: ctx.db(), now_ms, old, deleted })
    }

    /// The same to a command to which a document that is marked as deleted is there like any.
    pub(super) fn with_deleted(mut self) -> Self {
        self.old = self.old.or(self.deleted.take());
        self
    }

    /// What the keyspace holds under the key.
    fn held(&self) -> Option<&Document> {
        self.old.as_ref().or(self.deleted.as_ref())
    }

    /// Refuses the write unless the document has the version `wanted`; 0 stands for an absent one.
    pub(super) fn expect_version(&self, wanted: Option<u64>) -> Result<(), Refusal> {
        let found = self.old.as_ref().map_or(0, Document::version);
        match wanted {
            // A copy under a key that names no collection has no version, and is there.
            Some(wanted) if wanted != found || (wanted == 0 && self.old.is_some()) => {
                let key = shown(self.name.bytes());
                let what = format!("expected version {wanted} of {key}, found {found}");
                Err(Error::new(Code::Version, what).into())
            }
            _ => Ok(()),
        }
    }

    /// The TTL of the collection, for a document that is written whole without one of its own.
    pub(super) fn own_ttl(&self) -> Result<Ttl, Error> {
        let (db, name, now_ms) = (self.db, self.name.bytes(), self.now_ms);
        let expires_ms = state::with(|state| {
            // A key that names no collection is refused by the write.
            let collection = state.store.collection_of(db, name).ok().flatten();
            collection.and_then(|there| there.definition().options.expires_ms(now_ms))
        })?;
        Ok(expires_ms.map_or(Ttl::Drop, Ttl::At))
    }

    /// `ttl`, or where it only keeps what is there and nothing is, that of the collection.
    pub(super) fn birth_ttl(&self, ttl: Ttl) -> Result<Ttl, Error> {
        if ttl == Ttl::Keep && self.old.is_none() { self.own_ttl() } else { Ok(ttl) }
    }

    /// Writes `parsed`, and announces it.
    pub(super) fn write(
        &self,
        parsed: &Parsed,
        ttl: Ttl,
        purpose: Purpose,
    ) -> Result<Written, Refusal> {
        let expires_ms = self.expires_ms(ttl, purpose);
        let committed = self
            .commit(parsed, expires_ms, purpose)
            .inspect_err(|refusal| self.refused(refusal))?;
        self.finish(&committed, ttl, purpose);
        Ok(committed)
    }

    /// Notes that the write of this key is refused.
    pub(super) fn refused(&self, why: &dyn Coded) {
        refusals::note(self.db, self.name.bytes(), why);
    }

    fn held_expires_ms(&self) -> Option<i64> {
        self.held().and_then(|_| self.key.expires_ms())
    }

    /// When the document is to lapse. One that is born over a deleted one keeps nothing of it.
    fn expires_ms(&self, ttl: Ttl, purpose: Purpose) -> Option<i64> {
        match ttl {
            Ttl::Keep if self.old.is_none() && purpose != Purpose::Undelete => None,
            Ttl::Drop => None,
            Ttl::Keep => self.held_expires_ms(),
            Ttl::At(at) => Some(at),
        }
    }

    /// What follows a commit: the keyspace, replicas, those who watch.
    fn finish(&self, written: &Written, ttl: Ttl, purpose: Purpose) {
        let (old_expires_ms, expires_ms) = (self.held_expires_ms(), self.expires_ms(ttl, purpose));
        if let Written::Changed(document, _) = written {
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
                    Some(old) if matches!(purpose, Purpose::Update | Purpose::Migrate) => {
                        store.prepare_update(self.db, name, old, parsed, now_ms, expires_ms)
                    }
                    _ => store.prepare(self.db, name, self.held(), parsed, now_ms, expires_ms),
                };
                Ok::<_, Error>(match prepared? {
                    Prepared::Unchanged { version } => Ok(Written::Unchanged(version)),
                    Prepared::Ready(delta) => {
                        let document = match purpose {
                            Purpose::Migrate => store.commit_migrated(delta),
                            _ => store.commit(delta),
                        };
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
        if self.held().is_some() {
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
        self.ctx.notify(c"doc.del", self.name);
    }

    /// Puts what a primary decided; nothing is judged, and nothing refused but what no store could hold.
    pub(super) fn apply(
        &self,
        parsed: &Parsed,
        stamp: folio_engine::doc::Stamp,
        expires_ms: Option<i64>,
    ) -> Result<(), Refusal> {
        let old_expires_ms = self.held_expires_ms();
        let document = state::with(|state| {
            // A rewritten append-only file has documents in no order: they enter in that of their birth.
            let is_birth_in_bulk = state.is_bulk() && self.held().is_none();
            if !is_birth_in_bulk {
                state.end_bulk();
            }
            let (key, old) = (self.name.bytes(), self.held());
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
