//! What every suite over a real server needs.

#![forbid(unsafe_code)]
#![expect(clippy::missing_panics_doc, reason = "a harness fails its test by a panic, everywhere")]

pub mod client;
pub mod server;

pub use client::Client;
pub use server::{Options, Server};
