//! Several documents written together, or none.
//!
//! ```text
//! open each key for writing     the server may expire what is there
//! prepare all                   may refuse; nothing has changed
//! ---- point of no return ----
//! commit all                    counters, tables, indexes, in order
//! keyspace, replicate, notify   for each: first what is put, then what goes
//! ```
//! What is put goes before what is removed, because an open collection ends with its last document.

use std::time::Instant;

use folio_engine::Error;
use folio_engine::doc::{Document, Parsed};
use folio_engine::store::{BatchChange, BatchError, BatchWrite, Prepared, PreparedAll};

use super::super::Refusal;
use super::super::update::expect_time;
use super::{HELD_ROUNDS, Purpose, Target, Ttl, Written};
use crate::{config, lifecycle, state};

/// A write of a batch: its key, which no other write of the batch has, and what becomes of it.
pub(crate) struct Planned<'c> {
    /// The open key.
    pub(crate) target: Target<'c>,
    /// What becomes of it.
    pub(crate) change: Change,
}

/// What becomes of a key.
pub(crate) enum Change {
    /// This document stands there.
    Put {
        /// The document.
        parsed: Parsed,
        /// What becomes of the TTL.
        ttl: Ttl,
        /// What the write is for.
        purpose: Purpose,
    },
    /// Nothing does.
    Remove,
    /// What stands there is marked as deleted, or comes back.
    Mark {
        /// Whether it is deleted from here on.
        is_deleted: bool,
        /// What becomes of the TTL.
        ttl: Ttl,
    },
}

impl Change {
    /// What becomes of the TTL, and what the write is for; none of a removal.
    fn finish(&self) -> Option<(Ttl, Purpose)> {
        match self {
            Change::Put { ttl, purpose, .. } => Some((*ttl, *purpose)),
            Change::Mark { is_deleted: true, ttl } => Some((*ttl, Purpose::Delete)),
            Change::Mark { is_deleted: false, ttl } => Some((*ttl, Purpose::Undelete)),
            Change::Remove => None,
        }
    }
}

/// What a write of a batch gave.
pub(crate) enum Outcome {
    /// A document was put, or was there already.
    Put(Written),
    /// What was there is gone; or nothing was.
    Removed,
}

/// Why a batch was refused: by which of its writes, and why.
pub(crate) struct Refused {
    /// The place of the write.
    pub(crate) at: usize,
    /// The error.
    pub(crate) refusal: Refusal,
}

/// Makes all writes, or none; tells of each, in their order, what it gave.
pub(crate) fn write_all(planned: &[Planned<'_>]) -> Result<Vec<Outcome>, Refused> {
    let committed = commit_all(planned).inspect_err(|Refused { at, refusal }| {
        if let Some(write) = planned.get(*at) {
            write.target.refused(refusal);
        }
    })?;
    for (write, outcome) in planned.iter().zip(&committed) {
        if let (Some((ttl, purpose)), Outcome::Put(written)) = (write.change.finish(), outcome) {
            write.target.finish(written, ttl, purpose);
        }
    }
    for write in planned {
        if matches!(write.change, Change::Remove) && write.target.old.is_some() {
            write.target.remove();
        }
    }
    Ok(committed)
}

impl Planned<'_> {
    /// What the engine is told of it.
    fn told(&self) -> BatchWrite<'_> {
        let finish = self.change.finish();
        let expires_ms = finish.and_then(|(ttl, purpose)| self.target.expires_ms(ttl, purpose));
        let change = match &self.change {
            Change::Put { parsed, purpose, .. } => {
                BatchChange::Put { parsed, expires_ms, is_whole: *purpose == Purpose::Set }
            }
            Change::Remove => BatchChange::Remove,
            Change::Mark { is_deleted, .. } => {
                BatchChange::Mark { is_deleted: *is_deleted, expires_ms }
            }
        };
        BatchWrite { key: self.target.name.bytes(), old: self.target.held(), change }
    }
}

/// Prepares and commits in one borrow; has the server remove lapsed holders of unique values first.
fn commit_all(planned: &[Planned<'_>]) -> Result<Vec<Outcome>, Refused> {
    let Some(first) = planned.first().map(|write| &write.target) else { return Ok(Vec::new()) };
    let refused = |error: Error| Refused { at: 0, refusal: error.into() };
    let mut last_held: Vec<Vec<u8>> = Vec::new();
    let (began, limits) = (Instant::now(), config::limits());
    let pace = || expect_time(began, &limits);
    for _ in 0..HELD_ROUNDS {
        let writes: Vec<BatchWrite<'_>> = planned.iter().map(Planned::told).collect();
        let prepared = state::with(|state| {
            let store = &mut state.store;
            for write in &writes {
                store.lapse_key(first.db, write.key, first.now_ms);
            }
            Ok::<_, BatchError>(
                match store.prepare_all(first.db, &writes, first.now_ms, &pace)? {
                    PreparedAll::Held { keys } => Err(keys),
                    PreparedAll::Ready(prepared) => {
                        Ok(prepared.into_iter().map(|one| committed(store, one)).collect())
                    }
                },
            )
        });
        let prepared = prepared.map_err(refused)?;
        match prepared.map_err(|BatchError { at, error }| Refused { at, refusal: error.into() })? {
            Ok(outcomes) => return Ok(outcomes),
            // The server does not remove them: it is a replica, or paused.
            Err(keys) if keys == last_held => break,
            Err(keys) => {
                for key in &keys {
                    lifecycle::touch(first.ctx, key);
                }
                last_held = keys;
            }
        }
    }
    let key = last_held.into_iter().next().unwrap_or_default();
    Err(refused(Error::held("the value is still held, though it has lapsed, by", &key)))
}

fn committed(store: &mut folio_engine::store::Store, prepared: Option<Prepared>) -> Outcome {
    match prepared {
        Some(Prepared::Ready(delta)) => {
            let document = store.commit(delta);
            let version = document.version();
            Outcome::Put(Written::Changed(document, version))
        }
        Some(Prepared::Unchanged { version }) => Outcome::Put(Written::Unchanged(version)),
        // Batches are told of lapsed holders all together.
        Some(Prepared::Held { .. }) | None => Outcome::Removed,
    }
}

impl Outcome {
    /// The version that the document has now; 0 where there is none.
    pub(crate) fn version(&self) -> u64 {
        match self {
            Outcome::Put(written) => written.version(),
            Outcome::Removed => 0,
        }
    }

    /// The document that was put, where it is another one than before.
    pub(crate) fn document(&self) -> Option<&Document> {
        match self {
            Outcome::Put(Written::Changed(document, _)) => Some(document),
            _ => None,
        }
    }
}
