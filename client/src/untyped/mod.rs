//! Documents by their keys and collections by their names, for programs that know no types.
//!
//! What a type would tell is told by hand here: [`Folio::create`](crate::Folio::create) takes a [`Definition`],
//! [`Folio::find`](crate::Folio::find) a filter as text with its parameters.

mod argument;
mod call;
mod definition;
mod documents;
mod find;
pub(crate) mod value;
mod write;

pub use argument::Argument;
pub use call::Call;
pub use definition::{Changes, Definition, Field, Ids, Index};
pub use find::{Count, Direction, Find, Page};
pub use write::Write;
