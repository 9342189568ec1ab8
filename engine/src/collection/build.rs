//! Tables and indexes filled in one go: after a load, for a new declaration, and when ids are numbered anew. Laying all
//! entries of an index down at once costs far less than adding them one by one, and indexes are built side by side: each
//! thread has a [`Share`] of the fields and looks at every document once.
//!
//! ```text
//!   new declaration, renumbering    table filled     shares look at its documents      laid down
//!   load of many documents          shares look at documents as they arrive (`crew`),  laid down
//!                                   the table is filled when all are there
//! ```

use std::hint::black_box;
use std::iter;
use std::num::NonZero;
use std::panic;
use std::sync::{Mutex, PoisonError};
use std::thread;

use roaring::RoaringBitmap;

use super::crew::Crew;
use super::timed::Timed;
use super::{Collection, Documents};
use crate::doc::computed::Seen;
use crate::doc::{DocRef, Document};
use crate::index::{Builder, DocId, Expiry, Ids, Index, id_of};
use crate::schema::{Definition, Field, check};
use crate::value::KeyBuf;

/// From so many documents on, indexes are built by several threads: fewer are done soon.
pub(crate) const DOCUMENTS_FOR_THREADS: usize = 10_000;
/// The indexes of one collection are built by no more.
const THREADS_MAX: usize = 4;

/// A document that a load or another collection brings. Its numbers stay.
#[derive(Debug)]
pub(crate) struct Arrival<'k> {
    pub key: &'k [u8],
    pub document: Document,
    /// In milliseconds since 1970.
    pub expires_ms: Option<i64>,
    /// Under which number a crew was shown it, if there is one.
    pub number: u32,
}

impl Arrival<'_> {
    /// Has the processor fetch what the table is told of it.
    fn fetch(&self) {
        black_box((self.document.seq(), self.key.first()));
    }
}

/// The fields that one thread judges, and whose indexes it builds, in one pass over the documents.
#[derive(Debug, Default)]
pub(super) struct Share {
    /// The index of a field with its place among the collection's.
    fields: Vec<(Field, Option<(usize, Builder)>)>,
    /// The indexes that hold other things than a field's values.
    others: Vec<(usize, Builder)>,
    /// The declaration, where this thread judges what no field alone decides, too.
    rest: Option<Definition>,
    /// The numbers of the documents that break it.
    breaking: Vec<u32>,
    buf: KeyBuf,
}

/// What a share came to.
pub(super) struct Done {
    indexes: Vec<(usize, Index)>,
    breaking: Vec<DocId>,
}

impl Share {
    fn builds(&self) -> bool {
        !self.others.is_empty() || self.fields.iter().any(|(_, builder)| builder.is_some())
    }

    /// Looks at a document that somebody has judged, or nobody. Numbers ascend.
    pub fn show(&mut self, number: u32, (document, doc): (&Document, DocRef<'_>), is_judged: bool) {
        let is_deleted = document.is_deleted();
        let mut keeps = true;
        for (field, builder) in &mut self.fields {
            match builder.as_mut().filter(|(_, builder)| builder.takes(is_deleted)) {
                Some((_, builder)) if is_judged => builder.add(number, doc),
                Some((_, builder)) => {
                    keeps &= builder.add_judged(number, doc, field, &mut self.buf);
                }
                None if is_judged => {}
                None => keeps &= check::check_field(field, doc, &mut self.buf, None).is_ok(),
            }
        }
        for (_, builder) in self.others.iter_mut().filter(|(_, it)| it.takes(is_deleted)) {
            builder.add(number, doc);
        }
        if let Some(definition) = self.rest.as_ref().filter(|_| !is_judged) {
            keeps &= check::check_stored_rest(definition, document, doc).is_ok();
        }
        if !keeps {
            self.breaking.push(number);
        }
    }

    /// Makes the indexes whole. `collection` holds the documents that were shown.
    fn finish(self, ids: Ids<'_>, collection: &Collection) -> Done {
        let of_fields = self.fields.into_iter().filter_map(|(_, builder)| builder);
        let indexes = of_fields.chain(self.others).map(|(at, builder)| {
            (at, builder.finish(ids, |id| collection.held(id).map(|held| collection.view(held))))
        });
        let breaking = self.breaking.into_iter().map(|number| id_of(ids, number));
        Done { indexes: indexes.collect(), breaking: breaking.collect() }
    }
}

impl Collection {
    /// Lets documents in, in the order of their birth, and builds every index anew. A crew, if there is one, has been
    /// shown just these, and the collection was empty. O(documents + entries · log entries), shared by threads.
    pub(crate) fn fill<'k>(
        &mut self,
        arrivals: impl Iterator<Item = Arrival<'k>>,
        crew: Option<Crew>,
    ) {
        let unjudged = self.next_id;
        let mut ids = vec![0; crew.as_ref().map_or(0, Crew::shown)];
        in_groups(arrivals, Arrival::fetch, |arrival| {
            let number = arrival.number as usize;
            let id = self.take_place(arrival);
            if let Some(known) = ids.get_mut(number) {
                *known = id;
            }
        });
        debug_assert!(crew.is_none() || ids.len() == self.next_id as usize, "all were shown");
        match crew {
            Some(crew) => self.finish(crew.shares(), Some(&ids)),
            None => self.build(unjudged),
        }
    }

    /// Lets one in without indexing it, but for what is being built.
    pub(crate) fn enter(&mut self, arrival: Arrival<'_>) -> DocId {
        let document = arrival.document.clone();
        let id = self.take_place(arrival);
        self.judge_late(id, &document);
        if let Some(building) = &mut self.building {
            let doc = self.computed.view(id, document.view()).seen_by(Seen::Coming);
            building.take_in(id, &document, doc);
        }
        id
    }

    /// Builds every index in use anew, and judges the documents from an id on, which nobody has judged.
    fn build(&mut self, unjudged: DocId) {
        // Built of what stands in the table: the next look hides what is due.
        self.hide_due_paths(i64::MIN);
        let is_large = self.live.len() >= DOCUMENTS_FOR_THREADS as u64;
        let threads = if is_large { threads() } else { 1 };
        let shares = self.shares(threads, self.live.len() as usize);
        let shown = side_by_side(shares, |mut share| {
            let first = if share.builds() { 0 } else { unjudged };
            let ids = self.live.range(first..);
            let documents = ids.filter_map(|id| Some((id, self.documents.get(id)?)));
            let fetch = |(_, document): &(DocId, &Document)| document.fetch();
            in_groups(documents, fetch, |(id, document)| {
                share.show(id, (document, self.view(document)), id < unjudged);
            });
            share
        });
        self.finish(shown, None);
    }

    /// The work of building every index, in at most so many shares.
    pub(super) fn shares(&self, most: usize, documents: usize) -> Vec<Share> {
        let count = most.clamp(1, self.indexes.len().max(1));
        let mut shares: Vec<Share> = iter::repeat_with(Share::default).take(count).collect();
        let mut indexes = self.indexes.iter().enumerate();
        let builder = |(at, index)| (at, Builder::new(index, documents));
        for field in &self.definition.fields {
            let index = field.indexed_as().and_then(|_| indexes.next());
            // The last has no more indexes to build than others.
            let share = index.map_or(count - 1, |(at, _)| at % count);
            let (of_values, of_parts): (Vec<_>, Vec<_>) = index
                .into_iter()
                .map(builder)
                .partition(|(at, _)| !self.indexes[*at].is_of_parts());
            shares[share].fields.push((field.clone(), of_values.into_iter().next()));
            shares[share].others.extend(of_parts);
        }
        for (at, index) in indexes {
            shares[at % count].others.push(builder((at, index)));
        }
        shares[count - 1].rest = Some(self.definition.clone());
        shares
    }

    /// Ends the building by shares that were shown every document.
    fn finish(&mut self, shares: Vec<Share>, ids: Ids<'_>) {
        for done in side_by_side(shares, |share| share.finish(ids, self)) {
            for (at, index) in done.indexes {
                self.indexes[at] = index;
            }
            self.breaking.extend(done.breaking);
        }
    }

    /// Gives all documents new ids from 0, in the order of their birth. O(documents + entries · log entries).
    pub(crate) fn renumber(&mut self) {
        self.hide_due_paths(i64::MIN);
        self.timed = Timed::default();
        let versions = self.versions.emptied();
        let mut versions_before = std::mem::replace(&mut self.versions, versions);
        let live = std::mem::replace(&mut self.live, RoaringBitmap::new());
        let mut before = std::mem::take(&mut self.documents);
        let expiry = std::mem::take(&mut self.expiry);
        let breaking = std::mem::take(&mut self.breaking);
        let mut computed = self.computed.emptied();
        self.deleted.clear();
        self.documents = Documents::new(self.blocks);
        self.expiry = Expiry::default();
        self.next_id = 0;
        for old in live {
            let rest = before.rest(old).map(<[u8]>::to_vec);
            let (Some(rest), Some(document)) = (rest, before.remove(old)) else { continue };
            let id = self.next_id;
            self.next_id += 1;
            document.place(self.uid, id, document.seq(), document.version());
            if document.is_deleted() {
                self.deleted.insert(id);
            }
            self.timed.enter(id, &document);
            self.versions.enter(id, &document, &self.definition.migrations);
            self.versions.moved(&mut versions_before, old, id);
            self.documents.push(id, &rest, document);
            self.live.insert(id);
            computed.set(id, self.computed.set(old, None));
            self.expiry.set(id, expiry.time(old));
            if breaking.contains(old) {
                self.breaking.insert(id);
            }
        }
        self.computed = computed;
        self.restart_build();
        // Before the new ones take memory.
        for index in &mut self.indexes {
            *index = index.emptied();
        }
        self.build(self.next_id);
    }
}

/// The threads that a large build uses.
pub(super) fn threads() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get).min(THREADS_MAX)
}

/// Shows items in groups, for which something is fetched from memory beforehand: what they point to lies anywhere.
pub(super) fn in_groups<T>(
    mut items: impl Iterator<Item = T>,
    fetch: impl Fn(&T),
    mut show: impl FnMut(T),
) {
    const GROUP: usize = 32;
    let mut group = Vec::with_capacity(GROUP);
    loop {
        group.extend(items.by_ref().take(GROUP));
        if group.is_empty() {
            return;
        }
        group.iter().for_each(&fetch);
        group.drain(..).for_each(&mut show);
    }
}

/// Does each share of some work in a thread of its own; the caller's is one of them. Results come in no order.
fn side_by_side<T: Send, R: Send>(shares: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let threads = shares.len();
    let queue = Mutex::new(shares.into_iter());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let run = || iter::from_fn(next).map(&work).collect::<Vec<R>>();
    thread::scope(|scope| {
        // Where a thread cannot be had, the others do its share.
        let start = |_| thread::Builder::new().spawn_scoped(scope, run).ok();
        let others: Vec<_> = (1..threads).filter_map(start).collect();
        let mut results = run();
        for other in others {
            results.extend(other.join().unwrap_or_else(|panic| panic::resume_unwind(panic)));
        }
        results
    })
}

#[cfg(test)]
#[path = "build_tests.rs"]
mod tests;
