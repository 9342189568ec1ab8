//! What a query is read into. A filter is a run of operations on a stack of operands and one truth value:
//!
//! ```text
//!   ?@.a > 1 && !@.b      0  Value @['a']      push the value that it leads to, or nothing
//!                         1  Literal 1         push
//!                         2  Compare Gt        take two: the truth value
//!                         3  IfFalse 6         decided: on to 6
//!                         4  Run @['b'] Exists the truth value
//!                         5  Not
//! ```

/// A query: where it begins, and its segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Query {
    /// It begins with `$`, not `@`.
    pub(super) is_absolute: bool,
    pub(super) segments: Vec<Segment>,
}

impl Query {
    /// Whether it can select one node at most, by its form: names and indexes only.
    pub(super) fn is_singular(&self) -> bool {
        let is_one =
            |selector: &Selector| matches!(selector, Selector::Name(_) | Selector::Index(_));
        let is_single = |segment: &Segment| {
            !segment.descends && segment.selectors.len() == 1 && is_one(&segment.selectors[0])
        };
        self.segments.iter().all(is_single)
    }
}

/// One step: from a node to what its selectors pick, from there or (`..`) from every node below too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) descends: bool,
    pub(super) selectors: Vec<Selector>,
}

/// What is picked among the children of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Selector {
    Name(Box<str>),
    Wildcard,
    /// From the end where negative.
    Index(i64),
    Slice(Slice),
    /// The children for which a filter holds.
    Filter(FilterId),
}

/// `start:end:step`; what is left out depends on the sign of the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slice {
    pub(super) start: Option<i64>,
    pub(super) end: Option<i64>,
    pub(super) step: i64,
}

/// A query by its number.
pub(super) type QueryId = usize;
/// A filter by its number.
pub(super) type FilterId = usize;

/// The operations that leave a filter's truth value.
pub(super) type Filter = Box<[Op]>;

/// An operation of a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Op {
    /// Pushes a value, given as JSON.
    Literal(Box<[u8]>),
    /// Pushes what a singular query leads to, or nothing.
    Value(QueryId),
    /// Runs a query for what it is asked.
    Run(QueryId, Ask),
    /// Takes a value and pushes its length, or nothing.
    Length,
    /// Takes a pattern and a text: does the whole of it match, or any part?
    Matches {
        whole: bool,
    },
    /// Takes the right and the left operand.
    Compare(Cmp),
    Not,
    /// Goes on at another operation where the truth value is false.
    IfFalse(usize),
    IfTrue(usize),
}

/// What is asked of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// The nodes: only of the query itself.
    Nodes,
    /// Whether there is any: the truth value.
    Exists,
    /// How many there are: pushed.
    Count,
    /// The value of the only one: pushed, or nothing.
    Only,
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cmp {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl Cmp {
    /// Longer signs first: a prefix would hide them.
    pub(super) const SIGNS: [(&'static str, Cmp); 6] = [
        ("==", Cmp::Eq),
        ("!=", Cmp::Ne),
        ("<=", Cmp::Le),
        (">=", Cmp::Ge),
        ("<", Cmp::Lt),
        (">", Cmp::Gt),
    ];
}

/// A function extension (RFC 9535, section 2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Length,
    Count,
    Match,
    Search,
    Value,
}

impl Function {
    pub(super) const ALL: [Function; 5] =
        [Function::Length, Function::Count, Function::Match, Function::Search, Function::Value];

    pub(super) fn name(self) -> &'static str {
        match self {
            Function::Length => "length",
            Function::Count => "count",
            Function::Match => "match",
            Function::Search => "search",
            Function::Value => "value",
        }
    }

    /// How many arguments it takes.
    pub(super) fn arity(self) -> usize {
        if self.is_logical() { 2 } else { 1 }
    }

    /// Whether it gives true or false (`LogicalType`), not a value.
    pub(super) fn is_logical(self) -> bool {
        matches!(self, Function::Match | Function::Search)
    }

    /// What is asked of the query that is its argument (`NodesType`), if it takes one.
    pub(super) fn asks(self) -> Option<Ask> {
        match self {
            Function::Count => Some(Ask::Count),
            Function::Value => Some(Ask::Only),
            _ => None,
        }
    }

    /// What is done when the arguments lie on the stack; nothing where a query gave the value.
    pub(super) fn op(self) -> Option<Op> {
        match self {
            Function::Length => Some(Op::Length),
            Function::Match => Some(Op::Matches { whole: true }),
            Function::Search => Some(Op::Matches { whole: false }),
            Function::Count | Function::Value => None,
        }
    }
}
