//! What an index of its own can answer of predicates that must hold together: several values in one look-up, and less
//! where it covers only some documents.
//!
//! ```text
//!   index ON 3 status city created DESC WHERE closed IS MISSING
//!
//!   status = 'open' AND city IN ('A', 'B') AND created > 5 AND closed IS MISSING AND name = 'x'
//!   |--- points of the leading paths ----|     | ranges of  |   the filter, which   still open
//!                                              | the next   |   has to be implied
//! ```
//! What is used is settled: a tuple of values has its key in the ranges if and only if each value has its own among those
//! asked for. That holds with a `[*]` too, of which an index has one at most, as long as one predicate on it is used.

use crate::index::{Index, Part};
use crate::query::{Filter, FilterNode, Join, Test, Wording};
use crate::value::{Key, KeyRange, KeySet, tuple};

/// Ranges of one look-up: each costs a search in the index.
const RANGES_MAX: usize = 64;

/// Predicates that must hold together.
pub(super) struct Together<'q> {
    nodes: &'q [FilterNode],
    /// Places of the nodes, none of them an AND.
    conjuncts: Vec<u32>,
}

/// How an index is used.
pub(super) struct Use {
    /// The keys asked for.
    pub keys: KeySet,
    /// The predicates that hold of every document that is found.
    pub settled: Vec<u32>,
    /// Leading paths of the index that one single value is asked of.
    pub fixed: usize,
    /// What is asked of its values, in words.
    pub text: Wording,
}

impl<'q> Together<'q> {
    /// What `node` asks: all that is joined by AND, or itself.
    pub fn of(nodes: &'q [FilterNode], node: u32) -> Self {
        Together { nodes, conjuncts: conjuncts(nodes, node) }
    }

    fn tests_on(&self, part: &Part) -> Vec<(u32, &'q Test)> {
        let on = |at: &u32| match &self.nodes[*at as usize] {
            FilterNode::Test(test)
                if test.path() == Some(&part.path) && test.scalar == part.scalar =>
            {
                Some((*at, test))
            }
            _ => None,
        };
        self.conjuncts.iter().filter_map(on).collect()
    }

    /// What is asked of the values of `part`, and where: of a single value all together; of several, each by one predicate.
    fn asked_of(&self, part: &Part) -> Option<(KeySet, Vec<(u32, &'q Test)>)> {
        let mut tests = self.tests_on(part);
        if part.path.is_multi() {
            tests.sort_by_key(|(_, test)| (!test.keys.is_points(), test.keys.ranges().len()));
            tests.truncate(1);
        }
        let (_, first) = tests.first()?;
        let rest = tests[1..].iter();
        let keys = rest.fold(first.keys.clone(), |keys, (_, test)| keys.intersection(&test.keys));
        Some((keys, tests))
    }

    /// How `index` answers some of what is asked; none where it answers nothing, or leaves out documents that are asked for.
    pub fn using(&self, index: &Index) -> Option<Use> {
        let source = index.source();
        if index.is_of_parts() {
            return None;
        }
        let mut settled = match source.filter() {
            Some(filter) => self.implying(filter)?,
            None => Vec::new(),
        };
        let mut prefixes: Vec<Vec<u8>> = vec![Vec::new()];
        let (mut fixed, mut pointed) = (0, 0);
        let mut words: Vec<&Wording> = Vec::new();
        let mut keys = KeySet::range(KeyRange::all());
        for part in source.parts() {
            let Some((asked, tests)) = self.asked_of(part) else { break };
            if !source.is_tuples() {
                fixed = usize::from(asked.is_points() && asked.ranges().len() == 1);
                keys = asked.clone();
            } else if prefixes.len() * asked.ranges().len() > RANGES_MAX {
                break;
            } else {
                keys = ranges_of(&prefixes, &asked, part.is_descending);
            }
            settled.extend(tests.iter().map(|(at, _)| *at));
            words.extend(tests.iter().map(|(_, test)| &test.text));
            if !source.is_tuples() || !asked.is_points() {
                break;
            }
            prefixes = extended(&prefixes, &asked, part.is_descending);
            pointed += 1;
            fixed += usize::from(prefixes.len() == 1);
        }
        if pointed == source.parts().len() {
            // Bitmaps of single keys lie there ready.
            keys = KeySet::points(prefixes.iter().map(|prefix| tuple::key(prefix).to_key()));
        }
        let is_of_use = !settled.is_empty() || source.filter().is_some();
        if !is_of_use || !index.answers(&keys) {
            return None;
        }
        let text = match words.as_slice() {
            [] => Wording::one("all"),
            _ => Wording::joined(Join::And, words.into_iter()),
        };
        Some(Use { keys, settled, fixed, text })
    }

    /// What the compound keys of `index` begin with for its first parts, of each of which one value is asked.
    pub fn prefix(&self, index: &Index, parts: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        for part in &index.source().parts()[..parts] {
            let asked = self.asked_of(part);
            let key = asked.as_ref().and_then(|(keys, _)| keys.ranges().first()?.as_point());
            let Some(key) = key else { return bytes };
            tuple::push(&mut bytes, key.as_ref(), part.is_descending);
        }
        bytes
    }

    /// Where each document that is asked for surely satisfies `filter`: the predicates that say no more than it does.
    pub fn implying(&self, filter: &Filter) -> Option<Vec<u32>> {
        let mut settled = Vec::new();
        for wanted in conjuncts(&filter.nodes, filter.root()) {
            let mut is_implied = false;
            for at in &self.conjuncts {
                if is_same((&filter.nodes, wanted), (self.nodes, *at)) {
                    is_implied = true;
                    settled.push(*at);
                } else if let FilterNode::Test(wanted) = &filter.nodes[wanted as usize]
                    && let FilterNode::Test(test) = &self.nodes[*at as usize]
                {
                    is_implied |= (&wanted.place, wanted.scalar) == (&test.place, test.scalar)
                        && wanted.keys.holds(&test.keys);
                }
            }
            if !is_implied {
                return None;
            }
        }
        Some(settled)
    }
}

/// The nodes that `node` joins by AND, through all ANDs; or itself.
fn conjuncts(nodes: &[FilterNode], node: u32) -> Vec<u32> {
    let (mut open, mut conjuncts) = (vec![node], Vec::new());
    while let Some(at) = open.pop() {
        match &nodes[at as usize] {
            FilterNode::And(children) => open.extend(children.iter().rev()),
            _ => conjuncts.push(at),
        }
    }
    conjuncts
}

/// Whether two nodes say the same, apart from how it was written.
fn is_same(a: (&[FilterNode], u32), b: (&[FilterNode], u32)) -> bool {
    let mut open = vec![(a.1, b.1)];
    while let Some((at, other)) = open.pop() {
        match (&a.0[at as usize], &b.0[other as usize]) {
            (FilterNode::Test(a), FilterNode::Test(b)) => {
                if (&a.place, a.scalar, &a.keys) != (&b.place, b.scalar, &b.keys) {
                    return false;
                }
            }
            (FilterNode::Not(a), FilterNode::Not(b)) => open.push((*a, *b)),
            (FilterNode::And(a), FilterNode::And(b)) | (FilterNode::Or(a), FilterNode::Or(b)) => {
                if a.len() != b.len() {
                    return false;
                }
                open.extend(a.iter().copied().zip(b.iter().copied()));
            }
            (FilterNode::Elements(a), FilterNode::Elements(b)) => {
                if (&a.place, a.quantifier) != (&b.place, b.quantifier) {
                    return false;
                }
                open.push((a.body, b.body));
            }
            // The places of children say nothing of the children.
            (
                FilterNode::Not(_)
                | FilterNode::And(_)
                | FilterNode::Or(_)
                | FilterNode::Elements(_),
                _,
            ) => return false,
            (a, b) => {
                if a != b {
                    return false;
                }
            }
        }
    }
    true
}

/// The keys that begin with a prefix and go on with a value among `asked`.
fn ranges_of(prefixes: &[Vec<u8>], asked: &KeySet, is_descending: bool) -> KeySet {
    KeySet::apart(prefixes.iter().flat_map(|prefix| {
        let ranges = asked.ranges().iter();
        ranges.map(|range| tuple::starting_within(prefix, range, is_descending))
    }))
}

/// Each prefix with each of some single values.
fn extended(prefixes: &[Vec<u8>], asked: &KeySet, is_descending: bool) -> Vec<Vec<u8>> {
    let points: Vec<&Key> = asked.ranges().iter().filter_map(KeyRange::as_point).collect();
    let longer = prefixes.iter().flat_map(|prefix| {
        points.iter().map(|point| {
            let mut longer = prefix.clone();
            tuple::push(&mut longer, point.as_ref(), is_descending);
            longer
        })
    });
    longer.collect()
}
