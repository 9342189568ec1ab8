//! Filter text to a tree, by precedence, in one loop over the tokens with an explicit stack of what
//! is open (Dijkstra's shunting yard).
//!
//! Conditions and values are read alike, since a parenthesis may begin either: what is complete waits as an [`Item`] of
//! one or the other, and an operator that finds the wrong one is the error. What a person can nest (parentheses, NOT,
//! minus signs) lies on the stack and is limited.

use std::mem;

use super::ast::{Ast, AstElements, AstOp, AstTest, Cmp, Node, Position, Quantifier};
use super::lex::{Keyword, Kind, Lexer, Token, no_metadata};
use super::operand::{Arithmetic, Literal, Meta, Operand, Subject, Term};
use super::words::{CONDITION, VALUE};
use crate::path::Path;
use crate::{Code, Error, Limits, Result};

/// Reads a filter. An error has code `Filter` and the byte that it is about, or code `TooBig` and
/// the name of the limit. O(bytes).
pub fn parse(text: &str, limits: &Limits) -> Result<Ast> {
    let mut parser = Parser::new(text, limits)?;
    parser.read()?;
    parser.condition()?;
    match parser.items.pop() {
        Some(Item::Condition(root, _)) => Ok(Ast::normal(parser.nodes, root)),
        _ => unreachable!("a condition was just seen"),
    }
}

/// Reads a value by itself: a path, a constant, or arithmetic. Errors as of [`parse`].
pub fn parse_operand(text: &str, limits: &Limits) -> Result<Operand> {
    let mut parser = Parser::new(text, limits)?;
    parser.read()?;
    match parser.items.pop() {
        Some(Item::Value(operand)) => Ok(operand),
        _ => Err(Error::filter(0, "expected a value, found a condition")),
    }
}

/// That a filter is no longer than the limit. Error: `TOOBIG`.
pub(super) fn expect_bytes(bytes: usize, limits: &Limits) -> Result<()> {
    let bytes_max = limits.filter_bytes_max;
    if bytes <= bytes_max {
        return Ok(());
    }
    let what = format!(
        "a filter of {bytes} bytes exceeds the limit of {bytes_max} (folio.filter-bytes-max)"
    );
    Err(Error::new(Code::TooBig, what))
}

/// That a filter is no deeper than the limit. Error: `TOOBIG`.
pub(super) fn expect_depth(depth: usize, depth_max: usize) -> Result<()> {
    if depth <= depth_max {
        return Ok(());
    }
    let what = format!(
        "a filter of depth {depth} exceeds the limit of {depth_max} (folio.filter-depth-max)"
    );
    Err(Error::new(Code::TooBig, what))
}

/// Reads what a document is grouped or listed by: a path or the name of metadata, alone. In a path that stands alone keywords
/// are names. Errors: `PATH`; `FILTER` for a reserved name.
pub fn parse_subject(text: &str, limits: &Limits) -> Result<Subject> {
    if let Some(meta) = Meta::of(text) {
        return Ok(Subject::Meta(meta));
    }
    if text.starts_with('_') {
        return Err(no_metadata(text, 0));
    }
    Path::parse(text, limits.path_steps_max).map(Subject::Path)
}

/// What is complete and waits for an operator.
pub(super) enum Item {
    Value(Operand),
    /// A node, and where it begins.
    Condition(u32, Position),
}

/// What waits for its right operand or its end.
pub(super) enum Open {
    Paren,
    /// The parenthesis after `ANY path WHERE`.
    Elements(AstElements),
    Or,
    And,
    Not(Position),
    /// A comparison, perhaps negated.
    Compare(Cmp, bool),
    /// `BETWEEN` that waits for its AND, perhaps negated.
    Low(bool),
    /// `BETWEEN .. AND`.
    High(bool),
    Arithmetic(Arithmetic, Position),
    Negate(Position),
}

/// How tightly operators bind.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Bond {
    Or,
    And,
    Not,
    Compare,
    Sum,
    Product,
    Negate,
}

impl Open {
    /// None of a parenthesis, which only its end closes.
    pub(super) fn bond(&self) -> Option<Bond> {
        Some(match self {
            Open::Paren | Open::Elements(_) => return None,
            Open::Or => Bond::Or,
            Open::And => Bond::And,
            Open::Not(_) => Bond::Not,
            Open::Compare(..) | Open::Low(_) | Open::High(_) => Bond::Compare,
            Open::Arithmetic(operator, _) => bond_of(*operator),
            Open::Negate(_) => Bond::Negate,
        })
    }
}

fn bond_of(operator: Arithmetic) -> Bond {
    if operator.is_product() { Bond::Product } else { Bond::Sum }
}

pub(super) struct Parser<'t> {
    pub(super) lexer: Lexer<'t>,
    /// The token to be read next.
    pub(super) token: Token,
    pub(super) depth_max: usize,
    /// What a person nested, in `open`.
    pub(super) depth: usize,
    pub(super) nodes: Vec<Node>,
    pub(super) items: Vec<Item>,
    pub(super) open: Vec<Open>,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str, limits: &Limits) -> Result<Self> {
        expect_bytes(text.len(), limits)?;
        let mut lexer = Lexer::new(text, limits.path_steps_max);
        let token = lexer.next()?;
        Ok(Parser {
            lexer,
            token,
            depth_max: limits.filter_depth_max,
            depth: 0,
            nodes: Vec::new(),
            items: Vec::new(),
            open: Vec::new(),
        })
    }

    /// Reads all there is; one item is left.
    fn read(&mut self) -> Result<()> {
        loop {
            self.openings()?;
            self.value()?;
            if self.operator()? {
                return Ok(());
            }
        }
    }

    /// What may stand before a value: parentheses, NOT, minus signs, ANY and ALL.
    fn openings(&mut self) -> Result<()> {
        loop {
            let position = self.position();
            let open = match self.token.kind {
                Kind::Open => Open::Paren,
                Kind::Arithmetic(Arithmetic::Sub) => Open::Negate(position),
                Kind::Keyword(Keyword::Not) if self.is_condition_next() => Open::Not(position),
                Kind::Keyword(Keyword::Any) if self.is_condition_next() => {
                    Open::Elements(self.elements(Quantifier::Any)?)
                }
                Kind::Keyword(Keyword::All) if self.is_condition_next() => {
                    Open::Elements(self.elements(Quantifier::All)?)
                }
                _ => return Ok(()),
            };
            self.depth += 1;
            expect_depth(self.depth, self.depth_max)?;
            self.open.push(open);
            self.advance()?;
        }
    }

    /// Whether a condition may begin here: after a comparison or arithmetic only a value may.
    pub(super) fn is_condition_next(&self) -> bool {
        let bond = self.open.last().and_then(Open::bond);
        bond.is_none_or(|bond| bond < Bond::Compare)
    }

    /// A path, a constant or a function.
    fn value(&mut self) -> Result<()> {
        let operand = match &self.token.kind {
            Kind::Subject(_) => match self.subject()? {
                Some(operand) => operand,
                // A condition, which waits already.
                None => return Ok(()),
            },
            _ if self.is_literal() => self.literal()?,
            _ if self.is_condition_next() => {
                return Err(self.expected(CONDITION, &[Keyword::Not]));
            }
            _ => return Err(self.expected(VALUE, &[Keyword::True, Keyword::False])),
        };
        self.items.push(Item::Value(operand));
        Ok(())
    }

    /// Closes the innermost parenthesis, whose end is the token.
    fn close(&mut self) -> Result<()> {
        self.reduce(Bond::Or)?;
        match self.open.pop() {
            Some(Open::Elements(elements)) => {
                let position = elements.position;
                let (body, _) = self.take_condition()?;
                self.push(Node::Elements(elements, body), position);
            }
            Some(Open::Paren) => {}
            _ => unreachable!("the caller saw a parenthesis open"),
        }
        self.depth -= 1;
        self.advance()
    }

    /// What stands after a value or a condition; true at the end.
    fn operator(&mut self) -> Result<bool> {
        loop {
            match self.token.kind {
                Kind::Arithmetic(operator) => {
                    self.reduce(bond_of(operator))?;
                    self.expect_value()?;
                    self.open.push(Open::Arithmetic(operator, self.position()));
                    self.advance()?;
                    return Ok(false);
                }
                Kind::Cmp(cmp) => return self.compare(Open::Compare(cmp, false)),
                Kind::NotEqual => return self.compare(Open::Compare(Cmp::Eq, true)),
                Kind::Keyword(Keyword::And) => {
                    self.reduce(Bond::Sum)?;
                    if let Some(Open::Low(negated)) = self.open.last() {
                        let negated = *negated;
                        self.open.pop();
                        self.open.push(Open::High(negated));
                        self.advance()?;
                        return Ok(false);
                    }
                    return self.join(Bond::And, Open::And);
                }
                Kind::Keyword(Keyword::Or) => return self.join(Bond::Or, Open::Or),
                Kind::End if self.depth_of_parens() == 0 => {
                    self.reduce(Bond::Or)?;
                    return Ok(true);
                }
                Kind::Keyword(_) => {
                    if self.postfix()? {
                        return Ok(false);
                    }
                }
                Kind::Close if self.depth_of_parens() > 0 => self.close()?,
                _ => return Err(self.expected_operator()),
            }
        }
    }

    pub(super) fn depth_of_parens(&self) -> usize {
        let is_paren = |open: &&Open| matches!(open, Open::Paren | Open::Elements(_));
        // NOTs and minus signs alone do not make a depth; parentheses are few.
        if self.depth == 0 { 0 } else { self.open.iter().filter(is_paren).count() }
    }

    /// What binds tighter is complete; a value stands before.
    pub(super) fn compare(&mut self, open: Open) -> Result<bool> {
        self.reduce(Bond::Sum)?;
        self.expect_value()?;
        if matches!(self.open.last(), Some(Open::Compare(..) | Open::Low(_) | Open::High(_))) {
            return Err(self.expected("AND, OR or the end", &[]));
        }
        self.open.push(open);
        self.advance()?;
        Ok(false)
    }

    fn join(&mut self, bond: Bond, open: Open) -> Result<bool> {
        self.reduce(bond)?;
        self.condition()?;
        self.open.push(open);
        self.advance()?;
        Ok(false)
    }

    /// Joins what waits at the top and binds as tight as `least` or tighter.
    pub(super) fn reduce(&mut self, least: Bond) -> Result<()> {
        while let Some(bond) = self.open.last().and_then(Open::bond) {
            if bond < least {
                return Ok(());
            }
            let Some(open) = self.open.pop() else { return Ok(()) };
            match open {
                Open::Arithmetic(operator, position) => {
                    let right = self.take_value()?;
                    let left = self.take_value()?;
                    self.items.push(Item::Value(left.computed(operator, right, position)));
                }
                Open::Negate(position) => {
                    self.depth -= 1;
                    let operand = self.take_value()?;
                    self.items.push(Item::Value(operand.negated(position)));
                }
                Open::Compare(cmp, negated) => {
                    let right = self.take_value()?;
                    let left = self.take_value()?;
                    let position = left.position();
                    self.test(AstTest::compared(left, cmp, right), negated, position);
                }
                Open::High(negated) => {
                    let high = self.take_value()?;
                    let low = self.take_value()?;
                    let left = self.take_value()?;
                    let position = left.position();
                    self.test(AstTest { left, op: AstOp::Between(low, high) }, negated, position);
                }
                Open::Low(_) => {
                    let what = "AND between the ends of BETWEEN";
                    return Err(self.expected(what, &[Keyword::And]));
                }
                Open::Not(position) => {
                    self.depth -= 1;
                    let (child, _) = self.take_condition()?;
                    self.push(Node::Not(child), position);
                }
                Open::And | Open::Or => {
                    let (right, _) = self.take_condition()?;
                    let Some(Item::Condition(left, position)) = self.items.pop() else {
                        unreachable!("a join is opened after a condition")
                    };
                    let children = vec![left, right];
                    let is_and = matches!(open, Open::And);
                    let node = if is_and { Node::And(children) } else { Node::Or(children) };
                    self.push(node, position);
                }
                Open::Paren | Open::Elements(_) => unreachable!("parentheses bind nothing"),
            }
        }
        Ok(())
    }

    /// Sees to it that the last item is a condition: a path alone is one.
    fn condition(&mut self) -> Result<()> {
        let (node, position) = self.take_condition()?;
        self.items.push(Item::Condition(node, position));
        Ok(())
    }

    fn take_condition(&mut self) -> Result<(u32, Position)> {
        match self.items.pop().expect("an operator stands behind what it joins") {
            Item::Condition(node, position) => Ok((node, position)),
            Item::Value(left) if left.as_subject().is_some() => {
                let position = left.position();
                let right = Operand::of(Term::Literal(Literal::Bool(true)), position);
                self.nodes.push(Node::Test(AstTest { left, op: AstOp::Compare(Cmp::Eq, right) }));
                Ok((self.nodes.len() as u32 - 1, position))
            }
            Item::Value(operand) => {
                let is_names = operand.terms.iter().all(|(term, _)| {
                    matches!(term, Term::Subject(_) | Term::Arithmetic(Arithmetic::Sub))
                });
                let hint = if is_names { "; a name with '-' takes back-quotes" } else { "" };
                let found = self.found();
                let what = format!("expected a comparison after {operand}, found {found}");
                let what = format!("{what} at position {}{hint}", self.token.start);
                Err(Error::new(Code::Filter, what))
            }
        }
    }

    fn expect_value(&self) -> Result<()> {
        match self.items.last() {
            Some(Item::Value(_)) => Ok(()),
            _ => Err(self.expected_operator()),
        }
    }

    pub(super) fn take_value(&mut self) -> Result<Operand> {
        match self.items.pop().expect("an operator stands between two") {
            Item::Value(operand) => Ok(operand),
            Item::Condition(_, position) => {
                Err(Error::filter(position.0, "expected a value, found a condition"))
            }
        }
    }

    pub(super) fn test(&mut self, test: AstTest, negated: bool, position: Position) {
        self.nodes.push(Node::Test(test));
        let node = self.nodes.len() as u32 - 1;
        if negated {
            self.push(Node::Not(node), position);
        } else {
            self.items.push(Item::Condition(node, position));
        }
    }

    fn push(&mut self, node: Node, position: Position) {
        self.items.push(Item::Condition(self.nodes.len() as u32, position));
        self.nodes.push(node);
    }

    pub(super) fn position(&self) -> Position {
        Position(self.token.start)
    }

    pub(super) fn advance(&mut self) -> Result<()> {
        self.token = self.lexer.next()?;
        Ok(())
    }

    /// The kind of the token, which is passed.
    pub(super) fn take(&mut self) -> Result<Kind> {
        let next = self.lexer.next()?;
        Ok(mem::replace(&mut self.token, next).kind)
    }

    pub(super) fn accept(&mut self, keyword: Keyword) -> Result<bool> {
        let is_there = self.token.kind == Kind::Keyword(keyword);
        if is_there {
            self.advance()?;
        }
        Ok(is_there)
    }
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
