//! Declaring and dropping collections, over documents that are there already.

use super::{Created, Store};
use crate::collection::{Arrival, Collection};
use crate::doc::Document;
use crate::error::{Code, Error, Result};
use crate::index::Index;
use crate::schema::{Definition, check};
use crate::value::Key;

/// Offending keys that an error names.
const OFFENDERS_MAX: usize = 3;

/// A document on its way from one collection to another.
struct Mover {
    key: Vec<u8>,
    document: Document,
    expires_ms: Option<i64>,
    due: bool,
}

impl Mover {
    fn arrival(&self) -> Arrival<'_> {
        let Mover { key, document, expires_ms, .. } = self;
        Arrival { key, document: document.clone(), expires_ms: *expires_ms, number: 0 }
    }
}

impl Store {
    /// Declares a collection; documents under its prefix move in. The same definition again changes nothing.
    ///
    /// Errors: `SCHEMA` and `UNIQUE` (naming the first documents that break it), `COLLECTIONEXISTS`, `LIMITED`. O(documents under the prefix, and
    /// of open collections whose names could lie under it).
    pub fn create(&mut self, db: u32, definition: Definition) -> Result<Created> {
        self.declare(db, definition, judge_documents)
    }

    /// The same where a primary, or this server before a restart, has judged the documents already. By the clock of this
    /// moment others of them may have lapsed, so they are not judged again. Errors: `SCHEMA`, `COLLECTIONEXISTS`, `LIMITED`.
    pub fn create_applied(&mut self, db: u32, definition: Definition) -> Result<Created> {
        self.declare(db, definition, |_, _| Ok(()))
    }

    fn declare(
        &mut self,
        db: u32,
        definition: Definition,
        judge: impl FnOnce(&Definition, &[Mover]) -> Result<()>,
    ) -> Result<Created> {
        self.settle();
        definition.validate(&self.limits)?;
        if let Some(there) = self.collection(db, &definition.name) {
            if there.is_declared() && *there.definition() == definition {
                return Ok(Created::Same);
            }
            let what = if there.is_declared() {
                format!("collection '{}' is declared already, and not like this", definition.name)
            } else if there.definition().prefix != definition.prefix {
                format!(
                    "collection '{}' holds documents under '{}'",
                    definition.name,
                    there.definition().prefix
                )
            } else {
                String::new()
            };
            if !what.is_empty() {
                return Err(Error::new(Code::CollectionExists, what));
            }
        }
        self.judge_prefix(db, &definition)?;
        let movers = self.movers(db, definition.prefix.as_bytes());
        judge(&definition, &movers)?;
        self.move_in(db, definition, &movers);
        Ok(Created::New)
    }

    fn judge_prefix(&self, db: u32, definition: &Definition) -> Result<()> {
        let names = self.databases.get(&db);
        let other = names.and_then(|names| names.nested_with(definition.prefix.as_bytes()));
        let Some(other) = other.and_then(|uid| self.collections.get(&uid)) else { return Ok(()) };
        let (prefix, held) = (&definition.prefix, &other.definition().prefix);
        let what =
            format!("prefix '{prefix}' nests with '{held}' of collection '{}'", other.name());
        Err(Error::new(Code::Schema, what))
    }

    /// The documents of open collections whose keys begin with `prefix`, in the order of their birth.
    fn movers(&self, db: u32, prefix: &[u8]) -> Vec<Mover> {
        let Some(names) = self.databases.get(&db) else { return Vec::new() };
        let mut movers = Vec::new();
        for collection in names.open().into_iter().filter_map(|uid| self.collections.get(&uid)) {
            let held = collection.definition().prefix.as_bytes();
            if !held.starts_with(prefix) && !prefix.starts_with(held) {
                continue;
            }
            movers.extend(
                movers_of(collection).filter(|mover| {
                    mover.key.starts_with(prefix) && mover.key.len() > prefix.len()
                }),
            );
        }
        movers.sort_by(|a, b| (a.document.seq(), &a.key).cmp(&(b.document.seq(), &b.key)));
        movers
    }

    /// Makes the declared collection and moves the documents in, out of all others.
    fn move_in(&mut self, db: u32, definition: Definition, movers: &[Mover]) {
        let mut counters = self.databases.entry(db).or_default().floor;
        let mut sources: Vec<u32> = movers.iter().map(|mover| mover.document.home()).collect();
        sources.sort_unstable();
        sources.dedup();
        for source in &sources {
            if let Some(collection) = self.collections.get(source) {
                counters = counters.max(collection.counters());
            }
        }
        for mover in movers {
            if let Some(collection) = self.collections.get_mut(&mover.document.home()) {
                collection.remove(mover.document.id());
            }
        }
        for source in &sources {
            self.drop_if_vacant(*source);
        }
        let uid = self.add_collection(db, definition, true, counters);
        let Some(collection) = self.collections.get_mut(&uid) else { return };
        if sources.len() > 1 {
            for (at, mover) in movers.iter().enumerate() {
                // Birth numbers of several collections meet: they are counted anew.
                mover.document.place(0, 0, at as u64 + 1, mover.document.version());
            }
        }
        collection.fill(movers.iter().map(Mover::arrival), None);
    }

    /// Takes a declaration away. Its documents stay, in open collections. Error: `NOCOLLECTION`. O(documents).
    pub fn drop_collection(&mut self, db: u32, name: &str) -> Result<()> {
        self.settle();
        let declared = self.collection(db, name).filter(|collection| collection.is_declared());
        let Some(uid) = declared.map(Collection::uid) else {
            let what = format!("no declared collection '{name}' in database {db}");
            return Err(Error::new(Code::NoCollection, what));
        };
        let Some(dropped) = self.take_collection(uid) else { return Ok(()) };
        for mover in movers_of(&dropped) {
            mover.document.displace();
            let Ok(placement) = self.place(db, &mover.key) else { continue };
            let target = match placement {
                super::Placement::Known(uid) => uid,
                super::Placement::Founded(name) => self.found(db, &name),
            };
            let Some(target) = self.collections.get_mut(&target) else { continue };
            // A founded collection takes the documents with their numbers, in order; another gives new ones.
            if target.last_seq() < mover.document.seq() {
                target.enter(mover.arrival());
            } else {
                target.admit(&mover.key, &mover.document, mover.expires_ms);
            }
        }
        Ok(())
    }
}

fn movers_of(collection: &Collection) -> impl Iterator<Item = Mover> {
    collection.live().iter().filter_map(|id| {
        let mut key = Vec::new();
        collection.key(id, &mut key);
        let document = collection.document(id)?.clone();
        let (expires_ms, due) = (collection.expires_ms(id), collection.due().contains(id));
        Some(Mover { key, document, expires_ms, due })
    })
}

/// Whether the documents keep to `definition`; the error names the first that do not.
fn judge_documents(definition: &Definition, movers: &[Mover]) -> Result<()> {
    let mut offenders = Vec::new();
    let mut first = None;
    for mover in movers.iter().filter(|mover| !mover.due) {
        if let Err(error) = check::check_stored(definition, &mover.document) {
            first.get_or_insert(error);
            offenders.push(mover);
        }
    }
    if let Some(error) = first {
        return Err(Error::new(error.code, format!("{} ({})", error.message, named(&offenders))));
    }
    for index in
        definition.fields.iter().filter(|field| field.unique).filter_map(|f| Index::for_field(f, 0))
    {
        judge_unique(&index, movers)?;
    }
    Ok(())
}

fn judge_unique(index: &Index, movers: &[Mover]) -> Result<()> {
    let mut pairs: Vec<(Key, usize)> = Vec::new();
    for (at, mover) in movers.iter().enumerate().filter(|(_, mover)| !mover.due) {
        pairs.extend(index.keys(mover.document.view()).into_iter().map(|key| (key, at)));
    }
    pairs.sort();
    let same = |pair: &&[(Key, usize)]| pair[0].0 == pair[1].0 && !pair[0].0.is_absent();
    let Some(pair) = pairs.windows(2).find(same) else { return Ok(()) };
    let offenders = [&movers[pair[0].1], &movers[pair[1].1]];
    let what = format!("documents hold the same value at {} ({})", index.path(), named(&offenders));
    Err(Error::new(Code::Unique, what))
}

fn named(offenders: &[&Mover]) -> String {
    let keys =
        offenders.iter().take(OFFENDERS_MAX).map(|mover| String::from_utf8_lossy(&mover.key));
    let keys: Vec<_> = keys.collect();
    let more = offenders.len().saturating_sub(OFFENDERS_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", keys.join(", "))
}
