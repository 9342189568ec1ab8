//! Comparisons.

use super::value::constant;
use super::{Comparable, Field, Operand, Ordered, Value};
use crate::Filter;
use crate::filter::Node;

impl<M, T> Field<M, T> {
    fn compare(&self, operator: &'static str, operand: &impl Operand<M, T>) -> Filter<M> {
        Filter::of(operator, [self.node(), operand.operand().0])
    }

    /// Equal to. False where the field is missing or null.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::{Job, State};
    /// let waiting = Job::state().eq(State::Waiting);
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "eq(18) and eq(\"x\") read better")]
    pub fn eq(&self, operand: impl Operand<M, T>) -> Filter<M>
    where
        T: Comparable,
    {
        self.compare("=", &operand)
    }

    /// Not equal to: the complement of `eq`, so true where the field is missing or null.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let others = User::tenant().ne("acme");
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "ne(18) and ne(\"x\") read better")]
    pub fn ne(&self, operand: impl Operand<M, T>) -> Filter<M>
    where
        T: Comparable,
    {
        self.compare("!=", &operand)
    }

    /// Equal to one of these.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let near = User::address().city().is_in(["Paris", "Lyon"]);
    /// ```
    pub fn is_in<V: Value<T>>(&self, values: impl IntoIterator<Item = V>) -> Filter<M>
    where
        T: Comparable,
    {
        let list = Node::of("list", values.into_iter().map(|value| constant(&value)));
        Filter::of("in", [self.node(), list])
    }

    /// Equal to none of these.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let far = User::address().city().is_not_in(["Paris", "Lyon"]);
    /// ```
    pub fn is_not_in<V: Value<T>>(&self, values: impl IntoIterator<Item = V>) -> Filter<M>
    where
        T: Comparable,
    {
        !self.is_in(values)
    }
}

impl<M, T> Field<M, T> {
    /// Greater than.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let filter = User::age().gt(17);
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "gt(18) reads better")]
    pub fn gt(&self, operand: impl Operand<M, T>) -> Filter<M>
    where
        T: Ordered,
    {
        self.compare(">", &operand)
    }

    /// Greater than or equal to.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let adults = User::age().gte(18);
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "gte(18) reads better")]
    pub fn gte(&self, operand: impl Operand<M, T>) -> Filter<M>
    where
        T: Ordered,
    {
        self.compare(">=", &operand)
    }

    /// Less than.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let filter = User::age().lt(18);
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "lt(18) reads better")]
    pub fn lt(&self, operand: impl Operand<M, T>) -> Filter<M>
    where
        T: Ordered,
    {
        self.compare("<", &operand)
    }

    /// Less than or equal to.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let filter = User::age().lte(17);
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "lte(18) reads better")]
    pub fn lte(&self, operand: impl Operand<M, T>) -> Filter<M>
    where
        T: Ordered,
    {
        self.compare("<=", &operand)
    }

    /// From `low` to `high`, both included.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let working = User::age().between(18, 66);
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "between(1, 2) reads better")]
    pub fn between(&self, low: impl Operand<M, T>, high: impl Operand<M, T>) -> Filter<M>
    where
        T: Ordered,
    {
        Filter::of("between", [self.node(), low.operand().0, high.operand().0])
    }
}

impl<M> Field<M, bool> {
    /// It is true.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let active = User::active().is_true();
    /// ```
    pub fn is_true(&self) -> Filter<M> {
        Filter::of("is true", [self.node()])
    }

    /// It is false; what is missing is neither.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let idle = User::active().is_false();
    /// ```
    pub fn is_false(&self) -> Filter<M> {
        Filter::of("is false", [self.node()])
    }
}
