//! What a collection is declared to be.

/// How a field is indexed.
///
/// ```
/// let field = folio::Field::new("tags", "array<string>").index(folio::Index::Set);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Index {
    /// From a value to its documents: `=`, `IN`, `HAS`.
    Set,
    /// In the order of the values: ranges and `ORDER` as well.
    Sorted,
}

/// A declared field: path, type, constraints, index.
///
/// ```
/// use folio::{Field, Index};
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
    /// let field = folio::Field::new("address.city", "string");
    /// ```
    pub fn new(path: impl Into<String>, field_type: impl Into<String>) -> Self {
        Self { arguments: vec!["FIELD".into(), path.into(), field_type.into()] }
    }

    /// A document without the field is refused.
    ///
    /// ```
    /// let field = folio::Field::new("name", "string").required();
    /// ```
    #[must_use]
    pub fn required(self) -> Self {
        self.word("REQUIRED")
    }

    /// The field may be null.
    ///
    /// ```
    /// let field = folio::Field::new("closed", "datetime").nullable();
    /// ```
    #[must_use]
    pub fn nullable(self) -> Self {
        self.word("NULLABLE")
    }

    /// No two documents of the collection hold the same value.
    ///
    /// ```
    /// let field = folio::Field::new("email", "string").unique();
    /// ```
    #[must_use]
    pub fn unique(self) -> Self {
        self.word("UNIQUE")
    }

    /// Keeps an index on the field.
    ///
    /// ```
    /// use folio::{Field, Index};
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

    fn word(mut self, word: &str) -> Self {
        self.arguments.push(word.into());
        self
    }
}

/// A collection's declaration, for [`Folio::create`](crate::Folio::create).
///
/// ```
/// use folio::{Definition, Field, Index};
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
}

impl Definition {
    /// A collection of this name, whose prefix is the name and a colon.
    ///
    /// ```
    /// let cities = folio::Definition::new("cities");
    /// ```
    pub fn new(collection: impl Into<String>) -> Self {
        Self { arguments: vec![collection.into()] }
    }

    /// The beginning of every key of the collection.
    ///
    /// ```
    /// let cities = folio::Definition::new("cities").prefix("geo:city:");
    /// ```
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.arguments.extend(["PREFIX".into(), prefix.into()]);
        self
    }

    /// Documents with an undeclared field are refused.
    ///
    /// ```
    /// let cities = folio::Definition::new("cities").strict();
    /// ```
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.arguments.extend(["MODE".into(), "STRICT".into()]);
        self
    }

    /// Declares a field.
    ///
    /// ```
    /// use folio::{Definition, Field};
    ///
    /// let cities = Definition::new("cities").field(Field::new("name", "string"));
    /// ```
    #[must_use]
    pub fn field(mut self, field: Field) -> Self {
        self.arguments.extend(field.arguments);
        self
    }

    /// The arguments of the `DOC.CREATE` that declares it, as one would type them.
    ///
    /// ```
    /// use folio::{Definition, Field, Index};
    ///
    /// let users = Definition::new("users").field(Field::new("age", "int").index(Index::Sorted));
    /// assert_eq!(users.arguments().join(" "), "users FIELD age int INDEX SORTED");
    /// ```
    pub fn arguments(&self) -> &[String] {
        &self.arguments
    }
}
