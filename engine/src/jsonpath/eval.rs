//! The machine that runs a query over a document: depth first, on a stack of its own.
//!
//! ```text
//!   $..a[?@.b[?@.c]]      frames, the innermost last
//!
//!   Query $               what the whole is asked: the nodes
//!   Descend               the children of a node that `..` has still to go through
//!   Select ..a            the children of one node that a segment picks
//!   Select [?..]
//!   Filter @.b[..]        a filter's operations, on one of those children
//!   Query @.b[..]         what the filter asks: is there any?
//!   Select [?..]
//!   Filter @.c
//! ```
//!
//! A node that passes a segment goes through all that follow before the next one is picked; so the first answer is
//! known first, and a test of existence ends there. Memory is as deep as the document and the query.

use super::JsonPath;
use super::compare::{self, Operand};
use super::evaluation::Evaluation;
use super::program::{Ask, FilterId, Op, QueryId, Selector};
use super::select::{Children, only_child};
use crate::Result;
use crate::value::{Kind, Raw};

enum Frame<'a> {
    Query {
        query: QueryId,
        ask: Ask,
        /// Where the frame of the query around it is.
        outer: usize,
        count: usize,
        first: Option<Raw<'a>>,
    },
    Descend {
        segment: usize,
        children: Children<'a>,
    },
    Select {
        segment: usize,
        node: Raw<'a>,
        selector: usize,
        children: Children<'a>,
    },
    Filter {
        filter: FilterId,
        /// The operation to come.
        op: usize,
        current: Raw<'a>,
    },
}

/// What a query answers.
#[derive(Clone, Copy)]
enum Answer<'a> {
    Truth(bool),
    Operand(Operand<'a>),
}

pub(super) struct Machine<'a, 'e> {
    path: &'a JsonPath,
    root: Raw<'a>,
    evaluation: &'e mut Evaluation,
    frames: Vec<Frame<'a>>,
    /// Where the frame of the innermost query is.
    query_at: usize,
    operands: Vec<Operand<'a>>,
    /// The truth value.
    holds: bool,
    /// By query: the answers of those from the root, which are the same for every node.
    constants: Vec<Option<Answer<'a>>>,
    selected: Vec<Raw<'a>>,
}

impl<'a, 'e> Machine<'a, 'e> {
    pub(super) fn new(path: &'a JsonPath, root: Raw<'a>, evaluation: &'e mut Evaluation) -> Self {
        Machine {
            path,
            root,
            evaluation,
            frames: Vec::new(),
            query_at: 0,
            operands: Vec::new(),
            holds: false,
            constants: vec![None; path.queries.len()],
            selected: Vec::new(),
        }
    }

    pub(super) fn run(mut self) -> Result<Vec<Raw<'a>>> {
        self.evaluation.look(0)?;
        self.begin(self.path.queries.len() - 1, Ask::Nodes, self.root)?;
        loop {
            match self.frames.last() {
                None => return Ok(self.selected),
                Some(Frame::Query { .. }) => self.end_query(),
                Some(Frame::Descend { .. }) => self.descend()?,
                Some(Frame::Select { .. }) => self.select()?,
                Some(Frame::Filter { .. }) => self.filter()?,
            }
        }
    }

    fn begin(&mut self, query: QueryId, ask: Ask, start: Raw<'a>) -> Result<()> {
        let outer = self.query_at;
        self.query_at = self.frames.len();
        self.frames.push(Frame::Query { query, ask, outer, count: 0, first: None });
        self.reach(0, start)
    }

    /// The innermost query; only while one runs.
    fn query(&self) -> QueryId {
        match &self.frames[self.query_at] {
            Frame::Query { query, .. } => *query,
            _ => unreachable!("a query's frame stands at `query_at`"),
        }
    }

    /// The innermost query has come to `node`, and to the segment of this number.
    fn reach(&mut self, segment: usize, node: Raw<'a>) -> Result<()> {
        let Some(next) = self.path.queries[self.query()].segments.get(segment) else {
            self.found(node);
            return Ok(());
        };
        if next.descends {
            self.frames.push(Frame::Descend { segment, children: Children::all(node) });
        }
        let children = Children::pick(node, &next.selectors[0], self.evaluation)?;
        self.frames.push(Frame::Select { segment, node, selector: 0, children });
        Ok(())
    }

    /// The innermost query selects `node`. It ends where no further one can change its answer.
    fn found(&mut self, node: Raw<'a>) {
        let Frame::Query { ask, count, first, .. } = &mut self.frames[self.query_at] else {
            unreachable!("a query's frame stands at `query_at`");
        };
        *count += 1;
        first.get_or_insert(node);
        let is_decided = match ask {
            Ask::Nodes => {
                self.selected.push(node);
                false
            }
            Ask::Count => false,
            Ask::Exists => true,
            Ask::Only => *count > 1,
        };
        if is_decided {
            self.frames.truncate(self.query_at + 1);
        }
    }

    /// Nothing is left to walk for the query whose frame is the last.
    fn end_query(&mut self) {
        let Some(Frame::Query { query, ask, outer, count, first }) = self.frames.pop() else {
            unreachable!("the caller saw a query");
        };
        self.query_at = outer;
        let answer = match ask {
            Ask::Nodes => return,
            Ask::Exists => Answer::Truth(count > 0),
            Ask::Count => Answer::Operand(Operand::Count(count)),
            Ask::Only => Answer::Operand(match first {
                Some(value) if count == 1 => Operand::Value(value),
                _ => Operand::Nothing,
            }),
        };
        self.answer(query, answer);
    }

    fn answer(&mut self, query: QueryId, answer: Answer<'a>) {
        if self.path.queries[query].is_absolute {
            self.constants[query] = Some(answer);
        }
        match answer {
            Answer::Truth(holds) => self.holds = holds,
            Answer::Operand(operand) => self.operands.push(operand),
        }
    }

    /// The next child of a node that `..` goes through: it is picked from, then gone through itself.
    fn descend(&mut self) -> Result<()> {
        let Some(Frame::Descend { segment, children }) = self.frames.last_mut() else {
            unreachable!("the caller saw a descent");
        };
        let segment = *segment;
        match children.next() {
            Some(child) if matches!(child.kind(), Kind::Array | Kind::Object) => {
                self.evaluation.visit(child)?;
                self.reach(segment, child)
            }
            Some(child) => self.evaluation.visit(child),
            None => {
                self.frames.pop();
                Ok(())
            }
        }
    }

    /// The next child that a segment picks from a node, by one of its selectors after the other.
    fn select(&mut self) -> Result<()> {
        let query = self.query();
        let Some(Frame::Select { segment, node, selector, children }) = self.frames.last_mut()
        else {
            unreachable!("the caller saw a selection");
        };
        let (at, selectors) = (*segment, &self.path.queries[query].segments[*segment].selectors);
        let Some(child) = children.next() else {
            *selector += 1;
            match selectors.get(*selector) {
                Some(next) => *children = Children::pick(*node, next, self.evaluation)?,
                None => drop(self.frames.pop()),
            }
            return Ok(());
        };
        self.evaluation.visit(child)?;
        if let Selector::Filter(filter) = selectors[*selector] {
            self.frames.push(Frame::Filter { filter, op: 0, current: child });
            return Ok(());
        }
        self.reach(at + 1, child)
    }

    /// The next operation of a filter.
    fn filter(&mut self) -> Result<()> {
        let Some(Frame::Filter { filter, op, current }) = self.frames.last_mut() else {
            unreachable!("the caller saw a filter");
        };
        let current = *current;
        let Some(next) = self.path.filters[*filter].get(*op) else {
            return self.end_filter(current);
        };
        *op += 1;
        match next {
            Op::IfFalse(target) if !self.holds => *op = *target,
            Op::IfTrue(target) if self.holds => *op = *target,
            Op::IfFalse(_) | Op::IfTrue(_) => {}
            Op::Not => self.holds = !self.holds,
            Op::Literal(json) => self.operands.push(Operand::Value(Raw::new(json))),
            Op::Value(query) => return self.value(*query, current),
            Op::Run(query, ask) => return self.ask(*query, *ask, current),
            Op::Length => {
                let length = self.length()?;
                self.operands.push(length);
            }
            Op::Matches { whole } => self.holds = self.matches(*whole)?,
            Op::Compare(cmp) => {
                let (right, left) = (self.pop(), self.pop());
                self.holds = compare::holds(*cmp, left, right, self.evaluation)?;
            }
        }
        Ok(())
    }

    fn end_filter(&mut self, current: Raw<'a>) -> Result<()> {
        self.frames.pop();
        let Some(Frame::Select { segment, .. }) = self.frames.last() else {
            unreachable!("a filter judges what a segment picks");
        };
        let next = segment + 1;
        if self.holds { self.reach(next, current) } else { Ok(()) }
    }

    fn start(&self, query: QueryId, current: Raw<'a>) -> Raw<'a> {
        if self.path.queries[query].is_absolute { self.root } else { current }
    }

    /// Runs a query, unless its answer is known.
    fn ask(&mut self, query: QueryId, ask: Ask, current: Raw<'a>) -> Result<()> {
        self.evaluation.look(0)?;
        match self.constants[query] {
            Some(answer) => self.answer(query, answer),
            None => self.begin(query, ask, self.start(query, current))?,
        }
        Ok(())
    }

    /// Pushes what a singular query leads to.
    fn value(&mut self, query: QueryId, current: Raw<'a>) -> Result<()> {
        self.evaluation.look(0)?;
        if let Some(answer) = self.constants[query] {
            self.answer(query, answer);
            return Ok(());
        }
        let mut value = Some(self.start(query, current));
        for segment in &self.path.queries[query].segments {
            let Some(node) = value else { break };
            value = only_child(node, &segment.selectors[0], self.evaluation)?;
        }
        self.answer(query, Answer::Operand(value.map_or(Operand::Nothing, Operand::Value)));
        Ok(())
    }

    fn pop(&mut self) -> Operand<'a> {
        self.operands.pop().expect("the parser pushes what an operation takes")
    }

    /// Characters, elements or members (RFC 9535, section 2.4.4).
    fn length(&mut self) -> Result<Operand<'a>> {
        let Operand::Value(value) = self.pop() else { return Ok(Operand::Nothing) };
        self.evaluation.visit(value)?;
        Ok(match value.kind() {
            Kind::String => Operand::Count(value.string().map_or(0, |text| text.chars().count())),
            Kind::Array => Operand::Count(value.elements().count()),
            Kind::Object => Operand::Count(value.members().count()),
            Kind::Null | Kind::Bool | Kind::Number => Operand::Nothing,
        })
    }

    fn matches(&mut self, whole: bool) -> Result<bool> {
        let string = |operand| match operand {
            Operand::Value(value) => Raw::string(value),
            _ => None,
        };
        let (pattern, text) = (string(self.pop()), string(self.pop()));
        match (pattern, text) {
            (Some(pattern), Some(text)) => self.evaluation.is_match(&pattern, whole, &text),
            _ => self.evaluation.look(0).map(|()| false),
        }
    }
}
