//! What is to be run, if what was applied is what the program has; and what came of trying it.

use serde::{Deserialize, Serialize};

use super::ledger::{Position, Running, State};
use super::{Migration, MigrationError};
use crate::{Error, Result};

/// Which way a migration is run.
///
/// ```
/// assert_ne!(folio::migrate::Direction::Up, folio::migrate::Direction::Down);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// It is applied.
    Up,
    /// It is taken back.
    Down,
}

/// A migration that is to be run, or was.
///
/// ```no_run
/// # async fn example(db: folio::Folio, migrations: folio::migrate::Migrations) -> folio::Result<()> {
/// for planned in migrations.plan(&db).await? {
///     println!("{} {}", planned.version, planned.name);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Planned {
    /// Its version.
    pub version: u64,
    /// Its name.
    pub name: String,
    /// Which way.
    pub direction: Direction,
    /// Whether an earlier run has begun it.
    pub resumes: bool,
}

/// What a dry run of a migration has come to: of [`Migrations::dry_run`](super::Migrations::dry_run).
///
/// ```no_run
/// # async fn example(db: folio::Folio, migrations: folio::migrate::Migrations) -> folio::Result<()> {
/// let is_sound = migrations.dry_run(&db).await?.iter().all(|tried| tried.failure.is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Tried {
    /// Its version.
    pub version: u64,
    /// Its name.
    pub name: String,
    /// How many documents its walks go over.
    pub documents: u64,
    /// How many of them they would change.
    pub changed: u64,
    /// The collections that would be declared otherwise.
    pub declared: Vec<String>,
    /// What failed first: [`MigrationError::Failed`], with the document if it was one.
    pub failure: Option<Error>,
}

impl Tried {
    pub(super) fn of(planned: &Planned) -> Self {
        let Planned { version, name, .. } = planned.clone();
        let declared = Vec::new();
        Self { version, name, documents: 0, changed: 0, declared, failure: None }
    }

    /// A walk is over.
    pub(super) fn add(&mut self, at: &Position) {
        self.documents += at.done;
        self.changed += at.changed;
    }

    pub(super) fn declare(&mut self, collection: &str) {
        self.declared.push(collection.into());
    }

    pub(super) fn failed(&mut self, error: Error) {
        self.failure.get_or_insert(error);
    }

    pub(super) fn take(&mut self) -> Self {
        let empty = Self { name: self.name.clone(), declared: Vec::new(), failure: None, ..*self };
        std::mem::replace(self, empty)
    }
}

/// The migrations to run, in order. Fails with [`MigrationError::History`] where what was applied is not what the program
/// has, and before anything is run where something is missing for it.
pub(super) fn plan(
    all: &[Migration],
    state: &State,
    direction: Direction,
    to: u64,
) -> Result<Vec<Planned>> {
    check(all, state)?;
    let is_known = to == u64::MAX || to == 0 || all.iter().any(|it| it.version == to);
    if !is_known {
        return Err(Error::Usage(format!("there is no migration {to}").into()));
    }
    let (applied, pending) = all.split_at(state.applied.len());
    let wanted: Vec<&Migration> = match direction {
        Direction::Up => pending.iter().filter(|it| it.version <= to).collect(),
        Direction::Down => applied.iter().rev().filter(|it| it.version > to).collect(),
    };
    if let Some(running) = &state.running {
        let goes_on = running.direction == direction
            && wanted.first().is_some_and(|first| first.version == running.version);
        if !goes_on {
            return Err(history(begun(running)));
        }
    }
    if direction == Direction::Down
        && let Some(Migration { version, name, .. }) = wanted.iter().find(|it| it.down.is_none())
    {
        return Err(MigrationError::NoDown { version: *version, name: name.clone() }.into());
    }
    if direction == Direction::Up
        && let Some(Migration { version, name, .. }) = wanted.iter().find(|it| it.up.is_none())
    {
        let what = format!("migration {version} '{name}' does nothing: it has no up");
        return Err(Error::Usage(what.into()));
    }
    let planned = wanted.iter().map(|it| Planned {
        version: it.version,
        name: it.name.clone(),
        direction,
        resumes: state.running.as_ref().is_some_and(|running| running.version == it.version),
    });
    Ok(planned.collect())
}

fn begun(running: &Running) -> String {
    let Running { version, name, direction, .. } = running;
    let how = match direction {
        Direction::Up => "applied",
        Direction::Down => "taken back",
    };
    format!("migration {version} '{name}' is {how} in part, and has to be first in full")
}

/// Whether those that were applied are the first ones that the program has.
fn check(all: &[Migration], state: &State) -> Result<()> {
    for pair in all.windows(2) {
        if pair[0].version == pair[1].version {
            let what = format!("two migrations have the version {}", pair[0].version);
            return Err(Error::Usage(what.into()));
        }
    }
    if all.first().is_some_and(|first| first.version == 0) {
        return Err(Error::Usage("versions of migrations begin with 1".into()));
    }
    let mut own = all.iter();
    for applied in &state.applied {
        let (version, name) = (applied.version, &applied.name);
        match own.next() {
            Some(own) if own.version == version && own.name == *name => {}
            Some(own) if own.version == version => {
                let is = format!("migration {version} was applied as '{name}'");
                return Err(history(format!("{is}, and is '{}' here", own.name)));
            }
            Some(own) if own.version < version => {
                let what = format!("migration {} '{}' was not applied", own.version, own.name);
                return Err(history(format!("{what}, and {version} '{name}' behind it was")));
            }
            _ => {
                let what = format!("migration {version} '{name}' was applied");
                return Err(history(format!("{what}, and is not known here")));
            }
        }
    }
    match &state.running {
        Some(running) if !all.iter().any(|it| is(it, running)) => Err(history(begun(running))),
        _ => Ok(()),
    }
}

fn is(own: &Migration, running: &Running) -> bool {
    own.version == running.version && own.name == running.name
}

fn history(what: String) -> Error {
    MigrationError::History(what).into()
}
