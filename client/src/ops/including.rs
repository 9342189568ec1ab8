//! Documents with what they refer to.

use std::fmt;

use super::{Find, Get, Shape, Whole};
use crate::reference::{Includes, include};
use crate::{Document, Error, Executor, Includable, Result};

/// The whole document, with documents that it refers to.
///
/// ```
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::Document;
/// # use shop::Post;
/// let query: folio::Find<Post, folio::Including<Post>> = Post::find(()).include(Post::author());
/// ```
pub struct Including<T> {
    whole: Whole<T>,
    includes: Includes,
}

impl<T: Document> Including<T> {
    fn new(what: &impl Includable<T>) -> Self {
        let (whole, includes) = (Whole::new(), Includes::default());
        Self { whole, includes }.and(what)
    }

    fn and(mut self, what: &impl Includable<T>) -> Self {
        what.add_to(&mut self.includes);
        self
    }
}

impl<T: Document> Shape<T> for Including<T> {
    type Row = T;

    fn paths(&self) -> Option<Vec<String>> {
        self.whole.paths()
    }

    fn wants_version(&self) -> bool {
        self.whole.wants_version()
    }

    fn decode(&self, key: &str, id: &str, text: &[u8], version: Option<u64>) -> Result<T> {
        self.whole.decode(key, id, text, version)
    }

    async fn complete(&self, rows: &mut [T], db: &impl Executor) -> Result<()> {
        include(rows, &self.includes, db).await
    }
}

impl<T> fmt::Debug for Including<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.includes.fmt(f)
    }
}

impl<T: Document> Find<T, Whole<T>> {
    /// Reads along what the documents refer to: by one command for each reference named, and each reference behind it,
    /// whatever the number of rows (of a [`stream`](Find::stream) for each page). Where a document is not there,
    /// [`Ref::is_missing`](crate::Ref::is_missing) tells.
    ///
    /// A circle (user, manager, manager, ..) is followed as far as it is named, and no further.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Post;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let posts = Post::find(()).include((Post::author().team(), Post::readers())).all(&db).await?;
    /// let team = posts[0].author.get().and_then(|author| author.team.get());
    /// # Ok(())
    /// # }
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "include(Post::author()) reads better")]
    pub fn include(self, what: impl Includable<T>) -> Find<T, Including<T>> {
        Find { query: self.query, shape: Including::new(&what) }
    }
}

impl<T: Document> Find<T, Including<T>> {
    /// Reads along this, too.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Post;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let posts = Post::find(()).include(Post::author()).include(Post::editor()).all(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "include(Post::author()) reads better")]
    pub fn include(self, what: impl Includable<T>) -> Self {
        Self { shape: self.shape.and(&what), ..self }
    }
}

/// A call for one document with what it refers to; [`Get::include`] begins it.
///
/// ```no_run
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::Document;
/// # use shop::Post;
/// # async fn example(db: folio::Folio, id: folio::Id<Post>) -> folio::Result<()> {
/// let post = Post::get(id).include(Post::author()).one(&db).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a call does nothing until it is awaited"]
pub struct GetIncluding<T> {
    get: Get<T>,
    including: Including<T>,
}

impl<T: Document> Get<T> {
    /// Reads along what the document refers to, as [`Find::include`] does.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Post;
    /// # async fn example(db: folio::Folio, id: folio::Id<Post>) -> folio::Result<()> {
    /// let post = Post::get(id).include(Post::author().team()).one(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "include(Post::author()) reads better")]
    pub fn include(self, what: impl Includable<T>) -> GetIncluding<T> {
        GetIncluding { get: self, including: Including::new(&what) }
    }
}

impl<T: Document> GetIncluding<T> {
    /// Reads along this, too.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Post;
    /// # async fn example(db: folio::Folio, id: folio::Id<Post>) -> folio::Result<()> {
    /// let post = Post::get(id).include(Post::author()).include(Post::readers()).one(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "include(Post::author()) reads better")]
    pub fn include(self, what: impl Includable<T>) -> Self {
        Self { including: self.including.and(&what), ..self }
    }

    /// The document. Fails with [`Error::NotFound`] if there is none.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Post;
    /// # async fn example(db: folio::Folio, id: folio::Id<Post>) -> folio::Result<()> {
    /// let post = Post::get(id).include(Post::author()).one(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn one(self, db: &impl Executor) -> Result<T> {
        let mut document = self.get.one(db).await?;
        self.including.complete(std::slice::from_mut(&mut document), db).await?;
        Ok(document)
    }

    /// The document, if there is one.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Post;
    /// # async fn example(db: folio::Folio, id: folio::Id<Post>) -> folio::Result<()> {
    /// let perhaps = Post::get(id).include(Post::author()).maybe(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn maybe(self, db: &impl Executor) -> Result<Option<T>> {
        match self.one(db).await {
            Ok(document) => Ok(Some(document)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
