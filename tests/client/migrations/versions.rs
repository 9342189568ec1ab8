//! Schema versions: migrations whose work functions of the server do.

use folio::{Function, Migrating, SchemaState};

use super::*;

const SPLIT: &str = "local first, last = string.match(doc.name, '^(%S+) (%S+)$')\n\
     if not first then error('no last name') end\n\
     return {first = first, last = last, name = null}";
const JOIN: &str = "return {name = doc.first .. ' ' .. doc.last, first = null, last = null}";

/// The same as `split_name`, on the server.
fn split_there() -> Migration {
    Migration::new(1, "split name")
        .up(|step| async move {
            step.alter("users").drop_field("name").run().await?;
            step.schema_version("users", 1)
                .up(Function::new("users.split", SPLIT))
                .down(Function::new("users.join", JOIN))
                .run()
                .await?;
            let last = json!({"path": "last", "type": "string", "required": true});
            let first = json!({"path": "first", "type": "string", "required": true});
            step.alter("users").put_field(first).put_field(last).run().await
        })
        .down(|step| async move {
            step.alter("users").drop_field("first").drop_field("last").run().await?;
            step.schema_version("users", 0).run().await?;
            let name =
                json!({"path": "name", "type": "string", "required": true, "index": "sorted"});
            step.alter("users").put_field(name).run().await
        })
}

fn shop() -> Migrations {
    Migrations::new("shop").add(split_there())
}

async fn migrating(db: &Folio) -> folio::Result<Option<Migrating>> {
    Ok(db.schema_status::<User>().await?.remove(0).migration)
}

#[test]
fn functions_of_the_server_bring_documents_up_and_down() {
    on_empty(async |db| {
        filled(&db).await?;
        let before = all(&db).await?;
        assert_eq!(migrating(&db).await?, None);
        let tried = shop().dry_run(&db).await?;
        assert_eq!(tried[0].declared, ["users", "users", "users"]);
        assert_eq!(all(&db).await?, before);
        shop().run(&db).await?;
        let user: Value = db.get("users:7").await?.expect("it stays");
        assert_eq!(user, json!({"visits": 7, "first": "first7", "last": "last7"}));
        let status = migrating(&db).await?.expect("a version is in force");
        assert_eq!((status.version, status.ahead, status.migrated), (1, 0, USERS as u64));
        assert_eq!((status.state.as_str(), status.stopped_at), ("done", None));
        // What types say is declared beside it.
        db.sync::<User>().await?;
        assert_eq!(db.schema_status::<User>().await?[0].state, SchemaState::Same);
        assert_eq!(migrating(&db).await?.map(|it| it.version), Some(1));
        shop().down_to(0, &db).await?;
        let mut after = all(&db).await?;
        for user in &mut after {
            let name = user["name"].take();
            *user = json!({"name": name, "visits": user["visits"]});
        }
        assert_eq!(after, before);
        Ok(())
    });
}

#[test]
fn a_document_that_fails_is_named_and_the_next_run_goes_on() {
    on_empty(async |db| {
        filled(&db).await?;
        db.set("users:x", &json!({"name": "Plato"})).await?;
        let error = failed(shop().run(&db).await.expect_err("one fails"));
        let told = error.to_string();
        assert!(told.contains("users:x") && told.contains("no last name"), "{told}");
        let status = migrating(&db).await?.expect("a version is in force");
        assert_eq!((status.ahead, status.state.as_str()), (1, "stopped"));
        assert_eq!(status.stopped_at.as_deref(), Some("users:x"));
        assert!(status.error.is_some_and(|error| error.starts_with("FUNCTION ")));
        db.set("users:x", &json!({"first": "Plato", "last": "-"})).await?;
        shop().run(&db).await?;
        assert_eq!(migrating(&db).await?.expect("a version is in force").ahead, 0);
        Ok(())
    });
}

#[test]
fn another_migration_of_the_version_is_refused_and_a_lazy_one_waits_for_writes() {
    on_empty(async |db| {
        filled(&db).await?;
        let lazily = |name: &'static str, source: &'static str| {
            Migrations::new("lazy").add(Migration::new(1, "count").up(move |step| async move {
                let count = Function::new(name, source);
                step.schema_version("users", 1).up(count).lazy().run().await
            }))
        };
        lazily("count", "return {visits = doc.visits + 1000}").run(&db).await?;
        let status = migrating(&db).await?.expect("a version is in force");
        assert_eq!((status.ahead, status.state.as_str()), (USERS as u64, "lazy"));
        db.cmd("DOC.UPDATE").arg(("users:7", "SET", "seen", "true")).query::<u64>().await?;
        assert_eq!(db.get::<Value>("users:7").await?.expect("it is there")["visits"], 1007);
        let other =
            Migrations::new("other").add(Migration::new(1, "other").up(|step| async move {
                let other = Function::new("other", "return nil");
                step.schema_version("users", 1).up(other).run().await
            }));
        let told = failed(other.run(&db).await.expect_err("it is another")).to_string();
        assert!(told.contains("has another migration 1"), "{told}");
        Ok(())
    });
}
