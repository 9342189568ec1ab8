//! Writes: prepare what may be refused, commit what cannot.
//!
//! ```text
//!   prepare(&self, key, old, new)  ->  Delta     checks, keys, uniqueness; nothing has changed
//!   commit(&mut self, delta)       ->  Document  numbers, table, indexes; cannot fail
//! ```
//! Documents that Redis itself brings or takes come through `admit` and `remove`, which judge nothing.

use std::cmp::Ordering;

use smallvec::SmallVec;

use super::computed::as_coming;
use super::together::held_by;
use super::{Arrival, Collection, Counters, Keeps, Values};
use crate::doc::computed::Seen;
use crate::doc::timed::read_timed;
use crate::doc::{DocRef, Document, Touched};
use crate::error::{Code, Error, Result};
use crate::index::{DocId, Index, KeyList};
use crate::limits::Limits;
use crate::path::Path;
use crate::planted::{self, Fault};
use crate::schema::options::decimal;
use crate::schema::{Definition, check};
use crate::store::NUMBER_MAX;

/// Where a delta belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Home {
    /// The collection of this number.
    Known(u32),
    /// An open collection that the delta's first document founds.
    Founded(Box<str>),
}

/// A write that was found to be in order; applying it cannot fail. Nothing but slices of a build happens to the store between.
#[derive(Debug)]
pub struct Delta {
    pub(crate) db: u32,
    pub(crate) home: Home,
    pub(crate) key: Box<[u8]>,
    /// The id of the document that is replaced; none for a birth.
    pub(crate) replaces: Option<DocId>,
    /// A deleted document that stands under the key of a birth: it goes.
    pub(crate) removes: Option<DocId>,
    /// The new document, whose numbers are given when it is committed.
    pub(crate) document: Document,
    pub(crate) changes: Changes,
    /// What functions give of it.
    pub(crate) computed: Values,
    /// Whether the new document keeps to the declaration. One that Redis brought may break it still after an update.
    pub(crate) keeps: Keeps,
    /// The numbers to take, as a replica does; else the next ones.
    pub(crate) numbers: Option<Counters>,
    pub(crate) expires_ms: Option<i64>,
}

impl Delta {
    /// How many indexes it touches: those in which the document gets or loses keys.
    pub fn touched(&self) -> usize {
        self.changes.len()
    }
}

/// The entries that one index loses and gains.
#[derive(Debug)]
pub struct Change {
    pub(super) index: usize,
    pub(super) removed: KeyList,
    pub(super) added: KeyList,
}

/// The indexes that a write touches: those whose keys change.
pub type Changes = SmallVec<[Change; 4]>;

/// A document as indexes see it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entered<'d> {
    pub doc: DocRef<'d>,
    pub is_deleted: bool,
}

impl<'d> Entered<'d> {
    /// A text that is not marked as deleted.
    pub fn alive(doc: DocRef<'d>) -> Self {
        Entered { doc, is_deleted: false }
    }
}

/// Why a write was not found in order.
pub(crate) enum Refusal {
    /// It breaks a rule.
    Error(Error),
    /// Due documents still hold unique values: the server is to remove them first.
    Held(Vec<DocId>),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Refusal::Error(error)
    }
}

impl Collection {
    /// What the indexes, those being built among them, lose and gain when `new` takes the place of `old`.
    pub(crate) fn changes(&self, old: Option<Entered<'_>>, new: Entered<'_>) -> Changes {
        let touched = old.map(|old| Touched::between(old.doc, new.doc));
        self.changes_of(old, new, touched.as_ref())
    }

    /// The same where it is known what `new` touches. An index whose text is the same in both costs next to nothing.
    pub(crate) fn changes_of(
        &self,
        old: Option<Entered<'_>>,
        new: Entered<'_>,
        touched: Option<&Touched<'_>>,
    ) -> Changes {
        let mut changes = Changes::new();
        let is_changing = self.building.is_some() && self.computed.is_changing();
        let of_coming = is_changing.then(|| (old.map(as_coming), as_coming(new)));
        let touched_coming = of_coming
            .and_then(|(old, new)| touched.and(old).map(|old| Touched::between(old.doc, new.doc)));
        for (at, index) in self.every_index().enumerate() {
            let (old, new, touched) = match of_coming.filter(|_| at >= self.indexes.len()) {
                Some((old, new)) => (old, new, touched_coming.as_ref()),
                None => (old, new, touched),
            };
            let of_new = index.takes(new.is_deleted);
            let Some(old) = old.filter(|old| index.takes(old.is_deleted)) else {
                if of_new {
                    let (removed, added) = (KeyList::new(), index.source().keys(new.doc));
                    changes.push(Change { index: at, removed, added });
                }
                continue;
            };
            if !of_new {
                let (removed, added) = (index.source().keys(old.doc), KeyList::new());
                changes.push(Change { index: at, removed, added });
                continue;
            }
            if touched.is_some_and(|touched| index.source().same_text(touched)) {
                continue;
            }
            let (old, new) = (index.source().keys(old.doc), index.source().keys(new.doc));
            let (removed, added) = difference(old, new);
            if !removed.is_empty() || !added.is_empty() {
                changes.push(Change { index: at, removed, added });
            }
        }
        changes
    }

    /// Whether `doc` puts more values into an index than one document may. Asked before any key is made. What the old text holds
    /// already it may keep: a declaration can come over documents that hold more.
    pub(crate) fn judge_size(
        &self,
        touched: Option<&Touched<'_>>,
        doc: DocRef<'_>,
        limits: &Limits,
    ) -> Result<()> {
        let most = limits.index_entries_max;
        let coming = touched.map(|touched| {
            let (old, new) = (touched.old_text(), touched.new_text());
            Touched::between(old.seen_by(Seen::Coming), new.seen_by(Seen::Coming))
        });
        let large = |(at, index): &(usize, &Index)| {
            let (source, seen) = (index.source(), self.seen_by(*at));
            let touched = if seen == Seen::Declared { touched } else { coming.as_ref() };
            !touched.is_some_and(|touched| source.same_text(touched))
                && source.values_of(doc.seen_by(seen), most) > most
        };
        let Some((_, index)) = self.every_index().enumerate().find(large) else { return Ok(()) };
        let paths = index.paths();
        let what =
            format!("more values at {paths} than the limit of {most} (folio.index-entries-max)");
        Err(Error::new(Code::Limited, what))
    }

    /// Whether the parts of `new` with a TTL may lapse, as far as another text than that of `old` says so. Error: `SCHEMA`.
    pub(crate) fn judge_timed(&self, old: Option<DocRef<'_>>, new: DocRef<'_>) -> Result<()> {
        if old.is_some_and(|old| old.timed() == new.timed()) {
            return Ok(());
        }
        self.declared().try_for_each(|declared| judge_timed(declared, self.every_index(), new))
    }

    /// Whether any value of `doc` that has to be unique is held by another document: what a whole write is judged by. Only
    /// while there are conflicts can this find more than the change does.
    pub(crate) fn judge_whole(&self, doc: DocRef<'_>, own: Option<DocId>) -> Result<(), Refusal> {
        let mut held = Vec::new();
        for (at, index) in self.judged_whole(own) {
            let keys = index.source().keys(doc.seen_by(self.seen_by(at)));
            self.judge_unique(index, &keys, own, &mut held)?;
        }
        if held.is_empty() { Ok(()) } else { Err(Refusal::Held(held)) }
    }

    /// The indexes, with their places, in which a whole write can find more than what it changes: those with conflicts, and
    /// those being built that have not reached the document of `own`, since what the write leaves as it is was judged by
    /// nobody.
    pub(super) fn judged_whole(&self, own: Option<DocId>) -> impl Iterator<Item = (usize, &Index)> {
        let built_from =
            if own.is_some_and(|id| self.is_ahead(id)) { self.indexes.len() } else { usize::MAX };
        let is_asked =
            move |(at, index): &(usize, &Index)| index.conflicts() > 0 || *at >= built_from;
        self.every_index().enumerate().filter(is_asked)
    }

    /// Whether the entries keep values unique. `own` is the id of the document that is replaced.
    pub(crate) fn judge(&self, changes: &Changes, own: Option<DocId>) -> Result<(), Refusal> {
        let mut held = Vec::new();
        for change in changes {
            let Some(index) = self.index_at(change.index) else { continue };
            if index.is_unique() && !(planted::is(Fault::Unique) && own.is_some()) {
                self.judge_unique(index, &change.added, own, &mut held)?;
            }
        }
        if held.is_empty() { Ok(()) } else { Err(Refusal::Held(held)) }
    }

    /// Refuses what a live document holds, and gathers the due documents that hold some of it.
    fn judge_unique(
        &self,
        index: &Index,
        added: &KeyList,
        own: Option<DocId>,
        held: &mut Vec<DocId>,
    ) -> Result<()> {
        for key in added.iter().filter(|key| index.claims(key.as_ref())) {
            let Some(posting) = index.get(key) else { continue };
            let others = posting.ids().filter(|id| Some(*id) != own);
            for holder in others {
                if self.due().contains(holder) {
                    held.push(holder);
                    continue;
                }
                let mut holder_key = Vec::new();
                self.key(holder, &mut holder_key);
                return Err(held_by(index, &holder_key));
            }
        }
        Ok(())
    }

    /// Applies a delta of this collection.
    pub(crate) fn commit(&mut self, delta: Delta) -> Document {
        let Delta { key, replaces, removes, document, changes, keeps, numbers, .. } = delta;
        let (computed, expires_ms) = (delta.computed, delta.expires_ms);
        if let Some(id) = removes {
            self.remove(id);
        }
        let id = replaces.unwrap_or_else(|| self.take_id());
        let held_seq = replaces.and_then(|id| self.documents.get(id)).map(Document::seq);
        let numbers = numbers.unwrap_or(Counters {
            version: self.counters.version
                + u64::from(!(planted::is(Fault::Version) && replaces.is_some())),
            seq: held_seq.unwrap_or(self.counters.seq + 1),
        });
        self.raise_counters(numbers);
        document.place(self.uid, id, numbers.seq, numbers.version);
        planted::step();
        match replaces {
            Some(_) => self.replace(id, document.clone()),
            None => self.push(id, &key, document.clone()),
        }
        self.computed.set(id, computed);
        planted::step();
        self.change_entries(id, &changes);
        self.expiry.set(id, expires_ms);
        planted::step();
        self.note(id, keeps);
        document
    }

    /// The keys under which `index`, at a place of [`Collection::every_index`], has a document that stands here.
    pub(super) fn keys_in(&self, at: usize, index: &Index, held: &Document) -> KeyList {
        let Entered { doc, is_deleted } = self.entered(held);
        index.keys_of(doc.seen_by(self.seen_by(at)), is_deleted)
    }

    /// Changes what the indexes hold of the document of `id`.
    pub(super) fn change_entries(&mut self, id: DocId, changes: &[Change]) {
        for change in changes {
            let Some(index) = self.index_holding(change.index, id) else { continue };
            let kept = usize::from(planted::is(Fault::MultiValue) && change.removed.len() > 1);
            for key in &change.removed[kept..] {
                index.remove(key, id);
                planted::step();
            }
            for key in &change.added {
                index.insert(key, id);
                planted::step();
            }
        }
    }

    fn replace(&mut self, id: DocId, document: Document) {
        if let Some(held) = self.documents.get(id) {
            // The value that leaves the keyspace must not be taken for the one that stands here now.
            held.displace();
            self.versions.leave(id, held.schema());
        }
        self.versions.enter(id, &document, &self.definition.migrations);
        self.note_deleted(id, document.is_deleted());
        self.timed.leave(id);
        self.timed.enter(id, &document);
        self.documents.replace(id, document);
    }

    fn note_deleted(&mut self, id: DocId, is_deleted: bool) {
        if is_deleted {
            self.deleted.insert(id);
        } else {
            self.deleted.remove(id);
        }
    }

    fn push(&mut self, id: DocId, key: &[u8], document: Document) {
        let rest = key.strip_prefix(self.definition.prefix.as_bytes()).unwrap_or(key);
        if document.is_deleted() {
            self.deleted.insert(id);
        }
        let number = decimal(rest, NUMBER_MAX).unwrap_or(0);
        self.greatest = self.greatest.max(number);
        self.timed.enter(id, &document);
        self.versions.enter(id, &document, &self.definition.migrations);
        self.documents.push(id, rest, document);
        self.live.insert(id);
    }

    /// Lets a document in that Redis brought: it gets the next numbers and is judged by nothing. A version above the counter
    /// is kept: RESTORE brings one; COPY and RENAME come with none.
    pub(crate) fn admit(&mut self, key: &[u8], document: &Document, expires_ms: Option<i64>) {
        // Only RESTORE brings numbers; a copy or a renamed document has no birth number.
        let is_brought = document.seq() > 0 && document.version() <= NUMBER_MAX;
        let brought = if is_brought { document.version() } else { 0 };
        let version = brought.max(self.counters.version + 1);
        let numbers = Counters { version, seq: self.counters.seq + 1 };
        self.raise_counters(numbers);
        self.reserve_ids();
        let id = self.take_id();
        document.place(self.uid, id, numbers.seq, numbers.version);
        let values = self.compute(document.view(), false);
        let doc = self.view_with(document.view(), &values);
        let changes = self.changes(None, Entered { doc, is_deleted: document.is_deleted() });
        self.push(id, key, document.clone());
        self.computed.set(id, values);
        planted::step();
        self.change_entries(id, &changes);
        self.expiry.set(id, expires_ms);
        self.judge_late(id, document);
    }

    /// Puts a document that nobody has judged into the table, under the next id. Its numbers stay.
    pub(super) fn take_place(&mut self, arrival: Arrival<'_>) -> DocId {
        let Arrival { key, document, expires_ms, .. } = arrival;
        let numbers = Counters { version: document.version(), seq: document.seq() };
        self.raise_counters(numbers);
        let id = self.take_id();
        document.place(self.uid, id, numbers.seq, numbers.version);
        let values = self.compute(document.view(), false);
        self.push(id, key, document);
        self.computed.set(id, values);
        self.expiry.set(id, expires_ms);
        id
    }

    /// Takes a document out, with its entries.
    pub(crate) fn remove(&mut self, id: DocId) {
        let Some(document) = self.documents.remove(id) else { return };
        let seen = self.timed.leave(id).unwrap_or_else(|| document.clone());
        let (values, is_deleted) = (self.computed.set(id, None), seen.is_deleted());
        let doc = self.computed.view_with(seen.view(), values.as_deref());
        let building = self.building.iter_mut().filter(|building| building.holds(id));
        let built = building.flat_map(|building| &mut building.indexes);
        let in_use = self.indexes.iter_mut().map(|index| (index, Seen::Declared));
        for (index, seen) in in_use.chain(built.map(|index| (index, Seen::Coming))) {
            for key in index.keys_of(doc.seen_by(seen), is_deleted) {
                index.remove(&key, id);
                planted::step();
            }
        }
        self.live.remove(id);
        self.deleted.remove(id);
        self.versions.leave(id, document.schema());
        planted::step();
        self.note(id, Keeps { declared: true, coming: true });
        self.expiry.set(id, None);
        document.displace();
    }

    /// Sees to it that ids are left for some births. When the last are near, after four thousand million births, all
    /// documents are numbered anew, in the order of their birth. Asked before a write is prepared, whose delta holds ids.
    pub(crate) fn reserve_ids(&mut self) {
        const RESERVE: DocId = 1 << 24;
        if self.next_id > DocId::MAX - RESERVE {
            self.renumber();
        }
    }

    fn take_id(&mut self) -> DocId {
        let id = self.next_id;
        self.next_id += 1;
        id
    }
}

/// Whether the parts of `doc` with a TTL may lapse: what is then missing is neither required nor a value of something
/// unique, nor does it stay. Error: `SCHEMA`.
pub(crate) fn judge_timed<'i>(
    declared: &Definition,
    indexes: impl IntoIterator<Item = &'i Index>,
    doc: DocRef<'_>,
) -> Result<()> {
    let timed = read_timed(doc.timed()).unwrap_or_default();
    if timed.is_empty() {
        return Ok(());
    }
    if declared.asks_functions() {
        let what = "a collection whose documents are asked of functions has no parts with a TTL";
        return Err(Error::new(Code::Schema, what));
    }
    check::check_timed(&declared.fields, &timed)?;
    for index in indexes.into_iter().filter(|index| index.is_unique()) {
        let asks = |test: &dyn Fn(&Path) -> bool| timed.iter().any(|part| test(&part.path));
        let what = if index.claims_absent() && asks(&|path| index.source().hangs_on(path)) {
            "may be missing, and what is missing counts in"
        } else if asks(&|path| index.source().holds_within(path)) {
            "is a part of a value of"
        } else {
            continue;
        };
        let message = format!("what has a TTL {what} the unique index of {}", index.title());
        return Err(Error::new(Code::Schema, message));
    }
    Ok(())
}

/// What only the first of two ascending lists holds, and what only the second.
fn difference(old: KeyList, new: KeyList) -> (KeyList, KeyList) {
    let (mut removed, mut added) = (KeyList::new(), KeyList::new());
    let (mut old, mut new) = (old.into_iter().peekable(), new.into_iter().peekable());
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => return (removed, added),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => old.cmp(new),
        };
        if order == Ordering::Equal {
            old.next();
            new.next();
        } else if order == Ordering::Less {
            removed.extend(old.next());
        } else {
            added.extend(new.next());
        }
    }
}
