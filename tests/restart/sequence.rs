//! The numbers of a sequence, which no restart, flush or failover gives twice.

use folio_tests::replica::{follow, in_sync};
use folio_tests::{Client, Options, Server};

fn insert(c: &mut Client) -> i64 {
    let id = c.text(&["DOC.INSERT", "s", "{}"]).expect("an id");
    id.parse().expect("a decimal number")
}

/// Numbers that were given, of which the documents of the last ones are gone; the last number.
fn fill(c: &mut Client) -> i64 {
    c.call(&["DOC.CREATE", "s", "IDS", "SEQUENCE"]);
    for n in 1..=5 {
        assert_eq!(insert(c), n);
    }
    c.call(&["DEL", "s:4", "s:5"]);
    5
}

#[test]
fn a_snapshot_keeps_the_last_number() {
    let mut server = Server::start();
    let last = fill(&mut server.resp2());
    server.restart();
    assert_eq!(insert(&mut server.resp2()), last + 1);
}

#[test]
fn an_append_only_file_keeps_the_last_number() {
    for preamble in ["yes", "no"] {
        let mut server =
            Options::new().appendonly().config("aof-use-rdb-preamble", preamble).start();
        let mut c = server.resp2();
        let last = fill(&mut c);
        server.restart_without_saving();
        let mut c = server.resp2();
        assert_eq!(insert(&mut c), last + 1, "preamble {preamble}");
        c.call(&["DEL", &format!("s:{}", last + 1)]);
        c.call(&["BGREWRITEAOF"]);
        folio_tests::replica::wait_until("the file is rewritten", || {
            c.info("persistence", "aof_rewrite_in_progress") == "0"
                && c.info("persistence", "aof_rewrite_scheduled") == "0"
        });
        server.restart_without_saving();
        assert_eq!(insert(&mut server.resp2()), last + 2, "preamble {preamble}, rewritten");
    }
}

#[test]
fn a_replica_goes_on_where_its_primary_ended() {
    let (primary, replica) = (Server::start(), Server::start());
    let (mut p, mut r) = (primary.resp2(), replica.resp2());
    let last = fill(&mut p);
    follow(&replica, &primary);
    in_sync(&primary, &replica);
    assert_eq!(insert(&mut p), last + 1);
    p.call(&["DEL", &format!("s:{}", last + 1)]);
    p.call(&["FLUSHALL"]);
    assert_eq!(insert(&mut p), last + 2);
    p.call(&["DOC.SET", "s:100", "{}"]);
    p.call(&["DEL", "s:100"]);
    in_sync(&primary, &replica);
    r.call(&["REPLICAOF", "NO", "ONE"]);
    assert_eq!(insert(&mut r), 101);
}
