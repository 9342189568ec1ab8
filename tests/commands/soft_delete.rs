//! DOC.DEL SOFT, DOC.UNDELETE, WITHDELETED.

use std::thread::sleep;
use std::time::Duration;

use folio_tests::replica::{follow, in_sync, wait_until};
use folio_tests::reply::int;
use folio_tests::{Client, Options, Server, over_both};
use redis::Value;

const ADA: &str = r#"{"email":"a@x","age":36}"#;
const ALAN: &str = r#"{"email":"b@x","age":41}"#;

/// Two users, the first of which is marked as deleted.
fn fill(c: &mut Client) {
    let age = ["FIELD", "age", "int", "INDEX", "SORTED"];
    c.call(&[&["DOC.CREATE", "users", "FIELD", "email", "string", "UNIQUE"], &age[..]].concat());
    c.call(&["DOC.MSET", "users:1", ADA, "users:2", ALAN]);
    assert_eq!(c.int(&["DOC.DEL", "users:1", "users:3", "SOFT"]), 1);
}

#[track_caller]
fn clean(c: &mut Client) {
    assert_eq!(c.call(&["DOC.VERIFY", "users"]), Value::Array(vec![]));
}

/// What WITHDELETED tells of a document.
fn meta(c: &mut Client, key: &str, name: &str) -> Value {
    c.map(&["DOC.META", key, "WITHDELETED"])[name].clone()
}

#[track_caller]
fn is_deleted(c: &mut Client, key: &str) -> bool {
    let (shown, all) = (["DOC.GET", key], ["DOC.GET", key, "WITHDELETED"]);
    assert!(c.text(&all).is_some(), "{key} is there");
    let deleted = meta(c, key, "deleted") != Value::Nil;
    assert_eq!(c.text(&shown).is_none(), deleted, "{key}");
    deleted
}

#[test]
fn a_deleted_document_is_absent_to_every_command_that_does_not_ask_for_it() {
    over_both(|c| {
        fill(c);
        assert_eq!(c.text(&["DOC.GET", "users:1"]), None);
        assert_eq!(c.call(&["DOC.META", "users:1"]), Value::Nil);
        let both = c.call(&["DOC.MGET", "users:1", "users:2", "PATHS", "1", "age"]);
        assert_eq!(both, Value::Array(vec![Value::Nil, Value::BulkString(b"41".to_vec())]));
        assert_eq!(c.keys(&["DOC.FIND", "users"]), ["users:2"]);
        assert_eq!(c.texts(&["DOC.KEYS", "users", "WHERE", "age > 1"]), ["users:2"]);
        assert_eq!(c.int(&["DOC.COUNT", "users"]), 1);
        assert_eq!(c.int(&["DOC.COUNT", "users", "WHERE", "age < 40"]), 0);
        assert_eq!(c.int(&["DOC.EXISTS", "users", "WHERE", "email = 'a@x'"]), 0);
        assert_eq!(c.texts(&["DOC.DISTINCT", "users", "age"]), ["41"]);
        let rows = c.map(&["DOC.AGGREGATE", "users", "REDUCE", "2", "count()", "sum(age)"]);
        let row = Value::BulkString(br#"{"count()":1,"sum(age)":41}"#.to_vec());
        assert_eq!(rows["results"], Value::Array(vec![row]));
        let absent = "NOTFOUND no document under 'users:1'";
        assert_eq!(c.error(&["DOC.UPDATE", "users:1", "INCR", "age", "1"]), absent);
        assert_eq!(
            c.call(&["DOC.UPDATE", "users:1", "IF", "age > 1", "INCR", "age", "1"]),
            Value::Nil
        );
        let many = ["WHERE", "age > 0", "INCR", "age", "0"];
        assert_eq!(
            c.map(&[&["DOC.UPDATEMANY", "users"], &many[..]].concat())["matched"],
            Value::Int(1)
        );
        let claimed = c.keys(&[&["DOC.CLAIM", "users"], &many[..], &["LIMIT", "9"]].concat());
        assert_eq!(claimed, ["users:2"]);
        let check = r#"[{"op":"check","key":"users:1","exists":true}]"#;
        assert!(c.error(&["DOC.TXN", "users:1", check]).starts_with("CHECK"));
        assert_eq!(c.call(&["DOC.SET", "users:1", "{}", "XX"]), Value::Nil);
        assert_eq!(c.int(&["DOC.DEL", "users:1"]), 0);
        assert_eq!(c.int(&["DOC.DEL", "users:1", "SOFT"]), 0);
        let gone = r#"[{"op":"del","key":"users:1"}]"#;
        assert_eq!(c.call(&["DOC.TXN", "users:1", gone]), Value::Array(vec![Value::Int(0)]));
        let matched = c.map(&["DOC.DELETEMANY", "users", "WHERE", "age < 40"]);
        assert_eq!(matched["matched"], Value::Int(0));
        // The key is there as any.
        assert_eq!(c.int(&["EXISTS", "users:1"]), 1);
        assert!(is_deleted(c, "users:1"));
        clean(c);
    });
}

#[test]
fn whoever_asks_for_deleted_documents_finds_them() {
    over_both(|c| {
        fill(c);
        let all = "WITHDELETED";
        assert_eq!(c.text(&["DOC.GET", "users:1", all]).as_deref(), Some(ADA));
        assert_eq!(c.text(&["DOC.GET", "users:1", "age", all]).as_deref(), Some("36"));
        let both = ["DOC.MGET", "users:1", "users:2", all, "PATHS", "1", "age"];
        assert_eq!(c.texts(&both), ["36", "41"]);
        assert_eq!(c.texts(&["DOC.MGET", "users:2", "users:1", all]), [ALAN, ADA]);
        assert_eq!(c.keys(&["DOC.FIND", "users", all]), ["users:1", "users:2"]);
        let trash = ["WHERE", "_deleted IS NOT MISSING", all];
        assert_eq!(c.texts(&[&["DOC.KEYS", "users"], &trash[..]].concat()), ["users:1"]);
        assert_eq!(c.int(&[&["DOC.COUNT", "users"], &trash[..]].concat()), 1);
        assert_eq!(c.int(&["DOC.COUNT", "users", "WHERE", "age < 40", all]), 1);
        assert_eq!(c.int(&["DOC.COUNT", "users", "WHERE", "_deleted <= now()", all]), 1);
        assert_eq!(c.int(&["DOC.COUNT", "users", "WHERE", "_deleted > now()", all]), 0);
        assert_eq!(c.int(&["DOC.EXISTS", "users", "WHERE", "email = 'a@x'", all]), 1);
        assert_eq!(c.texts(&["DOC.DISTINCT", "users", "age", all]), ["36", "41"]);
        let rows = c.map(&["DOC.AGGREGATE", "users", "REDUCE", "1", "sum(age)", all]);
        let row = Value::BulkString(br#"{"sum(age)":77}"#.to_vec());
        assert_eq!(rows["results"], Value::Array(vec![row]));
        let plan = c.texts(&["DOC.EXPLAIN", "users", "COUNT", "WHERE", "email = 'a@x'", all]);
        let why = "    the set index over email is unique: it has no deleted documents";
        assert!(plan.iter().any(|line| line == why), "{plan:?}");
        let plan = c.texts(&["DOC.PROFILE", "users", "FIND", "WHERE", "_deleted IS MISSING", all]);
        assert!(plan.iter().any(|line| line.contains("those marked as deleted (1)")), "{plan:?}");
        let page = c.map(&["DOC.FIND", "users", "LIMIT", "0", "1", all]);
        let cursor = folio_tests::reply::text(&page["cursor"]);
        assert_eq!(c.keys(&["DOC.FIND", "users", "AFTER", &cursor, all]), ["users:2"]);
        let other = c.error(&["DOC.FIND", "users", "AFTER", &cursor]);
        assert!(other.starts_with("CURSOR the cursor is of another query"), "{other}");
        let info = c.map(&["DOC.INFO", "users"]);
        assert_eq!((&info["documents"], &info["deleted"]), (&Value::Int(1), &Value::Int(1)));
        assert_eq!(meta(c, "users:1", "deleted"), meta(c, "users:1", "updated"));
        assert_eq!(meta(c, "users:2", "deleted"), Value::Nil);
        // A member of that name is asked for in back-quotes, or before another path.
        c.call(&["DOC.SET", "words:1", r#"{"WITHDELETED":5}"#]);
        assert_eq!(c.text(&["DOC.GET", "words:1", "`WITHDELETED`"]).as_deref(), Some("5"));
        let both = c.text(&["DOC.GET", "words:1", "WITHDELETED", "a"]);
        assert_eq!(both.as_deref(), Some(r#"{"WITHDELETED":5}"#));
    });
}

#[test]
fn a_deleted_document_comes_back_unless_its_value_was_taken() {
    over_both(|c| {
        fill(c);
        let (version, seq) = (int(&meta(c, "users:1", "version")), meta(c, "users:1", "seq"));
        assert_eq!(c.int(&["DOC.UNDELETE", "users:1", "users:2", "users:3", "users:1"]), 1);
        assert_eq!(c.text(&["DOC.GET", "users:1"]).as_deref(), Some(ADA));
        assert!(int(&meta(c, "users:1", "version")) > version);
        assert_eq!(meta(c, "users:1", "seq"), seq);
        assert_eq!(c.int(&["DOC.COUNT", "users", "WHERE", "email = 'a@x'"]), 1);
        assert_eq!(c.int(&["DOC.UNDELETE", "users:1"]), 0);

        c.call(&["DOC.DEL", "users:1", "users:2", "SOFT"]);
        c.call(&["DOC.SET", "users:4", r#"{"email":"b@x"}"#]);
        let taken = "UNIQUE document 'users:2': the value at email is held by users:4";
        assert_eq!(c.error(&["DOC.UNDELETE", "users:1", "users:2"]), taken);
        assert!(is_deleted(c, "users:1") && is_deleted(c, "users:2"), "all or nothing");
        c.call(&["DOC.DEL", "users:4", "SOFT"]);
        let both = "UNIQUE document 'users:4': the value at email is held by users:2";
        assert_eq!(c.error(&["DOC.UNDELETE", "users:2", "users:4"]), both);
        c.call(&["DOC.ALTER", "users", "ADD", "FIELD", "name", "string", "REQUIRED"]);
        let broken = c.error(&["DOC.UNDELETE", "users:2"]);
        assert!(broken.starts_with("SCHEMA document 'users:2': "), "{broken}");
        clean(c);
    });
}

#[test]
fn a_write_over_a_deleted_document_is_a_birth() {
    let births: [&[&str]; 6] = [
        &["DOC.SET", "users:1", "{}"],
        &["DOC.SET", "users:1", ADA, "NX", "KEEPTTL"],
        &["DOC.SET", "users:1", "{}", "IFVERSION", "0"],
        &["DOC.MSET", "users:1", ADA],
        &["DOC.UPDATE", "users:1", "UPSERT", "SET", "age", "1"],
        &["DOC.TXN", "users:1", r#"[{"op":"insert","key":"users:1","value":{}}]"#],
    ];
    over_both(|c| {
        for birth in births {
            c.call(&["FLUSHALL"]);
            fill(c);
            c.call(&["EXPIRE", "users:1", "1000"]);
            let before = ["version", "seq", "created"].map(|name| int(&meta(c, "users:1", name)));
            sleep(Duration::from_millis(2));
            c.call(birth);
            assert!(!is_deleted(c, "users:1"), "{birth:?}");
            let after = ["version", "seq", "created"].map(|name| int(&meta(c, "users:1", name)));
            assert!(before.iter().zip(after).all(|(before, after)| *before < after), "{birth:?}");
            assert_eq!(c.int(&["TTL", "users:1"]), -1, "{birth:?}");
            assert_eq!(c.keys(&["DOC.FIND", "users", "WITHDELETED"]), ["users:2", "users:1"]);
            clean(c);
            c.call(&["DOC.DROP", "users", "DOCUMENTS"]);
        }
    });
}

#[test]
fn times_to_live_are_those_of_the_deletion() {
    over_both(|c| {
        fill(c);
        c.call(&["DOC.SET", "users:1", ADA, "EX", "500"]);
        c.call(&["DOC.DEL", "users:1", "SOFT"]);
        assert!((400..=500).contains(&c.int(&["TTL", "users:1"])), "SOFT alone leaves it");
        c.call(&["DOC.UNDELETE", "users:1", "KEEPTTL"]);
        assert!((400..=500).contains(&c.int(&["TTL", "users:1"])));
        c.call(&["DOC.DEL", "users:1", "users:2", "SOFT", "EX", "9000"]);
        assert!((8_000..=9_000).contains(&c.int(&["TTL", "users:2"])));
        c.call(&["DOC.UNDELETE", "users:1"]);
        assert_eq!(c.int(&["TTL", "users:1"]), -1);
        c.call(&["DOC.DEL", "users:1", "SOFT", "PX", "1"]);
        wait_until("it is gone", || c.int(&["EXISTS", "users:1"]) == 0);
        assert_eq!(c.call(&["DOC.GET", "users:1", "WITHDELETED"]), Value::Nil);
        assert_eq!(c.int(&["DOC.UNDELETE", "users:1"]), 0);
        for number in ["0", "-1", "9223372036854775807"] {
            let error = c.error(&["DOC.DEL", "users:2", "SOFT", "EX", number]);
            assert_eq!(error, format!("ERR EX {number} is no time to expire at"));
            let absent = c.error(&["DOC.DEL", "users:9", "SOFT", "EX", number]);
            assert_eq!(absent, error);
        }
        clean(c);
    });
}

#[test]
fn a_deletion_is_a_change_with_a_version() {
    over_both(|c| {
        fill(c);
        let version = int(&meta(c, "users:2", "version"));
        let other = (version + 1).to_string();
        let error = c.error(&["DOC.DEL", "users:2", "SOFT", "IFVERSION", &other]);
        assert!(error.starts_with("VERSION expected version"), "{error}");
        let version = version.to_string();
        assert_eq!(c.int(&["DOC.DEL", "users:2", "IFVERSION", &version, "SOFT"]), 1);
        let after = int(&meta(c, "users:2", "version")).to_string();
        assert_ne!(version, after);
        // To a command that does not ask for deleted documents it has none.
        let error = c.error(&["DOC.DEL", "users:2", "IFVERSION", &after]);
        assert!(error.ends_with("found 0"), "{error}");
        assert_eq!(c.int(&["DOC.DEL", "users:2", "IFVERSION", &after, "WITHDELETED"]), 1);
        assert_eq!(c.int(&["DOC.DEL", "users:1", "users:2", "WITHDELETED"]), 1);
        assert_eq!(c.int(&["EXISTS", "users:1", "users:2"]), 0);
        c.call(&["SET", "plain", "text"]);
        for command in [&["DOC.DEL", "users:1", "plain", "SOFT"][..], &["DOC.UNDELETE", "plain"]] {
            assert!(c.error(command).starts_with("WRONGTYPE"), "{command:?}");
        }
        clean(c);
    });
}

#[test]
fn the_mark_goes_with_the_value_whatever_the_server_does_to_the_key() {
    over_both(|c| {
        fill(c);
        c.call(&["COPY", "users:1", "users:5"]);
        c.call(&["RENAME", "users:1", "users:6"]);
        let Value::BulkString(dump) = c.call(&["DUMP", "users:6"]) else { panic!("a payload") };
        let restore = [b"RESTORE", &b"users:7"[..], b"0", &dump];
        c.try_call(&restore).expect("a payload of this server");
        c.call(&["MOVE", "users:5", "1"]);
        assert!(is_deleted(c, "users:6") && is_deleted(c, "users:7"));
        clean(c);
        c.call(&["SELECT", "1"]);
        assert!(is_deleted(c, "users:5"));
        assert_eq!(c.int(&["DOC.COUNT", "users", "WITHDELETED"]), 1);
        assert_eq!(c.int(&["DOC.COUNT", "users"]), 0);
        assert_eq!(c.texts(&["DOC.LIST"]), ["users"]);
        c.call(&["RENAME", "users:5", "stray"]);
        assert!(is_deleted(c, "stray"));
        assert!(c.error(&["DOC.UNDELETE", "stray"]).starts_with("KEY document 'stray': 'stray' "));
        c.call(&["RENAME", "stray", "users:5"]);
        assert_eq!(c.int(&["DOC.UNDELETE", "users:5"]), 1);
        c.call(&["DOC.DEL", "users:5", "SOFT"]);
        assert_eq!(c.int(&["DEL", "users:5"]), 1);
        c.call(&["SELECT", "0"]);
        assert_eq!(c.int(&["DOC.COUNT", "users", "WITHDELETED"]), 3);
    });
}

#[test]
fn transactions_and_scripts_delete_softly() {
    over_both(|c| {
        fill(c);
        c.call(&["MULTI"]);
        c.call(&["DOC.UNDELETE", "users:1"]);
        c.call(&["DOC.DEL", "users:2", "SOFT"]);
        c.call(&["DOC.COUNT", "users"]);
        assert_eq!(c.call(&["EXEC"]), Value::Array([1, 1, 1].map(Value::Int).to_vec()));
        let script = "redis.call('DOC.DEL', KEYS[1], 'SOFT', 'EX', 100)
            redis.call('DOC.UNDELETE', KEYS[2], 'KEEPTTL')
            return redis.call('DOC.GET', KEYS[1], 'WITHDELETED')";
        let found = c.text(&["EVAL", script, "2", "users:1", "users:2"]);
        assert_eq!(found.as_deref(), Some(ADA));
        assert!(is_deleted(c, "users:1") && !is_deleted(c, "users:2"));
        // A watcher is woken by a deletion.
        c.call(&["WATCH", "users:2"]);
        c.call(&["DOC.DEL", "users:2", "SOFT"]);
        c.call(&["MULTI"]);
        assert_eq!(c.call(&["EXEC"]), Value::Nil);
        clean(c);
    });
}

/// What two servers, or one before and after a restart, have to agree on.
fn state(c: &mut Client) -> Vec<Value> {
    let mut state = vec![c.call(&["DEBUG", "DIGEST"]), c.call(&["DOC.VERIFY", "users", "DIGEST"])];
    clean(c);
    for key in ["users:1", "users:2", "users:3"] {
        state.push(c.call(&["DOC.META", key, "WITHDELETED"]));
        state.push(c.call(&["DOC.GET", key, "WITHDELETED"]));
    }
    state.push(c.call(&["DOC.KEYS", "users"]));
    state
}

/// Documents that were marked, brought back and born again over a deleted one.
fn live(c: &mut Client) {
    fill(c);
    c.call(&["DOC.SET", "users:3", r#"{"email":"c@x"}"#]);
    c.call(&["DOC.DEL", "users:3", "SOFT", "EX", "5000"]);
    c.call(&["DOC.SET", "users:3", r#"{"email":"a@x"}"#]);
    c.call(&["DOC.DEL", "users:2", "SOFT"]);
    c.call(&["DOC.UNDELETE", "users:2"]);
    c.call(&["DOC.DEL", "users:2", "SOFT", "EX", "5000"]);
}

#[test]
fn a_replica_and_whoever_is_promoted_have_the_marks() {
    let (primary, replica) = (Server::start(), Server::start());
    fill(&mut primary.resp3());
    follow(&replica, &primary);
    in_sync(&primary, &replica);
    let (mut p, mut r) = (primary.resp3(), replica.resp3());
    assert!(is_deleted(&mut r, "users:1"), "by the full sync");
    p.call(&["DOC.DROP", "users", "DOCUMENTS"]);
    live(&mut p);
    in_sync(&primary, &replica);
    assert_eq!(state(&mut p), state(&mut r));
    r.call(&["REPLICAOF", "NO", "ONE"]);
    let taken = r.error(&["DOC.UNDELETE", "users:1"]);
    assert_eq!(taken, "UNIQUE document 'users:1': the value at email is held by users:3");
    assert_eq!(r.int(&["DOC.DEL", "users:3", "SOFT"]), 1);
    assert_eq!(r.int(&["DOC.UNDELETE", "users:1", "users:2"]), 2);
    clean(&mut r);
}

#[test]
fn a_restart_keeps_the_marks_whatever_file_it_is_from() {
    type Restart<'r> = &'r dyn Fn(&mut Server);
    let rewritten = |server: &mut Server| {
        let mut c = server.resp2();
        c.call(&["BGREWRITEAOF"]);
        wait_until("the file is rewritten", || {
            c.info_number("persistence", "aof_rewrite_in_progress") == 0
                && c.info_number("persistence", "aof_rewrite_scheduled") == 0
        });
        c.call(&["DOC.DEL", "users:2", "SOFT"]);
        c.call(&["DOC.UNDELETE", "users:2"]);
        c.call(&["DOC.DEL", "users:2", "SOFT"]);
        server.restart_without_saving();
    };
    let appendonly =
        |preamble| Options::new().appendonly().config("aof-use-rdb-preamble", preamble);
    let ways: [(Options, Restart<'_>); 4] = [
        (Options::new(), &Server::restart),
        (appendonly("yes"), &Server::restart_without_saving),
        (appendonly("yes"), &rewritten),
        (appendonly("no"), &rewritten),
    ];
    for (at, (options, restart)) in ways.into_iter().enumerate() {
        let mut server = options.start();
        live(&mut server.resp3());
        let mut before = state(&mut server.resp3());
        restart(&mut server);
        let mut c = server.resp3();
        let mut after = state(&mut c);
        if at >= 2 {
            // Its version went on after the file was rewritten.
            for state in [&mut before, &mut after] {
                state.truncate(4);
                state.drain(..2);
            }
        }
        assert_eq!(before, after, "{at}");
        assert!(is_deleted(&mut c, "users:1") && is_deleted(&mut c, "users:2"), "{at}");
        c.call(&["DEBUG", "RELOAD"]);
        assert!(is_deleted(&mut c, "users:2") && !is_deleted(&mut c, "users:3"), "{at}");
        clean(&mut c);
    }
}
