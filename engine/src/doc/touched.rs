//! What a new text of a document leaves as it was, found once for a write, which asks it for each field and each index.

use std::cell::OnceCell;

use super::{DocRef, directory};
use crate::path::{Path, Step};
use crate::value::Raw;

/// An old and a new text of a document.
#[derive(Debug)]
pub struct Touched<'d> {
    old: DocRef<'d>,
    new: DocRef<'d>,
    /// The bits of the top-level names whose members may differ. Found when somebody asks first.
    bits: OnceCell<u64>,
}

impl<'d> Touched<'d> {
    /// Looks at neither yet.
    pub fn between(old: DocRef<'d>, new: DocRef<'d>) -> Touched<'d> {
        Touched { old, new, bits: OnceCell::new() }
    }

    /// The old text.
    pub fn old_text(&self) -> DocRef<'d> {
        self.old
    }

    /// The new text.
    pub fn new_text(&self) -> DocRef<'d> {
        self.new
    }

    /// Whether the top-level members of the names that have these bits are surely the same text in both, or in neither. O(1);
    /// the first time O(bytes of both texts).
    pub fn spares(&self, bits: u64) -> bool {
        bits == 0 || self.bits.get_or_init(|| differing(self.old, self.new)) & bits == 0
    }

    /// Whether the top-level member that `path` leads into is the same text in both, or in neither. O(1) for most; else O(names),
    /// and the bytes of the member.
    pub fn leaves(&self, path: &Path) -> bool {
        let is_same = |name: &str| {
            let member = |doc: DocRef<'d>| doc.member(name).map(Raw::bytes);
            member(self.old) == member(self.new)
        };
        self.spares(path.bits())
            || matches!(path.steps().first(), Some(Step::Name(name)) if is_same(name))
    }
}

/// The bit that stands for a name: one of 64, which names share by chance.
pub fn bit_of(name: &str) -> u64 {
    bit(directory::name_hash(name.as_bytes()) >> 16)
}

fn bit(hash: u32) -> u64 {
    1 << (hash >> 10)
}

/// Members in the part that both texts begin with are the same, and so are those in the part that both end with.
fn differing(old: DocRef<'_>, new: DocRef<'_>) -> u64 {
    let (left, right) = (
        directory::entries(old.directory, old.text.len()),
        directory::entries(new.directory, new.text.len()),
    );
    let begin = common(old.text, new.text);
    let end = common_end(&old.text[begin..], &new.text[begin..]);
    // A member ends where the next one's name begins, or with the text.
    let is_before = |at: usize, entries: &directory::Entries<'_>, len: usize| {
        entries.get(at + 1).map_or(len, |(_, from)| from) <= begin
    };
    let fewer = left.len().min(right.len());
    let first = (0..fewer)
        .take_while(|&at| {
            left.get(at) == right.get(at)
                && is_before(at, &left, old.text.len())
                && is_before(at, &right, new.text.len())
        })
        .count();
    let last = (0..fewer - first)
        .take_while(|&back| {
            let from_end = |entries: &directory::Entries<'_>, len: usize| {
                entries.get(entries.len() - 1 - back).map(|(hash, from)| (hash, len - from))
            };
            let (left, right) = (from_end(&left, old.text.len()), from_end(&right, new.text.len()));
            left == right && left.is_some_and(|(_, length)| length <= end)
        })
        .count();
    let between = |entries: &directory::Entries<'_>| {
        let hashes = (first..entries.len() - last).filter_map(|at| entries.get(at));
        hashes.fold(0, |bits, (hash, _)| bits | bit(hash))
    };
    between(&left) | between(&right)
}

/// How many bytes two texts begin with in common.
fn common(a: &[u8], b: &[u8]) -> usize {
    let words = a.chunks_exact(8).zip(b.chunks_exact(8)).take_while(|(a, b)| a == b).count() * 8;
    words + a[words..].iter().zip(&b[words..]).take_while(|(a, b)| a == b).count()
}

/// How many bytes two texts end with in common.
fn common_end(a: &[u8], b: &[u8]) -> usize {
    let words = a.rchunks_exact(8).zip(b.rchunks_exact(8)).take_while(|(a, b)| a == b).count() * 8;
    let (a, b) = (&a[..a.len() - words], &b[..b.len() - words]);
    words + a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::super::testing::parsed;
    use super::*;

    /// What is surely the same, of these names.
    fn spared(old: &str, new: &str) -> Vec<&'static str> {
        let (old, new) = (parsed(old), parsed(new));
        let touched = Touched::between(old.view(), new.view());
        let names = ["a", "b", "c", "d"];
        for name in names {
            let same =
                old.view().member(name).map(Raw::bytes) == new.view().member(name).map(Raw::bytes);
            let path = Path::new(vec![Step::Name(name.into())]);
            assert_eq!(touched.leaves(&path), same, "{name}");
            assert!(same || !touched.spares(bit_of(name)), "{name}");
        }
        names.into_iter().filter(|name| touched.spares(bit_of(name))).collect()
    }

    #[test]
    fn members_that_stay_are_spared() {
        assert_eq!(
            spared(r#"{"a":1,"b":[1],"c":"x"}"#, r#"{"a":1,"b":[2],"c":"x"}"#),
            ["a", "c", "d"]
        );
        // The last member's text ends otherwise where another one follows.
        assert_eq!(spared(r#"{"a":1,"b":2}"#, r#"{"a":1,"b":2,"c":3}"#), ["a", "d"]);
        assert_eq!(spared(r#"{"a":1,"b":2,"c":3}"#, r#"{"a":1}"#), ["d"]);
        assert_eq!(spared("{}", "{}"), ["a", "b", "c", "d"]);
        assert_eq!(spared("{}", r#"{"a":1}"#), ["b", "c", "d"]);
        assert_eq!(spared(r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#), ["c", "d"]);
        assert_eq!(spared(r#"{"a":1,"b":2}"#, r#"{"a":1,"c":2}"#), ["a", "d"]);
        assert_eq!(spared(r#"{"\u0061":1,"b":2}"#, r#"{"\u0061":2,"b":2}"#), ["b", "c", "d"]);
        // What ends alike is not the same member where a name reaches into it.
        assert_eq!(spared(r#"{"a":"x","b":2}"#, r#"{"a\",\"b":2}"#), ["c", "d"]);
    }

    proptest! {
        #[test]
        fn what_is_spared_is_the_same(old in object(), new in object()) {
            // Which looks at each name of either, and panics where it is spared and not the same.
            spared(&old, &new);
        }
    }

    /// An object of few names and values, many of which look like parts of others.
    fn object() -> impl Strategy<Value = String> {
        let name = select(vec!["a", "b", "c", r#"x\",\"b"#, r"\u0061", ""]);
        let value = select(vec![
            "1",
            "11",
            r#""b""#,
            r#""\",\"b\":1""#,
            "{}",
            r#"{"b":1}"#,
            r#"[{"b":1}]"#,
        ]);
        vec((name, value), 0..5).prop_map(|members| {
            let member = |(name, value): (&str, &str)| format!("\"{name}\":{value}");
            let members: Vec<String> = members.into_iter().map(member).collect();
            format!("{{{}}}", members.join(","))
        })
    }

    #[test]
    fn long_texts_are_walked_too() {
        let text = |n: u32| format!("{{\"a\":\"{}\",\"b\":{n}}}", "x".repeat(70_000));
        assert_eq!(spared(&text(1), &text(2)), ["a", "c", "d"]);
        assert_eq!(spared(r#"{"a":1,"b":2}"#, &text(2)), ["b", "c", "d"]);
    }
}
