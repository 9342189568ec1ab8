//! A value by itself, as groups, reducers and DISTINCT read it from documents: what a path leads to, metadata, or
//! arithmetic. Of a path with `[*]`, each of its values.

use std::borrow::Cow;
use std::ops::ControlFlow;

use bigdecimal::BigDecimal;

use super::ast::{AstOp, AstTest};
use super::bind::{Binder, Scope, Used, expect_declared, scalar_of};
use super::compare::Comparer;
use super::compute::{Domain, Expression, Term, Value, read};
use super::filter::{Asked, Candidate, Fact, Place};
use super::meter::Meter;
use super::operand::{Meta, Operand, Subject};
use crate::doc::print::write_string;
use crate::path::Path;
use crate::schema::Scalar;
use crate::schema::definition::{Definition, Typing};
use crate::schema::text::instant_text;
use crate::value::decimal::DIGITS_MAX;
use crate::value::{Decimal, Key, KeyBuf, Kind, Raw};
use crate::{Error, Result};

/// Where values come from.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    origin: Origin,
    scalar: Scalar,
    domain: Domain,
}

#[derive(Debug, Clone, PartialEq)]
enum Origin {
    Place(Place),
    Computed(Expression),
}

/// A value that a document gives; never missing.
#[derive(Debug, Clone)]
pub enum Given<'d> {
    /// A part of its text.
    Stored(Raw<'d>),
    /// What is known of it besides.
    Known(Fact<'d>),
    /// What was computed.
    Computed(Value<'d>),
}

impl Source {
    /// The source that is `operand`. Errors: `FILTER`.
    pub fn bind(operand: &Operand, scope: &Scope<'_>, used: &mut Used) -> Result<Source> {
        for (subject, position) in operand.subjects() {
            if let Subject::Path(path) = subject {
                expect_declared(path, scope.definition)
                    .map_err(|Error { message, .. }| Error::filter(position.0, message))?;
            }
        }
        if let Some(subject) = operand.as_subject() {
            return Ok(Source::of(subject, scope.definition));
        }
        let test = AstTest { left: operand.clone(), op: AstOp::IsNull };
        let mut binder = Binder::new(scope);
        let mut comparer = Comparer::new(&mut binder, &test, None);
        comparer.expect_one_multi()?;
        let expression = comparer.expression(&test.left)?;
        used.extend(binder.constants.used.iter().map(|name| Box::from(*name)));
        let domain = expression.domain;
        let scalar = if domain == Domain::Plain { Scalar::Json } else { Scalar::Decimal };
        Ok(Source { origin: Origin::Computed(expression), scalar, domain })
    }

    /// The source that `subject` is, under its declared type. An array is a value like any other.
    pub fn of(subject: &Subject, definition: &Definition) -> Source {
        let (place, scalar) = match subject {
            Subject::Meta(meta) => (Place::Meta(*meta), scalar_of(*meta)),
            Subject::Path(path) => {
                let scalar = match definition.typing(path) {
                    Typing::Scalar(scalar) => scalar,
                    Typing::Array(_) | Typing::Undeclared => Scalar::Json,
                };
                (Place::Path(path.clone()), scalar)
            }
        };
        let source = Source { origin: Origin::Place(place), scalar, domain: Domain::Plain };
        source.typed(scalar)
    }

    /// The same, its values read as of another type.
    #[must_use]
    pub fn typed(self, scalar: Scalar) -> Source {
        let domain = match scalar {
            Scalar::Decimal | Scalar::Duration => Domain::Decimal,
            Scalar::DateTime | Scalar::Date => Domain::Time,
            _ => Domain::Plain,
        };
        Source { scalar, domain, ..self }
    }

    /// The type under which its values become keys.
    pub fn scalar(&self) -> Scalar {
        self.scalar
    }

    /// Whether its numbers are decimals, which stand in strings.
    pub fn is_decimal(&self) -> bool {
        self.domain != Domain::Plain
    }

    /// The path, if it is nothing but one.
    pub fn path(&self) -> Option<&Path> {
        match &self.origin {
            Origin::Place(Place::Path(path)) => Some(path),
            _ => None,
        }
    }

    /// The metadata, if it is nothing but that.
    pub fn meta(&self) -> Option<Meta> {
        match &self.origin {
            Origin::Place(Place::Meta(meta)) => Some(*meta),
            _ => None,
        }
    }

    /// Whether it asks for `meta`.
    pub fn asks(&self, meta: Meta) -> bool {
        let is_it = |place: &Place| *place == Place::Meta(meta);
        match &self.origin {
            Origin::Place(place) => is_it(place),
            Origin::Computed(expression) => expression
                .terms
                .iter()
                .any(|term| matches!(term, Term::Read(place, _) if is_it(place))),
        }
    }

    /// Whether a document can give several values.
    pub fn is_multi(&self) -> bool {
        match &self.origin {
            Origin::Place(place) => place.is_multi(),
            Origin::Computed(expression) => expression.multi().is_some(),
        }
    }

    /// Shows `body` each value that `candidate` gives, nulls too, until there is an error.
    pub fn each<'d>(
        &self,
        candidate: &mut dyn Candidate<'d>,
        meter: &Meter<'_>,
        mut body: impl FnMut(Given<'d>) -> Result<()>,
    ) -> Result<()> {
        let walked = self.walk(candidate, meter, |given| match body(given) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        });
        walked.break_value().map_or(Ok(()), Err)
    }

    /// The same until `body` has enough, or the meter is over.
    pub fn walk<'d, B>(
        &self,
        candidate: &mut dyn Candidate<'d>,
        meter: &Meter<'_>,
        mut body: impl FnMut(Given<'d>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let expression = match &self.origin {
            Origin::Place(Place::Meta(meta)) => {
                return match candidate.fact(*meta) {
                    Fact::Missing => ControlFlow::Continue(()),
                    fact => body(Given::Known(fact)),
                };
            }
            Origin::Place(Place::Path(path) | Place::Element(path)) if path.is_multi() => {
                let mut values = meter.values(path.values(candidate.doc()));
                return values.try_for_each(|raw| body(Given::Stored(raw)));
            }
            Origin::Place(Place::Path(path) | Place::Element(path)) => {
                return match path.first(candidate.doc()) {
                    Some(raw) => body(Given::Stored(raw)),
                    None => ControlFlow::Continue(()),
                };
            }
            Origin::Computed(expression) => expression,
        };
        let mut asked = Asked { candidate, element: None, meter };
        let mut show = |value: Option<Value<'d>>| match value {
            Some(value) => body(Given::Computed(value)),
            None => ControlFlow::Continue(()),
        };
        let Some((place, scalar, domain)) = expression.multi() else {
            return show(expression.value(&mut asked, None));
        };
        let Some((path, root)) = asked.path(place) else { return ControlFlow::Continue(()) };
        meter.values(path.values(root)).try_for_each(|raw| {
            let each = read(raw, scalar, domain);
            show(expression.value(&mut asked, Some(&each)))
        })
    }

    /// The number that a value is: an instant is its milliseconds.
    pub fn number<'d>(&self, given: &Given<'d>) -> Option<Value<'d>> {
        let value = match given {
            Given::Stored(raw) => read(*raw, self.scalar, self.domain)?,
            Given::Known(fact) => fact.clone().value(self.domain)?,
            Given::Computed(value) => value.clone(),
        };
        matches!(value, Value::Number(_) | Value::Decimal(_)).then_some(value)
    }

    /// Fills `out` with the key of a value.
    pub fn key(&self, given: &Given<'_>, out: &mut KeyBuf) {
        match given {
            Given::Stored(raw) => {
                self.scalar.key(*raw, out);
            }
            Given::Known(fact) => fact.key(out),
            Given::Computed(Value::Number(number)) => out.set_number(number.0),
            Given::Computed(Value::Decimal(number)) => set_decimal(number, out),
            Given::Computed(Value::Key(_, key)) => out.set(key.as_ref()),
            Given::Computed(Value::Text(text)) => out.set_string(text.as_bytes()),
            Given::Computed(Value::Bool(value)) => {
                out.set_plain(&Key::of_bool(*value));
            }
        }
    }

    /// Appends a value as a row shows it: as its document writes it, but decimals in strings.
    pub fn write(&self, given: &Given<'_>, out: &mut Vec<u8>) {
        match given {
            Given::Stored(raw) if self.scalar == Scalar::Decimal && raw.kind() == Kind::Number => {
                out.push(b'"');
                out.extend_from_slice(raw.bytes());
                out.push(b'"');
            }
            _ => given.write(out),
        }
    }
}

impl Given<'_> {
    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Given::Stored(raw) if raw.kind() == Kind::Null)
    }

    /// Appends the value as JSON: as its document writes it.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Given::Stored(raw) => out.extend_from_slice(raw.bytes()),
            Given::Known(Fact::Missing) => out.extend_from_slice(b"null"),
            Given::Known(Fact::Bytes(bytes)) => write_string(&String::from_utf8_lossy(bytes), out),
            Given::Known(Fact::Count(count)) => out.extend_from_slice(count.to_string().as_bytes()),
            Given::Known(Fact::Instant(millis)) => {
                match instant_text(i128::from(*millis) * 1_000_000) {
                    Some(text) => write_string(&text, out),
                    None => out.extend_from_slice(millis.to_string().as_bytes()),
                }
            }
            Given::Known(Fact::Bool(value)) => out.extend_from_slice(value.to_string().as_bytes()),
            Given::Computed(value) => write_value(value, out),
        }
    }

    /// Bytes on the heap, about.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Given::Known(Fact::Bytes(Cow::Owned(bytes))) => bytes.len(),
            Given::Computed(Value::Decimal(number)) => number.digits() as usize / 2 + 8,
            _ => 0,
        }
    }
}

/// Fills `out` with the key of a decimal; what is beyond all keys of decimals stands behind them.
pub(crate) fn set_decimal(number: &BigDecimal, out: &mut KeyBuf) {
    match Decimal::parse(&exponent_text(&number.normalized())) {
        Some(decimal) => out.set_decimal(&decimal),
        None => out.set_plain(&Key::NUMBER_END),
    }
}

/// Appends a computed value as JSON; a decimal is a string.
pub(crate) fn write_value(value: &Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Number(number) => out.extend_from_slice(number.0.to_string().as_bytes()),
        Value::Decimal(number) => write_string(&decimal_text(number), out),
        Value::Text(text) => write_string(text, out),
        // Nothing that is computed is of such a type.
        Value::Key(..) => out.extend_from_slice(b"null"),
        Value::Bool(value) => out.extend_from_slice(value.to_string().as_bytes()),
    }
}

/// A decimal as JSON's number: its digits and an exponent.
pub(crate) fn exponent_text(number: &BigDecimal) -> String {
    let (digits, scale) = number.as_bigint_and_scale();
    format!("{digits}e{}", -scale)
}

/// The digits of a decimal, without an exponent where that leaves it readable as one.
pub(crate) fn decimal_text(number: &BigDecimal) -> String {
    let scale = number.as_bigint_and_scale().1;
    if number.digits() + scale.unsigned_abs() < DIGITS_MAX as u64 {
        number.to_plain_string()
    } else {
        exponent_text(number)
    }
}
