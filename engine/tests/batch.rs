//! Several writes that are made together, held against a plain list of what stands when all are done.

#![expect(clippy::unwrap_used, reason = "a test stops where its premise does not hold")]

use std::collections::BTreeMap;

use folio_engine::doc::{Document, Parsed};
use folio_engine::schema::Definition;
use folio_engine::store::{BatchChange, BatchError, BatchWrite, Prepared, PreparedAll, Store};
use folio_engine::{Code, Limits};

const NOW: i64 = 1_000;
const USERS: &str = r#"{"collection":"users","fields":[
    {"path":"email","type":"string","unique":true},{"path":"age","type":"int","index":"sorted"}],
    "indexes":[{"name":"seat","on":[{"path":"room"},{"path":"row"}],"unique":true}]}"#;

fn parsed(json: &str) -> Parsed {
    let mut parsed = Parsed::default();
    parsed.parse(json.as_bytes(), &Limits::default()).unwrap();
    parsed
}

fn declared() -> Store {
    let mut store = Store::new(1);
    let definition = Definition::from_json(USERS.as_bytes(), &Limits::default()).unwrap();
    store.create(0, definition).unwrap();
    store
}

/// A store with the keyspace around it.
struct World {
    store: Store,
    space: BTreeMap<String, Document>,
}

impl World {
    fn new() -> Self {
        World { store: declared(), space: BTreeMap::new() }
    }

    /// Puts or removes (without a text) each, or none.
    fn write(&mut self, writes: &[(&str, Option<&str>)]) -> Result<(), BatchError> {
        let texts: Vec<Option<Parsed>> = writes.iter().map(|(_, json)| json.map(parsed)).collect();
        let told: Vec<BatchWrite<'_>> = writes
            .iter()
            .zip(&texts)
            .map(|((key, _), text)| BatchWrite {
                key: key.as_bytes(),
                old: self.space.get(*key),
                change: match text {
                    Some(parsed) => BatchChange::Put { parsed, expires_ms: None, is_whole: true },
                    None => BatchChange::Remove,
                },
            })
            .collect();
        let PreparedAll::Ready(prepared) = self.store.prepare_all(0, &told, NOW, &|| Ok(()))?
        else {
            panic!("nothing lapses here");
        };
        for ((key, _), prepared) in writes.iter().zip(prepared) {
            if let Some(Prepared::Ready(delta)) = prepared {
                self.space.insert((*key).to_owned(), self.store.commit(delta));
            }
        }
        for (key, _) in writes.iter().filter(|(_, json)| json.is_none()) {
            if let Some(document) = self.space.remove(*key) {
                self.store.forget(0, key.as_bytes(), &document);
            }
        }
        Ok(())
    }

    fn clean(&self) {
        for collection in self.store.collections() {
            assert_eq!(collection.verify(), Vec::<String>::new(), "{}", collection.name());
        }
    }
}

#[test]
fn unique_values_are_exchanged() {
    let mut world = World::new();
    let [a, b] = [r#"{"email":"a@x"}"#, r#"{"email":"b@x"}"#];
    world.write(&[("users:1", Some(a)), ("users:2", Some(b))]).unwrap();
    world.write(&[("users:1", Some(b)), ("users:2", Some(a))]).unwrap();
    assert_eq!(world.space["users:1"].text(), b.as_bytes());
    // What goes gives its value up, whatever stands first.
    world.write(&[("users:3", Some(a)), ("users:2", None)]).unwrap();
    world.write(&[("users:1", None), ("users:4", Some(b))]).unwrap();
    assert_eq!(world.space.keys().collect::<Vec<_>>(), ["users:3", "users:4"]);
    world.clean();
}

#[test]
fn the_first_that_takes_what_another_has_is_named() {
    let mut world = World::new();
    let a = r#"{"email":"a@x"}"#;
    world.write(&[("users:1", Some(a))]).unwrap();
    let error = world.write(&[("users:2", Some("{}")), ("users:3", Some(a))]).unwrap_err();
    assert_eq!((error.at, error.error.code), (1, Code::Unique));
    assert_eq!(error.error.holder.as_deref(), Some(&b"users:1"[..]));
    let b = r#"{"email":"b@x"}"#;
    let error = world.write(&[("users:2", Some(b)), ("users:3", Some(b))]).unwrap_err();
    assert_eq!((error.at, error.error.holder.as_deref()), (1, Some(&b"users:2"[..])));
    let error = world.write(&[("users:2", Some(b)), ("users:3", Some(r#"{"age":"x"}"#))]);
    assert_eq!(error.unwrap_err().error.code, Code::Schema);
    assert_eq!(world.space.len(), 1, "a batch that is refused changes nothing");
    world.clean();
}

#[test]
fn an_open_collection_is_founded_once_and_outlives_its_last_document() {
    let mut world = World::new();
    world.write(&[("notes:1", Some("{}")), ("notes:2", Some("{}"))]).unwrap();
    assert_eq!(world.store.collection(0, "notes").unwrap().len(), 2);
    world.write(&[("notes:1", None), ("notes:2", None), ("notes:3", Some("{}"))]).unwrap();
    assert_eq!(world.store.collection(0, "notes").unwrap().len(), 1);
    world.clean();
}

/// What a document takes for itself alone: its email, and its room and row if it has both.
fn claims(json: &str) -> Vec<String> {
    let json: serde_json::Value = serde_json::from_str(json).unwrap();
    let email = json.get("email").map(|email| format!("email {email}"));
    let seat = json.get("room").zip(json.get("row")).map(|(room, row)| format!("{room} {row}"));
    email.into_iter().chain(seat).collect()
}

#[test]
fn random_batches_do_what_a_plain_list_does() {
    // A linear congruential generator (Knuth, MMIX): the draws need no quality.
    let mut state = 20_261_128_u64;
    let mut below = |most: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % most
    };
    let mut world = World::new();
    let mut model: BTreeMap<String, String> = BTreeMap::new();
    let (mut made, mut refused) = (0, 0);
    for _ in 0..20_000 {
        let mut batch: BTreeMap<String, Option<String>> = BTreeMap::new();
        for _ in 0..=below(4) {
            let text = (below(4) > 0).then(|| match below(3) {
                0 => format!(r#"{{"email":"{}@x","age":{}}}"#, below(8), below(3)),
                1 => format!(r#"{{"room":{},"row":{}}}"#, below(3), below(3)),
                _ => format!(r#"{{"email":"{}@x","room":{},"row":1}}"#, below(8), below(3)),
            });
            batch.insert(format!("users:{}", below(8)), text);
        }
        let mut after = model.clone();
        for (key, text) in &batch {
            match text {
                Some(text) => after.insert(key.clone(), text.clone()),
                None => after.remove(key),
            };
        }
        let mut taken: Vec<String> = after.values().flat_map(|json| claims(json)).collect();
        taken.sort();
        let is_unique = taken.windows(2).all(|pair| pair[0] != pair[1]);
        let writes: Vec<(&str, Option<&str>)> =
            batch.iter().map(|(key, text)| (key.as_str(), text.as_deref())).collect();
        match world.write(&writes) {
            Ok(()) => {
                assert!(is_unique, "{batch:?} over {model:?}");
                model = after;
                made += 1;
            }
            Err(error) => {
                assert!(!is_unique, "{batch:?} over {model:?}: {error:?}");
                refused += 1;
            }
        }
        let texts = world.space.iter().map(|(key, document)| {
            (key.clone(), String::from_utf8(document.text().to_vec()).unwrap())
        });
        assert!(texts.eq(model.clone()), "{batch:?}");
        world.clean();
    }
    assert!(made > 2_000 && refused > 2_000, "{made} made, {refused} refused");
}
