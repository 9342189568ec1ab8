//! Deliberate faults, for the tests to find: a checker that finds none of them checks nothing.
//!
//! Only a build with the feature `planted-faults` can have one; in any other, [`is`] is `false` as the compiler sees it, and
//! nothing is left of the places that ask.

#[cfg(feature = "planted-faults")]
use std::cell::Cell;
#[cfg(feature = "planted-faults")]
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// A fault. Each stands where its name is asked for, and nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The expiry order does not hear of EXPIRE and PERSIST.
    Ttl,
    /// A document that comes under another key is not adopted there.
    Rename,
    /// A document that a file brings never lapses for the index.
    Load,
    /// A write over a document is not asked whether its values are unique.
    Unique,
    /// Of several entries that an update takes out of an index, the first one stays.
    MultiValue,
    /// An update that a primary tells of changes no index.
    Replica,
    /// The definitions of a full sync that was loaded beside the served data are lost.
    Staging,
    /// FLUSHDB does not reach the index.
    Flush,
    /// SWAPDB does not reach the index.
    Swap,
    /// A changed document gets the version that was given last.
    Version,
    /// Integers are as exact as doubles.
    NumberKeys,
    /// The definition of an empty collection is not saved.
    Definition,
    /// Who may touch one key of a collection may touch the collection.
    Acl,
    /// One write in 64 is told to neither file nor replica.
    Log,
    /// One change in 64 is told to no change stream.
    Changes,
    /// A document that leaves its key is not freed.
    Leak,
    /// A document that was freed is read once more.
    Freed,
}

impl Fault {
    /// All of them.
    pub const ALL: [Fault; 17] = [
        Fault::Ttl,
        Fault::Rename,
        Fault::Load,
        Fault::Unique,
        Fault::MultiValue,
        Fault::Replica,
        Fault::Staging,
        Fault::Flush,
        Fault::Swap,
        Fault::Version,
        Fault::NumberKeys,
        Fault::Definition,
        Fault::Acl,
        Fault::Log,
        Fault::Changes,
        Fault::Leak,
        Fault::Freed,
    ];

    /// What it is called from outside.
    pub fn name(self) -> &'static str {
        match self {
            Fault::Ttl => "ttl",
            Fault::Rename => "rename",
            Fault::Load => "load",
            Fault::Unique => "unique",
            Fault::MultiValue => "multi-value",
            Fault::Replica => "replica",
            Fault::Staging => "staging",
            Fault::Flush => "flush",
            Fault::Swap => "swap",
            Fault::Version => "version",
            Fault::NumberKeys => "number-keys",
            Fault::Definition => "definition",
            Fault::Acl => "acl",
            Fault::Log => "log",
            Fault::Changes => "changes",
            Fault::Leak => "leak",
            Fault::Freed => "freed",
        }
    }
}

#[cfg(feature = "planted-faults")]
static PLANTED: AtomicU8 = AtomicU8::new(u8::MAX);

/// This process has the fault of this name from now on, and no other; false if there is none of this name.
#[cfg(feature = "planted-faults")]
pub fn plant(name: &str) -> bool {
    let fault = Fault::ALL.into_iter().find(|fault| fault.name() == name);
    fault.is_some_and(|fault| {
        PLANTED.store(fault as u8, Relaxed);
        true
    })
}

/// Whether this process has the fault.
#[inline]
#[must_use]
pub fn is(fault: Fault) -> bool {
    #[cfg(feature = "planted-faults")]
    let is_planted = PLANTED.load(Relaxed) == fault as u8;
    #[cfg(not(feature = "planted-faults"))]
    let is_planted = {
        let _ = fault;
        false
    };
    is_planted
}

#[cfg(feature = "planted-faults")]
thread_local! {
    /// Steps until this thread panics, the one that does included; 0: it does not.
    static STEPS: Cell<u64> = const { Cell::new(0) };
}

/// This thread panics at so many steps of a write from now on; 0: it does not.
#[cfg(feature = "planted-faults")]
pub fn panic_at(step: u64) {
    STEPS.set(step);
}

/// A place past the point of no return where a defect would leave a write half done.
#[inline]
pub(crate) fn step() {
    #[cfg(feature = "planted-faults")]
    match STEPS.get() {
        0 => {}
        1 => {
            STEPS.set(0);
            panic!("on purpose, at a step of a write");
        }
        left => STEPS.set(left - 1),
    }
}
