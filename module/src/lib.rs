//! Folio as a loadable module of Redis and Valkey.
//!
//! The engine decides; this crate brings it what the server has: arguments, keys, times, events. In reading order:
//! `commands` is what a client sees; `acl` what its user may touch; `lifecycle` what the server does to keys by itself; `datatype` what is on
//! disk; `replicate` what goes to replicas; `state` holds the store; `guard` keeps panics from the server; `ffi` is
//! the boundary, the only unsafe code of the project.
//!
//! Building it takes gcc and libclang (for the bindings of the server's header).
#![deny(unsafe_code)]

mod acl;
mod builds;
mod changes;
mod clock;
pub mod commands;
mod config;
mod datatype;
#[expect(unsafe_code, reason = "the boundary to the server, written in C")]
mod ffi;
mod glob;
mod guard;
mod info;
mod lapsing;
mod lifecycle;
mod migrations;
mod refusals;
mod replicate;
mod staging;
mod stamp;
mod state;
mod strays;
