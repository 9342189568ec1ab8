//! `repl-diskless-load swapdb` between servers that know each other: the old data are served while the new are read.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use folio_engine::planted::Fault;
use folio_tests::replica::{follow, wait_until};
use folio_tests::{Client, Server, planted};
use redis::Value;

use super::world::{break_off, digest, options, same, write_round};

const TOWNS: usize = 2_000;
/// How often a load is to be met in the middle.
const TRIES: usize = 3;
/// Microseconds that the primary takes for each key: eight seconds for all, so that a busy machine can look around.
const KEY_SAVE_DELAY: &str = "4000";

/// Documents enough for the load to be met in the middle, some with a TTL, some lapsed on arrival.
fn fill(c: &mut Client, tag: &str) {
    for n in 0..TOWNS {
        let text = format!(r#"{{"n":{n},"tag":"{tag}","pad":"{}"}}"#, "p".repeat(60));
        let key = format!("towns:many-{n}");
        let ttl = if n % 10 == 0 { &["EX", "5000"][..] } else { &[] };
        c.call(&[&["DOC.SET", &key, &text], ttl].concat());
    }
}

/// A pair that was in sync, and its digest; then the replica misses more than the primary remembers.
fn estranged() -> (Server, Server, String) {
    let primary = options()
        .config("repl-diskless-sync", "yes")
        .config("repl-backlog-size", "16384")
        .config("repl-backlog-ttl", "3600")
        .start();
    let replica = options()
        .config("repl-diskless-load", "swapdb")
        .config("masteruser", "replica")
        .config("masterauth", "known")
        .start();
    let mut p = primary.resp2();
    p.call(&["ACL", "SETUSER", "replica", "on", ">known", "~*", "&*", "+@all"]);
    write_round(&mut p, 0);
    fill(&mut p, "old");
    follow(&replica, &primary);
    same(&primary, &replica);
    assert_eq!(p.info("stats", "sync_full"), "1");
    let before = digest(&mut replica.resp2());
    p.call(&["CONFIG", "SET", "rdb-key-save-delay", KEY_SAVE_DELAY]);
    // The replica is kept out while the primary goes on.
    p.call(&["ACL", "SETUSER", "replica", "resetpass", ">changed"]);
    p.call(&["CLIENT", "KILL", "TYPE", "replica"]);
    write_round(&mut p, 1);
    fill(&mut p, "new");
    p.call(&["DOC.CREATE", "another", "FIELD", "n", "int", "INDEX", "SORTED"]);
    p.call(&["DOC.DROP", "empty0"]);
    p.call(&["ACL", "SETUSER", "replica", ">known"]);
    (primary, replica, before)
}

fn is_loading_beside(c: &mut Client) -> bool {
    c.info("persistence", "async_loading") == "1"
}

/// Asks everything that the old data answer; nothing of the new may show.
fn check_old(c: &mut Client) {
    assert_eq!(c.int(&["DOC.COUNT", "towns", "WHERE", "tag = 'old'"]), TOWNS as i64);
    assert_eq!(c.int(&["DOC.COUNT", "towns", "WHERE", "tag = 'new' AND n > 2"]), 0);
    let first = c.keys(&[
        "DOC.FIND",
        "towns",
        "WHERE",
        "tag = 'old'",
        "ORDER",
        "1",
        "n",
        "LIMIT",
        "0",
        "2",
    ]);
    assert_eq!(first, ["towns:many-0", "towns:many-1"]);
    assert_eq!(c.call(&["DOC.VERIFY", "towns"]), Value::Array(vec![]));
    let names = c.texts(&["DOC.LIST"]);
    assert!(names.contains(&"empty0".to_owned()), "{names:?}");
    assert!(!names.contains(&"another".to_owned()), "{names:?}");
    assert!(c.json(&["DOC.GET", "towns:many-7"])["tag"] == "old");
    assert_eq!(c.text(&["TYPE", "towns:1-1"]).as_deref(), Some("none"));
    assert!(c.error(&["DOC.SET", "towns:x", "{}"]).starts_with("READONLY"));
}

#[test]
fn old_data_are_served_until_the_new_are_whole() {
    let met = (0..TRIES).find_map(|_| {
        let (primary, replica, _) = estranged();
        let mut r = replica.resp2();
        wait_until("a load beside the data begins", || is_loading_beside(&mut r));
        let looked = catch_unwind(AssertUnwindSafe(|| {
            check_old(&mut r);
            check_old(&mut r);
        }));
        match (looked, is_loading_beside(&mut r)) {
            (Ok(()), true) => Some((primary, replica)),
            (Err(panic), true) => resume_unwind(panic),
            // A busy machine was longer about it than the load.
            (_, false) => None,
        }
    });
    let (primary, replica) = met.expect("one of some loads lasts until everything was asked");
    same(&primary, &replica);
    let mut r = replica.resp2();
    assert_eq!(r.int(&["DOC.COUNT", "towns", "WHERE", "tag = 'new' AND n >= 0"]), 2_000 + 2);
    write_round(&mut primary.resp2(), 2);
    same(&primary, &replica);
    // What the swap left behind does not come back.
    replica.resp2().call(&["DEBUG", "RELOAD"]);
    same(&primary, &replica);
}

#[test]
fn a_load_given_up_leaves_the_old_data() {
    break_off(
        estranged,
        |(_, replica, _)| replica,
        |(primary, replica, before)| {
            let (mut p, mut r) = (primary.resp2(), replica.resp2());
            wait_until("a load beside the data begins", || is_loading_beside(&mut r));
            check_old(&mut r);
            // The replica is kept out until the old data have been looked at.
            p.call(&["ACL", "SETUSER", "replica", "resetpass", ">changed"]);
            p.call(&["CLIENT", "KILL", "TYPE", "replica"]);
            wait_until("the load is given up", || !is_loading_beside(&mut r));
            check_old(&mut r);
            assert_eq!(digest(&mut r), *before);
            p.call(&["CONFIG", "SET", "rdb-key-save-delay", "0"]);
            p.call(&["ACL", "SETUSER", "replica", ">known"]);
            same(primary, replica);
            write_round(&mut p, 2);
            same(primary, replica);
        },
    );
}

#[test]
fn a_primary_that_dies_meanwhile_leaves_a_replica_to_be_promoted() {
    break_off(
        estranged,
        |(_, replica, _)| replica,
        |(primary, replica, before)| {
            let mut r = replica.resp2();
            wait_until("a load beside the data begins", || is_loading_beside(&mut r));
            primary.kill();
            wait_until("the load is given up", || !is_loading_beside(&mut r));
            r.call(&["REPLICAOF", "NO", "ONE"]);
            assert_eq!(digest(&mut r), *before);
            write_round(&mut r, 5);
            let third = options().start();
            follow(&third, replica);
            same(replica, &third);
        },
    );
}

#[test]
fn lost_definitions_of_a_staged_sync_are_found() {
    planted::has_to_fail(Fault::Staging, old_data_are_served_until_the_new_are_whole);
}
