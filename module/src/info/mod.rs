//! `INFO folio`: what the module does, in sections that can be asked for one by one. docs/metrics.md tells every field.

mod codes;
mod collections;
mod commands;

use std::cell::LazyCell;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::commands::slowlog;
use crate::ffi::InfoSection;
use crate::{changes, clock, guard, refusals, state};

pub(crate) use codes::{ByCode, Coded};
pub(crate) use collections::LISTED_MAX;
pub(crate) use commands::{Begun, IS_TIMED};

use collections::Overview;

static REBUILDS: AtomicU64 = AtomicU64::new(0);

/// Errors that commands were answered with.
pub(crate) static ERRORS: ByCode = ByCode::new();

/// Counts that the store was made anew after a panic.
pub(crate) fn count_rebuild() {
    REBUILDS.fetch_add(1, Ordering::Relaxed);
}

/// Writes the sections that are asked for. A crash report may come while anything is half done: it has only what can be told
/// without a look at collections.
pub(crate) fn write(section: &InfoSection, is_crash_report: bool) {
    // One look for all sections, if any needs it.
    let overview = LazyCell::new(|| {
        let look = || state::with(|state| Overview::of(&state.store)).ok();
        if is_crash_report { None } else { look() }
    });
    if section.begin("") {
        write_counts(section);
        if let Some(overview) = overview.as_ref() {
            overview.write_totals(section);
        }
        write_state(section);
    }
    if section.begin("commands") {
        commands::write_counts(section);
    }
    if section.begin("latency") {
        commands::write_latencies(section);
    }
    if section.begin("errors") {
        write_codes(section, "errors", &ERRORS);
        write_codes(section, "refused_writes_by_code", refusals::by_code());
    }
    if section.begin("collections")
        && let Some(overview) = overview.as_ref()
    {
        overview.write_collections(section);
    }
    if section.begin("builds")
        && let Some(overview) = overview.as_ref()
    {
        overview.write_builds(section);
    }
    if section.begin("migrations")
        && let Some(overview) = overview.as_ref()
    {
        overview.write_migrations(section);
    }
}

fn write_codes(section: &InfoSection, name: &str, counts: &ByCode) {
    section.pairs(name, || {
        for (code, count) in counts.met() {
            section.pair(code, count);
        }
    });
}

/// What is counted outside of the store.
fn write_counts(section: &InfoSection) {
    section.text("version", env!("CARGO_PKG_VERSION"));
    section.text("build", if cfg!(debug_assertions) { "debug" } else { "release" });
    let (calls, failures, micros) = commands::totals();
    section.number("commands", calls);
    section.number("command_failures", failures);
    section.number("command_usec", micros);
    section.number("refused_writes", refusals::by_code().total());
    let (slow, slow_us) = slowlog::slow_queries();
    section.number("slow_queries", slow);
    section.number("slow_query_usec", slow_us);
    section.integer("slowlog_slower_than_usec", slowlog::SLOWER_THAN_US.load(Ordering::Relaxed));
    section.number("caught_panics", guard::panics());
    if let Some((at_ms, place)) = guard::last_panic() {
        section.integer("last_panic_ms", at_ms);
        section.text("last_panic", &place);
    }
    section.number("rebuilds", REBUILDS.load(Ordering::Relaxed));
    let (pending, written, dropped) = changes::counts();
    section.number("changes_pending", pending);
    section.number("changes_written", written);
    section.number("changes_dropped", dropped);
}

/// What the store tells; nothing while it is borrowed, as it may be at a crash.
fn write_state(section: &InfoSection) {
    let told = state::with(|state| {
        let store = &state.store;
        let functions = (store.functions().len(), store.functions().counted());
        let ahead = (store.lapsing_len(clock::now_ms()), store.unmigrated_len());
        (store.builds(), ahead, functions)
    });
    let Ok((builds, (lapsing, unmigrated), functions)) = told else { return };
    section.number("builds", builds as u64);
    section.number("path_ttl_pending", lapsing);
    section.number("migrations_pending", unmigrated);
    let (loaded, (calls, failures)) = functions;
    section.number("functions", loaded as u64);
    section.number("function_calls", calls);
    section.number("function_failures", failures);
}
