//! What a write is asked to depend on: `IFVERSION n`, and `IF filter [PARAMS n name value ..]`.

use std::time::Instant;

use folio_engine::collection::Collection;
use folio_engine::exec::Means;
use folio_engine::query::{self, Params, Scope};
use folio_engine::schema::Definition;
use folio_engine::{Limits, Result, exec};

use super::args::syntax;
use super::query::{Given, read_filter, read_params};
use super::write::Target;
use super::{Args, Refusal, shapes};
use crate::{clock, state};

/// The conditions of one write. Without any it is done.
#[derive(Default)]
pub(super) struct Condition<'a> {
    version: Option<u64>,
    filter: Option<Given<'a>>,
    params: Vec<(&'a str, &'a [u8])>,
}

impl<'a> Condition<'a> {
    /// These conditions.
    pub(super) fn new(
        version: Option<u64>,
        filter: Option<Given<'a>>,
        params: Vec<(&'a str, &'a [u8])>,
    ) -> Self {
        Condition { version, filter, params }
    }

    /// Reads what follows `name`: IFVERSION, IF or PARAMS.
    pub(super) fn read(&mut self, name: &str, args: &mut Args<'a>) -> Result<()> {
        match name {
            "IFVERSION" => self.version = Some(args.unsigned("IFVERSION")?),
            "IF" => self.filter = Some(read_filter(args)?),
            _ => self.params = read_params(args)?,
        }
        Ok(())
    }

    /// Asked when all options were read.
    pub(super) fn expect_whole(&self) -> Result<()> {
        if self.filter.is_none() && !self.params.is_empty() {
            return Err(syntax("PARAMS without IF"));
        }
        Ok(())
    }

    /// Whether the filter holds of the document that is there; of an absent one none does. Errors: `VERSION`; `FILTER`
    /// whether or not there is a document.
    pub(super) fn is_met(&self, target: &Target<'_>, limits: &Limits) -> Result<bool, Refusal> {
        let holds = match self.filter {
            Some(filter) => self.holds(filter, target, limits)?,
            None => true,
        };
        target.expect_version(self.version)?;
        Ok(holds)
    }

    fn holds(&self, filter: Given<'a>, target: &Target<'_>, limits: &Limits) -> Result<bool> {
        let began = Instant::now();
        let elapsed_us = || clock::micros_since(began);
        let params = Params::new(self.params.iter().copied(), limits)?;
        let ast = shapes::read(filter, limits)?;
        let (key, now_ms) = (target.name.bytes(), target.now_ms);
        state::with(|state| {
            state.store.lapse_key(target.db, key, now_ms);
            let collection = state.store.collection_of(target.db, key)?;
            let open = Definition::new("open");
            let definition = collection.map_or(&open, Collection::definition);
            let now_ms = collection.map_or(now_ms, Collection::now_ms);
            let functions = Some(state.store.functions());
            let scope = Scope { definition, params: &params, now_ms, limits, functions };
            let filter = query::bind(&ast, &scope)?;
            let document = target.old.as_ref().zip(collection);
            let means = Means { limits, elapsed_us: Some(&elapsed_us), functions };
            let holds = |(document, home)| exec::holds(home, document, &filter, means);
            document.map_or(Ok(false), holds)
        })?
    }
}
