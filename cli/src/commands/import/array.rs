//! The elements of a JSON array, one after the other.
//!
//! Only brackets, commas and strings are looked at, to find where an element ends; what stands between is judged by whoever
//! reads the element. So one that is malformed is one bad line, and the next one is read.

use std::io::{self, BufRead};

use super::source::{Document, PIECE_BYTES_MAX, Piece, Source};

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// Before the bracket.
    Start,
    /// Behind the bracket.
    First,
    /// Behind a comma.
    Next,
    /// Behind the last element.
    End,
}

/// An array that is read element by element.
pub struct Elements<R> {
    reader: R,
    line: u64,
    at: At,
}

/// How an element has ended.
enum Stop {
    Comma,
    Bracket,
    /// The file ends before the array does.
    File,
}

impl<R: BufRead> Elements<R> {
    pub fn new(reader: R) -> Self {
        Self { reader, line: 1, at: At::Start }
    }

    /// Goes to the next byte that is no white space, and does not take it.
    fn skip_blank(&mut self) -> io::Result<Option<u8>> {
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(None);
            }
            let blank = buffer.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            self.line += lines(&buffer[..blank]);
            let byte = buffer.get(blank).copied();
            self.reader.consume(blank);
            if byte.is_some() {
                return Ok(byte);
            }
        }
    }

    /// Reads up to what ends an element, and takes that too.
    fn element(&mut self, text: &mut Vec<u8>) -> io::Result<Stop> {
        let mut scan = Scan::default();
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(Stop::File);
            }
            let end = buffer.iter().position(|byte| scan.ends_at(*byte));
            let taken = end.unwrap_or(buffer.len());
            text.extend_from_slice(&buffer[..taken]);
            self.line += lines(&buffer[..taken]);
            let stop = end.map(|end| buffer[end]);
            self.reader.consume(taken + usize::from(stop.is_some()));
            match stop {
                Some(b',') => return Ok(Stop::Comma),
                Some(_) => return Ok(Stop::Bracket),
                None if text.len() > PIECE_BYTES_MAX => {
                    let why = format!("an element exceeds the limit of {PIECE_BYTES_MAX} bytes");
                    return Err(io::Error::new(io::ErrorKind::InvalidData, why));
                }
                None => {}
            }
        }
    }

    /// What stands behind the array, where nothing may.
    fn rest(&mut self) -> io::Result<Option<Piece>> {
        if self.skip_blank()?.is_none() {
            return Ok(None);
        }
        let why = format!("line {}: something stands behind the array", self.line);
        Err(io::Error::new(io::ErrorKind::InvalidData, why))
    }
}

impl<R: BufRead> Source for Elements<R> {
    fn next(&mut self) -> io::Result<Option<Piece>> {
        let mut byte = self.skip_blank()?;
        if self.at == At::Start {
            if byte != Some(b'[') {
                let why = "an array begins with [; --format jsonl is for documents on lines";
                return Err(io::Error::new(io::ErrorKind::InvalidData, why));
            }
            self.reader.consume(1);
            self.at = At::First;
            byte = self.skip_blank()?;
        }
        if self.at == At::End {
            return self.rest();
        }
        if self.at == At::First && byte == Some(b']') {
            self.reader.consume(1);
            self.at = At::End;
            return self.rest();
        }
        let line = self.line;
        let mut text = Vec::new();
        let stop = self.element(&mut text)?;
        self.at = if matches!(stop, Stop::Comma) { At::Next } else { At::End };
        text.truncate(text.trim_ascii_end().len());
        let document = match stop {
            Stop::File => Document::Bad("JSON the file ends before the array does".into()),
            _ if text.is_empty() => Document::Bad("JSON nothing stands between commas".into()),
            _ => Document::AsWritten,
        };
        Ok(Some(Piece { line, text: text.into(), document }))
    }
}

/// What has to be known of an element to find its end.
#[derive(Default)]
struct Scan {
    depth: usize,
    is_in_string: bool,
    is_escaped: bool,
}

impl Scan {
    /// Whether the byte is the first one behind the element.
    fn ends_at(&mut self, byte: u8) -> bool {
        if self.is_in_string {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = true,
                b'"' => self.is_in_string = false,
                _ => {}
            }
            return false;
        }
        match byte {
            b'"' => self.is_in_string = true,
            b'{' | b'[' => self.depth += 1,
            b',' | b']' if self.depth == 0 => return true,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        false
    }
}

fn lines(bytes: &[u8]) -> u64 {
    bytes.split(|byte| *byte == b'\n').count() as u64 - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The elements with their lines; one that is bad stands with a mark. Read with a buffer of every size.
    fn elements(text: &str) -> Result<Vec<(u64, String)>, String> {
        let read = |size: usize| {
            let reader = io::BufReader::with_capacity(size, text.as_bytes());
            let mut source = Elements::new(reader);
            let mut all = Vec::new();
            while let Some(piece) = source.next().map_err(|error| error.to_string())? {
                let mut text = String::from_utf8(piece.text.told().into_owned()).unwrap();
                if matches!(piece.document, Document::Bad(_)) {
                    text.insert(0, '!');
                }
                all.push((piece.line, text));
            }
            Ok(all)
        };
        let whole = read(1 << 10);
        (1..12).for_each(|size| assert_eq!(read(size), whole, "{text}"));
        whole
    }

    #[test]
    fn elements_come_with_their_lines() {
        let found = elements("[\n{\"a\":\"],}\\\"\"} ,\n {\"b\":[1,{}]}\n]\n").unwrap();
        assert_eq!(found, [(2, "{\"a\":\"],}\\\"\"}".into()), (3, "{\"b\":[1,{}]}".into())]);
        assert_eq!(elements(" [ ] ").unwrap(), []);
    }

    #[test]
    fn what_is_broken_is_told_and_the_rest_is_read() {
        assert_eq!(
            elements("[{},,{}}},1]").unwrap(),
            [(1, "{}".into()), (1, "!".into()), (1, "{}}}".into()), (1, "1".into())]
        );
        assert_eq!(elements("[{},]").unwrap(), [(1, "{}".into()), (1, "!".into())]);
        assert_eq!(elements("[{},{\"a\"").unwrap(), [(1, "{}".into()), (1, "!{\"a\"".into())]);
        assert!(elements("[{}]\n x").unwrap_err().contains("line 2"));
        assert!(elements("{}").unwrap_err().contains("begins with ["));
    }
}
