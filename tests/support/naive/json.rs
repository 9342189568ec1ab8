//! A JSON value as a tree whose numbers keep their text, with a small recursive parser and printer.

use std::fmt::Write;

/// A JSON value. Objects keep the order of their members; of a name met twice the last value
/// counts.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as it was written.
    Number(String),
    /// A string, unescaped.
    String(String),
    /// An array.
    Array(Vec<Json>),
    /// An object: names and values in the order of first appearance.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads one value that fills the whole text. The error is the byte offset of the first byte
    /// that cannot continue a JSON text.
    pub fn parse(text: &str) -> Result<Self, usize> {
        let mut parser = Parser { bytes: text.as_bytes(), text, at: 0 };
        let value = parser.value()?;
        parser.space();
        if parser.at == parser.bytes.len() { Ok(value) } else { Err(parser.at) }
    }

    /// The member `name` of an object.
    pub fn member(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(member, _)| member == name).map(|(_, value)| value)
    }

    /// The value as minified JSON text.
    pub fn print(&self) -> String {
        let mut out = String::new();
        self.print_into(&mut out);
        out
    }

    fn print_into(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
            Self::Number(text) => out.push_str(text),
            Self::String(text) => print_string(text, out),
            Self::Array(elements) => {
                out.push('[');
                for (at, element) in elements.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    element.print_into(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (at, (name, value)) in members.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    print_string(name, out);
                    out.push(':');
                    value.print_into(out);
                }
                out.push('}');
            }
        }
    }
}

fn print_string(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{0}'..='\u{1f}' => {
                write!(out, "\\u{:04x}", letter as u32).expect("a String takes all");
            }
            _ => out.push(letter),
        }
    }
    out.push('"');
}

struct Parser<'a> {
    bytes: &'a [u8],
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), usize> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(self.at)
        }
    }

    fn word(&mut self, word: &str, value: Json) -> Result<Json, usize> {
        for byte in word.bytes() {
            self.expect(byte)?;
        }
        Ok(value)
    }

    fn value(&mut self) -> Result<Json, usize> {
        self.space();
        match self.peek() {
            Some(b'n') => self.word("null", Json::Null),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'"') => self.string().map(Json::String),
            Some(b'[') => self.array(),
            Some(b'{') => self.object(),
            _ => self.number(),
        }
    }

    fn array(&mut self) -> Result<Json, usize> {
        self.at += 1;
        let mut elements = Vec::new();
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Json::Array(elements));
        }
        loop {
            elements.push(self.value()?);
            self.space();
            if self.peek() == Some(b',') {
                self.at += 1;
            } else {
                self.expect(b']')?;
                return Ok(Json::Array(elements));
            }
        }
    }

    fn object(&mut self) -> Result<Json, usize> {
        self.at += 1;
        let mut members: Vec<(String, Json)> = Vec::new();
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Json::Object(members));
        }
        loop {
            self.space();
            let name = self.string()?;
            self.space();
            self.expect(b':')?;
            let value = self.value()?;
            match members.iter_mut().find(|(member, _)| *member == name) {
                Some(member) => member.1 = value,
                None => members.push((name, value)),
            }
            self.space();
            if self.peek() == Some(b',') {
                self.at += 1;
            } else {
                self.expect(b'}')?;
                return Ok(Json::Object(members));
            }
        }
    }

    fn number(&mut self) -> Result<Json, usize> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(Json::Number(self.text[start..self.at].to_owned()))
    }

    fn digits(&mut self) -> Result<(), usize> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.at) } else { Ok(()) }
    }

    fn string(&mut self) -> Result<String, usize> {
        self.expect(b'"')?;
        let mut out = String::new();
        loop {
            let letter = self.text[self.at..].chars().next().ok_or(self.at)?;
            match letter {
                '"' => {
                    self.at += 1;
                    return Ok(out);
                }
                '\\' => out.push(self.escape()?),
                '\u{0}'..='\u{1f}' => return Err(self.at),
                _ => {
                    out.push(letter);
                    self.at += letter.len_utf8();
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, usize> {
        let start = self.at;
        self.at += 1;
        let letter = self.peek().ok_or(self.at)?;
        self.at += 1;
        Ok(match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let high = self.hex()?;
                let code = if (0xd800..0xdc00).contains(&high) {
                    self.expect(b'\\')?;
                    self.expect(b'u')?;
                    let low = self.hex()?;
                    if !(0xdc00..0xe000).contains(&low) {
                        return Err(start);
                    }
                    0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00)
                } else {
                    high
                };
                char::from_u32(code).ok_or(start)?
            }
            _ => return Err(self.at - 1),
        })
    }

    fn hex(&mut self) -> Result<u32, usize> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            code = code * 16 + digit.ok_or(self.at)?;
            self.at += 1;
        }
        Ok(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_survive_a_round_trip() {
        for text in [
            "null",
            "[true,false,null]",
            r#"{"a":[1,1.0,1e0,-0,-1.50E+3],"b":{"c":""}}"#,
            r#"{"a\"b\\":"\u0000\u001f𝄞"}"#,
            "[]",
            "{}",
        ] {
            assert_eq!(Json::parse(text).unwrap().print(), text);
        }
        assert_eq!(Json::parse(" { \"a\" : 1 } ").unwrap().print(), r#"{"a":1}"#);
        assert_eq!(Json::parse(r#""\ud834\udd1e\/\n""#).unwrap(), Json::String("𝄞/\n".to_owned()));
        assert_eq!(Json::parse(r#"{"a":1,"b":2,"a":3}"#).unwrap().print(), r#"{"a":3,"b":2}"#);
    }

    #[test]
    fn refusals_name_the_byte() {
        let cases = [
            ("", 0),
            ("nul", 3),
            ("{\"a\":1,}", 7),
            ("[1,]", 3),
            ("01", 1),
            ("1.", 2),
            ("-", 1),
            ("\"a", 2),
            ("{a:1}", 1),
            ("{\"a\" 1}", 5),
            ("1 2", 2),
            ("\"\\x\"", 2),
            ("\"\u{1}\"", 1),
        ];
        for (text, at) in cases {
            assert_eq!(Json::parse(text), Err(at), "{text}");
        }
    }
}
