//! The functions of a server: of all databases, as definitions are of one.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Store;
use crate::doc::parse_value;
use crate::error::{Code, Error, Result};
use crate::function::{Bounds, Functions, Loaded, Loading, Runtime};
use crate::limits::Limits;
use crate::schema::Definition;

/// A function as a text tells it: what a snapshot and a dump hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FunctionJson {
    /// What it is called.
    pub name: String,
    /// Its source.
    pub source: String,
    /// The steps that one call may take.
    pub steps: u64,
    /// The bytes that one call may allocate.
    pub memory: u64,
}

impl FunctionJson {
    /// What one call may take.
    pub fn bounds(&self) -> Bounds {
        Bounds { steps: self.steps, bytes: self.memory }
    }

    /// Reads what [`Store::dump_functions`] gave. Errors: `JSON`, `TOOBIG`; `ERR` where it is of another form.
    pub fn read_all(json: &[u8], limits: &Limits) -> Result<Vec<Self>> {
        let text = parse_value(json, limits)?;
        serde_json::from_slice(&text).map_err(|error| {
            let what = format!(
                "the functions are an array, each an object with name, source, steps and memory: {error}"
            );
            Error::new(Code::Syntax, what)
        })
    }
}

impl From<&Loaded> for FunctionJson {
    fn from(loaded: &Loaded) -> Self {
        let Bounds { steps, bytes: memory } = loaded.bounds;
        FunctionJson {
            name: loaded.name.to_string(),
            source: loaded.source.to_string(),
            steps,
            memory,
        }
    }
}

impl Store {
    /// Registers what runs functions.
    pub fn run_by(&mut self, runtime: Arc<dyn Runtime>) {
        self.functions.run_by(runtime);
    }

    /// The functions that are loaded.
    pub fn functions(&self) -> &Functions {
        &self.functions
    }

    /// Loads a function. One of the same name is replaced only where `replaces`, and only while no declaration uses it: what
    /// it has computed would be stale. Errors: `FUNCTION`, `LIMITED`, `TOOBIG`.
    pub fn load_function(
        &mut self,
        name: &str,
        source: &str,
        bounds: Bounds,
        replaces: bool,
    ) -> Result<Loading> {
        if replaces {
            self.expect_replaceable(name, source, bounds)?;
        }
        self.functions.load(name, source, bounds, replaces, &self.limits)
    }

    /// Loads several functions, all or none. Tells of each what it has come to. Errors: as of [`Store::load_function`].
    pub fn load_functions(
        &mut self,
        wanted: &[FunctionJson],
        replaces: bool,
    ) -> Result<Vec<Loading>> {
        let before = self.functions.clone();
        let load =
            |one: &FunctionJson| self.load_function(&one.name, &one.source, one.bounds(), replaces);
        let loaded: Result<Vec<Loading>> = wanted.iter().map(load).collect();
        if loaded.is_err() {
            self.functions = before;
        }
        loaded
    }

    /// The functions of these names as a JSON array, in that order; all of them, by name, where no name is given. Error:
    /// `FUNCTION`.
    pub fn dump_functions(&self, names: &[&str]) -> Result<String> {
        let dumped: Vec<FunctionJson> = if names.is_empty() {
            self.functions.iter().map(|loaded| FunctionJson::from(&**loaded)).collect()
        } else {
            let one = |name: &&str| Ok(FunctionJson::from(&**self.functions.get(name)?));
            names.iter().map(one).collect::<Result<_>>()?
        };
        Ok(serde_json::to_string(&dumped).expect("numbers and texts have a JSON form"))
    }

    /// Takes functions in that were loaded once: each in place of the one of its name. All or none. Errors: as of
    /// [`Store::load_function`].
    pub(super) fn take_functions(&mut self, stored: &[FunctionJson]) -> Result<()> {
        let mut functions = self.functions.clone();
        for one in stored {
            self.expect_replaceable(&one.name, &one.source, one.bounds())?;
            functions.load(&one.name, &one.source, one.bounds(), true, &self.limits)?;
        }
        self.functions = functions;
        Ok(())
    }

    /// Takes a function away that no declaration uses. Error: `FUNCTION`.
    pub fn delete_function(&mut self, name: &str) -> Result<()> {
        self.functions.get(name)?;
        self.expect_unused(name)?;
        self.functions.delete(name)
    }

    /// Which declarations use a function, in words: database, collection and place. In the order of databases and names.
    pub fn uses_of(&self, name: &str) -> Vec<(u32, String)> {
        let mut uses = Vec::new();
        for collection in self.collections() {
            for (place, _) in collection
                .declared()
                .flat_map(Definition::callees)
                .filter(|(_, callee)| callee.name() == name)
            {
                uses.push((
                    collection.db(),
                    format!("{place} of collection '{}'", collection.name()),
                ));
            }
        }
        uses.sort();
        uses.dedup();
        uses
    }

    /// That what is loaded under a name is the same, or in no use.
    fn expect_replaceable(&self, name: &str, source: &str, bounds: Bounds) -> Result<()> {
        let is_other = |held: &Arc<Loaded>| *held.source != *source || held.bounds != bounds;
        if self.functions.get(name).is_ok_and(is_other) { self.expect_unused(name) } else { Ok(()) }
    }

    fn expect_unused(&self, name: &str) -> Result<()> {
        let uses = self.uses_of(name);
        let Some((_, first)) = uses.first() else { return Ok(()) };
        let more =
            if uses.len() > 1 { format!(", and {} more", uses.len() - 1) } else { String::new() };
        let what = format!("function '{name}' is used by {first}{more}");
        Err(Error::new(Code::Function, what))
    }
}
