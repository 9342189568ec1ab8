//! `folio completions`.

use clap_complete::Shell;

use crate::outcome::{Failure, Outcome};
use crate::output::line;

#[derive(clap::Args)]
pub struct Args {
    /// The shell
    shell: Shell,
}

/// Prints what the shell is to read: `source <(folio completions bash)`.
pub fn run(args: &Args, cli: &mut clap::Command) -> Result<Outcome, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, cli, "folio", &mut script);
    line(&String::from_utf8_lossy(&script))?;
    Ok(Outcome::Done)
}
