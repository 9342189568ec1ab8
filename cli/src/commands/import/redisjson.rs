//! The keys that hold documents of RedisJSON, on this server or another one.

use std::collections::VecDeque;

use folio::Folio;
use redis::aio::MultiplexedConnection;
use redis::{Pipeline, RedisError, Value, cmd};
use tokio::sync::mpsc::Sender;

use super::batch::Batch;
use super::command::{self, Mode, Ttl};
use super::ids::Ids;
use super::read::Fed;
use super::target::Target;
use crate::context::Context;
use crate::outcome::Failure;

/// The name by which the server knows the type.
const TYPE: &str = "ReJSON-RL";

/// Keys of another server that fit a pattern.
pub struct Keys {
    connection: MultiplexedConnection,
    pattern: String,
    /// What all keys begin with that fit the pattern: the rest of a key is the id.
    prefix: String,
}

impl Keys {
    /// Fails if the server does not know RedisJSON.
    pub async fn connect(
        context: &Context,
        url: Option<&str>,
        pattern: &str,
    ) -> Result<Self, Failure> {
        let mut connection = match url {
            Some(url) => Folio::builder(url).lazy()?.redis().await?,
            None => context.db.redis().await?,
        };
        let prefix = fixed_prefix(pattern);
        let asked: Result<Value, RedisError> =
            cmd("JSON.GET").arg(&prefix).arg(".").query_async(&mut connection).await;
        if let Err(error) = asked {
            let told = error.to_string();
            if told.to_ascii_lowercase().contains("unknown command") {
                let why = "the source does not know JSON.GET: RedisJSON is not loaded there";
                return Err(Failure::Data(why.into()));
            }
            if error.is_io_error() {
                return Err(failed(&error));
            }
            // The name alone may well be a key of another type.
        }
        Ok(Self { connection, pattern: pattern.into(), prefix })
    }

    /// Reads all keys that fit, until there are no more or nobody listens.
    pub async fn read(
        mut self,
        target: Target,
        mode: Mode,
        batch: usize,
        feed: Sender<Result<Fed, Failure>>,
    ) {
        let mut cursor = 0_u64;
        let mut before = 0;
        loop {
            let page = match self.page(cursor, batch).await {
                Ok(page) => page,
                Err(error) => return drop(feed.send(Err(failed(&error))).await),
            };
            cursor = page.cursor;
            let mut gathered = Batch::of(0, before);
            for document in page.documents {
                before += 1;
                self.add(&mut gathered, before, document, (&target, mode));
            }
            gathered.is_last = cursor == 0;
            if feed.send(Ok(Fed::Batch(gathered))).await.is_err() || cursor == 0 {
                return;
            }
        }
    }

    /// Adds a key to a batch. One that has gone meanwhile is left out.
    fn add(&self, batch: &mut Batch, number: u64, document: Document, to: (&Target, Mode)) {
        let (target, mode) = to;
        let text = match document.text {
            Value::Nil => return,
            Value::BulkString(text) => text,
            Value::SimpleString(text) | Value::VerbatimString { text, .. } => text.into_bytes(),
            Value::ServerError(error) => {
                let why = format!("{} {}", error.code(), error.details().unwrap_or_default());
                return batch.refuse(number, document.key.into(), why);
            }
            _ => {
                return batch.refuse(
                    number,
                    document.key.into(),
                    "JSON the answer is no text".into(),
                );
            }
        };
        let id =
            std::str::from_utf8(&document.key).ok().and_then(|key| key.strip_prefix(&self.prefix));
        let written = match id {
            Some("") => Err("ID nothing of the key stands behind the pattern's beginning".into()),
            None => Err("ID the key is no UTF-8".into()),
            Some(id) => match std::str::from_utf8(&text) {
                Ok(text) => Ids::Server.identify(text).map(|_| {
                    let key = format!("{}{id}", target.prefix);
                    let command = command::set(mode, &key, text, document.ttl);
                    (key, command)
                }),
                Err(_) => Err("JSON no UTF-8".into()),
            },
        };
        match written {
            Ok((key, command)) => batch.send(number, document.key.into(), key, command),
            Err(why) => batch.refuse(number, document.key.into(), why),
        }
    }

    /// Some keys, and what they hold.
    async fn page(&mut self, cursor: u64, count: usize) -> Result<Page, RedisError> {
        let mut scan = cmd("SCAN");
        scan.arg(cursor).arg("MATCH").arg(&self.pattern).arg("COUNT").arg(count);
        scan.arg("TYPE").arg(TYPE);
        let (cursor, keys): (u64, Vec<Vec<u8>>) = scan.query_async(&mut self.connection).await?;
        if keys.is_empty() {
            return Ok(Page { cursor, documents: Vec::new() });
        }
        let mut asked = Pipeline::with_capacity(keys.len() * 2);
        for key in &keys {
            asked.cmd("JSON.GET").arg(key).arg(".").cmd("PTTL").arg(key);
        }
        let answers = self.connection.send_packed_commands(&asked, 0, asked.len()).await?;
        let mut answers = VecDeque::from(answers);
        let mut documents = Vec::with_capacity(keys.len());
        for key in keys {
            let (Some(text), Some(ttl)) = (answers.pop_front(), answers.pop_front()) else { break };
            let ttl = match ttl {
                Value::Int(left) if left >= 0 => Ttl::Milliseconds(left.unsigned_abs().max(1)),
                _ => Ttl::Declared,
            };
            documents.push(Document { key, text, ttl });
        }
        Ok(Page { cursor, documents })
    }
}

struct Page {
    cursor: u64,
    documents: Vec<Document>,
}

struct Document {
    key: Vec<u8>,
    text: Value,
    ttl: Ttl,
}

/// What a pattern of keys begins with, before its first special character.
fn fixed_prefix(pattern: &str) -> String {
    let mut prefix = String::new();
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        match character {
            '*' | '?' | '[' => break,
            '\\' => prefix.extend(characters.next()),
            _ => prefix.push(character),
        }
    }
    prefix
}

fn failed(error: &RedisError) -> Failure {
    let message = format!("the source: {error}").into();
    folio::Error::Connection { message, maybe_applied: false }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_begins_with_what_is_fixed() {
        for (pattern, prefix) in
            [("user:*", "user:"), ("user:?", "user:"), ("a\\*b*", "a*b"), ("[ab]", ""), ("k", "k")]
        {
            assert_eq!(fixed_prefix(pattern), prefix);
        }
    }
}
