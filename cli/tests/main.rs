//! The tool over a real server, as somebody at a prompt uses it.

#![forbid(unsafe_code)]

mod export;
mod import;
mod infer;
mod query;
mod shell;
mod speed;
mod tool;
mod verify;
mod watch;
