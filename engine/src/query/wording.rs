//! How a predicate was put, for EXPLAIN: also of one that stands for several, or for what another one leaves.

use std::fmt;

/// How several become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Join {
    /// All of them hold.
    And,
    /// One of them holds.
    Or,
}

impl Join {
    /// What it becomes under NOT.
    #[must_use]
    pub fn turned(self) -> Join {
        match self {
            Join::And => Join::Or,
            Join::Or => Join::And,
        }
    }

    /// The word between its parts, with spaces.
    pub fn word(self) -> &'static str {
        match self {
            Join::And => " AND ",
            Join::Or => " OR ",
        }
    }
}

/// Parts of a join that are shown.
const PARTS_MAX: usize = 8;

/// A predicate in words: one, or a join of some, perhaps under NOT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording {
    text: String,
    join: Option<Join>,
    is_negated: bool,
}

impl Wording {
    /// The words of one predicate.
    pub fn one(text: impl Into<String>) -> Wording {
        Wording { text: text.into(), join: None, is_negated: false }
    }

    /// Whether all of it stands under NOT.
    pub fn is_negated(&self) -> bool {
        self.is_negated
    }

    /// The words of what is left without it.
    #[must_use]
    pub fn turned(&self) -> Wording {
        Wording { is_negated: !self.is_negated, ..self.clone() }
    }

    /// The words of several, of which the first few are shown. Those under NOT come last; where all are, one NOT does.
    pub fn joined<'w>(join: Join, parts: impl Iterator<Item = &'w Wording>) -> Wording {
        let (mut plain, negated): (Vec<&Wording>, Vec<&Wording>) =
            parts.partition(|part| !part.is_negated);
        if plain.is_empty() {
            let turned: Vec<Wording> = negated.iter().map(|part| part.turned()).collect();
            return Wording { is_negated: true, ..Wording::of_parts(join.turned(), &turned) };
        }
        plain.extend(negated);
        Wording::of_parts(join, &plain)
    }

    fn of_parts<W: std::borrow::Borrow<Wording>>(join: Join, parts: &[W]) -> Wording {
        if let [only] = parts {
            return only.borrow().clone();
        }
        let shown = parts.iter().take(PARTS_MAX).map(|part| part.borrow().within(join));
        let more = parts.len().checked_sub(PARTS_MAX).filter(|more| *more > 0);
        let more = more.map(|more| format!(".. {more} more"));
        let text = shown.chain(more).collect::<Vec<String>>().join(join.word());
        Wording { text, join: Some(join), is_negated: false }
    }

    /// The words as they stand within a join.
    pub fn within(&self, join: Join) -> String {
        match self.join {
            Some(own) if own != join && !self.is_negated => format!("({self})"),
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for Wording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.is_negated, self.join) {
            (false, _) => f.write_str(&self.text),
            (true, None) => write!(f, "NOT {}", self.text),
            (true, Some(_)) => write!(f, "NOT ({})", self.text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_read_as_they_were_meant() {
        let [a, b, c] = ["a", "b", "c"].map(Wording::one);
        let join = |join, parts: &[&Wording]| Wording::joined(join, parts.iter().copied());
        let both = join(Join::And, &[&a, &b]);
        assert_eq!(both.to_string(), "a AND b");
        assert_eq!(join(Join::And, &[&both, &c]).to_string(), "a AND b AND c");
        assert_eq!(join(Join::Or, &[&both, &c]).to_string(), "(a AND b) OR c");
        assert_eq!(both.turned().to_string(), "NOT (a AND b)");
        assert_eq!(both.turned().turned(), both);
        assert_eq!(join(Join::And, &[&a.turned(), &b]).to_string(), "b AND NOT a");
        let neither = join(Join::And, &[&a.turned(), &b.turned()]);
        assert_eq!(neither.to_string(), "NOT (a OR b)");
        assert_eq!(join(Join::Or, &[&neither, &c]).to_string(), "c OR NOT (a OR b)");
        let many = vec![a; 300];
        let text = join(Join::Or, &many.iter().collect::<Vec<_>>()).to_string();
        assert_eq!(text, format!("{}.. 292 more", "a OR ".repeat(8)));
    }
}
