//! References: documents that other documents name by their ids, read along with them.
//!
//! ```text
//! Ref<T>     what stands in a document: an id, and the document once it was included
//! Reference  what leads there: the field, and behind it the fields of the other document
//! Includes   what a call is to read along, as a tree of paths
//! load       reads it: one command a level, however many rows there are
//! ```

mod accessor;
mod include;
mod load;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::define::Kind;
use crate::{Comparable, Document, DocumentId, FieldType};

pub use accessor::{Joined, Origin, Reference};
pub use include::{Includable, Includes};
pub(crate) use load::include;

/// A reference to a document of type `T`, stored as the text of its id.
///
/// It is a field type of its own, and not a map beside the rows, because what was included then stands where it
/// belongs, however deep: `post.author.get()`, and behind it `author.team.get()`. Documents that several rows refer to
/// are read once and shared. `Option<Ref<T>>` and `Vec<Ref<T>>` are references, too; a plain [`Id`](crate::Id) is an
/// id alone, and cannot be included.
///
/// Nothing is read unless [`Find::include`](crate::Find::include) or [`Get::include`](crate::Get::include) says so:
/// there is no reading behind your back. Two references are equal if their ids are, included or not.
///
/// An included document of a type with a version has the version that it was read with: written with it, it is not put
/// over what somebody has changed meanwhile.
///
/// ```no_run
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::Document;
/// # use shop::Post;
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// for post in Post::find(()).include(Post::author().team()).all(&db).await? {
///     match post.author.get() {
///         Some(author) => println!("{}, {:?}", author.name, author.team.get()),
///         None => println!("{} is gone", post.author.id()),
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub struct Ref<T: Document> {
    id: T::Id,
    state: State<T>,
}

enum State<T> {
    NotIncluded,
    Missing,
    Found(Arc<T>),
}

impl<T: Document> Ref<T> {
    /// The reference to the document of an id.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::Author;
    /// let author: folio::Ref<Author> = folio::Ref::new("ada".into());
    /// assert_eq!(author.id().as_str(), "ada");
    /// ```
    pub fn new(id: T::Id) -> Self {
        Self { id, state: State::NotIncluded }
    }

    /// The reference to a document.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::Author;
    /// # fn example(ada: Author) {
    /// assert_eq!(folio::Ref::to(&ada).id(), &ada.id);
    /// # }
    /// ```
    pub fn to(document: &T) -> Self {
        Self::new(document.document_id().clone())
    }

    /// The id of the document.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::{Author, Post};
    /// # async fn example(db: folio::Folio, post: Post) -> folio::Result<()> {
    /// let author = Author::get(post.author.id()).one(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn id(&self) -> &T::Id {
        &self.id
    }

    /// The document, if it was included and is there.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::Author;
    /// let author: folio::Ref<Author> = folio::Ref::new("ada".into());
    /// assert!(author.get().is_none(), "nothing was read");
    /// ```
    pub fn get(&self) -> Option<&T> {
        match &self.state {
            State::Found(document) => Some(document),
            State::NotIncluded | State::Missing => None,
        }
    }

    /// Whether it was included, and no document is there.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::Author;
    /// let author: folio::Ref<Author> = folio::Ref::new("ada".into());
    /// assert!(!author.is_missing(), "nobody has looked");
    /// ```
    pub fn is_missing(&self) -> bool {
        matches!(self.state, State::Missing)
    }

    /// Whether it was included, be the document there or not.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::Author;
    /// let author: folio::Ref<Author> = folio::Ref::new("ada".into());
    /// assert!(!author.is_included());
    /// ```
    pub fn is_included(&self) -> bool {
        !matches!(self.state, State::NotIncluded)
    }
}

impl<T: Document<Id = crate::Id<T>>> From<crate::Id<T>> for Ref<T> {
    fn from(id: crate::Id<T>) -> Self {
        Self::new(id)
    }
}

impl<T: Document> Clone for Ref<T> {
    fn clone(&self) -> Self {
        let state = match &self.state {
            State::NotIncluded => State::NotIncluded,
            State::Missing => State::Missing,
            State::Found(document) => State::Found(Arc::clone(document)),
        };
        Self { id: self.id.clone(), state }
    }
}

impl<T: Document> PartialEq for Ref<T> {
    fn eq(&self, other: &Self) -> bool {
        self.id.to_text() == other.id.to_text()
    }
}

impl<T: Document> Eq for Ref<T> {}

impl<T: Document> fmt::Debug for Ref<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ref({})", self.id.to_text())
    }
}

impl<T: Document> Serialize for Ref<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.id.to_text())
    }
}

impl<'de, T: Document> Deserialize<'de> for Ref<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let text = String::deserialize(deserializer)?;
        let id = T::Id::from_text(&text);
        let wrong =
            || D::Error::custom(format!("'{text}' is no id of {}", T::DEFINITION.collection));
        id.map(Self::new).ok_or_else(wrong)
    }
}

impl<T: Document> FieldType for Ref<T> {
    const KIND: Kind = Kind::Scalar("string");
    type Plain = Self;
    type Accessor<M, D> = Reference<M, D, T>;

    fn refer<V: Visit>(&mut self, path: &str, visit: &mut V) -> bool {
        if path.is_empty() {
            visit.visit(self);
        }
        path.is_empty()
    }
}

impl<T: Document> Comparable for Ref<T> {}

/// Who is shown references.
#[doc(hidden)]
pub trait Visit {
    fn visit<T: Document>(&mut self, reference: &mut Ref<T>);
}

/// What stands behind `step` in a path that begins with it; the derives ask it of each field.
#[doc(hidden)]
#[must_use]
pub fn behind<'p>(path: &'p str, step: &str) -> Option<&'p str> {
    let rest = path.strip_prefix(step)?;
    let rest = rest.strip_prefix("[*]").unwrap_or(rest);
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('.') }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_taken_apart_by_whole_steps() {
        assert_eq!(behind("author", "author"), Some(""));
        assert_eq!(behind("items[*].product", "items"), Some("product"));
        assert_eq!(behind("readers[*]", "readers"), Some(""));
        assert_eq!(behind("authors", "author"), None);
        assert_eq!(behind("`first name`.x", "`first name`"), Some("x"));
    }
}
