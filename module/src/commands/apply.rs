//! `DOC._APPLY` and `DOC._STATE`: what a primary decided, for replicas and the append-only file.

use folio_engine::Result;
use folio_engine::doc::timed::timed_from_json;
use folio_engine::doc::{SCHEMA_MAX, Stamp};
use folio_engine::store::{NUMBER_END, NUMBER_MAX};

use super::args::{Words, syntax};
use super::write::Target;
use super::{Answer, Args, Refusal};
use crate::ffi::Ctx;
use crate::{acl, datatype, lifecycle, replicate, state};

fn may_run(ctx: &Ctx<'_>) -> Answer {
    if ctx.is_replay() || acl::is_admin(ctx) { Ok(()) } else { Err(Refusal::NotPermitted) }
}

/// The numbers of a document, and when it lapses: joined by commas, perhaps with a schema version behind them, or each by
/// itself, as older files have them.
fn numbers(args: &mut Args<'_>) -> Result<(Stamp, Option<i64>)> {
    let Some(joined) = args.peek().filter(|word| word.contains(&b',')) else {
        return each_number(args);
    };
    args.bytes("numbers")?;
    // One more than there are, which is refused.
    let words: Words<'_> = joined.splitn(7, |byte| *byte == b',').collect();
    let mut words = Args::new(&words);
    let (stamp, expires_ms) = each_number(&mut words)?;
    if words.peek().is_none() {
        return Ok((stamp, expires_ms));
    }
    let number = words.unsigned("schema")?;
    words.end()?;
    let schema = u16::try_from(number).ok().filter(|schema| *schema <= SCHEMA_MAX);
    let schema = schema.ok_or_else(|| syntax(format!("a schema version above {SCHEMA_MAX}")))?;
    Ok((Stamp { schema, ..stamp }, expires_ms))
}

fn each_number(args: &mut Args<'_>) -> Result<(Stamp, Option<i64>)> {
    let version = args.unsigned("version")?;
    let seq = args.unsigned("seq")?;
    let created_ms = args.integer("created")?;
    let updated_ms = args.integer("updated")?;
    let expires_ms = Some(args.integer("expires")?).filter(|at| *at >= 0);
    Ok((Stamp { seq, version, created_ms, updated_ms, ..Stamp::default() }, expires_ms))
}

/// Puts a document as it is told, with its numbers and times.
pub(super) fn apply(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    may_run(ctx)?;
    args.bytes("key")?;
    let (stamp, expires_ms) = numbers(args)?;
    let json = args.bytes("json")?;
    let (mut is_deleted, mut timed) = (false, Vec::new());
    while let Some(name) = args.option(&["DELETED", "TIMED"])? {
        match name {
            "DELETED" => is_deleted = true,
            _ => timed = timed_from_json(args.bytes("parts with a TTL")?)?,
        }
    }
    let most = if ctx.is_replay() { NUMBER_END } else { NUMBER_MAX };
    if stamp.seq.max(stamp.version) > most {
        return Err(syntax(format!("a version or birth number above {most}")).into());
    }
    let stamp = Stamp { is_deleted, ..stamp };
    datatype::with_timed(json, &timed, &datatype::stored_limits(), |parsed| {
        Target::open(ctx, 1)?.apply(parsed, stamp, expires_ms)
    })??;
    ctx.reply_ok();
    Ok(())
}

/// Sets definitions and counters of the selected database.
pub(super) fn set_state(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    may_run(ctx)?;
    // It can declare any collection.
    if !acl::Permit::of(ctx).covers(b"", acl::Right::Both) {
        return Err(Refusal::NotPermitted);
    }
    let json = args.bytes("json")?;
    args.end()?;
    let db = ctx.db();
    let arrived = state::with(|state| state.set_state(db, json))??;
    lifecycle::tell_ttls(ctx, &arrived);
    replicate::state_set(ctx, json);
    ctx.reply_ok();
    Ok(())
}
