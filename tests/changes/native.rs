//! What the server itself does to documents: told in order, with its cause.

use std::time::Duration;

use folio_tests::{Client, Maker, Options, Server, over_both};
use redis::Value;

use super::entry::{are_gapless, settled, settled_lines};

const KEYS: [&str; 4] = ["DOC.CREATE", "t", "CHANGES", "KEYS"];

fn set(c: &mut Client, keys: &[&str]) {
    for key in keys {
        c.call(&["DOC.SET", key, "{}"]);
    }
}

#[test]
fn removals_by_the_server_say_why() {
    over_both(|c| {
        c.call(&KEYS);
        set(c, &["t:1", "t:2", "t:3", "t:4"]);
        c.call(&["DEL", "t:1"]);
        c.call(&["UNLINK", "t:2"]);
        c.call(&["SET", "t:3", "text"]);
        c.call(&["SADD", "s", "x"]);
        c.call(&["SUNIONSTORE", "t:4", "s"]);
        let told = settled_lines(c, "t");
        let expected = [
            "5 delete t:1 #1",
            "6 delete t:2 #2",
            "7 delete t:3 #3 (overwrite)",
            "8 delete t:4 #4 (overwrite)",
        ];
        assert_eq!(told[4..], expected);
    });
}

#[test]
fn servers_that_can_tell_of_it_in_the_same_step() {
    let server = Server::start();
    let version = server.version();
    let mut c = server.resp2();
    c.call(&KEYS);
    if version.maker == Maker::Redis && version.number < (7, 2) {
        // A timer does: nobody else has to write.
        set(&mut c, &["t:1"]);
        c.call(&["DEL", "t:1"]);
        assert_eq!(settled_lines(&mut c, "t").len(), 2);
        return;
    }
    for round in 0..100 {
        set(&mut c, &["t:1"]);
        c.call(&["DEL", "t:1"]);
        assert_eq!(c.int(&["XLEN", "changes:t"]), 2 * (round + 1));
    }
}

#[test]
fn what_lapses_expires_whoever_meets_it() {
    over_both(|c| {
        c.call(&["DOC.CREATE", "t", "FIELD", "n", "int", "UNIQUE", "CHANGES", "KEYS"]);
        c.call(&["DEBUG", "SET-ACTIVE-EXPIRE", "0"]);
        for (key, n) in [("t:1", 1), ("t:2", 2), ("t:3", 3)] {
            c.call(&["DOC.SET", key, &format!(r#"{{"n":{n}}}"#), "PX", "1"]);
        }
        std::thread::sleep(Duration::from_millis(10));
        // A read of the server's own, a write over it, and a write that needs its unique value.
        c.call(&["GET", "t:1"]);
        let told = settled_lines(c, "t");
        assert_eq!(told[3..], ["4 expire t:1 #1"]);
        c.call(&["DOC.SET", "t:2", r#"{"n":9}"#]);
        c.call(&["DOC.SET", "t:4", r#"{"n":3}"#]);
        let told = settled_lines(c, "t");
        let expected = ["5 expire t:2 #2", "6 insert t:2 #4", "7 expire t:3 #3", "8 insert t:4 #5"];
        assert_eq!(told[4..], expected);
        c.call(&["DEBUG", "SET-ACTIVE-EXPIRE", "1"]);
        c.call(&["PEXPIRE", "t:2", "1"]);
        folio_tests::replica::wait_until("it is gone", || c.int(&["DBSIZE"]) == 2);
        assert_eq!(settled_lines(c, "t")[8..], ["9 expire t:2 #4"]);
    });
}

#[test]
fn renames_copies_and_restores_are_births_with_a_cause() {
    over_both(|c| {
        c.call(&KEYS);
        set(c, &["t:1", "t:2"]);
        c.call(&["RENAME", "t:1", "t:2"]);
        c.call(&["COPY", "t:2", "t:3"]);
        c.call(&["COPY", "t:2", "t:3", "REPLACE"]);
        let dump = c.call(&["DUMP", "t:3"]);
        let Value::BulkString(dump) = dump else { panic!("{dump:?}") };
        let restore = |key: &[u8], last: &[u8]| {
            vec![b"RESTORE".to_vec(), key.to_vec(), b"0".to_vec(), dump.clone(), last.to_vec()]
        };
        c.try_call(&restore(b"t:3", b"REPLACE")).unwrap();
        c.try_call(&restore(b"t:4", b"REPLACE")).unwrap();
        c.call(&["RENAME", "t:4", "elsewhere:4"]);
        c.call(&["RENAME", "elsewhere:4", "t:5"]);
        let mut told = settled_lines(c, "t");
        // The server may take the target away before the source shows under it, or the other way round.
        told[2..5].sort_by_key(|line| line[2..].to_owned());
        let expected = [
            "3 delete t:1 #1 (rename)",
            "4 delete t:2 #2 (overwrite)",
            "5 insert t:2 #3 (rename)",
            "6 insert t:3 #4 (copy)",
            "7 delete t:3 #4 (overwrite)",
            "8 insert t:3 #5 (copy)",
            "9 delete t:3 #5 (overwrite)",
            "10 insert t:3 #6 (restore)",
            "11 insert t:4 #7 (restore)",
            "12 delete t:4 #7 (rename)",
            "13 insert t:5 #8 (rename)",
        ];
        let without_number = |line: &str| line.split_once(' ').unwrap().1.to_owned();
        let told: Vec<String> = told[2..].iter().map(|line| without_number(line)).collect();
        assert_eq!(told, expected.map(without_number));
    });
}

#[test]
fn a_move_tells_in_both_databases() {
    over_both(|c| {
        c.call(&KEYS);
        c.call(&["SELECT", "1"]);
        c.call(&KEYS);
        c.call(&["SELECT", "0"]);
        set(c, &["t:1"]);
        c.call(&["MOVE", "t:1", "1"]);
        assert_eq!(settled_lines(c, "t")[1..], ["2 delete t:1 #1 (move)"]);
        c.call(&["SELECT", "1"]);
        assert_eq!(settled_lines(c, "t"), ["1 insert t:1 #1 (move)"]);
        c.call(&["COPY", "t:1", "t:2", "DB", "0"]);
        c.call(&["SELECT", "0"]);
        assert_eq!(settled_lines(c, "t")[2..], ["3 insert t:2 #2 (copy)"]);
    });
}

#[test]
fn a_flush_leaves_a_stream_of_one_entry_with_the_next_number() {
    over_both(|c| {
        c.call(&KEYS);
        set(c, &["t:1", "t:2"]);
        c.call(&["FLUSHDB"]);
        assert_eq!(settled_lines(c, "t"), ["3 flush #2"]);
        set(c, &["t:1"]);
        c.call(&["FLUSHALL", "ASYNC"]);
        assert_eq!(settled_lines(c, "t"), ["5 flush #3"]);
        c.call(&["SELECT", "1"]);
        c.call(&["FLUSHDB"]);
        c.call(&["SELECT", "0"]);
        set(c, &["t:1"]);
        assert_eq!(settled_lines(c, "t"), ["5 flush #3", "6 insert t:1 #4"]);
        c.call(&["DEL", "t:1"]);
        c.call(&["FLUSHALL"]);
        assert_eq!(settled_lines(c, "t").len(), 1);
    });
}

#[test]
fn streams_change_places_with_their_databases() {
    over_both(|c| {
        c.call(&KEYS);
        set(c, &["t:1"]);
        // What waits to be told goes where its collection goes.
        c.call(&["MULTI"]);
        c.call(&["DEL", "t:1"]);
        c.call(&["SWAPDB", "0", "1"]);
        c.call(&["EXEC"]);
        settled(c);
        assert_eq!(c.int(&["EXISTS", "changes:t"]), 0);
        c.call(&["SELECT", "1"]);
        assert_eq!(settled_lines(c, "t"), ["1 insert t:1 #1", "2 delete t:1 #1"]);
        set(c, &["t:1"]);
        assert_eq!(settled_lines(c, "t").len(), 3);
    });
}

#[test]
fn what_the_server_evicts_is_told() {
    let server = Options::new().config("maxmemory-policy", "allkeys-random").start();
    let mut c = server.resp2();
    c.call(&KEYS);
    let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(10_000));
    for n in 0..300 {
        c.call(&["DOC.SET", &format!("t:{n}"), &large]);
    }
    c.call(&["CONFIG", "SET", "maxmemory-policy", "volatile-random"]);
    for n in 0..300 {
        c.call(&["EXPIRE", &format!("t:{n}"), "1000"]);
    }
    let used = c.info_number("memory", "used_memory");
    c.call(&["CONFIG", "SET", "maxmemory", &(used - 1_000_000).to_string()]);
    c.call(&["PING"]);
    settled(&mut c);
    // The entries take memory too.
    c.call(&["CONFIG", "SET", "maxmemory", "0"]);
    settled(&mut c);
    let left = c.int(&["DOC.COUNT", "t"]);
    assert!(left < 300, "{left} are left");
    let told = super::entry::all(&mut c, "t");
    are_gapless(&told, 1);
    // Valkey does not say why.
    let is_eviction = |entry: &&super::entry::Entry| {
        entry.field("op") == Some("evict") || entry.field("cause") == Some("overwrite")
    };
    let evicted = told.iter().filter(is_eviction).count();
    assert_eq!(i64::try_from(evicted).unwrap(), 300 - left);
    assert_eq!(told.len(), 300 + evicted);
}

#[test]
fn a_transaction_of_native_and_own_commands_keeps_their_order() {
    over_both(|c| {
        c.call(&KEYS);
        set(c, &["t:1", "t:2"]);
        c.call(&["MULTI"]);
        c.call(&["DEL", "t:1"]);
        c.call(&["DOC.SET", "t:1", "{}"]);
        c.call(&["RENAME", "t:2", "t:3"]);
        c.call(&["EXEC"]);
        let expected = [
            "3 delete t:1 #1",
            "4 insert t:1 #3",
            "5 delete t:2 #2 (rename)",
            "6 insert t:3 #4 (rename)",
        ];
        assert_eq!(settled_lines(c, "t")[2..], expected);
    });
}

#[test]
fn a_pause_holds_entries_back() {
    let server = Server::start();
    let (mut c, mut other) = (server.resp2(), server.resp2());
    c.call(&KEYS);
    set(&mut c, &["t:1"]);
    c.call(&["MULTI"]);
    c.call(&["DEL", "t:1"]);
    c.call(&["CLIENT", "PAUSE", "60000", "WRITE"]);
    c.call(&["EXEC"]);
    std::thread::sleep(Duration::from_millis(30));
    assert_eq!(other.call(&["PING"]), Value::SimpleString("PONG".into()));
    other.call(&["CLIENT", "UNPAUSE"]);
    assert_eq!(settled_lines(&mut other, "t"), ["1 insert t:1 #1", "2 delete t:1 #1"]);
}
