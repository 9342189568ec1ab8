//! A snapshot that ends anywhere, or whose definitions are wrong: it is refused or taken, and the server lives.
//!
//! Replicas take it from a link, in all the ways that there are; what a server that starts does with a short file is told
//! in tests/restart.

use std::env;
use std::time::Instant;

use folio_tests::everything::everything;
use folio_tests::generate::Random;
use folio_tests::{Options, Pipeline, Server};

use crate::primary::{Outcome, Primary};

/// Snapshots with wrong definitions, without `FLIPS`.
const FLIPS: usize = 1_000;

/// A small snapshot with documents of many kinds.
fn snapshot(compression: &str) -> Vec<u8> {
    let options = Options::new().config("rdbcompression", compression);
    let server = options.config("rdbchecksum", "no").start();
    let mut c = server.resp2();
    let create = "DOC.CREATE people FIELD n int INDEX SORTED FIELD s string INDEX SET FIELD mail string UNIQUE";
    c.call(&create.split(' ').collect::<Vec<_>>());
    c.call(&["DOC.CREATE", "empty", "MODE", "STRICT", "FIELD", "a.b", "decimal", "REQUIRED"]);
    for n in 0..8 {
        let pad = "xy".repeat(n * n);
        let text = format!(r#"{{"n":{n},"s":"é𝄞\n","mail":"{n}@x","pad":"{pad}"}}"#);
        c.call(&["DOC.SET", &format!("people:{n}"), &text]);
    }
    c.call(&["PEXPIREAT", "people:3", "4102444800000"]);
    c.call(&["DOC.SET", "notes:1", r#"{"deep":[[[{"x":[1.50,null,-0.0]}]]],"e":{}}"#]);
    c.call(&["RENAME", "people:4", "stray"]);
    c.call(&["SET", "plain", "text"]);
    c.call(&["SELECT", "3"]);
    c.call(&["DOC.SET", "people:1", "{}"]);
    c.call(&["SAVE"]);
    std::fs::read(server.folder().join("dump.rdb")).expect("a save leaves a file")
}

/// A replica that loads from its link; with `swapdb`, beside the data that it has.
fn replica(load: &str) -> Server {
    let options = Options::new().config("repl-diskless-load", load);
    let server = options.config("rdbchecksum", "no").start();
    let mut c = server.resp2();
    c.call(&["DOC.CREATE", "own", "FIELD", "n", "int", "INDEX", "SORTED"]);
    if load == "swapdb" {
        c.call(&["DOC.SET", "own:1", r#"{"n":1}"#]);
        c.call(&["DOC.SET", "people:1", r#"{"n":1}"#, "PXAT", "4102444800000"]);
    }
    server
}

fn seen(server: &Server) -> String {
    everything(&mut Pipeline::connect(server.url()).expect("the server lives"))
}

/// The log tells of no crash and of no panic. It is long: once at the end.
fn assert_no_defect(server: &Server) {
    let log = server.log();
    assert!(!log.contains("BUG REPORT") && !log.contains("a defect"), "{log}");
}

fn take_short(load: &str, compression: &str) {
    let began = Instant::now();
    let file = snapshot(compression);
    let replica = replica(load);
    let primary = Primary::listen();
    let before = seen(&replica);
    for length in 0..file.len() {
        let outcome = primary.send(&replica, &file[..length], false);
        assert_eq!(outcome, Outcome::Refused, "{length} bytes came");
        let after = seen(&replica);
        if load == "swapdb" {
            assert_eq!(after, before, "{length} bytes came");
        }
    }
    assert_eq!(primary.send(&replica, &file, true), Outcome::Taken);
    let taken = seen(&replica);
    assert!(taken.contains("people:7") && taken.contains("empty"), "{taken}");
    assert_no_defect(&replica);
    let seconds = began.elapsed().as_secs_f64();
    println!("{} short snapshots, {load}, compression {compression}: {seconds:.0} s", file.len());
}

#[test]
fn a_snapshot_that_ends_at_any_byte_is_given_up() {
    take_short("on-empty-db", "no");
    take_short("on-empty-db", "yes");
}

#[test]
fn a_snapshot_that_ends_at_any_byte_leaves_what_was_served() {
    take_short("swapdb", "no");
    take_short("swapdb", "yes");
}

/// Where the definitions and counters stand in an uncompressed snapshot.
fn definitions(file: &[u8]) -> std::ops::Range<usize> {
    let find = |what: &[u8]| file.windows(what.len()).position(|at| at == what);
    // The module's type, when to read, and the count stand before the first state.
    let start = find(br#"{"floor""#).expect("a snapshot has definitions") - 24;
    // SELECTDB follows, with the sizes of the database.
    let end = find(b"\xfe\x00\xfb").expect("a snapshot has documents");
    start..end
}

fn flip(file: &mut Vec<u8>, at: usize, random: &mut Random) {
    match random.below(8) {
        0..3 => file[at] ^= 1 << random.below(8),
        3 => file[at] = random.bits() as u8,
        4 => file[at] = random.pick(b"0123456789{}[]\",:-.eE\\"),
        5 => {
            file.remove(at);
        }
        6 => file.insert(at, random.bits() as u8),
        _ => {
            let end = (at + 1 + random.below(12)).min(file.len());
            file[at..end].rotate_left(1);
        }
    }
}

#[test]
fn wrong_definitions_are_refused_or_taken() {
    let mut random = Random::from_environment();
    let given = env::var("FLIPS").ok().and_then(|count| count.parse().ok());
    let file = snapshot("no");
    let place = definitions(&file);
    let (mut taken, mut refused, mut ended) = (0, 0, 0);
    let mut replicas = ["on-empty-db", "swapdb"].map(replica);
    let primary = Primary::listen();
    for count in 0..given.unwrap_or(FLIPS) {
        let mut wrong = file.clone();
        let at = random.below(place.len()) + place.start;
        for _ in 0..=random.below(2) {
            flip(&mut wrong, at, &mut random);
        }
        let replica = &mut replicas[count % 2];
        match primary.send(replica, &wrong, true) {
            Outcome::Taken => taken += 1,
            Outcome::Refused => refused += 1,
            Outcome::Ended => {
                // Redis itself ends over a type that no module has, a database that it has not, and codes of its own that it does
                // not know.
                ended += 1;
                let log = replica.log();
                let reasons = [
                    "Terminating server after rdb file reading failure",
                    "no matching module",
                    "configured to handle more than",
                ];
                assert!(reasons.iter().any(|reason| log.contains(reason)), "{log}");
                assert_no_defect(replica);
                replica.kill();
                replica.start_again();
            }
        }
        seen(replica);
        // What was taken is not to be in the next one's way.
        for db in ["0", "3"] {
            let mut c = replica.resp2();
            c.call(&["SELECT", db]);
            // A definition that was taken may well refuse it.
            let _ = c.try_call(&["DOC.SET", "people:new", r#"{"n":1}"#]);
            c.call(&["FLUSHALL"]);
        }
    }
    replicas.iter().for_each(assert_no_defect);
    println!("{taken} taken, {refused} refused, {ended} ended the server");
    assert!(taken > 0 && refused > 0);
}
