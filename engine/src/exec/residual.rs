//! What an access leaves open, checked on each candidate: by an index that decides it, else on the document.

use roaring::RoaringBitmap;

use super::budget::Budget;
use super::decide::Decider;
use crate::collection::Collection;
use crate::doc::{DocRef, Document};
use crate::error::Result;
use crate::index::DocId;
use crate::plan::Access;
use crate::query::{Candidate, Fact, Filter, FilterNode, Meta, Test};
use crate::value::KeyBuf;

/// The open nodes of a filter.
pub struct Residual<'c, 'q> {
    collection: &'c Collection,
    filter: Option<&'q Filter>,
    nodes: &'q [u32],
    /// For each node of the filter, what decides it without the document.
    deciders: Vec<Option<Decider<'c>>>,
    invalid: &'q RoaringBitmap,
    key: KeyBuf,
}

impl<'c, 'q> Residual<'c, 'q> {
    /// What `access` leaves open.
    pub fn new(collection: &'c Collection, access: &'q Access<'q>) -> Self {
        let mut deciders = Vec::new();
        if let Some(filter) = access.filter
            && let Some(last) = access.residual.iter().max()
        {
            let candidates = access.expected(collection.live().len());
            deciders.resize_with(*last as usize + 1, || None);
            let mut open = access.residual.clone();
            while let Some(at) = open.pop() {
                open.extend(filter.nodes[at as usize].children());
                if let FilterNode::Test(test) = &filter.nodes[at as usize] {
                    deciders[at as usize] =
                        Decider::of(collection, test, candidates, access.hidden);
                }
            }
        }
        Residual {
            collection,
            filter: access.filter,
            nodes: &access.residual,
            deciders,
            invalid: &access.invalid,
            key: KeyBuf::default(),
        }
    }

    /// Has the processor fetch what tells of `ids`, before each is asked about.
    pub fn fetch(&self, ids: &[DocId]) {
        self.deciders.iter().flatten().for_each(|decider| decider.fetch(ids));
    }

    /// Whether the document of `id` satisfies all of it. Errors: `NOINDEX`, `TIMEOUT`.
    pub fn holds(&mut self, id: DocId, budget: &mut Budget<'_>) -> Result<bool> {
        let Some(filter) = self.filter else { return Ok(true) };
        let mut row = Row {
            collection: self.collection,
            id,
            deciders: &self.deciders,
            invalid: self.invalid,
            is_read: false,
        };
        let key = &mut self.key;
        let meter = budget.meter();
        let holds = self.nodes.iter().all(|node| filter.decide(*node, &mut row, key, meter));
        budget.examine_if(row.is_read)?;
        Ok(holds)
    }
}

/// A document of the collection, which is read only where no index tells.
struct Row<'c, 'r> {
    collection: &'c Collection,
    id: DocId,
    deciders: &'r [Option<Decider<'c>>],
    invalid: &'r RoaringBitmap,
    is_read: bool,
}

impl<'c> Row<'c, '_> {
    fn document(&mut self) -> Option<&'c Document> {
        self.is_read = true;
        self.collection.document(self.id)
    }
}

impl<'c> Candidate<'c> for Row<'c, '_> {
    fn doc(&mut self) -> DocRef<'c> {
        let collection = self.collection;
        self.document().map_or(DocRef::EMPTY, |document| collection.view(document))
    }

    fn fact(&mut self, meta: Meta) -> Fact<'c> {
        if meta == Meta::Valid {
            return Fact::Bool(!self.invalid.contains(self.id));
        }
        let Some(document) = self.document() else { return Fact::Missing };
        self.collection.fact(self.id, document, meta)
    }

    fn known(&mut self, node: u32, test: &Test) -> Option<bool> {
        self.deciders.get(node as usize)?.as_ref()?.holds(self.id, test)
    }
}
