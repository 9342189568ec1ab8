//! Trees of filters, for property tests.

use proptest::prelude::*;

use super::ast::{Ast, AstElements, AstOp, AstTest, Cmp, List, Node, Position, Quantifier, TextOp};
use super::operand::{Arithmetic, Function, Literal, Meta, Operand, Subject, Term};
use crate::path::{Path, Step};
use crate::value::Kind as JsonKind;

/// A tree as tests make it, to be brought into normal form.
#[derive(Debug, Clone)]
enum Tree {
    Test(AstTest),
    Elements(AstElements, Box<Tree>),
    Not(Box<Tree>),
    And(Vec<Tree>),
    Or(Vec<Tree>),
}

fn lay(tree: Tree, nodes: &mut Vec<Node>) -> u32 {
    let node = match tree {
        Tree::Test(test) => Node::Test(test),
        Tree::Elements(elements, body) => Node::Elements(elements, lay(*body, nodes)),
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
        let first = Step::Name(name.as_str().into());
        match more {
            None => Path::new(vec![first]),
            Some(true) => Path::new(vec![first, Step::Each]),
            Some(false) => Path::new(vec![first.clone(), Step::Index(7), first]),
        }
    });
    let subject = prop_oneof![
        9 => path.prop_map(Subject::Path),
        1 => prop::sample::select(&Meta::ALL[..]).prop_map(Subject::Meta),
    ];
    let quantifier = prop::sample::select(vec![Quantifier::Any, Quantifier::All]);
    let list = prop_oneof![
        prop::collection::vec(any_constant(), 0..4).prop_map(List::Operands),
        "[a-z]{1,3}".prop_map(|name| List::Param(name.into(), Position(0))),
    ];
    let text_op = prop::sample::select(vec![
        TextOp::StartsWith,
        TextOp::EndsWith,
        TextOp::Contains,
        TextOp::Like,
        TextOp::ILike,
        TextOp::Matches,
    ]);
    let kinds = vec![JsonKind::Array, JsonKind::Bool, JsonKind::String];
    let left = subject.clone().prop_map(|it| Operand::of(Term::Subject(it), Position(0)));
    let asked = prop_oneof![
        (quantifier, list.clone()).prop_map(|(quantifier, list)| AstOp::HasList(quantifier, list)),
        any_constant().prop_map(AstOp::Has),
        (text_op, any_literal()).prop_map(|(op, literal)| AstOp::Text(op, literal)),
        prop::sample::select(kinds).prop_map(AstOp::IsKind),
        prop::sample::select(vec![
            AstOp::IsNull,
            AstOp::IsMissing,
            AstOp::IsBool(true),
            AstOp::IsBool(false)
        ]),
    ];
    let asked = (left, asked).prop_map(|(left, op)| AstTest { left, op });
    let cmp = prop::sample::select(vec![Cmp::Eq, Cmp::Lt, Cmp::Le, Cmp::Gt, Cmp::Ge]);
    let operand = any_operand(subject);
    let compared = (operand.clone(), cmp, operand.clone()).prop_filter_map(
        "a constant stands on the right",
        |(left, cmp, right)| {
            let is_turned = left.is_constant() && !right.is_constant();
            (!is_turned).then_some(AstTest { left, op: AstOp::Compare(cmp, right) })
        },
    );
    let between = (operand.clone(), operand.clone(), operand.clone())
        .prop_map(|(left, low, high)| AstTest { left, op: AstOp::Between(low, high) });
    let listed = (operand, list).prop_map(|(left, list)| AstTest { left, op: AstOp::In(list) });
    prop_oneof![3 => asked, 2 => compared, 1 => between, 1 => listed]
}

fn any_literal() -> impl Strategy<Value = Operand> {
    let term = prop_oneof![
        any::<bool>().prop_map(|value| Term::Literal(Literal::Bool(value))),
        any::<i64>().prop_map(|value| Term::Literal(Literal::Number(value.to_string().into()))),
        "['a-z]{0,3}|.{0,5}".prop_map(|text| Term::Literal(Literal::String(text.into()))),
        "[a-z_][a-z0-9]{0,2}".prop_map(|name| Term::Param(name.into())),
    ];
    term.prop_map(|term| Operand::of(term, Position(0)))
}

fn any_constant() -> impl Strategy<Value = Operand> {
    (any_literal(), 0..9).prop_map(|(mut literal, kind)| {
        match kind {
            0 => return Operand::of(Term::Call(Function::Now), Position(0)),
            1 => literal.terms.push((Term::Call(Function::Time), Position(0))),
            2 => literal.terms.push((Term::Call(Function::Duration), Position(0))),
            _ => {}
        }
        literal
    })
}

fn any_operand(
    subject: impl Strategy<Value = Subject> + 'static,
) -> impl Strategy<Value = Operand> + Clone {
    let subject = subject.prop_map(|it| Operand::of(Term::Subject(it), Position(0)));
    let leaf = prop_oneof![2 => subject, 1 => any_constant()];
    leaf.prop_recursive(3, 8, 2, |inner| {
        let operator = prop::sample::select(&Arithmetic::ALL[..]);
        prop_oneof![
            inner.clone().prop_filter_map("the negative of a number is a number", |mut operand| {
                if matches!(operand.terms[..], [(Term::Literal(Literal::Number(_)), _)]) {
                    return None;
                }
                operand.terms.push((Term::Negate, Position(0)));
                Some(operand)
            }),
            (inner.clone(), operator, inner).prop_map(|(mut left, operator, right)| {
                left.terms.extend(right.terms);
                left.terms.push((Term::Arithmetic(operator), Position(0)));
                left
            }),
        ]
    })
}

/// Any tree in normal form.
pub(super) fn any_ast() -> impl Strategy<Value = Ast> {
    let tree = any_test().prop_map(Tree::Test).prop_recursive(6, 40, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|tree| Tree::Not(Box::new(tree))),
            (any::<bool>(), inner.clone()).prop_map(|(any, tree)| {
                let quantifier = if any { Quantifier::Any } else { Quantifier::All };
                let path = Path::parse("a.b[*]", 8).unwrap();
                let elements = AstElements { quantifier, path, position: Position(0) };
                Tree::Elements(elements, Box::new(tree))
            }),
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
