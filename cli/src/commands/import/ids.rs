//! Which document a line is: its id, and what of the line is the document.
//!
//! Folio tells a document's id as the metadatum `_id`, and no member of a document can be asked for by that name but in
//! back-quotes. So where nobody names a field, a member `_id` is the id and no part of the document, which is what `folio
//! export` writes; `{"_id":..,"_document":{..}}` is for documents that have a member of that name themselves.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::commands::members::{members, string, without};

/// Where ids come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ids {
    /// A field of the documents.
    Field(Vec<String>),
    /// The member `_id`, which is taken out, or else `id`, which stays.
    Members,
    /// The server makes them.
    Server,
}

/// A line that was understood.
#[derive(Debug, PartialEq, Eq)]
pub struct Identified<'a> {
    /// None if the server is to make it.
    pub id: Option<String>,
    pub document: Cow<'a, str>,
}

impl Ids {
    /// The field that a user names.
    pub fn field(path: &str) -> Self {
        Self::Field(path.split('.').map(Into::into).collect())
    }

    /// What the first document suggests: its members if they have an id. Tells also the name of the one.
    pub fn of_first(text: &str) -> Option<(Self, &'static str)> {
        match members(text, ["_id", "id"]).ok()?.found {
            [Some(_), _] => Some((Self::Members, "_id")),
            [None, Some(_)] => Some((Self::Members, "id")),
            [None, None] => None,
        }
    }

    /// Reads a line.
    pub fn identify<'a>(&self, text: &'a str) -> Result<Identified<'a>, String> {
        match self {
            Self::Server => {
                members(text, []).map_err(|error| why(text, &error))?;
                Ok(Identified { id: None, document: text.into() })
            }
            Self::Field(path) => {
                let found = find(text, path).map_err(|error| why(text, &error))?;
                let found = found.ok_or_else(|| format!("ID no field {}", path.join(".")))?;
                Ok(Identified { id: Some(id(found)?), document: text.into() })
            }
            Self::Members => by_members(text),
        }
    }
}

fn by_members(text: &str) -> Result<Identified<'_>, String> {
    let names = ["_id", "id", "_key", "_document"];
    let members = members(text, names).map_err(|error| why(text, &error))?;
    let [meta, own, key, document] = members.found;
    let Some(meta) = meta else {
        let own = own.ok_or("ID neither a member _id nor id")?;
        return Ok(Identified { id: Some(id(own)?), document: text.into() });
    };
    let id = Some(id(meta)?);
    let wrapped = document.filter(|_| members.count == 2 + usize::from(key.is_some()));
    if let Some(document) = wrapped.filter(|document| document.get().starts_with('{')) {
        return Ok(Identified { id, document: document.get().into() });
    }
    let document = without(text, "_id", meta).ok_or("ID the member _id is written with escapes")?;
    Ok(Identified { id, document })
}

/// The value at a path through objects.
fn find<'a>(text: &'a str, path: &[String]) -> serde_json::Result<Option<&'a RawValue>> {
    let Some((first, rest)) = path.split_first() else { return Ok(None) };
    let found = members(text, [first.as_str()])?.found[0];
    match found {
        Some(value) if !rest.is_empty() && value.get().starts_with('{') => find(value.get(), rest),
        found => Ok(found.filter(|_| rest.is_empty())),
    }
}

/// The id that a value is, digit for digit.
fn id(value: &RawValue) -> Result<String, String> {
    let text = value.get();
    if let Some(text) = string(text) {
        return if text.is_empty() { Err("ID the id is empty".into()) } else { Ok(text) };
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(text.into());
    }
    let told: String = text.chars().take(40).collect();
    Err(format!("ID the id is {told}, and neither a string nor an integer"))
}

/// What is wrong with a text that is no object.
fn why(text: &str, error: &serde_json::Error) -> String {
    if !text.trim_ascii_start().starts_with('{') && serde_json::from_str::<IgnoredAny>(text).is_ok()
    {
        let kind = match text.trim_ascii_start().as_bytes().first() {
            Some(b'[') => "an array",
            Some(b'"') => "a string",
            Some(b't' | b'f') => "a boolean",
            Some(b'n') => "null",
            _ => "a number",
        };
        return format!("JSON a document is an object, found {kind}");
    }
    // A line has one line, so the column is enough.
    let told = error.to_string().replacen(" at line 1 column ", " at column ", 1);
    format!("JSON {told}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(ids: &Ids, text: &str) -> String {
        match ids.identify(text) {
            Ok(Identified { id, document }) => format!("{} {document}", id.unwrap_or_default()),
            Err(why) => why,
        }
    }

    #[test]
    fn a_field_gives_the_id_and_stays() {
        let ids = Ids::field("a.b");
        assert_eq!(read(&ids, r#"{"a":{"b":"x"}}"#), r#"x {"a":{"b":"x"}}"#);
        let long = r#"{"a":{"b":123456789012345678901234567890}}"#;
        assert_eq!(read(&ids, long), format!("123456789012345678901234567890 {long}"));
        assert_eq!(read(&ids, r#"{"a":1}"#), "ID no field a.b");
        assert_eq!(
            read(&ids, r#"{"a":{"b":1.5}}"#),
            "ID the id is 1.5, and neither a string nor an integer"
        );
        assert_eq!(read(&ids, r#"{"a":{"b":""}}"#), "ID the id is empty");
    }

    #[test]
    fn the_members_that_export_writes_are_taken_out() {
        let (ids, name) = Ids::of_first(r#"{"_id":1}"#).unwrap();
        assert_eq!(name, "_id");
        assert_eq!(read(&ids, r#"{"_id":"\u0031","a":1.10}"#), r#"1 {"a":1.10}"#);
        assert_eq!(read(&ids, r#"{"id":7,"a":1}"#), r#"7 {"id":7,"a":1}"#);
        assert_eq!(read(&ids, r#"{"_id":"1","_document":{"_id":2}}"#), r#"1 {"_id":2}"#);
        assert_eq!(read(&ids, r#"{"_key":"u:1","_id":"1","_document":{}}"#), "1 {}");
        assert_eq!(
            read(&ids, r#"{"_id":"1","_document":{},"a":1}"#),
            r#"1 {"_document":{},"a":1}"#
        );
        assert_eq!(read(&ids, r#"{"_id":"1","_document":2}"#), r#"1 {"_document":2}"#);
        assert_eq!(read(&ids, "{}"), "ID neither a member _id nor id");
        assert_eq!(Ids::of_first("{}"), None);
    }

    #[test]
    fn what_is_no_object_is_told() {
        for (text, told) in [
            ("[1]", "JSON a document is an object, found an array"),
            ("7", "JSON a document is an object, found a number"),
            ("{\"a\":1", "JSON EOF while parsing an object at column 6"),
            ("{\"a\":1} x", "JSON trailing characters at column 9"),
            ("nothing", "JSON expected ident at column 2"),
        ] {
            assert_eq!(read(&Ids::Server, text), told);
        }
    }
}
