//! Sets of document ids in the making: a short list, or a bitmap, lent by an index as long as nothing is changed.

use std::borrow::Cow;

use roaring::{MultiOps, RoaringBitmap};
use smallvec::SmallVec;

use crate::collection::Hidden;
use crate::index::{DocId, Posting};

/// Ids whose columns are fetched at once: as many as the waits for memory that a processor overlaps, some times.
pub const BLOCK: usize = 64;

/// Operands up to this size are walked through in place of being combined bitwise.
const FEW_MAX: u64 = 64;

/// A set of ids.
#[derive(Debug, Clone)]
pub enum Ids<'a> {
    /// Some, ascending.
    Few(SmallVec<[DocId; 8]>),
    /// Many.
    Bitmap(Cow<'a, RoaringBitmap>),
}

impl Default for Ids<'_> {
    fn default() -> Self {
        Ids::Few(SmallVec::new())
    }
}

impl<'a> Ids<'a> {
    /// The set of a bitmap, not copied.
    pub fn bitmap(ids: &'a RoaringBitmap) -> Self {
        Ids::Bitmap(Cow::Borrowed(ids))
    }

    /// The set of a posting, not copied when it is large.
    fn of_posting(posting: &'a Posting) -> Self {
        match posting {
            Posting::One(only) => Ids::Few(SmallVec::from_elem(*only, 1)),
            Posting::Few(ids) => Ids::Few(ids.iter().copied().collect()),
            Posting::Many(ids) => Ids::bitmap(ids),
        }
    }

    /// What is in one of the postings. O(ids · log ids) for single ones, bitwise for large ones.
    pub fn union_of(postings: &[&'a Posting]) -> Self {
        if let [only] = postings {
            return Ids::of_posting(only);
        }
        let mut loose: Vec<DocId> = Vec::new();
        let mut bitmaps: Vec<&RoaringBitmap> = Vec::new();
        for posting in postings {
            match posting {
                Posting::One(only) => loose.push(*only),
                Posting::Few(ids) => loose.extend(ids.iter()),
                Posting::Many(ids) => bitmaps.push(ids),
            }
        }
        loose.sort_unstable();
        loose.dedup();
        if bitmaps.is_empty() && loose.len() as u64 <= FEW_MAX {
            return Ids::Few(loose.into());
        }
        let mut all = bitmaps.union();
        if !loose.is_empty() {
            all |= RoaringBitmap::from_sorted_iter(loose).expect("sorted just now");
        }
        Ids::Bitmap(Cow::Owned(all))
    }

    /// How many.
    pub fn len(&self) -> u64 {
        match self {
            Ids::Few(ids) => ids.len() as u64,
            Ids::Bitmap(ids) => ids.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether `id` is in the set.
    pub fn contains(&self, id: DocId) -> bool {
        match self {
            Ids::Few(ids) => ids.binary_search(&id).is_ok(),
            Ids::Bitmap(ids) => ids.contains(id),
        }
    }

    /// The ids, ascending.
    pub fn ids(&self) -> Box<dyn Iterator<Item = DocId> + '_> {
        match self {
            Ids::Few(ids) => Box::new(ids.iter().copied()),
            Ids::Bitmap(ids) => Box::new(ids.iter()),
        }
    }

    /// The ids, ascending, some at a time: so many that what is looked up for them can be fetched together.
    pub fn blocks(&self) -> impl Iterator<Item = SmallVec<[DocId; BLOCK]>> + '_ {
        let mut ids = self.ids();
        std::iter::from_fn(move || {
            let block: SmallVec<_> = ids.by_ref().take(BLOCK).collect();
            (!block.is_empty()).then_some(block)
        })
    }

    /// The ids from `first` on, ascending.
    pub fn from(&self, first: DocId) -> Box<dyn Iterator<Item = DocId> + '_> {
        match self {
            Ids::Few(ids) => Box::new(ids.iter().copied().filter(move |id| *id >= first)),
            Ids::Bitmap(ids) => Box::new(ids.range(first..)),
        }
    }

    /// The ids below `end`, descending.
    pub fn back_from(&self, end: DocId) -> Box<dyn Iterator<Item = DocId> + '_> {
        match self {
            Ids::Few(ids) => Box::new(ids.iter().copied().rev().filter(move |id| *id < end)),
            Ids::Bitmap(ids) => Box::new(ids.range(..end).rev()),
        }
    }

    /// How many ids are below `first`.
    pub fn before(&self, first: DocId) -> u64 {
        match (self, first.checked_sub(1)) {
            (_, None) => 0,
            (Ids::Few(ids), _) => ids.iter().filter(|id| **id < first).count() as u64,
            (Ids::Bitmap(ids), Some(last)) => ids.rank(last),
        }
    }

    fn into_bitmap(self) -> Cow<'a, RoaringBitmap> {
        match self {
            Ids::Few(ids) => Cow::Owned(ids.into_iter().collect()),
            Ids::Bitmap(ids) => ids,
        }
    }

    /// What is in all of them. O(smallest · operands), or bitwise.
    pub fn intersect(mut operands: Vec<Ids<'a>>) -> Self {
        operands.sort_by_key(Ids::len);
        let mut operands = operands.into_iter();
        let Some(first) = operands.next() else { return Ids::default() };
        operands.fold(first, |left, right| {
            if left.len() <= FEW_MAX {
                return Ids::Few(left.ids().filter(|id| right.contains(*id)).collect());
            }
            let (left, right) = (left.into_bitmap(), right.into_bitmap());
            Ids::Bitmap(Cow::Owned(left.as_ref() & right.as_ref()))
        })
    }

    /// What is in one of them.
    pub fn unite(operands: Vec<Ids<'a>>) -> Self {
        let bitmaps: Vec<Cow<'a, RoaringBitmap>> =
            operands.into_iter().map(Ids::into_bitmap).collect();
        Ids::Bitmap(Cow::Owned(bitmaps.iter().map(Cow::as_ref).union()))
    }

    /// What is in `all` and not in the set.
    #[must_use]
    pub fn complement(self, all: &RoaringBitmap) -> Self {
        Ids::Bitmap(Cow::Owned(all - self.into_bitmap().as_ref()))
    }

    /// What is in the set and not in the other.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        match self {
            _ if other.is_empty() => self,
            Ids::Few(mut ids) => {
                ids.retain(|id| !other.contains(*id));
                Ids::Few(ids)
            }
            Ids::Bitmap(ids) => {
                Ids::Bitmap(Cow::Owned(ids.as_ref() - other.into_bitmap().as_ref()))
            }
        }
    }

    /// The set without what is hidden.
    #[must_use]
    pub fn without(self, hidden: Hidden<'_>) -> Self {
        hidden.sets().fold(self, |ids, set| match ids {
            Ids::Few(mut ids) => {
                ids.retain(|id| !set.contains(*id));
                Ids::Few(ids)
            }
            Ids::Bitmap(Cow::Borrowed(ids)) => Ids::Bitmap(Cow::Owned(ids - set)),
            Ids::Bitmap(Cow::Owned(mut ids)) => {
                ids -= set;
                Ids::Bitmap(Cow::Owned(ids))
            }
        })
    }
}
