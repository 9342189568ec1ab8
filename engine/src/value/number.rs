//! Numbers: i64, u64 and f64, read exactly, compared exactly, added and multiplied exactly.
//!
//! A number whose value is an integer within 64 bits *is* that integer, however it is written:
//! `1.0`, `1e3` and `-0` are integers. Every other number is its nearest finite double; one beyond
//! all doubles is none of these.

use std::cmp::Ordering;
use std::fmt;

use super::decimal::Shape;

/// A number. Use [`Number::cmp_exact`] to compare: the same value may stand as an integer and as a
/// float.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// An integer within `i64`.
    Int(i64),
    /// An integer above `i64::MAX`.
    UInt(u64),
    /// A finite double.
    Float(f64),
}

/// Digits that never overflow an `i64`.
const DIGITS_SAFE: usize = 18;
/// Digits of the greatest `u64`.
const DIGITS_U64: i64 = 20;
/// 2^64, the first double above every integer here.
const ABOVE_INTEGERS: f64 = 18_446_744_073_709_551_616.0;
/// -2^63, the least integer here.
const LEAST_INTEGER: f64 = -9_223_372_036_854_775_808.0;

impl Number {
    /// Reads the text of a JSON number; `None` when its nearest double would be infinite (or when
    /// it is no number). A value too small for a double is 0.0. O(length).
    pub fn parse(text: &[u8]) -> Option<Number> {
        if let Some(value) = plain_integer(text) {
            return Some(Number::Int(value));
        }
        let shape = Shape::read(text)?;
        if let Some(integer) = exact_integer(&shape) {
            return Some(integer);
        }
        let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
        // The addition turns -0.0, an underflow, into 0.0.
        value.is_finite().then_some(Number::Float(value + 0.0))
    }

    /// The sum: exact for two integers, `None` where it leaves 64 bits; otherwise the double
    /// nearest to the sum of the two as doubles, `None` where that is infinite.
    #[must_use]
    pub fn checked_add(self, other: Number) -> Option<Number> {
        if let (Some(a), Some(b)) = (self.integer(), other.integer()) {
            return Number::of_integer(a + b);
        }
        let sum = self.to_f64() + other.to_f64();
        sum.is_finite().then_some(Number::Float(sum))
    }

    /// The product, in the same way: never -0.0, and 0.0 where it is too small for a double.
    #[must_use]
    pub fn checked_mul(self, other: Number) -> Option<Number> {
        if let (Some(a), Some(b)) = (self.integer(), other.integer()) {
            return Number::of_integer(a.checked_mul(b)?);
        }
        let product = self.to_f64() * other.to_f64();
        product.is_finite().then_some(Number::Float(product + 0.0))
    }

    /// The order of the exact values, integers and floats mixed. A float that is not a number (none
    /// is ever made here) counts as zero.
    pub fn cmp_exact(self, other: Number) -> Ordering {
        match (self.integer(), other.integer()) {
            (Some(a), Some(b)) => a.cmp(&b),
            (Some(a), None) => cmp_integer(a, other.to_f64()),
            (None, Some(b)) => cmp_integer(b, self.to_f64()).reverse(),
            (None, None) => self.to_f64().partial_cmp(&other.to_f64()).unwrap_or(Ordering::Equal),
        }
    }

    /// The nearest double.
    pub fn to_f64(self) -> f64 {
        match self {
            Number::Int(value) => value as f64,
            Number::UInt(value) => value as f64,
            Number::Float(value) => value,
        }
    }

    /// The integer that the number is, if it is one.
    pub fn integer(self) -> Option<i128> {
        match self {
            Number::Int(value) => Some(i128::from(value)),
            Number::UInt(value) => Some(i128::from(value)),
            Number::Float(_) => None,
        }
    }

    /// The number of a double, which is an integer where its value is one within 64 bits; `None` unless it is finite.
    pub fn of_float(value: f64) -> Option<Number> {
        // A cast truncates in one instruction where `fract` is a call.
        if value.abs() < -LEAST_INTEGER {
            let whole = value as i64;
            let is_whole = value - whole as f64 == 0.0;
            return Some(if is_whole { Number::Int(whole) } else { Number::Float(value) });
        }
        // From 2^63 on every double is an integer.
        if is_among_integers(value) {
            return Number::of_integer(value as i128);
        }
        value.is_finite().then_some(Number::Float(value))
    }

    /// The number of an integer, if it is within 64 bits.
    pub fn of_integer(value: i128) -> Option<Number> {
        i64::try_from(value)
            .map(Number::Int)
            .or_else(|_| u64::try_from(value).map(Number::UInt))
            .ok()
    }
}

/// The shortest JSON text that reads back as the same value under the rule above; a float shows a
/// point or an exponent: `3.0`, `1e300`.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::Int(value) => write!(f, "{value}"),
            Number::UInt(value) => write!(f, "{value}"),
            // The shortest digits of a double from 2^53 on can be those of another integer, as
            // which they would read back: an integral double among the integers is printed to its
            // last digit.
            Number::Float(value) if value.fract() == 0.0 && is_among_integers(*value) => {
                write!(f, "{}.0", *value as i128)
            }
            // `Debug` prints the shortest digits and never a bare integer; its exponents are
            // JSON's.
            Number::Float(value) => write!(f, "{value:?}"),
        }
    }
}

/// The fast path: an optional sign and up to eighteen digits.
fn plain_integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let is_padded = digits.len() > 1 && digits[0] == b'0';
    if digits.is_empty() || digits.len() > DIGITS_SAFE || is_padded {
        return None;
    }
    let mut value = 0i64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(if negative { -value } else { value })
}

/// The integer that the text stands for exactly, if it is one within 64 bits.
fn exact_integer(shape: &Shape<'_>) -> Option<Number> {
    let Some(span) = shape.significant() else { return Some(Number::Int(0)) };
    let count = (span.end - span.first) as i64;
    if span.exponent > DIGITS_U64 || count > span.exponent {
        return None;
    }
    let digits = shape.digits(&span).fold(0i128, |sum, digit| sum * 10 + i128::from(digit));
    let value = digits * 10i128.pow((span.exponent - count) as u32);
    Number::of_integer(if shape.negative { -value } else { value })
}

fn is_among_integers(value: f64) -> bool {
    (LEAST_INTEGER..ABOVE_INTEGERS).contains(&value)
}

fn cmp_integer(integer: i128, float: f64) -> Ordering {
    if float >= ABOVE_INTEGERS {
        return Ordering::Less;
    }
    if float <= -ABOVE_INTEGERS {
        return Ordering::Greater;
    }
    let whole = float.trunc();
    integer.cmp(&(whole as i128)).then_with(|| whole.partial_cmp(&float).unwrap_or(Ordering::Equal))
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use bigdecimal::BigDecimal;
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> String {
        format!("{:?}", Number::parse(text.as_bytes()))
    }

    #[test]
    fn integers_however_written() {
        for (text, shows) in [
            ("1.0", "Some(Int(1))"),
            ("1e3", "Some(Int(1000))"),
            ("12.5e1", "Some(Int(125))"),
            ("9007199254740993.0", "Some(Int(9007199254740993))"),
            ("-0", "Some(Int(0))"),
            ("-0.0", "Some(Int(0))"),
            ("0e99999999999999999999", "Some(Int(0))"),
            ("9223372036854775807", "Some(Int(9223372036854775807))"),
            ("9223372036854775808", "Some(UInt(9223372036854775808))"),
            ("18446744073709551615", "Some(UInt(18446744073709551615))"),
            ("18446744073709551616", "Some(Float(1.8446744073709552e19))"),
            ("-9223372036854775808", "Some(Int(-9223372036854775808))"),
            ("-9223372036854775809", "Some(Float(-9.223372036854776e18))"),
            ("1.5", "Some(Float(1.5))"),
            ("1e308", "Some(Float(1e308))"),
            ("1e400", "None"),
            ("-1e400", "None"),
            ("1e99999999999999999999", "None"),
            ("1e-400", "Some(Float(0.0))"),
            ("-1e-400", "Some(Float(0.0))"),
            ("-5", "Some(Int(-5))"),
            ("007", "None"),
            ("", "None"),
            ("-", "None"),
        ] {
            assert_eq!(shown(text), shows, "{text}");
        }
        assert_eq!(shown(&format!("1{}e-30000", "0".repeat(30_000))), "Some(Int(1))");
    }

    #[test]
    fn sums_are_exact_or_refused() {
        let add = |a: &str, b: &str| {
            let sum = Number::parse(a.as_bytes()).unwrap();
            sum.checked_add(Number::parse(b.as_bytes()).unwrap()).map(|sum| sum.to_string())
        };
        assert_eq!(add("1", "2").as_deref(), Some("3"));
        assert_eq!(add("9223372036854775807", "1").as_deref(), Some("9223372036854775808"));
        assert_eq!(add("18446744073709551615", "-1").as_deref(), Some("18446744073709551614"));
        assert_eq!(add("18446744073709551615", "1"), None);
        assert_eq!(add("-9223372036854775808", "-1"), None);
        assert_eq!(add("1.5", "1.5").as_deref(), Some("3.0"));
        assert_eq!(add("1.5", "1").as_deref(), Some("2.5"));
        assert_eq!(add("1.7e308", "1.7e308"), None);
    }

    #[test]
    fn floats_are_printed_so_that_they_read_back() {
        for (value, text) in [
            (3.0, "3.0"),
            (-0.0, "0.0"),
            (0.1, "0.1"),
            (36_100_000_000_000_008.0, "36100000000000008.0"),
            (ABOVE_INTEGERS, "1.8446744073709552e19"),
            (LEAST_INTEGER, "-9223372036854775808.0"),
            (LEAST_INTEGER.next_down(), "-9.223372036854778e18"),
            (1e300, "1e300"),
            (1.5e-7, "1.5e-7"),
        ] {
            assert_eq!(Number::Float(value).to_string(), text);
        }
    }

    fn number_text() -> impl Strategy<Value = String> {
        prop_oneof![
            "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,6})?([eE][+-]?[0-9]{1,2})?",
            any::<i64>().prop_map(|value| value.to_string()),
            any::<u64>().prop_map(|value| value.to_string()),
            any::<i64>().prop_map(|value| format!("{value}.0")),
            any::<i64>().prop_map(|value| format!("{}", value as f64)),
            any::<u64>().prop_map(|value| format!("{value}.1")),
        ]
    }

    /// The value that a number stands for, exactly.
    fn exact(number: Number) -> BigDecimal {
        match number {
            Number::Int(value) => value.into(),
            Number::UInt(value) => value.into(),
            Number::Float(value) => BigDecimal::try_from(value).unwrap(),
        }
    }

    proptest! {
        #[test]
        fn reading_is_exact_or_nearest(text in number_text()) {
            let number = Number::parse(text.as_bytes()).unwrap();
            let value = BigDecimal::from_str(&text).unwrap();
            let low = BigDecimal::from(i64::MIN);
            let high = BigDecimal::from(u64::MAX);
            if value.is_integer() && low <= value && value <= high {
                prop_assert!(!matches!(number, Number::Float(_)));
                prop_assert_eq!(exact(number), value);
            } else {
                let Number::Float(float) = number else { panic!("{text} is {number:?}") };
                let nearest = text.parse::<f64>().unwrap() + 0.0;
                prop_assert_eq!(float.to_bits(), nearest.to_bits());
            }
        }

        #[test]
        fn products_of_integers_are_exact_or_none(a in any::<i64>(), b in any::<i64>(), small in -9i64..9) {
            for (a, b) in [(a, b), (a, small), (i64::from(a as i32), i64::from(b as i32))] {
                let product = i128::from(a) * i128::from(b);
                let found = Number::Int(a).checked_mul(Number::Int(b)).and_then(Number::integer);
                let fits = Number::of_integer(product).is_some();
                prop_assert_eq!(found, fits.then_some(product));
            }
        }

        #[test]
        fn order_is_that_of_the_exact_values(a in number_text(), b in number_text()) {
            let (x, y) = (
                Number::parse(a.as_bytes()).unwrap(),
                Number::parse(b.as_bytes()).unwrap(),
            );
            prop_assert_eq!(x.cmp_exact(y), exact(x).cmp(&exact(y)));
        }

        #[test]
        fn text_reads_back(text in number_text(), float in any::<f64>()) {
            let number = Number::parse(text.as_bytes()).unwrap();
            let back = Number::parse(number.to_string().as_bytes()).unwrap();
            prop_assert_eq!(number.cmp_exact(back), Ordering::Equal);
            if float.is_finite() {
                let text = Number::Float(float).to_string();
                prop_assert!(text.contains(['.', 'e']));
                let back = text.parse::<f64>().unwrap() + 0.0;
                prop_assert_eq!(back.to_bits(), (float + 0.0).to_bits());
                serde_json::from_str::<f64>(&text).unwrap();
            }
        }
    }
}
