//! What a function sees of a document: a part is a range of its text, read as it is asked for.
//!
//! ```text
//!   {"title":"A","tags":["x","y"]}<arguments that are objects or arrays>
//!                       ^part----^
//! ```
//! The text is copied once a call into a buffer that every call uses again, so a part is two numbers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mlua::{
    Error, Function, Lua, MetaMethod, Result, UserDataFields, UserDataMethods, UserDataRef,
    UserDataRefMut, Value,
};

use super::meter::Meter;
use crate::value::Number;
use crate::value::raw::{Kind, Raw, value_end};

/// Bytes that are walked in a step.
const BYTES_PER_STEP: usize = 4 << 10;
/// From here on not every integer is a double.
pub(super) const INTEGER_MAX: i64 = 1 << 53;

/// What the callbacks of a state share.
#[derive(Debug, Default)]
pub(super) struct Session {
    pub(super) meter: Meter,
    text: Mutex<Vec<u8>>,
}

impl Session {
    /// The texts of the call.
    pub(super) fn text(&self) -> MutexGuard<'_, Vec<u8>> {
        self.text.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Steps for a walk over so many bytes.
    pub(super) fn charge_walk(&self, bytes: usize) -> Result<()> {
        self.meter.charge(1 + (bytes / BYTES_PER_STEP) as u64)
    }
}

/// An object or array of the session's text, or another value that Lua has none for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Part {
    /// Its text.
    pub(super) fn raw(self, text: &[u8]) -> Raw<'_> {
        Raw::new(&text[self.start..self.end])
    }

    /// The part that `raw`, a slice of `text`, is.
    fn of(text: &[u8], raw: Raw<'_>) -> Part {
        let start = raw.bytes().as_ptr() as usize - text.as_ptr() as usize;
        Part { start, end: start + raw.bytes().len() }
    }
}

/// Where a loop over a part stands.
struct Cursor {
    at: usize,
    end: usize,
    index: i64,
    is_object: bool,
}

/// What `part[key]` is in the text.
pub(super) fn find<'t>(
    session: &Session,
    text: &'t [u8],
    part: Part,
    key: &Value,
) -> Result<Option<Raw<'t>>> {
    let raw = part.raw(text);
    let found = match (raw.kind(), key) {
        (Kind::Object, Value::String(name)) => match std::str::from_utf8(&name.as_bytes()) {
            Ok(name) => {
                raw.members().find(|(found, _)| found.name_is(name)).map(|(_, value)| value)
            }
            Err(_) => None,
        },
        (Kind::Array, Value::Integer(index)) => element(raw, *index),
        (Kind::Array, Value::Number(index)) if index.fract() == 0.0 => element(raw, *index as i64),
        _ => None,
    };
    let walked_to = found.map_or(part.end, |found| Part::of(text, found).end);
    session.charge_walk(walked_to - part.start)?;
    Ok(found)
}

fn element(raw: Raw<'_>, index: i64) -> Option<Raw<'_>> {
    let before = usize::try_from(index.checked_sub(1)?).ok()?;
    raw.elements().nth(before)
}

/// The Lua value of `raw`, a slice of `text`. `name` says what it is in an error.
pub(super) fn to_lua(
    lua: &Lua,
    text: &[u8],
    raw: Raw<'_>,
    name: impl FnOnce() -> String,
) -> Result<Value> {
    Ok(match raw.kind() {
        Kind::Null => Value::Nil,
        Kind::Bool => Value::Boolean(raw.bytes() == b"true"),
        Kind::Number => match double(raw.bytes()) {
            Some(number) => Value::Number(number),
            None => return Err(beyond(raw, &name())),
        },
        Kind::String => {
            let characters = raw.characters().unwrap_or_default();
            Value::String(lua.create_string(&*characters)?)
        }
        Kind::Array | Kind::Object => {
            Value::UserData(lua.create_any_userdata(Part::of(text, raw))?)
        }
    })
}

/// The same, but never an error and never nil: `null` is the global, a number that Lua lacks stays a part.
pub(super) fn to_lua_whole(lua: &Lua, text: &[u8], raw: Raw<'_>) -> Result<Value> {
    match raw.kind() {
        Kind::Null => Ok(Value::NULL),
        Kind::Number if double(raw.bytes()).is_none() => {
            Ok(Value::UserData(lua.create_any_userdata(Part::of(text, raw))?))
        }
        _ => to_lua(lua, text, raw, String::new),
    }
}

/// The double of a number; none for an integer that is no safe one.
fn double(text: &[u8]) -> Option<f64> {
    match Number::parse(text)? {
        Number::Int(value) => (value.abs() <= INTEGER_MAX).then_some(value as f64),
        Number::UInt(_) => None,
        Number::Float(value) => {
            let is_integer = !text.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E'));
            (!is_integer).then_some(value)
        }
    }
}

fn beyond(raw: Raw<'_>, name: &str) -> Error {
    const SHOWN_BYTES: usize = 40;
    let bytes = raw.bytes();
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN_BYTES)]);
    let dots = if bytes.len() > SHOWN_BYTES { ".." } else { "" };
    Error::runtime(format!(
        "{name} is {shown}{dots}, beyond what Lua's numbers hold: json.text gives its text"
    ))
}

fn shown(key: &Value) -> String {
    match key {
        Value::String(name) => name.to_string_lossy(),
        Value::Integer(index) => format!("element {index}"),
        Value::Number(index) => format!("element {index}"),
        _ => "the value".to_owned(),
    }
}

/// Makes parts known to a state.
pub(super) fn register(lua: &Lua, session: &Arc<Session>) -> Result<()> {
    const ADVANCE: &str = "folio.advance";
    let own = Arc::clone(session);
    let advance = lua.create_function(move |lua, mut cursor: UserDataRefMut<Cursor>| {
        next(lua, &own, &mut cursor)
    })?;
    lua.set_named_registry_value(ADVANCE, advance)?;
    lua.register_userdata_type::<Cursor>(|_| {})?;
    let (s1, s2, s3, s4) =
        (Arc::clone(session), Arc::clone(session), Arc::clone(session), Arc::clone(session));
    lua.register_userdata_type::<Part>(|part| {
        part.add_meta_field("__type", "document");
        part.add_meta_method(MetaMethod::Index, move |lua, part, key: Value| {
            let text = s1.text();
            match find(&s1, &text, *part, &key)? {
                Some(found) => to_lua(lua, &text, found, || shown(&key)),
                None => Ok(Value::Nil),
            }
        });
        part.add_meta_method(MetaMethod::NewIndex, |_, _, _: (Value, Value)| -> Result<()> {
            Err(Error::runtime("the document cannot be changed"))
        });
        part.add_meta_method(MetaMethod::Len, move |_, part, ()| length(&s2, *part));
        part.add_meta_function(
            MetaMethod::Eq,
            move |_, (a, b): (UserDataRef<Part>, UserDataRef<Part>)| {
                let text = s3.text();
                s3.charge_walk(a.end - a.start)?;
                Ok(a.raw(&text).bytes() == b.raw(&text).bytes())
            },
        );
        part.add_meta_method(MetaMethod::Iter, move |lua, part, ()| {
            let kind = part.raw(&s4.text()).kind();
            if !matches!(kind, Kind::Array | Kind::Object) {
                return Err(Error::runtime("there is nothing in a number to iterate over"));
            }
            let is_object = kind == Kind::Object;
            let cursor = Cursor { at: part.start + 1, end: part.end - 1, index: 0, is_object };
            let advance: Function = lua.named_registry_value(ADVANCE)?;
            Ok((advance, lua.create_any_userdata(cursor)?))
        });
    })
}

/// Elements of an array, members of an object.
pub(super) fn length(session: &Session, part: Part) -> Result<usize> {
    let text = session.text();
    session.charge_walk(part.end - part.start)?;
    let raw = part.raw(&text);
    Ok(if raw.kind() == Kind::Object { raw.members().count() } else { raw.elements().count() })
}

/// The next name or index, and its value.
fn next(lua: &Lua, session: &Session, cursor: &mut Cursor) -> Result<(Value, Value)> {
    if cursor.at >= cursor.end {
        return Ok((Value::Nil, Value::Nil));
    }
    let text = session.text();
    let start = cursor.at;
    let mut take = || {
        let from = cursor.at;
        let end = value_end(&text, from);
        cursor.at = end + 1;
        Raw::new(&text[from..end])
    };
    let name = if cursor.is_object { Some(take()) } else { None };
    let value = take();
    session.charge_walk(cursor.at - start)?;
    cursor.index += 1;
    let key = match name {
        Some(name) => to_lua(lua, &text, name, String::new)?,
        None => Value::Number(cursor.index as f64),
    };
    let value = to_lua(lua, &text, value, || shown(&key))?;
    Ok((key, value))
}
