//! Values that a document has besides its text: those of its collection's computed fields.
//!
//! ```text
//!   slots    [ slug  <- text.slug | words <- text.tokens ]        of the collection
//!   values   header "ada-l" | header ["ada","l"]                  of the document, one for each slot, in their order
//!            ^ 4 bytes: a length, or that the value is missing, or of what a function said that failed
//! ```
//! They are a part of no text: no reply of a whole document, no effect and no file has them. They are found where a path
//! leads to a computed field or into its value, before the text is asked.

use std::sync::Arc;

use super::DocRef;
use crate::error::{Code, Error};
use crate::function::{Call, Loaded};
use crate::path::{Path, Step};
use crate::value::Raw;

/// A field whose value a function gives.
#[derive(Debug, Clone)]
pub struct Slot {
    /// Where the value is read.
    pub path: Path,
    /// What gives it.
    pub function: Arc<Loaded>,
    /// Whether the declaration in force has the field.
    pub is_declared: bool,
    /// Whether the one that is being built has it.
    pub is_coming: bool,
}

impl Slot {
    /// Whether any declaration has it.
    pub fn is_used(&self) -> bool {
        self.is_declared || self.is_coming
    }
}

/// By which declaration a document is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// By the one in force.
    Declared,
    /// By the one that is being built.
    Coming,
}

/// The computed values of a document.
#[derive(Debug, Clone, Copy)]
pub struct Computed<'a> {
    slots: &'a [Slot],
    values: &'a [u8],
    seen: Seen,
}

/// The value of a computed field.
#[derive(Debug, Clone, Copy)]
pub enum Value<'a> {
    /// It has none.
    Missing,
    /// Its JSON.
    There(Raw<'a>),
    /// What the function said when it failed.
    Failed(&'a str),
}

const MISSING: u32 = u32::MAX;
const FAILED: u32 = 1 << 31;
const HEADER_BYTES: usize = size_of::<u32>();

/// Asks each function that is in use for its value of `doc`, and writes all of them down. One that fails has that for its value.
pub fn compute(slots: &[Slot], doc: DocRef<'_>, is_judging: bool) -> Box<[u8]> {
    let mut values = Vec::new();
    let doc = doc.without_computed();
    for slot in slots {
        if !slot.is_used() {
            values.extend(MISSING.to_le_bytes());
            continue;
        }
        match slot.function.call(&Call { doc, args: &[], is_judging }) {
            Ok(outcome) => match outcome.value {
                Some(value) => push(value.len() as u32, &value, &mut values),
                None => values.extend(MISSING.to_le_bytes()),
            },
            Err(Error { message, .. }) => {
                push(message.len() as u32 | FAILED, message.as_bytes(), &mut values);
            }
        }
    }
    values.into()
}

fn push(header: u32, bytes: &[u8], values: &mut Vec<u8>) {
    values.extend(header.to_le_bytes());
    values.extend(bytes);
}

impl<'a> Computed<'a> {
    /// What [`compute`] gave for these slots, or for the first of them, as the declaration in force sees it.
    pub fn new(slots: &'a [Slot], values: &'a [u8]) -> Self {
        Computed { slots, values, seen: Seen::Declared }
    }

    /// The same, as a declaration sees it.
    #[must_use]
    pub fn seen_by(self, seen: Seen) -> Self {
        Computed { seen, ..self }
    }

    /// The value of the computed field that `path` leads to or into, with the steps that are left; none if it leads to no such field.
    /// O(computed fields).
    pub fn find<'p>(self, path: &'p Path) -> Option<(Value<'a>, &'p [Step])> {
        let is_seen = |slot: &Slot| match self.seen {
            Seen::Declared => slot.is_declared,
            Seen::Coming => slot.is_coming,
        };
        let steps = path.steps();
        let leads = |slot: &&Slot| is_seen(slot) && steps.starts_with(slot.path.steps());
        let (at, slot) = self.slots.iter().enumerate().find(|(_, slot)| leads(slot))?;
        Some((self.value(at), &steps[slot.path.steps().len()..]))
    }

    /// The value of a slot.
    fn value(self, at: usize) -> Value<'a> {
        let mut rest = self.values;
        for place in 0..=at {
            let Some((header, behind)) = rest.split_first_chunk::<HEADER_BYTES>() else { break };
            let header = u32::from_le_bytes(*header);
            let length = if header == MISSING { 0 } else { (header & !FAILED) as usize };
            let Some((bytes, behind)) = behind.split_at_checked(length) else { break };
            if place == at && header != MISSING {
                return if header & FAILED == 0 {
                    Value::There(Raw::new(bytes))
                } else {
                    Value::Failed(std::str::from_utf8(bytes).unwrap_or_default())
                };
            }
            rest = behind;
        }
        Value::Missing
    }
}

impl<'a> DocRef<'a> {
    /// The document with these values besides its text.
    #[must_use]
    pub fn with_computed(self, computed: Option<Computed<'a>>) -> Self {
        DocRef { computed, ..self }
    }

    /// Its text alone.
    #[must_use]
    pub fn without_computed(self) -> Self {
        DocRef { computed: None, ..self }
    }

    /// The same document, as a declaration sees it.
    #[must_use]
    pub fn seen_by(self, seen: Seen) -> Self {
        DocRef { computed: self.computed.map(|computed| computed.seen_by(seen)), ..self }
    }

    /// The value of the computed field that `path` leads to or into, with the steps that are left.
    pub(crate) fn computed(self, path: &Path) -> Option<(Value<'a>, &[Step])> {
        self.computed?.find(path)
    }

    /// Why the computed field at `path` has no value, if its function failed. Code `FUNCTION`.
    pub fn failure(self, path: &Path) -> Option<Error> {
        match self.computed?.find(path)?.0 {
            Value::Failed(message) => Some(Error::new(Code::Function, message)),
            Value::Missing | Value::There(_) => None,
        }
    }
}
