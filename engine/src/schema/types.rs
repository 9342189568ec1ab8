//! Field types, and the key of a value under each.
//!
//! A type decides which JSON values fit and how they compare. The same functions serve values in documents and
//! literals in filters, so an index, a scan and a literal can never disagree.

use std::fmt;
use std::str::FromStr;

use super::text;
use crate::value::{Decimal, Key, KeyBuf, Kind, Number, Raw};

/// The type of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scalar {
    /// A JSON string.
    String,
    /// A JSON string whose letters are compared without their case: a string declared NOCASE.
    NoCase,
    /// A number whose exact value is an integer in the range of `i64` or `u64`.
    Int,
    /// A number in the range of a double.
    Float,
    /// true or false.
    Bool,
    /// A string or number that is a decimal, kept and compared digit for digit.
    Decimal,
    /// RFC 3339 text, or integer milliseconds since 1970-01-01T00:00:00Z.
    DateTime,
    /// A day, as text.
    Date,
    /// A time of the day, as text.
    Time,
    /// A length of time, as text, or integer milliseconds.
    Duration,
    /// The text of a UUID, in any case.
    Uuid,
    /// An address of mail.
    Email,
    /// A URL with a scheme.
    Url,
    /// The text of an IP address of version 4 or 6.
    Ip,
    /// Any value.
    Json,
}

/// The type of a field: one value, or an array of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FieldType {
    /// The type of the value, or of each element.
    pub scalar: Scalar,
    /// Whether the field holds an array.
    pub array: bool,
}

/// What is called by the name of another stands behind it, so that the name is read as the other.
const NAMES: [(&str, Scalar); 15] = [
    ("string", Scalar::String),
    ("string", Scalar::NoCase),
    ("int", Scalar::Int),
    ("float", Scalar::Float),
    ("bool", Scalar::Bool),
    ("decimal", Scalar::Decimal),
    ("datetime", Scalar::DateTime),
    ("date", Scalar::Date),
    ("time", Scalar::Time),
    ("duration", Scalar::Duration),
    ("uuid", Scalar::Uuid),
    ("email", Scalar::Email),
    ("url", Scalar::Url),
    ("ip", Scalar::Ip),
    ("json", Scalar::Json),
];

/// Integer milliseconds beyond this are no instant: doubles hold no larger integers exactly.
pub(crate) const MILLIS_MAX: u64 = 1 << 53;

impl Scalar {
    /// Fills `out` with the key of `raw` under this type; false, and a key of its own place at the end of the
    /// order, where `raw` does not fit. Null is its own key under every type.
    pub fn key(self, raw: Raw<'_>, out: &mut KeyBuf) -> bool {
        let fits = match raw.kind() {
            Kind::Null => {
                out.set_plain(&Key::NULL);
                true
            }
            Kind::Bool => self.key_of_bool(raw.bytes() == b"true", out),
            Kind::Number => self.key_of_number(raw.bytes(), out),
            Kind::String if matches!(self, Scalar::String | Scalar::Json) => {
                out.set_string(&raw.characters().expect("a string by its kind"));
                true
            }
            Kind::String => {
                let text = raw.string().expect("a string by its kind");
                self.key_of_string(&text, out)
            }
            Kind::Array | Kind::Object if self == Scalar::Json => {
                out.set_json(raw);
                true
            }
            Kind::Array | Kind::Object => false,
        };
        if !fits {
            out.set_invalid(raw);
        }
        fits
    }

    /// The key of a truth value; false where the type holds none.
    pub fn key_of_bool(self, value: bool, out: &mut KeyBuf) -> bool {
        out.set_plain(&Key::of_bool(value));
        matches!(self, Scalar::Bool | Scalar::Json)
    }

    /// The key of a number's JSON text; false where it does not fit the type.
    pub fn key_of_number(self, text: &[u8], out: &mut KeyBuf) -> bool {
        let Ok(text_str) = std::str::from_utf8(text) else { return false };
        if self == Scalar::Decimal {
            return Decimal::parse(text_str).is_some_and(|decimal| {
                out.set_decimal(&decimal);
                true
            });
        }
        let number = Number::parse(text).filter(|number| self.takes_number(*number));
        match number {
            Some(Number::Int(millis)) if matches!(self, Scalar::DateTime | Scalar::Duration) => {
                out.set_instant(millis, 0);
            }
            Some(number) => out.set_number(number),
            None => return false,
        }
        true
    }

    /// The key of a string; false where it does not fit the type.
    pub fn key_of_string(self, text: &str, out: &mut KeyBuf) -> bool {
        let millis = match self {
            Scalar::String | Scalar::Json => {
                out.set_string(text.as_bytes());
                return true;
            }
            Scalar::NoCase => {
                out.set_folded(text);
                return true;
            }
            Scalar::Decimal => {
                let decimal = Decimal::parse(text);
                return decimal.map(|decimal| out.set_decimal(&decimal)).is_some();
            }
            Scalar::Email => {
                out.set_string(text.as_bytes());
                return text::is_email(text);
            }
            Scalar::Url => {
                out.set_string(text.as_bytes());
                return text::is_url(text);
            }
            Scalar::Uuid => return text::uuid(text).map(|uuid| out.set_string(&uuid)).is_some(),
            Scalar::Ip => return text::ip(text).map(|ip| out.set_string(&ip)).is_some(),
            Scalar::DateTime => text::instant(text),
            Scalar::Date => text::day(text),
            Scalar::Time => text::time_of_day(text),
            Scalar::Duration => text::length(text),
            Scalar::Int | Scalar::Float | Scalar::Bool => None,
        };
        millis.map(|(millis, nanos)| out.set_instant(millis, nanos)).is_some()
    }

    /// Whether any string is of the type.
    pub fn takes_any_text(self) -> bool {
        matches!(self, Scalar::String | Scalar::NoCase | Scalar::Json)
    }

    /// Whether strings of the type are compared letter by letter, so that one can be asked for its parts.
    pub fn takes_text(self) -> bool {
        self.is_text() || self == Scalar::Json
    }

    /// Whether every value of the type is a string that is compared letter by letter.
    pub fn is_text(self) -> bool {
        matches!(self, Scalar::String | Scalar::NoCase | Scalar::Email | Scalar::Url)
    }

    /// Whether values of the type are numbers or times, which have a least and a greatest.
    pub fn has_bounds(self) -> bool {
        self.is_computed_with() && self != Scalar::Json || self == Scalar::Time
    }

    /// Whether values of the type can be numbers in arithmetic.
    pub fn is_computed_with(self) -> bool {
        let is_number = matches!(self, Scalar::Int | Scalar::Float | Scalar::Decimal);
        let is_time = matches!(self, Scalar::DateTime | Scalar::Date | Scalar::Duration);
        is_number || is_time || self == Scalar::Json
    }

    /// Whether a number is of the type.
    pub fn takes_number(self, number: Number) -> bool {
        match (self, number) {
            (Scalar::Int, Number::Int(_) | Number::UInt(_)) => true,
            (Scalar::DateTime | Scalar::Duration, Number::Int(millis)) => {
                millis.unsigned_abs() <= MILLIS_MAX
            }
            _ => matches!(self, Scalar::Float | Scalar::Decimal | Scalar::Json),
        }
    }

    /// Whether every value of the type is a string of a form, to which text that is compared with it has to keep.
    pub fn is_formed(self) -> bool {
        let is_time = matches!(self, Scalar::Date | Scalar::Time);
        is_time || matches!(self, Scalar::Uuid | Scalar::Email | Scalar::Url | Scalar::Ip)
    }

    /// Whether an instant is one of the type's values, or the number of its milliseconds.
    pub fn takes_instants(self) -> bool {
        self.is_computed_with() && self != Scalar::Duration
    }

    /// The type's name.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, scalar)| *scalar == self).map_or("json", |(name, _)| name)
    }
}

impl FieldType {
    /// The type whose strings are compared without the case of their letters; none where it is not one of strings.
    pub fn without_case(self) -> Option<FieldType> {
        let is_string = matches!(self.scalar, Scalar::String | Scalar::NoCase);
        is_string.then_some(FieldType { scalar: Scalar::NoCase, ..self })
    }
}

impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.array {
            write!(f, "array<{}>", self.scalar.name())
        } else {
            f.write_str(self.scalar.name())
        }
    }
}

impl FromStr for FieldType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let lower = text.to_ascii_lowercase();
        let inner = lower.strip_prefix("array<").and_then(|rest| rest.strip_suffix('>'));
        let name = inner.unwrap_or(&lower);
        if let Some((_, scalar)) = NAMES.iter().find(|(known, _)| *known == name) {
            return Ok(FieldType { scalar: *scalar, array: inner.is_some() });
        }
        let mut names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
        names.dedup();
        let names = names.join(", ");
        Err(format!("unknown type '{text}', expected one of {names} or array<..> of one"))
    }
}
