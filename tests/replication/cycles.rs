//! Two servers joined in every way, cut apart under load, and with changed roles, over and over.
//!
//! `CYCLES` sets how often (20); `SEED` what is drawn.

use std::collections::BTreeMap;
use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use folio_tests::generate::Random;
use folio_tests::replica::{address, follow, in_sync, wait_until};
use folio_tests::{Client, Server};
use redis::ProtocolVersion;

use super::world::{options, same, write_round};

/// Cycles of a run without `CYCLES`.
const CYCLES: usize = 20;
/// Rounds of writes after which both servers are emptied, so that a cycle takes no longer than the first.
const ROUNDS: usize = 9;
/// Cuts in a cycle that cuts.
const CUTS: usize = 8;
/// Bytes that a primary keeps for replicas that come back: too few, and enough for all that is written.
const SMALL_BACKLOG: &str = "16384";
const LARGE_BACKLOG: &str = "67108864";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cycle {
    FullByDisk,
    FullBesideTheData,
    FullIntoAnEmptyServer,
    CutsAndPartial,
    CutsAndFull,
    Failover,
    Promotion,
}

const ALL: [Cycle; 7] = [
    Cycle::FullByDisk,
    Cycle::FullBesideTheData,
    Cycle::FullIntoAnEmptyServer,
    Cycle::CutsAndPartial,
    Cycle::CutsAndFull,
    Cycle::Failover,
    Cycle::Promotion,
];

struct Pair {
    primary: Server,
    replica: Server,
    random: Random,
    round: usize,
}

fn set(c: &mut Client, name: &str, value: &str) {
    c.call(&["CONFIG", "SET", name, value]);
}

/// Writes more than the small backlog holds.
fn write_more_than_the_backlog(c: &mut Client) {
    for n in 0..40 {
        let text = format!(r#"{{"n":{n},"pad":"{}"}}"#, "x".repeat(30_000));
        c.call(&["DOC.SET", "towns:pad", &text]);
    }
}

impl Pair {
    fn write(&mut self) {
        let mut p = self.primary.resp2();
        self.round += 1;
        if self.round.is_multiple_of(ROUNDS) {
            p.call(&["FLUSHALL"]);
        }
        write_round(&mut p, self.round % ROUNDS);
    }

    /// The replica goes its own way, and comes back to be synced in full.
    fn full(&mut self, diskless_sync: &str, diskless_load: &str, is_emptied: bool) {
        let mut r = self.replica.resp2();
        set(&mut self.primary.resp2(), "repl-diskless-sync", diskless_sync);
        set(&mut r, "repl-diskless-load", diskless_load);
        r.call(&["REPLICAOF", "NO", "ONE"]);
        let before = self.primary.resp2().info("stats", "sync_full");
        if is_emptied {
            r.call(&["FLUSHALL"]);
        }
        r.call(&["DOC.SET", "towns:stale", r#"{"n":1}"#]);
        r.call(&["DOC.CREATE", "stale", "FIELD", "n", "int", "INDEX", "SET"]);
        if is_emptied {
            r.call(&["DEL", "towns:stale"]);
        }
        follow(&self.replica, &self.primary);
        self.write();
        in_sync(&self.primary, &self.replica);
        assert_ne!(self.primary.resp2().info("stats", "sync_full"), before);
    }

    /// The link is cut at either end while a client writes, with a small or a large backlog. Gives how many syncs were partial, and how many full.
    fn cut(&mut self, is_small: bool) -> (i64, i64) {
        let (mut p, mut r) = (self.primary.resp2(), self.replica.resp2());
        set(&mut p, "repl-backlog-size", if is_small { SMALL_BACKLOG } else { LARGE_BACKLOG });
        let mut count = |name: &str| p.info("stats", name).parse::<i64>().unwrap_or(0);
        let before = (count("sync_partial_ok"), count("sync_full"));
        let is_over = Arc::new(AtomicBool::new(false));
        let (url, over) = (self.primary.url().to_owned(), is_over.clone());
        let mut round = self.round;
        let writer = thread::spawn(move || {
            let mut c = Client::connect(&url, ProtocolVersion::RESP2);
            while !over.load(Ordering::Relaxed) {
                round += 1;
                if round.is_multiple_of(ROUNDS) {
                    c.call(&["FLUSHALL"]);
                }
                write_round(&mut c, round % ROUNDS);
                if is_small {
                    write_more_than_the_backlog(&mut c);
                }
            }
            round
        });
        if is_small {
            self.cut_for_long();
        }
        for _ in 0..CUTS {
            thread::sleep(Duration::from_millis(5 + self.random.below(40) as u64));
            if self.random.chance(50) {
                self.primary.resp2().call(&["CLIENT", "KILL", "TYPE", "replica"]);
            } else {
                r.call(&["CLIENT", "KILL", "TYPE", "master"]);
            }
            if self.random.chance(50) {
                let mut r = self.replica.resp2();
                wait_until("the link is up again", || {
                    r.info("replication", "master_link_status") == "up"
                });
            }
        }
        is_over.store(true, Ordering::Relaxed);
        self.round = writer.join().expect("the writer's commands are taken");
        in_sync(&self.primary, &self.replica);
        (count("sync_partial_ok") - before.0, count("sync_full") - before.1)
    }

    /// The replica sleeps while the primary writes more than its backlog holds, and while the link is cut.
    fn cut_for_long(&self) {
        let mut r = self.replica.resp2();
        let sleeper = thread::spawn(move || r.call(&["DEBUG", "SLEEP", "1"]));
        thread::sleep(Duration::from_millis(100));
        let mut p = self.primary.resp2();
        p.call(&["CLIENT", "KILL", "TYPE", "replica"]);
        write_more_than_the_backlog(&mut p);
        sleeper.join().expect("the replica wakes up");
    }

    fn change_roles(&mut self, is_asked: bool) {
        let (mut p, mut r) = (self.primary.resp2(), self.replica.resp2());
        if is_asked {
            let [host, port] = address(&self.replica);
            p.call(&["FAILOVER", "TO", &host, &port, "TIMEOUT", "20000"]);
            wait_until("the replica is a primary", || r.info("replication", "role") == "master");
            wait_until("the primary is a replica", || p.info("replication", "role") == "slave");
        } else {
            r.call(&["REPLICAOF", "NO", "ONE"]);
            // What the old primary still takes is given up when it follows.
            p.call(&["DOC.SET", "towns:given-up", r#"{"n":1}"#]);
            follow(&self.primary, &self.replica);
        }
        std::mem::swap(&mut self.primary, &mut self.replica);
    }

    fn run(&mut self, cycle: Cycle) -> (i64, i64) {
        let mut syncs = (0, 0);
        match cycle {
            Cycle::FullByDisk => self.full("no", "disabled", false),
            Cycle::FullBesideTheData => self.full("yes", "swapdb", false),
            Cycle::FullIntoAnEmptyServer => self.full("yes", "on-empty-db", true),
            Cycle::CutsAndPartial => syncs = self.cut(false),
            Cycle::CutsAndFull => syncs = self.cut(true),
            Cycle::Failover => self.change_roles(true),
            Cycle::Promotion => self.change_roles(false),
        }
        self.write();
        same(&self.primary, &self.replica);
        let digest = |server: &Server| server.resp2().text(&["DEBUG", "DIGEST"]);
        assert_eq!(digest(&self.primary), digest(&self.replica));
        syncs
    }
}

#[test]
fn two_servers_agree_after_every_cut_sync_and_change_of_roles() {
    let mut random = Random::from_environment();
    let given = env::var("CYCLES").ok().and_then(|count| count.parse().ok());
    let cycles: usize = given.unwrap_or(CYCLES);
    let began = Instant::now();
    let (primary, replica) = (options().start(), options().start());
    follow(&replica, &primary);
    let mut pair = Pair { primary, replica, random: Random::new(random.bits()), round: 0 };
    pair.write();
    same(&pair.primary, &pair.replica);
    let mut done = BTreeMap::new();
    let (mut partial, mut full) = (0, 0);
    for at in 0..cycles {
        // Each kind at least once in so many.
        let cycle = ALL.get(at).copied().unwrap_or_else(|| random.pick(&ALL));
        println!("{at}: {cycle:?}");
        let syncs = pair.run(cycle);
        *done.entry(cycle).or_insert(0) += 1;
        (partial, full) = (partial + syncs.0, full + syncs.1);
    }
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{cycles} cycles in {seconds:.0} s, {partial} partial and {full} full syncs after cuts: {done:?}"
    );
    // Each cycle that cuts for long ends in a full sync, each that does not in partial ones.
    assert!(cycles < ALL.len() || (partial > 0 && full > 0), "{partial} partial, {full} full");
}
