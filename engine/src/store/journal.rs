//! What collections with `CHANGES` are to tell: each committed change, in order, until whoever writes it down takes it.
//!
//! The store notes a change in the function that makes it: [`Store::commit`], [`Store::adopt`], [`Store::forget`]. What a load, a
//! declaration or the end of one does to tables is no change. A collection without `CHANGES` costs one look at its declaration.

use super::Store;
use crate::collection::Collection;
use crate::doc::Document;
use crate::doc::diff::changed_paths;
use crate::schema::{ChangeStream, Told};

/// What happened to a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeOp {
    /// It was born.
    Insert,
    /// It was changed.
    Update,
    /// It was removed.
    Delete,
    /// It lapsed.
    Expire,
    /// The server took it away for want of memory.
    Evict,
    /// All documents of the collection are gone.
    Flush,
}

impl ChangeOp {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            ChangeOp::Insert => "insert",
            ChangeOp::Update => "update",
            ChangeOp::Delete => "delete",
            ChangeOp::Expire => "expire",
            ChangeOp::Evict => "evict",
            ChangeOp::Flush => "flush",
        }
    }
}

/// What brought a change about, where that is not a command on the document itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The document has another key now.
    Rename,
    /// It has gone to another database.
    Move,
    /// It is a copy.
    Copy,
    /// It was restored.
    Restore,
    /// Another value has taken its place, by a command that is none of Folio's.
    Overwrite,
    /// Its collection was dropped with all documents.
    Drop,
    /// It was marked as deleted. What becomes of it afterwards is told when it comes back.
    Soft,
    /// It was marked as deleted, and has come back.
    Undelete,
    /// Parts of it had a TTL, and have lapsed.
    Ttl,
    /// It was brought to the schema version in force.
    Migrate,
}

impl Cause {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Cause::Rename => "rename",
            Cause::Move => "move",
            Cause::Copy => "copy",
            Cause::Restore => "restore",
            Cause::Overwrite => "overwrite",
            Cause::Drop => "drop",
            Cause::Soft => "soft",
            Cause::Undelete => "undelete",
            Cause::Ttl => "ttl",
            Cause::Migrate => "migrate",
        }
    }
}

/// A committed change of a collection that tells of its changes.
#[derive(Debug, Clone)]
pub struct Change {
    /// The logical database.
    pub db: u32,
    /// The collection's name.
    pub collection: Box<str>,
    /// What the collection is declared with.
    pub stream: ChangeStream,
    /// What happened.
    pub op: ChangeOp,
    /// What brought it about.
    pub cause: Option<Cause>,
    /// The document's key; of a flush none.
    pub key: Box<[u8]>,
    /// The version that the document has now, or had last; of a flush the collection's.
    pub version: u64,
    /// The document that stood there, for an update or where its text is asked for.
    pub before: Option<Document>,
    /// The document that stands there.
    pub after: Option<Document>,
}

impl Change {
    /// The paths of what an update changed, as a JSON array. O(bytes of both texts).
    pub fn paths(&self) -> Option<String> {
        let (ChangeOp::Update, Some(before), Some(after)) = (self.op, &self.before, &self.after)
        else {
            return None;
        };
        let paths = changed_paths(before.view(), after.view());
        Some(serde_json::to_string(&paths).expect("texts have a JSON form"))
    }

    /// Hides the parts that have lapsed at `now_ms`, whose removal will be a change of its own.
    pub fn hide_due_paths(&mut self, now_ms: i64) {
        let is_removal = self.op == ChangeOp::Update && self.cause == Some(Cause::Ttl);
        let before = self.before.as_mut().filter(|_| !is_removal);
        for document in before.into_iter().chain(&mut self.after) {
            if let Some(seen) = document.without_due_paths(now_ms) {
                *document = seen;
            }
        }
    }

    /// The texts before and after, as far as entries are to hold them.
    pub fn texts(&self) -> (Option<&[u8]>, Option<&[u8]>) {
        let before = self.before.as_ref().filter(|_| self.stream.what == Told::Both);
        let after = self.after.as_ref().filter(|_| self.stream.what != Told::Keys);
        (before.map(Document::text), after.map(Document::text))
    }
}

/// Changes that nobody has taken yet.
#[derive(Debug, Default)]
pub(super) struct Journal {
    changes: Vec<Change>,
}

/// A change in the making.
#[derive(Clone, Copy)]
pub(super) struct Noted<'n> {
    pub op: ChangeOp,
    pub cause: Option<Cause>,
    pub key: &'n [u8],
    pub version: u64,
    pub before: Option<&'n Document>,
    pub after: Option<&'n Document>,
}

impl Journal {
    /// How many changes are noted.
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// Notes what brought about the changes from a place on.
    pub fn explain(&mut self, from: usize, cause: Cause) {
        for change in self.changes.iter_mut().skip(from) {
            change.cause = Some(cause);
        }
    }

    /// Notes a change of `collection`, if it tells of any.
    pub fn note(&mut self, collection: &Collection, noted: Noted<'_>) {
        let Some(stream) = collection.definition().options.changes else { return };
        // Of an update both tell which paths changed.
        let keeps_before = stream.what == Told::Both || noted.op == ChangeOp::Update;
        let keeps_after = stream.what != Told::Keys || noted.op == ChangeOp::Update;
        self.changes.push(Change {
            db: collection.db(),
            collection: collection.name().into(),
            stream,
            op: noted.op,
            cause: noted.cause,
            key: noted.key.into(),
            version: noted.version,
            before: noted.before.filter(|_| keeps_before).cloned(),
            after: noted.after.filter(|_| keeps_after).cloned(),
        });
    }

    /// Notes that a document was written in the place of `before`, marked as deleted, or brought back.
    pub fn note_written(
        &mut self,
        collection: &Collection,
        key: &[u8],
        before: Option<&Document>,
        after: &Document,
    ) {
        let was_there = before.filter(|before| !before.is_deleted());
        let (op, cause) = match (was_there, before) {
            (Some(before), _) if after.is_deleted() => {
                return self.note_left(collection, key, (before, after.version()), Cause::Soft);
            }
            _ if after.is_deleted() => return,
            (Some(_), _) => (ChangeOp::Update, None),
            (None, Some(_)) => (ChangeOp::Insert, Some(Cause::Undelete)),
            (None, None) => (ChangeOp::Insert, None),
        };
        let (version, before, after) = (after.version(), was_there, Some(after));
        self.note(collection, Noted { op, cause, key, version, before, after });
    }

    /// Notes that a document has left, which has that version now.
    pub fn note_left(
        &mut self,
        from: &Collection,
        key: &[u8],
        (doc, version): (&Document, u64),
        cause: Cause,
    ) {
        // One that is marked as deleted has left already.
        if from.definition().options.changes.is_some() && !doc.is_deleted() {
            let op = ChangeOp::Delete;
            let (cause, before) = (Some(cause), Some(doc));
            self.note(from, Noted { op, cause, key, version, before, after: None });
        }
    }
}

impl Store {
    /// Whether there are changes to take.
    pub fn has_changes(&self) -> bool {
        !self.journal.changes.is_empty()
    }

    /// The changes since they were taken last, in order.
    pub fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.journal.changes)
    }

    /// Runs `body`, of whose changes nothing is told: documents only change tables.
    pub fn untold<R>(&mut self, body: impl FnOnce(&mut Store) -> R) -> R {
        let told = self.journal.changes.len();
        let result = body(self);
        self.journal.changes.truncate(told);
        result
    }

    /// Notes that the documents of one database, or of all, are gone. The declarations are there still.
    pub fn note_flush(&mut self, db: Option<u32>) {
        let is_told = |it: &&Collection| db.is_none_or(|db| it.db() == db);
        let mut collections: Vec<_> = self.collections.values().filter(is_told).collect();
        collections.sort_unstable_by_key(|collection| collection.uid());
        for collection in collections {
            self.journal.note(collection, flush(collection, None));
        }
    }

    /// Notes that the documents of one collection are about to go with its declaration.
    pub fn note_drop(&mut self, db: u32, name: &str) {
        let uid = self.databases.get(&db).and_then(|names| names.uid(name));
        if let Some(collection) = uid.and_then(|uid| self.collections.get(&uid)) {
            self.journal.note(collection, flush(collection, Some(Cause::Drop)));
        }
    }

    /// The next number of an entry of a collection's changes, which it takes; none where there is no such collection.
    pub fn take_change_number(&mut self, db: u32, name: &str) -> Option<u64> {
        let collection = self.named_mut(db, name)?;
        collection.raise_change_number(collection.change_number().saturating_add(1));
        Some(collection.change_number())
    }

    /// The entry of this number is there: the next one has a higher number.
    pub fn raise_change_number(&mut self, db: u32, name: &str, to: u64) {
        if let Some(collection) = self.named_mut(db, name) {
            collection.raise_change_number(to);
        }
    }

    pub(super) fn named_mut(&mut self, db: u32, name: &str) -> Option<&mut Collection> {
        let uid = self.databases.get(&db)?.uid(name)?;
        self.collections.get_mut(&uid)
    }
}

fn flush(collection: &Collection, cause: Option<Cause>) -> Noted<'static> {
    let version = collection.counters().version;
    Noted { op: ChangeOp::Flush, cause, key: b"", version, before: None, after: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;
    use crate::doc::testing::parsed;
    use crate::schema::Definition;
    use crate::store::Prepared;

    fn declared(json: &str) -> Store {
        let mut store = Store::new(1);
        let definition = Definition::from_json(json.as_bytes(), &Limits::default()).unwrap();
        store.create(0, definition).unwrap();
        store
    }

    fn set(store: &mut Store, key: &str, old: Option<&Document>, json: &str) -> Document {
        match store.prepare(0, key.as_bytes(), old, &parsed(json), 0, None).unwrap() {
            Prepared::Ready(delta) => store.commit(delta),
            other => panic!("{other:?}"),
        }
    }

    /// Each change in words.
    fn told(store: &mut Store) -> Vec<String> {
        let changes = store.take_changes().into_iter().map(|change| {
            let key = String::from_utf8_lossy(&change.key);
            let cause = change.cause.map_or("", Cause::name);
            let told = |text: Option<&[u8]>| text.map_or(0, <[u8]>::len);
            let (before, after) = change.texts();
            let (op, paths) = (change.op.name(), change.paths().unwrap_or_default());
            let lengths = (told(before), told(after));
            format!("{op} {key} {} {cause} {paths} {lengths:?}", change.version)
        });
        changes.collect()
    }

    #[test]
    fn a_change_is_noted_once_and_with_what_is_asked_for() {
        for (what, before, after) in [("keys", 0, 0), ("after", 0, 7), ("both", 7, 7)] {
            let json = format!(r#"{{"collection":"t","changes":{{"what":"{what}"}}}}"#);
            let mut store = declared(&json);
            let first = set(&mut store, "t:1", None, r#"{"a":1}"#);
            let second = set(&mut store, "t:1", Some(&first), r#"{"a":2}"#);
            set(&mut store, "other:1", None, "{}");
            store.forget(0, b"t:1", &second);
            store.forget(0, b"t:1", &second);
            let expected = [
                format!("insert t:1 1   (0, {after})"),
                format!(r#"update t:1 2  ["a"] ({before}, {after})"#),
                format!("delete t:1 2 overwrite  ({before}, 0)"),
            ];
            assert_eq!(told(&mut store), expected);
            assert!(!store.has_changes());
        }
    }

    #[test]
    fn a_rename_and_a_move_are_a_removal_and_a_birth_and_a_declaration_is_neither() {
        let mut store = declared(r#"{"collection":"t","changes":{}}"#);
        let json = br#"{"collection":"t","changes":{}}"#;
        store.create(1, Definition::from_json(json, &Limits::default()).unwrap()).unwrap();
        let document = set(&mut store, "t:1", None, "{}");
        store.adopt(0, b"t:2", &document, None);
        store.adopt(0, b"t:2", &document, None);
        store.adopt(1, b"t:2", &document, None);
        store.adopt(1, b"nowhere", &document, None);
        let expected = [
            "insert t:1 1   (0, 0)",
            "delete t:1 1 rename  (0, 0)",
            "insert t:2 2   (0, 0)",
            "delete t:2 2 move  (0, 0)",
            "insert t:2 1   (0, 0)",
            "delete t:2 1 rename  (0, 0)",
        ];
        assert_eq!(told(&mut store), expected);
        set(&mut store, "t:3", None, "{}");
        told(&mut store);
        store.drop_collection(0, "t").unwrap();
        store.create(0, Definition::from_json(json, &Limits::default()).unwrap()).unwrap();
        store.untold(|store| set(store, "t:4", None, "{}"));
        assert!(!store.has_changes());
        drop(store.flush(None));
        store.note_flush(Some(0));
        assert_eq!(told(&mut store), ["flush  4   (0, 0)"]);
    }

    #[test]
    fn the_number_goes_with_counters_and_outlives_a_flush() {
        let mut store = declared(r#"{"collection":"t","changes":{}}"#);
        let old = store.save_state();
        assert!(!old[0].1.contains(r#""changes":0"#), "{}", old[0].1);
        assert_eq!(store.take_change_number(0, "t"), Some(1));
        store.raise_change_number(0, "t", 7);
        store.raise_change_number(0, "t", 3);
        assert_eq!(store.take_change_number(0, "none"), None);
        drop(store.flush(Some(0)));
        let saved = store.save_state();
        for (state, next) in [(&old, 1), (&saved, 8)] {
            let mut other = Store::new(2);
            other.load_state(0, state[0].1.as_bytes()).unwrap();
            assert_eq!(other.take_change_number(0, "t"), Some(next));
        }
        let mut definition = store.collection(0, "t").unwrap().definition().clone();
        definition.options.changes = None;
        assert_eq!(store.set_options(0, &definition), Ok(true));
        assert_eq!(store.set_options(0, &definition), Ok(false));
        assert_eq!(store.take_change_number(0, "t"), Some(8));
    }
}
