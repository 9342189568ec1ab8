//! The filter language as a tree, and whether it holds of a document. Its text is in `filter_text`.

use std::cmp::Ordering;

use super::{
    json::Json,
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

/// A literal, or the value of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `TRUE` or `FALSE`
    Bool(bool),
    /// A number, as it is written.
    Number(String),
    /// A string, unquoted.
    String(String),
}

impl Literal {
    /// The literal as a JSON value.
    pub fn json(&self) -> Json {
        match self {
            Self::Bool(truth) => Json::Bool(*truth),
            Self::Number(text) => Json::Number(text.clone()),
            Self::String(text) => Json::String(text.clone()),
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
}

impl Filter {
    /// Whether the filter can be bound to this schema: every literal converts to the declared type,
    /// no declared array is compared itself, and what is asked of strings is asked of fields that
    /// may hold one, by a string that is in order. Otherwise the path of the first fault, for which
    /// the server answers a `FILTER` error.
    pub fn check(&self, schema: &NaiveSchema) -> Result<(), String> {
        let fits = |path: &Path, literals: &[&Literal]| {
            let kind = schema.kind_of(path);
            let is_array = matches!(kind, Some(Kind::Array(_)));
            let converts = |literal: &&Literal| literal_scalar(&literal.json(), kind).is_some();
            if is_array || !literals.iter().all(converts) { Err(path.text()) } else { Ok(()) }
        };
        let all_fit =
            |path: &Path, literals: &[Literal]| fits(path, &literals.iter().collect::<Vec<_>>());
        match self {
            Self::And(parts) | Self::Or(parts) => {
                parts.iter().try_for_each(|part| part.check(schema))
            }
            Self::Not(part) => part.check(schema),
            Self::Compare(path, _, literal) => fits(path, &[literal]),
            Self::Between(path, least, greatest) => fits(path, &[least, greatest]),
            Self::In(path, literals) => all_fit(path, literals),
            Self::Has(path, literal) => fits(&path.every(), &[literal]),
            Self::HasAny(path, literals) | Self::HasAll(path, literals) => {
                all_fit(&path.every(), literals)
            }
            Self::Text(path, test, literal) => {
                let may_be_string =
                    matches!(schema.kind_of(path), None | Some(Kind::String | Kind::Json));
                let is_taken = matches!(literal, Literal::String(operand) if test.takes(operand));
                if may_be_string && is_taken { Ok(()) } else { Err(path.text()) }
            }
            Self::Bare(path) => fits(path, &[&Literal::Bool(true)]),
            Self::IsNull(_) | Self::IsMissing(_) | Self::IsBool(..) | Self::Valid(_) => Ok(()),
        }
    }

    /// Whether the filter holds of a document, which is valid or not. A literal that does not convert compares false,
    /// though the server refuses such a filter: see `check`.
    pub fn holds(&self, document: &Json, schema: &NaiveSchema, is_valid: bool) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.holds(document, schema, is_valid)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(document, schema, is_valid)),
            Self::Not(part) => !part.holds(document, schema, is_valid),
            Self::Compare(path, Comparison::NotEqual, literal) => {
                !any(path, document, schema, |value, kind| {
                    is(value, kind, Ordering::is_eq, literal)
                })
            }
            Self::Compare(path, comparison, literal) => {
                any(path, document, schema, |value, kind| {
                    is(value, kind, comparison.meaning(), literal)
                })
            }
            Self::Between(path, least, greatest) => any(path, document, schema, |value, kind| {
                is(value, kind, Ordering::is_ge, least)
                    && is(value, kind, Ordering::is_le, greatest)
            }),
            Self::In(path, literals) => any(path, document, schema, |value, kind| {
                literals.iter().any(|literal| is(value, kind, Ordering::is_eq, literal))
            }),
            Self::Has(path, literal) => any(&path.every(), document, schema, |value, kind| {
                is(value, kind, Ordering::is_eq, literal)
            }),
            Self::HasAny(path, literals) => any(&path.every(), document, schema, |value, kind| {
                literals.iter().any(|literal| is(value, kind, Ordering::is_eq, literal))
            }),
            Self::HasAll(path, literals) => {
                let kind = schema.kind_of(&path.every());
                path.values(document).into_iter().any(|value| has_all(value, kind, literals))
            }
            Self::Text(path, test, literal) => {
                any(path, document, schema, |value, kind| match (scalar(value, kind), literal) {
                    (Some(Scalar::Text(value)), Literal::String(operand)) => {
                        test.holds(value, operand)
                    }
                    _ => false,
                })
            }
            Self::IsNull(path) => any(path, document, schema, |value, _| *value == Json::Null),
            Self::IsMissing(path) => path.values(document).is_empty(),
            Self::IsBool(path, truth) => any(path, document, schema, |value, kind| {
                *value == Json::Bool(*truth) && kind.is_none_or(|kind| kind.admits(value))
            }),
            Self::Bare(path) => any(path, document, schema, |value, kind| {
                is(value, kind, Ordering::is_eq, &Literal::Bool(true))
            }),
            Self::Valid(truth) => *truth == is_valid,
        }
    }
}

impl Comparison {
    fn meaning(self) -> fn(Ordering) -> bool {
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

fn any(
    path: &Path,
    document: &Json,
    schema: &NaiveSchema,
    holds: impl Fn(&Json, Option<&Kind>) -> bool,
) -> bool {
    let kind = schema.kind_of(path);
    path.values(document).into_iter().any(|value| holds(value, kind))
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
