//! Parts of documents that lapse by themselves. Every server hides them at their instant (`folio_engine::collection`); the
//! primary removes them, which is a change like any.
//!
//! ```text
//!   a command that writes the document    removes what is due in it before it looks at it
//!   a timer, at the next instant          removes what is due anywhere, a millisecond at a time
//! ```

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use folio_engine::Result;
use folio_engine::doc::Document;

use crate::ffi::{self, Access, Argument, Ctx, Key, OwnedString, Value};
use crate::state::{self, State};
use crate::{changes, clock, replicate};

/// How long a server that may not remove anything now, a replica or one whose clients are paused, waits to be asked again.
const PAUSE_MS: i64 = 100;
/// A timer is not set for longer, which the server's clock could not count: it looks again then.
const TIMER_MS_MAX: i64 = 24 * 60 * 60 * 1_000;
/// Documents that are looked for at once.
const BATCH: usize = 64;
/// The time of one tick.
const SLICE: Duration = Duration::from_millis(1);
/// No timer is under way.
const NEVER: i64 = i64::MAX;

/// The instant after which the next [`tick`] comes, at the latest.
static ARMED_FOR: AtomicI64 = AtomicI64::new(NEVER);
/// The timer that brings it; 0 is none.
static TIMER: AtomicU64 = AtomicU64::new(0);

/// The end of a borrow: the instant at which a part lapses, of the documents that have come in it, for [`arm`].
pub(crate) fn collect(state: &mut State) -> Option<i64> {
    state.store.take_soonest_lapse_ms()
}

/// Sees to it that [`tick`] comes once this instant is over.
pub(crate) fn arm(at_ms: i64) {
    if at_ms < ARMED_FOR.load(Relaxed) {
        ARMED_FOR.store(at_ms, Relaxed);
        let left_ms = at_ms.saturating_sub(clock::now_ms()).saturating_add(1);
        let timer = ffi::lapse_in(left_ms.clamp(1, TIMER_MS_MAX));
        ffi::stop_lapse(TIMER.swap(timer, Relaxed));
    }
}

/// The timer is over: removes what is due, as far as a slice of time goes, and waits for what follows.
pub(crate) fn tick(ctx: &Ctx<'_>) -> Result<()> {
    /// Whatever happens, a panic too, there is another timer while something is to lapse.
    struct Rearmed {
        now_ms: i64,
        waits: bool,
    }
    impl Drop for Rearmed {
        fn drop(&mut self) {
            rearm(self.now_ms, self.waits);
        }
    }
    TIMER.store(0, Relaxed);
    ARMED_FOR.store(NEVER, Relaxed);
    let now_ms = clock::now_ms();
    let mut rearmed = Rearmed { now_ms, waits: true };
    if ffi::is_primary() && !ffi::is_quiet() {
        let removed = changes::in_own_command(ctx, || remove_due(ctx, now_ms))?;
        // Where there was something to do and nothing could be done, a moment later is soon enough.
        rearmed.waits = removed == Some(0);
    }
    Ok(())
}

fn rearm(now_ms: i64, waits: bool) {
    let mut next = None;
    state::with_logged(|state| next = state.store.next_path_lapse_ms());
    if let Some(next) = next {
        arm(if waits { next.max(now_ms + PAUSE_MS) } else { next });
    }
}

/// Gives how many documents were changed; none where none was to be.
fn remove_due(ctx: &Ctx<'_>, now_ms: i64) -> Result<Option<usize>> {
    let end = Instant::now() + SLICE;
    let own = ctx.db();
    let keys = state::with(|state| {
        state.end_bulk();
        state.store.lapsing(now_ms, BATCH)
    })?;
    let mut removed = (!keys.is_empty()).then_some(0);
    for (db, key) in keys {
        ctx.select(db);
        let name = OwnedString::new(&key);
        let key = ctx.open(name.argument(), Access::Write);
        let held = match key.value() {
            Value::Document(document) => Some(document.clone()),
            _ => None,
        };
        if let Some(held) = held {
            let left = remove(ctx, name.argument(), &key, &held, now_ms)?;
            removed = removed.map(|count| count + usize::from(left.is_some()));
        }
        if Instant::now() > end {
            break;
        }
    }
    ctx.select(own);
    Ok(removed)
}

/// Removes what is due at `now_ms` in the document `held`, which stands under an open key. Gives the one that stands there then;
/// none where nothing is due, or the document is in no collection: it keeps what nobody sees.
pub(crate) fn remove(
    ctx: &Ctx<'_>,
    name: Argument<'_>,
    key: &Key<'_>,
    held: &Document,
    now_ms: i64,
) -> Result<Option<Document>> {
    let db = key.db();
    let left = state::with(|state| state.store.lapse_paths(db, name.bytes(), held, now_ms))?;
    if let Some(left) = &left {
        key.replace(left.clone());
        replicate::written(ctx, name, left, key.expires_ms());
        ctx.signal_modified(name);
        ctx.notify(c"doc.update", name);
    }
    Ok(left)
}
