//! Keys of RedisJSON, from a stand-in that speaks its commands.

use std::io::{BufReader, Write as _};
use std::net::{TcpListener, TcpStream};

use serde_json::json;

use super::{Bench, rejects};

/// Answers like a server with RedisJSON, as far as it is asked.
struct StandIn {
    url: String,
}

impl StandIn {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                std::thread::spawn(move || serve(stream.unwrap()));
            }
        });
        Self { url }
    }
}

fn serve(mut stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some(command) = read_command(&mut reader) {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let answer = match words[..] {
            ["HELLO", ..] => "%2\r\n$6\r\nserver\r\n$5\r\nredis\r\n$5\r\nproto\r\n:3\r\n".into(),
            ["SCAN", cursor, "MATCH", "u:*", "COUNT", _, "TYPE", "ReJSON-RL"] => match cursor {
                "0" => "*2\r\n$2\r\n17\r\n*2\r\n$3\r\nu:1\r\n$3\r\nu:2\r\n".into(),
                _ => "*2\r\n$1\r\n0\r\n*3\r\n$3\r\nu:3\r\n$3\r\nu:4\r\n$6\r\nu:gone\r\n".to_owned(),
            },
            ["JSON.GET", key, "."] => match key {
                "u:1" => bulk(r#"{"a":1.10,"b":9007199254740993}"#),
                "u:2" => bulk("{}"),
                "u:3" => bulk("[1]"),
                "u:4" => bulk(r#"{"é":null}"#),
                _ => "_\r\n".into(),
            },
            ["PTTL", "u:1"] => ":100000\r\n".into(),
            ["PTTL", _] => ":-1\r\n".into(),
            _ => "+OK\r\n".into(),
        };
        stream.write_all(answer.as_bytes()).unwrap();
    }
}

fn bulk(text: &str) -> String {
    format!("${}\r\n{text}\r\n", text.len())
}

fn read_command(reader: &mut impl std::io::BufRead) -> Option<Vec<String>> {
    let number = |reader: &mut dyn std::io::BufRead| -> Option<usize> {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        line.trim().get(1..)?.parse().ok()
    };
    let count = number(reader)?;
    let words = (0..count).map(|_| {
        let length = number(reader)?;
        let mut word = vec![0; length + 2];
        reader.read_exact(&mut word).ok()?;
        word.truncate(length);
        String::from_utf8(word).ok()
    });
    words.collect()
}

#[test]
fn keys_of_redisjson_come_with_their_ttls() {
    let mut bench = Bench::new();
    let source = StandIn::start();
    let bad = bench.path("bad.jsonl");
    let words = [
        "--from-redisjson",
        "u:*",
        "--source-url",
        &source.url,
        "--rejects",
        bad.to_str().unwrap(),
    ];
    let ran = bench.import(&words);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert_eq!(bench.count(), 3);
    assert_eq!(bench.get("users:1").unwrap(), r#"{"a":1.10,"b":9007199254740993}"#);
    assert_eq!(bench.get("users:4").unwrap(), r#"{"é":null}"#);
    let left = bench.client.int(&["PTTL", "users:1"]);
    assert!((50_000..=100_000).contains(&left), "{left}");
    assert_eq!(bench.client.int(&["PTTL", "users:2"]), -1);
    let rejected = rejects(&bad);
    let error = "JSON a document is an object, found an array";
    assert_eq!(rejected, [json!({"line": 3, "error": error, "text": "u:3"})]);

    let ran = bench.import(&["--from-redisjson", "u:*"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("RedisJSON is not loaded there"), "{ran:?}");
}
