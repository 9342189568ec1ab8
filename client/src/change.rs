//! Changes of documents: the operations of `DOC.UPDATE`.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use serde::Serialize;

use crate::field::{Array, Nullable};
use crate::filter::duration;
use crate::{
    Arguments, Command, Error, Field, Numeric, Ordered, Result, Timestamp, Value, arguments,
};

/// An operation on documents of type `M`.
///
/// ```
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use shop::User;
/// let change: folio::Change<User> = User::visits().inc(1);
/// ```
#[must_use = "a change does nothing by itself"]
pub struct Change<M> {
    word: &'static str,
    arguments: Vec<Argument>,
    model: PhantomData<fn() -> M>,
}

#[derive(Clone)]
enum Argument {
    /// Sent as it is, and as a string where an operation stands in JSON.
    Text(String),
    /// JSON in both.
    Json(String),
    /// What could not be written; told when it is to be sent.
    Wrong(String),
}

impl<M> Change<M> {
    fn new(word: &'static str, path: &str, rest: Option<Argument>) -> Self {
        let arguments = std::iter::once(Argument::Text(path.into())).chain(rest).collect();
        Self { word, arguments, model: PhantomData }
    }

    fn bare(word: &'static str, argument: Option<Argument>) -> Self {
        Self { word, arguments: argument.into_iter().collect(), model: PhantomData }
    }

    /// Sets a path to JSON.
    pub(crate) fn set_text(path: &str, json: String) -> Self {
        Self::new("SET", path, Some(Argument::Json(json)))
    }

    /// Takes a path away.
    /// Takes a value out and puts it to another path.
    pub(crate) fn rename_path(from: &str, to: &str) -> Self {
        Self::new("RENAME", from, Some(Argument::Text(to.into())))
    }

    /// Takes away what stands at a path.
    pub(crate) fn unset_path(path: &str) -> Self {
        Self::new("UNSET", path, None)
    }

    /// Adds the operation to a command.
    pub(crate) fn add(&self, command: &mut Command) -> Result<()> {
        command.push(self.word);
        for argument in &self.arguments {
            match argument {
                Argument::Text(text) | Argument::Json(text) => command.push(text.as_str()),
                Argument::Wrong(why) => return Err(Error::Usage(why.as_str().into())),
            }
        }
        Ok(())
    }

    /// The operation as a list: `["INCR","qty",-1]`.
    #[cfg(test)]
    pub(crate) fn to_json(&self) -> Result<String> {
        let mut told = format!("[\"{}\"", self.word);
        for argument in &self.arguments {
            told.push(',');
            match argument {
                Argument::Text(text) => {
                    told.push_str(&serde_json::to_string(text).map_err(Error::Encode)?);
                }
                Argument::Json(json) => told.push_str(json),
                Argument::Wrong(why) => return Err(Error::Usage(why.as_str().into())),
            }
        }
        told.push(']');
        Ok(told)
    }
}

impl<M> Clone for Change<M> {
    fn clone(&self) -> Self {
        Self { word: self.word, arguments: self.arguments.clone(), model: PhantomData }
    }
}

impl<M> fmt::Debug for Change<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word)?;
        for argument in &self.arguments {
            let (Argument::Text(text) | Argument::Json(text) | Argument::Wrong(text)) = argument;
            write!(f, " {text}")?;
        }
        Ok(())
    }
}

fn json<T>(value: &impl Value<T>) -> Argument {
    value.json().map_or_else(|error| Argument::Wrong(error.to_string()), Argument::Json)
}

fn written(value: &(impl Serialize + ?Sized)) -> Argument {
    serde_json::to_string(value)
        .map_or_else(|error| Argument::Wrong(error.to_string()), Argument::Json)
}

/// A function on the server is called with the document, as the changes before have left it, and these arguments: a
/// tuple, `()` or a list. What it gives is merged into the document (RFC 7396); what it replies is dropped:
/// [`Get::call`](crate::Get::call) gives that.
///
/// ```no_run
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::{Document, Id};
/// # use shop::User;
/// # async fn example(db: folio::Folio, id: Id<User>) -> folio::Result<()> {
/// let changes = (User::visits().inc(1), folio::call("loyalty.grant", (5, "visit")));
/// User::get(id).update(changes).run(&db).await?;
/// # Ok(())
/// # }
/// ```
pub fn call<M>(function: &str, arguments: impl Arguments) -> Change<M> {
    let arguments = arguments::array(&arguments)
        .map_or_else(|error| Argument::Wrong(error.to_string()), Argument::Json);
    Change::new("CALL", function, Some(arguments))
}

/// The document lapses after this time, to the millisecond.
///
/// ```no_run
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::{Document, Id};
/// # use shop::User;
/// # async fn example(db: folio::Folio, id: Id<User>) -> folio::Result<()> {
/// let hour = std::time::Duration::from_secs(3_600);
/// User::get(id).update((User::visits().inc(1), folio::expire_in(hour))).run(&db).await?;
/// # Ok(())
/// # }
/// ```
pub fn expire_in<M>(time: Duration) -> Change<M> {
    Change::bare("PX", Some(Argument::Json(time.as_millis().to_string())))
}

/// The document lapses at this instant.
///
/// ```
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use shop::User;
/// let change: folio::Change<User> = folio::expire_at("2099-12-31T00:00:00Z".parse().unwrap());
/// ```
pub fn expire_at<M>(instant: Timestamp) -> Change<M> {
    Change::bare("PXAT", Some(Argument::Json(instant.as_millisecond().to_string())))
}

/// The document does not lapse.
///
/// ```
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use shop::User;
/// let change: folio::Change<User> = folio::persist();
/// ```
pub fn persist<M>() -> Change<M> {
    Change::bare("PERSIST", None)
}

impl<M, T> Field<M, T> {
    fn change(&self, word: &'static str, argument: Option<Argument>) -> Change<M> {
        Change::new(word, self.path().as_str(), argument)
    }

    /// Puts a value.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let change = (User::name().set("Ada"), User::address().city().set("Lyon"));
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "set(\"Ada\") reads better")]
    pub fn set(&self, value: impl Value<T>) -> Change<M> {
        self.change("SET", Some(json(&value)))
    }

    /// Puts whatever serde writes; for fields that are `#[folio(json)]`.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::Job;
    /// let change = Job::sizes().set_json(&serde_json::json!({"large": 2}));
    /// ```
    pub fn set_json(&self, value: &(impl Serialize + ?Sized)) -> Change<M> {
        self.change("SET", Some(written(value)))
    }

    /// Makes it null.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let change = User::nickname().set_null();
    /// ```
    pub fn set_null(&self) -> Change<M>
    where
        T: Nullable,
    {
        self.change("SET", Some(Argument::Json("null".into())))
    }

    /// Takes it away. A field that is required is refused by the server.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let change = User::nickname().unset();
    /// ```
    pub fn unset(&self) -> Change<M> {
        self.change("UNSET", None)
    }

    /// Adds to a number; what is missing counts as 0.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let change = User::balance().inc(-100);
    /// ```
    pub fn inc(&self, by: impl Into<T::Step>) -> Change<M>
    where
        T: Numeric,
    {
        self.change("INCR", Some(written(&by.into())))
    }

    pub(crate) fn add_one(&self) -> Change<M>
    where
        T: Numeric,
    {
        self.change("INCR", Some(Argument::Json("1".into())))
    }

    /// Multiplies a number; what is missing becomes 0.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::Order;
    /// let change = Order::total().mul(0.9);
    /// ```
    pub fn mul(&self, by: impl Into<T::Step>) -> Change<M>
    where
        T: Numeric,
    {
        self.change("MUL", Some(written(&by.into())))
    }

    /// Puts the value if it is below the one that is there.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let change = User::age().at_most(99);
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "at_most(99) reads better")]
    pub fn at_most(&self, value: impl Value<T>) -> Change<M>
    where
        T: Ordered,
    {
        self.change("MIN", Some(json(&value)))
    }

    /// Puts the value if it is above the one that is there.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let change = User::age().at_least(18);
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "at_least(18) reads better")]
    pub fn at_least(&self, value: impl Value<T>) -> Change<M>
    where
        T: Ordered,
    {
        self.change("MAX", Some(json(&value)))
    }

    /// Adds an element at the end of the array.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let change = User::tags().push("vip");
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "push(\"vip\") reads better")]
    pub fn push(&self, value: impl Value<T::Element>) -> Change<M>
    where
        T: Array,
    {
        self.change("PUSH", Some(json(&value)))
    }

    /// Adds an element unless the array holds an equal one.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let change = User::tags().add("vip");
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "add(\"vip\") reads better")]
    pub fn add(&self, value: impl Value<T::Element>) -> Change<M>
    where
        T: Array,
    {
        self.change("ADD", Some(json(&value)))
    }

    /// Takes every equal element out.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let change = User::tags().pull("guest");
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "pull(\"guest\") reads better")]
    pub fn pull(&self, value: impl Value<T::Element>) -> Change<M>
    where
        T: Array,
    {
        self.change("PULL", Some(json(&value)))
    }

    /// Takes the element at an index out, from 0; with a minus from the end.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let last = User::tags().pop(-1);
    /// ```
    pub fn pop(&self, index: i64) -> Change<M>
    where
        T: Array,
    {
        self.change("POP", Some(Argument::Json(index.to_string())))
    }
}

impl<M> Field<M, bool> {
    /// Turns true and false over.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let change = User::active().toggle();
    /// ```
    pub fn toggle(&self) -> Change<M> {
        self.change("TOGGLE", None)
    }
}

macro_rules! instants {
    ($($ty:ty)*) => {$(
        impl<M> Field<M, $ty> {
            /// Puts the server's time.
            ///
            /// ```
            /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
            /// # use shop::Job;
            /// let change = Job::lease().set_now();
            /// ```
            pub fn set_now(&self) -> Change<M> {
                self.change("NOW", None)
            }

            /// Puts an instant so much behind the server's time.
            ///
            /// ```
            /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
            /// # use shop::Job;
            /// let change = Job::lease().set_now_plus(std::time::Duration::from_secs(30));
            /// ```
            pub fn set_now_plus(&self, time: Duration) -> Change<M> {
                self.change("NOW", Some(Argument::Text(duration(time))))
            }
        }
    )*};
}

instants!(Timestamp Option<Timestamp>);

/// One change, or several in a tuple, an array or a `Vec`: they apply in this order, all or none.
///
/// ```
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::Document;
/// # use shop::User;
/// let update = User::get(folio::Id::from("ada")).update((User::visits().inc(1), User::tags().add("vip")));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no change of `{M}`",
    note = "a change is made of a field, `User::age().inc(1)`, or several in a tuple"
)]
pub trait Changes<M> {
    /// The changes in their order.
    #[doc(hidden)]
    fn into_changes(self) -> Vec<Change<M>>;
}

impl<M> Changes<M> for Change<M> {
    fn into_changes(self) -> Vec<Change<M>> {
        vec![self]
    }
}

impl<M> Changes<M> for Vec<Change<M>> {
    fn into_changes(self) -> Vec<Change<M>> {
        self
    }
}

impl<M, const N: usize> Changes<M> for [Change<M>; N] {
    fn into_changes(self) -> Vec<Change<M>> {
        self.into()
    }
}

macro_rules! tuples {
    ($(($($name:ident)+))*) => {$(
        #[expect(non_snake_case, reason = "each variable is named after its type")]
        impl<M, $($name: Changes<M>),+> Changes<M> for ($($name,)+) {
            fn into_changes(self) -> Vec<Change<M>> {
                let ($($name,)+) = self;
                let mut changes = Vec::new();
                $(changes.extend($name.into_changes());)+
                changes
            }
        }
    )*};
}

tuples!((A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H));

/// Adds the operations; none are an error, since the server takes none.
pub(crate) fn add<M>(command: &mut Command, changes: &[Change<M>]) -> Result<()> {
    if changes.is_empty() {
        return Err(Error::Usage("an update without a change".into()));
    }
    changes.iter().try_for_each(|change| change.add(command))
}
