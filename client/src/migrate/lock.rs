//! Only one program runs migrations of a name.
//!
//! The lock is a document with a TTL and its owner's token. It is given its time anew while it is held, and lapses by
//! itself if nobody does. Whatever is written under it asks, in the same step, whether it is still held.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::MigrationError;
use crate::command::Repeat;
use crate::transaction::Part;
use crate::untyped::Write;
use crate::{Command, Error, Executor, Folio, Result};

/// How often one looks whether it has come free.
const LOOK: Duration = Duration::from_millis(50);

/// Who may hold the lock, and how.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    pub(super) migrations: String,
    /// How long it lasts without being renewed.
    pub(super) ttl: Duration,
    /// How long another's end is waited for.
    pub(super) wait: Duration,
}

/// A lock that is held.
#[derive(Debug, Clone)]
pub(super) struct Lock {
    db: Folio,
    terms: Terms,
    key: String,
    owner: String,
}

impl Lock {
    pub(super) async fn acquire(terms: &Terms, db: &Folio) -> Result<Self> {
        let key = format!("{}:lock:{}", super::COLLECTION, terms.migrations);
        let lock = Self {
            db: db.clone(),
            terms: terms.clone(),
            key: db.named(&key).into_owned(),
            owner: Uuid::now_v7().to_string(),
        };
        let deadline = Instant::now() + terms.wait;
        while !lock.try_acquire().await? {
            if Instant::now() >= deadline {
                let migrations = terms.migrations.clone();
                return Err(MigrationError::Locked { migrations }.into());
            }
            sleep(LOOK.min(deadline.saturating_duration_since(Instant::now()))).await;
        }
        Ok(lock)
    }

    async fn try_acquire(&self) -> Result<bool> {
        let document = serde_json::json!({"owner": self.owner}).to_string();
        let ttl = self.milliseconds();
        let command = Command::write("DOC.SET").key(&self.key).arg(document.as_str());
        let command = command.arg(("NX", "PX", ttl)).repeat(Repeat::Guarded);
        match self.db.execute(command).await {
            // It may have been taken before the answer was lost.
            Err(error) if error.is_ambiguous() => {
                let stands = self.db.execute(Command::read("DOC.GET").key(&self.key)).await?;
                Ok(stands.bytes()?.is_some_and(|text| text == document.as_bytes()))
            }
            taken => Ok(!taken?.is_nil()),
        }
    }

    /// Does something, and renews the lock meanwhile. If it is lost, the work is given up where it waits.
    pub(super) async fn hold<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            outcome = work => outcome,
            lost = self.renew() => Err(lost),
        }
    }

    async fn renew(&self) -> Error {
        loop {
            sleep(self.terms.ttl / 3).await;
            let renewal = Command::write("DOC.UPDATE").key(&self.key);
            let renewal = renewal.arg(("IF", self.is_own(), "PX", self.milliseconds()));
            // It may be carried out twice.
            match self.db.execute(renewal.repeat(Repeat::Guarded)).await {
                Ok(reply) if !reply.is_nil() => {}
                Ok(_) | Err(Error::NotFound { .. }) => return self.lost(),
                // While the server is out of reach the lock may lapse. Then what is written next is refused.
                Err(_) => {}
            }
        }
    }

    /// Gives it back. If that fails it lapses.
    pub(super) async fn release(self) {
        let key = format!("{}:lock:{}", super::COLLECTION, self.terms.migrations);
        let _ = self.db.atomic((Write::delete(&key).when(&self.is_own()),)).await;
    }

    /// What has to hold of all that is written under the lock; else the server's code is `CHECK`.
    pub(super) fn guard(&self) -> Result<Part> {
        Part::condition(&self.key, &self.is_own())
    }

    pub(super) fn lost(&self) -> Error {
        MigrationError::LockLost { migrations: self.terms.migrations.clone() }.into()
    }

    fn is_own(&self) -> String {
        format!("owner = '{}'", self.owner)
    }

    fn milliseconds(&self) -> u64 {
        u64::try_from(self.terms.ttl.as_millis()).unwrap_or(u64::MAX).max(1)
    }
}
