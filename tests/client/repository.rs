//! Code that is generic over types of documents.

use folio::{Document, Error, Executor, Folio, Id, Repository};
use folio_tests::Server;
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Document, Serialize, Deserialize)]
#[folio(collection = "books")]
struct Book {
    #[folio(id)]
    id: Id<Book>,
    #[folio(index)]
    pages: u32,
    #[folio(version)]
    version: u64,
}

#[derive(Debug, Clone, PartialEq, Document, Serialize, Deserialize)]
#[folio(collection = "tags")]
struct Tag {
    #[folio(id = "natural")]
    name: String,
}

fn book(pages: u32) -> Book {
    Book { id: Id::new(), pages, version: 0 }
}

/// Knows nothing of the types.
struct Service<T> {
    all: Repository<T>,
}

impl<T: Document + Clone + PartialEq + std::fmt::Debug> Service<T> {
    async fn round(&self, document: T) -> folio::Result<()> {
        let all = self.all.clone();
        let before = all.count(()).await?;
        let mut document = all.insert(document).await?;
        let id = T::Id::clone(document.document_id());
        assert_eq!(all.get(&id).await?, document);
        assert_eq!(all.get_many([&id]).await?, [Some(document.clone())]);
        all.save(&mut document).await?;
        let document = all.replace(document).await?;
        let again = all.insert(document.clone()).await.expect_err("it is there");
        assert!(matches!(again, Error::AlreadyExists { .. }), "{again}");
        assert_eq!(all.count(()).await?, before + 1);
        assert!(all.exists(&id).await? && all.delete(&document).await?);
        assert!(!all.exists(&id).await?);
        assert_eq!(all.maybe(&id).await?, None);
        let error = all.get(&id).await.expect_err("it is gone");
        assert!(matches!(error, Error::NotFound { .. }), "{error}");
        Ok(())
    }
}

async fn fill<E: Executor>(books: &Repository<Book, E>) -> folio::Result<()> {
    for pages in 1..=7 {
        books.insert(book(pages * 100)).await?;
    }
    Ok(())
}

async fn pages<T: Document>(all: &Repository<T>) -> folio::Result<Vec<usize>> {
    let mut sizes = Vec::new();
    let mut after = None;
    loop {
        let page = all.page((), 3, after.as_deref()).await?;
        sizes.push(page.items.len());
        after = page.cursor;
        if after.is_none() {
            return Ok(sizes);
        }
    }
}

async fn books(db: &Folio) -> folio::Result<()> {
    let books = db.repository::<Book>();
    assert_eq!(format!("{books:?}"), "Repository { collection: \"books\", .. }");
    let tx = db.begin().await?;
    fill(&Repository::new(&tx)).await?;
    assert_eq!(books.count(()).await?, 0);
    tx.commit().await?;
    assert_eq!(books.find(Book::pages().gt(500)).await?.len(), 2);
    assert_eq!(pages(&books).await?, [3, 3, 1]);
    let streamed: Vec<Book> = books.stream(Book::pages().lte(300)).try_collect().await?;
    assert_eq!(streamed.iter().map(|it| it.pages).collect::<Vec<_>>(), [100, 200, 300]);
    let longest = Book::find(()).order_by(Book::pages().desc()).first(books.executor()).await?;
    assert_eq!(longest.map(|it| it.pages), Some(700));
    Ok(())
}

#[test]
fn a_repository_is_what_generic_code_needs() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime can be built");
    for query in ["", "/?protocol=resp2"] {
        let server = Server::start();
        let outcome = runtime.block_on(async {
            let db = Folio::connect(&format!("{}{query}", server.url())).await?;
            db.sync::<(Book, Tag)>().await?;
            Service { all: db.repository() }.round(book(1)).await?;
            Service { all: db.repository() }.round(Tag { name: "new".into() }).await?;
            books(&db).await
        });
        outcome.expect("no command fails");
    }
}
