//! The server that is meant, and how answers are to look: what every command is given.

use std::time::Duration;

use clap::Args;
use folio::Folio;

use crate::outcome::Failure;
use crate::output::Output;

/// What all commands take.
#[derive(Args, Debug)]
pub struct Options {
    /// The server: redis://[user:password@]host:port[/database], rediss:// for TLS
    #[arg(
        long,
        short = 'u',
        global = true,
        env = "FOLIO_URL",
        hide_env_values = true,
        default_value = "redis://127.0.0.1:6379"
    )]
    pub url: String,
    /// Answers as JSON, for programs; errors too, on standard error
    #[arg(long, global = true)]
    pub json: bool,
    /// Seconds that the server may take for an answer
    #[arg(long, global = true, default_value_t = 60, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: u64,
    /// Nothing but answers and errors: no progress, no summary
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

impl Options {
    /// The server without user and password.
    pub fn address(&self) -> String {
        address(&self.url)
    }
}

/// A server's address without user and password, which stand before the last `@` or behind a `?`.
pub fn address(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = url.split_once("://").unwrap_or(("redis", url));
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    format!("{scheme}://{host}")
}

/// What every command works with.
pub struct Context {
    /// Opened by the first command that is sent.
    pub db: Folio,
    pub out: Output,
    pub options: Options,
}

impl Context {
    pub fn new(options: Options) -> Result<Self, Failure> {
        let db = Folio::builder(&options.url)
            .timeout(Duration::from_secs(options.timeout))
            .connect_timeout(Duration::from_secs(options.timeout.min(5)))
            .lazy()?;
        let out = Output::new(options.json);
        Ok(Self { db, out, options })
    }

    /// Whether progress is to be drawn: somebody looks, and has not asked for silence.
    pub fn shows_progress(&self) -> bool {
        !self.options.quiet && !self.options.json && console::user_attended_stderr()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_without_their_secrets() {
        let cases = [
            ("redis://127.0.0.1:6379", "redis://127.0.0.1:6379"),
            ("rediss://ada:p@ss@host:1/2", "rediss://host:1/2"),
            ("redis+unix:///tmp/a.sock?user=ada&pass=secret", "redis+unix:///tmp/a.sock"),
            ("ada:secret@host", "redis://host"),
        ];
        for (url, told) in cases {
            assert_eq!(address(url), told);
        }
    }
}
