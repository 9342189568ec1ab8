//! Schema versions: what a declaration says of them, DOC.MIGRATE, and what a document is in the version in force.

use folio_tests::generate::Random;
use folio_tests::naive::{
    self, Ground, Json, Kind, NaiveField, NaiveFunction, NaiveIndex, NaiveSchema, timed,
};

use crate::expect::Expect;
use crate::step::{Plan, plan};
use crate::update::{Made, fill};
use crate::world::{Doc, Space, World};

/// Keeps what is drawn of migrations apart from the rest of a declaration.
const SALT: u64 = 0x3106_3106;
/// The greatest version.
const VERSION_MAX: usize = 2;
/// The member that the functions count in, and the one to which they take it.
pub const MARK: &str = "mark";
const MOVED: &str = "moved";

/// A step between two versions.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Step {
    up: NaiveFunction,
    down: Option<NaiveFunction>,
}

/// What a collection declares of schema versions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Migrations {
    /// The version in force.
    pub version: u16,
    /// Documents wait for writes.
    pub is_lazy: bool,
    /// The first leads to version 1.
    steps: Vec<Step>,
}

impl Migrations {
    /// What a collection declares that is made from a seed.
    pub fn of(seed: u64) -> Self {
        let mut random = Random::new(seed ^ SALT);
        let (has_steps, has_version) = (random.chance(60), random.chance(30));
        let version = random.below(VERSION_MAX + 1) as u16;
        let down = random.chance(85).then_some(NaiveFunction::Down2);
        let first = Step { up: NaiveFunction::Up1, down: Some(NaiveFunction::Down1) };
        let second = Step { up: NaiveFunction::Up2, down };
        let steps = if has_steps { vec![first, second] } else { Vec::new() };
        let version = if has_steps || has_version { version } else { 0 };
        Self { version, is_lazy: false, steps }
    }

    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// The words of the declaration.
    pub fn words(&self) -> Vec<String> {
        let version = ["SCHEMA".to_owned(), self.version.to_string()];
        let mut words: Vec<String> = version.into_iter().filter(|_| self.version != 0).collect();
        for (at, step) in self.steps.iter().enumerate() {
            words.extend(["MIGRATION".to_owned(), (at + 1).to_string()]);
            words.extend(["UP", step.up.name()].map(str::to_owned));
            let down = step.down.map(|down| ["DOWN", down.name()]);
            words.extend(down.into_iter().flatten().map(str::to_owned));
        }
        words
    }

    /// Declares the members that the functions change.
    pub fn declare(&self, seed: u64, schema: &mut NaiveSchema) {
        let mut random = Random::new(seed ^ !SALT);
        for name in [MARK, MOVED].into_iter().filter(|_| !self.steps.is_empty()) {
            let mut field = NaiveField::new(name, Kind::Int);
            field.index = random.pick(&[None, Some(NaiveIndex::Set), Some(NaiveIndex::Sorted)]);
            schema.fields.push(field);
        }
    }

    /// Whether a document of this version is to be migrated.
    pub fn is_ahead(&self, of: u16) -> bool {
        !self.steps.is_empty() && of != self.version
    }

    /// Whether documents are migrated without being written.
    pub fn goes_on(&self) -> bool {
        !self.is_lazy && !self.steps.is_empty()
    }

    /// Whether a declaration says the same. One that says no version takes any.
    pub fn is_declared_as(&self, said: &Self) -> bool {
        let is_any = said.version == 0 && self.steps == said.steps;
        is_any || self == said
    }

    /// Whether documents of a version can be brought to the one in force, if they have to be.
    pub fn reaches(&self, from: u16) -> bool {
        self.steps.is_empty() || self.way(from, self.version).is_ok()
    }

    /// The functions that lead from one version to another.
    fn way(&self, from: u16, to: u16) -> Result<Vec<NaiveFunction>, &'static str> {
        let steps = |least: u16, most: u16| {
            let all = self.steps.get(least.into()..most.into());
            all.map(<[Step]>::to_vec).ok_or("SCHEMA")
        };
        if from == to {
            return Ok(Vec::new());
        }
        if from < to {
            return Ok(steps(from, to)?.iter().map(|step| step.up).collect());
        }
        let back = steps(to, from)?;
        back.iter().rev().map(|step| step.down.ok_or("SCHEMA")).collect()
    }

    /// A document in the version in force, before anything else is done to it, or the code with which that is refused.
    pub fn bring(&self, doc: &Doc, schema: &NaiveSchema) -> Result<Doc, &'static str> {
        let mut doc = doc.clone();
        if !self.is_ahead(doc.schema) {
            return Ok(doc);
        }
        for function in self.way(doc.schema, self.version)? {
            let given = function.of(&doc.json).map_err(|_| "FUNCTION")?;
            let changes: Vec<_> = given.map(naive::Change::Merge).into_iter().collect();
            let ground = Ground { schema, now_ms: 0 };
            timed::apply_all(&mut doc.json, &mut doc.timed, &changes, ground)
                .map_err(|_| "PATH")?;
        }
        doc.schema = self.version;
        Ok(doc)
    }
}

/// What a settled server makes of a document: the document, or the code with which it is refused.
pub type Settled = Result<Doc, &'static str>;

impl Space {
    /// What a collection says of schema versions; an open one nothing.
    pub fn migrations(&self, name: &str) -> Migrations {
        self.declared.get(name).map(|declared| declared.migrations.clone()).unwrap_or_default()
    }

    /// The documents of a collection that are to be migrated.
    pub fn ahead(&self, name: &str) -> Vec<(&String, &Doc)> {
        let migrations = self.migrations(name);
        let members = self.members(name).into_iter();
        members.filter(|(_, doc)| migrations.is_ahead(doc.schema)).collect()
    }
}

impl World {
    /// DOC.MIGRATE, of which the answer is that of a transaction or a script: documents are ahead of it.
    pub fn migrate(&mut self, name: &str, to: u16, is_lazy: bool) -> Option<Plan> {
        let mut words = vec!["DOC.MIGRATE".to_owned(), name.to_owned(), "TO".to_owned()];
        words.push(to.to_string());
        words.extend(is_lazy.then(|| "LAZY".to_owned()));
        let Some(declared) = self.space_mut().declared.get_mut(name) else {
            return plan(&words, Expect::Error("NOCOLLECTION"));
        };
        if let Err(code) = declared.migrations.way(declared.migrations.version, to) {
            return plan(&words, Expect::Error(code));
        }
        (declared.migrations.version, declared.migrations.is_lazy) = (to, is_lazy);
        plan(&words, Expect::Ok)
    }

    /// The collections of which the server migrates documents by itself, with their databases.
    pub fn migrating(&self) -> Vec<(usize, String)> {
        let spaces = self.spaces.iter().enumerate();
        let names = spaces.flat_map(|(db, space)| {
            let all = space.declared.iter().filter(|(_, declared)| declared.migrations.goes_on());
            all.map(move |(name, _)| (db, name.clone()))
        });
        names.collect()
    }

    /// What becomes of the documents of a collection that are to be migrated, each by itself; none where that is not known.
    pub fn settled(&self, db: usize, name: &str) -> Option<Vec<(String, Settled)>> {
        let mut world = self.clone();
        world.db = db;
        let settle =
            |(key, doc): (&String, &Doc)| Some((key.clone(), world.settled_doc(name, key, doc)?));
        world.space().ahead(name).into_iter().map(settle).collect()
    }

    fn settled_doc(&self, name: &str, key: &str, doc: &Doc) -> Option<Settled> {
        let (schema, migrations) = (self.space().schema(name), self.space().migrations(name));
        // What is put in place of a part may be what it was, or not.
        if !doc.exact && !doc.timed.is_empty() {
            return None;
        }
        let mut brought = match migrations.bring(doc, &schema) {
            Ok(brought) => brought,
            Err(code) => return Some(Err(code)),
        };
        fill(&schema, Some(&doc.json), &mut brought.json, false)?;
        let Doc { json, exact, timed, schema, .. } = brought.clone();
        let made = Made { json, exact, timed, schema, is_same: Some(false) };
        let code = self.refusal(key, name, Some(doc), &made)?;
        Some(code.map_or(Ok(brought), Err))
    }

    /// A document has been migrated.
    pub fn settle(&mut self, db: usize, key: &str, mut doc: Doc) {
        doc.stamp = self.number();
        self.tell_of(db, "update", key, &doc, Some("migrate"));
        if let Some(entry) = self.spaces[db].entries.get_mut(key) {
            entry.held = crate::world::Held::Doc(doc);
        }
    }
}

/// Puts the member that migrations change into a document.
pub fn mark(random: &mut Random, schema: &NaiveSchema, json: &mut Json) {
    let is_declared = schema.fields.iter().any(|field| field.path.text() == MARK);
    if let Json::Object(members) = json
        && is_declared
        && random.chance(70)
    {
        members.push((MARK.to_owned(), value(random)));
    }
}

/// A value of that member; of one its functions fail.
pub fn value(random: &mut Random) -> Json {
    let number = match random.below(20) {
        0 => "9007199254740993",
        _ => random.pick(&["0", "1", "2.0", "-3", "1e1", "7", "999", "-0"]),
    };
    Json::Number(number.to_owned())
}
