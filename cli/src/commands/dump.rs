//! `folio dump` and `folio restore`.

use crate::context::Context;
use crate::outcome::{Failure, Outcome};

#[derive(clap::Args)]
pub struct DumpArgs {}

#[derive(clap::Args)]
pub struct RestoreArgs {}

pub async fn dump(_args: DumpArgs, _context: &Context) -> Result<Outcome, Failure> {
    Err(Failure::Usage("not there yet".into()))
}

pub async fn restore(_args: RestoreArgs, _context: &Context) -> Result<Outcome, Failure> {
    Err(Failure::Usage("not there yet".into()))
}
