//! Documents as CSV.

use std::collections::HashMap;

use serde_json::Value as Json;

use super::pages::{Page, Row};
use super::sink::Sink;
use crate::commands::members::{entries, string};
use crate::outcome::Failure;

/// What the first column holds.
pub enum Ids {
    /// `_id`: the id in the key.
    Key,
    /// A member of the document, or the id in the key if it has none of that name.
    Field(String),
    /// What the other ones do.
    None,
}

impl Ids {
    /// What the column is called.
    fn name(&self) -> Option<&str> {
        match self {
            Self::Key => Some("_id"),
            Self::Field(name) => Some(name),
            Self::None => None,
        }
    }
}

/// Writes records.
pub struct Table {
    prefix: String,
    ids: Ids,
    columns: Vec<String>,
    /// Where a member stands.
    places: HashMap<String, usize>,
    /// Whether members are named by paths.
    selects: bool,
    /// How many values have no column.
    pub left_out: u64,
}

impl Table {
    /// Columns are what is selected, else what is declared and what the first documents have.
    pub fn new(
        prefix: &str,
        ids: Ids,
        selected: &[String],
        definition: &Json,
        first: &Page,
    ) -> Result<Self, Failure> {
        let selects = !selected.is_empty();
        let mut columns: Vec<String> = Vec::new();
        let mut add = |name: &str| {
            if Some(name) != ids.name() && !columns.iter().any(|column| column == name) {
                columns.push(name.into());
            }
        };
        for path in selected {
            add(plain(path));
        }
        if !selects {
            let fields = definition["fields"].as_array().into_iter().flatten();
            for path in fields.filter_map(|field| field["path"].as_str()) {
                add(path.split('.').next().unwrap_or(path).trim_matches('`'));
            }
            for row in &first.rows {
                members(row)?.iter().for_each(|(name, _)| add(name));
            }
        }
        let places = columns.iter().enumerate().map(|(place, name)| (name.clone(), place));
        let places = places.collect();
        Ok(Self { prefix: prefix.into(), ids, columns, places, selects, left_out: 0 })
    }

    pub fn begin(&mut self, sink: &mut Sink) -> Result<(), Failure> {
        let names = self.ids.name().into_iter().chain(self.columns.iter().map(String::as_str));
        sink.write(&record(names)?)
    }

    pub fn write(&mut self, page: &Page, sink: &mut Sink) -> Result<(), Failure> {
        for row in &page.rows {
            let mut values = vec![String::new(); self.columns.len()];
            let mut id = row.key.strip_prefix(&self.prefix).unwrap_or(&row.key).to_owned();
            for (name, value) in members(row)? {
                let value = string(value.get()).unwrap_or_else(|| value.get().to_owned());
                let name = if self.selects { plain(&name) } else { &name };
                match (self.places.get(name), &self.ids) {
                    (Some(place), _) => values[*place] = value,
                    (None, Ids::Field(field)) if field == name => id = value,
                    // Nothing is lost of a member that says the same.
                    (None, Ids::Key) if name == "_id" && value == id => {}
                    (None, _) => self.left_out += 1,
                }
            }
            let id = self.ids.name().map(|_| id);
            sink.write(&record(id.iter().chain(&values).map(String::as_str))?)?;
        }
        Ok(())
    }
}

/// A name that a path quotes, as `_id` between backquotes; any other path as it is.
fn plain(path: &str) -> &str {
    let quoted = path.strip_prefix('`').and_then(|rest| rest.strip_suffix('`'));
    quoted.filter(|name| !name.contains('`')).unwrap_or(path)
}

fn members(row: &Row) -> Result<Vec<(String, &serde_json::value::RawValue)>, Failure> {
    entries(&row.text).map_err(|error| Failure::Data(format!("document '{}': {error}", row.key)))
}

fn record<'a>(values: impl Iterator<Item = &'a str>) -> Result<Vec<u8>, Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(values).map_err(std::io::Error::from)?;
    writer.into_inner().map_err(|error| Failure::Io(error.into_error()))
}
