//! MERGE: JSON Merge Patch, RFC 7396, onto the whole document.
//!
//! A member of the patch takes the place of the document's member of that name, an object is merged
//! into it, and null takes it away. Members keep their places; new ones follow in the patch's order.
//! One pass over both texts writes the new one; the objects that are open are on a stack, so nothing
//! recurses. O(bytes of both).

use std::borrow::Cow;
use std::collections::HashMap;

use super::Draft;
use crate::doc::edit::kind_name;
use crate::value::raw::Members;
use crate::value::{Kind, Raw};
use crate::{Code, Error, Result};

/// An object that is being merged.
struct Frame<'a> {
    /// The members of the document's object that are still to come.
    target: Members<'a>,
    /// The patch's members by name; those that the document has are taken out as they are met.
    patch: HashMap<Cow<'a, str>, Raw<'a>>,
    /// The same in the patch's order: what is left of them in `patch` is new.
    order: Members<'a>,
    is_empty: bool,
}

impl<'a> Frame<'a> {
    fn new(target: Raw<'a>, patch: Raw<'a>) -> Self {
        let members = patch.members();
        let patch = members.clone().map(|(name, value)| (decoded(name), value)).collect();
        Frame { target: target.members(), patch, order: members, is_empty: true }
    }

    /// The next member of the result: its name, and its value or what is to be merged into what.
    fn next(&mut self) -> Option<(Raw<'a>, Merged<'a>)> {
        for (name, value) in self.target.by_ref() {
            match self.patch.remove(&decoded(name)) {
                None => return Some((name, Merged::Value(value))),
                Some(patch) if patch.kind() == Kind::Null => {}
                Some(patch) => return Some((name, Merged::of(value, patch))),
            }
        }
        for (name, patch) in self.order.by_ref() {
            let is_new = self.patch.contains_key(&decoded(name));
            if is_new && patch.kind() != Kind::Null {
                return Some((name, Merged::of(Raw::new(b"{}"), patch)));
            }
        }
        None
    }
}

/// What stands in the result.
enum Merged<'a> {
    Value(Raw<'a>),
    Object(Frame<'a>),
}

impl<'a> Merged<'a> {
    /// What `patch`, which is not null, makes of `target`.
    fn of(target: Raw<'a>, patch: Raw<'a>) -> Self {
        if patch.kind() == Kind::Object {
            // Anything but an object counts as an empty one: it has no members.
            Merged::Object(Frame::new(target, patch))
        } else {
            Merged::Value(patch)
        }
    }
}

fn decoded(name: Raw<'_>) -> Cow<'_, str> {
    name.string().expect("a name is a string")
}

/// Merges `patch` into the document.
pub(super) fn merge(draft: &mut Draft<'_>, patch: Raw<'_>) -> Result<()> {
    if patch.kind() != Kind::Object {
        let found = kind_name(patch.kind());
        let what = format!("MERGE takes an object (RFC 7396), found {found}");
        return Err(Error::new(Code::Syntax, what));
    }
    put(draft, patch)
}

/// The same of an object.
pub(super) fn put(draft: &mut Draft<'_>, patch: Raw<'_>) -> Result<()> {
    draft.spend(draft.text.len() + patch.bytes().len())?;
    // Neither text is nested deeper than its limit, and the result than neither.
    draft.text = merged(Raw::new(&draft.text), patch);
    Ok(())
}

/// The text of `target` after an object `patch`.
pub(super) fn merged(target: Raw<'_>, patch: Raw<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(target.bytes().len() + patch.bytes().len());
    let mut open = vec![Frame::new(target, patch)];
    out.push(b'{');
    while let Some(frame) = open.last_mut() {
        let Some((name, member)) = frame.next() else {
            out.push(b'}');
            open.pop();
            continue;
        };
        if !std::mem::replace(&mut frame.is_empty, false) {
            out.push(b',');
        }
        out.extend_from_slice(name.bytes());
        out.push(b':');
        match member {
            Merged::Value(value) => out.extend_from_slice(value.bytes()),
            Merged::Object(inner) => {
                out.push(b'{');
                open.push(inner);
            }
        }
    }
    out
}
