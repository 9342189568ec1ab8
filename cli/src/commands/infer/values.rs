//! What is kept of the values of a path: how many are distinct, the numbers' kinds and bounds, the strings' forms and lengths.

use std::cmp::Ordering;
use std::collections::HashSet;

use xxhash_rust::xxh3::xxh3_64;

use super::forms::{Forms, is_local_instant};

/// So many distinct values of one path are told apart, eight bytes each; beyond them it is known whether one of these repeats.
const DISTINCT_MAX: usize = 100_000;
/// So many of them are kept as they are, for examples and for ENUM.
const KEPT_MAX: usize = 32;
/// A value that is longer is kept as an example alone.
const KEPT_BYTES_MAX: usize = 200;

/// How often which values come, by their JSON text.
#[derive(Debug, Default)]
pub struct Distinct {
    hashes: HashSet<u64>,
    kept: Vec<String>,
    repeats: bool,
    pub values: u64,
}

impl Distinct {
    pub fn add(&mut self, json: &str) {
        self.values += 1;
        let hash = xxh3_64(json.as_bytes());
        if self.hashes.contains(&hash) {
            self.repeats = true;
        } else if self.hashes.len() < DISTINCT_MAX {
            self.hashes.insert(hash);
            if self.kept.len() < KEPT_MAX && (json.len() <= KEPT_BYTES_MAX || self.kept.is_empty())
            {
                self.kept.push(json.to_owned());
            }
        }
    }

    pub fn count(&self) -> usize {
        self.hashes.len()
    }

    /// Whether there may be more than are counted.
    pub fn is_cut(&self) -> bool {
        self.hashes.len() == DISTINCT_MAX
    }

    /// Whether no value comes twice, as far as is known.
    pub fn is_unique(&self) -> bool {
        self.values >= 2 && !self.repeats
    }

    /// All of them, if they are few.
    pub fn all(&self) -> Option<&[String]> {
        (self.kept.len() == self.hashes.len()).then_some(&self.kept)
    }

    pub fn examples(&self) -> impl Iterator<Item = &str> {
        self.kept.iter().map(String::as_str)
    }
}

/// Numbers, by their text: a double does not hold all of them.
#[derive(Debug, Default)]
pub struct Numbers {
    /// In the range of i64 or u64.
    pub integers: u64,
    /// Those that a double holds to the last digit.
    pub doubles: u64,
    /// Those that only a decimal does.
    pub decimals: u64,
    pub least: Option<String>,
    pub greatest: Option<String>,
}

impl Numbers {
    pub fn add(&mut self, text: &str) {
        if text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok() {
            self.integers += 1;
        } else if is_kept_by_double(text) {
            self.doubles += 1;
        } else {
            self.decimals += 1;
        }
        let is_beyond = |bound: &Option<String>, side| {
            bound.as_ref().is_none_or(|bound| compare(text, bound) == side)
        };
        if is_beyond(&self.least, Ordering::Less) {
            self.least = Some(text.to_owned());
        }
        if is_beyond(&self.greatest, Ordering::Greater) {
            self.greatest = Some(text.to_owned());
        }
    }

    pub fn count(&self) -> u64 {
        self.integers + self.doubles + self.decimals
    }

    /// The narrowest type that keeps all of them.
    pub fn type_name(&self) -> &'static str {
        match (self.doubles, self.decimals) {
            (0, 0) => "int",
            (_, 0) => "float",
            _ => "decimal",
        }
    }
}

/// Integers by their value, others by the double beside them: for bounds that are shown.
fn compare(a: &str, b: &str) -> Ordering {
    if let (Ok(a), Ok(b)) = (a.parse::<i128>(), b.parse::<i128>()) {
        return a.cmp(&b);
    }
    let double = |text: &str| text.parse::<f64>().unwrap_or_default();
    double(a).total_cmp(&double(b))
}

/// Whether the shortest text of the double that is read from a number has the number's digits.
fn is_kept_by_double(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(|double| {
        double.is_finite() && normal_form(&format!("{double:e}")) == normal_form(text)
    })
}

/// A number's digits without zeros at either end, and the power of ten of the last; no digits for zero.
fn normal_form(text: &str) -> Option<(bool, String, i64)> {
    let (is_negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    let short = digits.trim_end_matches('0');
    let exponent = exponent.trim_start_matches('+').parse::<i64>().ok()?;
    let cut = i64::try_from(digits.len() - short.len()).ok()?;
    let behind_point = i64::try_from(fraction.len()).ok()?;
    match short {
        "" => Some((false, String::new(), 0)),
        _ => Some((is_negative, short.to_owned(), exponent.checked_add(cut - behind_point)?)),
    }
}

/// Strings.
#[derive(Debug, Default)]
pub struct Strings {
    pub count: u64,
    pub empty: u64,
    /// Characters.
    pub shortest: usize,
    pub longest: usize,
    characters: u64,
    /// Those of strings that are not empty.
    pub forms: Forms,
    /// Instants without an offset.
    local_instants: u64,
}

impl Strings {
    pub fn add(&mut self, text: &str) {
        let length = text.chars().count();
        self.shortest = if self.count == 0 { length } else { self.shortest.min(length) };
        self.longest = self.longest.max(length);
        self.characters += length as u64;
        self.count += 1;
        if text.is_empty() {
            self.empty += 1;
            return;
        }
        self.forms.add(text);
        self.local_instants += u64::from(is_local_instant(text));
    }

    /// Characters of one, in the mean.
    pub fn mean_length(&self) -> u64 {
        self.characters / self.count.max(1)
    }

    pub fn are_local_instants(&self) -> bool {
        self.local_instants > 0 && self.local_instants == self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_of(texts: &[&str]) -> &'static str {
        let mut numbers = Numbers::default();
        for text in texts {
            numbers.add(text);
        }
        numbers.type_name()
    }

    #[test]
    fn a_type_keeps_every_digit() {
        assert_eq!(type_of(&["0", "-7", "18446744073709551615", "-9223372036854775808"]), "int");
        assert_eq!(type_of(&["18446744073709551616"]), "decimal");
        assert_eq!(type_of(&["1", "0.1", "1.50", "-2.5e3", "1E-7", "100000e3"]), "float");
        assert_eq!(type_of(&["0.1", "0.12345678901234567890123"]), "decimal");
        assert_eq!(type_of(&["1e400"]), "decimal");
        assert_eq!(type_of(&["0.0", "-0.0", "0e5"]), "float");
    }

    #[test]
    fn bounds_of_integers_are_exact() {
        let mut numbers = Numbers::default();
        for text in ["9007199254740993", "9007199254740992", "9007199254740994"] {
            numbers.add(text);
        }
        assert_eq!(numbers.least.as_deref(), Some("9007199254740992"));
        assert_eq!(numbers.greatest.as_deref(), Some("9007199254740994"));
    }

    #[test]
    fn distinct_values_are_counted_up_to_a_bound() {
        let mut distinct = Distinct::default();
        (0..DISTINCT_MAX + 10).for_each(|number| distinct.add(&number.to_string()));
        assert!(distinct.is_unique() && distinct.is_cut() && distinct.all().is_none());
        assert_eq!(distinct.count(), DISTINCT_MAX);
        distinct.add("7");
        assert!(!distinct.is_unique());
    }
}
