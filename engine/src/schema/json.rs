//! The JSON form of a definition: `DOC.CREATE .. DEFINITION` reads it, `DOC.SCHEMA` prints it, files and replicas carry it.
//!
//! ```text
//!   {"collection":"users","prefix":"users:","mode":"open","fields":[
//!     {"path":"email","type":"string","required":true,"unique":true},
//!     {"path":"age","type":"int","index":"sorted"}],
//!    "indexes":[
//!     {"name":"by_city","on":[{"path":"city"},{"path":"age","order":"desc"}],"where":"age >= 18"}]}
//! ```
//! Behind them may stand `"changes"`, and `"schema":2,"lazy":true,"migrations":[{"to":1,"up":"split","down":"join"}]`.
//! What has its default is not printed.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::callee::Callee;
use super::changes::ChangeStream;
use super::constraint::{Auto, Constraints, Declared};
use super::definition::{Definition, Field, Mode};
use super::index::{IndexKind, NamedIndex, Nulls, On, Order};
use super::migration::{Migration, Migrations};
use super::options::{Ids, Options};
use crate::doc::parse::parse_value;
use crate::error::{Code, Error, Result};
use crate::limits::Limits;
use crate::path::Path;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DefinitionJson {
    collection: Box<str>,
    #[serde(default)]
    prefix: Option<Box<str>>,
    #[serde(default)]
    mode: Mode,
    #[serde(default, skip_serializing_if = "is_default")]
    ttl: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    ids: Ids,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    validate: Option<Box<str>>,
    #[serde(default)]
    fields: Vec<FieldJson>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    indexes: Vec<IndexJson>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    changes: Option<ChangeStream>,
    #[serde(default, skip_serializing_if = "is_default")]
    schema: u16,
    #[serde(default, skip_serializing_if = "is_default")]
    lazy: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    migrations: Vec<MigrationJson>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MigrationJson {
    to: u16,
    up: Box<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    down: Option<Box<str>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "the members of a JSON object, as they are told")]
struct FieldJson {
    path: String,
    #[serde(rename = "type")]
    ty: String,
    #[serde(default, skip_serializing_if = "is_default")]
    nocase: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    required: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    nullable: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    unique: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    index: Option<IndexKind>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    minlen: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    maxlen: Option<u64>,
    #[serde(default, rename = "enum", skip_serializing_if = "Option::is_none")]
    values: Option<Vec<Box<RawValue>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pattern: Option<Box<str>>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    default: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "is_default")]
    immutable: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    auto: Option<Auto>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    computed: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    validate: Option<Box<str>>,
}

/// A member that is there, be it null.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(from).map(Some)
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct IndexJson {
    name: Box<str>,
    on: Vec<OnJson>,
    #[serde(default, skip_serializing_if = "is_default")]
    using: IndexKind,
    #[serde(default, skip_serializing_if = "is_default")]
    unique: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    nulls: Nulls,
    #[serde(default, rename = "where", skip_serializing_if = "is_default")]
    filter: Option<Box<str>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OnJson {
    path: String,
    #[serde(default, skip_serializing_if = "is_default")]
    order: Order,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl FieldJson {
    fn of(field: &Field) -> Self {
        let nothing = Constraints::default();
        let constraints = field.constraints.as_deref().unwrap_or(&nothing);
        let json =
            |text: &str| RawValue::from_string(text.to_owned()).expect("it was read as JSON");
        let raw = |declared: &Declared| json(&declared.json);
        FieldJson {
            path: field.path.to_string(),
            ty: field.ty.to_string(),
            nocase: field.folds_case(),
            required: field.required,
            nullable: field.nullable,
            unique: field.unique,
            index: field.index,
            min: constraints.min.as_ref().map(raw),
            max: constraints.max.as_ref().map(raw),
            minlen: constraints.min_len,
            maxlen: constraints.max_len,
            values: (!constraints.values.is_empty())
                .then(|| constraints.values.iter().map(raw).collect()),
            pattern: constraints.pattern.as_ref().map(|pattern| pattern.source().into()),
            default: constraints.default.as_deref().map(json),
            immutable: constraints.immutable,
            auto: constraints.auto,
            computed: field.computed.as_ref().map(|callee| callee.name().into()),
            validate: field.validate.as_ref().map(|callee| callee.name().into()),
        }
    }

    fn read(self, limits: &Limits) -> Result<Field> {
        let path = Path::parse(&self.path, limits.path_steps_max)?;
        let ty = self
            .ty
            .parse()
            .map_err(|what: String| Error::new(Code::Schema, format!("field {path}: {what}")))?;
        let mut field = Field {
            required: self.required,
            nullable: self.nullable,
            unique: self.unique,
            index: self.index,
            computed: self.computed.as_deref().map(Callee::new),
            validate: self.validate.as_deref().map(Callee::new),
            ..Field::new(path, ty)
        };
        if self.nocase {
            field.fold_case()?;
        }
        self.constrain(&mut field, limits)?;
        Ok(field)
    }

    fn constrain(self, field: &mut Field, limits: &Limits) -> Result<()> {
        if let Some(min) = self.min {
            field.constrain(|constraints, ty| constraints.set_min(ty, min.get()))?;
        }
        if let Some(max) = self.max {
            field.constrain(|constraints, ty| constraints.set_max(ty, max.get()))?;
        }
        if let Some(length) = self.minlen {
            field.constrain(|constraints, ty| constraints.set_min_len(ty, length))?;
        }
        if let Some(length) = self.maxlen {
            field.constrain(|constraints, ty| constraints.set_max_len(ty, length))?;
        }
        if let Some(values) = self.values {
            let values = values.iter().map(|value| value.get());
            field.constrain(|constraints, ty| constraints.set_values(ty, values))?;
        }
        if let Some(regex) = self.pattern {
            field.constrain(|constraints, ty| constraints.set_pattern(ty, &regex, limits))?;
        }
        if let Some(auto) = self.auto {
            field.constrain(|constraints, ty| constraints.set_auto(ty, auto))?;
        }
        if self.default.is_some() || self.immutable {
            let constraints = field.constraints.get_or_insert_default();
            constraints.default = self.default.map(|json| json.get().into());
            constraints.immutable = self.immutable;
        }
        Ok(())
    }
}

impl IndexJson {
    fn of(index: &NamedIndex) -> Self {
        let on = index.on.iter().map(|on| OnJson { path: on.path.to_string(), order: on.order });
        IndexJson {
            name: index.name.clone(),
            on: on.collect(),
            using: index.kind,
            unique: index.unique,
            nulls: index.nulls,
            filter: index.filter.clone(),
        }
    }

    fn read(self, limits: &Limits) -> Result<NamedIndex> {
        let IndexJson { name, on, using: kind, unique, nulls, filter } = self;
        let on = on.into_iter().map(|OnJson { path, order }| {
            Ok(On { path: Path::parse(&path, limits.path_steps_max)?, order })
        });
        Ok(NamedIndex { name, on: on.collect::<Result<_>>()?, kind, unique, nulls, filter })
    }
}

impl MigrationJson {
    fn of(migration: &Migration) -> Self {
        MigrationJson {
            to: migration.number,
            up: migration.up.name().into(),
            down: migration.down.as_ref().map(|callee| callee.name().into()),
        }
    }
}

impl Definition {
    /// Reads and validates the JSON form. Errors: `JSON`, `SCHEMA`, `PATH`, `LIMITED`.
    pub fn from_json(json: &[u8], limits: &Limits) -> Result<Self> {
        let definition = Definition::parse(json, limits)?;
        definition.validate(limits)?;
        Ok(definition)
    }

    /// Reads the JSON form of a definition that was accepted once, whatever rules are in force now.
    /// Errors: `JSON`, `SCHEMA`, `PATH`.
    pub(crate) fn read(json: &[u8], limits: &Limits) -> Result<Self> {
        let definition = Definition::parse(json, limits)?;
        // Indexes are made of it, for which this much has to hold.
        for index in &definition.indexes {
            index.resolve(&definition, &Limits::none())?;
        }
        Ok(definition)
    }

    fn parse(json: &[u8], limits: &Limits) -> Result<Self> {
        let text = parse_value(json, limits)?;
        let mut reader = serde_json::Deserializer::from_slice(&text);
        let read: DefinitionJson = serde_path_to_error::deserialize(&mut reader)
            .map_err(|error| Error::new(Code::Schema, format!("definition: {error}")))?;
        let prefix = read.prefix.unwrap_or_else(|| format!("{}:", read.collection).into());
        let fields = read.fields.into_iter().map(|field| field.read(limits));
        let indexes = read.indexes.into_iter().map(|index| index.read(limits));
        let steps = read.migrations.into_iter().map(|MigrationJson { to, up, down }| Migration {
            number: to,
            up: Callee::new(&up),
            down: down.as_deref().map(Callee::new),
        });
        let migrations =
            Migrations { version: read.schema, is_lazy: read.lazy, steps: steps.collect() };
        Ok(Definition {
            name: read.collection,
            prefix,
            mode: read.mode,
            validate: read.validate.as_deref().map(Callee::new),
            options: Options { ttl_seconds: read.ttl, ids: read.ids, changes: read.changes },
            migrations,
            fields: fields.collect::<Result<_>>()?,
            indexes: indexes.collect::<Result<_>>()?,
        })
    }

    /// The JSON form, minified; reads back as the same definition.
    pub fn to_json(&self) -> String {
        let json = DefinitionJson {
            collection: self.name.clone(),
            prefix: Some(self.prefix.clone()),
            mode: self.mode,
            ttl: self.options.ttl_seconds,
            ids: self.options.ids,
            validate: self.validate.as_ref().map(|callee| callee.name().into()),
            fields: self.fields.iter().map(FieldJson::of).collect(),
            indexes: self.indexes.iter().map(IndexJson::of).collect(),
            changes: self.options.changes,
            schema: self.migrations.version,
            lazy: self.migrations.is_lazy,
            migrations: self.migrations.steps.iter().map(MigrationJson::of).collect(),
        };
        serde_json::to_string(&json).expect("strings, booleans and lists have a JSON form")
    }
}
