//! MOVE and COPY into another database: the client, the replicas and the append-only file stay in theirs.

use std::time::Duration;

use folio_tests::{Client, Options};
use redis::Value;

/// Every key with its database.
fn keys(c: &mut Client) -> Vec<String> {
    let mut found = Vec::new();
    for db in ["0", "1", "2"] {
        c.call(&["SELECT", db]);
        let mut keys = c.texts(&["KEYS", "*"]);
        keys.sort();
        found.extend(keys.into_iter().map(|key| format!("{db} {key}")));
        assert_eq!(c.call(&["DOC.VERIFY", "t"]), Value::Array(vec![]));
    }
    c.call(&["SELECT", "0"]);
    found
}

/// A key of database 2 lapses, and a copy comes over it, of a document in a collection or of one in none. The server tells of
/// both.
fn copy_over_lapsed(c: &mut Client, n: usize, over: &str) {
    let (lapsed, first, after) =
        (format!("t:lapsed{n}"), format!("t:first{n}"), format!("t:behind{n}"));
    c.call(&["SELECT", "2"]);
    c.call(&["DOC.SET", &lapsed, "{}", "PX", "1"]);
    c.call(&["SELECT", "0"]);
    c.call(&["DOC.SET", &first, "{}"]);
    c.call(&["RENAME", &first, over]);
    std::thread::sleep(Duration::from_millis(5));
    assert_eq!(c.int(&["COPY", over, &lapsed, "DB", "2", "REPLACE"]), 1);
    c.call(&["DOC.SET", &after, "{}"]);
}

/// One after the other, as a transaction, and in a script.
fn moves(c: &mut Client, n: usize, is_in_script: bool) {
    let key = |name: &str| format!("t:{name}{n}");
    let (moved, text, copied, after) = (key("moved"), key("text"), key("copied"), key("after"));
    for command in [
        vec!["DOC.SET", &moved, "{}"],
        vec!["SET", &text, "x"],
        vec!["DOC.SET", &copied, "{}"],
        vec!["MOVE", &moved, "1"],
        vec!["MOVE", &text, "1"],
        vec!["COPY", &copied, &copied, "DB", "2"],
        vec!["DOC.SET", &after, "{}"],
    ] {
        if is_in_script {
            let script = "return redis.call(unpack(ARGV))";
            c.call(&[&["EVAL", script, "0"], &command[..]].concat());
        } else {
            c.call(&command);
        }
    }
}

#[test]
fn a_client_stays_in_its_database() {
    for preamble in ["yes", "no"] {
        let options = Options::new().appendonly().config("aof-use-rdb-preamble", preamble);
        let mut server = options.start();
        let replica = Options::new().start();
        let port = server.url().rsplit(':').next().unwrap_or_default().to_owned();
        replica.resp2().call(&["REPLICAOF", "127.0.0.1", &port]);
        let mut c = server.resp2();
        c.call(&["DEBUG", "SET-ACTIVE-EXPIRE", "0"]);
        for (n, over) in (1..).zip(["t:over1", "t:over2", "stray"]) {
            copy_over_lapsed(&mut c, n, over);
        }
        moves(&mut c, 1, false);
        c.call(&["MULTI"]);
        moves(&mut c, 2, false);
        c.call(&["EXEC"]);
        moves(&mut c, 3, true);
        if server.version().copies_stray() {
            println!("{}: no COPY of text into another database", server.version());
        } else {
            c.call(&["SET", "plain", "x"]);
            c.call(&["COPY", "plain", "plain", "DB", "2"]);
            c.call(&["DOC.SET", "t:last", "{}"]);
        }
        let there = keys(&mut c);
        let has = |key: &str| there.iter().any(|there| there == key);
        assert!(has("0 t:over1") && has("0 t:over2") && has("0 stray"), "{there:?}");
        for n in 1..=3 {
            for (db, name) in [
                (1, "moved"),
                (1, "text"),
                (0, "copied"),
                (2, "copied"),
                (0, "after"),
                (2, "lapsed"),
                (0, "behind"),
            ] {
                assert!(has(&format!("{db} t:{name}{n}")), "{db} t:{name}{n} of {there:?}");
            }
        }
        assert_eq!(c.int(&["WAIT", "1", "20000"]), 1);
        assert_eq!(keys(&mut replica.resp2()), there, "on the replica");
        server.kill();
        server.start_again();
        assert_eq!(keys(&mut server.resp2()), there, "preamble {preamble}");
    }
}
