//! A naive model of a collection, written from docs/ alone: a tree of JSON values,
//! a linear scan, no index and no cleverness. Where it and the server disagree, one of them is
//! wrong.
//!
//! ```text
//! json               a document as a tree; numbers keep their text
//! value              what a scalar is worth under a declared type: exact numbers, decimals, instants
//! path               `a.b`, `a[0]`, `a[*].b`, and what they lead to
//! schema             declared fields and indexes, and a document against them
//! constraint         what values must be besides, and what the server puts in
//! unique             what no two documents may hold
//! order              the total order of ORDER
//! meta               metadata, and where paths begin: at a document or at an element
//! time               instants, durations and buckets of time
//! text               what is asked of a string: its parts, patterns, regular expressions
//! operand            texts to ask strings for, drawn at random
//! arithmetic         values that are computed, in numbers, in decimals or with instants
//! function           what functions of the server give
//! computed           comparisons, BETWEEN and IN over such values
//! filter             the filter language as a tree: its text, and whether it holds
//! update, patch      the operations of DOC.UPDATE, and those of JSON Patch among them
//! timed              parts of documents that lapse by themselves
//! model              documents with keys, births, versions and expiry: set, update, delete, find, count
//! aggregate, reduce  groups of documents and what is computed of each
//! ```
//!
//! Recursion is fine here: what is evaluated comes from `crate::generate`, which keeps it shallow.

#![expect(clippy::missing_panics_doc, reason = "a test that breaks an invariant here shall stop")]

pub mod aggregate;
pub mod arithmetic;
pub mod computed;
pub mod constraint;
pub mod filter;
pub mod filter_text;
pub mod function;
pub mod json;
pub mod meta;
pub mod model;
pub mod operand;
pub mod order;
pub mod patch;
pub mod path;
pub mod reduce;
pub mod schema;
pub mod text;
pub mod time;
pub mod timed;
pub mod unique;
pub mod update;
pub mod value;

#[cfg(test)]
mod rules;
#[cfg(test)]
mod rules_aggregate;
#[cfg(test)]
mod rules_computed;
#[cfg(test)]
mod rules_constraint;
#[cfg(test)]
mod rules_elements;
#[cfg(test)]
mod rules_meta;
#[cfg(test)]
mod rules_nocase;
#[cfg(test)]
mod rules_read;
#[cfg(test)]
mod rules_text;
#[cfg(test)]
mod rules_time;

pub use aggregate::{Aggregate, GroupKey, Reduction, RowOrder};
pub use arithmetic::{Operator, Value};
pub use filter::{Comparison, Filter, JsonKind, Literal};
pub use function::NaiveFunction;
pub use json::Json;
pub use meta::{Facts, Meta, Scope};
pub use model::{NaiveCollection, Refusal};
pub use order::OrderBy;
pub use path::{Path, Step};
pub use reduce::Reducer;
pub use schema::{Kind, NaiveField, NaiveIndex, NaiveNamed, NaiveSchema};
pub use text::TextTest;
pub use time::Width;
pub use timed::Timed;
pub use update::{Change, Ground};
