//! Memory returns to where it began, however often documents come, change and go.
//!
//! What may be left: the buffers in which texts are parsed, a few slots of each hash table, what the server keeps of
//! connections. A leak of eight bytes a document would show.

use std::env;

use folio_tests::{Client, Server, users};

use crate::{declare_users, rest, send, set, start};

const DOCUMENTS: u64 = 20_000;
/// Bytes that may be left.
const LEFT_MAX: i64 = 128 * 1024;

/// How often it goes round: `CYCLES`, or 5.
fn cycles() -> u64 {
    env::var("CYCLES").ok().and_then(|cycles| cycles.parse().ok()).unwrap_or(5)
}

fn all_but(every: u64) -> impl Iterator<Item = u64> {
    (0..DOCUMENTS).filter(move |n| n % every != 0)
}

fn fill_and_change(server: &Server, cycle: u64) {
    send(server, (0..DOCUMENTS).map(|n| set(users::key(n), users::json(n))));
    send(server, all_but(2).map(|n| set(users::key(n), users::revised(n, cycle + 1))));
    send(
        server,
        all_but(3)
            .map(|n| ["DOC.UPDATE", &users::key(n), "INCR", "age", "1"].map(str::to_owned).into()),
    );
    send(
        server,
        all_but(4).map(|n| ["PEXPIRE", &users::key(n), "3600000"].map(str::to_owned).into()),
    );
}

/// Runs cycles that each end with `empty`, and looks at what is left.
fn check(name: &str, empty: impl Fn(&Server, &mut Client)) {
    let server = start();
    let mut c = server.resp2();
    declare_users(&mut c);
    let before = rest(&mut c, |_| true);
    for cycle in 0..cycles() {
        fill_and_change(&server, cycle);
        assert_eq!(c.int(&["DOC.COUNT", "users"]), DOCUMENTS as i64);
        empty(&server, &mut c);
        assert_eq!(c.int(&["DBSIZE"]), 0);
        let left = rest(&mut c, |used| used - before <= LEFT_MAX) - before;
        println!("{name}, cycle {cycle}: {left} bytes are left");
        assert!(left <= LEFT_MAX, "{name}, cycle {cycle}: {left} bytes are left of {before}");
    }
    assert_eq!(c.call(&["DOC.VERIFY", "users"]), redis::Value::Array(vec![]));
}

#[test]
fn nothing_is_left_of_documents_deleted_one_by_one() {
    check("DEL", |server, _| {
        // Not in the order in which they came.
        let order = (0..DOCUMENTS).map(|n| (n * 7_919) % DOCUMENTS);
        send(server, order.map(|n| vec!["DEL".to_owned(), users::key(n)]));
    });
}

#[test]
fn nothing_is_left_of_documents_that_lapsed() {
    check("expiry", |server, c| {
        send(
            server,
            (0..DOCUMENTS).map(|n| ["PEXPIRE", &users::key(n), "1"].map(str::to_owned).into()),
        );
        let deadline = std::time::Instant::now() + crate::PATIENCE;
        while c.int(&["DBSIZE"]) > 0 {
            assert!(std::time::Instant::now() < deadline, "documents do not lapse");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    });
}

#[test]
fn nothing_is_left_after_a_flush() {
    check("FLUSHALL ASYNC", |_, c| {
        c.call(&["FLUSHALL", "ASYNC"]);
    });
    check("FLUSHALL SYNC", |_, c| {
        c.call(&["FLUSHALL", "SYNC"]);
    });
    check("FLUSHDB ASYNC", |_, c| {
        c.call(&["FLUSHDB", "ASYNC"]);
    });
}

#[test]
fn a_reload_takes_no_more_than_the_first_time() {
    let server = start();
    let mut c = server.resp2();
    declare_users(&mut c);
    fill_and_change(&server, 0);
    c.call(&["DEBUG", "RELOAD"]);
    let before = rest(&mut c, |_| true);
    for cycle in 1..cycles() {
        c.call(&["DEBUG", "RELOAD"]);
        let more = rest(&mut c, |used| used - before <= LEFT_MAX) - before;
        println!("DEBUG RELOAD {cycle}: {more} bytes more");
        assert!(more <= LEFT_MAX, "DEBUG RELOAD {cycle}: {more} bytes more than {before}");
    }
}
