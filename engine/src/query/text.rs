//! What a string has to look like: STARTS WITH, ENDS WITH, CONTAINS, LIKE, ILIKE, MATCHES.
//!
//! LIKE patterns become regular expressions, so that all of them are matched in time linear in the string, and ILIKE
//! folds case as the crate `regex` does (Unicode's simple case folding).

use std::fmt;

use regex::{Regex, RegexBuilder};

use super::ast::TextOp;
use crate::doc::DocRef;
use crate::path::Path;
use crate::value::{Key, KeyBuf, KeyRange, KeySet, Raw};
use crate::{Code, Error, Limits, Result};

/// Some value at `path` is a string that looks as asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextTest {
    /// What the predicate looks at.
    pub path: Path,
    /// What the string has to look like.
    pub pattern: Pattern,
    /// The predicate as text, for EXPLAIN.
    pub text: Box<str>,
}

impl TextTest {
    /// Whether a string that the path leads to in `doc` looks as asked.
    pub fn matches(&self, doc: DocRef<'_>) -> bool {
        let holds = |value: Raw<'_>| value.string().is_some_and(|text| self.pattern.fits(&text));
        if self.path.is_multi() {
            self.path.values(doc).any(holds)
        } else {
            self.path.first(doc).is_some_and(holds)
        }
    }
}

/// What a string has to look like, ready to be asked.
#[derive(Clone)]
pub struct Pattern {
    op: TextOp,
    /// As it was written.
    source: Box<str>,
    /// None where the source is looked for as it is.
    regex: Option<Regex>,
}

impl Pattern {
    /// The pattern of what stands after `op`. Errors: `FILTER`, and `TOOBIG` for a regular expression that takes more
    /// memory than the limit.
    pub fn new(op: TextOp, source: &str, limits: &Limits) -> Result<Self> {
        let regex = match op {
            TextOp::StartsWith | TextOp::EndsWith | TextOp::Contains => None,
            TextOp::Like | TextOp::ILike => Some(like(source)?),
            TextOp::Matches => Some(source.to_owned()),
        };
        let regex = regex.map(|regex| compiled(&regex, op, limits)).transpose()?;
        Ok(Pattern { op, source: source.into(), regex })
    }

    /// Whether `text` looks like it. O(text) times the size of the expression.
    pub fn fits(&self, text: &str) -> bool {
        match (&self.regex, self.op) {
            (Some(regex), _) => regex.is_match(text),
            (None, TextOp::StartsWith) => text.starts_with(&*self.source),
            (None, TextOp::EndsWith) => text.ends_with(&*self.source),
            (None, _) => text.contains(&*self.source),
        }
    }

    /// What every string that fits begins with.
    pub fn prefix(&self) -> String {
        match self.op {
            TextOp::StartsWith => self.source.to_string(),
            TextOp::Like => {
                let letter =
                    |part| if let Part::Letter(letter) = part { Some(letter) } else { None };
                parts(&self.source).map_while(letter).collect()
            }
            _ => String::new(),
        }
    }

    /// Whether every string with that beginning fits.
    pub fn is_prefix(&self) -> bool {
        self.op == TextOp::StartsWith
    }
}

/// The keys of the strings that begin with `prefix`: as bytes they stand together.
pub fn keys_from(prefix: &str) -> KeySet {
    let mut buf = KeyBuf::default();
    let mut key = |bytes: &[u8]| {
        buf.set_string(bytes);
        buf.as_ref().to_key()
    };
    let low = key(prefix.as_bytes());
    let mut after = prefix.as_bytes().to_vec();
    let high = match after.last_mut() {
        // No byte of UTF-8 is the greatest.
        Some(last) => {
            *last += 1;
            key(&after)
        }
        None => Key::STRING_END,
    };
    KeySet::range(KeyRange { low, low_included: true, high, high_included: false })
}

fn compiled(regex: &str, op: TextOp, limits: &Limits) -> Result<Regex> {
    let is_like = matches!(op, TextOp::Like | TextOp::ILike);
    let mut builder = RegexBuilder::new(regex);
    builder.size_limit(limits.regex_bytes_max);
    builder.dot_matches_new_line(is_like).case_insensitive(op == TextOp::ILike);
    builder.build().map_err(|error| match error {
        regex::Error::CompiledTooBig(most) => {
            let what = format!(
                "the pattern after {} takes more than the limit of {most} bytes (folio.regex-bytes-max)",
                op.name()
            );
            Error::new(Code::TooBig, what)
        }
        error => {
            // The last of several lines says what is wrong; those before draw where.
            let text = error.to_string();
            let what = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
            Error::new(Code::Filter, format!("no regular expression: {what}"))
        }
    })
}

/// A part of a LIKE pattern.
enum Part {
    Letter(char),
    /// `_`
    One,
    /// `%`
    Any,
}

fn parts(source: &str) -> impl Iterator<Item = Part> {
    let mut letters = source.chars();
    std::iter::from_fn(move || {
        Some(match letters.next()? {
            '%' => Part::Any,
            '_' => Part::One,
            '\\' => Part::Letter(letters.next()?),
            letter => Part::Letter(letter),
        })
    })
}

/// The regular expression of a LIKE pattern.
fn like(source: &str) -> Result<String> {
    let backslashes = source.len() - source.trim_end_matches('\\').len();
    if backslashes % 2 == 1 {
        let what = "a LIKE pattern ends in a single backslash; write two for one that is meant";
        return Err(Error::new(Code::Filter, what));
    }
    let mut regex = String::from(r"\A");
    for part in parts(source) {
        match part {
            Part::Letter(letter) => regex += &regex::escape(letter.encode_utf8(&mut [0; 4])),
            Part::One => regex.push('.'),
            Part::Any => regex += ".*",
        }
    }
    regex += r"\z";
    Ok(regex)
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        (self.op, &self.source) == (other.op, &other.source)
    }
}

impl Eq for Pattern {}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.op.name(), self.source)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::value::Raw;

    fn fits(op: TextOp, source: &str, text: &str) -> bool {
        Pattern::new(op, source, &Limits::default()).unwrap().fits(text)
    }

    fn error(op: TextOp, source: &str) -> String {
        Pattern::new(op, source, &Limits::default()).unwrap_err().to_string()
    }

    #[test]
    fn like_stands_for_the_whole_string() {
        let cases = [
            ("", "", true),
            ("", "a", false),
            ("a%w", "a\nnew", true),
            ("a%w", "andre", false),
            ("_", "é", true),
            ("_", "😀", true),
            ("__", "é", false),
            ("%", "", true),
            (r"100\%", "100%", true),
            (r"100\%", "1000", false),
            (r"a\_b\\", r"a_b\", true),
            (r"\x", "x", true),
            ("a.c", "abc", false),
            ("(a|b)*", "(a|b)*", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(fits(TextOp::Like, pattern, text), expected, "{pattern} {text}");
        }
        assert!(fits(TextOp::ILike, "STRASSE", "strasse"));
        assert!(!fits(TextOp::ILike, "STRASSE", "straße"));
        assert!(fits(TextOp::ILike, "k%", "\u{212a}elvin"));
        assert!(!fits(TextOp::Like, "k%", "Kelvin"));
        assert!(error(TextOp::Like, r"a\").starts_with("FILTER a LIKE pattern ends"));
        assert!(error(TextOp::ILike, r"a\\\").starts_with("FILTER"));
    }

    #[test]
    fn expressions_match_anywhere() {
        assert!(fits(TextOp::Matches, "b", "abc"));
        assert!(fits(TextOp::Matches, "^A.*w$", "Andrew"));
        assert!(!fits(TextOp::Matches, "^A.*w$", "A\nw"));
        assert_eq!(error(TextOp::Matches, "a("), "FILTER no regular expression: unclosed group");
        assert!(error(TextOp::Matches, r"(a)\1").contains("backreferences are not supported"));
        let large = error(TextOp::Matches, "(?:a{1000}){1000}");
        assert!(large.starts_with("TOOBIG ") && large.contains("folio.regex-bytes-max"), "{large}");
    }

    #[test]
    fn a_pattern_says_what_strings_begin_with() {
        let prefix = |op, source| Pattern::new(op, source, &Limits::default()).unwrap().prefix();
        assert_eq!(prefix(TextOp::Like, r"a\%b%c"), "a%b");
        assert_eq!(prefix(TextOp::Like, "_b"), "");
        assert_eq!(prefix(TextOp::ILike, "ab%"), "");
        assert_eq!(prefix(TextOp::StartsWith, "a%"), "a%");
        assert_eq!(prefix(TextOp::Contains, "a"), "");
    }

    proptest! {
        #[test]
        fn keys_of_a_beginning_are_those_of_the_strings_that_have_it(
            prefix in "[a-b\u{0}é😀\u{10ffff}]{0,7}",
            rest in ".{0,6}",
            other in "[a-c\u{0}é😀\u{10ffff}]{0,9}",
        ) {
            let keys = keys_from(&prefix);
            let mut buf = KeyBuf::default();
            for text in [format!("{prefix}{rest}"), other] {
                buf.set_string(text.as_bytes());
                prop_assert_eq!(keys.contains(buf.as_ref()), text.starts_with(&prefix), "{}", text);
            }
            for json in ["null", "true", "1e300", "[]", "{}", "[\"a\"]"] {
                buf.set_json(Raw::new(json.as_bytes()));
                prop_assert!(!keys.contains(buf.as_ref()), "{}", json);
            }
        }
    }
}
