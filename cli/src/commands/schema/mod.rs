//! `folio schema`: definitions in files, compared with what a server has declared, and declared.
//!
//! `definition` reads one so that two can be compared, `compare` finds the differences, and a `plan` is what they come to for a
//! collection of the server; `apply` carries it out.

mod apply;
pub mod compare;
pub mod definition;
mod files;
pub mod path;
mod plan;
pub mod server;

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use crate::context::Context;
use crate::outcome::{Failure, Outcome};
use crate::output::line;
use plan::Plan;

#[derive(clap::Subcommand)]
pub enum Schema {
    /// Print definitions, in the form that `diff` and `apply` read
    Show(ShowArgs),
    /// Tell what would have to change for the server to have what files say
    Diff(DiffArgs),
    /// Declare what files say
    Apply(ApplyArgs),
}

const SHOW_HELP: &str = "\
It is what DOC.SCHEMA prints, a line for each field, so that a file of it can be kept beside a
program.";

/// Prints definitions as JSON, one of a collection, or an array of those of all declared collections.
#[derive(clap::Args)]
#[command(after_long_help = SHOW_HELP)]
pub struct ShowArgs {
    /// The collection
    collection: Option<String>,
    /// Write a file for each collection into this folder, NAME.schema.json
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

const DIFF_HELP: &str = "\
Each difference is told with what it costs (an index that is built, documents that are judged) and
what is lost by it. Ends with 0 where there is none, with 4 where there are some.

A file is the whole truth of its collection, so what it does not name is to go: fields, indexes,
rules. Two things are not asked of it: the schema version in force, which DOC.MIGRATE changes,
and, where it has no `migrations`, those.";

/// Compares definitions in files with what the server has declared.
#[derive(clap::Args)]
#[command(after_long_help = DIFF_HELP)]
pub struct DiffArgs {
    /// Files with a definition or an array of them, or folders of such files (*.json)
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

const APPLY_HELP: &str = "\
A collection that is not declared is by DOC.CREATE; one that differs is changed by one DOC.ALTER.
Indexes are built beside the traffic. All files are compared first, and nothing is declared where
one of them cannot be. Then collections follow each other, and the first refusal of the server,
such as documents that break a rule, ends it: what was declared before stays.

What is taken away (see `diff`) needs --allow-drop. On a terminal it asks before it declares.
Functions that a definition names have to be loaded. Ends with 4 where something is left that
another command does, such as DOC.MIGRATE.";

/// Declares what files say, where the server has it not.
#[derive(clap::Args)]
#[command(after_long_help = APPLY_HELP)]
#[expect(clippy::struct_excessive_bools, reason = "the switches of a command line")]
pub struct ApplyArgs {
    /// Files with a definition or an array of them, or folders of such files (*.json)
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Tell what would be done, and end with 4 if that is anything
    #[arg(long)]
    dry_run: bool,
    /// Fields, indexes and the like may be taken away
    #[arg(long)]
    allow_drop: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Do not wait for indexes that are built. Documents that break the declaration undo it unseen
    #[arg(long)]
    no_wait: bool,
}

pub async fn run(schema: Schema, context: &Context) -> Result<Outcome, Failure> {
    match schema {
        Schema::Show(args) => show(args, context).await,
        Schema::Diff(args) => diff(args, context).await,
        Schema::Apply(args) => apply::run(args, context).await,
    }
}

async fn show(args: ShowArgs, context: &Context) -> Result<Outcome, Failure> {
    let is_one = args.collection.is_some();
    let names = match args.collection {
        Some(name) => vec![name],
        None => server::collections(context).await?,
    };
    let mut texts = Vec::new();
    for name in names {
        let held = server::held(&name, context).await?;
        let Some(definition) = held.definition else {
            if is_one {
                return Err(Failure::Data(format!("{name}: no such collection is declared")));
            }
            continue;
        };
        let text = definition::text(&definition.text);
        texts.push((name, text.map_err(|error| Failure::Data(error.to_string()))?));
    }
    if let Some(folder) = args.folder {
        fs::create_dir_all(&folder).map_err(|error| Failure::file(&folder, error))?;
        for (name, text) in &texts {
            // A name may hold what would lead elsewhere.
            let file = folder.join(format!("{}.schema.json", name.replace(['/', '\\'], "_")));
            fs::write(&file, text).map_err(|error| Failure::file(&file, error))?;
        }
    } else if is_one {
        line(&texts.into_iter().map(|(_, text)| text).collect::<String>())?;
    } else {
        let texts: Vec<&str> = texts.iter().map(|(_, text)| text.trim_end()).collect();
        line(&format!("[{}]\n", texts.join(",\n")))?;
    }
    Ok(Outcome::Done)
}

async fn diff(args: DiffArgs, context: &Context) -> Result<Outcome, Failure> {
    let wanted = files::read(&args.files)?;
    let plans = Plan::of_all(&wanted, context).await?;
    let json = json!({ "collections": plans.iter().map(Plan::json).collect::<Vec<_>>() });
    context.out.emit(&json, || plans.iter().map(Plan::told).collect())?;
    Ok(if plans.iter().all(Plan::is_done) { Outcome::Done } else { Outcome::Found })
}
