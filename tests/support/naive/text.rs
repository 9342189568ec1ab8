//! What a filter asks of a string and its parts: STARTS WITH, ENDS WITH, CONTAINS, LIKE, ILIKE and
//! MATCHES.

use std::{cell::RefCell, collections::HashMap};

use regex::Regex;

/// What is asked of a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextTest {
    /// `STARTS WITH`
    StartsWith,
    /// `ENDS WITH`
    EndsWith,
    /// `CONTAINS`
    Contains,
    /// `LIKE`
    Like,
    /// `ILIKE`: `LIKE` whatever the case of the letters is
    Ilike,
    /// `MATCHES`
    Matches,
}

impl TextTest {
    /// Each of them.
    pub const ALL: [Self; 6] =
        [Self::StartsWith, Self::EndsWith, Self::Contains, Self::Like, Self::Ilike, Self::Matches];

    /// The keywords that stand between the path and the text.
    pub fn words(self) -> &'static [&'static str] {
        match self {
            Self::StartsWith => &["STARTS", "WITH"],
            Self::EndsWith => &["ENDS", "WITH"],
            Self::Contains => &["CONTAINS"],
            Self::Like => &["LIKE"],
            Self::Ilike => &["ILIKE"],
            Self::Matches => &["MATCHES"],
        }
    }

    /// Whether this text may follow the keywords: any may but a pattern that ends in a single
    /// backslash and a regular expression with a mistake in it.
    pub fn takes(self, operand: &str) -> bool {
        match self {
            Self::StartsWith | Self::EndsWith | Self::Contains => true,
            Self::Like | Self::Ilike => read_pattern(operand).is_some(),
            Self::Matches => matches(operand, "").is_some(),
        }
    }

    /// Whether it holds of a string whatever the case of its letters is.
    pub fn holds_folded(self, text: &str, operand: &str) -> bool {
        match self {
            Self::StartsWith | Self::EndsWith | Self::Contains => {
                self.holds(&fold(text), &fold(operand))
            }
            Self::Like | Self::Ilike => Self::Ilike.holds(text, operand),
            Self::Matches => matches(&format!("(?i){operand}"), text) == Some(true),
        }
    }

    /// Whether it holds of a string. False where `takes` is.
    pub fn holds(self, text: &str, operand: &str) -> bool {
        match self {
            Self::StartsWith => text.starts_with(operand),
            Self::EndsWith => text.ends_with(operand),
            Self::Contains => text.contains(operand),
            Self::Like => is_like(text, operand, |left, right| left == right),
            Self::Ilike => is_like(text, operand, is_same_folded),
            Self::Matches => matches(operand, text) == Some(true),
        }
    }
}

/// A string with its case folded, code point by code point.
pub fn fold(text: &str) -> String {
    text.chars().map(fold_letter).collect()
}

/// The simple case folding of a code point. Which code points fold to the same is what the regular expressions say; of
/// these it is the one in lower case, but of Cherokee, whose letters had capitals first, that in upper case.
fn fold_letter(letter: char) -> char {
    fn single(mut letters: impl Iterator<Item = char>) -> Option<char> {
        letters.next().filter(|_| letters.next().is_none())
    }
    if letter.is_ascii() {
        return letter.to_ascii_lowercase();
    }
    let upper = single(letter.to_uppercase());
    if matches!(letter, '\u{13a0}'..='\u{13fd}' | '\u{ab70}'..='\u{abbf}') {
        return upper.unwrap_or(letter);
    }
    let candidates =
        [upper.and_then(|upper| single(upper.to_lowercase())), single(letter.to_lowercase())];
    let is_it = |candidate: &char| is_same_folded(*candidate, letter);
    candidates.into_iter().flatten().find(is_it).unwrap_or(letter)
}

/// What a part of a pattern stands for.
enum Part {
    /// `%`: any code points, or none.
    Any,
    /// `_`: one code point.
    One,
    /// This code point.
    Letter(char),
}

/// The parts of a pattern; none where it ends in a single backslash.
fn read_pattern(pattern: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        parts.push(match letter {
            '%' => Part::Any,
            '_' => Part::One,
            '\\' => Part::Letter(letters.next()?),
            letter => Part::Letter(letter),
        });
    }
    Some(parts)
}

fn is_like(text: &str, pattern: &str, is_same: fn(char, char) -> bool) -> bool {
    let letters: Vec<char> = text.chars().collect();
    read_pattern(pattern).is_some_and(|parts| fits(&letters, &parts, is_same))
}

/// Whether the parts stand for all of the letters. Takes exponential time in the count of `%`.
fn fits(letters: &[char], parts: &[Part], is_same: fn(char, char) -> bool) -> bool {
    let Some((part, other_parts)) = parts.split_first() else { return letters.is_empty() };
    if matches!(part, Part::Any) {
        return (0..=letters.len()).any(|taken| fits(&letters[taken..], other_parts, is_same));
    }
    let Some((letter, other_letters)) = letters.split_first() else { return false };
    let is_taken = match part {
        Part::Any | Part::One => true,
        Part::Letter(wanted) => is_same(*wanted, *letter),
    };
    is_taken && fits(other_letters, other_parts, is_same)
}

/// Whether two code points have the same simple case folding, which is what `(?i)` asks.
fn is_same_folded(left: char, right: char) -> bool {
    if left.is_ascii() && right.is_ascii() {
        return left.eq_ignore_ascii_case(&right);
    }
    let escaped = regex::escape(&left.to_string());
    matches(&format!("^(?i:{escaped})$"), &right.to_string()) == Some(true)
}

/// How many regular expressions a thread keeps, so that a long run keeps its size.
const COMPILED_MAX: usize = 256;

thread_local! {
    /// Compiling takes far longer than matching, and a filter is asked of many documents.
    static COMPILED: RefCell<HashMap<String, Option<Regex>>> = RefCell::default();
}

/// Whether a regular expression matches somewhere in a text; none where there is a mistake in it.
fn matches(expression: &str, text: &str) -> Option<bool> {
    COMPILED.with_borrow_mut(|compiled| {
        if compiled.len() >= COMPILED_MAX && !compiled.contains_key(expression) {
            compiled.clear();
        }
        let regex =
            compiled.entry(expression.to_owned()).or_insert_with(|| Regex::new(expression).ok());
        regex.as_ref().map(|regex| regex.is_match(text))
    })
}

#[cfg(test)]
mod tests {
    use super::{TextTest::*, *};

    fn check(test: TextTest, value: &str, holding: &[&str], failing: &[&str]) {
        for operand in holding {
            assert!(
                test.takes(operand) && test.holds(value, operand),
                "{value} {test:?} {operand}"
            );
        }
        for operand in failing {
            assert!(
                test.takes(operand) && !test.holds(value, operand),
                "{value} {test:?} {operand}"
            );
        }
    }

    #[test]
    fn parts_are_compared_code_point_by_code_point() {
        check(StartsWith, "été", &["", "é", "ét", "été"], &["e", "É", "t", "étés", "e\u{301}"]);
        check(EndsWith, "été", &["", "é", "té", "été"], &["e", "É", "t", "l'été"]);
        check(Contains, "a𝄞b\0c", &["", "𝄞", "𝄞b", "\0", "a𝄞b\0c"], &["ab", "A", "𝄞\0", "%"]);
        for test in [StartsWith, EndsWith, Contains] {
            check(test, "", &[""], &["a", "\0"]);
            check(test, "a\\", &["", "a\\"], &["a\\\\", "%", "_\\"]);
        }
    }

    #[test]
    fn code_points_are_folded_one_by_one() {
        for (text, folded) in [
            ("STRASSE", "strasse"),
            ("Straße", "straße"),
            ("ẞ", "ß"),
            ("\u{212a}g", "kg"),
            ("ſ", "s"),
            ("ΣΑΣς", "σασσ"),
            ("İı", "İı"),
            ("ÉÅ\u{212b}", "éåå"),
            ("ꭰᏸ", "ᎠᏰ"),
            ("ǅǆ", "ǆǆ"),
            ("𐐀", "𐐨"),
            ("\u{0345}", "ι"),
        ] {
            assert_eq!(fold(text), folded, "{text}");
        }
        for letter in ('\0'..='\u{ffff}').step_by(61) {
            let folded = fold_letter(letter);
            assert_eq!(fold_letter(folded), folded, "{letter}");
            assert!(is_same_folded(letter, folded), "{letter}");
        }
    }

    #[test]
    fn tests_of_folded_strings_take_letters_of_any_case() {
        let whole = "Straße K\u{212a}";
        for (test, operand) in [
            (StartsWith, "sTRA"),
            (EndsWith, "kk"),
            (Contains, "AẞE"),
            (Like, "%aß_ K%"),
            (Ilike, "str%"),
            (Matches, "^STR.*KK$"),
        ] {
            assert!(test.holds_folded(whole, operand), "{test:?} {operand}");
        }
        assert!(!Contains.holds_folded(whole, "ss"));
    }

    #[test]
    fn patterns_stand_for_the_whole_string() {
        check(Like, "", &["", "%", "%%"], &["_", "a", "_%", "\\%"]);
        check(
            Like,
            "aé𝄞b",
            &["aé𝄞b", "%", "a%", "%b", "a%b", "____", "_é_b", "%_b", "%𝄞%", "a%%é%𝄞b%", "_%_%_%_"],
            &["", "a", "b", "aé", "___", "_____", "A%", "%a", "_%_%_%_%_", "a%a", "aé𝄞b_"],
        );
        check(Like, "a\nb", &["a_b", "a%", "%\n%"], &["a__b", "a\\nb"]);
        check(Like, "aaab", &["%ab", "a%a%b", "%aaa%"], &["%aaaa%", "%ba%", "a_b"]);
    }

    #[test]
    fn a_backslash_takes_the_meaning_away() {
        check(
            Like,
            "50%_\\",
            &["50\\%\\_\\\\", "50%", "%\\\\", "\\5\\0__\\\\"],
            &["50\\%", "%\\_"],
        );
        check(Like, "50x", &["50%", "5\\0\\x", "50_"], &["50\\%", "50\\_", "50\\\\"]);
        check(Like, "\\%", &["\\\\\\%", "\\\\%", "__"], &["\\%", "%\\_"]);
        check(Like, "é", &["\\é"], &["\\\\é"]);
        for test in [Like, Ilike] {
            for bad in ["\\", "a\\", "%\\", "\\\\\\"] {
                assert!(!test.takes(bad) && !test.holds("a\\", bad), "{bad}");
            }
        }
    }

    #[test]
    fn letters_of_one_simple_folding_are_equal() {
        check(Ilike, "STRASSE", &["strasse", "StrAsse", "str%", "%SS_"], &["straße", "strase"]);
        check(Ilike, "straße", &["STRAßE", "STRA\u{1e9e}E", "%\\ß_"], &["STRASSE", "stra__e_"]);
        check(Ilike, "\u{212a}", &["k", "K", "\u{212a}", "\\k", "_"], &["c", "kk", ""]);
        check(Ilike, "k", &["\u{212a}", "K"], &["\u{212a}k"]);
        check(Ilike, "s", &["\u{17f}", "S"], &["ß"]);
        check(Ilike, "Σας", &["σΑσ", "ςας", "ΣΑΣ"], &["sas"]);
        check(Ilike, "É𝄞\u{10400}", &["é𝄞\u{10428}", "é_\u{10400}"], &["e𝄞\u{10428}"]);
        check(Ilike, "i", &["I", "i"], &["\u{130}", "\u{131}"]);
        check(Ilike, "\u{130}", &["\u{130}"], &["i", "I", "i\u{307}", "\u{131}"]);
        check(Ilike, "\u{fb01}", &["\u{fb01}"], &["fi"]);
        check(Ilike, "a.*[\0", &["A.*[\0"], &["A.*", "aa[\0"]);
        check(Like, "K", &["K"], &["k", "\u{212a}"]);
    }

    #[test]
    fn regular_expressions_match_somewhere() {
        check(
            Matches,
            "xab\ncé",
            &[
                "", "a", "^x", "é$", "a.", "[a-z]+", "^x.*b", "b\\nc", "(?s)b.c", "\\p{L}$",
                "(?i)XA",
            ],
            &["^a", "b$", "b.c", "A", "^$", "\\d", "^b", "^c", "e", "^[a-z]+$"],
        );
        check(Matches, "", &["", "^$", "a*"], &["a", "."]);
        check(Matches, "b\n", &["b\\n$", "(?m)b$"], &["b$"]);
        check(Matches, "a\\.c", &["a\\\\\\.c", "a..c"], &["a.c", "a\\.c"]);
        for bad in ["(", "a)", "[", "*", "a{2", "(a)\\1", "(?=a)", "(?<!a)", "\\", "(?z)", "\\q"] {
            assert!(!Matches.takes(bad) && !Matches.holds("a", bad), "{bad}");
        }
    }
}
