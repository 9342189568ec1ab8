//! What the server reports: keyspace notifications and server events, subscribed to raw.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;

use redis_module::raw;

use super::{Argument, Ctx};
use crate::{builds, changes, guard, lifecycle};

/// Subscribes to everything that the life of documents hangs on; false where the server refuses.
pub(super) fn subscribe(ctx: &Ctx<'_>) -> bool {
    let mut classes = raw::REDISMODULE_NOTIFY_NEW
        | raw::REDISMODULE_NOTIFY_LOADED
        | raw::REDISMODULE_NOTIFY_GENERIC
        | raw::REDISMODULE_NOTIFY_EXPIRED
        | raw::REDISMODULE_NOTIFY_STREAM;
    // Before any command a server may evict from any database. Valkey tells of it with the client whose command is to run,
    // and leaves that in the other database (see `lifecycle::SOURCE_DB`): nothing of it may be subscribed to. It is told
    // from Redis by what it lacks.
    let has_jobs = newer_api!(RedisModule_AddPostNotificationJob).is_some();
    let has_prefixes = newer_api!(RedisModule_ACLCheckKeyPrefixPermissions).is_some();
    if !has_jobs || has_prefixes {
        classes |= raw::REDISMODULE_NOTIFY_EVICTED;
    }
    let to_keys = api!(RedisModule_SubscribeToKeyspaceEvents);
    // SAFETY: server: a live context.
    let status = unsafe { to_keys(ctx.raw, classes, Some(on_key)) };
    let events = [
        raw::REDISMODULE_EVENT_FLUSHDB,
        raw::REDISMODULE_EVENT_SWAPDB,
        raw::REDISMODULE_EVENT_LOADING,
        raw::REDISMODULE_EVENT_REPL_ASYNC_LOAD,
        raw::REDISMODULE_EVENT_FORK_CHILD,
    ];
    let to_event = api!(RedisModule_SubscribeToServerEvent);
    status == raw::REDISMODULE_OK as c_int
        && events.into_iter().all(|id| {
            let event = raw::RedisModuleEvent { id, dataver: 1 };
            // SAFETY: server: a live context.
            let status = unsafe { to_event(ctx.raw, event, Some(on_server)) };
            status == raw::REDISMODULE_OK as c_int
        })
}

extern "C" fn on_key(
    ctx: *mut raw::RedisModuleCtx,
    class: c_int,
    event: *const c_char,
    key: *mut raw::RedisModuleString,
) -> c_int {
    let ctx = Ctx::new(ctx);
    let key = Argument::new(key);
    guard::callback("notification", || match class {
        raw::REDISMODULE_NOTIFY_NEW => lifecycle::appeared(&ctx, key),
        raw::REDISMODULE_NOTIFY_LOADED => lifecycle::loaded(&ctx, key.bytes()),
        _ => {
            // SAFETY: server: a C string, kept for the callback.
            let event = unsafe { CStr::from_ptr(event) }.to_bytes();
            match class {
                raw::REDISMODULE_NOTIFY_STREAM if event == b"xadd" => changes::grew(&ctx, key),
                raw::REDISMODULE_NOTIFY_STREAM => {}
                _ => lifecycle::happened(&ctx, event, key),
            }
        }
    });
    raw::REDISMODULE_OK as c_int
}

extern "C" fn on_server(
    ctx: *mut raw::RedisModuleCtx,
    event: raw::RedisModuleEvent,
    subevent: u64,
    data: *mut c_void,
) {
    let ctx = Ctx::new(ctx);
    guard::callback("server event", || match (event.id, subevent) {
        (raw::REDISMODULE_EVENT_FLUSHDB, raw::REDISMODULE_SUBEVENT_FLUSHDB_START) => {
            // SAFETY: server: this event's data is a record of that type, kept for the callback.
            let flushed = unsafe { *data.cast::<raw::RedisModuleFlushInfo>() };
            // -1 stands for all databases.
            lifecycle::flushed(u32::try_from(flushed.dbnum).ok());
        }
        (raw::REDISMODULE_EVENT_SWAPDB, _) => {
            // SAFETY: server: this event's data is a record of that type, kept for the callback.
            let swapped = unsafe { *data.cast::<raw::RedisModuleSwapDbInfo>() };
            let db = |number: i32| u32::try_from(number).unwrap_or(0);
            lifecycle::swapped(db(swapped.dbnum_first), db(swapped.dbnum_second));
        }
        (
            raw::REDISMODULE_EVENT_LOADING,
            raw::REDISMODULE_SUBEVENT_LOADING_ENDED | raw::REDISMODULE_SUBEVENT_LOADING_FAILED,
        ) => lifecycle::load_ended(&ctx),
        (raw::REDISMODULE_EVENT_LOADING, _) => lifecycle::load_began(),
        (
            raw::REDISMODULE_EVENT_REPL_ASYNC_LOAD,
            raw::REDISMODULE_SUBEVENT_REPL_ASYNC_LOAD_STARTED,
        ) => {
            lifecycle::staging_began();
        }
        (
            raw::REDISMODULE_EVENT_REPL_ASYNC_LOAD,
            raw::REDISMODULE_SUBEVENT_REPL_ASYNC_LOAD_ABORTED,
        ) => {
            lifecycle::staging_aborted();
        }
        (raw::REDISMODULE_EVENT_REPL_ASYNC_LOAD, _) => lifecycle::staging_completed(&ctx),
        (raw::REDISMODULE_EVENT_FORK_CHILD, raw::REDISMODULE_SUBEVENT_FORK_CHILD_BORN) => {
            lifecycle::child_born(&ctx);
        }
        _ => {}
    });
}

/// Calls `lifecycle::append_state` in `milliseconds`.
pub(crate) fn wait(ctx: &Ctx<'_>, milliseconds: i64) {
    let create = api!(RedisModule_CreateTimer);
    // SAFETY: server: a live context; the callback takes no data.
    unsafe { create(ctx.raw, milliseconds, Some(on_timer), ptr::null_mut()) };
}

extern "C" fn on_timer(ctx: *mut raw::RedisModuleCtx, _data: *mut c_void) {
    let ctx = Ctx::new(ctx);
    guard::callback("timer", || lifecycle::append_state(&ctx));
}

/// Has the builds gone on with in `milliseconds`.
pub(crate) fn wait_for_builds(ctx: &Ctx<'_>, milliseconds: i64) {
    let create = api!(RedisModule_CreateTimer);
    // SAFETY: server: a live context; the callback takes no data.
    unsafe { create(ctx.raw, milliseconds, Some(on_build_timer), ptr::null_mut()) };
}

extern "C" fn on_build_timer(ctx: *mut raw::RedisModuleCtx, _data: *mut c_void) {
    let ctx = Ctx::new(ctx);
    guard::callback("build", || builds::tick(&ctx));
    guard::callback("build", || builds::ticked(&ctx));
}
