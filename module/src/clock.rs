//! The clock, read once a command and handed down, so that a command sees one instant.

use std::time::Instant;

use crate::ffi;

/// Milliseconds since 1970-01-01T00:00:00Z.
pub(crate) fn now_ms() -> i64 {
    ffi::clock_ms()
}

/// Microseconds that have passed since then.
pub(crate) fn micros_since(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX)
}
