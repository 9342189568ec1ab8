//! What an index of the parts of strings can answer: the documents that may fit a pattern, each of which is checked.

use std::borrow::Cow;

use super::access::{Chooser, Known, Step};
use super::compound::Together;
use crate::index::Index;
use crate::index::grams;
use crate::index::need::{Need, NeedNode};
use crate::query::{Filter, FilterNode, Place, Wording};
use crate::value::KeySet;

/// Parts of one piece of text that are looked up, those with the fewest documents: each further one takes little away.
const PARTS_ASKED_MAX: usize = 8;
/// Texts of one predicate whose parts are looked up.
const TEXTS_MAX: usize = 64;

impl<'q> Chooser<'q> {
    /// The indexes of parts that have all documents that the node `whole` is about.
    pub(super) fn of_parts(&self, filter: &'q Filter, whole: u32) -> Vec<usize> {
        let mut of_parts =
            self.indexes.iter().enumerate().filter(|(_, index)| index.is_of_parts()).peekable();
        if of_parts.peek().is_none() {
            return Vec::new();
        }
        let together = Together::of(&filter.nodes, whole);
        let covers = |index: &Index| {
            let filter = index.source().filter();
            filter.is_none_or(|filter| together.implying(filter).is_some())
        };
        of_parts.filter(|(_, index)| covers(index)).map(|(at, _)| at).collect()
    }

    /// The documents that may satisfy the predicate at `node`, if it is one on strings, by one of the indexes of parts.
    pub(super) fn text(
        &mut self,
        filter: &'q Filter,
        node: u32,
        covering: &[usize],
    ) -> Option<Known> {
        let place = match &filter.nodes[node as usize] {
            FilterNode::Text(test) => &test.place,
            FilterNode::Test(test) => &test.place,
            _ => return None,
        };
        let Place::Path(path) = place else { return None };
        let fits = |at: &&usize| self.indexes[**at].source().parts()[0].path == *path;
        let index = *covering.iter().find(fits)?;
        let need = match &filter.nodes[node as usize] {
            FilterNode::Text(test) => test.pattern.need()?,
            FilterNode::Test(test) => need_of(&test.keys)?,
            _ => return None,
        };
        let mut steps: Vec<usize> = Vec::with_capacity(need.nodes.len());
        for node in &need.nodes {
            let operands = |children: &[u32]| -> Vec<usize> {
                children.iter().map(|child| steps[*child as usize]).collect()
            };
            let step = match node {
                NeedNode::Piece(piece) => self.piece(index, piece)?,
                NeedNode::All(children) => self.all_of(operands(children)),
                NeedNode::Any(children) => {
                    let operands = operands(children);
                    let count = operands.iter().map(|step| self.counts[*step]).sum();
                    self.push(Step::Union(operands), (count, false), false).step
                }
            };
            steps.push(step);
        }
        Some(Known { step: steps.pop()?, exact: false })
    }

    /// The documents that may hold a piece of text.
    fn piece(&mut self, index: usize, piece: &str) -> Option<usize> {
        let counted = |keys| (self.indexes[index].count(&keys), keys);
        let mut sets: Vec<_> = grams::asked(piece)?.into_iter().map(counted).collect();
        sets.sort_by_key(|(count, _)| *count);
        sets.truncate(PARTS_ASKED_MAX);
        let steps = sets.into_iter().map(|(_, keys)| {
            let text = Wording::one(format!("a part of '{}'", piece.replace('\'', "''")));
            self.push_index(index, Cow::Owned(keys), Cow::Owned(text)).step
        });
        let steps = steps.collect();
        Some(self.all_of(steps))
    }

    fn all_of(&mut self, steps: Vec<usize>) -> usize {
        if let [only] = steps.as_slice() {
            return *only;
        }
        let count = steps.iter().map(|step| self.counts[*step]).min().unwrap_or_default();
        self.push(Step::Intersect(steps), (count, false), false).step
    }
}

/// What a string has to hold whose key is among some: what those of each range begin with.
fn need_of(keys: &KeySet) -> Option<Need> {
    if keys.ranges().len() > TEXTS_MAX {
        return None;
    }
    let mut nodes = Vec::new();
    for range in keys.ranges() {
        nodes.extend(Need::of_text(&range.beginning()?)?.nodes);
    }
    if nodes.len() > 1 {
        nodes.push(NeedNode::Any((0..nodes.len() as u32).collect()));
    }
    (!nodes.is_empty()).then_some(Need { nodes })
}
