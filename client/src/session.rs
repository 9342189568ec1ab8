//! A connection of one's own.

use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::command::Command;
use crate::transport::Lent;
use crate::untyped::{Argument, value};
use crate::{Error, Folio, Result};

/// A connection of the pool that nobody else uses meanwhile: for WATCH and MULTI, and for what blocks.
///
/// It goes back to the pool when it is dropped, but only if it is as it came: one that failed, whose last command was
/// given up, or that was left within MULTI, under WATCH, subscribed or in another database is closed instead.
///
/// ```no_run
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// let mut own = db.session().await?;
/// own.query::<()>("WATCH", "visits").await?;
/// let visits: u64 = own.query("GET", "visits").await?;
/// own.query::<()>("MULTI", ()).await?;
/// own.query::<()>("SET", ("visits", visits + 1)).await?;
/// let done: Option<Vec<String>> = own.query("EXEC", ()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Session {
    lent: Lent,
    timeout: Duration,
}

impl Session {
    /// Sends a command and waits for its answer. It is never sent again.
    ///
    /// A blocking command may take as long as the [time limit](Folio::with_timeout) of the client that the session was
    /// taken from: give it one that is longer than it blocks.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let mut own = db.session().await?;
    /// let job: Option<(String, String)> = own.query("BLPOP", ("jobs", 5)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn query<T: DeserializeOwned>(
        &mut self,
        name: &str,
        arguments: impl Argument,
    ) -> Result<T> {
        let mut command = Command::write(name);
        command.push_all(&arguments);
        let answer = tokio::time::timeout(self.timeout, self.lent.send(command.packed())).await;
        match answer {
            Ok(answer) => value::read(answer.map_err(|error| Error::from_redis(&error, true))?),
            Err(_) => Err(Error::Timeout { maybe_applied: true }),
        }
    }
}

impl Folio {
    /// Takes a connection of the pool for a task alone. [`Error::Pool`] if none comes free in time.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let mut own = db.session().await?;
    /// let id: u64 = own.query("CLIENT", "ID").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn session(&self) -> Result<Session> {
        Ok(Session { lent: self.lanes().lend().await?, timeout: self.timeout() })
    }
}
