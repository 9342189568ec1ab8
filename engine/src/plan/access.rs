//! Choosing indexes for a filter, by exact cardinalities.
//!
//! One pass over the filter's nodes, children first. Each node that indexes can answer gets a step that yields its
//! documents, or, where that is dearer than looking at what is left, a superset of them. What a superset leaves open is
//! checked on each candidate.

use roaring::RoaringBitmap;

use crate::collection::Collection;
use crate::index::Index;
use crate::query::{Filter, FilterNode};
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
        keys: &'q KeySet,
        /// The predicate, for EXPLAIN.
        text: &'q str,
    },
    /// Those in all of the operands, the smallest of which comes first.
    Intersect(Vec<usize>),
    /// Those in one of the operands.
    Union(Vec<usize>),
    /// Those not in the operand.
    Complement(usize),
    /// Those that break a rule of the collection.
    Invalid,
}

/// Where candidates come from.
#[derive(Debug)]
pub struct Access<'q> {
    /// The filter, if there is one.
    pub filter: Option<&'q Filter>,
    /// Steps in postorder.
    pub steps: Vec<Step<'q>>,
    /// How many documents each step is expected to yield: exact for single indexes, a bound for others.
    pub counts: Vec<u64>,
    /// The step that yields the candidates; none when every document is to be looked at.
    pub root: Option<usize>,
    /// Nodes of the filter that each candidate must satisfy still.
    pub residual: Vec<u32>,
    /// The documents that break a rule, where the filter asks for them.
    pub invalid: RoaringBitmap,
}

impl Access<'_> {
    /// The number of candidates, expected.
    pub fn expected(&self, live: u64) -> u64 {
        self.root.map_or(live, |root| self.counts[root])
    }
}

/// What is known of a filter's node.
#[derive(Clone, Copy)]
struct Known {
    step: usize,
    /// Whether the step yields just the node's documents; else these and some more.
    exact: bool,
}

/// A range of another index is worth building for an intersection while it is at most this many times as large as the
/// smallest operand; beyond that, a column decides each candidate faster.
const RANGE_WORTH: u64 = 4;
/// The same where no column decides and a document would have to be read.
const READ_WORTH: u64 = 64;
/// Below this size every operand is worth its while.
const SMALL: u64 = 1024;

struct Chooser<'q, 'c> {
    indexes: &'c [Index],
    live: u64,
    invalid: u64,
    steps: Vec<Step<'q>>,
    counts: Vec<u64>,
    known: Vec<Option<Known>>,
}

/// Chooses for `filter` over a collection.
pub fn choose<'q>(filter: Option<&'q Filter>, collection: &Collection) -> Access<'q> {
    let (indexes, live) = (collection.indexes(), collection.live().len());
    let Some(filter) = filter else {
        return Access {
            filter,
            steps: vec![Step::All],
            counts: vec![live],
            root: Some(0),
            residual: Vec::new(),
            invalid: RoaringBitmap::new(),
        };
    };
    let asks = |node: &FilterNode| matches!(node, FilterNode::Valid(_));
    let invalid =
        if filter.nodes.iter().any(asks) { collection.invalid() } else { RoaringBitmap::new() };
    let mut chooser = Chooser {
        indexes,
        live,
        invalid: invalid.len(),
        steps: Vec::new(),
        counts: Vec::new(),
        known: Vec::new(),
    };
    for node in &filter.nodes {
        let known = chooser.node(node);
        chooser.known.push(known);
    }
    let root = filter.root();
    let known = chooser.known[root as usize];
    let residual = match (known, &filter.nodes[root as usize]) {
        (Some(Known { exact: true, .. }), _) => Vec::new(),
        (Some(Known { step, .. }), FilterNode::And(children)) => chooser.left_open(step, children),
        _ => vec![root],
    };
    Access {
        filter: Some(filter),
        steps: chooser.steps,
        counts: chooser.counts,
        root: known.map(|known| known.step),
        residual,
        invalid,
    }
}

impl<'q> Chooser<'q, '_> {
    fn node(&mut self, node: &'q FilterNode) -> Option<Known> {
        match node {
            FilterNode::All => Some(self.push(Step::All, self.live, true)),
            FilterNode::Nothing => Some(self.push(Step::Nothing, 0, true)),
            FilterNode::Valid(wanted) => {
                let known = self.push(Step::Invalid, self.invalid, true);
                if !wanted {
                    return Some(known);
                }
                let count = self.live.saturating_sub(self.invalid);
                Some(self.push(Step::Complement(known.step), count, true))
            }
            FilterNode::Test(test) => {
                let fits = |index: &Index| *index.path() == test.path && index.answers(&test.keys);
                let index = self.indexes.iter().position(fits)?;
                let count = self.indexes[index].count(&test.keys).min(self.live);
                Some(self.push(
                    Step::Index { index, keys: &test.keys, text: &test.text },
                    count,
                    true,
                ))
            }
            // A key tells nothing of them.
            FilterNode::Text(_) | FilterNode::HasAll(_) => None,
            FilterNode::Not(child) => {
                let known = self.known[*child as usize].filter(|known| known.exact)?;
                let count = self.live.saturating_sub(self.counts[known.step]);
                Some(self.push(Step::Complement(known.step), count, true))
            }
            FilterNode::Or(children) => {
                let known: Option<Vec<Known>> =
                    children.iter().map(|child| self.known[*child as usize]).collect();
                let known = known?;
                let sum: u64 = known.iter().map(|known| self.counts[known.step]).sum();
                let exact = known.iter().all(|known| known.exact);
                let operands = known.iter().map(|known| known.step).collect();
                Some(self.push(Step::Union(operands), sum.min(self.live), exact))
            }
            FilterNode::And(children) => self.and(children),
        }
    }

    fn push(&mut self, step: Step<'q>, count: u64, exact: bool) -> Known {
        self.steps.push(step);
        self.counts.push(count);
        Known { step: self.steps.len() - 1, exact }
    }

    fn and(&mut self, children: &[u32]) -> Option<Known> {
        let mut known: Vec<Known> =
            children.iter().filter_map(|child| self.known[*child as usize]).collect();
        known.sort_by_key(|known| self.counts[known.step]);
        let smallest = self.counts[known.first()?.step];
        let worth: Vec<Known> =
            known.iter().copied().filter(|known| self.is_worth(known.step, smallest)).collect();
        let exact = worth.len() == children.len() && worth.iter().all(|known| known.exact);
        if let [only] = worth.as_slice() {
            return Some(Known { step: only.step, exact: only.exact && exact });
        }
        let operands = worth.iter().map(|known| known.step).collect();
        Some(self.push(Step::Intersect(operands), smallest, exact))
    }

    /// Whether an operand is worth building beside a smallest one of `smallest` documents.
    fn is_worth(&self, step: usize, smallest: u64) -> bool {
        let count = self.counts[step];
        let times = match &self.steps[step] {
            // The bitmap of one value lies there ready.
            Step::Index { keys, .. } if keys.ranges().len() == 1 && keys.is_points() => {
                return true;
            }
            Step::Index { index, .. } if self.indexes[*index].column().is_some() => RANGE_WORTH,
            _ => READ_WORTH,
        };
        count <= smallest.saturating_mul(times).max(SMALL)
    }

    /// The children of the root that its step does not settle.
    fn left_open(&self, step: usize, children: &[u32]) -> Vec<u32> {
        let settled: &[usize] = match &self.steps[step] {
            Step::Intersect(operands) => operands,
            _ => &[step],
        };
        let open = |child: &u32| match self.known[*child as usize] {
            Some(known) => !known.exact || !settled.contains(&known.step),
            None => true,
        };
        children.iter().copied().filter(open).collect()
    }
}
