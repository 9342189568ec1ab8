//! What a failover can lose: a primary is killed under load, its replica becomes the primary, and the acknowledged writes that
//! it does not have are counted. `RUNS` sets how often each way is tried (3).
//!
//! Replicas get what was written after it was acknowledged. WAIT asks for their word: a write counts as acknowledged
//! only when a replica has said in time that it has it.

use std::env;
use std::thread;
use std::time::Duration;

use folio_tests::generate::Random;
use folio_tests::pipeline::words;
use folio_tests::replica::{follow, in_sync, wait_until};
use folio_tests::{Pipeline, Server};
use redis::Value;

use super::world::options;

/// Runs of each way without `RUNS`.
const RUNS: usize = 3;
/// Clients that write at once.
const WRITERS: usize = 4;
/// Bytes of a document, about.
const DOCUMENT: usize = 2_000;
/// What a writer waits after each answer.
const PACE: Duration = Duration::from_millis(1);
/// How long a replica that falls behind does not read, in seconds.
const STALL: &str = "0.4";

struct Way {
    name: &'static str,
    /// A write is followed by WAIT 1, and is acknowledged when that says so.
    wait: bool,
    /// The replica does not read for a while.
    stall: bool,
    /// The full sync is a moment ago. Without a disk, the stream then waits for the replica's first word: up to a second.
    fresh: bool,
}

const WAYS: [Way; 5] = [
    Way { name: "replica keeps up", wait: false, stall: false, fresh: false },
    Way { name: "replica keeps up, WAIT 1", wait: true, stall: false, fresh: false },
    Way { name: "replica stalls", wait: false, stall: true, fresh: false },
    Way { name: "replica stalls, WAIT 1", wait: true, stall: true, fresh: false },
    Way { name: "replica just synced", wait: false, stall: false, fresh: true },
];

/// Writes documents one after the other until the link breaks; gives how many were acknowledged, in order.
fn write(url: &str, writer: usize, wait: bool) -> Vec<usize> {
    let mut pipeline = Pipeline::connect(url).expect("the server listens");
    let pad = "x".repeat(DOCUMENT);
    let mut acknowledged = Vec::new();
    for n in 0.. {
        let key = format!("towns:{writer}-{n}");
        let set = words(&["DOC.SET", &key, &format!(r#"{{"n":{n},"pad":"{pad}"}}"#)]);
        let commands = if wait { vec![set, words(&["WAIT", "1", "100"])] } else { vec![set] };
        if pipeline.send(&commands).is_err() {
            break;
        }
        let replies: Result<Vec<Value>, _> = commands.iter().map(|_| pipeline.receive()).collect();
        let Ok(replies) = replies else { break };
        assert!(matches!(replies[0], Value::Int(_)), "{replies:?}");
        if !wait || replies[1] == Value::Int(1) {
            acknowledged.push(n);
        }
        thread::sleep(PACE);
    }
    acknowledged
}

/// How many writes were acknowledged, and how many of them the replica does not have.
fn run(way: &Way, random: &mut Random) -> (usize, usize) {
    let (mut primary, replica) = (options().start(), options().start());
    primary.resp2().call(&["DOC.CREATE", "towns", "FIELD", "n", "int", "INDEX", "SORTED"]);
    follow(&replica, &primary);
    in_sync(&primary, &replica);
    if !way.fresh {
        primary.resp2().call(&["DOC.SET", "towns:first", "{}"]);
        in_sync(&primary, &replica);
    }
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (url, wait) = (primary.url().to_owned(), way.wait);
            thread::spawn(move || write(&url, writer, wait))
        })
        .collect();
    thread::sleep(Duration::from_millis(100 + random.below(200) as u64));
    let stalled = way.stall.then(|| {
        let url = replica.url().to_owned();
        thread::spawn(move || {
            let mut pipeline = Pipeline::connect(&url).expect("the replica listens");
            pipeline.call(&["DEBUG", "SLEEP", STALL]);
        })
    });
    thread::sleep(Duration::from_millis(if way.stall { 300 } else { random.below(50) as u64 }));
    primary.kill();
    let acknowledged: Vec<Vec<usize>> =
        writers.into_iter().map(|writer| writer.join().expect("no panic")).collect();
    if let Some(stalled) = stalled {
        stalled.join().expect("no panic");
    }
    // What was sent before the end is still on its way.
    let mut r = replica.resp2();
    wait_until("the replica misses its primary", || {
        r.info("replication", "master_link_status") == "down"
    });
    r.call(&["REPLICAOF", "NO", "ONE"]);
    assert_eq!(r.call(&["DOC.VERIFY", "towns"]), Value::Array(vec![]));
    (acknowledged.iter().map(Vec::len).sum(), lost(&replica, &acknowledged))
}

fn lost(replica: &Server, acknowledged: &[Vec<usize>]) -> usize {
    let mut pipeline = Pipeline::connect(replica.url()).expect("the server listens");
    let mut lost = 0;
    for (writer, numbers) in acknowledged.iter().enumerate() {
        let ask = |n: &usize| words(&["DOC.GET", &format!("towns:{writer}-{n}"), "n"]);
        let commands: Vec<_> = numbers.iter().map(ask).collect();
        for (n, reply) in numbers.iter().zip(pipeline.ask(&commands)) {
            match reply {
                Value::Nil => lost += 1,
                Value::BulkString(text) => assert_eq!(text, n.to_string().as_bytes()),
                other => panic!("{other:?}"),
            }
        }
    }
    lost
}

#[test]
fn a_failover_loses_nothing_that_a_replica_has_acknowledged() {
    let mut random = Random::from_environment();
    let given = env::var("RUNS").ok().and_then(|count| count.parse().ok());
    let runs: usize = given.unwrap_or(RUNS);
    println!("{:<30} {:>5} {:>13} {:>7} {:>10}", "", "runs", "acknowledged", "lost", "runs with");
    for way in &WAYS {
        let (mut acknowledged, mut lost, mut lossy) = (0, 0, 0);
        for _ in 0..runs {
            let (of_run, lost_by_run) = run(way, &mut random);
            acknowledged += of_run;
            lost += lost_by_run;
            lossy += usize::from(lost_by_run > 0);
        }
        println!("{:<30} {runs:>5} {acknowledged:>13} {lost:>7} {lossy:>10}", way.name);
        assert!(acknowledged > 0);
        assert!(!way.wait || lost == 0, "{}: {lost} were lost", way.name);
    }
}
