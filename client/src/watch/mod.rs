//! Change streams: every committed change of a collection, in order, with what was missed told as such.

mod entry;
mod reader;
mod selection;

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::filter::Node;
use crate::{Document, Error, Executor, Filter, Folio, Result, codec, reply};

pub use reader::Changes;
use selection::Selection;

/// How a document is read.
pub(crate) type Decode<T> = fn(&Found<'_>) -> Result<T>;

/// A document in an entry.
pub(crate) struct Found<'e> {
    pub(crate) key: &'e str,
    /// The key without the prefix.
    pub(crate) id: &'e str,
    pub(crate) text: &'e [u8],
    pub(crate) version: u64,
}

/// How documents are read, and how their keys begin.
#[derive(Debug, Clone)]
pub(crate) struct Reading<T> {
    pub(crate) decode: Decode<T>,
    pub(crate) prefix: String,
}

/// Begins to follow the changes of a collection that is declared with `CHANGES`.
///
/// ```no_run
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// use folio::watch::{Change, Watch};
///
/// let mut changes = Watch::<serde_json::Value>::of("users").open(&db).await?;
/// loop {
///     match changes.next().await? {
///         Change::Insert { event, after } => println!("{} is new: {after:?}", event.key),
///         Change::Gap { .. } => println!("something was missed: read all anew"),
///         other => println!("{other:?}"),
///     }
/// }
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing is followed until it is opened"]
pub struct Watch<T> {
    collection: String,
    start: Start,
    reading: Reading<T>,
    filter: Option<Node>,
    scan: bool,
}

/// Where following begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    Now,
    Oldest,
    After(Token),
}

impl<T: DeserializeOwned> Watch<T> {
    /// The changes of the collection of this name, whose documents are read as `T` where the stream has their texts.
    ///
    /// ```
    /// let watch = folio::watch::Watch::<serde_json::Value>::of("users");
    /// ```
    pub fn of(collection: &str) -> Self {
        let decode: Decode<T> = |found| reply::document(found.key, found.text);
        Self::new(collection, Reading { decode, prefix: format!("{collection}:") })
    }
}

impl<T: Document> Watch<T> {
    /// The changes of a type's collection.
    pub(crate) fn documents(filter: Option<Filter<T>>) -> Self {
        let decode: Decode<T> =
            |found| codec::decode(found.key, found.id, found.text, found.version);
        let prefix = T::DEFINITION.key_prefix();
        let watch = Self::new(T::DEFINITION.collection, Reading { decode, prefix });
        Self { filter: filter.map(Filter::into_node), ..watch }
    }
}

impl<T> Watch<T> {
    pub(crate) fn new(collection: &str, reading: Reading<T>) -> Self {
        let (collection, start) = (collection.into(), Start::Now);
        Self { collection, start, reading, filter: None, scan: false }
    }

    /// Goes on behind a change that was seen: its [token](Change::token) survives restarts of the program and of the
    /// server. What the stream has lost since is told as [`Change::Gap`].
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// use folio::watch::{Token, Watch};
    ///
    /// let token: Token = "41-0".parse()?;
    /// let mut changes = Watch::<serde_json::Value>::of("users").resume_after(token).open(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn resume_after(self, token: Token) -> Self {
        Self { start: Start::After(token), ..self }
    }

    /// Begins with the oldest change that the stream still holds, and not with the next one.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// use folio::watch::Watch;
    ///
    /// let mut changes = Watch::<serde_json::Value>::of("users").from_oldest().open(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_oldest(self) -> Self {
        Self { start: Start::Oldest, ..self }
    }

    /// Allows the server to read more documents than `folio.scan-max` where no index answers the filter: once, to find
    /// out who fits when the stream is opened.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let mut changes = User::watch(User::visits().gt(100)).allow_scan().open(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn allow_scan(self) -> Self {
        Self { scan: true, ..self }
    }

    /// Finds out where to begin. From here on no change is missed. Fails with [`Error::Usage`] if the collection does
    /// not tell its changes.
    ///
    /// Waiting for changes keeps a connection of the pool.
    ///
    /// ```no_run
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let mut changes = folio::watch::Watch::<serde_json::Value>::of("users").open(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn open(self, db: &Folio) -> Result<Changes<T>> {
        let collection = db.named(&self.collection).into_owned();
        let Reading { decode, prefix } = self.reading;
        let reading = Reading { decode, prefix: db.named(&prefix).into_owned() };
        let scan = self.scan;
        let selection = self.filter.map(|node| Selection::new(node, collection.clone(), scan));
        Changes::open(db.on_primary(), collection, self.start, reading, selection).await
    }
}

/// A place in a change stream, to go on from. As text, and as serde writes it, it is the id of an entry: `41-0`.
///
/// ```
/// use folio::watch::Token;
///
/// let token: Token = "41-0".parse()?;
/// assert_eq!(token.to_string(), "41-0");
/// # Ok::<(), folio::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Token {
    number: u64,
    /// Of the entries that others add between two changes.
    within: u64,
}

impl Token {
    const NONE: Self = Self { number: 0, within: 0 };
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.number, self.within)
    }
}

impl FromStr for Token {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parsed = text.split_once('-').and_then(|(number, within)| {
            Some(Self { number: number.parse().ok()?, within: within.parse().ok()? })
        });
        parsed.ok_or_else(|| Error::Usage(format!("'{text}' is no token of a change").into()))
    }
}

impl From<Token> for String {
    fn from(token: Token) -> Self {
        token.to_string()
    }
}

impl TryFrom<String> for Token {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

/// What is told of every change.
///
/// ```no_run
/// # async fn example(mut changes: folio::watch::Changes<serde_json::Value>) -> folio::Result<()> {
/// if let Some(event) = changes.next().await?.event() {
///     println!("{} is at version {} now", event.key, event.version);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// The key of the document; empty where all are gone.
    pub key: String,
    /// Its version now, or its last one where it was removed.
    pub version: u64,
    /// Why, where it was not a command on the document itself: `rename`, `move`, `copy`, `restore`, `overwrite`,
    /// `drop`, `soft`, `undelete`.
    pub cause: Option<String>,
    /// When it was committed, to the millisecond.
    pub time: SystemTime,
    /// To go on behind it.
    pub token: Token,
}

/// A change of a collection. Texts are there as the collection is declared: none with `KEYS`, the one after with
/// `AFTER`, both with `BOTH`.
///
/// ```no_run
/// # async fn example(mut changes: folio::watch::Changes<serde_json::Value>) -> folio::Result<()> {
/// use folio::watch::Change;
///
/// if let Change::Update { paths, before, after, .. } = changes.next().await? {
///     println!("{paths:?}: {before:?} became {after:?}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Change<T> {
    /// A document came: it was created, came back, or was brought here.
    Insert {
        /// Which, and when.
        event: Event,
        /// As it is.
        after: Option<T>,
    },
    /// A document changed.
    Update {
        /// Which, and when.
        event: Event,
        /// The places that differ, by stored names; `$` is the whole document.
        paths: Vec<String>,
        /// As it was.
        before: Option<T>,
        /// As it is.
        after: Option<T>,
    },
    /// A document changed, and the filter holds of it now: of a stream that has a filter.
    Enter {
        /// Which, and when.
        event: Event,
        /// As it was.
        before: Option<T>,
        /// As it is.
        after: Option<T>,
    },
    /// A document changed, and the filter does not hold of it any more: of a stream that has a filter.
    Leave {
        /// Which, and when.
        event: Event,
        /// As it was.
        before: Option<T>,
        /// As it is.
        after: Option<T>,
    },
    /// A document was removed, marked as deleted, or taken elsewhere.
    Delete {
        /// Which, and when.
        event: Event,
        /// As it was.
        before: Option<T>,
    },
    /// A document lapsed.
    Expire {
        /// Which, and when.
        event: Event,
        /// As it was.
        before: Option<T>,
    },
    /// The server took a document away for want of memory.
    Evict {
        /// Which, and when.
        event: Event,
        /// As it was.
        before: Option<T>,
    },
    /// All documents of the collection are gone.
    Flush {
        /// When.
        event: Event,
    },
    /// Changes were missed: the stream was trimmed before they were read, or begun anew. What is known of the
    /// collection has to be read again.
    Gap {
        /// How many, if that can be told.
        missed: Option<u64>,
        /// To go on behind it.
        token: Token,
    },
}

impl<T> Change<T> {
    /// The same of a document that has come to fit a filter.
    fn entered(self) -> Self {
        match self {
            Self::Update { event, before, after, .. } => Self::Enter { event, before, after },
            other => other,
        }
    }

    /// The same of a document that does not fit a filter any more.
    fn left(self) -> Self {
        match self {
            Self::Update { event, before, after, .. } => Self::Leave { event, before, after },
            Self::Insert { event, after } => Self::Leave { event, before: None, after },
            other => other,
        }
    }

    /// What is told of every change; nothing of a gap.
    ///
    /// ```no_run
    /// # async fn example(mut changes: folio::watch::Changes<serde_json::Value>) -> folio::Result<()> {
    /// let key = changes.next().await?.event().map(|event| event.key.clone());
    /// # Ok(())
    /// # }
    /// ```
    pub fn event(&self) -> Option<&Event> {
        match self {
            Self::Insert { event, .. }
            | Self::Update { event, .. }
            | Self::Enter { event, .. }
            | Self::Leave { event, .. }
            | Self::Delete { event, .. }
            | Self::Expire { event, .. }
            | Self::Evict { event, .. }
            | Self::Flush { event } => Some(event),
            Self::Gap { .. } => None,
        }
    }

    /// What [`Watch::resume_after`] takes to go on behind this change.
    ///
    /// ```no_run
    /// # async fn example(mut changes: folio::watch::Changes<serde_json::Value>) -> folio::Result<()> {
    /// let token = changes.next().await?.token();
    /// # Ok(())
    /// # }
    /// ```
    pub fn token(&self) -> Token {
        match self {
            Self::Gap { token, .. } => *token,
            other => other.event().map_or(Token::NONE, |event| event.token),
        }
    }
}
