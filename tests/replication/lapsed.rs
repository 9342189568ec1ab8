//! Documents that have lapsed and that the primary has not removed: a replica leaves them out by its own clock.

use std::thread;
use std::time::Duration;

use folio_tests::replica::{follow, in_sync, wait_until};
use folio_tests::{Client, Server};
use redis::Value;

use super::world::{options, same, write_round};

fn brief(c: &mut Client, ms: &str) {
    for n in 0..50 {
        let text = format!(r#"{{"n":{n},"tag":"brief","mail":"brief-{n}"}}"#);
        let key = format!("towns:brief-{n}");
        let ttl = if n % 2 == 0 { &["PX", ms][..] } else { &[] };
        c.call(&[&["DOC.SET", &key, &text], ttl].concat());
    }
}

/// 25 of the 50 are left, in every way of asking.
fn check_halved(c: &mut Client) {
    assert_eq!(c.int(&["DOC.COUNT", "towns", "WHERE", "tag = 'brief'"]), 25);
    let page =
        ["DOC.FIND", "towns", "WHERE", "tag = 'brief'", "ORDER", "1", "n", "LIMIT", "0", "3"];
    assert_eq!(c.keys(&page), ["towns:brief-1", "towns:brief-3", "towns:brief-5"]);
    assert_eq!(c.text(&["DOC.GET", "towns:brief-0"]), None);
    assert_eq!(c.call(&["DOC.VERIFY", "towns"]), Value::Array(vec![]));
}

fn without_expiry() -> (Server, Server) {
    let (primary, replica) = (options().start(), options().start());
    primary.resp2().call(&["DEBUG", "SET-ACTIVE-EXPIRE", "0"]);
    write_round(&mut primary.resp2(), 0);
    follow(&replica, &primary);
    same(&primary, &replica);
    (primary, replica)
}

#[test]
fn a_replica_counts_by_its_own_clock() {
    let (primary, replica) = without_expiry();
    brief(&mut primary.resp2(), "200");
    in_sync(&primary, &replica);
    thread::sleep(Duration::from_millis(250));
    check_halved(&mut replica.resp2());
    check_halved(&mut primary.resp2());
    same(&primary, &replica);
    // A replica that arrives now gets them lapsed.
    for load in ["disabled", "on-empty-db", "swapdb"] {
        let late = options().config("repl-diskless-load", load).start();
        follow(&late, &primary);
        in_sync(&primary, &late);
        check_halved(&mut late.resp2());
        same(&primary, &late);
    }
}

#[test]
fn writes_over_lapsed_documents_reach_the_replica_as_births() {
    let (primary, replica) = without_expiry();
    let (mut p, mut r) = (primary.resp2(), replica.resp2());
    brief(&mut p, "200");
    in_sync(&primary, &replica);
    thread::sleep(Duration::from_millis(250));
    // Over a lapsed document, under a value that one holds, and over its key by other means.
    p.call(&["DOC.SET", "towns:brief-0", r#"{"n":0,"tag":"born again"}"#]);
    p.call(&["DOC.SET", "towns:other", r#"{"n":2,"tag":"heir","mail":"brief-2"}"#]);
    p.call(&["RENAME", "towns:brief-1", "towns:brief-4"]);
    p.call(&["COPY", "towns:brief-3", "towns:brief-6"]);
    p.call(&["SET", "towns:brief-8", "text"]);
    p.call(&["DOC.DEL", "towns:brief-10"]);
    same(&primary, &replica);
    assert_eq!(r.keys(&["DOC.FIND", "towns", "WHERE", "tag = 'heir'"]), ["towns:other"]);
    // Lapsed ones in the way of a declaration: the primary does not count them, the replica does not judge.
    p.call(&["DOC.SET", "open:1", r#"{"n":"no number"}"#, "PX", "100"]);
    p.call(&["DOC.SET", "open:2", r#"{"n":2}"#]);
    in_sync(&primary, &replica);
    thread::sleep(Duration::from_millis(150));
    p.call(&["DOC.CREATE", "open", "FIELD", "n", "int", "UNIQUE"]);
    same(&primary, &replica);
    assert_eq!(r.int(&["DOC.COUNT", "open"]), 1);
    p.call(&["DOC.DROP", "open", "DOCUMENTS"]);
    same(&primary, &replica);
    p.call(&["DEBUG", "SET-ACTIVE-EXPIRE", "1"]);
    let gone = || p.int(&["DBSIZE"]);
    let mut gone = gone;
    wait_until("the server has removed them", || {
        gone();
        replica.resp2().int(&["EXISTS", "towns:brief-48"]) == 0
    });
    same(&primary, &replica);
}
