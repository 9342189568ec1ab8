//! Imports that are interrupted, and servers that are away for a while.

use super::*;

/// An import of many lines that is under way: some of them are noted as done.
fn begun(bench: &Bench, file: &str, words: &[&str]) -> Child {
    let all =
        [&["import", "-c", "users", file, "--batch", "20", "--pipelines", "2"], words].concat();
    let mut command = folio(bench.server.url(), &all);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let state = format!("{file}.import-state.json");
    let has_begun = || {
        let state: Option<Json> =
            fs::read(&state).ok().and_then(|text| serde_json::from_slice(&text).ok());
        state.is_some_and(|state| state["lines"].as_u64() > Some(100))
    };
    let deadline = Instant::now() + Duration::from_secs(30);
    while !has_begun() {
        if Instant::now() > deadline {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("it does not begin");
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    child
}

const MANY: usize = 40_000;

fn many(bench: &Bench) -> (String, String) {
    let mut text = String::new();
    (0..MANY).for_each(|n| writeln!(text, "{{\"id\":{n},\"v\":{n}.10}}").unwrap());
    (bench.file("u.jsonl", &text), text)
}

/// Whether the collection holds what the file does, in its order.
fn holds(bench: &Bench, text: &str) {
    let ran = run(bench.server.url(), &["export", "users"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out == text, "{} bytes for {}", ran.out.len(), text.len());
}

#[test]
fn an_interrupted_import_goes_on() {
    let mut bench = Bench::new();
    let (file, text) = many(&bench);
    let mut child = begun(&bench, &file, &[]);
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{told}");
    assert!(told.contains("--resume goes on"), "{told}");
    let before = bench.count();
    assert!((100..MANY as i64).contains(&before), "{before}");
    let ran = bench.import(&[&file, "--resume", "--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let told: Json = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(told["loaded"], MANY);
    holds(&bench, &text);
    // What was under way was waited for, so nothing was sent twice.
    assert_eq!(bench.calls("DOC.SET"), MANY as i64);
    assert!(!Path::new(&format!("{file}.import-state.json")).exists());
}

#[test]
fn a_killed_import_goes_on() {
    let mut bench = Bench::new();
    let (file, text) = many(&bench);
    let mut child = begun(&bench, &file, &[]);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!((100..MANY as i64).contains(&bench.count()));
    let other = bench.file("other.jsonl", "{}");
    let state = format!("{file}.import-state.json");
    let ran = bench.import(&[&other, "--resume", "--state", &state]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("of other files"), "{ran:?}");
    let ran = bench.import(&[&file, "--resume"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    holds(&bench, &text);
    assert!(bench.calls("DOC.SET") < 2 * MANY as i64);
    let ran = bench.import(&[&file, "--resume"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("nothing to resume"), "{ran:?}");
}

#[test]
fn a_broken_connection_is_opened_anew() {
    let mut bench = Bench::new();
    let (file, text) = many(&bench);
    let mut child = begun(&bench, &file, &[]);
    let closed = bench.client.int(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    assert!(closed > 0);
    assert!(bench.count() < MANY as i64);
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{told}");
    assert!(told.contains("trying again"), "{told}");
    holds(&bench, &text);
}

#[test]
fn a_broken_connection_ends_what_may_not_be_sent_twice() {
    let mut bench = Bench::new();
    let (file, text) = many(&bench);
    let mut child = begun(&bench, &file, &["--mode", "insert"]);
    assert!(bench.client.int(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]) > 0);
    assert_eq!(child.wait().unwrap().code(), Some(3));
    assert!(bench.count() < MANY as i64);
    let ran = bench.import(&[&file, "--resume", "--mode", "insert"]);
    // Those that were under way may have been written.
    assert!(ran.code == 0 || ran.err.contains("EXISTS"), "{ran:?}");
    holds(&bench, &text);
}

#[test]
fn a_server_that_refuses_everything_ends_it() {
    let mut bench = Bench::new();
    bench.client.call(&["CONFIG", "SET", "maxmemory", "1"]);
    let file = bench.file("u.jsonl", "{\"id\":1}\n{\"id\":2}\n");
    let ran = bench.import(&[&file]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("OOM"), "{ran:?}");
    assert!(!bench.path("u.jsonl.rejects.jsonl").exists());
    bench.client.call(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(bench.import(&[&file, "--resume"]).code, 0);
    assert_eq!(bench.count(), 2);
}

#[test]
fn a_server_that_is_read_only_for_a_while_is_waited_for() {
    let mut bench = Bench::new();
    let (file, text) = many(&bench);
    let mut child = begun(&bench, &file, &[]);
    bench.client.call(&["REPLICAOF", "127.0.0.1", "1"]);
    std::thread::sleep(Duration::from_secs(2));
    bench.client.call(&["REPLICAOF", "NO", "ONE"]);
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{told}");
    assert_eq!(told.matches("READONLY").count(), 1, "{told}");
    holds(&bench, &text);
}
