//! DOC.CREATE, DROP, LIST, SCHEMA, INFO, VERIFY.

use std::time::SystemTime;

use folio_tests::{Client, Server, over_both, reply};
use redis::{ProtocolVersion, Value};

const USERS: &[&str] = &[
    "DOC.CREATE",
    "users",
    "FIELD",
    "email",
    "string",
    "REQUIRED",
    "UNIQUE",
    "INDEX",
    "SET",
    "FIELD",
    "age",
    "int",
    "INDEX",
    "SORTED",
];

fn ok(c: &mut Client, command: &[&str]) {
    assert_eq!(c.text(command).as_deref(), Some("OK"));
}

#[test]
fn the_identical_declaration_again_is_ok_and_another_is_refused() {
    over_both(|c| {
        ok(c, USERS);
        ok(c, USERS);
        let error = c.error(&["DOC.CREATE", "users", "FIELD", "age", "string"]);
        assert!(error.starts_with("COLLECTIONEXISTS "), "{error}");
    });
}

#[test]
fn what_schema_prints_declares_the_same() {
    over_both(|c| {
        ok(c, USERS);
        let schema = c.text(&["DOC.SCHEMA", "users"]).expect("a declared collection has a schema");
        ok(c, &["DOC.CREATE", "users", "DEFINITION", &schema]);
        ok(c, &["DOC.DROP", "users"]);
        ok(c, &["DOC.CREATE", "users", "DEFINITION", &schema]);
        assert_eq!(c.text(&["DOC.SCHEMA", "users"]), Some(schema));
    });
}

#[test]
fn collections_are_listed_by_name_and_by_pattern() {
    over_both(|c| {
        ok(c, USERS);
        c.call(&["DOC.SET", "notes:1", "{}"]);
        let mut names = c.texts(&["DOC.LIST"]);
        names.sort();
        assert_eq!(names, ["notes", "users"]);
        assert_eq!(c.texts(&["DOC.LIST", "u*"]), ["users"]);
    });
}

#[test]
fn a_declaration_over_documents_indexes_those_that_are_there() {
    over_both(|c| {
        for n in 0..50 {
            let document = format!(r#"{{"email":"{n}@example.org","age":{n}}}"#);
            c.call(&["DOC.SET", &format!("users:{n}"), &document]);
        }
        ok(c, USERS);
        assert_eq!(c.int(&["DOC.COUNT", "users", "WHERE", "age >= 40"]), 10);
        assert_eq!(c.call(&["DOC.VERIFY", "users"]), Value::Array(vec![]));
    });
}

#[test]
fn dropping_a_declaration_keeps_the_documents() {
    over_both(|c| {
        ok(c, USERS);
        c.call(&["DOC.SET", "users:1", r#"{"email":"a"}"#]);
        ok(c, &["DOC.DROP", "users"]);
        assert_eq!(c.int(&["DOC.COUNT", "users"]), 1);
        // Nothing is required any more.
        c.call(&["DOC.SET", "users:2", "{}"]);
        assert_eq!(c.call(&["DOC.VERIFY", "users"]), Value::Array(vec![]));
    });
}

#[test]
fn info_counts_documents() {
    over_both(|c| {
        ok(c, USERS);
        c.call(&["DOC.SET", "users:1", r#"{"email":"a"}"#]);
        assert_eq!(c.map(&["DOC.INFO", "users"])["documents"], Value::Int(1));
    });
}

/// The last refused writes of `users`, as key and error.
fn refused(c: &mut Client) -> Vec<(String, String)> {
    let protocol = if c.is_resp3() { ProtocolVersion::RESP3 } else { ProtocolVersion::RESP2 };
    let told = reply::list(c.map(&["DOC.INFO", "users"]).remove("refused").expect("it is there"));
    let told = told.into_iter().map(|refused| reply::map(protocol, refused));
    told.map(|refused| {
        let age = now_ms() - reply::int(&refused["at"]);
        assert!((0..60_000).contains(&age), "{age} ms ago");
        (reply::text(&refused["key"]), reply::text(&refused["error"]))
    })
    .collect()
}

fn now_ms() -> i64 {
    let since = SystemTime::UNIX_EPOCH.elapsed().expect("the clock is past 1970");
    i64::try_from(since.as_millis()).expect("milliseconds of 64 bits")
}

#[test]
fn info_tells_the_last_refused_writes() {
    over_both(|c| {
        ok(c, USERS);
        assert_eq!(refused(c), []);
        c.call(&["DOC.SET", "users:1", r#"{"email":"a","age":1}"#]);
        c.call(&["DOC.SET", "users:2", r#"{"email":"b","age":2}"#]);
        let by_txn = r#"[{"op":"update","key":"users:2","ops":[["INCR","age","x"]]}]"#;
        let twice = r#"[{"op":"set","key":"users:1","value":{"email":"b"}}]"#;
        // Each write, the key that it is refused for, and the code.
        let writes: [(&[&str], &str, &str); 9] = [
            (&["DOC.SET", "users:3", "{}"], "users:3", "SCHEMA"),
            (&["DOC.SET", "users:3", "{"], "users:3", "JSON"),
            (&["DOC.SET", "users:3", r#"{"email":"a"}"#], "users:3", "UNIQUE"),
            (&["DOC.UPDATE", "users:1", "SET", "age", "\"x\""], "users:1", "SCHEMA"),
            (&["DOC.UPDATE", "users:1", "INCR", "email", "1"], "users:1", "PATH"),
            (&["DOC.MSET", "users:4", r#"{"email":"d"}"#, "users:5", "{}"], "users:5", "SCHEMA"),
            (
                &["DOC.UPDATEMANY", "users", "WHERE", "age = 2", "UNSET", "email"],
                "users:2",
                "SCHEMA",
            ),
            (&["DOC.INSERT", "users", "{}", "ID", "6"], "users:6", "SCHEMA"),
            (&["DOC.TXN", "users:1", twice], "users:1", "UNIQUE"),
        ];
        let before = c.info_number("folio", "folio_refused_writes");
        for (write, key, code) in writes {
            let error = c.error(write);
            let told = refused(c);
            assert_eq!(told[0].0, key, "{write:?}");
            assert!(told[0].1.starts_with(&format!("{code} ")), "{write:?}: {told:?}");
            assert!(error.starts_with(code), "{write:?}: {error}");
        }
        let counted = c.info_number("folio", "folio_refused_writes") - before;
        assert_eq!(counted, 9, "each is counted once");
        c.error(&["DOC.TXN", "users:2", by_txn]);
        for _ in 0..5 {
            c.error(&["DOC.SET", "users:7", "[]"]);
        }
        let told: Vec<String> = refused(c).into_iter().map(|(key, _)| key).collect();
        let last = ["users:7"; 5]
            .into_iter()
            .chain(["users:2", "users:1", "users:6", "users:2", "users:5"]);
        assert_eq!(told, last.collect::<Vec<_>>());
        // Conditions that do not hold are no refusals, nor are writes of other collections.
        c.call(&["DOC.SET", "users:1", "{}", "NX"]);
        c.error(&["DOC.UPDATE", "users:1", "IFVERSION", "77", "SET", "age", "1"]);
        c.error(&["DOC.SET", "others:1", "{"]);
        assert_eq!(refused(c)[0].0, "users:7");
    });
}

#[test]
fn what_redis_brought_against_the_declaration_is_found() {
    over_both(|c| {
        ok(c, USERS);
        c.call(&["DOC.SET", "users:1", r#"{"email":"a"}"#]);
        c.call(&["DOC.SET", "users:2", r#"{"email":"b","age":3}"#]);
        c.call(&["DOC.SET", "other:1", r#"{"email":"c","age":"old"}"#]);
        let find = |c: &mut Client, filter: &str| c.keys(&["DOC.FIND", "users", "WHERE", filter]);
        assert_eq!(find(c, "_valid IS FALSE"), [""; 0]);
        c.call(&["RENAME", "other:1", "users:3"]);
        c.call(&["COPY", "users:1", "users:4"]);
        let broken = ["users:1", "users:3", "users:4"];
        for filter in ["_valid IS FALSE", "NOT _valid", "_valid != TRUE", "FALSE = _valid"] {
            assert_eq!(find(c, filter), broken, "{filter}");
        }
        assert_eq!(find(c, "_valid AND age >= 0"), ["users:2"]);
        assert_eq!(find(c, "NOT _valid AND email = 'c' OR `_valid` = 1"), ["users:3"]);
        assert_eq!(find(c, "_valid IS NULL OR _valid IS MISSING"), [""; 0]);
        assert_eq!(c.map(&["DOC.INFO", "users"])["invalid"], Value::Int(3));
        let error = c.error(&["DOC.COUNT", "users", "WHERE", "_valid = 1"]);
        assert_eq!(error, "FILTER 1 is no bool, as field _valid is declared at position 9");
        let error = c.error(&["DOC.COUNT", "users", "WHERE", "_valid.x"]);
        assert_eq!(error, "FILTER _valid is one value and has no parts at position 0");
        c.call(&["DEL", "users:4"]);
        c.call(&["DOC.UPDATE", "users:3", "UNSET", "age"]);
        let with = ["DOC.FIND", "users", "WHERE", "_valid = $no", "PARAMS", "1", "no", "false"];
        assert_eq!(c.keys(&with), [""; 0]);
        assert_eq!(c.map(&["DOC.INFO", "users"])["invalid"], Value::Int(0));
    });
}

/// The digests of `users`: of its documents, of their times, and of each index as path, kind, digest.
fn digests(c: &mut Client) -> (String, String, Vec<[String; 3]>) {
    let protocol = if c.is_resp3() { ProtocolVersion::RESP3 } else { ProtocolVersion::RESP2 };
    let mut told = c.map(&["DOC.VERIFY", "users", "DIGEST"]);
    let indexes =
        reply::list(told.remove("indexes").expect("there are indexes")).into_iter().map(|index| {
            let index = reply::map(protocol, index);
            ["path", "kind", "digest"].map(|name| reply::text(&index[name]))
        });
    let indexes: Vec<_> = indexes.collect();
    let [documents, times] = ["documents", "times"].map(|name| reply::text(&told[name]));
    for digest in indexes.iter().map(|index| &index[2]).chain([&documents, &times]) {
        assert!(digest.len() == 32 && digest.bytes().all(|b| b.is_ascii_hexdigit()), "{digest}");
    }
    assert_eq!(told.len(), 2);
    (documents, times, indexes)
}

#[test]
fn digests_are_those_of_every_server_that_was_sent_the_same() {
    over_both(|c| {
        let other = Server::start();
        let other = &mut other.resp2();
        for c in [&mut *c, other] {
            ok(c, USERS);
            for n in 0..50 {
                let document = format!(r#"{{"email":"{n}@example.org","age":{n}}}"#);
                c.call(&["DOC.SET", &format!("users:{n}"), &document]);
            }
            c.call(&["RENAME", "users:3", "users:three"]);
            c.call(&["DOC.UPDATE", "users:4", "INCR", "age", "1"]);
            c.call(&["DOC.DEL", "users:5"]);
        }
        let (documents, times, indexes) = digests(c);
        let (its_documents, _, its_indexes) = digests(other);
        assert_eq!((&documents, &indexes), (&its_documents, &its_indexes));
        assert!(indexes.len() > 1, "{indexes:?}");
        // What a reload and a new build of the indexes leave as it is.
        c.call(&["DEBUG", "RELOAD"]);
        assert_eq!(digests(c), (documents.clone(), times.clone(), indexes.clone()));
        ok(c, &["DOC.DROP", "users"]);
        assert_eq!(digests(c), (documents.clone(), times.clone(), Vec::new()));
        ok(c, USERS);
        assert_eq!(digests(c), (documents.clone(), times, indexes.clone()));
        // What does not.
        c.call(&["DOC.UPDATE", "users:7", "INCR", "age", "1"]);
        let changed = digests(c);
        assert_ne!(changed.0, documents);
        for (before, after) in indexes.iter().zip(&changed.2) {
            assert_eq!(before[0] == "age", before[2] != after[2], "{before:?} {after:?}");
        }
    });
}

/// Every kind of index that is declared by itself.
const TICKETS: &[&str] = &[
    "DOC.CREATE",
    "tickets",
    "FIELD",
    "status",
    "string",
    "FIELD",
    "tags",
    "array<string>",
    "FIELD",
    "title",
    "string",
    "INDEX",
    "SUBSTRING",
    "INDEX",
    "by_status",
    "ON",
    "2",
    "status",
    "created",
    "DESC",
    "INDEX",
    "one_open",
    "ON",
    "2",
    "room",
    "slot",
    "UNIQUE",
    "NULLS",
    "NOT",
    "DISTINCT",
    "WHERE",
    "status = 'open'",
    "INDEX",
    "tagged",
    "ON",
    "1",
    "tags",
    "USING",
    "SET",
    "INDEX",
    "words",
    "ON",
    "1",
    "note",
    "USING",
    "SUBSTRING",
];

#[test]
fn indexes_by_themselves_are_declared_told_and_used() {
    over_both(|c| {
        ok(c, TICKETS);
        let schema =
            c.text(&["DOC.SCHEMA", "tickets"]).expect("a declared collection has a schema");
        assert!(schema.contains(r#""nulls":"not distinct","where":"status = 'open'""#), "{schema}");
        ok(c, &["DOC.CREATE", "tickets", "DEFINITION", &schema]);
        let ticket = |status: &str, slot: u32| {
            format!(
                r#"{{"status":"{status}","created":{slot},"room":"A","slot":{slot},"title":"Leaking Pipe {slot}"}}"#
            )
        };
        for slot in 0..20 {
            c.call(&["DOC.SET", &format!("tickets:{slot}"), &ticket("open", slot)]);
        }
        let error = c.error(&["DOC.SET", "tickets:x", &ticket("open", 7)]);
        assert_eq!(error, "UNIQUE the values at room, slot are held by tickets:7");
        c.call(&["DOC.SET", "tickets:x", &ticket("closed", 7)]);
        let error = c.error(&["DOC.UPDATE", "tickets:x", "SET", "status", "\"open\""]);
        assert_eq!(error, "UNIQUE the values at room, slot are held by tickets:7");
        let find = [
            "DOC.FIND",
            "tickets",
            "WHERE",
            "status = 'open' AND created > 14",
            "ORDER",
            "1",
            "created",
            "DESC",
        ];
        let found = c.keys(&find);
        assert_eq!(found, ["tickets:19", "tickets:18", "tickets:17", "tickets:16", "tickets:15"]);
        let plan = c.texts(&[&["DOC.EXPLAIN", "tickets", "FIND"], &find[2..]].concat()).join("\n");
        assert!(plan.contains("walk sorted index by_status (status, created DESC)"), "{plan}");
        assert!(plan.contains("status = 'open' AND created > 14 (5)"), "{plan}");
        let of_parts = "title ILIKE '%king pipe 7'";
        assert_eq!(c.keys(&["DOC.FIND", "tickets", "WHERE", of_parts]), ["tickets:7", "tickets:x"]);
        assert_eq!(c.call(&["DOC.VERIFY", "tickets"]), Value::Array(vec![]));
        let told =
            reply::list(c.map(&["DOC.INFO", "tickets"]).remove("indexes").expect("it has some"));
        let protocol = if c.is_resp3() { ProtocolVersion::RESP3 } else { ProtocolVersion::RESP2 };
        let told: Vec<_> = told.into_iter().map(|index| reply::map(protocol, index)).collect();
        let kinds: Vec<String> = told.iter().map(|index| reply::text(&index["kind"])).collect();
        assert_eq!(kinds, ["substring", "sorted", "sorted", "set", "substring"]);
        assert_eq!(reply::text(&told[1]["path"]), "status, created DESC");
        assert_eq!(reply::text(&told[2]["name"]), "one_open");
        assert_eq!(reply::text(&told[2]["where"]), "status = 'open'");
        assert_eq!(told[2]["entries"], Value::Int(20));
        assert!(!told[0].contains_key("name") && !told[1].contains_key("where"));
    });
}

#[test]
fn an_index_that_makes_no_sense_is_refused() {
    over_both(|c| {
        let mut error =
            |rest: &[&str]| c.error(&[&["DOC.CREATE", "t", "INDEX", "i", "ON"], rest].concat());
        assert_eq!(error(&["2", "a", "a"]), "SCHEMA index i is over a twice");
        assert_eq!(
            error(&["1", "a[2]"]),
            "SCHEMA index i names one element of an array, a[2]: index [*]"
        );
        assert_eq!(
            error(&["1", "a", "USING", "SUBSTRING", "UNIQUE"]),
            "SCHEMA index i is USING SUBSTRING and cannot be UNIQUE"
        );
        assert_eq!(
            error(&["1", "a", "WHERE", "_valid"]),
            "SCHEMA index i WHERE: _valid is no part of a document, which alone decides, at position 0"
        );
        assert!(
            error(&["1", "a", "WHERE", "a ="])
                .starts_with("SCHEMA index i WHERE: expected a path or a literal")
        );
        assert_eq!(error(&["3", "a"]), "ERR ON is 3, and 1 follow");
    });
}
