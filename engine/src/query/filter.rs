//! A filter whose literals have types: what is planned, and decided on documents.

use super::text::TextTest;
use crate::doc::DocRef;
use crate::path::Path;
use crate::schema::types::Scalar;
use crate::value::{Key, KeyBuf, KeySet, Kind, Raw};

/// A filter that is ready to be planned and to be decided on documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Children before parents, the root last; never empty.
    pub nodes: Vec<FilterNode>,
}

/// One node; children are places in [`Filter::nodes`], each below the node's own.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// A predicate on one path.
    Test(Test),
    /// What a string has to look like.
    Text(TextTest),
    /// An array has all of some elements.
    HasAll(HasAll),
    /// Whether the document keeps to its collection's declaration and shares no unique value, is as said.
    Valid(bool),
}

/// Some value at `path` has a key among `keys`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// What the predicate looks at.
    pub path: Path,
    /// The type under which values become keys.
    pub scalar: Scalar,
    /// The keys asked for; not empty.
    pub keys: KeySet,
    /// The predicate as text, parameters replaced by their values, long lists cut short. For
    /// EXPLAIN.
    pub text: Box<str>,
}

/// Some value at `path` is an array that has an element of each of the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HasAll {
    /// Where the array is.
    pub path: Path,
    /// The type under which elements become keys.
    pub scalar: Scalar,
    /// The keys asked for; with none, any array will do.
    pub keys: Vec<Key>,
    /// The predicate as text, for EXPLAIN.
    pub text: Box<str>,
}

/// Buffers that deciding a filter uses again and again.
#[derive(Debug, Default)]
pub struct Scratch {
    key: KeyBuf,
    /// Joins and NOTs that are being decided: the node, and which of its children comes next.
    open: Vec<(u32, u32)>,
}

impl Filter {
    /// The filter that every document satisfies.
    pub fn all() -> Filter {
        Filter { nodes: vec![FilterNode::All] }
    }

    /// Whether `doc`, which is valid or not, satisfies the filter. Decides no more children of a join than it must.
    pub fn matches(&self, doc: DocRef<'_>, is_valid: bool, scratch: &mut Scratch) -> bool {
        let Scratch { key, open } = scratch;
        self.decide(self.root(), open, is_valid, &mut |_, leaf| leaf.matches(doc, key))
    }

    /// The place of the root.
    pub fn root(&self) -> u32 {
        self.nodes.len().saturating_sub(1) as u32
    }

    /// Whether the node at `root` holds for a document that is valid or not, when its predicates are as `holds` says, given
    /// each one's place. `open` is scratch space. Asks for no more predicates than it must.
    pub fn decide(
        &self,
        root: u32,
        open: &mut Vec<(u32, u32)>,
        is_valid: bool,
        holds: &mut dyn FnMut(u32, &FilterNode) -> bool,
    ) -> bool {
        open.clear();
        let mut at = root;
        loop {
            let mut value = match &self.nodes[at as usize] {
                FilterNode::All => true,
                FilterNode::Nothing => false,
                leaf @ (FilterNode::Test(_) | FilterNode::Text(_) | FilterNode::HasAll(_)) => {
                    holds(at, leaf)
                }
                FilterNode::Valid(wanted) => *wanted == is_valid,
                FilterNode::Not(child) => {
                    open.push((at, 1));
                    at = *child;
                    continue;
                }
                node @ (FilterNode::And(children) | FilterNode::Or(children)) => {
                    if let Some(first) = children.first() {
                        open.push((at, 1));
                        at = *first;
                        continue;
                    }
                    matches!(node, FilterNode::And(_))
                }
            };
            // Upwards, until a join needs its next child or the root is decided.
            loop {
                let Some((parent, next)) = open.pop() else { return value };
                let more = match &self.nodes[parent as usize] {
                    FilterNode::And(children) if value => children.get(next as usize),
                    FilterNode::Or(children) if !value => children.get(next as usize),
                    FilterNode::Not(_) => {
                        value = !value;
                        None
                    }
                    _ => None,
                };
                if let Some(child) = more {
                    open.push((parent, next + 1));
                    at = *child;
                    break;
                }
            }
        }
    }
}

impl FilterNode {
    /// Whether a predicate on a path holds of `doc`; no other node does.
    pub fn matches(&self, doc: DocRef<'_>, buf: &mut KeyBuf) -> bool {
        match self {
            FilterNode::Test(test) => test.matches(doc, buf),
            FilterNode::Text(test) => test.matches(doc),
            FilterNode::HasAll(test) => test.matches(doc, buf),
            _ => false,
        }
    }
}

impl HasAll {
    /// Whether an array that the path leads to in `doc` has an element of each key.
    pub fn matches(&self, doc: DocRef<'_>, buf: &mut KeyBuf) -> bool {
        let mut has = |array: Raw<'_>, key: &Key| {
            array.elements().any(|element| {
                self.scalar.key(element, buf);
                buf.as_ref() == key.as_ref()
            })
        };
        self.path
            .values(doc)
            .any(|value| value.kind() == Kind::Array && self.keys.iter().all(|key| has(value, key)))
    }
}

impl Test {
    /// Whether some value that the path leads to in `doc`, or the missing value if there is none,
    /// has one of the keys.
    pub fn matches(&self, doc: DocRef<'_>, buf: &mut KeyBuf) -> bool {
        let mut holds = |value: Raw<'_>| {
            self.scalar.key(value, buf);
            self.keys.contains(buf.as_ref())
        };
        if !self.path.is_multi() {
            return match self.path.first(doc) {
                Some(value) => holds(value),
                None => self.keys.contains(Key::MISSING.as_ref()),
            };
        }
        let mut values = self.path.values(doc).peekable();
        if values.peek().is_none() {
            return self.keys.contains(Key::MISSING.as_ref());
        }
        values.any(holds)
    }
}
