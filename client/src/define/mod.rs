//! What the server is told of a type: constants that the derives write.

mod field;
mod json;

pub use field::{FieldDefinition, Kind};

/// What a collection is declared to be, as [`Document::DEFINITION`](crate::Document::DEFINITION) has it.
///
/// ```
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::Document;
/// # use shop::User;
/// assert_eq!(User::DEFINITION.collection, "shop.users");
/// assert_eq!(User::DEFINITION.ttl_seconds, 2_592_000);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Definition {
    /// The collection's name.
    pub collection: &'static str,
    /// What its keys begin with; else the name and a colon.
    pub prefix: Option<&'static str>,
    /// Whether undeclared members are refused.
    pub strict: bool,
    /// How long a document lives that is written whole; 0: until it is removed.
    pub ttl_seconds: u64,
    /// Where ids come from.
    pub ids: IdStrategy,
    /// The function that judges each document, if there is one.
    pub validate: Option<&'static str>,
    /// The change stream, if there is one.
    pub changes: Option<ChangesDefinition>,
    /// The fields.
    pub fields: &'static [FieldDefinition],
    /// The indexes that are declared at the type.
    pub indexes: &'static [IndexDefinition],
}

/// An index that is declared at a type.
///
/// ```
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::Document;
/// # use shop::User;
/// let index = &User::DEFINITION.indexes[1];
/// assert_eq!(index.on, [("address.city", false), ("age", true)]);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct IndexDefinition {
    /// Its name.
    pub name: &'static str,
    /// The paths, each with whether it descends.
    pub on: &'static [(&'static str, bool)],
    /// Whether no two documents hold the same values.
    pub unique: bool,
    /// `sorted`, `set` or `substring`.
    pub using: &'static str,
    /// Which documents it is of, as a filter's text.
    pub filter: Option<&'static str>,
}

/// What a change stream tells.
///
/// ```
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::Document;
/// # use shop::User;
/// assert_eq!(User::DEFINITION.changes.map(|changes| changes.what), Some("keys"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangesDefinition {
    /// `keys`, `after` or `both`.
    pub what: &'static str,
    /// About how many entries are kept.
    pub max_len: Option<u64>,
}

/// Where a document's id comes from.
///
/// ```
/// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
/// # use folio::{Document, IdStrategy};
/// # use shop::Order;
/// assert_eq!(Order::DEFINITION.ids, IdStrategy::Sequence);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdStrategy {
    /// UUIDs of version 7, made here.
    Uuid7,
    /// ULIDs, made here.
    Ulid,
    /// Decimal numbers, made by the server.
    Sequence,
    /// What the document brings.
    Natural,
}

impl Definition {
    /// What the keys of the collection begin with.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::User;
    /// assert_eq!(User::DEFINITION.key_prefix(), "shop.users:");
    /// ```
    pub fn key_prefix(&self) -> String {
        self.prefix.map_or_else(|| format!("{}:", self.collection), Into::into)
    }

    /// The definition as `DOC.CREATE .. DEFINITION` takes it.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use folio::Document;
    /// # use shop::Country;
    /// let expected = r#"{"collection":"shop.countries","fields":[{"path":"name","type":"string","required":true,"unique":true}]}"#;
    /// assert_eq!(Country::DEFINITION.to_json().to_string(), expected);
    /// ```
    pub fn to_json(&self) -> serde_json::Value {
        json::definition(self)
    }

    /// Whether documents hold the value at a path alone. A value that is computed they do not hold.
    pub(crate) fn is_unique(&self, path: &str) -> bool {
        let alone = |index: &&IndexDefinition| {
            index.unique && index.filter.is_none() && index.on.len() == 1 && index.on[0].0 == path
        };
        let fields = field::flatten(self.fields);
        if fields.iter().any(|field| field.path == path && field.field.computed.is_some()) {
            return false;
        }
        fields.iter().any(|field| field.unique && field.path == path)
            || self.indexes.iter().any(|index| alone(&index))
    }

    /// The name of the index over these paths, as an error of the server names them.
    pub(crate) fn index_over(&self, paths: &[String]) -> Option<&'static str> {
        let is_it = |index: &&IndexDefinition| {
            index.unique
                && index.on.iter().map(|(path, _)| *path).eq(paths.iter().map(String::as_str))
        };
        self.indexes.iter().find(is_it).map(|index| index.name)
    }
}
