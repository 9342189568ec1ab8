//! Writes that were refused: how many, and the last ones of each collection, which `DOC.INFO` tells.

use std::collections::{HashMap, VecDeque};

use folio_engine::store::{Placement, Store};

use crate::info::{ByCode, Coded};
use crate::{clock, state};

/// How many are kept of a collection.
const KEPT: usize = 10;
/// A message is cut behind so many characters.
const SHOWN: usize = 400;

static COUNTS: ByCode = ByCode::new();

/// A write that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    /// When, in milliseconds since 1970.
    pub(crate) at_ms: i64,
    /// The key that was to be written; what is no UTF-8 of it is replaced.
    pub(crate) key: String,
    /// Code and message. They may name the holder of a unique value, a document of the same collection.
    pub(crate) error: String,
}

/// The last refused writes of each collection, by its number; the newest last. A server's own: no file and no replica has them.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    of: HashMap<u32, VecDeque<Refused>>,
}

impl Refusals {
    /// Those of a collection, the newest first.
    pub(crate) fn of(&self, uid: u32) -> impl Iterator<Item = &Refused> {
        self.of.get(&uid).into_iter().flatten().rev()
    }

    fn keep(&mut self, uid: u32, refused: Refused, store: &Store) {
        if !self.of.contains_key(&uid) {
            // Collections that have gone leave nothing here.
            self.of.retain(|uid, _| store.collections().any(|there| there.uid() == *uid));
        }
        let kept = self.of.entry(uid).or_default();
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(refused);
    }
}

/// Counts a write that a constraint, a limit or malformed text refused.
pub(crate) fn count(error: &dyn Coded) {
    COUNTS.count(error);
}

/// Counts one, and keeps it where the key belongs to a collection that is there.
pub(crate) fn note(db: u32, key: &[u8], error: &dyn Coded) {
    count(error);
    state::with_logged(|state| {
        if let Ok(Placement::Known(uid)) = state.store.place(db, key) {
            let error = error.to_string().chars().take(SHOWN).collect();
            let key = String::from_utf8_lossy(key).into_owned();
            let refused = Refused { at_ms: clock::now_ms(), key, error };
            state.refusals.keep(uid, refused, &state.store);
        }
    });
}

/// How many writes were refused, by code.
pub(crate) fn by_code() -> &'static ByCode {
    &COUNTS
}

#[cfg(test)]
mod tests {
    use super::*;
    use folio_engine::schema::Definition;

    fn refused(at_ms: i64) -> Refused {
        Refused { at_ms, key: "users:1".into(), error: String::new() }
    }

    #[test]
    fn the_last_ten_are_kept_the_newest_first() {
        let (mut refusals, store) = (Refusals::default(), Store::new(1));
        (0..25).for_each(|at| refusals.keep(1, refused(at), &store));
        let times: Vec<i64> = refusals.of(1).map(|refused| refused.at_ms).collect();
        assert_eq!(times, (15..25).rev().collect::<Vec<_>>());
        assert_eq!(refusals.of(2).count(), 0);
    }

    #[test]
    fn nothing_is_kept_of_collections_that_have_gone() {
        let (mut refusals, mut store) = (Refusals::default(), Store::new(1));
        refusals.keep(u32::MAX, refused(0), &store);
        store.create(0, Definition::new("users")).expect("nothing is there");
        let uid = store.collection(0, "users").expect("it was made").uid();
        refusals.keep(uid, refused(1), &store);
        assert_eq!(refusals.of.len(), 1);
        assert_eq!(refusals.of(uid).count(), 1);
    }
}
