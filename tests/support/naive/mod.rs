//! A naive model of a collection, written from docs/query-language.md alone: a tree of JSON values,
//! a linear scan, no index and no cleverness. Where it and the server disagree, one of them is
//! wrong.
//!
//! ```text
//! json     a document as a tree; numbers keep their text
//! value    what a scalar is worth under a declared type: exact numbers, decimals, instants
//! path     `a.b`, `a[0]`, `a[*].b`, and what they lead to
//! schema   declared fields, and a document against them
//! order    the total order of ORDER
//! text     what is asked of a string: its parts, patterns, regular expressions
//! operand  texts to ask strings for, drawn at random
//! filter   the filter language as a tree: its text, and whether it holds
//! model    documents with keys, births, versions and expiry: set, update, delete, find, count
//! ```
//!
//! Recursion is fine here: what is evaluated comes from `crate::generate`, which keeps it shallow.

#![expect(clippy::missing_panics_doc, reason = "a test that breaks an invariant here shall stop")]

pub mod filter;
pub mod filter_text;
pub mod json;
pub mod model;
pub mod operand;
pub mod order;
pub mod path;
pub mod schema;
pub mod text;
pub mod value;

#[cfg(test)]
mod rules;
#[cfg(test)]
mod rules_text;

pub use filter::{Comparison, Filter, Literal};
pub use json::Json;
pub use model::{Change, NaiveCollection, Refusal};
pub use order::OrderBy;
pub use path::{Path, Step};
pub use schema::{Kind, NaiveField, NaiveIndex, NaiveSchema};
pub use text::TextTest;
