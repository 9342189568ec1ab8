//! DOC.MSET, MSETNX, UPDATEMANY, DELETEMANY, CLAIM, TXN: all or nothing.

use folio_tests::reply::{int, json, list, text};
use folio_tests::{Client, over_both};
use redis::Value;
use serde_json::json;

const DECLARE: [&str; 9] =
    ["DOC.CREATE", "users", "FIELD", "email", "string", "UNIQUE", "FIELD", "age", "int"];

#[test]
fn mset_writes_all_and_gives_their_versions() {
    over_both(|c| {
        let versions = c.call(&["DOC.MSET", "users:1", r#"{"n":1}"#, "notes:1", r#"{"n":2}"#]);
        assert_eq!(versions, Value::Array(vec![Value::Int(1), Value::Int(1)]));
        assert_eq!(c.text(&["DOC.GET", "users:1"]).as_deref(), Some(r#"{"n":1}"#));
        assert_eq!(c.text(&["DOC.GET", "notes:1"]).as_deref(), Some(r#"{"n":2}"#));
        let versions = c.call(&["DOC.MSET", "users:1", r#"{"n":1}"#, "users:2", "{}"]);
        assert_eq!(versions, Value::Array(vec![Value::Int(1), Value::Int(2)]));
        assert_eq!(c.int(&["DOC.COUNT", "users"]), 2);
    });
}

#[test]
fn mset_refuses_all_where_one_is_refused_and_names_it() {
    over_both(|c| {
        c.call(&DECLARE);
        c.call(&["DOC.SET", "users:1", r#"{"email":"a@x"}"#]);
        let mset = ["DOC.MSET", "users:2", r#"{"age":1}"#, "users:3"];
        let mut error = |json: &str| c.error(&[&mset[..], &[json]].concat());
        let held = "UNIQUE document 'users:3': the value at email is held by users:1";
        assert_eq!(error(r#"{"email":"a@x"}"#), held);
        let wrong = error(r#"{"age":"old"}"#);
        assert_eq!(wrong, "SCHEMA document 'users:3': field age is declared int, found \"old\"");
        assert!(error("{").starts_with("JSON document 'users:3': "));
        assert_eq!(c.int(&["DOC.COUNT", "users"]), 1);
        assert_eq!(
            c.error(&["DOC.MSET", "users:1"]),
            "ERR wrong number of arguments for 'DOC.MSET' command"
        );
        let odd = c.error(&["DOC.MSET", "users:4", "{}", "users:5"]);
        assert_eq!(odd, "ERR the document of 'users:5' is missing");
        let key = c.error(&["DOC.MSET", "users:4", "{}", "nowhere", "{}"]);
        assert!(key.starts_with("KEY document 'nowhere': "), "{key}");
        c.call(&["SET", "users:9", "text"]);
        let error = c.error(&["DOC.MSET", "users:4", "{}", "users:9", "{}"]);
        assert!(error.starts_with("WRONGTYPE"), "{error}");
        assert_eq!(c.int(&["EXISTS", "users:2", "users:3", "users:4"]), 0);
    });
}

#[test]
fn msetnx_creates_all_or_none_and_names_what_is_there() {
    over_both(|c| {
        c.call(&DECLARE);
        let versions = c.call(&["DOC.MSETNX", "users:1", r#"{"age":1}"#, "users:2", "{}"]);
        assert_eq!(versions, Value::Array(vec![Value::Int(1), Value::Int(2)]));
        let error = c.error(&["DOC.MSETNX", "users:3", "{}", "users:2", "{}", "users:4", "{}"]);
        assert_eq!(error, "EXISTS 'users:2' is there already");
        let error = c.error(&["DOC.MSETNX", "users:3", "{}", "users:4", r#"{"age":"old"}"#]);
        assert!(error.starts_with("SCHEMA document 'users:4': "), "{error}");
        assert_eq!(c.keys(&["DOC.FIND", "users"]), ["users:1", "users:2"]);
        // One that is marked as deleted, or has lapsed, is not there; within the command nothing is yet.
        c.call(&["DOC.DEL", "users:2", "SOFT"]);
        c.call(&["DOC.SET", "users:5", "{}", "PX", "1"]);
        std::thread::sleep(std::time::Duration::from_millis(5));
        let twice = ["users:5", r#"{"age":5}"#, "users:5", r#"{"age":6}"#];
        c.call(&[&["DOC.MSETNX", "users:2", r#"{"age":2}"#], &twice[..]].concat());
        assert_eq!(c.text(&["DOC.GET", "users:2"]).as_deref(), Some(r#"{"age":2}"#));
        assert_eq!(c.text(&["DOC.GET", "users:5"]).as_deref(), Some(r#"{"age":6}"#));
        assert_eq!(c.call(&["DOC.VERIFY", "users"]), Value::Array(vec![]));
    });
}

#[test]
fn mset_judges_uniqueness_as_all_will_stand() {
    over_both(|c| {
        c.call(&DECLARE);
        let [a, b] = [r#"{"email":"a@x"}"#, r#"{"email":"b@x"}"#];
        c.call(&["DOC.MSET", "users:1", a, "users:2", b]);
        c.call(&["DOC.MSET", "users:1", b, "users:2", a]);
        assert_eq!(c.keys(&["DOC.FIND", "users", "WHERE", "email = 'a@x'"]), ["users:2"]);
        // The last document of a key that comes twice counts.
        c.call(&["DOC.MSET", "users:3", a, "users:3", r#"{"email":"c@x"}"#]);
        assert_eq!(c.text(&["DOC.GET", "users:3"]).as_deref(), Some(r#"{"email":"c@x"}"#));
        assert_eq!(c.call(&["DOC.VERIFY", "users"]), Value::Array(vec![]));
    });
}

#[test]
fn a_lapsed_holder_gives_its_value_up() {
    over_both(|c| {
        c.call(&DECLARE);
        c.call(&["DEBUG", "SET-ACTIVE-EXPIRE", "0"]);
        let a = r#"{"email":"a@x"}"#;
        c.call(&["DOC.SET", "users:1", a, "PX", "1"]);
        std::thread::sleep(std::time::Duration::from_millis(5));
        c.call(&["DOC.MSET", "users:2", "{}", "users:3", a]);
        assert_eq!(c.int(&["EXISTS", "users:1", "users:2", "users:3"]), 2);
        assert_eq!(c.call(&["DOC.VERIFY", "users"]), Value::Array(vec![]));
    });
}

/// Ten documents, `n` from 0 to 9.
fn fill(c: &mut Client) {
    c.call(&[
        "DOC.CREATE",
        "t",
        "FIELD",
        "n",
        "int",
        "INDEX",
        "SORTED",
        "FIELD",
        "e",
        "string",
        "UNIQUE",
    ]);
    for n in 0..10 {
        c.call(&["DOC.SET", &format!("t:{n}"), &format!(r#"{{"n":{n}}}"#)]);
    }
}

/// `matched` and `changed`.
fn counts(c: &mut Client, command: &[&str]) -> (i64, i64) {
    let reply = c.map(command);
    (int(&reply["matched"]), int(&reply["changed"]))
}

#[test]
fn updatemany_changes_what_matches() {
    over_both(|c| {
        fill(c);
        let update = ["DOC.UPDATEMANY", "t", "WHERE", "n >= $n", "PARAMS", "1", "n", "7"];
        let both = [&update[..], &["INCR", "n", "10", "SET", "high", "true"]].concat();
        assert_eq!(counts(c, &both), (3, 3));
        assert_eq!(c.int(&["DOC.COUNT", "t", "WHERE", "n > 16 AND high"]), 3);
        assert_eq!(counts(c, &[&update[..], &["SET", "high", "true"]].concat()), (3, 0));
        let least =
            ["DOC.UPDATEMANY", "t", "SET", "low", "1", "LIMIT", "2", "ORDER", "1", "n", "DESC"];
        assert_eq!(counts(c, &[&least[..], &["WHERE", "n < 5"]].concat()), (2, 2));
        assert_eq!(c.keys(&["DOC.FIND", "t", "WHERE", "low = 1"]), ["t:3", "t:4"]);
        assert_eq!(c.call(&["DOC.VERIFY", "t"]), Value::Array(vec![]));
    });
}

#[test]
fn updatemany_changes_all_or_nothing() {
    over_both(|c| {
        fill(c);
        let error = c.error(&["DOC.UPDATEMANY", "t", "WHERE", "n > 3", "SET", "e", r#""x""#]);
        assert_eq!(error, "UNIQUE document 't:5': the value at e is held by t:4");
        c.call(&["DOC.SET", "t:9", r#"{"n":9,"m":"text"}"#]);
        let error = c.error(&["DOC.UPDATEMANY", "t", "WHERE", "n >= 0", "INCR", "m", "1"]);
        assert!(error.starts_with("PATH document 't:9': operation 1: "), "{error}");
        assert_eq!(c.int(&["DOC.COUNT", "t", "WHERE", "m = 1 OR e = 'x'", "SCAN"]), 0);
        let missing = c.error(&["DOC.UPDATEMANY", "t", "SET", "a", "1", "SCAN"]);
        assert_eq!(missing, "ERR WHERE is missing; _seq > 0 holds of every document");
        let none = c.error(&["DOC.UPDATEMANY", "t", "WHERE", "n > 3", "SCAN"]);
        assert!(none.starts_with("ERR an operation is missing"), "{none}");
    });
}

#[test]
fn deletemany_removes_what_matches() {
    over_both(|c| {
        fill(c);
        let two = ["DOC.DELETEMANY", "t", "WHERE", "n < 5", "LIMIT", "2"];
        assert_eq!(counts(c, &two), (2, 2));
        assert_eq!(c.int(&["EXISTS", "t:0", "t:1", "t:2"]), 1);
        assert_eq!(counts(c, &["DOC.DELETEMANY", "t", "WHERE", "_seq > 0"]), (8, 8));
        assert_eq!(counts(c, &["DOC.DELETEMANY", "t", "WHERE", "_seq > 0"]), (0, 0));
        assert_eq!(c.int(&["DBSIZE"]), 0);
    });
}

#[test]
fn what_is_too_much_for_one_command_is_refused_whole() {
    over_both(|c| {
        for from in (0..10_100).step_by(1_000) {
            let keys: Vec<String> = (from..from + 1_000).map(|n| format!("many:{n}")).collect();
            let pairs = keys.iter().flat_map(|key| [key.as_str(), "{}"]);
            let mset: Vec<&str> = ["DOC.MSET"].into_iter().chain(pairs).collect();
            c.call(&mset);
        }
        let delete = ["DOC.DELETEMANY", "many", "WHERE", "_seq > 0"];
        let error = c.error(&delete);
        assert!(
            error.starts_with("LIMITED the filter holds of more than 10000 documents"),
            "{error}"
        );
        assert_eq!(c.int(&["DOC.COUNT", "many"]), 11_000);
        assert_eq!(counts(c, &[&delete[..], &["LIMIT", "10000"]].concat()), (10_000, 10_000));
        assert_eq!(counts(c, &delete), (1_000, 1_000));
    });
}

#[test]
fn claim_takes_each_document_once() {
    over_both(|c| {
        fill(c);
        let claim = ["DOC.CLAIM", "t", "WHERE", "n < 4 AND by IS MISSING", "SET", "by", r#""me""#];
        let rows = |c: &mut Client, more: &[&str]| -> Vec<(String, serde_json::Value)> {
            let mut reply = c.map(&[&claim[..], more].concat());
            let rows = list(reply.remove("results").expect("results are always there"));
            let row = |row: Value| list(row);
            rows.into_iter().map(row).map(|row| (text(&row[0]), json(&row[1]))).collect()
        };
        assert_eq!(rows(c, &[]), [("t:0".to_owned(), json!({"n": 0, "by": "me"}))]);
        let greatest = rows(c, &["ORDER", "1", "n", "DESC", "LIMIT", "2", "RETURN", "OLD"]);
        assert_eq!(
            greatest,
            [("t:3".to_owned(), json!({"n": 3})), ("t:2".to_owned(), json!({"n": 2}))]
        );
        assert_eq!(rows(c, &["LIMIT", "9"]).len(), 1);
        assert_eq!(rows(c, &[]), []);
    });
}

/// A transaction over `keys`.
fn transaction<'a>(keys: &[&'a str], operations: &'a str) -> Vec<&'a str> {
    ["DOC.TXN"].into_iter().chain(keys.iter().copied()).chain([operations]).collect()
}

#[test]
fn a_transaction_does_all_its_operations() {
    over_both(|c| {
        c.call(&["DOC.SET", "stock:7", r#"{"qty":3}"#]);
        c.call(&["DOC.SET", "carts:5", "{}"]);
        let operations = r#"[{"op":"check","key":"stock:7","if":"qty >= $n","params":{"n":2},"exists":true},
            {"op":"update","key":"stock:7","ops":[["INCR","qty",-2],["SET","name","lamp"]]},
            {"op":"insert","key":"orders:9","value":{"item":7},"ex":3600},
            {"op":"update","key":"orders:9","ops":[["PUSH","notes","a"],["RENAME","item","what"]]},
            {"op":"del","key":"carts:5"},{"op":"del","key":"carts:6"},
            {"op":"set","key":"log:1","value":{"done":true}}]"#;
        let keys = ["stock:7", "orders:9", "carts:5", "carts:6", "log:1"];
        let replies = list(c.call(&transaction(&keys, operations)));
        let expected = [Value::Okay, Value::Int(2), Value::Int(1), Value::Int(1)];
        assert_eq!(replies[..4], expected);
        assert_eq!(replies[4..], [Value::Int(1), Value::Int(0), Value::Int(1)]);
        let stock = c.text(&["DOC.GET", "stock:7"]);
        assert_eq!(stock.as_deref(), Some(r#"{"qty":1,"name":"lamp"}"#));
        let order = c.text(&["DOC.GET", "orders:9"]);
        assert_eq!(order.as_deref(), Some(r#"{"notes":["a"],"what":7}"#));
        assert!(c.int(&["TTL", "orders:9"]) > 3_500);
        assert_eq!(c.int(&["EXISTS", "carts:5"]), 0);
    });
}

#[test]
fn a_transaction_that_fails_names_the_operation_and_changes_nothing() {
    over_both(|c| {
        c.call(&DECLARE);
        c.call(&["DOC.SET", "users:1", r#"{"email":"a@x","age":1}"#]);
        let put = r#"{"op":"set","key":"users:2","value":{"age":5}}"#;
        let cases = [
            (
                r#"{"op":"check","key":"users:1","if":"age > 5"}"#,
                "CHECK operation 2: the condition does not hold of 'users:1'",
            ),
            (
                r#"{"op":"check","key":"users:3","exists":true}"#,
                "CHECK operation 2: no document under 'users:3'",
            ),
            (
                r#"{"op":"update","key":"users:1","ifVersion":9,"ops":[["UNSET","age"]]}"#,
                "VERSION operation 2: expected version 9 of 'users:1', found 1",
            ),
            (
                r#"{"op":"update","key":"users:3","ops":[["UNSET","age"]]}"#,
                "NOTFOUND operation 2: no document under 'users:3'",
            ),
            (
                r#"{"op":"insert","key":"users:1","value":{}}"#,
                "EXISTS operation 2: 'users:1' is there already",
            ),
            (
                r#"{"op":"insert","key":"users:3","value":{"email":"a@x"}}"#,
                "UNIQUE operation 2: the value at email is held by users:1",
            ),
            (
                r#"{"op":"set","key":"users:3","value":{"age":"x"}}"#,
                "SCHEMA operation 2: field age is declared int, found \"x\"",
            ),
            (
                r#"{"op":"set","key":"users:9","value":{}}"#,
                "ERR operation 2: 'users:9' is none of the keys that the command names",
            ),
            (r#"{"op":"put","key":"users:3"}"#, "ERR operation 2: unknown op 'put'"),
            (r#"{"op":"del","key":"users:3","value":{}}"#, "ERR operation 2: del has no 'value'"),
            (r#"{"op":"set","key":"users:3"}"#, "ERR operation 2: 'value' is missing"),
        ];
        for (second, expected) in cases {
            let operations = format!("[{put},{second}]");
            let error = c.error(&transaction(&["users:1", "users:2", "users:3"], &operations));
            assert!(error.starts_with(expected), "{error}\n{expected}");
        }
        assert_eq!(c.int(&["DOC.COUNT", "users"]), 1);
        let text = c.text(&["DOC.GET", "users:1"]);
        assert_eq!(text.as_deref(), Some(r#"{"email":"a@x","age":1}"#));
        let empty = c.error(&["DOC.TXN", "users:1", "[]"]);
        assert_eq!(empty, "ERR no operation is given");
    });
}

#[test]
fn a_key_met_twice_gets_one_version() {
    over_both(|c| {
        c.call(&["DOC.SET", "a:1", r#"{"n":1}"#]);
        let operations = r#"[{"op":"update","key":"a:1","ops":[["INCR","n",1]]},
            {"op":"update","key":"a:1","if":"n = 1","ops":[["MUL","n",10]]}]"#;
        let replies = c.call(&transaction(&["a:1"], operations));
        assert_eq!(replies, Value::Array(vec![Value::Int(2), Value::Int(2)]));
        assert_eq!(c.text(&["DOC.GET", "a:1"]).as_deref(), Some(r#"{"n":20}"#));
        let operations = r#"[{"op":"del","key":"a:1"},{"op":"insert","key":"a:1","value":{}}]"#;
        let replies = c.call(&transaction(&["a:1"], operations));
        assert_eq!(replies, Value::Array(vec![Value::Int(1), Value::Int(3)]));
    });
}

#[test]
fn a_transaction_also_comes_as_messagepack() {
    over_both(|c| {
        // [{"op":"set","key":"a:1","value":{"n":[1,-1.5]}}]
        let operations = b"\x91\x83\xa2op\xa3set\xa3key\xa3a:1\xa5value\x81\xa1n\x92\x01\xcb\xbf\xf8\0\0\0\0\0\0";
        let words: Vec<Vec<u8>> = vec![b"DOC.TXN".to_vec(), b"a:1".to_vec(), operations.to_vec()];
        assert_eq!(c.try_call(&words).unwrap(), Value::Array(vec![Value::Int(1)]));
        assert_eq!(c.text(&["DOC.GET", "a:1"]).as_deref(), Some(r#"{"n":[1,-1.5]}"#));
    });
}

#[test]
fn effects_of_several_writes_reach_a_restarted_server_together() {
    over_both(|c| {
        fill(c);
        c.call(&["MULTI"]);
        c.call(&["DOC.UPDATEMANY", "t", "WHERE", "n < 3", "SET", "x", "1"]);
        c.call(&[
            "DOC.TXN",
            "t:0",
            "t:1",
            r#"[{"op":"del","key":"t:0"},{"op":"update","key":"t:1","ops":[["SET","x",2]]}]"#,
        ]);
        c.call(&["EXEC"]);
        let script = "return redis.call('DOC.CLAIM', 't', 'WHERE', 'n = 5', 'SET', 'x', '3')";
        c.call(&["EVAL", script, "0"]);
        let before = c.call(&["DOC.VERIFY", "t", "DIGEST"]);
        c.call(&["DEBUG", "RELOAD"]);
        assert_eq!(c.call(&["DOC.VERIFY", "t", "DIGEST"]), before);
        assert_eq!(c.int(&["DOC.COUNT", "t", "WHERE", "x = 1 OR x = 2 OR x = 3", "SCAN"]), 3);
    });
}

#[test]
fn a_ttl_that_is_kept_is_what_the_operation_before_left() {
    over_both(|c| {
        let mut run = |operations: serde_json::Value| {
            c.call(&["DOC.SET", "a:1", "{}", "EX", "1000"]);
            c.call(&["DOC.DEL", "a:9"]);
            c.call(&["DOC.TXN", "a:1", "a:9", &operations.to_string()]);
            (c.int(&["TTL", "a:1"]), c.int(&["TTL", "a:9"]))
        };
        let set = |key: &str, rest: &str| {
            serde_json::from_str::<serde_json::Value>(&format!(
                r#"{{"op":"set","key":"{key}","value":{{"n":1}},{rest}}}"#
            ))
            .unwrap()
        };
        let keep = |key| set(key, r#""keepttl":true"#);
        let (_, born) = run(json!([set("a:9", r#""ex":50"#), keep("a:9")]));
        assert!((40..=50).contains(&born), "{born}");
        let (there, _) = run(json!([set("a:1", r#""ex":50"#), keep("a:1")]));
        assert!((40..=50).contains(&there), "{there}");
        let persist = json!({"op":"update","key":"a:1","ops":[["PERSIST"]]});
        assert_eq!(run(json!([persist, keep("a:1")])).0, -1);
        assert_eq!(run(json!([{"op":"del","key":"a:1"}, keep("a:1")])).0, -1);
        let (kept, _) = run(json!([keep("a:1")]));
        assert!((990..=1000).contains(&kept), "{kept}");
    });
}

#[test]
fn what_is_put_after_a_removal_is_judged_whole() {
    over_both(|c| {
        c.call(&[
            "DOC.CREATE",
            "bad",
            "FIELD",
            "n",
            "int",
            "MAX",
            "10",
            "FIELD",
            "d",
            "int",
            "DEFAULT",
            "5",
        ]);
        c.call(&["DOC.SET", "free:1", r#"{"n":99,"o":1}"#]);
        c.call(&["RENAME", "free:1", "bad:1"]);
        let txn = |ops: &str| {
            format!(
                r#"[{{"op":"del","key":"bad:1"}},{{"op":"update","key":"bad:1","upsert":true,"ops":{ops}}}]"#
            )
        };
        let error = c.error(&["DOC.TXN", "bad:1", &txn(r#"[["SET","n",99]]"#)]);
        assert_eq!(error, "SCHEMA operation 2: field n is 99, above the maximum of 10");
        c.call(&["DOC.TXN", "bad:1", &txn(r#"[["SET","r",1]]"#)]);
        assert_eq!(c.text(&["DOC.GET", "bad:1"]).as_deref(), Some(r#"{"r":1,"d":5}"#));
    });
}

#[test]
fn a_document_under_a_key_of_no_collection_can_be_removed() {
    over_both(|c| {
        c.call(&["DOC.SET", "a:1", "{}"]);
        c.call(&["RENAME", "a:1", "plain"]);
        let removed = c.call(&["DOC.TXN", "plain", r#"[{"op":"del","key":"plain"}]"#]);
        assert_eq!(removed, Value::Array(vec![Value::Int(1)]));
        assert_eq!(c.int(&["EXISTS", "plain"]), 0);
    });
}

#[test]
fn the_bytes_that_updates_go_through_are_those_of_the_command() {
    over_both(|c| {
        let text = format!(r#"{{"n":1,"s":"{}"}}"#, "x".repeat(1000));
        for n in 0..10 {
            c.call(&["DOC.SET", &format!("a:{n}"), &text]);
        }
        c.call(&["CONFIG", "SET", "folio.update-bytes-max", "5000"]);
        let many = ["DOC.UPDATEMANY", "a", "WHERE", "n = 1", "INCR", "n", "1"];
        let error = c.error(&many);
        assert!(error.starts_with("LIMITED document 'a:4': operation 1: "), "{error}");
        assert!(error.contains("(folio.update-bytes-max)"), "{error}");
        let unset = r#"{"op":"update","key":"a:1","ops":[["UNSET","z"]]},"#.repeat(6);
        let txn = format!("[{}]", unset.trim_end_matches(','));
        let error = c.error(&["DOC.TXN", "a:1", &txn]);
        assert!(error.starts_with("LIMITED operation "), "{error}");
        assert_eq!(c.int(&["DOC.COUNT", "a", "WHERE", "n = 1"]), 10);
        c.call(&["CONFIG", "SET", "folio.update-bytes-max", "1073741824"]);
    });
}

#[test]
fn a_limit_beyond_what_one_command_changes_is_named() {
    over_both(|c| {
        c.call(&["DOC.SET", "a:1", "{}"]);
        let error = c.error(&["DOC.DELETEMANY", "a", "WHERE", "_seq > 0", "LIMIT", "20000"]);
        assert_eq!(error, "LIMITED LIMIT 20000 exceeds the 10000 documents of one command");
    });
}

#[test]
fn a_document_of_the_greatest_depth_has_its_place_in_a_transaction() {
    over_both(|c| {
        let deep = |depth: usize| {
            format!("{}{}", "{\"a\":".repeat(depth - 1), "{}") + &"}".repeat(depth - 1)
        };
        let set = |depth| format!(r#"[{{"op":"set","key":"a:1","value":{}}}]"#, deep(depth));
        c.call(&["DOC.SET", "a:1", &deep(128)]);
        assert_eq!(c.call(&["DOC.TXN", "a:1", &set(128)]), Value::Array(vec![Value::Int(1)]));
        let error = c.error(&["DOC.TXN", "a:1", &set(129)]);
        assert!(error.starts_with("TOOBIG ") && error.contains("(folio.depth-max)"), "{error}");
    });
}

#[test]
fn a_check_asks_of_what_stood_there_before() {
    over_both(|c| {
        c.call(&["DOC.SET", "a:1", "{}"]);
        let txn = |exists: bool| {
            format!(
                r#"[{{"op":"del","key":"a:1"}},{{"op":"check","key":"a:1","exists":{exists}}}]"#
            )
        };
        let error = c.error(&["DOC.TXN", "a:1", &txn(false)]);
        assert_eq!(error, "CHECK operation 2: 'a:1' is there");
        let replies = list(c.call(&["DOC.TXN", "a:1", &txn(true)]));
        assert_eq!(int(&replies[0]), 1);
        let error = c.error(&["DOC.TXN", "a:1", &txn(true)]);
        assert_eq!(error, "CHECK operation 2: no document under 'a:1'");
    });
}
