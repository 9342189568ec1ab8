//! The first ten minutes: a type, its declaration, documents, questions, changes.
//!
//! `cargo run -p folio-examples --bin quickstart -- redis://127.0.0.1:6379`

use folio::{Document, Embed, Error, Folio, Id, count};
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Document, Serialize, Deserialize)]
#[folio(collection = "example.books")]
struct Book {
    #[folio(id)]
    id: Id<Book>,
    #[folio(unique)]
    isbn: String,
    title: String,
    #[folio(index(sorted), validate(range(min = 1450, max = 2100)))]
    year: u32,
    #[folio(index)]
    tags: Vec<String>,
    author: Author,
    #[folio(version)]
    version: u64,
}

#[derive(Debug, Clone, Embed, Serialize, Deserialize)]
struct Author {
    #[folio(index)]
    name: String,
    born: Option<u32>,
}

fn book(isbn: &str, title: &str, year: u32, tags: &[&str], name: &str, born: u32) -> Book {
    let tags = tags.iter().map(ToString::to_string).collect();
    let author = Author { name: name.into(), born: Some(born) };
    Book { id: Id::new(), isbn: isbn.into(), title: title.into(), year, tags, author, version: 0 }
}

#[tokio::main]
async fn main() -> folio::Result<()> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "redis://127.0.0.1:6379".into());
    let db = Folio::connect(&url).await?;
    db.sync::<Book>().await?;
    // What an earlier run has left.
    Book::find(()).delete().run(&db).await?;

    let mut emma = book("a-1", "Emma", 1815, &["novel"], "Jane Austen", 1775).insert(&db).await?;
    let more = vec![
        book("a-2", "Persuasion", 1817, &["novel"], "Jane Austen", 1775),
        book("a-3", "Frankenstein", 1818, &["novel", "horror"], "Mary Shelley", 1797),
        book("a-4", "Sketch of the Analytical Engine", 1843, &["science"], "Ada Lovelace", 1815),
    ];
    let report = Book::insert_many(more).run(&db).await?;
    println!("{} more books", report.written());

    // A unique value is refused wherever it comes from; so is what breaks a rule, before it is sent.
    let twin = book("a-1", "Emma again", 1816, &[], "Nobody", 1800).insert(&db).await;
    if let Err(Error::UniqueViolation(held)) = twin {
        let is_emma = held.holder.is_some_and(|key| key.ends_with(emma.id.as_str()));
        println!("{} is held by Emma: {is_emma}", held.index);
    }
    let early = book("a-5", "Beowulf", 975, &[], "Unknown", 900).insert(&db).await;
    println!("{}", early.err().map(|error| error.to_string()).unwrap_or_default());

    let novels = Book::find(Book::tags().contains("novel") & Book::year().between(1815, 1820))
        .order_by(Book::year().desc())
        .page(2)
        .with_total()
        .load(&db)
        .await?;
    let titles: Vec<&str> = novels.items.iter().map(|book| book.title.as_str()).collect();
    println!("{} of {} novels: {}", titles.len(), novels.total.unwrap_or(0), titles.join(", "));

    let mut austen = Book::find_by(|book| book.author().name().eq("Jane Austen")).stream(&db);
    while let Some(book) = austen.try_next().await? {
        println!("Austen wrote {} in {}", book.title, book.year);
    }

    let by_author: Vec<(String, u64)> = Book::aggregate(())
        .group_by(Book::author().name())
        .agg(count())
        .order_by(count().desc())
        .all(&db)
        .await?;
    println!("most books: {:?}", by_author.first());

    // A change of a part, one of the whole that expects the version, and what a second writer meets.
    Book::get(&emma.id)
        .update((Book::year().inc(1), Book::tags().push("classic")))
        .run(&db)
        .await?;
    let changed = Book::get(&emma.id)
        .modify(&db, |book| {
            book.title.push_str(", a novel");
            Ok(())
        })
        .await?;
    println!("{} ({}) {:?}", changed.title, changed.year, changed.tags);
    let late = emma.save(&db).await;
    println!("the first copy is too old: {}", matches!(late, Err(Error::VersionConflict { .. })));
    Ok(())
}
