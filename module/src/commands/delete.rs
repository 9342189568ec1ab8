//! `DOC.DEL`, `DOC.UNDELETE`.
//!
//! ```text
//!   DOC.DEL key ..                the key goes
//!   DOC.DEL key .. SOFT           the document stays under its key, marked: absent to whoever does not ask for it
//!   DOC.UNDELETE key ..           the mark goes, if UNIQUE and the declaration allow it
//!   DOC.DEL key .. WITHDELETED    the key goes, whether it is marked or not
//! ```

use std::collections::HashSet;

use folio_engine::Result;

use super::args::syntax;
use super::get::{WITH_DELETED, keys_before, no_key};
use super::many;
use super::write::{AskedTtl, Change, Planned, Target, Ttl};
use super::{Answer, Args, Refusal};
use crate::ffi::{Access, Ctx, Value};
use crate::{changes, clock};

/// The options of DOC.DEL, which are no keys of documents: keys end at the first.
pub(super) const DEL_OPTIONS: [&str; 3] = ["IFVERSION", "SOFT", WITH_DELETED];
/// The same of DOC.UNDELETE.
pub(super) const UNDELETE_OPTIONS: [&str; 1] = ["KEEPTTL"];

/// What DOC.DEL was asked.
#[derive(Debug, Default, PartialEq, Eq)]
struct Request {
    /// How many keys.
    count: usize,
    version: Option<u64>,
    /// They are marked as deleted, and not removed.
    soft: Option<Soft>,
    with_deleted: bool,
}

/// Documents are marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Soft {
    /// When they lapse; none: as before.
    ttl: Option<AskedTtl>,
}

impl Request {
    fn read(args: &mut Args<'_>) -> Result<Self> {
        let count = pass_keys(args, &DEL_OPTIONS)?;
        let mut request = Request { count, ..Request::default() };
        while let Some(name) = args.option(&DEL_OPTIONS)? {
            match name {
                "IFVERSION" => request.version = Some(args.unsigned("IFVERSION")?),
                "SOFT" => request.soft = Some(Soft { ttl: read_ttl(args)? }),
                _ => request.with_deleted = true,
            }
        }
        if request.version.is_some() && count > 1 {
            return Err(syntax(format!("IFVERSION is of one key, and {count} are given")));
        }
        if request.soft.is_some() && request.with_deleted {
            return Err(syntax("SOFT and WITHDELETED exclude each other"));
        }
        Ok(request)
    }
}

/// What may follow SOFT.
fn read_ttl(args: &mut Args<'_>) -> Result<Option<AskedTtl>> {
    let Some(name) = args.keyword(&["EX", "PX"]) else { return Ok(None) };
    Ok(Some(AskedTtl { name, number: args.integer(name)? }))
}

/// Passes the keys, which come first; how many they are.
fn pass_keys(args: &mut Args<'_>, options: &[&str]) -> Result<usize> {
    let count = keys_before(options, args.rest());
    if count == 0 {
        return Err(no_key(args));
    }
    for _ in 0..count {
        args.bytes("key")?;
    }
    Ok(count)
}

/// Opens the keys at one instant, each once. Another type under any of them refuses the whole.
fn opened<'c>(ctx: &'c Ctx<'c>, count: usize) -> Result<Vec<Target<'c>>, Refusal> {
    let now_ms = clock::now_ms();
    let (mut seen, mut targets) = (HashSet::new(), Vec::<Target<'c>>::with_capacity(count));
    for index in 1..=count {
        if !seen.insert(ctx.argument(index).bytes()) {
            continue;
        }
        targets.push(Target::open_at(ctx, ctx.argument(index), now_ms)?);
    }
    Ok(targets)
}

/// Removes documents, or marks them. Another type under any of the keys refuses the whole.
pub(super) fn del(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let request = Request::read(args)?;
    match request.soft {
        Some(Soft { ttl }) => mark(ctx, &request, ttl),
        None => remove(ctx, &request),
    }
}

fn remove(ctx: &Ctx<'_>, request: &Request) -> Answer {
    for index in 1..=request.count {
        if matches!(ctx.open(ctx.argument(index), Access::Peek).value(), Value::Other) {
            return Err(Refusal::WrongType);
        }
        changes::judge(ctx, ctx.db(), ctx.argument(index).bytes())?;
    }
    let mut removed = 0;
    for index in 1..=request.count {
        let target = Target::open(ctx, index)?;
        let target = if request.with_deleted { target.with_deleted() } else { target };
        target.expect_version(request.version)?;
        if target.old.is_some() {
            target.remove();
            removed += 1;
        }
    }
    ctx.reply_integer(removed);
    Ok(())
}

fn mark(ctx: &Ctx<'_>, request: &Request, asked: Option<AskedTtl>) -> Answer {
    let targets = opened(ctx, request.count)?;
    let mut ttl = Ttl::Keep;
    for target in &targets {
        target.expect_version(request.version)?;
        ttl = asked.map_or(Ok(Ttl::Keep), |asked| asked.at(target.now_ms))?;
    }
    let there = targets.into_iter().filter(|target| target.old.is_some());
    let change = |target| Planned { target, change: Change::Mark { is_deleted: true, ttl } };
    let planned: Vec<Planned<'_>> = there.map(change).collect();
    many::write(&planned)?;
    ctx.reply_count(planned.len() as u64);
    Ok(())
}

/// Brings documents back that are marked, all or none. Another type under any of the keys refuses the whole.
pub(super) fn undelete(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let count = pass_keys(args, &UNDELETE_OPTIONS)?;
    let keeps_ttl = args.option(&UNDELETE_OPTIONS)?.is_some();
    args.end()?;
    let ttl = if keeps_ttl { Ttl::Keep } else { Ttl::Drop };
    let marked = opened(ctx, count)?.into_iter().filter(|target| target.deleted.is_some());
    let change = |target| Planned { target, change: Change::Mark { is_deleted: false, ttl } };
    let planned: Vec<Planned<'_>> = marked.map(change).collect();
    many::write(&planned)?;
    ctx.reply_count(planned.len() as u64);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Request> {
        let words: Vec<&[u8]> = text.split(' ').map(str::as_bytes).collect();
        Request::read(&mut Args::new(&words))
    }

    fn error(text: &str) -> String {
        read(text).expect_err(text).to_string()
    }

    #[test]
    fn keys_end_at_the_first_option() {
        let soft = |ttl| Request { count: 2, soft: Some(Soft { ttl }), ..Request::default() };
        assert_eq!(read("a:1 a:2 soft"), Ok(soft(None)));
        let asked = AskedTtl { name: "EX", number: 9 };
        assert_eq!(read("a:1 a:2 SOFT ex 9"), Ok(soft(Some(asked))));
        let all = Request { count: 1, with_deleted: true, version: Some(3), soft: None };
        assert_eq!(read("ex withdeleted IFVERSION 3"), Ok(all));
        let missing = "ERR wrong number of arguments: a key is missing before";
        assert_eq!(error("Soft a:1"), format!("{missing} SOFT"));
        assert_eq!(error("IFVERSION 1"), format!("{missing} IFVERSION"));
    }

    #[test]
    fn options_fit_each_other() {
        assert_eq!(error("a SOFT WITHDELETED"), "ERR SOFT and WITHDELETED exclude each other");
        assert_eq!(error("a b IFVERSION 1"), "ERR IFVERSION is of one key, and 2 are given");
        assert_eq!(error("a SOFT EX"), "ERR EX takes seconds");
        assert_eq!(error("a IFVERSION 1 EX 1"), "ERR unknown option 'EX'");
        assert_eq!(error("a SOFT KEEPTTL"), "ERR unknown option 'KEEPTTL'");
    }
}
