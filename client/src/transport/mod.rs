//! The way to the server: lanes, time limits, and what is sent again when a connection breaks.
//!
//! ```text
//! Folio --call--> Database --attempt--> Lane       one shared connection a database
//!                          |---replica-> Replicas   one more to each server that follows
//!                          \----lend---> Pool       connections for one task alone
//!                                         |
//!                                       Target      an address, or where the sentinels say
//! ```

mod lane;
mod pool;
mod replicas;
mod retry;
#[cfg(feature = "sentinel")]
mod sentinel;
mod target;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bb8_redis::bb8;
use redis::{ConnectionInfo, RedisError, Value};

use crate::command::Command;
use crate::{Error, Result};
use lane::Lane;
use pool::{Manager, Pool};
use replicas::Replicas;
use target::Target;

pub(crate) use pool::Lent;
#[cfg(feature = "sentinel")]
pub(crate) use sentinel::{Address, Sentinels, address};

/// What is said when a client is made.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// How long a command may take, opening a connection and sending it again included.
    pub(crate) timeout: Duration,
    /// How long one try to open a connection may take.
    pub(crate) connect_timeout: Duration,
    /// How many connections the pool of a database has at most.
    pub(crate) pool_size: u32,
    /// How long a task waits for a connection of the pool.
    pub(crate) pool_timeout: Duration,
}

/// Where the servers are.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    /// What is said to them; without sentinels the address of the primary, too.
    pub(crate) info: ConnectionInfo,
    pub(crate) replicas: Vec<ConnectionInfo>,
    #[cfg(feature = "sentinel")]
    pub(crate) sentinels: Option<Arc<Sentinels>>,
}

impl Origin {
    fn target(&self, number: i64) -> Result<Target, RedisError> {
        let info = of_database(&self.info, number);
        #[cfg(feature = "sentinel")]
        if let Some(sentinels) = &self.sentinels {
            return Target::primary(info, Arc::clone(sentinels));
        }
        Target::fixed(info)
    }

    fn replicas(&self, number: i64, connect_timeout: Duration) -> Result<Replicas> {
        let infos = self.replicas.iter().map(|info| of_database(info, number)).collect();
        let replicas = Replicas::new(infos, connect_timeout)?;
        #[cfg(feature = "sentinel")]
        if let Some(sentinels) = &self.sentinels {
            let info = of_database(&self.info, number);
            return Ok(replicas.found_by(Arc::clone(sentinels), info, connect_timeout));
        }
        Ok(replicas)
    }
}

fn of_database(info: &ConnectionInfo, number: i64) -> ConnectionInfo {
    info.clone().set_redis_settings(info.redis_settings().clone().set_db(number))
}

/// A server, and the lanes to its databases.
#[derive(Debug)]
pub(crate) struct Server {
    origin: Origin,
    settings: Settings,
    databases: Mutex<BTreeMap<i64, Arc<Database>>>,
}

impl Server {
    pub(crate) fn new(origin: Origin, settings: Settings) -> Self {
        Self { origin, settings, databases: Mutex::default() }
    }

    /// The database that the address names.
    pub(crate) fn default_database(&self) -> Result<Arc<Database>> {
        self.database(self.origin.info.redis_settings().db())
    }

    /// A database, whose lanes are opened by the first command.
    pub(crate) fn database(&self, number: i64) -> Result<Arc<Database>> {
        let mut databases = self.databases.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(database) = databases.get(&number) {
            return Ok(Arc::clone(database));
        }
        let target = self.origin.target(number);
        let target = target.map_err(|error| Error::from_redis(&error, false))?;
        let replicas = self.origin.replicas(number, self.settings.connect_timeout)?;
        let database = Arc::new(Database::new(target, replicas, self.settings.clone()));
        databases.insert(number, Arc::clone(&database));
        Ok(database)
    }
}

/// A database of a server and the ways to it.
#[derive(Debug)]
pub(crate) struct Database {
    target: Target,
    settings: Settings,
    lane: Lane,
    replicas: Replicas,
    pool: OnceLock<Pool>,
}

impl Database {
    fn new(target: Target, replicas: Replicas, settings: Settings) -> Self {
        let lane = Lane::new(target.clone(), settings.connect_timeout);
        Self { target, settings, lane, replicas, pool: OnceLock::new() }
    }

    /// Opens the shared connection, if it is not open.
    pub(crate) async fn open(&self) -> Result<()> {
        self.lane.live().await.map(drop).map_err(|error| Error::from_redis(&error, false))
    }

    /// The shared connection beneath.
    pub(crate) async fn connection(&self) -> Result<redis::aio::MultiplexedConnection> {
        let live = self.lane.live().await.map_err(|error| Error::from_redis(&error, false))?;
        Ok(live.connection())
    }

    /// Lends a connection to one task.
    pub(crate) async fn lend(&self) -> Result<Lent> {
        let pool = self.pool()?;
        match pool.get_owned().await {
            Ok(lent) => Ok(lent),
            Err(bb8::RunError::User(error)) => Err(Error::from_redis(&error, false)),
            Err(bb8::RunError::TimedOut) => Err(self.why_none_is_lent(pool)),
        }
    }

    fn pool(&self) -> Result<&Pool> {
        if let Some(pool) = self.pool.get() {
            return Ok(pool);
        }
        let manager = Manager::new(&self.target, self.settings.connect_timeout)
            .map_err(|error| Error::from_redis(&error, false))?;
        Ok(self.pool.get_or_init(|| {
            bb8::Pool::builder()
                .max_size(self.settings.pool_size)
                .connection_timeout(self.settings.pool_timeout)
                .build_unchecked(manager)
        }))
    }

    fn why_none_is_lent(&self, pool: &Pool) -> Error {
        let state = pool.state();
        if state.connections < self.settings.pool_size {
            let message = "the pool could not open a connection in time".into();
            return Error::Connection { message, maybe_applied: false };
        }
        Error::Pool(format!("all {} connections of the pool were lent", state.connections).into())
    }

    /// Sends commands in their order over a connection of their own, without waiting between them.
    pub(crate) async fn call_all_pooled(
        &self,
        commands: &[Command],
        timeout: Duration,
    ) -> Result<Vec<Result<Value>>> {
        let writes = commands.iter().any(Command::writes);
        let mut is_sent = false;
        let call = async {
            let mut lent = self.lend().await?;
            is_sent = true;
            let answers = lent.send_all(&retry::pipeline(commands)).await;
            answers.map_err(|error| Error::from_redis(&error, writes))
        };
        let answers = match tokio::time::timeout(timeout, call).await {
            Ok(answers) => answers?,
            Err(_) => return Err(Error::Timeout { maybe_applied: is_sent && writes }),
        };
        let read = |(answer, command): (Value, &Command)| {
            let answer = answer.extract_error();
            answer.map_err(|error| Error::from_redis(&error, command.writes()))
        };
        Ok(answers.into_iter().zip(commands).map(read).collect())
    }
}
