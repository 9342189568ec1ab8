//! Filter text to tokens, one at a time, each with the bytes that it stands on.
//!
//! A path is one token, read by the scanner of `path`. Nothing is read ahead: an error is the first
//! that a person reading from the left would meet.

use crate::path::Path;
use crate::{Code, Error, Result};

use super::ast::Cmp;
use super::hint;
use super::operand::{Arithmetic, Meta, Subject};

/// A reserved word. Declared in the order of [`Path::KEYWORDS`], which holds their texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyword {
    And,
    Or,
    Not,
    In,
    Between,
    Has,
    Is,
    Null,
    Missing,
    True,
    False,
    Like,
    ILike,
    Contains,
    Starts,
    Ends,
    Matches,
    Any,
    All,
    Where,
    With,
}

impl Keyword {
    const ALL: [Keyword; 21] = [
        Keyword::And,
        Keyword::Or,
        Keyword::Not,
        Keyword::In,
        Keyword::Between,
        Keyword::Has,
        Keyword::Is,
        Keyword::Null,
        Keyword::Missing,
        Keyword::True,
        Keyword::False,
        Keyword::Like,
        Keyword::ILike,
        Keyword::Contains,
        Keyword::Starts,
        Keyword::Ends,
        Keyword::Matches,
        Keyword::Any,
        Keyword::All,
        Keyword::Where,
        Keyword::With,
    ];

    /// The word in capitals.
    pub(super) fn text(self) -> &'static str {
        Path::KEYWORDS[self as usize]
    }

    fn of(word: &str) -> Option<Keyword> {
        Keyword::ALL.into_iter().find(|keyword| keyword.text().eq_ignore_ascii_case(word))
    }
}

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Keyword(Keyword),
    Subject(Subject),
    String(Box<str>),
    /// As JSON writes it, without a plus sign.
    Number(Box<str>),
    /// The name, without the dollar sign.
    Param(Box<str>),
    Cmp(Cmp),
    /// `!=` or `<>`.
    NotEqual,
    /// Between two values; a minus also before one.
    Arithmetic(Arithmetic),
    Open,
    Close,
    Comma,
    End,
}

/// A token and where it stands, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The tokens of a text. After `End` comes `End` again.
pub(super) struct Lexer<'t> {
    text: &'t str,
    at: usize,
    path_steps_max: usize,
    /// Whether the token before was a value or its end: a sign that follows is an operator, not a number's.
    is_after_value: bool,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str, path_steps_max: usize) -> Self {
        Lexer { text, at: 0, path_steps_max, is_after_value: false }
    }

    /// The text that is read.
    pub(super) fn text(&self) -> &'t str {
        self.text
    }

    /// The next token, or a `FILTER` error where none begins.
    pub(super) fn next(&mut self) -> Result<Token> {
        let rest = &self.text[self.at..];
        let start = self.text.len() - rest.trim_start().len();
        let (kind, end) = self.read(start)?;
        self.at = end;
        self.is_after_value = matches!(
            kind,
            Kind::Subject(_)
                | Kind::String(_)
                | Kind::Number(_)
                | Kind::Param(_)
                | Kind::Close
                | Kind::Keyword(Keyword::True | Keyword::False)
        );
        Ok(Token { kind, start, end })
    }

    fn read(&self, start: usize) -> Result<(Kind, usize)> {
        let bytes = self.text.as_bytes();
        let Some(&first) = bytes.get(start) else { return Ok((Kind::End, start)) };
        let second = bytes.get(start + 1).copied();
        let one = |kind| Ok((kind, start + 1));
        let two = |kind| Ok((kind, start + 2));
        match (first, second) {
            (b'(', _) => one(Kind::Open),
            (b')', _) => one(Kind::Close),
            (b',', _) => one(Kind::Comma),
            (b'=', _) => one(Kind::Cmp(Cmp::Eq)),
            (b'!', Some(b'=')) | (b'<', Some(b'>')) => two(Kind::NotEqual),
            (b'<', Some(b'=')) => two(Kind::Cmp(Cmp::Le)),
            (b'>', Some(b'=')) => two(Kind::Cmp(Cmp::Ge)),
            (b'<', _) => one(Kind::Cmp(Cmp::Lt)),
            (b'>', _) => one(Kind::Cmp(Cmp::Gt)),
            (b'\'', _) => self.string(start),
            (b'$', _) => self.param(start),
            (b'@', _) => self.element(start),
            (b'*', _) => one(Kind::Arithmetic(Arithmetic::Mul)),
            (b'/', _) => one(Kind::Arithmetic(Arithmetic::Div)),
            (b'%', _) => one(Kind::Arithmetic(Arithmetic::Rem)),
            (b'+', _) if self.is_after_value => one(Kind::Arithmetic(Arithmetic::Add)),
            (b'-', _) if self.is_after_value => one(Kind::Arithmetic(Arithmetic::Sub)),
            (b'-', Some(b'0'..=b'9')) | (b'+' | b'0'..=b'9', _) => self.number(start),
            (b'-', _) => one(Kind::Arithmetic(Arithmetic::Sub)),
            _ => self.word(start),
        }
    }

    fn string(&self, open: usize) -> Result<(Kind, usize)> {
        let start = open + 1;
        let mut at = start;
        while let Some(found) = self.text[at..].find('\'') {
            let close = at + found;
            if self.text.as_bytes().get(close + 1) == Some(&b'\'') {
                at = close + 2;
                continue;
            }
            let text = self.text[start..close].replace("''", "'");
            return Ok((Kind::String(text.into()), close + 1));
        }
        Err(Error::filter(open, "a string without its closing quote"))
    }

    fn param(&self, dollar: usize) -> Result<(Kind, usize)> {
        match Path::scan_plain(self.text, dollar + 1) {
            Some(end) => Ok((Kind::Param(self.text[dollar + 1..end].into()), end)),
            None => Err(Error::filter(dollar, "a $ without the name of a parameter")),
        }
    }

    /// Takes all that could belong to a number, so that `5abc` and `1.2.3` are told as one mistake.
    fn number(&self, start: usize) -> Result<(Kind, usize)> {
        let bytes = self.text.as_bytes();
        let mut end = start + 1;
        while let Some(&byte) = bytes.get(end) {
            let is_sign = matches!(byte, b'+' | b'-') && matches!(bytes[end - 1], b'e' | b'E');
            if !(is_sign || byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_')) {
                break;
            }
            end += 1;
        }
        let text = &self.text[start..end];
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        if !is_number(unsigned.as_bytes()) {
            let hint = hint::for_number(self.text, start);
            let what = format!("{} is no number at position {start}{hint}", excerpt(text));
            return Err(Error::new(Code::Filter, what));
        }
        Ok((Kind::Number(text.strip_prefix('+').unwrap_or(text).into()), end))
    }

    /// `@`, the element that ANY or ALL asks about, and what it leads to.
    fn element(&self, start: usize) -> Result<(Kind, usize)> {
        let (path, end) =
            Path::scan_more(self.text, start + 1, Vec::new(), self.path_steps_max, Code::Filter)?;
        self.refuse_inner_keywords(start, end)?;
        Ok((Kind::Subject(Subject::Path(path)), end))
    }

    fn word(&self, start: usize) -> Result<(Kind, usize)> {
        let rest = &self.text[start..];
        if !rest.starts_with('`') && Path::scan_plain(self.text, start).is_none() {
            let letter = rest.chars().next().expect("the caller saw a byte here");
            let hint = hint::for_letter(letter);
            let what = format!("unexpected {letter:?} at position {start}{hint}");
            return Err(Error::new(Code::Filter, what));
        }
        let first = Path::scan_name(self.text, start, Code::Filter)?;
        let is_dotted = matches!(self.text.as_bytes().get(first.end), Some(b'.' | b'['));
        if !first.quoted {
            match Keyword::of(&first.text) {
                Some(keyword) if is_dotted => return Err(reserved(keyword, start)),
                Some(keyword) => return Ok((Kind::Keyword(keyword), first.end)),
                None => {}
            }
            match Meta::of(&first.text) {
                Some(meta) if !is_dotted => {
                    return Ok((Kind::Subject(Subject::Meta(meta)), first.end));
                }
                Some(meta) => {
                    let what = format!("{} is one value and has no parts", meta.name());
                    return Err(Error::filter(start, what));
                }
                None => {}
            }
            if first.text.starts_with('_') {
                return Err(no_metadata(&first.text, start));
            }
        }
        let (path, end) = Path::scan_steps(self.text, first, self.path_steps_max, Code::Filter)?;
        self.refuse_inner_keywords(start, end)?;
        Ok((Kind::Subject(Subject::Path(path)), end))
    }

    /// `a.in` is an error as `in` is, so that a keyword to come can never change what a text means.
    fn refuse_inner_keywords(&self, start: usize, end: usize) -> Result<()> {
        let mut is_quoted = false;
        for (at, byte) in self.text[start..end].bytes().enumerate() {
            is_quoted ^= byte == b'`';
            if byte != b'.' || is_quoted {
                continue;
            }
            let name_at = start + at + 1;
            let name_end = Path::scan_plain(self.text, name_at);
            let keyword = name_end.and_then(|end| Keyword::of(&self.text[name_at..end]));
            if let Some(keyword) = keyword {
                return Err(reserved(keyword, name_at));
            }
        }
        Ok(())
    }
}

/// The error that `name` begins as metadata do and is none of them.
pub(super) fn no_metadata(name: &str, position: usize) -> Error {
    let what = format!(
        "{0} is none of the metadata {1} (a member of that name is `{0}` in back-quotes)",
        excerpt(name),
        Meta::ALL.map(Meta::name).join(" ")
    );
    Error::filter(position, what)
}

fn reserved(keyword: Keyword, position: usize) -> Error {
    let what = format!("{} as a name stands in back-quotes, found without", keyword.text());
    Error::filter(position, what)
}

/// Whether `text` is a JSON number without its sign.
pub(super) fn is_number(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let whole = digits(text);
    if whole == 0 || (whole > 1 && text[0] == b'0') {
        return false;
    }
    let mut rest = &text[whole..];
    if let [b'.', after @ ..] = rest {
        let fraction = digits(after);
        if fraction == 0 {
            return false;
        }
        rest = &after[fraction..];
    }
    if let [b'e' | b'E', after @ ..] = rest {
        let after = if let [b'+' | b'-', after @ ..] = after { after } else { after };
        let exponent = digits(after);
        return exponent > 0 && exponent == after.len();
    }
    rest.is_empty()
}

/// The beginning of a text for an error message, on one line.
pub(crate) fn excerpt(text: &str) -> String {
    const LETTERS_MAX: usize = 40;
    let mut out = String::new();
    for (count, letter) in text.chars().enumerate() {
        if count == LETTERS_MAX {
            out.push_str("..");
            break;
        }
        if letter.is_control() {
            out.extend(letter.escape_default());
        } else {
            out.push(letter);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind> {
        let mut lexer = Lexer::new(text, 8);
        let mut kinds = Vec::new();
        loop {
            match lexer.next().unwrap().kind {
                Kind::End => return kinds,
                kind => kinds.push(kind),
            }
        }
    }

    fn error(text: &str) -> String {
        let mut lexer = Lexer::new(text, 8);
        loop {
            match lexer.next() {
                Ok(token) => assert_ne!(token.kind, Kind::End, "{text} has no error"),
                Err(error) => return error.to_string(),
            }
        }
    }

    #[test]
    fn reads_operators_without_white_space() {
        use Kind::{Close, Comma, NotEqual, Open};
        assert_eq!(
            kinds("(),= !=<>< <=>>="),
            [
                Open,
                Close,
                Comma,
                Kind::Cmp(Cmp::Eq),
                NotEqual,
                NotEqual,
                Kind::Cmp(Cmp::Lt),
                Kind::Cmp(Cmp::Le),
                Kind::Cmp(Cmp::Gt),
                Kind::Cmp(Cmp::Ge)
            ]
        );
    }

    #[test]
    fn reads_literals_and_parameters() {
        assert_eq!(kinds("'it''s'"), [Kind::String("it's".into())]);
        assert_eq!(kinds("''"), [Kind::String("".into())]);
        assert_eq!(kinds("''''"), [Kind::String("'".into())]);
        for number in ["0", "5", "-1.5", "1e3", "-0", "1E+3", "2.5e-7"] {
            assert_eq!(kinds(number), [Kind::Number(number.into())]);
        }
        assert_eq!(kinds("+5"), [Kind::Number("5".into())]);
        let sub = Kind::Arithmetic(Arithmetic::Sub);
        let number = |text: &str| Kind::Number(text.into());
        assert_eq!(
            kinds("1-1 -1"),
            [number("1"), sub.clone(), number("1"), sub.clone(), number("1")]
        );
        assert_eq!(
            kinds("(-1) - -1"),
            [Kind::Open, number("-1"), Kind::Close, sub.clone(), number("-1")]
        );
        assert_eq!(kinds("- 1"), [sub, number("1")]);
        assert_eq!(kinds("$min_1"), [Kind::Param("min_1".into())]);
    }

    #[test]
    fn keywords_in_any_case_unless_quoted() {
        assert_eq!(kinds("aNd"), [Kind::Keyword(Keyword::And)]);
        for keyword in Keyword::ALL {
            assert_eq!(kinds(keyword.text()), [Kind::Keyword(keyword)]);
        }
        let path = |text| Kind::Subject(Subject::Path(Path::parse(text, 8).unwrap()));
        assert_eq!(
            kinds("`and` a.`in`.b `_id` a._id"),
            ["and", "a.in.b", "_id", "a._id"].map(path)
        );
        assert_eq!(kinds("`a``.in`"), [path("`a``.in`")]);
    }

    #[test]
    fn tokens_know_their_bytes() {
        let mut lexer = Lexer::new("  größe >= 1", 8);
        let token = lexer.next().unwrap();
        assert_eq!((token.start, token.end), (2, 9));
        let token = lexer.next().unwrap();
        assert_eq!((token.start, token.end), (10, 12));
    }

    #[test]
    fn says_what_is_no_token() {
        assert_eq!(error("a = 'x"), "FILTER a string without its closing quote at position 4");
        assert_eq!(error("$ x"), "FILTER a $ without the name of a parameter at position 0");
        assert_eq!(error("$1"), "FILTER a $ without the name of a parameter at position 0");
        assert_eq!(error("a ! b"), "FILTER unexpected '!' at position 2; use NOT");
        assert_eq!(error("a\u{7} b"), "FILTER unexpected '\\u{7}' at position 1");
        assert_eq!(error(".5"), "FILTER unexpected '.' at position 0");
        for number in ["007", "5.", "5abc", "1e", "1.2.3", "+", "+-1", "1e+", "0x10", "-07"] {
            let excerpt = if number == "+-1" { "+" } else { number };
            assert_eq!(error(number), format!("FILTER {excerpt} is no number at position 0"));
        }
        assert_eq!(
            error("in.x"),
            "FILTER IN as a name stands in back-quotes, found without at position 0"
        );
        assert_eq!(
            error("a.Null"),
            "FILTER NULL as a name stands in back-quotes, found without at position 2"
        );
        assert_eq!(
            error("_ids = 1"),
            "FILTER _ids is none of the metadata _key _id _seq _version _created _updated _expires _deleted \
             _valid (a member of that name is `_ids` in back-quotes) at position 0"
        );
        assert_eq!(error("a.5"), "FILTER expected a name, found '5' at position 2");
        assert_eq!(
            error("a.b.c.d.e.f.g.h.i"),
            "TOOBIG a path of 9 steps exceeds the limit of 8 (folio.path-steps-max)"
        );
    }
}
