//! `folio watch`.

use std::fmt::Write as _;
use std::time::Duration;

use folio::watch::{Change, Changes, Event, Token, Watch};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::context::Context;
use crate::outcome::{Failure, Outcome};
use crate::output::json::json;
use crate::output::{inline, line, note, show};

/// Follow the changes of a collection.
///
/// The collection has to be declared with CHANGES: DOC.ALTER users SET CHANGES AFTER. Each change has a token; --after TOKEN goes
/// on behind it, also after a restart of the server. What the stream has lost since is told as a gap.
#[derive(clap::Args)]
pub struct Args {
    /// The collection
    collection: String,
    /// Begin with the oldest change that the stream holds
    #[arg(long, conflicts_with = "after")]
    from_oldest: bool,
    /// Go on behind the change that has this token
    #[arg(long, value_name = "TOKEN")]
    after: Option<Token>,
    /// End after so many changes
    #[arg(long, short = 'n', value_name = "CHANGES")]
    count: Option<u64>,
    /// End when so many seconds have brought no change
    #[arg(long, value_name = "SECONDS")]
    idle: Option<u64>,
}

type Text = Box<RawValue>;

/// A change as programs read it.
#[derive(Serialize)]
struct Told<'c> {
    op: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    key: &'c str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'c str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    token: String,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    paths: &'c [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<&'c Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<&'c Text>,
    /// How many changes a gap is of, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    missed: Option<u64>,
}

pub async fn run(args: Args, context: &Context) -> Result<Outcome, Failure> {
    declared(&args.collection, context).await?;
    let watch = Watch::<Text>::of(&args.collection);
    let watch = match (args.after, args.from_oldest) {
        (Some(token), _) => watch.resume_after(token),
        (None, true) => watch.from_oldest(),
        (None, false) => watch,
    };
    let mut changes = watch.open(&context.db).await?;
    if !context.options.quiet && !context.out.is_json() {
        note(&format!("following {}, ctrl-c ends it", args.collection));
    }
    let mut shown = 0_u64;
    while args.count.is_none_or(|count| shown < count) {
        tokio::select! {
            change = next(&mut changes, args.idle) => match change? {
                Some(change) => tell(&change, context)?,
                None => return Ok(Outcome::Done),
            },
            ended = tokio::signal::ctrl_c() => {
                ended?;
                return Ok(Outcome::Done);
            }
        }
        shown += 1;
    }
    Ok(Outcome::Done)
}

/// Where nothing is declared, nothing would ever come.
async fn declared(collection: &str, context: &Context) -> Result<(), Failure> {
    let info = json(&context.db.cmd("DOC.INFO").arg(collection).read_value().await?);
    if info.get("changes").is_some() {
        return Ok(());
    }
    let ask = if info["declared"] == 1 || info["declared"] == true {
        format!("DOC.ALTER {collection} SET CHANGES AFTER")
    } else {
        format!("DOC.CREATE {collection} CHANGES AFTER")
    };
    Err(Failure::Data(format!(
        "{collection} does not tell of its changes; this declares that it does: {ask}"
    )))
}

/// The next change, or nothing if none comes for so many seconds.
async fn next(
    changes: &mut Changes<Text>,
    idle: Option<u64>,
) -> Result<Option<Change<Text>>, Failure> {
    let Some(seconds) = idle else { return Ok(Some(changes.next().await?)) };
    match tokio::time::timeout(Duration::from_secs(seconds), changes.next()).await {
        Ok(change) => Ok(Some(change?)),
        Err(_) => Ok(None),
    }
}

fn tell(change: &Change<Text>, context: &Context) -> Result<(), Failure> {
    let told = told(change);
    if context.out.is_json() {
        let text =
            serde_json::to_string(&told).map_err(|error| Failure::Data(error.to_string()))?;
        return Ok(line(&text)?);
    }
    let mut text = String::new();
    let time = told.time.as_deref().unwrap_or("");
    let _ = write!(text, "{:>8}  {time}  {:6}  {}", told.token, told.op, told.key);
    if let Some(cause) = told.cause {
        let _ = write!(text, " ({cause})");
    }
    if let Some(missed) = told.missed {
        let _ = write!(text, "{missed} changes were missed: read all anew");
    } else if told.op == "gap" {
        text += "changes were missed: read all anew";
    }
    if !told.paths.is_empty() {
        let _ = write!(text, "  {}", told.paths.join(", "));
    }
    if let Some(document) = told.after.or(told.before) {
        let _ = write!(text, "  {}", document.get());
    }
    Ok(show(&inline(&text))?)
}

fn told(change: &Change<Text>) -> Told<'_> {
    let (op, paths, before, after): (_, &[String], _, _) = match change {
        Change::Insert { after, .. } => ("insert", &[], None, after.as_ref()),
        Change::Update { paths, before, after, .. } => {
            ("update", paths, before.as_ref(), after.as_ref())
        }
        Change::Delete { before, .. } => ("delete", &[], before.as_ref(), None),
        Change::Expire { before, .. } => ("expire", &[], before.as_ref(), None),
        Change::Evict { before, .. } => ("evict", &[], before.as_ref(), None),
        Change::Flush { .. } => ("flush", &[], None, None),
        Change::Gap { .. } => ("gap", &[], None, None),
        // What a stream with a filter tells besides.
        _ => ("change", &[], None, None),
    };
    let event = change.event();
    let missed = match change {
        Change::Gap { missed, .. } => *missed,
        _ => None,
    };
    Told {
        op,
        key: event.map_or("", |event| &event.key),
        version: event.map(|event| event.version),
        cause: event.and_then(|event| event.cause.as_deref()),
        time: event.and_then(time),
        token: change.token().to_string(),
        paths,
        before,
        after,
        missed,
    }
}

/// The instant, to the millisecond, as RFC 3339 writes it.
fn time(event: &Event) -> Option<String> {
    Timestamp::try_from(event.time).ok().map(|time| format!("{time:.3}"))
}
