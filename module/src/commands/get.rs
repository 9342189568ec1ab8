//! Reading documents by their keys: `DOC.GET`, `DOC.MGET`, `DOC.META`.

use folio_engine::path::Path;
use folio_engine::{Limits, Result};

use folio_engine::doc::{Document, print};

use super::args::syntax;
use super::{Answer, Args, Refusal};
use crate::ffi::{Access, Ctx, Key, Value};
use crate::{config, state};

/// Replies with a document: whole, one path of it, or an object of several.
fn reply(ctx: &Ctx<'_>, document: &Document, paths: &[Path]) {
    let mut text = Vec::new();
    match paths {
        [] => return ctx.reply_bytes(document.text()),
        [path] => {
            if !print::one(document.view(), path, &mut text) {
                return ctx.reply_null();
            }
        }
        _ => print::project(document.view(), paths, &mut text),
    }
    ctx.reply_bytes(&text);
}

fn read_paths(args: &mut Args<'_>, limits: &Limits) -> Result<Vec<Path>> {
    let mut paths = Vec::new();
    while args.peek().is_some() {
        paths.push(args.path(limits)?);
    }
    Ok(paths)
}

/// The document of one key.
pub(super) fn get(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    args.bytes("key")?;
    let paths = match args.peek() {
        None => Vec::new(),
        Some(_) => read_paths(args, &config::limits())?,
    };
    let key = ctx.open(ctx.argument(1), Access::Read);
    match key.value() {
        Value::Empty => ctx.reply_null(),
        Value::Document(document) => reply(ctx, &document, &paths),
        Value::Other => return Err(Refusal::WrongType),
    }
    Ok(())
}

/// The documents of several keys. Another type under any of them refuses the whole: an answer is whole.
pub(super) fn mget(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let count = key_count(args.rest());
    if count == 0 {
        return Err(syntax("wrong number of arguments: a key is missing before PATHS").into());
    }
    for _ in 0..count {
        args.bytes("key")?;
    }
    let mut paths = Vec::new();
    if args.option(&["PATHS"])?.is_some() {
        paths = args.paths("PATHS", &config::limits())?;
    }
    args.end()?;
    let keys: Vec<Key<'_>> =
        (1..=count).map(|index| ctx.open(ctx.argument(index), Access::Read)).collect();
    if keys.iter().any(|key| matches!(key.value(), Value::Other)) {
        return Err(Refusal::WrongType);
    }
    ctx.reply_array(count);
    for key in &keys {
        match key.value() {
            Value::Document(document) => reply(ctx, &document, &paths),
            _ => ctx.reply_null(),
        }
    }
    Ok(())
}

/// How many of the arguments are keys: those before PATHS, which is no key of a document.
fn key_count(words: &[&[u8]]) -> usize {
    let end = words.iter().position(|word| word.eq_ignore_ascii_case(b"PATHS"));
    end.unwrap_or(words.len())
}

/// What is known of a document besides its text.
pub(super) fn meta(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    args.bytes("key")?;
    args.end()?;
    let key = ctx.open(ctx.argument(1), Access::Peek);
    let document = match key.value() {
        Value::Empty => {
            ctx.reply_null();
            return Ok(());
        }
        Value::Document(document) => document,
        Value::Other => return Err(Refusal::WrongType),
    };
    let collection =
        state::with(|state| state.store.home_of(&document).map(|home| home.name().to_owned()))?;
    ctx.reply_map(7);
    ctx.reply_bytes(b"collection");
    match collection {
        Some(name) => ctx.reply_bytes(name.as_bytes()),
        None => ctx.reply_null(),
    }
    ctx.reply_bytes(b"version");
    ctx.reply_count(document.version());
    ctx.reply_bytes(b"seq");
    ctx.reply_count(document.seq());
    ctx.reply_bytes(b"created");
    ctx.reply_integer(document.created_ms());
    ctx.reply_bytes(b"updated");
    ctx.reply_integer(document.updated_ms());
    ctx.reply_bytes(b"expires");
    match key.expires_ms() {
        Some(at) => ctx.reply_integer(at),
        None => ctx.reply_null(),
    }
    ctx.reply_bytes(b"bytes");
    ctx.reply_count(document.bytes() as u64);
    Ok(())
}
