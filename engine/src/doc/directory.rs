//! The table of a document's top-level names: for each member, in the order of the text, a hash of
//! its name and where in the text that name's opening quote stands.
//!
//! ```text
//!   text below 64 KiB    | hash 16 | offset 16 |   4 bytes a member
//!   otherwise            | hash 32 | offset 32 |   8 bytes a member       all little-endian
//! ```
//!
//! It is searched from front to back: documents have a dozen names, and a dozen entries lie in one
//! cache line. A hash that is met by chance costs one comparison of names, since names are compared
//! in any case. The hash is taken over the decoded name, so a name is found however it is escaped.
//! It lives in memory only: what is written to disk is the text, so the hash may change between
//! releases.

/// Texts from this length on have wide entries.
const WIDE_FROM: usize = 1 << 16;

/// A fixed multiplicative hash of a name, eight bytes a step. Not meant to withstand hostile names:
/// whoever needs bounded time must not count on hashes that differ.
#[inline]
pub(super) fn name_hash(name: &[u8]) -> u32 {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let length = name.len();
    let word = |at: usize| {
        u64::from_le_bytes(name[at..at + 8].try_into().expect("a slice of eight bytes"))
    };
    let half = |at: usize| {
        u64::from(u32::from_le_bytes(name[at..at + 4].try_into().expect("a slice of four bytes")))
    };
    let mut hash = length as u64;
    let last = match length {
        0 => 0,
        1..4 => {
            let byte = |at: usize| u64::from(name[at]);
            byte(0) << 16 | byte(length / 2) << 8 | byte(length - 1)
        }
        4..8 => half(0) << 32 | half(length - 4),
        _ => {
            // The last word may overlap the one before: every byte is in one of them.
            for at in (0..length - 8).step_by(8) {
                hash = (hash.rotate_left(29) ^ word(at)).wrapping_mul(FACTOR);
            }
            word(length - 8)
        }
    };
    let hash = (hash.rotate_left(29) ^ last).wrapping_mul(FACTOR);
    // The upper bits of a product depend on all bits below them.
    (hash >> 32) as u32
}

/// Appends to `bytes`, which hold the text and nothing else, the entries of `names` (hash and
/// offset).
pub(super) fn append(bytes: &mut Vec<u8>, names: impl ExactSizeIterator<Item = (u32, u32)>) {
    if bytes.len() < WIDE_FROM {
        bytes.reserve(names.len() * 4);
        for (hash, offset) in names {
            bytes.extend_from_slice(&(hash & 0xFFFF_0000 | offset).to_le_bytes());
        }
    } else {
        bytes.reserve(names.len() * 8);
        for (hash, offset) in names {
            bytes.extend_from_slice(&(u64::from(hash) << 32 | u64::from(offset)).to_le_bytes());
        }
    }
}

/// The offsets of the names whose hash is that of `name`: its own, if it is there, and those that
/// meet by chance.
pub(super) fn candidates<'a>(
    directory: &'a [u8],
    text_len: usize,
    name: &str,
) -> impl Iterator<Item = usize> + use<'a> {
    let hash = name_hash(name.as_bytes());
    let is_wide = text_len >= WIDE_FROM;
    let (narrow, wide) = if is_wide { (&[][..], directory) } else { (directory, &[][..]) };
    let narrow = narrow.chunks_exact(4).filter_map(move |entry| {
        let entry = u32::from_le_bytes(entry.try_into().expect("a chunk of four bytes"));
        (entry >> 16 == hash >> 16).then_some((entry & 0xFFFF) as usize)
    });
    let wide = wide.chunks_exact(8).filter_map(move |entry| {
        let entry = u64::from_le_bytes(entry.try_into().expect("a chunk of eight bytes"));
        (entry >> 32 == u64::from(hash)).then_some((entry & 0xFFFF_FFFF) as usize)
    });
    narrow.chain(wide)
}

/// The entries, which can be had by their place.
#[derive(Clone, Copy)]
pub(super) struct Entries<'a> {
    bytes: &'a [u8],
    is_wide: bool,
}

/// Those of a directory.
pub(super) fn entries(directory: &[u8], text_len: usize) -> Entries<'_> {
    Entries { bytes: directory, is_wide: text_len >= WIDE_FROM }
}

impl Entries<'_> {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.bytes.len() / if self.is_wide { 8 } else { 4 }
    }

    /// The upper 16 bits of a hash, which both forms have, and the offset.
    pub(super) fn get(&self, at: usize) -> Option<(u32, usize)> {
        if self.is_wide {
            let (entries, _) = self.bytes.as_chunks::<8>();
            let entry = u64::from_le_bytes(*entries.get(at)?);
            Some(((entry >> 48) as u32, (entry & 0xFFFF_FFFF) as usize))
        } else {
            let (entries, _) = self.bytes.as_chunks::<4>();
            let entry = u32::from_le_bytes(*entries.get(at)?);
            Some((entry >> 16, (entry & 0xFFFF) as usize))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_of_similar_names_differ() {
        let mut hashes: Vec<u32> = (0..10_000)
            .flat_map(|at| {
                [format!("{at}"), format!("name{at}"), format!("{at}-the-long-name-of-{at}")]
            })
            .map(|name| name_hash(name.as_bytes()))
            .collect();
        hashes.sort_unstable();
        hashes.dedup();
        assert!(hashes.len() > 29_990, "{} of 30000", hashes.len());
    }

    #[test]
    fn entries_are_narrow_below_64_kib() {
        for (length, entry) in [(WIDE_FROM - 1, 4), (WIDE_FROM, 8)] {
            let mut bytes = vec![b' '; length];
            let hash = name_hash(b"b");
            append(&mut bytes, [(1, 17), (hash, 0xFFFE), (2, 3)].into_iter());
            assert_eq!(bytes.len(), length + 3 * entry);
            let found: Vec<usize> = candidates(&bytes[length..], length, "b").collect();
            assert_eq!(found, [0xFFFE]);
        }
    }
}
