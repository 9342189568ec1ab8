//! Documents by their ids.

use std::collections::HashSet;
use std::marker::PhantomData;
use std::time::Duration;

use super::place::{Place, read_with_version};
use super::update::{Conditional, Update};
use super::{Delete, FunctionCall, Modify, Shape, Tracked};
use crate::codec::decode;
use crate::ops::shape::{Complete, Projected};
use crate::{
    Arguments, Changes, Command, Document, Error, Executor, Filter, Projection, Reply, Result,
};

/// A call for one document, by its id; [`Document::get`] begins it.
///
/// ```no_run
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::Document;
/// # use shop::User;
/// # async fn example(db: folio::Folio, id: folio::Id<User>) -> folio::Result<()> {
/// let user = User::get(id).one(&db).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a call does nothing until it is awaited"]
pub struct Get<T> {
    id: String,
    with_deleted: bool,
    model: PhantomData<fn() -> T>,
}

impl<T> Clone for Get<T> {
    fn clone(&self) -> Self {
        Self { id: self.id.clone(), with_deleted: self.with_deleted, model: PhantomData }
    }
}

impl<T: Document> Get<T> {
    pub(crate) fn new(id: String) -> Self {
        Self { id, with_deleted: false, model: PhantomData }
    }

    /// Reads a document that is marked as deleted, too.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Country;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let perhaps = Country::get("DD").with_deleted().maybe(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_deleted(self) -> Self {
        Self { with_deleted: true, ..self }
    }

    /// The document. Fails with [`Error::NotFound`] if there is none.
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
    pub async fn one(self, db: &impl Executor) -> Result<T> {
        let key = Place::of::<T>(db).key(&self.id);
        self.maybe(db).await?.ok_or_else(|| Error::NotFound { key: key.into() })
    }

    /// The document, if there is one.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Country;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// if let Some(country) = Country::get("XX").maybe(&db).await? {
    ///     println!("{}", country.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn maybe(self, db: &impl Executor) -> Result<Option<T>> {
        if T::VERSION_NAME.is_some() {
            return Ok(self.versioned(db).await?.map(|(document, _)| document));
        }
        let key = Place::of::<T>(db).key(&self.id);
        let mut command = Command::read("DOC.GET").key(&key);
        if self.with_deleted {
            command.push("WITHDELETED");
        }
        let text = db.execute(command).await?.bytes()?;
        text.map(|text| decode(&key, &self.id, &text, 0)).transpose()
    }

    /// The document with its version, whether or not the type has one.
    pub(crate) async fn versioned(&self, db: &impl Executor) -> Result<Option<(T, u64)>> {
        let key = Place::of::<T>(db).key(&self.id);
        let reply = db.execute(read_with_version(&key, self.with_deleted)).await?;
        let Some((text, version)) = reply.versioned()? else { return Ok(None) };
        Ok(Some((decode(&key, &self.id, &text, version)?, version)))
    }

    /// Whether the document is there.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Country;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// assert!(Country::get("IS").exists(&db).await?);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn exists(self, db: &impl Executor) -> Result<bool> {
        let key = Place::of::<T>(db).key(&self.id);
        let mut command = Command::read("DOC.META").key(&key);
        if self.with_deleted {
            command.push("WITHDELETED");
        }
        Ok(!db.execute(command).await?.is_nil())
    }

    /// Some fields of the document. Fails with [`Error::NotFound`] if there is none.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::{Card, User};
    /// # async fn example(db: folio::Folio, id: folio::Id<User>) -> folio::Result<()> {
    /// let card: Card = User::get(id).select(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn select<P: Projection<Of = T>>(self, db: &impl Executor) -> Result<P> {
        self.shaped(&Projected::<P>::new(), db).await
    }

    /// The document with what functions compute of it: the fields of type [`Computed`](crate::Computed) are filled. Fails
    /// with [`Error::NotFound`] if there is none.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Article;
    /// # async fn example(db: folio::Folio, id: folio::Id<Article>) -> folio::Result<()> {
    /// let article = Article::get(id).with_computed(&db).await?;
    /// println!("{:?}", article.slug.get());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn with_computed(self, db: &impl Executor) -> Result<T> {
        if T::MEMBERS.is_empty() {
            return self.one(db).await;
        }
        self.shaped(&Complete::<T>::new(), db).await
    }

    async fn shaped<S: Shape<T>>(self, shape: &S, db: &impl Executor) -> Result<S::Row> {
        let place = Place::of::<T>(db);
        let key = place.key(&self.id);
        let mut get = Command::read("DOC.MGET").key(&key).arg("PATHS");
        let paths = shape.paths().unwrap_or_default();
        // One path alone would be answered with its value and not with an object.
        get.push(paths.len() + 1);
        for path in &paths {
            get.push(path.as_str());
        }
        get.push(("`-`", "WITHVERSION"));
        if self.with_deleted {
            get.push("WITHDELETED");
        }
        let found = db.execute(get).await?.list()?.into_iter().next();
        let found = found.map(Reply::versioned).transpose()?.flatten();
        let Some((text, version)) = found else { return Err(Error::NotFound { key: key.into() }) };
        shape.decode(&key, place.id(&key), &text, Some(version))
    }

    /// Begins a call of a function on the server with this document and these arguments: a tuple, `()` or a list.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Article;
    /// # async fn example(db: folio::Folio, id: folio::Id<Article>) -> folio::Result<()> {
    /// let left: u32 = Article::get(id).call("stock.take", (2,)).reply(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn call(self, function: &str, arguments: impl Arguments) -> FunctionCall<T> {
        FunctionCall::new(self.id, function, &arguments)
    }

    /// The document, remembered as it was read, so that [`Tracked::save`] writes only what has changed.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio, id: folio::Id<User>) -> folio::Result<()> {
    /// let mut user = User::get(id).tracked(&db).await?;
    /// user.address.city = "Lyon".into();
    /// user.save(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn tracked(self, db: &impl Executor) -> Result<Tracked<T>> {
        let key = Place::of::<T>(db).key(&self.id);
        match self.versioned(db).await? {
            Some((document, version)) => Tracked::new(self.id, document, version),
            None => Err(Error::NotFound { key: key.into() }),
        }
    }

    /// Reads, lets a closure change the document, and writes what it has changed; if somebody else was faster, all of
    /// it again.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio, id: folio::Id<User>) -> folio::Result<()> {
    /// let user = User::get(id)
    ///     .modify(&db, |user| {
    ///         user.age += 1;
    ///         Ok(())
    ///     })
    ///     .retries(5)
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn modify<E, F>(self, db: &E, change: F) -> Modify<'_, T, E, F>
    where
        E: Executor,
        F: FnMut(&mut T) -> Result<()> + Send,
    {
        Modify::new(self, db, change)
    }

    /// Begins an update of the document.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio, id: folio::Id<User>) -> folio::Result<()> {
    /// let version = User::get(id).update(User::visits().inc(1)).run(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn update(self, changes: impl Changes<T>) -> Update<T> {
        Update::new(self.id, changes.into_changes())
    }

    /// What follows is done only if a filter holds of the document.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio, id: folio::Id<User>) -> folio::Result<()> {
    /// let paid = User::get(id)
    ///     .when(User::balance().gte(100))
    ///     .update(User::balance().inc(-100))
    ///     .returning_new(&db)
    ///     .await?;
    /// assert!(paid.is_some(), "there was not enough");
    /// # Ok(())
    /// # }
    /// ```
    pub fn when(self, condition: Filter<T>) -> Conditional<T> {
        Conditional::new(self.id, condition)
    }

    /// Removes the document; `false` if there was none.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Country;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let was_there = Country::get("DD").delete(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete(self, db: &impl Executor) -> Result<bool> {
        self.deletion().run(db).await
    }

    /// The removal of the document, not yet carried out.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Country;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let was_there = Country::get("DD").deletion().if_version(7).run(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn deletion(self) -> Delete<T> {
        let delete = Delete::new(self.id);
        if self.with_deleted { delete.with_deleted() } else { delete }
    }

    /// Marks the document as deleted: it is absent to all that does not ask `with_deleted()`, and its unique values are
    /// free, until [`undelete`](Get::undelete). `false` if there was none.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Country;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// Country::get("DD").delete_soft(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete_soft(self, db: &impl Executor) -> Result<bool> {
        Delete::<T>::new(self.id).soft(None).run(db).await
    }

    /// Marks the document as deleted, and has the server remove it for good after this time.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Country;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let month = std::time::Duration::from_secs(30 * 86_400);
    /// Country::get("DD").delete_soft_for(month, &db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete_soft_for(self, time: Duration, db: &impl Executor) -> Result<bool> {
        Delete::<T>::new(self.id).soft(Some(time)).run(db).await
    }

    /// Brings the document back that was marked as deleted, without a TTL; `false` if there was none.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Country;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// Country::get("DD").undelete(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn undelete(self, db: &impl Executor) -> Result<bool> {
        let key = Place::of::<T>(db).key(&self.id);
        let brought: u64 = db.execute(Command::write("DOC.UNDELETE").key(&key)).await?.to()?;
        Ok(brought > 0)
    }
}

/// A call for several documents, by their ids; [`Document::get_many`] begins it.
///
/// ```no_run
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::Document;
/// # use shop::Country;
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// let found = Country::get_many(["IS", "NO"]).load(&db).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a call does nothing until it is awaited"]
pub struct GetMany<T> {
    ids: Vec<String>,
    model: PhantomData<fn() -> T>,
}

impl<T: Document> GetMany<T> {
    pub(crate) fn new(ids: Vec<String>) -> Self {
        Self { ids, model: PhantomData }
    }

    /// The documents in the order of the ids, `None` where there is none.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Country;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let found = Country::get_many(["IS", "XX"]).load(&db).await?;
    /// assert!(found[1].is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn load(self, db: &impl Executor) -> Result<Vec<Option<T>>> {
        if self.ids.is_empty() {
            return Ok(Vec::new());
        }
        let place = Place::of::<T>(db);
        let keys: Vec<String> = self.ids.iter().map(|id| place.key(id)).collect();
        let mut get = Command::read("DOC.MGET");
        for key in &keys {
            get.push_key(key);
        }
        get.push("WITHVERSION");
        let texts = db.execute(get).await?.list()?;
        let mut found = Vec::with_capacity(texts.len());
        for ((id, key), text) in self.ids.iter().zip(&keys).zip(texts) {
            let text = text.versioned()?;
            found.push(text.map(|(text, version)| decode(key, id, &text, version)).transpose()?);
        }
        Ok(found)
    }

    /// Removes the documents; gives how many there were. All or none.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Country;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// assert_eq!(Country::get_many(["DD", "SU"]).delete(&db).await?, 2);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete(self, db: &impl Executor) -> Result<u64> {
        let ids: HashSet<&String> = self.ids.iter().collect();
        if ids.is_empty() {
            return Ok(0);
        }
        let place = Place::of::<T>(db);
        let mut command = Command::write("DOC.DEL");
        for id in ids {
            command.push_key(&place.key(id));
        }
        db.execute(command).await?.to()
    }
}
