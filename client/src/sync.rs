//! Declaring what types say.

use crate::error::SchemaMismatch;
use crate::schema::{SchemaState, SchemaStatus, Wanted, declared, with_migrations};
use crate::{Command, Definition, Document, Error, Executor, Folio, Function, Result};

/// One type of documents, or several in a tuple.
///
/// ```no_run
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use shop::{Order, User};
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// db.sync::<(User, Order)>().await?;
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no type of documents, nor a tuple of such",
    note = "derive `folio::Document`"
)]
pub trait Documents {
    /// What each is declared to be, in order.
    #[doc(hidden)]
    fn definitions() -> Vec<Definition>;
}

impl<T: Document> Documents for T {
    fn definitions() -> Vec<Definition> {
        vec![T::DEFINITION]
    }
}

macro_rules! tuples {
    ($(($($name:ident)+))*) => {$(
        impl<$($name: Documents),+> Documents for ($($name,)+) {
            fn definitions() -> Vec<Definition> {
                let mut definitions = Vec::new();
                $(definitions.extend($name::definitions());)+
                definitions
            }
        }
    )*};
}

tuples!((A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H));

impl Folio {
    /// Declares the collections of types, or brings their declarations up to what the types say.
    ///
    /// A collection that is not declared is; new fields, indexes and constraints are added, which the server refuses if
    /// documents break them. What would take something away, a field, an index, or a field's type, is not done but
    /// [`Error::SchemaMismatch`]: other programs may count on it. [`Migrations`](crate::migrate::Migrations) are for that.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::{Order, User};
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// db.sync::<(User, Order)>().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn sync<D: Documents>(&self) -> Result<()> {
        let db = self.on_primary();
        for definition in D::definitions() {
            declare(&db, Wanted::of(&definition, &db)).await?;
        }
        Ok(())
    }

    /// The same for types that name functions: those that are not loaded yet are loaded first, as
    /// [`Functions::ensure`](crate::Functions::ensure) does it. A function takes no other one's place; another source is
    /// another name, or a [`Load::replace`](crate::Load::replace) while no declaration uses it.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::{Article, User};
    /// use folio::Function;
    ///
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let functions = [
    ///     Function::new("text.slug", "return text.slug(doc.title)"),
    ///     Function::new("text.is_clean", "return not string.find((...), '<script', 1, true)"),
    ///     Function::new("article.is_whole", "return #doc.body > 0 or 'has no body'"),
    /// ];
    /// db.sync_with::<(User, Article)>(functions).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn sync_with<D: Documents>(
        &self,
        functions: impl IntoIterator<Item = Function>,
    ) -> Result<()> {
        self.functions().ensure(functions).await?;
        self.sync::<D>().await
    }

    /// How the collections of types stand to what the types say, in their order: what [`sync`](Folio::sync) would do of
    /// each. It changes nothing.
    ///
    /// It costs what `DOC.INFO` does: a look at the entries of all indexes.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::{Order, User};
    /// use folio::SchemaState;
    ///
    /// # async fn example(db: folio::Folio) -> folio::Result<()> {
    /// let statuses = db.schema_status::<(User, Order)>().await?;
    /// let is_ready = statuses.iter().all(|status| status.state == SchemaState::Same);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn schema_status<D: Documents>(&self) -> Result<Vec<SchemaStatus>> {
        let (db, mut statuses) = (self.on_primary(), Vec::new());
        for definition in D::definitions() {
            statuses.push(Wanted::of(&definition, &db).status(&db).await?);
        }
        Ok(statuses)
    }
}

/// The client of a declaration that is being built is answered nothing else meanwhile, so it has a connection to itself.
async fn declare(db: &Folio, wanted: Wanted) -> Result<()> {
    let db = &db.pooled();
    let text = wanted.json.to_string();
    let words = (wanted.collection.as_str(), "DEFINITION", text.as_str());
    match db.execute(Command::write("DOC.CREATE").arg(words)).await {
        Err(error) if error.code() == Some("COLLECTIONEXISTS") => {}
        created => return created.map(drop),
    }
    match wanted.state(db).await? {
        SchemaState::Conflict { differences } => {
            let collection = wanted.collection;
            Err(Error::SchemaMismatch(Box::new(SchemaMismatch { collection, differences })))
        }
        SchemaState::Same => Ok(()),
        _ => {
            let stands = declared(&wanted.collection, db).await?;
            let text = with_migrations(wanted.json, &stands).to_string();
            let words = (wanted.collection.as_str(), "DEFINITION", text.as_str());
            db.execute(Command::write("DOC.ALTER").arg(words)).await.map(drop)
        }
    }
}
