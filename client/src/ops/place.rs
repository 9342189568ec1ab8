//! Where a type's documents stand for an executor.

use std::borrow::Cow;

use crate::error::UniqueViolation;
use crate::{Command, Document, Error, Executor};

/// A collection by its names on the server.
pub(crate) struct Place {
    pub(crate) collection: Cow<'static, str>,
    prefix: String,
}

impl Place {
    pub(crate) fn of<T: Document>(db: &impl Executor) -> Self {
        let definition = T::DEFINITION;
        let prefix = definition.key_prefix();
        Self { collection: db.named(definition.collection), prefix: db.named(&prefix).into_owned() }
    }

    pub(crate) fn key(&self, id: &str) -> String {
        format!("{}{id}", self.prefix)
    }

    /// The id of a key of the collection.
    pub(crate) fn id<'k>(&self, key: &'k str) -> &'k str {
        key.strip_prefix(&self.prefix).unwrap_or(key)
    }
}

/// What only the type knows of an error: the name of an index, and the value that is held.
pub(crate) fn explained<T: Document>(mut error: Error, document: Option<&str>) -> Error {
    if let Error::UniqueViolation(violation) = &mut error {
        if let Some(name) = T::DEFINITION.index_over(&violation.fields) {
            name.clone_into(&mut violation.index);
        }
        violation.value = document.and_then(|text| held(violation, text));
    }
    error
}

fn held(violation: &UniqueViolation, text: &str) -> Option<serde_json::Value> {
    let document: serde_json::Value = serde_json::from_str(text).ok()?;
    let mut values = violation.fields.iter().map(|path| {
        path.split('.')
            .try_fold(&document, |value, step| value.get(step.trim_matches('`')))
            .cloned()
    });
    match values.len() {
        1 => values.next().flatten(),
        _ => values.collect::<Option<Vec<_>>>().map(serde_json::Value::Array),
    }
}

/// The command that reads a document with its version.
pub(crate) fn read_with_version(key: &str, with_deleted: bool) -> Command {
    let command = Command::read("DOC.GET").key(key).arg("WITHVERSION");
    if with_deleted { command.arg("WITHDELETED") } else { command }
}
