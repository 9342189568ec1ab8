//! What a restart keeps: documents, definitions, versions, birth order, TTLs, answers.

#![forbid(unsafe_code)]

mod databases;
mod defects;
mod edges;
mod eviction;
mod indexes;
mod kept;
mod large;
mod memory;
mod online;
mod sequence;

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

fn wait_for_rewrite(c: &mut Client) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let busy = |info: &str| {
        info.contains("aof_rewrite_in_progress:1") || info.contains("aof_rewrite_scheduled:1")
    };
    while busy(&c.text(&["INFO", "persistence"]).unwrap_or_default()) {
        assert!(std::time::Instant::now() < deadline, "the rewrite does not end");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

fn rewrite_only(c: &mut Client) {
    c.call(&["BGREWRITEAOF"]);
    wait_for_rewrite(c);
}

fn rewrite(server: &mut Server) {
    rewrite_only(&mut server.resp2());
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

/// A rewrite with nothing to write but what no key tells: definitions, empty collections, counters.
fn rewritten_without_documents(preamble: &str, is_paused: bool) {
    let options = Options::new().appendonly().config("aof-use-rdb-preamble", preamble);
    let mut server = options.start();
    let mut c = server.resp3();
    c.call(CREATE);
    c.call(&["DOC.CREATE", "empty", "MODE", "STRICT"]);
    c.call(&["DOC.SET", "gone:1", "{}"]);
    let last = c.int(&["DOC.SET", "t:last", r#"{"n":1}"#]);
    c.call(&["DOC.DEL", "t:last", "gone:1"]);
    c.call(&["SELECT", "3"]);
    c.call(&["DOC.CREATE", "three", "FIELD", "a", "int", "UNIQUE"]);
    c.call(&["SELECT", "0"]);
    if is_paused {
        c.call(&["CLIENT", "PAUSE", "300", "WRITE"]);
    }
    for _ in 0..2 {
        rewrite_only(&mut c);
    }
    if is_paused {
        c.call(&["CLIENT", "UNPAUSE"]);
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let names = c.texts(&["DOC.LIST"]);
    for _ in 0..2 {
        server.kill();
        server.start_again();
        let mut c = server.resp3();
        assert_eq!(c.texts(&["DOC.LIST"]), names);
        assert_eq!(names, ["empty", "t"]);
        assert!(c.error(&["DOC.SET", "t:bad", r#"{"n":"text"}"#]).starts_with("SCHEMA "));
        c.call(&["SELECT", "3"]);
        assert_eq!(c.texts(&["DOC.LIST"]), ["three"]);
        rewrite_only(&mut c);
    }
    let mut c = server.resp3();
    assert!(c.int(&["DOC.SET", "t:next", "{}"]) > last);
    assert!(
        c.int(&["DOC.SET", "gone:2", "{}"]) > 1,
        "the counters of open collections are kept too"
    );
}

#[test]
fn a_rewrite_without_documents_keeps_definitions_and_counters() {
    rewritten_without_documents("yes", false);
    rewritten_without_documents("no", false);
}

#[test]
fn a_rewrite_during_a_pause_keeps_them_too() {
    rewritten_without_documents("no", true);
}

#[test]
fn an_append_only_file_begun_while_running_keeps_everything() {
    for preamble in ["yes", "no"] {
        let options = Options::new().appendonly().config("aof-use-rdb-preamble", preamble);
        let mut server = options.start();
        let mut c = server.resp3();
        c.call(&["CONFIG", "SET", "appendonly", "no"]);
        fill(&mut c);
        c.call(&["DOC.CREATE", "empty"]);
        c.call(&["CONFIG", "SET", "appendonly", "yes"]);
        wait_for_rewrite(&mut c);
        let before = answers(&mut c);
        server.kill();
        server.start_again();
        for (after, before) in answers(&mut server.resp3()).into_iter().zip(before) {
            assert_eq!(after, before);
        }
        assert_eq!(server.resp3().texts(&["DOC.LIST"]), ["empty", "open", "t"]);
    }
}

#[test]
fn a_rewrite_under_load_loses_nothing() {
    for preamble in ["yes", "no"] {
        let options = Options::new().appendonly().config("aof-use-rdb-preamble", preamble);
        let mut server = options.config("rdb-key-save-delay", "300").start();
        let mut c = server.resp3();
        fill(&mut c);
        for round in 0..4 {
            c.call(&["BGREWRITEAOF"]);
            for n in 0..150 {
                let key = format!("t:{n}");
                c.call(&["DOC.SET", &key, &format!(r#"{{"n":{round},"tags":["t{n}"]}}"#)]);
                match n % 10 {
                    0 => c.call(&[
                        "DOC.CREATE",
                        &format!("new{round}"),
                        "FIELD",
                        "n",
                        "int",
                        "INDEX",
                        "SET",
                    ]),
                    1 => {
                        c.call(&["DOC.SET", &format!("new{round}:{n}"), r#"{"n":1}"#, "EX", "900"])
                    }
                    2 => c.call(&["RENAME", &key, &format!("new{round}:{n}")]),
                    3 => c.call(&["DOC.DEL", &key]),
                    4 => c.call(&["PEXPIRE", &key, "800000"]),
                    5 => c.call(&["COPY", &key, &format!("open:{round}-{n}")]),
                    6 if n == 136 => c.call(&["DOC.DROP", &format!("new{round}")]),
                    _ => Value::Nil,
                };
            }
            wait_for_rewrite(&mut c);
        }
        let mut before = answers(&mut c);
        before.push((String::new(), c.call(&["DOC.LIST"])));
        server.kill();
        server.start_again();
        let mut c = server.resp3();
        let mut after = answers(&mut c);
        after.push((String::new(), c.call(&["DOC.LIST"])));
        for (after, before) in after.into_iter().zip(before) {
            assert_eq!(after, before, "preamble {preamble}");
        }
    }
}

const SMALL_TEXT: &str = r#"{"n":1,"tags":["a","b"],"deep":{"x":[1.50,null]}}"#;

/// An RDB file with one document of each kind of trouble, as bytes.
fn small_file() -> (Server, Vec<u8>) {
    let server = Options::new().config("rdbcompression", "no").start();
    let mut c = server.resp3();
    c.call(CREATE);
    c.call(&["DOC.UPDATE", "t:1", "UPSERT", "MERGE", SMALL_TEXT, "TTL", "deep.x", "5000"]);
    c.call(&["DOC.SET", "t:2", r#"{"n":2}"#, "EX", "5000"]);
    c.call(&["DOC.SET", "open:1", "{}"]);
    c.call(&["SELECT", "3"]);
    c.call(&["DOC.SET", "t:1", "{}"]);
    c.call(&["SAVE"]);
    let file = std::fs::read(server.folder().join("dump.rdb")).expect("a save leaves a file");
    (server, file)
}

#[test]
fn a_file_that_ends_early_is_refused_whole_or_read_whole() {
    let (mut server, file) = small_file();
    let whole = answers(&mut server.resp3());
    // A container takes a third of a second to start.
    let step = if server.is_in_container() { 29 } else { 1 };
    println!("every length of {} bytes, by {step}", file.len());
    server.kill();
    let mut taken = 0;
    for length in (0..file.len()).step_by(step) {
        std::fs::write(server.folder().join("dump.rdb"), &file[..length]).expect("own file");
        // A server that refuses its file ends before it answers.
        if server.try_start_again() {
            taken += 1;
            let mut c = server.resp3();
            for name in c.texts(&["DOC.LIST"]) {
                assert_eq!(c.call(&["DOC.VERIFY", &name]), Value::Array(vec![]));
            }
            server.kill();
        } else {
            let log = server.log();
            assert!(!log.contains("BUG REPORT") && !log.contains("a defect"), "{length}: {log}");
        }
    }
    // An empty file is a new server's.
    assert!(taken <= 1, "{taken} of {} short files were read", file.len());
    std::fs::write(server.folder().join("dump.rdb"), &file).expect("own file");
    server.start_again();
    assert_eq!(answers(&mut server.resp3()), whole);
}

#[test]
fn a_corrupted_payload_is_refused() {
    let (server, _) = small_file();
    let mut c = server.resp3();
    let Value::BulkString(payload) = c.call(&["DUMP", "t:1"]) else { panic!("no payload") };
    let before = c.texts(&["KEYS", "*"]).len();
    let mut refused = 0;
    for at in 0..payload.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut broken = payload.clone();
            broken[at] ^= flip;
            let restored = c.try_call(&[b"RESTORE", &b"t:new"[..], b"0", &broken]);
            refused += usize::from(restored.is_err());
        }
    }
    assert_eq!(refused, payload.len() * 3, "the checksum tells of any change");
    for length in 0..payload.len() {
        assert!(c.try_call(&[b"RESTORE", &b"t:new"[..], b"0", &payload[..length]]).is_err());
    }
    // Without the checksum Folio itself has to refuse what is no document.
    c.call(&["DEBUG", "SET-SKIP-CHECKSUM-VALIDATION", "1"]);
    let mut taken = 0;
    for at in 0..payload.len() - 10 {
        for flip in [0x01, 0x80, 0xff] {
            let mut broken = payload.clone();
            broken[at] ^= flip;
            if c.try_call(&[b"RESTORE", &b"t:new"[..], b"0", &broken]).is_ok() {
                assert_eq!(c.text(&["TYPE", "t:new"]).as_deref(), Some("folio-doc"), "{at} {flip}");
                assert!(c.json(&["DOC.GET", "t:new"]).is_object());
                assert_eq!(c.call(&["DOC.VERIFY", "t"]), Value::Array(vec![]));
                c.call(&["DEL", "t:new"]);
                taken += 1;
            }
        }
    }
    // A letter for another, a number for another: that is a document too.
    assert!(taken > 0 && taken < payload.len() * 3 / 2, "{taken}");
    assert_eq!(c.texts(&["KEYS", "*"]).len(), before);
    assert_eq!(c.call(&["DOC.VERIFY", "t"]), Value::Array(vec![]));
}
