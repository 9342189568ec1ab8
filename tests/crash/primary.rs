//! A primary that sends what it is told and hangs up: a replica that loads from its link takes a snapshot from it, whole or
//! not, and unlike a server that starts it survives a bad one. A few milliseconds for each.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;

use folio_tests::pipeline::words;
use folio_tests::{Pipeline, Server};
use redis::{Parser, Value};

/// How long the replica may take for one step.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long it may take to say that it has everything. One that misses something, as it reads a wrong length, says nothing.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(10);
/// Stands behind the snapshot: no part of one.
const MARK: &[u8; 40] = b"0123456789abcdef0123456789abcdef01234567";

/// What became of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Taken,
    Refused,
    /// The server has ended over it.
    Ended,
}

/// The primary's end.
pub struct Primary {
    listener: TcpListener,
}

impl Primary {
    pub fn listen() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").expect("some port is free") }
    }

    /// The replica's link. It tries again at once when a sync fails, until it is told to be a primary: such links are dead.
    fn accept(&self) -> TcpStream {
        loop {
            let (mut link, _) = self.listener.accept().expect("the replica connects");
            link.set_read_timeout(Some(PATIENCE)).expect("a socket takes its options");
            if greet(&mut link) {
                return link;
            }
        }
    }

    /// Has the replica take `snapshot`, with its end mark or without, and waits until it has hung up. The replica is a
    /// primary again afterwards.
    pub fn send(&self, replica: &Server, snapshot: &[u8], has_end: bool) -> Outcome {
        let mut pipeline = Pipeline::connect(replica.url()).expect("the replica listens");
        let port = self.listener.local_addr().expect("it is bound").port().to_string();
        pipeline.call(&["REPLICAOF", "127.0.0.1", &port]);
        let mut link = self.accept();
        let mut bytes = Vec::new();
        bytes.extend(format!("+FULLRESYNC {} 1\r\n", "f".repeat(40)).bytes());
        bytes.extend(b"$EOF:");
        bytes.extend(MARK);
        bytes.extend(b"\r\n");
        bytes.extend(snapshot);
        if has_end {
            bytes.extend(MARK);
        }
        // A replica that has seen enough hangs up before everything is sent.
        let _ = link.write_all(&bytes);
        let is_taken = has_end && is_acknowledged(&mut link);
        let _ = link.shutdown(Shutdown::Write);
        let _ = link.read_to_end(&mut Vec::new());
        let alone = pipeline.send(&[words(&["REPLICAOF", "NO", "ONE"])]);
        match alone.is_ok() && pipeline.receive().is_ok() {
            true if is_taken => Outcome::Taken,
            true => Outcome::Refused,
            false => Outcome::Ended,
        }
    }
}

/// Answers all that a replica says before it asks for a sync; false when it hangs up.
fn greet(link: &mut TcpStream) -> bool {
    let mut parser = Parser::new();
    loop {
        let Ok(command) = parser.parse_value(&mut *link) else { return false };
        let Value::Array(words) = command else { panic!("{command:?} is no command") };
        let name = folio_tests::reply::text(&words[0]);
        let answer: &[u8] = match name.as_str() {
            "PING" => b"+PONG\r\n",
            "PSYNC" => return true,
            _ => b"+OK\r\n",
        };
        if link.write_all(answer).is_err() {
            return false;
        }
    }
}

/// Whether the replica says that it has everything: REPLCONF ACK follows a load that went well.
fn is_acknowledged(link: &mut TcpStream) -> bool {
    let mut parser = Parser::new();
    link.set_read_timeout(Some(ACKNOWLEDGED_WITHIN)).expect("a socket takes its options");
    let command = parser.parse_value(&mut *link);
    link.set_read_timeout(Some(PATIENCE)).expect("a socket takes its options");
    command.is_ok_and(|command| matches!(command, Value::Array(_)))
}
