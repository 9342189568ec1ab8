//! A load of every kind of write while the server is killed and comes back: what was acknowledged is there, nothing is done
//! twice that nobody was told of, and nothing hangs. `FOLIO_CLIENT_LOAD_SECONDS` says for how long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use folio::untyped::Write;
use folio::{Document, Error, Folio, Id};
use folio_tests::Options;
use serde::{Deserialize, Serialize};

use crate::transport::runtime;

/// How long the load lasts if nothing is said.
const SECONDS: u64 = 20;
/// How many tasks write.
const TASKS: u64 = 8;
/// No call may take longer, whatever happens to the server.
const PATIENCE: Duration = Duration::from_secs(15);

#[derive(Debug, Clone, PartialEq, Document, Serialize, Deserialize)]
#[folio(collection = "counters")]
struct Counter {
    #[folio(id)]
    id: Id<Counter>,
    n: u64,
    #[folio(version)]
    version: u64,
}

#[derive(Debug, Clone, PartialEq, Document, Serialize, Deserialize)]
#[folio(collection = "entries")]
struct Entry {
    #[folio(id)]
    id: Id<Entry>,
    #[folio(index)]
    task: u64,
    n: u64,
}

/// What came of a task's writes.
#[derive(Debug, Default)]
struct Told {
    acknowledged: u64,
    unknown: u64,
    inserted: Vec<u64>,
    perhaps_inserted: Vec<u64>,
    calls: u64,
}

/// Counts an outcome; whether the write was acknowledged, and whether nobody knows.
fn note<T>(outcome: &folio::Result<T>) -> (bool, bool) {
    match outcome {
        Ok(_) => (true, false),
        Err(error) if error.is_ambiguous() => (false, true),
        Err(Error::VersionConflict { .. }) => (false, false),
        Err(error) => {
            assert!(error.is_retryable(), "{error:?}");
            (false, false)
        }
    }
}

/// Counts up one way or another, and inserts an entry, until it is over.
async fn work(db: Folio, task: u64, is_over: Arc<AtomicBool>) -> Told {
    let (mut told, id) = (Told::default(), Id::<Counter>::from(format!("c{task}")));
    while !is_over.load(Ordering::Relaxed) {
        let n = told.calls;
        told.calls += 1;
        let start = Instant::now();
        let (is_done, is_unknown) = match n % 4 {
            0 => note(&Counter::get(&id).update(Counter::n().inc(1)).upsert().run(&db).await),
            1 => {
                let key = format!("counters:c{task}");
                note(&db.atomic((Write::upsert(&key).change(("INCR", "n", 1)),)).await)
            }
            2 => match Counter::get(&id).maybe(&db).await {
                Ok(Some(mut counter)) => {
                    counter.n += 1;
                    note(&counter.save(&db).await)
                }
                outcome => (false, note(&outcome).1),
            },
            _ => {
                let entry = Entry { id: Id::from(format!("e{task}-{n}")), task, n };
                match entry.insert(&db).await {
                    Ok(_) => told.inserted.push(n),
                    Err(error) if error.is_ambiguous() => told.perhaps_inserted.push(n),
                    Err(error) => assert!(error.is_retryable(), "{error:?}"),
                }
                (false, false)
            }
        };
        told.acknowledged += u64::from(is_done);
        told.unknown += u64::from(is_unknown);
        assert!(start.elapsed() < PATIENCE, "a call took {:?}", start.elapsed());
    }
    told
}

#[test]
fn what_was_acknowledged_is_there_after_every_restart() {
    let seconds = std::env::var("FOLIO_CLIENT_LOAD_SECONDS").ok();
    let seconds = seconds.and_then(|seconds| seconds.parse().ok()).unwrap_or(SECONDS);
    let mut server = Options::new().appendonly().config("appendfsync", "always").start();
    let (runtime, url) = (runtime(), server.url().to_owned());
    let db = runtime.block_on(async {
        let db = Folio::builder(&url).timeout(Duration::from_secs(10)).connect().await?;
        db.sync::<(Counter, Entry)>().await?;
        Ok::<_, Error>(db)
    });
    let db = db.expect("the server answers");
    let is_over = Arc::new(AtomicBool::new(false));
    let start = |task| runtime.spawn(work(db.clone(), task, Arc::clone(&is_over)));
    let tasks: Vec<_> = (0..TASKS).map(start).collect();
    let (end, mut restarts) = (Instant::now() + Duration::from_secs(seconds), 0);
    while Instant::now() < end {
        std::thread::sleep(Duration::from_millis(1_500 + restarts % 5 * 300));
        server.kill();
        server.start_again();
        if server.url() != url {
            eprintln!(
                "a server in a container comes back under another address: one life is enough"
            );
            break;
        }
        restarts += 1;
    }
    std::thread::sleep(Duration::from_millis(300));
    is_over.store(true, Ordering::Relaxed);
    let mut calls = 0;
    for (task, outcome) in tasks.into_iter().enumerate() {
        let told = runtime.block_on(outcome).expect("no task panics");
        if server.url() == url {
            calls += told.calls;
            runtime.block_on(compare(&db, task as u64, &told)).expect("it answers");
        }
    }
    if server.url() == url {
        eprintln!("{calls} calls over {restarts} restarts in {seconds} s");
        assert!(restarts > 0 && calls > 1_000, "{restarts} {calls}");
    }
}

async fn compare(db: &Folio, task: u64, told: &Told) -> folio::Result<()> {
    let counter = Counter::get(Id::from(format!("c{task}"))).one(db).await?;
    let (least, most) = (told.acknowledged, told.acknowledged + told.unknown);
    assert!((least..=most).contains(&counter.n), "{} is not {least} to {most}", counter.n);
    let mut there: Vec<u64> =
        Entry::find(Entry::task().eq(task)).all(db).await?.iter().map(|entry| entry.n).collect();
    there.sort_unstable();
    let missing: Vec<&u64> =
        told.inserted.iter().filter(|n| there.binary_search(n).is_err()).collect();
    assert!(missing.is_empty(), "acknowledged and gone: {missing:?}");
    let known = |n: &&u64| !told.inserted.contains(n) && !told.perhaps_inserted.contains(n);
    let more: Vec<&u64> = there.iter().filter(known).collect();
    assert!(more.is_empty(), "there and not told: {more:?}");
    Ok(())
}
