//! A filter decided on one document of a collection, with all that is known of it: the condition of a write.

use super::Means;
use crate::collection::Collection;
use crate::doc::{DocRef, Document};
use crate::error::Result;
use crate::query::{Candidate, Fact, Filter, Meta, Meter};
use crate::value::KeyBuf;

/// Whether `filter`, which is bound to the collection, holds of a document that stands in it. `_valid` costs what
/// [`Collection::invalid`] does.
/// Errors: `FUNCTION`, `TIMEOUT`.
pub fn holds(
    collection: &Collection,
    document: &Document,
    filter: &Filter,
    means: Means<'_>,
) -> Result<bool> {
    let mut one = One { collection, document };
    let meter = Meter::new(means.limits.query_ms_max, means.elapsed_us);
    let holds = filter.decide(filter.root(), &mut one, &mut KeyBuf::default(), &meter);
    meter.check().map(|()| holds)
}

struct One<'c> {
    collection: &'c Collection,
    document: &'c Document,
}

impl<'c> Candidate<'c> for One<'c> {
    fn doc(&mut self) -> DocRef<'c> {
        self.collection.view(self.document)
    }

    fn fact(&mut self, meta: Meta) -> Fact<'c> {
        let id = self.document.id();
        if meta == Meta::Valid {
            return Fact::Bool(!self.collection.invalid().contains(id));
        }
        self.collection.fact(id, self.document, meta)
    }
}
