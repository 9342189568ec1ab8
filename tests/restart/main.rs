//! What a restart keeps: documents, definitions, versions, birth order, TTLs, answers.

#![forbid(unsafe_code)]

mod edges;

use folio_tests::{Client, Options, Server};
use redis::Value;

const CREATE: &[&str] = &[
    "DOC.CREATE",
    "t",
    "PREFIX",
    "t:",
    "FIELD",
    "n",
    "int",
    "INDEX",
    "SORTED",
    "FIELD",
    "tags",
    "array<string>",
    "INDEX",
    "SET",
];

/// Documents that were written, changed, renamed, removed, given a TTL.
fn fill(c: &mut Client) {
    c.call(CREATE);
    for n in 0..200 {
        let document = format!(r#"{{"n":{},"tags":["t{}","x"]}}"#, n % 50, n % 7);
        c.call(&["DOC.SET", &format!("t:{n}"), &document]);
    }
    c.call(&["DOC.UPDATE", "t:3", "INCR", "n", "1000"]);
    c.call(&["RENAME", "t:4", "t:four"]);
    c.call(&["DEL", "t:5"]);
    c.call(&["PEXPIRE", "t:6", "600000"]);
    c.call(&["DOC.SET", "open:1", r#"{"free":1.10}"#]);
    c.call(&["SELECT", "3"]);
    c.call(&["DOC.SET", "t:1", r#"{"n":"another database"}"#]);
    c.call(&["SELECT", "0"]);
}

/// Everything that one can ask about them, with its answer.
fn answers(c: &mut Client) -> Vec<(String, Value)> {
    let questions = [
        "DOC.SCHEMA t",
        "DOC.FIND t WITHVERSION",
        "DOC.FIND t WITHVERSION ORDER 1 n DESC LIMIT 0 20",
        "DOC.FIND open WITHVERSION",
        "DOC.VERIFY t",
        "DOC.VERIFY open",
        "DOC.META t:3",
        "EXPIRETIME t:6",
        "DBSIZE",
        "DOC.COUNT t WHERE n>=10",
        "DOC.COUNT t WHERE tags[*]='t3'",
        "DOC.FIND t WHERE n=1003",
        "SELECT 3",
        "DOC.FIND t WITHVERSION",
        "SELECT 0",
    ];
    let ask = |question: &str| {
        let command: Vec<&str> = question.split(' ').collect();
        (question.to_owned(), c.call(&command))
    };
    questions.map(ask).into()
}

/// A new document is younger than all, and its version higher.
fn goes_on(c: &mut Client, before: i64) {
    let version = c.int(&["DOC.SET", "t:new", r#"{"n":1}"#]);
    assert!(version > before, "{version} is to follow {before}");
    assert_eq!(c.keys(&["DOC.FIND", "t"]).last().map(String::as_str), Some("t:new"));
    let error = c.error(&["DOC.SET", "t:bad", r#"{"n":"text"}"#]);
    assert!(error.starts_with("SCHEMA "), "{error}");
}

fn check(mut server: Server, restart: impl Fn(&mut Server)) {
    let mut c = server.resp3();
    fill(&mut c);
    // The document is gone, its version is not given again.
    let last = c.int(&["DOC.SET", "t:last", "{}"]);
    c.call(&["DOC.DEL", "t:last"]);
    let before = answers(&mut c);
    restart(&mut server);
    let mut c = server.resp3();
    for (after, before) in answers(&mut c).into_iter().zip(before) {
        assert_eq!(after, before);
    }
    goes_on(&mut c, last);
    restart(&mut server);
    assert_eq!(server.resp3().call(&["DOC.VERIFY", "t"]), Value::Array(vec![]));
}

#[test]
fn an_rdb_keeps_everything() {
    check(Server::start(), Server::restart);
}

#[test]
fn debug_reload_keeps_everything() {
    check(Server::start(), |server| {
        server.resp2().call(&["DEBUG", "RELOAD"]);
    });
}

#[test]
fn an_append_only_file_keeps_everything() {
    check(Options::new().appendonly().start(), Server::restart_without_saving);
}

#[test]
fn a_crash_loses_nothing_that_was_acknowledged() {
    check(Options::new().appendonly().start(), |server| {
        server.kill();
        server.start_again();
    });
}

fn rewrite(server: &mut Server) {
    let mut c = server.resp2();
    c.call(&["BGREWRITEAOF"]);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let busy = |info: &str| {
        info.contains("aof_rewrite_in_progress:1") || info.contains("aof_rewrite_scheduled:1")
    };
    while busy(&c.text(&["INFO", "persistence"]).unwrap_or_default()) {
        assert!(std::time::Instant::now() < deadline, "the rewrite does not end");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    server.restart_without_saving();
}

#[test]
fn a_rewritten_append_only_file_keeps_everything() {
    check(Options::new().appendonly().start(), rewrite);
}

#[test]
fn a_rewritten_append_only_file_of_commands_keeps_everything() {
    let options = Options::new().appendonly().config("aof-use-rdb-preamble", "no");
    check(options.start(), rewrite);
}
