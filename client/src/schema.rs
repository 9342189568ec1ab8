//! What a type says of its collection, beside what the server has declared.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value as Json;

use crate::untyped::value;
use crate::{Command, Definition, Executor, Folio, Result, reply};

/// What a field keeps where it is declared: to take it away or to change it would be a loss for other programs.
const KEPT: [&str; 5] = ["type", "index", "unique", "nocase", "computed"];

/// How a collection stands to its type: of [`Folio::schema_status`].
///
/// ```no_run
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use shop::{Order, User};
/// use folio::SchemaState;
///
/// # async fn example(db: folio::Folio) -> folio::Result<()> {
/// for status in db.schema_status::<(User, Order)>().await? {
///     match status.state {
///         SchemaState::Same => {}
///         state => println!("{}: {state:?}", status.collection),
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SchemaStatus {
    /// The collection, as the server calls it.
    pub collection: String,
    /// Whether it is declared as the type says.
    pub state: SchemaState,
    /// The declaration that is being built over the documents, if one is. It is in force when it is done.
    pub building: Option<Building>,
    /// The schema version in force, and how many documents are to be brought there, if the collection has had one.
    pub migration: Option<Migrating>,
}

/// Whether a collection is declared as its type says.
///
/// ```
/// use folio::SchemaState;
///
/// let state = SchemaState::Behind { additions: vec!["field \"age\" is added".into()] };
/// assert_ne!(state, SchemaState::Same);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SchemaState {
    /// It is not declared; [`Folio::sync`] does it.
    Missing,
    /// It is declared as the type says.
    Same,
    /// [`Folio::sync`] would bring it up to the type.
    Behind {
        /// What would be added or changed, one sentence each.
        additions: Vec<String>,
    },
    /// [`Folio::sync`] refuses it, because something would be lost: it is for a migration.
    Conflict {
        /// What would be lost, one sentence each.
        differences: Vec<String>,
    },
}

/// How far a declaration is that is being built: of [`SchemaStatus`].
///
/// ```no_run
/// # fn example(building: folio::Building) {
/// println!("{} of {} documents", building.done, building.documents);
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Building {
    /// How many documents are indexed.
    pub done: u64,
    /// How many there are.
    pub documents: u64,
    /// How many of them were found to break it.
    pub invalid: u64,
}

/// How far the documents of a collection are on their way to the schema version in force: of [`SchemaStatus`].
///
/// ```no_run
/// # fn example(migration: folio::Migrating) {
/// println!("{} documents are to be brought to version {}", migration.ahead, migration.version);
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Migrating {
    /// The version in force.
    pub version: u16,
    /// `running`, `lazy`, `stopped` or `done`.
    pub state: String,
    /// How many documents have another version.
    pub ahead: u64,
    /// How many were migrated by themselves, not by a write, since the version was put in force.
    pub migrated: u64,
    /// The key of the document that has stopped it.
    #[serde(default)]
    pub stopped_at: Option<String>,
    /// What that document was refused for.
    #[serde(default)]
    pub error: Option<String>,
}

/// What the server tells of a collection that is there.
#[derive(Deserialize)]
struct Told {
    declared: bool,
    building: Vec<Building>,
    #[serde(default)]
    migration: Vec<Migrating>,
}

/// A type's definition as one server is told it.
pub(crate) struct Wanted {
    pub(crate) collection: String,
    pub(crate) json: Json,
}

/// What stands between what is declared and what a type says.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Comparison {
    additions: Vec<String>,
    differences: Vec<String>,
}

impl Wanted {
    pub(crate) fn of(definition: &Definition, db: &Folio) -> Self {
        let collection = db.named(definition.collection).into_owned();
        let mut json = definition.to_json();
        json["collection"] = collection.as_str().into();
        if let Some(prefix) = definition.prefix {
            json["prefix"] = db.named(prefix).into();
        }
        Self { collection, json }
    }

    /// How the declared collection differs. Fails with the code `NOCOLLECTION` where nothing is there.
    pub(crate) async fn state(&self, db: &Folio) -> Result<SchemaState> {
        let stands = declared(&self.collection, db).await?;
        Ok(compare(&stands, &self.json).state())
    }

    pub(crate) async fn status(self, db: &Folio) -> Result<SchemaStatus> {
        let told = db.execute(Command::read("DOC.INFO").arg(self.collection.as_str())).await;
        let told: Option<Told> = match told {
            Err(error) if error.code() == Some("NOCOLLECTION") => None,
            told => Some(value::read(told?.into_value())?),
        };
        let building = told.as_ref().and_then(|told| told.building.first().copied());
        let state = match &told {
            Some(Told { declared: true, .. }) => match self.state(db).await {
                // It was dropped in between.
                Err(error) if error.code() == Some("NOCOLLECTION") => SchemaState::Missing,
                state => state?,
            },
            _ => SchemaState::Missing,
        };
        let migration = told.and_then(|told| told.migration.into_iter().next());
        Ok(SchemaStatus { collection: self.collection, state, building, migration })
    }
}

/// What the server has declared of a collection.
pub(crate) async fn declared(collection: &str, db: &Folio) -> Result<Json> {
    let answer = db.execute(Command::read("DOC.SCHEMA").arg(collection)).await?;
    reply::document(collection, &answer.bytes()?.unwrap_or_default())
}

/// A definition with the schema version and the migrations of another: types know nothing of them.
pub(crate) fn with_migrations(mut wanted: Json, stands: &Json) -> Json {
    for word in ["schema", "lazy", "migrations"] {
        if let Some(held) = stands.get(word) {
            wanted[word] = held.clone();
        }
    }
    wanted
}

impl Comparison {
    fn state(self) -> SchemaState {
        let Self { additions, differences } = self;
        match (additions.is_empty(), differences.is_empty()) {
            (_, false) => SchemaState::Conflict { differences },
            (false, true) => SchemaState::Behind { additions },
            (true, true) => SchemaState::Same,
        }
    }

    fn of_collection(&mut self, stands: &Json, wanted: &Json) {
        let prefix = wanted["prefix"].as_str().map_or_else(
            || format!("{}:", wanted["collection"].as_str().unwrap_or_default()),
            Into::into,
        );
        if stands["prefix"] != prefix.as_str() {
            self.differences.push(format!("its prefix is {}, not {prefix:?}", stands["prefix"]));
        }
        let defaults = [
            ("mode", "open".into()),
            ("ttl", 0.into()),
            ("ids", "uuid7".into()),
            ("validate", Json::Null),
        ];
        for (word, default) in defaults {
            let [before, after] = [stands, wanted].map(|it| it.get(word).unwrap_or(&default));
            if before != after {
                self.additions.push(format!("its {word} {before} becomes {after}"));
            }
        }
        match (stands.get("changes"), wanted.get("changes")) {
            (before, after) if before == after => {}
            (Some(_), None) => {
                self.differences.push("a change stream is declared and not in the type".into());
            }
            (_, after) => {
                let stream = after.map(Json::to_string).unwrap_or_default();
                self.additions.push(format!("its change stream becomes {stream}"));
            }
        }
    }

    fn of_field(&mut self, stands: &Json, wanted: &Json) {
        let path = &stands["path"];
        let objects = [stands, wanted].into_iter().filter_map(Json::as_object);
        let words: BTreeSet<&String> = objects.flat_map(|it| it.keys()).collect();
        for word in words {
            let (before, after) = (stands.get(word), wanted.get(word));
            if before == after {
                continue;
            }
            let told = |it: Option<&Json>| it.map_or("none".into(), Json::to_string);
            let (was, becomes) = (told(before), told(after));
            if before.is_some() && KEPT.contains(&word.as_str()) {
                let lost = format!("field {path} has {word} {was}, the type says {becomes}");
                self.differences.push(lost);
            } else {
                self.additions.push(format!("field {path}: {word} {was} becomes {becomes}"));
            }
        }
    }
}

/// Compares what is declared with what a type says. Order is no difference.
fn compare(stands: &Json, wanted: &Json) -> Comparison {
    let mut found = Comparison::default();
    found.of_collection(stands, wanted);
    for field in members(stands, "fields") {
        let path = &field["path"];
        match members(wanted, "fields").find(|own| own["path"] == *path) {
            Some(own) => found.of_field(field, own),
            None => {
                found.differences.push(format!("field {path} is declared and not in the type"));
            }
        }
    }
    for field in members(wanted, "fields") {
        let path = &field["path"];
        if !members(stands, "fields").any(|before| before["path"] == *path) {
            found.additions.push(format!("field {path} is added"));
        }
    }
    for index in members(stands, "indexes") {
        let name = &index["name"];
        if !members(wanted, "indexes").any(|own| own == index) {
            let lost = format!("index {name} is declared and not in the type, or not so");
            found.differences.push(lost);
        }
    }
    for index in members(wanted, "indexes") {
        let name = &index["name"];
        if !members(stands, "indexes").any(|before| before["name"] == *name) {
            found.additions.push(format!("index {name} is added"));
        }
    }
    found
}

/// The elements of a list of a definition.
pub(crate) fn members<'a>(definition: &'a Json, name: &str) -> impl Iterator<Item = &'a Json> {
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
        let told = compare(&stands, &wider);
        assert_eq!(told.differences, Vec::<String>::new());
        let added = [
            r#"field "x": required none becomes true"#,
            r#"field "y" is added"#,
            r#"index "i" is added"#,
        ];
        assert_eq!(told.additions, added);
        let other =
            json!({"collection": "a", "prefix": "b:", "fields": [{"path": "x", "type": "string"}]});
        let told = compare(&stands, &other);
        assert_eq!(told.differences.len(), 3, "{told:?}");
        assert_eq!(compare(&wider, &stands).differences.len(), 3);
    }

    #[test]
    fn the_order_of_what_is_declared_is_no_difference() {
        let stands = json!({"collection": "a", "prefix": "a:", "mode": "open", "ttl": 5, "fields": [
            {"path": "x", "type": "int"}, {"path": "y", "type": "int", "min": 0}]});
        let wanted = json!({"fields": [{"min": 0, "path": "y", "type": "int"}, {"type": "int", "path": "x"}],
            "ttl": 5, "collection": "a"});
        assert_eq!(compare(&stands, &wanted), Comparison::default());
        let other =
            json!({"collection": "a", "mode": "strict", "ids": "ulid", "fields": wanted["fields"]});
        let told = compare(&stands, &other).additions;
        let expected = [
            r#"its mode "open" becomes "strict""#,
            "its ttl 5 becomes 0",
            r#"its ids "uuid7" becomes "ulid""#,
        ];
        assert_eq!(told, expected);
    }
}
