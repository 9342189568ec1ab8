//! `DOC.UPDATEMANY`, `DOC.DELETEMANY`, `DOC.CLAIM`: writes to the documents that a filter holds of, all or none.
//!
//! ```text
//! find             the keys, as a FIND with the same filter, order and limit gives them
//! open each key    what lapses meanwhile is passed over
//! operations       on each document's text; the first that is refused refuses all
//! write            `write::write_all`
//! ```

use folio_engine::doc::Parsed;
use folio_engine::exec::{self, Find};
use folio_engine::{Code, Error, Limits, Result};

use super::args::{of_document, syntax};
use super::get::WITH_VERSION;
use super::operations::Operations;
use super::query::{Query, next_option};
use super::update::{Budget, edited};
use super::write::{Change, Outcome, Planned, Purpose, Refused, Target, write_all};
use super::{Answer, Args, Refusal, slowlog};
use crate::config;
use crate::ffi::{Ctx, OwnedString};

/// Documents that one command changes: beyond it others wait too long.
pub(super) const DOCUMENTS_MAX: usize = 10_000;

/// What one of these commands was asked.
struct Request<'a> {
    query: Query<'a>,
    /// How many documents at most.
    limit: Option<u64>,
    operations: Operations,
    /// Rows show documents as they were.
    returns_old: bool,
}

const DELETE: &[&str] = &["WHERE", "PARAMS", "ORDER", "LIMIT", "SCAN", "TIMEOUT"];
const UPDATE: &[&str] = DELETE;
const CLAIM: &[&str] =
    &["WHERE", "PARAMS", "ORDER", "LIMIT", "SCAN", "TIMEOUT", "RETURN", WITH_VERSION];

impl<'a> Request<'a> {
    /// Reads options and, for those that update, operations, in any order.
    fn read(
        args: &mut Args<'a>,
        names: &[&'static str],
        updates: bool,
        limits: &Limits,
    ) -> Result<Self> {
        let mut request = Request {
            query: Query::default(),
            limit: None,
            operations: Operations::default(),
            returns_old: false,
        };
        while args.peek().is_some() {
            if updates && request.operations.read(args, limits)? {
                continue;
            }
            match next_option(args, names)? {
                Some("LIMIT") => request.limit = Some(read_limit(args)?),
                Some("RETURN") => request.returns_old = read_return(args)?,
                Some(name) => request.query.take(name, args, limits)?,
                None => break,
            }
        }
        request.query.expect_filter()?;
        if updates {
            request.operations.expect_some()?;
        }
        Ok(request)
    }

    /// The keys of the documents, and the time of the search.
    fn keys(
        &self,
        ctx: &Ctx<'_>,
        name: &str,
        limit: Option<u64>,
    ) -> Result<(Vec<OwnedString>, i64), Refusal> {
        slowlog::timed_for_writing(ctx, name, &self.query, |collection, find, means| {
            let most = DOCUMENTS_MAX as u64;
            let wanted = limit.unwrap_or(u64::MAX).min(most + 1);
            let find = Find { limit: Some((0, wanted)), ..find.clone() };
            let found = exec::find(collection, &find, means)?;
            if found.ids.len() as u64 > most {
                let what = format!(
                    "the filter holds of more than {most} documents, the limit of one command: use LIMIT"
                );
                return Err(Error::new(Code::Limited, what));
            }
            let mut key = Vec::new();
            let keys = found.ids.iter().map(|id| {
                collection.key(*id, &mut key);
                OwnedString::new(&key)
            });
            Ok((keys.collect(), collection.now_ms()))
        })
    }
}

/// How many documents at most. Error: `LIMITED`, where that is more than a command changes.
fn read_limit(args: &mut Args<'_>) -> Result<u64> {
    let limit = args.unsigned("LIMIT")?;
    if limit <= DOCUMENTS_MAX as u64 {
        return Ok(limit);
    }
    let what = format!("LIMIT {limit} exceeds the {DOCUMENTS_MAX} documents of one command");
    Err(Error::new(Code::Limited, what))
}

/// Whether OLD follows RETURN, and not NEW.
fn read_return(args: &mut Args<'_>) -> Result<bool> {
    match args.keyword(&["NEW", "OLD"]) {
        Some(word) => Ok(word == "OLD"),
        None => Err(syntax("RETURN takes NEW or OLD")),
    }
}

/// Opens the keys, as of the instant of the search; what the server has let lapse meanwhile is left out.
fn opened<'c>(
    ctx: &'c Ctx<'c>,
    keys: &'c [OwnedString],
    now_ms: i64,
) -> Result<Vec<Target<'c>>, Refusal> {
    let mut targets: Vec<Target<'c>> = Vec::with_capacity(keys.len());
    for key in keys {
        let target = Target::open_at(ctx, key.argument(), now_ms)?;
        if target.old.is_some() {
            targets.push(target);
        }
    }
    Ok(targets)
}

/// What the operations make of each document.
fn updated<'c>(
    targets: Vec<Target<'c>>,
    operations: &Operations,
    limits: &Limits,
) -> Result<Vec<Planned<'c>>> {
    let (mut planned, mut bytes) = (Vec::with_capacity(targets.len()), 0);
    let mut budget = Budget::default();
    for target in targets {
        let key = target.name.bytes();
        let ttl = operations.ttl(target.now_ms)?;
        let mut parsed = Parsed::default();
        edited(&target, operations, limits, &mut budget)
            .and_then(|edited| {
                bytes += edited.text.len();
                edited.parse(&mut parsed, limits)
            })
            .inspect_err(|error| target.refused(error))
            .map_err(|it| of_document(key, it))?;
        if bytes > limits.query_bytes_max {
            let most = limits.query_bytes_max;
            let what = format!(
                "the documents have more than {most} bytes together (folio.query-bytes-max): use LIMIT"
            );
            let error = Error::new(Code::Limited, what);
            target.refused(&error);
            return Err(error);
        }
        let change = Change::Put { parsed, ttl, purpose: Purpose::Update };
        planned.push(Planned { target, change });
    }
    Ok(planned)
}

/// Makes the writes, all or none; an error names the document.
pub(super) fn write(planned: &[Planned<'_>]) -> Result<Vec<Outcome>, Refusal> {
    write_all(planned).map_err(|Refused { at, refusal }| match (refusal, planned.get(at)) {
        (Refusal::Error(error), Some(write)) => {
            of_document(write.target.name.bytes(), error).into()
        }
        (refusal, _) => refusal,
    })
}

fn reply_counts(ctx: &Ctx<'_>, matched: usize, changed: usize) {
    ctx.reply_map(2);
    ctx.reply_bytes(b"matched");
    ctx.reply_count(matched as u64);
    ctx.reply_bytes(b"changed");
    ctx.reply_count(changed as u64);
}

/// Updates every document that a filter holds of.
pub(super) fn update(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let (limits, name) = (config::limits(), args.text("collection")?);
    let request = Request::read(args, UPDATE, true, &limits)?;
    let (keys, now_ms) = request.keys(ctx, name, request.limit)?;
    let targets = opened(ctx, &keys, now_ms)?;
    let planned = updated(targets, &request.operations, &limits)?;
    let outcomes = write(&planned)?;
    let changed = outcomes.iter().filter(|outcome| outcome.document().is_some()).count();
    reply_counts(ctx, planned.len(), changed);
    Ok(())
}

/// Removes every document that a filter holds of.
pub(super) fn delete(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let (limits, name) = (config::limits(), args.text("collection")?);
    let request = Request::read(args, DELETE, false, &limits)?;
    let (keys, now_ms) = request.keys(ctx, name, request.limit)?;
    let targets = opened(ctx, &keys, now_ms)?.into_iter();
    let planned: Vec<_> =
        targets.map(|target| Planned { target, change: Change::Remove }).collect();
    write(&planned)?;
    reply_counts(ctx, planned.len(), planned.len());
    Ok(())
}

/// Finds documents and updates them in one step.
pub(super) fn claim(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let (limits, name) = (config::limits(), args.text("collection")?);
    let request = Request::read(args, CLAIM, true, &limits)?;
    let (keys, now_ms) = request.keys(ctx, name, Some(request.limit.unwrap_or(1)))?;
    let targets = opened(ctx, &keys, now_ms)?;
    let planned = updated(targets, &request.operations, &limits)?;
    let outcomes = write(&planned)?;
    ctx.reply_map(1);
    ctx.reply_bytes(b"results");
    ctx.reply_array(planned.len());
    for (Planned { target, .. }, outcome) in planned.iter().zip(&outcomes) {
        let old = target.old.as_ref();
        let shown = if request.returns_old { old } else { outcome.document().or(old) };
        ctx.reply_array(2 + usize::from(request.query.with_version));
        ctx.reply_bytes(target.name.bytes());
        match shown {
            Some(document) => ctx.reply_bytes(document.text()),
            None => ctx.reply_null(),
        }
        if request.query.with_version {
            ctx.reply_count(outcome.version());
        }
    }
    Ok(())
}
