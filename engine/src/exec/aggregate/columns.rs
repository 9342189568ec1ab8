//! The way past the documents: groups from the postings of an index, reducers over the columns of others.
//!
//! ```text
//!   index of the key    'Bern' -> {3, 9}   'Rome' -> {1, 4, 7}
//!   group by id         . 1 . 0 1 . . 1 . 0                       written once for all reducers
//!   column of a value   2.5 8 1 ..                                read in one pass beside it
//! ```
//! A document is read for the text of a row (one a group, and one for each least or greatest value), and where a head is not
//! the whole key.

use std::collections::BTreeMap;

use roaring::RoaringBitmap;
use smallvec::smallvec;

use super::definition::Aggregate;
use super::distinct::{first_of, given_of};
use super::groups::{Groups, Part};
use super::is_all;
use super::reducer::{Function, Reducer, State};
use super::room::Room;
use super::sum::{Spread, Sum};
use super::way::{Past, of_aggregate};
use crate::collection::Collection;
use crate::error::Result;
use crate::exec::{BLOCK, Budget, Ids};
use crate::index::{Column, DocId, Index, Posting};
use crate::limits::Limits;
use crate::plan::Access;
use crate::query::{Given, Source, Value};
use crate::schema::Scalar;
use crate::value::{Key, KeyBuf, Number, number_of_head};

/// The indexes that answer an aggregate.
pub struct Columns<'c, 'q> {
    collection: &'c Collection,
    aggregate: &'q Aggregate,
    /// The documents; all without it.
    picked: Option<&'q Ids<'q>>,
    /// The index of the one key.
    index: Option<&'c Index>,
    /// The column in which each candidate's key is looked up, where they are few.
    keys: Option<&'c Column>,
    /// For each reducer the column of its values, but for `count()`.
    values: Vec<Option<(&'q Source, &'c Column)>>,
}

/// In which group documents are.
enum Members {
    /// All in the first.
    One,
    /// By id from the first on; [`NOWHERE`] in none.
    Dense { first: DocId, groups: Vec<u32> },
    /// Each with its group; those of one group by id.
    Sparse(Vec<(DocId, u32)>),
}

const NOWHERE: u32 = u32::MAX;
/// Ids are laid out densely where at least one of so many is a member.
const DENSE_WORTH: u64 = 8;
/// Ids of a posting that are gone through in a step.
const IDS_A_STEP: usize = 16;

impl<'c, 'q> Columns<'c, 'q> {
    /// The indexes, if they answer all that is asked of `candidates`.
    pub fn choose(
        collection: &'c Collection,
        aggregate: &'q Aggregate,
        access: &Access<'_>,
        candidates: &'q Ids<'q>,
        limits: &Limits,
    ) -> Option<Self> {
        let Past { index, keys, values } =
            of_aggregate(collection, aggregate, access, limits).ok()?;
        let picked = (!is_all(access)).then_some(candidates);
        Some(Columns { collection, aggregate, picked, index, keys, values })
    }

    /// The groups. Errors: `NOINDEX` where many documents are read after all, `LIMITED`, `TIMEOUT`.
    pub fn run(
        self,
        budget: &mut Budget<'_>,
        limits: &Limits,
        room: &mut Room,
    ) -> Result<Groups<'c, 'q>> {
        let mut groups = Groups::new(self.aggregate, limits, room)?;
        let mut members = self.members();
        let counts = self.found(&mut groups, &mut members, (room, budget))?;
        for (at, reducer) in self.aggregate.reducers.iter().enumerate() {
            let states: Vec<State<'c>> = match self.values[at] {
                None => counts.iter().map(|count| State::Count(*count)).collect(),
                Some((source, column)) => {
                    let mut pass =
                        Pass { columns: &self, members: &members, source, column, budget, room };
                    pass.states(reducer, counts.len())?
                }
            };
            for (group, state) in groups.all.iter_mut().zip(states) {
                group.states[at] = state;
            }
        }
        Ok(groups)
    }

    /// Nobody is in a group yet.
    fn members(&self) -> Members {
        let live = self.collection.live();
        let count = self.picked.map_or(live.len(), Ids::len);
        let (Some(first), Some(last)) = (live.min(), live.max()) else { return Members::One };
        let span = u64::from(last - first) + 1;
        if self.index.is_none() && self.picked.is_none() {
            Members::One
        } else if self.values.iter().all(Option::is_none)
            || span > count.saturating_mul(DENSE_WORTH)
        {
            Members::Sparse(Vec::new())
        } else {
            Members::Dense { first, groups: vec![NOWHERE; span as usize] }
        }
    }

    /// Founds the groups and puts their members in; gives the size of each.
    fn found(
        &self,
        groups: &mut Groups<'c, 'q>,
        members: &mut Members,
        (room, budget): (&mut Room, &Budget<'_>),
    ) -> Result<Vec<u64>> {
        let is_read = self.values.iter().any(Option::is_some);
        let Some(index) = self.index else {
            let live = self.collection.live();
            return Ok(vec![match self.picked {
                Some(picked) if is_read => members.put(picked.ids(), 0),
                Some(picked) => picked.len(),
                None => live.len(),
            }]);
        };
        if let (Some(picked), Some(column)) = (self.picked, self.keys) {
            return self.found_by_candidate((picked, column), groups, members, (room, budget));
        }
        let mut scratch = KeyBuf::default();
        let mut counts = Vec::new();
        for (key, posting) in index.each() {
            budget.step()?;
            budget.meter().step(posting.len() as usize / IDS_A_STEP)?;
            let Some(first) = first_of(posting, self.picked) else { continue };
            let at = self.find(key, first, groups, (&mut scratch, room, budget))?;
            counts.push(match (self.picked, posting) {
                (None, _) if !is_read => posting.len(),
                (None, Posting::Many(ids)) => members.put_many(ids, at),
                (None, _) => members.put(posting.ids(), at),
                (Some(Ids::Bitmap(picked)), Posting::Many(ids)) if !is_read => {
                    ids.intersection_len(picked)
                }
                (Some(Ids::Bitmap(picked)), Posting::Many(ids)) => {
                    members.put_many(&(&**ids & picked.as_ref()), at)
                }
                (Some(picked), _) => {
                    members.put(posting.ids().filter(|id| picked.contains(*id)), at)
                }
            });
        }
        Ok(counts)
    }

    /// The same candidate by candidate: of few in a large collection far fewer steps than through all postings.
    fn found_by_candidate(
        &self,
        (picked, column): (&Ids<'_>, &Column),
        groups: &mut Groups<'c, 'q>,
        members: &mut Members,
        (room, budget): (&mut Room, &Budget<'_>),
    ) -> Result<Vec<u64>> {
        let mut scratch = KeyBuf::default();
        let mut counts = Vec::new();
        let mut by_head: BTreeMap<u64, u32> = BTreeMap::new();
        for block in picked.blocks() {
            column.fetch(block.iter().copied());
            for id in block {
                budget.meter().step(1)?;
                let Some(head) = column.head(id) else { continue };
                let at = if let Some(at) = by_head.get(&head) {
                    *at
                } else {
                    let key = Key::new(head, None);
                    let at = self.find(key, id, groups, (&mut scratch, room, budget))?;
                    room.take(size_of::<(u64, u32)>())?;
                    by_head.insert(head, at);
                    counts.push(0);
                    at
                };
                counts[at as usize] += 1;
                members.put(std::iter::once(id), at);
            }
        }
        Ok(counts)
    }

    /// The group of `key`, founded with the value as the document of `first` has it.
    fn find(
        &self,
        key: Key,
        first: DocId,
        groups: &mut Groups<'c, 'q>,
        (scratch, room, budget): (&mut KeyBuf, &mut Room, &Budget<'_>),
    ) -> Result<u32> {
        let (source, meter) = (&self.aggregate.keys[0].source, budget.meter());
        let given = given_of(self.collection, first, source, key.as_ref(), scratch, meter);
        let part = given.map_or(Part::Missing, Part::Given);
        groups.find(smallvec![key], || smallvec![part], room)
    }
}

impl Members {
    /// The same of many: they come out of a bitmap faster in runs.
    fn put_many(&mut self, ids: &RoaringBitmap, group: u32) -> u64 {
        const RUN: usize = 256;
        let Members::Dense { first, groups } = self else { return self.put(ids.iter(), group) };
        let (mut run, mut ids) = ([0; RUN], ids.iter());
        let mut count = 0;
        loop {
            let run = ids.next_many(&mut run);
            if run.is_empty() {
                return count;
            }
            count += run.len() as u64;
            for id in &*run {
                groups[(*id - *first) as usize] = group;
            }
        }
    }

    /// Puts documents into a group; how many.
    fn put(&mut self, ids: impl Iterator<Item = DocId>, group: u32) -> u64 {
        let mut count = 0;
        match self {
            Members::One => {}
            Members::Dense { first, groups } => ids.for_each(|id| {
                groups[(id - *first) as usize] = group;
                count += 1;
            }),
            Members::Sparse(pairs) => {
                let before = pairs.len();
                pairs.extend(ids.map(|id| (id, group)));
                count = (pairs.len() - before) as u64;
            }
        }
        count
    }
}

impl Reducer {
    /// Whether the keys of values of a type are enough. Decimals keep their zeros in texts alone.
    pub(super) fn reads_keys(&self, scalar: Scalar) -> bool {
        match self.function {
            Function::Count | Function::Min | Function::Max => true,
            Function::Sum | Function::Avg | Function::Stddev | Function::Quantile(_) => {
                matches!(scalar, Scalar::Int | Scalar::Float | Scalar::Json)
            }
            _ => false,
        }
    }
}

/// One reducer over one column.
struct Pass<'p, 'c, 'q, 'm> {
    columns: &'p Columns<'c, 'q>,
    members: &'p Members,
    source: &'q Source,
    column: &'c Column,
    budget: &'p mut Budget<'m>,
    room: &'p mut Room,
}

impl<'c> Pass<'_, 'c, '_, '_> {
    /// The state of each of `count` groups.
    fn states(&mut self, reducer: &Reducer, count: usize) -> Result<Vec<State<'c>>> {
        self.budget.step()?;
        match reducer.function {
            Function::Sum | Function::Avg if self.column.is_all_exact() => {
                let sums = self.heads(count, Sum::add_head);
                Ok(sums.into_iter().map(State::Sum).collect())
            }
            Function::Sum | Function::Avg => {
                let sums = self.numbers(count, |sum: &mut Sum, number, _| {
                    sum.add_number(number);
                    Ok(())
                })?;
                Ok(sums.into_iter().map(State::Sum).collect())
            }
            Function::Stddev => {
                let spreads = self.numbers(count, |spread: &mut Spread, number, _| {
                    spread.add(number.to_f64());
                    Ok(())
                })?;
                Ok(spreads.into_iter().map(State::Spread).collect())
            }
            Function::Quantile(_) => {
                let lists =
                    self.numbers(count, |list: &mut Vec<Value<'static>>, number, room| {
                        list.push(Value::number(number));
                        room.take(size_of::<Value<'_>>())
                    })?;
                Ok(lists.into_iter().map(State::Numbers).collect())
            }
            Function::Min | Function::Max => self.best(count, reducer.function == Function::Max),
            _ => {
                let counts = self.fold(count, |_, total: &mut u64, _, head| {
                    *total += u64::from(head > Key::NULL.head());
                    Ok(())
                })?;
                Ok(counts.into_iter().map(State::Count).collect())
            }
        }
    }

    /// The same where a head is all that is asked and nothing can fail: in runs over whole chunks. Once the time is over it
    /// adds no more; the next step tells.
    fn heads<T: Clone + Default>(&self, count: usize, mut add: impl FnMut(&mut T, u64)) -> Vec<T> {
        // What is in no group goes into a last one, which is no group: cheaper than asking.
        let mut totals = vec![T::default(); count + 1];
        let (column, meter) = (self.column, self.budget.meter());
        let spend = |heads: &[u64]| meter.spend(heads.len() as u32 / IDS_A_STEP as u32 + 1);
        match self.members {
            Members::One => column.each_chunk(|_, _, heads| {
                if !spend(heads) {
                    return;
                }
                for head in heads {
                    add(&mut totals[0], *head);
                }
            }),
            Members::Dense { first, groups } => column.each_chunk(|start, present, heads| {
                if !spend(heads) {
                    return;
                }
                let from = start.wrapping_sub(*first) as usize;
                if let (u64::MAX, Some(groups)) = (present, groups.get(from..from + heads.len())) {
                    for (head, group) in heads.iter().zip(groups) {
                        add(&mut totals[(*group as usize).min(count)], *head);
                    }
                    return;
                }
                let mut present = present;
                for head in heads {
                    let at = (start + present.trailing_zeros()).wrapping_sub(*first);
                    present &= present - 1;
                    let group =
                        groups.get(at as usize).map_or(count, |group| (*group as usize).min(count));
                    add(&mut totals[group], *head);
                }
            }),
            Members::Sparse(pairs) => {
                for block in pairs.chunks(BLOCK) {
                    if !meter.spend(block.len() as u32) {
                        break;
                    }
                    column.fetch(block.iter().map(|(id, _)| *id));
                    for (id, group) in block {
                        let Some(head) = column.head(*id) else { continue };
                        add(&mut totals[*group as usize], head);
                    }
                }
            }
        }
        totals.truncate(count);
        totals
    }

    /// Adds up what a column has, group by group.
    fn fold<T: Clone + Default>(
        &mut self,
        count: usize,
        mut add: impl FnMut(&mut Self, &mut T, DocId, u64) -> Result<()>,
    ) -> Result<Vec<T>> {
        let mut totals = vec![T::default(); count];
        let column = self.column;
        match self.members {
            Members::One => column.try_each(|id, head| {
                self.budget.meter().step(1)?;
                add(self, &mut totals[0], id, head)
            })?,
            Members::Dense { first, groups } => column.try_each(|id, head| {
                self.budget.meter().step(1)?;
                let at = id.wrapping_sub(*first) as usize;
                match groups.get(at) {
                    Some(&group) if group != NOWHERE => {
                        add(self, &mut totals[group as usize], id, head)
                    }
                    _ => Ok(()),
                }
            })?,
            Members::Sparse(pairs) => {
                for (id, group) in pairs {
                    self.budget.meter().step(1)?;
                    let Some(head) = column.head(*id) else { continue };
                    add(self, &mut totals[*group as usize], *id, head)?;
                }
            }
        }
        Ok(totals)
    }

    fn numbers<T: Clone + Default>(
        &mut self,
        count: usize,
        mut add: impl FnMut(&mut T, Number, &mut Room) -> Result<()>,
    ) -> Result<Vec<T>> {
        self.fold(count, |pass, total, id, head| {
            let Some(number) = number_of_head(head) else { return Ok(()) };
            if pass.column.is_exact(id) {
                return add(total, number, pass.room);
            }
            // The head is the double below.
            let number = pass.read(id)?.and_then(|given| pass.source.number(&given));
            match number {
                Some(Value::Number(number)) => add(total, number.0, pass.room),
                _ => Ok(()),
            }
        })
    }

    /// The value of a document.
    fn read(&mut self, id: DocId) -> Result<Option<Given<'c>>> {
        self.budget.examine()?;
        Ok(self.given(id))
    }

    fn given(&self, id: DocId) -> Option<Given<'c>> {
        let doc = self.columns.collection.view_of(id)?;
        self.source.path()?.first(doc).map(Given::Stored)
    }

    fn best(&mut self, count: usize, is_max: bool) -> Result<Vec<State<'c>>> {
        let found = self.fold(count, |pass, best: &mut Option<(u64, DocId)>, id, head| {
            if head <= Key::NULL.head() {
                return Ok(());
            }
            let Some((best_head, best_id)) = *best else {
                *best = Some((head, id));
                return Ok(());
            };
            let mut order = head.cmp(&best_head);
            if order.is_eq() && !(pass.column.is_exact(id) && pass.column.is_exact(best_id)) {
                order = pass.key(id)?.cmp(&pass.key(best_id)?);
            }
            if if is_max { order.is_gt() } else { order.is_lt() } {
                *best = Some((head, id));
            }
            Ok(())
        })?;
        let mut states = Vec::with_capacity(found.len());
        for best in found {
            let given = best.and_then(|(_, id)| self.given(id));
            let mut scratch = KeyBuf::default();
            states.push(State::Best(given.map(|given| {
                self.source.key(&given, &mut scratch);
                (scratch.as_ref().to_key(), given)
            })));
        }
        Ok(states)
    }

    fn key(&mut self, id: DocId) -> Result<Key> {
        let mut scratch = KeyBuf::default();
        if let Some(given) = self.read(id)? {
            self.source.key(&given, &mut scratch);
        }
        Ok(scratch.as_ref().to_key())
    }
}
