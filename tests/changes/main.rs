//! Change streams: what entries are made of each command and event, in what order, and what is kept of their numbers.

#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "a test stops where its premise does not hold")]

mod commands;
mod declared;
mod entry;
mod folded;
mod kept;
mod native;
mod soft;
