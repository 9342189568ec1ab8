//! What is printed: tables and text for people, JSON for programs.

pub mod json;
pub mod table;

use std::io::{self, Write as _};

use serde_json::Value as Json;

/// How answers are to look.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    json: bool,
}

impl Output {
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether a program reads.
    pub fn is_json(self) -> bool {
        self.json
    }

    /// One value: for programs on one line, for people as the function puts it.
    pub fn emit(self, value: &Json, text: impl FnOnce() -> String) -> io::Result<()> {
        if self.json { line(&value.to_string()) } else { line(&text()) }
    }
}

/// How many columns a line has; where nobody looks, as many as are needed.
pub fn width() -> usize {
    table::terminal_width().unwrap_or(usize::MAX)
}

/// A line on standard output. Whoever reads may have gone, as `head` does: then that is all.
pub fn line(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let written = if text.is_empty() || text.ends_with('\n') {
        out.write_all(text.as_bytes())
    } else {
        writeln!(out, "{text}")
    };
    match written.and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        written => written,
    }
}
