//! Tests of parsing.

use proptest::prelude::*;

use super::super::ast::Meta;
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
        ("tags HAS any ('x',$y)", "tags HAS ANY ('x', $y)"),
        ("tags NOT HAS ALL ()", "tags NOT HAS ALL ()"),
        ("tags HAS ALL $list", "tags HAS ALL $list"),
        ("a starts with 'x'", "a STARTS WITH 'x'"),
        ("a NOT ENDS WITH $x", "a NOT ENDS WITH $x"),
        ("NOT a CONTAINS 'it''s'", "a NOT CONTAINS 'it''s'"),
        ("a LIKE 'x%'", "a LIKE 'x%'"),
        ("a not ilike '_'", "a NOT ILIKE '_'"),
        ("a MATCHES '^x$'", "a MATCHES '^x$'"),
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
            Node::Test(test) => test.subject.to_string(),
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
        ("a NOT 1", "expected BETWEEN, IN, HAS, LIKE or the like after NOT, found 1 at position 6"),
        ("a BETWEEN 1", "expected AND between the ends of BETWEEN, found the end at position 11"),
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
        ("a LIEK 'x%'", "found LIEK at position 2, did you mean LIKE?"),
        ("a STARTS 'x'", "expected WITH after STARTS, found 'x' at position 9"),
        ("a STARTS WHIT 'x'", "found WHIT at position 9, did you mean WITH?"),
        ("a containz 'x'", "found containz at position 2, did you mean CONTAINS?"),
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
        ("first-name = 'x'", "-name is no number at position 5; a name with '-' takes back-quotes"),
        ("a.b-5 = 1", "found -5 at position 3; a name with '-' takes back-quotes"),
        (
            "day = 2024-05-01",
            "-05 is no number at position 10; a date is a string in single quotes",
        ),
        ("a = 5-3", "found -3 at position 5"),
        ("a = 'it's'", "found s at position 8; a quote inside a string is doubled: ''"),
        ("a HAS ANY 'x'", "expected '(' or a parameter after ANY, found 'x' at position 10"),
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
        use crate::path::{Path, Step};
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
    let list = prop_oneof![
        prop::collection::vec(operand.clone(), 0..4).prop_map(List::Operands),
        "[a-z]{1,3}".prop_map(|name| List::Param(name.into(), Position(0))),
    ];
    let quantifier = prop::sample::select(vec![Quantifier::Any, Quantifier::All]);
    let text_op = prop::sample::select(vec![
        TextOp::StartsWith,
        TextOp::EndsWith,
        TextOp::Contains,
        TextOp::Like,
        TextOp::ILike,
        TextOp::Matches,
    ]);
    let cmp = prop::sample::select(vec![Cmp::Eq, Cmp::Lt, Cmp::Le, Cmp::Gt, Cmp::Ge]);
    let op = prop_oneof![
        (cmp, operand.clone()).prop_map(|(cmp, operand)| AstOp::Compare(cmp, operand)),
        (operand.clone(), operand.clone()).prop_map(|(low, high)| AstOp::Between(low, high)),
        list.clone().prop_map(AstOp::In),
        (quantifier, list).prop_map(|(quantifier, list)| AstOp::HasList(quantifier, list)),
        operand.clone().prop_map(AstOp::Has),
        (text_op, operand).prop_map(|(op, operand)| AstOp::Text(op, operand)),
        prop::sample::select(vec![
            AstOp::IsNull,
            AstOp::IsMissing,
            AstOp::IsBool(true),
            AstOp::IsBool(false)
        ]),
    ];
    let subject = prop_oneof![
        9 => path.prop_map(Subject::Path),
        1 => Just(Subject::Meta(Meta::Valid)),
    ];
    (subject, op).prop_map(|(subject, op)| AstTest { subject, position: Position(0), op })
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

const SOUP: [&str; 41] = [
    "a", "b.c", "`x`", "t[*]", "1", "-2.5", "'s'", "$p", "=", "!=", "<>", "<", "<=", ">", ">=",
    "(", ")", ",", "AND", "OR", "NOT", "IN", "BETWEEN", "HAS", "IS", "NULL", "MISSING", "TRUE",
    "FALSE", "_x", "'", "[", "ANY", "ALL", "STARTS", "ENDS", "WITH", "CONTAINS", "LIKE", "ILIKE",
    "MATCHES",
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
