//! A store with a keyspace around it, and the model beside it.

mod conditions;
mod questions;
mod updates;

use std::collections::BTreeMap;

use folio_engine::doc::timed::each_timed;
use folio_engine::doc::{Document, Parsed};
use folio_engine::path::{Path, Step};
use folio_engine::schema::{
    Constraints, Definition, Field, FieldType, IndexKind, NamedIndex, Nulls, On, Order,
};
use folio_engine::store::{Created, Prepared, Store};
use folio_engine::update::Edited;
use folio_engine::{Code, Limits};

use crate::generate::extended::Language;
use crate::generate::{self, Random, constrained, indexed};
use crate::naive::{
    Json, Meta, NaiveCollection, NaiveField, NaiveIndex, NaiveNamed, NaiveSchema, Refusal, Timed,
};

/// What can happen in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is what its name says")]
pub enum Kind {
    Set,
    Refused,
    Unmet,
    Version,
    Update,
    Delete,
    Expire,
    Lapse,
    LapsePart,
    Rename,
    Copy,
    Reload,
    Flush,
    Redeclare,
    Find,
    Count,
    Distinct,
    Aggregate,
}

impl Kind {
    /// Each of them.
    pub const ALL: [Kind; 18] = [
        Kind::Set,
        Kind::Refused,
        Kind::Unmet,
        Kind::Version,
        Kind::Update,
        Kind::Delete,
        Kind::Expire,
        Kind::Lapse,
        Kind::LapsePart,
        Kind::Rename,
        Kind::Copy,
        Kind::Reload,
        Kind::Flush,
        Kind::Redeclare,
        Kind::Find,
        Kind::Count,
        Kind::Distinct,
        Kind::Aggregate,
    ];
}

struct Entry {
    document: Document,
    expires_ms: Option<i64>,
}

/// The store, the keyspace around it and the model.
pub struct World {
    random: Random,
    limits: Limits,
    schema: NaiveSchema,
    language: Language,
    store: Store,
    space: BTreeMap<String, Entry>,
    model: NaiveCollection,
    now_ms: i64,
    highest_version: u64,
    /// The version in the store of each of the model's, as far as it was looked at.
    versions: BTreeMap<u64, u64>,
    /// What has happened so far.
    pub counts: BTreeMap<Kind, usize>,
    /// The operations of DOC.UPDATE among it.
    operations: BTreeMap<String, usize>,
    /// The planted fault: the store does not hear that a document left its old key.
    pub forget_renames: bool,
}

const DB: u32 = 0;
const NAME: &str = "things";
const KEYS: usize = 40;
/// The metadata of which the model has what the store has.
const KNOWN: [Meta; 5] = [Meta::Key, Meta::Id, Meta::Sequence, Meta::Expires, Meta::Valid];

impl World {
    /// A world whose draws follow from the seed.
    pub fn new(seed: u64) -> Self {
        Self::drawn(Random::new(seed), seed)
    }

    /// A world that draws from `random`; `seed` is that of the store's hashes.
    pub fn drawn(mut random: Random, seed: u64) -> Self {
        let indexes = random.below(5);
        let mut schema = generate::schema(&mut random, indexes);
        if random.chance(20)
            && let Some(field) =
                schema.fields.iter_mut().find(|it| it.index != Some(NaiveIndex::Substring))
        {
            field.unique = true;
        }
        let unique = random.chance(40);
        indexed::declare(&mut random, &mut schema, 3, unique);
        if random.chance(50) {
            constrained::declare(&mut random, &mut schema);
        }
        let mut store = Store::new(seed);
        assert_eq!(store.create(DB, definition(&schema)), Ok(Created::New));
        let mut model = NaiveCollection::new(schema.clone());
        model.prefix = format!("{NAME}:");
        World {
            random,
            limits: Limits::default(),
            model,
            schema,
            language: Language { metadata: KNOWN.to_vec(), ..Language::whole() },
            store,
            space: BTreeMap::new(),
            now_ms: 1_000_000,
            highest_version: 0,
            versions: BTreeMap::new(),
            counts: BTreeMap::new(),
            operations: BTreeMap::new(),
            forget_renames: false,
        }
    }

    /// Whether bytes to draw from are left.
    pub fn has_given(&self) -> bool {
        self.random.has_given()
    }

    /// One operation of any kind, on the store and on the model.
    pub fn step(&mut self) {
        let kind = match self.random.below(1000) {
            0..380 => self.set(),
            380..530 => self.update(),
            530..590 => self.delete(),
            590..660 => self.expire(),
            660..760 => self.lapse(),
            760..810 => self.rename(),
            810..840 => self.copy(),
            840..843 => self.reload(),
            843..846 => self.flush(),
            846..849 => self.redeclare(),
            849..930 => self.find(),
            930..980 => self.count(),
            980..990 => self.distinct(),
            _ => self.aggregate(),
        };
        *self.counts.entry(kind).or_insert(0) += 1;
    }

    /// A question to a store of documents that were set, most of the time; else another document.
    pub fn ask(&mut self) {
        let kind = match self.random.below(10) {
            0..3 => self.set(),
            3..6 => self.find(),
            6 => self.count(),
            7 => self.distinct(),
            _ => self.aggregate(),
        };
        *self.counts.entry(kind).or_insert(0) += 1;
    }

    fn key(&mut self) -> String {
        format!("{NAME}:{}", self.random.below(KEYS))
    }

    fn expiry(&mut self) -> Option<i64> {
        self.random.chance(30).then(|| self.now_ms + self.random.below(500) as i64 + 1)
    }

    /// What the server does when a command is about to write to a key: a lapsed one goes first.
    fn open(&mut self, key: &str) -> Option<Document> {
        let entry = self.space.get(key)?;
        if entry.expires_ms.is_some_and(|time| self.now_ms > time) {
            self.remove(key);
            return None;
        }
        Some(self.lapse_parts(key))
    }

    /// What a primary does to a document that it is about to write: parts that are due go first.
    fn lapse_parts(&mut self, key: &str) -> Document {
        let document = self.space[key].document.clone();
        let made = self.store.lapse_paths(DB, key.as_bytes(), &document, self.now_ms);
        assert_eq!(made.is_some(), document.has_due_paths(self.now_ms), "{key}");
        let Some(made) = made else { return document };
        assert!(made.version() > self.highest_version, "a removal is a change");
        self.highest_version = made.version();
        *self.counts.entry(Kind::LapsePart).or_insert(0) += 1;
        self.space.get_mut(key).expect("it was there just now").document = made.clone();
        made
    }

    fn remove(&mut self, key: &str) {
        if let Some(entry) = self.space.remove(key) {
            self.store.forget(DB, key.as_bytes(), &entry.document);
        }
    }

    /// Writes as the module does; the code of the refusal, if any.
    fn write(
        &mut self,
        key: &str,
        edited: &Edited,
        expires_ms: Option<i64>,
        whole: bool,
    ) -> Result<(), Code> {
        let mut parsed = Parsed::default();
        edited.parse(&mut parsed, &self.limits).map_err(|error| error.code)?;
        for _ in 0..=KEYS {
            let old = self.open(key);
            self.store.lapse_key(DB, key.as_bytes(), self.now_ms);
            let (at, now_ms) = (key.as_bytes(), self.now_ms);
            let prepared = match &old {
                Some(old) if !whole => {
                    self.store.prepare_update(DB, at, old, &parsed, now_ms, expires_ms)
                }
                _ => self.store.prepare(DB, at, old.as_ref(), &parsed, now_ms, expires_ms),
            };
            match prepared.map_err(|error| error.code)? {
                Prepared::Held { keys } => {
                    for key in keys {
                        let held = String::from_utf8(key).expect("the keys of this test are text");
                        assert!(self.open(&held).is_none(), "{held} is due for the store alone");
                    }
                }
                Prepared::Unchanged { version } => {
                    let document = old.expect("only what is there can be the same");
                    assert_eq!(version, document.version());
                    self.store.set_expiry(&document, expires_ms);
                    self.space.insert(key.to_owned(), Entry { document, expires_ms });
                    return Ok(());
                }
                Prepared::Ready(delta) => {
                    let document = self.store.commit(delta);
                    assert!(document.version() > self.highest_version, "versions only grow");
                    self.highest_version = document.version();
                    self.space.insert(key.to_owned(), Entry { document, expires_ms });
                    return Ok(());
                }
            }
        }
        panic!("a due holder was named again and again")
    }

    fn set(&mut self) -> Kind {
        let (key, expires_ms) = (self.key(), self.expiry());
        let mut json = generate::document(&mut self.random, &self.schema);
        if self.random.chance(5)
            && let Json::Object(members) = &mut json
            && let Some((_, value)) = members.first_mut()
        {
            *value = Json::Bool(true);
        }
        let old = self.open(&key);
        if !self.is_met(&key, old.as_ref()) {
            return Kind::Unmet;
        }
        let expected = self.model.set(&key, json.clone(), expires_ms, self.now_ms);
        let edited = Edited { text: json.print().into_bytes(), ..Edited::default() };
        let done = self.write(&key, &edited, expires_ms, true);
        self.compare(done, expected.map(|_| ()), Kind::Set, &json.print())
    }

    fn compare(
        &self,
        done: Result<(), Code>,
        expected: Result<(), Refusal>,
        kind: Kind,
        what: &str,
    ) -> Kind {
        match (done, expected) {
            (Ok(()), Ok(())) => kind,
            (Err(Code::Schema), Err(Refusal::Schema(_)))
            | (Err(Code::Unique), Err(Refusal::Unique(_)))
            | (Err(Code::Path), Err(Refusal::Path(_) | Refusal::NotANumber(_)))
            | (Err(Code::Overflow), Err(Refusal::Overflow(_)))
            | (Err(Code::Test), Err(Refusal::Test(_))) => Kind::Refused,
            (done, expected) => {
                panic!("{what}: {done:?} where the model says {expected:?}, {:?}", self.schema)
            }
        }
    }

    fn delete(&mut self) -> Kind {
        let key = self.key();
        let there = self.open(&key).is_some();
        self.remove(&key);
        assert_eq!(self.model.delete(&key, self.now_ms), there);
        Kind::Delete
    }

    fn expire(&mut self) -> Kind {
        let (key, expires_ms) = (self.key(), self.expiry());
        let document = self.open(&key);
        assert_eq!(self.model.expire(&key, expires_ms, self.now_ms), document.is_some());
        if let Some(document) = document {
            self.store.set_expiry(&document, expires_ms);
            self.space.get_mut(&key).expect("it was there just now").expires_ms = expires_ms;
        }
        Kind::Expire
    }

    /// Time goes on; now and then the server's own expiry removes something.
    fn lapse(&mut self) -> Kind {
        self.now_ms += self.random.below(60) as i64;
        self.model.lapse_parts(self.now_ms);
        if self.random.chance(30) {
            let key = self.key();
            self.open(&key);
        }
        if self.random.chance(30) {
            self.tick();
        }
        Kind::Lapse
    }

    /// The timer of a primary: some documents lose what is due. Gives whether there were any.
    fn tick(&mut self) -> bool {
        let most = 1 + self.random.below(3);
        let due = self.store.lapsing(self.now_ms, most);
        for (_, key) in &due {
            let key = std::str::from_utf8(key).expect("the keys of this test are text");
            self.open(key);
        }
        !due.is_empty()
    }

    /// The order of events is that of Redis: the target goes, the value comes in anew, the source goes.
    fn rename(&mut self) -> Kind {
        let (source, target) = (self.key(), self.key());
        let Some(document) = self.open(&source) else { return Kind::Rename };
        self.open(&target);
        if source == target {
            return Kind::Rename;
        }
        self.remove(&target);
        let entry = self.space.remove(&source).expect("it was opened just now");
        if !self.forget_renames {
            if self.random.chance(30) {
                // Valkey 9 takes the source away first.
                self.store.forget(DB, source.as_bytes(), &document);
            }
            self.store.adopt(DB, target.as_bytes(), &document, entry.expires_ms);
            self.store.forget(DB, source.as_bytes(), &document);
        }
        self.highest_version = self.highest_version.max(document.version());
        self.space.insert(target.clone(), entry);
        self.model.delete(&target, self.now_ms);
        self.model.rename(&source, &target);
        Kind::Rename
    }

    fn copy(&mut self) -> Kind {
        let (source, target) = (self.key(), self.key());
        let unique = self.schema.is_unique();
        let Some(document) = self.open(&source) else { return Kind::Copy };
        self.open(&target);
        if unique || self.space.contains_key(&target) {
            return Kind::Copy;
        }
        let expires_ms = self.space[&source].expires_ms;
        let document = document.copy();
        self.store.adopt(DB, target.as_bytes(), &document, expires_ms);
        self.highest_version = self.highest_version.max(document.version());
        self.space.insert(target.clone(), Entry { document, expires_ms });
        self.model.delete(&target, self.now_ms);
        self.model.copy(&source, &target);
        Kind::Copy
    }

    /// Definitions and counters are saved, and all documents come back in the order of their keys.
    fn reload(&mut self) -> Kind {
        let state = self.store.save_state();
        self.store.clear();
        self.store.begin_load();
        for (db, json) in &state {
            self.store.load_state(*db, json.as_bytes()).expect("what was saved loads");
        }
        for (key, entry) in &mut self.space {
            let old = &entry.document;
            let mut parsed = Parsed::default();
            parsed.parse(old.text(), &self.limits).expect("a stored text is in order");
            parsed.set_timed(old.timed());
            let document = Document::new(&parsed, folio_engine::doc::Stamp::default());
            document.place(0, 0, old.seq(), old.version());
            self.store.adopt(DB, key.as_bytes(), &document, entry.expires_ms);
            entry.document = document;
        }
        self.store.end_load();
        assert_eq!(self.store.save_state(), state);
        Kind::Reload
    }

    fn flush(&mut self) -> Kind {
        self.store.flush(Some(DB));
        self.space.clear();
        self.model.documents.clear();
        Kind::Flush
    }

    /// The declaration goes and comes back over the documents that are there.
    fn redeclare(&mut self) -> Kind {
        // What is due and still there is gone before.
        while self.tick() {}
        self.store.lapse(DB, NAME, self.now_ms);
        self.store.drop_collection(DB, NAME).expect("it was declared");
        let created = self.store.create(DB, definition(&self.schema));
        assert_eq!(created, Ok(Created::New), "documents kept to their declaration before");
        Kind::Redeclare
    }

    /// Recomputes every index, and compares every document with the model's.
    pub fn verify(&mut self) {
        self.store.lapse(DB, NAME, self.now_ms);
        let collection = self.store.collection(DB, NAME).expect("a declared collection stays");
        assert_eq!(collection.verify(), Vec::<String>::new());
        let live: Vec<_> =
            self.model.documents.iter().filter(|held| held.is_live(self.now_ms)).collect();
        assert_eq!(collection.len(), live.len() as u64);
        for held in live {
            let entry = &self.space[&held.key];
            let seen = entry.document.seen_at(self.now_ms);
            assert_eq!(text_of(&seen).print(), held.json.print(), "{}", held.key);
            assert_eq!(timed_of(&seen), held.timed, "{}", held.key);
        }
    }
}

fn text_of(document: &Document) -> Json {
    let text = std::str::from_utf8(document.text()).expect("a stored text is UTF-8");
    Json::parse(text).expect("a stored text is JSON")
}

/// The parts of a document that lapse by themselves.
fn timed_of(document: &Document) -> Timed {
    let part = |(at_ms, path): (i64, &str)| {
        let path = Path::parse(path, 32).expect("a stored path is one");
        let name = |step: &Step| match step {
            Step::Name(name) => name.to_string(),
            step => panic!("{step:?} is no name"),
        };
        (path.steps().iter().map(name).collect::<Vec<_>>().join("."), at_ms)
    };
    Timed(each_timed(document.timed()).map(part).collect())
}

/// The schema as the engine declares it.
pub fn definition(schema: &NaiveSchema) -> Definition {
    let mut definition = Definition::new(NAME);
    for field in &schema.fields {
        let path = Path::parse(&field.path.text(), 32).expect("the model's paths are paths");
        let ty: FieldType = field.kind.text().parse().expect("the model's types are types");
        let mut declared = Field::new(path, ty);
        if field.kind.is_nocase() {
            declared.fold_case().expect("only strings are declared NOCASE");
        }
        declared.required = field.required;
        declared.nullable = field.nullable;
        declared.unique = field.unique;
        declared.index = field.index.map(kind);
        declared.constraints = constraints(field);
        definition.fields.push(declared);
    }
    definition.indexes = schema.indexes.iter().map(named).collect();
    definition
}

/// The constraints of a field, by way of the JSON that declares it.
fn constraints(field: &NaiveField) -> Option<Box<Constraints>> {
    let text = |text: &str| Json::String(text.to_owned());
    let mut members = vec![
        ("path".to_owned(), text(&field.path.text())),
        ("type".to_owned(), text(&field.kind.text())),
        ("nocase".to_owned(), Json::Bool(field.kind.is_nocase())),
    ];
    members.extend(field.rules.members());
    let fields = Json::Array(vec![Json::Object(members)]);
    let whole = [("collection".to_owned(), text(NAME)), ("fields".to_owned(), fields)];
    let json = Json::Object(whole.into()).print();
    let declared = Definition::from_json(json.as_bytes(), &Limits::default());
    let declared = declared.unwrap_or_else(|error| panic!("{error}: {json}"));
    declared.fields.into_iter().next().and_then(|field| field.constraints)
}

fn kind(index: NaiveIndex) -> IndexKind {
    match index {
        NaiveIndex::Set => IndexKind::Set,
        NaiveIndex::Sorted => IndexKind::Sorted,
        NaiveIndex::Substring => IndexKind::Substring,
    }
}

fn named(index: &NaiveNamed) -> NamedIndex {
    let on = index.on.iter().map(|by| On {
        path: Path::parse(&by.path.text(), 32).expect("the model's paths are paths"),
        order: if by.descending { Order::Desc } else { Order::Asc },
    });
    let mut declared = NamedIndex::new(&index.name, on.collect());
    declared.kind = kind(index.kind);
    declared.unique = index.unique;
    if index.nulls_not_distinct {
        declared.nulls = Nulls::NotDistinct;
    }
    declared.filter = index.filter.as_ref().map(|filter| filter.to_text().into());
    declared
}
