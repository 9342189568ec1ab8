//! `DOC.FIND`, `DOC.COUNT`, `DOC.EXISTS`, `DOC.EXPLAIN`.
//!
//! Rows are sent while the store is borrowed: sending a reply calls nothing back.

use folio_engine::collection::Collection;
use folio_engine::doc::print;
use folio_engine::exec::{self, Find, Found};
use folio_engine::{Result, plan};

use super::args::{shown, syntax};
use super::collections::with_collection;
use super::query::{COUNT, FIND, Query};
use super::{Answer, Args};
use crate::acl::Right;
use crate::config;
use crate::ffi::Ctx;

/// The rows that a filter holds of.
pub(super) fn find(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let name = args.text("collection")?;
    let query = Query::read(args, FIND, &config::limits())?;
    with_collection(ctx, name, Right::Read, |collection, limits| {
        let found = exec::find(collection, &query.bind(collection, limits)?, limits)?;
        reply_rows(ctx, collection, &query, &found);
        Ok(())
    })?
}

fn reply_rows(ctx: &Ctx<'_>, collection: &Collection, query: &Query<'_>, found: &Found) {
    ctx.reply_map(1 + usize::from(found.total.is_some()));
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
            print::project(document.view(), &query.select, &mut text);
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
}

/// How many documents a filter holds of.
pub(super) fn count(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let name = args.text("collection")?;
    let query = Query::read(args, COUNT, &config::limits())?;
    let counted = with_collection(ctx, name, Right::Read, |collection, limits| -> Result<u64> {
        let find = query.bind(collection, limits)?;
        exec::count(collection, find.filter.as_ref(), find.scan, limits)
    })??;
    ctx.reply_count(counted);
    Ok(())
}

/// Whether a filter holds of any document.
pub(super) fn exists(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let name = args.text("collection")?;
    let query = Query::read(args, COUNT, &config::limits())?;
    let found = with_collection(ctx, name, Right::Read, |collection, limits| -> Result<bool> {
        let first = Find { limit: Some((0, 1)), ..query.bind(collection, limits)? };
        Ok(!exec::find(collection, &first, limits)?.ids.is_empty())
    })??;
    ctx.reply_integer(i64::from(found));
    Ok(())
}

/// How a query would be run.
pub(super) fn explain(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let name = args.text("collection")?;
    let word = args.bytes("FIND or COUNT")?;
    let counting = if word.eq_ignore_ascii_case(b"FIND") {
        false
    } else if word.eq_ignore_ascii_case(b"COUNT") {
        true
    } else {
        return Err(syntax(format!("EXPLAIN takes FIND or COUNT, not {}", shown(word))).into());
    };
    let query = Query::read(args, if counting { COUNT } else { FIND }, &config::limits())?;
    let lines =
        with_collection(ctx, name, Right::Read, |collection, limits| -> Result<Vec<String>> {
            Ok(plan::explain(collection, &query.bind(collection, limits)?, counting, limits))
        })??;
    ctx.reply_array(lines.len());
    for line in lines {
        ctx.reply_bytes(line.as_bytes());
    }
    Ok(())
}
