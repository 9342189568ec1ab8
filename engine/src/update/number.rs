//! INCR and MUL: exact for integers and for declared decimals, else the nearest double.

use std::borrow::Cow;
use std::fmt;

use super::{Draft, Scope, needs, scalar_at};
use crate::doc::edit::{kind_name, path_error};
use crate::doc::print::write_string;
use crate::path::Path;
use crate::schema::types::Scalar;
use crate::value::{Decimal, Kind, Number, Raw};
use crate::{Code, Error, Result};

/// What is done with the number that is there.
#[derive(Clone, Copy)]
pub(super) enum Calculation {
    Incr,
    Mul,
}

impl fmt::Display for Calculation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Calculation::Incr => "INCR",
            Calculation::Mul => "MUL",
        })
    }
}

impl Calculation {
    fn of_numbers(self, a: Number, b: Number) -> Option<Number> {
        match self {
            Calculation::Incr => a.checked_add(b),
            Calculation::Mul => a.checked_mul(b),
        }
    }

    fn of_decimals(self, a: &str, b: &str) -> Option<String> {
        match self {
            Calculation::Incr => Decimal::checked_add(a, b),
            Calculation::Mul => Decimal::checked_mul(a, b),
        }
    }

    fn overflow(self, path: &Path) -> Error {
        let result = match self {
            Calculation::Incr => "sum",
            Calculation::Mul => "product",
        };
        let what = format!("the {result} is beyond the range of its type at path {path}");
        Error::new(Code::Overflow, what)
    }

    fn refuse_operand(self, path: &Path, by: Raw<'_>) -> Error {
        let found = kind_name(by.kind());
        let what = format!("{self} takes a path and a number, found {found} at path {path}");
        Error::new(Code::Syntax, what)
    }
}

/// Puts the result in place of the number that is there. A declared decimal is computed digit for
/// digit, stays a number or a string as it was, and may be given as either.
pub(super) fn calculate(
    draft: &mut Draft<'_>,
    path: &Path,
    by: &[u8],
    calculation: Calculation,
    scope: &Scope<'_>,
) -> Result<()> {
    let by = Raw::new(by);
    let place = draft.find(path);
    let stored = draft.value(&place);
    let result = if scalar_at(scope.definition, path) == Scalar::Decimal {
        decimal_result(calculation, path, stored, by)?
    } else {
        number_result(calculation, path, stored, by)?
    };
    draft.put(path, place, &result)
}

fn number_result(
    calculation: Calculation,
    path: &Path,
    stored: Option<Raw<'_>>,
    by: Raw<'_>,
) -> Result<Vec<u8>> {
    if by.kind() != Kind::Number {
        return Err(calculation.refuse_operand(path, by));
    }
    let stored = match (stored, calculation) {
        (Some(stored), _) if stored.kind() != Kind::Number => {
            return Err(needs(calculation, "a number", stored, path));
        }
        (Some(stored), _) => stored,
        // As it is written.
        (None, Calculation::Incr) => return Ok(by.bytes().to_vec()),
        (None, Calculation::Mul) => Raw::new(b"0"),
    };
    let result = match (Number::parse(stored.bytes()), Number::parse(by.bytes())) {
        (Some(stored), Some(by)) => calculation.of_numbers(stored, by),
        _ => None,
    };
    result.map(|it| it.to_string().into_bytes()).ok_or_else(|| calculation.overflow(path))
}

fn decimal_result(
    calculation: Calculation,
    path: &Path,
    stored: Option<Raw<'_>>,
    by: Raw<'_>,
) -> Result<Vec<u8>> {
    let amount = decimal(by).ok_or_else(|| match by.kind() {
        Kind::Number => refuse_decimal(calculation, path, by),
        _ => calculation.refuse_operand(path, by),
    })?;
    let (number, kind) = match (stored, calculation) {
        (Some(stored), _) => {
            let number = decimal(stored).ok_or_else(|| refuse_decimal(calculation, path, stored));
            (number?, stored.kind())
        }
        (None, Calculation::Incr) => return Ok(by.bytes().to_vec()),
        (None, Calculation::Mul) => (Cow::Borrowed("0"), by.kind()),
    };
    let result = calculation.of_decimals(&number, &amount);
    let result = result.ok_or_else(|| calculation.overflow(path))?;
    if kind == Kind::Number {
        return Ok(result.into_bytes());
    }
    let mut quoted = Vec::with_capacity(result.len() + 2);
    write_string(&result, &mut quoted);
    Ok(quoted)
}

/// The decimal text that a number or string holds.
fn decimal(raw: Raw<'_>) -> Option<Cow<'_, str>> {
    let text = match raw.kind() {
        Kind::String => raw.string()?,
        Kind::Number => std::str::from_utf8(raw.bytes()).ok()?.into(),
        _ => return None,
    };
    Decimal::parse(&text).map(|_| text)
}

fn refuse_decimal(calculation: Calculation, path: &Path, stored: Raw<'_>) -> Error {
    let found = match stored.kind() {
        Kind::String => "a string that is none",
        Kind::Number => "a number beyond its limits",
        other => kind_name(other),
    };
    path_error(path, &format!("{calculation} needs a decimal, found {found}"))
}
