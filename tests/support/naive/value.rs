//! What a scalar is worth: exact numbers, decimals digit for digit, instants to the nanosecond.

use std::{cmp::Ordering, str::FromStr};

use bigdecimal::{BigDecimal, ToPrimitive};

use super::{json::Json, schema::Kind, text::fold};

/// A number by the rule of the language: an integer where its exact value is one in the range of an
/// `i64` or a `u64`, else the nearest double.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// An integer between -2^63 and 2^64 - 1.
    Int(i128),
    /// The nearest double of anything else.
    Double(f64),
}

impl Number {
    /// The number that an exact value is, where there is one: within the range of a double.
    pub fn from_exact(exact: &BigDecimal) -> Option<Self> {
        if let Some(int) = small_integer(exact) {
            return Some(Self::Int(int));
        }
        let double = exact.to_string().parse().expect("a decimal is a number");
        Self::from_double(double)
    }

    /// A double that was computed: an integer where it is one, nothing where it is not finite.
    pub fn from_double(double: f64) -> Option<Self> {
        let exact = BigDecimal::try_from(double).ok()?;
        Some(small_integer(&exact).map_or(Self::Double(double), Self::Int))
    }

    /// The nearest double.
    pub fn double(self) -> f64 {
        match self {
            Self::Int(int) => int.to_f64().expect("an i128 is near a double"),
            Self::Double(double) => double,
        }
    }

    /// The value itself; none for what is no finite double.
    pub fn exact(self) -> Option<BigDecimal> {
        match self {
            Self::Int(int) => Some(BigDecimal::from(int)),
            Self::Double(double) => BigDecimal::try_from(double).ok(),
        }
    }

    /// As JSON writes it.
    pub fn json(self) -> Json {
        Json::Number(match self {
            Self::Int(int) => int.to_string(),
            Self::Double(double) => format!("{double:e}"),
        })
    }

    /// Reads the text of a JSON number (a leading `+` does no harm). Panics on other text.
    pub fn read(text: &str) -> Self {
        if let Ok(int) = text.parse::<i64>() {
            return Self::Int(int.into());
        }
        BigDecimal::from_str(text)
            .ok()
            .and_then(|exact| small_integer(&exact))
            .map_or_else(|| Self::Double(text.parse().expect("a number")), Self::Int)
    }

    /// Compares exact values.
    pub fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Int(left), Self::Int(right)) => left.cmp(&right),
            (Self::Double(left), Self::Double(right)) => left.partial_cmp(&right).expect("no NaN"),
            (Self::Int(left), Self::Double(right)) => compare_mixed(left, right),
            (Self::Double(left), Self::Int(right)) => compare_mixed(right, left).reverse(),
        }
    }
}

/// The integer that an exact value is, where one in the range of an `i64` or a `u64`.
pub fn small_integer(exact: &BigDecimal) -> Option<i128> {
    let exact = exact.normalized();
    let scale = exact.fractional_digit_count();
    // The second condition keeps 1e999999 from being written out.
    if scale > 0 || exact.digits() as i64 - scale > 20 {
        return None;
    }
    exact.to_i128().filter(|int| (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(int))
}

fn compare_mixed(int: i128, double: f64) -> Ordering {
    if double.is_infinite() {
        return if double > 0.0 { Ordering::Less } else { Ordering::Greater };
    }
    let double = BigDecimal::try_from(double).expect("a finite double has an exact decimal");
    BigDecimal::from(int).cmp(&double)
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.compare(*other).is_eq()
    }
}

/// The value of a scalar, ready to be compared with another of its kind.
#[derive(Clone, Debug)]
pub enum Scalar<'a> {
    /// A boolean.
    Bool(bool),
    /// A number of an undeclared, `int`, `float` or `json` field.
    Number(Number),
    /// A string that is nothing more.
    Text(&'a str),
    /// A string of a field that is declared NOCASE: folded, and as it is.
    Folded(String, &'a str),
    /// A value of a `decimal` field.
    Decimal(BigDecimal),
    /// A value of a `datetime` field: nanoseconds since 1970-01-01T00:00:00Z.
    Instant(i128),
}

impl Scalar<'_> {
    /// Compares two values; none where they are of different kinds.
    pub fn compare(&self, other: &Scalar<'_>) -> Option<Ordering> {
        match (self, other) {
            (Scalar::Bool(left), Scalar::Bool(right)) => Some(left.cmp(right)),
            (Scalar::Number(left), Scalar::Number(right)) => Some(left.compare(*right)),
            // The order of UTF-8 bytes is that of code points.
            (Scalar::Text(left), Scalar::Text(right)) => {
                Some(left.as_bytes().cmp(right.as_bytes()))
            }
            (Scalar::Folded(left, _), Scalar::Folded(right, _)) => {
                Some(left.as_bytes().cmp(right.as_bytes()))
            }
            (Scalar::Decimal(left), Scalar::Decimal(right)) => Some(left.cmp(right)),
            (Scalar::Instant(left), Scalar::Instant(right)) => Some(left.cmp(right)),
            _ => None,
        }
    }
}

/// The scalar that a value is on a field of this type; none for null, arrays, objects and values
/// that are not of the type.
pub fn scalar<'a>(json: &'a Json, kind: Option<&Kind>) -> Option<Scalar<'a>> {
    match (kind, json) {
        (None | Some(Kind::Json | Kind::Bool), Json::Bool(truth)) => Some(Scalar::Bool(*truth)),
        (None | Some(Kind::Json), Json::Number(text)) => Some(Scalar::Number(Number::read(text))),
        (None | Some(Kind::Json | Kind::String), Json::String(text)) => Some(Scalar::Text(text)),
        (Some(Kind::Nocase), Json::String(text)) => Some(Scalar::Folded(fold(text), text)),
        (Some(Kind::Int), Json::Number(text)) => match Number::read(text) {
            int @ Number::Int(_) => Some(Scalar::Number(int)),
            Number::Double(_) => None,
        },
        (Some(Kind::Float), Json::Number(text)) => match Number::read(text) {
            Number::Double(double) if double.is_infinite() => None,
            number => Some(Scalar::Number(number)),
        },
        (Some(Kind::Decimal), Json::Number(text)) => decimal(text).map(Scalar::Decimal),
        (Some(Kind::Decimal), Json::String(text)) if is_decimal(text) => {
            decimal(text).map(Scalar::Decimal)
        }
        (Some(Kind::Datetime), Json::String(text)) => instant(text).map(Scalar::Instant),
        (Some(Kind::Datetime), Json::Number(text)) => match Number::read(text) {
            Number::Int(milliseconds) if milliseconds.unsigned_abs() <= 1 << 53 => {
                Some(Scalar::Instant(milliseconds * 1_000_000))
            }
            Number::Int(_) | Number::Double(_) => None,
        },
        _ => None,
    }
}

/// The exact value of the text of a number.
pub fn decimal(text: &str) -> Option<BigDecimal> {
    BigDecimal::from_str(text).ok()
}

/// Whether a string is the text of a decimal: a sign, digits, a fraction, an exponent, nothing
/// else.
pub fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => {
            (mantissa, exponent.strip_prefix(['-', '+']).unwrap_or(exponent))
        }
        None => (unsigned, "0"),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    [whole, fraction, exponent].iter().all(|part| is_digits(part))
}

/// Whether a text is digits, at least one.
pub fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The nanoseconds since 1970 of an RFC 3339 text with an offset.
pub fn instant(text: &str) -> Option<i128> {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let rest = shape.strip_prefix("0000-00-00")?.strip_prefix(['T', 't'])?;
    let rest = rest.strip_prefix("00:00:00")?;
    let offset = match rest.strip_prefix('.') {
        Some(fraction) => {
            let offset = fraction.trim_start_matches('0');
            (offset.len() < fraction.len()).then_some(offset)?
        }
        None => rest,
    };
    if !["Z", "z", "+00:00", "-00:00"].contains(&offset) {
        return None;
    }
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_nanosecond)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact() {
        let order = |left: &str, right: &str| Number::read(left).compare(Number::read(right));
        for (left, right) in [
            ("1", "1.0"),
            ("1", "1e0"),
            ("1", "10E-1"),
            ("0", "-0"),
            ("0", "-0.0"),
            ("0", "0e99999"),
            ("1e2", "100"),
            ("18446744073709551615", "18446744073709551615.0"),
            ("9007199254740993", "9007199254740993.0"),
            ("0.1", "1e-1"),
            ("1e400", "2e400"),
        ] {
            assert_eq!(order(left, right), Ordering::Equal, "{left} {right}");
        }
        for (left, right) in [
            ("9007199254740992.0", "9007199254740993"),
            ("9223372036854775807", "9223372036854775808"),
            ("18446744073709551615", "18446744073709551616"),
            ("-9223372036854775809e0", "-9223372036854775808"),
            ("0.1", "0.2"),
            ("-1e400", "0"),
            ("18446744073709551615", "1e400"),
            ("1", "1.5"),
        ] {
            assert!(order(left, right).is_le(), "{left} {right}");
        }
        assert_eq!(order("9007199254740992.0", "9007199254740993"), Ordering::Less);
        assert_eq!(order("18446744073709551615", "18446744073709551616"), Ordering::Less);
    }

    #[test]
    fn decimals_and_instants_are_read_strictly() {
        for good in ["12.50", "-3", "0", "1e3", "0.10"] {
            assert!(is_decimal(good), "{good}");
        }
        for bad in ["", "abc", "12,5", " 1", "1 ", "1.", "--1", "NaN", "Infinity", "1e"] {
            assert!(!is_decimal(bad), "{bad}");
        }
        let noon = instant("2026-01-01T12:00:00Z").unwrap();
        assert_eq!(instant("2026-01-01T13:00:00+01:00"), Some(noon));
        assert_eq!(instant("2026-01-01T12:00:00.000Z"), Some(noon));
        assert_eq!(instant("2026-01-01T12:00:00.000000001Z"), Some(noon + 1));
        for bad in ["2026-01-01", "2026-01-01T12:00:00", "2026-13-01T12:00:00Z", "x", ""] {
            assert_eq!(instant(bad), None, "{bad}");
        }
    }
}
