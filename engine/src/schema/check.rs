//! Whether a document keeps to its collection's declaration.
//!
//! A document that Redis itself brought may break it. Writing such a document whole is refused until it is mended; an update is
//! judged by the parts that it changes, so that it can mend one field after the other.

use std::collections::HashMap;

use super::definition::{Definition, Field, Mode};
use super::types::Scalar;
use crate::doc::{DocRef, Document, Parsed};
use crate::error::{Code, Error, Result};
use crate::limits::Limits;
use crate::path::Step;
use crate::value::{Key, KeyBuf, KeyRef, Kind, Raw};

/// Judges a document: whole, or only where it differs from `before`. `huge_numbers` are the offsets in its text of numbers beyond
/// a double's range: only a decimal field may hold one. Errors: `SCHEMA`, `JSON`.
pub fn check(
    definition: &Definition,
    before: Option<DocRef<'_>>,
    doc: DocRef<'_>,
    huge_numbers: &[u32],
) -> Result<()> {
    let mut buf = KeyBuf::default();
    for field in &definition.fields {
        if !before.is_some_and(|before| is_same(first_name(field), before, doc)) {
            check_field(field, doc, &mut buf, None)?;
        }
    }
    check_rest(definition, before, doc, huge_numbers)
}

/// Judges what no field alone decides.
fn check_rest(
    definition: &Definition,
    before: Option<DocRef<'_>>,
    doc: DocRef<'_>,
    huge_numbers: &[u32],
) -> Result<()> {
    if definition.mode == Mode::Strict {
        check_members(definition, before, doc)?;
    }
    check_numbers(definition, doc, huge_numbers)
}

/// Judges a document that is stored already, whole. Errors: `SCHEMA`, `JSON`.
pub fn check_stored(definition: &Definition, document: &Document) -> Result<()> {
    let mut buf = KeyBuf::default();
    for field in &definition.fields {
        check_field(field, document.view(), &mut buf, None)?;
    }
    check_stored_rest(definition, document)
}

/// The same but for the fields, each of which [`check_field`] judges. Errors: `SCHEMA`, `JSON`.
pub fn check_stored_rest(definition: &Definition, document: &Document) -> Result<()> {
    let mut parsed = Parsed::default();
    if document.has_huge_numbers() {
        // Where they stand is not kept. What is stored has been in order once.
        let any =
            Limits { document_bytes_max: usize::MAX, depth_max: usize::MAX, ..Limits::default() };
        parsed.parse(document.text(), &any)?;
    }
    check_rest(definition, None, document.view(), parsed.huge_numbers())
}

fn first_name(field: &Field) -> &str {
    match field.path.steps().first() {
        Some(Step::Name(name)) => name,
        _ => "",
    }
}

/// Whether a top-level member is the same text in both, or in neither.
fn is_same(name: &str, before: DocRef<'_>, doc: DocRef<'_>) -> bool {
    before.member(name).map(Raw::bytes) == doc.member(name).map(Raw::bytes)
}

fn refuse(field: &Field, what: impl std::fmt::Display) -> Error {
    Error::new(Code::Schema, format!("field {} {what}", field.path))
}

/// Is shown keys.
type See<'s> = &'s mut dyn FnMut(KeyRef<'_>);

/// Judges one field. `see` is shown the keys under which an index over the field holds the document: all but
/// [`Key::MISSING`], or, where the field is refused, some of them. Error: `SCHEMA`.
pub fn check_field(
    field: &Field,
    doc: DocRef<'_>,
    buf: &mut KeyBuf,
    mut see: Option<See<'_>>,
) -> Result<()> {
    let mut found = false;
    for raw in field.path.values(doc) {
        found = true;
        if raw.kind() == Kind::Null {
            if !field.nullable {
                return Err(refuse(field, "is null, and not declared NULLABLE"));
            }
            if let (false, Some(see)) = (field.ty.array, &mut see) {
                see(Key::NULL.as_ref());
            }
        } else if field.ty.array {
            if raw.kind() != Kind::Array {
                return Err(refuse(
                    field,
                    format!("is declared {}, found {}", field.ty, excerpt(raw)),
                ));
            }
            for element in raw.elements() {
                if element.kind() == Kind::Null {
                    return Err(refuse(field, "holds a null among its elements"));
                }
                check_value(field, element, buf, &mut see)?;
            }
        } else {
            check_value(field, raw, buf, &mut see)?;
        }
    }
    if field.required && !found {
        return Err(refuse(field, "is required, and missing"));
    }
    Ok(())
}

fn check_value(
    field: &Field,
    raw: Raw<'_>,
    buf: &mut KeyBuf,
    see: &mut Option<See<'_>>,
) -> Result<()> {
    // Any string fits, and needs no key where nobody looks at it.
    let is_text = field.ty.scalar == Scalar::String && raw.kind() == Kind::String;
    if is_text && see.is_none() {
        return Ok(());
    }
    if field.ty.scalar.key(raw, buf) {
        if let Some(see) = see {
            see(buf.as_ref());
        }
        return Ok(());
    }
    Err(refuse(field, format!("is declared {}, found {}", field.ty, excerpt(raw))))
}

/// The beginning of a value, for a message.
fn excerpt(raw: Raw<'_>) -> String {
    const CHARS_MAX: usize = 40;
    let text = String::from_utf8_lossy(raw.bytes());
    match text.char_indices().nth(CHARS_MAX) {
        None => text.into_owned(),
        Some((end, _)) => format!("{}..", &text[..end]),
    }
}

/// In STRICT mode every member leads to a declared field or stands in one.
fn check_members(
    definition: &Definition,
    before: Option<DocRef<'_>>,
    doc: DocRef<'_>,
) -> Result<()> {
    let known: HashMap<&[u8], &[u8]> = before
        .map(|before| before.members().map(|(name, raw)| (name.bytes(), raw.bytes())).collect())
        .unwrap_or_default();
    let all: Vec<&Field> = definition.fields.iter().collect();
    let mut open: Vec<(Raw<'_>, usize, Vec<&Field>, String)> =
        vec![(doc.root(), 0, all, String::new())];
    while let Some((raw, depth, fields, place)) = open.pop() {
        let visit = |step: Step, child: Raw<'_>, place: String| {
            let at = |field: &&&Field| field.path.steps().get(depth) == Some(&step);
            let next: Vec<&Field> = fields.iter().filter(at).copied().collect();
            let declared = next.iter().any(|field| field.path.steps().len() == depth + 1);
            let container = matches!(child.kind(), Kind::Object | Kind::Array);
            if next.is_empty() || (!declared && !container) {
                let what = format!("member {place} is not declared, and the collection is STRICT");
                return Err(Error::new(Code::Schema, what));
            }
            Ok((!declared).then_some((next, place)))
        };
        for (name, child) in raw.members() {
            if depth == 0 && known.get(name.bytes()) == Some(&child.bytes()) {
                continue;
            }
            let name = name.string().expect("a name is a string");
            let dot = if place.is_empty() { "" } else { "." };
            let path = format!("{place}{dot}{name}");
            if let Some((next, place)) = visit(Step::Name(name.as_ref().into()), child, path)? {
                open.push((child, depth + 1, next, place));
            }
        }
        for (at, child) in raw.elements().enumerate() {
            if let Some((next, place)) = visit(Step::Each, child, format!("{place}[{at}]"))? {
                open.push((child, depth + 1, next, place));
            }
        }
    }
    Ok(())
}

/// A number that no double can hold has its place only in a decimal field.
fn check_numbers(definition: &Definition, doc: DocRef<'_>, huge_numbers: &[u32]) -> Result<()> {
    if huge_numbers.is_empty() {
        return Ok(());
    }
    let start = doc.text().as_ptr() as usize;
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for field in definition.fields.iter().filter(|field| field.ty.scalar == Scalar::Decimal) {
        for raw in field.path.values(doc) {
            let from = raw.bytes().as_ptr() as usize - start;
            spans.push((from, from + raw.bytes().len()));
        }
    }
    spans.sort_unstable();
    for &offset in huge_numbers {
        let at = offset as usize;
        let before = spans.partition_point(|(from, _)| *from <= at);
        if before == 0 || at >= spans[before - 1].1 {
            return Err(Error::json(
                at,
                "number outside the range of a double, in a field not declared decimal,",
            ));
        }
    }
    Ok(())
}
