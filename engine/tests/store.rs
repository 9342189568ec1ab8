//! The doors of the store: what Redis does to keys, told event by event.

#![expect(clippy::unwrap_used, reason = "a test stops where its premise does not hold")]

use folio_engine::collection::{Collection, Digest};
use folio_engine::doc::{Document, Parsed, Stamp};
use folio_engine::schema::Definition;
use folio_engine::store::{Created, Prepared, Store};
use folio_engine::{Code, Error, Limits};

const NOW: i64 = 1_000;

fn parsed(json: &str) -> Parsed {
    let mut parsed = Parsed::default();
    parsed.parse(json.as_bytes(), &Limits::default()).unwrap();
    parsed
}

fn prepare(
    store: &mut Store,
    key: &str,
    old: Option<&Document>,
    json: &str,
) -> Result<Prepared, Error> {
    store.prepare(0, key.as_bytes(), old, &parsed(json), NOW, None)
}

fn set(store: &mut Store, key: &str, json: &str) -> Document {
    match prepare(store, key, None, json).unwrap() {
        Prepared::Ready(delta) => store.commit(delta),
        other => panic!("{other:?}"),
    }
}

fn declare(store: &mut Store, db: u32, json: &str) -> Result<Created, Error> {
    let definition = Definition::from_json(json.as_bytes(), &Limits::default()).unwrap();
    store.create(db, definition)
}

const USERS: &str = r#"{"collection":"users","fields":[
    {"path":"email","type":"string","unique":true},{"path":"age","type":"int","index":"sorted"}]}"#;

fn count(store: &Store, db: u32, name: &str) -> u64 {
    store.collection(db, name).map_or(0, Collection::len)
}

#[track_caller]
fn clean(store: &Store) {
    for collection in store.collections() {
        assert_eq!(collection.verify(), Vec::<String>::new(), "{}", collection.name());
    }
}

#[test]
fn rename_moves_a_document_in_either_order_of_events() {
    for source_first in [false, true] {
        let mut store = Store::new(1);
        declare(&mut store, 0, USERS).unwrap();
        let document = set(&mut store, "users:1", r#"{"age":5}"#);
        let (id, version, seq) = (document.id(), document.version(), document.seq());
        if source_first {
            store.forget(0, b"users:1", &document);
        }
        store.adopt(0, b"users:2", &document, None);
        store.forget(0, b"users:1", &document);
        assert_eq!(count(&store, 0, "users"), 1);
        assert!(document.id() > id && document.version() > version && document.seq() > seq);
        let mut key = Vec::new();
        store.collection(0, "users").unwrap().key(document.id(), &mut key);
        assert_eq!(key, b"users:2");
        clean(&store);
    }
}

#[test]
fn move_and_swap_follow_the_database() {
    let mut store = Store::new(1);
    declare(&mut store, 0, USERS).unwrap();
    let document = set(&mut store, "users:1", r#"{"age":5}"#);
    store.adopt(3, b"users:1", &document, None);
    store.forget(0, b"users:1", &document);
    assert_eq!((count(&store, 0, "users"), count(&store, 3, "users")), (0, 1));
    store.swap(0, 3);
    assert_eq!((count(&store, 0, "users"), count(&store, 3, "users")), (1, 0));
    assert!(!store.collection(0, "users").unwrap().is_declared(), "definitions are swapped too");
    store.forget(0, b"users:1", &document);
    assert_eq!(store.names(0), Vec::<String>::new());
    clean(&store);
}

#[test]
fn a_document_that_leaves_all_collections_keeps_its_version_in_either_order_of_events() {
    for source_first in [false, true] {
        let mut store = Store::new(1);
        let document = set(&mut store, "users:1", "{}");
        let version = document.version();
        if source_first {
            store.forget(0, b"users:1", &document);
        }
        store.adopt(0, b"plain", &document, None);
        store.forget(0, b"users:1", &document);
        assert_eq!((document.home(), document.seq(), document.version()), (0, 0, version));
        assert_eq!(count(&store, 0, "users"), 0);
    }
}

#[test]
fn a_key_of_no_collection_is_left_alone_until_it_gets_another_name() {
    let mut store = Store::new(1);
    let document = set(&mut store, "users:1", "{}");
    for odd in ["nocolon", ":x", "users:"] {
        store.adopt(0, odd.as_bytes(), &document, None);
        assert!(store.home_of(&document).is_none(), "{odd}");
        assert_eq!(store.names(0), Vec::<String>::new());
    }
    store.adopt(0, b"users:2", &document, None);
    assert_eq!(count(&store, 0, "users"), 1);
    clean(&store);
}

#[test]
fn versions_are_never_repeated() {
    let mut store = Store::new(1);
    let first = set(&mut store, "users:1", "{}").version();
    let document = set(&mut store, "users:2", "{}");
    let second = document.version();
    store.flush(None);
    let third = set(&mut store, "users:1", "{}").version();
    declare(&mut store, 0, USERS).unwrap();
    let document = set(&mut store, "users:3", "{}");
    let fourth = document.version();
    store.drop_collection(0, "users").unwrap();
    store.forget(0, b"users:3", &document);
    let fifth = set(&mut store, "users:1", r#"{"a":1}"#).version();
    assert!([first, second, third, fourth, fifth].is_sorted_by(|a, b| a < b));
}

#[test]
fn a_declaration_takes_in_what_lies_under_its_prefix() {
    let mut store = Store::new(1);
    set(&mut store, "users:1", r#"{"age":5}"#);
    set(&mut store, "user:1", r#"{"age":6}"#);
    set(&mut store, "u:1", r#"{"age":7}"#);
    let prefix = r#"{"collection":"all","prefix":"us","fields":[{"path":"age","type":"int","index":"set"}]}"#;
    assert_eq!(declare(&mut store, 0, prefix), Ok(Created::New));
    assert_eq!(store.names(0), ["all", "u"]);
    assert_eq!(count(&store, 0, "all"), 2);
    assert_eq!(declare(&mut store, 0, prefix), Ok(Created::Same));
    let nested =
        declare(&mut store, 0, r#"{"collection":"x","prefix":"users:admin:"}"#).unwrap_err();
    assert_eq!(nested.code, Code::Schema);
    assert!(nested.message.contains("nests with 'us'"), "{nested}");
    clean(&store);
    store.drop_collection(0, "all").unwrap();
    assert_eq!(store.names(0), ["u", "user", "users"]);
    clean(&store);
}

#[test]
fn a_declaration_that_documents_break_is_refused_and_names_them() {
    let mut store = Store::new(1);
    set(&mut store, "users:1", r#"{"age":"old","email":"a"}"#);
    let error = declare(&mut store, 0, USERS).unwrap_err();
    assert_eq!(error.to_string(), "SCHEMA field age is declared int, found \"old\" (users:1)");
    let mut store = Store::new(1);
    set(&mut store, "users:1", r#"{"email":"a"}"#);
    set(&mut store, "users:2", r#"{"email":"a"}"#);
    let error = declare(&mut store, 0, USERS).unwrap_err();
    assert_eq!(
        error.to_string(),
        "UNIQUE documents hold the same value at email (users:1, users:2)"
    );
    assert!(!store.collection(0, "users").unwrap().is_declared());
    clean(&store);
}

#[test]
fn a_due_holder_of_a_unique_value_is_named_and_a_live_one_refuses() {
    let mut store = Store::new(1);
    declare(&mut store, 0, USERS).unwrap();
    let holder = set(&mut store, "users:1", r#"{"email":"a"}"#);
    let error = prepare(&mut store, "users:2", None, r#"{"email":"a"}"#).unwrap_err();
    assert_eq!(error.to_string(), "UNIQUE the value at email is held by users:1");
    store.set_expiry(&holder, Some(NOW - 1));
    store.lapse_key(0, b"users:2", NOW);
    let prepared = prepare(&mut store, "users:2", None, r#"{"email":"a"}"#).unwrap();
    assert!(matches!(prepared, Prepared::Held { keys } if keys == [b"users:1"]));
    store.forget(0, b"users:1", &holder);
    set(&mut store, "users:2", r#"{"email":"a"}"#);
    clean(&store);
}

#[test]
fn a_conflict_that_redis_made_is_kept_and_never_enlarged() {
    let mut store = Store::new(1);
    declare(&mut store, 0, USERS).unwrap();
    let first = set(&mut store, "users:1", r#"{"email":"a"}"#);
    let second = first.copy();
    store.adopt(0, b"users:2", &second, None);
    assert_eq!(store.collection(0, "users").unwrap().indexes()[0].conflicts(), 1);
    let whole = prepare(&mut store, "users:1", Some(&first), r#"{"email":"a","age":1}"#);
    assert_eq!(whole.unwrap_err().code, Code::Unique);
    let update = parsed(r#"{"email":"a","age":1}"#);
    let prepared = store.prepare_update(0, b"users:1", &first, &update, NOW, None).unwrap();
    let Prepared::Ready(delta) = prepared else { panic!("{prepared:?}") };
    let first = store.commit(delta);
    let third = prepare(&mut store, "users:3", None, r#"{"email":"a"}"#);
    assert_eq!(third.unwrap_err().code, Code::Unique);
    store.forget(0, b"users:1", &first);
    assert_eq!(store.collection(0, "users").unwrap().indexes()[0].conflicts(), 0);
    clean(&store);
}

#[test]
fn an_update_mends_an_invalid_document_field_by_field() {
    let mut store = Store::new(1);
    declare(&mut store, 0, USERS).unwrap();
    let invalid = Document::new(&parsed(r#"{"age":"x","email":7}"#), Stamp::default());
    store.adopt(0, b"users:1", &invalid, None);
    clean(&store);
    assert_eq!(
        prepare(&mut store, "users:1", Some(&invalid), r#"{"age":1,"email":7}"#).unwrap_err().code,
        Code::Schema
    );
    let mended = parsed(r#"{"age":1,"email":7}"#);
    let prepared = store.prepare_update(0, b"users:1", &invalid, &mended, NOW, None).unwrap();
    assert!(matches!(prepared, Prepared::Ready(_)));
}

#[test]
fn limits_are_named_where_they_are_met() {
    let mut store = Store::new(1);
    let tags = r#"{"collection":"t","fields":[{"path":"tags","type":"array<int>","index":"set"}]}"#;
    declare(&mut store, 0, tags).unwrap();
    let many: Vec<String> = (0..=store.limits.index_entries_max).map(|n| n.to_string()).collect();
    let error = prepare(&mut store, "t:1", None, &format!(r#"{{"tags":[{}]}}"#, many.join(",")))
        .unwrap_err();
    assert_eq!(error.code, Code::Limited);
    assert!(error.message.contains("10000 (folio.index-entries-max)"), "{error}");
    let error = prepare(&mut store, &format!("t:{}", "k".repeat(70_000)), None, "{}").unwrap_err();
    assert_eq!(error.code, Code::TooBig);
    let fields: Vec<String> =
        (0..300).map(|n| format!(r#"{{"path":"f{n}","type":"int"}}"#)).collect();
    let json = format!(r#"{{"collection":"wide","fields":[{}]}}"#, fields.join(","));
    let error = Definition::from_json(json.as_bytes(), &store.limits).unwrap_err();
    assert_eq!(error.to_string(), "LIMITED 300 fields exceed the limit of 256 (folio.fields-max)");
}

#[test]
fn numbers_beyond_what_an_honest_primary_gives_are_refused() {
    let mut store = Store::new(1);
    let stamp = Stamp { version: u64::MAX, seq: 1, ..Stamp::default() };
    assert!(store.prepare_apply(0, b"t:1", None, &parsed("{}"), stamp, None).is_err());
}

#[test]
fn a_number_no_double_holds_needs_a_decimal_field() {
    let mut store = Store::new(1);
    let prices =
        r#"{"collection":"p","fields":[{"path":"price","type":"decimal","index":"sorted"}]}"#;
    declare(&mut store, 0, prices).unwrap();
    set(&mut store, "p:1", r#"{"price":1e400}"#);
    let error = prepare(&mut store, "p:2", None, r#"{"price":1,"x":1e400}"#).unwrap_err();
    assert_eq!(error.code, Code::Json);
    assert!(error.message.contains("at byte 15"), "{error}");
    clean(&store);
}

#[test]
fn an_array_and_its_elements_are_not_declared_both() {
    let both = r#"{"collection":"c","fields":[{"path":"a","type":"array<decimal>"},{"path":"a[*]","type":"int"}]}"#;
    let error = Definition::from_json(both.as_bytes(), &Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), "SCHEMA field a[*] is declared twice, first as a");
}

#[test]
fn a_declaration_that_a_primary_judged_is_not_judged_again_by_another_clock() {
    let mut store = Store::new(1);
    set(&mut store, "users:1", r#"{"email":"a","age":"lapsed, says the primary's clock"}"#);
    set(&mut store, "users:2", r#"{"email":"a"}"#);
    assert_eq!(declare(&mut store, 0, USERS).unwrap_err().code, Code::Schema);
    let definition = Definition::from_json(USERS.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(store.create_applied(0, definition.clone()).unwrap(), Created::New);
    assert_eq!(store.create_applied(0, definition).unwrap(), Created::Same);
    assert_eq!(count(&store, 0, "users"), 2);
    clean(&store);
    let other = r#"{"collection":"users","fields":[]}"#;
    let other = Definition::from_json(other.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(store.create_applied(0, other).unwrap_err().code, Code::CollectionExists);
}

#[test]
fn a_rename_to_another_collection_takes_its_next_numbers_in_either_order_of_events() {
    for source_first in [false, true] {
        let mut store = Store::new(1);
        for n in 0..9 {
            set(&mut store, &format!("busy:{n}"), "{}");
        }
        let document = set(&mut store, "busy:last", "{}");
        set(&mut store, "calm:1", "{}");
        if source_first {
            store.forget(0, b"busy:last", &document);
            store.adopt(0, b"calm:2", &document, None);
        } else {
            store.adopt(0, b"calm:2", &document, None);
            store.forget(0, b"busy:last", &document);
        }
        assert_eq!((document.version(), document.seq()), (2, 2), "{source_first}");
        clean(&store);
    }
}

#[test]
fn saved_definitions_find_documents_that_were_there_before_them() {
    let mut store = Store::new(1);
    set(&mut store, "users:1", r#"{"age":5}"#);
    declare(&mut store, 0, USERS).unwrap();
    let saved = store.save_state();
    // A log may tell of the document before it tells of the definition.
    let mut late = Store::new(2);
    set(&mut late, "users:1", r#"{"age":5}"#);
    for _ in 0..2 {
        late.load_state(0, saved[0].1.as_bytes()).unwrap();
        assert!(late.collection(0, "users").unwrap().is_declared());
        assert_eq!(count(&late, 0, "users"), 1);
        assert_eq!(late.save_state(), saved);
        clean(&late);
    }
}

const STRICT: &str = r#"{"collection":"users","mode":"strict","fields":[
    {"path":"email","type":"string","unique":true},{"path":"price","type":"decimal"}]}"#;

fn invalid(store: &Store) -> Vec<String> {
    let collection = store.collection(0, "users").unwrap();
    let mut keys = Vec::new();
    for id in collection.invalid() {
        let mut key = Vec::new();
        collection.key(id, &mut key);
        keys.push(String::from_utf8(key).unwrap());
    }
    keys
}

fn update(store: &mut Store, key: &str, old: &Document, json: &str) -> Result<Document, Error> {
    match store.prepare_update(0, key.as_bytes(), old, &parsed(json), NOW, None)? {
        Prepared::Ready(delta) => Ok(store.commit(delta)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_redis_brings_against_the_declaration_is_known_until_it_is_mended() {
    let mut store = Store::new(1);
    declare(&mut store, 0, STRICT).unwrap();
    let bring = |store: &mut Store, key: &str, json: &str| {
        let document = Document::new(&parsed(json), Stamp::default());
        store.adopt(0, key.as_bytes(), &document, None);
        document
    };
    bring(&mut store, "users:good", r#"{"email":"a","price":1e999}"#);
    bring(&mut store, "users:huge", r#"{"email":1e999}"#);
    let both = bring(&mut store, "users:both", r#"{"email":7,"extra":true}"#);
    assert_eq!(invalid(&store), ["users:huge", "users:both"]);
    clean(&store);

    // One fault after the other; a new one is refused.
    assert!(update(&mut store, "users:both", &both, r#"{"email":8,"extra":true}"#).is_err());
    let half = update(&mut store, "users:both", &both, r#"{"email":"b","extra":true}"#).unwrap();
    assert_eq!(invalid(&store), ["users:huge", "users:both"]);
    clean(&store);
    let whole = update(&mut store, "users:both", &half, r#"{"email":"b"}"#).unwrap();
    assert_eq!(invalid(&store), ["users:huge"]);

    // It leaves, and comes back where nothing is declared and then something is.
    store.forget(0, b"users:both", &whole);
    store.drop_collection(0, "users").unwrap();
    assert_eq!(invalid(&store), ["users:good", "users:huge"]);
    let error = declare(&mut store, 0, STRICT).unwrap_err();
    assert!(error.message.contains("users:huge"), "{error}");
    clean(&store);
}

#[test]
fn those_that_share_a_unique_value_are_invalid_while_two_are_not_due() {
    let mut store = Store::new(1);
    declare(&mut store, 0, USERS).unwrap();
    let first = set(&mut store, "users:1", r#"{"email":"a"}"#);
    set(&mut store, "users:2", r#"{"email":"b"}"#);
    let copy = first.copy();
    store.adopt(0, b"users:3", &copy, Some(NOW));
    assert_eq!(invalid(&store), ["users:1", "users:3"]);
    store.lapse(0, "users", NOW + 1);
    assert_eq!(invalid(&store), Vec::<String>::new());
    store.set_expiry(&copy, None);
    assert_eq!(invalid(&store), ["users:1", "users:3"]);
    store.forget(0, b"users:1", &first);
    assert_eq!(invalid(&store), Vec::<String>::new());
    clean(&store);
}

const SHOP: &str = r#"{"collection":"users","fields":[{"path":"email","type":"string","unique":true},
    {"path":"age","type":"int","index":"sorted"},{"path":"tags[*]","type":"string","index":"set"}]}"#;

fn digest(store: &Store) -> Digest {
    store.collection(0, "users").unwrap().digest()
}

#[test]
fn a_digest_counts_neither_seeds_nor_ids_nor_order() {
    let people = [
        ("users:1", r#"{"email":"a","age":5,"tags":["x","y"]}"#),
        ("users:2", r#"{"age":5}"#),
        ("users:3", r#"{"email":"a longer one","age":18446744073709551615,"tags":[]}"#),
    ];
    let mut store = Store::new(1);
    declare(&mut store, 0, SHOP).unwrap();
    let mut other = Store::new(2);
    // The second store gives ids to what leaves before the documents come, and indexes them all at once.
    let left = set(&mut other, "users:0", "{}");
    other.forget(0, b"users:0", &left);
    for (at, (key, json)) in people.iter().enumerate() {
        set(&mut store, key, json);
        let (key, json) = people[people.len() - 1 - at];
        set(&mut other, key, json);
    }
    declare(&mut other, 0, SHOP).unwrap();
    assert_eq!(digest(&store).indexes, digest(&other).indexes);
    assert_ne!(digest(&store).documents, digest(&other).documents, "births came in another order");
    assert_eq!(digest(&store).indexes.len(), 3);
}

#[test]
fn a_digest_sees_each_difference_and_only_where_it_is() {
    let mut store = Store::new(1);
    declare(&mut store, 0, SHOP).unwrap();
    let none = digest(&store);
    assert_eq!((none.documents, none.times), (0, 0));
    assert!(none.indexes.iter().all(|index| index.entries == 0));
    let one = set(&mut store, "users:1", r#"{"age":5}"#);
    let before = digest(&store);
    assert!(before.documents != 0 && before.times != 0);
    // Under another key.
    let two = set(&mut store, "users:2", r#"{"age":5}"#);
    store.forget(0, b"users:1", &one);
    let after = digest(&store);
    for (before, after) in before.indexes.iter().zip(&after.indexes) {
        assert_ne!(before.entries, after.entries, "{}", before.paths);
    }
    // A time to live is no change of a document, and once it is over there is none.
    store.set_expiry(&two, Some(NOW));
    let timed = digest(&store);
    assert_eq!((timed.documents, &timed.indexes), (after.documents, &after.indexes));
    assert_ne!(timed.times, after.times);
    store.lapse(0, "users", NOW + 1);
    assert_eq!(digest(&store), none);
}

#[test]
fn a_digest_is_the_same_for_ever() {
    let mut store = Store::new(1);
    declare(&mut store, 0, SHOP).unwrap();
    set(&mut store, "users:1", r#"{"email":"a longer one","age":5,"tags":["x","y"]}"#);
    let digest = digest(&store);
    let sums: Vec<String> = [digest.documents, digest.times]
        .into_iter()
        .chain(digest.indexes.iter().map(|index| index.entries))
        .map(|sum| format!("{sum:032x}"))
        .collect();
    // The first two are what another implementation of XXH3 gives for the parts written one after the other.
    let told = [
        "7cc816d07c0db19f880bb04468a8c4ee",
        "4c65e1eeb25332af0a3feacd60418916",
        "2a56c53f4208de22808d44ea7b615ad5",
        "c02d11b5838ecdfb1e84319a3d0fc3ad",
        "7035dd2617e2379e3719feea0b6fb171",
    ];
    assert_eq!(sums, told);
}

/// As many documents as a file brings in any order: users, of a declared collection, and notes, of an open one.
fn loaded_documents(count: u64) -> Vec<(String, Document)> {
    let document = |n: u64| {
        // Each number once: 7 and the count share no factor.
        let seq = n * 7 % count + 1;
        let name = if seq.is_multiple_of(3) { "notes" } else { "users" };
        let json = format!(r#"{{"email":"{seq}@x","age":{}}}"#, seq % 50);
        let stamp = Stamp { seq, version: seq, ..Stamp::default() };
        (format!("{name}:{seq}"), Document::new(&parsed(&json), stamp))
    };
    (0..count).map(document).collect()
}

const LOADED: u64 = 40_000;

#[test]
fn a_large_load_gives_what_single_writes_give() {
    let mut single = Store::new(1);
    declare(&mut single, 0, USERS).unwrap();
    let mut documents = loaded_documents(LOADED);
    documents.sort_by_key(|(_, document)| document.seq());
    for (key, document) in &documents {
        set(&mut single, key, std::str::from_utf8(document.text()).unwrap());
    }
    let mut store = Store::new(1);
    let (db, json) = single.save_state().remove(0);
    store.load_state(db, json.as_bytes()).unwrap();
    store.begin_load();
    for (key, document) in loaded_documents(LOADED) {
        assert!(store.adopt(0, key.as_bytes(), &document, None));
    }
    assert!(!store.adopt(0, b"plain", &documents[0].1.copy(), None));
    store.end_load();
    clean(&store);
    for name in ["users", "notes"] {
        // Numbers of documents differ: a file brings its own.
        let entries = |store: &Store| store.collection(0, name).unwrap().digest().indexes;
        assert_eq!(entries(&store), entries(&single), "{name}");
        assert_eq!(count(&store, 0, name), count(&single, 0, name));
    }
}

#[test]
fn a_large_load_given_up_leaves_nothing_but_counters() {
    let mut store = Store::new(1);
    declare(&mut store, 0, USERS).unwrap();
    store.begin_load();
    for (key, document) in loaded_documents(LOADED) {
        store.adopt(0, key.as_bytes(), &document, None);
    }
    drop(store.flush(None));
    // More come after it.
    for (key, document) in loaded_documents(LOADED).into_iter().take(LOADED as usize / 2) {
        document.place(0, 0, document.seq() + LOADED, document.version() + LOADED);
        store.adopt(0, key.as_bytes(), &document, None);
    }
    store.end_load();
    clean(&store);
    assert_eq!(count(&store, 0, "users") + count(&store, 0, "notes"), LOADED / 2);

    let mut store = Store::new(1);
    store.begin_load();
    store.adopt(0, b"notes:1", &loaded_documents(LOADED)[9].1, None);
    drop(store.flush(None));
    store.end_load();
    assert_eq!(store.names(0), Vec::<String>::new());
    let document = set(&mut store, "notes:1", "{}");
    assert_eq!((document.seq(), document.version()), (65, 65));
}

#[test]
fn a_load_of_many_collections_gives_each_its_own() {
    const COLLECTIONS: usize = 7;
    const EACH: u64 = 12_000;
    let mut store = Store::new(1);
    for at in 0..COLLECTIONS {
        let json = USERS.replace("users", &format!("users{at}"));
        declare(&mut store, at as u32 % 3, &json).unwrap();
    }
    store.begin_load();
    for (_, document) in loaded_documents(EACH) {
        for at in 0..COLLECTIONS {
            let key = format!("users{at}:{}", document.seq());
            let stamp = Stamp { seq: document.seq(), version: 9, ..Stamp::default() };
            let own = Document::new(&parsed(std::str::from_utf8(document.text()).unwrap()), stamp);
            let expires_ms = document.seq().is_multiple_of(4).then_some(NOW);
            store.adopt(at as u32 % 3, key.as_bytes(), &own, expires_ms);
        }
    }
    store.end_load();
    clean(&store);
    for at in 0..COLLECTIONS {
        let (db, name) = (at as u32 % 3, format!("users{at}"));
        store.lapse(db, &name, NOW + 1);
        assert_eq!(count(&store, db, &name), EACH - EACH / 4);
    }
}
