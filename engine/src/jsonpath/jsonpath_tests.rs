//! Queries over documents, what is said of wrong ones, and the limits.

use proptest::prelude::*;

use super::*;
use crate::doc::testing::{document, parsed};

const STORE: &str = concat!(
    r#"{"store":{"book":[{"title":"A","price":8.950,"tags":["x","y"]},{"title":"B","price":12.99},"#,
    r#"{"title":"C","price":9007199254740993}],"bicycle":{"price":1.90e1}},"max":10}"#
);

fn try_select(path: &str, json: &str, limits: &Limits) -> Result<String> {
    let path = JsonPath::parse(path, limits)?;
    let mut out = Vec::new();
    path.print(parsed(json).view().root(), &mut Evaluation::new(limits), &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

fn select(path: &str, json: &str) -> String {
    try_select(path, json, &Limits::default()).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn error(path: &str) -> String {
    JsonPath::parse(path, &Limits::default()).unwrap_err().to_string()
}

#[test]
fn values_come_as_they_were_written_and_in_order() {
    let cases = [
        ("$..price", "[8.950,12.99,9007199254740993,1.90e1]"),
        ("$.store..price", "[8.950,12.99,9007199254740993,1.90e1]"),
        ("$.store.book[?@.price < $.max].title", r#"["A"]"#),
        ("$.store.book[-1:0:-1].title", r#"["C","B"]"#),
        ("$..book[?@.tags].tags[*]", r#"["x","y"]"#),
        ("$.max", "[10]"),
        (
            "$.store.book[?@.price > 0 && @.tags[?@ == 'y' && $.max == 10] && @.title == 'A'].title",
            r#"["A"]"#,
        ),
        ("$.nothing", "[]"),
        ("$..book[?@.price == 9007199254740993].title", r#"["C"]"#),
        ("$..book[?@.price == 9007199254740992].title", "[]"),
        ("$.store[?@.price == 19]", r#"[{"price":1.90e1}]"#),
        ("$..[?count($..price) == 4 && length(@.title) == 1].title", r#"["A","B","C"]"#),
    ];
    for (path, expected) in cases {
        assert_eq!(select(path, STORE), expected, "{path}");
    }
}

#[test]
fn comparisons_are_those_of_values() {
    let json = r#"{"a":{"x":[1,{"y":1.0,"z":"\u00e9"}]},"b":{"x":[1.0,{"z":"é","y":1}]},"c":{"x":[1]},"h":1e400,"i":2e400}"#;
    for (test, holds) in [
        ("$.a == $.b", true),
        ("$.a.x == $.b.x", true),
        ("$.a == $.c", false),
        ("$.a.x <= $.b.x", true),
        ("$.a.x < $.b.x", false),
        ("$.h < $.i", true),
        ("$.h > 1e308", true),
        ("$.h == 1e400", true),
        ("$.h == $.i", false),
        ("$.gone == $.away", true),
        ("$.gone <= $.away", true),
        ("$.gone == null", false),
        ("length($.gone) == $.away", true),
        ("'é' < '\u{ffff}' && '\u{ffff}' < '😀'", true),
        ("18446744073709551615 > 18446744073709551614", true),
        ("1 == 1.0 && 1.0 != '1' && true > false", false),
        ("!(1 == 2) && (1 == 2 || 1 < 2)", true),
        ("1 == 2 && 1 == 1 || 1 == 1", true),
        ("1 == 1 || 1 == 1 && 1 == 2", true),
        ("1 == 2 || !(1 == 1 && 2 == 2)", false),
        ("match('ab', 'a') || search('ab', '(')", false),
        ("search('ab', 'b') && !match('a\\n', 'a.')", true),
        ("length(value($.c.x[*])) == length($.c)", false),
        ("value($.c.x[*]) == length($.c)", true),
    ] {
        let found = select(&format!("$.c[?{test}]"), json);
        assert_eq!(found, if holds { "[[1]]" } else { "[]" }, "{test}");
    }
}

#[test]
fn says_what_is_wrong_and_where() {
    let cases = [
        ("", "expected '$', found the end at position 0"),
        ("$ ", "expected '.', '..' or '[', found ' ' at position 1"),
        ("$a", "expected '.', '..' or '[', found 'a' at position 1"),
        ("$.", "expected a name or '*', found the end at position 2"),
        ("$. a", "expected a name or '*', found ' ' at position 2"),
        ("$..", "expected a name, '*' or '[', found the end at position 3"),
        (
            "$[",
            "expected a name in quotes, an index, a slice, '*' or '?', found the end at position 2",
        ),
        ("$[1 2]", "expected ',' or ']', found '2' at position 4"),
        ("$[01]", "an integer with a leading zero at position 2"),
        ("$[-]", "expected a digit, found ']' at position 3"),
        ("$[9007199254740992]", "an integer beyond 9007199254740991 at position 2"),
        ("$['a", "a string without its closing quote at position 2"),
        ("$['\t']", "expected an escape of a control character, found '\\t' at position 3"),
        (
            r"$['\x']",
            "expected one of \\b \\f \\n \\r \\t \\u \\/ \\\\ or the quote, found 'x' at position 4",
        ),
        (r"$['\u12é']", "expected four hexadecimal digits, found '1' at position 5"),
        (r"$['\ud800']", "half a pair of surrogates at position 3"),
        ("$[?]", "expected '@', '$', a literal, a function, '!' or '(', found ']' at position 3"),
        (
            "$[?!!@]",
            "expected '@', '$', a literal, a function, '!' or '(', found '!' at position 4",
        ),
        ("$[?@ == ]", "expected '@', '$', a literal or a function, found ']' at position 8"),
        ("$[?@.a == True]", "expected '@', '$', a literal or a function, found 'T' at position 10"),
        ("$[?@.a = 1]", "expected '&&', '||', ',' or ']', found '=' at position 7"),
        ("$[?(@.a]", "expected '&&', '||' or ')', found ']' at position 7"),
        ("$[?1]", "a literal is not compared with anything at position 3"),
        ("$[?length(@)]", "the value of length is not compared with anything at position 3"),
        ("$[?!@.a == 1]", "a comparison behind '!' takes parentheses at position 8"),
        (
            "$[?@.* == 1]",
            "a path that can select several values stands in place of a value at position 3",
        ),
        (
            "$[?1 == match(@, 'a')]",
            "match, which gives no value, stands in place of a value at position 8",
        ),
        (
            "$[?sum(@.a) > 1]",
            "an unknown function at position 3; there are length, count, match, search, value",
        ),
        ("$[?count(1) > 1]", "count takes a path, found none at position 9"),
        ("$[?match(@)]", "expected ',' and another argument, found ')' at position 10"),
        ("$[?length(@, 1) > 1]", "expected ')', found ',' at position 11"),
        ("$[?@ == 01]", "expected '.' or 'e' after a leading zero, found '1' at position 9"),
    ];
    for (path, expected) in cases {
        assert_eq!(error(path), format!("PATH {expected}"), "{path}");
    }
}

#[test]
fn limits_are_named() {
    let limits = Limits { filter_bytes_max: 8, ..Limits::default() };
    assert_eq!(
        JsonPath::parse("$.abcdefg", &limits).unwrap_err().to_string(),
        "TOOBIG a path of 9 bytes exceeds the limit of 8 (folio.filter-bytes-max)"
    );
    let limits = Limits { filter_depth_max: 3, ..Limits::default() };
    assert!(JsonPath::parse("$[?(!(@.a))]", &limits).is_err());
    assert!(JsonPath::parse("$[?((@.a)), ?((@.a))]", &limits).is_ok());
    assert_eq!(
        JsonPath::parse("$[?@[?@[?@[?@.a]]]]", &limits).unwrap_err().to_string(),
        "TOOBIG a path whose filters are 4 deep exceeds the limit of 3 (folio.filter-depth-max)"
    );
    let limits = Limits { jsonpath_nodes_max: 20, ..Limits::default() };
    assert_eq!(try_select("$.a[*]", r#"{"a":[1,2,3]}"#, &limits).unwrap(), "[1,2,3]");
    assert_eq!(
        try_select("$..*..*..*", r#"{"a":[[1],[2],[3]]}"#, &limits).unwrap_err().to_string(),
        "LIMITED the paths look at more than 20 values (folio.jsonpath-nodes-max)"
    );
    let limits = Limits { regex_bytes_max: 1000, ..Limits::default() };
    let large = try_select("$[?match('a', '[a-z]{200}')]", r#"{"a":1}"#, &limits).unwrap_err();
    assert!(large.to_string().starts_with("TOOBIG a regular expression takes more"), "{large}");
}

/// What takes long is refused whatever it is made of: few nodes and much text, comparisons, expressions.
#[test]
fn no_form_of_work_goes_uncounted() {
    let long = format!(r#"{{"a":[{}0],"s":"{}"}}"#, "1,".repeat(5_000), "x".repeat(2_000_000));
    let patterns: Vec<String> = (0..2_000).map(|n| format!("\"p{n}\"")).collect();
    let patterns = format!("{{\"a\":[{}]}}", patterns.join(","));
    let every = vec!["1 == 1"; 6_000].join(" && ");
    let cases = [
        ("$.a[?search($.s, 'y')]", &long),
        (&format!("$..[?{every}]"), &long),
        (&format!("$[{}*]", "*,".repeat(20_000)), &long),
        ("$..a[?match('p', @)]", &patterns),
    ];
    for (path, json) in cases {
        let found = try_select(path, json, &Limits::default());
        let error = found.map(|text| text.len()).unwrap_err().to_string();
        assert!(error.starts_with("LIMITED "), "{error}");
    }
}

#[test]
fn a_path_from_the_root_is_followed_once_not_for_every_node() {
    let json = format!(r#"{{"a":[{}0]}}"#, "1,".repeat(5_000));
    let found = select("$.a[?@ < count($..*)]", &json);
    assert_eq!(found, json[5..json.len() - 1]);
}

#[test]
fn nothing_nests_on_the_stack_of_the_process() {
    let deep = 20_000;
    let json = format!(r#"{{"a":{}1{}}}"#, "[".repeat(deep), "]".repeat(deep));
    let limits = Limits {
        depth_max: usize::MAX,
        filter_bytes_max: usize::MAX,
        filter_depth_max: usize::MAX,
        jsonpath_nodes_max: usize::MAX,
        ..Limits::default()
    };
    let value = crate::doc::parse_value(json.as_bytes(), &limits).unwrap();
    let count = |path: &str| {
        let path = JsonPath::parse(path, &limits).unwrap();
        path.select(Raw::new(&value), &mut Evaluation::new(&limits)).unwrap().len()
    };
    assert_eq!(count(&format!("$.a{}", "[0]".repeat(deep))), 1);
    assert_eq!(count("$.a[?@ == $.a[0]]"), 1);
    let deep = 2_000;
    assert_eq!(count(&format!("$[?{}@[?@[0]]{}]", "@[?".repeat(deep), "]".repeat(deep))), 1);
    assert_eq!(count(&format!("$[?{}@{}]", "!(".repeat(deep), ")".repeat(deep))), 1);
    let calls = format!("{}@{}", "length(".repeat(deep), ")".repeat(deep));
    assert_eq!(count(&format!("$[?{calls} == 1]")), 0);
}

fn any_text() -> impl Strategy<Value = String> {
    let literal =
        || prop::sample::select(&["1", "-0.5e+2", "'a\\u00e9\\''", "\"\\\"\"", "null"][..]);
    let single = || prop::sample::select(&["@", "$", "@.a", "$ ['b']", "@[-1]", "@.a [0]"][..]);
    let value = move || {
        prop_oneof![
            literal().prop_map(str::to_owned),
            single().prop_map(str::to_owned),
            single().prop_map(|path| format!("length( {path} )")),
            single().prop_map(|path| format!("count({path}..*)")),
        ]
    };
    let sign = prop::sample::select(&["==", "!=", "<", " <= ", ">", ">="][..]);
    let test = prop_oneof![
        single().prop_map(str::to_owned),
        (value(), sign, value()).prop_map(|(a, sign, b)| format!("{a}{sign}{b}")),
        (value(), value()).prop_map(|(a, b)| format!("search({a}, {b})")),
    ];
    let expression = test.prop_recursive(4, 16, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}&&{b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} || {b}")),
            inner.clone().prop_map(|a| format!("!( {a})")),
            inner.prop_map(|a| format!("@[?{a}]")),
        ]
    });
    let selector = prop_oneof![
        prop::sample::select(&["*", "0", "-1", "1:2", "::-1", " :3: 2", "'a'", "\"b\""][..])
            .prop_map(str::to_owned),
        expression.prop_map(|test| format!("?{test}")),
    ];
    let segment = prop_oneof![
        prop::sample::select(&[".a", ".*", "..b", "..*", ".é_1"][..]).prop_map(str::to_owned),
        (any::<bool>(), prop::collection::vec(selector, 1..3)).prop_map(|(descends, selectors)| {
            format!("{}[{}]", if descends { ".." } else { " " }, selectors.join(" ,"))
        }),
    ];
    prop::collection::vec(segment, 0..4).prop_map(|segments| format!("${}", segments.concat()))
}

proptest! {
    #[test]
    fn what_is_written_reads_back(text in any_text(), json in document()) {
        let limits = Limits::default();
        let path = JsonPath::parse(&text, &limits).unwrap();
        prop_assert_eq!(&JsonPath::parse(&path.to_string(), &limits).unwrap(), &path);
        let document = parsed(&json.to_string());
        let mut out = Vec::new();
        if path.print(document.view().root(), &mut Evaluation::new(&limits), &mut out).is_ok() {
            serde_json::from_slice::<Vec<serde_json::Value>>(&out).unwrap();
        }
    }

    #[test]
    fn no_text_panics(text in any::<String>(), soup in "\\$[$@.\\[\\]()*?!&|=<>,:'\"\\\\ua-ctrue0-9é -]{0,24}") {
        for text in [text, soup] {
            if let Ok(path) = JsonPath::parse(&text, &Limits::default()) {
                prop_assert_eq!(JsonPath::parse(&path.to_string(), &Limits::default()), Ok(path));
            }
        }
    }
}
