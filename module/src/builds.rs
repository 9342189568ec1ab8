//! Builds: declarations over many documents, made in slices between other commands.
//!
//! ```text
//!   DOC.CREATE   begin, block the client ........................................ OK, or the first offenders
//!   DOC.ALTER, DOC.REINDEX
//!   timer              slice   slice   slice   slice: none ahead   judge, finish, replicate
//!   others          ......  .......  ......  ......             ...
//! ```
//! Until the end queries, files and replicas know the old definition only; what is replicated then is the same effect as
//! that of a declaration in one stop. Where a client cannot be blocked (in MULTI, in a script, called by another module), on the link
//! to a primary and from a file a declaration is made in one stop. A client that goes away does not end its build.
//!
//! The store forgets a build when its collection is dropped, when everything is loaded anew and after a defect; a server
//! that has become a replica gives up those that its primary has to decide. The next tick tells the client.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use folio_engine::schema::Definition;
use folio_engine::{Code, Error, Limits, Result};

use crate::ffi::{self, Blocked, Ctx};
use crate::{changes, clock, lifecycle, replicate, state};

/// Fewer documents than this are indexed in one stop: it takes some milliseconds.
const DOCUMENTS_MIN: u64 = 1_000;
/// Milliseconds between slices.
const REST_MS: i64 = 1;
/// Milliseconds until a server that is paused, or builds that are, are looked at again.
const PAUSE_MS: i64 = 10;

/// Microseconds of a slice, `folio.build-slice-us`; 0: builds rest.
pub(crate) static SLICE_US: AtomicI64 = AtomicI64::new(1_000);

/// What a build is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// A declaration of an open collection.
    Create,
    /// Another declaration.
    Alter,
    /// The same indexes once more: no document is judged, and no other server is told.
    Reindex,
}

/// A build that a client waits for.
struct Job {
    purpose: Purpose,
    number: u64,
    /// What the collection was called when it began.
    name: Box<str>,
    client: Blocked,
}

static JOBS: Mutex<Vec<Job>> = Mutex::new(Vec::new());

fn jobs() -> MutexGuard<'static, Vec<Job>> {
    JOBS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A timer will call [`tick`].
static IS_ARMED: AtomicBool = AtomicBool::new(false);

fn arm(ctx: &Ctx<'_>, milliseconds: i64) {
    if !IS_ARMED.swap(true, Ordering::Relaxed) {
        ffi::wait_for_builds(ctx, milliseconds);
    }
}

/// Begins to build a declaration, and blocks the client; false where it is to be made in one stop. Errors: `BUILDING` and those
/// of the definition.
pub(crate) fn create(ctx: &Ctx<'_>, definition: &Definition, limits: &Limits) -> Result<bool> {
    if !ctx.may_block() || ctx.is_replica() {
        return Ok(false);
    }
    let db = ctx.db();
    let number = state::with(|state| {
        state.end_bulk();
        let there = state.store.collection(db, &definition.name);
        if there.is_none_or(|there| there.live().len() < DOCUMENTS_MIN) {
            return Ok(None);
        }
        state.with_limits(limits.clone(), |state| state.store.begin_create(db, definition))
    })??;
    let Some(number) = number else { return Ok(false) };
    wait(ctx, number, &definition.name, Purpose::Create);
    Ok(true)
}

/// Blocks the client until a build has ended.
fn wait(ctx: &Ctx<'_>, number: u64, name: &str, purpose: Purpose) {
    let (name, client) = (name.into(), Blocked::new(ctx));
    jobs().push(Job { purpose, number, name, client });
    arm(ctx, REST_MS);
}

/// Gives a declared collection another definition, in slices or in one stop. Errors: `BUILDING`, those of the definition, and
/// those of documents that break it.
pub(crate) fn alter(ctx: &Ctx<'_>, definition: &Definition, limits: &Limits) -> Result<()> {
    let db = ctx.db();
    let is_done = state::with(|state| {
        state.end_bulk();
        let set = |state: &mut state::State| state.store.set_options(db, definition);
        let is_done = state.with_limits(limits.clone(), set)?;
        state.note_prefixes();
        Ok::<_, Error>(is_done)
    })??;
    if is_done {
        replicate::altered(ctx, &definition.name, &definition.to_json());
        ctx.reply_ok();
        return Ok(());
    }
    let number = state::with(|state| {
        state.with_limits(limits.clone(), |state| state.store.begin_alter(db, definition))
    })??;
    let Some(number) = number else {
        ctx.reply_ok();
        return Ok(());
    };
    carry_out(ctx, number, &definition.name, Purpose::Alter)
}

/// Builds the indexes of a declared collection anew, in slices or in one stop, on this server alone. Errors: `NOCOLLECTION`,
/// `BUILDING`.
pub(crate) fn reindex(ctx: &Ctx<'_>, name: &str) -> Result<()> {
    let db = ctx.db();
    let number = state::with(|state| {
        state.end_bulk();
        state.store.begin_reindex(db, name)
    })??;
    carry_out(ctx, number, name, Purpose::Reindex)
}

/// Goes on with a build that has begun: over many documents the client waits.
fn carry_out(ctx: &Ctx<'_>, number: u64, name: &str, purpose: Purpose) -> Result<()> {
    let is_decided_here = purpose == Purpose::Reindex || !ctx.is_replica();
    let documents =
        state::with(|state| state.store.build_home(number).map_or(0, |home| home.live().len()))?;
    if ctx.may_block() && is_decided_here && documents >= DOCUMENTS_MIN {
        wait(ctx, number, name, purpose);
        return Ok(());
    }
    state::with(|state| state.store.build_slice(number, || true))?;
    finish(ctx, number, purpose)?;
    ctx.reply_ok();
    Ok(())
}

/// Gives a build up. Its client is told at the next tick.
pub(crate) fn abandon(number: u64) {
    state::with_logged(|state| {
        lifecycle::drop_in_background(state.store.abandon_build(number));
    });
}

/// The time of one tick, which the first build that needs it has.
struct Slice {
    end: Instant,
    is_begun: bool,
}

impl Slice {
    fn new() -> Self {
        let microseconds = u64::try_from(SLICE_US.load(Ordering::Relaxed)).unwrap_or(0);
        // However short it is, one document gets done.
        Slice {
            end: Instant::now() + Duration::from_micros(microseconds),
            is_begun: microseconds == 0,
        }
    }

    fn goes_on(&mut self) -> bool {
        !std::mem::replace(&mut self.is_begun, true) || Instant::now() < self.end
    }
}

/// Where a build stands after a tick.
enum Step {
    /// Documents are ahead of it.
    GoesOn,
    /// It is done, and nothing may be replicated now.
    Waits,
    /// It is in force.
    Done,
}

/// Goes on with the builds; they are looked at again soon.
pub(crate) fn tick(ctx: &Ctx<'_>) {
    IS_ARMED.store(false, Ordering::Relaxed);
    lifecycle::recover(ctx);
    let mut slice = Slice::new();
    let mut rest = Vec::new();
    for job in std::mem::take(&mut *jobs()) {
        match advance(ctx, &job, &mut slice) {
            Ok(Step::Done) => job.client.answer(Ok(())),
            Ok(Step::GoesOn | Step::Waits) => rest.push(job),
            Err(error) => job.client.answer(Err(&error.to_string())),
        }
    }
    jobs().splice(0..0, rest);
}

/// Sees to the next tick, after one or a panic in one.
pub(crate) fn ticked(ctx: &Ctx<'_>) {
    if !jobs().is_empty() {
        let rests = SLICE_US.load(Ordering::Relaxed) == 0 || ffi::is_quiet();
        arm(ctx, if rests { PAUSE_MS } else { REST_MS });
    }
}

fn given_up(job: &Job, why: &str) -> Error {
    let what = format!("the declaration of collection '{}' was given up: {why}", job.name);
    Error::new(Code::Building, what)
}

fn advance(ctx: &Ctx<'_>, job: &Job, slice: &mut Slice) -> Result<Step> {
    let number = job.number;
    if ctx.is_replica() && job.purpose != Purpose::Reindex {
        abandon(number);
        return Err(given_up(job, "this server is a replica now, and its primary declares"));
    }
    let outcome = state::with(|state| state.store.build_slice(number, || slice.goes_on()))?;
    match outcome {
        None => Err(given_up(job, "it was dropped or declared anew, or all data were loaded anew")),
        Some(false) => Ok(Step::GoesOn),
        Some(true) if ffi::is_quiet() && job.purpose != Purpose::Reindex => Ok(Step::Waits),
        Some(true) => finish(ctx, number, job.purpose).map(|()| Step::Done),
    }
}

/// Puts what was built in force, unless documents break it now.
fn finish(ctx: &Ctx<'_>, number: u64, purpose: Purpose) -> Result<()> {
    let now_ms = clock::now_ms();
    let declared = state::with(|state| {
        if purpose != Purpose::Reindex {
            state.store.judge_build(number, now_ms)?;
        }
        let home = state.store.build_home(number);
        let place = home.map(|home| (home.db(), Box::from(home.name())));
        lifecycle::drop_in_background(state.store.finish_build(number));
        state.note_prefixes();
        let Some((db, name)) = place else { return Ok(None) };
        let json = state.store.collection(db, &name).map(|there| there.definition().to_json());
        Ok(json.map(|json| (db, name, json)))
    })?;
    let declared: Option<(u32, Box<str>, String)> = declared.inspect_err(|_| abandon(number))?;
    if let Some((db, name, json)) = declared {
        ctx.select(db);
        match purpose {
            Purpose::Create => {
                changes::go_on(ctx, db, &name);
                replicate::declared(ctx, &name, &json);
            }
            Purpose::Alter => replicate::altered(ctx, &name, &json),
            Purpose::Reindex => {}
        }
    }
    Ok(())
}
