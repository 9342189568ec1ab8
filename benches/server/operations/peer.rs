//! The same by other modules: a server with RediSearch and RedisJSON, if one has them.
//!
//! | variable | names |
//! |---|---|
//! | `FOLIO_PEER_CONF` | the server's configuration, which loads the modules; nothing is measured without it |
//! | `FOLIO_PEER_SERVER` | its program; else `redis-server` from PATH |
//!
//! Another server has another SET and GET: its figures are set against its own.

use std::env;
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::Once;
use std::thread;
use std::time::{Duration, Instant};

use folio_tests::{Client, users};
use redis::{ProtocolVersion, Value};

use super::queries::{self, Found, QUERIES, Question};
use super::table::{Figures, Who};
use super::target::{self, Target, Users, biography, words, write};
use super::writes;

/// How long the server may take until it answers.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// What the server has to know.
const NEEDED: [&str; 7] = [
    "JSON.SET",
    "JSON.GET",
    "JSON.NUMINCRBY",
    "FT.CREATE",
    "FT.DROPINDEX",
    "FT.SEARCH",
    "FT.AGGREGATE",
];
/// The six indexes of workload U. There are no unique ones.
const CREATE: &str = "FT.CREATE users ON JSON PREFIX 1 users: SCHEMA \
    $.email AS email TAG $.city AS city TAG $.tags[*] AS tags TAG $.age AS age NUMERIC SORTABLE \
    $.score AS score NUMERIC SORTABLE $.created_at AS created_at NUMERIC SORTABLE";
/// So that a message that holds of all rounds is said once.
static SAID: Once = Once::new();

/// A server of one's own, which ends with the value.
struct Peer {
    process: Child,
    url: String,
}

impl Peer {
    /// Starts a server on a free port with a configuration.
    fn start(configuration: &str) -> Result<Self, String> {
        let program = env::var("FOLIO_PEER_SERVER").unwrap_or_else(|_| "redis-server".into());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("some port is free");
        let port = listener.local_addr().expect("a bound socket has an address").port();
        drop(listener);
        let process = Command::new(&program)
            .arg(configuration)
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--daemonize", "no"])
            .args(["--save", "", "--appendonly", "no"])
            .stdout(Stdio::null())
            .spawn();
        let process = process.map_err(|error| format!("{program}: {error}"))?;
        let mut peer = Peer { process, url: format!("redis://127.0.0.1:{port}") };
        let deadline = Instant::now() + START_TIMEOUT;
        while !peer.answers() {
            let ended = peer.process.try_wait().map_err(|error| error.to_string())?;
            if ended.is_some() || Instant::now() > deadline {
                return Err(format!("{program} {configuration} does not answer"));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(peer)
    }

    fn answers(&self) -> bool {
        let connection = redis::Client::open(self.url.as_str())
            .and_then(|client| client.get_connection_with_timeout(START_TIMEOUT));
        connection.is_ok_and(|mut c| redis::cmd("PING").query::<Value>(&mut c).is_ok())
    }

    fn client(&self) -> Client {
        Client::connect(&self.url, ProtocolVersion::RESP2)
    }

    /// The first command that the server does not know.
    fn lacks(&self) -> Option<&'static str> {
        let mut client = self.client();
        let mut is_known = |name: &str| match client.call(&["COMMAND", "INFO", name]) {
            Value::Array(answers) => answers.iter().any(|answer| *answer != Value::Nil),
            _ => false,
        };
        NEEDED.into_iter().find(|name| !is_known(name))
    }

    /// An empty server, with the index or without.
    fn empty(&self, is_indexed: bool) {
        let mut client = self.client();
        // There is none at first, and a flush may take it along.
        let _ = client.try_call(&["FT.DROPINDEX", "users"]);
        client.call(&["FLUSHALL", "SYNC"]);
        let _ = client.try_call(&["FT.DROPINDEX", "users"]);
        if is_indexed {
            client.call(&CREATE.split_whitespace().collect::<Vec<_>>());
        }
    }

    fn used_memory(&self) -> f64 {
        target::used_memory(&mut self.client())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself, and holds nothing that is to be kept.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The same writes and queries as Folio's, on a server of their own, or a line that says why not.
pub fn measure(users: Users, figures: &mut Figures, expected: &Found) {
    let say = |text: String| SAID.call_once(|| println!("peer: not measured: {text}"));
    let Ok(configuration) = env::var("FOLIO_PEER_CONF") else {
        return say("FOLIO_PEER_CONF names no configuration of a server with its modules".into());
    };
    let peer = match Peer::start(&configuration) {
        Ok(peer) => peer,
        Err(reason) => return say(reason),
    };
    if let Some(command) = peer.lacks() {
        return say(format!("the server of {configuration} has no {command}"));
    }
    let mut target = Target::connect(&peer.url, u64::from(peer.process.id()));
    measure_writes(&peer, &mut target, users, figures);
    let mut client = peer.client();
    let found = queries::found(&mut client, users.count, command, rows);
    for query in &QUERIES {
        let (here, there) = (&expected[query.name], &found[query.name]);
        if here != there {
            println!("peer: {}: {there:?} found where Folio finds {here:?}", query.name);
        }
    }
    queries::measure_others(&mut target, users.count, figures, Who::Peer, command);
}

/// Leaves the documents of the queries.
fn measure_writes(peer: &Peer, target: &mut Target, users: Users, figures: &mut Figures) {
    let mut take = |name: &str, value| figures.twin(Who::Peer, name, value);
    let key = |verb: &'static str| move |n| words([verb, &users::key(n)]);
    let bytes_each = |before| (peer.used_memory() - before) / users.count as f64;
    peer.empty(false);
    let empty = peer.used_memory();
    take(writes::SET, target.pipelined(users.all(write("SET", 0))));
    take(writes::STRING, bytes_each(empty));
    take(writes::GET, target.pipelined(users.some(key("GET"))));
    take(queries::GET, target.one_by_one(users.some(key("GET")).take(queries::TIMES as usize)));
    peer.empty(false);
    let empty = peer.used_memory();
    take(writes::NEW_BARE, target.pipelined(users.all(set(0))));
    take(writes::DOCUMENT_BARE, bytes_each(empty));
    peer.empty(true);
    let empty = peer.used_memory();
    take(writes::NEW, target.pipelined(users.all(set(0))));
    take(writes::DOCUMENT, bytes_each(empty));
    take(writes::READ, target.pipelined(users.some(key("JSON.GET"))));
    let path = |n| words(["JSON.GET", &users::key(n), "$.city"]);
    take(writes::READ_PATH, target.pipelined(users.some(path)));
    take(writes::OVER, target.pipelined(users.some(set(1))));
    let older = |n| words(["JSON.NUMINCRBY", &users::key(n), "$.age", "1"]);
    take(writes::AGE, target.pipelined(users.some(older)));
    let bio = |n| words(["JSON.SET", &users::key(n), "$.bio", &format!("\"{}\"", biography(n))]);
    take(writes::BIO, target.pipelined(users.some(bio)));
    peer.empty(true);
    target.pipelined(users.all(set(0)));
}

fn set(revision: u64) -> impl Fn(u64) -> Vec<String> {
    move |n| words(["JSON.SET", &users::key(n), "$", &users::revised(n, revision)])
}

/// A question as RediSearch is asked.
fn command(question: Question) -> Vec<String> {
    let search = |filter: &str, more: &str| {
        let mut search = words(["FT.SEARCH", "users", filter]);
        search.extend(more.split(' ').chain(["DIALECT", "2"]).map(str::to_owned));
        search
    };
    let group = |filter: &str, by: &str| {
        let mut group = words(["FT.AGGREGATE", "users", filter, "GROUPBY", "1", by]);
        let reduce = "REDUCE AVG 1 @score AS mean LIMIT 0 1000 DIALECT 2";
        group.extend(reduce.split(' ').map(str::to_owned));
        group
    };
    let in_city = |n| tag("city", &queries::city(n));
    let has = |n: u64| tag("tags", &format!("tag-{n:02}"));
    match question {
        Question::Email(n) => search(&tag("email", &queries::email(n)), "LIMIT 0 1"),
        Question::City(n) => search(&in_city(n), "LIMIT 0 10"),
        Question::Top(n) => {
            search(&format!("{} @age:[30 40]", in_city(n)), "SORTBY score DESC LIMIT 0 10")
        }
        Question::Count(from) => search(&format!("@age:[{from} {}]", from + 10), "LIMIT 0 0"),
        Question::Newest(after) => {
            let filter = format!("@created_at:[({after} +inf]");
            search(&filter, "SORTBY created_at DESC LIMIT 0 10")
        }
        Question::Tags(a, b) => search(&format!("{} {}", has(a), has(b)), "LIMIT 0 10"),
        Question::ByCity => group("*", "@city"),
        Question::ByAge(n) => group(&in_city(n), "@age"),
    }
}

/// A condition on a tag; all in it that is no letter or digit would end the word.
fn tag(field: &str, value: &str) -> String {
    let mut escaped = String::new();
    for char in value.chars() {
        if !char.is_alphanumeric() {
            escaped.push('\\');
        }
        escaped.push(char);
    }
    format!("@{field}:{{{escaped}}}")
}

/// The rows of an answer: of FT.SEARCH a total, then a key and its fields for each; of FT.AGGREGATE a number, then one each.
fn rows(question: Question, answer: Value) -> i64 {
    let Value::Array(answer) = answer else { return 0 };
    let after_total = answer.len() as i64 - 1;
    match (question, answer.first()) {
        (Question::Count(_), Some(Value::Int(total))) => *total,
        (Question::ByCity | Question::ByAge(_), _) => after_total,
        _ => after_total / 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_asked_as_redisearch_reads_them() {
        let asked = |question| command(question).join(" ");
        assert_eq!(
            asked(Question::Email(7)),
            r"FT.SEARCH users @email:{user\.0000007\@example\.com} LIMIT 0 1 DIALECT 2"
        );
        assert_eq!(
            asked(Question::Top(3)),
            r"FT.SEARCH users @city:{City\ 03} @age:[30 40] SORTBY score DESC LIMIT 0 10 DIALECT 2"
        );
        assert_eq!(
            asked(Question::Newest(5)),
            "FT.SEARCH users @created_at:[(5 +inf] SORTBY created_at DESC LIMIT 0 10 DIALECT 2"
        );
        assert_eq!(
            asked(Question::Tags(1, 2)),
            r"FT.SEARCH users @tags:{tag\-01} @tags:{tag\-02} LIMIT 0 10 DIALECT 2"
        );
        assert_eq!(
            asked(Question::ByCity),
            "FT.AGGREGATE users * GROUPBY 1 @city REDUCE AVG 1 @score AS mean LIMIT 0 1000 DIALECT 2"
        );
        assert_eq!(command(Question::City(3))[2], r"@city:{City\ 03}");
    }

    #[test]
    fn rows_are_counted_without_the_total() {
        let text = || Value::BulkString(b"x".to_vec());
        let search = Value::Array(vec![Value::Int(500), text(), text(), text(), text()]);
        assert_eq!(rows(Question::City(1), search.clone()), 2);
        assert_eq!(rows(Question::Count(1), search), 500);
        assert_eq!(rows(Question::ByCity, Value::Array(vec![Value::Int(1), text(), text()])), 2);
    }
}
