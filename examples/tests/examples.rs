//! Each program is run on a server of its own, and what it prints is compared.

#![forbid(unsafe_code)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use folio::testing::Server;

fn server() -> Server {
    Server::start().expect("a server of this machine starts with the module")
}

/// What a program prints on an empty server, and when it is run again on what it has left.
fn printed(program: &str) -> String {
    let server = server();
    let run = || {
        let output = Command::new(program).arg(server.url()).output().expect("the program starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("it prints text")
    };
    let first = run();
    assert_eq!(first, run(), "the second run differs");
    first
}

#[test]
fn quickstart() {
    let printed = printed(env!("CARGO_BIN_EXE_quickstart"));
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines[0], "3 more books");
    assert_eq!(lines[1], "isbn is held by Emma: true");
    assert!(lines[2].contains("year"), "{}", lines[2]);
    assert_eq!(
        lines[3..],
        [
            "2 of 3 novels: Frankenstein, Persuasion",
            "Austen wrote Emma in 1815",
            "Austen wrote Persuasion in 1817",
            "most books: Some((\"Jane Austen\", 2))",
            "Emma, a novel (1816) [\"novel\", \"classic\"]",
            "the first copy is too old: true",
        ]
    );
}

#[test]
fn sessions() {
    assert_eq!(
        printed(env!("CARGO_BIN_EXE_sessions")),
        "ada has 2 sessions\nthe phone is alive after 7 requests\nthe laptop is gone: true\nada is on: phone\n\
         ada has 0 sessions\n"
    );
}

#[test]
fn jobs() {
    assert_eq!(
        printed(env!("CARGO_BIN_EXE_jobs")),
        "a worker dies with job 0\n3 workers did 20 jobs\nclaimed again: [0]\n[(Done, 20)]\n"
    );
}

#[test]
fn changes() {
    assert_eq!(
        printed(env!("CARGO_BIN_EXE_changes")),
        "2 changes: {\"London\": 100, \"New York\": 70}\n3 changes: {\"London\": 75, \"New York\": 100}\n\
         London: true\nNew York: true\n"
    );
}

#[test]
fn cache() {
    assert_eq!(
        printed(env!("CARGO_BIN_EXE_cache")),
        "100 tasks, the database was asked 1 times\nLamp for 4900 cents, the database was asked 0 times\n\
         Lamp for 3900 cents, the database was asked 1 times\nno sofa: true\n"
    );
}

/// A program that is ended when the test is over.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An answer: its status, its tag, its body.
fn ask(at: &str, line: &str, more: &str, body: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(at).expect("it listens");
    let length = body.len();
    write!(
        stream,
        "{line} HTTP/1.1\r\nhost: {at}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n{more}\r\n{body}"
    )
    .expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
    let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap_or_default();
    (status, tag.to_owned(), body.to_owned())
}

#[test]
fn web() {
    let server = server();
    let mut program = Command::new(env!("CARGO_BIN_EXE_web"));
    program.args([server.url(), "0"]).stdout(Stdio::piped());
    let mut running = Running(program.spawn().expect("the program starts"));
    let mut line = String::new();
    let output = running.0.stdout.as_mut().expect("it is piped");
    BufReader::new(output).read_line(&mut line).expect("it says where it listens");
    let at = line.trim().strip_prefix("listening on http://").expect("an address");

    let milk = r#"{"title":"Milk","text":"two","tags":["it's \"fresh\""]}"#;
    let (status, tag, body) = ask(at, "POST /notes", "", milk);
    assert_eq!((status, tag.as_str()), (201, "\"1\""));
    let note: serde_json::Value = serde_json::from_str(&body).expect("a note");
    let path = format!("/notes/{}", note["id"].as_str().expect("an id"));
    assert_eq!(ask(at, "POST /notes", "", milk).0, 409);
    assert_eq!(ask(at, "POST /notes", "", r#"{"title":"","text":"two"}"#).0, 422);

    let (status, tag, read) = ask(at, &format!("GET {path}"), "", "");
    assert_eq!((status, tag.as_str(), read.as_str()), (200, "\"1\"", body.as_str()));
    let (put, more) = (format!("PUT {path}"), r#"{"title":"Milk","text":"three"}"#);
    assert_eq!(ask(at, &put, "", more).0, 428);
    let (status, tag, _) = ask(at, &put, "if-match: \"1\"\r\n", more);
    assert_eq!((status, tag.as_str()), (200, "\"2\""));
    assert_eq!(ask(at, &put, "if-match: \"1\"\r\n", more).0, 412);

    ask(at, "POST /notes", "", milk.replace("Milk", "Bread").as_str());
    let (status, _, listed) = ask(at, "GET /notes?tag=it%27s%20%22fresh%22", "", "");
    let listed: serde_json::Value = serde_json::from_str(&listed).expect("a list");
    assert_eq!((status, &listed["notes"][0]["title"]), (200, &"Bread".into()));
    assert_eq!(listed["notes"].as_array().map(Vec::len), Some(1));

    let delete = format!("DELETE {path}");
    assert_eq!((ask(at, &delete, "", "").0, ask(at, &delete, "", "").0), (204, 404));
    assert_eq!(ask(at, "GET /health", "", "").2, "well");
}

#[test]
fn the_readme_names_each_program() {
    let readme = include_str!("../../README.md");
    for program in ["quickstart", "web", "sessions", "jobs", "changes", "cache"] {
        let command = format!("cargo run -p folio-examples --bin {program}");
        assert!(readme.contains(&command), "{command}");
    }
}
