//! PUSH, POP, ADD and PULL: elements of arrays.
//!
//! Elements are equal as in filters: if their keys are, under the type that their field declares. So
//! `1` is `1.0`, and objects are equal in whatever order their members stand.

use std::ops::Range;

use super::{Draft, comparison_cost, comparison_weight, needs, scalar_at};
use crate::Result;
use crate::doc::edit::{Found, Place, find_element, splice, unset};
use crate::path::Path;
use crate::schema::Definition;
use crate::schema::types::Scalar;
use crate::value::{KeyBuf, Kind, Raw};

/// Adds an element at the end.
pub(super) fn push(draft: &mut Draft<'_>, path: &Path, value: &[u8]) -> Result<()> {
    let place = draft.find(path);
    match found_array(draft, path, &place, "PUSH")? {
        Some(array) => append(draft, path, array, value),
        None => draft.put(path, place, &[b"[", value, b"]"].concat()),
    }
}

/// Takes out the last element, or the one at `index`.
pub(super) fn pop(draft: &mut Draft<'_>, path: &Path, index: Option<i64>) -> Result<()> {
    let place = draft.find(path);
    let Some(array) = found_array(draft, path, &place, "POP")? else { return Ok(()) };
    let index = index.unwrap_or(-1);
    let index = if index < 0 {
        let length = Raw::new(&draft.text[array.clone()]).elements().count();
        let from_end = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
        length.checked_sub(from_end)
    } else {
        usize::try_from(index).ok()
    };
    let found = index.and_then(|index| find_element(&draft.text, array.start, index).ok());
    if let Some(found) = found {
        unset(&mut draft.text, &found);
    }
    Ok(())
}

/// Adds an element at the end unless an equal one is there.
pub(super) fn add(
    draft: &mut Draft<'_>,
    path: &Path,
    value: &[u8],
    definition: &Definition,
) -> Result<()> {
    let place = draft.find(path);
    let Some(array) = found_array(draft, path, &place, "ADD")? else {
        return draft.put(path, place, &[b"[", value, b"]"].concat());
    };
    let value = Raw::new(value);
    draft.spend(comparison_cost(value) + comparison_weight(value.kind()) * array.len())?;
    let mut equality = Equality::new(value, scalar_at(definition, &path.each()));
    let is_there = Raw::new(&draft.text[array.clone()]).elements().any(|it| equality.holds(it));
    if is_there { Ok(()) } else { append(draft, path, array, value.bytes()) }
}

/// Takes out every equal element.
pub(super) fn pull(
    draft: &mut Draft<'_>,
    path: &Path,
    value: &[u8],
    definition: &Definition,
) -> Result<()> {
    let place = draft.find(path);
    let Some(array) = found_array(draft, path, &place, "PULL")? else { return Ok(()) };
    let value = Raw::new(value);
    draft.spend(comparison_cost(value) + comparison_weight(value.kind()) * array.len())?;
    let mut equality = Equality::new(value, scalar_at(definition, &path.each()));
    let mut left = vec![b'['];
    for element in Raw::new(&draft.text[array.clone()]).elements() {
        if !equality.holds(element) {
            if left.len() > 1 {
                left.push(b',');
            }
            left.extend_from_slice(element.bytes());
        }
    }
    left.push(b']');
    splice(&mut draft.text, array, &left);
    Ok(())
}

/// The array that stands at a place; none where nothing does. Error: something else does.
fn found_array(
    draft: &Draft<'_>,
    path: &Path,
    place: &Place,
    verb: &str,
) -> Result<Option<Range<usize>>> {
    let Place::Found(Found { value, .. }) = place else { return Ok(None) };
    let raw = Raw::new(&draft.text[value.clone()]);
    if raw.kind() != Kind::Array {
        return Err(needs(verb, "an array", raw, path));
    }
    Ok(Some(value.clone()))
}

/// Puts `value` before the closing bracket.
fn append(draft: &mut Draft<'_>, path: &Path, array: Range<usize>, value: &[u8]) -> Result<()> {
    // Within the array that the path leads to.
    let step = path.steps().len();
    let place = Place::Absent { step, close: array.end - 1, is_empty: array.len() == 2 };
    draft.put(&path.each(), place, value)
}

/// Whether values are equal to one.
struct Equality {
    scalar: Scalar,
    kind: Kind,
    wanted: KeyBuf,
    key: KeyBuf,
}

impl Equality {
    fn new(value: Raw<'_>, scalar: Scalar) -> Self {
        let mut wanted = KeyBuf::default();
        scalar.key(value, &mut wanted);
        Equality { scalar, kind: value.kind(), wanted, key: KeyBuf::default() }
    }

    fn holds(&mut self, value: Raw<'_>) -> bool {
        // Only a declared type makes a string and a number equal.
        if self.scalar == Scalar::Json && value.kind() != self.kind {
            return false;
        }
        self.scalar.key(value, &mut self.key);
        self.key.as_ref() == self.wanted.as_ref()
    }
}
