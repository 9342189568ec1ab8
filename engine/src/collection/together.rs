//! Unique values of several writes that are made together, judged as they will stand when all are done.
//!
//! ```text
//!   write 0: a@x -> b@x      gives a@x up, takes b@x       a@x: held by 0, who gives it up, so 1 may take it
//!   write 1: b@x -> a@x      gives b@x up, takes a@x       b@x: the same the other way round
//! ```
//! A value may be taken if nobody else in the batch takes it, and everybody who holds it gives it up in the batch.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use super::write::Change;
use super::{Collection, Delta};
use crate::doc::{DocRef, Document};
use crate::error::{Error, Result};
use crate::index::{DocId, Index};
use crate::value::Key;

/// The writes of a batch to one collection.
pub(crate) struct Together<'b> {
    collection: &'b Collection,
    /// Which document gives up which value of which index.
    given_up: HashSet<(usize, Key, DocId)>,
    takes: Vec<Take<'b>>,
}

/// One write that puts a document.
struct Take<'b> {
    /// Its place in the batch.
    at: usize,
    key: &'b [u8],
    /// The document that it replaces.
    own: Option<DocId>,
    /// The indexes with what is put into them.
    values: Vec<(usize, Vec<Key>)>,
}

impl<'b> Together<'b> {
    /// No writes to `collection` yet.
    pub(crate) fn new(collection: &'b Collection) -> Self {
        Together { collection, given_up: HashSet::new(), takes: Vec::new() }
    }

    /// A write puts a document. `whole` is the document where all of its values are judged, and not only those that are
    /// new: while there are conflicts, that is more.
    pub(crate) fn put(
        &mut self,
        at: usize,
        key: &'b [u8],
        delta: &Delta,
        whole: Option<DocRef<'_>>,
    ) {
        let collection = self.collection;
        let is_unique =
            |change: &&Change| collection.index_at(change.index).is_some_and(Index::is_unique);
        let mut values: Vec<(usize, Vec<Key>)> = Vec::new();
        for change in delta.changes.iter().filter(is_unique) {
            if let Some(own) = delta.replaces {
                let lost = change.removed.iter().map(|key| (change.index, key.clone(), own));
                self.given_up.extend(lost);
            }
            values.push((change.index, change.added.to_vec()));
        }
        if let Some(doc) = whole {
            let asked = collection.judged_whole(delta.replaces);
            values.extend(asked.map(|(at, index)| {
                let doc = doc.seen_by(collection.seen_by(at));
                (at, index.source().keys(doc).into_vec())
            }));
        }
        self.takes.push(Take { at, key, own: delta.replaces, values });
    }

    /// A document goes.
    pub(crate) fn remove(&mut self, old: Option<&Document>) {
        let Some(old) = old else { return };
        for (at, index) in self.collection.every_index().enumerate() {
            if index.is_unique() {
                let keys = self.collection.keys_in(at, index, old).into_iter();
                self.given_up.extend(keys.map(|key| (at, key, old.id())));
            }
        }
    }

    /// Refuses the first write that takes what another holds or takes; gives the keys of lapsed documents that hold some.
    pub(crate) fn judge(self) -> Result<Vec<Vec<u8>>, (usize, Error)> {
        let mut taken: HashMap<(usize, Key), (usize, &[u8])> = HashMap::new();
        let mut held = Vec::new();
        for take in &self.takes {
            for (at, key) in
                take.values.iter().flat_map(|(at, keys)| keys.iter().map(|key| (*at, key)))
            {
                let index = self.collection.index_at(at);
                let Some(index) = index.filter(|index| index.claims(key.as_ref())) else {
                    continue;
                };
                match taken.entry((at, key.clone())) {
                    Entry::Occupied(other) if other.get().0 != take.at => {
                        return Err((take.at, held_by(index, other.get().1)));
                    }
                    Entry::Occupied(_) => continue,
                    Entry::Vacant(entry) => entry.insert((take.at, take.key)),
                };
                self.judge_held((at, index), key, take, &mut held)
                    .map_err(|error| (take.at, error))?;
            }
        }
        Ok(held)
    }

    /// Refuses a value that a live document keeps, and gathers the lapsed ones that do.
    fn judge_held(
        &self,
        (at, index): (usize, &Index),
        key: &Key,
        take: &Take<'_>,
        held: &mut Vec<Vec<u8>>,
    ) -> Result<()> {
        let Some(posting) = index.get(key) else { return Ok(()) };
        for holder in posting.ids().filter(|id| Some(*id) != take.own) {
            if self.given_up.contains(&(at, key.clone(), holder)) {
                continue;
            }
            let mut holder_key = Vec::new();
            self.collection.key(holder, &mut holder_key);
            if !self.collection.due().contains(holder) {
                return Err(held_by(index, &holder_key));
            }
            held.push(holder_key);
        }
        Ok(())
    }
}

/// The error of a value that another document holds.
pub(super) fn held_by(index: &Index, holder: &[u8]) -> Error {
    let verb = if index.source().is_tuples() { "are" } else { "is" };
    Error::held(format!("the {} {verb} held by", index.shared()), holder)
}
