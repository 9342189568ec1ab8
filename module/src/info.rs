//! `INFO folio`.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::commands::slowlog;
use crate::ffi::InfoSection;
use crate::{changes, clock, guard, refusals, state};

static COMMANDS: AtomicU64 = AtomicU64::new(0);
static REBUILDS: AtomicU64 = AtomicU64::new(0);

/// Counts a command.
pub(crate) fn count_command() {
    COMMANDS.fetch_add(1, Ordering::Relaxed);
}

/// Counts that the store was made anew after a panic.
pub(crate) fn count_rebuild() {
    REBUILDS.fetch_add(1, Ordering::Relaxed);
}

/// Writes the section.
pub(crate) fn write(section: &InfoSection) {
    if !section.begin() {
        return;
    }
    section.text("version", env!("CARGO_PKG_VERSION"));
    section.number("commands", COMMANDS.load(Ordering::Relaxed));
    section.number("refused_writes", refusals::counted());
    section.number("slow_queries", slowlog::slow_queries());
    section.number("caught_panics", guard::panics());
    section.number("rebuilds", REBUILDS.load(Ordering::Relaxed));
    let (pending, written, dropped) = changes::counts();
    section.number("changes_pending", pending);
    section.number("changes_written", written);
    section.number("changes_dropped", dropped);
    // A crash report may be asked for while the state is borrowed; it then goes without these.
    let totals = state::with(|state| {
        let mut totals = (0_u64, 0_u64);
        for collection in state.store.collections() {
            totals = (totals.0 + 1, totals.1 + collection.len());
        }
        let functions = (state.store.functions().len(), state.store.functions().counted());
        let ahead = (state.store.lapsing_len(clock::now_ms()), state.store.unmigrated_len());
        (totals, state.store.builds(), ahead, functions)
    });
    if let Ok(((collections, documents), builds, (lapsing, unmigrated), functions)) = totals {
        section.number("collections", collections);
        section.number("documents", documents);
        section.number("builds", builds as u64);
        section.number("path_ttl_pending", lapsing);
        section.number("migrations_pending", unmigrated);
        let (loaded, (calls, failures)) = functions;
        section.number("functions", loaded as u64);
        section.number("function_calls", calls);
        section.number("function_failures", failures);
    }
}
