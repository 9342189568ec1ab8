//! Documents as CSV.

use std::collections::HashMap;

use serde_json::Value as Json;

use super::pages::{Page, Row};
use super::sink::Sink;
use crate::commands::members::{entries, string};
use crate::outcome::Failure;

/// Writes records.
pub struct Table {
    prefix: String,
    /// What the column of the id is called.
    id: Option<String>,
    columns: Vec<String>,
    /// Where a member stands.
    places: HashMap<String, usize>,
    /// How many values have no column.
    pub left_out: u64,
}

impl Table {
    /// Columns are what is selected, else what is declared and what the first documents have.
    pub fn new(
        prefix: &str,
        id: Option<&str>,
        selected: &[String],
        definition: &Json,
        first: &Page,
    ) -> Result<Self, Failure> {
        let mut columns: Vec<String> = selected.to_vec();
        let mut add = |name: &str| {
            if Some(name) != id && !columns.iter().any(|column| column == name) {
                columns.push(name.into());
            }
        };
        if selected.is_empty() {
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
        let id = id.map(Into::into);
        Ok(Self { prefix: prefix.into(), id, columns, places, left_out: 0 })
    }

    pub fn begin(&mut self, sink: &mut Sink) -> Result<(), Failure> {
        let names = self.id.iter().chain(&self.columns).map(String::as_str);
        sink.write(&record(names)?)
    }

    pub fn write(&mut self, page: &Page, sink: &mut Sink) -> Result<(), Failure> {
        for row in &page.rows {
            let mut values = vec![String::new(); self.columns.len()];
            let mut id = row.key.strip_prefix(&self.prefix).unwrap_or(&row.key).to_owned();
            for (name, value) in members(row)? {
                let value = string(value.get()).unwrap_or_else(|| value.get().to_owned());
                match self.places.get(&name) {
                    Some(place) => values[*place] = value,
                    None if self.id.as_deref() == Some(&name) => id = value,
                    None => self.left_out += 1,
                }
            }
            let id = self.id.is_some().then_some(id);
            sink.write(&record(id.iter().chain(&values).map(String::as_str))?)?;
        }
        Ok(())
    }
}

fn members(row: &Row) -> Result<Vec<(String, &serde_json::value::RawValue)>, Failure> {
    entries(&row.text).map_err(|error| Failure::Data(format!("document '{}': {error}", row.key)))
}

fn record<'a>(values: impl Iterator<Item = &'a str>) -> Result<Vec<u8>, Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(values).map_err(std::io::Error::from)?;
    writer.into_inner().map_err(|error| Failure::Io(error.into_error()))
}
