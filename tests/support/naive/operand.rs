//! Texts to ask strings for, cut out of a string so that they often hold of it: parts, patterns,
//! regular expressions.

use super::text::TextTest;
use crate::generate::Random;

/// Regular expressions beside those that are cut out of strings.
const EXPRESSIONS: [&str; 16] = [
    "",
    "^$",
    "^a",
    "b$",
    "a.b",
    "(?s)a.b$",
    "[a-z]+",
    "^[A-Z]",
    "[^a-z]$",
    "^.$",
    "^(ab|it)",
    "\\d{2}",
    "\\.[0-9]+$",
    "(?i)^k",
    "(?m)^break$",
    "\\bb",
];

/// A text that the test finds in `whole`, as a rule.
pub fn draw(test: TextTest, whole: &str, random: &mut Random) -> String {
    let letters: Vec<char> = whole.chars().collect();
    let (from, to) = cut(letters.len(), random);
    match test {
        TextTest::StartsWith => letters[..to - from].iter().collect(),
        TextTest::EndsWith => letters[letters.len() - (to - from)..].iter().collect(),
        TextTest::Contains => letters[from..to].iter().collect(),
        TextTest::Like => pattern(whole, random),
        TextTest::Ilike => pattern(&in_other_case(whole, random), random),
        TextTest::Matches => expression(&letters, random),
    }
}

/// Where a part of `count` letters begins and ends. Most are short, so that several strings have
/// them; one is empty only where there are no letters.
fn cut(count: usize, random: &mut Random) -> (usize, usize) {
    let from = random.below(count.max(1));
    let more = if random.chance(50) { 0 } else { random.below((count - from).max(1)) };
    (from, (from + 1 + more).min(count))
}

/// A string with about half of its letters in the other case, where they have one.
fn in_other_case(whole: &str, random: &mut Random) -> String {
    let mut out = String::new();
    for letter in whole.chars() {
        match random.below(4) {
            0 => out.extend(letter.to_lowercase()),
            1 => out.extend(letter.to_uppercase()),
            _ => out.push(letter),
        }
    }
    out
}

/// A pattern that a string is like, as a rule: now and then a special letter keeps its meaning.
fn pattern(whole: &str, random: &mut Random) -> String {
    let letters: Vec<char> = whole.chars().collect();
    let (from, to) =
        if random.chance(50) { (0, letters.len()) } else { cut(letters.len(), random) };
    let mut out = if from > 0 { "%".to_owned() } else { String::new() };
    for &letter in &letters[from..to] {
        match random.below(12) {
            0 => out.push('_'),
            1 => out.push('%'),
            2 => out.extend(['%', letter]),
            3 => out.extend(['\\', letter]),
            4 => out.push(letter),
            _ if "%_\\".contains(letter) => out.extend(['\\', letter]),
            _ => out.push(letter),
        }
    }
    if to < letters.len() || random.chance(20) {
        out.push('%');
    }
    out
}

/// A regular expression that matches these letters, as a rule.
fn expression(letters: &[char], random: &mut Random) -> String {
    if random.chance(40) {
        return random.pick(&EXPRESSIONS).to_owned();
    }
    let escaped = |part: &[char]| regex::escape(&part.iter().collect::<String>());
    let loose: String = letters
        .iter()
        .map(|letter| match random.below(8) {
            0 => ".".to_owned(),
            1 => escaped(&[*letter]) + "+",
            _ => escaped(&[*letter]),
        })
        .collect();
    let (from, to) = cut(letters.len(), random);
    match random.below(5) {
        0 => loose,
        1 => format!("^{loose}$"),
        2 => format!("^{}", escaped(&letters[..to - from])),
        3 => format!("{}$", escaped(&letters[letters.len() - (to - from)..])),
        _ => format!("(?i){}", escaped(&letters[from..to])),
    }
}
