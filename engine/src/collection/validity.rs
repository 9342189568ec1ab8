//! Which documents break a rule of their collection. Folio's own writes never make one: Redis's own commands, which no
//! module can refuse, bring them in.
//!
//! ```text
//!   breaking   the document does not keep to the declaration: known of each from its birth on
//!   sharing    it holds a value that has to be unique together with another that is not due: a question of the moment
//! ```

use roaring::RoaringBitmap;

use super::Collection;
use crate::doc::{Document, Parsed};
use crate::index::DocId;
use crate::schema::check;

impl Collection {
    /// The invalid documents, those that break the declaration and those that share a unique value; without due ones, as of
    /// the last [`Collection::lapse`]. O(breaking documents), and O(values) of each unique index that holds a conflict.
    pub fn invalid(&self) -> RoaringBitmap {
        let mut invalid = &self.breaking - self.due();
        for index in self.indexes.iter().filter(|index| index.conflicts() > 0) {
            for (key, posting) in index.each() {
                if key.is_absent() || posting.len() < 2 {
                    continue;
                }
                let holders: Vec<DocId> =
                    posting.ids().filter(|id| !self.due().contains(*id)).collect();
                if holders.len() > 1 {
                    invalid.extend(holders);
                }
            }
        }
        invalid
    }

    /// Whether the document of `id` breaks the declaration.
    pub(crate) fn is_breaking(&self, id: DocId) -> bool {
        self.breaking.contains(id)
    }

    /// Whether what was parsed keeps to the declaration.
    pub(crate) fn keeps(&self, parsed: &Parsed) -> bool {
        check::check(&self.definition, None, parsed.view(), parsed.huge_numbers()).is_ok()
    }

    /// Notes whether the document that stands under `id` now keeps to the declaration.
    pub(super) fn note(&mut self, id: DocId, keeps: bool) {
        if keeps {
            self.breaking.remove(id);
        } else {
            self.breaking.insert(id);
        }
    }

    /// Finds out and notes whether a document that nobody has judged keeps to the declaration.
    pub(super) fn judge_late(&mut self, id: DocId, document: &Document) {
        let keeps = check::check_stored(&self.definition, document).is_ok();
        self.note(id, keeps);
    }
}
