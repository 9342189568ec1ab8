//! Folio's own commands: exactly one entry a change, in order, before the command has ended.

use folio_tests::{Client, Server, over_both};
use redis::Value;

use super::entry::{all, are_gapless, lines, read};

const BOTH: [&str; 4] = ["DOC.CREATE", "t", "CHANGES", "BOTH"];

#[test]
fn a_set_an_update_and_a_removal_make_one_entry_each() {
    over_both(|c| {
        c.call(&BOTH);
        c.call(&["DOC.SET", "t:1", r#"{"a":1,"b":{"c":1,"d":2}}"#]);
        c.call(&["DOC.UPDATE", "t:1", "SET", "b.d", "3"]);
        c.call(&["DOC.SET", "t:1", r#"{"a":2,"b":{"c":1,"d":3}}"#]);
        c.call(&["DOC.UPDATE", "t:2", "UPSERT", "SET", "x", "1"]);
        c.call(&["DOC.DEL", "t:1", "t:2", "t:3"]);
        let expected = [
            r#"1 insert t:1 #1 . -> {"a":1,"b":{"c":1,"d":2}}"#,
            r#"2 update t:1 #2 ["b.d"] {"a":1,"b":{"c":1,"d":2}} -> {"a":1,"b":{"c":1,"d":3}}"#,
            r#"3 update t:1 #3 ["a"] {"a":1,"b":{"c":1,"d":3}} -> {"a":2,"b":{"c":1,"d":3}}"#,
            r#"4 insert t:2 #4 . -> {"x":1}"#,
            r#"5 delete t:1 #3 {"a":2,"b":{"c":1,"d":3}} -> ."#,
            r#"6 delete t:2 #4 {"x":1} -> ."#,
        ];
        assert_eq!(lines(c, "t"), expected);
        let now = u64::try_from(server_ms(c)).unwrap();
        for entry in all(c, "t") {
            assert!((now - 60_000..=now).contains(&entry.count("time")), "{entry:?}");
        }
    });
}

/// The server's clock in milliseconds.
fn server_ms(c: &mut Client) -> i64 {
    let time = c.texts(&["TIME"]);
    time[0].parse::<i64>().unwrap() * 1000 + time[1].parse::<i64>().unwrap() / 1000 + 1
}

#[test]
fn entries_hold_as_much_as_is_asked_for() {
    over_both(|c| {
        for (name, told) in [("k", "KEYS"), ("a", "AFTER"), ("b", "BOTH")] {
            c.call(&["DOC.CREATE", name, "CHANGES", told]);
            let key = format!("{name}:1");
            c.call(&["DOC.SET", &key, r#"{"n":1}"#]);
            c.call(&["DOC.UPDATE", &key, "INCR", "n", "1"]);
            c.call(&["DOC.DEL", &key]);
        }
        c.call(&["DOC.CREATE", "d", "CHANGES"]);
        c.call(&["DOC.SET", "d:1", "{}"]);
        assert_eq!(lines(c, "d"), ["1 insert d:1 #1"]);
        assert_eq!(
            lines(c, "k"),
            ["1 insert k:1 #1", r#"2 update k:1 #2 ["n"]"#, "3 delete k:1 #2"]
        );
        let after = [
            r#"1 insert a:1 #1 . -> {"n":1}"#,
            r#"2 update a:1 #2 ["n"] . -> {"n":2}"#,
            "3 delete a:1 #2",
        ];
        assert_eq!(lines(c, "a"), after);
        let both = [
            r#"1 insert b:1 #1 . -> {"n":1}"#,
            r#"2 update b:1 #2 ["n"] {"n":1} -> {"n":2}"#,
            r#"3 delete b:1 #2 {"n":2} -> ."#,
        ];
        assert_eq!(lines(c, "b"), both);
    });
}

#[test]
fn what_is_refused_or_changes_nothing_makes_no_entry() {
    over_both(|c| {
        c.call(&["DOC.CREATE", "t", "FIELD", "n", "int", "UNIQUE", "CHANGES", "KEYS"]);
        c.call(&["DOC.SET", "t:1", r#"{"n":1}"#]);
        c.call(&["DOC.SET", "t:1", r#"{"n":1}"#]);
        c.call(&["DOC.UPDATE", "t:1", "SET", "n", "1"]);
        c.call(&["DOC.SET", "t:1", r#"{"n":2}"#, "NX"]);
        c.call(&["DOC.SET", "t:1", r#"{"n":1}"#, "EX", "100"]);
        c.call(&["EXPIRE", "t:1", "200"]);
        c.error(&["DOC.SET", "t:2", r#"{"n":1}"#]);
        c.error(&["DOC.SET", "t:2", r#"{"n":"x"}"#]);
        c.error(&["DOC.MSET", "t:3", r#"{"n":3}"#, "t:2", r#"{"n":1}"#]);
        c.error(&["DOC.SET", "t:1", "{}", "IFVERSION", "9"]);
        c.call(&["DOC.DEL", "t:9"]);
        c.call(&["DOC.DELETEMANY", "t", "WHERE", "n = 7"]);
        // Of a collection without CHANGES nothing is told.
        c.call(&["DOC.SET", "other:1", r#"{"n":1}"#]);
        assert_eq!(lines(c, "t"), ["1 insert t:1 #1"]);
        assert_eq!(c.int(&["EXISTS", "changes:other"]), 0);
    });
}

#[test]
fn commands_over_several_documents_tell_of_each() {
    over_both(|c| {
        c.call(&["DOC.CREATE", "t", "FIELD", "n", "int", "INDEX", "SORTED", "CHANGES", "AFTER"]);
        c.call(&["DOC.MSET", "t:1", r#"{"n":1}"#, "t:2", r#"{"n":2}"#, "t:3", r#"{"n":3}"#]);
        c.call(&["DOC.UPDATEMANY", "t", "WHERE", "n >= 2", "INCR", "n", "10"]);
        c.call(&["DOC.CLAIM", "t", "WHERE", "n > 0", "ORDER", "1", "n", "SET", "by", r#""me""#]);
        let ops = r#"[{"op":"del","key":"t:2"},{"op":"set","key":"t:4","value":{"n":4}},
            {"op":"update","key":"t:3","ops":[["SET","n",0]]}]"#;
        let made = c.try_call(&["DOC.TXN", "t:2", "t:3", "t:4", ops]);
        assert!(made.is_ok(), "{made:?}");
        c.call(&["DOC.DELETEMANY", "t", "WHERE", "n < 4"]);
        let told = lines(c, "t");
        let expected = [
            r#"1 insert t:1 #1 . -> {"n":1}"#,
            r#"2 insert t:2 #2 . -> {"n":2}"#,
            r#"3 insert t:3 #3 . -> {"n":3}"#,
            r#"4 update t:2 #4 ["n"] . -> {"n":12}"#,
            r#"5 update t:3 #5 ["n"] . -> {"n":13}"#,
            r#"6 update t:1 #6 ["by"] . -> {"n":1,"by":"me"}"#,
            r#"7 update t:3 #7 ["n"] . -> {"n":0}"#,
            r#"8 insert t:4 #8 . -> {"n":4}"#,
            "9 delete t:2 #4",
        ];
        assert_eq!(told[..9], expected);
        let mut removed = told[9..].to_vec();
        removed.sort();
        assert_eq!(removed, ["10 delete t:1 #6", "11 delete t:3 #7"]);
    });
}

#[test]
fn transactions_and_scripts_tell_as_they_go() {
    over_both(|c| {
        c.call(&["DOC.CREATE", "t", "CHANGES", "KEYS"]);
        c.call(&["MULTI"]);
        c.call(&["DOC.SET", "t:1", "{}"]);
        c.call(&["XLEN", "changes:t"]);
        c.call(&["DOC.DEL", "t:1"]);
        c.call(&["XLEN", "changes:t"]);
        let Value::Array(replies) = c.call(&["EXEC"]) else { panic!("no replies") };
        assert_eq!(replies[1], Value::Int(1));
        assert_eq!(replies[3], Value::Int(2));
        let script = "redis.call('DOC.SET', KEYS[1], '{\"a\":1}')
            local n = redis.call('XLEN', 'changes:t')
            redis.call('DOC.UPDATE', KEYS[1], 'SET', 'a', '2')
            return {n, redis.call('XLEN', 'changes:t')}";
        let counts = c.call(&["EVAL", script, "1", "t:2"]);
        assert_eq!(counts, Value::Array(vec![Value::Int(3), Value::Int(4)]));
        are_gapless(&all(c, "t"), 1);
    });
}

#[test]
fn a_write_with_a_ttl_in_the_past_is_an_insert_and_a_removal() {
    over_both(|c| {
        c.call(&["DOC.CREATE", "t", "CHANGES", "KEYS"]);
        c.call(&["DOC.SET", "t:1", "{}", "PXAT", "1"]);
        assert_eq!(lines(c, "t"), ["1 insert t:1 #1", "2 delete t:1 #1"]);
    });
}

#[test]
fn consumer_groups_and_blocked_readers_get_entries_by_number() {
    let server = Server::start();
    let (mut c, mut reader) = (server.resp2(), server.resp2());
    c.call(&["DOC.CREATE", "t", "CHANGES", "KEYS"]);
    c.call(&["XGROUP", "CREATE", "changes:t", "mailer", "0", "MKSTREAM"]);
    let waiting = std::thread::spawn(move || {
        reader.call(&["XREAD", "BLOCK", "20000", "STREAMS", "changes:t", "1-0"])
    });
    for n in 1..=3 {
        c.call(&["DOC.SET", &format!("t:{n}"), "{}"]);
    }
    assert_ne!(waiting.join().unwrap(), Value::Nil);
    let got = c.call(&[
        "XREADGROUP",
        "GROUP",
        "mailer",
        "one",
        "COUNT",
        "2",
        "STREAMS",
        "changes:t",
        ">",
    ]);
    let stream = folio_tests::reply::list(folio_tests::reply::list(got).remove(0)).remove(1);
    are_gapless(&read(stream), 1);
    assert_eq!(c.int(&["XACK", "changes:t", "mailer", "1-0", "2-0"]), 2);
    let later = c.call(&["XREAD", "STREAMS", "changes:t", "2-0"]);
    let stream = folio_tests::reply::list(folio_tests::reply::list(later).remove(0)).remove(1);
    are_gapless(&read(stream), 3);
}

#[test]
fn keyspace_events_tell_of_sets_updates_and_removals() {
    let server = Server::start();
    let mut c = server.resp2();
    c.call(&["CONFIG", "SET", "notify-keyspace-events", "KAd"]);
    let mut listening = redis::Client::open(server.url()).unwrap().get_connection().unwrap();
    let mut listener = listening.as_pubsub();
    listener.psubscribe("__keyspace@0__:t:*").unwrap();
    c.call(&["DOC.SET", "t:1", r#"{"a":1}"#]);
    c.call(&["DOC.UPDATE", "t:1", "SET", "a", "2"]);
    c.call(&["DOC.DEL", "t:1"]);
    c.call(&["DOC.SET", "t:2", r#"{"a":1}"#]);
    c.call(&["DOC.DELETEMANY", "t", "WHERE", "a = 1", "SCAN"]);
    c.call(&["DOC.SET", "t:3", "{}"]);
    c.call(&["DOC.TXN", "t:3", r#"[{"op":"del","key":"t:3"}]"#]);
    c.call(&["DOC.SET", "t:4", "{}"]);
    c.call(&["DEL", "t:4"]);
    c.call(&["DOC.SET", "t:end", "{}"]);
    let mut events = Vec::new();
    loop {
        let message = listener.get_message().unwrap();
        let event: String = message.get_payload().unwrap();
        if message.get_channel_name().ends_with("t:end") {
            break;
        }
        if event.starts_with("doc.") || event == "del" {
            events.push(event);
        }
    }
    let removal = ["del", "doc.del"];
    let mut expected = vec!["doc.set", "doc.update"];
    expected.extend(removal);
    for _ in 0..2 {
        expected.push("doc.set");
        expected.extend(removal);
    }
    expected.extend(["doc.set", "del"]);
    assert_eq!(events, expected);
}
