//! What the library's `json` and the prelude reach in Rust.

use std::sync::Arc;

use mlua::{Error, Lua, LuaString, Result, Table, UserDataRef, Value};

use super::document::{Part, Session, find, length, to_lua_whole};
use super::sandbox::handle;
use super::value::Writer;
use crate::value::case::folded;
use crate::value::raw::Kind;

/// Bytes that are folded or written in a step.
const BYTES_PER_STEP: usize = 1 << 10;

/// The functions, by name, for the prelude and the library.
pub(super) fn functions(lua: &Lua, session: &Arc<Session>, array: &Table) -> Result<Table> {
    let host = lua.create_table()?;
    meters(lua, session, &host)?;
    parts(lua, session, &host)?;
    writers(lua, session, array, &host)?;
    host.raw_set("null", Value::NULL)?;
    Ok(host)
}

/// `charge(steps)`, `charge_held(steps)`, `weigh(weight)`.
fn meters(lua: &Lua, session: &Arc<Session>, host: &Table) -> Result<()> {
    let s = Arc::clone(session);
    host.raw_set(
        "charge",
        lua.create_function(move |_, steps: f64| s.meter.charge(steps as u64))?,
    )?;
    let s = Arc::clone(session);
    let charge_held = move |lua: &Lua, steps: f64| s.meter.charge_held(lua, steps as u64);
    host.raw_set("charge_held", lua.create_function(charge_held)?)?;
    let s = Arc::clone(session);
    host.raw_set(
        "weigh",
        lua.create_function(move |_, weight: f64| Ok(s.meter.weigh(weight as u64) as f64))?,
    )?;
    let s = Arc::clone(session);
    let fold = move |lua: &Lua, text: LuaString| {
        let bytes = text.as_bytes();
        s.charge_fold(bytes.len())?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| Error::runtime("fold: the text is not UTF-8"))?;
        lua.create_string(folded(text))
    };
    host.raw_set("fold", lua.create_function(fold)?)
}

/// `has(part, key)`, `is_null(part, key)`, of tables as well.
fn parts(lua: &Lua, session: &Arc<Session>, host: &Table) -> Result<()> {
    let s = Arc::clone(session);
    let has = move |_: &Lua, (holder, key): (Value, Value)| match &holder {
        Value::Table(table) => Ok(!table.raw_get::<Value>(key)?.is_nil()),
        _ => Ok(find(&s, &s.text(), *part(&holder, "has")?, &key)?.is_some()),
    };
    host.raw_set("has", lua.create_function(has)?)?;
    let s = Arc::clone(session);
    let is_null = move |_: &Lua, (holder, key): (Value, Value)| {
        if let Value::Table(table) = &holder {
            return Ok(table.raw_get::<Value>(key)?.is_null());
        }
        let text = s.text();
        let found = find(&s, &text, *part(&holder, "is_null")?, &key)?;
        Ok(found.is_some_and(|found| found.kind() == Kind::Null))
    };
    host.raw_set("is_null", lua.create_function(is_null)?)
}

/// `text(value)`, `text(part, key)`, `array(table)`, `push(array, value)`.
fn writers(lua: &Lua, session: &Arc<Session>, array: &Table, host: &Table) -> Result<()> {
    let (s, mark) = (Arc::clone(session), handle(lua, array)?);
    let text = move |lua: &Lua, (value, key): (Value, Option<Value>)| {
        let text = s.text();
        let written = match key {
            Some(key) if !key.is_nil() => {
                find(&s, &text, *part(&value, "text")?, &key)?.map(|found| found.bytes().to_vec())
            }
            _ => {
                let bytes_max = u64::MAX;
                Writer { session: &s, text: &text, array: &mark, bytes_max }.json(&value)?
            }
        };
        let Some(written) = written else { return Ok(None) };
        s.charge_fold(written.len())?;
        lua.create_string(written).map(Some)
    };
    host.raw_set("text", lua.create_function(text)?)?;
    let mark = handle(lua, array)?;
    let as_array = move |lua: &Lua, table: Table| {
        table.set_metatable(Some(handle(lua, &mark)?))?;
        Ok(table)
    };
    host.raw_set("array", lua.create_function(as_array)?)?;
    let (s, mark) = (Arc::clone(session), handle(lua, array)?);
    let push = move |lua: &Lua, (held, value): (Value, Value)| push(lua, &s, &mark, &held, value);
    host.raw_set("push", lua.create_function(push)?)
}

fn push(lua: &Lua, session: &Session, mark: &Table, held: &Value, value: Value) -> Result<Table> {
    let new = match held {
        Value::Nil => lua.create_table()?,
        Value::Table(table) => {
            let length = table.raw_len();
            session.meter.charge(length as u64)?;
            let new = lua.create_table_with_capacity(length + 1, 0)?;
            for index in 1..=length {
                new.raw_set(index, table.raw_get::<Value>(index)?)?;
            }
            new
        }
        held => {
            let part = *part(held, "push")?;
            let length = length(session, part)?;
            session.meter.charge(length as u64)?;
            let text = session.text();
            let raw = part.raw(&text);
            if raw.kind() != Kind::Array {
                return Err(Error::runtime("push: the first argument is no array"));
            }
            let new = lua.create_table_with_capacity(length + 1, 0)?;
            for (index, element) in raw.elements().enumerate() {
                new.raw_set(index + 1, to_lua_whole(lua, &text, element)?)?;
            }
            new
        }
    };
    if !value.is_nil() {
        new.raw_set(new.raw_len() + 1, value)?;
    }
    new.set_metatable(Some(handle(lua, mark)?))?;
    Ok(new)
}

fn part(value: &Value, function: &str) -> Result<UserDataRef<Part>> {
    let wrong = || Error::runtime(format!("{function}: the first argument is no object or array"));
    match value {
        Value::UserData(part) => part.borrow::<Part>().map_err(|_| wrong()),
        _ => Err(wrong()),
    }
}

impl Session {
    fn charge_fold(&self, bytes: usize) -> Result<()> {
        self.meter.charge((bytes / BYTES_PER_STEP) as u64)
    }
}
