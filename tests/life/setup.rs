//! How the servers of one seed are set up: drawn from the seed, so that the seed brings it back.

use std::fmt;

use folio_engine::planted::Fault;
use folio_tests::generate::Random;
use folio_tests::{Options, Server, planted};
use redis::ProtocolVersion;

use crate::run::Kept;

const YES_NO: &[&str] = &["yes", "no"];
/// Keeps what is drawn here apart from what the seed draws later.
const SALT: u64 = 0x5e70_5e70;

/// Settings that every server knows, and what each may be.
const LINES: &[(&str, &[&str])] = &[
    ("lazyfree-lazy-eviction", YES_NO),
    ("lazyfree-lazy-expire", YES_NO),
    ("lazyfree-lazy-server-del", YES_NO),
    ("lazyfree-lazy-user-del", YES_NO),
    ("lazyfree-lazy-user-flush", YES_NO),
    ("replica-lazy-flush", YES_NO),
    ("repl-diskless-sync", YES_NO),
    ("repl-diskless-load", &["disabled", "on-empty-db", "swapdb"]),
    // Redis 8.0 has threads wait for each other in a loop: more than processors would slow everything down.
    ("io-threads", &["1", "1", "2"]),
    ("hz", &["10", "100", "500"]),
    ("dynamic-hz", YES_NO),
    ("active-expire-effort", &["1", "10"]),
    ("activerehashing", YES_NO),
    ("rdbcompression", YES_NO),
    ("rdbchecksum", YES_NO),
    ("hash-max-listpack-entries", &["0", "512"]),
    ("zset-max-listpack-entries", &["0", "128"]),
    ("set-max-intset-entries", &["0", "512"]),
    ("list-max-listpack-size", &["1", "-2"]),
    ("notify-keyspace-events", &["", "KEA"]),
    ("latency-monitor-threshold", &["0", "1"]),
];

/// Settings that some servers know: `activedefrag` those with an allocator of their own, which Debian's have not;
/// the ways of a full sync those that have another.
const LINES_OF_SOME: &[(&str, &[&str])] = &[
    ("activedefrag", YES_NO),
    ("set-max-listpack-entries", &["0", "128"]),
    ("repl-rdb-channel", YES_NO),
    ("dual-channel-replication-enabled", YES_NO),
];

type Line = (&'static str, &'static str);

/// How servers are started, and in which protocol they are driven.
#[derive(Clone, Debug)]
pub struct Setup {
    pub protocol: ProtocolVersion,
    lines: Vec<Line>,
    lines_of_some: Vec<Line>,
    /// The fault of the module that is awake.
    fault: Option<Fault>,
}

impl Setup {
    /// The settings that a server has by itself, over RESP2.
    pub fn plain() -> Self {
        let (lines, lines_of_some) = (Vec::new(), Vec::new());
        Self { protocol: ProtocolVersion::RESP2, lines, lines_of_some, fault: None }
    }

    /// What the seed says.
    pub fn drawn(seed: u64, kept: Kept) -> Self {
        let mut random = Random::new(seed ^ SALT);
        let mut draw = |lines: &[(&'static str, &'static [&'static str])]| {
            lines.iter().map(|(name, values)| (*name, random.pick(values))).collect::<Vec<_>>()
        };
        let (mut lines, lines_of_some) = (draw(LINES), draw(LINES_OF_SOME));
        // The other ways to keep data say themselves what log there is.
        if kept == Kept::Replica && random.chance(40) {
            lines.extend([("appendonly", "yes"), ("appendfsync", "no")]);
            lines.push(("aof-use-rdb-preamble", random.pick(YES_NO)));
        }
        let protocol = random.pick(&[ProtocolVersion::RESP2, ProtocolVersion::RESP3]);
        Self { protocol, lines, lines_of_some, fault: None }
    }

    /// A module with faults of which this one is awake.
    pub fn faulty(fault: Fault) -> Self {
        Self { fault: Some(fault), ..Self::plain() }
    }

    /// Starts a server; what `options` say goes first.
    pub fn start(&self, mut options: Options) -> Server {
        for (name, value) in &self.lines {
            options = options.config(name, value);
        }
        if let Some(fault) = self.fault {
            options = planted::with_fault(options, fault);
        }
        let server = options.start();
        let mut client = server.resp2();
        for (name, value) in &self.lines_of_some {
            // One that does not know it, or cannot do it, says so and goes on without.
            let _ = client.try_call(&["CONFIG", "SET", name, value]);
        }
        server
    }
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.protocol)?;
        for (name, value) in self.lines.iter().chain(&self.lines_of_some) {
            write!(f, " {name}={value}")?;
        }
        Ok(())
    }
}
