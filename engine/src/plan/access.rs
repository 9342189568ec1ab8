//! Choosing indexes for a filter, by exact cardinalities.
//!
//! One pass over the filter's nodes, children first. Each node that indexes can answer gets a step that yields its
//! documents, or, where that is dearer than looking at what is left, a superset of them. What a superset leaves open is
//! checked on each candidate.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use roaring::RoaringBitmap;

use super::compound::{Together, Use};
use crate::collection::{Collection, Hidden};
use crate::index::Index;
use crate::query::{Filter, FilterNode, Meta, Place, Test, Wording};
use crate::value::KeySet;

/// One step towards the candidates; operands are places in [`Access::steps`], each below the step's own.
#[derive(Debug)]
pub enum Step<'q> {
    /// Every document.
    All,
    /// No document.
    Nothing,
    /// Those whose key in an index is among some.
    Index {
        /// The index's place in its collection.
        index: usize,
        /// The keys asked for.
        keys: Cow<'q, KeySet>,
        /// The predicate, for EXPLAIN.
        text: Cow<'q, Wording>,
    },
    /// Those whose birth number is among some keys: a stretch of ids for each range.
    Born(&'q Test),
    /// Those that lapse at times among some keys, by the order in which they do.
    Lapsing {
        /// The keys asked for, not that of the missing value.
        keys: Cow<'q, KeySet>,
        /// The predicate, for EXPLAIN.
        text: Cow<'q, Wording>,
    },
    /// Those in all of the operands, the smallest of which comes first.
    Intersect(Vec<usize>),
    /// Those in one of the operands.
    Union(Vec<usize>),
    /// Those not in the operand.
    Complement(usize),
    /// Those that break a rule of the collection.
    Invalid,
    /// Those that are marked as deleted.
    Deleted,
}

impl Step<'_> {
    /// The steps that it takes documents from.
    pub fn operands(&self) -> &[usize] {
        match self {
            Step::Intersect(operands) | Step::Union(operands) => operands,
            Step::Complement(operand) => std::slice::from_ref(operand),
            _ => &[],
        }
    }
}

/// Where candidates come from.
#[derive(Debug)]
pub struct Access<'q> {
    /// The filter, if there is one.
    pub filter: Option<&'q Filter>,
    /// Steps in postorder.
    pub steps: Vec<Step<'q>>,
    /// How many documents each step is expected to yield, hidden ones included.
    pub counts: Vec<u64>,
    /// Whether that is so; else it is a bound.
    pub counted: Vec<bool>,
    /// The step that yields the candidates; none when every document is to be looked at.
    pub root: Option<usize>,
    /// Nodes of the filter that each candidate must satisfy still.
    pub residual: Vec<u32>,
    /// How many candidates are expected to do so, as far as indexes tell.
    pub matching: u64,
    /// The documents that break a rule, where the filter asks for them.
    pub invalid: RoaringBitmap,
    /// What is left out in the end.
    pub hidden: Hidden<'q>,
}

impl Access<'_> {
    /// The number of candidates, expected.
    pub fn expected(&self, live: u64) -> u64 {
        self.root.map_or(live, |root| self.counts[root])
    }
}

/// What is known of a filter's node.
#[derive(Clone, Copy)]
pub(super) struct Known {
    pub(super) step: usize,
    /// Whether the step yields just the node's documents; else these and some more.
    pub(super) exact: bool,
}

/// A range of another index is worth building for an intersection while it is at most this many times as large as the
/// smallest operand; beyond that, a column decides each candidate faster.
const RANGE_WORTH: u64 = 4;
/// The same where no column decides and a document would have to be read.
pub(crate) const READ_WORTH: u64 = 64;
/// Below this size every operand is worth its while. No more documents than that are read for what an index can answer.
pub(crate) const SMALL: u64 = 1024;

pub(super) struct Chooser<'q> {
    pub(super) collection: &'q Collection,
    pub(super) indexes: &'q [Index],
    pub(super) hidden: Hidden<'q>,
    pub(super) live: u64,
    pub(super) invalid: u64,
    steps: Vec<Step<'q>>,
    pub(super) counts: Vec<u64>,
    counted: Vec<bool>,
    known: Vec<Option<Known>>,
    /// The nodes that steps of several predicates settle, by step.
    settled: HashMap<usize, Vec<u32>>,
}

/// Chooses for `filter` over a collection.
pub fn choose<'q>(
    filter: Option<&'q Filter>,
    collection: &'q Collection,
    with_deleted: bool,
) -> Access<'q> {
    let mut chooser = Chooser {
        collection,
        hidden: collection.hidden(with_deleted),
        indexes: collection.indexes(),
        live: collection.live().len(),
        invalid: 0,
        steps: Vec::new(),
        counts: Vec::new(),
        counted: Vec::new(),
        known: Vec::new(),
        settled: HashMap::new(),
    };
    let Some(filter) = filter else {
        let all = chooser.all();
        return chooser.access(None, Some(all), Vec::new(), RoaringBitmap::new());
    };
    let asks = |node: &FilterNode| match node {
        FilterNode::Test(test) => test.place == Place::Meta(Meta::Valid),
        _ => false,
    };
    let invalid =
        if filter.nodes.iter().any(asks) { collection.invalid() } else { RoaringBitmap::new() };
    chooser.invalid = invalid.len();
    for (at, node) in filter.nodes.iter().enumerate() {
        let known = chooser.node(filter, at as u32, node);
        chooser.known.push(known);
    }
    let root = filter.root();
    let known = chooser.known[root as usize];
    let residual = match (known, &filter.nodes[root as usize]) {
        (Some(Known { exact: true, .. }), _) => Vec::new(),
        (Some(Known { step, .. }), FilterNode::And(children)) => {
            chooser.left_open(filter, step, children)
        }
        _ => vec![root],
    };
    chooser.access(Some(filter), known, residual, invalid)
}

impl<'q> Chooser<'q> {
    fn access(
        self,
        filter: Option<&'q Filter>,
        root: Option<Known>,
        residual: Vec<u32>,
        invalid: RoaringBitmap,
    ) -> Access<'q> {
        let root = root.map(|known| known.step);
        let matching = self.matching(root, &residual);
        let Chooser { steps, counts, counted, hidden, .. } = self;
        Access { filter, steps, counts, counted, root, residual, matching, invalid, hidden }
    }

    /// How many of the candidates satisfy `residual`, where indexes know of how many documents each of its predicates holds:
    /// as if no predicate told anything of another.
    fn matching(&self, root: Option<usize>, residual: &[u32]) -> u64 {
        let candidates = root.map_or(self.live, |root| self.counts[root]);
        let open = residual.iter().filter_map(|node| self.known[*node as usize]);
        let open = open.filter(|known| Some(known.step) != root);
        open.fold(candidates, |left, known| {
            let share = u128::from(left) * u128::from(self.counts[known.step]);
            (share / u128::from(self.live.max(1))) as u64
        })
    }

    fn node(&mut self, filter: &'q Filter, at: u32, node: &'q FilterNode) -> Option<Known> {
        match node {
            FilterNode::All => Some(self.all()),
            FilterNode::Nothing => Some(self.nothing()),
            FilterNode::Test(test) => match &test.place {
                Place::Meta(meta) => self.meta(*meta, test),
                Place::Path(_) => self.test(filter, at, test),
                Place::Element(_) => None,
            },
            FilterNode::Text(_) => {
                let covering = self.of_parts(filter, at);
                self.text(filter, at, &covering)
            }
            // A key tells nothing of them.
            FilterNode::HasAll(_)
            | FilterNode::Kind(_)
            | FilterNode::Computed(_)
            | FilterNode::Called(_)
            | FilterNode::Elements(_) => None,
            FilterNode::Not(child) => {
                let known = self.known[*child as usize].filter(|known| known.exact)?;
                Some(self.all_but(known))
            }
            FilterNode::Or(children) => {
                let known: Option<Vec<Known>> =
                    children.iter().map(|child| self.known[*child as usize]).collect();
                let known = known?;
                let sum = known.iter().map(|known| self.counts[known.step]).sum();
                let exact = known.iter().all(|known| known.exact);
                let operands = known.iter().map(|known| known.step).collect();
                Some(self.push(Step::Union(operands), (sum, false), exact))
            }
            FilterNode::And(children) => self.and(filter, at, children),
        }
    }

    /// The documents with a value that has one of the keys.
    fn test(&mut self, filter: &'q Filter, at: u32, test: &'q Test) -> Option<Known> {
        let path = test.path()?;
        let (indexes, hidden) = (self.indexes, self.hidden);
        let answering = |keys: &KeySet| {
            let fits = |index: &Index| {
                index.is_over(path, test.scalar)
                    && index.answers(keys)
                    && hidden.leaves_whole(index)
            };
            indexes.iter().position(fits)
        };
        let index = answering(&test.keys);
        let known = index.map(|index| {
            self.push_index(index, Cow::Borrowed(&test.keys), Cow::Borrowed(&test.text))
        });
        if let Some(known) = known {
            let count = self.counts[known.step];
            // Few are gathered either way; then it is asked as it was written.
            let is_small = count <= SMALL && !test.text.is_negated();
            if path.is_multi() || is_small || count <= self.live / 2 {
                return Some(known);
            }
        }
        // What is left may be less, or all that a set index can be asked for.
        if !path.is_multi() {
            let rest = test.keys.complement();
            if let Some(index) = answering(&rest) {
                let words = Cow::Owned(test.text.turned());
                let known = self.push_index(index, Cow::Owned(rest), words);
                return Some(self.all_but(known));
            }
        }
        if known.is_some() {
            return known;
        }
        if let Some((step, settled)) = self.step_of_several(filter, at) {
            return Some(Known { step, exact: settled.contains(&at) });
        }
        let covering = self.of_parts(filter, at);
        self.text(filter, at, &covering)
    }

    pub(super) fn push_index(
        &mut self,
        index: usize,
        keys: Cow<'q, KeySet>,
        text: Cow<'q, Wording>,
    ) -> Known {
        let count = self.indexes[index].count(&keys);
        let counted = !self.indexes[index].is_multi() || keys.as_point().is_some();
        self.push(Step::Index { index, keys, text }, (count, counted), true)
    }

    pub(super) fn all(&mut self) -> Known {
        self.push(Step::All, (self.live, true), true)
    }

    pub(super) fn nothing(&mut self) -> Known {
        self.push(Step::Nothing, (0, true), true)
    }

    /// Those that are not among what is known exactly.
    pub(super) fn all_but(&mut self, known: Known) -> Known {
        let counted = self.counted[known.step];
        let count =
            if counted { self.live.saturating_sub(self.counts[known.step]) } else { self.live };
        self.push(Step::Complement(known.step), (count, counted), true)
    }

    pub(super) fn push(
        &mut self,
        step: Step<'q>,
        (count, counted): (u64, bool),
        exact: bool,
    ) -> Known {
        self.steps.push(step);
        self.counts.push(count.min(self.live));
        self.counted.push(counted);
        Known { step: self.steps.len() - 1, exact }
    }

    fn and(&mut self, filter: &'q Filter, at: u32, children: &[u32]) -> Option<Known> {
        let covering = self.of_parts(filter, at);
        let mut known: Vec<(u32, Known)> = Vec::with_capacity(children.len());
        for child in children {
            let own = self.known[*child as usize];
            let own = own.or_else(|| self.text(filter, *child, &covering));
            known.extend(own.map(|it| (*child, it)));
        }
        known.sort_by_key(|(_, known)| self.counts[known.step]);
        let mut settled: HashSet<u32> = HashSet::new();
        if let Some((step, settles)) = self.step_of_several(filter, at)
            && known.first().is_none_or(|(_, first)| self.is_better(step, first.step, &settles))
        {
            settled.extend(settles);
            known.retain(|(child, _)| !settled.contains(child));
            known.insert(0, (at, Known { step, exact: true }));
        }
        let smallest = self.counts[known.first()?.1.step];
        let first = known[0].1.step;
        known.retain(|(_, known)| known.step == first || self.is_worth(known.step, smallest));
        settled.extend(known.iter().filter(|(_, it)| it.exact).map(|(child, _)| *child));
        let exact = children.iter().all(|child| settled.contains(child));
        if let [(_, only)] = known.as_slice() {
            return Some(Known { step: only.step, exact });
        }
        let operands = known.iter().map(|(_, known)| known.step).collect();
        Some(self.push(Step::Intersect(operands), (smallest, false), exact))
    }

    /// The step that answers several of the predicates that `node` joins, or one with less than all documents, by the index
    /// that leaves the fewest; and what it settles.
    fn step_of_several(&mut self, filter: &'q Filter, node: u32) -> Option<(usize, Vec<u32>)> {
        let is_usable = |(_, index): &(usize, &Index)| {
            let is_of_several = index.source().is_tuples() || index.source().filter().is_some();
            is_of_several && self.hidden.leaves_whole(index)
        };
        let mut usable = self.indexes.iter().enumerate().filter(is_usable).peekable();
        usable.peek()?;
        let together = Together::of(&filter.nodes, node);
        let fitting = usable.filter_map(|(at, index)| {
            let found = together.using(index)?;
            Some((index.count(&found.keys), at, found))
        });
        let order = |(count, _, found): &(u64, usize, Use)| (*count, Reverse(found.settled.len()));
        let (_, index, best) = fitting.min_by_key(order)?;
        let Use { keys, settled, text, .. } = best;
        let step = self.push_index(index, Cow::Owned(keys), Cow::Owned(text)).step;
        self.settled.insert(step, settled.clone());
        Some((step, settled))
    }

    /// Whether a step that settles several nodes takes the place of their own, the smallest of which is `single`.
    fn is_better(&self, step: usize, single: usize, settles: &[u32]) -> bool {
        let (count, other) = (self.counts[step], self.counts[single]);
        count < other || (count == other && settles.len() > 1)
    }

    /// Whether an operand is worth building beside a smallest one of `smallest` documents.
    fn is_worth(&self, step: usize, smallest: u64) -> bool {
        // Of a complement the operand alone is built: it is taken away.
        let built = match &self.steps[step] {
            Step::Complement(operand) => *operand,
            _ => step,
        };
        let most = smallest.saturating_mul(match &self.steps[built] {
            // The bitmap of one value lies there ready.
            Step::Index { keys, .. } if keys.as_point().is_some() => return true,
            Step::Index { index, keys, .. } if self.indexes[*index].decides(keys) => RANGE_WORTH,
            _ if smallest > SMALL => return true,
            _ => READ_WORTH,
        });
        self.counts[built] <= most.max(SMALL)
    }

    /// The children of the root that its step does not settle, and that say more than others do.
    fn left_open(&self, filter: &Filter, step: usize, children: &[u32]) -> Vec<u32> {
        let operands: HashSet<usize> = match &self.steps[step] {
            Step::Intersect(operands) => operands.iter().copied().collect(),
            _ => HashSet::from([step]),
        };
        let of_several = operands.iter().filter_map(|operand| self.settled.get(operand));
        let by_several: HashSet<&u32> = of_several.flatten().collect();
        let open = |child: &u32| match self.known[*child as usize] {
            _ if by_several.contains(child) => false,
            Some(known) => !known.exact || !operands.contains(&known.step),
            None => match &filter.nodes[*child as usize] {
                FilterNode::Test(test) => !test.is_told,
                _ => true,
            },
        };
        children.iter().copied().filter(open).collect()
    }
}
