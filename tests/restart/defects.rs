//! A panic in the middle of a write: the server lives, nothing has changed, indexes agree with the documents.
//!
//! It takes a module that is built with the feature `planted-faults`, which `FOLIO_MODULE_FAULTY` names; `cargo xtask test`
//! builds it.

use folio_tests::planted::faulty;
use folio_tests::{Client, Options};
use redis::Value;

use super::{answers, fill};

fn counted(c: &mut Client, field: &str) -> i64 {
    c.info_number("folio", &format!("folio_{field}"))
}

#[test]
fn a_panic_past_the_point_of_no_return_changes_nothing() {
    let mut server = faulty(Options::new().appendonly()).start();
    let mut c = server.resp3();
    fill(&mut c);
    c.call(&["RENAME", "t:20", "stray"]);
    c.call(&["CONFIG", "SET", "folio.depth-max", "17"]);
    let before = answers(&mut c);
    let mut panics = 0;
    for place in ["INSIDE", "BEFORE"] {
        for key in ["t:7", "t:fresh", "open:1", "founded:1"] {
            let error = c.error(&["DOC._PANIC", place, key, r#"{"n":777,"tags":["no"]}"#]);
            assert!(error.starts_with("INTERNAL "), "{error}");
            panics += 1;
            assert_eq!(answers(&mut c), before, "{place} {key}");
            assert_eq!(counted(&mut c, "rebuilds"), panics);
            assert_eq!(counted(&mut c, "caught_panics"), panics);
        }
    }
    // Redis's own commands may come before the rebuilding.
    for place in ["INSIDE", "BEFORE"] {
        c.error(&["DOC._PANIC", place, "t:8", r#"{"n":778}"#]);
        c.call(&["RENAME", "t:8", &format!("t:{place}")]);
        c.call(&["COPY", "t:9", "t:8"]);
        c.call(&["DEL", "t:10"]);
        c.call(&["PEXPIRE", "t:11", "600000"]);
        assert_eq!(c.call(&["DOC.VERIFY", "t"]), Value::Array(vec![]));
        assert_eq!(c.int(&["DOC.COUNT", "t", "WHERE", "n = 777 OR n = 778"]), 0);
        assert_eq!(c.keys(&["DOC.FIND", "t", "WHERE", "n = 9", "LIMIT", "0", "1"]), ["t:9"]);
        assert_eq!(c.map(&["DOC.INFO", "t"])["with_ttl"], Value::Int(2));
    }
    assert_eq!(c.int(&["DOC.COUNT", "t"]), 199);
    assert!(c.text(&["DOC.GET", "stray"]).is_some());
    assert_eq!(c.call(&["CONFIG", "GET", "folio.depth-max"]), {
        let pair = ("folio.depth-max", "17");
        Value::Map(vec![(text(pair.0), text(pair.1))])
    });
    let last = answers(&mut c);
    server.kill();
    server.start_again();
    assert_eq!(answers(&mut server.resp3()), last, "the file has nothing of what failed");
}

/// A command, and whether it is Redis's own: such a one is carried out, whatever becomes of the indexes.
const WRITES: [(&str, bool); 10] = [
    (r#"DOC.SET t:fresh {"n":777,"tags":["a","b","c"]}"#, false),
    (r#"DOC.SET t:7 {"n":778,"tags":["x","y"]} PX 600000"#, false),
    (r#"DOC.UPDATE t:8 SET tags ["z"] INCR n 1"#, false),
    (r#"DOC.SET founded:1 {"n":1}"#, false),
    ("DOC.DEL t:9", true),
    ("DEL t:10", true),
    ("UNLINK t:11", true),
    ("RENAME t:12 t:twelve", true),
    ("COPY t:13 t:thirteen", true),
    ("SET t:14 text", true),
];

/// Steps of the longest of these writes, at least.
const STEPS_LEAST: u64 = 5;
const STEPS_MOST: u64 = 100;

#[test]
fn a_panic_at_any_step_of_a_write_leaves_no_trace() {
    let server = faulty(Options::new()).start();
    let mut c = server.resp3();
    let mut longest = 0;
    for (write, is_native) in WRITES {
        let words: Vec<&str> = write.split(' ').collect();
        for step in 1.. {
            assert!(step < STEPS_MOST, "{write} has no end");
            c.call(&["FLUSHALL"]);
            for name in c.texts(&["DOC.LIST"]) {
                c.call(&["DOC.DROP", &name]);
            }
            fill(&mut c);
            let before = answers(&mut c);
            let panics = counted(&mut c, "caught_panics");
            c.call(&["DOC._PANIC", "AT", &step.to_string()]);
            let reply = c.try_call(&words);
            if counted(&mut c, "caught_panics") == panics {
                assert!(reply.is_ok(), "{write}: {reply:?}");
                assert_ne!(answers(&mut c), before, "{write} was carried out");
                c.call(&["DOC._PANIC", "AT", "0"]);
                longest = longest.max(step - 1);
                break;
            }
            for collection in ["t", "open"] {
                let faults = c.call(&["DOC.VERIFY", collection]);
                assert_eq!(faults, Value::Array(vec![]), "{write}, step {step}");
            }
            if !is_native {
                let error = reply.expect_err("a write that is not finished is refused");
                assert_eq!(error.code(), Some("INTERNAL"), "{error}");
                assert_eq!(answers(&mut c), before, "{write}, step {step}");
            }
        }
    }
    println!("{} writes, up to {longest} steps", WRITES.len());
    assert!(longest >= STEPS_LEAST, "{longest} steps");
}

fn text(text: &str) -> Value {
    Value::BulkString(text.as_bytes().to_vec())
}

#[test]
fn a_panic_in_a_migration_stops_it_at_its_document() {
    let server = faulty(Options::new()).start();
    let mut c = server.resp3();
    c.call(&["DOC.FUNCTION", "LOAD", "up", "return {n = doc.n + 1}"]);
    for key in ["m:1", "m:2"] {
        c.call(&["DOC.SET", key, r#"{"n":1}"#]);
    }
    c.call(&["DOC.CREATE", "m", "FIELD", "n", "int", "INDEX", "SET", "MIGRATION", "1", "UP", "up"]);
    c.call(&["DOC._PANIC", "AT", "1"]);
    let error = c.error(&["DOC.MIGRATE", "m", "TO", "1"]);
    assert_eq!(error, "INTERNAL document 'm:1': a defect of Folio, see the server's log");
    assert_eq!(counted(&mut c, "caught_panics"), 1);
    assert_eq!(counted(&mut c, "migrations_pending"), 2);
    assert_eq!(c.int(&["DOC.COUNT", "m", "WHERE", "n = 1"]), 2);
    assert_eq!(c.call(&["DOC.VERIFY", "m"]), Value::Array(vec![]));
    // It is not tried again and again.
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(counted(&mut c, "caught_panics"), 1);
    c.call(&["DOC.MIGRATE", "m", "TO", "1"]);
    assert_eq!(c.int(&["DOC.COUNT", "m", "WHERE", "n = 2"]), 2);
    assert_eq!(counted(&mut c, "migrations_pending"), 0);
    assert_eq!(c.call(&["DOC.VERIFY", "m"]), Value::Array(vec![]));
}
