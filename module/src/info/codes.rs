//! Counts of errors, by the word that stands first in the reply.

use std::fmt::Display;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use folio_engine::{Code, Error};

use crate::commands::Refusal;

/// Words of the server that Folio answers besides its own codes.
const OTHERS: [&str; 2] = ["WRONGTYPE", "NOPERM"];
const WRONG_TYPE: usize = Code::ALL.len();
const NO_PERMISSION: usize = WRONG_TYPE + 1;

/// An error that stands under a code, at a place of its own.
pub(crate) trait Coded: Display {
    /// The place of the code among all.
    fn place(&self) -> usize;
}

impl Coded for Error {
    fn place(&self) -> usize {
        self.code as usize
    }
}

impl Coded for Refusal {
    fn place(&self) -> usize {
        match self {
            Refusal::Error(error) => error.place(),
            Refusal::WrongType | Refusal::NoStream(_) => WRONG_TYPE,
            Refusal::NotPermitted | Refusal::NotAllKeys(_) | Refusal::Forbidden { .. } => {
                NO_PERMISSION
            }
        }
    }
}

/// How many errors of each code.
pub(crate) struct ByCode([AtomicU64; Code::ALL.len() + OTHERS.len()]);

impl ByCode {
    /// None yet.
    pub(crate) const fn new() -> Self {
        ByCode([const { AtomicU64::new(0) }; Code::ALL.len() + OTHERS.len()])
    }

    /// Counts one.
    pub(crate) fn count(&self, error: &dyn Coded) {
        self.count_at(error.place());
    }

    /// Counts a defect.
    pub(crate) fn count_defect(&self) {
        self.count_at(Code::Internal as usize);
    }

    fn count_at(&self, place: usize) {
        self.0[place].fetch_add(1, Relaxed);
    }

    /// How many of all codes.
    pub(crate) fn total(&self) -> u64 {
        self.0.iter().map(|count| count.load(Relaxed)).sum()
    }

    /// The codes that were met, and how often.
    pub(crate) fn met(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let words = Code::ALL.iter().map(|code| code.as_str()).chain(OTHERS);
        words.zip(&self.0).map(|(word, count)| (word, count.load(Relaxed))).filter(|met| met.1 > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_counted_under_the_first_word_of_its_reply() {
        let counts = ByCode::new();
        let refusals = [
            Refusal::WrongType,
            Refusal::NotPermitted,
            Error::new(Code::Unique, "the value is held").into(),
            Error::new(Code::Syntax, "no such option").into(),
            Error::new(Code::Unique, "the value is held").into(),
        ];
        for refusal in &refusals {
            counts.count(refusal);
            let text = refusal.to_string();
            let word = text.split(' ').next().unwrap_or_default();
            assert!(counts.met().any(|(met, _)| met == word), "{text}");
        }
        let met: Vec<_> = counts.met().collect();
        assert_eq!(met, [("UNIQUE", 2), ("ERR", 1), ("WRONGTYPE", 1), ("NOPERM", 1)]);
        assert_eq!(counts.total(), 5);
    }
}
