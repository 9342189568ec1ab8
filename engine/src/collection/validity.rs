//! Which documents break a rule of their collection. Folio's own writes never make one: Redis's own commands, which no
//! module can refuse, bring them in.
//!
//! ```text
//!   breaking   the document does not keep to the declaration: known of each from its birth on
//!   sharing    it holds a value that has to be unique together with another that is not due: a question of the moment
//! ```

use roaring::RoaringBitmap;

use super::{Collection, Keeps};
use crate::doc::computed::Seen;
use crate::doc::{DocRef, Document, Parsed};
use crate::index::{DocId, Index};
use crate::schema::{Definition, check};

impl Collection {
    /// The invalid documents, those that break the declaration, deleted ones among them, and those that share a unique value;
    /// without due ones, as of the last [`Collection::lapse`]. O(breaking documents), and O(values) of each unique index that holds a conflict.
    pub fn invalid(&self) -> RoaringBitmap {
        let mut invalid = &self.breaking - self.due();
        for index in &self.indexes {
            invalid |= self.sharing(index);
        }
        invalid
    }

    /// The documents that share a value which one alone may hold in `index`; without due ones. O(values) if there is a
    /// conflict.
    pub(super) fn sharing(&self, index: &Index) -> RoaringBitmap {
        let mut sharing = RoaringBitmap::new();
        if index.conflicts() == 0 {
            return sharing;
        }
        for (key, posting) in index.each() {
            if posting.len() < 2 || !index.claims(key.as_ref()) {
                continue;
            }
            let holders: Vec<DocId> =
                posting.ids().filter(|id| !self.due().contains(*id)).collect();
            if holders.len() > 1 {
                sharing.extend(holders);
            }
        }
        sharing
    }

    /// Whether the document of `id` breaks the declaration.
    pub(super) fn is_breaking(&self, id: DocId) -> bool {
        self.breaking.contains(id)
    }

    /// Whether what was parsed, with what is computed of it, keeps to the declarations.
    pub(crate) fn keeps(&self, doc: DocRef<'_>, parsed: &Parsed) -> Keeps {
        let keeps = |definition: &Definition, seen| {
            check::check(definition, None, doc.seen_by(seen), parsed.huge_numbers()).is_ok()
        };
        Keeps {
            declared: keeps(&self.definition, Seen::Declared),
            coming: self.coming().is_none_or(|coming| keeps(coming, Seen::Coming)),
        }
    }

    /// The same of a document that is stored, seen as `doc`.
    pub(crate) fn keeps_document(&self, document: &Document, doc: DocRef<'_>) -> Keeps {
        let keeps = |definition: &Definition, seen| {
            check::check_stored(definition, document, doc.seen_by(seen)).is_ok()
        };
        Keeps {
            declared: keeps(&self.definition, Seen::Declared),
            coming: self.coming().is_none_or(|coming| keeps(coming, Seen::Coming)),
        }
    }

    /// The same of what an update that was found in order makes of the document of `id`: it mends one that breaks a
    /// declaration, or leaves it as it is.
    pub(crate) fn keeps_updated(&self, id: DocId, doc: DocRef<'_>, parsed: &Parsed) -> Keeps {
        let held = self.keeps_held(id);
        if held.declared && held.coming { held } else { self.keeps(doc, parsed) }
    }

    /// The same of the document of `id` as it stands.
    pub(crate) fn keeps_held(&self, id: DocId) -> Keeps {
        let is_coming_broken = self.building.as_ref().is_some_and(|it| it.is_breaking(id));
        Keeps { declared: !self.breaking.contains(id), coming: !is_coming_broken }
    }

    /// Notes whether the document that stands under `id` now keeps to the declarations.
    pub(super) fn note(&mut self, id: DocId, keeps: Keeps) {
        if keeps.declared {
            self.breaking.remove(id);
        } else {
            self.breaking.insert(id);
        }
        if let Some(building) = &mut self.building {
            building.note(id, keeps.coming);
        }
    }

    /// Finds out and notes whether a document that nobody has judged keeps to the declaration.
    pub(super) fn judge_late(&mut self, id: DocId, document: &Document) {
        let keeps = self.keeps_document(document, self.computed.view(id, document.view()));
        self.note(id, keeps);
    }
}
