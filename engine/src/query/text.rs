//! What a string has to look like: STARTS WITH, ENDS WITH, CONTAINS, LIKE, ILIKE, MATCHES.
//!
//! LIKE patterns become regular expressions, so that all of them are matched in time linear in the string. Of a field declared
//! NOCASE all of them are asked without the case of letters, as ILIKE is of any.

use std::fmt;

use regex::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::Look;
use regex_syntax::hir::literal::Extractor;

use super::ast::TextOp;
use super::filter::{Asked, Fact, Place};
use crate::index::need::Need;
use crate::schema::Scalar;
use crate::value::case::folded;
use crate::value::{Key, KeyBuf, KeyRange, KeySet};
use crate::{Code, Error, Limits, Result};

/// Some value at `path` is a string that looks as asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextTest {
    /// What the predicate looks at.
    pub place: Place,
    /// What the string has to look like.
    pub pattern: Pattern,
    /// The predicate as text, for EXPLAIN.
    pub text: Box<str>,
}

impl TextTest {
    /// Whether some string looks as asked.
    pub(super) fn holds(&self, asked: &mut Asked<'_, '_>) -> bool {
        if let Place::Meta(meta) = self.place {
            return match asked.candidate.fact(meta) {
                Fact::Bytes(bytes) => self.pattern.fits(&String::from_utf8_lossy(&bytes)),
                _ => false,
            };
        }
        let meter = asked.meter;
        asked.any(&self.place, |value| {
            let steps = value.bytes().len() / BYTES_A_STEP;
            meter.spend(steps as u32) && value.string().is_some_and(|text| self.pattern.fits(&text))
        })
    }
}

/// Bytes of a string that are looked at in a step.
const BYTES_A_STEP: usize = 16;

/// What a string has to look like, ready to be asked.
#[derive(Clone)]
pub struct Pattern {
    op: TextOp,
    /// As it was written.
    source: Box<str>,
    /// Whether the strings and the source are looked at without the case of their letters.
    folds_case: bool,
    /// None where the source is looked for as it is.
    regex: Option<Regex>,
}

impl Pattern {
    /// The pattern of what stands after `op`, asked of values of `scalar`. Errors: `FILTER`, and `TOOBIG` for a regular expression that takes more
    /// memory than the limit.
    pub fn new(op: TextOp, source: &str, scalar: Scalar, limits: &Limits) -> Result<Self> {
        let folds_case = op == TextOp::ILike || scalar == Scalar::NoCase;
        let regex = match op {
            TextOp::StartsWith | TextOp::EndsWith | TextOp::Contains => None,
            TextOp::Like | TextOp::ILike => Some(like(source)?),
            TextOp::Matches => Some(source.to_owned()),
        };
        let compiled = |regex: String| compiled(&regex, op, folds_case, op.name(), limits);
        let regex = regex.map(compiled).transpose()?;
        Ok(Pattern { op, source: source.into(), folds_case, regex })
    }

    /// Whether it is asked by a compiled expression.
    pub fn is_compiled(&self) -> bool {
        self.regex.is_some()
    }

    /// What PATTERN declares of a field: a regular expression that matches somewhere. Errors as those of MATCHES.
    pub fn declared(source: &str, limits: &Limits) -> Result<Self> {
        let (op, folds_case) = (TextOp::Matches, false);
        let regex = compiled(source, op, folds_case, "PATTERN", limits)?;
        Ok(Pattern { op, source: source.into(), folds_case, regex: Some(regex) })
    }

    /// As it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether `text` looks like it. O(text) times the size of the expression.
    pub fn fits(&self, text: &str) -> bool {
        let holds = |text: &str, part: &str| match self.op {
            TextOp::StartsWith => text.starts_with(part),
            TextOp::EndsWith => text.ends_with(part),
            _ => text.contains(part),
        };
        match &self.regex {
            Some(regex) => regex.is_match(text),
            None if self.folds_case => holds(&folded(text), &folded(&self.source)),
            None => holds(text, &self.source),
        }
    }

    /// What every string that fits must hold, as far as that is certain.
    pub fn need(&self) -> Option<Need> {
        match &self.regex {
            None => Need::of_text(&self.source),
            Some(regex) => Need::of_expression(regex.as_str(), self.folds_case),
        }
    }

    /// What strings that fit begin with, as keys under `scalar` tell: each with one of these; none where that is not certain,
    /// or nothing.
    pub fn beginnings(&self, scalar: Scalar) -> Vec<String> {
        match &self.regex {
            None if self.op == TextOp::StartsWith => vec![self.source.to_string()],
            None => Vec::new(),
            // Folded keys tell of letters of either case at once.
            Some(regex) => beginnings(regex.as_str(), self.folds_case && scalar != Scalar::NoCase),
        }
    }

    /// The keys under `scalar` of the strings that fit, where keys can tell: of those with one beginning, or of one string.
    pub fn keys(&self, scalar: Scalar) -> Option<KeySet> {
        match self.op {
            TextOp::StartsWith => Some(keys_from(&self.source, scalar)),
            TextOp::Like | TextOp::ILike if !self.folds_case || scalar == Scalar::NoCase => {
                let mut parts = parts(&self.source).peekable();
                let mut text = String::new();
                while let Some(Part::Letter(letter)) = parts.peek() {
                    text.push(*letter);
                    parts.next();
                }
                match (parts.next(), parts.all(|part| matches!(part, Part::Any))) {
                    (None, _) => {
                        let mut key = KeyBuf::default();
                        scalar.key_of_string(&text, &mut key);
                        Some(KeySet::points([key.as_ref().to_key()]))
                    }
                    (Some(Part::Any), true) => Some(keys_from(&text, scalar)),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// Beginnings that are told apart: those of an expression that ignores case are many.
const BEGINNINGS_MAX: usize = 16;

/// What the strings begin with that `expression` matches, which has to be tied to the beginning.
fn beginnings(expression: &str, ignores_case: bool) -> Vec<String> {
    let mut parser = ParserBuilder::new();
    let parser = parser.case_insensitive(ignores_case).dot_matches_new_line(true);
    let Ok(hir) = parser.build().parse(expression) else { return Vec::new() };
    if !hir.properties().look_set_prefix().contains(Look::Start) {
        return Vec::new();
    }
    let found = Extractor::new().limit_total(BEGINNINGS_MAX).extract(&hir);
    let literals = found.literals().unwrap_or_default();
    let texts = literals.iter().map(|it| str::from_utf8(it.as_bytes()).map(str::to_owned));
    let texts: Vec<String> = texts.collect::<Result<_, _>>().unwrap_or_default();
    let is_longer = |text: &str| texts.iter().any(|it| it != text && text.starts_with(&**it));
    let shortest: Vec<String> = texts.iter().filter(|it| !is_longer(it)).cloned().collect();
    if shortest.iter().any(String::is_empty) { Vec::new() } else { shortest }
}

/// The keys under `scalar` of the strings that begin with `prefix`: as bytes they stand together.
pub fn keys_from(prefix: &str, scalar: Scalar) -> KeySet {
    let folded = (scalar == Scalar::NoCase).then(|| folded(prefix));
    let prefix = folded.as_deref().unwrap_or(prefix);
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

fn compiled(
    regex: &str,
    op: TextOp,
    folds_case: bool,
    word: &str,
    limits: &Limits,
) -> Result<Regex> {
    let is_like = matches!(op, TextOp::Like | TextOp::ILike);
    let mut builder = RegexBuilder::new(regex);
    builder.size_limit(limits.regex_bytes_max);
    builder.dot_matches_new_line(is_like).case_insensitive(folds_case);
    builder.build().map_err(|error| match error {
        regex::Error::CompiledTooBig(most) => {
            let what = format!(
                "the pattern after {word} takes more than the limit of {most} bytes (folio.regex-bytes-max)"
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
        (self.op, &self.source, self.folds_case) == (other.op, &other.source, other.folds_case)
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
        Pattern::new(op, source, Scalar::String, &Limits::default()).unwrap().fits(text)
    }

    fn error(op: TextOp, source: &str) -> String {
        Pattern::new(op, source, Scalar::String, &Limits::default()).unwrap_err().to_string()
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
        let under = |op, source, scalar| {
            Pattern::new(op, source, scalar, &Limits::default()).unwrap().beginnings(scalar)
        };
        let of = |op, source| under(op, source, Scalar::String);
        assert_eq!(of(TextOp::Like, r"a\%b%c"), ["a%b"]);
        assert_eq!(of(TextOp::Like, "_b"), [""; 0]);
        assert_eq!(of(TextOp::StartsWith, "a%"), ["a%"]);
        assert_eq!(of(TextOp::Contains, "a"), [""; 0]);
        assert_eq!(of(TextOp::ILike, "ab%"), ["AB", "Ab", "aB", "ab"]);
        assert_eq!(of(TextOp::Matches, "^abc"), ["abc"]);
        assert_eq!(of(TextOp::Matches, r"\Ax(ab|cd)*"), ["x"]);
        assert_eq!(of(TextOp::Matches, "^(north|south) side"), ["north side", "south side"]);
        assert_eq!(of(TextOp::Matches, "^a|^b"), ["a", "b"]);
        assert_eq!(under(TextOp::ILike, "aB%", Scalar::NoCase), ["aB"]);
        assert_eq!(under(TextOp::Like, "aB_", Scalar::NoCase), ["aB"]);
        assert_eq!(under(TextOp::Matches, "^aB", Scalar::NoCase), ["aB"]);
        assert_eq!(under(TextOp::Matches, "(?i)^ab", Scalar::String), ["AB", "Ab", "aB", "ab"]);
        for free in ["abc", "(?m)^abc", "^a|b", "^", "^a*", ".^a", "^[a-z]"] {
            assert_eq!(of(TextOp::Matches, free), [""; 0], "{free}");
        }
    }

    #[test]
    fn keys_tell_of_one_beginning_and_of_one_string() {
        let under = |op, source, scalar| {
            Pattern::new(op, source, scalar, &Limits::default()).unwrap().keys(scalar)
        };
        let keys = |op, source| under(op, source, Scalar::String);
        assert_eq!(keys(TextOp::Like, "abc%"), Some(keys_from("abc", Scalar::String)));
        assert_eq!(keys(TextOp::Like, "%%"), Some(keys_from("", Scalar::String)));
        assert!(keys(TextOp::Like, "abc").unwrap().as_point().is_some());
        for open in ["%a", "a_", "a%b", "a%_"] {
            assert_eq!(keys(TextOp::Like, open), None, "{open}");
        }
        assert_eq!(keys(TextOp::ILike, "abc%"), None);
        let folded = under(TextOp::ILike, "aBc%", Scalar::NoCase);
        assert_eq!(folded, Some(keys_from("ABC", Scalar::NoCase)));
        let one = |source| under(TextOp::Like, source, Scalar::NoCase);
        assert!(one("abc").unwrap().as_point().is_some() && one("abc") == one("ABC"));
    }

    proptest! {
        #[test]
        fn keys_of_a_beginning_are_those_of_the_strings_that_have_it(
            prefix in "[a-b\u{0}é😀\u{10ffff}]{0,7}",
            rest in ".{0,6}",
            other in "[a-c\u{0}é😀\u{10ffff}]{0,9}",
        ) {
            let keys = keys_from(&prefix, Scalar::String);
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
