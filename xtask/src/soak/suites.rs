//! The suites that CI runs too, with counts that take hours, or round after round for some minutes.

use std::env;
use std::time::{Duration, Instant, UNIX_EPOCH};

use super::report;
use crate::{Result, shell, test};

/// A suite and what makes a deep run of it.
pub struct Suite {
    /// Its folder below `tests/`.
    name: &'static str,
    /// The variables that it reads, with the counts of a deep run. One that is set already stays as it is.
    counts: &'static [(&'static str, usize)],
    /// How often a deep run repeats it, each time with another seed.
    rounds: u64,
}

pub const MODEL: Suite = Suite { name: "model", counts: &[("OPERATIONS", 100_000_000)], rounds: 1 };
pub const LIFE: Suite = Suite { name: "life", counts: &[("OPERATIONS", 5_000_000)], rounds: 1 };
pub const CRASH: Suite = Suite {
    name: "crash",
    counts: &[("KILLS", 2_000), ("FLIPS", 10_000), ("PAYLOADS", 100_000)],
    rounds: 1,
};
pub const REPLICATION: Suite = Suite { name: "replication", counts: &[("CYCLES", 500)], rounds: 1 };
pub const LAWS: Suite = Suite { name: "laws", counts: &[("CHECKS", 2_000_000)], rounds: 1 };
pub const FOREIGN: Suite = Suite { name: "foreign", counts: &[("QUERIES", 1_000_000)], rounds: 1 };
pub const MEMORY: Suite = Suite { name: "memory", counts: &[("CYCLES", 50)], rounds: 1 };

/// Runs a suite deeply; with a time, with CI's counts until it is over.
pub fn run(suite: &Suite, time: Option<Duration>) -> Result {
    let name = suite.name;
    if !test::is_suite(name) {
        return Err(format!("there is no tests/{name}").into());
    }
    let modules = test::Modules::build()?;
    let began = Instant::now();
    let seed = seed();
    let mut rounds = 0;
    let figures = loop {
        let seed = seed.wrapping_add(rounds);
        println!("round {}: SEED={seed}", rounds + 1);
        let mut cargo = shell::cargo(&["test", "--package", "folio-tests", "--test", name]);
        cargo.args(["--", "--nocapture"]).env("SEED", seed.to_string());
        modules.name_to(&mut cargo);
        if time.is_none() {
            let unset = suite.counts.iter().filter(|(variable, _)| env::var_os(variable).is_none());
            cargo.envs(unset.map(|(variable, count)| (variable, count.to_string())));
        }
        let figures = report::figures(&mut cargo).map_err(|error| {
            format!("{error}; repeat it with SEED={seed} cargo xtask soak {name}")
        })?;
        rounds += 1;
        let is_over = time.map_or(rounds >= suite.rounds, |time| began.elapsed() >= time);
        if is_over {
            break figures;
        }
    };
    println!("\nsoak {name}: the last round said");
    for line in &figures {
        println!("  {line}");
    }
    let minutes = began.elapsed().as_secs_f64() / 60.0;
    println!("soak {name}: SEED={seed}, {rounds} rounds, {minutes:.1} minutes, nothing found");
    Ok(())
}

/// The seed of the first round: `SEED`, else the clock's.
pub fn seed() -> u64 {
    let given = env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    given.unwrap_or_else(|| UNIX_EPOCH.elapsed().unwrap_or_default().as_nanos() as u64)
}
