//! Completion: of sentences, collections, fields, commands and the shell's own words.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use folio::Folio;
use folio::redis::Value;
use rustyline::completion::{Completer, Pair};
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Result};
use serde_json::Value as Json;
use tokio::runtime::Handle;

use crate::ask::question::Verb;
use crate::ask::sentence::CLAUSES;
use crate::ask::token::tokens;
use crate::output::json::{json, text};

use super::meta::WORDS;

/// Whoever types does not wait longer for names.
const PATIENCE: Duration = Duration::from_secs(2);
/// Documents whose members are taken for fields where nothing is declared.
const DOCUMENTS_SAMPLED: u32 = 20;
/// Words of filters.
const FILTER_WORDS: [&str; 23] = [
    "and",
    "or",
    "not",
    "in",
    "between",
    "has",
    "any",
    "all",
    "where",
    "like",
    "ilike",
    "contains",
    "starts with",
    "ends with",
    "matches",
    "is null",
    "is not null",
    "is missing",
    "is not missing",
    "true",
    "false",
    "asc",
    "desc",
];

/// What the editor asks while somebody types.
pub struct Helper {
    db: Folio,
    runtime: Handle,
    /// What the server has said since the last statement.
    collections: RefCell<Option<Vec<String>>>,
    commands: RefCell<Option<Vec<String>>>,
    fields: RefCell<HashMap<String, Vec<String>>>,
}

impl Helper {
    pub fn new(db: Folio, runtime: Handle) -> Self {
        let (collections, commands) = (RefCell::new(None), RefCell::new(None));
        Self { db, runtime, collections, commands, fields: RefCell::default() }
    }

    /// Waits for an answer, not for long: without one nothing is completed.
    fn ask<T>(&self, question: impl Future<Output = folio::Result<T>>) -> Option<T> {
        let asked = self.runtime.block_on(async { tokio::time::timeout(PATIENCE, question).await });
        asked.ok()?.ok()
    }

    fn collections(&self) -> Vec<String> {
        let ask = || self.ask(self.db.cmd("DOC.LIST").read()).unwrap_or_default();
        self.collections.borrow_mut().get_or_insert_with(ask).clone()
    }

    fn commands(&self) -> Vec<String> {
        let ask = || {
            let list = self.db.cmd("COMMAND").arg("LIST");
            let list = self.ask(list.read_value()).map(|value| names(&value)).unwrap_or_default();
            list.iter().map(|name| name.to_ascii_uppercase()).collect()
        };
        self.commands.borrow_mut().get_or_insert_with(ask).clone()
    }

    /// The declared fields of a collection, and the members of a few of its documents.
    fn fields(&self, collection: &str) -> Vec<String> {
        if let Some(known) = self.fields.borrow().get(collection) {
            return known.clone();
        }
        let schema: Option<String> = self.ask(self.db.cmd("DOC.SCHEMA").arg(collection).read());
        let schema: Json = schema.and_then(|it| serde_json::from_str(&it).ok()).unwrap_or_default();
        let declared = schema["fields"].as_array().into_iter().flatten();
        let mut found: Vec<String> =
            declared.filter_map(|field| field["path"].as_str().map(str::to_owned)).collect();
        let few = ("LIMIT", 0, DOCUMENTS_SAMPLED);
        let sample = self.db.cmd("DOC.FIND").arg(collection).arg(few).read_value();
        if let Some(answer) = self.ask(sample) {
            for row in json(&answer)["results"].as_array().into_iter().flatten() {
                let text = row[1].as_str().unwrap_or_default();
                let document: Json = serde_json::from_str(text).unwrap_or_default();
                found.extend(
                    document.as_object().into_iter().flatten().map(|(name, _)| name.clone()),
                );
            }
        }
        found.sort();
        found.dedup();
        self.fields.borrow_mut().insert(collection.to_owned(), found.clone());
        found
    }

    /// What may stand where a word begins, behind this text.
    fn candidates(&self, before: &str) -> Vec<String> {
        let words: Vec<&str> = before.split_whitespace().collect();
        // `\explain` takes a sentence.
        let words = match &words[..] {
            ["\\explain" | "\\profile", rest @ ..] => rest,
            all => all,
        };
        let verbs = || Verb::ALL.map(|(_, word)| word.to_owned());
        match words {
            [] => {
                let own = WORDS.iter().map(|(word, ..)| format!("\\{word}"));
                verbs().into_iter().chain(own).chain(self.commands()).collect()
            }
            ["\\d"] => self.collections(),
            ["\\style"] => ["auto", "table", "records", "json"].map(str::to_owned).to_vec(),
            [first] if Verb::from_word(first).is_some() => self.collections(),
            [first, collection, ..] if Verb::from_word(first).is_some() => {
                let words = CLAUSES.iter().chain(&FILTER_WORDS).map(|word| (*word).to_owned());
                self.fields(collection).into_iter().chain(words).collect()
            }
            [first] if is_of_folio(first) => self.collections(),
            [first, collection, ..] if is_of_folio(first) => {
                let words = CLAUSES.iter().map(|word| word.to_ascii_uppercase());
                self.fields(collection).into_iter().chain(words).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// The names in an answer that is a list.
fn names(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) | Value::Set(items) => items.iter().map(text).collect(),
        _ => Vec::new(),
    }
}

fn is_of_folio(command: &str) -> bool {
    command.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("doc."))
}

impl Completer for Helper {
    type Candidate = Pair;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> Result<(usize, Vec<Pair>)> {
        let before = &line[..at];
        let is_border = |letter: char| letter.is_whitespace() || "(,\"'".contains(letter);
        let border = before.char_indices().rfind(|(_, letter)| is_border(*letter));
        let start = border.map_or(0, |(place, letter)| place + letter.len_utf8());
        let begun = before[start..].to_lowercase();
        let mut found: Vec<Pair> = self
            .candidates(&before[..start])
            .into_iter()
            .filter(|word| word.to_lowercase().starts_with(&begun) && word.len() > begun.len())
            .map(|word| Pair { display: word.clone(), replacement: word + " " })
            .collect();
        found.dedup_by(|one, other| one.display == other.display);
        Ok((start, found))
    }
}

impl Validator for Helper {
    /// A sentence goes on in the next line while a quote is open.
    fn validate(&self, context: &mut ValidationContext<'_>) -> Result<ValidationResult> {
        let text = context.input();
        let first = text.split_whitespace().next().unwrap_or_default();
        let is_whole = if Verb::from_word(first).is_some() {
            tokens(text).is_ok()
        } else {
            text.starts_with('\\') || shlex::split(text).is_some()
        };
        Ok(if is_whole { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

impl Hinter for Helper {
    type Hint = String;
}

impl Highlighter for Helper {}

impl rustyline::Helper for Helper {}
