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
//! What stands in the parentheses of `ANY path WHERE (..)` is the one child of its node; paths in there begin at the element.

use std::fmt::{self, Write as _};
use std::mem;

use super::operand::Operand;
use crate::path::Path;
use crate::value::Kind;

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
    /// A predicate.
    Test(AstTest),
    /// The filter at a place holds of an element of an array, or of all.
    Elements(AstElements, u32),
}

/// Of which elements something is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AstElements {
    /// Any, or all.
    pub quantifier: Quantifier,
    /// The array.
    pub path: Path,
    /// Where the path stands in the text.
    pub position: Position,
}

/// A predicate, never negated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AstTest {
    /// What stands before the operator; in all but comparisons, BETWEEN and IN a path or metadata.
    pub left: Operand,
    /// What it asks.
    pub op: AstOp,
}

/// What a predicate asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AstOp {
    /// `left cmp right`.
    Compare(Cmp, Operand),
    /// `BETWEEN low AND high`.
    Between(Operand, Operand),
    /// `IN (..)` or `IN $name`.
    In(List),
    /// `HAS constant`.
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
    /// `IS STRING` and its like; never null.
    IsKind(Kind),
    /// A loaded function holds of it and of others: `name(left, ..)`.
    Calls(Box<str>, Position, Vec<Operand>),
}

/// The words of `IS STRING` and its like.
pub(super) const KINDS: [(&str, Kind); 5] = [
    ("STRING", Kind::String),
    ("NUMBER", Kind::Number),
    ("BOOLEAN", Kind::Bool),
    ("ARRAY", Kind::Array),
    ("OBJECT", Kind::Object),
];

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

/// A byte of the filter's text or MessagePack. All positions are equal: trees are the same wherever their parts
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

impl Ast {
    /// Every value that a predicate compares or asks about, those of lists too.
    pub fn operands(&self) -> impl Iterator<Item = &Operand> {
        self.nodes.iter().flat_map(|node| -> Vec<&Operand> {
            let Node::Test(test) = node else { return Vec::new() };
            let mut operands: Vec<&Operand> = test.operands().collect();
            match &test.op {
                AstOp::In(List::Operands(listed)) | AstOp::HasList(_, List::Operands(listed)) => {
                    operands.extend(listed);
                }
                AstOp::Has(operand) | AstOp::Text(_, operand) => operands.push(operand),
                _ => {}
            }
            operands
        })
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
    /// The filter of elements is laid out.
    Elements(AstElements),
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
                        Node::Elements(elements, body) => {
                            tasks.extend([Task::Elements(elements), Task::Visit(body, None)]);
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
                Task::Elements(elements) => {
                    Node::Elements(elements, done.pop().expect("the filter is laid out before"))
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
                Node::Elements(AstElements { quantifier, path, .. }, body) => {
                    write!(f, "{} {path} WHERE (", quantifier.name())?;
                    pieces.extend([Piece::Text(")"), Piece::Node(*body, Within::Nothing)]);
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
    /// `left cmp right`; a constant on the left changes sides.
    pub(super) fn compared(left: Operand, cmp: Cmp, right: Operand) -> Self {
        if left.is_constant() && !right.is_constant() {
            AstTest { left: right, op: AstOp::Compare(cmp.turned(), left) }
        } else {
            AstTest { left, op: AstOp::Compare(cmp, right) }
        }
    }

    /// What is compared, the left one first, without what stands in a list.
    pub(super) fn operands(&self) -> impl Iterator<Item = &Operand> {
        let others: [Option<&Operand>; 2] = match &self.op {
            AstOp::Compare(_, right) => [Some(right), None],
            AstOp::Between(low, high) => [Some(low), Some(high)],
            _ => [None, None],
        };
        let given = match &self.op {
            AstOp::Calls(_, _, given) => given.as_slice(),
            _ => &[],
        };
        std::iter::once(&self.left).chain(others.into_iter().flatten()).chain(given)
    }

    /// Writes the predicate or its negation, each in its shortest form.
    fn write(&self, negated: bool, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.left;
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
            AstOp::Calls(name, _, given) => {
                write!(f, "{not}{name}({path}")?;
                given.iter().try_for_each(|operand| write!(f, ", {operand}"))?;
                f.write_char(')')
            }
            AstOp::IsKind(kind) => {
                let word = KINDS.iter().find(|(_, known)| known == kind).map_or("", |it| it.0);
                write!(f, "{path} IS {not}{word}")
            }
        }
    }
}

impl fmt::Display for AstTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(false, f)
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
