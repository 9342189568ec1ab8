//! DOC.FIND, COUNT, EXPLAIN.

use folio_engine::{Limits, query};
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
        let plan = |c: &mut Client, filter: &str| {
            let lines = list(c.call(&["DOC.EXPLAIN", "t", "COUNT", "WHERE", filter]));
            lines.iter().map(text).collect::<Vec<_>>().join("\n")
        };
        for (filter, line) in [
            ("n BETWEEN 2 AND 3", "  sorted index n: n BETWEEN 2 AND 3 (2)"),
            ("odd", "  set index odd: odd = TRUE (5)"),
            ("n >= 2 AND n < 4", "  sorted index n: n >= 2 AND n < 4 (2)"),
            ("n != 3", "  all but\n    sorted index n: n = 3 (1)"),
            ("n IS STRING", "  sorted index n: n IS STRING (0)"),
            ("_seq > 7", "  order of birth: _seq > 7 (3)"),
            ("_expires IS NOT MISSING", "  order of lapsing: NOT _expires IS MISSING (0)"),
        ] {
            assert_eq!(plan(c, filter), format!("count t\n{line}"), "{filter}");
        }
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

/// `words`, the filter after WHERE in place of `?`.
fn with_filter(words: &[&str], filter: &[u8]) -> Vec<Vec<u8>> {
    let put = |word: &&str| if *word == "?" { filter.to_vec() } else { word.as_bytes().to_vec() };
    words.iter().map(put).collect()
}

#[test]
fn a_tree_finds_what_its_text_finds() {
    over_both(|c| {
        fill(c);
        let create = ["DOC.CREATE", "o", "FIELD", "tags", "array<string>", "INDEX", "SET"];
        c.call(&create);
        let items = r#"{"tags":["vip"],"items":[{"sku":"X1","qty":3},{"sku":"X2","qty":1}]}"#;
        c.call(&["DOC.SET", "o:1", items]);
        c.call(&["DOC.SET", "o:2", r#"{"tags":[],"price":2,"qty":3,"total":5}"#]);
        // n >= $min, by hand.
        let tree = b"\x93\xa2>=\xa1n\x92\xa5param\xa3min";
        let count = ["DOC.COUNT", "t", "WHERE", "?", "PARAMS", "1", "min", "7"];
        assert_eq!(int(&c.try_call(&with_filter(&count, tree)).unwrap()), 3);
        let filters = [
            ("t", "n BETWEEN 2 AND 4 AND NOT odd"),
            ("t", "name = 'no. 3' OR n IN (1, 2.0, 8)"),
            // A plan shows the instant of now(), which is another one each time.
            ("t", "_id != '4' AND _version > 0 AND _created > time('2026-01-01')"),
            ("t", "n * 2 > 10 AND name LIKE '%7' AND n IS NUMBER"),
            ("o", "tags HAS ANY ('vip', 'it''s')"),
            ("o", "ANY items WHERE (sku = 'X1' AND qty > 2)"),
            ("o", "price * qty > total"),
        ];
        for (collection, written) in filters {
            let tree = query::write_tree(&query::parse(written, &Limits::default()).unwrap());
            for command in [
                &["DOC.FIND", collection, "WHERE", "?", "WITHTOTAL"][..],
                &["DOC.COUNT", collection, "WHERE", "?"],
                &["DOC.EXISTS", collection, "WHERE", "?"],
                &["DOC.EXPLAIN", collection, "FIND", "WHERE", "?"],
            ] {
                let by_text = c.try_call(&with_filter(command, written.as_bytes())).unwrap();
                let by_tree = c.try_call(&with_filter(command, &tree)).unwrap();
                assert_eq!(by_tree, by_text, "{written}");
            }
            let count = with_filter(&["DOC.COUNT", collection, "WHERE", "?"], &tree);
            assert_ne!(int(&c.try_call(&count).unwrap()), 0, "{written}");
        }
    });
}

#[test]
fn a_wrong_tree_is_refused_with_its_byte() {
    over_both(|c| {
        fill(c);
        let mut error = |filter: &[u8]| {
            let command = with_filter(&["DOC.COUNT", "t", "WHERE", "?"], filter);
            c.try_call(&command).expect_err("the filter is wrong").to_string()
        };
        let cases: [(&[u8], &str); 5] = [
            (b"\x93\xa1=\xa1n", "expected a value, found the end at byte 5"),
            (
                b"\x92\xa6is nul\xa1n",
                "\"is nul\" is no operator at byte 1, did you mean \"is null\"?",
            ),
            (
                b"\x93\xa1=\xa1n\xc0",
                "expected a value, found nil at byte 5, did you mean \"is null\"?",
            ),
            (b"\x93\xa1=\xa1n\xa1x", "at position 5"),
            (b"\xdc\x00\x02\xa3and", "is not UTF-8 at position 0"),
        ];
        for (filter, expected) in cases {
            let error = error(filter);
            assert!(error.contains("FILTER") && error.contains(expected), "{error}");
        }
    });
}

fn five(c: &mut Client) {
    c.call(&["DOC.CREATE", "p", "FIELD", "n", "int", "INDEX", "SORTED", "FIELD", "s", "string"]);
    for (key, json) in [
        ("p:a", r#"{"n":3,"s":"x"}"#),
        ("p:b", r#"{"n":1,"s":"y"}"#),
        ("p:c", r#"{"n":3,"s":"x"}"#),
        ("p:d", r#"{"s":"y"}"#),
        ("p:e", r#"{"n":2,"s":"x"}"#),
    ] {
        c.call(&["DOC.SET", key, json]);
    }
}

/// The keys of all pages of `find`, each asked with the cursor of the one before, and how many pages there were.
fn pages(c: &mut Client, find: &[&str]) -> (Vec<String>, usize) {
    let (mut keys, mut count, mut after) = (Vec::new(), 0, None::<String>);
    loop {
        let mut page = find.to_vec();
        if let Some(cursor) = &after {
            page.extend(["AFTER", cursor.as_str()]);
        }
        keys.extend(c.keys(&page));
        count += 1;
        match c.map(&page).get("cursor") {
            Some(cursor) => after = Some(text(cursor)),
            None => return (keys, count),
        }
    }
}

#[test]
fn pages_are_the_whole_answer() {
    over_both(|c| {
        five(c);
        let find = ["DOC.FIND", "p", "LIMIT", "0", "2"];
        let by_birth = ["p:a", "p:b", "p:c", "p:d", "p:e"].map(str::to_owned).to_vec();
        assert_eq!(pages(c, &find), (by_birth, 3));
        for (order, keys) in [
            (&["ORDER", "1", "n"][..], ["p:d", "p:b", "p:e", "p:a", "p:c"]),
            (&["ORDER", "1", "n", "DESC"], ["p:c", "p:a", "p:e", "p:b", "p:d"]),
            (&["ORDER", "2", "s", "n", "DESC"], ["p:c", "p:a", "p:e", "p:b", "p:d"]),
            (&["ORDER", "1", "_id", "DESC"], ["p:e", "p:d", "p:c", "p:b", "p:a"]),
        ] {
            let keys = keys.map(str::to_owned).to_vec();
            assert_eq!(pages(c, &[&find[..], order].concat()), (keys, 3), "{order:?}");
        }
        let whole = c.map(&["DOC.FIND", "p", "LIMIT", "0", "5"]);
        assert!(!whole.contains_key("cursor"));
        let cursor = text(&c.map(&find)["cursor"]);
        let other = ["DOC.FIND", "p", "WHERE", "n = 3", "LIMIT", "0", "2", "AFTER", &cursor];
        let error = c.error(&other);
        assert!(error.starts_with("CURSOR the cursor is of another query"), "{error}");
        let error = c.error(&["DOC.FIND", "p", "AFTER", "nonsense"]);
        assert_eq!(error, "CURSOR the cursor is none that a query gave");
        // What comes later stands on a later page; the total is that of all.
        c.call(&["DOC.SET", "p:f", r#"{"n":9}"#]);
        let rest = ["DOC.FIND", "p", "LIMIT", "0", "9", "AFTER", &cursor, "WITHTOTAL"];
        assert_eq!(c.keys(&rest), ["p:c", "p:d", "p:e", "p:f"]);
        assert_eq!(c.map(&rest)["total"], Value::Int(6));
    });
}

#[test]
fn keys_are_listed_in_order() {
    over_both(|c| {
        five(c);
        let keys =
            c.call(&["DOC.KEYS", "p", "WHERE", "n > 1", "ORDER", "1", "n", "LIMIT", "1", "2"]);
        assert_eq!(
            format!("{keys:?}"),
            format!("{:?}", c.call(&["DOC.KEYS", "p", "WHERE", "_key IN ('p:a', 'p:c')"]))
        );
        let error = c.error(&["DOC.KEYS", "p", "AFTER", "x"]);
        assert!(error.starts_with("ERR unknown option 'AFTER'"), "{error}");
    });
}

#[test]
fn slow_queries_are_kept_with_their_plans() {
    over_both(|c| {
        five(c);
        c.call(&["DOC.SLOWLOG", "RESET"]);
        assert_eq!(c.call(&["DOC.SLOWLOG", "LEN"]), Value::Int(0));
        c.call(&["CONFIG", "SET", "folio.slowlog-slower-than", "0"]);
        c.call(&["DOC.COUNT", "p", "WHERE", "n + 1 > 2"]);
        c.call(&["DOC.DISTINCT", "p", "s"]);
        c.call(&["CONFIG", "SET", "folio.slowlog-slower-than", "-1"]);
        c.call(&["DOC.COUNT", "p"]);
        let entries = format!("{:?}", c.call(&["DOC.SLOWLOG", "GET"]));
        assert_eq!(c.call(&["DOC.SLOWLOG", "LEN"]), Value::Int(2));
        for part in ["DOC.COUNT", "n + 1 > 2", "check n + 1 > 2", "computed: ", "DOC.DISTINCT"] {
            assert!(entries.contains(part), "{part}: {entries}");
        }
        c.call(&["CONFIG", "SET", "folio.slowlog-slower-than", "10000"]);
        let error = c.error(&["DOC.SLOWLOG", "SHOW"]);
        assert_eq!(error, "ERR expected GET, LEN or RESET, not 'SHOW'");
    });
}

#[test]
fn a_profile_tells_what_each_step_came_to() {
    over_both(|c| {
        five(c);
        let lines = |c: &mut Client, command: &[&str]| format!("{:?}", c.call(command));
        let where_ = ["WHERE", "n >= 2 AND s = 'x'"];
        let profile = lines(c, &[&["DOC.PROFILE", "p", "FIND"][..], &where_].concat());
        for part in ["sorted index n", "-> 3 in ", "check s = 'x'", "3 rows of 3 matches in "] {
            assert!(profile.contains(part), "{part}: {profile}");
        }
        let explained = lines(c, &[&["DOC.EXPLAIN", "p", "COUNT"][..], &where_].concat());
        assert!(explained.contains("no index over s"), "{explained}");
        let error = c.error(&["DOC.PROFILE", "p", "SET"]);
        assert!(error.starts_with("ERR expected one of FIND, KEYS, COUNT, EXISTS"), "{error}");
    });
}

#[test]
fn plans_of_aggregates_tell_how_groups_are_formed() {
    over_both(|c| {
        five(c);
        let lines = |c: &mut Client, command: &[&str]| {
            let lines = list(c.call(command));
            lines.iter().map(text).collect::<Vec<_>>()
        };
        let by_n =
            ["AGGREGATE", "GROUP", "1", "n", "REDUCE", "2", "count()", "max(n)", "AS", "most"];
        let explained = lines(c, &[&["DOC.EXPLAIN", "p"][..], &by_n].concat());
        let expected = [
            "aggregate p",
            "  group by n: the values of sorted index n",
            "  count(): how many each group has",
            "  most: the column of n",
        ];
        assert_eq!(explained[..4], expected);
        let having = ["HAVING", "most > 1 AND `count()` = 1", "ORDER", "1", "most", "DESC"];
        let profile = [&["DOC.PROFILE", "p"][..], &by_n, &having, &["LIMIT", "1", "2"]].concat();
        let profile = lines(c, &profile);
        assert!(profile.contains(&"  having most > 1 AND `count()` = 1".to_owned()), "{profile:?}");
        assert!(profile.contains(&"  sort rows by most descending, 2 rows after 1".to_owned()));
        assert!(profile.last().unwrap().ends_with(" 0 documents read"), "{profile:?}");
        let where_ = ["WHERE", "s = $s", "PARAMS", "1", "s", "\"x\""];
        let distinct = [&["DOC.PROFILE", "p", "DISTINCT", "s"][..], &where_].concat();
        let distinct = lines(c, &distinct).join("\n");
        for part in ["by document: the filter is not answered", "check s = 'x'", "documents read"] {
            assert!(distinct.contains(part), "{part}: {distinct}");
        }
        let explained = lines(c, &["DOC.EXPLAIN", "p", "DISTINCT", "n"]);
        assert_eq!(explained[..2], ["distinct n of p", "  the values of sorted index n"]);
        let error = c.error(&["DOC.EXPLAIN", "p", "AGGREGATE"]);
        assert_eq!(error, "ERR REDUCE is missing, such as REDUCE 1 count()");
        let error = c.error(&["DOC.EXPLAIN", "p", "DISTINCT"]);
        assert_eq!(error, "ERR path is missing");
    });
}

#[test]
fn a_query_that_takes_too_long_is_ended() {
    over_both(|c| {
        five(c);
        for n in 0..3_000 {
            c.call(&["DOC.SET", &format!("p:{n}"), &format!(r#"{{"s":"{}"}}"#, "ab".repeat(200))]);
        }
        let slow = ["DOC.COUNT", "p", "WHERE", "s MATCHES '(a|b|ab){90}c'", "TIMEOUT", "1"];
        let error = c.error(&slow);
        let expected = "TIMEOUT the query takes longer than 1 ms (TIMEOUT, folio.query-ms-max)";
        assert_eq!(error, expected);
    });
}

#[test]
fn a_slow_query_keeps_little_of_a_long_constant() {
    over_both(|c| {
        c.call(&["DOC.SET", "long:1", r#"{"s":"a"}"#]);
        let constant = format!("\"{}\"", "x".repeat(100_000));
        c.call(&["DOC.SLOWLOG", "RESET"]);
        c.call(&["CONFIG", "SET", "folio.slowlog-slower-than", "0"]);
        c.call(&["DOC.COUNT", "long", "WHERE", "s = $s", "PARAMS", "1", "s", &constant]);
        c.call(&["CONFIG", "SET", "folio.slowlog-slower-than", "10000"]);
        let kept = format!("{:?}", c.call(&["DOC.SLOWLOG", "GET"]));
        assert!(kept.contains("more bytes)") && kept.len() < 5_000, "{} bytes", kept.len());
    });
}
