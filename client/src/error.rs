//! What can go wrong, and what a caller can do about it.

use redis::RedisError;

/// What a call of this crate gives.
///
/// ```
/// fn halve(n: u64) -> folio::Result<u64> {
///     Ok(n / 2)
/// }
/// assert_eq!(halve(4).unwrap(), 2);
/// ```
pub type Result<T> = std::result::Result<T, Error>;

/// An error of the server, of the way to it, or of a document that does not fit its type.
///
/// An error of the server means that nothing changed. Its [code](Error::code) is stable and
/// meant to be matched; its message is meant to be read.
///
/// ```no_run
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// match db.find::<serde_json::Value>("cities", "name = 'Lyon'").load().await {
///     Err(error) if error.code() == Some("NOINDEX") => println!("declare an index: {error}"),
///     other => println!("{} rows", other?.items.len()),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server refused the command. Nothing changed.
    ///
    /// Holds the server's answer: its [code](Error::code), then what was wrong and where.
    #[error("{0}")]
    Server(Box<str>),
    /// The server does not know Folio's commands.
    #[error("the server has not loaded the Folio module")]
    ModuleMissing,
    /// No answer came in time.
    #[error("no answer in time{}", fate(*.maybe_applied))]
    Timeout {
        /// Whether the command may have been carried out all the same.
        maybe_applied: bool,
    },
    /// The server could not be reached, or the connection broke before the answer came.
    #[error("connection: {message}{}", fate(*.maybe_applied))]
    Connection {
        /// What the transport says.
        message: Box<str>,
        /// Whether the command may have been carried out all the same.
        maybe_applied: bool,
    },
    /// A document that the server holds does not fit the type that was asked for.
    #[error("{key} does not fit its type: {source}")]
    Decode {
        /// The document's key.
        key: Box<str>,
        /// What does not fit.
        source: serde_json::Error,
    },
    /// A value could not be written as JSON. Nothing was sent.
    #[error("a value cannot be written as JSON: {0}")]
    Encode(#[source] serde_json::Error),
    /// The server's answer has a shape that this version of the crate does not know.
    #[error("unexpected reply: {0}")]
    Reply(Box<str>),
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
    /// ```
    /// assert!(folio::Error::Timeout { maybe_applied: false }.is_retryable());
    /// assert!(!folio::Error::Timeout { maybe_applied: true }.is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        let passing = ["BUILDING", "LOADING", "BUSY", "TRYAGAIN", "CLUSTERDOWN"];
        match self {
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
            let message = error.detail().unwrap_or_default();
            return if code == "ERR" && message.to_ascii_lowercase().starts_with("unknown command") {
                Self::ModuleMissing
            } else {
                Self::Server(format!("{code} {message}").into())
            };
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
        let error = server("-UNIQUE email is held by users:1\r\n");
        assert_eq!(error.code(), Some("UNIQUE"));
        assert_eq!(error.to_string(), "UNIQUE email is held by users:1");
        assert!(!error.is_ambiguous());
    }

    #[test]
    fn a_server_without_the_module_is_named() {
        let error = server("-ERR unknown command 'DOC.SET', with args beginning with: 'a' \r\n");
        assert!(matches!(error, Error::ModuleMissing), "{error:?}");
    }

    #[test]
    fn a_state_of_the_server_that_passes_is_worth_another_try() {
        let is_retryable = |line: &str| server(line).is_retryable();
        assert!(is_retryable("-LOADING Redis is loading the dataset in memory\r\n"));
        assert!(is_retryable("-BUSY Redis is busy running a script\r\n"));
        assert!(!is_retryable("-UNIQUE email is held\r\n"));
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
