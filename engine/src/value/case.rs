//! Letters without their case: Unicode's simple case folding, code point by code point.
//!
//! A letter is folded by itself and to one letter, so what is within a text stays within it when both are folded. ILIKE, fields
//! declared NOCASE and indexes of parts of strings all fold so; the crate `regex` does the same (a test holds it to that).

use std::cmp::Ordering;

/// The text with each letter folded.
pub fn folded(text: &str) -> String {
    text.chars().map(folded_letter).collect()
}

/// A letter folded.
pub fn folded_letter(letter: char) -> char {
    if letter.is_ascii() {
        return letter.to_ascii_lowercase();
    }
    let folded = unicode_case_mapping::case_folded(letter);
    folded.and_then(|folded| char::from_u32(folded.get())).unwrap_or(letter)
}

/// Appends the text with each letter folded.
pub fn fold_into(text: &str, out: &mut Vec<u8>) {
    let mut bytes = [0; 4];
    for letter in text.chars() {
        if letter.is_ascii() {
            out.push(letter.to_ascii_lowercase() as u8);
        } else {
            let letter = folded_letter(letter).encode_utf8(&mut bytes);
            out.extend_from_slice(letter.as_bytes());
        }
    }
}

/// The order of two texts, each folded.
pub fn cmp_folded(a: &str, b: &str) -> Ordering {
    a.chars().map(folded_letter).cmp(b.chars().map(folded_letter))
}

#[cfg(test)]
mod tests {
    use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

    use super::*;

    /// Were the tables of two crates of different versions of Unicode, ILIKE and NOCASE would disagree about some letter.
    #[test]
    fn letters_are_equal_where_regex_says_so() {
        // No letter beyond the second plane has a case.
        for letter in '\0'..='\u{1ffff}' {
            let mut like = ClassUnicode::new([ClassUnicodeRange::new(letter, letter)]);
            like.case_fold_simple();
            let folded = folded_letter(letter);
            let mut has_folded = false;
            for like in like.iter().flat_map(|range| range.start()..=range.end()) {
                assert_eq!(folded_letter(like), folded, "{letter:?} and {like:?}");
                has_folded |= like == folded;
            }
            assert!(has_folded, "{letter:?} is not like {folded:?}");
        }
    }

    #[test]
    fn folding_is_by_letters_and_never_twice() {
        assert_eq!(folded("STRASSE Straße ΣΊΣΥΦΟΣ"), "strasse straße σίσυφοσ");
        assert_eq!(folded("\u{212a}elvin \u{130}"), "kelvin \u{130}");
        assert_eq!(folded("\u{1e9e}"), "ß");
        for letter in '\0'..='\u{1ffff}' {
            assert_eq!(folded_letter(folded_letter(letter)), folded_letter(letter), "{letter:?}");
        }
    }

    #[test]
    fn order_is_that_of_the_folded_texts() {
        let texts = ["", "a", "A", "b", "Z", "z", "É", "é", "\u{212a}", "k", "ab", "AB", "aB\u{0}"];
        for a in texts {
            for b in texts {
                assert_eq!(cmp_folded(a, b), folded(a).cmp(&folded(b)), "{a} {b}");
                let mut bytes = Vec::new();
                fold_into(a, &mut bytes);
                assert_eq!(bytes, folded(a).as_bytes());
            }
        }
    }
}
