//! Change streams of the documents that a filter holds of.

use std::collections::BTreeSet;
use std::time::Duration;

use folio::watch::{Change, Changes};
use folio::{Document, Error, Folio, Id};
use serde::{Deserialize, Serialize};

use crate::proxy::Fault;
use crate::transport::{client, with_proxy, with_server_and_proxy};

#[derive(Debug, Clone, PartialEq, Document, Serialize, Deserialize)]
#[folio(collection = "users", changes(both))]
struct User {
    #[folio(id)]
    id: Id<User>,
    #[folio(index)]
    tenant: String,
    n: u64,
}

#[derive(Debug, Clone, PartialEq, Document, Serialize, Deserialize)]
#[folio(collection = "jobs", changes)]
struct Job {
    #[folio(id)]
    id: Id<Job>,
    #[folio(index)]
    tenant: String,
}

fn user(id: &str, tenant: &str, n: u64) -> User {
    User { id: Id::from(id), tenant: tenant.into(), n }
}

async fn put(db: &Folio, id: &str, tenant: &str, n: u64) {
    user(id, tenant, n).save(db).await.expect("it is a document");
}

async fn open(db: &Folio) -> Changes<User> {
    User::watch(User::tenant().eq("acme")).open(db).await.expect("it tells")
}

/// The next change, which comes within a second or two.
async fn next<T>(changes: &mut Changes<T>) -> Change<T> {
    let next = tokio::time::timeout(Duration::from_secs(15), changes.next()).await;
    next.expect("a change comes").expect("it is read")
}

/// What a change is, and of which document.
fn told<T>(change: &Change<T>) -> String {
    let kind = match change {
        Change::Insert { .. } => "insert",
        Change::Update { .. } => "update",
        Change::Enter { .. } => "enter",
        Change::Leave { .. } => "leave",
        Change::Delete { .. } => "delete",
        Change::Flush { .. } => "flush",
        Change::Gap { .. } => "gap",
        _ => "another",
    };
    let key = change.event().map(|event| event.key.as_str()).unwrap_or_default();
    format!("{kind} {key}").trim_end().to_owned()
}

#[test]
fn what_another_type_has_taken_the_place_of_holds_up_nothing() {
    with_proxy(async |db, _| {
        db.sync::<User>().await.expect("nothing is there");
        put(&db, "one", "acme", 0).await;
        let mut changes = open(&db).await;
        put(&db, "one", "acme", 1).await;
        let set = db.cmd("SET").key("users:one").arg("text").query::<String>().await;
        set.expect("it is a key like any");
        put(&db, "two", "acme", 2).await;
        let mut all = Vec::new();
        while all.last().is_none_or(|last: &String| last != "insert users:two") {
            all.push(told(&next(&mut changes).await));
        }
        assert!(
            all.iter().any(|it| it == "delete users:one" || it == "leave users:one"),
            "{all:?}"
        );
    });
}

#[test]
fn a_document_that_leaves_or_enters_is_told_so_and_others_are_not_told() {
    with_proxy(async |db, _| {
        db.sync::<User>().await.expect("nothing is there");
        put(&db, "there", "acme", 0).await;
        put(&db, "other", "else", 0).await;
        let mut changes = open(&db).await;
        put(&db, "other", "else", 1).await;
        put(&db, "new", "acme", 0).await;
        let change = next(&mut changes).await;
        assert!(
            matches!(&change, Change::Insert { after: Some(it), .. } if it == &user("new", "acme", 0))
        );
        put(&db, "there", "acme", 1).await;
        let change = next(&mut changes).await;
        assert!(
            matches!(&change, Change::Update { before: Some(it), .. } if it.n == 0),
            "{change:?}"
        );
        put(&db, "there", "else", 2).await;
        let change = next(&mut changes).await;
        let Change::Leave { event, before, after } = change else { panic!("{change:?}") };
        assert_eq!(event.key, "users:there");
        assert_eq!(
            (before, after),
            (Some(user("there", "acme", 1)), Some(user("there", "else", 2)))
        );
        put(&db, "there", "else", 3).await;
        put(&db, "other", "acme", 2).await;
        let change = next(&mut changes).await;
        let Change::Enter { event, before, after } = change else { panic!("{change:?}") };
        assert_eq!(event.key, "users:other");
        assert_eq!(
            (before, after),
            (Some(user("other", "else", 1)), Some(user("other", "acme", 2)))
        );
        User::get(Id::from("there")).delete(&db).await.expect("it answers");
        User::get(Id::from("new")).delete_soft(&db).await.expect("it answers");
        assert_eq!(told(&next(&mut changes).await), "delete users:new");
        User::get(Id::from("new")).undelete(&db).await.expect("it answers");
        assert_eq!(told(&next(&mut changes).await), "insert users:new");
        db.cmd("RENAME")
            .key("users:new")
            .key("users:newer")
            .query::<()>()
            .await
            .expect("it is there");
        assert_eq!(told(&next(&mut changes).await), "delete users:new");
        assert_eq!(told(&next(&mut changes).await), "insert users:newer");
        db.cmd("FLUSHDB").query::<()>().await.expect("it may");
        assert_eq!(told(&next(&mut changes).await), "flush");
        put(&db, "last", "acme", 0).await;
        assert_eq!(told(&next(&mut changes).await), "insert users:last");
    });
}

#[test]
fn a_stream_of_keys_alone_tells_the_same_without_texts() {
    with_proxy(async |db, _| {
        db.sync::<Job>().await.expect("nothing is there");
        let tenant_db = db.bucket("b").expect("it is a name");
        tenant_db.sync::<Job>().await.expect("nothing is there");
        for db in [db, tenant_db] {
            let mut job = Job { id: Id::from("1"), tenant: "acme".into() };
            job.save(&db).await.expect("it is a document");
            let watch = Job::watch(Job::tenant().eq("acme"));
            let mut changes = watch.open(&db).await.expect("it tells");
            for (tenant, kind) in [("else", "leave"), ("acme", "enter")] {
                job.tenant = tenant.into();
                job.save(&db).await.expect("it is a document");
                let change = next(&mut changes).await;
                assert!(told(&change).starts_with(kind), "{change:?}");
                let event = change.event().expect("it is no gap");
                assert!(event.key.ends_with("jobs:1"), "{event:?}");
                let (Change::Leave { before, after, .. } | Change::Enter { before, after, .. }) =
                    change
                else {
                    panic!("it is one of them")
                };
                assert_eq!((before, after), (None, None));
            }
        }
    });
}

/// Applies a change to what is known of the documents that fit.
async fn follow(view: &mut BTreeSet<String>, change: &Change<User>, db: &Folio) {
    let key = change.event().map(|event| event.key.clone()).unwrap_or_default();
    match change {
        Change::Insert { .. } | Change::Enter { .. } | Change::Update { .. } => {
            view.insert(key);
        }
        Change::Gap { .. } => *view = fitting(db).await,
        Change::Flush { .. } => view.clear(),
        _ => {
            view.remove(&key);
        }
    }
}

async fn fitting(db: &Folio) -> BTreeSet<String> {
    let found = User::find(User::tenant().eq("acme")).all(db).await.expect("it answers");
    found.into_iter().map(|user| format!("users:{}", user.id)).collect()
}

/// One change of many, by its number.
async fn change(db: &Folio, n: u64) {
    let id = format!("u{}", n * 7_919 % 23);
    match n % 11 {
        0 => drop(User::get(Id::from(id)).delete(db).await.expect("it answers")),
        1 => {
            let to = format!("users:r{}", n % 5);
            // Where nothing stands there is nothing to rename.
            let _ = db.cmd("RENAME").key(&format!("users:{id}")).key(&to).query::<()>().await;
        }
        _ => put(db, &id, if n.is_multiple_of(3) { "acme" } else { "else" }, n).await,
    }
}

#[test]
fn what_is_told_adds_up_to_what_the_filter_finds() {
    with_server_and_proxy(async |url, proxy| {
        let (db, writer) = (client(&proxy.url()).await, client(&url).await);
        writer.sync::<User>().await.expect("nothing is there");
        for n in 0..50 {
            change(&writer, n).await;
        }
        let mut changes = open(&db).await;
        let mut view = fitting(&writer).await;
        let writing = tokio::spawn({
            let writer = writer.clone();
            async move {
                for n in 50..1_500 {
                    change(&writer, n).await;
                }
                put(&writer, "end", "acme", 0).await;
            }
        });
        let mut seen = 0;
        while !view.contains("users:end") {
            seen += 1;
            if seen % 20 == 0 {
                proxy.set(Fault::CutReplies(seen * 13 % 700));
            }
            let change = next(&mut changes).await;
            follow(&mut view, &change, &writer).await;
        }
        writing.await.expect("it writes");
        assert_eq!(view, fitting(&writer).await);
        assert!(seen > 100, "{seen}");
    });
}

#[test]
fn what_has_left_while_nobody_followed_is_told_when_following_resumes() {
    with_proxy(async |db, _| {
        db.sync::<User>().await.expect("nothing is there");
        for n in 0..100 {
            change(&db, n).await;
        }
        let mut changes = open(&db).await;
        put(&db, "mark", "acme", 0).await;
        let token = next(&mut changes).await.token();
        drop(changes);
        let mut view = fitting(&db).await;
        let before = view.clone();
        for n in 100..400 {
            change(&db, n).await;
        }
        assert_ne!(before, fitting(&db).await);
        let watch = || User::watch(User::tenant().eq("acme")).resume_after(token);
        let mut changes = watch().open(&db).await.expect("it tells");
        put(&db, "end", "acme", 0).await;
        while !view.contains("users:end") {
            let change = next(&mut changes).await;
            follow(&mut view, &change, &db).await;
        }
        assert_eq!(view, fitting(&db).await);
        // The same where entries are gone: then all is read anew.
        db.cmd("XTRIM")
            .key("changes:users")
            .arg(("MAXLEN", 20))
            .query::<()>()
            .await
            .expect("it may");
        let mut changes = watch().open(&db).await.expect("it tells");
        let gap = next(&mut changes).await;
        assert!(matches!(gap, Change::Gap { missed: Some(_), .. }), "{gap:?}");
        put(&db, "other end", "acme", 0).await;
        let mut view = before;
        follow(&mut view, &gap, &db).await;
        while !view.contains("users:other end") {
            let change = next(&mut changes).await;
            follow(&mut view, &change, &db).await;
        }
        assert_eq!(view, fitting(&db).await);
    });
}

/// What a future gives that is polled so often at most; then it is dropped.
async fn polled<T>(future: impl Future<Output = T>, polls: u32) -> Option<T> {
    let mut future = Box::pin(future);
    for _ in 0..polls {
        if let std::task::Poll::Ready(given) = futures_util::poll!(&mut future) {
            return Some(given);
        }
        tokio::time::sleep(Duration::from_micros(50)).await;
    }
    None
}

#[test]
fn a_future_that_is_dropped_has_lost_no_change_that_waits() {
    with_proxy(async |db, _| {
        db.sync::<User>().await.expect("nothing is there");
        let mut changes = open(&db).await;
        for n in 0..40 {
            put(&db, &format!("n{n}"), if n % 2 == 0 { "acme" } else { "else" }, n).await;
        }
        for n in (0..40).step_by(2) {
            let mut polls = 0;
            let change = loop {
                // Each time a little further before it is given up.
                polls += 1;
                if let Some(change) = polled(changes.next(), polls).await {
                    break change.expect("it is read");
                }
            };
            assert_eq!(told(&change), format!("insert users:n{n}"));
        }
    });
}

#[test]
fn who_is_followed_is_found_by_an_index_or_by_a_scan_that_is_allowed() {
    with_proxy(async |db, _| {
        db.sync::<User>().await.expect("nothing is there");
        for n in 0..30 {
            put(&db, &format!("n{n}"), "acme", n).await;
        }
        db.cmd("CONFIG")
            .arg(("SET", "folio.scan-max", 20))
            .query::<String>()
            .await
            .expect("it may");
        let watch = || User::watch(User::n().gte(10));
        let error = watch().open(&db).await.expect_err("no index answers");
        assert!(matches!(error, Error::UnindexedQuery(_)), "{error:?}");
        let mut changes = watch().allow_scan().open(&db).await.expect("it tells");
        put(&db, "n3", "acme", 11).await;
        assert_eq!(told(&next(&mut changes).await), "enter users:n3");
        put(&db, "n20", "acme", 1).await;
        assert_eq!(told(&next(&mut changes).await), "leave users:n20");
    });
}
