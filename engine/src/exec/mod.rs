//! Running queries over a collection.
//!
//! The engine's answers are ids; the caller reads the documents. Due documents are in no answer; the collection was told the
//! time before ([`Collection::lapse`]).

mod budget;
mod ids;
mod residual;
mod sort;

pub use ids::Ids;

use budget::Budget;
use residual::Residual;

use crate::collection::Collection;
use crate::error::{Code, Error, Result};
use crate::index::{DocId, Posting};
use crate::limits::{Limits, ORDER_PATHS_MAX};
pub use crate::plan::{Direction, Find};

use crate::plan::{self, Access, OrderPlan, Step};
use crate::query::Filter;
use crate::value::KeyRange;

/// The answer of a FIND.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The documents, in order.
    pub ids: Vec<DocId>,
    /// How many match, when asked.
    pub total: Option<u64>,
}

/// Finds documents. Errors: `NOINDEX`, `LIMITED`.
pub fn find(collection: &Collection, find: &Find, limits: &Limits) -> Result<Found> {
    if find.order.len() > ORDER_PATHS_MAX {
        let count = find.order.len();
        let what = format!("ORDER by {count} paths exceeds the limit of {ORDER_PATHS_MAX}");
        return Err(Error::new(Code::Limited, what));
    }
    let plan = plan::plan(collection, find);
    let mut run = Run::new(collection, &plan.access, find, limits);
    match &plan.order {
        OrderPlan::Birth => run.by_birth()?,
        OrderPlan::Walk { index, direction } => run.by_walk(*index, *direction)?,
        OrderPlan::Sort { paths, keep } => run.by_sort(paths, *keep)?,
    }
    let total = find.with_total.then_some(run.matched);
    Ok(Found { ids: run.rows, total })
}

/// Counts documents. `scan` allows any number to be examined without an index. Error: `NOINDEX`.
pub fn count(
    collection: &Collection,
    filter: Option<&Filter>,
    scan: bool,
    limits: &Limits,
) -> Result<u64> {
    let access = plan::access_of(collection, filter);
    if access.residual.is_empty() {
        return Ok(total(collection, &access));
    }
    let candidates = candidates(collection, &access);
    let mut budget = Budget::new(!scan, limits);
    let mut residual = Residual::new(collection, &access);
    let mut count = 0;
    for id in candidates.ids() {
        count += u64::from(residual.holds(id, &mut budget)?);
    }
    Ok(count)
}

/// How many documents an access yields that leaves nothing open.
fn total(collection: &Collection, access: &Access<'_>) -> u64 {
    counted(collection, access).unwrap_or_else(|| candidates(collection, access).len())
}

/// The answer of a count that one index, or the number of documents, knows without its ids being gathered.
fn counted(collection: &Collection, access: &Access<'_>) -> Option<u64> {
    if !collection.due().is_empty() {
        return None;
    }
    let root = access.root?;
    match &access.steps[root] {
        Step::All => Some(collection.live().len()),
        Step::Nothing => Some(0),
        Step::Index { index, .. } if !collection.indexes()[*index].is_multi() => {
            Some(access.counts[root])
        }
        _ => None,
    }
}

/// The documents that the access yields, without due ones.
fn candidates<'c>(collection: &'c Collection, access: &'c Access<'_>) -> Ids<'c> {
    let Some(root) = access.root else {
        return Ids::bitmap(collection.live()).without(collection.due());
    };
    let mut done: Vec<Option<Ids<'c>>> = Vec::with_capacity(root + 1);
    for step in &access.steps[..=root] {
        let mut take = |at: &usize| done[*at].clone().unwrap_or_default();
        let ids = match step {
            Step::All => Ids::bitmap(collection.live()),
            Step::Nothing => Ids::default(),
            Step::Index { index, keys, .. } => {
                if needed(access, done.len(), root) {
                    Ids::union_of(&collection.indexes()[*index].postings(keys))
                } else {
                    Ids::default()
                }
            }
            Step::Intersect(operands) => Ids::intersect(operands.iter().map(&mut take).collect()),
            Step::Union(operands) => Ids::unite(operands.iter().map(&mut take).collect()),
            Step::Complement(operand) => take(operand).complement(collection.live()),
            Step::Invalid => Ids::bitmap(&access.invalid),
        };
        done.push(Some(ids));
    }
    done.pop().flatten().unwrap_or_default().without(collection.due())
}

/// Whether a step is the root or an operand of another: the planner leaves steps behind that were not worth their while.
fn needed(access: &Access<'_>, step: usize, root: usize) -> bool {
    step == root
        || access.steps[..=root].iter().any(|other| match other {
            Step::Intersect(operands) | Step::Union(operands) => operands.contains(&step),
            Step::Complement(operand) => *operand == step,
            _ => false,
        })
}

/// One run of a FIND.
struct Run<'c, 'q> {
    collection: &'c Collection,
    access: &'q Access<'q>,
    find: &'q Find,
    rows_max: usize,
    residual: Residual<'c, 'q>,
    budget: Budget,
    rows: Vec<DocId>,
    /// Documents found so far, those passed over included.
    matched: u64,
}

impl<'c, 'q> Run<'c, 'q> {
    fn new(
        collection: &'c Collection,
        access: &'q Access<'q>,
        find: &'q Find,
        limits: &Limits,
    ) -> Self {
        Run {
            collection,
            access,
            find,
            rows_max: limits.rows_max,
            residual: Residual::new(collection, access),
            budget: Budget::new(!find.scan, limits),
            rows: Vec::new(),
            matched: 0,
        }
    }

    fn end(&self) -> u64 {
        self.find.limit.map_or(u64::MAX, |(offset, count)| offset.saturating_add(count))
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
        Ok(self.matched < self.end() || self.find.with_total)
    }

    fn by_birth(&mut self) -> Result<()> {
        let candidates = candidates(self.collection, self.access);
        if self.end() == 0 && !self.find.with_total {
            return Ok(());
        }
        for id in candidates.ids() {
            if self.residual.holds(id, &mut self.budget)? && !self.take(id)? {
                return Ok(());
            }
            if self.matched >= self.end() && self.access.residual.is_empty() {
                // Only the total is wanted now, and it is known.
                self.matched = candidates.len();
                return Ok(());
            }
        }
        Ok(())
    }

    fn by_walk(&mut self, index: usize, direction: Direction) -> Result<()> {
        let Some(sorted) = self.collection.indexes()[index].as_sorted() else { return Ok(()) };
        if self.end() == 0 && !self.find.with_total {
            return Ok(());
        }
        // Candidates that are a stretch of this very index need not be gathered first.
        let all = [KeyRange::all()];
        let (ranges, picked) = match self.access.root.map(|root| &self.access.steps[root]) {
            Some(Step::All) => (&all[..], None),
            Some(Step::Index { index: at, keys, .. }) if *at == index => (keys.ranges(), None),
            _ => (&all[..], Some(candidates(self.collection, self.access))),
        };
        let postings: Box<dyn Iterator<Item = &Posting>> = match direction {
            Direction::Ascending => {
                Box::new(ranges.iter().flat_map(|range| sorted.walk(range)).map(|(_, ids)| ids))
            }
            Direction::Descending => {
                let ranges = ranges.iter().rev();
                Box::new(ranges.flat_map(|range| sorted.walk(range).rev()).map(|(_, ids)| ids))
            }
        };
        for posting in postings {
            let ids = posting.ids();
            let ids: Box<dyn Iterator<Item = DocId>> = match direction {
                Direction::Ascending => Box::new(ids),
                Direction::Descending => Box::new(ids.rev()),
            };
            for id in ids {
                let is_candidate = match &picked {
                    Some(picked) => picked.contains(id),
                    None => !self.collection.due().contains(id),
                };
                if is_candidate && self.residual.holds(id, &mut self.budget)? && !self.take(id)? {
                    return Ok(());
                }
                if self.matched >= self.end() && self.access.residual.is_empty() {
                    self.matched = total(self.collection, self.access);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn by_sort(&mut self, paths: &[plan::SortPath], keep: Option<u64>) -> Result<()> {
        let candidates = candidates(self.collection, self.access);
        let keep = keep.map(|keep| usize::try_from(keep).unwrap_or(usize::MAX));
        let reads = paths.iter().any(|path| path.column.is_none());
        let mut sorter = sort::Sorter::new(self.collection, paths, keep);
        for id in candidates.ids() {
            if self.access.residual.is_empty() {
                self.budget.examine_if(reads)?;
            } else if !self.residual.holds(id, &mut self.budget)? {
                continue;
            }
            self.matched += 1;
            sorter.add(id);
        }
        let total = std::mem::take(&mut self.matched);
        for id in sorter.finish() {
            if !self.take(id)? {
                break;
            }
        }
        self.matched = total;
        Ok(())
    }
}
