//! The sorted index: keys in order, each with its posting, in counted blocks.
//!
//! ```text
//!   blocks   [ 3 .. 17 | 18 .. 90 | 91 .. 400 ]       each up to BLOCK_MAX keys
//!   counts   [   812   |   1,204  |    655    ]       pairs of key and document in each
//!                 |
//!   block    heads     [18, 20, 21 ..]                searched first: one word a key
//!            tails     []                             filled once a key in the block has a tail
//!            postings  [One(4), Few(..), Many(..) ..]
//! ```
//! Look-up, insertion and removal cost O(log n) to find and O(`BLOCK_MAX`) to move. Counting a range reads one number for
//! each block in it and at most two blocks: a million keys have some ten thousand counts, one microsecond. A walk
//! goes through memory in order, either way.

use super::DocId;
use super::posting::Posting;
use super::size::Sample;
use crate::memory::{Blocks, release_room};
use crate::value::{Key, KeyRange, KeyRef};

/// Keys of one block; at twice this many moves the cost would show in insertions.
const BLOCK_MAX: usize = 128;
/// Keys by which the room of a block grows and shrinks.
const BLOCK_STEP: usize = BLOCK_MAX / 8;
/// Keys of a block that is laid down whole: the first insertions are not to split every block.
const BLOCK_FILL: usize = BLOCK_MAX * 7 / 8;

#[derive(Debug, Default)]
struct Block {
    heads: Vec<u64>,
    /// Empty while no key of the block has a tail, else one for each key.
    tails: Vec<Option<Box<[u8]>>>,
    postings: Vec<Posting>,
}

impl Block {
    fn with_room(keys: usize) -> Self {
        Block {
            heads: Vec::with_capacity(keys),
            tails: Vec::new(),
            postings: Vec::with_capacity(keys),
        }
    }

    fn len(&self) -> usize {
        self.heads.len()
    }

    fn key(&self, at: usize) -> KeyRef<'_> {
        let tail = self.tails.get(at).and_then(|tail| tail.as_deref());
        KeyRef { head: self.heads[at], tail }
    }

    /// The place of the first key that is not `before`.
    fn partition(&self, before: impl Fn(KeyRef<'_>) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if before(self.key(middle)) { low = middle + 1 } else { high = middle }
        }
        low
    }

    fn insert(&mut self, at: usize, key: KeyRef<'_>, posting: Posting) {
        if key.tail.is_some() && self.tails.is_empty() {
            self.tails.resize(self.heads.len(), None);
        }
        if self.heads.len() == self.heads.capacity() {
            // Doubling would leave blocks half empty for good.
            self.heads.reserve_exact(BLOCK_STEP);
            self.postings.reserve_exact(BLOCK_STEP);
        }
        if key.tail.is_some() || !self.tails.is_empty() {
            self.tails.insert(at, key.tail.map(Into::into));
        }
        self.heads.insert(at, key.head);
        self.postings.insert(at, posting);
    }

    fn remove(&mut self, at: usize) {
        self.heads.remove(at);
        self.postings.remove(at);
        if !self.tails.is_empty() {
            self.tails.remove(at);
        }
        if self.len() + 2 * BLOCK_STEP <= self.heads.capacity() {
            let keep = self.len() + BLOCK_STEP;
            self.heads.shrink_to(keep);
            self.tails.shrink_to(keep);
            self.postings.shrink_to(keep);
        }
    }

    fn split_off(&mut self, at: usize) -> Block {
        let tails = if self.tails.is_empty() { Vec::new() } else { self.tails.split_off(at) };
        Block { heads: self.heads.split_off(at), tails, postings: self.postings.split_off(at) }
    }

    fn append(&mut self, mut next: Block) {
        if !self.tails.is_empty() || !next.tails.is_empty() {
            self.tails.resize(self.heads.len(), None);
            next.tails.resize(next.heads.len(), None);
            self.tails.append(&mut next.tails);
        }
        self.heads.append(&mut next.heads);
        self.postings.append(&mut next.postings);
    }

    fn shrink(&mut self) {
        self.heads.shrink_to_fit();
        self.tails.shrink_to_fit();
        self.postings.shrink_to_fit();
    }

    fn count(&self) -> u64 {
        self.postings.iter().map(Posting::len).sum()
    }
}

/// A key's place: block, then slot.
type Place = (usize, usize);

/// Ordered entries.
#[derive(Debug, Default)]
pub struct SortedIndex {
    /// None of them empty.
    blocks: Vec<Block>,
    /// Pairs of key and document in each block.
    counts: Vec<u64>,
}

impl SortedIndex {
    /// Distinct keys. O(blocks).
    pub fn len(&self) -> usize {
        self.blocks.iter().map(Block::len).sum()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Where the first key stands that is not `before`: an existing place, or the end of the last block.
    fn partition(&self, before: impl Fn(KeyRef<'_>) -> bool) -> Place {
        let after = self.blocks.partition_point(|block| before(block.key(0)));
        let Some(block) = after.checked_sub(1) else { return (0, 0) };
        (block, self.blocks[block].partition(before))
    }

    /// The place of `key`, or where it belongs.
    fn find(&self, key: KeyRef<'_>) -> Result<Place, Place> {
        // The first block whose first key is not above `key`, then the first slot not below it.
        let after = self.blocks.partition_point(|block| block.key(0) <= key);
        let Some(block) = after.checked_sub(1) else { return Err((0, 0)) };
        let slot = self.blocks[block].partition(|held| held < key);
        let found = slot < self.blocks[block].len() && self.blocks[block].key(slot) == key;
        if found { Ok((block, slot)) } else { Err((block, slot)) }
    }

    /// The documents under `key`. O(log n).
    pub fn get(&self, key: KeyRef<'_>) -> Option<&Posting> {
        let (block, slot) = self.find(key).ok()?;
        Some(&self.blocks[block].postings[slot])
    }

    /// Adds a pair; the size of its posting then, or `None` if the pair was there.
    pub fn insert(&mut self, key: &Key, id: DocId) -> Option<u64> {
        match self.find(key.as_ref()) {
            Ok((block, slot)) => {
                let posting = &mut self.blocks[block].postings[slot];
                if !posting.insert(id) {
                    return None;
                }
                self.counts[block] += 1;
                Some(posting.len())
            }
            Err((block, slot)) => {
                if self.blocks.is_empty() {
                    self.blocks.push(Block::default());
                    self.counts.push(0);
                }
                self.blocks[block].insert(slot, key.as_ref(), Posting::One(id));
                self.counts[block] += 1;
                if self.blocks[block].len() > BLOCK_MAX {
                    self.split(block, slot);
                }
                Some(1)
            }
        }
    }

    /// Halves a full block; one that grew at the end of everything keeps its fill, as for values that only ascend.
    fn split(&mut self, block: usize, slot: usize) {
        let ascending = block + 1 == self.blocks.len() && slot == BLOCK_MAX;
        let at = if ascending { BLOCK_MAX } else { BLOCK_MAX / 2 };
        let right = self.blocks[block].split_off(at);
        self.blocks[block].shrink();
        let right_count = right.count();
        self.counts[block] -= right_count;
        self.blocks.insert(block + 1, right);
        self.counts.insert(block + 1, right_count);
    }

    /// Removes a pair; the size of its posting then, or `None` if the pair was not there.
    pub fn remove(&mut self, key: KeyRef<'_>, id: DocId) -> Option<u64> {
        let (block, slot) = self.find(key).ok()?;
        let posting = &mut self.blocks[block].postings[slot];
        if !posting.is_last(id) {
            if !posting.remove(id) {
                return None;
            }
            self.counts[block] -= 1;
            return Some(self.blocks[block].postings[slot].len());
        }
        self.blocks[block].remove(slot);
        self.counts[block] -= 1;
        if self.blocks[block].len() == 0 {
            self.blocks.remove(block);
            self.counts.remove(block);
            release_room(&mut self.blocks);
            release_room(&mut self.counts);
        } else {
            self.merge(block);
        }
        Some(0)
    }

    /// Joins a sparse block with the next or the previous one when both fit well into one.
    fn merge(&mut self, block: usize) {
        if self.blocks[block].len() > BLOCK_MAX / 4 {
            return;
        }
        let left = if block + 1 < self.blocks.len() { block } else { block.saturating_sub(1) };
        let right = left + 1;
        let fits = |blocks: &[Block]| blocks[left].len() + blocks[right].len() <= BLOCK_MAX / 2;
        if right < self.blocks.len() && fits(&self.blocks) {
            let next = self.blocks.remove(right);
            let count = self.counts.remove(right);
            release_room(&mut self.blocks);
            release_room(&mut self.counts);
            self.blocks[left].append(next);
            self.counts[left] += count;
        }
    }

    /// Adds a key above all others with its posting; [`SortedIndex::tighten`] follows the last.
    pub fn push(&mut self, key: KeyRef<'_>, posting: Posting) {
        let has_room = |block: &Block| block.len() < BLOCK_FILL;
        if !self.blocks.last().is_some_and(has_room) {
            self.tighten();
            self.blocks.push(Block::with_room(BLOCK_FILL));
            self.counts.push(0);
        }
        if let (Some(block), Some(count)) = (self.blocks.last_mut(), self.counts.last_mut()) {
            *count += posting.len();
            block.insert(block.len(), key, posting);
        }
    }

    /// Gives back the room that the last block does not use.
    pub fn tighten(&mut self) {
        if let Some(block) = self.blocks.last_mut() {
            block.shrink();
        }
    }

    /// The places where `range` begins and ends (exclusive).
    fn bounds(&self, range: &KeyRange) -> (Place, Place) {
        let begin = self.partition(|key| range.is_above(key));
        let end = self.partition(|key| !range.is_below(key));
        (begin, end)
    }

    /// How many pairs of key and document lie before a place.
    fn rank(&self, (block, slot): Place) -> u64 {
        let Some(partial) = self.blocks.get(block) else { return 0 };
        let whole: u64 = self.counts[..block].iter().sum();
        whole + partial.postings[..slot].iter().map(Posting::len).sum::<u64>()
    }

    /// How many pairs have a key within `range`. O(log n + blocks before it).
    pub fn count(&self, range: &KeyRange) -> u64 {
        let (begin, end) = self.bounds(range);
        self.rank(end).saturating_sub(self.rank(begin))
    }

    /// The entries within `range`, ascending; from the other end with `rev`.
    pub fn walk(&self, range: &KeyRange) -> Walk<'_> {
        let (begin, end) = self.bounds(range);
        Walk { index: self, begin, end: end.max(begin) }
    }

    /// Bytes of memory. O(keys).
    pub fn heap_bytes(&self, blocks: Blocks) -> usize {
        let of_block = |block: &Block| {
            let tails = block.tails.iter().flatten().map(|tail| blocks.bytes(tail.len()));
            let postings = block.postings.iter().map(|posting| posting.heap_bytes(blocks));
            blocks.vec(&block.heads)
                + blocks.vec(&block.tails)
                + blocks.vec(&block.postings)
                + tails.sum::<usize>()
                + postings.sum::<usize>()
        };
        self.blocks.iter().map(of_block).sum::<usize>()
            + blocks.vec(&self.blocks)
            + blocks.vec(&self.counts)
    }

    /// The same from a look at some blocks with about `sample` keys, evenly apart. `entries`: pairs of key and document.
    pub fn bytes_about(&self, entries: u64, sample: usize, blocks: Blocks) -> usize {
        let wanted = sample.div_ceil(BLOCK_MAX).max(1);
        if self.blocks.len() <= wanted {
            return self.heap_bytes(blocks);
        }
        let mut seen = Sample::default();
        let step = self.blocks.len() / wanted;
        let mut met = 0;
        for block in self.blocks.iter().step_by(step).take(wanted) {
            met += 1;
            seen.add_frame(blocks.vec(&block.heads));
            seen.add_frame(blocks.vec(&block.tails));
            seen.add_frame(blocks.vec(&block.postings));
            for (at, posting) in block.postings.iter().enumerate() {
                let tail = block.tails.get(at).and_then(Option::as_ref);
                seen.add(tail.map_or(0, |tail| blocks.bytes(tail.len())), posting, blocks);
            }
        }
        // As many in each block as in those that were met.
        let values = self.blocks.len() * seen.values() / met;
        seen.extrapolated(values, entries) + blocks.vec(&self.blocks) + blocks.vec(&self.counts)
    }

    /// Each broken invariant, in words: ascending keys, no empty block, counts that add up. O(keys).
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut before: Option<KeyRef<'_>> = None;
        for (at, block) in self.blocks.iter().enumerate() {
            if block.len() == 0 || block.len() > BLOCK_MAX || block.postings.len() != block.len() {
                faults.push(format!("sorted index: block {at} holds {} keys", block.len()));
            }
            if !block.tails.is_empty() && block.tails.len() != block.len() {
                faults.push(format!("sorted index: block {at} holds {} tails", block.tails.len()));
            }
            if self.counts.get(at) != Some(&block.count()) {
                faults.push(format!("sorted index: the count of block {at} is wrong"));
            }
            for slot in 0..block.len() {
                let key = block.key(slot);
                if before.is_some_and(|before| before >= key) {
                    faults.push(format!("sorted index: {key:?} does not ascend"));
                }
                before = Some(key);
            }
        }
        faults
    }
}

/// A walk over entries in order, from both ends.
#[derive(Debug, Clone)]
pub struct Walk<'a> {
    index: &'a SortedIndex,
    begin: Place,
    end: Place,
}

impl<'a> Walk<'a> {
    fn entry(&self, (block, slot): Place) -> (KeyRef<'a>, &'a Posting) {
        let block = &self.index.blocks[block];
        (block.key(slot), &block.postings[slot])
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = (KeyRef<'a>, &'a Posting);

    fn next(&mut self) -> Option<Self::Item> {
        let (block, slot) = self.begin;
        if slot == self.index.blocks.get(block)?.len() {
            self.begin = (block + 1, 0);
        }
        if self.begin >= self.end {
            return None;
        }
        let entry = self.entry(self.begin);
        self.begin.1 += 1;
        Some(entry)
    }
}

impl DoubleEndedIterator for Walk<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        if self.begin >= self.end {
            return None;
        }
        if self.end.1 == 0 {
            let block = self.end.0 - 1;
            self.end = (block, self.index.blocks[block].len());
            return self.next_back_within();
        }
        self.next_back_within()
    }
}

impl<'a> Walk<'a> {
    /// One step back inside a block, which may have been just entered.
    fn next_back_within(&mut self) -> Option<(KeyRef<'a>, &'a Posting)> {
        if self.begin >= self.end {
            return None;
        }
        self.end.1 -= 1;
        Some(self.entry(self.end))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    fn key(n: u16) -> Key {
        // Few heads and some tails, so that equal heads are common.
        let tail: Option<Box<[u8]>> =
            n.is_multiple_of(3).then(|| Box::from([(n >> 8) as u8, n as u8]));
        Key::new(u64::from(n / 4), tail)
    }

    fn range(low: u16, high: u16, ends: (bool, bool)) -> KeyRange {
        KeyRange { low: key(low), low_included: ends.0, high: key(high), high_included: ends.1 }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn behaves_as_an_ordered_map_of_sets(
            steps in prop::collection::vec((0u8..5, 0u16..1500, 0u32..40), 1..3000),
            ranges in prop::collection::vec((0u16..1500, 0u16..1500, any::<(bool, bool)>()), 20),
        ) {
            let mut index = SortedIndex::default();
            let mut model: BTreeMap<Key, BTreeSet<u32>> = BTreeMap::new();
            for (step, n, id) in steps {
                let key = key(n);
                if step < 3 {
                    let ids = model.entry(key.clone()).or_default();
                    let expected = ids.insert(id).then_some(ids.len() as u64);
                    prop_assert_eq!(index.insert(&key, id), expected);
                } else {
                    let removed = model.get_mut(&key).is_some_and(|ids| ids.remove(&id));
                    let left = model.get(&key).map_or(0, |ids| ids.len() as u64);
                    if left == 0 {
                        model.remove(&key);
                    }
                    prop_assert_eq!(index.remove(key.as_ref(), id), removed.then_some(left));
                }
            }
            prop_assert_eq!(index.faults(), Vec::<String>::new());
            prop_assert_eq!(index.len(), model.len());
            for (low, high, ends) in ranges {
                let range = range(low, high, ends);
                let within: Vec<_> = model.iter().filter(|(key, _)| range.contains(key.as_ref())).collect();
                let pairs: usize = within.iter().map(|(_, ids)| ids.len()).sum();
                prop_assert_eq!(index.count(&range), pairs as u64);
                let walked: Vec<Key> = index.walk(&range).map(|(key, _)| key.to_key()).collect();
                let expected: Vec<Key> = within.iter().map(|(key, _)| (*key).clone()).collect();
                prop_assert_eq!(&walked, &expected);
                let mut back: Vec<Key> = index.walk(&range).rev().map(|(key, _)| key.to_key()).collect();
                back.reverse();
                prop_assert_eq!(&back, &expected);
            }
        }
    }

    #[test]
    fn ascending_insertions_fill_their_blocks() {
        let mut index = SortedIndex::default();
        for n in 0..10_000u64 {
            index.insert(&Key::new(n, None), n as u32);
        }
        assert!(index.blocks.len() < 10_000 / BLOCK_MAX + 2, "{} blocks", index.blocks.len());
        assert_eq!(index.faults(), Vec::<String>::new());
    }
}
