//! Reads from replicas: who answers, and who stands in when one does not.

use std::time::{Duration, Instant};

use folio::{Error, Folio};
use folio_tests::replica::{follow, in_sync, wait_until};
use folio_tests::{Options, Server};
use serde_json::{Value, json};

use crate::proxy::{Fault, Proxy};
use crate::transport::runtime;

/// A primary with replicas.
struct Servers {
    primary: Server,
    replicas: Vec<Server>,
}

fn servers(replicas: usize) -> Servers {
    let primary = Server::start();
    let replicas: Vec<Server> = (0..replicas).map(|_| Server::start()).collect();
    for replica in &replicas {
        follow(replica, &primary);
        in_sync(&primary, replica);
    }
    Servers { primary, replicas }
}

fn all_in_sync(primary: &Server, replicas: &[Server]) {
    for replica in replicas {
        in_sync(primary, replica);
    }
}

/// Ends a server. That waits for Docker where it runs in a container, which a task may not.
fn kill(server: &mut Server) {
    std::thread::scope(|scope| scope.spawn(|| server.kill()).join().expect("it ends"));
}

/// A client of the primary and of replicas at these addresses.
async fn client(primary: &str, replicas: &[&str]) -> Folio {
    let builder = Folio::builder(primary).timeout(Duration::from_secs(5));
    let builder = replicas.iter().fold(builder, |builder, url| builder.replica(url));
    builder.connect().await.expect("the server answers")
}

/// How often a server has carried a command of Folio's out.
fn calls(server: &Server, command: &str) -> u64 {
    let stats = server.resp2().text(&["INFO", "commandstats"]).unwrap_or_default();
    let wanted = format!("cmdstat_{}:calls=", command.to_lowercase());
    let line =
        stats.lines().find_map(|line| line.to_lowercase().strip_prefix(&wanted).map(str::to_owned));
    line.map_or(0, |rest| rest.split(',').next().and_then(|n| n.parse().ok()).expect("a number"))
}

#[test]
fn reads_go_to_the_replicas_in_turn_and_all_else_to_the_primary() {
    let Servers { primary, replicas } = servers(2);
    runtime().block_on(async {
        let db = client(primary.url(), &[replicas[0].url(), replicas[1].url()]).await;
        let relaxed = db.read_from_replica();
        relaxed.set("users:1", &json!({"n": 1})).await.expect("it goes to the primary");
        all_in_sync(&primary, &replicas);
        for _ in 0..10 {
            let read: Option<Value> = relaxed.get("users:1").await.expect("a replica answers");
            assert_eq!(read, Some(json!({"n": 1})));
        }
        let told = || [&primary, &replicas[0], &replicas[1]].map(|server| calls(server, "doc.get"));
        assert_eq!(told(), [0, 5, 5]);
        // The value that it was made of goes on as before.
        db.get::<Value>("users:1").await.expect("the primary answers");
        assert_eq!(told(), [1, 5, 5]);
        let tx = relaxed.begin().await.expect("nothing is sent");
        assert!(tx.get::<Value>("users:1").await.expect("the primary answers").is_some());
        tx.rollback();
        assert_eq!(told(), [2, 5, 5]);
        relaxed.delete("users:1").await.expect("it goes to the primary");
        assert_eq!(calls(&primary, "doc.del"), 1);
        // Another database has its own way to them.
        let third = relaxed.database(3).expect("there is one");
        third.set("users:1", &json!({"n": 3})).await.expect("it goes to the primary");
        all_in_sync(&primary, &replicas);
        assert_eq!(third.get::<Value>("users:1").await.expect("it answers"), Some(json!({"n": 3})));
        assert_eq!(told()[0], 2);
        // What the server refuses is told as by the primary.
        let error = relaxed.count("users", "n >").load().await.expect_err("half a filter");
        assert!(matches!(error.code(), Some("FILTER" | "NOCOLLECTION")), "{error:?}");
    });
}

#[test]
fn a_replica_that_breaks_is_stood_in_for_by_the_next_and_then_by_the_primary() {
    let Servers { primary, mut replicas } = servers(2);
    runtime().block_on(async {
        let db = client(primary.url(), &[replicas[0].url(), replicas[1].url()]).await;
        let relaxed = db.read_from_replica();
        relaxed.set("users:1", &json!({})).await.expect("it goes to the primary");
        all_in_sync(&primary, &replicas);
        kill(&mut replicas[0]);
        for _ in 0..10 {
            assert!(relaxed.get::<Value>("users:1").await.expect("the other answers").is_some());
        }
        assert_eq!(calls(&primary, "doc.get"), 0);
        kill(&mut replicas[1]);
        for _ in 0..10 {
            assert!(relaxed.get::<Value>("users:1").await.expect("the primary answers").is_some());
        }
        assert_eq!(calls(&primary, "doc.get"), 10);
    });
}

#[test]
fn a_replica_that_comes_back_is_asked_again() {
    let Servers { primary, replicas } = servers(1);
    runtime().block_on(async {
        let proxy = Proxy::before(replicas[0].url()).await;
        let db = client(primary.url(), &[&proxy.url()]).await;
        let relaxed = db.read_from_replica();
        relaxed.set("users:1", &json!({})).await.expect("it goes to the primary");
        in_sync(&primary, &replicas[0]);
        relaxed.get::<Value>("users:1").await.expect("the replica answers");
        proxy.set(Fault::Refuse);
        proxy.end_all();
        relaxed.get::<Value>("users:1").await.expect("the primary answers");
        proxy.set(Fault::None);
        let deadline = Instant::now() + Duration::from_secs(20);
        let before = calls(&replicas[0], "doc.get");
        while calls(&replicas[0], "doc.get") == before {
            relaxed.get::<Value>("users:1").await.expect("one of them answers");
            assert!(Instant::now() < deadline, "nobody asks the replica");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        // One that says nothing costs one read its time, and no more.
        proxy.set(Fault::Swallow);
        let quick = relaxed.with_timeout(Duration::from_millis(300));
        let error = quick.get::<Value>("users:1").await.expect_err("no answer comes");
        assert!(matches!(error, Error::Timeout { maybe_applied: false }), "{error:?}");
        quick.get::<Value>("users:1").await.expect("the primary answers");
        // Pipelines are stood in for as a whole.
        let many = quick.cmd("DOC.MGET").key("users:1").key("users:2").read::<Vec<Option<Value>>>();
        assert_eq!(many.await.expect("the primary answers").len(), 2);
    });
}

#[test]
fn a_replica_without_its_primary_that_may_not_answer_is_stood_in_for() {
    let primary = Server::start();
    let replica = Options::new().config("replica-serve-stale-data", "no").start();
    follow(&replica, &primary);
    in_sync(&primary, &replica);
    runtime().block_on(async {
        let db = client(primary.url(), &[replica.url()]).await.read_from_replica();
        db.set("users:1", &json!({})).await.expect("it goes to the primary");
        // Nothing listens there, so that the replica is behind for good.
        replica.resp2().call(&["REPLICAOF", "127.0.0.1", "1"]);
        let mut own = replica.resp2();
        let refuses = |error: redis::RedisError| error.code() == Some("MASTERDOWN");
        wait_until("the replica knows", || own.try_call(&["GET", "a"]).is_err_and(refuses));
        assert!(db.get::<Value>("users:1").await.expect("the primary answers").is_some());
    });
}

#[test]
fn a_write_to_a_server_that_follows_another_says_so() {
    let Servers { replicas, .. } = servers(1);
    runtime().block_on(async {
        let db = client(replicas[0].url(), &[]).await;
        for db in [db.clone(), db.pooled()] {
            let error = db.set("users:1", &json!({})).await.expect_err("it takes no writes");
            assert_eq!(error.code(), Some("READONLY"), "{error:?}");
            assert!(error.is_retryable() && !error.is_ambiguous(), "{error:?}");
        }
    });
}
