//! Groups by their keys, each with what its reducers know so far.

use std::collections::BTreeMap;

use smallvec::SmallVec;

use super::bucket::Begin;
use super::definition::{Aggregate, GroupKey};
use super::reducer::State;
use super::room::Room;
use crate::error::{Code, Error, Result};
use crate::index::KeyList;
use crate::limits::Limits;
use crate::query::{Candidate, Given, Meter};
use crate::value::{Key, KeyBuf};

/// What stands in a row for a key.
#[derive(Debug, Clone)]
pub enum Part<'d> {
    /// Nothing: it is missing.
    Missing,
    /// A value as the earliest born document has it.
    Given(Given<'d>),
    /// The beginning of a bucket.
    Begin(Begin),
}

/// One group.
#[derive(Debug)]
pub struct Group<'d> {
    /// What stands for each key.
    pub parts: SmallVec<[Part<'d>; 1]>,
    /// What each reducer knows.
    pub states: Vec<State<'d>>,
}

/// All groups. A tree: rows come out in the order of their keys, and no values can be crafted that make it slow.
#[derive(Debug)]
pub struct Groups<'d, 'q> {
    aggregate: &'q Aggregate,
    most: usize,
    by_keys: BTreeMap<KeyList, u32>,
    /// In the order of their births.
    pub all: Vec<Group<'d>>,
}

/// A key of a document, and what stands for it.
type Keyed<'d> = (Key, Part<'d>);

impl<'d, 'q> Groups<'d, 'q> {
    /// No groups yet; without keys the one that all documents are in.
    pub fn new(aggregate: &'q Aggregate, limits: &Limits, room: &mut Room) -> Result<Self> {
        let most = limits.groups_max;
        let mut groups = Groups { aggregate, most, by_keys: BTreeMap::new(), all: Vec::new() };
        if aggregate.keys.is_empty() {
            groups.find(KeyList::new(), SmallVec::new, room)?;
        }
        Ok(groups)
    }

    /// The group of `keys`, founded if need be. Error: `LIMITED`.
    pub fn find(
        &mut self,
        keys: KeyList,
        parts: impl FnOnce() -> SmallVec<[Part<'d>; 1]>,
        room: &mut Room,
    ) -> Result<u32> {
        if let Some(at) = self.by_keys.get(&keys) {
            return Ok(*at);
        }
        if self.all.len() == self.most {
            let most = self.most;
            let what = format!("more groups than the limit of {most} (folio.groups-max)");
            return Err(Error::new(Code::Limited, what));
        }
        let reducers = &self.aggregate.reducers;
        let bytes = size_of::<Group<'_>>() + reducers.len() * size_of::<State<'_>>();
        let keys_bytes: usize = keys.iter().map(|key| size_of::<Key>() + key.heap_bytes()).sum();
        room.take(bytes + keys_bytes)?;
        let at = self.all.len() as u32;
        self.by_keys.insert(keys, at);
        let states = reducers.iter().map(super::reducer::Reducer::begin).collect();
        self.all.push(Group { parts: parts(), states });
        Ok(at)
    }

    /// Fills `found` with the groups that a document is in.
    pub fn of(
        &mut self,
        candidate: &mut dyn Candidate<'d>,
        (scratch, meter): (&mut KeyBuf, &Meter<'_>),
        found: &mut Vec<u32>,
        room: &mut Room,
    ) -> Result<()> {
        found.clear();
        let keys = &self.aggregate.keys;
        let mut single: SmallVec<[Keyed<'d>; 2]> = SmallVec::new();
        let mut multi: Option<(usize, BTreeMap<Key, Part<'d>>)> = None;
        for (at, key) in keys.iter().enumerate() {
            if key.source.is_multi() {
                multi = Some((at, key.distinct(candidate, scratch, meter)?));
                // Stands in the place of each of its values.
                single.push((Key::MISSING, Part::Missing));
            } else {
                single.push(key.single(candidate, scratch, meter)?);
            }
        }
        let Some((at, values)) = multi else {
            let group_keys = single.iter().map(|(key, _)| key.clone()).collect();
            let parts = || single.into_iter().map(|(_, part)| part).collect();
            found.push(self.find(group_keys, parts, room)?);
            return Ok(());
        };
        for keyed in values {
            meter.step(1)?;
            single[at] = keyed;
            let group_keys = single.iter().map(|(key, _)| key.clone()).collect();
            let parts = || single.iter().map(|(_, part)| part.clone()).collect();
            found.push(self.find(group_keys, parts, room)?);
        }
        Ok(())
    }

    /// The groups in the ascending order of their keys.
    pub fn into_ordered(self) -> Vec<Group<'d>> {
        let mut groups: Vec<Option<Group<'d>>> = self.all.into_iter().map(Some).collect();
        self.by_keys.into_values().filter_map(|at| groups[at as usize].take()).collect()
    }
}

impl GroupKey {
    fn keyed<'d>(&self, given: Given<'d>, scratch: &mut KeyBuf) -> Keyed<'d> {
        let part = match &self.width {
            None => {
                self.source.key(&given, scratch);
                Part::Given(given)
            }
            Some(width) => match width.begin(&given, self.source.scalar()) {
                Some(begin) => {
                    begin.key(scratch);
                    Part::Begin(begin)
                }
                None => return (Key::MISSING, Part::Missing),
            },
        };
        (scratch.as_ref().to_key(), part)
    }

    fn single<'d>(
        &self,
        candidate: &mut dyn Candidate<'d>,
        scratch: &mut KeyBuf,
        meter: &Meter<'_>,
    ) -> Result<Keyed<'d>> {
        let mut keyed = (Key::MISSING, Part::Missing);
        self.source.each(candidate, meter, |given| {
            keyed = self.keyed(given, scratch);
            Ok(())
        })?;
        Ok(keyed)
    }

    /// The distinct values that a path with `[*]` leads to, the first of equals; the missing one where it leads to nothing.
    fn distinct<'d>(
        &self,
        candidate: &mut dyn Candidate<'d>,
        scratch: &mut KeyBuf,
        meter: &Meter<'_>,
    ) -> Result<BTreeMap<Key, Part<'d>>> {
        let mut values = BTreeMap::new();
        self.source.each(candidate, meter, |given| {
            let (key, part) = self.keyed(given, scratch);
            values.entry(key).or_insert(part);
            Ok(())
        })?;
        if values.is_empty() {
            values.insert(Key::MISSING, Part::Missing);
        }
        Ok(values)
    }
}
