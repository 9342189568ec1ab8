//! Migrations: documents brought to the schema version in force, a slice at a time between other commands.
//!
//! ```text
//!   DOC.MIGRATE   puts the version in force, blocks the client .................. OK, or the document that fails
//!   timer               slice   slice   slice: none ahead
//!   others           ......  .......  ......              an update brings its own document there first
//! ```
//! There is no position that could be lost: what is ahead is every document of another version, whoever brought it and
//! whenever. So after a load, on a replica that was promoted and after a RESTORE it goes on without being asked. A replica, and
//! a server whose clients are paused or that has no memory left, waits.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use folio_engine::collection::Collection;
use folio_engine::{Code, Error, Result};

use crate::builds::SLICE_US;
use crate::commands::{migrate_document, of_document};
use crate::ffi::{self, Blocked, Ctx};
use crate::{changes, clock, lifecycle, state};

/// Milliseconds between slices.
const REST_MS: i64 = 1;
/// Milliseconds until a server that may not migrate now is asked again.
const PAUSE_MS: i64 = 100;
/// Documents that are looked for at once.
const BATCH: usize = 64;

/// A timer will call [`tick`].
static IS_ARMED: AtomicBool = AtomicBool::new(false);

/// The document that is being migrated, with its database: still there at the next tick, it was the end of the last one.
static UNDER_WAY: Mutex<Option<(u32, Vec<u8>)>> = Mutex::new(None);

fn under_way() -> MutexGuard<'static, Option<(u32, Vec<u8>)>> {
    UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A client that waits for the end of a migration.
struct Waiter {
    /// The number of the collection, which it has until all documents go at once.
    uid: u32,
    db: u32,
    name: Box<str>,
    to: u16,
    client: Blocked,
}

static WAITERS: Mutex<Vec<Waiter>> = Mutex::new(Vec::new());

fn waiters() -> MutexGuard<'static, Vec<Waiter>> {
    WAITERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sees to it that documents are migrated soon.
pub(crate) fn arm() {
    arm_in(REST_MS);
}

fn arm_in(milliseconds: i64) {
    if !IS_ARMED.swap(true, Ordering::Relaxed) {
        ffi::migrate_in(milliseconds);
    }
}

/// Answers the client when the documents of a collection have the version in force: at once where none is ahead, that waits for
/// writes, or the client cannot be blocked.
pub(crate) fn wait(ctx: &Ctx<'_>, name: &str) -> Result<()> {
    let db = ctx.db();
    let ahead = state::with(|state| {
        let there = state.store.collection(db, name).filter(|there| there.is_migrating())?;
        Some((there.uid(), there.definition().migrations.version))
    })?;
    match ahead {
        Some((uid, to)) if ctx.may_block() && !ctx.is_replica() => {
            let client = Blocked::new(ctx);
            waiters().push(Waiter { uid, db, name: name.into(), to, client });
            arm();
        }
        _ => ctx.reply_ok(),
    }
    Ok(())
}

/// Migrates some documents, if that may be now, and answers those who wait for the last.
pub(crate) fn tick(ctx: &Ctx<'_>) -> Result<()> {
    /// Whatever happens, a panic too, there is another timer while documents are ahead.
    struct Rearmed {
        after_ms: i64,
    }
    impl Drop for Rearmed {
        fn drop(&mut self) {
            let mut is_migrating = false;
            state::with_logged(|state| {
                is_migrating = state.store.collections().any(Collection::is_migrating);
            });
            if is_migrating || !waiters().is_empty() {
                arm_in(self.after_ms);
            }
        }
    }
    IS_ARMED.store(false, Ordering::Relaxed);
    let mut rearmed = Rearmed { after_ms: PAUSE_MS };
    lifecycle::recover(ctx);
    if let Some((db, key)) = under_way().take() {
        // A panic, which would come again.
        let error = Error::new(Code::Internal, "a defect of Folio, see the server's log");
        state::with(|state| state.store.stop_migration(db, &key, error))?;
    }
    let slice_us = u64::try_from(SLICE_US.load(Ordering::Relaxed)).unwrap_or(0);
    let may_write = ffi::is_primary() && !ffi::is_quiet() && !ctx.is_out_of_memory();
    let mut outcome = Ok(());
    if may_write && slice_us > 0 {
        let end = Instant::now() + Duration::from_micros(slice_us);
        outcome = changes::in_own_command(ctx, || slice(ctx, end));
        if outcome.is_ok() {
            rearmed.after_ms = REST_MS;
        }
    }
    answer(ctx);
    outcome
}

/// Migrates documents until time is up or none is ahead; one at least.
fn slice(ctx: &Ctx<'_>, end: Instant) -> Result<()> {
    let own = ctx.db();
    let mut goes_on = true;
    while goes_on {
        let keys = state::with(|state| {
            state.end_bulk();
            state.store.unmigrated(BATCH)
        })?;
        goes_on = !keys.is_empty();
        for (db, key) in keys {
            ctx.select(db);
            *under_way() = Some((db, key.clone()));
            let outcome = migrate_document(ctx, &key, clock::now_ms());
            *under_way() = None;
            let is_stopped = !outcome?;
            goes_on &= Instant::now() < end;
            if is_stopped || !goes_on {
                break;
            }
        }
    }
    ctx.select(own);
    Ok(())
}

/// Tells those who wait and need not any more.
fn answer(ctx: &Ctx<'_>) {
    let mut rest = Vec::new();
    for waiter in std::mem::take(&mut *waiters()) {
        match outcome(ctx, &waiter) {
            Ok(true) => waiter.client.answer(Ok(())),
            Ok(false) => rest.push(waiter),
            Err(error) => waiter.client.answer(Err(&error.to_string())),
        }
    }
    waiters().splice(0..0, rest);
}

/// Whether a migration has come to its end. Errors: of the document that stopped it, and those that say why nobody waits any more.
fn outcome(ctx: &Ctx<'_>, waiter: &Waiter) -> Result<bool> {
    let Waiter { uid, db, name, to, .. } = waiter;
    let given_up = |why: &str| {
        Err(Error::new(Code::Building, format!("the migration of collection '{name}': {why}")))
    };
    if ctx.is_replica() {
        return given_up("this server is a replica now, and its primary goes on with it");
    }
    state::with(|state| {
        let by_number = state.store.collections().find(|there| there.uid() == *uid);
        let by_name = || state.store.collection(*db, name).filter(|there| there.is_declared());
        let Some(there) = by_number.or_else(by_name) else {
            let what = format!("collection '{name}' was dropped, or all data were loaded anew");
            return Err(Error::new(Code::NoCollection, what));
        };
        let migrations = &there.definition().migrations;
        if (migrations.version, migrations.is_lazy) != (*to, false) {
            return given_up("it was told to go another way meanwhile");
        }
        if let Some((key, error)) = there.migration_stopped() {
            return Err(of_document(&key, error.clone()));
        }
        Ok(there.unmigrated() == 0)
    })?
}
