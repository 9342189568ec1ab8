//! The model of a whole server: databases, keys of any type, declarations, and what lapses when.
//!
//! Time is told in levels: what lapses soon is there until the clock is known to have gone on (`pass`), what
//! lapses far away is there for the whole run.

use std::collections::{BTreeMap, BTreeSet};

use folio_tests::generate::{self, Random, constrained, indexed};
use folio_tests::naive::unique::Unique;
use folio_tests::naive::{
    Json, Kind, NaiveField, NaiveFunction, NaiveIndex, NaiveSchema, Path, Timed,
};

use crate::migrate::Migrations;
use crate::told::{Stream, is_soon};

/// Logical databases in use.
pub const DATABASES: usize = 3;
/// How long what lapses soon is there.
pub const SOON_MS: i64 = 40;
/// Keeps what is drawn of constraints apart from the rest of a schema.
const CONSTRAINTS: u64 = 0xc025_c025;
/// And what is drawn of functions.
const FUNCTIONS: u64 = 0xf070_f070;
/// Apart in time: two neighbouring levels far away.
const STEP_MS: i64 = 1_000_000;

/// When a key lapses: 0 soon, 2n at the n-th step exactly, 2n + 1 about half a step later.
pub type Level = i32;
pub const SOON: Level = 0;

/// A document of the model.
#[derive(Clone, Debug)]
pub struct Doc {
    pub json: Json,
    /// The server's text is the model's, digit for digit.
    pub exact: bool,
    /// The order of birth, over all collections.
    pub birth: u64,
    /// A name for the version, whose number only the server knows.
    pub stamp: u64,
    /// The parts that lapse by themselves, each with the milliseconds that it was given: `SOON_MS` or far more.
    pub timed: Timed,
    /// Parts have lapsed that the server has not removed, and does not remove while the document is in no collection.
    pub hides: bool,
    /// The schema version that it was written for.
    pub schema: u16,
}

impl Doc {
    /// A document that nobody has written yet.
    pub fn of(json: Json, exact: bool) -> Self {
        Self { json, exact, birth: 0, stamp: 0, timed: Timed::default(), hides: false, schema: 0 }
    }

    /// Whether a part lapses soon.
    pub fn has_soon(&self) -> bool {
        self.soon_len() > 0
    }

    /// How many parts lapse soon.
    pub fn soon_len(&self) -> usize {
        self.timed.0.values().filter(|after_ms| **after_ms <= SOON_MS).count()
    }
}

/// What stands under a key.
#[derive(Clone, Debug)]
pub enum Held {
    Doc(Doc),
    /// A document that is marked as deleted.
    Deleted(Doc),
    Text,
    Set,
    List,
}

impl Held {
    /// The document, marked as deleted or not.
    pub fn document(&self) -> Option<&Doc> {
        match self {
            Held::Doc(doc) | Held::Deleted(doc) => Some(doc),
            _ => None,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Entry {
    pub held: Held,
    pub ttl: Option<Level>,
}

#[derive(Clone, Debug)]
pub struct Declared {
    pub prefix: String,
    pub schema: NaiveSchema,
    pub migrations: Migrations,
    /// What the schema was made from.
    pub seed: u64,
}

/// One logical database.
#[derive(Clone, Debug, Default)]
pub struct Space {
    /// Its identity, which SWAPDB moves.
    pub id: u64,
    pub entries: BTreeMap<String, Entry>,
    pub declared: BTreeMap<String, Declared>,
    /// The change streams of collections that have one, or had one.
    pub streams: BTreeMap<String, Stream>,
    /// Keys that lapsed, and that the server may not have removed.
    pub leftovers: BTreeSet<String>,
}

/// The whole.
#[derive(Clone, Debug)]
pub struct World {
    pub spaces: Vec<Space>,
    pub db: usize,
    numbers: u64,
    /// The command that is under way, if nobody says in which order it does what it does.
    pub group: Option<u64>,
    /// The start of the far levels, in milliseconds since 1970.
    pub base_ms: i64,
    /// The server leads a client astray that copies a value of its own types into another database.
    pub copies_stray: bool,
}

/// A collection to which versions belong: the database's identity and the name.
pub type Slot = (u64, String);

/// The prefix that a collection of this name is declared with.
pub fn prefix_of(name: &str) -> String {
    if name == "goods" { "item-".into() } else { format!("{name}:") }
}

/// The schema that a seed stands for.
pub fn schema_of(seed: u64) -> NaiveSchema {
    let mut random = Random::new(seed);
    let indexes = random.below(5);
    let mut schema = generate::schema(&mut random, indexes);
    if random.chance(50)
        && let Some(field) =
            schema.fields.iter_mut().find(|it| it.index != Some(NaiveIndex::Substring))
    {
        field.unique = true;
    }
    if random.chance(30)
        && let Some(field) = schema.fields.last_mut()
    {
        field.required = true;
    }
    let unique = random.chance(30);
    let is_unique = unique || schema.is_unique();
    declare_functions(&mut Random::new(seed ^ FUNCTIONS), &mut schema, is_unique);
    indexed::declare(&mut random, &mut schema, 2, unique);
    let mut random = Random::new(seed ^ CONSTRAINTS);
    if random.chance(50) {
        constrained::declare(&mut random, &mut schema);
    }
    Migrations::of(seed).declare(seed, &mut schema);
    schema
}

/// Declares a computed field where filters look for what no document holds, and a function that judges strings; mostly neither.
fn declare_functions(random: &mut Random, schema: &mut NaiveSchema, is_unique: bool) {
    let mut function = random.pick(&[
        NaiveFunction::Label,
        NaiveFunction::Rank,
        NaiveFunction::Marked,
        NaiveFunction::Words,
    ]);
    // Which of two documents is migrated first must not decide which of them has a value.
    if is_unique && function == NaiveFunction::Marked {
        function = NaiveFunction::Rank;
    }
    let kind = match function {
        NaiveFunction::Label => random.pick(&[Kind::String, Kind::Nocase]),
        NaiveFunction::Words => Kind::Array(Box::new(Kind::String)),
        _ => random.pick(&[Kind::Int, Kind::Float]),
    };
    let mut field = NaiveField::new("none", kind);
    let kinds = [None, Some(NaiveIndex::Set), Some(NaiveIndex::Sorted)];
    (field.computed, field.index) = (Some(function), random.pick(&kinds));
    field.unique = random.chance(30) && function == NaiveFunction::Label;
    field.required = random.chance(8);
    if random.chance(30) {
        schema.fields.push(field);
    }
    let is_judged = random.chance(15);
    for field in schema.fields.iter_mut().filter(|_| is_judged) {
        let is_it = field.path == Path::plain("s");
        field.validate = is_it.then_some(NaiveFunction::Judge);
    }
}

impl Space {
    /// The collection that a key belongs to.
    pub fn place(&self, key: &str) -> Option<String> {
        for (name, declared) in &self.declared {
            if key.starts_with(&declared.prefix) {
                return (key.len() > declared.prefix.len()).then(|| name.clone());
            }
        }
        let (name, id) = key.split_once(':')?;
        let is_open = !name.is_empty() && !id.is_empty() && !self.declared.contains_key(name);
        is_open.then(|| name.to_owned())
    }

    pub fn slot(&self, key: &str) -> Option<Slot> {
        self.place(key).map(|name| (self.id, name))
    }

    /// The schema of a collection; an open one has none.
    pub fn schema(&self, name: &str) -> NaiveSchema {
        self.declared.get(name).map(|declared| declared.schema.clone()).unwrap_or_default()
    }

    pub fn doc(&self, key: &str) -> Option<&Doc> {
        match self.entries.get(key) {
            Some(Entry { held: Held::Doc(doc), .. }) => Some(doc),
            _ => None,
        }
    }

    /// The documents that are marked as deleted, by key.
    pub fn deleted(&self) -> impl Iterator<Item = (&String, &Doc, Option<Level>)> {
        self.entries.iter().filter_map(|(key, entry)| match &entry.held {
            Held::Deleted(doc) => Some((key, doc, entry.ttl)),
            _ => None,
        })
    }

    /// Whether a value of another type than documents stands under a key.
    pub fn is_other(&self, key: &str) -> bool {
        let held = self.entries.get(key).map(|entry| &entry.held);
        held.is_some_and(|held| !matches!(held, Held::Doc(_) | Held::Deleted(_)))
    }

    /// The TTL that a write to a key may keep: a document that is marked as deleted has none to give.
    pub fn kept_ttl(&self, key: &str) -> Option<Level> {
        let entry = self.entries.get(key)?;
        entry.ttl.filter(|_| !matches!(entry.held, Held::Deleted(_)))
    }

    /// All documents, by key, but for those that are marked as deleted.
    pub fn docs(&self) -> impl Iterator<Item = (&String, &Doc, Option<Level>)> {
        self.entries.iter().filter_map(|(key, entry)| match &entry.held {
            Held::Doc(doc) => Some((key, doc, entry.ttl)),
            _ => None,
        })
    }

    /// The documents of a collection, by birth.
    pub fn members(&self, name: &str) -> Vec<(&String, &Doc)> {
        let docs = self.docs().filter(|(key, ..)| self.place(key).as_deref() == Some(name));
        let mut members: Vec<_> = docs.map(|(key, doc, _)| (key, doc)).collect();
        members.sort_by_key(|(_, doc)| doc.birth);
        members
    }

    /// The documents of a collection that are marked as deleted, by birth.
    pub fn deleted_members(&self, name: &str) -> Vec<(&String, &Doc)> {
        let docs = self.deleted().filter(|(key, ..)| self.place(key).as_deref() == Some(name));
        let mut members: Vec<_> = docs.map(|(key, doc, _)| (key, doc)).collect();
        members.sort_by_key(|(_, doc)| doc.birth);
        members
    }

    /// The names of the collections that are there for certain, and of those that may be there besides: open
    /// ones whose documents have all lapsed.
    pub fn names(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        let mut must: BTreeSet<String> = self.declared.keys().cloned().collect();
        must.extend(self.docs().chain(self.deleted()).filter_map(|(key, ..)| self.place(key)));
        let mut may: BTreeSet<String> =
            self.leftovers.iter().filter_map(|key| self.place(key)).collect();
        may.retain(|name| !must.contains(name));
        (must, may)
    }

    /// Documents under keys that name no collection, by key.
    pub fn strays(&self) -> Vec<String> {
        let all = self.docs().chain(self.deleted());
        let docs = all.filter(|(key, ..)| self.place(key).is_none());
        let strays: BTreeSet<String> = docs.map(|(key, ..)| key.clone()).collect();
        strays.into_iter().collect()
    }

    /// Whether the server would have to remove parts if the document of a key came into a collection: when it does, nobody
    /// knows.
    pub fn hides(&self, key: &str) -> bool {
        self.doc(key).is_some_and(|doc| doc.hides)
    }

    /// Whether `json`, under `key`, has a unique value that another document of the collection holds.
    /// Only values that `before` does not have count, if it is given.
    pub fn clash(&self, name: &str, key: &str, before: Option<&Json>, json: &Json) -> bool {
        let schema = self.schema(name);
        let members = self.members(name);
        let others = members.iter().filter(|(other, _)| *other != key);
        Unique::all(&schema).iter().any(|rule| {
            let old = before.map(|old| rule.held(old)).unwrap_or_default();
            let mut new = rule.held(json);
            new.retain(|held| !old.iter().any(|old| rule.is_equal(old, held)));
            others.clone().any(|(_, other)| rule.share(&new, &rule.held(&other.json)))
        })
    }
}

/// Whether any two of these documents hold the same of what is unique.
pub fn any_share(schema: &NaiveSchema, docs: &[&Json]) -> bool {
    Unique::all(schema).iter().any(|rule| {
        let held: Vec<_> = docs.iter().map(|doc| rule.held(doc)).collect();
        (1..held.len()).any(|at| held[..at].iter().any(|other| rule.share(other, &held[at])))
    })
}

impl World {
    pub fn new(base_ms: i64) -> Self {
        let space = |id| Space { id, ..Space::default() };
        let spaces = (0..DATABASES as u64).map(space).collect();
        let base_ms = base_ms / 1000 * 1000;
        Self { spaces, db: 0, numbers: 0, group: None, base_ms, copies_stray: false }
    }

    pub fn space(&self) -> &Space {
        &self.spaces[self.db]
    }

    pub fn space_mut(&mut self) -> &mut Space {
        &mut self.spaces[self.db]
    }

    /// The next number of a birth or version.
    pub fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// Whether there is any document at all.
    pub fn has_documents(&self) -> bool {
        self.spaces.iter().any(|space| space.docs().chain(space.deleted()).next().is_some())
    }

    /// Whether anything lapses soon.
    pub fn has_soon(&self) -> bool {
        let is_soon =
            |entry: &Entry| is_soon(entry) || entry.held.document().is_some_and(Doc::has_soon);
        self.spaces.iter().any(|space| space.entries.values().any(is_soon))
    }

    /// The clock has gone on: what was to lapse soon has lapsed.
    pub fn pass(&mut self) {
        for db in 0..self.spaces.len() {
            let entries = self.spaces[db].entries.iter();
            let due = entries.filter(|(_, entry)| is_soon(entry)).map(|(key, _)| key.clone());
            for key in due.collect::<Vec<String>>() {
                self.tell_lapse(db, &key);
                self.spaces[db].entries.remove(&key);
                self.spaces[db].leftovers.insert(key);
            }
            self.pass_parts(db);
        }
    }

    /// Parts that were to lapse soon are gone: by a change, where the document belongs to a collection, which is told of one that
    /// is not deleted.
    fn pass_parts(&mut self, db: usize) {
        let mut entries = std::mem::take(&mut self.spaces[db].entries);
        for (key, entry) in &mut entries {
            let is_told = matches!(entry.held, Held::Doc(_));
            let (Held::Doc(doc) | Held::Deleted(doc)) = &mut entry.held else { continue };
            let lapsing = doc.soon_len();
            if !doc.timed.lapse(&mut doc.json, SOON_MS + 1) {
                continue;
            }
            doc.hides = self.spaces[db].place(key).is_none();
            if !doc.hides {
                doc.stamp = self.number();
            }
            if is_told && !doc.hides {
                // Each has an instant of its own, and may be removed before the next lapses.
                self.tell_lapsing(db, key, lapsing.saturating_sub(1));
                self.tell_of(db, "update", key, doc, Some("ttl"));
            }
        }
        self.spaces[db].entries = entries;
    }

    /// The documents of collections, deleted or not, of which a part lapses soon and that do not do so as a whole, with their databases.
    pub fn lapsing(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for (db, space) in self.spaces.iter().enumerate() {
            let loses_part = |(key, entry): &(&String, &Entry)| {
                let has_soon = entry.held.document().is_some_and(Doc::has_soon);
                has_soon && !is_soon(entry) && space.place(key).is_some()
            };
            let entries = space.entries.iter().filter(loses_part);
            found.extend(entries.map(|(key, _)| (db, key.clone())));
        }
        found
    }

    /// When the run is over in which instants can be told apart: what is relative to now lies in the first half of a step.
    pub fn end_ms(&self) -> i64 {
        self.base_ms + STEP_MS / 2 - 1
    }

    /// The instants between which a part lapses that was given so many milliseconds.
    pub fn part_instants(&self, after_ms: i64) -> (i64, i64) {
        match after_ms {
            ..=SOON_MS => (0, i64::MAX),
            _ => (self.base_ms + after_ms, self.base_ms + after_ms + STEP_MS / 2 - 1),
        }
    }

    /// Puts an entry under a key, whatever stood there: a command on the document itself, or a value of another type.
    pub fn put(&mut self, db: usize, key: &str, entry: Entry) {
        let before = self.spaces[db].doc(key).cloned();
        match (&before, &entry.held) {
            (None, Held::Doc(doc)) => self.tell_of(db, "insert", key, doc, None),
            (Some(before), Held::Doc(doc)) if before.stamp != doc.stamp => {
                self.tell_of(db, "update", key, doc, None);
            }
            (_, Held::Doc(_)) | (None, _) => {}
            (Some(before), _) => self.tell_removal(db, "delete", key, before, Some("overwrite")),
        }
        self.replace(db, key, entry);
    }

    fn replace(&mut self, db: usize, key: &str, entry: Entry) {
        self.spaces[db].leftovers.remove(key);
        self.spaces[db].entries.insert(key.to_owned(), entry);
    }

    /// Takes a key's entry away.
    pub fn take(&mut self, db: usize, key: &str) -> Option<Entry> {
        self.take_for(db, key, "delete", None)
    }

    /// Takes a key's entry away, which is told as this.
    pub fn take_for(
        &mut self,
        db: usize,
        key: &str,
        op: &'static str,
        cause: Option<&'static str>,
    ) -> Option<Entry> {
        if let Some(doc) = self.spaces[db].doc(key).cloned() {
            self.tell_removal(db, op, key, &doc, cause);
        }
        self.spaces[db].leftovers.remove(key);
        self.spaces[db].entries.remove(key)
    }

    /// Takes an entry from one key to another, whatever stands there.
    pub fn carry(&mut self, from: (usize, &str), to: (usize, &str), cause: &'static str) {
        if !self.spaces[from.0].entries.contains_key(from.1) {
            return;
        }
        self.take_for(to.0, to.1, "delete", Some("overwrite"));
        if let Some(entry) = self.take_for(from.0, from.1, "delete", Some(cause)) {
            self.bring(to.0, to.1, entry, cause);
        }
    }

    /// Puts an entry that Redis itself brings: a document is born.
    pub fn bring(&mut self, db: usize, key: &str, mut entry: Entry, cause: &'static str) {
        self.take_for(db, key, "delete", Some("overwrite"));
        if let Held::Doc(doc) | Held::Deleted(doc) = &mut entry.held {
            doc.birth = self.number();
            doc.stamp = doc.birth;
        }
        if let Held::Doc(doc) = &entry.held {
            self.tell_of(db, "insert", key, doc, Some(cause));
        }
        self.replace(db, key, entry);
    }

    /// After a declaration has come or gone: strays whose keys name a collection now are born there, by key.
    pub fn bring_home(&mut self, strays: Vec<String>) {
        for key in strays {
            if self.space().place(&key).is_none() {
                continue;
            }
            let number = self.number();
            let entry = self.space_mut().entries.get_mut(&key);
            if let Some(Held::Doc(doc) | Held::Deleted(doc)) = entry.map(|entry| &mut entry.held) {
                (doc.birth, doc.stamp) = (number, number);
            }
        }
    }

    /// The instants between which a key of this level lapses.
    pub fn instants(&self, level: Level) -> (i64, i64) {
        let at = self.base_ms + i64::from(level / 2) * STEP_MS;
        match level {
            SOON => (0, i64::MAX),
            _ if level % 2 == 0 => (at, at),
            _ => (at + STEP_MS / 2, at + STEP_MS - 1),
        }
    }

    /// The number that a relative or absolute TTL in milliseconds has, and the level that it makes.
    pub fn ttl_ms(&self, step: i32, is_absolute: bool) -> (i64, Level) {
        match (step, is_absolute) {
            (i32::MIN..0, true) => (1, -1),
            (i32::MIN..0, false) => (-1000, -1),
            // What lapses soon is always said relative to now.
            (0, _) => (SOON_MS, SOON),
            (_, true) => (self.base_ms + i64::from(step) * STEP_MS, 2 * step),
            (_, false) => (i64::from(step) * STEP_MS + STEP_MS / 2, 2 * step + 1),
        }
    }
}
