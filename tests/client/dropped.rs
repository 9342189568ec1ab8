//! Futures that are dropped at each of their awaits: what comes after them gets its own answers.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use folio::untyped::{Definition, Write};
use folio::{Document, Folio, Id, Ref};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::proxy::{Fault, Proxy};
use crate::transport::with_proxy;

#[derive(Debug, Clone, PartialEq, Document, Serialize, Deserialize)]
#[folio(collection = "users")]
struct User {
    #[folio(id)]
    id: Id<User>,
    n: u64,
    friend: Option<Ref<User>>,
    #[folio(version)]
    version: u64,
}

fn user(n: u64) -> User {
    User { id: Id::from(format!("u{n}")), n, friend: Some(Ref::new(Id::from("u0"))), version: 0 }
}

/// What a future gives that is polled so often at most; then it is dropped.
async fn polled<T>(future: impl Future<Output = T>, polls: u32) -> Option<T> {
    let (mut future, mut left) = (pin!(future), polls);
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(given) => Poll::Ready(Some(given)),
        Poll::Pending if left <= 1 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

/// A call of one kind, by its number.
async fn call(db: &Folio, kind: usize, round: u64) -> folio::Result<()> {
    match kind {
        0 => db.get::<Value>("users:u1").await.map(drop),
        1 => db.set("others:1", &json!({"n": round})).await.map(drop),
        2 => User::get(Id::from("u1")).one(db).await.map(drop),
        3 => User::find(()).include(User::friend()).all(db).await.map(drop),
        4 => User::get(Id::from("u2")).update(User::n().inc(1)).run(db).await.map(drop),
        5 => {
            let many = (0..30).map(|n| User { id: Id::from(format!("m{round}-{n}")), ..user(n) });
            User::insert_many(many).chunk(10).run(db).await.map(drop)
        }
        6 => db.atomic((Write::set("others:2", &json!({"n": round}))?,)).await.map(drop),
        7 => {
            let tx = db.begin().await?;
            let n = tx.get::<Value>("others:3").await?.and_then(|it| it["n"].as_u64()).unwrap_or(0);
            tx.write(Write::set("others:3", &json!({"n": n + 1}))?).await?;
            tx.commit().await.map(drop)
        }
        8 => db.pooled().get::<Value>("users:u1").await.map(drop),
        9 => {
            let mut own = db.session().await?;
            own.query::<()>("WATCH", "a").await?;
            own.query::<()>("MULTI", ()).await?;
            own.query::<()>("SET", ("a", round)).await?;
            own.query::<Vec<String>>("EXEC", ()).await.map(drop)
        }
        10 => {
            let change = User::get(Id::from("u3")).modify(db, |user| {
                user.n += 1;
                Ok(())
            });
            change.retries(3).await.map(drop)
        }
        _ => User::find(()).count(&db.pooled()).await.map(drop),
    }
}

const KINDS: usize = 12;

/// Twenty questions at a time over the shared connection, and some over the pool: each gets its own answer.
async fn answers_are_whose_they_are(db: &Folio, what: &str) {
    let asked = (0..20).map(|n| async move {
        let read: Option<Value> = db.get(&format!("known:{n}")).await.expect("it answers");
        assert_eq!(read, Some(json!({"n": n})), "{what}");
    });
    futures_util::future::join_all(asked).await;
    for n in 0..3_u64 {
        let mut own = db.session().await.expect("one is free");
        assert_eq!(own.query::<String>("ECHO", n).await.expect("it answers"), n.to_string());
        // Within MULTI it would be queued, and in another database nothing would be there.
        let known: Option<String> =
            own.query("DOC.GET", (format!("known:{n}"), "n")).await.expect("it answers");
        assert_eq!(known, Some(n.to_string()), "{what}");
    }
}

async fn prepare(db: &Folio) {
    db.sync::<User>().await.expect("nothing is there");
    db.create(&Definition::new("known")).await.expect("nothing is there");
    for n in 0..4 {
        user(n).insert(db).await.expect("it is new");
    }
    for n in 0..20 {
        db.set(&format!("known:{n}"), &json!({"n": n})).await.expect("it is a document");
    }
}

#[test]
fn a_call_that_is_dropped_at_any_await_spoils_no_other() {
    with_proxy(async |db, proxy| {
        prepare(&db).await;
        // Every piece of an answer is awaited.
        proxy.set(Fault::Delay(Duration::from_micros(300)));
        let mut dropped = 0;
        for kind in 0..KINDS {
            let mut polls = 1;
            loop {
                let what = format!("kind {kind}, dropped at poll {polls}");
                let outcome = polled(call(&db, kind, polls.into()), polls).await;
                answers_are_whose_they_are(&db, &what).await;
                match outcome {
                    Some(outcome) => {
                        break outcome.unwrap_or_else(|error| panic!("{what}: {error}"));
                    }
                    None => dropped += 1,
                }
                polls += 1;
                assert!(polls < 200, "{what}: it never ends");
            }
        }
        assert!(dropped > KINDS, "{dropped}");
    });
}

#[test]
fn a_client_whose_first_call_is_dropped_while_it_opens_opens_for_the_next() {
    with_proxy(async |db, proxy: Proxy| {
        prepare(&db).await;
        for kind in 0..KINDS {
            let mut polls = 1;
            loop {
                let fresh = Folio::builder(&proxy.url()).lazy().expect("it is an address");
                let what = format!("kind {kind}, dropped at poll {polls}");
                let round = 1_000 + u64::from(polls);
                let outcome = polled(call(&fresh, kind, round), polls).await;
                answers_are_whose_they_are(&fresh, &what).await;
                if let Some(outcome) = outcome {
                    outcome.unwrap_or_else(|error| panic!("{what}: {error}"));
                    break;
                }
                polls += 1;
                assert!(polls < 200, "{what}: it never ends");
            }
        }
    });
}
