//! Tests of parsing.

use proptest::prelude::*;

use super::super::strategies::any_ast;
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
fn reads_values_and_elements() {
    let cases = [
        ("a is string", "a IS STRING"),
        ("a IS NOT Number", "a IS NOT NUMBER"),
        ("a IS BOOLEAN OR a IS ARRAY OR a IS OBJECT", "a IS BOOLEAN OR a IS ARRAY OR a IS OBJECT"),
        ("string IS STRING", "string IS STRING"),
        ("a = b", "a = b"),
        ("price*qty>total", "price * qty > total"),
        ("a-1 = b -1", "a - 1 = b - 1"),
        ("a - -1 = - 1", "a - -1 = -1"),
        ("-a < - - 5", "-a < 5"),
        ("a = -(5) AND a = -(-(-5))", "a = -5 AND a = -5"),
        ("-(a + b) * c = --a", "-(a + b) * c = --a"),
        ("(a + b) * c - (d - (e - f)) > 1", "(a + b) * c - (d - (e - f)) > 1"),
        ("((a * b)) / (c) % d = (1)", "a * b / c % d = 1"),
        ("a * (b / c) = a - (b + c)", "a * (b / c) = a - (b + c)"),
        ("1 = 2", "1 = 2"),
        ("1 + 1 < a", "a > 1 + 1"),
        ("a + 1 < b", "a + 1 < b"),
        ("5 IN (1)", "5 IN (1)"),
        ("a + 1 NOT IN (1, 2)", "a + 1 NOT IN (1, 2)"),
        ("a BETWEEN b - 1 AND (b + 1) * 2", "a BETWEEN b - 1 AND (b + 1) * 2"),
        ("NOT a + 1 BETWEEN 1 AND 2 OR b", "a + 1 NOT BETWEEN 1 AND 2 OR b = TRUE"),
        ("created > NOW() - Duration('1d')", "created > now() - duration('1d')"),
        ("a IN (time('2026-01-31'), now(), $x)", "a IN (time('2026-01-31'), now(), $x)"),
        ("now = 1 AND time = 2", "now = 1 AND time = 2"),
        ("a HAS duration($d)", "a HAS duration($d)"),
        ("_version > 5 AND _id = 'x'", "_version > 5 AND _id = 'x'"),
        ("any items where (sku = 'X' and qty > 2)", "ANY items WHERE (sku = 'X' AND qty > 2)"),
        ("NOT ALL a[*].b WHERE (@ > 5 OR @[0].c)", "NOT ALL a[*].b WHERE (@ > 5 OR @[0].c = TRUE)"),
        ("ANY a WHERE (ANY @ WHERE (@.x = @[1]))", "ANY a WHERE (ANY @ WHERE (x = @[1]))"),
        ("ANY a WHERE (NOT (x)) AND b", "ANY a WHERE (x != TRUE) AND b = TRUE"),
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
            Node::Test(test) => test.left.to_string(),
            Node::Elements(elements, body) => format!("any {} {body}", elements.path),
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
        (
            "a =",
            "expected a path or a literal, found the end at position 3, was a $parameter eaten by the shell?",
        ),
        ("a == 1", "expected a path or a literal, found = at position 3; equality is one ="),
        ("1", "expected a comparison after 1, found the end at position 1"),
        ("a + 1 AND b", "expected a comparison after a + 1, found AND at position 6"),
        (
            "first-name",
            "expected a comparison after first - name, found the end at position 10; a name with '-' takes back-quotes",
        ),
        ("1 x", "expected a comparison after a value, found x at position 2"),
        ("a = b = c", "expected AND, OR or the end, found = at position 6"),
        ("(a = 1) + 2 = 3", "expected AND, OR or the end, found + at position 8"),
        ("a + (b = 1) = 3", "expected a value, found a condition at position 5"),
        ("a = (b OR c)", "expected a value, found a condition at position 5"),
        (
            "a = NOT b",
            "expected a path or a literal, found NOT at position 4, was a $parameter eaten by the shell?",
        ),
        ("a + 1 IS NULL", "expected a path alone, found a + 1 at position 0"),
        ("a + 1 HAS 2", "expected a path alone, found a + 1 at position 0"),
    ];
    for (text, expected) in cases {
        assert_eq!(error(text), format!("FILTER {expected}"), "{text}");
    }
}

#[test]
fn says_what_functions_and_elements_take() {
    let cases = [
        ("foo(1) = 2", "foo is no function; there are now, time, duration at position 0"),
        ("foo(a", "expected ')' to close foo(, found the end at position 5"),
        ("a = foo(b)", "foo is a condition, and no value at position 4"),
        ("foo(a, (b))", "expected a literal, found ( at position 7"),
        (
            "tmie('x') = 2",
            "tmie is no function; there are now, time, duration at position 0, did you mean time?",
        ),
        ("now(1) = 2", "expected ')' to close now(, found 1 at position 4"),
        ("time() = 2", "expected a literal, found ) at position 5"),
        ("ANY x", "expected WHERE after ANY and a path, found the end at position 5"),
        ("ANY 5 WHERE (a)", "expected the path of an array after ANY at position 4"),
        ("ANY x WHERE a", "expected '(' after WHERE, found a at position 12"),
        ("ANY x WHERE (a", "expected an operator, AND, OR or ')', found the end at position 14"),
        ("ANY x WHERE (a + 1)", "expected a comparison after a + 1, found ) at position 18"),
        (
            "a = @.x",
            "@ is an element, and stands in ANY .. WHERE (..) or ALL .. WHERE (..) only at position 4",
        ),
        (
            "ANY @ WHERE (a)",
            "@ is an element, and stands in ANY .. WHERE (..) or ALL .. WHERE (..) only at position 4",
        ),
        ("a @ b", "expected an operator, AND, OR or the end, found @ at position 2"),
        ("a NOT 1", "expected BETWEEN, IN, HAS, LIKE or the like after NOT, found 1 at position 6"),
        ("a BETWEEN 1", "expected AND between the ends of BETWEEN, found the end at position 11"),
        ("a IN 1", "expected '(' or a parameter after IN, found 1 at position 5"),
        ("a IN (1", "expected ',' or ')', found the end at position 7"),
        ("a IN (1 2)", "expected ',' or ')', found 2 at position 8"),
        ("a IN (1,)", "expected a literal, found ) at position 8"),
        ("a IN ($x, (1))", "expected a literal, found ( at position 10"),
        (
            "a IS",
            "expected NOT, NULL, MISSING, TRUE, FALSE or STRING, NUMBER, BOOLEAN, ARRAY, OBJECT, found the end at position 4",
        ),
        (
            "a IS NOT 1",
            "expected NULL, MISSING, TRUE, FALSE or STRING, NUMBER, BOOLEAN, ARRAY, OBJECT, found 1 at position 9",
        ),
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
        ("a HAS ture", "found ture at position 6, did you mean TRUE?"),
        ("a IS STRNG", "found STRNG at position 5, did you mean STRING?"),
        ("ANY a WHEER (b)", "found WHEER at position 6, did you mean WHERE?"),
        (
            "a = NULL",
            "expected a path or a literal, found NULL at position 4, did you mean IS NULL?",
        ),
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
        ("name HAS ada", "found ada at position 9; strings take single quotes: 'ada'"),
        ("name HAS it's x", "found it at position 9; strings take single quotes: 'it''s'"),
        ("a IN (x-y, 1)", "found x at position 6; strings take single quotes: 'x-y'"),
        ("name = \"ada\"", "unexpected '\"' at position 7; strings take single quotes"),
        ("a = 1 && b", "unexpected '&' at position 6; use AND"),
        ("a = 1 || b", "unexpected '|' at position 6; use OR"),
        ("!a", "unexpected '!' at position 0; use NOT"),
        ("a >  AND b", "found AND at position 5, was a $parameter eaten by the shell?"),
        ("day = 2024-05-01", "05 is no number at position 11; a date is a string in single quotes"),
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
    for text in [
        "((((a))))",
        "NOT NOT NOT NOT a",
        "(NOT (NOT a))",
        "----a = 1",
        "ANY a WHERE (ALL b WHERE ((ANY c WHERE (@))))",
    ] {
        assert_eq!(parse(text, &limits).unwrap_err().to_string(), too_deep, "{text}");
    }
    assert!(parse("((a) AND (NOT b)) OR (((c)))", &limits).is_ok());
}

#[test]
fn depth_is_no_danger() {
    let bytes = 200_000;
    let limits = Limits { filter_bytes_max: 1 << 20, ..Limits::default() };
    for opening in ["(", "NOT ", "NOT(", "-", "-(", "a+(", "ANY a WHERE ("] {
        let text = format!("{}a", opening.repeat(bytes / 2));
        assert_eq!(parse(&text, &limits).unwrap_err().code, Code::TooBig);
    }
    let limits = Limits { filter_depth_max: usize::MAX, ..limits };
    let text = format!("{}a{}", "(".repeat(100_000), ")".repeat(100_000));
    assert_eq!(parse(&text, &limits).unwrap().to_string(), "a = TRUE");
    let text = format!("{}a < 1", "NOT ".repeat(100_000));
    let ast = parse(&text, &limits).unwrap();
    assert_eq!((ast.nodes.len(), ast.to_string()), (100_001, text));
    let text = format!("{}a = 1{}", "ANY a WHERE (".repeat(50_000), ")".repeat(50_000));
    let ast = parse(&text, &limits).unwrap();
    assert_eq!((ast.nodes.len(), ast.to_string()), (50_001, text));
    let text = format!("{}a{} = 1", "-(b + ".repeat(3_000), ")".repeat(3_000));
    assert_eq!(parse(&text, &limits).unwrap().to_string(), text);
}

const SOUP: [&str; 56] = [
    "a",
    "b.c",
    "`x`",
    "t[*]",
    "1",
    "-2.5",
    "'s'",
    "$p",
    "=",
    "!=",
    "<>",
    "<",
    "<=",
    ">",
    ">=",
    "(",
    ")",
    ",",
    "AND",
    "OR",
    "NOT",
    "IN",
    "BETWEEN",
    "HAS",
    "IS",
    "NULL",
    "MISSING",
    "TRUE",
    "FALSE",
    "_x",
    "'",
    "[",
    "ANY",
    "ALL",
    "STARTS",
    "ENDS",
    "WITH",
    "CONTAINS",
    "LIKE",
    "ILIKE",
    "MATCHES",
    "WHERE",
    "@",
    "@.x",
    "+",
    "-",
    "*",
    "/",
    "%",
    "now()",
    "time('2026-01-01')",
    "duration",
    "ANY a WHERE (",
    "STRING",
    "_id",
    "-1",
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
