//! What there is of collections besides their documents: `DOC.DROP`, `DOC.LIST`, `DOC.SCHEMA`, `DOC.INFO`, `DOC.VERIFY`.

use std::borrow::Cow;

use folio_engine::Limits;
use folio_engine::collection::{Collection, Digest, Info, Sum};
use folio_engine::store::Store;

use super::write::Target;
use super::{Answer, Args, Refusal, buckets, no_collection};
use crate::acl::{Permit, Right};
use crate::ffi::{Ctx, OwnedString};
use crate::glob::Glob;
use crate::refusals::Refused;
use crate::state::State;
use crate::{builds, changes, clock, lifecycle, replicate, state};

/// Whether a collection is there at the instant of the command: an open one of which all documents have lapsed is not. Those
/// that are marked as deleted keep it.
pub(super) fn is_there(collection: &Collection) -> bool {
    let has_documents = collection.live().len() > collection.hidden(true).len();
    collection.is_declared() || has_documents || collection.build_number().is_some()
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
    with_store(ctx, name, right, |collection, store| body(collection, &store.limits))
}

/// The same with all that is stored besides.
pub(super) fn with_store<R>(
    ctx: &Ctx<'_>,
    name: &str,
    right: Right,
    body: impl FnOnce(&Collection, &Store) -> R,
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
        Ok(body(collection, &state.store))
    })?
}

/// What is to be dropped of a collection.
struct Dropped {
    name: Box<str>,
    keys: Vec<Vec<u8>>,
    is_declared: bool,
    build: Option<u64>,
}

impl Dropped {
    fn of(collection: &Collection, with_documents: bool) -> Self {
        let mut keys = Vec::new();
        if with_documents {
            keys.extend(collection.live().iter().map(|id| {
                let mut key = Vec::new();
                collection.key(id, &mut key);
                key
            }));
        }
        let (is_declared, build) = (collection.is_declared(), collection.build_number());
        Dropped { name: collection.name().into(), keys, is_declared, build }
    }

    /// Takes the declaration away. Error: `NOCOLLECTION`, where there is nothing to take.
    fn undeclare(&self, ctx: &Ctx<'_>, with_documents: bool) -> Answer {
        if let Some(number) = self.build {
            builds::abandon(number);
        }
        // An open collection has no declaration to drop, only documents, and one that is being built.
        if self.is_declared || (!with_documents && self.build.is_none()) {
            let db = ctx.db();
            lifecycle::remove_lapsed_strays(ctx)?;
            let arrived = state::with(|state| state.drop_collection(db, &self.name))??;
            lifecycle::tell_ttls(ctx, &arrived);
            replicate::undeclared(ctx, &self.name);
        }
        Ok(())
    }
}

/// Takes a declaration away, or those of a bucket, and with DOCUMENTS the documents.
pub(super) fn drop_collection(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let name = args.text("collection")?;
    let with_documents = args.option(&["DOCUMENTS"])?.is_some();
    args.end()?;
    // What a primary dropped is named one by one.
    let dropped = match buckets::bucket_of(name).filter(|_| !ctx.is_replay()) {
        None => {
            let of = |collection: &Collection, _: &Limits| Dropped::of(collection, with_documents);
            vec![with_collection(ctx, name, Right::Write, of)?]
        }
        Some(bucket) => {
            let is_wanted = |collection: &Collection| {
                let is_declared = collection.is_declared() || collection.build_number().is_some();
                with_documents || is_declared
            };
            let of = |collection: &Collection| Dropped::of(collection, with_documents);
            buckets::with_bucket(ctx, bucket, Right::Write, is_wanted, of)?
        }
    };
    let db = ctx.db();
    if with_documents {
        for collection in &dropped {
            changes::judge_collection(ctx, db, &collection.name)?;
        }
    }
    for collection in &dropped {
        if with_documents {
            state::with(|state| state.store.note_drop(db, &collection.name))?;
        }
        // What is still to be told is told under the declaration, whose number goes with it.
        changes::drain(ctx);
        collection.undeclare(ctx, with_documents)?;
    }
    for key in dropped.into_iter().flat_map(|collection| collection.keys) {
        let name = OwnedString::new(&key);
        let target = Target::open_named(ctx, name.argument())?.with_deleted();
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
    if let Some(bucket) = buckets::bucket_of(name) {
        return buckets::info(ctx, bucket);
    }
    let (mut lines, uid) =
        with_collection(ctx, name, Right::Read, |there, _| (there.info(), there.uid()))?;
    let refused = state::with(|state| state.refusals.of(uid).map(refused_lines).collect())?;
    lines.push(("refused".to_owned(), Info::List(refused)));
    reply_lines(ctx, &lines);
    Ok(())
}

fn refused_lines(refused: &Refused) -> Vec<(String, Info)> {
    vec![
        ("key".to_owned(), Info::Text(refused.key.clone())),
        ("at".to_owned(), Info::Int(refused.at_ms.unsigned_abs())),
        ("error".to_owned(), Info::Text(refused.error.clone())),
    ]
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
        let name = index.name.map(|name| ("name".to_owned(), Info::Text(name.into())));
        let lines = [
            ("path".to_owned(), Info::Text(index.paths)),
            ("kind".to_owned(), Info::Text(index.kind.to_owned())),
            ("digest".to_owned(), sum(index.entries)),
        ];
        name.into_iter().chain(lines).collect()
    });
    vec![
        ("documents".to_owned(), sum(digest.documents)),
        ("times".to_owned(), sum(digest.times)),
        ("indexes".to_owned(), Info::List(indexes.collect())),
    ]
}
