//! TTL and PTTL of DOC.UPDATE: parts of documents that lapse by themselves.

use std::thread::sleep;
use std::time::{Duration, Instant};

use folio_tests::pipeline::{Pipeline, words};
use folio_tests::replica::{follow, in_sync, wait_until};
use folio_tests::reply::text;
use folio_tests::{Client, Options, Server, over_both};
use redis::Value;

const ADA: &str = r#"{"name":"Ada","otp":"7","n":1,"o":{"a":1,"b":2}}"#;
/// Long enough for a server to have removed what has lapsed.
const SOON: Duration = Duration::from_millis(60);

fn fill(c: &mut Client) {
    let fields = ["FIELD", "name", "string", "REQUIRED", "FIELD", "otp", "string", "UNIQUE"];
    let more = ["FIELD", "n", "int", "INDEX", "SORTED", "CHANGES", "BOTH"];
    c.call(&[&["DOC.CREATE", "users"], &fields[..], &more].concat());
    c.call(&["DOC.SET", "users:1", ADA]);
}

#[track_caller]
fn clean(c: &mut Client) {
    assert_eq!(c.call(&["DOC.VERIFY", "users"]), Value::Array(vec![]));
}

/// The parts of a document with a TTL, and when they lapse.
fn timed(c: &mut Client, key: &str) -> Vec<(String, i64)> {
    let Value::Map(parts) = in_map(c.map(&["DOC.META", key])["path_expires"].clone()) else {
        panic!("a map")
    };
    let part = |(path, at): (Value, Value)| {
        let (Value::BulkString(path), Value::Int(at)) = (path, at) else {
            panic!("a path and an instant")
        };
        (String::from_utf8(path).expect("a path is text"), at)
    };
    parts.into_iter().map(part).collect()
}

/// A map over RESP2 is an array.
fn in_map(value: Value) -> Value {
    let Value::Array(items) = value else { return value };
    Value::Map(items.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect())
}

fn paths(c: &mut Client, key: &str) -> Vec<String> {
    timed(c, key).into_iter().map(|(path, _)| path).collect()
}

fn version(c: &mut Client, key: &str) -> i64 {
    match c.map(&["DOC.META", key])["version"] {
        Value::Int(version) => version,
        ref other => panic!("{other:?}"),
    }
}

/// Each entry of the stream as its fields, `name=value`, but for the time.
fn entries(c: &mut Client) -> Vec<String> {
    let Value::Array(entries) = c.call(&["XRANGE", "changes:users", "-", "+"]) else {
        panic!("a stream")
    };
    let text = |value: &Value| match value {
        Value::BulkString(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        other => panic!("{other:?}"),
    };
    let entry = |entry: &Value| {
        let Value::Array(entry) = entry else { panic!("an entry") };
        let Value::Array(fields) = in_array(&entry[1]) else { panic!("fields") };
        let fields = fields.chunks(2).map(|pair| (text(&pair[0]), text(&pair[1])));
        let told = fields.filter(|(name, _)| name != "time" && name != "key");
        told.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    };
    entries.iter().map(entry).collect()
}

fn in_array(value: &Value) -> Value {
    match value {
        Value::Map(pairs) => {
            Value::Array(pairs.iter().flat_map(|(a, b)| [a.clone(), b.clone()]).collect())
        }
        other => other.clone(),
    }
}

/// Stops the server from removing anything, until [`go_on`]. What has lapsed is hidden all the same.
fn pause(c: &mut Client) {
    c.call(&["CLIENT", "PAUSE", "60000", "WRITE"]);
}

fn go_on(c: &mut Client) {
    c.call(&["CLIENT", "UNPAUSE"]);
    wait_until("what has lapsed is removed", || timed(c, "users:1").is_empty());
}

#[test]
fn a_ttl_is_given_shown_and_taken_away() {
    over_both(|c| {
        fill(c);
        assert_eq!(
            c.int(&["DOC.UPDATE", "users:1", "SET", "otp", "\"8\"", "TTL", "otp", "900"]),
            2
        );
        let Value::Int(updated) = c.map(&["DOC.META", "users:1"])["updated"] else { panic!() };
        assert_eq!(timed(c, "users:1"), [("otp".to_owned(), updated + 900_000)]);
        assert_eq!(c.int(&["DOC.UPDATE", "users:1", "pttl", "o.a", "70000", "INCR", "n", "1"]), 3);
        assert_eq!(paths(c, "users:1"), ["o.a", "otp"]);
        // The same again is another instant, or the same one.
        c.call(&["DOC.UPDATE", "users:1", "TTL", "o.a", "100"]);
        assert_eq!(c.int(&["DOC.UPDATE", "users:1", "TTL", "o.a", "NONE"]), version(c, "users:1"));
        assert_eq!(paths(c, "users:1"), ["otp"]);
        let held = version(c, "users:1");
        assert_eq!(c.int(&["DOC.UPDATE", "users:1", "TTL", "n", "NONE"]), held, "no change");
        // A whole document has none, even if its text is the same.
        let text = c.text(&["DOC.GET", "users:1"]).expect("it is there");
        assert_eq!(c.int(&["DOC.SET", "users:1", &text]), held + 1);
        assert_eq!(c.int(&["DOC.SET", "users:1", &text]), held + 1);
        assert_eq!(paths(c, "users:1"), [] as [&str; 0]);
        clean(c);
    });
}

#[test]
fn what_cannot_lapse_is_refused_and_nothing_changes() {
    over_both(|c| {
        fill(c);
        let error = |c: &mut Client, words: &[&str]| {
            let error = c.error(&[&["DOC.UPDATE", "users:1"], words].concat());
            assert_eq!(c.text(&["DOC.GET", "users:1"]).as_deref(), Some(ADA));
            assert_eq!(paths(c, "users:1"), [] as [&str; 0]);
            error
        };
        let required = "SCHEMA field name is required, and cannot have a TTL";
        assert_eq!(error(c, &["TTL", "name", "9"]), required);
        let nothing = "PATH operation 2: nothing that a TTL could be of at path x";
        assert_eq!(error(c, &["SET", "n", "2", "TTL", "x", "9"]), nothing);
        let index = "PATH operation 1: a TTL is of a path of names, without an index at path a[0]";
        assert_eq!(error(c, &["TTL", "a[0]", "9"]), index);
        let takes = "ERR operation 1: TTL takes a path, and seconds or NONE, found '0'";
        assert_eq!(error(c, &["TTL", "otp", "0"]), takes);
        let far = "OVERFLOW operation 1: the TTL is out of range at path otp";
        assert_eq!(error(c, &["PTTL", "otp", "9223372036854775807"]), far);
        let mut many: Vec<String> = Vec::new();
        for at in 0..65 {
            let name = format!("a{at}");
            many.extend(["SET", &name, "1", "TTL", &name, "9"].map(str::to_owned));
        }
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let limited = "LIMITED operation 130: a document may have 64 paths with a TTL";
        assert!(error(c, &many).starts_with(limited));
        clean(c);
    });
}

#[test]
fn a_declaration_is_refused_while_parts_may_lapse_that_it_requires() {
    over_both(|c| {
        fill(c);
        c.call(&["DOC.UPDATE", "users:1", "TTL", "n", "900"]);
        let (drop, add) = (["DROP", "FIELD", "n"], ["ADD", "FIELD", "n", "int", "REQUIRED"]);
        let alter = [&["DOC.ALTER", "users"][..], &drop, &add].concat();
        let refused = c.try_call(&alter).expect_err("it is refused").to_string();
        assert!(
            refused.contains("field n is required, and cannot have a TTL (users:1)"),
            "{refused}"
        );
        c.call(&["DOC.UPDATE", "users:1", "TTL", "n", "NONE"]);
        c.call(&alter);
        clean(c);
    });
}

#[test]
fn what_has_lapsed_is_seen_by_nobody_and_removed_soon() {
    let server = Server::start();
    let c = &mut server.resp3();
    fill(c);
    c.call(&[
        "DOC.UPDATE",
        "users:1",
        "PTTL",
        "otp",
        "30",
        "PTTL",
        "n",
        "30",
        "PTTL",
        "o",
        "60000",
    ]);
    pause(c);
    sleep(SOON);
    // Nothing was written: the version is as it was.
    assert_eq!(version(c, "users:1"), 2);
    assert_eq!(paths(c, "users:1"), ["o"]);
    let seen = r#"{"name":"Ada","o":{"a":1,"b":2}}"#;
    assert_eq!(c.text(&["DOC.GET", "users:1"]).as_deref(), Some(seen));
    assert_eq!(c.text(&["DOC.GET", "users:1", "otp"]), None);
    assert_eq!(c.text(&["DOC.GET", "users:1", "$..otp"]).as_deref(), Some("[]"));
    assert_eq!(c.texts(&["DOC.MGET", "users:1"]), [seen]);
    assert_eq!(c.int(&["DOC.COUNT", "users", "WHERE", "otp = '7'"]), 0);
    assert_eq!(c.int(&["DOC.COUNT", "users", "WHERE", "otp IS MISSING AND n IS MISSING"]), 1);
    assert_eq!(c.texts(&["DOC.KEYS", "users", "WHERE", "n > 0"]), [] as [&str; 0]);
    assert_eq!(c.texts(&["DOC.DISTINCT", "users", "otp"]), [] as [&str; 0]);
    let rows = c.map(&["DOC.AGGREGATE", "users", "REDUCE", "1", "sum(n)"]);
    assert_eq!(rows["results"], Value::Array(vec![Value::BulkString(br#"{"sum(n)":0}"#.to_vec())]));
    clean(c);
    assert_eq!(entries(c).len(), 2);
    go_on_but_for(c, "o");
    assert_eq!(version(c, "users:1"), 3);
    let last = entries(c).pop().expect("three entries");
    let told =
        format!(r#"op=update version=3 cause=ttl paths=["otp","n"] before={ADA} after={seen}"#);
    assert_eq!(last, told);
    assert_eq!(c.text(&["DOC.GET", "users:1"]).as_deref(), Some(seen));
    clean(c);
}

fn go_on_but_for(c: &mut Client, path: &str) {
    c.call(&["CLIENT", "UNPAUSE"]);
    let before = entries(c).len();
    wait_until("what has lapsed is removed", || entries(c).len() > before);
    assert_eq!(paths(c, "users:1"), [path]);
}

#[test]
fn it_is_removed_without_anybody_asking() {
    over_both(|c| {
        fill(c);
        c.call(&["DOC.UPDATE", "users:1", "PTTL", "otp", "20"]);
        c.call(&["WATCH", "users:1"]);
        let begun = Instant::now();
        wait_until("the removal is told", || entries(c).len() == 3);
        assert!(begun.elapsed() < Duration::from_secs(5));
        // A watcher is woken.
        c.call(&["MULTI"]);
        c.call(&["DOC.GET", "users:1"]);
        assert_eq!(c.call(&["EXEC"]), Value::Nil);
        clean(c);
    });
}

#[test]
fn what_is_still_to_be_removed_is_counted() {
    let server = Server::start();
    let c = &mut server.resp3();
    fill(c);
    // What is sent at once is answered before any timer is.
    let commands = [
        words(&["DOC.UPDATE", "users:1", "PTTL", "otp", "300", "PTTL", "n", "300"]),
        words(&["DOC.DEL", "users:1", "SOFT"]),
        words(&["INFO", "folio"]),
        words(&["DEBUG", "SLEEP", "0.5"]),
        words(&["INFO", "folio"]),
    ];
    let replies = Pipeline::connect(server.url()).expect("it listens").ask(&commands);
    let counts = [text(&replies[2]), text(&replies[4])];
    assert!(counts[0].contains("folio_path_ttl_pending:0"), "{}", counts[0]);
    assert!(counts[1].contains("folio_path_ttl_pending:1"), "{}", counts[1]);
    let pending = |c: &mut Client| c.info_number("folio", "folio_path_ttl_pending");
    wait_until("a deleted document loses it, too", || pending(c) == 0);
    clean(c);
}

#[test]
fn a_write_finds_what_has_lapsed_removed() {
    let server = Server::start();
    let c = &mut server.resp3();
    fill(c);
    c.call(&["DOC.UPDATE", "users:1", "PTTL", "otp", "20", "PTTL", "n", "20"]);
    // What is sent at once is answered before any timer is.
    let commands = [
        words(&["DEBUG", "SLEEP", "0.1"]),
        words(&["DOC.UPDATE", "users:1", "IF", "otp = '7'", "SET", "n", "9"]),
        words(&["DOC.UPDATE", "users:1", "IFVERSION", "3", "INCR", "n", "5", "RETURN", "NEW"]),
    ];
    let replies = Pipeline::connect(server.url()).expect("it listens").ask(&commands);
    let made = br#"{"name":"Ada","o":{"a":1,"b":2},"n":5}"#;
    assert_eq!(replies, [Value::Okay, Value::Nil, Value::BulkString(made.to_vec())]);
    let told = entries(c).split_off(2);
    assert!(told[0].starts_with(r#"op=update version=3 cause=ttl paths=["otp","n"]"#), "{told:?}");
    assert!(told[1].starts_with(r#"op=update version=4 paths=["n"]"#), "{told:?}");
    assert_eq!(told.len(), 2);
    clean(c);
}

#[test]
fn a_unique_value_is_free_from_the_instant_on() {
    let server = Server::start();
    let c = &mut server.resp3();
    fill(c);
    c.call(&["DOC.UPDATE", "users:1", "PTTL", "otp", "200"]);
    let other = r#"{"name":"Bob","otp":"7"}"#;
    assert!(c.error(&["DOC.SET", "users:2", other]).starts_with("UNIQUE"));
    let begun = Instant::now();
    while c.try_call(&["DOC.SET", "users:2", other]).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(5), "it lapses");
    }
    assert!(begun.elapsed() > Duration::from_millis(150), "and not before");
    assert_eq!(c.texts(&["DOC.KEYS", "users", "WHERE", "otp = '7'"]), ["users:2"]);
    clean(c);
}

#[test]
fn many_documents_transactions_and_claims_take_it() {
    over_both(|c| {
        fill(c);
        let all = ["WHERE", "n >= 0", "SET", "lease", "1", "TTL", "lease", "900"];
        c.call(&[&["DOC.UPDATEMANY", "users"], &all[..]].concat());
        assert_eq!(paths(c, "users:1"), ["lease"]);
        let ops = r#"[{"op":"update","key":"users:1","ops":[["SET","otp","9"],["TTL","otp","60"],["TTL","lease","NONE"]]},
            {"op":"update","key":"users:1","ops":[["PTTL","n",70000],["INCR","n",1]]}]"#;
        c.call(&["DOC.TXN", "users:1", ops]);
        assert_eq!(paths(c, "users:1"), ["n", "otp"]);
        let set = r#"[{"op":"update","key":"users:1","ops":[["TTL","o","60"]]},
            {"op":"set","key":"users:1","value":{"name":"Eve"}}]"#;
        c.call(&["DOC.TXN", "users:1", set]);
        assert_eq!(paths(c, "users:1"), [] as [&str; 0]);
        let claim = ["WHERE", "job IS MISSING", "NOW", "job", "TTL", "job", "30", "LIMIT", "1"];
        c.call(&[&["DOC.CLAIM", "users"], &claim[..], &["SCAN"]].concat());
        assert_eq!(paths(c, "users:1"), ["job"]);
        clean(c);
    });
}

#[test]
fn it_goes_with_the_value_whatever_the_server_does_to_the_key() {
    let server = Server::start();
    let c = &mut server.resp3();
    fill(c);
    c.call(&["DOC.UPDATE", "users:1", "TTL", "otp", "900", "PTTL", "n", "700"]);
    let before = timed(c, "users:1");
    c.call(&["RENAME", "users:1", "users:2"]);
    assert_eq!(timed(c, "users:2"), before);
    c.call(&["COPY", "users:2", "users:1", "DB", "1"]);
    let Value::BulkString(payload) = c.call(&["DUMP", "users:2"]) else { panic!("a payload") };
    c.try_call(&[b"RESTORE", &b"spare:1"[..], b"0", &payload]).expect("it is whole");
    assert_eq!(timed(c, "spare:1"), before);
    c.call(&["MOVE", "users:2", "2"]);
    let places = [("0", "spare:1"), ("1", "users:1"), ("2", "users:2")];
    for (db, key) in places {
        c.call(&["SELECT", db]);
        assert_eq!(timed(c, key), before, "{db}");
    }
    for (db, key) in places {
        c.call(&["SELECT", db]);
        wait_until("its part lapses", || c.text(&["DOC.GET", key, "n"]).is_none());
        wait_until("its part is removed", || timed(c, key).len() == 1);
        assert_eq!(c.text(&["DOC.GET", key, "otp"]).as_deref(), Some("\"7\""));
    }
    // A copy of what has lapsed shows it no more, and removes it as the first one does.
    c.call(&["SELECT", "0"]);
    c.call(&["DOC.SET", "users:1", ADA]);
    let told = entries(c).len();
    let commands = [
        words(&["DOC.UPDATE", "users:1", "PTTL", "otp", "20"]),
        words(&["DEBUG", "SLEEP", "0.1"]),
        words(&["COPY", "users:1", "users:3"]),
        words(&["DOC.GET", "users:3", "otp"]),
    ];
    let replies = Pipeline::connect(server.url()).expect("it listens").ask(&commands);
    assert_eq!(replies[2..], [Value::Int(1), Value::Nil]);
    let removals = |c: &mut Client| {
        let since = entries(c).split_off(told);
        since.iter().filter(|entry| entry.contains("cause=ttl")).count()
    };
    wait_until("both are removed", || removals(c) == 2);
    let copied = entries(c).into_iter().find(|entry| entry.contains("cause=copy"));
    assert!(!copied.expect("it is told").contains("otp"));
    clean(c);
}

#[test]
fn a_replica_hides_it_by_itself_and_whoever_is_promoted_removes_it() {
    let (primary, replica) = (Server::start(), Server::start());
    let (p, r) = (&mut primary.resp3(), &mut replica.resp3());
    fill(p);
    p.call(&["DOC.UPDATE", "users:1", "TTL", "otp", "900"]);
    follow(&replica, &primary);
    in_sync(&primary, &replica);
    assert_eq!(timed(r, "users:1"), timed(p, "users:1"), "by the full sync");
    p.call(&["DOC.UPDATE", "users:1", "PTTL", "n", "400", "PTTL", "otp", "400"]);
    in_sync(&primary, &replica);
    assert_eq!(timed(r, "users:1"), timed(p, "users:1"), "by the stream");
    pause(p);
    wait_until("it has lapsed", || r.int(&["DOC.COUNT", "users", "WHERE", "n IS MISSING"]) == 1);
    wait_until("all of it", || r.int(&["DOC.COUNT", "users", "WHERE", "otp = '7'"]) == 0);
    assert_eq!((version(p, "users:1"), version(r, "users:1")), (3, 3));
    clean(r);
    go_on(p);
    in_sync(&primary, &replica);
    let state = |c: &mut Client| {
        let words: [&[&str]; 4] = [
            &["DEBUG", "DIGEST"],
            &["DOC.VERIFY", "users", "DIGEST"],
            &["DOC.META", "users:1"],
            &["XRANGE", "changes:users", "-", "+"],
        ];
        words.map(|words| c.call(words))
    };
    assert_eq!(state(p), state(r));
    clean(r);
    // A replica that is cut off hides it for as long as it is one.
    p.call(&["DOC.UPDATE", "users:1", "PTTL", "o", "100"]);
    in_sync(&primary, &replica);
    primary_is_gone(primary);
    let held = version(r, "users:1");
    sleep(Duration::from_millis(300));
    assert_eq!(r.text(&["DOC.GET", "users:1"]).as_deref(), Some(r#"{"name":"Ada"}"#));
    assert_eq!(version(r, "users:1"), held);
    r.call(&["REPLICAOF", "NO", "ONE"]);
    wait_until("the new primary removes it", || version(r, "users:1") == held + 1);
    let last = entries(r).pop().expect("entries");
    assert!(last.contains(r#"cause=ttl paths=["o"] before={"name":"Ada","o":{"#), "{last}");
    clean(r);
}

fn primary_is_gone(mut primary: Server) {
    primary.kill();
}

#[test]
fn a_restart_keeps_it_whatever_file_it_is_from() {
    type Restart<'r> = &'r dyn Fn(&mut Server);
    let rewritten = |server: &mut Server| {
        let mut c = server.resp2();
        c.call(&["BGREWRITEAOF"]);
        wait_until("the file is rewritten", || {
            c.info_number("persistence", "aof_rewrite_in_progress") == 0
                && c.info_number("persistence", "aof_rewrite_scheduled") == 0
        });
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
        let c = &mut server.resp3();
        fill(c);
        c.call(&["DOC.SET", "users:2", r#"{"name":"Bob","otp":"9"}"#]);
        c.call(&["DOC.UPDATE", "users:2", "TTL", "otp", "900"]);
        c.call(&["DOC.DEL", "users:2", "SOFT"]);
        c.call(&["DOC.UPDATE", "users:1", "TTL", "otp", "900", "PTTL", "n", "1500"]);
        let before = timed(c, "users:1");
        restart(&mut server);
        let c = &mut server.resp3();
        assert_eq!(timed(c, "users:1"), before, "{at}");
        wait_until("its part is removed", || paths(c, "users:1") == ["otp"]);
        assert_eq!(c.text(&["DOC.GET", "users:1", "n"]), None);
        assert_eq!(c.int(&["DOC.UNDELETE", "users:2"]), 1);
        assert_eq!(paths(c, "users:2"), ["otp"], "{at}");
        c.call(&["DEBUG", "RELOAD"]);
        assert_eq!(timed(c, "users:1"), [before[1].clone()], "{at}");
        clean(c);
    }
}

#[test]
fn what_lapses_while_a_document_is_deleted_is_not_there_when_it_comes_back() {
    let server = Options::new().config("rdbcompression", "no").start();
    let c = &mut server.resp3();
    fill(c);
    c.call(&["DOC.UPDATE", "users:1", "PTTL", "otp", "150"]);
    c.call(&["DOC.DEL", "users:1", "SOFT"]);
    let has_secret = |c: &mut Client| {
        let Value::BulkString(payload) = c.call(&["DUMP", "users:1"]) else { panic!("a payload") };
        let secret = br#""otp":"7""#;
        payload.windows(secret.len()).any(|bytes| bytes == secret)
    };
    assert!(has_secret(c));
    sleep(SOON * 4);
    let told = entries(c).len();
    let shown = c.text(&["DOC.GET", "users:1", "WITHDELETED"]).expect("it stands there");
    assert!(!shown.contains("otp"), "{shown}");
    wait_until("it is removed from what is kept", || !has_secret(c));
    assert_eq!(c.int(&["DOC.UNDELETE", "users:1"]), 1);
    assert_eq!(c.text(&["DOC.GET", "users:1", "otp"]), None);
    sleep(SOON);
    let since = entries(c).split_off(told);
    assert!(since[0].starts_with("op=insert"), "{since:?}");
    assert!(since.iter().all(|entry| !entry.contains(r#""otp":"7""#)), "{since:?}");
    clean(c);
}
