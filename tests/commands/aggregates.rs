//! DOC.AGGREGATE, DISTINCT.

use folio_tests::reply::{list, text};
use folio_tests::{Client, over_both};
use serde_json::json;

/// Six orders: `city` and `price` indexed, `tags` not.
fn fill(c: &mut Client) {
    let create = ["DOC.CREATE", "orders", "FIELD", "city", "string", "INDEX", "SET"];
    let price = ["FIELD", "price", "float", "INDEX", "SORTED", "FIELD", "fee", "decimal"];
    c.call(&[&create[..], &price, &["FIELD", "placed", "datetime"]].concat());
    let orders = [
        json!({"city": "Rome", "price": 2.5, "qty": 2, "fee": "0.10", "placed": "2026-01-31T23:59:59Z", "tags": ["a", "b"]}),
        json!({"city": "Bern", "price": 10, "qty": 1, "fee": "0.20", "placed": "2026-02-01T00:00:00Z", "tags": ["b"]}),
        json!({"city": "Rome", "price": 7.5, "qty": 4, "fee": 1, "placed": "2026-02-02T12:00:00+02:00", "tags": []}),
        json!({"city": "Oslo", "price": 4, "qty": 3, "placed": 1_770_000_000_000_i64}),
        json!({"city": "Bern", "price": 1, "qty": 2, "fee": "0.05"}),
        json!({"price": 3, "qty": null, "tags": ["c", null]}),
    ];
    for (n, order) in orders.into_iter().enumerate() {
        c.call(&["DOC.SET", &format!("orders:{n}"), &order.to_string()]);
    }
}

fn rows(c: &mut Client, words: &[&str]) -> Vec<String> {
    let mut answer = c.map(&[&["DOC.AGGREGATE", "orders"], words].concat());
    assert_eq!(answer.len(), 1);
    list(answer.remove("results").expect("results are always there")).iter().map(text).collect()
}

#[test]
fn groups_are_rows_by_their_keys() {
    over_both(|c| {
        fill(c);
        let reduce = [
            "GROUP",
            "1",
            "city",
            "REDUCE",
            "3",
            "count()",
            "AS",
            "n",
            "avg(price)",
            "max(price)",
            "AS",
            "m",
        ];
        let expected = [
            r#"{"n":1,"avg(price)":3,"m":3}"#,
            r#"{"city":"Bern","n":2,"avg(price)":5.5,"m":10}"#,
            r#"{"city":"Oslo","n":1,"avg(price)":4,"m":4}"#,
            r#"{"city":"Rome","n":2,"avg(price)":5,"m":7.5}"#,
        ];
        assert_eq!(rows(c, &reduce), expected);
        let order = ["HAVING", "n > $least", "ORDER", "1", "avg(price)", "ASC", "LIMIT", "0", "1"];
        let params = ["PARAMS", "1", "least", "1"];
        assert_eq!(rows(c, &[&reduce[..], &order, &params].concat()), [expected[3]]);
        let some = [
            "WHERE",
            "price >= $p AND city <> 'Oslo'",
            "PARAMS",
            "1",
            "p",
            "2.5",
            "GROUP",
            "1",
            "city",
        ];
        let expected = [
            r#"{"sum(price * qty)":0}"#,
            r#"{"city":"Bern","sum(price * qty)":10}"#,
            r#"{"city":"Rome","sum(price * qty)":35}"#,
        ];
        assert_eq!(rows(c, &[&some[..], &["REDUCE", "1", "sum(price * qty)"]].concat()), expected);
    });
}

#[test]
fn without_groups_there_is_one_row() {
    over_both(|c| {
        fill(c);
        let reduce = [
            "REDUCE",
            "4",
            "sum(fee)",
            "stddev(qty)",
            "quantile(price, 0.5)",
            "countDistinct(city)",
        ];
        let expected = r#"{"sum(fee)":"1.35","stddev(qty)":1.1401754250991378,"quantile(price, 0.5)":3.5,"countDistinct(city)":3}"#;
        assert_eq!(rows(c, &reduce), [expected]);
        let none = [&["WHERE", "price > 1000"], &reduce[..]].concat();
        let expected = r#"{"sum(fee)":0,"stddev(qty)":null,"quantile(price, 0.5)":null,"countDistinct(city)":0}"#;
        assert_eq!(rows(c, &none), [expected]);
    });
}

#[test]
fn buckets_and_elements_group_too() {
    over_both(|c| {
        fill(c);
        let months = [
            "GROUP",
            "1",
            "bucket(placed, 'month')",
            "AS",
            "month",
            "REDUCE",
            "2",
            "count()",
            "AS",
            "n",
            "first(placed)",
            "AS",
            "f",
        ];
        let expected = [
            r#"{"n":2,"f":null}"#,
            r#"{"month":"2026-01-01T00:00:00Z","n":1,"f":"2026-01-31T23:59:59Z"}"#,
            r#"{"month":"2026-02-01T00:00:00Z","n":3,"f":"2026-02-01T00:00:00Z"}"#,
        ];
        assert_eq!(rows(c, &months), expected);
        let tags = [
            "GROUP",
            "1",
            "tags[*]",
            "REDUCE",
            "2",
            "count()",
            "AS",
            "n",
            "collect(qty)",
            "AS",
            "q",
        ];
        let expected = [
            r#"{"n":3,"q":[4,3,2]}"#,
            r#"{"tags[*]":null,"n":1,"q":[]}"#,
            r#"{"tags[*]":"a","n":1,"q":[2]}"#,
            r#"{"tags[*]":"b","n":2,"q":[2,1]}"#,
            r#"{"tags[*]":"c","n":1,"q":[]}"#,
        ];
        assert_eq!(rows(c, &tags), expected);
        let widths =
            ["GROUP", "1", "bucket(price, 5)", "AS", "p", "REDUCE", "1", "count()", "AS", "n"];
        assert_eq!(rows(c, &widths), [r#"{"p":0,"n":4}"#, r#"{"p":5,"n":1}"#, r#"{"p":10,"n":1}"#]);
    });
}

#[test]
fn distinct_values_ascend() {
    over_both(|c| {
        fill(c);
        assert_eq!(
            c.texts(&["DOC.DISTINCT", "orders", "city"]),
            [r#""Bern""#, r#""Oslo""#, r#""Rome""#]
        );
        assert_eq!(c.texts(&["DOC.DISTINCT", "orders", "qty"]), ["null", "1", "2", "3", "4"]);
        assert_eq!(
            c.texts(&["DOC.DISTINCT", "orders", "tags[*]"]),
            ["null", r#""a""#, r#""b""#, r#""c""#]
        );
        let some =
            ["DOC.DISTINCT", "orders", "city", "WHERE", "price > $p", "PARAMS", "1", "p", "5"];
        assert_eq!(c.texts(&some), [r#""Bern""#, r#""Rome""#]);
        assert_eq!(c.texts(&["DOC.DISTINCT", "orders", "nothing"]), [""; 0]);
    });
}

#[test]
fn what_has_lapsed_is_in_no_group() {
    over_both(|c| {
        fill(c);
        c.call(&["DEBUG", "SET-ACTIVE-EXPIRE", "0"]);
        c.call(&["PEXPIRE", "orders:1", "1"]);
        c.call(&["PEXPIRE", "orders:3", "1"]);
        std::thread::sleep(std::time::Duration::from_millis(10));
        let found = rows(
            c,
            &["GROUP", "1", "city", "REDUCE", "2", "count()", "AS", "n", "sum(price)", "AS", "s"],
        );
        let expected = [
            r#"{"n":1,"s":3}"#,
            r#"{"city":"Bern","n":1,"s":1}"#,
            r#"{"city":"Rome","n":2,"s":10}"#,
        ];
        assert_eq!(found, expected);
        assert_eq!(c.texts(&["DOC.DISTINCT", "orders", "city"]), [r#""Bern""#, r#""Rome""#]);
        c.call(&["DEBUG", "SET-ACTIVE-EXPIRE", "1"]);
    });
}

#[test]
fn errors_name_what_is_wrong() {
    over_both(|c| {
        fill(c);
        let mut error = |words: &[&str]| c.error(&[&["DOC.AGGREGATE", "orders"], words].concat());
        assert_eq!(
            error(&["GROUP", "1", "city"]),
            "ERR REDUCE is missing, such as REDUCE 1 count()"
        );
        assert_eq!(
            error(&["REDUCE", "1", "smu(price)"]),
            "ERR unknown reducer 'smu', did you mean sum?"
        );
        assert_eq!(
            error(&["REDUCE", "1", "sum(price", "SCAN"]),
            "ERR 'sum(price' is no reducer, such as count() or sum(price)"
        );
        let twice = ["GROUP", "1", "city", "REDUCE", "1", "count()", "AS", "city"];
        assert_eq!(error(&twice), "ERR two results are called 'city': AS renames one");
        let having = ["REDUCE", "1", "count()", "AS", "n", "HAVING", "m > 1"];
        assert!(error(&having).starts_with("FILTER HAVING: no result is called m"));
        let unused = ["REDUCE", "1", "count()", "PARAMS", "1", "p", "1"];
        assert!(error(&unused).starts_with("FILTER parameter $p is not used"));
        assert!(
            error(&["GROUP", "2", "a[*]", "b[*]", "REDUCE", "1", "count()"])
                .contains("second key with [*]")
        );
        c.call(&["DOC.SET", "orders:9", r#"{"qty":18446744073709551615}"#]);
        let overflow = c.error(&["DOC.AGGREGATE", "orders", "REDUCE", "1", "sum(qty)"]);
        assert!(overflow.starts_with("OVERFLOW ") && overflow.contains("sum(qty)"), "{overflow}");
        assert!(c.error(&["DOC.DISTINCT", "orders", "a b"]).starts_with("PATH "));
        assert_eq!(
            c.error(&["DOC.DISTINCT", "orders", "a", "PARAMS", "1", "p", "1"]),
            "ERR PARAMS without WHERE"
        );
        assert!(
            c.error(&["DOC.AGGREGATE", "nothing", "REDUCE", "1", "count()"])
                .starts_with("NOCOLLECTION ")
        );
    });
}

#[test]
fn documents_that_no_index_spares_are_limited_unless_it_is_asked_for() {
    over_both(|c| {
        fill(c);
        c.call(&["CONFIG", "SET", "folio.scan-max", "3"]);
        let told = [
            "DOC.AGGREGATE",
            "orders",
            "GROUP",
            "1",
            "city",
            "REDUCE",
            "2",
            "count()",
            "avg(price)",
        ];
        c.call(&told);
        c.call(&["DOC.DISTINCT", "orders", "city"]);
        let read = ["DOC.AGGREGATE", "orders", "WHERE", "price > 0", "REDUCE", "1", "sum(qty)"];
        assert!(c.error(&read).starts_with("NOINDEX "));
        c.call(&[&read[..], &["SCAN"]].concat());
        assert!(c.error(&["DOC.DISTINCT", "orders", "qty"]).starts_with("NOINDEX "));
        c.call(&["DOC.DISTINCT", "orders", "qty", "SCAN"]);
        let few = ["DOC.AGGREGATE", "orders", "WHERE", "city = 'Rome'", "REDUCE", "1", "sum(qty)"];
        c.call(&few);
    });
}
