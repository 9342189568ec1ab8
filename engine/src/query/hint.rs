//! What a newcomer most likely meant: a few words after the position of an error.

use std::mem;

use super::lex::{Keyword, Kind, Token, excerpt};

/// Where `token` stands in place of a literal.
pub(super) fn for_literal(text: &str, token: &Token) -> String {
    let before = &text[..token.start];
    match token.kind {
        Kind::Subject(_) => {
            let word = &text[token.start..];
            let is_end = |letter: char| letter.is_whitespace() || matches!(letter, ',' | ')');
            let word = word[..word.find(is_end).unwrap_or(word.len())].trim_matches('`');
            format!("; strings take single quotes: '{}'", excerpt(&word.replace('\'', "''")))
        }
        Kind::Cmp(_) if text[token.start..].starts_with('=') && before.ends_with('=') => {
            "; equality is one =".to_owned()
        }
        Kind::Keyword(_) | Kind::End => ", was a $parameter eaten by the shell?".to_owned(),
        _ => String::new(),
    }
}

/// Where `token` stands in place of an operator, AND, OR or the end.
pub(super) fn for_operator(text: &str, token: &Token) -> String {
    let before = &text[..token.start];
    if before.ends_with('\'') && matches!(token.kind, Kind::Subject(_) | Kind::Number(_)) {
        return "; a quote inside a string is doubled: ''".to_owned();
    }
    match token.kind {
        Kind::Number(_) => for_number(text, token.start).to_owned(),
        _ => String::new(),
    }
}

/// Where a number begins at byte `start` that belongs to what stands before it.
pub(super) fn for_number(text: &str, start: usize) -> &'static str {
    if !text[start..].starts_with('-') {
        return "";
    }
    let is_part = |letter: char| letter == '_' || letter.is_alphanumeric();
    let before = &text[..start];
    let word = &before[before.trim_end_matches(is_part).len()..];
    if word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit()) {
        "; a date is a string in single quotes"
    } else if word.starts_with(|letter: char| letter == '_' || letter.is_alphabetic()) {
        "; a name with '-' takes back-quotes"
    } else {
        ""
    }
}

/// For a letter with which nothing begins.
pub(super) fn for_letter(letter: char) -> &'static str {
    match letter {
        '"' => "; strings take single quotes",
        '&' => "; use AND",
        '|' => "; use OR",
        '!' => "; use NOT",
        _ => "",
    }
}

/// The one of `near` that `word` was perhaps meant to be.
pub(super) fn meant(word: &str, token: &Token, near: &[Keyword]) -> Option<&'static str> {
    match token.kind {
        Kind::Keyword(Keyword::Null) => Some("IS NULL"),
        Kind::Keyword(Keyword::Missing) => Some("IS MISSING"),
        Kind::Subject(_) => {
            near.iter().map(|keyword| keyword.text()).find(|text| is_near(word, text))
        }
        _ => None,
    }
}

/// Whether `word` is `keyword` with at most two slips (one in the words of up to three letters): a
/// letter changed, left out, put in, or two side by side exchanged. Optimal string alignment, three
/// rows of the table.
fn is_near(word: &str, keyword: &str) -> bool {
    let slips_max = if keyword.len() <= 3 { 1 } else { 2 };
    if word.len() > keyword.len() + slips_max {
        return false;
    }
    let word: Vec<u8> = word.bytes().map(|byte| byte.to_ascii_uppercase()).collect();
    let keyword = keyword.as_bytes();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=keyword.len()).collect();
    for row in 1..=word.len() {
        let mut line = vec![row];
        for column in 1..=keyword.len() {
            let changed = usize::from(word[row - 1] != keyword[column - 1]);
            let mut slips =
                (above[column - 1] + changed).min(above[column] + 1).min(line[column - 1] + 1);
            let is_exchange = row > 1
                && column > 1
                && word[row - 1] == keyword[column - 2]
                && word[row - 2] == keyword[column - 1];
            if is_exchange {
                slips = slips.min(before[column - 2] + 1);
            }
            line.push(slips);
        }
        before = mem::replace(&mut above, line);
    }
    above.last().is_some_and(|slips| *slips <= slips_max)
}
