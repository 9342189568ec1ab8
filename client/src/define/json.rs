//! A definition in the form that `DOC.CREATE .. DEFINITION` reads. What has its default is left out.

use serde_json::{Map, Value, json};

use super::field::{Flat, Kind, flatten};
use super::{Definition, IdStrategy, IndexDefinition};

pub(super) fn definition(definition: &Definition) -> Value {
    let mut told = Map::new();
    told.insert("collection".into(), definition.collection.into());
    if let Some(prefix) = definition.prefix {
        told.insert("prefix".into(), prefix.into());
    }
    if definition.strict {
        told.insert("mode".into(), "strict".into());
    }
    if definition.ttl_seconds > 0 {
        told.insert("ttl".into(), definition.ttl_seconds.into());
    }
    let ids = match definition.ids {
        IdStrategy::Ulid => Some("ulid"),
        IdStrategy::Sequence => Some("sequence"),
        IdStrategy::Uuid7 | IdStrategy::Natural => None,
    };
    if let Some(ids) = ids {
        told.insert("ids".into(), ids.into());
    }
    if let Some(function) = definition.validate {
        told.insert("validate".into(), function.into());
    }
    let fields = flatten(definition.fields).iter().map(field).collect();
    told.insert("fields".into(), Value::Array(fields));
    if !definition.indexes.is_empty() {
        told.insert("indexes".into(), definition.indexes.iter().map(index).collect());
    }
    if let Some(changes) = definition.changes {
        let mut stream = Map::new();
        stream.insert("what".into(), changes.what.into());
        if let Some(max) = changes.max_len {
            stream.insert("maxlen".into(), max.into());
        }
        told.insert("changes".into(), stream.into());
    }
    Value::Object(told)
}

fn field(flat: &Flat) -> Value {
    let field = &flat.field;
    let mut told = Map::new();
    told.insert("path".into(), flat.path.as_str().into());
    told.insert("type".into(), flat.ty.as_str().into());
    let words = [
        ("nocase", field.nocase),
        ("required", flat.required),
        ("nullable", field.nullable && flat.ty != "json"),
        ("unique", field.unique),
    ];
    for (word, _) in words.iter().filter(|(_, is_set)| *is_set) {
        told.insert((*word).into(), true.into());
    }
    if let Some(kind) = field.index {
        told.insert("index".into(), index_kind(kind, flat).into());
    }
    let texts = [("min", field.min), ("max", field.max)];
    for (word, text) in texts {
        if let Some(text) = text {
            told.insert(word.into(), constant(text, &flat.ty));
        }
    }
    for (word, length) in [("minlen", field.min_len), ("maxlen", field.max_len)] {
        if let Some(length) = length {
            told.insert(word.into(), length.into());
        }
    }
    let values = match field.kind {
        Kind::Enum(values) | Kind::Enums(values) if field.values.is_empty() => values,
        _ => field.values,
    };
    if !values.is_empty() {
        let values = values.iter().map(|text| constant(text, &flat.ty)).collect();
        told.insert("enum".into(), Value::Array(values));
    }
    if let Some(pattern) = field.pattern {
        told.insert("pattern".into(), pattern.into());
    }
    if let Some(text) = field.default {
        told.insert("default".into(), constant(text, &flat.ty));
    }
    if field.immutable {
        told.insert("immutable".into(), true.into());
    }
    if let Some(instant) = field.auto {
        told.insert("auto".into(), instant.into());
    }
    for (word, function) in [("computed", field.computed), ("validate", field.validate)] {
        if let Some(function) = function {
            told.insert(word.into(), function.into());
        }
    }
    Value::Object(told)
}

/// A constant; what the derive has read is JSON. A decimal is text, so that no digit of it is lost.
fn constant(text: &str, ty: &str) -> Value {
    let value: Value = serde_json::from_str(text).unwrap_or_else(|_| text.into());
    if ty.contains("decimal") && value.is_number() { text.into() } else { value }
}

/// The index that is meant where no kind is named.
fn index_kind(kind: &'static str, flat: &Flat) -> &'static str {
    match kind {
        "" if flat.ty.starts_with("array<") || flat.ty == "bool" || flat.ty == "json" => "set",
        "" if matches!(flat.field.kind, Kind::Enum(_)) => "set",
        "" => "sorted",
        kind => kind,
    }
}

fn index(index: &IndexDefinition) -> Value {
    let on: Vec<Value> = index
        .on
        .iter()
        .map(|(path, descends)| match descends {
            true => json!({"path": path, "order": "desc"}),
            false => json!({"path": path}),
        })
        .collect();
    let mut told = Map::new();
    told.insert("name".into(), index.name.into());
    told.insert("on".into(), Value::Array(on));
    if index.using != "sorted" {
        told.insert("using".into(), index.using.into());
    }
    if index.unique {
        told.insert("unique".into(), true.into());
    }
    if let Some(filter) = index.filter {
        told.insert("where".into(), filter.into());
    }
    Value::Object(told)
}
