//! The documents that an access yields, without those that are hidden: due ones, and deleted ones unless they are asked for.

use std::borrow::Cow;

use super::budget::Budget;
use super::ids::Ids;
use super::trace::Spent;
use crate::collection::Collection;
use crate::doc::Document;
use crate::error::Result;
use crate::plan::{Access, Step};

/// How many documents an access yields that leaves nothing open. Error: `TIMEOUT`.
pub fn total(collection: &Collection, access: &Access<'_>, budget: &Budget<'_>) -> Result<u64> {
    match counted(collection, access) {
        Some(count) => Ok(count),
        None => Ok(candidates(collection, access, budget, None)?.len()),
    }
}

/// The answer of a count that is known without ids being gathered.
fn counted(collection: &Collection, access: &Access<'_>) -> Option<u64> {
    let root = access.root?;
    if matches!(access.steps[root], Step::All) {
        return Some(collection.live().len() - access.hidden.len());
    }
    if !access.counted[root] {
        return None;
    }
    let count = access.counts[root];
    Some(count.saturating_sub(hidden_among(collection, access, root)?))
}

/// How many hidden documents are among those that a step counts; not known where they are better gathered.
fn hidden_among(collection: &Collection, access: &Access<'_>, step: usize) -> Option<u64> {
    /// Finding out whether an index has a document under some keys costs what so many documents cost that it has.
    const KEYS_COST: u64 = 16;
    let hidden = access.hidden;
    if hidden.is_empty() {
        return Some(0);
    }
    if hidden.len().saturating_mul(KEYS_COST) > access.counts[step] {
        return None;
    }
    let (at, is_rest) = match access.steps[step] {
        Step::Complement(operand) => (operand, true),
        _ => (step, false),
    };
    let Step::Index { index, keys, .. } = &access.steps[at] else { return None };
    let index = &collection.indexes()[*index];
    let has = |document: &Document| {
        let held = index.keys_of(collection.view(document), document.is_deleted());
        held.iter().any(|key| keys.contains(key.as_ref()))
    };
    let documents = hidden.ids().filter_map(|id| collection.document(id));
    Some(documents.filter(|document| has(document) != is_rest).count() as u64)
}

/// The documents that the access yields, without hidden ones; `spent` is told of each step. Error: `TIMEOUT`.
pub fn candidates<'c>(
    collection: &'c Collection,
    access: &'c Access<'_>,
    budget: &Budget<'_>,
    mut spent: Option<&mut Vec<Option<Spent>>>,
) -> Result<Ids<'c>> {
    let Some(root) = access.root else {
        return Ok(Ids::bitmap(collection.live()).without(access.hidden));
    };
    let needed = needed(access, root);
    let mut done: Vec<Option<Ids<'c>>> = Vec::with_capacity(root + 1);
    for (step, needed) in access.steps.iter().zip(needed) {
        if !needed {
            if let Some(spent) = &mut spent {
                spent.push(None);
            }
            done.push(None);
            continue;
        }
        budget.look()?;
        let began_us = budget.elapsed_us();
        let ids = taken(collection, access, step, &done);
        if let Some(spent) = &mut spent {
            let elapsed_us = budget.elapsed_us() - began_us;
            spent.push(Some(Spent { rows: ids.len(), elapsed_us }));
        }
        done.push(Some(ids));
    }
    Ok(done.pop().flatten().unwrap_or_default().without(access.hidden))
}

/// What a step yields, of what those before it did.
fn taken<'c>(
    collection: &'c Collection,
    access: &'c Access<'_>,
    step: &'c Step<'_>,
    done: &[Option<Ids<'c>>],
) -> Ids<'c> {
    let take = |at: &usize| done[*at].clone().unwrap_or_default();
    match step {
        Step::All => Ids::bitmap(collection.live()),
        Step::Nothing => Ids::default(),
        Step::Index { index, keys, .. } => {
            Ids::union_of(&collection.indexes()[*index].postings(keys))
        }
        Step::Born(test) => Ids::Bitmap(Cow::Owned(collection.born(&test.keys))),
        Step::Lapsing { keys, .. } => {
            Ids::Bitmap(Cow::Owned(collection.expiry().within(keys).collect()))
        }
        Step::Intersect(operands) => {
            let (kept, left_out) = split(access, operands);
            let ids = Ids::intersect(kept.iter().map(take).collect());
            left_out.iter().fold(ids, |ids, operand| ids.minus(take(operand)))
        }
        Step::Union(operands) => Ids::unite(operands.iter().map(take).collect()),
        Step::Complement(operand) => take(operand).complement(collection.live()),
        Step::Invalid => Ids::bitmap(&access.invalid),
        Step::Deleted => Ids::bitmap(collection.deleted()),
    }
}

/// The operands of an intersection that it keeps, at least one, and those of complements, which it leaves out: nobody has to
/// gather all that something is not.
fn split(access: &Access<'_>, operands: &[usize]) -> (Vec<usize>, Vec<usize>) {
    let (mut kept, mut left_out) = (Vec::new(), Vec::new());
    for operand in operands {
        match access.steps[*operand] {
            Step::Complement(inner) => left_out.push(inner),
            _ => kept.push(*operand),
        }
    }
    if kept.is_empty() && !operands.is_empty() {
        kept.push(operands[0]);
        left_out.remove(0);
    }
    (kept, left_out)
}

/// Which steps up to the root it takes: the planner leaves some behind that were not worth their while.
fn needed(access: &Access<'_>, root: usize) -> Vec<bool> {
    let mut needed = vec![false; root + 1];
    needed[root] = true;
    for at in (0..=root).rev() {
        if !needed[at] {
            continue;
        }
        if let Step::Intersect(operands) = &access.steps[at] {
            let (kept, left_out) = split(access, operands);
            kept.into_iter().chain(left_out).for_each(|operand| needed[operand] = true);
        } else {
            access.steps[at].operands().iter().for_each(|operand| needed[*operand] = true);
        }
    }
    needed
}
