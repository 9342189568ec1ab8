//! Migrations: once, in order, and whole, whoever is killed when.

mod runs;
mod versions;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use folio::migrate::{Migration, MigrationError, Migrations, Step};
use folio::untyped::{Definition, Field, Index};
use folio::{Document, Error, Folio, Id};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::on_empty;

#[derive(Debug, Clone, PartialEq, Document, Serialize, Deserialize)]
#[folio(collection = "users")]
struct User {
    #[folio(id)]
    id: Id<User>,
    first: String,
    last: String,
    #[serde(default)]
    visits: u64,
    #[folio(version)]
    version: u64,
}

const USERS: usize = 1_200;

/// Users of the shape before the first migration.
async fn filled(db: &Folio) -> folio::Result<()> {
    let name = Field::new("name", "string").required().index(Index::Sorted);
    db.create(&Definition::new("users").field(name)).await?;
    let users: Vec<_> = (0..USERS)
        .map(|n| (format!("users:{n}"), json!({"name": format!("first{n} last{n}"), "visits": n})))
        .collect();
    for outcome in db.set_many(&users).await? {
        outcome?;
    }
    Ok(())
}

/// What the collections hold: digests of documents and indexes, and what is declared.
async fn digest(db: &Folio) -> folio::Result<String> {
    let mut all = Vec::new();
    let names: Vec<String> = db.cmd("DOC.LIST").read().await?;
    for name in names {
        let digest: Value = db.cmd("DOC.VERIFY").arg((&name, "DIGEST")).read().await?;
        let schema: String = db.cmd("DOC.SCHEMA").arg(&name).read().await?;
        all.push(format!("{name} {digest} {schema}"));
    }
    Ok(all.join("\n"))
}

async fn all(db: &Folio) -> folio::Result<Vec<Value>> {
    let page = db.find::<Value>("users", "").load().await?;
    Ok(page.items.into_iter().map(|(_, user)| user).collect())
}

fn split(user: &mut Value) -> folio::Result<()> {
    let name = user["name"].as_str().unwrap_or_default().to_owned();
    let Some((first, last)) = name.split_once(' ') else {
        return Err(Error::Usage(format!("'{name}' has no last name").into()));
    };
    user["first"] = first.into();
    user["last"] = last.into();
    user.as_object_mut().expect("it is a document").remove("name");
    Ok(())
}

fn join(user: &mut Value) -> folio::Result<()> {
    let (Some(first), Some(last)) = (user["first"].as_str(), user["last"].as_str()) else {
        return Err(Error::Usage("it was not split".into()));
    };
    user["name"] = format!("{first} {last}").into();
    for name in ["first", "last"] {
        user.as_object_mut().expect("it is a document").remove(name);
    }
    Ok(())
}

fn split_name() -> Migration {
    let up = async |step: &Step| {
        step.alter("users").drop_field("name").run().await?;
        step.each("users").batch(100).change(split).await?;
        let first = json!({"path": "first", "type": "string", "required": true});
        let last = json!({"path": "last", "type": "string", "required": true, "index": "sorted"});
        step.alter("users").put_field(first).put_field(last).run().await
    };
    let down = async |step: &Step| {
        step.alter("users").drop_field("first").drop_field("last").run().await?;
        step.each("users").change(join).await?;
        let name = json!({"path": "name", "type": "string", "required": true, "index": "sorted"});
        step.alter("users").put_field(name).run().await
    };
    Migration::new(1, "split name")
        .up(move |step| async move { up(&step).await })
        .down(move |step| async move { down(&step).await })
}

/// Would show if it were applied twice.
fn add_visit() -> Migration {
    Migration::new(2, "add a visit")
        .up(|step| async move {
            let changed = step.each("users").batch(50).change(|user| {
                user["visits"] = (user["visits"].as_u64().unwrap_or_default() + 1).into();
                Ok(())
            });
            changed.await.map(drop)
        })
        .down(|step| async move {
            let changed = step.each_of::<User>(()).batch(700).change(|user| {
                user.visits -= 1;
                Ok(())
            });
            changed.await.map(drop)
        })
}

fn migrations() -> Migrations {
    Migrations::new("shop").add(add_visit()).add(split_name())
}

async fn versions(db: &Folio) -> folio::Result<Vec<u64>> {
    Ok(migrations().applied(db).await?.iter().map(|it| it.version).collect())
}

fn failed(error: Error) -> MigrationError {
    match error {
        Error::Migration(error) => *error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn migrations_go_up_and_down_again() {
    on_empty(async |db| {
        filled(&db).await?;
        let before = all(&db).await?;
        let planned = migrations().plan(&db).await?;
        assert_eq!(planned.iter().map(|it| it.version).collect::<Vec<_>>(), [1, 2]);
        let done = migrations().up_to(1, &db).await?;
        assert_eq!(done, planned[..1]);
        assert_eq!(migrations().plan(&db).await?, planned[1..]);
        let user: Value = db.get("users:7").await?.expect("it stays");
        assert_eq!(user, json!({"visits": 7, "first": "first7", "last": "last7"}));
        assert_eq!(migrations().run(&db).await?, planned[1..]);
        assert_eq!(migrations().run(&db).await?, []);
        assert_eq!(versions(&db).await?, [1, 2]);
        let users = User::find(User::last().eq("last7")).all(&db).await?;
        assert_eq!((users.len(), users[0].visits), (1, 8));
        let back = migrations().down_to(0, &db).await?;
        assert_eq!(back.iter().map(|it| it.version).collect::<Vec<_>>(), [2, 1]);
        assert!(versions(&db).await?.is_empty());
        assert_eq!(all(&db).await?, before);
        let schema: String = db.cmd("DOC.SCHEMA").arg("users").read().await?;
        assert!(schema.contains(r#""path":"name""#) && !schema.contains("first"), "{schema}");
        Ok(())
    });
}

#[test]
fn a_dry_run_counts_and_changes_nothing() {
    on_empty(async |db| {
        filled(&db).await?;
        db.set("users:odd", &json!({"name": "Voltaire", "visits": 1})).await?;
        db.set("users:even", &json!({"name": "Molière", "visits": 1})).await?;
        let before = digest(&db).await?;
        let touching = Migration::new(3, "more").up(|step| async move {
            let user =
                User { id: Id::new(), first: "a".into(), last: "b".into(), visits: 0, version: 0 };
            let user = user.insert(&step).await?;
            assert_eq!(User::get(&user.id).one(&step).await?.last, "b");
            User::get(&user.id).deletion().run(&step).await?;
            step.rename("users", "visits", "seen").await?;
            step.each("users")
                .filter("name = $name")
                .param("name", "Voltaire")?
                .change(|user| {
                    user["name"] = "F. Arouet".into();
                    Ok(())
                })
                .await?;
            Ok(())
        });
        let tried = migrations().add(touching).dry_run(&db).await?;
        assert_eq!(digest(&db).await?, before);
        let names: Vec<String> = db.cmd("DOC.LIST").read().await?;
        assert_eq!(names, ["users"]);
        let told: Vec<_> = tried.iter().map(|it| (it.documents, it.changed)).collect();
        let count = USERS as u64;
        assert_eq!(told, [(count + 2, count), (count + 2, count + 2), (count + 3, count + 3)]);
        assert_eq!(tried[0].declared, ["users", "users"]);
        let failure = tried[0].failure.as_ref().expect("one has no last name");
        assert_eq!(
            failure.to_string(),
            "migration 1 'split name' at users:odd: 'Voltaire' has no last name"
        );
        assert!(tried[2].failure.is_none(), "{tried:?}");
        Ok(())
    });
}

#[test]
fn a_document_that_fails_stops_it_and_is_named() {
    on_empty(async |db| {
        filled(&db).await?;
        db.set("users:550", &json!({"name": "Voltaire", "visits": 550})).await?;
        let error = failed(migrations().run(&db).await.expect_err("one has no last name"));
        assert_eq!(
            error.to_string(),
            "migration 1 'split name' at users:550: 'Voltaire' has no last name"
        );
        assert!(matches!(error, MigrationError::Failed { version: 1, key: Some(_), .. }));
        // All before it are done, none behind it.
        assert_eq!(db.count("users", "first IS NOT MISSING").load().await?, 550);
        let odd: Value = db.get("users:550").await?.expect("it stays");
        assert_eq!(odd, json!({"name": "Voltaire", "visits": 550}));
        assert!(versions(&db).await?.is_empty());
        let planned = migrations().plan(&db).await?;
        assert_eq!((planned[0].version, planned[0].resumes), (1, true));
        // It has to be gone through with before anything else.
        let error = failed(migrations().down_to(0, &db).await.expect_err("it is half done"));
        assert!(matches!(error, MigrationError::History(_)), "{error}");
        db.set("users:550", &json!({"name": "F. Arouet", "visits": 550})).await?;
        migrations().run(&db).await?;
        let last: Vec<Value> = all(&db).await?;
        assert_eq!((last.len(), &last[550]["last"]), (USERS, &json!("Arouet")));
        assert!(last.iter().enumerate().all(|(n, it)| it["visits"] == json!(n + 1)));
        Ok(())
    });
}

#[test]
fn a_document_that_the_server_refuses_is_named_too() {
    on_empty(async |db| {
        filled(&db).await?;
        let shorten = Migration::new(1, "shorten").up(|step| async move {
            let changed = step.each("users").change(|user| {
                let visits = user["visits"].as_u64().unwrap_or_default();
                user["name"] = if visits == 733 { Value::Null } else { "x".into() };
                Ok(())
            });
            changed.await.map(drop)
        });
        let error = Migrations::new("shop").add(shorten).run(&db).await.expect_err("not nullable");
        let MigrationError::Failed { key, source, .. } = failed(error) else { panic!() };
        assert_eq!((key.as_deref(), source.code()), (Some("users:733"), Some("SCHEMA")));
        assert_eq!(db.count("users", "name = 'x'").load().await?, 733);
        Ok(())
    });
}

#[test]
fn another_history_is_refused() {
    on_empty(async |db| {
        filled(&db).await?;
        let noted = |version, name: &str| Migration::new(version, name).up(|_| async { Ok(()) });
        let of = |all: &[(u64, &str)]| {
            let all = all.iter().map(|(version, name)| noted(*version, name));
            all.fold(Migrations::new("shop"), Migrations::add)
        };
        of(&[(1, "a"), (3, "c")]).run(&db).await?;
        for (others, told) in [
            (&[(1, "b"), (3, "c")][..], "migration 1 was applied as 'a', and is 'b' here"),
            (
                &[(1, "a"), (2, "b"), (3, "c")],
                "migration 2 'b' was not applied, and 3 'c' behind it was",
            ),
            (&[(1, "a")], "migration 3 'c' was applied, and is not known here"),
        ] {
            let error = failed(of(others).run(&db).await.expect_err(told));
            assert!(matches!(&error, MigrationError::History(what) if what == told), "{error}");
            let error = failed(of(others).plan(&db).await.expect_err(told));
            assert!(matches!(error, MigrationError::History(_)), "{error}");
        }
        let error = of(&[(1, "a"), (1, "b")]).plan(&db).await.expect_err("two are the same");
        assert!(matches!(error, Error::Usage(_)), "{error}");
        let whole = of(&[(1, "a"), (3, "c"), (4, "d")]);
        let error = failed(whole.down_to(1, &db).await.expect_err("it has no way down"));
        assert!(matches!(error, MigrationError::NoDown { version: 3, .. }), "{error}");
        let error = whole.up_to(5, &db).await.expect_err("there is none");
        assert!(matches!(error, Error::Usage(_)), "{error}");
        assert_eq!(whole.run(&db).await?.len(), 1);
        // Another name, and a bucket, have a history of their own.
        assert_eq!(of(&[(1, "x")]).run(&db.bucket("tenant")?).await?.len(), 1);
        let other = Migrations::new("other").add(noted(7, "x"));
        assert_eq!(other.run(&db).await?.len(), 1);
        Ok(())
    });
}

#[test]
fn progress_is_told() {
    on_empty(async |db| {
        filled(&db).await?;
        let told: Arc<Mutex<Vec<(u64, u64)>>> = Arc::default();
        let notes = Arc::clone(&told);
        let told_of = migrations().on_progress(move |p| {
            assert_eq!((p.version, p.collection.as_str()), (1, "users"));
            notes.lock().expect("nobody panics").push((p.done, p.total));
        });
        told_of.up_to(1, &db).await?;
        let told = told.lock().expect("nobody panics").clone();
        let expected: Vec<_> = (1..=12).map(|n| (n * 100, USERS as u64)).collect();
        assert_eq!(told, expected);
        Ok(())
    });
}

#[test]
fn shapes_filters_and_paths_are_changed() {
    on_empty(async |db| {
        #[derive(Deserialize)]
        struct Before {
            name: String,
        }
        #[derive(Serialize)]
        struct After {
            title: String,
        }
        filled(&db).await?;
        db.cmd("DOC.DROP").arg("users").query::<()>().await?;
        // A number that no `f64` holds, and a TTL of a part, are left alone.
        let huge = r#"{"name":"first1 last1","visits":36893488147419103233,"otp":1}"#;
        db.cmd("DOC.SET").key("users:1").arg(huge).query::<()>().await?;
        db.cmd("DOC.UPDATE").key("users:1").arg(("TTL", "otp", 900)).query::<()>().await?;
        let changed = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&changed);
        let reshape = Migration::new(1, "reshape").up(move |step| {
            let count = Arc::clone(&count);
            async move {
                let renamed = step.rename("users", "name", "names.full").await?;
                assert_eq!(renamed, USERS as u64);
                let few = step.each("users").filter("visits < $n").param("n", 10)?;
                let changed = few.change(|user| {
                    user["few"] = true.into();
                    Ok(())
                });
                count.fetch_add(changed.await?, Ordering::Relaxed);
                let books = step.each("books");
                books.map(|it: Before| Ok(After { title: it.name })).await?;
                Ok(())
            }
        });
        db.set("books:1", &json!({"name": "Candide"})).await?;
        Migrations::new("shop").add(reshape).run(&db).await?;
        assert_eq!(changed.load(Ordering::Relaxed), 9);
        assert_eq!(db.get::<Value>("books:1").await?, Some(json!({"title": "Candide"})));
        let text: String = db.cmd("DOC.GET").key("users:1").read().await?;
        let kept = r#"{"visits":36893488147419103233,"otp":1,"names":{"full":"first1 last1"}}"#;
        assert_eq!(text, kept);
        let meta: Value = db.cmd("DOC.META").key("users:1").read().await?;
        assert!(meta.to_string().contains("otp"), "{meta}");
        Ok(())
    });
}

#[test]
fn a_field_of_a_strict_collection_is_renamed() {
    on_empty(async |db| {
        let field = || Field::new("nick", "string");
        db.create(&Definition::new("users").strict().field(field())).await?;
        db.set("users:1", &json!({"nick": "Ada"})).await?;
        db.set("users:2", &json!({})).await?;
        let rename = Migration::new(1, "rename").up(|step| async move {
            let nickname = json!({"path": "nickname", "type": "string"});
            step.alter("users").put_field(nickname).run().await?;
            assert_eq!(step.rename("users", "nick", "nickname").await?, 1);
            step.alter("users").drop_field("nick").change_type("nickname", "json").run().await
        });
        Migrations::new("shop").add(rename).run(&db).await?;
        assert_eq!(all(&db).await?, [json!({"nickname": "Ada"}), json!({})]);
        let schema: String = db.cmd("DOC.SCHEMA").arg("users").read().await?;
        let fields = r#""mode":"strict","fields":[{"path":"nickname","type":"json"}]"#;
        assert!(schema.contains(fields), "{schema}");
        Ok(())
    });
}

#[test]
fn a_declaration_is_what_a_type_says_or_what_is_put() {
    on_empty(async |db| {
        filled(&db).await?;
        let by_visits = json!({"name": "by_visits", "on": [{"path": "visits", "order": "desc"}]});
        let declare = Migration::new(1, "declare").up(move |step| {
            let by_visits = by_visits.clone();
            async move {
                step.alter("users").put_index(by_visits).drop_index("nothing").run().await?;
                step.alter("new").put_field(json!({"path": "n", "type": "int"})).run().await
            }
        });
        let as_type = Migration::new(2, "as the type").up(|step| async move {
            step.alter("users").drop_field("name").drop_index("by_visits").run().await?;
            step.each("users").change(split).await?;
            step.alter("users").as_type::<User>().run().await
        });
        let both = Migrations::new("shop").add(declare).add(as_type);
        both.up_to(1, &db).await?;
        let plan: Vec<String> =
            db.cmd("DOC.EXPLAIN").arg(("users", "COUNT", "WHERE", "visits > 7")).read().await?;
        assert!(plan.join("\n").contains("by_visits"), "{plan:?}");
        let new: String = db.cmd("DOC.SCHEMA").arg("new").read().await?;
        assert!(new.contains(r#"[{"path":"n","type":"int"}]"#), "{new}");
        both.run(&db).await?;
        let status = db.schema_status::<User>().await?;
        assert_eq!(status[0].state, folio::SchemaState::Same);
        let wrong = Migration::new(3, "no such field").up(|step| async move {
            step.alter("users").change_type("nothing", "int").run().await
        });
        let error = failed(both.add(wrong).run(&db).await.expect_err("it is not declared"));
        assert!(matches!(error, MigrationError::Failed { version: 3, key: None, .. }), "{error}");
        Ok(())
    });
}

/// Counts how often a document is changed.
fn mark(user: &mut Value) {
    user["marks"] = (user["marks"].as_u64().unwrap_or(0) + 1).into();
}

#[test]
fn what_is_not_over_is_not_noted_as_applied() {
    on_empty(async |db| {
        filled(&db).await?;
        let careless = Migration::new(1, "careless").up(|step: Step| async move {
            let fails = |user: &mut Value| {
                mark(user);
                if user["visits"] == 7 { Err(Error::Usage("the seventh".into())) } else { Ok(()) }
            };
            // Its error is passed over.
            let _ = step.each("users").batch(5).change(fails).await;
            Ok(())
        });
        let migrations = Migrations::new("careless").add(careless);
        let error = migrations.run(&db).await.expect_err("a part has failed");
        assert!(error.to_string().contains("not all parts"), "{error}");
        assert!(migrations.applied(&db).await?.is_empty());
        let whole = Migration::new(1, "careless").up(|step: Step| async move {
            let marked = step.each("users").change(|user| {
                mark(user);
                Ok(())
            });
            marked.await.map(drop)
        });
        Migrations::new("careless").add(whole).run(&db).await?;
        assert!(all(&db).await?.iter().all(|user| user["marks"] == 1));
        Ok(())
    });
}

#[test]
fn a_migration_that_does_nothing_is_refused_before_any_runs() {
    on_empty(async |db| {
        filled(&db).await?;
        let before = digest(&db).await?;
        let first = Migration::new(1, "split")
            .up(|step: Step| async move { step.each("users").change(split).await.map(drop) });
        let migrations = Migrations::new("empty").add(first).add(Migration::new(2, "nothing"));
        let error = migrations.run(&db).await.expect_err("it has no up");
        assert!(matches!(error, Error::Usage(_)), "{error}");
        assert_eq!(digest(&db).await?, before);
        Ok(())
    });
}

#[test]
fn what_is_dropped_already_stays_dropped() {
    on_empty(async |db| {
        filled(&db).await?;
        let on = json!([{"path": "visits"}]);
        let declare = move |step: Step| {
            let on = on.clone();
            async move {
                step.alter("users").put_index(json!({"name": "by_visits", "on": on})).run().await
            }
        };
        let drop_it = |step: Step| async move {
            step.alter("users").drop_index("by_visits").run().await?;
            step.alter("nowhere").drop_field("a").drop_index("b").run().await
        };
        let migrations = Migrations::new("dropped")
            .add(Migration::new(1, "declare").up(declare))
            .add(Migration::new(2, "drop").up(drop_it))
            .add(Migration::new(3, "drop again").up(drop_it));
        assert_eq!(migrations.run(&db).await?.len(), 3);
        let schema: String = db.cmd("DOC.SCHEMA").arg("users").read().await?;
        assert!(!schema.contains("by_visits"), "{schema}");
        Ok(())
    });
}
