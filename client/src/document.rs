//! What documents, their parts and their views are.

use std::future::Future;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::define::{Definition, FieldDefinition};
use crate::ops::{Aggregate, Claim, Delete, Find, Get, GetMany, InsertMany, Put, Upsert, Whole};
use crate::reference::Visit;
use crate::watch::Watch;
use crate::{
    Accessor, AsId, Check, Condition, DocumentId, Executor, Field, FieldPath, FieldRef, Filter,
    Result,
};

/// A type whose values are documents of a collection. `#[derive(Document)]` implements it.
///
/// What begins with the type (`User::get`, `User::find`) only builds a call; what is awaited meets the database, which
/// is the argument of the last call.
///
/// ```no_run
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use shop::User;
/// use folio::Document;
///
/// # async fn example(db: folio::Folio, id: folio::Id<User>) -> folio::Result<()> {
/// let user = User::get(id).one(&db).await?;
/// let adults = User::find(User::age().gte(18)).all(&db).await?;
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no document",
    note = "derive `folio::Document`, with `#[folio(collection = \"..\")]` and an id; parts of documents derive `folio::Embed`"
)]
pub trait Document: Serialize + DeserializeOwned + Send + Sync + Sized + 'static {
    /// What its ids are.
    type Id: DocumentId;
    /// What leads to its fields.
    type Fields: Accessor;
    /// The same from elsewhere: behind a reference.
    #[doc(hidden)]
    type FieldsIn<M>: Accessor;
    /// What its collection is declared to be.
    const DEFINITION: Definition;
    /// What serde calls the id.
    const ID_NAME: &'static str;
    /// What serde calls the version, if there is one.
    const VERSION_NAME: Option<&'static str> = None;
    /// What serde calls the fields that functions compute.
    #[doc(hidden)]
    const COMPUTED_NAMES: &'static [&'static str] = &[];
    /// Of a type with such fields: the paths of all of its fields, and what serde calls each.
    #[doc(hidden)]
    const MEMBERS: &'static [(&'static str, &'static str)] = &[];

    /// The id.
    fn document_id(&self) -> &Self::Id;

    /// Gives it an id.
    fn set_document_id(&mut self, id: Self::Id);

    /// The version that it was read or written with; 0 if it has none, or was not stored yet.
    fn document_version(&self) -> u64 {
        0
    }

    /// Gives it a version.
    fn set_document_version(&mut self, version: u64) {
        let _ = version;
    }

    /// Empties the fields that functions compute.
    #[doc(hidden)]
    fn forget_computed(&mut self) {}

    /// Notes what breaks the rules of the type.
    fn check(&self, at: &mut Check);

    /// Shows the references at a path; `false` if none can be there.
    #[doc(hidden)]
    fn refer<V: Visit>(&mut self, path: &str, visit: &mut V) -> bool {
        let _ = (path, visit);
        false
    }

    /// Runs before the document is checked and written as a whole: `#[folio(before_save = path)]`.
    fn before_save(&mut self) -> Result<()> {
        Ok(())
    }

    /// Runs when the document has been read as a whole: `#[folio(after_load = path)]`.
    fn after_load(&mut self) {}

    /// Looks whether the document keeps the rules of its type: `validate(..)`. Every write of a whole document does so
    /// by itself. Fails with [`Error::Validation`](crate::Error::Validation), which has all that is wrong.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::Country;
    /// use folio::Document;
    ///
    /// assert!(Country { code: "IS".into(), name: "Iceland".into() }.validate().is_ok());
    /// ```
    fn validate(&self) -> Result<()> {
        let mut check = Check::new();
        self.check(&mut check);
        check.finish()
    }

    /// Begins a call for the document of an id.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Country;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let iceland = Country::get("IS").one(&db).await?;
    /// let perhaps = Country::get("XX").maybe(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    fn get(id: impl AsId<Self::Id>) -> Get<Self> {
        Get::new(id.id_text())
    }

    /// Begins a call for the documents of several ids.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Country;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let found: Vec<Option<Country>> = Country::get_many(["IS", "XX"]).load(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    fn get_many<A: AsId<Self::Id>>(ids: impl IntoIterator<Item = A>) -> GetMany<Self> {
        GetMany::new(ids.into_iter().map(|id| id.id_text()).collect())
    }

    /// Begins a query for the documents that a filter holds of; `()` asks for all.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let users = User::find(User::tags().contains("vip")).order_by(User::age().desc()).all(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    fn find(condition: impl Condition<Self>) -> Find<Self, Whole<Self>> {
        Find::new(condition.into_filter())
    }

    /// Begins a query whose filter a closure makes of the fields.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let users = User::find_by(|user| user.address().city().eq("Paris")).all(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    fn find_by(filter: impl FnOnce(Self::Fields) -> Filter<Self>) -> Find<Self, Whole<Self>> {
        Find::new(Some(filter(Accessor::at(FieldPath::root()))))
    }

    /// Begins an aggregate over the documents that a filter holds of; `()` is over all.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::{Document, count};
    /// # use shop::User;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let rows = User::aggregate(User::active().is_true())
    ///     .group_by(User::address().city())
    ///     .agg((count(), User::age().avg()))
    ///     .all(&db)
    ///     .await?;
    /// for (city, (users, age)) in rows {
    ///     println!("{city}: {users} of {age:?} years");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    fn aggregate(condition: impl Condition<Self>) -> Aggregate<Self> {
        Aggregate::new(condition.into_filter())
    }

    /// Begins an upsert by a field that is unique.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let user = User::upsert_by(User::email().is("a@b.org"))
    ///     .set(User::name().set("Ada"))
    ///     .inc(User::visits())
    ///     .run(&db)
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    fn upsert_by(value: crate::ops::Is<Self>) -> Upsert<Self> {
        Upsert::new(value)
    }

    /// Begins a claim: documents are found, changed and given in one step, so that no two clients get the same one.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::{Job, State};
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let jobs = Job::claim(Job::state().eq(State::Waiting))
    ///     .limit(10)
    ///     .update(Job::state().set(State::Running))
    ///     .run(&db)
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    fn claim(filter: Filter<Self>) -> Claim<Self> {
        Claim::new(filter)
    }

    /// Begins to follow the changes of the documents that a filter holds of, in a collection that is declared with
    /// `changes`; `()` is all. A document that comes to fit is [`Enter`](crate::watch::Change::Enter), one that does not
    /// any more [`Leave`](crate::watch::Change::Leave). docs/client-connections.md tells what is promised.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio, token: folio::watch::Token) -> folio::Result<()> {
    /// let mut changes = User::watch(User::tenant().eq("acme")).resume_after(token).open(&db).await?;
    /// let first = changes.next().await?;
    /// # Ok(())
    /// # }
    /// ```
    fn watch(condition: impl Condition<Self>) -> Watch<Self> {
        Watch::documents(condition.into_filter())
    }

    /// Begins the creation of many documents.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Country;
    /// # async fn example(db: folio::Folio, countries: Vec<Country>) -> folio::Result<()> {
    /// let report = Country::insert_many(countries).chunk(500).run(&db).await?;
    /// println!("{} written, {} refused", report.written(), report.errors.len());
    /// # Ok(())
    /// # }
    /// ```
    fn insert_many(documents: impl IntoIterator<Item = Self>) -> InsertMany<Self> {
        InsertMany::new(documents.into_iter().collect())
    }

    /// The creation of this document, not yet carried out: it can be given a TTL, and be part of a transaction.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Country;
    /// # async fn example(db: folio::Folio, country: Country) -> folio::Result<()> {
    /// let hour = std::time::Duration::from_secs(3_600);
    /// let stored = country.insert_op().expire_in(hour).run(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    fn insert_op(self) -> Put<Self> {
        Put::insert(self)
    }

    /// The replacement of this document, not yet carried out.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Country;
    /// # async fn example(db: folio::Folio, country: Country) -> folio::Result<()> {
    /// let stored = country.replace_op().keep_ttl().run(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    fn replace_op(self) -> Put<Self> {
        Put::replace(self)
    }

    /// The writing of this document, whether or not it is there, not yet carried out.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Country;
    /// # async fn example(db: folio::Folio, country: Country) -> folio::Result<()> {
    /// let stored = country.save_op().keep_ttl().run(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    fn save_op(self) -> Put<Self> {
        Put::save(self)
    }

    /// Creates the document, and gives it with its id and version. Fails with
    /// [`AlreadyExists`](crate::Error::AlreadyExists) where one stands under the id, and with
    /// [`UniqueViolation`](crate::Error::UniqueViolation) where another holds one of its unique values.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Country;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let iceland = Country { code: "IS".into(), name: "Iceland".into() }.insert(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    fn insert(self, db: &impl Executor) -> impl Future<Output = Result<Self>> + Send {
        async move { Put::insert(self).run(db).await }
    }

    /// Puts the document in place of the one that is there. Fails with [`NotFound`](crate::Error::NotFound) where none
    /// is, and, of a type with a version, with [`VersionConflict`](crate::Error::VersionConflict) where it has changed.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Country;
    /// # async fn example(db: folio::Folio, mut country: Country) -> folio::Result<()> {
    /// country.name = "Ísland".into();
    /// let country = country.replace(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    fn replace(self, db: &impl Executor) -> impl Future<Output = Result<Self>> + Send {
        async move { Put::replace(self).run(db).await }
    }

    /// Writes the document, whether or not it is there. Of a type with a version it has to have the version that it was
    /// read with, 0 if it is new; else [`VersionConflict`](crate::Error::VersionConflict). Its version is the new one
    /// afterwards.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio, id: folio::Id<User>) -> folio::Result<()> {
    /// let mut user = User::get(id).one(&db).await?;
    /// user.age += 1;
    /// user.save(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    fn save(&mut self, db: &impl Executor) -> impl Future<Output = Result<()>> + Send {
        async move { crate::ops::save(self, db).await }
    }

    /// Removes the document; `false` if there was none. Of a type with a version it has to have the version that it was
    /// read with; else [`VersionConflict`](crate::Error::VersionConflict).
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio, user: User) -> folio::Result<()> {
    /// let was_there = user.delete(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    fn delete(&self, db: &impl Executor) -> impl Future<Output = Result<bool>> + Send {
        let delete = Delete::<Self>::new(self.document_id().to_text().into_owned());
        let delete = match Self::VERSION_NAME {
            Some(_) => delete.expecting(self.document_version()),
            None => delete,
        };
        async move { delete.run(db).await }
    }
}

/// A struct within documents. `#[derive(Embed)]` implements it; of an enum the derive implements
/// [`FieldType`](crate::FieldType) alone.
///
/// ```
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// use folio::Embed;
///
/// assert_eq!(shop::Address::FIELDS.len(), 2);
/// ```
pub trait Embed {
    /// Its fields.
    const FIELDS: &'static [FieldDefinition];
}

/// A view of some fields of a document. `#[derive(Projection)]` implements it, and holds each field's type to the
/// document's.
///
/// ```no_run
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::Document;
/// # use shop::{Card, User};
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// let cards: Vec<Card> = User::find(()).select::<Card>().all(&db).await?;
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no projection",
    note = "derive `folio::Projection` with `#[folio(from = ..)]`"
)]
pub trait Projection: DeserializeOwned + Send + 'static {
    /// Whose fields they are.
    type Of: Document;
    /// The paths, and what serde calls the fields.
    const FIELDS: &'static [ViewField];
    /// What serde calls the id, if it is asked for.
    const ID_NAME: Option<&'static str>;
    /// What serde calls the version, if it is asked for.
    const VERSION_NAME: Option<&'static str>;
}

/// Where a field of a projection stands in the document, and what serde calls it in the projection.
pub type ViewField = (fn() -> FieldPath, &'static str);

/// Holds a field to a type; the derive of projections calls it.
#[doc(hidden)]
pub fn same_type<M, T, F: FieldRef<M, Type = T>>(field: &F) {
    let _ = field;
}

/// Where a field stands; the derive of projections calls it.
#[doc(hidden)]
pub fn path_of<M, F: FieldRef<M>>(field: &F) -> FieldPath {
    let field: &Field<M, F::Type> = field.field();
    field.path().clone()
}
