//! `folio verify`.

use crate::context::Context;
use crate::outcome::{Failure, Outcome};

#[derive(clap::Args)]
pub struct Args {}

pub async fn run(_args: Args, _context: &Context) -> Result<Outcome, Failure> {
    Err(Failure::Usage("not there yet".into()))
}
