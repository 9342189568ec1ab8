//! Paths as text: read by hand in one pass, and written so that they read back.
//!
//! ```text
//!   path  := name step*
//!   step  := '.' name | '[' digits ']' | '[*]'
//!   name  := (letter | '_') (letter | digit | '_')*  |  '`' any, '`' doubled '`'
//! ```
//!
//! No white space within. The filter's lexer reads its paths here too, so that a path cannot mean
//! two things. Keywords and a leading `_` are names like any other in a path that stands alone; a
//! filter reserves them, so `Display` puts them in back-quotes, and what it writes reads the same
//! in both places.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use super::{Path, Step};
use crate::{Code, Error, Result};

/// One name of a path, as read.
pub(crate) struct Name<'t> {
    /// Without back-quotes.
    pub(crate) text: Cow<'t, str>,
    /// Whether it stood in back-quotes.
    pub(crate) quoted: bool,
    /// Where the text goes on.
    pub(crate) end: usize,
}

impl Path {
    /// The words that a filter reads as its own unless they stand in back-quotes, in any case.
    pub(crate) const KEYWORDS: [&'static str; 21] = [
        "AND", "OR", "NOT", "IN", "BETWEEN", "HAS", "IS", "NULL", "MISSING", "TRUE", "FALSE",
        "LIKE", "ILIKE", "CONTAINS", "STARTS", "ENDS", "MATCHES", "ANY", "ALL", "WHERE", "WITH",
    ];

    /// Reads a path of at most `steps_max` steps. An error has code `Path` and the byte at which
    /// reading stopped, or code `TooBig`. O(bytes).
    pub fn parse(text: &str, steps_max: usize) -> Result<Path> {
        let first = Path::scan_name(text, 0, Code::Path)?;
        let (path, end) = Path::scan_steps(text, first, steps_max, Code::Path)?;
        if end < text.len() {
            let mut error = expected(Code::Path, "'.' or '['", text, end);
            if text[end..].starts_with('-') {
                error.message =
                    format!("{}; a name with '-' takes back-quotes", error.message).into();
            }
            return Err(error);
        }
        Ok(path)
    }

    /// Reads a name at byte `at`; an error has `code`.
    pub(crate) fn scan_name(text: &str, at: usize, code: Code) -> Result<Name<'_>> {
        if text[at..].starts_with('`') {
            return scan_quoted(text, at, code);
        }
        match Path::scan_plain(text, at) {
            Some(end) => Ok(Name { text: Cow::Borrowed(&text[at..end]), quoted: false, end }),
            None => Err(expected(code, "a name", text, at)),
        }
    }

    /// Where the name without back-quotes ends that begins at byte `at`, if one does.
    pub(crate) fn scan_plain(text: &str, at: usize) -> Option<usize> {
        let rest = &text[at..];
        if !rest.starts_with(is_name_start) {
            return None;
        }
        Some(at + rest.find(|letter| !is_name_part(letter)).unwrap_or(rest.len()))
    }

    /// Reads what follows the `first` name of a path; gives the path and where it ends.
    pub(crate) fn scan_steps(
        text: &str,
        first: Name<'_>,
        steps_max: usize,
        code: Code,
    ) -> Result<(Path, usize)> {
        let steps = vec![Step::Name(first.text.into())];
        Path::scan_more(text, first.end, steps, steps_max, code)
    }

    /// Reads the steps that begin at byte `at`, after `steps`.
    pub(crate) fn scan_more(
        text: &str,
        mut at: usize,
        mut steps: Vec<Step>,
        steps_max: usize,
        code: Code,
    ) -> Result<(Path, usize)> {
        loop {
            let step = match text.as_bytes().get(at) {
                Some(b'.') => {
                    let name = Path::scan_name(text, at + 1, code)?;
                    at = name.end;
                    Step::Name(name.text.into())
                }
                Some(b'[') => {
                    let (step, end) = scan_brackets(text, at, code)?;
                    at = end;
                    step
                }
                _ => return Ok((Path::new(steps), at)),
            };
            if steps.len() >= steps_max {
                let count = steps.len() + 1;
                return Err(Error::new(
                    Code::TooBig,
                    format!(
                        "a path of {count} steps exceeds the limit of {steps_max} (folio.path-steps-max)"
                    ),
                ));
            }
            steps.push(step);
        }
    }
}

fn is_name_start(letter: char) -> bool {
    letter == '_' || letter.is_alphabetic()
}

fn is_name_part(letter: char) -> bool {
    letter == '_' || letter.is_alphanumeric()
}

fn scan_quoted(text: &str, open: usize, code: Code) -> Result<Name<'_>> {
    let start = open + 1;
    let mut at = start;
    while let Some(found) = text[at..].find('`') {
        let close = at + found;
        if text.as_bytes().get(close + 1) == Some(&b'`') {
            at = close + 2;
            continue;
        }
        let inner = &text[start..close];
        let name = if inner.contains('`') {
            Cow::Owned(inner.replace("``", "`"))
        } else {
            Cow::Borrowed(inner)
        };
        return Ok(Name { text: name, quoted: true, end: close + 1 });
    }
    Err(Error::new(code, format!("a name without its closing back-quote at position {open}")))
}

/// `[*]` or `[7]`, whose bracket opens at `open`.
fn scan_brackets(text: &str, open: usize, code: Code) -> Result<(Step, usize)> {
    let start = open + 1;
    let digits = text[start..].bytes().take_while(u8::is_ascii_digit).count();
    let (step, end) = if text[start..].starts_with('*') {
        (Step::Each, start + 1)
    } else if digits > 0 {
        let end = start + digits;
        let index = text[start..end].parse().map_err(|_| {
            Error::new(code, format!("an index beyond {} at position {start}", u32::MAX))
        })?;
        (Step::Index(index), end)
    } else {
        return Err(expected(code, "an index or '*'", text, start));
    };
    if text.as_bytes().get(end) != Some(&b']') {
        return Err(expected(code, "']'", text, end));
    }
    Ok((step, end + 1))
}

/// The error that something else stands at byte `at` of `text` than `what`.
pub(crate) fn expected(code: Code, what: &str, text: &str, at: usize) -> Error {
    let message = match text[at..].chars().next() {
        Some(letter) => format!("expected {what}, found {letter:?} at position {at}"),
        None => format!("expected {what}, found the end at position {at}"),
    };
    Error::new(code, message)
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !matches!(self.steps().first(), Some(Step::Name(_))) {
            // From the element of an array.
            f.write_char('@')?;
        }
        for (at, step) in self.steps().iter().enumerate() {
            match step {
                Step::Name(name) => {
                    if at > 0 {
                        f.write_char('.')?;
                    }
                    write_name(name, at == 0, f)?;
                }
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Each => f.write_str("[*]")?,
            }
        }
        Ok(())
    }
}

fn write_name(name: &str, is_first: bool, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let is_plain = Path::scan_plain(name, 0) == Some(name.len())
        && !(is_first && name.starts_with('_'))
        && !Path::KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(name));
    if is_plain { f.write_str(name) } else { write!(f, "`{}`", name.replace('`', "``")) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> Step {
        Step::Name(text.into())
    }

    fn error(text: &str) -> String {
        Path::parse(text, 4).unwrap_err().to_string()
    }

    #[test]
    fn reads_every_kind_of_step() {
        let cases: [(&str, &[Step]); 9] = [
            ("age", &[name("age")]),
            ("address.city", &[name("address"), name("city")]),
            ("tags[0]", &[name("tags"), Step::Index(0)]),
            ("items[*].sku", &[name("items"), Step::Each, name("sku")]),
            ("a[1][*]", &[name("a"), Step::Index(1), Step::Each]),
            ("`first name`.x", &[name("first name"), name("x")]),
            ("`a``b`", &[name("a`b")]),
            ("``.`.`", &[name(""), name(".")]),
            ("größe2._x", &[name("größe2"), name("_x")]),
        ];
        for (text, steps) in cases {
            let path = Path::parse(text, 4).unwrap();
            assert_eq!(path.steps(), steps, "{text}");
            assert_eq!(path.to_string(), text);
        }
        assert_eq!(Path::parse("_id.in", 4).unwrap().to_string(), "`_id`.`in`");
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        assert_eq!(error(""), "PATH expected a name, found the end at position 0");
        assert_eq!(error("5"), "PATH expected a name, found '5' at position 0");
        assert_eq!(error("a."), "PATH expected a name, found the end at position 2");
        assert_eq!(error("a b"), "PATH expected '.' or '[', found ' ' at position 1");
        assert_eq!(
            error("a-b"),
            "PATH expected '.' or '[', found '-' at position 1; a name with '-' takes back-quotes"
        );
        assert_eq!(error("a[]"), "PATH expected an index or '*', found ']' at position 2");
        assert_eq!(error("a[-1]"), "PATH expected an index or '*', found '-' at position 2");
        assert_eq!(error("a[1"), "PATH expected ']', found the end at position 3");
        assert_eq!(error("a[4294967296]"), "PATH an index beyond 4294967295 at position 2");
        assert_eq!(error("a.`b"), "PATH a name without its closing back-quote at position 2");
        assert_eq!(
            error("a.b.c.d.e"),
            "TOOBIG a path of 5 steps exceeds the limit of 4 (folio.path-steps-max)"
        );
    }

    fn any_path() -> impl Strategy<Value = Path> {
        let name = prop_oneof![
            "[a-z_][a-z0-9_-]{0,4}",
            ".{0,4}",
            "[`. \\[]{0,3}",
            prop::sample::select(&Path::KEYWORDS[..]).prop_map(str::to_lowercase),
        ];
        let name = name.prop_map(|text| Step::Name(text.into()));
        let step = prop_oneof![name.clone(), any::<u32>().prop_map(Step::Index), Just(Step::Each)];
        (name, prop::collection::vec(step, 0..5))
            .prop_map(|(first, rest)| Path::new(std::iter::once(first).chain(rest).collect()))
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(path in any_path()) {
            prop_assert_eq!(Path::parse(&path.to_string(), 8).unwrap(), path);
        }

        #[test]
        fn no_text_panics(text in any::<String>(), soup in "[a`.\\[\\]*0-9é]{0,12}") {
            let _ = Path::parse(&text, 8);
            if let Ok(path) = Path::parse(&soup, 8) {
                prop_assert_eq!(Path::parse(&path.to_string(), 8).unwrap(), path);
            }
        }
    }
}
