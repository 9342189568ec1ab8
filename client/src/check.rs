//! `validate(..)`: what the server would refuse, found before anything is sent, and rules of your own.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashSet, VecDeque};
use std::fmt::Write;
use std::sync::OnceLock;

use email_address::{EmailAddress, Options};
use regex::Regex;

use crate::{Error, Result, Violation};

/// Goes through a document and notes what breaks a rule.
///
/// The derives call it; a check of a whole document is handed one by `#[folio(validate = ..)]`'s function's result.
///
/// ```
/// let mut check = folio::Check::new();
/// check.within("age", |at| at.range(&200_u32, Some("0"), Some("150")));
/// assert!(check.finish().is_err());
/// ```
#[derive(Debug, Default)]
pub struct Check {
    place: Vec<Step>,
    found: Vec<Violation>,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Name(&'static str),
    Element(usize),
}

/// A regular expression that is read once.
///
/// ```
/// static SKU: folio::Pattern = folio::Pattern::new("^[A-Z]{2}[0-9]+$");
/// let mut check = folio::Check::new();
/// check.pattern("AB12", &SKU);
/// assert!(check.finish().is_ok());
/// ```
#[derive(Debug)]
pub struct Pattern {
    text: &'static str,
    regex: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// Of its text.
    ///
    /// ```
    /// let pattern = folio::Pattern::new("^a");
    /// ```
    pub const fn new(text: &'static str) -> Self {
        Self { text, regex: OnceLock::new() }
    }
}

/// Values that hold text, alone or several.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a `{Self}` holds no text, so `email`, `url` and `pattern` do not apply"
)]
pub trait Texts {
    fn each_text(&self, f: &mut dyn FnMut(&str));
}

/// Values that have a length: characters of strings, elements of arrays.
#[doc(hidden)]
#[diagnostic::on_unimplemented(message = "a `{Self}` has no length, so `len` does not apply")]
pub trait Length {
    /// What is counted, and how many there are; none of `None`.
    fn length(&self) -> Option<(&'static str, u64)>;
}

/// Values that have bounds.
#[doc(hidden)]
#[diagnostic::on_unimplemented(message = "a `{Self}` has no bounds, so `range` does not apply")]
pub trait Bounded {
    /// How each value lies to a bound, which is JSON; none where only the server can tell.
    fn each_order(&self, bound: &str, f: &mut dyn FnMut(Ordering, String));
}

impl Check {
    /// Nothing found yet.
    ///
    /// ```
    /// assert!(folio::Check::new().finish().is_ok());
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// What was found, as an error.
    ///
    /// ```
    /// let mut check = folio::Check::new();
    /// check.whole(Err(folio::Violation::new("", "dates", "the end is before the beginning")));
    /// assert!(matches!(check.finish(), Err(folio::Error::Validation(_))));
    /// ```
    pub fn finish(self) -> Result<()> {
        if self.found.is_empty() { Ok(()) } else { Err(Error::Validation(self.found)) }
    }

    /// Looks into a member.
    ///
    /// ```
    /// let mut check = folio::Check::new();
    /// check.within("address", |at| at.within("zip", |at| at.len("123", Some(5), None)));
    /// let error = check.finish().unwrap_err();
    /// assert_eq!(error.to_string(), "address.zip is 3 characters long, below the minimum of 5");
    /// ```
    pub fn within(&mut self, name: &'static str, f: impl FnOnce(&mut Self)) {
        self.place.push(Step::Name(name));
        f(self);
        self.place.pop();
    }

    pub(crate) fn within_element(&mut self, index: usize, f: impl FnOnce(&mut Self)) {
        self.place.push(Step::Element(index));
        f(self);
        self.place.pop();
    }

    fn note(&mut self, code: &str, message: impl Into<String>) {
        let path = self.path();
        self.found.push(Violation::new(path, code, message));
    }

    /// Where it is looking.
    fn path(&self) -> String {
        let mut path = String::new();
        for step in &self.place {
            // Writing to a string cannot fail.
            let _ = match step {
                Step::Name(name) if path.is_empty() => write!(path, "{name}"),
                Step::Name(name) => write!(path, ".{name}"),
                Step::Element(index) => write!(path, "[{index}]"),
            };
        }
        path
    }

    fn texts(&mut self, value: &(impl Texts + ?Sized), mut f: impl FnMut(&mut Self, &str)) {
        value.each_text(&mut |text| f(self, text));
    }

    /// Every text is an address of mail.
    ///
    /// ```
    /// let mut check = folio::Check::new();
    /// check.email("ada@example.org");
    /// assert!(check.finish().is_ok());
    /// ```
    pub fn email(&mut self, value: &(impl Texts + ?Sized)) {
        let options = Options::default().without_display_text().without_domain_literal();
        self.texts(value, |at, text| {
            if EmailAddress::parse_with_options(text, options).is_err() {
                at.note("email", format!("is no address of mail: {text:?}"));
            }
        });
    }

    /// Every text is a URL with a scheme.
    ///
    /// ```
    /// let mut check = folio::Check::new();
    /// check.url("example.org");
    /// assert!(check.finish().is_err());
    /// ```
    pub fn url(&mut self, value: &(impl Texts + ?Sized)) {
        let is_passed_over = |byte: u8| byte <= b' ' || byte == 0x7f;
        self.texts(value, |at, text| {
            if text.bytes().any(is_passed_over) || url::Url::parse(text).is_err() {
                at.note("url", format!("is no URL: {text:?}"));
            }
        });
    }

    /// A regular expression matches somewhere in every text.
    ///
    /// ```
    /// static SKU: folio::Pattern = folio::Pattern::new("^[A-Z]+$");
    /// let mut check = folio::Check::new();
    /// check.pattern("x1", &SKU);
    /// assert!(check.finish().is_err());
    /// ```
    pub fn pattern(&mut self, value: &(impl Texts + ?Sized), pattern: &Pattern) {
        let regex = pattern.regex.get_or_init(|| Regex::new(pattern.text).ok());
        self.texts(value, |at, text| match regex {
            Some(regex) if regex.is_match(text) => {}
            Some(_) => {
                at.note("pattern", format!("is {text:?}, which does not match {}", pattern.text));
            }
            None => at.note("pattern", format!("has a rule that cannot be read: {}", pattern.text)),
        });
    }

    /// A string has so many characters, an array so many elements.
    ///
    /// ```
    /// let mut check = folio::Check::new();
    /// check.len(&vec![1, 2, 3], None, Some(2));
    /// assert!(check.finish().is_err());
    /// ```
    pub fn len(&mut self, value: &(impl Length + ?Sized), min: Option<u64>, max: Option<u64>) {
        let Some((what, length)) = value.length() else { return };
        if let Some(min) = min.filter(|min| length < *min) {
            self.note("len", format!("is {length} {what} long, below the minimum of {min}"));
        }
        if let Some(max) = max.filter(|max| length > *max) {
            self.note("len", format!("is {length} {what} long, above the maximum of {max}"));
        }
    }

    /// Every number lies within bounds, which are included and written as JSON.
    ///
    /// ```
    /// let mut check = folio::Check::new();
    /// check.range(&Some(7_i64), Some("0"), None);
    /// assert!(check.finish().is_ok());
    /// ```
    pub fn range(&mut self, value: &(impl Bounded + ?Sized), min: Option<&str>, max: Option<&str>) {
        let sides = [
            (min, Ordering::Less, "below the minimum"),
            (max, Ordering::Greater, "above the maximum"),
        ];
        for (bound, wrong, told) in sides {
            let Some(bound) = bound else { continue };
            value.each_order(bound, &mut |order, value| {
                if order == wrong {
                    self.note("range", format!("is {value}, {told} of {bound}"));
                }
            });
        }
    }

    /// The value is one of these, which are JSON.
    ///
    /// ```
    /// let mut check = folio::Check::new();
    /// check.one_of("new", &[r#""open""#, r#""closed""#]);
    /// assert!(check.finish().is_err());
    /// ```
    pub fn one_of(&mut self, value: &(impl serde::Serialize + ?Sized), values: &[&str]) {
        let Ok(told) = serde_json::to_value(value) else { return };
        let known: Vec<serde_json::Value> =
            values.iter().filter_map(|text| serde_json::from_str(text).ok()).collect();
        let elements = match &told {
            serde_json::Value::Null => return,
            serde_json::Value::Array(elements) => elements.as_slice(),
            one => std::slice::from_ref(one),
        };
        for element in elements.iter().filter(|element| !known.contains(element)) {
            self.note("one_of", format!("is {element}, and not one of {}", values.join(", ")));
        }
    }

    /// What a function of yours says of the value here.
    ///
    /// ```
    /// fn even(n: &u32) -> Result<(), String> {
    ///     if n % 2 == 0 { Ok(()) } else { Err(format!("is {n}, which is odd")) }
    /// }
    /// let mut check = folio::Check::new();
    /// check.within("n", |at| at.custom(even(&3)));
    /// assert_eq!(check.finish().unwrap_err().to_string(), "n is 3, which is odd");
    /// ```
    pub fn custom<E: ToString>(&mut self, told: std::result::Result<(), E>) {
        if let Err(message) = told {
            self.note("custom", message.to_string());
        }
    }

    /// What a function of yours says of the document, or of the struct within it, from which its path begins.
    ///
    /// ```
    /// let mut check = folio::Check::new();
    /// check.whole(Ok(()));
    /// assert!(check.finish().is_ok());
    /// ```
    pub fn whole(&mut self, told: std::result::Result<(), Violation>) {
        if let Err(mut violation) = told {
            let here = self.path();
            let is_within = !here.is_empty() && !violation.path.is_empty();
            let dot = if is_within { "." } else { "" };
            violation.path = format!("{here}{dot}{}", violation.path);
            self.found.push(violation);
        }
    }
}

impl Texts for str {
    fn each_text(&self, f: &mut dyn FnMut(&str)) {
        f(self);
    }
}

impl Texts for String {
    fn each_text(&self, f: &mut dyn FnMut(&str)) {
        f(self);
    }
}

impl Length for str {
    fn length(&self) -> Option<(&'static str, u64)> {
        Some(("characters", self.chars().count() as u64))
    }
}

impl Length for String {
    fn length(&self) -> Option<(&'static str, u64)> {
        self.as_str().length()
    }
}

impl<T: Texts> Texts for Option<T> {
    fn each_text(&self, f: &mut dyn FnMut(&str)) {
        if let Some(value) = self {
            value.each_text(f);
        }
    }
}

impl<T: Length> Length for Option<T> {
    fn length(&self) -> Option<(&'static str, u64)> {
        self.as_ref().and_then(Length::length)
    }
}

impl<T: Bounded> Bounded for Option<T> {
    fn each_order(&self, bound: &str, f: &mut dyn FnMut(Ordering, String)) {
        if let Some(value) = self {
            value.each_order(bound, f);
        }
    }
}

macro_rules! arrays {
    ($($array:ident)*) => {$(
        impl<T: Texts> Texts for $array<T> {
            fn each_text(&self, f: &mut dyn FnMut(&str)) {
                for value in self {
                    value.each_text(f);
                }
            }
        }

        impl<T> Length for $array<T> {
            fn length(&self) -> Option<(&'static str, u64)> {
                Some(("elements", self.len() as u64))
            }
        }

        impl<T: Bounded> Bounded for $array<T> {
            fn each_order(&self, bound: &str, f: &mut dyn FnMut(Ordering, String)) {
                for value in self {
                    value.each_order(bound, f);
                }
            }
        }
    )*};
}

arrays!(Vec VecDeque BTreeSet HashSet);

macro_rules! bounded {
    ($($ty:ty)*) => {$(
        impl Bounded for $ty {
            fn each_order(&self, bound: &str, f: &mut dyn FnMut(Ordering, String)) {
                if let Some(order) = integer_order(*self, bound) {
                    f(order, self.to_string());
                }
            }
        }
    )*};
}

/// How an integer lies to a bound: exactly where that is an integer too, else as doubles do.
fn integer_order(value: impl TryInto<i128>, bound: &str) -> Option<Ordering> {
    let value = value.try_into().ok()?;
    match bound.parse::<i128>() {
        Ok(bound) => Some(value.cmp(&bound)),
        Err(_) => (value as f64).partial_cmp(&bound.parse::<f64>().ok()?),
    }
}

bounded!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);

macro_rules! doubles {
    ($($ty:ty)*) => {$(
        impl Bounded for $ty {
            fn each_order(&self, bound: &str, f: &mut dyn FnMut(Ordering, String)) {
                let order = bound.parse::<f64>().ok().and_then(|bound| f64::from(*self).partial_cmp(&bound));
                if let Some(order) = order {
                    f(order, self.to_string());
                }
            }
        }
    )*};
}

doubles!(f32 f64);

impl Bounded for crate::Timestamp {
    fn each_order(&self, bound: &str, f: &mut dyn FnMut(Ordering, String)) {
        if let Ok(bound) = bound.trim_matches('"').parse::<crate::Timestamp>() {
            f(self.cmp(&bound), self.to_string());
        }
    }
}
