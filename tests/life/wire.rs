//! A connection that sends many commands at once and keeps each reply, errors included.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use redis::{Parser, Value};

/// A command's words.
pub type Command = Vec<Vec<u8>>;

/// How long one reply may take.
const REPLY_TIMEOUT: Duration = Duration::from_secs(60);

/// Makes a command of words.
pub fn command<W: AsRef<[u8]>>(words: &[W]) -> Command {
    words.iter().map(|word| word.as_ref().to_vec()).collect()
}

/// A command as one would type it.
pub fn shown(command: &Command) -> String {
    let word = |word: &Vec<u8>| {
        let text = String::from_utf8_lossy(word);
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

/// One RESP2 connection.
pub struct Wire {
    stream: TcpStream,
    parser: Parser,
}

impl Wire {
    pub fn connect(url: &str) -> Self {
        let address = url.trim_start_matches("redis://");
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_nodelay(true).expect("a socket takes its options");
        stream.set_read_timeout(Some(REPLY_TIMEOUT)).expect("a socket takes its options");
        Self { stream, parser: Parser::new() }
    }

    /// Sends the commands and waits for the reply of each; an error where the server is gone.
    pub fn ask(&mut self, commands: &[Command]) -> Result<Vec<Value>, String> {
        let mut bytes = Vec::new();
        for command in commands {
            bytes.extend(format!("*{}\r\n", command.len()).bytes());
            for word in command {
                bytes.extend(format!("${}\r\n", word.len()).bytes());
                bytes.extend(word);
                bytes.extend(b"\r\n");
            }
        }
        self.stream.write_all(&bytes).map_err(|error| format!("the server is gone: {error}"))?;
        let mut replies = Vec::with_capacity(commands.len());
        for command in commands {
            let reply = self.parser.parse_value(&mut self.stream);
            replies.push(reply.map_err(|error| format!("{}: {error}", shown(command)))?);
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
