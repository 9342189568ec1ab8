//! A closed loop: so many connections, each of which sends some commands at once and waits for their replies before it sends
//! more. One thread serves them all, so that it has one processor and the server another.

use std::io::Write;
use std::net::TcpStream;

use redis::{Parser, Value};

/// Connections to one server.
pub struct Driver {
    connections: Vec<TcpStream>,
}

/// A command as it is sent.
pub type Packed = Vec<u8>;

/// Packs a command.
pub fn pack<W: AsRef<[u8]>>(words: &[W]) -> Packed {
    let mut command = redis::Cmd::new();
    for word in words {
        command.arg(word.as_ref());
    }
    command.get_packed_command()
}

impl Driver {
    /// Opens so many connections.
    ///
    /// # Panics
    /// The server does not listen.
    pub fn connect(url: &str, connections: usize) -> Self {
        let connect = |_| {
            let stream =
                TcpStream::connect(url.trim_start_matches("redis://")).expect("it listens");
            stream.set_nodelay(true).expect("an open connection");
            stream
        };
        Driver { connections: (0..connections).map(connect).collect() }
    }

    /// Sends all commands, `pipeline` of them at once on each connection.
    ///
    /// # Panics
    /// The server refuses one, or is gone.
    pub fn run(&mut self, commands: &[Packed], pipeline: usize) {
        let mut parsers: Vec<Parser> = self.connections.iter().map(|_| Parser::new()).collect();
        for round in commands.chunks(pipeline * self.connections.len()) {
            let parts = || round.chunks(pipeline);
            for (connection, part) in self.connections.iter_mut().zip(parts()) {
                connection.write_all(&part.concat()).expect("the server is there");
            }
            let connections = self.connections.iter_mut().zip(&mut parsers);
            for ((connection, parser), part) in connections.zip(parts()) {
                for command in part {
                    let reply = parser.parse_value(&mut *connection).expect("it answers");
                    let shown = || String::from_utf8_lossy(&command[..command.len().min(200)]);
                    assert!(!matches!(reply, Value::ServerError(_)), "{reply:?} to {}", shown());
                }
            }
        }
    }
}
