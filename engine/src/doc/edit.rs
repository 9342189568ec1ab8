//! Editing: SET, UNSET and INCR on a document's text.
//!
//! An operation finds its place by walking the text along its path, and a new text is spliced
//! together around that place. Operations apply in order, each to what the one before made; an
//! error in any gives no text at all. Each costs one pass over the text up to its place and one
//! copy. What is not touched stays byte for byte, so minified text stays minified, and no name can
//! come to stand twice.

use std::ops::Range;

use super::DocRef;
use super::print::write_string;
use crate::path::{Path, Step};
use crate::value::raw::{Kind, Raw, string_end, value_end};
use crate::value::{Decimal, Number};
use crate::{Code, Error, Limits, Result};

/// One change of a document. Values are minified text, as [`super::parse_value`] gives it.
#[derive(Clone, Copy, Debug)]
pub enum Op<'a> {
    /// Puts a value where the path leads. What is missing on the way is made: objects for names,
    /// and for the index that is an array's length, an element at its end (a missing array has
    /// length 0).
    Set {
        /// Where to; without `[*]`.
        path: &'a Path,
        /// What.
        value: Raw<'a>,
    },
    /// Takes away the member or element that the path leads to, if it is there.
    Unset {
        /// Where; without `[*]`.
        path: &'a Path,
    },
    /// Adds to a number; where there is none yet, `by` itself is put.
    Incr {
        /// Where; without `[*]`.
        path: &'a Path,
        /// A JSON number, or with `as_decimal` also a string that is a decimal.
        by: Raw<'a>,
        /// Whether to add digit for digit. The stored value stays a number or a string, as it was.
        as_decimal: bool,
    },
}

impl<'a> Op<'a> {
    /// The path of the operation.
    pub fn path(&self) -> &'a Path {
        match self {
            Op::Set { path, .. } | Op::Unset { path } | Op::Incr { path, .. } => path,
        }
    }
}

/// The minified text that `ops`, applied in order, make of `doc`.
///
/// Errors: `PATH` where a path holds `[*]`, meets a value that it cannot go into, goes beyond an
/// array's end, or leads INCR to what is no number; `OVERFLOW` where a sum leaves its type;
/// `TOOBIG` where the result would be nested or long beyond `limits`; `ERR` where the amount of an
/// INCR is no number. O(length of the text) for each operation.
pub fn apply(doc: DocRef<'_>, ops: &[Op<'_>], limits: &Limits) -> Result<Vec<u8>> {
    let mut text = doc.text().to_vec();
    for op in ops {
        let path = op.path();
        if path.is_multi() {
            return Err(path_error(path, "a change needs a path without [*]"));
        }
        let place = find(&text, path);
        match *op {
            Op::Set { value, .. } => put(&mut text, path, place, value.bytes(), limits)?,
            Op::Unset { .. } => {
                if let Place::Found(found) = place {
                    unset(&mut text, &found);
                }
            }
            Op::Incr { by, as_decimal, .. } => {
                let value = if let Place::Found(found) = &place {
                    let stored = Raw::new(&text[found.value.clone()]);
                    sum(path, stored, by, as_decimal)?
                } else {
                    let is_amount = if as_decimal { decimal(by).is_some() } else { is_number(by) };
                    if !is_amount {
                        return Err(not_an_amount(path));
                    }
                    by.bytes().to_vec()
                };
                put(&mut text, path, place, &value, limits)?;
            }
        }
        if text.len() > limits.document_bytes_max {
            let message = format!(
                "a document of {} bytes exceeds the limit of {} bytes (folio.document-bytes-max) after the change of {path}",
                text.len(),
                limits.document_bytes_max
            );
            return Err(Error::new(Code::TooBig, message));
        }
    }
    Ok(text)
}

/// A member or element within the text.
struct Found {
    /// Where its name or, in an array, its value begins.
    start: usize,
    value: Range<usize>,
}

/// Where a path leads.
enum Place {
    Found(Found),
    /// The container at hand lacks what this step asks for, and it can be added before its closing
    /// bracket.
    Absent {
        step: usize,
        close: usize,
        is_empty: bool,
    },
    /// This step is an index beyond the end of an array of that length.
    Beyond {
        step: usize,
        length: usize,
    },
    /// This step meets a value of that kind, which it cannot go into.
    Blocked {
        step: usize,
        kind: Kind,
    },
}

/// Walks `text` along `path`.
fn find(text: &[u8], path: &Path) -> Place {
    let mut found = Found { start: 0, value: 0..text.len() };
    for (step, what) in path.steps().iter().enumerate() {
        let at = found.value.start;
        let kind = Raw::new(&text[at..]).kind();
        found = match (what, kind) {
            (Step::Name(name), Kind::Object) => match find_member(text, at, name) {
                Ok(found) => found,
                Err(close) => return Place::Absent { step, close, is_empty: close == at + 1 },
            },
            (Step::Index(index), Kind::Array) => match find_element(text, at, *index as usize) {
                Ok(found) => found,
                Err((close, length)) if length == *index as usize => {
                    return Place::Absent { step, close, is_empty: length == 0 };
                }
                Err((_, length)) => return Place::Beyond { step, length },
            },
            _ => return Place::Blocked { step, kind },
        };
    }
    Place::Found(found)
}

/// The member `name` of the object at `at`, or where the object closes.
fn find_member(text: &[u8], at: usize, name: &str) -> Result<Found, usize> {
    let mut start = at + 1;
    if text[start] == b'}' {
        return Err(start);
    }
    loop {
        let name_end = string_end(text, start);
        let end = value_end(text, name_end + 1);
        if Raw::new(&text[start..name_end]).name_is(name) {
            return Ok(Found { start, value: name_end + 1..end });
        }
        if text[end] == b'}' {
            return Err(end);
        }
        start = end + 1;
    }
}

/// The element at `index` of the array at `at`, or where the array closes and its length.
fn find_element(text: &[u8], at: usize, index: usize) -> Result<Found, (usize, usize)> {
    let mut start = at + 1;
    if text[start] == b']' {
        return Err((start, 0));
    }
    let mut count = 0;
    loop {
        let end = value_end(text, start);
        if count == index {
            return Ok(Found { start, value: start..end });
        }
        count += 1;
        if text[end] == b']' {
            return Err((end, count));
        }
        start = end + 1;
    }
}

/// Puts `value` to `place`, with what is missing around it.
fn put(text: &mut Vec<u8>, path: &Path, place: Place, value: &[u8], limits: &Limits) -> Result<()> {
    // Each step of the path stands in one container more.
    let depth = path.steps().len() + depth_of(value);
    if depth > limits.depth_max {
        let message = format!(
            "depth {depth} exceeds the limit of {} (folio.depth-max) at path {path}",
            limits.depth_max
        );
        return Err(Error::new(Code::TooBig, message));
    }
    match place {
        Place::Found(found) => splice(text, found.value, value),
        Place::Absent { step, close, is_empty } => {
            let mut added = Vec::with_capacity(value.len() + 32);
            if !is_empty {
                added.push(b',');
            }
            write_missing(path, step, value, &mut added)?;
            splice(text, close..close, &added);
        }
        Place::Beyond { step, length } => {
            let what =
                format!("step {} is beyond the end of an array of length {length}", step + 1);
            return Err(path_error(path, &what));
        }
        Place::Blocked { step, kind } => {
            let what = format!("step {} cannot go into {}", step + 1, kind_name(kind));
            return Err(path_error(path, &what));
        }
    }
    Ok(())
}

/// Writes what step `first` adds to its container: the name, what the steps behind it need, the
/// value.
fn write_missing(path: &Path, first: usize, value: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let steps = path.steps();
    if let Step::Name(name) = &steps[first] {
        write_string(name, out);
        out.push(b':');
    }
    let inner = &steps[first + 1..];
    for (at, step) in inner.iter().enumerate() {
        match step {
            Step::Name(name) => {
                out.push(b'{');
                write_string(name, out);
                out.push(b':');
            }
            Step::Index(0) => out.push(b'['),
            _ => {
                let step = first + at + 2;
                let what = format!("step {step} is beyond the end of an array that is not there");
                return Err(path_error(path, &what));
            }
        }
    }
    out.extend_from_slice(value);
    out.extend(inner.iter().rev().map(|step| match step {
        Step::Name(_) => b'}',
        _ => b']',
    }));
    Ok(())
}

/// Cuts a member or element out, and one comma beside it.
fn unset(text: &mut Vec<u8>, found: &Found) {
    let mut cut = found.start..found.value.end;
    if text[cut.end] == b',' {
        cut.end += 1;
    } else if text[cut.start - 1] == b',' {
        cut.start -= 1;
    }
    text.drain(cut);
}

fn splice(text: &mut Vec<u8>, range: Range<usize>, with: &[u8]) {
    if range.len() == with.len() {
        text[range].copy_from_slice(with);
        return;
    }
    let mut new = Vec::with_capacity(text.len() - range.len() + with.len());
    new.extend_from_slice(&text[..range.start]);
    new.extend_from_slice(with);
    new.extend_from_slice(&text[range.end..]);
    *text = new;
}

/// The text of `stored` plus `by`.
fn sum(path: &Path, stored: Raw<'_>, by: Raw<'_>, as_decimal: bool) -> Result<Vec<u8>> {
    if !as_decimal {
        if stored.kind() != Kind::Number {
            let what = format!("INCR needs a number, found {}", kind_name(stored.kind()));
            return Err(path_error(path, &what));
        }
        if !is_number(by) {
            return Err(not_an_amount(path));
        }
        let added = match (Number::parse(stored.bytes()), Number::parse(by.bytes())) {
            (Some(stored), Some(by)) => stored.checked_add(by),
            _ => None,
        };
        return added.map(|sum| sum.to_string().into_bytes()).ok_or_else(|| overflow(path));
    }
    let Some(number) = decimal(stored) else {
        let what = format!("INCR needs a decimal, found {}", decimal_kind_name(stored.kind()));
        return Err(path_error(path, &what));
    };
    let by = decimal(by).ok_or_else(|| not_an_amount(path))?;
    let sum = Decimal::checked_add(&number, &by).ok_or_else(|| overflow(path))?;
    if stored.kind() == Kind::Number {
        return Ok(sum.into_bytes());
    }
    let mut quoted = Vec::with_capacity(sum.len() + 2);
    write_string(&sum, &mut quoted);
    Ok(quoted)
}

fn is_number(raw: Raw<'_>) -> bool {
    raw.kind() == Kind::Number
}

/// The decimal text that a number or string holds.
fn decimal(raw: Raw<'_>) -> Option<std::borrow::Cow<'_, str>> {
    let text = match raw.kind() {
        Kind::String => raw.string()?,
        Kind::Number => std::str::from_utf8(raw.bytes()).ok()?.into(),
        _ => return None,
    };
    Decimal::parse(&text).map(|_| text)
}

/// Containers open at once in a minified value, at most.
fn depth_of(value: &[u8]) -> usize {
    let (mut depth, mut deepest, mut at) = (0usize, 0, 0);
    while at < value.len() {
        match value[at] {
            b'"' => {
                at = string_end(value, at);
                continue;
            }
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    deepest
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Null => "null",
        Kind::Bool => "a truth value",
        Kind::Number => "a number",
        Kind::String => "a string",
        Kind::Array => "an array",
        Kind::Object => "an object",
    }
}

fn decimal_kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::String => "a string that is none",
        Kind::Number => "a number beyond its limits",
        other => kind_name(other),
    }
}

fn path_error(path: &Path, what: &str) -> Error {
    Error::new(Code::Path, format!("{what} at path {path}"))
}

fn overflow(path: &Path) -> Error {
    Error::new(Code::Overflow, format!("the sum is beyond the range of its type at path {path}"))
}

fn not_an_amount(path: &Path) -> Error {
    Error::new(Code::Syntax, format!("INCR needs a number to add at path {path}"))
}

#[cfg(test)]
#[path = "edit_tests.rs"]
mod tests;
