//! The tree of a filter, as docs/query-language.md gives it.

use std::borrow::Cow;
use std::fmt;

use serde::ser::{Error as _, Serialize, Serializer};

/// A node: an array that begins with its operator, or a constant.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    Text(Cow<'static, str>),
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    List(Vec<Node>),
    /// What could not be made, and why; it is told when the tree is written.
    Wrong(Box<str>),
}

impl Node {
    pub(crate) fn text(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Text(text.into())
    }

    pub(crate) fn of(operator: &'static str, operands: impl IntoIterator<Item = Node>) -> Self {
        Self::List(std::iter::once(Node::text(operator)).chain(operands).collect())
    }

    /// A constant of its JSON text.
    pub(crate) fn constant(json: &str) -> Self {
        let wrong = |what: &str| Self::Wrong(format!("{json} is no operand: {what}").into());
        match serde_json::from_str(json) {
            Ok(serde_json::Value::String(text)) => Self::text(text),
            Ok(serde_json::Value::Bool(truth)) => Self::Bool(truth),
            Ok(serde_json::Value::Number(number)) => {
                if let Some(number) = number.as_i64() {
                    Self::Int(number)
                } else if let Some(number) = number.as_u64() {
                    Self::Uint(number)
                } else {
                    number.as_f64().map_or_else(|| wrong("it is no double"), Self::Float)
                }
            }
            Ok(serde_json::Value::Null) => wrong("ask `is_null` or `is_missing`"),
            Ok(_) => wrong("only strings, numbers and booleans are compared"),
            Err(error) => wrong(&error.to_string()),
        }
    }

    /// The operands, if it is a join by `operator`; else it is the one.
    pub(super) fn operands(self, operator: &str) -> Vec<Node> {
        match self {
            Self::List(mut items) if is_text(items.first(), operator) => items.split_off(1),
            node => vec![node],
        }
    }

    /// The operand of a unary `operator`, or the node.
    pub(super) fn only_operand(self, operator: &str) -> Result<Node, Node> {
        match self {
            Self::List(mut items) if items.len() == 2 && is_text(items.first(), operator) => {
                items.pop().ok_or(Node::Bool(false))
            }
            node => Err(node),
        }
    }

    /// Why it cannot be written, if it cannot.
    pub(super) fn wrong(&self) -> Option<&str> {
        match self {
            Self::Wrong(why) => Some(why),
            Self::List(items) => items.iter().find_map(Node::wrong),
            _ => None,
        }
    }
}

fn is_text(node: Option<&Node>, expected: &str) -> bool {
    matches!(node, Some(Node::Text(text)) if text == expected)
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Bool(truth) => serializer.serialize_bool(*truth),
            Self::Int(number) => serializer.serialize_i64(*number),
            Self::Uint(number) => serializer.serialize_u64(*number),
            Self::Float(number) => serializer.serialize_f64(*number),
            Self::List(items) => items.serialize(serializer),
            Self::Wrong(why) => Err(S::Error::custom(why)),
        }
    }
}

/// The tree as JSON, for people.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match serde_json::to_string(self) {
            Ok(text) => f.write_str(&text),
            Err(error) => write!(f, "({error})"),
        }
    }
}
