//! `folio infer`.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use folio_tests::Server;

use crate::tool::{run, run_with};

/// Users as they are exported from somewhere.
fn users() -> String {
    let mut lines = String::new();
    for number in 0..40 {
        let state = ["active", "in review"][number % 2];
        writeln!(
            lines,
            r#"{{"id":{number},"email":"u{number}@example.org","state":"{state}","born":"19{:02}-01-31","seen":{},"first-name":"n{number}","address":{{"city":"city {}"}},"tags":["a","b"],"items":[{{"sku":"s{number}","price":"{number}.50"}}],"odd":{}}}"#,
            50 + number % 40,
            ["null", "\"2026-01-01T00:00:00Z\""][number % 2],
            number % 5,
            ["1", "\"one\""][number % 2],
        )
        .expect("a string takes what is written");
    }
    lines
}

const NOWHERE: &str = "redis://127.0.0.1:1";

#[test]
fn a_proposal_is_told_with_its_reasons_and_the_command() {
    let told = run_with(NOWHERE, &["infer", "-", "--collection", "users"], users().as_bytes());
    assert_eq!(told.code, 0, "{told:?}");
    let command = told.out.lines().find(|line| line.starts_with("DOC.CREATE")).unwrap();
    let expected = "DOC.CREATE users FIELD id int UNIQUE FIELD email email UNIQUE \
        FIELD state string INDEX SET FIELD born date INDEX SORTED \
        FIELD seen datetime NULLABLE INDEX SORTED FIELD \"`first-name`\" string \
        FIELD address.city string INDEX SET FIELD tags array<string> INDEX SET \
        FIELD items[*].sku string FIELD items[*].price decimal INDEX SORTED";
    assert_eq!(command, expected);
    assert!(told.out.starts_with("40 documents, all there are."), "{}", told.out);
    assert!(told.err.contains("odd: of several types (20 strings, 20 numbers)"), "{}", told.err);
}

#[test]
fn what_is_proposed_is_declared_and_takes_the_documents() {
    let server = Server::start();
    let url = server.url();
    let words = ["infer", "-", "--collection", "users", "--strict"];
    let told = run_with(url, &words, users().as_bytes());
    let command = told.out.lines().find(|line| line.starts_with("DOC.CREATE")).unwrap();
    let port = url.rsplit(':').next().unwrap().trim_end_matches('/');
    let mut cli = Command::new("redis-cli");
    cli.args(["-p", port]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = cli.spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{command}").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "OK", "{command}");

    let mut client = server.resp2();
    // The JSON says the same, so that to declare it again changes nothing.
    let words = ["infer", "-", "--collection", "users", "--strict", "--json", "--quiet"];
    let definition = run_with(url, &words, users().as_bytes()).out;
    let answer = client.text(&["DOC.CREATE", "users", "DEFINITION", &definition]);
    assert_eq!(answer.as_deref(), Some("OK"));
    for (number, document) in users().lines().enumerate() {
        let key = format!("users:{number}");
        client.call(&["DOC.SET", &key, document]);
    }
}

#[test]
fn files_are_read_in_each_form() {
    let folder = tempfile::tempdir().unwrap();
    let lines = folder.path().join("users.jsonl");
    std::fs::write(&lines, users()).unwrap();
    let array = folder.path().join("users.json");
    let elements: Vec<String> = users().lines().map(str::to_owned).collect();
    std::fs::write(&array, format!(" [\n{}\n] ", elements.join(",\n"))).unwrap();
    let packed = folder.path().join("users.jsonl.gz");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(users().as_bytes()).unwrap();
    std::fs::write(&packed, gzip.finish().unwrap()).unwrap();
    let told = |file: &std::path::Path| {
        let file = file.to_str().unwrap();
        let ran = run(NOWHERE, &["infer", file, "--collection", "users", "--json"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.out
    };
    let from_lines = told(&lines);
    assert!(from_lines.contains(r#"{"path":"id","type":"int","unique":true}"#), "{from_lines}");
    assert_eq!(told(&array), from_lines);
    assert_eq!(told(&packed), from_lines);
}

#[test]
fn tables_are_read_as_an_import_reads_them() {
    let table = "id,price,address.city,zip,active\n1,1.10,Paris,007,true\n2,2.5,Rome,12345,false\n";
    let words = ["infer", "-", "--collection", "c", "--format", "csv"];
    let told = run_with(NOWHERE, &words, table.as_bytes());
    let command = told.out.lines().find(|line| line.starts_with("DOC.CREATE"));
    let expected = "DOC.CREATE c FIELD id int UNIQUE FIELD price float INDEX SORTED \
        FIELD address.city string FIELD active bool INDEX SET";
    assert_eq!(command, Some(expected), "{told:?}");
    assert!(told.err.contains("zip: of several types"), "{}", told.err);
}

#[test]
fn a_sample_is_the_first_documents() {
    let mixed = "{\"a\":1}\n{\"a\":2}\n{\"a\":\"x\"}\n";
    let words = |sample| ["infer", "-", "--collection", "c", "--json", "--sample", sample];
    let first = run_with(NOWHERE, &words("2"), mixed.as_bytes());
    assert!(first.out.contains(r#"{"path":"a","type":"int","index":"sorted"}"#), "{first:?}");
    assert_eq!(first.err, "");
    let all = run_with(NOWHERE, &words("all"), mixed.as_bytes());
    assert!(all.out.contains(r#""fields": []"#), "{all:?}");
    assert!(all.err.contains("a: of several types"), "{all:?}");
    assert_eq!(run_with(NOWHERE, &words("0"), b"").code, 2);
}

#[test]
fn what_is_no_document_is_refused_with_its_place() {
    let words = ["infer", "-", "--collection", "c"];
    for (input, expected) in [
        ("", "folio: standard input: no documents"),
        ("{\"a\":\n", "folio: standard input: line 1: EOF while parsing"),
        ("[{\"a\":1}", "folio: standard input: "),
        ("a,b", "folio: standard input: begins with neither"),
    ] {
        let told = run_with(NOWHERE, &words, input.as_bytes());
        assert_eq!((told.code, told.out.as_str()), (1, ""), "{input}: {told:?}");
        assert!(told.err.starts_with(expected), "{input}: {}", told.err);
    }
    // The others are looked at.
    for (input, expected) in [
        ("{\"a\":1}\n7\n", "folio: standard input: line 2: invalid type: integer `7`"),
        ("{\"a\":1}\n{\"a\":\n", "folio: standard input: line 2: EOF while parsing"),
        ("[{\"a\":1},{]", "folio: standard input: line 1: "),
    ] {
        let told = run_with(NOWHERE, &words, input.as_bytes());
        assert!(told.code == 4 && told.out.contains("DOC.CREATE c FIELD a int"), "{told:?}");
        assert!(told.err.starts_with(expected), "{input}: {}", told.err);
    }
    let missing = run(NOWHERE, &["infer", "/nonexistent.jsonl", "--collection", "c"]);
    assert_eq!(missing.code, 1);
    assert!(missing.err.starts_with("folio: /nonexistent.jsonl: No such file"), "{}", missing.err);
}
