//! The client crate over a real server, in both protocols.

#![forbid(unsafe_code)]

mod cache;
mod dropped;
mod functions;
mod load;
mod migrations;
mod observe;
mod proxy;
mod references;
mod refusals;
mod replicas;
mod repository;
mod schema;
mod sentinel;
mod testing;
mod tls;
mod together;
mod transactions;
mod transport;
mod typed;
mod typed_filters;
mod typed_hooks;
mod typed_model;
mod watch;
mod watch_filter;

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use folio::untyped::{Definition, Direction, Field, Ids, Index};
use folio::{Error, Folio};
use folio_tests::Server;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct User {
    name: String,
    age: u64,
    tags: Vec<String>,
}

fn user(name: &str, age: u64, tags: &[&str]) -> User {
    User { name: name.into(), age, tags: tags.iter().map(ToString::to_string).collect() }
}

fn users() -> Vec<(String, User)> {
    let ages =
        (0..1_200).map(|n| (format!("users:{n}"), user(&format!("no. {n}"), n % 90, &["x"])));
    ages.collect()
}

async fn declared(url: &str) -> Folio {
    let db = Folio::connect(url).await.expect("the server answers");
    declare(&db).await;
    db
}

async fn declare(db: &Folio) {
    let definition = Definition::new("users")
        .field(Field::new("name", "string").required().unique().index(Index::Set))
        .field(Field::new("age", "int").index(Index::Sorted))
        .field(Field::new("tags", "array<string>").index(Index::Set));
    db.create(&definition).await.expect("nothing stands there");
    db.create(&definition).await.expect("the identical definition is no error");
}

/// Runs a test over RESP3 and over RESP2, each on an empty server of its own.
fn on_empty<F: Future<Output = folio::Result<()>>>(test: impl Fn(Folio) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime can be built");
    for query in ["", "/?protocol=resp2"] {
        let server = Server::start();
        let url = format!("{}{query}", server.url());
        let outcome = runtime.block_on(async { test(Folio::connect(&url).await?).await });
        outcome.expect("no command fails");
    }
}

/// The same with users that are declared.
fn over_both<F: Future<Output = folio::Result<()>>>(test: impl Fn(Folio) -> F) {
    let test = &test;
    on_empty(|db| async move {
        declare(&db).await;
        test(db).await
    });
}

#[test]
fn an_inserted_document_gets_an_id() {
    over_both(async |db| {
        let id = db.insert("users", &user("Ada", 36, &[])).await?;
        assert_eq!(id.len(), 36);
        assert_eq!(db.get::<User>(&format!("users:{id}")).await?.map(|it| it.age), Some(36));
        db.insert_as("users", "bob", &user("Bob", 40, &[])).await?;
        let error = db.insert_as("users", "bob", &user("Eve", 51, &[])).await;
        assert_eq!(error.expect_err("it is there").code(), Some("EXISTS"));
        let orders = Definition::new("orders").ttl(100).ids(Ids::Sequence);
        db.create(&orders).await?;
        assert_eq!(db.insert("orders", &BTreeMap::from([("n", 1)])).await?, "1");
        let ttl: i64 = db.cmd("TTL").arg("orders:1").read().await?;
        assert!((1..=100).contains(&ttl), "{ttl}");
        Ok(())
    });
}

#[test]
fn a_document_is_written_read_and_removed() {
    over_both(async |db| {
        let ada = user("Ada", 36, &["a"]);
        let version = db.set("users:ada", &ada).await?;
        assert_eq!(db.set("users:ada", &ada).await?, version);
        assert_eq!(db.get::<User>("users:ada").await?, Some(ada));
        assert_eq!(db.get::<User>("users:grace").await?, None);
        assert!(db.delete("users:ada").await?);
        assert!(!db.delete("users:ada").await?);
        Ok(())
    });
}

#[test]
fn many_documents_each_have_an_outcome() {
    over_both(async |db| {
        let mut many = users();
        many.push(("users:twin".into(), user("no. 7", 1, &[])));
        let outcomes = db.set_many(&many).await?;
        assert_eq!(outcomes.len(), many.len());
        let refused = outcomes.iter().filter(|outcome| outcome.is_err()).count();
        let last = outcomes.last().expect("there are some").as_ref();
        assert_eq!(refused, 1);
        assert_eq!(last.expect_err("the name is held").code(), Some("UNIQUE"));
        assert_eq!(db.count("users", "").load().await?, 1_200);
        Ok(())
    });
}

#[test]
fn a_query_binds_orders_limits_and_counts() {
    over_both(async |db| {
        db.set_many(&users()).await?;
        let page = db
            .find::<User>("users", "age BETWEEN $from AND 20 AND name IN $names")
            .param("from", 10)
            .param("names", ["no. 10", "no. 20", "no. 30", "no. 110", "it's \"none\" $from"])
            .order_by("age", Direction::Descending)
            .order_by("name", Direction::Ascending)
            .limit(1, 1)
            .with_total()
            .load()
            .await?;
        let names: Vec<&str> = page.items.iter().map(|(_, user)| user.name.as_str()).collect();
        assert_eq!((names, page.total), (vec!["no. 20"], Some(3)));
        let many = db.count("users", "tags HAS $tag AND age >= 45").param("tag", "x");
        assert_eq!(many.load().await?, 600 - 15);
        Ok(())
    });
}

#[test]
fn errors_say_what_and_whose() {
    over_both(async |db| {
        db.set("open:1", &serde_json::json!({"name": 1})).await?;
        let error = db.get::<User>("open:1").await.expect_err("the types differ");
        assert!(matches!(&error, Error::Decode { key, .. } if &**key == "open:1"), "{error}");
        let error = db.count("users", "age >").load().await.expect_err("the filter ends early");
        assert_eq!((error.code(), error.is_ambiguous()), (Some("FILTER"), false));
        let error = db.set("users:1", &[1]).await.expect_err("an array is no document");
        assert_eq!(error.code(), Some("JSON"));
        Ok(())
    });
}

#[test]
fn a_declaration_has_its_prefix_its_mode_and_nulls() {
    over_both(async |db| {
        let definition = Definition::new("cities")
            .prefix("geo:")
            .strict()
            .field(Field::new("name", "string").required())
            .field(Field::new("closed", "datetime").nullable());
        db.create(&definition).await?;
        db.set("geo:1", &serde_json::json!({"name": "Ys", "closed": null})).await?;
        assert_eq!(db.count("cities", "closed IS NULL").load().await?, 1);
        let wrong = [serde_json::json!({"name": null}), serde_json::json!({"name": "a", "b": 1})];
        for document in wrong {
            let error = db.set("geo:2", &document).await.expect_err("it breaks the declaration");
            assert_eq!(error.code(), Some("SCHEMA"), "{error}");
        }
        let other = Definition::new("cities").prefix("geography:");
        let error = db.create(&other).await.expect_err("another prefix is another declaration");
        assert_eq!(error.code(), Some("COLLECTIONEXISTS"), "{error}");
        Ok(())
    });
}

#[test]
fn a_large_search_without_an_index_has_to_be_allowed() {
    over_both(async |db| {
        db.set_many(&users()).await?;
        db.create(&Definition::new("plain")).await?;
        let plain: Vec<_> = (0..30).map(|n| (format!("plain:{n}"), user("a", n, &[]))).collect();
        db.set_many(&plain).await?;
        db.cmd("CONFIG").arg(("SET", "folio.scan-max", 20)).query::<String>().await?;
        let find = || db.find::<User>("plain", "age >= 25");
        let count = || db.count("plain", "age >= 25");
        for error in [find().load().await.map(|_| 0), count().load().await] {
            let error = error.expect_err("thirty are to be read, twenty may be");
            assert_eq!(error.code(), Some("NOINDEX"), "{error}");
        }
        assert_eq!(find().allow_scan().load().await?.items.len(), 5);
        assert_eq!(count().allow_scan().load().await?, 5);
        Ok(())
    });
}

#[test]
fn what_is_no_json_is_not_sent() {
    over_both(async |db| {
        // Names of members are strings.
        let map = BTreeMap::from([((1, 2), 3)]);
        let error = db.set("users:map", &map).await.expect_err("it has no form in JSON");
        assert!(matches!(error, Error::Encode(_)), "{error}");
        let error = db.count("users", "age = $age").param("age", &map).load().await;
        assert!(matches!(error, Err(Error::Encode(_))), "{error:?}");
        assert_eq!(db.get::<User>("users:map").await?, None);
        Ok(())
    });
}

#[test]
fn a_write_whose_answer_is_lost_is_ambiguous_and_a_read_is_not() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime can be built");
    let mut server = Server::start();
    let db = runtime.block_on(declared(server.url()));
    // No command is answered until the server is gone.
    server.resp2().call(&["CLIENT", "PAUSE", "60000", "ALL"]);
    let end = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        server.kill();
    });
    let ada = user("Ada", 36, &[]);
    let (write, read) = runtime
        .block_on(async { tokio::join!(db.set("users:ada", &ada), db.get::<User>("users:1")) });
    end.join().expect("the server was killed");
    let error = write.expect_err("the server is gone");
    assert!(matches!(error, Error::Connection { maybe_applied: true, .. }), "{error:?}");
    assert!(error.is_ambiguous() && !error.is_retryable());
    assert!(error.to_string().ends_with("; the write may have been carried out"), "{error}");
    let error = read.expect_err("the server is gone");
    assert!(matches!(error, Error::Connection { maybe_applied: false, .. }), "{error:?}");
    assert!(!error.is_ambiguous() && error.is_retryable());
}

#[test]
fn a_connection_shows_no_address() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let server = Server::start();
    let db = runtime.expect("a runtime can be built").block_on(declared(server.url()));
    assert_eq!(format!("{db:?}"), "Folio { .. }");
}

#[test]
fn a_server_that_is_not_there_is_a_connection_error() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let connected = runtime.expect("a runtime can be built").block_on(async {
        // Port 1 is reserved and nothing listens on it.
        Folio::connect("redis://127.0.0.1:1").await
    });
    let error = connected.expect_err("nothing listens there");
    assert!(matches!(error, Error::Connection { maybe_applied: false, .. }), "{error:?}");
}
