//! `folio query`, and how every command fails.

use folio_tests::Server;

use crate::tool::{Ran, run};

/// A server with three users.
pub fn users() -> Server {
    let server = Server::start();
    let mut client = server.resp3();
    client.call(&[
        "DOC.CREATE",
        "users",
        "FIELD",
        "email",
        "string",
        "UNIQUE",
        "FIELD",
        "age",
        "int",
        "INDEX",
        "SORTED",
        "FIELD",
        "tags",
        "array<string>",
        "INDEX",
        "SET",
    ]);
    let users = [
        ("users:1", r#"{"email":"ada@example.com","age":36,"tags":["math","vip"],"fee":1.10}"#),
        (
            "users:2",
            r#"{"email":"grace@example.com","age":45,"tags":["navy"],"fee":9007199254740993}"#,
        ),
        ("users:3", r#"{"email":"l'aquila@example.com","age":18,"tags":[]}"#),
    ];
    for (key, json) in users {
        client.call(&["DOC.SET", key, json]);
    }
    server
}

fn query(server: &Server, words: &[&str]) -> Ran {
    run(server.url(), &[&["query"], words].concat())
}

#[test]
fn rows_are_shown_as_a_table_and_as_json_with_their_digits() {
    let server = users();
    let ran = query(&server, &["users", "age > 30", "--order", "age:desc"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let rows: Vec<&str> = ran.out.lines().filter(|line| line.starts_with("│ users:")).collect();
    assert!(rows.len() == 2 && rows[0].contains("users:2") && rows[1].contains("1.10"), "{ran:?}");
    assert!(ran.err.starts_with("(2 rows, "), "{ran:?}");

    let ran = query(
        &server,
        &["users", "age = 45", "--select", "fee", "--total", "--versions", "--json"],
    );
    let whole = "{\"results\":[{\"key\":\"users:2\",\"version\":2,\"document\":{\"fee\":9007199254740993}}],\"total\":1}\n";
    assert_eq!((ran.out.as_str(), ran.err.as_str()), (whole, ""));
}

#[test]
fn parameters_are_json_or_plain_text() {
    let server = users();
    let filter = "age >= $min AND email = $email";
    let given =
        ["--param", "min=18", "--param", "email=l'aquila@example.com", "--param", "unused=1"];
    let ran = query(&server, &[&["users", filter, "--count"], &given[..]].concat());
    assert_eq!((ran.code, ran.out.as_str()), (0, "1\n"), "{ran:?}");
    let ran = query(&server, &["users", filter, "--param", "min=18"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("FILTER parameter $email has no value"), "{ran:?}");
    let ran = query(&server, &["users", "--param", "min"]);
    assert_eq!((ran.code, ran.err.as_str()), (2, "folio: --param: min is not name=value\n"));
}

#[test]
fn what_is_cut_says_so_and_goes_on() {
    let server = users();
    let ran = query(&server, &["users", "--order", "age", "-n", "2"]);
    let cursor = ran.err.trim().rsplit_once("--after ").map(|(_, cursor)| cursor.to_owned());
    let cursor = cursor.unwrap_or_else(|| panic!("no cursor in {ran:?}"));
    let ran = query(&server, &["users", "--order", "age", "-n", "2", "--after", &cursor]);
    assert!(ran.out.contains("users:2") && !ran.out.contains("users:1"), "{ran:?}");
    assert!(!ran.err.contains("--after"), "{ran:?}");
}

#[test]
fn plans_are_shown() {
    let server = users();
    let ran = query(&server, &["users", "age > 30", "--explain"]);
    assert!(ran.out.contains("sorted index age: age > 30 (2)"), "{ran:?}");
    let ran = query(&server, &["users", "age > 30", "--count", "--profile", "--json"]);
    assert!(ran.out.starts_with("[\"count users"), "{ran:?}");
}

#[test]
fn failures_have_codes_and_words() {
    let server = users();
    let cases: [(&[&str], i32, &str); 4] = [
        (&["query", "users", "age >"], 1, "folio: FILTER expected a path or a literal"),
        (&["query", "nobody"], 1, "folio: NOCOLLECTION no collection 'nobody'"),
        (&["query", "users", "a = 'x"], 2, "folio: the filter: ' is not closed at position 4"),
        (&["query"], 2, "error: "),
    ];
    for (words, code, start) in cases {
        let ran = run(server.url(), words);
        assert!(ran.code == code && ran.err.starts_with(start), "{words:?}: {ran:?}");
        assert_eq!(ran.out, "");
    }
    let ran = run(server.url(), &["query", "nobody", "--json"]);
    assert!(ran.err.starts_with("{\"error\":{\"code\":\"NOCOLLECTION\","), "{ran:?}");

    let ran = run(server.url(), &["query", "users", "--limit", "x", "--json"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.starts_with("{\"error\":{\"code\":\"USAGE\","), "{ran:?}");

    let nobody = "redis://ada:secret@127.0.0.1:1";
    let ran = run(nobody, &["query", "users"]);
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains("redis://127.0.0.1:1;") && !ran.err.contains("secret"), "{ran:?}");
}

#[test]
fn documents_do_not_steer_the_terminal() {
    let server = users();
    let key = "esc:\x1b]0;title\x07";
    server.resp3().call(&["DOC.SET", key, "{\"a\\u001b\":\"x\\u001b[2J\\ny\",\"n\":1}"]);
    for style in ["table", "records"] {
        let ran = query(&server, &["esc", "--style", style]);
        let is_harmless = |letter: char| letter == '\n' || !letter.is_control();
        assert!(ran.out.contains("x\\u{1b}[2J\\ny") && ran.out.chars().all(is_harmless), "{ran:?}");
    }
    let long = "n".repeat(70_000);
    server.resp3().call(&["DOC.SET", "wide:1", &format!("{{\"{long}\":1,\"a\":2}}")]);
    let ran = query(&server, &["wide", "--style", "records"]);
    assert!(ran.code == 0 && ran.out.contains("nnn..  1\n"), "{ran:?}");
}

#[test]
fn a_server_without_the_module_is_told_apart() {
    let plain = folio_tests::Options::new().without_module().start();
    let ran = run(plain.url(), &["verify"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.err.contains("the server has not loaded the Folio module"), "{ran:?}");
}
