//! Who carries commands out.

use std::borrow::Cow;
use std::future::Future;

use crate::{Command, Error, Folio, Reply, Result, observe};

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

    /// Whether writes are kept until later, so that their answers are not known yet.
    #[doc(hidden)]
    fn is_deferred(&self) -> bool {
        false
    }

    /// What a collection or a key is called on the server: in a bucket, its name and a `.` stand before it.
    #[doc(hidden)]
    fn named<'n>(&self, name: &'n str) -> Cow<'n, str>;
}

pub(crate) mod sealed {
    /// What only this crate can implement.
    pub trait Sealed {}
}

impl<E: Executor> sealed::Sealed for &E {}

impl<E: Executor> Executor for &E {
    async fn execute(&self, command: Command) -> Result<Reply> {
        (**self).execute(command).await
    }

    async fn execute_all(&self, commands: Vec<Command>) -> Result<Vec<Result<Reply>>> {
        (**self).execute_all(commands).await
    }

    fn is_deferred(&self) -> bool {
        (**self).is_deferred()
    }

    fn named<'n>(&self, name: &'n str) -> Cow<'n, str> {
        (**self).named(name)
    }
}

impl sealed::Sealed for Folio {}

impl Executor for Folio {
    async fn execute(&self, command: Command) -> Result<Reply> {
        let (lanes, timeout) = (self.lanes(), self.timeout());
        let name = command.name();
        let value = if self.reads_from_replica() && !command.writes() {
            let commands = std::slice::from_ref(&command);
            let answers = observe::call(name, async {
                let answers = lanes.call_replica(commands, timeout).await?;
                answers.into_iter().next().unwrap_or_else(|| Err(Error::Reply("no answer".into())))
            });
            answers.await
        } else if self.is_pooled() {
            observe::call(name, lanes.call_pooled(&command, timeout)).await
        } else {
            observe::call(name, lanes.call(&command, timeout)).await
        };
        value.map(Reply::new)
    }

    async fn execute_all(&self, commands: Vec<Command>) -> Result<Vec<Result<Reply>>> {
        let (lanes, timeout) = (self.lanes(), self.timeout());
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        let is_read = !commands.iter().any(Command::writes);
        let answers = if self.reads_from_replica() && is_read {
            observe::call("pipeline", lanes.call_replica(&commands, timeout)).await?
        } else if self.is_pooled() {
            observe::call("pipeline", lanes.call_all_pooled(&commands, timeout)).await?
        } else {
            observe::call("pipeline", lanes.call_all(&commands, timeout)).await?
        };
        Ok(answers.into_iter().map(|answer| answer.map(Reply::new)).collect())
    }

    fn named<'n>(&self, name: &'n str) -> Cow<'n, str> {
        match self.bucket_name() {
            Some(_) => Cow::Owned(self.name_in_bucket(name)),
            None => Cow::Borrowed(name),
        }
    }
}
