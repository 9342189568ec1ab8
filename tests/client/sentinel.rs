//! Sentinels: the client goes on with the primary that they name, and nothing is written twice.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use folio::watch::Watch;
use folio::{Error, Folio};
use folio_tests::replica::{address, follow, in_sync, wait_until};
use folio_tests::{Client, Server};
use redis::ProtocolVersion;
use serde_json::{Value, json};

use crate::transport::runtime;

/// How soon a sentinel takes a server that says nothing for one that is gone.
const DOWN_AFTER_MS: &str = "600";

/// A sentinel of this machine, whatever its servers are.
struct Sentinel {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Sentinel {
    fn start(primary: &Server) -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        drop(listener);
        let folder = tempfile::tempdir().expect("a folder can be made");
        let [host, server] = address(primary);
        let config = format!(
            "port {port}\nbind 127.0.0.1\ndir {}\nlogfile \"\"\n\
             sentinel monitor main {host} {server} 2\n\
             sentinel down-after-milliseconds main {DOWN_AFTER_MS}\n\
             sentinel failover-timeout main 4000\n",
            folder.path().display()
        );
        let path = folder.path().join("sentinel.conf");
        std::fs::write(&path, config).expect("a file can be written");
        let mut command = Command::new("redis-server");
        command.arg(&path).arg("--sentinel").stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().expect("the machine has a server");
        Self { child, port, _folder: folder }
    }

    fn client(&self) -> Client {
        Client::connect(&format!("redis://127.0.0.1:{}", self.port), ProtocolVersion::RESP2)
    }

    /// Whether it knows both other sentinels and the replica.
    fn knows_all(&self) -> bool {
        if std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            return false;
        }
        let told = self.client().call(&["SENTINEL", "MASTER", "main"]);
        let told: BTreeMap<String, String> = redis::from_redis_value(told).expect("it is a map");
        told["num-other-sentinels"] == "2" && told["num-slaves"] == "1"
    }
}

/// A primary, a replica and three sentinels that know each other and both.
struct Watched {
    servers: [Server; 2],
    sentinels: Vec<Sentinel>,
}

impl Watched {
    fn start() -> Self {
        let servers = [Server::start(), Server::start()];
        follow(&servers[1], &servers[0]);
        in_sync(&servers[0], &servers[1]);
        let sentinels: Vec<Sentinel> = (0..3).map(|_| Sentinel::start(&servers[0])).collect();
        for sentinel in &sentinels {
            wait_until("each sentinel knows the others", || sentinel.knows_all());
        }
        Self { servers, sentinels }
    }

    fn url(&self) -> String {
        let hosts: Vec<String> =
            self.sentinels.iter().map(|it| format!("127.0.0.1:{}", it.port)).collect();
        format!("redis+sentinel://{}/main", hosts.join(","))
    }

    async fn client(&self) -> Folio {
        let builder = Folio::builder(&self.url()).timeout(Duration::from_secs(20));
        builder.connect().await.expect("the primary answers")
    }
}

fn is_local() -> bool {
    // A container is one life of a server and has a port of its own; sentinels are of this machine.
    let is_container = Server::shared().is_in_container();
    if is_container {
        eprintln!("sentinels watch processes of this machine alone");
    }
    !is_container
}

#[test]
fn the_client_goes_on_behind_a_primary_that_was_killed() {
    if !is_local() {
        return;
    }
    let mut watched = Watched::start();
    let runtime = runtime();
    let db = runtime.block_on(watched.client());
    let (is_over, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let tasks: Vec<_> = (0..4)
        .map(|task| {
            let (db, is_over) = (db.clone(), Arc::clone(&is_over));
            let written = Arc::clone(&written);
            runtime.spawn(async move { count(&db, task, &is_over, &written).await })
        })
        .collect();
    wait_until("something is written", || written.load(Ordering::Relaxed) > 200);
    watched.servers[0].kill();
    let (killed, before) = (Instant::now(), written.load(Ordering::Relaxed));
    wait_until("the client goes on", || written.load(Ordering::Relaxed) > before + 200);
    let away = killed.elapsed();
    eprintln!("the client went on after {away:?}");
    assert!(away < Duration::from_secs(20), "{away:?}");
    is_over.store(true, Ordering::Relaxed);
    let mut told = BTreeMap::new();
    for (task, outcome) in tasks.into_iter().enumerate() {
        told.insert(task, runtime.block_on(outcome).expect("no task panics"));
    }
    for (task, (acknowledged, unknown)) in told {
        let read = runtime.block_on(db.get::<Value>(&format!("counters:{task}")));
        let n = read.expect("it answers").expect("it is there")["n"].as_u64().expect("a number");
        // Every write has the version that it found: each is done once at most. What the killed primary had not yet sent
        // to its replica is lost, which no client can prevent.
        assert!(n <= acknowledged + unknown, "{n} {acknowledged} {unknown}");
        assert!(n + 50 > acknowledged, "{n} {acknowledged} {unknown}");
    }
}

/// Counts under a key of one's own, each time with the version that was read; gives how many writes were acknowledged,
/// and of how many nobody knows.
async fn count(db: &Folio, task: u64, is_over: &AtomicBool, written: &AtomicU64) -> (u64, u64) {
    let (key, mut told) = (format!("counters:{task}"), (0, 0));
    while !is_over.load(Ordering::Relaxed) {
        let meta: Option<BTreeMap<String, Value>> = match db.cmd("DOC.META").key(&key).read().await
        {
            Ok(meta) => meta,
            Err(error) => {
                assert!(error.is_retryable(), "{error:?}");
                continue;
            }
        };
        let version = meta.and_then(|meta| meta["version"].as_u64()).unwrap_or(0);
        let count = folio::untyped::Write::upsert(&key).change(("INCR", "n", 1));
        match db.atomic((count.if_version(version),)).await {
            Ok(_) => {
                told.0 += 1;
                written.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) if error.is_ambiguous() => told.1 += 1,
            Err(Error::VersionConflict { .. }) => {}
            Err(error) => assert!(error.is_retryable(), "{error:?}"),
        }
    }
    told
}

/// Creates a document, whatever breaks meanwhile.
async fn write_once(db: &Folio, key: &str) {
    let insert = || folio::untyped::Write::insert(key, &json!({})).expect("it is JSON");
    loop {
        match db.atomic((insert(),)).await {
            Ok(_) | Err(Error::AlreadyExists { .. }) => return,
            Err(error) => assert!(error.is_ambiguous() || error.is_retryable(), "{error:?}"),
        }
    }
}

#[test]
fn a_demoted_server_is_left_and_streams_go_on() {
    if !is_local() {
        return;
    }
    let watched = Watched::start();
    let [old, new] = &watched.servers;
    runtime().block_on(async {
        let db = watched.client().await;
        let jobs = folio::untyped::Definition::new("jobs").changes(folio::untyped::Changes::keys());
        db.create(&jobs).await.expect("nothing is there");
        let mut changes = Watch::<Value>::of("jobs").open(&db).await.expect("it tells");
        db.set("jobs:1", &json!({})).await.expect("it is a document");
        assert_eq!(changes.next().await.expect("it is read").token().to_string(), "1-0");
        in_sync(old, new);
        let mut sentinel = watched.sentinels[0].client();
        wait_until("a sentinel hands over", || {
            sentinel.try_call(&["SENTINEL", "FAILOVER", "main"]).is_ok()
        });
        // The servers end their connections now, those of this test among them.
        let [_, port] = address(new);
        let mut named = || {
            let told = sentinel.call(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main"]);
            redis::from_redis_value::<Vec<String>>(told).expect("it is an address")
        };
        wait_until("the replica is the primary", || named().get(1) == Some(&port));
        let relaxed = db.read_from_replica();
        for n in 2..10 {
            write_once(&db, &format!("jobs:{n}")).await;
        }
        for n in 2..10 {
            let change = tokio::time::timeout(Duration::from_secs(20), changes.next()).await;
            let change = change.expect("a change comes").expect("it is read");
            let key = change.event().map(|it| it.key.clone());
            assert_eq!(key, Some(format!("jobs:{n}")), "{change:?}");
        }
        assert_eq!(new.resp2().info("replication", "role"), "master");
        for _ in 0..4 {
            relaxed.get::<Value>("jobs:1").await.expect("a replica answers, or the primary");
        }
    });
}

#[test]
fn a_name_that_no_sentinel_knows_is_told_at_once() {
    if !is_local() {
        return;
    }
    let watched = Watched::start();
    runtime().block_on(async {
        let url = watched.url().replace("/main", "/other?sentinel_password=secret");
        let start = Instant::now();
        let error = Folio::connect(&url).await.expect_err("nobody knows it");
        assert!(
            matches!(error, Error::Connection { maybe_applied: false, .. } | Error::Server(_)),
            "{error:?}"
        );
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
        let builder = format!("{:?}", Folio::builder(&url));
        assert!(!builder.contains("secret"), "{builder}");
    });
}
