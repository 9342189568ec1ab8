//! Filter text to a tree, by precedence, in one loop over the tokens with an explicit stack of what
//! is open.
//!
//! A predicate is read whole by a handful of functions that call each other to a fixed depth; what
//! a person can nest (parentheses and NOT) lies on the stack and is limited.

use std::mem;

use super::ast::{
    Ast, AstOp, AstTest, Cmp, List, Literal, Node, Operand, Position, Quantifier, Subject, Term,
    TextOp,
};
use super::hint;
use super::lex::{Keyword, Kind, Lexer, Token, excerpt};
use crate::{Code, Error, Limits, Result};

/// Reads a filter. An error has code `Filter` and the byte that it is about, or code `TooBig` and
/// the name of the limit. O(bytes).
pub fn parse(text: &str, limits: &Limits) -> Result<Ast> {
    let bytes_max = limits.filter_bytes_max;
    if text.len() > bytes_max {
        let bytes = text.len();
        let what = format!(
            "a filter of {bytes} bytes exceeds the limit of {bytes_max} (folio.filter-bytes-max)"
        );
        return Err(Error::new(Code::TooBig, what));
    }
    let mut lexer = Lexer::new(text, limits.path_steps_max);
    let token = lexer.next()?;
    let parser = Parser {
        lexer,
        token,
        depth_max: limits.filter_depth_max,
        depth: 0,
        nodes: Vec::new(),
        operands: Vec::new(),
        open: Vec::new(),
    };
    parser.run()
}

/// What waits for its right operand or its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Paren,
    Or,
    And,
    Not,
}

struct Parser<'t> {
    lexer: Lexer<'t>,
    /// The token to be read next.
    token: Token,
    depth_max: usize,
    /// Parentheses and NOTs in `open`.
    depth: usize,
    nodes: Vec<Node>,
    /// Nodes that no other has as a child yet.
    operands: Vec<u32>,
    open: Vec<Open>,
}

/// What an operator's operand is called.
const LITERAL: &str = "a literal";

/// What can stand after a path; those first that NOT may stand before.
const OPERATORS: [Keyword; 13] = [
    Keyword::Between,
    Keyword::In,
    Keyword::Has,
    Keyword::Like,
    Keyword::ILike,
    Keyword::Contains,
    Keyword::Starts,
    Keyword::Ends,
    Keyword::Matches,
    Keyword::Is,
    Keyword::And,
    Keyword::Or,
    Keyword::Not,
];
/// How many of them NOT may stand before.
const NEGATED: usize = 9;

impl Parser<'_> {
    fn run(mut self) -> Result<Ast> {
        loop {
            self.openings()?;
            let was_bare = self.predicate()?;
            self.close_nots();
            while self.token.kind == Kind::Close && self.has_paren() {
                self.close_paren();
                self.advance()?;
                self.close_nots();
            }
            match self.token.kind {
                Kind::Keyword(Keyword::And) => self.binary(Open::And)?,
                Kind::Keyword(Keyword::Or) => self.binary(Open::Or)?,
                Kind::End if !self.has_paren() => break,
                _ => return Err(self.expected_operator(was_bare)),
            }
        }
        self.reduce(Open::Or);
        let root = self.operands.pop().expect("a predicate was read");
        Ok(Ast::normal(self.nodes, root))
    }

    /// The NOTs and parentheses before a predicate.
    fn openings(&mut self) -> Result<()> {
        loop {
            let open = match self.token.kind {
                Kind::Open => Open::Paren,
                Kind::Keyword(Keyword::Not) => Open::Not,
                _ => return Ok(()),
            };
            self.depth += 1;
            if self.depth > self.depth_max {
                let (depth, depth_max) = (self.depth, self.depth_max);
                let what = format!(
                    "a filter of depth {depth} exceeds the limit of {depth_max} (folio.filter-depth-max)"
                );
                return Err(Error::new(Code::TooBig, what));
            }
            self.open.push(open);
            self.advance()?;
        }
    }

    /// AND or OR: what binds tighter or as tight is complete on its left.
    fn binary(&mut self, own: Open) -> Result<()> {
        self.reduce(own);
        self.open.push(own);
        self.advance()
    }

    /// Joins what waits at the top and binds no looser than `own`.
    fn reduce(&mut self, own: Open) {
        while let Some(top) = self.open.last().copied() {
            if top == Open::Paren || (own == Open::And && top == Open::Or) {
                return;
            }
            self.open.pop();
            let right = self.operands.pop().expect("an operator has a right operand");
            let left = self.operands.pop().expect("an operator has a left operand");
            let children = vec![left, right];
            let node = if top == Open::And { Node::And(children) } else { Node::Or(children) };
            self.push(node);
        }
    }

    /// NOT binds tightest: a complete operand completes the NOTs before it.
    fn close_nots(&mut self) {
        while self.open.last() == Some(&Open::Not) {
            self.open.pop();
            self.depth -= 1;
            let child = self.operands.pop().expect("an operand was just completed");
            self.push(Node::Not(child));
        }
    }

    fn close_paren(&mut self) {
        self.reduce(Open::Or);
        let paren = self.open.pop();
        debug_assert_eq!(paren, Some(Open::Paren), "the caller saw one");
        self.depth -= 1;
    }

    fn has_paren(&self) -> bool {
        // NOTs that are open here stand outside the innermost parenthesis; all else closed with its
        // operand.
        self.depth > 0
    }

    /// One predicate; true if it is a path alone.
    fn predicate(&mut self) -> Result<bool> {
        let position = Position(self.token.start);
        if let Kind::Subject(_) = self.token.kind {
            let Kind::Subject(subject) = self.take()? else { unreachable!("just seen") };
            return self.after_subject(subject, position);
        }
        if !self.is_literal() {
            return Err(self.expected("a path, a literal, NOT or '('", &[Keyword::Not]));
        }
        let operand = self.operand()?;
        let (cmp, negated) = match self.token.kind {
            Kind::Cmp(cmp) => (cmp, false),
            Kind::NotEqual => (Cmp::Eq, true),
            _ => return Err(self.expected("a comparison after a literal", &[])),
        };
        self.advance()?;
        let position = Position(self.token.start);
        if !matches!(self.token.kind, Kind::Subject(_)) {
            return Err(self.expected("a path to compare the literal with", &[]));
        }
        let Kind::Subject(subject) = self.take()? else { unreachable!("just seen") };
        let op = AstOp::Compare(cmp.turned(), operand);
        self.test(AstTest { subject, position, op }, negated);
        Ok(false)
    }

    fn after_subject(&mut self, subject: Subject, position: Position) -> Result<bool> {
        let mut negated = self.accept(Keyword::Not)?;
        let op = match self.token.kind {
            Kind::Cmp(cmp) if !negated => {
                self.advance()?;
                AstOp::Compare(cmp, self.operand()?)
            }
            Kind::NotEqual if !negated => {
                self.advance()?;
                negated = true;
                AstOp::Compare(Cmp::Eq, self.operand()?)
            }
            Kind::Keyword(Keyword::Is) if !negated => {
                self.advance()?;
                negated = self.accept(Keyword::Not)?;
                self.is_what(negated)?
            }
            Kind::Keyword(Keyword::Between) => self.between()?,
            Kind::Keyword(Keyword::In) => {
                self.advance()?;
                AstOp::In(self.list("IN")?)
            }
            Kind::Keyword(Keyword::Has) => self.has()?,
            Kind::Keyword(keyword) if text_op(keyword).is_some() => self.text()?,
            _ if negated => {
                return Err(self.expected(
                    "BETWEEN, IN, HAS, LIKE or the like after NOT",
                    &OPERATORS[..NEGATED],
                ));
            }
            _ => {
                let term = Term::Literal(Literal::Bool(true));
                let op = AstOp::Compare(Cmp::Eq, Operand { term, position });
                self.test(AstTest { subject, position, op }, false);
                return Ok(true);
            }
        };
        self.test(AstTest { subject, position, op }, negated);
        Ok(false)
    }

    fn is_what(&mut self, negated: bool) -> Result<AstOp> {
        let op = match self.token.kind {
            Kind::Keyword(Keyword::Null) => AstOp::IsNull,
            Kind::Keyword(Keyword::Missing) => AstOp::IsMissing,
            Kind::Keyword(Keyword::True) => AstOp::IsBool(true),
            Kind::Keyword(Keyword::False) => AstOp::IsBool(false),
            _ => {
                let near =
                    [Keyword::Null, Keyword::Missing, Keyword::True, Keyword::False, Keyword::Not];
                return Err(if negated {
                    self.expected("NULL, MISSING, TRUE or FALSE", &near[..4])
                } else {
                    self.expected("NOT, NULL, MISSING, TRUE or FALSE", &near)
                });
            }
        };
        self.advance()?;
        Ok(op)
    }

    fn between(&mut self) -> Result<AstOp> {
        self.advance()?;
        let low = self.operand()?;
        if !self.accept(Keyword::And)? {
            return Err(self.expected("AND between the ends of BETWEEN", &[Keyword::And]));
        }
        Ok(AstOp::Between(low, self.operand()?))
    }

    fn has(&mut self) -> Result<AstOp> {
        self.advance()?;
        let quantifier = match self.token.kind {
            Kind::Keyword(Keyword::Any) => Quantifier::Any,
            Kind::Keyword(Keyword::All) => Quantifier::All,
            _ => return Ok(AstOp::Has(self.operand()?)),
        };
        self.advance()?;
        Ok(AstOp::HasList(quantifier, self.list(quantifier.name())?))
    }

    fn text(&mut self) -> Result<AstOp> {
        let Kind::Keyword(keyword) = self.take()? else { unreachable!("just seen") };
        let op = text_op(keyword).expect("just seen");
        if matches!(op, TextOp::StartsWith | TextOp::EndsWith) && !self.accept(Keyword::With)? {
            let what = format!("WITH after {}", keyword.text());
            return Err(self.expected(&what, &[Keyword::With]));
        }
        Ok(AstOp::Text(op, self.operand()?))
    }

    /// A list in parentheses or a parameter.
    fn list(&mut self, after: &str) -> Result<List> {
        let position = Position(self.token.start);
        match self.token.kind {
            Kind::Param(_) => {
                let Kind::Param(name) = self.take()? else { unreachable!("just seen") };
                return Ok(List::Param(name, position));
            }
            Kind::Open => self.advance()?,
            _ => return Err(self.expected(&format!("'(' or a parameter after {after}"), &[])),
        }
        let mut list = Vec::new();
        if self.token.kind != Kind::Close {
            list.push(self.operand()?);
            while self.token.kind == Kind::Comma {
                self.advance()?;
                list.push(self.operand()?);
            }
        }
        if self.token.kind != Kind::Close {
            return Err(self.expected("',' or ')'", &[]));
        }
        self.advance()?;
        Ok(List::Operands(list))
    }

    fn is_literal(&self) -> bool {
        matches!(
            self.token.kind,
            Kind::String(_)
                | Kind::Number(_)
                | Kind::Param(_)
                | Kind::Keyword(Keyword::True | Keyword::False)
        )
    }

    fn operand(&mut self) -> Result<Operand> {
        if !self.is_literal() {
            return Err(self.expected(LITERAL, &[Keyword::True, Keyword::False]));
        }
        let position = Position(self.token.start);
        let term = match self.take()? {
            Kind::String(text) => Term::Literal(Literal::String(text)),
            Kind::Number(text) => Term::Literal(Literal::Number(text)),
            Kind::Param(name) => Term::Param(name),
            kind => Term::Literal(Literal::Bool(kind == Kind::Keyword(Keyword::True))),
        };
        Ok(Operand { term, position })
    }

    fn test(&mut self, test: AstTest, negated: bool) {
        self.push(Node::Test(test));
        if negated {
            let child = self.operands.pop().expect("just pushed");
            self.push(Node::Not(child));
        }
    }

    fn push(&mut self, node: Node) {
        self.operands.push(self.nodes.len() as u32);
        self.nodes.push(node);
    }

    fn advance(&mut self) -> Result<()> {
        self.token = self.lexer.next()?;
        Ok(())
    }

    /// The kind of the token, which is passed.
    fn take(&mut self) -> Result<Kind> {
        let next = self.lexer.next()?;
        Ok(mem::replace(&mut self.token, next).kind)
    }

    fn accept(&mut self, keyword: Keyword) -> Result<bool> {
        let is_there = self.token.kind == Kind::Keyword(keyword);
        if is_there {
            self.advance()?;
        }
        Ok(is_there)
    }

    fn expected_operator(&self, was_bare: bool) -> Error {
        let near = if was_bare { &OPERATORS[..] } else { &[Keyword::And, Keyword::Or] };
        let what = match (was_bare, self.has_paren()) {
            (true, false) => "an operator, AND, OR or the end",
            (true, true) => "an operator, AND, OR or ')'",
            (false, false) => "AND, OR or the end",
            (false, true) => "AND, OR or ')'",
        };
        self.expected(what, near)
    }

    /// The error that the token is not `what`, with the one of the `near` keywords that it was
    /// perhaps meant to be.
    fn expected(&self, what: &str, near: &[Keyword]) -> Error {
        let Token { start, end, .. } = self.token;
        let word = &self.lexer.text()[start..end];
        let found = if word.is_empty() { "the end".to_owned() } else { excerpt(word) };
        let own = if what == LITERAL {
            hint::for_literal(self.lexer.text(), &self.token)
        } else if near.contains(&Keyword::And) || near.contains(&Keyword::Has) {
            hint::for_operator(self.lexer.text(), &self.token)
        } else {
            String::new()
        };
        let hint = match hint::meant(word, &self.token, near) {
            Some(meant) if what == LITERAL || own.is_empty() => format!(", did you mean {meant}?"),
            _ => own,
        };
        let message = format!("expected {what}, found {found} at position {start}{hint}");
        Error::new(Code::Filter, message)
    }
}

/// What is asked of a string by an operator that begins with `keyword`.
fn text_op(keyword: Keyword) -> Option<TextOp> {
    Some(match keyword {
        Keyword::Starts => TextOp::StartsWith,
        Keyword::Ends => TextOp::EndsWith,
        Keyword::Contains => TextOp::Contains,
        Keyword::Like => TextOp::Like,
        Keyword::ILike => TextOp::ILike,
        Keyword::Matches => TextOp::Matches,
        _ => return None,
    })
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
