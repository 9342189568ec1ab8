//! A set of document ids that costs what it holds: one id in place, a few in a short list, many in a bitmap.
//!
//! ```text
//!   One(7)            16 bytes in all        unique values
//!   Few([3, 9, 12])   + 16 + 4 a document    ascending, at most FEW_MAX
//!   Many(bitmap)      + about 2 a document, down to an eighth
//! ```
//! A posting is never empty; its owner drops it with its last id.

use roaring::RoaringBitmap;
use thin_vec::ThinVec;

use super::DocId;
use super::build::{Ids, id_of};
use crate::memory::Blocks;

/// Beyond this many ids a bitmap is smaller than a list: a bitmap begins at some 100 bytes.
const FEW_MAX: usize = 32;
/// At this many a bitmap becomes a list again; lower than the other way, so that nothing flutters.
const MANY_MIN: u64 = 16;

/// A set of ids with at least one member.
#[derive(Debug, Clone)]
pub enum Posting {
    /// One id.
    One(DocId),
    /// Two to `FEW_MAX` ids, ascending.
    Few(ThinVec<DocId>),
    /// More than that.
    Many(Box<RoaringBitmap>),
}

impl Posting {
    /// How many ids.
    pub fn len(&self) -> u64 {
        match self {
            Posting::One(_) => 1,
            Posting::Few(ids) => ids.len() as u64,
            Posting::Many(ids) => ids.len(),
        }
    }

    /// Never: an empty posting is dropped by its owner.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether `id` is in the set.
    pub fn contains(&self, id: DocId) -> bool {
        match self {
            Posting::One(only) => *only == id,
            Posting::Few(ids) => ids.binary_search(&id).is_ok(),
            Posting::Many(ids) => ids.contains(id),
        }
    }

    /// Adds `id`; false if it was there.
    pub fn insert(&mut self, id: DocId) -> bool {
        match self {
            Posting::One(only) => {
                if *only == id {
                    return false;
                }
                let mut ids = ThinVec::with_capacity(2);
                ids.push((*only).min(id));
                ids.push((*only).max(id));
                *self = Posting::Few(ids);
                true
            }
            Posting::Few(ids) => {
                let Err(at) = ids.binary_search(&id) else { return false };
                ids.insert(at, id);
                if ids.len() > FEW_MAX {
                    *self = Posting::Many(Box::new(ids.iter().copied().collect()));
                }
                true
            }
            Posting::Many(ids) => ids.insert(id),
        }
    }

    /// Takes `id` out. The owner asks [`Posting::is_last`] first: a posting cannot be empty.
    pub fn remove(&mut self, id: DocId) -> bool {
        match self {
            Posting::One(_) => false,
            Posting::Few(ids) => {
                let Ok(at) = ids.binary_search(&id) else { return false };
                ids.remove(at);
                if let [only] = ids.as_slice() {
                    *self = Posting::One(*only);
                } else if ids.len() <= ids.capacity() / 4 {
                    ids.shrink_to_fit();
                }
                true
            }
            Posting::Many(ids) => {
                let removed = ids.remove(id);
                if ids.len() <= MANY_MIN {
                    *self = Posting::Few(ids.iter().collect());
                }
                removed
            }
        }
    }

    /// Whether `id` is the only member.
    pub fn is_last(&self, id: DocId) -> bool {
        matches!(self, Posting::One(only) if *only == id)
    }

    /// The least id that is not `other`.
    pub fn other_than(&self, other: DocId) -> Option<DocId> {
        self.ids().find(|id| *id != other)
    }

    /// The ids, ascending.
    pub fn ids(&self) -> Box<dyn DoubleEndedIterator<Item = DocId> + '_> {
        match self {
            Posting::One(only) => Box::new(std::iter::once(*only)),
            Posting::Few(ids) => Box::new(ids.iter().copied()),
            Posting::Many(ids) => Box::new(ids.iter()),
        }
    }

    /// Bytes on the heap, about.
    pub fn heap_bytes(&self, blocks: Blocks) -> usize {
        match self {
            Posting::One(_) => 0,
            Posting::Few(ids) => blocks.bytes(16 + ids.capacity() * size_of::<DocId>()),
            Posting::Many(ids) => blocks.bytes(size_of::<RoaringBitmap>()) + blocks.bitmap(ids),
        }
    }

    /// Adds an id that is not below any other; false if it was there. Lists grow without end until [`Posting::finish`]: that
    /// costs far less than adding to bitmaps.
    pub fn push(&mut self, id: DocId) -> bool {
        match self {
            Posting::Few(ids) if ids.last() == Some(&id) => false,
            Posting::Few(ids) => {
                ids.push(id);
                true
            }
            _ => self.insert(id),
        }
    }

    /// Ends a row of [`Posting::push`]: ids take the place of numbers, and every form has the size it should, without room
    /// to grow.
    pub fn finish(&mut self, ids: Ids<'_>) {
        match self {
            Posting::One(only) => *only = id_of(ids, *only),
            Posting::Few(held) => {
                if ids.is_some() {
                    held.iter_mut().for_each(|number| *number = id_of(ids, *number));
                    held.sort_unstable();
                }
                if held.len() > FEW_MAX {
                    *self = Posting::of_sorted(held);
                } else {
                    held.shrink_to_fit();
                }
            }
            // Rows make none.
            Posting::Many(_) => {}
        }
    }

    /// A posting of `ids`, ascending and at least one.
    pub fn of_sorted(ids: &[DocId]) -> Self {
        match ids {
            [only] => Posting::One(*only),
            _ if ids.len() <= FEW_MAX => Posting::Few(ids.iter().copied().collect()),
            _ => Posting::Many(Box::new(
                RoaringBitmap::from_sorted_iter(ids.iter().copied()).expect("ids ascend"),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_posting_is_two_words() {
        assert_eq!(size_of::<Posting>(), 16);
    }

    proptest! {
        #[test]
        fn behaves_as_an_ordered_set(steps in prop::collection::vec((any::<bool>(), 0u32..80), 1..400)) {
            let mut posting = Posting::One(1000);
            let mut model = BTreeSet::from([1000u32]);
            for (add, id) in steps {
                if add {
                    prop_assert_eq!(posting.insert(id), model.insert(id));
                } else if !posting.is_last(id) {
                    prop_assert_eq!(posting.remove(id), model.remove(&id));
                }
                prop_assert_eq!(posting.len(), model.len() as u64);
                prop_assert_eq!(posting.contains(id), model.contains(&id));
            }
            prop_assert!(posting.ids().eq(model.iter().copied()));
            prop_assert!(posting.ids().rev().eq(model.iter().rev().copied()));
        }

        #[test]
        fn pushed_in_order_it_is_the_same(ids in prop::collection::btree_set(0u32..200_000, 1..100)) {
            let ids = Vec::from_iter(ids);
            let mut posting = Posting::One(ids[0]);
            for id in &ids {
                prop_assert_eq!(posting.push(*id), *id != ids[0]);
                prop_assert!(!posting.push(*id));
            }
            let mut other = posting.clone();
            posting.finish(None);
            prop_assert!(posting.ids().eq(ids.iter().copied()));
            prop_assert_eq!(matches!(posting, Posting::Many(_)), ids.len() > FEW_MAX);

            let turned: Vec<DocId> = (0..200_000).rev().collect();
            other.finish(Some(&turned));
            prop_assert!(other.ids().eq(ids.iter().rev().map(|id| 199_999 - id)));
        }
    }
}
