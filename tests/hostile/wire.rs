//! A connection that says exactly the bytes it is given and waits only so long for the answer.
//!
//! Cases hold NUL bytes, invalid UTF-8 and arguments of megabytes, and a server that hangs is a
//! finding: so no client library stands between.

use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How long one answer may take.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// A command: the bytes of its name and arguments.
pub type Command = Vec<Vec<u8>>;

/// An answer in RESP2.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// `+`
    Simple(String),
    /// `-`: the whole line, its code first.
    Error(String),
    /// `:`
    Int(i64),
    /// `$`
    Bulk(Vec<u8>),
    /// `*`
    Array(Vec<Reply>),
    /// An absent bulk or array.
    Null,
}

/// One connection.
pub struct Wire {
    stream: BufReader<TcpStream>,
}

impl Wire {
    /// Connects to `redis://host:port`.
    pub fn connect(url: &str) -> Self {
        let address = url.trim_start_matches("redis://").trim_end_matches('/');
        let stream = TcpStream::connect(address).unwrap_or_else(|error| panic!("{url}: {error}"));
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    /// Says one command. An error means that no answer came.
    pub fn say(&mut self, command: &[Vec<u8>]) -> Result<Reply> {
        self.write(command)?;
        self.read()
    }

    /// Says one command of words.
    pub fn words(&mut self, words: &[&str]) -> Result<Reply> {
        self.say(&command(words))
    }

    /// Says several commands at once.
    pub fn pipeline(&mut self, commands: &[Command]) -> Result<Vec<Reply>> {
        for command in commands {
            self.write(command)?;
        }
        commands.iter().map(|_| self.read()).collect()
    }

    fn write(&mut self, command: &[Vec<u8>]) -> Result<()> {
        let mut bytes = format!("*{}\r\n", command.len()).into_bytes();
        for argument in command {
            bytes.extend(format!("${}\r\n", argument.len()).bytes());
            bytes.extend(argument);
            bytes.extend(b"\r\n");
        }
        self.stream.get_mut().write_all(&bytes)
    }

    fn read(&mut self) -> Result<Reply> {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line)?;
        let line = String::from_utf8_lossy(&line);
        let line = line.strip_suffix("\r\n").ok_or(ErrorKind::UnexpectedEof)?;
        let (kind, rest) = line.split_at_checked(1).ok_or(ErrorKind::InvalidData)?;
        let number = || rest.parse::<i64>().map_err(|_| Error::from(ErrorKind::InvalidData));
        Ok(match kind {
            "+" => Reply::Simple(rest.to_owned()),
            "-" => Reply::Error(rest.to_owned()),
            ":" => Reply::Int(number()?),
            "$" | "*" if number()? < 0 => Reply::Null,
            "$" => {
                let mut bytes = vec![0; number()? as usize + 2];
                self.stream.read_exact(&mut bytes)?;
                bytes.truncate(bytes.len() - 2);
                Reply::Bulk(bytes)
            }
            "*" => Reply::Array((0..number()?).map(|_| self.read()).collect::<Result<_>>()?),
            _ => return Err(ErrorKind::InvalidData.into()),
        })
    }
}

/// A command of words.
pub fn command(words: &[&str]) -> Command {
    words.iter().map(|word| word.as_bytes().to_vec()).collect()
}

impl Reply {
    /// The bytes of a text.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bulk(bytes) => Some(bytes),
            Self::Simple(text) => Some(text.as_bytes()),
            _ => None,
        }
    }

    /// The elements of an array; none of anything else.
    pub fn elements(&self) -> &[Self] {
        match self {
            Self::Array(elements) => elements,
            _ => &[],
        }
    }
}
