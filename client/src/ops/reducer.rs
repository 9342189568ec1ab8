//! What aggregates compute.

use std::fmt;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::filter::Node;
use crate::{Error, Field, FieldType, Numeric, Ordered, Result, Value};

/// What is computed of each group of documents of type `M`; it comes to an `R`.
///
/// ```
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use shop::User;
/// let mean: folio::Reducer<User, Option<f64>> = User::age().avg();
/// ```
pub struct Reducer<M, R> {
    text: String,
    marker: PhantomData<fn() -> (M, R)>,
}

/// What has to hold of a row: `count().gt(10)`. `&` and `|` join them.
///
/// ```
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::{Having, count};
/// # use shop::User;
/// let large: Having<User> = count().gt(10) & User::age().avg().lt(40.0);
/// ```
pub struct Having<M> {
    pub(super) node: Node,
    /// The reducers that it asks for.
    pub(super) needed: Vec<String>,
    model: PhantomData<fn() -> M>,
}

/// What rows are sorted by: a result, or a key.
///
/// ```
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::count;
/// # use shop::User;
/// let order: folio::AggregateOrder<User> = count().desc();
/// ```
pub struct AggregateOrder<M> {
    pub(super) name: String,
    pub(super) descends: bool,
    /// Whether it is the name of a reducer.
    pub(super) is_result: bool,
    model: PhantomData<fn() -> M>,
}

/// The number of documents of each group.
///
/// ```no_run
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::{Document, count};
/// # use shop::User;
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// let by_city: Vec<(String, u64)> =
///     User::aggregate(()).group_by(User::address().city()).agg(count()).all(&db).await?;
/// # Ok(())
/// # }
/// ```
pub fn count<M>() -> Reducer<M, u64> {
    Reducer::new("count()".into())
}

impl<M, R> Reducer<M, R> {
    fn new(text: String) -> Self {
        Self { text, marker: PhantomData }
    }

    fn compare(&self, operator: &'static str, value: &impl Value<R>) -> Having<M> {
        let operand = match value.json() {
            Ok(json) => Node::constant(&json),
            Err(error) => Node::Wrong(error.to_string().into()),
        };
        let name = Node::text(format!("`{}`", self.text.replace('`', "``")));
        let node = Node::of(operator, [name, operand]);
        Having { node, needed: vec![self.text.clone()], model: PhantomData }
    }

    /// Rows whose result is this.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let having: folio::Having<User> = folio::count().eq(1);
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "eq(1) reads better")]
    pub fn eq(&self, value: impl Value<R>) -> Having<M> {
        self.compare("=", &value)
    }

    /// Rows whose result is greater.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let having: folio::Having<User> = folio::count().gt(10);
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "gt(10) reads better")]
    pub fn gt(&self, value: impl Value<R>) -> Having<M> {
        self.compare(">", &value)
    }

    /// Rows whose result is this or greater.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let having: folio::Having<User> = folio::count().gte(10);
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "gte(10) reads better")]
    pub fn gte(&self, value: impl Value<R>) -> Having<M> {
        self.compare(">=", &value)
    }

    /// Rows whose result is less.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let having: folio::Having<User> = folio::count().lt(10);
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "lt(10) reads better")]
    pub fn lt(&self, value: impl Value<R>) -> Having<M> {
        self.compare("<", &value)
    }

    /// Rows whose result is this or less.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let having: folio::Having<User> = folio::count().lte(10);
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "lte(10) reads better")]
    pub fn lte(&self, value: impl Value<R>) -> Having<M> {
        self.compare("<=", &value)
    }

    /// The row with the least result first.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let order = User::age().avg().asc();
    /// ```
    pub fn asc(&self) -> AggregateOrder<M> {
        AggregateOrder::result(&self.text, false)
    }

    /// The row with the greatest result first.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let order = User::age().avg().desc();
    /// ```
    pub fn desc(&self) -> AggregateOrder<M> {
        AggregateOrder::result(&self.text, true)
    }
}

impl<M> AggregateOrder<M> {
    fn result(text: &str, descends: bool) -> Self {
        Self { name: text.into(), descends, is_result: true, model: PhantomData }
    }
}

macro_rules! joins {
    ($($trait:ident $method:ident $operator:literal;)*) => {$(
        impl<M> std::ops::$trait for Having<M> {
            type Output = Self;

            fn $method(mut self, other: Self) -> Self {
                self.needed.extend(other.needed);
                Self { node: Node::of($operator, [self.node, other.node]), ..self }
            }
        }
    )*};
}

joins! {
    BitAnd bitand "and";
    BitOr bitor "or";
}

impl<M, T> Field<M, T> {
    fn reduce<R>(&self, name: &str) -> Reducer<M, R> {
        Reducer::new(format!("{name}({})", self.path()))
    }

    /// The sum of the numbers; 0 of none.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let sum: folio::Reducer<User, i64> = User::visits().sum();
    /// ```
    pub fn sum(&self) -> Reducer<M, T::Step>
    where
        T: Numeric,
    {
        self.reduce("sum")
    }

    /// The mean of the numbers.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let mean = User::age().avg();
    /// ```
    pub fn avg(&self) -> Reducer<M, Option<f64>>
    where
        T: Numeric,
    {
        self.reduce("avg")
    }

    /// The sample's standard deviation.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let deviation = User::age().stddev();
    /// ```
    pub fn stddev(&self) -> Reducer<M, Option<f64>>
    where
        T: Numeric,
    {
        self.reduce("stddev")
    }

    /// The q-quantile of the numbers, q from 0 to 1; 0.5 is the median.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let median = User::age().quantile(0.5);
    /// ```
    pub fn quantile(&self, q: f64) -> Reducer<M, Option<f64>>
    where
        T: Numeric,
    {
        Reducer::new(format!("quantile({}, {q})", self.path()))
    }

    /// What a function that is loaded into the server makes of the values, one after the other: it is called with what it
    /// has come to so far, and with the value. `R` is what it comes to, an `Option` where a group may have no value.
    /// The query ends with [`Error::Function`] where a call fails.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let product: folio::Reducer<User, Option<f64>> = User::age().fold("product");
    /// ```
    pub fn fold<R>(&self, function: &str) -> Reducer<M, R> {
        self.reduce(function)
    }

    /// The least value.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let youngest: folio::Reducer<User, Option<u32>> = User::age().min();
    /// ```
    pub fn min(&self) -> Reducer<M, Option<T::Plain>>
    where
        T: Ordered,
    {
        self.reduce("min")
    }

    /// The greatest value.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let oldest = User::age().max();
    /// ```
    pub fn max(&self) -> Reducer<M, Option<T::Plain>>
    where
        T: Ordered,
    {
        self.reduce("max")
    }

    /// How many values there are that are not null.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let named = User::nickname().count();
    /// ```
    pub fn count(&self) -> Reducer<M, u64> {
        self.reduce("count")
    }

    /// How many distinct values there are.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let names = User::name().count_distinct();
    /// ```
    pub fn count_distinct(&self) -> Reducer<M, u64> {
        self.reduce("countDistinct")
    }

    /// The value of the earliest born document that has one.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let first = User::name().first();
    /// ```
    pub fn first(&self) -> Reducer<M, Option<T::Plain>>
    where
        T: FieldType,
    {
        self.reduce("first")
    }

    /// The value of the latest born document that has one.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let last = User::name().last();
    /// ```
    pub fn last(&self) -> Reducer<M, Option<T::Plain>>
    where
        T: FieldType,
    {
        self.reduce("last")
    }

    /// All values, by birth.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let names: folio::Reducer<User, Vec<String>> = User::name().collect();
    /// ```
    pub fn collect(&self) -> Reducer<M, Vec<T::Plain>>
    where
        T: FieldType,
    {
        self.reduce("collect")
    }

    /// The distinct values in ascending order.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let names = User::name().distinct();
    /// ```
    pub fn distinct(&self) -> Reducer<M, Vec<T::Plain>>
    where
        T: FieldType,
    {
        self.reduce("distinct")
    }
}

/// A row of results, as JSON.
#[doc(hidden)]
#[derive(Debug)]
pub struct RowValues(pub(super) serde_json::Map<String, serde_json::Value>);

impl RowValues {
    fn value<V: DeserializeOwned>(&self, name: &str) -> Result<V> {
        let value = self.0.get(name).cloned().unwrap_or_default();
        serde_json::from_value(value).map_err(|source| Error::Decode {
            key: "a row".into(),
            cause: Box::new(crate::error::DecodeCause { path: name.into(), source }),
        })
    }
}

/// One reducer, or several in a tuple.
///
/// ```no_run
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::{Document, count};
/// # use shop::User;
/// let aggregate = User::aggregate(()).agg((count(), User::age().avg()));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no result of an aggregate over `{M}`",
    note = "results are `count()`, `User::age().avg()` and the like, or several in a tuple"
)]
pub trait Reducers<M> {
    /// What they come to.
    type Row: Send;

    #[doc(hidden)]
    fn texts(&self) -> Vec<String>;

    #[doc(hidden)]
    fn read(&self, row: &RowValues) -> Result<Self::Row>;
}

/// One key of groups, or several in a tuple.
///
/// ```no_run
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::{Document, count};
/// # use shop::User;
/// let aggregate =
///     User::aggregate(()).group_by((User::tenant(), User::address().city())).agg(count());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no key of groups of `{M}`",
    note = "documents are grouped by their fields: `User::address().city()`, or several in a tuple"
)]
pub trait Keys<M> {
    /// What they come to.
    type Row: Send;

    #[doc(hidden)]
    fn texts(&self) -> Vec<String>;

    #[doc(hidden)]
    fn read(&self, row: &RowValues) -> Result<Self::Row>;
}

impl<M, R: DeserializeOwned + Send> Reducers<M> for Reducer<M, R> {
    type Row = R;

    fn texts(&self) -> Vec<String> {
        vec![self.text.clone()]
    }

    fn read(&self, row: &RowValues) -> Result<R> {
        row.value(&self.text)
    }
}

impl<M> Keys<M> for () {
    type Row = ();

    fn texts(&self) -> Vec<String> {
        Vec::new()
    }

    fn read(&self, _: &RowValues) -> Result<()> {
        Ok(())
    }
}

impl<M, T: DeserializeOwned + Send> Keys<M> for Field<M, T> {
    type Row = T;

    fn texts(&self) -> Vec<String> {
        vec![self.path().to_string()]
    }

    fn read(&self, row: &RowValues) -> Result<T> {
        row.value(self.path().as_str())
    }
}

macro_rules! tuples {
    ($($trait:ident: $(($($name:ident)+))*;)*) => {$($(
        #[expect(non_snake_case, reason = "each variable is named after its type")]
        impl<M, $($name: $trait<M>),+> $trait<M> for ($($name,)+) {
            type Row = ($($name::Row,)+);

            fn texts(&self) -> Vec<String> {
                let ($($name,)+) = self;
                let mut texts = Vec::new();
                $(texts.extend($name.texts());)+
                texts
            }

            fn read(&self, row: &RowValues) -> Result<Self::Row> {
                let ($($name,)+) = self;
                Ok(($($name.read(row)?,)+))
            }
        }
    )*)*};
}

tuples! {
    Reducers: (A B) (A B C) (A B C D) (A B C D E) (A B C D E F);
    Keys: (A B) (A B C) (A B C D);
}

macro_rules! shown {
    ($($name:ident<$($parameter:ident),+>: $field:ident;)*) => {$(
        impl<$($parameter),+> fmt::Debug for $name<$($parameter),+> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.$field, f)
            }
        }
    )*};
}

shown! {
    Reducer<M, R>: text;
    Having<M>: node;
    AggregateOrder<M>: name;
}
