//! A client that waits for its reply while the server runs other commands.

use std::ptr;

use redis_module::raw;

use super::Ctx;

/// A blocked client. It may have gone meanwhile, or been answered by the server itself; nobody reads the reply then.
pub(crate) struct Blocked {
    raw: *mut raw::RedisModuleBlockedClient,
    is_answered: bool,
}

// SAFETY: server: made, answered and freed by callbacks of the server, which hold its lock.
unsafe impl Send for Blocked {}

impl Blocked {
    /// Blocks the client of a command, for any time. [`Ctx::may_block`] has said that it can be.
    pub(crate) fn new(ctx: &Ctx<'_>) -> Self {
        let block = api!(RedisModule_BlockClient);
        // SAFETY: server: a live context of a command. Without callbacks the reply is given by `answer`.
        let raw = unsafe { block(ctx.raw, None, None, None, 0) };
        Blocked { raw, is_answered: false }
    }

    /// Lets the client go, with OK or an error.
    pub(crate) fn answer(mut self, outcome: Result<(), &str>) {
        self.unblock(outcome);
    }

    fn unblock(&mut self, outcome: Result<(), &str>) {
        // Before anything can panic.
        if std::mem::replace(&mut self.is_answered, true) {
            return;
        }
        let context = api!(RedisModule_GetThreadSafeContext);
        // SAFETY: owned: a client that is blocked still, or its remains, which the server keeps until it is unblocked.
        let raw = unsafe { context(self.raw) };
        let ctx = Ctx::new(raw);
        match outcome {
            Ok(()) => ctx.reply_ok(),
            Err(text) => ctx.reply_error(text),
        }
        let free = api!(RedisModule_FreeThreadSafeContext);
        // SAFETY: owned: made above, freed once.
        unsafe { free(raw) };
        let unblock = api!(RedisModule_UnblockClient);
        // SAFETY: owned: unblocked once; no private data.
        unsafe { unblock(self.raw, ptr::null_mut()) };
    }
}

impl Drop for Blocked {
    /// Nobody waits for ever because of a defect.
    fn drop(&mut self) {
        self.unblock(Err("INTERNAL a defect of Folio, see the server's log"));
    }
}
