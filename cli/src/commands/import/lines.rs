//! JSON lines.

use std::io::{self, BufRead, Read as _};

use super::source::{Document, PIECE_BYTES_MAX, Piece, Source};

/// A document on each line; blank lines are passed over.
pub struct Lines<R> {
    reader: R,
    line: u64,
    /// How long the last line was: the next one is likely to be as long.
    usual: usize,
}

impl<R: BufRead> Lines<R> {
    pub fn new(reader: R) -> Self {
        Self { reader, line: 0, usual: 0 }
    }
}

impl<R: BufRead> Source for Lines<R> {
    fn next(&mut self) -> io::Result<Option<Piece>> {
        loop {
            let mut text = Vec::with_capacity(self.usual + 16);
            let limited = &mut (&mut self.reader).take(PIECE_BYTES_MAX as u64);
            if limited.read_until(b'\n', &mut text)? == 0 {
                return Ok(None);
            }
            self.line += 1;
            let mut document = Document::AsWritten;
            if text.len() == PIECE_BYTES_MAX && !text.ends_with(b"\n") {
                self.reader.skip_until(b'\n')?;
                let why = format!("TOOBIG the line exceeds the limit of {PIECE_BYTES_MAX} bytes");
                document = Document::Bad(why);
                text.clear();
                text.extend_from_slice(b"..");
            }
            text.truncate(text.trim_ascii_end().len());
            if text.trim_ascii_start().is_empty() {
                continue;
            }
            self.usual = text.len();
            return Ok(Some(Piece { line: self.line, text: text.into(), document }));
        }
    }
}
