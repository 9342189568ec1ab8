//! Fields of documents, and what can be asked of them.

mod array;
mod compare;
mod text;
mod types;
mod value;

use std::fmt;
use std::marker::PhantomData;

pub use array::{Array, Containing};
pub use text::Text;
pub use types::{Comparable, FieldType, Nullable, Numeric, Ordered};
pub(crate) use value::constant;
pub use value::{Operand, Value};

use crate::filter::Node;
use crate::{FieldPath, Filter, Order};

/// A field of type `T` in documents of type `M`.
///
/// The derive makes one for each field: `User::fields().age()`, `User::age()`. What can be asked of it depends on `T`.
///
/// ```
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use shop::User;
/// let age: folio::Field<User, u32> = User::age();
/// assert_eq!(age.path().as_str(), "age");
/// ```
pub struct Field<M, T> {
    path: FieldPath,
    marker: PhantomData<fn() -> (M, T)>,
}

/// What is made of a path: a [`Field`], or the fields of a struct.
///
/// ```
/// use folio::{Accessor, Field, FieldPath};
///
/// let field: Field<(), u32> = Field::at(FieldPath::root().join("age"));
/// ```
pub trait Accessor {
    /// What stands at a path.
    fn at(path: FieldPath) -> Self;
}

/// A field, or the fields of a struct taken as the field that the struct is.
///
/// ```
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// use folio::FieldRef;
/// # use shop::User;
///
/// assert_eq!(User::address().field().path().as_str(), "address");
/// ```
pub trait FieldRef<M> {
    /// What it holds.
    type Type;

    /// The field.
    fn field(&self) -> &Field<M, Self::Type>;
}

impl<M, T> FieldRef<M> for Field<M, T> {
    type Type = T;

    fn field(&self) -> &Field<M, T> {
        self
    }
}

impl<M, T> Accessor for Field<M, T> {
    fn at(path: FieldPath) -> Self {
        Self { path, marker: PhantomData }
    }
}

impl<M, T> Clone for Field<M, T> {
    fn clone(&self) -> Self {
        Self::at(self.path.clone())
    }
}

impl<M, T> fmt::Debug for Field<M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Field({})", self.path)
    }
}

impl<M, T> Field<M, T> {
    /// Where it stands.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// assert_eq!(User::address().city().path().to_string(), "address.city");
    /// ```
    pub fn path(&self) -> &FieldPath {
        &self.path
    }

    /// The path as the first operand of a predicate.
    pub(crate) fn node(&self) -> Node {
        Node::Text(self.path.clone().into_text())
    }

    /// The field is there and null.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let nameless = User::nickname().is_null() | User::nickname().is_missing();
    /// ```
    pub fn is_null(&self) -> Filter<M> {
        Filter::of("is null", [self.node()])
    }

    /// The field is not null; it may be missing.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let filter = User::nickname().is_not_null();
    /// ```
    pub fn is_not_null(&self) -> Filter<M> {
        !self.is_null()
    }

    /// The field is not there.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let filter = User::address().zip().is_missing();
    /// ```
    pub fn is_missing(&self) -> Filter<M> {
        Filter::of("is missing", [self.node()])
    }

    /// The field is there; it may be null.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let filter = User::address().zip().is_present();
    /// ```
    pub fn is_present(&self) -> Filter<M> {
        !self.is_missing()
    }

    /// The least first.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// let query = User::find(()).order_by(User::age().asc());
    /// ```
    pub fn asc(&self) -> Order<M> {
        Order::new(self.path.as_str(), false)
    }

    /// The greatest first.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// let query = User::find(()).order_by((User::age().desc(), User::name().asc()));
    /// ```
    pub fn desc(&self) -> Order<M> {
        Order::new(self.path.as_str(), true)
    }
}
