//! Aggregates: documents put into groups, and what reducers make of each.
//!
//! ```text
//!   candidates --> groups by their keys --> reducers add values --> rows --> HAVING, ORDER, LIMIT
//!                  by document, or from the postings of an index
//!                                           by document, or from columns
//! ```
//! `definition` is what is asked, `groups` and `reducer` are where it comes together, `folded` are functions as reducers, `bucket` and `sum` the arithmetic,
//! `way` decides whether documents are read, `columns` is the way past them, `rows` what is answered; `distinct` is
//! DOC.DISTINCT, and `explain` tells of both.

mod bucket;
mod call;
mod columns;
mod definition;
mod distinct;
mod explain;
mod folded;
mod groups;
mod reducer;
mod room;
mod rows;
mod sum;
mod way;

pub use definition::{Aggregate, Named, Request};
pub use distinct::{Distinct, distinct, profile_distinct};
pub use explain::{explain_aggregate, explain_distinct};

use roaring::RoaringBitmap;

use super::{Budget, Ids, Means, Profile, Residual, Spent, candidates};
use crate::collection::Collection;
use crate::doc::{DocRef, Document};
use crate::error::Result;
use crate::index::DocId;
use crate::limits::Limits;
use crate::plan::{self, Access, Step};
use crate::query::{Candidate, Fact, Meta, Source};
use crate::value::KeyBuf;
use columns::Columns;
use groups::Groups;
use room::Room;

/// The rows of an aggregate, each a JSON object. Documents count against `scan_max` where neither an index nor a column tells
/// what is asked of them, whatever chose them; a document that is read for a text in a row does not. Errors: `NOINDEX`, `LIMITED`, `OVERFLOW`, `TIMEOUT`.
pub fn aggregate<'m>(
    collection: &Collection,
    aggregate: &Aggregate,
    means: impl Into<Means<'m>>,
) -> Result<Vec<Box<[u8]>>> {
    Ok(run(collection, aggregate, means.into(), None)?.0)
}

/// The same, and what that took. Errors as of [`aggregate`].
pub fn profile_aggregate<'m>(
    collection: &Collection,
    aggregate: &Aggregate,
    means: impl Into<Means<'m>>,
) -> Result<Answer> {
    run(collection, aggregate, means.into(), Some(Vec::new()))
}

/// Rows or values as JSON text, and what they took.
type Answer = (Vec<Box<[u8]>>, Profile);

fn run(
    collection: &Collection,
    aggregate: &Aggregate,
    means: Means<'_>,
    mut spent: Option<Vec<Option<Spent>>>,
) -> Result<Answer> {
    let limits = means.limits;
    let access = plan::access_of(collection, aggregate.filter.as_ref(), aggregate.with_deleted);
    let mut room = Room::new(limits);
    let mut budget = Budget::new(!aggregate.scan, means);
    let candidates = candidates(collection, &access, &budget, spent.as_mut())?;
    let columns = Columns::choose(collection, aggregate, &access, &candidates, limits);
    let mut passed = candidates.len();
    let groups = if let Some(columns) = columns {
        columns.run(&mut budget, limits, &mut room)?
    } else {
        let sources = aggregate.reducers.iter().filter_map(|it| it.source.as_ref());
        let sources = sources.chain(aggregate.keys.iter().map(|it| &it.source));
        let mut reading = Reading::new(collection, &access, sources, &mut budget);
        let groups = by_documents(aggregate, &candidates, &mut reading, limits, &mut room)?;
        passed = reading.passed;
        groups
    };
    let rows = rows::rows(aggregate, groups.into_ordered(), limits, (&mut room, &budget))?;
    budget.look()?;
    Ok(told(rows, spent, (candidates.len(), passed), &budget))
}

/// An answer with what it took: candidates that were looked at, and those that passed.
fn told(
    rows: Vec<Box<[u8]>>,
    spent: Option<Vec<Option<Spent>>>,
    (checked, passed): (u64, u64),
    budget: &Budget<'_>,
) -> Answer {
    let profile = Profile {
        steps: spent.unwrap_or_default(),
        checked,
        passed,
        examined: budget.examined() as u64,
        rows: rows.len() as u64,
        elapsed_us: budget.elapsed_us(),
    };
    (rows, profile)
}

fn by_documents<'c, 'q>(
    aggregate: &'q Aggregate,
    candidates: &Ids<'_>,
    reading: &mut Reading<'c, '_, '_>,
    limits: &Limits,
    room: &mut Room,
) -> Result<Groups<'c, 'q>> {
    let mut groups = Groups::new(aggregate, limits, room)?;
    let (mut scratch, mut found) = (KeyBuf::default(), Vec::new());
    for id in candidates.ids() {
        let Some(mut row) = reading.row(id)? else { continue };
        let meter = reading.budget.meter();
        groups.of(&mut row, (&mut scratch, meter), &mut found, room)?;
        for (at, reducer) in aggregate.reducers.iter().enumerate() {
            let Some(source) = &reducer.source else {
                for group in &found {
                    if let reducer::State::Count(count) =
                        &mut groups.all[*group as usize].states[at]
                    {
                        *count += 1;
                    }
                }
                continue;
            };
            // Functions see no computed values, so none are looked up.
            let doc = row.document.view();
            source.each(&mut row, meter, |given| {
                if given.is_null() {
                    return Ok(());
                }
                found.iter().try_for_each(|group| {
                    meter.step(1)?;
                    let state = &mut groups.all[*group as usize].states[at];
                    reducer.add(source, state, &given, &mut scratch, (doc, meter), room)
                })
            })?;
        }
    }
    Ok(groups)
}

/// Reads the documents that satisfy what an access leaves open.
struct Reading<'c, 'r, 'm> {
    collection: &'c Collection,
    residual: Residual<'c, 'r>,
    budget: &'r mut Budget<'m>,
    /// The documents that break a rule, where somebody asks for them.
    invalid: RoaringBitmap,
    reads: bool,
    /// Documents that satisfied it so far.
    passed: u64,
}

/// A document that is read.
struct Row<'c> {
    collection: &'c Collection,
    id: DocId,
    document: &'c Document,
    is_valid: bool,
}

impl<'c, 'r, 'm> Reading<'c, 'r, 'm> {
    /// Nothing but a number of documents is wanted without any of `sources`.
    fn new<'s>(
        collection: &'c Collection,
        access: &'r Access<'r>,
        sources: impl Iterator<Item = &'s Source>,
        budget: &'r mut Budget<'m>,
    ) -> Self {
        let (mut reads, mut asks) = (false, false);
        for source in sources {
            reads = true;
            asks |= source.asks(Meta::Valid);
        }
        let invalid = if asks { collection.invalid() } else { RoaringBitmap::new() };
        let residual = Residual::new(collection, access);
        Reading { collection, residual, budget, invalid, reads, passed: 0 }
    }

    /// The document of `id`, if it is one of those asked for. Error: `NOINDEX`.
    fn row(&mut self, id: DocId) -> Result<Option<Row<'c>>> {
        let examined = self.budget.examined();
        if !self.residual.holds(id, self.budget)? {
            return Ok(None);
        }
        self.passed += 1;
        let is_read = self.budget.examined() > examined;
        self.budget.examine_if(self.reads && !is_read)?;
        let document = self.collection.document(id);
        let is_valid = !self.invalid.contains(id);
        Ok(document.map(|document| Row { collection: self.collection, id, document, is_valid }))
    }
}

impl<'c> Candidate<'c> for Row<'c> {
    fn doc(&mut self) -> DocRef<'c> {
        self.collection.view(self.document)
    }

    fn fact(&mut self, meta: Meta) -> Fact<'c> {
        if meta == Meta::Valid {
            return Fact::Bool(self.is_valid);
        }
        self.collection.fact(self.id, self.document, meta)
    }
}

/// Whether the candidates of an access are all documents.
fn is_all(access: &Access<'_>) -> bool {
    let is_all = access.root.is_none_or(|root| matches!(access.steps[root], Step::All));
    is_all && access.hidden.is_empty()
}

#[cfg(test)]
#[path = "aggregate_tests.rs"]
mod tests;
