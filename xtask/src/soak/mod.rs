//! The deep tier: what takes too long for CI.
//!
//! | theme | what it runs |
//! |---|---|
//! | `asan` | suites over a module built with AddressSanitizer, and LeakSanitizer at each server's end |
//! | `coverage` | every test over instrumented builds; the share of lines that ran |
//! | `fuzz` | libFuzzer on the bodies of `tests/support/fuzz`, then random arguments to a server |
//! | the others | the suites of that name with large counts, or again and again for some minutes |

mod asan;
mod coverage;
mod fuzz;
mod report;
mod suites;

use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::{Result, setup};

/// How `cargo xtask soak` is called.
#[derive(Args)]
pub struct Options {
    /// What to run
    theme: Theme,
    /// For how long; without it as much as the theme asks for
    #[arg(long)]
    minutes: Option<u64>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Theme {
    /// Suites over a module built with address and leak sanitizers
    Asan,
    /// The share of lines that the tests run
    Coverage,
    /// Fuzz targets, each for its share of the minutes (80)
    Fuzz,
    /// The engine against the naive model
    Model,
    /// Laws that the engine keeps, whatever the answers are
    Laws,
    /// A server, its replica and its restarts against the model
    Life,
    /// Servers killed in the middle of writing
    Crash,
    /// Full syncs, promotions, failovers
    Replication,
    /// Memory after cycles of load and removal
    Memory,
    /// The engine against foreign ones, over what all know
    Foreign,
}

/// Installs what the theme needs, runs it, and says what it came to.
pub fn soak(options: &Options) -> Result {
    setup::setup()?;
    if matches!(options.theme, Theme::Foreign | Theme::Coverage) {
        setup::duckdb()?;
    }
    let time = options.minutes.map(|minutes| Duration::from_secs(60 * minutes));
    match options.theme {
        Theme::Asan => asan::asan(time),
        Theme::Coverage => coverage::coverage(),
        Theme::Fuzz => fuzz::fuzz(time),
        Theme::Model => suites::run(&suites::MODEL, time),
        Theme::Laws => suites::run(&suites::LAWS, time),
        Theme::Life => suites::run(&suites::LIFE, time),
        Theme::Crash => suites::run(&suites::CRASH, time),
        Theme::Replication => suites::run(&suites::REPLICATION, time),
        Theme::Memory => suites::run(&suites::MEMORY, time),
        Theme::Foreign => suites::run(&suites::FOREIGN, time),
    }
}
