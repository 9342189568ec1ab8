//! A declaration that is built while the collection goes on living under the one that it has.
//!
//! ```text
//!   ids      0 ...... cursor ................ end ...........
//!            taken in        to be taken in   born since: taken in at birth
//!
//!   begin    end = the next id, cursor = 0: every document is ahead
//!   slice    the cursor goes up, and what it passes enters the new indexes
//!   judge    what a build in one stop would refuse at this moment, refused
//!   finish   the new definition and its indexes take the place of the old ones
//! ```
//! At every moment the new indexes hold exactly the documents outside of `cursor..end`, because each way in, through or out
//! of the collection ([`Collection::commit`], `admit`, `enter`, `remove`) does to them what it does to the indexes in use,
//! but for ids in that gap. The gap only shrinks, so a build ends however fast documents come. Queries see nothing of it.
//!
//! Indexes that both declarations have are not built again: they are taken over at the end.

use roaring::RoaringBitmap;

use super::computed::ComputedFields;
use super::timed::Timed;
use super::write::judge_timed;
use super::{Collection, Documents, Info};
use crate::doc::computed::Seen;
use crate::doc::{DocRef, Document, Parsed, Touched};
use crate::error::{Code, Error, Result};
use crate::index::{DocId, IdMap, Index};
use crate::limits::Limits;
use crate::planted;
use crate::schema::fill::Fill;
use crate::schema::{Definition, check};

/// Offending keys that an error names.
const OFFENDERS_MAX: usize = 10;

/// Where an index of the new declaration comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// From the collection, whose it is already, at this place.
    Kept(usize),
    /// From the build: the next of its indexes.
    Built,
}

/// What a build has come to.
#[derive(Debug)]
pub(super) struct Building {
    number: u64,
    definition: Definition,
    /// One for each index of the definition, in its order.
    origins: Vec<Origin>,
    pub(super) indexes: Vec<Index>,
    /// Documents outside of the gap that do not keep to the definition.
    breaking: RoaringBitmap,
    cursor: DocId,
    end: DocId,
}

/// What a build leaves behind. Dropping it frees the memory; any thread may.
#[derive(Debug, Default)]
pub struct Retired {
    indexes: Vec<Index>,
    computed: IdMap<Box<[u8]>>,
}

impl Retired {
    /// Whether there is nothing to free.
    pub fn is_empty(&self) -> bool {
        self.indexes.is_empty() && self.computed.is_empty()
    }
}

/// Whether a document keeps to its collection's declaration, and to the one that is being built, if there is one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keeps {
    pub declared: bool,
    pub coming: bool,
}

impl Building {
    /// The same build with nothing taken in, of documents below `end`.
    fn anew(&self, end: DocId) -> Self {
        Building {
            number: self.number,
            definition: self.definition.clone(),
            origins: self.origins.clone(),
            indexes: self.indexes.iter().map(Index::emptied).collect(),
            breaking: RoaringBitmap::new(),
            cursor: 0,
            end,
        }
    }

    /// Whether its indexes hold the document of `id`.
    pub(super) fn holds(&self, id: DocId) -> bool {
        !(self.cursor..self.end).contains(&id)
    }

    pub(super) fn definition(&self) -> &Definition {
        &self.definition
    }

    pub(super) fn is_breaking(&self, id: DocId) -> bool {
        self.breaking.contains(id)
    }

    /// Notes whether the document that stands under `id` now keeps to the definition.
    pub(super) fn note(&mut self, id: DocId, keeps: bool) {
        if keeps || !self.holds(id) {
            self.breaking.remove(id);
        } else {
            self.breaking.insert(id);
        }
    }

    /// Takes a document in that nobody has judged. `doc` is its view under the definition.
    pub(super) fn take_in(&mut self, id: DocId, document: &Document, doc: DocRef<'_>) {
        for index in &mut self.indexes {
            for key in index.keys_of(doc, document.is_deleted()) {
                index.insert(&key, id);
                planted::step();
            }
        }
        if check::check_stored(&self.definition, document, doc).is_err() {
            self.breaking.insert(id);
        }
    }

    fn slice(
        &mut self,
        live: &RoaringBitmap,
        (documents, timed): (&Documents, &Timed),
        computed: &mut ComputedFields,
        mut goes_on: impl FnMut() -> bool,
    ) -> bool {
        for id in live.range(self.cursor..self.end.max(self.cursor)) {
            if !goes_on() {
                return false;
            }
            if let Some(document) = timed.veil(id).or_else(|| documents.get(id)) {
                if computed.is_growing() {
                    computed.set(id, computed.compute(document.view(), false));
                }
                let doc = computed.view(id, document.view()).seen_by(Seen::Coming);
                self.take_in(id, document, doc);
            }
            self.cursor = id + 1;
        }
        self.cursor = self.end;
        true
    }

    /// The documents that are still ahead of the cursor.
    fn ahead(&self, live: &RoaringBitmap) -> u64 {
        live.range_cardinality(self.cursor..self.end)
    }
}

impl Collection {
    /// Begins to build `definition`, whose name and prefix are the collection's own. With `keeps`, indexes that are the same
    /// in both are not built again.
    pub(crate) fn begin_build(
        &mut self,
        number: u64,
        definition: Definition,
        seed: u64,
        keeps: bool,
    ) {
        let (mut origins, mut indexes) = (Vec::new(), Vec::new());
        for index in Index::all_of(&definition, seed) {
            let same = self.indexes.iter().position(|held| keeps && held.is_like(&index));
            let kept = same.map(Origin::Kept).filter(|origin| !origins.contains(origin));
            origins.push(kept.unwrap_or(Origin::Built));
            if kept.is_none() {
                indexes.push(index);
            }
        }
        let breaking = RoaringBitmap::new();
        let (cursor, end) = (0, self.next_id);
        self.computed.begin(&definition);
        let building = Building { number, definition, origins, indexes, breaking, cursor, end };
        self.building = Some(Box::new(building));
        self.note_names();
    }

    /// The number of the build under way.
    pub fn build_number(&self) -> Option<u64> {
        self.building.as_ref().map(|building| building.number)
    }

    /// What is being built.
    pub fn coming(&self) -> Option<&Definition> {
        self.building.as_ref().map(|building| &building.definition)
    }

    /// Takes documents in until none is ahead, or `goes_on`, asked before each, says no. Whether none is ahead.
    pub(crate) fn build_slice(&mut self, goes_on: impl FnMut() -> bool) -> bool {
        let Collection { building, live, documents, timed, computed, .. } = self;
        let tables = (&*documents, &*timed);
        building.as_mut().is_none_or(|building| building.slice(live, tables, computed, goes_on))
    }

    /// Whether the documents, due and deleted ones apart, keep to what was built. Those that break the declaration in force already
    /// stay as they are. Errors: `SCHEMA` and `UNIQUE`, naming the first that do not. O(values) of a unique index that
    /// holds a conflict.
    pub(crate) fn judge_build(&self) -> Result<()> {
        let Some(building) = &self.building else { return Ok(()) };
        let mut offenders = &building.breaking - self.due() - &self.deleted;
        if self.declared {
            offenders -= &self.breaking;
        }
        if let Some(first) = offenders.min().and_then(|id| self.document(id))
            && let doc = self.view(first).seen_by(Seen::Coming)
            && let Err(error) = check::check_stored(&building.definition, first, doc)
        {
            let what = format!("{} ({})", error.message, self.named(&offenders));
            return Err(Error::new(error.code, what));
        }
        self.judge_lapsing(building)?;
        for index in &building.indexes {
            let sharing = self.sharing(index);
            if !sharing.is_empty() {
                let (shared, named) = (index.shared(), self.named(&sharing));
                let what = format!("documents hold the same {shared} ({named})");
                return Err(Error::new(Code::Unique, what));
            }
        }
        Ok(())
    }

    /// Whether the parts of documents with a TTL may lapse under what was built. Error: `SCHEMA`. O(documents with such parts).
    fn judge_lapsing(&self, building: &Building) -> Result<()> {
        let hidden = self.hidden(false);
        let mut offenders = RoaringBitmap::new();
        let mut first = None;
        for (id, document) in self.each_timed().filter(|(id, _)| !hidden.contains(*id)) {
            let Building { definition, indexes, .. } = building;
            if let Err(error) = judge_timed(definition, indexes, document.view()) {
                first.get_or_insert(error);
                offenders.insert(id);
            }
        }
        let Some(error) = first else { return Ok(()) };
        let what = format!("{} ({})", error.message, self.named(&offenders));
        Err(Error::new(error.code, what))
    }

    fn named(&self, offenders: &RoaringBitmap) -> String {
        let keys = offenders.iter().take(OFFENDERS_MAX).map(|id| {
            let mut key = Vec::new();
            self.key(id, &mut key);
            key
        });
        named(keys, offenders.len() as usize)
    }

    /// Puts what was built in the place of what is there. None is ahead.
    pub(crate) fn finish_build(&mut self) -> Retired {
        let Some(building) = self.building.take() else { return Retired::default() };
        debug_assert!(building.cursor == building.end, "all are taken in");
        let Building { definition, origins, indexes, breaking, .. } = *building;
        let mut held: Vec<Option<Index>> =
            std::mem::take(&mut self.indexes).into_iter().map(Some).collect();
        let mut built = indexes.into_iter();
        let next = |origin| match origin {
            Origin::Kept(at) => held[at].take(),
            Origin::Built => built.next(),
        };
        self.indexes = origins.into_iter().filter_map(next).collect();
        let are_others = self.definition.migrations != definition.migrations;
        self.definition = definition;
        let computed = self.computed.end(true);
        self.breaking = breaking;
        self.declared = true;
        if are_others {
            self.look_for_versions();
        }
        self.note_names();
        Retired { indexes: held.into_iter().flatten().collect(), computed }
    }

    /// Gives the build up.
    pub(crate) fn abandon_build(&mut self) -> Retired {
        let indexes = self.building.take().map(|building| building.indexes);
        let computed = self.computed.end(false);
        self.note_names();
        Retired { indexes: indexes.unwrap_or_default(), computed }
    }

    /// Goes on with the build of a collection in whose place this one stands, without documents.
    pub(crate) fn succeed_build(&mut self, taken: &Collection) {
        let anew = |building: &Building| Box::new(building.anew(self.next_id));
        self.building = taken.building.as_deref().map(anew);
        if let Some(building) = &self.building {
            self.computed.begin(&building.definition);
        }
        self.note_names();
    }

    /// All documents have new ids: the build begins anew.
    pub(super) fn restart_build(&mut self) {
        self.building = self.building.as_ref().map(|it| Box::new(it.anew(self.next_id)));
    }

    /// The indexes in use, then those that are being built: what places in a delta mean.
    pub(super) fn every_index(&self) -> impl Iterator<Item = &Index> {
        self.indexes.iter().chain(self.building.iter().flat_map(|building| &building.indexes))
    }

    /// By which declaration the index at a place of [`Collection::every_index`] sees documents.
    pub(super) fn seen_by(&self, at: usize) -> Seen {
        if at < self.indexes.len() { Seen::Declared } else { Seen::Coming }
    }

    /// The index at a place of [`Collection::every_index`].
    pub(super) fn index_at(&self, at: usize) -> Option<&Index> {
        let built = self.building.as_ref().map_or(&[][..], |building| &building.indexes);
        self.indexes.get(at).or_else(|| built.get(at.checked_sub(self.indexes.len())?))
    }

    /// Whether the document of `id` is ahead of the build: what it holds is in none of the indexes being built.
    pub(super) fn is_ahead(&self, id: DocId) -> bool {
        self.building.as_ref().is_some_and(|building| !building.holds(id))
    }

    /// The index at a place of [`Collection::every_index`], unless it does not hold the document of `id` yet.
    pub(super) fn index_holding(&mut self, at: usize, id: DocId) -> Option<&mut Index> {
        let in_use = self.indexes.len();
        if at < in_use {
            return self.indexes.get_mut(at);
        }
        let building = self.building.as_mut().filter(|building| building.holds(id))?;
        building.indexes.get_mut(at - in_use)
    }

    /// Judges a document by the declaration in force and by the one that is being built. Errors: `SCHEMA`, `JSON`.
    pub(crate) fn judge_declared(
        &self,
        touched: Option<&Touched<'_>>,
        doc: DocRef<'_>,
        huge_numbers: &[u32],
    ) -> Result<()> {
        let untouched = touched.filter(|touched| self.is_untouched(touched));
        self.declared().zip([Seen::Declared, Seen::Coming]).try_for_each(|(definition, seen)| {
            let doc = doc.seen_by(seen);
            match untouched {
                Some(touched) => {
                    check::check_rest(definition, Some(touched.old_text()), doc, huge_numbers)
                }
                None => check::check(definition, touched, doc, huge_numbers),
            }
        })
    }

    /// The same of what is declared IMMUTABLE in the document that takes the place of `old`. Error: `SCHEMA`.
    pub(crate) fn judge_immutable(&self, old: Option<DocRef<'_>>, doc: DocRef<'_>) -> Result<()> {
        let Some(old) = old else { return Ok(()) };
        self.declared().try_for_each(|definition| check::check_immutable(definition, old, doc))
    }

    /// The document with what these declarations have the server put into it; none where that is nothing.
    /// Errors: `PATH`, `TOOBIG`.
    pub(crate) fn filled(
        &self,
        fill: Fill<'_>,
        parsed: &Parsed,
        limits: &Limits,
    ) -> Result<Option<Parsed>> {
        let mut filled: Option<Parsed> = None;
        for definition in self.declared() {
            let more = fill.fill(definition, filled.as_ref().unwrap_or(parsed), limits)?;
            filled = more.or(filled);
        }
        Ok(filled)
    }

    /// The declaration in force and the one that is being built: what a write has to keep to.
    pub(crate) fn declared(&self) -> impl Iterator<Item = &Definition> {
        [Some(&self.definition), self.coming()].into_iter().flatten()
    }

    /// How many documents the build under way has taken in, and of how many. O(65,536th of them).
    pub fn build_progress(&self) -> Option<(u64, u64)> {
        let documents = self.live.len();
        self.building.as_ref().map(|it| (documents - it.ahead(&self.live), documents))
    }

    /// What `DOC.INFO` tells of the build under way, if there is one.
    pub(super) fn build_info(&self) -> Vec<Vec<(String, Info)>> {
        let Some(building) = &self.building else { return Vec::new() };
        let documents = self.live.len();
        let bytes = building.indexes.iter().map(|index| index.heap_bytes(self.blocks) as u64);
        let int = |name: &str, number| (name.to_owned(), Info::Int(number));
        vec![vec![
            ("definition".to_owned(), Info::Text(building.definition.to_json())),
            int("done", documents - building.ahead(&self.live)),
            int("documents", documents),
            int("invalid", (&building.breaking - self.due() - &self.deleted).len()),
            int("bytes", bytes.sum()),
        ]]
    }
}

/// The first offenders by their keys, and how many there are besides.
pub(crate) fn named(keys: impl Iterator<Item = Vec<u8>>, offenders: usize) -> String {
    let keys = keys.take(OFFENDERS_MAX).map(|key| String::from_utf8_lossy(&key).into_owned());
    let keys: Vec<String> = keys.collect();
    let more = offenders.saturating_sub(OFFENDERS_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", keys.join(", "))
}
