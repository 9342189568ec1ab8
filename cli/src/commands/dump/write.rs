//! Documents on their way to a server: in pipelines, and in the order of the file, which is that of their births.

use std::time::Duration;

use jiff::Timestamp;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, Pipeline, RedisError, Value, cmd};
use serde_json::json;

use super::format::{Document, Key};
use crate::context::Context;
use crate::outcome::Failure;

/// Documents that are sent together, unless they are large.
const DOCUMENTS: usize = 256;
/// What is sent together at most, but for one document that is longer.
const BYTES_MAX: usize = 8 << 20;
/// So many refusals are kept to be told.
const REFUSALS_MAX: usize = 10;

/// What became of the documents.
#[derive(Debug, Default)]
pub struct Account {
    pub restored: u64,
    /// Their time was over already.
    pub lapsed: u64,
    pub refused: u64,
    /// Some keys with what the server said.
    pub refusals: Vec<(String, String)>,
}

/// How the documents of a collection are written.
#[derive(Clone, Copy, Debug)]
pub struct How {
    /// By DOC.SET, as a program does.
    pub as_writes: bool,
    /// Whether the collection gives documents a TTL that have none.
    pub has_ttl: bool,
}

/// Writes documents.
pub struct Writes {
    connection: MultiplexedConnection,
    pub account: Account,
    batch: Batch,
}

/// Documents that are sent together.
#[derive(Default)]
struct Batch {
    pipeline: Pipeline,
    /// Of each command the place of its document among the keys.
    owners: Vec<usize>,
    keys: Vec<Key>,
    bytes: usize,
}

impl Writes {
    pub async fn connect(context: &Context) -> Result<Self, Failure> {
        let mut connection = context.db.redis().await?;
        connection.set_response_timeout(Duration::from_secs(context.options.timeout));
        Ok(Self { connection, account: Account::default(), batch: Batch::default() })
    }

    /// Writes a document, together with others.
    pub async fn add(&mut self, document: Document, how: How) -> Result<(), Failure> {
        let now = Timestamp::now().as_millisecond();
        if document.expires.is_some_and(|at| at <= now) {
            self.account.lapsed += 1;
            return Ok(());
        }
        let Some(key) = document.key.bytes() else { return Ok(()) };
        if how.as_writes {
            self.batch.set(&key, &document, how.has_ttl, now);
        } else {
            self.batch.apply(&key, &document);
        }
        self.batch.bytes += document.json.get().len();
        self.batch.keys.push(document.key);
        if self.batch.keys.len() == DOCUMENTS || self.batch.bytes >= BYTES_MAX {
            self.flush(how).await?;
        }
        Ok(())
    }

    /// Waits until all are written.
    pub async fn flush(&mut self, how: How) -> Result<(), Failure> {
        let batch = std::mem::take(&mut self.batch);
        let count = batch.pipeline.len();
        if count == 0 {
            return Ok(());
        }
        let answers = self.connection.send_packed_commands(&batch.pipeline, 0, count).await;
        let answers = answers.map_err(|error| lost(&error))?;
        let (mut refused, mut last_refused) = (0, None);
        for (answer, owner) in answers.into_iter().zip(batch.owners) {
            let Value::ServerError(error) = answer else { continue };
            let told = format!("{} {}", error.code(), error.details().unwrap_or_default());
            if error.code() == "NOPERM" && !how.as_writes {
                let what = format!(
                    "{told}; versions and times are for administrators, --as-writes restores without them"
                );
                return Err(Failure::Data(what));
            }
            // The first answer says why; what was to follow had nothing to work on.
            if last_refused != Some(owner) {
                self.account.refuse(&batch.keys[owner], told);
                refused += 1;
            }
            last_refused = Some(owner);
        }
        self.account.restored += batch.keys.len() as u64 - refused;
        Ok(())
    }
}

impl Account {
    fn refuse(&mut self, key: &Key, error: String) {
        self.refused += 1;
        if self.refusals.len() < REFUSALS_MAX {
            self.refusals.push((key.shown(), error));
        }
    }
}

impl Batch {
    fn push(&mut self, command: Cmd) {
        self.pipeline.add_command(command);
        self.owners.push(self.keys.len());
    }

    /// Puts a document as it was, with its numbers and times.
    fn apply(&mut self, key: &[u8], document: &Document) {
        let Document { version, seq, schema, created, updated, .. } = document;
        let expires = document.expires.unwrap_or(-1);
        let numbers = format!("{version},{seq},{created},{updated},{expires},{schema}");
        let mut command = cmd("DOC._APPLY");
        command.arg(key).arg(numbers).arg(document.json.get());
        if document.deleted.is_some() {
            command.arg("DELETED");
        }
        if !document.path_expires.is_empty() {
            command.arg("TIMED").arg(json!(document.path_expires).to_string());
        }
        self.push(command);
    }

    /// Writes a document as a program does.
    fn set(&mut self, key: &[u8], document: &Document, has_ttl: bool, now: i64) {
        let mut command = cmd("DOC.SET");
        command.arg(key).arg(document.json.get());
        if let Some(at) = document.expires {
            command.arg("PXAT").arg(at);
        }
        self.push(command);
        if document.expires.is_none() && has_ttl {
            let mut command = cmd("PERSIST");
            command.arg(key);
            self.push(command);
        }
        let left = document.path_expires.iter().filter(|(_, at)| **at > now);
        let left: Vec<(&String, i64)> = left.map(|(path, at)| (path, at - now)).collect();
        if !left.is_empty() {
            let mut command = cmd("DOC.UPDATE");
            command.arg(key);
            for (path, milliseconds) in left {
                command.arg("PTTL").arg(path).arg(milliseconds);
            }
            self.push(command);
        }
        if document.deleted.is_some() {
            let mut command = cmd("DOC.DEL");
            command.arg(key).arg("SOFT");
            self.push(command);
        }
    }
}

/// What the transport says, in the client's words.
fn lost(error: &RedisError) -> Failure {
    if error.is_timeout() {
        return folio::Error::Timeout { maybe_applied: true }.into();
    }
    let message = error.to_string().into();
    folio::Error::Connection { message, maybe_applied: true }.into()
}
