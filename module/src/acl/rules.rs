//! What a user may touch, read from the server's own description of the user.
//!
//! ```text
//! on nopass ~users:* %R~log:* resetchannels -@all +doc.find (~cache:* resetchannels -@all +doc.get)
//! flags, passwords           the root selector, its key patterns first     further selectors in parentheses
//! ```
//!
//! No pattern holds a blank or a NUL byte: the server refuses them. Rules that this file does not know
//! grant nothing. A selector without rules of commands is one that was cut short, and grants nothing either.

use std::fmt;

use crate::glob::Glob;

/// What is done with keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    /// Reading them.
    Read,
    /// Writing or deleting them.
    Write,
    /// Both, which one and the same pattern has to allow, as the server asks of keys.
    Both,
}

impl Right {
    /// Whether it takes permission to read.
    pub(crate) fn reads(self) -> bool {
        self != Right::Write
    }

    /// Whether it takes permission to write.
    pub(crate) fn writes(self) -> bool {
        self != Right::Read
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Right::Read => "read",
            Right::Write => "write",
            Right::Both => "read and write",
        })
    }
}

/// A pattern of keys.
#[derive(Debug, PartialEq, Eq)]
struct Pattern {
    glob: Glob,
    reads: bool,
    writes: bool,
}

/// Rules that belong together: keys, and the commands that may touch them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Selector {
    patterns: Vec<Pattern>,
    has_all_keys: bool,
    /// The rules of commands, such as `-@all` and `+doc.find`, in order.
    pub(crate) commands: Vec<Vec<u8>>,
}

impl Selector {
    /// Whether every key may be read and written.
    pub(crate) fn has_all_keys(&self) -> bool {
        self.has_all_keys
    }

    /// Whether one pattern allows `right` on every key that begins with `prefix`.
    pub(crate) fn covers(&self, prefix: &[u8], right: Right) -> bool {
        self.has_all_keys
            || self.patterns.iter().any(|pattern| {
                (pattern.reads || !right.reads())
                    && (pattern.writes || !right.writes())
                    && pattern.glob.covers(prefix)
            })
    }

    fn add(&mut self, rule: &[u8]) {
        match rule {
            b"~*" => self.has_all_keys = true,
            [b'~', glob @ ..] => self.add_pattern(glob, true, true),
            [b'%', b'R', b'~', glob @ ..] => self.add_pattern(glob, true, false),
            [b'%', b'W', b'~', glob @ ..] => self.add_pattern(glob, false, true),
            [b'+' | b'-', ..] => self.commands.push(rule.to_vec()),
            _ => {}
        }
    }

    fn add_pattern(&mut self, glob: &[u8], reads: bool, writes: bool) {
        self.patterns.push(Pattern { glob: Glob::new(glob), reads, writes });
    }
}

/// The selectors that a description of a user holds, the root first.
pub(crate) fn read(description: &[u8]) -> Vec<Selector> {
    let mut selectors = vec![Selector::default()];
    for word in description.split(|byte| *byte == b' ') {
        let mut rule = word;
        if let [b'(', rest @ ..] = word {
            selectors.push(Selector::default());
            rule = rest;
        }
        // A command's name holds no parenthesis; a pattern may.
        if let ([command @ .., b')'], [b'+' | b'-', ..]) = (rule, rule) {
            rule = command;
        }
        if let Some(selector) = selectors.last_mut() {
            selector.add(rule);
        }
    }
    for selector in &mut selectors {
        if selector.commands.is_empty() {
            *selector = Selector::default();
        }
    }
    selectors
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(description: &str) -> Selector {
        let mut selectors = read(description.as_bytes());
        assert_eq!(selectors.len(), 1, "{description}");
        selectors.remove(0)
    }

    #[test]
    fn rights_are_those_of_one_pattern() {
        let selector =
            one("on nopass sanitize-payload ~a:* %R~b:* %W~b* resetchannels -@all +doc.find");
        let rights = |prefix: &str| {
            [Right::Read, Right::Write, Right::Both]
                .map(|right| selector.covers(prefix.as_bytes(), right))
        };
        assert_eq!(rights("a:"), [true, true, true]);
        assert_eq!(rights("b:"), [true, true, false]);
        assert_eq!(rights("b"), [false, true, false]);
        assert_eq!(rights("c:"), [false, false, false]);
        assert!(!selector.has_all_keys());
    }

    #[test]
    fn all_keys_are_all_keys() {
        let selector = one("on #5e88 ~* &* +@all");
        assert!(selector.has_all_keys());
        assert!(selector.covers(b"", Right::Both));
        assert!(one("off %R~* &* +@all").covers(b"", Right::Read));
        assert!(!one("off %R~* &* +@all").has_all_keys());
    }

    #[test]
    fn selectors_keep_apart() {
        let text = b"on nopass ~a(b):* &* -@all +doc.get (~b:* resetchannels -@all +doc.find) (%R~c:* &* +@all -keys)";
        let selectors = read(text);
        let words = |at: usize| -> Vec<&str> {
            selectors[at].commands.iter().map(|rule| str::from_utf8(rule).unwrap()).collect()
        };
        assert_eq!(selectors.len(), 3);
        assert!(selectors[0].covers(b"a(b):", Right::Both));
        assert_eq!(words(0), ["-@all", "+doc.get"]);
        assert!(
            selectors[1].covers(b"b:", Right::Both) && !selectors[1].covers(b"c:", Right::Read)
        );
        assert_eq!(words(1), ["-@all", "+doc.find"]);
        assert!(
            selectors[2].covers(b"c:", Right::Read) && !selectors[2].covers(b"c:", Right::Write)
        );
        assert_eq!(words(2), ["+@all", "-keys"]);
    }

    #[test]
    fn what_is_cut_short_or_unknown_grants_nothing() {
        assert_eq!(one("on nopass ~users:*"), Selector::default());
        assert_eq!(read(b"on ~users:* (~b:* &* +@all)")[0], Selector::default());
        assert!(!one("on %X~users:* +@all").covers(b"users:", Right::Read));
        assert!(!one("on !~users:* +@all").covers(b"users:", Right::Read));
        assert!(!one("").covers(b"users:", Right::Read));
    }
}
