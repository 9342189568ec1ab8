//! The engine of Folio: JSON documents, their schemas, indexes and queries, as plain values.
//!
//! No Redis, clock, threads, randomness or `unsafe` in here: what the engine does is decided by its arguments
//! alone, so that a test can drive it through millions of steps and a replica does what its primary did. The
//! order in which to read the folders is that of the modules below; each looks only at those above it.
#![forbid(unsafe_code)]

pub mod error;
pub mod limits;
pub mod value;
pub mod doc;
pub mod path;
pub mod schema;
pub mod index;
pub mod collection;
pub mod store;
pub mod query;
pub mod plan;
pub mod exec;

pub use error::{Code, Error, Result};
pub use limits::Limits;
