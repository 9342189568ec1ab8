//! DOC.FUNCTION and DOC.CALL; functions in DOC.UPDATE, DOC.UPDATEMANY, DOC.CLAIM and DOC.TXN; what restarts and replicas keep of
//! them.

use folio_tests::replica::{follow, in_sync, wait_until};
use folio_tests::reply::{json, list, map, text};
use folio_tests::{Client, Options, Server, over_both};
use redis::{ProtocolVersion, Value};
use serde_json::json;

const UP: &str = "return {n = doc.n + 1}";
const UP_TWO: &str = "return {n = doc.n + 2}";
const ADD: &str = "local by = ...\nreturn {n = doc.n + by}, {was = doc.n}";
const ASK: &str = "return nil, doc.n";
const ENDLESS: &str = "while true do end";
const BOMB: &str =
    "local all = {}\nwhile true do all[#all + 1] = string.rep('x', 10000) .. #all end";

fn load(c: &mut Client, name: &str, source: &str) {
    assert_eq!(c.text(&["DOC.FUNCTION", "LOAD", name, source]).as_deref(), Some("OK"));
}

fn prepare(c: &mut Client) {
    for (name, source) in [("up", UP), ("math.add", ADD), ("ask", ASK)] {
        load(c, name, source);
    }
    c.call(&["DOC.CREATE", "t", "FIELD", "n", "int", "MAX", "100", "INDEX", "SORTED"]);
    c.call(&["DOC.SET", "t:1", r#"{"n":1}"#]);
}

/// The names of the functions, each with its bounds.
fn listed(c: &mut Client) -> Vec<(String, i64, i64)> {
    let protocol = if c.is_resp3() { ProtocolVersion::RESP3 } else { ProtocolVersion::RESP2 };
    let entries = list(c.call(&["DOC.FUNCTION", "LIST"])).into_iter();
    let entry = |entry: Value| {
        let entry = map(protocol, entry);
        let number = |name: &str| match entry[name] {
            Value::Int(number) => number,
            ref other => panic!("{name} is {other:?}"),
        };
        assert_eq!(entry["uses"], Value::Array(Vec::new()));
        assert!(number("bytes") > 0);
        (text(&entry["name"]), number("steps"), number("memory"))
    };
    entries.map(entry).collect()
}

fn names(c: &mut Client) -> Vec<String> {
    listed(c).into_iter().map(|(name, ..)| name).collect()
}

#[test]
fn functions_are_loaded_listed_dumped_and_taken_away() {
    over_both(|c| {
        for name in names(c) {
            c.call(&["DOC.FUNCTION", "DELETE", &name]);
        }
        load(c, "up", UP);
        // The same again is nothing; another one needs REPLACE.
        load(c, "up", UP);
        let error = c.error(&["DOC.FUNCTION", "LOAD", "up", UP_TWO]);
        assert_eq!(error, "FUNCTION function 'up' is loaded already, and not like this: REPLACE");
        let words = ["doc.function", "load", "replace", "steps", "500", "memory", "70000", "up"];
        c.call(&[&words[..], &[UP_TWO]].concat());
        load(c, "a.b_2", UP);
        let default = (100_000, 4_194_304);
        let expected = [("a.b_2".to_owned(), default.0, default.1), ("up".to_owned(), 500, 70_000)];
        assert_eq!(listed(c), expected);

        let all = c.text(&["DOC.FUNCTION", "DUMP"]).expect("a text");
        let dumped: serde_json::Value = serde_json::from_str(&all).expect("JSON");
        let one = |name: &str, source: &str, steps: u64, memory: u64| json!({"name": name, "source": source, "steps": steps, "memory": memory});
        let up = one("up", UP_TWO, 500, 70_000);
        assert_eq!(dumped, json!([one("a.b_2", UP, 100_000, 4_194_304), up]));
        assert_eq!(c.json(&["DOC.FUNCTION", "DUMP", "up"]), json!([up]));
        let unknown = "FUNCTION no function 'x' is loaded";
        assert_eq!(c.error(&["DOC.FUNCTION", "DUMP", "up", "x"]), unknown);

        c.call(&["DOC.FUNCTION", "DELETE", "up"]);
        assert_eq!(c.error(&["DOC.FUNCTION", "DELETE", "x"]), unknown);
        assert_eq!(names(c), ["a.b_2"]);
        c.call(&["DOC.FUNCTION", "RESTORE", &all]);
        assert_eq!(c.text(&["DOC.FUNCTION", "DUMP"]), Some(all));
    });
}

#[test]
fn what_is_loaded_is_judged() {
    over_both(|c| {
        let error = c.error(&["DOC.FUNCTION", "LOAD", "f", "local x = = 1"]);
        assert!(error.starts_with("FUNCTION function 'f', line 1: "), "{error}");
        let long = "x".repeat(65);
        for name in ["", "1a", "a..b", "a b", "ä", &long] {
            let error = c.error(&["DOC.FUNCTION", "LOAD", name, UP]);
            let told = "is no function name: letters, digits and '_' in parts joined by '.', 64 bytes at most";
            assert_eq!(error, format!("FUNCTION '{name}' {told}"));
        }
        let cases: [(&[&str], &str); 7] = [
            (
                &["STEPS", "100001", "f", UP],
                "LIMITED STEPS 100001 exceeds the limit of 100000 (folio.function-steps-max)",
            ),
            (
                &["MEMORY", "4194305", "f", UP],
                "LIMITED MEMORY 4194305 exceeds the limit of 4194304 (folio.function-bytes-max)",
            ),
            (&["STEPS", "0", "f", UP], "ERR STEPS is 0"),
            (&["STEPS", "f", UP], "ERR STEPS 'f' is not an integer"),
            (&["STEPS", "-1", "f", UP], "ERR STEPS -1 is negative"),
            (&["f", UP, "REPLACE"], "ERR unknown option 'f'"),
            (&["STEPS", "5", "STEPS", "5", "f", UP], "ERR option 'STEPS' is given twice"),
        ];
        for (words, told) in cases {
            assert_eq!(c.error(&[&["DOC.FUNCTION", "LOAD"], words].concat()), told);
        }
        assert!(!names(c).contains(&"f".to_owned()));
    });
}

#[test]
fn a_restore_is_all_or_nothing() {
    over_both(|c| {
        prepare(c);
        let before = c.text(&["DOC.FUNCTION", "DUMP"]);
        let one = |name: &str, source: &str| {
            format!(r#"{{"name":"{name}","source":"{source}","steps":9,"memory":70000}}"#)
        };
        let cases = [
            (
                format!("[{},{}]", one("new", UP), one("up", UP_TWO)),
                "FUNCTION function 'up' is loaded already",
            ),
            (
                format!("[{},{}]", one("new", UP), one("other", "x = = 1")),
                "FUNCTION function 'other', line 1: ",
            ),
            (
                format!("[{},{}]", one("new", UP), one("a b", UP)),
                "FUNCTION 'a b' is no function name",
            ),
            (
                r#"[{"name":"new","source":"","steps":9}]"#.to_owned(),
                "ERR the functions are an array, each an object with name, source, steps and memory: missing field `memory`",
            ),
            (r#"{"name":"new"}"#.to_owned(), "ERR the functions are an array"),
            ("[".to_owned(), "JSON expected"),
            (
                r#"[{"name":"new","source":"","steps":900000,"memory":1}]"#.to_owned(),
                "LIMITED function 'new': STEPS 900000 exceeds the limit",
            ),
        ];
        for (text, told) in cases {
            let error = c.error(&["DOC.FUNCTION", "RESTORE", &text]);
            assert!(error.starts_with(told), "{text}: {error}");
            assert_eq!(c.text(&["DOC.FUNCTION", "DUMP"]), before, "{text}");
        }
        let text = format!("[{},{}]", one("new", UP), one("up", UP_TWO));
        c.call(&["DOC.FUNCTION", "RESTORE", &text, "REPLACE"]);
        assert_eq!(names(c), ["ask", "math.add", "new", "up"]);
        c.call(&["DOC.FUNCTION", "DELETE", "new"]);
        c.call(&["DOC.FUNCTION", "LOAD", "REPLACE", "up", UP]);
    });
}

#[test]
fn a_call_merges_what_it_gives_and_replies() {
    over_both(|c| {
        prepare(c);
        let version = c.int(&["DOC.CALL", "t:1", "up"]);
        assert_eq!(c.text(&["DOC.GET", "t:1"]).as_deref(), Some(r#"{"n":2}"#));
        assert_eq!(c.map(&["DOC.META", "t:1"])["version"], Value::Int(version));
        assert_eq!(c.text(&["DOC.CALL", "t:1", "math.add", "5"]).as_deref(), Some(r#"{"was":2}"#));
        assert_eq!(c.int(&["DOC.COUNT", "t", "WHERE", "n = 7"]), 1);
        // Where nothing changes the version stays.
        assert_eq!(c.text(&["DOC.CALL", "t:1", "ask"]).as_deref(), Some("7"));
        assert_eq!(c.map(&["DOC.META", "t:1"])["version"], Value::Int(version + 1));

        let expected = version + 1;
        let error = c.error(&["DOC.CALL", "t:1", "IFVERSION", &version.to_string(), "up"]);
        assert!(error.starts_with("VERSION "), "{error}");
        c.call(&["DOC.CALL", "t:1", "IFVERSION", &expected.to_string(), "up"]);
        assert_eq!(
            c.call(&["DOC.CALL", "t:1", "IF", "n > $a", "PARAMS", "1", "a", "8", "up"]),
            Value::Nil
        );
        c.call(&["DOC.CALL", "t:1", "if", "n = 8", "up"]);
        assert_eq!(c.text(&["DOC.GET", "t:1"]).as_deref(), Some(r#"{"n":9}"#));

        c.call(&["MULTI"]);
        c.call(&["DOC.CALL", "t:1", "up"]);
        c.call(&["DOC.FUNCTION", "LOAD", "REPLACE", "up", UP_TWO]);
        c.call(&["DOC.CALL", "t:1", "up"]);
        c.call(&["DOC.FUNCTION", "LOAD", "REPLACE", "up", UP]);
        c.call(&["EXEC"]);
        assert_eq!(c.text(&["DOC.GET", "t:1"]).as_deref(), Some(r#"{"n":12}"#));
        let script = "redis.call('DOC.FUNCTION', 'LOAD', 'short', 'return nil') return redis.call('DOC.CALL', KEYS[1], 'math.add', ARGV[1])";
        assert_eq!(c.text(&["EVAL", script, "1", "t:1", "-2"]).as_deref(), Some(r#"{"was":12}"#));
        c.call(&["DOC.FUNCTION", "DELETE", "short"]);
        assert_eq!(c.texts(&["DOC.VERIFY", "t"]), [""; 0]);
    });
}

/// Each call, and what its error begins with.
const REFUSED: [(&[&str], &str); 11] = [
    (&["t:1", "none"], "FUNCTION no function 'none' is loaded"),
    (&["t:9", "up"], "NOTFOUND no document under 't:9'"),
    (&["s", "up"], "WRONGTYPE "),
    (&["t:1", "math.add", "1", "x"], "JSON argument 2: expected a value, found 'x' at byte 0"),
    (&["t:1", "math.add", ""], "JSON argument 1: "),
    (&["t:1", "five"], "FUNCTION function 'five' gives a number, and not an object to merge"),
    (&["t:1", "many"], "SCHEMA "),
    (&["t:1", "math.add", "200"], "SCHEMA "),
    (&["t:1", "deep"], "FUNCTION function 'deep', line 1: "),
    (&["t:1", "endless"], "FUNCTION function 'endless'"),
    (&["t:1", "bomb"], "FUNCTION function 'bomb'"),
];

#[test]
fn a_call_that_fails_changes_nothing() {
    over_both(|c| {
        prepare(c);
        c.call(&["SET", "s", "x"]);
        let more =
            [("five", "return 5"), ("many", "return {n = 'many'}"), ("deep", "return doc.n.x.y")];
        for (name, source) in more.into_iter().chain([("endless", ENDLESS), ("bomb", BOMB)]) {
            load(c, name, source);
        }
        let (meta, failures) =
            (c.map(&["DOC.META", "t:1"]), c.info_number("folio", "folio_function_failures"));
        for (words, told) in REFUSED {
            let error = c.error(&[&["DOC.CALL"], words].concat());
            assert!(error.starts_with(told), "{words:?}: {error}");
            assert_eq!(c.map(&["DOC.META", "t:1"]), meta, "{words:?}");
            assert!(
                !words.contains(&"endless") || error.contains("more than 100000 steps"),
                "{error}"
            );
            // The server goes on, and so do other functions.
            assert_eq!(c.text(&["DOC.CALL", "t:1", "ask"]).as_deref(), Some("1"));
        }
        assert_eq!(c.info_number("folio", "folio_function_failures"), failures + 3);
        for name in ["five", "many", "deep", "endless", "bomb"] {
            c.call(&["DOC.FUNCTION", "DELETE", name]);
        }
        assert_eq!(c.info("folio", "folio_functions"), "3");
    });
}

#[test]
fn a_call_is_an_operation_among_others() {
    over_both(|c| {
        prepare(c);
        c.call(&["DOC.UPDATE", "t:1", "INCR", "n", "9", "CALL", "up", "[]", "MUL", "n", "2"]);
        assert_eq!(c.text(&["DOC.GET", "t:1"]).as_deref(), Some(r#"{"n":22}"#));
        let words = ["DOC.UPDATE", "t:1", "call", "math.add", " [ 3 ] ", "SET", "x", "1"];
        c.call(&words);
        assert_eq!(c.text(&["DOC.GET", "t:1"]).as_deref(), Some(r#"{"n":25,"x":1}"#));
        let takes = "ERR operation 2: CALL takes a function and a JSON array of arguments";
        let update = ["DOC.UPDATE", "t:1", "UNSET", "x", "CALL", "up"];
        assert_eq!(c.error(&update), takes);
        assert_eq!(c.error(&[&update[..], &["5"]].concat()), format!("{takes}, found '5'"));
        let unknown = "FUNCTION operation 2: no function 'none' is loaded";
        assert_eq!(c.error(&["DOC.UPDATE", "t:1", "UNSET", "x", "CALL", "none", "[]"]), unknown);
        assert_eq!(c.text(&["DOC.GET", "t:1"]).as_deref(), Some(r#"{"n":25,"x":1}"#));

        for n in 2..=5 {
            c.call(&["DOC.SET", &format!("t:{n}"), &format!(r#"{{"n":{n}}}"#)]);
        }
        let many = ["DOC.UPDATEMANY", "t", "WHERE", "n <= 5", "CALL", "math.add", "[50]"];
        assert_eq!(c.map(&many)["changed"], Value::Int(4));
        assert_eq!(c.int(&["DOC.COUNT", "t", "WHERE", "n > 51 AND n < 56"]), 4);
        // One that is refused refuses all.
        let error =
            c.error(&["DOC.UPDATEMANY", "t", "WHERE", "n > 51", "CALL", "math.add", "[46]"]);
        assert!(error.starts_with("SCHEMA document 't:5': "), "{error}");
        let claim = ["DOC.CLAIM", "t", "WHERE", "n = 52", "CALL", "up", "[]"];
        let results = list(c.map(&claim).remove("results").expect("results"));
        assert_eq!(json(&list(results[0].clone())[1]), json!({"n": 53}));
        assert_eq!(c.texts(&["DOC.VERIFY", "t"]), [""; 0]);
    });
}

#[test]
fn a_function_reduces() {
    over_both(|c| {
        prepare(c);
        let product = "local so_far, value, by = ...\nreturn (so_far or 1) * value * (by or 1)";
        load(c, "math.product", product);
        let trail = "local so_far, value = ...\nlocal t = so_far or {n = 0, all = ''}\n\
             t = {n = t.n + 1, all = t.all .. value .. doc.k}\nreturn t, t.all .. t.n";
        load(c, "trail", trail);
        load(c, "nothing", "return nil");
        load(
            c,
            "late",
            "local so_far, value = ...\nif value == 3 then error('no three') end\nreturn value",
        );
        load(c, "endless", ENDLESS);
        for (key, text) in [
            ("r:1", r#"{"n":2,"k":"a","xs":[2,3]}"#),
            ("r:2", r#"{"n":3,"k":"b","xs":[]}"#),
            ("r:3", r#"{"n":null,"k":"a"}"#),
            ("r:4", r#"{"n":5,"k":"a","xs":[7]}"#),
        ] {
            c.call(&["DOC.SET", key, text]);
        }
        let mut rows = |words: &[&str]| {
            let words: Vec<&str> = ["DOC.AGGREGATE", "r"].iter().chain(words).copied().collect();
            let rows = list(c.map(&words).remove("results").expect("results"));
            rows.iter().map(json).collect::<Vec<_>>()
        };
        // Values are folded by birth; what is missing or null is passed over, and each value of an array counts.
        assert_eq!(
            rows(&["REDUCE", "2", "math.product(n)", "AS", "p", "trail(n)", "AS", "t"]),
            [json!({"p": 30, "t": "2a3b5a3"})]
        );
        assert_eq!(rows(&["REDUCE", "1", "trail(xs[*])", "AS", "t"]), [json!({"t": "2a3a7a3"})]);
        // Constants follow, and a value may be computed.
        let words =
            ["REDUCE", "1", "math.product(n + 1, $by)", "AS", "p", "PARAMS", "1", "by", "2"];
        assert_eq!(rows(&words), [json!({"p": 3 * 4 * 6 * 8})]);
        // By group; HAVING and ORDER see the results.
        let words = ["GROUP", "1", "k", "REDUCE", "1", "math.product(n)", "AS", "p"];
        assert_eq!(rows(&words), [json!({"k": "a", "p": 10}), json!({"k": "b", "p": 3})]);
        let more = ["HAVING", "p > 2", "ORDER", "1", "p"];
        assert_eq!(
            rows(&[&words[..], &more].concat()),
            [json!({"k": "b", "p": 3}), json!({"k": "a", "p": 10})]
        );
        // Of no value, and of a function that gives nothing.
        let words = ["WHERE", "k = 'z'", "REDUCE", "1", "math.product(n)", "AS", "p"];
        assert_eq!(rows(&words), [json!({"p": null})]);
        assert_eq!(rows(&["REDUCE", "1", "nothing(n)", "AS", "p"]), [json!({"p": null})]);

        let mut error = |reducer: &str| c.error(&["DOC.AGGREGATE", "r", "REDUCE", "1", reducer]);
        assert_eq!(error("late(n)"), "FUNCTION function 'late', line 2: no three");
        let over = "FUNCTION function 'endless', line 1: more than 100000 steps";
        assert!(error("endless(n)").starts_with(over));
        let takes = "ERR trail takes a value, and constants behind it, and 'trail()' has 0";
        assert_eq!(error("trail()"), takes);
        let constant = error("trail(n, k)");
        assert_eq!(constant, "FILTER trail(n, k): expected a literal at position 9");
        assert_eq!(error("trial(n)"), "ERR unknown reducer 'trial', did you mean trail?");
    });
}

#[test]
fn a_transaction_calls() {
    over_both(|c| {
        prepare(c);
        let operations = json!([
            {"op": "set", "key": "t:2", "value": {"n": 10}},
            {"op": "call", "key": "t:2", "function": "math.add", "args": [5]},
            {"op": "call", "key": "t:1", "function": "up", "if": "n = 1"},
            {"op": "update", "key": "t:2", "ops": [["CALL", "math.add", [1]], ["INCR", "n", 1]]},
        ]);
        let replies = list(c.call(&["DOC.TXN", "t:1", "t:2", &operations.to_string()]));
        assert_eq!(json(&replies[1]), json!({"was": 10}));
        assert!(matches!(replies[2], Value::Int(_)), "{replies:?}");
        assert_eq!(c.text(&["DOC.GET", "t:2"]).as_deref(), Some(r#"{"n":17}"#));
        assert_eq!(c.text(&["DOC.GET", "t:1"]).as_deref(), Some(r#"{"n":2}"#));
        let cases = [
            (json!([{"op": "call", "key": "t:1"}]), "ERR operation 1: 'function' is missing"),
            (
                json!([{"op": "call", "key": "t:1", "function": "up", "args": 1}]),
                "ERR operation 1: 'args' is an array, not '1'",
            ),
            (
                json!([{"op": "call", "key": "t:1", "function": "up", "arg": []}]),
                "ERR operation 1: call has no 'arg', did you mean 'args'?",
            ),
            (
                json!([{"op": "del", "key": "t:1"}, {"op": "call", "key": "t:1", "function": "up"}]),
                "NOTFOUND operation 2: no document under 't:1'",
            ),
            (
                json!([{"op": "call", "key": "t:1", "function": "none"}]),
                "FUNCTION operation 1: no function 'none' is loaded",
            ),
        ];
        for (operations, told) in cases {
            assert_eq!(c.error(&["DOC.TXN", "t:1", &operations.to_string()]), told);
        }
        assert_eq!(c.text(&["DOC.GET", "t:1"]).as_deref(), Some(r#"{"n":2}"#));
    });
}

#[test]
fn what_was_loaded_keeps_its_bounds() {
    let server = Server::start();
    let mut c = server.resp3();
    prepare(&mut c);
    c.call(&["CONFIG", "SET", "folio.function-steps-max", "200"]);
    c.call(&["CONFIG", "SET", "folio.function-source-bytes-max", "64"]);
    let error = c.error(&["DOC.FUNCTION", "LOAD", "f", &format!("{UP}{}", " ".repeat(64))]);
    assert!(error.starts_with("TOOBIG the source of 'f' has 86 bytes"), "{error}");
    load(&mut c, "f", UP);
    let steps: Vec<i64> = listed(&mut c).into_iter().map(|(_, steps, _)| steps).collect();
    assert_eq!(steps, [100_000, 200, 100_000, 100_000]);
    c.call(&["FLUSHALL"]);
    assert_eq!(names(&mut c).len(), 4);
}

/// Functions, one of them gone again, and a document that was changed by them.
fn fill(c: &mut Client) -> Option<String> {
    prepare(c);
    load(c, "gone", UP);
    c.call(&["DOC.CALL", "t:1", "up"]);
    c.call(&["DOC.FUNCTION", "DELETE", "gone"]);
    c.call(&["DOC.FUNCTION", "LOAD", "REPLACE", "STEPS", "777", "ask", ASK]);
    // What is lowered later judges nothing that was loaded.
    c.call(&["CONFIG", "SET", "folio.function-steps-max", "200"]);
    c.text(&["DOC.FUNCTION", "DUMP"])
}

#[track_caller]
fn assert_kept(c: &mut Client, dumped: Option<&String>, n: i64) {
    assert_eq!(c.text(&["DOC.FUNCTION", "DUMP"]).as_ref(), dumped);
    assert_eq!(c.text(&["DOC.CALL", "t:1", "ask"]), Some(n.to_string()));
}

#[test]
fn a_snapshot_keeps_functions() {
    let mut server = Server::start();
    let dumped = fill(&mut server.resp2());
    server.restart();
    assert_kept(&mut server.resp2(), dumped.as_ref(), 2);
    // Without any collection too.
    let mut c = server.resp2();
    c.call(&["DOC.DROP", "t", "DOCUMENTS"]);
    server.restart();
    assert_eq!(server.resp2().text(&["DOC.FUNCTION", "DUMP"]), dumped);
}

#[test]
fn an_append_only_file_keeps_functions() {
    for preamble in ["yes", "no"] {
        let mut server =
            Options::new().appendonly().config("aof-use-rdb-preamble", preamble).start();
        let dumped = fill(&mut server.resp2());
        server.restart_without_saving();
        assert_kept(&mut server.resp2(), dumped.as_ref(), 2);
        for flush in ["PING", "FLUSHALL"] {
            let mut c = server.resp2();
            c.call(&[flush]);
            c.call(&["BGREWRITEAOF"]);
            wait_until("the file is rewritten", || {
                c.info("persistence", "aof_rewrite_in_progress") == "0"
                    && c.info("persistence", "aof_rewrite_scheduled") == "0"
            });
            server.restart_without_saving();
            assert_eq!(server.resp2().text(&["DOC.FUNCTION", "DUMP"]), dumped, "{preamble}");
        }
    }
}

#[test]
fn a_replica_has_the_functions_of_its_primary() {
    let (primary, replica) = (Server::start(), Server::start());
    let (mut p, mut r) = (primary.resp2(), replica.resp2());
    load(&mut r, "own", UP);
    r.call(&["CONFIG", "SET", "folio.function-steps-max", "200"]);
    load(&mut p, "early", UP);
    follow(&replica, &primary);
    in_sync(&primary, &replica);
    assert_eq!(names(&mut r), ["early"]);
    let dumped = fill(&mut p);
    p.call(&["DOC.CALL", "t:1", "math.add", "40"]);
    in_sync(&primary, &replica);
    assert_eq!(r.text(&["DOC.FUNCTION", "DUMP"]), dumped);
    assert_eq!(r.text(&["DOC.GET", "t:1"]).as_deref(), Some(r#"{"n":42}"#));
    for words in [
        &["DOC.FUNCTION", "LOAD", "f", UP][..],
        &["DOC.FUNCTION", "DELETE", "up"],
        &["DOC.FUNCTION", "RESTORE", "[]"],
        &["DOC.CALL", "t:1", "up"],
    ] {
        let error = r.error(words);
        assert!(error.starts_with("READONLY "), "{error}");
    }
    let all = format!(r#"[{{"name":"late","source":"{UP}","steps":9,"memory":70000}}]"#);
    p.call(&["DOC.FUNCTION", "RESTORE", &all]);
    p.call(&["DOC.FUNCTION", "DELETE", "early"]);
    in_sync(&primary, &replica);
    r.call(&["REPLICAOF", "NO", "ONE"]);
    assert_eq!(names(&mut r), ["ask", "late", "math.add", "up"]);
    r.call(&["DOC.CALL", "t:1", "up"]);
    assert_eq!(r.text(&["DOC.GET", "t:1"]).as_deref(), Some(r#"{"n":43}"#));
}

#[test]
fn whoever_may_not_touch_every_key_loads_nothing() {
    let server = Server::start();
    let mut c = server.resp2();
    prepare(&mut c);
    c.call(&["ACL", "SETUSER", "some", "on", "nopass", "~t:*", "+@all"]);
    c.call(&["ACL", "SETUSER", "reader", "on", "nopass", "%R~*", "+@all"]);
    let mut some = server.resp2();
    some.call(&["AUTH", "some", "x"]);
    let told = "NOPERM this user may not read and write every key, as functions do";
    assert_eq!(some.error(&["DOC.FUNCTION", "LOAD", "f", UP]), told);
    assert_eq!(some.error(&["DOC.FUNCTION", "DELETE", "up"]), told);
    assert_eq!(some.error(&["DOC.FUNCTION", "RESTORE", "[]"]), told);
    let told = "NOPERM this user may not read every key, as functions do";
    assert_eq!(some.error(&["DOC.FUNCTION", "LIST"]), told);
    assert_eq!(some.error(&["DOC.FUNCTION", "DUMP"]), told);
    some.call(&["DOC.CALL", "t:1", "up"]);
    some.call(&["AUTH", "reader", "x"]);
    assert_eq!(names(&mut some), ["ask", "math.add", "up"]);
}

#[test]
fn many_calls_together_take_no_longer_than_a_query() {
    const SPIN: &str = "local n = 0\nfor i = 1, 20000 do n = n + i end\nreturn {n = 1}";
    const JUDGE: &str = "for i = 1, 20000 do end\nreturn true";
    let server = Server::start();
    let mut c = server.resp3();
    prepare(&mut c);
    load(&mut c, "spin", SPIN);
    load(&mut c, "judge", JUDGE);
    let told = "the functions take longer than 5 ms together (folio.query-ms-max)";
    c.call(&["DOC.CREATE", "j", "VALIDATE", "judge"]);
    let keys: Vec<String> = (0..2_000).map(|n| format!("j:{n}")).collect();
    c.call(&["CONFIG", "SET", "folio.query-ms-max", "5"]);
    // In the operations of one update.
    let calls = ["CALL", "spin", "[]"].repeat(900);
    let error = c.error(&[&["DOC.UPDATE", "t:1"], &calls[..]].concat());
    assert!(error.starts_with("TIMEOUT operation "), "{error}");
    assert!(error.ends_with(told), "{error}");
    assert_eq!(c.text(&["DOC.GET", "t:1"]).as_deref(), Some(r#"{"n":1}"#));
    // And where a declaration calls them for each document of a command.
    let pairs: Vec<&str> = keys.iter().flat_map(|key| [key, "{}"]).collect();
    let error = c.error(&[&["DOC.MSET"], &pairs[..]].concat());
    assert!(error.starts_with("TIMEOUT document 'j:"), "{error}");
    assert!(error.ends_with(told), "{error}");
    assert_eq!(c.int(&["DOC.COUNT", "j"]), 0);
    c.call(&["CONFIG", "SET", "folio.query-ms-max", "0"]);
    c.call(&[&["DOC.MSET"], &pairs[..600]].concat());
    assert_eq!(c.int(&["DOC.COUNT", "j"]), 300);
}
