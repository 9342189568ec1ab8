//! An async client for Folio: typed JSON documents and exact queries on Redis and Valkey.
//!
//! A document is anything that serde can write as a JSON object. It stands under one Redis key,
//! whose beginning names its collection; the server keeps the collection's indexes in the same
//! step as the document, so an answer is never behind a write.
//!
//! ```no_run
//! use folio::{Definition, Direction, Field, Folio, Index};
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

mod command;
mod connection;
mod definition;
mod documents;
mod error;
mod find;
mod reply;

pub use command::Command;
pub use connection::{Folio, RESPONSE_TIMEOUT};
pub use definition::{Changes, Definition, Field, Ids, Index};
pub use error::{Error, Result};
pub use find::{Count, Direction, Find, Page};

/// The crate beneath, for what [`Command`] takes and gives.
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
