//! What a collection is declared to be.

use crate::Executor;

/// How a field is indexed.
///
/// ```
/// let field = folio::untyped::Field::new("tags", "array<string>").index(folio::untyped::Index::Set);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Index {
    /// From a value to its documents: `=`, `IN`, `HAS`.
    Set,
    /// In the order of the values: ranges and `ORDER` as well.
    Sorted,
}

/// How ids are made that the server makes.
///
/// ```
/// let orders = folio::untyped::Definition::new("orders").ids(folio::untyped::Ids::Ulid);
/// assert_eq!(orders.arguments(), ["orders", "IDS", "ULID"]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ids {
    /// UUIDs of version 7; also where nothing is declared.
    Uuid7,
    /// ULIDs.
    Ulid,
    /// Decimal numbers from 1 on, each above every decimal id before.
    Sequence,
}

impl Ids {
    fn word(self) -> &'static str {
        match self {
            Ids::Uuid7 => "UUID7",
            Ids::Ulid => "ULID",
            Ids::Sequence => "SEQUENCE",
        }
    }
}

/// A declared field: path, type, constraints, index.
///
/// ```
/// use folio::untyped::{Field, Index};
///
/// let field = Field::new("email", "string").required().unique().index(Index::Set);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    arguments: Vec<String>,
}

impl Field {
    /// A field at `path` of a type such as `string`, `int`, `decimal` or `array<string>`.
    ///
    /// ```
    /// let field = folio::untyped::Field::new("address.city", "string");
    /// ```
    pub fn new(path: impl Into<String>, field_type: impl Into<String>) -> Self {
        Self { arguments: vec!["FIELD".into(), path.into(), field_type.into()] }
    }

    /// The field's strings compare without the case of their letters.
    ///
    /// ```
    /// let field = folio::untyped::Field::new("email", "string").nocase();
    /// ```
    #[must_use]
    pub fn nocase(self) -> Self {
        self.word("NOCASE")
    }

    /// A document without the field is refused.
    ///
    /// ```
    /// let field = folio::untyped::Field::new("name", "string").required();
    /// ```
    #[must_use]
    pub fn required(self) -> Self {
        self.word("REQUIRED")
    }

    /// The field may be null.
    ///
    /// ```
    /// let field = folio::untyped::Field::new("closed", "datetime").nullable();
    /// ```
    #[must_use]
    pub fn nullable(self) -> Self {
        self.word("NULLABLE")
    }

    /// No two documents of the collection hold the same value.
    ///
    /// ```
    /// let field = folio::untyped::Field::new("email", "string").unique();
    /// ```
    #[must_use]
    pub fn unique(self) -> Self {
        self.word("UNIQUE")
    }

    /// Keeps an index on the field.
    ///
    /// ```
    /// use folio::untyped::{Field, Index};
    ///
    /// let field = Field::new("population", "int").index(Index::Sorted);
    /// ```
    #[must_use]
    pub fn index(self, index: Index) -> Self {
        self.word("INDEX").word(match index {
            Index::Set => "SET",
            Index::Sorted => "SORTED",
        })
    }

    /// No value is below `value`, written without quotes: a number, a decimal, a time.
    ///
    /// ```
    /// let field = folio::untyped::Field::new("age", "int").min(0);
    /// ```
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "min(0) reads better than min(&0)")]
    pub fn min(self, value: impl ToString) -> Self {
        self.word("MIN").word(&value.to_string())
    }

    /// No value is above `value`, written without quotes: a number, a decimal, a time.
    ///
    /// ```
    /// let field = folio::untyped::Field::new("due", "date").max("2099-12-31");
    /// ```
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "max(0) reads better than max(&0)")]
    pub fn max(self, value: impl ToString) -> Self {
        self.word("MAX").word(&value.to_string())
    }

    /// A string has at least so many characters, an array so many elements.
    ///
    /// ```
    /// let field = folio::untyped::Field::new("name", "string").min_len(1);
    /// ```
    #[must_use]
    pub fn min_len(self, length: u64) -> Self {
        self.word("MINLEN").word(&length.to_string())
    }

    /// A string has at most so many characters, an array so many elements.
    ///
    /// ```
    /// let field = folio::untyped::Field::new("tags", "array<string>").max_len(10);
    /// ```
    #[must_use]
    pub fn max_len(self, length: u64) -> Self {
        self.word("MAXLEN").word(&length.to_string())
    }

    /// Every value is one of these, written without quotes.
    ///
    /// ```
    /// let field = folio::untyped::Field::new("status", "string").one_of(["open", "closed"]);
    /// ```
    #[must_use]
    pub fn one_of<T: ToString>(mut self, values: impl IntoIterator<Item = T>) -> Self {
        let values: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
        self = self.word("ENUM").word(&values.len().to_string());
        self.arguments.extend(values);
        self
    }

    /// The regular expression matches somewhere in every value.
    ///
    /// ```
    /// let field = folio::untyped::Field::new("sku", "string").pattern("^[A-Z]{2}[0-9]+$");
    /// ```
    #[must_use]
    pub fn pattern(self, regex: &str) -> Self {
        self.word("PATTERN").word(regex)
    }

    /// Where it is missing, the server puts this JSON in.
    ///
    /// ```
    /// let field = folio::untyped::Field::new("status", "string").default_json(r#""open""#);
    /// ```
    #[must_use]
    pub fn default_json(self, json: &str) -> Self {
        self.word("DEFAULT").word(json)
    }

    /// A value that is there stays.
    ///
    /// ```
    /// let field = folio::untyped::Field::new("owner", "string").immutable();
    /// ```
    #[must_use]
    pub fn immutable(self) -> Self {
        self.word("IMMUTABLE")
    }

    /// The server sets it to the instant of the document's birth.
    ///
    /// ```
    /// let field = folio::untyped::Field::new("created", "datetime").auto_now();
    /// ```
    #[must_use]
    pub fn auto_now(self) -> Self {
        self.word("AUTO").word("NOW")
    }

    /// The server sets it to the instant of the document's last change.
    ///
    /// ```
    /// let field = folio::untyped::Field::new("updated", "datetime").auto_updated();
    /// ```
    #[must_use]
    pub fn auto_updated(self) -> Self {
        self.word("AUTO").word("UPDATED")
    }

    /// A function on the server computes it of each document; no document holds it.
    ///
    /// ```
    /// use folio::untyped::{Field, Index};
    ///
    /// let field = Field::new("slug", "string").computed("text.slug").unique().index(Index::Sorted);
    /// ```
    #[must_use]
    pub fn computed(self, function: &str) -> Self {
        self.word("COMPUTED").word(function)
    }

    /// A function on the server judges every value.
    ///
    /// ```
    /// let field = folio::untyped::Field::new("isbn", "string").validate("is_isbn");
    /// ```
    #[must_use]
    pub fn validate(self, function: &str) -> Self {
        self.word("VALIDATE").word(function)
    }

    fn word(mut self, word: &str) -> Self {
        self.arguments.push(word.into());
        self
    }
}

/// What the entries of a change stream hold, for [`Definition::changes`].
///
/// ```
/// use folio::untyped::{Changes, Definition};
///
/// let users = Definition::new("users").changes(Changes::both());
/// assert_eq!(users.arguments().join(" "), "users CHANGES BOTH");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changes {
    what: &'static str,
    max_len: Option<u64>,
}

impl Changes {
    /// What happened to which document.
    ///
    /// ```
    /// let changes = folio::untyped::Changes::keys();
    /// ```
    pub fn keys() -> Self {
        Self { what: "KEYS", max_len: None }
    }

    /// The document as it is afterwards, too.
    ///
    /// ```
    /// let changes = folio::untyped::Changes::after();
    /// ```
    pub fn after() -> Self {
        Self { what: "AFTER", max_len: None }
    }

    /// The document as it is afterwards, and as it was before.
    ///
    /// ```
    /// let changes = folio::untyped::Changes::both();
    /// ```
    pub fn both() -> Self {
        Self { what: "BOTH", max_len: None }
    }

    /// The server keeps about so many entries, and removes the oldest.
    ///
    /// ```
    /// let changes = folio::untyped::Changes::keys().max_len(100_000);
    /// ```
    #[must_use]
    pub fn max_len(self, entries: u64) -> Self {
        Self { max_len: Some(entries), ..self }
    }

    fn arguments(self) -> impl Iterator<Item = String> {
        let kept = self.max_len.map(|entries| ["MAXLEN".to_owned(), entries.to_string()]);
        std::iter::once(self.what.to_owned()).chain(kept.into_iter().flatten())
    }
}

/// A collection's declaration, for [`Folio::create`](crate::Folio::create).
///
/// ```
/// use folio::untyped::{Definition, Field, Index};
///
/// let users = Definition::new("users")
///     .prefix("u:")
///     .strict()
///     .field(Field::new("email", "string").required().unique())
///     .field(Field::new("age", "int").index(Index::Sorted));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    arguments: Vec<String>,
    /// Where among them the prefix stands.
    prefix_at: Option<usize>,
}

impl Definition {
    /// A collection of this name, whose prefix is the name and a colon.
    ///
    /// ```
    /// let cities = folio::untyped::Definition::new("cities");
    /// ```
    pub fn new(collection: impl Into<String>) -> Self {
        Self { arguments: vec![collection.into()], prefix_at: None }
    }

    /// The beginning of every key of the collection.
    ///
    /// ```
    /// let cities = folio::untyped::Definition::new("cities").prefix("geo:city:");
    /// ```
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.arguments.extend(["PREFIX".into(), prefix.into()]);
        self.prefix_at = Some(self.arguments.len() - 1);
        self
    }

    /// Documents with an undeclared field are refused.
    ///
    /// ```
    /// let cities = folio::untyped::Definition::new("cities").strict();
    /// ```
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.arguments.extend(["MODE".into(), "STRICT".into()]);
        self
    }

    /// Has every committed change written to the stream `changes:<collection>`.
    ///
    /// ```
    /// use folio::untyped::{Changes, Definition};
    ///
    /// let cities = Definition::new("cities").changes(Changes::after().max_len(100_000));
    /// ```
    #[must_use]
    pub fn changes(mut self, changes: Changes) -> Self {
        self.arguments.push("CHANGES".into());
        self.arguments.extend(changes.arguments());
        self
    }

    /// A document that is written whole without a TTL of its own lapses after so many seconds.
    ///
    /// ```
    /// let sessions = folio::untyped::Definition::new("sessions").ttl(3_600);
    /// ```
    #[must_use]
    pub fn ttl(mut self, seconds: u64) -> Self {
        self.arguments.extend(["TTL".into(), seconds.to_string()]);
        self
    }

    /// A function on the server judges each document.
    ///
    /// ```
    /// let bookings = folio::untyped::Definition::new("bookings").validate("booking.in_order");
    /// assert_eq!(bookings.arguments(), ["bookings", "VALIDATE", "booking.in_order"]);
    /// ```
    #[must_use]
    pub fn validate(mut self, function: &str) -> Self {
        self.arguments.extend(["VALIDATE".into(), function.into()]);
        self
    }

    /// How the server makes the ids of [`Folio::insert`](crate::Folio::insert).
    ///
    /// ```
    /// let orders = folio::untyped::Definition::new("orders").ids(folio::untyped::Ids::Sequence);
    /// ```
    #[must_use]
    pub fn ids(mut self, ids: Ids) -> Self {
        self.arguments.extend(["IDS".into(), ids.word().into()]);
        self
    }

    /// Declares a field.
    ///
    /// ```
    /// use folio::untyped::{Definition, Field};
    ///
    /// let cities = Definition::new("cities").field(Field::new("name", "string"));
    /// ```
    #[must_use]
    pub fn field(mut self, field: Field) -> Self {
        self.arguments.extend(field.arguments);
        self
    }

    /// The same for an executor that calls collections and keys otherwise.
    pub(crate) fn arguments_for(&self, on: &impl Executor) -> Vec<String> {
        let mut arguments = self.arguments.clone();
        for at in std::iter::once(0).chain(self.prefix_at) {
            arguments[at] = on.named(&self.arguments[at]).into_owned();
        }
        arguments
    }

    /// The arguments of the `DOC.CREATE` that declares it, as one would type them.
    ///
    /// ```
    /// use folio::untyped::{Definition, Field, Index};
    ///
    /// let users = Definition::new("users").field(Field::new("age", "int").index(Index::Sorted));
    /// assert_eq!(users.arguments().join(" "), "users FIELD age int INDEX SORTED");
    /// ```
    pub fn arguments(&self) -> &[String] {
        &self.arguments
    }
}
