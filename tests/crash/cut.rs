//! An append-only file that ends anywhere within its last commands: a prefix of them is loaded.
//!
//! What the server held after each command is read while the file is written, with the file's length. A cut file has to
//! give what was there after the last command that is whole, and be cut back to there.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use folio_tests::everything::everything;
use folio_tests::pipeline::{Words, words};
use folio_tests::{Options, Pipeline, Server};
use redis::Value;

use crate::loader::Loader;

/// Commands that are cut, at least.
const COMMANDS: usize = 40;

/// How a server's data lie in files.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Layout {
    /// One file that begins with a snapshot and goes on with commands.
    Snapshot,
    /// One file of commands.
    Commands,
    /// A snapshot just written, and a file that continues it.
    Increment,
}

/// A file, and what the server held when it was so long.
struct Recorded {
    base: Vec<u8>,
    increment: Option<Vec<u8>>,
    /// The lengths after each step, and what there was then.
    states: Vec<(usize, String)>,
}

const SETUP: [&str; 12] = [
    "DOC.CREATE people FIELD n int INDEX SORTED FIELD s string INDEX SET FIELD mail string UNIQUE",
    r#"DOC.SET people:1 {"n":1,"s":"a","mail":"a@x"}"#,
    r#"DOC.SET people:2 {"n":2,"s":"b","mail":"b@x"}"#,
    r#"DOC.SET people:3 {"n":3,"s":"a"} PXAT 4102444800000"#,
    r#"DOC.SET notes:1 {"n":1,"free":[1.50,null,{"x":"é𝄞"}]}"#,
    r#"DOC.SET stray:1 {"n":9}"#,
    "RENAME stray:1 stray",
    "DOC.CREATE empty MODE STRICT FIELD a.b decimal REQUIRED",
    "SELECT 1",
    r#"DOC.SET people:1 {"n":11}"#,
    "DOC.CREATE side FIELD n int INDEX SET",
    "SELECT 0",
];

/// The last commands, each a step; those between MULTI and EXEC are one.
const STEPS: &str = r#"
DOC.SET people:4 {"n":4,"s":"a","mail":"d@x"}
DOC.SET people:1 {"n":1,"s":"c","mail":"a@x"}
DOC.SET people:2 {"n":2,"s":"b","mail":"b@x"}
DOC.UPDATE people:1 INCR n 5 SET s "a" UNSET mail
DOC.SET people:5 {"n":5,"mail":"a@x"} PXAT 4102444800001
DOC.SET people:5 {"n":6,"mail":"a@x"} KEEPTTL
DOC.SET people:6 {"n":7} PXAT 1
DOC.DEL people:2 people:9
PEXPIREAT people:4 4102444800002
PEXPIREAT people:4 4102444800003
PERSIST people:3
RENAME people:4 people:44
COPY people:44 people:45
COPY people:44 people:1 REPLACE
COPY people:44 people:7 DB 1
MOVE notes:1 1
MULTI;DOC.SET people:8 {"n":8,"s":"a"};RENAME people:8 people:88;DOC.UPDATE people:88 INCR n 1;PEXPIREAT people:88 4102444800004;EXEC
EVAL redis.call('DOC.SET','notes:2','{"n":2}')redis.call('DOC.UPDATE','notes:2','SET','s','"a"')redis.call('RENAME','notes:2','notes:3')redis.pcall('DOC.SET','people:1','[]') 0
DOC.CREATE notes FIELD n int INDEX SORTED
DOC.SET notes:4 {"n":4,"pad":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}
DOC.SET gone:1 {"n":1,"s":"a"}
DOC.SET gone:2 {"n":2,"s":"a"}
DOC.CREATE gone FIELD n int UNIQUE
DOC.DROP gone DOCUMENTS
DOC.SET gone:3 {"n":3}
UNLINK gone:3
DOC.CREATE plain PREFIX stra FIELD n int INDEX SET
DOC.DROP plain
DOC.DROP notes
SWAPDB 0 2
SELECT 2
DOC.SET people:1 {"n":100,"s":"a"}
SET people:3 text
DOC.CREATE late FIELD n int UNIQUE FIELD s string INDEX SET
DOC.SET late:1 {"n":1,"s":"\"q\\"}
SELECT 1
DOC.UPDATE side:1 SET n 1
DOC.SET side:1 {"n":1}
FLUSHDB
DOC.SET side:2 {"n":2}
SELECT 2
DOC.SET people:66 {"n":66,"s":"é𝄞","mail":"é@x"}
DOC.UPDATE people:66 SET deep.er[0] {"a":[]} INCR n -1000
DEL people:66
DOC.SET people:67 {"n":18446744073709551615}
"#;

fn split(command: &str) -> Words {
    // A script is one word.
    match command.strip_prefix("EVAL ").and_then(|rest| rest.rsplit_once(' ')) {
        Some((script, count)) => words(&["EVAL", script, count]),
        None => words(&command.split(' ').collect::<Vec<_>>()),
    }
}

fn wait_for_rewrite(pipeline: &mut Pipeline) {
    let deadline = Instant::now() + Duration::from_secs(30);
    pipeline.call(&["BGREWRITEAOF"]);
    loop {
        let info = folio_tests::reply::text(&pipeline.call(&["INFO", "persistence"]));
        if !info.contains("aof_rewrite_in_progress:1") && !info.contains("rewrite_scheduled:1") {
            return;
        }
        assert!(Instant::now() < deadline, "the rewrite does not end");
        thread::sleep(Duration::from_millis(5));
    }
}

/// The file of this kind, of those that the manifest names.
fn file(folder: &Path, kind: &str) -> PathBuf {
    let folder = folder.join("appendonlydir");
    let manifest = fs::read_to_string(folder.join("appendonly.aof.manifest")).expect("a manifest");
    let line = manifest.lines().find(|line| line.ends_with(&format!("type {kind}")));
    folder.join(line.and_then(|line| line.split(' ').nth(1)).expect("a file of this kind"))
}

fn record(layout: Layout) -> Recorded {
    let preamble = if layout == Layout::Commands { "no" } else { "yes" };
    let options = Options::new().appendonly().config("aof-use-rdb-preamble", preamble);
    let server = options.start();
    let mut pipeline = Pipeline::connect(server.url()).expect("the server listens");
    for command in SETUP {
        let reply = pipeline.call(&split(command));
        assert!(!matches!(reply, Value::ServerError(_)), "{command}: {reply:?}");
    }
    wait_for_rewrite(&mut pipeline);
    // Definitions and counters follow from a timer.
    thread::sleep(Duration::from_millis(50));
    let (base, increment) = (file(server.folder(), "b"), file(server.folder(), "i"));
    let length = || fs::metadata(&increment).expect("the server's file").len() as usize;
    // What is asked selects databases: another connection's.
    let mut reader = Pipeline::connect(server.url()).expect("the server listens");
    let mut states = vec![(length(), everything(&mut reader))];
    for step in STEPS.trim().lines() {
        let commands: Vec<Words> = step.split(';').map(split).collect();
        pipeline.ask(&commands);
        states.push((length(), everything(&mut reader)));
    }
    let base = fs::read(base).expect("the server's file");
    let increment = fs::read(&increment).expect("the server's file");
    if layout == Layout::Increment {
        return Recorded { base, increment: Some(increment), states };
    }
    let states = states.into_iter().map(|(length, state)| (base.len() + length, state)).collect();
    Recorded { base: [base, increment].concat(), increment: None, states }
}

/// Of the cuts of each file one in so many is tried without `CUTS=all`. The three files end with the same commands, byte
/// for byte but for the digits of times, and each takes its turn: together they are cut at every byte.
const LAYOUTS: usize = 3;
/// Digits of an instant in milliseconds.
const TIME_DIGITS: usize = 13;

fn cut_everywhere(layout: Layout) {
    let began = Instant::now();
    let Recorded { base, increment, states } = record(layout);
    let has_increment = increment.is_some();
    let whole = increment.as_ref().unwrap_or(&base);
    let first = states[0].0;
    let ends = ends(whole, first);
    let commands = ends.len();
    assert!(commands >= COMMANDS, "{commands} commands");
    // Between two commands a running server can be asked to load: it takes a cut within one for the end of all.
    let mut loader = Loader::start(Options::new());
    loader.put(&base, increment.as_deref());
    for (length, wanted) in &states {
        loader.put_last(&whole[..*length], has_increment);
        loader.load();
        let later = states.iter().rev().find(|(at, _)| at == length);
        let wanted = later.map_or(wanted, |(_, wanted)| wanted);
        assert_same(&loader.everything(), wanted, layout, *length);
    }
    let is_all = env::var("CUTS").is_ok_and(|cuts| cuts == "all");
    let mut server = Options::new().appendonly().start();
    let mut cuts = 0;
    for length in first..=whole.len() {
        let is_turn = (length - first) % LAYOUTS == layout as usize;
        if !is_all && !is_turn {
            continue;
        }
        cuts += 1;
        // Steps that changed nothing have the length of the one before.
        let is_before = |(at, _): &&(usize, String)| *at <= length;
        let last = states.iter().rev().find(is_before);
        let (kept, wanted) = last.expect("the first state has the least length");
        server.kill();
        put(&server, &base, has_increment, &whole[..length]);
        server.start_again();
        let whole_to = ends.iter().rev().find(|end| **end <= length).copied().unwrap_or(first);
        assert!(*kept <= whole_to, "a step ends where a command does");
        // Within a transaction Redis 7.0 leaves those of its commands that are whole, and carries none out.
        let left = last_length(&server, has_increment);
        assert!((whole_to..=length).contains(&left), "{layout:?} cut at {length}: {left} are left");
        let mut pipeline = Pipeline::connect(server.url()).expect("the server listens");
        assert_same(&everything(&mut pipeline), wanted, layout, length);
    }
    let seconds = began.elapsed().as_secs_f64();
    println!("{layout:?}: {cuts} cuts in {commands} commands, {seconds:.0} s");
}

/// Where commands end, from `at` on; a transaction is one.
fn ends(file: &[u8], mut at: usize) -> Vec<usize> {
    let line = |at: &mut usize| -> usize {
        let end = file[*at..].iter().position(|byte| *byte == b'\r').expect("a line ends") + *at;
        let text = std::str::from_utf8(&file[*at + 1..end]).expect("a count is text");
        *at = end + 2;
        text.parse().expect("a count is a number")
    };
    let (mut ends, mut in_transaction) = (Vec::new(), false);
    while at < file.len() {
        let mut name = None;
        for _ in 0..line(&mut at) {
            let length = line(&mut at);
            name.get_or_insert(&file[at..at + length]);
            at += length + 2;
        }
        match name {
            Some(b"MULTI") => in_transaction = true,
            Some(b"EXEC") => in_transaction = false,
            _ => {}
        }
        if !in_transaction {
            ends.push(at);
        }
    }
    ends
}

const BASE: &str = "appendonly.aof.1.base.rdb";
const INCREMENT: &str = "appendonly.aof.1.incr.aof";
/// The manifest's line of the file that continues the base.
const CONTINUED: &str = "file appendonly.aof.1.incr.aof seq 1 type i\n";

/// Lays a file cut short before a server that starts.
fn put(server: &Server, base: &[u8], has_increment: bool, last: &[u8]) {
    let folder = server.folder().join("appendonlydir");
    let mut manifest = format!("file {BASE} seq 1 type b\n");
    let base = if has_increment { base } else { last };
    fs::write(folder.join(BASE), base).expect("own file");
    if has_increment {
        manifest.push_str(CONTINUED);
        fs::write(folder.join(INCREMENT), last).expect("own file");
    }
    fs::write(folder.join("appendonly.aof.manifest"), manifest).expect("own file");
}

/// How long the file is now: the server cuts off what is not whole.
fn last_length(server: &Server, has_increment: bool) -> usize {
    let name = if has_increment { INCREMENT } else { BASE };
    let path = server.folder().join("appendonlydir").join(name);
    fs::metadata(path).expect("own file").len() as usize
}

#[track_caller]
fn assert_same(seen: &str, wanted: &str, layout: Layout, length: usize) {
    let differ = seen.lines().zip(wanted.lines()).find(|(seen, wanted)| seen != wanted);
    assert_eq!(differ, None, "{layout:?} cut at {length}");
    assert_eq!(seen.len(), wanted.len(), "{layout:?} cut at {length}");
}

#[test]
fn a_file_that_begins_with_a_snapshot_is_cut_at_every_byte() {
    cut_everywhere(Layout::Snapshot);
}

#[test]
fn a_file_of_commands_is_cut_at_every_byte() {
    cut_everywhere(Layout::Commands);
}

#[test]
fn a_file_that_continues_a_snapshot_is_cut_at_every_byte() {
    cut_everywhere(Layout::Increment);
}

/// The last commands of a file, without the times at which they were written.
fn commands(layout: Layout) -> String {
    let Recorded { base, increment, states } = record(layout);
    let last = increment.unwrap_or(base).split_off(states[0].0);
    let text = last.escape_ascii().to_string();
    let is_time = |word: &str| word.len() == TIME_DIGITS && word.parse::<u64>().is_ok();
    // The numbers of an effect are one word.
    let without_times = |word: &str| {
        let numbers = word.split(',').map(|number| if is_time(number) { "time" } else { number });
        numbers.collect::<Vec<_>>().join(",")
    };
    text.split("\\r\\n").map(without_times).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_three_files_end_with_the_same_commands() {
    let of_snapshot = commands(Layout::Snapshot);
    assert_eq!(commands(Layout::Commands), of_snapshot);
    assert_eq!(commands(Layout::Increment), of_snapshot);
}
