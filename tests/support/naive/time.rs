//! Instants and durations: `time(..)`, `duration(..)`, and the buckets that aggregates put time in.
//! All are milliseconds since 1970, exactly.

use std::str::FromStr;

use bigdecimal::{BigDecimal, ToPrimitive};

use super::value::{instant, is_digits};

/// The milliseconds of what `time(..)` takes as text: RFC 3339 with an offset, or a date alone.
pub fn time(text: &str) -> Option<BigDecimal> {
    let nanoseconds = instant(text).or_else(|| instant(&format!("{text}T00:00:00Z")))?;
    Some(from_nanoseconds(nanoseconds))
}

/// Nanoseconds as milliseconds.
pub fn from_nanoseconds(nanoseconds: i128) -> BigDecimal {
    BigDecimal::from(nanoseconds) / BigDecimal::from(1_000_000)
}

/// The RFC 3339 text in UTC of an instant, if it lies in the years that such texts have.
pub fn text(milliseconds: &BigDecimal) -> Option<String> {
    let nanoseconds = (milliseconds * BigDecimal::from(1_000_000)).to_i128()?;
    let text = jiff::Timestamp::from_nanosecond(nanoseconds).ok()?.to_string();
    // Years of more or fewer than four digits have a sign.
    text.starts_with(|c: char| c.is_ascii_digit()).then_some(text)
}

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// The milliseconds of what `duration(..)` takes: `'1d 3h'`, `'-1.5h'`, `'PT1H30M'`.
pub fn duration(text: &str) -> Option<BigDecimal> {
    let (is_negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let amount = if let Some(iso) = unsigned.strip_prefix('P') {
        iso_duration(iso)?
    } else {
        {
            let parts = parts(unsigned, |unit| match unit {
                "w" => milliseconds(7 * DAY_MS),
                "d" => milliseconds(DAY_MS),
                "h" => milliseconds(HOUR_MS),
                "m" => milliseconds(60_000),
                "s" => milliseconds(1_000),
                "ms" => milliseconds(1),
                "us" => Some(from_nanoseconds(1_000)),
                "ns" => Some(from_nanoseconds(1)),
                _ => None,
            });
            parts?
        }
    };
    Some(if is_negative { -amount } else { amount })
}

#[expect(clippy::unnecessary_wraps, reason = "one arm of those that look units up")]
fn milliseconds(count: i64) -> Option<BigDecimal> {
    Some(BigDecimal::from(count))
}

fn iso_duration(text: &str) -> Option<BigDecimal> {
    let (days, time) = text.split_once('T').unwrap_or((text, "none"));
    let of_days = |unit: &str| match unit {
        "W" => milliseconds(7 * DAY_MS),
        "D" => milliseconds(DAY_MS),
        _ => None,
    };
    let of_time = |unit: &str| match unit {
        "H" => milliseconds(HOUR_MS),
        "M" => milliseconds(60_000),
        "S" => milliseconds(1_000),
        _ => None,
    };
    match (days, time) {
        (days, "none") => parts(days, of_days),
        ("", time) => parts(time, of_time),
        (days, time) => Some(parts(days, of_days)? + parts(time, of_time)?),
    }
}

/// The sum of numbers, each with its unit; at least one.
fn parts(text: &str, unit: impl Fn(&str) -> Option<BigDecimal>) -> Option<BigDecimal> {
    let mut sum = BigDecimal::from(0);
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let of_number = |c: char| c.is_ascii_digit() || c == '.';
        let number = &rest[..rest.find(|c| !of_number(c))?];
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        if !is_digits(whole) || !is_digits(fraction) {
            return None;
        }
        rest = &rest[number.len()..];
        let name = &rest[..rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len())];
        sum += BigDecimal::from_str(number).ok()? * unit(name)?;
        rest = rest[name.len()..].trim_start();
    }
    Some(sum)
}

/// The width of a bucket.
#[derive(Clone, Debug, PartialEq)]
pub enum Width {
    /// A duration; `1w` begins on Mondays.
    Duration(String),
    /// A month of the calendar in UTC.
    Month,
    /// A year of the calendar in UTC.
    Year,
    /// Numbers: the greatest multiple of this that is not above.
    Number(String),
}

impl Width {
    /// As the language writes it.
    pub fn text(&self) -> String {
        match self {
            Self::Duration(text) => format!("'{text}'"),
            Self::Month => "'month'".to_owned(),
            Self::Year => "'year'".to_owned(),
            Self::Number(text) => text.clone(),
        }
    }

    /// The beginning of the bucket in which a number lies, or an instant by its milliseconds. None where the calendar
    /// has no such year.
    pub fn beginning(&self, at: &BigDecimal) -> Option<BigDecimal> {
        Some(match self {
            Self::Number(width) => {
                multiple(at, &BigDecimal::from_str(width).expect("a width is a number"))
            }
            Self::Duration(text) => {
                let width = duration(text).expect("a width is a duration");
                // 1970-01-05 was the first Monday.
                let first = BigDecimal::from(if text == "1w" { 4 * DAY_MS } else { 0 });
                multiple(&(at - &first), &width) + first
            }
            Self::Month | Self::Year => {
                let day = text(at)?;
                let (year, month) = (&day[..4], &day[5..7]);
                let month = if *self == Self::Month { month } else { "01" };
                time(&format!("{year}-{month}-01"))?
            }
        })
    }
}

/// The greatest multiple of the width that is not above. The remainder is exact, a quotient need not be.
fn multiple(at: &BigDecimal, width: &BigDecimal) -> BigDecimal {
    let rest = at % width;
    let below = if rest < 0 { width.clone() } else { BigDecimal::from(0) };
    at - rest - below
}
