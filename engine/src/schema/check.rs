//! Whether a document keeps to its collection's declaration.
//!
//! A document that Redis itself brought may break it. Writing such a document whole is refused until it is mended; an update is
//! judged by the parts that it changes, so that it can mend one field after the other.

use super::constraint::excerpt;
use super::definition::{Definition, Field, Mode};
use super::strict::check_members;
use super::types::Scalar;
use crate::doc::print;
use crate::doc::timed::TimedPath;
use crate::doc::{DocRef, Document, Parsed, Touched};
use crate::error::{Code, Error, Result};
use crate::limits::Limits;
use crate::value::{Key, KeyBuf, KeyRef, Kind, Raw};

/// Judges a document: whole, or only what it has touched of an old text. `huge_numbers` are the offsets in its text of numbers beyond
/// a double's range: only a decimal field may hold one. Errors: `SCHEMA`, `JSON`.
pub fn check(
    definition: &Definition,
    touched: Option<&Touched<'_>>,
    doc: DocRef<'_>,
    huge_numbers: &[u32],
) -> Result<()> {
    let mut buf = KeyBuf::default();
    let computes = definition.computes();
    for field in in_order(definition) {
        // A function may look at anything.
        let asks = field.asks_functions() || (computes && definition.is_computed(&field.path));
        let is_left = |touched: &Touched<'_>| !asks && touched.leaves(&field.path);
        if !touched.is_some_and(is_left) {
            check_field(field, doc, &mut buf, None)?;
        }
    }
    check_rest(definition, touched.map(Touched::old_text), doc, huge_numbers)
}

/// The fields in the order in which they are judged: those that ask functions last, which may count on the others.
fn in_order(definition: &Definition) -> impl Iterator<Item = &Field> {
    let of = |asks| definition.fields.iter().filter(move |field| field.asks_functions() == asks);
    of(false).chain(of(true))
}

/// Judges what no field alone decides. Errors: `SCHEMA`, `JSON`.
pub fn check_rest(
    definition: &Definition,
    before: Option<DocRef<'_>>,
    doc: DocRef<'_>,
    huge_numbers: &[u32],
) -> Result<()> {
    if definition.mode == Mode::Strict {
        check_members(definition, before, doc)?;
    }
    if let Some(callee) = &definition.validate {
        callee.judge(doc, &[]).map_err(|error| match error.code {
            Code::Schema => Error::new(error.code, format!("the document {}", error.message)),
            _ => error,
        })?;
    }
    check_numbers(definition, doc, huge_numbers)
}

/// Judges a document that is stored already, whole. `doc` is its view under the declaration. Errors: `SCHEMA`, `FUNCTION`, `JSON`.
pub fn check_stored(definition: &Definition, document: &Document, doc: DocRef<'_>) -> Result<()> {
    let mut buf = KeyBuf::default();
    for field in in_order(definition) {
        check_field(field, doc, &mut buf, None)?;
    }
    check_stored_rest(definition, document, doc)
}

/// The same but for the fields, each of which [`check_field`] judges. Errors: `SCHEMA`, `JSON`.
pub fn check_stored_rest(
    definition: &Definition,
    document: &Document,
    doc: DocRef<'_>,
) -> Result<()> {
    let mut parsed = Parsed::default();
    if document.has_huge_numbers() {
        // Where they stand is not kept. What is stored has been in order once.
        parsed.parse(document.text(), &Limits::none())?;
    }
    check_rest(definition, None, doc, parsed.huge_numbers())
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
    if field.computed.is_some() {
        if field.path.first(doc.without_computed()).is_some() {
            return Err(refuse(field, "is COMPUTED, and no document holds it"));
        }
        doc.failure(&field.path).map_or(Ok(()), Err)?;
    }
    let mut found = false;
    for raw in field.path.values(doc) {
        found = true;
        check_found(field, raw, buf, &mut see)?;
    }
    if let Some(callee) = field.validate.as_ref().filter(|_| found) {
        // Asked once, however many values there are: a call has bounds.
        let mut values = Vec::new();
        print::one(doc, &field.path, &mut values);
        callee.judge(doc, &[Raw::new(&values)]).map_err(|error| match error.code {
            Code::Schema => refuse(field, error.message),
            _ => error,
        })?;
    }
    if field.required && !found {
        return Err(refuse(field, "is required, and missing"));
    }
    Ok(())
}

/// Judges what stands at a field's place.
fn check_found(
    field: &Field,
    raw: Raw<'_>,
    buf: &mut KeyBuf,
    see: &mut Option<See<'_>>,
) -> Result<()> {
    if raw.kind() == Kind::Null {
        if !field.nullable {
            return Err(refuse(field, "is null, and not declared NULLABLE"));
        }
        if let (false, Some(see)) = (field.ty.array, see) {
            see(Key::NULL.as_ref());
        }
        return Ok(());
    }
    if !field.ty.array {
        return check_value(field, raw, buf, see);
    }
    if raw.kind() != Kind::Array {
        return Err(refuse(field, format!("is declared {}, found {}", field.ty, excerpt(raw))));
    }
    if let Some(constraints) = &field.constraints {
        constraints.judge_array(raw).map_err(|what| refuse(field, format!("is {what}")))?;
    }
    for element in raw.elements() {
        if element.kind() == Kind::Null {
            return Err(refuse(field, "holds a null among its elements"));
        }
        check_value(field, element, buf, see)?;
    }
    Ok(())
}

/// Judges what a field is given where it is missing. Error: `SCHEMA`.
pub(super) fn check_default(field: &Field) -> Result<()> {
    let default = field.constraints.as_ref().and_then(|constraints| constraints.default.as_ref());
    let Some(default) = default else { return Ok(()) };
    check_found(field, Raw::new(default.as_bytes()), &mut KeyBuf::default(), &mut None)
        .map_err(|Error { message, .. }| Error::new(Code::Schema, format!("DEFAULT: {message}")))
}

/// Whether what is declared IMMUTABLE stays as it is in the document that takes the place of `old`. Error: `SCHEMA`.
pub fn check_immutable(definition: &Definition, old: DocRef<'_>, doc: DocRef<'_>) -> Result<()> {
    let is_immutable = |field: &&Field| {
        field.constraints.as_ref().is_some_and(|constraints| constraints.immutable)
    };
    for field in definition.fields.iter().filter(is_immutable) {
        let mut values = field.path.values(old).map(Raw::bytes).peekable();
        if values.peek().is_some() && !values.eq(field.path.values(doc).map(Raw::bytes)) {
            let Some(found) = field.path.first(old) else { continue };
            let what = format!("is IMMUTABLE, and stays {}", excerpt(found));
            return Err(refuse(field, what));
        }
    }
    Ok(())
}

/// Whether parts of a document may lapse: none is required, stays, or is within a value that has to be one of some. Error:
/// `SCHEMA`.
pub fn check_timed(fields: &[Field], timed: &[TimedPath]) -> Result<()> {
    for field in fields {
        let own = field.path.steps();
        let constraints = field.constraints.as_deref();
        let is_immutable = constraints.is_some_and(|it| it.immutable);
        let is_listed = constraints.is_some_and(|it| !it.values.is_empty());
        let is_around = timed.iter().any(|TimedPath { path, .. }| own.starts_with(path.steps()));
        let is_within = timed.iter().any(|TimedPath { path, .. }| {
            path.steps().len() > own.len() && path.steps().starts_with(own)
        });
        let rule = if field.required && is_around {
            "is required, and cannot have a TTL"
        } else if is_immutable && (is_around || is_within) {
            "is IMMUTABLE, and cannot have a TTL"
        } else if is_listed && is_within {
            "has an ENUM, and no part of it can have a TTL"
        } else {
            continue;
        };
        return Err(refuse(field, rule));
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
    let is_text = field.ty.scalar.takes_any_text() && raw.kind() == Kind::String;
    if !is_text || see.is_some() {
        if !field.ty.scalar.key(raw, buf) {
            let what = format!("is declared {}, found {}", field.ty, excerpt(raw));
            return Err(refuse(field, what));
        }
        if let Some(see) = see {
            see(buf.as_ref());
        }
    }
    let Some(constraints) = &field.constraints else { return Ok(()) };
    let verb = if field.ty.array { "holds" } else { "is" };
    constraints.judge(field.ty, raw, buf).map_err(|what| refuse(field, format!("{verb} {what}")))
}

/// A number that no double can hold has its place only in a decimal field.
fn check_numbers(definition: &Definition, doc: DocRef<'_>, huge_numbers: &[u32]) -> Result<()> {
    if huge_numbers.is_empty() {
        return Ok(());
    }
    let start = doc.text().as_ptr() as usize;
    let mut spans: Vec<(usize, usize)> = Vec::new();
    let doc = doc.without_computed();
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
