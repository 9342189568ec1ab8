//! `folio shell`: a prompt.
//!
//! ```text
//! line ── \word ──────────────► meta       what the shell itself does
//!      ── find, count, .. ────► ask        a sentence, made a command
//!      ── anything else ──────► the server, as it stands
//! ```

mod complete;
mod meta;
mod prompt;
mod session;

use std::io::{self, BufRead as _, IsTerminal as _};

use crate::ask::{Parameters, Style};
use crate::context::Context;
use crate::outcome::{Failure, Outcome};

use session::{Flow, Session};

/// A prompt: queries and commands, with history and completion.
///
/// Sentences, the server's commands and words that begin with \ (\? lists them). Where standard input is no terminal, its lines
/// are carried out, up to the first that fails.
#[derive(clap::Args)]
pub struct Args {
    /// Carry this out instead of asking; may be given several times
    #[arg(long = "command", short, value_name = "STATEMENT")]
    commands: Vec<String>,
    /// A value of the parameter $NAME: JSON, or else text
    #[arg(long = "param", short, value_name = "NAME=VALUE")]
    params: Vec<String>,
    /// How documents are shown
    #[arg(long, value_enum, default_value = "auto")]
    style: Style,
}

pub async fn run(args: Args, context: &Context) -> Result<Outcome, Failure> {
    let mut parameters = Parameters::default();
    for text in &args.params {
        parameters.take(text).map_err(|what| Failure::Usage(format!("--param: {what}")))?;
    }
    let mut session = Session::new(context, args.style, parameters);
    if !args.commands.is_empty() {
        return script(&mut session, args.commands.into_iter().map(Ok)).await;
    }
    if !io::stdin().is_terminal() {
        return script(&mut session, io::stdin().lock().lines()).await;
    }
    prompt::run(session).await
}

/// Carries statements out, up to the first that fails.
async fn script(
    session: &mut Session<'_>,
    statements: impl Iterator<Item = io::Result<String>>,
) -> Result<Outcome, Failure> {
    for statement in statements {
        if session.carry_out(&statement?).await? == Flow::End {
            break;
        }
    }
    Ok(Outcome::Done)
}
