//! Removing one document.

use std::marker::PhantomData;
use std::time::Duration;

use super::place::Place;
use crate::command::Repeat;
use crate::{Command, Document, Executor, Operation, Result};

/// The removal of a document, not yet carried out; [`Get::deletion`](super::Get::deletion) begins it.
///
/// ```no_run
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::Document;
/// # use shop::Country;
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// Country::get("DD").deletion().run(&db).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a removal does nothing until it is run"]
pub struct Delete<T> {
    id: String,
    version: Option<u64>,
    how: How,
    model: PhantomData<fn() -> T>,
}

#[derive(Debug, Clone, Copy)]
enum How {
    Plain,
    Soft(Option<Duration>),
    WithDeleted,
}

impl<T: Document> Delete<T> {
    pub(crate) fn new(id: String) -> Self {
        Self { id, version: None, how: How::Plain, model: PhantomData }
    }

    pub(crate) fn expecting(self, version: u64) -> Self {
        Self { version: Some(version), ..self }
    }

    pub(crate) fn soft(self, time: Option<Duration>) -> Self {
        Self { how: How::Soft(time), ..self }
    }

    pub(crate) fn with_deleted(self) -> Self {
        Self { how: How::WithDeleted, ..self }
    }

    /// Only the document of this version; else [`Error::VersionConflict`](crate::Error::VersionConflict). 0: none may be
    /// there.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Country;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// Country::get("DD").deletion().if_version(7).run(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn if_version(self, version: u64) -> Self {
        self.expecting(version)
    }

    /// Carries it out; `false` if there was no document.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Country;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let was_there = Country::get("DD").deletion().run(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn run(self, db: &impl Executor) -> Result<bool> {
        let command = self.removal(&Place::of::<T>(db).key(&self.id));
        let removed: u64 = db.execute(command).await?.to()?;
        Ok(removed > 0)
    }

    fn removal(&self, key: &str) -> Command {
        let mut command = Command::write("DOC.DEL").key(key);
        if let Some(version) = self.version {
            command = command.arg(("IFVERSION", version)).repeat(Repeat::Guarded);
        }
        match self.how {
            How::Plain => {}
            How::WithDeleted => command.push("WITHDELETED"),
            How::Soft(None) => command.push("SOFT"),
            How::Soft(Some(time)) => command.push(("SOFT", "PX", time.as_millis().to_string())),
        }
        command
    }
}

impl<T: Document> Operation for Delete<T> {
    fn command<E: Executor>(self, on: &E) -> Result<Command> {
        Ok(self.removal(&Place::of::<T>(on).key(&self.id)))
    }
}
