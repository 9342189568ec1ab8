//! Computed fields against a twin whose documents hold the same values: whatever happens to documents and declarations, both find
//! the same. Functions are Rust's own here; what functions are written in is tested where it is run.

#![expect(clippy::unwrap_used, reason = "a test stops where its premise does not hold")]
#![expect(clippy::unnecessary_wraps, reason = "all functions have one form")]

use std::collections::BTreeMap;
use std::sync::Arc;

use folio_engine::collection::Collection;
use folio_engine::doc::{Document, Parsed, Stamp};
use folio_engine::exec::{self, Find};
use folio_engine::function::{Bounds, Call, Function, Loading, Outcome, Runtime};
use folio_engine::query::{self, Params, Scope};
use folio_engine::schema::Definition;
use folio_engine::store::{Prepared, Store};
use folio_engine::{Code, Error, Limits, Result};
use serde_json::{Map, Value, json};

/// What gives the value of a member of the document, or says why there is none.
type Body = fn(&Map<String, Value>) -> Result<Option<Value>, String>;

/// The text at `s`, in small letters; anything but a text is refused.
fn small(document: &Map<String, Value>) -> Result<Option<Value>, String> {
    match document.get("s") {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.to_lowercase().into())),
        Some(_) => Err("s is no text".to_owned()),
    }
}

/// The words of the text at `s`.
fn words(document: &Map<String, Value>) -> Result<Option<Value>, String> {
    let text = document.get("s").and_then(Value::as_str);
    Ok(text.map(|text| text.split(' ').collect::<Vec<_>>().into()))
}

/// Twice the number at `n`; of 7 there is none.
fn twice(document: &Map<String, Value>) -> Result<Option<Value>, String> {
    match document.get("n").and_then(Value::as_i64) {
        Some(7) => Err("7 is refused".to_owned()),
        number => Ok(number.map(|number| (2 * number).into())),
    }
}

/// Judges: no 5 beside an `a`.
fn sound(document: &Map<String, Value>) -> Result<Option<Value>, String> {
    let is_odd = document.get("n") == Some(&json!(5)) && document.get("s") == Some(&json!("a"));
    Ok(is_odd.then(|| "5 beside a".into()))
}

const BODIES: [(&str, Body); 4] =
    [("small", small), ("words", words), ("twice", twice), ("sound", sound)];

#[derive(Debug)]
struct Native;

#[derive(Debug)]
struct Named(&'static str, Body);

impl Runtime for Native {
    fn compile(&self, name: &str, _: &str, _: Bounds) -> Result<Arc<dyn Function>> {
        let body = BODIES.iter().find(|(known, _)| *known == name);
        let (name, body) = body.ok_or_else(|| Error::new(Code::Function, "unknown"))?;
        Ok(Arc::new(Named(name, *body)))
    }
}

impl Function for Named {
    fn call(&self, call: &Call<'_>) -> Result<Outcome> {
        let document: Map<String, Value> = serde_json::from_slice(call.doc.text()).unwrap();
        let Named(name, body) = self;
        let value = body(&document)
            .map_err(|what| Error::new(Code::Function, format!("function '{name}': {what}")))?;
        Ok(Outcome { value: value.map(|value| value.to_string().into_bytes()), reply: None })
    }
}

const FIELDS: &str = r#"{"path":"n","type":"int","index":"sorted"},{"path":"s","type":"string"}"#;
/// The same with what is computed.
const COMPUTED: &str = r#"{"collection":"t","validate":"sound","fields":[FIELDS,
    {"path":"low.s","type":"string","computed":"small","index":"set"},
    {"path":"words","type":"array<string>","computed":"words","index":"set"},
    {"path":"twice","type":"int","computed":"twice","index":"sorted","max":16}],"indexes":[
    {"name":"pair","on":[{"path":"low.s"},{"path":"n","order":"desc"}]},
    {"name":"few","on":[{"path":"n"}],"where":"twice > 4"}]}"#;
/// Without one of the fields, and with an index over what it was.
const OTHER: &str = r#"{"collection":"t","validate":"sound","fields":[FIELDS,
    {"path":"low.s","type":"string","computed":"small","index":"sorted"},
    {"path":"twice","type":"int","computed":"twice"}],"indexes":[{"name":"w","on":[{"path":"words[*]"}]}]}"#;
const PLAIN: &str = r#"{"collection":"t","fields":[FIELDS,
    {"path":"low.s","type":"string"},{"path":"words","type":"array<string>"},{"path":"twice","type":"int"}]}"#;
const FILTERS: [&str; 10] = [
    "low.s = 'a b'",
    "low.s IS MISSING",
    "low.s STARTS WITH 'b' AND n > 2",
    "twice > 4",
    "twice > 4 AND n < 6",
    "twice IS MISSING",
    "twice + n > 9",
    "NOT low.s = 'c'",
    "low.s ILIKE '%B%'",
    "n = 3 OR twice = 4",
];

fn definition(json: &str) -> Definition {
    let json = json.replace("FIELDS", FIELDS);
    Definition::from_json(json.as_bytes(), &Limits::default()).unwrap()
}

fn parsed(json: &Value) -> Parsed {
    let mut parsed = Parsed::default();
    parsed.parse(json.to_string().as_bytes(), &Limits::default()).unwrap();
    parsed
}

const BOUNDS: Bounds = Bounds { steps: 1, bytes: 1 };

fn store(seed: u64, json: &str) -> Store {
    let mut store = Store::new(seed);
    store.run_by(Arc::new(Native));
    for (name, _) in BODIES {
        assert_eq!(store.load_function(name, "", BOUNDS, false).unwrap(), Loading::New);
    }
    store.create(0, definition(json)).unwrap();
    store
}

/// The keys that a filter finds, in order.
fn found(collection: &Collection, text: &str) -> Vec<String> {
    let (params, limits) = (Params::default(), Limits::default());
    let definition = collection.definition();
    let scope = Scope { definition, params: &params, now_ms: 0, limits: &limits, functions: None };
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

/// Numbers by chance (xorshift), the same for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

struct World {
    store: Store,
    space: BTreeMap<String, Document>,
    random: Random,
    has_words: bool,
    refused: usize,
    built: usize,
}

impl World {
    fn new(seed: u64) -> Self {
        let random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let store = store(seed, COMPUTED);
        World { store, space: BTreeMap::new(), random, has_words: true, refused: 0, built: 0 }
    }

    fn key(&mut self) -> String {
        format!("t:{}", self.random.below(14))
    }

    fn document(&mut self, may_break: bool) -> Value {
        let mut document = Map::new();
        if self.random.below(5) > 0 {
            document.insert("n".to_owned(), self.random.below(9).into());
        }
        let texts = ["a", "A b", "B", "c B A", "C"];
        if self.random.below(5) > 0 {
            document.insert("s".to_owned(), texts[self.random.below(5) as usize].into());
        }
        if may_break && self.random.below(3) == 0 {
            document.insert("s".to_owned(), 1.into());
        }
        if may_break && self.random.below(3) == 0 {
            document.insert("twice".to_owned(), 77.into());
        }
        document.insert("z".to_owned(), self.random.below(3).into());
        Value::Object(document)
    }

    /// Whether the declarations in force and to come let a document in.
    fn fits(&self, document: &Value) -> bool {
        let object = document.as_object().unwrap();
        let twice = twice(object);
        let is_low =
            matches!(&twice, Ok(value) if value.as_ref().is_none_or(|it| it.as_i64() <= Some(16)));
        let is_bounded = self.has_words || self.store.builds() > 0;
        (is_low || (twice.is_ok() && !is_bounded)) && sound(object).unwrap().is_none()
    }

    fn write(&mut self, key: &str, document: &Value, is_whole: bool) {
        let old = self.space.get(key).cloned();
        let parsed = parsed(document);
        let made = match &old {
            Some(old) if !is_whole => {
                self.store.prepare_update(0, key.as_bytes(), old, &parsed, 1, None)
            }
            _ => self.store.prepare(0, key.as_bytes(), old.as_ref(), &parsed, 1, None),
        };
        match made {
            Ok(Prepared::Ready(delta)) => {
                assert!(self.fits(document), "{document}");
                let made = self.store.commit(delta);
                self.space.insert(key.to_owned(), made);
            }
            Ok(Prepared::Unchanged { .. }) => {}
            Ok(Prepared::Held { keys }) => panic!("{keys:?}"),
            Err(error) => {
                assert!(!self.fits(document), "{document}: {error}");
                self.refused += 1;
            }
        }
    }

    fn step(&mut self) {
        let key = self.key();
        match self.random.below(16) {
            0..8 => {
                let (document, is_whole) = (self.document(false), self.random.below(2) == 0);
                self.write(&key, &document, is_whole);
            }
            8 => {
                if let Some(gone) = self.space.remove(&key) {
                    self.store.forget(0, key.as_bytes(), &gone);
                }
            }
            // A value that Redis brings: nobody judges it.
            9..11 => {
                let document = self.document(true);
                let document = Document::new(&parsed(&document), Stamp::default());
                self.replace(&key, &document);
            }
            11 => {
                let Some(document) = self.space.get(&key).map(Document::copy) else { return };
                let to = self.key();
                self.replace(&to, &document);
            }
            12 => {
                let to = self.key();
                if to != key
                    && let Some(document) = self.space.remove(&key)
                {
                    self.replace(&to, &document);
                    self.store.forget(0, key.as_bytes(), &document);
                }
            }
            13..15 => self.online(),
            _ => self.reload(),
        }
    }

    fn replace(&mut self, key: &str, document: &Document) {
        if let Some(gone) = self.space.insert(key.to_owned(), document.clone()) {
            self.store.forget(0, key.as_bytes(), &gone);
        }
        self.store.adopt(0, key.as_bytes(), document, None);
    }

    /// A declaration is begun, goes on, or comes to its end.
    fn online(&mut self) {
        if self.store.builds() == 0 {
            let coming = definition(if self.has_words { OTHER } else { COMPUTED });
            assert!(self.store.begin_alter(0, &coming).unwrap().is_some());
            self.built += 1;
        }
        let number = self.store.collection(0, "t").unwrap().build_number().unwrap();
        let mut left = self.random.below(8);
        let is_done = self.store.build_slice(number, || {
            left = left.saturating_sub(1);
            left > 0
        });
        if is_done == Some(true) {
            if self.random.below(4) == 0 {
                drop(self.store.abandon_build(number));
            } else {
                drop(self.store.finish_build(number));
                self.has_words = !self.has_words;
            }
        }
    }

    /// A restart from a file.
    fn reload(&mut self) {
        drop(self.store.abandon_builds());
        let states = self.store.save_state();
        let mut fresh = Store::new(9);
        fresh.run_by(Arc::new(Native));
        for (db, json) in states {
            fresh.load_state(db, json.as_bytes()).unwrap();
        }
        fresh.begin_load();
        for (key, document) in &mut self.space {
            let seq = (document.seq(), document.version());
            *document = document.copy();
            document.place(0, 0, seq.0, seq.1);
            fresh.adopt(0, key.as_bytes(), document, None);
        }
        fresh.end_load();
        self.store = fresh;
    }

    /// Both find the same.
    fn compare(&self) {
        let collection = self.store.collection(0, "t").unwrap();
        assert_eq!(collection.verify(), Vec::<String>::new());
        let mut twin = Store::new(1);
        twin.create(0, definition(PLAIN)).unwrap();
        for (key, document) in &self.space {
            let mut value: Value = serde_json::from_slice(document.text()).unwrap();
            let object = value.as_object_mut().unwrap();
            let (low, list, double) = (small(object), words(object), twice(object));
            object.remove("twice");
            if let Ok(Some(low)) = low {
                object.insert("low".to_owned(), json!({ "s": low }));
            }
            if let (true, Ok(Some(list))) = (self.has_words, list) {
                object.insert("words".to_owned(), list);
            }
            if let Ok(Some(double)) = double {
                object.insert("twice".to_owned(), double);
            }
            let document = Document::new(&parsed(&value), Stamp::default());
            twin.adopt(0, key.as_bytes(), &document, None);
        }
        let twin = twin.collection(0, "t").unwrap();
        let of_words = ["words HAS 'B'", "words HAS ALL ('B', 'A')", "words IS MISSING"];
        let asked = FILTERS.into_iter().chain(of_words.into_iter().filter(|_| self.has_words));
        for filter in asked {
            assert_eq!(found(collection, filter), found(twin, filter), "{filter}");
        }
        let is_kept = |document: &Document| {
            let value: Value = serde_json::from_slice(document.text()).unwrap();
            let object = value.as_object().unwrap();
            let is_sound = sound(object).unwrap().is_none() && small(object).is_ok();
            let most = if self.has_words { Some(16) } else { None };
            let twice = twice(object);
            let is_low = matches!(&twice, Ok(value) if most.is_none() || value.as_ref().is_none_or(|it| it.as_i64() <= most));
            is_sound && is_low && !object.contains_key("twice")
        };
        let kept = self.space.iter().filter(|(_, document)| is_kept(document));
        let kept: Vec<String> = kept.map(|(key, _)| key.clone()).collect();
        assert_eq!(found(collection, "_valid IS TRUE"), kept);
    }
}

#[test]
fn computed_fields_are_found_as_if_they_were_held() {
    let (mut refused, mut built) = (0, 0);
    for seed in 0..24 {
        let mut world = World::new(seed);
        for _ in 0..50 {
            for _ in 0..3 {
                world.step();
            }
            world.compare();
        }
        refused += world.refused;
        built += world.built;
    }
    assert!(refused > 120 && built > 60, "{refused} refused, {built} built");
}

/// A server that is told of documents comes to the same values as the one that has judged them.
#[test]
fn a_replica_computes_the_same() {
    let (mut primary, mut replica) = (store(1, COMPUTED), store(2, COMPUTED));
    let mut held: Option<(Document, Document)> = None;
    for (version, n) in (1..7).zip([1, 2, 6, 3, 4, 8]) {
        let parsed = parsed(&json!({ "n": n, "s": format!("A {n}") }));
        let old = held.as_ref();
        let delta = primary.prepare(0, b"t:1", old.map(|old| &old.0), &parsed, 5, None).unwrap();
        let Prepared::Ready(delta) = delta else { panic!() };
        let made = primary.commit(delta);
        let stamp = Stamp { seq: 1, version, created_ms: 5, updated_ms: 5, ..Stamp::default() };
        let delta =
            replica.prepare_apply(0, b"t:1", old.map(|old| &old.1), &parsed, stamp, None).unwrap();
        held = Some((made, replica.commit(delta)));
        let (a, b) = (primary.collection(0, "t").unwrap(), replica.collection(0, "t").unwrap());
        assert_eq!(a.digest(), b.digest());
        assert_eq!(b.verify(), Vec::<String>::new());
    }
}

#[test]
fn functions_in_use_stay() {
    let mut store = store(1, COMPUTED);
    let told = |error: Error| error.to_string();
    assert_eq!(
        told(store.delete_function("small").unwrap_err()),
        "FUNCTION function 'small' is used by field low.s of collection 't'"
    );
    assert_eq!(
        told(store.load_function("sound", "other", BOUNDS, true).unwrap_err()),
        "FUNCTION function 'sound' is used by VALIDATE of collection 't'"
    );
    assert_eq!(store.load_function("small", "", BOUNDS, true).unwrap(), Loading::Same);
    assert_eq!(
        told(store.load_function("small", "other", BOUNDS, false).unwrap_err()),
        "FUNCTION function 'small' is loaded already, and not like this: REPLACE"
    );
    assert_eq!(
        told(store.delete_function("none").unwrap_err()),
        "FUNCTION no function 'none' is loaded"
    );
    store.drop_collection(0, "t").unwrap();
    assert_eq!(store.load_function("small", "other", BOUNDS, true).unwrap(), Loading::Replaced);
    store.delete_function("small").unwrap();
    let error = store.create(0, definition(COMPUTED)).unwrap_err();
    assert_eq!(told(error), "FUNCTION field low.s: no function 'small' is loaded");
}

#[test]
fn what_a_function_refuses_is_not_written() {
    let mut store = store(1, COMPUTED);
    let mut told = |json: Value| {
        let parsed = parsed(&json);
        store.prepare(0, b"t:1", None, &parsed, 1, None).map(|_| ()).unwrap_err().to_string()
    };
    assert_eq!(told(json!({"n": 7})), "FUNCTION function 'twice': 7 is refused");
    // What is declared without functions is judged first.
    assert_eq!(told(json!({"n": 7, "s": 1})), "SCHEMA field s is declared string, found 1");
    assert_eq!(told(json!({"n": 9})), "SCHEMA field twice is 18, above the maximum of 16");
    assert_eq!(
        told(json!({"twice": 1})),
        "SCHEMA field twice is COMPUTED, and no document holds it"
    );
    assert_eq!(
        told(json!({"n": 5, "s": "a"})),
        "SCHEMA the document is refused by function 'sound': 5 beside a"
    );
}

#[test]
fn a_computed_field_is_declared_at_one_place() {
    let told = |field: &str| {
        let json = format!(r#"{{"collection":"t","fields":[{{"type":"string",{field}}}]}}"#);
        Definition::from_json(json.as_bytes(), &Limits::default()).unwrap_err().to_string()
    };
    assert_eq!(
        told(r#""path":"a[*]","computed":"f""#),
        "SCHEMA field a[*] is COMPUTED, and stands at one place: names alone"
    );
    assert_eq!(
        told(r#""path":"a","computed":"f","default":"x""#),
        "SCHEMA field a is COMPUTED, and goes with neither DEFAULT, AUTO nor IMMUTABLE"
    );
    let json = r#"{"collection":"t","fields":[{"path":"a","type":"json","computed":"f"},{"path":"a.b","type":"int","default":1}]}"#;
    let error = Definition::from_json(json.as_bytes(), &Limits::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "SCHEMA field a.b is COMPUTED, and goes with neither DEFAULT, AUTO nor IMMUTABLE"
    );
    let json = r#"{"collection":"t","fields":[{"path":"a","type":"json","computed":"f"},{"path":"a.b","type":"int","computed":"g"}]}"#;
    let error = Definition::from_json(json.as_bytes(), &Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), "SCHEMA field a.b is COMPUTED, and so is a around it");
    let other = COMPUTED.replace(r#""computed":"words""#, r#""computed":"small""#);
    let error = store(1, COMPUTED).begin_alter(0, &definition(&other)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "SCHEMA field words: what it is COMPUTED by stays: DROP it first, or ADD another field"
    );
}
