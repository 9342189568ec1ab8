//! Predicates that a loaded function decides: `near(location.lat, location.lon, 48.85, 2.35)`.

use std::sync::Arc;

use smallvec::SmallVec;

use super::filter::{Asked, Place};
use super::operand::Literal;
use crate::doc::print::write_string;
use crate::function::{Call, Loaded};
use crate::value::Raw;

/// A loaded function says true of a document and what some paths lead to.
#[derive(Debug, Clone)]
pub struct Called {
    /// The function.
    pub function: Arc<Loaded>,
    /// What it is given behind the document.
    pub args: Vec<Argument>,
    /// The predicate as text, for EXPLAIN.
    pub text: Box<str>,
}

/// What a function is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// What a place leads to: nothing is null, and a path with `[*]` an array of its values.
    Read(Place),
    /// A constant, as JSON.
    Constant(Box<[u8]>),
}

impl PartialEq for Called {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.function, &other.function) && self.args == other.args
    }
}

impl Argument {
    /// The constant that a literal is.
    pub(super) fn literal(literal: &Literal) -> Self {
        let json = match literal {
            Literal::Bool(value) => value.to_string().into_bytes(),
            Literal::Number(text) => text.as_bytes().to_vec(),
            Literal::String(text) => {
                let mut json = Vec::new();
                write_string(text, &mut json);
                json
            }
        };
        Argument::Constant(json.into())
    }
}

impl Called {
    /// All that is read.
    pub(super) fn places(&self) -> impl Iterator<Item = &Place> {
        self.args.iter().filter_map(|given| match given {
            Argument::Read(place) => Some(place),
            Argument::Constant(_) => None,
        })
    }

    /// Whether the function says true. Where it fails, the question has: the meter keeps the error.
    pub(super) fn holds(&self, asked: &mut Asked<'_, '_>) -> bool {
        const NULL: &[u8] = b"null";
        // A call may take as long as much else.
        if asked.meter.check().is_err() {
            return false;
        }
        let mut lists: Vec<Vec<u8>> = Vec::new();
        let mut args: SmallVec<[Raw<'_>; 4]> = SmallVec::new();
        for given in &self.args {
            if let Argument::Read(place) = given
                && place.is_multi()
            {
                let mut list = vec![b'['];
                asked.any(place, |value| {
                    if list.len() > 1 {
                        list.push(b',');
                    }
                    list.extend_from_slice(value.bytes());
                    false
                });
                list.push(b']');
                lists.push(list);
            }
        }
        let mut lists = lists.iter();
        for given in &self.args {
            let arg = match given {
                Argument::Constant(json) => json,
                Argument::Read(place) if place.is_multi() => lists.next().map_or(NULL, |list| list),
                Argument::Read(place) => {
                    let found = asked.path(place).and_then(|(path, root)| path.first(root));
                    found.map_or(NULL, Raw::bytes)
                }
            };
            args.push(Raw::new(arg));
        }
        let doc = asked.candidate.doc().without_computed();
        match self.function.call(&Call { doc, args: &args, is_judging: true }) {
            Ok(outcome) => outcome.value.as_deref() == Some(b"true"),
            Err(error) => {
                asked.meter.fail(error);
                false
            }
        }
    }
}
