//! Cache-aside: loaded once, put where others find it, and forgotten when it changes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use folio::untyped::{Changes, Definition};
use folio::{Cache, Error, Folio};
use serde_json::{Value, json};

use crate::proxy::Fault;
use crate::transport::{client, with_proxy, with_server_and_proxy};

const LONG: Duration = Duration::from_secs(3_600);

async fn declare(db: &Folio) {
    let weather = Definition::new("weather").changes(Changes::keys());
    db.create(&weather).await.expect("nothing is there");
}

fn cache(db: &Folio) -> Cache<Value> {
    Cache::of(db, "weather")
}

/// What is loaded where nothing else is there, and how often.
#[derive(Clone, Default)]
struct Source(Arc<AtomicUsize>);

impl Source {
    async fn load(&self) -> folio::Result<Value> {
        let n = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
        Ok(json!({"load": n}))
    }

    fn loads(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// Waits until the cache gives this document, not longer than a second.
async fn until(cache: &Cache<Value>, id: &str, wanted: &Value) {
    let start = Instant::now();
    loop {
        let found = cache.get(id).await.expect("it answers");
        if found.as_deref() == Some(wanted) {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(2), "{found:?} is not {wanted}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[test]
fn what_many_tasks_miss_at_once_is_loaded_once() {
    with_proxy(async |db, _| {
        for cache in [cache(&db), cache(&db).local(100, LONG)] {
            let source = Source::default();
            cache.remove("paris").await.expect("it answers");
            let tasks: Vec<_> = (0..100)
                .map(|_| {
                    let (cache, source) = (cache.clone(), source.clone());
                    tokio::spawn(async move { cache.get_or_load("paris", || source.load()).await })
                })
                .collect();
            for task in tasks {
                let value = task.await.expect("no task panics").expect("it is loaded");
                assert_eq!(*value, json!({"load": 1}));
            }
            assert_eq!(source.loads(), 1);
            let read: Option<Value> = db.get("weather:paris").await.expect("it answers");
            assert_eq!(read, Some(json!({"load": 1})));
        }
        // Another program finds it on the server.
        let source = Source::default();
        let other = cache(&db).local(100, LONG);
        let value = other.get_or_load("paris", || source.load()).await.expect("it is there");
        assert_eq!((value["load"].as_u64(), source.loads()), (Some(1), 0));
    });
}

#[test]
fn two_programs_that_load_at_once_give_one_document() {
    with_proxy(async |db, _| {
        let source = Source::default();
        let (one, other) = (cache(&db), cache(&db));
        let (one, other) = tokio::join!(
            one.get_or_load("paris", || source.load()),
            other.get_or_load("paris", || source.load())
        );
        assert_eq!(source.loads(), 2);
        let (one, other) = (one.expect("it is loaded"), other.expect("it is loaded"));
        assert_eq!(one, other);
    });
}

#[test]
fn a_copy_is_forgotten_when_its_document_changes() {
    with_proxy(async |db, _| {
        declare(&db).await;
        let cache = cache(&db).local(100, LONG);
        assert!(cache.is_followed().await.expect("it answers"));
        for n in 0..50 {
            let document = json!({"n": n});
            db.set("weather:paris", &document).await.expect("it is a document");
            until(&cache, "paris", &document).await;
        }
        db.delete("weather:paris").await.expect("it is there");
        let start = Instant::now();
        while cache.get("paris").await.expect("it answers").is_some() {
            assert!(start.elapsed() < Duration::from_secs(2));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
}

#[test]
fn no_copy_outlives_a_change_that_comes_while_it_is_made() {
    with_proxy(async |db, proxy| {
        declare(&db).await;
        let cache = cache(&db).local(100, LONG);
        assert!(cache.is_followed().await.expect("it answers"));
        proxy.set(Fault::Delay(Duration::from_micros(300)));
        let reader = cache.clone();
        let reading = tokio::spawn(async move {
            loop {
                for id in ["a", "b", "c"] {
                    reader.get(id).await.expect("it answers");
                }
            }
        });
        for n in 0..150 {
            for id in ["a", "b", "c"] {
                let key = format!("weather:{id}");
                db.set(&key, &json!({"n": n})).await.expect("it is a document");
            }
        }
        reading.abort();
        for id in ["a", "b", "c"] {
            until(&cache, id, &json!({"n": 149})).await;
        }
    });
}

#[test]
fn copies_are_forgotten_over_a_break_and_when_all_is_gone() {
    with_server_and_proxy(async |url, proxy| {
        let db = client(&proxy.url()).await;
        let writer = client(&url).await;
        declare(&writer).await;
        let cache = cache(&db).local(100, LONG);
        cache.put("paris", json!({"n": 0})).await.expect("it is a document");
        for n in 1..20 {
            until(&cache, "paris", &json!({"n": n - 1})).await;
            proxy.end_all();
            let document = json!({"n": n});
            writer.set("weather:paris", &document).await.expect("it is a document");
            until(&cache, "paris", &document).await;
        }
        writer.cmd("FLUSHDB").query::<()>().await.expect("it may");
        let start = Instant::now();
        while cache.get("paris").await.expect("it answers").is_some() {
            assert!(start.elapsed() < Duration::from_secs(2));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
}

#[test]
fn without_a_change_stream_a_copy_is_good_for_its_time_alone() {
    with_proxy(async |db, _| {
        let cache = cache(&db).local(100, Duration::from_millis(300));
        cache.put("paris", json!({"n": 1})).await.expect("it is a document");
        assert!(!cache.is_followed().await.expect("it answers"));
        let start = Instant::now();
        let first = cache.get("paris").await.expect("it answers").expect("it is there");
        db.set("weather:paris", &json!({"n": 2})).await.expect("it is a document");
        let second = cache.get("paris").await.expect("it answers").expect("it is there");
        if start.elapsed() < Duration::from_millis(300) {
            assert!(Arc::ptr_eq(&first, &second), "{second}");
        }
        tokio::time::sleep(Duration::from_millis(320)).await;
        until(&cache, "paris", &json!({"n": 2})).await;
        cache.put("paris", json!({"n": 3})).await.expect("it is a document");
        let own = cache.get("paris").await.expect("it answers").expect("it is there");
        assert_eq!(own["n"], 3, "what it writes itself it sees at once");
        assert!(cache.remove("paris").await.expect("it answers"));
        assert_eq!(cache.get("paris").await.expect("it answers"), None);
        assert!(!cache.remove("paris").await.expect("it answers"));
    });
}

#[test]
fn an_error_of_the_source_is_kept_nowhere() {
    with_proxy(async |db, _| {
        let cache = cache(&db).local(100, LONG).expire_in(Duration::from_secs(100));
        let failed = cache.get_or_load("paris", || async { Err(Error::Usage("closed".into())) });
        assert!(matches!(failed.await, Err(Error::Usage(_))));
        let source = Source::default();
        let value = cache.get_or_load("paris", || source.load()).await.expect("it is loaded");
        assert_eq!(value["load"], 1);
        let ttl: i64 = db.cmd("TTL").key("weather:paris").read().await.expect("it answers");
        assert!((1..=100).contains(&ttl), "{ttl}");
    });
}
