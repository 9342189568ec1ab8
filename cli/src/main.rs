//! `folio`, the command-line tool.
//!
//! Each command is a module with its own `Args` and a `run`; what all of them share is above them: how the server is reached
//! (`context`), what is printed (`output`), how it ends (`outcome`).

#![forbid(unsafe_code)]

mod ask;
mod commands;
mod context;
mod figures;
mod interrupt;
mod outcome;
mod output;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser};

use commands::Command;
use context::{Context, Options};
use outcome::{Failure, Outcome};

/// JSON documents in Redis and Valkey: move them in and out, ask for them, watch and check them.
#[derive(Parser)]
#[command(name = "folio", version, max_term_width = 100, after_help = outcome::CODES)]
struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    let Cli { options, command } = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misused(&error),
    };
    if let Command::Completions(args) = &command {
        return end(commands::completions::run(args, &mut Cli::command()), options.json);
    }
    if let Command::Man(args) = &command {
        return end(commands::man::run(args, Cli::command()), options.json);
    }
    let (json, address) = (options.json, options.address());
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return end(Err(Failure::from(error)), json),
    };
    let context = match Context::new(options) {
        Ok(context) => context,
        Err(failure) => return end(Err(failure), json),
    };
    let ended = runtime.block_on(commands::run(command, &context));
    // A thread may wait for the keyboard.
    runtime.shutdown_background();
    end(ended.map_err(|failure| failure.of_server(&address)), json)
}

/// Tells how it is used; what makes no sense for programs too, if one asks.
fn misused(error: &clap::Error) -> ExitCode {
    let is_json = std::env::args_os().any(|word| word == "--json");
    if error.use_stderr() && is_json {
        let text = error.to_string();
        return end(
            Err(Failure::Usage(text.trim_start_matches("error: ").trim().to_owned())),
            true,
        );
    }
    // Whether anybody reads it changes nothing.
    let _ = error.print();
    ExitCode::from(error.exit_code() as u8)
}

/// Says what went wrong, and gives the exit code.
fn end(ended: Result<Outcome, Failure>, json: bool) -> ExitCode {
    match ended {
        Ok(outcome) => outcome.code(),
        Err(failure) => {
            failure.print(json);
            failure.code()
        }
    }
}
