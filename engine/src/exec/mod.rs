//! Running queries over a collection.
//!
//! The engine's answers are ids; the caller reads the documents. Due documents are in no answer, and deleted ones in those
//! that ask for them; the collection was told the time before ([`Collection::lapse`]).

mod aggregate;
mod budget;
mod candidates;
mod cursor;
mod decide;
mod ids;
mod one;
mod residual;
mod run;
mod sort;
mod trace;

pub use aggregate::{
    Aggregate, Distinct, Named, Request, aggregate, distinct, explain_aggregate, explain_distinct,
    profile_aggregate, profile_distinct,
};
pub use budget::{Budget, Means};
pub use cursor::{Cursor, fingerprint};
pub use ids::{BLOCK, Ids};
pub use one::holds;
pub use trace::{Profile, Spent};

use candidates::{candidates, total};
use residual::Residual;
use run::Run;

use crate::collection::Collection;
use crate::error::{Code, Error, Result};
use crate::index::DocId;
use crate::limits::ORDER_PATHS_MAX;
use crate::plan::{self, Access};
pub use crate::plan::{Direction, Find};
use crate::query::Filter;

/// The answer of a FIND.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The documents, in order.
    pub ids: Vec<DocId>,
    /// How many match, when asked.
    pub total: Option<u64>,
    /// Where the next page begins, when LIMIT cut the answer or nobody has looked whether it did.
    pub cursor: Option<Cursor>,
}

/// Finds documents. Errors: `NOINDEX`, `LIMITED`, `TIMEOUT`.
pub fn find<'m>(
    collection: &Collection,
    find: &Find,
    means: impl Into<Means<'m>>,
) -> Result<Found> {
    expect_few_paths(find)?;
    let plan = plan::plan(collection, find);
    Ok(Run::new(collection, &plan, find, means.into()).run()?.0)
}

/// Finds documents, and tells what that took. Errors as of [`find`].
pub fn profile<'m>(
    collection: &Collection,
    find: &Find,
    means: impl Into<Means<'m>>,
) -> Result<(Found, Profile)> {
    expect_few_paths(find)?;
    let plan = plan::plan(collection, find);
    Run::new(collection, &plan, find, means.into()).noted().run()
}

fn expect_few_paths(find: &Find) -> Result<()> {
    if find.order.len() > ORDER_PATHS_MAX {
        let count = find.order.len();
        let what = format!("ORDER by {count} paths exceeds the limit of {ORDER_PATHS_MAX}");
        return Err(Error::new(Code::Limited, what));
    }
    Ok(())
}

/// Counts documents that are not deleted. `scan` allows any number to be examined without an index. Errors: `NOINDEX`,
/// `TIMEOUT`.
pub fn count<'m>(
    collection: &Collection,
    filter: Option<&Filter>,
    scan: bool,
    means: impl Into<Means<'m>>,
) -> Result<u64> {
    counted(collection, &plan::access_of(collection, filter, false), scan, means.into())
}

/// Counts what `find` finds without its limit. Errors as of [`count`].
pub fn count_all<'m>(
    collection: &Collection,
    find: &Find,
    means: impl Into<Means<'m>>,
) -> Result<u64> {
    let access = plan::access_of(collection, find.filter.as_ref(), find.with_deleted);
    counted(collection, &access, find.scan, means.into())
}

fn counted(
    collection: &Collection,
    access: &Access<'_>,
    scan: bool,
    means: Means<'_>,
) -> Result<u64> {
    let mut budget = Budget::new(!scan, means);
    if access.residual.is_empty() {
        let count = total(collection, access, &budget)?;
        return budget.look().map(|()| count);
    }
    let candidates = candidates(collection, access, &budget, None)?;
    let mut residual = Residual::new(collection, access);
    let mut count = 0;
    for id in candidates.ids() {
        count += u64::from(residual.holds(id, &mut budget)?);
    }
    budget.look()?;
    Ok(count)
}
