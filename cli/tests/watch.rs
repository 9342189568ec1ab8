//! `folio watch`.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use crate::query::users;
use crate::tool::{folio, run};

#[test]
fn changes_are_followed_and_gone_on_with() {
    let server = users();
    let mut client = server.resp3();
    let ran = run(server.url(), &["watch", "users"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("DOC.ALTER users SET CHANGES AFTER"), "{ran:?}");

    client.call(&["DOC.ALTER", "users", "SET", "CHANGES", "BOTH"]);
    let mut command = folio(server.url(), &["watch", "users", "--count", "2"]);
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut told = BufReader::new(child.stderr.take().expect("piped")).lines();
    assert_eq!(told.next().expect("a line").expect("text"), "following users, ctrl-c ends it");
    client.call(&["DOC.UPDATE", "users:1", "SET", "age", "37"]);
    client.call(&["DEL", "users:2"]);
    let output = child.wait_with_output().expect("it ends after two");
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines: Vec<&str> = shown.lines().collect();
    assert!(
        lines[0].contains("update  users:1  age  {") && lines[0].contains("\"fee\":1.10"),
        "{shown}"
    );
    assert!(lines[1].contains("delete  users:2"), "{shown}");

    let words = ["watch", "users", "--from-oldest", "--count", "1", "--json"];
    let ran = run(server.url(), &words);
    assert!(
        ran.out.starts_with("{\"op\":\"update\",\"key\":\"users:1\",\"version\":4,"),
        "{ran:?}"
    );
    assert!(ran.out.contains("\"token\":\"1-0\",\"paths\":[\"age\"],\"before\":{"), "{ran:?}");
    let ran = run(server.url(), &["watch", "users", "--after", "1-0", "--idle", "1", "--json"]);
    assert_eq!(ran.code, 0);
    assert!(ran.out.lines().count() == 1 && ran.out.contains("\"op\":\"delete\""), "{ran:?}");

    client.call(&["XTRIM", "changes:users", "MAXLEN", "0"]);
    client.call(&["DOC.UPDATE", "users:1", "SET", "age", "38"]);
    let ran = run(server.url(), &["watch", "users", "--after", "1-0", "--idle", "1"]);
    assert!(ran.out.contains("1 changes were missed: read all anew"), "{ran:?}");
}
