//! Indexes as they are declared: of a field, or by themselves over one path or several.
//!
//! ```text
//!   INDEX by_status ON 2 status created DESC  UNIQUE  WHERE "closed IS MISSING"
//!         name         paths, their order     rule    which documents it covers
//! ```

use serde::{Deserialize, Serialize};

use super::definition::{Definition, Typing};
use super::types::Scalar;
use crate::error::{Code, Error, Result};
use crate::limits::{INDEX_CONDITIONS_MAX, INDEX_PATHS_MAX, Limits};
use crate::path::{Path, Step};
use crate::query::operand::{Function, Term};
use crate::query::{self, Filter, FilterNode, Params, Scope, Subject};

/// The structure of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IndexKind {
    /// Hashed: equality and membership.
    Set,
    /// Ordered: equality, ranges and order.
    #[default]
    Sorted,
    /// The parts of strings.
    Substring,
}

/// Which way a path of an index goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Least first.
    #[default]
    Asc,
    /// Greatest first.
    Desc,
}

/// How UNIQUE takes values that are not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Nulls {
    /// A document one of whose values is missing or null holds nothing that others may not.
    #[default]
    #[serde(rename = "distinct")]
    Distinct,
    /// Null is a value like any other, and so is missing: another one.
    #[serde(rename = "not distinct")]
    NotDistinct,
}

/// One path of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct On {
    /// Where the values stand.
    pub path: Path,
    /// Which way they go.
    pub order: Order,
}

/// An index that is declared by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedIndex {
    /// What it is called.
    pub name: Box<str>,
    /// Its paths.
    pub on: Vec<On>,
    /// Its structure.
    pub kind: IndexKind,
    /// Whether no two documents may hold the same values.
    pub unique: bool,
    /// What UNIQUE makes of values that are not there.
    pub nulls: Nulls,
    /// The filter, as text, that a document has to satisfy to be in it.
    pub filter: Option<Box<str>>,
}

/// What a declared index comes to under the types of its collection.
#[derive(Debug)]
pub struct Resolved {
    /// The paths that lead to single values, with their types.
    pub on: Vec<(Path, Scalar)>,
    /// The documents that it covers; all without one.
    pub filter: Option<Filter>,
}

impl NamedIndex {
    /// A sorted index over `on`, of all documents.
    pub fn new(name: &str, on: Vec<On>) -> Self {
        NamedIndex {
            name: name.into(),
            on,
            kind: IndexKind::default(),
            unique: false,
            nulls: Nulls::default(),
            filter: None,
        }
    }

    /// Gives every path its type, and the text of the filter its meaning. Error: `SCHEMA`.
    pub fn resolve(&self, definition: &Definition, limits: &Limits) -> Result<Resolved> {
        let on = self.on.iter().map(|on| match definition.typing(&on.path) {
            Typing::Scalar(scalar) => (on.path.clone(), scalar),
            // An array is indexed by its elements.
            Typing::Array(scalar) => (on.path.each(), scalar),
            Typing::Undeclared => (on.path.clone(), Scalar::Json),
        });
        let filter = self.filter.as_deref().map(|text| self.read_filter(text, definition, limits));
        Ok(Resolved { on: on.collect(), filter: filter.transpose()? })
    }

    /// What a document holds decides whether it is in the index, and nothing else: no metadata, no parameter, no clock.
    fn read_filter(&self, text: &str, definition: &Definition, limits: &Limits) -> Result<Filter> {
        let refuse = |error: Error| self.refuse(format!("WHERE: {}", error.message));
        let ast = query::parse(text, limits).map_err(refuse)?;
        for (term, position) in ast.operands().flat_map(|operand| &operand.terms) {
            let name = match term {
                Term::Subject(Subject::Meta(meta)) => meta.name(),
                Term::Call(Function::Now) => "now()",
                _ => continue,
            };
            return Err(self.refuse(format!(
                "WHERE: {name} is no part of a document, which alone decides, at position {}",
                position.0
            )));
        }
        let scope =
            Scope { definition, params: &Params::default(), now_ms: 0, limits, functions: None };
        query::bind(&ast, &scope).map_err(refuse)
    }

    /// Whether the filter is not too long for queries to be compared with it. Error: `SCHEMA`.
    fn validate_filter(&self, filter: &Filter) -> Result<()> {
        let conditions = match &filter.nodes[filter.root() as usize] {
            FilterNode::And(children) => children.len(),
            _ => 1,
        };
        if conditions <= INDEX_CONDITIONS_MAX {
            return Ok(());
        }
        let most = INDEX_CONDITIONS_MAX;
        Err(self.refuse(format!(
            "WHERE: {conditions} conditions joined by AND exceed the limit of {most}"
        )))
    }

    fn refuse(&self, what: impl std::fmt::Display) -> Error {
        Error::new(Code::Schema, format!("index {} {what}", self.name))
    }

    /// Whether the index makes sense by itself and over the fields of `definition`. Error: `SCHEMA`.
    fn validate(&self, definition: &Definition, limits: &Limits) -> Result<()> {
        let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
        if self.name.is_empty() || !self.name.chars().all(is_letter) {
            let what = "is no index name: letters, digits, '_', '-' and '.'";
            return Err(Error::new(Code::Schema, format!("'{}' {what}", self.name)));
        }
        let count = self.on.len();
        if count == 0 || count > INDEX_PATHS_MAX {
            return Err(self.refuse(format!("has {count} paths, not 1 to {INDEX_PATHS_MAX}")));
        }
        if self.nulls == Nulls::NotDistinct && !self.unique {
            return Err(self.refuse("has NULLS without UNIQUE"));
        }
        if self.kind != IndexKind::Sorted {
            self.validate_kind()?;
        }
        for On { path, .. } in &self.on {
            if path.steps().iter().any(|step| matches!(step, Step::Index(_))) {
                let what = format!("names one element of an array, {path}: index [*]");
                return Err(self.refuse(what));
            }
            query::expect_declared(path, definition)
                .map_err(|error| self.refuse(format!("is over {path}: {}", error.message)))?;
        }
        let resolved = self.resolve(definition, limits)?;
        resolved.filter.as_ref().map_or(Ok(()), |filter| self.validate_filter(filter))?;
        self.validate_resolved(&resolved)
    }

    /// What a hashed index or one of parts cannot be.
    fn validate_kind(&self) -> Result<()> {
        let kind = if self.kind == IndexKind::Set { "SET" } else { "SUBSTRING" };
        if self.on.len() > 1 {
            return Err(self.refuse(format!("is USING {kind} and takes one path")));
        }
        if self.on.iter().any(|on| on.order == Order::Desc) {
            return Err(self.refuse(format!("is USING {kind} and has no order: DESC")));
        }
        if self.kind == IndexKind::Substring && self.unique {
            return Err(self.refuse("is USING SUBSTRING and cannot be UNIQUE"));
        }
        Ok(())
    }

    fn validate_resolved(&self, resolved: &Resolved) -> Result<()> {
        let mut multi: Option<&Path> = None;
        for (at, (path, scalar)) in resolved.on.iter().enumerate() {
            if resolved.on[..at].iter().any(|(other, _)| other == path) {
                return Err(self.refuse(format!("is over {path} twice")));
            }
            if path.is_multi()
                && let Some(other) = multi.replace(path)
            {
                let what = format!("is over {other} and {path}: one path with [*] at most");
                return Err(self.refuse(what));
            }
            if self.kind == IndexKind::Substring && !scalar.takes_text() {
                let what = format!("is USING SUBSTRING, and {path} is declared {}", scalar.name());
                return Err(self.refuse(what));
            }
        }
        Ok(())
    }
}

/// Whether the indexes of `definition` make sense, those of its fields and those by themselves. Errors: `SCHEMA`, `LIMITED`.
pub(super) fn validate(definition: &Definition, limits: &Limits) -> Result<()> {
    let of_fields = definition.fields.iter().filter(|field| field.indexed_as().is_some());
    let (count, most) = (of_fields.count() + definition.indexes.len(), limits.indexes_max);
    if count > most {
        let what = format!("{count} indexes exceed the limit of {most} (folio.indexes-max)");
        return Err(Error::new(Code::Limited, what));
    }
    for field in definition.fields.iter().filter(|field| field.index == Some(IndexKind::Substring))
    {
        let refuse = |what: &str| {
            Err(Error::new(
                Code::Schema,
                format!("field {} is INDEX SUBSTRING and {what}", field.path),
            ))
        };
        if field.unique {
            return refuse("cannot be UNIQUE");
        }
        if !field.ty.scalar.takes_text() {
            return refuse(&format!("declared {}, which holds no strings", field.ty));
        }
    }
    for (at, index) in definition.indexes.iter().enumerate() {
        if definition.indexes[..at].iter().any(|other| other.name == index.name) {
            let what = format!("index {} is declared twice", index.name);
            return Err(Error::new(Code::Schema, what));
        }
        index.validate(definition, limits)?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;
