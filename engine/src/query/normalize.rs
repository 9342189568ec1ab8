//! The normal form of a filter: of each place is asked as little often as can be, and NOT stands at predicates alone.
//!
//! ```text
//!   age >= 18 AND age < 30                  age in [18, 30)          one set of keys, where a path leads to one value
//!   a = 1 OR a > 5 OR tags HAS 'x' ..       a in {1} (5, ..          the same, also where it leads to several
//!   NOT a = 1                               a in all keys but 1      the missing value has a key as well
//!   NOT (a = 1 OR s LIKE '%x')              a in .. AND NOT s LIKE   De Morgan, through any depth
//!   ANY items WHERE (sku = 'X' AND qty > 2) items[*].sku = 'X' AND items[*].qty > 2 AND ANY items WHERE (..)
//! ```
//! What an AND asks of a path with `[*]` stays apart: other elements may satisfy each. What no key satisfies is no document,
//! what every key does is every document, and joins take these in. One pass down for NOT, one up; nothing recurses.

use std::collections::HashMap;

use super::ast::Quantifier;
use super::filter::{ElementsTest, Filter, FilterNode, Place, Test};
use super::wording::{Join, Wording};
use crate::schema::types::Scalar;
use crate::value::{Key, KeySet};

/// So many parts of a join are compared with each other; a table is made of more.
const FEW: usize = 8;

/// What stands above a node.
#[derive(Clone, Copy, Default)]
struct Above {
    /// Whether it is asked for those that do not satisfy it.
    is_negated: bool,
    /// The join that it is a part of.
    join: Option<Join>,
}

/// A part of a join, or a whole filter, that may still become one with others.
enum Operand {
    /// Every document, or none.
    Always(bool),
    /// A predicate, and whether it stands under NOT.
    Leaf(FilterNode, bool),
    /// A join that is made.
    Made(u32),
}

/// The normal form of the filter of these nodes, children before parents. O(nodes · log nodes + keys), times the depth.
pub(super) fn normalized(nodes: Vec<FilterNode>) -> Filter {
    if let [FilterNode::Test(test)] = nodes.as_slice()
        && test.is_open()
    {
        return Filter { nodes };
    }
    let above = above(&nodes);
    let mut maker = Maker::default();
    let mut done: Vec<Vec<Operand>> = Vec::with_capacity(nodes.len());
    for (node, Above { is_negated, join }) in nodes.into_iter().zip(above) {
        let operands = match node {
            FilterNode::All => vec![Operand::Always(!is_negated)],
            FilterNode::Nothing => vec![Operand::Always(is_negated)],
            FilterNode::Not(child) => std::mem::take(&mut done[child as usize]),
            FilterNode::And(ref children) | FilterNode::Or(ref children) => {
                let parts = children.iter().flat_map(|it| std::mem::take(&mut done[*it as usize]));
                maker.join(join_of(&node, is_negated), parts.collect(), join)
            }
            FilterNode::Elements(test) => {
                let body = std::mem::take(&mut done[test.body as usize]);
                let parts = maker.elements(test, body, is_negated);
                maker.join(Some(Join::And), parts, join)
            }
            FilterNode::Test(test) if is_negated && !test.place.is_multi() => {
                vec![Operand::Leaf(FilterNode::Test(test.turned()), false)]
            }
            leaf => vec![Operand::Leaf(leaf, is_negated)],
        };
        done.push(operands);
    }
    let operands = done.pop().unwrap_or_default();
    let whole = maker.whole(Join::And, operands);
    let root = maker.place(whole);
    maker.into_filter(root)
}

/// For each node what stands above it.
fn above(nodes: &[FilterNode]) -> Vec<Above> {
    let mut above = vec![Above::default(); nodes.len()];
    for (at, node) in nodes.iter().enumerate().rev() {
        let own = above[at];
        match node {
            FilterNode::And(children) | FilterNode::Or(children) => {
                let join = join_of(node, own.is_negated);
                for child in children {
                    above[*child as usize] = Above { is_negated: own.is_negated, join };
                }
            }
            FilterNode::Not(child) => {
                above[*child as usize] = Above { is_negated: !own.is_negated, ..own };
            }
            _ => {}
        }
    }
    above
}

/// What a join becomes, under NOT perhaps.
fn join_of(node: &FilterNode, is_negated: bool) -> Option<Join> {
    let join = match node {
        FilterNode::And(_) => Join::And,
        FilterNode::Or(_) => Join::Or,
        _ => return None,
    };
    Some(if is_negated { join.turned() } else { join })
}

/// Makes the nodes of the normal form.
#[derive(Default)]
struct Maker {
    nodes: Vec<FilterNode>,
    /// Whether a node that was made belongs to nothing.
    has_waste: bool,
}

impl Maker {
    /// The parts of a join as those of the join `above` it; as one if that is another.
    fn join(
        &mut self,
        join: Option<Join>,
        parts: Vec<Operand>,
        above: Option<Join>,
    ) -> Vec<Operand> {
        match join {
            Some(join) if above != Some(join) => vec![self.whole(join, parts)],
            _ => parts,
        }
    }

    /// A join as one.
    fn whole(&mut self, join: Join, parts: Vec<Operand>) -> Operand {
        let is_ended_by = join == Join::Or;
        let parts = merged(join, parts);
        if parts.iter().any(|part| matches!(part, Operand::Always(it) if *it == is_ended_by)) {
            self.has_waste |= parts.iter().any(|part| matches!(part, Operand::Made(_)));
            return Operand::Always(is_ended_by);
        }
        let mut parts: Vec<Operand> =
            parts.into_iter().filter(|part| !matches!(part, Operand::Always(_))).collect();
        if parts.len() < 2 {
            return parts.pop().unwrap_or(Operand::Always(!is_ended_by));
        }
        let children = parts.into_iter().map(|part| self.place(part)).collect();
        self.push(match join {
            Join::And => FilterNode::And(children),
            Join::Or => FilterNode::Or(children),
        })
    }

    fn push(&mut self, node: FilterNode) -> Operand {
        self.nodes.push(node);
        Operand::Made(self.nodes.len() as u32 - 1)
    }

    /// The place of a node that an operand becomes.
    fn place(&mut self, operand: Operand) -> u32 {
        let (node, is_negated) = match operand {
            Operand::Made(at) => return at,
            Operand::Always(true) => (FilterNode::All, false),
            Operand::Always(false) => (FilterNode::Nothing, false),
            Operand::Leaf(node, is_negated) => (node, is_negated),
        };
        self.nodes.push(node);
        if is_negated {
            self.nodes.push(FilterNode::Not(self.nodes.len() as u32 - 1));
        }
        self.nodes.len() as u32 - 1
    }

    /// What must hold together where elements are asked: the question, and what it says of all elements, which an index
    /// over these can tell.
    fn elements(
        &mut self,
        test: ElementsTest,
        body: Vec<Operand>,
        is_negated: bool,
    ) -> Vec<Operand> {
        let is_any = test.quantifier == Quantifier::Any;
        let body = self.whole(Join::And, body);
        if is_any && matches!(body, Operand::Always(false)) {
            return vec![Operand::Always(is_negated)];
        }
        let body = self.place(body);
        let mut parts = Vec::new();
        if is_any {
            let (told, is_all) = self.told(&test, body);
            let told = told.into_iter().map(|told| {
                let told = Test { is_told: !is_all, ..told };
                Operand::Leaf(FilterNode::Test(told), is_negated)
            });
            if is_all {
                // Nothing is tied together: it is the question of any value.
                self.has_waste = true;
                let join = if is_negated { Join::And } else { Join::Or };
                return vec![self.whole(join, told.collect())];
            }
            if !is_negated && matches!(test.place, Place::Path(_)) {
                parts.extend(told);
            }
        }
        parts.push(Operand::Leaf(FilterNode::Elements(ElementsTest { body, ..test }), is_negated));
        parts
    }

    /// What conditions on one element say of all: that any has it; and whether that says as much.
    fn told(&self, elements: &ElementsTest, body: u32) -> (Vec<Test>, bool) {
        let (conditions, is_tied): (&[u32], bool) = match &self.nodes[body as usize] {
            FilterNode::And(children) => (children, true),
            FilterNode::Or(children) => (children, false),
            _ => (&[body], false),
        };
        let of_each = |at: &u32| match &self.nodes[*at as usize] {
            FilterNode::Test(test) => test.of_each(elements),
            _ => None,
        };
        let told: Vec<Test> = conditions.iter().filter_map(of_each).collect();
        match (is_tied, told.len() == conditions.len()) {
            (false, is_all) => (if is_all { told } else { Vec::new() }, is_all),
            (true, _) => (told, false),
        }
    }

    /// The filter with this root.
    fn into_filter(mut self, root: u32) -> Filter {
        self.nodes.truncate(root as usize + 1);
        if !self.has_waste {
            return Filter { nodes: self.nodes };
        }
        let mut is_used = vec![false; self.nodes.len()];
        is_used[root as usize] = true;
        for at in (0..self.nodes.len()).rev() {
            if is_used[at] {
                self.nodes[at].children().iter().for_each(|child| is_used[*child as usize] = true);
            }
        }
        let mut moved = Vec::with_capacity(self.nodes.len());
        let mut nodes: Vec<FilterNode> = Vec::with_capacity(self.nodes.len());
        for (mut node, is_used) in self.nodes.into_iter().zip(is_used) {
            moved.push(nodes.len() as u32);
            if is_used {
                node.children_mut().iter_mut().for_each(|child| *child = moved[*child as usize]);
                nodes.push(node);
            }
        }
        Filter { nodes }
    }
}

/// What a part of a join asks about, where others that ask about the same can be one with it.
fn asked_place(join: Join, part: &Operand) -> Option<(&Place, Scalar)> {
    match part {
        Operand::Leaf(FilterNode::Test(test), is_negated)
            if !test.place.is_multi() || *is_negated == (join == Join::And) =>
        {
            Some((&test.place, test.scalar))
        }
        _ => None,
    }
}

/// Whether no two of some parts ask about the same. O(parts²).
fn are_apart(join: Join, parts: &[Operand]) -> bool {
    parts.iter().enumerate().all(|(at, part)| {
        let place = asked_place(join, part);
        place.is_none() || parts[..at].iter().all(|other| asked_place(join, other) != place)
    })
}

/// A predicate that every key satisfies, or none, is no question.
fn decide(part: &mut Operand) {
    if let Operand::Leaf(FilterNode::Test(test), is_negated) = part
        && !test.is_open()
    {
        *part = Operand::Always(test.keys.is_all() != *is_negated);
    }
}

/// The parts of a join, those on one place as one where that says the same.
fn merged(join: Join, mut parts: Vec<Operand>) -> Vec<Operand> {
    if parts.len() <= FEW && are_apart(join, &parts) {
        parts.iter_mut().for_each(decide);
        return parts;
    }
    let mut first_on: HashMap<(&Place, Scalar), usize> = HashMap::new();
    let mut count = 0;
    let mut places = Vec::with_capacity(parts.len());
    for part in &parts {
        let new = count;
        let place = asked_place(join, part).map_or(new, |it| *first_on.entry(it).or_insert(new));
        count += usize::from(place == new);
        places.push(place);
    }
    let mut groups: Vec<Vec<Operand>> = (0..count).map(|_| Vec::new()).collect();
    for (part, place) in parts.into_iter().zip(places) {
        groups[place].push(part);
    }
    groups.into_iter().filter_map(|group| together(join, group)).collect()
}

/// Predicates on one place as one, or the only part that there is.
fn together(join: Join, mut group: Vec<Operand>) -> Option<Operand> {
    let mut is_negated = false;
    let mut tests: Vec<&Test> = Vec::new();
    for part in &group {
        let Operand::Leaf(FilterNode::Test(test), negated) = part else { return group.pop() };
        is_negated = *negated;
        tests.push(test);
    }
    // NOT a AND NOT b is NOT (a OR b).
    let join = if is_negated { join.turned() } else { join };
    let sets = tests.iter().map(|test| &test.keys);
    let merged = match (tests.as_slice(), join) {
        ([], _) => return None,
        ([_], _) => None,
        (_, Join::And) => Some(KeySet::intersection_of(sets)),
        (_, Join::Or) => Some(KeySet::union_of(sets)),
    };
    let mut whole = match merged {
        None => group.pop()?,
        Some(keys) => {
            let text = Wording::joined(join, tests.iter().map(|test| &test.text));
            let is_told = tests.iter().all(|test| test.is_told);
            let whole = Test { keys, text, is_told, ..Test::clone(tests[0]) };
            Operand::Leaf(FilterNode::Test(whole), is_negated)
        }
    };
    decide(&mut whole);
    Some(whole)
}

impl Test {
    /// Whether it is a question: some keys satisfy it, and not all.
    fn is_open(&self) -> bool {
        !self.keys.is_empty() && !self.keys.is_all()
    }

    /// What the test leaves; exact where its place leads to one value.
    fn turned(&self) -> Test {
        Test {
            place: self.place.clone(),
            scalar: self.scalar,
            keys: self.keys.complement(),
            text: self.text.turned(),
            is_told: false,
        }
    }

    /// What the test of one element says of all of them; nothing of what a missing value satisfies.
    fn of_each(&self, ElementsTest { place, text, .. }: &ElementsTest) -> Option<Test> {
        let Place::Element(inner) = &self.place else { return None };
        if self.keys.contains(Key::MISSING.as_ref()) {
            return None;
        }
        let place = match place {
            Place::Path(path) => Place::Path(path.each().join(inner.steps())),
            Place::Element(path) => Place::Element(path.each().join(inner.steps())),
            Place::Meta(_) => return None,
        };
        let text = Wording::one(format!("ANY {text} WHERE ({})", self.text));
        Some(Test { place, text, scalar: self.scalar, keys: self.keys.clone(), is_told: true })
    }
}

impl FilterNode {
    /// The places of what it is made of.
    pub fn children(&self) -> &[u32] {
        match self {
            FilterNode::And(children) | FilterNode::Or(children) => children,
            FilterNode::Not(child) => std::slice::from_ref(child),
            FilterNode::Elements(test) => std::slice::from_ref(&test.body),
            _ => &[],
        }
    }

    fn children_mut(&mut self) -> &mut [u32] {
        match self {
            FilterNode::And(children) | FilterNode::Or(children) => children,
            FilterNode::Not(child) => std::slice::from_mut(child),
            FilterNode::Elements(test) => std::slice::from_mut(&mut test.body),
            _ => &mut [],
        }
    }
}

#[cfg(test)]
#[path = "normalize_tests.rs"]
mod tests;
