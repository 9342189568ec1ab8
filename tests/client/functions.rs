//! Functions on the server: loaded, named by types, called.

use folio::untyped::{Definition, Field, Index, Write};
use folio::{Computed, Document, Done, Error, Folio, Function, Projection, SchemaState, count};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::on_empty;

const SLUG: &str = "local slug = string.gsub(string.lower(doc.title), ' ', '-')\nreturn slug";
const WORDS: &str = "if doc.body then return #doc.body end";
const IS_CLEAN: &str = "local value = ...\nreturn value ~= 'spam' or 'it is spam'";
const IS_WHOLE: &str = "return doc.stock < 100";
const TAKE: &str = "local n = ...\nif n > doc.stock then error('too few') end\nreturn {stock = doc.stock - n}, doc.stock - n";
const RENAME: &str = "local title = ...\nreturn {title = title}";

#[derive(Debug, Clone, PartialEq, Document, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[folio(collection = "articles", strict, validate = "is_whole")]
struct Article {
    #[folio(id = "natural")]
    id: String,
    #[folio(validate = "text.is_clean")]
    title: String,
    body: Option<String>,
    stock: u32,
    #[folio(computed = "text.slug", unique, index(sorted))]
    slug: Computed<String>,
    #[folio(computed = "text.length", index(sorted))]
    body_length: Computed<Option<u32>>,
    #[folio(version)]
    version: u64,
}

#[derive(Debug, PartialEq, Projection, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[folio(from = Article)]
struct Line {
    slug: String,
    body_length: Option<u32>,
}

fn functions() -> [Function; 6] {
    [
        Function::new("text.slug", SLUG),
        Function::new("text.length", WORDS),
        Function::new("text.is_clean", IS_CLEAN),
        Function::new("is_whole", IS_WHOLE),
        Function::new("stock.take", TAKE),
        Function::new("rename", RENAME),
    ]
}

fn article(id: &str, title: &str, body: Option<&str>) -> Article {
    Article {
        id: id.into(),
        title: title.into(),
        body: body.map(Into::into),
        stock: 5,
        slug: Computed::default(),
        body_length: Computed::default(),
        version: 0,
    }
}

/// Runs a test with three articles.
fn with_articles<F: Future<Output = folio::Result<()>>>(test: impl Fn(Folio) -> F) {
    let test = &test;
    on_empty(|db| async move {
        db.sync_with::<Article>(functions()).await?;
        for (id, title, body) in
            [("a", "On Time", Some("tick")), ("b", "On Space", None), ("c", "At Last", Some("end"))]
        {
            article(id, title, body).insert(&db).await?;
        }
        test(db).await
    });
}

fn ids(articles: Vec<Article>) -> Vec<String> {
    articles.into_iter().map(|it| it.id).collect()
}

#[test]
fn functions_are_loaded_listed_carried_over_and_taken_away() {
    on_empty(async |db| {
        let functions = db.functions();
        for name in functions.list().await?.into_iter().map(|it| it.name) {
            functions.delete(&name).await?;
        }
        functions.load("up", "return {n = doc.n + 1}").run().await?;
        functions.load("up", "return {n = doc.n + 1}").run().await?;
        let other = || functions.load("up", "return {n = doc.n + 2}").steps(500).memory(70_000);
        let error = other().run().await.expect_err("another one is loaded");
        assert!(matches!(error, Error::Function(_)), "{error:?}");
        other().replace().run().await?;
        let listed = functions.list().await?;
        assert_eq!(listed.len(), 1);
        let up = &listed[0];
        assert_eq!((up.name.as_str(), up.steps, up.memory), ("up", 500, 70_000));
        assert_eq!((up.bytes, up.uses.len()), (22, 0));
        let all = functions.dump(&[]).await?;
        assert_eq!(functions.dump(&["up"]).await?, all);
        functions.delete("up").await?;
        let error = functions.delete("up").await.expect_err("it is gone");
        let Error::Function(error) = error else { panic!("{error:?}") };
        assert_eq!(error.function.as_deref(), Some("up"));
        functions.restore(&all).await?;
        assert_eq!(functions.dump(&[]).await?, all);
        functions.load("up", "return nil").replace().run().await?;
        assert_eq!(functions.restore(&all).await.expect_err("another").code(), Some("FUNCTION"));
        functions.restore_over(&all).await?;
        assert_eq!(functions.dump(&[]).await?, all);
        Ok(())
    });
}

#[test]
fn a_source_that_cannot_be_compiled_is_told_with_its_line() {
    on_empty(async |db| {
        let error = db.functions().load("f", "local a = 1\nlocal b = = 2").run().await;
        let Err(Error::Function(error)) = error else { panic!("{error:?}") };
        assert_eq!((error.function.as_deref(), error.line), (Some("f"), Some(2)));
        Ok(())
    });
}

#[test]
fn what_is_ensured_is_loaded_once_and_replaces_nothing() {
    on_empty(async |db| {
        let functions = db.functions();
        functions.load("up", "return {n = 1}").steps(500).run().await?;
        // Bounds that are not said are no difference.
        functions.ensure([Function::new("up", "return {n = 1}")]).await?;
        functions.ensure([Function::new("up", "return {n = 1}").steps(500)]).await?;
        for other in [
            Function::new("up", "return {n = 1}").steps(400),
            Function::new("up", "return {n = 2}"),
        ] {
            let error = functions.ensure([other]).await.expect_err("another one is loaded");
            assert!(matches!(error, Error::Function(_)), "{error:?}");
        }
        let stands = functions.list().await?.into_iter().find(|it| it.name == "up");
        assert_eq!(stands.map(|it| it.steps), Some(500));
        Ok(())
    });
}

#[test]
fn a_type_that_names_functions_is_declared_once_they_are_loaded() {
    on_empty(async |db| {
        let error = db.sync::<Article>().await.expect_err("nothing is loaded");
        assert!(matches!(error, Error::Function(_)), "{error:?}");
        let state = async || Ok::<_, Error>(db.schema_status::<Article>().await?.remove(0).state);
        assert_eq!(state().await?, SchemaState::Missing);
        db.sync_with::<Article>(functions()).await?;
        assert_eq!(state().await?, SchemaState::Same);
        db.sync_with::<Article>(functions()).await?;
        let uses = db.functions().list().await?.into_iter().find(|it| it.name == "text.slug");
        assert_eq!(uses.map(|it| it.uses.len()), Some(1));
        let error = db.functions().delete("text.slug").await.expect_err("it is used");
        assert!(matches!(error, Error::Function(_)), "{error:?}");
        Ok(())
    });
}

#[test]
fn what_is_computed_is_not_written_and_is_read_where_it_is_asked_for() {
    with_articles(async |db| {
        let mut a = Article::get("a").one(&db).await?;
        assert_eq!((a.slug.get(), a.body_length.get()), (None, None));
        let text: Value = db.get("articles:a").await?.expect("it is there");
        assert_eq!(text, json!({"title": "On Time", "body": "tick", "stock": 5}));
        a = Article::get("a").with_computed(&db).await?;
        assert_eq!(a.slug.get().map(String::as_str), Some("on-time"));
        assert_eq!(a.body_length.get(), Some(&Some(4)));
        assert_eq!((a.title.as_str(), a.version > 0), ("On Time", true));
        // What is written is empty again.
        a.title = "On Tides".into();
        a.save(&db).await?;
        assert_eq!(a.slug, Computed::default());
        let found = Article::find(Article::slug().eq("on-tides")).with_computed().one(&db).await?;
        assert_eq!(found.slug.into_inner().as_deref(), Some("on-tides"));
        let mut tracked = Article::get("a").tracked(&db).await?;
        tracked.title = "On Trial".into();
        tracked.save(&db).await?;
        assert!(Article::find(Article::slug().eq("on-trial")).exists(&db).await?);
        let error = Article::get("x").with_computed(&db).await.expect_err("none is there");
        assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
        Ok(())
    });
}

#[test]
fn what_is_computed_is_filtered_ordered_projected_and_grouped() {
    with_articles(async |db| {
        let on = Article::find(Article::slug().starts_with("on-")).order_by(Article::slug().asc());
        assert_eq!(ids(on.all(&db).await?), ["b", "a"]);
        let none = Article::find(Article::body_length().is_missing());
        assert_eq!(ids(none.all(&db).await?), ["b"]);
        let long = Article::find(Article::body_length().gte(4) & Article::slug().ne("at-last"));
        assert_eq!(ids(long.all(&db).await?), ["a"]);
        let lines = Article::find(()).order_by(Article::slug().desc()).select::<Line>();
        let line = |slug: &str, body_length| Line { slug: slug.into(), body_length };
        let expected = [line("on-time", Some(4)), line("on-space", None), line("at-last", Some(3))];
        assert_eq!(lines.all(&db).await?, expected);
        let one: Line = Article::get("b").select(&db).await?;
        assert_eq!(one, line("on-space", None));
        let pairs =
            Article::find(Article::id().eq("c")).fields((Article::slug(), Article::stock()));
        assert_eq!(pairs.all(&db).await?, [("at-last".to_owned(), 5)]);
        let rows =
            Article::aggregate(()).group_by(Article::body_length()).agg(count()).all(&db).await?;
        assert_eq!(rows.len(), 3, "{rows:?}");
        let (longest, least) = Article::aggregate(())
            .agg((Article::body_length().max(), Article::slug().min()))
            .one(&db)
            .await?;
        let longest = serde_json::to_value(longest).expect("it is JSON");
        let least = serde_json::to_value(least).expect("it is JSON");
        assert_eq!((longest, least), (json!(4), json!("at-last")));
        let sum = "local so_far, value = ...\nreturn (so_far or 0) + value";
        db.functions().ensure([Function::new("math.sum", sum)]).await?;
        let total = Article::stock().fold::<Option<u64>>("math.sum");
        let all = Article::aggregate(()).agg(total).one(&db).await?;
        assert_eq!(all, Some(15));
        Ok(())
    });
}

#[test]
fn what_is_computed_is_unique_and_names_no_document_to_create() {
    with_articles(async |db| {
        let error = article("d", "on time", None).insert(&db).await.expect_err("the slug is held");
        let Error::UniqueViolation(violation) = error else { panic!("{error:?}") };
        assert_eq!(violation.fields, ["slug"]);
        assert_eq!(violation.holder.as_deref(), Some("articles:a"));
        let upsert = Article::upsert_by(Article::slug().is("new")).set(Article::stock().set(1));
        let error = upsert.run(&db).await.expect_err("no document holds a slug");
        assert!(matches!(error, Error::Usage(_)), "{error:?}");
        let error = Article::get("a").update(Article::slug().set("x")).run(&db).await;
        assert_eq!(error.expect_err("no document holds it").code(), Some("SCHEMA"));
        Ok(())
    });
}

#[test]
fn functions_judge_fields_and_documents() {
    with_articles(async |db| {
        let error = article("d", "spam", None).insert(&db).await.expect_err("it is spam");
        let Error::Validation(violations) = error else { panic!("{error:?}") };
        assert_eq!(violations[0].path, "title");
        assert!(violations[0].message.ends_with("it is spam"), "{violations:?}");
        let many = Article::get("a").update(Article::stock().set(100));
        let error = many.run(&db).await.expect_err("there are too many");
        assert_eq!(error.code(), Some("SCHEMA"), "{error:?}");
        assert_eq!(Article::get("a").one(&db).await?.stock, 5);
        Ok(())
    });
}

#[test]
fn a_call_changes_the_document_and_gives_what_the_function_replies() {
    with_articles(async |db| {
        let left: u32 = Article::get("a").call("stock.take", (2,)).reply(&db).await?;
        assert_eq!((left, Article::get("a").one(&db).await?.stock), (3, 3));
        assert_eq!(Article::get("a").call("stock.take", [1]).run(&db).await?, None);
        let version = Article::get("a").call("rename", ("On Trust",)).run(&db).await?;
        let a = Article::get("a").with_computed(&db).await?;
        assert_eq!(version, Some(a.version));
        assert_eq!((a.slug.get().map(String::as_str), a.stock), (Some("on-trust"), 2));
        let nothing: Option<u32> = Article::get("a").call("rename", ("X",)).reply(&db).await?;
        assert_eq!(nothing, None);
        let left: u32 = db.call("articles:b", "stock.take", vec![4]).await?;
        assert_eq!(left, 1);
        let stale = Article::get("a").call("stock.take", (1,)).if_version(1);
        let error = stale.run(&db).await.expect_err("it has another version");
        assert!(matches!(error, Error::VersionConflict { .. }), "{error:?}");
        Ok(())
    });
}

#[test]
fn a_call_that_fails_changes_nothing_and_says_where() {
    with_articles(async |db| {
        let error = Article::get("a").call("stock.take", (9,)).run(&db).await;
        let Err(Error::Function(error)) = error else { panic!("{error:?}") };
        assert_eq!((error.function.as_deref(), error.line), (Some("stock.take"), Some(2)));
        assert!(error.message.contains("too few"), "{error}");
        assert_eq!(Article::get("a").one(&db).await?.stock, 5);
        let error =
            Article::get("a").call("nobody", ()).run(&db).await.expect_err("none is loaded");
        assert!(matches!(error, Error::Function(_)), "{error:?}");
        let error = Article::get("x").call("stock.take", (1,)).run(&db).await;
        let error = error.expect_err("no document is there");
        assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
        let reply = Article::get("a").call("stock.take", (1,)).reply::<String>(&db).await;
        assert!(matches!(reply, Err(Error::Decode { .. })), "{reply:?}");
        Ok(())
    });
}

#[test]
fn a_call_is_a_change_among_others() {
    with_articles(async |db| {
        let changes = (Article::stock().inc(5), folio::call("stock.take", (7,)));
        let a = Article::get("a").update(changes).returning_new(&db).await?;
        assert_eq!(a.stock, 3);
        let few = Article::get("a").when(Article::stock().gte(10));
        assert_eq!(few.update(folio::call("stock.take", (1,))).run(&db).await?, None);
        let written = Article::find(()).update(folio::call("stock.take", (1,))).run(&db).await?;
        assert_eq!(written.matched, 3, "{written:?}");
        let change = Write::update("articles:a").change(("CALL", "stock.take", "[1]"));
        db.atomic(vec![change]).await?;
        assert_eq!(Article::get("a").one(&db).await?.stock, 1);
        Ok(())
    });
}

#[test]
fn calls_are_parts_of_transactions() {
    with_articles(async |db| {
        let take = |id, n: u32| Article::get(id).call("stock.take", (n,));
        let rename = Article::get("c").call("rename", ("In The End",));
        let done =
            db.atomic((take("a", 1), rename, Write::call("articles:b", "stock.take", (2,))?));
        let done = done.await?;
        assert_eq!((done[0].reply::<u32>()?, done[2].reply::<u32>()?), (Some(4), Some(3)));
        assert!(matches!(done[1], Done::Written(1..)), "{done:?}");
        let error = db.atomic((take("a", 1), take("b", 9))).await.expect_err("there are too few");
        assert!(matches!(error, Error::Function(_)), "{error:?}");
        assert_eq!(Article::get("a").one(&db).await?.stock, 4);

        let tx = db.begin().await?;
        let error = take("a", 1).reply::<u32>(&tx).await.expect_err("nothing is carried out yet");
        assert!(matches!(error, Error::Usage(_)), "{error:?}");
        take("a", 1).run(&tx).await?;
        let error = Article::get("a").one(&tx).await.expect_err("only the server can tell");
        assert!(matches!(error, Error::Usage(_)), "{error:?}");
        let done = tx.commit().await?;
        assert_eq!(done.last().expect("it is there").reply::<u32>()?, Some(3));
        assert_eq!(Article::get("a").one(&db).await?.stock, 3);
        Ok(())
    });
}

#[test]
fn programs_that_know_no_types_declare_the_same() {
    on_empty(async |db| {
        db.functions().ensure(functions()).await?;
        let definition = Definition::new("notes")
            .validate("is_whole")
            .field(Field::new("title", "string").validate("text.is_clean"))
            .field(Field::new("slug", "string").computed("text.slug").index(Index::Sorted));
        db.create(&definition).await?;
        db.set("notes:1", &json!({"title": "A B", "stock": 1})).await?;
        assert_eq!(db.count("notes", "slug = 'a-b'").load().await?, 1);
        let error = db.set("notes:2", &json!({"title": "A", "stock": 1, "slug": "x"})).await;
        assert_eq!(error.expect_err("no document holds it").code(), Some("SCHEMA"));
        let error = db.set("notes:2", &json!({"title": "A", "stock": 100})).await;
        assert_eq!(error.expect_err("it is refused").code(), Some("SCHEMA"));
        Ok(())
    });
}
