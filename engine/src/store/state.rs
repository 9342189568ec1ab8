//! Definitions and counters as JSON, one text a database: what a snapshot keeps beside the documents.
//!
//! ```text
//!   {"floor":{"version":9,"seq":4},
//!    "collections":[{"declared":true,"version":7,"seq":3,"changes":5,"greatest":12,"definition":{"collection":"users",..}}]}
//! ```
//! `changes`, the number of the last entry of its changes, is left out where there was none. The first text holds the functions
//! of the server besides, as `functions`, if there are any:
//!
//! ```text
//!   "functions":[{"name":"slug","source":"return ..","steps":100000,"memory":4194304}]
//! ```

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{FunctionJson, NUMBER_MAX, Store};
use crate::collection::Counters;
use crate::error::{Code, Error, Result};
use crate::planted::{self, Fault};
use crate::schema::Definition;

#[derive(Serialize, Deserialize)]
struct CountersJson {
    version: u64,
    seq: u64,
}

#[derive(Serialize, Deserialize)]
struct CollectionJson {
    declared: bool,
    version: u64,
    seq: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    changes: u64,
    /// Left out where it is 0, as before there were sequences.
    #[serde(default, skip_serializing_if = "is_zero")]
    greatest: u64,
    definition: Box<RawValue>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[derive(Serialize, Deserialize)]
struct DatabaseJson {
    floor: CountersJson,
    /// Of the server: in the first text alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    functions: Vec<FunctionJson>,
    collections: Vec<CollectionJson>,
}

impl DatabaseJson {
    fn print(&self) -> String {
        serde_json::to_string(self).expect("numbers and texts have a JSON form")
    }
}

impl Store {
    /// The definitions and counters of each database that has any, in the order of databases; with the first of them the
    /// functions.
    pub fn save_state(&self) -> Vec<(u32, String)> {
        let mut saved = Vec::new();
        let mut functions: Vec<FunctionJson> =
            self.functions.iter().map(|loaded| FunctionJson::from(&**loaded)).collect();
        for (db, names) in &self.databases {
            let mut collections = Vec::new();
            for name in names.all() {
                let Some(collection) = self.collection(*db, &name) else { continue };
                if planted::is(Fault::Definition) && collection.is_vacant() {
                    continue;
                }
                let definition = RawValue::from_string(collection.definition().to_json());
                collections.push(CollectionJson {
                    declared: collection.is_declared(),
                    version: collection.counters().version,
                    seq: collection.counters().seq,
                    changes: collection.change_number(),
                    greatest: collection.greatest(),
                    definition: definition.expect("a definition prints as JSON"),
                });
            }
            let floor = CountersJson { version: names.floor.version, seq: names.floor.seq };
            let functions = std::mem::take(&mut functions);
            saved.push((*db, DatabaseJson { floor, functions, collections }.print()));
        }
        if !functions.is_empty() {
            let floor = CountersJson { version: 0, seq: 0 };
            let collections = Vec::new();
            saved.push((0, DatabaseJson { floor, functions, collections }.print()));
        }
        saved
    }

    /// Takes in what [`Store::save_state`] gave, before the documents. Error: `SCHEMA` when the text is not of that
    /// form, or documents are kept aside already, `FUNCTION` when a function cannot be compiled; with nothing taken in.
    pub fn load_state(&mut self, db: u32, json: &[u8]) -> Result<()> {
        let before = self.functions.clone();
        let outcome = self.read_state(db, json);
        if outcome.is_err() {
            self.functions = before;
        }
        outcome
    }

    fn read_state(&mut self, db: u32, json: &[u8]) -> Result<()> {
        if self.has_kept_aside() {
            return Err(Error::new(Code::Schema, "saved definitions stand behind documents"));
        }
        let broken = |what: String| Error::new(Code::Schema, format!("saved definitions: {what}"));
        let read: DatabaseJson =
            serde_json::from_slice(json).map_err(|error| broken(error.to_string()))?;
        self.take_functions(&read.functions)?;
        let mut definitions = Vec::with_capacity(read.collections.len());
        for collection in read.collections {
            let mut definition =
                Definition::read(collection.definition.get().as_bytes(), &self.limits)?;
            definition.bind(&self.functions)?;
            let counters = Counters { version: collection.version, seq: collection.seq };
            let greatest = collection.greatest.min(NUMBER_MAX);
            let numbers = (counters, greatest, collection.changes);
            definitions.push((definition, collection.declared, numbers));
        }
        let floor = Counters { version: read.floor.version, seq: read.floor.seq };
        for (definition, declared, (counters, greatest, changes)) in definitions {
            let uid = self.take_in(db, definition, declared, counters)?;
            if let Some(there) = uid.and_then(|uid| self.collections.get_mut(&uid)) {
                there.raise_counters(counters);
                there.raise_greatest(greatest);
                there.raise_change_number(changes);
            }
        }
        // Only now: what is taken in has counters of its own, which may lie below the floor of what is founded later.
        let names = self.databases.entry(db).or_default();
        names.floor = names.floor.max(floor);
        Ok(())
    }

    /// Takes a collection in, and gives its number.
    fn take_in(
        &mut self,
        db: u32,
        definition: Definition,
        declared: bool,
        counters: Counters,
    ) -> Result<Option<u32>> {
        let name = definition.name.clone();
        match self.collection(db, &name).map(|there| (there.uid(), there.is_declared())) {
            Some((_, is_declared)) if is_declared || !declared => {}
            // Its documents may be there already, in open collections.
            _ if declared && !self.filling.is_open() => {
                self.create_applied(db, definition)?;
            }
            there => {
                if let Some((uid, _)) = there {
                    self.drop_if_vacant(uid);
                }
                self.add_collection(db, definition, declared, counters);
            }
        }
        Ok(self.databases.entry(db).or_default().uid(&name))
    }
}
