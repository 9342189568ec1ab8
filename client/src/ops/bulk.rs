//! Many documents at once.

use std::collections::HashSet;

use futures_util::future::join;

use super::place::{Place, explained};
use super::put::prepare;
use crate::command::Repeat;
use crate::{Command, Document, DocumentId, Error, Executor, Reply, Result};

/// How many documents one command creates where nothing is said.
const CHUNK: usize = 500;
/// The most operations of one command.
const CHUNK_MAX: usize = 10_000;

/// The creation of many documents; [`Document::insert_many`] begins it.
///
/// ```no_run
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::Document;
/// # use shop::Country;
/// # async fn example(db: folio::Folio, countries: Vec<Country>) -> folio::Result<()> {
/// let report = Country::insert_many(countries).chunk(1_000).run(&db).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a write does nothing until it is run"]
pub struct InsertMany<T> {
    documents: Vec<T>,
    chunk: usize,
}

/// What became of each document, by its place among those that were given.
///
/// ```no_run
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::Document;
/// # use shop::Country;
/// # async fn example(db: folio::Folio, countries: Vec<Country>) -> folio::Result<()> {
/// let report = Country::insert_many(countries).run(&db).await?;
/// for (at, error) in &report.errors {
///     println!("no. {at} was refused: {error}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct InsertReport<I> {
    /// The ids, in the order given. A document that was refused has the id that it came with or was given here.
    pub ids: Vec<I>,
    /// The versions, in the order given; `None` of those that were refused.
    pub versions: Vec<Option<u64>>,
    /// What was refused, and why.
    pub errors: Vec<(usize, Error)>,
}

impl<I> InsertReport<I> {
    /// How many documents were written.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Country;
    /// # async fn example(db: folio::Folio, countries: Vec<Country>) -> folio::Result<()> {
    /// let count = countries.len();
    /// assert_eq!(Country::insert_many(countries).run(&db).await?.written(), count);
    /// # Ok(())
    /// # }
    /// ```
    pub fn written(&self) -> usize {
        self.versions.iter().flatten().count()
    }
}

impl<I> InsertReport<I> {
    fn note(&mut self, outcomes: Vec<Outcome>) {
        for (at, outcome) in outcomes {
            match outcome {
                Ok(version) => self.versions[at] = Some(version),
                Err(error) => self.errors.push((at, error)),
            }
        }
    }

    /// Tells an error of the way to the server at the documents that it befell, and at those behind, which are not sent.
    fn stop(&mut self, error: &Error, under_way: &[Ready], behind: &[Ready]) {
        let message: Box<str> = match error {
            Error::Connection { message, .. } => message.clone(),
            error => error.to_string().into(),
        };
        let told = |(at, ..): &Ready, maybe_applied| {
            (*at, Error::Connection { message: message.clone(), maybe_applied })
        };
        let is_written = |(at, ..): &&Ready| self.versions[*at].is_some();
        let is_told = |(at, ..): &&Ready| self.errors.iter().any(|(told, _)| told == at);
        let open = under_way.iter().filter(|it| !is_written(it) && !is_told(it));
        let mut errors: Vec<_> = open.map(|it| told(it, error.is_ambiguous())).collect();
        errors.extend(behind.iter().map(|it| told(it, false)));
        self.errors.append(&mut errors);
    }
}

impl<T: Document> InsertMany<T> {
    pub(crate) fn new(documents: Vec<T>) -> Self {
        Self { documents, chunk: CHUNK }
    }

    /// How many documents one command creates: 500 where nothing is said, 10,000 at most. Others wait meanwhile.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Country;
    /// # async fn example(db: folio::Folio, countries: Vec<Country>) -> folio::Result<()> {
    /// Country::insert_many(countries).chunk(2_000).run(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn chunk(self, documents: usize) -> Self {
        Self { chunk: documents.clamp(1, CHUNK_MAX), ..self }
    }

    /// Creates the documents, each for itself: one that is refused is told in the report and keeps no other from being
    /// written. Hooks and rules are those of [`Document::insert`].
    ///
    /// An error of the whole call is one of the way to the server before a document was known to be written; if it is
    /// [ambiguous](Error::is_ambiguous), some may have been. Once one is written such an error stands in the report, at
    /// each document of its chunk and of those behind, which are not sent.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Country;
    /// # async fn example(db: folio::Folio, countries: Vec<Country>) -> folio::Result<()> {
    /// let report = Country::insert_many(countries).run(&db).await?;
    /// assert!(report.errors.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn run(self, db: &impl Executor) -> Result<InsertReport<T::Id>> {
        let place = Place::of::<T>(db);
        let count = self.documents.len();
        let mut report = InsertReport {
            ids: Vec::with_capacity(count),
            versions: vec![None; count],
            errors: Vec::new(),
        };
        let mut documents = self.documents.into_iter().enumerate();
        let mut part = ready(&mut documents, self.chunk, &place, &mut report);
        while !part.is_empty() {
            // While the server works on one chunk the next is made.
            let next = async { ready(&mut documents, self.chunk, &place, &mut report) };
            let (outcomes, next) = join(write::<T>(&part, db), next).await;
            match outcomes {
                Ok(outcomes) => report.note(outcomes),
                Err(error) if report.written() == 0 => return Err(error),
                Err(error) => {
                    let mut behind = next;
                    behind.extend(ready(&mut documents, usize::MAX, &place, &mut report));
                    report.stop(&error, &part, &behind);
                    break;
                }
            }
            part = next;
        }
        report.errors.sort_by_key(|(at, _)| *at);
        Ok(report)
    }
}

/// A document's place, key and text.
type Ready = (usize, String, String);

/// The next documents that can be sent, `most` of them. The others are told in the report.
fn ready<T: Document>(
    documents: &mut impl Iterator<Item = (usize, T)>,
    most: usize,
    place: &Place,
    report: &mut InsertReport<T::Id>,
) -> Vec<Ready> {
    let mut ready = Vec::new();
    while ready.len() < most
        && let Some((at, mut document)) = documents.next()
    {
        match prepare(&mut document) {
            Ok(_) if document.document_id().to_text().is_empty() => {
                let what = "a document without an id; those whose ids the server counts are inserted one by one";
                report.errors.push((at, Error::Usage(what.into())));
            }
            Ok(text) => ready.push((at, place.key(&document.document_id().to_text()), text)),
            Err(error) => report.errors.push((at, error)),
        }
        report.ids.push(document.document_id().clone());
    }
    ready
}

/// What became of a document: its version.
type Outcome = (usize, Result<u64>);

/// Creates a chunk by one command; where that is refused, each document by its own.
async fn write<T: Document>(part: &[Ready], db: &impl Executor) -> Result<Vec<Outcome>> {
    let mut keys = HashSet::with_capacity(part.len());
    // Of a key that comes twice one command would write the last document alone.
    if part.iter().all(|(_, key, _)| keys.insert(key.as_str())) {
        let mut command = Command::write("DOC.MSETNX").repeat(Repeat::Guarded);
        for (_, key, text) in part {
            command = command.key(key).arg(text.as_str());
        }
        match db.execute(command).await {
            Ok(versions) => {
                let versions = versions.list()?.into_iter();
                let places = part.iter().map(|(at, ..)| *at);
                return Ok(places.zip(versions.map(Reply::to)).collect());
            }
            Err(error) if error.code().is_none() || error.is_retryable() => return Err(error),
            Err(_) => {}
        }
    }
    let commands = part.iter().map(|(_, key, text)| {
        Command::write("DOC.SET").key(key).arg((text.as_str(), "NX")).repeat(Repeat::Guarded)
    });
    let replies = db.execute_all(commands.collect()).await?;
    let outcomes = part.iter().zip(replies).map(|((at, key, text), reply)| {
        let version = match reply {
            Ok(reply) if reply.is_nil() => Err(Error::AlreadyExists { key: key.as_str().into() }),
            Ok(reply) => reply.to(),
            Err(error) => Err(explained::<T>(error, Some(text))),
        };
        (*at, version)
    });
    Ok(outcomes.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_breaks_behind_a_written_chunk_is_told_at_each_document() {
        let ready: Vec<Ready> = (0..4).map(|at| (at, format!("k:{at}"), "{}".into())).collect();
        let mut report =
            InsertReport { ids: vec![(); 4], versions: vec![None; 4], errors: Vec::new() };
        report.versions[0] = Some(1);
        let error = Error::Connection { message: "broken".into(), maybe_applied: true };
        report.stop(&error, &ready[1..3], &ready[3..]);
        let told: Vec<_> = report.errors.iter().map(|(at, it)| (*at, it.is_ambiguous())).collect();
        assert_eq!(told, [(1, true), (2, true), (3, false)]);
        assert_eq!(report.written(), 1);
    }
}
