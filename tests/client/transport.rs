//! Connections that break: what is sent again, what is told, and that no reply goes to the wrong caller.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use folio::untyped::Definition;
use folio::{Error, Folio, Session};
use folio_tests::{Options, Server};
use serde_json::{Value, json};

use crate::proxy::{Fault, Proxy};

/// A client that takes a little of a test's time to find out.
pub async fn client(url: &str) -> Folio {
    let builder = Folio::builder(url).timeout(Duration::from_secs(10));
    let builder = builder.pool(4).pool_timeout(Duration::from_secs(2));
    builder.connect().await.expect("the server answers")
}

/// Runs a test with a server, a proxy before it and a client of it.
pub fn with_proxy<F: Future<Output = ()>>(test: impl Fn(Folio, Proxy) -> F) {
    with_server_and_proxy(async |_, proxy| {
        let db = client(&proxy.url()).await;
        test(db, proxy).await;
    });
}

/// Runs a test with the address of a server and a proxy before it.
pub fn with_server_and_proxy<F: Future<Output = ()>>(test: impl Fn(String, Proxy) -> F) {
    let server = Server::start();
    runtime().block_on(async {
        let proxy = Proxy::before(server.url()).await;
        test(server.url().to_owned(), proxy).await;
    });
}

pub fn runtime() -> tokio::runtime::Runtime {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime can be built")
}

async fn hits(db: &Folio) -> u64 {
    let text: Option<String> =
        db.cmd("DOC.GET").key("counters:1").arg("n").read().await.expect("it answers");
    text.map_or(0, |text| text.parse().expect("a number"))
}

async fn hit(db: &Folio) -> folio::Result<u64> {
    db.cmd("DOC.UPDATE").key("counters:1").arg(("UPSERT", "INCR", "n", 1)).query().await
}

#[test]
fn a_read_is_sent_again_wherever_the_connection_is_cut() {
    with_proxy(async |db, proxy| {
        let user = json!({"name": "Ada", "age": 36});
        db.set("users:1", &user).await.expect("nothing is broken");
        for bytes in 0..40 {
            for fault in [Fault::CutReplies(bytes), Fault::CutRequests(bytes)] {
                proxy.set(fault);
                // A cut that lies behind this answer takes place in the next.
                while proxy.fault() != Fault::None {
                    let read: Option<Value> = db.get("users:1").await.expect("it is read again");
                    assert_eq!(read.as_ref(), Some(&user), "{fault:?}");
                }
            }
        }
        assert!(proxy.opened() > 40, "{}", proxy.opened());
    });
}

#[test]
fn a_write_whose_answer_is_cut_is_ambiguous_and_never_sent_again() {
    with_proxy(async |db, proxy| {
        let (mut acknowledged, mut unknown) = (0, 0);
        for round in 0..60 {
            if round % 3 == 0 {
                // Opening has answers of its own.
                db.check().await.expect("reads are sent again");
                let fault = [Fault::CutReplies(round % 4), Fault::CutRequests(60 + round)];
                proxy.set(fault[round % 2]);
            }
            match hit(&db).await {
                Ok(_) => acknowledged += 1,
                Err(error) => {
                    assert!(error.is_ambiguous() && !error.is_retryable(), "{error:?}");
                    unknown += 1;
                }
            }
        }
        proxy.set(Fault::None);
        let n = hits(&db).await;
        assert!(unknown >= 10, "{unknown}");
        assert!(
            (acknowledged..=acknowledged + unknown).contains(&n),
            "{acknowledged} {n} {unknown}"
        );
    });
}

#[test]
fn a_command_that_could_not_be_sent_has_not_been_carried_out() {
    with_proxy(async |db, proxy| {
        proxy.set(Fault::Refuse);
        proxy.end_all();
        // The end is noticed without a command.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let error = hit(&db).await.expect_err("nobody answers");
        assert!(matches!(error, Error::Connection { maybe_applied: false, .. }), "{error:?}");
        assert!(error.is_retryable(), "{error:?}");
        proxy.set(Fault::None);
        hit(&db).await.expect("it is opened anew");
        assert_eq!(hits(&db).await, 1);
    });
}

#[test]
fn a_thousand_tasks_are_told_of_a_server_that_is_gone_as_fast_as_one() {
    with_proxy(async |db, proxy| {
        proxy.set(Fault::Refuse);
        proxy.end_all();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let start = Instant::now();
        let tasks: Vec<_> = (0..1_000)
            .map(|_| {
                let db = db.clone();
                tokio::spawn(async move { db.check().await })
            })
            .collect();
        for task in tasks {
            let error = task.await.expect("no task panics").expect_err("nobody answers");
            assert!(matches!(error, Error::Connection { maybe_applied: false, .. }), "{error:?}");
        }
        assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    });
}

#[test]
fn tasks_that_ask_again_at_once_hear_that_the_server_is_back() {
    with_proxy(async |db, proxy| {
        proxy.set(Fault::Refuse);
        proxy.end_all();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let tasks: Vec<_> = (0..100)
            .map(|_| {
                let db = db.clone();
                tokio::spawn(async move { while db.check().await.is_err() {} })
            })
            .collect();
        tokio::time::sleep(Duration::from_secs(1)).await;
        proxy.set(Fault::None);
        let back = Instant::now();
        for task in tasks {
            let outcome = tokio::time::timeout(Duration::from_secs(5), task).await;
            outcome.expect("the server answers again").expect("no task panics");
        }
        assert!(back.elapsed() < Duration::from_secs(3), "{:?}", back.elapsed());
    });
}

#[test]
fn opening_goes_on_when_the_time_of_those_who_wait_is_up() {
    with_proxy(async |db, proxy| {
        let quick = db.with_timeout(Duration::from_millis(20));
        proxy.set(Fault::Delay(Duration::from_millis(100)));
        proxy.end_all();
        tokio::time::sleep(Duration::from_millis(50)).await;
        let error = hit(&quick).await.expect_err("opening takes longer");
        assert!(matches!(error, Error::Timeout { maybe_applied: false }), "{error:?}");
        tokio::time::sleep(Duration::from_secs(1)).await;
        proxy.set(Fault::None);
        let opened = proxy.opened();
        hit(&db).await.expect("the connection is open");
        assert_eq!(proxy.opened(), opened);
    });
}

#[test]
fn a_silent_connection_is_given_up_when_time_is_up() {
    with_proxy(async |db, proxy| {
        let quick = db.with_timeout(Duration::from_millis(200));
        hit(&quick).await.expect("nothing is broken");
        proxy.set(Fault::Swallow);
        let error = hit(&quick).await.expect_err("no answer comes");
        assert!(matches!(error, Error::Timeout { maybe_applied: true }), "{error:?}");
        proxy.set(Fault::None);
        // Over the old connection no answer would come, ever.
        let start = Instant::now();
        assert_eq!(hits(&quick).await, 2);
        assert!(start.elapsed() < Duration::from_millis(200), "{:?}", start.elapsed());
        proxy.set(Fault::Swallow);
        let error = quick.get::<Value>("users:1").await.expect_err("no answer comes");
        assert!(matches!(error, Error::Timeout { maybe_applied: false }), "{error:?}");
        proxy.set(Fault::None);
        assert_eq!(quick.get::<Value>("users:1").await.expect("it is opened anew"), None);
    });
}

#[test]
fn a_slow_answer_goes_to_nobody_else() {
    with_proxy(async |db, proxy| {
        for n in 0..20 {
            db.set(&format!("users:{n}"), &json!({"n": n})).await.expect("nothing is broken");
        }
        proxy.set(Fault::Delay(Duration::from_millis(3)));
        let quick = db.with_timeout(Duration::from_millis(10));
        let mut late = 0;
        for round in 0..200 {
            let n = round % 20;
            match quick.get::<Value>(&format!("users:{n}")).await {
                Ok(read) => assert_eq!(read, Some(json!({"n": n}))),
                Err(error) => {
                    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
                    late += 1;
                }
            }
            if round == 100 {
                proxy.set(Fault::Delay(Duration::from_millis(12)));
            }
        }
        assert!(late > 50, "{late}");
    });
}

#[test]
fn eight_hundred_increments_at_a_time_are_exact() {
    with_proxy(async |db, _| {
        let tasks: Vec<_> = (0..800)
            .map(|_| {
                let db = db.clone();
                tokio::spawn(async move { hit(&db).await })
            })
            .collect();
        for task in tasks {
            task.await.expect("no task panics").expect("nothing is broken");
        }
        assert_eq!(hits(&db).await, 800);
    });
}

/// The id that the server gives the session's connection.
async fn id(own: &mut Session) -> u64 {
    own.query("CLIENT", "ID").await.expect("it answers")
}

async fn session(db: &Folio) -> Session {
    db.session().await.expect("one is free")
}

#[test]
fn a_connection_left_in_a_transaction_is_never_handed_out_again() {
    with_proxy(async |db, _| {
        let first = id(&mut session(&db).await).await;
        assert_eq!(id(&mut session(&db).await).await, first, "a clean one is used again");
        for left in [&["WATCH", "a"][..], &["MULTI"], &["SELECT", "3"], &["SUBSCRIBE", "a"]] {
            let mut own = session(&db).await;
            let before = id(&mut own).await;
            own.query::<()>(left[0], &left[1..]).await.expect("it answers");
            drop(own);
            assert_ne!(id(&mut session(&db).await).await, before, "{left:?}");
        }
        let mut own = session(&db).await;
        let before = id(&mut own).await;
        for command in [&["WATCH", "a"][..], &["MULTI"], &["SET", "a", "1"], &["EXEC"]] {
            own.query::<()>(command[0], &command[1..]).await.expect("it answers");
        }
        drop(own);
        assert_eq!(id(&mut session(&db).await).await, before, "it has come to an end");
    });
}

#[test]
fn a_connection_whose_command_was_given_up_is_never_handed_out_again() {
    with_proxy(async |db, proxy| {
        let mut own = session(&db).await;
        let before = id(&mut own).await;
        let waiting = own.query::<Option<(String, String)>>("BLPOP", ("queue", 1));
        let given_up = tokio::time::timeout(Duration::from_millis(50), waiting).await;
        assert!(given_up.is_err(), "nothing is in the queue");
        drop(own);
        let mut own = session(&db).await;
        assert_ne!(id(&mut own).await, before);
        proxy.set(Fault::CutReplies(1));
        let error = own.query::<u64>("INCR", "n").await.expect_err("it is cut");
        assert!(error.is_ambiguous(), "{error:?}");
        drop(own);
        // Not one of them is broken, and none of them answers another's question.
        for n in 2..10_u64 {
            let mut own = session(&db).await;
            assert_eq!(own.query::<String>("ECHO", n).await.expect("it answers"), n.to_string());
        }
    });
}

#[test]
fn a_pool_that_is_lent_out_says_so() {
    with_proxy(async |db, _| {
        let mut all = Vec::new();
        for _ in 0..4 {
            all.push(session(&db).await);
        }
        let error = db.session().await.expect_err("four are lent");
        assert!(matches!(error, Error::Pool(_)) && error.is_retryable(), "{error:?}");
        assert_eq!(
            error.to_string(),
            "no connection came free: all 4 connections of the pool were lent"
        );
        all.pop();
        session(&db).await;
    });
}

#[test]
fn a_large_answer_over_the_pool_is_whole() {
    with_proxy(async |db, proxy| {
        let large = json!({"text": "x".repeat(1 << 20)});
        db.set("files:1", &large).await.expect("nothing is broken");
        let opened = proxy.opened();
        let read: Option<Value> = db.pooled().get("files:1").await.expect("it is there");
        assert!(read == Some(large));
        let many: Vec<_> = (0..20).map(|n| (format!("many:{n}"), json!({"n": n}))).collect();
        let outcomes = db.pooled().set_many(&many).await.expect("nothing is broken");
        assert_eq!(outcomes.iter().filter(|it| it.is_ok()).count(), 20);
        assert_eq!(proxy.opened(), opened + 1, "one connection is enough, one after the other");
        proxy.set(Fault::CutReplies(1_000));
        let read: Option<Value> = db.pooled().get("files:1").await.expect("it is read again");
        assert!(read.is_some() && proxy.fault() == Fault::None);
        let error = db.pooled().cmd("DOC.GET").key("files:1").arg("[").read::<()>().await;
        assert_eq!(error.expect_err("no path").code(), Some("PATH"));
    });
}

#[test]
fn a_cut_at_any_byte_of_many_commands_shifts_no_answer_and_repeats_none() {
    with_proxy(async |db, proxy| {
        let (mut sent, mut acknowledged) = (0, 0);
        for bytes in 0..180 {
            for fault in [Fault::CutReplies(bytes), Fault::CutRequests(bytes * 9)] {
                db.check().await.expect("reads are sent again");
                proxy.set(fault);
                let text = format!("{fault:?}");
                let many: Vec<_> =
                    (0..20).map(|n| (format!("many:{n}"), json!({"of": text, "n": n}))).collect();
                sent += many.len() as u64;
                let outcome = db.set_many(&many).await;
                proxy.set(Fault::None);
                match outcome {
                    Ok(outcomes) => {
                        for outcome in outcomes {
                            outcome.expect("the server refuses none");
                            acknowledged += 1;
                        }
                    }
                    Err(error) => assert!(error.is_ambiguous(), "{error:?}"),
                }
            }
        }
        for n in 0..20 {
            let read: Option<Value> = db.get(&format!("many:{n}")).await.expect("it is read");
            assert_eq!(read.expect("it is there")["n"], n);
        }
        // Each text is another one, so that each write that was carried out has counted.
        let info: HashMap<String, Value> =
            db.cmd("DOC.INFO").arg("many").read().await.expect("it is there");
        let written = info["version"].as_u64().expect("it is a number");
        assert!(acknowledged > 300, "{acknowledged}");
        assert!((acknowledged..=sent).contains(&written), "{acknowledged} {written} {sent}");
    });
}

#[test]
fn no_acknowledged_write_is_lost_and_none_repeated_over_restarts() {
    let mut server = Options::new().appendonly().start();
    let (runtime, url) = (runtime(), server.url().to_owned());
    let db = runtime.block_on(client(&url));
    let is_over = Arc::new(AtomicBool::new(false));
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let (db, is_over) = (db.clone(), Arc::clone(&is_over));
            runtime.spawn(async move {
                let (mut acknowledged, mut unknown) = (0, 0);
                while !is_over.load(Ordering::Relaxed) {
                    match hit(&db).await {
                        Ok(_) => acknowledged += 1,
                        Err(error) if error.is_ambiguous() => unknown += 1,
                        Err(error) => assert!(error.is_retryable(), "{error:?}"),
                    }
                }
                (acknowledged, unknown)
            })
        })
        .collect();
    for _ in 0..3 {
        std::thread::sleep(Duration::from_millis(400));
        server.kill();
        server.start_again();
        if server.url() != url {
            // Another process has taken the port.
            break;
        }
    }
    std::thread::sleep(Duration::from_millis(800));
    is_over.store(true, Ordering::Relaxed);
    let (mut acknowledged, mut unknown) = (0, 0);
    for task in tasks {
        let (a, u) = runtime.block_on(task).expect("no task panics");
        (acknowledged, unknown) = (acknowledged + a, unknown + u);
    }
    let db = runtime.block_on(client(server.url()));
    let n = runtime.block_on(hits(&db));
    assert!(acknowledged > 100 && unknown > 0, "{acknowledged} {unknown}");
    assert!((acknowledged..=acknowledged + unknown).contains(&n), "{acknowledged} {n} {unknown}");
}

#[test]
fn another_database_and_a_bucket_are_places_of_their_own() {
    with_proxy(async |db, _| {
        let other = db.database(3).expect("it is one");
        let tenant = db.bucket("tenant-a").expect("it is a name");
        for (n, place) in [&db, &other, &tenant].into_iter().enumerate() {
            place.create(&Definition::new("users").prefix("u:")).await.expect("nothing is there");
            place.set("u:1", &json!({"n": n})).await.expect("it is a document");
        }
        for (n, place) in [&db, &other, &tenant].into_iter().enumerate() {
            let read: Option<Value> = place.get("u:1").await.expect("it is read");
            assert_eq!(read, Some(json!({"n": n})));
            let page = place.find::<Value>("users", "").load().await.expect("it is there");
            assert_eq!(page.items.len(), 1);
        }
        let names: Vec<String> =
            db.cmd("DOC.LIST").arg("tenant-a.*").read().await.expect("it answers");
        assert_eq!(names, ["tenant-a.users"]);
        let error = db.bucket("a*").expect_err("that is a pattern");
        assert!(matches!(error, Error::Usage(_)), "{error:?}");
        let error = db.database(77).expect("nobody has asked").check().await;
        assert!(error.is_err(), "there are sixteen");
    });
}

#[test]
fn a_server_without_the_module_says_so() {
    let server = Options::new().without_module().start();
    runtime().block_on(async {
        let db = client(server.url()).await;
        let error = db.check().await.expect_err("it has no such command");
        assert!(matches!(error, Error::ModuleMissing), "{error:?}");
        let error = db.set("users:1", &json!({})).await.expect_err("it has no such command");
        assert!(matches!(error, Error::ModuleMissing), "{error:?}");
    });
}

#[test]
fn a_password_stands_in_no_error() {
    let server = Server::start();
    let url = server.url().replace("redis://", "redis://ada:secret@");
    runtime().block_on(async {
        let error = Folio::connect(&url).await.expect_err("nobody is called ada");
        assert_eq!((error.code(), error.is_retryable()), (Some("WRONGPASS"), false), "{error:?}");
        assert!(!format!("{error} {error:?} {:?}", Folio::builder(&url)).contains("secret"));
        let error = Folio::connect("redis://ada:secret@[").await.expect_err("it is no address");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    });
}
