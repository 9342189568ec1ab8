//! `folio schema`.

pub mod definition;
pub mod members;
pub mod path;

use crate::context::Context;
use crate::outcome::{Failure, Outcome};

#[derive(clap::Subcommand)]
pub enum Schema {
    /// What would have to change
    Diff {},
    /// Make it so
    Apply {},
}

pub async fn run(_schema: Schema, _context: &Context) -> Result<Outcome, Failure> {
    Err(Failure::Usage("not there yet".into()))
}
