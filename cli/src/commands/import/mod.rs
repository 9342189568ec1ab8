//! `folio import`.
//!
//! A thread of its own reads (`source`, with `lines`, `array` and `records` for the formats), finds ids (`ids`) and makes
//! commands (`read`, `command`); they come as batches over a short queue to `load`, which has several of them under way and
//! settles them in their order. `ledger` counts, and has the rejected lines (`reject`) and how far it is (`resume`) written.
//! Keys of RedisJSON come over the same queue (`redisjson`).

mod array;
mod batch;
mod command;
mod declare;
mod ids;
mod ledger;
mod lines;
mod load;
mod mongo;
mod places;
mod progress;
pub mod read;
mod records;
mod redisjson;
mod reject;
mod resume;
pub mod source;
mod summary;
pub mod target;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::sync::mpsc;

use command::{Mode, Ttl};
use ids::Ids;
use ledger::{Counts, Ledger};
use load::{End, Loader, Retry};
use places::Places;
use progress::Progress;
use read::Plan;
use reject::Rejects;
use resume::{Identity, State, StateFile};
use source::{Format, is_lasting, is_stdin};
use target::Target;

use crate::context::Context;
use crate::interrupt::Interrupt;
use crate::outcome::{Failure, Outcome};

const HELP: &str = "\
Ids:
  A document's key is the collection's prefix and its id. --id names the field that holds the id, a string or an integer. Else
  the first document decides: if it has a member `_id` or `id`, every document's id is its `_id`, which is taken out of it
  (Folio tells it as metadata), or else its `id`, which stays. That reads what `folio export` writes. If it has neither, the
  server makes ids, provided that the collection is declared.

Tables:
  The header gives the names of members; a.b leads into an object. An empty value is left out. Where the path is declared, its
  type decides what a value becomes: int and float a number, bool true or false, json and arrays JSON, all others a string.
  Else plain numbers (1.10, not 007 or 1e5), true, false, null, and JSON arrays and objects are such; the rest are strings.

MongoDB:
  --mongo reads extended JSON: $oid, $uuid and $symbol become strings, $numberInt, $numberLong and $numberDouble numbers,
  $numberDecimal a string with all its digits, $date an instant in UTC. Other types stay as they are.

Interruption:
  How far an import is stands in the state file, which is removed when the import has ended. After ctrl-c, a crash or a lost
  connection --resume goes on behind the last line that is known to be done. Lines that were under way when it crashed are sent
  again: with --mode replace, merge and skip that does no harm; with --mode insert they are rejected as EXISTS if they had been
  written; and documents whose ids the server makes may be there twice. A connection that breaks is opened anew for a minute
  with --mode replace and merge; else the import stops there. --resume takes the same files, server and options again, and is
  refused where they differ. An import from a pipe or a device cannot go on; one from standard input can, where --state names a
  file and the same is given once more.

Exit codes: 4 if lines were rejected, 130 if it was interrupted.";

/// Read documents from JSON lines, a JSON array, CSV or another module's keys into a collection.
///
/// Numbers and strings reach the server as they are written, digit for digit. A line is loaded whole or not at all; one that is
/// not is told by its number, and written with the reason to the file of rejected lines.
#[derive(clap::Args)]
#[command(after_long_help = HELP)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Args {
    /// Files to read, plain or compressed by gzip; `-` is standard input
    #[arg(value_name = "FILE", required_unless_present = "from_redisjson")]
    files: Vec<PathBuf>,
    /// The collection to write to
    #[arg(long, short, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    collection: String,
    /// The format, if name and first byte do not tell it
    #[arg(long)]
    format: Option<Format>,
    /// Keep all values of tables as strings
    #[arg(long)]
    csv_strings: bool,
    /// Read extended JSON, as mongoexport writes it
    #[arg(long)]
    mongo: bool,
    /// The field whose value is the id: a path such as sku or product.sku
    #[arg(long, value_name = "FIELD")]
    id: Option<String>,
    /// Let the server make ids, whatever documents hold
    #[arg(long, conflicts_with_all = ["id", "mode"])]
    server_ids: bool,
    /// What happens to a document whose key holds one already
    #[arg(long, value_enum, default_value_t = Mode::Replace)]
    mode: Mode,
    /// Declare the collection, if it is not, by what the first 1,000 documents look like
    #[arg(long)]
    infer: bool,
    /// Seconds that documents are to live
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    ttl: Option<u64>,
    /// Where rejected lines go [default: <first FILE>.rejects.jsonl; of a dry run nowhere]
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Stop when more lines than these are rejected
    #[arg(long, value_name = "N")]
    max_errors: Option<u64>,
    /// Go on with an import that was interrupted
    #[arg(long)]
    resume: bool,
    /// Where an import notes how far it is [default: <first FILE>.import-state.json]
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Read and check, and write nothing to the server
    #[arg(long)]
    dry_run: bool,
    /// Documents that are sent together
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = at_least_one)]
    batch: usize,
    /// How many such batches may be under way
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = at_least_one)]
    pipelines: usize,
    /// Read the keys that fit a pattern and hold documents of RedisJSON, with their TTLs
    #[arg(
        long,
        value_name = "PATTERN",
        conflicts_with_all = ["files", "id", "server_ids", "format", "mongo", "csv_strings", "resume", "state", "ttl", "infer"]
    )]
    from_redisjson: Option<String>,
    /// The server with the keys of RedisJSON, if it is another one
    #[arg(long, value_name = "URL", requires = "from_redisjson")]
    source_url: Option<String>,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count) if count > 0 => Ok(count),
        _ => Err("not a number above 0".into()),
    }
}

pub async fn run(args: Args, context: &Context) -> Result<Outcome, Failure> {
    if args.files.iter().filter(|path| is_stdin(path)).count() > 1 {
        return Err(Failure::Usage("standard input can be read once".into()));
    }
    let mut interrupt = Interrupt::expect()?;
    let mut target = tokio::select! {
        target = Target::ask(context, &args.collection) => target?,
        () = interrupt.comes() => return Ok(Outcome::Interrupted),
    };
    let taken = Arc::new(AtomicU64::new(0));
    let mut ledger = ledger(&args, context, &taken)?;
    if !target.is_declared && args.infer {
        target = inferred(&args, target, &ledger, context).await?;
    } else if !target.is_declared {
        let name = &target.collection;
        let hint = format!("{name} is not declared: no types are checked (--infer declares it)");
        ledger.progress.note(&hint);
    }
    let connection = if args.dry_run { None } else { Some(load::connect(context).await?) };
    if args.resume {
        ledger.rejects.resume(ledger.state.rejects_bytes)?;
    } else if args.rejects.is_none() {
        ledger.rejects.remove()?;
    }
    ledger.save()?;
    let (sender, feed) = mpsc::channel(args.pipelines);
    let pipelines = args.pipelines;
    if let Some(pattern) = &args.from_redisjson {
        let source = redisjson::Keys::connect(context, args.source_url.as_deref(), pattern);
        let source = source.await?;
        tokio::spawn(source.read(target, args.mode, args.batch, sender));
    } else {
        let plan = plan(&args, target, &ledger.state, taken);
        std::thread::spawn(move || plan.read(&sender));
    }
    let retry = Retry::default();
    let loader = Loader { context, connection, ledger: &mut ledger, pipelines, interrupt, retry };
    let ended = loader.run(feed).await;
    finish(ended, &mut ledger, context)
}

/// Declares the collection by what the files hold, unless nothing is to be written.
async fn inferred(
    args: &Args,
    target: Target,
    ledger: &Ledger,
    context: &Context,
) -> Result<Target, Failure> {
    let plan = plan(args, target, &ledger.state, Arc::default());
    let proposal = declare::propose(&plan)?;
    for warning in &proposal.warnings {
        ledger.progress.note(warning);
    }
    ledger.progress.note(&proposal.command());
    if args.dry_run {
        return Ok(plan.target);
    }
    declare::declare(&proposal, context).await?;
    Target::ask(context, &args.collection).await
}

fn plan(args: &Args, target: Target, state: &State, taken: Arc<AtomicU64>) -> Plan {
    let ids = match &args.id {
        Some(path) => Some(Ids::field(path)),
        None => args.server_ids.then_some(Ids::Server),
    };
    Plan {
        files: args.files.clone(),
        format: args.format,
        keeps_strings: args.csv_strings,
        is_mongo: args.mongo,
        ids,
        target,
        mode: args.mode,
        ttl: args.ttl.map_or(Ttl::Declared, Ttl::Seconds),
        batch: args.batch,
        from: (state.input, state.lines),
        taken,
    }
}

/// Where accounts are kept: as they stood if an import goes on.
fn ledger(args: &Args, context: &Context, taken: &Arc<AtomicU64>) -> Result<Ledger, Failure> {
    let inputs: Vec<Identity> =
        args.files.iter().map(|path| Identity::of(path)).collect::<Result<_, _>>()?;
    if let Some(path) = args.files.iter().find(|path| !is_stdin(path) && !is_lasting(path))
        && args.resume
    {
        let path = path.display();
        return Err(Failure::Usage(format!(
            "--resume reads files again: {path} is no regular file"
        )));
    }
    let places = Places::of(args)?;
    // Of pipes and of keys nobody knows how much there is.
    let is_known = !inputs.is_empty() && args.files.iter().all(|path| is_lasting(path));
    let bytes = is_known.then(|| inputs.iter().map(|input| input.bytes).sum());
    let progress = Progress::new(context, bytes, taken);
    let options = places.options(args, context);
    let collection = args.collection.clone();
    let mut state = State { collection, inputs, options, ..State::default() };
    let file = places.state.map(StateFile::new);
    match &file {
        Some(file) if args.resume => {
            state = file.resume(&state)?;
            state.counts.read_before = state.counts.read;
        }
        Some(file) if file.load().is_ok_and(|found| found.is_some()) => {
            let path = file.path().display();
            progress
                .note(&format!("{path} is of an import that was interrupted; this begins anew"));
        }
        None if args.resume => {
            let why = "--resume goes with a file, or with --state; and not with --dry-run";
            return Err(Failure::Usage(why.into()));
        }
        _ => {}
    }
    let mut ledger = Ledger::new(state, Rejects::new(places.rejects), progress, args.mode);
    (ledger.file, ledger.max_errors, ledger.is_dry) = (file, args.max_errors, args.dry_run);
    Ok(ledger)
}

/// Says how it went.
fn finish(
    ended: Result<End, Failure>,
    ledger: &mut Ledger,
    context: &Context,
) -> Result<Outcome, Failure> {
    ledger.progress.finish();
    ledger.rejects.flush()?;
    let is_whole = matches!(ended, Ok(End::Whole));
    match &ledger.file {
        Some(file) if is_whole => file.remove()?,
        Some(_) => {
            ledger.save()?;
            ledger.progress.note("--resume goes on where it stopped");
        }
        None => {}
    }
    if !matches!(ended, Err(Failure::Usage(_))) {
        summary::tell(ledger, context)?;
    }
    let Counts { rejected, .. } = ledger.state.counts;
    match ended? {
        End::Interrupted => Ok(Outcome::Interrupted),
        End::TooMany => {
            let most = ledger.max_errors.unwrap_or_default();
            Err(Failure::Data(format!(
                "stopped: {rejected} lines rejected, --max-errors is {most}"
            )))
        }
        End::Whole if rejected > 0 => Ok(Outcome::Found),
        End::Whole => Ok(Outcome::Done),
    }
}
