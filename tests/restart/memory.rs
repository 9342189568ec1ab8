//! What loading costs in memory: nothing that stays, and little while it lasts.

#![expect(clippy::unwrap_used, reason = "a test stops where its premise does not hold")]

use std::thread;
use std::time::{Duration, Instant};

use folio_tests::{Client, Server};
use redis::Value;

const DOCUMENTS: usize = 20_000;
const RELOADS: usize = 10;
/// What all reloads together may add: two and a half bytes a document. The server itself adds about two hundred a reload,
/// with a module or without.
const DRIFT_BYTES: i64 = 50_000;
/// What the first reload may add to what the writes left, in percent.
const FIRST_PERCENT: i64 = 2;
/// What a load may need at its peak, in percent of what its data use at its end: about 145 was seen, with what the process
/// itself needs to read a file.
const PEAK_PERCENT: i64 = 200;
/// How long the server may free in the background.
const PATIENCE: Duration = Duration::from_secs(20);

fn fill(c: &mut Client) {
    let create = "DOC.CREATE t FIELD email string UNIQUE FIELD city string INDEX SET FIELD age int INDEX SORTED \
                  FIELD tags array<string> INDEX SET FIELD price decimal INDEX SORTED";
    c.call(&create.split_whitespace().collect::<Vec<_>>());
    for n in 0..DOCUMENTS {
        let json = format!(
            r#"{{"email":"{n}@example.org","city":"c{}","age":{},"tags":["t{}","u{}"],"price":"{}.50","text":"{}"}}"#,
            n % 100,
            n % 90,
            n % 10,
            n % 13,
            n,
            "some words ".repeat(n % 20)
        );
        c.call(&["DOC.SET", &format!("t:{n}"), &json]);
    }
}

/// The memory that the server uses, once it says the same twice.
fn used(c: &mut Client) -> i64 {
    let ask = |c: &mut Client| c.info_number("memory", "used_memory");
    let deadline = Instant::now() + PATIENCE;
    let mut last = ask(c);
    loop {
        thread::sleep(Duration::from_millis(200));
        let now = ask(c);
        if (now - last).abs() < 10_000 || Instant::now() > deadline {
            return now;
        }
        last = now;
    }
}

#[test]
fn reloads_leave_no_memory_behind() {
    let server = Server::start();
    let mut c = server.resp3();
    fill(&mut c);
    let digest = c.call(&["DOC.VERIFY", "t", "DIGEST"]);
    let written = used(&mut c);
    let mut after = Vec::new();
    for _ in 0..RELOADS {
        c.call(&["DEBUG", "RELOAD"]);
        after.push(used(&mut c));
    }
    println!("{written} bytes written, after reloads {after:?}");
    let (least, most) = (after.iter().min().unwrap(), after.iter().max().unwrap());
    assert!(most - least <= DRIFT_BYTES, "{after:?}");
    assert!(*most <= written + written * FIRST_PERCENT / 100, "{written}, then {after:?}");
    assert_eq!(c.call(&["DOC.VERIFY", "t"]), Value::Array(vec![]));
    assert_eq!(c.call(&["DOC.VERIFY", "t", "DIGEST"]), digest);
}

/// A line of what Linux tells of a process, in kilobytes.
#[cfg(target_os = "linux")]
fn kilobytes(process: &str, name: &str) -> i64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn a_load_needs_little_more_than_what_it_leaves() {
    // The most that a process had at any time, and what the server says it uses now.
    let told = |c: &mut Client| {
        let process = c.info("server", "process_id");
        (kilobytes(&process, "VmHWM:"), used(c) / 1024)
    };
    let mut server = Server::start();
    let empty = told(&mut server.resp3());
    fill(&mut server.resp3());
    server.restart();
    let mut c = server.resp3();
    let loaded = told(&mut c);
    let (peak, end) = (loaded.0 - empty.0, loaded.1 - empty.1);
    println!("a load needs {peak} kB for {end} kB of data");
    assert!(peak * 100 <= end * PEAK_PERCENT, "{peak} kB for {end} kB");
    assert_eq!(c.int(&["DOC.COUNT", "t"]), DOCUMENTS as i64);
}
