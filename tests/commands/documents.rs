//! DOC.SET, GET, MGET, UPDATE, DEL, META.

use folio_tests::over_both;
use redis::Value;
use serde_json::json;

const ADA: &str = r#"{"name":"Ada","age":36,"address":{"city":"London"},"tags":["a","b"]}"#;

#[test]
fn set_gives_versions_that_grow_and_the_same_text_again_keeps_its_own() {
    over_both(|c| {
        let first = c.int(&["DOC.SET", "users:1", ADA]);
        assert_eq!(c.int(&["DOC.SET", "users:1", ADA]), first);
        assert!(c.int(&["DOC.SET", "users:1", "{}"]) > first);
    });
}

#[test]
fn nx_and_xx_give_null_when_they_are_not_met() {
    over_both(|c| {
        assert_eq!(c.call(&["DOC.SET", "users:1", "{}", "XX"]), Value::Nil);
        assert!(c.int(&["DOC.SET", "users:1", "{}", "NX"]) > 0);
        assert_eq!(c.call(&["DOC.SET", "users:1", ADA, "NX"]), Value::Nil);
        assert_eq!(c.text(&["DOC.GET", "users:1"]).as_deref(), Some("{}"));
    });
}

#[test]
fn a_version_is_expected_and_zero_means_absent() {
    over_both(|c| {
        let version = c.int(&["DOC.SET", "users:1", "{}", "IFVERSION", "0"]);
        let error = c.error(&["DOC.SET", "users:1", ADA, "IFVERSION", "0"]);
        assert_eq!(error, format!("VERSION expected version 0 of 'users:1', found {version}"));
        let now = version.to_string();
        assert!(c.int(&["DOC.SET", "users:1", ADA, "IFVERSION", &now]) > version);
        let error = c.error(&["DOC.SET", "users:1", "{}", "IFVERSION", &now]);
        assert!(error.starts_with("VERSION "), "{error}");
        assert_eq!(c.text(&["DOC.GET", "users:1"]).as_deref(), Some(ADA));
    });
}

#[test]
fn get_gives_the_text_one_value_or_an_object_of_several() {
    over_both(|c| {
        c.call(&["DOC.SET", "users:1", ADA]);
        assert_eq!(c.text(&["DOC.GET", "users:1"]).as_deref(), Some(ADA));
        assert_eq!(c.json(&["DOC.GET", "users:1", "address.city"]), json!("London"));
        assert_eq!(c.json(&["DOC.GET", "users:1", "tags[1]"]), json!("b"));
        assert_eq!(
            c.json(&["DOC.GET", "users:1", "name", "address.city"]),
            json!({"name": "Ada", "address.city": "London"})
        );
        assert_eq!(c.call(&["DOC.GET", "users:2"]), Value::Nil);
        assert_eq!(c.call(&["DOC.GET", "users:1", "nothing"]), Value::Nil);
    });
}

#[test]
fn numbers_and_the_order_of_names_come_back_as_they_were_written() {
    over_both(|c| {
        let text = r#"{"z":1.10,"a":18446744073709551615,"m":1e2,"é":"\u00e9"}"#;
        c.call(&["DOC.SET", "n:1", text]);
        assert_eq!(c.text(&["DOC.GET", "n:1"]).as_deref(), Some(text));
    });
}

#[test]
fn a_version_comes_with_its_text_where_it_is_asked_for() {
    over_both(|c| {
        let text = |json: &str| Value::BulkString(json.into());
        let pair = |json: &str, version| Value::Array(vec![text(json), Value::Int(version)]);
        c.call(&["DOC.SET", "users:0", "{}"]);
        let version = c.int(&["DOC.SET", "users:1", r#"{"n":1}"#]);
        let whole = pair(r#"{"n":1}"#, version);
        assert_eq!(c.call(&["DOC.GET", "users:1", "WITHVERSION"]), whole);
        assert_eq!(c.call(&["DOC.GET", "users:1", "withdeleted", "withversion"]), whole);
        assert_eq!(c.call(&["DOC.GET", "users:1", "n", "WITHVERSION"]), pair("1", version));
        let nothing = Value::Array(vec![Value::Nil, Value::Int(version)]);
        assert_eq!(c.call(&["DOC.GET", "users:1", "m", "WITHVERSION"]), nothing);
        assert_eq!(c.call(&["DOC.GET", "users:9", "WITHVERSION"]), Value::Nil);
        let many = c.call(&["DOC.MGET", "users:9", "users:1", "WITHVERSION"]);
        assert_eq!(many, Value::Array(vec![Value::Nil, whole.clone()]));
        let paths = ["DOC.MGET", "users:1", "WITHVERSION", "PATHS", "1", "n"];
        assert_eq!(c.call(&paths), Value::Array(vec![pair("1", version)]));
        // Twice it is a path the first time, and a member of that name may stand in back-quotes.
        let twice = c.call(&["DOC.GET", "users:1", "WITHVERSION", "WITHVERSION"]);
        assert_eq!(twice, nothing);
        c.call(&["DOC.SET", "users:1", r#"{"WITHVERSION":2}"#]);
        assert_eq!(c.json(&["DOC.GET", "users:1", "`WITHVERSION`"]), json!(2));

        let update = ["DOC.UPDATE", "users:1", "SET", "n", "2", "RETURN"];
        let with = |which| [&update[..], &[which, "WITHVERSION"]].concat();
        let before = c.int(&["DOC.SET", "users:1", r#"{"n":1}"#]);
        assert_eq!(c.call(&with("OLD")), pair(r#"{"n":1}"#, before));
        assert_eq!(c.call(&with("NEW")), pair(r#"{"n":2}"#, before + 1));
        let absent = ["DOC.UPDATE", "users:8", "UPSERT", "SET", "n", "1", "RETURN", "OLD"];
        assert_eq!(c.call(&[&absent[..], &["WITHVERSION"]].concat()), Value::Nil);
        let alone = c.error(&["DOC.UPDATE", "users:1", "SET", "n", "2", "WITHVERSION"]);
        assert_eq!(alone, "ERR WITHVERSION without RETURN");
        let born = c.call(&["DOC.INSERT", "users", "{}", "WITHVERSION", "ID", "7"]);
        assert_eq!(born, pair("7", before + 3));
    });
}

#[test]
fn mget_answers_in_the_order_asked() {
    over_both(|c| {
        c.call(&["DOC.SET", "users:1", r#"{"n":1}"#]);
        c.call(&["DOC.SET", "users:2", r#"{"n":2}"#]);
        let Value::Array(answers) = c.call(&["DOC.MGET", "users:2", "users:9", "users:1"]) else {
            panic!("no list");
        };
        let text = |json: &str| Value::BulkString(json.into());
        assert_eq!(answers, [text(r#"{"n":2}"#), Value::Nil, text(r#"{"n":1}"#)]);
    });
}

#[test]
fn update_applies_its_operations_in_order_and_all_or_none() {
    over_both(|c| {
        let version = c.int(&["DOC.SET", "users:1", ADA]);
        let update = ["DOC.UPDATE", "users:1", "SET", "address.zip", "\"N1\"", "INCR", "age", "1"];
        assert!(c.int(&[&update[..], &["UNSET", "tags"]].concat()) > version);
        let changed = json!({"name": "Ada", "age": 37, "address": {"city": "London", "zip": "N1"}});
        assert_eq!(c.json(&["DOC.GET", "users:1"]), changed);
        c.error(&["DOC.UPDATE", "users:1", "SET", "age", "1", "INCR", "name", "1"]);
        assert_eq!(c.json(&["DOC.GET", "users:1"]), changed);
    });
}

#[test]
fn update_needs_a_document_and_gives_the_text_when_asked() {
    over_both(|c| {
        let error = c.error(&["DOC.UPDATE", "users:1", "SET", "a", "1"]);
        assert_eq!(error, "NOTFOUND no document under 'users:1'");
        c.call(&["DOC.SET", "users:1", r#"{"a":1}"#]);
        let update = ["DOC.UPDATE", "users:1", "INCR", "a", "1", "RETURN"];
        assert_eq!(c.json(&[&update[..], &["NEW"]].concat()), json!({"a": 2}));
        assert_eq!(c.json(&[&update[..], &["OLD"]].concat()), json!({"a": 2}));
        assert_eq!(c.json(&["DOC.GET", "users:1"]), json!({"a": 3}));
    });
}

#[test]
fn del_counts_documents_and_leaves_other_types() {
    over_both(|c| {
        c.call(&["DOC.SET", "users:1", "{}"]);
        c.call(&["DOC.SET", "users:2", "{}"]);
        assert_eq!(c.int(&["DOC.DEL", "users:1", "users:2", "users:3"]), 2);
        assert_eq!(c.int(&["DBSIZE"]), 0);
        c.call(&["SET", "users:1", "text"]);
        let error = c.error(&["DOC.DEL", "users:1"]);
        assert!(error.starts_with("WRONGTYPE "), "{error}");
    });
}

#[test]
fn meta_tells_what_is_known_of_a_document() {
    over_both(|c| {
        let version = c.int(&["DOC.SET", "users:1", ADA, "EX", "100"]);
        let meta = c.map(&["DOC.META", "users:1"]);
        assert_eq!(meta["version"], Value::Int(version));
        assert_eq!(meta["collection"], Value::BulkString("users".into()));
        let Value::Int(expires) = meta["expires"] else { panic!("{meta:?}") };
        let Value::Int(created) = meta["created"] else { panic!("{meta:?}") };
        assert!((99_000..=100_100).contains(&(expires - created)), "{meta:?}");
        assert_eq!(c.call(&["DOC.META", "users:2"]), Value::Nil);
    });
}

#[test]
fn a_document_lapses_and_set_drops_its_ttl_unless_told_to_keep_it() {
    over_both(|c| {
        c.call(&["DOC.CREATE", "users"]);
        c.call(&["DOC.SET", "users:1", "{}", "PX", "100000"]);
        assert!(c.int(&["PTTL", "users:1"]) > 90_000);
        c.call(&["DOC.SET", "users:1", ADA, "KEEPTTL"]);
        assert!(c.int(&["PTTL", "users:1"]) > 90_000);
        c.call(&["DOC.SET", "users:1", "{}"]);
        assert_eq!(c.int(&["PTTL", "users:1"]), -1);
        c.call(&["PEXPIRE", "users:1", "20"]);
        assert_eq!(c.int(&["DOC.COUNT", "users"]), 1);
        std::thread::sleep(std::time::Duration::from_millis(25));
        assert_eq!(c.int(&["DOC.COUNT", "users"]), 0);
        assert_eq!(c.call(&["DOC.GET", "users:1"]), Value::Nil);
    });
}

const SHOP: &str = concat!(
    r#"{"items":[{"sku":"a","price":8.950},{"sku":"b","price":9007199254740993}],"#,
    r#""extra":{"price":1e1},"max":10}"#
);

#[test]
fn a_path_that_begins_with_a_dollar_is_jsonpath_and_gives_an_array() {
    over_both(|c| {
        c.call(&["DOC.SET", "shop:1", SHOP]);
        for (path, answer) in [
            ("$..price", "[8.950,9007199254740993,1e1]"),
            ("$.items[?@.price < $.max].sku", r#"["a"]"#),
            ("$.items[-1].price", "[9007199254740993]"),
            ("$['max']", "[10]"),
            ("$.nothing", "[]"),
        ] {
            assert_eq!(c.text(&["DOC.GET", "shop:1", path]).as_deref(), Some(answer), "{path}");
        }
        assert_eq!(c.text(&["DOC.GET", "shop:1", "$"]), Some(format!("[{SHOP}]")));
        assert_eq!(c.call(&["DOC.GET", "shop:2", "$..price"]), Value::Nil);
    });
}

#[test]
fn paths_of_both_kinds_stand_together_each_under_its_text() {
    over_both(|c| {
        c.call(&["DOC.SET", "shop:1", SHOP]);
        let several = ["max", "$.max", "gone", "$..gone", "items[*].sku", "$.max"];
        let answer = r#"{"max":10,"$.max":[10],"$..gone":[],"items[*].sku":["a","b"]}"#;
        let get = [&["DOC.GET", "shop:1"][..], &several].concat();
        assert_eq!(c.text(&get).as_deref(), Some(answer));
        let text = |json: &str| Value::BulkString(json.into());
        let mget = c.call(&["DOC.MGET", "shop:1", "shop:2", "PATHS", "1", "$..sku"]);
        assert_eq!(mget, Value::Array(vec![text(r#"["a","b"]"#), Value::Nil]));
        let mget = c.call(&["DOC.MGET", "shop:1", "PATHS", "2", "$.max", "max"]);
        assert_eq!(mget, Value::Array(vec![text(r#"{"$.max":[10],"max":10}"#)]));
    });
}

#[test]
fn wrong_jsonpath_is_refused_with_its_position_and_long_work_whole() {
    over_both(|c| {
        c.call(&["DOC.SET", "shop:1", SHOP]);
        c.call(&["DOC.SET", "shop:2", SHOP]);
        for (path, error) in [
            ("$.", "PATH expected a name or '*', found the end at position 2"),
            (
                "$.items[?@.price = 1]",
                "PATH expected '&&', '||', ',' or ']', found '=' at position 17",
            ),
            ("$[?count(1) > 1]", "PATH count takes a path, found none at position 9"),
        ] {
            assert_eq!(c.error(&["DOC.GET", "shop:1", path]), error);
            assert_eq!(c.error(&["DOC.MGET", "shop:1", "PATHS", "1", path]), error);
        }
        c.call(&["CONFIG", "SET", "folio.jsonpath-nodes-max", "30"]);
        assert_eq!(c.json(&["DOC.GET", "shop:1", "$..sku"]), json!(["a", "b"]));
        // The limit is the command's, and an answer that is refused after another is refused whole.
        let error = c.error(&["DOC.MGET", "shop:1", "shop:2", "PATHS", "1", "$..sku"]);
        assert_eq!(
            error,
            "LIMITED the paths look at more than 30 values (folio.jsonpath-nodes-max)"
        );
        assert_eq!(c.text(&["DOC.GET", "shop:1", "max"]).as_deref(), Some("10"));
    });
}
