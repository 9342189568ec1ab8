//! Updates: what operations, in order, make of a document.
//!
//! ```text
//!   text --op 1--> text --op 2--> .. text     each on what the one before made; an error gives no text at all
//! ```
//!
//! The operations work on one buffer of text. What they leave alone stays byte for byte. Each costs
//! one pass over the text at most, whatever it does; since a thousand of them on a large document
//! are many passes, [`Spent`] counts the bytes gone through, and [`Limits::update_bytes_max`] ends
//! the whole. Depth and size are judged after each operation, so that no series of them can grow a
//! text first and cut it later.

mod array;
mod call;
mod merge;
mod number;
mod patch;
mod timed;

use std::fmt;

use bigdecimal::{BigDecimal, ToPrimitive};

use crate::doc::edit::{self, Place, find, kind_name, path_error, put};
use crate::doc::print::write_string;
use crate::doc::{DocRef, Parsed};
use crate::function::Functions;
use crate::path::Path;
use crate::query::duration;
use crate::schema::Definition;
use crate::schema::definition::Typing;
use crate::schema::text::instant_text;
use crate::schema::types::Scalar;
use crate::value::{KeyBuf, Kind, Raw};
use crate::{Code, Error, Limits, Result};
use number::Calculation;
use timed::Timed;

/// Minified JSON, as [`crate::doc::parse_value`] gives it.
pub type Json = Box<[u8]>;

/// One operation. Paths are without `[*]`. Where an operation puts a value, what is missing on the
/// way is made: objects for names, and for the index that is an array's length, an element at its
/// end (a missing array has length 0). An operation that only takes away leaves a document as it is
/// where its path leads to nothing.
#[derive(Clone, Debug)]
pub enum Op {
    /// Puts a value.
    Set(Path, Json),
    /// Takes away a member or element.
    Unset(Path),
    /// Adds to a number; what is missing counts as 0.
    Incr(Path, Json),
    /// Multiplies a number; what is missing counts as 0.
    Mul(Path, Json),
    /// Puts a value if it is below the one that is there, or there is none.
    Min(Path, Json),
    /// Puts a value if it is above the one that is there, or there is none.
    Max(Path, Json),
    /// Adds an element at the end of an array, which is made if it is missing.
    Push(Path, Json),
    /// Takes an element out of an array: the last one, or the one at an index, which counts from
    /// the end if it is negative.
    Pop(Path, Option<i64>),
    /// Adds an element at the end of an array that holds no equal one.
    Add(Path, Json),
    /// Takes all equal elements out of an array.
    Pull(Path, Json),
    /// Takes a value from one path to another, in place of what is there.
    Rename(Path, Path),
    /// Turns a boolean over; what is missing counts as false.
    Toggle(Path),
    /// Puts the time of the update, so many nanoseconds later: as text, or as milliseconds since
    /// 1970 under a declared number.
    Now(Path, i128),
    /// Gives what stands at a path a TTL of so many milliseconds from now, or takes it away. An operation on another path
    /// leaves it; so does one that counts on or grows the value. One that puts another value there takes it away.
    Ttl(Path, Option<i64>),
    /// Merges an object into the document (RFC 7396).
    Merge(Json),
    /// Applies a JSON Patch (RFC 6902).
    Patch(Json),
    /// Calls a function with the document and the elements of an array, and merges what it gives, as [`Op::Merge`] does.
    Call(Box<str>, Json),
}

/// The circumstances of an update.
#[derive(Clone, Copy)]
pub struct Scope<'s> {
    /// What the document's collection declares: types govern arithmetic, order and equality.
    pub definition: &'s Definition,
    /// The time, in milliseconds since 1970.
    pub now_ms: i64,
    /// The limits in force.
    pub limits: &'s Limits,
    /// The functions that are loaded, where there are any.
    pub functions: Option<&'s Functions>,
    /// Asked before each call of one: an error ends the update. Many calls may together take longer than a command should.
    pub pace: Option<&'s dyn Fn() -> Result<()>>,
}

/// The nanoseconds of a duration such as `30s`, `-1d 3h` or `PT90M`; a part of one is dropped.
pub fn duration_ns(text: &str) -> Option<i128> {
    let nanos: BigDecimal = duration(text)? * 1_000_000;
    nanos.to_i128()
}

/// What an update makes of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edited {
    /// The minified text.
    pub text: Vec<u8>,
    /// The parts with a TTL, as they are stored.
    pub timed: Vec<u8>,
    /// What the last function replied that was called, if it did.
    pub reply: Option<Vec<u8>>,
}

impl Edited {
    /// Reads it as a document. Errors: as of [`Parsed::parse`].
    pub fn parse(&self, parsed: &mut Parsed, limits: &Limits) -> Result<()> {
        parsed.parse(&self.text, limits)?;
        parsed.set_timed(&self.timed);
        Ok(())
    }
}

/// What `ops`, applied in order, make of `doc`.
///
/// Errors name the operation by its number, from 1: `PATH` where a path holds `[*]`, or the document
/// has something else there than the operation works on, or nothing that a TTL could be of; `OVERFLOW` where a number leaves its type;
/// `SCHEMA` where MIN or MAX compare with a value that is not of the declared type; `TEST` where a
/// JSON Patch tests for another value; `FUNCTION` where CALL fails; `TOOBIG` where the document would be nested or long beyond
/// its limits; `LIMITED` where all of them together go through too many bytes; `ERR` where an
/// operand is not what the operation takes.
pub fn apply(doc: DocRef<'_>, ops: &[Op], scope: &Scope<'_>) -> Result<Edited> {
    apply_counted(doc, ops, scope, &mut Spent::default())
        .map_err(|(at, error)| numbered(at + 1, error))
}

/// The same for one of several updates that a command makes, which go through no more bytes together. An error comes with the
/// place of its operation.
pub fn apply_counted(
    doc: DocRef<'_>,
    ops: &[Op],
    scope: &Scope<'_>,
    spent: &mut Spent,
) -> Result<Edited, (usize, Error)> {
    let (text, timed) = (doc.text().to_vec(), Timed::of(doc));
    let mut draft = Draft { origin: doc, text, timed, reply: None, limits: scope.limits, spent };
    for (at, op) in ops.iter().enumerate() {
        draft.operate(op, scope).map_err(|error| (at, error))?;
    }
    draft.settle().map_err(|error| (ops.len().saturating_sub(1), error))?;
    Ok(Edited { timed: draft.timed.write(), text: draft.text, reply: draft.reply })
}

/// The bytes that the updates of one command have gone through.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spent(usize);

impl Spent {
    /// Counts bytes that are gone through. Error: `LIMITED`.
    pub fn spend(&mut self, bytes: usize, limits: &Limits) -> Result<()> {
        self.0 = self.0.saturating_add(bytes);
        let most = limits.update_bytes_max;
        if self.0 <= most {
            return Ok(());
        }
        let what = format!(
            "the command goes through more than {most} bytes of documents (folio.update-bytes-max): split it"
        );
        Err(Error::new(Code::Limited, what))
    }
}

/// The error of the operation with that number.
pub fn numbered(number: usize, error: Error) -> Error {
    Error { message: format!("operation {number}: {}", error.message).into(), ..error }
}

/// A document's text on its way to what it will be.
struct Draft<'l> {
    /// What it begins as.
    origin: DocRef<'l>,
    text: Vec<u8>,
    timed: Timed,
    /// What the last function replied.
    reply: Option<Vec<u8>>,
    limits: &'l Limits,
    spent: &'l mut Spent,
}

impl Draft<'_> {
    fn operate(&mut self, op: &Op, scope: &Scope<'_>) -> Result<()> {
        self.spend(self.text.len())?;
        let before = self.before(op)?;
        op.apply(self, scope)?;
        self.carry(op, &before)?;
        self.expect_size()
    }

    /// Counts bytes that are gone through. Error: `LIMITED`.
    fn spend(&mut self, bytes: usize) -> Result<()> {
        self.spent.spend(bytes, self.limits)
    }

    /// Error: `TOOBIG`.
    fn expect_size(&self) -> Result<()> {
        let (length, most) = (self.text.len(), self.limits.document_bytes_max);
        if length <= most {
            return Ok(());
        }
        let what = format!(
            "a document of {length} bytes exceeds the limit of {most} bytes (folio.document-bytes-max)"
        );
        Err(Error::new(Code::TooBig, what))
    }

    /// Where `path` leads.
    fn find(&self, path: &Path) -> Place {
        find(&self.text, path)
    }

    fn put(&mut self, path: &Path, place: Place, value: &[u8]) -> Result<()> {
        put(&mut self.text, path, place, value, self.limits)
    }

    /// The value that `place` is, if there is one.
    fn value(&self, place: &Place) -> Option<Raw<'_>> {
        match place {
            Place::Found(found) => Some(Raw::new(&self.text[found.value.clone()])),
            _ => None,
        }
    }
}

impl Op {
    /// The path that it works on; of two, the first. None if it works on the whole document.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Op::Set(path, _)
            | Op::Unset(path)
            | Op::Incr(path, _)
            | Op::Mul(path, _)
            | Op::Min(path, _)
            | Op::Max(path, _)
            | Op::Push(path, _)
            | Op::Pop(path, _)
            | Op::Add(path, _)
            | Op::Pull(path, _)
            | Op::Rename(path, _)
            | Op::Toggle(path)
            | Op::Now(path, _)
            | Op::Ttl(path, _) => Some(path),
            Op::Merge(_) | Op::Patch(_) | Op::Call(..) => None,
        }
    }

    fn apply(&self, draft: &mut Draft<'_>, scope: &Scope<'_>) -> Result<()> {
        if let Some(path) = self.path() {
            expect_single(path)?;
        }
        match self {
            Op::Set(path, value) => draft.put(path, draft.find(path), value),
            Op::Unset(path) => {
                if let Place::Found(found) = draft.find(path) {
                    edit::unset(&mut draft.text, &found);
                }
                Ok(())
            }
            Op::Incr(path, by) => number::calculate(draft, path, by, Calculation::Incr, scope),
            Op::Mul(path, by) => number::calculate(draft, path, by, Calculation::Mul, scope),
            Op::Min(path, value) => extreme(draft, path, value, "MIN", scope),
            Op::Max(path, value) => extreme(draft, path, value, "MAX", scope),
            Op::Push(path, value) => array::push(draft, path, value),
            Op::Pop(path, index) => array::pop(draft, path, *index),
            Op::Add(path, value) => array::add(draft, path, value, scope.definition),
            Op::Pull(path, value) => array::pull(draft, path, value, scope.definition),
            Op::Rename(from, to) => rename(draft, from, to),
            Op::Toggle(path) => toggle(draft, path),
            Op::Now(path, after_ns) => now(draft, path, *after_ns, scope),
            Op::Ttl(path, after_ms) => draft.set_ttl(path, *after_ms, scope.now_ms),
            Op::Merge(patch) => merge::merge(draft, Raw::new(patch)),
            Op::Patch(patch) => patch::patch(draft, Raw::new(patch)),
            Op::Call(name, args) => call::call(draft, name, Raw::new(args), scope),
        }
    }
}

fn expect_single(path: &Path) -> Result<()> {
    if path.is_multi() {
        return Err(path_error(path, "a change needs a path without [*]"));
    }
    Ok(())
}

/// The type under which a value at `path` is compared.
fn scalar_at(definition: &Definition, path: &Path) -> Scalar {
    match definition.typing(path) {
        Typing::Scalar(scalar) => scalar,
        Typing::Array(_) | Typing::Undeclared => Scalar::Json,
    }
}

/// What making a value's key costs, in bytes gone through.
fn comparison_cost(value: Raw<'_>) -> usize {
    value.bytes().len() * comparison_weight(value.kind())
}

/// How many times dearer it is to make a key of a value than to pass over it: one of a container is put together of many.
fn comparison_weight(kind: Kind) -> usize {
    match kind {
        Kind::Array | Kind::Object => 32,
        _ => 8,
    }
}

/// The error that something else stands there than `verb` works on.
fn needs(verb: impl fmt::Display, what: &str, found: Raw<'_>, path: &Path) -> Error {
    path_error(path, &format!("{verb} needs {what}, found {}", kind_name(found.kind())))
}

/// MIN and MAX.
fn extreme(
    draft: &mut Draft<'_>,
    path: &Path,
    value: &[u8],
    verb: &str,
    scope: &Scope<'_>,
) -> Result<()> {
    let scalar = scalar_at(scope.definition, path);
    let (mut wanted, mut stored) = (KeyBuf::default(), KeyBuf::default());
    if !scalar.key(Raw::new(value), &mut wanted) && scalar != Scalar::Json {
        let what = format!("{verb} takes a value of the type {} at path {path}", scalar.name());
        return Err(Error::new(Code::Schema, what));
    }
    let place = draft.find(path);
    let cost = draft.value(&place).map_or(0, comparison_cost);
    draft.spend(cost + comparison_cost(Raw::new(value)))?;
    if let Some(raw) = draft.value(&place) {
        scalar.key(raw, &mut stored);
        let (wanted, stored) = (wanted.as_ref(), stored.as_ref());
        let is_beyond = if verb == "MIN" { wanted < stored } else { wanted > stored };
        if !is_beyond {
            return Ok(());
        }
    }
    draft.put(path, place, value)
}

fn rename(draft: &mut Draft<'_>, from: &Path, to: &Path) -> Result<()> {
    expect_single(to)?;
    let Place::Found(found) = draft.find(from) else { return Ok(()) };
    if from == to {
        return Ok(());
    }
    if to.steps().starts_with(from.steps()) {
        return Err(path_error(to, &format!("{from} cannot move into itself")));
    }
    let value = draft.text[found.value.clone()].to_vec();
    draft.spend(2 * draft.text.len())?;
    edit::unset(&mut draft.text, &found);
    draft.put(to, draft.find(to), &value)
}

fn toggle(draft: &mut Draft<'_>, path: &Path) -> Result<()> {
    let place = draft.find(path);
    let stored = draft.value(&place);
    if let Some(other) = stored.filter(|raw| raw.kind() != Kind::Bool) {
        return Err(needs("TOGGLE", "a boolean", other, path));
    }
    let is_true = stored.is_some_and(|raw| raw.bytes() == b"true");
    draft.put(path, place, if is_true { b"false" } else { b"true" })
}

fn now(draft: &mut Draft<'_>, path: &Path, after_ns: i128, scope: &Scope<'_>) -> Result<()> {
    const NANOS_IN_MILLI: i128 = 1_000_000;
    let nanos = (i128::from(scope.now_ms) * NANOS_IN_MILLI).checked_add(after_ns);
    let told = nanos.and_then(|nanos| Some((nanos, instant_text(nanos)?)));
    let Some((nanos, text)) = told else {
        let what = format!("NOW is beyond the years 0000 to 9999 at path {path}");
        return Err(Error::new(Code::Overflow, what));
    };
    let value = match scalar_at(scope.definition, path) {
        Scalar::Int | Scalar::Float | Scalar::Decimal => {
            nanos.div_euclid(NANOS_IN_MILLI).to_string().into_bytes()
        }
        _ => {
            let mut quoted = Vec::with_capacity(text.len() + 2);
            write_string(&text, &mut quoted);
            quoted
        }
    };
    draft.put(path, draft.find(path), &value)
}

#[cfg(test)]
mod merge_tests;
#[cfg(test)]
mod patch_tests;
#[cfg(test)]
mod sequence_tests;
#[cfg(test)]
#[path = "update_tests.rs"]
mod tests;
#[cfg(test)]
mod timed_tests;
