//! The plan of a query: which indexes give the candidates, what is still to be checked on each, how they are ordered.
//!
//! The planner reads cardinalities, which the indexes know exactly, and never a document.

mod access;
mod explain;
mod order;

pub use access::{Access, Step};
pub use explain::explain;
pub use order::{OrderPlan, SortPath};

use crate::collection::Collection;
use crate::path::Path;
use crate::query::Filter;

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
    pub order: Vec<(Path, Direction)>,
    /// How many rows to pass over, and how many to give at most.
    pub limit: Option<(u64, u64)>,
    /// Whether to count all that match.
    pub with_total: bool,
    /// Whether to examine any number of documents without an index.
    pub scan: bool,
}

/// How a query will be run.
#[derive(Debug)]
pub struct Plan<'q> {
    /// Where candidates come from and what is still to be checked on each.
    pub access: Access<'q>,
    /// How rows are brought into order.
    pub order: OrderPlan,
}

/// The plan of a FIND.
pub fn plan<'q>(collection: &Collection, find: &'q Find) -> Plan<'q> {
    let access = access_of(collection, find.filter.as_ref());
    let order = order::choose(collection, find, &access);
    Plan { access, order }
}

/// The access part alone, which is all that counting needs.
pub fn access_of<'q>(collection: &Collection, filter: Option<&'q Filter>) -> Access<'q> {
    access::choose(filter, collection)
}
