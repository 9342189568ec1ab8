//! No memory left, and nothing may be evicted: writes are refused with OOM and change nothing, deletions work, and
//! afterwards writes do again.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use folio_tests::replica::{follow, in_sync};
use folio_tests::reply::{list, text};
use folio_tests::{Options, Server, users};
use redis::Value;

use crate::{declare_users, rest, send, set};

const DOCUMENTS: u64 = 1_000;
const NEW_KEY: &str = "users:new";

/// One of each command that takes memory, in order but for that.
fn writes() -> Vec<Vec<&'static str>> {
    vec![
        vec!["DOC.SET", NEW_KEY, r#"{"age":30}"#],
        vec!["DOC.SET", "users:1", r#"{"age":30}"#],
        vec!["DOC.SET", "open:1", "{}"],
        vec!["DOC.INSERT", "users", r#"{"age":30}"#, "ID", "inserted"],
        vec!["DOC.UNDELETE", "users:1"],
        vec!["DOC.UPDATE", "users:1", "INCR", "age", "1"],
        vec!["DOC.UPDATE", "users:1", "UNSET", "bio"],
        vec!["DOC.MSET", NEW_KEY, r#"{"age":30}"#, "users:1", r#"{"age":31}"#],
        vec!["DOC.MSETNX", "users:newer", r#"{"age":30}"#],
        vec!["DOC.UPDATEMANY", "users", "WHERE", "age > 17", "LIMIT", "9", "INCR", "age", "1"],
        vec!["DOC.CLAIM", "users", "WHERE", "age > 17", "INCR", "age", "1"],
        vec!["DOC.TXN", "users:1", r#"[{"op":"update","key":"users:1","ops":[["INCR","age",1]]}]"#],
        vec!["DOC.FUNCTION", "LOAD", "REPLACE", "one", "return {age = 1}"],
        vec!["DOC.CALL", "users:1", "one"],
        vec!["DOC.FUNCTION", "RESTORE", "[]"],
        vec!["DOC.CREATE", "others", "FIELD", "n", "int", "INDEX", "SORTED"],
        vec!["DOC.ALTER", "others", "ADD", "FIELD", "more", "int", "INDEX", "SORTED"],
        vec!["DOC.MIGRATE", "others", "TO", "0"],
        vec!["DOC._APPLY", "users:applied", "5000", "5000", "0", "0", "-1", "{}"],
        vec!["DOC._STATE", r#"{"floor":{"version":0,"seq":0},"collections":[]}"#],
    ]
}

/// Those that only give memory back.
const DELETIONS: [&str; 4] = ["DOC.DEL", "DOC.DELETEMANY", "DOC.DROP", "DOC.FUNCTION|DELETE"];

fn files(folder: &Path) -> Vec<(String, u64)> {
    let entries = fs::read_dir(folder).expect("the append-only files are there").flatten();
    let size = |entry: &fs::DirEntry| entry.metadata().map_or(0, |data| data.len());
    let mut files: Vec<_> = entries
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), size(&entry)))
        .collect();
    files.sort();
    files
}

/// All that a refused write must leave as it is.
#[derive(Debug, PartialEq)]
struct Picture {
    digest: String,
    keys: i64,
    counts: Vec<i64>,
    collections: Vec<String>,
    info: Vec<String>,
    log: Vec<(String, u64)>,
}

fn picture(server: &Server) -> Picture {
    let mut c = server.resp2();
    for collection in c.texts(&["DOC.LIST"]) {
        assert_eq!(c.call(&["DOC.VERIFY", &collection]), Value::Array(vec![]));
    }
    let counts = ["age>=18", "age=30", "email='user.0000001@example.com'"]
        .map(|filter| c.int(&["DOC.COUNT", "users", "WHERE", filter]));
    let lines = list(c.call(&["DOC.INFO", "users"]));
    Picture {
        digest: c.text(&["DEBUG", "DIGEST"]).unwrap_or_default(),
        keys: c.int(&["DBSIZE"]),
        counts: counts.into(),
        collections: c.texts(&["DOC.LIST"]),
        info: lines.iter().map(|line| format!("{line:?}")).collect(),
        log: files(&server.folder().join("appendonlydir")),
    }
}

/// Sends a command alone, in a transaction and in a script; each is refused for want of memory.
fn is_refused(server: &Server, command: &[&str]) {
    let mut c = server.resp2();
    let error = c.error(command);
    assert!(error.starts_with("OOM "), "{command:?}: {error}");

    c.call(&["MULTI"]);
    let error = c.error(command);
    assert!(error.starts_with("OOM "), "{command:?} in MULTI: {error}");
    let error = c.error(&["EXEC"]);
    assert!(error.starts_with("EXECABORT "), "{command:?} in MULTI: {error}");

    let script = "return redis.call(unpack(ARGV))";
    let error = c.error(&[&["EVAL", script, "1", command[1]], command].concat());
    assert!(error.starts_with("OOM "), "{command:?} in EVAL: {error}");
    let caught = "local answer = redis.pcall(unpack(ARGV)) return answer.err or 'done'";
    let answer = c.text(&[&["EVAL", caught, "1", command[1]], command].concat());
    let answer = answer.unwrap_or_default();
    assert!(answer.starts_with("OOM "), "{command:?} in EVAL: {answer}");
}

#[test]
fn every_write_is_refused_and_changes_nothing() {
    let server = Options::new().appendonly().config("repl-diskless-sync-delay", "0").start();
    let replica = Server::start();
    let mut c = server.resp2();
    declare_users(&mut c);
    send(&server, (0..DOCUMENTS).map(|n| set(users::key(n), users::json(n))));
    let mut r = replica.resp2();
    follow(&replica, &server);
    in_sync(&server, &replica);

    c.call(&["CONFIG", "SET", "maxmemory", "1"]);
    let before = picture(&server);
    for command in writes() {
        is_refused(&server, &command);
        assert_eq!(picture(&server), before, "{command:?}");
    }
    in_sync(&server, &replica);
    assert_eq!(r.text(&["DEBUG", "DIGEST"]).unwrap_or_default(), before.digest);
    assert_eq!(r.call(&["DOC.VERIFY", "users"]), Value::Array(vec![]));

    // Reading and deleting need none.
    assert_eq!(c.json(&["DOC.GET", "users:1", "age"]), c.json(&["DOC.GET", "users:1", "age"]));
    assert_eq!(c.int(&["DOC.DEL", "users:1", "users:2"]), 2);
    assert_eq!(c.int(&["DEL", "users:3"]), 1);
    // (A queue of commands takes memory: in MULTI the server refuses anything, its own DEL too.)
    for (command, n) in [("DOC.DEL", 4), ("DEL", 5)] {
        let script = format!("return redis.call('{command}', KEYS[1])");
        assert_eq!(c.int(&["EVAL", &script, "1", &users::key(n)]), 1);
    }
    assert_eq!(c.int(&["DOC.COUNT", "users"]), DOCUMENTS as i64 - 5);
    c.call(&["DOC.DROP", "users"]);

    c.call(&["CONFIG", "SET", "maxmemory", "0"]);
    for command in writes() {
        c.call(&command);
    }
    in_sync(&server, &replica);
    assert_eq!(c.text(&["DEBUG", "DIGEST"]), r.text(&["DEBUG", "DIGEST"]));
    assert_eq!(c.call(&["DOC.VERIFY", "users"]), Value::Array(vec![]));
}

#[test]
fn the_list_of_writes_is_complete() {
    let server = Server::start();
    let mut c = server.resp2();
    let name = |command: &Vec<&str>| match command[0] {
        family @ "DOC.FUNCTION" => format!("{family}|{}", command[1]),
        name => name.to_owned(),
    };
    let named = writes().iter().map(name).chain(DELETIONS.map(str::to_owned)).collect::<Vec<_>>();
    let named: BTreeSet<String> = named.iter().map(|name| name.to_lowercase()).collect();
    let mut found = BTreeSet::new();
    for command in c.texts(&["COMMAND", "LIST", "FILTERBY", "MODULE", "folio"]) {
        let about = list(c.call(&["COMMAND", "INFO", &command])).remove(0);
        let flags: Vec<String> = list(list(about)[2].clone()).iter().map(text).collect();
        let has = |flag: &str| flags.iter().any(|held| held == flag);
        if has("write") {
            let deletes = DELETIONS.iter().any(|name| name.eq_ignore_ascii_case(&command));
            assert_eq!(has("denyoom"), !deletes, "{command}");
            found.insert(command.to_lowercase());
        }
    }
    assert_eq!(found, named);
}

#[test]
fn a_server_that_fills_up_goes_on_when_there_is_room() {
    let server = Server::start();
    let mut c = server.resp2();
    declare_users(&mut c);
    let limit = rest(&mut c, |_| true) + 2_000_000;
    c.call(&["CONFIG", "SET", "maxmemory", &limit.to_string()]);
    let mut written = 0;
    while c.try_call(&["DOC.SET", &users::key(written), &users::json(written)]).is_ok() {
        written += 1;
    }
    assert!(written > 1_000, "{written} documents fit into two million bytes");
    assert_eq!(c.int(&["DOC.COUNT", "users"]), written as i64);
    let error = c.error(&["DOC.UPDATE", "users:0", "INCR", "age", "1"]);
    assert!(error.starts_with("OOM "), "{error}");
    for n in 0..written / 2 {
        assert_eq!(c.int(&["DEL", &users::key(n)]), 1);
    }
    rest(&mut c, |used| used < limit);
    assert!(c.info_number("memory", "used_memory") < limit);
    for n in 0..written / 4 {
        c.call(&["DOC.SET", &users::key(n), &users::json(n)]);
    }
    assert_eq!(c.call(&["DOC.VERIFY", "users"]), Value::Array(vec![]));
}
