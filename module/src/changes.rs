//! Change streams: what collections with `CHANGES` tell of, written down as entries of Redis streams.
//!
//! ```text
//!   store     commit, adopt, forget        notes a change
//!   state     end of every borrow          the change goes to the outbox, with its time; a replica's and a file's to nowhere
//!   server    del, expired, rename_from    says why, while the change is in the outbox
//!   drain     own commands: before they end, behind their effects
//!             others: in the same step (7.2), else a millisecond later or with the next command that writes
//! ```
//! An entry's id is its number, `<n>-0`. Its effect is the XADD itself, so a replica and a file repeat it and decide nothing; they
//! learn the number from it ([`grew`]).

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};

use folio_engine::collection::Collection;
use folio_engine::planted::{self, Fault};
use folio_engine::schema::ChangeStream;
use folio_engine::store::{Cause, Change, ChangeOp};

use crate::clock;
use crate::commands::Refusal;
use crate::ffi::{self, Access, Argument, Ctx, OwnedString};
use crate::state::{self, State};

/// Milliseconds until others' changes are written, where the server has no better moment.
const SOON_MS: i64 = 1;
/// Milliseconds until a paused server is asked again.
const PAUSE_MS: i64 = 10;
/// How far back in the outbox the change is that the server says more of.
const AMENDED_MAX: usize = 8;

/// Some collection has been declared with `CHANGES`. Until then nothing here costs anything.
static HAS_STREAMS: AtomicBool = AtomicBool::new(false);
/// Entries in the outbox.
static PENDING: AtomicUsize = AtomicUsize::new(0);
/// A command of Folio's own is under way, which drains.
static IS_OWN: AtomicBool = AtomicBool::new(false);
/// Entries are being written: the server tells of them.
static IS_DRAINING: AtomicBool = AtomicBool::new(false);
/// [`tick`] will be called.
static IS_ARMED: AtomicBool = AtomicBool::new(false);
static WRITTEN: AtomicU64 = AtomicU64::new(0);
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// For INFO: entries that wait, that were written since the start, that no stream took.
pub(crate) fn counts() -> (u64, u64, u64) {
    (PENDING.load(Relaxed) as u64, WRITTEN.load(Relaxed), DROPPED.load(Relaxed))
}

/// A change that is to be written, and its time.
struct Entry {
    change: Change,
    time_ms: i64,
}

/// What is to be written, in order.
#[derive(Default)]
pub(crate) struct Outbox {
    entries: VecDeque<Entry>,
}

impl Outbox {
    fn push(&mut self, change: Change, time_ms: i64) {
        self.entries.push_back(Entry { change, time_ms });
        self.count();
    }

    fn count(&self) {
        PENDING.store(self.entries.len(), Relaxed);
    }

    /// Nothing is written any more.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.count();
    }

    /// The streams of one database, or of all, are gone, and with them what would have stood in them.
    pub(crate) fn flush(&mut self, db: Option<u32>) {
        self.entries.retain(|entry| db.is_some_and(|db| db != entry.change.db));
        self.count();
    }

    /// Two databases change places, and their streams with them.
    pub(crate) fn swap(&mut self, a: u32, b: u32) {
        for Entry { change, .. } in &mut self.entries {
            if change.db == a {
                change.db = b;
            } else if change.db == b {
                change.db = a;
            }
        }
    }

    fn amend(&mut self, key: &[u8], amendment: Amendment) {
        let last = self.entries.iter_mut().rev().take(AMENDED_MAX).map(|entry| &mut entry.change);
        let mut of_key = last.filter(|change| *change.key == *key);
        match amendment {
            Amendment::Left(op, cause) => {
                let is_open = |change: &&mut Change| change.cause == Some(Cause::Overwrite);
                if let Some(change) = of_key.find(is_open) {
                    (change.op, change.cause) = (op, cause);
                }
            }
            Amendment::Came(cause) => {
                let is_open = |it: &&mut Change| it.op == ChangeOp::Insert && it.cause.is_none();
                if let Some(change) = of_key.find(is_open) {
                    change.cause = Some(cause);
                }
            }
        }
    }
}

/// What the server says of a change.
#[derive(Clone, Copy)]
enum Amendment {
    /// Why a document has left its key.
    Left(ChangeOp, Option<Cause>),
    /// How one came.
    Came(Cause),
}

impl Amendment {
    fn of(event: &[u8]) -> Option<Self> {
        Some(match event {
            b"del" => Amendment::Left(ChangeOp::Delete, None),
            b"expired" => Amendment::Left(ChangeOp::Expire, None),
            b"evicted" => Amendment::Left(ChangeOp::Evict, None),
            b"rename_from" => Amendment::Left(ChangeOp::Delete, Some(Cause::Rename)),
            b"move_from" => Amendment::Left(ChangeOp::Delete, Some(Cause::Move)),
            b"rename_to" => Amendment::Came(Cause::Rename),
            b"move_to" => Amendment::Came(Cause::Move),
            b"copy_to" => Amendment::Came(Cause::Copy),
            b"restore" => Amendment::Came(Cause::Restore),
            _ => return None,
        })
    }
}

/// Looks at the declarations anew, after some have come.
pub(crate) fn note_streams<'c>(mut collections: impl Iterator<Item = &'c Collection>) {
    if collections.any(|collection| collection.definition().options.changes.is_some()) {
        HAS_STREAMS.store(true, Relaxed);
    }
}

/// The end of a borrow: what the store has noted goes to the outbox. Whether [`soon`] is to follow.
pub(crate) fn collect(state: &mut State) -> bool {
    if !state.store.has_changes() {
        return false;
    }
    let changes = state.store.take_changes();
    if !ffi::is_primary() {
        return false;
    }
    let now_ms = clock::now_ms();
    for mut change in changes {
        change.hide_due_paths(now_ms);
        if planted::is(Fault::Changes) && change.version.is_multiple_of(64) {
            continue;
        }
        state.outbox.push(change, now_ms);
    }
    !IS_OWN.load(Relaxed)
}

/// Has the outbox drained when what the server is doing has ended.
pub(crate) fn soon() {
    if !IS_ARMED.swap(true, Relaxed) && !ffi::tick_afterwards() {
        ffi::tick_in(SOON_MS);
    }
}

/// The moment for which [`soon`] has asked.
pub(crate) fn tick(ctx: &Ctx<'_>) {
    IS_ARMED.store(false, Relaxed);
    if PENDING.load(Relaxed) == 0 {
        return;
    }
    if ffi::is_quiet() {
        IS_ARMED.store(true, Relaxed);
        ffi::tick_in(PAUSE_MS);
        return;
    }
    drain(ctx);
}

/// Runs a command of Folio's own that writes; its changes are written before it ends.
pub(crate) fn in_own_command<R>(ctx: &Ctx<'_>, body: impl FnOnce() -> R) -> R {
    struct End;
    impl Drop for End {
        fn drop(&mut self) {
            IS_OWN.store(false, Relaxed);
            if PENDING.load(Relaxed) > 0 {
                // After a panic.
                soon();
            }
        }
    }
    let _end = End;
    IS_OWN.store(true, Relaxed);
    let result = body();
    drain(ctx);
    result
}

/// Writes what is in the outbox.
pub(crate) fn drain(ctx: &Ctx<'_>) {
    struct End;
    impl Drop for End {
        fn drop(&mut self) {
            IS_DRAINING.store(false, Relaxed);
        }
    }
    if PENDING.load(Relaxed) == 0 {
        return;
    }
    if !ffi::is_primary() {
        // It was one, and follows another now, which tells of nothing that is only here.
        state::with_logged(|state| state.outbox.clear());
        return;
    }
    let _end = End;
    IS_DRAINING.store(true, Relaxed);
    let own = ctx.db();
    while let Some((entry, number)) = next() {
        ctx.select(entry.change.db);
        write(ctx, &entry, number);
    }
    ctx.select(own);
}

/// The next entry, and its number.
fn next() -> Option<(Entry, u64)> {
    let mut next = None;
    state::with_logged(|state| {
        let entry = state.outbox.entries.pop_front();
        state.outbox.count();
        next = entry.map(|entry| {
            let Change { db, collection, .. } = &entry.change;
            // Of a collection that is gone the stream knows the number.
            let number = state.store.take_change_number(*db, collection).unwrap_or(1);
            (entry, number)
        });
    });
    next
}

/// Writes an entry. Where the stream has that number already, because a user has added to it, the next one is taken.
fn write(ctx: &Ctx<'_>, entry: &Entry, number: u64) {
    let Change { db, collection, .. } = &entry.change;
    let key = ChangeStream::key(collection);
    let mut is_written = add(ctx, entry, &key, number);
    if !is_written {
        let last = ctx.last_generated(key.as_bytes()).filter(|last| *last >= number);
        if let Some(next) = last.and_then(|last| last.checked_add(1)) {
            is_written = add(ctx, entry, &key, next);
            state::with_logged(|state| state.store.raise_change_number(*db, collection, next));
        }
    }
    let counter = if is_written { &WRITTEN } else { &DROPPED };
    counter.fetch_add(1, Relaxed);
}

fn add(ctx: &Ctx<'_>, Entry { change, time_ms }: &Entry, key: &str, number: u64) -> bool {
    let mut words: Vec<Cow<'_, [u8]>> = vec![key.as_bytes().into()];
    let text = |text: &str| Cow::Owned(text.as_bytes().to_vec());
    if let Some(maxlen) = change.stream.maxlen {
        words.extend([text("MAXLEN"), text("~"), text(&maxlen.to_string())]);
    }
    words.push(text(&format!("{number}-0")));
    let mut field = |name: &str, value| words.extend([text(name), value]);
    field("op", text(change.op.name()));
    if change.op != ChangeOp::Flush {
        field("key", Cow::Borrowed(&*change.key));
    }
    field("version", text(&change.version.to_string()));
    if let Some(cause) = change.cause {
        field("cause", text(cause.name()));
    }
    if let Some(paths) = change.paths() {
        field("paths", text(&paths));
    }
    let (before, after) = change.texts();
    for (name, value) in [("before", before), ("after", after)] {
        if let Some(value) = value {
            field(name, Cow::Borrowed(value));
        }
    }
    field("time", text(&time_ms.to_string()));
    let words: Vec<&[u8]> = words.iter().map(|word| &**word).collect();
    ctx.add_entry(&words)
}

/// Refuses a write to the document of `key`, before anything is changed, where its collection has a stream whose key holds
/// another type. What a primary or a file tells of is not refused.
pub(crate) fn judge(ctx: &Ctx<'_>, db: u32, key: &[u8]) -> Result<(), Refusal> {
    if !HAS_STREAMS.load(Relaxed) || ctx.is_replay() || ctx.is_replica() {
        return Ok(());
    }
    let stream = state::with(|state| {
        let collection = state.store.collection_of(db, key).ok().flatten();
        collection.and_then(stream_of)
    })?;
    judge_stream(ctx, stream)
}

/// The same for all documents of a collection.
pub(crate) fn judge_collection(ctx: &Ctx<'_>, db: u32, name: &str) -> Result<(), Refusal> {
    if ctx.is_replay() || ctx.is_replica() {
        return Ok(());
    }
    let stream = state::with(|state| state.store.collection(db, name).and_then(stream_of))?;
    judge_stream(ctx, stream)
}

/// The key of a collection's stream, if it has one.
fn stream_of(collection: &Collection) -> Option<String> {
    collection.definition().options.changes.map(|_| ChangeStream::key(collection.name()))
}

fn judge_stream(ctx: &Ctx<'_>, stream: Option<String>) -> Result<(), Refusal> {
    let Some(stream) = stream else { return Ok(()) };
    let name = OwnedString::new(stream.as_bytes());
    let may_be = ctx.open(name.argument(), Access::Peek).may_be_stream();
    if may_be { Ok(()) } else { Err(Refusal::NoStream(stream.into())) }
}

/// A collection was declared in the selected database: its numbers go on after what a stream of its name holds, be it of one that
/// was dropped. Not with the first change: the stream may be gone by then, here or in a file that is read back.
pub(crate) fn go_on(ctx: &Ctx<'_>, db: u32, name: &str) {
    let stream = ChangeStream::key(name);
    let key = OwnedString::new(stream.as_bytes());
    // Asked of nothing, or of another type, the server counts an error.
    if !ctx.open(key.argument(), Access::Peek).is_stream() {
        return;
    }
    if let Some(last) = ctx.last_generated(stream.as_bytes()) {
        state::with_logged(|state| state.store.raise_change_number(db, name, last));
    }
}

/// The server tells of a key: why a document has left it, or how one came.
pub(crate) fn explained(event: &[u8], key: &[u8]) {
    if PENDING.load(Relaxed) == 0 {
        return;
    }
    if let Some(amendment) = Amendment::of(event) {
        state::with_logged(|state| state.outbox.amend(key, amendment));
    }
}

/// An entry was added to a stream by somebody else: by a user, a primary or a file. Its number is taken.
pub(crate) fn grew(ctx: &Ctx<'_>, name: Argument<'_>) {
    if !HAS_STREAMS.load(Relaxed) || IS_DRAINING.load(Relaxed) {
        return;
    }
    let Some(collection) = ChangeStream::collection(name.bytes()) else { return };
    let key = ctx.open(name, Access::Peek);
    if let Some(number) = key.last_entry() {
        let db = key.db();
        state::with_logged(|state| state.store.raise_change_number(db, collection, number));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(key: &[u8], op: ChangeOp, cause: Option<Cause>) -> Change {
        let (collection, stream) = ("c".into(), ChangeStream::default());
        let key = key.into();
        Change { db: 0, collection, stream, op, cause, key, version: 1, before: None, after: None }
    }

    fn left(key: &[u8]) -> Change {
        change(key, ChangeOp::Delete, Some(Cause::Overwrite))
    }

    fn told(outbox: &Outbox) -> Vec<(u32, &str, Option<&str>)> {
        let entries = outbox.entries.iter().map(|entry| &entry.change);
        entries.map(|it| (it.db, it.op.name(), it.cause.map(Cause::name))).collect()
    }

    #[test]
    fn what_the_server_says_goes_to_the_newest_change_of_the_key() {
        let mut outbox = Outbox::default();
        for change in [left(b"a"), left(b"a"), left(b"b"), change(b"c", ChangeOp::Insert, None)] {
            outbox.push(change, 1);
        }
        let mut say = |event: &[u8], key: &[u8]| {
            outbox.amend(key, Amendment::of(event).unwrap());
        };
        say(b"expired", b"a");
        say(b"rename_from", b"b");
        say(b"rename_to", b"c");
        say(b"evicted", b"c");
        let overwritten = (0, "delete", Some("overwrite"));
        let renamed = [(0, "delete", Some("rename")), (0, "insert", Some("rename"))];
        assert_eq!(told(&outbox)[..2], [overwritten, (0, "expire", None)]);
        assert_eq!(told(&outbox)[2..], renamed);
        assert!(Amendment::of(b"set").is_none());
    }

    #[test]
    fn entries_follow_their_database_and_go_with_it() {
        let mut outbox = Outbox::default();
        outbox.push(left(b"a"), 1);
        outbox.swap(0, 3);
        outbox.push(left(b"b"), 1);
        assert_eq!(told(&outbox).iter().map(|it| it.0).collect::<Vec<_>>(), [3, 0]);
        outbox.flush(Some(3));
        assert_eq!(told(&outbox).len(), 1);
        outbox.flush(None);
        assert!(told(&outbox).is_empty());
    }
}
