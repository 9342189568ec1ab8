//! Paths into a document: `address.city`, `tags[0]`, `items[*].sku`.

mod eval;
mod parse;

pub(crate) use parse::expected;

use std::sync::Arc;

pub use eval::{Root, Values};

use crate::doc::bit_of;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Step {
    /// Into the member of an object.
    Name(Box<str>),
    /// Into one element of an array, from 0.
    Index(u32),
    /// Into every element of an array.
    Each,
}

/// A parsed path. Into a document it has at least one step, the first of them a name; into an element of an array (after
/// `ANY .. WHERE`) it may have none, or begin otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Path {
    /// Shared by all that was made of one path: a query's plan asks for it in many places.
    steps: Arc<[Step]>,
    /// The bits of the name that it begins with.
    bits: u64,
}

impl Path {
    /// A path of `steps`.
    pub fn new(steps: Vec<Step>) -> Self {
        let bits = match steps.first() {
            Some(Step::Name(name)) => bit_of(name),
            // What begins with no name may be anywhere.
            _ => u64::MAX,
        };
        Path { steps: steps.into(), bits }
    }

    /// The bit of the top-level name that it begins with ([`bit_of`]); all bits if it begins with none.
    pub fn bits(&self) -> u64 {
        self.bits
    }

    /// The steps, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Whether the path can lead to several values: it holds a `[*]`.
    pub fn is_multi(&self) -> bool {
        self.steps.contains(&Step::Each)
    }

    /// This path followed by `[*]`.
    #[must_use]
    pub fn each(&self) -> Path {
        self.join(&[Step::Each])
    }

    /// This path followed by `steps`.
    #[must_use]
    pub fn join(&self, steps: &[Step]) -> Path {
        Path::new([&*self.steps, steps].concat())
    }
}
