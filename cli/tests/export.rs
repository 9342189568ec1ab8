//! `folio export`.

use std::fs;
use std::io::Read as _;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use folio_tests::Server;
use serde_json::{Value as Json, json};

use crate::tool::{folio, run, run_with};

const DOCUMENTS: &[(&str, &str)] = &[
    ("1", r#"{"id":1,"a":1.10,"big":9007199254740993}"#),
    ("zwei", r#"{"a":0.10000000000000000001}"#),
    ("3", r#"{"id":"3","s":"a,\"b\"\nc"}"#),
    ("4", r#"{"id":5}"#),
    ("5", "{}"),
    ("6", r#"{"a":1,"_id":"x"}"#),
    ("7", r#"{"_document":{"a":1}}"#),
    ("8", r#"{"_key":1,"nested":{"x":[1.0,null]}}"#),
    ("a:b c", r#"{"_id":"a:b c","n":null}"#),
];

fn filled() -> Server {
    let server = Server::start();
    let mut client = server.resp3();
    for (id, document) in DOCUMENTS {
        client.call(&["DOC.SET", &format!("users:{id}"), document]);
    }
    server
}

/// Brings what was written into another collection, and compares documents.
fn comes_back(server: &Server, written: &str, words: &[&str]) {
    let mut client = server.resp3();
    client.call(&["DEL", "back:0"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("users.jsonl");
    fs::write(&file, written).unwrap();
    let words = [&["import", file.to_str().unwrap(), "-c", "back"], words].concat();
    let ran = run(server.url(), &words);
    assert_eq!(ran.code, 0, "{ran:?}\n{written}");
    for (id, document) in DOCUMENTS {
        let found = client.text(&["DOC.GET", &format!("back:{id}")]);
        assert_eq!(found.as_deref(), Some(*document), "{id}\n{written}");
        client.call(&["DEL", &format!("back:{id}")]);
    }
    assert!(!client.texts(&["DOC.LIST"]).contains(&"back".into()), "there is something else");
}

#[test]
fn the_ending_of_a_file_tells_its_format() {
    let server = Server::start();
    server.resp3().call(&["DOC.SET", "c:1", r#"{"a":1}"#]);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("out.csv");
    let ran = run(server.url(), &["export", "c", "--output", file.to_str().expect("text")]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(fs::read_to_string(&file).expect("a file"), "_id,a\n1,1\n");
}

#[test]
fn what_is_written_comes_back() {
    let server = filled();
    let ran = run(server.url(), &["export", "users"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines[0], DOCUMENTS[0].1);
    assert_eq!(lines[1], r#"{"_id":"zwei","a":0.10000000000000000001}"#);
    assert_eq!(lines[3], r#"{"_id":"4","id":5}"#);
    assert_eq!(lines[4], r#"{"_id":"5"}"#);
    assert_eq!(lines[5], r#"{"_id":"6","_document":{"a":1,"_id":"x"}}"#);
    comes_back(&server, &ran.out, &[]);
    let ran = run(server.url(), &["export", "users", "--with-keys"]);
    let first =
        format!("{{\"_key\":\"users:1\",\"_id\":\"1\",\"_document\":{}}}\n", DOCUMENTS[0].1);
    assert!(ran.out.starts_with(&first), "{}", ran.out);
    comes_back(&server, &ran.out, &[]);
    let ran = run(server.url(), &["export", "users", "--format", "json"]);
    assert!(serde_json::from_str::<Json>(&ran.out).unwrap().is_array());
    comes_back(&server, &ran.out, &["--format", "json"]);
}

#[test]
fn ids_stand_where_they_are_wanted() {
    let server = filled();
    let one = ["export", "users", "--where", "_id IN ('1', 'zwei')"];
    let ran = run(server.url(), &[&one[..], &["--id-field", "id"]].concat());
    let zwei = r#"{"id":"zwei","a":0.10000000000000000001}"#;
    assert_eq!(ran.out, format!("{}\n{zwei}\n", DOCUMENTS[0].1));
    let ran = run(server.url(), &[&one[..], &["--no-ids"]].concat());
    assert_eq!(ran.out, format!("{}\n{}\n", DOCUMENTS[0].1, DOCUMENTS[1].1));
}

#[test]
fn filters_orders_and_limits_are_kept_over_pages() {
    let server = Server::start();
    let mut client = server.resp3();
    for n in 0..2500 {
        client.call(&["DOC.SET", &format!("n:{n}"), &format!("{{\"v\":{}}}", (n * 7919) % 2500)]);
    }
    let values = |words: &[&str]| -> Vec<u64> {
        let ran = run(server.url(), &[&["export", "n", "--no-ids"], words].concat());
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.out
            .lines()
            .map(|line| serde_json::from_str::<Json>(line).unwrap()["v"].as_u64().unwrap())
            .collect()
    };
    assert_eq!(values(&[]), (0..2500).map(|n| (n * 7919) % 2500).collect::<Vec<_>>());
    assert_eq!(values(&["--order", "v"]), (0..2500).collect::<Vec<_>>());
    let words = [
        "--order",
        "v",
        "--desc",
        "--limit",
        "1234",
        "--where",
        "v < $most",
        "--param",
        "most=2000",
    ];
    assert_eq!(values(&words), (0..2000).rev().take(1234).collect::<Vec<_>>());
    assert_eq!(values(&["--limit", "0"]), [0_u64; 0]);
    let ran = run(server.url(), &["export", "n", "--where", "v <"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("FILTER"), "{ran:?}");
    assert_eq!(run(server.url(), &["export", "nothing"]).code, 1);
}

#[test]
fn tables_have_the_columns_that_are_known() {
    let server = Server::start();
    let mut client = server.resp3();
    client.call(&["DOC.CREATE", "t", "FIELD", "name", "string", "FIELD", "address.city", "string"]);
    client.call(&["DOC.SET", "t:1", r#"{"x":1.10,"address":{"city":"Rome"},"name":"a,\"b\"\nc"}"#]);
    client.call(&["DOC.SET", "t:2", r#"{"name":"2","n":null,"big":9007199254740993}"#]);
    let ran = run(server.url(), &["export", "t", "--format", "csv"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(
        ran.out,
        "_id,name,address,x,n,big\n1,\"a,\"\"b\"\"\nc\",\"{\"\"city\"\":\"\"Rome\"\"}\",1.10,,\n2,2,,,null,9007199254740993\n"
    );
    // The declaration brings the types back.
    client.call(&["DOC.CREATE", "back", "FIELD", "name", "string"]);
    let back = run_with(
        server.url(),
        &["import", "-", "-c", "back", "--format", "csv"],
        ran.out.as_bytes(),
    );
    assert_eq!(back.code, 0, "{back:?}");
    let first = r#"{"name":"a,\"b\"\nc","address":{"city":"Rome"},"x":1.10}"#;
    assert_eq!(client.text(&["DOC.GET", "back:1"]).unwrap(), first);
    let second = r#"{"name":"2","n":null,"big":9007199254740993}"#;
    assert_eq!(client.text(&["DOC.GET", "back:2"]).unwrap(), second);

    let ran = run(
        server.url(),
        &["export", "t", "--format", "csv", "--select", "address.city,x", "--no-ids"],
    );
    assert_eq!((ran.code, ran.out.as_str()), (0, "address.city,x\nRome,1.10\n,\n"), "{ran:?}");
    for n in 3..2000 {
        client.call(&["DOC.SET", &format!("t:{n}"), r#"{"name":"x"}"#]);
    }
    client.call(&["DOC.SET", "t:last", r#"{"late":1}"#]);
    let ran = run(server.url(), &["export", "t", "--format", "csv"]);
    assert_eq!(ran.code, 4, "{}", ran.err);
    assert!(ran.err.contains("1 values have no column"), "{}", ran.err);
}

#[test]
fn tables_have_the_id_of_the_key() {
    let server = Server::start();
    let mut client = server.resp3();
    client.call(&["DOC.SET", "t:1", r#"{"_id":"x","a":1}"#]);
    client.call(&["DOC.SET", "t:2", r#"{"_id":"2","a":2}"#]);
    let words = ["export", "t", "--format", "csv"];
    let ran = run(server.url(), &words);
    assert_eq!((ran.code, ran.out.as_str()), (4, "_id,a\n1,1\n2,2\n"), "{ran:?}");
    assert!(ran.err.contains("1 values have no column"), "{ran:?}");
    let ran = run(server.url(), &[&words[..], &["--id-field", "_id"]].concat());
    assert_eq!((ran.code, ran.out.as_str()), (0, "_id,a\nx,1\n2,2\n"), "{ran:?}");
    client.call(&["DOC.DEL", "t:1"]);
    let ran = run(server.url(), &[&words[..], &["--select", "_id,a"]].concat());
    assert_eq!((ran.code, ran.out.as_str()), (0, "_id,a\n2,2\n"), "{ran:?}");
}

#[test]
fn what_is_no_file_stays_what_it_is() {
    let server = filled();
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("file"), folder.path().join("link"));
    std::os::unix::fs::symlink("file", &link).unwrap();
    let ran = run(server.url(), &["export", "users", "-o", link.to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), DOCUMENTS.len());
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let read = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read_to_string(pipe).unwrap()
    });
    let ran = run(server.url(), &["export", "users", "-o", pipe.to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(read.join().unwrap(), fs::read_to_string(&file).unwrap());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
}

#[test]
fn an_interruption_ends_it_before_there_is_an_answer() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", silent.local_addr().unwrap());
    for words in [&["export", "users"][..], &["import", "-c", "users", "Cargo.toml"]] {
        let mut child = folio(&url, words).stderr(Stdio::null()).spawn().unwrap();
        let _connection = silent.accept().unwrap();
        let asked = Instant::now();
        let pid = child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(130));
        assert!(asked.elapsed() < Duration::from_secs(4), "{:?}", asked.elapsed());
    }
}

#[test]
fn a_file_has_its_name_when_it_is_whole() {
    let server = filled();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.jsonl.gz");
    let words = ["export", "users", "--gzip", "--output", path.to_str().unwrap(), "--json"];
    let ran = run(server.url(), &words);
    assert_eq!(ran.code, 0, "{ran:?}");
    let told: Json = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(told["written"], json!(DOCUMENTS.len()));
    let mut text = String::new();
    GzDecoder::new(fs::File::open(&path).unwrap()).read_to_string(&mut text).unwrap();
    comes_back(&server, &text, &[]);
    // What fails leaves the old file as it is, and nothing beside it.
    let before = fs::read(&path).unwrap();
    let ran =
        run(server.url(), &["export", "users", "-o", path.to_str().unwrap(), "--where", "a ="]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn documents_that_are_marked_as_deleted_are_asked_for() {
    let server = filled();
    server.resp3().call(&["DOC.DEL", "users:1", "SOFT"]);
    let count = |words: &[&str]| run(server.url(), words).out.lines().count();
    assert_eq!(count(&["export", "users"]), DOCUMENTS.len() - 1);
    assert_eq!(count(&["export", "users", "--with-deleted"]), DOCUMENTS.len());
}
