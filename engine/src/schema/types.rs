//! Field types, and the key of a value under each.
//!
//! A type decides which JSON values fit and how they compare. The same functions serve values in documents and
//! literals in filters, so an index, a scan and a literal can never disagree.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{DateTime, date};

use crate::value::{Decimal, Key, KeyBuf, Kind, Number, Raw};

/// The type of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scalar {
    /// A JSON string.
    String,
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

const NAMES: [(&str, Scalar); 7] = [
    ("string", Scalar::String),
    ("int", Scalar::Int),
    ("float", Scalar::Float),
    ("bool", Scalar::Bool),
    ("decimal", Scalar::Decimal),
    ("datetime", Scalar::DateTime),
    ("json", Scalar::Json),
];

/// Integer milliseconds beyond this are no instant: doubles hold no larger integers exactly.
const MILLIS_MAX: u64 = 1 << 53;

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
        let Some(number) = Number::parse(text) else { return false };
        match (self, number) {
            (Scalar::Float | Scalar::Json, _) | (Scalar::Int, Number::Int(_) | Number::UInt(_)) => {
                out.set_number(number);
                true
            }
            (Scalar::DateTime, Number::Int(millis)) if millis.unsigned_abs() <= MILLIS_MAX => {
                out.set_instant(millis, 0);
                true
            }
            _ => false,
        }
    }

    /// The key of a string; false where it does not fit the type.
    pub fn key_of_string(self, text: &str, out: &mut KeyBuf) -> bool {
        match self {
            Scalar::String | Scalar::Json => {
                out.set_string(text.as_bytes());
                true
            }
            Scalar::Decimal => Decimal::parse(text).is_some_and(|decimal| {
                out.set_decimal(&decimal);
                true
            }),
            Scalar::DateTime => instant(text).is_some_and(|(millis, nanos)| {
                out.set_instant(millis, nanos);
                true
            }),
            Scalar::Int | Scalar::Float | Scalar::Bool => false,
        }
    }

    /// The type's name.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, scalar)| *scalar == self).map_or("json", |(name, _)| name)
    }
}

/// RFC 3339 text as milliseconds since 1970 and nanoseconds within: a full date and time with an offset, nine digits of
/// a second at most, no leap second. Stricter than what the calendar library reads by itself.
fn instant(text: &str) -> Option<(i64, u32)> {
    let bytes = text.as_bytes();
    let shape = |from: usize, shape: &[u8]| {
        let part = bytes.get(from..from + shape.len());
        part.is_some_and(|part| {
            part.iter().zip(shape).all(|(byte, like)| match like {
                b'0' => byte.is_ascii_digit(),
                b'T' => matches!(byte, b'T' | b't'),
                _ => byte == like,
            })
        })
    };
    let two = |from: usize| i64::from(bytes[from] - b'0') * 10 + i64::from(bytes[from + 1] - b'0');
    if !shape(0, b"0000-00-00T00:00:00") || two(17) > 59 {
        return None;
    }
    let mut end = 19;
    if bytes.get(end) == Some(&b'.') {
        let digits = bytes[end + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=9).contains(&digits) {
            return None;
        }
        end += 1 + digits;
    }
    let offset_minutes = match bytes.get(end)? {
        b'Z' | b'z' if bytes.len() == end + 1 => 0,
        sign @ (b'+' | b'-') if bytes.len() == end + 6 && shape(end + 1, b"00:00") => {
            let (hours, minutes) = (two(end + 1), two(end + 4));
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * 60 + minutes) * if *sign == b'-' { -1 } else { 1 }
        }
        _ => return None,
    };
    let local: DateTime = text[..end].parse().ok()?;
    let nanos = local.duration_since(date(1970, 1, 1).at(0, 0, 0, 0)).as_nanos();
    let nanos = nanos - i128::from(offset_minutes) * 60_000_000_000;
    Some((nanos.div_euclid(1_000_000) as i64, nanos.rem_euclid(1_000_000) as u32))
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
        match NAMES.iter().find(|(known, _)| *known == name) {
            Some((_, scalar)) => Ok(FieldType { scalar: *scalar, array: inner.is_some() }),
            None => Err(format!(
                "unknown type '{text}', expected one of string, int, float, bool, decimal, datetime, json or array<..> of one"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_rfc_3339_and_nothing_else() {
        assert_eq!(instant("1970-01-01T00:00:00Z"), Some((0, 0)));
        assert_eq!(instant("1970-01-01T01:00:00.5+01:00"), Some((500, 0)));
        assert_eq!(instant("1969-12-31T23:59:59.999999999Z"), Some((-1, 999_999)));
        assert_eq!(instant("9999-12-31T23:59:59Z"), Some((253_402_300_799_000, 0)));
        assert_eq!(instant("2026-02-28T23:30:00-01:00"), instant("2026-03-01T00:30:00Z"));
        for wrong in [
            "2024-01-01",
            "20240101T000000Z",
            "2024-01-01T00Z",
            "2024-01-01T00:00:00",
            "2024-01-01T00:00:60Z",
            "2024-01-01T00:00:00,5Z",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00:00.1234567891Z",
            "2024-02-30T00:00:00Z",
            "2024-01-01T00:00:00+25:00",
            "2024-01-01T00:00:00Z[Europe/Paris]",
            "-2024-01-01T00:00:00Z",
            "",
            "é",
        ] {
            assert_eq!(instant(wrong), None, "{wrong}");
        }
    }
}
