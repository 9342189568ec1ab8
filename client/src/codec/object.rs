//! JSON objects as texts: their members are told apart, and their values stay as they are written.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::define::{FieldDefinition, Kind};

/// The members of an object, in order.
struct Object<'a>(Vec<(String, &'a RawValue)>);

struct Reader;

impl<'a> Visitor<'a> for Reader {
    type Value = Object<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Object<'a>, A::Error> {
        let mut members = Vec::with_capacity(map.size_hint().unwrap_or_default());
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Object(members))
    }
}

impl<'a> Deserialize<'a> for Object<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Reader)
    }
}

/// The members of the object that a text is; `None` if it is none.
pub(crate) fn members(text: &str) -> Option<Vec<(String, &RawValue)>> {
    if !text.starts_with('{') {
        return None;
    }
    serde_json::from_str(text).ok().map(|Object(members)| members)
}

/// Leaves out the structs that are null. They are declared by their fields alone, so that a strict collection knows
/// nothing that could be null in their place.
pub(super) fn without_null_structs(text: String, fields: &[FieldDefinition]) -> String {
    if !may_be_null(fields) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    write_object(&text, fields, &mut out);
    out
}

fn inner(field: &FieldDefinition) -> Option<&'static [FieldDefinition]> {
    match field.kind {
        Kind::Embed(fields) | Kind::Embeds(fields) => Some(fields),
        _ => None,
    }
}

fn may_be_null(fields: &[FieldDefinition]) -> bool {
    let mut structs = fields.iter().filter_map(|field| Some((field, inner(field)?)));
    structs.any(|(field, inner)| field.nullable || may_be_null(inner))
}

fn write_object(text: &str, fields: &[FieldDefinition], out: &mut String) {
    let Some(members) = members(text) else { return out.push_str(text) };
    out.push('{');
    let mut comma = "";
    for (name, value) in members {
        let inner = fields.iter().find(|field| field.name == name).and_then(inner);
        if inner.is_some() && value.get() == "null" {
            continue;
        }
        out.push_str(comma);
        comma = ",";
        out.push_str(&serde_json::Value::from(name).to_string());
        out.push(':');
        match inner {
            Some(fields) => write_struct(value.get(), fields, out),
            None => out.push_str(value.get()),
        }
    }
    out.push('}');
}

/// A struct, or an array of them.
fn write_struct(text: &str, fields: &[FieldDefinition], out: &mut String) {
    if !text.starts_with('[') {
        return write_object(text, fields, out);
    }
    let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(text) else {
        return out.push_str(text);
    };
    let mut comma = "[";
    for element in &elements {
        out.push_str(comma);
        comma = ",";
        write_object(element.get(), fields, out);
    }
    out.push_str(if elements.is_empty() { "[]" } else { "]" });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_structs_that_are_null_are_left_out() {
        const PLACE: FieldDefinition =
            FieldDefinition { kind: Kind::Embed(&[]), ..FieldDefinition::json("place") };
        const ITEMS: FieldDefinition =
            FieldDefinition { kind: Kind::Embeds(&[PLACE]), ..FieldDefinition::json("items") };
        let fields = [PLACE, ITEMS, FieldDefinition::json("note")];
        let written = |text: &str| without_null_structs(text.into(), &fields);
        assert_eq!(written(r#"{"place":null,"note":null}"#), r#"{"note":null}"#);
        assert_eq!(
            written(r#"{"n":1.50,"items":[{"place":null,"qty":1},{"place":{}},null],"a\"":2}"#),
            r#"{"n":1.50,"items":[{"qty":1},{"place":{}},null],"a\"":2}"#
        );
        assert_eq!(
            written(r#"{"items":[],"place":{"x":null}}"#),
            r#"{"items":[],"place":{"x":null}}"#
        );
        assert_eq!(written(r#"{"items":null}"#), "{}");
    }
}
