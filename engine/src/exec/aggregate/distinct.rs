//! DOC.DISTINCT: the values that a path leads to, each once.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::ControlFlow;

use super::room::Room;
use super::way::of_distinct;
use super::{Answer, Reading, is_all, told};
use crate::collection::{Collection, Hidden};
use crate::error::{Code, Error, Result};
use crate::exec::{Budget, Ids, Means, Spent, candidates};
use crate::index::{DocId, Index, Posting};
use crate::limits::Limits;
use crate::plan;
use crate::query::{self, Ast, Filter, Given, Meter, Scope, Source, Used, bind_part};
use crate::value::{Key, KeyBuf, KeyRef};

/// What is asked.
#[derive(Debug, Clone)]
pub struct Distinct {
    /// What is asked for, as it was written.
    pub name: Box<str>,
    /// Which documents.
    pub filter: Option<Filter>,
    /// Which values of theirs.
    pub source: Source,
    /// Whether to read any number of documents.
    pub scan: bool,
    /// Whether documents marked as deleted are among those asked for.
    pub with_deleted: bool,
}

impl Distinct {
    /// The values at `path`, or of metadata, in documents that `filter` holds of. Errors: `PATH`, `FILTER`, `TOOBIG`.
    pub fn bind(path: &str, filter: Option<&Ast>, scan: bool, scope: &Scope<'_>) -> Result<Self> {
        let subject = query::parse_subject(path, scope.limits)?;
        if let query::Subject::Path(path) = &subject {
            query::expect_declared(path, scope.definition)?;
        }
        let mut used = Used::new();
        let filter = filter.map(|ast| bind_part(ast, scope, &mut used));
        let filter = filter.transpose()?;
        scope.params.expect_used(&used)?;
        let source = Source::of(&subject, scope.definition);
        Ok(Distinct { name: subject.to_string().into(), filter, source, scan, with_deleted: false })
    }
}

/// The values, ascending, each as JSON text: of equal ones that of the earliest born document. Documents count against
/// `scan_max` as in an aggregate. Errors: `NOINDEX`, `LIMITED`, `TIMEOUT`.
pub fn distinct<'m>(
    collection: &Collection,
    distinct: &Distinct,
    means: impl Into<Means<'m>>,
) -> Result<Vec<Box<[u8]>>> {
    Ok(run(collection, distinct, means.into(), None)?.0)
}

/// The same, and what that took. Errors as of [`distinct`].
pub fn profile_distinct<'m>(
    collection: &Collection,
    distinct: &Distinct,
    means: impl Into<Means<'m>>,
) -> Result<Answer> {
    run(collection, distinct, means.into(), Some(Vec::new()))
}

fn run(
    collection: &Collection,
    distinct: &Distinct,
    means: Means<'_>,
    mut spent: Option<Vec<Option<Spent>>>,
) -> Result<Answer> {
    let limits = means.limits;
    let source = &distinct.source;
    let access = plan::access_of(collection, distinct.filter.as_ref(), distinct.with_deleted);
    let mut budget = Budget::new(!distinct.scan, means);
    let candidates = candidates(collection, &access, &budget, spent.as_mut())?;
    let mut scratch = KeyBuf::default();
    let mut values = Values { by_key: BTreeMap::new(), limits, room: Room::new(limits) };
    let mut passed = candidates.len();
    if let Ok(index) = of_distinct(collection, distinct, &access, limits) {
        let picked = (!is_all(&access)).then_some(&candidates);
        by_index(collection, source, (index, picked), &mut values, &budget)?;
    } else {
        let mut reading = Reading::new(collection, &access, std::iter::once(source), &mut budget);
        for id in candidates.ids() {
            let Some(mut row) = reading.row(id)? else { continue };
            source.each(&mut row, reading.budget.meter(), |given| {
                source.key(&given, &mut scratch);
                values.add(scratch.as_ref().to_key(), given).map(|_| ())
            })?;
        }
        passed = reading.passed;
    }
    let texts = values.texts();
    budget.look()?;
    Ok(told(texts, spent, (candidates.len(), passed), &budget))
}

/// Adds the keys of an index, each as the earliest born document among `picked` has it. Each document is walked once.
fn by_index<'c>(
    collection: &'c Collection,
    source: &Source,
    (index, picked): (&Index, Option<&Ids<'_>>),
    values: &mut Values<'c, '_>,
    budget: &Budget<'_>,
) -> Result<()> {
    let mut wanted: Vec<(DocId, Key)> = Vec::new();
    for (key, posting) in index.each() {
        budget.step()?;
        if let Some(id) = first_of(posting, picked).filter(|_| key != Key::MISSING) {
            values.room.take(size_of::<(DocId, Key)>() + key.heap_bytes())?;
            wanted.push((id, key));
        }
    }
    wanted.sort_unstable();
    let mut scratch = KeyBuf::default();
    for wanted in wanted.chunk_by(|a, b| a.0 == b.0) {
        let Some(mut doc) = wanted.first().and_then(|(id, _)| collection.view_of(*id)) else {
            continue;
        };
        let mut missing = wanted.len();
        let walked = source.walk(&mut doc, budget.meter(), |given| {
            source.key(&given, &mut scratch);
            let key = scratch.as_ref();
            if wanted.binary_search_by(|(_, wanted)| wanted.as_ref().cmp(&key)).is_ok() {
                match values.add(key.to_key(), given) {
                    Ok(is_new) => missing -= usize::from(is_new),
                    Err(error) => return ControlFlow::Break(Err(error)),
                }
            }
            if missing == 0 { ControlFlow::Break(Ok(())) } else { ControlFlow::Continue(()) }
        });
        walked.break_value().unwrap_or(Ok(()))?;
        budget.step()?;
    }
    Ok(())
}

/// Distinct values, the first of equals.
struct Values<'c, 'l> {
    by_key: BTreeMap<Key, Given<'c>>,
    limits: &'l Limits,
    room: Room,
}

impl<'c> Values<'c, '_> {
    /// Whether it is a new one.
    fn add(&mut self, key: Key, given: Given<'c>) -> Result<bool> {
        let count = self.by_key.len();
        let Entry::Vacant(entry) = self.by_key.entry(key) else { return Ok(false) };
        if count == self.limits.rows_max {
            let most = self.limits.rows_max;
            let what = format!("the answer exceeds the limit of {most} rows (folio.rows-max)");
            return Err(Error::new(Code::Limited, what));
        }
        let bytes = size_of::<(Key, Given<'_>)>() + entry.key().heap_bytes() + given.heap_bytes();
        self.room.take(bytes)?;
        entry.insert(given);
        Ok(true)
    }

    fn texts(self) -> Vec<Box<[u8]>> {
        let text = |given: Given<'_>| {
            let mut text = Vec::new();
            given.write(&mut text);
            text.into()
        };
        self.by_key.into_values().map(text).collect()
    }
}

/// The index that holds the values of `source`, under its type, in all documents that are not hidden.
pub(super) fn index_of<'c>(
    collection: &'c Collection,
    source: &Source,
    hidden: Hidden<'_>,
) -> Option<&'c Index> {
    let path = source.path()?;
    let holds = |index: &&Index| index.is_over(path, source.scalar()) && hidden.leaves_whole(index);
    collection.indexes().iter().find(holds)
}

/// The earliest born document of a posting, among some.
pub(super) fn first_of(posting: &Posting, picked: Option<&Ids<'_>>) -> Option<DocId> {
    posting.ids().find(|id| picked.is_none_or(|picked| picked.contains(*id)))
}

/// The value of a document that has a key, as its text has it.
pub(super) fn given_of<'c>(
    collection: &'c Collection,
    id: DocId,
    source: &Source,
    key: KeyRef<'_>,
    scratch: &mut KeyBuf,
    meter: &Meter<'_>,
) -> Option<Given<'c>> {
    let mut doc = collection.view_of(id)?;
    let walked = source.walk(&mut doc, meter, |given| {
        source.key(&given, scratch);
        if scratch.as_ref() == key {
            return ControlFlow::Break(given);
        }
        ControlFlow::Continue(())
    });
    walked.break_value()
}
