//! Editing: places in a document's text, found by walking it, filled and emptied.
//!
//! A new value is spliced in where the old one stood, in the same buffer. Finding a place costs one
//! pass over the text up to it, filling or emptying it one move of what stands behind. What is not
//! touched stays byte for byte, so minified text stays minified, and no name can come to stand
//! twice.

use std::fmt;
use std::ops::Range;

use super::print::write_string;
use crate::path::{Path, Step};
use crate::value::raw::{Kind, Raw, string_end, value_end};
use crate::{Code, Error, Limits, Result};

/// A member or element within the text.
#[derive(Debug)]
pub(crate) struct Found {
    /// Where its name or, in an array, its value begins.
    pub(crate) start: usize,
    /// Its value.
    pub(crate) value: Range<usize>,
}

/// Where a path leads.
#[derive(Debug)]
pub(crate) enum Place {
    /// To a value.
    Found(Found),
    /// The container at hand lacks what this step asks for, and it can be added before its closing
    /// bracket.
    Absent {
        /// The first step that leads to nothing.
        step: usize,
        /// Where the container closes.
        close: usize,
        /// Whether it holds nothing.
        is_empty: bool,
    },
    /// This step is an index beyond the end of an array of that length.
    Beyond {
        /// The step.
        step: usize,
        /// The length.
        length: usize,
    },
    /// This step meets a value of that kind, which it cannot go into.
    Blocked {
        /// The step.
        step: usize,
        /// What it meets.
        kind: Kind,
    },
}

/// Walks `text` along `path`.
pub(crate) fn find(text: &[u8], path: &Path) -> Place {
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
pub(crate) fn find_member(text: &[u8], at: usize, name: &str) -> Result<Found, usize> {
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
pub(crate) fn find_element(text: &[u8], at: usize, index: usize) -> Result<Found, (usize, usize)> {
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
pub(crate) fn put(
    text: &mut Vec<u8>,
    path: &Path,
    place: Place,
    value: &[u8],
    limits: &Limits,
) -> Result<()> {
    // Each step of the path stands in one container more.
    let depth = path.steps().len() + depth_of(value);
    expect_depth(depth, limits, format_args!("path {path}"))?;
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
pub(crate) fn unset(text: &mut Vec<u8>, found: &Found) {
    let mut cut = found.start..found.value.end;
    if text[cut.end] == b',' {
        cut.end += 1;
    } else if text[cut.start - 1] == b',' {
        cut.start -= 1;
    }
    text.drain(cut);
}

/// Puts `with` in place of `range`.
pub(crate) fn splice(text: &mut Vec<u8>, range: Range<usize>, with: &[u8]) {
    let (old_len, end) = (text.len(), range.start + with.len());
    let new_len = old_len - range.len() + with.len();
    text.resize(new_len.max(old_len), 0);
    text.copy_within(range.end..old_len, end);
    text[range.start..end].copy_from_slice(with);
    text.truncate(new_len);
}

/// Refuses a value that would be nested too deep at a place.
pub(crate) fn expect_depth(depth: usize, limits: &Limits, place: impl fmt::Display) -> Result<()> {
    let most = limits.depth_max;
    if depth <= most {
        return Ok(());
    }
    let what = format!("depth {depth} exceeds the limit of {most} (folio.depth-max) at {place}");
    Err(Error::new(Code::TooBig, what))
}

/// Containers open at once in a minified value, at most.
pub(crate) fn depth_of(value: &[u8]) -> usize {
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

/// The kind as an error calls it.
pub(crate) fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Null => "null",
        Kind::Bool => "a boolean",
        Kind::Number => "a number",
        Kind::String => "a string",
        Kind::Array => "an array",
        Kind::Object => "an object",
    }
}

/// The error that `path` does not fit the document.
pub(crate) fn path_error(path: &Path, what: &str) -> Error {
    Error::new(Code::Path, format!("{what} at path {path}"))
}
