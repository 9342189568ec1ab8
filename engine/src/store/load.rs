//! Loading: documents come in the order of a hash table. They are kept aside, sorted by birth, and put into tables
//! whose indexes are then laid down whole. Where a collection gets many, threads take their keys out meanwhile.

use std::collections::HashMap;
use std::iter;
use std::ops::Range;

use super::{Placement, Store};
use crate::collection::{Arrival, Collection, Crew, DOCUMENTS_FOR_THREADS};
use crate::doc::Document;

/// Documents that a load has brought and that are in no table yet.
#[derive(Debug, Default)]
pub(super) struct Filling {
    open: bool,
    documents: Vec<Loaded>,
    /// Their keys, one after the other.
    keys: Vec<u8>,
    /// By the collection's number.
    homes: HashMap<u32, Home, ahash::RandomState>,
}

#[derive(Debug)]
struct Loaded {
    /// The collection's number.
    home: u32,
    /// Among those of the collection, in the order of their arrival, from 0.
    number: u32,
    /// The document's birth number, so that sorting looks at no document.
    seq: u64,
    key: Range<usize>,
    document: Document,
    expires_ms: Option<i64>,
}

/// What is known of a collection that gets documents.
#[derive(Debug, Default)]
struct Home {
    documents: u32,
    crew: Option<Crew>,
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
        let uid = collection.uid();
        let home = self.homes.entry(uid).or_default();
        let number = home.documents;
        home.documents += 1;
        let start = self.keys.len();
        self.keys.extend_from_slice(key);
        self.documents.push(Loaded {
            home: uid,
            number,
            seq: document.seq(),
            key: start..self.keys.len(),
            document: document.clone(),
            expires_ms,
        });
        if home.documents == DOCUMENTS_FOR_THREADS {
            home.crew = Crew::start(collection);
            if let Some(crew) = &mut home.crew {
                let of_it = self.documents.iter().filter(|loaded| loaded.home == uid);
                of_it.for_each(|loaded| crew.show(&loaded.document));
            }
        } else if let Some(crew) = &mut home.crew {
            crew.show(document);
        }
    }

    pub fn discard(&mut self) {
        *self = Filling { open: self.open, ..Filling::default() };
    }
}

impl Store {
    /// From here on [`Store::adopt`] keeps documents aside.
    pub fn begin_load(&mut self) {
        self.filling.open = true;
    }

    /// Whether documents are kept aside. They belong where the definitions that were there say.
    pub fn has_kept_aside(&self) -> bool {
        !self.filling.documents.is_empty()
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
        let Filling { mut documents, keys, mut homes, .. } = std::mem::take(&mut self.filling);
        documents.sort_by_cached_key(|loaded| (loaded.home, loaded.seq));
        let mut documents = documents.into_iter().peekable();
        while let Some(home) = documents.peek().map(|loaded| loaded.home) {
            let of_one = iter::from_fn(|| documents.next_if(|loaded| loaded.home == home));
            let Some(collection) = self.collections.get_mut(&home) else {
                of_one.for_each(drop);
                continue;
            };
            let arrivals = of_one.map(|Loaded { number, key, document, expires_ms, .. }| Arrival {
                key: &keys[key],
                document,
                expires_ms,
                number,
            });
            collection.fill(arrivals, homes.remove(&home).and_then(|home| home.crew));
        }
    }
}
