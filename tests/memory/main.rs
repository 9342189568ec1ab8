//! What Folio takes: what it says of that, how much more a load takes, what is left when all is gone, and what
//! happens when there is no more.

#![forbid(unsafe_code)]

mod accounting;
mod cycles;
mod full;
mod loading;

use std::thread;
use std::time::{Duration, Instant};

use folio_tests::{Client, Options, Server, users};
use redis::ConnectionLike;

/// How long a server may take to come to rest.
const PATIENCE: Duration = Duration::from_secs(60);
/// Commands that are sent at once.
const PIPELINE: usize = 500;

/// A server that keeps no statistics of each command, some 20 KB from its first call on.
fn start() -> Server {
    Options::new().config("latency-tracking", "no").start()
}

/// The memory in use once nothing is left to be freed in the background, or `enough` is true of it.
#[track_caller]
fn rest(c: &mut Client, enough: impl Fn(i64) -> bool) -> i64 {
    let deadline = Instant::now() + PATIENCE;
    let mut before = i64::MIN;
    let mut since = Instant::now();
    loop {
        let used = c.info_number("memory", "used_memory");
        let is_pending = c.info_number("memory", "lazyfree_pending_objects") > 0;
        if is_pending || used.abs_diff(before) > 4_096 {
            (before, since) = (used, Instant::now());
        }
        // Hash tables of the server grow and shrink step by step, ten times a second.
        let is_still = since.elapsed() > Duration::from_millis(400);
        if is_still && enough(used) || Instant::now() > deadline {
            return used;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Sends many commands that must succeed.
fn send(server: &Server, commands: impl IntoIterator<Item = Vec<String>>) {
    let client = redis::Client::open(server.url()).expect("the address is well formed");
    let mut connection = client.get_connection().expect("the server answers");
    let mut commands = commands.into_iter().peekable();
    while commands.peek().is_some() {
        let mut packed = Vec::new();
        let mut count = 0;
        for command in commands.by_ref().take(PIPELINE) {
            packed.extend(redis::cmd(&command[0]).arg(&command[1..]).get_packed_command());
            count += 1;
        }
        let answers = connection.req_packed_commands(&packed, 0, count);
        let answers = answers.unwrap_or_else(|error| panic!("{error}"));
        for answer in answers {
            assert!(!matches!(answer, redis::Value::ServerError(_)), "{answer:?}");
        }
    }
}

fn set(key: impl Into<String>, json: impl Into<String>) -> Vec<String> {
    vec!["DOC.SET".to_owned(), key.into(), json.into()]
}

/// Declares the users with their six indexes.
fn declare_users(c: &mut Client) {
    c.call(&users::CREATE.split_whitespace().collect::<Vec<_>>());
}
