//! Any command, with its arguments.

use std::fmt;

use serde::de::DeserializeOwned;

use super::{Argument, value};
use crate::command::{Command, Repeat};
use crate::{Executor, Folio, Result};

/// A command being built; [`Folio::cmd`] begins one.
///
/// ```no_run
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// let removed: u64 = db.cmd("UNLINK").key("cities:2996944").query().await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a command does nothing until it is awaited"]
pub struct Call<'a> {
    db: &'a Folio,
    command: Command,
}

impl fmt::Debug for Call<'_> {
    /// Without the arguments, among which a password may be.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("name", &self.command.name()).finish_non_exhaustive()
    }
}

impl<'a> Call<'a> {
    pub(crate) fn new(db: &'a Folio, name: &str) -> Self {
        Self { db, command: Command::write(name) }
    }

    /// Adds a key.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let time: i64 = db.cmd("TTL").key("cities:1").read().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn key(mut self, key: &str) -> Self {
        self.command.push_key(key);
        self
    }

    /// Adds an argument, or several from a tuple or a list.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let name: Option<String> = db.cmd("DOC.GET").key("cities:1").arg("name").read().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn arg(mut self, argument: impl Argument) -> Self {
        self.command.push_all(&argument);
        self
    }

    /// Sends a command that changes nothing: it is sent again if the connection breaks, and a lost
    /// answer is never [ambiguous](crate::Error::is_ambiguous).
    ///
    /// `T` is what serde makes of the answer: `()` of any, `Option` of one that may be null.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let names: Vec<String> = db.cmd("DOC.LIST").read().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn read<T: DeserializeOwned>(self) -> Result<T> {
        value::read(self.read_value().await?)
    }

    /// Sends a command that may change something: never twice.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let version: u64 =
    ///     db.cmd("DOC.UPDATE").key("cities:1").arg(("INCR", "population", 1)).query().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn query<T: DeserializeOwned>(self) -> Result<T> {
        value::read(self.query_value().await?)
    }

    /// Sends a command that changes nothing, and gives the answer as the crate beneath has it.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let answer: folio::redis::Value = db.cmd("DOC.INFO").arg("cities").read_value().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn read_value(self) -> Result<redis::Value> {
        let reply = self.db.execute(self.command.repeat(Repeat::Read)).await?;
        Ok(reply.into_value())
    }

    /// Sends a command that may change something, and gives the answer as the crate beneath has it.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let answer: folio::redis::Value = db.cmd("DOC.DROP").arg("cities").query_value().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn query_value(self) -> Result<redis::Value> {
        Ok(self.db.execute(self.command).await?.into_value())
    }
}

impl Folio {
    /// Any command that this crate has no method for. Collections and keys stand in it as they are, whatever the
    /// [bucket](Folio::bucket).
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
}
