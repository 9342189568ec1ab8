//! DOC.MIGRATE; migrations in declarations; what updates do to a document that is ahead; what restarts and replicas keep.

use std::thread;
use std::time::Duration;

use folio_tests::replica::{follow, in_sync, wait_until};
use folio_tests::reply::{json, list, map, text};
use folio_tests::{Client, Options, Server, over_both};
use redis::{ProtocolVersion, Value};
use serde_json::json;

/// From `name` to `first` and `last`, from version 1 to 2 a count of the letters, and back.
const SPLIT: &str = "local first, last = string.match(doc.name, '^(%S+) (%S+)$')\n\
     if not first then error('no last name') end\n\
     return {first = first, last = last, name = null}";
const JOIN: &str = "return {name = doc.first .. ' ' .. doc.last, first = null, last = null}";
const COUNT: &str = "return {letters = #doc.last}";
const UNCOUNT: &str = "return {letters = null}";

const ADA: &str = r#"{"name":"Ada Lovelace"}"#;
const ALAN: &str = r#"{"name":"Alan Turing"}"#;

fn load(c: &mut Client, functions: &[(&str, &str)]) {
    for (name, source) in functions {
        c.call(&["DOC.FUNCTION", "LOAD", name, source]);
    }
}

/// Two documents of version 0, under a declaration that knows the ways to 1 and 2.
fn prepare(c: &mut Client) {
    load(c, &[("split", SPLIT), ("join", JOIN), ("count", COUNT), ("uncount", UNCOUNT)]);
    c.call(&["DOC.CREATE", "p", "FIELD", "last", "string", "INDEX", "SORTED", "CHANGES", "BOTH"]);
    c.call(&["DOC.MSET", "p:1", ADA, "p:2", ALAN]);
    let first = ["DOC.ALTER", "p", "ADD", "MIGRATION", "1", "UP", "split", "DOWN", "join"];
    let second = ["add", "migration", "2", "up", "count", "down", "uncount"];
    c.call(&[&first[..], &second].concat());
}

fn read(c: &mut Client, key: &str) -> String {
    c.text(&["DOC.GET", key]).unwrap_or_default()
}

fn schema(c: &mut Client, key: &str) -> Value {
    c.map(&["DOC.META", key]).remove("schema").expect("schema")
}

/// What `DOC.INFO` tells of the migration.
fn info(c: &mut Client, collection: &str) -> Vec<(String, String)> {
    let protocol = if c.is_resp3() { ProtocolVersion::RESP3 } else { ProtocolVersion::RESP2 };
    let told = list(c.map(&["DOC.INFO", collection]).remove("migration").expect("migration"));
    let Some(told) = told.into_iter().next() else { return Vec::new() };
    let mut lines: Vec<(String, String)> = Vec::new();
    for (name, value) in map(protocol, told) {
        let value = match value {
            Value::Int(number) => number.to_string(),
            Value::Array(counts) => {
                let count = |count: Value| {
                    let count = map(protocol, count);
                    match (&count["version"], &count["documents"]) {
                        (Value::Int(version), Value::Int(count)) => format!("{version}:{count}"),
                        other => panic!("{other:?}"),
                    }
                };
                counts.into_iter().map(count).collect::<Vec<_>>().join(" ")
            }
            other => text(&other),
        };
        lines.push((name, value));
    }
    lines.sort();
    lines
}

#[track_caller]
fn expect_info(c: &mut Client, expected: &[(&str, &str)]) {
    let told = info(c, "p");
    let told: Vec<(&str, &str)> = told.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(told, expected);
}

fn expect_sound(c: &mut Client) {
    assert_eq!(c.texts(&["DOC.VERIFY", "p"]), [""; 0]);
}

#[test]
fn every_document_is_brought_up_and_down() {
    over_both(|c| {
        prepare(c);
        c.call(&["PEXPIREAT", "p:1", "4102444800000"]);
        assert_eq!(c.text(&["DOC.MIGRATE", "p", "TO", "2"]).as_deref(), Some("OK"));
        assert_eq!(read(c, "p:1"), r#"{"first":"Ada","last":"Lovelace","letters":8}"#);
        assert_eq!(read(c, "p:2"), r#"{"first":"Alan","last":"Turing","letters":6}"#);
        assert_eq!(schema(c, "p:1"), Value::Int(2));
        assert_eq!(c.int(&["PEXPIRETIME", "p:1"]), 4_102_444_800_000);
        assert_eq!(c.int(&["DOC.COUNT", "p", "WHERE", "last > 'M'"]), 1);
        expect_sound(c);
        let done = [
            ("ahead", "0"),
            ("migrated", "2"),
            ("state", "done"),
            ("version", "2"),
            ("versions", "2:2"),
        ];
        expect_info(c, &done);
        // Whoever writes a document whole means the version in force.
        c.call(&["DOC.SET", "p:3", r#"{"first":"Grace","last":"Hopper"}"#]);
        assert_eq!(schema(c, "p:3"), Value::Int(2));
        // The same again changes nothing.
        let before = c.map(&["DOC.META", "p:1"]);
        c.call(&["DOC.MIGRATE", "p", "TO", "2"]);
        assert_eq!(c.map(&["DOC.META", "p:1"]), before);

        c.call(&["DOC.MIGRATE", "p", "to", "0"]);
        assert_eq!((read(c, "p:1").as_str(), read(c, "p:2").as_str()), (ADA, ALAN));
        assert_eq!(read(c, "p:3"), r#"{"name":"Grace Hopper"}"#);
        assert_eq!(schema(c, "p:3"), Value::Int(0));
        let done = [
            ("ahead", "0"),
            ("migrated", "3"),
            ("state", "done"),
            ("version", "0"),
            ("versions", "0:3"),
        ];
        expect_info(c, &done);
        expect_sound(c);
        // Each was told as an update, with its cause.
        let entries = list(c.call(&["XREVRANGE", "changes:p", "+", "-", "COUNT", "1"]));
        let entry = list(list(entries[0].clone())[1].clone());
        let words: Vec<String> = entry.iter().map(text).collect();
        assert!(words.windows(2).any(|pair| pair == ["op", "update"]), "{words:?}");
        assert!(words.windows(2).any(|pair| pair == ["cause", "migrate"]), "{words:?}");
    });
}

#[test]
fn a_document_that_fails_stops_it_and_is_named() {
    over_both(|c| {
        prepare(c);
        c.call(&["DOC.SET", "p:0", r#"{"name":"Plato"}"#]);
        let version = c.map(&["DOC.META", "p:0"])["version"].clone();
        let error =
            "FUNCTION on the way to schema version 1: function 'split', line 2: no last name";
        let told = "FUNCTION document 'p:0': on the way to schema version 1: function 'split', line 2: no last name";
        assert_eq!(c.error(&["DOC.MIGRATE", "p", "TO", "1"]), told);
        assert_eq!(read(c, "p:0"), r#"{"name":"Plato"}"#);
        assert_eq!(c.map(&["DOC.META", "p:0"])["version"], version);
        // The two before it by birth are done.
        let stopped = [
            ("ahead", "1"),
            ("error", error),
            ("migrated", "2"),
            ("state", "stopped"),
            ("stopped_at", "p:0"),
            ("version", "1"),
            ("versions", "0:1 1:2"),
        ];
        expect_info(c, &stopped);
        assert_eq!(c.error(&["DOC.MIGRATE", "p", "TO", "1"]), told);
        // So is an update of it; a whole write puts it in order, and what waits behind it goes on by itself.
        assert_eq!(c.error(&["DOC.UPDATE", "p:0", "SET", "x", "1"]), error);
        c.call(&["COPY", "p:0", "p:8"]);
        c.call(&["DOC.SET", "p:0", r#"{"first":"Plato","last":"-"}"#]);
        wait_until("it is stopped by the next", || {
            info(c, "p").contains(&("stopped_at".to_owned(), "p:8".to_owned()))
        });
        c.call(&["DEL", "p:8"]);
        expect_sound(c);
        let state = info(c, "p").into_iter().find(|(name, _)| name == "state").expect("state").1;
        assert_eq!(state, "done");
        // A document against the declaration is one that fails.
        c.call(&["DOC.ALTER", "p", "ADD", "FIELD", "letters", "int", "MAX", "7"]);
        let error = c.error(&["DOC.MIGRATE", "p", "TO", "2"]);
        assert!(error.starts_with("SCHEMA document 'p:1': "), "{error}");
        assert_eq!(read(c, "p:1"), r#"{"first":"Ada","last":"Lovelace"}"#);
        c.call(&["DOC.ALTER", "p", "DROP", "FIELD", "letters"]);
        c.call(&["DOC.MIGRATE", "p", "TO", "2"]);
        expect_sound(c);
    });
}

#[test]
fn an_update_brings_its_document_there_first() {
    over_both(|c| {
        prepare(c);
        for n in 3..=9 {
            c.call(&["DOC.SET", &format!("p:{n}"), &format!(r#"{{"name":"N {n}"}}"#)]);
        }
        let before = c.map(&["DOC.META", "p:1"])["version"].clone();
        c.call(&["DOC.MIGRATE", "p", "TO", "2", "LAZY"]);
        assert_eq!(read(c, "p:1"), ADA);
        assert_eq!(c.map(&["DOC.META", "p:1"])["version"], before);
        expect_info(
            c,
            &[
                ("ahead", "9"),
                ("migrated", "0"),
                ("state", "lazy"),
                ("version", "2"),
                ("versions", "0:9"),
            ],
        );
        // Operations are meant for the version in force, conditions for what stands there.
        let words = ["DOC.UPDATE", "p:1", "IF", "name = 'Ada Lovelace'", "INCR", "letters", "2"];
        let version = c.int(&words);
        assert_eq!(read(c, "p:1"), r#"{"first":"Ada","last":"Lovelace","letters":10}"#);
        assert_eq!(c.map(&["DOC.META", "p:1"])["version"], Value::Int(version));
        assert_eq!(schema(c, "p:1"), Value::Int(2));
        // An error of the update's own is numbered as always.
        let error = c.error(&["DOC.UPDATE", "p:2", "SET", "x", "1", "INCR", "last", "1"]);
        assert!(error.starts_with("PATH operation 2: "), "{error}");
        assert_eq!((read(c, "p:2").as_str(), schema(c, "p:2")), (ALAN, Value::Int(0)));
        load(c, &[("say", "return nil, doc.last")]);
        assert_eq!(c.text(&["DOC.CALL", "p:2", "say"]).as_deref(), Some("\"Turing\""));
        assert_eq!(read(c, "p:2"), r#"{"first":"Alan","last":"Turing","letters":6}"#);
        c.call(&["DOC.UPDATEMANY", "p", "WHERE", "name = 'N 3'", "SET", "letters", "0"]);
        assert_eq!(read(c, "p:3"), r#"{"first":"N","last":"3","letters":0}"#);
        let claim = ["DOC.CLAIM", "p", "WHERE", "name = 'N 4'", "UNSET", "first"];
        let results = list(c.map(&claim).remove("results").expect("results"));
        assert_eq!(json(&list(results[0].clone())[1]), json!({"last": "4", "letters": 1}));
        let operations = json!([
            {"op": "update", "key": "p:5", "ops": [["INCR", "letters", 1]]},
            {"op": "update", "key": "p:5", "ops": [["INCR", "letters", 1]]},
            {"op": "call", "key": "p:6", "function": "say"},
            {"op": "set", "key": "p:7", "value": {"last": "x"}},
            {"op": "update", "key": "p:7", "ops": [["SET", "first", "y"]]},
            {"op": "del", "key": "p:8"},
            {"op": "update", "key": "p:8", "upsert": true, "ops": [["SET", "last", "z"]]},
        ]);
        c.call(&["DOC.TXN", "p:5", "p:6", "p:7", "p:8", &operations.to_string()]);
        assert_eq!(read(c, "p:5"), r#"{"first":"N","last":"5","letters":3}"#);
        assert_eq!(read(c, "p:6"), r#"{"first":"N","last":"6","letters":1}"#);
        assert_eq!(read(c, "p:7"), r#"{"last":"x","first":"y"}"#);
        assert_eq!(read(c, "p:8"), r#"{"last":"z"}"#);
        let of: Vec<Value> = (5..=9).map(|n| schema(c, &format!("p:{n}"))).collect();
        assert_eq!(of, [2, 2, 2, 2, 0].map(Value::Int));
        // The same text written whole is of the version in force, which is a change.
        c.call(&["DOC.SET", "p:9", r#"{"name":"N 9"}"#]);
        assert_eq!(schema(c, "p:9"), Value::Int(2));
        expect_sound(c);
        // What lazily was left behind is brought there when that is asked for.
        c.call(&["DOC.MIGRATE", "p", "TO", "2"]);
        assert_eq!(info(c, "p")[0], ("ahead".to_owned(), "0".to_owned()));
    });
}

#[test]
fn a_function_that_goes_astray_changes_nothing() {
    over_both(|c| {
        prepare(c);
        for (at, (source, told)) in [
            ("while true do end", "more than 100000 steps"),
            (
                "local t = {} while true do t[#t + 1] = string.rep('x', 10000) .. #t end",
                "(folio.function-",
            ),
            ("local function f() return 1 + f() end return f()", ""),
            ("local t = {} t.t = t return t", ""),
            ("local t = {} for i = 1, 200 do t = {a = t} end return t", ""),
            ("return {1, 2}", "an array, and not an object"),
            ("return 'x'", "a string, and not an object"),
            ("return {a = 0 / 0}", ""),
            ("return {last = {'x'}}", "field last"),
        ]
        .into_iter()
        .enumerate()
        {
            let name = format!("astray{at}");
            load(c, &[(&name, source)]);
            let drop = ["DOC.ALTER", "p", "DROP", "MIGRATION", "1", "ADD", "MIGRATION", "1"];
            let before = c.map(&["DOC.META", "p:1"]);
            c.call(&[&drop[..], &["UP", &name, "DOWN", "join"]].concat());
            let error = c.error(&["DOC.MIGRATE", "p", "TO", "2"]);
            assert!(error.contains(" document 'p:1': "), "{source}: {error}");
            assert!(error.contains(told), "{source}: {error}");
            assert_eq!(c.map(&["DOC.META", "p:1"]), before);
            assert_eq!(read(c, "p:1"), ADA);
            // Every document is there already.
            c.call(&["DOC.MIGRATE", "p", "TO", "0"]);
        }
        expect_sound(c);
    });
}

#[test]
fn a_document_that_leaves_is_in_nobody_s_way_and_another_function_tries_again() {
    over_both(|c| {
        prepare(c);
        c.call(&["DOC.SET", "p:0", r#"{"name":"Plato"}"#]);
        c.call(&["DOC.SET", "p:9", r#"{"name":"Grace Hopper"}"#]);
        let state = |c: &mut Client| {
            info(c, "p").into_iter().find(|(name, _)| name == "state").expect("state").1
        };
        for away in [&["RENAME", "p:0", "aside:0"][..], &["MOVE", "p:0", "1"]] {
            assert!(c.error(&["DOC.MIGRATE", "p", "TO", "1"]).contains("'p:0'"));
            assert_eq!(state(c), "stopped");
            c.call(away);
            wait_until("the others are done", || state(c) == "done");
            assert_eq!(read(c, "p:9"), r#"{"first":"Grace","last":"Hopper"}"#);
            if away[0] == "RENAME" {
                c.call(&["DOC.MIGRATE", "p", "TO", "0"]);
                c.call(&["RENAME", "aside:0", "p:0"]);
            }
        }
        c.call(&["SELECT", "1"]);
        c.call(&["MOVE", "p:0", "0"]);
        c.call(&["SELECT", "0"]);
        wait_until("it has stopped there", || state(c) == "stopped");
        // A function that knows better is declared in the place of the one before.
        load(c, &[("split2", "return {first = doc.name, last = '-', name = null}")]);
        let drop = ["DOC.ALTER", "p", "DROP", "MIGRATION", "1"];
        let needed = "SCHEMA no MIGRATION 1 is declared: version 1 is not reached from 0; 1 documents of schema version 0 need it";
        assert_eq!(c.error(&drop), needed);
        let add = ["ADD", "MIGRATION", "1", "UP", "split2", "DOWN", "join"];
        c.call(&[&drop[..], &add].concat());
        wait_until("it goes on by itself", || state(c) == "done");
        assert_eq!(read(c, "p:0"), r#"{"first":"Plato","last":"-"}"#);
        expect_sound(c);
    });
}

#[test]
fn a_declaration_says_where_documents_begin() {
    over_both(|c| {
        load(c, &[("up", "return {n = (doc.n or 0) + 1}"), ("down", "return {n = doc.n - 1}")]);
        let create = ["DOC.CREATE", "q", "MIGRATION", "1", "UP", "up", "DOWN", "down"];
        for many in [1, 1_500] {
            for n in 0..many {
                c.call(&["DOC.SET", &format!("q:{n}"), "{}"]);
            }
            // Over documents that are there, in one stop or in slices.
            c.call(&[&create[..], &["SCHEMA", "1"]].concat());
            wait_until("all are migrated", || info(c, "q")[0].1 == "0");
            let last = format!("q:{}", many - 1);
            assert_eq!(read(c, &last), r#"{"n":1}"#);
            // Dropped, it keeps what documents know; and nothing is done twice.
            c.call(&["DOC.DROP", "q"]);
            c.call(&[&create[..], &["SCHEMA", "1"]].concat());
            assert_eq!(info(c, "q")[0].1, "0");
            assert_eq!(read(c, &last), r#"{"n":1}"#);
            // A program that declares when it begins is not stopped by what was put in force.
            c.call(&create);
            let like = [&create[..], &["SCHEMA", "2", "MIGRATION", "2", "UP", "up"]].concat();
            let other = "COLLECTIONEXISTS collection 'q' is declared already, and not like this";
            assert_eq!(c.error(&like), other);
            // Nothing is lost by a definition that does not know of it.
            let definition = r#"{"collection":"q","fields":[]}"#;
            let error = c.error(&["DOC.ALTER", "q", "DEFINITION", definition]);
            let unreached = "SCHEMA no MIGRATION 1 is declared: version 0 is not reached from 1";
            assert_eq!(error, unreached);
            c.call(&["DOC.DROP", "q", "DOCUMENTS"]);
            for n in 0..many {
                c.call(&["DOC.SET", &format!("q:{n}"), "{}"]);
            }
            // No way leads there from what documents are.
            let words = ["DOC.CREATE", "q", "SCHEMA", "4", "MIGRATION", "4", "UP", "up"];
            let error = c.error(&words);
            let none = "SCHEMA no MIGRATION 1 is declared: version 4 is not reached from 0";
            assert!(error.starts_with(none), "{error}");
            c.call(&["FLUSHDB"]);
        }
    });
}

#[test]
fn collections_do_not_wait_for_one_that_is_stopped() {
    over_both(|c| {
        prepare(c);
        c.call(&["DOC.CREATE", "b", "MIGRATION", "1", "UP", "split"]);
        c.call(&["DOC.SET", "b:1", ADA]);
        // The key of the stream of changes holds something else: no write of the collection can be told.
        c.call(&["DEL", "changes:p"]);
        c.call(&["SET", "changes:p", "x"]);
        let error = c.error(&["DOC.MIGRATE", "p", "TO", "1"]);
        assert!(error.starts_with("INTERNAL document 'p:1': WRONGTYPE"), "{error}");
        c.call(&["DOC.MIGRATE", "b", "TO", "1"]);
        assert_eq!(read(c, "b:1"), r#"{"first":"Ada","last":"Lovelace"}"#);
        c.call(&["DEL", "changes:p"]);
        c.call(&["DOC.MIGRATE", "p", "TO", "1"]);
        // In a script nobody waits either, and one that stays as it is can have a part that lapses.
        c.call(&["DOC.UPDATE", "p:1", "SET", "otp", "7", "TTL", "otp", "900"]);
        let script = "return redis.call('DOC.MIGRATE', 'p', 'TO', '2')";
        c.call(&["EVAL", script, "0"]);
        wait_until("it is migrated", || schema(c, "p:1") == Value::Int(2));
        let meta = c.map(&["DOC.META", "p:1"]);
        assert!(format!("{:?}", meta["path_expires"]).contains("otp"), "{meta:?}");
        // What is IMMUTABLE stays, by a migration too.
        c.call(&["DOC.ALTER", "p", "ADD", "FIELD", "first", "string", "IMMUTABLE"]);
        let error = c.error(&["DOC.MIGRATE", "p", "TO", "0"]);
        assert!(error.starts_with("SCHEMA document 'p:"), "{error}");
        assert!(error.contains("IMMUTABLE"), "{error}");
    });
}

#[test]
fn documents_keep_their_version_wherever_they_go() {
    over_both(|c| {
        prepare(c);
        c.call(&["DOC.MIGRATE", "p", "TO", "1"]);
        // Into a collection without migrations, and back; updates leave the version there as it is.
        c.call(&["RENAME", "p:1", "other:1"]);
        c.call(&["DOC.UPDATE", "other:1", "SET", "x", "1"]);
        assert_eq!(schema(c, "other:1"), Value::Int(1));
        c.call(&["DOC.SET", "other:2", "{}"]);
        assert_eq!(schema(c, "other:2"), Value::Int(0));
        c.call(&["RENAME", "other:1", "p:1"]);
        assert_eq!(read(c, "p:1"), r#"{"first":"Ada","last":"Lovelace","x":1}"#);
        // A payload of an older version is migrated when it is back.
        c.call(&["DOC.MIGRATE", "p", "TO", "0"]);
        let Value::BulkString(payload) = c.call(&["DUMP", "p:2"]) else { panic!("a payload") };
        c.call(&["DOC.MIGRATE", "p", "TO", "2"]);
        let restore = [&b"RESTORE"[..], b"p:3", b"0", &payload];
        c.try_call(&restore).expect("it is restored");
        wait_until("it has the version in force", || schema(c, "p:3") == Value::Int(2));
        assert_eq!(read(c, "p:3"), r#"{"first":"Alan","last":"Turing","letters":6}"#);
        // One that is marked as deleted is, when it comes back.
        c.call(&["DOC.DEL", "p:3", "SOFT"]);
        c.call(&["DOC.MIGRATE", "p", "TO", "1"]);
        let versions = ("versions".to_owned(), "1:2 2:1".to_owned());
        assert!(info(c, "p").contains(&versions), "{:?}", info(c, "p"));
        c.call(&["DOC.UNDELETE", "p:3"]);
        wait_until("it has the version in force", || schema(c, "p:3") == Value::Int(1));
        expect_sound(c);
        // A declaration that goes and comes migrates nothing twice.
        c.call(&["DOC.DROP", "p"]);
        let declared = ["DOC.CREATE", "p", "SCHEMA", "1", "MIGRATION", "1", "UP", "split"];
        c.call(&declared);
        assert_eq!(info(c, "p")[0], ("ahead".to_owned(), "0".to_owned()));
        assert_eq!(schema(c, "p:2"), Value::Int(1));
    });
}

#[test]
fn a_collection_tells_of_its_functions() {
    over_both(|c| {
        prepare(c);
        load(c, &[("lower", "return string.lower(doc.name)"), ("judge", "return true")]);
        let field = ["ADD", "FIELD", "lower", "string", "COMPUTED", "lower"];
        c.call(&[&["DOC.ALTER", "p", "SET", "VALIDATE", "judge"], &field[..]].concat());
        let protocol = if c.is_resp3() { ProtocolVersion::RESP3 } else { ProtocolVersion::RESP2 };
        let told = list(c.map(&["DOC.INFO", "p"]).remove("functions").expect("functions"));
        let told = told.into_iter().map(|one| {
            let one = map(protocol, one);
            format!("{} {}", text(&one["name"]), text(&one["use"]))
        });
        let expected = [
            "lower field lower",
            "judge VALIDATE",
            "split MIGRATION 1",
            "join MIGRATION 1",
            "count MIGRATION 2",
            "uncount MIGRATION 2",
        ];
        assert_eq!(told.collect::<Vec<_>>(), expected);
    });
}

#[test]
fn declarations_and_words_are_judged() {
    over_both(|c| {
        prepare(c);
        let cases: [(&[&str], &str); 14] = [
            (&["DOC.MIGRATE", "p", "2"][..], "ERR wrong number of arguments"),
            (&["DOC.MIGRATE", "p", "BY", "2"], "ERR DOC.MIGRATE takes TO and a version, not 'BY'"),
            (&["DOC.MIGRATE", "p", "TO", "x"], "ERR TO 'x' is not an integer"),
            (&["DOC.MIGRATE", "p", "TO", "16384"], "ERR TO 16384 is not from 0 to 16383"),
            (&["DOC.MIGRATE", "p", "TO", "2", "NOW"], "ERR unknown option 'NOW'"),
            (
                &["DOC.MIGRATE", "p", "TO", "3"],
                "SCHEMA no MIGRATION 3 is declared: version 3 is not reached from 0",
            ),
            (
                &["DOC.MIGRATE", "q", "TO", "1"],
                "NOCOLLECTION no collection 'q' in database 0; DOC.LIST names them",
            ),
            (
                &["DOC.ALTER", "p", "ADD", "MIGRATION", "4", "UP", "split"],
                "SCHEMA MIGRATION 4 follows 2: they have no gap, and ascend",
            ),
            (
                &["DOC.ALTER", "p", "ADD", "MIGRATION", "3", "UP", "none"],
                "FUNCTION no function 'none' is loaded",
            ),
            (
                &["DOC.ALTER", "p", "ADD", "MIGRATION", "3", "DOWN", "join"],
                "ERR MIGRATION 3 takes UP and a function, not 'DOWN'",
            ),
            (&["DOC.ALTER", "p", "DROP", "MIGRATION", "3"], "SCHEMA migration 3 is not declared"),
            (
                &[
                    "DOC.ALTER",
                    "p",
                    "DROP",
                    "MIGRATION",
                    "1",
                    "DROP",
                    "MIGRATION",
                    "2",
                    "ADD",
                    "MIGRATION",
                    "5",
                    "UP",
                    "split",
                ],
                "SCHEMA no migration leads to schema version 0, which is in force: they are 5 to 5",
            ),
            (
                &["DOC.FUNCTION", "DELETE", "uncount"],
                "FUNCTION function 'uncount' is used by MIGRATION 2 of collection 'p'",
            ),
            (
                &["DOC.FUNCTION", "LOAD", "REPLACE", "split", JOIN],
                "FUNCTION function 'split' is used by MIGRATION 1 of collection 'p'",
            ),
        ];
        for (words, told) in cases {
            let error = c.error(words);
            assert!(error.starts_with(told), "{words:?}: {error}");
        }
        let printed = c.text(&["DOC.SCHEMA", "p"]).expect("a definition");
        let expected = r#","migrations":[{"to":1,"up":"split","down":"join"},{"to":2,"up":"count","down":"uncount"}]}"#;
        assert!(printed.ends_with(expected), "{printed}");
        c.call(&["DOC.MIGRATE", "p", "TO", "2"]);
        // Without a way back nothing is put in force.
        c.call(&[
            "DOC.ALTER",
            "p",
            "DROP",
            "MIGRATION",
            "2",
            "ADD",
            "MIGRATION",
            "2",
            "UP",
            "count",
        ]);
        let none = "SCHEMA MIGRATION 2 has no DOWN: version 1 is not reached from 2";
        assert_eq!(c.error(&["DOC.MIGRATE", "p", "TO", "1"]), none);
        c.call(&["DOC.ALTER", "p", "DROP", "MIGRATION", "1"]);
        assert_eq!(schema(c, "p:1"), Value::Int(2));
        let many: Vec<String> = (3..300)
            .flat_map(|n| ["ADD", "MIGRATION", &n.to_string(), "UP", "count"].map(str::to_owned))
            .collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let error = c.error(&[&["DOC.ALTER", "p"], &many[..]].concat());
        assert_eq!(error, "LIMITED 298 migrations exceed the limit of 256");
        // A function that gives nothing leaves the text, and the version is another all the same.
        load(c, &[("nothing", "return nil")]);
        let before = (read(c, "p:1"), c.map(&["DOC.META", "p:1"])["version"].clone());
        c.call(&["DOC.ALTER", "p", "ADD", "MIGRATION", "3", "UP", "nothing", "DOWN", "nothing"]);
        c.call(&["DOC.MIGRATE", "p", "TO", "3"]);
        assert_eq!((read(c, "p:1"), schema(c, "p:1")), (before.0, Value::Int(3)));
        assert_ne!(c.map(&["DOC.META", "p:1"])["version"], before.1);
        c.call(&["DOC.MIGRATE", "p", "TO", "2"]);
        c.call(&["DOC.ALTER", "p", "DROP", "MIGRATION", "3"]);
        // In MULTI nobody waits.
        c.call(&["DOC.ALTER", "p", "ADD", "MIGRATION", "3", "UP", "uncount"]);
        c.call(&["MULTI"]);
        c.call(&["DOC.MIGRATE", "p", "TO", "3"]);
        assert_eq!(list(c.call(&["EXEC"])), [Value::Okay]);
        wait_until("all are migrated", || schema(c, "p:2") == Value::Int(3));
        assert_eq!(read(c, "p:2"), r#"{"first":"Alan","last":"Turing"}"#);
        expect_sound(c);
    });
}

const MANY: usize = 4_000;

/// Many documents of version 0.
fn fill(c: &mut Client) {
    load(c, &[("up", "return {n = doc.n + 1}"), ("down", "return {n = doc.n - 1}")]);
    c.call(&[
        "DOC.CREATE",
        "p",
        "FIELD",
        "n",
        "int",
        "INDEX",
        "SORTED",
        "MIGRATION",
        "1",
        "UP",
        "up",
        "DOWN",
        "down",
    ]);
    for n in 0..MANY {
        c.call(&["DOC.SET", &format!("p:{n}"), r#"{"n":1}"#]);
    }
}

/// That every document is of version 1, and was migrated once.
fn expect_all_up(c: &mut Client) {
    assert_eq!(c.int(&["DOC.COUNT", "p", "WHERE", "n = 2"]), MANY as i64);
    expect_sound(c);
    assert!(info(c, "p").contains(&("versions".to_owned(), format!("1:{MANY}"))));
}

fn ahead(c: &mut Client) -> u64 {
    info(c, "p")[0].1.parse().expect("a number")
}

#[test]
fn others_are_served_and_a_restart_goes_on() {
    for is_logged in [false, true] {
        let options = if is_logged { Options::new().appendonly() } else { Options::new() };
        let mut server = options.start();
        let mut c = server.resp3();
        fill(&mut c);
        c.call(&["CONFIG", "SET", "folio.build-slice-us", "50"]);
        thread::scope(|scope| {
            let mut other = server.resp3();
            scope.spawn(move || {
                // Its connection ends with the server.
                let _ = other.try_call(&["DOC.MIGRATE", "p", "TO", "1"]);
            });
            wait_until("some are migrated", || (1..MANY as u64 - 100).contains(&ahead(&mut c)));
            // A reader sees either; a writer meets the version in force.
            let seen = c.int(&["DOC.COUNT", "p", "WHERE", "n = 1 OR n = 2"]);
            assert_eq!(seen, MANY as i64);
            let last = format!("p:{}", MANY - 1);
            c.call(&["DOC.UPDATE", &last, "SET", "x", "1"]);
            assert_eq!(read(&mut c, &last), r#"{"n":2,"x":1}"#);
            assert!(ahead(&mut c) > 0, "it is not over yet");
            c.call(&["CONFIG", "SET", "folio.build-slice-us", "0"]);
            if is_logged {
                server.restart_without_saving();
            } else {
                server.restart();
            }
        });
        let mut c = server.resp3();
        wait_until("all are migrated", || ahead(&mut c) == 0);
        expect_all_up(&mut c);
    }
}

#[test]
fn a_replica_follows_and_goes_on_when_it_is_promoted() {
    let (primary, replica) = (Server::start(), Server::start());
    let mut c = primary.resp3();
    fill(&mut c);
    follow(&replica, &primary);
    c.call(&["CONFIG", "SET", "folio.build-slice-us", "50"]);
    let mut r = replica.resp3();
    thread::scope(|scope| {
        let mut other = primary.resp3();
        let waiting = scope.spawn(move || other.try_call(&["DOC.MIGRATE", "p", "TO", "1"]));
        wait_until("some are migrated", || (1..MANY as u64 - 100).contains(&ahead(&mut c)));
        c.call(&["CONFIG", "SET", "folio.build-slice-us", "0"]);
        in_sync(&primary, &replica);
        assert_eq!(c.call(&["DOC.VERIFY", "p", "DIGEST"]), r.call(&["DOC.VERIFY", "p", "DIGEST"]));
        let left = ahead(&mut r);
        assert!(left > 0 && left == ahead(&mut c));
        // A replica decides nothing.
        thread::sleep(Duration::from_millis(300));
        assert_eq!(ahead(&mut r), left);
        r.call(&["REPLICAOF", "NO", "ONE"]);
        wait_until("all are migrated", || ahead(&mut r) == 0);
        expect_all_up(&mut r);
        // The server tells the client when it becomes a replica.
        follow(&primary, &replica);
        let error = waiting.join().expect("an answer").expect_err("it cannot end here");
        assert!(error.to_string().contains("UNBLOCKED"), "{error}");
    });
    in_sync(&replica, &primary);
    let mut c = primary.resp3();
    expect_all_up(&mut c);
    assert_eq!(c.call(&["DOC.VERIFY", "p", "DIGEST"]), r.call(&["DOC.VERIFY", "p", "DIGEST"]));
}

#[test]
fn it_waits_for_memory_and_for_pauses_and_ends_with_the_collection() {
    let server = Server::start();
    let (mut c, mut other) = (server.resp3(), server.resp3());
    fill(&mut c);
    c.call(&["CONFIG", "SET", "maxmemory", "1"]);
    // The command itself is one that may take memory.
    let error = c.error(&["DOC.MIGRATE", "p", "TO", "1"]);
    assert!(error.starts_with("OOM"), "{error}");
    c.call(&["CONFIG", "SET", "maxmemory", "0"]);
    c.call(&["CONFIG", "SET", "folio.build-slice-us", "0"]);
    thread::scope(|scope| {
        let waiting = scope.spawn(move || other.try_call(&["DOC.MIGRATE", "p", "TO", "1"]));
        wait_until("it is in force", || ahead(&mut c) == MANY as u64);
        c.call(&["CONFIG", "SET", "maxmemory", "1"]);
        c.call(&["CONFIG", "SET", "folio.build-slice-us", "1000"]);
        thread::sleep(Duration::from_millis(300));
        assert_eq!(ahead(&mut c), MANY as u64);
        c.call(&["CLIENT", "PAUSE", "300", "WRITE"]);
        c.call(&["CONFIG", "SET", "maxmemory", "0"]);
        thread::sleep(Duration::from_millis(150));
        assert_eq!(ahead(&mut c), MANY as u64);
        c.call(&["CONFIG", "SET", "folio.build-slice-us", "0"]);
        c.call(&["CLIENT", "UNPAUSE"]);
        assert!(!waiting.is_finished());
        c.call(&["DOC.DROP", "p"]);
        let error = waiting.join().expect("an answer").expect_err("it is gone").to_string();
        assert!(error.contains("was dropped"), "{error}");
    });
}

const UP: &[&str] = &["DOC.MIGRATE", "p", "TO", "1"];
const DOWN: &[&str] = &["DOC.MIGRATE", "p", "TO", "0"];
const ALTER: &[&str] = &["DOC.ALTER", "p", "ADD", "FIELD", "m", "int", "INDEX", "SORTED"];

#[test]
fn a_declaration_is_built_beside_it_and_an_emptied_collection_is_done() {
    let server = Server::start();
    let mut c = server.resp3();
    fill(&mut c);
    let waiting = |words: &'static [&'static str]| {
        let mut other = server.resp3();
        move || other.try_call(words)
    };
    c.call(&["CONFIG", "SET", "folio.build-slice-us", "0"]);
    thread::scope(|scope| {
        let migration = scope.spawn(waiting(UP));
        wait_until("it is in force", || ahead(&mut c) == MANY as u64);
        let declaration = scope.spawn(waiting(ALTER));
        wait_until("it is begun", || c.info_number("folio", "folio_builds") == 1);
        let error = c.error(&["DOC.MIGRATE", "p", "TO", "0"]);
        assert!(error.starts_with("BUILDING "), "{error}");
        c.call(&["CONFIG", "SET", "folio.build-slice-us", "1000"]);
        assert_eq!(declaration.join().expect("an answer"), Ok(Value::Okay));
        assert_eq!(migration.join().expect("an answer"), Ok(Value::Okay));
    });
    expect_all_up(&mut c);
    c.call(&["CONFIG", "SET", "folio.build-slice-us", "0"]);
    thread::scope(|scope| {
        let first = scope.spawn(waiting(DOWN));
        wait_until("it is in force", || ahead(&mut c) == MANY as u64);
        // Who waits for one way is told when another is gone.
        let second = scope.spawn(waiting(UP));
        let error = first.join().expect("an answer").expect_err("it is given up").to_string();
        assert!(error.contains("another way"), "{error}");
        assert_eq!(second.join().expect("an answer"), Ok(Value::Okay));
        let third = scope.spawn(waiting(DOWN));
        wait_until("it is in force", || ahead(&mut c) == MANY as u64);
        c.call(&["FLUSHALL"]);
        assert_eq!(third.join().expect("an answer"), Ok(Value::Okay));
    });
}
