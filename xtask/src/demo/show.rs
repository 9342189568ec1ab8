//! How questions and answers look.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};
use serde_json::Value as Json;

use super::reply::{Row, text};

/// A command's arguments as one would type them in redis-cli.
pub fn typed(arguments: &[impl AsRef<str>]) -> String {
    let quoted: Vec<String> = arguments.iter().map(|a| quote(a.as_ref())).collect();
    quoted.join(" ")
}

fn quote(argument: &str) -> String {
    let special = |c: char| c.is_whitespace() || "\"'\\{}[]()<>$*|&;".contains(c);
    if !argument.is_empty() && !argument.contains(special) {
        return argument.to_owned();
    }
    // Inside single quotes redis-cli, and a shell, take everything as it is but a single quote.
    if argument.contains('"') && !argument.contains('\'') {
        return format!("'{argument}'");
    }
    format!("\"{}\"", argument.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Rows as a table of these fields.
pub fn table(rows: &[Row], fields: &[&str]) -> String {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED);
    table.set_header(std::iter::once("key").chain(fields.iter().copied()));
    for (key, document) in rows {
        let cells = fields.iter().map(|field| match &document[*field] {
            Json::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
            value => text(value),
        });
        table.add_row(std::iter::once(key.clone()).chain(cells.map(|cell| shorten(&cell))));
    }
    for (column, field) in fields.iter().enumerate() {
        if rows.iter().any(|(_, document)| document[*field].is_number()) {
            let column = table.column_mut(column + 1).expect("a column for each field");
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string()
}

fn shorten(cell: &str) -> String {
    const WIDTH_MAX: usize = 44;
    if cell.chars().count() <= WIDTH_MAX {
        return cell.to_owned();
    }
    let kept: String = cell.chars().take(WIDTH_MAX - 2).collect();
    format!("{kept} ..")
}

/// Prints a text with a margin.
pub fn indented(text: &str) {
    for line in text.lines() {
        println!("    {line}");
    }
}
