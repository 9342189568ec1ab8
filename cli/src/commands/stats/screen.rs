//! A report as text, and a screen on which each takes the place of the one before.

use std::collections::BTreeMap;
use std::io::{self, Write as _};

use comfy_table::{CellAlignment, Table};
use console::Term;
use indicatif::HumanBytes;

use super::report::{Progress, Report};
use crate::output::table::table;

/// The alternate screen, left when this goes: what stood on the terminal before is there again.
pub struct Screen {
    term: Term,
    /// What was drawn last, for when there is nothing new.
    last: String,
}

const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";
const HOME: &str = "\x1b[H";
/// To the end of the line, and to the end of the screen.
const CLEAR_LINE: &str = "\x1b[K";
const CLEAR_REST: &str = "\x1b[J";

impl Screen {
    pub fn open() -> io::Result<Self> {
        let mut term = Term::stdout();
        term.write_all(ENTER.as_bytes())?;
        Ok(Self { term, last: String::new() })
    }

    pub fn draw(&mut self, report: &Report) -> io::Result<()> {
        self.last = text(report);
        let hint = console::style("q: quit").dim();
        self.put(&format!("{}\n{hint}", self.last))
    }

    /// Leaves what was known, under what is wrong.
    pub fn draw_trouble(&mut self, trouble: &str) -> io::Result<()> {
        let trouble = console::style(trouble.replace('\n', " ")).red();
        self.put(&format!("{trouble}\n{}", self.last))
    }

    /// One write, over what is there, so that nothing flickers.
    fn put(&mut self, text: &str) -> io::Result<()> {
        let (rows, columns) = self.term.size();
        let mut frame = HOME.to_owned();
        for (at, line) in text.lines().take(usize::from(rows)).enumerate() {
            if at > 0 {
                frame.push_str("\r\n");
            }
            frame.push_str(&console::truncate_str(line, usize::from(columns), ""));
            frame.push_str(CLEAR_LINE);
        }
        frame.push_str(CLEAR_REST);
        self.term.write_all(frame.as_bytes())?;
        self.term.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // Nothing is left to be done about a terminal that has gone.
        drop(self.term.write_all(LEAVE.as_bytes()));
    }
}

/// A report for people.
pub fn text(report: &Report) -> String {
    let mut lines = vec![head(report), memory(report), state(report)];
    lines.extend(codes("errors", &report.errors));
    lines.extend(codes("refused writes", &report.refused_writes));
    lines.extend(report.builds.iter().map(|build| progress("build", build)));
    lines.extend(report.migrations.iter().map(|migration| progress("migration", migration)));
    if !report.commands.is_empty() {
        lines.push(commands(report).to_string());
    }
    lines.join("\n")
}

fn head(report: &Report) -> String {
    let Report { time, seconds, calls_per_second, .. } = report;
    let replication = &report.replication;
    let link = match replication.primary_link_up {
        Some(true) => ", linked to its primary",
        Some(false) => ", not linked to its primary",
        None => "",
    };
    let lags = replication.replica_lag_bytes.iter();
    let lags = lags.map(|(replica, lag)| format!(", {replica} behind by {}", HumanBytes(*lag)));
    let lags = lags.collect::<Vec<String>>().concat();
    format!(
        "{time}  {calls_per_second:.0} commands/s over {seconds:.1} s  {}{link}{lags}",
        replication.role
    )
}

fn memory(report: &Report) -> String {
    let memory = &report.memory;
    let most = match memory.max_bytes {
        0 => String::new(),
        most => format!(" of {}", HumanBytes(most)),
    };
    format!(
        "memory {}{most}  {} documents {} in {} collections  indexes {}",
        HumanBytes(memory.used_bytes),
        report.documents,
        HumanBytes(report.document_bytes),
        report.collections,
        HumanBytes(report.index_bytes)
    )
}

fn state(report: &Report) -> String {
    let changes = &report.changes;
    let defects = match report.panics {
        0 => String::new(),
        panics => format!("  defects caught since the start {panics}"),
    };
    format!(
        "slow queries {}  changes {} written, {} waiting, {} dropped{defects}",
        report.slow_queries, changes.written, changes.pending, changes.dropped
    )
}

fn codes(what: &str, counts: &BTreeMap<String, u64>) -> Option<String> {
    let counts: Vec<String> = counts.iter().map(|(code, n)| format!("{code} {n}")).collect();
    (!counts.is_empty()).then(|| format!("{what}: {}", counts.join(", ")))
}

fn progress(what: &str, progress: &Progress) -> String {
    let Progress { db, collection, done, documents, stopped } = progress;
    let share = if *documents == 0 { 100.0 } else { 100.0 * *done as f64 / *documents as f64 };
    let end = if *stopped { ", stopped by a document: DOC.INFO names it" } else { "" };
    // A name may hold anything, and the terminal is to show it, not to do it.
    let name = collection.escape_debug();
    format!("{what} of {name} in database {db}: {done} of {documents} ({share:.1} %){end}")
}

fn commands(report: &Report) -> Table {
    let columns = ["command", "calls/s", "calls", "failures", "mean", "p50", "p99"];
    let mut table = table(columns);
    for command in &report.commands {
        table.add_row([
            command.command.clone(),
            format!("{:.1}", command.per_second),
            command.calls.to_string(),
            command.failures.to_string(),
            time(command.mean_us),
            time(command.p50_us),
            time(command.p99_us),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// Microseconds in the unit that fits.
fn time(micros: f64) -> String {
    if micros < 1_000.0 {
        format!("{micros:.1} µs")
    } else if micros < 1_000_000.0 {
        format!("{:.1} ms", micros / 1_000.0)
    } else {
        format!("{:.2} s", micros / 1_000_000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Figures;

    #[test]
    fn times_have_the_unit_that_fits() {
        assert_eq!(
            [0.5, 999.0, 1500.0, 2.5e6].map(time),
            ["0.5 µs", "999.0 µs", "1.5 ms", "2.50 s"]
        );
    }

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        let text = "folio_build_0:db=0,name=a%1B[2J,done=1,documents=4\r\n";
        let figures = Figures::parse(text);
        let told = super::text(&Report::new(&figures, &figures, 1.0));
        assert!(told.contains("build of a\\u{1b}[2J in database 0: 1 of 4 (25.0 %)"), "{told}");
    }
}
