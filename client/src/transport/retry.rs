//! What is sent again.
//!
//! | the command | no connection could be opened | the connection broke, or time was up, before the answer |
//! |---|---|---|
//! | reads | the error says so | sent again |
//! | writes under a condition that its first sending takes away | the same | sent again; if that is refused, nobody knows whose work it found: the fate is unknown |
//! | writes | the same | never sent again: the fate is unknown |
//!
//! A command whose time is up is not sent again, whatever it is. One that a server has refused because it has come to
//! follow another was not carried out, and is sent again, whatever it is: over another connection, which leads to the
//! primary where the sentinels tell who that is.

use std::sync::Arc;
use std::time::Duration;

use redis::{Pipeline, RedisError, Value};

use super::Database;
use super::lane::{Live, is_of_the_connection, is_refused_as_replica};
use super::target::is_demoted;
use crate::command::{Command, Repeat};
use crate::{Error, Result, observe};

/// How often a command is sent again.
const REPEATS: u32 = 3;
/// What passes before the first repetition; twice as much before each one that follows.
const REPEAT_DELAY: Duration = Duration::from_millis(10);

/// How far a call has come.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// The connection that the command was sent on last, and how many replies had come there before.
    sent: Option<(Arc<Live>, u64)>,
    /// Why the answer to the first sending did not come.
    unknown: Option<Error>,
}

impl Progress {
    pub(super) fn begin(&mut self, live: &Arc<Live>) {
        self.sent = Some((Arc::clone(live), live.heard()));
    }

    /// Time is up. A connection that has been silent since the command was sent is given up.
    pub(super) fn late(self, writes: bool) -> Error {
        let maybe_applied = writes && (self.sent.is_some() || self.unknown.is_some());
        if let Some((live, heard)) = self.sent
            && live.heard() == heard
        {
            live.give_up();
        }
        Error::Timeout { maybe_applied }
    }

    /// What a caller is told of an answer.
    fn settle(&mut self, answer: Result<Value, RedisError>, repeat: Repeat) -> Result<Value> {
        let is_refusal = matches!(answer, Err(_) | Ok(Value::Nil));
        match self.unknown.take() {
            Some(unknown) if repeat == Repeat::Guarded && is_refusal => Err(unknown),
            _ => answer.map_err(|error| Error::from_redis(&error, repeat != Repeat::Read)),
        }
    }

    /// A connection broke. Error: sending again is not allowed, or was tried often enough.
    fn broken(&mut self, error: &RedisError, repeat: Repeat, left: u32) -> Result<()> {
        let error = self.unknown.take().unwrap_or_else(|| Error::from_redis(error, writes(repeat)));
        if repeat == Repeat::Never || left == 0 {
            return Err(error);
        }
        self.unknown = Some(error);
        Ok(())
    }

    fn tell(&self, name: &str) {
        if let Some(error) = &self.unknown {
            observe::repeated(name, error);
        }
    }

    /// No connection could be opened: what is sent for the first time has not been sent.
    fn unopened(&mut self, error: &RedisError) -> Error {
        self.unknown.take().unwrap_or_else(|| Error::from_redis(error, false))
    }
}

fn writes(repeat: Repeat) -> bool {
    repeat != Repeat::Read
}

/// What all of these allow: the least of them.
fn together(commands: &[Command]) -> Repeat {
    let repeats = || commands.iter().map(Command::repeats);
    if repeats().any(|repeat| repeat == Repeat::Never) {
        Repeat::Never
    } else if repeats().any(|repeat| repeat == Repeat::Guarded) {
        Repeat::Guarded
    } else {
        Repeat::Read
    }
}

/// The commands as they are sent together.
pub(super) fn pipeline(commands: &[Command]) -> Pipeline {
    let mut pipeline = redis::pipe();
    for command in commands {
        pipeline.add_command(command.packed().clone());
    }
    pipeline
}

/// Waits a little before a command is sent again.
async fn pause(left: u32) {
    tokio::time::sleep(REPEAT_DELAY * 2_u32.pow(REPEATS - left)).await;
}

impl Database {
    /// Sends a command over the shared connection.
    pub(crate) async fn call(&self, command: &Command, timeout: Duration) -> Result<Value> {
        let mut progress = Progress::default();
        match tokio::time::timeout(timeout, self.attempts(command, &mut progress)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(progress.late(command.writes())),
        }
    }

    async fn attempts(&self, command: &Command, progress: &mut Progress) -> Result<Value> {
        let repeat = command.repeats();
        let mut left = REPEATS;
        loop {
            let live = self.lane.live().await.map_err(|error| progress.unopened(&error))?;
            progress.begin(&live);
            match live.send(command.packed()).await {
                Err(error) if is_of_the_connection(&error) => {
                    progress.broken(&error, repeat, left)?;
                    progress.tell(command.name());
                }
                Err(error) if is_demoted(&error) && left > 0 => {}
                answer => return progress.settle(answer, repeat),
            }
            pause(left).await;
            left -= 1;
        }
    }

    /// Sends a command over a connection of its own; again over another one by the same rules.
    pub(crate) async fn call_pooled(&self, command: &Command, timeout: Duration) -> Result<Value> {
        let (mut progress, mut is_sent) = (Progress::default(), false);
        let attempts = async {
            let repeat = command.repeats();
            let mut left = REPEATS;
            loop {
                let own = self.lend().await;
                let mut own = own.map_err(|error| progress.unknown.take().unwrap_or(error))?;
                is_sent = true;
                match own.send(command.packed()).await {
                    Err(error) if is_of_the_connection(&error) => {
                        progress.broken(&error, repeat, left)?;
                        progress.tell(command.name());
                    }
                    Err(error) if is_demoted(&error) && left > 0 => {}
                    answer => return progress.settle(answer, repeat),
                }
                drop(own);
                pause(left).await;
                left -= 1;
            }
        };
        match tokio::time::timeout(timeout, attempts).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::Timeout { maybe_applied: is_sent && command.writes() }),
        }
    }

    /// Sends commands in their order over the shared connection without waiting between them. The outer error is one
    /// of the connection, after which nobody knows how many of them were carried out.
    pub(crate) async fn call_all(
        &self,
        commands: &[Command],
        timeout: Duration,
    ) -> Result<Vec<Result<Value>>> {
        let mut progress = Progress::default();
        let repeat = together(commands);
        match tokio::time::timeout(timeout, self.attempts_of_all(commands, &mut progress)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(progress.late(writes(repeat))),
        }
    }

    pub(super) async fn attempts_of_all(
        &self,
        commands: &[Command],
        progress: &mut Progress,
    ) -> Result<Vec<Result<Value>>> {
        let repeat = together(commands);
        let pipeline = pipeline(commands);
        let mut left = REPEATS;
        let answers = loop {
            let live = self.lane.live().await.map_err(|error| progress.unopened(&error))?;
            progress.begin(&live);
            match live.send_all(&pipeline).await {
                Ok(answers) if left > 0 && answers.iter().all(is_refused_as_replica) => {}
                Ok(answers) => break answers,
                Err(error) if is_of_the_connection(&error) => {
                    progress.broken(&error, repeat, left)?;
                    progress.tell("pipeline");
                }
                Err(error) => return Err(Error::from_redis(&error, writes(repeat))),
            }
            pause(left).await;
            left -= 1;
        };
        let was_sent_before = progress.unknown.take().is_some();
        let settle = |(answer, command): (Value, &Command)| {
            let unknown = was_sent_before.then_some(Error::Timeout { maybe_applied: true });
            let mut progress = Progress { sent: None, unknown };
            progress.settle(answer.extract_error(), command.repeats())
        };
        Ok(answers.into_iter().zip(commands).map(settle).collect())
    }
}
