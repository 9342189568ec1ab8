//! What a collection declares: fields with types and constraints, their indexes, and how documents are held to it.

pub mod check;
pub mod definition;
pub mod types;

pub use definition::{Definition, Field, IndexKind, Mode};
pub use types::{FieldType, Scalar};
