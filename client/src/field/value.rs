//! What a field is compared with, or set to.

use super::{Field, FieldType};
use crate::filter::{Moment, Node};
use crate::{Document, FieldRef, Id, Ref, Timestamp};

/// A value of a field of type `T`: exactly a `T`, a `&T`, or a `&str` for a `String`.
///
/// `None` is no value: a field is asked `is_null()` or `is_missing()`, and `set_null()` makes it null.
///
/// ```compile_fail
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use shop::User;
/// User::nickname().eq(None);
/// ```
#[diagnostic::on_unimplemented(
    message = "a value of type `{Self}` is no operand for a field of type `{T}`",
    label = "not a `{T}`",
    note = "operands are exactly the field's type, a reference to it, or `&str` for `String`; `None` is asked with `is_null()` or `is_missing()`"
)]
pub trait Value<T> {
    /// The value as JSON.
    #[doc(hidden)]
    fn json(&self) -> serde_json::Result<String>;
}

impl<T: FieldType<Plain = T> + serde::Serialize> Value<T> for T {
    fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}

impl<T: FieldType<Plain = T> + serde::Serialize> Value<T> for &T {
    fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}

impl<T: FieldType<Plain = T> + serde::Serialize> Value<Option<T>> for T {
    fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}

impl<T: FieldType<Plain = T> + serde::Serialize> Value<Option<T>> for &T {
    fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}

impl Value<String> for &str {
    fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}

impl Value<Option<String>> for &str {
    fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}

macro_rules! ids {
    ($($value:ty)*) => {$(
        impl<T: Document<Id = Id<T>>> Value<Ref<T>> for $value {
            fn json(&self) -> serde_json::Result<String> {
                serde_json::to_string(self)
            }
        }

        impl<T: Document<Id = Id<T>>> Value<Option<Ref<T>>> for $value {
            fn json(&self) -> serde_json::Result<String> {
                serde_json::to_string(self)
            }
        }
    )*};
}

ids!(Id<T> &Id<T>);

/// What a field of type `T` in documents of type `M` is compared with: a [`Value`], another field of the same type and
/// the same documents, or, for an instant, [`now()`](crate::now).
///
/// ```
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use shop::User;
/// let filter = User::tenant().eq("acme") & User::name().ne(User::email());
/// ```
#[diagnostic::on_unimplemented(
    message = "a value of type `{Self}` is no operand for a field of type `{T}`",
    label = "not a `{T}`",
    note = "operands are exactly the field's type, a reference to it, or `&str` for `String`; `None` is asked with `is_null()` or `is_missing()`"
)]
pub trait Operand<M, T> {
    /// The operand as a node of a filter.
    #[doc(hidden)]
    fn operand(&self) -> OperandNode;
}

/// A node, which only this crate looks into.
#[derive(Debug, Clone)]
pub struct OperandNode(pub(crate) Node);

pub(crate) fn constant<T>(value: &impl Value<T>) -> Node {
    match value.json() {
        Ok(json) => Node::constant(&json),
        Err(error) => Node::Wrong(error.to_string().into()),
    }
}

macro_rules! values {
    ($([$($parameter:tt)*] $field:ty: $value:ty;)*) => {$(
        impl<M, $($parameter)*> Operand<M, $field> for $value {
            fn operand(&self) -> OperandNode {
                OperandNode(constant::<$field>(self))
            }
        }
    )*};
}

values! {
    [T: FieldType<Plain = T> + serde::Serialize] T: T;
    [T: FieldType<Plain = T> + serde::Serialize] T: &T;
    [T: FieldType<Plain = T> + serde::Serialize] Option<T>: T;
    [T: FieldType<Plain = T> + serde::Serialize] Option<T>: &T;
    [] String: &str;
    [] Option<String>: &str;
    [T: Document<Id = Id<T>>] Ref<T>: Id<T>;
    [T: Document<Id = Id<T>>] Ref<T>: &Id<T>;
    [T: Document<Id = Id<T>>] Option<Ref<T>>: Id<T>;
    [T: Document<Id = Id<T>>] Option<Ref<T>>: &Id<T>;
}

impl<M, T> Operand<M, T> for Field<M, T> {
    fn operand(&self) -> OperandNode {
        let path = self.field().path().to_string();
        OperandNode(Node::of("path", [Node::text(path)]))
    }
}

impl<M> Operand<M, Timestamp> for Moment {
    fn operand(&self) -> OperandNode {
        OperandNode(self.node())
    }
}

impl<M> Operand<M, Option<Timestamp>> for Moment {
    fn operand(&self) -> OperandNode {
        OperandNode(self.node())
    }
}
