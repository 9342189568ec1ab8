//! What a collection declares: fields with types and constraints, their indexes, and how documents are held to it.

mod callee;
pub mod changes;
pub mod check;
pub mod constraint;
pub mod definition;
pub mod fill;
pub mod index;
mod json;
mod migration;
pub mod options;
mod strict;
pub(crate) mod text;
pub mod types;

pub use callee::Callee;
pub use changes::{ChangeStream, Told};
pub use constraint::{Auto, Constraints};
pub use definition::{Definition, Field, Mode};
pub use index::{IndexKind, NamedIndex, Nulls, On, Order};
pub use migration::{Migration, Migrations};
pub use options::{Ids, Options};
pub use types::{FieldType, Scalar};
