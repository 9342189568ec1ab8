//! The one error of the engine: a stable code, and a message that names the path, the limit and the value.
//!
//! What reaches a client is `<CODE> <message>`. An error means that nothing changed.

use std::fmt;

/// The stable first word of an error reply. New codes may come; none changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// A document breaks its collection's declaration, or a declaration is not valid.
    Schema,
    /// A unique index already holds the value.
    Unique,
    /// The document has another version than was expected.
    Version,
    /// The document is not there.
    NotFound,
    /// Not well-formed JSON; the message holds the byte offset.
    Json,
    /// Not a path, or a path that does not fit the document.
    Path,
    /// Not a filter; the message holds the position in the text, counted in bytes from 0.
    Filter,
    /// A limit on an answer or on a declaration.
    Limited,
    /// The query would examine too many documents without an index.
    NoIndex,
    /// A document, path or text is larger than its limit.
    TooBig,
    /// The key names no collection.
    Key,
    /// The collection is not there.
    NoCollection,
    /// The collection is declared already, in another way.
    CollectionExists,
    /// A document is there already.
    Exists,
    /// A condition of a transaction does not hold.
    Check,
    /// Another declaration of the collection is being built, or was and is given up.
    Building,
    /// Arithmetic left the range of its type.
    Overflow,
    /// A JSON Patch tests for another value than the document has.
    Test,
    /// The query takes longer than it may.
    Timeout,
    /// Not a cursor, or one of another query.
    Cursor,
    /// A function failed, was stopped at its bounds, is not loaded, or is in use.
    Function,
    /// Options or arguments do not fit the command.
    Syntax,
    /// A defect of Folio itself: an invariant did not hold.
    Internal,
}

impl Code {
    /// Every code, in order.
    pub const ALL: [Code; 23] = [
        Code::Schema,
        Code::Unique,
        Code::Version,
        Code::NotFound,
        Code::Json,
        Code::Path,
        Code::Filter,
        Code::Limited,
        Code::NoIndex,
        Code::TooBig,
        Code::Key,
        Code::NoCollection,
        Code::CollectionExists,
        Code::Exists,
        Code::Check,
        Code::Building,
        Code::Overflow,
        Code::Test,
        Code::Timeout,
        Code::Cursor,
        Code::Function,
        Code::Syntax,
        Code::Internal,
    ];

    /// The word that stands first in the reply.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::Schema => "SCHEMA",
            Code::Unique => "UNIQUE",
            Code::Version => "VERSION",
            Code::NotFound => "NOTFOUND",
            Code::Json => "JSON",
            Code::Path => "PATH",
            Code::Filter => "FILTER",
            Code::Limited => "LIMITED",
            Code::NoIndex => "NOINDEX",
            Code::TooBig => "TOOBIG",
            Code::Key => "KEY",
            Code::NoCollection => "NOCOLLECTION",
            Code::CollectionExists => "COLLECTIONEXISTS",
            Code::Exists => "EXISTS",
            Code::Check => "CHECK",
            Code::Building => "BUILDING",
            Code::Overflow => "OVERFLOW",
            Code::Test => "TEST",
            Code::Timeout => "TIMEOUT",
            Code::Cursor => "CURSOR",
            Code::Function => "FUNCTION",
            Code::Syntax => "ERR",
            Code::Internal => "INTERNAL",
        }
    }
}

/// Each stands at its own number, and the last one is there: none is left out.
const _: () = {
    let mut at = 0;
    while at < Code::ALL.len() {
        assert!(Code::ALL[at] as usize == at);
        at += 1;
    }
    assert!(Code::Internal as usize + 1 == Code::ALL.len());
};

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An error with its code; displays as the reply that a client reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code} {message}{}", Ending(.holder))]
pub struct Error {
    /// The stable code.
    pub code: Code,
    /// What went wrong and where: lower case, one line, no trailing stop.
    pub message: Box<str>,
    /// The key of the document that holds a value, which ends the text. Not every reader may know it: see
    /// [`Error::hide_holder`].
    pub holder: Option<Box<[u8]>>,
}

/// What stands after the message.
struct Ending<'a>(&'a Option<Box<[u8]>>);

impl fmt::Display for Ending<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(key) => write!(f, " {}", String::from_utf8_lossy(key)),
            None => Ok(()),
        }
    }
}

impl Error {
    /// An error of `code` that reads `message`.
    pub fn new(code: Code, message: impl Into<Box<str>>) -> Self {
        Error { code, message: message.into(), holder: None }
    }

    /// A value that has to be unique is held by the document under `key`; `what` ends with "by".
    pub fn held(what: impl Into<Box<str>>, key: &[u8]) -> Self {
        Error { code: Code::Unique, message: what.into(), holder: Some(key.into()) }
    }

    /// Takes the holder's key out of the text.
    pub fn hide_holder(&mut self) {
        if self.holder.take().is_some() {
            self.message = format!("{} another document", self.message).into();
        }
    }

    /// Malformed JSON at a byte `offset`.
    pub fn json(offset: usize, what: impl fmt::Display) -> Self {
        Error::new(Code::Json, format!("{what} at byte {offset}"))
    }

    /// A filter that cannot be read at `position`, in bytes from the start of its text.
    pub fn filter(position: usize, what: impl fmt::Display) -> Self {
        Error::new(Code::Filter, format!("{what} at position {position}"))
    }
}

/// What every fallible function of the engine returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;
