//! DOC.INSERT: ids that are given, and ids that the server makes.

use folio_tests::{Client, over_both};
use redis::Value;

/// A command of words between spaces.
fn words(command: &str) -> Vec<&str> {
    command.split(' ').collect()
}

fn insert(c: &mut Client, command: &str) -> String {
    c.text(&words(command)).expect("an id")
}

#[test]
fn a_given_id_is_taken_once() {
    over_both(|c| {
        assert_eq!(insert(c, r#"DOC.INSERT users {"n":1} ID ada"#), "ada");
        assert_eq!(c.text(&["DOC.GET", "users:ada"]).as_deref(), Some(r#"{"n":1}"#));
        assert_eq!(c.texts(&["DOC.LIST"]), ["users"]);
        let error = c.error(&words(r#"DOC.INSERT users {"n":2} ID ada"#));
        assert_eq!(error, "EXISTS 'users:ada' is there already");
        assert_eq!(c.text(&["DOC.GET", "users:ada"]).as_deref(), Some(r#"{"n":1}"#));
        c.call(&["SET", "users:text", "x"]);
        let error = c.error(&words("DOC.INSERT users {} ID text"));
        assert!(error.starts_with("WRONGTYPE "), "{error}");
        assert_eq!(insert(c, "DOC.INSERT users {} ID a:b px 100000"), "a:b");
        assert!(c.int(&["PTTL", "users:a:b"]) > 50_000);
        // A time in the past writes, then deletes.
        assert_eq!(insert(c, "DOC.INSERT users {} ID gone EXAT 1"), "gone");
        assert_eq!(c.int(&["EXISTS", "users:gone"]), 0);
        c.call(&words("DOC.CREATE orders PREFIX o: FIELD n int UNIQUE"));
        assert_eq!(insert(c, r#"DOC.INSERT orders {"n":1} ID 7"#), "7");
        assert_eq!(c.int(&["EXISTS", "o:7"]), 1);
        let error = c.error(&words(r#"DOC.INSERT orders {"n":1}"#));
        assert_eq!(error, "UNIQUE the value at n is held by o:7");
        assert_eq!(c.int(&["DOC.COUNT", "orders"]), 1);
    });
}

#[test]
fn what_names_no_place_is_refused() {
    over_both(|c| {
        let mut error = |command: &str| c.error(&words(command));
        assert_eq!(
            error("DOC.INSERT a:b {}"),
            "SCHEMA 'a:b' is no collection name: empty or with a ':'"
        );
        let empty = error("DOC.INSERT a {} ID ");
        assert!(empty.starts_with("KEY 'a:' has an empty id"), "{empty}");
        assert!(error("DOC.INSERT a {").starts_with("JSON "));
        assert_eq!(error("DOC.INSERT a {} ID"), "ERR ID is missing");
        assert_eq!(error("DOC.INSERT a {} EX 1 PX 1"), "ERR EX and PX exclude each other");
        assert_eq!(error("DOC.INSERT a {} EX 0"), "ERR EX 0 is no time to expire at");
        assert!(error("DOC.INSERT a {} KEEPTTL").starts_with("ERR unknown option 'KEEPTTL'"));
        c.call(&words("DOC.CREATE wide PREFIX us"));
        let other = c.error(&words("DOC.INSERT users {}"));
        assert_eq!(other, "KEY keys that begin with 'users:' belong to another collection");
        assert_eq!(c.texts(&["DOC.LIST"]), ["wide"]);
    });
}

#[test]
fn ids_that_the_server_makes_ascend() {
    over_both(|c| {
        c.call(&words("DOC.CREATE u IDS ULID"));
        for (name, bytes) in [("open", 36), ("u", 26)] {
            let ids: Vec<String> =
                (0..50).map(|_| insert(c, &format!("DOC.INSERT {name} {{}}"))).collect();
            let mut sorted = ids.clone();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(ids, sorted);
            assert!(ids.iter().all(|id| id.len() == bytes), "{ids:?}");
            assert_eq!(c.int(&["DOC.COUNT", name]), 50);
        }
        // Version 7 of RFC 9562.
        assert_eq!(&insert(c, "DOC.INSERT open {}")[14..15], "7");
    });
}

#[test]
fn a_sequence_goes_on_above_every_decimal_id() {
    over_both(|c| {
        c.call(&["DOC.SET", "s:5", "{}"]);
        c.call(&words("DOC.CREATE s IDS SEQUENCE FIELD n int"));
        assert_eq!(insert(c, "DOC.INSERT s {}"), "6");
        assert_eq!(insert(c, "DOC.INSERT s {} ID 9"), "9");
        assert_eq!(insert(c, "DOC.INSERT s {} ID 011"), "011");
        assert_eq!(insert(c, "DOC.INSERT s {} ID 99999999999999999999"), "99999999999999999999");
        assert_eq!(insert(c, "DOC.INSERT s {}"), "10");
        // What is refused takes no number, and a removed document gives none back.
        assert!(c.error(&words(r#"DOC.INSERT s {"n":"x"}"#)).starts_with("SCHEMA "));
        c.call(&["DEL", "s:10"]);
        assert_eq!(insert(c, "DOC.INSERT s {}"), "11");
        // Keys of another type are passed over.
        c.call(&["MSET", "s:12", "x", "s:13", "x"]);
        assert_eq!(insert(c, "DOC.INSERT s {}"), "14");
        c.call(&["RENAME", "s:14", "s:20"]);
        assert_eq!(insert(c, "DOC.INSERT s {}"), "21");
        c.call(&["FLUSHDB"]);
        assert_eq!(insert(c, "DOC.INSERT s {}"), "22");
        c.call(&words("DOC.SET s:9007199254740992 {}"));
        let last = "OVERFLOW the sequence has reached 9007199254740992, the last of its numbers";
        assert_eq!(c.error(&words("DOC.INSERT s {}")), last);
        assert_eq!(c.call(&["DOC.VERIFY", "s"]), Value::Array(vec![]));
    });
}

#[test]
fn a_sequence_gives_up_before_many_keys_of_other_types() {
    over_both(|c| {
        c.call(&words("DOC.CREATE s IDS SEQUENCE"));
        for n in 1..=1_000 {
            c.call(&["SET", &format!("s:{n}"), "x"]);
        }
        let error = c.error(&words("DOC.INSERT s {}"));
        assert!(error.starts_with("EXISTS the 1000 keys up to 's:1000' are taken"), "{error}");
        assert_eq!(insert(c, "DOC.INSERT s {} ID 1001"), "1001");
        assert_eq!(insert(c, "DOC.INSERT s {}"), "1002");
    });
}

#[test]
fn it_works_in_multi_and_in_scripts() {
    over_both(|c| {
        c.call(&words("DOC.CREATE s IDS SEQUENCE"));
        c.call(&["MULTI"]);
        c.call(&words("DOC.INSERT s {}"));
        c.call(&words("DOC.INSERT s {}"));
        let ids = |ids: [&str; 2]| ids.map(|id| Value::BulkString(id.into())).to_vec();
        assert_eq!(c.call(&["EXEC"]), Value::Array(ids(["1", "2"])));
        let script =
            "return {redis.call('DOC.INSERT', 's', '{}'), redis.call('DOC.INSERT', 's', '{}')}";
        assert_eq!(c.call(&["EVAL", script, "0"]), Value::Array(ids(["3", "4"])));
    });
}
