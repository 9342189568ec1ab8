//! Reads inputs and makes commands of them, on a thread of its own.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::sync::mpsc::Sender;

use super::batch::Batch;
use super::command::{self, Command, Mode, Ttl};
use super::ids::Ids;
use super::mongo;
use super::source::{self, Document, Format, Piece, Reading, Text};
use super::target::Target;
use crate::outcome::Failure;

/// What is handed to whoever sends.
pub enum Fed {
    Batch(Batch),
    /// Something to tell the user.
    Note(String),
}

/// How inputs are read.
pub struct Plan {
    pub files: Vec<PathBuf>,
    pub format: Option<Format>,
    pub keeps_strings: bool,
    pub is_mongo: bool,
    /// Where ids come from; the first document decides if nobody has said it.
    pub ids: Option<Ids>,
    pub target: Target,
    pub mode: Mode,
    pub ttl: Ttl,
    /// Commands that are sent together.
    pub batch: usize,
    /// Where to begin: an input, and how many of its lines are passed over.
    pub from: (usize, u64),
    /// Bytes read so far.
    pub taken: Arc<AtomicU64>,
}

/// Nobody wants to hear more.
struct Gone;

impl Plan {
    /// Reads all inputs, until they end or nobody listens.
    pub fn read(&self, feed: &Sender<Result<Fed, Failure>>) {
        for (number, path) in self.files.iter().enumerate().skip(self.from.0) {
            let reading = Input { plan: self, feed, number, path, ids: self.ids.clone() };
            if reading.read().is_err() {
                return;
            }
        }
    }
}

/// An input that is being read.
struct Input<'a> {
    plan: &'a Plan,
    feed: &'a Sender<Result<Fed, Failure>>,
    number: usize,
    path: &'a Path,
    ids: Option<Ids>,
}

impl Input<'_> {
    fn read(mut self) -> Result<(), Gone> {
        let plan = self.plan;
        let reading = Reading {
            format: plan.format,
            keeps_strings: plan.keeps_strings,
            target: &plan.target,
        };
        let mut source = match source::open(self.path, &reading, &plan.taken) {
            Ok(source) => source,
            Err(error) => return self.hand(Err(Failure::file(self.path, error))),
        };
        let passed_over = if self.number == plan.from.0 { plan.from.1 } else { 0 };
        let mut count = 0;
        let mut batch = Batch::of(self.number, passed_over);
        loop {
            let added = match source.next() {
                Ok(Some(piece)) => self.add(piece, count >= passed_over, &mut batch),
                Ok(None) => break,
                Err(error) => Err(Failure::file(self.path, error)),
            };
            if let Err(failure) = added {
                // What was read before it is whole.
                self.hand(Ok(Fed::Batch(batch)))?;
                self.hand(Err(failure))?;
                return Err(Gone);
            }
            count += 1;
            if batch.is_full(plan.batch) {
                self.hand(Ok(Fed::Batch(batch)))?;
                batch = Batch::of(self.number, count);
            }
        }
        batch.is_last = true;
        self.hand(Ok(Fed::Batch(batch)))
    }

    fn hand(&self, fed: Result<Fed, Failure>) -> Result<(), Gone> {
        self.feed.blocking_send(fed).map_err(|_| Gone)
    }

    /// Adds a line. One that was loaded before may still decide where ids come from.
    fn add(&mut self, piece: Piece, is_new: bool, batch: &mut Batch) -> Result<(), Failure> {
        let Piece { line, text, document } = piece;
        let made = match text_of(self.plan.is_mongo, &text, &document) {
            Ok(document) => self.command(&document)?,
            Err(why) => Err(why),
        };
        if is_new {
            match made {
                Ok((key, command)) => batch.send(line, text, key, command),
                Err(why) => batch.refuse(line, text, why),
            }
        }
        Ok(())
    }

    /// The key of a document, and the command that writes it.
    fn command(&mut self, text: &str) -> Result<Result<(String, Command), String>, Failure> {
        if self.ids.is_none() && Ids::Server.identify(text).is_ok() {
            self.ids = Some(self.chosen(text)?);
        }
        let identified = self.ids.as_ref().unwrap_or(&Ids::Server).identify(text);
        let Plan { target, mode, ttl, .. } = self.plan;
        Ok(identified.map(|found| match found.id {
            Some(id) => {
                let key = format!("{}{id}", target.prefix);
                let command = command::set(*mode, &key, &found.document, *ttl);
                (key, command)
            }
            None => (String::new(), command::insert(&target.collection, &found.document, *ttl)),
        }))
    }

    /// Where the first document suggests to take ids from.
    fn chosen(&self, text: &str) -> Result<Ids, Failure> {
        let path = source::called(self.path);
        let (ids, told) = match Ids::of_first(text) {
            Some((ids, name)) => (ids, format!("ids are taken from `{name}`")),
            None if self.plan.target.is_declared => {
                (Ids::Server, "documents have neither `_id` nor `id`: the server makes ids".into())
            }
            None => {
                return Err(Failure::Usage(format!(
                    "{path}: the first document has neither `_id` nor `id`: --id names the field \
                     that is its id, --server-ids lets the server make them"
                )));
            }
        };
        let _ = self.hand(Ok(Fed::Note(format!("{path}: {told}"))));
        Ok(ids)
    }
}

/// The text of a document, before its id is looked for.
pub fn text_of<'t>(
    is_mongo: bool,
    text: &'t Text,
    document: &'t Document,
) -> Result<Cow<'t, str>, String> {
    let text: &[u8] = match (document, text) {
        (Document::Made(text), _) | (Document::AsWritten, Text::AsWritten(text)) => text,
        (Document::AsWritten, Text::Record(..)) => return Err("CSV a record is no JSON".into()),
        (Document::Bad(why), _) => return Err(why.clone()),
    };
    let text = std::str::from_utf8(text)
        .map_err(|error| format!("JSON no UTF-8 at byte {}", error.valid_up_to()))?;
    if is_mongo { mongo::plain(text).map(Into::into) } else { Ok(text.into()) }
}
