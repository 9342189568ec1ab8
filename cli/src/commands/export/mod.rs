//! `folio export`: reads pages (`pages`), writes lines or a table (`lines`, `table`) to a place that is whole or not there
//! (`sink`).

mod lines;
mod pages;
mod sink;
mod table;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::builder::NonEmptyStringValueParser;
use indicatif::{HumanBytes, HumanCount, ProgressBar};
use serde_json::json;

use lines::{Ids, Lines};
use pages::{Page, Pages};
use sink::{Sink, is_stdout};
use table::Table;

use crate::context::Context;
use crate::interrupt::Interrupt;
use crate::outcome::{Failure, Outcome};
use crate::output::note;

const HELP: &str = "\
Ids:
  What is written is what `folio import` reads: the same documents come back under the same keys. A document whose member `id`
  is its id is written as it is; any other one gets its id as its first member, `_id`, which the import takes out again. One
  that has a member `_id` itself is written as {\"_id\":..,\"_document\":{..}}. --id-field puts the id into a member of another
  name, where the document has none of that name; --no-ids writes nothing but documents; --with-keys writes every line as
  {\"_key\":..,\"_id\":..,\"_document\":{..}}.

Tables:
  The columns are `_id`, the id in the key, and those of --select; else the top-level members that are declared, and those of
  the documents of the first page. A member `_id` has no column, unless --id-field names it. Arrays and objects are JSON text,
  null is null, what is missing is empty. A value that has no column is left out: then it is told how many were, and the exit
  code is 4. A table does not tell 1 from \"1\": folio import goes by the declared types, and JSON lines lose nothing.

While others write:
  Pages are read one after the other. A document that nobody writes meanwhile comes exactly once; without --order one that is
  changed too, in its old state or its new one; one that is born or removed meanwhile may come or not, and with --order one whose
  values in that order change may come not at all or twice. It is no snapshot. Of --order on a field without a sorted index each page
  is sorted anew. TTLs are not written.";

/// Write the documents of a collection as JSON lines or CSV.
///
/// Documents are written as the server holds them, numbers digit for digit.
#[derive(clap::Args)]
#[command(after_long_help = HELP)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Args {
    /// The collection to read
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    collection: String,
    /// Only documents that a filter holds of, such as 'age > 30'
    #[arg(long = "where", value_name = "FILTER")]
    filter: Option<String>,
    /// The value of a parameter $name of the filter, as JSON: min=18, name='"Ada"'
    #[arg(long = "param", value_name = "NAME=JSON", value_parser = parameter)]
    params: Vec<(String, String)>,
    /// In the order of a field; else by birth
    #[arg(long, value_name = "FIELD")]
    order: Option<String>,
    /// The greatest first
    #[arg(long, requires = "order")]
    desc: bool,
    /// So many documents at most
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Only these fields, with commas between their paths
    #[arg(long, value_name = "PATH,..", value_delimiter = ',')]
    select: Vec<String>,
    /// The format; without it the ending of the file's name tells it, and JSON lines are written else
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// The file to write; `-` is standard output
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    output: PathBuf,
    /// Compress by gzip
    #[arg(long)]
    gzip: bool,
    /// The member that documents have their ids in
    #[arg(long, value_name = "NAME", conflicts_with_all = ["with_keys", "no_ids"])]
    id_field: Option<String>,
    /// Keys beside documents
    #[arg(long, conflicts_with = "no_ids")]
    with_keys: bool,
    /// Nothing but the documents
    #[arg(long)]
    no_ids: bool,
    /// Documents that are marked as deleted too
    #[arg(long)]
    with_deleted: bool,
}

/// How documents are written.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// A document on each line
    Jsonl,
    /// An array of documents
    Json,
    /// Values between commas, names in the first line
    Csv,
}

fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => {
            Ok((name.trim_start_matches('$').into(), value.into()))
        }
        _ => Err("not NAME=JSON".into()),
    }
}

impl Args {
    fn format(&self) -> Format {
        let name = self.output.to_string_lossy().to_ascii_lowercase();
        let by_name = match name.trim_end_matches(".gz").rsplit_once('.') {
            Some((_, "csv")) => Format::Csv,
            Some((_, "json")) => Format::Json,
            _ => Format::Jsonl,
        };
        self.format.unwrap_or(by_name)
    }
}

pub async fn run(args: Args, context: &Context) -> Result<Outcome, Failure> {
    let mut interrupt = Interrupt::expect()?;
    let started = Instant::now();
    let mut pages = Pages::new(&args, context);
    let first =
        async { Ok::<_, Failure>((definition(&args, context).await?, pages.next(None).await?)) };
    let (definition, mut page) = tokio::select! {
        first = first => first?,
        () = interrupt.comes() => return Ok(Outcome::Interrupted),
    };
    let mut form = Form::new(&args, &definition, &page)?;
    let mut sink = Sink::open(&args.output, args.gzip)?;
    let progress = Progress::new(context);
    form.begin(&mut sink)?;
    loop {
        // The server works on the next page while this one is written.
        let cursor = page.cursor.clone();
        let next = async {
            match &cursor {
                Some(cursor) => pages.next(Some(cursor)).await.map(Some),
                None => Ok(None),
            }
        };
        let written = async { form.write(&page, &mut sink) };
        let (next, written) = tokio::select! {
            both = async { tokio::join!(next, written) } => both,
            () = interrupt.comes() => return Ok(Outcome::Interrupted),
        };
        written?;
        progress.add(&page);
        let Some(next) = next? else { break };
        page = next;
    }
    form.end(&mut sink)?;
    sink.finish()?;
    progress.finish();
    told(&args, context, pages.written(), started.elapsed())?;
    match form.left_out() {
        0 => Ok(Outcome::Done),
        count => {
            note(&format!(
                "folio: {count} values have no column, and were left out: --select names columns"
            ));
            Ok(Outcome::Found)
        }
    }
}

async fn definition(args: &Args, context: &Context) -> Result<serde_json::Value, Failure> {
    let text: String = context.db.cmd("DOC.SCHEMA").arg(&args.collection).read().await?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::Data(format!("DOC.SCHEMA {}: {error}", args.collection)))
}

fn told(args: &Args, context: &Context, count: u64, took: Duration) -> Result<(), Failure> {
    let is_stdout = is_stdout(&args.output);
    if context.options.json && !is_stdout {
        let path = args.output.display().to_string();
        let seconds = (took.as_secs_f64() * 1e3).round() / 1e3;
        let summary = json!({ "written": count, "seconds": seconds, "output": path });
        crate::output::line(&summary.to_string())?;
    } else if !context.options.quiet && !context.options.json && !is_stdout {
        note(&format!("folio: {count} documents in {:.1} s", took.as_secs_f64()));
    }
    Ok(())
}

/// What documents are written as.
enum Form {
    Lines(Lines),
    Table(Table),
}

impl Form {
    fn new(args: &Args, definition: &serde_json::Value, first: &Page) -> Result<Self, Failure> {
        let prefix = definition["prefix"].as_str().unwrap_or_default();
        if args.format() == Format::Csv {
            if args.with_keys {
                return Err(Failure::Usage("--with-keys is for JSON".into()));
            }
            let id = match &args.id_field {
                _ if args.no_ids => table::Ids::None,
                Some(name) => table::Ids::Field(name.clone()),
                None => table::Ids::Key,
            };
            return Ok(Self::Table(Table::new(prefix, id, &args.select, definition, first)?));
        }
        let ids = match &args.id_field {
            _ if args.with_keys => Ids::WithKeys,
            _ if args.no_ids => Ids::None,
            None => Ids::WhereNeeded,
            Some(name) => Ids::Field(name.clone()),
        };
        Ok(Self::Lines(Lines::new(prefix, ids, args.format() == Format::Json)))
    }

    fn begin(&mut self, sink: &mut Sink) -> Result<(), Failure> {
        match self {
            Self::Lines(lines) => lines.begin(sink),
            Self::Table(table) => table.begin(sink),
        }
    }

    fn write(&mut self, page: &Page, sink: &mut Sink) -> Result<(), Failure> {
        match self {
            Self::Lines(lines) => lines.write(page, sink),
            Self::Table(table) => table.write(page, sink),
        }
    }

    fn end(&mut self, sink: &mut Sink) -> Result<(), Failure> {
        match self {
            Self::Lines(lines) => lines.end(sink),
            Self::Table(_) => Ok(()),
        }
    }

    /// How many values found no place.
    fn left_out(&self) -> u64 {
        match self {
            Self::Lines(_) => 0,
            Self::Table(table) => table.left_out,
        }
    }
}

/// How far an export is, for somebody who looks.
struct Progress(Option<(ProgressBar, std::cell::Cell<(u64, u64)>)>);

impl Progress {
    fn new(context: &Context) -> Self {
        Self(context.shows_progress().then(|| {
            let bar = ProgressBar::new_spinner();
            bar.enable_steady_tick(Duration::from_millis(200));
            (bar, std::cell::Cell::default())
        }))
    }

    fn add(&self, page: &Page) {
        let Some((bar, sum)) = &self.0 else { return };
        let (count, bytes) = sum.get();
        let (count, bytes) = (count + page.rows.len() as u64, bytes + page.bytes());
        sum.set((count, bytes));
        bar.set_message(format!("{} documents, {}", HumanCount(count), HumanBytes(bytes)));
    }

    fn finish(&self) {
        if let Some((bar, _)) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
