//! What a query did, step by step, for `DOC.PROFILE`.

/// What one step yielded, and how long it took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// Documents.
    pub rows: u64,
    /// Microseconds; of a step with operands without theirs.
    pub elapsed_us: u64,
}

/// What a query did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    /// Of each step of the access, in its order; none of one that nothing was gathered for.
    pub steps: Vec<Option<Spent>>,
    /// Candidates that were looked at, and how many of them were left.
    pub checked: u64,
    /// Those that satisfied the filter.
    pub passed: u64,
    /// Documents whose text was read.
    pub examined: u64,
    /// Rows of the answer.
    pub rows: u64,
    /// Microseconds from the choice of the plan to the last row.
    pub elapsed_us: u64,
}
