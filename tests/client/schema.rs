//! How collections stand to their types, and what is brought up to them.

use std::time::Duration;

use folio::untyped::{Changes, Definition, Field, Index};
use folio::{Building, Document, Embed, Error, Folio, Id, SchemaState, SchemaStatus, Timestamp};
use serde::{Deserialize, Serialize};

use crate::on_empty;

/// A bit of everything that can be declared.
#[derive(Debug, Clone, Document, Serialize, Deserialize)]
#[folio(
    collection = "shop.rooms",
    prefix = "r:",
    ttl = "30d",
    strict,
    changes(after, max_len = 1000)
)]
#[folio(unique(house, number), index(city = "address.city", beds desc))]
#[folio(index(large = "beds", filter = "beds > 2"))]
struct Room {
    #[folio(id = "ulid")]
    id: Id<Room>,
    house: Id<Room>,
    #[folio(immutable, validate(pattern = "^[A-Z]{3}[0-9]+$", len(max = 8)))]
    number: String,
    #[folio(index, default = "open")]
    #[serde(default)]
    state: State,
    #[folio(index(sorted), validate(range(min = 0, max = 9.5)))]
    beds: f64,
    #[folio(type = "decimal")]
    price: String,
    #[folio(nocase, index, validate(len(min = 1)))]
    tags: Vec<String>,
    #[folio(auto(now))]
    born: Option<Timestamp>,
    #[folio(index(substring))]
    title: Option<String>,
    address: Address,
    guests: Vec<Address>,
    more: Option<serde_json::Value>,
    #[folio(version)]
    version: u64,
}

#[derive(Debug, Clone, Embed, Serialize, Deserialize)]
struct Address {
    city: String,
    #[serde(rename = "post-code")]
    zip: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, Embed, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum State {
    #[default]
    Open,
    Closed,
}

#[derive(Debug, Clone, Document, Serialize, Deserialize)]
#[folio(collection = "users")]
struct User {
    #[folio(id)]
    id: Id<User>,
    #[folio(index(sorted), validate(range(min = 18)))]
    age: u32,
}

/// A collection that is declared and says nothing.
#[derive(Debug, Clone, Document, Serialize, Deserialize)]
#[folio(collection = "plain")]
struct Plain {
    #[folio(id)]
    id: Id<Plain>,
}

async fn status<D: folio::Documents>(db: &Folio) -> folio::Result<SchemaStatus> {
    let mut all = db.schema_status::<D>().await?;
    assert_eq!(all.len(), 1);
    Ok(all.remove(0))
}

async fn definitions(db: &Folio) -> folio::Result<Vec<String>> {
    let mut all = Vec::new();
    let names: Vec<String> = db.cmd("DOC.LIST").read().await?;
    for name in names {
        all.push(db.cmd("DOC.SCHEMA").arg(name).read().await?);
    }
    Ok(all)
}

#[test]
fn what_was_synced_is_the_same_whatever_is_declared() {
    on_empty(async |db| {
        for db in [db.clone(), db.bucket("tenant")?] {
            let states = |all: Vec<SchemaStatus>| -> Vec<SchemaState> {
                all.into_iter().map(|it| it.state).collect()
            };
            let all = db.schema_status::<(Room, User, Plain)>().await?;
            assert_eq!(states(all), vec![SchemaState::Missing; 3]);
            db.sync::<(Room, User, Plain)>().await?;
            let all = db.schema_status::<(Room, User, Plain)>().await?;
            assert_eq!(states(all), vec![SchemaState::Same; 3]);
            // Nothing is left to do.
            db.sync::<(Room, User, Plain)>().await?;
        }
        Ok(())
    });
}

#[test]
fn a_status_tells_what_sync_would_do_and_does_nothing() {
    on_empty(async |db| {
        assert_eq!(status::<User>(&db).await?.state, SchemaState::Missing);
        // An open collection is not declared.
        db.set("users:1", &serde_json::json!({"age": 36})).await?;
        db.set("plain:1", &serde_json::json!({})).await?;
        for status in db.schema_status::<(User, Plain)>().await? {
            assert_eq!(status.state, SchemaState::Missing);
        }
        db.create(&Definition::new("users").field(Field::new("age", "int"))).await?;
        let before = definitions(&db).await?;
        let behind = status::<User>(&db).await?;
        let SchemaState::Behind { additions } = behind.state else { panic!("{behind:?}") };
        let expected = [
            r#"field "age": index none becomes "sorted""#,
            r#"field "age": min none becomes 18"#,
            r#"field "age": required none becomes true"#,
        ];
        assert_eq!(additions, expected);
        assert_eq!(definitions(&db).await?, before);
        db.sync::<User>().await?;
        assert_eq!(status::<User>(&db).await?.state, SchemaState::Same);
        Ok(())
    });
}

#[test]
fn a_conflict_is_what_sync_refuses() {
    on_empty(async |db| {
        let other = Definition::new("users")
            .changes(Changes::keys())
            .field(Field::new("age", "string").index(Index::Set))
            .field(Field::new("name", "string"));
        db.create(&other).await?;
        let before = definitions(&db).await?;
        let conflict = status::<User>(&db).await?;
        assert_eq!(conflict.collection, "users");
        let SchemaState::Conflict { differences } = conflict.state else { panic!("{conflict:?}") };
        let expected = [
            "a change stream is declared and not in the type",
            r#"field "age" has index "set", the type says "sorted""#,
            r#"field "age" has type "string", the type says "int""#,
            r#"field "name" is declared and not in the type"#,
        ];
        assert_eq!(differences, expected);
        let error = db.sync::<User>().await.expect_err("something would be lost");
        let Error::SchemaMismatch(mismatch) = error else { panic!("{error:?}") };
        assert_eq!(mismatch.differences, expected);
        assert_eq!(definitions(&db).await?, before);
        Ok(())
    });
}

#[test]
fn a_declaration_that_is_being_built_is_told() {
    on_empty(async |db| {
        let users: Vec<_> = (0..2_000)
            .map(|n| (format!("users:{n}"), serde_json::json!({"age": 18 + n % 50})))
            .collect();
        db.set_many(&users).await?;
        let slice = async |us: u32| -> folio::Result<()> {
            db.cmd("CONFIG").arg(("SET", "folio.build-slice-us", us)).query().await
        };
        // It rests.
        slice(0).await?;
        let background = db.clone();
        let sync = tokio::spawn(async move { background.sync::<User>().await });
        let building = loop {
            let status = status::<User>(&db).await?;
            assert_eq!(status.state, SchemaState::Missing);
            if let Some(building) = status.building {
                break building;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        };
        let Building { done, documents, invalid, .. } = building;
        assert_eq!((documents, invalid), (2_000, 0));
        assert!(done < documents, "{done}");
        slice(1_000).await?;
        sync.await.expect("it does not panic")?;
        let status = status::<User>(&db).await?;
        assert_eq!((status.state, status.building), (SchemaState::Same, None));
        Ok(())
    });
}
