//! Writes a tree in one loop, each operator before its operands.

use rmp::encode;

use super::super::ast::{Ast, AstElements, AstOp, AstTest, Cmp, List, Node};
use super::super::operand::{Arithmetic, Function, Literal, Operand, Term};
use super::Operator;
use crate::value::Number;

/// Elements of an array whose length stands in its first byte, by which WHERE tells a tree from text.
const ROOT_ELEMENTS_MAX: usize = 15;
const INTO_VEC: &str = "a vector takes every byte";

/// Writes a filter as MessagePack, in its one canonical form: each value in its shortest, paths and constants without an
/// array around them where they may. [`read_tree`](super::read_tree) reads an equal tree. O(filter).
pub fn write_tree(ast: &Ast) -> Vec<u8> {
    let mut writer = Writer { out: Vec::new() };
    let Some(root) = ast.nodes.len().checked_sub(1) else { return writer.out };
    if let Node::And(children) | Node::Or(children) = &ast.nodes[root]
        && children.len() >= ROOT_ELEMENTS_MAX
    {
        writer.head(Operator::And, 1);
    }
    let mut nodes = vec![root as u32];
    while let Some(at) = nodes.pop() {
        match &ast.nodes[at as usize] {
            Node::And(children) => {
                writer.head(Operator::And, children.len());
                nodes.extend(children.iter().rev());
            }
            Node::Or(children) => {
                writer.head(Operator::Or, children.len());
                nodes.extend(children.iter().rev());
            }
            Node::Not(child) => {
                if let Node::Test(AstTest { left, op: AstOp::Compare(Cmp::Eq, right) }) =
                    &ast.nodes[*child as usize]
                {
                    writer.head(Operator::NotEqual, 2);
                    writer.left(left);
                    writer.operand(right);
                } else {
                    writer.head(Operator::Not, 1);
                    nodes.push(*child);
                }
            }
            Node::Elements(AstElements { quantifier, path, .. }, body) => {
                writer.head(Operator::Elements(*quantifier), 2);
                writer.text(&path.to_string());
                nodes.push(*body);
            }
            Node::Test(test) => writer.test(test),
        }
    }
    writer.out
}

struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// An array of `operator` and `count` operands, which are to follow.
    fn head(&mut self, operator: Operator, count: usize) {
        let length = u32::try_from(count + 1).expect("places of nodes are 32 bits");
        encode::write_array_len(&mut self.out, length).expect(INTO_VEC);
        self.text(operator.name());
    }

    fn text(&mut self, text: &str) {
        encode::write_str(&mut self.out, text).expect(INTO_VEC);
    }

    fn test(&mut self, test: &AstTest) {
        let (operator, count) = match &test.op {
            AstOp::Compare(cmp, _) => (Operator::Compare(*cmp), 2),
            AstOp::Between(..) => (Operator::Between, 3),
            AstOp::In(_) => (Operator::In, 2),
            AstOp::Has(_) => (Operator::Has, 2),
            AstOp::HasList(quantifier, _) => (Operator::HasList(*quantifier), 2),
            AstOp::Text(op, _) => (Operator::Text(*op), 2),
            AstOp::IsNull => (Operator::IsNull, 1),
            AstOp::IsMissing => (Operator::IsMissing, 1),
            AstOp::IsBool(value) => (Operator::IsBool(*value), 1),
            AstOp::IsKind(kind) => (Operator::IsKind(*kind), 1),
            AstOp::Calls(_, _, given) => (Operator::Calls, 2 + given.len()),
        };
        self.head(operator, count);
        if let AstOp::Calls(name, ..) = &test.op {
            self.text(name);
        }
        self.left(&test.left);
        match &test.op {
            AstOp::Compare(_, operand) | AstOp::Has(operand) | AstOp::Text(_, operand) => {
                self.operand(operand);
            }
            AstOp::Between(low, high) => {
                self.operand(low);
                self.operand(high);
            }
            AstOp::In(list) | AstOp::HasList(_, list) => self.list(list),
            AstOp::Calls(_, _, given) => {
                for operand in given {
                    self.operand(operand);
                }
            }
            AstOp::IsNull | AstOp::IsMissing | AstOp::IsBool(_) | AstOp::IsKind(_) => {}
        }
    }

    fn list(&mut self, list: &List) {
        match list {
            List::Operands(operands) => {
                self.head(Operator::List, operands.len());
                for operand in operands {
                    self.operand(operand);
                }
            }
            List::Param(name, _) => {
                self.head(Operator::Param, 1);
                self.text(name);
            }
        }
    }

    /// The first operand of a predicate, where a string is a path.
    fn left(&mut self, operand: &Operand) {
        match operand.terms.as_slice() {
            [(Term::Subject(subject), _)] => self.text(&subject.to_string()),
            [(Term::Literal(Literal::String(text)), _)] => {
                self.head(Operator::Value, 1);
                self.text(text);
            }
            _ => self.operand(operand),
        }
    }

    /// An operand where a string is a constant.
    fn operand(&mut self, operand: &Operand) {
        // What a term takes stands before it: where each begins tells where its left operand ends.
        let mut begins: Vec<usize> = Vec::with_capacity(operand.terms.len());
        for (at, (term, _)) in operand.terms.iter().enumerate() {
            begins.push(match term {
                Term::Arithmetic(_) => begins[begins[at - 1] - 1],
                Term::Negate | Term::Call(Function::Time | Function::Duration) => begins[at - 1],
                _ => at,
            });
        }
        let mut terms: Vec<usize> = operand.terms.len().checked_sub(1).into_iter().collect();
        while let Some(at) = terms.pop() {
            match &operand.terms[at].0 {
                Term::Literal(literal) => self.literal(literal),
                Term::Param(name) => {
                    self.head(Operator::Param, 1);
                    self.text(name);
                }
                Term::Subject(subject) => {
                    self.head(Operator::Path, 1);
                    self.text(&subject.to_string());
                }
                Term::Call(Function::Now) => self.head(Operator::Call(Function::Now), 0),
                Term::Call(function) => {
                    self.head(Operator::Call(*function), 1);
                    terms.push(at - 1);
                }
                Term::Negate => {
                    self.head(Operator::Arithmetic(Arithmetic::Sub), 1);
                    terms.push(at - 1);
                }
                Term::Arithmetic(operator) => {
                    self.head(Operator::Arithmetic(*operator), 2);
                    terms.extend([at - 1, begins[at - 1] - 1]);
                }
            }
        }
    }

    fn literal(&mut self, literal: &Literal) {
        match literal {
            Literal::Bool(value) => encode::write_bool(&mut self.out, *value).expect(INTO_VEC),
            Literal::String(text) => self.text(text),
            Literal::Number(text) => self.number(text),
        }
    }

    /// As the MessagePack number that is read with this text, if there is one.
    fn number(&mut self, text: &str) {
        if let Ok(value) = text.parse::<i64>()
            && value.to_string() == text
        {
            encode::write_sint(&mut self.out, value).expect(INTO_VEC);
        } else if let Ok(value) = text.parse::<u64>()
            && value.to_string() == text
        {
            encode::write_uint(&mut self.out, value).expect(INTO_VEC);
        } else if let Ok(value) = text.parse::<f64>()
            && value.is_finite()
            && Number::Float(value).to_string() == text
        {
            encode::write_f64(&mut self.out, value).expect(INTO_VEC);
        } else {
            self.head(Operator::Number, 1);
            self.text(text);
        }
    }
}
