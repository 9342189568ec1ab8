//! Replicas and restarts: the same stream, and numbers that go on.

use folio_tests::replica::{follow, in_sync, wait_until};
use folio_tests::{Client, Options, Server};

use super::entry::{all, are_gapless, settled};

/// Some of everything, native commands among them. Gives how many entries it makes.
fn write_some(c: &mut Client, round: usize) -> usize {
    let key = |name: &str| format!("t:{round}-{name}");
    let (a, b, d) = (key("a"), key("b"), key("d"));
    c.call(&["DOC.SET", &a, r#"{"n":1}"#]);
    c.call(&["DOC.UPDATE", &a, "INCR", "n", "1"]);
    c.call(&["RENAME", &a, &b]);
    c.call(&["COPY", &b, &d]);
    c.call(&["DEL", &b]);
    c.call(&["DOC.MSET", &a, "{}", &d, r#"{"m":1}"#]);
    settled(c);
    8
}

fn declare(c: &mut Client) {
    c.call(&["DOC.CREATE", "t", "CHANGES", "BOTH"]);
}

#[test]
fn a_replica_has_the_same_stream_and_goes_on_with_its_numbers() {
    let (primary, replica) = (Server::start(), Server::start());
    let (mut p, mut r) = (primary.resp2(), replica.resp2());
    declare(&mut p);
    let mut made = write_some(&mut p, 0);
    follow(&replica, &primary);
    in_sync(&primary, &replica);
    made += write_some(&mut p, 1);
    p.call(&["DOC.SET", "t:lapses", "{}", "PX", "30"]);
    wait_until("it lapses", || p.int(&["EXISTS", "t:lapses"]) == 0);
    settled(&mut p);
    made += 2;
    in_sync(&primary, &replica);
    let told = all(&mut p, "t");
    are_gapless(&told, 1);
    assert_eq!(told.len(), made);
    assert_eq!(all(&mut r, "t"), told);
    assert_eq!(r.info_number("folio", "folio_changes_written"), 0);
    // The numbers outlive the stream on both.
    p.call(&["DEL", "changes:t"]);
    in_sync(&primary, &replica);
    r.call(&["REPLICAOF", "NO", "ONE"]);
    write_some(&mut r, 2);
    are_gapless(&all(&mut r, "t"), made as u64 + 1);
    // What was a primary follows, and has what the other has.
    follow(&primary, &replica);
    in_sync(&replica, &primary);
    assert_eq!(all(&mut p, "t"), all(&mut r, "t"));
}

#[test]
fn a_flush_and_a_promotion_go_on_with_the_number() {
    let (primary, replica) = (Server::start(), Server::start());
    let (mut p, mut r) = (primary.resp2(), replica.resp2());
    declare(&mut p);
    follow(&replica, &primary);
    in_sync(&primary, &replica);
    let made = write_some(&mut p, 0) as u64;
    p.call(&["FLUSHALL"]);
    settled(&mut p);
    in_sync(&primary, &replica);
    assert_eq!(all(&mut r, "t"), all(&mut p, "t"));
    are_gapless(&all(&mut r, "t"), made + 1);
    r.call(&["REPLICAOF", "NO", "ONE"]);
    write_some(&mut r, 1);
    are_gapless(&all(&mut r, "t"), made + 1);
}

/// Restarts in the way of `restart`, with the stream and, in a second round, without it.
fn goes_on(mut server: Server, restart: impl Fn(&mut Server)) {
    let mut c = server.resp2();
    declare(&mut c);
    let mut made = 0;
    for round in 0..2 {
        made += write_some(&mut c, round);
        let told = all(&mut c, "t");
        are_gapless(&told, 1);
        restart(&mut server);
        c = server.resp2();
        assert_eq!(all(&mut c, "t"), told);
    }
    c.call(&["DEL", "changes:t"]);
    restart(&mut server);
    c = server.resp2();
    write_some(&mut c, 2);
    are_gapless(&all(&mut c, "t"), made as u64 + 1);
    assert_eq!(c.call(&["DOC.VERIFY", "t"]), redis::Value::Array(vec![]));
}

#[test]
fn a_snapshot_keeps_stream_and_number() {
    goes_on(Server::start(), Server::restart);
}

#[test]
fn an_append_only_file_keeps_stream_and_number() {
    for preamble in ["yes", "no"] {
        let options = || Options::new().appendonly().config("aof-use-rdb-preamble", preamble);
        goes_on(options().start(), Server::restart_without_saving);
        goes_on(options().start(), |server| {
            let mut c = server.resp2();
            c.call(&["BGREWRITEAOF"]);
            wait_until("it is rewritten", || {
                c.info("persistence", "aof_rewrite_in_progress") == "0"
                    && c.info("persistence", "aof_rewrite_scheduled") == "0"
            });
            server.restart_without_saving();
        });
    }
}

#[test]
fn a_reload_tells_nothing() {
    let server = Server::start();
    let mut c = server.resp2();
    declare(&mut c);
    let made = write_some(&mut c, 0);
    let told = all(&mut c, "t");
    c.call(&["DEBUG", "RELOAD"]);
    settled(&mut c);
    assert_eq!(all(&mut c, "t"), told);
    write_some(&mut c, 1);
    are_gapless(&all(&mut c, "t"), 1);
    assert_eq!(all(&mut c, "t").len(), made * 2);
}

#[test]
fn a_kill_right_after_an_answer_loses_neither_document_nor_entry() {
    let mut server = Options::new().appendonly().start();
    let mut c = server.resp2();
    declare(&mut c);
    for n in 0..50 {
        c.call(&["DOC.SET", &format!("t:{n}"), "{}"]);
    }
    server.kill();
    server.start_again();
    let mut c = server.resp2();
    assert_eq!(c.int(&["DOC.COUNT", "t"]), 50);
    are_gapless(&all(&mut c, "t"), 1);
    assert_eq!(all(&mut c, "t").len(), 50);
}

#[test]
fn a_new_declaration_goes_on_after_a_stream_that_is_gone_before_its_first_change() {
    for preamble in ["yes", "no"] {
        let options = Options::new().config("appendonly", "yes");
        let mut server = options.config("aof-use-rdb-preamble", preamble).start();
        let c = &mut server.resp2();
        // A document of a lower database, before which a rewritten file has the definitions of all.
        c.call(&["DOC.SET", "notes:1", "{}"]);
        c.call(&["SELECT", "1"]);
        declare(c);
        c.call(&["DOC.SET", "t:1", "{}"]);
        c.call(&["DOC.DROP", "t", "DOCUMENTS"]);
        declare(c);
        c.call(&["BGREWRITEAOF"]);
        let is_done = |c: &mut Client| c.info_number("persistence", "aof_rewrite_in_progress") == 0;
        wait_until("the file is rewritten", || is_done(c));
        c.call(&["DEL", "changes:t"]);
        c.call(&["DOC.SET", "t:1", "{}"]);
        assert_eq!(all(c, "t").len(), 1);
        are_gapless(&all(c, "t"), 3);
        server.restart_without_saving();
        let c = &mut server.resp2();
        c.call(&["SELECT", "1"]);
        c.call(&["DOC.SET", "t:2", "{}"]);
        assert_eq!(all(c, "t").len(), 2);
        are_gapless(&all(c, "t"), 3);
    }
}
