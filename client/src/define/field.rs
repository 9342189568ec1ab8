//! Fields, declared.

use crate::FieldType;

/// What a Rust type is to the server.
///
/// ```
/// use folio::{FieldType, Kind};
///
/// assert_eq!(<Option<u32>>::KIND, Kind::Scalar("int"));
/// assert_eq!(<Vec<String>>::KIND, Kind::Scalars("string"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Kind {
    /// One of the server's types, such as `int`.
    Scalar(&'static str),
    /// One of these strings, as JSON.
    Enum(&'static [&'static str]),
    /// A struct.
    Embed(&'static [FieldDefinition]),
    /// An array of a scalar type.
    Scalars(&'static str),
    /// An array of such strings.
    Enums(&'static [&'static str]),
    /// An array of structs.
    Embeds(&'static [FieldDefinition]),
    /// Anything.
    Json,
}

impl Kind {
    /// An array whose elements are of a kind, perhaps with nulls among them.
    ///
    /// ```
    /// use folio::Kind;
    ///
    /// assert_eq!(Kind::array(Kind::Scalar("int"), false), Kind::Scalars("int"));
    /// assert_eq!(Kind::array(Kind::Scalar("int"), true), Kind::Json);
    /// ```
    #[must_use]
    pub const fn array(element: Kind, has_nulls: bool) -> Kind {
        match element {
            _ if has_nulls => Kind::Json,
            Kind::Scalar(name) => Kind::Scalars(name),
            Kind::Enum(values) => Kind::Enums(values),
            Kind::Embed(fields) => Kind::Embeds(fields),
            _ => Kind::Json,
        }
    }
}

/// A field as the derive tells it. Its methods are what `#[folio(..)]` says.
///
/// ```
/// use folio::FieldDefinition;
///
/// let age = FieldDefinition::of::<u32>("age").index("sorted").min("0").max("150");
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word of the declaration")]
pub struct FieldDefinition {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) typed: Option<&'static str>,
    pub(crate) required: bool,
    pub(crate) nullable: bool,
    pub(crate) unique: bool,
    pub(crate) nocase: bool,
    pub(crate) immutable: bool,
    pub(crate) index: Option<&'static str>,
    pub(crate) default: Option<&'static str>,
    pub(crate) auto: Option<&'static str>,
    pub(crate) min: Option<&'static str>,
    pub(crate) max: Option<&'static str>,
    pub(crate) min_len: Option<u64>,
    pub(crate) max_len: Option<u64>,
    pub(crate) pattern: Option<&'static str>,
    pub(crate) values: &'static [&'static str],
    pub(crate) computed: Option<&'static str>,
    pub(crate) validate: Option<&'static str>,
}

#[doc(hidden)]
impl FieldDefinition {
    pub const fn of<T: FieldType>(name: &'static str) -> Self {
        Self { kind: T::KIND, nullable: T::NULLABLE, required: !T::NULLABLE, ..Self::json(name) }
    }

    pub const fn json(name: &'static str) -> Self {
        Self {
            name,
            kind: Kind::Json,
            typed: None,
            required: false,
            nullable: true,
            unique: false,
            nocase: false,
            immutable: false,
            index: None,
            default: None,
            auto: None,
            min: None,
            max: None,
            min_len: None,
            max_len: None,
            pattern: None,
            values: &[],
            computed: None,
            validate: None,
        }
    }

    #[must_use]
    pub const fn typed(self, name: &'static str) -> Self {
        Self { typed: Some(name), ..self }
    }

    #[must_use]
    pub const fn optional(self) -> Self {
        Self { required: false, ..self }
    }

    #[must_use]
    pub const fn index(self, kind: &'static str) -> Self {
        Self { index: Some(kind), ..self }
    }

    #[must_use]
    pub const fn unique(self) -> Self {
        Self { unique: true, ..self }
    }

    #[must_use]
    pub const fn nocase(self) -> Self {
        Self { nocase: true, ..self }
    }

    #[must_use]
    pub const fn immutable(self) -> Self {
        Self { immutable: true, ..self }
    }

    #[must_use]
    pub const fn default_json(self, json: &'static str) -> Self {
        Self { default: Some(json), ..self }
    }

    #[must_use]
    pub const fn auto(self, instant: &'static str) -> Self {
        Self { auto: Some(instant), required: false, ..self }
    }

    #[must_use]
    pub const fn min(self, json: &'static str) -> Self {
        Self { min: Some(json), ..self }
    }

    #[must_use]
    pub const fn max(self, json: &'static str) -> Self {
        Self { max: Some(json), ..self }
    }

    #[must_use]
    pub const fn min_len(self, length: u64) -> Self {
        Self { min_len: Some(length), ..self }
    }

    #[must_use]
    pub const fn max_len(self, length: u64) -> Self {
        Self { max_len: Some(length), ..self }
    }

    #[must_use]
    pub const fn pattern(self, regex: &'static str) -> Self {
        Self { pattern: Some(regex), ..self }
    }

    #[must_use]
    pub const fn one_of(self, values: &'static [&'static str]) -> Self {
        Self { values, ..self }
    }

    #[must_use]
    pub const fn computed(self, function: &'static str) -> Self {
        Self { computed: Some(function), ..self }
    }

    #[must_use]
    pub const fn validate(self, function: &'static str) -> Self {
        Self { validate: Some(function), ..self }
    }
}

/// A field by its whole path, as it is declared.
pub(crate) struct Flat {
    pub(crate) path: String,
    pub(crate) field: FieldDefinition,
    /// The server's type.
    pub(crate) ty: String,
    /// Whether it is within an array, or within what may be missing.
    pub(crate) required: bool,
    pub(crate) unique: bool,
}

/// The leaves of structs within structs.
pub(crate) fn flatten(fields: &[FieldDefinition]) -> Vec<Flat> {
    let mut flat = Vec::new();
    descend(fields, "", true, &mut flat);
    flat
}

fn descend(fields: &[FieldDefinition], base: &str, always: bool, flat: &mut Vec<Flat>) {
    for field in fields {
        let path = format!("{base}{}", field.name);
        let always = always && field.required;
        let ty = match field.kind {
            // What a function gives is one field, whatever it holds.
            Kind::Embed(_) | Kind::Embeds(_) if field.computed.is_some() => "json".to_owned(),
            Kind::Embed(inner) => {
                descend(inner, &format!("{path}."), always, flat);
                continue;
            }
            Kind::Embeds(inner) => {
                descend(inner, &format!("{path}[*]."), false, flat);
                continue;
            }
            Kind::Scalar(name) => field.typed.unwrap_or(name).to_owned(),
            Kind::Enum(_) => field.typed.unwrap_or("string").to_owned(),
            Kind::Scalars(name) => format!("array<{}>", field.typed.unwrap_or(name)),
            Kind::Enums(_) => format!("array<{}>", field.typed.unwrap_or("string")),
            Kind::Json => field.typed.unwrap_or("json").to_owned(),
        };
        flat.push(Flat { path, field: *field, ty, required: always, unique: field.unique });
    }
}
