//! A JSON value as a slice of validated, minified text: walked where it lies, never parsed into a
//! tree.
//!
//! Because the text is known to be valid and without white space, a walk needs no error path: a
//! string ends at its first bare quote, a container where its brackets balance, and exactly one
//! byte (`,` `:` or a closing bracket) stands between two values. Long stretches are searched eight
//! bytes at a time. On text that is not valid JSON the functions here may panic or answer nonsense;
//! `doc::parse` is the gate before which no `Raw` exists.

use std::borrow::Cow;

/// One JSON value as its own text.
#[derive(Clone, Copy, Debug)]
pub struct Raw<'a>(&'a [u8]);

/// What a JSON value is, told by its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl<'a> Raw<'a> {
    /// The value that `text` is; `text` must be one validated, minified JSON value and nothing
    /// else.
    pub fn new(text: &'a [u8]) -> Self {
        Raw(text)
    }

    /// The text itself.
    pub fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// What the value is. O(1).
    pub fn kind(self) -> Kind {
        match self.0.first() {
            Some(b'n') => Kind::Null,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'"') => Kind::String,
            Some(b'[') => Kind::Array,
            Some(b'{') => Kind::Object,
            _ => Kind::Number,
        }
    }

    /// The characters of a string, escapes decoded; `None` for any other value. Borrowed, so free
    /// of allocation, when nothing in it is escaped. O(length).
    ///
    /// # Panics
    /// On a string that was not validated.
    pub fn string(self) -> Option<Cow<'a, str>> {
        Some(match self.characters()? {
            Cow::Borrowed(bytes) => {
                Cow::Borrowed(std::str::from_utf8(bytes).expect("validated as UTF-8"))
            }
            Cow::Owned(bytes) => {
                Cow::Owned(String::from_utf8(bytes).expect("escapes decode to whole characters"))
            }
        })
    }

    /// The same as bytes of UTF-8, which spares looking whether they are.
    pub fn characters(self) -> Option<Cow<'a, [u8]>> {
        let inner = self.inner()?;
        if !inner.contains(&b'\\') {
            return Some(Cow::Borrowed(inner));
        }
        let mut bytes = Vec::with_capacity(inner.len());
        decode(inner, &mut bytes);
        Some(Cow::Owned(bytes))
    }

    /// Whether this is a string that decodes to `name`. Allocates only where something is escaped.
    /// O(length).
    pub fn name_is(self, name: &str) -> bool {
        let Some(inner) = self.inner() else { return false };
        if inner.contains(&b'\\') {
            return self.string().is_some_and(|text| text == name);
        }
        inner == name.as_bytes()
    }

    /// The elements of an array, in order; none if this is no array. Each step costs the length of
    /// its element.
    pub fn elements(self) -> Elements<'a> {
        Elements(Walk::new(self.0, b'['))
    }

    /// The members of an object, in order, as name (with its quotes) and value; none if this is no
    /// object.
    pub fn members(self) -> Members<'a> {
        Members(Walk::new(self.0, b'{'))
    }

    /// What stands between the quotes of a string.
    fn inner(self) -> Option<&'a [u8]> {
        match self.0 {
            [b'"', inner @ .., b'"'] => Some(inner),
            _ => None,
        }
    }
}

/// A position within a container, always at the beginning of a value or past the end.
#[derive(Clone, Debug)]
struct Walk<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Walk<'a> {
    fn new(text: &'a [u8], bracket: u8) -> Self {
        let is_walked = text.first() == Some(&bracket) && text.len() > 2;
        Walk { text, at: if is_walked { 1 } else { text.len() } }
    }

    /// The value here; moves past it and the one byte behind it.
    fn step(&mut self) -> Option<Raw<'a>> {
        if self.at >= self.text.len() {
            return None;
        }
        let end = value_end(self.text, self.at);
        let value = Raw(&self.text[self.at..end]);
        self.at = end + 1;
        Some(value)
    }
}

/// The elements of an array; made by [`Raw::elements`].
#[derive(Clone, Debug)]
pub struct Elements<'a>(Walk<'a>);

impl<'a> Iterator for Elements<'a> {
    type Item = Raw<'a>;

    fn next(&mut self) -> Option<Raw<'a>> {
        self.0.step()
    }
}

/// The members of an object, name and value; made by [`Raw::members`].
#[derive(Clone, Debug)]
pub struct Members<'a>(Walk<'a>);

impl<'a> Iterator for Members<'a> {
    type Item = (Raw<'a>, Raw<'a>);

    fn next(&mut self) -> Option<(Raw<'a>, Raw<'a>)> {
        let name = self.0.step()?;
        let value = self.0.step().expect("a value follows every name");
        Some((name, value))
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The high bit of each byte of `word` that is zero. Bytes above the first zero may be marked
/// wrongly (a borrow), so only the lowest mark counts (Bit Twiddling Hacks, "haszero").
fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

fn equal_bytes(word: u64, byte: u8) -> u64 {
    zero_bytes(word ^ (ONES * u64::from(byte)))
}

/// The first position at or after `from` for which `mark` sets a bit, or `is_stop` says so in the
/// last 7 bytes.
#[inline]
fn seek(
    text: &[u8],
    from: usize,
    mark: impl Fn(u64) -> u64,
    is_stop: impl Fn(u8) -> bool,
) -> usize {
    let mut at = from;
    while let Some(chunk) = text.get(at..at + 8) {
        let word = u64::from_le_bytes(chunk.try_into().expect("eight bytes"));
        let marks = mark(word);
        if marks != 0 {
            return at + (marks.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while at < text.len() && !is_stop(text[at]) {
        at += 1;
    }
    at
}

/// Where the plain characters of a string end: the first quote, backslash or control character at
/// or after `from`, or the length of `text`. Works on any bytes.
#[inline]
pub(crate) fn plain_end(text: &[u8], from: usize) -> usize {
    seek(
        text,
        from,
        |word| {
            let control = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
            equal_bytes(word, b'"') | equal_bytes(word, b'\\') | control
        },
        |byte| matches!(byte, b'"' | b'\\' | 0..0x20),
    )
}

/// The position behind the string whose opening quote stands at `from`.
pub(crate) fn string_end(text: &[u8], from: usize) -> usize {
    let mut at = plain_end(text, from + 1);
    while text[at] != b'"' {
        // A backslash: what it escapes can be a quote, so both are passed over.
        at = plain_end(text, at + 2);
    }
    at + 1
}

/// The position behind the value that begins at `from`, in validated text. O(length of the value),
/// no recursion.
pub(crate) fn value_end(text: &[u8], from: usize) -> usize {
    match text[from] {
        b'"' => string_end(text, from),
        b'{' | b'[' => container_end(text, from),
        _ => {
            let is_end = |&byte: &u8| matches!(byte, b',' | b'}' | b']');
            text[from..].iter().position(is_end).map_or(text.len(), |length| from + length)
        }
    }
}

fn container_end(text: &[u8], from: usize) -> usize {
    let mut depth = 1usize;
    let mut at = from + 1;
    loop {
        // With bit 5 set, `[` is `{` and `]` is `}`.
        at = seek(
            text,
            at,
            |word| {
                let folded = word | (ONES * 0x20);
                equal_bytes(word, b'"') | equal_bytes(folded, b'{') | equal_bytes(folded, b'}')
            },
            |byte| matches!(byte, b'"' | b'[' | b']' | b'{' | b'}'),
        );
        match text[at] {
            b'"' => at = string_end(text, at),
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            _ => {
                depth -= 1;
                at += 1;
                if depth == 0 {
                    return at;
                }
            }
        }
    }
}

/// Appends the characters that the inside of a validated string stands for. O(length).
pub(crate) fn decode(inner: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    while let Some(step) = inner[at..].iter().position(|&byte| byte == b'\\') {
        out.extend_from_slice(&inner[at..at + step]);
        at += step + 2;
        let byte = match inner[at - 1] {
            b'b' => 0x08,
            b'f' => 0x0C,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let (code, length) = code_point(&inner[at..]);
                out.extend_from_slice(code.encode_utf8(&mut [0; 4]).as_bytes());
                at += length;
                continue;
            }
            other => other,
        };
        out.push(byte);
    }
    out.extend_from_slice(&inner[at..]);
}

/// The character of `\u` escapes whose digits `text` begins with, and how many bytes it takes: a
/// pair of surrogates is one character (RFC 8259, section 7).
fn code_point(text: &[u8]) -> (char, usize) {
    let high = hex4(text).expect("validated escape");
    let (code, length) = match high {
        0xD800..0xDC00 => {
            let low = hex4(&text[6..]).expect("validated pair of surrogates");
            (0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00), 10)
        }
        _ => (high, 4),
    };
    (char::from_u32(code).expect("surrogates stand in pairs"), length)
}

/// The number that the first four bytes are in hexadecimal; `None` if they are not.
pub(crate) fn hex4(text: &[u8]) -> Option<u32> {
    let digits = text.get(..4)?;
    digits.iter().try_fold(0, |code, &byte| Some(code << 4 | char::from(byte).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn kinds_follow_the_first_byte() {
        let cases = [
            ("null", Kind::Null),
            ("true", Kind::Bool),
            ("false", Kind::Bool),
            ("-1", Kind::Number),
            ("\"\"", Kind::String),
            ("[]", Kind::Array),
            ("{}", Kind::Object),
        ];
        for (text, kind) in cases {
            assert_eq!(Raw::new(text.as_bytes()).kind(), kind, "{text}");
        }
    }

    #[test]
    fn strings_decode_and_borrow() {
        let plain = Raw::new("\"Zoë\"".as_bytes());
        assert!(matches!(plain.string(), Some(Cow::Borrowed("Zoë"))));
        let escaped = Raw::new(br#""a\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00z""#);
        assert_eq!(escaped.string().unwrap(), "a\"\\/\u{8}\u{c}\n\r\té😀z");
        assert!(escaped.name_is("a\"\\/\u{8}\u{c}\n\r\té😀z"));
        assert!(!Raw::new(br#""a\n""#).name_is("a\\n"));
        assert!(Raw::new(b"12").string().is_none());
    }

    #[test]
    fn other_kinds_have_no_parts() {
        for text in ["null", "1", "\"[1]\"", "{}", "[]"] {
            assert_eq!(Raw::new(text.as_bytes()).elements().count(), 0, "{text}");
            assert_eq!(Raw::new(text.as_bytes()).members().count(), 0, "{text}");
        }
    }

    /// Builds the tree that a walk sees; recursion is fine at the depth of a test.
    fn tree(raw: Raw<'_>) -> Value {
        match raw.kind() {
            Kind::Array => raw.elements().map(tree).collect(),
            Kind::Object => Value::Object(
                raw.members().map(|(n, v)| (n.string().unwrap().into_owned(), tree(v))).collect(),
            ),
            Kind::String => Value::String(raw.string().unwrap().into_owned()),
            _ => serde_json::from_slice(raw.bytes()).unwrap(),
        }
    }

    proptest! {
        #[test]
        fn a_walk_sees_what_serde_reads(value in crate::doc::testing::json()) {
            let text = value.to_string();
            prop_assert_eq!(value_end(text.as_bytes(), 0), text.len());
            prop_assert_eq!(tree(Raw::new(text.as_bytes())), value);
        }
    }
}
