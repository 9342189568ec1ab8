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
    String::new()
}

/// Where a number that is none begins at byte `start`, as in `2026-01-31`.
pub(super) fn for_number(text: &str, start: usize) -> &'static str {
    let is_part = |letter: char| letter == '_' || letter.is_alphanumeric();
    let Some(before) = text[..start].strip_suffix('-') else { return "" };
    let word = &before[before.trim_end_matches(is_part).len()..];
    if word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit()) {
        "; a date is a string in single quotes"
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

/// The one of `names` that `word` was perhaps meant to be.
pub fn nearest<'n>(word: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let near = names.into_iter().filter_map(|name| Some((slips(word, name)?, name)));
    near.min_by_key(|(slips, _)| *slips).map(|(_, name)| name)
}

/// The one of `near` that `word` was perhaps meant to be.
pub(super) fn meant(word: &str, token: &Token, near: &[Keyword]) -> Option<&'static str> {
    match token.kind {
        Kind::Keyword(Keyword::Null) => Some("IS NULL"),
        Kind::Keyword(Keyword::Missing) => Some("IS MISSING"),
        Kind::Subject(_) => nearest(word, near.iter().map(|keyword| keyword.text())),
        _ => None,
    }
}

/// How many slips turn `keyword` into `word`, at most two (one in words of two or three letters; in a letter alone only one
/// put in): a letter changed, left out, put in, or two side by side exchanged. Optimal string alignment, three rows of the table.
fn slips(word: &str, keyword: &str) -> Option<usize> {
    let slips_max = match keyword.len() {
        0 => 0,
        1 if word.len() == 1 => 0,
        1..4 => 1,
        _ => 2,
    };
    if word.len() > keyword.len() + slips_max {
        return None;
    }
    let word: Vec<u8> = word.bytes().map(|byte| byte.to_ascii_uppercase()).collect();
    let keyword: Vec<u8> = keyword.bytes().map(|byte| byte.to_ascii_uppercase()).collect();
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
    above.last().copied().filter(|slips| *slips <= slips_max)
}
