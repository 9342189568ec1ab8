//! Several writes that are made together, or not at all.
//!
//! ```text
//!   prepare_all   each write by itself: placement, declaration, keys of old and new
//!                 all together:         who gives a unique value up, who takes it
//!                 may refuse; nothing has changed
//!   commit        each delta, in order; cannot fail
//! ```
//! Unique values are judged as they will stand when all is done: two documents may exchange theirs. Writes to the same key
//! are one write: the caller has put them together.

use std::collections::HashMap;

use super::mark::Mark;
use super::{Judged, Prepared, Store};
use crate::collection::{Collection, Home, Together};
use crate::doc::{Document, Parsed};
use crate::error::{Error, Result};

/// One of several writes.
#[derive(Debug, Clone, Copy)]
pub struct BatchWrite<'w> {
    /// The key, which no other write of the batch has.
    pub key: &'w [u8],
    /// What the keyspace holds under it.
    pub old: Option<&'w Document>,
    /// What is to stand there afterwards.
    pub change: BatchChange<'w>,
}

/// What a write of a batch does to its key.
#[derive(Debug, Clone, Copy)]
pub enum BatchChange<'w> {
    /// A document takes the place of what is there.
    Put {
        /// The document.
        parsed: &'w Parsed,
        /// When it lapses, in milliseconds since 1970.
        expires_ms: Option<i64>,
        /// Whether it is judged whole, as by DOC.SET, or by what it changes, as by DOC.UPDATE.
        is_whole: bool,
    },
    /// What is there goes.
    Remove,
    /// What is there is marked as deleted, or comes back.
    Mark {
        /// Whether it is deleted from here on.
        is_deleted: bool,
        /// When it lapses, in milliseconds since 1970.
        expires_ms: Option<i64>,
    },
}

/// What [`Store::prepare_all`] found.
#[derive(Debug)]
pub enum PreparedAll {
    /// All in order: for each write what [`Store::prepare`] says of it; none for a removal.
    Ready(Vec<Option<Prepared>>),
    /// Lapsed documents still hold unique values. The server is to remove them, then prepare again.
    Held {
        /// Their keys.
        keys: Vec<Vec<u8>>,
    },
}

/// Which write of a batch was refused, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchError {
    /// Its place in the batch.
    pub at: usize,
    /// The error.
    pub error: Error,
}

impl Store {
    /// Finds out whether all of `writes` may be made together, at `now_ms`. Changes nothing. What goes in is to be committed
    /// before what goes out is removed: an open collection ends with its last document.
    ///
    /// `pace` is asked before functions are called for a document: many calls together may take longer than a command should.
    ///
    /// Errors: as of [`Store::prepare`] and `pace`, of the first write that is refused. O(documents + their index entries).
    pub fn prepare_all(
        &mut self,
        db: u32,
        writes: &[BatchWrite<'_>],
        now_ms: i64,
        pace: &dyn Fn() -> Result<()>,
    ) -> Result<PreparedAll, BatchError> {
        self.settle();
        let puts =
            |(_, write): &(usize, &BatchWrite<'_>)| matches!(write.change, BatchChange::Put { .. });
        // A document under a key that names no collection can be removed.
        for (at, write) in writes.iter().enumerate().filter(puts) {
            let placement = self.place(db, write.key).map_err(|error| BatchError { at, error })?;
            self.reserve_ids(&placement);
        }
        let mut prepared = Vec::with_capacity(writes.len());
        for (at, write) in writes.iter().enumerate() {
            let one = self.prepare_one(db, write, now_ms, pace);
            prepared.push(one.map_err(|error| BatchError { at, error })?);
        }
        let held = self.judge_together(writes, &prepared)?;
        if !held.is_empty() {
            return Ok(PreparedAll::Held { keys: held });
        }
        Ok(PreparedAll::Ready(prepared))
    }

    /// A write by itself, but for its unique values.
    fn prepare_one(
        &self,
        db: u32,
        write: &BatchWrite<'_>,
        now_ms: i64,
        pace: &dyn Fn() -> Result<()>,
    ) -> Result<Option<Prepared>> {
        match write.change {
            BatchChange::Put { parsed, expires_ms, is_whole } => {
                let unique = Judged::Together;
                let write_of = super::Write { now_ms, expires_ms, whole: is_whole, unique };
                let placement = self.place(db, write.key)?;
                let collection = self.known(&placement)?;
                if collection.is_some_and(|there| there.definition().asks_functions()) {
                    pace()?;
                }
                self.prepare_placed(db, write.key, placement, write.old, parsed, write_of).map(Some)
            }
            BatchChange::Mark { is_deleted, expires_ms } => {
                let mark = Mark { is_deleted, now_ms, expires_ms };
                let Some(old) = write.old else { return Ok(None) };
                self.prepare_mark(db, write.key, old, mark)
            }
            BatchChange::Remove => Ok(None),
        }
    }

    /// Judges the unique values of all writes as they will stand. Gives the keys of lapsed documents that hold some.
    fn judge_together(
        &self,
        writes: &[BatchWrite<'_>],
        prepared: &[Option<Prepared>],
    ) -> Result<Vec<Vec<u8>>, BatchError> {
        let mut by_collection: HashMap<u32, Together<'_>> = HashMap::new();
        for (at, (write, prepared)) in writes.iter().zip(prepared).enumerate() {
            let Some(collection) = self.touched(write, prepared.as_ref()) else { continue };
            let together = by_collection.entry(collection.uid());
            let together = together.or_insert_with(|| Together::new(collection));
            match (write.change, prepared) {
                (BatchChange::Put { is_whole, .. }, Some(Prepared::Ready(delta))) => {
                    // What the server filled in is judged too.
                    let whole = is_whole.then(|| collection.view_of_delta(delta));
                    together.put(at, write.key, delta, whole);
                }
                (BatchChange::Mark { is_deleted, .. }, Some(Prepared::Ready(delta))) => {
                    let whole = (!is_deleted).then(|| collection.view_of_delta(delta));
                    together.put(at, write.key, delta, whole);
                }
                (BatchChange::Remove, _) => together.remove(write.old),
                _ => {}
            }
        }
        let judged = by_collection.into_values().map(Together::judge);
        let mut held = Vec::new();
        let mut refused: Vec<BatchError> = Vec::new();
        for found in judged {
            match found {
                Ok(keys) => held.extend(keys),
                Err((at, error)) => refused.push(BatchError { at, error }),
            }
        }
        if let Some(first) = refused.into_iter().min_by_key(|refused| refused.at) {
            return Err(first);
        }
        held.sort_unstable();
        held.dedup();
        Ok(held)
    }

    /// The collection whose indexes a write touches, if it is there.
    fn touched(&self, write: &BatchWrite<'_>, prepared: Option<&Prepared>) -> Option<&Collection> {
        let uid = match (write.change, prepared) {
            (BatchChange::Remove, _) => write.old?.home(),
            (_, Some(Prepared::Ready(delta))) => match &delta.home {
                Home::Known(uid) => *uid,
                // An open collection has no unique index.
                Home::Founded(_) => return None,
            },
            _ => return None,
        };
        self.collections.get(&uid)
    }
}
