//! Filters as MessagePack trees: the same [`Ast`](super::Ast) as from text, where no text is built or parsed.
//!
//! What begins with an operator is an array, and every array begins with an operator:
//!
//! ```text
//!   a = 1 AND NOT city IN ('Paris', $x)
//!   ["and", ["=", "a", 1], ["not", ["in", "city", ["list", "Paris", ["param", "x"]]]]]
//! ```
//!
//! So a text from a user can never become part of the tree's form. docs/query-language.md has it all.

mod read;
mod token;
mod write;

pub use read::read_tree;
pub use write::write_tree;

use super::ast::{Cmp, Quantifier, TextOp};
use super::hint;
use super::operand::{Arithmetic, Function};
use crate::value::Kind;

/// What an array begins with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    And,
    Or,
    Not,
    Elements(Quantifier),
    Compare(Cmp),
    NotEqual,
    Between,
    In,
    Has,
    HasList(Quantifier),
    Text(TextOp),
    IsNull,
    IsMissing,
    IsBool(bool),
    IsKind(Kind),
    Calls,
    List,
    Path,
    Value,
    Number,
    Param,
    Call(Function),
    Arithmetic(Arithmetic),
}

/// All names; of two for one operator the first is written.
const OPERATORS: [(&str, Operator); 46] = [
    ("and", Operator::And),
    ("or", Operator::Or),
    ("not", Operator::Not),
    ("any", Operator::Elements(Quantifier::Any)),
    ("all", Operator::Elements(Quantifier::All)),
    ("=", Operator::Compare(Cmp::Eq)),
    ("!=", Operator::NotEqual),
    ("<>", Operator::NotEqual),
    ("<", Operator::Compare(Cmp::Lt)),
    ("<=", Operator::Compare(Cmp::Le)),
    (">", Operator::Compare(Cmp::Gt)),
    (">=", Operator::Compare(Cmp::Ge)),
    ("between", Operator::Between),
    ("in", Operator::In),
    ("has", Operator::Has),
    ("has any", Operator::HasList(Quantifier::Any)),
    ("has all", Operator::HasList(Quantifier::All)),
    ("starts with", Operator::Text(TextOp::StartsWith)),
    ("ends with", Operator::Text(TextOp::EndsWith)),
    ("contains", Operator::Text(TextOp::Contains)),
    ("like", Operator::Text(TextOp::Like)),
    ("ilike", Operator::Text(TextOp::ILike)),
    ("matches", Operator::Text(TextOp::Matches)),
    ("is null", Operator::IsNull),
    ("is missing", Operator::IsMissing),
    ("is true", Operator::IsBool(true)),
    ("is false", Operator::IsBool(false)),
    ("is string", Operator::IsKind(Kind::String)),
    ("is number", Operator::IsKind(Kind::Number)),
    ("is boolean", Operator::IsKind(Kind::Bool)),
    ("is array", Operator::IsKind(Kind::Array)),
    ("is object", Operator::IsKind(Kind::Object)),
    ("call", Operator::Calls),
    ("list", Operator::List),
    ("path", Operator::Path),
    ("value", Operator::Value),
    ("number", Operator::Number),
    ("param", Operator::Param),
    ("now", Operator::Call(Function::Now)),
    ("time", Operator::Call(Function::Time)),
    ("duration", Operator::Call(Function::Duration)),
    ("+", Operator::Arithmetic(Arithmetic::Add)),
    ("-", Operator::Arithmetic(Arithmetic::Sub)),
    ("*", Operator::Arithmetic(Arithmetic::Mul)),
    ("/", Operator::Arithmetic(Arithmetic::Div)),
    ("%", Operator::Arithmetic(Arithmetic::Rem)),
];

impl Operator {
    fn of(name: &str) -> Option<Operator> {
        OPERATORS.iter().find(|(own, _)| *own == name).map(|(_, operator)| *operator)
    }

    fn name(self) -> &'static str {
        OPERATORS.iter().find(|(_, operator)| *operator == self).map_or("", |(name, _)| name)
    }

    /// The name that `word` was perhaps meant to be: a sign for a sign, a word for a word.
    fn nearest(word: &str) -> Option<&'static str> {
        let is_word = |text: &str| text.starts_with(char::is_alphabetic);
        let names = OPERATORS.iter().map(|(name, _)| *name);
        hint::nearest(word, names.filter(|name| is_word(name) == is_word(word)))
    }

    /// How many operands it takes, at least and at most.
    fn counts(self) -> (usize, usize) {
        match self {
            Operator::And | Operator::Or => (1, usize::MAX),
            Operator::List => (0, usize::MAX),
            Operator::Calls => (2, usize::MAX),
            Operator::Call(Function::Now) => (0, 0),
            Operator::Between => (3, 3),
            Operator::Arithmetic(Arithmetic::Sub) => (1, 2),
            Operator::Elements(_)
            | Operator::Compare(_)
            | Operator::NotEqual
            | Operator::In
            | Operator::Has
            | Operator::HasList(_)
            | Operator::Text(_)
            | Operator::Arithmetic(_) => (2, 2),
            Operator::Not
            | Operator::IsNull
            | Operator::IsMissing
            | Operator::IsBool(_)
            | Operator::IsKind(_)
            | Operator::Path
            | Operator::Value
            | Operator::Number
            | Operator::Param
            | Operator::Call(_) => (1, 1),
        }
    }

    /// Where the operand at `index`, from 0, stands.
    fn place(self, index: usize) -> Place {
        match (self, index) {
            (Operator::And | Operator::Or | Operator::Not, _) | (Operator::Elements(_), 1..) => {
                Place::Filter
            }
            (Operator::In | Operator::HasList(_), 1..) => Place::List,
            (Operator::Has, 1..) | (Operator::List, _) => Place::Constant,
            (Operator::Text(_), 1..) | (Operator::Call(_), _) | (Operator::Calls, 0) => {
                Place::Literal
            }
            (Operator::Compare(_) | Operator::NotEqual | Operator::Between, 1..)
            | (Operator::Calls, 2..)
            | (Operator::Arithmetic(_), _) => Place::Value,
            _ => Place::Left,
        }
    }
}

/// What is expected of an operand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Filter,
    /// A value, of which a string is a path.
    Left,
    /// A value, of which a string is a constant.
    Value,
    Constant,
    Literal,
    List,
}

impl Place {
    fn takes(self, operator: Operator) -> bool {
        match operator {
            Operator::List => self == Place::List,
            Operator::Param => self != Place::Filter,
            Operator::Value | Operator::Number => !matches!(self, Place::Filter | Place::List),
            Operator::Call(_) => matches!(self, Place::Left | Place::Value | Place::Constant),
            Operator::Path | Operator::Arithmetic(_) => matches!(self, Place::Left | Place::Value),
            _ => self == Place::Filter,
        }
    }

    /// As errors say it.
    fn name(self) -> &'static str {
        match self {
            Place::Filter => "a filter, an array that begins with its operator",
            Place::Left => "a path or a value",
            Place::Value => "a value",
            Place::Constant => "a constant",
            Place::Literal => "a string, a number, a boolean or a parameter",
            Place::List => "[\"list\", ..] or [\"param\", name]",
        }
    }
}

#[cfg(test)]
mod tests;
