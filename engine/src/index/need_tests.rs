//! Tests of what patterns need: what fits has it, always.

use proptest::prelude::*;
use regex::RegexBuilder;

use super::super::grams;
use super::*;
use crate::value::{KeyBuf, KeySet};

fn told(expression: &str) -> String {
    let Some(need) = Need::of_expression(expression, false) else { return "nothing".to_owned() };
    let mut texts: Vec<String> = Vec::new();
    for node in &need.nodes {
        let join = |children: &[u32], word: &str| {
            let parts: Vec<&str> =
                children.iter().map(|child| texts[*child as usize].as_str()).collect();
            format!("({})", parts.join(word))
        };
        texts.push(match node {
            NeedNode::Piece(text) => text.clone(),
            NeedNode::All(children) => join(children, " and "),
            NeedNode::Any(children) => join(children, " or "),
        });
    }
    texts.pop().unwrap()
}

#[test]
fn what_is_certain_is_needed() {
    let cases = [
        ("Tokyo", "tokyo"),
        ("^Tok(yo)$", "tokyo"),
        ("(?i)Kelvin", "kelvin"),
        ("To.*kyo City", "kyo city"),
        ("Tok.*kyo", "(tok and kyo)"),
        ("(north|south) side", "((north or south) and  side)"),
        ("(north|so) side", " side"),
        ("(abc)+x", "abc"),
        ("(abc)*def?", "nothing"),
        ("(abc){0}", "nothing"),
        ("[a-z]{9}", "nothing"),
        ("a|bcdef", "nothing"),
        ("ab", "nothing"),
        ("Ü.", "nothing"),
        ("ÜÖ", "üö"),
        (r"a\.bc\b", "a.bc"),
        ("", "nothing"),
    ];
    for (expression, expected) in cases {
        assert_eq!(told(expression), expected, "{expression}");
    }
    let alternatives: Vec<String> = (0..400).map(|n| format!("word{n}x")).collect();
    assert_eq!(told(&alternatives.join("|")), "nothing");
}

#[test]
fn letters_fold_as_expressions_do() {
    for letter in (0..=0x1_FFFF).filter_map(char::from_u32) {
        let Ok(hir) = regex_syntax::parse(&format!("(?i)[{}]", escaped(letter))) else { continue };
        let HirKind::Class(Class::Unicode(class)) = hir.kind() else { continue };
        for other in class.iter().flat_map(|range| range.start()..=range.end()) {
            assert_eq!(folded_letter(letter), folded_letter(other), "{letter:?} {other:?}");
        }
    }
}

fn escaped(letter: char) -> String {
    format!(r"\x{{{:x}}}", u32::from(letter))
}

/// What the expressions of the test below are made of.
const PIECES: &[&str] =
    &["aAb", "aab", "sas", "bék", "kab", "isi", "xx", "é", "kſs", "Σ", "k", "x"];

/// Whether a search by parts finds a text of these keys.
fn finds(sets: &[KeySet], text: &str) -> bool {
    let mut parts = grams::Grams::default();
    parts.add(text);
    let mut keys = Vec::new();
    parts.keys(&mut KeyBuf::default(), &mut |key| keys.push(key.to_key()));
    sets.iter().all(|set| keys.iter().any(|key| set.contains(key.as_ref())))
}

/// A text of letters that have several cases, and of some that fold oddly.
fn any_text(most: usize) -> impl Strategy<Value = String> {
    let letters: Vec<char> = "aAbBkKſs\u{212a}éÉİiI\u{df}\u{1e9e}Σσς.x".chars().collect();
    let letters = prop::collection::vec(prop::sample::select(letters), 0..=most);
    letters.prop_map(String::from_iter)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn what_fits_has_what_is_needed(
        expression in r"((\(\?i\))?(aAb|[kKs]|é|(ab|kſs|Σ|x)[+*?]?|x\{2\}|[a-k]|\^|\$|\((aab|sas|bék)\|(kab|isi)\))){1,6}",
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..9),
        ignores_case: bool,
    ) {
        let mut builder = RegexBuilder::new(&expression);
        let Ok(regex) = builder.case_insensitive(ignores_case).build() else { return Ok(()) };
        if let Some(need) = Need::of_expression(&expression, ignores_case) {
            let text = pieces.concat();
            for text in [text.as_str(), &text.to_lowercase(), &text.to_uppercase()] {
                prop_assert!(!regex.is_match(text) || need.is_met_by(text), "{} {}", expression, text);
            }
        }
    }

    #[test]
    fn what_is_written_into_a_text_is_found_by_its_parts(
        before in any_text(9),
        piece in any_text(9),
        after in any_text(9),
    ) {
        let text = format!("{before}{piece}{after}");
        let need = Need::of_text(&piece);
        prop_assert_eq!(need.is_some(), folded(&piece).len() >= PART_BYTES);
        if let Some(sets) = grams::asked(&folded(&piece)) {
            prop_assert!(finds(&sets, &text));
            prop_assert!(need.is_some_and(|need| need.is_met_by(&text)));
        }
        let found = Need::of_expression(&regex::escape(&piece), true);
        prop_assert!(found.is_none_or(|need| need.is_met_by(&text)));
    }
}
