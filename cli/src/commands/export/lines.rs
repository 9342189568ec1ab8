//! Documents as JSON: a line each, or an array of them.

use serde_json::value::RawValue;

use super::pages::{Page, Row};
use super::sink::Sink;
use crate::commands::members::{members, string};
use crate::outcome::Failure;

/// Where ids are written.
pub enum Ids {
    /// As `_id`, unless the member `id` is the id.
    WhereNeeded,
    /// Into a member, unless the document has it.
    Field(String),
    /// Beside the document, with the key.
    WithKeys,
    None,
}

/// Writes documents.
pub struct Lines {
    prefix: String,
    ids: Ids,
    is_array: bool,
    is_first: bool,
}

impl Lines {
    pub fn new(prefix: &str, ids: Ids, is_array: bool) -> Self {
        Self { prefix: prefix.into(), ids, is_array, is_first: true }
    }

    pub fn begin(&mut self, sink: &mut Sink) -> Result<(), Failure> {
        if self.is_array { sink.write(b"[") } else { Ok(()) }
    }

    pub fn write(&mut self, page: &Page, sink: &mut Sink) -> Result<(), Failure> {
        for row in &page.rows {
            let mut text = String::with_capacity(row.text.len() + 32);
            if self.is_array {
                text.push_str(if self.is_first { "\n" } else { ",\n" });
                self.is_first = false;
            }
            self.line(row, &mut text)?;
            if !self.is_array {
                text.push('\n');
            }
            sink.write(text.as_bytes())?;
        }
        Ok(())
    }

    pub fn end(&mut self, sink: &mut Sink) -> Result<(), Failure> {
        if self.is_array { sink.write(b"\n]\n") } else { Ok(()) }
    }

    fn line(&self, row: &Row, text: &mut String) -> Result<(), Failure> {
        let document = &row.text;
        let id = row.key.strip_prefix(&self.prefix).unwrap_or(&row.key);
        let broken =
            |error: serde_json::Error| Failure::Data(format!("document '{}': {error}", row.key));
        match &self.ids {
            Ids::None => text.push_str(document),
            Ids::WithKeys => {
                text.extend(["{\"_key\":", &quoted(&row.key), ",\"_id\":", &quoted(id)]);
                text.extend([",\"_document\":", document, "}"]);
            }
            Ids::Field(name) => {
                let found = members(document, [name.as_str()]).map_err(broken)?.found;
                match found {
                    [Some(_)] => text.push_str(document),
                    [None] => insert(&quoted(name), &quoted(id), document, text),
                }
            }
            Ids::WhereNeeded => match members(document, ["_id", "id"]).map_err(broken)?.found {
                [Some(_), _] => wrap(id, document, text),
                [None, Some(own)] if is_id(own, id) => text.push_str(document),
                [None, _] if is_wrapper(document).map_err(broken)? => wrap(id, document, text),
                [None, _] => insert("\"_id\"", &quoted(id), document, text),
            },
        }
        Ok(())
    }
}

/// Writes a document with one more member before its own ones.
fn insert(name: &str, value: &str, document: &str, text: &mut String) {
    let rest = document.strip_prefix('{').unwrap_or(document);
    let comma = if rest.starts_with('}') { "" } else { "," };
    text.extend(["{", name, ":", value, comma, rest]);
}

/// Writes a document beside its id.
fn wrap(id: &str, document: &str, text: &mut String) {
    text.extend(["{\"_id\":", &quoted(id), ",\"_document\":", document, "}"]);
}

/// Whether a value is the text of an id.
fn is_id(value: &RawValue, id: &str) -> bool {
    string(value.get()).map_or(value.get() == id, |text| text == id)
}

/// Whether a document with `_id` before it would read like one that stands in `_document`.
fn is_wrapper(document: &str) -> serde_json::Result<bool> {
    Ok(members(document, ["_document"])?.found[0].is_some())
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
