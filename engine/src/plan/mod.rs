//! The plan of a query: which indexes give the candidates, what is still to be checked on each, how they are ordered.
//!
//! The planner reads cardinalities, which the indexes know exactly, and never a document.

mod access;
mod compound;
mod explain;
mod metadata;
mod order;
mod parts;
mod reason;

pub use access::{Access, Step};
pub(crate) use access::{READ_WORTH, SMALL};
pub use explain::explain;
pub(crate) use explain::{Shown, access_lines, text};
pub use order::{OrderPlan, SortPath};

use crate::collection::Collection;
use crate::exec::Cursor;
use crate::query::{Filter, Subject};

/// Which way an order goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// Least first.
    #[default]
    Ascending,
    /// Greatest first.
    Descending,
}

/// What a FIND asks.
#[derive(Debug, Clone, Default)]
pub struct Find {
    /// Which documents; all without one.
    pub filter: Option<Filter>,
    /// In which order; by birth without one.
    pub order: Vec<(Subject, Direction)>,
    /// Behind which row to begin.
    pub after: Option<Cursor>,
    /// A hash of all that decides which rows there are and in which order, which cursors hold.
    pub query: u64,
    /// How many rows to pass over, and how many to give at most.
    pub limit: Option<(u64, u64)>,
    /// Whether to count all that match.
    pub with_total: bool,
    /// Whether to examine any number of documents without an index.
    pub scan: bool,
    /// Whether documents marked as deleted are among those asked for.
    pub with_deleted: bool,
}

/// How a query will be run.
#[derive(Debug)]
pub struct Plan<'q> {
    /// Where candidates come from and what is still to be checked on each.
    pub access: Access<'q>,
    /// The paths of ORDER.
    pub paths: Vec<SortPath>,
    /// How rows are brought into order.
    pub order: OrderPlan,
}

/// The plan of a FIND.
pub fn plan<'q>(collection: &'q Collection, find: &'q Find) -> Plan<'q> {
    let access = access_of(collection, find.filter.as_ref(), find.with_deleted);
    let paths = order::paths(collection, find, access.hidden);
    let order = order::choose(collection, find, &access, &paths);
    Plan { access, paths, order }
}

/// The access part alone, which is all that counting needs.
pub fn access_of<'q>(
    collection: &'q Collection,
    filter: Option<&'q Filter>,
    with_deleted: bool,
) -> Access<'q> {
    access::choose(filter, collection, with_deleted)
}
