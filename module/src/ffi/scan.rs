//! A walk over all keys of the selected database.

use std::ffi::c_void;
use std::mem::ManuallyDrop;

use folio_engine::doc::Document;
use redis_module::raw;

use super::key::{Key, Value};
use super::{Argument, Ctx};
use crate::guard;

type Visit<'v> = &'v mut dyn FnMut(&[u8], &Document, Option<i64>);

/// Shows every document of the selected database, with its key and when it lapses. Nothing lapses meanwhile; a key may
/// be shown twice. `visit` calls nothing of the server.
pub(crate) fn for_each_document(
    ctx: &Ctx<'_>,
    mut visit: impl FnMut(&[u8], &Document, Option<i64>),
) {
    let mut visit: Visit<'_> = &mut visit;
    let create = api!(RedisModule_ScanCursorCreate);
    // SAFETY: table: takes nothing.
    let cursor = unsafe { create() };
    let scan = api!(RedisModule_Scan);
    loop {
        let data = (&raw mut visit).cast::<c_void>();
        // SAFETY: server: a live context; owned: the cursor; borrow: `visit` outlives the call.
        let more = unsafe { scan(ctx.raw, cursor, Some(on_key), data) };
        if more == 0 {
            break;
        }
    }
    let destroy = api!(RedisModule_ScanCursorDestroy);
    // SAFETY: owned: made above, freed once.
    unsafe { destroy(cursor) };
}

extern "C" fn on_key(
    _ctx: *mut raw::RedisModuleCtx,
    name: *mut raw::RedisModuleString,
    key: *mut raw::RedisModuleKey,
    data: *mut c_void,
) {
    // SAFETY: borrow: what `for_each_document` gave, which waits for this.
    let visit = unsafe { &mut *data.cast::<Visit<'_>>() };
    // The server closes the key.
    let key = ManuallyDrop::new(Key::new(key));
    guard::callback("scan", || {
        if let Value::Document(document) = key.value() {
            visit(Argument::new(name).bytes(), &document, key.expires_ms());
        }
    });
}
