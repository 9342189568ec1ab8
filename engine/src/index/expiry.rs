//! The order in which documents lapse, and the due ones: lapsed by the clock, not yet removed by the server.

use std::collections::BTreeSet;

use roaring::RoaringBitmap;

use super::DocId;
use super::idmap::IdMap;
use crate::memory::Blocks;

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

    /// When `id` lapses.
    pub fn time(&self, id: DocId) -> Option<i64> {
        self.times.get(id).copied()
    }

    /// The due documents: to be left out of every answer.
    pub fn due(&self) -> &RoaringBitmap {
        &self.due
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

#[cfg(test)]
mod tests {
    use super::*;

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
