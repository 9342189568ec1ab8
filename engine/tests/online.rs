//! Declarations built in slices, with anything at all between the slices, against the same ones made in one stop.

#![expect(clippy::unwrap_used, reason = "a test stops where its premise does not hold")]

use std::collections::BTreeMap;

use folio_engine::collection::{Collection, Counters, Digest};
use folio_engine::doc::{Document, Parsed, Stamp};
use folio_engine::schema::Definition;
use folio_engine::store::{Created, Placement, Prepared, Store};
use folio_engine::{Code, Error, Limits};

const OLD: &str = r#"{"collection":"t","fields":[
    {"path":"n","type":"int","nullable":true,"index":"sorted"},
    {"path":"s","type":"string"}],"indexes":[
    {"name":"few","on":[{"path":"n"}],"where":"s LIKE 'a%'"},
    {"name":"by_d","on":[{"path":"d"}]}]}"#;
const NEW: &str = r#"{"collection":"t","fields":[
    {"path":"n","type":"int","nullable":true,"index":"sorted"},
    {"path":"s","type":"string","index":"substring"},
    {"path":"mail","type":"string","unique":true},
    {"path":"tags","type":"array<string>","index":"set"},
    {"path":"d","type":"decimal"}],"indexes":[
    {"name":"few","on":[{"path":"n"}],"where":"s LIKE 'a%'"},
    {"name":"by_d","on":[{"path":"d"}]},
    {"name":"pair","on":[{"path":"n"},{"path":"s","order":"desc"}]},
    {"name":"each","on":[{"path":"tags"},{"path":"n"}]},
    {"name":"once","on":[{"path":"n"},{"path":"s"}],"unique":true,"where":"tags HAS 'x'"}]}"#;

fn definition(json: &str) -> Definition {
    Definition::from_json(json.as_bytes(), &Limits::default()).unwrap()
}

fn parsed(json: &str) -> Parsed {
    let mut parsed = Parsed::default();
    parsed.parse(json.as_bytes(), &Limits::default()).unwrap();
    parsed
}

struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// What a key holds: the document as either store has it, and when it lapses.
#[derive(Clone)]
struct Held {
    online: Document,
    whole: Document,
    expires_ms: Option<i64>,
}

/// Two stores that are told the same, one of which builds.
struct World {
    random: Random,
    online: Store,
    whole: Store,
    keys: BTreeMap<String, Held>,
    /// The database that all of it is in.
    db: u32,
    now_ms: i64,
    /// How many documents of a hundred break the new declaration.
    wrong: u64,
    serial: u64,
}

impl World {
    fn new(seed: u64, wrong: u64) -> Self {
        World {
            random: Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            online: Store::new(1),
            whole: Store::new(2),
            keys: BTreeMap::new(),
            db: 0,
            now_ms: 1_000,
            wrong,
            serial: 0,
        }
    }

    fn json(&mut self) -> String {
        let is_wrong = self.random.chance(self.wrong);
        self.serial += 1;
        let (serial, kind) = (self.serial, self.random.below(8));
        let n = self.random.below(40);
        let mail = if is_wrong && kind < 4 { self.random.below(200) } else { serial };
        let tags = ["[]", r#"["x"]"#, r#"["a","b","a"]"#, "null", r#"["x","c"]"#];
        let d = if is_wrong && kind == 4 { "true".to_owned() } else { format!("\"{n}.50\"") };
        let tags = if is_wrong { tags[kind as usize % 5] } else { tags[kind as usize % 3] };
        // Only what has no tag may share its pair.
        let n = if tags.contains('x') && !is_wrong { serial } else { n };
        let s = ["ab", "long enough to be cut", "a%", ""][kind as usize % 4];
        match kind {
            7 => format!(r#"{{"n":null,"s":"{s}"}}"#),
            6 => format!(r#"{{"mail":"{mail}@x","d":{d}}}"#),
            _ => format!(r#"{{"n":{n},"s":"{s}","mail":"{mail}@x","tags":{tags},"d":{d}}}"#),
        }
    }

    fn key(&mut self) -> String {
        let name = if self.random.chance(95) { "t" } else { "other" };
        format!("{name}:{}", self.random.below(400))
    }

    fn expiry(&mut self) -> Option<i64> {
        self.random.chance(15).then(|| self.now_ms + self.random.below(3_000) as i64)
    }

    /// The server removes what has lapsed when its key is opened.
    fn open(&mut self, key: &str) -> Option<Held> {
        if self.keys.get(key)?.expires_ms.is_some_and(|at| at < self.now_ms) {
            self.remove(key);
        }
        self.keys.get(key).cloned()
    }

    fn remove(&mut self, key: &str) {
        if let Some(held) = self.keys.remove(key) {
            self.online.forget(self.db, key.as_bytes(), &held.online);
            self.whole.forget(self.db, key.as_bytes(), &held.whole);
        }
    }

    fn lapse(&mut self) {
        for store in [&mut self.online, &mut self.whole] {
            store.lapse(self.db, "t", self.now_ms);
            store.lapse(self.db, "other", self.now_ms);
        }
    }

    /// A write of Folio's own. What the store that builds refuses, the other is not asked.
    fn write(&mut self, whole: bool) {
        let (key, json) = (self.key(), self.json());
        let (parsed, expires_ms) = (parsed(&json), self.expiry());
        for _ in 0..2 {
            self.lapse();
            let held = self.open(&key);
            let (db, name, now) = (self.db, key.as_bytes(), self.now_ms);
            let prepare = |store: &mut Store, old: Option<&Document>| match old {
                Some(old) if !whole => {
                    store.prepare_update(db, name, old, &parsed, now, expires_ms)
                }
                _ => store.prepare(db, name, old, &parsed, now, expires_ms),
            };
            let old = held.as_ref().map(|held| &held.online);
            match prepare(&mut self.online, old) {
                Err(error) => {
                    assert!(
                        [Code::Schema, Code::Unique, Code::Json].contains(&error.code),
                        "{error}"
                    );
                    return;
                }
                Ok(Prepared::Unchanged { .. }) => return,
                Ok(Prepared::Held { keys }) => {
                    for key in keys {
                        self.remove(&String::from_utf8(key).unwrap());
                    }
                }
                Ok(Prepared::Ready(delta)) => {
                    if self.random.chance(20) {
                        self.slice();
                    }
                    let online = self.online.commit(delta);
                    let old = held.as_ref().map(|held| &held.whole);
                    let Ok(Prepared::Ready(delta)) = prepare(&mut self.whole, old) else {
                        panic!("what both declarations allow, the old one does: {json}");
                    };
                    let whole = self.whole.commit(delta);
                    self.keys.insert(key, Held { online, whole, expires_ms });
                    return;
                }
            }
        }
    }

    /// What Redis itself brings: a copy, a file.
    fn bring(&mut self) {
        let (key, json, expires_ms) = (self.key(), self.json(), self.expiry());
        self.open(&key);
        self.remove(&key);
        let stamp = Stamp::default();
        let (online, whole) =
            (Document::new(&parsed(&json), stamp), Document::new(&parsed(&json), stamp));
        self.online.adopt(self.db, key.as_bytes(), &online, expires_ms);
        self.whole.adopt(self.db, key.as_bytes(), &whole, expires_ms);
        self.keys.insert(key, Held { online, whole, expires_ms });
    }

    fn rename(&mut self) {
        let (from, to) = (self.key(), self.key());
        let Some(held) = self.open(&from).filter(|_| from != to) else { return };
        self.open(&to);
        self.remove(&to);
        self.online.adopt(self.db, to.as_bytes(), &held.online, held.expires_ms);
        self.whole.adopt(self.db, to.as_bytes(), &held.whole, held.expires_ms);
        self.remove(&from);
        self.keys.insert(to, held);
    }

    fn retime(&mut self) {
        let (key, expires_ms) = (self.key(), self.expiry());
        if self.open(&key).is_none() {
            return;
        }
        let held = self.keys.get_mut(&key).unwrap();
        held.expires_ms = expires_ms;
        self.online.set_expiry(&held.online, expires_ms);
        self.whole.set_expiry(&held.whole, expires_ms);
    }

    /// What a primary tells a replica: no declaration is asked.
    fn apply(&mut self) {
        let (key, json, expires_ms) = (self.key(), self.json(), self.expiry());
        let held = self.open(&key);
        let next = match self.online.place(self.db, key.as_bytes()).unwrap() {
            Placement::Founded(_) => Counters { version: 1, seq: 1 },
            Placement::Known(uid) => {
                let home = self.online.collections().find(|there| there.uid() == uid).unwrap();
                let Counters { version, seq } = home.counters();
                Counters { version: version + 1, seq: seq + 1 }
            }
        };
        let apply = |store: &mut Store, old: Option<&Document>| {
            let seq = old.map_or(next.seq, Document::seq);
            let stamp = Stamp { version: next.version, seq, ..Stamp::default() };
            let (name, parsed) = (key.as_bytes(), parsed(&json));
            let delta = store.prepare_apply(self.db, name, old, &parsed, stamp, expires_ms);
            store.commit(delta.unwrap())
        };
        let online = apply(&mut self.online, held.as_ref().map(|held| &held.online));
        let whole = apply(&mut self.whole, held.as_ref().map(|held| &held.whole));
        self.keys.insert(key, Held { online, whole, expires_ms });
    }

    fn swap(&mut self) {
        self.online.swap(0, 1);
        self.whole.swap(0, 1);
        self.db = 1 - self.db;
    }

    fn flush(&mut self) {
        let db = self.random.chance(50).then_some(self.db);
        self.online.flush(db);
        self.whole.flush(db);
        self.keys.clear();
    }

    /// A slice of whatever is being built, of any size.
    fn slice(&mut self) {
        let mut budget = self.random.below(60);
        let number = self.online.collection(self.db, "t").and_then(Collection::build_number);
        let Some(number) = number else { return };
        self.online.build_slice(number, || {
            budget = budget.saturating_sub(1);
            budget > 0
        });
    }

    fn step(&mut self) {
        match self.random.below(100) {
            0..40 => self.write(true),
            40..60 => self.write(false),
            60..68 => self.bring(),
            68..76 => self.rename(),
            76..84 => {
                let key = self.key();
                self.remove(&key);
            }
            84..88 => self.retime(),
            88..92 => self.apply(),
            92 => self.now_ms += self.random.below(400) as i64,
            _ => self.slice(),
        }
        if self.random.below(1_000) == 0 {
            self.swap();
        }
        if self.random.below(2_000) == 0 {
            self.flush();
        }
    }

    fn steps(&mut self, count: u64) {
        for _ in 0..count {
            self.step();
            if self.random.below(50) == 0 {
                self.clean();
            }
        }
    }

    #[track_caller]
    fn clean(&self) {
        for collection in self.online.collections() {
            assert_eq!(collection.verify(), Vec::<String>::new(), "{}", collection.name());
        }
    }

    /// Both stores hold the same, and count the same.
    #[track_caller]
    fn same(&mut self) {
        self.lapse();
        self.clean();
        let seen = |store: &Store, db: u32| -> Vec<(String, Digest, _, u64, _)> {
            let names = store.names(db).into_iter();
            let of = |name: String| {
                let there = store.collection(db, &name).unwrap();
                let (digest, counters) = (there.digest(), there.counters());
                let (invalid, json) = (there.invalid().len(), there.definition().to_json());
                (name, digest, counters, invalid, json)
            };
            names.map(of).collect()
        };
        for db in 0..2 {
            assert_eq!(seen(&self.online, db), seen(&self.whole, db));
        }
    }

    /// Ends a build, which comes to what one stop now would.
    fn end(&mut self, number: u64, in_one_stop: impl FnOnce(&mut Store, u32)) -> Result<(), Error> {
        while self.online.build_slice(number, || self.random.chance(99)) == Some(false) {
            self.clean();
        }
        self.lapse();
        self.clean();
        let judged = self.online.judge_build(number, self.now_ms);
        if judged.is_ok() {
            self.online.finish_build(number);
            in_one_stop(&mut self.whole, self.db);
        } else {
            self.online.abandon_build(number);
        }
        assert_eq!(self.online.builds(), 0);
        self.same();
        judged
    }
}

/// How a build over open documents ended: well, or refused.
fn create_round(world: &mut World) -> Result<(), Error> {
    world.steps(600);
    world.same();
    let db = world.db;
    let Some(number) = world.online.begin_create(db, &definition(NEW)).unwrap() else {
        panic!("documents are there");
    };
    assert_eq!(world.online.builds(), 1);
    let steps = world.random.below(400);
    world.steps(steps);
    let now_ms = world.now_ms;
    world.whole.lapse(world.db, "t", now_ms);
    let mut told = None;
    let judged = world.end(number, |whole, db| told = Some(whole.create(db, definition(NEW))));
    match &judged {
        Ok(()) => assert_eq!(told, Some(Ok(Created::New))),
        Err(refused) => {
            // In one stop it would have been refused in the same words.
            let db = world.db;
            assert_eq!(world.whole.create(db, definition(NEW)).as_ref(), Err(refused));
        }
    }
    judged
}

#[test]
fn what_is_built_in_slices_is_what_one_stop_makes() {
    let (mut done, mut refused) = (0, BTreeMap::new());
    for seed in 0..60 {
        let mut world = World::new(seed + 1, [0, 0, 1, 30][seed as usize % 4]);
        match create_round(&mut world) {
            Ok(()) => {
                done += 1;
                world.steps(200);
                world.lapse();
                world.clean();
            }
            Err(error) => *refused.entry(error.code.as_str()).or_insert(0) += 1,
        }
    }
    assert!(done >= 10, "{done} {refused:?}");
    assert!(refused["SCHEMA"] >= 10, "{done} {refused:?}");
}

#[test]
fn a_declared_collection_is_altered_and_indexed_anew_while_it_is_written_to() {
    for seed in 0..40 {
        let mut world = World::new(seed + 100, 0);
        for store in [&mut world.online, &mut world.whole] {
            store.create(0, definition(OLD)).unwrap();
        }
        for json in [NEW, OLD, NEW] {
            world.steps(300);
            let db = world.db;
            let number = world.online.begin_alter(db, &definition(json)).unwrap().unwrap();
            world.steps(200);
            // What Redis brought may break it, and is in nobody's way where it broke the old declaration too.
            let alter = |whole: &mut Store, db| {
                assert_eq!(whole.alter_applied(db, &definition(json)), Ok(Created::New));
            };
            if world.end(number, alter).is_err() {
                break;
            }
            let db = world.db;
            let number = world.online.begin_reindex(db, "t").unwrap();
            world.steps(100);
            while world.online.build_slice(number, || true) == Some(false) {}
            world.online.finish_build(number);
            world.same();
        }
    }
}
