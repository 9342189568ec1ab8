//! What a field's values must be besides of its type: MIN, MAX, MINLEN, MAXLEN, ENUM, PATTERN, IMMUTABLE; and what the server
//! makes them (`fill`): DEFAULT, AUTO.
//!
//! Bounds and listed values are kept as they are declared and as keys under the field's type, so they compare as values do
//! everywhere. Of an array MIN, MAX, ENUM and PATTERN are asked of each element, MINLEN and MAXLEN of the array.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::types::{FieldType, Scalar};
use crate::doc::parse::parse_value;
use crate::doc::print::write_string;
use crate::error::{Code, Error, Result};
use crate::limits::{ENUM_VALUES_MAX, Limits};
use crate::path::Path;
use crate::query::Pattern;
use crate::value::{Key, KeyBuf, Kind, Raw};

/// A value of a declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// As JSON, minified.
    pub json: Box<str>,
    key: Key,
}

impl fmt::Display for Declared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.json)
    }
}

/// What the server sets a field to, whatever was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Auto {
    /// The instant of the document's birth.
    Now,
    /// The instant of its last change.
    Updated,
}

/// The constraints of a field, as far as they are about its values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Constraints {
    /// No value is below it.
    pub min: Option<Declared>,
    /// No value is above it.
    pub max: Option<Declared>,
    /// Characters of a string, or elements of an array, at least.
    pub min_len: Option<u64>,
    /// Characters of a string, or elements of an array, at most.
    pub max_len: Option<u64>,
    /// Every value is one of them, where there are any.
    pub values: Vec<Declared>,
    /// A regular expression that matches somewhere in every value.
    pub pattern: Option<Pattern>,
    /// Put in where it is missing, as JSON.
    pub default: Option<Box<str>>,
    /// What the server sets it to.
    pub auto: Option<Auto>,
    /// Whether a value that is there stays.
    pub immutable: bool,
}

/// What a constraint says of a value that breaks it; `field x` stands before it, and what the value is.
type Broken = String;

impl Constraints {
    /// Declares MIN. Error: `SCHEMA`, without the name of the field.
    pub fn set_min(&mut self, ty: FieldType, json: &str) -> Result<()> {
        self.min = Some(bound(ty, json, "MIN")?);
        Ok(())
    }

    /// Declares MAX. Error: `SCHEMA`, without the name of the field.
    pub fn set_max(&mut self, ty: FieldType, json: &str) -> Result<()> {
        self.max = Some(bound(ty, json, "MAX")?);
        Ok(())
    }

    /// Declares MINLEN. Error: `SCHEMA`, without the name of the field.
    pub fn set_min_len(&mut self, ty: FieldType, length: u64) -> Result<()> {
        expect_length(ty, "MINLEN")?;
        self.min_len = Some(length);
        Ok(())
    }

    /// Declares MAXLEN. Error: `SCHEMA`, without the name of the field.
    pub fn set_max_len(&mut self, ty: FieldType, length: u64) -> Result<()> {
        expect_length(ty, "MAXLEN")?;
        self.max_len = Some(length);
        Ok(())
    }

    /// Declares the values of ENUM. Error: `SCHEMA`, without the name of the field.
    pub fn set_values<'v>(
        &mut self,
        ty: FieldType,
        values: impl IntoIterator<Item = &'v str>,
    ) -> Result<()> {
        let mut keys = BTreeSet::new();
        self.values.clear();
        for json in values {
            let value = declared(ty, json, "ENUM")?;
            if self.values.len() == ENUM_VALUES_MAX {
                return refuse(format!("has an ENUM of more values than {ENUM_VALUES_MAX}"));
            }
            if !keys.insert(value.key.clone()) {
                return refuse(format!("has the value {value} twice in ENUM"));
            }
            self.values.push(value);
        }
        if self.values.is_empty() { refuse("has an ENUM of no values") } else { Ok(()) }
    }

    /// Declares PATTERN. Errors: `SCHEMA`, `TOOBIG`, without the name of the field.
    pub fn set_pattern(&mut self, ty: FieldType, regex: &str, limits: &Limits) -> Result<()> {
        if !ty.scalar.is_text() {
            return refuse(format!("is declared {ty}; PATTERN is of strings"));
        }
        let pattern = Pattern::declared(regex, limits).map_err(|error| {
            let what = error.message;
            match error.code {
                Code::Filter => Error::new(Code::Schema, format!("has a PATTERN that is {what}")),
                code => Error::new(code, format!("is declared too large: {what}")),
            }
        })?;
        self.pattern = Some(pattern);
        Ok(())
    }

    /// Declares AUTO. Error: `SCHEMA`, without the name of the field.
    pub fn set_auto(&mut self, ty: FieldType, auto: Auto) -> Result<()> {
        if ty != (FieldType { scalar: Scalar::DateTime, array: false }) {
            return refuse(format!("is declared {ty}; AUTO is of datetime"));
        }
        self.auto = Some(auto);
        Ok(())
    }

    /// Whether the constraints go together. Error: `SCHEMA`, without the name of the field.
    pub fn validate(&self, path: &Path) -> Result<()> {
        if self.auto.is_some() && (self.default.is_some() || self.immutable) {
            return refuse("is AUTO, which goes with neither DEFAULT nor IMMUTABLE");
        }
        let is_set = self.auto.is_some() || self.default.is_some();
        if is_set && path.is_multi() {
            return refuse("has several values; DEFAULT and AUTO are of one");
        }
        if let (Some(min), Some(max)) = (&self.min, &self.max)
            && min.key > max.key
        {
            return refuse(format!("has MIN {min} above MAX {max}"));
        }
        if let (Some(min), Some(max)) = (self.min_len, self.max_len)
            && min > max
        {
            return refuse(format!("has MINLEN {min} above MAXLEN {max}"));
        }
        Ok(())
    }

    /// What an array breaks as a whole.
    pub fn judge_array(&self, raw: Raw<'_>) -> std::result::Result<(), Broken> {
        if self.min_len.is_none() && self.max_len.is_none() {
            return Ok(());
        }
        self.judge_length(raw.elements().count() as u64, "elements")
    }

    /// What a value, or an element of an array, breaks. It is of the type `ty`; `buf` is used for its key.
    pub fn judge(
        &self,
        ty: FieldType,
        raw: Raw<'_>,
        buf: &mut KeyBuf,
    ) -> std::result::Result<(), Broken> {
        if !ty.array && (self.min_len.is_some() || self.max_len.is_some()) {
            let text = raw.string().unwrap_or_default();
            self.judge_length(text.chars().count() as u64, "characters")?;
        }
        if let Some(pattern) = &self.pattern
            && !raw.string().is_some_and(|text| pattern.fits(&text))
        {
            return Err(format!("{}, which does not match {}", excerpt(raw), pattern.source()));
        }
        if self.min.is_none() && self.max.is_none() && self.values.is_empty() {
            return Ok(());
        }
        ty.scalar.key(raw, buf);
        let key = buf.as_ref();
        if let Some(min) = self.min.as_ref().filter(|min| key < min.key.as_ref()) {
            return Err(format!("{}, below the minimum of {min}", excerpt(raw)));
        }
        if let Some(max) = self.max.as_ref().filter(|max| key > max.key.as_ref()) {
            return Err(format!("{}, above the maximum of {max}", excerpt(raw)));
        }
        let is_listed = || self.values.iter().any(|value| value.key.as_ref() == key);
        if self.values.is_empty() || is_listed() {
            return Ok(());
        }
        Err(format!("{}, and not one of {}", excerpt(raw), self.listed()))
    }

    fn judge_length(&self, length: u64, what: &str) -> std::result::Result<(), Broken> {
        if let Some(min) = self.min_len.filter(|min| length < *min) {
            return Err(format!("{length} {what} long, below the minimum of {min}"));
        }
        if let Some(max) = self.max_len.filter(|max| length > *max) {
            return Err(format!("{length} {what} long, above the maximum of {max}"));
        }
        Ok(())
    }

    /// The values of ENUM, the first of many, for a message.
    fn listed(&self) -> String {
        const SHOWN_MAX: usize = 8;
        let shown: Vec<&str> = self.values.iter().take(SHOWN_MAX).map(|it| &*it.json).collect();
        let more = if self.values.len() > SHOWN_MAX { ", .." } else { "" };
        format!("{}{more}", shown.join(", "))
    }
}

/// The JSON of a value that stands as a word among arguments: of numbers, booleans and type json the word is JSON itself, of
/// other types it is text without quotes, or an integer where the type takes those too. Errors: `JSON`.
pub fn json_of_word(ty: FieldType, word: &str, limits: &Limits) -> Result<String> {
    let is_json = match ty.scalar {
        Scalar::Int | Scalar::Float | Scalar::Bool | Scalar::Json => true,
        Scalar::DateTime | Scalar::Duration => word.parse::<i64>().is_ok(),
        _ => false,
    };
    if !is_json {
        let mut json = Vec::new();
        write_string(word, &mut json);
        return Ok(String::from_utf8_lossy(&json).into_owned());
    }
    let json = parse_value(word.as_bytes(), limits)?;
    Ok(String::from_utf8_lossy(&json).into_owned())
}

fn refuse<T>(what: impl Into<Box<str>>) -> Result<T> {
    Err(Error::new(Code::Schema, what))
}

fn expect_length(ty: FieldType, word: &str) -> Result<()> {
    if ty.array || ty.scalar.is_text() {
        return Ok(());
    }
    refuse(format!("is declared {ty}; {word} is of strings and arrays"))
}

fn bound(ty: FieldType, json: &str, word: &str) -> Result<Declared> {
    if !ty.scalar.has_bounds() {
        return refuse(format!("is declared {ty}; {word} is of numbers and times"));
    }
    declared(ty, json, word)
}

fn declared(ty: FieldType, json: &str, word: &str) -> Result<Declared> {
    let raw = Raw::new(json.as_bytes());
    let mut buf = KeyBuf::default();
    if raw.kind() == Kind::Null || !ty.scalar.key(raw, &mut buf) {
        return refuse(format!("has {word} {}, which is no {}", excerpt(raw), ty.scalar.name()));
    }
    Ok(Declared { json: json.into(), key: buf.as_ref().to_key() })
}

/// The beginning of a value, for a message.
pub(super) fn excerpt(raw: Raw<'_>) -> String {
    const CHARS_MAX: usize = 40;
    let text = String::from_utf8_lossy(raw.bytes());
    match text.char_indices().nth(CHARS_MAX) {
        None => text.into_owned(),
        Some((end, _)) => format!("{}..", &text[..end]),
    }
}

#[cfg(test)]
#[path = "constraint_tests.rs"]
mod tests;
