//! The engine of Folio: JSON documents, their schemas, indexes and queries, as plain values.
//!
//! No Redis, clock, randomness or `unsafe` in here, and threads only to build indexes side by side and to compile functions
//! on a deep stack: what the engine does is decided by its arguments alone, so that a test can drive it through millions of
//! steps and a replica does what its primary did.
//! ARCHITECTURE.md lists the folders in the order in which to read them.
#![forbid(unsafe_code)]

pub mod collection;
pub mod doc;
pub mod error;
pub mod exec;
pub mod function;
pub mod index;
pub mod jsonpath;
pub mod limits;
pub mod memory;
pub mod path;
pub mod plan;
pub mod planted;
pub mod query;
pub mod schema;
pub mod store;
pub mod update;
pub mod value;

pub use error::{Code, Error, Result};
pub use limits::Limits;
pub use memory::Blocks;
