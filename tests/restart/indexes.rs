//! Indexes that are declared by themselves come back with their declaration, and hold what they held.

use folio_tests::reply::text;
use folio_tests::{Client, Options, Server};
use redis::Value;

const CREATE: &[&str] = &[
    "DOC.CREATE",
    "t",
    "FIELD",
    "status",
    "string",
    "FIELD",
    "title",
    "string",
    "INDEX",
    "SUBSTRING",
    "INDEX",
    "pair",
    "ON",
    "2",
    "status",
    "n",
    "DESC",
    "INDEX",
    "open",
    "ON",
    "1",
    "n",
    "WHERE",
    "status = 'open' OR note MATCHES '^x+$'",
    "INDEX",
    "once",
    "ON",
    "2",
    "n",
    "tags[*]",
    "UNIQUE",
    "NULLS",
    "NOT",
    "DISTINCT",
    "INDEX",
    "notes",
    "ON",
    "1",
    "note",
    "USING",
    "SUBSTRING",
];

fn held(c: &mut Client) -> Vec<Value> {
    assert_eq!(c.call(&["DOC.VERIFY", "t"]), Value::Array(vec![]));
    let digests = c.map(&["DOC.VERIFY", "t", "DIGEST"]);
    let where_open = ["DOC.FIND", "t", "WHERE", "status = 'open'", "ORDER", "1", "n"];
    vec![
        c.call(&["DOC.SCHEMA", "t"]),
        digests["indexes"].clone(),
        digests["documents"].clone(),
        c.call(&where_open),
        c.call(&[&["DOC.EXPLAIN", "t", "FIND"], &where_open[2..]].concat()),
        c.call(&["DOC.FIND", "t", "WHERE", "title ILIKE '%number 1_%'"]),
    ]
}

fn check(mut server: Server, restart: impl Fn(&mut Server)) {
    let mut c = server.resp3();
    c.call(CREATE);
    for n in 0..300 {
        let status = ["open", "closed", "new"][n % 3];
        let document = format!(
            r#"{{"status":"{status}","title":"Number {n}","n":{n},"tags":["a","b"],"note":"xx"}}"#
        );
        c.call(&["DOC.SET", &format!("t:{n}"), &document]);
    }
    c.call(&["DOC.UPDATE", "t:3", "SET", "status", "\"closed\""]);
    c.call(&["RENAME", "t:4", "t:four"]);
    c.call(&["DOC.DEL", "t:6"]);
    let before = held(&mut c);
    assert!(text(&before[0]).contains(r#""nulls":"not distinct""#));
    restart(&mut server);
    let mut c = server.resp3();
    assert_eq!(held(&mut c), before);
    let error = c.error(&["DOC.SET", "t:x", r#"{"n":7,"tags":["b"]}"#]);
    assert_eq!(error, "UNIQUE the values at n, tags[*] are held by t:7");
}

#[test]
fn a_snapshot_keeps_every_kind_of_index() {
    check(Server::start(), Server::restart);
}

#[test]
fn an_append_only_file_keeps_every_kind_of_index() {
    check(Options::new().appendonly().start(), Server::restart_without_saving);
}
