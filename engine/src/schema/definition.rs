//! What a collection declares. `DOC.CREATE` reads it from arguments or from JSON ([`super::json`]).

use serde::{Deserialize, Serialize};

use super::callee::Callee;
use super::check;
use super::constraint::{Auto, Constraints};
use super::index::{self, IndexKind, NamedIndex};
use super::migration::Migrations;
use super::options::Options;
use super::types::{FieldType, Scalar};
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
    /// What its values must be besides; of most fields nothing.
    pub constraints: Option<Box<Constraints>>,
    /// The function that gives its value, which no document holds.
    pub computed: Option<Callee>,
    /// A function that judges its values.
    pub validate: Option<Callee>,
}

impl Field {
    /// A field of `ty` at `path` without constraints or index.
    pub fn new(path: Path, ty: FieldType) -> Self {
        Field {
            path,
            ty,
            required: false,
            nullable: false,
            unique: false,
            index: None,
            constraints: None,
            computed: None,
            validate: None,
        }
    }

    /// Declares a constraint on its values, in `set`. Errors: those of `set`, with the field's name.
    pub fn constrain(
        &mut self,
        set: impl FnOnce(&mut Constraints, FieldType) -> Result<()>,
    ) -> Result<()> {
        set(self.constraints.get_or_insert_default(), self.ty).map_err(|error| self.refuse(&error))
    }

    /// What the server sets it to.
    pub fn auto(&self) -> Option<Auto> {
        self.constraints.as_ref()?.auto
    }

    fn refuse(&self, error: &Error) -> Error {
        Error::new(error.code, format!("field {} {}", self.path, error.message))
    }

    /// Compares the field's strings without the case of their letters: NOCASE. Error: `SCHEMA`, where it holds none.
    pub fn fold_case(&mut self) -> Result<()> {
        self.ty = self.ty.without_case().ok_or_else(|| {
            let Field { path, ty, .. } = self;
            let what =
                format!("field {path} is declared {ty}; NOCASE is for string, array<string>");
            Error::new(Code::Schema, what)
        })?;
        let listed = self.constraints.as_ref().map_or_else(Vec::new, |it| it.values.clone());
        if listed.is_empty() {
            return Ok(());
        }
        // What was listed is compared without case now.
        let values = listed.iter().map(|value| &*value.json);
        self.constrain(|constraints, ty| constraints.set_values(ty, values))
    }

    /// Whether it is declared NOCASE.
    pub fn folds_case(&self) -> bool {
        self.ty.scalar == Scalar::NoCase
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
    /// What else is declared of the whole.
    pub options: Options,
    /// A function that judges each document.
    pub validate: Option<Callee>,
    /// The schema version in force, and how documents are brought to it.
    pub migrations: Migrations,
    /// The declared fields, in the order of their declaration.
    pub fields: Vec<Field>,
    /// The indexes that are declared by themselves, in the order of their declaration.
    pub indexes: Vec<NamedIndex>,
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
            options: Options::default(),
            validate: None,
            migrations: Migrations::default(),
            fields: Vec::new(),
            indexes: Vec::new(),
        }
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
            if let Some(constraints) = &field.constraints {
                constraints.validate(&field.path).map_err(|error| field.refuse(&error))?;
                check::check_default(field)?;
            }
            field.validate_computed(self)?;
            let is_around = |other: &&Field| {
                other.computed.is_some() && field.path.steps().starts_with(other.path.steps())
            };
            if field.computed.is_some()
                && let Some(other) =
                    self.fields.iter().filter(|it| it.path != field.path).find(is_around)
            {
                let (path, other) = (&field.path, &other.path);
                return schema(format!("field {path} is COMPUTED, and so is {other} around it"));
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
        self.options.validate()?;
        self.migrations.validate()?;
        index::validate(self, limits)
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
