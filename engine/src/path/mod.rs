//! Paths into a document: `address.city`, `tags[0]`, `items[*].sku`.

mod eval;
mod parse;

pub use eval::Values;

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

/// A parsed path; at least one step, the first of them a name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Path {
    steps: Box<[Step]>,
}

impl Path {
    /// A path of `steps`, which begin with a name.
    pub fn new(steps: Vec<Step>) -> Self {
        debug_assert!(matches!(steps.first(), Some(Step::Name(_))), "a path begins with a name");
        Path { steps: steps.into() }
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
        let mut steps = self.steps.to_vec();
        steps.push(Step::Each);
        Path::new(steps)
    }
}
