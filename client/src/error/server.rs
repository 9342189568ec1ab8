//! What a line of the server's means.

use super::{Error, FunctionError, UniqueViolation, Violation};

/// The error of an answer of `code` that reads `message`. What cannot be read further stays as it is.
pub(super) fn refused(code: &str, message: &str) -> Error {
    let line = || format!("{code} {message}").into();
    let read = match code {
        "ERR" if is_unknown_command_of_folio(message) => Some(Error::ModuleMissing),
        "NOTFOUND" => quoted(message).map(|key| Error::NotFound { key: key.into() }),
        "EXISTS" => quoted(message).map(|key| Error::AlreadyExists { key: key.into() }),
        "UNIQUE" => unique(message),
        "VERSION" => version(message),
        "SCHEMA" => violation(message),
        "NOINDEX" => Some(Error::UnindexedQuery(line())),
        "BUILDING" => Some(Error::IndexBuilding(line())),
        "FUNCTION" => Some(Error::Function(Box::new(function(message)))),
        _ => None,
    };
    read.unwrap_or_else(|| Error::Server(line()))
}

/// `unknown command 'DOC.SET', with args beginning with: ..`. Of any other command it says nothing of the module.
fn is_unknown_command_of_folio(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    let command = message.strip_prefix("unknown command").unwrap_or_default();
    command.trim_start_matches([' ', '\'', '`']).starts_with("doc.")
}

/// The first text in single quotes; keys may hold quotes, so it goes to the last one.
fn quoted(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once('\'')?;
    rest.rsplit_once('\'').map(|(key, _)| key)
}

/// `[document 'key': ]the value at a is held by key`, `.. the values at a, b are held by another document`.
fn unique(message: &str) -> Option<Error> {
    let (before, rest) = message.split_once("the value")?;
    let (_, rest) = rest.split_once(" at ")?;
    let (paths, holder) =
        rest.split_once(" is held by ").or_else(|| rest.split_once(" are held by "))?;
    let fields: Vec<String> = paths.split(", ").map(Into::into).collect();
    let holder = (holder != "another document").then(|| holder.to_owned());
    let key = quoted(before).map(Into::into);
    let violation = UniqueViolation { index: paths.into(), fields, value: None, holder, key };
    Some(Error::UniqueViolation(Box::new(violation)))
}

/// `expected version 0 of 'orders:2', found 8`.
fn version(message: &str) -> Option<Error> {
    let (_, rest) = message.split_once("expected version ")?;
    let expected = rest.split(' ').next()?.parse().ok()?;
    let found = rest.rsplit_once("found ").and_then(|(_, found)| found.trim().parse().ok());
    Some(Error::VersionConflict { expected, found })
}

/// `[operation 2: ]field age is declared int, found "old"`.
fn violation(message: &str) -> Option<Error> {
    let mut at = 0;
    if !message.starts_with("field ") {
        // Only what stands before a document's own complaint; a definition's says `definition: ..` or `DEFAULT: ..`.
        at = message.find(": field ")? + 2;
        let before = &message[..at];
        if !before.starts_with("operation ") && !before.starts_with("document ") {
            return None;
        }
    }
    let rest = message[at..].strip_prefix("field ")?;
    let (path, told) = rest.split_once(' ')?;
    Some(Error::Validation(vec![Violation::new(path, "schema", told)]))
}

/// `[operation 2: ]function 'text.slug', line 3: attempt to ..`, `no function 'x' is loaded`.
fn function(message: &str) -> FunctionError {
    let named = message.split_once("function '").and_then(|(_, rest)| rest.split_once('\''));
    let line = named.and_then(|(_, rest)| rest.strip_prefix(", line ")?.split_once(':'));
    FunctionError {
        function: named.map(|(name, _)| name.into()),
        line: line.and_then(|(line, _)| line.parse().ok()),
        message: message.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_told_with_its_line() {
        for (message, name, line) in [
            ("function 'slug', line 3: attempt to index nil with 'x'", Some("slug"), Some(3)),
            ("operation 2: function 'a.b', line 10: it's: wrong", Some("a.b"), Some(10)),
            ("function 'f': more than 4194304 bytes", Some("f"), None),
            ("field slug: no function 'text.slug' is loaded", Some("text.slug"), None),
            ("nothing is registered that runs functions", None, None),
        ] {
            let error = refused("FUNCTION", message);
            assert_eq!(error.code(), Some("FUNCTION"));
            assert_eq!(error.to_string(), format!("FUNCTION {message}"));
            let Error::Function(told) = error else { panic!("{error:?}") };
            assert_eq!((told.function.as_deref(), told.line), (name, line), "{message}");
        }
    }

    #[test]
    fn a_held_value_is_told_with_its_holder() {
        let error = refused("UNIQUE", "document 'u:2': the values at a, b.c are held by u:1");
        let Error::UniqueViolation(violation) = error else { panic!("{error:?}") };
        assert_eq!(violation.fields, ["a", "b.c"]);
        assert_eq!(
            (violation.holder.as_deref(), violation.key.as_deref()),
            (Some("u:1"), Some("u:2"))
        );
        let error = refused("UNIQUE", "the value at email is held by another document");
        let Error::UniqueViolation(violation) = error else { panic!("{error:?}") };
        assert_eq!((violation.holder, violation.index.as_str()), (None, "email"));
    }

    #[test]
    fn keys_versions_and_fields_are_read() {
        let error = refused("NOTFOUND", "no document under 'it's:2'");
        assert!(matches!(&error, Error::NotFound { key } if &**key == "it's:2"), "{error:?}");
        let error = refused("EXISTS", "'invoices:2026' is there already");
        assert!(matches!(&error, Error::AlreadyExists { key } if &**key == "invoices:2026"));
        let error = refused("VERSION", "expected version 0 of 'orders:2', found 8");
        assert!(matches!(error, Error::VersionConflict { expected: 0, found: Some(8) }));
        for message in ["field age is declared int", "operation 1: field age is declared int"] {
            let Error::Validation(all) = refused("SCHEMA", message) else { panic!("{message}") };
            assert_eq!(all, [Violation::new("age", "schema", "is declared int")]);
        }
    }

    #[test]
    fn what_cannot_be_read_stays() {
        for (code, message) in [
            ("SCHEMA", "DEFAULT: field n is 6, above the maximum of 5"),
            ("UNIQUE", "documents hold the same value"),
            ("FILTER", "x"),
        ] {
            let error = refused(code, message);
            assert!(matches!(error, Error::Server(_)), "{error:?}");
            assert_eq!(error.code(), Some(code));
        }
    }
}
