//! How large an index is, about, from a look at a bounded part of it.
//!
//! Values are many and alike, but for a few that many documents share: a sample of the values tells what the many take, and
//! the number of entries that those leave over tells what the few take, however rarely a sample meets one.

use super::posting::Posting;
use crate::memory::Blocks;

/// What an entry takes in a bitmap, where the sample met none.
const ENTRY_BYTES: f64 = 2.0;

/// What was seen of the values of an index.
#[derive(Debug, Default)]
pub struct Sample {
    values: usize,
    /// Bytes of keys and short postings, and of what surrounds them.
    bytes: usize,
    entries: u64,
    /// The same of postings that are bitmaps.
    bitmap_bytes: usize,
    bitmap_entries: u64,
}

impl Sample {
    /// Counts a value: the bytes of its key on the heap, and its posting.
    pub fn add(&mut self, key_bytes: usize, posting: &Posting, blocks: Blocks) {
        self.values += 1;
        self.bytes += key_bytes;
        if let Posting::Many(_) = posting {
            self.bitmap_bytes += posting.heap_bytes(blocks);
            self.bitmap_entries += posting.len();
        } else {
            self.bytes += posting.heap_bytes(blocks);
            self.entries += posting.len();
        }
    }

    /// Counts bytes that surround the values counted.
    pub fn add_frame(&mut self, bytes: usize) {
        self.bytes += bytes;
    }

    /// How many values were counted.
    pub fn values(&self) -> usize {
        self.values
    }

    /// What `values` values with `entries` entries in all take.
    pub fn extrapolated(&self, values: usize, entries: u64) -> usize {
        if self.values == 0 {
            return 0;
        }
        let scale = values as f64 / self.values as f64;
        let shared = (entries as f64 - self.entries as f64 * scale).max(0.0);
        let each = match self.bitmap_entries {
            0 => ENTRY_BYTES,
            met => self.bitmap_bytes as f64 / met as f64,
        };
        (self.bytes as f64 * scale + shared * each) as usize
    }
}

#[cfg(test)]
mod tests {
    use crate::index::{SetIndex, SortedIndex};
    use crate::memory::Blocks;
    use crate::value::Key;

    /// Keys of texts, and the documents of each.
    fn filled(values: u32, documents: impl Fn(u32) -> u32) -> (SetIndex, SortedIndex, u64) {
        let (mut set, mut sorted) = (SetIndex::new(1), SortedIndex::default());
        let (mut id, mut entries) = (0, 0);
        for value in 0..values {
            let key = Key::new(u64::from(value), Some(vec![0_u8; 24].into()));
            for _ in 0..documents(value) {
                set.insert(key.as_ref(), id);
                sorted.insert(&key, id);
                (id, entries) = (id + 1, entries + 1);
            }
        }
        (set, sorted, entries)
    }

    /// How many documents have a value.
    type DocumentsOf = fn(u32) -> u32;

    #[test]
    fn a_bounded_look_comes_near_what_all_of_it_takes() {
        let blocks = Blocks::default();
        let shapes: [(u32, DocumentsOf); 4] = [
            (50_000, |_| 1),
            (20_000, |value| 1 + value % 7),
            (300, |_| 200),
            // A few values that most documents share.
            (30_000, |value| if value % 10_000 == 17 { 40_000 } else { 1 }),
        ];
        for (at, (values, documents)) in shapes.into_iter().enumerate() {
            let (set, sorted, entries) = filled(values, documents);
            for (about, all) in [
                (set.bytes_about(entries, 512, blocks), set.heap_bytes(blocks)),
                (sorted.bytes_about(entries, 512, blocks), sorted.heap_bytes(blocks)),
            ] {
                let ratio = about as f64 / all as f64;
                assert!((0.8..1.25).contains(&ratio), "shape {at}: {about} of {all}");
            }
        }
    }

    #[test]
    fn what_is_small_is_told_as_it_is() {
        let (set, sorted, entries) = filled(100, |value| 1 + value);
        let blocks = Blocks::default();
        assert_eq!(set.bytes_about(entries, 512, blocks), set.heap_bytes(blocks));
        assert_eq!(sorted.bytes_about(entries, 512, blocks), sorted.heap_bytes(blocks));
        let (set, sorted, entries) = filled(0, |_| 0);
        assert_eq!(set.bytes_about(entries, 512, blocks), 0);
        assert_eq!(sorted.bytes_about(entries, 512, blocks), 0);
    }
}
