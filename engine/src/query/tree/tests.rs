//! Tests of trees: each is written as the JSON array that says the same.

use proptest::prelude::*;
use rmp::encode;
use serde_json::Value;

use super::super::ast::{Ast, AstOp, Node};
use super::super::operand::{Literal, Term};
use super::super::parse;
use super::super::strategies::any_ast;
use super::*;
use crate::{Code, Limits, Result};

/// Arrays nest deeper than parentheses.
fn wide() -> Limits {
    Limits { filter_bytes_max: 1 << 20, filter_depth_max: usize::MAX, ..Limits::default() }
}

fn encode(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => encode::write_nil(out).unwrap(),
        Value::Bool(value) => encode::write_bool(out, *value).unwrap(),
        Value::Number(number) => {
            if let Some(value) = number.as_i64() {
                encode::write_sint(out, value).unwrap();
            } else if let Some(value) = number.as_u64() {
                encode::write_uint(out, value).unwrap();
            } else {
                encode::write_f64(out, number.as_f64().unwrap()).unwrap();
            }
        }
        Value::String(text) => encode::write_str(out, text).unwrap(),
        Value::Array(elements) => {
            encode::write_array_len(out, elements.len() as u32).unwrap();
            for element in elements {
                encode(element, out);
            }
        }
        Value::Object(members) => {
            encode::write_map_len(out, members.len() as u32).unwrap();
            for (name, member) in members {
                encode::write_str(out, name).unwrap();
                encode(member, out);
            }
        }
    }
}

fn bytes(json: &str) -> Vec<u8> {
    let mut out = Vec::new();
    encode(&serde_json::from_str(json).expect(json), &mut out);
    out
}

fn read(bytes: &[u8]) -> Result<Ast> {
    read_tree(bytes, &Limits::default())
}

fn error_of(bytes: &[u8]) -> String {
    read(bytes).expect_err("the tree is wrong").to_string()
}

fn error(json: &str) -> String {
    read(&bytes(json)).expect_err(json).to_string()
}

/// That a tree is what a text is, and is written as it is.
fn assert_equal(json: &str, text: &str) {
    let expected = parse(text, &Limits::default()).expect(text);
    let bytes = bytes(json);
    assert_eq!(read(&bytes).expect(json), expected, "{json}");
    assert_eq!(write_tree(&expected).escape_ascii().to_string(), bytes.escape_ascii().to_string());
}

#[test]
fn reads_and_writes_every_filter() {
    let cases = [
        (r#"["=", "a", 1]"#, "a = 1"),
        (r#"["!=", "a", "it's"]"#, "a != 'it''s'"),
        (r#"["<", "address.city", "x"]"#, "address.city < 'x'"),
        (r#"["<=", "`first name`", true]"#, "`first name` <= TRUE"),
        (r#"[">", "_version", 5]"#, "_version > 5"),
        (r#"[">=", "items[*].n", ["param", "min"]]"#, "items[*].n >= $min"),
        (r#"["between", "a", 1, ["param", "b"]]"#, "a BETWEEN 1 AND $b"),
        (r#"["not", ["between", "a", "x", "y"]]"#, "a NOT BETWEEN 'x' AND 'y'"),
        (r#"["in", "a", ["list"]]"#, "a IN ()"),
        (
            r#"["in", "a", ["list", "param", "x", 2, false, ["param", "x"], ["now"]]]"#,
            "a IN ('param', 'x', 2, FALSE, $x, now())",
        ),
        (r#"["in", "a", ["param", "list"]]"#, "a IN $list"),
        (r#"["in", ["+", ["path", "a"], 1], ["list", 1]]"#, "a + 1 IN (1)"),
        (r#"["in", ["value", "x"], ["list", "x"]]"#, "'x' IN ('x')"),
        (r#"["has", "tags", "vip"]"#, "tags HAS 'vip'"),
        (r#"["has", "times", ["time", "2026-01-31"]]"#, "times HAS time('2026-01-31')"),
        (r#"["has any", "tags", ["list", "a", "b"]]"#, "tags HAS ANY ('a', 'b')"),
        (r#"["has all", "tags", ["param", "all"]]"#, "tags HAS ALL $all"),
        (r#"["starts with", "a", "x"]"#, "a STARTS WITH 'x'"),
        (r#"["ends with", "a", ["param", "x"]]"#, "a ENDS WITH $x"),
        (r#"["contains", "a", "x"]"#, "a CONTAINS 'x'"),
        (r#"["like", "a", "x%"]"#, "a LIKE 'x%'"),
        (r#"["not", ["ilike", "a", "x%"]]"#, "a NOT ILIKE 'x%'"),
        (r#"["matches", "a", "^x$"]"#, "a MATCHES '^x$'"),
        (r#"["is null", "a"]"#, "a IS NULL"),
        (r#"["not", ["is missing", "a"]]"#, "a IS NOT MISSING"),
        (r#"["is true", "a"]"#, "a IS TRUE"),
        (r#"["is false", "a"]"#, "a IS FALSE"),
        (r#"["is string", "a"]"#, "a IS STRING"),
        (r#"["is number", "a"]"#, "a IS NUMBER"),
        (r#"["is boolean", "a"]"#, "a IS BOOLEAN"),
        (r#"["is array", "a"]"#, "a IS ARRAY"),
        (r#"["is object", "a"]"#, "a IS OBJECT"),
        (r#"["any", "a", ["and", ["=", "x", 1], ["<", "@", 2]]]"#, "ANY a WHERE (x = 1 AND @ < 2)"),
        (r#"["not", ["all", "a", ["is true", "@[0].b"]]]"#, "NOT ALL a WHERE (@[0].b IS TRUE)"),
        (
            r#"["and", ["or", ["=", "a", 1], ["not", ["<", "b", 2]]], ["not", ["!=", "c", 3]]]"#,
            "(a = 1 OR NOT b < 2) AND NOT c != 3",
        ),
    ];
    for (json, text) in cases {
        assert_equal(json, text);
    }
}

#[test]
fn reads_and_writes_every_value() {
    let cases = [
        (r#"["=", "a", ["path", "b"]]"#, "a = b"),
        (r#"["=", ["value", "x"], "y"]"#, "'x' = 'y'"),
        (r#"["=", 1, 2]"#, "1 = 2"),
        (r#"["=", ["param", "x"], 2]"#, "$x = 2"),
        (r#"["=", "a", ["-", ["path", "b"]]]"#, "a = -b"),
        (
            r#"["<", ["-", ["-", ["path", "a"], ["path", "b"]], ["-", ["path", "c"], 1]], 2]"#,
            "a - b - (c - 1) < 2",
        ),
        (
            r#"[">", ["*", ["path", "p"], ["+", 1, ["param", "tax"]]], ["path", "total"]]"#,
            "p * (1 + $tax) > total",
        ),
        (r#"["=", ["/", ["%", ["path", "a"], 2], 3], 1]"#, "a % 2 / 3 = 1"),
        (
            r#"[">", "_updated", ["-", ["now"], ["duration", ["param", "d"]]]]"#,
            "_updated > now() - duration($d)",
        ),
        (r#"["=", "a", ["time", 5]]"#, "a = time(5)"),
        (r#"["=", "a", "`b`"]"#, "a = '`b`'"),
        (r#"["=", "a", ["number", "12.50"]]"#, "a = 12.50"),
        (r#"["=", "a", ["number", "-0"]]"#, "a = -0"),
        (r#"["=", "a", ["number", "1e400"]]"#, "a = 1e400"),
        (r#"["=", "a", 1.5]"#, "a = 1.5"),
        (r#"["=", "a", 1.0]"#, "a = 1.0"),
        (r#"["=", "a", -9223372036854775808]"#, "a = -9223372036854775808"),
        (r#"["=", "a", 18446744073709551615]"#, "a = 18446744073709551615"),
    ];
    for (json, text) in cases {
        assert_equal(json, text);
    }
}

#[test]
fn what_is_written_in_other_ways_means_the_same() {
    let cases = [
        (r#"["<>", "a", 1]"#, "a != 1"),
        (r#"["=", ["path", "a"], ["value", 1]]"#, "a = 1"),
        (r#"["<", 5, ["path", "age"]]"#, "age > 5"),
        (r#"["!=", ["value", "x"], ["path", "a"]]"#, "a != 'x'"),
        (r#"["=", "a", ["-", 5]]"#, "a = -5"),
        (r#"["=", "a", ["-", ["-", ["number", "5"]]]]"#, "a = 5"),
        (r#"["is null", ["path", "a"]]"#, "a IS NULL"),
        (r#"["any", ["path", "a"], ["is true", "@"]]"#, "ANY a WHERE (@ IS TRUE)"),
        (r#"["and", ["=", "a", 1]]"#, "a = 1"),
        (r#"["or", ["and", ["=", "a", 1]]]"#, "a = 1"),
        (
            r#"["and", ["and", ["=", "a", 1], ["=", "b", 2]], ["=", "c", 3]]"#,
            "a = 1 AND b = 2 AND c = 3",
        ),
        (r#"["and", ["or", ["=", "a", 1]], ["and", ["=", "b", 2]]]"#, "a = 1 AND b = 2"),
    ];
    for (json, text) in cases {
        let expected = parse(text, &Limits::default()).expect(text);
        assert_eq!(read(&bytes(json)).expect(json), expected, "{json}");
    }
}

/// The text of the number that `a` is compared with.
fn number_of(number: &[u8]) -> String {
    let ast = read(&[b"\x93\xa1=\xa1a", number].concat()).expect("a number");
    let [Node::Test(predicate)] = ast.nodes.as_slice() else { panic!("one predicate") };
    let AstOp::Compare(_, right) = &predicate.op else { panic!("a comparison") };
    let [(Term::Literal(Literal::Number(text)), _)] = right.terms.as_slice() else {
        panic!("a number")
    };
    text.to_string()
}

#[test]
fn numbers_keep_their_exact_value_in_any_width() {
    let cases: [(&[u8], &str); 16] = [
        (b"\x05", "5"),
        (b"\xff", "-1"),
        (b"\xcc\xff", "255"),
        (b"\xcd\x00\x01", "1"),
        (b"\xce\xff\xff\xff\xff", "4294967295"),
        (b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff", "18446744073709551615"),
        (b"\xd0\x80", "-128"),
        (b"\xd1\x80\x00", "-32768"),
        (b"\xd2\x80\x00\x00\x00", "-2147483648"),
        (b"\xd3\x80\x00\x00\x00\x00\x00\x00\x00", "-9223372036854775808"),
        (b"\xca\x3d\xcc\xcc\xcd", "0.10000000149011612"),
        (b"\xcb\x3f\xb9\x99\x99\x99\x99\x99\x9a", "0.1"),
        (b"\xcb\x43\xb0\x00\x00\x00\x00\x00\x00", "1152921504606846976.0"),
        (b"\xcb\x7e\x37\xe4\x3c\x88\x00\x75\x9c", "1e300"),
        (b"\xcb\x80\x00\x00\x00\x00\x00\x00\x00", "0.0"),
        (b"\xcb\x00\x00\x00\x00\x00\x00\x00\x01", "5e-324"),
    ];
    for (number, text) in cases {
        assert_eq!(number_of(number), text);
    }
}

#[test]
fn any_length_of_a_head_is_read() {
    let expected = parse("a = 'x'", &Limits::default()).unwrap();
    let trees: [&[u8]; 3] = [
        b"\x93\xd9\x01=\xa1a\xa1x",
        b"\xdc\x00\x03\xda\x00\x01=\xa1a\xa1x",
        b"\xdd\x00\x00\x00\x03\xdb\x00\x00\x00\x01=\xa1a\xa1x",
    ];
    for tree in trees {
        assert_eq!(read(tree).unwrap(), expected);
    }
}

#[test]
fn the_first_byte_tells_a_tree_however_many_it_joins() {
    for (join, operator) in [(" AND ", "and"), (" OR ", "or")] {
        for count in [2, 14, 15, 100] {
            let text = vec!["a = 1"; count].join(join);
            let ast = parse(&text, &Limits::default()).unwrap();
            let tree = write_tree(&ast);
            assert!(matches!(tree[0], 0x90..=0x9F), "{operator} of {count}");
            assert_eq!(read(&tree).unwrap(), ast);
        }
    }
}

#[test]
fn says_what_it_expected_and_at_which_byte() {
    let filter = "expected a filter, an array that begins with its operator";
    let list = r#"expected ["list", ..] or ["param", name]"#;
    let cases = [
        ("\"a\"", format!("{filter}, found \"a\" at byte 0")),
        ("true", format!("{filter}, found true at byte 0")),
        ("null", format!("{filter}, found nil at byte 0")),
        ("{\"a\": 1}", format!("{filter}, found a map at byte 0")),
        (r#"["and", "a"]"#, format!("{filter}, found \"a\" at byte 5")),
        (r#"["not", ["path", "a"]]"#, format!("{filter}, found \"path\" at byte 5")),
        (r#"["not", ["+", 1, 2]]"#, format!("{filter}, found \"+\" at byte 5")),
        ("[]", "expected an operator, found an empty array at byte 0".into()),
        ("[1]", "expected an operator, a string, found 1 at byte 1".into()),
        ("[[]]", "expected an operator, a string, found an array of 0 at byte 1".into()),
        (r#"["and"]"#, "\"and\" takes 1 or more operands, found 0 at byte 0".into()),
        (r#"["=", "a"]"#, "\"=\" takes 2 operands, found 1 at byte 0".into()),
        (r#"["=", "a", ["now", 1]]"#, "\"now\" takes 0 operands, found 1 at byte 5".into()),
        (r#"["=", "a", ["-", 1, 2, 3]]"#, "\"-\" takes 1 or 2 operands, found 3 at byte 5".into()),
        (r#"["is null", "a", "b"]"#, "\"is null\" takes 1 operand, found 2 at byte 0".into()),
        (
            r#"["=", "a", null]"#,
            "expected a value, found nil at byte 5, did you mean \"is null\"?".into(),
        ),
        (r#"["=", "a", {}]"#, "expected a value, found a map at byte 5".into()),
        (r#"["=", {}, 1]"#, "expected a path or a value, found a map at byte 3".into()),
        (r#"["=", "a", ["and", 1]]"#, "expected a value, found \"and\" at byte 5".into()),
        (r#"["=", "a", ["list", 1]]"#, "expected a value, found \"list\" at byte 5".into()),
        (r#"["has", "a", ["path", "b"]]"#, "expected a constant, found \"path\" at byte 7".into()),
        (r#"["has", "a", ["-", 5]]"#, "expected a constant, found \"-\" at byte 7".into()),
        (
            r#"["like", "a", ["now"]]"#,
            "expected a string, a number, a boolean or a parameter, found \"now\" at byte 8".into(),
        ),
        (
            r#"["=", "a", ["value", ["now"]]]"#,
            "expected a string, a number, a boolean or a parameter, found an array of 1 at byte 12"
                .into(),
        ),
        (r#"["in", "a", 1]"#, format!("{list}, found 1 at byte 6")),
        (r#"["in", "a", ["value", 1]]"#, format!("{list}, found \"value\" at byte 6")),
        (
            r#"["in", "a", [1]]"#,
            "expected an operator, a string, found 1 at byte 7; a list begins with \"list\"".into(),
        ),
        (
            r#"["in", "a", ["b"]]"#,
            "\"b\" is no operator at byte 7; a list begins with \"list\"".into(),
        ),
        (
            r#"["in", "a", []]"#,
            "expected an operator, found an empty array at byte 6; a list begins with \"list\""
                .into(),
        ),
        (r#"["is null", 5]"#, "expected a path alone, found 5 at byte 9".into()),
        (
            r#"["has", ["+", ["path", "a"], 1], 1]"#,
            "expected a path alone, found a + 1 at byte 8".into(),
        ),
        (
            r#"["any", "_id", ["is true", "a"]]"#,
            "expected the path of an array, found _id at byte 5".into(),
        ),
        (
            r#"["any", 5, ["is true", "a"]]"#,
            "expected the path of an array, found 5 at byte 5".into(),
        ),
        (
            r#"["=", "a", ["number", "1."]]"#,
            "expected the JSON text of a number, found \"1.\" at byte 13".into(),
        ),
        (
            r#"["=", "a", ["number", "--1"]]"#,
            "expected the JSON text of a number, found \"--1\" at byte 13".into(),
        ),
        (
            r#"["=", "a", ["number", 1]]"#,
            "expected the JSON text of a number, found 1 at byte 13".into(),
        ),
        (r#"["=", "a", ["path", 1]]"#, "expected the text of a path, found 1 at byte 11".into()),
        (
            r#"["=", "a", ["param", "$x"]]"#,
            "expected the name of a parameter, without $, found \"$x\" at byte 12".into(),
        ),
        (
            r#"["=", "a", ["param", "a b"]]"#,
            "expected the name of a parameter, without $, found \"a b\" at byte 12".into(),
        ),
        (r#"["=", "a.5", 1]"#, "path at byte 3: expected a name, found '5' at position 2".into()),
        (r#"["=", "", 1]"#, "\"\" is no path at byte 3; other names take back-quotes".into()),
        (r#"["=", "a-b", 1]"#, "\"a-b\" is no path at byte 3; other names take back-quotes".into()),
        (r#"["=", " a", 1]"#, "\" a\" is no path at byte 3; other names take back-quotes".into()),
        (r#"["=", "in", 1]"#, "\"in\" is no path at byte 3; other names take back-quotes".into()),
    ];
    for (json, expected) in cases {
        assert_eq!(error(json), format!("FILTER {expected}"), "{json}");
    }
}

#[test]
fn guesses_the_operator_that_was_meant() {
    let cases = [
        (r#"["AND", ["=", "a", 1]]"#, "\"AND\" is no operator at byte 1, did you mean \"and\"?"),
        (r#"["==", "a", 1]"#, "\"==\" is no operator at byte 1, did you mean \"=\"?"),
        (
            r#"["betwen", "a", 1, 2]"#,
            "\"betwen\" is no operator at byte 1, did you mean \"between\"?",
        ),
        (r#"["is nul", "a"]"#, "\"is nul\" is no operator at byte 1, did you mean \"is null\"?"),
        (r#"["frobnicate", "a"]"#, "\"frobnicate\" is no operator at byte 1"),
        (
            r#"["=", "a", ["parma", "x"]]"#,
            "\"parma\" is no operator at byte 6, did you mean \"param\"?",
        ),
    ];
    for (json, expected) in cases {
        assert_eq!(error(json), format!("FILTER {expected}"), "{json}");
    }
}

#[test]
fn bytes_that_are_no_tree_are_refused() {
    let cases: [(&[u8], &str); 15] = [
        (b"", "expected a filter, an array that begins with its operator, found the end at byte 0"),
        (b"\x93", "an array of 3, which 0 bytes follow at byte 0"),
        (b"\xdd\xff\xff\xff\xff\xa3and", "an array of 4294967295, which 4 bytes follow at byte 0"),
        (b"\xdc\x00", "an array that is cut off at byte 0"),
        (b"\x92\xa3an", "a string that is cut off at byte 1"),
        (b"\x91\xdb\xff\xff\xff\xffand", "a string that is cut off at byte 1"),
        (b"\x92\xa3not\x92\xa7is nul", "a string that is cut off at byte 6"),
        (b"\x93\xa1=\xa1a\xcf\x00", "a number that is cut off at byte 5"),
        (b"\x93\xa1=\xa1a\xca\x00", "a number that is cut off at byte 5"),
        (b"\x93\xa1=\xa1a\xcb\x7f\xf8\0\0\0\0\0\0", "NaN is no number of a filter at byte 5"),
        (b"\x93\xa1=\xa1a\xca\xff\x80\0\0", "-inf is no number of a filter at byte 5"),
        (b"\x93\xa1=\xa1a\xa1\xff", "a string that is not UTF-8 at byte 5"),
        (b"\x93\xa1=\xa1a\xc4\x01x", "expected a value, found bytes at byte 5"),
        (b"\x93\xa1=\xa1a\xd4\x01x", "expected a value, found an extension at byte 5"),
        (b"\x93\xa1=\xa1a\xc1", "expected a value, found no MessagePack at byte 5"),
    ];
    for (tree, expected) in cases {
        assert_eq!(error_of(tree), format!("FILTER {expected}"));
    }
    let more = [&bytes(r#"["is null", "a"]"#)[..], b"\xc0\xc0"].concat();
    assert_eq!(error_of(&more), "FILTER 2 bytes follow the filter at byte 11");
}

#[test]
fn limits_are_those_of_text() {
    let tree = bytes(r#"["not", ["=", "a", ["-", ["path", "b"]]]]"#);
    let limits = Limits { filter_depth_max: 3, ..Limits::default() };
    assert_eq!(
        read_tree(&tree, &limits).unwrap_err().to_string(),
        "TOOBIG a filter of depth 4 exceeds the limit of 3 (folio.filter-depth-max)"
    );
    assert!(read_tree(&tree, &Limits { filter_depth_max: 4, ..limits }).is_ok());
    let limits = Limits { filter_bytes_max: tree.len() - 1, ..Limits::default() };
    let (length, max) = (tree.len(), tree.len() - 1);
    assert_eq!(
        read_tree(&tree, &limits).unwrap_err().to_string(),
        format!(
            "TOOBIG a filter of {length} bytes exceeds the limit of {max} (folio.filter-bytes-max)"
        )
    );
    assert!(read_tree(&tree, &Limits { filter_bytes_max: length, ..limits }).is_ok());
    let limits = Limits { path_steps_max: 2, ..Limits::default() };
    assert_eq!(
        read_tree(&bytes(r#"["is null", "a.b.c"]"#), &limits).unwrap_err().to_string(),
        "TOOBIG path at byte 9: a path of 3 steps exceeds the limit of 2 (folio.path-steps-max)"
    );
}

#[test]
fn depth_is_no_danger() {
    let depth = 100_000;
    let leaf = bytes(r#"["is null", "a"]"#);
    for opening in [r#"["not"]"#, r#"["any", "a"]"#, r#"["and"]"#] {
        // One operand is to come.
        let mut opening = bytes(opening);
        opening[0] += 1;
        let tree = [opening.repeat(depth), leaf.clone()].concat();
        let limits = Limits { filter_bytes_max: tree.len(), ..wide() };
        assert_eq!(
            read_tree(&tree, &Limits { filter_depth_max: 64, ..limits.clone() }).unwrap_err().code,
            Code::TooBig
        );
        let ast = read_tree(&tree, &limits).unwrap();
        assert_eq!(read_tree(&write_tree(&ast), &limits).unwrap(), ast);
    }
    let tree = [b"\x93\xa1=\xa1a".as_slice(), &b"\x92\xa1-".repeat(depth), b"\x92\xa4path\xa1b"];
    let ast = read_tree(&tree.concat(), &wide()).unwrap();
    assert_eq!(write_tree(&ast), tree.concat());
}

#[test]
fn a_part_of_the_tree_knows_its_byte() {
    let ast = read(&bytes(r#"["and", ["=", "a", 1], ["in", "b", ["list", 1, 2]]]"#)).unwrap();
    let positions: Vec<usize> = ast
        .nodes
        .iter()
        .filter_map(|node| match node {
            Node::Test(test) => Some(test.left.position().0),
            _ => None,
        })
        .collect();
    assert_eq!(positions, [8, 15]);
}

/// The section of the documentation about trees.
fn documented() -> &'static str {
    let whole = include_str!("../../../../docs/query-language.md");
    let section = whole.split_once("\n## As a tree\n").expect("the section is there").1;
    section.split_once("\n## ").expect("another follows").0
}

#[test]
fn the_documentation_names_every_operator() {
    for (name, _) in OPERATORS {
        let is_named = [format!("`{name}`"), format!("\"{name}\"")];
        assert!(is_named.iter().any(|name| documented().contains(name)), "{name}");
    }
}

#[test]
fn the_examples_of_the_documentation_are_true() {
    let mut examples = 0;
    for line in documented().lines().skip_while(|line| !line.contains("| tree |")).skip(2) {
        let cells: Vec<&str> = line.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let [_, text, json, hex, _] = cells.as_slice() else { continue };
        assert_equal(json, text);
        let written: Vec<String> = bytes(json).iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(hex.is_empty() || *hex == written.join(" "), "{text}");
        examples += 1;
    }
    assert_eq!(examples, 7);
}

proptest! {
    #[test]
    fn what_is_written_reads_back(ast in any_ast()) {
        let tree = write_tree(&ast);
        prop_assert_eq!(read_tree(&tree, &wide()).expect("it was written"), ast);
        prop_assert!(matches!(tree[0], 0x90..=0x9F));
    }

    #[test]
    fn no_bytes_panic(bytes in any::<Vec<u8>>()) {
        let _ = read(&bytes);
    }

    #[test]
    fn no_change_of_a_tree_panics(
        ast in any_ast(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3), 1..6),
    ) {
        let mut tree = write_tree(&ast);
        for (at, byte, kind) in changes {
            let at = at.index(tree.len());
            match kind {
                0 => tree[at] = byte,
                1 => tree.insert(at, byte),
                _ if tree.len() > 1 => drop(tree.remove(at)),
                _ => {}
            }
        }
        if let Ok(ast) = read_tree(&tree, &wide()) {
            let written = write_tree(&ast);
            prop_assert_eq!(&read_tree(&written, &wide()).expect("it was written"), &ast);
            prop_assert_eq!(parse(&ast.to_string(), &wide()).expect("it was written"), ast);
        }
    }

    #[test]
    fn no_part_of_a_tree_is_one(ast in any_ast(), cut in any::<prop::sample::Index>()) {
        let tree = write_tree(&ast);
        prop_assert!(read_tree(&tree[..cut.index(tree.len())], &wide()).is_err());
    }
}
