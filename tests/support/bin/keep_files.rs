//! Writes the files that every later version has to read: `keep-files <folder>`, which must not be there yet.
//!
//! What they hold is the same whenever and wherever this runs: numbers and times are given, not taken.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use folio_tests::everything::everything;
use folio_tests::pipeline::words;
use folio_tests::{Options, Pipeline, Server};
use redis::Value;

/// A script of commands with given numbers and times: version, birth number, created, updated, expires.
const COMMANDS: [&str; 32] = [
    "DOC.CREATE people FIELD n int INDEX SORTED FIELD s string INDEX SET FIELD mail string UNIQUE NULLABLE",
    "DOC.CREATE strict PREFIX s- MODE STRICT FIELD a.b decimal REQUIRED FIELD when datetime INDEX SORTED FIELD tags[*] string INDEX SET",
    "DOC.CREATE empty FIELD n json",
    r#"DOC._APPLY people:1 1 1 1700000000000 1700000000000 -1 {"n":1,"s":"a","mail":"a@x"}"#,
    r#"DOC._APPLY people:2 7 2 1700000000001 1700000000009 -1 {"n":-2,"s":"é𝄞\u0000\"","mail":null}"#,
    r#"DOC._APPLY people:3 8 3 1700000000002 1700000000002 4102444800000 {"n":18446744073709551615}"#,
    r#"DOC._APPLY people:6 6 6 1700000000000 1700000000005 4102444800004 {"n":6,"mail":"a@x"} DELETED"#,
    r#"DOC._APPLY people:7 7 7 1700000000000 1700000000006 -1 {"n":7} DELETED"#,
    r#"DOC._APPLY people:8 8 8 1700000000000 1700000000006 4102444800006 {"n":8,"s":"x","o":{"x":1}} TIMED {"o.x":4102444800005,"s":4102444800004}"#,
    r#"DOC._APPLY people:4 9 9 -1 0 -1 {"s":"a","free":{"x":[1.50,-0.0,1e300,true,false,null,{}],"":[]}}"#,
    r#"DOC._APPLY s-1 4 1 1700000000000 1700000000000 -1 {"a":{"b":"12.50"},"when":"2026-01-01T00:00:00.000000001+01:00"}"#,
    r#"DOC._APPLY s-2 5 2 1700000000000 1700000000000 -1 {"a":{"b":0.1},"when":1767225600000,"tags":["x","y"]}"#,
    r#"DOC._APPLY notes:long 1 1 1700000000000 1700000000000 -1 {"pad":"xyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxy"}"#,
    "DOC._APPLY notes:{tag}:a:b 2 2 1700000000000 1700000000000 -1 {}",
    "DOC._APPLY gone:1 40 30 1700000000000 1700000000000 -1 {}",
    "DEL gone:1",
    r#"DOC._APPLY stray:1 3 3 1700000000000 1700000000000 -1 {"is":"outside"}"#,
    "RENAME stray:1 stray",
    "SET text plain",
    "SELECT 3",
    r#"DOC._APPLY people:1 5 4 1700000000000 1700000000001 4102444800001 {"n":3}"#,
    r#"DOC._APPLY people:81 6 5 1700000000000 1700000000006 -1 {"n":81} DELETED TIMED {"n":4102444800005}"#,
    "DOC.CREATE late FIELD n int UNIQUE",
    r#"DOC._APPLY late:1 1 1 1700000000000 1700000000000 -1 {"n":1}"#,
    "DOC.FUNCTION LOAD twice return(doc.n)and(2*doc.n)",
    "DOC.FUNCTION LOAD up return{n=doc.n+1}",
    r#"DOC.CREATE moved DEFINITION {"collection":"moved","fields":[{"path":"n","type":"int"},{"path":"m","type":"int","computed":"twice","index":"sorted"}],"schema":2,"lazy":true,"migrations":[{"to":1,"up":"up","down":"up"},{"to":2,"up":"up"}]}"#,
    r#"DOC._APPLY moved:1 1,1,1700000000000,1700000000000,-1,2 {"n":1}"#,
    r#"DOC._APPLY moved:2 2,2,1700000000000,1700000000006,-1,16383 {"n":2,"o":{"x":1}} DELETED"#,
    r#"DOC._APPLY moved:3 3,3,1700000000000,1700000000000,-1 {"n":3}"#,
    "DOC.CREATE dropped FIELD n int",
    "DOC.DROP dropped",
];

fn fill(server: &Server) -> Pipeline {
    let mut pipeline = Pipeline::connect(server.url()).expect("the server listens");
    for command in COMMANDS {
        let reply = pipeline.call(&command.split(' ').collect::<Vec<_>>());
        assert!(!matches!(reply, Value::ServerError(_)), "{command}: {reply:?}");
    }
    pipeline.call(&["SELECT", "0"]);
    pipeline
}

fn rewrite(pipeline: &mut Pipeline) {
    pipeline.call(&["BGREWRITEAOF"]);
    let deadline = Instant::now() + Duration::from_secs(30);
    let busy = |info: &str| info.contains("aof_rewrite_in_progress:1");
    while busy(&folio_tests::reply::text(&pipeline.call(&["INFO", "persistence"]))) {
        assert!(Instant::now() < deadline, "the rewrite does not end");
        thread::sleep(Duration::from_millis(5));
    }
    // Definitions and counters follow from a timer.
    thread::sleep(Duration::from_millis(100));
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("the folder is new");
    for file in fs::read_dir(from).expect("a server's folder").flatten() {
        fs::copy(file.path(), to.join(file.file_name())).expect("a file can be copied");
    }
}

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).expect("usage: keep-files <folder>"));
    fs::create_dir(&folder).expect("kept files are never replaced");
    let server = Server::start();
    let mut pipeline = fill(&server);
    fs::write(folder.join("expected.txt"), everything(&mut pipeline)).expect("own folder");
    pipeline.call(&["SAVE"]);
    fs::copy(server.folder().join("dump.rdb"), folder.join("dump.rdb")).expect("own folder");
    pipeline.call(&["SELECT", "0"]);
    let Value::BulkString(payload) = pipeline.call(&["DUMP", "people:2"]) else {
        panic!("people:2 has no payload")
    };
    fs::write(folder.join("people-2.payload"), payload).expect("own folder");
    for (name, preamble) in [("aof-preamble", "yes"), ("aof-commands", "no")] {
        let options = Options::new().appendonly().config("aof-use-rdb-preamble", preamble);
        let server = options.start();
        let mut pipeline = fill(&server);
        rewrite(&mut pipeline);
        // Every form that a file goes on with; `after.txt` tells what is there then.
        let later = [
            r#"DOC._APPLY people:5 10 10 1700000000003 1700000000003 4102444800002 {"n":5,"mail":"e@x"}"#,
            r#"DOC._APPLY people:1 11 1 1700000000000 1700000000004 -1 {"n":11,"s":"b"}"#,
            r#"DOC._APPLY people:8 15 8 1700000000000 1700000000009 -1 {"n":8} TIMED {"n":4102444800004}"#,
            r#"DOC._APPLY people:7 12 7 1700000000000 1700000000007 -1 {"n":7}"#,
            r#"DOC._APPLY people:3 13 3 1700000000002 1700000000008 -1 {"n":3} DELETED"#,
            r#"DOC._APPLY people:6 14 11 1700000000009 1700000000009 -1 {"n":6}"#,
            "PEXPIREAT people:4 4102444800003",
            "PERSIST people:3",
            "RENAME people:2 people:22",
            "COPY people:4 people:44",
            "MOVE s-2 3",
            "DOC.CREATE more FIELD n int INDEX SET",
            "DOC.DROP strict",
            "DOC.DROP late DOCUMENTS",
            "SWAPDB 2 3",
        ];
        for command in later {
            let reply = pipeline.call(&command.split(' ').collect::<Vec<_>>());
            let is_expected = command.starts_with("DOC.DROP late");
            assert!(is_expected || !matches!(reply, Value::ServerError(_)), "{command}: {reply:?}");
        }
        pipeline.ask(&[words(&["SELECT", "2"]), words(&["DOC.DROP", "late", "DOCUMENTS"])]);
        copy(&server.folder().join("appendonlydir"), &folder.join(name));
        let after = everything(&mut pipeline);
        fs::write(folder.join(format!("{name}.expected.txt")), after).expect("own folder");
    }
}
