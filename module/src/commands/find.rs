//! `DOC.FIND`, `DOC.KEYS`, `DOC.COUNT`, `DOC.EXISTS`.
//!
//! Rows are sent while the store is borrowed: sending a reply calls nothing back.

use folio_engine::collection::Collection;
use folio_engine::doc::print;
use folio_engine::exec::{self, Find, Found};
use folio_engine::{Code, Error, Limits, Result};

use super::query::{COUNT, FIND, KEYS, Query};
use super::{Answer, Args, slowlog};
use crate::config;
use crate::ffi::Ctx;

/// The rows that a filter holds of.
pub(super) fn find(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let name = args.text("collection")?;
    let query = Query::read(args, FIND, &config::limits())?;
    slowlog::timed(ctx, name, &query, |collection, find, means| {
        let found = exec::find(collection, find, means)?;
        expect_small(collection, &found, means.limits)?;
        reply_rows(ctx, collection, &query, &found);
        Ok(())
    })?;
    Ok(())
}

/// Whether the answer is within its limit of bytes.
fn expect_small(collection: &Collection, found: &Found, limits: &Limits) -> Result<()> {
    let most = limits.query_bytes_max;
    let bytes = |id: &u32| collection.document(*id).map_or(0, |document| document.text().len());
    if found.ids.iter().map(bytes).sum::<usize>() <= most {
        return Ok(());
    }
    let what = format!(
        "the answer has more than {most} bytes of documents (folio.query-bytes-max): use LIMIT"
    );
    Err(Error::new(Code::Limited, what))
}

fn reply_rows(ctx: &Ctx<'_>, collection: &Collection, query: &Query<'_>, found: &Found) {
    ctx.reply_map(1 + usize::from(found.total.is_some()) + usize::from(found.cursor.is_some()));
    ctx.reply_bytes(b"results");
    ctx.open_array();
    let (mut rows, mut key, mut text) = (0, Vec::new(), Vec::new());
    for id in &found.ids {
        let Some(document) = collection.document(*id) else { continue };
        rows += 1;
        collection.key(*id, &mut key);
        ctx.reply_array(2 + usize::from(query.with_version));
        ctx.reply_bytes(&key);
        if query.select.is_empty() {
            ctx.reply_bytes(document.text());
        } else {
            text.clear();
            print::project(collection.view(document), &query.select, &mut text);
            ctx.reply_bytes(&text);
        }
        if query.with_version {
            ctx.reply_count(document.version());
        }
    }
    ctx.close_array(rows);
    if let Some(total) = found.total {
        ctx.reply_bytes(b"total");
        ctx.reply_count(total);
    }
    if let Some(cursor) = &found.cursor {
        ctx.reply_bytes(b"cursor");
        ctx.reply_bytes(cursor.token().as_bytes());
    }
}

/// The keys of the documents that a filter holds of.
pub(super) fn keys(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let name = args.text("collection")?;
    let query = Query::read(args, KEYS, &config::limits())?;
    slowlog::timed(ctx, name, &query, |collection, find, means| {
        let found = exec::find(collection, find, means)?;
        ctx.reply_array(found.ids.len());
        let mut key = Vec::new();
        for id in &found.ids {
            collection.key(*id, &mut key);
            ctx.reply_bytes(&key);
        }
        Ok(())
    })?;
    Ok(())
}

/// How many documents a filter holds of.
pub(super) fn count(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let name = args.text("collection")?;
    let query = Query::read(args, COUNT, &config::limits())?;
    let counted = slowlog::timed(ctx, name, &query, |collection, find, means| {
        exec::count_all(collection, find, means)
    })?;
    ctx.reply_count(counted);
    Ok(())
}

/// Whether a filter holds of any document.
pub(super) fn exists(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let name = args.text("collection")?;
    let query = Query::read(args, COUNT, &config::limits())?;
    let found = slowlog::timed(ctx, name, &query, |collection, find, means| {
        let first = Find { limit: Some((0, 1)), ..find.clone() };
        Ok(!exec::find(collection, &first, means)?.ids.is_empty())
    })?;
    ctx.reply_integer(i64::from(found));
    Ok(())
}
