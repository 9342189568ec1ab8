//! A server that follows another.

use std::thread;
use std::time::{Duration, Instant};

use crate::Server;

/// How long what is waited for may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Repeats `done` until it is true.
#[track_caller]
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "in vain waited until {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// The address of `server` as REPLICAOF and FAILOVER take it.
pub fn address(server: &Server) -> [String; 2] {
    let port = server.url().rsplit(':').next().unwrap_or_default();
    ["127.0.0.1".to_owned(), port.to_owned()]
}

/// Makes `replica` follow `primary`, without waiting for it.
pub fn follow(replica: &Server, primary: &Server) {
    let [host, port] = address(primary);
    replica.resp2().call(&["REPLICAOF", &host, &port]);
}

/// Waits until `replica` has everything that `primary` has sent.
#[track_caller]
pub fn in_sync(primary: &Server, replica: &Server) {
    let (mut p, mut r) = (primary.resp2(), replica.resp2());
    let [_, port] = address(replica);
    wait_until("the replica is in sync", || {
        let has = r.info("replication", "slave_repl_offset");
        let is_up = r.info("replication", "master_link_status") == "up";
        // The primary takes a moment longer to count the replica as one that it can hand over to.
        let known = p.text(&["INFO", "replication"]).unwrap_or_default();
        let is_online =
            known.lines().any(|line| line.contains(&format!("port={port},state=online")));
        // Read last: it only grows.
        is_up && is_online && has == p.info("replication", "master_repl_offset")
    });
}
