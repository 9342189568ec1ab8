//! Which changes concern the documents that a filter holds of.
//!
//! The server decides, as in every query: a second reading of filters here would be a second truth. After each batch
//! of entries it is asked once which of the documents that have changed fit now, by their birth numbers, so at the
//! cost of these documents alone. What fitted before is known by the keys that fitted at the last look.
//!
//! ```text
//! entries --> waiting --look--> fits now?  fitted before?  --> told
//!                               yes        yes                 as it is
//!                               yes        no, or not known    insert, or enter
//!                               no         yes, or not known   leave, or as the removal that it is
//!                               no         no                  not at all
//! ```

use std::collections::{HashMap, HashSet};

use super::Token;
use crate::command::Command;
use crate::filter::Node;
use crate::{Executor, Filter, Folio, Result};

/// How many keys are asked for at a time when a stream is opened: fewer than any server refuses that is set to serve pages.
const PAGE: u64 = 500;

/// A filter, and what is known of who fits it.
#[derive(Debug)]
pub(super) struct Selection {
    filter: Filter<()>,
    collection: String,
    scan: bool,
    /// The keys of the documents that fitted when they were last looked at.
    members: HashSet<String>,
    /// Of what was changed up to here, nobody knows whether it fitted before, unless it was looked at since.
    unknown_until: Token,
    looked_at: HashSet<String>,
}

/// Whether a document fits the filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fit {
    /// `None`: nobody knows.
    pub(super) before: Option<bool>,
    pub(super) now: bool,
}

impl Selection {
    pub(super) fn new(filter: Node, collection: String, scan: bool) -> Self {
        Self {
            filter: Filter::new(filter),
            collection,
            scan,
            members: HashSet::new(),
            unknown_until: Token::NONE,
            looked_at: HashSet::new(),
        }
    }

    /// Finds out who fits now. Of changes up to `unknown_until`, which are still to be read, nobody knows who fitted
    /// before them.
    pub(super) async fn load(&mut self, db: &Folio, unknown_until: Token) -> Result<()> {
        let filter = self.filter.to_bytes()?;
        let (mut members, mut cursor) = (HashSet::new(), None);
        loop {
            let find = Command::read("DOC.FIND").arg((&*self.collection, "WHERE", &*filter));
            let mut find = find.arg(("LIMIT", 0, PAGE));
            if let Some(cursor) = &cursor {
                find.push(("AFTER", cursor));
            }
            // A path that leads to nothing: keys are enough.
            find.push(("SELECT", 1, "`-`"));
            if self.scan {
                find.push("SCAN");
            }
            let page = db.execute(find).await?.rows()?;
            members.extend(page.rows.into_iter().map(|row| row.key));
            cursor = page.cursor;
            if cursor.is_none() {
                break;
            }
        }
        self.members = members;
        self.unknown_until = unknown_until;
        self.looked_at.clear();
        Ok(())
    }

    /// Of what was changed up to here, while the members were read, too, nobody knows whether it fitted before.
    pub(super) fn doubt(&mut self, until: Token) {
        self.unknown_until = self.unknown_until.max(until);
    }

    /// Which of these documents fit now.
    pub(super) async fn look(&self, db: &Folio, keys: HashSet<&str>) -> Result<HashSet<String>> {
        let keys: Vec<&str> = keys.into_iter().collect();
        let metas = keys.iter().map(|key| Command::read("DOC.META").key(key)).collect();
        let (mut born, mut metas) = (HashMap::new(), db.execute_all(metas).await?.into_iter());
        for key in keys {
            let meta = match metas.next() {
                // Something else stands there since.
                Some(Err(error)) if error.code() == Some("WRONGTYPE") => continue,
                meta => meta.transpose()?.filter(|meta| !meta.is_nil()),
            };
            let Some(meta) = meta else { continue };
            for (name, value) in meta.entries()? {
                if name == "seq" {
                    born.insert(value.to::<u64>()?, key);
                }
            }
        }
        if born.is_empty() {
            return Ok(HashSet::new());
        }
        let numbers = Node::of("list", born.keys().map(|seq| Node::Uint(*seq)));
        let among = Filter::of("in", [Node::text("_seq"), numbers]);
        let filter = (self.filter.clone() & among).to_bytes()?;
        // However few documents may be read without an index: these are as many as have changed.
        let keys = Command::read("DOC.KEYS").arg((&*self.collection, "WHERE", filter, "SCAN"));
        Ok(db.execute(keys).await?.to::<Vec<String>>()?.into_iter().collect())
    }

    /// Notes whether the document of a change fits after it.
    pub(super) fn note(&mut self, key: &str, token: Token, now: bool) -> Fit {
        let is_settled = token > self.unknown_until || !self.looked_at.insert(key.to_owned());
        let was_member =
            if now { !self.members.insert(key.to_owned()) } else { self.members.remove(key) };
        Fit { before: is_settled.then_some(was_member), now }
    }

    /// No document is left.
    pub(super) fn clear(&mut self) {
        self.members.clear();
    }

    /// Everything up to here was told.
    pub(super) fn passed(&mut self, position: Token) {
        if position >= self.unknown_until {
            self.looked_at = HashSet::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(number: u64) -> Token {
        Token { number, within: 0 }
    }

    #[test]
    fn what_fitted_before_is_known_only_of_what_was_looked_at() {
        let mut selection = Selection::new(Node::Bool(true), "users".into(), false);
        selection.members.insert("users:1".into());
        selection.unknown_until = token(5);
        let fit = |before, now| Fit { before, now };
        assert_eq!(selection.note("users:1", token(3), false), fit(None, false));
        assert_eq!(selection.note("users:1", token(4), true), fit(Some(false), true));
        assert_eq!(selection.note("users:2", token(5), true), fit(None, true));
        assert_eq!(selection.note("users:2", token(6), true), fit(Some(true), true));
        assert_eq!(selection.note("users:3", token(6), false), fit(Some(false), false));
        selection.clear();
        assert_eq!(selection.note("users:2", token(7), true), fit(Some(false), true));
    }
}
