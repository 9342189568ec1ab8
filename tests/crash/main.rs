//! Crashes, and what they leave: a killed server, a file cut short, a payload with wrong bytes.
//!
//! | variable | sets |
//! |---|---|
//! | `SEED` | what a run draws; printed first |
//! | `KILLS` | how often servers are killed under load (100) |
//! | `CUTS` | `all`: each append-only file is cut at every byte, not the three of them together |
//! | `FLIPS` | snapshots with wrong definitions (1,000) |
//! | `PAYLOADS` | wrong payloads of RESTORE (10,000) |

#![forbid(unsafe_code)]

mod cut;
mod kill;
mod loader;
mod observe;
mod op;
mod payload;
mod primary;
mod short;
mod world;
mod writer;
