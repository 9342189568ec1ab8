//! What predicates look at and compare: paths, constants, and arithmetic over them.
//!
//! An operand stands as it is computed, in reverse Polish notation, so that nothing recurses:
//!
//! ```text
//!   price * (1 + $tax)      Subject price, Literal 1, Param tax, Add, Mul
//! ```

use std::fmt;

use smallvec::{SmallVec, smallvec};

use super::ast::Position;
use crate::path::Path;

/// A value that is read, given or computed. Displayed as text that reads back to an equal one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operand {
    /// In the order of computation: an operator takes the results before it. Each with its place in the text.
    pub terms: SmallVec<[(Term, Position); 1]>,
}

/// A step of a computation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// A value in the text.
    Literal(Literal),
    /// The name of a parameter, without the dollar sign.
    Param(Box<str>),
    /// What a document has.
    Subject(Subject),
    /// A function of the result before it; [`Function::Now`] of nothing.
    Call(Function),
    /// The negative of the result before it.
    Negate,
    /// Of the two results before it.
    Arithmetic(Arithmetic),
}

/// What a predicate looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The values that a path leads to; within `ANY .. WHERE` a path from the element.
    Path(Path),
    /// What is known of a document besides its text.
    Meta(Meta),
}

impl From<Path> for Subject {
    fn from(path: Path) -> Self {
        Subject::Path(path)
    }
}

/// What is known of a document besides its text. A name that begins with `_` and stands without back-quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Meta {
    /// `_key`: the whole key.
    Key,
    /// `_id`: the key without the collection's prefix.
    Id,
    /// `_seq`: the birth number.
    Seq,
    /// `_version`: the version.
    Version,
    /// `_created`: when it was born.
    Created,
    /// `_updated`: when it changed last.
    Updated,
    /// `_expires`: when it lapses.
    Expires,
    /// `_deleted`: when it was marked as deleted.
    Deleted,
    /// `_valid`: whether the document keeps to its collection's declaration and shares no unique value.
    Valid,
}

impl Meta {
    /// All of them.
    pub const ALL: [Meta; 9] = [
        Meta::Key,
        Meta::Id,
        Meta::Seq,
        Meta::Version,
        Meta::Created,
        Meta::Updated,
        Meta::Expires,
        Meta::Deleted,
        Meta::Valid,
    ];

    /// The name as it is written.
    pub fn name(self) -> &'static str {
        match self {
            Meta::Key => "_key",
            Meta::Id => "_id",
            Meta::Seq => "_seq",
            Meta::Version => "_version",
            Meta::Created => "_created",
            Meta::Updated => "_updated",
            Meta::Expires => "_expires",
            Meta::Deleted => "_deleted",
            Meta::Valid => "_valid",
        }
    }

    /// What a query may call `name`.
    pub fn of(name: &str) -> Option<Meta> {
        Meta::ALL.into_iter().find(|meta| meta.name() == name)
    }
}

/// A function of the language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// `now()`
    Now,
    /// `time('2026-01-31T12:00:00Z')`
    Time,
    /// `duration('1d 3h')`
    Duration,
}

impl Function {
    /// All of them.
    pub const ALL: [Function; 3] = [Function::Now, Function::Time, Function::Duration];

    /// The name as it is written.
    pub fn name(self) -> &'static str {
        match self {
            Function::Now => "now",
            Function::Time => "time",
            Function::Duration => "duration",
        }
    }

    /// The function that is called `name`, in any case.
    pub fn of(name: &str) -> Option<Function> {
        Function::ALL.into_iter().find(|function| function.name().eq_ignore_ascii_case(name))
    }
}

/// An operator between two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Rem,
}

impl Arithmetic {
    /// All of them.
    pub const ALL: [Arithmetic; 5] =
        [Arithmetic::Add, Arithmetic::Sub, Arithmetic::Mul, Arithmetic::Div, Arithmetic::Rem];

    /// As it is written.
    pub fn sign(self) -> &'static str {
        match self {
            Arithmetic::Add => "+",
            Arithmetic::Sub => "-",
            Arithmetic::Mul => "*",
            Arithmetic::Div => "/",
            Arithmetic::Rem => "%",
        }
    }

    /// Whether it binds tighter than a sum.
    pub fn is_product(self) -> bool {
        !matches!(self, Arithmetic::Add | Arithmetic::Sub)
    }
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

impl Operand {
    /// The operand of one term.
    pub fn of(term: Term, position: Position) -> Self {
        Operand { terms: smallvec![(term, position)] }
    }

    /// The negative. That of a number is a number, as which it is written too.
    #[must_use]
    pub(super) fn negated(mut self, position: Position) -> Self {
        if let [(Term::Literal(Literal::Number(text)), _)] = self.terms.as_mut_slice() {
            *text = match text.strip_prefix('-') {
                Some(positive) => positive.into(),
                None => format!("-{text}").into(),
            };
        } else {
            self.terms.push((Term::Negate, position));
        }
        self
    }

    /// What an operator makes of this and what stands on its right.
    #[must_use]
    pub(super) fn computed(
        mut self,
        operator: Arithmetic,
        right: Operand,
        position: Position,
    ) -> Self {
        self.terms.extend(right.terms);
        self.terms.push((Term::Arithmetic(operator), position));
        self
    }

    /// What the operand looks at, if it is nothing but that.
    pub fn as_subject(&self) -> Option<&Subject> {
        match self.terms.as_slice() {
            [(Term::Subject(subject), _)] => Some(subject),
            _ => None,
        }
    }

    /// Whether no document is asked for the value.
    pub fn is_constant(&self) -> bool {
        self.subjects().next().is_none()
    }

    /// All that the operand looks at.
    pub fn subjects(&self) -> impl Iterator<Item = (&Subject, Position)> {
        self.terms.iter().filter_map(|(term, position)| match term {
            Term::Subject(subject) => Some((subject, *position)),
            _ => None,
        })
    }

    /// Where the operand stands in the text.
    pub fn position(&self) -> Position {
        self.terms.first().map_or(Position::default(), |(_, position)| *position)
    }
}

/// How tightly a text that was written holds together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Bond {
    Sum,
    Product,
    Whole,
}

/// Texts of what was computed so far.
struct Texts(Vec<(String, Bond)>);

impl Texts {
    fn take(&mut self) -> (String, Bond) {
        self.0.pop().expect("an operator stands behind its operands")
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut texts = Texts(Vec::new());
        let in_parens = |(text, bond): (String, Bond), least: Bond| {
            if bond < least { format!("({text})") } else { text }
        };
        for (term, _) in &self.terms {
            let next = match term {
                Term::Literal(literal) => (literal.to_string(), Bond::Whole),
                Term::Param(name) => (format!("${name}"), Bond::Whole),
                Term::Subject(subject) => (subject.to_string(), Bond::Whole),
                Term::Call(Function::Now) => ("now()".to_owned(), Bond::Whole),
                Term::Call(function) => {
                    let (argument, _) = texts.take();
                    (format!("{}({argument})", function.name()), Bond::Whole)
                }
                Term::Negate => {
                    let operand = texts.take();
                    (format!("-{}", in_parens(operand, Bond::Whole)), Bond::Whole)
                }
                Term::Arithmetic(operator) => {
                    let right = texts.take();
                    let left = texts.take();
                    let (own, tighter) = if operator.is_product() {
                        (Bond::Product, Bond::Whole)
                    } else {
                        (Bond::Sum, Bond::Product)
                    };
                    // What stands on the left is computed first without parentheses.
                    let mut text = in_parens(left, own);
                    text.push(' ');
                    text += operator.sign();
                    text.push(' ');
                    text += &in_parens(right, tighter);
                    (text, own)
                }
            };
            texts.0.push(next);
        }
        f.write_str(texts.0.last().map_or("", |(text, _)| text))
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
