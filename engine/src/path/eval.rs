//! Where a path leads in a document: the values, found by walking its text.
//!
//! The first step goes through the document's directory; each further one walks the text of the
//! value before it. A `[*]` keeps an iterator on a stack as deep as the path has `[*]`s; a path
//! without one needs no stack.

use smallvec::SmallVec;

use super::{Path, Step};
use crate::doc::DocRef;
use crate::doc::computed::Value;
use crate::value::raw::Elements;
use crate::value::{Kind, Raw};

/// The values that a path leads to, in the order of the document.
pub struct Values<'a, 'p> {
    steps: &'p [Step],
    /// The value to walk from, until it has been walked.
    start: Option<Raw<'a>>,
    /// For each `[*]` that was entered: the elements to come, and the step that each of them takes
    /// next.
    open: SmallVec<[(Elements<'a>, usize); 2]>,
    /// Elements that were walked over since somebody asked.
    walked: u32,
}

impl Values<'_, '_> {
    /// How many elements were walked over since this was asked last.
    pub fn take_walked(&mut self) -> u32 {
        std::mem::take(&mut self.walked)
    }
}

/// What a path begins at.
#[derive(Clone, Copy)]
pub enum Root<'a> {
    /// A document, whose members a directory finds.
    Document(DocRef<'a>),
    /// An element of an array.
    Element(Raw<'a>),
}

impl<'a> From<DocRef<'a>> for Root<'a> {
    fn from(doc: DocRef<'a>) -> Self {
        Root::Document(doc)
    }
}

/// Where the steps up to the next `[*]` lead.
enum Reached<'a> {
    Nothing,
    Value(Raw<'a>),
    /// An array, each of whose elements goes on at a step.
    Each(Elements<'a>, usize),
}

impl Path {
    /// Every value that the path leads to. O(bytes of the top-level member).
    pub fn values<'a, 'p>(&'p self, root: impl Into<Root<'a>>) -> Values<'a, 'p> {
        let (start, steps) = self.start(root.into());
        Values { steps, start, open: SmallVec::new(), walked: 0 }
    }

    /// The first value that the path leads to.
    pub fn first<'a>(&self, root: impl Into<Root<'a>>) -> Option<Raw<'a>> {
        let root = root.into();
        let (start, steps) = self.start(root);
        match walk(steps, 0, start?) {
            Reached::Nothing => None,
            Reached::Value(value) => Some(value),
            Reached::Each(..) => self.values(root).next(),
        }
    }

    /// The value to walk from, and the steps that are left.
    fn start<'a>(&self, root: Root<'a>) -> (Option<Raw<'a>>, &[Step]) {
        match (root, self.steps()) {
            (Root::Document(doc), [Step::Name(name), rest @ ..]) => match doc.computed(self) {
                None => (doc.member(name), rest),
                Some((Value::There(value), rest)) => (Some(value), rest),
                Some((Value::Missing | Value::Failed(_), rest)) => (None, rest),
            },
            (Root::Document(_), _) => (None, &[]),
            (Root::Element(element), steps) => (Some(element), steps),
        }
    }
}

impl<'a> Iterator for Values<'a, '_> {
    type Item = Raw<'a>;

    fn next(&mut self) -> Option<Raw<'a>> {
        let mut reached = match self.start.take() {
            Some(value) => walk(self.steps, 0, value),
            None => Reached::Nothing,
        };
        loop {
            match reached {
                Reached::Value(value) => return Some(value),
                Reached::Each(elements, next) => self.open.push((elements, next)),
                Reached::Nothing => {}
            }
            let (elements, next) = self.open.last_mut()?;
            self.walked += 1;
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
