//! Recomputes everything from the documents and reports each difference. None, always.

use std::collections::BTreeMap;

use roaring::RoaringBitmap;

use super::Collection;
use crate::doc::computed::Seen;
use crate::index::{DocId, Index};
use crate::schema::check;
use crate::value::Key;

/// Differences reported in full; beyond that only their number is of use.
const REPORTED_MAX: usize = 100;

impl Collection {
    /// Each difference between the documents and what is kept about them, in words. O(documents + entries).
    pub fn verify(&self) -> Vec<String> {
        let mut faults = self.verify_table();
        for index in &self.indexes {
            let found = self.verify_index((index, Seen::Declared), &self.live);
            faults.extend(found.into_iter().map(|fault| format!("{}: {fault}", index.title())));
        }
        faults.extend(self.verify_build());
        if faults.len() > REPORTED_MAX {
            let more = faults.len() - REPORTED_MAX;
            faults.truncate(REPORTED_MAX);
            faults.push(format!("and {more} more"));
        }
        faults
    }

    fn verify_table(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut bytes = 0;
        let mut seq = 0;
        for id in &self.live {
            let Some(document) = self.documents.get(id) else {
                faults.push(format!("document {id} is live and not in the table"));
                continue;
            };
            bytes += self.documents.bytes_of(document);
            if self.deleted.contains(id) != document.is_deleted() {
                faults.push(format!("document {id} is taken for what it is not: deleted or not"));
            }
            if (document.home(), document.id()) != (self.uid, id) {
                faults.push(format!(
                    "document {id} takes itself for {} of {}",
                    document.id(),
                    document.home()
                ));
            }
            let seen = self.seen(document);
            if self.is_breaking(id)
                == check::check_stored(&self.definition, seen, self.view(seen)).is_ok()
            {
                faults.push(format!("document {id} is taken for what it is not: valid or invalid"));
            }
            if document.seq() <= seq && seq != 0 {
                faults
                    .push(format!("document {id} has birth number {} after {seq}", document.seq()));
            }
            seq = document.seq();
            if document.seq() > self.counters.seq || document.version() > self.counters.version {
                faults.push(format!("document {id} has numbers above the collection's counters"));
            }
        }
        if bytes != self.documents.document_bytes() {
            faults.push(format!(
                "counts {} bytes and holds {bytes}",
                self.documents.document_bytes()
            ));
        }
        if !self.breaking.is_subset(&self.live) {
            faults.push("documents that are not there are invalid".to_owned());
        }
        if !self.deleted.is_subset(&self.live) {
            faults.push("documents that are not there are deleted".to_owned());
        }
        for id in self.due() {
            if !self.live.contains(id) || self.expiry.time(id).is_none() {
                faults.push(format!("document {id} is due and not there"));
            }
        }
        faults.extend(self.verify_timed());
        faults.extend(self.verify_computed());
        faults.extend(self.verify_versions());
        if self.names != self.names_of_all() {
            faults.push("does not know which names its indexes and fields begin with".to_owned());
        }
        faults
    }

    /// Each document has the values that functions give of what is seen of it.
    fn verify_computed(&self) -> Vec<String> {
        let ids = self.live.iter().filter(|id| !self.computed.is_right(*id, self.document(*id)));
        let faults =
            ids.map(|id| format!("document {id} has other values than are computed of it"));
        let mut faults: Vec<String> = faults.take(REPORTED_MAX).collect();
        let (held, live) = (self.computed.len() as u64, self.live.len());
        // Ahead of a build that brings the first computed field none has values.
        let is_short = self.computed.is_in_use() && held < live;
        if is_short || held > live {
            faults.push("documents that are not there have computed values".to_owned());
        }
        faults
    }

    /// Of each document is seen what its parts with a TTL leave at this instant.
    fn verify_timed(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let (mut hidden, mut timed) = (0, 0);
        for id in &self.live {
            let (Some(held), Some(seen)) = (self.held(id), self.document(id)) else { continue };
            let expected = held.seen_at(self.timed.seen_ms());
            if !expected.view().is_same(seen.view()) || expected.version() != seen.version() {
                faults.push(format!("document {id} is seen as it is not"));
            }
            hidden += usize::from(!seen.ptr_eq(held));
            timed += usize::from(!held.timed().is_empty());
        }
        if (hidden, timed as u64) != (self.timed.hiding_len(), self.with_path_ttl()) {
            faults.push("documents that are not there have parts with a TTL".to_owned());
        }
        faults
    }

    /// What is being built holds the documents that it should, and knows which break it.
    fn verify_build(&self) -> Vec<String> {
        let Some(building) = &self.building else { return Vec::new() };
        let held: RoaringBitmap = self.live.iter().filter(|id| building.holds(*id)).collect();
        let mut faults = Vec::new();
        for index in &building.indexes {
            let found = self.verify_index((index, Seen::Coming), &held);
            faults.extend(found.into_iter().map(|fault| format!("{}: {fault}", index.title())));
        }
        for id in &self.live {
            let Some(document) = self.document(id) else { continue };
            let doc = self.view(document).seen_by(Seen::Coming);
            let keeps = check::check_stored(building.definition(), document, doc).is_ok();
            if building.is_breaking(id) == (keeps || !held.contains(id)) {
                faults.push(format!("document {id} is taken for what it is not"));
            }
        }
        faults.into_iter().map(|fault| format!("being built: {fault}")).collect()
    }

    /// `held` are the documents that the index should hold, if it covers them.
    fn verify_index(&self, (index, seen): (&Index, Seen), held: &RoaringBitmap) -> Vec<String> {
        let mut faults = index.faults();
        let mut expected: BTreeMap<Key, Vec<DocId>> = BTreeMap::new();
        for id in held {
            let Some(document) = self.document(id) else { continue };
            let doc = self.view(document).seen_by(seen);
            for key in index.keys_of(doc, document.is_deleted()) {
                let exact = key.as_ref().tail.is_none();
                if let Some(column) = index.column()
                    && (column.head(id) != Some(key.head()) || column.is_exact(id) != exact)
                {
                    faults.push(format!("document {id}: the column does not hold {key:?}"));
                }
                expected.entry(key).or_default().push(id);
            }
        }
        let taken = if index.takes(true) { held.len() } else { (held - &self.deleted).len() };
        if index.column().is_some_and(|column| column.len() as u64 != taken) {
            faults.push("the column holds documents that are not there".to_owned());
        }
        for (key, posting) in index.each() {
            match expected.remove(&key) {
                Some(ids) if posting.ids().eq(ids.iter().copied()) => {}
                Some(_) => faults.push(format!("{key:?} holds other documents than it should")),
                None => faults.push(format!("{key:?} is in no document")),
            }
        }
        faults.extend(expected.keys().map(|key| format!("{key:?} is not in the index")));
        faults
    }
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
