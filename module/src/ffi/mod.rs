//! The boundary to the server: the only unsafe code of the project.
//!
//! Everything here is a thin wrapper: a safe type for each pointer that the server hands out, whose lifetime
//! ends where the server's does, and one function for each call that Folio makes. What the calls are for stands
//! in the files outside. Every function that the server calls ([`entry`], [`datatype`], [`events`], [`register`],
//! [`settings`]) enters through `crate::guard`, so that no panic unwinds into C.
//!
//! A pointer is valid because of one of four reasons, which the `SAFETY` comments name:
//! *server*: the server gave it for the duration of this callback; *borrow*: it comes from a Rust reference that
//! outlives the call; *owned*: it was made here and is freed here; *table*: a function pointer of the API table.

#[macro_use]
mod api;
mod acl;
#[cfg(not(feature = "system-allocator"))]
mod alloc;
mod blocked;
mod blocks;
mod context;
mod datatype;
mod entry;
mod events;
mod info;
mod io;
mod key;
mod register;
mod reply;
mod scan;
mod settings;
mod stream;

pub(crate) use acl::{Caller, User};
pub(crate) use api::{clock_ms, log};
pub(crate) use blocked::Blocked;
pub(crate) use blocks::blocks;
pub(crate) use context::{Argument, Ctx, OwnedString, is_quiet};
pub(crate) use events::{wait, wait_for_builds};
pub(crate) use info::InfoSection;
pub(crate) use io::{Aof, Digest, Loaded, Rdb};
pub(crate) use key::{Access, Key, Loan, Value};
pub(crate) use scan::for_each_document;
pub(crate) use stream::{is_primary, lapse_in, migrate_in, stop_lapse, tick_afterwards, tick_in};
