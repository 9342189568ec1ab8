//! Key patterns, by the book: recursive, and in no hurry.

use std::collections::BTreeSet;

/// Whether the whole of `text` fits `pattern`.
pub fn fits(pattern: &[u8], text: &[u8]) -> bool {
    let Some(first) = pattern.first() else { return text.is_empty() };
    if *first == b'*' {
        return (0..=text.len()).any(|taken| fits(&pattern[1..], &text[taken..]));
    }
    let Some((byte, rest)) = text.split_first() else { return false };
    let (members, length) = item(pattern);
    members.contains(byte) && fits(&pattern[length..], rest)
}

/// The bytes that the first item of a pattern stands for, and its length. For bytes below 128 in ranges.
pub fn item(pattern: &[u8]) -> (BTreeSet<u8>, usize) {
    match pattern[0] {
        b'?' => ((0..=u8::MAX).collect(), 1),
        b'\\' if pattern.len() > 1 => ([pattern[1]].into(), 2),
        b'[' => class(pattern),
        literal => ([literal].into(), 1),
    }
}

fn class(pattern: &[u8]) -> (BTreeSet<u8>, usize) {
    let is_complement = pattern.get(1) == Some(&b'^');
    let mut at = if is_complement { 2 } else { 1 };
    let mut members = BTreeSet::new();
    while at < pattern.len() {
        let left = pattern.len() - at;
        if pattern[at] == b'\\' && left > 1 {
            members.insert(pattern[at + 1]);
            at += 2;
        } else if pattern[at] == b']' {
            at += 1;
            break;
        } else if left > 2 && pattern[at + 1] == b'-' {
            let (a, b) = (pattern[at], pattern[at + 2]);
            members.extend(a.min(b)..=a.max(b));
            at += 3;
        } else {
            members.insert(pattern[at]);
            at += 1;
        }
    }
    if is_complement {
        members = (0..=u8::MAX).filter(|byte| !members.contains(byte)).collect();
    }
    (members, at)
}
