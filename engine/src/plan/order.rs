//! Choosing how rows are brought into order: by walking a sorted index, or by sorting candidates.

use super::access::Access;
use super::compound::Together;
use super::{Direction, Find};
use crate::collection::{Collection, Hidden};
use crate::index::Part;
use crate::query::{Meta, Subject, scalar_of};
use crate::schema::Scalar;
use crate::schema::definition::Typing;
use crate::value::{KeyRange, KeySet};

/// How rows are brought into order.
#[derive(Debug)]
pub enum OrderPlan {
    /// By birth: as candidates come, or the other way.
    Birth(Direction),
    /// As a sorted index has them; candidates are picked out on the way.
    Walk {
        /// The index's place in its collection.
        index: usize,
        /// The keys among which all candidates stand.
        keys: KeySet,
        /// From which end.
        direction: Direction,
        /// Which way documents of the same key go.
        ties: Direction,
        /// What the compound keys of all candidates begin with, before the values of ORDER.
        prefix: Vec<u8>,
    },
    /// The candidates are sorted; only the first so many are kept, where there is a limit.
    Sort {
        /// How many to keep.
        keep: Option<u64>,
    },
}

/// One path of ORDER.
#[derive(Debug)]
pub struct SortPath {
    /// A path or metadata.
    pub subject: Subject,
    /// The type under which its values are compared.
    pub scalar: Scalar,
    /// Which way.
    pub direction: Direction,
    /// An index whose column holds the keys.
    pub column: Option<usize>,
}

/// Sorting reads a key for every candidate; walking passes over documents that are none. Sorting a candidate costs about
/// this many times what passing over one does.
const SORT_COST: u64 = 2;

/// Chooses for the order of `find`.
pub fn choose(
    collection: &Collection,
    find: &Find,
    access: &Access<'_>,
    paths: &[SortPath],
) -> OrderPlan {
    // What stands behind the birth number decides nothing.
    let by_birth = paths.first().is_none_or(|path| path.subject == Subject::Meta(Meta::Seq));
    if by_birth {
        return OrderPlan::Birth(paths.first().map_or(Direction::Ascending, |path| path.direction));
    }
    let live = collection.live().len();
    let (candidates, matching) = (access.expected(live), access.matching);
    let keep = find.limit.map(|(offset, count)| offset.saturating_add(count));
    let wanted = keep.unwrap_or(u64::MAX).min(matching.max(1));
    if let Some((passed, walk)) = walk_of(collection, find, paths, access.hidden) {
        // Of those on the way, one in `passed / matching` is wanted.
        let passed = u128::from(wanted) * u128::from(passed) / u128::from(matching.max(1));
        if candidates > 0 && passed <= u128::from(candidates) * u128::from(SORT_COST) {
            return walk;
        }
    }
    OrderPlan::Sort { keep }
}

/// The walk that passes the fewest documents on the way through all candidates, and how many these are.
fn walk_of(
    collection: &Collection,
    find: &Find,
    paths: &[SortPath],
    hidden: Hidden<'_>,
) -> Option<(u64, OrderPlan)> {
    let together = find.filter.as_ref().map(|filter| Together::of(&filter.nodes, filter.root()));
    let ties = paths.last()?.direction;
    let walks = collection.indexes().iter().enumerate().filter_map(|(at, index)| {
        if index.as_sorted().is_none() || index.is_multi() || !hidden.leaves_whole(index) {
            return None;
        }
        let used = together.as_ref().and_then(|together| together.using(index));
        if used.is_none() && index.source().filter().is_some() {
            // It does not have all candidates.
            return None;
        }
        let (keys, fixed) = used
            .map_or_else(|| (KeySet::range(KeyRange::all()), 0), |used| (used.keys, used.fixed));
        let parts = index.source().parts();
        let direction = direction_of(parts, fixed, paths)?;
        let skipped = parts.len() - paths.len();
        let prefix =
            together.as_ref().map_or_else(Vec::new, |together| together.prefix(index, skipped));
        Some((index.count(&keys), OrderPlan::Walk { index: at, keys, direction, ties, prefix }))
    });
    walks.min_by_key(|(passed, _)| *passed)
}

/// From which end an index over `parts` has the order of `paths`, if it has: up to its last part, so that documents with the
/// same key stand by birth, and from the first on, or behind some of which one value only is asked for.
fn direction_of(parts: &[Part], fixed: usize, paths: &[SortPath]) -> Option<Direction> {
    let skipped = parts.len().checked_sub(paths.len()).filter(|skipped| *skipped <= fixed)?;
    let mut directions = parts[skipped..].iter().zip(paths).map(|(part, path)| {
        let is_same =
            path.subject == Subject::Path(part.path.clone()) && part.scalar == path.scalar;
        is_same.then_some(part.is_descending == (path.direction == Direction::Descending))
    });
    let first = directions.next()??;
    directions.all(|other| other == Some(first)).then_some(if first {
        Direction::Ascending
    } else {
        Direction::Descending
    })
}

/// The paths of ORDER with their types and columns.
pub fn paths(collection: &Collection, find: &Find, hidden: Hidden<'_>) -> Vec<SortPath> {
    let of = |(subject, direction): &(Subject, Direction)| {
        sort_path(collection, subject, *direction, hidden)
    };
    find.order.iter().map(of).collect()
}

fn sort_path(
    collection: &Collection,
    subject: &Subject,
    direction: Direction,
    hidden: Hidden<'_>,
) -> SortPath {
    let typing = match subject {
        Subject::Path(path) => collection.definition().typing(path),
        Subject::Meta(meta) => Typing::Scalar(scalar_of(*meta)),
    };
    let scalar = match typing {
        Typing::Scalar(scalar) => scalar,
        Typing::Array(_) | Typing::Undeclared => Scalar::Json,
    };
    let holds = |index: &crate::index::Index| match subject {
        Subject::Path(path) => {
            index.is_over(path, scalar) && index.column().is_some() && hidden.leaves_whole(index)
        }
        Subject::Meta(_) => false,
    };
    let column = collection.indexes().iter().position(holds);
    SortPath { subject: subject.clone(), scalar, direction, column }
}
