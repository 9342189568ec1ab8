//! Numeric settings `folio.<name>`, which CONFIG GET, CONFIG SET and the configuration file know.

use std::ffi::{c_char, c_int, c_longlong, c_uint, c_void};
use std::ptr;

use redis_module::raw;

use super::Ctx;
use super::api::c_string;
use crate::config::{self, SETTINGS};
use crate::guard;

/// The setting that a pointer stands for: its position in the table is all that the server keeps for us.
fn position(private: *mut c_void) -> usize {
    private.addr()
}

/// Registers every setting of the table and reads the configuration file; false where the server refuses.
pub(super) fn register(ctx: &Ctx<'_>) -> bool {
    let Some(register) = newer_api!(RedisModule_RegisterNumericConfig) else { return true };
    let all = SETTINGS.iter().enumerate().all(|(position, setting)| {
        let name = c_string(setting.name);
        // SAFETY: server: a live context; borrow: a C string. The private pointer is only a number.
        let status = unsafe {
            register(
                ctx.raw,
                name.as_ptr(),
                config::get(position),
                raw::REDISMODULE_CONFIG_DEFAULT as c_uint,
                setting.min,
                setting.max,
                Some(on_get),
                Some(on_set),
                None,
                ptr::without_provenance_mut(position),
            )
        };
        status == raw::REDISMODULE_OK as c_int
    });
    let load = api!(RedisModule_LoadConfigs);
    // SAFETY: server: a live context, still loading the module.
    all && unsafe { load(ctx.raw) } == raw::REDISMODULE_OK as c_int
}

extern "C" fn on_get(_name: *const c_char, private: *mut c_void) -> c_longlong {
    guard::callback("config get", || config::get(position(private))).unwrap_or(0)
}

extern "C" fn on_set(
    _name: *const c_char,
    value: c_longlong,
    private: *mut c_void,
    _error: *mut *mut raw::RedisModuleString,
) -> c_int {
    let done = guard::callback("config set", || config::set(position(private), value));
    let status = if done == Some(true) { raw::REDISMODULE_OK } else { raw::REDISMODULE_ERR };
    status as c_int
}
