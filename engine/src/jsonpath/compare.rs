//! Comparison of two values (RFC 9535, section 2.3.5.2.2): numbers exactly, strings by code point, arrays and objects
//! whole, without recursion.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::evaluation::Evaluation;
use super::program::Cmp;
use crate::Result;
use crate::value::{Decimal, Kind, Number, Raw};

/// What lies on the stack of a filter.
#[derive(Debug, Clone, Copy)]
pub(super) enum Operand<'a> {
    /// The result of a path that leads to nothing, and of a function that has none.
    Nothing,
    Value(Raw<'a>),
    /// A number that a function gave.
    Count(usize),
}

/// Whether the comparison holds.
pub(super) fn holds(
    cmp: Cmp,
    left: Operand<'_>,
    right: Operand<'_>,
    evaluation: &mut Evaluation,
) -> Result<bool> {
    Ok(match cmp {
        Cmp::Eq => is_equal(left, right, evaluation)?,
        Cmp::Ne => !is_equal(left, right, evaluation)?,
        Cmp::Lt => is_less(left, right, evaluation)?,
        Cmp::Gt => is_less(right, left, evaluation)?,
        Cmp::Le => is_less(left, right, evaluation)? || is_equal(left, right, evaluation)?,
        Cmp::Ge => is_less(right, left, evaluation)? || is_equal(left, right, evaluation)?,
    })
}

fn is_equal(left: Operand<'_>, right: Operand<'_>, evaluation: &mut Evaluation) -> Result<bool> {
    match (left, right) {
        (Operand::Nothing, Operand::Nothing) => Ok(true),
        (Operand::Nothing, _) | (_, Operand::Nothing) => Ok(false),
        (Operand::Value(left), Operand::Value(right)) => is_same(left, right, evaluation),
        (Operand::Count(left), Operand::Count(right)) => Ok(left == right),
        (Operand::Count(count), Operand::Value(value))
        | (Operand::Value(value), Operand::Count(count)) => {
            evaluation.visit(value)?;
            Ok(is_number(value) && cmp_count(count, value) == Some(Ordering::Equal))
        }
    }
}

/// Only numbers and strings are ordered.
fn is_less(left: Operand<'_>, right: Operand<'_>, evaluation: &mut Evaluation) -> Result<bool> {
    let order = match (left, right) {
        (Operand::Nothing, _) | (_, Operand::Nothing) => None,
        (Operand::Count(left), Operand::Count(right)) => Some(left.cmp(&right)),
        (Operand::Count(count), Operand::Value(value)) => {
            evaluation.visit(value)?;
            cmp_count(count, value)
        }
        (Operand::Value(value), Operand::Count(count)) => {
            evaluation.visit(value)?;
            cmp_count(count, value).map(Ordering::reverse)
        }
        (Operand::Value(left), Operand::Value(right)) => {
            evaluation.look(left.bytes().len().min(right.bytes().len()))?;
            match (left.kind(), right.kind()) {
                (Kind::Number, Kind::Number) => cmp_numbers(left.bytes(), right.bytes()),
                // The order of UTF-8 is that of code points.
                (Kind::String, Kind::String) => Some(left.characters().cmp(&right.characters())),
                _ => None,
            }
        }
    };
    Ok(order == Some(Ordering::Less))
}

fn is_number(value: Raw<'_>) -> bool {
    value.kind() == Kind::Number
}

/// `None` where `value` is no number.
fn cmp_count(count: usize, value: Raw<'_>) -> Option<Ordering> {
    is_number(value).then(|| cmp_numbers(count.to_string().as_bytes(), value.bytes())).flatten()
}

/// Numbers within the range of a double as everywhere in the engine; others digit for digit. `None` where even a
/// decimal has not so many digits, so that such numbers are neither equal nor less.
fn cmp_numbers(left: &[u8], right: &[u8]) -> Option<Ordering> {
    if let (Some(left), Some(right)) = (Number::parse(left), Number::parse(right)) {
        return Some(left.cmp_exact(right));
    }
    let decimal = |text| std::str::from_utf8(text).ok().and_then(Decimal::parse);
    Some(decimal(left)?.cmp(&decimal(right)?))
}

/// Whether two values are the same, deeply: objects whatever the order of their members.
fn is_same(left: Raw<'_>, right: Raw<'_>, evaluation: &mut Evaluation) -> Result<bool> {
    let mut pairs = vec![(left, right)];
    while let Some((left, right)) = pairs.pop() {
        if left.kind() != right.kind() {
            evaluation.look(0)?;
            return Ok(false);
        }
        evaluation.look(left.bytes().len().min(right.bytes().len()))?;
        if left.bytes() == right.bytes() {
            continue;
        }
        let same = match left.kind() {
            Kind::Null | Kind::Bool => false,
            Kind::Number => cmp_numbers(left.bytes(), right.bytes()) == Some(Ordering::Equal),
            Kind::String => left.characters() == right.characters(),
            Kind::Array => {
                pairs.extend(left.elements().zip(right.elements()));
                left.elements().count() == right.elements().count()
            }
            Kind::Object => pair_members(left, right, &mut pairs),
        };
        if !same {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Appends the pairs of values under the same name; false if the objects do not have the same names.
fn pair_members<'a>(left: Raw<'a>, right: Raw<'a>, pairs: &mut Vec<(Raw<'a>, Raw<'a>)>) -> bool {
    let (left, right) = (sorted_members(left), sorted_members(right));
    let same = left.iter().map(|(name, _)| name).eq(right.iter().map(|(name, _)| name));
    if same {
        pairs.extend(left.iter().zip(&right).map(|((_, left), (_, right))| (*left, *right)));
    }
    same
}

/// The members by name.
fn sorted_members(object: Raw<'_>) -> Vec<(Cow<'_, [u8]>, Raw<'_>)> {
    let mut members: Vec<_> = object
        .members()
        .map(|(name, value)| (name.characters().expect("a name is a string"), value))
        .collect();
    members.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    members
}
