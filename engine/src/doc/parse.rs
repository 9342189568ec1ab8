//! The parser: JSON bytes to validated, minified text and a directory of the top-level names. RFC
//! 8259 to the letter.
//!
//! One pass with an explicit stack of open containers; depth is counted, never recursed. White
//! space is dropped, and everything else is kept byte for byte: the stretches between white space
//! are copied as they are. A name that comes again in its object makes the earlier member void.
//! That is rare, so it is not done in passing: void stretches are noted, and if there are any, the
//! text is cut and read once more.
//!
//! Costs: O(n), and O(k log k) for an object of k names. A [`Parsed`] that is used again allocates
//! nothing once its buffers have grown. Traps: an offset in an error counts in the input, one in
//! the directory in the minified text.

use std::fmt;

use super::DocRef;
use super::directory;
use super::duplicates::Names;
use crate::value::raw::{hex4, plain_end};
use crate::{Code, Error, Limits, Result};

/// Buffers beyond this many bytes or entries are given back before the next text is read.
const SCRATCH_MAX: usize = 1 << 20;
/// No number with fewer digits before its point, and without an exponent, is beyond a double.
const DIGITS_SAFE: usize = 308;
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// What was parsed last, in buffers that are used again and again. Empty at first, and after an
/// error.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The text, behind it the directory, and behind that the parts with a TTL.
    bytes: Vec<u8>,
    text_len: usize,
    timed_len: usize,
    huge_numbers: Vec<u32>,
    names: Names,
    open: Vec<Frame>,
}

/// One open container.
#[derive(Clone, Copy, Debug)]
struct Frame {
    is_object: bool,
    /// Whether two names so far set the same bit in `seen`: only then can any be equal.
    may_repeat: bool,
    /// Names held when it was opened.
    first_name: u32,
    /// A bit for each name, by its hash.
    seen: u64,
}

impl Parsed {
    /// Reads one document. On an error nothing is held.
    ///
    /// Errors: `JSON` with the byte offset in `json` for what RFC 8259 does not allow, for a root
    /// that is no object, for lone surrogates and a byte order mark; `TOOBIG` for a text above
    /// `document_bytes_max` or nesting above `depth_max`. O(n).
    pub fn parse(&mut self, json: &[u8], limits: &Limits) -> Result<()> {
        self.read(json, limits, true)
    }

    /// Text, directory and parts with a TTL of the document.
    pub fn view(&self) -> DocRef<'_> {
        DocRef::split(&self.bytes, self.text_len, self.timed_len)
    }

    /// Gives the document these parts with a TTL, as [`timed::write_timed`](super::timed::write_timed) writes them, in place
    /// of those that it had. A text by itself has none.
    pub fn set_timed(&mut self, timed: &[u8]) {
        self.bytes.truncate(self.bytes.len() - self.timed_len);
        self.bytes.extend_from_slice(timed);
        self.timed_len = timed.len();
    }

    /// The minified text.
    pub fn text(&self) -> &[u8] {
        &self.bytes[..self.text_len]
    }

    /// Where in the minified text those numbers begin that are beyond the range of a double,
    /// ascending.
    pub fn huge_numbers(&self) -> &[u32] {
        &self.huge_numbers
    }

    /// The text and what stands behind it, as a stored document holds them.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn read(&mut self, json: &[u8], limits: &Limits, is_document: bool) -> Result<()> {
        let result = self.read_unchecked(json, limits, is_document);
        if result.is_err() {
            self.clear();
        }
        result
    }

    fn read_unchecked(&mut self, json: &[u8], limits: &Limits, is_document: bool) -> Result<()> {
        // Offsets are kept in 32 bits, whatever the limit says.
        let bytes_max = limits.document_bytes_max.min(u32::MAX as usize);
        if json.len() > bytes_max {
            let what = if is_document { "a document" } else { "a value" };
            let message = format!(
                "{what} of {} bytes exceeds the limit of {bytes_max} bytes (folio.document-bytes-max)",
                json.len()
            );
            return Err(Error::new(Code::TooBig, message));
        }
        if json.starts_with(BYTE_ORDER_MARK) {
            return Err(Error::json(0, "expected JSON, found a byte order mark"));
        }
        if let Err(error) = std::str::from_utf8(json) {
            return Err(Error::json(error.valid_up_to(), "expected UTF-8, found other bytes"));
        }
        self.clear();
        Parser { json, at: 0, copied: 0, depth_max: limits.depth_max, out: self }
            .run(is_document)?;
        if let Some(text) = self.without_void() {
            self.clear();
            Parser { json: &text, at: 0, copied: 0, depth_max: limits.depth_max, out: self }
                .run(is_document)?;
        }
        self.text_len = self.bytes.len();
        if is_document {
            let names = self.names.held().iter().map(|name| (name.hash, name.offset));
            directory::append(&mut self.bytes, names);
        }
        Ok(())
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(SCRATCH_MAX);
        self.text_len = 0;
        self.timed_len = 0;
        self.huge_numbers.clear();
        self.names.clear(SCRATCH_MAX);
        self.open.clear();
    }

    /// The text without its void members, if there are any.
    fn without_void(&mut self) -> Option<Vec<u8>> {
        let void = self.names.void();
        if void.is_empty() {
            return None;
        }
        let mut text = Vec::with_capacity(self.bytes.len());
        let mut kept_to = 0;
        for range in void {
            let (start, end) = (range.start as usize, range.end as usize);
            if start > kept_to {
                text.extend_from_slice(&self.bytes[kept_to..start]);
            }
            kept_to = kept_to.max(end);
        }
        text.extend_from_slice(&self.bytes[kept_to..]);
        Some(text)
    }
}

/// The minified text of one JSON value of any kind, as arguments and parameters are. Errors and
/// costs are those of [`Parsed::parse`], save that the root may be anything.
pub fn parse_value(json: &[u8], limits: &Limits) -> Result<Box<[u8]>> {
    let mut parsed = Parsed::default();
    parsed.read(json, limits, false)?;
    Ok(parsed.bytes.into())
}

/// A pass over one text.
struct Parser<'j, 'p> {
    json: &'j [u8],
    at: usize,
    /// The input before this is copied or was dropped; from here to `at` there is no white space.
    copied: usize,
    depth_max: usize,
    out: &'p mut Parsed,
}

impl Parser<'_, '_> {
    fn run(mut self, is_document: bool) -> Result<()> {
        self.out.bytes.reserve(self.json.len());
        self.space();
        if is_document && self.peek() != Some(b'{') {
            return Err(self.not_an_object());
        }
        loop {
            // Here a value begins; one that opens a container leads to the value within.
            while self.value()? {}
            if self.after_value()? {
                self.copy();
                return Ok(());
            }
        }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.json.get(self.at).copied()
    }

    /// Where in the minified text the byte at `at` goes.
    fn offset(&self, at: usize) -> usize {
        self.out.bytes.len() + at - self.copied
    }

    #[inline]
    fn space(&mut self) {
        if let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.drop_space();
        }
    }

    fn drop_space(&mut self) {
        self.copy();
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
        self.copied = self.at;
    }

    fn copy(&mut self) {
        self.out.bytes.extend_from_slice(&self.json[self.copied..self.at]);
        self.copied = self.at;
    }

    /// Reads a value; true if that opened a container that is not empty, and another value begins
    /// here.
    fn value(&mut self) -> Result<bool> {
        match self.peek() {
            Some(b'"') => self.string().map(|_| false),
            Some(b'{') => self.open(true),
            Some(b'[') => self.open(false),
            Some(b'-' | b'0'..=b'9') => self.number().map(|()| false),
            Some(b't') => self.literal("true"),
            Some(b'f') => self.literal("false"),
            Some(b'n') => self.literal("null"),
            _ => Err(self.unexpected("a value")),
        }
    }

    /// Reads what follows a value up to the next one; true at the end of the text.
    fn after_value(&mut self) -> Result<bool> {
        loop {
            self.space();
            let Some(&frame) = self.out.open.last() else {
                return match self.peek() {
                    None => Ok(true),
                    Some(_) => Err(self.unexpected("the end of the text")),
                };
            };
            match (self.peek(), frame.is_object) {
                (Some(b','), is_object) => {
                    self.at += 1;
                    self.space();
                    if is_object {
                        self.name()?;
                    }
                    return Ok(false);
                }
                (Some(b'}'), true) => {
                    self.at += 1;
                    self.close_object(frame);
                }
                (Some(b']'), false) => {
                    self.at += 1;
                    self.out.open.pop();
                }
                (_, true) => return Err(self.unexpected("',' or '}'")),
                (_, false) => return Err(self.unexpected("',' or ']'")),
            }
        }
    }

    fn open(&mut self, is_object: bool) -> Result<bool> {
        let depth = self.out.open.len() + 1;
        if depth > self.depth_max {
            let message = format!(
                "depth {depth} exceeds the limit of {} (folio.depth-max) at byte {}",
                self.depth_max, self.at
            );
            return Err(Error::new(Code::TooBig, message));
        }
        self.at += 1;
        self.space();
        let end = if is_object { b'}' } else { b']' };
        if self.peek() == Some(end) {
            self.at += 1;
            return Ok(false);
        }
        let first_name = self.out.names.len() as u32;
        self.out.open.push(Frame { is_object, may_repeat: false, first_name, seen: 0 });
        if is_object {
            self.name()?;
        }
        Ok(true)
    }

    fn close_object(&mut self, frame: Frame) {
        let first = frame.first_name as usize;
        if frame.may_repeat {
            self.out.names.judge(self.json, first);
        }
        self.out.open.pop();
        // The names of the root stay: they become the directory.
        if !self.out.open.is_empty() {
            self.out.names.truncate(first);
        }
    }

    /// Reads a name, its colon and the space around it.
    fn name(&mut self) -> Result<()> {
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("a name in quotes"));
        }
        let start = self.at;
        let offset = self.offset(start);
        let is_escaped = self.string()?;
        let hash = self.out.names.push(self.json, start + 1..self.at - 1, offset, is_escaped);
        let bit = 1 << (hash & 63);
        let frame = self.out.open.last_mut().expect("a name stands in an open object");
        frame.may_repeat |= frame.seen & bit != 0;
        frame.seen |= bit;
        self.space();
        if self.peek() != Some(b':') {
            return Err(self.unexpected("':'"));
        }
        self.at += 1;
        self.space();
        Ok(())
    }

    /// Reads a string; whether anything in it is escaped.
    #[inline]
    fn string(&mut self) -> Result<bool> {
        self.at = plain_end(self.json, self.at + 1);
        if self.peek() == Some(b'"') {
            self.at += 1;
            return Ok(false);
        }
        self.escaped_string().map(|()| true)
    }

    /// Reads on in a string from what is no plain character.
    fn escaped_string(&mut self) -> Result<()> {
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.escape()?,
                _ => return Err(self.unexpected("'\"'")),
            }
            self.at = plain_end(self.json, self.at);
        }
    }

    fn escape(&mut self) -> Result<()> {
        match self.json.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 2;
                Ok(())
            }
            Some(b'u') => self.unicode_escape(),
            _ => {
                self.at += 1;
                Err(self.unexpected("one of \"\\/bfnrtu after a backslash"))
            }
        }
    }

    fn unicode_escape(&mut self) -> Result<()> {
        let start = self.at;
        let Some(code) = hex4(&self.json[start + 2..]) else {
            return Err(Error::json(start, "expected four hexadecimal digits after \\u"));
        };
        let length = match code {
            0xD800..0xDC00 => {
                let low = match self.json.get(start + 6..start + 8) {
                    Some(b"\\u") => hex4(&self.json[start + 8..]),
                    _ => None,
                };
                if !matches!(low, Some(0xDC00..0xE000)) {
                    return Err(lone_surrogate(start, code));
                }
                12
            }
            0xDC00..0xE000 => return Err(lone_surrogate(start, code)),
            _ => 6,
        };
        self.at += length;
        Ok(())
    }

    fn literal(&mut self, word: &str) -> Result<bool> {
        if !self.json[self.at..].starts_with(word.as_bytes()) {
            return Err(self.unexpected(word));
        }
        self.at += word.len();
        Ok(false)
    }

    fn number(&mut self) -> Result<()> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let whole = self.digits()?;
        if whole > 1 && self.json[self.at - whole] == b'0' {
            self.at -= whole;
            return Err(Error::json(self.at, "expected a number, found a leading zero"));
        }
        let mut may_be_huge = whole > DIGITS_SAFE;
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
            may_be_huge = true;
        }
        if may_be_huge {
            self.note_huge(start);
        }
        Ok(())
    }

    /// Passes over digits, at least one; how many.
    #[inline]
    fn digits(&mut self) -> Result<usize> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start {
            return Err(self.unexpected("a digit"));
        }
        Ok(self.at - start)
    }

    fn note_huge(&mut self, start: usize) {
        let text = str::from_utf8(&self.json[start..self.at]).expect("digits are ASCII");
        let is_huge = text.parse::<f64>().is_ok_and(f64::is_infinite);
        if is_huge {
            let offset = self.offset(start) as u32;
            self.out.huge_numbers.push(offset);
        }
    }

    #[cold]
    fn not_an_object(&self) -> Error {
        let found = match self.peek() {
            Some(b'[') => "an array",
            Some(b'"') => "a string",
            Some(b'-' | b'0'..=b'9') => "a number",
            Some(b't') => "true",
            Some(b'f') => "false",
            Some(b'n') => "null",
            _ => return self.unexpected("'{'"),
        };
        Error::json(self.at, format_args!("a document is an object, found {found}"))
    }

    #[cold]
    fn unexpected(&self, expected: &str) -> Error {
        let found = Found(self.json.get(self.at..).unwrap_or_default());
        Error::json(
            self.at.min(self.json.len()),
            format_args!("expected {expected}, found {found}"),
        )
    }
}

#[cold]
fn lone_surrogate(at: usize, code: u32) -> Error {
    Error::json(at, format_args!("expected a pair of surrogates, found \\u{code:04x} alone"))
}

/// What an error says it found: one character, or the end.
struct Found<'a>(&'a [u8]);

impl fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A character has at most four bytes; the fourth may have cut the next one.
        let start = &self.0[..self.0.len().min(4)];
        let character = start.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next());
        match character {
            None => f.write_str("the end of the text"),
            Some(character) if character.is_control() => {
                write!(f, "the control character U+{:04X}", u32::from(character))
            }
            Some(character) => write!(f, "'{character}'"),
        }
    }
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
