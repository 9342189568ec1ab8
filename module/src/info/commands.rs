//! What commands have come to: calls, failures, and how long they took, as histograms.
//!
//! ```text
//!   bucket    0        1        2        3      ..   24          25
//!   took     <= 1     <= 2     <= 4     <= 8    ..  <= 2^24     longer      microseconds
//! ```
//! A command is counted by its place in the table of commands, in memory that is there from the start: three additions, and two
//! readings of the clock, which are most of the cost and can be spared by a setting. Those of replicas, of files, of scripts and
//! of transactions count too. A command that blocks its client took what passed until it did.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::commands::TABLE;
use crate::ffi::InfoSection;

/// The longest bucket that ends: 2^24 microseconds are 17 seconds, more than any query may take unless it is told otherwise.
const LAST: usize = 24;
const BUCKETS: usize = LAST + 2;

/// `folio.latency-tracking`: with 0 commands are counted and not timed.
pub(crate) static IS_TIMED: AtomicI64 = AtomicI64::new(1);

/// What one command has come to.
struct Tally {
    calls: AtomicU64,
    buckets: [AtomicU64; BUCKETS],
    nanos: AtomicU64,
    failures: AtomicU64,
}

static TALLIES: [Tally; TABLE.len()] = [const { Tally::new() }; TABLE.len()];

/// The server runs one command at a time, so nothing is lost between reading and writing; that is quicker than an atomic addition.
fn add(to: &AtomicU64, number: u64) {
    to.store(to.load(Relaxed).wrapping_add(number), Relaxed);
}

/// The bucket of a time.
fn bucket_of(micros: u64) -> usize {
    let bits = u64::BITS - micros.saturating_sub(1).leading_zeros();
    (bits as usize).min(LAST + 1)
}

impl Tally {
    const fn new() -> Self {
        Tally {
            calls: AtomicU64::new(0),
            buckets: [const { AtomicU64::new(0) }; BUCKETS],
            nanos: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        }
    }

    fn count(&self, is_done: bool) {
        add(&self.calls, 1);
        if !is_done {
            add(&self.failures, 1);
        }
    }

    fn time(&self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        add(&self.buckets[bucket_of(nanos.div_ceil(1000))], 1);
        add(&self.nanos, nanos);
    }

    fn calls(&self) -> u64 {
        self.calls.load(Relaxed)
    }

    fn micros(&self) -> u64 {
        self.nanos.load(Relaxed) / 1000
    }

    fn failures(&self) -> u64 {
        self.failures.load(Relaxed)
    }

    /// The buckets that are not empty: where each ends, and how many calls took no longer.
    fn ends(&self) -> impl Iterator<Item = (Option<u64>, u64)> {
        let mut calls = 0;
        let upto = self.buckets.iter().enumerate().map(move |(at, bucket)| {
            let count = bucket.load(Relaxed);
            calls += count;
            let end = (at <= LAST).then(|| 1 << at);
            (count, (end, calls))
        });
        upto.filter(|(count, _)| *count > 0).map(|(_, end)| end)
    }
}

/// A command that has begun, by its place in the table.
pub(crate) struct Begun {
    index: usize,
    at: Option<Instant>,
}

impl Begun {
    pub(crate) fn now(index: usize) -> Self {
        let at = (IS_TIMED.load(Relaxed) != 0).then(Instant::now);
        Begun { index, at }
    }

    /// Counts it.
    pub(crate) fn end(self, is_done: bool) {
        let Some(tally) = TALLIES.get(self.index) else { return };
        tally.count(is_done);
        if let Some(at) = self.at {
            tally.time(at.elapsed());
        }
    }
}

/// Calls, failures and microseconds of all commands.
pub(super) fn totals() -> (u64, u64, u64) {
    TALLIES.iter().fold((0, 0, 0), |(calls, failures, micros), tally| {
        (calls + tally.calls(), failures + tally.failures(), micros + tally.micros())
    })
}

/// Commands that were called, by their names as the server has them.
fn called() -> impl Iterator<Item = (String, &'static Tally)> {
    let called = TABLE.iter().zip(&TALLIES).filter(|(_, tally)| tally.calls() > 0);
    called.map(|(command, tally)| (command.name.to_ascii_lowercase().replace(' ', "|"), tally))
}

/// A line for each command that was called.
pub(super) fn write_counts(section: &InfoSection) {
    for (name, tally) in called() {
        section.pairs(&format!("cmdstat_{name}"), || {
            section.pair("calls", tally.calls());
            section.pair("failures", tally.failures());
            section.pair("usec", tally.micros());
        });
    }
}

/// The same with how many calls took no longer than so many microseconds.
pub(super) fn write_latencies(section: &InfoSection) {
    for (name, tally) in called() {
        section.pairs(&format!("latency_{name}"), || {
            for (end, calls) in tally.ends() {
                match end {
                    Some(end) => section.pair(&end.to_string(), calls),
                    None => section.pair("inf", calls),
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_what_took_no_longer_than_its_end() {
        let ends = [(0, 0), (1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (1 << 24, 24)];
        for (micros, bucket) in ends {
            assert_eq!(bucket_of(micros), bucket, "{micros}");
        }
        assert_eq!(bucket_of((1 << 24) + 1), 25);
        assert_eq!(bucket_of(u64::MAX), 25);
    }

    #[test]
    fn ends_are_cumulative_and_empty_buckets_are_left_out() {
        let tally = Tally::new();
        for (micros, is_done) in [(1, true), (900, true), (1000, false), (60_000_000, true)] {
            tally.count(is_done);
            tally.time(Duration::from_micros(micros));
        }
        let ends: Vec<_> = tally.ends().collect();
        assert_eq!(ends, [(Some(1), 1), (Some(1024), 3), (None, 4)]);
        assert_eq!((tally.calls(), tally.failures(), tally.micros()), (4, 1, 60_001_901));
    }
}
