//! Soft deletes: a document is marked as deleted, and brought back. It stays in its table, under its key.

use super::{KEEPS, Prepared, Store, home};
use crate::collection::{Delta, Entered};
use crate::doc::Document;
use crate::doc::computed::Seen;
use crate::error::Result;
use crate::schema::check;

/// A mark that a document gets or loses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    /// Whether it is deleted from here on.
    pub is_deleted: bool,
    pub now_ms: i64,
    pub expires_ms: Option<i64>,
}

impl Store {
    /// Finds out whether `old`, which stands under `key`, may be marked, but for its unique values. Nothing speaks against a
    /// deletion; a document that comes back is judged as one that is written. Errors: `KEY`, `SCHEMA`.
    pub(super) fn prepare_mark(
        &self,
        db: u32,
        key: &[u8],
        old: &Document,
        mark: Mark,
    ) -> Result<Option<Prepared>> {
        let Mark { is_deleted, now_ms, expires_ms } = mark;
        let placement = self.place(db, key)?;
        let replaces = Self::replaced(Some(old), &placement)?;
        let Some(collection) = self.known(&placement)? else { return Ok(None) };
        let keeps = if is_deleted {
            collection.keeps_held(old.id())
        } else {
            let seen = collection.seen(old);
            let doc = collection.view(seen);
            collection
                .declared()
                .zip([Seen::Declared, Seen::Coming])
                .try_for_each(|(it, by)| check::check_stored(it, seen, doc.seen_by(by)))?;
            collection.judge_timed(None, doc)?;
            KEEPS
        };
        let computed = collection.compute(old.view(), false);
        let marked = Entered { doc: collection.view_with(old.view(), &computed), is_deleted };
        Ok(Some(Prepared::Ready(Delta {
            db,
            changes: collection.changes(Some(collection.entered(old)), marked),
            computed,
            home: home(placement),
            key: key.into(),
            replaces,
            removes: None,
            document: old.marked(is_deleted, now_ms),
            keeps,
            numbers: None,
            expires_ms,
        })))
    }
}
