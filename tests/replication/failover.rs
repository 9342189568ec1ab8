//! Replicas that become primaries, and primaries that wait.

use std::thread;
use std::time::Duration;

use folio_tests::Server;
use folio_tests::replica::{address, follow, in_sync, wait_until};

use super::world::{digest, options, same, write_round};

fn pair() -> (Server, Server) {
    let (primary, replica) = (options().start(), options().start());
    write_round(&mut primary.resp2(), 0);
    follow(&replica, &primary);
    same(&primary, &replica);
    (primary, replica)
}

#[test]
fn a_promoted_replica_goes_on_with_versions_and_births() {
    let (primary, replica) = pair();
    let (mut p, mut r) = (primary.resp2(), replica.resp2());
    let last = p.int(&["DOC.SET", "towns:last", r#"{"n":1}"#]);
    p.call(&["DOC.DEL", "towns:last"]);
    in_sync(&primary, &replica);
    let before = digest(&mut r);
    r.call(&["REPLICAOF", "NO", "ONE"]);
    assert_eq!(digest(&mut r), before);
    let next = r.int(&["DOC.SET", "towns:next", r#"{"n":1}"#]);
    assert!(next > last, "{next} is to follow {last}");
    assert_eq!(r.keys(&["DOC.FIND", "towns"]).last().map(String::as_str), Some("towns:next"));
    assert!(r.error(&["DOC.SET", "towns:x", r#"{"n":"text"}"#]).starts_with("SCHEMA"));
    write_round(&mut r, 1);
    // The old primary follows the new one.
    follow(&primary, &replica);
    same(&replica, &primary);
}

#[test]
fn a_failover_changes_roles_between_writes() {
    let (primary, replica) = pair();
    let (mut p, mut r) = (primary.resp2(), replica.resp2());
    write_round(&mut p, 1);
    let [host, port] = address(&replica);
    p.call(&["FAILOVER", "TO", &host, &port, "TIMEOUT", "20000"]);
    wait_until("the replica is a primary", || r.info("replication", "role") == "master");
    wait_until("the primary is a replica", || p.info("replication", "role") == "slave");
    write_round(&mut r, 2);
    same(&replica, &primary);
    assert_eq!(p.info("stats", "sync_full"), "1", "a failover goes on partially");
    let [host, port] = address(&primary);
    r.call(&["FAILOVER", "TO", &host, &port, "TIMEOUT", "20000"]);
    wait_until("the first is a primary again", || p.info("replication", "role") == "master");
    write_round(&mut p, 3);
    same(&primary, &replica);
}

#[test]
fn a_pause_of_writes_holds_them_back_and_nothing_else() {
    let (primary, replica) = pair();
    let mut p = primary.resp2();
    p.call(&["DOC.SET", "towns:brief", r#"{"n":5,"tag":"brief"}"#, "PX", "150"]);
    in_sync(&primary, &replica);
    p.call(&["CLIENT", "PAUSE", "10000", "WRITE"]);
    let url = primary.url().to_owned();
    let writer = thread::spawn(move || {
        let mut c = folio_tests::Client::connect(&url, redis::ProtocolVersion::RESP2);
        write_round(&mut c, 1);
    });
    thread::sleep(Duration::from_millis(300));
    let mut r = replica.resp2();
    // The document has lapsed, and no server may remove it now.
    for c in [&mut p, &mut r] {
        assert_eq!(c.int(&["DOC.COUNT", "towns", "WHERE", "tag = 'brief'"]), 0);
        assert_eq!(c.text(&["DOC.GET", "towns:brief"]), None);
        assert_eq!(c.text(&["TYPE", "towns:1-0"]).as_deref(), Some("none"));
    }
    assert!(!writer.is_finished());
    p.call(&["CLIENT", "UNPAUSE"]);
    writer.join().unwrap();
    same(&primary, &replica);
}
