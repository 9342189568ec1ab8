//! The parts of strings that a substring index holds: three bytes in a row of their case-folded text.
//!
//! ```text
//!   "Tokyo"  folded  tokyo  parts  tok oky kyo      a text that holds `OKY` has the part oky
//! ```
//! What is within a text stays within it when both are folded (see `value::case`).
//! A document whose strings have no part, or that has none, stands under the missing value. One with more parts than
//! [`PARTS_MAX`] stands under [`LARGE`] alone, which every question asks for too: so no document costs more than that,
//! and none is lost, since what the index finds is always checked.

use crate::value::case::fold_into;
use crate::value::{Key, KeyBuf, KeyRef, KeySet};

/// Distinct parts of one document. A text of a million letters has some fifteen thousand.
pub const PARTS_MAX: usize = 1 << 15;
/// Under this key stand documents of more parts than that.
pub const LARGE: Key = Key::TRUE;

/// Bytes of a part.
pub(super) const PART_BYTES: usize = 3;

/// The parts of one document.
#[derive(Debug, Default)]
pub struct Grams {
    folded: Vec<u8>,
    /// The bytes of each as a number, with repeats until they are tidied up.
    parts: Vec<u32>,
    is_large: bool,
}

impl Grams {
    /// Forgets all parts.
    pub fn clear(&mut self) {
        self.parts.clear();
        self.is_large = false;
    }

    /// Adds those of a text. O(bytes), and no more memory than some times [`PARTS_MAX`].
    pub fn add(&mut self, text: &str) {
        if self.is_large {
            return;
        }
        let mut folded = std::mem::take(&mut self.folded);
        folded.clear();
        fold_into(text, &mut folded);
        for part in folded.windows(PART_BYTES) {
            self.parts.push(u32::from_be_bytes([0, part[0], part[1], part[2]]));
            if self.parts.len() == 4 * PARTS_MAX {
                self.tidy();
                if self.is_large {
                    break;
                }
            }
        }
        self.folded = folded;
    }

    fn tidy(&mut self) {
        self.parts.sort_unstable();
        self.parts.dedup();
        self.is_large = self.parts.len() > PARTS_MAX;
    }

    /// Shows `body` the key of each part, ascending, or the one that stands for them.
    pub fn keys(&mut self, buf: &mut KeyBuf, body: &mut impl FnMut(KeyRef<'_>)) {
        self.tidy();
        if self.is_large {
            body(LARGE.as_ref());
        } else if self.parts.is_empty() {
            body(Key::MISSING.as_ref());
        } else {
            for part in &self.parts {
                buf.set_string(&part.to_be_bytes()[1..]);
                body(buf.as_ref());
            }
        }
    }
}

/// The keys to ask for so that the documents that hold a folded `piece` are among those found under each: one set for each
/// part. None for a piece without parts.
pub fn asked(piece: &str) -> Option<Vec<KeySet>> {
    let mut grams = Grams::default();
    grams.add(piece);
    grams.tidy();
    if grams.parts.is_empty() || grams.is_large {
        return None;
    }
    let mut sets = Vec::with_capacity(grams.parts.len());
    grams.keys(&mut KeyBuf::default(), &mut |key| sets.push(KeySet::points([key.to_key(), LARGE])));
    Some(sets)
}
