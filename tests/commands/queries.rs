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
