//! Parts of documents that lapse by themselves: hidden from their instant, until whoever decides has them removed.
//!
//! ```text
//!   keyspace and table   {"otp":"7","name":"Ada"}   as it was written, and when `otp` lapses
//!   veil                 {"name":"Ada"}             what is seen of it, once that instant is over
//!   indexes              hold what is seen
//! ```
//! Nothing is written when a part lapses, so a replica hides it at the same instant and decides nothing. The removal is an
//! ordinary change, which a primary makes soon afterwards ([`Store::lapse_paths`](crate::store::Store::lapse_paths)).

use std::collections::{BTreeSet, HashMap};

use super::{Collection, Entered};
use crate::doc::Document;
use crate::doc::timed::each_timed;
use crate::index::{DocId, IdMap};
use crate::memory::Blocks;

/// The documents of a collection that have parts with a TTL.
#[derive(Debug, Default)]
pub(super) struct Timed {
    /// Those of which a part will lapse, by the next instant.
    order: BTreeSet<(i64, DocId)>,
    next: IdMap<i64>,
    /// What is seen of those of which parts have lapsed.
    veils: HashMap<DocId, Document, ahash::RandomState>,
    /// The clock at the last look.
    seen_ms: i64,
}

impl Timed {
    /// A document is in the table, as it was written.
    pub fn enter(&mut self, id: DocId, document: &Document) {
        if !document.timed().is_empty() {
            // What is due already will be hidden by the next look.
            self.set_next(id, document.next_lapse_ms(i64::MIN));
        }
    }

    /// What the indexes hold of a document is to be what stands in the table. Gives what they hold instead, if they do.
    pub fn leave(&mut self, id: DocId) -> Option<Document> {
        self.set_next(id, None);
        if self.veils.is_empty() {
            return None;
        }
        let veil = self.veils.remove(&id);
        if self.veils.is_empty() {
            // A table keeps its room.
            self.veils = HashMap::default();
        }
        veil
    }

    fn set_next(&mut self, id: DocId, at_ms: Option<i64>) {
        if self.order.is_empty() && at_ms.is_none() {
            return;
        }
        let before = match at_ms {
            Some(at_ms) => self.next.insert(id, at_ms),
            None => self.next.remove(id),
        };
        if let Some(before) = before {
            self.order.remove(&(before, id));
        }
        self.order.extend(at_ms.map(|at_ms| (at_ms, id)));
    }

    /// What is seen in the place of the document of `id`.
    pub fn veil(&self, id: DocId) -> Option<&Document> {
        if self.veils.is_empty() { None } else { self.veils.get(&id) }
    }

    /// How many documents are seen otherwise than they stand in the table.
    pub fn hiding_len(&self) -> usize {
        self.veils.len()
    }

    /// The clock at the last look.
    pub fn seen_ms(&self) -> i64 {
        self.seen_ms
    }

    /// The documents of which a part lapses before `now_ms`, in the order in which they do.
    fn lapsed(&self, now_ms: i64) -> impl Iterator<Item = DocId> {
        self.order.iter().take_while(move |(at_ms, _)| *at_ms < now_ms).map(|(_, id)| *id)
    }

    pub fn heap_bytes(&self, blocks: Blocks) -> usize {
        // A leaf of the B-tree has room for 11 entries and two words.
        let leaf = 11 * size_of::<(i64, DocId)>() + 2 * size_of::<usize>();
        let veils: usize = self.veils.values().map(|veil| blocks.bytes(veil.bytes())).sum();
        let table = self.veils.capacity() * (size_of::<(DocId, Document)>() + 1);
        self.order.len().div_ceil(7) * blocks.bytes(leaf)
            + self.next.heap_bytes(blocks)
            + veils
            + if table == 0 { 0 } else { blocks.bytes(table) }
    }
}

impl Collection {
    /// Hides the parts that are due at `now_ms`. O(bytes and entries of the documents of which a part has lapsed since the
    /// last look).
    pub(super) fn hide_due_paths(&mut self, now_ms: i64) {
        let mut moved: Vec<DocId> = Vec::new();
        if now_ms < self.timed.seen_ms {
            // The clock was set back: what was hidden since is seen again.
            let is_early = |id: &DocId| {
                let is_due = |(at_ms, _)| (now_ms..self.timed.seen_ms).contains(&at_ms);
                self.held(*id).is_some_and(|held| each_timed(held.timed()).any(is_due))
            };
            moved.extend(self.timed.veils.keys().copied().filter(is_early));
        }
        moved.extend(self.timed.lapsed(now_ms));
        self.timed.seen_ms = now_ms;
        moved.sort_unstable();
        moved.dedup();
        for id in moved {
            self.look_again(id, now_ms);
        }
    }

    /// Has the indexes hold what is seen of the document of `id` at `now_ms`.
    fn look_again(&mut self, id: DocId, now_ms: i64) {
        let Some(document) = self.documents.get(id).cloned() else { return };
        let before = self.timed.leave(id).unwrap_or_else(|| document.clone());
        let veil = document.without_due_paths(now_ms);
        let seen = veil.as_ref().unwrap_or(&document);
        let values = self.compute(seen.view(), false);
        let is_deleted = document.is_deleted();
        let new = Entered { doc: self.view_with(seen.view(), &values), is_deleted };
        let changes = self.changes(Some(Entered { doc: self.view(&before), is_deleted }), new);
        self.computed.set(id, values);
        self.change_entries(id, &changes);
        self.judge_late(id, seen);
        self.timed.set_next(id, seen.next_lapse_ms(now_ms));
        self.timed.veils.extend(veil.map(|veil| (id, veil)));
    }

    /// The documents of which parts have lapsed at `now_ms` that nobody has removed yet, whether or not they are hidden by
    /// now, each once. O(1) for each.
    pub fn lapsing(&self, now_ms: i64) -> impl Iterator<Item = DocId> {
        let is_due = move |id: &DocId| self.held(*id).is_some_and(|it| it.has_due_paths(now_ms));
        let hidden = self.timed.veils.keys().copied().filter(is_due);
        let lapsed = self.timed.lapsed(now_ms);
        hidden.chain(lapsed.filter(|id| self.timed.veil(*id).is_none()))
    }

    /// When the next part lapses, or what is hidden did, at the latest.
    pub fn next_path_lapse_ms(&self) -> Option<i64> {
        let hidden = self.timed.veils.keys().next().map(|_| self.timed.seen_ms);
        hidden.or_else(|| self.timed.order.first().map(|(at_ms, _)| *at_ms))
    }

    /// How many documents have parts with a TTL.
    pub fn with_path_ttl(&self) -> u64 {
        let hidden_whole = self.timed.veils.values().filter(|veil| veil.timed().is_empty()).count();
        (self.timed.order.len() + hidden_whole) as u64
    }

    /// The documents that have parts with a TTL.
    pub(super) fn each_timed(&self) -> impl Iterator<Item = (DocId, &Document)> {
        let ids = self.timed.order.iter().map(|(_, id)| *id);
        ids.filter_map(|id| Some((id, self.documents.get(id)?)))
    }
}
