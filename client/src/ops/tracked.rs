//! Documents that remember how they were read.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::ops::{Deref, DerefMut};

use serde_json::value::RawValue;

use super::Update;
use crate::change::Change;
use crate::codec::{encode, members};
use crate::{Document, Executor, Result};

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
    /// Its text as it was read.
    before: String,
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
        let before = encode(&document)?;
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
        Ok(!differences::<T>(&self.before, &encode(&self.document)?).is_empty())
    }

    /// Writes what differs, and nothing if nothing does. The document has to have the version that it was read with;
    /// else [`Error::VersionConflict`](crate::Error::VersionConflict). What others have written to the document beside the fields of the type stays.
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
        let after = self.checked()?;
        let changes = differences::<T>(&self.before, &after);
        if changes.is_empty() {
            return Ok(());
        }
        let update = Update::new(self.id.clone(), changes).if_version(self.version);
        self.version = update.run(db).await?;
        self.document.set_document_version(self.version);
        self.document.forget_computed();
        self.before = after;
        Ok(())
    }

    /// Hooks and rules, and what is to be written then.
    pub(crate) fn prepare<M>(&mut self) -> Result<Vec<Change<M>>> {
        let after = self.checked()?;
        Ok(differences(&self.before, &after))
    }

    /// Hooks and rules, and the text then.
    fn checked(&mut self) -> Result<String> {
        self.document.before_save()?;
        self.document.validate()?;
        encode(&self.document)
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

/// What turns one document into another, each as its text: values are compared as they are written, so that no number
/// is rounded, and only objects are gone into.
pub(crate) fn differences<T>(before: &str, after: &str) -> Vec<Change<T>> {
    let mut changes = Vec::new();
    descend("", before, after, &mut changes);
    changes
}

fn descend<T>(base: &str, before: &str, after: &str, changes: &mut Vec<Change<T>>) {
    if before == after {
        return;
    }
    let (Some(old), Some(new)) = (members(before), members(after)) else {
        return changes.push(Change::set_text(base, after.to_owned()));
    };
    let old: HashMap<String, &RawValue> = old.into_iter().collect();
    let mut gone: BTreeSet<&str> = old.keys().map(String::as_str).collect();
    for (name, value) in new {
        let path = join(base, &name);
        match old.get(&name) {
            Some(old) => descend(&path, old.get(), value.get(), changes),
            None => changes.push(Change::set_text(&path, value.get().to_owned())),
        }
        gone.remove(name.as_str());
    }
    changes.extend(gone.into_iter().map(|name| Change::unset_path(&join(base, name))));
}

fn join(base: &str, name: &str) -> String {
    let dot = if base.is_empty() { "" } else { "." };
    format!("{base}{dot}`{}`", name.replace('`', "``"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value as Json;

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
            for change in differences::<()>(&a.to_string(), &b.to_string()) {
                apply(&mut result, &serde_json::from_str(&change.to_json().unwrap()).unwrap());
            }
            prop_assert_eq!(result, b);
        }
    }

    #[test]
    fn nothing_is_written_of_what_is_alike() {
        let told = |before, after| -> Vec<String> {
            let changes = differences::<()>(before, after);
            changes.iter().map(|change| format!("{change:?}")).collect()
        };
        let (a, b) = (r#"{"a":{"b":1,"c":[1,2]},"d":null}"#, r#"{"a":{"b":2,"c":[1,2]}}"#);
        assert!(told(a, a).is_empty());
        assert_eq!(told(a, b), ["SET `a`.`b` 2", "UNSET `d`"]);
        let other_order = r#"{"d":null,"a":{"c":[1,2],"b":1}}"#;
        assert!(told(a, other_order).is_empty());
        let (a, b) = (r#"{"n":36893488147419103232}"#, r#"{"n":36893488147419103233}"#);
        assert_eq!(told(a, b), ["SET `n` 36893488147419103233"]);
    }
}
