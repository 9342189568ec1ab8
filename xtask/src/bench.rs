//! What commands cost a server, measured.

use std::path::PathBuf;

use clap::Args;

use crate::{Result, paths, setup, shell};

/// How `cargo xtask bench` is called.
#[derive(Args)]
pub struct Options {
    /// Numbers of documents
    #[arg(long, value_delimiter = ',', default_value = "100000")]
    documents: Vec<u64>,
    /// How often everything is done; the median counts
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Where the figures go; those of the project's own pages are in benches/results
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// A folder for drawings of the figures, as SVG
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
    /// Where the tables go as Markdown
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
}

/// Builds the module as it is meant to run, and measures it against plain strings, and against indexes that scripts keep, on the same server.
pub fn bench(options: &Options) -> Result {
    setup::setup()?;
    shell::run(&mut shell::cargo(&["build", "--release", "--package", "folio-module"]))?;
    let documents: Vec<String> = options.documents.iter().map(u64::to_string).collect();
    let mut run = shell::cargo(&["run", "--release", "--package", "folio-benches"]);
    run.args(["--bin", "operations", "--", "--documents", &documents.join(",")]);
    run.args(["--rounds", &options.rounds.to_string()]);
    let outputs =
        [("--json", &options.json), ("--plots", &options.plots), ("--markdown", &options.markdown)];
    for (option, path) in outputs {
        if let Some(path) = path {
            run.arg(option).arg(path);
        }
    }
    shell::run(run.env("FOLIO_MODULE", paths::module("release")))
}
