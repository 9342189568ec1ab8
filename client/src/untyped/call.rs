//! Any command, with its arguments.

use redis::{FromRedisValue, ToRedisArgs, Value};

use crate::{Error, Folio, Result};

/// A command being built; [`Folio::cmd`] begins one.
///
/// ```no_run
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// let removed: u64 = db.cmd("UNLINK").arg("cities:2996944").write().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a command does nothing until it is awaited"]
pub struct Call<'a> {
    db: &'a Folio,
    command: redis::Cmd,
}

impl<'a> Call<'a> {
    pub(crate) fn new(db: &'a Folio, name: &str) -> Self {
        Self { db, command: redis::cmd(name) }
    }

    /// Adds an argument, or several from a tuple or a slice.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let name: Option<String> = db.cmd("DOC.GET").arg("cities:1").arg("name").read().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn arg(mut self, argument: impl ToRedisArgs) -> Self {
        self.command.arg(argument);
        self
    }

    /// Sends a command that changes nothing; a lost answer is then no
    /// [ambiguous](Error::is_ambiguous) one.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let names: Vec<String> = db.cmd("DOC.LIST").read().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn read<T: FromRedisValue>(self) -> Result<T> {
        self.send(false).await
    }

    /// Sends a command that may change something.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let version: u64 =
    ///     db.cmd("DOC.UPDATE").arg(("cities:1", "INCR", "population", 1)).write().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn write<T: FromRedisValue>(self) -> Result<T> {
        self.send(true).await
    }

    async fn send<T: FromRedisValue>(self, writes: bool) -> Result<T> {
        let reply: Value = self
            .command
            .query_async(&mut self.db.redis())
            .await
            .map_err(|error| Error::from_redis(&error, writes))?;
        T::from_redis_value(reply).map_err(|error| Error::Reply(error.to_string().into()))
    }
}
