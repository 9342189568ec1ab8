//! The functions that are loaded, by their names.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Bounds, Call, Function, Outcome, Runtime};
use crate::error::{Code, Error, Result};
use crate::limits::{FUNCTION_NAME_BYTES_MAX, FUNCTIONS_MAX, Limits};

/// All functions of a server, and what runs them.
#[derive(Debug, Default, Clone)]
pub struct Functions {
    runtime: Option<Arc<dyn Runtime>>,
    counts: Arc<Counts>,
    loaded: BTreeMap<Box<str>, Arc<Loaded>>,
}

/// Calls of all functions, those that are gone included.
#[derive(Debug, Default)]
struct Counts {
    calls: AtomicU64,
    failures: AtomicU64,
}

/// A function that is loaded.
#[derive(Debug)]
pub struct Loaded {
    /// What it is called.
    pub name: Box<str>,
    /// Its source, as it was sent.
    pub source: Box<str>,
    /// What one call may take.
    pub bounds: Bounds,
    function: Arc<dyn Function>,
    counts: Arc<Counts>,
}

impl Loaded {
    /// Calls it. Error: `FUNCTION`.
    pub fn call(&self, call: &Call<'_>) -> Result<Outcome> {
        self.counts.calls.fetch_add(1, Ordering::Relaxed);
        let outcome = self.function.call(call);
        if outcome.is_err() {
            self.counts.failures.fetch_add(1, Ordering::Relaxed);
        }
        outcome
    }
}

/// What loading has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loading {
    /// The function is new.
    New,
    /// It was there, with the same source and bounds.
    Same,
    /// It took the place of another one.
    Replaced,
}

impl Functions {
    /// Registers what runs functions. Those that are loaded stay with what has compiled them.
    pub fn run_by(&mut self, runtime: Arc<dyn Runtime>) {
        self.runtime = Some(runtime);
    }

    /// What runs functions.
    pub fn runtime(&self) -> Option<&Arc<dyn Runtime>> {
        self.runtime.as_ref()
    }

    /// The function of this name. Error: `FUNCTION`.
    pub fn get(&self, name: &str) -> Result<&Arc<Loaded>> {
        let unknown = || Error::new(Code::Function, format!("no function '{name}' is loaded"));
        self.loaded.get(name).ok_or_else(unknown)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Loaded>> {
        self.loaded.values()
    }

    /// How often functions were called since the start, and how many of the calls failed.
    pub fn counted(&self) -> (u64, u64) {
        let Counts { calls, failures } = &*self.counts;
        (calls.load(Ordering::Relaxed), failures.load(Ordering::Relaxed))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.loaded.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.loaded.is_empty()
    }

    /// Loads a function. One of the same name is replaced only where `replaces`. Nothing is changed by an error. Errors:
    /// `FUNCTION`, `LIMITED`, `TOOBIG`.
    pub fn load(
        &mut self,
        name: &str,
        source: &str,
        bounds: Bounds,
        replaces: bool,
        limits: &Limits,
    ) -> Result<Loading> {
        expect_name(name)?;
        let held = self.loaded.get(name);
        if held.is_some_and(|held| *held.source == *source && held.bounds == bounds) {
            return Ok(Loading::Same);
        }
        if held.is_some() && !replaces {
            let what = format!("function '{name}' is loaded already, and not like this: REPLACE");
            return Err(Error::new(Code::Function, what));
        }
        if source.len() > limits.function_source_bytes_max {
            let (length, most) = (source.len(), limits.function_source_bytes_max);
            let what = format!(
                "the source of '{name}' has {length} bytes, more than the limit of {most} (folio.function-source-bytes-max)"
            );
            return Err(Error::new(Code::TooBig, what));
        }
        if held.is_none() && self.loaded.len() >= FUNCTIONS_MAX {
            let what = format!("{FUNCTIONS_MAX} functions are loaded, the most there can be");
            return Err(Error::new(Code::Limited, what));
        }
        let Some(runtime) = &self.runtime else {
            return Err(Error::new(Code::Function, "nothing is registered that runs functions"));
        };
        let function = runtime.compile(name, source, bounds)?;
        let loading = if held.is_some() { Loading::Replaced } else { Loading::New };
        let (source, counts) = (source.into(), Arc::clone(&self.counts));
        let loaded = Loaded { name: name.into(), source, bounds, function, counts };
        self.loaded.insert(name.into(), Arc::new(loaded));
        Ok(loading)
    }

    /// Takes a function away. Error: `FUNCTION`.
    pub fn delete(&mut self, name: &str) -> Result<()> {
        self.get(name)?;
        self.loaded.remove(name);
        Ok(())
    }

    /// Takes all away.
    pub fn clear(&mut self) {
        self.loaded.clear();
    }
}

/// Names are letters, digits and underscores, in parts that a point joins: `slug`, `text.slug`.
fn expect_name(name: &str) -> Result<()> {
    let is_part = |part: &str| {
        let mut bytes = part.bytes();
        bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    if name.len() <= FUNCTION_NAME_BYTES_MAX && name.split('.').all(is_part) {
        return Ok(());
    }
    let what = format!(
        "'{name}' is no function name: letters, digits and '_' in parts joined by '.', {FUNCTION_NAME_BYTES_MAX} bytes at most"
    );
    Err(Error::new(Code::Function, what))
}
