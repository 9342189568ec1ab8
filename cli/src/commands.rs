//! The commands, a file or folder for each.

pub mod completions;
mod dump;
mod export;
mod files;
mod import;
mod infer;
pub mod man;
mod members;
mod metrics;
mod query;
mod schema;
mod shell;
mod stats;
mod verify;
mod watch;

use clap::Subcommand;

use crate::context::Context;
use crate::outcome::{Failure, Outcome};

/// What can be done. A command that says nothing here is described by its `Args`.
#[derive(Subcommand)]
pub enum Command {
    Import(import::Args),
    Export(export::Args),
    Query(query::Args),
    Shell(shell::Args),
    /// Propose a declaration and indexes for data
    Infer(infer::Args),
    /// Compare a declaration with what is declared, or make it so
    #[command(subcommand)]
    Schema(schema::Schema),
    Verify(verify::Args),
    /// What the server does, drawn anew each second
    Stats(stats::Args),
    Watch(watch::Args),
    /// Write a collection, its declaration and functions to a file
    Dump(dump::DumpArgs),
    /// Bring back what `dump` has written
    Restore(dump::RestoreArgs),
    /// Serve the server's figures to Prometheus
    Metrics(metrics::Args),
    /// Print the completions of a shell
    Completions(completions::Args),
    /// Print the man page
    Man(man::Args),
}

/// Carries a command out.
pub async fn run(command: Command, context: &Context) -> Result<Outcome, Failure> {
    match command {
        Command::Import(args) => import::run(args, context).await,
        Command::Export(args) => export::run(args, context).await,
        Command::Query(args) => query::run(args, context).await,
        Command::Shell(args) => shell::run(args, context).await,
        Command::Infer(args) => infer::run(args, context).await,
        Command::Schema(schema) => schema::run(schema, context).await,
        Command::Verify(args) => verify::run(args, context).await,
        Command::Stats(args) => stats::run(args, context).await,
        Command::Watch(args) => watch::run(args, context).await,
        Command::Dump(args) => dump::dump(args, context).await,
        Command::Restore(args) => dump::restore(args, context).await,
        Command::Metrics(args) => metrics::run(args, context).await,
        // They need no server, and are done before one is thought of.
        Command::Completions(_) | Command::Man(_) => Ok(Outcome::Done),
    }
}
