//! The tree of a filter as it was written: paths and literals, without types yet.
//!
//! The nodes stand in a `Vec` in postorder, the root last: every pass is a loop, and nothing
//! recurses, not even a drop. In normal form no AND stands directly in an AND and no OR in an OR,
//! and each has at least two children; `Ast::normal` brings any tree into it. `a != b` and its like
//! are the NOT of what they negate.
//!
//! ```text
//!   a = 1 AND (b IS NULL OR c != 'x')
//!
//!   0 Test a = 1   1 Test b IS NULL   2 Test c = 'x'   3 Not 2   4 Or [1, 3]   5 And [0, 4]
//! ```

use std::fmt::{self, Write as _};
use std::mem;

use crate::path::Path;

/// A filter's tree, displayed as canonical text that reads back to an equal tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ast {
    /// In postorder, the root last; never empty.
    pub nodes: Vec<Node>,
}

/// One node; children are places in [`Ast::nodes`], each below the node's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// All of them hold.
    And(Vec<u32>),
    /// One of them holds.
    Or(Vec<u32>),
    /// It does not hold.
    Not(u32),
    /// A predicate on one path.
    Test(AstTest),
}

/// A predicate on one path, never negated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AstTest {
    /// What the predicate looks at.
    pub subject: Subject,
    /// Where the subject stands in the text.
    pub position: Position,
    /// What it asks.
    pub op: AstOp,
}

/// What a predicate looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The values that a path leads to.
    Path(Path),
    /// What is known of a document besides its text.
    Meta(Meta),
}

/// What is known of a document besides its text. A name that begins with `_` and stands without back-quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meta {
    /// `_valid`: whether the document keeps to its collection's declaration and shares no unique value.
    Valid,
}

impl Meta {
    const ALL: [Meta; 1] = [Meta::Valid];

    /// The name as it is written.
    pub fn name(self) -> &'static str {
        match self {
            Meta::Valid => "_valid",
        }
    }

    /// What a filter may call `name`.
    pub(super) fn of(name: &str) -> Option<Meta> {
        Meta::ALL.into_iter().find(|meta| meta.name() == name)
    }
}

/// What a predicate asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AstOp {
    /// `path cmp literal`.
    Compare(Cmp, Operand),
    /// `BETWEEN low AND high`.
    Between(Operand, Operand),
    /// `IN (..)` or `IN $name`.
    In(List),
    /// `HAS literal`.
    Has(Operand),
    /// `HAS ANY (..)` or `HAS ALL (..)`.
    HasList(Quantifier, List),
    /// What a string has to look like: `LIKE literal` and its like.
    Text(TextOp, Operand),
    /// `IS NULL`.
    IsNull,
    /// `IS MISSING`.
    IsMissing,
    /// `IS TRUE` or `IS FALSE`.
    IsBool(bool),
}

/// Some values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum List {
    /// Those in parentheses.
    Operands(Vec<Operand>),
    /// Those of a parameter, and where it stands.
    Param(Box<str>, Position),
}

/// How many of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantifier {
    /// `ANY`
    Any,
    /// `ALL`
    All,
}

/// What is asked of a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextOp {
    /// `STARTS WITH`
    StartsWith,
    /// `ENDS WITH`
    EndsWith,
    /// `CONTAINS`
    Contains,
    /// `LIKE`
    Like,
    /// `ILIKE`
    ILike,
    /// `MATCHES`
    Matches,
}

impl TextOp {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            TextOp::StartsWith => "STARTS WITH",
            TextOp::EndsWith => "ENDS WITH",
            TextOp::Contains => "CONTAINS",
            TextOp::Like => "LIKE",
            TextOp::ILike => "ILIKE",
            TextOp::Matches => "MATCHES",
        }
    }
}

impl Quantifier {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Quantifier::Any => "ANY",
            Quantifier::All => "ALL",
        }
    }
}

/// A comparison; `!=` is the NOT of `=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cmp {
    /// `=`
    Eq,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

/// A literal or a parameter, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operand {
    /// What it is.
    pub term: Term,
    /// Where it stands in the text.
    pub position: Position,
}

/// What a path is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// A value in the text.
    Literal(Literal),
    /// The name of a parameter, without the dollar sign.
    Param(Box<str>),
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// `TRUE` or `FALSE`.
    Bool(bool),
    /// A number's JSON text.
    Number(Box<str>),
    /// A string, without quotes.
    String(Box<str>),
}

/// A byte of the filter's text. All positions are equal: trees are the same wherever their parts
/// stood.
#[derive(Debug, Clone, Copy, Default)]
pub struct Position(pub usize);

impl PartialEq for Position {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Position {}

impl Cmp {
    /// The comparison that holds when the operands change sides.
    #[must_use]
    pub fn turned(self) -> Cmp {
        match self {
            Cmp::Eq => Cmp::Eq,
            Cmp::Lt => Cmp::Gt,
            Cmp::Le => Cmp::Ge,
            Cmp::Gt => Cmp::Lt,
            Cmp::Ge => Cmp::Le,
        }
    }
}

/// Which of AND and OR.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Join {
    And,
    Or,
}

/// A step of the pass that brings a tree into normal form.
enum Task {
    /// Lay out a node that stands directly in a join, if in one.
    Visit(u32, Option<Join>),
    /// The children of a join are laid out: those that stand from this place on.
    Close(Join, usize),
    Negate,
}

impl Ast {
    /// The tree under `root`, in normal form: strict postorder, joins flattened, nodes out of reach
    /// dropped. Children must stand before their parents. O(nodes).
    pub(crate) fn normal(mut nodes: Vec<Node>, root: u32) -> Ast {
        let mut out = Vec::with_capacity(nodes.len());
        let mut done: Vec<u32> = Vec::new();
        let mut tasks = vec![Task::Visit(root, None)];
        while let Some(task) = tasks.pop() {
            let node = match task {
                Task::Visit(at, within) => {
                    let node = mem::replace(&mut nodes[at as usize], Node::Not(0));
                    let (join, children) = match node {
                        Node::And(children) => (Join::And, children),
                        Node::Or(children) => (Join::Or, children),
                        Node::Not(child) => {
                            tasks.extend([Task::Negate, Task::Visit(child, None)]);
                            continue;
                        }
                        Node::Test(_) => {
                            done.push(out.len() as u32);
                            out.push(node);
                            continue;
                        }
                    };
                    if within != Some(join) {
                        tasks.push(Task::Close(join, done.len()));
                    }
                    let visits = children.into_iter().rev();
                    tasks.extend(visits.map(|child| Task::Visit(child, Some(join))));
                    continue;
                }
                Task::Close(Join::And, from) => Node::And(done.split_off(from)),
                Task::Close(Join::Or, from) => Node::Or(done.split_off(from)),
                Task::Negate => {
                    Node::Not(done.pop().expect("the child is laid out before its NOT"))
                }
            };
            done.push(out.len() as u32);
            out.push(node);
        }
        Ast { nodes: out }
    }
}

/// A piece of text to come, for the loop that writes a tree.
enum Piece {
    Text(&'static str),
    Node(u32, Within),
}

/// What a node stands in, which decides whether it needs parentheses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Within {
    Nothing,
    Or,
    And,
    Not,
}

impl fmt::Display for Ast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(root) = self.nodes.len().checked_sub(1) else { return Ok(()) };
        let mut pieces = vec![Piece::Node(root as u32, Within::Nothing)];
        while let Some(piece) = pieces.pop() {
            let (at, within) = match piece {
                Piece::Text(text) => {
                    f.write_str(text)?;
                    continue;
                }
                Piece::Node(at, within) => (at, within),
            };
            match &self.nodes[at as usize] {
                Node::Test(test) => test.write(false, f)?,
                Node::Not(child) => {
                    if let Node::Test(test) = &self.nodes[*child as usize] {
                        test.write(true, f)?;
                    } else {
                        pieces.extend([Piece::Node(*child, Within::Not), Piece::Text("NOT ")]);
                    }
                }
                Node::And(children) => join(children, " AND ", Within::And, within, &mut pieces),
                Node::Or(children) => join(children, " OR ", Within::Or, within, &mut pieces),
            }
        }
        Ok(())
    }
}

/// Puts the pieces of a join on the stack, the last one first.
fn join(children: &[u32], word: &'static str, own: Within, outer: Within, out: &mut Vec<Piece>) {
    let has_parens = outer > own;
    if has_parens {
        out.push(Piece::Text(")"));
    }
    for (at, child) in children.iter().enumerate().rev() {
        out.push(Piece::Node(*child, own));
        if at > 0 {
            out.push(Piece::Text(word));
        }
    }
    if has_parens {
        out.push(Piece::Text("("));
    }
}

impl AstTest {
    /// Writes the predicate or its negation, each in its shortest form.
    fn write(&self, negated: bool, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.subject;
        let not = if negated { "NOT " } else { "" };
        match &self.op {
            AstOp::Compare(Cmp::Eq, operand) if negated => write!(f, "{path} != {operand}"),
            AstOp::Compare(cmp, operand) => write!(f, "{not}{path} {cmp} {operand}"),
            AstOp::Between(low, high) => write!(f, "{path} {not}BETWEEN {low} AND {high}"),
            AstOp::In(list) => write!(f, "{path} {not}IN {list}"),
            AstOp::Has(operand) => write!(f, "{path} {not}HAS {operand}"),
            AstOp::HasList(quantifier, list) => {
                write!(f, "{path} {not}HAS {} {list}", quantifier.name())
            }
            AstOp::Text(op, operand) => write!(f, "{path} {not}{} {operand}", op.name()),
            AstOp::IsNull => write!(f, "{path} IS {not}NULL"),
            AstOp::IsMissing => write!(f, "{path} IS {not}MISSING"),
            AstOp::IsBool(true) => write!(f, "{path} IS {not}TRUE"),
            AstOp::IsBool(false) => write!(f, "{path} IS {not}FALSE"),
        }
    }
}

impl fmt::Display for AstTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(false, f)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Path(path) => path.fmt(f),
            Subject::Meta(meta) => f.write_str(meta.name()),
        }
    }
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            List::Operands(operands) => {
                f.write_char('(')?;
                for (at, operand) in operands.iter().enumerate() {
                    let comma = if at > 0 { ", " } else { "" };
                    write!(f, "{comma}{operand}")?;
                }
                f.write_char(')')
            }
            List::Param(name, _) => write!(f, "${name}"),
        }
    }
}

impl fmt::Display for Cmp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Cmp::Eq => "=",
            Cmp::Lt => "<",
            Cmp::Le => "<=",
            Cmp::Gt => ">",
            Cmp::Ge => ">=",
        })
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.term {
            Term::Literal(literal) => literal.fmt(f),
            Term::Param(name) => write!(f, "${name}"),
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Literal::Bool(true) => f.write_str("TRUE"),
            Literal::Bool(false) => f.write_str("FALSE"),
            Literal::Number(text) => f.write_str(text),
            Literal::String(text) => write!(f, "'{}'", text.replace('\'', "''")),
        }
    }
}
