//! IF and IFVERSION of a write: decided by the engine and by the model on the document that is there.

use folio_engine::doc::Document;

use super::{Kind, World};

impl World {
    /// Whether a write to a key may be done, whose document is `old`: mostly it asks for nothing.
    pub(super) fn is_met(&mut self, key: &str, old: Option<&Document>) -> bool {
        if self.random.chance(15) {
            self.expect_version(key, old);
        }
        if !self.random.chance(15) {
            return true;
        }
        let (Some(filter), Some(text)) = self.filter() else { return true };
        self.lapse_all();
        let expected = self.model.find(Some(&filter), &[], None, self.now_ms).contains(&key);
        let found = old.is_some_and(|document| self.engine().holds(document, &text));
        assert_eq!(found, expected, "IF {text:?} of {key}, {:?}", self.schema);
        found
    }

    /// Whether a number that is computed is written otherwise, which is a change, only the store knows.
    pub(super) fn take_version(&mut self, key: &str) {
        if let Some(held) = self.model.get(key, self.now_ms) {
            self.versions.insert(held.version, self.space[key].document.version());
        }
    }

    /// What IFVERSION compares: a document has another version where it was changed, and nowhere else.
    fn expect_version(&mut self, key: &str, old: Option<&Document>) {
        let held = self.model.get(key, self.now_ms).map(|held| held.version);
        assert_eq!(held.is_some(), old.is_some(), "{key}");
        let Some((held, document)) = held.zip(old) else { return };
        let known = *self.versions.entry(held).or_insert(document.version());
        assert_eq!(document.version(), known, "the version of {key}");
        *self.counts.entry(Kind::Version).or_insert(0) += 1;
    }
}
