//! Declarations of CHANGES, what a stream keeps, and whose key it is.

use folio_tests::{Client, over_both};

use super::entry::{all, are_gapless, lines, settled, settled_lines};

fn set(c: &mut Client, count: usize) {
    for n in 0..count {
        c.call(&["DOC.SET", &format!("t:{n}"), "{}"]);
    }
}

#[test]
fn a_declaration_says_it_in_arguments_and_as_json() {
    over_both(|c| {
        c.call(&["DOC.CREATE", "t", "CHANGES", "AFTER", "MAXLEN", "1000", "FIELD", "n", "int"]);
        let json = c.text(&["DOC.SCHEMA", "t"]).unwrap();
        assert!(json.ends_with(r#""changes":{"what":"after","maxlen":1000}}"#), "{json}");
        let again = ["DOC.CREATE", "t", "DEFINITION", &json];
        assert_eq!(c.text(&again).as_deref(), Some("OK"));
        let other = c.error(&["DOC.CREATE", "t", "FIELD", "n", "int", "CHANGES", "AFTER"]);
        assert!(other.starts_with("COLLECTIONEXISTS"), "{other}");
        let refused =
            |c: &mut Client, words: &[&str]| c.error(&[&["DOC.CREATE", "u"], words].concat());
        let none = refused(c, &["CHANGES", "KEYS", "MAXLEN", "0"]);
        assert_eq!(none, "SCHEMA CHANGES MAXLEN 0 is not from 1 to 9223372036854775807");
        assert_eq!(refused(c, &["CHANGES", "ALL"]), "ERR unknown option 'ALL'");
        let twice = refused(c, &["CHANGES", "KEYS", "CHANGES", "BOTH"]);
        assert_eq!(twice, "ERR option 'CHANGES' is given twice");
        let negative = refused(c, &["CHANGES", "MAXLEN", "-1"]);
        assert!(negative.starts_with("ERR MAXLEN"), "{negative}");
        assert_eq!(c.map(&["DOC.INFO", "t"])["changes"], redis::Value::Int(0));
    });
}

#[test]
fn changes_are_turned_on_and_off_at_once_and_numbers_go_on() {
    over_both(|c| {
        c.call(&["DOC.CREATE", "t", "FIELD", "n", "int", "INDEX", "SORTED"]);
        set(c, 2_000);
        // At once, whatever the number of documents: in a transaction too.
        c.call(&["DOC.ALTER", "t", "SET", "CHANGES", "KEYS"]);
        assert_eq!(c.int(&["EXISTS", "changes:t"]), 0);
        c.call(&["DOC.SET", "t:0", r#"{"n":1}"#]);
        c.call(&["DOC.ALTER", "t", "SET", "CHANGES", "AFTER", "MAXLEN", "50"]);
        c.call(&["DOC.SET", "t:0", r#"{"n":2}"#]);
        c.call(&["DOC.ALTER", "t", "SET", "CHANGES", "OFF"]);
        assert!(!c.text(&["DOC.SCHEMA", "t"]).unwrap().contains("changes"));
        c.call(&["DOC.SET", "t:0", r#"{"n":3}"#]);
        c.call(&["DOC.ALTER", "t", "SET", "CHANGES", "BOTH", "ADD", "FIELD", "m", "int"]);
        c.call(&["DOC.SET", "t:0", r#"{"n":4}"#]);
        let expected = [
            r#"1 update t:0 #2001 ["n"]"#,
            r#"2 update t:0 #2002 ["n"] . -> {"n":2}"#,
            r#"3 update t:0 #2004 ["n"] {"n":3} -> {"n":4}"#,
        ];
        assert_eq!(lines(c, "t"), expected);
        assert_eq!(c.call(&["DOC.VERIFY", "t"]), redis::Value::Array(vec![]));
        let none = c.error(&["DOC.ALTER", "t", "SET", "CHANGES", "KEYS", "MAXLEN", "0"]);
        assert!(none.starts_with("SCHEMA CHANGES MAXLEN 0"), "{none}");
    });
}

#[test]
fn documents_that_a_declaration_finds_are_not_told() {
    over_both(|c| {
        set(c, 3);
        c.call(&["DOC.CREATE", "t", "CHANGES"]);
        c.call(&["DOC.DEL", "t:1"]);
        assert_eq!(lines(c, "t"), ["1 delete t:1 #2"]);
        c.call(&["DOC.DROP", "t"]);
        c.call(&["DOC.DEL", "t:0"]);
        assert_eq!(lines(c, "t").len(), 1);
        // What the stream holds is gone on after.
        c.call(&["DOC.CREATE", "t", "CHANGES"]);
        c.call(&["DOC.DEL", "t:2"]);
        assert_eq!(lines(c, "t"), ["1 delete t:1 #2", "2 delete t:2 #3"]);
        set(c, 2);
        c.call(&["DOC.DROP", "t", "DOCUMENTS"]);
        let told = lines(c, "t");
        assert_eq!(told.len(), 5, "{told:?}");
        assert!(told[4].starts_with("5 flush #") && told[4].ends_with(" (drop)"), "{told:?}");
    });
}

#[test]
fn a_stream_is_trimmed_and_the_gap_shows() {
    over_both(|c| {
        c.call(&["DOC.CREATE", "t", "CHANGES", "KEYS", "MAXLEN", "10"]);
        set(c, 500);
        let told = all(c, "t");
        // The server trims whole nodes of 100 entries.
        assert!((10..=200).contains(&told.len()), "{}", told.len());
        are_gapless(&told, 501 - told.len() as u64);
        c.call(&["XTRIM", "changes:t", "MINID", "499"]);
        are_gapless(&all(c, "t"), 499);
    });
}

#[test]
fn a_number_is_never_given_twice() {
    over_both(|c| {
        c.call(&["DOC.CREATE", "t", "CHANGES"]);
        set(c, 3);
        c.call(&["DEL", "changes:t"]);
        set(c, 0);
        c.call(&["DOC.SET", "t:a", "{}"]);
        assert_eq!(all(c, "t")[0].number, 4);
        // Somebody else's entry.
        c.call(&["XADD", "changes:t", "10-5", "a", "b"]);
        c.call(&["DOC.SET", "t:b", "{}"]);
        c.call(&["XDEL", "changes:t", "10-5"]);
        assert_eq!(all(c, "t").last().unwrap().number, 11);
        // One of which the server tells nobody.
        c.call(&["XADD", "other", "20-0", "a", "b"]);
        c.call(&["RENAME", "other", "changes:t"]);
        c.call(&["DOC.SET", "t:c", "{}"]);
        assert_eq!(all(c, "t").last().unwrap().number, 21);
        c.call(&["XSETID", "changes:t", "30-0"]);
        c.call(&["DOC.SET", "t:d", "{}"]);
        c.call(&["DOC.SET", "t:e", "{}"]);
        are_gapless(&all(c, "t")[2..], 31);
        assert_eq!(c.map(&["DOC.INFO", "t"])["changes"], redis::Value::Int(32));
    });
}

#[test]
fn a_key_of_another_type_refuses_writes_before_anything_changes() {
    over_both(|c| {
        c.call(&["DOC.CREATE", "t", "CHANGES", "BOTH"]);
        c.call(&["DOC.SET", "t:1", r#"{"n":1}"#]);
        c.call(&["SET", "changes:t", "mine"]);
        c.call(&["DOC.SET", "u:1", "{}"]);
        let refused =
            "WRONGTYPE the key 'changes:t' of the collection's change stream holds another type";
        for command in [
            &["DOC.SET", "t:1", "{}"][..],
            &["DOC.SET", "t:2", "{}"],
            &["DOC.UPDATE", "t:1", "INCR", "n", "1"],
            &["DOC.MSET", "u:1", r#"{"a":1}"#, "t:2", "{}"],
            &["DOC.DEL", "u:1", "t:1"],
            &["DOC.UPDATEMANY", "t", "WHERE", "n = 1", "SCAN", "INCR", "n", "1"],
            &["DOC.DELETEMANY", "t", "WHERE", "n = 1", "SCAN"],
            &["DOC.CLAIM", "t", "WHERE", "n = 1", "SCAN", "INCR", "n", "1"],
            &["DOC.TXN", "t:1", r#"[{"op":"del","key":"t:1"}]"#],
            &["DOC.DROP", "t", "DOCUMENTS"],
        ] {
            assert_eq!(c.error(command), refused, "{command:?}");
        }
        assert_eq!(c.text(&["DOC.GET", "t:1"]).as_deref(), Some(r#"{"n":1}"#));
        assert_eq!(c.text(&["DOC.GET", "u:1"]).as_deref(), Some("{}"));
        // The server's own commands are never refused: what they do is counted.
        c.call(&["DEL", "t:1"]);
        settled(c);
        assert_eq!(c.info_number("folio", "folio_changes_dropped"), 1);
        assert_eq!(c.text(&["GET", "changes:t"]).as_deref(), Some("mine"));
        // The number of the lost entry is not given again: the gap shows.
        c.call(&["DEL", "changes:t"]);
        c.call(&["DOC.SET", "t:1", "{}"]);
        assert_eq!(settled_lines(c, "t"), ["3 insert t:1 #2 . -> {}"]);
    });
}

#[test]
fn a_writer_needs_no_right_to_the_stream() {
    over_both(|c| {
        c.call(&["DOC.CREATE", "t", "CHANGES"]);
        c.call(&["ACL", "SETUSER", "writer", "on", ">w", "+@all", "~t:*"]);
        c.call(&["AUTH", "writer", "w"]);
        set(c, 1);
        assert!(c.error(&["XRANGE", "changes:t", "-", "+"]).starts_with("NOPERM"));
        c.call(&["AUTH", "default", ""]);
        assert_eq!(lines(c, "t"), ["1 insert t:0 #1"]);
    });
}
