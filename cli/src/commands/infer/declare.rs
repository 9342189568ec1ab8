//! A proposal as a definition, and as the command that declares it.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json};

use super::propose::{Field, Index, Proposal};

impl Index {
    fn word(self) -> &'static str {
        match self {
            Self::Set => "set",
            Self::Sorted => "sorted",
        }
    }
}

impl Proposal {
    /// The JSON that `DOC.CREATE .. DEFINITION` reads.
    pub fn definition(&self) -> Json {
        let mut definition = Map::new();
        definition.insert("collection".into(), self.collection.as_str().into());
        if let Some(prefix) = &self.prefix {
            definition.insert("prefix".into(), prefix.as_str().into());
        }
        definition.insert("fields".into(), self.fields.iter().filter_map(field).collect());
        Json::Object(definition)
    }

    /// `DOC.CREATE ..` as it is typed into redis-cli.
    pub fn command(&self) -> String {
        let mut words = vec!["DOC.CREATE".to_owned(), self.collection.clone()];
        if let Some(prefix) = &self.prefix {
            words.extend(["PREFIX".into(), prefix.clone()]);
        }
        for field in &self.fields {
            words.extend(field.words());
        }
        words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
    }
}

impl Field {
    /// What is declared besides the type, as it stands in the command.
    pub fn declared(&self) -> String {
        self.words().iter().skip(3).map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
    }

    fn words(&self) -> Vec<String> {
        let Some(type_name) = &self.type_name else { return Vec::new() };
        let mut words = vec!["FIELD".to_owned(), self.path.clone(), type_name.clone()];
        let flags = [
            (self.is_required, "REQUIRED"),
            (self.is_nullable, "NULLABLE"),
            (self.is_unique, "UNIQUE"),
        ];
        words.extend(flags.iter().filter(|(is_set, _)| *is_set).map(|(_, word)| (*word).into()));
        if !self.choices.is_empty() {
            words.extend(["ENUM".into(), self.choices.len().to_string()]);
            words.extend(
                self.choices
                    .iter()
                    .map(|json| serde_json::from_str(json).unwrap_or_else(|_| json.clone())),
            );
        }
        if let Some(index) = self.index {
            words.extend(["INDEX".into(), index.word().to_uppercase()]);
        }
        words
    }
}

fn field(field: &Field) -> Option<Json> {
    let mut told = Map::new();
    told.insert("path".into(), field.path.as_str().into());
    told.insert("type".into(), field.type_name.as_deref()?.into());
    let flags = [
        (field.is_required, "required"),
        (field.is_nullable, "nullable"),
        (field.is_unique, "unique"),
    ];
    for (_, word) in flags.iter().filter(|(is_set, _)| *is_set) {
        told.insert((*word).into(), true.into());
    }
    if let Some(index) = field.index {
        told.insert("index".into(), index.word().into());
    }
    if !field.choices.is_empty() {
        let choices = field.choices.iter().filter_map(|json| serde_json::from_str(json).ok());
        told.insert("enum".into(), choices.collect::<Vec<Json>>().into());
    }
    Some(Json::Object(told))
}

/// A word as redis-cli reads it.
pub fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || "_-.:,<>[]*/@+=%{}$".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    let mut quoted = String::from("\"");
    for letter in word.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            letter if letter.is_ascii_control() => {
                // A string takes whatever is written to it.
                let _ = write!(quoted, "\\x{:02x}", letter as u32);
            }
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_they_would_be_read_otherwise() {
        for (word, written) in [
            ("tags[*].name", "tags[*].name"),
            ("array<string>", "array<string>"),
            ("größe", "größe"),
            ("", r#""""#),
            ("in progress", r#""in progress""#),
            ("`first-name`", r#""`first-name`""#),
            ("it's", r#""it's""#),
            ("a\"b\\c", r#""a\"b\\c""#),
            ("a\nb\u{1}", r#""a\nb\x01""#),
        ] {
            assert_eq!(quoted(word), written);
        }
    }
}
