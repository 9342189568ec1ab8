//! The two doors through which documents come and go by what Redis itself does to keys. They judge nothing, and are idempotent.

use super::journal::Cause;
use super::{Placement, Store};
use crate::doc::Document;

impl Store {
    /// The door in: `doc` stands under `key` in database `db` now, whoever brought it there. Judges nothing. Idempotent.
    /// False if the key names no collection: the document is in none then.
    pub fn adopt(&mut self, db: u32, key: &[u8], doc: &Document, expires_ms: Option<i64>) -> bool {
        self.note_timed(doc);
        if self.filling.is_open() {
            return self.keep_aside(db, key, doc, expires_ms);
        }
        if let Some(home) = self.collections.get_mut(&doc.home()) {
            if home.db() == db && home.holds(key, doc) {
                home.set_expiry(doc.id(), expires_ms);
                return true;
            }
            // RENAME and MOVE show the value under its new key before they take away the old one.
            if home.held(doc.id()).is_some_and(|held| held.ptr_eq(doc)) {
                let uid = home.uid();
                if home.definition().options.changes.is_some() {
                    let cause = if home.db() == db { Cause::Rename } else { Cause::Move };
                    let mut old_key = Vec::new();
                    home.key(doc.id(), &mut old_key);
                    self.journal.note_left(home, &old_key, (doc, doc.version()), cause);
                }
                home.remove(doc.id());
                leave(doc);
                self.drop_if_vacant(uid);
            }
        }
        let uid = match self.place(db, key) {
            Ok(Placement::Known(uid)) => uid,
            Ok(Placement::Founded(name)) => self.found(db, &name),
            Err(_) => {
                doc.displace();
                return false;
            }
        };
        if let Some(collection) = self.collections.get_mut(&uid) {
            collection.admit(key, doc, expires_ms);
            self.journal.note_written(collection, key, None, doc);
        }
        true
    }

    /// The door out: `doc` leaves `key` in database `db`. Idempotent; a document that has moved on already is left alone.
    pub fn forget(&mut self, db: u32, key: &[u8], doc: &Document) {
        self.settle();
        let uid = doc.home();
        let Some(home) = self.collections.get_mut(&uid) else { return };
        if home.db() == db && home.holds(key, doc) {
            // The server says why only afterwards; where it says nothing, another value has come.
            self.journal.note_left(home, key, (doc, doc.version()), Cause::Overwrite);
            home.remove(doc.id());
            leave(doc);
            self.drop_if_vacant(uid);
        }
    }
}

/// A document leaves its table. If that is half of a RENAME, the other half is a birth, in whatever order the server tells of both: without a birth
/// number it takes new ones there. Under a key that names no collection it keeps its version until then.
fn leave(doc: &Document) {
    doc.place(0, 0, 0, doc.version());
}
