//! The default lane: one multiplexed connection that all tasks share, opened anew when it breaks.
//!
//! Whether a command was sent is known exactly: opening is a step of its own, and what fails there
//! has not been sent. A connection that has ended is given up at once, even if no command was under
//! way (over RESP3), and so is one that has not said a word since a command was sent whose time is
//! up: what else is under way on it may still be answered, but nothing new is sent there.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, Pipeline, PushKind, RedisError, Value};
use tokio::sync::Mutex;

use super::target::{READONLY, Target, is_demoted};
use crate::observe;

/// How often opening is tried before the callers who wait for it are told.
const OPEN_TRIES: u32 = 4;
/// What passes before the second try; twice as much before each one that follows.
const OPEN_DELAY: Duration = Duration::from_millis(50);
/// The same where another server is to take the place of the one that is gone, which takes its time.
const MOVE_TRIES: u32 = 30;
/// What passes between two tries at most.
const OPEN_DELAY_MAX: Duration = Duration::from_millis(500);

/// One connection, open or not.
#[derive(Debug)]
pub(crate) struct Lane(Arc<Shared>);

/// What the tasks share that open the connection.
#[derive(Debug)]
struct Shared {
    target: Target,
    tries: u32,
    connect_timeout: Duration,
    live: RwLock<Option<Arc<Live>>>,
    /// One task opens, the others wait for it. Holds why the last attempt failed, if it did.
    opening: Mutex<Option<RedisError>>,
    /// How many attempts to open are over. Only who holds `opening` counts on.
    attempts: AtomicU64,
}

/// A connection that was open when last heard of.
#[derive(Debug)]
pub(crate) struct Live {
    connection: MultiplexedConnection,
    is_broken: Arc<AtomicBool>,
    /// How many replies have come.
    heard: AtomicU64,
}

impl Lane {
    /// A lane that is opened by the first who needs it.
    pub(super) fn new(target: Target, connect_timeout: Duration) -> Self {
        let tries = if target.may_move() { MOVE_TRIES } else { OPEN_TRIES };
        Self::with_tries(target, tries, connect_timeout)
    }

    /// A lane to a server that others stand in for: opening is tried once.
    pub(super) fn to_replica(target: Target, connect_timeout: Duration) -> Self {
        Self::with_tries(target, 1, connect_timeout)
    }

    /// Where it leads to.
    #[cfg(feature = "sentinel")]
    pub(super) fn info(&self) -> &redis::ConnectionInfo {
        self.0.target.info()
    }

    fn with_tries(target: Target, tries: u32, connect_timeout: Duration) -> Self {
        let (live, opening, attempts) = (RwLock::default(), Mutex::default(), AtomicU64::new(0));
        Self(Arc::new(Shared { target, tries, connect_timeout, live, opening, attempts }))
    }

    /// The connection, opened if it has to be. That is the work of a task of its own: it goes on when the time of those
    /// who wait for it is up, so that the next ones find the connection open.
    pub(crate) async fn live(&self) -> Result<Arc<Live>, RedisError> {
        if let Some(live) = self.0.current() {
            return Ok(live);
        }
        let shared = Arc::clone(&self.0);
        let opening = tokio::spawn(async move { shared.live().await });
        // The task ends early only with its runtime.
        opening.await.unwrap_or_else(|error| Err(std::io::Error::other(error).into()))
    }
}

impl Shared {
    fn current(&self) -> Option<Arc<Live>> {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        live.as_ref().filter(|live| !live.is_broken()).cloned()
    }

    /// The connection, opened if it has to be. Those who wait while another task fails to open it are told the
    /// same, so that a thousand of them take no longer than one.
    async fn live(&self) -> Result<Arc<Live>, RedisError> {
        if let Some(live) = self.current() {
            return Ok(live);
        }
        // An attempt that was over by now is not told of: the server may have come back since.
        let before = self.attempts.load(Ordering::Acquire);
        let mut failed = self.opening.lock().await;
        if let Some(live) = self.current() {
            return Ok(live);
        }
        let is_later = self.attempts.load(Ordering::Acquire) != before;
        if let Some(error) = failed.as_ref().filter(|_| is_later) {
            return Err(error.clone());
        }
        // Should this task end meanwhile, nobody is told of an earlier failure as if it were new.
        *failed = None;
        let opened = self.open().await;
        self.attempts.fetch_add(1, Ordering::Release);
        match opened {
            Ok(live) => {
                observe::opened();
                let live = Arc::new(live);
                let mut current = self.live.write().unwrap_or_else(PoisonError::into_inner);
                *current = Some(Arc::clone(&live));
                Ok(live)
            }
            Err(error) => {
                observe::unopened(&error);
                *failed = Some(error.clone());
                Err(error)
            }
        }
    }

    async fn open(&self) -> Result<Live, RedisError> {
        let mut delay = OPEN_DELAY;
        for _ in 1..self.tries {
            match self.open_once().await {
                Err(error) if is_passing(&error) => tokio::time::sleep(delay).await,
                outcome => return outcome,
            }
            delay = OPEN_DELAY_MAX.min(delay * 2);
        }
        self.open_once().await
    }

    async fn open_once(&self) -> Result<Live, RedisError> {
        let is_broken = Arc::new(AtomicBool::new(false));
        let mut config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.connect_timeout))
            .set_response_timeout(None);
        if self.target.info().redis_settings().protocol().supports_resp3() {
            let is_broken = Arc::clone(&is_broken);
            config = config.set_push_sender(move |push: redis::PushInfo| {
                if push.kind == PushKind::Disconnection {
                    is_broken.store(true, Ordering::Release);
                }
                Ok::<(), redis::aio::SendError>(())
            });
        }
        let connection = self.target.open(&config).await?;
        Ok(Live { connection, is_broken, heard: AtomicU64::new(0) })
    }
}

/// Whether opening may succeed a moment later: not where the server has answered that it will not.
fn is_passing(error: &RedisError) -> bool {
    error.is_io_error()
}

impl Live {
    /// The connection, for a task of one's own.
    pub(crate) fn connection(&self) -> MultiplexedConnection {
        self.connection.clone()
    }

    fn is_broken(&self) -> bool {
        self.is_broken.load(Ordering::Acquire)
    }

    /// Nothing is sent here any more.
    pub(crate) fn give_up(&self) {
        self.is_broken.store(true, Ordering::Release);
    }

    /// How many replies have come so far.
    pub(crate) fn heard(&self) -> u64 {
        self.heard.load(Ordering::Relaxed)
    }

    /// Sends a command. An error of the connection gives it up, and so does a server that has come to follow another.
    pub(crate) async fn send(&self, command: &Cmd) -> Result<Value, RedisError> {
        let reply = self.connection.clone().send_packed_command(command).await;
        self.note(reply.as_ref().err());
        let reply = reply?.extract_error();
        if reply.as_ref().is_err_and(is_demoted) {
            self.give_up();
        }
        reply
    }

    /// Sends commands without waiting between them. Each reply is there, errors of the server among them.
    pub(crate) async fn send_all(&self, commands: &Pipeline) -> Result<Vec<Value>, RedisError> {
        let count = commands.len();
        let replies = self.connection.clone().send_packed_commands(commands, 0, count).await;
        self.note(replies.as_ref().err());
        if replies.as_ref().is_ok_and(|replies| replies.iter().any(is_refused_as_replica)) {
            self.give_up();
        }
        replies
    }

    fn note(&self, error: Option<&RedisError>) {
        match error {
            Some(error) if is_of_the_connection(error) => self.give_up(),
            _ => {
                self.heard.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Whether the server has refused a command of several because it follows another.
pub(super) fn is_refused_as_replica(reply: &Value) -> bool {
    matches!(reply, Value::ServerError(error) if error.code() == READONLY)
}

/// Whether an error tells that a connection is of no more use, and not what the server thinks of a command.
pub(crate) fn is_of_the_connection(error: &RedisError) -> bool {
    error.is_io_error() || error.is_unrecoverable_error()
}
