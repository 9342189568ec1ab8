//! Hostile commands: each meets the error that tests/data/hostile.jsonl says, within five seconds,
//! alone, in a transaction and in a script; after each the server answers, and every document,
//! version, time to live and definition is what it was. At the end the memory is back and
//! `DOC.VERIFY` finds nothing.

#![expect(clippy::unwrap_used, reason = "a test may unwrap")]

mod cases;
mod wire;

use std::thread;
use std::time::{Duration, Instant};

use cases::Case;
use folio_tests::Server;
use wire::{Command, PATIENCE, Reply, Wire, command};

const CASES_MIN: usize = 300;
/// What the server may keep of all that it was told: buffers, the script, the slow log.
const MEMORY_GROWTH_MAX: i64 = 4 << 20;
/// Commands above this size are said once, alone, on a connection of their own.
const BYTES_REPEATED_MAX: usize = 1 << 20;
const SCRIPT: &str = "return redis.pcall(unpack(ARGV))";

#[test]
fn hostile_commands_change_nothing() {
    let (setup, cases) = cases::read();
    assert!(cases.len() >= CASES_MIN, "{} cases", cases.len());
    let server = Server::start();
    let mut run = Run::prepare(server.url(), &setup);
    let memory_before = run.memory();
    for case in &cases {
        run.judge(case);
    }
    run.judge_memory(memory_before);
    run.judge_indexes();
    let faults = &run.faults;
    println!("{} hostile commands, {} answers judged", cases.len(), run.judged);
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

struct Run {
    url: String,
    wire: Wire,
    digest: Vec<Reply>,
    judged: usize,
    faults: Vec<String>,
}

impl Run {
    fn prepare(url: &str, setup: &[Command]) -> Self {
        let mut wire = Wire::connect(url);
        let stranger = "ACL SETUSER stranger on nopass ~* &* +@all -@admin -@dangerous";
        let stranger = command(&stranger.split(' ').collect::<Vec<_>>());
        let mut faults = Vec::new();
        for command in setup.iter().chain([&stranger]) {
            let reply = wire.say(command).unwrap();
            if let Reply::Error(line) = reply {
                faults.push(format!("set-up {}: {line}", shown(command)));
            }
        }
        let digest = digest(&mut wire);
        Self { url: url.to_owned(), wire, digest, judged: 0, faults }
    }

    fn judge(&mut self, case: &Case) {
        let is_large = case.command.iter().map(Vec::len).sum::<usize>() > BYTES_REPEATED_MAX;
        let began = Instant::now();
        let reply = if case.is_stranger || is_large {
            let mut wire = Wire::connect(&self.url);
            if case.is_stranger {
                wire.words(&["AUTH", "stranger", "any"]).expect("the server answers AUTH");
            }
            wire.say(&case.command)
        } else {
            self.wire.say(&case.command)
        };
        let took = began.elapsed();
        if took > PATIENCE {
            self.faults.push(format!("{}: took {took:?}", case.name));
        }
        self.judge_reply(case, "alone", reply, Case::fault_of);
        if !case.is_stranger && !is_large {
            let reply = self.transaction(&case.command);
            self.judge_reply(case, "in MULTI", reply, Case::fault_of_code);
            let mut script = command(&["EVAL", SCRIPT, "0"]);
            script.extend(case.command.iter().cloned());
            let reply = self.wire.say(&script);
            self.judge_reply(case, "in EVAL", reply, Case::fault_of_code);
        }
    }

    /// The command between two that must succeed; its own answer.
    fn transaction(&mut self, hostile: &Command) -> std::io::Result<Reply> {
        self.wire.words(&["MULTI"])?;
        self.wire.words(&["PING", "before"])?;
        let queued = self.wire.say(hostile)?;
        if let Reply::Error(_) = queued {
            self.wire.words(&["EXEC"])?;
            return Ok(queued);
        }
        self.wire.words(&["PING", "after"])?;
        let replies = self.wire.words(&["EXEC"])?;
        Ok(replies.elements().get(1).cloned().unwrap_or(replies))
    }

    fn judge_reply(
        &mut self,
        case: &Case,
        how: &str,
        reply: std::io::Result<Reply>,
        fault_of: fn(&Case, &str) -> Option<String>,
    ) {
        self.judged += 1;
        let fault = match reply {
            Ok(Reply::Error(line)) => fault_of(case, &line),
            Ok(reply) => Some(format!("no error but {}", shown_reply(&reply))),
            Err(error) => {
                // The old connection may still hold the answer, so it is of no more use.
                self.wire = Wire::connect(&self.url);
                Some(format!("no answer: {error}"))
            }
        };
        let context = || format!("{}, {how} ({})", case.name, shown(&case.command));
        if let Some(fault) = fault {
            self.faults.push(format!("{}: {fault}", context()));
        }
        let pong = self.wire.words(&["PING"]);
        assert!(
            pong.is_ok_and(|pong| pong == Reply::Simple("PONG".to_owned())),
            "{}: the server answers no more; before it:\n{}",
            context(),
            self.faults.join("\n")
        );
        let digest = digest(&mut self.wire);
        if digest != self.digest {
            self.faults.push(format!("{}: something changed", context()));
            self.digest = digest;
        }
    }

    fn memory(&mut self) -> i64 {
        let info = self.wire.words(&["INFO", "memory"]).unwrap();
        let info = String::from_utf8_lossy(info.bytes().unwrap()).into_owned();
        let used = info.lines().find_map(|line| line.strip_prefix("used_memory:"));
        used.expect("INFO names used_memory").trim().parse().unwrap()
    }

    fn judge_memory(&mut self, before: i64) {
        // A fresh connection has no grown buffers, and freeing in the background takes a moment.
        self.wire = Wire::connect(&self.url);
        let deadline = Instant::now() + PATIENCE;
        while self.memory() > before + MEMORY_GROWTH_MAX && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(50));
        }
        let growth = self.memory() - before;
        if growth > MEMORY_GROWTH_MAX {
            self.faults.push(format!("the server's memory grew by {growth} bytes"));
        }
    }

    fn judge_indexes(&mut self) {
        let names = self.wire.words(&["DOC.LIST"]).unwrap();
        if names.elements().is_empty() {
            self.faults.push("DOC.LIST names no collection".to_owned());
        }
        for name in names.elements() {
            let name = name.bytes().unwrap().to_vec();
            let reply = self.wire.say(&[b"DOC.VERIFY".to_vec(), name]).unwrap();
            if !is_clean(&reply) {
                self.faults.push(format!("DOC.VERIFY: {}", shown_reply(&reply)));
            }
        }
    }
}

/// Whether `DOC.VERIFY` reports no difference: an empty list, or a map with one.
fn is_clean(reply: &Reply) -> bool {
    let elements = reply.elements();
    let names_differences = |pair: &&[Reply]| pair[0].bytes() == Some(b"differences");
    match elements.chunks_exact(2).find(names_differences) {
        Some(pair) => pair[1] == Reply::Int(0) || pair[1] == Reply::Array(Vec::new()),
        None => *reply == Reply::Array(Vec::new()),
    }
}

/// All that a write could change: every key with its value, version and time, every definition.
fn digest(wire: &mut Wire) -> Vec<Reply> {
    let lists = wire.pipeline(&[command(&["KEYS", "*"]), command(&["DOC.LIST"])]).unwrap();
    let names = |reply: &Reply| {
        let mut names: Vec<_> =
            reply.elements().iter().filter_map(|n| n.bytes().map(<[u8]>::to_vec)).collect();
        names.sort();
        names
    };
    let about = |word: &str, name: &[u8]| vec![word.as_bytes().to_vec(), name.to_vec()];
    let mut commands = vec![command(&["DBSIZE"]), command(&["DOC.FUNCTION", "DUMP"])];
    for key in names(&lists[0]) {
        let words = ["TYPE", "PEXPIRETIME", "DOC.GET", "DOC.META", "STRLEN", "LLEN", "HLEN"];
        commands.extend(words.map(|word| about(word, &key)));
    }
    for name in names(&lists[1]) {
        commands.extend(["DOC.SCHEMA", "DOC.COUNT"].map(|word| about(word, &name)));
    }
    let mut digest: Vec<Reply> =
        names(&lists[0]).into_iter().chain(names(&lists[1])).map(Reply::Bulk).collect();
    digest.extend(wire.pipeline(&commands).unwrap());
    digest
}

/// A command for a message: shortened, odd bytes escaped.
fn shown(command: &Command) -> String {
    let short = |argument: &Vec<u8>| {
        let text = argument[..argument.len().min(60)].escape_ascii().to_string();
        if argument.len() > 60 { format!("{text}.. {} bytes", argument.len()) } else { text }
    };
    command.iter().map(short).collect::<Vec<_>>().join(" ")
}

fn shown_reply(reply: &Reply) -> String {
    let text = format!("{reply:?}");
    text.chars().take(200).collect()
}
