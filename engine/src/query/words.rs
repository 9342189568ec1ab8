//! What a predicate is made of besides operators: values, the words that stand behind a value, and what to say where none
//! of them is.

use super::ast::{AstElements, AstOp, AstTest, KINDS, List, Position, Quantifier, TextOp};
use super::hint;
use super::lex::{Keyword, Kind, Token, excerpt};
use super::operand::{Function, Literal, Operand, Subject, Term};
use super::parse::{Bond, Item, Open, Parser};
use crate::path::{Path, Step};
use crate::value::Kind as JsonKind;
use crate::{Code, Error, Result};

/// What a list or an operator takes.
const LITERAL: &str = "a literal";
/// What a comparison takes.
pub(super) const VALUE: &str = "a path or a literal";
/// What a condition begins with.
pub(super) const CONDITION: &str = "a path, a literal, NOT or '('";

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
    /// `ANY path WHERE`, up to the parenthesis.
    pub(super) fn elements(&mut self, quantifier: Quantifier) -> Result<AstElements> {
        self.advance()?;
        let position = self.position();
        self.expect_element()?;
        let Kind::Subject(Subject::Path(path)) = self.take()? else {
            let what = format!("expected the path of an array after {}", quantifier.name());
            return Err(Error::filter(position.0, what));
        };
        if !self.accept(Keyword::Where)? {
            let what = format!("WHERE after {} and a path", quantifier.name());
            return Err(self.expected(&what, &[Keyword::Where]));
        }
        if self.token.kind != Kind::Open {
            return Err(self.expected("'(' after WHERE", &[]));
        }
        Ok(AstElements { quantifier, path, position })
    }

    /// Where there is no element, `@` stands for nothing.
    fn expect_element(&self) -> Result<()> {
        let start = self.token.start;
        let is_within = self.open.iter().any(|open| matches!(open, Open::Elements(_)));
        if is_within || !self.lexer.text()[start..].starts_with('@') {
            return Ok(());
        }
        let what = "@ is an element, and stands in ANY .. WHERE (..) or ALL .. WHERE (..) only";
        Err(Error::filter(start, what))
    }

    /// A path or metadata, or, where a parenthesis follows, a function of the language; none where it is a loaded one, which
    /// is a condition.
    pub(super) fn subject(&mut self) -> Result<Option<Operand>> {
        let position = self.position();
        self.expect_element()?;
        let Kind::Subject(subject) = self.take()? else { unreachable!("just seen") };
        if self.token.kind != Kind::Open {
            return Ok(Some(Operand::of(Term::Subject(subject), position)));
        }
        let name = subject.to_string();
        let Some(function) = Function::of(&name) else {
            return self.call(name, position).map(|()| None);
        };
        self.advance()?;
        let mut operand = Operand { terms: smallvec::SmallVec::new() };
        if function != Function::Now {
            operand = self.literal()?;
        }
        if self.token.kind != Kind::Close {
            return Err(self.expected(&format!("')' to close {}(", function.name()), &[]));
        }
        self.advance()?;
        operand.terms.push((Term::Call(function), position));
        Ok(Some(operand))
    }

    /// What a loaded function is given, behind its name: a path, then paths and constants.
    fn call(&mut self, name: String, position: Position) -> Result<()> {
        if !self.is_condition_next() {
            let what = format!("{} is a condition, and no value", excerpt(&name));
            return Err(Error::filter(position.0, what));
        }
        let mut given: Vec<Operand> = Vec::new();
        while given.is_empty() || self.token.kind == Kind::Comma {
            self.advance()?;
            let operand = match &self.token.kind {
                Kind::Subject(_) => {
                    let position = self.position();
                    self.expect_element()?;
                    let Kind::Subject(subject) = self.take()? else { unreachable!("just seen") };
                    Operand::of(Term::Subject(subject), position)
                }
                _ if given.is_empty() => return Err(no_function(&name, position)),
                _ => self.literal()?,
            };
            given.push(operand);
        }
        if self.token.kind != Kind::Close {
            return Err(self.expected(&format!("')' to close {name}("), &[]));
        }
        self.advance()?;
        let left = given.remove(0);
        self.test(
            AstTest { left, op: AstOp::Calls(name.into(), position, given) },
            false,
            position,
        );
        Ok(())
    }

    pub(super) fn is_literal(&self) -> bool {
        matches!(
            self.token.kind,
            Kind::String(_)
                | Kind::Number(_)
                | Kind::Param(_)
                | Kind::Keyword(Keyword::True | Keyword::False)
        )
    }

    pub(super) fn literal(&mut self) -> Result<Operand> {
        if !self.is_literal() {
            return Err(self.expected(LITERAL, &[Keyword::True, Keyword::False]));
        }
        let position = self.position();
        let term = match self.take()? {
            Kind::String(text) => Term::Literal(Literal::String(text)),
            Kind::Number(text) => Term::Literal(Literal::Number(text)),
            Kind::Param(name) => Term::Param(name),
            kind => Term::Literal(Literal::Bool(kind == Kind::Keyword(Keyword::True))),
        };
        Ok(Operand::of(term, position))
    }

    /// A literal, a parameter or a function.
    fn constant(&mut self) -> Result<Operand> {
        if let Kind::Subject(Subject::Path(path)) = &self.token.kind
            && let [Step::Name(name)] = path.steps()
            && Function::of(name).is_some()
        {
            let operand = self.subject()?.expect("a function of the language is a value");
            if operand.is_constant() {
                return Ok(operand);
            }
            return Err(self.expected("'(' after the name of a function", &[]));
        }
        self.literal()
    }

    /// An operator that a word begins and that is complete with what follows it; true for BETWEEN, whose values are to
    /// come.
    pub(super) fn postfix(&mut self) -> Result<bool> {
        self.reduce(Bond::Sum)?;
        let is_value = matches!(self.items.last(), Some(Item::Value(_)));
        let is_compared =
            matches!(self.open.last(), Some(Open::Compare(..) | Open::Low(_) | Open::High(_)));
        if !is_value || is_compared {
            return Err(self.expected_operator());
        }
        let negated = self.accept(Keyword::Not)?;
        let (op, negated) = match self.token.kind {
            Kind::Keyword(Keyword::Is) if !negated => {
                self.advance()?;
                let negated = self.accept(Keyword::Not)?;
                (self.is_what(negated)?, negated)
            }
            Kind::Keyword(Keyword::Between) => {
                self.compare(Open::Low(negated))?;
                return Ok(true);
            }
            Kind::Keyword(Keyword::In) => {
                self.advance()?;
                (AstOp::In(self.list("IN")?), negated)
            }
            Kind::Keyword(Keyword::Has) => (self.has()?, negated),
            Kind::Keyword(keyword) if text_op(keyword).is_some() => (self.text()?, negated),
            _ if negated => {
                return Err(self.expected(
                    "BETWEEN, IN, HAS, LIKE or the like after NOT",
                    &OPERATORS[..NEGATED],
                ));
            }
            _ => return Err(self.expected_operator()),
        };
        let left = self.take_value()?;
        let position = left.position();
        if !matches!(op, AstOp::In(_)) && left.as_subject().is_none() {
            return Err(Error::filter(position.0, format!("expected a path alone, found {left}")));
        }
        self.test(AstTest { left, op }, negated, position);
        Ok(false)
    }

    fn is_what(&mut self, negated: bool) -> Result<AstOp> {
        let kind = match &self.token.kind {
            Kind::Subject(Subject::Path(path)) => kind_called(path),
            _ => None,
        };
        let op = match self.token.kind {
            Kind::Keyword(Keyword::Null) => AstOp::IsNull,
            Kind::Keyword(Keyword::Missing) => AstOp::IsMissing,
            Kind::Keyword(Keyword::True) => AstOp::IsBool(true),
            Kind::Keyword(Keyword::False) => AstOp::IsBool(false),
            _ => match kind {
                Some(kind) => AstOp::IsKind(kind),
                None => return Err(self.expected_what(negated)),
            },
        };
        self.advance()?;
        Ok(op)
    }

    fn expected_what(&self, negated: bool) -> Error {
        let near = [Keyword::Null, Keyword::Missing, Keyword::True, Keyword::False, Keyword::Not];
        let (start, near) = if negated { ("", &near[..4]) } else { ("NOT, ", &near[..]) };
        let kinds = KINDS.map(|(name, _)| name);
        let what = format!("{start}NULL, MISSING, TRUE, FALSE or {}", kinds.join(", "));
        let mut error = self.expected(&what, near);
        let word = &self.lexer.text()[self.token.start..self.token.end];
        if let (Kind::Subject(_), Some(meant)) = (&self.token.kind, hint::nearest(word, kinds))
            && !error.message.contains("did you mean")
        {
            error.message = format!("{}, did you mean {meant}?", error.message).into();
        }
        error
    }

    fn has(&mut self) -> Result<AstOp> {
        self.advance()?;
        let quantifier = match self.token.kind {
            Kind::Keyword(Keyword::Any) => Quantifier::Any,
            Kind::Keyword(Keyword::All) => Quantifier::All,
            _ => return Ok(AstOp::Has(self.constant()?)),
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
        Ok(AstOp::Text(op, self.literal()?))
    }

    /// A list in parentheses or a parameter.
    fn list(&mut self, after: &str) -> Result<List> {
        let position = self.position();
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
            list.push(self.constant()?);
            while self.token.kind == Kind::Comma {
                self.advance()?;
                list.push(self.constant()?);
            }
        }
        if self.token.kind != Kind::Close {
            return Err(self.expected("',' or ')'", &[]));
        }
        self.advance()?;
        Ok(List::Operands(list))
    }

    pub(super) fn expected_operator(&self) -> Error {
        let is_between = matches!(self.open.last(), Some(Open::Low(_)));
        if is_between {
            return self.expected("AND between the ends of BETWEEN", &[Keyword::And]);
        }
        let end = if self.depth_of_parens() > 0 { "')'" } else { "the end" };
        match self.items.last() {
            Some(Item::Value(operand)) if !self.is_compared() => {
                if operand.as_subject().is_some() {
                    self.expected(&format!("an operator, AND, OR or {end}"), &OPERATORS)
                } else {
                    self.expected("a comparison after a value", &OPERATORS[..2])
                }
            }
            _ => self.expected(&format!("AND, OR or {end}"), &[Keyword::And, Keyword::Or]),
        }
    }

    /// Whether the last value ends a comparison.
    fn is_compared(&self) -> bool {
        self.open.last().and_then(Open::bond).is_some_and(|bond| bond >= Bond::Compare)
    }

    pub(super) fn found(&self) -> String {
        let word = &self.lexer.text()[self.token.start..self.token.end];
        if word.is_empty() { "the end".to_owned() } else { excerpt(word) }
    }

    /// The error that the token is not `what`, with the one of the `near` keywords that it was
    /// perhaps meant to be.
    pub(super) fn expected(&self, what: &str, near: &[Keyword]) -> Error {
        let Token { start, end, .. } = self.token;
        let word = &self.lexer.text()[start..end];
        let is_literal = what == LITERAL || what == VALUE;
        let own = if is_literal {
            hint::for_literal(self.lexer.text(), &self.token)
        } else if near.contains(&Keyword::And) || near.contains(&Keyword::Has) {
            hint::for_operator(self.lexer.text(), &self.token)
        } else {
            String::new()
        };
        let hint = match hint::meant(word, &self.token, near) {
            Some(meant) if is_literal || own.is_empty() => format!(", did you mean {meant}?"),
            _ => own,
        };
        let found = self.found();
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

/// The JSON kind that a word after IS names.
fn kind_called(path: &Path) -> Option<JsonKind> {
    let [Step::Name(name)] = path.steps() else { return None };
    KINDS.iter().find(|(word, _)| word.eq_ignore_ascii_case(name)).map(|(_, kind)| *kind)
}

/// The error of what is none of the language's functions, and no loaded one either: those take a path first.
fn no_function(name: &str, position: Position) -> Error {
    let known = Function::ALL.map(Function::name);
    let meant = hint::nearest(name, known)
        .map_or(String::new(), |meant| format!(", did you mean {meant}?"));
    let what = format!("{} is no function; there are {}", excerpt(name), known.join(", "));
    Error::new(Code::Filter, format!("{what} at position {}{meant}", position.0))
}
