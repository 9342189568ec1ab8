//! Strays: documents under keys that name no collection.
//!
//! Folio's own commands write none, but a RENAME, COPY, MOVE or RESTORE can bring a document under such a key, and
//! so can dropping a collection whose prefix holds no colon. They can be read and are in no index. A later
//! declaration, or the end of one, may give their keys a meaning; they are found here then, without a walk over
//! all keys. O(strays) in memory, and nothing where there are none.

use std::collections::BTreeMap;

use folio_engine::doc::Document;

/// The strays of all databases, by database and key.
#[derive(Default)]
pub(crate) struct Strays {
    documents: BTreeMap<(u32, Box<[u8]>), Document>,
}

impl Strays {
    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.documents.is_empty()
    }

    /// A stray has come.
    pub(crate) fn add(&mut self, db: u32, key: &[u8], document: &Document) {
        self.documents.insert((db, key.into()), document.clone());
    }

    /// The database in which a document is one. O(strays).
    pub(crate) fn db_of(&self, document: &Document) -> Option<u32> {
        let mut strays = self.documents.iter();
        strays.find(|(_, stray)| stray.ptr_eq(document)).map(|((db, _), _)| *db)
    }

    /// The keys of those of one database.
    pub(crate) fn keys(&self, db: u32) -> Vec<Box<[u8]>> {
        let here = self.documents.keys().filter(|(of, _)| *of == db);
        here.map(|(_, key)| key.clone()).collect()
    }

    /// Whatever stood under the key has left.
    pub(crate) fn remove(&mut self, db: u32, key: &[u8]) {
        if !self.documents.is_empty() {
            self.documents.remove(&(db, key.into()));
        }
    }

    /// Those of one database, or all, are gone.
    pub(crate) fn flush(&mut self, db: Option<u32>) {
        self.documents.retain(|(of, _), _| db.is_some_and(|db| db != *of));
    }

    /// Two databases change places.
    pub(crate) fn swap(&mut self, a: u32, b: u32) {
        let other = |db| {
            if db == a {
                b
            } else if db == b {
                a
            } else {
                db
            }
        };
        let documents = std::mem::take(&mut self.documents).into_iter();
        self.documents = documents.map(|((db, key), value)| ((other(db), key), value)).collect();
    }

    /// Takes out those of one database, in the order of their keys, which is the same on a replica.
    pub(crate) fn take(&mut self, db: u32) -> Vec<(Box<[u8]>, Document)> {
        let mut taken = Vec::new();
        for ((of, key), document) in std::mem::take(&mut self.documents) {
            if of == db {
                taken.push((key, document));
            } else {
                self.documents.insert((of, key), document);
            }
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use folio_engine::Limits;
    use folio_engine::doc::{Parsed, Stamp};

    use super::*;

    #[test]
    fn strays_follow_their_database() {
        let mut parsed = Parsed::default();
        parsed.parse(b"{}", &Limits::default()).unwrap();
        let document = Document::new(&parsed, Stamp::default());
        let mut strays = Strays::default();
        strays.add(0, b"a", &document);
        strays.add(0, b"b", &document);
        strays.add(1, b"c", &document);
        assert_eq!(strays.db_of(&document), Some(0));
        strays.swap(0, 1);
        strays.remove(1, b"b");
        let keys = |taken: Vec<(Box<[u8]>, Document)>| -> Vec<Box<[u8]>> {
            taken.into_iter().map(|(key, _)| key).collect()
        };
        assert_eq!(keys(strays.take(1)), [b"a"[..].into()]);
        strays.flush(Some(1));
        assert_eq!(keys(strays.take(0)), [b"c"[..].into()]);
        strays.add(0, b"a", &document);
        strays.flush(None);
        assert!(strays.take(0).is_empty());
    }
}
