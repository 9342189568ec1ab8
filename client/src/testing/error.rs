//! Why no server was started.

use std::io;
use std::path::PathBuf;

/// Why no server was started.
///
/// ```no_run
/// use folio::testing::{Server, StartError};
///
/// match Server::start() {
///     Err(StartError::NoModule) => println!("set FOLIO_MODULE"),
///     other => drop(other.expect("everything is installed")),
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Neither the builder nor the environment names a server, and none is in `PATH`.
    #[error(
        "neither redis-server nor valkey-server is in PATH: name the program by `Builder::program` or FOLIO_REDIS_SERVER"
    )]
    NoProgram,
    /// Neither the builder nor the environment names the module.
    #[error("no module is named: name it by `Builder::module` or FOLIO_MODULE")]
    NoModule,
    /// What was named is not there.
    #[error("there is no {}", .0.display())]
    NotThere(PathBuf),
    /// A folder, a port or a process could not be had.
    #[error("a server cannot be run: {0}")]
    Io(#[from] io::Error),
    /// The server ended before it took connections.
    #[error("the server has ended; it said last:\n{log}")]
    Ended {
        /// The last lines of its log.
        log: String,
    },
    /// The server took no connections in time.
    #[error("the server takes no connections; it said last:\n{log}")]
    Late {
        /// The last lines of its log.
        log: String,
    },
}
