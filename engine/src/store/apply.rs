//! Writes that a primary has decided, as replicas and the append-only file bring them.

use super::{KEEPS, NUMBER_END, Store, home};
use crate::collection::{Changes, Counters, Delta, Entered, Keeps};
use crate::doc::{Document, Parsed, Stamp};
use crate::error::{Code, Error, Result};
use crate::planted::{self, Fault};

impl Store {
    /// A write whose outcome a primary decided: its numbers and times are taken as they are and nothing is judged.
    /// Errors: `KEY`, `ERR`.
    pub fn prepare_apply(
        &mut self,
        db: u32,
        key: &[u8],
        old: Option<&Document>,
        parsed: &Parsed,
        stamp: Stamp,
        expires_ms: Option<i64>,
    ) -> Result<Delta> {
        self.settle();
        if stamp.version > NUMBER_END || stamp.seq > NUMBER_END {
            return Err(Error::new(
                Code::Syntax,
                format!("a version or birth number above {NUMBER_END}"),
            ));
        }
        let placement = self.place(db, key)?;
        self.reserve_ids(&placement);
        // Another one was born over a deleted document: that has a birth number of its own.
        let is_birth = |old: &&Document| old.is_deleted() && old.seq() != stamp.seq;
        let removes = Self::replaced(old.filter(is_birth), &placement)?;
        let old = old.filter(|old| !is_birth(old));
        let replaces = Self::replaced(old, &placement)?;
        let (changes, computed, keeps) = if let Some(collection) = self.known(&placement)? {
            let computed = collection.compute(parsed.view(), false);
            let doc = collection.view_with(parsed.view(), &computed);
            let new = Entered { doc, is_deleted: stamp.is_deleted };
            let mut changes = collection.changes(old.map(|old| collection.entered(old)), new);
            if planted::is(Fault::Replica) && replaces.is_some() {
                changes.clear();
            }
            let keeps = collection.keeps(doc, parsed);
            (changes, computed, keeps)
        } else {
            let declared = parsed.huge_numbers().is_empty();
            (Changes::new(), None, Keeps { declared, ..KEEPS })
        };
        Ok(Delta {
            db,
            home: home(placement),
            key: key.into(),
            replaces,
            removes,
            document: Document::new(parsed, Stamp { home: 0, id: 0, ..stamp }),
            changes,
            computed,
            keeps,
            numbers: Some(Counters { version: stamp.version, seq: stamp.seq }),
            expires_ms,
        })
    }
}
