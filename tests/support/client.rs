//! A small synchronous client that shows replies as they are on the wire.

use std::collections::BTreeMap;

use redis::{Connection, IntoConnectionInfo, ProtocolVersion, RedisResult, ToRedisArgs, Value};
use serde_json::Value as Json;

use crate::reply;

/// One connection in one protocol. Replies are the wire's, nothing is converted.
pub struct Client {
    connection: Connection,
    protocol: ProtocolVersion,
}

impl Client {
    /// Connects to a server's address.
    pub fn connect(url: &str, protocol: ProtocolVersion) -> Self {
        let info = url.into_connection_info().unwrap_or_else(|error| panic!("{url}: {error}"));
        let settings = info.redis_settings().clone().set_protocol(protocol);
        let client = redis::Client::open(info.set_redis_settings(settings));
        let connection = client.and_then(|client| client.get_connection());
        let connection = connection.unwrap_or_else(|error| panic!("{url}: {error}"));
        Self { connection, protocol }
    }

    /// Whether the connection speaks RESP3.
    pub fn is_resp3(&self) -> bool {
        self.protocol.supports_resp3()
    }

    /// Sends a command and gives the server's answer or error.
    pub fn try_call(&mut self, command: &[impl ToRedisArgs]) -> RedisResult<Value> {
        let mut packed = redis::Cmd::new();
        for argument in command {
            packed.arg(argument);
        }
        packed.query(&mut self.connection)
    }

    /// Sends a command that must succeed.
    pub fn call(&mut self, command: &[&str]) -> Value {
        self.try_call(command).unwrap_or_else(|error| panic!("{}: {error}", command.join(" ")))
    }

    /// Sends a command whose answer is a whole number.
    pub fn int(&mut self, command: &[&str]) -> i64 {
        match self.call(command) {
            Value::Int(n) => n,
            other => panic!("{}: {other:?} is no integer", command.join(" ")),
        }
    }

    /// Sends a command whose answer is text, or null.
    pub fn text(&mut self, command: &[&str]) -> Option<String> {
        match self.call(command) {
            Value::Nil => None,
            Value::BulkString(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
            Value::SimpleString(text) | Value::VerbatimString { text, .. } => Some(text),
            Value::Okay => Some("OK".into()),
            other => panic!("{}: {other:?} is no text", command.join(" ")),
        }
    }

    /// Sends a command whose answer is a map.
    pub fn map(&mut self, command: &[&str]) -> BTreeMap<String, Value> {
        let answer = self.call(command);
        reply::map(self.protocol, answer)
    }

    /// Sends a command whose answer is a list of texts.
    pub fn texts(&mut self, command: &[&str]) -> Vec<String> {
        reply::texts(self.call(command))
    }

    /// Sends a command whose answer is JSON text.
    pub fn json(&mut self, command: &[&str]) -> Json {
        reply::json(&self.call(command))
    }

    /// A field of a section of INFO; empty where the section has none of the name.
    pub fn info(&mut self, section: &str, field: &str) -> String {
        let text = self.text(&["INFO", section]).unwrap_or_default();
        let value = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        value.unwrap_or_default().trim().to_owned()
    }

    /// A field of INFO that is a whole number.
    pub fn info_number(&mut self, section: &str, field: &str) -> i64 {
        let value = self.info(section, field);
        value
            .parse()
            .unwrap_or_else(|_| panic!("{field} of INFO {section} is '{value}', no number"))
    }

    /// The keys that a `DOC.FIND` gives, in order.
    pub fn keys(&mut self, command: &[&str]) -> Vec<String> {
        let mut answer = self.map(command);
        let rows = reply::list(answer.remove("results").expect("an answer has results"));
        rows.into_iter().map(|row| reply::text(&reply::list(row)[0])).collect()
    }

    /// Sends a command that must fail and gives the error's whole line, its code first.
    pub fn error(&mut self, command: &[&str]) -> String {
        match self.try_call(command) {
            Ok(value) => panic!("{}: {value:?} came, an error was to", command.join(" ")),
            Err(error) => {
                let code = error.code().unwrap_or_else(|| panic!("{error} is not the server's"));
                format!("{code} {}", error.detail().unwrap_or_default())
            }
        }
    }
}
