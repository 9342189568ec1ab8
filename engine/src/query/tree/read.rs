//! Reads a tree in one loop: arrays that are open lie on a stack, and so do the operands that are complete.

use std::fmt;

use super::super::ast::{Ast, AstElements, AstOp, AstTest, Cmp, List, Node, Position};
use super::super::lex::{Kind, Lexer, excerpt, is_number};
use super::super::operand::{Function, Literal, Operand, Subject, Term};
use super::super::parse::{expect_bytes, expect_depth};
use super::token::{Token, Tokens, refused};
use super::{Operator, Place};
use crate::path::Path;
use crate::{Code, Error, Limits, Result};

/// Reads a filter from MessagePack. Positions of the tree are bytes of it. An error has code `Filter` and the byte that it
/// is about, or code `TooBig` and the name of the limit: arrays open at once are a filter's depth. O(bytes).
pub fn read_tree(bytes: &[u8], limits: &Limits) -> Result<Ast> {
    expect_bytes(bytes.len(), limits)?;
    let (items, open) = (Vec::new(), Vec::new());
    let mut reader = Reader { tokens: Tokens::new(bytes), limits, nodes: Vec::new(), items, open };
    let root = reader.filter()?;
    let end = reader.tokens.at();
    match bytes.len() - end {
        0 => Ok(Ast::normal(reader.nodes, root)),
        rest => Err(refused(end, format_args!("{rest} bytes follow the filter"))),
    }
}

/// An operand that is complete.
enum Item {
    Value(Operand),
    List(List),
    /// A node.
    Condition(u32),
}

/// An array whose operands are read.
struct Open {
    operator: Operator,
    position: Position,
    /// How many operands it has.
    count: usize,
    /// Where they begin among the items.
    from: usize,
}

struct Reader<'t> {
    tokens: Tokens<'t>,
    limits: &'t Limits,
    nodes: Vec<Node>,
    items: Vec<Item>,
    open: Vec<Open>,
}

impl<'t> Reader<'t> {
    /// The root of a filter.
    fn filter(&mut self) -> Result<u32> {
        self.operand(Place::Filter)?;
        while let Some(open) = self.open.last() {
            let index = self.items.len() - open.from;
            if index < open.count {
                let place = open.operator.place(index);
                self.operand(place)?;
            } else if let Some(open) = self.open.pop() {
                let item = self.close(&open)?;
                self.items.push(item);
            }
        }
        Ok(self.condition())
    }

    /// An operand, or an array that is to become one.
    fn operand(&mut self, place: Place) -> Result<()> {
        let position = Position(self.tokens.at());
        let token = self.tokens.next()?;
        let term = match token {
            Token::Array(length) => return self.array(length, place, position),
            _ if matches!(place, Place::Filter | Place::List) => {
                return Err(expected(place, token, position));
            }
            Token::Text(text) if place == Place::Left => {
                Term::Subject(self.subject(text, position)?)
            }
            token => Term::Literal(literal(token, place, position)?),
        };
        self.items.push(Item::Value(Operand::of(term, position)));
        Ok(())
    }

    /// What begins with an array of `length` at `position`.
    fn array(&mut self, length: usize, place: Place, position: Position) -> Result<()> {
        expect_depth(self.open.len() + 1, self.limits.filter_depth_max)?;
        let operator = self.operator(length, place, position)?;
        if !place.takes(operator) {
            return Err(expected(place, format_args!("\"{}\"", operator.name()), position));
        }
        let inner = Position(self.tokens.at());
        let term = match operator {
            Operator::Param => {
                let is_name = |text: &str| Path::scan_plain(text, 0) == Some(text.len());
                let name = self.text("the name of a parameter, without $", is_name)?;
                if place == Place::List {
                    self.items.push(Item::List(List::Param(name.into(), position)));
                    return Ok(());
                }
                Term::Param(name.into())
            }
            Operator::Path => {
                let text = self.text("the text of a path", |_| true)?;
                Term::Subject(self.subject(text, inner)?)
            }
            Operator::Number => {
                let is_it =
                    |text: &str| is_number(text.strip_prefix('-').unwrap_or(text).as_bytes());
                let text = self.text("the JSON text of a number", is_it)?;
                Term::Literal(Literal::Number(text.into()))
            }
            Operator::Value => Term::Literal(literal(self.tokens.next()?, Place::Literal, inner)?),
            _ => {
                let from = self.items.len();
                self.open.push(Open { operator, position, count: length - 1, from });
                return Ok(());
            }
        };
        self.items.push(Item::Value(Operand::of(term, position)));
        Ok(())
    }

    /// The operator of an array, which has as many operands as it takes.
    fn operator(&mut self, length: usize, place: Place, position: Position) -> Result<Operator> {
        let at = self.tokens.at();
        let hint = if place == Place::List { "; a list begins with \"list\"" } else { "" };
        if length == 0 {
            let what =
                format!("expected an operator, found an empty array at byte {}{hint}", position.0);
            return Err(Error::new(Code::Filter, what));
        }
        let token = self.tokens.next()?;
        let Token::Text(name) = token else {
            let what = format!("expected an operator, a string, found {token} at byte {at}{hint}");
            return Err(Error::new(Code::Filter, what));
        };
        let Some(operator) = Operator::of(name) else {
            let hint = match Operator::nearest(name) {
                Some(meant) if hint.is_empty() => format!(", did you mean \"{meant}\"?"),
                _ => hint.to_owned(),
            };
            let what = format!("\"{}\" is no operator at byte {at}{hint}", excerpt(name));
            return Err(Error::new(Code::Filter, what));
        };
        let (least, most) = operator.counts();
        let found = length - 1;
        if !(least..=most).contains(&found) {
            let takes = match (least, most) {
                (_, usize::MAX) => format!("{least} or more"),
                _ if least == most => least.to_string(),
                _ => format!("{least} or {most}"),
            };
            let operands = if most == 1 { "operand" } else { "operands" };
            let what = format_args!("\"{name}\" takes {takes} {operands}, found {found}");
            return Err(refused(position.0, what));
        }
        Ok(operator)
    }

    /// The text that an operator takes, which is `what`.
    fn text(&mut self, what: &str, is_it: impl Fn(&str) -> bool) -> Result<&'t str> {
        let at = self.tokens.at();
        match self.tokens.next()? {
            Token::Text(text) if is_it(text) => Ok(text),
            token => Err(refused(at, format_args!("expected {what}, found {token}"))),
        }
    }

    /// What a text, read as in a filter's text, looks at.
    fn subject(&self, text: &str, position: Position) -> Result<Subject> {
        let token = Lexer::new(text, self.limits.path_steps_max).next();
        let token = token.map_err(|Error { code, message, .. }| {
            Error::new(code, format!("path at byte {}: {message}", position.0))
        })?;
        match token.kind {
            Kind::Subject(subject) if token.end - token.start == text.len() => Ok(subject),
            _ => {
                let (text, at) = (excerpt(text), position.0);
                let what =
                    format!("\"{text}\" is no path at byte {at}; other names take back-quotes");
                Err(Error::new(Code::Filter, what))
            }
        }
    }

    /// What an array whose operands are complete comes to.
    fn close(&mut self, open: &Open) -> Result<Item> {
        let position = open.position;
        let item = match open.operator {
            Operator::And => self.join(open.from, Node::And),
            Operator::Or => self.join(open.from, Node::Or),
            Operator::Not => {
                let child = self.condition();
                self.node(Node::Not(child))
            }
            Operator::Elements(quantifier) => {
                let body = self.condition();
                let left = self.value();
                let position = left.position();
                let Some(Subject::Path(path)) = left.as_subject() else {
                    let what = format!("expected the path of an array, found {}", shown(&left));
                    return Err(refused(position.0, what));
                };
                let elements = AstElements { quantifier, path: path.clone(), position };
                self.node(Node::Elements(elements, body))
            }
            Operator::Arithmetic(_) if open.count == 1 => {
                Item::Value(self.value().negated(position))
            }
            Operator::Arithmetic(operator) => {
                let right = self.value();
                Item::Value(self.value().computed(operator, right, position))
            }
            Operator::Call(function) => {
                let mut operand = match function {
                    Function::Now => Operand { terms: smallvec::SmallVec::new() },
                    Function::Time | Function::Duration => self.value(),
                };
                operand.terms.push((Term::Call(function), position));
                Item::Value(operand)
            }
            Operator::List => {
                let constants = self.items.drain(open.from..).map(Item::into_value);
                Item::List(List::Operands(constants.collect()))
            }
            Operator::Calls => self.calls(open)?,
            operator => self.test(operator)?,
        };
        Ok(item)
    }

    /// The predicate of a loaded function: its name, a path, and what else it is given.
    fn calls(&mut self, open: &Open) -> Result<Item> {
        let mut given = self.items.drain(open.from..).map(Item::into_value);
        let (name, left) = (given.next(), given.next());
        let given: Vec<Operand> = given.collect();
        let (Some(name), Some(left)) = (name, left) else { unreachable!("two at least") };
        let [(Term::Literal(Literal::String(name)), position)] = name.terms.as_slice() else {
            let what = format!("expected the name of a function, found {}", shown(&name));
            return Err(refused(name.position().0, what));
        };
        if left.as_subject().is_none() {
            let what = format!("expected a path alone, found {}", shown(&left));
            return Err(refused(left.position().0, what));
        }
        let op = AstOp::Calls(name.as_ref().into(), *position, given);
        Ok(self.node(Node::Test(AstTest { left, op })))
    }

    /// The predicate of an operator whose operands are complete.
    fn test(&mut self, operator: Operator) -> Result<Item> {
        let op = match operator {
            Operator::Compare(cmp) => {
                let right = self.value();
                let test = AstTest::compared(self.value(), cmp, right);
                return Ok(self.node(Node::Test(test)));
            }
            Operator::NotEqual => {
                let right = self.value();
                let test = AstTest::compared(self.value(), Cmp::Eq, right);
                self.nodes.push(Node::Test(test));
                return Ok(self.node(Node::Not(self.nodes.len() as u32 - 1)));
            }
            Operator::Between => {
                let high = self.value();
                AstOp::Between(self.value(), high)
            }
            Operator::In => AstOp::In(self.list()),
            Operator::HasList(quantifier) => AstOp::HasList(quantifier, self.list()),
            Operator::Has => AstOp::Has(self.value()),
            Operator::Text(op) => AstOp::Text(op, self.value()),
            Operator::IsNull => AstOp::IsNull,
            Operator::IsMissing => AstOp::IsMissing,
            Operator::IsBool(value) => AstOp::IsBool(value),
            Operator::IsKind(kind) => AstOp::IsKind(kind),
            _ => unreachable!("no predicate"),
        };
        let left = self.value();
        let is_computable = matches!(op, AstOp::Between(..) | AstOp::In(_));
        if !is_computable && left.as_subject().is_none() {
            let what = format!("expected a path alone, found {}", shown(&left));
            return Err(refused(left.position().0, what));
        }
        Ok(self.node(Node::Test(AstTest { left, op })))
    }

    /// The join of the items from `from` on; of one it is that one.
    fn join(&mut self, from: usize, join: impl FnOnce(Vec<u32>) -> Node) -> Item {
        let children: Vec<u32> = self.items.drain(from..).map(Item::into_condition).collect();
        match children.as_slice() {
            [child] => Item::Condition(*child),
            _ => self.node(join(children)),
        }
    }

    fn node(&mut self, node: Node) -> Item {
        self.nodes.push(node);
        Item::Condition(self.nodes.len() as u32 - 1)
    }

    fn pop(&mut self) -> Item {
        self.items.pop().expect("an array is closed when its operands are there")
    }

    fn value(&mut self) -> Operand {
        self.pop().into_value()
    }

    fn condition(&mut self) -> u32 {
        self.pop().into_condition()
    }

    fn list(&mut self) -> List {
        match self.pop() {
            Item::List(list) => list,
            _ => unreachable!("an operand is what its place takes"),
        }
    }
}

impl Item {
    fn into_value(self) -> Operand {
        match self {
            Item::Value(operand) => operand,
            _ => unreachable!("an operand is what its place takes"),
        }
    }

    fn into_condition(self) -> u32 {
        match self {
            Item::Condition(node) => node,
            _ => unreachable!("an operand is what its place takes"),
        }
    }
}

fn literal(token: Token<'_>, place: Place, position: Position) -> Result<Literal> {
    match token {
        Token::Bool(value) => Ok(Literal::Bool(value)),
        Token::Number(text) => Ok(Literal::Number(text)),
        Token::Text(text) => Ok(Literal::String(text.into())),
        token => Err(expected(place, token, position)),
    }
}

fn expected(place: Place, found: impl fmt::Display, position: Position) -> Error {
    let (expected, found, at) = (place.name(), found.to_string(), position.0);
    let hint = match found.as_str() {
        "nil" if place != Place::Filter => ", did you mean \"is null\"?",
        _ => "",
    };
    Error::new(Code::Filter, format!("expected {expected}, found {found} at byte {at}{hint}"))
}

/// An operand for an error message.
fn shown(operand: &Operand) -> String {
    excerpt(&operand.to_string())
}
