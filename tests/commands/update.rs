//! DOC.UPDATE: every operation, conditions, births, TTLs; alone, in MULTI, in EVAL; on a replica and after a restart.

use folio_tests::replica::{follow, in_sync};
use folio_tests::{Client, Options, Server, over_both};
use redis::Value;
use serde_json::json;

/// A command of words that hold no blanks.
fn split(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

/// A document's text after each of some updates.
const STEPS: [(&str, &str); 21] = [
    ("UPSERT SET n 5", r#"{"n":5}"#),
    ("INCR n 2 MUL n 3", r#"{"n":21}"#),
    ("MIN n 20 MAX n 7", r#"{"n":20}"#),
    ("push tags \"b\" PUSH tags \"a\"", r#"{"n":20,"tags":["b","a"]}"#),
    ("ADD tags \"a\" ADD tags \"c\"", r#"{"n":20,"tags":["b","a","c"]}"#),
    ("POP tags", r#"{"n":20,"tags":["b","a"]}"#),
    ("POP tags 0 POP tags -5", r#"{"n":20,"tags":["a"]}"#),
    ("PULL tags \"a\" PULL gone 1", r#"{"n":20,"tags":[]}"#),
    ("RENAME n deep.count", r#"{"tags":[],"deep":{"count":20}}"#),
    (
        "TOGGLE on TOGGLE deep.on TOGGLE on",
        r#"{"tags":[],"deep":{"count":20,"on":true},"on":false}"#,
    ),
    (
        "MERGE {\"deep\":{\"on\":null,\"x\":1.0},\"on\":null}",
        r#"{"tags":[],"deep":{"count":20,"x":1.0}}"#,
    ),
    (
        "PATCH [{\"op\":\"test\",\"path\":\"/deep/x\",\"value\":1},{\"op\":\"move\",\"from\":\"/deep/x\",\"path\":\"/x\"}]",
        r#"{"tags":[],"deep":{"count":20},"x":1.0}"#,
    ),
    ("UNSET deep UNSET tags", r#"{"x":1.0}"#),
    ("SET größe -0.0 PUSH größen -0.0", r#"{"x":1.0,"größe":-0.0,"größen":[-0.0]}"#),
    ("INCR größe 1 PULL größen 0", r#"{"x":1.0,"größe":1,"größen":[]}"#),
    ("MUL x 18446744073709551615", r#"{"x":18446744073709551615,"größe":1,"größen":[]}"#),
    ("RENAME größe x UNSET größen", r#"{"x":1}"#),
    ("PUSH m[0] 1 PUSH m[1] 2 POP m[0]", r#"{"x":1,"m":[[],[2]]}"#),
    ("INCR price \"0.10\" MUL price \"3\"", r#"{"x":1,"m":[[],[2]],"price":"0.30"}"#),
    ("PERSIST", r#"{"x":1,"m":[[],[2]],"price":"0.30"}"#),
    ("MERGE {\"x\":null,\"m\":null}", r#"{"price":"0.30"}"#),
];

fn declare(c: &mut Client) {
    let fields = "FIELD price decimal INDEX SORTED FIELD at datetime INDEX SORTED FIELD until int FIELD lease datetime";
    c.call(&split(&format!("DOC.CREATE things {fields} FIELD tags array<string> INDEX SET")));
}

/// The update of one key.
fn update<'w>(key: &'w str, words: &'w str) -> Vec<&'w str> {
    [vec!["DOC.UPDATE", key], split(words)].concat()
}

#[test]
fn each_operation_alone_in_a_transaction_and_in_a_script() {
    over_both(|c| {
        declare(c);
        for (words, text) in STEPS {
            let command = [update("things:1", words), split("RETURN NEW")].concat();
            assert_eq!(c.text(&command).as_deref(), Some(text), "{words}");
            assert_eq!(c.text(&["DOC.GET", "things:1"]).as_deref(), Some(text), "{words}");

            c.call(&["MULTI"]);
            c.call(&update("things:2", words));
            c.call(&["DOC.GET", "things:2"]);
            let Value::Array(replies) = c.call(&["EXEC"]) else { panic!("no list") };
            assert_eq!(replies[1], Value::BulkString(text.into()), "{words}");

            let script = "redis.call('DOC.UPDATE', KEYS[1], unpack(ARGV)) return redis.call('DOC.GET', KEYS[1])";
            let command = [vec!["EVAL", script, "1", "things:3"], split(words)].concat();
            assert_eq!(c.text(&command).as_deref(), Some(text), "{words}");
        }
        assert_eq!(c.int(&["DOC.COUNT", "things", "WHERE", "price = 0.3"]), 3);
    });
}

#[test]
fn an_error_in_any_operation_changes_nothing_and_names_it() {
    over_both(|c| {
        declare(c);
        let doc = r#"{"n":1,"tags":["a"],"price":"1.5"}"#;
        let version = c.int(&["DOC.SET", "things:1", doc]);
        for (words, error) in [
            ("INCR n 1 MUL n x", "ERR operation 2: MUL takes a path and a number, found 'x'"),
            (
                "SET n 2 TOGGLE n",
                "PATH operation 2: TOGGLE needs a boolean, found a number at path n",
            ),
            ("PUSH tags 1", "SCHEMA field tags is declared array<string>, found 1"),
            (
                "SET n 2 PATCH [{\"op\":\"test\",\"path\":\"/n\",\"value\":1}]",
                "TEST operation 2: change 1 of PATCH: another value than the one tested for at '/n'",
            ),
            (
                "MUL n 1e308 MUL n 1e308",
                "OVERFLOW operation 2: the product is beyond the range of its type at path n",
            ),
            ("SET n 2 EX 0", "ERR operation 2: EX 0 is no time to expire at"),
            ("SET n 2 MULL n 3", "ERR operation 2: unknown operation 'MULL', did you mean MUL?"),
        ] {
            assert_eq!(c.error(&update("things:1", words)), error);
            assert_eq!(c.text(&["DOC.GET", "things:1"]).as_deref(), Some(doc), "{words}");
            assert_eq!(c.map(&["DOC.META", "things:1"])["version"], Value::Int(version));
        }
    });
}

#[test]
fn an_update_to_the_same_text_is_none() {
    over_both(|c| {
        let version = c.int(&["DOC.SET", "things:1", r#"{"n":1,"tags":["a"],"on":true}"#]);
        c.call(&["WATCH", "things:1"]);
        for words in [
            "SET n 1",
            "UNSET gone",
            "INCR n 0",
            "MUL n 1",
            "MIN n 2",
            "MAX n 1.0",
            "ADD tags \"a\"",
            "PULL tags \"b\"",
            "POP gone",
            "POP tags 7",
            "RENAME gone n",
            "RENAME n n",
            "MERGE {}",
            "PATCH []",
            "TOGGLE on TOGGLE on",
            "SET x 1 UNSET x",
            "PERSIST",
        ] {
            assert_eq!(c.int(&update("things:1", words)), version, "{words}");
        }
        // Nobody who watches the key is told.
        c.call(&["MULTI"]);
        c.call(&["PING"]);
        assert!(matches!(c.call(&["EXEC"]), Value::Array(_)));
        c.call(&["WATCH", "things:1"]);
        assert!(c.int(&update("things:1", "TOGGLE on")) > version);
        c.call(&["MULTI"]);
        assert_eq!(c.call(&["EXEC"]), Value::Nil);
    });
}

#[test]
fn upsert_is_a_birth() {
    over_both(|c| {
        c.call(&split("DOC.CREATE users FIELD name string REQUIRED FIELD email string UNIQUE"));
        let error = c.error(&update("users:1", "UPSERT SET age 1"));
        assert_eq!(error, "SCHEMA field name is required, and missing");
        assert_eq!(c.int(&["EXISTS", "users:1"]), 0);
        let born = update("users:1", "UPSERT SET name \"a\" SET email \"a@x\" RETURN OLD");
        assert_eq!(c.call(&born), Value::Nil);
        assert_eq!(c.text(&born).as_deref(), Some(r#"{"name":"a","email":"a@x"}"#));
        let error = c.error(&update("users:2", "UPSERT SET name \"b\" SET email \"a@x\""));
        assert!(error.starts_with("UNIQUE ") && error.ends_with(" users:1"), "{error}");
        // What is there is judged by what changes alone, as ever.
        c.call(&update("users:1", "UPSERT INCR age 1"));
        assert_eq!(c.json(&["DOC.GET", "users:1", "age"]), json!(1));

        let absent = update("users:3", "UPSERT IFVERSION 0 SET name \"c\" EX 100");
        assert!(c.int(&absent) > 0);
        assert!((99..=100).contains(&c.int(&["TTL", "users:3"])));
        assert!(c.error(&absent).starts_with("VERSION expected version 0 of 'users:3', found "));
        assert_eq!(c.text(&update("open:1", "UPSERT PERSIST RETURN NEW")).as_deref(), Some("{}"));
        let error = c.error(&update("users:9", "SET name \"d\""));
        assert_eq!(error, "NOTFOUND no document under 'users:9'");
    });
}

#[test]
fn if_is_decided_on_the_document_that_is_there() {
    over_both(|c| {
        c.call(&split("DOC.CREATE jobs FIELD due datetime FIELD price decimal"));
        let version = c.int(&["DOC.SET", "jobs:1", r#"{"state":"new","price":"1.50"}"#]);
        let take = |filter: &str, more: &[&str]| -> Vec<String> {
            let words = ["DOC.UPDATE", "jobs:1", "INCR", "n", "1", "IF", filter];
            words.iter().chain(more).map(|word| (*word).to_owned()).collect()
        };
        let version = version.to_string();
        let version_is = format!("_version = {version}");
        for (filter, params) in [
            ("state = 'old'", &[][..]),
            ("price = 1.51", &[]),
            ("_version != $v", &["PARAMS", "1", "v", &version]),
            ("_id = '2' OR _expires IS NOT MISSING", &[]),
            ("_valid IS FALSE", &[]),
            ("due < now()", &[]),
        ] {
            let command = take(filter, params);
            assert_eq!(c.try_call(&command), Ok(Value::Nil), "{filter}");
        }
        assert_eq!(c.json(&["DOC.GET", "jobs:1"]), json!({"state": "new", "price": "1.50"}));
        let tree = b"\x93\xa1=\xa5state\xa3new";
        let mut done = 0;
        for (filter, params) in [
            (version_is.as_str(), &[][..]),
            ("state = $s AND price = 1.5", &["PARAMS", "1", "s", "\"new\""]),
            ("_key = 'jobs:1' AND _created <= now() AND _valid", &[]),
            ("NOT due < now()", &[]),
        ] {
            assert!(matches!(c.try_call(&take(filter, params)), Ok(Value::Int(_))), "{filter}");
            done += 1;
        }
        let as_tree: [&[u8]; 7] = [b"DOC.UPDATE", b"jobs:1", b"IF", tree, b"INCR", b"n", b"1"];
        assert!(matches!(c.try_call(&as_tree), Ok(Value::Int(_))));
        assert_eq!(c.json(&["DOC.GET", "jobs:1", "n"]), json!(done + 1));

        // Of an absent document no filter holds.
        for filter in ["state = 1", "NOT state = 1", "_key IS MISSING"] {
            let command = ["DOC.UPDATE", "jobs:2", "IF", filter, "SET", "a", "1"];
            assert_eq!(c.call(&command), Value::Nil, "{filter}");
            assert_eq!(c.call(&[&command[..], &["UPSERT"]].concat()), Value::Nil, "{filter}");
        }
        assert_eq!(c.int(&["EXISTS", "jobs:2"]), 0);
        let error = c.error(&["DOC.UPDATE", "jobs:2", "IF", "price = 'x'", "SET", "a", "1"]);
        assert!(error.starts_with("FILTER "), "{error}");
    });
}

#[test]
fn set_takes_if_too() {
    over_both(|c| {
        c.call(&["DOC.SET", "users:1", r#"{"n":1}"#]);
        let set = ["DOC.SET", "users:1", r#"{"n":2}"#, "IF", "n = $n", "PARAMS", "1", "n"];
        assert_eq!(c.call(&[&set[..], &["2"]].concat()), Value::Nil);
        assert_eq!(c.json(&["DOC.GET", "users:1"]), json!({"n": 1}));
        assert!(c.int(&[&set[..], &["1", "EX", "100"]].concat()) > 0);
        assert_eq!(c.json(&["DOC.GET", "users:1"]), json!({"n": 2}));
        // Not even the TTL changes where the condition is not met.
        assert_eq!(c.call(&["DOC.SET", "users:1", "{}", "IF", "n = 1"]), Value::Nil);
        assert!(c.int(&["TTL", "users:1"]) > 90);
        assert_eq!(c.call(&["DOC.SET", "users:2", "{}", "IF", "n IS MISSING"]), Value::Nil);
        assert_eq!(c.int(&["EXISTS", "users:2"]), 0);
    });
}

#[test]
fn operations_set_the_ttl() {
    over_both(|c| {
        declare(c);
        let version = c.int(&["DOC.SET", "things:1", r#"{"n":1}"#]);
        assert_eq!(c.int(&update("things:1", "EX 100")), version);
        assert!((99..=100).contains(&c.int(&["TTL", "things:1"])));
        c.call(&update("things:1", "INCR n 1"));
        assert!((99..=100).contains(&c.int(&["TTL", "things:1"])));
        c.call(&update("things:1", "PERSIST INCR n 1"));
        assert_eq!(c.int(&["TTL", "things:1"]), -1);
        c.call(&update("things:1", "PX 50000"));
        assert!((40_000..=50_000).contains(&c.int(&["PTTL", "things:1"])));
        c.call(&update("things:1", "exat 4102444800"));
        assert_eq!(c.int(&["EXPIRETIME", "things:1"]), 4_102_444_800);
        c.call(&update("things:1", "PXAT 4102444800001 SET n 0"));
        assert_eq!(c.int(&["PEXPIRETIME", "things:1"]), 4_102_444_800_001);
        assert_eq!(c.int(&["DOC.COUNT", "things", "WHERE", "_expires = time(4102444800001)"]), 1);
        // A time in the past writes, then deletes.
        assert!(c.int(&update("things:1", "SET n 9 PXAT 1")) > version);
        assert_eq!(c.int(&["EXISTS", "things:1"]), 0);
        assert_eq!(c.int(&["DOC.COUNT", "things"]), 0);
    });
}

#[test]
fn now_is_the_servers_clock() {
    over_both(|c| {
        declare(c);
        c.call(&["DOC.SET", "things:1", "{}"]);
        c.call(&[
            "DOC.UPDATE",
            "things:1",
            "NOW",
            "at",
            "NOW",
            "until",
            "1h",
            "NOW",
            "since",
            "-1d",
        ]);
        let meta = c.map(&["DOC.META", "things:1"]);
        let Value::Int(updated) = meta["updated"] else { panic!("{meta:?}") };
        assert_eq!(c.json(&["DOC.GET", "things:1", "until"]), json!(updated + 3_600_000));
        let now = "at = _updated AND until = $until";
        let until = (updated + 3_600_000).to_string();
        assert_eq!(
            c.int(&["DOC.COUNT", "things", "WHERE", now, "PARAMS", "1", "until", &until]),
            1
        );
        let since = c.json(&["DOC.GET", "things:1", "since"]);
        assert!(
            since.as_str().is_some_and(|text| text.len() >= 20 && text.ends_with('Z')),
            "{since}"
        );
        // A lease: taken when it has run out.
        let lease = |c: &mut Client| {
            let free = "lease IS MISSING OR lease < now()";
            c.call(&["DOC.UPDATE", "things:1", "IF", free, "NOW", "lease", "1h"])
        };
        assert!(matches!(lease(c), Value::Int(_)));
        assert_eq!(lease(c), Value::Nil);
    });
}

#[test]
fn del_takes_a_version() {
    over_both(|c| {
        let version = c.int(&["DOC.SET", "users:1", "{}"]).to_string();
        let error = c.error(&["DOC.DEL", "users:1", "IFVERSION", "99"]);
        assert_eq!(error, format!("VERSION expected version 99 of 'users:1', found {version}"));
        assert_eq!(c.int(&["DOC.DEL", "users:1", "ifversion", &version]), 1);
        assert_eq!(c.int(&["DOC.DEL", "users:1", "IFVERSION", "0"]), 0);
        let error = c.error(&["DOC.DEL", "users:1", "users:2", "IFVERSION", "1"]);
        assert_eq!(error, "ERR IFVERSION is of one key, and 2 are given");
    });
}

#[test]
fn a_replica_and_a_restarted_server_hold_the_same() {
    let (mut primary, replica) = (Options::new().appendonly().start(), Server::start());
    follow(&replica, &primary);
    in_sync(&primary, &replica);
    let mut c = primary.resp3();
    declare(&mut c);
    for (words, _) in STEPS {
        c.call(&update("things:1", words));
    }
    c.call(&update("things:2", "UPSERT NOW at NOW until -1d PUSH tags \"x\" EX 1000"));
    c.call(&update("things:2", "PULL tags \"x\" MUL price 2 PXAT 4102444800001"));
    let seen = |c: &mut Client| {
        ["things:1", "things:2"].map(|key| {
            let meta = c.map(&["DOC.META", key]);
            let verified = c.call(&["DOC.VERIFY", "things"]);
            (c.text(&["DOC.GET", key]), meta, verified, c.int(&["PEXPIRETIME", key]))
        })
    };
    let before = seen(&mut c);
    in_sync(&primary, &replica);
    assert_eq!(seen(&mut replica.resp3()), before);
    primary.restart_without_saving();
    assert_eq!(seen(&mut primary.resp3()), before);
}

#[test]
fn an_operation_behind_one_on_the_ttl_has_its_own_number() {
    over_both(|c| {
        c.call(&["DOC.SET", "a:1", r#"{"n":1}"#]);
        let error = c.error(&["DOC.UPDATE", "a:1", "EX", "10", "SET", "q", "1", "TOGGLE", "n"]);
        assert!(error.starts_with("PATH operation 3: TOGGLE needs a boolean"), "{error}");
        let error = c.error(&["DOC.UPDATE", "a:1", "TOGGLE", "n", "EX", "10"]);
        assert!(error.starts_with("PATH operation 1: TOGGLE needs a boolean"), "{error}");
    });
}
