//! Writes of all documents that a filter holds of.

use super::find::Query;
use super::place::{Place, explained};
use crate::change::{self, Change};
use crate::order;
use crate::{Command, Document, Error, Executor, Reply, Result};

/// How many documents a write by filter found and changed.
///
/// ```no_run
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::Document;
/// # use shop::User;
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// let written = User::find(()).update(User::visits().set(0)).run(&db).await?;
/// assert!(written.changed <= written.matched);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Written {
    /// How many documents were found.
    pub matched: u64,
    /// How many of them have another text now.
    pub changed: u64,
}

/// An update of all documents that a filter holds of; [`Find::update`](super::Find::update) begins one.
///
/// Hooks and `validate(..)` see whole documents, and so do not see this; the server judges what comes of it.
///
/// ```no_run
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::Document;
/// # use shop::User;
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// User::find(User::age().lt(18)).update(User::active().set(false)).run(&db).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "an update does nothing until it is run"]
pub struct UpdateMany<T> {
    query: Query<T>,
    changes: Vec<Change<T>>,
}

/// The removal of all documents that a filter holds of; [`Find::delete`](super::Find::delete) begins one.
///
/// ```no_run
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::Document;
/// # use shop::User;
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// User::find(User::tags().contains("spam")).delete().run(&db).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a removal does nothing until it is run"]
pub struct DeleteMany<T> {
    query: Query<T>,
}

impl<T: Document> Query<T> {
    /// `name collection WHERE filter [ORDER ..] [LIMIT count] [SCAN] [TIMEOUT ..]`.
    pub(super) fn write(&self, name: &str, place: &Place) -> Result<Command> {
        if self.offset > 0 || self.after.is_some() || self.page.is_some() {
            return Err(Error::Usage(
                "a write by filter has no pages; `limit` does it in parts".into(),
            ));
        }
        let command = Command::write(name).arg(&*place.collection).arg("WHERE");
        let mut command = match &self.filter {
            Some(filter) => command.arg(filter.to_bytes()?),
            // Of every document: a write has to say which ones it means.
            None => command.arg("_seq >= 0"),
        };
        order::add(&mut command, &self.orders);
        if let Some(limit) = self.limit {
            command.push(("LIMIT", limit));
        }
        Ok(self.end(command))
    }
}

fn written(reply: Reply) -> Result<Written> {
    let mut written = Written::default();
    for (name, value) in reply.entries()? {
        match name.as_str() {
            "matched" => written.matched = value.to()?,
            "changed" => written.changed = value.to()?,
            _ => {}
        }
    }
    Ok(written)
}

impl<T: Document> UpdateMany<T> {
    pub(super) fn new(query: Query<T>, changes: Vec<Change<T>>) -> Self {
        Self { query, changes }
    }

    /// Carries it out, for all documents or none. More than 10,000 are refused: `limit` does it in parts.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let written = User::find(()).update(User::visits().set(0)).run(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn run(self, db: &impl Executor) -> Result<Written> {
        let mut command = self.query.write("DOC.UPDATEMANY", &Place::of::<T>(db))?;
        change::add(&mut command, &self.changes)?;
        let reply = db.execute(command).await;
        written(reply.map_err(|error| explained::<T>(error, None))?)
    }
}

impl<T: Document> DeleteMany<T> {
    pub(super) fn new(query: Query<T>) -> Self {
        Self { query }
    }

    /// Carries it out, for all documents or none, and gives how many were removed. More than 10,000 are refused:
    /// `limit` does it in parts.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let removed: u64 = User::find(User::tags().contains("spam")).delete().run(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn run(self, db: &impl Executor) -> Result<u64> {
        let command = self.query.write("DOC.DELETEMANY", &Place::of::<T>(db))?;
        Ok(written(db.execute(command).await?)?.matched)
    }
}
