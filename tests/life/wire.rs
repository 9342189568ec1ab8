//! A connection that sends many commands at once and keeps each reply, errors included.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use folio_tests::pipeline::encode;
pub use folio_tests::pipeline::{Words as Command, words as command};
use redis::{Parser, ProtocolVersion, Value};

use crate::world::SOON_MS;

/// How long one reply may take.
const REPLY_TIMEOUT: Duration = Duration::from_secs(60);

/// Bytes of a word that are shown; only large documents have more.
const SHOWN_BYTES: usize = 5_000;

/// A command as one would type it.
pub fn shown(command: &Command) -> String {
    let word = |word: &Vec<u8>| {
        let cut = &word[..word.len().min(SHOWN_BYTES)];
        let text = String::from_utf8_lossy(cut);
        // The lines of a script.
        let text = text.replace("\n    ", " ");
        let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\'' | '\\');
        if !text.is_empty() && text.chars().all(plain) {
            text
        } else {
            format!("'{}'", text.escape_debug().to_string().replace("\\\"", "\""))
        }
    };
    command.iter().map(word).collect::<Vec<_>>().join(" ")
}

/// Whether a command names the time after which something lapses soon, be it in a script or in JSON.
pub fn says_soon(command: &Command) -> bool {
    let soon = SOON_MS.to_string();
    let mut numbers =
        command.iter().flat_map(|word| word.split(|byte| !byte.is_ascii_alphanumeric()));
    numbers.any(|number| number == soon.as_bytes())
}

/// One connection. Replies in RESP3 are given in the form that they have in RESP2.
pub struct Wire {
    stream: TcpStream,
    parser: Parser,
}

impl Wire {
    pub fn connect(url: &str, protocol: ProtocolVersion) -> Self {
        let address = url.trim_start_matches("redis://");
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_nodelay(true).expect("a socket takes its options");
        stream.set_read_timeout(Some(REPLY_TIMEOUT)).expect("a socket takes its options");
        let mut wire = Self { stream, parser: Parser::new() };
        if protocol.supports_resp3() {
            wire.call(&["HELLO", "3"]).expect("the server speaks RESP3");
        }
        wire
    }

    /// Sends the commands and waits for the reply of each; an error where the server is gone.
    pub fn ask(&mut self, commands: &[Command]) -> Result<Vec<Value>, String> {
        let sent = self.stream.write_all(&encode(commands));
        sent.map_err(|error| format!("the server is gone: {error}"))?;
        let mut replies = Vec::with_capacity(commands.len());
        for command in commands {
            let reply = self.parser.parse_value(&mut self.stream);
            let reply = reply.map_err(|error| format!("{}: {error}", shown(command)))?;
            replies.push(as_resp2(reply));
        }
        Ok(replies)
    }

    /// Sends one command.
    pub fn call(&mut self, words: &[&str]) -> Result<Value, String> {
        Ok(self.ask(&[command(words)])?.remove(0))
    }

    /// The server's clock, in milliseconds since 1970.
    pub fn now_ms(&mut self) -> Result<i64, String> {
        time_ms(&self.call(&["TIME"])?)
    }
}

/// A reply as RESP2 has it: maps as flat arrays, truth as a number.
fn as_resp2(reply: Value) -> Value {
    match reply {
        Value::Array(items) | Value::Set(items) => {
            Value::Array(items.into_iter().map(as_resp2).collect())
        }
        Value::Map(pairs) => {
            let items = pairs.into_iter().flat_map(|(name, value)| [name, value]);
            Value::Array(items.map(as_resp2).collect())
        }
        Value::Boolean(truth) => Value::Int(truth.into()),
        Value::Double(number) => Value::BulkString(number.to_string().into_bytes()),
        Value::VerbatimString { text, .. } => Value::BulkString(text.into_bytes()),
        other => other,
    }
}

/// The reply of TIME in milliseconds.
pub fn time_ms(reply: &Value) -> Result<i64, String> {
    let number = |value: &Value| match value {
        Value::BulkString(text) => std::str::from_utf8(text).ok()?.parse::<i64>().ok(),
        _ => None,
    };
    match reply {
        Value::Array(parts) if parts.len() == 2 => number(&parts[0])
            .zip(number(&parts[1]))
            .map(|(seconds, micros)| seconds * 1000 + micros / 1000),
        _ => None,
    }
    .ok_or_else(|| format!("TIME gave {reply:?}"))
}
