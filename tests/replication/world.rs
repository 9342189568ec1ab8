//! What is written, how two servers are joined, and what they are compared by.

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use folio_tests::replica::in_sync;
use folio_tests::{Client, Options, Server};
use redis::Value;

/// The databases that are written to.
const DATABASES: u32 = 5;

/// A server that sends and takes full syncs without waiting for more replicas.
pub fn options() -> Options {
    Options::new()
        .config("repl-diskless-sync-delay", "0")
        .config("repl-ping-replica-period", "1")
        // So that a server can be asked while it loads.
        .config("loading-process-events-interval-bytes", "1024")
}

/// What a server says that takes the end of a broken full sync for a value of a type that it does not know, and then ends:
/// Redis 8.0 does so where the link breaks within the number of a module's type.
const OWN_END: &str = "The RDB file contains module data I can't load";
/// How often a full sync is broken off until a replica outlives it.
const TRIES: usize = 5;

/// Breaks a full sync off, and again where the server ended the replica by itself: that tells nothing of Folio.
pub fn break_off<S>(start: impl Fn() -> S, replica: impl Fn(&S) -> &Server, test: impl Fn(&mut S)) {
    for _ in 0..TRIES {
        let mut servers = start();
        let Err(panic) = catch_unwind(AssertUnwindSafe(|| test(&mut servers))) else { return };
        if !replica(&servers).log().contains(OWN_END) {
            resume_unwind(panic);
        }
        println!("the server ended the replica itself: tried again");
    }
    panic!("the server ended the replica itself {TRIES} times");
}

/// Waits, then compares everything.
#[track_caller]
pub fn same(primary: &Server, replica: &Server) {
    in_sync(primary, replica);
    let (of_primary, of_replica) = (digest(&mut primary.resp2()), digest(&mut replica.resp2()));
    let differ = of_primary.lines().zip(of_replica.lines()).find(|(a, b)| a != b);
    assert_eq!(differ, None);
    assert_eq!(of_primary.len(), of_replica.len());
}

/// Everything that can be seen of every database.
pub fn digest(c: &mut Client) -> String {
    let mut digest = String::new();
    for db in 0..DATABASES {
        c.call(&["SELECT", &db.to_string()]);
        let mut keys = c.texts(&["KEYS", "*"]);
        keys.sort_unstable();
        for key in &keys {
            let kind = c.text(&["TYPE", key]).unwrap_or_default();
            let expires = c.int(&["PEXPIRETIME", key]);
            let _ = write!(digest, "{db} {key} {kind} {expires}");
            if kind == "folio-doc" {
                let meta = c.map(&["DOC.META", key]);
                let text = c.text(&["DOC.GET", key]);
                let _ = write!(digest, " {meta:?} {text:?}");
            }
            digest.push('\n');
        }
        for name in c.texts(&["DOC.LIST"]) {
            let schema = c.text(&["DOC.SCHEMA", &name]).unwrap_or_default();
            let _ = writeln!(digest, "{db} {name} {schema}");
            let counters = c.map(&["DOC.INFO", &name]);
            for line in ["declared", "documents", "version", "seq"] {
                let _ = writeln!(digest, "{db} {name} {line} {:?}", counters[line]);
            }
            for order in [&[][..], &["ORDER", "1", "n"], &["ORDER", "1", "tag", "DESC"]] {
                let command = [&["DOC.FIND", &name, "WITHVERSION", "SCAN"], order].concat();
                let _ = writeln!(digest, "{db} {name} {order:?} {:?}", c.call(&command));
            }
            let count = c.int(&["DOC.COUNT", &name, "WHERE", "n >= 3 AND tag = 't1'", "SCAN"]);
            let _ = writeln!(digest, "{db} {name} counts {count}");
            assert_eq!(c.call(&["DOC.VERIFY", &name]), Value::Array(vec![]), "{db} {name}");
        }
    }
    c.call(&["SELECT", "0"]);
    digest
}

const INCREMENT: &str = "local v = redis.call('DOC.SET', KEYS[1], ARGV[1]) \
     redis.call('DOC.UPDATE', KEYS[1], 'INCR', 'n', '5') \
     redis.call('PEXPIRE', KEYS[1], 500000) return v";

/// Writes of every kind. Each round has keys of its own, and meets those of the rounds before.
pub fn write_round(c: &mut Client, round: usize) {
    c.call(&["SELECT", "0"]);
    declare(c, round);
    let key = |n: usize| format!("towns:{round}-{n}");
    for n in 0..40 {
        let text = format!(
            r#"{{"n":{},"tag":"t{}","mail":"{round}-{n}@x","pad":"{}"}}"#,
            n % 9,
            n % 4,
            "x".repeat(n)
        );
        c.call(&["DOC.SET", &key(n), &text]);
    }
    c.call(&["DOC.UPDATE", &key(0), "INCR", "n", "100", "UNSET", "pad"]);
    c.call(&["DOC.SET", &key(1), r#"{"n":1,"tag":"new"}"#, "EX", "1000"]);
    c.call(&["DOC.SET", &key(1), r#"{"n":2,"tag":"new"}"#, "KEEPTTL"]);
    c.call(&["DOC.DEL", &key(2), &key(3)]);
    native(c, &key);
    c.call(&["MULTI"]);
    c.call(&["DOC.SET", &key(20), r#"{"n":-1}"#, "PX", "600000"]);
    c.call(&["DOC.UPDATE", &key(21), "SET", "tag", "\"multi\""]);
    c.call(&["RENAME", &key(22), &format!("villages:{round}")]);
    c.call(&["EXEC"]);
    c.call(&["EVAL", INCREMENT, "1", &key(23), r#"{"n":7}"#]);
    let refused = c.error(&["DOC.SET", &key(24), &format!(r#"{{"mail":"{round}-25@x"}}"#)]);
    assert!(refused.starts_with("UNIQUE"), "{refused}");
}

fn declare(c: &mut Client, round: usize) {
    c.call(&[
        "DOC.CREATE",
        "towns",
        "FIELD",
        "n",
        "int",
        "INDEX",
        "SORTED",
        "FIELD",
        "tag",
        "string",
        "INDEX",
        "SET",
        "FIELD",
        "mail",
        "string",
        "UNIQUE",
    ]);
    let empty = format!("empty{round}");
    let create = ["DOC.CREATE", &empty, "MODE", "STRICT", "FIELD", "a.b", "decimal", "REQUIRED"];
    c.call(&[&create[..], &["FIELD", "n", "int", "FIELD", "tag", "string"]].concat());
    // Over documents that are there; then dropped again, with its documents or without.
    let late = format!("late{round}");
    for n in 0..5 {
        c.call(&["DOC.SET", &format!("{late}:{n}"), &format!(r#"{{"n":{n}}}"#)]);
    }
    c.call(&["DOC.CREATE", &late, "FIELD", "n", "int", "UNIQUE"]);
    match round % 3 {
        0 => c.call(&["DOC.DROP", &late]),
        1 => c.call(&["DOC.DROP", &late, "DOCUMENTS"]),
        _ => Value::Nil,
    };
    // A prefix without a colon gives documents under such keys a collection, and takes it away again.
    let plain = format!("plain{round}-1");
    c.call(&["DOC.SET", "towns:plain", r#"{"n":3}"#]);
    c.call(&["RENAME", "towns:plain", &plain]);
    c.call(&["PEXPIRE", &plain, "700000"]);
    let prefix = format!("plain{round}-");
    c.call(&[
        "DOC.CREATE",
        &format!("p{round}"),
        "PREFIX",
        &prefix,
        "FIELD",
        "n",
        "int",
        "INDEX",
        "SET",
    ]);
    if round.is_multiple_of(2) {
        c.call(&["DOC.DROP", &format!("p{round}")]);
    }
}

/// What Redis's own commands do to documents.
fn native(c: &mut Client, key: &impl Fn(usize) -> String) {
    c.call(&["RENAME", &key(4), &key(100)]);
    c.call(&["COPY", &key(5), &key(101)]);
    c.call(&["COPY", &key(5), &key(101), "DB", "1", "REPLACE"]);
    c.call(&["MOVE", &key(6), "1"]);
    c.call(&["PEXPIRE", &key(7), "900000"]);
    c.call(&["PEXPIRE", &key(8), "900000"]);
    c.call(&["PERSIST", &key(8)]);
    c.call(&["PEXPIREAT", &key(9), "1"]);
    c.call(&["UNLINK", &key(10)]);
    c.call(&["SET", &key(11), "no document any more"]);
    c.call(&["RENAME", &key(12), &key(13)]);
    let Value::BulkString(payload) = c.call(&["DUMP", &key(14)]) else { panic!("no payload") };
    let target = key(102);
    let restore = [b"RESTORE", target.as_bytes(), b"800000", &payload, b"REPLACE"];
    c.try_call(&restore).expect("the payload is whole");
    c.call(&["SWAPDB", "2", "3"]);
    c.call(&["SELECT", "2"]);
    c.call(&["DOC.SET", &key(15), r#"{"n":15}"#]);
    c.call(&["DOC.CREATE", "side", "FIELD", "n", "int", "INDEX", "SORTED"]);
    c.call(&["DOC.SET", "side:1", r#"{"n":1}"#, "PX", "650000"]);
    c.call(&["SELECT", "4"]);
    c.call(&["DOC.SET", &key(16), r#"{"n":16}"#]);
    c.call(&["FLUSHDB", "ASYNC"]);
    c.call(&["DOC.SET", &key(17), r#"{"n":17}"#]);
    c.call(&["SELECT", "0"]);
}
