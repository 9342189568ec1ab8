//! Operations that change nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use folio_tests::generate::{self, Random};
use folio_tests::naive::{Filter, Json, NaiveSchema, Path};

use crate::expect::{Expect, Migration};
use crate::migrate::{self, Migrations};
use crate::op::Op;
use crate::step::{Plan, naive_collection, plan};
use crate::wire::command;
use crate::world::{Doc, Entry, Held, World};

impl World {
    /// The plan of an operation that only reads; none for any other.
    pub fn read(&mut self, op: &Op) -> Option<Plan> {
        match op {
            Op::Get { key, path } => {
                let mut words = vec!["DOC.GET", key];
                words.extend(path.as_deref());
                plan(&words, self.got(key, path.as_deref()))
            }
            Op::GetDeleted { key } => {
                plan(&["DOC.GET", key, "WITHDELETED"], self.undeleted(key).got(key, None))
            }
            Op::MetaDeleted { key } => {
                plan(&["DOC.META", key, "WITHDELETED"], self.undeleted(key).meta(key))
            }
            Op::KeysDeleted { name, seed } => self.keys_deleted(name, *seed),
            Op::Mget { keys, path } => self.mget(keys, path.as_deref()),
            Op::Meta { key } => plan(&["DOC.META", key], self.meta(key)),
            Op::List { pattern } => self.list(pattern.as_deref()),
            Op::Schema { name } => self.about(name, &["DOC.SCHEMA", name], |world| {
                let declared = world.space().declared.get(name);
                let open = || (format!("{name}:"), 0);
                let (prefix, fields) =
                    declared.map_or_else(open, |d| (d.prefix.clone(), d.schema.fields.len()));
                let migrations = world.space().migrations(name);
                Expect::Schema { prefix, fields, migrations }
            }),
            Op::Find { name, seed } => self.find(name, *seed),
            Op::Count { name, seed } => {
                self.counted(name, "DOC.COUNT", *seed, |count| Expect::Int(count as i64))
            }
            Op::Exists { name, seed } => {
                self.counted(name, "DOC.EXISTS", *seed, |count| Expect::Int(i64::from(count > 0)))
            }
            Op::Keys { name, seed } => self.keys(name, *seed),
            Op::Pages { name, seed } => self.pages(name, *seed),
            Op::Distinct { name, seed } => self.distinct(name, *seed),
            Op::Aggregate { name, seed } => self.aggregate(name, *seed),
            Op::Explain { name, seed } => {
                let mut words = vec!["DOC.EXPLAIN".to_owned(), name.clone(), "FIND".to_owned()];
                words.extend(self.asked(name, &mut Random::new(*seed)).words);
                self.about(name, &words, |_| Expect::Fine)
            }
            Op::Verify { name } => {
                self.about(name, &["DOC.VERIFY", name], |_| Expect::Array(Vec::new()))
            }
            Op::Digest { name } => {
                self.about(name, &["DOC.VERIFY", name, "DIGEST"], |world| world.digest(name))
            }
            Op::Inspect { key } => Some(self.inspect(key)),
            Op::Info { name } => self.about(name, &["DOC.INFO", name], |world| world.info(name)),
            Op::Scan => {
                let all = self.space().docs().chain(self.space().deleted());
                let keys: BTreeSet<String> = all.map(|(key, ..)| key.clone()).collect();
                plan(&["SCAN", "0", "COUNT", "100000", "TYPE", "folio-doc"], Expect::Scanned(keys))
            }
            _ => None,
        }
    }

    fn info(&self, name: &str) -> Expect {
        let space = self.space();
        let is_here = |key: &String| space.place(key).as_deref() == Some(name);
        let all = space.docs().chain(space.deleted());
        let timed = all.filter(|(key, _, ttl)| ttl.is_some() && is_here(key)).count();
        let leftovers = space.leftovers.iter().filter(|key| is_here(key)).count();
        Expect::Info {
            documents: space.members(name).len(),
            deleted: space.deleted_members(name).len(),
            is_declared: space.declared.contains_key(name),
            invalid: naive_collection(self, name).count(Some(&Filter::Valid(false)), 0),
            with_ttl: (timed, timed + leftovers),
            migration: self.migration(name, leftovers > 0),
        }
    }

    /// What DOC.INFO tells of schema versions: nothing where there have been none.
    fn migration(&self, name: &str, is_vague: bool) -> Option<Migration> {
        let (space, migrations) = (self.space(), self.space().migrations(name));
        let mut versions = BTreeMap::new();
        for (_, doc) in space.members(name).into_iter().chain(space.deleted_members(name)) {
            *versions.entry(doc.schema.into()).or_default() += 1;
        }
        let has_none = migrations == Migrations::default() && versions.keys().all(|it| *it == 0);
        let Migrations { version, is_lazy, .. } = migrations;
        let ahead = space.ahead(name).len() as u64;
        (!has_none || is_vague).then_some(Migration { version, is_lazy, ahead, versions, is_vague })
    }

    /// What the digests of a collection hang on.
    fn digest(&self, name: &str) -> Expect {
        let space = self.space();
        let (mut documents, mut values) = (DefaultHasher::new(), DefaultHasher::new());
        let mut members = space.members(name);
        let deleted = space.deleted_members(name);
        members.extend(&deleted);
        members.sort_by_key(|(key, _)| *key);
        for (key, doc) in members {
            let is_deleted = deleted.iter().any(|(deleted, _)| *deleted == key);
            (key, doc.stamp, doc.birth, is_deleted, doc.hides).hash(&mut documents);
            (key, doc.json.print(), is_deleted).hash(&mut values);
        }
        let NaiveSchema { fields, indexes, .. } = space.schema(name);
        let all = NaiveSchema { fields: fields.clone(), ..NaiveSchema::default() };
        let own = fields.into_iter().filter(|field| field.index.is_some() || field.unique);
        let of_fields =
            own.map(|field| NaiveSchema { fields: vec![field], ..NaiveSchema::default() });
        // Those that stand by themselves hang on the types of all fields.
        let named = indexes.into_iter().map(|it| NaiveSchema { indexes: vec![it], ..all.clone() });
        let index = |alone: NaiveSchema| {
            let mut values = values.clone();
            alone.create_arguments("").hash(&mut values);
            values.finish()
        };
        let indexes = of_fields.chain(named).map(index).collect();
        Expect::Digest { documents: documents.finish(), indexes }
    }

    /// The server's own questions about a key.
    fn inspect(&self, key: &str) -> Plan {
        let entry = self.space().entries.get(key);
        let kind = entry.map_or("none", |entry| match entry.held {
            Held::Doc(_) | Held::Deleted(_) => "folio-doc",
            Held::Text => "string",
            Held::Set => "set",
            Held::List => "list",
        });
        let lapses = match entry.map(|entry| entry.ttl) {
            None => Expect::Int(-2),
            Some(None) => Expect::Int(-1),
            Some(Some(level)) => Expect::Within(self.instants(level)),
        };
        let about = || if entry.is_some() { Expect::Filled } else { Expect::Nil };
        vec![
            (command(&["TYPE", key]), Expect::Text(kind)),
            (command(&["PEXPIRETIME", key]), lapses),
            (command(&["OBJECT", "ENCODING", key]), about()),
            (command(&["OBJECT", "REFCOUNT", key]), about()),
            (command(&["OBJECT", "IDLETIME", key]), about()),
            (command(&["MEMORY", "USAGE", key]), about()),
            (command(&["DUMP", key]), about()),
            (command(&["TOUCH", key]), Expect::Int(entry.is_some().into())),
            (command(&["EXISTS", key]), Expect::Int(entry.is_some().into())),
        ]
    }

    /// The world in which what is deleted under a key is not.
    fn undeleted(&self, key: &str) -> World {
        let mut world = self.clone();
        if let Some(entry) = world.space_mut().entries.get_mut(key)
            && let Held::Deleted(doc) = &entry.held
        {
            entry.held = Held::Doc(doc.clone());
        }
        world
    }

    fn got(&self, key: &str, path: Option<&str>) -> Expect {
        match self.space().entries.get(key) {
            None | Some(Entry { held: Held::Deleted(_), .. }) => Expect::Nil,
            Some(Entry { held: Held::Doc(Doc { json, exact, .. }), .. }) => match path {
                None => Expect::Json(json.clone(), *exact),
                Some(path) => match &self.values_at(key, path, json)[..] {
                    [] => Expect::Nil,
                    [value] => Expect::Json(value.clone(), false),
                    _ => Expect::Fine,
                },
            },
            Some(_) => Expect::Error("WRONGTYPE"),
        }
    }

    /// The values to which a path leads in the document of a key.
    fn values_at(&self, key: &str, path: &str, json: &Json) -> Vec<Json> {
        let name = self.space().place(key).unwrap_or_default();
        self.space().schema(&name).values(&Path::plain(path), json)
    }

    fn mget(&self, keys: &[String], path: Option<&str>) -> Option<Plan> {
        let mut words = vec!["DOC.MGET"];
        words.extend(keys.iter().map(String::as_str));
        words.extend(path.map(|path| ["PATHS", "1", path]).into_iter().flatten());
        let all: Vec<Expect> = keys.iter().map(|key| self.got(key, path)).collect();
        let is_error = all.iter().any(|expect| matches!(expect, Expect::Error(_)));
        plan(&words, if is_error { Expect::Error("WRONGTYPE") } else { Expect::Array(all) })
    }

    fn meta(&self, key: &str) -> Expect {
        match self.space().entries.get(key) {
            None | Some(Entry { held: Held::Deleted(_), .. }) => Expect::Nil,
            Some(Entry { held: Held::Doc(doc), ttl }) => Expect::Meta {
                slot: self.space().slot(key),
                stamp: doc.stamp,
                expires: ttl.map(|level| self.instants(level)),
                parts: self.part_times(doc),
                schema: doc.schema,
            },
            Some(_) => Expect::Error("WRONGTYPE"),
        }
    }

    /// The parts of a document that lapse, and between which instants.
    fn part_times(&self, doc: &Doc) -> Vec<(String, (i64, i64))> {
        let part =
            |(path, after_ms): (&String, &i64)| (path.clone(), self.part_instants(*after_ms));
        doc.timed.0.iter().map(part).collect()
    }

    fn list(&self, pattern: Option<&str>) -> Option<Plan> {
        let (mut must, mut may) = self.space().names();
        let mut words = vec!["DOC.LIST"];
        if let Some(pattern) = pattern {
            words.push(pattern);
            let fits = |name: &String| name.starts_with(pattern.trim_end_matches('*'));
            must.retain(fits);
            may.retain(fits);
        }
        plan(&words, Expect::Names(must, may))
    }

    /// A command about a collection: it is there, or is not, or has documents that may all have been removed.
    pub fn about<W: AsRef<[u8]>>(
        &self,
        name: &str,
        words: &[W],
        there: impl FnOnce(&World) -> Expect,
    ) -> Option<Plan> {
        let (must, may) = self.space().names();
        let absent = Expect::Error("NOCOLLECTION");
        let expect = match (must.contains(name), may.contains(name)) {
            (true, _) => there(self),
            (false, true) => Expect::Either(vec![absent, there(self)]),
            (false, false) => absent,
        };
        plan(words, expect)
    }
}

/// The text of a document that breaks nothing, or something, or is no JSON at all.
pub fn text(random: &mut Random, world: &World, key: &str) -> String {
    let name = world.space().place(key).unwrap_or_default();
    if random.chance(1) {
        return "{\"n\":".to_owned();
    }
    if let Some(doc) = world.space().doc(key).filter(|doc| doc.exact && random.chance(5))
        && doc.json.member("times").is_none()
    {
        return doc.json.print();
    }
    let schema = world.space().schema(&name);
    let mut json = generate::document(random, &schema);
    if random.chance(4)
        && let Json::Object(members) = &mut json
        && let Some((_, value)) = members.first_mut()
    {
        *value = Json::Bool(true);
    }
    migrate::mark(random, &schema, &mut json);
    json.print()
}
