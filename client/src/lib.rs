//! An async client for Folio: typed JSON documents and exact queries on Redis and Valkey.
//!
//! A document is anything that serde can write as a JSON object. It stands under one Redis key,
//! whose beginning names its collection; the server keeps the collection's indexes in the same
//! step as the document, so an answer is never behind a write.
//!
//! ```no_run
//! use folio::Folio;
//! use folio::untyped::{Definition, Direction, Field, Index};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Debug, Serialize, Deserialize)]
//! struct City {
//!     name: String,
//!     countrycode: String,
//!     population: u64,
//! }
//!
//! # async fn example() -> folio::Result<()> {
//! let db = Folio::connect("redis://localhost:6379").await?;
//! db.create(
//!     &Definition::new("cities")
//!         .field(Field::new("countrycode", "string").index(Index::Set))
//!         .field(Field::new("population", "int").index(Index::Sorted)),
//! )
//! .await?;
//!
//! let lyon = City { name: "Lyon".into(), countrycode: "FR".into(), population: 522_250 };
//! db.set("cities:2996944", &lyon).await?;
//!
//! let page = db
//!     .find::<City>("cities", "countrycode = $country AND population >= 100000")
//!     .param("country", "FR")
//!     .order_by("population", Direction::Descending)
//!     .limit(0, 10)
//!     .with_total()
//!     .load()
//!     .await?;
//! for (key, city) in &page.items {
//!     println!("{key}: {} has {}", city.name, city.population);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What is awaited meets the server
//!
//! Everything else only builds a command. A [`Folio`] is cheap to clone and to share between
//! tasks: all clones use one multiplexed connection, which comes back by itself when it breaks.
//! A command whose answer was lost is never sent again behind your back; [`Error::is_ambiguous`]
//! tells that its fate is unknown.
//!
//! The filter language is the server's: values are given with `param` and never need escaping.

#![forbid(unsafe_code)]

// The map, in reading order. Each looks only at those above it, but for `ops` and `executor`, which meet in `Command`.
//
//   error      what can go wrong; error/server reads the server's lines
//   command    a command as data: arguments, keys, whether it may be sent again
//   reply      answers, read
//   transport/ lanes, pools, retries, timeouts
//   connection Folio, and what is said before it is opened
//   session    Session, a connection of one's own
//   transaction/ several documents at once: atomic, begin
//   watch/     change streams
//   cache      documents as copies of what is elsewhere
//   executor   Executor: who carries commands out, sealed
//   untyped/   documents by key, collections by name
mod cache;
mod command;
mod connection;
mod error;
mod executor;
mod reply;
mod session;
mod transaction;
mod transport;
pub mod untyped;
pub mod watch;

pub use cache::Cache;
#[doc(hidden)]
pub use command::Command;
pub use connection::{Builder, Folio, RESPONSE_TIMEOUT};
pub use error::{DecodeCause, Error, Result, SchemaMismatch, UniqueViolation, Violation};
pub use executor::Executor;
#[doc(hidden)]
pub use reply::Reply;
pub use session::Session;
pub use transaction::{Done, Operation, Operations, Transaction};

/// The crate beneath, for what [`untyped::Call`] takes and gives.
///
/// ```
/// use folio::redis::Value;
///
/// assert_eq!(Value::Int(1), Value::Int(1));
/// ```
pub use redis;

/// The example of the README, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
