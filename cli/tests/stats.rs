//! `folio stats`, as programs and pipes see it.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use folio_tests::Server;
use folio_tests::builds::{Build, CREATE, fill};
use serde_json::Value as Json;

use crate::tool::{folio, run};

#[test]
fn a_line_of_json_is_told_each_interval() {
    let server = Server::start();
    let mut c = server.resp3();
    c.call(&["DOC.CREATE", "u", "FIELD", "n", "int", "INDEX", "SORTED"]);
    let mut command = folio(server.url(), &["--json", "stats", "--interval", "0.2", "-n", "20"]);
    let mut tool = command.stdout(Stdio::piped()).spawn().expect("the tool starts");
    let mut lines = BufReader::new(tool.stdout.take().expect("it is piped")).lines();
    // It has looked once before it tells the first line.
    let first = lines.next().expect("a line").expect("a text");
    for n in 0..50 {
        c.call(&["DOC.SET", &format!("u:{n}"), &format!(r#"{{"n":{n}}}"#)]);
    }
    c.error(&["DOC.SET", "u:1", r#"{"n":"text"}"#]);
    let all: Vec<Json> = std::iter::once(Ok(first))
        .chain(lines)
        .map(|line| serde_json::from_str(&line.expect("a text")).expect("JSON"))
        .collect();
    assert_eq!(tool.wait().expect("it ends").code(), Some(0));
    assert_eq!(all.len(), 20);
    let of_set = |report: &Json| -> (u64, u64) {
        let commands = report["commands"].as_array().expect("commands");
        let set = commands.iter().find(|it| it["command"] == "doc.set");
        set.map_or((0, 0), |set| {
            let (p50, p99) = (set["p50_us"].as_f64().unwrap(), set["p99_us"].as_f64().unwrap());
            assert!(p50 > 0.0 && p50 <= p99, "{set}");
            (set["calls"].as_u64().unwrap(), set["failures"].as_u64().unwrap())
        })
    };
    let told: Vec<(u64, u64)> = all.iter().map(of_set).collect();
    assert_eq!(told.iter().fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1)), (51, 1), "{told:?}");
    let refused: u64 = all.iter().filter_map(|it| it["refused_writes"]["SCHEMA"].as_u64()).sum();
    assert_eq!(refused, 1);
    let last = all.last().expect("twenty");
    assert_eq!(last["documents"], 50);
    assert!(
        last["index_bytes"].as_u64() > Some(0) && last["memory"]["used_bytes"].as_u64() > Some(0)
    );
    assert_eq!(last["replication"]["role"], "primary");
}

#[test]
fn a_report_is_plain_text_where_nobody_looks() {
    let server = Server::start();
    fill(&server);
    let build = Build::halfway(&server, CREATE);
    let ran = run(server.url(), &["stats", "--once", "--interval", "0.1"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
    assert!(!ran.out.contains('\x1b'), "{ran:?}");
    for what in ["commands/s", "3000 documents", "build of t in database 0: ", " of 3000 ("] {
        assert!(ran.out.contains(what), "{what}: {}", ran.out);
    }
    build.end(&server).expect("it ends");
    let ran = run(server.url(), &["stats", "-n", "2", "--interval", "0.1"]);
    assert_eq!(ran.out.matches("commands/s").count(), 2, "{ran:?}");
    assert!(!ran.out.contains("build of"), "{ran:?}");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let server = Server::start();
    for words in
        [&["--interval", "0"][..], &["--interval", "x"], &["-n", "0"], &["--once", "-n", "2"]]
    {
        let ran = run(server.url(), &[&["stats"], words].concat());
        assert_eq!(ran.code, 2, "{ran:?}");
    }
}

#[test]
fn a_server_that_is_not_there_is_told() {
    let ran = run("redis://127.0.0.1:1", &["stats", "--once"]);
    assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{ran:?}");
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_with_success() {
    let server = Server::start();
    for signal in ["-INT", "-TERM"] {
        let mut command = folio(server.url(), &["--json", "stats", "--interval", "0.1"]);
        let mut tool = command.stdout(Stdio::piped()).spawn().expect("the tool starts");
        let mut lines = BufReader::new(tool.stdout.take().expect("it is piped")).lines();
        lines.next().expect("a line").expect("a text");
        let id = tool.id().to_string();
        let killed = std::process::Command::new("kill").args([signal, &id]).status();
        assert!(killed.is_ok_and(|status| status.success()));
        assert_eq!(tool.wait().expect("it ends").code(), Some(0), "{signal}");
        let rest: Vec<String> = lines.map_while(Result::ok).collect();
        assert!(rest.iter().all(|line| serde_json::from_str::<Json>(line).is_ok()), "{rest:?}");
    }
}
