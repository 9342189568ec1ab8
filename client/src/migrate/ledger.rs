//! What was applied, and how far the one is that is under way: a document on the server.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::lock::Lock;
use super::{Direction, MigrationError};
use crate::command::Repeat;
use crate::ops::read_with_version;
use crate::transaction::{Done, Part, send};
use crate::{Command, Error, Executor, Folio, Result, reply};

/// A migration that was applied.
///
/// ```no_run
/// # async fn example(db: folio::Folio, migrations: folio::migrate::Migrations) -> folio::Result<()> {
/// for applied in migrations.applied(&db).await? {
///     println!("{} {} at {}", applied.version, applied.name, applied.at);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Applied {
    /// Its version.
    pub version: u64,
    /// Its name.
    pub name: String,
    /// When it was done, by the clock of the program that did it.
    pub at: Timestamp,
}

/// What the document says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    /// Those that are applied, by their versions.
    pub(super) applied: Vec<Applied>,
    /// The one that is under way, or that was when its program ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) running: Option<Running>,
}

/// A migration under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Running {
    pub(super) version: u64,
    pub(super) name: String,
    pub(super) direction: Direction,
    /// How many parts of the step are over: walks over documents, and declarations.
    pub(super) parts: u32,
    /// How far the next part is.
    #[serde(default)]
    pub(super) at: Position,
}

/// How far a walk over documents is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Position {
    /// Behind which document it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cursor: Option<String>,
    /// How many documents it has seen.
    pub(super) done: u64,
    /// How many of them it has changed.
    pub(super) changed: u64,
    /// How many there were when it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) total: Option<u64>,
}

/// The document, and who may write it: nobody in a dry run.
#[derive(Debug)]
pub(super) struct Ledger {
    db: Folio,
    key: String,
    lock: Option<Lock>,
    version: u64,
    pub(super) state: State,
}

impl Ledger {
    pub(super) async fn load(migrations: &str, lock: Option<Lock>, db: &Folio) -> Result<Self> {
        let key = format!("{}:state:{migrations}", super::COLLECTION);
        let key = db.named(&key).into_owned();
        let mut ledger =
            Self { db: db.on_primary(), key, lock, version: 0, state: State::default() };
        ledger.reload().await?;
        Ok(ledger)
    }

    /// Reads the document again. It is written by the lock's owner alone.
    pub(super) async fn reload(&mut self) -> Result<()> {
        let found = self.db.execute(read_with_version(&self.key, false)).await?.versioned()?;
        (self.state, self.version) = match found {
            Some((text, version)) => (reply::document(&self.key, &text)?, version),
            None => (State::default(), 0),
        };
        Ok(())
    }

    /// Writes a new state and, in the same step, documents. Fails with [`MigrationError::LockLost`] if the lock is.
    pub(super) async fn write(&mut self, state: State, documents: &[Part]) -> Result<()> {
        let Some(lock) = &self.lock else {
            self.state = state;
            return Ok(());
        };
        let text = serde_json::to_string(&state).map_err(Error::Encode)?;
        let own = Command::write("DOC.SET").key(&self.key).arg(text);
        let own = own.arg(("IFVERSION", self.version)).repeat(Repeat::Guarded);
        let mut parts = vec![lock.guard()?];
        parts.extend(Part::of(&own)?);
        parts.extend_from_slice(documents);
        let done = send(&self.db, &parts).await.map_err(|error| match error.code() {
            Some("CHECK") => lock.lost(),
            _ => error,
        })?;
        if let Some(Done::Written(version)) = done.first() {
            self.version = *version;
        }
        self.state = state;
        Ok(())
    }

    /// The migration under way. It is there from [`begin`](Ledger::begin) to [`finish`](Ledger::finish).
    pub(super) fn running(&self) -> Result<&Running> {
        let gone = || MigrationError::History("no migration is under way".into()).into();
        self.state.running.as_ref().ok_or_else(gone)
    }

    /// Notes how far the part under way is, with what it has changed.
    pub(super) async fn advance(&mut self, at: Position, documents: &[Part]) -> Result<()> {
        let running = Running { at, ..self.running()?.clone() };
        self.write(State { running: Some(running), ..self.state.clone() }, documents).await
    }

    /// Notes that the part under way is over, with what was changed last.
    pub(super) async fn end_part(&mut self, documents: &[Part]) -> Result<()> {
        let running = self.running()?.clone();
        let running = Running { parts: running.parts + 1, at: Position::default(), ..running };
        self.write(State { running: Some(running), ..self.state.clone() }, documents).await
    }

    /// Notes that a migration is under way, unless it is noted.
    pub(super) async fn begin(
        &mut self,
        version: u64,
        name: &str,
        direction: Direction,
    ) -> Result<()> {
        if self.state.running.is_some() {
            return Ok(());
        }
        let (name, at) = (name.to_owned(), Position::default());
        let running = Some(Running { version, name, direction, parts: 0, at });
        self.write(State { running, ..self.state.clone() }, &[]).await
    }

    /// Notes that the migration under way is over.
    pub(super) async fn finish(&mut self) -> Result<()> {
        let Running { version, name, direction, .. } = self.running()?.clone();
        let mut applied = self.state.applied.clone();
        match direction {
            Direction::Up => applied.push(Applied { version, name, at: Timestamp::now() }),
            Direction::Down => applied.retain(|it| it.version != version),
        }
        self.write(State { applied, running: None }, &[]).await
    }
}
