//! What a collection declares. `DOC.CREATE` reads it from arguments or from JSON, `DOC.SCHEMA` prints the JSON.
//!
//! ```text
//!   {"collection":"users","prefix":"users:","mode":"open","fields":[
//!     {"path":"email","type":"string","required":true,"unique":true},
//!     {"path":"age","type":"int","index":"sorted"}]}
//! ```

use serde::{Deserialize, Serialize};

use super::types::{FieldType, Scalar};
use crate::doc::parse::parse_value;
use crate::error::{Code, Error, Result};
use crate::limits::Limits;
use crate::path::{Path, Step};

/// What happens to members that no field declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// They are kept.
    #[default]
    Open,
    /// They are refused.
    Strict,
}

/// The kind of a field's index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IndexKind {
    /// Hashed: equality and membership.
    Set,
    /// Ordered: equality, ranges and order.
    Sorted,
}

/// One declared field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Where the field stands.
    pub path: Path,
    /// Its type.
    pub ty: FieldType,
    /// Whether a document must have it.
    pub required: bool,
    /// Whether it may be null.
    pub nullable: bool,
    /// Whether no two documents may hold the same value.
    pub unique: bool,
    /// Its index. A unique field without one gets a set index.
    pub index: Option<IndexKind>,
}

impl Field {
    /// A field of `ty` at `path` without constraints or index.
    pub fn new(path: Path, ty: FieldType) -> Self {
        Field { path, ty, required: false, nullable: false, unique: false, index: None }
    }

    /// The kind of index over the field, if there is one: hashed for a unique field without a kind.
    pub fn indexed_as(&self) -> Option<IndexKind> {
        self.index.or(self.unique.then_some(IndexKind::Set))
    }

    /// The path whose values the index holds: the elements of an array.
    pub fn index_path(&self) -> Path {
        if self.ty.array { self.path.each() } else { self.path.clone() }
    }
}

/// How a path is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typing {
    /// It leads to values of this type.
    Scalar(Scalar),
    /// It leads to an array of values of this type.
    Array(Scalar),
    /// No field declares it.
    Undeclared,
}

/// The declaration of one collection. An undeclared collection has one too: its prefix and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// The collection's name.
    pub name: Box<str>,
    /// What the keys of its documents begin with.
    pub prefix: Box<str>,
    /// Whether undeclared members are kept.
    pub mode: Mode,
    /// The declared fields, in the order of their declaration.
    pub fields: Vec<Field>,
}

/// The JSON form of a definition.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DefinitionJson {
    collection: Box<str>,
    #[serde(default)]
    prefix: Option<Box<str>>,
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    fields: Vec<FieldJson>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldJson {
    path: String,
    #[serde(rename = "type")]
    ty: String,
    #[serde(default, skip_serializing_if = "is_false")]
    required: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    nullable: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    unique: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    index: Option<IndexKind>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_false(value: &bool) -> bool {
    !value
}

/// Bytes of a collection's name or prefix.
pub const NAME_BYTES_MAX: usize = 512;

impl Definition {
    /// A collection of `name` with the prefix `name:` and no fields.
    pub fn new(name: &str) -> Self {
        Definition {
            name: name.into(),
            prefix: format!("{name}:").into(),
            mode: Mode::Open,
            fields: Vec::new(),
        }
    }

    /// Reads and validates the JSON form. Errors: `JSON`, `SCHEMA`, `PATH`, `LIMITED`.
    pub fn from_json(json: &[u8], limits: &Limits) -> Result<Self> {
        let definition = Definition::read(json, limits)?;
        definition.validate(limits)?;
        Ok(definition)
    }

    /// Reads the JSON form of a definition that was accepted once, whatever rules are in force now.
    /// Errors: `JSON`, `SCHEMA`, `PATH`.
    pub(crate) fn read(json: &[u8], limits: &Limits) -> Result<Self> {
        let text = parse_value(json, limits)?;
        let mut reader = serde_json::Deserializer::from_slice(&text);
        let read: DefinitionJson = serde_path_to_error::deserialize(&mut reader)
            .map_err(|error| Error::new(Code::Schema, format!("definition: {error}")))?;
        let prefix = read.prefix.unwrap_or_else(|| format!("{}:", read.collection).into());
        let mut fields = Vec::with_capacity(read.fields.len().min(limits.fields_max));
        for field in read.fields {
            let path = Path::parse(&field.path, limits.path_steps_max)?;
            let ty = field.ty.parse().map_err(|what: String| {
                Error::new(Code::Schema, format!("field {path}: {what}"))
            })?;
            fields.push(Field {
                path,
                ty,
                required: field.required,
                nullable: field.nullable,
                unique: field.unique,
                index: field.index,
            });
        }
        Ok(Definition { name: read.collection, prefix, mode: read.mode, fields })
    }

    /// The JSON form, minified; reads back as the same definition.
    pub fn to_json(&self) -> String {
        let fields = self.fields.iter().map(|field| FieldJson {
            path: field.path.to_string(),
            ty: field.ty.to_string(),
            required: field.required,
            nullable: field.nullable,
            unique: field.unique,
            index: field.index,
        });
        let json = DefinitionJson {
            collection: self.name.clone(),
            prefix: Some(self.prefix.clone()),
            mode: self.mode,
            fields: fields.collect(),
        };
        serde_json::to_string(&json).expect("strings, booleans and lists have a JSON form")
    }

    /// Whether the definition makes sense by itself. Errors: `SCHEMA`, `LIMITED`.
    pub fn validate(&self, limits: &Limits) -> Result<()> {
        let schema = |what: String| Err(Error::new(Code::Schema, what));
        if self.name.is_empty() || self.name.contains(':') {
            return schema(format!("'{}' is no collection name: empty or with a ':'", self.name));
        }
        if self.prefix.is_empty() {
            return schema(format!("the prefix of collection '{}' is empty", self.name));
        }
        let longest = self.name.len().max(self.prefix.len());
        if longest > NAME_BYTES_MAX {
            return schema(format!(
                "a name of {longest} bytes exceeds the limit of {NAME_BYTES_MAX}"
            ));
        }
        if self.fields.len() > limits.fields_max {
            let (count, most) = (self.fields.len(), limits.fields_max);
            let what = format!("{count} fields exceed the limit of {most} (folio.fields-max)");
            return Err(Error::new(Code::Limited, what));
        }
        for (at, field) in self.fields.iter().enumerate() {
            let is_same = |other: &&Field| {
                other.path == field.path || other.index_path() == field.index_path()
            };
            if let Some(other) = self.fields[..at].iter().find(is_same) {
                let (path, other) = (&field.path, &other.path);
                return schema(format!("field {path} is declared twice, first as {other}"));
            }
            if field.ty.array && field.path.is_multi() {
                return schema(format!(
                    "field {} is an array within [*]: declare its elements",
                    field.path
                ));
            }
            if field.path.steps().iter().any(|step| matches!(step, Step::Index(_))) {
                return schema(format!(
                    "field {} names one element of an array: declare [*]",
                    field.path
                ));
            }
        }
        Ok(())
    }

    /// How `path` is declared. An element `p[3]` or `p[*]` of an array field has the elements' type, and `[3]`
    /// in a path matches `[*]` in a declaration.
    pub fn typing(&self, path: &Path) -> Typing {
        let steps = path.steps();
        for field in &self.fields {
            if same_place(field.path.steps(), steps) {
                let scalar = field.ty.scalar;
                return if field.ty.array { Typing::Array(scalar) } else { Typing::Scalar(scalar) };
            }
            if let ([parent @ .., Step::Index(_) | Step::Each], true) = (steps, field.ty.array)
                && same_place(field.path.steps(), parent)
            {
                return Typing::Scalar(field.ty.scalar);
            }
        }
        Typing::Undeclared
    }
}

/// Whether a path's steps lead where a declaration's do.
fn same_place(declared: &[Step], steps: &[Step]) -> bool {
    declared.len() == steps.len()
        && declared.iter().zip(steps).all(|(declared, step)| match (declared, step) {
            (Step::Each, Step::Index(_)) => true,
            _ => declared == step,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Definition {
        Definition::from_json(json.as_bytes(), &Limits::default()).unwrap()
    }

    fn refused(definition: &Definition) -> String {
        let error = definition.validate(&Limits::default()).unwrap_err();
        assert_eq!(error.code, Code::Schema);
        error.message.to_string()
    }

    #[test]
    fn a_name_or_prefix_is_empty_or_too_long() {
        let sound = read(r#"{"collection":"t","fields":[]}"#);
        let (empty, longest) = (String::new(), "n".repeat(NAME_BYTES_MAX));
        let longer = format!("{longest}n");
        let told = |name: &str, prefix: &str| {
            refused(&Definition { name: name.into(), prefix: prefix.into(), ..sound.clone() })
        };
        let too_long = "a name of 513 bytes exceeds the limit of 512";
        assert_eq!(told(&longer, "n:"), too_long);
        assert_eq!(told("n", &longer), too_long);
        assert_eq!(told("n", &empty), "the prefix of collection 'n' is empty");
        assert_eq!(told(&empty, "n:"), "'' is no collection name: empty or with a ':'");
        let definition = Definition { name: longest.clone().into(), ..sound };
        assert!(definition.validate(&Limits::default()).is_ok());
    }

    #[test]
    fn a_field_is_no_single_element_and_no_array_within_one() {
        let told = |path: &str, ty: &str| {
            let field = format!(r#"{{"path":"{path}","type":"{ty}"}}"#);
            let json = format!(r#"{{"collection":"t","fields":[{field}]}}"#);
            let error = Definition::from_json(json.as_bytes(), &Limits::default()).unwrap_err();
            (error.code, error.message.to_string())
        };
        let refusal = |what: &str| (Code::Schema, what.to_owned());
        assert_eq!(
            told("items[*].tags", "array<string>"),
            refusal("field items[*].tags is an array within [*]: declare its elements")
        );
        assert_eq!(
            told("items[3]", "string"),
            refusal("field items[3] names one element of an array: declare [*]")
        );
    }
}
