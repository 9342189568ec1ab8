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
        match (self.url.split_once("://"), self.url.rsplit_once('@')) {
            (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
            _ => self.url.clone(),
        }
    }
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
