//! Arrays and maps.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use super::value::constant;
use super::{Field, FieldType, Value};
use crate::filter::Node;
use crate::{Accessor, FieldPath, Filter};

/// What may be contained: elements of an array, parts of a string.
///
/// ```
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use shop::User;
/// let filter = User::tags().contains("vip") & User::name().contains("da");
/// ```
#[diagnostic::on_unimplemented(
    message = "fields of type `{Self}` do not contain a `{V}`",
    label = "`contains` asks for an element of an array, or a part of a string"
)]
pub trait Containing<V> {
    /// The operator and its operand.
    #[doc(hidden)]
    fn containing(value: &V) -> ContainingNode;
}

/// An operator and its operand, which only this crate looks into.
#[derive(Debug)]
pub struct ContainingNode(&'static str, Node);

impl<V: Value<String>> Containing<V> for String {
    fn containing(value: &V) -> ContainingNode {
        ContainingNode("contains", constant(value))
    }
}

impl<T: Containing<V>, V> Containing<V> for Option<T> {
    fn containing(value: &V) -> ContainingNode {
        T::containing(value)
    }
}

macro_rules! arrays {
    ($([$($hasher:ident)?] $array:ty;)*) => {$(
        impl<T: FieldType, V: Value<T>, $($hasher)?> Containing<V> for $array {
            fn containing(value: &V) -> ContainingNode {
                ContainingNode("has", constant(value))
            }
        }

        impl<T, $($hasher)?> Array for $array {
            type Element = T;
        }
    )*};
}

/// Types that are stored as arrays.
///
/// ```
/// fn is_array<T: folio::Array>() {}
/// is_array::<Vec<String>>();
/// ```
#[diagnostic::on_unimplemented(
    message = "fields of type `{Self}` are no array, so `any`, `all`, `push`, .. do not apply",
    label = "not a field that is an array"
)]
pub trait Array {
    /// What the elements are.
    type Element;
}

arrays! {
    [] Vec<T>;
    [] VecDeque<T>;
    [] BTreeSet<T>;
    [S] HashSet<T, S>;
}

impl<T: Array> Array for Option<T> {
    type Element = T::Element;
}

/// What leads to the fields of an element.
pub(crate) type Element<T> =
    <<T as Array>::Element as FieldType>::Accessor<<T as Array>::Element, <T as Array>::Element>;

impl<M, T> Field<M, T> {
    /// An array has this element; a string has this part.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let important = User::tags().contains("vip");
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "contains(5) reads better")]
    pub fn contains<V>(&self, value: V) -> Filter<M>
    where
        T: Containing<V>,
    {
        let ContainingNode(operator, operand) = T::containing(&value);
        Filter::of(operator, [self.node(), operand])
    }

    /// Every element, as a field: what is asked of it has to hold of one. Leads to the references in an array.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Post;
    /// let query = Post::find(()).include(Post::readers().each().team());
    /// ```
    pub fn each(&self) -> <T::Element as FieldType>::Accessor<M, T::Element>
    where
        T: Array,
        T::Element: FieldType,
    {
        Accessor::at(self.path().each())
    }

    fn has<V>(&self, operator: &'static str, values: impl IntoIterator<Item = V>) -> Filter<M>
    where
        T: Array,
        V: Value<T::Element>,
    {
        let list = Node::of("list", values.into_iter().map(|value| constant(&value)));
        Filter::of(operator, [self.node(), list])
    }

    /// The array has one of these elements at least.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let filter = User::tags().contains_any(["vip", "staff"]);
    /// ```
    pub fn contains_any<V>(&self, values: impl IntoIterator<Item = V>) -> Filter<M>
    where
        T: Array,
        V: Value<T::Element>,
    {
        self.has("has any", values)
    }

    /// The array has all of these elements; every array has all of none.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let filter = User::tags().contains_all(["vip", "staff"]);
    /// ```
    pub fn contains_all<V>(&self, values: impl IntoIterator<Item = V>) -> Filter<M>
    where
        T: Array,
        V: Value<T::Element>,
    {
        self.has("has all", values)
    }

    /// It is an array without elements.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let untagged = User::tags().is_empty();
    /// ```
    pub fn is_empty(&self) -> Filter<M>
    where
        T: Array,
    {
        let is_array = Filter::of("is array", [self.node()]);
        let each = Node::text(self.path().each().into_text());
        is_array & Filter::of("is missing", [each])
    }

    /// One element satisfies all of a filter.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::Order;
    /// let filter = Order::items().any(|item| item.sku().eq("X") & item.qty().gt(2));
    /// ```
    pub fn any(&self, filter: impl FnOnce(Element<T>) -> Filter<T::Element>) -> Filter<M>
    where
        T: Array,
        T::Element: FieldType,
    {
        self.elements("any", filter)
    }

    /// It is an array, and every element satisfies a filter.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::{Order, User};
    /// let filter = Order::items().all(|item| item.qty().gte(1));
    /// let short = User::tags().all(|tag| tag.like("____"));
    /// ```
    pub fn all(&self, filter: impl FnOnce(Element<T>) -> Filter<T::Element>) -> Filter<M>
    where
        T: Array,
        T::Element: FieldType,
    {
        self.elements("all", filter)
    }

    fn elements(
        &self,
        operator: &'static str,
        filter: impl FnOnce(Element<T>) -> Filter<T::Element>,
    ) -> Filter<M>
    where
        T: Array,
        T::Element: FieldType,
    {
        let element = Accessor::at(FieldPath::element());
        Filter::of(operator, [self.node(), filter(element).into_node()])
    }

    /// The element at an index, from 0.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::Order;
    /// let filter = Order::items().nth(0).sku().eq("X");
    /// ```
    pub fn nth(&self, index: usize) -> <T::Element as FieldType>::Accessor<M, T::Element>
    where
        T: Array,
        T::Element: FieldType,
    {
        Accessor::at(self.path().index(index))
    }
}

macro_rules! maps {
    ($([$($hasher:ident)?] $map:ty;)*) => {$(
        impl<M, T: FieldType, $($hasher)?> Field<M, $map> {
            /// The value under a name.
            ///
            /// ```
            /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
            /// # use shop::Job;
            /// let filter = Job::sizes().key("extra large").gt(2);
            /// ```
            pub fn key(&self, name: &str) -> T::Accessor<M, T> {
                Accessor::at(self.path().member(name))
            }
        }
    )*};
}

maps! {
    [] BTreeMap<String, T>;
    [S] HashMap<String, T, S>;
}
