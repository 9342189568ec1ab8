//! Loading: documents come in the order of a hash table. They are kept aside, sorted by birth, and put into tables
//! whose indexes are then built whole.

use super::{Placement, Store};
use crate::doc::Document;

/// Documents that a load has brought and that are in no table yet.
#[derive(Debug, Default)]
pub(super) struct Filling {
    open: bool,
    documents: Vec<Loaded>,
}

#[derive(Debug)]
struct Loaded {
    db: u32,
    key: Box<[u8]>,
    document: Document,
    expires_ms: Option<i64>,
}

impl Filling {
    pub fn is_open(&self) -> bool {
        self.open
    }

    pub fn add(&mut self, db: u32, key: &[u8], document: &Document, expires_ms: Option<i64>) {
        self.documents.push(Loaded { db, key: key.into(), document: document.clone(), expires_ms });
    }

    pub fn discard(&mut self) {
        self.documents = Vec::new();
    }
}

impl Store {
    /// From here on [`Store::adopt`] keeps documents aside.
    pub fn begin_load(&mut self) {
        self.filling.open = true;
    }

    /// The load is over, well or not: what it brought enters its tables, and the indexes are built.
    pub fn end_load(&mut self) {
        self.settle();
        self.filling.open = false;
        // A saved open collection whose documents had all lapsed is not there any more.
        let uids: Vec<u32> = self.collections.keys().copied().collect();
        for uid in uids {
            self.drop_if_vacant(uid);
        }
    }

    /// Ends the filling at the first step that is not part of it: a log with a snapshot in front goes over to
    /// commands without saying so.
    pub(super) fn settle(&mut self) {
        if !self.filling.open {
            return;
        }
        self.filling.open = false;
        let mut documents = std::mem::take(&mut self.filling.documents);
        documents.sort_by_key(|loaded| loaded.document.seq());
        let mut filled = Vec::new();
        for loaded in documents {
            let Ok(placement) = self.place(loaded.db, &loaded.key) else { continue };
            let uid = match placement {
                Placement::Known(uid) => uid,
                Placement::Founded(name) => self.found(loaded.db, &name),
            };
            let Some(collection) = self.collections.get_mut(&uid) else { continue };
            collection.fill(&loaded.key, &loaded.document, loaded.expires_ms);
            filled.push(uid);
        }
        filled.sort_unstable();
        filled.dedup();
        for uid in filled {
            if let Some(collection) = self.collections.get_mut(&uid) {
                collection.rebuild();
            }
        }
    }
}
