//! What documents refer to, read along with them: whatever the number of rows, by as many commands as there are levels.

use std::collections::BTreeMap;

use folio::{Document, Embed, Error, Folio, Id, Ref, count};
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};

use crate::on_empty;

#[derive(Debug, Clone, PartialEq, Document, Serialize, Deserialize)]
#[folio(collection = "posts")]
struct Post {
    #[folio(id)]
    id: Id<Post>,
    n: u32,
    #[folio(index)]
    author: Ref<Author>,
    editor: Option<Ref<Author>>,
    readers: Vec<Ref<Author>>,
    place: Place,
    items: Vec<Item>,
    links: BTreeMap<String, Ref<Author>>,
    #[folio(version)]
    version: u64,
}

#[derive(Debug, Clone, PartialEq, Embed, Serialize, Deserialize)]
struct Place {
    #[serde(rename = "the country")]
    country: Option<Ref<Country>>,
}

#[derive(Debug, Clone, PartialEq, Embed, Serialize, Deserialize)]
struct Item {
    part: Ref<Part>,
}

#[derive(Debug, Clone, PartialEq, Document, Serialize, Deserialize)]
#[folio(collection = "authors")]
struct Author {
    #[folio(id)]
    id: Id<Author>,
    name: String,
    team: Ref<Team>,
    manager: Option<Ref<Author>>,
    #[folio(version)]
    version: u64,
}

#[derive(Debug, Clone, PartialEq, Document, Serialize, Deserialize)]
#[folio(collection = "teams")]
struct Team {
    #[folio(id)]
    id: Id<Team>,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Document, Serialize, Deserialize)]
#[folio(collection = "countries")]
struct Country {
    #[folio(id = "natural")]
    code: String,
}

#[derive(Debug, Clone, PartialEq, Document, Serialize, Deserialize)]
#[folio(collection = "parts")]
struct Part {
    #[folio(id = "natural")]
    number: u64,
}

const AUTHORS: u32 = 20;

fn author(n: u32) -> Author {
    Author {
        id: Id::from(format!("a{n}")),
        name: format!("author {n}"),
        team: Ref::new(Id::from(format!("t{}", n % 4))),
        // The first is her own manager.
        manager: Some(Ref::new(Id::from(format!("a{}", n / 2)))),
        version: 0,
    }
}

fn to(n: u32) -> Ref<Author> {
    Ref::to(&author(n))
}

fn post(n: u32) -> Post {
    Post {
        id: Id::from(format!("p{n:03}")),
        n,
        author: to(n % AUTHORS),
        editor: (n % 2 == 1).then(|| to(n % 3)),
        readers: (0..n % 4).map(to).collect(),
        place: Place { country: Some(Ref::new("IS".into())) },
        items: vec![Item { part: Ref::new(7) }, Item { part: Ref::new(8) }],
        links: BTreeMap::new(),
        version: 0,
    }
}

/// Runs a test over both protocols with 200 posts of 20 authors in 4 teams.
fn over_both<F: Future<Output = folio::Result<()>>>(test: impl Fn(Folio) -> F) {
    let test = &test;
    on_empty(|db| async move {
        db.sync::<(Post, Author, Team, Country, Part)>().await?;
        let team = |n| Team { id: Id::from(format!("t{n}")), name: format!("team {n}") };
        Team::insert_many((0..4).map(team)).run(&db).await?;
        Author::insert_many((0..AUTHORS).map(author)).run(&db).await?;
        Post::insert_many((0..200).map(post)).run(&db).await?;
        Country { code: "IS".into() }.insert(&db).await?;
        Part { number: 7 }.insert(&db).await?;
        test(db).await
    });
}

/// How often commands of Folio's were carried out since the statistics were reset, by name.
async fn calls(db: &Folio) -> folio::Result<BTreeMap<String, u64>> {
    let text: String = db.cmd("INFO").arg("commandstats").query().await?;
    let lines = text.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        let name = name.to_lowercase().strip_prefix("doc.")?.to_owned();
        Some((name, rest.split(',').next()?.parse().ok()?))
    });
    let calls = lines.collect();
    db.cmd("CONFIG").arg("RESETSTAT").query::<()>().await?;
    Ok(calls)
}

fn told(calls: &BTreeMap<String, u64>) -> Vec<(&str, u64)> {
    calls.iter().map(|(name, count)| (name.as_str(), *count)).collect()
}

fn team_of(author: &Ref<Author>) -> Option<&str> {
    author.get().and_then(|author| author.team.get()).map(|team| team.name.as_str())
}

#[test]
fn a_level_is_one_command_however_many_rows_there_are() {
    over_both(async |db| {
        calls(&db).await?;
        let posts = Post::find(()).include(Post::author().team()).all(&db).await?;
        assert_eq!(told(&calls(&db).await?), [("find", 1), ("mget", 2)]);
        assert_eq!(posts.len(), 200);
        for post in &posts {
            let author = post.author.get().expect("she is there");
            assert_eq!(author.name, format!("author {}", post.n % AUTHORS));
            let expected = format!("team {}", post.n % AUTHORS % 4);
            assert_eq!(team_of(&post.author), Some(expected.as_str()));
            assert!(post.version > 0 && !author.manager.as_ref().is_some_and(Ref::is_included));
            assert!(post.readers.iter().all(|reader| !reader.is_included()));
        }
        let both = (Post::author(), Post::author().team(), Post::readers().each().team());
        Post::find(Post::n().lt(50)).include(both).include(Post::editor()).all(&db).await?;
        assert_eq!(told(&calls(&db).await?), [("find", 1), ("mget", 5)]);
        Post::find(Post::n().gt(1_000)).include(Post::author().team()).all(&db).await?;
        assert_eq!(told(&calls(&db).await?), [("find", 1)]);
        Ok(())
    });
}

#[test]
fn more_than_a_thousand_documents_are_read_in_chunks() {
    over_both(async |db| {
        let more: Vec<Author> = (AUTHORS..2_500).map(author).collect();
        Author::insert_many(more).run(&db).await?;
        let many = Post { id: Id::from("many"), readers: (0..2_500).map(to).collect(), ..post(0) };
        let many = many.insert(&db).await?;
        assert!(!many.readers[0].is_included());
        calls(&db).await?;
        let many = Post::get(many.id).include(Post::readers()).one(&db).await?;
        assert_eq!(told(&calls(&db).await?), [("get", 1), ("mget", 3)]);
        for (n, reader) in many.readers.iter().enumerate() {
            assert_eq!(reader.get().map(|it| it.name.clone()), Some(format!("author {n}")));
        }
        Ok(())
    });
}

#[test]
fn what_is_not_there_is_told_as_missing_in_its_place() {
    over_both(async |db| {
        Author::get(Id::from("a1")).delete(&db).await?;
        let odd = Post::find(Post::n().is_in([1, 3])).order_by(Post::n().asc());
        let odd = odd.include((Post::author(), Post::editor(), Post::readers())).all(&db).await?;
        assert!(odd[0].author.is_missing() && odd[0].author.is_included());
        assert_eq!((odd[0].author.get(), odd[0].author.id().as_str()), (None, "a1"));
        let editor = odd[1].editor.as_ref().expect("there is one");
        assert!(!editor.is_missing() && editor.get().is_some());
        let there: Vec<bool> = odd[1].readers.iter().map(|it| it.get().is_some()).collect();
        assert_eq!(there, [true, false, true]);
        let even = Post::get(Id::from("p002")).include(Post::editor()).one(&db).await?;
        assert_eq!(even.editor, None);
        let gone = Post::get(Id::from("p999")).include(Post::editor());
        assert_eq!(gone.maybe(&db).await?, None);
        let unset = Post { author: Ref::new(Id::default()), id: Id::from("unset"), ..post(0) };
        unset.insert(&db).await?;
        let unset = Post::get(Id::from("unset")).include(Post::author()).one(&db).await?;
        assert!(unset.author.is_missing());
        Ok(())
    });
}

#[test]
fn every_way_of_reading_includes() {
    over_both(async |db| {
        let find = || Post::find(Post::n().lt(100)).order_by(Post::n().asc());
        let find = || find().include(Post::author().team());
        let page = find().page(30).with_total().load(&db).await?;
        assert_eq!((page.items.len(), page.total), (30, Some(100)));
        assert_eq!(team_of(&page.items[29].author), Some("team 1"));
        let first = find().first(&db).await?.expect("there is one");
        assert_eq!(team_of(&first.author), Some("team 0"));
        let one = Post::find(Post::n().eq(5)).include(Post::author().team()).one(&db).await?;
        assert_eq!(team_of(&one.author), Some("team 1"));
        let one = Post::get(&one.id).include(Post::author()).include(Post::author().team());
        assert_eq!(team_of(&one.one(&db).await?.author), Some("team 1"));
        calls(&db).await?;
        let streamed: Vec<Post> = find().page(40).stream(&db).try_collect().await?;
        assert_eq!(told(&calls(&db).await?), [("find", 3), ("mget", 6)]);
        assert!(streamed.iter().all(|post| team_of(&post.author).is_some()));
        assert_eq!((streamed.len(), find().count(&db).await?), (100, 100));
        let tx = db.begin().await?;
        let posts = Post::find(Post::n().lt(3)).include(Post::author()).all(&tx).await?;
        assert!(posts.iter().all(|post| post.author.get().is_some()));
        tx.commit().await?;
        Ok(())
    });
}

#[test]
fn a_circle_is_followed_as_far_as_it_is_named() {
    over_both(async |db| {
        let manager = |author: &Author| author.manager.clone().expect("everybody has one");
        let zero = Author::get(Id::from("a0"));
        let zero = zero.include(Author::manager().manager().manager()).one(&db).await?;
        let mut at = zero;
        for _ in 0..3 {
            let next = manager(&at);
            at = next.get().expect("it was named").clone();
            assert_eq!(at.id.as_str(), "a0");
        }
        assert!(!manager(&at).is_included());
        Ok(())
    });
}

#[test]
fn references_stand_within_structs_and_arrays_of_them() {
    over_both(async |db| {
        let what = (Post::place().country(), Post::items().each().part());
        let post = Post::get(Id::from("p001")).include(what).one(&db).await?;
        let country = post.place.country.as_ref().and_then(Ref::get);
        assert_eq!(country.map(|it| it.code.as_str()), Some("IS"));
        assert_eq!(post.items[0].part.get(), Some(&Part { number: 7 }));
        assert!(post.items[1].part.is_missing());
        // Nothing within a map is declared, so nothing leads there by itself.
        let links = Post::links().key("a");
        let error = Post::find(()).include(links).all(&db).await.expect_err("a map is in between");
        assert!(matches!(error, Error::Usage(_)), "{error:?}");
        Ok(())
    });
}

#[test]
fn a_reference_is_stored_as_an_id_and_asked_like_one() {
    over_both(async |db| {
        let key = "posts:p003";
        let text: String = db.cmd("DOC.GET").key(key).arg("author").read().await?;
        assert_eq!(text, "\"a3\"");
        let text: String = db.cmd("DOC.GET").key(key).arg("readers").read().await?;
        assert_eq!(text, r#"["a0","a1","a2"]"#);
        let three = Id::<Author>::from("a3");
        let posts = Post::find(Post::author().eq(&three)).all(&db).await?;
        assert_eq!(posts.len(), 10);
        assert_eq!(posts[0].author, Ref::new(three.clone()));
        let of = |filter| Post::find(filter).count(&db);
        assert_eq!(of(Post::author().ne(three.clone())).await?, 190);
        assert_eq!(of(Post::author().is_in([to(1), to(2)])).await?, 20);
        assert_eq!(of(Post::editor().is_null()).await?, 100);
        assert_eq!(of(Post::readers().contains(Id::from("a2"))).await?, 50);
        assert_eq!(of(Post::readers().each().eq(Id::from("a2"))).await?, 50);
        assert_eq!(of(Post::items().each().part().eq(Ref::new(8))).await?, 200);
        let first = Post::get(Id::from("p003"));
        let changed = first.update((Post::author().set(to(9)), Post::editor().set_null()));
        let changed = changed.returning_new(&db).await?;
        assert_eq!((changed.author, changed.editor), (to(9), None));
        let groups = Post::aggregate(()).group_by(Post::author()).agg(count()).all(&db).await?;
        assert_eq!((groups.len(), groups.iter().map(|(_, n)| n).sum::<u64>()), (20, 200));
        let pairs: Vec<(Ref<Author>,)> =
            Post::find(Post::n().eq(4)).fields((Post::author(),)).all(&db).await?;
        assert_eq!(pairs, [(to(4),)]);
        Ok(())
    });
}

#[test]
fn an_included_document_has_the_version_that_it_was_read_with() {
    over_both(async |db| {
        let post = Post::get(Id::from("p001")).include(Post::author()).one(&db).await?;
        let mut author = post.author.get().expect("she is there").clone();
        author.name = "another".into();
        let mut late = author.clone();
        author.save(&db).await?;
        let error = late.save(&db).await.expect_err("somebody was faster");
        assert!(matches!(error, Error::VersionConflict { .. }), "{error:?}");
        db.set("authors:a2", &serde_json::json!({"name": "x", "team": "t1", "manager": null}))
            .await?;
        db.cmd("DOC.UPDATE")
            .key("teams:t1")
            .arg(("SET", "name", "\"a team\""))
            .query::<u64>()
            .await?;
        let post = Post::get(Id::from("p002")).include(Post::author().team()).one(&db).await?;
        assert_eq!(team_of(&post.author), Some("a team"));
        Ok(())
    });
}
