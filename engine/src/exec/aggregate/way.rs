//! How an aggregate or DISTINCT comes to its groups and values: past the documents, or by reading each. Decided once, from
//! what the plan knows; the run and EXPLAIN both ask here.

use super::definition::Aggregate;
use super::distinct::{Distinct, index_of};
use super::reducer::Reducer;
use crate::collection::Collection;
use crate::index::{Column, Index};
use crate::limits::Limits;
use crate::plan::Access;
use crate::query::Source;

/// The indexes that have all that is asked.
pub struct Past<'c, 'q> {
    /// The index of the one key.
    pub index: Option<&'c Index>,
    /// Where there are few candidates: the column in which each one's key is looked up.
    pub keys: Option<&'c Column>,
    /// For each reducer the column of its values, but for `count()`.
    pub values: Vec<Option<(&'q Source, &'c Column)>>,
}

/// Looking up a candidate's key in a column costs what so many documents cost that an index's postings are gone through with.
const LOOKUP_COST: u64 = 8;
/// An index of this many times as many values as there are candidates is not walked through, where documents may be read.
const WALK_WORTH: u64 = 8;

/// What an aggregate reads in place of documents, or why it reads these.
pub fn of_aggregate<'c, 'q>(
    collection: &'c Collection,
    aggregate: &'q Aggregate,
    access: &Access<'_>,
    limits: &Limits,
) -> Result<Past<'c, 'q>, String> {
    if !access.residual.is_empty() {
        return Err("the filter is not answered by indexes alone".to_owned());
    }
    let live = collection.live().len();
    let is_few = access.expected(live).saturating_mul(LOOKUP_COST) <= live;
    let keys_of = |index: &'c Index| index.column().filter(|it| is_few && it.is_all_exact());
    let index = match aggregate.keys.as_slice() {
        [] => None,
        [key] if key.width.is_some() => return Err(format!("{} is computed", key.name)),
        [key] => {
            let index = index_of(collection, &key.source, access.hidden)
                .ok_or_else(|| format!("no index has the values of {}", key.name))?;
            if index.is_multi() {
                return Err(format!("{} leads to several values", key.name));
            }
            if keys_of(index).is_none() {
                expect_worth(collection, index, access, limits)?;
            }
            Some(index)
        }
        keys => return Err(format!("an index has the groups of one key, not of {}", keys.len())),
    };
    let column = |reducer: &'q Reducer| match &reducer.source {
        None => Ok(None),
        Some(source) => {
            let column = index_of(collection, source, access.hidden).and_then(Index::column);
            let column = column.filter(|_| reducer.reads_keys(source.scalar()));
            let why = || format!("no column has what {} asks for", reducer.name);
            column.map(|column| Some((source, column))).ok_or_else(why)
        }
    };
    let values = aggregate.reducers.iter().map(column).collect::<Result<Vec<_>, String>>()?;
    Ok(Past { index, keys: index.and_then(keys_of), values })
}

/// The index whose keys are the distinct values, or why documents are read.
pub fn of_distinct<'c>(
    collection: &'c Collection,
    distinct: &Distinct,
    access: &Access<'_>,
    limits: &Limits,
) -> Result<&'c Index, String> {
    if !access.residual.is_empty() {
        return Err("the filter is not answered by indexes alone".to_owned());
    }
    let index = index_of(collection, &distinct.source, access.hidden)
        .ok_or_else(|| format!("no index has the values of {}", distinct.name))?;
    expect_worth(collection, index, access, limits)?;
    Ok(index)
}

/// That walking through an index is better than reading the candidates.
fn expect_worth(
    collection: &Collection,
    index: &Index,
    access: &Access<'_>,
    limits: &Limits,
) -> Result<(), String> {
    let (count, values) = (access.expected(collection.live().len()), index.values() as u64);
    if count > limits.scan_max as u64 || values <= count.saturating_mul(WALK_WORTH) {
        return Ok(());
    }
    Err(format!("{values} values of index {} for {count} documents", index.title()))
}
