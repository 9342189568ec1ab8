//! What a new text of a document leaves as it was, found in one walk over both: a write asks it for each field and each index.

use std::cell::OnceCell;

use smallvec::SmallVec;

use super::{DocRef, directory};
use crate::value::Raw;
use crate::value::raw::string_end;

/// So many members may differ before each question is answered by looking for the member.
const MEMBERS_MAX: usize = 4;

/// The names, as they stand in either text, of the top-level members that may differ. None where they are too many, or the texts
/// have other members or another order.
type Names<'d> = Option<SmallVec<[&'d [u8]; MEMBERS_MAX]>>;

/// An old and a new text of a document.
#[derive(Debug)]
pub struct Touched<'d> {
    old: DocRef<'d>,
    new: DocRef<'d>,
    /// Found when somebody asks first.
    names: OnceCell<Names<'d>>,
}

impl<'d> Touched<'d> {
    /// Looks at neither yet.
    pub fn between(old: DocRef<'d>, new: DocRef<'d>) -> Touched<'d> {
        Touched { old, new, names: OnceCell::new() }
    }

    /// The old text.
    pub fn old_text(&self) -> DocRef<'d> {
        self.old
    }

    /// The new text.
    pub fn new_text(&self) -> DocRef<'d> {
        self.new
    }

    /// Whether the top-level member of this name is surely the same text in both, or in neither. O(1); the first time
    /// O(bytes of both texts).
    pub fn spares(&self, name: &str) -> bool {
        // A name with an escape may be any.
        let may_be = |other: &&[u8]| *other == name.as_bytes() || other.contains(&b'\\');
        let names = self.names.get_or_init(|| differing(self.old, self.new));
        names.as_ref().is_some_and(|names| !names.iter().any(may_be))
    }

    /// Whether it is. O(names), and the bytes of the member.
    pub fn is_same(&self, name: &str) -> bool {
        let member = |doc: DocRef<'d>| doc.member(name).map(Raw::bytes);
        self.spares(name) || member(self.old) == member(self.new)
    }
}

fn differing<'d>(old: DocRef<'d>, new: DocRef<'d>) -> Names<'d> {
    let mut names = SmallVec::new();
    let (mut left, mut right) = (spans(old), spans(new));
    loop {
        let add = |names: &mut SmallVec<_>, spans: &[&'d [u8]]| {
            names.extend(spans.iter().map(|span| &span[1..string_end(span, 0) - 1]));
            names.len() <= MEMBERS_MAX
        };
        let fits = match (left.next(), right.next()) {
            (None, None) => return Some(names),
            (Some((_, span)), None) | (None, Some((_, span))) => add(&mut names, &[span]),
            (Some((left, _)), Some((right, _))) if left != right => false,
            (Some((_, left)), Some((_, right))) => left == right || add(&mut names, &[left, right]),
        };
        if !fits {
            return None;
        }
    }
}

/// The hash of each name, and the text from its quote to the next member's, or to the end.
fn spans(doc: DocRef<'_>) -> impl Iterator<Item = (u32, &[u8])> {
    let entries = || directory::entries(doc.directory, doc.text.len());
    let ends = entries().skip(1).map(|(_, from)| from).chain([doc.text.len()]);
    entries().zip(ends).map(|((hash, from), end)| (hash, &doc.text[from..end]))
}

#[cfg(test)]
mod tests {
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
            assert_eq!(touched.is_same(name), same, "{name}");
            assert!(same || !touched.spares(name), "{name}");
        }
        names.into_iter().filter(|name| touched.spares(name)).collect()
    }

    #[test]
    fn members_that_stay_are_told_by_one_walk() {
        assert_eq!(
            spared(r#"{"a":1,"b":[1],"c":"x"}"#, r#"{"a":1,"b":[2],"c":"x"}"#),
            ["a", "c", "d"]
        );
        // The last member's text ends otherwise where another one follows.
        assert_eq!(spared(r#"{"a":1,"b":2}"#, r#"{"a":1,"b":2,"c":3}"#), ["a", "d"]);
        assert_eq!(spared(r#"{"a":1,"b":2,"c":3}"#, r#"{"a":1}"#), ["d"]);
        assert_eq!(spared("{}", "{}"), ["a", "b", "c", "d"]);
        assert_eq!(spared("{}", r#"{"a":1}"#), ["b", "c", "d"]);
        assert_eq!(spared(r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#), [""; 0]);
        assert_eq!(spared(r#"{"a":1,"b":2}"#, r#"{"a":1,"c":2}"#), [""; 0]);
        assert_eq!(spared(r#"{"\u0061":1,"b":2}"#, r#"{"\u0061":2,"b":2}"#), [""; 0]);
        let many = |value: u32| {
            let members: Vec<String> = (0..5).map(|at| format!("\"m{at}\":{value}")).collect();
            format!("{{\"a\":1,{}}}", members.join(","))
        };
        assert_eq!(spared(&many(1), &many(2)), [""; 0]);
    }

    #[test]
    fn long_texts_are_walked_too() {
        let text = |n: u32| format!("{{\"a\":\"{}\",\"b\":{n}}}", "x".repeat(70_000));
        assert_eq!(spared(&text(1), &text(2)), ["a", "c", "d"]);
        assert_eq!(spared(r#"{"a":1,"b":2}"#, &text(2)), ["b", "c", "d"]);
    }
}
