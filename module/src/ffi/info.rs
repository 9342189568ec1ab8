//! The sections that INFO prints.

use std::ffi::{c_int, c_longlong, c_ulonglong};

use redis_module::raw;

use super::Ctx;
use super::api::c_string;
use crate::{guard, info};

/// INFO's answer, being written.
pub(crate) struct InfoSection {
    raw: *mut raw::RedisModuleInfoCtx,
}

impl InfoSection {
    /// Begins the section `folio_<name>`, or `folio`; false when the reader did not ask for it.
    pub(crate) fn begin(&self, name: &str) -> bool {
        let add = api!(RedisModule_InfoAddSection);
        let name = c_string(name);
        // SAFETY: server: a live context; borrow: a C string.
        unsafe { add(self.raw, name.as_ptr()) == raw::REDISMODULE_OK as c_int }
    }

    /// A line `folio_<name>:<number>`.
    pub(crate) fn integer(&self, name: &str, number: i64) {
        let add = api!(RedisModule_InfoAddFieldLongLong);
        let name = c_string(name);
        let number: c_longlong = number;
        // SAFETY: server: a live context; borrow: a C string.
        unsafe { add(self.raw, name.as_ptr(), number) };
    }

    /// A line `folio_<name>:<number>`; inside [`InfoSection::pairs`] a pair.
    pub(crate) fn number(&self, name: &str, number: u64) {
        let add = api!(RedisModule_InfoAddFieldULongLong);
        let name = c_string(name);
        let number: c_ulonglong = number;
        // SAFETY: server: a live context; borrow: a C string.
        unsafe { add(self.raw, name.as_ptr(), number) };
    }

    /// A line `folio_<name>:<text>`; inside [`InfoSection::pairs`] a pair.
    pub(crate) fn text(&self, name: &str, text: &str) {
        let add = api!(RedisModule_InfoAddFieldCString);
        let (name, text) = (c_string(name), c_string(text));
        // SAFETY: server: a live context; borrow: two C strings.
        unsafe { add(self.raw, name.as_ptr(), text.as_ptr()) };
    }

    /// A line `folio_<name>:<pairs>`, of the pairs that `body` writes.
    pub(crate) fn pairs(&self, name: &str, body: impl FnOnce()) {
        let begin = api!(RedisModule_InfoBeginDictField);
        let name = c_string(name);
        // SAFETY: server: a live context; borrow: a C string.
        unsafe { begin(self.raw, name.as_ptr()) };
        body();
        let end = api!(RedisModule_InfoEndDictField);
        // SAFETY: server: a live context, within the line begun above.
        unsafe { end(self.raw) };
    }

    /// A pair `<name>=<number>`.
    pub(crate) fn pair(&self, name: &str, number: u64) {
        self.number(name, number);
    }

    /// A pair `<name>=<text>`. The server writes the text as it is: it holds no comma and no line's end.
    pub(crate) fn text_pair(&self, name: &str, text: &str) {
        self.text(name, text);
    }
}

/// Registers the sections; false where the server refuses.
pub(super) fn register(ctx: &Ctx<'_>) -> bool {
    let register = api!(RedisModule_RegisterInfoFunc);
    // SAFETY: server: a live context.
    unsafe { register(ctx.raw, Some(on_info)) == raw::REDISMODULE_OK as c_int }
}

extern "C" fn on_info(raw: *mut raw::RedisModuleInfoCtx, for_crash_report: c_int) {
    let section = InfoSection { raw };
    guard::callback("info", || info::write(&section, for_crash_report != 0));
}
