//! Definitions: the JSON that `DOC.SCHEMA` prints, read so that two of them can be compared, and laid out for files.
//!
//! Values stay text, so that numbers keep their digits. What has its default and what is left out are the same.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use serde_json::value::RawValue;

use super::path;
use crate::commands::members::entries;

/// The members whose elements stand on a line each.
const LISTS: [&str; 3] = ["fields", "indexes", "migrations"];

/// What one collection is declared to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    pub collection: String,
    /// The members that are no lists, by their names, in canonical form.
    pub members: Words,
    pub fields: Vec<Part>,
    pub indexes: Vec<Part>,
    pub migrations: Vec<Part>,
    /// As it is written.
    pub text: String,
}

/// A field, an index or a migration.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// The path, the name or the number.
    pub name: String,
    pub words: Words,
}

/// Values by their names, in canonical form.
pub type Words = BTreeMap<String, String>;

impl Definition {
    /// How many indexes it declares: those by themselves, and those of fields.
    pub fn indexes_len(&self) -> usize {
        let has_one = |field: &&Part| {
            field.words.contains_key("index")
                || field.words.get("unique").is_some_and(|is| is == "true")
        };
        self.indexes.len() + self.fields.iter().filter(has_one).count()
    }

    /// Reads one. Says what is wrong with it, but for what the server judges.
    pub fn read(text: &str) -> Result<Self, String> {
        let members = entries(text).map_err(|error| error.to_string())?;
        let mut read = Self {
            collection: String::new(),
            members: Words::new(),
            fields: Vec::new(),
            indexes: Vec::new(),
            migrations: Vec::new(),
            text: text.to_owned(),
        };
        for (name, value) in members {
            match name.as_str() {
                "collection" => read.collection = string(value).ok_or("collection is no text")?,
                "fields" => read.fields = parts(value, "path")?,
                "indexes" => read.indexes = parts(value, "name")?,
                "migrations" => read.migrations = parts(value, "to")?,
                _ => drop(read.members.insert(name, canonical(value))),
            }
        }
        if read.collection.is_empty() {
            return Err("it names no collection".into());
        }
        let prefix = format!("{}:", read.collection);
        let defaults = [("prefix", Json::from(prefix).to_string()), ("mode", "\"open\"".into())];
        for (name, default) in defaults {
            read.members.entry(name.into()).or_insert(default);
        }
        let is_default = |name: &str, value: &str| match name {
            "ttl" | "schema" => value == "0",
            "ids" => value == "\"uuid7\"",
            _ => matches!(value, "null" | "false"),
        };
        read.members.retain(|name, value| !is_default(name, value));
        Ok(read)
    }

    /// The same with the schema version in force of another, and with its migrations, if this one has none: a definition that
    /// says nothing of them leaves them as they are.
    pub fn text_over(&self, held: &Self) -> Result<String, String> {
        let wrong = |error: serde_json::Error| error.to_string();
        let mut told = entries(&self.text).map_err(wrong)?;
        let stands = entries(&held.text).map_err(wrong)?;
        let keeps = |name: &str| match name {
            "schema" | "lazy" => true,
            name => name == "migrations" && self.migrations.is_empty(),
        };
        told.retain(|(name, _)| !keeps(name));
        told.extend(stands.into_iter().filter(|(name, _)| keeps(name)));
        let members: Vec<String> = told
            .iter()
            .map(|(name, value)| format!("{}:{}", Json::from(name.as_str()), value.get()))
            .collect();
        Ok(format!("{{{}}}", members.join(",")))
    }
}

impl Definition {
    /// The functions that it names.
    pub fn functions(&self) -> impl Iterator<Item = String> {
        let parts = self.fields.iter().chain(&self.migrations);
        let words = parts.map(|part| &part.words).chain([&self.members]);
        let named = words.flat_map(|words| {
            ["computed", "validate", "up", "down"]
                .into_iter()
                .filter_map(move |word| words.get(word))
        });
        named.filter_map(|name| serde_json::from_str(name).ok())
    }
}

impl Part {
    /// It in words: `int INDEX SORTED`.
    pub fn told(&self) -> String {
        let mut told: Vec<String> = Vec::new();
        told.extend(self.words.get("type").map(|name| name.trim_matches('"').to_owned()));
        for (name, value) in self.words.iter().filter(|(name, _)| *name != "type") {
            let word = name.to_uppercase();
            told.push(match value.as_str() {
                "true" => word,
                value => format!("{word} {}", value.trim_matches('"')),
            });
        }
        told.join(" ")
    }
}

fn string(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

/// The elements of a list, named by one of their members.
fn parts(value: &RawValue, key: &str) -> Result<Vec<Part>, String> {
    let wrong = |error: serde_json::Error| error.to_string();
    let elements: Vec<&RawValue> = serde_json::from_str(value.get()).map_err(wrong)?;
    let part = |element: &RawValue| {
        let mut words = Words::new();
        let mut name = None;
        for (word, value) in entries(element.get()).map_err(wrong)? {
            if word == key {
                name = Some(string(value).unwrap_or_else(|| value.get().to_owned()));
            } else {
                words.insert(word.clone(), canonical(value));
            }
        }
        words.retain(|word, value| !is_default(word, value));
        let name = name.ok_or_else(|| format!("an element without {key}"))?;
        let name = if key == "path" { path::canonical(&name) } else { name };
        Ok(Part { name, words })
    };
    elements.into_iter().map(part).collect()
}

fn is_default(word: &str, value: &str) -> bool {
    match word {
        "default" => false,
        "using" => value == "\"sorted\"",
        "nulls" => value == "\"distinct\"",
        _ => matches!(value, "null" | "false"),
    }
}

/// A value so that equal ones are equal texts: no white space, names in order, one way to write a string, and the paths of an
/// index as the server writes them.
fn canonical(value: &RawValue) -> String {
    let text = value.get();
    if let Ok(mut members) = entries(text) {
        members.sort_by(|(a, _), (b, _)| a.cmp(b));
        let member = |(name, value): &(String, &RawValue)| {
            let mut value = canonical(value);
            if name == "path"
                && let Ok(path) = serde_json::from_str::<String>(&value)
            {
                value = Json::from(path::canonical(&path)).to_string();
            }
            // The order of a path in an index.
            let is_default = name == "order" && value == "\"asc\"";
            (!is_default).then(|| format!("{}:{value}", Json::from(name.as_str())))
        };
        let members: Vec<String> = members.iter().filter_map(member).collect();
        return format!("{{{}}}", members.join(","));
    }
    if let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(text) {
        let elements: Vec<String> = elements.into_iter().map(canonical).collect();
        return format!("[{}]", elements.join(","));
    }
    match serde_json::from_str::<String>(text) {
        Ok(string) => Json::from(string).to_string(),
        Err(_) => text.to_owned(),
    }
}

/// A definition with a line for each member, field, index and migration, so that versions of a file differ where definitions do.
pub fn text(json: &str) -> serde_json::Result<String> {
    let members = entries(json)?;
    let mut lines = Vec::with_capacity(members.len());
    for (name, value) in members {
        let is_list = LISTS.contains(&name.as_str());
        let value = if is_list { list(value)? } else { value.get().to_owned() };
        lines.push(format!("  {}: {value}", Json::from(name)));
    }
    Ok(format!("{{\n{}\n}}\n", lines.join(",\n")))
}

fn list(value: &RawValue) -> serde_json::Result<String> {
    let elements: Vec<&RawValue> = serde_json::from_str(value.get())?;
    if elements.is_empty() {
        return Ok("[]".into());
    }
    let lines: Vec<String> =
        elements.iter().map(|element| format!("    {}", element.get())).collect();
    Ok(format!("[\n{}\n  ]", lines.join(",\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_has_a_line_for_each_field_and_keeps_its_digits() {
        let json = r#"{"collection":"a","mode":"open","fields":[{"path":"n","type":"json","default":1.10},{"path":"m","type":"int"}],"indexes":[]}"#;
        let laid_out = r#"{
  "collection": "a",
  "mode": "open",
  "fields": [
    {"path":"n","type":"json","default":1.10},
    {"path":"m","type":"int"}
  ],
  "indexes": []
}
"#;
        assert_eq!(text(json).unwrap(), laid_out);
        assert!(text("[]").is_err());
    }

    #[test]
    fn what_has_its_default_is_left_out() {
        let short = r#"{"collection":"a","fields":[{"path":"x.any","type":"int"}],"indexes":[{"name":"i","on":[{"path":"y"}]}]}"#;
        let long = r#"{"collection":"\u0061","prefix":"a:","mode":"open","ttl":0,"ids":"uuid7","lazy":false,
            "fields":[{"type":"int","path":"x.`any`","required":false,"index":null}],
            "indexes":[{"on":[{"order":"asc","path":"`y`"}],"name":"i","using":"sorted","nulls":"distinct"}],"migrations":[]}"#;
        let (short, long) = (Definition::read(short).unwrap(), Definition::read(long).unwrap());
        assert_eq!(
            Definition { text: String::new(), ..short },
            Definition { text: String::new(), ..long }
        );
        for (wrong, what) in [
            ("{}", "it names no collection"),
            (r#"{"collection":7}"#, "collection is no text"),
            (r#"{"collection":"a","fields":[{}]}"#, "an element without path"),
        ] {
            assert_eq!(Definition::read(wrong).unwrap_err(), what);
        }
    }

    #[test]
    fn what_a_definition_says_nothing_of_stays() {
        let held = r#"{"collection":"a","fields":[],"schema":2,"lazy":true,"migrations":[{"to":1,"up":"f"}]}"#;
        let held = Definition::read(held).unwrap();
        let silent = Definition::read(r#"{"collection":"a","mode":"strict","schema":1}"#).unwrap();
        let expected = r#"{"collection":"a","mode":"strict","schema":2,"lazy":true,"migrations":[{"to":1,"up":"f"}]}"#;
        assert_eq!(silent.text_over(&held).unwrap(), expected);
        let telling = Definition::read(r#"{"collection":"a","migrations":[{"to":2,"up":"g"}]}"#);
        let expected =
            r#"{"collection":"a","migrations":[{"to":2,"up":"g"}],"schema":2,"lazy":true}"#;
        assert_eq!(telling.unwrap().text_over(&held).unwrap(), expected);
    }
}
