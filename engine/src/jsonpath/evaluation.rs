//! What the paths of one command share while they are evaluated: the count of what they looked at, and compiled
//! regular expressions.

use std::collections::HashMap;

use regex::{Regex, RegexBuilder};

use super::iregexp;
use crate::value::Raw;
use crate::{Code, Error, Limits, Result};

/// Bytes that are passed over in the time in which a value is looked at.
const BYTES_PER_VALUE: usize = 256;
/// Compiling a regular expression counts as so many values if it takes little memory, a share of the limit, and as so
/// many more if it does not: tens of microseconds, or milliseconds.
const VALUES_PER_REGEX: [(usize, usize); 2] = [(64, 1_000), (1, 10_000)];
/// Regular expressions that are kept: each can take megabytes.
const REGEXES_MAX: usize = 32;

/// One command's evaluation of paths.
#[derive(Debug)]
pub struct Evaluation {
    /// Values looked at so far; text that is passed over counts as values too.
    visited: usize,
    nodes_max: usize,
    regex_bytes_max: usize,
    /// By pattern and whether it is for the whole text; `None` is no regular expression.
    regexes: HashMap<(Box<str>, bool), Option<Regex>>,
}

impl Evaluation {
    /// One that has looked at nothing yet.
    pub fn new(limits: &Limits) -> Self {
        Evaluation {
            visited: 0,
            nodes_max: limits.jsonpath_nodes_max,
            regex_bytes_max: limits.regex_bytes_max,
            regexes: HashMap::new(),
        }
    }

    /// So many values are looked at.
    pub(super) fn count(&mut self, values: usize) -> Result<()> {
        self.visited = self.visited.saturating_add(values);
        if self.visited > self.nodes_max {
            let what = format!(
                "the paths look at more than {} values (folio.jsonpath-nodes-max)",
                self.nodes_max
            );
            return Err(Error::new(Code::Limited, what));
        }
        Ok(())
    }

    /// One value is looked at, and so many bytes of text.
    pub(super) fn look(&mut self, bytes: usize) -> Result<()> {
        self.count(1 + bytes / BYTES_PER_VALUE)
    }

    /// One value is selected or compared.
    pub(super) fn visit(&mut self, value: Raw<'_>) -> Result<()> {
        self.look(value.bytes().len())
    }

    /// Whether the I-Regexp `pattern` matches the `whole` text, or any part; false where it is none.
    pub(super) fn is_match(&mut self, pattern: &str, whole: bool, text: &str) -> Result<bool> {
        self.look(pattern.len() + text.len())?;
        let key = (Box::from(pattern), whole);
        if let Some(regex) = self.regexes.get(&key) {
            return Ok(regex.as_ref().is_some_and(|regex| regex.is_match(text)));
        }
        let regex = self.compile(pattern, whole)?;
        let is_match = regex.as_ref().is_some_and(|regex| regex.is_match(text));
        if self.regexes.len() == REGEXES_MAX {
            self.regexes.clear();
        }
        self.regexes.insert(key, regex);
        Ok(is_match)
    }

    fn compile(&mut self, pattern: &str, whole: bool) -> Result<Option<Regex>> {
        let Some(translated) = iregexp::translate(pattern)? else { return Ok(None) };
        let anchored = if whole { format!(r"\A(?:{translated})\z") } else { translated };
        for (share, values) in VALUES_PER_REGEX {
            self.count(values)?;
            let size_limit = self.regex_bytes_max / share;
            match RegexBuilder::new(&anchored).size_limit(size_limit).build() {
                Ok(regex) => return Ok(Some(regex)),
                Err(regex::Error::CompiledTooBig(_)) => {}
                // Such as `[z-a]` or `a{2,1}`, which the grammar lets through.
                Err(_) => return Ok(None),
            }
        }
        let what = format!(
            "a regular expression takes more than the limit of {} bytes (folio.regex-bytes-max)",
            self.regex_bytes_max
        );
        Err(Error::new(Code::TooBig, what))
    }
}
