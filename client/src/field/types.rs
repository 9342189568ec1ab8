//! Which Rust types stand in documents, and as what.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Field;
use crate::define::Kind;
use crate::reference::Visit;
use crate::{Accessor, Check, Timestamp};

/// A type that a field may have.
///
/// Numbers, `bool`, strings, [`Timestamp`], `Uuid`, addresses of the network, JSON, arrays, maps and `Option` are there; structs
/// and enums of yours derive [`Embed`](crate::Embed). A type whose stored form serde writes as one of the server's
/// types is told by hand:
///
/// ```
/// use folio::{Comparable, Field, FieldType, Kind, Ordered};
///
/// /// Stored as a string such as `"12.50"`, compared digit for digit.
/// #[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
/// struct Money(String);
///
/// impl FieldType for Money {
///     const KIND: Kind = Kind::Scalar("decimal");
///     type Plain = Self;
///     type Accessor<M, T> = Field<M, T>;
/// }
/// impl Comparable for Money {}
/// impl Ordered for Money {}
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no type of a field",
    label = "not known to Folio",
    note = "derive `folio::Embed` for a struct or an enum of yours, implement `folio::FieldType`, or write `#[folio(json)]` at the field"
)]
pub trait FieldType {
    /// What the server declares it as.
    const KIND: Kind;
    /// Whether it may be null.
    const NULLABLE: bool = false;
    /// The type without `Option`.
    type Plain;
    /// What leads to it in documents of type `M`, where the field is declared as `T` (`Self`, or `Option<Self>`).
    type Accessor<M, T>: Accessor;

    /// Looks for values within that break rules of their own.
    #[doc(hidden)]
    fn check(&self, at: &mut Check) {
        let _ = at;
    }

    /// Shows the references at a path within; `false` if none can be there.
    #[doc(hidden)]
    fn refer<V: Visit>(&mut self, path: &str, visit: &mut V) -> bool {
        let _ = (path, visit);
        false
    }
}

/// Types that are compared for equality: all but arrays, maps and structs.
///
/// ```
/// fn is_comparable<T: folio::Comparable>() {}
/// is_comparable::<bool>();
/// ```
#[diagnostic::on_unimplemented(
    message = "fields of type `{Self}` are not compared as a whole, so `eq`, `is_in`, .. do not apply",
    label = "ask for its elements (`contains`, `any`) or its fields"
)]
pub trait Comparable: FieldType {}

/// Types that have an order.
///
/// ```
/// fn is_ordered<T: folio::Ordered>() {}
/// is_ordered::<Option<String>>();
/// ```
#[diagnostic::on_unimplemented(
    message = "fields of type `{Self}` have no order, so `gt`, `gte`, .. do not apply",
    label = "not a field with an order"
)]
pub trait Ordered: FieldType {}

/// Types that are computed with.
///
/// ```
/// fn is_numeric<T: folio::Numeric>() {}
/// is_numeric::<u64>();
/// ```
#[diagnostic::on_unimplemented(
    message = "fields of type `{Self}` are no numbers, so `inc`, `mul`, `sum`, .. do not apply",
    label = "not a field of numbers"
)]
pub trait Numeric: FieldType {
    /// What it is increased by.
    type Step: serde::Serialize;
}

/// Types that may be null.
///
/// ```
/// fn is_nullable<T: folio::Nullable>() {}
/// is_nullable::<Option<u8>>();
/// ```
#[diagnostic::on_unimplemented(
    message = "fields of type `{Self}` are never null, so `set_null` does not apply",
    label = "not an `Option`"
)]
pub trait Nullable {}

impl<T> Nullable for Option<T> {}

macro_rules! scalars {
    ($($kind:literal: $($ty:ty)+;)*) => {$($(
        impl FieldType for $ty {
            const KIND: Kind = Kind::Scalar($kind);
            type Plain = Self;
            type Accessor<M, T> = Field<M, T>;
        }

        impl Comparable for $ty {}
    )+)*};
}

scalars! {
    "int": u8 u16 u32 u64 usize i8 i16 i32 i64 isize;
    "float": f32 f64;
    "bool": bool;
    "string": String Box<str> char;
    "datetime": Timestamp;
    "uuid": uuid::Uuid;
    "ip": IpAddr Ipv4Addr Ipv6Addr;
}

macro_rules! ordered {
    ($($ty:ty)*) => {$(impl Ordered for $ty {})*};
}

ordered!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize f32 f64 String Box<str> char Timestamp uuid::Uuid);
ordered!(IpAddr Ipv4Addr Ipv6Addr);

macro_rules! numeric {
    ($step:ty: $($ty:ty)*) => {$(
        impl Numeric for $ty {
            type Step = $step;
        }
    )*};
}

numeric!(i64: u8 u16 u32 u64 usize i8 i16 i32 i64 isize);
numeric!(f64: f32 f64);

impl<T: FieldType> FieldType for Option<T> {
    const KIND: Kind = T::KIND;
    const NULLABLE: bool = true;
    type Plain = T::Plain;
    type Accessor<M, D> = T::Accessor<M, D>;

    fn check(&self, at: &mut Check) {
        if let Some(value) = self {
            value.check(at);
        }
    }

    fn refer<V: Visit>(&mut self, path: &str, visit: &mut V) -> bool {
        self.as_mut().is_none_or(|value| value.refer(path, visit))
    }
}

impl<T: Comparable> Comparable for Option<T> {}
impl<T: Ordered> Ordered for Option<T> {}
impl<T: Numeric> Numeric for Option<T> {
    type Step = T::Step;
}

macro_rules! arrays {
    ($([$($hasher:ident)?] $array:ty $(, $each:ident)?;)*) => {$(
        impl<T: FieldType, $($hasher)?> FieldType for $array {
            const KIND: Kind = Kind::array(T::KIND, T::NULLABLE);
            type Plain = Self;
            type Accessor<M, D> = Field<M, D>;

            fn check(&self, at: &mut Check) {
                for (index, element) in self.iter().enumerate() {
                    at.within_element(index, |at| element.check(at));
                }
            }

            $(fn refer<V: Visit>(&mut self, path: &str, visit: &mut V) -> bool {
                self.$each().all(|element| element.refer(path, visit))
            })?
        }
    )*};
}

arrays! {
    [] Vec<T>, iter_mut;
    [] VecDeque<T>, iter_mut;
    [] BTreeSet<T>;
    [S] HashSet<T, S>;
}

macro_rules! json {
    ($([$($parameters:tt)*] $ty:ty;)*) => {$(
        impl<$($parameters)*> FieldType for $ty {
            const KIND: Kind = Kind::Json;
            type Plain = Self;
            type Accessor<M, D> = Field<M, D>;
        }
    )*};
}

json! {
    [] serde_json::Value;
    [] serde_json::Map<String, serde_json::Value>;
    [T] BTreeMap<String, T>;
    [T, S] HashMap<String, T, S>;
}

impl<T: FieldType> FieldType for Box<T> {
    const KIND: Kind = T::KIND;
    const NULLABLE: bool = T::NULLABLE;
    type Plain = Self;
    type Accessor<M, D> = T::Accessor<M, D>;

    fn check(&self, at: &mut Check) {
        (**self).check(at);
    }

    fn refer<V: Visit>(&mut self, path: &str, visit: &mut V) -> bool {
        (**self).refer(path, visit)
    }
}
