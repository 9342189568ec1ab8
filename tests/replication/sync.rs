//! Full syncs of each kind, given up and tried again; partial ones; chains.

use folio_tests::Server;
use folio_tests::replica::{follow, in_sync, wait_until};

use super::world::{break_off, digest, options, same, write_round};

/// A primary with documents, a replica with others that have to go, joined in the way that the settings say.
fn full_sync(diskless_sync: &str, diskless_load: &str, has_own: bool) -> (Server, Server) {
    let primary = options().config("repl-diskless-sync", diskless_sync).start();
    write_round(&mut primary.resp2(), 0);
    let replica = options().config("repl-diskless-load", diskless_load).start();
    if has_own {
        let mut r = replica.resp2();
        write_round(&mut r, 7);
        r.call(&["DOC.CREATE", "stale", "FIELD", "x", "int", "UNIQUE"]);
    }
    follow(&replica, &primary);
    same(&primary, &replica);
    write_round(&mut primary.resp2(), 1);
    same(&primary, &replica);
    (primary, replica)
}

#[test]
fn a_full_sync_by_disk() {
    full_sync("no", "disabled", true);
}

#[test]
fn a_full_sync_into_an_empty_server_without_a_disk() {
    full_sync("yes", "on-empty-db", false);
}

#[test]
fn a_full_sync_over_others_documents_without_a_disk() {
    // The server then loads from the disk after all: it is not empty.
    full_sync("yes", "on-empty-db", true);
}

#[test]
fn a_full_sync_into_a_second_database_from_a_stranger() {
    full_sync("yes", "swapdb", true);
}

#[test]
fn a_restarted_replica_catches_up() {
    let (primary, mut replica) = full_sync("yes", "disabled", false);
    replica.restart();
    write_round(&mut primary.resp2(), 2);
    follow(&replica, &primary);
    same(&primary, &replica);
}

/// The link breaks while a full sync is under way; the replica tries again.
fn broken_off(load: &str) {
    let start = || {
        let primary = options().config("repl-diskless-sync", "yes").start();
        let mut p = primary.resp2();
        for round in 0..20 {
            write_round(&mut p, round);
        }
        p.call(&["CONFIG", "SET", "rdb-key-save-delay", "1000"]);
        (primary, options().config("repl-diskless-load", load).start())
    };
    break_off(
        start,
        |(_, replica)| replica,
        |(primary, replica)| break_link(load, primary, replica),
    );
}

fn break_link(load: &str, primary: &Server, replica: &Server) {
    let (mut p, mut r) = (primary.resp2(), replica.resp2());
    let is_loading = "the replica reads a full sync";
    if load == "disabled" {
        follow(replica, primary);
        wait_until(is_loading, || {
            r.info("replication", "master_sync_in_progress") == "1"
                && r.info("replication", "master_sync_read_bytes") != "0"
        });
    } else {
        follow(replica, primary);
        wait_until(is_loading, || r.info("persistence", "loading") == "1");
    }
    p.call(&["CLIENT", "KILL", "TYPE", "replica"]);
    p.call(&["CONFIG", "SET", "rdb-key-save-delay", "0"]);
    same(primary, replica);
    write_round(&mut p, 21);
    same(primary, replica);
}

#[test]
fn a_full_sync_by_disk_is_broken_off() {
    broken_off("disabled");
}

#[test]
fn a_full_sync_without_a_disk_is_broken_off() {
    broken_off("on-empty-db");
}

#[test]
fn a_cut_link_is_mended_by_what_was_missed() {
    let (primary, replica) = full_sync("yes", "disabled", false);
    let mut p = primary.resp2();
    for round in 2..5 {
        p.call(&["CLIENT", "KILL", "TYPE", "replica"]);
        write_round(&mut p, round);
        same(&primary, &replica);
    }
    assert_eq!(p.info("stats", "sync_full"), "1");
    assert_eq!(p.info("stats", "sync_partial_ok"), "3");
}

#[test]
fn a_chain_of_replicas_ends_with_the_same() {
    let (primary, middle) = full_sync("yes", "swapdb", false);
    let last = options().config("repl-diskless-load", "swapdb").start();
    follow(&last, &middle);
    same(&middle, &last);
    write_round(&mut primary.resp2(), 2);
    same(&primary, &middle);
    same(&middle, &last);
    // Another primary's data reach the end of the chain, too.
    let other = options().start();
    write_round(&mut other.resp2(), 9);
    follow(&middle, &other);
    same(&other, &middle);
    same(&middle, &last);
    assert_eq!(digest(&mut other.resp2()), digest(&mut last.resp2()));
    in_sync(&middle, &last);
}
