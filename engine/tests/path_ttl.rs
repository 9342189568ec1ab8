//! Parts of documents that lapse by themselves: hidden from every answer and every index at their instant, whatever else
//! happens to the document; against a plain list, under random writes.

#![expect(clippy::unwrap_used, reason = "a test stops where its premise does not hold")]

use std::collections::BTreeMap;

use folio_engine::collection::Collection;
use folio_engine::doc::timed::{TimedPath, each_timed, write_timed};
use folio_engine::doc::{Document, Parsed, Stamp};
use folio_engine::exec::{self, Find};
use folio_engine::path::Path;
use folio_engine::query::{self, Params, Scope};
use folio_engine::schema::Definition;
use folio_engine::store::{Cause, ChangeOp, Prepared, Store};
use folio_engine::{Code, Limits};

const DEFINITION: &str = r#"{"collection":"t","fields":[
    {"path":"n","type":"int","index":"sorted"},
    {"path":"s","type":"string","index":"set","enum":["a","b","c"]},
    {"path":"u","type":"int","unique":true},
    {"path":"o.tags","type":"array<string>","index":"set"}],"indexes":[
    {"name":"pair","on":[{"path":"s"},{"path":"n","order":"desc"}]},
    {"name":"few","on":[{"path":"n"}],"where":"s = 'a'"}],"changes":{"what":"both"}}"#;
const PATHS: [&str; 5] = ["n", "s", "u", "o", "o.tags"];
const FILTERS: [&str; 8] = [
    "n > 3",
    "n IS MISSING",
    "s = 'a' AND n < 5",
    "u = 3",
    "o.tags HAS 'x'",
    "o IS MISSING",
    "NOT s = 'a'",
    "s IS MISSING OR n = 2",
];

fn definition(json: &str) -> Definition {
    Definition::from_json(json.as_bytes(), &Limits::default()).unwrap()
}

fn timed(parts: &[(&str, i64)]) -> Vec<u8> {
    let part = |(path, at_ms): &(&str, i64)| TimedPath {
        path: Path::parse(path, 9).unwrap(),
        at_ms: *at_ms,
    };
    write_timed(&parts.iter().map(part).collect::<Vec<_>>()).unwrap()
}

fn parsed(json: &str, parts: &[(&str, i64)]) -> Parsed {
    let mut parsed = Parsed::default();
    parsed.parse(json.as_bytes(), &Limits::default()).unwrap();
    parsed.set_timed(&timed(parts));
    parsed
}

/// The keys that a filter finds, in order.
fn found(collection: &Collection, text: &str) -> Vec<String> {
    let (params, limits) = (Params::default(), Limits::default());
    let scope = Scope {
        definition: collection.definition(),
        params: &params,
        now_ms: collection.now_ms(),
        limits: &limits,
        functions: None,
    };
    let filter = query::bind(&query::parse(text, &limits).unwrap(), &scope).unwrap();
    let find = Find { filter: Some(filter), scan: true, ..Find::default() };
    let found = exec::find(collection, &find, &limits).unwrap();
    let mut keys: Vec<String> = found.ids.iter().map(|id| key_of(collection, *id)).collect();
    keys.sort();
    keys
}

fn key_of(collection: &Collection, id: u32) -> String {
    let mut key = Vec::new();
    collection.key(id, &mut key);
    String::from_utf8(key).unwrap()
}

fn set(
    store: &mut Store,
    key: &str,
    old: Option<&Document>,
    parsed: &Parsed,
    now_ms: i64,
) -> Result<Document, Code> {
    store.lapse_key(0, key.as_bytes(), now_ms);
    match store.prepare(0, key.as_bytes(), old, parsed, now_ms, None).map_err(|error| error.code)? {
        Prepared::Ready(delta) => Ok(store.commit(delta)),
        Prepared::Unchanged { .. } => Ok(old.unwrap().clone()),
        Prepared::Held { keys } => panic!("{keys:?} hold nothing"),
    }
}

/// Numbers by chance (xorshift), the same for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: i64) -> i64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as i64
    }
}

/// A store, what the keyspace around it holds, and a clock.
struct World {
    store: Store,
    space: BTreeMap<String, Document>,
    now_ms: i64,
    random: Random,
    hidden: usize,
    told: usize,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut store = Store::new(seed);
        store.create(0, definition(DEFINITION)).unwrap();
        let random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        World { store, space: BTreeMap::new(), now_ms: 1_000, random, hidden: 0, told: 0 }
    }

    fn key(&mut self) -> String {
        format!("t:{}", self.random.below(12))
    }

    fn document(&mut self) -> Parsed {
        let mut members = Vec::new();
        let mut parts = Vec::new();
        let value = |name: &str, random: &mut Random| match name {
            "n" => format!("{}", random.below(8)),
            "u" => format!("{}", random.below(40)),
            "s" => format!("{:?}", ["a", "b", "c"][random.below(3) as usize]),
            _ => r#"{"tags":["x","y"],"z":1}"#.to_owned(),
        };
        for name in ["n", "s", "u", "o"] {
            if self.random.below(4) > 0 {
                members.push(format!("{name:?}:{}", value(name, &mut self.random)));
            }
        }
        let json = format!("{{{}}}", members.join(","));
        for path in PATHS {
            if json.contains(&format!("{:?}", &path[..1])) && self.random.below(3) == 0 {
                parts.push((path, self.now_ms + self.random.below(40)));
            }
        }
        parsed(&json, &parts)
    }

    fn step(&mut self) {
        self.now_ms += self.random.below(6);
        let key = self.key();
        match self.random.below(20) {
            0..8 => {
                let parsed = self.document();
                self.tell(&key);
                let old = self.space.get(&key).cloned();
                if let Ok(made) = set(&mut self.store, &key, old.as_ref(), &parsed, self.now_ms) {
                    self.space.insert(key, made);
                }
            }
            8..11 => self.tell(&key),
            11 => {
                if let Some(gone) = self.space.remove(&key) {
                    self.store.forget(0, key.as_bytes(), &gone);
                }
            }
            12..14 => self.rename(&key),
            14 => {
                let Some(document) = self.space.get(&key).map(Document::copy) else { return };
                let to = self.key();
                self.replace(&to, &document);
            }
            15 => self.now_ms -= self.random.below(50),
            16 => self.online(),
            17 => self.reload(),
            18 => self.apply(&key),
            _ => {
                self.store.lapse(0, "t", self.now_ms);
            }
        }
    }

    /// The keyspace holds `document` under a key, which came there by a command that is none of Folio's.
    fn replace(&mut self, key: &str, document: &Document) {
        if let Some(gone) = self.space.insert(key.to_owned(), document.clone()) {
            self.store.forget(0, key.as_bytes(), &gone);
        }
        self.store.adopt(0, key.as_bytes(), document, None);
    }

    fn rename(&mut self, key: &str) {
        let to = self.key();
        if to == key {
            return;
        }
        let Some(document) = self.space.remove(key) else { return };
        self.replace(&to, &document);
        self.store.forget(0, key.as_bytes(), &document);
    }

    /// The primary removes what has lapsed.
    fn tell(&mut self, key: &str) {
        let Some(held) = self.space.get(key).cloned() else { return };
        self.store.take_changes();
        let made = self.store.lapse_paths(0, key.as_bytes(), &held, self.now_ms);
        assert_eq!(made.is_some(), held.has_due_paths(self.now_ms));
        let Some(made) = made else { return };
        assert!(made.version() > held.version() && made.seq() == held.seq());
        assert_eq!(made.text(), held.seen_at(self.now_ms).text());
        let [change] = &self.store.take_changes()[..] else { panic!("one change") };
        assert_eq!((change.op, change.cause), (ChangeOp::Update, Some(Cause::Ttl)));
        assert!(change.before.as_ref().unwrap().ptr_eq(&held));
        self.told += 1;
        self.space.insert(key.to_owned(), made);
    }

    /// A replica is told what its primary made of a document; perhaps it has not hidden anything yet, or more.
    fn apply(&mut self, key: &str) {
        let Some(held) = self.space.get(key).cloned() else { return };
        let made = self.document();
        let stamp = Stamp { seq: held.seq(), version: held.version() + 9, ..Stamp::default() };
        let delta = self.store.prepare_apply(0, key.as_bytes(), Some(&held), &made, stamp, None);
        let made = self.store.commit(delta.unwrap());
        self.space.insert(key.to_owned(), made);
    }

    /// Another declaration is built while parts lapse, and given up.
    fn online(&mut self) {
        let json = DEFINITION.replace(
            r#""index":"set","enum":["a","b","c"]"#,
            r#""index":"sorted","enum":["a","b"]"#,
        );
        let Ok(begun) = self.store.begin_alter(0, &definition(&json)) else { return };
        let number = begun.unwrap();
        let mut left = self.random.below(8);
        self.store.build_slice(number, || {
            left -= 1;
            left > 0
        });
        self.now_ms += 3;
        self.check();
        self.store.build_slice(number, || true);
        self.check();
        let _ = self.store.judge_build(number, self.now_ms);
        drop(self.store.abandon_build(number));
    }

    /// A server starts anew with what the keyspace holds.
    fn reload(&mut self) {
        let mut other = Store::new(9);
        for (db, state) in self.store.save_state() {
            other.load_state(db, state.as_bytes()).unwrap();
        }
        other.begin_load();
        let mut space = BTreeMap::new();
        for (key, held) in &self.space {
            let mut parsed = parsed(str::from_utf8(held.text()).unwrap(), &[]);
            parsed.set_timed(held.timed());
            let stamp = Stamp {
                seq: held.seq(),
                version: held.version(),
                created_ms: held.created_ms(),
                updated_ms: held.updated_ms(),
                ..Stamp::default()
            };
            let document = Document::new(&parsed, stamp);
            other.adopt(0, key.as_bytes(), &document, None);
            space.insert(key.clone(), document);
        }
        other.end_load();
        for store in [&mut self.store, &mut other] {
            store.lapse(0, "t", self.now_ms);
        }
        let digest = |store: &Store| store.collection(0, "t").unwrap().digest();
        assert_eq!(digest(&other), digest(&self.store));
        (self.store, self.space) = (other, space);
    }

    /// What every question finds is what a look at each document finds.
    fn check(&mut self) {
        self.store.lapse(0, "t", self.now_ms);
        let collection = self.store.collection(0, "t").unwrap();
        assert_eq!(collection.verify(), Vec::<String>::new());
        let mut plain = Store::new(3);
        plain
            .create(
                0,
                definition(
                    r#"{"collection":"t","fields":[
            {"path":"n","type":"int"},{"path":"s","type":"string"},{"path":"u","type":"int"},
            {"path":"o.tags","type":"array<string>"}]}"#,
                ),
            )
            .unwrap();
        for (key, held) in &self.space {
            let seen = held.seen_at(self.now_ms);
            self.hidden += usize::from(seen.text() != held.text());
            plain.adopt(0, key.as_bytes(), &seen.copy(), None);
        }
        plain.lapse(0, "t", i64::MIN);
        let plain = plain.collection(0, "t").unwrap();
        for filter in FILTERS {
            assert_eq!(found(collection, filter), found(plain, filter), "{filter}");
        }
        let due = self.space.values().filter(|held| held.has_due_paths(self.now_ms));
        assert_eq!(collection.lapsing(self.now_ms).count(), due.count());
    }
}

#[test]
fn what_is_due_is_in_no_answer_whatever_happens() {
    let (mut hidden, mut told) = (0, 0);
    for seed in 0..40 {
        let mut world = World::new(seed);
        for _ in 0..150 {
            world.step();
            world.check();
        }
        hidden += world.hidden;
        told += world.told;
    }
    assert!(hidden > 1_000 && told > 300, "{hidden} {told}");
}

#[test]
fn the_next_instant_and_who_is_to_be_told_of_are_known() {
    let mut store = Store::new(1);
    store.create(0, definition(r#"{"collection":"t"}"#)).unwrap();
    assert_eq!((store.next_path_lapse_ms(), store.take_soonest_lapse_ms()), (None, None));
    let one = set(&mut store, "t:1", None, &parsed(r#"{"a":1,"b":2}"#, &[("a", 50), ("b", 90)]), 0)
        .unwrap();
    set(&mut store, "t:2", None, &parsed(r#"{"a":1}"#, &[("a", 70)]), 0).unwrap();
    assert_eq!(store.take_soonest_lapse_ms(), Some(50));
    assert_eq!((store.take_soonest_lapse_ms(), store.next_path_lapse_ms()), (None, Some(50)));
    assert!(store.lapsing(50, 9).is_empty());
    assert_eq!(store.lapsing(60, 9), [(0, b"t:1".to_vec())]);
    assert_eq!(store.next_path_lapse_ms(), Some(50));
    let two = store.lapse_paths(0, b"t:1", &one, 60).unwrap();
    let left: Vec<_> = each_timed(two.timed()).collect();
    assert_eq!((two.text(), left), (&br#"{"b":2}"#[..], vec![(90, "b")]));
    assert_eq!((store.next_path_lapse_ms(), store.take_soonest_lapse_ms()), (Some(70), Some(90)));
    assert_eq!(store.lapsing(100, 1).len(), 1);
    assert_eq!(store.lapsing(100, 9).len(), 2);
    assert_eq!(store.collection(0, "t").unwrap().with_path_ttl(), 2);
}

#[test]
fn what_has_to_be_there_cannot_lapse() {
    let mut store = Store::new(1);
    let json = r#"{"collection":"t","fields":[
        {"path":"r.x","type":"int","required":true},
        {"path":"i","type":"json","immutable":true}],"indexes":[
        {"name":"part","on":[{"path":"a"}],"unique":true,"where":"b IS MISSING"},
        {"name":"all","on":[{"path":"c"}],"unique":true,"nulls":"not distinct"},
        {"name":"any","on":[{"path":"d"}],"unique":true}]}"#;
    store.create(0, definition(json)).unwrap();
    let text = r#"{"r":{"x":1,"y":2},"i":{"z":1},"a":1,"b":2,"c":3,"d":4}"#;
    for path in ["r", "r.x", "i", "i.z", "a", "b", "c", "d.x"] {
        let made = set(&mut store, "t:1", None, &parsed(text, &[(path, 9)]), 0);
        assert_eq!(made.unwrap_err(), Code::Schema, "{path}");
    }
    for path in ["r.y", "d"] {
        let made = set(&mut store, "t:1", None, &parsed(text, &[(path, 9)]), 0).unwrap();
        store.forget(0, b"t:1", &made);
    }
}

#[test]
fn a_declaration_is_refused_for_what_may_lapse() {
    let mut store = Store::new(1);
    store.create(0, definition(r#"{"collection":"t"}"#)).unwrap();
    set(&mut store, "t:1", None, &parsed(r#"{"a":1}"#, &[("a", 50)]), 0).unwrap();
    let strict = r#"{"collection":"t","fields":[{"path":"a","type":"int","required":true}]}"#;
    let number = store.begin_alter(0, &definition(strict)).unwrap().unwrap();
    store.build_slice(number, || true);
    let error = store.judge_build(number, 10).unwrap_err();
    assert_eq!(error.to_string(), "SCHEMA field a is required, and cannot have a TTL (t:1)");
    // Once it has lapsed the field is missing.
    let error = store.judge_build(number, 60).unwrap_err();
    assert_eq!(error.to_string(), "SCHEMA field a is required, and missing (t:1)");
}
