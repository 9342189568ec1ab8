//! A connection that sends ahead: many commands at once, then their replies one by one, errors included. A driver
//! that is cut off in the middle knows of each command whether it was answered.

use std::io::{self, Write};
use std::net::TcpStream;
use std::time::Duration;

use redis::{Parser, RedisResult, Value};

/// A command's words.
pub type Words = Vec<Vec<u8>>;

/// How long one reply may take.
const REPLY_TIMEOUT: Duration = Duration::from_secs(60);

/// Makes a command of words.
pub fn words<W: AsRef<[u8]>>(words: &[W]) -> Words {
    words.iter().map(|word| word.as_ref().to_vec()).collect()
}

/// Commands as they are sent.
pub fn encode(commands: &[Words]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for command in commands {
        bytes.extend(format!("*{}\r\n", command.len()).bytes());
        for word in command {
            bytes.extend(format!("${}\r\n", word.len()).bytes());
            bytes.extend(word);
            bytes.extend(b"\r\n");
        }
    }
    bytes
}

/// One RESP2 connection.
pub struct Pipeline {
    stream: TcpStream,
    parser: Parser,
}

impl Pipeline {
    /// Connects to a server's address.
    ///
    /// # Errors
    /// The server does not listen.
    pub fn connect(url: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(url.trim_start_matches("redis://"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(REPLY_TIMEOUT))?;
        Ok(Self { stream, parser: Parser::new() })
    }

    /// Sends commands; their replies are to be received.
    ///
    /// # Errors
    /// The link broke: an unknown part of the commands was sent.
    pub fn send(&mut self, commands: &[Words]) -> io::Result<()> {
        self.stream.write_all(&encode(commands))
    }

    /// The next reply; an error of the server is a value too.
    ///
    /// # Errors
    /// The link broke.
    pub fn receive(&mut self) -> RedisResult<Value> {
        self.parser.parse_value(&mut self.stream)
    }

    /// Sends commands that a living server answers, and gives the replies.
    pub fn ask(&mut self, commands: &[Words]) -> Vec<Value> {
        self.send(commands).expect("the server is there");
        let mut receive = |_| self.receive().expect("the server answers");
        commands.iter().map(&mut receive).collect()
    }

    /// The same for one command.
    pub fn call<W: AsRef<[u8]>>(&mut self, command: &[W]) -> Value {
        self.ask(&[words(command)]).remove(0)
    }
}
