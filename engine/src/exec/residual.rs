//! What an access leaves open, checked on each candidate: by a column where an index has one, else on the document.

use roaring::RoaringBitmap;

use super::budget::Budget;
use crate::collection::Collection;
use crate::error::Result;
use crate::index::{Column, DocId};
use crate::plan::Access;
use crate::query::{Filter, FilterNode};
use crate::value::KeyBuf;

/// The open nodes of a filter.
pub struct Residual<'c, 'q> {
    collection: &'c Collection,
    filter: Option<&'q Filter>,
    nodes: &'q [u32],
    /// For each node of the filter, the column that decides it.
    columns: Vec<Option<&'c Column>>,
    invalid: &'q RoaringBitmap,
    open: Vec<(u32, u32)>,
    key: KeyBuf,
}

impl<'c, 'q> Residual<'c, 'q> {
    /// What `access` leaves open.
    pub fn new(collection: &'c Collection, access: &'q Access<'q>) -> Self {
        let mut columns = Vec::new();
        if let Some(filter) = access.filter
            && !access.residual.is_empty()
        {
            columns.extend(filter.nodes.iter().map(|node| column_of(collection, node)));
        }
        Residual {
            collection,
            filter: access.filter,
            nodes: &access.residual,
            columns,
            invalid: &access.invalid,
            open: Vec::new(),
            key: KeyBuf::default(),
        }
    }

    /// Whether the document of `id` satisfies all of it. Error: `NOINDEX`.
    pub fn holds(&mut self, id: DocId, budget: &mut Budget) -> Result<bool> {
        let Some(filter) = self.filter else { return Ok(true) };
        let is_valid = !self.invalid.contains(id);
        let mut read = false;
        for node in self.nodes {
            let (columns, key, collection) = (&self.columns, &mut self.key, self.collection);
            let held = filter.decide(*node, &mut self.open, is_valid, &mut |at, leaf| {
                if let FilterNode::Test(test) = leaf
                    && let Some(exact) = columns[at as usize].and_then(|column| column.exact(id))
                {
                    return test.keys.contains(exact);
                }
                read = true;
                collection.document(id).is_some_and(|document| leaf.matches(document.view(), key))
            });
            if !held {
                budget.examine_if(read)?;
                return Ok(false);
            }
        }
        budget.examine_if(read)?;
        Ok(true)
    }
}

fn column_of<'c>(collection: &'c Collection, node: &FilterNode) -> Option<&'c Column> {
    let FilterNode::Test(test) = node else { return None };
    let index = collection
        .indexes()
        .iter()
        .find(|index| *index.path() == test.path && index.column().is_some());
    index.and_then(|index| index.column())
}
