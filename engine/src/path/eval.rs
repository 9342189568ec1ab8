//! Where a path leads in a document: the values, found by walking its text.
//!
//! The first step goes through the document's directory; each further one walks the text of the
//! value before it. A `[*]` keeps an iterator on a stack as deep as the path has `[*]`s; a path
//! without one needs no stack.

use smallvec::SmallVec;

use super::{Path, Step};
use crate::doc::DocRef;
use crate::value::raw::Elements;
use crate::value::{Kind, Raw};

/// The values that a path leads to, in the order of the document.
pub struct Values<'a, 'p> {
    steps: &'p [Step],
    /// The value of the first step, until it has been walked.
    start: Option<Raw<'a>>,
    /// For each `[*]` that was entered: the elements to come, and the step that each of them takes
    /// next.
    open: SmallVec<[(Elements<'a>, usize); 2]>,
}

/// Where the steps up to the next `[*]` lead.
enum Reached<'a> {
    Nothing,
    Value(Raw<'a>),
    /// An array, each of whose elements goes on at a step.
    Each(Elements<'a>, usize),
}

impl Path {
    /// Every value that the path leads to in `doc`. O(bytes of the top-level member).
    pub fn values<'a, 'p>(&'p self, doc: DocRef<'a>) -> Values<'a, 'p> {
        Values { steps: self.steps(), start: self.start(doc), open: SmallVec::new() }
    }

    /// The first value that the path leads to in `doc`.
    pub fn first<'a>(&self, doc: DocRef<'a>) -> Option<Raw<'a>> {
        match walk(self.steps(), 1, self.start(doc)?) {
            Reached::Nothing => None,
            Reached::Value(value) => Some(value),
            Reached::Each(..) => self.values(doc).next(),
        }
    }

    fn start<'a>(&self, doc: DocRef<'a>) -> Option<Raw<'a>> {
        match self.steps().first() {
            Some(Step::Name(name)) => doc.member(name),
            _ => None,
        }
    }
}

impl<'a> Iterator for Values<'a, '_> {
    type Item = Raw<'a>;

    fn next(&mut self) -> Option<Raw<'a>> {
        let mut reached = match self.start.take() {
            Some(value) => walk(self.steps, 1, value),
            None => Reached::Nothing,
        };
        loop {
            match reached {
                Reached::Value(value) => return Some(value),
                Reached::Each(elements, next) => self.open.push((elements, next)),
                Reached::Nothing => {}
            }
            let (elements, next) = self.open.last_mut()?;
            reached = if let Some(element) = elements.next() {
                walk(self.steps, *next, element)
            } else {
                self.open.pop();
                Reached::Nothing
            };
        }
    }
}

/// From `value` along the steps from the one at `next`, to the end or to a `[*]` over an array.
fn walk<'a>(steps: &[Step], next: usize, mut value: Raw<'a>) -> Reached<'a> {
    for (at, step) in steps.iter().enumerate().skip(next) {
        let inner = match step {
            Step::Name(name) => member(value, name),
            Step::Index(index) if value.kind() == Kind::Array => {
                value.elements().nth(*index as usize)
            }
            Step::Each if value.kind() == Kind::Array => {
                return Reached::Each(value.elements(), at + 1);
            }
            Step::Index(_) | Step::Each => None,
        };
        match inner {
            Some(inner) => value = inner,
            None => return Reached::Nothing,
        }
    }
    Reached::Value(value)
}

fn member<'a>(value: Raw<'a>, name: &str) -> Option<Raw<'a>> {
    if value.kind() != Kind::Object {
        return None;
    }
    value.members().find(|(known, _)| known.name_is(name)).map(|(_, member)| member)
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = concat!(
        r#"{"a":{"b":[10,[20,21],{"c":30}]},"i":[{"t":["x","y"]},{"t":[]},5,{"t":"z"},"#,
        r#"{"t":["w"]}],"e":[],"s":"text"}"#
    );

    fn with_doc<T>(json: &str, look: impl FnOnce(DocRef<'_>) -> T) -> T {
        look(crate::doc::testing::parsed(json).view())
    }

    fn values(path: &str) -> Vec<String> {
        let path = Path::parse(path, 8).unwrap();
        with_doc(JSON, |doc| {
            let texts = |raw: Raw<'_>| String::from_utf8(raw.bytes().to_vec()).unwrap();
            let values: Vec<String> = path.values(doc).map(texts).collect();
            assert_eq!(path.first(doc).map(texts), values.first().cloned());
            values
        })
    }

    #[test]
    fn single_paths_lead_to_one_value_or_none() {
        assert_eq!(values("s"), [r#""text""#]);
        assert_eq!(values("a.b[0]"), ["10"]);
        assert_eq!(values("a.b[1][1]"), ["21"]);
        assert_eq!(values("a.b[2].c"), ["30"]);
        for nothing in ["gone", "a.gone", "a.b[3]", "a[0]", "s.x", "s[0]", "a.b.c", "i.t"] {
            assert!(values(nothing).is_empty(), "{nothing}");
        }
    }

    #[test]
    fn each_leads_to_every_element() {
        assert_eq!(values("a.b[*]"), ["10", "[20,21]", r#"{"c":30}"#]);
        assert_eq!(values("a.b[*].c"), ["30"]);
        assert_eq!(values("a.b[*][1]"), ["21"]);
        assert_eq!(values("i[*].t[*]"), [r#""x""#, r#""y""#, r#""w""#]);
        assert_eq!(values("i[*].t[0]"), [r#""x""#, r#""w""#]);
        assert_eq!(values("a.b[*][*]"), ["20", "21"]);
        for nothing in ["e[*]", "s[*]", "gone[*]", "a[*]", "e[*][*]"] {
            assert!(values(nothing).is_empty(), "{nothing}");
        }
    }
}
