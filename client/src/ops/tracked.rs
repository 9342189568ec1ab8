//! Documents that remember how they were read.

use std::fmt;
use std::ops::{Deref, DerefMut};

use serde_json::Value as Json;

use super::Update;
use crate::change::Change;
use crate::codec::encode;
use crate::{Document, Error, Executor, Result};

/// A document that remembers how it was read: [`save`](Tracked::save) writes only what differs.
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
pub struct Tracked<T> {
    document: T,
    id: String,
    before: Json,
    version: u64,
}

impl<T> Deref for Tracked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.document
    }
}

impl<T> DerefMut for Tracked<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.document
    }
}

impl<T: fmt::Debug> fmt::Debug for Tracked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracked").field("document", &self.document).finish_non_exhaustive()
    }
}

impl<T: Document> Tracked<T> {
    pub(crate) fn new(id: String, document: T, version: u64) -> Result<Self> {
        let before = tree(&document)?;
        Ok(Self { document, id, before, version })
    }

    /// Whether anything differs.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio, id: folio::Id<User>) -> folio::Result<()> {
    /// let user = User::get(id).tracked(&db).await?;
    /// assert!(!user.is_changed()?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_changed(&self) -> Result<bool> {
        Ok(tree(&self.document)? != self.before)
    }

    /// Writes what differs, and nothing if nothing does. The document has to have the version that it was read with;
    /// else [`Error::VersionConflict`]. What others have written to the document beside the fields of the type stays.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio, id: folio::Id<User>) -> folio::Result<()> {
    /// let mut user = User::get(id).tracked(&db).await?;
    /// user.age += 1;
    /// user.save(&db).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn save(&mut self, db: &impl Executor) -> Result<()> {
        self.document.before_save()?;
        self.document.validate()?;
        let after = tree(&self.document)?;
        let changes = differences::<T>(&self.before, &after);
        if changes.is_empty() {
            return Ok(());
        }
        let update = Update::new(self.id.clone(), changes).if_version(self.version);
        self.version = update.run(db).await?;
        self.document.set_document_version(self.version);
        self.before = after;
        Ok(())
    }

    /// The document alone.
    ///
    /// ```no_run
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// # async fn example(db: folio::Folio, id: folio::Id<User>) -> folio::Result<()> {
    /// let user: User = User::get(id).tracked(&db).await?.into_inner();
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_inner(self) -> T {
        self.document
    }
}

fn tree<T: Document>(document: &T) -> Result<Json> {
    serde_json::from_str(&encode(document)?).map_err(Error::Encode)
}

/// What makes `after` of `before`: objects are looked into, everything else is put whole.
fn differences<T>(before: &Json, after: &Json) -> Vec<Change<T>> {
    let mut changes = Vec::new();
    descend("", before, after, &mut changes);
    changes
}

fn descend<T>(base: &str, before: &Json, after: &Json, changes: &mut Vec<Change<T>>) {
    if let (Json::Object(before), Json::Object(after)) = (before, after) {
        for (name, value) in after {
            let path = join(base, name);
            match before.get(name) {
                Some(old) => descend(&path, old, value, changes),
                None => changes.push(Change::set_text(&path, value.to_string())),
            }
        }
        for name in before.keys().filter(|name| !after.contains_key(*name)) {
            changes.push(Change::unset_path(&join(base, name)));
        }
    } else if before != after {
        changes.push(Change::set_text(base, after.to_string()));
    }
}

fn join(base: &str, name: &str) -> String {
    let dot = if base.is_empty() { "" } else { "." };
    format!("{base}{dot}`{}`", name.replace('`', "``"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Small documents, whose members often meet.
    fn any_json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            (0..3_i64).prop_map(Json::from),
            "[a`.]{0,2}".prop_map(Json::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Json::from),
                prop::collection::btree_map("[ab`. ]{0,2}", inner, 0..4)
                    .prop_map(|members| Json::Object(members.into_iter().collect())),
            ]
        })
    }

    fn any_document() -> impl Strategy<Value = Json> {
        prop::collection::btree_map("[ab`. ]{1,2}", any_json(), 0..4)
            .prop_map(|members| Json::Object(members.into_iter().collect()))
    }

    /// The steps of a path whose names all stand in back-quotes.
    fn steps(path: &str) -> Vec<String> {
        let mut names = vec![String::new()];
        let mut chars = path.chars().peekable();
        let mut is_inside = false;
        while let Some(c) = chars.next() {
            match c {
                '`' if is_inside && chars.peek() == Some(&'`') => {
                    chars.next();
                    names.last_mut().unwrap().push('`');
                }
                '`' => is_inside = !is_inside,
                '.' if !is_inside => names.push(String::new()),
                c => names.last_mut().unwrap().push(c),
            }
        }
        names
    }

    /// What the server does, told anew.
    fn apply(document: &mut Json, operation: &Json) {
        let names = steps(operation[1].as_str().unwrap());
        let (last, parents) = names.split_last().unwrap();
        let mut place = document;
        for name in parents {
            place = &mut place[name.as_str()];
        }
        let members = place.as_object_mut().unwrap();
        if operation[0] == "SET" {
            members.insert(last.clone(), operation[2].clone());
        } else {
            members.remove(last);
        }
    }

    proptest! {
        #[test]
        fn the_differences_applied_to_the_one_are_the_other(
            (a, b) in (any_document(), any_document())
        ) {
            let mut result = a.clone();
            for change in differences::<()>(&a, &b) {
                apply(&mut result, &serde_json::from_str(&change.to_json().unwrap()).unwrap());
            }
            prop_assert_eq!(result, b);
        }
    }

    #[test]
    fn nothing_is_written_of_what_is_alike() {
        let a = serde_json::json!({"a": {"b": 1, "c": [1, 2]}, "d": null});
        assert!(differences::<()>(&a, &a).is_empty());
        let b = serde_json::json!({"a": {"b": 2, "c": [1, 2]}});
        let told: Vec<String> =
            differences::<()>(&a, &b).iter().map(|change| format!("{change:?}")).collect();
        assert_eq!(told, ["SET `a`.`b` 2", "UNSET `d`"]);
    }
}
