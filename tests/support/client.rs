//! A small synchronous client that shows replies as they are on the wire.

use redis::{Connection, IntoConnectionInfo, ProtocolVersion, RedisResult, ToRedisArgs, Value};

/// One connection in one protocol. Replies are the wire's, nothing is converted.
pub struct Client {
    connection: Connection,
}

impl Client {
    /// Connects to a server's address.
    pub fn connect(url: &str, protocol: ProtocolVersion) -> Self {
        let info = url.into_connection_info().unwrap_or_else(|error| panic!("{url}: {error}"));
        let settings = info.redis_settings().clone().set_protocol(protocol);
        let client = redis::Client::open(info.set_redis_settings(settings));
        let connection = client.and_then(|client| client.get_connection());
        Self { connection: connection.unwrap_or_else(|error| panic!("{url}: {error}")) }
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
            Value::SimpleString(text) => Some(text),
            Value::Okay => Some("OK".into()),
            other => panic!("{}: {other:?} is no text", command.join(" ")),
        }
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
