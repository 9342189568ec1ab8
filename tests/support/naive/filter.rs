//! The filter language as a tree, and whether it holds of a document. Its text is in `filter_text`.

use std::cmp::Ordering;

use super::{
    arithmetic::Value,
    computed::Question,
    json::Json,
    meta::{Facts, Frame, Scope},
    path::Path,
    schema::{Kind, NaiveSchema},
    text::TextTest,
    value::{Scalar, scalar},
};

/// A comparison sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `!=` or `<>`, the complement of `=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// A constant: a literal or the value of a parameter, or a function of one.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `TRUE` or `FALSE`
    Bool(bool),
    /// A number, as it is written.
    Number(String),
    /// A string, unquoted.
    String(String),
    /// `now()`
    Now,
    /// `time(..)` of a string, or of a parameter that is a number of milliseconds.
    Time(Box<Literal>),
    /// `duration(..)`
    Duration(String),
}

impl Literal {
    /// The literal as a JSON value. Panics where it is a function.
    pub fn json(&self) -> Json {
        match self {
            Self::Bool(truth) => Json::Bool(*truth),
            Self::Number(text) => Json::Number(text.clone()),
            Self::String(text) => Json::String(text.clone()),
            Self::Now | Self::Time(_) | Self::Duration(_) => unreachable!("a function is no JSON"),
        }
    }

    /// Whether it is `now()`, `time(..)` or `duration(..)`.
    pub fn is_function(&self) -> bool {
        matches!(self, Self::Now | Self::Time(_) | Self::Duration(_))
    }
}

/// The kinds of JSON that `IS STRING` and its like ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonKind {
    /// `IS STRING`
    String,
    /// `IS NUMBER`
    Number,
    /// `IS BOOLEAN`
    Boolean,
    /// `IS ARRAY`
    Array,
    /// `IS OBJECT`
    Object,
}

impl JsonKind {
    /// Each of them.
    pub const ALL: [Self; 5] =
        [Self::String, Self::Number, Self::Boolean, Self::Array, Self::Object];

    /// The word after IS.
    pub fn word(self) -> &'static str {
        match self {
            Self::String => "STRING",
            Self::Number => "NUMBER",
            Self::Boolean => "BOOLEAN",
            Self::Array => "ARRAY",
            Self::Object => "OBJECT",
        }
    }

    fn is_of(self, value: &Json) -> bool {
        match self {
            Self::String => matches!(value, Json::String(_)),
            Self::Number => matches!(value, Json::Number(_)),
            Self::Boolean => matches!(value, Json::Bool(_)),
            Self::Array => matches!(value, Json::Array(_)),
            Self::Object => matches!(value, Json::Object(_)),
        }
    }
}

/// A filter. The negated predicates (`NOT IN`, `IS NOT NULL`, ..) are `Not` around the plain ones.
#[derive(Clone, Debug)]
pub enum Filter {
    /// All of these hold; at least one is given.
    And(Vec<Filter>),
    /// One of these holds; at least one is given.
    Or(Vec<Filter>),
    /// This does not hold.
    Not(Box<Filter>),
    /// `path cmp literal`
    Compare(Path, Comparison, Literal),
    /// `path BETWEEN least AND greatest`
    Between(Path, Literal, Literal),
    /// `path IN (..)`
    In(Path, Vec<Literal>),
    /// `path HAS literal`
    Has(Path, Literal),
    /// `path HAS ANY (..)`
    HasAny(Path, Vec<Literal>),
    /// `path HAS ALL (..)`
    HasAll(Path, Vec<Literal>),
    /// `path STARTS WITH text`, `path LIKE text`, ..
    Text(Path, TextTest, Literal),
    /// `path IS NULL`
    IsNull(Path),
    /// `path IS MISSING`
    IsMissing(Path),
    /// `path IS TRUE`, `path IS FALSE`
    IsBool(Path, bool),
    /// A bare path: `path = TRUE`
    Bare(Path),
    /// `_valid IS TRUE`, `_valid IS FALSE`
    Valid(bool),
    /// `path IS STRING`, ..
    IsKind(Path, JsonKind),
    /// `value cmp value`
    CompareValues(Value, Comparison, Value),
    /// `value BETWEEN value AND value`
    BetweenValues(Value, Value, Value),
    /// `value IN (..)`
    InValues(Value, Vec<Literal>),
    /// `ANY path WHERE (..)`
    AnyWhere(Path, Box<Filter>),
    /// `ALL path WHERE (..)`
    AllWhere(Path, Box<Filter>),
}

impl Filter {
    /// The paths from the document that it asks for; what is asked of elements is within one of these.
    pub fn paths(&self) -> Vec<Path> {
        let all = |values: &[&Value]| -> Vec<Path> {
            values.iter().flat_map(|value| value.paths()).cloned().collect()
        };
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().flat_map(Self::paths).collect(),
            Self::Not(part) => part.paths(),
            Self::CompareValues(left, _, right) => all(&[left, right]),
            Self::BetweenValues(value, least, greatest) => all(&[value, least, greatest]),
            Self::InValues(value, _) => all(&[value]),
            Self::Valid(_) => Vec::new(),
            Self::Compare(path, ..)
            | Self::Between(path, ..)
            | Self::In(path, _)
            | Self::Has(path, _)
            | Self::HasAny(path, _)
            | Self::HasAll(path, _)
            | Self::Text(path, ..)
            | Self::IsNull(path)
            | Self::IsMissing(path)
            | Self::IsBool(path, _)
            | Self::Bare(path)
            | Self::IsKind(path, _)
            | Self::AnyWhere(path, _)
            | Self::AllWhere(path, _) => vec![path.clone()],
        }
    }

    /// Whether there may be documents of which it holds and others, by a look at its predicates alone: one that no value
    /// satisfies, or each, asks for nothing.
    pub fn asks_something(&self) -> bool {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().all(Self::asks_something),
            Self::Not(part) => part.asks_something(),
            Self::In(_, literals) | Self::HasAny(_, literals) | Self::HasAll(_, literals) => {
                !literals.is_empty()
            }
            Self::Compare(..)
            | Self::Has(..)
            | Self::Text(..)
            | Self::IsNull(_)
            | Self::IsMissing(_)
            | Self::Bare(_) => true,
            _ => false,
        }
    }

    /// Whether the filter can be bound to this schema: every literal converts to the declared type,
    /// no declared array is compared itself, what is asked of strings is asked of fields that
    /// may hold one, by a string that is in order, and arithmetic is done with what may be numbers.
    /// Otherwise the path of the first fault, for which the server answers a `FILTER` error.
    pub fn check(&self, schema: &NaiveSchema) -> Result<(), String> {
        self.check_in(&Frame::document(schema))
    }

    /// As `check`, where paths begin as the frame says.
    pub fn check_in(&self, frame: &Frame<'_>) -> Result<(), String> {
        if let Some((question, _)) = self.question() {
            return question.check(frame);
        }
        if let Some(path) = self.path() {
            let asks_no_metadata = matches!(
                self,
                Self::Has(..)
                    | Self::HasAny(..)
                    | Self::HasAll(..)
                    | Self::IsKind(..)
                    | Self::AnyWhere(..)
                    | Self::AllWhere(..)
            );
            if !frame.knows(path) || (asks_no_metadata && path.meta().is_some()) {
                return Err(path.text());
            }
        }
        let fits = |path: &Path, literals: &[&Literal]| {
            let kind = frame.kind_of(path);
            let is_array = matches!(kind, Some(Kind::Array(_)));
            let converts =
                |literal: &&Literal| literal_scalar(&literal.json(), kind.as_ref()).is_some();
            if is_array || !literals.iter().all(converts) { Err(path.text()) } else { Ok(()) }
        };
        // A field that is declared to be no array is not asked for elements.
        let asks_elements = matches!(
            self,
            Self::Has(..)
                | Self::HasAny(..)
                | Self::HasAll(..)
                | Self::AnyWhere(..)
                | Self::AllWhere(..)
        );
        let kind = self.path().and_then(|path| frame.kind_of(path));
        if asks_elements && !matches!(kind, None | Some(Kind::Array(_) | Kind::Json)) {
            return Err(self.path().map(Path::text).unwrap_or_default());
        }
        let all_fit =
            |path: &Path, literals: &[Literal]| fits(path, &literals.iter().collect::<Vec<_>>());
        match self {
            Self::And(parts) | Self::Or(parts) => {
                parts.iter().try_for_each(|part| part.check_in(frame))
            }
            Self::Not(part) => part.check_in(frame),
            Self::Compare(path, _, literal) => fits(path, &[literal]),
            Self::Between(path, least, greatest) => fits(path, &[least, greatest]),
            Self::In(path, literals) => all_fit(path, literals),
            Self::Has(path, literal) => fits(&path.every(), &[literal]),
            Self::HasAny(path, literals) | Self::HasAll(path, literals) => {
                all_fit(&path.every(), literals)
            }
            Self::Text(path, test, literal) => {
                let may_be_string = matches!(
                    frame.kind_of(path),
                    None | Some(Kind::String | Kind::Nocase | Kind::Json)
                );
                let is_taken = matches!(literal, Literal::String(operand) if test.takes(operand));
                if may_be_string && is_taken { Ok(()) } else { Err(path.text()) }
            }
            Self::Bare(path) => fits(path, &[&Literal::Bool(true)]),
            Self::AnyWhere(path, part) | Self::AllWhere(path, part) => {
                part.check_in(&frame.element(path))
            }
            Self::IsNull(_)
            | Self::IsMissing(_)
            | Self::IsBool(..)
            | Self::IsKind(..)
            | Self::Valid(_) => Ok(()),
            Self::CompareValues(..) | Self::BetweenValues(..) | Self::InValues(..) => {
                unreachable!("these are questions")
            }
        }
    }

    /// The path of a predicate that asks for one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Compare(path, ..)
            | Self::Between(path, ..)
            | Self::In(path, _)
            | Self::Has(path, _)
            | Self::HasAny(path, _)
            | Self::HasAll(path, _)
            | Self::Text(path, ..)
            | Self::IsNull(path)
            | Self::IsMissing(path)
            | Self::IsBool(path, _)
            | Self::IsKind(path, _)
            | Self::Bare(path)
            | Self::AnyWhere(path, _)
            | Self::AllWhere(path, _) => Some(path),
            _ => None,
        }
    }

    /// The predicates over values, and those of a path that has a function among its constants, as
    /// one question, and whether it is negated.
    fn question(&self) -> Option<(Question, bool)> {
        let compare = |subject: &Value, comparison: Comparison, other: Value| {
            let is_negated = comparison == Comparison::NotEqual;
            let comparison = if is_negated { Comparison::Equal } else { comparison };
            let subject = subject.clone();
            (Question { subject, others: vec![(comparison, other)], needs_all: true }, is_negated)
        };
        let between = |subject: Value, least: Value, greatest: Value| {
            let others =
                vec![(Comparison::GreaterOrEqual, least), (Comparison::LessOrEqual, greatest)];
            (Question { subject, others, needs_all: true }, false)
        };
        let constant = |literal: &Literal| Value::Constant(literal.clone());
        let path = |path: &Path| Value::Path(path.clone());
        Some(match self {
            Self::CompareValues(subject, comparison, other) => {
                compare(subject, *comparison, other.clone())
            }
            Self::BetweenValues(subject, least, greatest) => {
                between(subject.clone(), least.clone(), greatest.clone())
            }
            Self::InValues(subject, literals) => {
                (Question::among(subject.clone(), literals), false)
            }
            Self::Compare(at, comparison, literal) if literal.is_function() => {
                compare(&path(at), *comparison, constant(literal))
            }
            Self::Between(at, least, greatest) if least.is_function() || greatest.is_function() => {
                between(path(at), constant(least), constant(greatest))
            }
            Self::In(at, literals) if literals.iter().any(Literal::is_function) => {
                (Question::among(path(at), literals), false)
            }
            Self::Has(at, literal) if literal.is_function() && at.meta().is_none() => {
                (Question::among(path(&at.every()), std::slice::from_ref(literal)), false)
            }
            Self::HasAny(at, literals) | Self::HasAll(at, literals)
                if literals.iter().any(Literal::is_function) && at.meta().is_none() =>
            {
                (Question::among(path(&at.every()), literals), false)
            }
            _ => return None,
        })
    }

    /// Whether the filter holds of a document without metadata, which is valid or not.
    pub fn holds(&self, document: &Json, schema: &NaiveSchema, is_valid: bool) -> bool {
        let facts = Facts { is_valid, ..Facts::default() };
        self.holds_in(&Scope::document(document, schema, &facts, 0))
    }

    /// Whether the filter holds of a document or of an element. A literal that does not convert
    /// compares false, though the server refuses such a filter: see `check`.
    pub fn holds_in(&self, scope: &Scope<'_>) -> bool {
        if let Some((question, is_negated)) = self.question() {
            return match self {
                Self::HasAll(path, literals) => has_all_in(&question, path, literals.len(), scope),
                _ => question.holds(scope) != is_negated,
            };
        }
        match self {
            Self::And(parts) => parts.iter().all(|part| part.holds_in(scope)),
            Self::Or(parts) => parts.iter().any(|part| part.holds_in(scope)),
            Self::Not(part) => !part.holds_in(scope),
            Self::Compare(path, Comparison::NotEqual, literal) => {
                !any(path, scope, |value, kind| is(value, kind, Ordering::is_eq, literal))
            }
            Self::Compare(path, comparison, literal) => {
                any(path, scope, |value, kind| is(value, kind, comparison.meaning(), literal))
            }
            Self::Between(path, least, greatest) => any(path, scope, |value, kind| {
                is(value, kind, Ordering::is_ge, least)
                    && is(value, kind, Ordering::is_le, greatest)
            }),
            Self::In(path, literals) => any(path, scope, |value, kind| {
                literals.iter().any(|literal| is(value, kind, Ordering::is_eq, literal))
            }),
            Self::Has(path, literal) => {
                any(&path.every(), scope, |value, kind| is(value, kind, Ordering::is_eq, literal))
            }
            Self::HasAny(path, literals) => any(&path.every(), scope, |value, kind| {
                literals.iter().any(|literal| is(value, kind, Ordering::is_eq, literal))
            }),
            Self::HasAll(path, literals) => {
                let kind = scope.kind_of(&path.every());
                let has_all = |value: &Json| has_all(value, kind.as_ref(), literals);
                scope.values(path).iter().any(has_all)
            }
            Self::Text(path, test, literal) => {
                any(path, scope, |value, kind| match (scalar(value, kind), literal) {
                    (Some(Scalar::Text(value)), Literal::String(operand)) => {
                        test.holds(value, operand)
                    }
                    (Some(Scalar::Folded(_, value)), Literal::String(operand)) => {
                        test.holds_folded(value, operand)
                    }
                    _ => false,
                })
            }
            Self::IsNull(path) => any(path, scope, |value, _| *value == Json::Null),
            Self::IsMissing(path) => scope.values(path).is_empty(),
            Self::IsBool(path, truth) => any(path, scope, |value, kind| {
                *value == Json::Bool(*truth) && kind.is_none_or(|kind| kind.admits(value))
            }),
            Self::IsKind(path, kind) => any(path, scope, |value, _| kind.is_of(value)),
            Self::Bare(path) => any(path, scope, |value, kind| {
                is(value, kind, Ordering::is_eq, &Literal::Bool(true))
            }),
            Self::Valid(truth) => *truth == scope.facts.is_valid,
            Self::AnyWhere(path, part) => scope.values(path).iter().any(|value| match value {
                Json::Array(elements) => {
                    elements.iter().any(|element| part.holds_in(&scope.element(path, element)))
                }
                _ => false,
            }),
            Self::AllWhere(path, part) => scope.values(path).iter().any(|value| match value {
                Json::Array(elements) => {
                    elements.iter().all(|element| part.holds_in(&scope.element(path, element)))
                }
                _ => false,
            }),
            Self::CompareValues(..) | Self::BetweenValues(..) | Self::InValues(..) => {
                unreachable!("these are questions")
            }
        }
    }
}

/// Whether one of the arrays has an element for each constant, functions among them.
fn has_all_in(question: &Question, path: &Path, count: usize, scope: &Scope<'_>) -> bool {
    scope.values(path).into_iter().any(|array| match array {
        Json::Array(elements) => (0..count).all(|at| {
            let has = |element: &Json| question.holds_with(scope, element, at);
            elements.iter().any(has)
        }),
        _ => false,
    })
}

impl Comparison {
    /// What the order of two values must be.
    pub fn meaning(self) -> fn(Ordering) -> bool {
        match self {
            Self::Equal => Ordering::is_eq,
            Self::NotEqual => Ordering::is_ne,
            Self::Less => Ordering::is_lt,
            Self::LessOrEqual => Ordering::is_le,
            Self::Greater => Ordering::is_gt,
            Self::GreaterOrEqual => Ordering::is_ge,
        }
    }

    /// The sign that means the same when both sides change places.
    #[must_use]
    pub fn turned(self) -> Self {
        match self {
            Self::Equal | Self::NotEqual => self,
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
        }
    }
}

fn any(path: &Path, scope: &Scope<'_>, holds: impl Fn(&Json, Option<&Kind>) -> bool) -> bool {
    let kind = scope.kind_of(path);
    scope.values(path).iter().any(|value| holds(value, kind.as_ref()))
}

/// Whether a value stands so to a literal. False across kinds.
fn is(value: &Json, kind: Option<&Kind>, meaning: fn(Ordering) -> bool, literal: &Literal) -> bool {
    let literal = literal.json();
    match (scalar(value, kind), literal_scalar(&literal, kind)) {
        (Some(left), Some(right)) => left.compare(&right).is_some_and(meaning),
        _ => false,
    }
}

/// Whether a value is an array and each literal is an element of it. The elements are of this type.
fn has_all(value: &Json, kind: Option<&Kind>, literals: &[Literal]) -> bool {
    let Json::Array(elements) = value else { return false };
    let has = |literal| elements.iter().any(|element| is(element, kind, Ordering::is_eq, literal));
    literals.iter().all(has)
}

/// A literal converted to a declared type. On `int` a fraction is no error and compares exactly.
fn literal_scalar<'a>(literal: &'a Json, kind: Option<&Kind>) -> Option<Scalar<'a>> {
    let kind = if kind == Some(&Kind::Int) { Some(&Kind::Float) } else { kind };
    scalar(literal, kind)
}
