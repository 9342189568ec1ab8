//! An async client for Folio: typed JSON documents and exact queries on Redis and Valkey.
//!
//! A type says what its documents are. They stand under Redis keys, whose beginning names their
//! collection; the server keeps the collection's indexes in the same step as the document, so an
//! answer is never behind a write.
//!
//! ```no_run
//! use folio::{Document, Folio, Id};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Debug, Document, Serialize, Deserialize)]
//! #[folio(collection = "cities")]
//! struct City {
//!     #[folio(id)]
//!     id: Id<City>,
//!     name: String,
//!     #[folio(index)]
//!     country: String,
//!     #[folio(index, validate(range(min = 1)))]
//!     population: u64,
//!     #[folio(version)]
//!     version: u64,
//! }
//!
//! # async fn example() -> folio::Result<()> {
//! let db = Folio::connect("redis://localhost:6379").await?;
//! db.sync::<City>().await?;
//!
//! let (name, country) = ("Lyon".into(), "FR".into());
//! let lyon = City { id: Id::new(), name, country, population: 522_250, version: 0 };
//! let lyon = lyon.insert(&db).await?;
//!
//! let page = City::find(City::country().eq("FR") & City::population().gte(100_000))
//!     .order_by(City::population().desc())
//!     .page(10)
//!     .with_total()
//!     .load(&db)
//!     .await?;
//! for city in &page.items {
//!     println!("{} has {}", city.name, city.population);
//! }
//! City::get(&lyon.id).update(City::population().inc(1)).run(&db).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What is awaited meets the server
//!
//! Everything else only builds a call, and what meets the server is the argument of the last one.
//! A [`Folio`] is cheap to clone and to share between tasks: all clones use one multiplexed connection, which comes back by itself when it breaks.
//! Reads are sent again then, and writes that cannot be carried out twice, because they have a
//! version or create; of any other write whose answer was lost [`Error::is_ambiguous`] tells that
//! its fate is unknown. docs/client-connections.md has the whole table.
//!
//! Filters travel as trees, in which no value is part of a text: there is nothing to escape.
//!
//! Types, attributes, calls, rules and hooks are told one by one in `docs/client.md`, migrations in
//! `docs/client-migrations.md`. Programs that know no types use [`untyped`].

//! # Features
//!
//! All are off unless they are asked for.
//!
//! | feature | brings |
//! |---|---|
//! | `sentinel` | addresses `redis+sentinel://`: the primary is whom the sentinels name |
//! | `tls` | addresses `rediss://`, by rustls with ring; `Tls` says whom to trust and what to show |
//! | `tracing` | a span for each command, with its name, and events for connections and repetitions |
//! | `metrics` | counters and times of commands, repetitions and connections |
//! | `testing` | a server of its own for each test, and factories of documents: `testing` |

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

// The map, in reading order. Each looks only at those above it, but for `ops` and `executor`, which meet in `Command`.
//
//   error      what can go wrong; error/server reads the server's lines
//   arguments  what functions are called with
//   command    a command as data: arguments, keys, whether it may be sent again
//   reply      answers, read
//   observe    what is told to whoever listens; tls
//   transport/ lanes, pools, replicas, sentinels, retries, timeouts
//   connection Folio, and what is said before it is opened
//   session    Session, a connection of one's own
//   transaction/ several documents at once: atomic, begin
//   watch/     change streams
//   cache      documents as copies of what is elsewhere
//   executor   Executor: who carries commands out, sealed
//   untyped/   documents by key, collections by name
//   path       where a field stands
//   reference/ documents that others refer to, read along with them
//   define/    what the server is told of a type, as constants
//   check      `validate(..)`
//   field/     fields: which types, what they are compared with and how
//   filter/    filters as trees
//   order, change     what answers are sorted by; operations of an update
//   id         ids
//   computed   fields that functions compute
//   document   the traits that the derives implement
//   codec/     documents as text, without id and version
//   ops/       what is done with documents, a file for each thing
//   repository the documents of one type, for generic code
//   schema     what types say beside what is declared
//   functions  functions on the server
//   sync       declaring what types say
//   migrate/   what is done once, in order: of documents and declarations
//   testing/   servers and documents for tests
mod arguments;
mod cache;
mod change;
mod check;
mod codec;
mod command;
mod computed;
mod connection;
mod define;
mod document;
mod error;
mod executor;
mod field;
mod filter;
mod functions;
mod id;
pub mod migrate;
mod observe;
mod ops;
mod order;
mod path;
mod reference;
mod reply;
mod repository;
mod schema;
mod session;
mod sync;
#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;
#[cfg(feature = "tls")]
mod tls;
mod transaction;
mod transport;
pub mod untyped;
pub mod watch;

// The derives name the crate as its users do.
extern crate self as folio;

pub use arguments::Arguments;
pub use cache::Cache;
pub use change::{Change, Changes, call, expire_at, expire_in, persist};
pub use check::{Check, Pattern};
#[doc(hidden)]
pub use command::Command;
pub use computed::Computed;
pub use connection::{Builder, Folio, RESPONSE_TIMEOUT};
pub use define::{
    ChangesDefinition, Definition, FieldDefinition, IdStrategy, IndexDefinition, Kind,
};
pub use document::{Document, Embed, Projection};
#[doc(hidden)]
pub use document::{ViewField, path_of, same_type};
pub use error::{
    DecodeCause, Error, FunctionError, Result, SchemaMismatch, UniqueViolation, Violation,
};
pub use executor::Executor;
pub use field::{
    Accessor, Array, Comparable, Containing, Field, FieldRef, FieldType, Nullable, Numeric,
    Operand, Ordered, Text, Value,
};
pub use filter::{Condition, Filter, Moment, now};
pub use folio_derive::{Document, Embed, Projection};
pub use functions::{Function, FunctionInfo, Functions, Load};
pub use id::{AsId, DocumentId, Id, IdField};
#[doc(hidden)]
pub use ops::Selected;
pub use ops::{
    Aggregate, AggregateOrder, Claim, Claiming, Conditional, ConditionalUpdate, Delete, DeleteMany,
    Fields, Find, FunctionCall, Get, GetIncluding, GetMany, Having, Including, InsertMany,
    InsertReport, Is, Keys, Modify, Page, Put, Reducer, Reducers, Selectable, Shape, Tracked,
    Update, UpdateMany, Upsert, Whole, Written, count,
};
pub use order::{Order, Orders};
pub use path::FieldPath;
pub use reference::{Includable, Joined, Ref, Reference};
#[doc(hidden)]
pub use reference::{Includes, Origin, Visit, behind};
#[doc(hidden)]
pub use reply::Reply;
pub use repository::Repository;
pub use schema::{Building, Migrating, SchemaState, SchemaStatus};
pub use session::Session;
pub use sync::Documents;
#[cfg(feature = "tls")]
#[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
pub use tls::Tls;
pub use transaction::{Done, Operation, Operations, Transaction};

/// An instant, stored as RFC 3339 text.
///
/// ```
/// let instant: folio::Timestamp = "2026-01-31T12:00:00Z".parse().unwrap();
/// ```
pub use jiff::Timestamp;

/// The crate beneath, for what [`Folio::redis`] and [`untyped::Call::read_value`] give.
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

/// The examples of the page about this crate, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../docs/client.md")]
struct Guide;

/// The examples of the page about its connections, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../docs/client-connections.md")]
struct Connections;

/// The examples of the page about migrations, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../docs/client-migrations.md")]
struct Schemas;

/// The examples of the page about tests, compiled.
#[cfg(all(doctest, feature = "testing"))]
#[doc = include_str!("../../docs/client-testing.md")]
struct Tests;
