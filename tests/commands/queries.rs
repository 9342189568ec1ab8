//! DOC.FIND, COUNT, EXPLAIN.

use folio_tests::reply::{int, json, list, text};
use folio_tests::{Client, over_both};
use redis::Value;
use serde_json::json;

/// Ten documents: `n` from 0 to 9, `odd` set-indexed, `n` sorted, `name` without an index.
fn fill(c: &mut Client) {
    let create = ["DOC.CREATE", "t", "FIELD", "n", "int", "INDEX", "SORTED"];
    c.call(&[&create[..], &["FIELD", "odd", "bool", "INDEX", "SET"]].concat());
    for n in 0..10 {
        let document = json!({"n": n, "odd": n % 2 == 1, "name": format!("no. {n}")});
        c.call(&["DOC.SET", &format!("t:{n}"), &document.to_string()]);
    }
}

#[test]
fn find_gives_rows_of_key_and_document_by_birth() {
    over_both(|c| {
        fill(c);
        let mut answer = c.map(&["DOC.FIND", "t", "WHERE", "odd"]);
        let rows = list(answer.remove("results").expect("results are always there"));
        assert_eq!(rows.len(), 5);
        let row = list(rows[0].clone());
        assert_eq!(text(&row[0]), "t:1");
        assert_eq!(json(&row[1]), json!({"n": 1, "odd": true, "name": "no. 1"}));
        assert!(!answer.contains_key("total"), "{answer:?}");
        assert!(!answer.contains_key("cursor"), "{answer:?}");
    });
}

#[test]
fn order_limit_and_total() {
    over_both(|c| {
        fill(c);
        let find = ["DOC.FIND", "t", "WHERE", "n < 8", "ORDER", "2", "odd", "n", "DESC"];
        let page = [&find[..], &["LIMIT", "3", "2", "WITHTOTAL"]].concat();
        assert_eq!(c.keys(&find), ["t:6", "t:4", "t:2", "t:0", "t:7", "t:5", "t:3", "t:1"]);
        assert_eq!(c.keys(&page), ["t:0", "t:7"]);
        assert_eq!(int(&c.map(&page)["total"]), 8);
    });
}

#[test]
fn options_come_in_any_order_and_any_case() {
    over_both(|c| {
        fill(c);
        let find = ["doc.find", "t", "limit", "0", "2", "order", "1", "n", "desc", "params", "1"];
        assert_eq!(c.keys(&[&find[..], &["x", "5", "where", "n <= $x"]].concat()), ["t:5", "t:4"]);
    });
}

#[test]
fn parameters_are_json_and_need_no_escaping() {
    over_both(|c| {
        c.call(&["DOC.SET", "t:1", r#"{"name":"it's \"so\" $x"}"#]);
        let value = r#""it's \"so\" $x""#;
        let find = ["DOC.FIND", "t", "WHERE", "name = $name", "PARAMS", "1", "name", value];
        assert_eq!(c.keys(&find), ["t:1"]);
    });
}

#[test]
fn select_and_withversion_shape_the_rows() {
    over_both(|c| {
        fill(c);
        let version = c.int(&["DOC.SET", "t:3", r#"{"n":3,"a":{"b":1}}"#]);
        let find = ["DOC.FIND", "t", "WHERE", "n = 3", "SELECT", "2", "n", "a.b"];
        let mut answer = c.map(&[&find[..], &["WITHVERSION"]].concat());
        let rows = list(answer.remove("results").expect("results are always there"));
        let row = list(rows[0].clone());
        assert_eq!(json(&row[1]), json!({"n": 3, "a.b": 1}));
        assert_eq!(row[2], Value::Int(version));
    });
}

#[test]
fn count_is_an_integer() {
    over_both(|c| {
        fill(c);
        assert_eq!(c.call(&["DOC.COUNT", "t"]), Value::Int(10));
        assert_eq!(c.call(&["DOC.COUNT", "t", "WHERE", "NOT odd AND n > 3"]), Value::Int(3));
    });
}

#[test]
fn exists_is_one_or_zero() {
    over_both(|c| {
        fill(c);
        assert_eq!(c.int(&["DOC.EXISTS", "t", "WHERE", "n = 9"]), 1);
        assert_eq!(c.int(&["DOC.EXISTS", "t", "WHERE", "n = 10"]), 0);
    });
}

#[test]
fn a_plan_names_the_index_that_is_used() {
    over_both(|c| {
        fill(c);
        let plan = c.call(&["DOC.EXPLAIN", "t", "FIND", "WHERE", "n BETWEEN 2 AND 3"]);
        let plan = format!("{plan:?}");
        assert!(plan.contains('n'), "{plan}");
        let plan = c.call(&["DOC.EXPLAIN", "t", "COUNT", "WHERE", "odd"]);
        assert!(format!("{plan:?}").contains("odd"));
    });
}

#[test]
fn a_large_search_without_an_index_is_refused_unless_it_is_asked_for() {
    over_both(|c| {
        fill(c);
        c.call(&["CONFIG", "SET", "folio.scan-max", "5"]);
        let count = ["DOC.COUNT", "t", "WHERE", "name = 'no. 4'"];
        let error = c.error(&count);
        assert!(error.starts_with("NOINDEX "), "{error}");
        assert_eq!(c.int(&[&count[..], &["SCAN"]].concat()), 1);
        // The index leaves few enough.
        assert_eq!(c.int(&["DOC.COUNT", "t", "WHERE", "n < 5 AND name = 'no. 4'"]), 1);
    });
}

#[test]
fn strings_are_found_by_their_parts() {
    over_both(|c| {
        fill(c);
        c.call(&["DOC.CREATE", "people", "FIELD", "name", "string", "INDEX", "SORTED"]);
        for (n, name) in ["Ada", "Adam", "Bob", "ada", "Zoë"].into_iter().enumerate() {
            let json = json!({"name": name, "also": format!("{name}!")}).to_string();
            c.call(&["DOC.SET", &format!("people:{n}"), &json]);
        }
        let cases = [
            ("name STARTS WITH 'Ad'", &["people:0", "people:1"][..]),
            ("name NOT STARTS WITH 'Ad' AND name ENDS WITH 'a'", &["people:3"]),
            ("also CONTAINS 'da'", &["people:0", "people:1", "people:3"]),
            ("name LIKE 'A_a%'", &["people:0", "people:1"]),
            ("name LIKE 'A%m'", &["people:1"]),
            ("name ILIKE 'ZO_'", &["people:4"]),
            ("name ILIKE 'ada'", &["people:0", "people:3"]),
            ("also MATCHES '^[AB].*b'", &["people:2"]),
        ];
        for (filter, expected) in cases {
            assert_eq!(c.keys(&["DOC.FIND", "people", "WHERE", filter]), expected, "{filter}");
            let count = c.int(&["DOC.COUNT", "people", "WHERE", filter]);
            assert_eq!(count, expected.len() as i64, "{filter}");
        }
        let find = ["DOC.FIND", "people", "WHERE", "name LIKE $p", "PARAMS", "1", "p", "\"B%\""];
        assert_eq!(c.keys(&find), ["people:2"]);
        let explain = |c: &mut Client, filter: &str| {
            let lines = list(c.call(&["DOC.EXPLAIN", "people", "COUNT", "WHERE", filter]));
            lines.iter().map(text).collect::<Vec<_>>().join("\n")
        };
        let plan = explain(c, "name STARTS WITH 'Ad'");
        assert!(plan.contains("sorted index name: name STARTS WITH 'Ad' (2)"), "{plan}");
        let plan = explain(c, "name LIKE 'Ad%m'");
        assert!(plan.contains("check name LIKE 'Ad%m'") && plan.contains("index name"), "{plan}");
        let error = c.error(&["DOC.COUNT", "people", "WHERE", "name MATCHES 'a('"]);
        assert_eq!(error, "FILTER no regular expression: unclosed group at position 13");
    });
}

#[test]
fn lists_are_asked_for_any_and_all() {
    over_both(|c| {
        c.call(&["DOC.CREATE", "t", "FIELD", "tags", "array<string>", "INDEX", "SET"]);
        for (n, tags) in [r#"["a","b"]"#, r#"["b","c"]"#, "[]"].into_iter().enumerate() {
            c.call(&["DOC.SET", &format!("t:{n}"), &format!(r#"{{"tags":{tags}}}"#)]);
        }
        c.call(&["DOC.SET", "t:3", "{}"]);
        let cases = [
            ("tags HAS ANY ('a', 'c')", &["t:0", "t:1"][..]),
            ("tags HAS ALL ('a', 'b')", &["t:0"]),
            ("tags HAS ALL ()", &["t:0", "t:1", "t:2"]),
            ("tags HAS ANY ()", &[]),
            ("tags NOT HAS ALL ('b')", &["t:2", "t:3"]),
        ];
        for (filter, expected) in cases {
            assert_eq!(c.keys(&["DOC.FIND", "t", "WHERE", filter]), expected, "{filter}");
        }
        let find = ["DOC.FIND", "t", "WHERE", "tags HAS ALL $l", "PARAMS", "1", "l"];
        assert_eq!(c.keys(&[&find[..], &[r#"["c","b"]"#]].concat()), ["t:1"]);
        assert_eq!(c.keys(&[&find[..], &["[]"]].concat()), ["t:0", "t:1", "t:2"]);
    });
}
