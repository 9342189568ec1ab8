//! Streams: an entry added, the last id, and the two ways to be called when the server has done what it is doing.

use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use redis_module::raw;

use super::{Ctx, Key, OwnedString};
use crate::{changes, guard, lapsing, migrations};

/// What a call answered, freed with it.
struct Reply {
    raw: *mut raw::RedisModuleCallReply,
}

impl Reply {
    fn kind(&self) -> Option<isize> {
        if self.raw.is_null() {
            return None;
        }
        let kind_of = api!(RedisModule_CallReplyType);
        // SAFETY: owned: a live answer.
        Some(unsafe { kind_of(self.raw) } as isize)
    }

    /// The text at `index` of an array.
    fn text_at(&self, index: usize) -> Option<&[u8]> {
        let element_at = api!(RedisModule_CallReplyArrayElement);
        // SAFETY: owned: a live answer, which keeps its elements.
        let element = unsafe { element_at(self.raw, index) };
        if element.is_null() {
            return None;
        }
        let text_of = api!(RedisModule_CallReplyStringPtr);
        let mut length = 0;
        // SAFETY: owned: an element of a live answer.
        let start = unsafe { text_of(element, &raw mut length) };
        if start.is_null() {
            return None;
        }
        // SAFETY: owned: that many bytes, kept by the answer.
        Some(unsafe { std::slice::from_raw_parts(start.cast(), length) })
    }

    fn len(&self) -> usize {
        let length_of = api!(RedisModule_CallReplyLength);
        // SAFETY: owned: a live answer.
        unsafe { length_of(self.raw) }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if self.raw.is_null() {
            return;
        }
        let free = api!(RedisModule_FreeCallReply);
        // SAFETY: owned: freed once.
        unsafe { free(self.raw) };
    }
}

impl Ctx<'_> {
    /// Runs a command; with `!` in `format` it is replicated as well.
    fn call(&self, command: &std::ffi::CStr, format: &std::ffi::CStr, words: &[&[u8]]) -> Reply {
        let call = api!(RedisModule_Call);
        let owned: Vec<OwnedString> = words.iter().map(|word| OwnedString::new(word)).collect();
        let mut pointers: Vec<_> = owned.iter().map(|string| string.raw).collect();
        // SAFETY: owned: a vector of live strings and its length, as the format says.
        let raw = unsafe {
            call(self.raw, command.as_ptr(), format.as_ptr(), pointers.as_mut_ptr(), pointers.len())
        };
        Reply { raw }
    }

    /// Adds an entry to a stream of the selected database, here and on replicas; false where the server refuses it. `words` are
    /// those behind XADD.
    ///
    /// The server tells of it, which may call back: never call this while the state is borrowed.
    pub(crate) fn add_entry(&self, words: &[&[u8]]) -> bool {
        let kind = self.call(c"XADD", c"!v", words).kind();
        kind.is_some_and(|kind| kind != raw::REDISMODULE_REPLY_ERROR)
    }

    /// The first part of the id that a stream of the selected database gave last, even if the entry is gone.
    pub(crate) fn last_generated(&self, key: &[u8]) -> Option<u64> {
        let reply = self.call(c"XINFO", c"v", &[b"STREAM", key]);
        if reply.kind() != Some(raw::REDISMODULE_REPLY_ARRAY) {
            return None;
        }
        let names = (0..reply.len()).step_by(2);
        let at = names.into_iter().find(|at| reply.text_at(*at) == Some(b"last-generated-id"))?;
        let id = std::str::from_utf8(reply.text_at(at + 1)?).ok()?;
        id.split_once('-')?.0.parse().ok()
    }
}

impl Key<'_> {
    /// Whether a stream stands here, or nothing, so that one may.
    pub(crate) fn may_be_stream(&self) -> bool {
        self.raw.is_null() || self.has_type(raw::REDISMODULE_KEYTYPE_EMPTY) || self.is_stream()
    }

    /// Whether a stream stands here.
    pub(crate) fn is_stream(&self) -> bool {
        !self.raw.is_null() && self.has_type(raw::REDISMODULE_KEYTYPE_STREAM)
    }

    fn has_type(&self, kind: isize) -> bool {
        let key_type = api!(RedisModule_KeyType);
        // SAFETY: server: an open key.
        unsafe { key_type(self.raw) as isize == kind }
    }

    /// The first part of the id of the last entry of the stream that stands here.
    pub(crate) fn last_entry(&self) -> Option<u64> {
        if self.raw.is_null() {
            return None;
        }
        let start = api!(RedisModule_StreamIteratorStart);
        let flags = raw::REDISMODULE_STREAM_ITERATOR_REVERSE as c_int;
        // SAFETY: server: an open key. No bounds. A value of another type is refused.
        let status = unsafe { start(self.raw, flags, ptr::null_mut(), ptr::null_mut()) };
        if status != raw::REDISMODULE_OK as c_int {
            return None;
        }
        let (mut id, mut fields) = (raw::RedisModuleStreamID { ms: 0, seq: 0 }, 0);
        let next = api!(RedisModule_StreamIteratorNextID);
        // SAFETY: server: a key whose iterator was started; borrow: two places to fill.
        let status = unsafe { next(self.raw, &raw mut id, &raw mut fields) };
        let stop = api!(RedisModule_StreamIteratorStop);
        // SAFETY: server: a key whose iterator was started.
        unsafe { stop(self.raw) };
        (status == raw::REDISMODULE_OK as c_int).then_some(id.ms)
    }
}

/// A context that lives as long as the module, for callbacks that come without one.
static KEPT: AtomicPtr<raw::RedisModuleCtx> = AtomicPtr::new(ptr::null_mut());

/// Makes that context, once, when the module is loaded.
pub(super) fn keep_context(ctx: &Ctx<'_>) {
    let detached = api!(RedisModule_GetDetachedThreadSafeContext);
    // SAFETY: server: a live context.
    KEPT.store(unsafe { detached(ctx.raw) }, Ordering::Relaxed);
}

/// Calls `changes::tick` when the command or event under way has ended, in the same step; false where the server cannot.
pub(crate) fn tick_afterwards() -> bool {
    let Some(add) = newer_api!(RedisModule_AddPostNotificationJob) else { return false };
    let kept = KEPT.load(Ordering::Relaxed);
    // SAFETY: owned: the context is never freed; the callback takes no data.
    let status = unsafe { add(kept, Some(on_tick), ptr::null_mut(), None) };
    status == raw::REDISMODULE_OK as c_int
}

/// Calls `changes::tick` in `milliseconds`.
pub(crate) fn tick_in(milliseconds: i64) {
    let create = api!(RedisModule_CreateTimer);
    let kept = KEPT.load(Ordering::Relaxed);
    // SAFETY: owned: the context is never freed; the callback takes no data.
    unsafe { create(kept, milliseconds, Some(on_tick), ptr::null_mut()) };
}

/// Calls `lapsing::tick` in `milliseconds`; gives the timer.
pub(crate) fn lapse_in(milliseconds: i64) -> u64 {
    // Tests of the module alone have no server.
    let Some(create) = newer_api!(RedisModule_CreateTimer) else { return 0 };
    let kept = KEPT.load(Ordering::Relaxed);
    // SAFETY: owned: the context is never freed; the callback takes no data.
    unsafe { create(kept, milliseconds, Some(on_lapse), ptr::null_mut()) }
}

/// Calls `migrations::tick` in `milliseconds`.
pub(crate) fn migrate_in(milliseconds: i64) {
    // Tests of the module alone have no server.
    let Some(create) = newer_api!(RedisModule_CreateTimer) else { return };
    let kept = KEPT.load(Ordering::Relaxed);
    // SAFETY: owned: the context is never freed; the callback takes no data.
    unsafe { create(kept, milliseconds, Some(on_migration), ptr::null_mut()) };
}

extern "C" fn on_migration(ctx: *mut raw::RedisModuleCtx, _data: *mut c_void) {
    let ctx = Ctx::new(ctx);
    guard::callback("migration", || {
        if let Err(error) = migrations::tick(&ctx) {
            super::log(true, &error.to_string());
        }
    });
}

/// Takes a timer of [`lapse_in`] back; 0 and one that is over are none.
pub(crate) fn stop_lapse(timer: u64) {
    let Some(stop) = newer_api!(RedisModule_StopTimer) else { return };
    if timer != 0 {
        let kept = KEPT.load(Ordering::Relaxed);
        // SAFETY: owned: the context is never freed, and the timer, if there is one, is this module's; its data is nobody's.
        unsafe { stop(kept, timer, ptr::null_mut()) };
    }
}

extern "C" fn on_lapse(ctx: *mut raw::RedisModuleCtx, _data: *mut c_void) {
    let ctx = Ctx::new(ctx);
    guard::callback("lapsing", || {
        if let Err(error) = lapsing::tick(&ctx) {
            super::log(true, &error.to_string());
        }
    });
}

extern "C" fn on_tick(ctx: *mut raw::RedisModuleCtx, _data: *mut c_void) {
    let ctx = Ctx::new(ctx);
    guard::callback("changes", || changes::tick(&ctx));
}

/// Whether this server decides for itself now: it follows no primary, and reads no file.
pub(crate) fn is_primary() -> bool {
    // Tests of the module alone have no server.
    let Some(flags_of) = newer_api!(RedisModule_GetContextFlags) else { return false };
    // SAFETY: table: a null context is allowed, and leaves out what is of a client.
    let flags = unsafe { flags_of(ptr::null_mut()) } as u32;
    flags & (raw::REDISMODULE_CTX_FLAGS_SLAVE | raw::REDISMODULE_CTX_FLAGS_LOADING) == 0
}
