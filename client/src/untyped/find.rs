//! Queries.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Call;
use crate::{Error, Executor, Folio, Reply, Result, reply};

/// The direction of an order.
///
/// ```
/// assert_ne!(folio::untyped::Direction::Ascending, folio::untyped::Direction::Descending);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The least first.
    Ascending,
    /// The greatest first.
    Descending,
}

/// The answer to a [`Find`]: whole, unless a limit was set.
///
/// ```no_run
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// let page = db.find::<serde_json::Value>("cities", "").limit(0, 10).with_total().load().await?;
/// println!("{} of {}", page.items.len(), page.total.unwrap_or_default());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Page<T> {
    /// The documents with their keys, in the order asked for, else by birth.
    pub items: Vec<(String, T)>,
    /// How many documents match in all, if [`with_total`](Find::with_total) asked for it.
    pub total: Option<u64>,
    /// Where the next page begins, if the limit cut the answer.
    pub cursor: Option<String>,
}

/// What every query has: where it looks and what for.
#[derive(Debug)]
struct Query<'a> {
    db: &'a Folio,
    collection: String,
    filter: String,
    params: Vec<(String, serde_json::Result<String>)>,
    scan: bool,
    deleted: bool,
}

impl<'a> Query<'a> {
    fn new(db: &'a Folio, collection: &str, filter: &str) -> Self {
        let (collection, filter) = (collection.into(), filter.into());
        Self { db, collection, filter, params: Vec::new(), scan: false, deleted: false }
    }

    fn param(&mut self, name: &str, value: &impl Serialize) {
        self.params.push((name.into(), serde_json::to_string(value)));
    }

    /// The command with everything that `DOC.FIND` and `DOC.COUNT` share.
    fn command(self, name: &str) -> Result<Call<'a>> {
        let mut command = self.db.cmd(name).arg(self.collection);
        if !self.filter.trim().is_empty() {
            command = command.arg("WHERE").arg(self.filter);
        }
        if !self.params.is_empty() {
            command = command.arg("PARAMS").arg(self.params.len());
            for (name, value) in self.params {
                command = command.arg(name).arg(value.map_err(Error::Encode)?);
            }
        }
        if self.deleted {
            command = command.arg("WITHDELETED");
        }
        Ok(if self.scan { command.arg("SCAN") } else { command })
    }
}

/// A query for documents; [`Folio::find`] begins one.
///
/// ```no_run
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// let large = db
///     .find::<serde_json::Value>("cities", "population > $min")
///     .param("min", 10_000_000)
///     .load()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a query does nothing until it is loaded"]
pub struct Find<'a, T> {
    query: Query<'a>,
    order: Vec<(String, Direction)>,
    limit: Option<(u64, u64)>,
    total: bool,
    document: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Find<'_, T> {
    /// Gives the value of the filter's parameter `$name`.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let page = db
    ///     .find::<serde_json::Value>("cities", "countrycode IN $countries")
    ///     .param("countries", ["NL", "BE", "LU"])
    ///     .load()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn param(mut self, name: &str, value: impl Serialize) -> Self {
        self.query.param(name, &value);
        self
    }

    /// Sorts by a path, after the paths that were given before.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// use folio::untyped::Direction::{Ascending, Descending};
    ///
    /// let page = db
    ///     .find::<serde_json::Value>("cities", "countrycode = 'JP'")
    ///     .order_by("population", Descending)
    ///     .order_by("name", Ascending)
    ///     .load()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn order_by(mut self, path: &str, direction: Direction) -> Self {
        self.order.push((path.into(), direction));
        self
    }

    /// Leaves `offset` documents out and gives at most `count`.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let third_page = db.find::<serde_json::Value>("cities", "").limit(40, 20).load().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn limit(mut self, offset: u64, count: u64) -> Self {
        self.limit = Some((offset, count));
        self
    }

    /// Asks how many documents match in all.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let page =
    ///     db.find::<serde_json::Value>("cities", "").limit(0, 20).with_total().load().await?;
    /// assert!(page.total.is_some());
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_total(mut self) -> Self {
        self.total = true;
        self
    }

    /// Allows the server to look at every document where no index helps; without this such a
    /// query over a large collection is the error `NOINDEX`.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let page =
    ///     db.find::<serde_json::Value>("cities", "latitude > 70").allow_scan().load().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn allow_scan(mut self) -> Self {
        self.query.scan = true;
        self
    }

    /// Finds documents that are marked as deleted too; see [`Folio::delete_soft`].
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let trash = db
    ///     .find::<serde_json::Value>("users", "_deleted IS NOT MISSING")
    ///     .with_deleted()
    ///     .load()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_deleted(mut self) -> Self {
        self.query.deleted = true;
        self
    }

    /// Asks the server.
    ///
    /// Fails with [`Error::Decode`] if a document does not fit `T`.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let page = db.find::<serde_json::Value>("cities", "population > 1e7").load().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn load(self) -> Result<Page<T>> {
        let mut command = self.query.command("DOC.FIND")?;
        if !self.order.is_empty() {
            command = command.arg("ORDER").arg(self.order.len());
            for (path, direction) in self.order {
                command = command.arg(path).arg(match direction {
                    Direction::Ascending => "ASC",
                    Direction::Descending => "DESC",
                });
            }
        }
        if let Some((offset, count)) = self.limit {
            command = command.arg(("LIMIT", offset, count));
        }
        if self.total {
            command = command.arg("WITHTOTAL");
        }
        let found = Reply::new(command.read_value().await?).rows()?;
        let items = found.rows.into_iter().map(|row| {
            let item = reply::document(&row.key, &row.text)?;
            Ok((row.key, item))
        });
        let items = items.collect::<Result<_>>()?;
        Ok(Page { items, total: found.total, cursor: found.cursor })
    }
}

/// A query for a number of documents; [`Folio::count`] begins one.
///
/// ```no_run
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// let n = db.count("cities", "population > $min").param("min", 1_000_000).load().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a query does nothing until it is loaded"]
pub struct Count<'a> {
    query: Query<'a>,
}

impl Count<'_> {
    /// Gives the value of the filter's parameter `$name`.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let n = db.count("cities", "name = $name").param("name", "L'Aquila").load().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn param(mut self, name: &str, value: impl Serialize) -> Self {
        self.query.param(name, &value);
        self
    }

    /// Allows the server to look at every document where no index helps.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let n = db.count("cities", "latitude > 70").allow_scan().load().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn allow_scan(mut self) -> Self {
        self.query.scan = true;
        self
    }

    /// Counts documents that are marked as deleted too; see [`Folio::delete_soft`].
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let all = db.count("users", "").with_deleted().load().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_deleted(mut self) -> Self {
        self.query.deleted = true;
        self
    }

    /// Asks the server.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let n: u64 = db.count("cities", "").load().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn load(self) -> Result<u64> {
        self.query.command("DOC.COUNT")?.read().await
    }
}

impl Folio {
    /// Begins a query for the documents of a collection that a filter holds of; an empty filter
    /// holds of all.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let page = db.find::<serde_json::Value>("cities", "countrycode = 'IS'").load().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn find<T: DeserializeOwned>(&self, collection: &str, filter: &str) -> Find<'_, T> {
        Find {
            query: Query::new(self, &self.named(collection), filter),
            order: Vec::new(),
            limit: None,
            total: false,
            document: PhantomData,
        }
    }

    /// Begins a count of the documents of a collection that a filter holds of; an empty filter
    /// holds of all.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let n = db.count("cities", "countrycode = 'IS'").load().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn count(&self, collection: &str, filter: &str) -> Count<'_> {
        Count { query: Query::new(self, &self.named(collection), filter) }
    }
}
