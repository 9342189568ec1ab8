//! Documents of a server, a page at a time.

use std::collections::BTreeMap;

use folio::Folio;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::format::{Document, Key};
use crate::outcome::Failure;

/// Documents that are asked for at once, unless they are too large.
const PAGE: usize = 500;
/// Commands that are under way at once.
const COMMANDS: usize = 64;
/// So often a document is read that is written meanwhile.
const TRIES: usize = 100;

/// The documents of a collection, by their births. Deleted ones are among them.
pub struct Documents<'c> {
    db: &'c Folio,
    collection: &'c str,
    cursor: Option<String>,
    page: usize,
    is_over: bool,
    /// The last page, until the next one tells whether its documents are those that were found.
    held: Vec<Document>,
}

#[derive(Deserialize)]
struct Page {
    results: Vec<(Vec<u8>, String, u64)>,
    #[serde(default)]
    cursor: Option<String>,
}

/// What `DOC.META` tells.
#[derive(Deserialize)]
struct Meta {
    version: u64,
    seq: u64,
    schema: u16,
    created: i64,
    updated: i64,
    expires: Option<i64>,
    deleted: Option<i64>,
    path_expires: BTreeMap<String, i64>,
}

impl<'c> Documents<'c> {
    pub fn of(collection: &'c str, db: &'c Folio) -> Self {
        Self { db, collection, cursor: None, page: PAGE, is_over: false, held: Vec::new() }
    }

    /// The next ones; none when all were told. Each is as it stood at one moment; it is left out where it is removed meanwhile.
    pub async fn next(&mut self) -> Result<Option<Vec<Document>>, Failure> {
        while !self.is_over {
            let Page { results, cursor } = self.ask().await?;
            self.is_over = cursor.is_none();
            self.cursor = cursor;
            let documents: Vec<Option<Document>> = stream::iter(results)
                .map(|(key, text, version)| whole(key, text, version, self.db))
                .buffered(COMMANDS)
                .try_collect()
                .await?;
            let mut documents: Vec<Document> = documents.into_iter().flatten().collect();
            let first = keep_ascending(&mut documents, u64::MAX);
            let mut before = std::mem::replace(&mut self.held, documents);
            keep_ascending(&mut before, first);
            if !before.is_empty() {
                return Ok(Some(before));
            }
        }
        let last = std::mem::take(&mut self.held);
        Ok((!last.is_empty()).then_some(last))
    }

    /// One page: a smaller one where the server does not answer with so much at once.
    async fn ask(&mut self) -> Result<Page, Failure> {
        loop {
            let mut call = self.db.cmd("DOC.FIND").arg((self.collection, "LIMIT", 0, self.page));
            if let Some(cursor) = &self.cursor {
                call = call.arg(("AFTER", cursor));
            }
            match call.arg(("WITHVERSION", "WITHDELETED", "SCAN")).read().await {
                Err(error) if error.code() == Some("LIMITED") && self.page > 1 => self.page /= 2,
                told => return Ok(told?),
            }
        }
    }
}

/// Leaves out documents that were born after one behind them, or after `next`: somebody has removed what was found, and written
/// another one under its key, which comes again in its place. Gives the least birth number.
fn keep_ascending(documents: &mut Vec<Document>, next: u64) -> u64 {
    let mut least = next;
    let mut are_kept: Vec<bool> = Vec::with_capacity(documents.len());
    for document in documents.iter().rev() {
        are_kept.push(document.seq < least);
        least = least.min(document.seq);
    }
    documents.retain(|_| are_kept.pop().unwrap_or(true));
    least
}

/// A document with what is known of it besides; none where it is gone.
async fn whole(
    key: Vec<u8>,
    mut text: String,
    mut version: u64,
    db: &Folio,
) -> Result<Option<Document>, Failure> {
    for _ in 0..TRIES {
        let told = db.cmd("DOC.META").arg((&key, "WITHDELETED")).read().await?;
        let Some(meta): Option<Meta> = told else { return Ok(None) };
        if meta.version == version {
            let json = RawValue::from_string(text);
            let json = json.map_err(|error| Failure::Data(format!("an answer: {error}")))?;
            let Meta { version, seq, schema, created, updated, expires, deleted, path_expires } =
                meta;
            let key = Key::of(key);
            return Ok(Some(Document {
                key,
                version,
                seq,
                schema,
                created,
                updated,
                expires,
                deleted,
                path_expires,
                json,
            }));
        }
        // It was written in between.
        let told = db.cmd("DOC.GET").arg((&key, "WITHVERSION", "WITHDELETED")).read().await?;
        let Some(now): Option<(String, u64)> = told else { return Ok(None) };
        (text, version) = now;
    }
    let key = String::from_utf8_lossy(&key);
    Err(Failure::Data(format!("{key} is written so often that it cannot be read at one moment")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn births(seqs: &[u64], next: u64) -> (Vec<u64>, u64) {
        let document = |seq: &u64| Document {
            key: Key::of(b"a:1".to_vec()),
            version: 1,
            seq: *seq,
            schema: 0,
            created: 0,
            updated: 0,
            expires: None,
            deleted: None,
            path_expires: BTreeMap::new(),
            json: RawValue::from_string("{}".into()).unwrap(),
        };
        let mut documents: Vec<Document> = seqs.iter().map(document).collect();
        let least = keep_ascending(&mut documents, next);
        (documents.iter().map(|document| document.seq).collect(), least)
    }

    #[test]
    fn births_ascend() {
        assert_eq!(births(&[3, 5, 9], u64::MAX), (vec![3, 5, 9], 3));
        assert_eq!(births(&[3, 50, 9, 60], u64::MAX), (vec![3, 9, 60], 3));
        assert_eq!(births(&[3, 9, 60], 12), (vec![3, 9], 3));
        assert_eq!(births(&[], 12), (vec![], 12));
    }
}
