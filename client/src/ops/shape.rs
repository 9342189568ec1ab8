//! What comes of each document that a query finds: all of it, a projection, some fields.

use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::codec::{Members, decode, decode_renamed, with_members};
use crate::error::DecodeCause;
use crate::{Document, DocumentId, Error, Executor, Field, IdField, Projection, Result};

/// What a row of an answer becomes.
///
/// ```
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use shop::User;
/// fn is_shape<S: folio::Shape<User>>() {}
/// is_shape::<folio::Whole<User>>();
/// ```
pub trait Shape<T>: Send + Sync {
    /// The row.
    type Row: Send;

    /// The paths that are asked for; all of the document if there are none.
    #[doc(hidden)]
    fn paths(&self) -> Option<Vec<String>>;

    /// Puts to the rows what is read after them.
    #[doc(hidden)]
    fn complete(
        &self,
        rows: &mut [Self::Row],
        db: &impl Executor,
    ) -> impl Future<Output = Result<()>> + Send {
        let _ = (rows, db);
        std::future::ready(Ok(()))
    }

    /// Whether the version is asked for.
    #[doc(hidden)]
    fn wants_version(&self) -> bool;

    /// The row of a key, an id, a text and a version.
    #[doc(hidden)]
    fn decode(&self, key: &str, id: &str, text: &[u8], version: Option<u64>) -> Result<Self::Row>;
}

/// The whole document.
///
/// ```
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::Document;
/// # use shop::User;
/// let query: folio::Find<User, folio::Whole<User>> = User::find(());
/// ```
pub struct Whole<T>(PhantomData<fn() -> T>);

impl<T> Whole<T> {
    pub(crate) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T: Document> Shape<T> for Whole<T> {
    type Row = T;

    fn paths(&self) -> Option<Vec<String>> {
        None
    }

    fn wants_version(&self) -> bool {
        T::VERSION_NAME.is_some()
    }

    fn decode(&self, key: &str, id: &str, text: &[u8], version: Option<u64>) -> Result<T> {
        decode(key, id, text, version.unwrap_or_default())
    }
}

/// The whole document, and what functions compute of it. Its fields are asked for one by one.
pub struct Complete<T> {
    names: Vec<(String, &'static str)>,
    model: PhantomData<fn() -> T>,
}

impl<T: Document> Complete<T> {
    pub(crate) fn new() -> Self {
        let names = T::MEMBERS.iter().map(|(path, name)| ((*path).to_owned(), *name)).collect();
        Self { names, model: PhantomData }
    }
}

impl<T: Document> Shape<T> for Complete<T> {
    type Row = T;

    fn paths(&self) -> Option<Vec<String>> {
        // Of a type without such fields the document is all there is.
        let paths = || self.names.iter().map(|(path, _)| path.clone()).collect();
        (!self.names.is_empty()).then(paths)
    }

    fn wants_version(&self) -> bool {
        T::VERSION_NAME.is_some()
    }

    fn decode(&self, key: &str, id: &str, text: &[u8], version: Option<u64>) -> Result<T> {
        decode_renamed(key, id, text, version.unwrap_or_default(), &self.names)
    }
}

/// A projection.
pub struct Projected<P> {
    names: Vec<(String, &'static str)>,
    view: PhantomData<fn() -> P>,
}

impl<P: Projection> Projected<P> {
    pub(crate) fn new() -> Self {
        let names = P::FIELDS.iter().map(|(path, name)| (path().to_string(), *name)).collect();
        Self { names, view: PhantomData }
    }
}

impl<P: Projection> Shape<P::Of> for Projected<P> {
    type Row = P;

    fn paths(&self) -> Option<Vec<String>> {
        // A projection of the id alone still needs a path, which may lead to nothing.
        let paths: Vec<String> = self.names.iter().map(|(path, _)| path.clone()).collect();
        Some(if paths.is_empty() { vec!["`-`".into()] } else { paths })
    }

    fn wants_version(&self) -> bool {
        P::VERSION_NAME.is_some()
    }

    fn decode(&self, key: &str, id: &str, text: &[u8], version: Option<u64>) -> Result<P> {
        let is_number = <<P::Of as Document>::Id as DocumentId>::IS_NUMBER;
        let members = Members {
            id: P::ID_NAME.map(|name| (name, id, is_number)),
            version: P::VERSION_NAME.map(|name| (name, version.unwrap_or_default())),
            renamed: &self.names,
        };
        with_members(key, text, members)
    }
}

/// What a field or the id of a document is asked for by.
#[doc(hidden)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selected {
    Path(String),
    Id { is_number: bool },
}

/// What may stand in `fields(..)`: fields, and the id.
///
/// ```
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::Document;
/// # use shop::User;
/// let query = User::find(()).fields((User::id(), User::email(), User::address().city()));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no field of `{M}`",
    note = "`fields(..)` takes a tuple of fields: `(User::email(), User::age())`"
)]
pub trait Selectable<M> {
    /// What it holds.
    type Type;

    /// What is asked for.
    #[doc(hidden)]
    fn selected(&self) -> Selected;
}

impl<M, T> Selectable<M> for Field<M, T> {
    type Type = T;

    fn selected(&self) -> Selected {
        Selected::Path(self.path().to_string())
    }
}

impl<M, I: DocumentId> Selectable<M> for IdField<M, I> {
    type Type = I;

    fn selected(&self) -> Selected {
        Selected::Id { is_number: I::IS_NUMBER }
    }
}

/// Some fields, as a tuple.
///
/// ```
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::Document;
/// # use shop::User;
/// let query: folio::Find<User, folio::Fields<_>> = User::find(()).fields((User::email(), User::age()));
/// ```
pub struct Fields<R> {
    selected: Vec<Selected>,
    row: PhantomData<fn() -> R>,
}

/// A row's values by their paths.
pub struct Cells<'a> {
    key: &'a str,
    id: &'a str,
    texts: HashMap<String, Box<RawValue>>,
}

impl Cells<'_> {
    fn value<V: DeserializeOwned>(&self, selected: Option<&Selected>) -> Result<V> {
        let (place, told) = match selected {
            Some(Selected::Path(path)) => (
                path.as_str(),
                serde_json::from_str(self.texts.get(path).map_or("null", |it| it.get())),
            ),
            Some(Selected::Id { is_number: true }) => ("_id", serde_json::from_str(self.id)),
            _ => ("_id", serde_json::from_value(self.id.into())),
        };
        told.map_err(|source| Error::Decode {
            key: self.key.into(),
            cause: Box::new(DecodeCause { path: place.into(), source }),
        })
    }
}

/// A tuple that a row can become.
#[doc(hidden)]
pub trait Row: Sized + Send {
    fn row(cells: &Cells<'_>, selected: &[Selected]) -> Result<Self>;
}

/// A tuple of fields.
#[doc(hidden)]
pub trait FieldTuple<M> {
    type Row: Row;

    fn shape(self) -> Fields<Self::Row>;
}

macro_rules! tuples {
    ($(($($name:ident)+))*) => {$(
        impl<$($name: DeserializeOwned + Send),+> Row for ($($name,)+) {
            fn row(cells: &Cells<'_>, selected: &[Selected]) -> Result<Self> {
                let mut selected = selected.iter();
                Ok(($(cells.value::<$name>(selected.next())?,)+))
            }
        }

        #[expect(non_snake_case, reason = "each variable is named after its type")]
        impl<M, $($name: Selectable<M>),+> FieldTuple<M> for ($($name,)+)
        where
            $($name::Type: DeserializeOwned + Send),+
        {
            type Row = ($($name::Type,)+);

            fn shape(self) -> Fields<Self::Row> {
                let ($($name,)+) = self;
                Fields { selected: vec![$($name.selected()),+], row: PhantomData }
            }
        }
    )*};
}

tuples!((A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H));

impl<T, R: Row> Shape<T> for Fields<R> {
    type Row = R;

    fn paths(&self) -> Option<Vec<String>> {
        let paths = self.selected.iter().filter_map(|selected| match selected {
            Selected::Path(path) => Some(path.clone()),
            Selected::Id { .. } => None,
        });
        let paths: Vec<String> = paths.collect();
        Some(if paths.is_empty() { vec!["`-`".into()] } else { paths })
    }

    fn wants_version(&self) -> bool {
        false
    }

    fn decode(&self, key: &str, id: &str, text: &[u8], _: Option<u64>) -> Result<R> {
        let texts = crate::reply::document(key, text)?;
        R::row(&Cells { key, id, texts }, &self.selected)
    }
}

impl<T> fmt::Debug for Whole<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Whole")
    }
}

impl<P> fmt::Debug for Projected<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names.iter().map(|(path, _)| path)).finish()
    }
}

impl<R> fmt::Debug for Fields<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.selected).finish()
    }
}
