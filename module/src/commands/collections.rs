//! What there is of collections besides their documents: `DOC.DROP`, `DOC.LIST`, `DOC.SCHEMA`, `DOC.INFO`, `DOC.VERIFY`.

use folio_engine::collection::{Collection, Info};

use super::write::Target;
use super::{Answer, Args, Refusal, no_collection, pattern};
use crate::ffi::{Ctx, OwnedString};
use crate::{clock, lifecycle, replicate, state};

/// Whether a collection is there at the instant of the command: an open one of which all documents have lapsed is not.
fn is_there(collection: &Collection) -> bool {
    collection.is_declared() || !collection.is_empty()
}

/// Runs `body` on the collection that the next argument names, as of now.
pub(super) fn with_collection<R>(
    ctx: &Ctx<'_>,
    name: &str,
    body: impl FnOnce(&Collection, &folio_engine::Limits) -> R,
) -> Result<R, Refusal> {
    let (db, now_ms) = (ctx.db(), clock::now_ms());
    state::with(|state| {
        state.end_bulk();
        state.store.lapse(db, name, now_ms);
        let collection = state.store.collection(db, name).filter(|there| is_there(there))?;
        Some(body(collection, &state.store.limits))
    })?
    .ok_or_else(|| no_collection(db, name))
}

/// Takes a declaration away, and with DOCUMENTS its documents.
pub(super) fn drop_collection(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let name = args.text("collection")?;
    let with_documents = args.option(&["DOCUMENTS"])?.is_some();
    args.end()?;
    let (keys, is_declared) = with_collection(ctx, name, |collection, _| {
        let mut keys = Vec::new();
        if with_documents {
            keys.extend(collection.live().iter().map(|id| {
                let mut key = Vec::new();
                collection.key(id, &mut key);
                key
            }));
        }
        (keys, collection.is_declared())
    })?;
    // An open collection has no declaration to drop, only documents.
    if is_declared || !with_documents {
        let db = ctx.db();
        let arrived = state::with(|state| state.drop_collection(db, name))??;
        lifecycle::tell_ttls(ctx, &arrived);
        replicate::undeclared(ctx, name);
    }
    for key in keys {
        let name = OwnedString::new(&key);
        let target = Target::open_named(ctx, name.argument())?;
        if target.old.is_some() {
            target.remove();
        }
    }
    ctx.reply_ok();
    Ok(())
}

/// The names of the collections.
pub(super) fn list(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let wanted = args.peek().map(|_| args.bytes("pattern")).transpose()?;
    args.end()?;
    let db = ctx.db();
    let now_ms = clock::now_ms();
    let names = state::with(|state| {
        state.lapse_all(db, now_ms);
        let store = &state.store;
        let mut names = store.names(db);
        names.retain(|name| wanted.is_none_or(|wanted| pattern::fits(wanted, name.as_bytes())));
        names.retain(|name| store.collection(db, name).is_some_and(is_there));
        names
    })?;
    ctx.reply_array(names.len());
    for name in names {
        ctx.reply_bytes(name.as_bytes());
    }
    Ok(())
}

/// The definition as JSON.
pub(super) fn schema(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let name = args.text("collection")?;
    args.end()?;
    let json = with_collection(ctx, name, |collection, _| collection.definition().to_json())?;
    ctx.reply_bytes(json.as_bytes());
    Ok(())
}

/// Counts and sizes.
pub(super) fn info(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let name = args.text("collection")?;
    args.end()?;
    let lines = with_collection(ctx, name, |collection, _| collection.info())?;
    reply_lines(ctx, &lines);
    Ok(())
}

fn reply_lines(ctx: &Ctx<'_>, lines: &[(String, Info)]) {
    ctx.reply_map(lines.len());
    for (name, value) in lines {
        ctx.reply_bytes(name.as_bytes());
        match value {
            Info::Int(number) => ctx.reply_count(*number),
            Info::Text(text) => ctx.reply_bytes(text.as_bytes()),
            Info::List(items) => {
                ctx.reply_array(items.len());
                // Two levels: what an item holds are numbers and texts.
                for item in items {
                    reply_lines(ctx, item);
                }
            }
        }
    }
}

/// The differences between the indexes and a recomputation from the documents.
pub(super) fn verify(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let name = args.text("collection")?;
    args.end()?;
    let differences = with_collection(ctx, name, |collection, _| collection.verify())?;
    ctx.reply_array(differences.len());
    for difference in differences {
        ctx.reply_bytes(difference.as_bytes());
    }
    Ok(())
}
