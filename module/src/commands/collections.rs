//! What there is of collections besides their documents: `DOC.DROP`, `DOC.LIST`, `DOC.SCHEMA`, `DOC.INFO`, `DOC.VERIFY`.

use std::borrow::Cow;

use folio_engine::Limits;
use folio_engine::collection::{Collection, Digest, Info, Sum};

use super::write::Target;
use super::{Answer, Args, Refusal, no_collection};
use crate::acl::{Permit, Right};
use crate::ffi::{Ctx, OwnedString};
use crate::glob::Glob;
use crate::state::State;
use crate::{clock, lifecycle, replicate, state};

/// Whether a collection is there at the instant of the command: an open one of which all documents have lapsed is not.
fn is_there(collection: &Collection) -> bool {
    collection.is_declared() || !collection.is_empty()
}

/// What the keys of the collection begin with; of one that is not there, what those of an open one would.
pub(super) fn prefix_of<'s>(state: &'s State, db: u32, name: &str) -> Cow<'s, [u8]> {
    match state.store.collection(db, name) {
        Some(collection) => Cow::Borrowed(collection.definition().prefix.as_bytes()),
        None => Cow::Owned(format!("{name}:").into_bytes()),
    }
}

/// Runs `body` on the collection `name`, as of now. A user without `right` on all of its keys learns nothing of it, not even
/// whether it is there.
pub(super) fn with_collection<R>(
    ctx: &Ctx<'_>,
    name: &str,
    right: Right,
    body: impl FnOnce(&Collection, &Limits) -> R,
) -> Result<R, Refusal> {
    let permit = Permit::of(ctx);
    let (db, now_ms) = (ctx.db(), clock::now_ms());
    state::with(|state| {
        state.end_bulk();
        if permit.is_limited() {
            let prefix = prefix_of(state, db, name);
            if !permit.covers(&prefix, right) {
                return Err(permit.refuse(ctx, name, &prefix, right));
            }
        }
        state.store.lapse(db, name, now_ms);
        let collection = state.store.collection(db, name).filter(|there| is_there(there));
        let collection = collection.ok_or_else(|| no_collection(db, name))?;
        Ok(body(collection, &state.store.limits))
    })?
}

/// Takes a declaration away, and with DOCUMENTS its documents.
pub(super) fn drop_collection(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let name = args.text("collection")?;
    let with_documents = args.option(&["DOCUMENTS"])?.is_some();
    args.end()?;
    let (keys, is_declared) = with_collection(ctx, name, Right::Write, |collection, _| {
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

/// The names of the collections that the user may read.
pub(super) fn list(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let wanted = args.peek().map(|_| args.bytes("pattern")).transpose()?.map(Glob::new);
    args.end()?;
    let permit = Permit::of(ctx);
    let db = ctx.db();
    let now_ms = clock::now_ms();
    let names = state::with(|state| {
        state.lapse_all(db, now_ms);
        let mut names = state.store.names(db);
        names.retain(|name| wanted.as_ref().is_none_or(|wanted| wanted.fits(name.as_bytes())));
        names.retain(|name| state.store.collection(db, name).is_some_and(is_there));
        names.retain(|name| permit.covers(&prefix_of(state, db, name), Right::Read));
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
    let json =
        with_collection(ctx, name, Right::Read, |collection, _| collection.definition().to_json())?;
    ctx.reply_bytes(json.as_bytes());
    Ok(())
}

/// Counts and sizes.
pub(super) fn info(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let name = args.text("collection")?;
    args.end()?;
    let lines = with_collection(ctx, name, Right::Read, |collection, _| collection.info())?;
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

/// The differences between the indexes and a recomputation from the documents, or digests of both.
pub(super) fn verify(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let name = args.text("collection")?;
    let with_digest = args.option(&["DIGEST"])?.is_some();
    args.end()?;
    if with_digest {
        let digest = with_collection(ctx, name, Right::Read, |collection, _| collection.digest())?;
        reply_lines(ctx, &digest_lines(digest));
        return Ok(());
    }
    let differences = with_collection(ctx, name, Right::Read, |collection, _| collection.verify())?;
    ctx.reply_array(differences.len());
    for difference in differences {
        ctx.reply_bytes(difference.as_bytes());
    }
    Ok(())
}

fn digest_lines(digest: Digest) -> Vec<(String, Info)> {
    let sum = |sum: Sum| Info::Text(format!("{sum:032x}"));
    let indexes = digest.indexes.into_iter().map(|index| {
        vec![
            ("path".to_owned(), Info::Text(index.path.to_string())),
            ("kind".to_owned(), Info::Text(index.kind.to_owned())),
            ("digest".to_owned(), sum(index.entries)),
        ]
    });
    vec![
        ("documents".to_owned(), sum(digest.documents)),
        ("times".to_owned(), sum(digest.times)),
        ("indexes".to_owned(), Info::List(indexes.collect())),
    ]
}
