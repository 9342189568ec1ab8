//! Where a field stands in a document.

use std::borrow::Cow;
use std::fmt;

/// The step by which a path goes on in the document that a reference is to. No member is called so without back-quotes.
pub(crate) const THROUGH: &str = ".->";

/// A path within documents, as the server reads it: `address.city`, `_version`, within `any` and `all` also `@.sku`.
///
/// ```
/// use folio::FieldPath;
///
/// let address = FieldPath::root().join("address");
/// assert_eq!(address.join("city").to_string(), "address.city");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FieldPath(Cow<'static, str>);

impl FieldPath {
    /// The document itself.
    ///
    /// ```
    /// assert_eq!(folio::FieldPath::root().join("age").to_string(), "age");
    /// ```
    #[must_use]
    pub const fn root() -> Self {
        Self(Cow::Borrowed(""))
    }

    /// What the server keeps of each document, such as `_version`.
    ///
    /// ```
    /// assert_eq!(folio::FieldPath::metadata("_created").to_string(), "_created");
    /// ```
    #[must_use]
    pub const fn metadata(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// The element of an array that is being looked at.
    ///
    /// ```
    /// assert_eq!(folio::FieldPath::element().join("sku").to_string(), "@.sku");
    /// ```
    #[must_use]
    pub const fn element() -> Self {
        Self(Cow::Borrowed("@"))
    }

    /// A member of what stands here. A name that a filter would misread stands in back-quotes.
    ///
    /// ```
    /// let path = folio::FieldPath::root().join("`first name`");
    /// assert_eq!(path.join("x").to_string(), "`first name`.x");
    /// ```
    #[must_use]
    pub fn join(&self, step: &'static str) -> Self {
        if self.0.is_empty() {
            return Self(Cow::Borrowed(step));
        }
        Self(Cow::Owned(format!("{}.{step}", self.0)))
    }

    /// A member of any name; back-quotes are put around it.
    ///
    /// ```
    /// let path = folio::FieldPath::root().join("sizes").member("extra large");
    /// assert_eq!(path.to_string(), "sizes.`extra large`");
    /// ```
    #[must_use]
    pub fn member(&self, name: &str) -> Self {
        let step = format!("`{}`", name.replace('`', "``"));
        if self.0.is_empty() {
            return Self(Cow::Owned(step));
        }
        Self(Cow::Owned(format!("{}.{step}", self.0)))
    }

    /// An element of the array that stands here, from 0.
    ///
    /// ```
    /// assert_eq!(folio::FieldPath::root().join("tags").index(2).to_string(), "tags[2]");
    /// ```
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        Self(Cow::Owned(format!("{}[{index}]", self.0)))
    }

    /// Every element of the array that stands here.
    ///
    /// ```
    /// assert_eq!(folio::FieldPath::root().join("tags").each().to_string(), "tags[*]");
    /// ```
    #[must_use]
    pub fn each(&self) -> Self {
        Self(Cow::Owned(format!("{}[*]", self.0)))
    }

    /// The fields of the document that is referred to here.
    pub(crate) fn through(&self) -> Self {
        Self(Cow::Owned(format!("{}{THROUGH}", self.0)))
    }

    /// The path as text.
    ///
    /// ```
    /// assert_eq!(folio::FieldPath::root().join("age").as_str(), "age");
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn into_text(self) -> Cow<'static, str> {
        self.0
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
