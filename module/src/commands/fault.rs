//! `DOC._PANIC`: a defect on purpose, in modules that are built to be tested.

use folio_engine::store::Prepared;

use super::args::syntax;
use super::{Answer, Args};
use crate::ffi::{Access, Ctx, Value};
use crate::{clock, config, datatype, state};

/// Panics as the first word says, past the point of no return of a write of `json` under `key`: `INSIDE` the borrow of the
/// store, or `BEFORE` the keyspace has the document, after the borrow. `AT step` lets a later write panic, at that step.
pub(crate) fn panic(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Answer {
    let place = args.keyword(&["INSIDE", "BEFORE", "AT"]);
    if place == Some("AT") {
        folio_engine::planted::panic_at(args.unsigned("step")?);
        ctx.reply_ok();
        return Ok(());
    }
    let inside = place == Some("INSIDE");
    let key = args.bytes("key")?;
    let json = args.bytes("json")?;
    datatype::with_parsed(json, &config::limits(), |parsed| {
        let opened = ctx.open(ctx.argument(2), Access::Write);
        let old = match opened.value() {
            Value::Document(loan) => Some(loan.clone()),
            _ => None,
        };
        let (db, now_ms) = (ctx.db(), clock::now_ms());
        state::with(|state| {
            let store = &mut state.store;
            if let Prepared::Ready(delta) =
                store.prepare(db, key, old.as_ref(), parsed, now_ms, None)?
            {
                store.commit(delta);
                assert!(!inside, "on purpose, inside");
            }
            Ok::<_, folio_engine::Error>(())
        })??;
        panic!("on purpose, before the keyspace")
    })
    .map_err(|error| syntax(error.to_string()).into())
    .and_then(|answer: Answer| answer)
}
