//! Whether one document after the other satisfies a predicate, told by an index and without the document.
//!
//! ```text
//!   column     the head of the key lies within the ranges, or outside: nearly always
//!              it is where a range begins or ends: is the document among those of the keys there?  gathered when first asked
//!   postings   the document is under one of a few values, or not
//! ```

use std::cell::OnceCell;

use super::ids::Ids;
use crate::collection::{Collection, Hidden};
use crate::index::{Column, DocId, Index, Posting};
use crate::plan::{READ_WORTH, SMALL};
use crate::query::Test;
use crate::value::KeySet;

/// Decides a predicate.
pub enum Decider<'c> {
    /// By the heads of keys.
    Column {
        /// The heads.
        column: &'c Column,
        /// The index whose they are.
        index: &'c Index,
        /// Documents that satisfy the predicate by keys whose heads do not tell; none where there are too many of them.
        edges: OnceCell<Option<Ids<'c>>>,
        /// How many documents are asked about, at most.
        candidates: u64,
    },
    /// By looking under a few values.
    Postings {
        /// Those of the values.
        postings: Vec<&'c Posting>,
        /// What it means to be under one.
        holds: bool,
    },
}

impl<'c> Decider<'c> {
    /// What decides `test` of some `candidates` that are not `hidden`, if anything does.
    pub fn of(
        collection: &'c Collection,
        test: &Test,
        candidates: u64,
        hidden: Hidden<'_>,
    ) -> Option<Decider<'c>> {
        let path = test.path()?;
        let is_over =
            |index: &&Index| index.is_over(path, test.scalar) && hidden.leaves_whole(index);
        let over = || collection.indexes().iter().filter(is_over);
        if let Some(index) = over().find(|index| index.column().is_some()) {
            let column = index.column()?;
            return Some(Decider::Column { column, index, edges: OnceCell::new(), candidates });
        }
        let under = |keys: &KeySet, holds: bool| {
            let index = over().find(|index| index.answers(keys) && index.decides(keys))?;
            Some(Decider::Postings { postings: index.postings(keys), holds })
        };
        let rest = || (!path.is_multi()).then(|| test.keys.complement());
        under(&test.keys, true).or_else(|| under(&rest()?, false))
    }

    /// Has the processor fetch what tells of `ids`.
    pub fn fetch(&self, ids: &[DocId]) {
        if let Decider::Column { column, .. } = self {
            column.fetch(ids.iter().copied());
        }
    }

    /// Whether `test` holds of the document of `id`; not known where it has to be read.
    pub fn holds(&self, id: DocId, test: &Test) -> Option<bool> {
        match self {
            Decider::Postings { postings, holds } => {
                Some(postings.iter().any(|posting| posting.contains(id)) == *holds)
            }
            Decider::Column { column, index, edges, candidates } => {
                if let Some(key) = column.exact(id) {
                    return Some(test.keys.contains(key));
                }
                test.keys.contains_head(column.head(id)?).or_else(|| {
                    let edges = edges.get_or_init(|| edges_of(index, &test.keys, *candidates));
                    edges.as_ref().map(|edges| edges.contains(id))
                })
            }
        }
    }
}

/// The documents of an index that are among `keys` by a key whose head does not tell, unless reading `candidates` is better.
fn edges_of<'c>(index: &'c Index, keys: &KeySet, candidates: u64) -> Option<Ids<'c>> {
    let edges = keys.edges();
    let most = candidates.saturating_mul(READ_WORTH).max(SMALL);
    let is_worth = candidates > SMALL || index.count(&edges) <= most;
    is_worth.then(|| Ids::union_of(&index.postings(&edges)))
}
