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
        if self.json { line(&value.to_string()) } else { show(&text()) }
    }
}

/// How many columns a line has; where nobody looks, as many as are needed.
pub fn width() -> usize {
    table::terminal_width().unwrap_or(usize::MAX)
}

/// Text for people on standard output: nothing that a document holds steers their terminal.
pub fn show(text: &str) -> io::Result<()> {
    line(&harmless(text))
}

/// Something said about an answer, on standard error. Whether anybody reads it changes nothing.
pub fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", harmless(text));
}

/// A text within a line: control characters are written as escapes, the ends of lines too.
pub fn inline(text: &str) -> String {
    escaped(text, char::is_control)
}

fn harmless(text: &str) -> String {
    escaped(text, |letter| letter.is_control() && !matches!(letter, '\n' | '\t'))
}

fn escaped(text: &str, is_harmful: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_harmful(letter) {
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// How a program ends whose reader has gone, as shells tell it: 128 and the number of SIGPIPE.
const READER_GONE: i32 = 141;

/// A line on standard output, as it is. Whoever reads may have gone, as `head` does: then that is all.
pub fn line(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let written = if text.is_empty() || text.ends_with('\n') {
        out.write_all(text.as_bytes())
    } else {
        writeln!(out, "{text}")
    };
    match written.and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(READER_GONE),
        written => written,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_written_as_an_escape() {
        assert_eq!(harmless("a\x1b]0;x\x07\n\u{9b}é"), "a\\u{1b}]0;x\\u{7}\n\\u{9b}é");
        assert_eq!(inline("a\nb"), "a\\nb");
    }
}
