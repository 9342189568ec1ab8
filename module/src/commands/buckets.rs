//! Buckets: what stands before the first `.` of collections' names. `DOC.DROP shop.*`, `DOC.INFO shop.*`.
//!
//! A command on a bucket needs its right on every key that begins with the bucket and the point, and on those of each
//! of its collections, wherever their prefixes lie.

use folio_engine::collection::{Collection, Totals};
use folio_engine::{Code, Error, Result};

use super::collections::is_there;
use super::{Refusal, no_collection};
use crate::acl::{Permit, Right};
use crate::ffi::Ctx;
use crate::{clock, state};

/// The bucket that `name` stands for, if it is `<bucket>.*`.
pub(super) fn bucket_of(name: &str) -> Option<&str> {
    name.strip_suffix(".*").filter(|bucket| !bucket.is_empty() && !bucket.contains(['.', ':']))
}

/// Refuses a name for a new collection that commands take for a bucket. Error: `SCHEMA`.
pub(super) fn judge_name(name: &str) -> Result<()> {
    match bucket_of(name) {
        None => Ok(()),
        Some(bucket) => {
            let what =
                format!("'{name}' is no collection name: it stands for the bucket '{bucket}'");
            Err(Error::new(Code::Schema, what))
        }
    }
}

/// Runs `body` on each collection of a bucket that is there and wanted, as of now, in the order of names. Errors: `NOPERM`,
/// `NOCOLLECTION` where there is none.
pub(super) fn with_bucket<R>(
    ctx: &Ctx<'_>,
    bucket: &str,
    right: Right,
    is_wanted: impl Fn(&Collection) -> bool,
    body: impl Fn(&Collection) -> R,
) -> Result<Vec<R>, Refusal> {
    let permit = Permit::of(ctx);
    let (db, now_ms) = (ctx.db(), clock::now_ms());
    let (begins, called) = (format!("{bucket}."), format!("{bucket}.*"));
    state::with(|state| {
        state.end_bulk();
        state.lapse_all(db, now_ms);
        let names = state.store.names(db).into_iter().filter(|name| name.starts_with(&begins));
        let members: Vec<&Collection> =
            names.filter_map(|name| state.store.collection(db, &name)).collect();
        let members = members.into_iter().filter(|it| is_there(it) && is_wanted(it));
        let members: Vec<&Collection> = members.collect();
        let held = members.iter().map(|it| it.definition().prefix.as_bytes());
        for prefix in std::iter::once(begins.as_bytes()).chain(held) {
            if !permit.covers(prefix, right) {
                return Err(permit.refuse(ctx, &called, prefix, right));
            }
        }
        if members.is_empty() {
            return Err(no_collection(db, &called));
        }
        Ok(members.into_iter().map(body).collect())
    })?
}

/// What a bucket's collections come to together.
pub(super) fn info(ctx: &Ctx<'_>, bucket: &str) -> Result<(), Refusal> {
    let totals = with_bucket(ctx, bucket, Right::Read, |_| true, Collection::totals)?;
    let totals: Totals = totals.into_iter().sum();
    let lines = [
        ("collections", totals.collections),
        ("documents", totals.documents),
        ("due", totals.due),
        ("with_ttl", totals.with_ttl),
        ("document_bytes", totals.document_bytes),
        ("table_bytes", totals.table_bytes),
        ("index_bytes", totals.index_bytes),
    ];
    ctx.reply_map(1 + lines.len());
    ctx.reply_bytes(b"bucket");
    ctx.reply_bytes(bucket.as_bytes());
    for (name, number) in lines {
        ctx.reply_bytes(name.as_bytes());
        ctx.reply_count(number);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_name_before_a_point_and_a_star_is_a_bucket() {
        assert_eq!(bucket_of("shop.*"), Some("shop"));
        for other in ["shop", "shop.orders", ".*", "*", "shop.a.*", "a:b.*", "shop.**", "sh*.a"] {
            assert_eq!(bucket_of(other), None, "{other}");
        }
        assert!(judge_name("shop.orders").is_ok());
        let told = "SCHEMA 'shop.*' is no collection name: it stands for the bucket 'shop'";
        assert_eq!(judge_name("shop.*").unwrap_err().to_string(), told);
    }
}
