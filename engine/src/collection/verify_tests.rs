use super::super::{Counters, Origin};
use super::*;
use crate::Limits;
use crate::doc::{Document, Parsed, Stamp};
use crate::index::Index;
use crate::memory::Blocks;
use crate::schema::Definition;

const FIELDS: &str = r#"{"collection":"t","fields":[
    {"path":"n","type":"int","index":"sorted"},{"path":"s","type":"string","index":"set"}],
    "indexes":[{"name":"both","on":[{"path":"s"},{"path":"n","order":"desc"}]},
    {"name":"odd","on":[{"path":"n"}],"where":"n IN (1, 3, 9)"},
    {"name":"words","on":[{"path":"w"}],"using":"substring"}]}"#;
const UID: u32 = 7;

fn document(json: &str) -> Document {
    let mut parsed = Parsed::default();
    parsed.parse(json.as_bytes(), &Limits::default()).unwrap();
    Document::new(&parsed, Stamp::default())
}

/// Documents `t:0`, `t:1`, .. with the ids 0, 1, .. and the birth numbers 1, 2, ..
fn collection(texts: &[&str]) -> (Collection, Vec<Document>) {
    let origin = Origin {
        uid: UID,
        db: 0,
        seed: 1,
        blocks: Blocks::default(),
        signal: crate::collection::Signal::default(),
    };
    let definition = Definition::from_json(FIELDS.as_bytes(), &Limits::default()).unwrap();
    let mut collection = Collection::new(origin, definition, true, Counters::default());
    let documents: Vec<Document> = texts.iter().map(|text| document(text)).collect();
    for (at, document) in documents.iter().enumerate() {
        collection.admit(format!("t:{at}").as_bytes(), document, None);
    }
    assert_eq!(collection.verify(), Vec::<String>::new());
    (collection, documents)
}

/// What is reported of a collection of three after this damage.
fn faults(damage: impl FnOnce(&mut Collection, &[Document])) -> Vec<String> {
    let texts = [
        r#"{"n":1,"s":"a","w":"one"}"#,
        r#"{"n":2,"s":"a","w":"two"}"#,
        r#"{"n":3,"s":"b","w":"drei"}"#,
    ];
    let (mut collection, documents) = collection(&texts);
    damage(&mut collection, &documents);
    collection.verify()
}

fn keys(index: &Index, document: &Document) -> Key {
    index.source().keys(document.view()).pop().unwrap()
}

#[test]
fn each_fault_of_the_table_is_told() {
    let told = faults(|it, _| drop(it.documents.remove(1)));
    assert!(told.contains(&"document 1 is live and not in the table".to_owned()), "{told:?}");
    let told = faults(|_, all| all[1].place(9, 1, 2, 2));
    assert_eq!(told, ["document 1 takes itself for 1 of 9"]);
    let told = faults(|it, _| assert!(it.breaking.insert(1)));
    assert_eq!(told, ["document 1 is taken for what it is not: valid or invalid"]);
    let told = faults(|_, all| all[2].place(UID, 2, 2, 3));
    assert_eq!(told, ["document 2 has birth number 2 after 2"]);
    let told = faults(|_, all| all[1].place(UID, 1, 2, 99));
    assert_eq!(told, ["document 1 has numbers above the collection's counters"]);
    let told = faults(|it, _| assert!(it.breaking.insert(77)));
    assert_eq!(told, ["documents that are not there are invalid"]);
    let told = faults(|it, _| {
        it.expiry.set(77, Some(5));
        it.lapse(6);
    });
    assert_eq!(told, ["document 77 is due and not there"]);
    let told = faults(|it, _| assert!(it.live.remove(2)));
    let bytes =
        |fault: &String| fault.starts_with("counts ") && fault.contains(" bytes and holds ");
    assert!(told.iter().any(bytes), "{told:?}");
    assert!(told.contains(&"n: the column holds documents that are not there".to_owned()));
}

#[test]
fn each_fault_of_an_index_is_told() {
    let of = |told: &[String], beginning: &str, end: &str| {
        told.iter().any(|fault| fault.starts_with(beginning) && fault.ends_with(end))
    };
    let titles = ["n: ", "s: ", "both (s, n DESC): ", "odd (n): ", "words (w): "];
    for (at, path) in titles.into_iter().enumerate() {
        let told = faults(|it, all| {
            let key = keys(&it.indexes[at], &all[2]);
            it.indexes[at].remove(&key, 2);
        });
        assert!(of(&told, path, "is not in the index"), "{told:?}");
        let told = faults(|it, all| {
            let key = keys(&it.indexes[at], &all[2]);
            it.indexes[at].insert(&key, 0);
        });
        assert!(of(&told, path, "holds other documents than it should"), "{told:?}");
        let told = faults(|it, _| {
            let key = keys(&it.indexes[at], &document(r#"{"n":9,"s":"z","w":"zzz"}"#));
            it.indexes[at].insert(&key, 0);
        });
        assert!(of(&told, path, "is in no document"), "{told:?}");
    }
    let told = faults(|it, all| {
        // A document that the filter leaves out.
        let key = Index::source(&it.indexes[0]).keys(all[1].view()).pop().unwrap();
        it.indexes[3].insert(&key, 1);
    });
    assert!(of(&told, "odd (n): ", "is in no document"), "{told:?}");
    let told = faults(|it, all| {
        let key = keys(&it.indexes[0], &all[2]);
        it.indexes[0].insert(&key, 0);
    });
    assert!(told.iter().any(|fault| fault.starts_with("n: document 0: the column")), "{told:?}");
}

#[test]
fn of_many_faults_the_first_are_told_and_the_rest_counted() {
    let (mut collection, _) = collection(&["{}"; REPORTED_MAX + 50]);
    collection.breaking.insert_range(..REPORTED_MAX as u32 + 50);
    let told = collection.verify();
    assert_eq!(told.len(), REPORTED_MAX + 1);
    assert_eq!(told.last().unwrap(), "and 50 more");
}

#[test]
fn documents_are_numbered_anew_when_ids_run_out() {
    let texts = [r#"{"n":3}"#, r#"{"n":1,"s":"a"}"#, r#"{"n":"no number"}"#];
    let (mut collection, documents) = collection(&texts);
    collection.expiry.set(1, Some(50));
    collection.remove(0);
    let numbers = |document: &Document| (document.seq(), document.version());
    let before: Vec<_> = documents.iter().map(numbers).collect();
    collection.next_id = DocId::MAX - 1;
    let late = document(r#"{"n":2,"s":"a"}"#);
    collection.admit(b"t:late", &late, None);

    let named = |id: DocId| {
        let mut key = Vec::new();
        collection.key(id, &mut key);
        String::from_utf8(key).unwrap()
    };
    assert_eq!(collection.live.iter().collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!([0, 1, 2].map(named), ["t:1", "t:2", "t:late"]);
    assert_eq!([&documents[1], &documents[2], &late].map(Document::id), [0, 1, 2]);
    assert_eq!(documents.iter().map(numbers).collect::<Vec<_>>(), before);
    assert_eq!(collection.expires_ms(0), Some(50));
    assert_eq!(collection.breaking.iter().collect::<Vec<_>>(), [1]);
    let key = keys(&collection.indexes[1], &late);
    let held = collection.indexes[1].get(&key).map(|posting| posting.ids().collect::<Vec<_>>());
    assert_eq!(held, Some(vec![0, 2]));
    assert_eq!(collection.verify(), Vec::<String>::new());
}
