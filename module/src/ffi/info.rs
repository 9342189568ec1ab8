//! The section that INFO prints.

use std::ffi::{c_int, c_longlong};

use redis_module::raw;

use super::Ctx;
use super::api::c_string;
use crate::{guard, info};

/// INFO's answer, being written.
pub(crate) struct InfoSection {
    raw: *mut raw::RedisModuleInfoCtx,
}

impl InfoSection {
    /// Begins the section; false when the reader did not ask for it.
    pub(crate) fn begin(&self) -> bool {
        let add = api!(RedisModule_InfoAddSection);
        // SAFETY: server: a live context; borrow: a C string.
        unsafe { add(self.raw, c"".as_ptr()) == raw::REDISMODULE_OK as c_int }
    }

    /// A line `folio_<name>:<number>`.
    pub(crate) fn number(&self, name: &str, number: u64) {
        let add = api!(RedisModule_InfoAddFieldLongLong);
        let name = c_string(name);
        let number = c_longlong::try_from(number).unwrap_or(c_longlong::MAX);
        // SAFETY: server: a live context; borrow: a C string.
        unsafe { add(self.raw, name.as_ptr(), number) };
    }

    /// A line `folio_<name>:<text>`.
    pub(crate) fn text(&self, name: &str, text: &str) {
        let add = api!(RedisModule_InfoAddFieldCString);
        let (name, text) = (c_string(name), c_string(text));
        // SAFETY: server: a live context; borrow: two C strings.
        unsafe { add(self.raw, name.as_ptr(), text.as_ptr()) };
    }
}

/// Registers the section; false where the server refuses.
pub(super) fn register(ctx: &Ctx<'_>) -> bool {
    let register = api!(RedisModule_RegisterInfoFunc);
    // SAFETY: server: a live context.
    unsafe { register(ctx.raw, Some(on_info)) == raw::REDISMODULE_OK as c_int }
}

extern "C" fn on_info(raw: *mut raw::RedisModuleInfoCtx, _for_crash_report: c_int) {
    guard::callback("info", || info::write(&InfoSection { raw }));
}
