//! An array by document id in which holes cost nothing.
//!
//! Ids only ascend, so a map from them is a window that moves on, with ever more holes behind. Sixty-four ids share
//! a chunk; a chunk holds the items that are there, packed, and a word that says which:
//!
//! ```text
//!   top: one slot for 65,536 ids        [ . | * | * ]
//!                                            |
//!   middle: a chunk for each 64     [ c0 | c1 | c2 .. ]
//!                                       |
//!   chunk    present 0b..0010_1101      items [a, b, c, d]      the third bit set is the third item
//! ```
//! Look-up: two steps and a population count. Insertion: a push, since ids ascend. Removal: moves at most 63 items.
//! Memory: the items, 32 bytes for 64 ids that were ever in use near live ones, and nothing for whole empty
//! middles. (The packed chunk is the node of a hash array mapped trie: Bagwell, "Ideal Hash Trees", 2001.)

use super::DocId;
use crate::memory::{Blocks, release_room};

/// What stands for 64 ids.
pub trait Chunk: Default {
    /// Which of the 64 are there, the lowest id in the lowest bit.
    fn present(&self) -> u64;
}

/// Chunks by number, in two levels that are freed when empty.
#[derive(Debug)]
pub struct Chunks<C> {
    middles: Vec<Vec<C>>,
}

impl<C> Default for Chunks<C> {
    fn default() -> Self {
        Chunks { middles: Vec::new() }
    }
}

/// Chunks of one middle: 1,024, so that a middle spans 65,536 ids.
const MIDDLE_CHUNKS: usize = 1024;

impl<C: Chunk> Chunks<C> {
    fn split(id: DocId) -> (usize, usize) {
        ((id >> 16) as usize, (id >> 6) as usize % MIDDLE_CHUNKS)
    }

    /// The chunk that `id` belongs to, if any of its ids was ever there.
    pub fn get(&self, id: DocId) -> Option<&C> {
        let (middle, chunk) = Self::split(id);
        self.middles.get(middle)?.get(chunk)
    }

    /// The chunk that `id` belongs to, for changing it.
    pub fn get_mut(&mut self, id: DocId) -> Option<&mut C> {
        let (middle, chunk) = Self::split(id);
        self.middles.get_mut(middle)?.get_mut(chunk)
    }

    /// The chunk that `id` belongs to, made if need be.
    pub fn get_or_make(&mut self, id: DocId) -> &mut C {
        let (middle, chunk) = Self::split(id);
        if self.middles.len() <= middle {
            self.middles.resize_with(middle + 1, Vec::new);
        }
        let chunks = &mut self.middles[middle];
        if chunks.len() <= chunk {
            chunks.resize_with(chunk + 1, C::default);
        }
        &mut chunks[chunk]
    }

    /// Frees what surrounds `id` if nothing is left there. Called when a chunk has become empty.
    pub fn release(&mut self, id: DocId) {
        let (middle, chunk) = Self::split(id);
        let Some(chunks) = self.middles.get_mut(middle) else { return };
        if let Some(chunk) = chunks.get_mut(chunk) {
            *chunk = C::default();
        }
        if chunks.iter().all(|chunk| chunk.present() == 0) {
            *chunks = Vec::new();
        }
    }

    /// Every chunk.
    pub fn iter(&self) -> impl Iterator<Item = &C> {
        self.middles.iter().flatten()
    }

    /// Every chunk with its number: what its ids divided by 64 are.
    fn numbered(&self) -> impl Iterator<Item = (DocId, &C)> {
        self.middles.iter().enumerate().flat_map(|(middle, chunks)| {
            let first = (middle * MIDDLE_CHUNKS) as DocId;
            chunks.iter().enumerate().map(move |(at, chunk)| (first + at as DocId, chunk))
        })
    }

    /// Bytes of the two levels themselves.
    pub fn frame_bytes(&self, blocks: Blocks) -> usize {
        let middles: usize = self.middles.iter().map(|chunks| blocks.vec(chunks)).sum();
        middles + blocks.vec(&self.middles)
    }
}

/// The bit of `id` in its chunk.
pub fn bit(id: DocId) -> u64 {
    1 << (id % 64)
}

/// The place of `id` among the items of its chunk, or where it would stand.
pub fn place(present: u64, id: DocId) -> usize {
    (present & (bit(id) - 1)).count_ones() as usize
}

/// Sixty-four items at most, packed.
#[derive(Debug)]
pub struct Packed<T> {
    present: u64,
    items: Vec<T>,
}

impl<T> Default for Packed<T> {
    fn default() -> Self {
        Packed { present: 0, items: Vec::new() }
    }
}

impl<T> Chunk for Packed<T> {
    fn present(&self) -> u64 {
        self.present
    }
}

/// A map from document id to `T`.
#[derive(Debug)]
pub struct IdMap<T> {
    chunks: Chunks<Packed<T>>,
}

impl<T> Default for IdMap<T> {
    fn default() -> Self {
        IdMap { chunks: Chunks::default() }
    }
}

impl<T> IdMap<T> {
    /// The item of `id`. O(1).
    pub fn get(&self, id: DocId) -> Option<&T> {
        let chunk = self.chunks.get(id)?;
        (chunk.present & bit(id) != 0).then(|| &chunk.items[place(chunk.present, id)])
    }

    /// Sets the item of `id`, and gives back the one before. O(1), at the end of the ids; else O(64).
    pub fn insert(&mut self, id: DocId, item: T) -> Option<T> {
        let before = id.checked_sub(1).and_then(|before| self.chunks.get(before));
        let is_dense = before.is_some_and(|chunk| chunk.present == u64::MAX);
        let chunk = self.chunks.get_or_make(id);
        if is_dense && chunk.present == 0 {
            // After a full chunk comes another one.
            chunk.items.reserve_exact(64);
        }
        let at = place(chunk.present, id);
        if chunk.present & bit(id) != 0 {
            return Some(std::mem::replace(&mut chunk.items[at], item));
        }
        chunk.present |= bit(id);
        chunk.items.insert(at, item);
        None
    }

    /// Takes the item of `id` out. O(64).
    pub fn remove(&mut self, id: DocId) -> Option<T> {
        let chunk = self.chunks.get_mut(id)?;
        if chunk.present & bit(id) == 0 {
            return None;
        }
        let item = chunk.items.remove(place(chunk.present, id));
        chunk.present &= !bit(id);
        release_room(&mut chunk.items);
        if chunk.present == 0 {
            self.chunks.release(id);
        }
        Some(item)
    }

    /// Shows `body` every chunk that has items: the first of its 64 ids, which of them are there, and their items.
    pub fn each_chunk(&self, mut body: impl FnMut(DocId, u64, &[T])) {
        for (number, chunk) in self.chunks.numbered() {
            if chunk.present != 0 {
                body(number * 64, chunk.present, &chunk.items);
            }
        }
    }

    /// Shows `body` every item, by id, until there is an error.
    pub fn try_each<E>(&self, mut body: impl FnMut(DocId, &T) -> Result<(), E>) -> Result<(), E> {
        for (number, chunk) in self.chunks.numbered() {
            let mut present = chunk.present;
            for item in &chunk.items {
                body(number * 64 + present.trailing_zeros(), item)?;
                present &= present - 1;
            }
        }
        Ok(())
    }

    /// How many items. O(chunks).
    pub fn len(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.items.len()).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of memory. O(chunks).
    pub fn heap_bytes(&self, blocks: Blocks) -> usize {
        let items: usize = self.chunks.iter().map(|chunk| blocks.vec(&chunk.items)).sum();
        items + self.chunks.frame_bytes(blocks)
    }

    /// The same from a look at the chunks of about `sample` ids, in middles evenly apart. O(sample / 64 + middles).
    pub fn bytes_about(&self, sample: usize, blocks: Blocks) -> usize {
        let chunks: usize = self.chunks.middles.iter().map(Vec::len).sum();
        let wanted = sample.div_ceil(64).max(1);
        if chunks <= wanted {
            return self.heap_bytes(blocks);
        }
        let filled = || self.chunks.middles.iter().filter(|middle| !middle.is_empty());
        let each = wanted.div_ceil(filled().count().max(1));
        let of_middle = |middle: &Vec<Packed<T>>| {
            let step = (middle.len() / each).max(1);
            let met = middle.iter().step_by(step);
            let (count, bytes) = met.fold((0, 0), |(count, bytes), chunk| {
                (count + 1, bytes + blocks.vec(&chunk.items))
            });
            bytes * middle.len() / count
        };
        filled().map(of_middle).sum::<usize>() + self.chunks.frame_bytes(blocks)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn behaves_as_a_map(steps in prop::collection::vec((0u8..3, 0u32..200_000, any::<u64>()), 1..300)) {
            let mut map = IdMap::default();
            let mut model = BTreeMap::new();
            for (step, id, item) in steps {
                let id = id % 300 + (id / 1000) * 1000;
                if step == 0 {
                    prop_assert_eq!(map.remove(id), model.remove(&id));
                } else {
                    prop_assert_eq!(map.insert(id, item), model.insert(id, item));
                }
                prop_assert_eq!(map.get(id), model.get(&id));
            }
            prop_assert_eq!(map.len(), model.len());
            let mut shown = Vec::new();
            let all: Result<(), ()> = map.try_each(|id, item| {
                shown.push((id, *item));
                Ok(())
            });
            prop_assert!(all.is_ok());
            prop_assert!(shown.into_iter().eq(model.iter().map(|(id, item)| (*id, *item))));
            for (id, item) in &model {
                prop_assert_eq!(map.get(*id), Some(item));
            }
        }
    }

    #[test]
    fn a_sparse_map_keeps_little_room() {
        let mut map = IdMap::default();
        for id in 0..64_000u32 {
            map.insert(id, 1u64);
        }
        for id in (0..64_000).filter(|id| id % 64 != 5) {
            map.remove(id);
        }
        let bytes = map.heap_bytes(Blocks::default());
        assert!(bytes < 1_000 * 64, "{bytes} bytes for one of each 64");
    }

    #[test]
    fn a_bounded_look_comes_near_all_bytes() {
        let blocks = Blocks::default();
        let mut map = IdMap::default();
        assert_eq!(map.bytes_about(64, blocks), 0);
        for id in (0..300_000).filter(|id| id % 3 != 0) {
            map.insert(id, u64::from(id));
        }
        let (about, all) = (map.bytes_about(1_000, blocks), map.heap_bytes(blocks));
        assert!((0.9..1.1).contains(&(about as f64 / all as f64)), "{about} of {all}");
        for id in 0..290_000 {
            map.remove(id);
        }
        let (about, all) = (map.bytes_about(1_000, blocks), map.heap_bytes(blocks));
        assert!((0.5..2.0).contains(&(about as f64 / all as f64)), "{about} of {all}");
    }

    #[test]
    fn memory_follows_the_live_window() {
        let mut map = IdMap::default();
        for id in 0..1_000_000u32 {
            map.insert(id, 1u64);
            if id >= 1000 {
                map.remove(id - 1000);
            }
        }
        let bytes = map.heap_bytes(Blocks::default());
        assert!(bytes < 100_000, "{bytes} bytes for 1,000 live of 1,000,000");
    }
}
