//! What the server itself puts into a document that is written: DEFAULT, AUTO NOW and AUTO UPDATED.
//!
//! A primary decides it before the write is judged, so that replicas and files get values, not rules.

use super::constraint::Auto;
use super::definition::{Definition, Field};
use super::text::instant_text;
use crate::doc::edit::{self, Place, find};
use crate::doc::print::write_string;
use crate::doc::{DocRef, Document, Parsed};
use crate::error::Result;
use crate::limits::Limits;
use crate::value::Raw;

/// A write that is to be filled in.
#[derive(Debug, Clone, Copy)]
pub struct Fill<'f> {
    /// The document that stands there.
    pub old: Option<&'f Document>,
    /// Whether the whole document was written, so that what is missing takes its default.
    pub whole: bool,
    /// The clock, in milliseconds since 1970.
    pub now_ms: i64,
}

impl Fill<'_> {
    /// The document as it is to be written; none where nothing is to be put into it. Error: `TOOBIG`.
    pub fn fill(
        self,
        definition: &Definition,
        parsed: &Parsed,
        limits: &Limits,
    ) -> Result<Option<Parsed>> {
        let constrained = |field: &&Field| field.constraints.is_some();
        let fields: Vec<&Field> = definition.fields.iter().filter(constrained).collect();
        if fields.is_empty() {
            return Ok(None);
        }
        let doc = parsed.view();
        let values = fields.iter().filter_map(|field| Some((*field, self.value_of(field, doc)?)));
        let filled = put(doc, &values.collect::<Vec<_>>(), limits)?;
        let whole = filled.as_ref().unwrap_or(parsed);
        if self.old.is_some_and(|old| old.view().is_same(whole.view())) {
            return Ok(filled);
        }
        let updated = fields.iter().filter(|field| field.auto() == Some(Auto::Updated));
        let values = updated.map(|field| (*field, json_of(self.now_ms)));
        Ok(put(whole.view(), &values.collect::<Vec<_>>(), limits)?.or(filled))
    }

    /// What a field is given, as if nothing else had changed; none where it has it.
    fn value_of(&self, field: &Field, doc: DocRef<'_>) -> Option<String> {
        let constraints = field.constraints.as_deref()?;
        let given = field.path.first(doc);
        let value = match constraints.auto {
            None => {
                let is_asked = self.whole || self.old.is_none();
                let default = constraints.default.as_deref().filter(|_| is_asked);
                return default.filter(|_| given.is_none()).map(Into::into);
            }
            Some(auto) => {
                let kept = self.old.and_then(|old| field.path.first(old.view()));
                let kept = kept.map(|raw| String::from_utf8_lossy(raw.bytes()).into_owned());
                kept.unwrap_or_else(|| {
                    let born_ms = self.old.map_or(self.now_ms, Document::created_ms);
                    json_of(if auto == Auto::Now { born_ms } else { self.now_ms })
                })
            }
        };
        (given.map(Raw::bytes) != Some(value.as_bytes())).then_some(value)
    }
}

/// The document with these values; none where there are none.
fn put(doc: DocRef<'_>, values: &[(&Field, String)], limits: &Limits) -> Result<Option<Parsed>> {
    if values.is_empty() {
        return Ok(None);
    }
    let mut text = doc.text().to_vec();
    for (field, value) in values {
        let place = find(&text, &field.path);
        if matches!(place, Place::Blocked { .. }) {
            // Its parent is there and is no object. Where the field has to be there, the write is refused for that.
            continue;
        }
        edit::put(&mut text, &field.path, place, value.as_bytes(), limits)?;
    }
    let mut parsed = Parsed::default();
    parsed.parse(&text, limits)?;
    parsed.set_timed(doc.timed());
    Ok(Some(parsed))
}

/// An instant as JSON: RFC 3339 text.
fn json_of(at_ms: i64) -> String {
    let Some(text) = instant_text(i128::from(at_ms) * 1_000_000) else { return at_ms.to_string() };
    let mut json = Vec::new();
    write_string(&text, &mut json);
    String::from_utf8_lossy(&json).into_owned()
}

#[cfg(test)]
#[path = "fill_tests.rs"]
mod tests;
