//! Answers, as tables, records or JSON. Numbers keep their digits: documents are never read into numbers.

use std::fmt::Write as _;

use folio::redis::Value;
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::output::inline;
use crate::output::json::{json, text};
use crate::output::table::table;

/// A value that is longer is cut in a table.
const CELL_CHARS_MAX: usize = 60;
/// A column that is narrower than this cannot be read: rows are shown as records then.
const COLUMN_CHARS_MIN: usize = 12;

/// How rows are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Style {
    /// A table where it fits the terminal, else records
    Auto,
    /// A row in a line
    Table,
    /// A value in a line
    Records,
    /// A document in a line
    Json,
}

/// A document that was found, or a row of results.
#[derive(Debug, Serialize)]
pub struct Row {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    pub document: Box<RawValue>,
}

/// What the server answers.
#[derive(Debug)]
pub enum Answer {
    /// Documents, or rows of results.
    Rows { rows: Vec<Row>, total: Option<u64>, cursor: Option<String> },
    /// JSON texts.
    Values(Vec<Box<RawValue>>),
    /// A document by itself.
    Document(Box<RawValue>),
    /// Anything else.
    Other(Value),
}

impl Answer {
    /// Reads what a command of this name was answered.
    pub fn read(command: &str, value: Value) -> Self {
        let command = command.to_ascii_uppercase();
        let read = match command.as_str() {
            "DOC.FIND" | "DOC.AGGREGATE" | "DOC.CLAIM" => rows(&value),
            "DOC.DISTINCT" => values(&value),
            "DOC.GET" | "DOC.SCHEMA" => document(&value).map(Self::Document),
            _ => None,
        };
        read.unwrap_or(Self::Other(value))
    }

    /// How many rows it has, if it has rows.
    pub fn len(&self) -> Option<usize> {
        match self {
            Self::Rows { rows, .. } => Some(rows.len()),
            Self::Values(values) => Some(values.len()),
            Self::Document(_) | Self::Other(_) => None,
        }
    }

    /// Where the next page begins, if there is one.
    pub fn cursor(&self) -> Option<&str> {
        match self {
            Self::Rows { cursor, .. } => cursor.as_deref(),
            _ => None,
        }
    }

    /// For people.
    pub fn show(&self, style: Style, width: usize) -> String {
        match self {
            Self::Rows { rows, .. } => show_rows(rows, style, width),
            Self::Values(values) => values.iter().map(|value| cell(value) + "\n").collect(),
            Self::Document(document) => pretty(document),
            Self::Other(value) => plain(value),
        }
    }

    /// For programs, on one line.
    pub fn to_json(&self) -> String {
        #[derive(Serialize)]
        struct Whole<'a> {
            results: &'a [Row],
            #[serde(skip_serializing_if = "Option::is_none")]
            total: &'a Option<u64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            cursor: &'a Option<String>,
        }
        let written = match self {
            Self::Rows { rows, total, cursor } => {
                serde_json::to_string(&Whole { results: rows, total, cursor })
            }
            Self::Values(values) => serde_json::to_string(values),
            Self::Document(document) => return document.get().to_owned(),
            Self::Other(value) => serde_json::to_string(&json(value)),
        };
        written
            .unwrap_or_else(|error| serde_json::json!({ "error": error.to_string() }).to_string())
    }
}

fn rows(value: &Value) -> Option<Answer> {
    let entry = |name: &str| entries(value)?.into_iter().find(|(it, _)| it == name);
    let (_, Value::Array(items)) = entry("results")? else { return None };
    let total = entry("total").and_then(|(_, total)| match total {
        Value::Int(total) => u64::try_from(*total).ok(),
        _ => None,
    });
    let cursor = entry("cursor").map(|(_, cursor)| text(cursor));
    let rows = items.iter().map(row).collect::<Option<Vec<Row>>>()?;
    Some(Answer::Rows { rows, total, cursor })
}

/// The entries of a map, under both versions of the protocol.
fn entries(value: &Value) -> Option<Vec<(String, &Value)>> {
    match value {
        Value::Map(entries) => Some(entries.iter().map(|(name, it)| (text(name), it)).collect()),
        Value::Array(items) => {
            Some(items.chunks_exact(2).map(|pair| (text(&pair[0]), &pair[1])).collect())
        }
        _ => None,
    }
}

fn row(value: &Value) -> Option<Row> {
    let (key, document, version) = match value {
        Value::Array(items) => match &items[..] {
            [key, document] => (Some(text(key)), document, None),
            [key, document, Value::Int(version)] => {
                (Some(text(key)), document, u64::try_from(*version).ok())
            }
            _ => return None,
        },
        document => (None, document, None),
    };
    Some(Row { key, version, document: self::document(document)? })
}

fn values(value: &Value) -> Option<Answer> {
    let Value::Array(items) = value else { return None };
    Some(Answer::Values(items.iter().map(document).collect::<Option<_>>()?))
}

fn document(value: &Value) -> Option<Box<RawValue>> {
    let Value::BulkString(bytes) = value else { return None };
    RawValue::from_string(String::from_utf8(bytes.clone()).ok()?).ok()
}

/// The members of a document, in its order; of what is no object the value itself.
fn members(document: &RawValue) -> IndexMap<String, Box<RawValue>> {
    serde_json::from_str(document.get())
        .unwrap_or_else(|_| IndexMap::from([("value".to_owned(), document.to_owned())]))
}

fn show_rows(rows: &[Row], style: Style, width: usize) -> String {
    if style == Style::Json {
        let line = |row: &Row| serde_json::to_string(row).unwrap_or_default() + "\n";
        return rows.iter().map(line).collect();
    }
    let read: Vec<(&Row, IndexMap<String, Box<RawValue>>)> =
        rows.iter().map(|row| (row, members(&row.document))).collect();
    let mut columns: IndexMap<&str, usize> = IndexMap::new();
    for name in read.iter().flat_map(|(_, members)| members.keys()) {
        let next = columns.len();
        columns.entry(name).or_insert(next);
    }
    let fits = (columns.len() + 1) * COLUMN_CHARS_MIN <= width;
    if style == Style::Records || (style == Style::Auto && !fits) {
        return records(&read);
    }
    let has_key = rows.iter().any(|row| row.key.is_some());
    let has_version = rows.iter().any(|row| row.version.is_some());
    let heads = has_key.then_some("key").into_iter().chain(has_version.then_some("version"));
    let names = columns.keys().map(|name| short(name));
    let mut drawn = table(heads.map(str::to_owned).chain(names));
    for (row, members) in &read {
        let key = has_key.then(|| inline(row.key.as_deref().unwrap_or_default()));
        let version = row.version.map(|version| version.to_string());
        let values =
            columns.keys().map(|name| members.get(*name).map_or(String::new(), |it| cell(it)));
        drawn.add_row(key.into_iter().chain(version).chain(values).collect::<Vec<String>>());
    }
    if rows.is_empty() { String::new() } else { drawn.to_string() + "\n" }
}

/// Each value in a line of its own.
fn records(rows: &[(&Row, IndexMap<String, Box<RawValue>>)]) -> String {
    let mut shown = String::new();
    for (at, (row, members)) in rows.iter().enumerate() {
        let version = row.version.map_or(String::new(), |version| format!(" (version {version})"));
        let head = row.key.as_deref().map_or_else(|| format!("row {}", at + 1), inline);
        let _ = writeln!(shown, "{head}{version}");
        let names: Vec<String> = members.keys().map(|name| short(name)).collect();
        let widths = names.iter().map(|name| console::measure_text_width(name));
        let widest = widths.clone().max().unwrap_or(0);
        for ((name, width), value) in names.iter().zip(widths).zip(members.values()) {
            let gap = " ".repeat(widest - width);
            let _ = writeln!(shown, "  {name}{gap}  {}", inline(&as_text(value)));
        }
    }
    shown
}

/// A value in a table: text without its quotes, cut where it is long.
fn cell(value: &RawValue) -> String {
    short(&as_text(value))
}

/// A text in one line, cut where it is long.
fn short(text: &str) -> String {
    let text = inline(text);
    match text.char_indices().nth(CELL_CHARS_MAX) {
        Some((end, _)) => format!("{}..", &text[..end]),
        None => text,
    }
}

fn as_text(value: &RawValue) -> String {
    serde_json::from_str::<String>(value.get()).unwrap_or_else(|_| value.get().to_owned())
}

/// A document over several lines. Digits stay: only what stands between tokens is new.
fn pretty(document: &RawValue) -> String {
    let mut shown = String::new();
    let (mut depth, mut is_text, mut is_escaped) = (0_usize, false, false);
    let mut letters = document.get().chars().peekable();
    while let Some(letter) = letters.next() {
        if is_text {
            shown.push(letter);
            is_text = is_escaped || letter != '"';
            is_escaped = letter == '\\' && !is_escaped;
            continue;
        }
        let line = |depth: usize| format!("\n{:1$}", "", depth * 2);
        match letter {
            '"' => {
                is_text = true;
                shown.push(letter);
            }
            '{' | '[' => {
                shown.push(letter);
                if let Some(close) = letters.next_if(|next| matches!(next, '}' | ']')) {
                    shown.push(close);
                } else {
                    depth += 1;
                    shown += &line(depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                shown += &line(depth);
                shown.push(letter);
            }
            ',' => {
                shown.push(letter);
                shown += &line(depth);
            }
            ':' => shown += ": ",
            other => shown.push(other),
        }
    }
    shown + "\n"
}

/// Any answer as lines.
fn plain(value: &Value) -> String {
    let mut shown = String::new();
    lines(value, 0, &mut shown);
    shown
}

fn lines(value: &Value, depth: usize, shown: &mut String) {
    let entry = |name: Option<&Value>, value: &Value, shown: &mut String| {
        let name = name.map_or_else(|| "-".to_owned(), |name| text(name) + ":");
        let is_list = matches!(value, Value::Array(_) | Value::Map(_) | Value::Set(_));
        if is_list && !is_empty(value) {
            let _ = writeln!(shown, "{:1$}{name}", "", depth * 2);
            lines(value, depth + 1, shown);
        } else {
            let value = if is_empty(value) { "(empty)".to_owned() } else { word(value) };
            let _ = writeln!(shown, "{:1$}{name} {value}", "", depth * 2);
        }
    };
    match value {
        Value::Map(entries) if !entries.is_empty() => {
            for (name, value) in entries {
                entry(Some(name), value, shown);
            }
        }
        Value::Array(items) | Value::Set(items) if !items.is_empty() => {
            for item in items {
                match item {
                    Value::Array(_) | Value::Map(_) | Value::Set(_) => entry(None, item, shown),
                    item => {
                        let _ = writeln!(shown, "{:1$}{2}", "", depth * 2, word(item));
                    }
                }
            }
        }
        value if is_empty(value) => shown.push_str("(empty)\n"),
        value => {
            let _ = writeln!(shown, "{}", word(value));
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) | Value::Set(items) => items.is_empty(),
        Value::Map(entries) => entries.is_empty(),
        _ => false,
    }
}

fn word(value: &Value) -> String {
    match value {
        Value::Nil => "(nil)".to_owned(),
        Value::BulkString(bytes) if bytes.is_empty() => "\"\"".to_owned(),
        value => text(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    fn found(documents: &[(&str, &str)]) -> Answer {
        let rows =
            documents.iter().map(|(key, json)| Value::Array(vec![bulk(key), bulk(json)])).collect();
        Answer::read("doc.find", Value::Map(vec![(bulk("results"), Value::Array(rows))]))
    }

    #[test]
    fn digits_stay_as_they_are() {
        let answer = found(&[("a:1", "{\"n\":1.10,\"big\":12345678901234567890123}")]);
        for style in [Style::Table, Style::Records, Style::Json] {
            let shown = answer.show(style, 200);
            assert!(shown.contains("1.10") && shown.contains("12345678901234567890123"), "{shown}");
        }
        let json = "{\"results\":[{\"key\":\"a:1\",\"document\":{\"n\":1.10,\"big\":12345678901234567890123}}]}";
        assert_eq!(answer.to_json(), json);
    }

    #[test]
    fn many_columns_in_a_narrow_terminal_become_records() {
        let answer = found(&[("a:1", "{\"name\":\"Ada\",\"x\":1,\"yy\":[1,2]}")]);
        assert!(answer.show(Style::Auto, 100).contains('│'));
        assert_eq!(answer.show(Style::Auto, 40), "a:1\n  name  Ada\n  x     1\n  yy    [1,2]\n");
    }

    #[test]
    fn a_document_is_shown_over_several_lines() {
        let document = Answer::read("DOC.GET", bulk("{\"a\":[1.0,{}],\"b\":\"x,\\\"{\"}"));
        let shown = "{\n  \"a\": [\n    1.0,\n    {}\n  ],\n  \"b\": \"x,\\\"{\"\n}\n";
        assert_eq!(document.show(Style::Auto, 80), shown);
    }
}
