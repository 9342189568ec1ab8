//! What has come of each line: counted, told, written down.

use std::time::Instant;

use redis::{ServerError, Value};
use serde::{Deserialize, Serialize};

use super::batch::{Batch, Item};
use super::command::Mode;
use super::progress::Progress;
use super::reject::Rejects;
use super::resume::{State, StateFile};
use super::source::called;
use crate::outcome::Failure;

/// So many rejected lines are told on standard error; all are in the file.
const TOLD_MAX: u64 = 5;

/// Errors that pass by themselves.
const PASSING: &[&str] = &["LOADING", "READONLY", "MASTERDOWN", "BUSY", "CLUSTERDOWN", "TRYAGAIN"];
/// Errors that have nothing to do with the line: the next one would meet them too.
const FATAL: &[&str] =
    &["OOM", "NOAUTH", "NOPERM", "MISCONF", "NOREPLICAS", "MOVED", "ASK", "CROSSSLOT"];

/// How many lines came to what, over all runs of an import that was resumed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub read: u64,
    pub loaded: u64,
    pub rejected: u64,
    pub skipped: u64,
    /// Those of earlier runs.
    #[serde(skip)]
    pub read_before: u64,
}

/// Keeps account of an import.
pub struct Ledger {
    pub state: State,
    pub file: Option<StateFile>,
    pub rejects: Rejects,
    pub progress: Progress,
    pub mode: Mode,
    pub max_errors: Option<u64>,
    /// Whether nothing is written to the server.
    pub is_dry: bool,
    pub started: Instant,
    told: u64,
}

impl Ledger {
    pub fn new(state: State, rejects: Rejects, progress: Progress, mode: Mode) -> Self {
        Self {
            state,
            file: None,
            rejects,
            progress,
            mode,
            max_errors: None,
            is_dry: false,
            started: Instant::now(),
            told: 0,
        }
    }

    /// Takes note of what the server says to a batch. Fails where it says that it does not work; what comes before that
    /// answer is noted all the same.
    pub fn settle(&mut self, batch: &Batch, answers: Vec<Value>) -> Result<(), Failure> {
        self.state.input = batch.input;
        self.state.lines = batch.before;
        let mut answers = answers.into_iter();
        for item in &batch.items {
            let answer = if item.refused.is_none() && !self.is_dry { answers.next() } else { None };
            if let Some(Value::ServerError(error)) = &answer
                && let Some(failure) = failure(error)
            {
                self.save()?;
                return Err(failure);
            }
            self.note(item, answer.as_ref(), batch.input)?;
            self.state.counts.read += 1;
            self.state.lines += 1;
        }
        if batch.is_last {
            self.state.input += 1;
            self.state.lines = 0;
        }
        self.progress.show(&self.state.counts, self.seconds());
        // A line that is sent twice does harm if it cannot be repeated.
        if !batch.can_repeat || self.file.as_ref().is_some_and(StateFile::is_due) {
            self.save()?;
        }
        Ok(())
    }

    fn note(&mut self, item: &Item, answer: Option<&Value>, input: usize) -> Result<(), Failure> {
        let counts = &mut self.state.counts;
        match (&item.refused, answer) {
            (Some(why), _) => self.reject(item, why, input),
            (None, Some(Value::ServerError(error))) => self.reject(item, &told(error), input),
            (None, Some(Value::Nil)) if self.mode == Mode::Skip => {
                counts.skipped += 1;
                Ok(())
            }
            (None, Some(Value::Nil)) => {
                self.reject(item, &format!("EXISTS '{}' is there already", item.key), input)
            }
            (None, None) => Ok(()),
            (None, Some(_)) => {
                counts.loaded += 1;
                Ok(())
            }
        }
    }

    fn reject(&mut self, item: &Item, why: &str, input: usize) -> Result<(), Failure> {
        let name = match self.state.inputs.get(input) {
            Some(input) => called(&input.path),
            None => "source".into(),
        };
        let is_one_of_many = self.state.inputs.len() > 1;
        self.rejects.add(is_one_of_many.then_some(&name), item.line, why, &item.text.told())?;
        self.state.counts.rejected += 1;
        if self.told < TOLD_MAX {
            self.told += 1;
            self.progress.rejected(&name, item.line, why);
        }
        Ok(())
    }

    /// Whether more lines were rejected than somebody puts up with.
    pub fn is_too_much(&self) -> bool {
        self.max_errors.is_some_and(|most| self.state.counts.rejected > most)
    }

    /// Writes down how far the import is.
    pub fn save(&mut self) -> Result<(), Failure> {
        self.state.rejects_bytes = self.rejects.flush()?;
        match &mut self.file {
            Some(file) => file.save(&self.state),
            None => Ok(()),
        }
    }

    pub fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }
}

/// Whether an answer tells of a state of the server that passes.
pub fn is_passing(answer: &Value) -> bool {
    matches!(answer, Value::ServerError(error) if PASSING.contains(&error.code()))
}

/// An answer that is about the server, not about the line.
fn failure(error: &ServerError) -> Option<Failure> {
    let is_unknown = error.code() == "ERR"
        && error
            .details()
            .is_some_and(|told| told.to_ascii_lowercase().starts_with("unknown command"));
    if is_unknown {
        return Some(folio::Error::ModuleMissing.into());
    }
    let is_fatal = PASSING.contains(&error.code()) || FATAL.contains(&error.code());
    is_fatal.then(|| folio::Error::Server(told(error).into()).into())
}

fn told(error: &ServerError) -> String {
    match error.details() {
        Some(details) => format!("{} {details}", error.code()),
        None => error.code().into(),
    }
}
