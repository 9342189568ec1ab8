//! The clock, read once a command and handed down, so that a command sees one instant.

use crate::ffi;

/// Milliseconds since 1970-01-01T00:00:00Z.
pub(crate) fn now_ms() -> i64 {
    ffi::clock_ms()
}
