//! Groups of documents, and what is computed of each.

use super::find::{Query, query};
use super::place::Place;
use super::reducer::{AggregateOrder, Having, Keys, Reducers, RowValues};
use crate::transaction::text;
use crate::{Command, Document, Error, Executor, Filter, Result};

/// An aggregate; [`Document::aggregate`] begins one. Its rows are pairs of the keys and the results.
///
/// ```no_run
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::{Document, count};
/// # use shop::User;
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// let rows: Vec<(String, (u64, Option<f64>))> = User::aggregate(())
///     .group_by(User::address().city())
///     .agg((count(), User::age().avg()))
///     .having(count().gt(10))
///     .order_by(count().desc())
///     .all(&db)
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "an aggregate does nothing until it is loaded"]
pub struct Aggregate<T, K = (), A = ()> {
    query: Query<T>,
    keys: K,
    reducers: A,
    having: Option<Having<T>>,
    orders: Vec<AggregateOrder<T>>,
}

impl<T: Document> Aggregate<T> {
    pub(crate) fn new(filter: Option<Filter<T>>) -> Self {
        let query = query(filter);
        Self { query, keys: (), reducers: (), having: None, orders: Vec::new() }
    }
}

impl<T: Document, K, A> Aggregate<T, K, A> {
    /// Puts documents into groups, by one field or several in a tuple. A document without the field, or with null in
    /// it, is in a group whose key is `None`, so such a field has to be an `Option`.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::{Document, count};
    /// # use shop::User;
    /// let by_city = User::aggregate(()).group_by(User::address().city()).agg(count());
    /// ```
    pub fn group_by<N: Keys<T>>(self, keys: N) -> Aggregate<T, N, A> {
        let Self { query, reducers, having, orders, .. } = self;
        Aggregate { query, keys, reducers, having, orders }
    }

    /// What is computed of each group: one result, or several in a tuple.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::{Document, count};
    /// # use shop::User;
    /// let all = User::aggregate(()).agg((count(), User::age().avg()));
    /// ```
    pub fn agg<N: Reducers<T>>(self, reducers: N) -> Aggregate<T, K, N> {
        let Self { query, keys, having, orders, .. } = self;
        Aggregate { query, keys, reducers, having, orders }
    }

    /// Only rows of which this holds; it may ask for results that are not among the row's.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::{Document, count};
    /// # use shop::User;
    /// let large = User::aggregate(()).group_by(User::tenant()).agg(User::age().avg()).having(count().gt(10));
    /// ```
    pub fn having(self, having: Having<T>) -> Self {
        let having = match self.having {
            Some(before) => before & having,
            None => having,
        };
        Self { having: Some(having), ..self }
    }

    /// Sorts the rows by a result; without it they ascend by their keys.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::{Document, count};
    /// # use shop::User;
    /// let largest = User::aggregate(()).group_by(User::tenant()).agg(count()).order_by(count().desc());
    /// ```
    pub fn order_by(mut self, order: AggregateOrder<T>) -> Self {
        self.orders.push(order);
        self
    }

    /// At most so many rows.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::{Document, count};
    /// # use shop::User;
    /// let ten = User::aggregate(()).group_by(User::tenant()).agg(count()).limit(10);
    /// ```
    pub fn limit(mut self, rows: u64) -> Self {
        self.query.limit = Some(rows);
        self
    }

    /// Allows the server to read more documents than `folio.scan-max` where no index has what is asked.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::{Document, count};
    /// # use shop::User;
    /// let all = User::aggregate(()).agg(User::visits().sum()).allow_scan();
    /// ```
    pub fn allow_scan(mut self) -> Self {
        self.query.scan = true;
        self
    }
}

impl<T: Document, K: Keys<T>, A: Reducers<T>> Aggregate<T, K, A> {
    fn command(&self, place: &Place) -> Result<Command> {
        let mut command = self.query.begin("DOC.AGGREGATE", place)?;
        let keys = self.keys.texts();
        if !keys.is_empty() {
            command.push(("GROUP", keys.len()));
            for key in &keys {
                command.push((key.as_str(), "AS", key.as_str()));
            }
        }
        let mut reducers: Vec<String> = Vec::new();
        let needed = self.having.iter().flat_map(|having| having.needed.iter().cloned());
        let ordered = self.orders.iter().filter(|order| order.is_result);
        let ordered = ordered.map(|order| order.name.clone());
        for text in self.reducers.texts().into_iter().chain(needed).chain(ordered) {
            if !reducers.contains(&text) {
                reducers.push(text);
            }
        }
        command.push(("REDUCE", reducers.len()));
        for text in &reducers {
            command.push((text.as_str(), "AS", text.as_str()));
        }
        if let Some(having) = &self.having {
            let filter = Filter::<T>::new(having.node.clone());
            // Of rows the server asks by text alone.
            command = command.arg("HAVING").arg(text::of(&filter.to_bytes()?)?);
        }
        if !self.orders.is_empty() {
            command.push(("ORDER", self.orders.len()));
            for order in &self.orders {
                command.push((order.name.as_str(), if order.descends { "DESC" } else { "ASC" }));
            }
        }
        if let Some(limit) = self.query.limit {
            command.push(("LIMIT", 0, limit));
        }
        Ok(self.query.end(command))
    }

    /// All rows, as pairs of the keys and the results.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::{Document, count};
    /// # use shop::User;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let rows: Vec<(String, u64)> =
    ///     User::aggregate(()).group_by(User::tenant()).agg(count()).all(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn all(self, db: &impl Executor) -> Result<Vec<(K::Row, A::Row)>> {
        let command = self.command(&Place::of::<T>(db))?;
        let texts = db.execute(command).await?.texts()?;
        let rows = texts.iter().map(|text| {
            let row = RowValues(crate::reply::document("a row", text)?);
            Ok((self.keys.read(&row)?, self.reducers.read(&row)?))
        });
        rows.collect()
    }
}

impl<T: Document, A: Reducers<T>> Aggregate<T, (), A> {
    /// The results over all documents.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::{Document, count};
    /// # use shop::User;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let (users, age) = User::aggregate(()).agg((count(), User::age().avg())).one(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn one(self, db: &impl Executor) -> Result<A::Row> {
        let row = self.all(db).await?.pop();
        row.map(|((), results)| results).ok_or_else(|| Error::Reply("no row came".into()))
    }
}
