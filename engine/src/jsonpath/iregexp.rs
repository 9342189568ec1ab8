//! I-Regexp, RFC 9485: checked by its grammar, and written as the crate `regex` reads it.
//!
//! The grammar is a part of what that crate takes; all else (`\d`, `(?i)`, `a+?`, `\b`) is no I-Regexp. The dot matches
//! all but line feed and carriage return. `^` and `$` are anchors, as the compliance suite of RFC 9535 has them.

use std::iter::Peekable;
use std::str::Chars;

use crate::{Code, Error, Result};

/// Groups open at once: the compiler of the crate `regex` nests as deep, and refuses to at 250, four to a group.
const GROUPS_MAX: usize = 60;

/// The expression for the crate `regex`; none if `pattern` is no I-Regexp. Error: `TOOBIG` where it nests too deep.
pub(super) fn translate(pattern: &str) -> Result<Option<String>> {
    let mut translation = Translation { letters: pattern.chars().peekable(), out: String::new() };
    let mut groups = 0_usize;
    // Whether a quantifier may come.
    let mut is_atom = false;
    while let Some(letter) = translation.letters.next() {
        is_atom = match letter {
            '|' => {
                translation.out.push('|');
                false
            }
            '(' => {
                groups += 1;
                if groups > GROUPS_MAX {
                    let what = format!(
                        "a regular expression whose groups are {groups} deep exceeds the limit of {GROUPS_MAX}"
                    );
                    return Err(Error::new(Code::TooBig, what));
                }
                translation.out += "(?:";
                false
            }
            ')' if groups > 0 => {
                groups -= 1;
                translation.out.push(')');
                true
            }
            '*' | '+' | '?' | '{' if is_atom => {
                if translation.quantifier(letter).is_none() {
                    return Ok(None);
                }
                false
            }
            _ if translation.atom(letter).is_some() => true,
            _ => return Ok(None),
        };
    }
    Ok((groups == 0).then_some(translation.out))
}

struct Translation<'p> {
    letters: Peekable<Chars<'p>>,
    out: String,
}

impl Translation<'_> {
    /// A quantifier that begins with `letter`.
    fn quantifier(&mut self, letter: char) -> Option<()> {
        self.out.push(letter);
        if letter != '{' {
            return Some(());
        }
        if self.digits() == 0 {
            return None;
        }
        if self.letters.next_if_eq(&',').is_some() {
            self.out.push(',');
            self.digits();
        }
        self.letters.next_if_eq(&'}').map(|close| self.out.push(close))
    }

    fn digits(&mut self) -> usize {
        let mut count = 0;
        while let Some(digit) = self.letters.next_if(char::is_ascii_digit) {
            self.out.push(digit);
            count += 1;
        }
        count
    }

    /// A character, an escape, a dot or a class.
    fn atom(&mut self, letter: char) -> Option<()> {
        match letter {
            '.' => self.out += r"[^\n\r]",
            '[' => self.class()?,
            '\\' => self.escape()?,
            ')' | '*' | '+' | '?' | ']' | '{' | '}' => return None,
            letter => self.out.push(letter),
        }
        Some(())
    }

    /// What follows a backslash: a category, or a character.
    fn escape(&mut self) -> Option<()> {
        if let Some(sign) = self.letters.next_if(|letter| matches!(letter, 'p' | 'P')) {
            return self.category(sign);
        }
        let letter = self.escaped()?;
        self.literal(letter);
        Some(())
    }

    /// The character that stands for the one behind a backslash.
    fn escaped(&mut self) -> Option<char> {
        match self.letters.next()? {
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            letter => "()*+-.?[\\]^{|}".contains(letter).then_some(letter),
        }
    }

    fn literal(&mut self, letter: char) {
        self.out += &regex::escape(letter.encode_utf8(&mut [0; 4]));
    }

    /// `{Lu}` behind `\p` or `\P`: a general category of Unicode.
    fn category(&mut self, sign: char) -> Option<()> {
        self.letters.next_if_eq(&'{')?;
        let major = self.letters.next()?;
        let minors = match major {
            'L' => "lmotu",
            'M' => "cen",
            'N' => "dlo",
            'P' => "cdefios",
            'Z' => "lps",
            'S' => "ckmo",
            'C' => "cfno",
            _ => return None,
        };
        self.out.extend(['\\', sign, '{', major]);
        if let Some(minor) = self.letters.next_if(|letter| minors.contains(*letter)) {
            self.out.push(minor);
        }
        self.letters.next_if_eq(&'}').map(|close| self.out.push(close))
    }

    /// What follows the opening bracket of a class. A minus sign that means itself stands first or last.
    fn class(&mut self) -> Option<()> {
        self.out.push('[');
        if self.letters.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
        let mut is_first = true;
        loop {
            match self.letters.next()? {
                ']' if !is_first => {
                    self.out.push(']');
                    return Some(());
                }
                '-' if is_first || self.letters.peek() == Some(&']') => self.literal('-'),
                '\\' if matches!(self.letters.peek(), Some('p' | 'P')) => self.escape()?,
                letter => self.range(letter)?,
            }
            is_first = false;
        }
    }

    /// A character of a class, or two and all between them.
    fn range(&mut self, letter: char) -> Option<()> {
        let low = self.member(letter)?;
        self.literal(low);
        let mut ahead = self.letters.clone();
        let is_range = ahead.next() == Some('-') && ahead.next() != Some(']');
        if is_range {
            self.letters.next();
            let letter = self.letters.next()?;
            let high = self.member(letter)?;
            self.out.push('-');
            self.literal(high);
        }
        Some(())
    }

    fn member(&mut self, letter: char) -> Option<char> {
        match letter {
            '\\' => self.escaped(),
            '-' | '[' | ']' => None,
            letter => Some(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::*;

    fn translated(pattern: &str) -> Option<String> {
        translate(pattern).unwrap()
    }

    #[test]
    fn what_the_grammar_has_is_translated() {
        let cases = [
            ("", ""),
            ("a.b", r"a[^\n\r]b"),
            ("(a|)*", "(?:a|)*"),
            ("a{2}b{2,}c{2,3}", "a{2}b{2,}c{2,3}"),
            (r"\.\(\n", "\\.\\(\n"),
            (r"\p{Lu}\P{L}[\p{Nd}_]", r"\p{Lu}\P{L}[\p{Nd}_]"),
            ("[-a]", r"[\-a]"),
            ("[a-]", r"[a\-]"),
            ("[^a-z&&~~.]", r"[^a-z\&\&\~\~\.]"),
            (r"[\]-\^]", r"[\]-\^]"),
            ("^a$", "^a$"),
            ("é😀/\"#", "é😀/\"#"),
        ];
        for (pattern, expected) in cases {
            assert_eq!(translated(pattern).as_deref(), Some(expected), "{pattern}");
            Regex::new(expected).unwrap();
        }
    }

    #[test]
    fn what_it_does_not_have_is_none() {
        let cases = [
            "(",
            ")",
            "(?:a)",
            "(?i)a",
            "*",
            "a**",
            "a+?",
            "a{",
            "a{}",
            "a{,2}",
            "a{2}{3}",
            "a{2,3",
            "[",
            "[]",
            "[^]",
            "[a",
            "[a-b-c]",
            "[[a]]",
            "[a--]",
            "]",
            "}",
            "{",
            r"\d",
            r"\b",
            r"\$",
            r"\",
            r"\pL",
            r"\p{",
            r"\p{X}",
            r"\p{Lx}",
            r"\p{Greek}",
            r"[\d]",
            "a|*",
        ];
        for pattern in cases {
            assert_eq!(translated(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn groups_nest_to_a_limit() {
        let nested = |depth: usize| format!("{}{}", "(a|b".repeat(depth), "c)+".repeat(depth));
        let deepest = format!(r"\A(?:{})\z", translated(&nested(GROUPS_MAX)).unwrap());
        Regex::new(&deepest).unwrap();
        assert_eq!(
            translate(&nested(GROUPS_MAX + 1)).unwrap_err().to_string(),
            "TOOBIG a regular expression whose groups are 61 deep exceeds the limit of 60"
        );
    }

    proptest! {
        /// The only faults left are those of numbers and ranges.
        #[test]
        fn a_translation_is_an_expression(pattern in r"[a-c().*+?{}|\[\]\\^$pPLlu,0-9&~-]{0,12}") {
            if let Ok(Some(translated)) = translate(&pattern)
                && let Err(error) = Regex::new(&translated)
            {
                let error = error.to_string();
                let is_order = error.contains("invalid") && error.contains("range");
                let is_number = error.contains("repetition") || error.contains("decimal");
                let is_large = error.contains("size limit");
                prop_assert!(is_order || is_number || is_large, "{} {}", pattern, error);
            }
        }
    }
}
