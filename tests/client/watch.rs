//! Change streams: each change once and in order, whatever breaks, and what was missed told.

use std::time::Duration;

use folio::untyped::{Changes, Definition};
use folio::watch::{Change, Token, Watch};
use folio::{Error, Folio};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::proxy::Fault;
use crate::transport::{client, with_proxy, with_server_and_proxy};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Job {
    n: u64,
}

async fn declare(db: &Folio, changes: Changes) {
    db.create(&Definition::new("jobs").changes(changes)).await.expect("nothing is there");
}

async fn put(db: &Folio, key: &str, n: u64) {
    db.set(key, &Job { n }).await.expect("it is a document");
}

/// The next change, which comes within a second or two.
async fn next(changes: &mut folio::watch::Changes<Job>) -> Change<Job> {
    let next = tokio::time::timeout(Duration::from_secs(15), changes.next()).await;
    next.expect("a change comes").expect("it is read")
}

#[test]
fn each_kind_of_change_is_told_with_what_was_and_is() {
    with_proxy(async |db, _| {
        declare(&db, Changes::both()).await;
        let mut changes = Watch::<Job>::of("jobs").open(&db).await.expect("it tells");
        put(&db, "jobs:1", 1).await;
        put(&db, "jobs:1", 2).await;
        db.cmd("RENAME").key("jobs:1").key("jobs:2").query::<()>().await.expect("it is there");
        db.delete_soft("jobs:2").await.expect("it is there");
        db.undelete("jobs:2").await.expect("it is there");
        db.cmd("PEXPIRE").key("jobs:2").arg(1).query::<()>().await.expect("it is there");
        let Change::Insert { event, after } = next(&mut changes).await else { panic!("no insert") };
        assert_eq!((event.key.as_str(), event.version, after), ("jobs:1", 1, Some(Job { n: 1 })));
        let change = next(&mut changes).await;
        let Change::Update { event, paths, before, after } = change else { panic!("no update") };
        assert_eq!((event.version, paths), (2, vec!["n".to_owned()]));
        assert_eq!((before, after), (Some(Job { n: 1 }), Some(Job { n: 2 })));
        let Change::Delete { event, before } = next(&mut changes).await else {
            panic!("no delete")
        };
        assert_eq!((event.key.as_str(), event.cause.as_deref()), ("jobs:1", Some("rename")));
        assert_eq!(before, Some(Job { n: 2 }));
        let causes = ["rename", "soft", "undelete"];
        for cause in causes {
            let change = next(&mut changes).await;
            let event = change.event().expect("it is no gap");
            assert_eq!((event.key.as_str(), event.cause.as_deref()), ("jobs:2", Some(cause)));
        }
        // The server looks for what has lapsed by and by.
        let Change::Expire { before, .. } = next(&mut changes).await else { panic!("no expiry") };
        assert_eq!(before, Some(Job { n: 2 }));
        db.cmd("FLUSHDB").query::<()>().await.expect("it may");
        assert!(matches!(next(&mut changes).await, Change::Flush { .. }));
    });
}

#[test]
fn texts_are_there_as_they_are_declared() {
    with_proxy(async |db, _| {
        declare(&db, Changes::keys()).await;
        put(&db, "jobs:1", 1).await;
        let mut changes = Watch::<Job>::of("jobs").from_oldest().open(&db).await.expect("it tells");
        let Change::Insert { after, .. } = next(&mut changes).await else { panic!("no insert") };
        assert_eq!(after, None);
    });
}

#[test]
fn following_goes_on_over_every_cut() {
    with_server_and_proxy(async |url, proxy| {
        const JOBS: u64 = 600;
        let db = client(&proxy.url()).await;
        let writer = client(&url).await;
        declare(&writer, Changes::after()).await;
        let mut changes = Watch::<Job>::of("jobs").open(&db).await.expect("it tells");
        let writing = tokio::spawn(async move {
            for n in 0..JOBS {
                put(&writer, &format!("jobs:{n}"), n).await;
                if n % 3 == 0 {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            }
        });
        for n in 0..JOBS {
            if n % 10 == 0 {
                proxy.set(Fault::CutReplies((n as usize * 7) % 900));
            }
            let change = next(&mut changes).await;
            let Change::Insert { after, .. } = &change else { panic!("{change:?}") };
            assert_eq!(after, &Some(Job { n }));
        }
        writing.await.expect("it writes");
        assert!(proxy.opened() > 5, "{}", proxy.opened());
    });
}

#[test]
fn a_future_that_is_dropped_has_lost_no_change() {
    with_proxy(async |db, _| {
        const JOBS: u64 = 200;
        declare(&db, Changes::after()).await;
        let mut changes = Watch::<Job>::of("jobs").open(&db).await.expect("it tells");
        let writer = db.clone();
        let writing = tokio::spawn(async move {
            for n in 0..JOBS {
                put(&writer, &format!("jobs:{n}"), n).await;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        let (mut seen, mut dropped) = (0, 0);
        while seen < JOBS {
            let patience = Duration::from_micros(200 * (seen % 20) + 100);
            let mut given = tokio::time::timeout(patience, changes.next()).await.ok();
            if given.is_none() {
                dropped += 1;
                if dropped % 5 != 0 {
                    continue;
                }
                // Some patience has to be enough to connect.
                given = Some(Ok(next(&mut changes).await));
            }
            let change = given.expect("it was asked until it came").expect("it is read");
            let Change::Insert { after, .. } = &change else { panic!("{change:?}") };
            assert_eq!(after, &Some(Job { n: seen }));
            seen += 1;
        }
        writing.await.expect("it writes");
        assert!(dropped > 10, "{dropped}");
    });
}

#[test]
fn following_resumes_where_it_ended_and_tells_what_was_trimmed() {
    with_proxy(async |db, _| {
        declare(&db, Changes::after()).await;
        for n in 1..=10 {
            put(&db, &format!("jobs:{n}"), n).await;
        }
        let mut changes = Watch::<Job>::of("jobs").from_oldest().open(&db).await.expect("it tells");
        let mut token = None;
        for _ in 0..4 {
            token = Some(next(&mut changes).await.token());
        }
        drop(changes);
        let token = serde_json::to_string(&token.expect("four were read")).expect("it is JSON");
        assert_eq!(token, "\"4-0\"");
        let token: Token = serde_json::from_str(&token).expect("it was written so");
        let resumed = || Watch::<Job>::of("jobs").resume_after(token);
        let mut changes = resumed().open(&db).await.expect("it tells");
        let Change::Insert { after, .. } = next(&mut changes).await else { panic!("no insert") };
        assert_eq!(after, Some(Job { n: 5 }));
        db.cmd("XTRIM")
            .key("changes:jobs")
            .arg(("MINID", "8-0"))
            .query::<()>()
            .await
            .expect("it may");
        let mut changes = resumed().open(&db).await.expect("it tells");
        let Change::Gap { missed: Some(3), token } = next(&mut changes).await else {
            panic!("no gap")
        };
        assert_eq!(token.to_string(), "7-0");
        let Change::Insert { after, .. } = next(&mut changes).await else { panic!("no insert") };
        assert_eq!(after, Some(Job { n: 8 }));
        let error = "4".parse::<Token>().expect_err("half a token");
        assert!(matches!(error, Error::Usage(_)));
    });
}

#[test]
fn a_stream_that_was_begun_anew_is_told_as_a_gap() {
    with_proxy(async |db, _| {
        declare(&db, Changes::after()).await;
        for n in 1..=5 {
            put(&db, &format!("jobs:{n}"), n).await;
        }
        let mut changes = Watch::<Job>::of("jobs").open(&db).await.expect("it tells");
        for command in [&["DOC.DROP", "jobs", "DOCUMENTS"][..], &["DEL", "changes:jobs"]] {
            db.cmd(command[0]).arg(&command[1..]).query::<()>().await.expect("it is there");
        }
        declare(&db, Changes::after()).await;
        put(&db, "jobs:9", 9).await;
        let token = "5-0".parse().expect("it is one");
        let mut resumed =
            Watch::<Job>::of("jobs").resume_after(token).open(&db).await.expect("it tells");
        for changes in [&mut resumed, &mut changes] {
            assert!(matches!(next(changes).await, Change::Gap { missed: None, .. }));
            let Change::Insert { after, .. } = next(changes).await else { panic!("no insert") };
            assert_eq!(after, Some(Job { n: 9 }));
        }
    });
}

#[test]
fn a_stream_that_has_grown_again_behind_a_broken_connection_is_told_as_a_gap() {
    with_server_and_proxy(async |url, proxy| {
        let (db, direct) = (client(&proxy.url()).await, client(&url).await);
        declare(&direct, Changes::after()).await;
        let mut changes = Watch::<Job>::of("jobs").open(&db).await.expect("it tells");
        for n in 1..=3 {
            put(&direct, &format!("jobs:{n}"), n).await;
            assert!(matches!(next(&mut changes).await, Change::Insert { .. }));
        }
        proxy.set(Fault::Refuse);
        proxy.end_all();
        for command in [&["DOC.DROP", "jobs", "DOCUMENTS"][..], &["DEL", "changes:jobs"]] {
            direct.cmd(command[0]).arg(&command[1..]).query::<()>().await.expect("it is there");
        }
        declare(&direct, Changes::after()).await;
        for n in 11..=15 {
            put(&direct, &format!("jobs:{n}"), n).await;
        }
        proxy.set(Fault::None);
        assert!(matches!(next(&mut changes).await, Change::Gap { missed: None, .. }));
        for n in 11..=15 {
            let Change::Insert { after, .. } = next(&mut changes).await else { panic!("none") };
            assert_eq!(after, Some(Job { n }));
        }
    });
}

#[test]
fn what_does_not_fit_is_told_and_the_next_change_follows() {
    with_proxy(async |db, _| {
        declare(&db, Changes::after()).await;
        let mut changes = Watch::<Job>::of("jobs").open(&db).await.expect("it tells");
        db.set("jobs:1", &json!({"n": "one"})).await.expect("it is a document");
        put(&db, "jobs:2", 2).await;
        let error = changes.next().await.expect_err("it does not fit");
        assert!(matches!(&error, Error::Decode { key, .. } if &**key == "jobs:1"), "{error:?}");
        assert_eq!(next(&mut changes).await.token().to_string(), "2-0");
    });
}

#[test]
fn only_a_collection_that_tells_is_followed() {
    with_proxy(async |db, _| {
        db.set("users:1", &json!({})).await.expect("it is a document");
        let error = Watch::<Value>::of("users").open(&db).await.expect_err("it does not tell");
        assert!(matches!(error, Error::Usage(_)), "{error:?}");
        let error = Watch::<Value>::of("nowhere").open(&db).await.expect_err("it is not there");
        assert_eq!(error.code(), Some("NOCOLLECTION"), "{error:?}");
        let tenant = db.bucket("a").expect("it is a name");
        tenant.create(&Definition::new("jobs").changes(Changes::keys())).await.expect("it is new");
        let mut changes = Watch::<Job>::of("jobs").open(&tenant).await.expect("it tells");
        put(&tenant, "jobs:1", 1).await;
        assert_eq!(next(&mut changes).await.event().map(|it| it.key.as_str()), Some("a.jobs:1"));
    });
}
