//! Tables and indexes filled in one go: after a load, for a new declaration, and when ids are numbered anew. Laying all
//! entries of an index down at once costs far less than adding them one by one, and indexes are built side by side.

use std::hint::black_box;
use std::iter;
use std::num::NonZero;
use std::panic;
use std::sync::{Mutex, PoisonError};
use std::thread;

use roaring::RoaringBitmap;

use super::{Collection, Documents};
use crate::doc::Document;
use crate::index::{Builder, DocId, Expiry, Index};
use crate::schema::{Field, check};
use crate::value::KeyBuf;

/// From so many documents on, indexes are built by several threads: fewer are done soon.
const DOCUMENTS_FOR_THREADS: u64 = 10_000;
/// A build takes no more of the machine than this.
const THREADS_MAX: usize = 4;

/// A document that a load or another collection brings. Its numbers stay.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub key: Vec<u8>,
    pub document: Document,
    /// In milliseconds since 1970.
    pub expires_ms: Option<i64>,
}

impl Arrival {
    /// Has the processor fetch what the table is told of it.
    fn fetch(&self) {
        black_box((self.document.seq(), self.key.first()));
    }
}

/// The fields that one thread judges, and whose indexes it builds, in one pass over the documents.
#[derive(Default)]
struct Share<'a> {
    fields: Vec<(&'a Field, Option<&'a mut Index>)>,
    /// It judges what no field alone decides, too.
    rest: bool,
}

impl Collection {
    /// Lets documents in, in the order of their birth, and builds every index anew.
    /// O(documents + entries · log entries), shared by threads.
    pub(crate) fn fill(&mut self, arrivals: impl Iterator<Item = Arrival>) {
        let unjudged = self.next_id;
        in_groups(arrivals, Arrival::fetch, |arrival| {
            self.take_place(arrival);
        });
        self.build(unjudged);
    }

    /// Lets one in without indexing it.
    pub(crate) fn enter(&mut self, arrival: Arrival) -> DocId {
        let document = arrival.document.clone();
        let id = self.take_place(arrival);
        self.judge_late(id, &document);
        id
    }

    /// Builds every index anew, and judges the documents from an id on, which nobody has judged.
    fn build(&mut self, unjudged: DocId) {
        let processors = || thread::available_parallelism().map_or(1, NonZero::get);
        let is_large = self.live.len() >= DOCUMENTS_FOR_THREADS;
        let threads = if is_large { processors().min(THREADS_MAX) } else { 1 };
        let threads = threads.clamp(1, self.indexes.len().max(1));
        let mut shares: Vec<Share<'_>> = iter::repeat_with(Share::default).take(threads).collect();
        let mut indexes = std::mem::take(&mut self.indexes);
        let mut of_fields = indexes.iter_mut().enumerate();
        for field in &self.definition.fields {
            let index = field.indexed_as().and_then(|_| of_fields.next());
            // The last has no more indexes to build than others.
            let at = index.as_ref().map_or(threads - 1, |(at, _)| at % threads);
            shares[at].fields.push((field, index.map(|(_, index)| index)));
        }
        shares[threads - 1].rest = true;
        let breaking = side_by_side(shares, |share| self.work(share, unjudged));
        for ids in breaking {
            self.breaking |= ids;
        }
        self.indexes = indexes;
    }

    /// Does a share of the work; which unjudged documents were found to break the declaration.
    fn work(&self, share: Share<'_>, unjudged: DocId) -> RoaringBitmap {
        let mut breaking = RoaringBitmap::new();
        let mut buf = KeyBuf::default();
        let builder = |index| Builder::new(index, self.live.len() as usize);
        let fields = share.fields.into_iter();
        let mut fields: Vec<(&Field, Option<Builder<'_>>)> =
            fields.map(|(field, index)| (field, index.map(builder))).collect();
        let has_fields = !fields.is_empty();
        let builds = fields.iter().any(|(_, builder)| builder.is_some());
        let ids = self.live.range(if builds { 0 } else { unjudged }..);
        let documents = ids.filter_map(|id| Some((id, self.documents.get(id)?)));
        let fetch = |(_, document): &(DocId, &Document)| {
            if has_fields {
                document.fetch();
            }
        };
        in_groups(documents, fetch, |(id, document)| {
            let doc = document.view();
            let is_judged = id < unjudged;
            let mut keeps = true;
            for (field, builder) in &mut fields {
                match builder {
                    Some(builder) if is_judged => builder.add(id, doc),
                    Some(builder) => keeps &= builder.add_judged(id, doc, field),
                    None if is_judged => {}
                    None => keeps &= check::check_field(field, doc, &mut buf, None).is_ok(),
                }
            }
            if share.rest && !is_judged {
                keeps &= check::check_stored_rest(&self.definition, document).is_ok();
            }
            if !keeps {
                breaking.insert(id);
            }
        });
        for (_, builder) in fields {
            if let Some(builder) = builder {
                builder.finish(|id| self.documents.get(id).map(Document::view));
            }
        }
        breaking
    }

    /// Gives all documents new ids from 0, in the order of their birth. O(documents + entries · log entries).
    pub(crate) fn renumber(&mut self) {
        let live = std::mem::replace(&mut self.live, RoaringBitmap::new());
        let mut before = std::mem::take(&mut self.documents);
        let expiry = std::mem::take(&mut self.expiry);
        let breaking = std::mem::take(&mut self.breaking);
        self.documents = Documents::new(self.blocks);
        self.expiry = Expiry::default();
        self.next_id = 0;
        for old in live {
            let rest = before.rest(old).map(<[u8]>::to_vec);
            let (Some(rest), Some(document)) = (rest, before.remove(old)) else { continue };
            let id = self.next_id;
            self.next_id += 1;
            document.place(self.uid, id, document.seq(), document.version());
            self.documents.push(id, &rest, document);
            self.live.insert(id);
            self.expiry.set(id, expiry.time(old));
            self.note(id, !breaking.contains(old));
        }
        self.build(self.next_id);
    }
}

/// Shows items in groups, for which something is fetched from memory beforehand: what they point to lies anywhere.
fn in_groups<T>(mut items: impl Iterator<Item = T>, fetch: impl Fn(&T), mut show: impl FnMut(T)) {
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
