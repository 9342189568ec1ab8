//! What a call may take: steps and bytes, counted so that every server comes to the same.
//!
//! ```text
//!   step    = a call, a return, a turn of a loop, an attempt of a pattern: 1 + surcharge
//!   charge  = what a function of the library does in one go, by the size of its arguments
//!   bytes   = the limit of the allocator: what was used at the start + the bound
//! ```
//! The collector stands still during a call, so bytes only grow. The surcharge makes a step dearer the more the call has
//! allocated, since one operation may then touch all of it; below [`FREE_BYTES`] it is nothing, so that the steps of most
//! calls are the same to the last one. Above it they depend a little on what earlier calls left in the state, by no more
//! than [`SLACK_BYTES`]: a call that judges nothing is granted that in addition to twice the bounds, so that it goes
//! through wherever the one that judged did.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};

use mlua::{Error, Lua, Result};

use crate::function::Bounds;

/// Garbage of earlier calls from which on it is collected.
pub(super) const GARBAGE_BYTES: usize = 1 << 20;
/// By how much two servers may measure the bytes of one call differently: garbage whose texts or places it meets, and
/// pages that are filled in another way.
const SLACK_BYTES: usize = GARBAGE_BYTES + (256 << 10);
/// What a call may allocate before its steps become dearer.
const FREE_BYTES: usize = 64 << 10;
/// Bytes that cost one step more.
const BYTES_PER_STEP: usize = 8 << 10;
/// Bytes of source that make the surcharge one time larger: between two steps stands no more than the whole source.
const SOURCE_BYTES_PER_SURCHARGE: usize = 256;

/// Counts one call at a time.
#[derive(Debug, Default)]
pub(super) struct Meter {
    steps: AtomicU64,
    steps_max: AtomicU64,
    /// What an attempt of a pattern costs.
    weight: AtomicU64,
    /// Bytes in use from which on there is a surcharge.
    free_to: AtomicUsize,
    /// How many times the surcharge counts.
    scale: AtomicU64,
    is_over: AtomicBool,
}

impl Meter {
    /// Begins a call of a function with `source_bytes` of source. Gives the limit for the allocator.
    pub(super) fn start(
        &self,
        used: usize,
        bounds: Bounds,
        is_judging: bool,
        source_bytes: usize,
    ) -> usize {
        let slack = if is_judging { 0 } else { SLACK_BYTES };
        let scale = 1 + source_bytes / SOURCE_BYTES_PER_SURCHARGE;
        self.steps.store(0, Relaxed);
        self.steps_max.store(bounds.steps, Relaxed);
        self.weight.store(1, Relaxed);
        self.free_to.store(used + FREE_BYTES + slack, Relaxed);
        self.scale.store(scale as u64, Relaxed);
        self.is_over.store(false, Relaxed);
        let bytes = usize::try_from(bounds.bytes).unwrap_or(usize::MAX);
        used.saturating_add(bytes).saturating_add(slack).min(isize::MAX as usize)
    }

    /// Whether the call was stopped for its steps.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Relaxed)
    }

    /// Steps of the last call.
    #[cfg(test)]
    pub(super) fn steps(&self) -> u64 {
        self.steps.load(Relaxed)
    }

    /// One step; an error when there are no more.
    #[inline]
    pub(super) fn step(&self, lua: &Lua) -> Result<()> {
        let cost = self.weight.load(Relaxed).saturating_add(self.surcharge(lua));
        self.charge(cost).map_err(|_| stopped(lua))
    }

    /// Steps for work that has no steps of its own.
    pub(super) fn charge(&self, steps: u64) -> Result<()> {
        let taken = self.steps.load(Relaxed).saturating_add(steps);
        self.steps.store(taken, Relaxed);
        if taken > self.steps_max.load(Relaxed) {
            self.is_over.store(true, Relaxed);
            return Err(Error::runtime("too many steps"));
        }
        Ok(())
    }

    /// The same where each may touch all that the call has allocated.
    pub(super) fn charge_held(&self, lua: &Lua, steps: u64) -> Result<()> {
        self.charge(steps.saturating_mul(self.surcharge(lua).saturating_add(1)))
    }

    /// Sets what an attempt of a pattern costs; gives what it was.
    pub(super) fn weigh(&self, weight: u64) -> u64 {
        self.weight.swap(weight, Relaxed)
    }

    fn surcharge(&self, lua: &Lua) -> u64 {
        let excess = lua.used_memory().saturating_sub(self.free_to.load(Relaxed));
        (excess / BYTES_PER_STEP) as u64 * self.scale.load(Relaxed)
    }
}

/// The error of a step too many. No trace is made for an interrupt, so this is one: the frames nearest to it.
#[cold]
fn stopped(lua: &Lua) -> Error {
    const FRAMES_MAX: usize = 32;
    let frame = |level| {
        lua.inspect_stack(level, |frame| {
            let chunk = frame.source().short_src.unwrap_or_default().into_owned();
            format!("\t{chunk}:{}:\n", frame.current_line().unwrap_or_default())
        })
    };
    let frames: String = (0..FRAMES_MAX).map_while(frame).collect();
    Error::runtime(format!("too many steps\nstack traceback:\n{frames}"))
}
