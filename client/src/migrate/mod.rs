//! Changes of documents and declarations that are done once, in order, and can be taken back.

mod alter;
mod each;
mod error;
mod ledger;
mod lock;
mod plan;
mod schema_version;
mod step;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::{Error, Folio, Result};
use ledger::Ledger;
use lock::{Lock, Terms};

pub use alter::Alter;
pub use each::{Each, EachOf};
pub use error::MigrationError;
pub use ledger::Applied;
pub use plan::{Direction, Planned, Tried};
pub use schema_version::SchemaVersion;
pub use step::{Progress, Step};

/// Where the state and the lock stand.
const COLLECTION: &str = "folio.migrations";
/// How long a lock lasts that is not renewed.
const LOCK_TTL: Duration = Duration::from_secs(30);

type Code = Arc<dyn Fn(Step) -> BoxFuture<'static, Result<()>> + Send + Sync>;

/// The migrations of a program, in the order of their versions.
///
/// What was applied, how far the one under way is, and a lock stand in documents `folio.migrations:..` on the server.
/// Two programs never run at once, and one that was killed holds the others up for half a minute at most.
///
/// ```no_run
/// use folio::migrate::{Migration, Migrations};
///
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// let migrations = Migrations::new("shop").add(
///     Migration::new(1, "count visits")
///         .up(|step| async move {
///             step.each("shop.users").change(|user| {
///                 user["visits"] = 0.into();
///                 Ok(())
///             }).await?;
///             Ok(())
///         })
///         .down(|step| async move {
///             step.each("shop.users").change(|user| {
///                 user.as_object_mut().map(|user| user.remove("visits"));
///                 Ok(())
///             }).await?;
///             Ok(())
///         }),
/// );
/// for done in migrations.run(&db).await? {
///     println!("{} {}", done.version, done.name);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "no migration is run yet"]
pub struct Migrations {
    terms: Terms,
    all: Vec<Migration>,
    listener: Option<step::Listener>,
}

/// A change of documents and declarations, with its way back.
///
/// ```
/// use folio::migrate::Migration;
///
/// let migration = Migration::new(2, "forget nicknames").up(|step| async move {
///     step.alter("shop.users").drop_field("nick").run().await
/// });
/// ```
#[derive(Clone)]
pub struct Migration {
    version: u64,
    name: String,
    up: Option<Code>,
    down: Option<Code>,
}

impl Migration {
    /// A migration of a version, 1 or more, and a name. Neither may change once it was applied anywhere.
    ///
    /// ```
    /// let migration = folio::migrate::Migration::new(1, "split name");
    /// ```
    pub fn new(version: u64, name: &str) -> Self {
        Self { version, name: name.into(), up: None, down: None }
    }

    /// What it does.
    ///
    /// ```
    /// let migration = folio::migrate::Migration::new(1, "rename nick").up(|step| async move {
    ///     step.rename("shop.users", "nick", "nickname").await?;
    ///     Ok(())
    /// });
    /// ```
    #[must_use]
    pub fn up<R>(mut self, code: impl Fn(Step) -> R + Send + Sync + 'static) -> Self
    where
        R: Future<Output = Result<()>> + Send + 'static,
    {
        self.up = Some(Arc::new(move |step| code(step).boxed()));
        self
    }

    /// What takes it back.
    ///
    /// ```
    /// let migration = folio::migrate::Migration::new(1, "rename nick").down(|step| async move {
    ///     step.rename("shop.users", "nickname", "nick").await?;
    ///     Ok(())
    /// });
    /// ```
    #[must_use]
    pub fn down<R>(mut self, code: impl Fn(Step) -> R + Send + Sync + 'static) -> Self
    where
        R: Future<Output = Result<()>> + Send + 'static,
    {
        self.down = Some(Arc::new(move |step| code(step).boxed()));
        self
    }
}

impl Migrations {
    /// No migrations yet. The name tells them from those of other programs on the same database; a bucket has its own.
    ///
    /// ```
    /// let migrations = folio::migrate::Migrations::new("shop");
    /// ```
    pub fn new(name: &str) -> Self {
        let terms = Terms { migrations: name.into(), ttl: LOCK_TTL, wait: Duration::ZERO };
        Self { terms, all: Vec::new(), listener: None }
    }

    /// With another one. They are run by their versions, whatever the order in which they are added.
    ///
    /// ```
    /// use folio::migrate::{Migration, Migrations};
    ///
    /// let migrations = Migrations::new("shop").add(Migration::new(1, "split name"));
    /// ```
    #[expect(clippy::should_implement_trait, reason = "migrations are added, and are no sum")]
    pub fn add(mut self, migration: Migration) -> Self {
        self.all.push(migration);
        self.all.sort_by_key(|it| it.version);
        self
    }

    /// How long another program that runs them is waited for, before it is [`MigrationError::Locked`]; not at all where
    /// nothing is said.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let migrations = folio::migrate::Migrations::new("shop").wait(Duration::from_secs(60));
    /// ```
    pub fn wait(mut self, time: Duration) -> Self {
        self.terms.wait = time;
        self
    }

    /// How long the lock of a program lasts that was killed, or cannot reach the server; 30 seconds where nothing is
    /// said. It is renewed three times in this time.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let migrations = folio::migrate::Migrations::new("shop").lock_ttl(Duration::from_secs(10));
    /// ```
    pub fn lock_ttl(mut self, time: Duration) -> Self {
        self.terms.ttl = time;
        self
    }

    /// Has a closure told how far walks over documents are, after each batch.
    ///
    /// ```
    /// let migrations = folio::migrate::Migrations::new("shop")
    ///     .on_progress(|p| println!("{} of {} in {}", p.done, p.total, p.collection));
    /// ```
    pub fn on_progress(mut self, listener: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        self.listener = Some(Arc::new(listener));
        self
    }

    /// Runs all that are not applied, and gives them.
    ///
    /// Fails with [`Error::Migration`]. Those that were done before stand; the one that failed goes on where it stopped
    /// when it is run again.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio, migrations: folio::migrate::Migrations) -> folio::Result<()> {
    /// let done = migrations.run(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn run(&self, db: &Folio) -> Result<Vec<Planned>> {
        self.go(Direction::Up, u64::MAX, db).await
    }

    /// The same up to a version.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio, migrations: folio::migrate::Migrations) -> folio::Result<()> {
    /// let done = migrations.up_to(3, &db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn up_to(&self, version: u64, db: &Folio) -> Result<Vec<Planned>> {
        self.go(Direction::Up, version, db).await
    }

    /// Takes back all that are above a version, the last one first; 0: all. Nothing is taken back if one of them has no
    /// way down.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio, migrations: folio::migrate::Migrations) -> folio::Result<()> {
    /// let taken_back = migrations.down_to(2, &db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn down_to(&self, version: u64, db: &Folio) -> Result<Vec<Planned>> {
        self.go(Direction::Down, version, db).await
    }

    /// What [`run`](Migrations::run) would run.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio, migrations: folio::migrate::Migrations) -> folio::Result<()> {
    /// let is_up_to_date = migrations.plan(&db).await?.is_empty();
    /// # Ok(())
    /// # }
    /// ```
    pub async fn plan(&self, db: &Folio) -> Result<Vec<Planned>> {
        let ledger = Ledger::load(&self.terms.migrations, None, db).await?;
        plan::plan(&self.all, &ledger.state, Direction::Up, u64::MAX)
    }

    /// What was applied, whether or not this program has it.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio, migrations: folio::migrate::Migrations) -> folio::Result<()> {
    /// let version = migrations.applied(&db).await?.last().map_or(0, |last| last.version);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn applied(&self, db: &Folio) -> Result<Vec<Applied>> {
        Ok(Ledger::load(&self.terms.migrations, None, db).await?.state.applied)
    }

    /// Runs what [`run`](Migrations::run) would, over the documents as they stand, and writes nothing: tells how many
    /// would be changed, and the first document that fails.
    ///
    /// Each is tried by itself, so a migration that counts on what the one before does may fail here. What the server
    /// would refuse, a broken rule or a unique value, shows only when it is run. Code that goes past the step, over
    /// [`Step::db`], is not held back.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio, migrations: folio::migrate::Migrations) -> folio::Result<()> {
    /// for tried in migrations.dry_run(&db).await? {
    ///     println!("{}: {} of {} documents", tried.name, tried.changed, tried.documents);
    ///     if let Some(error) = tried.failure {
    ///         println!("{error}");
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn dry_run(&self, db: &Folio) -> Result<Vec<Tried>> {
        let (db, mut tried) = (&db.on_primary(), Vec::new());
        for planned in self.plan(db).await? {
            let mut ledger = Ledger::load(&self.terms.migrations, None, db).await?;
            if !planned.resumes {
                ledger.state.running = None;
            }
            let dry = Some(db.begin().await?);
            let step = self.begin(&planned, ledger, dry, db).await?;
            let outcome = self.code(&planned)?(step.clone()).await;
            let mut book = step.book().await;
            if let Err(error) = outcome {
                book.tried.failed(step.failed(None, error));
            }
            tried.push(book.tried.take());
        }
        Ok(tried)
    }

    async fn go(&self, direction: Direction, to: u64, db: &Folio) -> Result<Vec<Planned>> {
        let db = &db.on_primary();
        let ledger = Ledger::load(&self.terms.migrations, None, db).await?;
        if plan::plan(&self.all, &ledger.state, direction, to)?.is_empty() {
            return Ok(Vec::new());
        }
        let lock = Lock::acquire(&self.terms, db).await?;
        let outcome = lock.hold(Box::pin(self.run_locked(&lock, direction, to, db))).await;
        lock.release().await;
        outcome
    }

    async fn run_locked(
        &self,
        lock: &Lock,
        direction: Direction,
        to: u64,
        db: &Folio,
    ) -> Result<Vec<Planned>> {
        let load = || Ledger::load(&self.terms.migrations, Some(lock.clone()), db);
        let planned = plan::plan(&self.all, &load().await?.state, direction, to)?;
        for planned in &planned {
            let step = self.begin(planned, load().await?, None, db).await?;
            let outcome = self.code(planned)?(step.clone()).await;
            outcome.map_err(|error| step.failed(None, error))?;
            step.finish().await?;
        }
        Ok(planned)
    }

    async fn begin(
        &self,
        planned: &Planned,
        mut ledger: Ledger,
        dry: Option<crate::Transaction>,
        db: &Folio,
    ) -> Result<Step> {
        ledger.begin(planned.version, &planned.name, planned.direction).await?;
        Ok(Step::new(planned, ledger, dry, self.listener.clone(), db))
    }

    fn code(&self, planned: &Planned) -> Result<&Code> {
        let own = self.all.iter().find(|it| it.version == planned.version);
        let code = own.and_then(|it| match planned.direction {
            Direction::Up => it.up.as_ref(),
            Direction::Down => it.down.as_ref(),
        });
        let nothing = || format!("migration {} '{}' does nothing", planned.version, planned.name);
        code.ok_or_else(|| Error::Usage(nothing().into()))
    }
}

impl fmt::Debug for Migration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, name, .. } = self;
        f.debug_struct("Migration")
            .field("version", version)
            .field("name", name)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Migrations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Migrations")
            .field("name", &self.terms.migrations)
            .field("all", &self.all)
            .finish_non_exhaustive()
    }
}
