//! Indexes made whole: after a load, and when ids are numbered anew. Sorting all entries of an index and laying them down
//! costs far less than adding them one by one.

use roaring::RoaringBitmap;

use super::{Collection, Documents};
use crate::index::{DocId, Expiry};
use crate::value::Key;

impl Collection {
    /// Builds every index anew from the documents. O(entries · log entries).
    pub fn rebuild(&mut self) {
        for index in &mut self.indexes {
            let mut pairs: Vec<(Key, DocId)> = Vec::new();
            for id in &self.live {
                let Some(document) = self.documents.get(id) else { continue };
                pairs.extend(index.keys(document.view()).into_iter().map(|key| (key, id)));
            }
            // Ids ascend already, so a stable sort by key leaves them ascending within each.
            pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
            index.build(pairs);
        }
    }

    /// Gives all documents new ids from 0, in the order of their birth. O(documents + entries · log entries).
    pub(crate) fn renumber(&mut self) {
        let live = std::mem::replace(&mut self.live, RoaringBitmap::new());
        let mut before = std::mem::take(&mut self.documents);
        let expiry = std::mem::take(&mut self.expiry);
        self.documents = Documents::default();
        self.expiry = Expiry::default();
        self.next_id = 0;
        for old in live {
            let rest = before.rest(old).map(<[u8]>::to_vec);
            let (Some(rest), Some(document)) = (rest, before.remove(old)) else { continue };
            let id = self.next_id;
            self.next_id += 1;
            document.place(self.uid, id, document.seq(), document.version());
            self.documents.push(id, &rest, document);
            self.live.insert(id);
            self.expiry.set(id, expiry.time(old));
        }
        self.rebuild();
    }
}
