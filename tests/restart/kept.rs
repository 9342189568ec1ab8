//! Files that earlier versions have written, which every later one reads: `tests/data/files`, a folder for each form.

use std::fs;
use std::path::{Path, PathBuf};

use folio_tests::everything::everything;
use folio_tests::{Options, Pipeline, Server};
use redis::Value;

fn folders() -> Vec<PathBuf> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/files");
    let entries = fs::read_dir(all).expect("the files are kept");
    let mut folders: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    assert!(!folders.is_empty());
    folders
}

#[track_caller]
fn assert_holds(server: &Server, expected: &Path) {
    let expected = fs::read_to_string(expected).expect("what a file holds is kept beside it");
    let held = everything(&mut Pipeline::connect(server.url()).expect("the server listens"));
    for (held, expected) in held.lines().zip(expected.lines()) {
        assert_eq!(held, expected);
    }
    assert_eq!(held.len(), expected.len());
}

#[test]
fn a_kept_snapshot_is_read() {
    for folder in folders() {
        let mut server = Server::start();
        server.kill();
        fs::copy(folder.join("dump.rdb"), server.folder().join("dump.rdb")).expect("own folder");
        server.start_again();
        assert_holds(&server, &folder.join("expected.txt"));
        // What is written goes on behind it.
        let version = server.resp2().int(&["DOC.SET", "people:new", r#"{"n":0}"#]);
        assert!(version > 9, "{version}");
    }
}

#[test]
fn kept_append_only_files_are_read() {
    for folder in folders() {
        for name in ["aof-preamble", "aof-commands"] {
            let mut server = Options::new().appendonly().start();
            server.kill();
            let own = server.folder().join("appendonlydir");
            fs::remove_dir_all(&own).expect("own folder");
            fs::create_dir(&own).expect("own folder");
            for file in fs::read_dir(folder.join(name)).expect("a kept folder").flatten() {
                fs::copy(file.path(), own.join(file.file_name())).expect("own folder");
            }
            server.start_again();
            assert_holds(&server, &folder.join(format!("{name}.expected.txt")));
        }
    }
}

#[test]
fn a_kept_payload_is_restored() {
    for folder in folders() {
        let payload = fs::read(folder.join("people-2.payload")).expect("a kept file");
        let server = Server::start();
        let mut c = server.resp2();
        let restored = c.try_call(&[b"RESTORE", &b"people:2"[..], b"0", &payload]);
        assert_eq!(restored.expect("an older payload is taken"), Value::Okay);
        let text = c.text(&["DOC.GET", "people:2"]);
        assert_eq!(text.as_deref(), Some(r#"{"n":-2,"s":"é𝄞\u0000\"","mail":null}"#));
        let meta = c.map(&["DOC.META", "people:2"]);
        let numbers = ["version", "seq", "created", "updated"].map(|name| meta[name].clone());
        assert_eq!(numbers, [7, 1, 1_700_000_000_001, 1_700_000_000_009].map(Value::Int));
    }
}
