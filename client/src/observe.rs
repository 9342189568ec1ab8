//! What is told of the way to the server, to whoever listens: the features `tracing` and `metrics`. No key, no argument
//! and no address is ever told, only the names of commands.
//!
//! | metric | kind | labels |
//! |---|---|---|
//! | `folio_commands_total` | counter | `command`, `outcome`: `ok`, or what went wrong |
//! | `folio_command_seconds` | histogram | `command` |
//! | `folio_repeats_total` | counter | `command` |
//! | `folio_connections_opened_total` | counter | |

use std::future::Future;

use crate::{Error, Result};

/// Watches a call of the command `name`.
#[cfg(any(feature = "tracing", feature = "metrics"))]
pub(crate) async fn call<T>(name: &str, call: impl Future<Output = Result<T>>) -> Result<T> {
    #[cfg(feature = "metrics")]
    let start = std::time::Instant::now();
    #[cfg(feature = "tracing")]
    let call = {
        use tracing::Instrument as _;
        call.instrument(tracing::debug_span!("folio", command = name))
    };
    let outcome = call.await;
    #[cfg(feature = "tracing")]
    if let Err(error) = &outcome {
        tracing::debug!(command = name, outcome = outcome_of(error), "a command has failed");
    }
    #[cfg(feature = "metrics")]
    {
        let told = outcome.as_ref().err().map_or("ok", outcome_of);
        metrics::counter!("folio_commands_total", "command" => name.to_owned(), "outcome" => told)
            .increment(1);
        metrics::histogram!("folio_command_seconds", "command" => name.to_owned())
            .record(start.elapsed().as_secs_f64());
    }
    outcome
}

/// Nobody listens.
#[cfg(not(any(feature = "tracing", feature = "metrics")))]
pub(crate) async fn call<T>(_: &str, call: impl Future<Output = Result<T>>) -> Result<T> {
    call.await
}

/// What went wrong, in a word.
#[cfg(any(feature = "tracing", feature = "metrics"))]
fn outcome_of(error: &Error) -> &'static str {
    match error {
        Error::Timeout { .. } => "timeout",
        Error::Connection { .. } => "connection",
        Error::Pool(_) => "pool",
        Error::ModuleMissing => "module_missing",
        _ => "refused",
    }
}

/// A command is sent again because of this error.
pub(crate) fn repeated(name: &str, error: &Error) {
    #[cfg(feature = "tracing")]
    tracing::warn!(command = name, %error, "the connection broke, the command is sent again");
    #[cfg(feature = "metrics")]
    metrics::counter!("folio_repeats_total", "command" => name.to_owned()).increment(1);
    let _ = (name, error);
}

/// A shared connection is open.
pub(crate) fn opened() {
    #[cfg(feature = "tracing")]
    tracing::info!("a shared connection is open");
    #[cfg(feature = "metrics")]
    metrics::counter!("folio_connections_opened_total").increment(1);
}

/// A shared connection could not be opened.
pub(crate) fn unopened(error: &redis::RedisError) {
    #[cfg(feature = "tracing")]
    tracing::warn!(%error, "the shared connection cannot be opened");
    let _ = error;
}
