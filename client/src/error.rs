//! What can go wrong, and what a caller can do about it.

mod server;

use std::fmt;

use redis::RedisError;

use crate::migrate::MigrationError;

/// What a call of this crate gives.
///
/// ```
/// fn halve(n: u64) -> folio::Result<u64> {
///     Ok(n / 2)
/// }
/// assert_eq!(halve(4).unwrap(), 2);
/// ```
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of the server, of the way to it, or of a document that does not fit its type.
///
/// An error of the server means that nothing changed. Its [code](Error::code) is stable and
/// meant to be matched; its message is meant to be read.
///
/// ```no_run
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// match db.find::<serde_json::Value>("cities", "name = 'Lyon'").load().await {
///     Err(folio::Error::UnindexedQuery(why)) => println!("declare an index: {why}"),
///     other => println!("{} rows", other?.items.len()),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no document under this key.
    #[error("no document under {key}")]
    NotFound {
        /// The key that was asked for.
        key: Box<str>,
    },
    /// A document is there already.
    #[error("{key} is there already")]
    AlreadyExists {
        /// Its key.
        key: Box<str>,
    },
    /// Another document holds a value that has to be unique.
    #[error("{0}")]
    UniqueViolation(Box<UniqueViolation>),
    /// The document has another version than was expected: somebody else has changed it.
    #[error("expected version {expected}, found {}", found.unwrap_or_default())]
    VersionConflict {
        /// The version that the write was for; 0: no document.
        expected: u64,
        /// The version that is there, if the server told it; 0: no document.
        found: Option<u64>,
    },
    /// The document breaks rules of its type. Nothing was written.
    #[error("{}", violations(.0))]
    Validation(Vec<Violation>),
    /// A document that the server holds does not fit the type that was asked for. Where it came with the answer to a
    /// write, the write stands.
    #[error("{key} does not fit its type{}: {}", cause.at(), cause.source)]
    Decode {
        /// The document's key.
        key: Box<str>,
        /// Where and why it does not.
        cause: Box<DecodeCause>,
    },
    /// A value could not be written as JSON. Nothing was sent.
    #[error("a value cannot be written as JSON: {0}")]
    Encode(#[source] serde_json::Error),
    /// The query would have to read more documents than `folio.scan-max` because no index answers it: declare one, or
    /// allow the scan.
    #[error("{0}")]
    UnindexedQuery(Box<str>),
    /// Another declaration of the collection is being built.
    #[error("{0}")]
    IndexBuilding(Box<str>),
    /// One document was to be found, and there are several.
    #[error("more than one document of {collection} was found")]
    MoreThanOne {
        /// Where it was looked for.
        collection: Box<str>,
    },
    /// The collection is declared in another way than the type says, and only a migration may change it.
    #[error("{0}")]
    SchemaMismatch(Box<SchemaMismatch>),
    /// Migrations have stopped.
    #[error(transparent)]
    Migration(Box<MigrationError>),
    /// The call makes no sense of this type, such as an upsert by a field that is not unique. Nothing was sent.
    #[error("{0}")]
    Usage(Box<str>),
    /// No answer came in time.
    #[error("no answer in time{}", fate(*.maybe_applied))]
    Timeout {
        /// Whether the command may have been carried out all the same.
        maybe_applied: bool,
    },
    /// The server does not know Folio's commands.
    #[error("the server has not loaded the Folio module")]
    ModuleMissing,
    /// No connection of the pool came free in time. Nothing was sent.
    #[error("no connection came free: {0}")]
    Pool(Box<str>),
    /// The server could not be reached, or the connection broke before the answer came.
    #[error("connection: {message}{}", fate(*.maybe_applied))]
    Connection {
        /// What the transport says.
        message: Box<str>,
        /// Whether the command may have been carried out all the same.
        maybe_applied: bool,
    },
    /// The server refused the command for another reason. Nothing changed.
    ///
    /// Holds the server's answer: its [code](Error::code), then what was wrong and where.
    #[error("{0}")]
    Server(Box<str>),
    /// A function on the server failed, is not loaded, or cannot be loaded. Nothing changed.
    #[error("{0}")]
    Function(Box<FunctionError>),
    /// The server's answer has a shape that this version of the crate does not know.
    #[error("unexpected reply: {0}")]
    Reply(Box<str>),
}

/// Which value is held, and by whom: of [`Error::UniqueViolation`].
///
/// ```no_run
/// # fn example(error: folio::Error) {
/// if let folio::Error::UniqueViolation(violation) = error {
///     println!("{:?} is taken", violation.fields);
/// }
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UniqueViolation {
    /// The name of the index: that of one declared by itself if the type is known, else its paths.
    pub index: String,
    /// The paths whose values are held.
    pub fields: Vec<String>,
    /// What the refused document has there, as JSON, where it is known.
    pub value: Option<serde_json::Value>,
    /// The key of the document that holds them; `None` if the user may not know it.
    pub holder: Option<String>,
    /// The key of the refused document, where the write was of several.
    pub key: Option<String>,
}

impl fmt::Display for UniqueViolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UNIQUE the value at {} is held by ", self.fields.join(", "))?;
        f.write_str(self.holder.as_deref().unwrap_or("another document"))
    }
}

/// What is wrong with a function: of [`Error::Function`].
///
/// ```no_run
/// # fn example(error: folio::Error) {
/// if let folio::Error::Function(error) = error {
///     println!("{:?}, line {:?}: {}", error.function, error.line, error.message);
/// }
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FunctionError {
    /// The function, if the server names one.
    pub function: Option<String>,
    /// The line of its source, from 1, if it is of one.
    pub line: Option<u64>,
    /// All that the server says of it.
    pub message: String,
}

impl fmt::Display for FunctionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FUNCTION {}", self.message)
    }
}

/// A rule that a document breaks: of [`Error::Validation`].
///
/// ```
/// let violation = folio::Violation::new("age", "range", "is 200, above the maximum of 150");
/// assert_eq!(violation.to_string(), "age is 200, above the maximum of 150");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// Where in the document, by stored names: `address.zip`, `items[2].qty`. Empty: the document as a whole.
    pub path: String,
    /// Which rule: the word in `validate(..)`, or `schema` if the server found it.
    pub code: String,
    /// What is wrong, to stand behind the path.
    pub message: String,
}

impl Violation {
    /// What is wrong at a path.
    ///
    /// ```
    /// let violation = folio::Violation::new("", "dates", "the end is before the beginning");
    /// assert_eq!(violation.code, "dates");
    /// ```
    pub fn new(
        path: impl Into<String>,
        code: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self { path: path.into(), code: code.into(), message: message.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let space = if self.path.is_empty() { "" } else { " " };
        write!(f, "{}{space}{}", self.path, self.message)
    }
}

/// Where and why a document does not fit its type: of [`Error::Decode`].
///
/// ```no_run
/// # fn example(error: folio::Error) {
/// if let folio::Error::Decode { key, cause } = error {
///     println!("{key} at {}: {}", cause.path, cause.source);
/// }
/// # }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct DecodeCause {
    /// The place in the document; `.` or empty: the whole.
    pub path: String,
    /// What does not fit.
    pub source: serde_json::Error,
}

impl DecodeCause {
    fn at(&self) -> String {
        match self.path.as_str() {
            "" | "." => String::new(),
            path => format!(" at {path}"),
        }
    }
}

/// What differs between a type and its collection's declaration: of [`Error::SchemaMismatch`].
///
/// ```no_run
/// # fn example(error: folio::Error) {
/// if let folio::Error::SchemaMismatch(mismatch) = error {
///     println!("{}: {:?}", mismatch.collection, mismatch.differences);
/// }
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SchemaMismatch {
    /// The collection.
    pub collection: String,
    /// What would be lost or tightened, one sentence each.
    pub differences: Vec<String>,
}

impl fmt::Display for SchemaMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is declared otherwise: {}", self.collection, self.differences.join("; "))
    }
}

impl Error {
    /// The code that the server gave, such as `UNIQUE`; `None` if the error is not the server's.
    ///
    /// ```
    /// let error = folio::Error::Timeout { maybe_applied: true };
    /// assert_eq!(error.code(), None);
    /// ```
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Server(line) => line.split(' ').next(),
            Self::NotFound { .. } => Some("NOTFOUND"),
            Self::AlreadyExists { .. } => Some("EXISTS"),
            Self::UniqueViolation(_) => Some("UNIQUE"),
            Self::VersionConflict { .. } => Some("VERSION"),
            Self::Validation(all) => all.iter().any(|it| it.code == "schema").then_some("SCHEMA"),
            Self::UnindexedQuery(_) => Some("NOINDEX"),
            Self::IndexBuilding(_) => Some("BUILDING"),
            Self::Function(_) => Some("FUNCTION"),
            _ => None,
        }
    }

    /// Whether the command may have been carried out although no answer says so.
    ///
    /// ```
    /// assert!(folio::Error::Timeout { maybe_applied: true }.is_ambiguous());
    /// assert!(!folio::Error::ModuleMissing.is_ambiguous());
    /// ```
    pub fn is_ambiguous(&self) -> bool {
        matches!(
            self,
            Self::Timeout { maybe_applied: true } | Self::Connection { maybe_applied: true, .. }
        )
    }

    /// Whether the same call may succeed later without risk of being carried out twice.
    ///
    /// A version conflict is none of these: the document has to be read again first.
    ///
    /// ```
    /// assert!(folio::Error::Timeout { maybe_applied: false }.is_retryable());
    /// assert!(!folio::Error::Timeout { maybe_applied: true }.is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        let passing = ["LOADING", "BUSY", "TRYAGAIN", "CLUSTERDOWN", "READONLY", "MASTERDOWN"];
        match self {
            Self::IndexBuilding(_) | Self::Pool(_) => true,
            // One that was interrupted goes on where it was.
            Self::Migration(error) => match &**error {
                MigrationError::Failed { source, .. } => {
                    source.is_retryable() || source.is_ambiguous()
                }
                MigrationError::Locked { .. } | MigrationError::LockLost { .. } => true,
                _ => false,
            },
            Self::Server(_) => self.code().is_some_and(|code| passing.contains(&code)),
            Self::Timeout { maybe_applied } | Self::Connection { maybe_applied, .. } => {
                !maybe_applied
            }
            _ => false,
        }
    }

    /// An error of the transport, for a command that `writes` or only reads.
    pub(crate) fn from_redis(error: &RedisError, writes: bool) -> Self {
        if error.is_timeout() {
            return Self::Timeout { maybe_applied: writes };
        }
        if let Some(code) = error.code() {
            return server::refused(code, error.detail().unwrap_or_default());
        }
        if error.kind() == redis::ErrorKind::AuthenticationFailed {
            return Self::Server(format!("WRONGPASS {error}").into());
        }
        // A refused connection carried nothing over.
        let maybe_applied = writes && !error.is_connection_refusal();
        Self::Connection { message: error.to_string().into(), maybe_applied }
    }
}

/// The end of a message about a command that no answer came to.
fn fate(maybe_applied: bool) -> &'static str {
    if maybe_applied { "; the write may have been carried out" } else { "" }
}

fn violations(all: &[Violation]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use redis::ServerError;

    fn server(line: &str) -> Error {
        let value = redis::parse_redis_value(line.as_bytes()).expect("a whole reply");
        let redis::Value::ServerError(error) = value else { panic!("no error: {value:?}") };
        let error: ServerError = error;
        Error::from_redis(&error.into(), true)
    }

    #[test]
    fn an_error_is_at_most_32_bytes_wide() {
        assert!(size_of::<Error>() <= 32, "{}", size_of::<Error>());
    }

    #[test]
    fn a_server_error_keeps_code_and_message() {
        let error = server("-UNIQUE the value at email is held by users:1\r\n");
        assert_eq!(error.code(), Some("UNIQUE"));
        assert_eq!(error.to_string(), "UNIQUE the value at email is held by users:1");
        assert!(!error.is_ambiguous());
        let error = server("-FILTER expected a path at position 3\r\n");
        assert_eq!(error.code(), Some("FILTER"));
        assert_eq!(error.to_string(), "FILTER expected a path at position 3");
    }

    #[test]
    fn a_server_without_the_module_is_named() {
        let error = server("-ERR unknown command 'DOC.SET', with args beginning with: 'a' \r\n");
        assert!(matches!(error, Error::ModuleMissing), "{error:?}");
        let error = server("-ERR unknown command 'help', with args beginning with: \r\n");
        assert_eq!(error.code(), Some("ERR"), "{error:?}");
    }

    #[test]
    fn a_state_of_the_server_that_passes_is_worth_another_try() {
        let is_retryable = |line: &str| server(line).is_retryable();
        assert!(is_retryable("-LOADING Redis is loading the dataset in memory\r\n"));
        assert!(is_retryable("-BUSY Redis is busy running a script\r\n"));
        assert!(is_retryable("-BUILDING a declaration of 'users' is being built\r\n"));
        assert!(!is_retryable("-UNIQUE the value at email is held by users:1\r\n"));
        assert!(!is_retryable("-ERR unknown command 'DOC.SET'\r\n"));
    }

    #[test]
    fn only_a_write_is_ambiguous_without_an_answer() {
        let late = || RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut));
        let of_write = Error::from_redis(&late(), true);
        assert!(of_write.is_ambiguous() && !of_write.is_retryable(), "{of_write:?}");
        let told = "no answer in time; the write may have been carried out";
        assert_eq!(of_write.to_string(), told);
        let of_read = Error::from_redis(&late(), false);
        assert!(!of_read.is_ambiguous() && of_read.is_retryable(), "{of_read:?}");
        assert_eq!(of_read.to_string(), "no answer in time");
    }
}
