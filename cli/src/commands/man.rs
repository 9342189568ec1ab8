//! `folio man`.

use std::path::PathBuf;

use crate::outcome::{Failure, Outcome};
use crate::output::line;

#[derive(clap::Args)]
pub struct Args {
    /// Write a page for each command into this folder, instead of one page to standard output
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

/// Writes the man page, or all of them.
pub fn run(args: &Args, cli: clap::Command) -> Result<Outcome, Failure> {
    if let Some(folder) = &args.folder {
        std::fs::create_dir_all(folder).map_err(|error| Failure::file(folder, error))?;
        clap_mangen::generate_to(cli, folder).map_err(|error| Failure::file(folder, error))?;
    } else {
        let mut page = Vec::new();
        clap_mangen::Man::new(cli).render(&mut page)?;
        line(&String::from_utf8_lossy(&page))?;
    }
    Ok(Outcome::Done)
}
