//! Values that are computed: trees of `+ - * / %` over paths and constants, and what they are worth
//! in numbers (integers and doubles), in decimals, and where instants take part.

use std::{cmp::Ordering, str::FromStr};

use bigdecimal::{BigDecimal, Zero, num_bigint::BigInt};

use super::{
    filter::Literal,
    json::Json,
    meta::{Frame, Scope},
    path::Path,
    schema::Kind,
    text::fold,
    time,
    value::{Number, Scalar, decimal, instant, is_decimal, scalar},
};

/// A sign of arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
}

impl Operator {
    /// The sign.
    pub fn text(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }

    /// Whether it binds as `*` does.
    pub fn is_tight(self) -> bool {
        matches!(self, Self::Multiply | Self::Divide | Self::Remainder)
    }
}

/// A value as the grammar has it.
#[derive(Clone, Debug)]
pub enum Value {
    /// A constant.
    Constant(Literal),
    /// A path.
    Path(Path),
    /// `- value`
    Negated(Box<Value>),
    /// Two values and what is done with them.
    Computed(Box<Value>, Operator, Box<Value>),
}

impl Value {
    /// Two values and what is done with them.
    pub fn computed(left: Self, operator: Operator, right: Self) -> Self {
        Self::Computed(Box::new(left), operator, Box::new(right))
    }

    /// The paths that occur, from left to right.
    pub fn paths(&self) -> Vec<&Path> {
        match self {
            Self::Constant(_) => Vec::new(),
            Self::Path(path) => vec![path],
            Self::Negated(value) => value.paths(),
            Self::Computed(left, _, right) => [left.paths(), right.paths()].concat(),
        }
    }

    /// The constants that occur, from left to right.
    pub fn constants(&self) -> Vec<&Literal> {
        match self {
            Self::Constant(literal) => vec![literal],
            Self::Path(_) => Vec::new(),
            Self::Negated(value) => value.constants(),
            Self::Computed(left, _, right) => [left.constants(), right.constants()].concat(),
        }
    }

    /// Whether something is computed.
    pub fn is_computed(&self) -> bool {
        matches!(self, Self::Negated(_) | Self::Computed(..))
    }

    /// Whether an instant takes part.
    pub fn has_instant(&self, frame: &Frame<'_>) -> bool {
        let is_time = |literal: &&Literal| matches!(literal, Literal::Now | Literal::Time(_));
        self.constants().iter().any(is_time)
            || self.paths().iter().any(|path| frame.kind_of(path) == Some(Kind::Datetime))
    }
}

/// What a predicate is computed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Integers and doubles.
    Numbers,
    /// Decimals, since a path is declared so.
    Decimals,
    /// Decimals, since an instant takes part: its milliseconds.
    Instants,
}

impl Mode {
    /// The mode of a predicate of these values.
    pub fn of<'v>(values: impl Iterator<Item = &'v Value> + Clone, frame: &Frame<'_>) -> Self {
        let is_decimal = |path: &Path| frame.kind_of(path) == Some(Kind::Decimal);
        if values.clone().any(|value| value.has_instant(frame)) {
            Self::Instants
        } else if values.into_iter().any(|value| value.paths().into_iter().any(is_decimal)) {
            Self::Decimals
        } else {
            Self::Numbers
        }
    }
}

/// What a value is worth.
#[derive(Clone, Debug, PartialEq)]
pub enum Worth {
    /// A boolean.
    Bool(bool),
    /// A string.
    Text(String),
    /// A number, where the mode is numbers.
    Number(Number),
    /// A number, or an instant by its milliseconds, where the mode is another.
    Decimal(BigDecimal),
}

impl Worth {
    /// The same with its case folded, if it is a string.
    #[must_use]
    pub fn folded(self) -> Self {
        match self {
            Self::Text(text) => Self::Text(fold(&text)),
            worth => worth,
        }
    }

    /// Compares two values; none where they are of different kinds.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Bool(left), Self::Bool(right)) => Some(left.cmp(right)),
            (Self::Text(left), Self::Text(right)) => Some(left.as_bytes().cmp(right.as_bytes())),
            (Self::Number(left), Self::Number(right)) => Some(left.compare(*right)),
            (Self::Decimal(left), Self::Decimal(right)) => Some(left.cmp(right)),
            _ => None,
        }
    }
}

/// How a predicate sees a document: its mode, the value that its `[*]` stands for, and the type
/// that an instant gives to a path alone.
#[derive(Clone, Debug)]
pub struct View<'a> {
    /// Where paths begin.
    pub scope: &'a Scope<'a>,
    /// What is computed in.
    pub mode: Mode,
    /// What the path with a `[*]` leads to, one of several.
    pub one: Option<Json>,
    /// The type of undeclared values, if not that of a path.
    pub open_kind: Option<Kind>,
}

impl View<'_> {
    /// What a value is worth, if anything.
    pub fn worth(&self, value: &Value) -> Option<Worth> {
        match value {
            Value::Constant(literal) => self.constant(literal),
            Value::Path(path) => self.at(path),
            Value::Negated(value) => {
                let zero = match self.mode {
                    Mode::Numbers => Worth::Number(Number::Int(0)),
                    Mode::Decimals | Mode::Instants => Worth::Decimal(BigDecimal::zero()),
                };
                compute(&zero, Operator::Subtract, &self.worth(value)?)
            }
            Value::Computed(left, operator, right) => {
                compute(&self.worth(left)?, *operator, &self.worth(right)?)
            }
        }
    }

    fn constant(&self, literal: &Literal) -> Option<Worth> {
        constant(literal, self.mode, self.scope.now_ms)
    }

    fn at(&self, path: &Path) -> Option<Worth> {
        let json = match &self.one {
            Some(json) if path.is_multiple() => json.clone(),
            _ => self.scope.values(path).into_iter().next()?,
        };
        let kind = match self.scope.kind_of(path) {
            None | Some(Kind::Json) => self.open_kind.clone(),
            kind => kind,
        };
        let value = scalar(&json, kind.as_ref())?;
        Some(match (value, self.mode) {
            (Scalar::Bool(truth), _) => Worth::Bool(truth),
            (Scalar::Text(text), Mode::Instants) if kind.is_none() => {
                instant(text).map_or_else(|| Worth::Text(text.to_owned()), milliseconds)
            }
            (Scalar::Text(text) | Scalar::Folded(_, text), _) => Worth::Text(text.to_owned()),
            (Scalar::Number(number), Mode::Numbers) => Worth::Number(number),
            // Digit for digit, as the document writes the number.
            (Scalar::Number(_), Mode::Decimals | Mode::Instants) => {
                let Json::Number(text) = &json else { unreachable!("its scalar is a number") };
                Worth::Decimal(limited(&decimal(text)?)?)
            }
            (Scalar::Decimal(exact), _) => Worth::Decimal(limited(&exact)?),
            (Scalar::Instant(nanoseconds), _) => milliseconds(nanoseconds),
        })
    }
}

/// What a constant is worth.
pub fn constant(literal: &Literal, mode: Mode, now_ms: i64) -> Option<Worth> {
    Some(match (literal, mode) {
        (Literal::Bool(truth), _) => Worth::Bool(*truth),
        (Literal::Number(text), Mode::Numbers) => Worth::Number(Number::read(text)),
        (Literal::Number(text), _) => Worth::Decimal(limited(&decimal(text)?)?),
        (Literal::String(text), Mode::Decimals) if is_decimal(text) => {
            Worth::Decimal(limited(&decimal(text)?)?)
        }
        (Literal::String(text), Mode::Instants) => milliseconds(instant(text)?),
        (Literal::String(text), _) => Worth::Text(text.clone()),
        (Literal::Now, _) => Worth::Decimal(BigDecimal::from(now_ms)),
        (Literal::Time(text), _) => Worth::Decimal(match text.as_ref() {
            Literal::String(text) => time::time(text)?,
            Literal::Number(text) => BigDecimal::from_str(text).ok()?,
            _ => return None,
        }),
        (Literal::Duration(text), Mode::Numbers) => {
            Worth::Number(Number::from_exact(&time::duration(text)?)?)
        }
        (Literal::Duration(text), _) => Worth::Decimal(time::duration(text)?),
    })
}

fn milliseconds(nanoseconds: i128) -> Worth {
    Worth::Decimal(time::from_nanoseconds(nanoseconds))
}

/// Carries one sign out; none where one side is no number or the result has no value.
fn compute(left: &Worth, operator: Operator, right: &Worth) -> Option<Worth> {
    match (left, right) {
        (Worth::Number(left), Worth::Number(right)) => {
            of_numbers(*left, operator, *right).map(Worth::Number)
        }
        (Worth::Decimal(left), Worth::Decimal(right)) => {
            limited(&of_decimals(left, operator, right)?).map(Worth::Decimal)
        }
        _ => None,
    }
}

fn of_numbers(left: Number, operator: Operator, right: Number) -> Option<Number> {
    let (x, y) = (left.double(), right.double());
    if !x.is_finite() || !y.is_finite() {
        return None;
    }
    if let (Number::Int(left), Number::Int(right)) = (left, right) {
        // The product of two of 64 bits may need more than an `i128` has.
        let (a, b) = (BigDecimal::from(left), BigDecimal::from(right));
        match operator {
            Operator::Add => return Number::from_exact(&(a + b)),
            Operator::Subtract => return Number::from_exact(&(a - b)),
            Operator::Multiply => return Number::from_exact(&(a * b)),
            Operator::Divide | Operator::Remainder if right == 0 => return None,
            Operator::Divide if left % right == 0 => {
                return Number::from_exact(&BigDecimal::from(left / right));
            }
            Operator::Remainder => return Some(Number::Int(left % right)),
            Operator::Divide => {}
        }
    }
    Number::from_double(match operator {
        Operator::Add => x + y,
        Operator::Subtract => x - y,
        Operator::Multiply => x * y,
        Operator::Divide | Operator::Remainder if y == 0.0 => return None,
        Operator::Divide => x / y,
        Operator::Remainder => x % y,
    })
}

fn of_decimals(left: &BigDecimal, operator: Operator, right: &BigDecimal) -> Option<BigDecimal> {
    match operator {
        Operator::Add => Some(left + right),
        Operator::Subtract => Some(left - right),
        Operator::Multiply => Some(left * right),
        Operator::Divide => quotient(left, right),
        Operator::Remainder if right.is_zero() => None,
        Operator::Remainder => Some(left % right),
    }
}

/// The quotient, rounded to 34 significant digits, half to even.
pub fn quotient(left: &BigDecimal, right: &BigDecimal) -> Option<BigDecimal> {
    if right.is_zero() {
        return None;
    }
    let (dividend, dividend_scale) = left.as_bigint_and_exponent();
    let (divisor, divisor_scale) = right.as_bigint_and_exponent();
    let is_negative = (dividend < BigInt::zero()) != (divisor < BigInt::zero());
    let magnitude = |int: BigInt| if int < BigInt::zero() { -int } else { int };
    // Two digits more than are kept at least, and a last one that tells whether there are others.
    let more = u32::try_from(right.digits() + 36).expect("few digits");
    let (dividend, divisor) = (magnitude(dividend) * power(more), magnitude(divisor));
    let (whole, rest) = (&dividend / &divisor, &dividend % &divisor);
    let digits = whole * 10 + i32::from(!rest.is_zero());
    let scale = dividend_scale - divisor_scale + i64::from(more) + 1;
    let (kept, scale) = rounded(digits, scale);
    Some(BigDecimal::new(if is_negative { -kept } else { kept }, scale))
}

/// Digits, and how many of them are behind the point, cut to 34, half to even.
fn rounded(digits: BigInt, scale: i64) -> (BigInt, i64) {
    let Some(cut) = digits.to_string().len().checked_sub(34) else { return (digits, scale) };
    let unit = power(u32::try_from(cut).expect("few digits"));
    let (kept, rest): (BigInt, BigInt) = (&digits / &unit, &digits % &unit);
    let is_odd = !(&kept % 2_u32).is_zero();
    let goes_up = match (rest * 2_u32).cmp(&unit) {
        Ordering::Less => false,
        Ordering::Equal => is_odd,
        Ordering::Greater => true,
    };
    (kept + u32::from(goes_up), scale - i64::try_from(cut).expect("few digits"))
}

fn power(of_ten: u32) -> BigInt {
    BigInt::from(10).pow(of_ten)
}

/// A decimal, unless it is one of those that have no value.
fn limited(exact: &BigDecimal) -> Option<BigDecimal> {
    let exact = exact.normalized();
    let is_small = exact.digits() <= 10_000 && exact.fractional_digit_count().abs() <= 30_000;
    is_small.then_some(exact)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotients_have_34_digits_half_to_even() {
        let exact = |text: &str| BigDecimal::from_str(text).unwrap();
        let divided = |left: &str, right: &str| quotient(&exact(left), &exact(right)).unwrap();
        assert_eq!(divided("1", "4"), exact("0.25"));
        assert_eq!(divided("-1e20", "8e-3"), exact("-1.25e22"));
        assert_eq!(divided("1", "3"), exact("0.3333333333333333333333333333333333"));
        assert_eq!(divided("-2", "3"), exact("-0.6666666666666666666666666666666667"));
        // Ties: the 35th digit is a 5 and nothing follows.
        let digits = |first: &str, last: &str| format!("{first}{}{last}", "0".repeat(32));
        assert_eq!(divided(&digits("1", "05"), "10"), exact(&digits("1", "0")));
        assert_eq!(divided(&digits("1", "15"), "10"), exact(&digits("1", "2")));
        // No tie: more follows behind the 35th digit, however far.
        let above = divided(&format!("1{}5{}1", "0".repeat(33), "0".repeat(40)), "1e42");
        assert_eq!(above, exact("1000000000000000000000000000000001"));
        assert_eq!(quotient(&exact("1"), &exact("0.0")), None);
    }
}
