//! Filters, as trees.

mod node;
mod now;

use std::fmt;
use std::marker::PhantomData;
use std::ops::{BitAnd, BitOr, Not};

pub(crate) use node::Node;
pub(crate) use now::duration;
pub use now::{Moment, now};

use crate::{Error, Result};

/// The most operands of the outermost array: its length has to stand in the first byte.
const OUTER_MAX: usize = 14;

/// What has to hold of documents of type `M`. `&`, `|` and `!` join filters.
///
/// It travels as a tree, in which no value is ever part of a text, so there is nothing to escape.
///
/// ```
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use shop::User;
/// let adults = User::age().gte(18) & !User::tags().contains("guest");
/// let filter = adults | User::name().eq("Ada");
/// ```
#[must_use = "a filter does nothing by itself"]
pub struct Filter<M> {
    node: Node,
    model: PhantomData<fn() -> M>,
}

impl<M> Filter<M> {
    pub(crate) fn new(node: Node) -> Self {
        Self { node, model: PhantomData }
    }

    pub(crate) fn of(operator: &'static str, operands: impl IntoIterator<Item = Node>) -> Self {
        Self::new(Node::of(operator, operands))
    }

    pub(crate) fn into_node(self) -> Node {
        self.node
    }

    /// The filter as MessagePack.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        let is_wide = matches!(&self.node, Node::List(items) if items.len() > OUTER_MAX + 1);
        let wrapped = is_wide.then(|| Node::of("and", [self.node.clone()]));
        let node = wrapped.as_ref().unwrap_or(&self.node);
        if let Some(why) = node.wrong() {
            return Err(Error::Usage(why.into()));
        }
        rmp_serde::to_vec(node).map_err(|error| Error::Usage(error.to_string().into()))
    }

    /// Joins two; what is such a join already grows.
    fn join(self, operator: &'static str, other: Self) -> Self {
        let mut operands = self.node.operands(operator);
        operands.extend(other.node.operands(operator));
        Self::of(operator, operands)
    }
}

impl<M> Clone for Filter<M> {
    fn clone(&self) -> Self {
        Self::new(self.node.clone())
    }
}

impl<M> fmt::Debug for Filter<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.node, f)
    }
}

impl<M> PartialEq for Filter<M> {
    fn eq(&self, other: &Self) -> bool {
        self.node == other.node
    }
}

impl<M> BitAnd for Filter<M> {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        self.join("and", other)
    }
}

impl<M> BitOr for Filter<M> {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.join("or", other)
    }
}

impl<M> Not for Filter<M> {
    type Output = Self;

    fn not(self) -> Self {
        match self.node.only_operand("not") {
            Ok(inner) => Self::new(inner),
            Err(node) => Self::of("not", [node]),
        }
    }
}

/// What a query may be asked by: a [`Filter`], one that may be there (`Option`), or `()` for all documents.
///
/// ```no_run
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::Document;
/// # use shop::User;
/// # async fn example(db: folio::Folio, city: Option<String>) -> folio::Result<()> {
/// let wanted = city.map(|city| User::address().city().eq(city));
/// let some = User::find(wanted).all(&db).await?;
/// let all = User::find(()).all(&db).await?;
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no filter of `{M}`",
    note = "a filter is made of the fields of the type that is asked, not of those behind a reference: `User::age().gte(18)`"
)]
pub trait Condition<M> {
    /// The filter, if there is one.
    #[doc(hidden)]
    fn into_filter(self) -> Option<Filter<M>>;
}

impl<M> Condition<M> for Filter<M> {
    fn into_filter(self) -> Option<Filter<M>> {
        Some(self)
    }
}

impl<M> Condition<M> for Option<Filter<M>> {
    fn into_filter(self) -> Option<Filter<M>> {
        self
    }
}

impl<M> Condition<M> for () {
    fn into_filter(self) -> Option<Filter<M>> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Accessor, Field, FieldPath};

    struct Model;

    fn age() -> Field<Model, u32> {
        Field::at(FieldPath::root().join("age"))
    }

    fn told(filter: &Filter<Model>) -> String {
        format!("{filter:?}")
    }

    #[test]
    fn joins_of_one_kind_grow_and_two_nots_are_none() {
        let filter = age().gt(1) & age().lt(9) & (age().eq(5) | age().eq(6) | age().eq(7));
        let expected = r#"["and",[">","age",1],["<","age",9],["or",["=","age",5],["=","age",6],["=","age",7]]]"#;
        assert_eq!(told(&filter), expected);
        assert_eq!(told(&!!age().gt(1)), r#"[">","age",1]"#);
        assert_eq!(told(&!age().gt(1)), r#"["not",[">","age",1]]"#);
    }

    #[test]
    fn the_bytes_are_those_of_the_documentation() {
        let filter = !Filter::<Model>::of("is true", [Node::text("closed")]);
        let bytes = filter.to_bytes().unwrap();
        let expected = [
            0x92, 0xa3, 0x6e, 0x6f, 0x74, 0x92, 0xa7, 0x69, 0x73, 0x20, 0x74, 0x72, 0x75, 0x65,
            0xa6, 0x63, 0x6c, 0x6f, 0x73, 0x65, 0x64,
        ];
        assert_eq!(bytes, expected);
    }

    #[test]
    fn a_long_join_begins_with_a_short_array() {
        let mut filter = age().eq(0);
        for n in 1..100 {
            filter = filter | age().eq(n);
        }
        assert_eq!(filter.to_bytes().unwrap()[0], 0x92);
        let short = (1..14).fold(age().eq(0), |all, n| all | age().eq(n));
        assert_eq!(short.to_bytes().unwrap()[0], 0x9f);
    }

    #[test]
    fn what_is_no_constant_is_refused_before_it_is_sent() {
        let field: Field<Model, f64> = Field::at(FieldPath::root().join("x"));
        let error = field.eq(f64::NAN).to_bytes().unwrap_err();
        assert!(matches!(error, Error::Usage(_)), "{error}");
    }
}
