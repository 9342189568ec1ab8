//! The values of a collection's computed fields: asked of functions once, when a document comes or changes, and kept beside the
//! table. So no question asks a function, an index loses what it was given, and threads that build indexes only read.
//!
//! ```text
//!   slots    one for each computed field; they stay where they are while documents have values for them
//!   values   by document: those of what is seen of it, which indexes hold
//! ```
//! A declaration to come adds slots of its own behind them, and at its end those that only the old one had are out of use.

use super::{Collection, Delta, Entered};
use crate::doc::computed::{Computed, Seen, Slot, compute};
use crate::doc::{DocRef, Document};
use crate::error::{Code, Error, Result};
use crate::index::{DocId, IdMap};
use crate::memory::Blocks;
use crate::schema::Definition;

/// The computed values of one document; none where no field is computed.
pub type Values = Option<Box<[u8]>>;

/// The computed values of a collection.
#[derive(Debug, Default)]
pub(super) struct ComputedFields {
    slots: Vec<Slot>,
    values: IdMap<Box<[u8]>>,
    /// Bytes of all values, as the allocator gives them.
    bytes: usize,
    blocks: Blocks,
}

impl ComputedFields {
    /// Of a declaration in force, without documents.
    pub fn of(definition: &Definition, blocks: Blocks) -> Self {
        ComputedFields { slots: definition.slots(), blocks, ..ComputedFields::default() }
    }

    /// The same fields without values.
    pub fn emptied(&self) -> Self {
        ComputedFields {
            slots: self.slots.clone(),
            blocks: self.blocks,
            ..ComputedFields::default()
        }
    }

    /// Whether no field is computed, by no declaration.
    pub fn is_unused(&self) -> bool {
        !self.slots.iter().any(Slot::is_used)
    }

    /// Whether the declaration to come sees other fields than the one in force.
    pub fn is_changing(&self) -> bool {
        self.slots.iter().any(|slot| slot.is_coming != slot.is_declared)
    }

    /// Whether the declaration to come has fields of its own.
    pub fn is_growing(&self) -> bool {
        self.slots.iter().any(|slot| slot.is_coming && !slot.is_declared)
    }

    /// The values of a document. Changes nothing.
    pub fn compute(&self, doc: DocRef<'_>, is_judging: bool) -> Values {
        (!self.is_unused()).then(|| compute(&self.slots, doc, is_judging))
    }

    /// Keeps the values of the document of `id`. Gives those that were there.
    pub fn set(&mut self, id: DocId, values: Values) -> Values {
        if self.slots.is_empty() {
            return None;
        }
        let blocks = self.blocks;
        let taken =
            |values: &Values| values.as_ref().map_or(0, |values| blocks.bytes(values.len()));
        self.bytes += taken(&values);
        let before = match values {
            Some(values) => self.values.insert(id, values),
            None => self.values.remove(id),
        };
        self.bytes -= taken(&before);
        before
    }

    /// `doc` with values that [`ComputedFields::compute`] gave, as the declaration in force sees it.
    pub fn view_with<'v>(&'v self, doc: DocRef<'v>, values: Option<&'v [u8]>) -> DocRef<'v> {
        doc.with_computed(values.map(|values| Computed::new(&self.slots, values)))
    }

    /// `doc` with the values that are kept of the document of `id`.
    pub fn view<'v>(&'v self, id: DocId, doc: DocRef<'v>) -> DocRef<'v> {
        if self.slots.is_empty() {
            return doc;
        }
        self.view_with(doc, self.values.get(id).map(|values| &**values))
    }

    /// Whether the declaration in force has computed fields.
    pub fn is_in_use(&self) -> bool {
        self.slots.iter().any(|slot| slot.is_declared)
    }

    /// How many documents have values.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether the values that are kept of the document of `id` are those that functions give, as far as they are in use.
    pub fn is_right(&self, id: DocId, seen: Option<&Document>) -> bool {
        let Some(seen) = seen.filter(|_| self.is_in_use()) else { return true };
        let values = self.compute(seen.view(), false);
        let (held, made) =
            (self.view(id, seen.view()), self.view_with(seen.view(), values.as_deref()));
        let is_same = |slot: &Slot| {
            let value = |doc: DocRef<'_>, seen| {
                doc.seen_by(seen).computed(&slot.path).map(|(value, _)| format!("{value:?}"))
            };
            !slot.is_declared || value(held, Seen::Declared) == value(made, Seen::Declared)
        };
        self.slots.iter().all(is_same)
    }

    /// A declaration is to come. A field that is computed by the same function in both has one slot.
    pub fn begin(&mut self, coming: &Definition) {
        for slot in coming.slots() {
            let is_same = |held: &&mut Slot| {
                held.is_declared
                    && held.path == slot.path
                    && held.function.name == slot.function.name
            };
            match self.slots.iter_mut().find(is_same) {
                Some(held) => held.is_coming = true,
                None => self.slots.push(Slot { is_declared: false, is_coming: true, ..slot }),
            }
        }
    }

    /// The declaration to come is in force, or was given up.
    ///
    /// Gives the values, which nobody reads any more, where no field is computed now.
    pub fn end(&mut self, is_in_force: bool) -> IdMap<Box<[u8]>> {
        for slot in &mut self.slots {
            if is_in_force {
                slot.is_declared = slot.is_coming;
            }
            slot.is_coming = false;
        }
        if !self.is_unused() {
            return IdMap::default();
        }
        (self.slots, self.bytes) = (Vec::new(), 0);
        std::mem::take(&mut self.values)
    }

    pub fn heap_bytes(&self) -> usize {
        self.values.heap_bytes(self.blocks) + self.bytes
    }
}

impl Collection {
    /// Whether any field is computed.
    pub fn has_computed(&self) -> bool {
        !self.computed.is_unused()
    }

    /// A document that stands in this collection, or is seen in its place, with its computed values. O(1).
    pub fn view<'c>(&'c self, document: &'c Document) -> DocRef<'c> {
        self.computed.view(document.id(), document.view())
    }

    /// What is seen of the document of `id`, with its computed values. O(1).
    pub fn view_of(&self, id: DocId) -> Option<DocRef<'_>> {
        self.document(id).map(|document| self.computed.view(id, document.view()))
    }

    /// The values that functions give of a document that is to be written, or has come.
    pub fn compute(&self, doc: DocRef<'_>, is_judging: bool) -> Values {
        self.computed.compute(doc, is_judging)
    }

    /// A document that is to be written, with the values that [`Collection::compute`] gave.
    pub fn view_with<'v>(&'v self, doc: DocRef<'v>, values: &'v Values) -> DocRef<'v> {
        self.computed.view_with(doc, values.as_deref())
    }

    /// The document that a prepared write is to put here.
    pub(crate) fn view_of_delta<'v>(&'v self, delta: &'v Delta) -> DocRef<'v> {
        self.view_with(delta.document.view(), &delta.computed)
    }

    /// The document of `id` as indexes have it: what is seen of it.
    pub(crate) fn entered<'c>(&'c self, held: &'c Document) -> Entered<'c> {
        let seen = self.seen(held);
        Entered { doc: self.view(seen), is_deleted: seen.is_deleted() }
    }
}

/// Whether a declaration may take the place of another, as far as it is about computed fields: what a path leads to is not
/// changed under those who ask meanwhile. Error: `SCHEMA`.
pub(crate) fn judge_coming(held: &Definition, coming: &Definition) -> Result<()> {
    for field in &coming.fields {
        let Some(before) = held.fields.iter().find(|before| before.path == field.path) else {
            continue;
        };
        if before.computed != field.computed {
            let what = "what it is COMPUTED by stays: DROP it first, or ADD another field";
            return Err(Error::new(Code::Schema, format!("field {}: {what}", field.path)));
        }
    }
    Ok(())
}

/// The view of a declaration that is being built.
pub(super) fn as_coming(entered: Entered<'_>) -> Entered<'_> {
    Entered { doc: entered.doc.seen_by(Seen::Coming), ..entered }
}
