//! Tables.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{ContentArrangement, Table};

/// A terminal that says it is narrower does not know.
const COLUMNS_MIN: usize = 10;
const COLUMNS_DEFAULT: usize = 80;

/// An empty table that fits the terminal.
pub fn table(columns: impl IntoIterator<Item = impl Into<String>>) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    if let Some(width) = terminal_width() {
        table.set_width(width.min(u16::MAX.into()) as u16);
    }
    table.set_header(columns.into_iter().map(Into::into).collect::<Vec<String>>());
    table
}

/// The columns of the terminal that is written to, if it is one; one that does not know is taken for a usual one.
pub fn terminal_width() -> Option<usize> {
    let terminal = console::Term::stdout();
    let columns = usize::from(terminal.size().1);
    terminal.is_term().then_some(if columns < COLUMNS_MIN { COLUMNS_DEFAULT } else { columns })
}
