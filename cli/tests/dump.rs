//! `folio dump` and `folio restore`.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use folio_tests::{Client, Server};
use serde_json::Value as Json;

use crate::tool::{Ran, run, run_with};

/// A server's worth of everything that a dump has to keep.
fn fill(client: &mut Client) {
    client.call(&["DOC.FUNCTION", "LOAD", "slug", "return text.slug(doc.name or '')"]);
    client.call(&["DOC.FUNCTION", "LOAD", "STEPS", "500", "up", "return {n = (doc.n or 0) + 1}"]);
    client.call(&["DOC.FUNCTION", "LOAD", "unused", "return nil"]);
    client.call(&[
        "DOC.CREATE",
        "users",
        "PREFIX",
        "u:",
        "TTL",
        "3600",
        "FIELD",
        "email",
        "email",
        "UNIQUE",
        "FIELD",
        "name",
        "string",
        "FIELD",
        "slug",
        "string",
        "COMPUTED",
        "slug",
        "INDEX",
        "SET",
        "FIELD",
        "born",
        "datetime",
        "AUTO",
        "NOW",
        "FIELD",
        "n",
        "decimal",
        "INDEX",
        "SORTED",
    ]);
    for number in 0..1_200 {
        let document = format!(
            r#"{{"email":"u{number}@example.org","name":"No. {number}","n":{number}.50,"long":12345678901234567890123}}"#
        );
        client.call(&["DOC.SET", &format!("u:{number}"), &document]);
    }
    client.call(&["PERSIST", "u:1"]);
    client.call(&["PEXPIREAT", "u:2", "4000000000000"]);
    client.call(&["DOC.UPDATE", "u:3", "SET", "n", "7"]);
    client.call(&["DOC.DEL", "u:4", "SOFT"]);
    client.call(&["DOC.DEL", "u:5", "SOFT", "EX", "1000"]);
    client.call(&["DOC.DEL", "u:6"]);

    client.call(&["DOC.CREATE", "people", "FIELD", "n", "int"]);
    client.call(&["DOC.SET", "people:1", r#"{"n":1}"#]);
    client.call(&["DOC.SET", "people:2", r#"{"n":2}"#]);
    client.call(&["DOC.ALTER", "people", "ADD", "MIGRATION", "1", "UP", "up"]);
    client.call(&["DOC.MIGRATE", "people", "TO", "1", "LAZY"]);
    client.call(&["DOC.UPDATE", "people:1", "SET", "x", "true"]);

    client.call(&[
        "DOC.SET",
        "open:1",
        r#"{"otp":"4711","a":{"b":1},"text":"\ud83d\ude00 é \u0000"}"#,
    ]);
    client.call(&["DOC.UPDATE", "open:1", "TTL", "otp", "900", "TTL", "a.b", "1900"]);
}

const COLLECTIONS: [&str; 3] = ["open", "people", "users"];

/// Digests of all collections, over documents, versions, times and indexes, with what is declared.
fn state(client: &mut Client) -> Vec<String> {
    let mut state: Vec<String> = Vec::new();
    for name in COLLECTIONS {
        state.push(format!("{:?}", client.map(&["DOC.VERIFY", name, "DIGEST"])));
        state.push(client.text(&["DOC.SCHEMA", name]).expect("it is declared"));
        assert_eq!(client.texts(&["DOC.VERIFY", name]), Vec::<String>::new());
    }
    state
}

fn dump(url: &str, file: &Path, words: &[&str]) -> Ran {
    let mut all = vec!["dump", "--output", file.to_str().expect("a path of letters")];
    all.extend(words);
    run(url, &all)
}

fn restore(url: &str, file: &Path, words: &[&str]) -> Ran {
    let mut all = vec!["restore", file.to_str().expect("a path of letters")];
    all.extend(words);
    run(url, &all)
}

fn flush(client: &mut Client) {
    for name in COLLECTIONS {
        let _ = client.try_call(&["DOC.DROP", name, "DOCUMENTS"]);
    }
    client.call(&["FLUSHALL"]);
    for name in ["slug", "up", "unused"] {
        client.call(&["DOC.FUNCTION", "DELETE", name]);
    }
    assert_eq!(client.texts(&["DOC.LIST"]), Vec::<String>::new());
}

#[test]
fn what_was_dumped_comes_back_as_it_was() {
    let server = Server::start();
    let (url, mut client) = (server.url(), server.resp2());
    fill(&mut client);
    let functions = client.text(&["DOC.FUNCTION", "DUMP"]);
    let before = state(&mut client);
    let folder = tempfile::tempdir().unwrap();
    for name in ["all.jsonl", "all.jsonl.gz"] {
        let file = folder.path().join(name);
        let saved = dump(url, &file, &["--all"]);
        assert_eq!((saved.code, saved.out.as_str()), (0, ""), "{saved:?}");
        assert_eq!(saved.err, "1202 documents of 3 collections\n");
        flush(&mut client);
        let loaded = restore(url, &file, &[]);
        assert_eq!(loaded.code, 0, "{loaded:?}");
        assert_eq!(loaded.err, "1202 documents of 3 collections restored\n");
        assert_eq!(state(&mut client), before, "{name}");
        assert_eq!(client.text(&["DOC.FUNCTION", "DUMP"]), functions);
    }
    let meta = client.map(&["DOC.META", "open:1"]);
    assert!(format!("{:?}", meta["path_expires"]).contains("otp"), "{meta:?}");
    assert_eq!(client.int(&["DOC.COUNT", "users", "WHERE", "slug = 'no-7'"]), 1);
    // What is written next is the latest.
    let version = client.int(&["DOC.SET", "u:new", "{}"]);
    assert!(version > 1_200, "{version}");
}

#[test]
fn a_dump_goes_through_pipes_and_some_of_it_can_be_chosen() {
    let server = Server::start();
    let (url, mut client) = (server.url(), server.resp2());
    fill(&mut client);
    let before = state(&mut client);
    let piped = run(url, &["dump", "users", "people", "--output", "-"]);
    assert_eq!((piped.code, piped.err.as_str()), (0, "1201 documents of 2 collections\n"));
    assert!(!piped.out.contains(r#""name":"unused""#), "no declaration names it");
    flush(&mut client);
    let words = ["restore", "-", "--only", "people"];
    let loaded = run_with(url, &words, piped.out.as_bytes());
    assert_eq!(loaded.code, 0, "{loaded:?}");
    assert_eq!(client.texts(&["DOC.LIST"]), ["people"]);
    let loaded =
        run_with(url, &["restore", "-", "--only", "users", "--json"], piped.out.as_bytes());
    let told: Json = serde_json::from_str(&loaded.out).unwrap();
    assert_eq!((&told["restored"], &told["refused"]), (&1_199.into(), &0.into()), "{told}");
    client.call(&["DOC.SET", "open:1", "{}"]);
    assert_eq!(state(&mut client)[2..], before[2..]);
    let other = run_with(url, &["restore", "-", "--only", "x"], piped.out.as_bytes());
    assert_eq!(
        (other.code, other.err.trim()),
        (1, "folio: -: no collection x; it has users, people")
    );
}

#[test]
fn what_is_cut_or_changed_is_refused_and_nothing_is_written() {
    let server = Server::start();
    let (url, mut client) = (server.url(), server.resp2());
    fill(&mut client);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dump.jsonl");
    assert_eq!(dump(url, &file, &["--all"]).code, 0);
    let packed = folder.path().join("dump.gz");
    assert_eq!(dump(url, &packed, &["--all"]).code, 0);
    flush(&mut client);
    let whole = std::fs::read(&file).unwrap();
    let refused = |bytes: &[u8], what: &str| {
        std::fs::write(&file, bytes).unwrap();
        let told = restore(url, &file, &[]);
        assert_eq!(told.code, 1, "{what}: {told:?}");
        assert!(told.err.contains(what), "{what}: {}", told.err);
    };
    let text = String::from_utf8(whole.clone()).unwrap();
    refused(&whole[..whole.len() / 2], "no line of a dump");
    let lines: Vec<&str> = text.lines().collect();
    refused(format!("{}\n", lines[..lines.len() - 1].join("\n")).as_bytes(), "it has no footer");
    refused(b"", "it has no footer");
    refused(text.replacen("u7@example", "u8@example", 1).as_bytes(), "the checksum does not fit");
    let without = text.replacen(&format!("{}\n", lines[9]), "", 1);
    refused(without.as_bytes(), "the footer tells of 1202 documents, and there are 1201");
    refused(format!("{text}{{}}\n").as_bytes(), "something stands behind the footer");
    refused(text.replacen(r#""format":1"#, r#""format":2"#, 1).as_bytes(), "a dump of format 2");
    refused(b"{\"a\":1}\n", "no line of a dump");
    let gzip = std::fs::read(&packed).unwrap();
    refused(&gzip[..gzip.len() - 100], "the file is cut");
    // Each byte counts.
    for at in (0..whole.len()).step_by(whole.len() / 40) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        std::fs::write(&file, &bytes).unwrap();
        let told = restore(url, &file, &[]);
        assert_eq!(told.code, 1, "byte {at}: {told:?}");
    }
    assert_eq!(client.texts(&["DOC.LIST"]), Vec::<String>::new());
    assert_eq!(client.text(&["DOC.FUNCTION", "DUMP"]).as_deref(), Some("[]"));
    std::fs::write(&file, &whole).unwrap();
    assert_eq!(restore(url, &file, &[]).code, 0);
}

#[test]
fn what_is_there_is_overwritten_only_when_it_may_be() {
    let server = Server::start();
    let (url, mut client) = (server.url(), server.resp2());
    fill(&mut client);
    let before = state(&mut client);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dump.jsonl");
    assert_eq!(dump(url, &file, &["--all"]).code, 0);
    client.call(&["DOC.SET", "open:2", "{}"]);
    let refused = restore(url, &file, &[]);
    let expected = "folio: open has 2 documents already; --replace drops them\n";
    assert_eq!((refused.code, refused.err.as_str()), (1, expected));
    let replaced = restore(url, &file, &["--replace"]);
    assert_eq!(replaced.code, 0, "{replaced:?}");
    assert_eq!(state(&mut client), before);

    client.call(&["DOC.DROP", "users", "DOCUMENTS"]);
    client.call(&["DOC.CREATE", "users", "FIELD", "x", "int"]);
    let refused = restore(url, &file, &["--only", "users"]);
    assert!(refused.err.contains("users is declared in another way"), "{refused:?}");
    assert_eq!(restore(url, &file, &["--only", "users", "--replace"]).code, 0);
    assert_eq!(state(&mut client), before);
}

#[test]
fn documents_can_be_written_as_by_a_program() {
    let server = Server::start();
    let (url, mut client) = (server.url(), server.resp2());
    fill(&mut client);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dump.jsonl");
    assert_eq!(dump(url, &file, &["--all"]).code, 0);
    let text = std::fs::read_to_string(&file).unwrap();
    flush(&mut client);
    let loaded = restore(url, &file, &["--as-writes"]);
    assert_eq!(loaded.code, 0, "{loaded:?}");
    assert_eq!(client.int(&["DOC.COUNT", "users"]), 1_197);
    assert_eq!(client.int(&["DOC.COUNT", "users", "WITHDELETED"]), 1_199);
    assert_eq!(client.int(&["TTL", "u:1"]), -1, "it had none, whatever the collection gives");
    assert_eq!(client.int(&["PEXPIRETIME", "u:2"]), 4_000_000_000_000);
    let long = client.text(&["DOC.GET", "u:7", "long"]);
    assert_eq!(long.as_deref(), Some("12345678901234567890123"));
    let meta = client.map(&["DOC.META", "open:1"]);
    assert!(format!("{:?}", meta["path_expires"]).contains("otp"), "{meta:?}");

    // Two with one address: the second one is refused, and said to be.
    flush(&mut client);
    let twice = text.replacen("u8@example.org", "u7@example.org", 1);
    std::fs::write(&file, with_checksum(&twice)).unwrap();
    let loaded = restore(url, &file, &["--as-writes"]);
    assert_eq!(loaded.code, 4, "{loaded:?}");
    assert!(loaded.err.contains("the value at email is held by u:"), "{}", loaded.err);
    assert!(loaded.err.contains("1 were refused"), "{}", loaded.err);
}

/// The same with the footer that it has to have.
fn with_checksum(text: &str) -> String {
    let (body, footer) = text.trim_end().rsplit_once('\n').expect("a dump has lines");
    let body = format!("{body}\n");
    let (_, rest) = footer.split_once("xxh3:").expect("a footer has a checksum");
    let right = format!("{:016x}", xxhash_rust::xxh3::xxh3_64(body.as_bytes()));
    format!("{body}{}\n", footer.replace(&rest[..16], &right))
}

#[test]
fn what_has_lapsed_since_is_left_out() {
    let server = Server::start();
    let (url, mut client) = (server.url(), server.resp2());
    client.call(&["DOC.SET", "a:1", r#"{"n":1}"#]);
    let soon = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() + 3_600_000;
    client.call(&["DOC.SET", "a:2", r#"{"n":2}"#, "PXAT", &soon.to_string()]);
    let dumped = run(url, &["dump", "a", "--output", "-"]).out;
    client.call(&["DEL", "a:1", "a:2"]);
    let past = with_checksum(&dumped.replace(&soon.to_string(), "1000000000000"));
    let loaded = run_with(url, &["restore", "-"], past.as_bytes());
    assert_eq!(loaded.code, 0, "{loaded:?}");
    assert_eq!(loaded.err, "1 documents of 1 collections restored, 1 had lapsed\n");
    assert_eq!(client.texts(&["DOC.KEYS", "a"]), ["a:1"]);
}

#[test]
fn who_is_no_administrator_is_told_of_the_other_way() {
    let server = Server::start();
    let (url, mut client) = (server.url(), server.resp2());
    client.call(&["DOC.SET", "a:1", r#"{"n":1}"#]);
    let dumped = run(url, &["dump", "a", "--output", "-"]).out;
    client.call(&["DEL", "a:1"]);
    client.call(&["ACL", "SETUSER", "bob", "on", ">secret", "~*", "+@all", "-@admin"]);
    let bobs = url.replacen("redis://", "redis://bob:secret@", 1);
    let refused = run_with(&bobs, &["restore", "-"], dumped.as_bytes());
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.err.contains("--as-writes restores without them"), "{}", refused.err);
    let loaded = run_with(&bobs, &["restore", "-", "--as-writes"], dumped.as_bytes());
    assert_eq!(loaded.code, 0, "{loaded:?}");
    assert_eq!(client.text(&["DOC.GET", "a:1"]).as_deref(), Some(r#"{"n":1}"#));
}

#[test]
fn a_dump_that_fails_leaves_no_file() {
    let server = Server::start();
    let url = server.url();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dump.jsonl");
    let missing = dump(url, &file, &["nothing"]);
    assert_eq!(
        (missing.code, missing.err.trim()),
        (1, "folio: nothing: no such collection is there")
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    assert_eq!(dump(url, &file, &[]).code, 2);
    assert_eq!(dump(url, &folder.path().join("no/where"), &["--all"]).code, 1);
    // An empty database is a dump as well.
    assert_eq!(dump(url, &file, &["--all"]).code, 0);
    assert_eq!(restore(url, &file, &[]).code, 0);
}

#[test]
fn a_dump_under_writes_has_each_document_as_it_stood_at_one_moment() {
    let server = Server::start();
    let (url, mut client) = (server.url().to_owned(), server.resp2());
    for number in 0..2_000 {
        client.call(&["DOC.SET", &format!("a:{number}"), r#"{"x":0,"y":0}"#]);
    }
    let writer = std::thread::spawn({
        let mut client = server.resp2();
        move || {
            for round in 1..30_000_u32 {
                let (key, value) = (format!("a:{}", round % 2_000), round.to_string());
                client.call(&["DOC.UPDATE", &key, "SET", "x", &value, "SET", "y", &value]);
            }
        }
    });
    let dumped = run(&url, &["dump", "a", "--output", "-"]);
    writer.join().unwrap();
    assert_eq!(dumped.code, 0, "{}", dumped.err);
    let mut documents = 0;
    for line in dumped.out.lines() {
        let line: Json = serde_json::from_str(line).unwrap();
        let Some(document) = line.get("document") else { continue };
        documents += 1;
        assert_eq!(document["json"]["x"], document["json"]["y"], "{document}");
    }
    assert_eq!(documents, 2_000);
    client.call(&["FLUSHALL"]);
    let loaded = run_with(&url, &["restore", "-"], dumped.out.as_bytes());
    assert_eq!(loaded.code, 0, "{loaded:?}");
    assert_eq!(client.texts(&["DOC.VERIFY", "a"]), Vec::<String>::new());
}

#[test]
fn a_compressed_dump_is_text_within() {
    let server = Server::start();
    let (url, mut client) = (server.url(), server.resp2());
    client.call(&["DOC.SET", "a:1", r#"{"n":1}"#]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dump.jsonl.gz");
    assert_eq!(dump(url, &file, &["a"]).code, 0);
    let mut text = String::new();
    let packed = std::fs::File::open(&file).unwrap();
    flate2::read::GzDecoder::new(packed).read_to_string(&mut text).unwrap();
    let first: Json = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(first["header"]["collections"], serde_json::json!(["a"]));
    std::io::stdout().flush().unwrap();
}
