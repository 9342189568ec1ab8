//! The words of a query: names, strings, integers, numbers. Each is read at a byte of the text.

use std::fmt::Write;

use crate::path::expected;
use crate::value::raw::hex4;
use crate::{Code, Error, Result};

/// The greatest integer that a double holds with all below it (RFC 7493), and the least negated.
const INTEGER_MAX: i64 = (1 << 53) - 1;

/// A text and how far it is read.
pub(super) struct Scanner<'t> {
    pub(super) text: &'t str,
    /// In bytes, between two characters.
    pub(super) at: usize,
}

impl<'t> Scanner<'t> {
    pub(super) fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Passes `word` if it stands here.
    pub(super) fn eat(&mut self, word: &str) -> bool {
        let stands = self.rest().starts_with(word);
        if stands {
            self.at += word.len();
        }
        stands
    }

    pub(super) fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    /// The error that something else stands here than `what`.
    pub(super) fn expected(&self, what: &str) -> Error {
        expected(Code::Path, what, self.text, self.at)
    }

    /// A name as it stands behind a point; none if none does.
    pub(super) fn name(&mut self) -> Option<&'t str> {
        let is_start = |c: char| c == '_' || c.is_ascii_alphabetic() || !c.is_ascii();
        let rest = self.rest();
        if !rest.starts_with(is_start) {
            return None;
        }
        let is_part = |c: char| is_start(c) || c.is_ascii_digit();
        Some(self.take(rest.find(|c| !is_part(c)).unwrap_or(rest.len())))
    }

    /// A word as functions are called; empty if none stands here.
    pub(super) fn word(&mut self) -> &'t str {
        let rest = self.rest();
        if !rest.starts_with(|c: char| c.is_ascii_lowercase()) {
            return "";
        }
        let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        self.take(rest.find(|c| !is_part(c)).unwrap_or(rest.len()))
    }

    fn take(&mut self, length: usize) -> &'t str {
        let taken = &self.rest()[..length];
        self.at += length;
        taken
    }

    fn digits(&mut self) -> &'t str {
        let length = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        self.take(length)
    }

    /// An integer of an index or a slice; none if none begins here.
    pub(super) fn integer(&mut self) -> Result<Option<i64>> {
        let start = self.at;
        let is_negative = self.eat("-");
        let digits = self.digits();
        if digits.is_empty() {
            return if is_negative { Err(self.expected("a digit")) } else { Ok(None) };
        }
        if digits.starts_with('0') && (digits.len() > 1 || is_negative) {
            return Err(Error::new(
                Code::Path,
                format!("an integer with a leading zero at position {start}"),
            ));
        }
        let magnitude = digits.parse().ok().filter(|value| *value <= INTEGER_MAX);
        let value = magnitude.map(|value: i64| if is_negative { -value } else { value });
        value.map(Some).ok_or_else(|| {
            Error::new(Code::Path, format!("an integer beyond {INTEGER_MAX} at position {start}"))
        })
    }

    /// A number as JSON writes it.
    pub(super) fn number(&mut self) -> Result<&'t str> {
        let start = self.at;
        self.eat("-");
        let whole = self.at;
        let digits = self.digits();
        if digits.is_empty() {
            return Err(self.expected("a digit"));
        }
        if digits.len() > 1 && digits.starts_with('0') {
            self.at = whole + 1;
            return Err(self.expected("'.' or 'e' after a leading zero"));
        }
        if self.eat(".") && self.digits().is_empty() {
            return Err(self.expected("a digit"));
        }
        if self.eat("e") || self.eat("E") {
            if !self.eat("-") {
                self.eat("+");
            }
            if self.digits().is_empty() {
                return Err(self.expected("a digit"));
            }
        }
        Ok(&self.text[start..self.at])
    }

    /// The characters of the string whose opening quote stands here.
    pub(super) fn string(&mut self) -> Result<String> {
        let open = self.at;
        let quote = char::from(self.text.as_bytes()[open]);
        self.at += 1;
        let mut string = String::new();
        loop {
            let rest = self.rest();
            let plain = rest.find(|c: char| c == quote || c == '\\' || c < ' ');
            let Some(plain) = plain else {
                return Err(Error::new(
                    Code::Path,
                    format!("a string without its closing quote at position {open}"),
                ));
            };
            string += self.take(plain);
            match self.peek() {
                Some(b'\\') => string.push(self.escape(quote)?),
                Some(0..0x20) => return Err(self.expected("an escape of a control character")),
                _ => {
                    self.at += 1;
                    return Ok(string);
                }
            }
        }
    }

    /// What the escape stands for whose backslash stands here.
    fn escape(&mut self, quote: char) -> Result<char> {
        let start = self.at;
        self.at += 1;
        let letter = self.rest().chars().next();
        let character = match letter {
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('/') => '/',
            Some('\\') => '\\',
            Some('u') => return self.unicode(start),
            Some(letter) if letter == quote => quote,
            _ => return Err(self.expected("one of \\b \\f \\n \\r \\t \\u \\/ \\\\ or the quote")),
        };
        self.at += 1;
        Ok(character)
    }

    /// `\uXXXX`, or two of them that are a pair of surrogates.
    fn unicode(&mut self, start: usize) -> Result<char> {
        let high = self.code_unit()?;
        let code = match high {
            0xD800..0xDC00 if self.rest().starts_with("\\u") => {
                self.at += 1;
                let low = self.code_unit()?;
                let is_pair = (0xDC00..0xE000).contains(&low);
                is_pair.then(|| 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
            }
            _ => Some(high),
        };
        code.and_then(char::from_u32).ok_or_else(|| {
            Error::new(Code::Path, format!("half a pair of surrogates at position {start}"))
        })
    }

    /// The four digits behind the `u` that stands here.
    fn code_unit(&mut self) -> Result<u32> {
        self.at += 1;
        let unit =
            hex4(self.rest().as_bytes()).ok_or_else(|| self.expected("four hexadecimal digits"))?;
        self.at += 4;
        Ok(unit)
    }
}

/// Appends `text` in single quotes, as RFC 9535 writes names in normalized paths (section 2.7).
pub(super) fn write_quoted(text: &str, out: &mut String) {
    out.push('\'');
    for letter in text.chars() {
        match letter {
            '\'' | '\\' => out.extend(['\\', letter]),
            '\u{8}' => *out += "\\b",
            '\u{c}' => *out += "\\f",
            '\n' => *out += "\\n",
            '\r' => *out += "\\r",
            '\t' => *out += "\\t",
            ..' ' => write!(out, "\\u{:04x}", u32::from(letter)).expect("a string takes all"),
            letter => out.push(letter),
        }
    }
    out.push('\'');
}
