//! Sends batches, several at a time, and settles them in their order.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesOrdered;
use redis::aio::MultiplexedConnection;
use redis::{RedisError, RedisResult, Value};
use tokio::sync::mpsc::Receiver;
use tokio::time::Instant;

use super::batch::Batch;
use super::ledger::{Ledger, is_passing};
use super::read::Fed;
use crate::context::Context;
use crate::interrupt::Interrupt;
use crate::outcome::Failure;

/// For so long a connection that broke is opened anew, as long as nothing was settled meanwhile.
const RETRY_FOR: Duration = Duration::from_secs(60);
/// What passes before the first try; twice as much before each one that follows, up to the most.
const RETRY_DELAY: Duration = Duration::from_millis(100);
const RETRY_DELAY_MAX: Duration = Duration::from_secs(2);

/// How an import has ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Whole,
    Interrupted,
    /// More lines were rejected than somebody puts up with.
    TooMany,
}

/// Sends what is fed to it.
pub struct Loader<'a> {
    pub context: &'a Context,
    /// None if nothing is to be written.
    pub connection: Option<MultiplexedConnection>,
    pub ledger: &'a mut Ledger,
    /// How many batches may be under way.
    pub pipelines: usize,
    pub interrupt: Interrupt,
    pub retry: Retry,
}

/// How often it was tried in vain to send.
pub struct Retry {
    /// What passes before the next try.
    delay: Duration,
    /// What was said last: it is not said at each try.
    told: String,
}

impl Default for Retry {
    fn default() -> Self {
        Self { delay: RETRY_DELAY, told: String::new() }
    }
}

impl Loader<'_> {
    /// Sends all that is fed, unless it is stopped; what is under way then is settled first.
    pub async fn run(mut self, mut feed: Receiver<Result<Fed, Failure>>) -> Result<End, Failure> {
        let mut under_way = FuturesOrdered::new();
        let mut again = VecDeque::new();
        let (mut is_fed, mut stop, mut failed) = (true, None, None);
        let mut last_settled = Instant::now();
        let mut interrupt = self.interrupt.clone();
        loop {
            while under_way.len() < self.pipelines
                && let Some(batch) = again.pop_front()
            {
                under_way.push_back(send(self.connection.clone(), batch));
            }
            let wants_more = is_fed && stop.is_none() && under_way.len() < self.pipelines;
            if under_way.is_empty() && !wants_more {
                break;
            }
            tokio::select! {
                biased;
                () = interrupt.comes(), if stop.is_none() => stop = Some(End::Interrupted),
                next = feed.recv(), if wants_more => match next {
                    Some(Ok(Fed::Batch(batch))) => {
                        under_way.push_back(send(self.connection.clone(), batch));
                    }
                    Some(Ok(Fed::Note(text))) => self.ledger.progress.note(&text),
                    Some(Err(failure)) => (is_fed, failed) = (false, Some(failure)),
                    None => is_fed = false,
                },
                Some((batch, answers)) = under_way.next() => match self.settle(&batch, answers)? {
                    None => {
                        last_settled = Instant::now();
                        self.retry.delay = RETRY_DELAY;
                        if stop.is_none() && self.ledger.is_too_much() {
                            stop = Some(End::TooMany);
                        }
                    }
                    Some(trouble) => {
                        again.push_back(batch);
                        while let Some((batch, _)) = under_way.next().await {
                            again.push_back(batch);
                        }
                        if stop.is_some() || !again.iter().all(|batch| batch.can_repeat) {
                            return Err(trouble);
                        }
                        self.reconnect(trouble, last_settled + RETRY_FOR).await?;
                    }
                },
            }
        }
        match failed {
            Some(failure) if stop.is_none() => Err(failure),
            _ => Ok(stop.unwrap_or(End::Whole)),
        }
    }

    /// Takes note of the answers to a batch. Gives what is in the way if the batch is to be sent again.
    fn settle(
        &mut self,
        batch: &Batch,
        answers: RedisResult<Vec<Value>>,
    ) -> Result<Option<Failure>, Failure> {
        let answers = match answers {
            Ok(answers) => answers,
            Err(error) if batch.can_repeat && !error.is_timeout() => return Ok(Some(lost(&error))),
            Err(error) => return Err(lost(&error)),
        };
        if batch.can_repeat
            && let Some(Value::ServerError(error)) = answers.iter().find(|it| is_passing(it))
        {
            let told = format!("{} {}", error.code(), error.details().unwrap_or_default());
            return Ok(Some(folio::Error::Server(told.into()).into()));
        }
        self.ledger.settle(batch, answers)?;
        Ok(None)
    }

    /// Waits until the server answers again; gives up at the deadline, or when somebody interrupts.
    async fn reconnect(&mut self, trouble: Failure, deadline: Instant) -> Result<(), Failure> {
        self.ledger.save()?;
        let told = format!("{trouble}; trying again");
        if told != self.retry.told {
            self.ledger.progress.note(&told);
            self.retry.told = told;
        }
        while Instant::now() + self.retry.delay < deadline {
            tokio::select! {
                () = self.interrupt.comes() => return Err(trouble),
                () = tokio::time::sleep(self.retry.delay) => {}
            }
            self.retry.delay = RETRY_DELAY_MAX.min(self.retry.delay * 2);
            if let Ok(connection) = connect(self.context).await {
                self.connection = Some(connection);
                return Ok(());
            }
        }
        Err(trouble)
    }
}

/// A connection over which the server answers.
pub async fn connect(context: &Context) -> Result<MultiplexedConnection, Failure> {
    // The connection beneath is opened anew by a command that meets a broken one.
    context.db.check().await?;
    let mut connection = context.db.redis().await?;
    connection.set_response_timeout(Duration::from_secs(context.options.timeout));
    Ok(connection)
}

async fn send(
    connection: Option<MultiplexedConnection>,
    batch: Batch,
) -> (Batch, RedisResult<Vec<Value>>) {
    let count = batch.pipeline.len();
    let answers = match connection {
        Some(mut connection) if count > 0 => {
            connection.send_packed_commands(&batch.pipeline, 0, count).await
        }
        _ => Ok(Vec::new()),
    };
    (batch, answers)
}

/// What the transport says, in the client's words.
fn lost(error: &RedisError) -> Failure {
    let error = if error.is_timeout() {
        folio::Error::Timeout { maybe_applied: true }
    } else {
        let message = error.to_string().into();
        folio::Error::Connection { message, maybe_applied: true }
    };
    error.into()
}
