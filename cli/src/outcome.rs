//! How a command ends: exit codes, and what is said of a failure.

use std::io;
use std::process::ExitCode;

use crate::output::note;

/// The exit codes, as `folio --help` tells them.
pub const CODES: &str = "\
Exit codes:
  0    done
  1    refused, or failed: the reason stands on standard error
  2    the command line makes no sense
  3    the server cannot be reached, or has not loaded the module
  4    done, but something was found: lines refused by an import, differences, defects
  130  interrupted
  141  whoever read the answer has gone";

/// What a command that was carried out came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All is well.
    Done,
    /// It did what it was asked to, and there is something to look at.
    Found,
    /// Somebody stopped it.
    Interrupted,
}

impl Outcome {
    pub fn code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Done => 0,
            Self::Found => 4,
            Self::Interrupted => 130,
        })
    }
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The server cannot be reached, or is none that has the module.
    #[error("{source} ({address}; --url or FOLIO_URL names another server)")]
    Unreachable { address: String, source: folio::Error },
    /// What the server or the client says.
    #[error("{0}")]
    Server(#[from] folio::Error),
    /// A file, a terminal or a socket.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A file, by its name.
    #[error("{path}: {source}")]
    File { path: String, source: io::Error },
    /// Arguments that are well formed, and do not go together or with what is there.
    #[error("{0}")]
    Usage(String),
    /// What was read, or what the server answers, is not what it has to be.
    #[error("{0}")]
    Data(String),
}

impl Failure {
    /// A file, and what is wrong with it.
    pub fn file(path: impl AsRef<std::path::Path>, source: io::Error) -> Self {
        Self::File { path: path.as_ref().display().to_string(), source }
    }

    /// Says which server could not be reached.
    pub fn of_server(self, address: &str) -> Self {
        match self {
            Self::Server(source) if is_unreachable(&source) => {
                Self::Unreachable { address: address.to_owned(), source }
            }
            other => other,
        }
    }

    pub fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Unreachable { .. } => 3,
            Self::Usage(_) => 2,
            _ => 1,
        })
    }

    /// A word for programs: that of the server's error, if it is one.
    fn word(&self) -> &str {
        match self {
            Self::Unreachable { .. } => "CONNECTION",
            Self::Server(error) => error.code().unwrap_or("CLIENT"),
            Self::Io(_) | Self::File { .. } => "IO",
            Self::Usage(_) => "USAGE",
            Self::Data(_) => "DATA",
        }
    }

    /// Says it on standard error.
    pub fn print(&self, json: bool) {
        if json {
            let error = serde_json::json!({ "code": self.word(), "message": self.to_string() });
            note(&serde_json::json!({ "error": error }).to_string());
        } else {
            note(&format!("folio: {self}"));
        }
    }
}

fn is_unreachable(error: &folio::Error) -> bool {
    use folio::Error::{Connection, ModuleMissing, Pool, Timeout};
    matches!(error, Connection { .. } | ModuleMissing | Pool(_) | Timeout { .. })
}
