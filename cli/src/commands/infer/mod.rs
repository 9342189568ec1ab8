//! `folio infer`: proposes a declaration for documents.
//!
//! `Profile` counts what stands at each path (`profile`, with `values` and `forms` below it), `Profile::propose` chooses types and
//! indexes (`propose`), and a `Proposal` is told as a table, as a definition and as the command that declares it (`declare`).
//! None of them knows a server.

mod declare;
mod forms;
mod input;
mod profile;
mod propose;
mod values;

use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::NonEmptyStringValueParser;

use crate::commands::import::source::{Format, called};
use crate::commands::schema::definition;
use crate::context::Context;
use crate::outcome::{Failure, Outcome};
use crate::output::{line, note, show, table};

use input::{Input, Seen};
pub use profile::Profile;
pub use propose::{Proposal, Wish};

const HELP: &str = "\
A type is proposed where every value has it, NULLABLE where null was seen. Values of several types
are left undeclared, with a warning. An index is proposed where the field looks as if it were
asked for; each row says why. What documents hold is known, what programs ask for is not: look at
it before you declare it. Nothing is sent to a server.

  folio infer users.jsonl --collection users --json > users.schema.json
  folio schema apply users.schema.json";

/// Lines that are told if they hold no documents.
const BAD_LINES_TOLD: usize = 5;

/// Looks at documents and proposes fields, types and indexes.
#[derive(clap::Args)]
#[command(after_long_help = HELP)]
pub struct Args {
    /// JSON lines, a JSON array, CSV or TSV, also compressed by gzip; `-` is standard input
    file: PathBuf,
    /// The collection that is to be declared
    #[arg(long, short, value_parser = NonEmptyStringValueParser::new())]
    collection: String,
    /// What the keys begin with, if it is not the name and a colon
    #[arg(long)]
    prefix: Option<String>,
    /// How many documents are looked at, from the first on
    #[arg(long, value_name = "COUNT|all", default_value = "1000")]
    sample: Sample,
    /// The format, if name and first byte do not tell it
    #[arg(long)]
    format: Option<Format>,
    /// Read the extended JSON of mongoexport
    #[arg(long)]
    mongo: bool,
    /// The member that documents have their ids of: it gets no index, as the key is known by it
    #[arg(long, value_name = "FIELD")]
    id: Option<String>,
    /// Propose REQUIRED where every document has the field, and ENUM where a few values repeat
    #[arg(long)]
    strict: bool,
}

/// How many documents are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sample {
    First(u64),
    All,
}

impl FromStr for Sample {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(count) if count > 0 => Ok(Self::First(count)),
            _ if text.eq_ignore_ascii_case("all") => Ok(Self::All),
            _ => Err("neither a number above 0 nor `all`".into()),
        }
    }
}

impl Sample {
    fn is_enough(self, documents: u64) -> bool {
        matches!(self, Self::First(count) if documents >= count)
    }
}

#[expect(clippy::unused_async, reason = "commands are run alike")]
pub async fn run(args: Args, context: &Context) -> Result<Outcome, Failure> {
    let wish = Wish {
        collection: args.collection,
        prefix: args.prefix,
        id: args.id,
        is_strict: args.strict,
    };
    let input = Input { file: &args.file, format: args.format, is_mongo: args.mongo };
    let Seen { profile, bad, is_whole } = input.profile(args.sample)?;
    if profile.documents == 0 {
        let none = || format!("{}: no documents", called(&args.file));
        return Err(Failure::Data(bad.into_iter().next().unwrap_or_else(none)));
    }
    let proposal = profile.propose(&wish);
    if context.out.is_json() {
        let text = definition::text(&proposal.definition().to_string());
        line(&text.map_err(|error| Failure::Data(error.to_string()))?)?;
    } else {
        show(&told(&proposal, is_whole))?;
    }
    if !context.options.quiet {
        for warning in &proposal.warnings {
            note(&format!("folio: {warning}"));
        }
        for line in bad.iter().take(BAD_LINES_TOLD) {
            note(&format!("folio: {line}"));
        }
        if bad.len() > BAD_LINES_TOLD {
            note(&format!("folio: and {} more are no documents", bad.len() - BAD_LINES_TOLD));
        }
    }
    Ok(if bad.is_empty() { Outcome::Done } else { Outcome::Found })
}

/// The proposal for people.
fn told(proposal: &Proposal, is_whole: bool) -> String {
    let documents = proposal.documents;
    let mut table = table::table(["path", "type", "in", "distinct", "values", "declared", "why"]);
    for field in &proposal.fields {
        let declared = field.declared();
        table.add_row([
            field.path.as_str(),
            field.type_name.as_deref().unwrap_or("-"),
            &percent(field.present, documents),
            &field.distinct,
            &field.examples,
            &declared,
            &field.why,
        ]);
    }
    let of = if is_whole { "all there are" } else { "the first; --sample all looks at all" };
    let command = proposal.command();
    format!("{documents} documents, {of}.\n{table}\n\n{command}\n")
}

fn percent(part: u64, whole: u64) -> String {
    match part * 100 / whole.max(1) {
        0 if part > 0 => "<1 %".into(),
        percent => format!("{percent} %"),
    }
}
