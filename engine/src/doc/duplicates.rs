//! Repeated names: the names of the objects that a parser has open, and which members a later one
//! of the same name makes void.
//!
//! The names of all open objects lie on one stack; each object owns those from where it began. When
//! it closes they are judged, then dropped. Nearly always a 64-bit filter and a look at a dozen
//! hashes say that there is nothing to do. Large objects are judged by sorting, never by a table:
//! O(n log n) whatever the names are, so no choice of names that meet in their hashes makes it
//! slow.

use std::ops::Range;

use super::directory::name_hash;
use crate::value::raw::decode;

/// Up to this many names each pair of hashes is compared.
const PAIRS_MAX: usize = 32;

/// One name of an open object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name {
    pub hash: u32,
    /// Where its opening quote stands in the minified text.
    pub offset: u32,
    /// Its characters: in the input, or in the decoded ones if something in it was escaped.
    from: u32,
    len: u32,
    is_decoded: bool,
}

/// The names of all open objects, innermost last.
#[derive(Debug, Default)]
pub(super) struct Names {
    stack: Vec<Name>,
    decoded: Vec<u8>,
    /// What a later member of the same name makes void, as stretches of the minified text.
    void: Vec<Range<u32>>,
    /// Hash and position in the stack, for sorting.
    order: Vec<(u32, u32)>,
}

impl Names {
    /// Forgets all, and gives back what exceeds `entries_max`.
    pub fn clear(&mut self, entries_max: usize) {
        self.stack.clear();
        self.stack.shrink_to(entries_max);
        self.decoded.clear();
        self.decoded.shrink_to(entries_max);
        self.void.clear();
        self.void.shrink_to(entries_max);
        self.order.clear();
        self.order.shrink_to(entries_max);
    }

    /// How many names are held.
    pub fn len(&self) -> usize {
        self.stack.len()
    }

    /// The names held, outermost object first.
    pub fn held(&self) -> &[Name] {
        &self.stack
    }

    /// Adds the name whose inside is `range` of `input` and whose quote goes to `offset`; returns
    /// its hash.
    #[inline]
    pub fn push(
        &mut self,
        input: &[u8],
        range: Range<usize>,
        offset: usize,
        is_escaped: bool,
    ) -> u32 {
        let (from, len, hash) = if is_escaped {
            let from = self.decoded.len();
            decode(&input[range], &mut self.decoded);
            (from, self.decoded.len() - from, name_hash(&self.decoded[from..]))
        } else {
            (range.start, range.len(), name_hash(&input[range]))
        };
        self.stack.push(Name {
            hash,
            offset: offset as u32,
            from: from as u32,
            len: len as u32,
            is_decoded: is_escaped,
        });
        hash
    }

    /// Judges the names of the innermost object, those from `first` on.
    pub fn judge(&mut self, input: &[u8], first: usize) {
        if self.stack.len() - first <= PAIRS_MAX {
            self.judge_pairs(input, first);
        } else {
            self.judge_sorted(input, first);
        }
    }

    /// Drops the names from `first` on.
    pub fn truncate(&mut self, first: usize) {
        self.stack.truncate(first);
    }

    /// What is void, as stretches of the minified text in ascending order that may lie within each
    /// other.
    pub fn void(&mut self) -> &[Range<u32>] {
        self.void.sort_unstable_by_key(|range| range.start);
        &self.void
    }

    fn judge_pairs(&mut self, input: &[u8], first: usize) {
        for at in first..self.stack.len() {
            let name = self.stack[at];
            let is_void = self.stack[at + 1..].iter().any(|other| {
                other.hash == name.hash
                    && self.characters(input, *other) == self.characters(input, name)
            });
            if is_void {
                self.void.push(self.stretch(at));
            }
        }
    }

    fn judge_sorted(&mut self, input: &[u8], first: usize) {
        let mut order = std::mem::take(&mut self.order);
        let mut void = std::mem::take(&mut self.void);
        order.clear();
        order.extend((first..self.stack.len()).map(|at| (self.stack[at].hash, at as u32)));
        order.sort_unstable();
        let characters = |at: u32| self.characters(input, self.stack[at as usize]);
        for group in order.chunk_by_mut(|a, b| a.0 == b.0) {
            if group.len() > 1 {
                group.sort_unstable_by(|a, b| {
                    characters(a.1).cmp(characters(b.1)).then_with(|| a.1.cmp(&b.1))
                });
            }
            for pair in group.windows(2) {
                if characters(pair[0].1) == characters(pair[1].1) {
                    void.push(self.stretch(pair[0].1 as usize));
                }
            }
        }
        self.order = order;
        self.void = void;
    }

    /// The text of a member that is void, with its comma. It ends where the next member begins, and
    /// there is a next: the one that makes it void, or one before that.
    fn stretch(&self, at: usize) -> Range<u32> {
        self.stack[at].offset..self.stack[at + 1].offset
    }

    fn characters<'a>(&'a self, input: &'a [u8], name: Name) -> &'a [u8] {
        let bytes = if name.is_decoded { &self.decoded } else { input };
        &bytes[name.from as usize..(name.from + name.len) as usize]
    }
}
