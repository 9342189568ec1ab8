//! What a restart must survive although a user meant no good, or time went by.

use std::thread::sleep;
use std::time::Duration;

use folio_tests::{Options, Server};
use redis::Value;

#[test]
fn the_longest_collection_name_loads_and_a_longer_one_is_refused() {
    let mut server = Server::start();
    let mut c = server.resp2();
    c.call(&["DOC.SET", &format!("{}:1", "x".repeat(511)), "{}"]);
    let error = c.error(&["DOC.SET", &format!("{}:1", "x".repeat(512)), "{}"]);
    assert!(error.starts_with("KEY ") && error.contains("511 bytes"), "{error}");
    server.restart();
    assert_eq!(server.resp2().int(&["DBSIZE"]), 1);
}

#[test]
fn a_version_from_nowhere_does_not_stop_later_writes_from_loading() {
    let mut server = Options::new().appendonly().start();
    let mut c = server.resp2();
    c.call(&["DOC._APPLY", "a:1", "9007199254740992", "1", "0", "0", "-1", "{}"]);
    c.error(&["DOC._APPLY", "a:1", "9007199254740993", "1", "0", "0", "-1", r#"{"n":1}"#]);
    let version = c.int(&["DOC.SET", "a:2", "{}"]);
    assert!(version > 9_007_199_254_740_992);
    server.restart_without_saving();
    assert_eq!(server.resp2().int(&["DOC.COUNT", "a"]), 2);
}

#[test]
fn a_lapsed_document_does_not_come_back_with_a_key_of_the_same_name() {
    let mut server = Server::start();
    let mut c = server.resp2();
    c.call(&["DOC.CREATE", "a", "FIELD", "v", "int", "UNIQUE"]);
    c.call(&["DOC.SET", "a:1", r#"{"v":1}"#, "PX", "200"]);
    c.call(&["SELECT", "1"]);
    c.call(&["SET", "a:1", "text"]);
    c.call(&["SELECT", "0"]);
    c.call(&["DEBUG", "SET-ACTIVE-EXPIRE", "0"]);
    c.call(&["SAVE"]);
    sleep(Duration::from_millis(250));
    server.restart_without_saving();
    let mut c = server.resp2();
    assert_eq!(c.int(&["DOC.COUNT", "a"]), 0);
    c.call(&["DOC.SET", "a:2", r#"{"v":1}"#]);
    assert_eq!(c.call(&["DOC.VERIFY", "a"]), Value::Array(vec![]));
}

#[test]
fn an_open_collection_whose_documents_lapsed_is_gone_after_a_restart() {
    let mut server = Server::start();
    let mut c = server.resp2();
    c.call(&["DOC.SET", "ghost:1", "{}", "PX", "200"]);
    c.call(&["DEBUG", "SET-ACTIVE-EXPIRE", "0"]);
    c.call(&["SAVE"]);
    sleep(Duration::from_millis(250));
    server.restart_without_saving();
    server.resp2().call(&["DOC.CREATE", "ghost", "PREFIX", "other:"]);
}

#[test]
fn versions_go_on_after_a_flush_in_the_append_only_file() {
    for flush in [&["FLUSHALL"][..], &["FLUSHDB"], &["FLUSHALL", "ASYNC"]] {
        let mut server = Options::new().appendonly().start();
        let mut c = server.resp2();
        for n in 1..4 {
            c.call(&["DOC.SET", &format!("a:{n}"), "{}"]);
        }
        c.call(flush);
        server.restart_without_saving();
        assert_eq!(server.resp2().int(&["DOC.SET", "a:1", r#"{"n":1}"#]), 4, "{flush:?}");
    }
}

#[test]
fn a_document_under_a_key_of_no_collection_comes_home_with_the_definitions_of_the_log() {
    const STATE: &str = r#"{"floor":{"version":9,"seq":9},"collections":[{"declared":true,
        "version":9,"seq":9,"definition":{"collection":"xs","prefix":"x","fields":[]}}]}"#;
    for preamble in ["yes", "no"] {
        let options = Options::new().config("aof-use-rdb-preamble", preamble);
        let mut server = options.appendonly().start();
        let mut c = server.resp2();
        c.call(&["DOC.SET", "a:1", "{}", "EX", "1000"]);
        c.call(&["RENAME", "a:1", "x1"]);
        super::rewrite_only(&mut c);
        c.call(&["DOC._STATE", STATE]);
        let digest = |server: &Server| server.resp2().call(&["DOC.VERIFY", "xs", "DIGEST"]);
        let before = digest(&server);
        assert_eq!(server.resp2().int(&["DOC.COUNT", "xs"]), 1);
        server.restart_without_saving();
        let mut c = server.resp2();
        assert_eq!(c.int(&["DOC.COUNT", "xs"]), 1, "preamble {preamble}");
        assert_eq!(c.call(&["DOC.VERIFY", "xs"]), Value::Array(vec![]));
        assert_eq!(digest(&server), before, "preamble {preamble}");
    }
}
