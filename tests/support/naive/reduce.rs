//! What an aggregate computes of a group of documents: sums, means, extremes, lists.

use std::str::FromStr;

use bigdecimal::{BigDecimal, ToPrimitive, Zero};

use super::{
    aggregate::Precision,
    arithmetic::{Mode, Value, View, Worth, quotient},
    json::Json,
    meta::Scope,
    model::distinct_values,
    order::compare,
    schema::Kind,
    value::{Number, Scalar, scalar, small_integer},
};

/// A reducer and what it is asked of.
#[derive(Clone, Debug)]
pub enum Reducer {
    /// `count()`
    Count,
    /// `count(x)`
    CountOf(Value),
    /// `sum(x)`
    Sum(Value),
    /// `avg(x)`
    Average(Value),
    /// `min(x)`
    Least(Value),
    /// `max(x)`
    Greatest(Value),
    /// `stddev(x)`
    Deviation(Value),
    /// `first(x)`
    First(Value),
    /// `last(x)`
    Last(Value),
    /// `collect(x)`
    Collect(Value),
    /// `distinct(x)`
    Distinct(Value),
    /// `countDistinct(x)`
    CountDistinct(Value),
    /// `quantile(x, q)`
    Quantile(Value, String),
}

/// A sum of integers is none of 64 bits, or a result no finite double: the server's error `OVERFLOW`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overflow;

impl Reducer {
    /// The value that it is asked of.
    pub fn value(&self) -> Option<&Value> {
        match self {
            Self::Count => None,
            Self::CountOf(value)
            | Self::Sum(value)
            | Self::Average(value)
            | Self::Least(value)
            | Self::Greatest(value)
            | Self::Deviation(value)
            | Self::First(value)
            | Self::Last(value)
            | Self::Collect(value)
            | Self::Distinct(value)
            | Self::CountDistinct(value)
            | Self::Quantile(value, _) => Some(value),
        }
    }

    /// As the language writes it.
    pub fn text(&self) -> String {
        let name = match self {
            Self::Count | Self::CountOf(_) => "count",
            Self::Sum(_) => "sum",
            Self::Average(_) => "avg",
            Self::Least(_) => "min",
            Self::Greatest(_) => "max",
            Self::Deviation(_) => "stddev",
            Self::First(_) => "first",
            Self::Last(_) => "last",
            Self::Collect(_) => "collect",
            Self::Distinct(_) => "distinct",
            Self::CountDistinct(_) => "countDistinct",
            Self::Quantile(..) => "quantile",
        };
        let value = self.value().map(Value::to_text).unwrap_or_default();
        match self {
            Self::Quantile(_, quantile) => format!("{name}({value}, {quantile})"),
            _ => format!("{name}({value})"),
        }
    }

    /// The result for a group, whose documents come by birth.
    pub fn reduce(&self, group: &[Scope<'_>]) -> Result<Json, Overflow> {
        let Some(value) = self.value() else { return Ok(whole(group.len())) };
        let found: Vec<Json> = group.iter().flat_map(|scope| values(value, scope)).collect();
        let kind = group.first().and_then(|scope| kind(value, scope));
        let kind = kind.as_ref();
        let shown = |json: Option<&Json>| json.map_or(Json::Null, |json| show(json, kind));
        let numbers: Vec<Numeric> = found.iter().filter_map(|json| numeric(json, kind)).collect();
        let least = |left: &&Json, right: &&Json| compare(Some(left), Some(right), kind);
        let distinct = || distinct_values(found.clone(), kind);
        Ok(match self {
            Self::Count => unreachable!("it has no value"),
            Self::CountOf(_) => whole(found.len()),
            Self::Sum(_) => sum(&numbers)?,
            Self::Average(_) => average(&numbers)?,
            Self::Least(_) => shown(found.iter().min_by(least)),
            // `max_by` gives the last of equals, and the first is asked for.
            Self::Greatest(_) => shown(found.iter().rev().max_by(least)),
            Self::Deviation(_) => deviation(&numbers)?,
            Self::First(_) => shown(found.first()),
            Self::Last(_) => shown(found.last()),
            Self::Collect(_) => Json::Array(found.iter().map(|json| show(json, kind)).collect()),
            Self::Distinct(_) => {
                Json::Array(distinct().iter().map(|json| show(json, kind)).collect())
            }
            Self::CountDistinct(_) => whole(distinct().len()),
            Self::Quantile(_, at) => quantile(&numbers, at)?,
        })
    }

    /// How far the language fixes the result.
    pub fn precision(&self) -> Precision {
        match self {
            Self::Count | Self::CountOf(_) | Self::CountDistinct(_) => Precision::Text,
            Self::Sum(_) | Self::Average(_) | Self::Deviation(_) => Precision::Near,
            Self::Quantile(..) => Precision::Value,
            Self::Least(value)
            | Self::Greatest(value)
            | Self::First(value)
            | Self::Last(value)
            | Self::Collect(value)
            | Self::Distinct(value) => match value {
                Value::Path(_) => Precision::Text,
                _ => Precision::Value,
            },
        }
    }

    /// The type of the result in a row, where a filter over rows must know it.
    pub fn result_kind(&self, scope: &Scope<'_>) -> Option<Kind> {
        match self {
            Self::Sum(value) | Self::Average(value) => {
                kind(value, scope).filter(|kind| *kind == Kind::Decimal)
            }
            Self::Least(value) | Self::Greatest(value) | Self::First(value) | Self::Last(value) => {
                kind(value, scope)
            }
            _ => None,
        }
    }
}

fn mode(value: &Value, scope: &Scope<'_>) -> Mode {
    Mode::of(std::iter::once(value), &scope.frame)
}

/// The type of what a value leads to.
fn kind(value: &Value, scope: &Scope<'_>) -> Option<Kind> {
    match value {
        Value::Path(path) => scope.kind_of(path),
        _ => (mode(value, scope) != Mode::Numbers).then_some(Kind::Decimal),
    }
}

/// The values of a document that are neither missing nor null, as JSON.
fn values(value: &Value, scope: &Scope<'_>) -> Vec<Json> {
    if let Value::Path(path) = value {
        let found = scope.shown_values(path).into_iter();
        return found.filter(|json| *json != Json::Null).collect();
    }
    let mode = mode(value, scope);
    let ones = match value.paths().into_iter().find(|path| path.is_multiple()) {
        Some(path) => scope.values(path).into_iter().map(Some).collect(),
        None => vec![None],
    };
    let worth = |one| View { scope, mode, one, open_kind: None }.worth(value);
    ones.into_iter().filter_map(worth).map(|worth| json(&worth)).collect()
}

fn json(worth: &Worth) -> Json {
    match worth {
        Worth::Bool(truth) => Json::Bool(*truth),
        Worth::Text(text) => Json::String(text.clone()),
        Worth::Number(number) => number.json(),
        Worth::Decimal(exact) => decimal_json(exact),
    }
}

/// Decimals are strings in rows.
fn decimal_json(exact: &BigDecimal) -> Json {
    Json::String(exact.normalized().to_plain_string())
}

/// A value as it stands in a row.
pub fn show(json: &Json, kind: Option<&Kind>) -> Json {
    match (kind, json) {
        (Some(Kind::Decimal), Json::Number(text)) => Json::String(text.clone()),
        _ => json.clone(),
    }
}

fn whole(count: usize) -> Json {
    Json::Number(count.to_string())
}

/// A number as reducers compute with it.
#[derive(Clone, Debug)]
struct Numeric {
    exact: BigDecimal,
    is_decimal: bool,
    is_double: bool,
}

fn numeric(json: &Json, kind: Option<&Kind>) -> Option<Numeric> {
    let (exact, is_decimal, is_double) = match scalar(json, kind)? {
        Scalar::Number(number) => (number.exact()?, false, matches!(number, Number::Double(_))),
        Scalar::Decimal(exact) => (exact, true, false),
        Scalar::Instant(nanoseconds) => (super::time::from_nanoseconds(nanoseconds), true, false),
        Scalar::Bool(_) | Scalar::Text(_) | Scalar::Folded(..) => return None,
    };
    Some(Numeric { exact, is_decimal, is_double })
}

fn total(numbers: &[Numeric]) -> BigDecimal {
    numbers.iter().fold(BigDecimal::zero(), |sum, number| sum + &number.exact)
}

fn are_decimals(numbers: &[Numeric]) -> bool {
    numbers.iter().any(|number| number.is_decimal)
}

fn sum(numbers: &[Numeric]) -> Result<Json, Overflow> {
    let total = total(numbers);
    if are_decimals(numbers) {
        return Ok(decimal_json(&total));
    }
    if numbers.iter().any(|number| number.is_double) {
        return Number::from_exact(&total).map(rounded).ok_or(Overflow);
    }
    small_integer(&total).map(|sum| Number::Int(sum).json()).ok_or(Overflow)
}

/// A double that went through sums, integral or not: with an exponent.
fn rounded(number: Number) -> Json {
    Json::Number(format!("{:e}", number.double()))
}

fn average(numbers: &[Numeric]) -> Result<Json, Overflow> {
    let count = BigDecimal::from(numbers.len() as u64);
    let Some(average) = quotient(&total(numbers), &count) else { return Ok(Json::Null) };
    if are_decimals(numbers) {
        return Ok(decimal_json(&average));
    }
    Number::from_exact(&average).map(rounded).ok_or(Overflow)
}

fn deviation(numbers: &[Numeric]) -> Result<Json, Overflow> {
    if numbers.len() < 2 {
        return Ok(Json::Null);
    }
    // Of doubles, whatever the type is.
    let doubles = numbers.iter().map(|number| {
        let double = Number::from_exact(&number.exact).ok_or(Overflow)?;
        BigDecimal::try_from(double.double()).map_err(|_| Overflow)
    });
    let doubles = doubles.collect::<Result<Vec<_>, _>>()?;
    let count = BigDecimal::from(numbers.len() as u64);
    let mean = doubles.iter().sum::<BigDecimal>() / count;
    let squares = doubles.iter().map(|double| (double - &mean) * (double - &mean));
    let sum = squares.fold(BigDecimal::zero(), |sum, square| sum + square);
    Number::from_exact(&sum).ok_or(Overflow)?;
    let variance = sum / BigDecimal::from(numbers.len() as u64 - 1);
    let deviation = variance.sqrt().expect("a sum of squares is not negative");
    Number::from_exact(&deviation).map(rounded).ok_or(Overflow)
}

fn quantile(numbers: &[Numeric], at: &str) -> Result<Json, Overflow> {
    let mut sorted: Vec<&BigDecimal> = numbers.iter().map(|number| &number.exact).collect();
    sorted.sort();
    let Some(last) = sorted.len().checked_sub(1) else { return Ok(Json::Null) };
    let at = BigDecimal::from_str(at).expect("a quantile is a number");
    let place = at * BigDecimal::from(last as u64);
    let below = place.to_usize().expect("a place in a list");
    let fraction = place - BigDecimal::from(below as u64);
    let (low, high) = (sorted[below], sorted[(below + 1).min(last)]);
    let value = low + (high - low) * fraction;
    if are_decimals(numbers) {
        return Ok(decimal_json(&value));
    }
    Number::from_exact(&value).map(Number::json).ok_or(Overflow)
}
