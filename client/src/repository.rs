//! The documents of one type, for code that is generic over it.

use std::fmt;
use std::marker::PhantomData;

use futures_util::stream::BoxStream;

use crate::{AsId, Condition, Document, Executor, Folio, Page, Result};

/// The documents of a type together with who carries calls out: for services that are written once for many types.
///
/// Each method is one of [`Document`]'s calls, with what it needs in front. What is asked of them besides begins at the
/// type, as everywhere: `T::find(..)`, and takes [`executor`](Repository::executor).
///
/// ```no_run
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use shop::User;
/// use folio::{Document, Executor, Page, Repository};
///
/// async fn list<T: Document>(all: &Repository<T>, after: Option<&str>) -> folio::Result<Page<T>> {
///     all.page((), 50, after).await
/// }
/// async fn copy<T: Document + Clone, E: Executor>(to: &Repository<T, E>, documents: &[T]) -> folio::Result<()> {
///     for document in documents {
///         to.insert(document.clone()).await?;
///     }
///     Ok(())
/// }
///
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// let users = db.repository::<User>();
/// let page = list(&users, None).await?;
/// let tx = db.begin().await?;
/// copy(&Repository::new(&tx), &page.items).await?;
/// tx.commit().await?;
/// # Ok(())
/// # }
/// ```
pub struct Repository<T, E = Folio> {
    db: E,
    model: PhantomData<fn() -> T>,
}

impl Folio {
    /// The documents of a type, for code that is generic over it.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let users = db.repository::<shop::User>();
    /// # Ok(())
    /// # }
    /// ```
    pub fn repository<T: Document>(&self) -> Repository<T> {
        Repository::new(self.clone())
    }
}

impl<T: Document, E: Executor> Repository<T, E> {
    /// The same over any executor, or a reference to one.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// use folio::Repository;
    ///
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let tx = db.begin().await?;
    /// let users = Repository::<User, _>::new(&tx);
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(db: E) -> Self {
        Self { db, model: PhantomData }
    }

    /// Who carries the calls out.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::{Document, Repository};
    /// # use shop::User;
    /// # async fn example(users: Repository<User>) -> folio::Result<()> {
    /// let oldest = User::find(()).order_by(User::age().desc()).first(users.executor()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn executor(&self) -> &E {
        &self.db
    }

    /// The document of an id, or [`Error::NotFound`](crate::Error::NotFound).
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::Country;
    /// # async fn example(countries: folio::Repository<Country>) -> folio::Result<()> {
    /// let iceland = countries.get("IS").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get(&self, id: impl AsId<T::Id>) -> Result<T> {
        T::get(id).one(&self.db).await
    }

    /// The document of an id, if there is one.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::Country;
    /// # async fn example(countries: folio::Repository<Country>) -> folio::Result<()> {
    /// let perhaps: Option<Country> = countries.maybe("XX").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn maybe(&self, id: impl AsId<T::Id>) -> Result<Option<T>> {
        T::get(id).maybe(&self.db).await
    }

    /// Whether there is a document of an id.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::Country;
    /// # async fn example(countries: folio::Repository<Country>) -> folio::Result<()> {
    /// assert!(countries.exists("IS").await?);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn exists(&self, id: impl AsId<T::Id>) -> Result<bool> {
        T::get(id).exists(&self.db).await
    }

    /// The documents of several ids, in their order.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::Country;
    /// # async fn example(countries: folio::Repository<Country>) -> folio::Result<()> {
    /// let found: Vec<Option<Country>> = countries.get_many(["IS", "XX"]).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_many<A: AsId<T::Id>>(
        &self,
        ids: impl IntoIterator<Item = A>,
    ) -> Result<Vec<Option<T>>> {
        T::get_many(ids).load(&self.db).await
    }

    /// All documents that a filter holds of; `()` finds all.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// # async fn example(users: folio::Repository<User>) -> folio::Result<()> {
    /// let adults = users.find(User::age().gte(18)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn find(&self, condition: impl Condition<T>) -> Result<Vec<T>> {
        T::find(condition).all(&self.db).await
    }

    /// So many of them, behind the page that gave the cursor.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// # async fn example(users: folio::Repository<User>) -> folio::Result<()> {
    /// let first = users.page((), 50, None).await?;
    /// let second = users.page((), 50, first.cursor.as_deref()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn page(
        &self,
        condition: impl Condition<T>,
        rows: u64,
        after: Option<&str>,
    ) -> Result<Page<T>> {
        let find = T::find(condition).page(rows);
        match after {
            Some(cursor) => find.after(cursor).load(&self.db).await,
            None => find.load(&self.db).await,
        }
    }

    /// One by one, however many they are.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// use futures_util::TryStreamExt;
    ///
    /// # async fn example(users: folio::Repository<User>) -> folio::Result<()> {
    /// let mut adults = users.stream(User::age().gte(18));
    /// while let Some(user) = adults.try_next().await? {
    ///     println!("{}", user.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn stream(&self, condition: impl Condition<T>) -> BoxStream<'_, Result<T>> {
        T::find(condition).stream(&self.db)
    }

    /// How many there are.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// # async fn example(users: folio::Repository<User>) -> folio::Result<()> {
    /// let adults: u64 = users.count(User::age().gte(18)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn count(&self, condition: impl Condition<T>) -> Result<u64> {
        T::find(condition).count(&self.db).await
    }

    /// Creates a document: [`Document::insert`].
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::Country;
    /// # async fn example(countries: folio::Repository<Country>) -> folio::Result<()> {
    /// let iceland = countries.insert(Country { code: "IS".into(), name: "Iceland".into() }).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn insert(&self, document: T) -> Result<T> {
        document.insert(&self.db).await
    }

    /// Puts a document in place of the one that is there: [`Document::replace`].
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::Country;
    /// # async fn example(countries: folio::Repository<Country>, country: Country) -> folio::Result<()> {
    /// let country = countries.replace(country).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn replace(&self, document: T) -> Result<T> {
        document.replace(&self.db).await
    }

    /// Writes a document, whether or not it is there: [`Document::save`].
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::Country;
    /// # async fn example(countries: folio::Repository<Country>, mut country: Country) -> folio::Result<()> {
    /// countries.save(&mut country).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn save(&self, document: &mut T) -> Result<()> {
        document.save(&self.db).await
    }

    /// Removes a document: [`Document::delete`].
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::Country;
    /// # async fn example(countries: folio::Repository<Country>, country: Country) -> folio::Result<()> {
    /// let was_there = countries.delete(&country).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete(&self, document: &T) -> Result<bool> {
        document.delete(&self.db).await
    }
}

impl<T, E: Clone> Clone for Repository<T, E> {
    fn clone(&self) -> Self {
        Self { db: self.db.clone(), model: PhantomData }
    }
}

impl<T: Document, E> fmt::Debug for Repository<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let collection = T::DEFINITION.collection;
        f.debug_struct("Repository").field("collection", &collection).finish_non_exhaustive()
    }
}
