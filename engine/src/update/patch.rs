//! PATCH: JSON Patch, RFC 6902, whose places are JSON Pointers, RFC 6901.
//!
//! The changes of a patch apply in order. Unlike the other operations they make no parents, `add`
//! puts an element before the one at its index, and what is to be removed, replaced, moved or copied
//! has to be there. Where a document has something else than a change asks for, the error is `PATH`;
//! where a `test` fails, it is `TEST`; where the patch itself is none, `ERR`.

use std::borrow::Cow;

use super::{Draft, comparison_cost};
use crate::doc::edit::{
    Found, depth_of, expect_depth, find_element, find_member, kind_name, splice, unset,
};
use crate::doc::print::write_string;
use crate::query::excerpt;
use crate::value::{KeyBuf, Kind, Raw};
use crate::{Code, Error, Result};

/// Applies the array `patch`.
pub(super) fn patch(draft: &mut Draft<'_>, patch: Raw<'_>) -> Result<()> {
    if patch.kind() != Kind::Array {
        return Err(malformed(format!(
            "PATCH takes an array of changes (RFC 6902), found {}",
            kind_name(patch.kind())
        )));
    }
    for (at, change) in patch.elements().enumerate() {
        let outcome = draft
            .spend(draft.text.len())
            .and_then(|()| Change::read(change)?.apply(draft))
            .and_then(|()| draft.expect_size());
        outcome.map_err(|error| {
            let message = format!("change {} of PATCH: {}", at + 1, error.message);
            Error { message: message.into(), ..error }
        })?;
    }
    Ok(())
}

fn malformed(what: impl Into<Box<str>>) -> Error {
    Error::new(Code::Syntax, what)
}

fn no_place(what: &str, pointer: &str) -> Error {
    Error::new(Code::Path, format!("{what} at '{}'", excerpt(pointer)))
}

/// One change, with pointers that are well-formed.
struct Change<'a> {
    verb: Verb<'a>,
    path: Cow<'a, str>,
}

enum Verb<'a> {
    Add(Raw<'a>),
    Remove,
    Replace(Raw<'a>),
    Move(Cow<'a, str>),
    Copy(Cow<'a, str>),
    Test(Raw<'a>),
}

impl<'a> Change<'a> {
    /// Members that the RFC does not name say nothing.
    fn read(change: Raw<'a>) -> Result<Self> {
        if change.kind() != Kind::Object {
            let found = kind_name(change.kind());
            return Err(malformed(format!("a change is an object, found {found}")));
        }
        let (mut verb, mut path, mut from, mut value) = (None, None, None, None);
        for (name, member) in change.members() {
            match name.string().expect("a name is a string").as_ref() {
                "op" => verb = member.string(),
                "path" => path = Some(pointer("path", member)?),
                "from" => from = Some(pointer("from", member)?),
                "value" => value = Some(member),
                _ => {}
            }
        }
        let verb = verb.ok_or_else(|| malformed(KNOWN))?;
        let lacks = |what: &str| malformed(format!("{} has no {what}", excerpt(&verb)));
        let value = || value.ok_or_else(|| lacks("value"));
        let read = match verb.as_ref() {
            "add" => Verb::Add(value()?),
            "remove" => Verb::Remove,
            "replace" => Verb::Replace(value()?),
            "move" => Verb::Move(from.ok_or_else(|| lacks("from"))?),
            "copy" => Verb::Copy(from.ok_or_else(|| lacks("from"))?),
            "test" => Verb::Test(value()?),
            other => return Err(malformed(format!("unknown op '{}': {KNOWN}", excerpt(other)))),
        };
        Ok(Change { verb: read, path: path.ok_or_else(|| lacks("path"))? })
    }

    fn apply(&self, draft: &mut Draft<'_>) -> Result<()> {
        let path = self.path.as_ref();
        match &self.verb {
            Verb::Add(value) => add(draft, path, value.bytes()),
            Verb::Remove => remove(draft, path),
            Verb::Replace(value) => replace(draft, path, value.bytes()),
            Verb::Move(from) => relocate(draft, from, path),
            Verb::Copy(from) => {
                let value = draft.text[find(&draft.text, from)?.value].to_vec();
                add(draft, path, &value)
            }
            Verb::Test(value) => test(draft, path, *value),
        }
    }
}

const KNOWN: &str = "op is one of add, remove, replace, move, copy, test";

/// The JSON Pointer that a member is: empty, or tokens that each begin with a slash.
fn pointer<'a>(name: &str, member: Raw<'a>) -> Result<Cow<'a, str>> {
    let Some(text) = member.string() else {
        let found = kind_name(member.kind());
        return Err(malformed(format!("{name} is a JSON Pointer, found {found}")));
    };
    let is_rooted = text.is_empty() || text.starts_with('/');
    let mut escapes = text.split('~').skip(1);
    if is_rooted && escapes.all(|rest| rest.starts_with(['0', '1'])) {
        return Ok(text);
    }
    let what = if is_rooted { "'~' stands before 0 or 1" } else { "it begins with '/'" };
    Err(malformed(format!("{name} '{}' is no JSON Pointer: {what}", excerpt(&text))))
}

/// What a token stands for.
fn unescaped(token: &str) -> Cow<'_, str> {
    if token.contains('~') {
        token.replace("~1", "/").replace("~0", "~").into()
    } else {
        token.into()
    }
}

/// The index that a token is: digits without a zero in front.
fn index_of(token: &str) -> Option<usize> {
    let is_index = token.bytes().all(|byte| byte.is_ascii_digit())
        && (token == "0" || !token.starts_with('0'));
    if is_index { token.parse().ok() } else { None }
}

/// How many containers a value at `pointer` stands in.
fn depth_at(pointer: &str) -> usize {
    pointer.bytes().filter(|byte| *byte == b'/').count()
}

/// Where a token leads from the value at `at`.
enum Step {
    Found(Found),
    /// Nowhere yet: it can be added before the closing bracket at that place.
    Absent(usize),
    Nowhere,
}

fn step(text: &[u8], at: usize, token: &str) -> Step {
    match Raw::new(&text[at..]).kind() {
        Kind::Object => match find_member(text, at, &unescaped(token)) {
            Ok(found) => Step::Found(found),
            Err(close) => Step::Absent(close),
        },
        Kind::Array => {
            // No array has so many elements: the end.
            let index = if token == "-" { Some(usize::MAX) } else { index_of(token) };
            match index.map(|index| (index, find_element(text, at, index))) {
                Some((_, Ok(found))) => Step::Found(found),
                Some((index, Err((close, length)))) if index == length || token == "-" => {
                    Step::Absent(close)
                }
                _ => Step::Nowhere,
            }
        }
        _ => Step::Nowhere,
    }
}

/// The value that `pointer` leads to.
fn find(text: &[u8], pointer: &str) -> Result<Found> {
    let mut found = Found { start: 0, value: 0..text.len() };
    for token in pointer.split('/').skip(1) {
        match step(text, found.value.start, token) {
            Step::Found(inner) => found = inner,
            _ => return Err(no_place("there is nothing", pointer)),
        }
    }
    Ok(found)
}

/// Puts `value` there: a member in place of the one of that name, an element before the one at that
/// index.
fn add(draft: &mut Draft<'_>, pointer: &str, value: &[u8]) -> Result<()> {
    let Some((parent, token)) = pointer.rsplit_once('/') else {
        return replace(draft, pointer, value);
    };
    let parent = find(&draft.text, parent)?.value;
    let depth = depth_at(pointer) + depth_of(value);
    expect_depth(depth, draft.limits, format_args!("'{}'", excerpt(pointer)))?;
    let is_object = draft.text[parent.start] == b'{';
    let (range, added) = match step(&draft.text, parent.start, token) {
        Step::Found(found) if is_object => (found.value, value.to_vec()),
        Step::Found(found) => (found.start..found.start, [value, b","].concat()),
        Step::Absent(close) => {
            let mut added = Vec::with_capacity(value.len() + token.len() + 4);
            if close > parent.start + 1 {
                added.push(b',');
            }
            if is_object {
                write_string(&unescaped(token), &mut added);
                added.push(b':');
            }
            added.extend_from_slice(value);
            (close..close, added)
        }
        Step::Nowhere => return Err(no_place("nothing can be added", pointer)),
    };
    splice(&mut draft.text, range, &added);
    Ok(())
}

fn remove(draft: &mut Draft<'_>, pointer: &str) -> Result<()> {
    if pointer.is_empty() {
        return Err(no_place("the document itself cannot be removed", pointer));
    }
    let found = find(&draft.text, pointer)?;
    unset(&mut draft.text, &found);
    Ok(())
}

fn replace(draft: &mut Draft<'_>, pointer: &str, value: &[u8]) -> Result<()> {
    let kind = Raw::new(value).kind();
    if pointer.is_empty() && kind != Kind::Object {
        let what = format!("a document is an object, found {}", kind_name(kind));
        return Err(no_place(&what, pointer));
    }
    let range = find(&draft.text, pointer)?.value;
    let depth = depth_at(pointer) + depth_of(value);
    expect_depth(depth, draft.limits, format_args!("'{}'", excerpt(pointer)))?;
    splice(&mut draft.text, range, value);
    Ok(())
}

/// Moves a value: it is removed, then added.
fn relocate(draft: &mut Draft<'_>, from: &str, to: &str) -> Result<()> {
    let found = find(&draft.text, from)?;
    if from == to {
        return Ok(());
    }
    if to.strip_prefix(from).is_some_and(|rest| rest.starts_with('/')) {
        return Err(no_place("a value cannot move into itself", to));
    }
    let value = draft.text[found.value.clone()].to_vec();
    draft.spend(draft.text.len())?;
    remove(draft, from)?;
    add(draft, to, &value)
}

/// Fails unless the value there is equal: numbers by value, objects in any order of their members.
fn test(draft: &mut Draft<'_>, pointer: &str, value: Raw<'_>) -> Result<()> {
    let range = find(&draft.text, pointer)?.value;
    let stored = Raw::new(&draft.text[range.clone()]);
    if stored.bytes() == value.bytes() {
        return Ok(());
    }
    if stored.kind() == value.kind() {
        draft.spend(comparison_cost(stored) + comparison_cost(value))?;
        let (mut a, mut b) = (KeyBuf::default(), KeyBuf::default());
        a.set_json(Raw::new(&draft.text[range]));
        b.set_json(value);
        if a.as_ref() == b.as_ref() {
            return Ok(());
        }
    }
    let what = format!("another value than the one tested for at '{}'", excerpt(pointer));
    Err(Error::new(Code::Test, what))
}
