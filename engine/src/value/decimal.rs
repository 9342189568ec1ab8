//! Decimals: any decimal text in a normal form that compares digit for digit, and exact sums and
//! products of two texts.
//!
//! ```text
//!   -0012.50e3   is no JSON number: a leading zero
//!     -12.50e3   negative, digits 1 2 5, exponent 5:   -0.125 x 10^5
//!       0.00     no digits, exponent 0, not negative
//! ```
//!
//! Two texts of the same value have the same normal form, so equality is equality of the fields.
//! Parsing, comparing and adding cost O(digits); both the digits and the exponent are limited,
//! since an exponent of a few bytes could ask for a sum of gigabytes.

use std::cmp::Ordering;
use std::str::FromStr;

use bigdecimal::BigDecimal;
use smallvec::SmallVec;

/// Digits of one decimal's text, and of a sum: far more than any ledger needs, few enough to be
/// added in microseconds.
pub const DIGITS_MAX: usize = 10_000;
/// The greatest exponent of the normal form, and the least one negated: a key holds it in 16 bits.
pub const EXPONENT_MAX: i64 = 30_000;
/// An exponent in a text counts as this at most: above all limits, far from overflow.
const EXPONENT_SATURATED: i64 = 1 << 40;

/// A decimal in normal form: `0.d1d2d3.. x 10^exponent`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    negative: bool,
    exponent: i32,
    /// Each 0 to 9; the first and the last are not 0; none for zero.
    digits: SmallVec<[u8; 24]>,
}

impl Decimal {
    /// Reads a decimal in JSON's number syntax, and nothing around it. `None` for other text, for
    /// more than [`DIGITS_MAX`] digits and for a normal form whose exponent is beyond
    /// [`EXPONENT_MAX`]. O(length).
    pub fn parse(text: &str) -> Option<Decimal> {
        let shape = Shape::read(text.as_bytes())?;
        if shape.whole.len() + shape.fraction.len() > DIGITS_MAX {
            return None;
        }
        let Some(span) = shape.significant() else {
            return Some(Decimal { negative: false, exponent: 0, digits: SmallVec::new() });
        };
        if span.exponent.abs() > EXPONENT_MAX {
            return None;
        }
        let digits = shape.digits(&span).collect();
        Some(Decimal { negative: shape.negative, exponent: span.exponent as i32, digits })
    }

    /// The digits, each 0 to 9, without zeros at either end; none for zero.
    pub fn digits(&self) -> &[u8] {
        &self.digits
    }

    /// The power of ten that the digits, read behind a point, are multiplied by; 0 for zero.
    pub fn exponent(&self) -> i32 {
        self.exponent
    }

    /// Whether the value is below zero.
    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// The exact sum of two decimal texts, without an exponent and with as many decimals as the
    /// more precise of the two: `12.50` and `0.5` give `13.00`. `None` if either is no decimal or
    /// the sum would have more than [`DIGITS_MAX`] digits. O(digits).
    pub fn checked_add(a: &str, b: &str) -> Option<String> {
        let (whole_a, scale_a) = plain_size(a)?;
        let (whole_b, scale_b) = plain_size(b)?;
        let scale = scale_a.max(scale_b);
        if whole_a.max(whole_b) + scale > DIGITS_MAX as i64 {
            return None;
        }
        let sum = BigDecimal::from_str(a).ok()? + BigDecimal::from_str(b).ok()?;
        let text = sum.with_scale(scale).to_plain_string();
        // A carry can bring the sum above the limit after all.
        Decimal::parse(&text).map(|_| text)
    }

    /// The exact product, without an exponent and with as many decimals as the two together:
    /// `12.50` and `0.5` give `6.250`. `None` as of the sum. O(digits of one, times the other's).
    pub fn checked_mul(a: &str, b: &str) -> Option<String> {
        let (whole_a, scale_a) = plain_size(a)?;
        let (whole_b, scale_b) = plain_size(b)?;
        let most = DIGITS_MAX as i64;
        if whole_a.max(whole_b) > most || scale_a + scale_b > most {
            return None;
        }
        let product = BigDecimal::from_str(a).ok()? * BigDecimal::from_str(b).ok()?;
        let text = product.with_scale(scale_a + scale_b).to_plain_string();
        Decimal::parse(&text).map(|_| text)
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |value: &Decimal| match (value.digits.is_empty(), value.negative) {
            (true, _) => 0,
            (false, false) => 1,
            (false, true) => -1,
        };
        // Without zeros at the end, a run of digits that continues another is the greater fraction.
        let magnitude =
            || self.exponent.cmp(&other.exponent).then_with(|| self.digits.cmp(&other.digits));
        sign(self).cmp(&sign(other)).then_with(|| match sign(self) {
            0 => Ordering::Equal,
            1 => magnitude(),
            _ => magnitude().reverse(),
        })
    }
}

/// Digits before the point and behind it when `text` is written without an exponent; `None` if it
/// is no decimal.
fn plain_size(text: &str) -> Option<(i64, i64)> {
    Decimal::parse(text)?;
    let shape = Shape::read(text.as_bytes())?;
    let whole = (shape.whole.len() as i64 + shape.exponent).max(1);
    let scale = (shape.fraction.len() as i64 - shape.exponent).max(0);
    Some((whole, scale))
}

/// The parts of a JSON number's text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape<'a> {
    /// A minus sign stands first (it may stand before a zero).
    pub negative: bool,
    /// The digits before the point, at least one.
    pub whole: &'a [u8],
    /// The digits behind the point; none without a point.
    pub fraction: &'a [u8],
    /// What stands behind the `e`, held to an absolute value of at most 2^40.
    pub exponent: i64,
}

/// Where the digits that count begin and end among all digits of a [`Shape`], and the exponent of
/// the normal form.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub first: usize,
    pub end: usize,
    pub exponent: i64,
}

impl<'a> Shape<'a> {
    /// Reads `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`; `None` for anything else.
    pub fn read(text: &'a [u8]) -> Option<Shape<'a>> {
        let (negative, rest) = match text {
            [b'-', rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        let (whole, mut rest) = leading_digits(rest);
        if whole.is_empty() || (whole.len() > 1 && whole[0] == b'0') {
            return None;
        }
        let mut fraction: &[u8] = &[];
        if let [b'.', after @ ..] = rest {
            (fraction, rest) = leading_digits(after);
            if fraction.is_empty() {
                return None;
            }
        }
        let exponent = match rest {
            [] => 0,
            [b'e' | b'E', b'-', digits @ ..] => -exponent_of(digits)?,
            [b'e' | b'E', b'+', digits @ ..] | [b'e' | b'E', digits @ ..] => exponent_of(digits)?,
            _ => return None,
        };
        Some(Shape { negative, whole, fraction, exponent })
    }

    /// From the first digit that is not 0 to behind the last; `None` for zero.
    pub fn significant(&self) -> Option<Span> {
        let is_digit = |&byte: &u8| byte != b'0';
        let whole = self.whole.len();
        let behind_point = |at: usize| whole + at;
        let first = self
            .whole
            .iter()
            .position(is_digit)
            .or_else(|| self.fraction.iter().position(is_digit).map(behind_point))?;
        let last = self
            .fraction
            .iter()
            .rposition(is_digit)
            .map(behind_point)
            .or_else(|| self.whole.iter().rposition(is_digit))?;
        Some(Span { first, end: last + 1, exponent: whole as i64 - first as i64 + self.exponent })
    }

    /// The digits of `span`, each 0 to 9.
    pub fn digits(&self, span: &Span) -> impl Iterator<Item = u8> {
        let all = self.whole.iter().chain(self.fraction);
        all.skip(span.first).take(span.end - span.first).map(|digit| digit - b'0')
    }
}

fn leading_digits(text: &[u8]) -> (&[u8], &[u8]) {
    let length = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(length)
}

fn exponent_of(digits: &[u8]) -> Option<i64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0, |sum: i64, byte| {
        let digit = byte.is_ascii_digit().then(|| i64::from(byte - b'0'))?;
        Some((sum * 10 + digit).min(EXPONENT_SATURATED))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn normal(text: &str) -> (bool, Vec<u8>, i32) {
        let value = Decimal::parse(text).expect(text);
        (value.is_negative(), value.digits().to_vec(), value.exponent())
    }

    #[test]
    fn normal_forms() {
        assert_eq!(normal("12.50"), (false, vec![1, 2, 5], 2));
        assert_eq!(normal("-12.50e3"), (true, vec![1, 2, 5], 5));
        assert_eq!(normal("0.00120"), (false, vec![1, 2], -2));
        assert_eq!(normal("1000"), (false, vec![1], 4));
        assert_eq!(normal("100.001"), (false, vec![1, 0, 0, 0, 0, 1], 3));
        assert_eq!(normal("-0.0"), (false, vec![], 0));
        assert_eq!(normal("0e99999999999999999999"), (false, vec![], 0));
    }

    #[test]
    fn other_text_is_refused() {
        for text in [
            "", "-", "+1", "007", "1.", ".5", "1e", "1e+", "1.e3", " 1", "1 ", "0x1", "NaN", "1_0",
            "--1", "1e1.5", "٣", "-.1",
        ] {
            assert!(Decimal::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn limits_of_exponent_and_digits() {
        assert!(Decimal::parse("1e29999").is_some());
        assert!(Decimal::parse("1e30000").is_none());
        assert!(Decimal::parse("1e-30001").is_some());
        assert!(Decimal::parse("1e-30002").is_none());
        assert!(Decimal::parse("1e99999999999999999999999").is_none());
        assert!(Decimal::parse(&"1".repeat(DIGITS_MAX)).is_some());
        assert!(Decimal::parse(&"1".repeat(DIGITS_MAX + 1)).is_none());
    }

    #[test]
    fn sums_keep_the_larger_scale() {
        for (a, b, sum) in [
            ("12.50", "0.5", Some("13.00")),
            ("-12.50", "12.5", Some("0.00")),
            ("0.00", "1", Some("1.00")),
            ("1", "0.000", Some("1.000")),
            ("1e3", "1", Some("1001")),
            ("1.5e-3", "1", Some("1.0015")),
            ("0.1", "0.2", Some("0.3")),
            ("-0", "0.0", Some("0.0")),
            ("99999999999999999999999.99", "0.01", Some("100000000000000000000000.00")),
            ("1e9999", "1e-2", None),
            ("1e-9000", "1e9000", None),
            ("0e99999999999", "1", None),
            ("x", "1", None),
        ] {
            assert_eq!(Decimal::checked_add(a, b).as_deref(), sum, "{a} + {b}");
        }
        let nines = "9".repeat(DIGITS_MAX);
        assert_eq!(Decimal::checked_add(&nines, "1"), None);
    }

    #[test]
    fn products_have_the_decimals_of_both() {
        for (a, b, product) in [
            ("12.50", "0.5", Some("6.250")),
            ("-12.50", "0", Some("0.00")),
            ("1e3", "1.5", Some("1500.0")),
            ("1.5e-3", "2", Some("0.0030")),
            ("-0.0", "-1", Some("0.0")),
            ("99999999999999999999.9", "10", Some("999999999999999999999.0")),
            ("1e5000", "1e5000", None),
            ("1e-5001", "1e-5000", None),
            ("x", "1", None),
        ] {
            assert_eq!(Decimal::checked_mul(a, b).as_deref(), product, "{a} * {b}");
        }
        let nines = "9".repeat(DIGITS_MAX / 2);
        assert_eq!(Decimal::checked_mul(&nines, &nines).map(|it| it.len()), Some(DIGITS_MAX));
        assert_eq!(Decimal::checked_mul(&nines, &format!("{nines}9")), None);
    }

    fn decimal_text() -> impl Strategy<Value = String> {
        "-?(0|[1-9][0-9]{0,9})(\\.[0-9]{1,9})?([eE][+-]?[0-9]{1,2})?"
    }

    proptest! {
        #[test]
        fn order_and_equality_are_those_of_the_values(a in decimal_text(), b in decimal_text()) {
            let (x, y) = (BigDecimal::from_str(&a).unwrap(), BigDecimal::from_str(&b).unwrap());
            let (p, q) = (Decimal::parse(&a).unwrap(), Decimal::parse(&b).unwrap());
            prop_assert_eq!(p.cmp(&q), x.cmp(&y));
            prop_assert_eq!(p == q, x == y);
        }

        #[test]
        fn a_sum_is_exact_and_plain(a in decimal_text(), b in decimal_text()) {
            let exact = BigDecimal::from_str(&a).unwrap() + BigDecimal::from_str(&b).unwrap();
            let sum = Decimal::checked_add(&a, &b).unwrap();
            prop_assert!(!sum.contains(['e', 'E']), "{}", sum);
            prop_assert_eq!(BigDecimal::from_str(&sum).unwrap(), exact);
        }

        #[test]
        fn a_product_is_exact_and_plain(a in decimal_text(), b in decimal_text()) {
            let exact = BigDecimal::from_str(&a).unwrap() * BigDecimal::from_str(&b).unwrap();
            let product = Decimal::checked_mul(&a, &b).unwrap();
            prop_assert!(!product.contains(['e', 'E']), "{}", product);
            prop_assert_eq!(BigDecimal::from_str(&product).unwrap(), exact);
        }
    }
}
