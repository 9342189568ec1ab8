//! Changing the document that holds a unique value, or creating it.

use std::marker::PhantomData;

use super::{Claim, Update};
use crate::change::Change;
use crate::field::Comparable;
use crate::{
    Changes, Document, DocumentId, Error, Executor, Field, Filter, Id, Numeric, Result, Value,
};

/// How often a document is looked for again that others create and remove meanwhile.
const TRIES: usize = 8;

/// A field with the value that names a document; [`Field::is`] makes it.
///
/// ```
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use shop::Country;
/// let iceland: folio::Is<Country> = Country::name().is("Iceland");
/// ```
pub struct Is<M> {
    path: String,
    filter: Filter<M>,
    change: Change<M>,
}

impl<M, T> Field<M, T> {
    /// The value of a unique field that names a document, for [`Document::upsert_by`].
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Country;
    /// let upsert = Country::upsert_by(Country::name().is("Iceland"));
    /// ```
    pub fn is(&self, value: impl Value<T>) -> Is<M>
    where
        T: Comparable,
    {
        let filter = Filter::of("=", [self.node(), crate::field::constant(&value)]);
        Is { path: self.path().to_string(), filter, change: self.set(value) }
    }
}

impl<M> std::fmt::Debug for Is<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Is").field(&self.filter).finish()
    }
}

/// An upsert by a unique field; [`Document::upsert_by`] begins it.
///
/// ```no_run
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::Document;
/// # use shop::User;
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// let upsert = User::upsert_by(User::email().is("a@b.org")).set(User::name().set("Ada"));
/// let user = upsert.run(&db).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "an upsert does nothing until it is run"]
pub struct Upsert<T> {
    by: Is<T>,
    changes: Vec<Change<T>>,
    born: Vec<Change<T>>,
    model: PhantomData<fn() -> T>,
}

impl<T> std::fmt::Debug for Upsert<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upsert")
            .field("by", &self.by)
            .field("changes", &self.changes)
            .finish_non_exhaustive()
    }
}

impl<T: Document> Upsert<T> {
    pub(crate) fn new(by: Is<T>) -> Self {
        Self { by, changes: Vec::new(), born: Vec::new(), model: PhantomData }
    }

    /// Changes of the document, whether it is there or new: `User::name().set("Ada")`, or several in a tuple.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// let upsert = User::upsert_by(User::email().is("a@b.org")).set(User::name().set("Ada"));
    /// ```
    pub fn set(mut self, changes: impl Changes<T>) -> Self {
        self.changes.extend(changes.into_changes());
        self
    }

    /// Adds one to a number, which is 1 in a new document.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// let upsert = User::upsert_by(User::email().is("a@b.org")).inc(User::visits());
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "inc(User::visits()) reads better")]
    pub fn inc<N: Numeric>(mut self, field: Field<T, N>) -> Self {
        self.changes.push(field.add_one());
        self
    }

    /// Changes of a new document alone, such as the fields that it has to have.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// let upsert = User::upsert_by(User::email().is("a@b.org")).on_insert(User::age().set(0));
    /// ```
    pub fn on_insert(mut self, changes: impl Changes<T>) -> Self {
        self.born.extend(changes.into_changes());
        self
    }

    /// Carries it out and gives the document as it is afterwards.
    ///
    /// Fails with [`Error::Usage`] if the field is not unique by itself, since several documents could be meant. Of two
    /// callers at once one creates the document and the other changes it.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let by_mail = User::upsert_by(User::email().is("a@b.org"));
    /// let user = by_mail.set(User::name().set("Ada")).inc(User::visits()).run(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn run(self, db: &impl Executor) -> Result<T> {
        if !T::DEFINITION.is_unique(&self.by.path) {
            let what = format!("{} is not unique, so it names no document", self.by.path);
            return Err(Error::Usage(what.into()));
        }
        let mut last = None;
        for _ in 0..TRIES {
            let mut changes = self.changes.clone();
            if changes.is_empty() {
                changes.push(self.by.change.clone());
            }
            let claim = Claim::new(self.by.filter.clone()).update(changes);
            if let Some(document) = claim.run(db).await?.pop() {
                return document;
            }
            match self.create(db).await {
                // Somebody else has created it meanwhile. A value of another field that is held stays held.
                Err(Error::UniqueViolation(held)) if held.fields == [self.by.path.as_str()] => {
                    last = Some(Error::UniqueViolation(held));
                }
                created => return created,
            }
        }
        Err(last.unwrap_or_else(|| Error::Usage("an upsert that is never tried".into())))
    }

    async fn create(&self, db: &impl Executor) -> Result<T> {
        let id = Id::<T>::new();
        if id.is_unset() || T::Id::from_text(id.as_str()).is_none() {
            let what = "ids of this type are not made here: upsert by the id, with `get(id).update(..).upsert()`";
            return Err(Error::Usage(what.into()));
        }
        let mut changes = vec![self.by.change.clone()];
        changes.extend(self.born.iter().cloned());
        changes.extend(self.changes.iter().cloned());
        let created = Update::new(id.as_str().to_owned(), changes).upsert().if_version(0);
        created.returning_new(db).await
    }
}
