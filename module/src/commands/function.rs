//! `DOC.FUNCTION`: the functions of the server, loaded and listed. `DOC.CALL`: one is called on a document.
//!
//! A function serves every database and may be called on any document, so whoever loads one needs permission for every key.

use folio_engine::doc::parse_value;
use folio_engine::function::{Bounds, Loading};
use folio_engine::store::FunctionJson;
use folio_engine::update::Op;
use folio_engine::{Code, Error, Limits, Result};

use super::args::{shown, syntax};
use super::condition::Condition;
use super::update::{Budget, made};
use super::write::{Purpose, Target, Ttl};
use super::{Answer, Args};
use crate::acl::{Permit, Right};
use crate::ffi::{self, Ctx};
use crate::{config, datatype, replicate, state};

/// What one call is to take, where it was said.
struct Asked {
    steps: Option<u64>,
    bytes: Option<u64>,
}

impl Asked {
    /// The same, or as much as the settings allow. Errors: `LIMITED`, where it asks for more; `ERR` for 0.
    fn bounds(&self, limits: &Limits) -> Result<Bounds> {
        let (steps, bytes) = (limits.function_steps_max, limits.function_bytes_max);
        Ok(Bounds {
            steps: bound("STEPS", self.steps, steps, "folio.function-steps-max")?,
            bytes: bound("MEMORY", self.bytes, bytes, "folio.function-bytes-max")?,
        })
    }
}

fn bound(word: &str, asked: Option<u64>, most: usize, setting: &str) -> Result<u64> {
    let most = most as u64;
    match asked {
        None => Ok(most),
        Some(0) => Err(syntax(format!("{word} is 0"))),
        Some(asked) if asked > most => {
            let what = format!("{word} {asked} exceeds the limit of {most} ({setting})");
            Err(Error::new(Code::Limited, what))
        }
        Some(asked) => Ok(asked),
    }
}

/// The limits that a function is loaded under: what a primary or a file brings was judged once.
fn limits_of(ctx: &Ctx<'_>) -> Limits {
    let own = config::limits();
    if !ctx.is_replay() {
        return own;
    }
    let (function_steps_max, function_bytes_max) = (usize::MAX, usize::MAX);
    Limits { function_steps_max, function_bytes_max, ..datatype::stored_limits() }
}

/// Loads a function.
pub(super) fn load(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    Permit::of(ctx).expect_all(ctx, Right::Both)?;
    let (mut replaces, mut asked) = (false, Asked { steps: None, bytes: None });
    while args.rest().len() > 2 {
        match args.option(&["REPLACE", "STEPS", "MEMORY"])? {
            Some("STEPS") => asked.steps = Some(args.unsigned("STEPS")?),
            Some("MEMORY") => asked.bytes = Some(args.unsigned("MEMORY")?),
            _ => replaces = true,
        }
    }
    let (name, source) = (args.text("name")?, args.text("source")?);
    let limits = limits_of(ctx);
    let bounds = asked.bounds(&limits)?;
    let loading = state::with(|state| {
        state.with_limits(limits, |state| state.store.load_function(name, source, bounds, replaces))
    })?;
    if ctx.is_replay()
        && let Err(error) = &loading
    {
        // Nobody reads the reply, and what uses it will be missing too.
        ffi::log(true, &format!("a function of the file or the primary is not loaded: {error}"));
    }
    let loading = loading?;
    if loading != Loading::Same {
        replicate::function_loaded(ctx, name, source, bounds);
    }
    ctx.reply_ok();
    Ok(())
}

/// Takes a function away.
pub(super) fn delete(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    Permit::of(ctx).expect_all(ctx, Right::Both)?;
    let name = args.text("name")?;
    args.end()?;
    state::with(|state| state.store.delete_function(name))??;
    replicate::function_deleted(ctx, name);
    ctx.reply_ok();
    Ok(())
}

/// Tells of each function what it is, and who uses it.
pub(super) fn list(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    Permit::of(ctx).expect_all(ctx, Right::Read)?;
    args.end()?;
    let listed: Vec<_> = state::with(|state| {
        let functions = state.store.functions().iter();
        functions
            .map(|it| (it.name.clone(), it.bounds, it.source.len(), state.store.uses_of(&it.name)))
            .collect()
    })?;
    ctx.reply_array(listed.len());
    for (name, bounds, source_len, uses) in listed {
        ctx.reply_map(5);
        ctx.reply_bytes(b"name");
        ctx.reply_bytes(name.as_bytes());
        let numbers = [("steps", bounds.steps), ("memory", bounds.bytes)];
        for (name, number) in numbers.into_iter().chain([("bytes", source_len as u64)]) {
            ctx.reply_bytes(name.as_bytes());
            ctx.reply_count(number);
        }
        ctx.reply_bytes(b"uses");
        ctx.reply_array(uses.len());
        for (_, what) in uses {
            ctx.reply_bytes(what.as_bytes());
        }
    }
    Ok(())
}

/// Gives functions as one text.
pub(super) fn dump(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    Permit::of(ctx).expect_all(ctx, Right::Read)?;
    let mut names = Vec::new();
    while args.peek().is_some() {
        names.push(args.text("name")?);
    }
    let json = state::with(|state| state.store.dump_functions(&names))??;
    ctx.reply_bytes(json.as_bytes());
    Ok(())
}

/// Loads the functions of such a text, all or none.
pub(super) fn restore(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    Permit::of(ctx).expect_all(ctx, Right::Both)?;
    let json = args.bytes("json")?;
    let replaces = args.option(&["REPLACE"])?.is_some();
    args.end()?;
    let limits = limits_of(ctx);
    let roomy = Limits {
        document_bytes_max: limits.document_bytes_max.max(limits.query_bytes_max),
        ..limits.clone()
    };
    let wanted = FunctionJson::read_all(json, &roomy)?;
    for one in &wanted {
        let asked = Asked { steps: Some(one.steps), bytes: Some(one.memory) };
        asked.bounds(&limits).map_err(|error| {
            let message = format!("function '{}': {}", one.name, error.message).into();
            Error { message, ..error }
        })?;
    }
    let loaded = state::with(|state| {
        state.with_limits(limits, |state| state.store.load_functions(&wanted, replaces))
    })??;
    for (one, _) in wanted.iter().zip(loaded).filter(|(_, loading)| *loading != Loading::Same) {
        replicate::function_loaded(ctx, &one.name, &one.source, one.bounds());
    }
    ctx.reply_ok();
    Ok(())
}

/// The call that the arguments ask for. Error: `JSON`, with the number of the argument.
fn read_call(args: &mut Args<'_>, limits: &Limits) -> Result<Op> {
    let name = args.text("function")?;
    let mut array = vec![b'['];
    for (at, word) in args.rest().iter().enumerate() {
        let value = parse_value(word, limits).map_err(|error| {
            let message = format!("argument {}: {}", at + 1, error.message).into();
            Error { message, ..error }
        })?;
        if at > 0 {
            array.push(b',');
        }
        array.extend_from_slice(&value);
    }
    array.push(b']');
    Ok(Op::Call(name.into(), array.into()))
}

/// Calls a function on one document, and merges what it gives.
pub(super) fn call(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    args.bytes("key")?;
    let (limits, mut condition) = (config::limits(), Condition::default());
    while let Some(name) = args.keyword(&["IFVERSION", "IF", "PARAMS"]) {
        condition.read(name, args)?;
    }
    condition.expect_whole()?;
    let call = read_call(args, &limits)?;
    let target = Target::open(ctx, 1)?;
    if !condition.is_met(&target, &limits)? {
        ctx.reply_null();
        return Ok(());
    }
    if target.old.is_none() {
        let what = format!("no document under {}", shown(ctx.argument(1).bytes()));
        return Err(Error::new(Code::NotFound, what).into());
    }
    let refused = |error: &Error| target.refused(error);
    let edited = made(&target, None, &[call], &limits, &mut Budget::default())
        .map_err(|(_, error)| error)
        .inspect_err(refused)?;
    let written = datatype::with_timed(&edited.text, &edited.timed, &limits, |parsed| {
        target.write(parsed, Ttl::Keep, Purpose::Update)
    });
    let written = written.inspect_err(refused)??;
    match edited.reply {
        Some(reply) => ctx.reply_bytes(&reply),
        None => ctx.reply_count(written.version()),
    }
    Ok(())
}
