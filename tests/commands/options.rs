//! What a collection declares as a whole: TTL and IDS.

use folio_tests::replica::{follow, in_sync};
use folio_tests::{Client, Server, over_both};
use redis::Value;

/// A command of words between spaces.
fn words(command: &str) -> Vec<&str> {
    command.split(' ').collect()
}

#[track_caller]
fn ok(c: &mut Client, command: &str) {
    assert_eq!(c.text(&words(command)).as_deref(), Some("OK"), "{command}");
}

/// Whether the key lapses in `seconds`, give or take ten; 0 stands for never.
#[track_caller]
fn assert_ttl(c: &mut Client, key: &str, seconds: i64) {
    let ttl = c.int(&["TTL", key]);
    let is_right = if seconds == 0 { ttl == -1 } else { (seconds - 10..=seconds).contains(&ttl) };
    assert!(is_right, "{key} has {ttl} seconds, not {seconds}");
}

#[test]
fn options_are_declared_printed_and_changed() {
    over_both(|c| {
        ok(c, "DOC.CREATE s ids SEQUENCE ttl 60 FIELD n int UNIQUE");
        let schema = |c: &mut Client| c.text(&["DOC.SCHEMA", "s"]).expect("it is declared");
        let printed = schema(c);
        assert!(
            printed.contains(r#""mode":"open","ttl":60,"ids":"sequence","fields""#),
            "{printed}"
        );
        let again = c.text(&["DOC.CREATE", "s", "DEFINITION", &printed]);
        assert_eq!(again.as_deref(), Some("OK"));
        let other = c.error(&words("DOC.CREATE s IDS SEQUENCE TTL 61 FIELD n int UNIQUE"));
        assert!(other.starts_with("COLLECTIONEXISTS "), "{other}");
        ok(c, "DOC.ALTER s SET TTL 0 SET IDS uuid7");
        let plain = r#"{"collection":"s","prefix":"s:","mode":"open","fields":[{"path":"n","type":"int","unique":true}]}"#;
        assert_eq!(schema(c), plain);
        // With something else it is one change.
        ok(c, "DOC.ALTER s SET IDS ULID ADD FIELD m int SET MODE STRICT");
        assert!(schema(c).contains(r#""mode":"strict","ids":"ulid""#));
        assert_eq!(c.error(&words("DOC.ALTER s SET TTL -1")), "ERR TTL -1 is negative");
        assert_eq!(
            c.error(&words("DOC.ALTER s SET TTL 1000000000001")),
            "SCHEMA a TTL of 1000000000001 seconds exceeds the limit of 1000000000000"
        );
        let takes = "ERR IDS takes UUID7, ULID or SEQUENCE, not 'serial'";
        assert_eq!(c.error(&words("DOC.ALTER s SET IDS serial")), takes);
        assert_eq!(c.error(&words("DOC.CREATE t IDS serial")), takes);
        assert_eq!(c.error(&words("DOC.CREATE t TTL 1 TTL 2")), "ERR option 'TTL' is given twice");
        assert!(schema(c).contains(r#""mode":"strict","ids":"ulid""#));
    });
}

#[test]
fn whole_documents_get_the_ttl_of_the_collection() {
    over_both(|c| {
        c.call(&["DOC.SET", "s:before", "{}"]);
        ok(c, "DOC.CREATE s TTL 100");
        assert_ttl(c, "s:before", 0);
        c.call(&words("DOC.SET s:set {}"));
        c.call(&words("DOC.SET s:own {} EX 1000"));
        c.call(&words("DOC.SET s:kept {} KEEPTTL"));
        c.call(&words("DOC.MSET s:m1 {} other:m2 {}"));
        c.call(&words("DOC.UPDATE s:upserted UPSERT SET a 1"));
        c.call(&words("DOC.UPDATE s:for-good UPSERT SET a 1 PERSIST"));
        c.call(&words("DOC.INSERT s {} ID inserted"));
        c.call(&words("DOC.INSERT s {} ID inserted-own EX 1000"));
        let ops = r#"[{"op":"set","key":"s:t1","value":{}},{"op":"set","key":"s:t2","value":{},"ex":1000},
            {"op":"insert","key":"s:t3","value":{}},{"op":"update","key":"s:t4","upsert":true,"ops":[["SET","a",1]]},
            {"op":"set","key":"s:t5","value":{},"keepttl":true},
            {"op":"del","key":"s:m1"},{"op":"update","key":"s:m1","upsert":true,"ops":[["SET","a",1]]}]"#;
        c.call(&["DOC.TXN", "s:t1", "s:t2", "s:t3", "s:t4", "s:t5", "s:m1", ops]);
        for (key, seconds) in [
            ("s:set", 100),
            ("s:own", 1000),
            ("s:kept", 0),
            ("s:m1", 100),
            ("other:m2", 0),
            ("s:upserted", 100),
            ("s:for-good", 0),
            ("s:inserted", 100),
            ("s:inserted-own", 1000),
            ("s:t1", 100),
            ("s:t2", 1000),
            ("s:t3", 100),
            ("s:t4", 100),
            ("s:t5", 0),
        ] {
            assert_ttl(c, key, seconds);
        }
        // An update keeps what is there; the same text again begins anew.
        c.call(&words("EXPIRE s:set 5000"));
        c.call(&words("DOC.UPDATE s:set SET a 1"));
        assert_ttl(c, "s:set", 5000);
        c.call(&["DOC.SET", "s:set", r#"{"a":1}"#, "KEEPTTL"]);
        assert_ttl(c, "s:set", 5000);
        let version = c.call(&words("DOC.SET s:own {}"));
        assert_eq!(c.call(&words("DOC.SET s:own {}")), version);
        assert_ttl(c, "s:own", 100);
        // Another TTL is for what comes.
        ok(c, "DOC.ALTER s SET TTL 7000");
        assert_ttl(c, "s:own", 100);
        c.call(&words("DOC.SET s:later {}"));
        assert_ttl(c, "s:later", 7000);
        ok(c, "DOC.ALTER s SET TTL 0");
        c.call(&words("DOC.SET s:later {}"));
        assert_ttl(c, "s:later", 0);
        assert_eq!(c.call(&["DOC.VERIFY", "s"]), Value::Array(vec![]));
    });
}

#[test]
fn a_refused_or_unmet_write_leaves_the_ttl() {
    over_both(|c| {
        ok(c, "DOC.CREATE s TTL 100 FIELD n int");
        c.call(&words("DOC.SET s:1 {} EX 1000"));
        c.error(&["DOC.SET", "s:1", r#"{"n":"x"}"#]);
        assert_eq!(c.call(&words("DOC.SET s:1 {} NX")), Value::Nil);
        assert_ttl(c, "s:1", 1000);
    });
}

#[test]
fn a_change_of_options_builds_nothing() {
    let server = Server::start();
    let mut c = server.resp3();
    ok(&mut c, "DOC.CREATE s FIELD n int INDEX SORTED");
    for n in 0..1_100 {
        c.call(&["DOC.SET", &format!("s:{n}"), &format!(r#"{{"n":{n}}}"#)]);
    }
    // Builds rest, and a change that needs one would wait for it.
    c.call(&words("CONFIG SET folio.build-slice-us 0"));
    ok(&mut c, "DOC.ALTER s SET TTL 100 SET IDS SEQUENCE");
    assert_eq!(c.info("folio", "folio_builds"), "0");
    assert_eq!(c.text(&words("DOC.INSERT s {}")).as_deref(), Some("1100"));
}

#[test]
fn a_replica_gets_options_and_absolute_times() {
    let (primary, replica) = (Server::start(), Server::start());
    let (mut p, mut r) = (primary.resp2(), replica.resp2());
    ok(&mut p, "DOC.CREATE s TTL 100");
    follow(&replica, &primary);
    in_sync(&primary, &replica);
    p.call(&words("DOC.SET s:1 {}"));
    ok(&mut p, "DOC.ALTER s SET TTL 200 SET IDS SEQUENCE");
    p.call(&words("MULTI"));
    p.call(&words("DOC.SET s:2 {}"));
    p.call(&words("EXEC"));
    p.call(&["EVAL", "return redis.call('DOC.INSERT', 's', '{}')", "0"]);
    in_sync(&primary, &replica);
    for c in [&mut p, &mut r] {
        assert_ttl(c, "s:1", 100);
        assert_ttl(c, "s:2", 200);
        assert_ttl(c, "s:3", 200);
    }
    let times = |c: &mut Client| ["s:1", "s:2", "s:3"].map(|key| c.int(&["PEXPIRETIME", key]));
    assert_eq!(times(&mut p), times(&mut r));
    assert_eq!(p.text(&["DOC.SCHEMA", "s"]), r.text(&["DOC.SCHEMA", "s"]));
}
