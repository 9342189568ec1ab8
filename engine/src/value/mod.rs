//! Values: JSON text as slices, exact numbers, and keys that put all values into one order.

pub mod case;
pub mod decimal;
pub mod key;
pub mod number;
pub mod range;
pub mod raw;
pub mod tuple;

pub use decimal::Decimal;
pub use key::{Key, KeyBuf, KeyRef, double_of_head, number_of_head};
pub use number::Number;
pub use range::{KeyRange, KeySet};
pub use raw::{Kind, Raw};
