//! The way to the server.

use std::fmt;
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, IntoConnectionInfo, ProtocolVersion};

use crate::untyped::Call;
use crate::{Error, Result};

/// How long a command waits for its answer before it is [`Error::Timeout`].
///
/// ```
/// assert_eq!(folio::RESPONSE_TIMEOUT.as_secs(), 30);
/// ```
pub const RESPONSE_TIMEOUT: Duration = Duration::from_secs(30);

/// A server with the Folio module.
///
/// Clones share one multiplexed connection that reconnects by itself; share them freely between
/// tasks.
///
/// ```no_run
/// # async fn example() -> folio::Result<()> {
/// let db = folio::Folio::connect("redis://localhost:6379").await?;
/// let background = db.clone();
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Folio {
    connection: ConnectionManager,
}

impl Folio {
    /// Connects to `redis://[user:password@]host[:port][/database]`.
    ///
    /// Speaks RESP3 unless the address says `?protocol=resp2`. Fails with [`Error::Connection`]
    /// if the server cannot be reached; whether it has loaded the module shows with the first
    /// command.
    ///
    /// ```no_run
    /// # async fn example() -> folio::Result<()> {
    /// let db = folio::Folio::connect("redis://localhost:6379/2").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect(url: &str) -> Result<Self> {
        Self::open(url).await.map_err(|error| Error::from_redis(&error, false))
    }

    async fn open(url: &str) -> redis::RedisResult<Self> {
        let mut info = url.into_connection_info()?;
        if !url.contains("protocol=") {
            let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
            info = info.set_redis_settings(settings);
        }
        // A server that is not there shows within a second; one that comes back is found as fast.
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(3)
            .set_min_delay(Duration::from_millis(50))
            .set_max_delay(Duration::from_millis(500))
            .set_connection_timeout(Some(Duration::from_secs(5)))
            .set_response_timeout(Some(RESPONSE_TIMEOUT));
        let client = Client::open(info)?;
        Ok(Self { connection: ConnectionManager::new_with_config(client, config).await? })
    }

    /// Any command that this crate has no method for.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let plan: Vec<String> = db
    ///     .cmd("DOC.EXPLAIN")
    ///     .arg(("cities", "COUNT", "WHERE", "population > 1000000"))
    ///     .read()
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn cmd(&self, name: &str) -> Call<'_> {
        Call::new(self, name)
    }

    /// The connection beneath, a clone of which is as good as the original.
    ///
    /// Never use it for `WATCH`: it is shared.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::redis::RedisResult<()> {
    /// let pong: String = folio::redis::cmd("PING").query_async(&mut db.redis()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn redis(&self) -> ConnectionManager {
        self.connection.clone()
    }
}

impl fmt::Debug for Folio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Folio").finish_non_exhaustive()
    }
}
