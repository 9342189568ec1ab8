//! Replies. A map becomes flat pairs, a null or a double its older form, for clients that speak RESP2.

use std::ffi::{c_long, c_longlong};

use redis_module::raw;

use super::Ctx;
use super::api::c_string;

impl Ctx<'_> {
    /// Whether a part of the reply was sent: an error can then no longer take its place.
    pub(crate) fn has_replied(&self) -> bool {
        self.replied.get()
    }

    /// An error: its code, a blank, its message.
    pub(crate) fn reply_error(&self, text: &str) {
        let line = c_string(&text.replace(|c: char| c.is_control(), " "));
        let reply = api!(RedisModule_ReplyWithError);
        self.replied.set(true);
        // SAFETY: server: a live context; borrow: a C string.
        unsafe { reply(self.raw, line.as_ptr()) };
    }

    /// The simple string `OK`.
    pub(crate) fn reply_ok(&self) {
        let reply = api!(RedisModule_ReplyWithSimpleString);
        self.replied.set(true);
        // SAFETY: server: a live context; borrow: a C string.
        unsafe { reply(self.raw, c"OK".as_ptr()) };
    }

    /// An integer.
    pub(crate) fn reply_integer(&self, number: i64) {
        let reply = api!(RedisModule_ReplyWithLongLong);
        let number: c_longlong = number;
        self.replied.set(true);
        // SAFETY: server: a live context.
        unsafe { reply(self.raw, number) };
    }

    /// A count or a version.
    pub(crate) fn reply_count(&self, number: u64) {
        self.reply_integer(i64::try_from(number).unwrap_or(i64::MAX));
    }

    /// A bulk string.
    pub(crate) fn reply_bytes(&self, bytes: &[u8]) {
        let reply = api!(RedisModule_ReplyWithStringBuffer);
        self.replied.set(true);
        // SAFETY: server: a live context; borrow: the bytes are copied.
        unsafe { reply(self.raw, bytes.as_ptr().cast(), bytes.len()) };
    }

    /// Null.
    pub(crate) fn reply_null(&self) {
        let reply = api!(RedisModule_ReplyWithNull);
        self.replied.set(true);
        // SAFETY: server: a live context.
        unsafe { reply(self.raw) };
    }

    /// The head of an array; `count` elements follow.
    pub(crate) fn reply_array(&self, count: usize) {
        let reply = api!(RedisModule_ReplyWithArray);
        self.replied.set(true);
        // SAFETY: server: a live context.
        unsafe { reply(self.raw, count as c_long) };
    }

    /// The head of an array whose length is told by [`close_array`](Self::close_array).
    pub(crate) fn open_array(&self) {
        let reply = api!(RedisModule_ReplyWithArray);
        self.replied.set(true);
        // SAFETY: server: a live context.
        unsafe { reply(self.raw, c_long::from(raw::REDISMODULE_POSTPONED_LEN)) };
    }

    /// Tells the length of the innermost open array.
    pub(crate) fn close_array(&self, count: usize) {
        let set = api!(RedisModule_ReplySetArrayLength);
        // SAFETY: server: a live context.
        unsafe { set(self.raw, count as c_long) };
    }

    /// The head of a map; `count` pairs follow.
    pub(crate) fn reply_map(&self, count: usize) {
        let reply = api!(RedisModule_ReplyWithMap);
        self.replied.set(true);
        // SAFETY: server: a live context.
        unsafe { reply(self.raw, count as c_long) };
    }
}
