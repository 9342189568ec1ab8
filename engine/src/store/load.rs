//! Loading: documents come in the order of a hash table. They are kept aside, sorted by birth, and put into tables
//! whose indexes are then built whole.

use std::iter;

use super::{Placement, Store};
use crate::collection::Arrival;
use crate::doc::Document;

/// Documents that a load has brought and that are in no table yet.
#[derive(Debug, Default)]
pub(super) struct Filling {
    open: bool,
    documents: Vec<Loaded>,
}

#[derive(Debug)]
struct Loaded {
    /// The database; the collection's number once that is known.
    place: u32,
    /// The document's birth number, so that sorting looks at no document.
    seq: u64,
    arrival: Arrival,
}

impl Filling {
    pub fn is_open(&self) -> bool {
        self.open
    }

    pub fn add(&mut self, db: u32, key: &[u8], document: &Document, expires_ms: Option<i64>) {
        let arrival = Arrival { key: key.into(), document: document.clone(), expires_ms };
        self.documents.push(Loaded { place: db, seq: document.seq(), arrival });
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
        documents.retain_mut(|loaded| match self.place(loaded.place, &loaded.arrival.key) {
            Ok(placement) => {
                loaded.place = match placement {
                    Placement::Known(uid) => uid,
                    Placement::Founded(name) => self.found(loaded.place, &name),
                };
                true
            }
            Err(_) => false,
        });
        documents.sort_by_cached_key(|loaded| (loaded.place, loaded.seq));
        let mut documents = documents.into_iter().peekable();
        while let Some(place) = documents.peek().map(|loaded| loaded.place) {
            let of_one = iter::from_fn(|| documents.next_if(|loaded| loaded.place == place));
            match self.collections.get_mut(&place) {
                Some(collection) => collection.fill(of_one.map(|loaded| loaded.arrival)),
                None => of_one.for_each(drop),
            }
        }
    }
}
