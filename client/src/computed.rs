//! Fields that functions compute.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A field that a function on the server computes of the document: `#[folio(computed = "text.slug")]`.
///
/// No document holds it. It is left out when a document is written, and empty when one is read, unless
/// [`Find::with_computed`](crate::Find::with_computed) or [`Get::with_computed`](crate::Get::with_computed) asks for it;
/// projections and `fields(..)` have its value as a plain `T`. Once a document was written it is empty again, since what
/// it held was of the document before.
///
/// In filters, orders, groups and indexes it is a field like any other. `Computed<T>` is declared as required, so the
/// server refuses a document of which the function gives nothing; `Computed<Option<T>>` may be missing.
///
/// ```no_run
/// use folio::{Computed, Document, Function, Id};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Document, Serialize, Deserialize)]
/// #[folio(collection = "articles")]
/// struct Article {
///     #[folio(id)]
///     id: Id<Article>,
///     title: String,
///     #[folio(computed = "slug", index(sorted))]
///     slug: Computed<String>,
/// }
///
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// let slug = Function::new("slug", "return text.slug(doc.title)");
/// db.sync_with::<Article>([slug]).await?;
/// let article = Article { id: Id::new(), title: "On Time".into(), slug: Computed::default() };
/// article.insert(&db).await?;
/// let found = Article::find(Article::slug().eq("on-time")).with_computed().one(&db).await?;
/// assert_eq!(found.slug.get().map(String::as_str), Some("on-time"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Computed<T>(Option<T>);

impl<T> Computed<T> {
    /// The value, if it was asked for.
    ///
    /// ```
    /// assert_eq!(folio::Computed::<u32>::default().get(), None);
    /// ```
    pub fn get(&self) -> Option<&T> {
        self.0.as_ref()
    }

    /// The value itself, if it was asked for.
    ///
    /// ```
    /// assert_eq!(folio::Computed::<u32>::default().into_inner(), None);
    /// ```
    pub fn into_inner(self) -> Option<T> {
        self.0
    }
}

impl<T> Default for Computed<T> {
    /// Nothing was asked for.
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Serialize> Serialize for Computed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Computed<T> {
    /// What is missing, as it is in every document, is an option's nothing: serde asks for no `default` of it.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self)
    }
}
