//! The tool over a real server, as somebody at a prompt uses it.

#![cfg(test)]
#![forbid(unsafe_code)]

mod dump;
mod export;
mod import;
mod infer;
mod metrics;
mod query;
mod schema;
mod shell;
mod speed;
mod stats;
mod tool;
mod verify;
mod watch;
