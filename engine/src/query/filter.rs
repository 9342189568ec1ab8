//! A filter whose constants have types: what is planned, and decided on documents.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::ast::Quantifier;
use super::called::Called;
use super::compute::Computed;
use super::meter::{Meter, Metered};
use super::operand::Meta;
use super::text::TextTest;
use super::wording::Wording;
use crate::doc::DocRef;
use crate::path::{Path, Root};
use crate::schema::types::Scalar;
use crate::value::raw::Elements;
use crate::value::{Key, KeyBuf, KeySet, Kind, Number, Raw};

/// A filter that is ready to be planned and to be decided on documents.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    /// Children before parents, the root last; never empty.
    pub nodes: Vec<FilterNode>,
}

/// One node; children are places in [`Filter::nodes`], each below the node's own.
#[derive(Debug, Clone, PartialEq)]
pub enum FilterNode {
    /// Every document.
    All,
    /// No document.
    Nothing,
    /// All of them hold.
    And(Vec<u32>),
    /// One of them holds.
    Or(Vec<u32>),
    /// It does not hold.
    Not(u32),
    /// A value has a key among some.
    Test(Test),
    /// What a string has to look like.
    Text(TextTest),
    /// An array has all of some elements.
    HasAll(HasAll),
    /// A value is of a JSON kind.
    Kind(KindTest),
    /// A comparison of what is read or computed.
    Computed(Computed),
    /// A loaded function says so.
    Called(Called),
    /// The filter below holds of an element of an array, or of all.
    Elements(ElementsTest),
}

/// What a predicate looks at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Place {
    /// What a path from the document leads to.
    Path(Path),
    /// What a path leads to from the element that `ANY .. WHERE` asks about.
    Element(Path),
    /// What is known of the document besides its text.
    Meta(Meta),
}

/// Some value at `place` has a key among `keys`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// What the predicate looks at.
    pub place: Place,
    /// The type under which values become keys.
    pub scalar: Scalar,
    /// The keys asked for; neither none nor all.
    pub keys: KeySet,
    /// The predicate in words, parameters replaced by their values, long lists cut short. For
    /// EXPLAIN.
    pub text: Wording,
    /// Whether another predicate that is joined to it says as much: it is there for an index.
    pub is_told: bool,
}

/// Some value at `place` is an array that has an element of each of the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HasAll {
    /// Where the array is.
    pub place: Place,
    /// The type under which elements become keys.
    pub scalar: Scalar,
    /// The keys asked for, ascending and each once; with none, any array will do.
    pub keys: Vec<Key>,
    /// The predicate as text, for EXPLAIN.
    pub text: Box<str>,
}

/// Some value at `place` is of a JSON kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindTest {
    /// What the predicate looks at.
    pub place: Place,
    /// The kind.
    pub kind: Kind,
    /// The predicate as text, for EXPLAIN.
    pub text: Box<str>,
}

/// Some value at `place` is an array, of which any element or all satisfy a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElementsTest {
    /// Where the array is.
    pub place: Place,
    /// Any, or all.
    pub quantifier: Quantifier,
    /// The root of the filter.
    pub body: u32,
    /// The array as text, for EXPLAIN.
    pub text: Box<str>,
}

/// What is known of a document besides its text.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact<'d> {
    /// Nothing.
    Missing,
    /// A key, or a part of one.
    Bytes(Cow<'d, [u8]>),
    /// A number that counts.
    Count(u64),
    /// Milliseconds since 1970.
    Instant(i64),
    /// Whether something is so.
    Bool(bool),
}

/// A document as it is asked, part by part.
pub trait Candidate<'d> {
    /// Its text.
    fn doc(&mut self) -> DocRef<'d>;

    /// What is known of it.
    fn fact(&mut self, meta: Meta) -> Fact<'d>;

    /// Whether the predicate at a place of the filter holds, where that is known without the document.
    fn known(&mut self, _node: u32, _test: &Test) -> Option<bool> {
        None
    }
}

/// A text of which nothing else is known; it counts as valid.
impl<'d> Candidate<'d> for DocRef<'d> {
    fn doc(&mut self) -> DocRef<'d> {
        *self
    }

    fn fact(&mut self, meta: Meta) -> Fact<'d> {
        if meta == Meta::Valid { Fact::Bool(true) } else { Fact::Missing }
    }
}

/// What a predicate is decided on: a candidate, or an element within it.
pub(super) struct Asked<'a, 'd> {
    pub(super) candidate: &'a mut dyn Candidate<'d>,
    pub(super) element: Option<Raw<'d>>,
    pub(super) meter: &'a Meter<'a>,
}

impl<'d> Asked<'_, 'd> {
    /// The path of a place, and what it begins at; none for metadata.
    pub(super) fn path<'p>(&mut self, place: &'p Place) -> Option<(&'p Path, Root<'d>)> {
        match place {
            Place::Path(path) => Some((path, Root::Document(self.candidate.doc()))),
            Place::Element(path) => Some((path, Root::Element(self.element?))),
            Place::Meta(_) => None,
        }
    }

    /// Whether `holds` does of some value that the place leads to; of metadata and of nothing it does not.
    pub(super) fn any(&mut self, place: &Place, mut holds: impl FnMut(Raw<'d>) -> bool) -> bool {
        let Some((path, root)) = self.path(place) else { return false };
        if path.is_multi() {
            self.meter.values(path.values(root)).any(holds)
        } else {
            path.first(root).is_some_and(&mut holds)
        }
    }
}

/// What a filter waits for while it is decided.
enum Open<'d, 'f, 'm> {
    /// A join or NOT, and which of its children comes next.
    Join(u32, u32),
    /// Elements that are being asked.
    Elements(Walk<'d, 'f, 'm>),
}

/// The arrays that a path leads to, and the elements of the one that is being asked.
struct Walk<'d, 'f, 'm> {
    quantifier: Quantifier,
    body: u32,
    arrays: Metered<'d, 'f, 'm>,
    elements: Option<Elements<'d>>,
    /// The element that the walk itself begins at.
    outer: Option<Raw<'d>>,
}

impl<'d> Walk<'d, '_, '_> {
    /// The next element to ask, or the answer. `held` is what the last one said.
    fn next(&mut self, held: Option<bool>) -> Result<Raw<'d>, bool> {
        match (self.quantifier, held) {
            (Quantifier::Any, Some(true)) => return Err(true),
            // This array is out; another may do.
            (Quantifier::All, Some(false)) => self.elements = None,
            _ => {}
        }
        loop {
            if let Some(elements) = &mut self.elements {
                match elements.next() {
                    Some(element) => return Ok(element),
                    None if self.quantifier == Quantifier::All => return Err(true),
                    None => {}
                }
            }
            let array = self.arrays.by_ref().find(|value| value.kind() == Kind::Array);
            match array {
                Some(array) => self.elements = Some(array.elements()),
                None => return Err(false),
            }
        }
    }
}

impl Filter {
    /// The filter that every document satisfies.
    pub fn all() -> Filter {
        Filter { nodes: vec![FilterNode::All] }
    }

    /// Every path from the document that a predicate looks at, perhaps more than once.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        let places = self.nodes.iter().flat_map(|node| -> Vec<&Place> {
            match node {
                FilterNode::Test(test) => vec![&test.place],
                FilterNode::Text(test) => vec![&test.place],
                FilterNode::HasAll(test) => vec![&test.place],
                FilterNode::Kind(test) => vec![&test.place],
                FilterNode::Elements(test) => vec![&test.place],
                FilterNode::Computed(test) => test.places().collect(),
                FilterNode::Called(test) => test.places().collect(),
                FilterNode::All
                | FilterNode::Nothing
                | FilterNode::And(_)
                | FilterNode::Or(_)
                | FilterNode::Not(_) => Vec::new(),
            }
        });
        places.filter_map(|place| match place {
            Place::Path(path) => Some(path),
            Place::Element(_) | Place::Meta(_) => None,
        })
    }

    /// The same filter, of whose joins the parts that ask a function come last: they cost most, and may count on the others.
    #[must_use]
    pub(super) fn functions_last(mut self) -> Self {
        let mut asks: Vec<bool> = Vec::with_capacity(self.nodes.len());
        for node in &mut self.nodes {
            let is_asked = match node {
                FilterNode::Called(_) => true,
                FilterNode::And(children) | FilterNode::Or(children) => {
                    children.sort_by_key(|child| asks[*child as usize]);
                    children.iter().any(|child| asks[*child as usize])
                }
                FilterNode::Not(child) => asks[*child as usize],
                FilterNode::Elements(test) => asks[test.body as usize],
                _ => false,
            };
            asks.push(is_asked);
        }
        self
    }

    /// Whether a candidate satisfies the filter. Decides no more children of a join than it must.
    pub fn matches<'d>(&self, mut candidate: impl Candidate<'d>) -> bool {
        self.decide(self.root(), &mut candidate, &mut KeyBuf::default(), &Meter::free())
    }

    /// The place of the root.
    pub fn root(&self) -> u32 {
        self.nodes.len().saturating_sub(1) as u32
    }

    /// Whether the node at `root` holds of a candidate. Asks for no more predicates than it must. With a meter that is over,
    /// nobody knows.
    pub fn decide<'d>(
        &self,
        root: u32,
        candidate: &mut dyn Candidate<'d>,
        buf: &mut KeyBuf,
        meter: &Meter<'_>,
    ) -> bool {
        let mut open: SmallVec<[Open<'d, '_, '_>; 4]> = SmallVec::new();
        let mut asked = Asked { candidate, element: None, meter };
        let mut at = root;
        loop {
            if !meter.spend(1) {
                return false;
            }
            let mut value = match &self.nodes[at as usize] {
                FilterNode::All => true,
                FilterNode::Nothing => false,
                FilterNode::Not(child) => {
                    open.push(Open::Join(at, 1));
                    at = *child;
                    continue;
                }
                node @ (FilterNode::And(children) | FilterNode::Or(children)) => {
                    if let Some(first) = children.first() {
                        open.push(Open::Join(at, 1));
                        at = *first;
                        continue;
                    }
                    matches!(node, FilterNode::And(_))
                }
                FilterNode::Elements(test) => match test.walk(&mut asked) {
                    Ok((walk, element)) => {
                        asked.element = Some(element);
                        at = walk.body;
                        open.push(Open::Elements(walk));
                        continue;
                    }
                    Err(answer) => answer,
                },
                leaf => leaf.holds(at, &mut asked, buf),
            };
            // Upwards, until something needs its next child or the root is decided.
            loop {
                match open.pop() {
                    None => return value,
                    Some(Open::Elements(mut walk)) => match walk.next(Some(value)) {
                        Ok(element) => {
                            asked.element = Some(element);
                            at = walk.body;
                            open.push(Open::Elements(walk));
                            break;
                        }
                        Err(answer) => {
                            asked.element = walk.outer;
                            value = answer;
                        }
                    },
                    Some(Open::Join(parent, next)) => {
                        let (more, joined) = self.nodes[parent as usize].joined(next, value);
                        value = joined;
                        if let Some(child) = more {
                            open.push(Open::Join(parent, next + 1));
                            at = *child;
                            break;
                        }
                    }
                }
            }
        }
    }
}

impl FilterNode {
    /// The child that a join or NOT still needs after one that said `value`, and what it says without it.
    fn joined(&self, next: u32, value: bool) -> (Option<&u32>, bool) {
        match self {
            FilterNode::And(children) if value => (children.get(next as usize), value),
            FilterNode::Or(children) if !value => (children.get(next as usize), value),
            FilterNode::Not(_) => (None, !value),
            _ => (None, value),
        }
    }
}

impl ElementsTest {
    /// A walk at its first element, or the answer where there is none.
    fn walk<'d, 'm>(&self, asked: &mut Asked<'m, 'd>) -> Result<(Walk<'d, '_, 'm>, Raw<'d>), bool> {
        let (path, start) = asked.path(&self.place).ok_or(false)?;
        let mut walk = Walk {
            quantifier: self.quantifier,
            body: self.body,
            arrays: asked.meter.values(path.values(start)),
            elements: None,
            outer: asked.element,
        };
        let element = walk.next(None)?;
        Ok((walk, element))
    }
}

impl FilterNode {
    /// Whether a predicate, which stands at `at`, holds.
    fn holds(&self, at: u32, asked: &mut Asked<'_, '_>, buf: &mut KeyBuf) -> bool {
        match self {
            FilterNode::Test(test) => match asked.candidate.known(at, test) {
                Some(known) => known,
                None => test.holds(asked, buf),
            },
            FilterNode::Text(test) => test.holds(asked),
            FilterNode::HasAll(test) => test.holds(asked, buf),
            FilterNode::Kind(test) => asked.any(&test.place, |value| value.kind() == test.kind),
            FilterNode::Computed(test) => test.holds(asked),
            FilterNode::Called(test) => test.holds(asked),
            _ => false,
        }
    }
}

impl HasAll {
    /// Whether an array has an element of each key. O(elements log keys).
    fn holds(&self, asked: &mut Asked<'_, '_>, buf: &mut KeyBuf) -> bool {
        let mut found = vec![false; self.keys.len()];
        let meter = asked.meter;
        asked.any(&self.place, |value| {
            value.kind() == Kind::Array && self.has_all(value, &mut found, buf, meter)
        })
    }

    fn has_all(
        &self,
        array: Raw<'_>,
        found: &mut [bool],
        buf: &mut KeyBuf,
        meter: &Meter<'_>,
    ) -> bool {
        found.fill(false);
        let mut missing = found.len();
        let mut elements = array.elements();
        while missing > 0
            && meter.spend(1)
            && let Some(element) = elements.next()
        {
            self.scalar.key(element, buf);
            if let Ok(at) = self.keys.binary_search_by(|key| key.as_ref().cmp(&buf.as_ref())) {
                missing -= usize::from(!std::mem::replace(&mut found[at], true));
            }
        }
        missing == 0
    }
}

impl Test {
    /// The path that an index over documents may have.
    pub fn path(&self) -> Option<&Path> {
        match &self.place {
            Place::Path(path) => Some(path),
            Place::Element(_) | Place::Meta(_) => None,
        }
    }

    /// Whether some value, or the missing value if there is none, has one of the keys.
    fn holds(&self, asked: &mut Asked<'_, '_>, buf: &mut KeyBuf) -> bool {
        let Some((path, root)) = asked.path(&self.place) else {
            if let Place::Meta(meta) = self.place {
                asked.candidate.fact(meta).key(buf);
                return self.keys.contains(buf.as_ref());
            }
            return false;
        };
        let mut holds = |value: Raw<'_>| {
            match (value.kind(), self.scalar) {
                // No predicate tells one array or object from another: their members need not be read.
                (Kind::Array, Scalar::Json) => buf.set_plain(&Key::ARRAY_MIN),
                (Kind::Object, Scalar::Json) => buf.set_plain(&Key::OBJECT_MIN),
                _ => {
                    self.scalar.key(value, buf);
                }
            }
            self.keys.contains(buf.as_ref())
        };
        if !path.is_multi() {
            return match path.first(root) {
                Some(value) => holds(value),
                None => self.keys.contains(Key::MISSING.as_ref()),
            };
        }
        let mut values = asked.meter.values(path.values(root)).peekable();
        if values.peek().is_none() {
            return self.keys.contains(Key::MISSING.as_ref());
        }
        values.any(holds)
    }
}

impl Place {
    /// Whether it can lead to several values.
    pub fn is_multi(&self) -> bool {
        match self {
            Place::Path(path) | Place::Element(path) => path.is_multi(),
            Place::Meta(_) => false,
        }
    }
}

impl Fact<'_> {
    /// Fills `out` with the key of what is known.
    pub fn key(&self, out: &mut KeyBuf) {
        match self {
            Fact::Missing => out.set_plain(&Key::MISSING),
            Fact::Bytes(bytes) => out.set_string(bytes),
            Fact::Count(count) => out.set_number(match i64::try_from(*count) {
                Ok(count) => Number::Int(count),
                Err(_) => Number::UInt(*count),
            }),
            Fact::Instant(millis) => out.set_instant(*millis, 0),
            Fact::Bool(value) => out.set_plain(&Key::of_bool(*value)),
        }
    }
}
