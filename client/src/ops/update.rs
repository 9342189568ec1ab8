//! Changing one document where it stands.

use std::marker::PhantomData;

use super::place::{Place, explained};
use crate::change::{self, Change};
use crate::codec::decode;
use crate::command::Repeat;
use crate::{Changes, Command, Document, Error, Executor, Filter, Operation, Result};

/// An update of one document, not yet carried out; [`Get::update`](super::Get::update) begins it.
///
/// ```no_run
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::Document;
/// # use shop::User;
/// # async fn example(db: folio::Folio, id: folio::Id<User>) -> folio::Result<()> {
/// let user = User::get(id).update(User::visits().inc(1)).returning_new(&db).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "an update does nothing until it is run"]
pub struct Update<T> {
    id: String,
    changes: Vec<Change<T>>,
    version: Option<u64>,
    condition: Option<Filter<T>>,
    upsert: bool,
}

/// An update of a document on which a filter has to hold; [`Conditional::update`] begins it.
///
/// ```no_run
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::Document;
/// # use shop::User;
/// # async fn example(db: folio::Folio, id: folio::Id<User>) -> folio::Result<()> {
/// let version: Option<u64> =
///     User::get(id).when(User::age().lt(18)).update(User::tags().add("minor")).run(&db).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "an update does nothing until it is run"]
pub struct ConditionalUpdate<T>(Update<T>);

/// A document on which a filter has to hold; [`Get::when`](super::Get::when) begins it.
///
/// ```no_run
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::Document;
/// # use shop::User;
/// # async fn example(db: folio::Folio, id: folio::Id<User>) -> folio::Result<()> {
/// let rich = User::get(id).when(User::balance().gte(1_000));
/// rich.update(User::tags().add("vip")).run(&db).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a condition does nothing by itself"]
pub struct Conditional<T> {
    id: String,
    condition: Filter<T>,
    model: PhantomData<fn() -> T>,
}

impl<T: Document> Conditional<T> {
    pub(crate) fn new(id: String, condition: Filter<T>) -> Self {
        Self { id, condition, model: PhantomData }
    }

    /// Begins an update that is done if the filter holds. Of no document it holds.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio, id: folio::Id<User>) -> folio::Result<()> {
    /// let adult = User::get(id).when(User::age().gte(18));
    /// let done = adult.update(User::active().set(true)).run(&db).await?.is_some();
    /// # Ok(())
    /// # }
    /// ```
    pub fn update(self, changes: impl Changes<T>) -> ConditionalUpdate<T> {
        let mut update = Update::new(self.id, changes.into_changes());
        update.condition = Some(self.condition);
        ConditionalUpdate(update)
    }
}

impl<T> std::fmt::Debug for Update<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Update")
            .field("id", &self.id)
            .field("changes", &self.changes)
            .finish_non_exhaustive()
    }
}

impl<T> std::fmt::Debug for ConditionalUpdate<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ConditionalUpdate").field(&self.0).finish()
    }
}

/// Which text comes back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Return {
    Version,
    New,
    Old,
}

impl<T: Document> Update<T> {
    pub(crate) fn new(id: String, changes: Vec<Change<T>>) -> Self {
        Self { id, changes, version: None, condition: None, upsert: false }
    }

    /// Only the document of this version; else [`Error::VersionConflict`]. 0: the document has to be absent, which
    /// goes with [`upsert`](Update::upsert).
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio, user: User) -> folio::Result<()> {
    /// let update = User::get(&user.id).update(User::visits().inc(1)).if_version(user.version);
    /// let version = update.run(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn if_version(self, version: u64) -> Self {
        Self { version: Some(version), ..self }
    }

    /// Where there is no document, an empty one is changed; the server judges it as a whole.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Country;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// Country::get("IS").update(Country::name().set("Iceland")).upsert().run(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn upsert(self) -> Self {
        Self { upsert: true, ..self }
    }

    /// Carries it out and gives the document's version. Fails with [`Error::NotFound`] if there is none.
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
    pub async fn run(self, db: &impl Executor) -> Result<u64> {
        let key = Place::of::<T>(db).key(&self.id);
        let reply = db.execute(self.build(&key, Return::Version)?).await;
        reply.map_err(|error| explained::<T>(error, None))?.to()
    }

    /// Carries it out and gives the document as it is afterwards.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio, id: folio::Id<User>) -> folio::Result<()> {
    /// let user = User::get(id).update(User::visits().inc(1)).returning_new(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn returning_new(self, db: &impl Executor) -> Result<T> {
        let key = Place::of::<T>(db).key(&self.id);
        let found = self.returning(Return::New, db).await?;
        found.ok_or_else(|| Error::NotFound { key: key.into() })
    }

    /// Carries it out and gives the document as it was before; `None` if it is born by an
    /// [`upsert`](Update::upsert). Its version is 0, with which nothing that is there is written over.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio, id: folio::Id<User>) -> folio::Result<()> {
    /// let before = User::get(id).update(User::visits().inc(1)).returning_old(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn returning_old(self, db: &impl Executor) -> Result<Option<T>> {
        self.returning(Return::Old, db).await
    }

    fn build(&self, key: &str, returning: Return) -> Result<Command> {
        let mut command = Command::write("DOC.UPDATE").key(key);
        if self.upsert {
            command.push("UPSERT");
        }
        if let Some(version) = self.version {
            command = command.arg(("IFVERSION", version)).repeat(Repeat::Guarded);
        }
        if let Some(condition) = &self.condition {
            command = command.arg("IF").arg(condition.to_bytes()?);
        }
        change::add(&mut command, &self.changes)?;
        match returning {
            Return::Version => {}
            Return::New => command.push(("RETURN", "NEW")),
            Return::Old => command.push(("RETURN", "OLD")),
        }
        Ok(command)
    }

    async fn returning(self, which: Return, db: &impl Executor) -> Result<Option<T>> {
        let key = Place::of::<T>(db).key(&self.id);
        let reply = db.execute(self.build(&key, which)?.arg("WITHVERSION")).await;
        let found = reply.map_err(|error| explained::<T>(error, None))?.versioned()?;
        // What stood there before has no version that a write could expect.
        let version_of = |version| if which == Return::New { version } else { 0 };
        found.map(|(text, version)| decode(&key, &self.id, &text, version_of(version))).transpose()
    }
}

impl<T: Document> ConditionalUpdate<T> {
    /// Only the document of this version, too; else [`Error::VersionConflict`].
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio, user: User) -> folio::Result<()> {
    /// let rich = User::get(&user.id).when(User::balance().gte(100));
    /// let done = rich.update(User::balance().inc(-100)).if_version(user.version).run(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn if_version(self, version: u64) -> Self {
        Self(self.0.if_version(version))
    }

    /// Carries it out and gives the document's version; `None` if the filter does not hold, or there is no document.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio, id: folio::Id<User>) -> folio::Result<()> {
    /// let rich = User::get(id).when(User::balance().gte(100));
    /// let version = rich.update(User::balance().inc(-100)).run(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn run(self, db: &impl Executor) -> Result<Option<u64>> {
        let key = Place::of::<T>(db).key(&self.0.id);
        let reply = db.execute(self.0.build(&key, Return::Version)?).await;
        reply.map_err(|error| explained::<T>(error, None))?.to()
    }

    /// Carries it out and gives the document as it is afterwards; `None` if the filter does not hold.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio, id: folio::Id<User>) -> folio::Result<()> {
    /// let rich = User::get(id).when(User::balance().gte(100));
    /// let user: Option<User> = rich.update(User::balance().inc(-100)).returning_new(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn returning_new(self, db: &impl Executor) -> Result<Option<T>> {
        self.0.returning(Return::New, db).await
    }

    /// Carries it out and gives the document as it was before; `None` if the filter does not hold.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio, id: folio::Id<User>) -> folio::Result<()> {
    /// let rich = User::get(id).when(User::balance().gte(100));
    /// let user: Option<User> = rich.update(User::balance().inc(-100)).returning_old(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn returning_old(self, db: &impl Executor) -> Result<Option<T>> {
        self.0.returning(Return::Old, db).await
    }
}

impl<T: Document> Operation for Update<T> {
    fn command<E: Executor>(self, on: &E) -> Result<Command> {
        let key = Place::of::<T>(on).key(&self.id);
        self.build(&key, Return::Version)
    }
}

impl<T: Document> Operation for ConditionalUpdate<T> {
    fn command<E: Executor>(self, on: &E) -> Result<Command> {
        Operation::command(self.0, on)
    }
}
