//! Patterns of names, as KEYS and SCAN take them: `*`, `?`, `[a-z]`, `[^a]`, `\` before what is meant literally.
//!
//! Iterative, with one point to come back to: after a mismatch the last `*` takes one byte more. O(pattern x text).

/// Whether the whole of `text` fits `pattern`.
pub(super) fn fits(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        if t == text.len() {
            return pattern[p..].iter().all(|byte| *byte == b'*');
        }
        if pattern.get(p) == Some(&b'*') {
            star = Some((p + 1, t));
            p += 1;
            continue;
        }
        if let Some(length) = one_fits(&pattern[p..], text[t]) {
            p += length;
            t += 1;
            continue;
        }
        let Some((after, from)) = star else { return false };
        star = Some((after, from + 1));
        (p, t) = (after, from + 1);
    }
}

/// The length of the pattern's first item, if `byte` fits it.
fn one_fits(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern {
        [] => None,
        [b'?', ..] => Some(1),
        [b'[', rest @ ..] => class_fits(rest, byte).map(|length| length + 1),
        [b'\\', literal, ..] => (*literal == byte).then_some(2),
        [literal, ..] => (*literal == byte).then_some(1),
    }
}

/// The length of a class after its `[`, if `byte` is of it. A class that is not closed ends with the pattern.
fn class_fits(class: &[u8], byte: u8) -> Option<usize> {
    let negated = class.first() == Some(&b'^');
    let mut at = usize::from(negated);
    let mut is_member = false;
    loop {
        let (low, high, length) = match &class[at..] {
            [] => break,
            [b']', ..] => {
                at += 1;
                break;
            }
            [b'\\', literal, ..] => (*literal, *literal, 2),
            [low, b'-', high, ..] if *high != b']' => (*low.min(high), *low.max(high), 3),
            [literal, ..] => (*literal, *literal, 1),
        };
        is_member |= (low..=high).contains(&byte);
        at += length;
    }
    (is_member != negated).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn patterns_fit_as_in_keys() {
        for (pattern, text) in [
            ("*", ""),
            ("a*c", "abbbc"),
            ("a*b*c", "a-b-b-c"),
            ("h?llo", "hallo"),
            ("h[ae]llo", "hello"),
            ("h[^e]llo", "hallo"),
            ("h[a-c]llo", "hbllo"),
            ("\\*", "*"),
            ("[\\]]", "]"),
            ("[a", "a"),
        ] {
            assert!(fits(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
        }
        for (pattern, text) in
            [("", "a"), ("a", ""), ("a*c", "ab"), ("h[^e]llo", "hello"), ("\\*", "a"), ("?", "")]
        {
            assert!(!fits(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_take_no_exponential_time() {
        assert!(!fits("*a".repeat(30).as_bytes(), "a".repeat(29).as_bytes()));
        assert!(!fits("a*".repeat(200).as_bytes(), "b".repeat(10_000).as_bytes()));
    }
}
