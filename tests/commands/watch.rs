//! WATCH: a document that another client has changed aborts EXEC; one that was only looked at, or not changed, does not.

use std::thread;
use std::time::Duration;

use folio_tests::{Client, Server};
use redis::Value;

/// A command of words between spaces.
fn words(command: &str) -> Vec<&str> {
    command.split(' ').collect()
}

/// A watched document, a unique holder beside it, and one that lapses.
fn fill(c: &mut Client) {
    c.call(&["FLUSHALL"]);
    // Declarations outlive that; the first time there is none.
    let _ = c.try_call(&words("DOC.DROP w"));
    c.call(&words("DOC.CREATE w FIELD n int INDEX SORTED FIELD e string UNIQUE"));
    c.call(&["DOC.SET", "w:1", r#"{"n":1,"e":"a"}"#]);
    c.call(&["DOC.SET", "w:2", r#"{"n":2,"e":"b"}"#]);
}

/// Whether EXEC is aborted when another client does `by` after the WATCH of `key`.
fn is_aborted(c: &mut Client, other: &mut Client, key: &str, by: &[&str]) -> bool {
    fill(c);
    c.call(&["WATCH", key]);
    // Some are to be refused.
    let _ = other.try_call(by);
    c.call(&["MULTI"]);
    c.call(&["PING"]);
    c.call(&["EXEC"]) == Value::Nil
}

const CHANGES: [&[&str]; 14] = [
    &["DOC.SET", "w:1", r#"{"n":2}"#],
    &["DOC.SET", "w:1", r#"{"n":1,"e":"a"}"#, "EX", "1000"],
    &["DOC.UPDATE", "w:1", "INCR", "n", "1"],
    &["DOC.UPDATE", "w:1", "EX", "1000"],
    &["DOC.MSET", "w:2", "{}", "w:1", "{}"],
    &["DOC.TXN", "w:1", r#"[{"op":"set","key":"w:1","value":{}}]"#],
    &["DOC.TXN", "w:1", r#"[{"op":"del","key":"w:1"}]"#],
    &["DOC.UPDATEMANY", "w", "WHERE", "n > 0", "INCR", "n", "1"],
    &["DOC.DELETEMANY", "w", "WHERE", "n = 1"],
    &["DOC.CLAIM", "w", "WHERE", "n = 1", "SET", "taken", "true"],
    &["DOC.DEL", "w:1"],
    &["DOC.DROP", "w", "DOCUMENTS"],
    &["EXPIRE", "w:1", "1000"],
    &["RENAME", "w:2", "w:1"],
];

const NO_CHANGES: [&[&str]; 20] = [
    &["DOC.SET", "w:1", r#"{"n":1,"e":"a"}"#],
    &["DOC.SET", "w:1", "{}", "NX"],
    &["DOC.SET", "w:1", "{}", "IF", "n = 7"],
    &["DOC.SET", "w:1", "{}", "IFVERSION", "77"],
    &["DOC.SET", "w:1", r#"{"n":"x"}"#],
    &["DOC.SET", "w:1", r#"{"e":"b"}"#],
    &["DOC.UPDATE", "w:1", "SET", "n", "1"],
    &["DOC.UPDATE", "w:1", "IF", "n = 7", "INCR", "n", "1"],
    &["DOC.UPDATE", "w:1", "SET", "e", r#""b""#],
    &["DOC.MSET", "w:1", r#"{"n":1,"e":"a"}"#, "w:2", "{}"],
    &["DOC.MSET", "w:1", "{}", "w:2", r#"{"n":"x"}"#],
    &["DOC.MSETNX", "w:2", "{}", "w:1", "{}"],
    &["DOC.TXN", "w:1", r#"[{"op":"check","key":"w:1"}]"#],
    &[
        "DOC.TXN",
        "w:1",
        "w:2",
        r#"[{"op":"set","key":"w:1","value":{}},{"op":"insert","key":"w:2","value":{}}]"#,
    ],
    &["DOC.UPDATEMANY", "w", "WHERE", "n = 2", "INCR", "n", "1"],
    &["DOC.UPDATEMANY", "w", "WHERE", "n > 0", "SET", "e", r#""c""#],
    &["DOC.DELETEMANY", "w", "WHERE", "n = 2"],
    &["DOC.CLAIM", "w", "WHERE", "n = 2", "SET", "taken", "true"],
    &["DOC.INSERT", "w", "{}", "ID", "1"],
    &["DOC.ALTER", "w", "SET", "TTL", "100"],
];

#[test]
fn what_changes_a_watched_document_aborts() {
    let server = Server::start();
    for mut c in [server.resp2(), server.resp3()] {
        let mut other = server.resp2();
        for change in CHANGES {
            assert!(is_aborted(&mut c, &mut other, "w:1", change), "{change:?}");
        }
        // A birth under a watched key, by the user and by the server.
        let births: [&[&str]; 4] = [
            &["DOC.SET", "w:3", "{}"],
            &["DOC.MSETNX", "w:4", "{}", "w:3", "{}"],
            &["DOC.INSERT", "w", "{}", "ID", "3"],
            &["DOC.UPDATE", "w:3", "UPSERT", "SET", "n", "9"],
        ];
        for birth in births {
            assert!(is_aborted(&mut c, &mut other, "w:3", birth), "{birth:?}");
        }
    }
}

#[test]
fn what_changes_nothing_of_a_watched_document_does_not_abort() {
    let server = Server::start();
    for mut c in [server.resp2(), server.resp3()] {
        let mut other = server.resp2();
        for none in NO_CHANGES {
            assert!(!is_aborted(&mut c, &mut other, "w:1", none), "{none:?}");
        }
    }
}

#[test]
fn a_document_that_lapses_aborts_as_any_key_does() {
    let server = Server::start();
    let mut c = server.resp2();
    fill(&mut c);
    c.call(&["DEBUG", "SET-ACTIVE-EXPIRE", "0"]);
    let exec = |c: &mut Client| {
        c.call(&["MULTI"]);
        c.call(&["PING"]);
        c.call(&["EXEC"])
    };
    for write in [&["SET", "w:text", "x", "PX", "20"][..], &["DOC.SET", "w:3", "{}", "PX", "20"]] {
        c.call(write);
        c.call(&["WATCH", write[1]]);
        thread::sleep(Duration::from_millis(40));
        assert_eq!(exec(&mut c), Value::Nil, "{write:?}");
        // One that had lapsed already when it was watched is absent, and stays so.
        c.call(write);
        thread::sleep(Duration::from_millis(40));
        c.call(&["WATCH", write[1]]);
        assert_ne!(exec(&mut c), Value::Nil, "{write:?}");
    }
}
