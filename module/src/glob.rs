//! Patterns of keys and names, as KEYS, SCAN and access control lists take them: `*`, `?`, `[a-z]`, `[^a]`, `\` before what
//! is meant literally.
//!
//! A pattern is read item by item just as the server's matcher does, oddities included, because a permission hangs on it:
//! a class that is not closed ends with the pattern, `[a-]` is the range from `a` to `]`, `[]` fits nothing and `[^]` any
//! byte, and the bounds of a range compare as C's `char`.
//!
//! Matching is iterative, with one point to come back to: after a mismatch the last `*` takes one byte more.
//! O(pattern x text).

use std::ffi::c_char;

/// Beyond this many `*` the server's matcher, which recurses on each, gives up.
const STARS_MAX: usize = 1000;

/// What a pattern consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    /// Any bytes, none included.
    Star,
    /// Any one byte.
    Any,
    /// This byte.
    Byte(u8),
    /// One of these bytes: bit `b % 64` of word `b / 64` stands for byte `b`.
    Class([u64; 4]),
}

impl Item {
    fn fits(&self, byte: u8) -> bool {
        match self {
            Item::Star => false,
            Item::Any => true,
            Item::Byte(literal) => *literal == byte,
            Item::Class(bits) => bits[usize::from(byte / 64)] >> (byte % 64) & 1 == 1,
        }
    }
}

/// A pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Glob {
    items: Vec<Item>,
}

impl Glob {
    /// Reads a pattern. Any bytes are one.
    pub(crate) fn new(pattern: &[u8]) -> Self {
        let (mut items, mut rest) = (Vec::new(), pattern);
        while let Some((item, length)) = next_item(rest) {
            rest = &rest[length..];
            if item != Item::Star || items.last() != Some(&Item::Star) {
                items.push(item);
            }
        }
        Glob { items }
    }

    /// Whether the whole of `text` fits.
    pub(crate) fn fits(&self, text: &[u8]) -> bool {
        let items = &self.items;
        let (mut at, mut t) = (0, 0);
        let mut star: Option<(usize, usize)> = None;
        loop {
            if items.get(at) == Some(&Item::Star) {
                star = Some((at + 1, t));
                at += 1;
            } else if t == text.len() {
                return at == items.len();
            } else if items.get(at).is_some_and(|item| item.fits(text[t])) {
                at += 1;
                t += 1;
            } else {
                let Some((after, from)) = star else { return false };
                star = Some((after, from + 1));
                (at, t) = (after, from + 1);
            }
        }
    }

    /// Whether every text that begins with `prefix` fits, `prefix` itself included.
    ///
    /// That is so when the pattern ends with a `*` and fits `prefix`: whatever follows, the last `*` takes it. The other way
    /// round it is so of all patterns but those in which `?`, or a class of all bytes, follows the last `*`
    /// (`*:*?` fits all that begins with `a:b`): these are taken not to cover anything.
    pub(crate) fn covers(&self, prefix: &[u8]) -> bool {
        let is_open = self.items.last() == Some(&Item::Star);
        let stars = || self.items.iter().filter(|item| **item == Item::Star).count();
        is_open && self.fits(prefix) && stars() <= STARS_MAX
    }
}

/// The first item of a pattern and its length.
fn next_item(pattern: &[u8]) -> Option<(Item, usize)> {
    Some(match pattern {
        [] => return None,
        [b'*', ..] => (Item::Star, 1),
        [b'?', ..] => (Item::Any, 1),
        [b'[', rest @ ..] => {
            let (bits, length) = read_class(rest);
            (Item::Class(bits), 1 + length)
        }
        [b'\\', literal, ..] => (Item::Byte(*literal), 2),
        [literal, ..] => (Item::Byte(*literal), 1),
    })
}

/// The members of a class, and its length after the `[`.
fn read_class(class: &[u8]) -> ([u64; 4], usize) {
    let negated = class.first() == Some(&b'^');
    let mut at = usize::from(negated);
    let mut bits = [0_u64; 4];
    loop {
        let (low, high, length) = match &class[at..] {
            [] => break,
            [b'\\', literal, ..] => (*literal, *literal, 2),
            [b']', ..] => {
                at += 1;
                break;
            }
            [low, b'-', high, ..] => (*low, *high, 3),
            [literal, ..] => (*literal, *literal, 1),
        };
        at += length;
        let (low, high) = (in_order(low), in_order(high));
        for byte in 0..=u8::MAX {
            if (low.min(high)..=low.max(high)).contains(&in_order(byte)) {
                bits[usize::from(byte / 64)] |= 1 << (byte % 64);
            }
        }
    }
    if negated {
        bits = bits.map(|word| !word);
    }
    (bits, at)
}

/// A byte's place in the order of C's `char`, which is signed on some machines.
fn in_order(byte: u8) -> i32 {
    i32::from(byte as c_char)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, text: &str) -> bool {
        Glob::new(pattern.as_bytes()).fits(text.as_bytes())
    }

    fn covers(pattern: &str, prefix: &str) -> bool {
        Glob::new(pattern.as_bytes()).covers(prefix.as_bytes())
    }

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
            ("h[c-a]llo", "hbllo"),
            ("\\*", "*"),
            ("a\\", "a\\"),
            ("[\\]]", "]"),
            ("[a-]]", "_"),
            ("[^]", "x"),
            ("[a", "a"),
            ("[^", "a"),
        ] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("", "a"),
            ("a", ""),
            ("a*c", "ab"),
            ("h[^e]llo", "hello"),
            ("\\*", "a"),
            ("?", ""),
            ("[a-]", "-"),
            ("[]", "]"),
            ("[]a]", "a]"),
        ] {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_take_no_exponential_time() {
        assert!(!fits(&"*a".repeat(30), &"a".repeat(29)));
        assert!(!fits(&"a*".repeat(200), &"b".repeat(10_000)));
    }

    #[test]
    fn a_pattern_covers_a_prefix_when_its_last_star_takes_the_rest() {
        for pattern in [
            "users:*",
            "u*",
            "*",
            "**",
            "user?:*",
            "[a-z]sers:*",
            "[^a]sers:*",
            "us\\ers:*",
            "users[:]*",
            "*s:*",
            "*s*",
            "users:**",
        ] {
            assert!(covers(pattern, "users:"), "{pattern}");
        }
        for pattern in [
            "",
            "users:",
            "users:1*",
            "users:?*",
            "users:\\*",
            "users:[*]",
            "users:[*",
            "users?",
            "user:*",
            "*:1*",
            "?*:",
            "[a-t]sers:*",
            "users\\",
            "users:*a",
        ] {
            assert!(!covers(pattern, "users:"), "{pattern}");
        }
        // The last one is a member of a class, which a byte of the prefix fits.
        assert!(!covers("users:[*", "users:*"));
        assert!(!covers("users:\\*", "users:*"));
        assert!(covers("users:\\**", "users:*"));
        assert!(covers("users:\\\\*", "users:\\"));
        assert!(covers("*", ""));
    }

    #[test]
    fn what_the_server_gives_up_on_covers_nothing() {
        let text = "a".repeat(STARS_MAX + 1);
        assert!(covers(&"a*".repeat(STARS_MAX), &text));
        assert!(!covers(&"a*".repeat(STARS_MAX + 1), &text));
    }
}
