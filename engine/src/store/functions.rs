//! The functions of a server: of all databases, as definitions are of one.

use std::sync::Arc;

use super::Store;
use crate::error::{Code, Error, Result};
use crate::function::{Bounds, Functions, Loading, Runtime};
use crate::schema::Definition;

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
        let is_other = self
            .functions
            .get(name)
            .is_ok_and(|held| *held.source != *source || held.bounds != bounds);
        if is_other && replaces {
            self.expect_unused(name)?;
        }
        self.functions.load(name, source, bounds, replaces, &self.limits)
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

    fn expect_unused(&self, name: &str) -> Result<()> {
        let uses = self.uses_of(name);
        let Some((_, first)) = uses.first() else { return Ok(()) };
        let more =
            if uses.len() > 1 { format!(", and {} more", uses.len() - 1) } else { String::new() };
        let what = format!("function '{name}' is used by {first}{more}");
        Err(Error::new(Code::Function, what))
    }
}
