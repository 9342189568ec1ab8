//! Predicates over values: comparisons of two, BETWEEN and IN, where paths and arithmetic may stand
//! on any side, and instants among the constants.

use std::cmp::Ordering;

use bigdecimal::BigDecimal;

use super::{
    arithmetic::{Mode, Value, View, Worth, constant},
    filter::{Comparison, Literal},
    json::Json,
    meta::{Frame, Scope},
    path::Path,
    schema::Kind,
    time,
    value::{instant, is_decimal},
};

/// One value that is compared with others, all of which or one of which must be met.
#[derive(Clone, Debug)]
pub struct Question {
    /// What is compared.
    pub subject: Value,
    /// With what, and how. None of the signs is `!=`.
    pub others: Vec<(Comparison, Value)>,
    /// Whether all comparisons must hold, and not just one.
    pub needs_all: bool,
}

impl Question {
    /// A value that is to be equal to one of these constants.
    pub fn among(subject: Value, literals: &[Literal]) -> Self {
        let equal = |literal: &Literal| (Comparison::Equal, Value::Constant(literal.clone()));
        Self { subject, others: literals.iter().map(equal).collect(), needs_all: false }
    }

    fn values(&self) -> impl Iterator<Item = &Value> + Clone {
        std::iter::once(&self.subject).chain(self.others.iter().map(|(_, value)| value))
    }

    fn paths(&self) -> Vec<&Path> {
        self.values().flat_map(Value::paths).collect()
    }

    fn mode(&self, frame: &Frame<'_>) -> Mode {
        Mode::of(self.values(), frame)
    }

    /// The path, where it stands alone and all else is constant.
    fn lone_path(&self) -> Option<&Path> {
        let is_bare = |value: &Value| matches!(value, Value::Path(_));
        match self.paths().as_slice() {
            [path] if self.values().any(is_bare) => Some(path),
            _ => None,
        }
    }

    /// The type of undeclared values: beside an instant, a path alone is a datetime.
    fn open_kind(&self, frame: &Frame<'_>) -> Option<Kind> {
        let is_instant = self.mode(frame) == Mode::Instants;
        (is_instant && self.lone_path().is_some()).then_some(Kind::Datetime)
    }

    /// Whether it holds of a document, or of one of the values that a path with `[*]` leads to.
    pub fn holds(&self, scope: &Scope<'_>) -> bool {
        match self.paths().into_iter().find(|path| path.is_multiple()) {
            None => self.holds_of(scope, None),
            Some(path) => {
                scope.values(path).into_iter().any(|value| self.holds_of(scope, Some(value)))
            }
        }
    }

    /// Whether the comparison at this place holds, where the path with `[*]` leads to this value.
    pub fn holds_with(&self, scope: &Scope<'_>, one: &Json, at: usize) -> bool {
        let view = self.view(scope, Some(one.clone()));
        self.compares(&view, &self.others[at])
    }

    fn holds_of(&self, scope: &Scope<'_>, one: Option<Json>) -> bool {
        let view = self.view(scope, one);
        let mut answers = self.others.iter().map(|other| self.compares(&view, other));
        if self.needs_all { answers.all(|holds| holds) } else { answers.any(|holds| holds) }
    }

    fn view<'a>(&self, scope: &'a Scope<'a>, one: Option<Json>) -> View<'a> {
        let (mode, open_kind) = (self.mode(&scope.frame), self.open_kind(&scope.frame));
        View { scope, mode, one, open_kind }
    }

    fn compares(&self, view: &View<'_>, (comparison, other): &(Comparison, Value)) -> bool {
        let mut sides = view.worth(&self.subject).zip(view.worth(other));
        // Two paths, one of which is declared NOCASE, are both folded.
        let mut paths = self.subject.paths().into_iter().chain(other.paths());
        if paths.any(|path| view.scope.kind_of(path) == Some(Kind::Nocase)) {
            sides = sides.map(|(subject, other)| (subject.folded(), other.folded()));
        }
        let ordering = sides.and_then(|(subject, other)| subject.compare(&other));
        ordering.is_some_and(comparison.meaning())
    }

    /// Whether it can be bound. Otherwise what is at fault: a path's text, or a constant's.
    pub fn check(&self, frame: &Frame<'_>) -> Result<(), String> {
        let mode = self.mode(frame);
        let paths = self.paths();
        if let Some(unknown) = paths.iter().find(|path| !frame.knows(path)) {
            return Err(unknown.text());
        }
        if paths.iter().filter(|path| path.is_multiple()).count() > 1 {
            return Err("[*]".to_owned());
        }
        for value in self.values() {
            check_value(value, false, mode, frame)?;
        }
        for (_, other) in &self.others {
            self.check_pair(&self.subject, other, mode, frame)?;
            self.check_pair(other, &self.subject, mode, frame)?;
        }
        Ok(())
    }

    /// Whether a constant fits the value that it is compared with.
    fn check_pair(
        &self,
        value: &Value,
        other: &Value,
        mode: Mode,
        frame: &Frame<'_>,
    ) -> Result<(), String> {
        if !other.paths().is_empty() {
            return Ok(());
        }
        match (value, other) {
            (Value::Path(path), other) => {
                let kind = match frame.kind_of(path) {
                    None | Some(Kind::Json) => self.open_kind(frame),
                    kind => kind,
                };
                let fits = kind.is_none_or(|kind| converts(other, &kind, mode, frame));
                if fits { Ok(()) } else { Err(path.text()) }
            }
            (value, Value::Constant(Literal::Bool(_))) if value.is_computed() => {
                Err("boolean".to_owned())
            }
            (value, Value::Constant(Literal::String(text))) if value.is_computed() => {
                if is_number(text, mode) { Ok(()) } else { Err(text.clone()) }
            }
            _ => Ok(()),
        }
    }
}

fn check_value(
    value: &Value,
    in_arithmetic: bool,
    mode: Mode,
    frame: &Frame<'_>,
) -> Result<(), String> {
    match value {
        Value::Path(path) => match frame.kind_of(path) {
            Some(Kind::Array(_)) => Err(path.text()),
            Some(Kind::String | Kind::Nocase | Kind::Bool) if in_arithmetic => Err(path.text()),
            _ => Ok(()),
        },
        Value::Constant(Literal::Bool(_)) if in_arithmetic => Err("boolean".to_owned()),
        Value::Constant(Literal::String(text)) if in_arithmetic || mode == Mode::Instants => {
            if is_number(text, mode) {
                Ok(())
            } else {
                Err(text.clone())
            }
        }
        Value::Constant(Literal::Time(text)) => match text.as_ref() {
            Literal::String(text) if time::time(text).is_none() => Err(text.clone()),
            Literal::Bool(_) => Err("boolean".to_owned()),
            _ => Ok(()),
        },
        Value::Constant(Literal::Duration(text)) if time::duration(text).is_none() => {
            Err(text.clone())
        }
        Value::Constant(_) => Ok(()),
        Value::Negated(value) => check_value(value, true, mode, frame),
        Value::Computed(left, _, right) => {
            check_value(left, true, mode, frame)?;
            check_value(right, true, mode, frame)
        }
    }
}

/// Whether a string constant is a number in this mode.
fn is_number(text: &str, mode: Mode) -> bool {
    match mode {
        Mode::Numbers => false,
        Mode::Decimals => is_decimal(text),
        Mode::Instants => instant(text).is_some(),
    }
}

/// Whether constants convert to the declared type of the path alone that they are compared with.
fn converts(other: &Value, kind: &Kind, mode: Mode, frame: &Frame<'_>) -> bool {
    let Value::Constant(literal) = other else {
        // Something computed is a number, or an instant.
        return match kind {
            Kind::Int | Kind::Float | Kind::Decimal => true,
            Kind::Datetime => other.has_instant(frame) || is_milliseconds(other, mode),
            Kind::String | Kind::Nocase | Kind::Bool | Kind::Array(_) | Kind::Json => false,
        };
    };
    let worth = constant(literal, mode, 0);
    match (kind, worth) {
        (Kind::String | Kind::Nocase, Some(Worth::Text(_)))
        | (Kind::Bool, Some(Worth::Bool(_))) => true,
        (Kind::Int | Kind::Float | Kind::Decimal, worth) => {
            matches!(worth, None | Some(Worth::Number(_) | Worth::Decimal(_)))
        }
        (Kind::Datetime, Some(Worth::Decimal(_))) => {
            matches!(literal, Literal::Now | Literal::Time(_) | Literal::String(_))
                || is_milliseconds(other, mode)
        }
        _ => false,
    }
}

/// Whether a constant without an instant is a whole number of milliseconds such as a datetime has.
fn is_milliseconds(value: &Value, mode: Mode) -> bool {
    let facts = super::meta::Facts::default();
    let schema = super::schema::NaiveSchema::default();
    let scope = Scope::document(&Json::Null, &schema, &facts, 0);
    let view = View { scope: &scope, mode, one: None, open_kind: None };
    match view.worth(value) {
        None => true,
        Some(Worth::Decimal(exact)) => {
            let bound = BigDecimal::from(1_i64 << 53);
            exact.is_integer() && exact.abs().cmp(&bound) != Ordering::Greater
        }
        Some(_) => false,
    }
}
