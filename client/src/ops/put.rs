//! Writing documents as a whole.

use std::time::Duration;

use super::place::{Place, explained};
use crate::codec::encode;
use crate::command::Repeat;
use crate::define::IdStrategy;
use crate::{Command, Document, DocumentId, Error, Executor, Id, Operation, Result, Timestamp};

/// A write of a whole document, not yet carried out.
///
/// ```no_run
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::Document;
/// # use shop::Country;
/// # async fn example(db: folio::Folio, country: Country) -> folio::Result<()> {
/// let hour = std::time::Duration::from_secs(3_600);
/// let country = country.insert_op().expire_in(hour).run(&db).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a write does nothing until it is run"]
pub struct Put<T> {
    document: T,
    mode: Mode,
    ttl: Ttl,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Insert,
    Replace,
    Save,
}

#[derive(Debug, Clone, Copy)]
enum Ttl {
    OfCollection,
    In(u128),
    At(i64),
    Keep,
}

impl<T: Document> Put<T> {
    pub(crate) fn insert(document: T) -> Self {
        Self { document, mode: Mode::Insert, ttl: Ttl::OfCollection }
    }

    pub(crate) fn replace(document: T) -> Self {
        Self { document, mode: Mode::Replace, ttl: Ttl::OfCollection }
    }

    pub(crate) fn save(document: T) -> Self {
        Self { document, mode: Mode::Save, ttl: Ttl::OfCollection }
    }

    /// The document lapses after this time, to the millisecond, whatever the collection declares.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Country;
    /// # async fn example(db: folio::Folio, country: Country) -> folio::Result<()> {
    /// country.insert_op().expire_in(std::time::Duration::from_secs(60)).run(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn expire_in(self, time: Duration) -> Self {
        Self { ttl: Ttl::In(time.as_millis()), ..self }
    }

    /// The document lapses at this instant.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Country;
    /// # async fn example(db: folio::Folio, country: Country, end: folio::Timestamp) -> folio::Result<()> {
    /// country.insert_op().expire_at(end).run(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn expire_at(self, instant: Timestamp) -> Self {
        Self { ttl: Ttl::At(instant.as_millisecond()), ..self }
    }

    /// The document lapses when the one that it takes the place of would have.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Country;
    /// # async fn example(db: folio::Folio, country: Country) -> folio::Result<()> {
    /// country.save_op().keep_ttl().run(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn keep_ttl(self) -> Self {
        Self { ttl: Ttl::Keep, ..self }
    }

    /// Carries it out, and gives the document with its id and version.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Country;
    /// # async fn example(db: folio::Folio, country: Country) -> folio::Result<()> {
    /// let country = country.insert_op().run(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn run(self, db: &impl Executor) -> Result<T> {
        let Self { mut document, mode, ttl } = self;
        write(&mut document, mode, ttl, db).await?;
        Ok(document)
    }
}

/// Writes a document whether or not it is there.
pub(crate) async fn save<T: Document>(document: &mut T, db: &impl Executor) -> Result<()> {
    write(document, Mode::Save, Ttl::OfCollection, db).await
}

/// Hooks, an id if it is to be made here, rules: what goes before every write of a whole document.
pub(crate) fn prepare<T: Document>(document: &mut T) -> Result<String> {
    document.before_save()?;
    if document.document_id().to_text().is_empty() {
        let id = Id::<T>::new();
        if !id.is_unset()
            && let Some(id) = T::Id::from_text(id.as_str())
        {
            document.set_document_id(id);
        }
    }
    document.validate()?;
    encode(document)
}

async fn write<T: Document>(
    document: &mut T,
    mode: Mode,
    ttl: Ttl,
    db: &impl Executor,
) -> Result<()> {
    let text = prepare(document)?;
    let place = Place::of::<T>(db);
    let id = document.document_id().to_text().into_owned();
    if id.is_empty() {
        return match (mode, T::DEFINITION.ids) {
            (Mode::Insert | Mode::Save, IdStrategy::Sequence) => {
                numbered(document, &text, ttl, &place, db).await
            }
            _ => Err(Error::Usage("a document without an id".into())),
        };
    }
    let key = place.key(&id);
    let command = command(&key, &text, mode, ttl, document);
    let reply = db.execute(command).await;
    let reply = reply.map_err(|error| explained::<T>(error, Some(&text)))?;
    if reply.is_nil() {
        return Err(match mode {
            Mode::Replace => Error::NotFound { key: key.into() },
            _ => Error::AlreadyExists { key: key.into() },
        });
    }
    document.set_document_version(reply.to()?);
    document.forget_computed();
    Ok(())
}

fn command<T: Document>(key: &str, text: &str, mode: Mode, ttl: Ttl, document: &T) -> Command {
    let mut command = Command::write("DOC.SET").key(key).arg(text);
    let version = document.document_version();
    match mode {
        Mode::Insert => command = command.arg("NX").repeat(Repeat::Guarded),
        Mode::Replace => command.push("XX"),
        Mode::Save => {}
    }
    // At version 0 nothing may be there: what became of the document since is not known, and is not written over.
    if T::VERSION_NAME.is_some() && mode != Mode::Insert {
        command = command.arg(("IFVERSION", version)).repeat(Repeat::Guarded);
    }
    add_ttl(&mut command, ttl);
    command
}

fn add_ttl(command: &mut Command, ttl: Ttl) {
    match ttl {
        Ttl::OfCollection => {}
        Ttl::In(milliseconds) => command.push(("PX", milliseconds.to_string())),
        Ttl::At(instant) => command.push(("PXAT", instant)),
        Ttl::Keep => command.push("KEEPTTL"),
    }
}

/// Creates a document whose id is the server's next number. Its version is read back with it where the type has one:
/// should that fail, the document stands all the same, and a second call would make another.
async fn numbered<T: Document>(
    document: &mut T,
    text: &str,
    ttl: Ttl,
    place: &Place,
    db: &impl Executor,
) -> Result<()> {
    let mut command =
        Command::write("DOC.INSERT").arg(&*place.collection).arg((text, "WITHVERSION"));
    if !matches!(ttl, Ttl::Keep) {
        add_ttl(&mut command, ttl);
    }
    let reply = db.execute(command).await;
    let reply = reply.map_err(|error| explained::<T>(error, Some(text)))?;
    let (id, version): (String, u64) = reply.to()?;
    let Some(own) = T::Id::from_text(&id) else {
        return Err(Error::Reply(format!("{id} is no id of {}", place.collection).into()));
    };
    document.set_document_id(own);
    document.set_document_version(version);
    document.forget_computed();
    Ok(())
}

impl<T: Document> Operation for Put<T> {
    fn command<E: Executor>(mut self, on: &E) -> Result<Command> {
        let text = prepare(&mut self.document)?;
        let id = self.document.document_id().to_text().into_owned();
        if id.is_empty() {
            return Err(Error::Usage("in a transaction a document needs an id of its own".into()));
        }
        let key = Place::of::<T>(on).key(&id);
        Ok(command(&key, &text, self.mode, self.ttl, &self.document))
    }
}
