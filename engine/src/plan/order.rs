//! Choosing how rows are brought into order: by walking a sorted index, or by sorting candidates.

use super::access::Access;
use super::{Direction, Find};
use crate::collection::Collection;
use crate::path::Path;
use crate::schema::Scalar;
use crate::schema::definition::Typing;

/// How rows are brought into order.
#[derive(Debug)]
pub enum OrderPlan {
    /// By birth: as candidates come.
    Birth,
    /// As a sorted index has them; candidates are picked out on the way.
    Walk {
        /// The index's place in its collection.
        index: usize,
        /// From which end.
        direction: Direction,
    },
    /// The candidates are sorted; only the first so many are kept, where there is a limit.
    Sort {
        /// What they are sorted by.
        paths: Vec<SortPath>,
        /// How many to keep.
        keep: Option<u64>,
    },
}

/// One path of ORDER.
#[derive(Debug)]
pub struct SortPath {
    /// The path.
    pub path: Path,
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
pub fn choose(collection: &Collection, find: &Find, access: &Access<'_>) -> OrderPlan {
    if find.order.is_empty() {
        return OrderPlan::Birth;
    }
    let paths: Vec<SortPath> = find
        .order
        .iter()
        .map(|(path, direction)| sort_path(collection, path, *direction))
        .collect();
    let live = collection.live().len();
    let candidates = access.expected(live);
    let keep = find.limit.map(|(offset, count)| offset.saturating_add(count));
    if let [SortPath { column: Some(index), direction, .. }] = paths.as_slice() {
        let wanted = keep.unwrap_or(u64::MAX).min(candidates);
        // Of `live` documents on the way, one in `live / candidates` is a candidate.
        let passed = u128::from(wanted) * u128::from(live) / u128::from(candidates.max(1));
        if candidates > 0 && passed <= u128::from(candidates) * u128::from(SORT_COST) {
            return OrderPlan::Walk { index: *index, direction: *direction };
        }
    }
    OrderPlan::Sort { paths, keep }
}

fn sort_path(collection: &Collection, path: &Path, direction: Direction) -> SortPath {
    let scalar = match collection.definition().typing(path) {
        Typing::Scalar(scalar) => scalar,
        Typing::Array(_) | Typing::Undeclared => Scalar::Json,
    };
    let holds = |index: &crate::index::Index| index.path() == path && index.column().is_some();
    let column = collection.indexes().iter().position(holds);
    SortPath { path: path.clone(), scalar, direction, column }
}
