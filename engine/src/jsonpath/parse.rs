//! Text to program, in one loop with an explicit stack of what is open: a query, its brackets, a filter within them,
//! parentheses and function calls within that, and queries again.
//!
//! Operations are appended as their operands become complete, so the postorder of the program is the order of
//! reading; `&&` and `||` leave a jump whose target is known when their right side ends. The canonical text is
//! written along the way.

use std::mem;

use super::JsonPath;
use super::program::{Ask, Cmp, Filter, Function, Op, Query, QueryId, Segment, Selector, Slice};
use super::scan::{Scanner, write_quoted};
use crate::doc::print::write_string;
use crate::{Code, Error, Limits, Result};

/// Reads a query; see [`JsonPath::parse`].
pub(super) fn parse(text: &str, limits: &Limits) -> Result<JsonPath> {
    let (bytes, bytes_max) = (text.len(), limits.filter_bytes_max);
    if bytes > bytes_max {
        let what = format!(
            "a path of {bytes} bytes exceeds the limit of {bytes_max} (folio.filter-bytes-max)"
        );
        return Err(Error::new(Code::TooBig, what));
    }
    let parser = Parser {
        scan: Scanner { text, at: 0 },
        depth_max: limits.filter_depth_max,
        depth: 0,
        canonical: String::with_capacity(bytes),
        queries: Vec::new(),
        filters: Vec::new(),
        ops: Vec::new(),
        open: Vec::new(),
    };
    parser.run()
}

/// What waits for its end, or for its right side.
enum Open {
    /// A query, and where it begins.
    Query(Query, usize),
    Brackets(Segment),
    /// A filter, and the operations of the one around it.
    Filter(Vec<Op>),
    Paren,
    Not,
    /// `&&`, and where its jump stands.
    And(usize),
    Or(usize),
    Comparison(Cmp),
    Call {
        function: Function,
        position: usize,
        /// Arguments that are complete.
        count: usize,
    },
}

/// What is read next.
enum Goal {
    Segment,
    Selector,
    AfterSelector,
    /// An operand, which the text calls so.
    Operand(&'static str),
    AfterOperand(Operand, usize),
    /// What follows a test, a comparison or a parenthesis.
    AfterTest,
    End,
}

/// What was read as one side of a comparison, an argument or a test.
#[derive(Clone, Copy)]
enum Operand {
    Literal,
    Query(QueryId),
    Call(Function),
}

const TERM: &str = "'@', '$', a literal, a function, '!' or '('";
const VALUE: &str = "'@', '$', a literal or a function";

struct Parser<'t> {
    scan: Scanner<'t>,
    depth_max: usize,
    /// Filters, parentheses, negations and calls in `open`.
    depth: usize,
    canonical: String,
    queries: Vec<Query>,
    filters: Vec<Filter>,
    /// Of the innermost filter.
    ops: Vec<Op>,
    open: Vec<Open>,
}

impl Parser<'_> {
    fn run(mut self) -> Result<JsonPath> {
        if self.scan.peek() != Some(b'$') {
            return Err(self.scan.expected("'$'"));
        }
        let mut goal = self.begin_query();
        loop {
            goal = match goal {
                Goal::Segment => self.segment()?,
                Goal::Selector => self.selector()?,
                Goal::AfterSelector => self.after_selector()?,
                Goal::Operand(called) => self.operand(called)?,
                Goal::AfterOperand(operand, position) => self.after_operand(operand, position)?,
                Goal::AfterTest => self.after_test()?,
                Goal::End => break,
            }
        }
        Ok(JsonPath {
            text: self.canonical.into(),
            queries: self.queries.into(),
            filters: self.filters.into(),
        })
    }

    /// Opens what a user can nest.
    fn nest(&mut self, open: Open) -> Result<()> {
        self.depth += 1;
        if self.depth > self.depth_max {
            let (depth, depth_max) = (self.depth, self.depth_max);
            let what = format!(
                "a path whose filters are {depth} deep exceeds the limit of {depth_max} (folio.filter-depth-max)"
            );
            return Err(Error::new(Code::TooBig, what));
        }
        self.open.push(open);
        Ok(())
    }

    /// Closes the innermost.
    fn close(&mut self) {
        self.open.pop();
        self.depth -= 1;
    }

    /// At `$` or `@`.
    fn begin_query(&mut self) -> Goal {
        let position = self.scan.at;
        let is_absolute = self.scan.eat("$");
        if !is_absolute {
            self.scan.at += 1;
        }
        self.canonical.push(if is_absolute { '$' } else { '@' });
        self.open.push(Open::Query(Query { is_absolute, segments: Vec::new() }, position));
        Goal::Segment
    }

    fn segment(&mut self) -> Result<Goal> {
        let end = self.scan.at;
        self.scan.skip_space();
        let descends = self.scan.eat("..");
        if descends {
            self.canonical += "..";
        }
        if self.scan.eat("[") {
            self.canonical.push('[');
            self.open.push(Open::Brackets(Segment { descends, selectors: Vec::new() }));
            return Ok(Goal::Selector);
        }
        if !descends && !self.scan.eat(".") {
            self.scan.at = end;
            return self.end_query();
        }
        let selector = if self.scan.eat("*") {
            self.canonical += "[*]";
            Selector::Wildcard
        } else if let Some(name) = self.scan.name() {
            self.canonical.push('[');
            write_quoted(name, &mut self.canonical);
            self.canonical.push(']');
            Selector::Name(name.into())
        } else {
            let what = if descends { "a name, '*' or '['" } else { "a name or '*'" };
            return Err(self.scan.expected(what));
        };
        self.add_segment(Segment { descends, selectors: vec![selector] });
        Ok(Goal::Segment)
    }

    fn add_segment(&mut self, segment: Segment) {
        match self.open.last_mut() {
            Some(Open::Query(query, _)) => query.segments.push(segment),
            _ => unreachable!("segments are read within a query"),
        }
    }

    fn end_query(&mut self) -> Result<Goal> {
        let Some(Open::Query(query, position)) = self.open.pop() else {
            unreachable!("segments are read within a query");
        };
        self.queries.push(query);
        if !self.open.is_empty() {
            return Ok(Goal::AfterOperand(Operand::Query(self.queries.len() - 1), position));
        }
        if self.scan.peek().is_some() {
            return Err(self.scan.expected("'.', '..' or '['"));
        }
        Ok(Goal::End)
    }

    fn selector(&mut self) -> Result<Goal> {
        self.scan.skip_space();
        let selector = match self.scan.peek() {
            Some(b'\'' | b'"') => {
                let name = self.scan.string()?;
                write_quoted(&name, &mut self.canonical);
                Selector::Name(name.into())
            }
            Some(b'*') => {
                self.scan.at += 1;
                self.canonical.push('*');
                Selector::Wildcard
            }
            Some(b'?') => {
                self.scan.at += 1;
                self.canonical.push('?');
                let outer = mem::take(&mut self.ops);
                self.nest(Open::Filter(outer))?;
                return Ok(Goal::Operand(TERM));
            }
            _ => self.index_or_slice()?,
        };
        self.add_selector(selector);
        Ok(Goal::AfterSelector)
    }

    fn index_or_slice(&mut self) -> Result<Selector> {
        let start = self.scan.integer()?;
        self.write_integer(start);
        let end = self.scan.at;
        self.scan.skip_space();
        if !self.scan.eat(":") {
            self.scan.at = end;
            return start.map(Selector::Index).ok_or_else(|| {
                self.scan.expected("a name in quotes, an index, a slice, '*' or '?'")
            });
        }
        self.canonical.push(':');
        self.scan.skip_space();
        let end = self.scan.integer()?;
        self.write_integer(end);
        self.scan.skip_space();
        let mut step = None;
        if self.scan.eat(":") {
            self.scan.skip_space();
            step = self.scan.integer()?;
        }
        if step.is_some() {
            self.canonical.push(':');
            self.write_integer(step);
        }
        Ok(Selector::Slice(Slice { start, end, step: step.unwrap_or(1) }))
    }

    fn write_integer(&mut self, integer: Option<i64>) {
        if let Some(integer) = integer {
            self.canonical += &integer.to_string();
        }
    }

    fn add_selector(&mut self, selector: Selector) {
        match self.open.last_mut() {
            Some(Open::Brackets(segment)) => segment.selectors.push(selector),
            _ => unreachable!("selectors are read within brackets"),
        }
    }

    fn after_selector(&mut self) -> Result<Goal> {
        self.scan.skip_space();
        if self.scan.eat(",") {
            self.canonical += ", ";
            return Ok(Goal::Selector);
        }
        if !self.scan.eat("]") {
            return Err(self.scan.expected("',' or ']'"));
        }
        self.canonical.push(']');
        let Some(Open::Brackets(segment)) = self.open.pop() else {
            unreachable!("selectors are read within brackets");
        };
        self.add_segment(segment);
        Ok(Goal::Segment)
    }

    /// An operand, or one of the openings before it where it may be a test.
    fn operand(&mut self, called: &'static str) -> Result<Goal> {
        self.scan.skip_space();
        let may_test = called == TERM;
        match self.scan.peek() {
            Some(b'@' | b'$') => Ok(self.begin_query()),
            Some(b'\'' | b'"' | b'-' | b'0'..=b'9') => self.literal(),
            Some(b'a'..=b'z') => self.word(called),
            Some(b'(') if may_test => {
                self.scan.at += 1;
                self.canonical.push('(');
                self.nest(Open::Paren)?;
                Ok(Goal::Operand(TERM))
            }
            Some(b'!') if may_test && !matches!(self.open.last(), Some(Open::Not)) => {
                self.scan.at += 1;
                self.canonical.push('!');
                self.nest(Open::Not)?;
                Ok(Goal::Operand(TERM))
            }
            _ => Err(self.scan.expected(called)),
        }
    }

    fn literal(&mut self) -> Result<Goal> {
        let position = self.scan.at;
        let mut json = Vec::new();
        if matches!(self.scan.peek(), Some(b'\'' | b'"')) {
            let string = self.scan.string()?;
            write_quoted(&string, &mut self.canonical);
            write_string(&string, &mut json);
        } else {
            let number = self.scan.number()?;
            self.canonical += number;
            json.extend_from_slice(number.as_bytes());
        }
        self.ops.push(Op::Literal(json.into()));
        Ok(Goal::AfterOperand(Operand::Literal, position))
    }

    /// `true`, `false`, `null`, or the name of a function with its parenthesis.
    fn word(&mut self, called: &'static str) -> Result<Goal> {
        let position = self.scan.at;
        let word = self.scan.word();
        let is_call = self.scan.eat("(");
        if !is_call && matches!(word, "true" | "false" | "null") {
            self.canonical += word;
            self.ops.push(Op::Literal(word.as_bytes().into()));
            return Ok(Goal::AfterOperand(Operand::Literal, position));
        }
        if !is_call {
            self.scan.at = position;
            return Err(self.scan.expected(called));
        }
        let function = Function::ALL.into_iter().find(|function| function.name() == word);
        let Some(function) = function else {
            let known = Function::ALL.map(Function::name).join(", ");
            let what = format!("an unknown function at position {position}; there are {known}");
            return Err(Error::new(Code::Path, what));
        };
        self.canonical += word;
        self.canonical.push('(');
        self.nest(Open::Call { function, position, count: 0 })?;
        Ok(Goal::Operand(VALUE))
    }

    fn after_operand(&mut self, operand: Operand, position: usize) -> Result<Goal> {
        match self.open.last() {
            Some(Open::Call { .. }) => return self.after_argument(operand, position),
            Some(Open::Comparison(cmp)) => {
                let cmp = *cmp;
                self.open.pop();
                self.as_value(operand, position)?;
                self.ops.push(Op::Compare(cmp));
                return Ok(Goal::AfterTest);
            }
            _ => {}
        }
        self.scan.skip_space();
        let sign = self.scan.at;
        let Some((text, cmp)) = Cmp::SIGNS.into_iter().find(|(text, _)| self.scan.eat(text)) else {
            self.as_test(operand, position)?;
            return Ok(Goal::AfterTest);
        };
        if matches!(self.open.last(), Some(Open::Not)) {
            let what = format!("a comparison behind '!' takes parentheses at position {sign}");
            return Err(Error::new(Code::Path, what));
        }
        self.as_value(operand, position)?;
        self.canonical.extend([" ", text, " "]);
        self.open.push(Open::Comparison(cmp));
        Ok(Goal::Operand(VALUE))
    }

    fn after_argument(&mut self, operand: Operand, position: usize) -> Result<Goal> {
        let Some(Open::Call { function, position: called, count }) = self.open.last_mut() else {
            unreachable!("arguments are read within a call");
        };
        *count += 1;
        let (function, called, count) = (*function, *called, *count);
        match (function.asks(), operand) {
            (Some(ask), Operand::Query(query)) => self.ops.push(Op::Run(query, ask)),
            (Some(_), _) => {
                let what =
                    format!("{} takes a path, found none at position {position}", function.name());
                return Err(Error::new(Code::Path, what));
            }
            (None, _) => self.as_value(operand, position)?,
        }
        self.scan.skip_space();
        if count < function.arity() && self.scan.eat(",") {
            self.canonical += ", ";
            return Ok(Goal::Operand(VALUE));
        }
        if count < function.arity() {
            return Err(self.scan.expected("',' and another argument"));
        }
        if !self.scan.eat(")") {
            return Err(self.scan.expected("')'"));
        }
        self.canonical.push(')');
        self.close();
        self.ops.extend(function.op());
        Ok(Goal::AfterOperand(Operand::Call(function), called))
    }

    /// The operand has to give one value, which is pushed.
    fn as_value(&mut self, operand: Operand, position: usize) -> Result<()> {
        let what = match operand {
            Operand::Literal => return Ok(()),
            Operand::Query(query) if self.queries[query].is_singular() => {
                self.ops.push(Op::Value(query));
                return Ok(());
            }
            Operand::Query(_) => "a path that can select several values".to_owned(),
            Operand::Call(function) if !function.is_logical() => return Ok(()),
            Operand::Call(function) => format!("{}, which gives no value,", function.name()),
        };
        let what = format!("{what} stands in place of a value at position {position}");
        Err(Error::new(Code::Path, what))
    }

    /// The operand has to give true or false.
    fn as_test(&mut self, operand: Operand, position: usize) -> Result<()> {
        let what = match operand {
            Operand::Query(query) => {
                self.ops.push(Op::Run(query, Ask::Exists));
                return Ok(());
            }
            Operand::Call(function) if function.is_logical() => return Ok(()),
            Operand::Call(function) => format!("the value of {}", function.name()),
            Operand::Literal => "a literal".to_owned(),
        };
        let what = format!("{what} is not compared with anything at position {position}");
        Err(Error::new(Code::Path, what))
    }

    fn after_test(&mut self) -> Result<Goal> {
        while matches!(self.open.last(), Some(Open::Not)) {
            self.close();
            self.ops.push(Op::Not);
        }
        self.scan.skip_space();
        if self.scan.eat("&&") {
            self.end_and();
            self.canonical += " && ";
            self.open.push(Open::And(self.ops.len()));
            self.ops.push(Op::IfFalse(0));
            return Ok(Goal::Operand(TERM));
        }
        self.end_and();
        self.end_or();
        if self.scan.eat("||") {
            self.canonical += " || ";
            self.open.push(Open::Or(self.ops.len()));
            self.ops.push(Op::IfTrue(0));
            return Ok(Goal::Operand(TERM));
        }
        match self.open.last_mut() {
            Some(Open::Filter(outer)) if matches!(self.scan.peek(), Some(b',' | b']')) => {
                let ops = mem::replace(&mut self.ops, mem::take(outer));
                self.close();
                self.filters.push(ops.into());
                self.add_selector(Selector::Filter(self.filters.len() - 1));
                Ok(Goal::AfterSelector)
            }
            Some(Open::Paren) if self.scan.eat(")") => {
                self.canonical.push(')');
                self.close();
                Ok(Goal::AfterTest)
            }
            Some(Open::Paren) => Err(self.scan.expected("'&&', '||' or ')'")),
            _ => Err(self.scan.expected("'&&', '||', ',' or ']'")),
        }
    }

    /// What follows is decided where the left side of the `&&` is false.
    fn end_and(&mut self) {
        if let Some(Open::And(jump)) = self.open.last() {
            self.ops[*jump] = Op::IfFalse(self.ops.len());
            self.open.pop();
        }
    }

    fn end_or(&mut self) {
        if let Some(Open::Or(jump)) = self.open.last() {
            self.ops[*jump] = Op::IfTrue(self.ops.len());
            self.open.pop();
        }
    }
}
