//! The total order of ORDER, across kinds and under declared types.

use std::cmp::Ordering;

use super::{json::Json, meta::Scope, path::Path, schema::Kind, value::scalar};

/// One path of ORDER.
#[derive(Clone, Debug)]
pub struct OrderBy {
    /// What to order by.
    pub path: Path,
    /// Whether greater values come first.
    pub descending: bool,
}

/// Compares two values, either of which may be missing, on a field of this type.
pub fn compare(left: Option<&Json>, right: Option<&Json>, kind: Option<&Kind>) -> Ordering {
    let (Some(left_value), Some(right_value)) = (left, right) else {
        return left.is_some().cmp(&right.is_some());
    };
    // As a whole an array compares as on undeclared paths, whatever its elements are declared, and so does what stands in its place.
    let kind = kind.filter(|kind| !matches!(kind, Kind::Array(_)));
    let ranks = rank(left_value, kind).cmp(&rank(right_value, kind));
    if ranks.is_ne() {
        return ranks;
    }
    match (left_value, right_value) {
        _ if rank(left_value, kind) == RANK_INVALID => {
            left_value.print().as_bytes().cmp(right_value.print().as_bytes())
        }
        (Json::Array(left), Json::Array(right)) => {
            compare_lists(left, right, |left, right| compare(Some(left), Some(right), None))
        }
        (Json::Object(left), Json::Object(right)) => {
            let (left, right) = (by_name(left), by_name(right));
            compare_lists(&left, &right, |left, right| {
                let names = left.0.as_bytes().cmp(right.0.as_bytes());
                names.then_with(|| compare(Some(&left.1), Some(&right.1), None))
            })
        }
        _ => match (scalar(left_value, kind), scalar(right_value, kind)) {
            (Some(left), Some(right)) => left.compare(&right).expect("equal ranks are one kind"),
            _ => Ordering::Equal, // Two nulls.
        },
    }
}

/// Compares two documents by each path in turn, births last in the direction of the last path.
pub fn compare_documents(left: &Scope<'_>, right: &Scope<'_>, order: &[OrderBy]) -> Ordering {
    for by in order {
        let kind = left.kind_of(&by.path);
        let (first, second) = (representative(left, by), representative(right, by));
        let ordering = compare(first.as_ref(), second.as_ref(), kind.as_ref());
        if ordering.is_ne() {
            return directed(ordering, by.descending);
        }
    }
    let births = left.facts.sequence.cmp(&right.facts.sequence);
    directed(births, order.last().is_some_and(|by| by.descending))
}

const RANK_INVALID: u8 = 9;

fn rank(value: &Json, kind: Option<&Kind>) -> u8 {
    match (kind, value) {
        (_, Json::Null) => 1,
        (None | Some(Kind::Json), Json::Bool(_)) => 2,
        (None | Some(Kind::Json), Json::Number(_)) => 3,
        (None | Some(Kind::Json), Json::String(_)) => 4,
        (None | Some(Kind::Json), Json::Array(_)) => 5,
        (None | Some(Kind::Json), Json::Object(_)) => 6,
        (Some(kind), value) if kind.admits(value) => 2,
        _ => RANK_INVALID,
    }
}

fn by_name(members: &[(String, Json)]) -> Vec<&(String, Json)> {
    let mut members: Vec<_> = members.iter().collect();
    members.sort_by_key(|(name, _)| name.as_bytes());
    members
}

fn compare_lists<T>(left: &[T], right: &[T], each: impl Fn(&T, &T) -> Ordering) -> Ordering {
    let differing = left.iter().zip(right).map(|(l, r)| each(l, r)).find(|order| order.is_ne());
    differing.unwrap_or_else(|| left.len().cmp(&right.len()))
}

fn representative(scope: &Scope<'_>, by: &OrderBy) -> Option<Json> {
    let kind = scope.kind_of(&by.path);
    let values = scope.values(&by.path).into_iter();
    let order = |left: &Json, right: &Json| compare(Some(left), Some(right), kind.as_ref());
    if by.descending { values.max_by(order) } else { values.min_by(order) }
}

fn directed(ordering: Ordering, is_descending: bool) -> Ordering {
    if is_descending { ordering.reverse() } else { ordering }
}
