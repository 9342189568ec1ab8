//! Declaring what types say.

use std::future::Future;

use serde_json::Value as Json;

use crate::error::SchemaMismatch;
use crate::{Command, Document, Error, Executor, Folio, Result};

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
    /// Declares each.
    #[doc(hidden)]
    fn sync(db: &Folio) -> impl Future<Output = Result<()>> + Send;
}

impl<T: Document> Documents for T {
    async fn sync(db: &Folio) -> Result<()> {
        declare(db, T::DEFINITION.collection, T::DEFINITION.to_json()).await
    }
}

macro_rules! tuples {
    ($(($($name:ident)+))*) => {$(
        impl<$($name: Documents),+> Documents for ($($name,)+) {
            async fn sync(db: &Folio) -> Result<()> {
                $($name::sync(db).await?;)+
                Ok(())
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
    /// [`Error::SchemaMismatch`]: other programs may count on it. `DOC.ALTER` does it by hand.
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
        D::sync(&self.on_primary()).await
    }
}

async fn declare(db: &Folio, collection: &str, mut definition: Json) -> Result<()> {
    let name = db.named(collection).into_owned();
    definition["collection"] = name.as_str().into();
    if let Some(prefix) = definition.get("prefix").and_then(Json::as_str) {
        let prefix = db.named(prefix).into_owned();
        definition["prefix"] = prefix.into();
    }
    let text = definition.to_string();
    let told = |word: &str| Command::write(word).arg((name.as_str(), "DEFINITION", text.as_str()));
    let created = db.execute(told("DOC.CREATE")).await;
    match created {
        Err(error) if error.code() == Some("COLLECTIONEXISTS") => {}
        created => return created.map(|_| ()),
    }
    let reply = db.execute(Command::read("DOC.SCHEMA").arg(name.as_str())).await?;
    let stands = reply.bytes()?.unwrap_or_default();
    let stands: Json = crate::reply::document(&name, &stands)?;
    let differences = lost(&stands, &definition);
    if differences.is_empty() {
        return db.execute(told("DOC.ALTER")).await.map(|_| ());
    }
    let collection = name.clone();
    Err(Error::SchemaMismatch(Box::new(SchemaMismatch { collection, differences })))
}

/// What the server has declared and the type does not say.
fn lost(stands: &Json, wanted: &Json) -> Vec<String> {
    let mut lost = Vec::new();
    let wanted_prefix = wanted["prefix"].as_str().map_or_else(
        || format!("{}:", wanted["collection"].as_str().unwrap_or_default()),
        Into::into,
    );
    if stands["prefix"] != wanted_prefix.as_str() {
        lost.push(format!("its prefix is {}, not {wanted_prefix:?}", stands["prefix"]));
    }
    for field in members(stands, "fields") {
        let path = &field["path"];
        let Some(own) = members(wanted, "fields").find(|own| own["path"] == *path) else {
            lost.push(format!("field {path} is declared and not in the type"));
            continue;
        };
        for word in ["type", "index", "unique", "nocase"] {
            let is_kept = field.get(word).is_none_or(|before| own.get(word) == Some(before));
            if !is_kept {
                let told = own.get(word).map_or("none".into(), Json::to_string);
                lost.push(format!("field {path} has {word} {}, the type says {told}", field[word]));
            }
        }
    }
    for index in members(stands, "indexes") {
        let name = &index["name"];
        if !members(wanted, "indexes").any(|own| own == index) {
            lost.push(format!("index {name} is declared and not in the type, or not so"));
        }
    }
    if stands.get("changes").is_some() && wanted.get("changes").is_none() {
        lost.push("a change stream is declared and not in the type".into());
    }
    lost
}

fn members<'a>(definition: &'a Json, name: &str) -> impl Iterator<Item = &'a Json> {
    definition.get(name).and_then(Json::as_array).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_added_is_not_lost_and_what_is_taken_away_is() {
        let stands = json!({"collection": "a", "prefix": "a:", "mode": "open", "fields": [
            {"path": "x", "type": "int", "index": "sorted"}]});
        let wider = json!({"collection": "a", "fields": [
            {"path": "x", "type": "int", "index": "sorted", "required": true}, {"path": "y", "type": "int"}],
            "indexes": [{"name": "i", "on": [{"path": "y"}]}]});
        assert_eq!(lost(&stands, &wider), Vec::<String>::new());
        let other =
            json!({"collection": "a", "prefix": "b:", "fields": [{"path": "x", "type": "string"}]});
        let told = lost(&stands, &other);
        assert_eq!(told.len(), 3, "{told:?}");
        assert_eq!(lost(&wider, &stands).len(), 3);
    }
}
