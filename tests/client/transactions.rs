//! Several documents at once: all or none, whatever happens between.

use std::time::Duration;

use folio::untyped::{Definition, Field, Write};
use folio::{Done, Error, Folio};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::proxy::{Fault, Proxy};
use crate::transport::with_proxy;

async fn read(db: &Folio, key: &str) -> Option<Value> {
    db.get(key).await.expect("it answers")
}

async fn set(db: &Folio, key: &str, document: &Value) -> u64 {
    db.set(key, document).await.expect("it is a document")
}

#[test]
fn all_writes_are_done_or_none() {
    with_proxy(async |db, _| {
        set(&db, "stock:7", &json!({"qty": 3})).await;
        let order = |n: u32| Write::insert(&format!("orders:{n}"), &json!({"qty": 2}));
        let sell = || Write::update("stock:7").when("qty >= 2").change(("INCR", "qty", -2));
        let done = db.atomic((sell(), order(1).expect("it is JSON"))).await.expect("it holds");
        assert!(matches!(done[..], [Done::Written(2), Done::Written(1)]), "{done:?}");
        let error = db.atomic((order(2).expect("it is JSON"), sell())).await.expect_err("1 < 2");
        assert_eq!(error.code(), Some("CHECK"), "{error:?}");
        assert_eq!(read(&db, "orders:2").await, None);
        let again = Write::insert("orders:1", &json!({})).expect("it is JSON");
        let error = db.atomic((Write::delete("stock:7"), again)).await.expect_err("it is there");
        assert!(
            matches!(&error, Error::AlreadyExists { key } if &**key == "orders:1"),
            "{error:?}"
        );
        assert_eq!(read(&db, "stock:7").await, Some(json!({"qty": 1})));
        let gone = vec![Write::delete("stock:7"), Write::delete("stock:8")];
        let done = db.atomic(gone).await.expect("nothing is asked");
        assert_eq!(done, [Done::Removed(true), Done::Removed(false)]);
        assert_eq!(db.atomic(Vec::<Write>::new()).await.expect("it is nothing"), []);
    });
}

#[test]
fn unique_values_of_a_transaction_are_exchanged() {
    with_proxy(async |db, _| {
        let users = Definition::new("users").field(Field::new("name", "string").unique());
        db.create(&users).await.expect("nothing is there");
        set(&db, "users:1", &json!({"name": "a"})).await;
        let version = set(&db, "users:2", &json!({"name": "b"})).await;
        let swap = |wanted| {
            let one = Write::update("users:1").change(("SET", "name", "\"b\""));
            let two = Write::set("users:2", &json!({"name": "a"})).expect("it is JSON");
            (one, two.if_version(wanted))
        };
        let error = db.atomic(swap(version + 7)).await.expect_err("no such version");
        assert!(
            matches!(error, Error::VersionConflict { expected, found: Some(found) }
                if expected == version + 7 && found == version),
            "{error:?}"
        );
        db.atomic(swap(version)).await.expect("each gives what the other takes");
        assert_eq!(read(&db, "users:1").await, Some(json!({"name": "b"})));
        let third = Write::set("users:3", &json!({"name": "a"})).expect("it is JSON");
        let error = db.atomic(vec![third]).await.expect_err("it is held");
        let Error::UniqueViolation(violation) = error else { panic!("{error:?}") };
        assert_eq!(
            (violation.fields, violation.holder),
            (vec!["name".into()], Some("users:2".into()))
        );
    });
}

#[test]
fn a_transaction_reads_its_own_documents_and_nobody_else_does() {
    with_proxy(async |db, _| {
        set(&db, "users:1", &json!({"n": 1})).await;
        let tx = db.begin().await.expect("nothing is sent");
        tx.write(Write::set("users:2", &json!({"n": 2})).expect("it is JSON")).await.expect("kept");
        tx.write(Write::delete("users:1")).await.expect("kept");
        tx.write(Write::upsert("users:3").change(("INCR", "n", 1))).await.expect("kept");
        assert_eq!(tx.get::<Value>("users:2").await.expect("its own"), Some(json!({"n": 2})));
        assert_eq!(tx.get::<Value>("users:1").await.expect("its own"), None);
        let error = tx.get::<Value>("users:3").await.expect_err("only the server can tell");
        assert!(matches!(error, Error::Usage(_)), "{error:?}");
        assert_eq!(read(&db, "users:2").await, None);
        assert_eq!(read(&db, "users:1").await, Some(json!({"n": 1})));
        let done = tx.commit().await.expect("nobody came between");
        assert_eq!(done.len(), 3);
        assert_eq!(read(&db, "users:2").await, Some(json!({"n": 2})));
        assert_eq!(read(&db, "users:1").await, None);
        assert_eq!(read(&db, "users:3").await, Some(json!({"n": 1})));
    });
}

#[test]
fn a_dropped_transaction_has_done_nothing() {
    with_proxy(async |db, _| {
        let tx = db.begin().await.expect("nothing is sent");
        tx.write(Write::set("users:1", &json!({})).expect("it is JSON")).await.expect("kept");
        drop(tx);
        let tx = db.begin().await.expect("nothing is sent");
        tx.write(Write::set("users:1", &json!({})).expect("it is JSON")).await.expect("kept");
        tx.rollback();
        assert_eq!(read(&db, "users:1").await, None);
    });
}

#[test]
fn a_commit_is_refused_if_what_was_read_has_changed() {
    with_proxy(async |db, _| {
        set(&db, "users:1", &json!({"n": 1})).await;
        for write in [Some("users:1"), Some("users:9"), None] {
            for absent in [false, true] {
                let key = if absent { "users:8" } else { "users:1" };
                db.delete("users:8").await.expect("it answers");
                let tx = db.begin().await.expect("nothing is sent");
                tx.get::<Value>(key).await.expect("it answers");
                if let Some(key) = write {
                    let write = Write::upsert(key).change(("INCR", "n", 1));
                    tx.write(write).await.expect("kept");
                }
                let before = read(&db, "users:9").await;
                db.atomic(vec![Write::upsert(key).change(("INCR", "m", 1))]).await.expect("it is");
                let error = tx.commit().await.expect_err("it has changed");
                assert!(matches!(error, Error::VersionConflict { .. }), "{write:?} {error:?}");
                assert_eq!(read(&db, "users:9").await, before);
            }
        }
    });
}

/// Moves one from an account to another, again and again until nobody comes between.
async fn transfer(db: &Folio, from: &str, to: &str) -> folio::Result<()> {
    loop {
        let tx = db.begin().await?;
        for (key, by) in [(from, -1), (to, 1)] {
            let account: Option<Value> = tx.get(key).await?;
            let balance = account.and_then(|it| it["n"].as_i64()).unwrap_or(0);
            tx.write(Write::set(key, &json!({"n": balance + by}))?).await?;
        }
        match tx.commit().await {
            Err(Error::VersionConflict { .. }) => {}
            outcome => return outcome.map(drop),
        }
    }
}

#[test]
fn transfers_between_few_accounts_by_many_tasks_lose_nothing() {
    with_proxy(async |db, _| {
        for account in 0..4 {
            set(&db, &format!("accounts:{account}"), &json!({"n": 100})).await;
        }
        let tasks: Vec<_> = (0..32)
            .map(|task| {
                let db = db.clone();
                tokio::spawn(async move {
                    for round in 0..5 {
                        let from = format!("accounts:{}", task % 4);
                        let to = format!("accounts:{}", (task + 1 + round % 3) % 4);
                        transfer(&db, &from, &to).await?;
                    }
                    Ok::<_, Error>(())
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("no task panics").expect("nothing is broken");
        }
        let mut sum = 0;
        for account in 0..4 {
            let text = read(&db, &format!("accounts:{account}")).await.expect("it is there");
            sum += text["n"].as_i64().expect("it is a number");
        }
        assert_eq!(sum, 400);
    });
}

#[derive(Deserialize)]
struct Meta {
    version: u64,
}

#[test]
fn a_transaction_that_is_cut_is_done_once_or_not_at_all() {
    with_proxy(async |db, proxy| {
        let (mut done, mut unknown) = (0, 0);
        for round in 0..80_usize {
            let meta: Option<Meta> =
                db.cmd("DOC.META").key("counters:1").read().await.expect("reads are sent again");
            let version = meta.map_or(0, |meta| meta.version);
            proxy.set(if round % 2 == 0 {
                Fault::CutReplies(round % 7)
            } else {
                Fault::CutRequests(50 + round)
            });
            let count = Write::upsert("counters:1").change(("INCR", "n", 1));
            let outcome = if round % 4 < 2 {
                // Each of these can be told from its own repetition.
                let count = count.if_version(version);
                let own = Write::insert(&format!("hits:{round}"), &json!({})).expect("it is JSON");
                db.atomic((count, own)).await
            } else {
                db.atomic(vec![count]).await
            };
            proxy.set(Fault::None);
            match outcome {
                Ok(_) => done += 1,
                Err(error) => {
                    assert!(error.is_ambiguous(), "{error:?}");
                    unknown += 1;
                }
            }
        }
        let n =
            read(&db, "counters:1").await.expect("it is there")["n"].as_u64().expect("a number");
        assert!(unknown > 10 && done > 10, "{done} {unknown}");
        assert!((done..=done + unknown).contains(&n), "{done} {n} {unknown}");
    });
}

#[test]
fn a_commit_whose_time_is_up_tells_so_and_holds_nothing() {
    with_proxy(async |db, proxy: Proxy| {
        let quick = db.with_timeout(Duration::from_millis(150));
        let tx = quick.begin().await.expect("nothing is sent");
        tx.write(Write::set("users:1", &json!({})).expect("it is JSON")).await.expect("kept");
        proxy.set(Fault::Swallow);
        let error = tx.commit().await.expect_err("no answer comes");
        assert!(matches!(error, Error::Timeout { maybe_applied: true }), "{error:?}");
        proxy.set(Fault::None);
        assert_eq!(read(&db, "users:1").await, Some(json!({})));
    });
}
