//! Walks over all documents of a collection.
//!
//! A batch and the position behind it are written in one `DOC.TXN`, in which each document is expected to have the
//! version that it was read with. So each is changed exactly once, whenever the program ends. The order is that of
//! birth, which no write changes.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::ledger::Position;
use super::step::{Book, Step};
use crate::change::Change;
use crate::command::Repeat;
use crate::ops::{Place, Tracked, differences};
use crate::reply::{Found, Row};
use crate::transaction::Part;
use crate::{Command, Condition, Document, Error, Executor, Folio, Result, reply};

/// How many documents a batch has where nothing is said.
const BATCH: u64 = 500;
/// What one command can take, with room for what stands beside the documents.
const BATCH_MAX: u64 = 5_000;
/// How often a single document is tried that others write meanwhile.
const TRIES: u32 = 100;
/// How long one waits before it is tried again.
const PAUSE: Duration = Duration::from_millis(5);

/// What is made of a document: the operations of an update, none if it stays.
type Edit<'c> = dyn FnMut(&Row) -> Result<Vec<Change<()>>> + Send + 'c;

/// A walk over documents as JSON; [`Step::each`] begins it.
///
/// The closure may be called several times for a document: when it has changed meanwhile, or when a smaller batch is
/// tried because the server has refused one.
///
/// ```
/// # async fn example(step: folio::migrate::Step) -> folio::Result<()> {
/// let changed = step
///     .each("shop.users")
///     .change(|user| {
///         user["active"] = true.into();
///         Ok(())
///     })
///     .await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "no document is changed yet"]
pub struct Each<'s> {
    step: &'s Step,
    walk: Walk,
}

/// A walk over documents of a type; [`Step::each_of`] begins it.
///
/// ```
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use shop::User;
/// # async fn example(step: folio::migrate::Step) -> folio::Result<()> {
/// step.each_of::<User>(())
///     .change(|user| {
///         user.tags.sort();
///         Ok(())
///     })
///     .await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "no document is changed yet"]
pub struct EachOf<'s, T> {
    step: &'s Step,
    walk: Result<Walk>,
    place: Place,
    model: PhantomData<fn() -> T>,
}

/// Which documents, and how many at a time.
struct Walk {
    collection: String,
    filter: Option<Vec<u8>>,
    params: Vec<(String, String)>,
    batch: u64,
}

impl Step {
    /// Begins a walk over all documents of a collection, in the order of their births. Those that are born meanwhile
    /// come at the end; those that are marked as deleted do not come.
    ///
    /// ```
    /// # async fn example(step: folio::migrate::Step) -> folio::Result<()> {
    /// step.each("shop.users").filter("age < $age").param("age", 18)?.change(|user| {
    ///     user["tags"] = serde_json::json!(["child"]);
    ///     Ok(())
    /// }).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn each(&self, collection: &str) -> Each<'_> {
        let collection = self.named(collection).into_owned();
        Each {
            step: self,
            walk: Walk { collection, filter: None, params: Vec::new(), batch: BATCH },
        }
    }

    /// Begins a walk over the documents of a type that a filter holds of; `()` is over all.
    ///
    /// A migration outlives the type that it is written for. Where that may change, [`each`](Step::each) is safer.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// # async fn example(step: folio::migrate::Step) -> folio::Result<()> {
    /// step.each_of::<User>(User::age().lt(18)).change(|user| {
    ///     user.active = false;
    ///     Ok(())
    /// }).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn each_of<T: Document>(&self, condition: impl Condition<T>) -> EachOf<'_, T> {
        let place = Place::of::<T>(self);
        let collection = place.collection.clone().into_owned();
        let filter = condition.into_filter().map(|filter| filter.to_bytes()).transpose();
        let walk =
            filter.map(|filter| Walk { collection, filter, params: Vec::new(), batch: BATCH });
        EachOf { step: self, walk, place, model: PhantomData }
    }

    /// Renames a path in all documents of a collection that have it, and gives how many those were. The paths are those of
    /// updates, without `[*]`. What is declared of either is [`alter`](Step::alter)'s; in a strict collection both have
    /// to be meanwhile.
    ///
    /// ```
    /// # async fn example(step: folio::migrate::Step) -> folio::Result<()> {
    /// step.alter("shop.users").drop_field("nick").run().await?;
    /// step.rename("shop.users", "nick", "profile.nickname").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn rename(&self, collection: &str, from: &str, to: &str) -> Result<u64> {
        let each = self.each(collection).filter(&format!("{from} IS NOT MISSING"));
        self.go(&each.walk, &mut |_| Ok(vec![Change::rename_path(from, to)])).await
    }

    async fn go(&self, walk: &Walk, edit: &mut Edit<'_>) -> Result<u64> {
        let Some(mut book) = self.enter().await? else { return Ok(0) };
        let mut at = book.ledger.running()?.at.clone();
        if at.total.is_none() {
            at.total = Some(walk.count(self.db()).await?);
            book.ledger.advance(at, &[]).await?;
        }
        let mut most = walk.batch;
        let mut tries = 0;
        loop {
            let at = book.ledger.running()?.at.clone();
            let found = walk.page(most, at.cursor.as_deref(), self.db()).await?;
            let rows = found.rows.len() as u64;
            match self.batch(&mut book, found, at, edit).await? {
                Batch::Done(at) => {
                    self.tell(&walk.collection, at.done, at.total.unwrap_or_default());
                    if at.cursor.is_none() {
                        return Ok(at.changed);
                    }
                    most = walk.batch.min(most * 2);
                    tries = 0;
                }
                Batch::Again => {}
                Batch::Smaller(rows) => most = rows,
                Batch::Changed(_) if rows > 1 => most = rows / 2,
                Batch::Changed(_) if tries < TRIES => {
                    tries += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                Batch::Changed(error) => return Err(error),
            }
        }
    }

    /// Changes the documents of a batch, all or none.
    async fn batch(
        &self,
        book: &mut Book,
        found: Found,
        mut at: Position,
        edit: &mut Edit<'_>,
    ) -> Result<Batch> {
        let Found { rows, cursor, .. } = found;
        let mut parts = Vec::new();
        for (place, row) in rows.iter().enumerate() {
            match edit(row).and_then(|changes| update(row, &changes)) {
                Ok(update) => {
                    at.changed += u64::from(!update.is_empty());
                    parts.extend(update);
                }
                Err(error) if self.is_dry_run() => {
                    book.tried.failed(self.failed(Some(&row.key), error));
                }
                Err(error) if place == 0 => return Err(self.failed(Some(&row.key), error)),
                // What stands before it is changed first.
                Err(_) => return Ok(Batch::Smaller(place as u64)),
            }
        }
        at.done += rows.len() as u64;
        at.cursor = cursor;
        let written = match at.cursor {
            Some(_) => book.ledger.advance(at.clone(), &parts).await,
            None => book.ledger.end_part(&parts).await,
        };
        match written {
            Ok(()) => {
                if at.cursor.is_none() {
                    book.tried.add(&at);
                }
                Ok(Batch::Done(at))
            }
            Err(error) if error.is_ambiguous() || is_conflict(&error) => {
                self.look(book, &rows, at, error).await
            }
            Err(error) => self.refused(&rows, error),
        }
    }

    /// What became of a batch whose answer was lost, or that meets what somebody else has written. That may be this run
    /// itself, whose command has come late. The position tells: it was written with the batch, or neither was.
    async fn look(
        &self,
        book: &mut Book,
        rows: &[Row],
        at: Position,
        error: Error,
    ) -> Result<Batch> {
        let before = book.ledger.state.clone();
        book.ledger.reload().await?;
        let key = rows.first().map(|row| row.key.as_str());
        if book.ledger.running()?.parts > before.running.map_or(0, |running| running.parts) {
            // The part is over, whatever has come behind its last page meanwhile.
            return Ok(Batch::Done(Position { cursor: None, ..at }));
        }
        Ok(if is_conflict(&error) { Batch::Changed(self.failed(key, error)) } else { Batch::Again })
    }

    /// What is to be done about a batch that the server has refused.
    fn refused(&self, rows: &[Row], error: Error) -> Result<Batch> {
        let key = rows.first().map(|row| row.key.as_str());
        match error {
            // What has nothing to do with any document.
            error
                if error.is_retryable()
                    || matches!(
                        error.code(),
                        None | Some("OOM" | "NOPERM" | "MISCONF" | "NOREPLICAS")
                    ) =>
            {
                Err(error)
            }
            _ if rows.len() > 1 => Ok(Batch::Smaller(rows.len() as u64 / 2)),
            error => Err(self.failed(key, error)),
        }
    }
}

fn is_conflict(error: &Error) -> bool {
    matches!(error, Error::VersionConflict { .. })
}

/// What came of a batch.
enum Batch {
    /// It is written, and this is how far the walk is.
    Done(Position),
    /// Whether it was written is not known: the position tells.
    Again,
    /// The next one is to have so many documents at most.
    Smaller(u64),
    /// Somebody else has changed one of them.
    Changed(Error),
}

impl Walk {
    fn command(&self, name: &str) -> Command {
        let mut command = Command::read(name).arg(&self.collection);
        if let Some(filter) = &self.filter {
            command.push(("WHERE", filter.as_slice()));
        }
        if !self.params.is_empty() {
            command.push(("PARAMS", self.params.len()));
            for (name, json) in &self.params {
                command.push((name, json));
            }
        }
        command
    }

    async fn page(&self, rows: u64, after: Option<&str>, db: &Folio) -> Result<Found> {
        let mut command = self.command("DOC.FIND").arg(("LIMIT", 0, rows));
        if let Some(cursor) = after {
            command.push(("AFTER", cursor));
        }
        match db.execute(command.arg(("WITHVERSION", "SCAN"))).await {
            Err(error) if error.code() == Some("NOCOLLECTION") => Ok(Found::default()),
            found => found?.rows(),
        }
    }

    async fn count(&self, db: &Folio) -> Result<u64> {
        match db.execute(self.command("DOC.COUNT").arg("SCAN")).await {
            Err(error) if error.code() == Some("NOCOLLECTION") => Ok(0),
            count => count?.to(),
        }
    }
}

/// The update of a document as it was read; nothing where nothing is changed.
fn update(row: &Row, changes: &[Change<()>]) -> Result<Vec<Part>> {
    if changes.is_empty() {
        return Ok(Vec::new());
    }
    let version = row.version.unwrap_or_default();
    let mut command = Command::write("DOC.UPDATE").key(&row.key).arg(("IFVERSION", version));
    crate::change::add(&mut command, changes)?;
    Part::of(&command.repeat(Repeat::Guarded))
}

/// The text of a document.
fn text(document: &impl Serialize) -> Result<String> {
    let text = serde_json::to_string(document).map_err(Error::Encode)?;
    if text.starts_with('{') {
        return Ok(text);
    }
    Err(Error::Usage("a document is an object".into()))
}

impl Each<'_> {
    /// Only documents that this filter holds of.
    ///
    /// ```
    /// # fn example(step: folio::migrate::Step) {
    /// let each = step.each("shop.users").filter("age >= 18");
    /// # }
    /// ```
    pub fn filter(mut self, filter: &str) -> Self {
        self.walk.filter = (!filter.trim().is_empty()).then(|| filter.into());
        self
    }

    /// Gives the value of the filter's parameter `$name`. A run that goes on has to give the same.
    ///
    /// ```
    /// # fn example(step: folio::migrate::Step) -> folio::Result<()> {
    /// let each = step.each("shop.users").filter("age >= $age").param("age", 18)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn param(mut self, name: &str, value: impl Serialize) -> Result<Self> {
        let json = serde_json::to_string(&value).map_err(Error::Encode)?;
        self.walk.params.push((name.into(), json));
        Ok(self)
    }

    /// How many documents are read and written at a time; 500 where nothing is said, 5,000 at most.
    ///
    /// ```
    /// # fn example(step: folio::migrate::Step) {
    /// let each = step.each("shop.users").batch(100);
    /// # }
    /// ```
    pub fn batch(mut self, documents: u64) -> Self {
        self.walk.batch = documents.clamp(1, BATCH_MAX);
        self
    }

    /// Changes each, and gives how many were changed; 0 if an earlier run did it all. Only what differs is written.
    ///
    /// ```
    /// # async fn example(step: folio::migrate::Step) -> folio::Result<()> {
    /// step.each("shop.users").change(|user| {
    ///     user["visits"] = 0.into();
    ///     Ok(())
    /// }).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn change(
        self,
        mut change: impl FnMut(&mut Json) -> Result<()> + Send,
    ) -> Result<u64> {
        let edit = &mut |row: &Row| {
            let mut document: Json = reply::document(&row.key, &row.text)?;
            // Not the text as it was read: numbers that a `Value` rounds would differ without having been changed.
            let before = text(&document)?;
            change(&mut document)?;
            Ok(differences(&before, &text(&document)?))
        };
        self.step.go(&self.walk, edit).await
    }

    /// Makes another document of each: what it was is read as one type, and what it is to be is written as another. The
    /// types are serde's, and have neither id nor version.
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// #[derive(Deserialize)]
    /// struct Before {
    ///     name: String,
    /// }
    /// #[derive(Serialize)]
    /// struct After {
    ///     title: String,
    /// }
    ///
    /// # async fn example(step: folio::migrate::Step) -> folio::Result<()> {
    /// step.each("shop.books").map(|before: Before| Ok(After { title: before.name })).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn map<A: DeserializeOwned, B: Serialize>(
        self,
        mut map: impl FnMut(A) -> Result<B> + Send,
    ) -> Result<u64> {
        let edit = &mut |row: &Row| {
            let document = map(reply::document(&row.key, &row.text)?)?;
            Ok(differences(&String::from_utf8_lossy(&row.text), &text(&document)?))
        };
        self.step.go(&self.walk, edit).await
    }
}

impl<T: Document> EachOf<'_, T> {
    /// How many documents are read and written at a time; 500 where nothing is said, 5,000 at most.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # fn example(step: folio::migrate::Step) {
    /// let each = step.each_of::<shop::User>(()).batch(100);
    /// # }
    /// ```
    pub fn batch(mut self, documents: u64) -> Self {
        if let Ok(walk) = &mut self.walk {
            walk.batch = documents.clamp(1, BATCH_MAX);
        }
        self
    }

    /// Changes each, with the type's hooks and rules, and gives how many were changed. As of
    /// [`Tracked`](crate::Tracked), what differs is written and what the type does not know stays. What differs is told
    /// from what the type has read: to put into documents what the type reads by default, use [`Step::each`].
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # async fn example(step: folio::migrate::Step) -> folio::Result<()> {
    /// step.each_of::<shop::User>(()).change(|user| {
    ///     user.email.make_ascii_lowercase();
    ///     Ok(())
    /// }).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn change(self, mut change: impl FnMut(&mut T) -> Result<()> + Send) -> Result<u64> {
        let Self { step, walk, place, .. } = self;
        let edit = &mut |row: &Row| {
            let (id, version) = (place.id(&row.key), row.version.unwrap_or_default());
            let document = crate::codec::decode(&row.key, id, &row.text, version)?;
            let mut tracked = Tracked::<T>::new(id.into(), document, version)?;
            change(&mut tracked)?;
            tracked.prepare()
        };
        step.go(&walk?, edit).await
    }
}

impl fmt::Debug for Each<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Each").field("collection", &self.walk.collection).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for EachOf<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EachOf").field("collection", &self.place.collection).finish_non_exhaustive()
    }
}
