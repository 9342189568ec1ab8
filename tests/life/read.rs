//! Operations that change nothing.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use folio_tests::generate::{self, Random};
use folio_tests::naive::{Filter, Json, Kind, NaiveSchema, Path};

use crate::expect::{Expect, Row, Rows};
use crate::op::Op;
use crate::step::{Plan, naive_collection, plan};
use crate::wire::command;
use crate::world::{Doc, Entry, Held, World};

/// Documents of which one query may tell.
const LIMIT_MAX: usize = 8;

/// A filter as words, and as the model reads it.
struct Asked {
    words: Vec<String>,
    filter: Option<Filter>,
}

impl World {
    /// The plan of an operation that only reads; none for any other.
    pub fn read(&mut self, op: &Op) -> Option<Plan> {
        match op {
            Op::Get { key, path } => {
                let mut words = vec!["DOC.GET", key];
                words.extend(path.as_deref());
                plan(&words, self.got(key, path.as_deref()))
            }
            Op::Mget { keys, path } => self.mget(keys, path.as_deref()),
            Op::Meta { key } => plan(&["DOC.META", key], self.meta(key)),
            Op::List { pattern } => self.list(pattern.as_deref()),
            Op::Schema { name } => self.about(name, &["DOC.SCHEMA", name], |world| {
                let declared = world.space().declared.get(name);
                let open = || (format!("{name}:"), 0);
                let (prefix, fields) =
                    declared.map_or_else(open, |d| (d.prefix.clone(), d.schema.fields.len()));
                Expect::Schema { prefix, fields }
            }),
            Op::Find { name, seed } => self.find(name, *seed),
            Op::Count { name, seed } => {
                self.counted(name, "DOC.COUNT", *seed, |count| Expect::Int(count as i64))
            }
            Op::Exists { name, seed } => {
                self.counted(name, "DOC.EXISTS", *seed, |count| Expect::Int(i64::from(count > 0)))
            }
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
                let keys: BTreeSet<String> =
                    self.space().docs().map(|(key, ..)| key.clone()).collect();
                plan(&["SCAN", "0", "COUNT", "100000", "TYPE", "folio-doc"], Expect::Scanned(keys))
            }
            _ => None,
        }
    }

    fn info(&self, name: &str) -> Expect {
        let space = self.space();
        let is_here = |key: &String| space.place(key).as_deref() == Some(name);
        let timed = space.docs().filter(|(key, _, ttl)| ttl.is_some() && is_here(key)).count();
        let leftovers = space.leftovers.iter().filter(|key| is_here(key)).count();
        Expect::Info {
            documents: space.members(name).len(),
            is_declared: space.declared.contains_key(name),
            invalid: naive_collection(self, name).count(Some(&Filter::Valid(false)), 0),
            with_ttl: (timed, timed + leftovers),
        }
    }

    /// What the digests of a collection hang on.
    fn digest(&self, name: &str) -> Expect {
        let space = self.space();
        let (mut documents, mut values) = (DefaultHasher::new(), DefaultHasher::new());
        let mut members = space.members(name);
        members.sort_by_key(|(key, _)| *key);
        for (key, doc) in members {
            (key, doc.stamp, doc.birth).hash(&mut documents);
            (key, doc.json.print()).hash(&mut values);
        }
        let fields = space.schema(name).fields;
        let indexed = fields.into_iter().filter(|field| field.index.is_some() || field.unique);
        let index = |field| {
            let mut values = values.clone();
            let alone = NaiveSchema { fields: vec![field], strict: false };
            alone.create_arguments("").hash(&mut values);
            values.finish()
        };
        Expect::Digest { documents: documents.finish(), indexes: indexed.map(index).collect() }
    }

    /// The server's own questions about a key.
    fn inspect(&self, key: &str) -> Plan {
        let entry = self.space().entries.get(key);
        let kind = entry.map_or("none", |entry| match entry.held {
            Held::Doc(_) => "folio-doc",
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

    fn got(&self, key: &str, path: Option<&str>) -> Expect {
        match self.space().entries.get(key) {
            None => Expect::Nil,
            Some(Entry { held: Held::Doc(Doc { json, exact, .. }), .. }) => match path {
                None => Expect::Json(json.clone(), *exact),
                Some(path) => match Path::plain(path).values(json)[..] {
                    [] => Expect::Nil,
                    [value] => Expect::Json(value.clone(), false),
                    _ => Expect::Fine,
                },
            },
            Some(_) => Expect::Error("WRONGTYPE"),
        }
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
            None => Expect::Nil,
            Some(Entry { held: Held::Doc(doc), ttl }) => Expect::Meta {
                slot: self.space().slot(key),
                stamp: doc.stamp,
                expires: ttl.map(|level| self.instants(level)),
            },
            Some(_) => Expect::Error("WRONGTYPE"),
        }
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
    fn about<W: AsRef<[u8]>>(
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

    /// The words from WHERE on; seed 0 asks for everything.
    fn asked(&self, name: &str, random: &mut Random) -> Asked {
        if random.chance(10) {
            return Asked { words: Vec::new(), filter: None };
        }
        let schema = self.space().schema(name);
        let filter = generate::filter(random, &schema, 2);
        let text = filter.to_text_with_params(random);
        let mut words = vec!["WHERE".to_owned(), text.text];
        if !text.params.is_empty() {
            words.extend(["PARAMS".to_owned(), text.params.len().to_string()]);
            words.extend(text.params.into_iter().flat_map(|(name, json)| [name, json]));
        }
        Asked { words, filter: Some(filter) }
    }

    fn counted(
        &self,
        name: &str,
        verb: &str,
        seed: u64,
        expect: impl FnOnce(usize) -> Expect,
    ) -> Option<Plan> {
        let asked = self.asked(name, &mut Random::new(seed));
        let mut words = vec![verb.to_owned(), name.to_owned()];
        words.extend(asked.words);
        let count = naive_collection(self, name).count(asked.filter.as_ref(), 0);
        self.about(name, &words, |_| expect(count))
    }

    fn find(&self, name: &str, seed: u64) -> Option<Plan> {
        let random = &mut Random::new(seed);
        let mut words = vec!["DOC.FIND".to_owned(), name.to_owned()];
        let (mut order, mut limit, mut filter) = (Vec::new(), None, None);
        let (mut with_total, mut with_version, mut projected) = (true, true, false);
        // Seed 0 asks for everything.
        if seed != 0 {
            let asked = self.asked(name, random);
            words.extend(asked.words);
            filter = asked.filter;
            let schema = self.space().schema(name);
            order = generate::order(random, &schema);
            // ORDER compares an array as JSON, whatever its elements are declared.
            order.retain(|by| !matches!(schema.kind_of(&by.path), Some(Kind::Array(_))));
            limit = random.chance(50).then(|| (random.below(3), random.below(LIMIT_MAX)));
            (with_total, with_version) = (random.chance(50), random.chance(50));
            projected = random.chance(15);
        }
        if !order.is_empty() {
            words.extend(["ORDER".to_owned(), order.len().to_string()]);
            for by in &order {
                words.extend([by.path.text(), (if by.descending { "DESC" } else { "ASC" }).into()]);
            }
        }
        words.extend(limit.iter().flat_map(|(offset, count)| {
            ["LIMIT".to_owned(), offset.to_string(), count.to_string()]
        }));
        words.extend(with_total.then(|| "WITHTOTAL".to_owned()));
        words.extend(with_version.then(|| "WITHVERSION".to_owned()));
        words.extend(
            projected.then_some(["SELECT", "1", "n"]).into_iter().flatten().map(Into::into),
        );
        let collection = naive_collection(self, name);
        let row = |key: &str| {
            let Doc { json, exact, stamp, .. } = self.space().doc(key)?.clone();
            Some(Row { key: key.to_owned(), json, exact, stamp })
        };
        let found = collection.find(filter.as_ref(), &order, limit, 0);
        let rows = found.into_iter().filter_map(row).collect();
        let total = with_total.then(|| collection.count(filter.as_ref(), 0));
        let slot = (self.space().id, name.to_owned());
        let rows = Rows { slot, all: rows, total, with_version, projected };
        self.about(name, &words, |_| Expect::Rows(rows))
    }
}

/// The text of a document that breaks nothing, or something, or is no JSON at all.
pub fn text(random: &mut Random, world: &World, key: &str) -> String {
    let name = world.space().place(key).unwrap_or_default();
    if random.chance(1) {
        return "{\"n\":".to_owned();
    }
    if let Some(doc) = world.space().doc(key).filter(|doc| doc.exact && random.chance(5)) {
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
    json.print()
}
