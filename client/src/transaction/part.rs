//! A command as an operation of `DOC.TXN`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use super::text;
use crate::command::Command;
use crate::{Error, Result};

/// The words of updates with the kinds of what follows them.
const VERBS: [(&str, &[Word]); 21] = [
    ("SET", &[Word::Text, Word::Json]),
    ("UNSET", &[Word::Text]),
    ("INCR", &[Word::Text, Word::Json]),
    ("MUL", &[Word::Text, Word::Json]),
    ("MIN", &[Word::Text, Word::Json]),
    ("MAX", &[Word::Text, Word::Json]),
    ("PUSH", &[Word::Text, Word::Json]),
    ("POP", &[Word::Text, Word::Perhaps]),
    ("ADD", &[Word::Text, Word::Json]),
    ("PULL", &[Word::Text, Word::Json]),
    ("RENAME", &[Word::Text, Word::Text]),
    ("TOGGLE", &[Word::Text]),
    ("NOW", &[Word::Text, Word::Perhaps]),
    ("MERGE", &[Word::Json]),
    ("PATCH", &[Word::Json]),
    ("CALL", &[Word::Text, Word::Json]),
    ("EX", &[Word::Text]),
    ("PX", &[Word::Text]),
    ("EXAT", &[Word::Text]),
    ("PXAT", &[Word::Text]),
    ("PERSIST", &[]),
];

/// What follows the word of an update.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Word {
    Text,
    Json,
    /// A text that begins as a number does, or nothing.
    Perhaps,
}

/// An operation of a transaction.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Part {
    pub(crate) key: String,
    pub(crate) action: Action,
    /// Whether a second sending is refused, or does nothing, once the first was carried out.
    pub(crate) is_guarded: bool,
    /// The operation as JSON.
    pub(crate) json: String,
}

/// What an operation does to its document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Action {
    /// Puts this text.
    Put(String),
    Update,
    Call,
    Delete,
    Check,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Members<'c> {
    op: &'static str,
    key: &'c str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'c RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    if_version: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", rename = "if")]
    filter: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    params: Option<BTreeMap<&'c str, &'c RawValue>>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    ttl: Option<Ttl>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exists: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upsert: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ops: Option<Vec<Vec<Argument<'c>>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<&'c str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    args: Option<Vec<&'c RawValue>>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Ttl {
    Ex(i64),
    Px(i64),
    ExAt(i64),
    PxAt(i64),
    #[serde(rename = "keepttl")]
    Keep(bool),
}

#[derive(Serialize)]
#[serde(untagged)]
enum Argument<'c> {
    Text(Cow<'c, str>),
    Json(&'c RawValue),
}

/// What the operations before have made of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Before {
    /// They do not touch it.
    Untouched,
    /// It was put or changed.
    Written,
    Removed,
}

/// The arguments of a command, one after the other.
struct Words<'c> {
    command: &'c str,
    left: std::vec::IntoIter<&'c [u8]>,
    /// What the operations before have made of the document of a key.
    before: &'c dyn Fn(&str) -> Before,
}

impl<'c> Words<'c> {
    fn next(&mut self) -> Result<&'c [u8]> {
        let missing = || Error::Usage(format!("{} ends too early", self.command).into());
        self.left.next().ok_or_else(missing)
    }

    fn text(&mut self) -> Result<&'c str> {
        let word = self.next()?;
        std::str::from_utf8(word)
            .map_err(|_| usage("what is no UTF-8 has no place in a transaction"))
    }

    fn json(&mut self) -> Result<&'c RawValue> {
        serde_json::from_slice(self.next()?).map_err(Error::Encode)
    }

    fn number<N: std::str::FromStr>(&mut self) -> Result<N> {
        let text = self.text()?;
        text.parse().map_err(|_| Error::Usage(format!("{text} is no number that fits").into()))
    }

    /// An index or a duration, if one comes next: no word of an operation begins so.
    fn numeric(&mut self) -> Option<&'c str> {
        match self.left.as_slice().first()? {
            [b'0'..=b'9' | b'-' | b'+' | b'.', ..] | [b'P', b'T' | b'0'..=b'9', ..] => {
                self.text().ok()
            }
            _ => None,
        }
    }
}

fn usage(what: &str) -> Error {
    Error::Usage(what.into())
}

impl Part {
    /// The operation that a command on one document is. Error: it is none.
    pub(crate) fn of(command: &Command) -> Result<Vec<Part>> {
        Self::among(command, |_| Before::Untouched)
    }

    /// The same behind others. A document that they have touched has no version yet that could be expected: then 0 says
    /// nothing, and any other version is one of those that stood there before, which is what the server asks. Whether
    /// such a document is there is known already.
    pub(crate) fn among(command: &Command, before: impl Fn(&str) -> Before) -> Result<Vec<Part>> {
        let name = command.name();
        let mut words = Words {
            command: name,
            left: command.args().collect::<Vec<_>>().into_iter(),
            before: &before,
        };
        match name {
            "DOC.SET" => set(&mut words),
            "DOC.UPDATE" => update(&mut words).map(|part| vec![part]),
            "DOC.CALL" => call(&mut words).map(|part| vec![part]),
            "DOC.DEL" => delete(&mut words).map(|part| vec![part]),
            _ => Err(Error::Usage(format!("{name} is no part of a transaction").into())),
        }
    }

    /// That a filter holds of a document.
    pub(crate) fn condition(key: &str, filter: &str) -> Result<Part> {
        let filter = Some(filter.to_owned());
        let members = Members { op: "check", key, filter, ..Members::default() };
        Ok(Part { is_guarded: false, ..part(&members, Action::Check)? })
    }

    /// That a document has a version; 0: that there is none.
    pub(crate) fn check(key: &str, version: u64) -> Result<Part> {
        let members = Members { op: "check", key, if_version: Some(version), ..Members::default() };
        part(&members, Action::Check)
    }
}

fn part(members: &Members<'_>, action: Action) -> Result<Part> {
    let json = serde_json::to_string(members).map_err(Error::Encode)?;
    let is_guarded =
        members.if_version.is_some() || members.op == "insert" || members.op == "check";
    Ok(Part { key: members.key.into(), action, is_guarded, json })
}

/// Reads a condition, if the word begins one.
fn condition<'c>(word: &str, words: &mut Words<'c>, members: &mut Members<'c>) -> Result<bool> {
    match word {
        "IFVERSION" => {
            let version: u64 = words.number()?;
            let is_asked = version > 0 || (words.before)(members.key) == Before::Untouched;
            members.if_version = is_asked.then_some(version);
        }
        "IF" => members.filter = Some(text::of(words.next()?)?),
        "PARAMS" => {
            let mut params = BTreeMap::new();
            for _ in 0..words.number::<usize>()? {
                params.insert(words.text()?, words.json()?);
            }
            members.params = Some(params);
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn set(words: &mut Words<'_>) -> Result<Vec<Part>> {
    let mut members = Members { op: "set", key: words.text()?, ..Members::default() };
    let value = words.json()?;
    members.value = Some(value);
    let mut has_to_exist = false;
    while !words.left.as_slice().is_empty() {
        let word = words.text()?.to_ascii_uppercase();
        if condition(&word, words, &mut members)? {
            continue;
        }
        members.ttl = Some(match word.as_str() {
            "NX" => {
                members.op = "insert";
                continue;
            }
            "XX" => {
                has_to_exist = true;
                continue;
            }
            "EX" => Ttl::Ex(words.number()?),
            "PX" => Ttl::Px(words.number()?),
            "EXAT" => Ttl::ExAt(words.number()?),
            "PXAT" => Ttl::PxAt(words.number()?),
            "KEEPTTL" => Ttl::Keep(true),
            _ => return Err(Error::Usage(format!("DOC.SET has no {word}").into())),
        });
    }
    let mut parts = Vec::new();
    match (words.before)(members.key) {
        Before::Untouched if has_to_exist => {
            let exists =
                Members { op: "check", key: members.key, exists: Some(true), ..Members::default() };
            parts.push(Part { is_guarded: false, ..part(&exists, Action::Check)? });
        }
        Before::Removed if has_to_exist => {
            return Err(Error::NotFound { key: members.key.into() });
        }
        _ => {}
    }
    parts.push(part(&members, Action::Put(value.get().into()))?);
    Ok(parts)
}

fn update(words: &mut Words<'_>) -> Result<Part> {
    let mut members = Members { op: "update", key: words.text()?, ..Members::default() };
    let mut ops = Vec::new();
    while !words.left.as_slice().is_empty() {
        let word = words.text()?;
        let upper = word.to_ascii_uppercase();
        if condition(&upper, words, &mut members)? {
            continue;
        }
        if upper == "UPSERT" {
            members.upsert = Some(true);
            continue;
        }
        let Some((verb, kinds)) = VERBS.iter().find(|(verb, _)| *verb == upper) else {
            let what = format!("{upper} is no part of a transaction, whose answers are versions");
            return Err(Error::Usage(what.into()));
        };
        let mut op = vec![Argument::Text((*verb).into())];
        for kind in *kinds {
            match kind {
                Word::Text => op.push(Argument::Text(words.text()?.into())),
                Word::Json => op.push(Argument::Json(words.json()?)),
                Word::Perhaps => {
                    op.extend(words.numeric().map(|text| Argument::Text(text.into())));
                }
            }
        }
        ops.push(op);
    }
    members.ops = Some(ops);
    part(&members, Action::Update)
}

/// Conditions stand before the function.
fn call(words: &mut Words<'_>) -> Result<Part> {
    let mut members = Members { op: "call", key: words.text()?, ..Members::default() };
    let mut name = words.text()?;
    while condition(&name.to_ascii_uppercase(), words, &mut members)? {
        name = words.text()?;
    }
    members.function = Some(name);
    let mut args = Vec::new();
    while !words.left.as_slice().is_empty() {
        args.push(words.json()?);
    }
    members.args = Some(args);
    part(&members, Action::Call)
}

fn delete(words: &mut Words<'_>) -> Result<Part> {
    let mut members = Members { op: "del", key: words.text()?, ..Members::default() };
    while !words.left.as_slice().is_empty() {
        let word = words.text()?.to_ascii_uppercase();
        if !condition(&word, words, &mut members)? {
            return Err(usage("a transaction removes documents for good, and each by itself"));
        }
    }
    part(&members, Action::Delete)
}
