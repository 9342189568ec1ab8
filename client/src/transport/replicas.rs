//! Servers that follow the primary, for reads that may be a little behind.
//!
//! Each read goes to the next of them in turn. One that cannot be reached, breaks, or is loading its data is left alone
//! for a while: the read goes to the next one, and where none is left to the primary.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

#[cfg(feature = "sentinel")]
use futures_util::FutureExt;
use redis::{ConnectionInfo, Value};

use super::Database;
use super::lane::{Lane, Live, is_of_the_connection};
use super::retry::{Progress, pipeline};
use super::target::Target;
use crate::command::Command;
use crate::{Error, Result};

/// How long a replica is left alone that could not answer.
const REST: Duration = Duration::from_secs(2);
/// How long what the sentinels have said of replicas is taken to be true.
#[cfg(feature = "sentinel")]
const FRESH: Duration = Duration::from_secs(10);

/// The replicas of a database.
#[derive(Debug)]
pub(super) struct Replicas {
    known: Mutex<Vec<Arc<Replica>>>,
    /// Whose turn it is.
    turn: AtomicUsize,
    #[cfg(feature = "sentinel")]
    source: Option<Source>,
}

/// Who knows which replicas there are.
#[cfg(feature = "sentinel")]
#[derive(Debug)]
struct Source {
    sentinels: Arc<super::Sentinels>,
    info: ConnectionInfo,
    connect_timeout: Duration,
    asked: tokio::sync::Mutex<Option<Instant>>,
}

#[derive(Debug)]
struct Replica {
    lane: Lane,
    rests_until: Mutex<Option<Instant>>,
}

impl Replica {
    fn new(info: ConnectionInfo, connect_timeout: Duration) -> Result<Self> {
        let target = Target::fixed(info).map_err(|error| Error::from_redis(&error, false))?;
        let lane = Lane::to_replica(target, connect_timeout);
        Ok(Self { lane, rests_until: Mutex::default() })
    }

    fn rests_until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.rests_until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rest(&self) {
        *self.rests_until() = Some(Instant::now() + REST);
    }

    fn rests(&self) -> bool {
        self.rests_until().is_some_and(|until| Instant::now() < until)
    }

    /// The connection; `None` if it cannot be opened.
    async fn live(&self) -> Option<Arc<Live>> {
        self.lane.live().await.ok()
    }
}

impl Replicas {
    pub(super) fn new(infos: Vec<ConnectionInfo>, connect_timeout: Duration) -> Result<Self> {
        let known = infos.into_iter().map(|info| Replica::new(info, connect_timeout).map(Arc::new));
        Ok(Self {
            known: Mutex::new(known.collect::<Result<_>>()?),
            turn: AtomicUsize::new(0),
            #[cfg(feature = "sentinel")]
            source: None,
        })
    }

    /// Those that the sentinels know.
    #[cfg(feature = "sentinel")]
    pub(super) fn found_by(
        self,
        sentinels: Arc<super::Sentinels>,
        info: ConnectionInfo,
        connect_timeout: Duration,
    ) -> Self {
        let asked = tokio::sync::Mutex::new(None);
        Self { source: Some(Source { sentinels, info, connect_timeout, asked }), ..self }
    }

    fn known(&self) -> MutexGuard<'_, Vec<Arc<Replica>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those that may be asked, each read beginning with the next.
    fn in_turn(&self) -> Vec<Arc<Replica>> {
        let mut replicas = self.known().clone();
        if let Some(first) = self.turn.fetch_add(1, Ordering::Relaxed).checked_rem(replicas.len()) {
            replicas.rotate_left(first);
        }
        replicas.retain(|replica| !replica.rests());
        replicas
    }

    /// Asks the sentinels now and then. Where they do not answer, those that are known stay so.
    #[cfg(feature = "sentinel")]
    async fn look_for_others(&self) {
        let Some(source) = &self.source else { return };
        let mut asked = source.asked.lock().await;
        if asked.is_some_and(|asked| asked.elapsed() < FRESH) {
            return;
        }
        *asked = Some(Instant::now());
        let Ok(infos) = source.sentinels.replicas(&source.info).await else { return };
        let before = self.known().clone();
        let now = infos.into_iter().filter_map(|info| {
            let same = before.iter().find(|replica| replica.lane.info().addr() == info.addr());
            same.cloned().or_else(|| Replica::new(info, source.connect_timeout).ok().map(Arc::new))
        });
        *self.known() = now.collect();
    }
}

impl Database {
    /// Sends reads in their order to a replica, without waiting between them; to the primary where none answers.
    pub(crate) async fn call_replica(
        &self,
        commands: &[Command],
        timeout: Duration,
    ) -> Result<Vec<Result<Value>>> {
        let (mut progress, mut asked) = (Progress::default(), None);
        let attempts = async {
            let all = pipeline(commands);
            #[cfg(feature = "sentinel")]
            self.replicas.look_for_others().boxed().await;
            for replica in self.replicas.in_turn() {
                // One that is silent while it is opened rests, too.
                asked = Some(Arc::clone(&replica));
                let Some(live) = replica.live().await else {
                    replica.rest();
                    continue;
                };
                progress.begin(&live);
                match live.send_all(&all).await {
                    Ok(answers) if !answers.iter().any(is_unable) => {
                        let read = |answer: Value| {
                            answer.extract_error().map_err(|error| Error::from_redis(&error, false))
                        };
                        return Ok(answers.into_iter().map(read).collect());
                    }
                    Err(error) if !is_of_the_connection(&error) => {
                        return Err(Error::from_redis(&error, false));
                    }
                    _ => replica.rest(),
                }
            }
            asked = None;
            self.attempts_of_all(commands, &mut progress).await
        };
        if let Ok(outcome) = tokio::time::timeout(timeout, attempts).await {
            return outcome;
        }
        if let Some(silent) = asked {
            silent.rest();
        }
        Err(progress.late(false))
    }
}

/// Whether a replica says that it has nothing to answer with for now.
fn is_unable(answer: &Value) -> bool {
    matches!(answer, Value::ServerError(error) if ["LOADING", "MASTERDOWN"].contains(&error.code()))
}
