//! The order in which documents lapse, and the due ones: lapsed by the clock, not yet removed by the server.

use std::collections::BTreeSet;
use std::ops::Bound;

use roaring::RoaringBitmap;

use super::DocId;
use super::idmap::IdMap;
use crate::memory::Blocks;
use crate::query::Fact;
use crate::value::{KeyBuf, KeyRef, KeySet};

/// Times in milliseconds since 1970. A document is due when now is greater than its time, as with the server's keys.
#[derive(Debug, Default)]
pub struct Expiry {
    /// Those with a time that are not due.
    order: BTreeSet<(i64, DocId)>,
    times: IdMap<i64>,
    due: RoaringBitmap,
    /// The clock at the last look.
    seen_ms: i64,
}

impl Expiry {
    /// Sets the time of `id`, or takes it away. A due document is due no more. O(log n).
    pub fn set(&mut self, id: DocId, expires_ms: Option<i64>) {
        let before = match expires_ms {
            Some(time) => self.times.insert(id, time),
            None => self.times.remove(id),
        };
        if let Some(before) = before
            && !self.order.remove(&(before, id))
        {
            self.due.remove(id);
        }
        if let Some(time) = expires_ms {
            self.order.insert((time, id));
        }
    }

    /// Moves what has lapsed at `now_ms` to the due ones. O(lapsed · log n).
    pub fn lapse(&mut self, now_ms: i64) {
        if now_ms < self.seen_ms {
            self.unlapse(now_ms);
        }
        self.seen_ms = now_ms;
        while let Some(&(time, id)) = self.order.first()
            && time < now_ms
        {
            self.order.pop_first();
            self.due.insert(id);
        }
    }

    /// The clock was set back: what was due may live again, for the server too.
    fn unlapse(&mut self, now_ms: i64) {
        let due = std::mem::take(&mut self.due);
        for id in due {
            match self.times.get(id) {
                Some(&time) if time >= now_ms => {
                    self.order.insert((time, id));
                }
                _ => {
                    self.due.insert(id);
                }
            }
        }
    }

    /// The clock at the last look.
    pub fn seen_ms(&self) -> i64 {
        self.seen_ms
    }

    /// When `id` lapses.
    pub fn time(&self, id: DocId) -> Option<i64> {
        self.times.get(id).copied()
    }

    /// The due documents: to be left out of every answer.
    pub fn due(&self) -> &RoaringBitmap {
        &self.due
    }

    /// Those that are not due and have a time with a key among `keys`, in the order in which they lapse. O(log n) a range.
    pub fn within(&self, keys: &KeySet) -> impl Iterator<Item = DocId> {
        keys.ranges().iter().flat_map(|range| {
            let first = time_of_first(|key| range.is_above(key));
            let end = time_of_first(|key| !range.is_below(key));
            let from = first.map(|first| {
                let end = end.map_or(Bound::Unbounded, |end| Bound::Excluded((end, 0)));
                self.order.range((Bound::Included((first, 0)), end))
            });
            from.into_iter().flatten().map(|(_, id)| *id)
        })
    }

    /// How many documents have a time.
    pub fn len(&self) -> usize {
        self.order.len() + self.due.len() as usize
    }

    /// Whether none has.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of memory, about.
    pub fn heap_bytes(&self, blocks: Blocks) -> usize {
        // A node of the B-tree has room for 11 entries and two words, an inner one for 12 nodes more. Times that ascend, as
        // those of one TTL do, leave 6 entries in each leaf and one between two.
        let leaf = 11 * size_of::<(i64, DocId)>() + 2 * size_of::<usize>();
        let inner = leaf + 12 * size_of::<usize>();
        let leaves = self.order.len().div_ceil(7);
        leaves * blocks.bytes(leaf)
            + (leaves / 7) * blocks.bytes(inner)
            + self.times.heap_bytes(blocks)
            + blocks.bitmap(&self.due)
    }
}

/// The least time whose key is not `before`; none where all are. Keys ascend with times, though some share one.
fn time_of_first(before: impl Fn(KeyRef<'_>) -> bool) -> Option<i64> {
    let mut buf = KeyBuf::default();
    let mut is_before = |time: i64| {
        Fact::Instant(time).key(&mut buf);
        before(buf.as_ref())
    };
    if is_before(i64::MAX) {
        return None;
    }
    let (mut low, mut high) = (i64::MIN, i64::MAX);
    while low < high {
        // Rounded down, below zero too.
        let middle = (i128::from(low) + i128::from(high)).div_euclid(2) as i64;
        if is_before(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Some(low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Key, KeyRange};

    #[test]
    fn times_are_found_by_their_keys() {
        let mut expiry = Expiry::default();
        let times = [i64::MIN, -5, 0, 99, 100, 101, i64::MAX - 1, i64::MAX];
        for (id, time) in times.into_iter().enumerate() {
            expiry.set(id as DocId, Some(time));
        }
        let key = |time: i64| {
            let mut buf = KeyBuf::default();
            buf.set_instant(time, 0);
            buf.as_ref().to_key()
        };
        let found =
            |range: KeyRange| -> Vec<DocId> { expiry.within(&KeySet::range(range)).collect() };
        let all = KeyRange::all();
        assert_eq!(found(all.clone()), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(found(KeyRange::point(key(100))), [4]);
        assert_eq!(found(KeyRange::point(Key::MISSING)), [] as [DocId; 0]);
        assert_eq!(found(KeyRange { low: Key::STRING_MIN, ..all.clone() }), [] as [DocId; 0]);
        let above = KeyRange { low: key(100), low_included: false, ..all.clone() };
        assert_eq!(found(above), [5, 6, 7]);
        assert_eq!(found(KeyRange { high: key(100), ..all.clone() }), [0, 1, 2, 3]);
        // Of doubles these two are one.
        assert_eq!(found(KeyRange::point(key(i64::MAX - 1))), [6, 7]);
    }

    #[test]
    fn a_document_is_due_after_its_time_and_no_earlier() {
        let mut expiry = Expiry::default();
        expiry.set(1, Some(100));
        expiry.lapse(100);
        assert!(expiry.due().is_empty());
        expiry.lapse(101);
        assert!(expiry.due().contains(1));
    }

    #[test]
    fn a_clock_set_back_brings_documents_back() {
        let mut expiry = Expiry::default();
        expiry.set(1, Some(100));
        expiry.lapse(500);
        expiry.lapse(50);
        assert!(expiry.due().is_empty());
        expiry.lapse(101);
        assert!(expiry.due().contains(1));
    }

    #[test]
    fn a_new_time_or_none_takes_a_document_out_of_the_due() {
        let mut expiry = Expiry::default();
        expiry.set(1, Some(100));
        expiry.set(2, Some(100));
        expiry.lapse(500);
        expiry.set(1, Some(900));
        expiry.set(2, None);
        assert!(expiry.due().is_empty());
        assert_eq!((expiry.time(1), expiry.time(2), expiry.len()), (Some(900), None, 1));
    }
}
