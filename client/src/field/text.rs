//! Parts of strings.

use super::{Field, FieldType};
use crate::Filter;
use crate::filter::Node;

/// Types whose stored form is a string that has parts.
///
/// ```
/// fn is_text<T: folio::Text>() {}
/// is_text::<Option<String>>();
/// ```
#[diagnostic::on_unimplemented(
    message = "fields of type `{Self}` are no text, so `starts_with`, `like`, `matches`, .. do not apply",
    label = "not a field of text"
)]
pub trait Text: FieldType {}

impl Text for String {}
impl Text for Box<str> {}
impl<T: Text> Text for Option<T> {}

impl<M, T> Field<M, T> {
    fn part(&self, operator: &'static str, text: impl Into<String>) -> Filter<M> {
        Filter::of(operator, [self.node(), Node::text(text.into())])
    }

    /// The string begins with this, code point by code point. A sorted index serves it.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let filter = User::name().starts_with("Ad");
    /// ```
    pub fn starts_with(&self, text: impl Into<String>) -> Filter<M>
    where
        T: Text,
    {
        self.part("starts with", text)
    }

    /// The string ends with this.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let filter = User::email().ends_with("@example.org");
    /// ```
    pub fn ends_with(&self, text: impl Into<String>) -> Filter<M>
    where
        T: Text,
    {
        self.part("ends with", text)
    }

    /// The pattern stands for the whole string: `%` for any code points or none, `_` for one, a backslash takes the
    /// meaning from the next.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let filter = User::name().like("A%a");
    /// ```
    pub fn like(&self, pattern: impl Into<String>) -> Filter<M>
    where
        T: Text,
    {
        self.part("like", pattern)
    }

    /// As [`like`](Field::like), whatever the case of the letters.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let filter = User::name().ilike("ada%");
    /// ```
    pub fn ilike(&self, pattern: impl Into<String>) -> Filter<M>
    where
        T: Text,
    {
        self.part("ilike", pattern)
    }

    /// The regular expression matches somewhere in the string. Its syntax is that of the crate `regex`.
    ///
    /// ```
    /// # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/shop.rs")); }
    /// # use shop::User;
    /// let filter = User::name().matches("^[A-C]");
    /// ```
    pub fn matches(&self, regex: impl Into<String>) -> Filter<M>
    where
        T: Text,
    {
        self.part("matches", regex)
    }
}
