//! What every suite over a real server needs.

#![forbid(unsafe_code)]
#![expect(clippy::missing_panics_doc, reason = "a harness fails its test by a panic, everywhere")]

pub mod builds;
pub mod client;
pub mod engine;
pub mod everything;
pub mod fuzz;
pub mod generate;
pub mod naive;
pub mod pipeline;
pub mod planted;
pub mod replica;
pub mod reply;
pub mod server;
pub mod users;
pub mod world;

pub use client::Client;
pub use pipeline::Pipeline;
pub use server::{Maker, Options, Server, Version};

use redis::ProtocolVersion;

/// Runs a test over RESP2 and over RESP3, each on an empty server of its own.
pub fn over_both(test: impl Fn(&mut Client)) {
    for protocol in [ProtocolVersion::RESP2, ProtocolVersion::RESP3] {
        let server = Server::start();
        test(&mut Client::connect(server.url(), protocol));
    }
}
