//! Queries under a clock, and the list of those that took long: `DOC.SLOWLOG`.
//!
//! The list is the module's own, since the server's `SLOWLOG` knows no plans. It is lost at a restart, as the server's is.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use folio_engine::collection::Collection;
use folio_engine::exec::{Find, Means};
use folio_engine::{Limits, Result, plan};

use super::args::{shown, syntax};
use super::collections::with_store;
use super::query::Query;
use super::{Answer, Args, Refusal};
use crate::acl::Right;
use crate::clock;
use crate::ffi::Ctx;

/// `folio.slowlog-slower-than`: microseconds from which on a query is kept; none is with -1.
pub(crate) static SLOWER_THAN_US: AtomicI64 = AtomicI64::new(10_000);
/// `folio.slowlog-max-len`: how many are kept.
pub(crate) static MAX_LEN: AtomicI64 = AtomicI64::new(128);
/// Queries that took longer, since the start.
static SLOW: AtomicU64 = AtomicU64::new(0);
/// Microseconds that they took.
static SLOW_US: AtomicU64 = AtomicU64::new(0);

static LOG: Mutex<VecDeque<Entry>> = Mutex::new(VecDeque::new());

/// Arguments of a command that are kept, and bytes of each: as the server's own list does.
const WORDS_MAX: usize = 32;
const WORD_BYTES_MAX: usize = 128;
/// Lines of a plan that are kept, and bytes of each.
const LINES_MAX: usize = 64;
const LINE_BYTES_MAX: usize = 512;

/// A query that took long.
struct Entry {
    id: u64,
    began_ms: i64,
    elapsed_us: u64,
    command: Vec<Vec<u8>>,
    plan: Vec<String>,
}

/// How many queries took long, since the start, and how many microseconds.
pub(crate) fn slow_queries() -> (u64, u64) {
    (SLOW.load(Ordering::Relaxed), SLOW_US.load(Ordering::Relaxed))
}

/// Runs a query on the collection `name` under a clock, and keeps it if it took long.
pub(super) fn timed<R>(
    ctx: &Ctx<'_>,
    name: &str,
    query: &Query<'_>,
    body: impl FnOnce(&Collection, &Find, Means<'_>) -> Result<R>,
) -> Result<R, Refusal> {
    asked(ctx, name, query, (Right::Read, true), body)
}

/// The same for a query whose documents are changed then.
pub(super) fn timed_for_writing<R>(
    ctx: &Ctx<'_>,
    name: &str,
    query: &Query<'_>,
    body: impl FnOnce(&Collection, &Find, Means<'_>) -> Result<R>,
) -> Result<R, Refusal> {
    asked(ctx, name, query, (Right::Both, true), body)
}

/// The same without keeping it.
pub(super) fn untimed<R>(
    ctx: &Ctx<'_>,
    name: &str,
    query: &Query<'_>,
    body: impl FnOnce(&Collection, &Find, Means<'_>) -> Result<R>,
) -> Result<R, Refusal> {
    asked(ctx, name, query, (Right::Read, false), body)
}

fn asked<R>(
    ctx: &Ctx<'_>,
    name: &str,
    query: &Query<'_>,
    (right, is_kept): (Right, bool),
    body: impl FnOnce(&Collection, &Find, Means<'_>) -> Result<R>,
) -> Result<R, Refusal> {
    clocked_as(ctx, (name, right), query.timeout_ms, |collection, means| {
        let find = query.bind(collection, means)?;
        let result = body(collection, &find, means);
        if is_kept {
            let is_count = find.limit.is_none() && find.order.is_empty();
            note(ctx, means, || plan::explain(collection, &find, is_count, means.limits, None));
        }
        result
    })
}

/// Runs what reads the collection `name` under a clock, within its own time where it is given one.
pub(super) fn clocked<R>(
    ctx: &Ctx<'_>,
    name: &str,
    timeout_ms: Option<u64>,
    body: impl FnOnce(&Collection, Means<'_>) -> Result<R>,
) -> Result<R, Refusal> {
    clocked_as(ctx, (name, Right::Read), timeout_ms, body)
}

/// The same for a user who has a right on the collection.
fn clocked_as<R>(
    ctx: &Ctx<'_>,
    (name, right): (&str, Right),
    timeout_ms: Option<u64>,
    body: impl FnOnce(&Collection, Means<'_>) -> Result<R>,
) -> Result<R, Refusal> {
    let began = Instant::now();
    let elapsed_us = || clock::micros_since(began);
    let result = with_store(ctx, name, right, |collection, store| {
        let limits = within(&store.limits, timeout_ms);
        let functions = Some(store.functions());
        body(collection, Means { limits: &limits, elapsed_us: Some(&elapsed_us), functions })
    })?;
    Ok(result?)
}

/// The limits of a query: its own time, where it has one below the server's.
fn within(limits: &Limits, timeout_ms: Option<u64>) -> Limits {
    let own = timeout_ms.and_then(|own| usize::try_from(own).ok());
    let least = |own: usize| match limits.query_ms_max {
        0 => own,
        most => own.clamp(1, most),
    };
    Limits { query_ms_max: own.map_or(limits.query_ms_max, least), ..limits.clone() }
}

/// Keeps the query that has just been run if it took long.
pub(super) fn note(ctx: &Ctx<'_>, means: Means<'_>, plan: impl FnOnce() -> Vec<String>) {
    let elapsed_us = means.elapsed_us.map_or(0, |elapsed_us| elapsed_us());
    if is_slow(elapsed_us) {
        keep(ctx, elapsed_us, plan());
    }
}

fn is_slow(elapsed_us: u64) -> bool {
    u64::try_from(SLOWER_THAN_US.load(Ordering::Relaxed)).is_ok_and(|least| elapsed_us >= least)
}

/// `text`, which tells how much of it was left out.
fn cut(text: &[u8], most: usize) -> Vec<u8> {
    let mut kept = text[..text.len().min(most)].to_vec();
    if kept.len() < text.len() {
        kept.extend(format!("... ({} more bytes)", text.len() - kept.len()).into_bytes());
    }
    kept
}

fn keep(ctx: &Ctx<'_>, elapsed_us: u64, mut plan: Vec<String>) {
    let id = SLOW.fetch_add(1, Ordering::Relaxed);
    SLOW_US.fetch_add(elapsed_us, Ordering::Relaxed);
    let began_ms = clock::now_ms();
    let command = (0..ctx.argument_count().min(WORDS_MAX))
        .map(|index| cut(ctx.argument(index).bytes(), WORD_BYTES_MAX))
        .collect();
    plan.truncate(LINES_MAX);
    for line in plan.iter_mut().filter(|line| line.len() > LINE_BYTES_MAX) {
        *line = String::from_utf8_lossy(&cut(line.as_bytes(), LINE_BYTES_MAX)).into_owned();
    }
    let mut log = LOG.lock().unwrap_or_else(PoisonError::into_inner);
    log.push_front(Entry { id, began_ms, elapsed_us, command, plan });
    log.truncate(usize::try_from(MAX_LEN.load(Ordering::Relaxed)).unwrap_or(0));
}

/// Shows, counts or empties the list.
pub(super) fn slowlog(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let word = args.peek().unwrap_or_default();
    let Some(name) = args.keyword(&["GET", "LEN", "RESET"]) else {
        return Err(syntax(format!("expected GET, LEN or RESET, not {}", shown(word))).into());
    };
    let mut most = usize::MAX;
    if name == "GET" && args.peek().is_some() {
        most = usize::try_from(args.unsigned("count")?).unwrap_or(usize::MAX);
    }
    args.end()?;
    let mut log = LOG.lock().unwrap_or_else(PoisonError::into_inner);
    match name {
        "LEN" => ctx.reply_count(log.len() as u64),
        "RESET" => {
            log.clear();
            ctx.reply_ok();
        }
        _ => {
            ctx.reply_array(log.len().min(most));
            for entry in log.iter().take(most) {
                reply_entry(ctx, entry);
            }
        }
    }
    Ok(())
}

fn reply_entry(ctx: &Ctx<'_>, entry: &Entry) {
    ctx.reply_map(5);
    ctx.reply_bytes(b"id");
    ctx.reply_count(entry.id);
    ctx.reply_bytes(b"time_ms");
    ctx.reply_integer(entry.began_ms);
    ctx.reply_bytes(b"elapsed_us");
    ctx.reply_count(entry.elapsed_us);
    ctx.reply_bytes(b"command");
    ctx.reply_array(entry.command.len());
    for word in &entry.command {
        ctx.reply_bytes(word);
    }
    ctx.reply_bytes(b"plan");
    ctx.reply_array(entry.plan.len());
    for line in &entry.plan {
        ctx.reply_bytes(line.as_bytes());
    }
}
