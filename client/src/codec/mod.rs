//! Between Rust values and what the server holds.
//!
//! The id stands in the key and the version beside the text, so both are left out when a document is written, and put
//! in when it is read, without a tree of values in between. What functions compute is left out, too.

mod object;
mod read;
mod write;

use serde::de::DeserializeOwned;

pub(crate) use object::members;

use crate::define::Definition;
use crate::error::DecodeCause;
use crate::{Document, DocumentId, Error, Result};

/// The text of a document, without its id, its version and what is computed.
pub(crate) fn encode<T: Document>(document: &T) -> Result<String> {
    let mut out = Vec::with_capacity(256);
    let skipped =
        write::Skipped { id: T::ID_NAME, version: T::VERSION_NAME, computed: T::COMPUTED_NAMES };
    let writer = write::Top { inner: &mut serde_json::Serializer::new(&mut out), skipped };
    document.serialize(writer).map_err(Error::Encode)?;
    let text = String::from_utf8(out).map_err(|error| Error::Usage(error.to_string().into()))?;
    let Definition { strict, fields, .. } = T::DEFINITION;
    Ok(if strict { object::without_null_structs(text, fields) } else { text })
}

/// A document of its text, its id and, where the type has one, its version. `renamed` are members that the text calls
/// by their paths.
pub(crate) fn decode_renamed<T: Document>(
    key: &str,
    id: &str,
    text: &[u8],
    version: u64,
    renamed: &[(String, &'static str)],
) -> Result<T> {
    let members = Members {
        id: Some((T::ID_NAME, id, <T::Id as DocumentId>::IS_NUMBER)),
        version: T::VERSION_NAME.map(|name| (name, version)),
        renamed,
    };
    let mut document: T = with_members(key, text, members)?;
    document.after_load();
    Ok(document)
}

/// A document of its text, its id and, where the type has one, its version.
pub(crate) fn decode<T: Document>(key: &str, id: &str, text: &[u8], version: u64) -> Result<T> {
    decode_renamed(key, id, text, version, &[])
}

/// What is put in, and what is called otherwise, when a text is read.
#[derive(Clone, Copy)]
pub(crate) struct Members<'a> {
    /// Name, text, and whether it is to be a number.
    pub(crate) id: Option<(&'static str, &'a str, bool)>,
    pub(crate) version: Option<(&'static str, u64)>,
    /// From the names in the text to those of the type.
    pub(crate) renamed: &'a [(String, &'static str)],
}

/// A value of a JSON object with other members put in.
pub(crate) fn with_members<T: DeserializeOwned>(
    key: &str,
    text: &[u8],
    members: Members<'_>,
) -> Result<T> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let top = read::Top { inner: &mut reader, members };
    T::deserialize(top).and_then(|value| reader.end().map(|()| value)).map_err(|source| {
        let mut reader = serde_json::Deserializer::from_slice(text);
        let top = read::Top { inner: &mut reader, members };
        let told: std::result::Result<T, _> = serde_path_to_error::deserialize(top);
        let path = told.err().map(|error| error.path().to_string()).unwrap_or_default();
        Error::Decode { key: key.into(), cause: Box::new(DecodeCause { path, source }) }
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Pair {
        id: u64,
        name: String,
        #[serde(default)]
        version: u64,
    }

    fn members<'a>(renamed: &'a [(String, &'static str)]) -> Members<'a> {
        Members { id: Some(("id", "7", true)), version: Some(("version", 3)), renamed }
    }

    #[test]
    fn id_and_version_are_put_in_and_what_the_text_says_of_them_is_passed_over() {
        for text in [r#"{"name":"Ada"}"#, r#"{"id":"x","name":"Ada","version":[1],"more":{}}"#] {
            let pair: Pair = with_members("k", text.as_bytes(), members(&[])).unwrap();
            assert_eq!(pair, Pair { id: 7, name: "Ada".into(), version: 3 });
        }
    }

    #[test]
    fn members_are_called_as_the_type_calls_them() {
        let renamed = [("a.`n\"ame`".to_owned(), "name")];
        let text = br#"{"a.`n\"ame`":"Ada"}"#;
        let pair: Pair = with_members("k", text, members(&renamed)).unwrap();
        assert_eq!(pair.name, "Ada");
    }

    #[test]
    fn an_error_names_key_and_place() {
        let told = |text: &str| {
            with_members::<Pair>("users:1", text.as_bytes(), members(&[])).unwrap_err().to_string()
        };
        let error = told(r#"{"name":5}"#);
        assert!(
            error.starts_with("users:1 does not fit its type at name: invalid type"),
            "{error}"
        );
        for wrong in ["[]", "{", r#"{"name":"Ada"} x"#] {
            assert!(told(wrong).starts_with("users:1 does not fit its type"), "{wrong}");
        }
    }
}
