//! From Lua values to JSON text.

use mlua::{Error, Result, Table, Value};

use super::document::{INTEGER_MAX, Part, Session};
use crate::doc::print::write_string;
use crate::value::Number;

/// Levels of a value; more are a cycle.
const DEPTH_MAX: usize = 128;
/// 16 MiB of text, whatever the bound on bytes.
const TEXT_BYTES_MAX: usize = 16 << 20;
/// Bytes that are put in order in a step.
const BYTES_PER_STEP: usize = 16 << 10;

/// Writes values as JSON.
pub(super) struct Writer<'s> {
    pub(super) session: &'s Session,
    /// The session's text.
    pub(super) text: &'s [u8],
    /// The metatable of tables that are arrays.
    pub(super) array: &'s Table,
    pub(super) bytes_max: u64,
}

/// A member that is written: its name, and where.
struct Member {
    name: Vec<u8>,
    start: usize,
    end: usize,
}

impl Writer<'_> {
    /// The JSON of `value`; none of nil. Members stand in the order of their names' bytes.
    pub(super) fn json(&self, value: &Value) -> Result<Option<Vec<u8>>> {
        if value.is_nil() {
            return Ok(None);
        }
        let mut out = Vec::new();
        self.write(value, 0, &mut out)?;
        Ok(Some(out))
    }

    fn write(&self, value: &Value, depth: usize, out: &mut Vec<u8>) -> Result<()> {
        match value {
            Value::Boolean(true) => out.extend(b"true"),
            Value::Boolean(false) => out.extend(b"false"),
            Value::Integer(value) => write_number(*value as f64, out)?,
            Value::Number(value) => write_number(*value, out)?,
            Value::String(text) => write_text(&text.as_bytes(), out)?,
            Value::Table(table) => self.table(table, depth + 1, out)?,
            Value::UserData(part) => match part.borrow::<Part>() {
                Ok(part) => out.extend_from_slice(part.raw(self.text).bytes()),
                Err(_) => return Err(Error::runtime("this userdata is no JSON value")),
            },
            value if value.is_null() => out.extend(b"null"),
            value => {
                return Err(Error::runtime(format!("a {} is no JSON value", value.type_name())));
            }
        }
        let most = self.bytes_max.min(TEXT_BYTES_MAX as u64);
        if out.len() as u64 > most {
            return Err(Error::runtime(format!("the value has more than {most} bytes of JSON")));
        }
        Ok(())
    }

    fn table(&self, table: &Table, depth: usize, out: &mut Vec<u8>) -> Result<()> {
        if depth > DEPTH_MAX {
            return Err(Error::runtime(format!(
                "the value has more than {DEPTH_MAX} levels, or holds itself"
            )));
        }
        self.session.meter.charge(1)?;
        let length = table.raw_len();
        let is_array = length > 0 || table.metatable().is_some_and(|found| found == *self.array);
        if is_array {
            self.elements(table, length, depth, out)
        } else {
            self.members(table, depth, out)
        }
    }

    fn elements(
        &self,
        table: &Table,
        length: usize,
        depth: usize,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let mut count = 0;
        table.for_each(|key: Value, _: Value| {
            count += 1;
            let is_within = match key {
                Value::Integer(key) => (1..=length as i64).contains(&key),
                Value::Number(key) => key.fract() == 0.0 && (1.0..=length as f64).contains(&key),
                _ => false,
            };
            if is_within { Ok(()) } else { Err(keys()) }
        })?;
        if count != length {
            return Err(keys());
        }
        out.push(b'[');
        for index in 1..=length {
            if index > 1 {
                out.push(b',');
            }
            self.write(&table.raw_get(index)?, depth, out)?;
        }
        out.push(b']');
        Ok(())
    }

    fn members(&self, table: &Table, depth: usize, out: &mut Vec<u8>) -> Result<()> {
        let begin = out.len();
        out.push(b'{');
        let mut members: Vec<Member> = Vec::new();
        table.for_each(|key: Value, value: Value| {
            let Value::String(name) = key else { return Err(keys()) };
            let name = name.as_bytes().to_vec();
            let start = out.len();
            write_text(&name, out)?;
            out.push(b':');
            self.write(&value, depth, out)?;
            members.push(Member { name, start, end: out.len() });
            out.push(b',');
            Ok(())
        })?;
        if members.is_empty() {
            out.push(b'}');
            return Ok(());
        }
        if members.is_sorted_by(|a, b| a.name < b.name) {
            out.pop();
            out.push(b'}');
            return Ok(());
        }
        self.session.meter.charge(((out.len() - begin) / BYTES_PER_STEP) as u64)?;
        members.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let written = out.split_off(begin);
        for (index, member) in members.iter().enumerate() {
            out.push(if index == 0 { b'{' } else { b',' });
            out.extend_from_slice(&written[member.start - begin..member.end - begin]);
        }
        out.push(b'}');
        Ok(())
    }
}

fn keys() -> Error {
    Error::runtime("a table is JSON if its keys are 1, 2, .. without a gap, or all texts")
}

fn write_text(bytes: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let text = std::str::from_utf8(bytes).map_err(|_| Error::runtime("a text is not UTF-8"))?;
    write_string(text, out);
    Ok(())
}

fn write_number(value: f64, out: &mut Vec<u8>) -> Result<()> {
    if !value.is_finite() {
        let name = if value.is_nan() { "nan" } else { "infinity" };
        return Err(Error::runtime(format!("{name} is no JSON number")));
    }
    let is_safe = value.abs() <= INTEGER_MAX as f64 && value.fract() == 0.0;
    let number = if is_safe { Number::Int(value as i64) } else { Number::Float(value) };
    out.extend_from_slice(number.to_string().as_bytes());
    Ok(())
}
