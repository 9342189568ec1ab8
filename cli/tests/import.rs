//! `folio import`.

mod interrupted;
mod redisjson;

use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use folio_tests::{Client, Server};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::tool::{Ran, folio, run, run_with};

/// A server and a folder for files.
struct Bench {
    server: Server,
    client: Client,
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        let server = Server::start();
        let client = server.resp3();
        Self { server, client, folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().into()
    }

    fn import(&self, words: &[&str]) -> Ran {
        run(self.server.url(), &[&["import", "-c", "users"], words].concat())
    }

    fn get(&mut self, key: &str) -> Option<String> {
        self.client.text(&["DOC.GET", key])
    }

    fn count(&mut self) -> i64 {
        self.client.int(&["DOC.COUNT", "users"])
    }

    /// How often a command was carried out.
    fn calls(&mut self, command: &str) -> i64 {
        let field = format!("cmdstat_{command}");
        let told = self.client.info("commandstats", &field);
        told.trim_start_matches("calls=").split(',').next().unwrap().parse().unwrap()
    }
}

fn gzip(text: &str) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    gzip.finish().unwrap()
}

fn rejects(path: impl AsRef<Path>) -> Vec<Json> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn lines_keep_every_digit() {
    let mut bench = Bench::new();
    let lines = [
        r#"{"id":1,"a":1.10,"b":9007199254740993,"c":0.10000000000000000001}"#,
        r#"{"id":"zwei","s":"\u00e9 \" \\","e":1E300}"#,
        r#"{"id":123456789012345678901234567890,"deep":{"x":[1.0,{"y":-0.0}]}}"#,
    ];
    let file = bench.file("u.jsonl", format!("{}\n\n{}\r\n{}", lines[0], lines[1], lines[2]));
    let ran = bench.import(&[&file]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.err.contains("ids are taken from `id`"), "{ran:?}");
    assert!(ran.err.contains("3 read, 3 loaded"), "{ran:?}");
    assert_eq!(ran.out, "");
    // The server writes é and 1E300 in its own way; it is asked for the same documents by hand.
    for (key, line) in [
        ("users:1", lines[0]),
        ("users:zwei", lines[1]),
        ("users:123456789012345678901234567890", lines[2]),
    ] {
        bench.client.call(&["DOC.SET", "twin:1", line]);
        assert_eq!(bench.get(key), bench.get("twin:1"), "{key}");
    }
    assert_eq!(bench.get("users:1").unwrap(), lines[0]);
    assert_eq!(fs::read_dir(bench.folder.path()).unwrap().count(), 1, "no other file is left");
}

#[test]
fn arrays_and_gzip_and_standard_input_are_read() {
    let mut bench = Bench::new();
    let array = "\u{feff} [\n {\"id\": 1, \"a\": 1.10},\n {\"id\": 2}\n]\n";
    let ran = bench.import(&[&bench.file("u.json", array)]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(bench.get("users:1").unwrap(), r#"{"id":1,"a":1.10}"#);

    let ran = bench.import(&[&bench.file("u.json.gz", gzip("[{\"id\":3}]"))]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let words = ["import", "-c", "users", "-"];
    let ran = run_with(bench.server.url(), &words, &gzip("{\"id\":4}\n{\"id\":5}\n"));
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = run_with(bench.server.url(), &words, b"[{\"id\":6}]");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(bench.count(), 6);

    let cut = &gzip(&"{\"id\":7}\n".repeat(1000))[..30];
    let ran = bench.import(&[&bench.file("cut.jsonl.gz", cut)]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("cut.jsonl.gz: "), "{ran:?}");
    let ran = bench.import(&[&bench.file("odd", "a,b\n1,2\n")]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("--format"), "{ran:?}");
}

#[test]
fn tables_are_read_by_declared_types() {
    let mut bench = Bench::new();
    bench.client.call(&[
        "DOC.CREATE",
        "users",
        "FIELD",
        "zip",
        "string",
        "FIELD",
        "address.city",
        "string",
        "FIELD",
        "age",
        "int",
        "FIELD",
        "price",
        "decimal",
    ]);
    let table = "id,zip,address.city,age,price,note,free\n\
                 7,01234,\"New\nYork, \"\"NY\"\"\",36,1.10,\"a,b\",1.10\n\
                 8,5,,,,,\n\
                 9,5,Rome,old,,,\n\
                 10,5\n";
    let file = bench.file("u.csv", table);
    let ran = bench.import(&[&file]);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert_eq!(
        bench.get("users:7").unwrap(),
        r#"{"id":7,"zip":"01234","address":{"city":"New\nYork, \"NY\""},"age":36,"price":"1.10","note":"a,b","free":1.10}"#
    );
    assert_eq!(bench.get("users:8").unwrap(), r#"{"id":8,"zip":"5"}"#);
    let rejected = rejects(format!("{file}.rejects.jsonl"));
    assert_eq!(rejected[0]["line"], 5, "{rejected:?}");
    assert_eq!(rejected[0]["error"], "SCHEMA field age is declared int, found \"old\"");
    assert_eq!(rejected[0]["text"], "9,5,Rome,old,,,");
    assert_eq!(
        rejected[1],
        json!({"line": 6, "error": "CSV 2 values, where the header has 7", "text": "10,5"})
    );

    let tabs = "id\ta.b\n1\t1.0\n";
    let words = ["import", "-c", "tabs", "-", "--format", "tsv", "--csv-strings"];
    let ran = run_with(bench.server.url(), &words, tabs.as_bytes());
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(bench.get("tabs:1").unwrap(), r#"{"id":"1","a":{"b":"1.0"}}"#);
}

#[test]
fn what_mongoexport_writes_is_read() {
    let mut bench = Bench::new();
    let line = r#"{"_id":{"$oid":"5f1e"},"at":{"$date":"2026-01-31T00:00:00Z"},"n":{"$numberLong":"9007199254740993"},"d":{"$numberDecimal":"1.10"}}"#;
    let ran = bench.import(&[&bench.file("m.json", format!("{line}\n")), "--mongo"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let plain = r#""at":"2026-01-31T00:00:00Z","n":9007199254740993,"d":"1.10"}"#;
    assert_eq!(bench.get("users:5f1e").unwrap(), format!("{{{plain}"));
    // Named, the field stays.
    let ran = bench.import(&[&bench.file("m.json", line), "--mongo", "--id", "_id"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(bench.get("users:5f1e").unwrap(), format!("{{\"_id\":\"5f1e\",{plain}"));
}

#[test]
fn bad_lines_are_told_and_written_down() {
    let mut bench = Bench::new();
    bench.client.call(&[
        "DOC.CREATE",
        "users",
        "FIELD",
        "age",
        "int",
        "FIELD",
        "mail",
        "string",
        "UNIQUE",
    ]);
    let deep = format!("{{\"id\":9,\"a\":{}1{}}}", "[".repeat(200), "]".repeat(200));
    let mut text =
        String::from("{\"id\":1,\"age\":1,\"mail\":\"a\"}\nnonsense\n[1]\n{\"age\":1}\n");
    writeln!(text, "{{\"id\":2,\"age\":\"x\"}}\n{{\"id\":3,\"mail\":\"a\"}}\n{deep}").unwrap();
    writeln!(text, "{{\"id\":1.5}}\n{{\"id\":\"\"}}\n{{\"id\":4,\"age\":4}}").unwrap();
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(b"{\"id\":5,\"a\":\"\xff\"}\n");
    let file = bench.file("u.jsonl", bytes);
    let chosen = bench.path("bad.jsonl");
    let ran = bench.import(&[&file, "--rejects", chosen.to_str().unwrap()]);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert_eq!(bench.count(), 2);
    assert_eq!(bench.get("users:4").unwrap(), r#"{"id":4,"age":4}"#);
    let told: Vec<&str> = ran.err.lines().filter(|line| line.contains(", line ")).collect();
    assert_eq!(told.len(), 5, "{told:?}");
    assert!(told[0].ends_with("u.jsonl, line 2: JSON expected ident at column 2"), "{told:?}");
    let rejected = rejects(&chosen);
    let errors: Vec<(u64, &str)> = rejected
        .iter()
        .map(|it| (it["line"].as_u64().unwrap(), it["error"].as_str().unwrap()))
        .collect();
    let begins = [
        (2, "JSON expected ident"),
        (3, "JSON a document is an object, found an array"),
        (4, "ID neither a member _id nor id"),
        (5, "SCHEMA field age is declared int"),
        (6, "UNIQUE the value at mail is held by users:1"),
        (7, "TOOBIG"),
        (8, "ID the id is 1.5"),
        (9, "ID the id is empty"),
        (11, "JSON no UTF-8 at byte 13"),
    ];
    assert_eq!(errors.len(), begins.len(), "{errors:?}");
    for ((line, error), (wanted, begin)) in errors.iter().zip(begins) {
        assert!(*line == wanted && error.starts_with(begin), "{line} {error}");
    }
    assert_eq!(rejected[3]["text"], r#"{"id":2,"age":"x"}"#);
}

#[test]
fn the_number_of_errors_has_a_limit() {
    let mut bench = Bench::new();
    let mut text = String::new();
    (0..5000).for_each(|n| {
        writeln!(text, "{{\"id\":{n}}}{}", ["", "x"][usize::from(n % 10 == 9)]).unwrap();
    });
    let file = bench.file("u.jsonl", &text);
    let ran =
        bench.import(&[&file, "--max-errors", "3", "--batch", "5", "--pipelines", "1", "--json"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let told: Json = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&told["rejected"], &told["read"]), (&json!(4), &json!(40)), "{told}");
    assert!(ran.err.contains("--max-errors is 3"), "{ran:?}");
    assert_eq!(bench.count(), 36);
    let ran = bench.import(&[&file, "--max-errors", "0", "--batch", "5"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(bench.path("u.jsonl.import-state.json").exists());
    let ran = bench.import(&[&file, "--resume", "--json"]);
    assert_eq!(ran.code, 4, "{ran:?}");
    let told: Json = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&told["rejected"], &told["read"]), (&json!(500), &json!(5000)), "{told}");
    assert_eq!(rejects(bench.path("u.jsonl.rejects.jsonl")).len(), 500);
    assert!(!bench.path("u.jsonl.import-state.json").exists());
    assert_eq!(bench.count(), 4500);
}

#[test]
fn modes_decide_what_happens_to_what_is_there() {
    let mut bench = Bench::new();
    let old = bench.file("old.jsonl", "{\"id\":1,\"a\":1,\"b\":1}\n");
    let new = bench.file("new.jsonl", "{\"id\":1,\"a\":2}\n{\"id\":2,\"a\":2}\n");
    assert_eq!(bench.import(&[&old]).code, 0);
    let told = |ran: &Ran| -> Json { serde_json::from_str(&ran.out).unwrap() };

    let ran = bench.import(&[&new, "--mode", "insert", "--json"]);
    assert_eq!(ran.code, 4, "{ran:?}");
    let told_insert = told(&ran);
    assert_eq!((&told_insert["loaded"], &told_insert["rejected"]), (&json!(1), &json!(1)));
    assert_eq!(told_insert["rejects"], json!(format!("{new}.rejects.jsonl")));
    assert!(ran.err.contains("EXISTS 'users:1' is there already"), "{ran:?}");
    assert_eq!(bench.get("users:1").unwrap(), r#"{"id":1,"a":1,"b":1}"#);

    let ran = bench.import(&[&new, "--mode", "skip", "--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let told_skip = told(&ran);
    assert_eq!((&told_skip["loaded"], &told_skip["skipped"]), (&json!(0), &json!(2)));
    assert_eq!(told_skip["rejects"], Json::Null);

    assert_eq!(bench.import(&[&new, "--mode", "merge"]).code, 0);
    assert_eq!(bench.get("users:1").unwrap(), r#"{"id":1,"a":2,"b":1}"#);
    assert_eq!(bench.import(&[&new, "--ttl", "100"]).code, 0);
    assert_eq!(bench.get("users:1").unwrap(), r#"{"id":1,"a":2}"#);
    let left = bench.client.int(&["TTL", "users:1"]);
    assert!((90..=100).contains(&left), "{left}");
}

#[test]
fn the_server_makes_ids_where_it_is_asked() {
    let mut bench = Bench::new();
    let file = bench.file("u.jsonl", "{\"a\":1}\n{\"a\":2}\n");
    let ran = bench.import(&[&file]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("--id names the field"), "{ran:?}");
    bench.client.call(&["DOC.CREATE", "users", "IDS", "SEQUENCE"]);
    let ran = bench.import(&[&file]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.err.contains("the server makes ids"), "{ran:?}");
    assert_eq!(bench.get("users:2").unwrap(), r#"{"a":2}"#);
    let ran = bench.import(&[&bench.file("i.jsonl", "{\"id\":77}\n"), "--server-ids"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(bench.get("users:3").unwrap(), r#"{"id":77}"#);
}

#[test]
fn keys_begin_with_the_declared_prefix() {
    let mut bench = Bench::new();
    bench.client.call(&["DOC.CREATE", "users", "PREFIX", "people/"]);
    let ran = bench.import(&[&bench.file("u.jsonl", "{\"a\":{\"sku\":\"x\"}}"), "--id", "a.sku"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(bench.get("people/x").unwrap(), r#"{"a":{"sku":"x"}}"#);
}

#[test]
fn a_dry_run_writes_nothing() {
    let mut bench = Bench::new();
    let file = bench.file("u.jsonl", "{\"id\":1}\nx\n");
    let ran = bench.import(&[&file, "--dry-run"]);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.err.contains("2 read, nothing written, 1 rejected"), "{ran:?}");
    assert_eq!(fs::read_dir(bench.folder.path()).unwrap().count(), 1, "no file is written");
    let chosen = bench.path("bad.jsonl");
    let ran = bench.import(&[&file, "--dry-run", "--rejects", chosen.to_str().unwrap()]);
    assert_eq!((ran.code, rejects(&chosen).len()), (4, 1), "{ran:?}");
    assert!(bench.client.texts(&["DOC.LIST"]).is_empty());
    assert!(!bench.path("u.jsonl.import-state.json").exists());
}

#[test]
fn a_declaration_is_inferred() {
    let mut bench = Bench::new();
    let mut text = String::new();
    (0..50).for_each(|n| writeln!(text, "{{\"id\":{n},\"age\":{n}}}").unwrap());
    text += "{\"id\":50,\"age\":[1]}\n";
    let file = bench.file("u.jsonl", &text);
    let ran = bench.import(&[&file, "--infer", "--dry-run"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.err.contains("DOC.CREATE users"), "{ran:?}");
    assert!(bench.client.texts(&["DOC.LIST"]).is_empty());
    let few: String = text.split_inclusive('\n').take(50).collect();
    let ran = bench.import(&[&bench.file("few.jsonl", few), "--infer"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let definition = bench.client.json(&["DOC.SCHEMA", "users"]);
    let age = definition["fields"].as_array().unwrap().iter().find(|it| it["path"] == "age");
    assert_eq!(age.expect("age is declared")["type"], "int", "{definition}");
    // What is declared now stays, and judges.
    let ran = bench.import(&[&file, "--infer"]);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert_eq!(bench.client.json(&["DOC.SCHEMA", "users"]), definition);
    assert_eq!(bench.import(&["-", "--infer"]).code, 0, "it is declared already");
    bench.client.call(&["DOC.DROP", "users"]);
    assert_eq!(bench.import(&["-", "--infer"]).code, 2);
}

#[test]
fn several_files_are_one_import() {
    let mut bench = Bench::new();
    let (one, two) = (bench.file("1.jsonl", "{\"id\":1}\nx\n"), bench.file("2.csv", "id\n2\n,\n"));
    let ran = bench.import(&[&one, &two]);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert_eq!(bench.count(), 2);
    let rejected = rejects(format!("{one}.rejects.jsonl"));
    assert_eq!((&rejected[0]["input"], &rejected[1]["input"]), (&json!(one), &json!(two)));
    let ran = bench.import(&[&one, "gone.jsonl"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("gone.jsonl: "), "{ran:?}");
}

#[test]
fn a_pipe_is_read_once() {
    let mut bench = Bench::new();
    let pipe = bench.path("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let path = pipe.to_str().unwrap().to_owned();
    let words = [path.as_str(), "--format", "jsonl"];
    for option in ["--infer", "--resume"] {
        let ran = bench.import(&[&words[..], &[option]].concat());
        assert_eq!(ran.code, 2, "{ran:?}");
    }
    let writer = std::thread::spawn(move || fs::write(&pipe, "{\"id\":1}\n{\"id\":2}\n").unwrap());
    let ran = bench.import(&words);
    assert_eq!(ran.code, 0, "{ran:?}");
    writer.join().unwrap();
    assert_eq!(bench.count(), 2);
    assert_eq!(fs::read_dir(bench.folder.path()).unwrap().count(), 1, "nothing is beside it");
}

#[test]
fn only_the_same_import_goes_on() {
    let bench = Bench::new();
    let file = bench.file("u.jsonl", "{\"id\":1}\nx\n{\"id\":2}\ny\n");
    let words = [&file, "--batch", "1", "--pipelines", "1", "--max-errors", "0"];
    assert_eq!(bench.import(&words).code, 1);
    let other = [&file, "--resume", "--mode", "merge", "--id", "id", "--rejects", "/dev/null"];
    let ran = bench.import(&other);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("another --id, --mode, --rejects"), "{ran:?}");
    let url = format!("{}/1", bench.server.url());
    let ran = run(&url, &["import", "-c", "users", &file, "--resume"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("another --url"), "{ran:?}");
    // What somebody has taken from the file of rejected lines stays away; what was not noted goes.
    let rejected = bench.path("u.jsonl.rejects.jsonl");
    assert_eq!(rejects(&rejected).len(), 1);
    fs::write(&rejected, "").unwrap();
    assert_eq!(bench.import(&[&file, "--resume"]).code, 4);
    assert_eq!(rejects(&rejected)[0]["line"], 4);
    assert_eq!(rejects(&rejected).len(), 1);
    // An import without rejected lines leaves no file of them.
    fs::write(&file, "{\"id\":1}\n").unwrap();
    assert_eq!(bench.import(&[&file]).code, 0);
    assert!(!rejected.exists());
}

#[test]
fn rejected_lines_that_nobody_noted_are_cut_off() {
    let bench = Bench::new();
    let file = bench.file("u.jsonl", "x\n{\"id\":1}\n");
    let words = [&file, "--batch", "1", "--pipelines", "1", "--max-errors", "0"];
    assert_eq!(bench.import(&words).code, 1);
    let rejected = bench.path("u.jsonl.rejects.jsonl");
    let noted = fs::read_to_string(&rejected).unwrap();
    fs::write(&rejected, format!("{noted}{{\"line\":7")).unwrap();
    assert_eq!(bench.import(&[&file, "--resume"]).code, 4);
    assert_eq!(fs::read_to_string(&rejected).unwrap(), noted);
}

#[test]
fn no_file_is_read_and_written() {
    let bench = Bench::new();
    let text = "{\"id\":1}\nx\n";
    let file = bench.file("u.jsonl", text);
    std::os::unix::fs::symlink(&file, bench.path("link")).unwrap();
    let link = bench.path("link");
    for option in ["--rejects", "--state"] {
        let ran = bench.import(&[&file, option, link.to_str().unwrap()]);
        assert_eq!(ran.code, 2, "{ran:?}");
    }
    let both = bench.path("both");
    let both = both.to_str().unwrap();
    assert_eq!(bench.import(&[&file, "--rejects", both, "--state", both]).code, 2);
    assert_eq!(bench.import(&[&file, "--state", "/dev/null"]).code, 2);
    // A file of rejected lines may be the next input, but not its own.
    let rejected = bench.file("u.jsonl.rejects.jsonl", text);
    assert_eq!(bench.import(&[&file, &rejected]).code, 2);
    assert_eq!(fs::read_to_string(&rejected).unwrap(), text);
    let ran = bench.import(&[&file, "--rejects", "/dev/null"]);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
}

#[test]
fn a_line_is_done_when_it_is_written_down() {
    let bench = Bench::new();
    let file = bench.file("u.jsonl", "x\n");
    let ran = bench.import(&[&file, "--rejects", "/dev/full"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let state = fs::read(bench.path("u.jsonl.import-state.json")).unwrap();
    let state: Json = serde_json::from_slice(&state).unwrap();
    let counts = (&state["lines"], &state["counts"]["rejected"]);
    assert_eq!(counts, (&json!(0), &json!(0)), "{state}");
}

#[test]
fn notes_that_nobody_reads_do_no_harm() {
    let mut bench = Bench::new();
    let file = bench.file("u.jsonl", "{\"id\":1}\nx\n");
    let mut command = folio(bench.server.url(), &["import", "-c", "users", &file]);
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    assert_eq!(command.stderr(full).status().unwrap().code(), Some(4));
    assert_eq!(bench.count(), 1);
}

#[test]
fn a_quote_that_nobody_closes_is_one_bad_record() {
    let bench = Bench::new();
    let mut text = String::from("id,a\n1,x\n\"2,y\n");
    (0..300_000).for_each(|n| writeln!(text, "{n},z").unwrap());
    let file = bench.file("u.csv", &text);
    let ran = bench.import(&[&file]);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.err.contains("line 3: CSV 1 values, where the header has 2"), "{ran:?}");
    let rejected = rejects(format!("{file}.rejects.jsonl"));
    let told = rejected[0]["text"].as_str().unwrap();
    assert!(told.len() < (1 << 20) + 10 && told.ends_with(".."), "{}", told.len());
}
