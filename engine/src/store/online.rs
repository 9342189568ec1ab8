//! Declarations that are built in slices while writes go on: what `DOC.CREATE`, `DOC.ALTER` and `DOC.REINDEX` do over many documents.
//!
//! ```text
//!   begin_create, ..   a number, by which the build is known from here on
//!   build_slice        again and again, until none is ahead     any other step of the store may come between
//!   judge_build        whether the documents keep to it now
//!   finish_build       cannot fail; or abandon_build
//! ```
//! What a build does to one collection stands in [`crate::collection`]. The collection keeps its number and its table, so a new
//! declaration can be built only where no document has to move: over one open collection with the same prefix. A build that
//! is not there any more was given up meanwhile: the collection was dropped, or everything was loaded anew.

use std::collections::BTreeMap;

use super::{Created, Store};
use crate::collection::{Collection, Retired, judge_coming};
use crate::error::{Code, Error, Result};
use crate::schema::Definition;

/// The builds under way.
#[derive(Debug, Default)]
pub(super) struct Builds {
    last: u64,
    /// The collections by the builds' numbers.
    homes: BTreeMap<u64, u32>,
}

impl Builds {
    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Takes note of the build of a collection, if it has one.
    pub fn note(&mut self, collection: &Collection) {
        if let Some(number) = collection.build_number() {
            self.homes.insert(number, collection.uid());
        }
    }

    /// None is under way any more. Numbers are not repeated.
    pub fn clear(&mut self) {
        self.homes.clear();
    }

    /// A collection is taken out of the store.
    pub fn forget(&mut self, collection: &Collection) {
        if let Some(number) = collection.build_number() {
            self.homes.remove(&number);
        }
    }
}

impl Store {
    /// Begins to build a new declaration over an open collection; none where documents have to move, or there are none, or
    /// the collection is declared: then [`Store::create`] does it or says why not. Errors: `SCHEMA`, `LIMITED`, `BUILDING`.
    pub fn begin_create(&mut self, db: u32, definition: &Definition) -> Result<Option<u64>> {
        self.settle();
        definition.validate(&self.limits)?;
        let mut definition = definition.clone();
        definition.bind(&self.functions)?;
        self.judge_builds(db, &definition)?;
        let is_fit = |there: &&Collection| {
            !there.is_declared() && there.definition().prefix == definition.prefix
        };
        let Some(uid) = self.collection(db, &definition.name).filter(is_fit).map(Collection::uid)
        else {
            return Ok(None);
        };
        self.judge_prefix(db, &definition)?;
        if let Some(there) = self.collections.get(&uid) {
            there.judge_first_ways(&definition.migrations)?;
        }
        Ok(Some(self.begin(uid, definition, true)))
    }

    /// Begins to build another definition of a declared collection; none if it is the same. Indexes that are in both are not
    /// built again. Errors: `NOCOLLECTION`, `SCHEMA`, `LIMITED`, `BUILDING`.
    pub fn begin_alter(&mut self, db: u32, definition: &Definition) -> Result<Option<u64>> {
        self.settle();
        definition.validate(&self.limits)?;
        self.judge_builds(db, definition)?;
        let there = self.declared(db, &definition.name)?;
        if *there.definition() == *definition {
            return Ok(None);
        }
        if there.definition().prefix != definition.prefix {
            let held = &there.definition().prefix;
            let what = format!("the prefix of collection '{}' stays '{held}'", there.name());
            return Err(Error::new(Code::Schema, what));
        }
        judge_coming(there.definition(), definition)?;
        let uid = there.uid();
        let mut definition = definition.clone();
        definition.bind(&self.functions)?;
        Ok(Some(self.begin(uid, definition, true)))
    }

    /// Gives a declared collection other options and migrations, where `definition` differs in nothing else: there is nothing
    /// to build. Whether it did. Errors: `NOCOLLECTION`, `SCHEMA`, `LIMITED`, `BUILDING`, `FUNCTION`.
    pub fn set_options(&mut self, db: u32, definition: &Definition) -> Result<bool> {
        definition.validate(&self.limits)?;
        self.judge_builds(db, definition)?;
        let there = self.declared(db, &definition.name)?;
        if !there.definition().differs_in_options(definition) {
            return Ok(false);
        }
        let uid = there.uid();
        let mut definition = definition.clone();
        definition.bind(&self.functions)?;
        if let Some(collection) = self.collections.get_mut(&uid) {
            collection.set_options(definition.options, definition.migrations);
        }
        Ok(true)
    }

    /// Begins to build all indexes of a declared collection anew. Errors: `NOCOLLECTION`, `BUILDING`.
    pub fn begin_reindex(&mut self, db: u32, name: &str) -> Result<u64> {
        self.settle();
        let there = self.declared(db, name)?;
        let (uid, definition) = (there.uid(), there.definition().clone());
        self.judge_builds(db, &definition)?;
        Ok(self.begin(uid, definition, false))
    }

    /// What a primary, or this server before a restart, has made of a declared collection: nothing is judged.
    /// Errors: `NOCOLLECTION`, `SCHEMA`.
    pub fn alter_applied(&mut self, db: u32, definition: &Definition) -> Result<Created> {
        self.yield_builds(db, definition);
        if self.set_options(db, definition)? {
            return Ok(Created::New);
        }
        let Some(number) = self.begin_alter(db, definition)? else { return Ok(Created::Same) };
        self.build_slice(number, || true);
        self.finish_build(number);
        Ok(Created::New)
    }

    pub(super) fn declared(&self, db: u32, name: &str) -> Result<&Collection> {
        let there = self.collection(db, name).filter(|there| there.is_declared());
        there.ok_or_else(|| {
            let what = format!("no declared collection '{name}' in database {db}");
            Error::new(Code::NoCollection, what)
        })
    }

    fn begin(&mut self, uid: u32, definition: Definition, keeps: bool) -> u64 {
        let number = self.builds.next();
        if let Some(collection) = self.collections.get_mut(&uid) {
            collection.begin_build(number, definition, self.seed, keeps);
            self.builds.note(collection);
        }
        number
    }

    /// How many builds are under way.
    pub fn builds(&self) -> usize {
        self.builds.homes.len()
    }

    /// The collection of a build.
    pub fn build_home(&self, number: u64) -> Option<&Collection> {
        self.collections.get(self.builds.homes.get(&number)?)
    }

    fn build_home_mut(&mut self, number: u64) -> Option<&mut Collection> {
        self.collections.get_mut(self.builds.homes.get(&number)?)
    }

    /// Goes on with a build until no document is ahead, or `goes_on`, asked before each, says no. Whether none is
    /// ahead; none if the build was given up.
    pub fn build_slice(&mut self, number: u64, goes_on: impl FnMut() -> bool) -> Option<bool> {
        self.settle();
        Some(self.build_home_mut(number)?.build_slice(goes_on))
    }

    /// Whether the documents that are not due at `now_ms` keep to what was built. Errors: `SCHEMA` and `UNIQUE`, which name
    /// the first ten that do not.
    pub fn judge_build(&mut self, number: u64, now_ms: i64) -> Result<()> {
        let Some(collection) = self.build_home_mut(number) else { return Ok(()) };
        collection.lapse(now_ms);
        collection.judge_build()
    }

    /// The declaration that was built is in force from here on. No document is ahead.
    pub fn finish_build(&mut self, number: u64) -> Retired {
        let uid = self.builds.homes.remove(&number);
        let Some(collection) = uid.and_then(|uid| self.collections.get_mut(&uid)) else {
            return Retired::default();
        };
        let names = self.databases.entry(collection.db()).or_default();
        let was_declared = collection.is_declared();
        names.remove(collection.definition());
        let retired = collection.finish_build();
        names.add(collection.definition(), true, collection.uid());
        if !was_declared {
            // As where the documents move: a replica's do.
            names.floor = names.floor.max(collection.counters());
            collection.raise_counters(names.floor);
        }
        retired
    }

    /// Gives a build up.
    pub fn abandon_build(&mut self, number: u64) -> Retired {
        let retired = self.build_home_mut(number).map(Collection::abandon_build);
        if let Some(uid) = self.builds.homes.remove(&number) {
            self.drop_if_vacant(uid);
        }
        retired.unwrap_or_default()
    }

    /// Gives all builds up.
    pub fn abandon_builds(&mut self) -> Vec<Retired> {
        let numbers: Vec<u64> = self.builds.homes.keys().copied().collect();
        numbers.into_iter().map(|number| self.abandon_build(number)).collect()
    }

    /// The builds that a declaration stands in the way of, or that stand in its.
    fn builds_beside(&self, db: u32, definition: &Definition) -> Vec<u64> {
        let nests = |prefix: &str| {
            prefix.starts_with(&*definition.prefix) || definition.prefix.starts_with(prefix)
        };
        let is_beside = |there: &Collection| {
            let held = there.definition();
            there.db() == db && (held.name == definition.name || nests(&held.prefix))
        };
        let numbers = self.builds.homes.iter();
        let homes = numbers.filter_map(|(number, uid)| Some((number, self.collections.get(uid)?)));
        homes.filter(|(_, there)| is_beside(there)).map(|(number, _)| *number).collect()
    }

    /// Refuses a declaration beside a build. Error: `BUILDING`.
    pub(super) fn judge_builds(&self, db: u32, definition: &Definition) -> Result<()> {
        let beside = self.builds_beside(db, definition);
        let Some(other) = beside.first().and_then(|number| self.build_home(*number)) else {
            return Ok(());
        };
        let what = format!("a declaration of collection '{}' is being built", other.name());
        Err(Error::new(Code::Building, what))
    }

    /// Makes way for what a primary decided.
    pub(super) fn yield_builds(&mut self, db: u32, definition: &Definition) {
        for number in self.builds_beside(db, definition) {
            self.abandon_build(number);
        }
    }
}
