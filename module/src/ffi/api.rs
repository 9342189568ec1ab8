//! The table of the server's functions, and the few that need no context.

use std::ffi::CString;
use std::ptr;

/// The function of that name. Every one that is called so is in Redis 7.0, the oldest server supported.
macro_rules! api {
    ($name:ident) => {{
        // SAFETY: table: filled by RedisModule_Init before any other call, and never written again.
        let function = unsafe { redis_module::raw::$name };
        function.expect(concat!(stringify!($name), " is part of the module API since Redis 7.0"))
    }};
}

/// The function of that name on servers that have it.
macro_rules! newer_api {
    ($name:ident) => {{
        // SAFETY: table: filled by RedisModule_Init before any other call, and never written again.
        let function = unsafe { redis_module::raw::$name };
        function
    }};
}

/// Text as C wants it; what follows a NUL byte is left out.
pub(super) fn c_string(text: &str) -> CString {
    let end = text.find('\0').unwrap_or(text.len());
    CString::new(&text[..end]).expect("holds no NUL before `end`")
}

/// Writes one line to the server's log; to stderr where there is no server.
pub(crate) fn log(warning: bool, text: &str) {
    let Some(log) = newer_api!(RedisModule_Log) else {
        eprintln!("folio: {text}");
        return;
    };
    let level = if warning { c"warning" } else { c"notice" };
    let line = c_string(&text.replace(['\n', '\r'], " "));
    // SAFETY: borrow: three C strings; the format takes one string. A null context is allowed.
    unsafe { log(ptr::null_mut(), level.as_ptr(), c"%s".as_ptr(), line.as_ptr()) };
}

/// The server's clock in milliseconds since 1970; cached for the command where the server can.
pub(crate) fn clock_ms() -> i64 {
    if let Some(cached) = newer_api!(RedisModule_CachedMicroseconds) {
        // SAFETY: table: takes nothing.
        return unsafe { cached() } / 1000;
    }
    let milliseconds = api!(RedisModule_Milliseconds);
    // SAFETY: table: takes nothing.
    unsafe { milliseconds() }
}

/// A number that nobody can foresee, for the seeds of hash tables.
pub(crate) fn random_seed() -> u64 {
    let mut bytes = [0_u8; 8];
    let random = api!(RedisModule_GetRandomBytes);
    // SAFETY: borrow: eight bytes to fill.
    unsafe { random(bytes.as_mut_ptr(), bytes.len()) };
    u64::from_ne_bytes(bytes)
}
