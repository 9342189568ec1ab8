//! Queries.

use std::time::Duration;

use super::many::{DeleteMany, UpdateMany};
use super::place::Place;
use super::shape::{Complete, FieldTuple, Fields, Projected, Shape, Whole};
use super::stream;
use crate::order::{self, Order};
use crate::reply::Found;
use crate::{Changes, Command, Document, Error, Executor, Filter, Orders, Projection, Result};
use futures_util::stream::BoxStream;

/// A query for documents of type `T`, each of which becomes what `S` makes of it; [`Document::find`] begins one.
///
/// ```no_run
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::Document;
/// # use shop::User;
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// let page = User::find(User::age().gte(18)).order_by(User::age().desc()).page(50).load(&db).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a query does nothing until it is loaded"]
pub struct Find<T, S> {
    pub(super) query: Query<T>,
    pub(super) shape: S,
}

/// What is asked, whatever becomes of the answer.
#[derive(Debug, Clone)]
pub(crate) struct Query<T> {
    pub(crate) filter: Option<Filter<T>>,
    pub(crate) orders: Vec<Order<T>>,
    pub(crate) offset: u64,
    /// The most rows of all pages together.
    pub(crate) limit: Option<u64>,
    /// The most rows of a page.
    pub(crate) page: Option<u64>,
    pub(crate) after: Option<String>,
    total: bool,
    pub(crate) scan: bool,
    deleted: bool,
    pub(crate) timeout: Option<Duration>,
}

/// A part of an answer: whole if there is no cursor.
///
/// ```no_run
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::Document;
/// # use shop::User;
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// let page = User::find(()).page(50).load(&db).await?;
/// if let Some(cursor) = &page.cursor {
///     let next = User::find(()).page(50).after(cursor).load(&db).await?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Page<R> {
    /// The rows, in the order asked for, else by birth.
    pub items: Vec<R>,
    /// How many there are in all, if [`with_total`](Find::with_total) asked.
    pub total: Option<u64>,
    /// Where the next page begins; `None` if this is the last one.
    pub cursor: Option<String>,
}

impl<R> Page<R> {
    /// Whether nothing follows.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// assert!(User::find(()).page(50).load(&db).await?.is_last());
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_last(&self) -> bool {
        self.cursor.is_none()
    }
}

impl<T: Document> Query<T> {
    fn new(filter: Option<Filter<T>>) -> Self {
        Self {
            filter,
            orders: Vec::new(),
            offset: 0,
            limit: None,
            page: None,
            after: None,
            total: false,
            scan: false,
            deleted: false,
            timeout: None,
        }
    }

    /// `name collection [WHERE filter]`.
    pub(crate) fn begin(&self, name: &str, place: &Place) -> Result<Command> {
        let read = Command::read(name).arg(&*place.collection);
        self.condition(read)
    }

    pub(crate) fn condition(&self, command: Command) -> Result<Command> {
        match &self.filter {
            Some(filter) => Ok(command.arg("WHERE").arg(filter.to_bytes()?)),
            None => Ok(command),
        }
    }

    /// What all queries end with.
    pub(crate) fn end(&self, mut command: Command) -> Command {
        if self.scan {
            command.push("SCAN");
        }
        if let Some(timeout) = self.timeout {
            command.push(("TIMEOUT", timeout.as_millis().max(1).to_string()));
        }
        if self.deleted {
            command.push("WITHDELETED");
        }
        command
    }

    fn find<S: Shape<T>>(&self, shape: &S, place: &Place) -> Result<Command> {
        let mut command = self.begin("DOC.FIND", place)?;
        order::add(&mut command, &self.orders);
        let rows = self.page.into_iter().chain(self.limit).min();
        if rows.is_some() || self.offset > 0 {
            command.push(("LIMIT", self.offset, rows.unwrap_or(i64::MAX as u64)));
        }
        if let Some(cursor) = &self.after {
            command.push(("AFTER", cursor.as_str()));
        }
        if let Some(paths) = shape.paths() {
            if let Some(path) = paths.iter().find(|path| path.starts_with('_')) {
                let what = format!("{path} is not part of the text, and is not selected");
                return Err(Error::Usage(what.into()));
            }
            command.push(("SELECT", paths.len()));
            for path in &paths {
                command.push(path.as_str());
            }
        }
        if self.total {
            command.push("WITHTOTAL");
        }
        if shape.wants_version() {
            command.push("WITHVERSION");
        }
        Ok(self.end(command))
    }

    /// A page of the answer.
    pub(crate) async fn page<S: Shape<T>>(
        &self,
        shape: &S,
        db: &impl Executor,
    ) -> Result<Page<S::Row>> {
        let place = Place::of::<T>(db);
        let Found { rows, total, cursor } = db.execute(self.find(shape, &place)?).await?.rows()?;
        let items = rows
            .into_iter()
            .map(|row| shape.decode(&row.key, place.id(&row.key), &row.text, row.version));
        let mut items: Vec<S::Row> = items.collect::<Result<_>>()?;
        shape.complete(&mut items, db).await?;
        Ok(Page { items, total, cursor })
    }
}

impl<T: Document> Find<T, Whole<T>> {
    pub(crate) fn new(filter: Option<Filter<T>>) -> Self {
        Self { query: Query::new(filter), shape: Whole::new() }
    }

    /// With what functions compute: the fields of type [`Computed`](crate::Computed) are filled.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Article;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// for article in Article::find(()).order_by(Article::slug().asc()).with_computed().all(&db).await? {
    ///     println!("{:?}", article.slug.get());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_computed(self) -> Find<T, impl Shape<T, Row = T>> {
        Find { query: self.query, shape: Complete::<T>::new() }
    }

    /// Only the fields of a projection.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::{Card, User};
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let cards: Vec<Card> = User::find(()).select::<Card>().all(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn select<P: Projection<Of = T>>(self) -> Find<T, impl Shape<T, Row = P>> {
        Find { query: self.query, shape: Projected::<P>::new() }
    }

    /// Only some fields, as tuples. What is missing reads as null, so a field that may be missing has to be an `Option`.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let pairs: Vec<(String, u32)> = User::find(()).fields((User::email(), User::age())).all(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn fields<F: FieldTuple<T>>(self, fields: F) -> Find<T, Fields<F::Row>> {
        Find { query: self.query, shape: fields.shape() }
    }

    /// Begins an update of all documents that are found, all or none, 10,000 at most.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let written = User::find(User::age().gte(18)).update(User::tags().add("adult")).run(&db).await?;
    /// println!("{} of {} changed", written.changed, written.matched);
    /// # Ok(())
    /// # }
    /// ```
    pub fn update(self, changes: impl Changes<T>) -> UpdateMany<T> {
        UpdateMany::new(self.query, changes.into_changes())
    }

    /// Begins the removal of all documents that are found, all or none, 10,000 at most.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let removed = User::find(User::active().is_false()).delete().run(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn delete(self) -> DeleteMany<T> {
        DeleteMany::new(self.query)
    }
}

impl<T: Document, S: Shape<T>> Find<T, S> {
    /// Sorts by a field, then by the next. Ties, and all without an order, follow birth.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let oldest = User::find(()).order_by((User::age().desc(), User::name().asc())).first(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn order_by(mut self, orders: impl Orders<T>) -> Self {
        self.query.orders.extend(orders.into_orders());
        self
    }

    /// At most so many rows; the page tells where the next one begins.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let page = User::find(()).page(50).load(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn page(mut self, rows: u64) -> Self {
        self.query.page = Some(rows);
        self
    }

    /// Goes on behind the last row of the page that gave this cursor. Filter and order have to be the same.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio, cursor: String) -> folio::Result<()> {
    /// let page = User::find(()).page(50).after(&cursor).load(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn after(mut self, cursor: &str) -> Self {
        self.query.after = Some(cursor.into());
        self
    }

    /// At most so many rows, of all pages of a [`stream`](Find::stream) together.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let ten = User::find(()).limit(10).all(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn limit(mut self, rows: u64) -> Self {
        self.query.limit = Some(rows);
        self
    }

    /// Leaves the first rows out; a cursor does it without counting them again.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let third = User::find(()).offset(20).limit(10).all(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn offset(mut self, rows: u64) -> Self {
        self.query.offset = rows;
        self
    }

    /// Asks how many documents there are in all, whatever the page.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let page = User::find(()).page(50).with_total().load(&db).await?;
    /// println!("{} of {:?}", page.items.len(), page.total);
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_total(mut self) -> Self {
        self.query.total = true;
        self
    }

    /// Allows the server to read more documents than `folio.scan-max` where no index answers; else such a query is
    /// [`Error::UnindexedQuery`].
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let users = User::find(User::visits().gt(100)).allow_scan().all(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn allow_scan(mut self) -> Self {
        self.query.scan = true;
        self
    }

    /// Finds documents that are marked as deleted, too.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let all = User::find(()).with_deleted().count(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_deleted(mut self) -> Self {
        self.query.deleted = true;
        self
    }

    /// The server gives the query up after this time.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let time = std::time::Duration::from_millis(50);
    /// let users = User::find(User::name().matches("a.*z")).timeout(time).all(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn timeout(mut self, time: Duration) -> Self {
        self.query.timeout = Some(time);
        self
    }

    /// A page: the rows, the total if it was asked for, and where the next page begins.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let page = User::find(()).page(50).load(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn load(self, db: &impl Executor) -> Result<Page<S::Row>> {
        self.query.page(&self.shape, db).await
    }

    /// All rows, or as many as [`limit`](Find::limit) says, whatever the page. More than the server's `folio.rows-max`
    /// are an error, never a part.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let users: Vec<User> = User::find(User::tags().contains("vip")).all(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn all(mut self, db: &impl Executor) -> Result<Vec<S::Row>> {
        self.query.page = None;
        Ok(self.load(db).await?.items)
    }

    /// The first row, if there is one.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let youngest = User::find(()).order_by(User::age().asc()).first(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn first(self, db: &impl Executor) -> Result<Option<S::Row>> {
        Ok(self.limit(1).load(db).await?.items.into_iter().next())
    }

    /// The only row. Fails with [`Error::NotFound`] if there is none, and with [`Error::MoreThanOne`] if there are
    /// several.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let ada = User::find(User::email().eq("ada@example.org")).one(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn one(self, db: &impl Executor) -> Result<S::Row> {
        let mut rows = self.limit(2).load(db).await?.items.into_iter();
        let collection = T::DEFINITION.collection;
        match (rows.next(), rows.next()) {
            (Some(row), None) => Ok(row),
            (None, _) => {
                Err(Error::NotFound { key: format!("{collection} by this filter").into() })
            }
            (Some(_), Some(_)) => Err(Error::MoreThanOne { collection: collection.into() }),
        }
    }

    /// How many documents there are; order and pages are no part of it.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Order;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let many = Order::find(Order::items().any(|i| i.sku().eq("X") & i.qty().gt(2))).count(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn count(self, db: &impl Executor) -> Result<u64> {
        let command = self.query.begin("DOC.COUNT", &Place::of::<T>(db))?;
        db.execute(self.query.end(command)).await?.to()
    }

    /// Whether there is a document.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let is_taken = User::find(User::email().eq("ada@example.org")).exists(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn exists(self, db: &impl Executor) -> Result<bool> {
        let command = self.query.begin("DOC.EXISTS", &Place::of::<T>(db))?;
        let found: u64 = db.execute(self.query.end(command)).await?.to()?;
        Ok(found > 0)
    }

    /// How the server would run the query, a line for each step of the plan.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// println!("{}", User::find(User::age().gt(40)).explain(&db).await?.join("\n"));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn explain(self, db: &impl Executor) -> Result<Vec<String>> {
        let place = Place::of::<T>(db);
        let explain = Command::read("DOC.EXPLAIN").arg((&*place.collection, "FIND"));
        let mut command = self.query.condition(explain)?;
        order::add(&mut command, &self.query.orders);
        db.execute(self.query.end(command)).await?.to()
    }

    /// The rows one by one, fetched page by page behind a cursor: it survives reconnects, and nothing is kept on the
    /// server between pages, so it may be read as slowly as one likes. What changes meanwhile may come or not.
    ///
    /// A page is as large as [`page`](Find::page) says, else of 500 rows.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// use futures_util::TryStreamExt;
    ///
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let mut users = User::find_by(|u| u.address().city().eq("Paris")).stream(&db);
    /// while let Some(user) = users.try_next().await? {
    ///     println!("{}", user.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn stream<'a>(self, db: &'a impl Executor) -> BoxStream<'a, Result<S::Row>>
    where
        T: 'a,
        S: 'a,
    {
        stream::rows(self.query, self.shape, db)
    }
}

/// A query that is nothing but a filter, for calls that begin with one.
pub(crate) fn query<T: Document>(filter: Option<Filter<T>>) -> Query<T> {
    Query { filter, ..Query::new(None) }
}
