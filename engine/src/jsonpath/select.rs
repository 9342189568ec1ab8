//! What a selector picks among the children of a node, in order.

use std::iter::{Skip, StepBy, Take};
use std::vec;

use super::evaluation::Evaluation;
use super::program::{Selector, Slice};
use crate::Result;
use crate::value::raw::{Elements, Members};
use crate::value::{Kind, Raw};

/// Children, one after the other.
pub(super) enum Children<'a> {
    One(Option<Raw<'a>>),
    Elements(Elements<'a>),
    Members(Members<'a>),
    Forward(StepBy<Take<Skip<Elements<'a>>>>),
    /// Of a slice with a negative step, in the order selected.
    Backward(StepBy<vec::IntoIter<Raw<'a>>>),
}

impl<'a> Children<'a> {
    /// All children; none of a value that is neither array nor object.
    pub(super) fn all(node: Raw<'a>) -> Self {
        match node.kind() {
            Kind::Array => Children::Elements(node.elements()),
            Kind::Object => Children::Members(node.members()),
            _ => Children::One(None),
        }
    }

    /// Those that `selector` picks; of a filter those that it is to judge.
    pub(super) fn pick(
        node: Raw<'a>,
        selector: &Selector,
        evaluation: &mut Evaluation,
    ) -> Result<Self> {
        match selector {
            Selector::Wildcard | Selector::Filter(_) => Ok(Children::all(node)),
            Selector::Slice(slice) => sliced(node, *slice, evaluation),
            Selector::Name(_) | Selector::Index(_) => {
                only_child(node, selector, evaluation).map(Children::One)
            }
        }
    }
}

impl<'a> Iterator for Children<'a> {
    type Item = Raw<'a>;

    fn next(&mut self) -> Option<Raw<'a>> {
        match self {
            Children::One(child) => child.take(),
            Children::Elements(elements) => elements.next(),
            Children::Members(members) => members.next().map(|(_, value)| value),
            Children::Forward(elements) => elements.next(),
            Children::Backward(elements) => elements.next(),
        }
    }
}

/// The child of a name or an index. What is passed over on the way is counted.
pub(super) fn only_child<'a>(
    node: Raw<'a>,
    selector: &Selector,
    evaluation: &mut Evaluation,
) -> Result<Option<Raw<'a>>> {
    let child = match selector {
        Selector::Name(name) => {
            node.members().find(|(known, _)| known.name_is(name)).map(|(_, value)| value)
        }
        Selector::Index(index) => element(node, *index),
        _ => None,
    };
    let begin = node.bytes().as_ptr().addr();
    let passed = child.map_or(node.bytes().len(), |child| child.bytes().as_ptr().addr() - begin);
    evaluation.look(passed)?;
    Ok(child)
}

fn element(node: Raw<'_>, index: i64) -> Option<Raw<'_>> {
    if let Ok(index) = usize::try_from(index) {
        return node.elements().nth(index);
    }
    let from_end = usize::try_from(index.unsigned_abs()).ok()?;
    node.elements().nth(node.elements().count().checked_sub(from_end)?)
}

/// The elements of a slice (RFC 9535, section 2.3.4.2.2).
fn sliced<'a>(node: Raw<'a>, slice: Slice, evaluation: &mut Evaluation) -> Result<Children<'a>> {
    if node.kind() != Kind::Array || slice.step == 0 {
        return Ok(Children::One(None));
    }
    evaluation.visit(node)?;
    let length = node.elements().count() as i64;
    let from_start = |at: i64| if at >= 0 { at } else { length + at };
    let stride = usize::try_from(slice.step.unsigned_abs()).unwrap_or(usize::MAX);
    if slice.step > 0 {
        let lower = from_start(slice.start.unwrap_or(0)).clamp(0, length);
        let upper = from_start(slice.end.unwrap_or(length)).clamp(lower, length);
        let elements = node.elements().skip(lower as usize).take((upper - lower) as usize);
        return Ok(Children::Forward(elements.step_by(stride)));
    }
    // From `upper` down to what follows `lower`, which is before the first element where `end` is left out.
    let upper = slice.start.map_or(length - 1, from_start).clamp(-1, length - 1);
    let lower = slice.end.map_or(-1, from_start).clamp(-1, upper);
    let elements = node.elements().skip((lower + 1) as usize).take((upper - lower) as usize);
    let mut elements: Vec<Raw<'a>> = elements.collect();
    evaluation.count(elements.len())?;
    elements.reverse();
    Ok(Children::Backward(elements.into_iter().step_by(stride)))
}
