//! Predicates that a loaded function decides: `near(location.lat, location.lon, 48.85, 2.35)`.

use std::sync::Arc;

use smallvec::SmallVec;

use super::ast::{AstTest, Position};
use super::bind::{Binder, Scope, Used, Within, place};
use super::filter::{Asked, FilterNode, Place};
use super::hint;
use super::operand::{Function, Literal, Operand, Subject};
use crate::doc::print::write_string;
use crate::function::{Call, Loaded};
use crate::value::Raw;
use crate::{Code, Error, Result};

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
        Argument::Constant(json(literal))
    }
}

/// What a literal is as JSON.
fn json(literal: &Literal) -> Box<[u8]> {
    let json = match literal {
        Literal::Bool(value) => value.to_string().into_bytes(),
        Literal::Number(text) => text.as_bytes().to_vec(),
        Literal::String(text) => {
            let mut json = Vec::new();
            write_string(text, &mut json);
            json
        }
    };
    json.into()
}

/// A literal, a parameter, or what a function of the language makes of one, as JSON. Error: `FILTER`.
pub fn constant(operand: &Operand, scope: &Scope<'_>, used: &mut Used) -> Result<Box<[u8]>> {
    let mut binder = Binder::new(scope);
    let json = json(&binder.constants.simple(operand)?.0.literal());
    used.extend(binder.constants.used.iter().map(|name| Box::from(*name)));
    Ok(json)
}

impl<'b> Binder<'b> {
    /// A predicate that a loaded function decides. Error: `FILTER`.
    pub(super) fn called(
        &mut self,
        (name, position): (&str, Position),
        test: &'b AstTest,
        within: Within<'_>,
    ) -> Result<FilterNode> {
        let Some(functions) = self.scope.functions else {
            return Err(Error::filter(position.0, "functions are asked of documents alone"));
        };
        let function = functions.get(name).map_err(|_| {
            let own = Function::ALL.map(Function::name);
            let known = own.into_iter().chain(functions.iter().map(|function| &*function.name));
            let meant = hint::nearest(name, known)
                .map_or(String::new(), |meant| format!(", did you mean {meant}?"));
            let what =
                format!("{name} is no function that is loaded, and none of {}", own.join(", "));
            Error::new(Code::Filter, format!("{what} at position {}{meant}", position.0))
        })?;
        let args = test.operands().map(|operand| match operand.as_subject() {
            Some(Subject::Path(path)) => Ok(Argument::Read(place(path, within))),
            Some(Subject::Meta(meta)) => {
                let what =
                    format!("{} is no part of the text, and given to no function", meta.name());
                Err(Error::filter(operand.position().0, what))
            }
            None => Ok(Argument::literal(&self.constants.simple(operand)?.0.literal())),
        });
        let args = args.collect::<Result<_>>()?;
        let called = Called { function: function.clone(), args, text: test.to_string().into() };
        Ok(FilterNode::Called(called))
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
