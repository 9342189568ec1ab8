//! Every chore of the project: `cargo xtask <chore>`.

#![forbid(unsafe_code)]

mod archive;
mod bench;
mod ci;
mod demo;
mod dist;
mod docker;
mod images;
mod paths;
mod process;
mod run;
mod server;
mod setup;
mod shell;
mod soak;
mod test;
mod tidy;
mod wire;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What a chore gives: nothing, or the sentence that says what went wrong.
type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about = "The chores of Folio",
    disable_help_subcommand = true
)]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Install what is missing (Debian, Ubuntu), or say what and how
    Setup,
    /// Build the module, start a server with 34,006 cities, show queries, leave it running
    Run(run::Options),
    /// Run the tests, or those of a theme: a folder of tests/ or a part of a test's name
    Test(test::Options),
    /// Make the Docker images of the servers that the tests run on, of Debian's packages
    Images,
    /// Measure what commands cost a server, against plain strings on the same server
    Bench(bench::Options),
    /// The deep tier: sanitizers, coverage, fuzzing, and suites with large counts
    Soak(soak::Options),
    /// Check form, lints, sizes and generated documents
    Tidy {
        /// Rewrite what can be rewritten: formatting, docs/commands.md
        #[arg(long)]
        write: bool,
    },
    /// Make what can be taken away: an archive, a Debian package, an image
    Dist(dist::Options),
    /// All that CI runs: tidy, build, test, the demo with its answers checked, and what can be taken away
    Ci,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().chore {
        Chore::Setup => {
            setup::setup().and_then(|()| setup::duckdb()).and_then(|()| setup::examples())
        }
        Chore::Run(options) => run::run(&options),
        Chore::Test(options) => test::test(&options),
        Chore::Images => images::images(),
        Chore::Bench(options) => bench::bench(&options),
        Chore::Soak(options) => soak::soak(&options),
        Chore::Tidy { write } => tidy::tidy(write),
        Chore::Dist(options) => dist::dist(&options),
        Chore::Ci => ci::ci(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
