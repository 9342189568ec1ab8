//! What a migration's code is given.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use tokio::sync::{Mutex, MutexGuard};

use super::ledger::Ledger;
use super::{MigrationError, Planned, Tried};
use crate::executor::sealed::Sealed;
use crate::{Command, Error, Executor, Folio, Reply, Result, Transaction};

/// Who is told how far migrations are.
pub(super) type Listener = Arc<dyn Fn(&Progress) + Send + Sync>;

/// How far a walk over documents is: what [`Migrations::on_progress`](super::Migrations::on_progress) is told after each
/// batch.
///
/// ```no_run
/// # let migrations = folio::migrate::Migrations::new("shop");
/// let migrations = migrations.on_progress(|p| println!("{} {}: {} of {}", p.version, p.name, p.done, p.total));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The migration's version.
    pub version: u64,
    /// Its name.
    pub name: String,
    /// The collection that is gone over.
    pub collection: String,
    /// How many documents are done, those of earlier runs too.
    pub done: u64,
    /// How many there were when it began. Documents that have come since are done as well.
    pub total: u64,
}

/// What a migration's code works with. Clones are the same.
///
/// It is an [`Executor`]: it stands where `&db` does in every typed call. Its walks over documents
/// ([`each`](Step::each), [`each_of`](Step::each_of), [`rename`](Step::rename)) and its declarations
/// ([`alter`](Step::alter)) are **parts**, of which the server keeps how far they are, so that a run that was interrupted
/// goes on there. Whatever else the code does is done again then: it has to bear that.
///
/// In a dry run calls over the step write nothing, and read what a [`Transaction`] would read that is not committed.
///
/// ```
/// use folio::migrate::{Migration, Step};
///
/// async fn split_name(step: Step) -> folio::Result<()> {
///     step.each("shop.users")
///         .filter("name IS NOT MISSING")
///         .change(|user| {
///             let name = user["name"].as_str().unwrap_or_default().to_owned();
///             let (first, last) = name.split_once(' ').unwrap_or((&name, ""));
///             user["first"] = first.into();
///             user["last"] = last.into();
///             Ok(())
///         })
///         .await?;
///     step.alter("shop.users").drop_field("name").run().await
/// }
/// let migration = Migration::new(1, "split name").up(split_name);
/// ```
#[derive(Clone)]
pub struct Step {
    inner: Arc<Inner>,
}

struct Inner {
    db: Folio,
    planned: Planned,
    book: Mutex<Book>,
    /// What is never committed: the calls of a dry run.
    dry: Option<Transaction>,
    listener: Option<Listener>,
}

/// What the parts of a step share. Whoever holds it is the part under way.
#[derive(Debug)]
pub(super) struct Book {
    pub(super) ledger: Ledger,
    /// How many parts the code has begun, those that are over included.
    begun: u32,
    pub(super) tried: Tried,
}

impl Step {
    pub(super) fn new(
        planned: &Planned,
        ledger: Ledger,
        dry: Option<Transaction>,
        listener: Option<Listener>,
        db: &Folio,
    ) -> Self {
        let book = Mutex::new(Book { ledger, begun: 0, tried: Tried::of(planned) });
        Self {
            inner: Arc::new(Inner {
                db: db.clone(),
                planned: planned.clone(),
                book,
                dry,
                listener,
            }),
        }
    }

    /// The server itself: for calls without types, for other databases. What is sent over it is sent in a dry run, too.
    ///
    /// ```
    /// # async fn example(step: folio::migrate::Step) -> folio::Result<()> {
    /// if !step.is_dry_run() {
    ///     step.db().cmd("DOC.REINDEX").arg("shop.users").query::<()>().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn db(&self) -> &Folio {
        &self.inner.db
    }

    /// Whether nothing is to be written.
    ///
    /// ```
    /// # async fn example(step: folio::migrate::Step) {
    /// println!("dry: {}", step.is_dry_run());
    /// # }
    /// ```
    pub fn is_dry_run(&self) -> bool {
        self.inner.dry.is_some()
    }

    pub(super) async fn book(&self) -> MutexGuard<'_, Book> {
        self.inner.book.lock().await
    }

    /// Begins the next part; `None` if it was over in an earlier run.
    pub(super) async fn enter(&self) -> Result<Option<MutexGuard<'_, Book>>> {
        let mut book = self.book().await;
        let (part, over) = (book.begun, book.ledger.running()?.parts);
        book.begun += 1;
        if part > over {
            let what = "a part of a migration that has failed cannot be passed over";
            return Err(Error::Usage(what.into()));
        }
        Ok((part == over).then_some(book))
    }

    /// Notes that the migration is over, if all of its parts are: code may have gone on past the error of one, or have
    /// given one up.
    pub(super) async fn finish(&self) -> Result<()> {
        let mut book = self.book().await;
        if book.begun != book.ledger.running()?.parts {
            let what = "not all parts of the migration are over, and it says that it is";
            return Err(self.failed(None, Error::Usage(what.into())));
        }
        book.ledger.finish().await
    }

    /// Tells whoever listens how far a walk is.
    pub(super) fn tell(&self, collection: &str, done: u64, total: u64) {
        let Planned { version, name, .. } = &self.inner.planned;
        if let Some(listener) = &self.inner.listener {
            let (name, collection) = (name.clone(), collection.to_owned());
            listener(&Progress { version: *version, name, collection, done, total });
        }
    }

    /// What has failed, and at which document.
    pub(super) fn failed(&self, key: Option<&str>, source: Error) -> Error {
        if matches!(source, Error::Migration(_)) {
            return source;
        }
        let Planned { version, name, .. } = self.inner.planned.clone();
        MigrationError::Failed { version, name, key: key.map(Into::into), source }.into()
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Step").field("planned", &self.inner.planned).finish_non_exhaustive()
    }
}

impl Sealed for Step {}

impl Executor for Step {
    async fn execute(&self, command: Command) -> Result<Reply> {
        match &self.inner.dry {
            Some(dry) => dry.execute(command).await,
            None => self.db().execute(command).await,
        }
    }

    async fn execute_all(&self, commands: Vec<Command>) -> Result<Vec<Result<Reply>>> {
        match &self.inner.dry {
            Some(dry) => dry.execute_all(commands).await,
            None => self.db().execute_all(commands).await,
        }
    }

    fn named<'n>(&self, name: &'n str) -> Cow<'n, str> {
        self.db().named(name)
    }
}
