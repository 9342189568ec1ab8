//! What leads to a reference, and through it.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::de::DeserializeOwned;

use crate::ops::RowValues;
use crate::{
    Accessor, Change, Comparable, Document, Field, FieldPath, FieldRef, Filter, Keys, Nullable,
    Operand, Result, Selectable, Selected, Value,
};

/// A field of type `D` (`Ref<T>`, or an `Option` of it) in documents of type `M`, and behind it the fields of `T`.
///
/// The derive makes it: `Post::author()`. It is asked like other fields that are compared; what it does not have by
/// itself, its [`field`](FieldRef::field) has. `Post::author().team()` leads on, to be
/// [included](crate::Find::include).
///
/// The fields behind it are those of another document, so no filter, order or change is made of them.
///
/// ```no_run
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::Document;
/// # use shop::{Author, Post};
/// # async fn example(db: folio::Folio, ada: Author) -> folio::Result<()> {
/// let posts = Post::find(Post::author().eq(ada.id)).include(Post::author().team()).all(&db).await?;
/// # Ok(())
/// # }
/// ```
pub struct Reference<M, D, T: Document> {
    field: Field<M, D>,
    fields: T::FieldsIn<Joined<M>>,
}

/// What documents of type `M` refer to, as the one whose fields are led to.
///
/// ```
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use shop::Post;
/// let name: folio::Field<folio::Joined<Post>, String> = Post::author().name();
/// ```
pub struct Joined<M>(PhantomData<fn() -> M>);

/// Which documents a path begins in, through however many references it leads.
#[doc(hidden)]
pub trait Origin {
    type Root;
}

impl<T: Document> Origin for T {
    type Root = T;
}

impl<M: Origin> Origin for Joined<M> {
    type Root = M::Root;
}

impl<M, D, T: Document> Accessor for Reference<M, D, T> {
    fn at(path: FieldPath) -> Self {
        Self { fields: Accessor::at(path.through()), field: Field::at(path) }
    }
}

impl<M, D, T: Document> Clone for Reference<M, D, T> {
    fn clone(&self) -> Self {
        Self::at(self.field.path().clone())
    }
}

impl<M, D, T: Document> fmt::Debug for Reference<M, D, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reference({})", self.field.path())
    }
}

impl<M, D, T: Document> Deref for Reference<M, D, T> {
    type Target = T::FieldsIn<Joined<M>>;

    fn deref(&self) -> &Self::Target {
        &self.fields
    }
}

impl<M, D, T: Document> FieldRef<M> for Reference<M, D, T> {
    type Type = D;

    fn field(&self) -> &Field<M, D> {
        &self.field
    }
}

impl<M, D, T: Document> Selectable<M> for Reference<M, D, T> {
    type Type = D;

    fn selected(&self) -> Selected {
        self.field.selected()
    }
}

impl<M, D: DeserializeOwned + Send, T: Document> Keys<M> for Reference<M, D, T> {
    type Row = D;

    fn texts(&self) -> Vec<String> {
        self.field.texts()
    }

    fn read(&self, row: &RowValues) -> Result<D> {
        self.field.read(row)
    }
}

impl<M, D, T: Document> Reference<M, D, T> {
    /// It refers to this document.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::{Author, Post};
    /// # fn example(ada: Author) {
    /// let of_hers = Post::author().eq(&ada.id);
    /// # }
    /// ```
    pub fn eq(&self, operand: impl Operand<M, D>) -> Filter<M>
    where
        D: Comparable,
    {
        self.field.eq(operand)
    }

    /// It does not refer to this document: the complement of `eq`.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::{Author, Post};
    /// # fn example(ada: Author) {
    /// let of_others = Post::author().ne(&ada.id);
    /// # }
    /// ```
    pub fn ne(&self, operand: impl Operand<M, D>) -> Filter<M>
    where
        D: Comparable,
    {
        self.field.ne(operand)
    }

    /// It refers to one of these documents.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::{Author, Post};
    /// # fn example(team: Vec<Author>) {
    /// let of_theirs = Post::author().is_in(team.iter().map(|author| &author.id));
    /// # }
    /// ```
    pub fn is_in<V: Value<D>>(&self, values: impl IntoIterator<Item = V>) -> Filter<M>
    where
        D: Comparable,
    {
        self.field.is_in(values)
    }

    /// It is there and null.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::Post;
    /// let unedited = Post::editor().is_null();
    /// ```
    pub fn is_null(&self) -> Filter<M> {
        self.field.is_null()
    }

    /// It is not there.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::Post;
    /// let unedited = Post::editor().is_null() | Post::editor().is_missing();
    /// ```
    pub fn is_missing(&self) -> Filter<M> {
        self.field.is_missing()
    }

    /// Has it refer to this document.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::{Author, Post};
    /// # fn example(ada: Author) {
    /// let change = Post::editor().set(&ada.id);
    /// # }
    /// ```
    pub fn set(&self, value: impl Value<D>) -> Change<M> {
        self.field.set(value)
    }

    /// Has it refer to none.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::Post;
    /// let change = Post::editor().set_null();
    /// ```
    pub fn set_null(&self) -> Change<M>
    where
        D: Nullable,
    {
        self.field.set_null()
    }
}
