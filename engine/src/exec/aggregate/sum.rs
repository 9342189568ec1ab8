//! Sums that lose nothing they need not: integers and decimals exactly, doubles compensated.
//!
//! The compensation is Neumaier's ("Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen", 1974): what
//! an addition rounds away is summed up beside. Integers among doubles are summed apart, and join at the end. What was
//! rounded away is found without asking which of two numbers is greater (Knuth, "The Art of Computer Programming", vol. 2,
//! 4.2.2, theorem B): it is exact either way, and a processor foretells no such question.

use bigdecimal::{BigDecimal, RoundingMode, ToPrimitive};

use crate::query::{Value, exponent_text, quotient};
use crate::value::decimal::{DIGITS_MAX, EXPONENT_MAX};
use crate::value::{Number, double_of_head};

/// Below it a double that is whole is the integer that a cast gives.
const WHOLE_BELOW: f64 = 9_007_199_254_740_992.0;

/// What doubles are multiplied with once their sum has left the range: 2^-64, which no 2^63 summands outgrow, and which takes
/// nothing away that counts beside such a sum.
const SCALE: f64 = 1.0 / 18_446_744_073_709_551_616.0;

/// Numbers that are summed.
#[derive(Debug, Clone, Default)]
pub struct Sum {
    /// How many.
    count: u64,
    /// 2^63 summands of 64 bits fit.
    integers: i128,
    doubles: f64,
    /// What the doubles' additions rounded away.
    lost: f64,
    has_doubles: bool,
    /// A sum on the way was beyond the range of a double: since then both are kept as so much less, [`SCALE`].
    is_scaled: bool,
    decimals: Option<Box<BigDecimal>>,
}

/// A sum or mean beyond the range of its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overflow;

impl Sum {
    /// Adds a number; other values count for nothing.
    pub fn add(&mut self, value: Value<'_>) {
        match value {
            Value::Number(number) => self.add_number(number.0),
            Value::Decimal(number) => {
                self.count += 1;
                let sum = self.decimals.get_or_insert_default();
                **sum += number;
            }
            Value::Text(_) | Value::Bool(_) | Value::Key(..) => {}
        }
    }

    /// Adds a number.
    pub fn add_number(&mut self, number: Number) {
        self.count += 1;
        match number {
            Number::Int(value) => self.integers += i128::from(value),
            Number::UInt(value) => self.integers += i128::from(value),
            Number::Float(value) => {
                self.add_double(value);
            }
        }
    }

    fn add_double(&mut self, value: f64) {
        self.has_doubles = true;
        let added = compensated(self.doubles, self.lost, value * self.scale());
        if added.0.is_finite() {
            (self.doubles, self.lost) = added;
            return;
        }
        (self.doubles, self.lost) = (self.doubles * SCALE, self.lost * SCALE);
        self.is_scaled = true;
        (self.doubles, self.lost) = compensated(self.doubles, self.lost, value * SCALE);
    }

    fn scale(&self) -> f64 {
        if self.is_scaled { SCALE } else { 1.0 }
    }

    /// Adds the number whose key is `head` and nothing else, if it is a number's.
    pub fn add_head(&mut self, head: u64) {
        let Some(value) = double_of_head(head) else { return };
        let whole = value as i64;
        let is_whole = value - whole as f64 == 0.0;
        if value.abs() >= WHOLE_BELOW {
            if let Some(number) = Number::of_float(value) {
                self.add_number(number);
            }
            return;
        }
        self.count += 1;
        if is_whole {
            self.integers += i128::from(whole);
        } else {
            self.add_double(value);
        }
    }

    /// The sum; 0 of nothing.
    pub fn total(&self) -> Result<Value<'static>, Overflow> {
        if let Some(sum) = &self.decimals {
            return if is_bounded(sum) {
                Ok(Value::Decimal((**sum).clone()))
            } else {
                Err(Overflow)
            };
        }
        let total = if self.has_doubles {
            Number::of_float(self.double() / self.scale())
        } else {
            Number::of_integer(self.integers)
        };
        total.map(Value::number).ok_or(Overflow)
    }

    /// The mean; none of nothing.
    pub fn mean(&self) -> Result<Option<Value<'static>>, Overflow> {
        if self.count == 0 {
            return Ok(None);
        }
        if let Some(sum) = &self.decimals {
            let mean = quotient(sum, &BigDecimal::from(self.count)).map(|mean| mean.normalized());
            return mean.filter(is_bounded).map(|mean| Some(Value::Decimal(mean))).ok_or(Overflow);
        }
        let count = i128::from(self.count);
        let mean = if self.has_doubles {
            Number::of_float(self.double() / self.count as f64 / self.scale())
        } else if self.integers % count == 0 {
            Number::of_integer(self.integers / count)
        } else {
            Number::of_float(self.integers as f64 / self.count as f64)
        };
        mean.map(|mean| Some(Value::number(mean))).ok_or(Overflow)
    }

    /// Integers and doubles together, scaled as the doubles are.
    fn double(&self) -> f64 {
        let high = self.integers as f64;
        let low = (self.integers - high as i128) as f64;
        let (sum, lost) = compensated(self.doubles, self.lost, high * self.scale());
        let (sum, lost) = compensated(sum, lost, low * self.scale());
        sum + lost
    }
}

fn compensated(sum: f64, lost: f64, value: f64) -> (f64, f64) {
    let next = sum + value;
    let taken = next - sum;
    let rounded = (sum - (next - taken)) + (value - taken);
    (next, lost + rounded)
}

fn is_bounded(value: &BigDecimal) -> bool {
    let value = value.normalized();
    let (digits, scale) = (value.digits(), value.as_bigint_and_scale().1);
    digits <= DIGITS_MAX as u64 && (digits as i64 - scale).abs() <= EXPONENT_MAX
}

/// The spread of numbers around their mean, in one pass (Welford, "Note on a method for calculating corrected sums of squares
/// and products", 1962).
#[derive(Debug, Clone, Copy, Default)]
pub struct Spread {
    count: u64,
    mean: f64,
    squares: f64,
}

impl Spread {
    /// Adds a number.
    pub fn add(&mut self, value: f64) {
        self.count += 1;
        let before = value - self.mean;
        self.mean += before / self.count as f64;
        self.squares += before * (value - self.mean);
    }

    /// The standard deviation of a sample; none of fewer than two numbers.
    pub fn deviation(&self) -> Result<Option<Value<'static>>, Overflow> {
        if self.count < 2 {
            return Ok(None);
        }
        let deviation = (self.squares / (self.count - 1) as f64).sqrt();
        Number::of_float(deviation).map(|it| Some(Value::number(it))).ok_or(Overflow)
    }
}

/// The value at `place`, from 0 to 1, of sorted numbers of one domain; between two of them in proportion, exactly before
/// it is rounded to a number.
pub fn quantile(sorted: &[Value<'_>], place: &BigDecimal) -> Option<Value<'static>> {
    let last = sorted.len().checked_sub(1)?;
    let at = place * BigDecimal::from(last as u64);
    let below = at.with_scale_round(0, RoundingMode::Down);
    let fraction = at - &below;
    let below = below.to_usize()?;
    let low = exact(sorted.get(below)?)?;
    let high = sorted.get(below + 1).map_or_else(|| Some(low.clone()), exact)?;
    let value = &low + (high - &low) * fraction;
    if matches!(sorted[below], Value::Decimal(_)) {
        return Some(Value::Decimal(value.normalized()));
    }
    Number::parse(exponent_text(&value).as_bytes()).map(Value::number)
}

fn exact(value: &Value<'_>) -> Option<BigDecimal> {
    match value {
        Value::Decimal(number) => Some(number.clone()),
        Value::Number(number) => match number.0.integer() {
            Some(integer) => Some(BigDecimal::from(integer)),
            None => BigDecimal::try_from(number.0.to_f64()).ok(),
        },
        Value::Text(_) | Value::Bool(_) | Value::Key(..) => None,
    }
}
