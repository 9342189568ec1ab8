//! JSONPath, RFC 9535: `$..book[?@.price < 10].title`.
//!
//! A text is read once ([`parse`]) into a [`program`]: flat lists of queries and of filters, which refer to each other
//! by number, so that nothing nests in memory. A machine with a stack of its own ([`eval`]) runs it over a
//! document's text as it is stored. What it selects are slices of that text, in the order of the RFC.

mod compare;
mod eval;
mod evaluation;
mod iregexp;
mod parse;
mod program;
mod scan;
mod select;

use std::fmt;

pub use evaluation::Evaluation;

use crate::value::Raw;
use crate::{Limits, Result};
use program::{Filter, Query};

/// A parsed query. Displays in a canonical form, which reads back as an equal query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPath {
    /// The canonical form: every name in brackets and single quotes, white space only around operators.
    text: Box<str>,
    /// A query stands behind those within its filters, the query itself last.
    queries: Box<[Query]>,
    filters: Box<[Filter]>,
}

impl JsonPath {
    /// Reads a query. An error has code `Path` and the byte at which reading stopped, or code `TooBig` and the name
    /// of the limit. O(bytes).
    pub fn parse(text: &str, limits: &Limits) -> Result<JsonPath> {
        parse::parse(text, limits)
    }

    /// Whether a text means a JSONPath where paths of both kinds can stand.
    pub fn is_meant(text: &[u8]) -> bool {
        text.starts_with(b"$")
    }

    /// The values that the query selects in the document that `root` is, in the order of the RFC: children as they
    /// stand in the text, a value before those within it. One that is selected twice comes twice. An error has code
    /// `Limited`, or `TooBig` for a regular expression.
    pub fn select<'a>(
        &'a self,
        root: Raw<'a>,
        evaluation: &mut Evaluation,
    ) -> Result<Vec<Raw<'a>>> {
        eval::Machine::new(self, root, evaluation).run()
    }

    /// Appends the JSON array of the values that the query selects, each as it stands in the document.
    pub fn print(
        &self,
        root: Raw<'_>,
        evaluation: &mut Evaluation,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let values = self.select(root, evaluation)?;
        out.push(b'[');
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            out.extend_from_slice(value.bytes());
        }
        out.push(b']');
        Ok(())
    }
}

impl fmt::Display for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
#[path = "jsonpath_tests.rs"]
mod tests;
