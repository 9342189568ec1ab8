//! `folio query`.

use std::time::Instant;

use folio::Folio;
use folio::redis::Value;

use crate::ask::question::{Question, Verb};
use crate::ask::{Answer, Parameters, Style};
use crate::context::Context;
use crate::outcome::{Failure, Outcome};
use crate::output::{line, note, show, width};

/// How many documents are shown if nobody says how many.
pub const ROWS_DEFAULT: u64 = 100;

/// Ask for documents.
///
/// folio query users "age > $min AND city = 'Rome'" --param min=18 --order age:desc --limit 10
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Args {
    /// The collection
    collection: String,
    /// Which documents: a filter, such as "age > 30 AND tags HAS 'vip'"; all of them without it
    filter: Option<String>,
    /// A value of the filter's parameter $NAME: JSON, or else text
    #[arg(long = "param", short, value_name = "NAME=VALUE")]
    params: Vec<String>,
    /// What the rows are ordered by: a path, or path:desc
    #[arg(long, short, value_name = "PATH[:desc]", value_delimiter = ',')]
    order: Vec<String>,
    /// How many rows at most
    #[arg(long, short = 'n', default_value_t = ROWS_DEFAULT)]
    limit: u64,
    /// How many rows are left out before
    #[arg(long, default_value_t = 0)]
    offset: u64,
    /// The cursor that an answer ended with: go on behind it
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
    /// Only these paths of each document
    #[arg(long, short, value_name = "PATH", value_delimiter = ',')]
    select: Vec<String>,
    /// How many there are in all
    #[arg(long)]
    total: bool,
    /// The version of each document
    #[arg(long)]
    versions: bool,
    /// Documents that are marked as deleted too
    #[arg(long)]
    deleted: bool,
    /// Read documents one by one where no index answers, however many there are
    #[arg(long)]
    scan: bool,
    /// How many documents there are, and none of them
    #[arg(long, conflicts_with_all = ["order", "select", "after", "offset", "total", "versions"])]
    count: bool,
    /// How the server would answer, without asking
    #[arg(long)]
    explain: bool,
    /// How the server did answer, step by step
    #[arg(long, conflicts_with = "explain")]
    profile: bool,
    /// How documents are shown
    #[arg(long, value_enum, default_value = "auto")]
    style: Style,
}

impl Args {
    fn question(&self) -> Question {
        let verb = if self.count { Verb::Count } else { Verb::Find };
        let order = self.order.iter().map(|path| {
            // A name in back-quotes may hold a colon, but ends with none of these.
            match path.rsplit_once(':') {
                Some((path, "desc")) => (path.to_owned(), true),
                Some((path, "asc")) => (path.to_owned(), false),
                _ => (path.clone(), false),
            }
        });
        Question {
            filter: self.filter.clone(),
            order: order.collect(),
            select: self.select.clone(),
            limit: (!self.count).then_some(self.limit),
            offset: self.offset,
            after: self.after.clone(),
            scan: self.scan,
            total: self.total && !self.count,
            version: self.versions && !self.count,
            deleted: self.deleted,
            ..Question::new(verb, &self.collection)
        }
    }
}

pub async fn run(args: Args, context: &Context) -> Result<Outcome, Failure> {
    let mut parameters = Parameters::default();
    for text in &args.params {
        parameters.take(text).map_err(|what| Failure::Usage(format!("--param: {what}")))?;
    }
    let question = args.question();
    let words = if args.explain || args.profile {
        question.explained(args.profile, &parameters)
    } else {
        question.words(&parameters)
    };
    let words = words.map_err(|fault| {
        Failure::Usage(format!("the filter: {} at position {}", fault.what, fault.position))
    })?;
    let begun = Instant::now();
    let answer = Answer::read(&words[0], send(&context.db, &words).await?);
    let time = begun.elapsed();
    if context.out.is_json() {
        line(&answer.to_json())?;
        return Ok(Outcome::Done);
    }
    let shown = answer.show(args.style, width());
    if args.style == Style::Json {
        line(&shown)?;
    } else {
        show(&shown)?;
    }
    if !context.options.quiet {
        note(&summary(&answer, time.as_secs_f64() * 1000.0));
        if let Some(cursor) = answer.cursor() {
            note(&format!("there are more: --limit N, or go on with --after {cursor}"));
        }
    }
    Ok(Outcome::Done)
}

/// Sends a command that may change something, if it is one that does.
pub async fn send(db: &Folio, words: &[String]) -> Result<Value, Failure> {
    let (name, rest) = words.split_first().ok_or_else(|| Failure::Usage("no command".into()))?;
    let reads = ["FIND", "KEYS", "COUNT", "EXISTS", "DISTINCT", "AGGREGATE", "EXPLAIN", "GET"];
    let is_read = name
        .to_ascii_uppercase()
        .strip_prefix("DOC.")
        .is_some_and(|command| reads.contains(&command));
    let call = db.cmd(name).arg(rest);
    Ok(if is_read { call.read_value().await? } else { call.query_value().await? })
}

/// How many rows, of how many, and how long it took as the client sees it.
pub fn summary(answer: &Answer, milliseconds: f64) -> String {
    let rows = answer.len().map_or(String::new(), |rows| {
        let of = match answer {
            Answer::Rows { total: Some(total), .. } => format!(" of {total}"),
            _ => String::new(),
        };
        format!("{rows}{of} row{}, ", if rows == 1 { "" } else { "s" })
    });
    format!("({rows}{milliseconds:.2} ms)")
}
