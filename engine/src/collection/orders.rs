//! Documents by orders that a collection keeps anyway: that of their births, which is that of their ids, and that in which
//! they lapse.

use std::ops::Range;

use roaring::RoaringBitmap;

use super::Collection;
use crate::index::{DocId, Expiry};
use crate::query::Fact;
use crate::value::{KeyBuf, KeyRange, KeyRef, KeySet};

impl Collection {
    /// The least id of those born after the birth number `seq`; ids ascend with birth. O(log documents).
    pub fn first_after(&self, seq: u64) -> DocId {
        let place = self.place_of_birth(|other| other <= seq);
        self.live.select(place).unwrap_or(DocId::MAX)
    }

    /// The least id of those born with the birth number `seq` or after. O(log documents).
    pub fn first_from(&self, seq: u64) -> DocId {
        let place = self.place_of_birth(|other| other < seq);
        self.live.select(place).unwrap_or(DocId::MAX)
    }

    /// How many documents have a birth number with a key among `keys`. O(ranges · log documents).
    pub fn count_born(&self, keys: &KeySet) -> u64 {
        keys.ranges().iter().map(|range| self.births(range).len() as u64).sum()
    }

    /// The documents that have a birth number with a key among `keys`. O(documents found).
    pub fn born(&self, keys: &KeySet) -> RoaringBitmap {
        let ids = keys.ranges().iter().flat_map(|range| {
            let places = self.births(range);
            let first = self.live.select(places.start).unwrap_or(DocId::MAX);
            self.live.range(first..).take(places.len())
        });
        ids.collect()
    }

    /// The order in which documents lapse.
    pub fn expiry(&self) -> &Expiry {
        &self.expiry
    }

    /// Places, in the order of birth, of the documents that have a birth number with a key within `range`.
    fn births(&self, range: &KeyRange) -> Range<u32> {
        let place = |before: &dyn Fn(KeyRef<'_>) -> bool| {
            let mut buf = KeyBuf::default();
            self.place_of_birth(|seq| {
                Fact::Count(seq).key(&mut buf);
                before(buf.as_ref())
            })
        };
        let start = place(&|key| range.is_above(key));
        start..place(&|key| !range.is_below(key)).max(start)
    }

    /// How many documents have a birth number that is `before`; those of the others are greater.
    fn place_of_birth(&self, mut before: impl FnMut(u64) -> bool) -> u32 {
        let seq_of = |at: u32| Some(self.documents.get(self.live.select(at)?)?.seq());
        let (mut low, mut high) = (0, self.live.len() as u32);
        while low < high {
            let middle = u32::midpoint(low, high);
            if seq_of(middle).is_some_and(&mut before) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}
