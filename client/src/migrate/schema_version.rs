//! Schema versions: documents that functions of the server bring from one to the next, beside the data.

use std::fmt;
use std::time::Duration;

use serde_json::Value as Json;
use tokio::time::{Instant, sleep};

use super::Step;
use super::alter::{BUILD_TIMEOUT, LOOK};
use crate::schema::{declared, members};
use crate::{Command, Error, Executor, Function, Result};

/// How long documents may take to be brought there.
const MIGRATE_TIMEOUT: Duration = BUILD_TIMEOUT;

/// Another schema version of a collection, put in force; [`Step::schema_version`] begins it.
///
/// The functions are loaded and declared as the migration of that version, where they are not yet, and the server brings
/// every document there. A run that goes on may say it again.
///
/// ```
/// use folio::Function;
///
/// # async fn example(step: folio::migrate::Step) -> folio::Result<()> {
/// let split = "local first, last = string.match(doc.name, '^(%S+) (%S+)$')\n\
///              return {first = first, last = last, name = null}";
/// let join = "return {name = doc.first .. ' ' .. doc.last, first = null, last = null}";
/// step.schema_version("shop.users", 1)
///     .up(Function::new("users.split", split))
///     .down(Function::new("users.join", join))
///     .run()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is migrated yet"]
pub struct SchemaVersion<'s> {
    step: &'s Step,
    collection: String,
    version: u16,
    up: Option<Function>,
    down: Option<Function>,
    is_lazy: bool,
}

impl Step {
    /// Begins to put a schema version in force, to which functions of the server bring the documents: the way of each document
    /// leads through the versions between. The way back is the same with a version before.
    ///
    /// ```
    /// use folio::Function;
    /// use folio::migrate::Migration;
    ///
    /// let migration = Migration::new(4, "count visits")
    ///     .up(|step| async move {
    ///         let count = Function::new("users.count", "return {visits = doc.visits or 0}");
    ///         let forget = Function::new("users.forget", "return {visits = null}");
    ///         step.schema_version("shop.users", 1).up(count).down(forget).run().await
    ///     })
    ///     .down(|step| async move { step.schema_version("shop.users", 0).run().await });
    /// ```
    pub fn schema_version(&self, collection: &str, version: u16) -> SchemaVersion<'_> {
        let collection = self.named(collection).into_owned();
        SchemaVersion { step: self, collection, version, up: None, down: None, is_lazy: false }
    }
}

impl SchemaVersion<'_> {
    /// The function that brings a document there from the version before.
    ///
    /// ```
    /// # fn example(step: folio::migrate::Step) {
    /// let count = folio::Function::new("users.count", "return {visits = doc.visits or 0}");
    /// let version = step.schema_version("shop.users", 1).up(count);
    /// # }
    /// ```
    pub fn up(mut self, function: Function) -> Self {
        self.up = Some(function);
        self
    }

    /// The function that brings one back.
    ///
    /// ```
    /// # fn example(step: folio::migrate::Step, count: folio::Function) {
    /// let forget = folio::Function::new("users.forget", "return {visits = null}");
    /// let version = step.schema_version("shop.users", 1).up(count).down(forget);
    /// # }
    /// ```
    pub fn down(mut self, function: Function) -> Self {
        self.down = Some(function);
        self
    }

    /// Documents are brought there when they are next written, and no other.
    ///
    /// ```
    /// # fn example(step: folio::migrate::Step) {
    /// let version = step.schema_version("shop.users", 2).lazy();
    /// # }
    /// ```
    pub fn lazy(mut self) -> Self {
        self.is_lazy = true;
        self
    }

    /// Puts it in force, and waits until every document is there.
    ///
    /// A document that fails stops it: the error names it. What was migrated before it is, and the next run goes on.
    ///
    /// ```
    /// # async fn example(step: folio::migrate::Step) -> folio::Result<()> {
    /// step.schema_version("shop.users", 2).run().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn run(self) -> Result<()> {
        let Some(mut book) = self.step.enter().await? else { return Ok(()) };
        if self.step.is_dry_run() {
            let stands = declared(&self.collection, self.step.db()).await?;
            self.is_declared(&stands)?;
            book.tried.declare(&self.collection);
            return book.ledger.end_part(&[]).await;
        }
        let functions: Vec<Function> = self.up.iter().chain(&self.down).cloned().collect();
        self.step.db().functions().ensure(functions).await?;
        let deadline = Instant::now() + BUILD_TIMEOUT;
        loop {
            // Whoever has lost the lock puts nothing in force.
            let state = book.ledger.state.clone();
            book.ledger.write(state, &[]).await?;
            match self.migrate().await {
                Err(Error::IndexBuilding(_)) if Instant::now() < deadline => sleep(LOOK).await,
                outcome => break outcome?,
            }
        }
        book.ledger.end_part(&[]).await
    }

    /// Declares the migration, if it has to be, and has the documents brought there.
    async fn migrate(&self) -> Result<()> {
        // The client that waits is answered nothing else meanwhile, so it has a connection to itself.
        let db = self.step.db().pooled();
        let db = db.with_timeout(MIGRATE_TIMEOUT.max(db.timeout()));
        let stands = declared(&self.collection, &db).await?;
        let is_declared = self.is_declared(&stands)?;
        if let Some(up) = self.up.as_ref().filter(|_| !is_declared) {
            let name = self.collection.as_str();
            let mut alter =
                Command::write("DOC.ALTER").arg((name, "ADD", "MIGRATION", self.version));
            alter.push(("UP", up.name()));
            if let Some(down) = &self.down {
                alter.push(("DOWN", down.name()));
            }
            db.execute(alter).await?;
        }
        let mut migrate =
            Command::write("DOC.MIGRATE").arg((&*self.collection, "TO", self.version));
        if self.is_lazy {
            migrate.push("LAZY");
        }
        db.execute(migrate).await.map(drop)
    }

    /// Whether the functions are declared of this version. Fails with [`Error::Usage`] where others are.
    fn is_declared(&self, stands: &Json) -> Result<bool> {
        let of_version = |it: &&Json| it["to"] == self.version;
        let Some(migration) = members(stands, "migrations").find(of_version) else {
            return Ok(false);
        };
        let is = |word: &str, function: Option<&Function>| {
            function.is_none_or(|function| migration[word] == function.name())
        };
        if is("up", self.up.as_ref()) && is("down", self.down.as_ref()) {
            return Ok(true);
        }
        let what =
            format!("{} has another migration {}: {migration}", self.collection, self.version);
        Err(Error::Usage(what.into()))
    }
}

impl fmt::Debug for SchemaVersion<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SchemaVersion")
            .field("collection", &self.collection)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
