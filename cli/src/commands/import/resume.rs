//! What an interrupted import has to know to go on.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::ledger::Counts;
use super::source::is_stdin;
use crate::commands::files::beside;
use crate::outcome::Failure;

/// How often it is written at most where lines can be sent twice.
const SAVE_EVERY: Duration = Duration::from_millis(100);

/// What is in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    pub collection: String,
    pub inputs: Vec<Identity>,
    /// What the command line says of server, ids and values; it has to say the same again.
    pub options: BTreeMap<String, String>,
    /// The input that is being read, by its place.
    pub input: usize,
    /// How many of its lines are done.
    pub lines: u64,
    /// How long the file of rejected lines is.
    pub rejects_bytes: u64,
    pub counts: Counts,
}

/// Which file it was, and that it is the same still.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub path: PathBuf,
    pub bytes: u64,
    /// Milliseconds since 1970.
    pub modified: u64,
}

impl Identity {
    /// Standard input has none but its name: whoever goes on with it has to give the same again.
    pub fn of(path: &Path) -> Result<Self, Failure> {
        if is_stdin(path) {
            return Ok(Self { path: path.into(), bytes: 0, modified: 0 });
        }
        let known = std::fs::metadata(path).map_err(|error| Failure::file(path, error))?;
        let modified = known.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let modified = modified.map_or(0, |time| time.as_millis() as u64);
        Ok(Self { path: path.into(), bytes: known.len(), modified })
    }
}

/// The file that holds the state.
pub struct StateFile {
    path: PathBuf,
    saved: Option<Instant>,
}

impl StateFile {
    pub fn new(path: PathBuf) -> Self {
        Self { path, saved: None }
    }

    /// The state of an import that was interrupted; none if there is no file.
    pub fn load(&self) -> Result<Option<State>, Failure> {
        let text = match std::fs::read(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => text.map_err(|error| Failure::file(&self.path, error))?,
        };
        let state = serde_json::from_slice(&text).map_err(|error| {
            let path = self.path.display();
            Failure::Data(format!("{path} is no state of an import: {error}"))
        })?;
        Ok(Some(state))
    }

    /// The state to go on from, which has to be of this import.
    pub fn resume(&self, wanted: &State) -> Result<State, Failure> {
        let path = self.path.display();
        let Some(state) = self.load()? else {
            return Err(Failure::Usage(format!("{path} is not there: nothing to resume")));
        };
        if state.collection != wanted.collection {
            let (there, here) = (&state.collection, &wanted.collection);
            let why = format!("{path} is of an import into {there}, not into {here}");
            return Err(Failure::Usage(why));
        }
        if state.inputs != wanted.inputs {
            let why = format!("{path} is of other files, or they have changed since");
            return Err(Failure::Usage(why));
        }
        let names: BTreeSet<&String> = state.options.keys().chain(wanted.options.keys()).collect();
        let others =
            names.into_iter().filter(|&name| state.options.get(name) != wanted.options.get(name));
        let others: Vec<&str> = others.map(String::as_str).collect();
        if !others.is_empty() {
            let others = others.join(", ");
            return Err(Failure::Usage(format!("{path} is of an import with another {others}")));
        }
        Ok(state)
    }

    /// Whether it was not written for a while.
    pub fn is_due(&self) -> bool {
        self.saved.is_none_or(|saved| saved.elapsed() >= SAVE_EVERY)
    }

    /// Writes the state: the old one stands until the new one is whole.
    pub fn save(&mut self, state: &State) -> Result<(), Failure> {
        let failed = |error: io::Error| Failure::file(&self.path, error);
        let beside = beside(&self.path, "part");
        let text = serde_json::to_vec(state).map_err(|error| failed(error.into()))?;
        std::fs::write(&beside, text).map_err(failed)?;
        std::fs::rename(&beside, &self.path).map_err(failed)?;
        self.saved = Some(Instant::now());
        Ok(())
    }

    /// The import is over.
    pub fn remove(&self) -> Result<(), Failure> {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(|error| Failure::file(&self.path, error)),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}
