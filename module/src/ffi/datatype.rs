//! The native type `folio-doc`: the callbacks that the server makes on its values.
//!
//! `free` may run in a background thread; it only gives up one count. All others run in the main thread, or in
//! the forked child that writes a file.

use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use folio_engine::planted::{self, Fault};
use redis_module::raw;

use super::blocks::value_bytes;
use super::key::{from_raw, into_raw, lend};
use super::{Aof, Argument, Ctx, Digest, Rdb};
use crate::{datatype, guard, lifecycle};

/// Nine characters, as the server wants; they stand in every RDB file.
const NAME: &std::ffi::CStr = c"folio-doc";

/// The version of the callback table, 7.0's. (`aux_save2` would be the next; 7.0 ignores it.)
const METHODS_VERSION: u64 = 4;

static DOCUMENT_TYPE: AtomicPtr<raw::RedisModuleType> = AtomicPtr::new(ptr::null_mut());

/// The type, as the server identifies it.
pub(super) fn document_type() -> *mut raw::RedisModuleType {
    DOCUMENT_TYPE.load(Ordering::Relaxed)
}

/// Registers the type; false where the server refuses it.
pub(super) fn register(ctx: &Ctx<'_>) -> bool {
    let mut methods = raw::RedisModuleTypeMethods {
        version: METHODS_VERSION,
        rdb_load: Some(rdb_load),
        rdb_save: Some(rdb_save),
        aof_rewrite: Some(aof_rewrite),
        mem_usage: Some(mem_usage),
        digest: Some(digest),
        free: Some(free),
        aux_load: Some(aux_load),
        aux_save: Some(aux_save),
        aux_save_triggers: raw::REDISMODULE_AUX_BEFORE_RDB as c_int,
        free_effort: Some(free_effort),
        unlink: None,
        copy: None,
        defrag: None,
        mem_usage2: None,
        free_effort2: None,
        unlink2: Some(unlink2),
        copy2: Some(copy2),
        aux_save2: None,
    };
    let create = api!(RedisModule_CreateDataType);
    // SAFETY: server: a live context; borrow: a C string and a table, which the server copies.
    let created = unsafe { create(ctx.raw, NAME.as_ptr(), datatype::ENCODING, &raw mut methods) };
    DOCUMENT_TYPE.store(created, Ordering::Relaxed);
    !created.is_null()
}

extern "C" fn rdb_load(rdb: *mut raw::RedisModuleIO, encoding: c_int) -> *mut c_void {
    let rdb = Rdb::new(rdb);
    guard::callback("rdb_load", || datatype::load(&rdb, encoding))
        .flatten()
        .map_or(ptr::null_mut(), into_raw)
}

extern "C" fn rdb_save(rdb: *mut raw::RedisModuleIO, value: *mut c_void) {
    // SAFETY: server: a value of this type, kept for the callback.
    let document = unsafe { lend(value) };
    guard::callback("rdb_save", || datatype::save(&Rdb::new(rdb), &document));
}

extern "C" fn aof_rewrite(
    aof: *mut raw::RedisModuleIO,
    key: *mut raw::RedisModuleString,
    value: *mut c_void,
) {
    // SAFETY: server: a value of this type, kept for the callback.
    let document = unsafe { lend(value) };
    let key = Argument::new(key);
    guard::callback("aof_rewrite", || datatype::rewrite(&Aof::new(aof), key, &document));
}

extern "C" fn aux_save(rdb: *mut raw::RedisModuleIO, _when: c_int) {
    guard::callback("aux_save", || datatype::save_state(&Rdb::new(rdb)));
}

extern "C" fn aux_load(rdb: *mut raw::RedisModuleIO, encoding: c_int, _when: c_int) -> c_int {
    let loaded = guard::callback("aux_load", || datatype::load_state(&Rdb::new(rdb), encoding));
    let status = if loaded == Some(true) { raw::REDISMODULE_OK } else { raw::REDISMODULE_ERR };
    status as c_int
}

extern "C" fn mem_usage(value: *const c_void) -> usize {
    // SAFETY: server: a value of this type, kept for the callback.
    let document = unsafe { lend(value) };
    value_bytes(&document)
}

extern "C" fn digest(digest: *mut raw::RedisModuleDigest, value: *mut c_void) {
    // SAFETY: server: a value of this type, kept for the callback.
    let document = unsafe { lend(value) };
    guard::callback("digest", || datatype::digest(&Digest::new(digest), &document));
}

extern "C" fn free(value: *mut c_void) {
    if planted::is(Fault::Leak) {
        return;
    }
    // SAFETY: owned: the keyspace gives up the value's count.
    drop(unsafe { from_raw(value) });
    if planted::is(Fault::Freed) {
        // SAFETY: there is none: this is the fault.
        let freed = unsafe { lend(value) };
        std::hint::black_box(freed.version());
    }
}

/// Pages of memory: the server frees values of more than 64 in the background on UNLINK.
extern "C" fn free_effort(_key: *mut raw::RedisModuleString, value: *const c_void) -> usize {
    // SAFETY: server: a value of this type, kept for the callback.
    let document = unsafe { lend(value) };
    1 + document.bytes() / 4096
}

extern "C" fn unlink2(ctx: *mut raw::RedisModuleKeyOptCtx, value: *const c_void) {
    let db_of = api!(RedisModule_GetDbIdFromOptCtx);
    // SAFETY: server: a live context.
    let db = u32::try_from(unsafe { db_of(ctx) }).unwrap_or(0);
    let key_of = api!(RedisModule_GetKeyNameFromOptCtx);
    // SAFETY: server: a live context.
    let key = Argument::new(unsafe { key_of(ctx) }.cast_mut());
    // SAFETY: server: a value of this type, kept until `free`.
    let document = unsafe { lend(value) };
    guard::callback("unlink", || lifecycle::left(db, key.bytes(), &document));
}

extern "C" fn copy2(ctx: *mut raw::RedisModuleKeyOptCtx, value: *const c_void) -> *mut c_void {
    // SAFETY: server: a value of this type, kept for the callback.
    let document = unsafe { lend(value) };
    let Some(copy) = guard::callback("copy", || document.copy()) else { return ptr::null_mut() };
    let db_of = api!(RedisModule_GetDbIdFromOptCtx);
    // SAFETY: server: a live context.
    let db = unsafe { db_of(ctx) };
    guard::callback("copy", || lifecycle::copied_from(&document, db));
    into_raw(copy)
}
