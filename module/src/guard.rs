//! No panic crosses into the server: an unwinding panic that reaches C aborts the process.
//!
//! Every function that the server calls runs in [`callback`] or [`command`]. A panic is a defect of Folio: it is
//! logged in one line, counted in INFO, and the command that met it answers `INTERNAL`.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, TryLockError};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::commands::Answer;
use crate::ffi::{self, Ctx};
use crate::{acl, info, lifecycle, state};

static PANICS: AtomicU64 = AtomicU64::new(0);

/// When the last panic was, in milliseconds since 1970, and where.
static LAST: Mutex<Option<(i64, String)>> = Mutex::new(None);

/// How many panics were caught since the start.
pub(crate) fn panics() -> u64 {
    PANICS.load(Ordering::Relaxed)
}

/// When the last panic was, in milliseconds since 1970, and where: its message, which may hold a piece of a document, stands in the
/// server's log alone. Waits for nothing.
pub(crate) fn last_panic() -> Option<(i64, String)> {
    match LAST.try_lock() {
        Ok(last) => last.clone(),
        Err(TryLockError::Poisoned(last)) => last.into_inner().clone(),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// Any thread may panic, and only the server's own may ask the server for the time.
fn remember(place: &str) {
    let at_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |it| it.as_millis());
    if let Ok(mut last) = LAST.try_lock() {
        *last = Some((i64::try_from(at_ms).unwrap_or(i64::MAX), place.to_owned()));
    }
}

/// Makes a panic one line in the server's log. Never a backtrace: on servers that load modules with deep
/// binding, taking one kills the process.
pub(crate) fn install_hook() {
    panic::set_hook(Box::new(|info| {
        let message = message_of(info.payload());
        let place = info.location().map_or_else(|| "unknown".to_owned(), ToString::to_string);
        ffi::log(true, &format!("a defect: {message} at {place}"));
        remember(&place);
    }));
}

fn message_of(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a message")
}

/// Runs a callback of the server; `None` after a panic.
pub(crate) fn callback<R>(name: &str, body: impl FnOnce() -> R) -> Option<R> {
    // Unwind safety: the only state that outlives the callback is behind `state`, which is made anew from the
    // keyspace before it is asked again.
    let result = panic::catch_unwind(AssertUnwindSafe(body)).ok();
    if result.is_none() {
        PANICS.fetch_add(1, Ordering::Relaxed);
        state::suspect();
        ffi::log(true, &format!("the panic was caught in {name}"));
    }
    result
}

/// Runs a command and sends its error, if there is one: then this is false, and the error is counted.
pub(crate) fn command(name: &str, ctx: &Ctx<'_>, body: impl FnOnce() -> Answer) -> bool {
    let outcome = callback(name, || {
        lifecycle::recover(ctx);
        body().map_err(|refusal| acl::shown_to(ctx, refusal))
    });
    if outcome.is_none() {
        // Before anything else can happen to a key.
        callback("recovery", || lifecycle::recover(ctx));
    }
    match &outcome {
        Some(Ok(())) => {}
        Some(Err(refusal)) => {
            info::ERRORS.count(refusal);
            ctx.reply_error(&refusal.to_string());
        }
        None if ctx.has_replied() => info::ERRORS.count_defect(),
        None => {
            info::ERRORS.count_defect();
            let what = format!("INTERNAL a defect of Folio in {name}, see the server's log");
            ctx.reply_error(&what);
        }
    }
    matches!(outcome, Some(Ok(())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_in_the_guard() {
        let before = panics();
        assert_eq!(callback("test", || 7), Some(7));
        assert_eq!(callback("test", || -> u8 { panic!("on purpose") }), None);
        assert_eq!(panics(), before + 1);
    }
}
