//! Buckets: the beginnings at multiples of a width, of instants and of numbers.

use bigdecimal::num_bigint::{BigInt, Sign};
use bigdecimal::{BigDecimal, ToPrimitive, Zero};
use jiff::SignedDuration;
use jiff::civil::{Date, date};

use super::call::Argument;
use crate::doc::print::write_string;
use crate::query::{
    Fact, Given, Literal, Meta, Source, Term, decimal, decimal_text, duration, exponent_text,
    set_decimal,
};
use crate::schema::Scalar;
use crate::schema::text::{day, instant, instant_text};
use crate::schema::types::MILLIS_MAX;
use crate::value::{KeyBuf, Kind, Number};
use crate::{Error, Limits, Result};

const DAY_NANOS: i128 = 86_400_000_000_000;
const WEEK_NANOS: i128 = 7 * DAY_NANOS;
/// From the first instant of 1970, a Thursday, to its first Monday.
const MONDAY_NANOS: i128 = 4 * DAY_NANOS;

/// How wide buckets are.
#[derive(Debug, Clone, PartialEq)]
pub enum Width {
    /// So many nanoseconds.
    Nanos(i128),
    /// A month of the calendar in UTC.
    Month,
    /// A year.
    Year,
    /// A number.
    Number(BigDecimal),
}

/// The beginning of a bucket.
#[derive(Debug, Clone)]
pub enum Begin {
    /// Nanoseconds since 1970.
    Instant(i128),
    /// A number.
    Number(Number),
    /// A decimal.
    Decimal(BigDecimal),
}

impl Width {
    /// Reads the width. Errors: `FILTER`.
    pub fn read(argument: &Argument<'_>, limits: &Limits) -> Result<Width> {
        let operand = argument.operand(limits)?;
        let refuse = |what: &str| Err(Error::filter(argument.at, what));
        match operand.terms.as_slice() {
            [(Term::Literal(Literal::String(text)), _)] => match &**text {
                "month" => Ok(Width::Month),
                "year" => Ok(Width::Year),
                text => match duration(text).and_then(|millis| nanos_of(&millis)) {
                    Some(nanos) => Ok(Width::Nanos(nanos)),
                    None => refuse(
                        "a bucket is a duration above 0 of whole nanoseconds, such as '1h' or '1d 12h', 'month' or 'year'",
                    ),
                },
            },
            [(Term::Literal(Literal::Number(text)), _)] => match decimal(text) {
                Some(width) if width.sign() == Sign::Plus => Ok(Width::Number(width)),
                _ => refuse("a bucket of numbers is wider than 0"),
            },
            _ => refuse("a bucket is a duration such as '1h', 'month', 'year' or a number"),
        }
    }

    /// The type of beginnings, and `source` as it is read for them. Errors: `FILTER`.
    pub fn of(&self, source: Source, at: usize) -> Result<(Source, Scalar)> {
        let is_text = matches!(source.meta(), Some(Meta::Key | Meta::Id | Meta::Valid));
        let scalar = source.scalar();
        let refuse = |takes: &str| {
            let what = format!(
                "a bucket of this width takes {takes}, and this is declared {}",
                scalar.name()
            );
            Err(Error::filter(at, what))
        };
        match (self, scalar) {
            _ if is_text => refuse("instants or numbers"),
            (Width::Number(_), Scalar::Decimal) => Ok((source, Scalar::Decimal)),
            (Width::Number(_), Scalar::Int | Scalar::Float | Scalar::Json) => {
                Ok((source, Scalar::Json))
            }
            (Width::Number(_), _) => refuse("numbers"),
            (_, Scalar::DateTime | Scalar::Json) => {
                Ok((source.typed(Scalar::DateTime), Scalar::DateTime))
            }
            (_, Scalar::Date) => Ok((source, Scalar::DateTime)),
            _ => refuse("instants"),
        }
    }

    /// The beginning of the bucket that a value of `scalar` lies in.
    pub fn begin(&self, given: &Given<'_>, scalar: Scalar) -> Option<Begin> {
        if let Width::Number(width) = self {
            return number_begin(given, scalar, width);
        }
        let begin = self.instant_begin(nanos(given, scalar)?)?;
        // What has no text is in no bucket.
        instant_text(begin).map(|_| Begin::Instant(begin))
    }

    fn instant_begin(&self, at: i128) -> Option<i128> {
        match self {
            Width::Nanos(width) => {
                let origin = if *width == WEEK_NANOS { MONDAY_NANOS } else { 0 };
                Some((at - origin).div_euclid(*width).checked_mul(*width)? + origin)
            }
            Width::Month => calendar_begin(at, Date::first_of_month),
            Width::Year => calendar_begin(at, Date::first_of_year),
            Width::Number(_) => None,
        }
    }
}

fn calendar_begin(at: i128, first: impl Fn(Date) -> Date) -> Option<i128> {
    let epoch = date(1970, 1, 1).at(0, 0, 0, 0);
    let at = epoch.checked_add(SignedDuration::try_from_nanos_i128(at)?).ok()?;
    Some(first(at.date()).at(0, 0, 0, 0).duration_since(epoch).as_nanos())
}

fn nanos_of(millis: &BigDecimal) -> Option<i128> {
    let nanos = (millis * BigDecimal::from(1_000_000)).normalized();
    let nanos = if nanos.is_integer() { nanos.to_i128()? } else { return None };
    (1..=i128::from(u64::MAX) * DAY_NANOS).contains(&nanos).then_some(nanos)
}

/// The instant that a value is, as of type date or datetime.
fn nanos(given: &Given<'_>, scalar: Scalar) -> Option<i128> {
    let (millis, nanos) = match given {
        Given::Stored(raw) if scalar == Scalar::Date => day(&raw.string()?)?,
        Given::Stored(raw) if raw.kind() == Kind::String => instant(&raw.string()?)?,
        Given::Stored(raw) => match Number::parse(raw.bytes()) {
            Some(Number::Int(millis)) if millis.unsigned_abs() <= MILLIS_MAX => (millis, 0),
            _ => return None,
        },
        Given::Known(Fact::Instant(millis)) => (*millis, 0),
        _ => return None,
    };
    Some(i128::from(millis) * 1_000_000 + i128::from(nanos))
}

fn number_begin(given: &Given<'_>, scalar: Scalar, width: &BigDecimal) -> Option<Begin> {
    if scalar == Scalar::Decimal {
        let Given::Stored(raw) = given else { return None };
        let number = match raw.kind() {
            Kind::String => decimal(&raw.string()?)?,
            Kind::Number => decimal(std::str::from_utf8(raw.bytes()).ok()?)?,
            _ => return None,
        };
        return Some(Begin::Decimal(multiple(&number, width)));
    }
    let (number, text) = match given {
        Given::Stored(raw) if raw.kind() == Kind::Number => {
            (Number::parse(raw.bytes())?, std::str::from_utf8(raw.bytes()).ok()?)
        }
        Given::Known(Fact::Count(count)) => (Number::of_integer(i128::from(*count))?, ""),
        _ => return None,
    };
    match (number.integer(), width.is_integer().then(|| width.to_i128()).flatten()) {
        (None, _) if scalar == Scalar::Int => None,
        (Some(number), Some(width)) => {
            let begin = number.div_euclid(width).checked_mul(width)?;
            let number = Number::of_integer(begin).or_else(|| Number::of_float(begin as f64))?;
            Some(Begin::Number(number))
        }
        (integer, _) => {
            // Digit for digit, so that 0.3 lies in a bucket of 0.1 that begins at 0.3.
            let exact = integer.map_or_else(|| decimal(text), |it| Some(BigDecimal::from(it)))?;
            let begin = exponent_text(&multiple(&exact, width));
            Number::parse(begin.as_bytes()).map(Begin::Number)
        }
    }
}

/// The greatest multiple of `width` that is not above `number`; exact.
fn multiple(number: &BigDecimal, width: &BigDecimal) -> BigDecimal {
    let scale = number.as_bigint_and_scale().1.max(width.as_bigint_and_scale().1);
    let (number, _) = number.with_scale(scale).into_bigint_and_scale();
    let (width, _) = width.with_scale(scale).into_bigint_and_scale();
    let rest = &number % &width;
    let below = if rest.sign() == Sign::Minus { &rest + &width } else { rest };
    let begin: BigInt = number - below;
    if begin.is_zero() { BigDecimal::zero() } else { BigDecimal::new(begin, scale).normalized() }
}

impl Begin {
    /// Fills `out` with the key of the beginning.
    pub fn key(&self, out: &mut KeyBuf) {
        match self {
            Begin::Instant(nanos) => {
                let millis = nanos.div_euclid(1_000_000) as i64;
                out.set_instant(millis, nanos.rem_euclid(1_000_000) as u32);
            }
            Begin::Number(number) => out.set_number(*number),
            Begin::Decimal(number) => set_decimal(number, out),
        }
    }

    /// Appends the beginning as JSON: RFC 3339 text, a number, a decimal in a string.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Begin::Instant(nanos) => {
                write_string(&instant_text(*nanos).unwrap_or_default(), out);
            }
            Begin::Number(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Begin::Decimal(number) => {
                write_string(&decimal_text(number), out);
            }
        }
    }
}
