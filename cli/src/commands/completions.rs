//! `folio completions`.

use std::io;

use clap_complete::Shell;

#[derive(clap::Args)]
pub struct Args {
    /// The shell
    shell: Shell,
}

/// Prints what the shell is to read: `source <(folio completions bash)`.
pub fn run(args: &Args, cli: &mut clap::Command) {
    clap_complete::generate(args.shell, cli, "folio", &mut io::stdout());
}
