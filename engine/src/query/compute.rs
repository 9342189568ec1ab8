//! Comparisons of what is read and computed: `price * qty > total`, `shipped < due`.
//!
//! ```text
//!   domain     numbers are                      when
//!   Plain      integers of 64 bits, doubles     no other
//!   Decimal    decimals, digit for digit        a path of the predicate is declared decimal
//!   Time       decimals; an instant is its      an instant takes part
//!              milliseconds since 1970
//! ```
//! What is missing, null or no number has no value in arithmetic, and what is computed with it has none either; a
//! comparison with no value is false.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::num::NonZeroU64;

use bigdecimal::num_bigint::BigInt;
use bigdecimal::{BigDecimal, RoundingMode, Zero};
use smallvec::SmallVec;

use super::ast::Cmp;
use super::filter::{Asked, Fact, Place};
use super::meter::Meter;
use super::operand::Arithmetic;
use crate::doc::DocRef;
use crate::schema::Scalar;
use crate::schema::text::{self, Millis};
use crate::value::case::cmp_folded;
use crate::value::decimal::{DIGITS_MAX, EXPONENT_MAX};
use crate::value::{Decimal, Key, KeyBuf, Kind, Number, Raw};

/// Digits of a decimal quotient: those of IEEE 754's decimal128.
const QUOTIENT_DIGITS: u64 = 34;

/// How numbers are read and computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    /// As 64-bit integers and doubles.
    Plain,
    /// As decimals.
    Decimal,
    /// As decimals, instants by their milliseconds.
    Time,
}

/// A value that can be compared.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'d> {
    /// In the domain `Plain`.
    Number(PlainNumber),
    /// In the other domains.
    Decimal(BigDecimal),
    /// A string.
    Text(Cow<'d, str>),
    /// A boolean.
    Bool(bool),
    /// A value of a type that compares with its like alone.
    Key(Scalar, Key),
}

/// A number whose equality is that of its value.
#[derive(Debug, Clone, Copy)]
pub struct PlainNumber(pub Number);

impl PartialEq for PlainNumber {
    fn eq(&self, other: &Self) -> bool {
        self.0.cmp_exact(other.0) == Ordering::Equal
    }
}

/// A step of a computation, in reverse Polish notation.
#[derive(Debug, Clone, PartialEq)]
pub enum Term {
    /// A value that is known.
    Constant(Value<'static>),
    /// What stands at a place, under its declared type.
    Read(Place, Scalar),
    /// The negative of the result before it.
    Negate,
    /// Of the two results before it.
    Arithmetic(Arithmetic),
}

/// A computation.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    /// How numbers are read.
    pub domain: Domain,
    /// At least one.
    pub terms: Vec<Term>,
}

/// What is asked of computed values.
#[derive(Debug, Clone, PartialEq)]
pub enum Question {
    /// How the first stands to the second.
    Compare(Cmp),
    /// Whether the first lies between the second and the third.
    Between,
    /// Whether the first is one of these, which ascend by [`Value::cmp_listed`].
    In(Vec<Value<'static>>),
}

/// A predicate on computed values.
#[derive(Debug, Clone, PartialEq)]
pub struct Computed {
    /// What is asked.
    pub question: Question,
    /// One, two or three, as the question says. At most one term of all reads a path with `[*]`.
    pub operands: SmallVec<[Expression; 2]>,
    /// The predicate as text, for EXPLAIN.
    pub text: Box<str>,
}

impl Computed {
    /// Whether the answer is yes; with a `[*]`, for any of the values.
    pub(super) fn holds(&self, asked: &mut Asked<'_, '_>) -> bool {
        let multi = self.operands.iter().find_map(Expression::multi);
        let Some((place, scalar, domain)) = multi else { return self.ask(asked, None) };
        let Some((path, root)) = asked.path(place) else { return false };
        asked.meter.values(path.values(root)).any(|raw| {
            let each = read(raw, scalar, domain);
            self.ask(asked, Some(&each))
        })
    }

    /// All that is read.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        let terms = self.operands.iter().flat_map(|operand| &operand.terms);
        terms.filter_map(|term| match term {
            Term::Read(place, _) => Some(place),
            _ => None,
        })
    }

    /// The answer, where it is the same of every document.
    pub(super) fn constant(&self) -> Option<bool> {
        let asks = |term: &Term| matches!(term, Term::Read(..));
        if self.operands.iter().flat_map(|operand| &operand.terms).any(asks) {
            return None;
        }
        let mut nobody = DocRef::EMPTY;
        let (candidate, meter) = (&mut nobody, &Meter::free());
        Some(self.ask(&mut Asked { candidate, element: None, meter }, None))
    }

    fn ask<'d>(&self, asked: &mut Asked<'_, 'd>, each: Option<&Option<Value<'d>>>) -> bool {
        let mut value = |at: usize| self.operands[at].value(asked, each);
        let Some(first) = value(0) else { return false };
        let folds = |at: usize| self.operands[at].folds_case();
        let mut order = |at: usize| first.compare(&value(at)?, folds(0) || folds(at));
        match &self.question {
            Question::In(values) => {
                let order = |other: &Value<'_>| other.cmp_listed(&first, folds(0));
                values.binary_search_by(order).is_ok()
            }
            Question::Compare(cmp) => order(1).is_some_and(|order| cmp.accepts(order)),
            Question::Between => {
                order(1).is_some_and(Ordering::is_ge) && order(2).is_some_and(Ordering::is_le)
            }
        }
    }
}

impl Expression {
    /// The term that reads a path with `[*]`.
    pub fn multi(&self) -> Option<(&Place, Scalar, Domain)> {
        self.terms.iter().find_map(|term| match term {
            Term::Read(place, scalar) if place.is_multi() => Some((place, *scalar, self.domain)),
            _ => None,
        })
    }

    /// Whether strings are compared with it without the case of their letters: it is a path declared NOCASE.
    pub(super) fn folds_case(&self) -> bool {
        matches!(self.terms.as_slice(), [Term::Read(_, Scalar::NoCase)])
    }

    /// The value, if there is one. `each` stands for what is read from a path with `[*]`.
    pub(super) fn value<'d>(
        &self,
        asked: &mut Asked<'_, 'd>,
        each: Option<&Option<Value<'d>>>,
    ) -> Option<Value<'d>> {
        if !asked.meter.spend(self.terms.len() as u32) {
            return None;
        }
        let mut stack: SmallVec<[Value<'d>; 4]> = SmallVec::new();
        for term in &self.terms {
            let value = match term {
                Term::Constant(value) => value.clone(),
                Term::Read(place, _) if place.is_multi() => each?.clone()?,
                Term::Read(Place::Meta(meta), _) => {
                    asked.candidate.fact(*meta).value(self.domain)?
                }
                Term::Read(place, scalar) => {
                    let (path, root) = asked.path(place)?;
                    read(path.first(root)?, *scalar, self.domain)?
                }
                Term::Negate => {
                    let value = stack.pop()?;
                    Value::zero(self.domain).computed(Arithmetic::Sub, value)?
                }
                Term::Arithmetic(operator) => {
                    let right = stack.pop()?;
                    stack.pop()?.computed(*operator, right)?
                }
            };
            stack.push(value);
        }
        stack.pop()
    }
}

/// The value of a JSON value of a declared type; none where it is not of it, or can be compared with nothing.
pub fn read(raw: Raw<'_>, scalar: Scalar, domain: Domain) -> Option<Value<'_>> {
    match raw.kind() {
        Kind::Bool => {
            let fits = matches!(scalar, Scalar::Bool | Scalar::Json);
            fits.then(|| Value::Bool(raw.bytes() == b"true"))
        }
        Kind::Number => {
            let number = Number::parse(raw.bytes());
            // A decimal, and what is of any type, may be beyond the range of a double.
            let is_open = matches!(scalar, Scalar::Decimal | Scalar::Json);
            if !is_open && !number.is_some_and(|number| scalar.takes_number(number)) {
                return None;
            }
            match domain {
                Domain::Plain => number.map(Value::number),
                Domain::Decimal | Domain::Time => {
                    decimal(std::str::from_utf8(raw.bytes()).ok()?).map(Value::Decimal)
                }
            }
        }
        Kind::String => text_value(raw.string()?, scalar, domain),
        Kind::Null | Kind::Array | Kind::Object => None,
    }
}

/// The value of a string of a declared type; none where it is not of it.
pub fn text_value(text: Cow<'_, str>, scalar: Scalar, domain: Domain) -> Option<Value<'_>> {
    let millis = |(millis, nanos): Millis| Value::Decimal(decimal_millis(millis, nanos));
    match scalar {
        Scalar::Decimal => decimal(&text).map(Value::Decimal),
        Scalar::DateTime => text::instant(&text).map(millis),
        Scalar::Date => text::day(&text).map(millis),
        // Without zeros behind the point, as where it is written in milliseconds.
        Scalar::Duration => text::length(&text)
            .map(|(millis, nanos)| Value::Decimal(decimal_millis(millis, nanos).normalized())),
        Scalar::Json if domain == Domain::Time => {
            Some(text::instant(&text).map_or_else(|| Value::Text(text), millis))
        }
        Scalar::String | Scalar::NoCase | Scalar::Json => Some(Value::Text(text)),
        Scalar::Email | Scalar::Url | Scalar::Time | Scalar::Uuid | Scalar::Ip => {
            let mut buf = KeyBuf::default();
            let fits = scalar.key_of_string(&text, &mut buf);
            if !fits {
                return None;
            }
            let is_text = scalar.is_text();
            Some(if is_text {
                Value::Text(text)
            } else {
                Value::Key(scalar, buf.as_ref().to_key())
            })
        }
        Scalar::Int | Scalar::Float | Scalar::Bool => None,
    }
}

/// The decimal that a text is, within the limits of [`Decimal`].
pub fn decimal(text: &str) -> Option<BigDecimal> {
    Decimal::parse(text)?;
    text.parse().ok()
}

/// Milliseconds and nanoseconds within, as one decimal of milliseconds.
pub fn decimal_millis(millis: i64, nanos: u32) -> BigDecimal {
    let nanos = BigInt::from(millis) * 1_000_000 + nanos;
    BigDecimal::new(nanos, 6)
}

impl Fact<'_> {
    pub(super) fn value<'d>(self, domain: Domain) -> Option<Value<'d>> {
        Some(match self {
            Fact::Missing => return None,
            Fact::Bytes(bytes) => Value::Text(String::from_utf8_lossy(&bytes).into_owned().into()),
            Fact::Bool(value) => Value::Bool(value),
            Fact::Instant(millis) => Value::Decimal(decimal_millis(millis, 0)),
            Fact::Count(count) if domain == Domain::Plain => {
                Value::number(Number::of_integer(i128::from(count))?)
            }
            Fact::Count(count) => Value::Decimal(BigDecimal::from(count)),
        })
    }
}

impl<'d> Value<'d> {
    /// A number in the domain `Plain`.
    pub fn number(number: Number) -> Self {
        Value::Number(PlainNumber(number))
    }

    fn zero(domain: Domain) -> Self {
        match domain {
            Domain::Plain => Value::number(Number::Int(0)),
            Domain::Decimal | Domain::Time => Value::Decimal(BigDecimal::zero()),
        }
    }

    /// The order of two values of one kind; `folds_case` says whether strings count without the case of their letters.
    pub fn compare(&self, other: &Value<'_>, folds_case: bool) -> Option<Ordering> {
        match (self, other) {
            (Value::Number(a), Value::Number(b)) => Some(a.0.cmp_exact(b.0)),
            (Value::Decimal(a), Value::Decimal(b)) => Some(a.cmp(b)),
            (Value::Text(a), Value::Text(b)) if folds_case => Some(cmp_folded(a, b)),
            (Value::Text(a), Value::Text(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
            (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
            (Value::Key(of, a), Value::Key(like, b)) if of == like => Some(a.cmp(b)),
            _ => None,
        }
    }

    /// The order of values in a list that is searched: those of one kind stand together. Equal are those alone that compare so.
    pub(super) fn cmp_listed(&self, other: &Value<'_>, folds_case: bool) -> Ordering {
        let kind = |value: &Value<'_>| match value {
            Value::Number(_) => (0, 0),
            Value::Decimal(_) => (1, 0),
            Value::Text(_) => (2, 0),
            Value::Bool(_) => (3, 0),
            Value::Key(scalar, _) => (4, *scalar as u8),
        };
        self.compare(other, folds_case).unwrap_or_else(|| kind(self).cmp(&kind(other)))
    }

    /// What an operator makes of two numbers of one domain; none of anything else.
    pub fn computed(self, operator: Arithmetic, right: Value<'d>) -> Option<Value<'d>> {
        match (self, right) {
            (Value::Number(a), Value::Number(b)) => plain(a.0, operator, b.0).map(Value::number),
            (Value::Decimal(a), Value::Decimal(b)) => {
                decimals(&a, operator, &b).filter(is_bounded).map(Value::Decimal)
            }
            _ => None,
        }
    }
}

impl Cmp {
    /// Whether the comparison holds of two values in this order.
    fn accepts(self, order: Ordering) -> bool {
        match self {
            Cmp::Eq => order.is_eq(),
            Cmp::Lt => order.is_lt(),
            Cmp::Le => order.is_le(),
            Cmp::Gt => order.is_gt(),
            Cmp::Ge => order.is_ge(),
        }
    }
}

/// Integers exactly where the result is one of 64 bits, all else in doubles.
fn plain(a: Number, operator: Arithmetic, b: Number) -> Option<Number> {
    if let (Some(a), Some(b)) = (a.integer(), b.integer()) {
        let exact = match operator {
            Arithmetic::Add => Some(a + b),
            Arithmetic::Sub => Some(a - b),
            // Of two factors above i64::MAX the product leaves an i128, and 64 bits all the more.
            Arithmetic::Mul => a.checked_mul(b),
            Arithmetic::Div | Arithmetic::Rem if b == 0 => return None,
            Arithmetic::Div if a % b == 0 => Some(a / b),
            Arithmetic::Div => return Number::of_float(a as f64 / b as f64),
            Arithmetic::Rem => Some(a % b),
        };
        return match exact {
            Some(exact) => Number::of_integer(exact).or_else(|| Number::of_float(exact as f64)),
            None => Number::of_float(a.unsigned_abs().wrapping_mul(b.unsigned_abs()) as f64),
        };
    }
    let (a, b) = (a.to_f64(), b.to_f64());
    Number::of_float(match operator {
        Arithmetic::Add => a + b,
        Arithmetic::Sub => a - b,
        Arithmetic::Mul => a * b,
        Arithmetic::Div => a / b,
        Arithmetic::Rem => a % b,
    })
}

fn decimals(a: &BigDecimal, operator: Arithmetic, b: &BigDecimal) -> Option<BigDecimal> {
    Some(match operator {
        Arithmetic::Add => a + b,
        Arithmetic::Sub => a - b,
        Arithmetic::Mul => a * b,
        Arithmetic::Div | Arithmetic::Rem if b.is_zero() => return None,
        Arithmetic::Rem => a % b,
        Arithmetic::Div => return quotient(a, b),
    })
}

/// The quotient to 34 significant digits, half to even, computed on integers so that nothing is rounded twice.
pub fn quotient(a: &BigDecimal, b: &BigDecimal) -> Option<BigDecimal> {
    let length = |digits: &BigInt| digits.magnitude().to_string().len() as i64;
    let (a, a_scale) = a.normalized().into_bigint_and_scale();
    let (b, b_scale) = b.normalized().into_bigint_and_scale();
    // At least two digits more than are wanted, and a last one that says whether there is a rest.
    let shift = (QUOTIENT_DIGITS as i64 + 2 + length(&b) - length(&a)).max(0);
    let raised = a * BigInt::from(10).pow(u32::try_from(shift).ok()?);
    let (whole, rest) = (&raised / &b, &raised % &b);
    let last = if rest.is_zero() { BigInt::zero() } else { BigInt::from(whole.sign() as i8 - 1) };
    let exact = BigDecimal::new(whole * 10 + last, a_scale - b_scale + shift + 1);
    let precision = NonZeroU64::new(QUOTIENT_DIGITS)?;
    Some(exact.with_precision_round(precision, RoundingMode::HalfEven))
}

/// Whether a decimal is within the limits of [`Decimal`].
fn is_bounded(value: &BigDecimal) -> bool {
    let value = value.normalized();
    let (digits, scale) = (value.digits(), value.as_bigint_and_scale().1);
    digits <= DIGITS_MAX as u64 && (digits as i64 - scale).abs() <= EXPONENT_MAX
}
