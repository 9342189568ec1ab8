//! Constants: literals, parameters and functions, computed once before the search.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use bigdecimal::BigDecimal;
use jiff::SignedDuration;

use super::ast::{List, Position};
use super::bind::Used;
use super::compute::{Domain, Value, decimal, decimal_millis};
use super::operand::{Function, Literal, Operand, Term};
use crate::doc::parse::parse_value;
use crate::schema::Scalar;
use crate::schema::text::instant;
use crate::value::{Kind, Number, Raw};
use crate::{Code, Error, Limits, Result};

/// The values of a filter's parameters. `Params::default()` has none.
#[derive(Debug, Clone, Default)]
pub struct Params {
    /// By name: minified JSON text.
    values: BTreeMap<Box<str>, Box<[u8]>>,
}

impl Params {
    /// The parameters of `pairs`, each a name without the dollar sign and its value as JSON text. A
    /// name that comes twice is an error, and so is a value that is not JSON: that one has the code
    /// of its cause.
    pub fn new<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a [u8])>,
        limits: &Limits,
    ) -> Result<Params> {
        let mut values = BTreeMap::new();
        for (name, json) in pairs {
            let value = parse_value(json, limits).map_err(|cause| {
                let hint = match cause.code {
                    Code::Json => "; a value is JSON, a string in double quotes",
                    _ => "",
                };
                Error::new(cause.code, format!("parameter ${name}: {}{hint}", cause.message))
            })?;
            if values.insert(name.into(), value).is_some() {
                let what = format!("parameter ${name} is given twice");
                return Err(Error::new(Code::Filter, what));
            }
        }
        Ok(Params { values })
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Name and JSON text of each, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.values.iter().map(|(name, json)| (&**name, &**json))
    }

    fn get(&self, name: &str, position: Position) -> Result<Raw<'_>> {
        if let Some(json) = self.values.get(name) {
            return Ok(Raw::new(json));
        }
        let hint = dollar_hint(self.values.contains_key(format!("${name}").as_str()));
        let at = position.0;
        let what = format!("parameter ${name} has no value among PARAMS at position {at}{hint}");
        Err(Error::new(Code::Filter, what))
    }

    /// Error: a parameter is none of those `used`.
    pub fn expect_used(&self, used: &Used) -> Result<()> {
        let Some(name) = self.values.keys().find(|name| !used.contains(*name)) else {
            return Ok(());
        };
        let hint = dollar_hint(name.starts_with('$'));
        let what = format!("parameter ${name} is not used by the filter{hint}");
        Err(Error::new(Code::Filter, what))
    }
}

fn dollar_hint(has_dollar: bool) -> &'static str {
    if has_dollar { "; names after PARAMS come without $" } else { "" }
}

/// A constant that is known.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Constant {
    /// As it was written or given.
    Literal(Literal),
    /// An instant: milliseconds since 1970.
    Instant(BigDecimal),
    /// What was computed.
    Number(BigDecimal),
}

/// A constant with the place of the text that it comes from.
pub(super) type Placed = (Constant, Position);

impl Constant {
    /// As a literal; an instant as the number of its milliseconds.
    pub(super) fn literal(&self) -> Cow<'_, Literal> {
        match self {
            Constant::Literal(literal) => Cow::Borrowed(literal),
            Constant::Instant(number) | Constant::Number(number) => {
                Cow::Owned(Literal::Number(number.normalized().to_plain_string().into()))
            }
        }
    }

    /// The milliseconds that it is as a value of `scalar`: an instant, or a computed length of time.
    pub(super) fn millis(&self, scalar: Scalar) -> Option<&BigDecimal> {
        match (self, scalar) {
            (Constant::Instant(millis), Scalar::DateTime | Scalar::Date)
            | (Constant::Number(millis), Scalar::Duration) => Some(millis),
            _ => None,
        }
    }

    /// As it is computed with or compared in a domain, if it can be.
    pub(super) fn value(&self, domain: Domain) -> Option<Value<'static>> {
        Some(match (self, domain) {
            (Constant::Literal(Literal::Bool(value)), _) => Value::Bool(*value),
            (Constant::Literal(Literal::Number(text)), Domain::Plain) => {
                Value::number(Number::parse(text.as_bytes())?)
            }
            (Constant::Literal(Literal::Number(text)), _) => Value::Decimal(decimal(text)?),
            (Constant::Literal(Literal::String(text)), Domain::Time) => {
                let (millis, nanos) = instant(text)?;
                Value::Decimal(decimal_millis(millis, nanos))
            }
            (Constant::Literal(Literal::String(text)), Domain::Decimal)
                if decimal(text).is_some() =>
            {
                Value::Decimal(decimal(text)?)
            }
            (Constant::Literal(Literal::String(text)), _) => Value::Text(text.to_string().into()),
            (Constant::Instant(number) | Constant::Number(number), Domain::Plain) => {
                Value::number(Number::parse(number.to_plain_string().as_bytes())?)
            }
            (Constant::Instant(number) | Constant::Number(number), _) => {
                Value::Decimal(number.clone())
            }
        })
    }
}

/// Looks constants up and computes them.
pub(super) struct Constants<'b> {
    pub(super) params: &'b Params,
    pub(super) now_ms: i64,
    pub(super) used: BTreeSet<&'b str>,
}

impl<'b> Constants<'b> {
    /// A literal, a parameter or a function's value.
    pub(super) fn simple(&mut self, operand: &'b Operand) -> Result<Placed> {
        let position = operand.position();
        Ok(match operand.terms.as_slice() {
            [(Term::Call(Function::Now), _)] => (self.now(), position),
            [(argument, at), (Term::Call(function), _)] => {
                let literal = self.literal(argument, *at)?;
                (called(*function, &literal, *at)?, position)
            }
            [(term, at)] => (Constant::Literal(self.literal(term, *at)?), *at),
            _ => {
                let what = format!("expected a literal, found {operand}");
                return Err(Error::filter(position.0, what));
            }
        })
    }

    /// The value of `now()`.
    pub(super) fn now(&self) -> Constant {
        Constant::Instant(decimal_millis(self.now_ms, 0))
    }

    /// The value of one term that is a literal or a parameter.
    pub(super) fn literal(&mut self, term: &'b Term, position: Position) -> Result<Literal> {
        match term {
            Term::Literal(literal) => Ok(literal.clone()),
            Term::Param(name) => {
                self.used.insert(name);
                let raw = self.params.get(name, position)?;
                literal_of(raw, position, || format!("parameter ${name}"))
            }
            _ => Err(Error::filter(position.0, "expected a literal")),
        }
    }

    /// The values of a list that stands after `word`.
    pub(super) fn list(&mut self, list: &'b List, word: &str) -> Result<Vec<Placed>> {
        match list {
            List::Operands(operands) => {
                operands.iter().map(|operand| self.simple(operand)).collect()
            }
            List::Param(name, position) => self.elements_of(name, *position, word),
        }
    }

    /// The elements of a parameter that stands after `word`.
    fn elements_of(
        &mut self,
        name: &'b str,
        position: Position,
        word: &str,
    ) -> Result<Vec<Placed>> {
        self.used.insert(name);
        let raw = self.params.get(name, position)?;
        if raw.kind() != Kind::Array {
            let found = kind_name(raw.kind());
            return Err(Error::filter(
                position.0,
                format_args!("parameter ${name} after {word} is {found}, expected an array"),
            ));
        }
        let literals = raw.elements().enumerate().map(|(at, element)| {
            literal_of(element, position, || format!("element {at} of parameter ${name}"))
        });
        literals.map(|literal| Ok((Constant::Literal(literal?), position))).collect()
    }
}

/// The value of a function.
pub(super) fn called(
    function: Function,
    argument: &Literal,
    position: Position,
) -> Result<Constant> {
    let refuse = |what: &str| {
        let what = format!("{argument} is no {what}");
        Err(Error::filter(position.0, what))
    };
    match (function, argument) {
        (Function::Time, Literal::String(text)) => {
            let midnight = format!("{text}T00:00:00Z");
            match instant(text).or_else(|| instant(&midnight)) {
                Some((millis, nanos)) => Ok(Constant::Instant(decimal_millis(millis, nanos))),
                None => refuse("time: RFC 3339 text, such as '2026-01-31T12:00:00Z', or a date"),
            }
        }
        (Function::Time, Literal::Number(text)) => match Number::parse(text.as_bytes()) {
            Some(Number::Int(millis)) => Ok(Constant::Instant(decimal_millis(millis, 0))),
            _ => refuse("time: integer milliseconds since 1970"),
        },
        (Function::Duration, Literal::String(text)) => match duration(text) {
            Some(millis) => Ok(Constant::Number(millis)),
            None => refuse("duration, such as '1d 3h', '1.5h' or 'PT90M'"),
        },
        _ => refuse(function.name()),
    }
}

/// Units of a duration with their nanoseconds, longer names first.
const UNITS: [(&str, i64); 8] = [
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
    ("w", 604_800_000_000_000),
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
];

/// The milliseconds of a duration: numbers with units, or ISO 8601 without years and months.
pub(crate) fn duration(text: &str) -> Option<BigDecimal> {
    let (is_negative, text) = match text.trim().strip_prefix('-') {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text.trim()),
    };
    let millis = if text.starts_with(['P', 'p']) { iso(text)? } else { parts(text)? };
    Some(if is_negative { -millis } else { millis })
}

fn iso(text: &str) -> Option<BigDecimal> {
    let span: jiff::Span = text.parse().ok()?;
    if span.get_years() != 0 || span.get_months() != 0 {
        return None;
    }
    let days = i64::from(span.get_weeks()) * 7 + i64::from(span.get_days());
    let time = span.days(0).weeks(0);
    let rest: SignedDuration = SignedDuration::try_from(time).ok()?;
    let nanos = i128::from(days) * 86_400_000_000_000 + rest.as_nanos();
    Some(BigDecimal::new(nanos.into(), 6))
}

fn parts(text: &str) -> Option<BigDecimal> {
    let mut sum = BigDecimal::from(0);
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let number = decimal(&rest[..digits])?;
        let after = rest[digits..].trim_start();
        let (unit, nanos) = UNITS.iter().find(|(unit, _)| after.starts_with(unit))?;
        sum += number * BigDecimal::new((*nanos).into(), 6);
        rest = &after[unit.len()..];
        if rest.starts_with(|letter: char| letter.is_alphabetic()) {
            return None;
        }
        rest = rest.trim_start();
    }
    (!text.is_empty()).then_some(sum)
}

/// A parameter's value as a literal; `what` names it in errors.
fn literal_of(raw: Raw<'_>, position: Position, what: impl Fn() -> String) -> Result<Literal> {
    match raw.kind() {
        Kind::Bool => Ok(Literal::Bool(raw.bytes() == b"true")),
        Kind::Number => Ok(Literal::Number(String::from_utf8_lossy(raw.bytes()).into())),
        Kind::String => {
            let text = raw.string().expect("a string by its kind");
            Ok(Literal::String(text.into()))
        }
        Kind::Null => {
            let what = format!("{} is null, use IS NULL instead of a comparison", what());
            Err(Error::filter(position.0, what))
        }
        kind @ (Kind::Array | Kind::Object) => {
            let (what, found) = (what(), kind_name(kind));
            let what = format!("{what} is {found}, expected a string, number or boolean");
            Err(Error::filter(position.0, what))
        }
    }
}

pub(super) fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Null => "null",
        Kind::Bool => "a boolean",
        Kind::Number => "a number",
        Kind::String => "a string",
        Kind::Array => "an array",
        Kind::Object => "an object",
    }
}
