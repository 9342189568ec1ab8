//! Filter text to a tree, by precedence, in one loop over the tokens with an explicit stack of what
//! is open.
//!
//! A predicate is read whole by a handful of functions that call each other to a fixed depth; what
//! a person can nest (parentheses and NOT) lies on the stack and is limited.

use std::mem;

use super::ast::{Ast, AstOp, AstTest, Cmp, Literal, Node, Operand, Position, Term};
use super::hint;
use super::lex::{Keyword, Kind, Lexer, Token, excerpt};
use crate::path::Path;
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

const OPERATORS: [Keyword; 7] = [
    Keyword::Between,
    Keyword::In,
    Keyword::Has,
    Keyword::Is,
    Keyword::And,
    Keyword::Or,
    Keyword::Not,
];

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
        if let Kind::Path(_) = self.token.kind {
            let Kind::Path(path) = self.take()? else { unreachable!("just seen") };
            return self.after_path(path, position);
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
        if !matches!(self.token.kind, Kind::Path(_)) {
            return Err(self.expected("a path to compare the literal with", &[]));
        }
        let Kind::Path(path) = self.take()? else { unreachable!("just seen") };
        self.test(AstTest { path, position, op: AstOp::Compare(cmp.turned(), operand) }, negated);
        Ok(false)
    }

    fn after_path(&mut self, path: Path, position: Position) -> Result<bool> {
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
            Kind::Keyword(Keyword::In) => self.in_list()?,
            Kind::Keyword(Keyword::Has) => {
                self.advance()?;
                AstOp::Has(self.operand()?)
            }
            _ if negated => {
                let near = [Keyword::Between, Keyword::In, Keyword::Has];
                return Err(self.expected("BETWEEN, IN or HAS after NOT", &near));
            }
            _ => {
                let term = Term::Literal(Literal::Bool(true));
                let op = AstOp::Compare(Cmp::Eq, Operand { term, position });
                self.test(AstTest { path, position, op }, false);
                return Ok(true);
            }
        };
        self.test(AstTest { path, position, op }, negated);
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

    fn in_list(&mut self) -> Result<AstOp> {
        self.advance()?;
        let position = Position(self.token.start);
        match self.token.kind {
            Kind::Param(_) => {
                let Kind::Param(name) = self.take()? else { unreachable!("just seen") };
                return Ok(AstOp::InParam(name, position));
            }
            Kind::Open => self.advance()?,
            _ => return Err(self.expected("'(' or a parameter after IN", &[])),
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
        Ok(AstOp::In(list))
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Ast {
        parse(text, &Limits::default()).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn error(text: &str) -> String {
        parse(text, &Limits::default()).expect_err(text).to_string()
    }

    /// The canonical text, which must read back to the same tree.
    fn canonical(text: &str) -> String {
        let ast = read(text);
        let canonical = ast.to_string();
        assert_eq!(read(&canonical), ast, "{text} -> {canonical}");
        canonical
    }

    #[test]
    fn reads_every_predicate() {
        let cases = [
            ("active", "active = TRUE"),
            ("a=1", "a = 1"),
            ("a != 1", "a != 1"),
            ("a <> 1", "a != 1"),
            ("a < 1", "a < 1"),
            ("a<=+1", "a <= 1"),
            ("a > -1.5e3", "a > -1.5e3"),
            ("a >= $min", "a >= $min"),
            ("5 < age", "age > 5"),
            ("5 <= age", "age >= 5"),
            ("5 > age", "age < 5"),
            ("$x >= age", "age <= $x"),
            ("'x' = a", "a = 'x'"),
            ("TRUE != a", "a != TRUE"),
            ("a = false", "a = FALSE"),
            ("a between 1 and $b", "a BETWEEN 1 AND $b"),
            ("a NOT BETWEEN 1 AND 2", "a NOT BETWEEN 1 AND 2"),
            ("a in ()", "a IN ()"),
            ("a IN (1,'it''s',TRUE,$x)", "a IN (1, 'it''s', TRUE, $x)"),
            ("a NOT IN (1)", "a NOT IN (1)"),
            ("a IN $list", "a IN $list"),
            ("a NOT IN $list", "a NOT IN $list"),
            ("tags HAS 'x'", "tags HAS 'x'"),
            ("tags NOT HAS $x", "tags NOT HAS $x"),
            ("a IS NULL", "a IS NULL"),
            ("a is not null", "a IS NOT NULL"),
            ("a IS MISSING", "a IS MISSING"),
            ("a IS NOT MISSING", "a IS NOT MISSING"),
            ("a IS TRUE", "a IS TRUE"),
            ("a IS NOT FALSE", "a IS NOT FALSE"),
            ("items[*].`first name`='x'", "items[*].`first name` = 'x'"),
            ("\n`_id`\t= 1 ", "`_id` = 1"),
        ];
        for (text, expected) in cases {
            assert_eq!(canonical(text), expected, "{text}");
        }
    }

    #[test]
    fn not_binds_before_and_before_or() {
        let cases = [
            ("a OR b AND c", "a = TRUE OR b = TRUE AND c = TRUE"),
            ("(a OR b) AND c", "(a = TRUE OR b = TRUE) AND c = TRUE"),
            ("NOT a AND b", "a != TRUE AND b = TRUE"),
            ("NOT (a AND b)", "NOT (a = TRUE AND b = TRUE)"),
            ("NOT (a = 1)", "a != 1"),
            ("NOT a < 1", "NOT a < 1"),
            ("NOT NOT a = 1", "NOT a != 1"),
            ("NOT a != 1", "NOT a != 1"),
            ("((a))", "a = TRUE"),
            ("a AND (b AND c) AND d", "a = TRUE AND b = TRUE AND c = TRUE AND d = TRUE"),
            ("a OR (b OR (c OR d))", "a = TRUE OR b = TRUE OR c = TRUE OR d = TRUE"),
            ("NOT (NOT (a OR b))", "NOT NOT (a = TRUE OR b = TRUE)"),
            ("a BETWEEN 1 AND 2 AND b", "a BETWEEN 1 AND 2 AND b = TRUE"),
        ];
        for (text, expected) in cases {
            assert_eq!(canonical(text), expected, "{text}");
        }
    }

    #[test]
    fn joins_are_flat_and_in_postorder() {
        let ast = read("a AND (b AND (c OR d)) AND NOT e");
        let shape: Vec<String> = ast
            .nodes
            .iter()
            .map(|node| match node {
                Node::And(children) => format!("and{children:?}"),
                Node::Or(children) => format!("or{children:?}"),
                Node::Not(child) => format!("not {child}"),
                Node::Test(test) => test.path.to_string(),
            })
            .collect();
        assert_eq!(shape, ["a", "b", "c", "d", "or[2, 3]", "e", "not 5", "and[0, 1, 4, 6]"]);
    }

    #[test]
    fn says_what_it_expected_and_where() {
        let cases = [
            ("", "expected a path, a literal, NOT or '(', found the end at position 0"),
            ("a AND", "expected a path, a literal, NOT or '(', found the end at position 5"),
            ("()", "expected a path, a literal, NOT or '(', found ) at position 1"),
            ("a b", "expected an operator, AND, OR or the end, found b at position 2"),
            ("(a b)", "expected an operator, AND, OR or ')', found b at position 3"),
            ("a = 1 b", "expected AND, OR or the end, found b at position 6"),
            ("(a = 1", "expected AND, OR or ')', found the end at position 6"),
            ("a = 1)", "expected AND, OR or the end, found ) at position 5"),
            ("a = b", "expected a literal, found b at position 4; strings take single quotes: 'b'"),
            (
                "a =",
                "expected a literal, found the end at position 3, was a $parameter eaten by the shell?",
            ),
            ("a == 1", "expected a literal, found = at position 3; equality is one ="),
            ("1", "expected a comparison after a literal, found the end at position 1"),
            ("1 IN (1)", "expected a comparison after a literal, found IN at position 2"),
            ("1 = 2", "expected a path to compare the literal with, found 2 at position 4"),
            ("a NOT 1", "expected BETWEEN, IN or HAS after NOT, found 1 at position 6"),
            (
                "a BETWEEN 1",
                "expected AND between the ends of BETWEEN, found the end at position 11",
            ),
            ("a IN 1", "expected '(' or a parameter after IN, found 1 at position 5"),
            ("a IN (1", "expected ',' or ')', found the end at position 7"),
            ("a IN (1 2)", "expected ',' or ')', found 2 at position 8"),
            ("a IN (1,)", "expected a literal, found ) at position 8"),
            ("a IN ($x, (1))", "expected a literal, found ( at position 10"),
            ("a IS", "expected NOT, NULL, MISSING, TRUE or FALSE, found the end at position 4"),
            ("a IS NOT 1", "expected NULL, MISSING, TRUE or FALSE, found 1 at position 9"),
            ("a = 'x", "a string without its closing quote at position 4"),
        ];
        for (text, expected) in cases {
            assert_eq!(error(text), format!("FILTER {expected}"), "{text}");
        }
    }

    #[test]
    fn guesses_what_was_meant() {
        let cases = [
            ("age BETWEN 1 AND 2", "found BETWEN at position 4, did you mean BETWEEN?"),
            ("age betwene 1 AND 2", "found betwene at position 4, did you mean BETWEEN?"),
            ("age BETWEEN 1 ADN 2", "found ADN at position 14, did you mean AND?"),
            ("a hsa 1", "found hsa at position 2, did you mean HAS?"),
            ("a = 1 adn b", "found adn at position 6, did you mean AND?"),
            ("a IS nul", "found nul at position 5, did you mean NULL?"),
            ("a IS NOT misisng", "found misisng at position 9, did you mean MISSING?"),
            ("a = ture", "found ture at position 4, did you mean TRUE?"),
            ("a = NULL", "expected a literal, found NULL at position 4, did you mean IS NULL?"),
            ("a IN (NULL)", "expected a literal, found NULL at position 6, did you mean IS NULL?"),
            ("a = MISSING", "found MISSING at position 4, did you mean IS MISSING?"),
            ("a LIKE 'x%'", "found LIKE at position 2; LIKE is reserved and not there yet"),
        ];
        for (text, expected) in cases {
            assert!(error(text).ends_with(expected), "{text}: {}", error(text));
        }
    }

    #[test]
    fn says_how_it_is_written() {
        let cases = [
            ("name = ada", "found ada at position 7; strings take single quotes: 'ada'"),
            ("name = it's x", "found it at position 7; strings take single quotes: 'it''s'"),
            ("a IN (x-y, 1)", "found x at position 6; strings take single quotes: 'x-y'"),
            ("name = \"ada\"", "unexpected '\"' at position 7; strings take single quotes"),
            ("a = 1 && b", "unexpected '&' at position 6; use AND"),
            ("a = 1 || b", "unexpected '|' at position 6; use OR"),
            ("!a", "unexpected '!' at position 0; use NOT"),
            ("a >  AND b", "found AND at position 5, was a $parameter eaten by the shell?"),
            (
                "first-name = 'x'",
                "-name is no number at position 5; a name with '-' takes back-quotes",
            ),
            ("a.b-5 = 1", "found -5 at position 3; a name with '-' takes back-quotes"),
            (
                "day = 2024-05-01",
                "-05 is no number at position 10; a date is a string in single quotes",
            ),
            ("a = 5-3", "found -3 at position 5"),
            ("a = 'it's'", "found s at position 8; a quote inside a string is doubled: ''"),
            ("a NOT like 'x'", "found like at position 6; LIKE is reserved and not there yet"),
            (
                "a contains 'x'",
                "found contains at position 2; CONTAINS is reserved and not there yet: an element \
                 is asked for with HAS",
            ),
        ];
        for (text, expected) in cases {
            assert!(error(text).ends_with(expected), "{text}: {}", error(text));
        }
    }

    #[test]
    fn an_error_is_one_short_line() {
        let text = format!("a = 1 '{}\r\n'", "x\n".repeat(1000));
        let error = error(&text);
        assert!(error.len() < 200 && !error.contains(['\r', '\n']), "{error}");
    }

    #[test]
    fn limits_are_named() {
        let limits = Limits { filter_bytes_max: 8, ..Limits::default() };
        assert_eq!(
            parse("abcd = 12", &limits).unwrap_err().to_string(),
            "TOOBIG a filter of 9 bytes exceeds the limit of 8 (folio.filter-bytes-max)"
        );
        assert!(parse("abc = 12", &limits).is_ok());
        let limits = Limits { filter_depth_max: 3, ..Limits::default() };
        let too_deep = "TOOBIG a filter of depth 4 exceeds the limit of 3 (folio.filter-depth-max)";
        for text in ["((((a))))", "NOT NOT NOT NOT a", "(NOT (NOT a))"] {
            assert_eq!(parse(text, &limits).unwrap_err().to_string(), too_deep, "{text}");
        }
        assert!(parse("((a) AND (NOT b)) OR (((c)))", &limits).is_ok());
    }

    #[test]
    fn depth_is_no_danger() {
        let bytes = 200_000;
        let limits = Limits { filter_bytes_max: 1 << 20, ..Limits::default() };
        for opening in ["(", "NOT ", "NOT("] {
            let text = format!("{}a", opening.repeat(bytes / 2));
            assert_eq!(parse(&text, &limits).unwrap_err().code, Code::TooBig);
        }
        let limits = Limits { filter_depth_max: usize::MAX, ..limits };
        let text = format!("{}a{}", "(".repeat(100_000), ")".repeat(100_000));
        assert_eq!(parse(&text, &limits).unwrap().to_string(), "a = TRUE");
        let text = format!("{}a < 1", "NOT ".repeat(100_000));
        let ast = parse(&text, &limits).unwrap();
        assert_eq!((ast.nodes.len(), ast.to_string()), (100_001, text));
    }

    /// A tree as tests make it, to be brought into normal form.
    #[derive(Debug, Clone)]
    enum Tree {
        Test(AstTest),
        Not(Box<Tree>),
        And(Vec<Tree>),
        Or(Vec<Tree>),
    }

    fn lay(tree: Tree, nodes: &mut Vec<Node>) -> u32 {
        let node = match tree {
            Tree::Test(test) => Node::Test(test),
            Tree::Not(child) => Node::Not(lay(*child, nodes)),
            Tree::And(trees) => Node::And(trees.into_iter().map(|tree| lay(tree, nodes)).collect()),
            Tree::Or(trees) => Node::Or(trees.into_iter().map(|tree| lay(tree, nodes)).collect()),
        };
        nodes.push(node);
        nodes.len() as u32 - 1
    }

    fn any_test() -> impl Strategy<Value = AstTest> {
        let name = prop_oneof!["[a-z]{1,3}", "_id", "in|Not|a b|`", ".{0,3}"];
        let path = (name, any::<Option<bool>>()).prop_map(|(name, more)| {
            use crate::path::Step;
            let first = Step::Name(name.as_str().into());
            match more {
                None => Path::new(vec![first]),
                Some(true) => Path::new(vec![first, Step::Each]),
                Some(false) => Path::new(vec![first.clone(), Step::Index(7), first]),
            }
        });
        let term = prop_oneof![
            any::<bool>().prop_map(|value| Term::Literal(Literal::Bool(value))),
            any::<i64>().prop_map(|value| Term::Literal(Literal::Number(value.to_string().into()))),
            "['a-z]{0,3}|.{0,5}".prop_map(|text| Term::Literal(Literal::String(text.into()))),
            "[a-z_][a-z0-9]{0,2}".prop_map(|name| Term::Param(name.into())),
        ];
        let operand = term.prop_map(|term| Operand { term, position: Position(0) });
        let cmp = prop::sample::select(vec![Cmp::Eq, Cmp::Lt, Cmp::Le, Cmp::Gt, Cmp::Ge]);
        let op = prop_oneof![
            (cmp, operand.clone()).prop_map(|(cmp, operand)| AstOp::Compare(cmp, operand)),
            (operand.clone(), operand.clone()).prop_map(|(low, high)| AstOp::Between(low, high)),
            prop::collection::vec(operand.clone(), 0..4).prop_map(AstOp::In),
            "[a-z]{1,3}".prop_map(|name| AstOp::InParam(name.into(), Position(0))),
            operand.prop_map(AstOp::Has),
            prop::sample::select(vec![
                AstOp::IsNull,
                AstOp::IsMissing,
                AstOp::IsBool(true),
                AstOp::IsBool(false)
            ]),
        ];
        (path, op).prop_map(|(path, op)| AstTest { path, position: Position(0), op })
    }

    fn any_ast() -> impl Strategy<Value = Ast> {
        let tree = any_test().prop_map(Tree::Test).prop_recursive(6, 40, 4, |inner| {
            prop_oneof![
                inner.clone().prop_map(|tree| Tree::Not(Box::new(tree))),
                prop::collection::vec(inner.clone(), 2..4).prop_map(Tree::And),
                prop::collection::vec(inner, 2..4).prop_map(Tree::Or),
            ]
        });
        tree.prop_map(|tree| {
            let mut nodes = Vec::new();
            let root = lay(tree, &mut nodes);
            Ast::normal(nodes, root)
        })
    }

    const SOUP: [&str; 32] = [
        "a", "b.c", "`x`", "t[*]", "1", "-2.5", "'s'", "$p", "=", "!=", "<>", "<", "<=", ">", ">=",
        "(", ")", ",", "AND", "OR", "NOT", "IN", "BETWEEN", "HAS", "IS", "NULL", "MISSING", "TRUE",
        "FALSE", "_x", "'", "[",
    ];

    proptest! {
        #[test]
        fn what_is_written_reads_back(ast in any_ast()) {
            let text = ast.to_string();
            prop_assert_eq!(parse(&text, &Limits::default()).expect(&text), ast, "{}", text);
        }

        #[test]
        fn no_text_panics(text in any::<String>(), bytes in any::<Vec<u8>>()) {
            let _ = parse(&text, &Limits::default());
            let _ = parse(&String::from_utf8_lossy(&bytes), &Limits::default());
        }

        #[test]
        fn no_soup_of_tokens_panics(
            tokens in prop::collection::vec(prop::sample::select(&SOUP[..]), 0..16)
        ) {
            let text = tokens.join(" ");
            if let Ok(ast) = parse(&text, &Limits::default()) {
                prop_assert_eq!(parse(&ast.to_string(), &Limits::default()).unwrap(), ast);
            }
            let _ = parse(&tokens.concat(), &Limits::default());
        }
    }
}
