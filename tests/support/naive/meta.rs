//! What stands where a path may without being a member of the document: its key, its births and
//! versions, its times. And the place in which a path is read: a document, or an element of it.

use super::{
    json::Json,
    path::{Path, Step},
    schema::{Kind, NaiveSchema},
    time,
};

/// A name of the metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meta {
    /// `_key`
    Key,
    /// `_id`: the key without the collection's prefix
    Id,
    /// `_seq`: the birth number
    Sequence,
    /// `_version`
    Version,
    /// `_created`
    Created,
    /// `_updated`
    Updated,
    /// `_expires`: missing where the document has no TTL
    Expires,
    /// `_valid`
    Valid,
}

impl Meta {
    /// Each of them.
    pub const ALL: [Self; 8] = [
        Self::Key,
        Self::Id,
        Self::Sequence,
        Self::Version,
        Self::Created,
        Self::Updated,
        Self::Expires,
        Self::Valid,
    ];

    /// The name in the language.
    pub fn text(self) -> &'static str {
        match self {
            Self::Key => "_key",
            Self::Id => "_id",
            Self::Sequence => "_seq",
            Self::Version => "_version",
            Self::Created => "_created",
            Self::Updated => "_updated",
            Self::Expires => "_expires",
            Self::Valid => "_valid",
        }
    }

    /// Its type.
    pub fn kind(self) -> Kind {
        match self {
            Self::Key | Self::Id => Kind::String,
            Self::Sequence | Self::Version => Kind::Int,
            Self::Created | Self::Updated | Self::Expires => Kind::Datetime,
            Self::Valid => Kind::Bool,
        }
    }
}

/// The metadata of a document.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The whole key.
    pub key: String,
    /// The key without the collection's prefix.
    pub id: String,
    /// The birth number.
    pub sequence: u64,
    /// The version.
    pub version: u64,
    /// When it was born, in milliseconds since 1970.
    pub created_ms: i64,
    /// When it last changed, in milliseconds since 1970.
    pub updated_ms: i64,
    /// When it lapses, in milliseconds since 1970.
    pub expires_ms: Option<i64>,
    /// Whether it keeps to its collection's declaration.
    pub is_valid: bool,
}

impl Facts {
    /// The value of a name, as a JSON value of its type.
    pub fn value(&self, meta: Meta) -> Option<Json> {
        Some(match meta {
            Meta::Key => Json::String(self.key.clone()),
            Meta::Id => Json::String(self.id.clone()),
            Meta::Sequence => Json::Number(self.sequence.to_string()),
            Meta::Version => Json::Number(self.version.to_string()),
            Meta::Created => Json::Number(self.created_ms.to_string()),
            Meta::Updated => Json::Number(self.updated_ms.to_string()),
            Meta::Expires => Json::Number(self.expires_ms?.to_string()),
            Meta::Valid => Json::Bool(self.is_valid),
        })
    }
}

/// Where paths begin, as far as the declaration tells: at a document, or at an element within.
#[derive(Clone, Debug)]
pub struct Frame<'a> {
    /// What is declared.
    pub schema: &'a NaiveSchema,
    within: Vec<Step>,
}

impl<'a> Frame<'a> {
    /// Paths begin at the document.
    pub fn document(schema: &'a NaiveSchema) -> Self {
        Self { schema, within: Vec::new() }
    }

    /// Paths begin at an element of the array at this path.
    #[must_use]
    pub fn element(&self, path: &Path) -> Self {
        Self { schema: self.schema, within: self.whole(&path.every()) }
    }

    /// The type that governs a path.
    pub fn kind_of(&self, path: &Path) -> Option<Kind> {
        match path.meta() {
            Some(meta) => Some(meta.kind()),
            None => self.schema.kind_of(&Path(self.whole(path))).cloned(),
        }
    }

    /// Whether a path can be asked for here: `@` stands only for elements.
    pub fn knows(&self, path: &Path) -> bool {
        !self.within.is_empty() || path.0.first() != Some(&Step::Element)
    }

    fn whole(&self, path: &Path) -> Vec<Step> {
        let steps = path.0.iter().filter(|step| **step != Step::Element);
        self.within.iter().chain(steps).cloned().collect()
    }
}

/// Where a filter is asked: a document or an element of it, at an instant.
#[derive(Clone, Debug)]
pub struct Scope<'a> {
    /// What is declared of what stands here.
    pub frame: Frame<'a>,
    /// The document, or the element.
    pub root: &'a Json,
    /// The document's metadata.
    pub facts: &'a Facts,
    /// The instant at which the command began, in milliseconds since 1970.
    pub now_ms: i64,
}

impl<'a> Scope<'a> {
    /// A document.
    pub fn document(
        root: &'a Json,
        schema: &'a NaiveSchema,
        facts: &'a Facts,
        now_ms: i64,
    ) -> Self {
        Self { frame: Frame::document(schema), root, facts, now_ms }
    }

    /// An element of the array at this path.
    #[must_use]
    pub fn element<'b>(&self, path: &Path, element: &'b Json) -> Scope<'b>
    where
        'a: 'b,
    {
        let frame = self.frame.element(path);
        Scope { frame, root: element, facts: self.facts, now_ms: self.now_ms }
    }

    /// The values to which a path leads.
    pub fn values(&self, path: &Path) -> Vec<Json> {
        match path.meta() {
            Some(meta) => self.facts.value(meta).into_iter().collect(),
            None if self.frame.within.is_empty() => self.frame.schema.values(path, self.root),
            None => path.values(self.root).into_iter().cloned().collect(),
        }
    }

    /// The same as rows and distinct values have them: instants of metadata are RFC 3339 text.
    pub fn shown_values(&self, path: &Path) -> Vec<Json> {
        let is_instant = path.meta().is_some_and(|meta| meta.kind() == Kind::Datetime);
        let show = |value| match value {
            Json::Number(milliseconds) if is_instant => {
                let milliseconds =
                    milliseconds.parse().expect("an instant of metadata is a number");
                Json::String(time::text(&milliseconds).expect("a time to live ends in our era"))
            }
            value => value,
        };
        self.values(path).into_iter().map(show).collect()
    }

    /// The type that governs a path.
    pub fn kind_of(&self, path: &Path) -> Option<Kind> {
        self.frame.kind_of(path)
    }
}
