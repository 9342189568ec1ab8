//! `folio dump` and `folio restore`: collections as a file, and back.
//!
//! `format` is what a line is, `file` how dumps are written and read, `source` reads the documents of a server; `save` and `load`
//! are the two commands.

mod file;
mod format;
mod load;
mod save;
mod source;
mod write;

use indicatif::{ProgressBar, ProgressStyle};

use crate::context::Context;
use crate::outcome::{Failure, Outcome};

const DUMP_HELP: &str = "\
The file is text, a JSON object a line, with a checksum at its end. It gets its name when it is
whole.

Documents are read a page at a time while others write. Each is as it stood at one moment, but not
all at the same one: of two that were written together one may be there as it was before. What is
born meanwhile may be in it or not. Whoever needs one moment for all lets nobody write, or asks a
replica that gets nothing.

A document has its text, version, birth number, schema version, times, TTL, the TTLs of its parts,
and its mark if it is deleted. Not in it are what the server counts, the change stream, users,
settings, and keys that are no documents.";

/// Writes collections to a file: functions, declarations, and documents with all that is known of them.
#[derive(clap::Args)]
#[command(after_long_help = DUMP_HELP)]
pub struct DumpArgs {
    /// The collections, with the functions that they name
    #[arg(required_unless_present = "all")]
    collections: Vec<String>,
    /// All collections of the database, and all functions of the server
    #[arg(long, conflicts_with = "collections")]
    all: bool,
    /// The file, compressed by gzip if its name ends in .gz; `-` is standard output
    #[arg(long, short)]
    output: String,
}

const RESTORE_HELP: &str = "\
The file is read whole before anything is written: one that was cut or changed is refused. So is a
collection that has documents or another declaration, unless --replace. Functions are loaded
first, then each collection is declared, then its documents are put back. Ends with 4 where the
server refuses some of them, which are told.

Documents come back as they were: with their versions, birth numbers, schema versions, times, TTLs
and marks, and judged by nothing, as they were judged when they were written. That takes an
administrator (a user who may run DOC._APPLY). With --as-writes they are written as by a program:
judged, with new versions and times, with what AUTO and DEFAULT put in. What has lapsed since is
left out. What only the server counted begins behind what is there: versions and ids of a sequence
may come again that documents had which were removed before the dump. A collection with a change
stream tells of each document that comes back.

A restore that is broken off leaves what it has written; --replace begins anew.";

/// Brings back what `dump` has written.
#[derive(clap::Args)]
#[command(after_long_help = RESTORE_HELP)]
pub struct RestoreArgs {
    /// The file; `-` is standard input, which is kept in a temporary file until it is read whole
    file: String,
    /// Only this collection of it; may be given several times
    #[arg(long, value_name = "COLLECTION")]
    only: Vec<String>,
    /// Drop the collections that are there, with their documents, and load functions over others
    #[arg(long)]
    replace: bool,
    /// Write documents by DOC.SET, as a program does: judged, and with new versions
    #[arg(long)]
    as_writes: bool,
}

pub async fn dump(args: DumpArgs, context: &Context) -> Result<Outcome, Failure> {
    save::run(args, context).await
}

pub async fn restore(args: RestoreArgs, context: &Context) -> Result<Outcome, Failure> {
    load::run(args, context).await
}

fn bar(documents: u64, context: &Context) -> ProgressBar {
    if !context.shows_progress() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} documents {eta}");
    let bar = ProgressBar::new(documents);
    style.map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style))
}
