//! What is done with documents: a file for each thing.

mod aggregate;
mod bulk;
mod claim;
mod delete;
mod find;
mod get;
mod including;
mod many;
mod modify;
mod place;
mod put;
mod reducer;
mod shape;
mod stream;
mod tracked;
mod update;
mod upsert;

pub use aggregate::Aggregate;
pub use bulk::{InsertMany, InsertReport};
pub use claim::{Claim, Claiming};
pub use delete::Delete;
pub use find::{Find, Page};
pub use get::{Get, GetMany};
pub use including::{GetIncluding, Including};
pub use many::{DeleteMany, UpdateMany, Written};
pub use modify::Modify;
pub(crate) use place::{Place, read_with_version};
pub use put::Put;
pub(crate) use put::save;
pub(crate) use reducer::RowValues;
pub use reducer::{AggregateOrder, Having, Keys, Reducer, Reducers, count};
pub use shape::{Fields, Selectable, Selected, Shape, Whole};
pub use tracked::Tracked;
pub(crate) use tracked::differences;
pub use update::{Conditional, ConditionalUpdate, Update};
pub use upsert::{Is, Upsert};
