//! Texts such as `quantile(price, 0.5)`: a word, and what stands in its parentheses.

use crate::query::excerpt;
use crate::query::{Operand, parse_operand};
use crate::{Code, Error, Limits, Result};

/// One argument, and the byte of the whole text at which it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argument<'t> {
    /// Without the white space around it.
    pub text: &'t str,
    /// Where it begins.
    pub at: usize,
}

/// A text that was taken apart.
#[derive(Debug, PartialEq, Eq)]
pub struct Call<'t> {
    /// What stands before the parenthesis.
    pub word: &'t str,
    /// What stands between commas; none where nothing does.
    pub arguments: Vec<Argument<'t>>,
}

impl<'t> Call<'t> {
    /// Takes a text apart; none where it is no word with parentheses to its end. O(bytes).
    pub fn read(text: &'t str) -> Option<Call<'t>> {
        let open = text.find('(')?;
        let word = text[..open].trim();
        let is_of_word = |letter: char| letter.is_ascii_alphanumeric() || "._".contains(letter);
        let is_word = !word.is_empty() && word.chars().all(is_of_word);
        let end = text.trim_end().strip_suffix(')')?.len();
        if !is_word || end <= open {
            return None;
        }
        let mut arguments = Vec::new();
        let (mut depth, mut quote, mut from) = (0usize, None, open + 1);
        for (at, letter) in text[..end].char_indices().skip_while(|(at, _)| *at <= open) {
            if let Some(end) = quote {
                quote = (letter != end).then_some(end);
                continue;
            }
            match letter {
                '\'' | '`' => quote = Some(letter),
                '(' => depth += 1,
                // Closed before its end: the text is no single call.
                ')' => depth = depth.checked_sub(1)?,
                ',' if depth == 0 => {
                    arguments.push(Argument::of(text, from, at));
                    from = at + 1;
                }
                _ => {}
            }
        }
        let last = Argument::of(text, from, end);
        if !arguments.is_empty() || !last.text.is_empty() {
            arguments.push(last);
        }
        Some(Call { word, arguments })
    }
}

impl<'t> Argument<'t> {
    fn of(text: &'t str, from: usize, end: usize) -> Self {
        let part = &text[from..end];
        let blank = part.len() - part.trim_start().len();
        Argument { text: part.trim(), at: from + blank }
    }

    /// The value that the argument is. Positions are those of the whole text.
    pub fn operand(&self, limits: &Limits) -> Result<Operand> {
        let (text, at) = (self.text, self.at);
        parse_operand(&format!("{:at$}{text}", ""), limits)
    }
}

/// `error`, which is about `text`.
pub fn within(text: &str, error: Error) -> Error {
    let Error { code, message, .. } = error;
    Error::new(code, format!("{}: {message}", excerpt(text)))
}

/// An error of arguments that do not fit.
pub fn syntax(what: impl Into<Box<str>>) -> Error {
    Error::new(Code::Syntax, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_stand_between_commas() {
        let read = |text: &'static str| {
            Call::read(text).map(|call| {
                (call.word, call.arguments.iter().map(|it| (it.text, it.at)).collect::<Vec<_>>())
            })
        };
        assert_eq!(read("count()"), Some(("count", vec![])));
        assert_eq!(read("count( ) "), Some(("count", vec![])));
        assert_eq!(read("sum( a * (b + 1) )"), Some(("sum", vec![("a * (b + 1)", 5)])));
        assert_eq!(
            read("q(`a,)`.b, 'x,''(', 2)"),
            Some(("q", vec![("`a,)`.b", 2), ("'x,''('", 11), ("2", 20)]))
        );
        assert_eq!(read("q(a,)"), Some(("q", vec![("a", 2), ("", 4)])));
        assert_eq!(read("text.of_all(a)"), Some(("text.of_all", vec![("a", 12)])));
        for other in ["price", "sum(a", "sum a)", "(a)", "sum(a) + 1", "sum(a)(b)", "a-b(c)", ")("]
        {
            assert_eq!(read(other), None, "{other}");
        }
    }

    #[test]
    fn positions_are_those_of_the_whole_text() {
        let call = Call::read("sum(price *)").unwrap();
        let error = call.arguments[0].operand(&Limits::default()).unwrap_err();
        assert!(error.message.contains("at position 11"), "{error}");
    }
}
