//! The key of several values: one key whose order is the order of the values, first by the first, then by the next.
//!
//! Each value is written so that no value's bytes begin another's, and one after the other; the first eight bytes are the
//! head of the whole, the rest its tail:
//!
//! ```text
//!   head                  tail
//!   | head of the first | mark, its tail, end | head of the second | mark, its tail, end | ..
//!     8 bytes             0                                          0                       a value without a tail
//!                         1     ..     0 0                           1     ..     0 0        a zero within a tail is 0 1
//! ```
//! Of a value that goes downwards every byte is turned over, its head so that none becomes eight bytes of 255: so there is a
//! key above every tuple ([`Key::END`]), and bytes above all that begin with some others.

use super::key::{Key, KeyRef};
use super::range::KeyRange;

/// The mark of a value whose head is all of it.
const BARE: u8 = 0;
/// The mark of a value with a tail.
const TAILED: u8 = 1;
/// What a zero within a tail is followed by; the end is two zeros.
const ESCAPED: u8 = 1;

/// Writes a value behind those that `out` holds.
pub fn push(out: &mut Vec<u8>, key: KeyRef<'_>, is_descending: bool) {
    let from = out.len() + size_of::<u64>();
    out.extend_from_slice(&turned(key.head, is_descending).to_be_bytes());
    match key.tail {
        None => out.push(BARE),
        Some(tail) => {
            out.push(TAILED);
            for &byte in tail {
                out.push(byte);
                if byte == 0 {
                    out.push(ESCAPED);
                }
            }
            out.extend_from_slice(&[0, 0]);
        }
    }
    if is_descending {
        out[from..].iter_mut().for_each(|byte| *byte = !*byte);
    }
}

/// The key of the values that were written.
pub fn key(bytes: &[u8]) -> KeyRef<'_> {
    match bytes.split_first_chunk() {
        Some((head, tail)) => KeyRef { head: u64::from_be_bytes(*head), tail: Some(tail) },
        None => KeyRef { head: Key::MISSING.head(), tail: None },
    }
}

/// A head turned over: greater ones become less, and none becomes the greatest. Twice is once.
fn turned(head: u64, is_descending: bool) -> u64 {
    if is_descending { (u64::MAX - 1).saturating_sub(head) } else { head }
}

/// Whether a value of the tuple is missing or null. `descending` says which of its values go downwards. O(bytes).
pub fn has_absent(key: KeyRef<'_>, descending: impl Iterator<Item = bool>) -> bool {
    let (mut head, mut rest) = (key.head, key.tail.unwrap_or_default());
    for is_descending in descending {
        if turned(head, is_descending) <= Key::NULL.head() {
            return true;
        }
        let Some((next, behind)) = after_tail(rest, is_descending).split_first_chunk() else {
            return false;
        };
        (head, rest) = (u64::from_be_bytes(*next), behind);
    }
    false
}

/// What stands behind a mark and its tail.
fn after_tail(bytes: &[u8], is_descending: bool) -> &[u8] {
    let plain = |byte: u8| if is_descending { !byte } else { byte };
    let Some((&mark, bytes)) = bytes.split_first() else { return &[] };
    if plain(mark) == BARE {
        return bytes;
    }
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if plain(byte) != 0 {
            at += 1;
            continue;
        }
        if bytes.get(at + 1).is_none_or(|next| plain(*next) == 0) {
            return bytes.get(at + 2..).unwrap_or_default();
        }
        at += 2;
    }
    &[]
}

/// The keys of the tuples that begin with the values written to `prefix`.
pub fn starting(prefix: &[u8]) -> KeyRange {
    between(bound(prefix), after(prefix.to_vec()))
}

/// The keys of the tuples that begin with the values written to `prefix` and whose next value lies within `next`.
pub fn starting_within(prefix: &[u8], next: &KeyRange, is_descending: bool) -> KeyRange {
    let bytes = |key: &Key| {
        let mut bytes = prefix.to_vec();
        push(&mut bytes, key.as_ref(), is_descending);
        bytes
    };
    let mut ends = [(&next.low, next.low_included), (&next.high, next.high_included)];
    if is_descending {
        ends.reverse();
    }
    let [(low, low_included), (high, high_included)] = ends;
    let (low, high) = (bytes(low), bytes(high));
    between(
        if low_included { bound(&low) } else { after(low) },
        if high_included { after(high) } else { bound(&high) },
    )
}

fn between(low: Key, high: Key) -> KeyRange {
    KeyRange { low, low_included: true, high, high_included: false }
}

/// The least bound above all bytes that begin with `bytes`.
fn after(mut bytes: Vec<u8>) -> Key {
    while let Some(last) = bytes.pop() {
        if last < u8::MAX {
            bytes.push(last + 1);
            return bound(&bytes);
        }
    }
    Key::END
}

/// Bytes as an end of a range, perhaps cut within the head.
fn bound(bytes: &[u8]) -> Key {
    if let Some((head, tail)) = bytes.split_first_chunk() {
        return Key::new(u64::from_be_bytes(*head), Some(tail.into()));
    }
    let mut head = [0; 8];
    head[..bytes.len()].copy_from_slice(bytes);
    Key::new(u64::from_be_bytes(head), None)
}

#[cfg(test)]
#[path = "tuple_tests.rs"]
mod tests;
