//! Words, strings and signs of a sentence. Only their borders matter here: what a filter means is the server's to say.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Letters, digits and what stands in paths, numbers and parameters: `address.city`, `tags[*]`, `-1.5`, `$min`.
    Word,
    /// `'..'`, or a name in back-quotes.
    Quoted,
    /// An operator, a comma, a parenthesis.
    Sign,
}

/// A token of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'t> {
    pub kind: Kind,
    pub text: &'t str,
    /// Where it begins, in bytes.
    pub start: usize,
    /// How many parentheses are open around it.
    pub depth: usize,
}

impl Token<'_> {
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }

    pub fn is(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }
}

/// What a sentence cannot be read for, and where.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    pub what: String,
    /// In characters, from 0.
    pub position: usize,
}

impl Fault {
    pub fn at(text: &str, start: usize, what: impl Into<String>) -> Self {
        let position = text[..start.min(text.len())].chars().count();
        Self { what: what.into(), position }
    }
}

/// Splits a text. A quote that is not closed is a fault.
pub fn tokens(text: &str) -> Result<Vec<Token<'_>>, Fault> {
    let mut found = Vec::new();
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(first) = text[at..].chars().next() {
        let start = at;
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let kind = match first {
            '\'' | '`' => {
                at = quoted(text, start)?;
                // A path goes on behind a name in back-quotes.
                at = word(text, at)?;
                Kind::Quoted
            }
            _ if is_word(first) => {
                at = word(text, at)?;
                Kind::Word
            }
            _ => {
                at += first.len_utf8();
                Kind::Sign
            }
        };
        depth -= usize::from(first == ')').min(depth);
        found.push(Token { kind, text: &text[start..at], start, depth });
        depth += usize::from(first == '(');
    }
    Ok(found)
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '$' | '.' | '[')
}

/// Where a word ends that has begun; names in back-quotes may be parts of it.
fn word(text: &str, mut at: usize) -> Result<usize, Fault> {
    while let Some(next) = text[at..].chars().next() {
        match next {
            '`' => at = quoted(text, at)?,
            // A function's arguments are not parts of its name.
            _ if is_word(next) || matches!(next, ']') => at += next.len_utf8(),
            '*' if text[..at].ends_with('[') => at += 1,
            _ => break,
        }
    }
    Ok(at)
}

/// Where a quoted text ends; a doubled quote is one of its letters.
fn quoted(text: &str, start: usize) -> Result<usize, Fault> {
    let quote = text[start..].chars().next().unwrap_or('\'');
    let mut letters = text[start + 1..].char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        if letter == quote && letters.next_if(|(_, next)| *next == quote).is_none() {
            return Ok(start + 1 + at + 1);
        }
    }
    Err(Fault::at(text, start, format!("{quote} is not closed")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_split_where_the_filter_language_splits_them() {
        let words = |text| -> Vec<&str> {
            tokens(text).expect("a text").iter().map(|token| token.text).collect()
        };
        assert_eq!(words("a>=1 AND b.c[*]"), ["a", ">", "=", "1", "AND", "b.c[*]"]);
        assert_eq!(words("`first name`.x = 'it''s'"), ["`first name`.x", "=", "'it''s'"]);
        assert_eq!(words("a.`b c`[0]=-1.5"), ["a.`b c`[0]", "=", "-", "1.5"]);
        assert_eq!(words("avg(price * qty)"), ["avg", "(", "price", "*", "qty", ")"]);
    }

    #[test]
    fn parentheses_are_counted_and_quotes_have_to_end() {
        let found = tokens("a (b (c)) d)").expect("a text");
        let depths: Vec<usize> = found.iter().map(|token| token.depth).collect();
        assert_eq!(depths, [0, 0, 1, 1, 2, 1, 0, 0, 0]);
        let fault = tokens("é = 'x").expect_err("an open quote");
        assert_eq!((fault.what.as_str(), fault.position), ("' is not closed", 4));
    }
}
