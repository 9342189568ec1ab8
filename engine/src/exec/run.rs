//! One run of a FIND: candidates in the order of the plan, each checked for what the access leaves open.

use std::borrow::Cow;

use super::budget::{Budget, Means};
use super::candidates::{candidates, total};
use super::cursor::Cursor;
use super::ids::Ids;
use super::residual::Residual;
use super::sort::{OrderKeys, Sorter};
use super::trace::{Profile, Spent};
use super::{Direction, Find, Found};
use crate::collection::Collection;
use crate::doc::Document;
use crate::error::{Code, Error, Result};
use crate::index::{DocId, Posting, SortedIndex};
use crate::plan::{OrderPlan, Plan, Step};
use crate::value::{Key, KeyRange, KeySet};

/// How an index is walked.
struct Walk<'w> {
    index: usize,
    /// Among which all candidates stand.
    keys: &'w KeySet,
    direction: Direction,
    /// Which way documents of one key go.
    ties: Direction,
}

/// One run of a FIND.
pub struct Run<'q> {
    collection: &'q Collection,
    plan: &'q Plan<'q>,
    find: &'q Find,
    rows_max: usize,
    residual: Residual<'q, 'q>,
    budget: Budget<'q>,
    rows: Vec<DocId>,
    /// Documents found so far, those passed over included, from the cursor on.
    matched: u64,
    checked: u64,
    /// Documents that were read for the total.
    counted: usize,
    /// What each step yielded, where that is asked.
    spent: Option<Vec<Option<Spent>>>,
}

impl<'q> Run<'q> {
    /// A run by `plan`.
    pub fn new(
        collection: &'q Collection,
        plan: &'q Plan<'q>,
        find: &'q Find,
        means: Means<'q>,
    ) -> Self {
        Run {
            collection,
            plan,
            find,
            rows_max: means.limits.rows_max,
            residual: Residual::new(collection, &plan.access),
            budget: Budget::new(!find.scan, means),
            rows: Vec::new(),
            matched: 0,
            checked: 0,
            counted: 0,
            spent: None,
        }
    }

    /// Notes what each step yields.
    pub fn noted(mut self) -> Self {
        self.spent = Some(Vec::new());
        self
    }

    /// Finds. Errors: `NOINDEX`, `LIMITED`, `TIMEOUT`.
    pub fn run(mut self) -> Result<(Found, Profile)> {
        let total = match (&self.find.after, self.find.with_total) {
            // The page begins at the cursor, the total does not.
            (Some(_), true) => Some(self.total()?),
            _ => None,
        };
        match &self.plan.order {
            OrderPlan::Birth(direction) => self.by_birth(*direction)?,
            OrderPlan::Walk { index, keys, direction, ties, prefix } => {
                let walk = Walk { index: *index, keys, direction: *direction, ties: *ties };
                self.by_walk(&walk, prefix)?;
            }
            OrderPlan::Sort { keep } => self.by_sort(*keep)?,
        }
        let total = total.or(self.find.with_total.then_some(self.matched));
        let cursor = self.cursor();
        self.budget.look()?;
        let profile = Profile {
            steps: self.spent.take().unwrap_or_default(),
            checked: self.checked,
            passed: self.matched,
            examined: (self.counted + self.budget.examined()) as u64,
            rows: self.rows.len() as u64,
            elapsed_us: self.budget.elapsed_us(),
        };
        Ok((Found { ids: self.rows, total, cursor }, profile))
    }

    /// How many match in all. The page reads some of the same documents once more, and they count once.
    fn total(&mut self) -> Result<u64> {
        if self.plan.access.residual.is_empty() {
            return total(self.collection, &self.plan.access, &self.budget);
        }
        let mut count = 0;
        for id in self.candidates()?.ids() {
            count += u64::from(self.holds(id)?);
        }
        self.counted = self.budget.forget_examined();
        Ok(count)
    }

    fn candidates(&mut self) -> Result<Ids<'q>> {
        candidates(self.collection, &self.plan.access, &self.budget, self.spent.as_mut())
    }

    fn holds(&mut self, id: DocId) -> Result<bool> {
        self.checked += 1;
        self.residual.holds(id, &mut self.budget)
    }

    fn end(&self) -> u64 {
        self.find.limit.map_or(u64::MAX, |(offset, count)| offset.saturating_add(count))
    }

    /// Where the next page begins, if there may be one: where rows were cut, or nobody has looked whether they were.
    fn cursor(&self) -> Option<Cursor> {
        let (_, count) = self.find.limit?;
        let last = *self.rows.last()?;
        let is_full = self.rows.len() as u64 == count;
        // Of a sort all matches are known, and where no document is read for it.
        let is_known = self.plan.access.residual.is_empty()
            || self.counts_on()
            || matches!(self.plan.order, OrderPlan::Sort { .. });
        if !is_full || (is_known && self.matched <= self.end()) {
            return None;
        }
        let keys = OrderKeys::new(self.collection, &self.plan.paths).of(last).into_vec();
        Some(Cursor { query: self.find.query, keys, seq: self.seq(last) })
    }

    fn seq(&self, id: DocId) -> u64 {
        self.collection.document(id).map_or(0, Document::seq)
    }

    /// Takes a match; false when no more are wanted.
    fn take(&mut self, id: DocId) -> Result<bool> {
        let offset = self.find.limit.map_or(0, |(offset, _)| offset);
        if self.matched >= offset && self.matched < self.end() {
            if self.rows.len() == self.rows_max {
                let most = self.rows_max;
                let what = format!(
                    "the answer exceeds the limit of {most} rows (folio.rows-max): use LIMIT"
                );
                return Err(Error::new(Code::Limited, what));
            }
            self.rows.push(id);
        }
        self.matched += 1;
        let has_residual = !self.plan.access.residual.is_empty();
        if has_residual && self.counts_on() {
            return Ok(true);
        }
        // Where no document is read for it, one more is looked for: whether there is a next page.
        let wanted = self.end().saturating_add(u64::from(!has_residual));
        Ok(self.matched < wanted)
    }

    /// Whether documents behind the last row are counted.
    fn counts_on(&self) -> bool {
        self.find.with_total && self.find.after.is_none()
    }

    fn by_birth(&mut self, direction: Direction) -> Result<()> {
        let candidates = self.candidates()?;
        if self.end() == 0 && !self.counts_on() {
            return Ok(());
        }
        let after = self.find.after.as_ref().map(|after| after.seq);
        let (passed, ids): (u64, Box<dyn Iterator<Item = DocId>>) = match direction {
            Direction::Ascending => {
                let first = after.map_or(0, |seq| self.collection.first_after(seq));
                (candidates.before(first), candidates.from(first))
            }
            Direction::Descending => {
                // The cursor's own document, and all that were born after it.
                let end = after.map_or(DocId::MAX, |seq| self.collection.first_from(seq));
                (candidates.len() - candidates.before(end), candidates.back_from(end))
            }
        };
        for id in ids {
            if self.holds(id)? && !self.take(id)? {
                break;
            }
        }
        if self.plan.access.residual.is_empty() {
            self.matched = candidates.len() - passed;
        }
        Ok(())
    }

    fn by_walk(&mut self, walk: &Walk<'_>, prefix: &[u8]) -> Result<()> {
        let index = &self.collection.indexes()[walk.index];
        let Some(sorted) = index.as_sorted() else { return Ok(()) };
        if self.end() == 0 && !self.counts_on() {
            return Ok(());
        }
        // Candidates that are a stretch of this very index need not be gathered first.
        let (keys, picked) = match self.stretch(walk) {
            Some(keys) => (keys, None),
            None => (Cow::Borrowed(walk.keys), Some(self.candidates()?)),
        };
        let start = self.find.after.as_ref().map(|after| index.key_behind(prefix, &after.keys));
        let clipped = keys.ranges().iter().filter_map(|range| match (&start, walk.direction) {
            (None, _) => Some(range.clone()),
            (Some(key), Direction::Ascending) => range.from(key),
            (Some(key), Direction::Descending) => range.up_to(key),
        });
        let mut ranges: Vec<KeyRange> = clipped.collect();
        if walk.direction == Direction::Descending {
            ranges.reverse();
        }
        for range in &ranges {
            if !self.walk(sorted, range, walk, start.as_ref(), picked.as_ref())? {
                break;
            }
        }
        if self.counts_on() && self.plan.access.residual.is_empty() {
            self.matched = match picked {
                Some(picked) => picked.len(),
                None => total(self.collection, &self.plan.access, &self.budget)?,
            };
        }
        Ok(())
    }

    /// The keys of the candidates in the index that is walked, where they are all that it has under these.
    fn stretch<'k>(&self, walk: &Walk<'k>) -> Option<Cow<'k, KeySet>>
    where
        'q: 'k,
    {
        let access = &self.plan.access;
        let root = access.root.map(|root| &access.steps[root]);
        match root? {
            Step::All => Some(Cow::Borrowed(walk.keys)),
            Step::Index { index, keys, .. } if *index == walk.index => Some(Cow::Borrowed(keys)),
            Step::Complement(operand) => match &access.steps[*operand] {
                Step::Index { index, keys, .. } if *index == walk.index => {
                    let source = self.collection.indexes()[*index].source();
                    let has_all = source.values_path().is_some() && source.filter().is_none();
                    has_all.then(|| Cow::Owned(keys.complement()))
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// Takes what a stretch of an index has; false when no more is wanted. `start` is the cursor's key; `picked` are the
    /// candidates, all without it.
    fn walk(
        &mut self,
        sorted: &SortedIndex,
        range: &KeyRange,
        walk: &Walk<'_>,
        start: Option<&Key>,
        picked: Option<&Ids<'_>>,
    ) -> Result<bool> {
        let walked = sorted.walk(range);
        let postings: Box<dyn Iterator<Item = (_, &Posting)>> = match walk.direction {
            Direction::Ascending => Box::new(walked),
            Direction::Descending => Box::new(walked.rev()),
        };
        for (key, posting) in postings {
            let is_cursors = start.is_some_and(|start| start.as_ref() == key);
            let ids = posting.ids();
            let ids: Box<dyn Iterator<Item = DocId>> = match walk.ties {
                Direction::Ascending => Box::new(ids),
                Direction::Descending => Box::new(ids.rev()),
            };
            for id in ids {
                if is_cursors && !self.is_behind(id, walk.ties) {
                    continue;
                }
                let is_candidate = match picked {
                    Some(picked) => picked.contains(id),
                    None => !self.plan.access.hidden.contains(id),
                };
                if !is_candidate {
                    self.budget.step()?;
                } else if self.holds(id)? && !self.take(id)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Whether a document with the cursor's order value stands behind it.
    fn is_behind(&self, id: DocId, ties: Direction) -> bool {
        let Some(after) = &self.find.after else { return true };
        match ties {
            Direction::Ascending => self.seq(id) > after.seq,
            Direction::Descending => self.seq(id) < after.seq,
        }
    }

    fn by_sort(&mut self, keep: Option<u64>) -> Result<()> {
        let (candidates, paths) = (self.candidates()?, &self.plan.paths);
        let most = self.rows_max as u64 + 1;
        let keep = usize::try_from(keep.unwrap_or(most)).unwrap_or(usize::MAX);
        let reads = paths.iter().any(|path| path.column.is_none());
        let mut sorter = Sorter::new(self.collection, paths, Some(keep), self.find);
        let has_residual = !self.plan.access.residual.is_empty();
        // Those of a block that satisfy the filter, and which of them were read for it.
        let (mut kept, mut read) = (Vec::new(), Vec::new());
        for block in candidates.blocks() {
            self.residual.fetch(&block);
            kept.clear();
            read.clear();
            for id in block {
                let examined = self.budget.examined();
                if !has_residual || self.holds(id)? {
                    kept.push(id);
                    read.push(self.budget.examined() > examined);
                }
            }
            sorter.fetch(&kept);
            for (id, is_read) in kept.iter().zip(&read) {
                self.budget.examine_if(reads && !is_read)?;
                let collection = self.collection;
                let seq = || collection.document(*id).map_or(0, Document::seq);
                self.matched += u64::from(sorter.add(*id, seq, &mut self.budget)?);
            }
        }
        let found = std::mem::take(&mut self.matched);
        for id in sorter.finish(&mut self.budget) {
            if !self.take(id)? {
                break;
            }
        }
        self.matched = found;
        Ok(())
    }
}
