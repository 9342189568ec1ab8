//! Loading: documents come in the order of a hash table. They are kept aside, sorted by birth, and put into tables
//! whose indexes are then laid down whole. Where a collection gets many, threads take their keys out meanwhile.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{Placement, Store};
use crate::collection::{Arrival, Collection, Counters, Crew, DOCUMENTS_FOR_THREADS};
use crate::doc::Document;

/// Documents that a load has brought and that are in no table yet.
#[derive(Debug, Default)]
pub(super) struct Filling {
    open: bool,
    /// By the collection's number.
    homes: BTreeMap<u32, Incoming>,
    /// The keys of all documents, one after the other.
    keys: Vec<u8>,
    crews: usize,
}

/// Collections whose keys are taken out at once. The largest get their documents first, most likely; the others are
/// indexed one after the other in the end, so that threads and memory do not grow with the number of collections.
const CREWS_MAX: usize = 4;

/// What one collection gets.
#[derive(Debug, Default)]
struct Incoming {
    /// In the order of their arrival.
    documents: Vec<Loaded>,
    crew: Option<Crew>,
}

#[derive(Debug)]
struct Loaded {
    /// The document's birth number, so that sorting looks at no document.
    seq: u64,
    key: Range<usize>,
    /// None once it is in its table.
    document: Option<Document>,
    expires_ms: Option<i64>,
}

impl Incoming {
    /// The numbers of arrival in the order of birth.
    fn order(&self) -> Vec<u32> {
        let numbered = self.documents.iter().zip(0..);
        let mut order: Vec<(u64, u32)> = numbered.map(|(loaded, at)| (loaded.seq, at)).collect();
        order.sort_unstable();
        order.into_iter().map(|(_, number)| number).collect()
    }

    /// The highest numbers that the documents have.
    fn counters(&self) -> Counters {
        let documents = self.documents.iter().filter_map(|loaded| loaded.document.as_ref());
        let numbers =
            documents.map(|document| Counters { version: document.version(), seq: document.seq() });
        numbers.fold(Counters::default(), Counters::max)
    }
}

impl Filling {
    pub fn is_open(&self) -> bool {
        self.open
    }

    fn add(
        &mut self,
        collection: &Collection,
        key: &[u8],
        document: &Document,
        expires_ms: Option<i64>,
    ) {
        let home = self.homes.entry(collection.uid()).or_default();
        let start = self.keys.len();
        self.keys.extend_from_slice(key);
        home.documents.push(Loaded {
            seq: document.seq(),
            key: start..self.keys.len(),
            document: Some(document.clone()),
            expires_ms,
        });
        if let Some(crew) = &mut home.crew {
            crew.show(document);
        } else if home.documents.len() == DOCUMENTS_FOR_THREADS && self.crews < CREWS_MAX {
            home.crew = Crew::start(collection);
            if let Some(crew) = &mut home.crew {
                self.crews += 1;
                let before = home.documents.iter().filter_map(|loaded| loaded.document.as_ref());
                before.for_each(|document| crew.show(document));
            }
        }
    }

    /// Drops what was kept aside. Gives the highest numbers of each collection.
    pub fn discard(&mut self) -> Vec<(u32, Counters)> {
        let dropped = std::mem::take(self);
        self.open = dropped.open;
        dropped.homes.iter().map(|(uid, home)| (*uid, home.counters())).collect()
    }
}

impl Store {
    /// From here on [`Store::adopt`] keeps documents aside.
    pub fn begin_load(&mut self) {
        self.filling.open = true;
    }

    /// Whether documents are kept aside. They belong where the definitions that were there say.
    pub fn has_kept_aside(&self) -> bool {
        !self.filling.homes.is_empty()
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

    /// Keeps a document aside; false if its key names no collection.
    pub(super) fn keep_aside(
        &mut self,
        db: u32,
        key: &[u8],
        document: &Document,
        expires_ms: Option<i64>,
    ) -> bool {
        let uid = match self.place(db, key) {
            Ok(Placement::Known(uid)) => uid,
            Ok(Placement::Founded(name)) => self.found(db, &name),
            Err(_) => return false,
        };
        if let Some(collection) = self.collections.get(&uid) {
            self.filling.add(collection, key, document, expires_ms);
        }
        true
    }

    /// Ends the filling at the first step that is not part of it: a log with a snapshot in front goes over to
    /// commands without saying so.
    pub(super) fn settle(&mut self) {
        if !self.filling.open {
            return;
        }
        let Filling { homes, keys, .. } = std::mem::take(&mut self.filling);
        for (uid, mut home) in homes {
            let Some(collection) = self.collections.get_mut(&uid) else { continue };
            let order = home.order();
            let arrivals = order.iter().filter_map(|number| {
                let Loaded { key, document, expires_ms, .. } =
                    &mut home.documents[*number as usize];
                let (key, document) = (&keys[key.clone()], document.take()?);
                Some(Arrival { key, document, expires_ms: *expires_ms, number: *number })
            });
            collection.fill(arrivals, home.crew);
        }
    }
}
