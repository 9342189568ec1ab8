//! Thousands of mixed commands, drawn from a seed: the stream, folded, gives the documents that are there.

use std::collections::BTreeMap;
use std::time::Duration;

use folio_engine::planted::Fault;
use folio_tests::generate::Random;
use folio_tests::planted;
use folio_tests::replica::{follow, in_sync};
use folio_tests::{Client, Server};
use redis::Value;

use super::entry::{Entry, all, are_gapless, settled};

const COMMANDS: usize = 4_000;
const KEYS: usize = 12;
const DATABASES: [&str; 2] = ["0", "1"];

/// A key, of the collection or now and then of none that tells.
fn key(random: &mut Random) -> String {
    let name = if random.chance(90) { "t" } else { "u" };
    format!("{name}:{}", random.below(KEYS))
}

fn document(random: &mut Random) -> String {
    let n = |random: &mut Random| random.below(4);
    format!(r#"{{"n":{},"o":{{"x":{},"y":[{}]}}}}"#, n(random), n(random), n(random))
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

/// One command.
fn draw(random: &mut Random) -> Vec<String> {
    let (a, b) = (key(random), key(random));
    let (doc, other, n) = (document(random), document(random), random.below(4));
    match random.below(25) {
        0..5 => words(&format!("DOC.SET {a} {doc}")),
        5 => words(&format!("DOC.SET {a} {doc} PX {}", 1 + random.below(20))),
        6 => words(&format!("DOC.UPDATE {a} UPSERT INCR n 1")),
        7 => words(&format!("DOC.UPDATE {a} UPSERT SET o.x {n} UNSET o.y")),
        8 => words(&format!("DOC.DEL {a} {b}")),
        9 => words(&format!("DOC.MSET {a} {doc} {b} {other}")),
        10 => {
            let mut command = words("DOC.UPDATEMANY t SCAN INCR n 1 WHERE");
            command.push(format!("n = {n}"));
            command
        }
        11 => {
            let mut command = words("DOC.DELETEMANY t SCAN LIMIT 2 WHERE");
            command.push(format!("n = {n}"));
            command
        }
        12 => {
            let mut command = words("DOC.CLAIM t SCAN TOGGLE claimed WHERE");
            command.push("claimed IS MISSING OR claimed".into());
            command
        }
        13 => words(&format!(
            r#"DOC.TXN {a} {b} [{{"op":"set","key":"{a}","value":{doc}}},{{"op":"del","key":"{b}"}}]"#
        )),
        14 | 23 => words(&format!("DEL {a}")),
        15 => words(&format!("UNLINK {a} {b}")),
        16 | 17 => words(&format!("RENAME {a} {b}")),
        18 => words(&format!("COPY {a} {b} REPLACE")),
        19 => words(&format!("COPY {a} {b} DB {}", random.below(2))),
        20 => words(&format!("MOVE {a} {}", random.below(2))),
        21 => words(&format!("PEXPIRE {a} {}", 1 + random.below(20))),
        22 => words(&format!("SET {a} text")),
        _ => {
            let script =
                "redis.call('DEL', KEYS[1]) return redis.call('DOC.SET', KEYS[1], ARGV[1])";
            vec!["EVAL".into(), script.into(), "1".into(), a, doc]
        }
    }
}

/// A step: one command, several in MULTI, or what concerns a whole database.
fn step(c: &mut Client, random: &mut Random) {
    match random.below(200) {
        0 => drop(c.call(&["SWAPDB", "0", "1"])),
        1 if random.chance(30) => drop(c.call(&["FLUSHDB"])),
        2..10 => drop(c.call(&["SELECT", DATABASES[random.below(2)]])),
        10..30 => {
            c.call(&["MULTI"]);
            for _ in 0..random.below(6) {
                c.call(&draw(random).iter().map(String::as_str).collect::<Vec<_>>());
            }
            let _ = c.try_call(&["EXEC"]);
        }
        30 => std::thread::sleep(Duration::from_millis(5)),
        _ => {
            // Some are refused: another type is in the way, or nothing is there.
            let _ = c.try_call(&draw(random));
        }
    }
}

/// What the entries say that there is: texts and versions by key.
fn fold(entries: &[Entry]) -> BTreeMap<String, (String, u64)> {
    let mut there: BTreeMap<String, (String, u64)> = BTreeMap::new();
    for entry in entries {
        let (op, version) = (entry.field("op").unwrap(), entry.count("version"));
        if op == "flush" {
            there.clear();
            continue;
        }
        let key = entry.field("key").unwrap().to_owned();
        let former = there.remove(&key);
        let held = former.as_ref().map(|(text, _)| text.as_str());
        assert_eq!(entry.field("before"), held, "{entry}");
        assert_eq!(op == "insert", former.is_none(), "{entry}");
        match op {
            "insert" | "update" => {
                assert!(former.is_none_or(|(_, last)| last < version), "{entry}");
                there.insert(key, (entry.field("after").unwrap().to_owned(), version));
            }
            "delete" | "expire" => assert_eq!(former.unwrap().1, version, "{entry}"),
            other => panic!("{other}"),
        }
    }
    there
}

/// What there is in the selected database.
fn documents(c: &mut Client) -> BTreeMap<String, (String, u64)> {
    let mut there = BTreeMap::new();
    for n in 0..KEYS {
        let key = format!("t:{n}");
        // Which removes what has lapsed.
        c.call(&["EXISTS", &key]);
        if c.text(&["TYPE", &key]).as_deref() != Some("folio-doc") {
            continue;
        }
        let text = c.text(&["DOC.GET", &key]).unwrap();
        let Value::Int(version) = c.map(&["DOC.META", &key])["version"] else { panic!("{key}") };
        there.insert(key, (text, u64::try_from(version).unwrap()));
    }
    there
}

#[test]
fn the_stream_folded_gives_the_documents() {
    let mut random = Random::from_environment();
    let (server, replica) = (Server::start(), Server::start());
    let mut c = server.resp2();
    for db in DATABASES {
        c.call(&["SELECT", db]);
        c.call(&["DOC.CREATE", "t", "CHANGES", "BOTH"]);
    }
    follow(&replica, &server);
    for _ in 0..COMMANDS {
        step(&mut c, &mut random);
    }
    std::thread::sleep(Duration::from_millis(30));
    let mut told = 0;
    for db in DATABASES {
        c.call(&["SELECT", db]);
        let there = documents(&mut c);
        settled(&mut c);
        let entries = all(&mut c, "t");
        are_gapless(&entries, entries.first().map_or(1, |entry| entry.number));
        assert_eq!(fold(&entries), there, "database {db}");
        in_sync(&server, &replica);
        let mut r = replica.resp2();
        r.call(&["SELECT", db]);
        assert_eq!(all(&mut r, "t"), entries, "database {db}");
        told += entries.last().map_or(0, |entry| entry.number);
    }
    assert!(told > COMMANDS as u64 / 4, "{told} entries");
    assert_eq!(c.info_number("folio", "folio_changes_dropped"), 0);
    assert_eq!(c.info_number("folio", "folio_caught_panics"), 0);
}

#[test]
fn a_planted_fault_is_found() {
    planted::has_to_fail(Fault::Changes, the_stream_folded_gives_the_documents);
}
