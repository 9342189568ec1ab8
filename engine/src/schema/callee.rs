//! Functions that a declaration names: `COMPUTED fn`, `VALIDATE fn`. Bound to those that are loaded before it is put to use.

use std::sync::Arc;

use super::{Definition, Field};
use crate::doc::DocRef;
use crate::doc::computed::Slot;
use crate::error::{Code, Error, Result};
use crate::function::{Call, Functions, Loaded};
use crate::path::{Path, Step};
use crate::value::Raw;

/// A function by its name. Two are the same if they are called so: a function that a declaration uses is not replaced.
#[derive(Debug, Clone)]
pub struct Callee {
    name: Box<str>,
    function: Option<Arc<Loaded>>,
}

impl PartialEq for Callee {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Callee {}

impl Callee {
    /// The function that is called `name`, not bound yet.
    pub fn new(name: &str) -> Self {
        Callee { name: name.into(), function: None }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The function.
    fn loaded(&self) -> Result<&Arc<Loaded>> {
        let unbound = || {
            let what = format!("function '{}' is declared and was not bound", self.name);
            Error::new(Code::Internal, what)
        };
        self.function.as_ref().ok_or_else(unbound)
    }

    /// Asks a validator: true and nothing mean that it is in order, false that it is not, and a text says why. Error:
    /// `SCHEMA`, without what it is about; `FUNCTION`.
    pub(super) fn judge(&self, doc: DocRef<'_>, args: &[Raw<'_>]) -> Result<()> {
        let doc = doc.without_computed();
        let outcome = self.loaded()?.call(&Call { doc, args, is_judging: true })?;
        let what = match outcome.value.as_deref() {
            None | Some(b"true") => return Ok(()),
            Some(b"false") => format!("is refused by function '{}'", self.name),
            Some(value) => {
                let Some(reason) = Raw::new(value).string() else {
                    let what = format!("function '{}' judges: true, false or a text", self.name);
                    return Err(Error::new(Code::Function, what));
                };
                format!("is refused by function '{}': {reason}", self.name)
            }
        };
        Err(Error::new(Code::Schema, what))
    }
}

impl Definition {
    /// Binds every function that it names. Error: `FUNCTION`, where one is not loaded.
    pub fn bind(&mut self, functions: &Functions) -> Result<()> {
        let bind = |callee: &mut Option<Callee>| -> Result<()> {
            if let Some(callee) = callee {
                callee.function = Some(functions.get(&callee.name)?.clone());
            }
            Ok(())
        };
        for migration in &mut self.migrations.steps {
            migration.up.function = Some(functions.get(&migration.up.name)?.clone());
            bind(&mut migration.down)?;
        }
        for field in &mut self.fields {
            bind(&mut field.computed).and_then(|()| bind(&mut field.validate)).map_err(
                |error| Error::new(error.code, format!("field {}: {}", field.path, error.message)),
            )?;
        }
        bind(&mut self.validate)
    }

    /// The functions that it names, each with the place where it does, in words.
    pub fn callees(&self) -> impl Iterator<Item = (String, &Callee)> {
        let of_fields = self.fields.iter().flat_map(|field| {
            let place = format!("field {}", field.path);
            [&field.computed, &field.validate]
                .into_iter()
                .flatten()
                .map(move |callee| (place.clone(), callee))
        });
        let of_migrations = self.migrations.steps.iter().flat_map(|migration| {
            let place = format!("MIGRATION {}", migration.number);
            [Some(&migration.up), migration.down.as_ref()]
                .into_iter()
                .flatten()
                .map(move |callee| (place.clone(), callee))
        });
        let of_whole = self.validate.iter().map(|callee| ("VALIDATE".to_owned(), callee));
        of_fields.chain(of_whole).chain(of_migrations)
    }

    /// Whether it asks functions of each document: then any change of one may matter to any of them.
    pub fn asks_functions(&self) -> bool {
        self.validate.is_some() || self.fields.iter().any(Field::asks_functions)
    }

    /// Whether it has computed fields.
    pub(crate) fn computes(&self) -> bool {
        self.fields.iter().any(|field| field.computed.is_some())
    }

    /// Whether `path` leads to a computed field or into one. O(fields).
    pub fn is_computed(&self, path: &Path) -> bool {
        let leads = |field: &Field| path.steps().starts_with(field.path.steps());
        self.fields.iter().any(|field| field.computed.is_some() && leads(field))
    }

    /// Its computed fields, in the order of their declaration. It was bound.
    pub(crate) fn slots(&self) -> Vec<Slot> {
        let slot = |field: &Field| {
            let function = field.computed.as_ref()?.loaded().ok()?.clone();
            Some(Slot { path: field.path.clone(), function, is_declared: true, is_coming: false })
        };
        self.fields.iter().filter_map(slot).collect()
    }
}

impl Field {
    /// Whether it is computed, or judged by a function.
    pub(crate) fn asks_functions(&self) -> bool {
        self.computed.is_some() || self.validate.is_some()
    }

    /// Whether what it is computed by goes with the rest of it. Error: `SCHEMA`.
    pub(super) fn validate_computed(&self, definition: &Definition) -> Result<()> {
        if !definition.is_computed(&self.path) {
            return Ok(());
        }
        let refuse = |what: &str| {
            Err(Error::new(Code::Schema, format!("field {} is COMPUTED, and {what}", self.path)))
        };
        if self.computed.is_some()
            && !self.path.steps().iter().all(|step| matches!(step, Step::Name(_)))
        {
            return refuse("stands at one place: names alone");
        }
        let constraints = self.constraints.as_deref();
        if constraints.is_some_and(|it| it.default.is_some() || it.auto.is_some() || it.immutable) {
            return refuse("goes with neither DEFAULT, AUTO nor IMMUTABLE");
        }
        Ok(())
    }
}
