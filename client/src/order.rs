//! What answers are sorted by.

use std::fmt;
use std::marker::PhantomData;

use crate::Command;

/// A path of documents of type `M`, with a direction.
///
/// ```
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use shop::User;
/// let oldest: folio::Order<User> = User::age().desc();
/// ```
pub struct Order<M> {
    path: String,
    descends: bool,
    model: PhantomData<fn() -> M>,
}

impl<M> Order<M> {
    pub(crate) fn new(path: &str, descends: bool) -> Self {
        Self { path: path.into(), descends, model: PhantomData }
    }
}

impl<M> Clone for Order<M> {
    fn clone(&self) -> Self {
        Self::new(&self.path, self.descends)
    }
}

impl<M> fmt::Debug for Order<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path, if self.descends { "DESC" } else { "ASC" })
    }
}

/// One order, or several in a tuple, an array or a `Vec`.
///
/// ```
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::Document;
/// # use shop::User;
/// let query = User::find(()).order_by((User::age().desc(), User::name().asc()));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no order of `{M}`",
    note = "an order is a field with a direction, `User::age().desc()`, or several in a tuple"
)]
pub trait Orders<M> {
    /// The orders, first things first.
    #[doc(hidden)]
    fn into_orders(self) -> Vec<Order<M>>;
}

impl<M> Orders<M> for Order<M> {
    fn into_orders(self) -> Vec<Order<M>> {
        vec![self]
    }
}

impl<M> Orders<M> for Vec<Order<M>> {
    fn into_orders(self) -> Vec<Order<M>> {
        self
    }
}

impl<M, const N: usize> Orders<M> for [Order<M>; N] {
    fn into_orders(self) -> Vec<Order<M>> {
        self.into()
    }
}

macro_rules! tuples {
    ($(($($name:ident)+))*) => {$(
        #[expect(non_snake_case, reason = "each variable is named after its type")]
        impl<M, $($name: Orders<M>),+> Orders<M> for ($($name,)+) {
            fn into_orders(self) -> Vec<Order<M>> {
                let ($($name,)+) = self;
                let mut orders = Vec::new();
                $(orders.extend($name.into_orders());)+
                orders
            }
        }
    )*};
}

tuples!((A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F));

/// Adds `ORDER n path direction ..`.
pub(crate) fn add<M>(command: &mut Command, orders: &[Order<M>]) {
    if orders.is_empty() {
        return;
    }
    command.push(("ORDER", orders.len()));
    for order in orders {
        command.push((order.path.as_str(), if order.descends { "DESC" } else { "ASC" }));
    }
}
