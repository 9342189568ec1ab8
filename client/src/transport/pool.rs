//! The pool lane: connections that one task has to itself, for what blocks, is large, or has a state.
//!
//! The manager of bb8-redis never calls a connection broken, and has its commands fail after half a second. This one
//! calls every connection broken whose last command has not come to its end (it failed, ran out of time, or its task was
//! dropped), or that was left within a transaction, under WATCH, in another database or subscribed: such a one is closed
//! when it comes back.

use std::time::{Duration, Instant};

use bb8_redis::{RedisConnectionManager, bb8};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, Pipeline, RedisError, Value};

use super::lane::{is_of_the_connection, is_refused_as_replica};
use super::target::Target;

/// How long an idle connection may take to answer before it is closed instead of being handed out.
const CHECK_TIMEOUT: Duration = Duration::from_secs(1);
/// How long after its last answer a connection is taken to be there still.
const FRESH: Duration = Duration::from_millis(500);

/// The connections of one database.
pub(crate) type Pool = bb8::Pool<Manager>;
/// A connection that goes back to its pool, or is closed, when it is dropped.
pub(crate) type Lent = bb8::PooledConnection<'static, Manager>;

/// Opens connections and judges those that come back.
#[derive(Debug)]
pub(crate) struct Manager {
    inner: RedisConnectionManager,
    target: Target,
    connect_timeout: Duration,
}

impl Manager {
    pub(super) fn new(target: &Target, connect_timeout: Duration) -> Result<Self, RedisError> {
        let inner = RedisConnectionManager::new(target.info().clone())?;
        Ok(Self { inner, target: target.clone(), connect_timeout })
    }
}

/// A connection of one's own.
#[derive(Debug)]
pub(crate) struct Own {
    connection: MultiplexedConnection,
    state: State,
    /// When it has answered last.
    heard: Instant,
}

/// What a connection is left in.
#[expect(clippy::struct_excessive_bools, reason = "each is true of a connection by itself")]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct State {
    /// A command is under way, or was given up.
    is_busy: bool,
    /// MULTI without its EXEC.
    is_queueing: bool,
    /// WATCH without its EXEC.
    is_watching: bool,
    /// It has ended, or is not as it was opened, for good.
    is_spent: bool,
}

impl Own {
    /// Sends a command and waits for its reply.
    pub(crate) async fn send(&mut self, command: &Cmd) -> Result<Value, RedisError> {
        self.state.is_busy = true;
        let reply = self.connection.send_packed_command(command).await;
        self.state.is_busy = false;
        self.heard = Instant::now();
        match &reply {
            Err(error) if is_of_the_connection(error) => self.state.is_spent = true,
            Ok(reply) if is_refused_as_replica(reply) => self.state.is_spent = true,
            _ => self.state.after(command),
        }
        reply?.extract_error()
    }
}

impl Own {
    /// Sends commands without waiting between them. Each reply is there, errors of the server among them.
    pub(crate) async fn send_all(&mut self, commands: &Pipeline) -> Result<Vec<Value>, RedisError> {
        self.state.is_busy = true;
        let count = commands.len();
        let replies = self.connection.send_packed_commands(commands, 0, count).await;
        self.state.is_busy = false;
        self.heard = Instant::now();
        match &replies {
            Err(_) => self.state.is_spent = true,
            Ok(replies) if replies.iter().any(is_refused_as_replica) => self.state.is_spent = true,
            Ok(_) => commands.cmd_iter().for_each(|command| self.state.after(command)),
        }
        replies
    }
}

impl State {
    fn is_clean(self) -> bool {
        self == Self::default()
    }

    /// What a command leaves behind that was answered, whatever the answer.
    fn after(&mut self, command: &Cmd) {
        let mut words = command.args_iter().map(|word| match word {
            redis::Arg::Simple(word) => word.to_ascii_uppercase(),
            _ => Vec::new(),
        });
        let name = words.next().unwrap_or_default();
        match name.as_slice() {
            b"CLIENT" => self.is_spent |= !words.next().is_some_and(|word| only_tells(&word)),
            b"MULTI" => self.is_queueing = true,
            b"WATCH" => self.is_watching = true,
            b"UNWATCH" if !self.is_queueing => self.is_watching = false,
            b"EXEC" | b"DISCARD" => (self.is_queueing, self.is_watching) = (false, false),
            b"SELECT" | b"AUTH" | b"HELLO" | b"RESET" | b"QUIT" | b"MONITOR" | b"READONLY"
            | b"READWRITE" | b"ASKING" | b"SUBSCRIBE" | b"PSUBSCRIBE" | b"SSUBSCRIBE" | b"SYNC"
            | b"PSYNC" => self.is_spent = true,
            _ => {}
        }
    }
}

fn late(elapsed: tokio::time::error::Elapsed) -> RedisError {
    std::io::Error::from(elapsed).into()
}

/// Whether this CLIENT command leaves the connection as it is.
fn only_tells(subcommand: &[u8]) -> bool {
    [b"ID".as_slice(), b"INFO", b"LIST", b"GETNAME", b"TRACKINGINFO"].contains(&subcommand)
}

impl bb8::ManageConnection for Manager {
    type Connection = Own;
    type Error = RedisError;

    async fn connect(&self) -> Result<Own, RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.connect_timeout))
            // Time is kept by the caller, who knows which commands block.
            .set_response_timeout(None);
        let connecting = self.target.open(&config);
        let connecting = tokio::time::timeout(self.connect_timeout, connecting);
        let connection = connecting.await.map_err(late)??;
        Ok(Own { connection, state: State::default(), heard: Instant::now() })
    }

    async fn is_valid(&self, own: &mut Own) -> Result<(), RedisError> {
        if own.heard.elapsed() < FRESH {
            return Ok(());
        }
        let checked = tokio::time::timeout(CHECK_TIMEOUT, self.inner.is_valid(&mut own.connection));
        let outcome = checked.await.unwrap_or_else(|time| Err(late(time)));
        own.state.is_spent |= outcome.is_err();
        outcome
    }

    fn has_broken(&self, own: &mut Own) -> bool {
        !own.state.is_clean()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(commands: &[&str]) -> State {
        let mut state = State::default();
        for command in commands {
            state.after(&redis::cmd(command));
        }
        state
    }

    #[test]
    fn a_connection_is_clean_after_what_leaves_no_state() {
        assert!(after(&["GET", "doc.set", "XREAD"]).is_clean());
        assert!(after(&["WATCH", "MULTI", "SET", "EXEC"]).is_clean());
        assert!(after(&["WATCH", "unwatch"]).is_clean());
        assert!(after(&["WATCH", "MULTI", "DISCARD"]).is_clean());
    }

    #[test]
    fn a_connection_is_not_clean_within_a_transaction_or_elsewhere() {
        assert!(!after(&["watch"]).is_clean());
        assert!(!after(&["MULTI", "SET"]).is_clean());
        assert!(!after(&["WATCH", "MULTI", "UNWATCH"]).is_clean());
        assert!(!after(&["SELECT"]).is_clean());
        assert!(!after(&["SUBSCRIBE"]).is_clean());
    }
}
