//! Who carries commands out.

use std::future::Future;

use crate::{Command, Error, Folio, Reply, Result};

/// Whatever carries commands out: the last argument of every call that meets the database.
///
/// A [`Folio`] is one, and nothing outside of this crate can be: the trait is sealed, so that it can grow.
///
/// ```no_run
/// # async fn example(db: folio::Folio) {
/// async fn all_of_it(db: &impl folio::Executor) { /* reads and writes, in a transaction or not */ }
/// all_of_it(&db).await;
/// # }
/// ```
pub trait Executor: sealed::Sealed + Sync {
    /// Carries a command out and gives its answer.
    #[doc(hidden)]
    fn execute(&self, command: Command) -> impl Future<Output = Result<Reply>> + Send;

    /// Carries commands out in their order, on one connection, without waiting for each answer. The outer error is
    /// one of the way to the server; each answer may be an error of its own.
    #[doc(hidden)]
    fn execute_all(
        &self,
        commands: Vec<Command>,
    ) -> impl Future<Output = Result<Vec<Result<Reply>>>> + Send;
}

pub(crate) mod sealed {
    /// What only this crate can implement.
    pub trait Sealed {}
}

impl sealed::Sealed for Folio {}

impl Executor for Folio {
    async fn execute(&self, command: Command) -> Result<Reply> {
        let value = command.packed().query_async(&mut self.redis()).await;
        value.map(Reply::new).map_err(|error| Error::from_redis(&error, command.writes()))
    }

    async fn execute_all(&self, commands: Vec<Command>) -> Result<Vec<Result<Reply>>> {
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        let writes = commands.iter().any(Command::writes);
        let mut pipeline = redis::pipe();
        pipeline.ignore_errors();
        for command in &commands {
            pipeline.add_command(command.packed().clone());
        }
        let replies: Vec<redis::RedisResult<redis::Value>> = pipeline
            .query_async(&mut self.redis())
            .await
            .map_err(|error| Error::from_redis(&error, writes))?;
        let replies = replies.into_iter().zip(&commands);
        Ok(replies
            .map(|(reply, command)| {
                reply.map(Reply::new).map_err(|e| Error::from_redis(&e, command.writes()))
            })
            .collect())
    }
}
