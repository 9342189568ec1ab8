//! Ids of documents.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::define::{IdStrategy, Kind};
use crate::filter::Node;
use crate::{Accessor, Comparable, Document, Field, FieldPath, FieldType, Filter, Order};

/// The id of a document of type `T`: its key without the collection's prefix.
///
/// An id of one type is no id of another. The empty one stands for an id that is still to be made: the server makes it
/// where the ids are a sequence, `insert` makes it else.
///
/// ```
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use shop::{Order, User};
/// use folio::Id;
///
/// let user: Id<User> = Id::new();
/// assert_eq!(user.as_str().len(), 36);
/// let order: Id<Order> = Id::new();
/// assert!(order.is_unset(), "the server counts orders");
/// ```
pub struct Id<T> {
    text: Box<str>,
    of: PhantomData<fn() -> T>,
}

impl<T: Document> Id<T> {
    /// A new id, made as the type says; the empty one where the server makes it.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::Job;
    /// assert_eq!(folio::Id::<Job>::new().as_str().len(), 26);
    /// ```
    #[must_use]
    pub fn new() -> Self {
        match T::DEFINITION.ids {
            IdStrategy::Uuid7 => Self::from(uuid::Uuid::now_v7().to_string()),
            IdStrategy::Ulid => Self::from(ulid::Ulid::new().to_string()),
            IdStrategy::Sequence | IdStrategy::Natural => Self::default(),
        }
    }
}

impl<T> Id<T> {
    /// The id as it stands in the key.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// assert_eq!(folio::Id::<User>::from("ada").as_str(), "ada");
    /// ```
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is still to be made.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// assert!(folio::Id::<User>::default().is_unset());
    /// ```
    pub fn is_unset(&self) -> bool {
        self.text.is_empty()
    }
}

impl<T> Default for Id<T> {
    fn default() -> Self {
        Self::from("")
    }
}

impl<T> From<&str> for Id<T> {
    fn from(text: &str) -> Self {
        Self { text: text.into(), of: PhantomData }
    }
}

impl<T> From<String> for Id<T> {
    fn from(text: String) -> Self {
        Self { text: text.into(), of: PhantomData }
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        Self { text: self.text.clone(), of: PhantomData }
    }
}

impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<T> Eq for Id<T> {}

impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}

impl<T> Hash for Id<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({})", self.text)
    }
}

impl<T> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<T> Serialize for Id<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de, T> Deserialize<'de> for Id<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self { text: Box::deserialize(deserializer)?, of: PhantomData })
    }
}

/// A reference to another document is stored as the id's text.
impl<T> FieldType for Id<T> {
    const KIND: Kind = Kind::Scalar("string");
    type Plain = Self;
    type Accessor<M, D> = Field<M, D>;
}

impl<T> Comparable for Id<T> {}

/// What may be an id: [`Id`], or what a document brings itself where its ids are natural.
///
/// ```
/// use folio::DocumentId;
///
/// assert_eq!(7_u64.to_text(), "7");
/// assert_eq!(u64::from_text("7"), Some(7));
/// ```
#[diagnostic::on_unimplemented(
    message = "a `{Self}` is no id of a document",
    note = "ids are `Id<..>`, `String`, whole numbers and `Uuid`"
)]
pub trait DocumentId: Clone + Send + Sync + Sized {
    /// Whether serde writes it as a number.
    #[doc(hidden)]
    const IS_NUMBER: bool = false;

    /// The id as it stands in the key.
    fn to_text(&self) -> Cow<'_, str>;

    /// The id of what stands in a key.
    fn from_text(text: &str) -> Option<Self>;
}

impl<T> DocumentId for Id<T> {
    fn to_text(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.text)
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(Self::from(text))
    }
}

impl DocumentId for String {
    fn to_text(&self) -> Cow<'_, str> {
        Cow::Borrowed(self)
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

macro_rules! numbers {
    ($is_number:literal: $($ty:ty)*) => {$(
        impl DocumentId for $ty {
            const IS_NUMBER: bool = $is_number;

            fn to_text(&self) -> Cow<'_, str> {
                Cow::Owned(self.to_string())
            }

            fn from_text(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        }
    )*};
}

numbers!(true: u8 u16 u32 u64 i8 i16 i32 i64);
numbers!(false: uuid::Uuid);

/// What names a document of type `T` where an id is asked for: the id, a reference to it, `&str` for a `String`.
///
/// ```no_run
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::Document;
/// # use shop::Country;
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// let iceland = Country::get("IS").one(&db).await?;
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "a `{Self}` does not name a document whose ids are `{I}`",
    note = "an id of one type is no id of another; `Id::from(\"..\")` makes one of a text"
)]
pub trait AsId<I> {
    /// The id's text.
    #[doc(hidden)]
    fn id_text(&self) -> String;
}

impl<I: DocumentId> AsId<I> for I {
    fn id_text(&self) -> String {
        self.to_text().into_owned()
    }
}

impl<I: DocumentId> AsId<I> for &I {
    fn id_text(&self) -> String {
        self.to_text().into_owned()
    }
}

impl AsId<String> for &str {
    fn id_text(&self) -> String {
        (*self).to_owned()
    }
}

/// The id as a field: it is part of the key, not of the text, so there is no index over it. `get` finds a document by
/// its id.
///
/// ```
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::Document;
/// # use shop::User;
/// let query = User::find(()).order_by((User::age().desc(), User::id().asc()));
/// ```
pub struct IdField<M, I> {
    marker: PhantomData<fn() -> (M, I)>,
}

impl<M, I> Accessor for IdField<M, I> {
    fn at(_: FieldPath) -> Self {
        Self { marker: PhantomData }
    }
}

impl<M, I> fmt::Debug for IdField<M, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdField")
    }
}

impl<M, I> IdField<M, I> {
    const PATH: &'static str = "_id";

    /// The document of this id.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let filter = User::id().eq(folio::Id::from("ada"));
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "eq(\"ada\") reads better")]
    pub fn eq(&self, id: impl AsId<I>) -> Filter<M> {
        Filter::of("=", [Node::text(Self::PATH), Node::text(id.id_text())])
    }

    /// All documents but the one of this id.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let filter = User::id().ne(folio::Id::from("ada"));
    /// ```
    pub fn ne(&self, id: impl AsId<I>) -> Filter<M> {
        !self.eq(id)
    }

    /// The documents of these ids.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let filter = User::id().is_in([folio::Id::from("ada"), folio::Id::from("alan")]);
    /// ```
    pub fn is_in<A: AsId<I>>(&self, ids: impl IntoIterator<Item = A>) -> Filter<M> {
        let list = Node::of("list", ids.into_iter().map(|id| Node::text(id.id_text())));
        Filter::of("in", [Node::text(Self::PATH), list])
    }

    /// The least first, as text.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let order = User::id().asc();
    /// ```
    pub fn asc(&self) -> Order<M> {
        Order::new(Self::PATH, false)
    }

    /// The greatest first, as text.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let order = User::id().desc();
    /// ```
    pub fn desc(&self) -> Order<M> {
        Order::new(Self::PATH, true)
    }
}
